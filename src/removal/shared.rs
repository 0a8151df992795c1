//! What of a task that is taken out stays, since other recorded tasks share it.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;

use super::locate::{self, Located, Standing, shown};
use super::{Asked, Planned, Removal, is_needed};
use crate::edit::{self, CALL_SITE, FileChange, TextEdit};
use crate::index;
use crate::note::{Outcome, Refusal};
use crate::plan::replaced;
use crate::snapshot::pieces::{FILE, brought, hash};
use crate::snapshot::{Recorded, RecordedPiece, Scaffolded};
use crate::workspace::{SourceFile, Workspace};

/// Kinds of edits, in the words of the command line's JSON.
const KINDS: [&str; 14] = [
    "variant",
    "executor_arm",
    "match_arm",
    "module",
    "dependency",
    "import",
    "call_site",
    "registration",
    "field",
    "derive",
    "schedule",
    "lockfile",
    "resume_branch",
    "snapshot",
];

/// What a piece stays for.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) enum Keeper {
    /// The task of this index among the others.
    Task(usize),
    /// Code that nobody recorded.
    Code,
}

/// What of the task stays, since others share it.
pub(super) struct Shared {
    /// What each piece stays for.
    pub(super) keeps: Vec<Option<Keeper>>,
    /// Files that nobody changed by hand: they go, and are made anew by the tasks that need them.
    pub(super) anew: BTreeSet<String>,
    /// What becomes of those.
    pub(super) made: Vec<Arc<SourceFile>>,
    /// What each other task has in them then.
    pub(super) pieces: Vec<Vec<RecordedPiece>>,
}

impl Shared {
    /// Nothing is known to stay yet.
    pub(super) fn of(asked: &Asked<'_>, located: &[Located]) -> Outcome<Self> {
        let is_whole = |of: &&Located| of.piece.kind == FILE && of.state == Standing::Unchanged;
        let whole = located.iter().filter(is_whole);
        let mut shared = Self {
            keeps: vec![None; located.len()],
            anew: whole.map(|of| of.piece.path.clone()).collect(),
            made: Vec::new(),
            pieces: vec![Vec::new(); asked.others.len()],
        };
        // In a list of theirs the first entry goes without a comma.
        for change in taken_out(asked, located, &shared)?.changes {
            if change.path.ends_with(".rs") && !parses(&change) {
                shared.anew.insert(unchanged(asked, &change)?);
            }
        }
        Ok(shared)
    }

    /// Takes from the files that are made anew those that would not be as they are: another release of
    /// the tool made them. `made` is what the task itself would bring.
    pub(super) fn keep_others(&mut self, located: &[Located], made: &[FileChange]) {
        for of in located.iter().filter(|of| of.piece.kind == FILE) {
            let anew = made.iter().find(|change| change.path == of.piece.path);
            if anew.is_none_or(|anew| hash(&anew.after) != of.piece.hash) {
                self.anew.remove(&of.piece.path);
            }
        }
    }

    /// Says of each piece which other task needs it: planned on the workspace without, that one brings
    /// it back.
    pub(super) fn find(
        &mut self,
        asked: &Asked<'_>,
        located: &[Located],
        without: &Workspace,
        plan: &mut Planned<'_>,
    ) -> Outcome<()> {
        let mut after = without.with(&[]);
        let files = |of: &Recorded| {
            let pieces = of.record.scaffolded.iter().flat_map(|of| &of.pieces);
            pieces.filter(|piece| piece.kind == FILE).count()
        };
        let mut others: Vec<(usize, &&Recorded)> = asked.others.iter().enumerate().collect();
        // The one that made what is shared makes it again.
        others.sort_by_key(|(_, other)| std::cmp::Reverse(files(other)));
        for (nth, other) in others {
            let changes = plan(&after, &other.record).map_err(|why| unknown(other, why))?;
            let needs = brought(&changes, &[]);
            for (of, keeps) in located.iter().zip(&mut self.keeps) {
                let is_anew = self.anew.contains(&of.piece.path);
                let mut needs = needs.iter();
                if keeps.is_none() && !is_anew && needs.any(|need| is_needed(of, need)) {
                    *keeps = Some(Keeper::Task(nth));
                }
            }
            let anew = needs.into_iter();
            self.pieces[nth].extend(anew.filter(|need| self.anew.contains(&need.path)));
            after = after.with(&changes);
        }
        let anew = self.anew.iter().filter_map(|path| after.files.get(path));
        self.made = anew.cloned().collect();
        Ok(())
    }
}

