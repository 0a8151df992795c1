//! What is known of a parsed file: owned facts with byte ranges, nothing of syn.

use std::ops::Range;
use std::sync::Arc;

use super::body::LazyBody;
use crate::note::Place;
use crate::workspace::SourceFile;

/// The facts of one file.
#[derive(Debug)]
pub struct FileFacts {
    /// The file that was parsed.
    pub file: Arc<SourceFile>,
    /// Enum definitions, those in inline modules included.
    pub enums: Vec<EnumFact>,
    /// Structs with named fields.
    pub structs: Vec<StructFact>,
    /// Functions and methods.
    pub functions: Vec<FnFact>,
    /// `impl` blocks.
    pub impls: Vec<ImplFact>,
    /// `match` expressions over the enum, or over string literals.
    pub matches: Vec<MatchFact>,
    /// Leaves of `use` declarations.
    pub uses: Vec<UseFact>,
    /// Type aliases: the new name, and the path it stands for.
    pub aliases: Vec<(String, String)>,
    /// `mod name;` and `mod name { … }` declarations.
    pub modules: Vec<ModFact>,
    /// `matches!(value, "a" | "b")` with string patterns.
    pub string_sets: Vec<StringSetFact>,
    /// Top-level items in order.
    pub items: Vec<ItemFact>,
    /// Matches over the enum that the tool does not edit, with the reason.
    pub opaque: Vec<(Range<usize>, &'static str)>,
    /// Insides of function bodies that were not looked into.
    pub unread: Vec<Range<usize>>,
    /// The tokens of macros, delimiters included.
    pub macros: Vec<Range<usize>>,
}

impl FileFacts {
    /// The import that says what `name` means at an offset, and the names of the inline modules in
    /// which that import counts, or where nothing imports the name.
    ///
    /// An import counts in its own module and, inside of a function, in that function.
    #[must_use]
    pub fn import_at(&self, name: &str, at: usize) -> (Option<&UseFact>, Vec<&str>) {
        let around = |at: usize| {
            let inline = self.modules.iter().filter(|module| module.is_inline);
            let mut around: Vec<&ModFact> = inline.filter(|of| of.range.contains(&at)).collect();
            around.sort_by_key(|module| module.range.start);
            around
        };
        let functions = |at: usize| {
            let ranges = self.functions.iter().map(|function| &function.range);
            ranges.filter(move |range| range.contains(&at))
        };
        let mut modules = around(at);
        loop {
            let names = modules.iter().map(|module| module.name.as_str()).collect();
            let visible = || {
                self.uses.iter().filter(|import| {
                    let from = import.range.start;
                    let starts = |of: &[&ModFact]| -> Vec<usize> {
                        of.iter().map(|module| module.range.start).collect()
                    };
                    starts(&around(from)) == starts(&modules)
                        && functions(from).all(|range| range.contains(&at))
                })
            };
            // The nearest one is in the most functions.
            let import = visible()
                .filter(|import| import.name == name)
                .max_by_key(|import| functions(import.range.start).count());
            let is_above = match import {
                Some(import) => import.path.strip_prefix("super::") == Some(name),
                None => visible().any(|import| import.name == "*" && import.path == "super"),
            };
            if !is_above || modules.pop().is_none() {
                return (import, names);
            }
        }
    }

    /// The place of `range` in this file.
    #[must_use]
    pub fn place(&self, range: &Range<usize>) -> Place {
        self.file.place(range)
    }

    /// The text of `range`.
    #[must_use]
    pub fn text(&self, range: &Range<usize>) -> &str {
        &self.file.text[range.clone()]
    }

