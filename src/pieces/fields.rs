//! Further `Option` fields of a task that stands: in the variant, in the task's input, and
//! wherever either is built or taken apart with all its fields.
//!
//! ```text
//! #[serde(default, skip_serializing_if = "Option::is_none")]
//! depth: Option<u32>,
//! ```
//!
//! Rows that were written before decode as `None`, and so does what is enqueued by code that
//! knows nothing of the field yet.

use std::collections::{BTreeMap, BTreeSet};

use super::{Piece, last, task_module};
use crate::edit::TextEdit;
use crate::index::{FieldList, FileFacts, ListForm, field_lists, mentions};
use crate::landmarks::Scrutinee;
use crate::note::{Note, Outcome, Refusal};
use crate::plan::Plan;
use crate::task::{Context, FieldTraits};
use crate::trivia::{Sibling, Spot};
use crate::types::{self, ResolvedType};

/// The piece.
pub const PIECE: Piece = Piece {
    id: "fields",
    about: "further `Option` fields of a task that stands",
    plan,
};

/// A field that goes in.
struct Further<'a> {
    name: String,
    ident: String,
    ty: &'a ResolvedType,
    traits: &'a FieldTraits,
}

/// What a list of fields belongs to.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Owner {
    Variant,
    Input,
}

fn plan(context: &Context<'_>, plan: &mut Plan) -> Outcome<()> {
    let task = context.task;
    let fields = task.fields.iter().zip(&task.traits);
    let further: Vec<Further<'_>> = fields
        .filter(|((field, _), _)| task.further.contains(&field.name))
        .map(|((field, ty), traits)| Further {
            name: field.name.clone(),
            ident: field.ident(),
            ty,
            traits,
        })
        .collect();
    if further.is_empty() {
        return Ok(());
    }
    let module = task_module::path(context);
    if context.index.workspace.files.contains_key(&module) {
        key_stays(context, &further, &module, plan)?;
    }
    let variant = &task.request.variant;
    let input = task_module::input(context);
    let mut arm = ArmSeen::default();
    for path in context.index.containing(variant) {
        let facts = context.index.facts(&path)?;
        let text = &facts.file.text;
        if !mentions(text, variant) && !mentions(text, &input) {
            continue;
        }
        let mut steps = BTreeMap::new();
        let lists = field_lists(&facts.file)?;
        for list in &lists {
            let Some(owner) = owner(context, &facts, &lists, list, &input)? else {
                continue;
            };
            let lines = lines(context, &facts, list, owner, &further, &mut arm, plan)?;
            if lines.is_empty() {
                continue;
            }
            let what = match owner {
                Owner::Variant => format!("{}::{variant}", context.landmarks.spec.fact.name),
                Owner::Input => input.clone(),
            };
            let names = names(&further);
            let title = match list.form {
                ListForm::Declaration => format!("{names} of `{what}`"),
                _ => format!("{names} where `{what}` is used"),
            };
            let title: &mut Vec<TextEdit> = steps.entry(title).or_default();
            title.extend(edits(&facts, list, &lines));
        }
        for (title, edits) in steps {
            plan.insert(PIECE.id, title, &facts.file, edits);
        }
        plan.reflow(&path);
    }
    arm.check(context)
}

