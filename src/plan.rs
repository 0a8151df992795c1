//! Steps and their state: what each piece adds, and whether it stands already.

use std::collections::{BTreeMap, BTreeSet};
use std::ops::Range;
use std::sync::Arc;

use crate::edit::{self, FileChange, SNAPSHOT, TextEdit};
use crate::format::{self, Form, Fragment, Rustfmt};
use crate::merge::{self, Callers};
use crate::note::{Note, Outcome, Place};
use crate::pieces::PIECES;
use crate::reflow::reflow;
use crate::snapshot::pieces::brought;
use crate::snapshot::{Record, text};
use crate::trivia::Spot;
use crate::workspace::SourceFile;

/// Everything that one request comes to.
#[derive(Default)]
pub struct Plan {
    /// The steps, in the order of the pieces.
    pub steps: Vec<Step>,
    /// What is worth saying.
    pub notes: Vec<Note>,
    /// What is left for a person, the most urgent first.
    pub open: Vec<Open>,
    drafts: Vec<Draft>,
    files: Vec<DraftFile>,
    edits: BTreeMap<String, (Arc<SourceFile>, Vec<TextEdit>)>,
    created: BTreeMap<String, String>,
    /// Files in which what goes in may outgrow its line.
    outgrown: BTreeSet<String>,
    record: Option<DraftRecord>,
}

/// A snapshot that waits for what the plan brings.
struct DraftRecord {
    path: String,
    record: Record,
    existing: Option<Arc<SourceFile>>,
    /// The name of the enum, and its file.
    of: [String; 2],
    recording: Recording,
}

/// Why a snapshot is written.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Recording {
    /// The variant's form is new, or grows.
    OfForm,
    /// The form is as it is recorded: it is written where the plan brings what is not recorded.
    OfPieces,
}

/// A fragment that waits to be formatted.
struct Draft {
    piece: &'static str,
    title: String,
    file: Arc<SourceFile>,
    kind: &'static str,
    fragment: Fragment,
    goes: Goes,
}

/// Where a fragment goes.
enum Goes {
    /// To a place among others.
    To(Spot),
    /// In place of what stands.
    Over(Range<usize>),
}

/// A whole file that waits to be formatted; where it stands, only what it lacks goes in.
struct DraftFile {
    piece: &'static str,
    title: String,
    path: String,
    text: String,
    callers: Callers,
    existing: Option<Arc<SourceFile>>,
    /// Whether the text goes to the end of the file that stands, whatever it holds.
    is_tail: bool,
    /// Options that were given, each with the item that it decides.
    given: Vec<(&'static str, &'static str)>,
    /// Items that are not added where they are missing.
    left: &'static [&'static str],
}

/// One thing that a piece adds.
pub struct Step {
    /// The piece that planned it.
    pub piece: &'static str,
    /// What it adds, for people.
    pub title: String,
    /// The file it adds it to.
    pub path: String,
    /// Whether it stands.
    pub state: State,
}

/// Whether a step's addition stands.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum State {
    /// It is missing and will be added.
    Pending,
    /// It stands already.
    Present,
    /// It is left to a person; a note or an open point says why.
    Undecided,
}

/// Something left for a person.
#[derive(Debug, Clone)]
pub struct Open {
    /// Where, in the file as it will be.
    pub place: OpenPlace,
    /// What is to be done.
    pub what: String,
}

/// Where an open point is.
#[derive(Debug, Clone)]
pub enum OpenPlace {
    /// At a place that stands already.
    At(Place),
    /// At a text that the change brings: the file, and the text whose line is meant.
    In(String, String),
}

impl Plan {
    /// Records that `title` stands in `path`.
    pub fn present(&mut self, piece: &'static str, title: impl Into<String>, path: &str) {
        self.step(piece, title, path, State::Present);
    }

    /// Records that `title` in `path` is left to a person.
    pub fn undecided(&mut self, piece: &'static str, title: impl Into<String>, path: &str) {
        self.step(piece, title, path, State::Undecided);
    }

    fn step(&mut self, piece: &'static str, title: impl Into<String>, path: &str, state: State) {
        self.steps.push(Step {
            piece,
            title: title.into(),
            path: path.to_owned(),
            state,
        });
    }

