//! The types that the user typed: where they come from, how they are written in each file.
//!
//! A type is taken as it stands where the enum's file has its name in scope; else from std;
//! else from the one path under which the workspace imports that name. Anything else is
//! refused with the candidates, because a wrong guess would compile into a wrong wire form.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;

use memchr::memmem;
use quote::ToTokens;
use syn::visit::Visit;
use syn::visit_mut::VisitMut;

use crate::index::{FileFacts, Index, derivable, whole_words};
use crate::landmarks::SpecEnum;
use crate::note::{Outcome, Refusal};
use crate::request::Field;

/// A field's type with the absolute path of every name in it.
#[derive(Debug, Clone)]
pub struct ResolvedType {
    /// The type as the user typed it.
    pub ty: syn::Type,
    /// Absolute path by name as typed; names of the prelude are not in it.
    pub paths: BTreeMap<String, String>,
    /// Names that the enum's file has in scope.
    pub in_scope: BTreeSet<String>,
}

/// Names of std that may be typed without a path.
const STD: [(&str, &str); 12] = [
    ("PathBuf", "std::path::PathBuf"),
    ("OsString", "std::ffi::OsString"),
    ("Duration", "std::time::Duration"),
    ("SystemTime", "std::time::SystemTime"),
    ("HashMap", "std::collections::HashMap"),
    ("BTreeMap", "std::collections::BTreeMap"),
    ("HashSet", "std::collections::HashSet"),
    ("BTreeSet", "std::collections::BTreeSet"),
    ("VecDeque", "std::collections::VecDeque"),
    ("IpAddr", "std::net::IpAddr"),
    ("SocketAddr", "std::net::SocketAddr"),
    ("NonZeroU32", "std::num::NonZeroU32"),
];

/// Names that are in scope everywhere.
const PRELUDE: [&str; 22] = [
    "String", "Vec", "Option", "Box", "Result", "bool", "char", "i8", "i16", "i32", "i64", "i128",
    "isize", "u8", "u16", "u32", "u64", "u128", "usize", "f32", "f64", "str",
];

/// Resolves the type of every field.
pub fn resolve(index: &Index<'_>, spec: &SpecEnum, fields: &[Field]) -> Outcome<Vec<ResolvedType>> {
    fields
        .iter()
        .map(|field| resolve_one(index, spec, field))
        .collect()
}

fn resolve_one(index: &Index<'_>, spec: &SpecEnum, field: &Field) -> Outcome<ResolvedType> {
    struct Names(BTreeSet<String>);
    impl<'a> Visit<'a> for Names {
        fn visit_type_path(&mut self, path: &'a syn::TypePath) {
            let segments: Vec<String> = path
                .path
                .segments
                .iter()
                .map(|s| s.ident.to_string())
                .collect();
            self.0.insert(segments.join("::"));
            syn::visit::visit_type_path(self, path);
        }
    }
    let mut names = Names(BTreeSet::new());
    names.visit_type(&field.ty);
    let mut resolved = ResolvedType {
        ty: field.ty.clone(),
        paths: BTreeMap::new(),
        in_scope: BTreeSet::new(),
    };
    for name in names.0 {
        if PRELUDE.contains(&name.as_str()) {
            continue;
        }
        let head = name.split("::").next().unwrap_or(&name);
        let facts = &spec.facts;
        let defined = facts.structs.iter().any(|s| s.name == head)
            || facts.enums.iter().any(|e| e.name == head)
            || facts.aliases.iter().any(|(alias, _)| alias == head)
            || facts.uses.iter().any(|u| u.name == head && u.is_top);
        let path = if defined {
            resolved.in_scope.insert(name.clone());
            index.resolve(facts, &name)
        } else if let Some((_, path)) = STD.iter().find(|(known, _)| *known == name) {
            Some((*path).to_owned())
        } else if name.contains("::") {
            written_path(index, spec, &name, field)?
        } else {
            Some(imported(index, &name, field)?)
        };
        let path = path.ok_or_else(|| unknown_type(&name, field))?;
        check_reached(index, spec, &path, field)?;
        resolved.paths.insert(name, path);
    }
    Ok(resolved)
}

