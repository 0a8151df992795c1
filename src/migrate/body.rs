//! The work as it stands in its new place: its own text, with what ends it made into a result.

use std::ops::Range;

use super::apart::Renamed;
use super::{Left, named, short};
use crate::index::{BodyOfWork, FileFacts, Gives, Logged, Shown, SpawnFact, WorkForm};
use crate::landmarks::Status;
use crate::note::{Outcome, Refusal};
use crate::request::raw;
use crate::spawn::{Called, Found};

/// The work in its new place.
pub(super) struct Moved {
    /// Statements, and the result.
    pub(super) text: String,
    /// What is left for a person.
    pub(super) open: Vec<Left>,
    /// Functions that the work called before and calls no more.
    pub(super) dead: Vec<String>,
    /// What of the work does not move.
    gone: Range<usize>,
}

/// What work that came to its end gives.
const DONE: &str = "Ok(Finished::new(\"\"))";

/// Moves the work of a site; `status` is the column that the task writes. Work with a secret in hand
/// blocks a thread where its panics are not told.
pub(super) fn moved(
    found: &Found,
    fact: &SpawnFact,
    renamed: &Renamed,
    status: Option<&Status>,
    has_secret: bool,
) -> Outcome<Moved> {
    let facts = &found.site.function.facts;
    let work = &fact.work;
    let mut moved = Moved {
        text: String::new(),
        open: Vec::new(),
        dead: Vec::new(),
        gone: 0..0,
    };
    check_end(found, fact)?;
    named::check_names(found, fact)?;
    named::check_imports(found, fact)?;
    // A span around the work needs the future as a value.
    let spans = work.around.iter().map(|range| facts.text(range));
    let spans: Vec<&str> = spans.filter(|text| !is_current_span(text)).collect();
    match &work.form {
        WorkForm::Async(body) if spans.is_empty() && is_inline(found, body) => {
            let result = inline(found, renamed, body, status, &mut moved)?;
            moved.text = followed(&moved.text, &result);
        }
        WorkForm::Prepared(before, body) if spans.is_empty() && is_inline(found, body) => {
            let result = inline(found, renamed, body, status, &mut moved)?;
            let before = renamed.text(facts, before);
            moved.text = format!("{}\n{}", before.trim(), followed(&moved.text, &result));
        }
        WorkForm::Async(body) | WorkForm::Prepared(_, body) => {
            let whole = normal(&renamed.text(facts, &without_current_span(facts, fact)));
            moved.text = match given(found, body) {
                Gives::Result => {
                    let ty = output(found, body).unwrap_or(&whole);
                    let failed = failed_by(ty, &mut moved);
                    format!("let done = {whole}.await;\ndone{failed}?;\n{DONE}")
                }
                Gives::Option => format!("let done = {whole}.await;\ndone{NOTHING}?;\n{DONE}"),
                given => {
                    logged_inside(found, renamed, &mut moved, body);
                    let value = if matches!(given, Gives::Unit | Gives::Never) {
                        ""
                    } else {
                        dropped(found, renamed, body, &mut moved);
                        "let _ = "
                    };
                    format!("{value}{whole}.await;\n{DONE}")
                }
            };
            written_inside(found, renamed, status, &mut moved);
        }
        WorkForm::Blocking(body) => {
            let whole = normal(&renamed.text(facts, &work.range));
            let waits = |dropped: &str| {
                if has_secret {
                    format!("secrets::blocking({whole}).await{dropped}?")
                } else {
                    let panicked = "|_| TaskError::Terminal(\"the work panicked\".to_owned())";
                    format!(
                        "tokio::task::spawn_blocking({whole}).await{dropped}.map_err({panicked})?"
                    )
                }
            };
            let done = match given(found, body) {
                Gives::Result => {
                    let ty = output(found, body).unwrap_or(&whole);
                    let failed = failed_by(ty, &mut moved);
                    format!("let done = {};\ndone{failed}?;", waits(""))
                }
                Gives::Option => format!("let done = {};\ndone{NOTHING}?;", waits("")),
                given => {
                    logged_inside(found, renamed, &mut moved, body);
                    if matches!(given, Gives::Unit | Gives::Never) {
                        format!("{};", waits(""))
                    } else {
                        dropped(found, renamed, body, &mut moved);
                        format!("{};", waits(".map(drop)"))
                    }
                }
            };
            moved.text = format!("{done}\n{DONE}");
            written_inside(found, renamed, status, &mut moved);
        }
        WorkForm::Future => {
            let range = without_current_span(facts, fact);
            let whole = normal(&renamed.text(facts, &range));
            let call = found.calls.iter().find(|call| call.range == range);
            let output = call.map(|call| call.output.trim().to_owned());
            moved.text = match output.as_deref() {
                Some("") => format!("{whole}.await;\n{DONE}"),
                Some(output) if output.contains("Result") => {
                    let failed = failed_by(output, &mut moved);
                    format!("{whole}.await{failed}?;\n{DONE}")
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
    let gone = moved.gone.clone();
    for of in found.repeats.iter().filter(|of| !gone.contains(&of.at)) {
        let what = format!(
            "see that this may run twice ({}): when a worker dies after it, another one does it again",
            of.because
        );
        moved.open.push(Left::moves(facts, renamed, of.at, what));
    }
    Ok(moved)
}

/// Refuses work that never ends: a task ends, and what comes again has a schedule.
fn check_end(found: &Found, fact: &SpawnFact) -> Outcome<()> {
    let body = match &fact.work.form {
        WorkForm::Async(body) | WorkForm::Blocking(body) | WorkForm::Prepared(_, body) => body,
        WorkForm::Future => return Ok(()),
    };
    let Some(range) = &body.endless else {
        return Ok(());
    };
    let place = found
        .site
        .function
        .facts
        .place(&(range.start..range.start + 4));
    Err(Refusal::new("work-endless", "the work never ends: nothing leaves this loop")
        .at(place)
        .help("make what one round does a task of its own, with `cargo oxy-task new … --schedule`; then take the spawn out"))
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

/// What makes the lack of a value a failure of the task.
const NOTHING: &str = ".ok_or_else(|| TaskError::Terminal(\"the work gave nothing\".to_owned()))";

/// What the block gives, by its own text and by the functions that it ends with.
fn given(found: &Found, body: &BodyOfWork) -> Gives {
    match body.gives {
        Gives::Unit | Gives::Never | Gives::Unknown if body.tries => Gives::Result,
        Gives::Unknown => called(found, body).unwrap_or(Gives::Unknown),
        given => given,
    }
}

/// What a call of a function of the workspace gives, where the block ends with it.
fn called(found: &Found, body: &BodyOfWork) -> Option<Gives> {
    let output = output(found, body)?;
    Some(match output.trim() {
        "" | "()" => Gives::Unit,
        output if output.contains("Result") => Gives::Result,
        output if output.starts_with("Option") => Gives::Option,
        _ => Gives::Value,
    })
}

/// The type that such a call gives.
fn output<'f>(found: &'f Found, body: &BodyOfWork) -> Option<&'f str> {
    let tail = body.tail.as_ref()?;
    let text = found.site.function.facts.text(&tail.range);
    let end = match text.strip_suffix(".await") {
        Some(call) => tail.range.start + call.trim_end().len(),
        None => tail.range.end,
    };
    let mut calls = found.calls.iter();
    let call = calls.find(|call| call.range == (tail.range.start..end))?;
    Some(&call.output)
}

/// Whether the block's statements can stand as those of the task's work: nothing but its own end
/// and a plain `return` ends it.
fn is_inline(found: &Found, body: &BodyOfWork) -> bool {
    let is_plain = !body.returns_in_macro && body.returns.iter().all(|of| !of.has_value);
    let is_block = body.tail.as_ref().is_some_and(|tail| tail.is_block);
    is_plain
        && match given(found, body) {
            Gives::Unit | Gives::Never => true,
            Gives::Result => false,
            Gives::Option => !body.tries && !is_block,
            Gives::Value => !is_block,
            Gives::Unknown => !is_block && body.tail.as_ref().is_some_and(|tail| tail.is_awaited),
        }
}

/// Says that nothing looks at what the block gives.
fn dropped(found: &Found, renamed: &Renamed, body: &BodyOfWork, moved: &mut Moved) {
    let facts = &found.site.function.facts;
    if let Some(tail) = &body.tail {
        let what = "decide whether what the work gives, which nothing looks at, can be a failure of the task";
        moved
            .open
            .push(Left::moves(facts, renamed, tail.range.start, what));
    }
}

/// Text with `\n` as its line ends.
fn normal(text: &str) -> String {
    text.replace("\r\n", "\n")
}

/// A body with its result behind it, and an empty line in between where one stood there.
fn followed(body: &str, result: &str) -> String {
    let body = normal(body);
    let body = body.trim_start_matches('\n');
    let end: String = body
        .chars()
        .rev()
        .take_while(|c| c.is_whitespace())
        .collect();
    let gap = if end.matches('\n').count() > 1 {
        "\n\n"
    } else {
        "\n"
    };
    format!("{}{gap}{result}", body.trim_end())
}

/// What makes an error a failure of the task, by a text that holds the error's type.
fn failed_by(text: &str, moved: &mut Moved) -> &'static str {
    let plain: String = text.chars().filter(|c| !c.is_whitespace()).collect();
    if plain.contains("io::Error>") || plain.contains("io::Result<") {
        return ".map_err(TaskError::from)";
    }
    as_failure(moved);
    if is_tuple(&plain) {
        return ".map_err(|e| TaskError::Terminal(format!(\"{e:?}\")))";
    }
    ".map_err(|e| TaskError::Terminal(e.to_string()))"
}

/// Whether a text without white space says that an error is a tuple, which has no `Display`.
fn is_tuple(plain: &str) -> bool {
    let heads = ["Result<", "Ok::<", "Err::<"];
    let starts = heads.iter().flat_map(|head| {
        let found = plain.match_indices(head);
        found.map(|(at, _)| at + head.len())
    });
    starts.into_iter().any(|start| {
        let mut depth = 0_usize;
        for (at, c) in plain[start..].char_indices() {
            match c {
                '<' | '(' | '[' => depth += 1,
                '>' | ')' | ']' if depth == 0 => return false,
                '>' | ')' | ']' => depth -= 1,
                ',' if depth == 0 => return plain[start + at + 1..].starts_with('('),
                _ => {}
            }
        }
        false
    })
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
    renamed: &Renamed,
    body: &BodyOfWork,
    status: Option<&Status>,
    moved: &mut Moved,
) -> Outcome<String> {
    let facts = &found.site.function.facts;
    let mut edits: Vec<(Range<usize>, String)> = Vec::new();
    for of in &body.returns {
        edits.push((of.range.clone(), format!("return {DONE}")));
    }
    let written = status.and_then(|status| written(found, renamed, body, status));
    // Where the work never comes to its end, a result behind it would be out of reach.
    let mut result = if body.never_ends {
        String::new()
    } else {
        DONE.to_owned()
    };
    if let (Some(last), Some(of)) = (&body.last, body.returns.last())
        && last.start == of.range.start
    {
        // A `return` at the end says nothing that the result does not.
        edits.pop();
        edits.push((last.clone(), String::new()));
        DONE.clone_into(&mut result);
    }
    if let (Some(written), Some(status), Some(last)) = (&written, status, &body.last) {
        edits.retain(|(range, _)| range.start < last.start);
        edits.push((last.clone(), String::new()));
        result = written.result(&failed(facts, status));
        moved.dead.push(written.function.clone());
        moved.gone = last.clone();
        as_failure(moved);
    } else if let Some(tail) = &body.tail
        && !tail.is_block
    {
        if given(found, body) == Gives::Unknown {
            edits.push((tail.range.start..tail.range.start, "let _ = ".to_owned()));
            dropped(found, renamed, body, moved);
        }
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
                .push(Left::moves(facts, renamed, logged.done.start, ONLY_LOGGED));
        }
    }
    if fails {
        as_failure(moved);
    }
    if written.is_none() {
        written_inside(found, renamed, status, moved);
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
        text.push_str(&renamed.text(facts, &(done..range.start)));
        text.push_str(&with);
        done = range.end;
    }
    text.push_str(&renamed.text(facts, &(done..body.inside.end)));
    moved.text = text;
    Ok(result)
}

/// Lets the error that was only logged fail the task too.
fn failure(facts: &FileFacts, logged: &Logged) -> Vec<(Range<usize>, String)> {
    let message = match (&logged.error, logged.shown) {
        (Some(error), Some(Shown::Display)) => format!("{}.to_string()", raw(error)),
        (Some(error), Some(Shown::Debug)) => format!("format!(\"{{{error}:?}}\")"),
        // What can be said of it as a whole is not known.
        _ => "\"the work failed\".to_owned()".to_owned(),
    };
    let fails = format!("return Err(TaskError::Terminal({message}));");
    if let Some((end, has_semi)) = logged.block {
        let close = logged.done.end - 1;
        let mut edits = Vec::new();
        if !has_semi {
            edits.push((end..end, ";".to_owned()));
        }
        // Behind the comments that stand behind the last statement.
        let inside = facts.text(&(end..close)).trim_end();
        let at = end + inside.len();
        edits.push((at..at, format!("\n{fails}")));
        edits
    } else {
        vec![
            (logged.done.start..logged.done.start, "{\n".to_owned()),
            (logged.done.end..logged.done.end, format!(";\n{fails}\n}}")),
        ]
    }
}

/// What is said of an error that nothing else comes of.
const ONLY_LOGGED: &str = "decide whether this error, which is only logged, should fail the task";

fn logged_inside(found: &Found, renamed: &Renamed, moved: &mut Moved, body: &BodyOfWork) {
    let facts = &found.site.function.facts;
    for logged in &body.logged {
        moved
            .open
            .push(Left::moves(facts, renamed, logged.done.start, ONLY_LOGGED));
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
    fn result(&self, failed: &str) -> String {
        let Self {
            status: value,
            reason,
            ..
        } = self;
        let message = match reason {
            Some(reason) => format!("{reason}.unwrap_or_default()"),
            None => "\"the work failed\".to_owned()".to_owned(),
        };
        let keeps = match reason {
            Some(reason) => format!("answer: {reason}.unwrap_or_default(),"),
            None => "answer: String::new(),".to_owned(),
        };
        format!(
            "if {value} == {failed} {{\nreturn Err(TaskError::Terminal({message}));\n}}\nOk(Finished {{\n{keeps}\nstatus: Some({value}),\n}})"
        )
    }
}

/// The value of a failed task as it is written in the file.
fn failed(facts: &FileFacts, status: &Status) -> String {
    let Some(ty) = &status.ty else {
        return status.failed.clone();
    };
    let last = ty.rsplit("::").next().unwrap_or(ty);
    let written = short(facts, ty);
    match status.failed.strip_prefix(last) {
        Some(rest) => format!("{written}{rest}"),
        None => status.failed.clone(),
    }
}

/// The call that the work ends with, where it writes the status and nothing else.
fn written(
    found: &Found,
    renamed: &Renamed,
    body: &BodyOfWork,
    status: &Status,
) -> Option<Written> {
    let facts = &found.site.function.facts;
    let last = body.last.clone()?;
    let ty = status.ty.as_deref()?;
    let call = found.calls.iter().find(|call| {
        last.start <= call.range.start && call.range.end <= last.end && position(call, ty).is_some()
    })?;
    let argument = |at: usize| {
        let text = renamed.text(facts, call.arguments.get(at)?);
        let is_name = text.chars().all(|c| c.is_alphanumeric() || c == '_');
        (is_name && text != "None").then_some(text)
    };
    let value = argument(position(call, ty)?)?;
    // The row is that of the task: of another one the call stays what it is.
    let is_row = |range: &Range<usize>| {
        let text = renamed.text(facts, range);
        let plain = text.trim_start_matches(['&', '*']);
        let plain = plain.strip_suffix(".clone()").unwrap_or(plain);
        let rest = plain.strip_prefix(status.field.as_str());
        rest.is_some_and(|rest| ["", "_clone", "_cloned", "_copy", "_owned"].contains(&rest))
    };
    if !call.arguments.iter().any(is_row) {
        return None;
    }
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
fn written_inside(found: &Found, renamed: &Renamed, status: Option<&Status>, moved: &mut Moved) {
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
        moved
            .open
            .push(Left::moves(facts, renamed, call.range.start, what));
    }
}