    /// Adds text to a file.
    pub fn insert(
        &mut self,
        piece: &'static str,
        title: impl Into<String>,
        file: &Arc<SourceFile>,
        edits: Vec<TextEdit>,
    ) {
        self.step(piece, title, &file.path, State::Pending);
        self.edits
            .entry(file.path.clone())
            .or_insert_with(|| (Arc::clone(file), Vec::new()))
            .1
            .extend(edits);
    }

    /// Lets what was added to the file at `path` come to stand as rustfmt has it.
    pub fn reflow(&mut self, path: &str) {
        self.outgrown.insert(path.to_owned());
    }

    /// Adds a fragment at `spot`, once it is formatted.
    pub fn draft(
        &mut self,
        piece: &'static str,
        title: impl Into<String>,
        file: &Arc<SourceFile>,
        kind: &'static str,
        fragment: Fragment,
        spot: Spot,
    ) {
        if spot.hangs() {
            self.reflow(&file.path);
        }
        self.drafts.push(Draft {
            piece,
            title: title.into(),
            file: Arc::clone(file),
            kind,
            fragment,
            goes: Goes::To(spot),
        });
    }

    /// Puts a fragment in place of what stands, once it is formatted.
    pub fn replace(
        &mut self,
        piece: &'static str,
        title: impl Into<String>,
        file: &Arc<SourceFile>,
        kind: &'static str,
        fragment: Fragment,
        range: Range<usize>,
    ) {
        self.drafts.push(Draft {
            piece,
            title: title.into(),
            file: Arc::clone(file),
            kind,
            fragment,
            goes: Goes::Over(range),
        });
    }

    /// Makes the file at `path`, or adds the items that `existing` lacks of it.
    pub fn draft_file(
        &mut self,
        piece: &'static str,
        title: impl Into<String>,
        path: &str,
        text: String,
        existing: Option<&Arc<SourceFile>>,
        callers: Callers,
    ) {
        self.files.push(DraftFile {
            piece,
            title: title.into(),
            path: path.to_owned(),
            text,
            callers,
            existing: existing.map(Arc::clone),
            is_tail: false,
            given: Vec::new(),
            left: &[],
        });
    }

    /// Warns where the file that was drafted last stands, and an item of it says otherwise than the
    /// option that decides it.
    pub fn watch(&mut self, given: &[(&'static str, &'static str)]) {
        if let Some(file) = self.files.last_mut() {
            given.clone_into(&mut file.given);
        }
    }

