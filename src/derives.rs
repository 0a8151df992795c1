//! Derives that types of the workspace lack before a row of the queue can hold them.
//!
//! What the enum derives, each type in a variant needs. Where a type could derive it as well, with
//! all that it holds, that is an edit; where the source does not say so, it is a refusal.

use std::collections::BTreeSet;
use std::ops::Range;
use std::sync::Arc;

use crate::index::{DeriveSpot, FileFacts, Held, Index, derivable, tokens};
use crate::landmarks::SpecEnum;
use crate::note::{Outcome, Place, Refusal};
use crate::request::Field;
use crate::spawn::holds_secret;
use crate::types::ResolvedType;
use crate::workspace::{Manifest, Member};

/// A type with what it is to derive.
#[derive(Debug, Clone)]
pub struct Lacking {
    /// Its file.
    pub facts: Arc<FileFacts>,
    /// Its package.
    pub package: String,
    /// Its name.
    pub name: String,
    /// Where another derive goes.
    pub spot: DeriveSpot,
    /// What it lacks.
    pub traits: Vec<&'static str>,
    /// The same as it is written there.
    pub written: Vec<String>,
}

impl Lacking {
    /// Whether serde derives what it lacks.
    #[must_use]
    pub fn needs_serde(&self) -> bool {
        self.traits.iter().any(|of| is_serde(of))
    }
}

fn is_serde(name: &str) -> bool {
    matches!(name, "Serialize" | "Deserialize")
}

/// Traits that a type can be given: `Debug`, say, changes nothing that stands.
const GIVEN: [(&str, &str); 6] = [
    ("Debug", "std::fmt::Debug"),
    ("Clone", "std::clone::Clone"),
    ("PartialEq", "std::cmp::PartialEq"),
    ("Eq", "std::cmp::Eq"),
    ("Serialize", "serde::Serialize"),
    ("Deserialize", "serde::Deserialize"),
];

/// Types of std that have all of [`GIVEN`] where their arguments have it.
const PLAIN: [&str; 30] = [
    "String",
    "Vec",
    "Option",
    "Box",
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
    "PathBuf",
    "Duration",
    "SystemTime",
    "HashMap",
    "BTreeMap",
    "HashSet",
    "BTreeSet",
    "VecDeque",
    "IpAddr",
    "Ipv4Addr",
    "SocketAddr",
    "NonZeroU32",
];

/// Crates whose types have serde's traits by a feature, and every other of [`GIVEN`].
const BY_FEATURE: [&str; 4] = ["chrono", "rust_decimal", "url", "uuid"];

/// What every type of the fields lacks, each type once.
pub fn lacking(
    index: &Index<'_>,
    spec: &SpecEnum,
    fields: &[(Field, ResolvedType)],
) -> Outcome<Vec<Lacking>> {
    let needed: Vec<&str> = spec.fact.derives.iter().map(String::as_str).collect();
    let mut looker = Looker {
        index,
        spec,
        seen: BTreeSet::new(),
        found: Vec::new(),
    };
    for (field, ty) in fields {
        for path in ty.paths.values() {
            looker.at(path, &needed, &field.name)?;
        }
    }
    Ok(looker.found)
}

struct Looker<'a, 'w> {
    index: &'a Index<'w>,
    spec: &'a SpecEnum,
    /// Types that were looked at, each with a trait.
    seen: BTreeSet<(String, String, String)>,
    found: Vec<Lacking>,
}

impl Looker<'_, '_> {
    /// Looks at the type of an absolute path; one that is not of the workspace has what it has.
    fn at(&mut self, path: &str, needed: &[&str], field: &str) -> Outcome<()> {
        let Some(facts) = self.index.definition(path)? else {
            return Ok(());
        };
        let name = path.rsplit("::").next().unwrap_or(path);
        let is_spec =
            Arc::ptr_eq(&facts.file, &self.spec.facts.file) && name == self.spec.fact.name;
        if is_spec {
            return Ok(());
        }
        self.of(&facts, name, needed, field)
    }

