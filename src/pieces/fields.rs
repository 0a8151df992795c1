//! Further `Option` fields of a task that stands: in the variant, in the task's input, and
//! wherever either is built or taken apart with all its fields.
//!
//! ```text
//! #[serde(default, skip_serializing_if = "Option::is_none")]
//! depth: Option<u32>,
//! ```
//!
//! Rows that were written before decode as `None`, and so does what is enqueued by code that
//! knows nothing of the field yet. A variant that has no fields stands by its name alone, and so
//! does its input: there each name gets its braces.

use std::collections::{BTreeMap, BTreeSet};

use super::{Piece, task_module};
use crate::edit::TextEdit;
use crate::field_edits::edits;
use crate::index::{
    ArmFact, Braces, FieldList, FileFacts, FnFact, ListForm, mentions, whole_words,
};
use crate::landmarks::{Owner, Scrutinee, TaskNames};
use crate::note::{Note, Outcome, Refusal};
use crate::plan::Plan;
use crate::task::{Context, FieldTraits};
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
    let spec = &context.landmarks.spec;
    let names = TaskNames::new(context.index, spec, variant, &input, &module)?;
    let mut arm = ArmSeen::default();
    for path in names.files()? {
        let facts = context.index.facts(&path)?;
        let mut steps = BTreeMap::new();
        let lists = context.index.field_lists(&facts)?;
        for list in &lists {
            let owner = names.owner(&facts, list)?;
            if owner == Owner::Unclear {
                let message = format!(
                    "cannot tell whether this `{}` has the new fields",
                    list.path
                );
                return Err(unclear(&facts, list, message));
            }
            if owner == Owner::Other {
                continue;
            }
            let lines = lines(context, &facts, list, owner, &further, &mut arm, plan)?;
            if lines.is_empty() {
                continue;
            }
            let what = match owner {
                Owner::Variant => format!("{}::{variant}", spec.fact.name),
                _ => input.clone(),
            };
            let names = fields_in_words(&further);
            let title = match list.form {
                ListForm::Declaration => format!("{names} of `{what}`"),
                _ => format!("{names} where `{what}` is used"),
            };
            let title: &mut Vec<TextEdit> = steps.entry(title).or_default();
            title.extend(edits(&facts.file, list, &lines));
        }
        for (title, edits) in steps {
            plan.insert(PIECE.id, title, &facts.file, edits);
        }
        documented(context, &facts, [variant, &input], plan);
        plan.reflow(&path);
    }
    arm.check(context, &further)
}

