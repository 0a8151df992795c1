//! OXT008: a wire tag or a field that changed against the recorded snapshot, or two variants that
//! share a tag.

use std::ops::Range;

use super::{Finding, Level};
use crate::index::{FieldFact, VariantFact};
use crate::landmarks::{SpecEnum, field_case};
use crate::snapshot::changes::of_tag;
use crate::snapshot::form::{Tagged, field_rule};
use crate::snapshot::{Change, Recorded, WireForm, changes, variant_of};

/// Checks every snapshot against what stands, and the tags against each other.
pub(super) fn check(spec: &SpecEnum, recorded: &[Recorded], findings: &mut Vec<Finding>) {
    for known in recorded {
        let name = variant_of(spec, &known.record.form);
        match name.and_then(|name| spec.variant(&name)) {
            Some(variant) => {
                let form = WireForm::of(spec, variant);
                let changes = changes(&known.record.form, &form);
                findings.extend(changes.iter().map(|change| changed(spec, variant, change)));
            }
            None => findings.push(removed(spec, known)),
        }
    }
    shared(spec, findings);
}

fn finding(spec: &SpecEnum, range: &Range<usize>, name: &str, message: String) -> Finding {
    Finding {
        rule: "OXT008",
        level: Level::Error,
        place: spec.facts.place(range),
        help: String::new(),
        function: format!("{}::{name}", spec.fact.name),
        // What changed is known by what is said of it: two changes are two findings.
        tokens: message.clone(),
        message,
    }
}

fn changed(spec: &SpecEnum, variant: &VariantFact, change: &Change) -> Finding {
    let rule = field_rule(&spec.fact, variant);
    let key = |field: &&FieldFact| {
        let name = field.serde.rename.clone();
        Some(name.unwrap_or_else(|| field_case(rule, &field.name))) == change.field
    };
    let field = variant.fields.iter().flatten().find(key);
    let range = field.map_or(&variant.name_range, |field| &field.range);
    let level = if change.is_breaking {
        Level::Error
    } else {
        Level::Warning
    };
    Finding {
        level,
        help: change.help.clone(),
        ..finding(spec, range, &variant.name, change.message.clone())
    }
}

/// A snapshot whose tag no variant reads.
fn removed(spec: &SpecEnum, known: &Recorded) -> Finding {
    let form = &known.record.form;
    let of = &spec.fact.name;
    let message = format!(
        "rows {} no longer decode: `{of}::{}` is gone, and no other variant reads that tag",
        of_tag(&form.tagged, &form.tag),
        form.variant
    );
    Finding {
        help: format!(
            "where it was renamed, keep its tag: `#[serde(rename = \"{}\")]`; where it was removed, drain the queue first, and delete `{}` then",
            form.tag, known.file.path
        ),
        ..finding(spec, &spec.fact.name_range, &form.variant, message)
    }
}

/// Variants that are read from one tag: the first takes the rows of all. What stands under `#[cfg]`
/// may stand instead of the other.
fn shared(spec: &SpecEnum, findings: &mut Vec<Finding>) {
    let variants: Vec<&VariantFact> = spec.fact.variants.iter().filter(|v| !v.is_cfg).collect();
    for (at, variant) in variants.iter().enumerate() {
        let tags = spec.tags(variant);
        for other in &variants[..at] {
            let theirs = spec.tags(other);
            let Some(tag) = tags.iter().find(|tag| theirs.contains(tag)) else {
                continue;
            };
            let message = format!(
                "`{}` and `{}` share the tag \"{tag}\": rows {} decode as `{}` alone",
                other.name,
                variant.name,
                of_tag(&Tagged::of(&spec.fact), tag),
                other.name
            );
            findings.push(Finding {
                help: "give one of them another tag with `#[serde(rename = \"…\")]`".to_owned(),
                ..finding(spec, &variant.name_range, &variant.name, message)
            });
        }
    }
}