    fn of(
        &mut self,
        facts: &Arc<FileFacts>,
        name: &str,
        needed: &[&str],
        field: &str,
    ) -> Outcome<()> {
        let Some(member) = self.index.workspace.member_of(&facts.file.path) else {
            return Ok(());
        };
        let Some(of) = derivable(&facts.file, name)? else {
            return Ok(());
        };
        let mut lacks = Vec::new();
        for needed in needed {
            let key = (
                facts.file.path.clone(),
                name.to_owned(),
                (*needed).to_owned(),
            );
            if !of.derives.iter().any(|derive| derive == needed)
                && self.seen.insert(key)
                && !self.is_by_hand(member, facts, name, needed)?
            {
                lacks.push(*needed);
            }
        }
        if lacks.is_empty() {
            return Ok(());
        }
        let lacked = lacks.join("`, `");
        let refuse = |place: Place, why: String| {
            let message = format!(
                "`{name}`, the type of the field `{field}`, does not implement `{lacked}`{why}"
            );
            Err(Refusal::new("field-type", message).at(place).help(format!(
                "`{}` derives it: let `{name}` have it too, or carry what identifies it",
                self.spec.fact.name
            )))
        };
        let at_name = facts.place(&of.name_range);
        let traits: Vec<&'static str> = lacks
            .iter()
            .filter_map(|lack| GIVEN.iter().find(|(given, _)| given == lack))
            .map(|(given, _)| *given)
            .collect();
        if traits.len() < lacks.len() {
            return refuse(at_name, String::new());
        }
        if let Some((range, why)) = &of.obstacle {
            return refuse(
                facts.place(range),
                format!(", and no derive is added: {why}"),
            );
        }
        let is_written = traits.iter().any(|of| is_serde(of));
        if let Some(range) = of.wire.as_ref().filter(|_| is_written) {
            let why = "whether this attribute means the same for reading and writing is not known";
            return refuse(
                facts.place(range),
                format!(", and no derive is added: {why}"),
            );
        }
        if is_written {
            let mut held = of.fields.iter();
            if let Some(secret) = held.find(|held| holds_secret(&held.name, &held.ty)) {
                let what = format!(
                    ", and no derive is added: `{}` is a secret, which nothing writes down",
                    secret.name
                );
                return refuse(facts.place(&secret.range), what);
            }
            self.check_serde(member, facts, &of.name_range)?;
        }
        for held in &of.fields {
            self.held(facts, held, &traits, name)?;
        }
        let imports = facts
            .uses
            .iter()
            .filter(|import| import.is_top && of.is_top);
        let imports: Vec<(&str, &str)> = imports
            .map(|import| (import.name.as_str(), import.path.as_str()))
            .collect();
        let written: Vec<String> = traits.iter().map(|name| written(name, &imports)).collect();
        let path = &facts.file.path;
        let is_it = |known: &&mut Lacking| known.name == name && known.facts.file.path == *path;
        if let Some(known) = self.found.iter_mut().find(is_it) {
            known.traits.extend(traits);
            known.written.extend(written);
            return Ok(());
        }
        self.found.push(Lacking {
            facts: Arc::clone(facts),
            package: member.name.clone(),
            name: name.to_owned(),
            spot: of.spot,
            written,
            traits,
        });
        Ok(())
    }

    /// Whether the type's crate implements the trait for it by hand, or by a macro for all that is
    /// known.
    fn is_by_hand(
        &self,
        member: &Member,
        facts: &FileFacts,
        name: &str,
        needed: &str,
    ) -> Outcome<bool> {
        let text = &facts.file.text;
        if text.contains(&format!("{needed} for {name}")) {
            return Ok(true);
        }
        for path in self.index.containing_in(member, &format!("for {name}")) {
            let facts = self.index.facts(&path)?;
            let is_it = |of: &crate::index::ImplFact| {
                let of_trait = of.trait_path.as_deref().unwrap_or_default();
                let of_trait = of_trait.split('<').next().unwrap_or(of_trait);
                let of_type = of.self_type.rsplit("::").next().unwrap_or_default();
                of_trait.rsplit("::").next() == Some(needed) && of_type == name
            };
            if facts.impls.iter().any(is_it) {
                return Ok(true);
            }
        }
        Ok(false)
    }