    /// The row of the sea-orm entity that this file is.
    #[must_use]
    pub fn model(&self) -> Option<&StructFact> {
        self.structs.iter().find(|s| s.name == "Model")
    }
}

/// An enum definition.
#[derive(Debug, Clone)]
pub struct EnumFact {
    /// Its name.
    pub name: String,
    /// The name itself.
    pub name_range: Range<usize>,
    /// Offset just after `{`.
    pub open: usize,
    /// Offset of `}`.
    pub close: usize,
    /// Serde attributes on the enum.
    pub serde: SerdeFact,
    /// Names in its derives.
    pub derives: Vec<String>,
    /// Its variants in order.
    pub variants: Vec<VariantFact>,
    /// Inline modules around it, outermost first.
    pub module: Vec<String>,
    /// Whether it has generic parameters.
    pub is_generic: bool,
}

/// One variant.
#[derive(Debug, Clone)]
pub struct VariantFact {
    /// Its name, without `r#`.
    pub name: String,
    /// From the first attribute to the end of the fields.
    pub range: Range<usize>,
    /// The name itself.
    pub name_range: Range<usize>,
    /// End of the comma after it, if there is one.
    pub comma: Option<usize>,
    /// Named fields; `None` for a tuple variant.
    pub fields: Option<Vec<FieldFact>>,
    /// Types of a tuple variant, as tokens.
    pub tuple: Vec<String>,
    /// Serde attributes on it.
    pub serde: SerdeFact,
    /// Whether it stands under `#[cfg]`.
    pub is_cfg: bool,
    /// Whether it has no braces either.
    pub is_unit: bool,
    /// What about it only a variant without fields may have.
    pub unit_only: Option<&'static str>,
}

/// A named field.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct FieldFact {
    /// Its name, without `r#`.
    pub name: String,
    /// Its type, as tokens with single spaces.
    pub ty: String,
    /// From `pub` or the name to the end of the type.
    pub range: Range<usize>,
    /// Attributes, as tokens.
    pub attributes: Vec<String>,
    /// What those of serde say.
    pub serde: FieldSerde,
    /// Whether it is `pub`.
    pub is_pub: bool,
}

/// What serde attributes of a field say, as far as the wire form depends on it.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct FieldSerde {
    /// `rename = "…"`, or its `serialize` part.
    pub rename: Option<String>,
    /// `alias = "…"`, and the `deserialize` part of a rename.
    pub aliases: Vec<String>,
    /// `default`, or the function that it names.
    pub default: Option<String>,
    /// `skip_serializing_if = "…"`.
    pub omitted: Option<String>,
    /// `skip` or `skip_deserializing`: it is never read.
    pub is_skipped: bool,
    /// `flatten`.
    pub is_flat: bool,
    /// `with` or `deserialize_with`: an `Option` that is missing is then an error too.
    pub has_reader: bool,
}

/// What serde attributes say, as far as the wire form depends on it.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct SerdeFact {
    /// `tag = "…"`.
    pub tag: Option<String>,
    /// `content = "…"`.
    pub content: Option<String>,
    /// `rename_all = "…"`, or its `serialize` part.
    pub rename_all: Option<String>,
    /// `rename_all_fields = "…"`.
    pub rename_all_fields: Option<String>,
    /// `rename = "…"`, or its `serialize` part.
    pub rename: Option<String>,
    /// `alias = "…"`, and the `deserialize` part of a rename.
    pub aliases: Vec<String>,
    /// `untagged`.
    pub untagged: bool,
    /// `other`.
    pub other: bool,
}

/// A struct with named fields.
#[derive(Debug, Clone)]
pub struct StructFact {
    /// Its name.
    pub name: String,
    /// The name itself.
    pub name_range: Range<usize>,
    /// Names in its derives.
    pub derives: Vec<String>,
    /// Its fields.
    pub fields: Vec<FieldFact>,
    /// `table_name` of a `#[sea_orm(…)]` attribute.
    pub table_name: Option<String>,
}

/// A function or method.
#[derive(Debug, Clone)]
pub struct FnFact {
    /// Its name.
    pub name: String,
    /// The name itself.
    pub name_range: Range<usize>,
    /// From the first attribute to the closing brace.
    pub range: Range<usize>,
    /// Parameters that are not `self`: name and type as tokens.
    pub params: Vec<(String, String)>,
    /// Whether it takes `self`.
    pub has_self: bool,
    /// The type after `->`, as tokens; empty for none.
    pub output: String,
    /// Whether it is `async`.
    pub is_async: bool,
    /// Whether it is `const`.
    pub is_const: bool,
    /// Whether it is `pub` without restriction.
    pub is_pub: bool,
    /// Whether it is compiled for tests only.
    pub is_test: bool,
    /// Inline modules around it.
    pub module: Vec<String>,
    /// Index of the `impl` in [`FileFacts::impls`] that it stands in.
    pub in_impl: Option<usize>,
    /// What stands in its body; [`FileFacts::body`] gives it.
    pub body: LazyBody,
}

/// A struct literal.
#[derive(Debug, Clone)]
pub struct ModelFact {
    /// The path as written, without spaces.
    pub path: String,
    /// Where it stands.
    pub range: Range<usize>,
    /// Fields and the texts of their values.
    pub fields: Vec<(String, String)>,
    /// Whether it ends in `..`.
    pub has_rest: bool,
}