    /// Leaves the items out of what is added to the file that was drafted last, where that stands.
    pub fn leave(&mut self, items: &'static [&'static str]) {
        if let Some(file) = self.files.last_mut() {
            file.left = items;
        }
    }

    /// Adds items to the end of a file, with an empty line before them.
    pub fn draft_tail(
        &mut self,
        piece: &'static str,
        title: impl Into<String>,
        file: &Arc<SourceFile>,
        text: String,
    ) {
        self.files.push(DraftFile {
            piece,
            title: title.into(),
            path: file.path.clone(),
            text,
            callers: Callers::Task,
            existing: Some(Arc::clone(file)),
            is_tail: true,
            given: Vec::new(),
            left: &[],
        });
    }

    /// Records the task at `path`, with all that the plan brings; `of` is the enum's name and file.
    pub fn record(
        &mut self,
        piece: &'static str,
        title: impl Into<String>,
        path: String,
        record: Record,
        existing: Option<Arc<SourceFile>>,
        of: [String; 2],
    ) {
        self.step(piece, title, &path, State::Pending);
        self.record = Some(DraftRecord {
            path,
            record,
            existing,
            of,
            recording: Recording::OfForm,
        });
    }

    /// Adds what the plan brings to what is recorded in `existing`; `of` is the enum's name and file.
    pub fn keep_up(&mut self, record: Record, existing: Arc<SourceFile>, of: [String; 2]) {
        self.record = Some(DraftRecord {
            path: existing.path.clone(),
            record,
            existing: Some(existing),
            of,
            recording: Recording::OfPieces,
        });
    }

    /// Paths of the Rust files that stand and are added to.
    #[must_use]
    pub fn edited(&self) -> BTreeSet<&str> {
        let drafts = self.drafts.iter().map(|draft| &draft.file);
        let files = self.files.iter().filter_map(|file| file.existing.as_ref());
        let edits = self.edits.values().map(|(file, _)| file);
        let paths = drafts
            .chain(files)
            .chain(edits)
            .map(|file| file.path.as_str());
        paths.filter(|path| path.ends_with(".rs")).collect()
    }

    /// Formats everything that waits for it.
    ///
    /// `known` are formatted texts by what they were formatted from, of an earlier plan; those
    /// of this one are added.
    pub fn finish(
        &mut self,
        rustfmt: &Rustfmt,
        known: &mut BTreeMap<String, String>,
    ) -> Outcome<()> {
        let drafts = std::mem::take(&mut self.drafts);
        let files = std::mem::take(&mut self.files);
        // Many matches get the same arm.
        let mut fragments: Vec<Fragment> = Vec::new();
        let places: Vec<usize> = drafts
            .iter()
            .map(|Draft { fragment, .. }| {
                let known = fragments.iter().position(|known| known == fragment);
                known.unwrap_or_else(|| {
                    fragments.push(fragment.clone());
                    fragments.len() - 1
                })
            })
            .collect();
        let mut texts: Vec<String> = files.iter().map(|file| file.text.clone()).collect();
        if !fragments.is_empty() {
            texts.push(format::stub(&fragments));
        }
        let unknown: Vec<String> = texts
            .iter()
            .filter(|text| !known.contains_key(*text))
            .cloned()
            .collect();
        if !unknown.is_empty() {
            let fresh = rustfmt.files(&unknown)?;
            known.extend(unknown.into_iter().zip(fresh));
        }
        let mut formatted: Vec<String> = texts.iter().map(|text| known[text].clone()).collect();
        if !fragments.is_empty() {
            let stub = formatted.pop().unwrap_or_default();
            let fitted = format::unstub(&stub, &fragments)?;
            for (draft, place) in drafts.into_iter().zip(places) {
                let text = &fitted[place];
                // Elsewhere the place says how it is indented; an item stands at none.
                let is_item = draft.fragment.form == Form::Item;
                let text = if is_item && draft.file.has_tabs() {
                    format::with_tabs(text)
                } else {
                    text.clone()
                };
                let edits = match draft.goes {
                    Goes::To(spot) => spot.insert(&draft.file, &text, draft.kind),
                    Goes::Over(range) => vec![TextEdit {
                        at: range.start,
                        removed: range.len(),
                        text: text.trim_start().replace('\n', draft.file.line_ending()),
                        kind: draft.kind,
                    }],
                };
                self.insert(draft.piece, draft.title, &draft.file, edits);
            }
        }
        for (file, text) in files.into_iter().zip(formatted) {
            let Some(existing) = &file.existing else {
                self.step(file.piece, file.title, &file.path, State::Pending);
                self.created.insert(file.path, text);
                continue;
            };
            if file.is_tail {
                let text = if existing.has_tabs() {
                    format::with_tabs(&text)
                } else {
                    text
                };
                let newline = existing.line_ending();
                let lead = if existing.text.ends_with('\n') {
                    ""
                } else {
                    newline
                };
                let edit = TextEdit::insert(
                    existing.text.len(),
                    format!("{lead}{newline}{}", text.replace('\n', newline)),
                    "module",
                );
                self.insert(file.piece, file.title, existing, vec![edit]);
                continue;
            }
            for (option, place) in merge::otherwise(existing, &text, &file.given)? {
                self.notes.push(Note::left_alone(option, place));
            }
            let missing = merge::missing(
                existing,
                &file.path,
                &text,
                file.callers,
                file.left,
                rustfmt.edition(),
            )?;
            if missing.is_empty() {
                self.present(file.piece, file.title.clone(), &file.path);
            }
            for (what, edit) in missing {
                self.insert(
                    file.piece,
                    format!("{what} of {}", file.title),
                    existing,
                    vec![edit],
                );
            }
        }
        for path in std::mem::take(&mut self.outgrown) {
            if let Some((file, edits)) = self.edits.get_mut(&path) {
                edits.sort_by_key(|edit| edit.at);
                *edits = reflow(rustfmt, &path, &file.text, std::mem::take(edits))?;
            }
        }
        let order = |step: &Step| PIECES.iter().position(|piece| piece.id == step.piece);
        self.steps.sort_by_key(order);
        Ok(())
    }

    /// Leaves something at a place that stands.
    pub fn open_at(&mut self, place: Place, what: impl Into<String>) {
        self.open.push(Open {
            place: OpenPlace::At(place),
            what: what.into(),
        });
    }

    /// Leaves something at the line of `path` that will hold `text`.
    pub fn open_in(&mut self, path: &str, text: &str, what: impl Into<String>) {
        self.open.push(Open {
            place: OpenPlace::In(path.to_owned(), text.to_owned()),
            what: what.into(),
        });
    }

    /// Whether nothing is missing.
    #[must_use]
    pub fn is_complete(&self) -> bool {
        let mut records = self.record.iter();
        let records_form = records.any(|draft| draft.recording == Recording::OfForm);
        self.edits.is_empty() && self.created.is_empty() && !records_form
    }

    /// The changes of all pending steps, sorted by path.
    pub fn changes(&self) -> Outcome<Vec<FileChange>> {
        let changes = edit::changes(self.edits.clone(), self.created.clone())?;
        let Some(draft) = &self.record else {
            return Ok(changes);
        };
        let mut record = draft.record.clone();
        let mut is_news = draft.recording == Recording::OfForm;
        if let Some(scaffolded) = &mut record.scaffolded {
            let pieces = brought(&changes, &scaffolded.pieces);
            is_news |= !changes.is_empty() && pieces != scaffolded.pieces;
            scaffolded.pieces = pieces;
        }
        if !is_news {
            return Ok(changes);
        }
        let [spec, source] = &draft.of;
        let text = text::render(&record, spec, source);
        let (mut edits, mut created) = (self.edits.clone(), self.created.clone());
        match &draft.existing {
            Some(file) => {
                let edit = replaced(&file.text, &text);
                edits.insert(draft.path.clone(), (Arc::clone(file), vec![edit]));
            }
            None => {
                created.insert(draft.path.clone(), text);
            }
        }
        edit::changes(edits, created)
    }
}

