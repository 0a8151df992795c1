//! One type of a file as far as another derive on it goes: where its name would stand, what the
//! derived code would need, and what speaks against it.

use std::ops::Range;

use syn::spanned::Spanned;
use syn::visit::{self, Visit};
use syn::{Attribute, Fields, Generics, Meta, Token, Visibility};

use super::pattern::unraw;
use super::read::{derives, parse, tokens};
use super::serde_attr;
use crate::note::Outcome;
use crate::workspace::SourceFile;

/// A struct or an enum.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Derivable {
    /// Its name.
    pub name_range: Range<usize>,
    /// What it derives under no condition.
    pub derives: Vec<String>,
    /// Where another derive goes.
    pub spot: DeriveSpot,
    /// Whether it is `pub`.
    pub is_pub: bool,
    /// Whether it stands at the top of its file.
    pub is_top: bool,
    /// What it holds, those of all variants.
    pub fields: Vec<Held>,
    /// Why the tool adds no derive to it at all: the place, and the reason.
    pub obstacle: Option<(Range<usize>, &'static str)>,
    /// A serde attribute that may mean another thing for a derive which is new.
    pub wire: Option<Range<usize>>,
}

/// What a type holds.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Held {
    /// The field's name; empty in a tuple.
    pub name: String,
    /// The type, as tokens.
    pub ty: String,
    /// The type itself.
    pub range: Range<usize>,
    /// Whether it is `pub`.
    pub is_pub: bool,
}

/// Where another derive goes.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum DeriveSpot {
    /// Behind the last name of a list.
    Listed(usize),
    /// Into a list without names.
    Empty(usize),
    /// Into a list of its own, before what stands here.
    New(usize),
}

/// The one type called `name`; `None` where the file has none or several.
pub fn derivable(file: &SourceFile, name: &str) -> Outcome<Option<Derivable>> {
    let base = file.lexed_from();
    let parsed = parse(file, &file.text[base..])?;
    let mut types = Types {
        name,
        base,
        text: &file.text,
        depth: 0,
        found: Vec::new(),
    };
    types.visit_file(&parsed);
    let mut found = types.found.into_iter();
    Ok(match (found.next(), found.next()) {
        (Some(one), None) => Some(one),
        _ => None,
    })
}

struct Types<'a> {
    name: &'a str,
    base: usize,
    text: &'a str,
    /// How many modules and blocks stand around.
    depth: usize,
    found: Vec<Derivable>,
}

impl<'ast> Visit<'ast> for Types<'_> {
    fn visit_item_mod(&mut self, node: &'ast syn::ItemMod) {
        self.depth += 1;
        visit::visit_item_mod(self, node);
        self.depth -= 1;
    }

    fn visit_block(&mut self, node: &'ast syn::Block) {
        self.depth += 1;
        visit::visit_block(self, node);
        self.depth -= 1;
    }

    fn visit_item_struct(&mut self, node: &'ast syn::ItemStruct) {
        if unraw(&node.ident) == self.name {
            let fields = self.fields(&node.fields);
            self.take(&node.attrs, &node.vis, &node.ident, &node.generics, fields);
        }
    }

    fn visit_item_enum(&mut self, node: &'ast syn::ItemEnum) {
        if unraw(&node.ident) != self.name {
            return;
        }
        let mut fields = Read::default();
        for variant in &node.variants {
            let own = self.fields(&variant.fields);
            fields.held.extend(own.held);
            let wire = self.wire(&variant.attrs);
            fields.wire = fields.wire.or(own.wire).or(wire);
        }
        self.take(&node.attrs, &node.vis, &node.ident, &node.generics, fields);
    }
}

/// What was read of fields.
#[derive(Default)]
struct Read {
    held: Vec<Held>,
    wire: Option<Range<usize>>,
}