fn unknown_type(name: &str, field: &Field) -> Refusal {
    Refusal::new(
        "field-type",
        format!(
            "cannot find the type `{name}` of the field `{}`",
            field.name
        ),
    )
    .help("give its path, `some_crate::module::Name`, or import it in the enum's file")
}

/// The absolute path of a type that was typed with one.
///
/// A path into the workspace must lead to a type; `crate` is the enum's. Any other is taken
/// as it is, with the dependency that it needs.
fn written_path(
    index: &Index<'_>,
    spec: &SpecEnum,
    name: &str,
    field: &Field,
) -> Outcome<Option<String>> {
    let head = name.split("::").next().unwrap_or(name);
    let relative = matches!(head, "crate" | "self" | "super");
    let inner = index
        .workspace
        .members
        .iter()
        .any(|m| m.crate_name() == head);
    if PRELUDE.contains(&head) {
        return Err(unknown_type(name, field));
    }
    if !relative && !inner {
        return Ok(Some(name.to_owned()));
    }
    let path = if relative {
        index.resolve(&spec.facts, name)
    } else {
        Some(name.to_owned())
    };
    let known = match &path {
        Some(path) => index.definition(path)?.is_some(),
        None => false,
    };
    if known {
        Ok(path)
    } else {
        Err(unknown_type(name, field))
    }
}

/// Refuses a type whose crate the enum's may not depend on, and the enum in itself.
fn check_reached(index: &Index<'_>, spec: &SpecEnum, path: &str, field: &Field) -> Outcome<()> {
    let Some(facts) = index.definition(path)? else {
        return Ok(());
    };
    let name = path.rsplit("::").next().unwrap_or(path);
    let Some(found) = derivable(&facts.file, name)? else {
        return Ok(());
    };
    let range = &found.name_range;
    if Arc::ptr_eq(&facts.file, &spec.facts.file) && name == spec.fact.name {
        let ty = field.ty.to_token_stream().to_string();
        if !["Box", "Vec", "Map"]
            .iter()
            .any(|holder| ty.contains(holder))
        {
            return Err(Refusal::new(
                "field-type",
                format!(
                    "the field `{}` would hold `{name}` in itself, without end",
                    field.name
                ),
            )
            .at(facts.place(range))
            .help(format!("put it in a box: {}:Box<{name}>", field.name)));
        }
        return Ok(());
    }
    let workspace = index.workspace;
    let from = workspace.member(&spec.package);
    let to = workspace.member_of(&facts.file.path);
    if let (Some(from), Some(to)) = (from, to)
        && from.name != to.name
    {
        workspace
            .check_cycle(from, to)
            .map_err(|e| e.at(facts.place(range)))?;
    }
    // A path by a re-export is public where it leads.
    let module = index.module_of(&facts.file.path);
    let module = module.filter(|module| path == format!("{module}::{name}"));
    let reached = module.map(|module| index.public_path(&module, name));
    if !found.is_pub || reached.transpose()?.is_some_and(|of| of.is_none()) {
        let message = format!(
            "`{path}`, the type of the field `{}`, is private: generated code could not name it",
            field.name
        );
        return Err(Refusal::new("field-type", message)
            .at(facts.place(range))
            .help("make it `pub`, with the modules on its way, or carry what identifies it"));
    }
    Ok(())
}

/// The one absolute path under which the workspace knows `name`.
fn imported(index: &Index<'_>, name: &str, field: &Field) -> Outcome<String> {
    let mut candidates = BTreeSet::new();
    for path in index.containing(name) {
        let text = &index.workspace.files[&path].text;
        let mut found: BTreeSet<&str> = BTreeSet::new();
        for at in memmem::find_iter(text.as_bytes(), name) {
            let before = &text[..at];
            let public = |keyword: &&str| before.ends_with(&format!("pub {keyword} "));
            found.extend(["struct", "enum", "type"].iter().find(|k| public(k)));
        }
        for keyword in found {
            let key = format!("{keyword} {name}");
            let facts = index.facts(&path)?;
            let defines = facts.items.iter().any(|item| item.key == key);
            if let (true, Some(module)) = (defines, index.module_of(&path)) {
                candidates.extend(index.public_path(&module, name)?);
            }
        }
    }
    if candidates.is_empty() {
        candidates = external(index, name);
    }
    if candidates.len() == 1 {
        return Ok(candidates.into_iter().next().unwrap_or_default());
    }
    let known: Vec<&str> = candidates.iter().map(String::as_str).collect();
    let refusal = if known.is_empty() {
        unknown_type(name, field)
    } else {
        Refusal::new(
            "field-type",
            format!(
                "`{name}`, the type of the field `{}`, may be any of: {}",
                field.name,
                known.join(", ")
            ),
        )
        .help(format!("give the path: {}:{}", field.name, known[0]))
    };
    Err(refusal)
}

