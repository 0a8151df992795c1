//! What `#[serde(…)]` says, as far as the wire form depends on it.

use syn::Attribute;

use super::facts::{FieldSerde, SerdeFact};

/// Reads every serde attribute of `attributes`, `cfg_attr`-wrapped ones left aside.
pub(super) fn read(attributes: &[Attribute]) -> SerdeFact {
    let mut fact = SerdeFact::default();
    for attribute in attributes {
        if !attribute.path().is_ident("serde") {
            continue;
        }
        // An attribute that serde itself would refuse is rustc's to report.
        let _ = attribute.parse_nested_meta(|meta| {
            let name = meta.path.get_ident().map(ToString::to_string);
            match name.as_deref() {
                Some("untagged") => fact.untagged = true,
                Some("other") => fact.other = true,
                Some("tag") => fact.tag = Some(text(&meta)?),
                Some("content") => fact.content = Some(text(&meta)?),
                Some("alias") => fact.aliases.push(text(&meta)?),
                Some("rename_all") => {
                    fact.rename_all = both(&meta)?.0;
                }
                Some("rename_all_fields") => {
                    fact.rename_all_fields = both(&meta)?.0;
                }
                Some("rename") => {
                    let (serialize, deserialize) = both(&meta)?;
                    fact.aliases.extend(deserialize);
                    fact.rename = serialize;
                }
                _ => skip(&meta)?,
            }
            Ok(())
        });
    }
    fact
}

/// Reads every serde attribute of a field, `cfg_attr`-wrapped ones left aside.
pub(super) fn field(attributes: &[Attribute]) -> FieldSerde {
    let mut fact = FieldSerde::default();
    for attribute in attributes.iter().filter(|a| a.path().is_ident("serde")) {
        // An attribute that serde itself would refuse is rustc's to report.
        let _ = attribute.parse_nested_meta(|meta| {
            let name = meta.path.get_ident().map(ToString::to_string);
            match name.as_deref() {
                Some("rename") => {
                    let (serialize, deserialize) = both(&meta)?;
                    fact.aliases.extend(deserialize);
                    fact.rename = serialize;
                }
                Some("alias") => fact.aliases.push(text(&meta)?),
                Some("default") => {
                    let is_named = meta.input.peek(syn::Token![=]);
                    let named = if is_named {
                        text(&meta)?
                    } else {
                        DEFAULT.to_owned()
                    };
                    fact.default = Some(named);
                }
                Some("skip_serializing_if") => fact.omitted = Some(text(&meta)?),
                Some("skip" | "skip_deserializing") => fact.is_skipped = true,
                Some("flatten") => fact.is_flat = true,
                Some("with" | "deserialize_with") => {
                    fact.has_reader = true;
                    skip(&meta)?;
                }
                _ => skip(&meta)?,
            }
            Ok(())
        });
    }
    fact
}

/// What `default` without a function calls.
const DEFAULT: &str = "Default::default";

/// The value of `name = "…"`.
fn text(meta: &syn::meta::ParseNestedMeta<'_>) -> syn::Result<String> {
    Ok(meta.value()?.parse::<syn::LitStr>()?.value())
}

/// The values of `name = "…"` or `name(serialize = "…", deserialize = "…")`.
fn both(meta: &syn::meta::ParseNestedMeta<'_>) -> syn::Result<(Option<String>, Option<String>)> {
    if meta.input.peek(syn::Token![=]) {
        let value = text(meta)?;
        return Ok((Some(value), None));
    }
    let mut parts = (None, None);
    meta.parse_nested_meta(|inner| {
        let value = text(&inner)?;
        if inner.path.is_ident("serialize") {
            parts.0 = Some(value);
        } else {
            parts.1 = Some(value);
        }
        Ok(())
    })?;
    Ok(parts)
}

/// Passes over what is of no interest, with its value or list.
fn skip(meta: &syn::meta::ParseNestedMeta<'_>) -> syn::Result<()> {
    if meta.input.peek(syn::Token![=]) {
        meta.value()?.parse::<syn::Expr>()?;
    } else if meta.input.peek(syn::token::Paren) {
        let content;
        syn::parenthesized!(content in meta.input);
        content.parse::<proc_macro2::TokenStream>()?;
    }
    Ok(())
}

/// What serde's attributes may say without that reading and writing differ.
const BOTH_WAYS: [&str; 8] = [
    "alias",
    "content",
    "default",
    "deny_unknown_fields",
    "rename",
    "rename_all",
    "rename_all_fields",
    "tag",
];

/// Whether a serde attribute says something of which it is not known that it holds for reading and
/// for writing alike.
pub(super) fn is_one_way(attribute: &Attribute) -> bool {
    if !attribute.path().is_ident("serde") {
        return false;
    }
    let mut found = false;
    let read = attribute.parse_nested_meta(|meta| {
        let name = meta.path.get_ident().map(ToString::to_string);
        let is_known = name.is_some_and(|name| BOTH_WAYS.contains(&name.as_str()));
        found |= !is_known || meta.input.peek(syn::token::Paren);
        skip(&meta)
    });
    found || read.is_err()
}
