//! What stands at the site afterwards: the enqueue in place of the spawn, and nothing that only
//! the spawn used.

use std::ops::Range;

use super::fields::{CONNECTION, Carried, Handle};
use super::{Left, SiteRequest};
use crate::index::{SpawnFact, UseFact, WorkForm, whole_words};
use crate::note::{Outcome, Refusal};
use crate::spawn::{ErrorForm, Found};
use crate::types::is_copy;
use crate::workspace::SourceFile;

/// A change of the site's file.
#[derive(Debug, Clone)]
pub struct Change {
    /// What goes.
    pub range: Range<usize>,
    /// What comes.
    pub with: With,
}

/// What comes in place of something.
#[derive(Debug, Clone)]
pub enum With {
    /// Nothing.
    Nothing,
    /// The call that enqueues the task.
    Enqueue(Call),
    /// An item.
    Item(String),
}

/// The call that enqueues the task.
#[derive(Debug, Clone)]
pub struct Call {
    /// A statement that makes the connection.
    pub before: Option<String>,
    /// The connection to the database.
    pub rows: String,
    /// Values by the fields that they are for.
    pub inputs: Vec<(String, String)>,
    /// Values of the helper's further parameters.
    pub extra: Vec<String>,
    /// What is made of an error: `?`, behind a `.map_err(…)` where one is needed.
    pub on_error: String,
}

/// What is known of the site.
pub(super) struct Site<'a> {
    pub(super) found: &'a Found,
    pub(super) fact: &'a SpawnFact,
    pub(super) carried: &'a [Carried],
    /// The handles that the work took with it.
    pub(super) taken: &'a [Handle],
    /// Further parameters of the enqueue helper: name and type.
    pub(super) extra: &'a [(String, String)],
    pub(super) asked: &'a SiteRequest,
}

/// The changes, in any order; `dead` are functions that the work does not call any more, and `body`
/// is the work as it stands elsewhere.
pub(super) fn changes(
    site: &Site<'_>,
    dead: &[String],
    body: &str,
    open: &mut Vec<Left>,
) -> Outcome<Vec<Change>> {
    let Site { found, fact, .. } = *site;
    let statement = match &fact.statement {
        Some(statement) if !statement.is_value && !site.is_used(statement) => statement,
        _ => {
            let message = "the handle that the call gives is used";
            return Err(Refusal::new("spawn-value", message)
                .at(found.site.place.clone())
                .help("a task has an id in place of a handle: let the code ask for its run by that, and drop the handle first"));
        }
    };
    if let Some(why) = fact.not_async {
        let message = format!("a task cannot be enqueued here: {why}, and the enqueue is awaited");
        return Err(Refusal::new("not-async", message)
            .at(found.site.place.clone())
            .help("make it async and await it where it is called, or let it return what is to be done"));
    }
    let mut changes = vec![Change {
        range: statement.range.clone(),
        with: With::Enqueue(site.call(open)?),
    }];
    changes.extend(site.unused(open));
    changes.extend(dead.iter().filter_map(|name| site.dead(name)));
    let imports = site.imports(&changes, body);
    changes.extend(imports);
    Ok(changes)
}

