//! Sites and findings as SARIF 2.1.0, which a code host shows on their lines.

use serde_json::{Value, json};

use crate::check::{self, Finding};
use crate::digest::digest;
use crate::note::Place;
use crate::spawn::{Surveyed, Verdict};

/// What each verdict says, and how loud: those that are in order are no results.
const RULES: [(Verdict, &str, &str); 3] = [
    (
        Verdict::TaskSpec,
        "warning",
        "Spawned work that the guideline wants to be a task",
    ),
    (
        Verdict::Undecided,
        "note",
        "Spawned work that the evidence does not decide",
    ),
    (Verdict::Acceptable, "none", "Spawned work that may stay"),
];

/// The log of a survey: a result for each site that somebody should know of.
pub(super) fn log(sites: &[Surveyed]) -> Value {
    let rules = RULES.iter().map(|(verdict, level, text)| {
        json!({
            "id": verdict.name(),
            "shortDescription": { "text": text },
            "defaultConfiguration": { "level": level },
        })
    });
    let results = sites.iter().filter_map(result);
    run(&rules.collect::<Vec<_>>(), &results.collect::<Vec<_>>())
}

/// The log of a check: a result for each finding.
pub(super) fn findings(findings: &[Finding]) -> Value {
    let rules = check::RULES.iter().map(|rule| {
        json!({
            "id": rule.id,
            "shortDescription": { "text": rule.about },
            "defaultConfiguration": { "level": "error" },
        })
    });
    let results = findings.iter().map(of_finding);
    run(&rules.collect::<Vec<_>>(), &results.collect::<Vec<_>>())
}

/// A log of one run.
fn run(rules: &[Value], results: &[Value]) -> Value {
    json!({
        "$schema": "https://json.schemastore.org/sarif-2.1.0.json",
        "version": "2.1.0",
        "runs": [{
            "tool": {
                "driver": {
                    "name": "cargo-oxy-task",
                    "version": env!("CARGO_PKG_VERSION"),
                    "rules": rules,
                },
            },
            "columnKind": "unicodeCodePoints",
            "originalUriBaseIds": { "SRCROOT": { "description": { "text": "The root of the workspace" } } },
            "results": results,
        }],
    })
}

fn of_finding(of: &Finding) -> Value {
    let at = check::RULES.iter().position(|rule| rule.id == of.rule);
    json!({
        "ruleId": of.rule,
        "ruleIndex": at,
        "level": of.level.name(),
        "message": { "text": format!("{}\n\nhelp: {}", of.message, of.help) },
        "locations": [location(&of.place)],
        // What a code host knows a finding by when its line moves.
        "partialFingerprints": { "oxyTask/v1": digest(&of.key(), 16) },
    })
}

/// Where something stands, below the root of the workspace.
fn location(place: &Place) -> Value {
    json!({
        "physicalLocation": {
            "artifactLocation": { "uri": uri(&place.path), "uriBaseId": "SRCROOT" },
            "region": {
                "startLine": place.line,
                "startColumn": place.column,
                "endColumn": place.column + place.width,
            },
        },
    })
}

fn result(of: &Surveyed) -> Option<Value> {
    let at = RULES
        .iter()
        .position(|(verdict, ..)| *verdict == of.judgement.verdict)?;
    let (verdict, level, _) = RULES[at];
    let place = &of.site.place;
    let reasons = of
        .judgement
        .reasons
        .iter()
        .map(|reason| match &reason.rule {
            Some(rule) => format!("{rule}: {}", reason.because),
            None => reason.because.clone(),
        });
    let reasons: Vec<String> = reasons.collect();
    let mut result = json!({
        "ruleId": verdict.name(),
        "ruleIndex": at,
        "level": level,
        "message": { "text": format!("`{}`: {}", of.site.call, reasons.join("; ")) },
        "locations": [location(place)],
    });
    // By the standard what has the level `none` is not a finding of kind `fail`.
    if level == "none" {
        result["kind"] = Value::from("informational");
    }
    Some(result)
}

/// A relative path as a URI reference.
fn uri(path: &str) -> String {
    let is_plain = |b: u8| b.is_ascii_alphanumeric() || b"-._~/".contains(&b);
    let mut out = String::with_capacity(path.len());
    for b in path.bytes() {
        if is_plain(b) {
            out.push(char::from(b));
        } else {
            out.push_str(&format!("%{b:02X}"));
        }
    }
    out
}
