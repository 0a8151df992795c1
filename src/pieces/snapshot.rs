//! The snapshot of the variant's wire form, with the request and what it brought.
//!
//! One that stands and says what the variant says is left alone, whatever else it holds, but for pieces
//! that are brought and not recorded. One that
//! says otherwise is left to `cargo oxy-task check`: to write it anew would hide what changed.

use std::sync::Arc;

use super::Piece;
use crate::landmarks::SpecEnum;
use crate::note::{Note, Outcome};
use crate::plan::Plan;
use crate::request::Field;
use crate::snapshot::form::{Shape, Tagged, WireField, WireForm, field_rule};
use crate::snapshot::{self, Record, Scaffolded};
use crate::task::Context;

/// The piece.
pub const PIECE: Piece = Piece {
    id: "snapshot",
    about: "the recorded wire form, with the request and what it brought",
    plan,
};

fn plan(context: &Context<'_>, plan: &mut Plan) -> Outcome<()> {
    let task = context.task;
    let landmarks = context.landmarks;
    let spec = &landmarks.spec;
    let standing = spec.variant(&task.request.variant);
    let standing = standing.map(|variant| WireForm::of(spec, variant));
    let tag = standing.as_ref().map_or(&task.tag, |form| &form.tag);
    let path = snapshot::path(&landmarks.snapshots, tag);
    let title = "the snapshot of the wire form";
    let recorded = snapshot::folder::at(context.index.workspace, &path)?;
    let form = to_be(context, standing.as_ref());
    let of = [spec.fact.name.clone(), spec.facts.file.path.clone()];
    if let Some(recorded) = &recorded {
        let is_up_to_date = recorded.record.form.is_same(&form);
        if is_up_to_date {
            plan.present(PIECE.id, title, &path);
            if recorded.record.scaffolded.is_some() {
                let file = Arc::clone(&recorded.file);
                plan.keep_up(recorded.record.clone(), file, of);
            }
            return Ok(());
        }
        let is_of_today = standing.is_some_and(|form| recorded.record.form.is_same(&form));
        if !is_of_today {
            plan.undecided(PIECE.id, title, &path);
            let variant = &task.request.variant;
            let message =
                format!("the recorded snapshot of `{variant}` says otherwise than the enum");
            plan.notes.push(
                Note::warning("snapshot-differs", message)
                    .at(recorded.file.place(&(0..3)))
                    .help("`cargo oxy-task check` says what rows of the queue that concerns; `cargo oxy-task list --write-snapshot` records what stands"),
            );
            return Ok(());
        }
    }
    let before = recorded
        .as_ref()
        .and_then(|recorded| recorded.record.scaffolded.clone());
    let scaffolded = match before {
        Some(mut before) => {
            grow(&mut before.request, context);
            before
        }
        None => Scaffolded {
            request: task.request.arguments(),
            pieces: Vec::new(),
        },
    };
    let record = Record {
        form,
        scaffolded: Some(scaffolded),
    };
    plan.record(
        PIECE.id,
        title,
        path,
        record,
        recorded.map(|recorded| recorded.file),
        of,
    );
    Ok(())
}

/// Adds the fields that are new to a recorded request. Its options stay: those of a later run change
/// nothing about what stands.
fn grow(request: &mut Vec<String>, context: &Context<'_>) {
    let task = context.task;
    let asked = task.request.arguments();
    let fields = asked.iter().skip(2).zip(&task.request.fields);
    let new = fields.filter(|(_, field)| task.further.contains(&field.name));
    let options = request
        .iter()
        .position(|argument| argument.starts_with("--"));
    let mut at = options.unwrap_or(request.len());
    for (argument, _) in new {
        if !request.contains(argument) {
            request.insert(at, argument.clone());
            at += 1;
        }
    }
}

/// The wire form that the variant will have.
fn to_be(context: &Context<'_>, standing: Option<&WireForm>) -> WireForm {
    let task = context.task;
    let spec = &context.landmarks.spec;
    let krate = spec.path.split("::").next().unwrap_or_default();
    let is_new = |field: &Field| standing.is_none() || task.further.contains(&field.name);
    let fields = task.fields.iter().filter(|(field, _)| is_new(field));
    let fresh = fields.map(|(field, ty)| {
        let name = name(spec, &task.request.variant, &field.name);
        let wire = WireField::new(name, &ty.in_enum(krate));
        if !field.is_option() {
            return wire;
        }
        WireField {
            mandatory: false,
            default: Some("Default::default".to_owned()),
            omitted: Some("Option::is_none".to_owned()),
            ..wire
        }
    });
    let fresh: Vec<WireField> = fresh.collect();
    let Some(standing) = standing else {
        return WireForm {
            variant: task.request.variant.clone(),
            tag: task.tag.clone(),
            aliases: Vec::new(),
            tagged: Tagged::of(&spec.fact),
            shape: if fresh.is_empty() {
                Shape::Unit
            } else {
                Shape::Struct
            },
            fields: fresh,
        };
    };
    let mut form = standing.clone();
    if form.shape == Shape::Unit && !fresh.is_empty() {
        form.shape = Shape::Struct;
    }
    form.fields.extend(fresh);
    form
}

/// The key of a field in a row.
fn name(spec: &SpecEnum, variant: &str, field: &str) -> String {
    let rule = match spec.variant(variant) {
        Some(variant) => field_rule(&spec.fact, variant),
        None => spec.fact.serde.rename_all_fields.as_deref(),
    };
    crate::landmarks::field_case(rule, field)
}