impl Site<'_> {
    fn is_used(&self, statement: &crate::index::Statement) -> bool {
        let handle = statement.handle.as_ref();
        handle.is_some_and(|handle| self.uses_after(handle, statement.range.end))
    }

    fn uses_after(&self, name: &str, offset: usize) -> bool {
        let mut used = self.found.used.iter();
        used.any(|(used, at)| used == name && *at >= offset)
    }

    fn given(&self, name: &str) -> Option<String> {
        let mut arguments = self.asked.arguments.iter();
        let found = arguments.find(|(of, _)| of == name);
        found.map(|(_, text)| text.clone())
    }

    fn call(&self, open: &mut Vec<Left>) -> Outcome<Call> {
        let (on_error, is_other) = self.on_error()?;
        if is_other {
            open.push(Left::stays(
                self.found.site.offset,
                "say in its own words that the enqueue failed: the message is that of another error",
            ));
        }
        let (before, rows) = self.rows(&on_error)?;
        let inputs = self.carried.iter().map(|of| {
            let value = match &of.reference {
                Some(reference) => reference.clone(),
                None => self.value(of),
            };
            (of.field.ident(), value)
        });
        let extra = self.extra.iter().map(|(name, ty)| {
            let plain: String = ty.split_whitespace().collect();
            let last = plain.rsplit("::").next().unwrap_or(&plain).to_owned();
            let fits = |value: &&crate::spawn::Value| {
                let own = value.text.rsplit('.').next() == Some(name);
                own && value.ty.rsplit("::").next() == Some(last.as_str())
            };
            let value = self.found.values.iter().find(fits);
            let value = value.map(|value| format!("{}.clone()", value.text));
            self.given(name).or(value).ok_or_else(|| {
                let message =
                    format!("the enqueue takes `{name}: {ty}`, and nothing in scope is that");
                Refusal::new("no-argument", message)
                    .at(self.found.site.place.clone())
                    .help(format!("say what it is: `--arg {name}=EXPR`"))
            })
        });
        Ok(Call {
            before,
            rows,
            inputs: inputs.collect(),
            extra: extra.collect::<Outcome<_>>()?,
            on_error,
        })
    }

    /// The value of a variable that the work took with it.
    fn value(&self, of: &Carried) -> String {
        let is_moved = matches!(
            self.fact.work.form,
            WorkForm::Async(_) | WorkForm::Blocking(_)
        );
        let copies = is_copy(&of.field.ty, &|name| (name == "uuid::Uuid").then_some(true));
        let end = self
            .fact
            .statement
            .as_ref()
            .map_or(self.fact.call.end, |of| of.range.end);
        let is_last = !self.fact.is_in_loop && !self.uses_after(&of.variable, end);
        if is_moved || is_last || copies == Some(true) {
            of.variable.clone()
        } else {
            format!("{}.clone()", of.variable)
        }
    }

    /// The connection to the database: one in scope, else what the file's functions make one by.
    fn rows(&self, on_error: &str) -> Outcome<(Option<String>, String)> {
        if let Some(given) = self.given("db") {
            return Ok((None, given));
        }
        let is_taken = |text: &str| self.taken.iter().any(|handle| handle.name == text);
        let values = || self.found.values.iter();
        let plain = |ty: &str| ty.trim_start_matches('&').trim() == CONNECTION;
        let all: Vec<_> = values().filter(|value| plain(&value.ty)).collect();
        let kept = all.iter().find(|value| !is_taken(&value.text));
        if let Some(value) = kept.or(all.first()) {
            let borrow = if value.ty.starts_with('&') { "" } else { "&" };
            return Ok((None, format!("{borrow}{}", value.text)));
        }
        let givers: Vec<_> = self
            .found
            .givers
            .iter()
            .filter(|giver| giver.ty == CONNECTION)
            .collect();
        if let [giver] = givers.as_slice() {
            let waits = if giver.is_async { ".await" } else { "" };
            let fails = if giver.is_fallible { on_error } else { "" };
            let own = self.found.site.function.facts.uses.iter();
            let mut own = own.filter(|import| import.is_top && import.path == giver.path);
            let path = own.next().map_or(&giver.path, |import| &import.name);
            let made = format!("let db = {path}(){waits}{fails};");
            return Ok((Some(made), "&db".to_owned()));
        }
        let message = "no connection to the database is at hand where the task is to be enqueued";
        Err(Refusal::new("no-rows", message)
            .at(self.found.site.place.clone())
            .help("say what it is: `--arg db=EXPR`, `--arg 'db=&state.db'` say"))
    }

    /// What is made of an error: what the function makes of others.
    ///
    /// The flag says that the words are those of another error.
    fn on_error(&self) -> Outcome<(String, bool)> {
        if let Some(given) = self.given("map_err") {
            return Ok((format!(".map_err({given})?"), false));
        }
        let facts = &self.found.site.function.facts;
        let output: String = self.found.output.split_whitespace().collect();
        let refuse = |message: &str, help: &str| {
            Err(Refusal::new("no-error-form", message)
                .at(self.found.site.place.clone())
                .help(help))
        };
        if self.fact.is_in_block {
            return refuse(
                "the call stands in an `async` block, where an error of the enqueue would go nowhere",
                "move the call into a function that gives a `Result`",
            );
        }
        if !output.contains("Result") {
            return refuse(
                "the function gives no `Result` that could say that nothing was enqueued",
                "let it return one, as handlers do",
            );
        }
        let forms = &self.found.error_forms;
        let site = self.found.site.offset;
        // What speaks of the database fits; what is made of an error of its calls nearly does.
        let rank = |form: &ErrorForm| {
            let text = facts.text(&form.closure).to_lowercase();
            let says = ["db", "database"]
                .iter()
                .any(|word| whole_words(&text, word).next().is_some());
            let on = facts.text(&form.on).contains("db");
            match (says, on) {
                (true, _) => 0,
                (_, true) => 1,
                _ => 2,
            }
        };
        let nearest = forms.iter().min_by_key(|form| {
            let at = form.closure.start;
            (rank(form), !form.is_own, at > site, at.abs_diff(site))
        });
        if let Some(form) = nearest {
            let closure = facts.text(&form.closure).replace("\r\n", "\n");
            let is_other = rank(form) > 0;
            let form = format!(".map_err({closure})?");
            return Ok((form, is_other));
        }
        if ["anyhow", "Box<dyn", "DbErr", "eyre"]
            .iter()
            .any(|of| output.contains(of))
        {
            return Ok(("?".to_owned(), false));
        }
        refuse(
            "the function has no `.map_err(…)` that says what a failed enqueue should be",
            "give one: `--arg 'map_err=|e| …'`, from a `DbErr` to the function's own error",
        )
    }

    /// Declarations that only the spawn used.
    fn unused(&self, open: &mut Vec<Left>) -> Vec<Change> {
        let file = &self.found.site.function.facts.file;
        let mut changes = Vec::new();
        // A variable that held the future goes with it.
        let is_behind = |of: &&crate::index::LetFact| of.value == self.fact.work.range;
        for of in self.fact.lets.iter().filter(is_behind) {
            if !self.fact.call.contains(&of.range.start) {
                changes.push(whole_lines(file, &of.range));
            }
        }
        let secrets = self.carried.iter().filter(|of| of.reference.is_some());
        let names = secrets
            .map(|of| &of.variable)
            .chain(self.taken.iter().map(|of| &of.name));
        for name in names {
            let before = |of: &&crate::index::LetFact| {
                of.name == *name && of.range.end <= self.fact.call.start
            };
            let Some(of) = self.fact.lets.iter().rfind(before) else {
                continue;
            };
            if self.uses_after(name, of.range.end) {
                continue;
            }
            if of.is_clone {
                changes.push(whole_lines(file, &of.range));
            } else {
                // What it checks is checked as before.
                changes.push(Change {
                    range: of.range.start..of.value.start,
                    with: With::Nothing,
                });
                let what = format!(
                    "see whether the request should still check this: the work loads `{name}` by itself"
                );
                open.push(Left::stays(of.range.start, what));
            }
        }
        changes
    }

    /// A private function of the file that nothing names any more.
    fn dead(&self, name: &str) -> Option<Change> {
        let facts = &self.found.site.function.facts;
        let of = facts.functions.iter().find(|of| of.name == name)?;
        let is_private = !facts.text(&of.range).contains(&format!("pub fn {name}"))
            && !of.is_pub
            && of.in_impl.is_none()
            && of.module.is_empty();
        let uses = whole_words(&facts.file.text, name).count();
        // Its own name, and the call that went.
        if !is_private || uses > 2 || facts.text(&of.range).starts_with("pub") {
            return None;
        }
        let item = facts.items.iter().find(|item| {
            item.range.start <= of.name_range.start && of.name_range.end <= item.range.end
        })?;
        let mut change = whole_lines(&facts.file, &item.range);
        // One of the two empty lines around it goes too.
        let text = &facts.file.text;
        let rest = &text[change.range.end..];
        let line = rest.split_inclusive('\n').next().unwrap_or("");
        if line.trim().is_empty() {
            change.range.end += line.len();
        }
        Some(change)
    }

    /// Imports that nothing names any more once `gone` is taken out and `body` stands elsewhere.
    fn imports(&self, gone: &[Change], body: &str) -> Vec<Change> {
        let facts = &self.found.site.function.facts;
        let text = &facts.file.text;
        let is_gone = |at: usize| gone.iter().any(|change| change.range.contains(&at));
        let stays: Vec<&UseFact> = facts.uses.iter().filter(|of| of.is_top).collect();
        let is_import = |at: usize| stays.iter().any(|of| of.range.contains(&at));
        let comes: Vec<&str> = gone.iter().flat_map(Change::texts).chain([body]).collect();
        let is_dead = |of: &&&UseFact| {
            let mut uses = whole_words(text, &of.name)
                .filter(|at| !is_import(*at))
                .peekable();
            // A trait is named by its methods.
            let was_used = uses.peek().is_some() || self.follows(&of.name, text);
            let is_used = uses.any(|at| !is_gone(at))
                || comes.iter().any(|text| {
                    whole_words(text, &of.name).next().is_some() || self.follows(&of.name, text)
                })
                || self.follows_outside(&of.name, &is_gone);
            was_used && !is_used && !of.is_pub && of.name != "_" && of.name != "*"
        };
        let dead: Vec<&&UseFact> = stays.iter().filter(is_dead).collect();
        let mut changes: Vec<Change> = Vec::new();
        for of in &dead {
            let start = of.range.start;
            if changes
                .iter()
                .any(|change| change.range.start == facts.file.line_start(start))
            {
                continue;
            }
            let gone = dead.iter().filter(|other| other.range == of.range);
            let gone: Vec<&str> = gone.map(|of| of.name.as_str()).collect();
            changes.extend(without(&facts.file, &of.range, &gone));
        }
        changes
    }

    /// Whether `name` is the trait by which a future follows a span, and `text` calls it.
    fn follows(&self, name: &str, text: &str) -> bool {
        name == "Instrument"
            && (text.contains(".instrument(") || text.contains(".in_current_span("))
    }

    /// The same for the site's file without what is gone.
    fn follows_outside(&self, name: &str, is_gone: &dyn Fn(usize) -> bool) -> bool {
        let text = &self.found.site.function.facts.file.text;
        let mut calls = [".instrument(", ".in_current_span("]
            .into_iter()
            .flat_map(|call| text.match_indices(call));
        name == "Instrument" && calls.any(|(at, _)| !is_gone(at))
    }
}

