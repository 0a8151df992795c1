//! The guideline's questions, answered from evidence.

use super::effects::Effect;
use super::evidence::{Evidence, Finding};
use super::sites::{Seen, Site};
use super::verdict::Reason;
use crate::index::{Code, Kind};

/// Whether an effect alone makes work a task.
pub(super) fn is_outside(effect: &Effect) -> bool {
    match effect {
        Effect::Model
        | Effect::Git
        | Effect::Process
        | Effect::Mail
        | Effect::Network
        | Effect::Loop
        | Effect::Tick => true,
        Effect::Status | Effect::Write | Effect::Files => false,
        Effect::Configured(rule) => rule.starts_with('Q'),
    }
}

/// The questions that the evidence answers with yes, each once, the weightiest first.
pub(super) fn questions(site: &Site, seen: &Seen<'_, '_>, evidence: &Evidence) -> Vec<Reason> {
    let mut findings: Vec<&Finding> = evidence.findings.iter().collect();
    findings.sort_by_key(|finding| {
        (
            !is_outside(&finding.effect),
            // That there are many says less than what is done.
            finding.effect == Effect::Loop,
            finding.depth,
            finding.effect.clone(),
            finding.from,
        )
    });
    let mut reasons: Vec<Reason> = Vec::new();
    for finding in &findings {
        for rule in finding.effect.rules() {
            if reasons
                .iter()
                .any(|reason| reason.rule.as_deref() == Some(rule))
            {
                continue;
            }
            let line = site
                .function
                .facts
                .place(&(finding.from..finding.from))
                .line;
            let about = finding.effect.about();
            let because = match &finding.through {
                None => format!("`{}` {about}", finding.call),
                Some(through) => format!(
                    "`{through}` {about} ({} at {}:{})",
                    finding.call, finding.path, finding.line
                ),
            };
            reasons.push(Reason {
                rule: Some(rule.to_owned()),
                because,
                line,
            });
        }
    }
    // A failure that is only logged is lost: another try would mend it.
    let is_remote = findings.iter().any(|finding| {
        matches!(
            finding.effect,
            Effect::Git | Effect::Mail | Effect::Network | Effect::Model
        )
    });
    if let (true, Some(at)) = (is_remote, only_logged(seen.work)) {
        reasons.push(Reason {
            rule: Some("Q6".to_owned()),
            because: "its failure is only logged: nobody tries again".to_owned(),
            line: site.function.facts.place(&(at..at)).line,
        });
    }
    reasons
}

/// Where a failure of the work is only logged.
fn only_logged(work: &Code) -> Option<usize> {
    let is_log = |code: &Code| match &code.kind {
        Kind::Macro(path, _) => {
            let name = path.rsplit("::").next().unwrap_or(path);
            matches!(name, "error" | "warn" | "eprintln" | "info")
        }
        _ => false,
    };
    let mut found = None;
    work.walk(&mut |part| {
        let body = match &part.kind {
            Kind::If(condition, then, _) if binds_error(condition) => Some(&**then),
            _ => None,
        };
        if let Some(Kind::Block(parts, _)) = body.map(|body| &body.kind)
            && parts.iter().all(is_log)
        {
            found.get_or_insert(part.range.start);
        }
        if let Kind::Match(_, arms) = &part.kind {
            let arm = arms.iter().find(|arm| is_error(&arm.binding.pattern));
            if arm.is_some_and(|arm| is_log(&arm.body)) {
                found.get_or_insert(part.range.start);
            }
        }
    });
    found
}

fn binds_error(condition: &Code) -> bool {
    matches!(&condition.kind, Kind::Let(of) if is_error(&of.binding.pattern))
}

fn is_error(pattern: &crate::index::Pattern) -> bool {
    matches!(pattern, crate::index::Pattern::TupleStruct(path, _) if path.rsplit("::").next() == Some("Err"))
}

/// What would decide where the work only writes, or reads files.
pub(super) fn decides(evidence: &Evidence) -> String {
    let files = evidence
        .findings
        .iter()
        .all(|finding| finding.effect == Effect::Files);
    if let Some((call, _)) = evidence.unknown.first() {
        return format!(
            "nothing is known of `{call}`: whether it takes long, or what is written may be lost, decides"
        );
    }
    if files {
        "how much there is to read or write decides: a moment (then it may stay, A1), or more than seconds (then it is a task, Q1)".to_owned()
    } else {
        "one short write: it decides whether it may be lost when the process ends here (then it may stay, A1) or not (then it is a task, Q3)".to_owned()
    }
}

/// What says that work writes down what came of other work that it did before.
pub(super) fn writes_result(work: &Code, evidence: &Evidence) -> Option<String> {
    let writes = evidence.findings.iter().filter(|finding| {
        matches!(finding.effect, Effect::Status | Effect::Write) && finding.depth <= 3
    });
    let first_write = writes.map(|finding| finding.from).min()?;
    let mut before = None;
    work.walk(&mut |part| {
        if let Kind::Await(of) = &part.kind
            && of.range.end < first_write
            && let Kind::Call(..) | Kind::Method(_) = &of.kind
        {
            before.get_or_insert_with(|| called(of));
        }
    });
    before.map(|call| {
        format!(
            "it holds what came of `{call}`, which nobody asks about again when the process ends"
        )
    })
}

/// The function that a call names.
fn called(call: &Code) -> String {
    match &call.kind {
        Kind::Call(callee, ..) => match &callee.kind {
            Kind::Path(path) => path.clone(),
            _ => "a call".to_owned(),
        },
        Kind::Method(method) => format!(".{}()", method.name),
        _ => "a call".to_owned(),
    }
}
