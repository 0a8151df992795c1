//! A request resolved against a workspace: everything that the pieces render from.

use std::cell::RefCell;
use std::collections::BTreeSet;

use heck::{ToSnakeCase, ToTitleCase};

use crate::derives::{self, Lacking};
use crate::index::{Index, VariantFact};
use crate::landmarks::{Landmarks, SpecEnum, Status, find_status};
use crate::migrate::Migration;
use crate::note::{Note, Outcome, Refusal};
use crate::request::{Field, TaskRequest, raw};
use crate::types::{self, ResolvedType};

/// The task to scaffold.
pub struct Task {
    /// What was asked for.
    pub request: TaskRequest,
    /// The name in snake case: `clone_repository`, part of the method's name and the file's.
    pub snake: String,
    /// The wire tag.
    pub tag: String,
    /// The key under which the tag stands in the serialized form, or `None` for an enum that
    /// is tagged from outside.
    pub tag_key: Option<String>,
    /// Whether the variant needs a `rename` to get that tag.
    pub renames: bool,
    /// The task in words: `Clone repository`.
    pub question: String,
    /// The fields with their types.
    pub fields: Vec<(Field, ResolvedType)>,
    /// Types of the fields that lack a derive.
    pub lacking: Vec<Lacking>,
    /// Names of the fields that the variant, which stands, does not have yet.
    pub further: BTreeSet<String>,
    /// What else is known of each field, in the same order.
    pub traits: Vec<FieldTraits>,
    /// Names of the fields of the idempotency key.
    pub key: Vec<String>,
    /// The status column.
    pub status: Option<Status>,
    /// The site that the task comes from.
    pub migration: Option<Migration>,
}

impl Task {
    /// Resolves `request`; refuses a variant that clashes with what stands.
    pub fn resolve(
        index: &Index<'_>,
        spec: &SpecEnum,
        request: TaskRequest,
        notes: &mut Vec<Note>,
    ) -> Outcome<Self> {
        let name = request.variant.clone();
        let existing = spec.variant(&name);
        let serde_tag = spec.default_tag(&name);
        let existing_tag = existing.and_then(|v| v.serde.rename.clone());
        let tag = request
            .tag
            .clone()
            .or(existing_tag)
            .unwrap_or_else(|| serde_tag.clone());
        let resolved = types::resolve(index, spec, &request.fields)?;
        let fields: Vec<(Field, ResolvedType)> =
            request.fields.iter().cloned().zip(resolved).collect();
        check_tag(spec, &name, &tag)?;
        check_tag_field(spec, &fields)?;
        let further = check_same(spec, &name, &fields, &tag)?;
        let snake = name.to_snake_case();
        if request.tag.is_none()
            && existing.is_none()
            && tag != snake
            && spec.fact.serde.rename_all.as_deref() == Some("snake_case")
        {
            notes.push(
                Note::warning(
                    "wire-tag",
                    format!("serde's snake case splits at every capital: `{name}` is written as `{tag}`"),
                )
                .at(spec.facts.place(&spec.fact.name_range))
                .help(format!("pass --tag {snake} for the readable form; a tag cannot be changed once rows carry it")),
            );
        }
        let status = request
            .status
            .as_ref()
            .map(|status| find_status(index, status, &request.fields))
            .transpose()?;
        let key = request.key.clone().unwrap_or_else(|| {
            request
                .fields
                .iter()
                .filter(|field| !field.is_secret)
                .map(|field| field.name.clone())
                .collect()
        });
        if let Some(status) = status
            .as_ref()
            .filter(|status| !key.contains(&status.field))
        {
            notes.push(
                Note::warning(
                    "status-key",
                    format!(
                        "the key does not hold `{}`: two calls that differ only in it are one task, and the row of the second keeps its status; two tasks may share a row, so that a delivery which died at its end does the work again",
                        status.field
                    ),
                )
                .help(format!("add it to --key, unless the other fields decide it: --key {},{}", key.join(","), status.field)),
            );
        }
        let lacking = derives::lacking(index, spec, &fields)?;
        Ok(Self {
            renames: tag != serde_tag,
            tag_key: spec.fact.serde.tag.clone(),
            question: sentence(&name),
            snake,
            tag,
            further,
            traits: fields
                .iter()
                .map(|(field, ty)| FieldTraits::of(index, field, ty))
                .collect::<Outcome<_>>()?,
            lacking,
            fields,
            key,
            status,
            request,
            migration: None,
        })
    }

