//! From syn's patterns to [`Pattern`], and questions about patterns.

use syn::Pat;

use super::facts::Pattern;
use super::read::path_text;

/// The pattern without references, parentheses and types.
pub(super) fn read(pat: &Pat) -> Pattern {
    match pat {
        Pat::Wild(_) => Pattern::Wild,
        Pat::Ident(ident) => Pattern::Name(
            unraw(&ident.ident),
            ident
                .subpat
                .as_ref()
                .map(|(_, inner)| Box::new(read(inner))),
        ),
        Pat::Or(or) => Pattern::Or(or.cases.iter().map(read).collect()),
        Pat::Paren(paren) => read(&paren.pat),
        Pat::Reference(reference) => read(&reference.pat),
        Pat::Type(typed) => read(&typed.pat),
        Pat::Tuple(tuple) => Pattern::Tuple(tuple.elems.iter().map(read).collect()),
        Pat::TupleStruct(tuple) => Pattern::TupleStruct(
            path_text(&tuple.path),
            tuple.elems.iter().map(read).collect(),
        ),
        Pat::Struct(fields) => Pattern::Struct(
            path_text(&fields.path),
            fields
                .fields
                .iter()
                .map(|field| (member_text(&field.member), read(&field.pat)))
                .collect(),
        ),
        Pat::Path(path) => Pattern::Path(path_text(&path.path)),
        Pat::Lit(literal) => match &literal.lit {
            syn::Lit::Str(text) => Pattern::Text(text.value()),
            _ => Pattern::Other,
        },
        Pat::Rest(_) => Pattern::Rest,
        _ => Pattern::Other,
    }
}

/// The identifier without `r#`.
pub(super) fn unraw(ident: &syn::Ident) -> String {
    let text = ident.to_string();
    text.strip_prefix("r#").map_or(text.clone(), str::to_owned)
}

fn member_text(member: &syn::Member) -> String {
    match member {
        syn::Member::Named(ident) => unraw(ident),
        syn::Member::Unnamed(index) => index.index.to_string(),
    }
}

impl Pattern {
    /// The strings of a pattern that is a string literal or several joined by `|`.
    #[must_use]
    pub fn strings(&self) -> Vec<&str> {
        match self {
            Self::Text(text) => vec![text],
            Self::Or(cases) => cases.iter().flat_map(Self::strings).collect(),
            _ => Vec::new(),
        }
    }

    /// Whether the pattern matches every value, where `is_variant` tells variants from bindings.
    pub fn is_irrefutable(&self, is_variant: &dyn Fn(&str) -> bool) -> bool {
        match self {
            Self::Wild | Self::Rest => true,
            // `None` and constants look like bindings to the parser; bindings are lower case.
            Self::Name(name, None) => !is_variant(name) && !name.starts_with(char::is_uppercase),
            Self::Name(_, Some(inner)) => inner.is_irrefutable(is_variant),
            Self::Or(cases) => cases.iter().any(|case| case.is_irrefutable(is_variant)),
            Self::Tuple(parts) => parts.iter().all(|part| part.is_irrefutable(is_variant)),
            _ => false,
        }
    }
}
