//! The work as it stands in its new place: its own text, with what ends it made into a result.

use std::ops::Range;

use super::Left;
use crate::index::{BodyOfWork, FileFacts, Logged, SpawnFact, WorkForm};
use crate::landmarks::Status;
use crate::note::{Outcome, Refusal};
use crate::spawn::{Called, Found};

/// The work in its new place.
pub(super) struct Moved {
    /// Statements, and the result.
    pub(super) text: String,
    /// What is left for a person.
    pub(super) open: Vec<Left>,
    /// Functions that the work called before and calls no more.
    pub(super) dead: Vec<String>,
}

/// What work that came to its end gives.
const DONE: &str = "Ok(Finished::new(\"\"))";

/// Moves the work of a site; `status` is the column that the task writes.
pub(super) fn moved(found: &Found, fact: &SpawnFact, status: Option<&Status>) -> Outcome<Moved> {
    let facts = &found.site.function.facts;
    let work = &fact.work;
    let mut moved = Moved {
        text: String::new(),
        open: Vec::new(),
        dead: Vec::new(),
    };
    // A span around the work needs the future as a value.
    let spans = work.around.iter().map(|range| facts.text(range));
    let spans: Vec<&str> = spans.filter(|text| !is_current_span(text)).collect();
    match &work.form {
        WorkForm::Async(body) if spans.is_empty() && !is_result(body) => {
            let result = inline(found, facts, body, status, &mut moved)?;
            moved.text = format!("{}\n{result}", unindented(&moved.text));
        }
        WorkForm::Prepared(before, body) if spans.is_empty() && !is_result(body) => {
            let result = inline(found, facts, body, status, &mut moved)?;
            let before = facts.text(before).trim();
            moved.text = format!("{before}\n{}\n{result}", unindented(&moved.text));
        }
        WorkForm::Async(body) | WorkForm::Prepared(_, body) => {
            let whole = normal(facts.text(&without_current_span(facts, fact)));
            moved.text = if is_result(body) {
                as_failure(&mut moved);
                format!(
                    "let done = {whole}.await;\ndone.map_err(|e| TaskError::Terminal(e.to_string()))?;\n{DONE}"
                )
            } else {
                logged_inside(facts, &mut moved, body);
                format!("{whole}.await;\n{DONE}")
            };
            written_inside(found, status, &mut moved);
        }
        WorkForm::Blocking(body) => {
            let whole = normal(facts.text(&work.range));
            let panicked = "|_| TaskError::Terminal(\"the work panicked\".to_owned())";
            let done = if is_result(body) {
                as_failure(&mut moved);
                format!(
                    "let done = tokio::task::spawn_blocking({whole}).await.map_err({panicked})?;\ndone.map_err(|e| TaskError::Terminal(e.to_string()))?;"
                )
            } else {
                logged_inside(facts, &mut moved, body);
                format!("tokio::task::spawn_blocking({whole}).await.map_err({panicked})?;")
            };
            moved.text = format!("{done}\n{DONE}");
            written_inside(found, status, &mut moved);
        }
        WorkForm::Future => {
            let range = without_current_span(facts, fact);
            let whole = normal(facts.text(&range));
            let call = found.calls.iter().find(|call| call.range == range);
            let output = call.map(|call| call.output.trim().to_owned());
            moved.text = match output.as_deref() {
                Some("") => format!("{whole}.await;\n{DONE}"),
                Some(output) if output.contains("Result") => {
                    as_failure(&mut moved);
                    format!(
                        "{whole}.await.map_err(|e| TaskError::Terminal(e.to_string()))?;\n{DONE}"
                    )
                }
                Some(_) => format!("let _ = {whole}.await;\n{DONE}"),
                None => {
                    let message = "what the spawned future gives is not known: it is no call of a function of the workspace";
                    return Err(Refusal::new("work-form", message)
                        .at(facts.place(&range))
                        .help("write it as a block: `tokio::spawn(async move { … })`"));
                }
            };
        }
    }
    for reason in &found.judgement.reasons {
        if let Some("Q1" | "Q2" | "Q3") = reason.rule.as_deref() {
            let lines = facts.file.text.split_inclusive('\n');
            let offset = lines.take(reason.line - 1).map(str::len).sum();
            let what = format!(
                "see that this may run twice ({}): when a worker dies after it, another one does it again",
                reason.because
            );
            moved.open.push(Left::moves(facts, offset, what));
            break;
        }
    }
    Ok(moved)
}