    /// The pattern of the variant after its path: fields bound, none, or left out.
    #[must_use]
    pub fn pattern(&self) -> &'static str {
        if self.fields.is_empty() {
            ""
        } else {
            " { .. }"
        }
    }

    /// The variant's name as written in code.
    #[must_use]
    pub fn ident(&self) -> String {
        raw(&self.request.variant)
    }

    /// The module as written in code: `r#type` for `Type`.
    #[must_use]
    pub fn module(&self) -> String {
        raw(&self.snake)
    }

    /// What a module outside the enum's crate imports for the fields.
    #[must_use]
    pub fn imports(&self) -> BTreeSet<String> {
        self.fields
            .iter()
            .flat_map(|(_, ty)| ty.imports())
            .collect()
    }
}

/// What the pieces need to know of a field's type.
pub struct FieldTraits {
    /// Whether it is `Copy`, where that is known.
    pub copies: Option<bool>,
    /// A value for tests.
    pub sample: String,
    /// Another value for tests.
    pub other: Option<String>,
}

impl FieldTraits {
    fn of(index: &Index<'_>, field: &Field, ty: &ResolvedType) -> Outcome<Self> {
        let refused = RefCell::new(None);
        let keep = |refusal: Refusal| {
            refused.borrow_mut().get_or_insert(refusal);
        };
        let copies = types::is_copy(&field.ty, &|name| {
            let path = ty.paths.get(name)?;
            types::workspace_copy(index, path).unwrap_or_else(|e| {
                keep(e);
                None
            })
        });
        let (sample, other) = types::samples(&field.ty, &field.name, &|name| {
            let path = ty.paths.get(name)?;
            types::workspace_sample(index, path, "").unwrap_or_else(|e| {
                keep(e);
                None
            })
        });
        match refused.into_inner() {
            Some(refusal) => Err(refusal),
            None => Ok(Self {
                copies,
                sample,
                other,
            }),
        }
    }
}

/// `CloneRepository` in words: `Clone repository`; words in capitals stay.
fn sentence(name: &str) -> String {
    let words = name.to_title_case();
    let mut out = String::new();
    for (i, word) in words.split(' ').enumerate() {
        if i == 0 {
            out.push_str(word);
        } else {
            out.push(' ');
            out.push_str(&word.to_lowercase());
        }
    }
    out
}

fn check_tag(spec: &SpecEnum, name: &str, tag: &str) -> Outcome<()> {
    for variant in spec.fact.variants.iter().filter(|v| v.name != name) {
        if spec.tags(variant).iter().any(|known| known == tag) {
            return Err(Refusal::new(
                "tag-taken",
                format!(
                    "the wire tag `{tag}` belongs to `{}`: the two would decode into each other",
                    variant.name
                ),
            )
            .at(spec.facts.place(&variant.name_range))
            .help("choose another name, or another tag with --tag"));
        }
    }
    Ok(())
}

/// A field called like serde's tag would be written under the same key.
fn check_tag_field(spec: &SpecEnum, fields: &[(Field, ResolvedType)]) -> Outcome<()> {
    if spec.fact.serde.content.is_some() {
        return Ok(());
    }
    let Some(tag) = &spec.fact.serde.tag else {
        return Ok(());
    };
    for (field, _) in fields {
        if field.name == *tag {
            return Err(Refusal::new(
                "field-is-tag",
                format!("a field called `{tag}` collides with the tag of `{}`: both would be the key \"{tag}\"", spec.fact.name),
            )
            .at(spec.facts.place(&spec.fact.name_range))
            .help("call the field otherwise"));
        }
    }
    Ok(())
}

