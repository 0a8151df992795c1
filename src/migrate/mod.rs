//! From a call that spawns to the request for a task: what travels, what stays, and what goes.
//!
//! `choose` finds the call that a line means, `apart` takes structs apart that no row can hold,
//! `fields` says what becomes of each captured variable, `body` moves the work with what it `named`,
//! and `at_site` writes what stands in the call's place. Each refuses what it cannot decide.

mod apart;
mod at_site;
mod body;
mod choose;
mod compiled;
mod fields;
mod named;

use std::ops::Range;
use std::sync::Arc;

use crate::index::{FileFacts, Index, SpawnFact, whole_words};
use crate::landmarks::{Config, Landmarks, find_status};
use crate::note::{Fault, Note, Outcome, Place, Refusal};
use crate::request::TaskRequest;
use crate::spawn::Found;

pub use at_site::{Call, Change, With};
pub use compiled::Compiler;
pub use fields::{Carried, Handle};

/// What `migrate-spawn` is asked for.
#[derive(Debug, Clone)]
pub struct SiteRequest {
    /// The file, relative to the workspace root.
    pub path: String,
    /// The line, from 1.
    pub line: usize,
    /// The column, from 1.
    pub column: Option<usize>,
    /// Types by the names of captured variables.
    pub types: Vec<(String, String)>,
    /// Expressions by the names of what they are for.
    pub arguments: Vec<(String, String)>,
    /// Whether the spawn stays as it is.
    pub keeps_site: bool,
    /// Whether a site that the guideline lets stay is moved all the same.
    pub force: bool,
    /// What is asked of the task; its fields come from the site.
    pub task: TaskRequest,
}

impl SiteRequest {
    /// The arguments that ask for the same, from `migrate-spawn` on.
    #[must_use]
    pub fn arguments(&self) -> Vec<String> {
        let column = self.column.map(|column| format!(":{column}"));
        let site = format!("{}:{}{}", self.path, self.line, column.unwrap_or_default());
        let mut out = vec!["migrate-spawn".to_owned(), site, "--as".to_owned()];
        out.push(self.task.variant.clone());
        for (option, pairs) in [("--type", &self.types), ("--arg", &self.arguments)] {
            for (name, value) in pairs {
                out.extend([option.to_owned(), format!("{name}={value}")]);
            }
        }
        let flags = [("--keep-site", self.keeps_site), ("--force", self.force)];
        let flags = flags.into_iter().filter(|(_, is_given)| *is_given);
        out.extend(flags.map(|(flag, _)| flag.to_owned()));
        out.extend(self.task.options());
        out
    }
}

/// How a site's work is moved.
#[derive(Debug, Clone)]
pub struct Migration {
    /// The site's file.
    pub facts: Arc<FileFacts>,
    /// Its package.
    pub package: String,
    /// The top-level item that the call stands in.
    pub item: Range<usize>,
    /// Where the call stands.
    pub place: Place,
    /// The statement as it stands.
    pub before: String,
    /// What the task carries, with the variable of each field.
    pub carried: Vec<Carried>,
    /// What the registered work holds.
    pub handles: Vec<Handle>,
    /// Imports of the site's function that the work names, as `use` writes them.
    pub uses: Vec<String>,
    /// The body of the work: statements, and its result.
    pub body: String,
    /// What changes at the site; empty where it stays.
    pub at_site: Vec<Change>,
    /// What is left for a person.
    pub open: Vec<Left>,
    /// What a reviewer should look at.
    pub notes: Vec<Note>,
}

/// Something left for a person.
#[derive(Debug, Clone)]
pub struct Left {
    /// Where.
    pub place: Where,
    /// What is to be done.
    pub what: String,
}

/// A place in the site's file.
#[derive(Debug, Clone)]
pub enum Where {
    /// At an offset that stays where it is.
    Stays(usize),
    /// At the line that holds this text in the end.
    Moves(String),
}

impl Left {
    /// At an offset of the site's function that stays.
    fn stays(offset: usize, what: impl Into<String>) -> Self {
        Self {
            place: Where::Stays(offset),
            what: what.into(),
        }
    }

    /// In the work, which moves: at the line of an offset.
    fn moves(
        facts: &FileFacts,
        renamed: &apart::Renamed,
        offset: usize,
        what: impl Into<String>,
    ) -> Self {
        let text = &facts.file.text;
        let end = text[offset..].find('\n').map_or(text.len(), |n| offset + n);
        let line = renamed.text(facts, &(facts.file.line_start(offset)..end));
        Self::at(line.trim(), what)
    }

    /// At the line that will hold `text`.
    fn at(text: &str, what: impl Into<String>) -> Self {
        Self {
            place: Where::Moves(text.to_owned()),
            what: what.into(),
        }
    }
}

/// A path as it is written in the file: short where that imports it.
#[must_use]
pub fn short(facts: &FileFacts, path: &str) -> String {
    let mut imports = facts.uses.iter();
    let import = imports.find(|import| import.is_top && import.path == path);
    import.map_or_else(|| path.to_owned(), |import| import.name.clone())
}

/// The site that is asked for: refuses one whose work may not become a task.
pub fn site(
    index: &Index<'_>,
    config: &Config,
    asked: &SiteRequest,
) -> Outcome<(Found, SpawnFact)> {
    let (found, fact) = choose::choose(index, config, asked)?;
    choose::check(&found, asked)?;
    Ok((found, fact))
}