/// Paths under which `use` declarations of the workspace import `name` from other crates.
///
/// Only the declarations are parsed, one by one: the files need not be.
fn external(index: &Index<'_>, name: &str) -> BTreeSet<String> {
    let mut candidates = BTreeSet::new();
    // A hundred files have the same declaration.
    let mut known: BTreeMap<&str, Vec<String>> = BTreeMap::new();
    let wanted = format!("::{name}");
    for path in index.containing(name) {
        let Some(member) = index.workspace.member_of(&path) else {
            continue;
        };
        let text = &index.workspace.files[&path].text;
        let mut done = 0;
        for at in whole_words(text, name) {
            let Some((start, end)) = declaration_around(text, at).filter(|_| at >= done) else {
                continue;
            };
            done = end;
            let leaves = known.entry(&text[start..end]).or_insert_with_key(|text| {
                let mut leaves = Vec::new();
                if let Ok(item) = syn::parse_str::<syn::ItemUse>(text) {
                    collect(&item.tree, "", &mut leaves);
                }
                leaves.retain(|leaf| leaf.ends_with(&wanted));
                leaves
            });
            for leaf in leaves {
                let head = leaf.split("::").next().unwrap_or(leaf);
                let is_dependency =
                    head == "std" || member.dependencies.iter().any(|d| d.crate_name() == head);
                let is_member = index
                    .workspace
                    .members
                    .iter()
                    .any(|m| m.crate_name() == head);
                if is_dependency && !is_member {
                    candidates.insert(leaf.clone());
                }
            }
        }
    }
    candidates
}

/// From `use` to the semicolon of the declaration that `at` stands in, if it does.
fn declaration_around(text: &str, at: usize) -> Option<(usize, usize)> {
    let before = text[..at].rfind([';', '=', '(']).map_or(0, |n| n + 1);
    let start = before + text[before..at].rfind("use ")?;
    let line = text[..start].rfind('\n').map_or(0, |n| n + 1);
    let starts_line = matches!(
        text[line..start].trim(),
        "" | "pub" | "pub(crate)" | "pub(super)"
    );
    let end = at + text[at..].find(';')? + 1;
    starts_line.then_some((start, end))
}

fn collect(tree: &syn::UseTree, prefix: &str, out: &mut Vec<String>) {
    let join = |name: &syn::Ident| {
        if prefix.is_empty() {
            name.to_string()
        } else {
            format!("{prefix}::{name}")
        }
    };
    match tree {
        syn::UseTree::Path(path) => collect(&path.tree, &join(&path.ident), out),
        syn::UseTree::Name(name) => out.push(join(&name.ident)),
        syn::UseTree::Rename(rename) => out.push(join(&rename.ident)),
        syn::UseTree::Glob(_) => {}
        syn::UseTree::Group(group) => {
            for tree in &group.items {
                collect(tree, prefix, out);
            }
        }
    }
}

impl ResolvedType {
    /// The type as it is written in the enum's file: short where the name is in scope, else
    /// with its path.
    #[must_use]
    pub fn in_enum(&self, krate: &str) -> String {
        self.written(&|name, path| {
            if self.in_scope.contains(name) {
                name.to_owned()
            } else {
                within(krate, path)
            }
        })
    }

    /// The type as it is written in a module of the crate `krate` that imports the paths of
    /// `imported`: short where that does, else with its path.
    #[must_use]
    pub fn in_module(&self, krate: &str, imported: &BTreeSet<String>) -> String {
        self.written(&|_, path| {
            let short = path.rsplit("::").next().unwrap_or(path);
            if imported.contains(path) {
                short.to_owned()
            } else {
                within(krate, path)
            }
        })
    }

    /// The type with every name short; [`ResolvedType::imports`] says what to import for it.
    #[must_use]
    pub fn short(&self) -> String {
        self.written(&|_, path| path.rsplit("::").next().unwrap_or(path).to_owned())
    }

