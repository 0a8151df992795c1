//! What stands at the site afterwards: the enqueue in place of the spawn, and nothing that only
//! the spawn used.

use std::collections::BTreeSet;
use std::ops::Range;

use super::fields::{CONNECTION, Carried, Handle, copies};
use super::{Left, SiteRequest};
use crate::index::{SpawnFact, UseFact, WorkForm, comments, names, whole_words};
use crate::note::{Outcome, Refusal};
use crate::request::raw;
use crate::spawn::{ErrorForm, Found, root_of};
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
    /// A part of a pattern.
    Pattern(String),
}

/// The call that enqueues the task.
#[derive(Debug, Clone)]
pub struct Call {
    /// Comments of the statement that stand outside of the work.
    pub comments: Vec<String>,
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
    if statement.has_attribute {
        let message = "an attribute stands before the call, which may not be there at all";
        return Err(Refusal::new("spawn-attribute", message)
            .at(found.site.place.clone())
            .help("take the attribute off, or move the call into a function that has it; then try again"));
    }
    site.check_held()?;
    if let Some(why) = fact.not_async {
        let message = format!("a task cannot be enqueued here: {why}, and the enqueue is awaited");
        return Err(Refusal::new("not-async", message)
            .at(found.site.place.clone())
            .help("make it async and await it where it is called, or let it return what is to be done"));
    }
    let call = site.call(statement, body, open)?;
    let unused = site.unused(&call, open);
    let mut changes = vec![Change {
        range: statement.range.clone(),
        with: With::Enqueue(call),
    }];
    changes.extend(unused);
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
        // Behind another `let` of the name in the same block, the name means that one.
        let lets = || self.fact.lets.iter().filter(|of| of.name == name);
        let own = lets().rfind(|of| of.range.start <= offset);
        let next =
            own.and_then(|own| lets().find(|of| of.range.start > offset && of.block == own.block));
        let end = next.map_or(usize::MAX, |of| of.range.end);
        let mut used = self.found.used.iter();
        used.any(|(used, at)| used == name && *at >= offset && *at < end)
    }

    fn given(&self, name: &str) -> Option<String> {
        let mut arguments = self.asked.arguments.iter();
        let found = arguments.find(|(of, _)| of == name);
        found.map(|(_, text)| text.clone())
    }

    /// Refuses a future that a variable holds where what it took has another value by now.
    fn check_held(&self) -> Outcome<()> {
        let (work, call) = (&self.fact.work.range, &self.fact.call);
        if call.contains(&work.start) {
            return Ok(());
        }
        let between = work.end..call.start;
        let is_other = |name: &str| {
            let mut bound = self.fact.bound.iter();
            let is_bound = bound.any(|(of, at)| of == name && between.contains(at));
            let mut mutable = self.fact.mutable.iter();
            let is_mutable = mutable.any(|(of, at)| of == name && *at < work.start);
            let mut used = self.found.used.iter();
            is_bound || (is_mutable && used.any(|(of, at)| of == name && between.contains(at)))
        };
        let Some(of) = self.found.taken.iter().find(|of| is_other(of.root())) else {
            return Ok(());
        };
        let message = format!(
            "`{}` has another value where the future is spawned than where it was made",
            of.name
        );
        Err(Refusal::new("spawn-held", message)
            .at(self.found.site.place.clone())
            .help("spawn the block where it is written, or give the other value another name"))
    }

    /// Comments of the statement that the work does not take with it; `body` is what it takes.
    fn comments(&self, statement: &crate::index::Statement, body: &str) -> Vec<String> {
        let facts = &self.found.site.function.facts;
        let (whole, work) = (&statement.range, &self.fact.work.range);
        let around = if whole.contains(&work.start) {
            vec![whole.start..work.start, work.end..whole.end]
        } else {
            vec![whole.clone()]
        };
        let inside = comments(facts.text(work)).into_iter();
        let left = inside.filter(|comment| {
            let lines = comment.lines().map(str::trim);
            lines.clone().any(|line| !body.contains(line))
        });
        around
            .iter()
            .flat_map(|range| comments(facts.text(range)))
            .chain(left)
            .map(str::to_owned)
            .collect()
    }

    fn call(
        &self,
        statement: &crate::index::Statement,
        body: &str,
        open: &mut Vec<Left>,
    ) -> Outcome<Call> {
        let (on_error, is_other) = self.on_error()?;
        if is_other {
            open.push(Left::stays(
                self.found.site.offset,
                "say in its own words that the enqueue failed: the message is that of another error",
            ));
        }
        let (before, rows) = self.rows(&on_error)?;
        let references = self.carried.iter().filter_map(|of| of.reference.as_deref());
        let texts: Vec<&str> = references
            .chain([on_error.as_str(), rows.as_str()])
            .chain(before.as_deref())
            .collect();
        let inputs = self.carried.iter().map(|of| {
            let root = root_of(&of.place);
            let is_needed = |text: &&str| !names(text, root, false).is_empty();
            let value = match &of.reference {
                Some(reference) => reference.clone(),
                None => self.value(of, texts.iter().any(is_needed)),
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
            let value = value.map(|value| {
                let copies = syn::parse_str(&value.ty).is_ok_and(|ty| copies(&ty));
                let clone = if copies { "" } else { ".clone()" };
                format!("{}{clone}", value.text)
            });
            self.given(name).or(value).ok_or_else(|| {
                let message =
                    format!("the enqueue takes `{name}: {ty}`, and nothing in scope is that");
                Refusal::new("no-argument", message)
                    .at(self.found.site.place.clone())
                    .help(format!("say what it is: `--arg {name}=EXPR`"))
            })
        });
        let inputs = inputs.collect();
        Ok(Call {
            comments: self.comments(statement, body),
            before,
            rows,
            inputs,
            extra: extra.collect::<Outcome<_>>()?,
            on_error,
        })
    }

    /// The value of a variable that the work took with it; `is_needed` says that another part of
    /// the call names it too.
    fn value(&self, of: &Carried, is_needed: bool) -> String {
        let is_moved = matches!(
            self.fact.work.form,
            WorkForm::Async(_) | WorkForm::Blocking(_)
        );
        let end = self
            .fact
            .statement
            .as_ref()
            .map_or(self.fact.call.end, |of| of.range.end);
        let is_last = !self.fact.is_in_loop && !self.uses_after(root_of(&of.place), end);
        if of.place.contains('.') {
            let goes = of.is_owned && is_last && !is_needed || copies(&of.field.ty);
            let clone = if goes { "" } else { ".clone()" };
            return format!("{}{clone}", of.place);
        }
        let variable = raw(&of.variable);
        if ((is_moved || is_last) && !is_needed) || copies(&of.field.ty) {
            variable
        } else {
            format!("{variable}.clone()")
        }
    }

    /// The connection to the database: one in scope, else what the file's functions make one by.
    fn rows(&self, on_error: &str) -> Outcome<(Option<String>, String)> {
        if let Some(given) = self.given("db") {
            return Ok((None, given));
        }
        let is_taken = |text: &str| self.taken.iter().any(|handle| handle.place == text);
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
        // What the compiler alone knows to be one.
        if let [one] = self.taken {
            return Ok((None, format!("&{}", one.place)));
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
        let head = output.split('<').next().unwrap_or_default();
        if !head.ends_with("Result") {
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

    /// Declarations that only the spawn used; the call in its place may use them as well.
    fn unused(&self, call: &Call, open: &mut Vec<Left>) -> Vec<Change> {
        let file = &self.found.site.function.facts.file;
        let stays = |name: &str| {
            let mut texts = call.texts().into_iter();
            texts.any(|text| !names(text, name, false).is_empty())
        };
        let mut changes = Vec::new();
        // A variable that held the future goes with it.
        let is_behind = |of: &&crate::index::LetFact| of.value == self.fact.work.range;
        for of in self.fact.lets.iter().filter(is_behind) {
            if !self.fact.call.contains(&of.range.start) {
                changes.push(whole_lines(file, &of.range));
            }
        }
        let secrets = self.carried.iter().filter(|of| of.reference.is_some());
        let candidates = secrets
            .map(|of| root_of(&of.place))
            .chain(self.taken.iter().map(|of| root_of(&of.place)));
        let mut seen = BTreeSet::new();
        for name in candidates.filter(|name| !stays(name) && seen.insert(*name)) {
            let Some(pattern) = self.pattern(name) else {
                continue;
            };
            if self.uses_after(name, pattern.range.end) {
                continue;
            }
            let is_own = |of: &&crate::index::LetFact| {
                of.name == name && (of.range.start..of.value.start).contains(&pattern.at)
            };
            let Some(of) = self.fact.lets.iter().find(is_own) else {
                if pattern.is_plain {
                    let field = if pattern.is_shorthand {
                        format!("{}: ", raw(name))
                    } else {
                        String::new()
                    };
                    changes.push(Change {
                        range: pattern.range.clone(),
                        with: With::Pattern(format!("{field}_")),
                    });
                }
                continue;
            };
            if of.is_clone {
                changes.push(whole_lines(file, &of.range));
            } else {
                // What it checks is checked as before.
                let value = self.found.site.function.facts.text(&of.value);
                let is_checked = value.ends_with(['?', '}']);
                changes.push(if is_checked {
                    Change {
                        range: of.range.start..of.value.start,
                        with: With::Nothing,
                    }
                } else {
                    Change {
                        range: pattern.range.clone(),
                        with: With::Pattern("_".to_owned()),
                    }
                });
                let what = format!(
                    "see whether the request should still check this: the work loads `{name}` by itself"
                );
                open.push(Left::stays(of.range.start, what));
            }
        }
        // An import of the function goes where the work alone names what it brings.
        let facts = &self.found.site.function.facts;
        let function = &self.found.site.function.fact().range;
        let text = facts.text(function);
        let goes = |name: &String| {
            let mut uses = names(text, name, false)
                .into_iter()
                .map(|at| function.start + at)
                .filter(|at| !self.fact.outer_uses.iter().any(|(of, _)| of.contains(at)))
                .peekable();
            uses.peek().is_some() && uses.all(|at| self.fact.work.range.contains(&at))
        };
        for (range, brought) in &self.fact.outer_uses {
            if brought.iter().all(goes) {
                changes.push(whole_lines(file, range));
            }
        }
        // What nothing but the work changed needs no `mut` any more.
        for of in self
            .carried
            .iter()
            .filter(|of| of.is_mut && of.reference.is_none())
        {
            let root = root_of(&of.place);
            let Some(pattern) = self.pattern(root) else {
                continue;
            };
            let is_done = changes
                .iter()
                .any(|change| change.range.start == pattern.range.start);
            if pattern.range.start < pattern.at
                && !is_done
                && !self.uses_after(root, pattern.at + 1)
            {
                changes.push(Change {
                    range: pattern.range.start..pattern.at,
                    with: With::Nothing,
                });
            }
        }
        changes
    }

    /// The pattern that binds a variable which the work takes.
    fn pattern(&self, name: &str) -> Option<&crate::index::PatternFact> {
        let start = self.fact.work.range.start;
        let patterns = self.fact.patterns.iter();
        let before = patterns.filter(|of| of.name == name && of.at < start);
        before.max_by_key(|of| of.at)
    }

    /// A private function of the file that nothing names any more.
    fn dead(&self, name: &str) -> Option<Change> {
        let facts = &self.found.site.function.facts;
        let of = facts.functions.iter().find(|of| of.name == name)?;
        let is_private = !facts.text(&of.range).contains(&format!("pub fn {name}"))
            && !of.is_pub
            && of.in_impl.is_none()
            && of.module.is_empty();
        let uses = names(&facts.file.text, name, false).len();
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
            let mut uses = names(text, &of.name, is_log(of))
                .into_iter()
                .filter(|at| !is_import(*at))
                .peekable();
            // A trait is named by its methods.
            let was_used = uses.peek().is_some() || self.follows(&of.name, text);
            let is_used = uses.any(|at| !is_gone(at))
                || comes.iter().any(|text| {
                    !names(text, &of.name, is_log(of)).is_empty() || self.follows(&of.name, text)
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
        match &self.with {
            With::Enqueue(call) => call.texts(),
            _ => Vec::new(),
        }
    }
}

impl Call {
    /// Its parts.
    fn texts(&self) -> Vec<&str> {
        let values = self.inputs.iter().map(|(_, value)| value.as_str());
        let texts = [self.rows.as_str(), self.on_error.as_str()];
        let texts = texts
            .into_iter()
            .chain(self.before.as_deref())
            .chain(values);
        texts.chain(self.extra.iter().map(String::as_str)).collect()
    }
}

/// Whether an import is a macro that logs: a variable may have the same name.
fn is_log(of: &UseFact) -> bool {
    let logs = ["error", "warn", "info", "debug", "trace"];
    let is_crate = of.path.starts_with("tracing::") || of.path.starts_with("log::");
    is_crate
        && logs
            .iter()
            .any(|log| of.path.ends_with(&format!("::{log}")))
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

/// The lines of a range, their ends included; the range alone where something else stands there.
fn whole_lines(file: &SourceFile, range: &Range<usize>) -> Change {
    let end = file.text[range.end..].find('\n');
    let end = end.map_or(file.text.len(), |n| range.end + n + 1);
    let start = file.line_start(range.start);
    let is_alone = [start..range.start, range.end..end]
        .into_iter()
        .all(|rest| file.text[rest].trim().is_empty());
    let behind = &file.text[range.end..end];
    let gap = behind.len() - behind.trim_start_matches([' ', '\t']).len();
    Change {
        range: if is_alone {
            start..end
        } else {
            range.start..range.end + gap
        },
        with: With::Nothing,
    }
}