impl Change {
    /// The texts that come.
    fn texts(&self) -> Vec<&str> {
        let With::Enqueue(call) = &self.with else {
            return Vec::new();
        };
        let values = call.inputs.iter().map(|(_, value)| value.as_str());
        let texts = [call.rows.as_str(), call.on_error.as_str()];
        let texts = texts
            .into_iter()
            .chain(call.before.as_deref())
            .chain(values);
        texts.chain(call.extra.iter().map(String::as_str)).collect()
    }
}

/// A `use` declaration without some of its names; `None` where it is written in a form that is not
/// changed.
fn without(file: &SourceFile, range: &Range<usize>, names: &[&str]) -> Option<Change> {
    let text = file.text.get(range.clone())?;
    let Some((path, list)) = text.split_once('{') else {
        return Some(whole_lines(file, range));
    };
    let list = list.trim_end_matches(';').trim_end().strip_suffix('}')?;
    if list.contains(['{', '/']) || !path.starts_with("use ") {
        return None;
    }
    let kept: Vec<&str> = list
        .split(',')
        .map(str::trim)
        .filter(|leaf| !leaf.is_empty())
        .filter(|leaf| !names.contains(&leaf.rsplit(' ').next().unwrap_or(leaf)))
        .collect();
    let with = match kept.as_slice() {
        [] => return Some(whole_lines(file, range)),
        [one] if *one != "self" => format!("{path}{one};"),
        several => format!("{path}{{{}}};", several.join(", ")),
    };
    Some(Change {
        range: range.clone(),
        with: With::Item(with),
    })
}

/// The lines of a range, their ends included.
fn whole_lines(file: &SourceFile, range: &Range<usize>) -> Change {
    let end = file.text[range.end..].find('\n');
    let end = end.map_or(file.text.len(), |n| range.end + n + 1);
    Change {
        range: file.line_start(range.start)..end,
        with: With::Nothing,
    }
}