/// Mentions an example in the documentation that may write the fields out, or names what gets its
/// first ones: it is left alone.
fn documented(context: &Context<'_>, facts: &FileFacts, names: [&str; 2], plan: &mut Plan) {
    let is_first = context.task.further.len() == context.task.fields.len();
    let (mut offset, mut in_example) = (0, false);
    for line in facts.file.text.split_inclusive('\n') {
        let doc = line.trim_start();
        let is_doc = doc.starts_with("///") || doc.starts_with("//!");
        let lists = |name: &&&str| doc.contains(&format!("{name} {{"));
        in_example = is_doc && in_example != doc[3..].trim_start().starts_with("```");
        let found = names
            .iter()
            .find(|name| is_doc && (lists(name) || is_first && in_example && mentions(doc, name)));
        if let Some(name) = found {
            let at = offset + line.find(name).unwrap_or(0);
            plan.notes.push(
                Note::warning(
                    "doc-test-fields",
                    format!("documentation names the fields of `{name}`; it is left alone"),
                )
                .at(facts.place(&(at..at + name.len())))
                .help("add the new fields by hand if it is an example that is compiled"),
            );
            return;
        }
        offset += line.len();
    }
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
        fields_in_words(further)
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

fn unclear(facts: &FileFacts, list: &FieldList, message: String) -> Refusal {
    Refusal::new("further-fields", message)
        .at(facts.place(&list.range))
        .help("add the fields to the variant, the task's input and the places where they are used by hand: rustc names them, E0063 and E0027")
}

/// What was seen of the executor's arm.
#[derive(Default)]
struct ArmSeen {
    binds: usize,
    hands_on: usize,
}

impl ArmSeen {
    /// Refuses where the executor would drop the new fields in some case.
    fn check(&self, context: &Context<'_>, further: &[Further<'_>]) -> Outcome<()> {
        let site = &context.landmarks.matches[context.landmarks.executor.site];
        let variant = &context.task.request.variant;
        let spec = &context.landmarks.spec;
        let arms: Vec<usize> = (0..site.fact.arms.len())
            .filter(|arm| site.variants_of(*arm, spec).contains(variant))
            .collect();
        let refuse = |arm: &ArmFact, message: String| {
            Err(Refusal::new("further-fields", message)
                .at(site.facts.place(&arm.pattern_range))
                .help("one arm, for this variant alone, must bind every field and build the task's input of them; or add the fields by hand"))
        };
        let Some(first) = arms.first() else {
            return Ok(());
        };
        let arm = &site.fact.arms[*first];
        let is_one = arms.len() == 1 && site.variants_of(*first, spec).len() == 1;
        if !is_one || arm.has_guard || (self.binds, self.hands_on) != (1, 1) {
            let message = "cannot see how the executor's arm hands its fields on".to_owned();
            return refuse(arm, message);
        }
        let body = site.facts.text(&arm.body);
        let taken = further.iter().find(|f| has_variable(body, &f.name));
        match taken {
            Some(field) => {
                let message = format!("the executor's arm has a `{}` of its own", field.name);
                refuse(arm, message)
            }
            None => Ok(()),
        }
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
    let at = list.range.start;
    let arm_at = site
        .arm_of(&context.task.request.variant)
        .filter(|_| facts.file.path == site.facts.file.path)
        .map(|arm| &site.fact.arms[arm]);
    let in_pattern = arm_at.is_some_and(|arm| arm.pattern_range.contains(&at));
    let in_body = arm_at.is_some_and(|arm| arm.body.contains(&at));
    let in_module = facts.file.path == task_module::path(context);
    let krate = |path: &str| path.split("::").next().unwrap_or_default().to_owned();
    if list.has_rest {
        return Ok(Vec::new());
    }
    if list.braces == Braces::Impossible {
        let message = format!("`{}` cannot have fields here", facts.text(&list.range));
        return Err(unclear(facts, list, message));
    }
    let source = || match list.braces {
        Braces::Present => base(list),
        _ => given_input(facts, list, &task_module::input(context)),
    };
    let each = |line: &dyn Fn(&Further<'_>) -> String| further.iter().map(line).collect();
    Ok(match (list.form, owner) {
        (ListForm::Declaration, Owner::Variant) => {
            let spec = &context.landmarks.spec.fact;
            check_derives(facts, list, &spec.name, &spec.derives, further)?;
            let krate = krate(&context.landmarks.spec.path);
            each(&|f| {
                let ty = f.ty.in_enum(&krate);
                format!(
                    "#[serde(default, skip_serializing_if = \"Option::is_none\")]\n{}: {ty},",
                    f.ident
                )
            })
        }
        (ListForm::Declaration, _) => {
            check_derives(facts, list, &list.path, &list.derives, further)?;
            let imported = imported(facts);
            let krate = krate(&executor.module);
            each(&|f| format!("pub {}: {},", f.ident, f.ty.in_module(&krate, &imported)))
        }
        (ListForm::Tokens, _) => {
            let message = "cannot tell what a macro makes of these fields".to_owned();
            return Err(unclear(facts, list, message));
        }
        (ListForm::Pattern, Owner::Variant) if in_pattern => {
            arm.binds += 1;
            each(&|f| format!("{},", f.ident))
        }
        (ListForm::Pattern, _) if list.braces != Braces::Present => vec!["..".to_owned()],
        (ListForm::Pattern, _) => each(&|f| format!("{}: _,", f.ident)),
        (ListForm::Value, Owner::Input) if in_body => {
            arm.hands_on += 1;
            each(&|f| {
                let value = match executor.scrutinee {
                    Scrutinee::Borrowed => types::cloned(f.traits.copies, &f.ident),
                    Scrutinee::Owned => f.ident.clone(),
                };
                given(&f.ident, &value)
            })
        }
        // What the enqueue writes is the input that it was given.
        (ListForm::Value, Owner::Variant) if in_module && !list.is_test => match source() {
            Some(base) => each(&|f| given(&f.ident, &format!("{base}.{}", f.ident))),
            None => {
                let message = "cannot see where this takes its fields from".to_owned();
                return Err(unclear(facts, list, message));
            }
        },
        (ListForm::Value, _) if in_module && list.is_test && list.sees_parent => {
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
        (ListForm::Value, _) => {
            if !list.is_test && !context.index.is_for_tests(&facts.file.path) {
                let what = format!(
                    "give {} where it is known: `None` is as before",
                    fields_in_words(further)
                );
                plan.open_at(facts.place(&list.range), what);
            }
            each(&|f| given(&f.ident, "None"))
        }
    })
}

/// The fields, for people.
fn fields_in_words(further: &[Further<'_>]) -> String {
    let names: Vec<String> = further.iter().map(|f| format!("`{}`", f.name)).collect();
    names.join(" and ")
}

/// Refuses fields whose types lack what `name`, the enum or the input, derives.
fn check_derives(
    facts: &FileFacts,
    list: &FieldList,
    name: &str,
    derives: &[String],
    further: &[Further<'_>],
) -> Outcome<()> {
    let derives = |name: &str| derives.iter().any(|d| d == name);
    for field in further {
        let ty = field.ty.short();
        let is_float = mentions(&ty, "f32") || mentions(&ty, "f64");
        let lacks = if derives("Copy") && field.traits.copies != Some(true) {
            "Copy"
        } else if is_float && derives("Eq") {
            "Eq"
        } else if is_float && derives("Hash") {
            "Hash"
        } else {
            continue;
        };
        let message = format!(
            "`{name}` derives `{lacks}`, which `{}: {ty}` may not have",
            field.name
        );
        return Err(Refusal::new("further-fields", message)
            .at(facts.place(&list.range))
            .help(format!(
                "take `{lacks}` out of the derives, or choose another type"
            )));
    }
    Ok(())
}

/// Whether `name` stands in `body` as a variable: no part of a path, no field and no method.
fn has_variable(body: &str, name: &str) -> bool {
    whole_words(body, name).any(|at| {
        let after = &body[at + name.len()..];
        !body[..at].ends_with("::") && !body[..at].ends_with('.') && !after.starts_with("::")
    })
}

/// `name: value,`, or `name,` for both.
fn given(name: &str, value: &str) -> String {
    if name == value {
        format!("{name},")
    } else {
        format!("{name}: {value},")
    }
}

/// The variable that all values of the list are fields of: `input` of `{ a: input.a, b: input.b }`.
fn base(list: &FieldList) -> Option<String> {
    let is_name = |base: &str| base.chars().all(|c| c.is_alphanumeric() || c == '_');
    let bases = list.fields.iter().map(|field| {
        let (base, name) = field.value.rsplit_once('.')?;
        (name.trim_start_matches("r#") == field.name && is_name(base)).then_some(base)
    });
    let bases: Option<BTreeSet<&str>> = bases.collect();
    let mut bases = bases?.into_iter();
    let base = bases.next()?;
    bases.next().is_none().then(|| base.to_owned())
}

/// The one parameter that is the task's input, of the function that `list` stands in; `None` where
/// there is none, or where the function may have given it away.
fn given_input(facts: &FileFacts, list: &FieldList, input: &str) -> Option<String> {
    let around = |function: &&FnFact| function.range.contains(&list.range.start);
    let function = facts.functions.iter().filter(around).last()?;
    let mut params = function.params.iter().filter(|(_, ty)| ty == input);
    let (name, _) = params.next().filter(|_| params.clone().next().is_none())?;
    // Another pattern than a name takes the input apart, or drops it.
    let is_name = name.starts_with(char::is_alphabetic)
        && name.chars().all(|c| c.is_alphanumeric() || c == '_');
    let text = facts.text(&function.range);
    let inside = list.range.start - function.range.start;
    let name_end = function.name_range.end - function.range.start;
    let body = name_end + text[name_end..].find('{')?;
    let only_looks = whole_words(text, name).filter(|at| *at > body).all(|at| {
        let after = text[at + name.len()..].trim_start();
        let looks = after.starts_with(".idempotency_key(") || after.starts_with(".clone()");
        at < inside && (looks || text[..at].ends_with('&'))
    });
    (is_name && only_looks).then(|| name.to_owned())
}

/// Paths that the file imports at its top.
fn imported(facts: &FileFacts) -> BTreeSet<String> {
    let top = facts.uses.iter().filter(|u| u.is_top);
    top.map(|u| u.path.clone()).collect()
}