    /// Refuses a field that would not have what its type is to derive.
    fn held(
        &mut self,
        facts: &Arc<FileFacts>,
        held: &Held,
        traits: &[&'static str],
        owner: &str,
    ) -> Outcome<()> {
        let Ok(ty) = syn::parse_str::<syn::Type>(&held.ty) else {
            return Ok(());
        };
        let Some(lacks) = self.ty(facts, &ty, traits, owner)? else {
            return Ok(());
        };
        let message = format!(
            "whether `{}`, which `{owner}` holds, implements `{lacks}` is not known",
            held.ty
        );
        Err(Refusal::new("field-type", message)
            .at(facts.place(&held.range))
            .help(format!(
                "derive `{}` for `{owner}` by hand, or carry what identifies it",
                traits.join("`, `")
            )))
    }

    /// The trait that a type is not known to have.
    fn ty(
        &mut self,
        facts: &Arc<FileFacts>,
        ty: &syn::Type,
        traits: &[&'static str],
        owner: &str,
    ) -> Outcome<Option<&'static str>> {
        let parts: Vec<&syn::Type> = match ty {
            syn::Type::Tuple(tuple) => tuple.elems.iter().collect(),
            syn::Type::Paren(of) => vec![&of.elem],
            syn::Type::Path(path) if path.qself.is_none() => {
                return self.path(facts, path, traits, owner);
            }
            _ => return Ok(unknown(traits)),
        };
        self.all(facts, parts, traits, owner)
    }

    fn all(
        &mut self,
        facts: &Arc<FileFacts>,
        parts: Vec<&syn::Type>,
        traits: &[&'static str],
        owner: &str,
    ) -> Outcome<Option<&'static str>> {
        for part in parts {
            if let Some(lacks) = self.ty(facts, part, traits, owner)? {
                return Ok(Some(lacks));
            }
        }
        Ok(None)
    }

    fn path(
        &mut self,
        facts: &Arc<FileFacts>,
        path: &syn::TypePath,
        traits: &[&'static str],
        owner: &str,
    ) -> Outcome<Option<&'static str>> {
        let segments = path.path.segments.iter();
        let name: Vec<String> = segments.map(|of| of.ident.to_string()).collect();
        let name = name.join("::");
        let arguments = path.path.segments.last().map(|of| &of.arguments);
        let arguments: Vec<&syn::Type> = match arguments {
            Some(syn::PathArguments::AngleBracketed(list)) => {
                let types = list.args.iter().filter_map(|of| match of {
                    syn::GenericArgument::Type(ty) => Some(ty),
                    _ => None,
                });
                types.collect()
            }
            _ => Vec::new(),
        };
        let is_imported = facts.uses.iter().any(|import| import.name == name);
        let absolute = self.index.resolve(facts, &name).unwrap_or_default();
        let head = absolute.split("::").next().unwrap_or_default();
        let last = absolute.rsplit("::").next().unwrap_or_default();
        if self.index.definition(&absolute)?.is_some() {
            self.at(&absolute, traits, owner)?;
            return Ok(None);
        }
        let is_std =
            matches!(head, "std" | "core" | "alloc") || !is_imported && !name.contains("::");
        if is_std && matches!(last, "f32" | "f64") {
            return Ok(traits.iter().find(|of| **of == "Eq").copied());
        }
        if is_std && PLAIN.contains(&last) {
            return self.all(facts, arguments, traits, owner);
        }
        if absolute == "serde_json::Value" || self.is_proven(facts, path, traits)? {
            return Ok(None);
        }
        if BY_FEATURE.contains(&head) {
            let lacks = traits.iter().find(|of| is_serde(of)).copied();
            let member = self.index.workspace.member_of(&facts.file.path);
            return Ok(match (lacks, member) {
                (Some(_), Some(member)) if self.asks(member, head, "serde")? => None,
                (lacks, _) => lacks,
            });
        }
        Ok(unknown(traits))
    }

    /// Whether another type of the same crate derives the traits, and holds a value of this type.
    fn is_proven(
        &self,
        facts: &FileFacts,
        ty: &syn::TypePath,
        traits: &[&'static str],
    ) -> Outcome<bool> {
        let Some(member) = self.index.workspace.member_of(&facts.file.path) else {
            return Ok(false);
        };
        let text = tokens(ty);
        let last = ty.path.segments.last().map(|of| of.ident.to_string());
        let own = origin(facts, &text);
        for path in self.index.containing_in(member, &last.unwrap_or_default()) {
            let facts = self.index.facts(&path)?;
            let derives = |of: &crate::index::StructFact| {
                traits
                    .iter()
                    .all(|name| of.derives.iter().any(|derive| derive == name))
            };
            let structs = facts.structs.iter().filter(|of| derives(of));
            let mut fields = structs.flat_map(|of| &of.fields);
            let is_it = |field: &crate::index::FieldFact| {
                let serde = &field.serde;
                let is_odd = serde.has_reader || serde.is_skipped || serde.is_flat;
                let is_plain = !is_odd && !field.attributes.iter().any(|of| of.contains("with"));
                is_plain && field.ty == text && origin(&facts, &text) == own
            };
            if fields.any(is_it) {
                return Ok(true);
            }
        }
        Ok(false)
    }

    /// Refuses where the derives of serde are not at hand in the type's crate, nor can be.
    fn check_serde(&self, member: &Member, facts: &FileFacts, name: &Range<usize>) -> Outcome<()> {
        let refuse = |why: &str| {
            let message = format!(
                "serde's derives are not at hand in `{}`: {why}",
                member.name
            );
            Err(Refusal::new("dependency", message)
                .at(facts.place(name))
                .help(format!(
                    "run `cargo add --package {} serde --features derive`, and try again",
                    member.name
                )))
        };
        let workspace = self.index.workspace;
        let mut own = member.dependencies.iter();
        let own = own.find(|of| of.is_normal && of.package == "serde");
        if own.is_some_and(|of| of.rename.as_deref().is_some_and(|name| name != "serde")) {
            return refuse("it has serde by another name");
        }
        if own.is_none() {
            let root = Manifest::parse(workspace.read_text("Cargo.toml")?)?;
            return if lists(&root, &["workspace", "dependencies", "serde"], "derive") {
                Ok(())
            } else {
                refuse("it does not depend on serde")
            };
        }
        let manifest = Manifest::parse(workspace.read_text(&member.manifest)?)?;
        let optional = manifest.get(&["dependencies", "serde", "optional"]);
        if manifest.get(&["dependencies", "serde"]).is_none()
            || optional.is_some_and(|item| item.as_bool() != Some(false))
        {
            return refuse("it depends on serde under conditions alone");
        }
        if self.asks(member, "serde", "derive")? {
            return Ok(());
        }
        refuse("the feature `derive` is not asked for")
    }

    /// Whether the member asks for a feature of a crate.
    fn asks(&self, member: &Member, krate: &str, feature: &str) -> Outcome<bool> {
        let workspace = self.index.workspace;
        let manifest = Manifest::parse(workspace.read_text(&member.manifest)?)?;
        let root = Manifest::parse(workspace.read_text("Cargo.toml")?)?;
        let names = [krate.to_owned(), krate.replace('_', "-")];
        Ok(names.iter().any(|name| {
            let inherits = manifest.get(&["dependencies", name, "workspace"]);
            lists(&manifest, &["dependencies", name], feature)
                || (inherits.is_some()
                    && lists(&root, &["workspace", "dependencies", name], feature))
        }))
    }
}

/// The trait that a type which nothing is known of may well lack.
fn unknown(traits: &[&'static str]) -> Option<&'static str> {
    let written = traits.iter().find(|of| is_serde(of));
    written.or(traits.first()).copied()
}

/// Whether a dependency lists a feature.
fn lists(manifest: &Manifest, dependency: &[&str], feature: &str) -> bool {
    let path: Vec<&str> = dependency.iter().copied().chain(["features"]).collect();
    let features = manifest.get(&path).and_then(|item| item.as_array());
    features.is_some_and(|list| list.iter().any(|of| of.as_str() == Some(feature)))
}

/// Where the first name of a type comes from, as the imports of a file say.
fn origin(facts: &FileFacts, ty: &str) -> Vec<String> {
    let head = ty.split("::").next().unwrap_or(ty);
    let head = head.split('<').next().unwrap_or(head);
    let top = || facts.uses.iter().filter(|of| of.is_top);
    let named: Vec<String> = top()
        .filter(|of| of.name == head)
        .map(|of| of.path.clone())
        .collect();
    if !named.is_empty() {
        return named;
    }
    top()
        .filter(|of| of.name == "*")
        .map(|of| format!("{}::*", of.path))
        .collect()
}

/// A trait as a file with these imports names it, each a name with its path.
fn written(name: &str, imports: &[(&str, &str)]) -> String {
    let path = GIVEN.iter().find(|(given, _)| *given == name);
    let path = path.map_or(name, |(_, path)| path);
    let import = imports.iter().find(|(known, _)| *known == name);
    let is_std = path.starts_with("std::");
    let is_it = |import: &str| {
        let same = import.replacen("core::", "std::", 1);
        same == path
            || (is_std && same.ends_with(&format!("::{name}")) && same.starts_with("std::"))
    };
    match import {
        Some((_, import)) if is_it(import) => name.to_owned(),
        None if is_std => name.to_owned(),
        _ => path.to_owned(),
    }
}