fn is_current_span(text: &str) -> bool {
    let plain: String = text.chars().filter(|c| !c.is_whitespace()).collect();
    plain.ends_with("in_current_span()")
        || plain.ends_with("Span::current())")
        || plain.contains("with_current_subscriber")
}

/// The future without what ties it to the span that spawned it: a task's has one of its own.
fn without_current_span(facts: &FileFacts, fact: &SpawnFact) -> Range<usize> {
    let mut range = fact.work.range.clone();
    for around in fact.work.around.iter().rev() {
        if !is_current_span(facts.text(around)) {
            break;
        }
        range.end = around.start;
    }
    range
}

/// Whether the block gives a `Result`.
fn is_result(body: &BodyOfWork) -> bool {
    body.tries
        || body.tail.as_ref().is_some_and(|tail| tail.is_result)
        || body.returns.iter().any(|of| of.has_value)
}

/// Text with `\n` as its line ends.
fn normal(text: &str) -> String {
    text.replace("\r\n", "\n")
}

/// A body without the white space around it.
fn unindented(text: &str) -> String {
    normal(text.trim_matches(['\n', '\r']).trim_end())
}

/// Says that a failure is for good, at the line that makes it one.
fn as_failure(moved: &mut Moved) {
    moved.open.push(Left::at(
        "TaskError::Terminal(",
        "say which failures of the work may succeed another time (`TaskError::Transient`): as it stands none is tried again",
    ));
}

/// The block's own statements; gives the result that stands behind them.
fn inline(
    found: &Found,
    facts: &FileFacts,
    body: &BodyOfWork,
    status: Option<&Status>,
    moved: &mut Moved,
) -> Outcome<String> {
    let mut edits: Vec<(Range<usize>, String)> = Vec::new();
    for of in &body.returns {
        edits.push((of.range.clone(), format!("return {DONE}")));
    }
    let written = status.and_then(|status| written(found, facts, body, status));
    let mut result = DONE.to_owned();
    if let (Some(written), Some(status), Some(last)) = (&written, status, &body.last) {
        edits.retain(|(range, _)| range.start < last.start);
        edits.push((last.clone(), String::new()));
        result = written.result(status);
        moved.dead.push(written.function.clone());
        as_failure(moved);
    } else if let Some(tail) = &body.tail
        && !tail.is_block
    {
        edits.push((tail.range.end..tail.range.end, ";".to_owned()));
    }
    let mut fails = false;
    for logged in &body.logged {
        if logged.is_last && written.is_none() {
            edits.extend(failure(facts, logged));
            fails = true;
        } else if !logged.is_last {
            moved
                .open
                .push(Left::moves(facts, logged.done.start, ONLY_LOGGED));
        }
    }
    if fails {
        as_failure(moved);
    }
    if written.is_none() {
        written_inside(found, status, moved);
    }
    edits.sort_by_key(|(range, _)| (range.start, range.end));
    let mut text = String::new();
    let mut done = body.inside.start;
    for (range, with) in edits {
        if range.start < done {
            let message = "two edits of the moved work meet";
            return Err(Refusal::new("edit-conflict", message)
                .at(facts.place(&range))
                .help("this is a bug of the tool; nothing was written"));
        }
        text.push_str(facts.text(&(done..range.start)));
        text.push_str(&with);
        done = range.end;
    }
    text.push_str(facts.text(&(done..body.inside.end)));
    moved.text = text;
    Ok(result)
}