impl Types<'_> {
    fn range(&self, node: &impl Spanned) -> Range<usize> {
        let range = node.span().byte_range();
        range.start + self.base..range.end + self.base
    }

    fn fields(&self, fields: &Fields) -> Read {
        let mut read = Read::default();
        for field in fields {
            read.held.push(Held {
                name: field.ident.as_ref().map(unraw).unwrap_or_default(),
                ty: tokens(&field.ty),
                range: self.range(&field.ty),
                is_pub: matches!(field.vis, Visibility::Public(_)),
            });
            read.wire = read.wire.or_else(|| self.wire(&field.attrs));
        }
        read
    }

    fn wire(&self, attributes: &[Attribute]) -> Option<Range<usize>> {
        let mut odd = attributes.iter().filter(|of| serde_attr::is_one_way(of));
        odd.next().map(|of| self.range(of))
    }

    fn take(
        &mut self,
        attributes: &[Attribute],
        visibility: &Visibility,
        ident: &syn::Ident,
        generics: &Generics,
        fields: Read,
    ) {
        let own: Vec<&Attribute> = attributes
            .iter()
            .filter(|of| !of.path().is_ident("doc"))
            .collect();
        let name_range = self.range(ident);
        let keyword = self.text[..name_range.start].trim_end();
        let keyword = keyword.trim_end_matches("struct").trim_end_matches("enum");
        let first = match (own.first(), visibility) {
            (Some(attribute), _) => self.range(*attribute).start,
            (None, Visibility::Inherited) => keyword.len(),
            (None, visibility) => self.range(visibility).start,
        };
        let is_inert = |of: &&&Attribute| {
            let path = of.path();
            let name = path.get_ident().map(ToString::to_string);
            let known = [
                "derive",
                "serde",
                "allow",
                "expect",
                "warn",
                "deny",
                "must_use",
                "repr",
                "non_exhaustive",
                "deprecated",
            ];
            name.is_some_and(|name| known.contains(&name.as_str()))
        };
        // A helper attribute of a derive stands behind it.
        let list = own.iter().position(|of| of.path().is_ident("derive"));
        let is_helper = |at: usize, of: &Attribute| {
            let is_known = ["cfg", "cfg_attr"]
                .iter()
                .any(|of_cfg| of.path().is_ident(of_cfg));
            list.is_some_and(|list| list < at) && of.path().get_ident().is_some() && !is_known
        };
        let odd = own
            .iter()
            .enumerate()
            .find(|(at, of)| !is_inert(of) && !is_helper(*at, of));
        let obstacle = if generics.params.is_empty() {
            odd.map(|(_, of)| {
                (
                    self.range(*of),
                    "what this attribute makes of it is not known",
                )
            })
        } else {
            Some((self.range(generics), "it has generic parameters"))
        };
        let wire = self.wire(attributes).or(fields.wire);
        self.found.push(Derivable {
            derives: derives(attributes),
            spot: self.spot(&own, first),
            is_pub: matches!(visibility, Visibility::Public(_)),
            is_top: self.depth == 0,
            fields: fields.held,
            name_range,
            obstacle,
            wire,
        });
    }

    /// The last list of derives, else the place for one.
    fn spot(&self, attributes: &[&Attribute], first: usize) -> DeriveSpot {
        let mut lists = attributes.iter().filter_map(|of| match &of.meta {
            Meta::List(list) if list.path.is_ident("derive") => Some(list),
            _ => None,
        });
        let Some(list) = lists.next_back() else {
            return DeriveSpot::New(first);
        };
        let names = list
            .parse_args_with(syn::punctuated::Punctuated::<syn::Path, Token![,]>::parse_terminated);
        match names
            .ok()
            .and_then(|names| Some(self.range(names.last()?).end))
        {
            Some(end) => DeriveSpot::Listed(end),
            None => DeriveSpot::Empty(self.range(&list.delimiter.span().open()).end),
        }
    }
}

#[cfg(test)]
mod tests {
    use std::path::PathBuf;

    use super::{DeriveSpot, derivable};
    use crate::workspace::SourceFile;

    /// The text before the place of a derive, and why none goes there.
    fn spot(text: &str) -> (String, Option<&'static str>) {
        let file = SourceFile {
            path: "a.rs".to_owned(),
            absolute: PathBuf::new(),
            text: text.to_owned(),
        };
        let found = derivable(&file, "A").unwrap().unwrap();
        let at = match found.spot {
            DeriveSpot::Listed(at) | DeriveSpot::Empty(at) | DeriveSpot::New(at) => at,
        };
        let wire = found.wire.map(|_| "wire");
        (
            text[..at].to_owned(),
            found.obstacle.map(|of| of.1).or(wire),
        )
    }

    #[test]
    fn a_derive_goes_behind_the_last_one() {
        for (text, before) in [
            (
                "#[derive(Debug, Clone)]\n#[serde(default)]\npub struct A;",
                "#[derive(Debug, Clone",
            ),
            ("#[derive(Debug,)] struct A(u8);", "#[derive(Debug"),
            (
                "#[derive(Debug)]\n#[derive(a::B)]\nenum A { B }",
                "#[derive(Debug)]\n#[derive(a::B",
            ),
            ("#[derive()] struct A;", "#[derive("),
            ("/// Doc.\n#[must_use]\npub struct A;", "/// Doc.\n"),
            ("/// Doc.\npub(crate) struct A;", "/// Doc.\n"),
            ("\u{feff}// A\nstruct A;", "\u{feff}// A\n"),
            ("mod b { enum A { B } }", "mod b { "),
        ] {
            assert_eq!(spot(text), (before.to_owned(), None), "{text}");
        }
    }

    #[test]
    fn what_speaks_against_one_is_told() {
        let attribute = Some("what this attribute makes of it is not known");
        for (text, why) in [
            ("struct A<T>(T);", Some("it has generic parameters")),
            ("struct A<'a>(&'a u8);", Some("it has generic parameters")),
            ("#[cfg(unix)] struct A;", attribute),
            (
                "#[derive(B)] #[cfg_attr(unix, derive(C))] struct A;",
                attribute,
            ),
            ("#[serde_as] #[derive(B)] struct A;", attribute),
            ("#[derive(B)] #[b(c)] struct A;", None),
            ("#[derive(B)] #[b::c] struct A;", attribute),
            (
                "#[derive(B)] struct A { #[serde(with = \"b\")] c: u8 }",
                Some("wire"),
            ),
            (
                "#[derive(B)] struct A { #[serde(default, rename = \"b\")] c: u8 }",
                None,
            ),
            (
                "#[derive(B)] #[serde(from = \"u8\")] struct A;",
                Some("wire"),
            ),
            ("#[derive(B)] enum A { #[serde(skip)] B }", Some("wire")),
        ] {
            assert_eq!(spot(text).1, why, "{text}");
        }
    }
}