/// The request and the plan of moving that a site comes to.
pub fn derive(
    index: &Index<'_>,
    landmarks: &Landmarks,
    (mut found, fact): (Found, SpawnFact),
    asked: &SiteRequest,
    compiler: &Compiler<'_>,
) -> Outcome<(TaskRequest, Migration)> {
    let facts = Arc::clone(&found.site.function.facts);
    check_layers(index, landmarks, &found)?;
    apart::apart(index, &landmarks.spec, &mut found, asked)?;
    if found.taken.iter().any(|of| compiled::is_open(of, asked)) {
        // What cannot travel for all that the source tells is refused before the compiler is asked.
        fields::fields(&known(&found, asked), &fact, asked)?;
        compiled::ask(index, &mut found, &fact, asked, compiler)?;
        apart::apart(index, &landmarks.spec, &mut found, asked)?;
    }
    let (mut carried, mut handles) = fields::fields(&found, &fact, asked)?;
    let renamed = named::renamed(&found, &fact);
    let taken = handles.clone();
    let mut request = asked.task.clone();
    request.fields = carried.iter().map(|of| of.field.clone()).collect();
    let mut notes = Vec::new();
    if request.key.is_none() {
        request.key = fields::default_key(&found, &carried, &mut notes);
    }
    let key = request.key.as_deref();
    crate::request::check_fields(&request.fields, key)
        .map_err(|refusal| of_workspace(refusal).at(found.site.place.clone()))?;
    let status = request
        .status
        .as_ref()
        .map(|status| find_status(index, status, &request.fields))
        .transpose()?;
    let has_secret = carried.iter().any(|of| of.field.is_secret);
    let moved = body::moved(&found, &fact, &renamed, status.as_ref(), has_secret)?;
    let mut open = fields::references(&carried);
    open.extend(moved.open);
    // What only the write of the status used stays out of the work.
    let is_used = |name: &str| whole_words(&moved.text, name).next().is_some();
    handles.retain(|of| is_used(&of.name));
    for of in &mut carried {
        of.is_used = is_used(&of.variable);
    }
    let at_site = if asked.keeps_site {
        Vec::new()
    } else {
        let context = at_site::Site {
            found: &found,
            fact: &fact,
            carried: &carried,
            taken: &taken,
            extra: &landmarks.queue.extra,
            asked,
        };
        at_site::changes(&context, &moved.dead, &moved.text, &mut open)?
    };
    notes.extend(fields::local_values(&found, &carried));
    let offset = found.site.offset;
    let item = facts
        .items
        .iter()
        .find(|item| item.range.contains(&offset))
        .map(|item| item.range.clone())
        .ok_or_else(|| {
            Refusal::new(
                "spawn-in-macro",
                "the call stands in no item that can be read",
            )
            .at(found.site.place.clone())
        })?;
    let migration = Migration {
        package: found.site.package.clone(),
        item,
        place: found.site.place.clone(),
        before: before(&facts, &fact),
        carried,
        handles,
        uses: named::uses(&found, &fact, &moved.text),
        body: moved.text,
        at_site,
        open,
        notes,
        facts,
    };
    Ok((request, migration))
}

/// The site with only those captures whose type the source tells, or the command line.
fn known(found: &Found, asked: &SiteRequest) -> Found {
    let mut known = found.clone();
    known.taken.retain(|of| !compiled::is_open(of, asked));
    known
}

/// The same refusal where it is the site that says what is wrong, not the command line.
fn of_workspace(refusal: Refusal) -> Refusal {
    Refusal {
        fault: Fault::Workspace,
        ..refusal
    }
}

/// The statement, its lines at no indentation of their own.
fn before(facts: &FileFacts, fact: &SpawnFact) -> String {
    let range = fact.statement.as_ref().map_or(&fact.call, |of| &of.range);
    let indent = facts.file.indent_at(range.start);
    let lines = facts.text(range).lines();
    let lines: Vec<&str> = lines
        .map(|line| line.strip_prefix(indent).unwrap_or(line))
        .collect();
    lines.join("\n")
}

/// Refuses a site whose crate cannot depend on the executor's: the seam would be a forbidden edge.
fn check_layers(index: &Index<'_>, landmarks: &Landmarks, found: &Found) -> Outcome<()> {
    let workspace = index.workspace;
    let executor = &landmarks.executor.package;
    let own = &found.site.package;
    let (Some(from), Some(to)) = (workspace.member(own), workspace.member(executor)) else {
        return Ok(());
    };
    let refuse = |message: String, help: &str| {
        Err(Refusal::new("layers", message)
            .at(found.site.place.clone())
            .help(help))
    };
    if own == executor {
        return refuse(
            format!("the spawn stands in `{own}`, the executor's own crate"),
            "scaffold the task with `cargo oxy-task new`, and move the block into its `run` by hand",
        );
    }
    if workspace.check_cycle(from, to).is_err() {
        return refuse(
            format!("`{own}` stands below `{executor}`: it cannot call the task's `enqueue`"),
            "move the spawn up to a crate that depends on the executor's (let the function return what is to be done), and migrate it there",
        );
    }
    if !workspace.depends(from, to) {
        return refuse(
            format!(
                "`{own}` does not depend on `{executor}`, and whether it may is not for the tool to say"
            ),
            "where the layers of this workspace allow it, add the dependency to the manifest and try again",
        );
    }
    Ok(())
}