/// A variant that stands must have the fields that are asked for, in any order, but for `Option`s
/// that are new. Gives their names.
fn check_same(
    spec: &SpecEnum,
    name: &str,
    fields: &[(Field, ResolvedType)],
    tag: &str,
) -> Outcome<BTreeSet<String>> {
    let Some(variant) = spec.variant(name) else {
        return Ok(BTreeSet::new());
    };
    let plain = |text: &str| -> String { text.chars().filter(|c| !c.is_whitespace()).collect() };
    let krate = spec.path.split("::").next().unwrap_or_default();
    let asked: BTreeSet<(String, String)> = fields
        .iter()
        .map(|(field, ty)| (field.name.clone(), plain(&ty.in_enum(krate))))
        .collect();
    let stands: BTreeSet<(String, String)> = variant
        .fields
        .iter()
        .flatten()
        .map(|field| (field.name.clone(), plain(&field.ty)))
        .collect();
    let further: BTreeSet<String> = asked
        .difference(&stands)
        .map(|(name, _)| name.clone())
        .collect();
    let is_option = |name: &String| {
        let mut fields = fields.iter().map(|(field, _)| field);
        fields.any(|field| field.name == *name && field.is_option())
    };
    let is_new = |name: &String| stands.iter().all(|(other, _)| other != name);
    let grows =
        stands.is_subset(&asked) && further.iter().all(|name| is_option(name) && is_new(name));
    let list = |set: &BTreeSet<(String, String)>| {
        let parts: Vec<String> = set
            .iter()
            .map(|(name, ty)| format!("{name}: {ty}"))
            .collect();
        if parts.is_empty() {
            "no fields".to_owned()
        } else {
            parts.join(", ")
        }
    };
    if !grows || variant.fields.is_none() {
        return Err(Refusal::new(
            "variant-exists",
            format!("`{}::{name}` exists with other fields", spec.fact.name),
        )
        .at(spec.facts.place(&variant.name_range))
        .help(format!(
            "it has {}; asked for was {}. Rows of the queue hold the old form: the tool adds fields that are `Option`s; change the variant by hand where one is renamed, with `#[serde(alias = \"…\")]`, or where its type is another",
            list(&stands),
            list(&asked)
        )));
    }
    if variant.is_unit && !further.is_empty() {
        check_unit(spec, variant)?;
    }
    if !spec.tags(variant).iter().any(|known| known == tag) {
        return Err(Refusal::new(
            "variant-exists",
            format!("`{}::{name}` exists with the tag `{}`", spec.fact.name, spec.tags(variant)[0]),
        )
        .at(spec.facts.place(&variant.name_range))
        .help("leave --tag out; a tag is changed by hand, with `#[serde(alias = \"…\")]` for the old one"));
    }
    Ok(further)
}

/// Refuses fields for a variant without braces where serde would no longer read its rows, or where
/// something else about it goes only with a variant that has none.
fn check_unit(spec: &SpecEnum, variant: &VariantFact) -> Outcome<()> {
    let refuse = |why: String, help: &str| {
        let enum_name = &spec.fact.name;
        let message = format!("`{enum_name}::{}` cannot get fields: {why}", variant.name);
        Err(Refusal::new("variant-exists", message)
            .at(spec.facts.place(&variant.name_range))
            .help(help))
    };
    if let Some(what) = variant.unit_only {
        return refuse(
            format!("it has {what}, which only a variant without fields may have"),
            "take that away first, or name the new task otherwise",
        );
    }
    let serde = &spec.fact.serde;
    let tag = spec.tags(variant).swap_remove(0);
    let why = match (&serde.tag, &serde.content) {
        _ if variant.serde.untagged => "its rows are `null`, as it is untagged".to_owned(),
        (None, _) => {
            format!("its rows are the bare \"{tag}\", as the enum is tagged from outside")
        }
        (Some(key), Some(content)) => {
            format!(
                "its rows are {{\"{key}\":\"{tag}\"}}, without the `{content}` that holds fields"
            )
        }
        (Some(_), None) => return Ok(()),
    };
    refuse(
        why,
        "serde would not read the rows that are queued: name the new task otherwise; or drain the queue, and change the variant and the task's input by hand",
    )
}

/// Everything that a piece may read.
pub struct Context<'a> {
    /// The files.
    pub index: &'a Index<'a>,
    /// What was found.
    pub landmarks: &'a Landmarks,
    /// What is to be made.
    pub task: &'a Task,
}