/// The refusal where another task cannot be planned again, as it was changed by hand say.
fn unknown(other: &Recorded, why: Refusal) -> Refusal {
    let name = &other.record.form.variant;
    let message = format!("cannot tell what `{name}` needs of it: {}", why.message);
    let place = why.place.unwrap_or_else(|| other.file.place(&(0..3)));
    Refusal::new("other-task", message).at(place).help(format!(
        "`cargo oxy-task repair {name} --dry-run` has to pass first: the two may share what would go"
    ))
}

/// Whether a file that is edited is Rust still.
fn parses(change: &FileChange) -> bool {
    let file = SourceFile {
        path: change.path.clone(),
        absolute: std::path::PathBuf::new(),
        text: change.after.clone(),
    };
    let facts = index::read(&Arc::new(file), &index::Interest::default());
    facts.is_ok_and(|facts| index::prove_one(&facts).is_ok())
}

/// The path of a file that another task made and nobody changed by hand; else refused.
fn unchanged(asked: &Asked<'_>, change: &FileChange) -> Outcome<String> {
    let standing = asked.workspace.file_if_any(&change.path)?;
    let all = asked.others.iter().chain([&asked.own]);
    let all: Vec<&Scaffolded> = all.filter_map(|of| of.record.scaffolded.as_ref()).collect();
    for (nth, owner) in all.iter().enumerate() {
        let made = owner.pieces.iter();
        let made = made.filter(|piece| piece.kind == FILE && piece.path == change.path);
        let others = all.iter().enumerate().filter(|(other, _)| *other != nth);
        let others: Vec<&Scaffolded> = others.map(|(_, of)| *of).collect();
        let bare = standing
            .as_ref()
            .map(|file| hash(&locate::bare(file, owner, &others)));
        if made
            .into_iter()
            .any(|piece| Some(&piece.hash) == bare.as_ref())
        {
            return Ok(change.path.clone());
        }
    }
    let path = &change.path;
    let message = format!("without its piece `{path}` would be no Rust");
    let refusal = Refusal::new("edited-piece", message);
    let refusal = match (&standing, change.edits.first()) {
        (Some(file), Some(edit)) => refusal.at(shown(file, &(edit.at..edit.at + edit.removed))),
        _ => refusal,
    };
    Err(refusal.help("take that piece out by hand, and run the command again"))
}

/// Everything but what stays, and the record itself, taken out.
pub(super) fn taken_out(
    asked: &Asked<'_>,
    located: &[Located],
    shared: &Shared,
) -> Outcome<Removal> {
    let mut removal = Removal::default();
    let mut edits: BTreeMap<&str, (Arc<SourceFile>, Vec<TextEdit>)> = BTreeMap::new();
    removal.gone.push(Arc::clone(&asked.own.file));
    let going = located.iter().zip(&shared.keeps);
    for (of, _) in going.filter(|(_, keeps)| keeps.is_none()) {
        if shared.anew.contains(&of.piece.path) {
            continue;
        }
        if of.piece.kind == FILE {
            removal.gone.push(Arc::clone(&of.file));
        } else if of.state != Standing::Mixed {
            let entry = edits.entry(&of.file.path);
            let (_, edits) = entry.or_insert_with(|| (Arc::clone(&of.file), Vec::new()));
            edits.push(back(of));
        }
    }
    for path in &shared.anew {
        let Some(before) = asked.workspace.file_if_any(path)? else {
            continue;
        };
        match shared.made.iter().find(|made| made.path == *path) {
            None => removal.gone.push(before),
            Some(made) if made.text == before.text => {}
            Some(made) => {
                let edit = TextEdit {
                    kind: "module",
                    ..replaced(&before.text, &made.text)
                };
                removal.changes.push(edit::take_out(before, vec![edit])?);
            }
        }
    }
    edits.retain(|path, _| removal.gone.iter().all(|gone| gone.path != *path));
    for (file, edits) in edits.into_values() {
        removal.changes.push(edit::take_out(file, edits)?);
    }
    removal.gone.sort_by(|a, b| a.path.cmp(&b.path));
    removal.changes.sort_by(|a, b| a.path.cmp(&b.path));
    Ok(removal)
}

/// Whether a person changed a file that was made.
pub(super) fn is_edited_file(of: &Located) -> bool {
    of.piece.kind == FILE && of.state == Standing::Edited
}

/// The edit that takes a piece out.
fn back(of: &Located) -> TextEdit {
    let over = of
        .piece
        .over
        .as_deref()
        .filter(|_| of.state == Standing::Unchanged);
    let kind = KINDS.iter().find(|kind| **kind == of.piece.kind);
    TextEdit {
        at: of.range.start,
        removed: of.range.len(),
        text: over
            .unwrap_or_default()
            .replace('\n', of.file.line_ending()),
        kind: kind.copied().unwrap_or(CALL_SITE),
    }
}