/// An `impl` block.
#[derive(Debug, Clone)]
pub struct ImplFact {
    /// The type, as tokens.
    pub self_type: String,
    /// The trait's path without spaces, if it is a trait impl.
    pub trait_path: Option<String>,
    /// From the first attribute to the closing brace.
    pub range: Range<usize>,
    /// Whether it is compiled for tests only.
    pub is_test: bool,
}

/// A `match` expression.
#[derive(Debug, Clone)]
pub struct MatchFact {
    /// The whole expression.
    pub range: Range<usize>,
    /// The scrutinee, as written.
    pub scrutinee: String,
    /// Offset of the closing brace.
    pub close: usize,
    /// Its arms in order.
    pub arms: Vec<ArmFact>,
    /// Index of the function in [`FileFacts::functions`] that it stands in.
    pub in_fn: Option<usize>,
    /// Index of the `impl` in [`FileFacts::impls`] that it stands in.
    pub in_impl: Option<usize>,
    /// The macro in whose tokens it stands, `tokio::select` say.
    pub in_macro: Option<String>,
    /// Whether it is compiled for tests only.
    pub is_test: bool,
    /// Whether its value is a `&'static str` or such: the body of a function that gives a string.
    pub gives_string: bool,
    /// Whether it is evaluated at compile time: in a `const fn`, a constant or a static.
    pub is_const: bool,
}

/// One arm.
#[derive(Debug, Clone)]
pub struct ArmFact {
    /// From the first attribute to the end of the body.
    pub range: Range<usize>,
    /// The pattern.
    pub pattern: Pattern,
    /// The pattern's text range.
    pub pattern_range: Range<usize>,
    /// Whether it has a guard.
    pub has_guard: bool,
    /// The body.
    pub body: Range<usize>,
    /// End of the comma after it, if there is one.
    pub comma: Option<usize>,
}

/// A pattern, as far as exhaustiveness depends on it. References, parentheses and boxes are gone.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Pattern {
    /// `_`.
    Wild,
    /// A name, perhaps with a sub-pattern: a binding or a unit variant.
    Name(String, Option<Box<Pattern>>),
    /// `a | b`.
    Or(Vec<Pattern>),
    /// `(a, b)`.
    Tuple(Vec<Pattern>),
    /// `Path(a, b)`.
    TupleStruct(String, Vec<Pattern>),
    /// `Path { field: a, .. }`.
    Struct(String, Vec<(String, Pattern)>),
    /// `Path::To::Unit`.
    Path(String),
    /// A string literal.
    Text(String),
    /// `..` inside a tuple.
    Rest,
    /// Anything else; refutable for all that is known.
    Other,
}

/// One leaf of a `use` declaration.
#[derive(Debug, Clone)]
pub struct UseFact {
    /// The path, `a::b::C`; for a glob without the star.
    pub path: String,
    /// The name it brings into scope; `*` for a glob.
    pub name: String,
    /// Whether it is `pub`.
    pub is_pub: bool,
    /// The whole declaration.
    pub range: Range<usize>,
    /// Whether it stands at the top level of the file.
    pub is_top: bool,
}

/// A module declaration.
#[derive(Debug, Clone)]
pub struct ModFact {
    /// The module's name.
    pub name: String,
    /// The whole item.
    pub range: Range<usize>,
    /// Whether it has a body here.
    pub is_inline: bool,
    /// Whether it is `pub`.
    pub is_pub: bool,
    /// The `#[path]` that it names.
    pub path: Option<String>,
    /// Whether it stands under `#[cfg(test)]`.
    pub is_test: bool,
}

/// `matches!(value, "a" | "b")`.
#[derive(Debug, Clone)]
pub struct StringSetFact {
    /// The function it is the whole body of.
    pub function: String,
    /// The strings.
    pub values: Vec<String>,
    /// The place.
    pub range: Range<usize>,
}

/// A top-level item, by a key that says what it is.
#[derive(Debug, Clone)]
pub struct ItemFact {
    /// `fn name`, `struct Name`, `impl Trait for Type`, `mod name`, `use …`.
    pub key: String,
    /// From the first attribute or doc comment to its end.
    pub range: Range<usize>,
    /// For a function: from its first keyword to its body.
    pub signature: Option<Range<usize>>,
    /// For `impl` and inline `mod`: the items inside, and the offset of the closing brace.
    pub inner: Vec<ItemFact>,
    /// Offset of the closing brace, where there are inner items.
    pub close: Option<usize>,
}