/// Lets the error that was only logged fail the task too.
fn failure(facts: &FileFacts, logged: &Logged) -> Vec<(Range<usize>, String)> {
    let message = match (&logged.error, logged.is_debug) {
        (Some(error), false) => format!("{error}.to_string()"),
        (Some(error), true) => format!("format!(\"{{{error}:?}}\")"),
        (None, _) => "\"the work failed\".to_owned()".to_owned(),
    };
    let fails = format!("return Err(TaskError::Terminal({message}));");
    if logged.is_block {
        let end = logged.done.end - 1;
        let inside = facts.text(&(logged.done.start..end)).trim_end();
        let at = logged.done.start + inside.len();
        let semicolon = if inside.ends_with([';', '}']) {
            ""
        } else {
            ";"
        };
        vec![(at..at, format!("{semicolon}\n{fails}"))]
    } else {
        vec![
            (logged.done.start..logged.done.start, "{\n".to_owned()),
            (logged.done.end..logged.done.end, format!(";\n{fails}\n}}")),
        ]
    }
}

/// What is said of an error that nothing else comes of.
const ONLY_LOGGED: &str = "decide whether this error, which is only logged, should fail the task";

fn logged_inside(facts: &FileFacts, moved: &mut Moved, body: &BodyOfWork) {
    for logged in &body.logged {
        moved
            .open
            .push(Left::moves(facts, logged.done.start, ONLY_LOGGED));
    }
}

/// A call at the end of the work that writes the status.
struct Written {
    function: String,
    /// The variable that holds the status.
    status: String,
    /// The variable that holds why the work failed.
    reason: Option<String>,
}

impl Written {
    /// What the work gives in place of the call.
    fn result(&self, status: &Status) -> String {
        let Self {
            status: value,
            reason,
            ..
        } = self;
        let message = match reason {
            Some(reason) => format!("{reason}.unwrap_or_default()"),
            None => "\"the work failed\".to_owned()".to_owned(),
        };
        let failed = &status.failed;
        let keeps = match reason {
            Some(reason) => format!("answer: {reason}.unwrap_or_default(),"),
            None => "answer: String::new(),".to_owned(),
        };
        format!(
            "if {value} == {failed} {{\nreturn Err(TaskError::Terminal({message}));\n}}\nOk(Finished {{\n{keeps}\nstatus: Some({value}),\n}})"
        )
    }
}

/// The call that the work ends with, where it writes the status and nothing else.
fn written(
    found: &Found,
    facts: &FileFacts,
    body: &BodyOfWork,
    status: &Status,
) -> Option<Written> {
    let last = body.last.clone()?;
    let ty = status.ty.as_deref()?;
    let call = found.calls.iter().find(|call| {
        last.start <= call.range.start && call.range.end <= last.end && position(call, ty).is_some()
    })?;
    let argument = |at: usize| {
        let text = facts.text(call.arguments.get(at)?);
        let is_name = text.chars().all(|c| c.is_alphanumeric() || c == '_');
        is_name.then(|| text.to_owned())
    };
    let value = argument(position(call, ty)?)?;
    let reason = call.parameters.iter().position(|ty| ty == "Option<String>");
    // Nothing but the call, and a log of its failure.
    let behind: String = facts
        .text(&(call.range.end..last.end))
        .split_whitespace()
        .collect();
    let before: String = facts
        .text(&(last.start..call.range.start))
        .split_whitespace()
        .collect();
    let is_logged = body
        .logged
        .iter()
        .any(|of| of.is_last && last.start <= of.done.start && of.done.end <= last.end);
    let is_alone = match before.as_str() {
        "" | "let_=" => matches!(behind.as_str(), ".await" | ".await;" | ".await.ok();"),
        before => before.starts_with("ifletErr(") && behind.starts_with(".await{") && is_logged,
    };
    is_alone.then_some(Written {
        function: call.name.clone(),
        status: value,
        reason: reason.and_then(argument),
    })
}

fn position(call: &Called, ty: &str) -> Option<usize> {
    call.parameters.iter().position(|of| of == ty)
}

/// Names the calls by which the work itself writes the status still.
fn written_inside(found: &Found, status: Option<&Status>, moved: &mut Moved) {
    let Some(status) = status else {
        return;
    };
    let Some(ty) = status.ty.as_deref() else {
        return;
    };
    for call in found
        .calls
        .iter()
        .filter(|call| position(call, ty).is_some())
    {
        let what = format!(
            "let the work return the status (`Finished {{ status: Some(…), .. }}`) in place of writing it by `{}`: the task is its one writer",
            call.name
        );
        let facts = &found.site.function.facts;
        moved.open.push(Left::moves(facts, call.range.start, what));
    }
}
