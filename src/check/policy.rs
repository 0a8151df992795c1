//! OXT005: a variant enqueued without a policy, or with one that retries terminal errors: an empty
//! list of messages retries everything, and one that names a refusal retries what never succeeds.

use super::tokens::bare;
use super::{Checked, Finding, Level, Reading};
use crate::index::mentions;
use crate::landmarks::PolicyTypes;
use crate::note::Outcome;

/// Lists without an item.
const EMPTY: [&str; 4] = [
    "vec![]",
    "Vec::new()",
    "Vec::default()",
    "Default::default()",
];

/// Parts of messages of failures that another try does not mend.
const TERMINAL: [&str; 12] = [
    "auth",
    "permission",
    "denied",
    "forbidden",
    "unauthorized",
    "401",
    "403",
    "404",
    "not found",
    "expired",
    "invalid",
    "bad request",
];

/// Checks every place that enqueues, and the policy of every module.
pub(super) fn check(reading: &Reading<'_>, checked: &mut Checked) -> Outcome<()> {
    let of = &reading.landmarks.spec.fact.name;
    let policy = &reading.landmarks.policy;
    let name_of_policy = policy.policy.rsplit("::").next().unwrap_or_default();
    for site in &reading.enqueues.by_hand {
        let name = &site.variant;
        let message = if mentions(&site.code, name_of_policy) {
            match retries_terminal(&site.code, policy) {
                Some(why) => format!("the policy of `{of}::{name}` {why}"),
                None => continue,
            }
        } else if site.code.to_lowercase().contains("policy") {
            // It comes from elsewhere.
            continue;
        } else {
            format!("`{of}::{name}` is enqueued without a `{name_of_policy}`")
        };
        checked.findings.push(Finding {
            rule: "OXT005",
            level: Level::Warning,
            message,
            place: site.place.clone(),
            help: help(policy),
            function: site.function.clone(),
            tokens: name.clone(),
        });
    }
    for module in &reading.enqueues.modules {
        let facts = reading.index.facts(&module.path)?;
        let mut functions = facts.functions.iter().filter(|f| !f.is_test);
        let mut function = |name: &str| functions.find(|f| f.name == name);
        let name = &module.variant;
        let (at, message) = match function("policy") {
            Some(at) => match retries_terminal(&bare(facts.text(&at.range)), policy) {
                Some(why) => (at, format!("the policy of `{of}::{name}` {why}")),
                None => continue,
            },
            None => match facts.functions.iter().find(|f| f.name == "enqueue") {
                Some(at) if !bare(facts.text(&at.range)).contains("policy") => (
                    at,
                    format!("`{of}::{name}` is enqueued without a `{name_of_policy}`"),
                ),
                _ => continue,
            },
        };
        checked.findings.push(Finding {
            rule: "OXT005",
            level: Level::Warning,
            message,
            place: facts.place(&at.name_range),
            help: help(policy),
            function: at.name.clone(),
            tokens: name.clone(),
        });
    }
    Ok(())
}

fn help(policy: &PolicyTypes) -> String {
    format!(
        "give it a policy with a backoff whose `{}` names transient failures alone",
        policy.patterns_field
    )
}

/// Why a policy that is written out retries terminal errors, if it does; `code` is without layout.
fn retries_terminal(code: &str, policy: &PolicyTypes) -> Option<String> {
    let field = |name: &str| {
        let start = code.find(&format!("{name}:"))?;
        let value = &code[start + name.len() + 1..];
        (!value.starts_with(':')).then_some(value)
    };
    let never = field(&policy.max_field).is_some_and(|value| {
        let number = value.split(|c: char| !c.is_ascii_alphanumeric()).next();
        number.is_some_and(|number| number.trim_end_matches("u32") == "0")
    });
    if never {
        return None;
    }
    let patterns = field(&policy.patterns_field)?;
    if EMPTY.iter().any(|empty| patterns.starts_with(empty)) {
        return Some(format!(
            "retries every failure, terminal ones too: its `{}` is empty",
            policy.patterns_field
        ));
    }
    let list = patterns.split_once(']').map_or("", |(list, _)| list);
    let texts = list.split('"').skip(1).step_by(2);
    let terminal = |text: &&str| {
        let text = text.to_lowercase();
        TERMINAL.iter().any(|word| text.contains(word))
    };
    let mut texts = texts.filter(|text| text.is_empty() || terminal(text));
    texts.next().map(|text| {
        if text.is_empty() {
            "retries every failure, terminal ones too: it looks for an empty text".to_owned()
        } else {
            format!("retries \"{text}\", which another try does not mend")
        }
    })
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::landmarks::Backoffs;

    fn policy() -> PolicyTypes {
        let text = |text: &str| text.to_owned();
        PolicyTypes {
            policy: text("core::TaskPolicy"),
            retry_field: text("retry"),
            has_default: true,
            other_fields: Vec::new(),
            retry: text("core::RetryPolicy"),
            max_field: text("max_retries"),
            backoff_field: text("backoff"),
            patterns_field: text("retry_on"),
            backoff: text("core::Backoff"),
            forms: Backoffs {
                fixed: (text("Fixed"), text("delay_ms")),
                exponential: (text("Exponential"), text("first_ms"), text("max_ms")),
            },
            delay_method: text("delay"),
        }
    }

    #[test]
    fn what_never_succeeds_is_not_to_be_retried() {
        for (retry_on, why) in [
            ("vec![]", Some("is empty")),
            ("Vec::new()", Some("is empty")),
            ("vec![\"\".to_owned()]", Some("an empty text")),
            (
                "vec![\"timeout\".to_owned(), \"Permission denied\".to_owned()]",
                Some("\"Permission denied\""),
            ),
            ("vec![\"HTTP 401\".into()]", Some("\"HTTP 401\"")),
            ("vec![\"transient: \".to_owned()]", None),
            ("vec![\"timed out\".to_owned(), \"503\".to_owned()]", None),
            ("patterns()", None),
        ] {
            let code = bare(&format!(
                "RetryPolicy {{ max_retries: 5, retry_on: {retry_on} }}"
            ));
            let found = retries_terminal(&code, &policy());
            assert_eq!(found.is_some(), why.is_some(), "{retry_on}: {found:?}");
            assert!(found.unwrap_or_default().contains(why.unwrap_or_default()));
        }
        let never = bare("RetryPolicy { max_retries: 0, retry_on: vec![] }");
        assert_eq!(retries_terminal(&never, &policy()), None);
    }
}