    /// What a module of another crate imports to write the type short.
    #[must_use]
    pub fn imports(&self) -> BTreeSet<String> {
        self.paths.values().cloned().collect()
    }

    fn written(&self, name_of: &dyn Fn(&str, &str) -> String) -> String {
        struct Rename<'a> {
            paths: &'a BTreeMap<String, String>,
            name_of: &'a dyn Fn(&str, &str) -> String,
        }
        impl VisitMut for Rename<'_> {
            fn visit_type_path_mut(&mut self, path: &mut syn::TypePath) {
                syn::visit_mut::visit_type_path_mut(self, path);
                let name: Vec<String> = path
                    .path
                    .segments
                    .iter()
                    .map(|s| s.ident.to_string())
                    .collect();
                let name = name.join("::");
                let Some(absolute) = self.paths.get(&name) else {
                    return;
                };
                let written = (self.name_of)(&name, absolute);
                if let (Ok(mut new), Some(last)) = (
                    syn::parse_str::<syn::Path>(&written),
                    path.path.segments.last(),
                ) {
                    if let Some(segment) = new.segments.last_mut() {
                        segment.arguments = last.arguments.clone();
                    }
                    path.path = new;
                }
            }
        }
        let mut ty = self.ty.clone();
        Rename {
            paths: &self.paths,
            name_of,
        }
        .visit_type_mut(&mut ty);
        pretty(&ty)
    }
}

/// `path` as it is written inside the crate `krate`.
#[must_use]
pub fn within(krate: &str, path: &str) -> String {
    match path
        .strip_prefix(krate)
        .and_then(|rest| rest.strip_prefix("::"))
    {
        Some(rest) => format!("crate::{rest}"),
        None => path.to_owned(),
    }
}

