//! The wire form of a variant: what of it stands in a row of the queue.

use serde::{Deserialize, Serialize};

use crate::index::{EnumFact, FieldFact, VariantFact};
use crate::landmarks::{SpecEnum, field_case};

/// What of a variant stands in a row.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct WireForm {
    /// The variant's name.
    pub variant: String,
    /// The tag that it is written with.
    pub tag: String,
    /// Further tags that it is read from.
    pub aliases: Vec<String>,
    /// How the tag goes with the fields.
    pub tagged: Tagged,
    /// Whether it has named fields.
    pub shape: Shape,
    /// Its fields, in the order of the enum.
    pub fields: Vec<WireField>,
}

/// How the tag goes with the fields: `{key: TAG, …}`, `{key: TAG, content: {…}}`, or `{TAG: {…}}`
/// where there is neither.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Tagged {
    /// The key of the tag.
    pub key: Option<String>,
    /// The key of the fields.
    pub content: Option<String>,
}

/// The shape of a variant.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Shape {
    /// Named fields.
    Struct,
    /// No fields, and no braces.
    Unit,
    /// Fields without names.
    Tuple,
}

/// A field as it stands in a row.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct WireField {
    /// The key; of a tuple the position.
    pub name: String,
    /// Further keys that it is read from.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub aliases: Vec<String>,
    /// Its type, as written, without white space that says nothing.
    #[serde(rename = "type")]
    pub ty: String,
    /// Whether a row without it does not decode.
    pub mandatory: bool,
    /// What gives its value where a row lacks it.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub default: Option<String>,
    /// What says that it is left out of a row.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub omitted: Option<String>,
    /// Whether its own fields stand in its place.
    #[serde(default, skip_serializing_if = "std::ops::Not::not")]
    pub flat: bool,
}

impl WireForm {
    /// The wire form of a variant that stands.
    #[must_use]
    pub fn of(spec: &SpecEnum, variant: &VariantFact) -> Self {
        let mut aliases = spec.tags(variant);
        let tag = aliases.remove(0);
        let rule = field_rule(&spec.fact, variant);
        let shape = match (&variant.fields, variant.is_unit) {
            (_, true) => Shape::Unit,
            (Some(_), false) => Shape::Struct,
            (None, false) => Shape::Tuple,
        };
        let fields = match &variant.fields {
            Some(fields) => {
                let read = fields.iter().filter(|field| !field.serde.is_skipped);
                read.map(|field| WireField::of(field, rule)).collect()
            }
            None => {
                let types = variant.tuple.iter().enumerate();
                types.map(|(at, ty)| WireField::at(at, ty)).collect()
            }
        };
        Self {
            variant: variant.name.clone(),
            tag,
            aliases,
            tagged: Tagged::of(&spec.fact),
            shape,
            fields,
        }
    }

    /// Every tag that it is read from, the one it is written with first.
    pub fn tags(&self) -> impl Iterator<Item = &str> {
        std::iter::once(&self.tag)
            .chain(&self.aliases)
            .map(String::as_str)
    }

    /// Whether both say the same of rows: named fields have no order there.
    #[must_use]
    pub fn is_same(&self, other: &Self) -> bool {
        let sorted = |form: &Self| {
            let mut form = form.clone();
            form.aliases.sort();
            if form.shape == Shape::Struct {
                form.fields.sort_by(|a, b| a.name.cmp(&b.name));
            }
            form
        };
        sorted(self) == sorted(other)
    }
}

impl Tagged {
    /// That of the enum.
    #[must_use]
    pub fn of(fact: &EnumFact) -> Self {
        Self {
            key: fact.serde.tag.clone(),
            content: fact.serde.content.clone(),
        }
    }
}

/// The rule by which the fields of a variant are renamed.
#[must_use]
pub fn field_rule<'a>(fact: &'a EnumFact, variant: &'a VariantFact) -> Option<&'a str> {
    let own = variant.serde.rename_all.as_deref();
    own.or(fact.serde.rename_all_fields.as_deref())
}

impl WireField {
    /// A field of a variant.
    fn of(field: &FieldFact, rule: Option<&str>) -> Self {
        let serde = &field.serde;
        let name = serde.rename.clone();
        let is_option = last(&field.ty).starts_with("Option<");
        let is_optional = is_option && !serde.has_reader;
        Self {
            name: name.unwrap_or_else(|| field_case(rule, &field.name)),
            aliases: serde.aliases.clone(),
            ty: compact(&field.ty),
            mandatory: !is_optional && serde.default.is_none() && !serde.is_flat,
            default: serde.default.clone(),
            omitted: serde.omitted.clone(),
            flat: serde.is_flat,
        }
    }

    /// The field at a position of a tuple variant.
    fn at(at: usize, ty: &str) -> Self {
        Self::new(at.to_string(), ty)
    }

    /// A field that the tool itself writes: mandatory, unless it is an `Option`.
    #[must_use]
    pub fn new(name: String, ty: &str) -> Self {
        Self {
            name,
            aliases: Vec::new(),
            ty: compact(ty),
            mandatory: true,
            default: None,
            omitted: None,
            flat: false,
        }
    }

    /// Every key that it is read from.
    pub fn keys(&self) -> impl Iterator<Item = &str> {
        std::iter::once(&self.name)
            .chain(&self.aliases)
            .map(String::as_str)
    }
}

/// The last segment of a type's path, with its arguments: `std::option::Option<T>` is `Option<T>`.
#[must_use]
pub fn last(ty: &str) -> &str {
    let head = ty.find('<').unwrap_or(ty.len());
    ty[..head].rfind("::").map_or(ty, |at| &ty[at + 2..])
}

/// A type without white space, but for that between two words.
fn compact(ty: &str) -> String {
    let is_word = |c: char| c.is_alphanumeric() || c == '_';
    let mut out = String::with_capacity(ty.len());
    for word in ty.split_whitespace() {
        if out.ends_with(is_word) && word.starts_with(is_word) {
            out.push(' ');
        }
        out.push_str(word);
    }
    out
}

#[cfg(test)]
mod tests {
    use super::{compact, last};

    #[test]
    fn types_are_written_in_one_way() {
        assert_eq!(compact("Option < Vec<String> >"), "Option<Vec<String>>");
        assert_eq!(compact("Box<dyn Any + Send>"), "Box<dyn Any+Send>");
        assert_eq!(last("std::option::Option<a::B>"), "Option<a::B>");
        assert_eq!(last("uuid::Uuid"), "Uuid");
    }
}