/// The edit that makes `after` of `before`: the lines between what both begin and end with.
#[must_use]
pub fn replaced(before: &str, after: &str) -> TextEdit {
    let both = before
        .split_inclusive('\n')
        .zip(after.split_inclusive('\n'));
    let start: usize = both.take_while(|(a, b)| a == b).map(|(a, _)| a.len()).sum();
    let (before, after) = (&before[start..], &after[start..]);
    let both = before
        .split_inclusive('\n')
        .rev()
        .zip(after.split_inclusive('\n').rev());
    let end: usize = both.take_while(|(a, b)| a == b).map(|(a, _)| a.len()).sum();
    TextEdit {
        at: start,
        removed: before.len() - end,
        text: after[..after.len() - end].to_owned(),
        kind: SNAPSHOT,
    }
}

impl Open {
    /// Path and line (from 1) in the files as they will be.
    #[must_use]
    pub fn resolve(&self, changes: &[FileChange]) -> (String, usize) {
        match &self.place {
            OpenPlace::At(place) => {
                let change = changes.iter().find(|change| change.path == place.path);
                let line = change.map_or(place.line, |change| change.line_after(place.line));
                (place.path.clone(), line)
            }
            OpenPlace::In(path, text) => {
                let change = changes.iter().find(|change| change.path == *path);
                let line = change.map_or(1, |change| {
                    let at = brought_at(change, text);
                    at.map_or(1, |at| change.after[..at].matches('\n').count() + 1)
                });
                (path.clone(), line)
            }
        }
    }
}

/// Where a text stands in what a change brings, else anywhere in the file. Where rustfmt breaks its
/// line, the start of it is what is looked for.
fn brought_at(change: &FileChange, text: &str) -> Option<usize> {
    let is_new = |at: &usize| change.original(*at).is_none();
    let starts = (SHORTEST.min(text.len())..=text.len()).rev();
    let mut starts = starts.filter_map(|end| text.get(..end));
    let brought = starts.find_map(|text| {
        let mut found = change.after.match_indices(text).map(|(at, _)| at);
        found.find(is_new)
    });
    // A whole line that stood before is where it is.
    let whole = || change.after.find(text);
    brought.or_else(whole)
}

/// The shortest start of a line that tells it from others.
const SHORTEST: usize = 12;