/// The type with the spacing that rustfmt gives it.
#[must_use]
pub fn pretty(ty: &syn::Type) -> String {
    let file: syn::File = syn::parse_quote! { type X = #ty; };
    let text = prettyplease::unparse(&file);
    text.trim()
        .strip_prefix("type X = ")
        .and_then(|rest| rest.strip_suffix(';'))
        .map_or_else(|| ty.to_token_stream().to_string(), str::to_owned)
}

/// Types that are `Copy` whatever else is known: what their values are cloned with.
const COPY: [&str; 21] = [
    "bool",
    "char",
    "i8",
    "i16",
    "i32",
    "i64",
    "i128",
    "isize",
    "u8",
    "u16",
    "u32",
    "u64",
    "u128",
    "usize",
    "f32",
    "f64",
    "Uuid",
    "Duration",
    "SystemTime",
    "IpAddr",
    "SocketAddr",
];

/// Whether a type is known to be `Copy`, known not to be, or neither.
///
/// `unknown` says it of a type that is not of std, by its path as written.
#[must_use]
pub fn is_copy(ty: &syn::Type, unknown: &dyn Fn(&str) -> Option<bool>) -> Option<bool> {
    let is_copy = |ty: &syn::Type| is_copy(ty, unknown);
    match ty {
        syn::Type::Tuple(tuple) => all(tuple.elems.iter().map(is_copy)),
        syn::Type::Array(array) => is_copy(&array.elem),
        syn::Type::Path(path) => {
            let last = path.path.segments.last()?;
            let name = last.ident.to_string();
            if COPY.contains(&name.as_str()) {
                return Some(true);
            }
            if matches!(
                name.as_str(),
                "String"
                    | "Vec"
                    | "Box"
                    | "PathBuf"
                    | "OsString"
                    | "HashMap"
                    | "BTreeMap"
                    | "HashSet"
                    | "BTreeSet"
                    | "VecDeque"
                    | "Value"
            ) {
                return Some(false);
            }
            match (&last.arguments, name.as_str()) {
                (syn::PathArguments::AngleBracketed(args), "Option") => {
                    all(args.args.iter().map(|arg| match arg {
                        syn::GenericArgument::Type(ty) => is_copy(ty),
                        _ => None,
                    }))
                }
                _ => {
                    let segments: Vec<String> = path
                        .path
                        .segments
                        .iter()
                        .map(|s| s.ident.to_string())
                        .collect();
                    unknown(&segments.join("::"))
                }
            }
        }
        _ => None,
    }
}

fn all(parts: impl Iterator<Item = Option<bool>>) -> Option<bool> {
    let parts: Vec<Option<bool>> = parts.collect();
    if parts.contains(&Some(false)) {
        Some(false)
    } else if parts.contains(&None) {
        None
    } else {
        Some(true)
    }
}

/// The expression that gives the value behind a reference called `name`, where `copies` says
/// whether its type is `Copy`.
#[must_use]
pub fn cloned(copies: Option<bool>, name: &str) -> String {
    match copies {
        Some(true) => format!("*{name}"),
        Some(false) => format!("{name}.clone()"),
        None => format!("Clone::clone({name})"),
    }
}

/// Two different values of the type for tests; the second is `None` where none is known.
///
/// `unknown` gives a value of a type that is not of std, by its path as written.
#[must_use]
pub fn samples(
    ty: &syn::Type,
    name: &str,
    unknown: &dyn Fn(&str) -> Option<String>,
) -> (String, Option<String>) {
    let pair = |a: &str, b: &str| (a.to_owned(), Some(b.to_owned()));
    let default = || ("Default::default()".to_owned(), None);
    let samples = |ty: &syn::Type, name: &str| samples(ty, name, unknown);
    match ty {
        syn::Type::Tuple(tuple) => {
            let parts: Vec<String> = tuple.elems.iter().map(|ty| samples(ty, name).0).collect();
            match parts.as_slice() {
                [one] => (format!("({one},)"), None),
                _ => (format!("({})", parts.join(", ")), None),
            }
        }
        syn::Type::Path(path) => {
            let Some(last) = path.path.segments.last() else {
                return default();
            };
            match last.ident.to_string().as_str() {
                "String" => (
                    format!("{name:?}.to_owned()"),
                    Some("\"other\".to_owned()".to_owned()),
                ),
                "PathBuf" => (
                    format!("PathBuf::from({name:?})"),
                    Some("PathBuf::from(\"other\")".to_owned()),
                ),
                "bool" => pair("true", "false"),
                "char" => pair("'a'", "'b'"),
                "f32" | "f64" => pair("1.5", "2.5"),
                "i8" | "i16" | "i32" | "i64" | "i128" | "isize" | "u8" | "u16" | "u32" | "u64"
                | "u128" | "usize" => pair("1", "2"),
                "Uuid" => pair("Uuid::from_u128(1)", "Uuid::from_u128(2)"),
                "Duration" => pair("Duration::from_secs(1)", "Duration::from_secs(2)"),
                "Value" => (
                    format!("serde_json::json!({name:?})"),
                    Some("serde_json::json!(\"other\")".to_owned()),
                ),
                "Vec" => {
                    let (sample, _) = argument(last).map_or_else(default, |ty| samples(ty, name));
                    (format!("vec![{sample}]"), Some("Vec::new()".to_owned()))
                }
                "Option" => {
                    let (sample, _) = argument(last).map_or_else(default, |ty| samples(ty, name));
                    (format!("Some({sample})"), Some("None".to_owned()))
                }
                "Box" => {
                    let (sample, other) =
                        argument(last).map_or_else(default, |ty| samples(ty, name));
                    (
                        format!("Box::new({sample})"),
                        other.map(|other| format!("Box::new({other})")),
                    )
                }
                _ => {
                    let segments: Vec<String> = path
                        .path
                        .segments
                        .iter()
                        .map(|s| s.ident.to_string())
                        .collect();
                    unknown(&segments.join("::")).map_or_else(default, |value| (value, None))
                }
            }
        }
        _ => default(),
    }
}

/// A value of a type of the workspace: its default, a literal of its public fields, or its
/// first variant. `path` is absolute.
///
/// Refuses a type of which no value can be written down outside its module.
pub fn workspace_sample(index: &Index<'_>, path: &str, krate: &str) -> Outcome<Option<String>> {
    let Some(facts) = index.definition(path)? else {
        return Ok(None);
    };
    let name = path.rsplit("::").next().unwrap_or(path);
    let written = within(krate, path);
    let value = |name: &str, ty: &str| -> Outcome<Option<String>> {
        let Ok(ty) = syn::parse_str::<syn::Type>(ty) else {
            return Ok(None);
        };
        let refused = std::cell::RefCell::new(None);
        let unknown = |name: &str| {
            let path = index.resolve(&facts, name)?;
            workspace_sample(index, &path, krate).unwrap_or_else(|e| {
                *refused.borrow_mut() = Some(e);
                None
            })
        };
        let (value, _) = samples(&ty, name, &unknown);
        match refused.into_inner() {
            Some(refusal) => Err(refusal),
            None => Ok(Some(without_imports(&value))),
        }
    };
    let nested = |fields: &[crate::index::FieldFact]| -> Outcome<Option<String>> {
        let mut out = Vec::new();
        for field in fields {
            let Some(value) = value(&field.name, &field.ty)? else {
                return Ok(None);
            };
            out.push(format!("{}: {value}", crate::request::raw(&field.name)));
        }
        Ok(Some(if out.is_empty() {
            String::new()
        } else {
            format!(" {{ {} }}", out.join(", "))
        }))
    };
    let none = |range: &std::ops::Range<usize>| {
        Refusal::new(
            "field-type",
            format!("no value of `{name}` can be written down for the task's tests"),
        )
        .at(facts.place(range))
        .help(format!(
            "derive `Default` for `{name}`, or make its fields public"
        ))
    };
    if let Some(found) = facts.structs.iter().find(|s| s.name == name) {
        if found.derives.iter().any(|d| d == "Default") {
            return Ok(Some(format!("{written}::default()")));
        }
        if found.fields.iter().any(|f| !f.is_pub) {
            return Err(none(&found.name_range));
        }
        return Ok(nested(&found.fields)?.map(|fields| format!("{written}{fields}")));
    }
    let Some(found) = facts.enums.iter().find(|e| e.name == name) else {
        return plain_sample(&facts, name, &written, &none, &value);
    };
    if found.derives.iter().any(|d| d == "Default") {
        return Ok(Some(format!("{written}::default()")));
    }
    let first = found
        .variants
        .iter()
        .find_map(|v| Some((v, v.fields.as_ref()?)));
    let (variant, fields) = first.ok_or_else(|| none(&found.name_range))?;
    Ok(nested(fields)?.map(|fields| format!("{written}::{}{fields}", variant.name)))
}

/// A value of a struct without named fields.
fn plain_sample(
    facts: &FileFacts,
    name: &str,
    written: &str,
    none: &dyn Fn(&std::ops::Range<usize>) -> Refusal,
    value: &dyn Fn(&str, &str) -> Outcome<Option<String>>,
) -> Outcome<Option<String>> {
    let Some(found) = derivable(&facts.file, name)? else {
        return Ok(None);
    };
    if found.derives.iter().any(|d| d == "Default") {
        return Ok(Some(format!("{written}::default()")));
    }
    if found.fields.iter().any(|field| !field.is_pub) {
        return Err(none(&found.name_range));
    }
    let values = found.fields.iter().map(|field| value("value", &field.ty));
    let values: Option<Vec<String>> = values.collect::<Outcome<_>>()?;
    Ok(values.map(|values| match values.as_slice() {
        [] => written.to_owned(),
        values => format!("{written}({})", values.join(", ")),
    }))
}

/// A value inside of another one, whose types nothing imports.
fn without_imports(value: &str) -> String {
    if value.contains("::PathBuf::") {
        return value.to_owned();
    }
    value
        .replace("PathBuf::from(", "std::path::PathBuf::from(")
        .replace("Uuid::from_u128(1)", "Default::default()")
}

/// Whether a type of the workspace is `Copy`, by its derives; `None` for any other type.
pub fn workspace_copy(index: &Index<'_>, path: &str) -> Outcome<Option<bool>> {
    let name = path.rsplit("::").next().unwrap_or(path);
    let Some(facts) = index.definition(path)? else {
        return Ok(None);
    };
    let found = derivable(&facts.file, name)?;
    Ok(found.map(|of| of.derives.iter().any(|d| d == "Copy")))
}

fn argument(segment: &syn::PathSegment) -> Option<&syn::Type> {
    match &segment.arguments {
        syn::PathArguments::AngleBracketed(args) => args.args.iter().find_map(|arg| match arg {
            syn::GenericArgument::Type(ty) => Some(ty),
            _ => None,
        }),
        _ => None,
    }
}