/// Says that the key of the standing tasks is left as it is.
fn key_stays(
    context: &Context<'_>,
    further: &[Further<'_>],
    module: &str,
    plan: &mut Plan,
) -> Outcome<()> {
    let facts = context.index.facts(module)?;
    let key = facts.functions.iter().find(|f| f.name == "idempotency_key");
    let calls: Vec<String> = further
        .iter()
        .map(|f| format!(".field(\"{}\", &self.{})", f.name, f.ident))
        .collect();
    let message = format!(
        "the key stays as it is: calls that differ only in {} are one task",
        names(further)
    );
    plan.notes.push(
        Note::warning("key-stays", message)
            .at(facts.place(&key.map_or(0..1, |key| key.name_range.clone())))
            .help(format!(
                "add `{}` to the key where they are different work; tasks that are queued have the old one",
                calls.join("`, `")
            )),
    );
    Ok(())
}

/// Whether `list`, one of the `lists` of its file, is one of the variant or of the task's input, which generated code writes in
/// full; refuses where that cannot be told.
fn owner(
    context: &Context<'_>,
    facts: &FileFacts,
    lists: &[FieldList],
    list: &FieldList,
    input: &str,
) -> Outcome<Option<Owner>> {
    let variant = &context.task.request.variant;
    let spec = &context.landmarks.spec;
    let name = last(&list.path).to_owned();
    if name != *variant && name != *input {
        return Ok(None);
    }
    let module = task_module::path(context);
    if list.form == ListForm::Declaration {
        let is_variant = facts.file.path == spec.facts.file.path
            && list.path == format!("{}::{variant}", spec.fact.name)
            && spec.fact.open < list.open
            && list.open < spec.fact.close;
        let is_input = facts.file.path == module && list.path == input;
        return Ok(match (is_variant, is_input) {
            (true, _) => Some(Owner::Variant),
            (_, true) => Some(Owner::Input),
            _ => None,
        });
    }
    let path = list.path.replace("r#", "");
    let names = &context.index.interest().names;
    let enum_of = |path: &str| {
        let head = path.rsplit_once("::").map(|(head, _)| last(head));
        head.is_some_and(|head| names.contains(head))
    };
    let in_enum = |of: &String| names.contains(of.as_str());
    let is_self =
        path == format!("Self::{variant}") && list.self_type.as_ref().is_some_and(in_enum);
    if name == *variant && (enum_of(&path) || is_self) {
        return Ok(Some(Owner::Variant));
    }
    let standing: BTreeSet<&str> = spec
        .variant(variant)
        .and_then(|variant| variant.fields.as_deref())
        .unwrap_or_default()
        .iter()
        .map(|field| field.name.as_str())
        .collect();
    let listed: BTreeSet<&str> = list.fields.iter().map(|f| f.name.as_str()).collect();
    if list.has_rest || (list.form != ListForm::Tokens && listed != standing) {
        return Ok(None);
    }
    let resolved = context.index.resolve(facts, &path);
    if let Some(resolved) = &resolved {
        if name == *variant && enum_of(resolved) {
            return Ok(Some(Owner::Variant));
        }
        let definition = context.index.definition(resolved)?;
        if definition.is_some_and(|facts| facts.file.path == module) && name == *input {
            return Ok(Some(Owner::Input));
        }
        let is_it = |other: &FieldList| {
            other.form == ListForm::Declaration && other.path == name && other.module == list.module
        };
        if path == name && lists.iter().any(is_it) {
            return Ok(None);
        }
    }
    Err(unclear(
        facts,
        list,
        format!("cannot tell whether this `{name}` has the new fields"),
    ))
}

fn unclear(facts: &FileFacts, list: &FieldList, message: String) -> Refusal {
    Refusal::new("further-fields", message)
        .at(facts.place(&list.range))
        .help("add the fields to the variant, the task's input and the places where they are used by hand: rustc names them, E0063 and E0027")
}

/// What was seen of the executor's arm.
#[derive(Default)]
struct ArmSeen {
    binds: bool,
    hands_on: bool,
}

impl ArmSeen {
    /// Refuses where the arm would drop the new fields.
    fn check(&self, context: &Context<'_>) -> Outcome<()> {
        let site = &context.landmarks.matches[context.landmarks.executor.site];
        let Some(arm) = site.arm_of(&context.task.request.variant) else {
            return Ok(());
        };
        if self.binds && self.hands_on {
            return Ok(());
        }
        let arm = &site.fact.arms[arm];
        let message = "cannot see how the executor's arm hands its fields on";
        Err(Refusal::new("further-fields", message)
            .at(site.facts.place(&arm.pattern_range))
            .help("it must bind every field and build the task's input of them; or add the fields by hand"))
    }
}

/// The lines that each further field becomes in `list`; none where it is left alone.
fn lines(
    context: &Context<'_>,
    facts: &FileFacts,
    list: &FieldList,
    owner: Owner,
    further: &[Further<'_>],
    arm: &mut ArmSeen,
    plan: &mut Plan,
) -> Outcome<Vec<String>> {
    let executor = &context.landmarks.executor;
    let site = &context.landmarks.matches[executor.site];
    let in_arm = facts.file.path == site.facts.file.path
        && site
            .arm_of(&context.task.request.variant)
            .is_some_and(|arm| site.fact.arms[arm].range.contains(&list.range.start));
    let in_module = facts.file.path == task_module::path(context);
    let krate = |path: &str| path.split("::").next().unwrap_or_default().to_owned();
    if list.has_rest {
        return Ok(Vec::new());
    }
    let each = |line: &dyn Fn(&Further<'_>) -> String| further.iter().map(line).collect();
    Ok(match (list.form, owner) {
        (ListForm::Declaration, Owner::Variant) => {
            let krate = krate(&context.landmarks.spec.path);
            each(&|f| {
                let ty = f.ty.in_enum(&krate);
                format!(
                    "#[serde(default, skip_serializing_if = \"Option::is_none\")]\n{}: {ty},",
                    f.ident
                )
            })
        }
        (ListForm::Declaration, Owner::Input) => {
            let imported = imported(facts);
            let krate = krate(&executor.module);
            each(&|f| format!("pub {}: {},", f.ident, f.ty.in_module(&krate, &imported)))
        }
        (ListForm::Tokens, _) => {
            let message = "cannot tell what a macro makes of these fields".to_owned();
            return Err(unclear(facts, list, message));
        }
        (ListForm::Pattern, Owner::Variant) if in_arm => {
            arm.binds = true;
            each(&|f| format!("{},", f.ident))
        }
        (ListForm::Pattern, _) => each(&|f| format!("{}: _,", f.ident)),
        (ListForm::Value, Owner::Input) if in_arm => {
            arm.hands_on = true;
            each(&|f| {
                let value = match executor.scrutinee {
                    Scrutinee::Borrowed => types::cloned(f.traits.copies, &f.ident),
                    Scrutinee::Owned => f.ident.clone(),
                };
                given(&f.ident, &value)
            })
        }
        (ListForm::Value, _) => match base(list) {
            Some(base) => each(&|f| given(&f.ident, &format!("{base}.{}", f.ident))),
            None if owner == Owner::Variant && in_module && !list.is_test => {
                let message = "cannot see where this takes its fields from".to_owned();
                return Err(unclear(facts, list, message));
            }
            None if in_module && list.is_test => {
                let imported = imported(facts);
                each(&|f| {
                    let known = f.ty.imports().is_subset(&imported);
                    let sample = if known {
                        f.traits.sample.as_str()
                    } else {
                        "None"
                    };
                    given(&f.ident, sample)
                })
            }
            None => {
                if !list.is_test && !context.index.is_for_tests(&facts.file.path) {
                    let what = format!(
                        "give {} where it is known: `None` is as before",
                        names(further)
                    );
                    plan.open_at(facts.place(&list.range), what);
                }
                each(&|f| given(&f.ident, "None"))
            }
        },
    })
}

/// The fields, for people.
fn names(further: &[Further<'_>]) -> String {
    let names: Vec<String> = further.iter().map(|f| format!("`{}`", f.name)).collect();
    names.join(" and ")
}

/// `name: value,`, or `name,` for both.
fn given(name: &str, value: &str) -> String {
    if name == value {
        format!("{name},")
    } else {
        format!("{name}: {value},")
    }
}

/// What all values of the list are fields of: `input` of `{ a: input.a, b: input.b }`.
fn base(list: &FieldList) -> Option<String> {
    let bases = list.fields.iter().map(|field| {
        let (base, name) = field.value.rsplit_once('.')?;
        (name.trim_start_matches("r#") == field.name).then_some(base)
    });
    let bases: Option<BTreeSet<&str>> = bases.collect();
    let mut bases = bases?.into_iter();
    let base = bases.next()?;
    bases.next().is_none().then(|| base.to_owned())
}

/// Paths that the file imports at its top.
fn imported(facts: &FileFacts) -> BTreeSet<String> {
    let top = facts.uses.iter().filter(|u| u.is_top);
    top.map(|u| u.path.clone()).collect()
}

/// What adds `lines` behind the last field of `list`.
fn edits(facts: &FileFacts, list: &FieldList, lines: &[String]) -> Vec<TextEdit> {
    const KIND: &str = "field";
    let file = &facts.file;
    let siblings: Vec<Sibling> = list.fields.iter().map(|field| field.sibling).collect();
    let (spot, indent) = match siblings.last() {
        Some(end) => (
            Spot::after(file, &siblings, siblings.len() - 1, list.close),
            file.indent_at(end.start).to_owned(),
        ),
        None => (
            Spot::first(file, list.open, list.close),
            format!("{}    ", file.indent_at(list.range.start)),
        ),
    };
    let lines = lines.iter().flat_map(|line| line.lines());
    match siblings.last() {
        // rustfmt leaves a list inside of a macro as it is.
        Some(end) if spot.is_inline() && end.comma.is_none() => {
            let lines: Vec<&str> = lines.collect();
            let text = lines.join(" ");
            let text = format!(", {}", text.trim_end_matches(','));
            vec![TextEdit::insert(end.end, text, KIND)]
        }
        _ => {
            let lines: Vec<String> = lines.map(|line| format!("{indent}{line}")).collect();
            spot.insert(file, &lines.join("\n"), KIND)
        }
    }
}
