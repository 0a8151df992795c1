//! Takes a scaffolded task out again: the inverse of what its record says it brought.
//!
//! `locate` finds the pieces, `uses` what other code names of them, `shared` what another recorded task
//! needs of them: what planning that one again would bring back. It stays, and is that one's from then on.

pub mod doubled;
mod locate;
mod shared;
mod uses;

use std::collections::BTreeSet;
use std::ops::Range;
use std::sync::Arc;

pub use locate::{Located, Standing};

use locate::{locate, shown};
use shared::{Keeper, Shared, is_edited_file, taken_out};

use crate::edit::{self, FileChange, SNAPSHOT};
use crate::index::{self, Index, names};
use crate::landmarks::SpecEnum;
use crate::note::{Note, Outcome, Refusal};
use crate::plan::replaced;
use crate::snapshot::pieces::{DEPENDENCY, FILE, LOCKFILE, brought, hash};
use crate::snapshot::{Record, Recorded, RecordedPiece, Scaffolded, text};
use crate::workspace::{SourceFile, Workspace};

/// Whether what a person changed goes too.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Edited {
    /// It is refused.
    Refused,
    /// It goes.
    Goes,
}

/// What is to be taken out.
pub struct Asked<'a> {
    /// The workspace.
    pub workspace: &'a Workspace,
    /// The enum.
    pub spec: &'a SpecEnum,
    /// The variant, as it is called today.
    pub variant: &'a str,
    /// The record of the task.
    pub own: &'a Recorded,
    /// The records of the other tasks.
    pub others: &'a [&'a Recorded],
    /// What a person changed.
    pub edited: Edited,
}

/// A task taken out.
#[derive(Default)]
pub struct Removal {
    /// Files that stay and are edited.
    pub changes: Vec<FileChange>,
    /// Files that go.
    pub gone: Vec<Arc<SourceFile>>,
    /// What is worth saying.
    pub notes: Vec<Note>,
}

/// Plans a recorded task on a workspace: the changes that would bring what it lacks.
pub type Planned<'p> = dyn FnMut(&Workspace, &Record) -> Outcome<Vec<FileChange>> + 'p;

/// Reads a workspace as it would be, and looks there.
pub type Look<'p> =
    dyn FnMut(&Workspace, &mut dyn FnMut(&Index<'_>, &SpecEnum) -> Outcome<()>) -> Outcome<()> + 'p;

/// The pieces of the task, as they stand. Refuses one that stands twice.
pub fn located(asked: &Asked<'_>, index: &Index<'_>) -> Outcome<Vec<Located>> {
    let scaffolded = |of: &&Recorded| of.record.scaffolded.clone();
    let others: Vec<Scaffolded> = asked.others.iter().filter_map(scaffolded).collect();
    let others: Vec<&Scaffolded> = others.iter().collect();
    let own = scaffolded(&asked.own).unwrap_or_default();
    locate(index, asked.spec, asked.variant, &own, &others)
}

/// Takes the pieces in `located` out.
///
/// Refuses pieces that a person changed, and a task that other code uses, with every place.
pub fn removal(
    asked: &Asked<'_>,
    located: &[Located],
    plan: &mut Planned<'_>,
    look: &mut Look<'_>,
) -> Outcome<Removal> {
    let workspace = asked.workspace;
    let mut located = located.to_vec();
    let mut shared = Shared::of(asked, &located)?;
    let bare = taken_out(asked, &located, &shared)?;
    let without = bare.without(workspace);
    if located.iter().any(is_edited_file) || !asked.others.is_empty() {
        let made = plan(&without, &asked.own.record)?;
        shared.keep_others(&located, &made);
        for of in &mut located {
            narrow(of, &made);
        }
    }
    let located = &*located;
    shared.find(asked, located, &without, plan)?;
    let mut removal = taken_out(asked, located, &shared)?;
    look(&removal.without(workspace), &mut |index, _| {
        for (at, piece, member) in dependencies(workspace, located, &shared) {
            let krate = piece.replace('-', "_");
            if let Some(place) = uses::of_crate(index, &member, &krate)? {
                shared.keeps[at] = Some(Keeper::Code);
                let edge = located.iter().position(|of| is_edge(of, &member, &piece));
                if let Some(edge) = edge {
                    shared.keeps[edge].get_or_insert(Keeper::Code);
                }
                let message = format!("the dependency on `{piece}` stays: other code uses it");
                removal
                    .notes
                    .push(Note::warning("piece-stays", message).at(place));
            }
        }
        for (at, name) in imports(index, located, &shared)? {
            shared.keeps[at] = Some(Keeper::Code);
            let of = &located[at];
            let message = format!("the import of `{name}` stays: other code uses it");
            let note = Note::warning("piece-stays", message);
            removal.notes.push(note.at(shown(&of.file, &of.range)));
        }
        Ok(())
    })?;
    let notes = std::mem::take(&mut removal.notes);
    let mut removal = taken_out(asked, located, &shared)?;
    removal.notes = notes;
    edited(asked, located, &shared, &mut removal)?;
    let after = removal.without(workspace);
    let mut found = Vec::new();
    look(&after, &mut |index, spec| {
        stands(asked, spec)?;
        found.extend(uses::of_variant(index, spec, asked.variant)?);
        let before = Index::new(workspace, index::Memory::default());
        let gone = removal
            .gone
            .iter()
            .filter(|file| file.path.ends_with(".rs"));
        let gone: Vec<String> = gone.map(|file| file.path.clone()).collect();
        let modules = gone.iter().filter_map(|path| before.module_of(path));
        for module in modules.collect::<BTreeSet<_>>() {
            found.extend(uses::of_module(index, &module)?);
        }
        found.extend(uses::of_methods(index, &methods(&before, &gone)?));
        Ok(())
    })?;
    used(asked.variant, found)?;
    hand_over(asked, located, &shared, &mut removal)?;
    settled(asked, &removal.without(workspace), plan)?;
    Ok(removal)
}

/// Refuses a task whose variant would stay: its record does not hold it.
fn stands(asked: &Asked<'_>, spec: &SpecEnum) -> Outcome<()> {
    let variant = asked.variant;
    let Some(fact) = spec.variant(variant) else {
        return Ok(());
    };
    let message = format!(
        "`{}` does not record the variant `{variant}`",
        asked.own.file.path
    );
    Err(Refusal::new("not-recorded", message)
        .at(spec.facts.place(&fact.name_range))
        .help("take the record back from version control, or the task out by hand"))
}

/// Methods that files which go give to types which stay.
fn methods(before: &Index<'_>, gone: &[String]) -> Outcome<BTreeSet<String>> {
    let gone = gone.iter().map(|path| before.facts(path));
    let gone = gone.collect::<Outcome<Vec<_>>>()?;
    let types = gone.iter().flat_map(|facts| &facts.items);
    let types: BTreeSet<&str> = types
        .filter_map(|item| {
            let key = item
                .key
                .strip_prefix("struct ")
                .or(item.key.strip_prefix("enum "))?;
            key.split(['<', ' ']).next()
        })
        .collect();
    let mut found = BTreeSet::new();
    for facts in &gone {
        for method in facts.functions.iter().filter(|method| !method.is_test) {
            let of = method.in_impl.map(|at| &facts.impls[at]);
            let is_given = of.is_some_and(|of| {
                let owner = of.self_type.split(['<', ' ']).next().unwrap_or_default();
                of.trait_path.is_none() && !types.contains(owner)
            });
            if is_given {
                found.insert(method.name.clone());
            }
        }
    }
    Ok(found)
}

impl Removal {
    /// The workspace as it will be.
    #[must_use]
    pub fn without(&self, workspace: &Workspace) -> Workspace {
        workspace.without(&self.changes, &self.gone)
    }
}

/// Of a file that a person changed, where that begins: `made` is what is planned anew, which tells it
/// where this release of the tool made the file.
fn narrow(of: &mut Located, made: &[FileChange]) {
    let anew = made.iter().find(|change| change.path == of.piece.path);
    let Some(anew) = anew.filter(|anew| hash(&anew.after) == of.piece.hash) else {
        return;
    };
    if !is_edited_file(of) {
        return;
    }
    let mut start = 0;
    let mut lines = anew.after.lines();
    for line in of.file.text.split_inclusive('\n') {
        if lines.next() != Some(line.trim_end_matches(['\n', '\r'])) {
            of.range = start..start + line.trim_end().len();
            return;
        }
        start += line.len();
    }
}

/// Whether `need` is the piece: a file is by its path, whatever a person wrote into it.
fn is_needed(of: &Located, need: &RecordedPiece) -> bool {
    let is_file = of.piece.kind == FILE && need.kind == FILE && of.piece.path == need.path;
    is_file || of.piece.is(need)
}

/// Dependencies that would go: the piece, the name, and the package of their manifest.
fn dependencies(
    workspace: &Workspace,
    located: &[Located],
    shared: &Shared,
) -> Vec<(usize, String, String)> {
    let all = located.iter().zip(&shared.keeps).enumerate();
    let going = all.filter(|(_, (of, keeps))| keeps.is_none() && of.piece.kind == DEPENDENCY);
    going
        .filter_map(|(at, (of, _))| {
            let mut members = workspace.members.iter();
            let member = members.find(|member| member.manifest == of.piece.path)?;
            Some((at, of.piece.dependency.clone()?, member.name.clone()))
        })
        .collect()
}

/// Imports that would go though code that stays uses them: the piece, and the name.
fn imports(
    after: &Index<'_>,
    located: &[Located],
    shared: &Shared,
) -> Outcome<Vec<(usize, String)>> {
    let mut found = Vec::new();
    for (at, (of, keeps)) in located.iter().zip(&shared.keeps).enumerate() {
        let Some(now) = after.workspace.files.get(&of.piece.path) else {
            continue;
        };
        if keeps.is_some() || of.piece.kind != "import" {
            continue;
        }
        let facts = index::read(&of.file, &index::Interest::default())?;
        let inside =
            |range: &Range<usize>| of.range.start <= range.start && range.end <= of.range.end;
        let own = facts.uses.iter().filter(|import| inside(&import.range));
        let remains = after.facts(&now.path)?;
        let mut used = own.filter(|import| {
            let name = import.name.as_str();
            let is_imported = remains.uses.iter().any(|other| other.name == name);
            let is_named = [false, true]
                .iter()
                .any(|of| !names(&now.text, name, *of).is_empty());
            is_named && !is_imported
        });
        if let Some(import) = used.next() {
            found.push((at, import.name.clone()));
        }
    }
    Ok(found)
}

/// Whether the piece is the edge of the lock file that a dependency of the package has.
fn is_edge(of: &Located, package: &str, dependency: &str) -> bool {
    let piece = &of.piece;
    let to = piece
        .dependency
        .as_deref()
        .and_then(|to| to.split(' ').next());
    piece.kind == LOCKFILE && piece.within.as_deref() == Some(package) && to == Some(dependency)
}

/// Refuses what a person changed, or says that it goes.
fn edited(
    asked: &Asked<'_>,
    located: &[Located],
    shared: &Shared,
    removal: &mut Removal,
) -> Outcome<()> {
    let going = located
        .iter()
        .zip(&shared.keeps)
        .filter(|(_, keeps)| keeps.is_none());
    let is_in_file = |of: &Located| {
        of.piece.kind != FILE && removal.gone.iter().any(|gone| gone.path == of.file.path)
    };
    let changed: Vec<&Located> = going
        .map(|(of, _)| of)
        .filter(|of| of.state != Standing::Unchanged && !is_in_file(of))
        .collect();
    let variant = asked.variant;
    if asked.edited == Edited::Goes {
        if !changed.is_empty() {
            let message = format!(
                "what a person wrote for `{variant}` goes with it: where it was deployed, stop what enqueues it first, let the queue run empty, and only then take it out"
            );
            removal
                .notes
                .insert(0, Note::warning("edited-piece", message));
        }
        for of in changed {
            let what = what(of);
            let note = if of.state == Standing::Mixed {
                let message =
                    format!("{what} was edited, and stays: what of it is whose is not known");
                Note::warning("piece-stays", message).help("take it out by hand")
            } else {
                Note::warning(
                    "edited-piece",
                    format!("{what} was edited, and goes all the same"),
                )
            };
            removal.notes.push(note.at(shown(&of.file, &of.range)));
        }
        return Ok(());
    }
    let Some((first, rest)) = changed.split_first() else {
        return Ok(());
    };
    let message = format!("{} was edited since it was scaffolded", what(first));
    let mut refusal = Refusal::new("edited-piece", message)
        .at(shown(&first.file, &first.range))
        .help(format!(
            "`--allow-edited` takes `{variant}` out all the same; where it was deployed, stop what enqueues it and let the queue run empty first"
        ));
    for of in rest {
        refusal = refusal.and(shown(&of.file, &of.range), format!("{} too", what(of)));
    }
    Err(refusal)
}

/// A piece in words.
fn what(of: &Located) -> String {
    let path = &of.piece.path;
    match of.piece.kind.as_str() {
        FILE => format!("`{path}`"),
        kind => format!("the {} in `{path}`", kind.replace('_', " ")),
    }
}

/// Refuses a task that other code uses.
fn used(variant: &str, mut found: Vec<(crate::note::Place, String)>) -> Outcome<()> {
    found.sort_by(|(a, _), (b, _)| (&a.path, a.line, a.column).cmp(&(&b.path, b.line, b.column)));
    found.dedup_by(|(a, _), (b, _)| (&a.path, a.line) == (&b.path, b.line));
    let mut found = found.into_iter();
    let Some((first, label)) = found.next() else {
        return Ok(());
    };
    let message = format!("other code uses `{variant}`, or what would go with it: it {label}");
    let refusal = Refusal::new("variant-used", message)
        .at(first)
        .help("take that out first: what enqueues before all, in a release of its own");
    Err(found.fold(refusal, |refusal, (place, label)| refusal.and(place, label)))
}

/// Gives each piece that stays to the record of the task that needs it.
fn hand_over(
    asked: &Asked<'_>,
    located: &[Located],
    shared: &Shared,
    removal: &mut Removal,
) -> Outcome<()> {
    for (nth, other) in asked.others.iter().enumerate() {
        let before = other.record.scaffolded.clone().unwrap_or_default();
        let mut after = before.clone();
        after
            .pieces
            .retain(|piece| !shared.anew.contains(&piece.path));
        after.pieces.extend(shared.pieces[nth].iter().cloned());
        for (of, keeps) in located.iter().zip(&shared.keeps) {
            let is_known = after.pieces.iter().any(|piece| is_needed(of, piece));
            if *keeps == Some(Keeper::Task(nth)) && !is_known {
                after.pieces.push(of.piece.clone());
            }
        }
        after.pieces.sort();
        if after == before {
            continue;
        }
        let record = Record {
            scaffolded: Some(after),
            ..other.record.clone()
        };
        let spec = asked.spec;
        let text = text::render(&record, &spec.fact.name, &spec.facts.file.path);
        let edit = replaced(&other.file.text, &text);
        let change = edit::take_out(Arc::clone(&other.file), vec![edit])?;
        removal.changes.push(change);
    }
    removal.changes.sort_by(|a, b| a.path.cmp(&b.path));
    Ok(())
}

/// Proves that no other task lacks anything that it did not lack before.
fn settled(asked: &Asked<'_>, after: &Workspace, plan: &mut Planned<'_>) -> Outcome<()> {
    for other in asked.others {
        let lacks = brought(&plan(after, &other.record)?, &[]);
        if lacks.is_empty() {
            continue;
        }
        let lacked = brought(&plan(asked.workspace, &other.record)?, &[]);
        let is_old = |piece: &&RecordedPiece| !lacked.iter().any(|old| old.is(piece));
        if let Some(piece) = lacks.iter().find(is_old) {
            let (name, path) = (&other.record.form.variant, &piece.path);
            let what = piece.kind.replace('_', " ");
            let message = format!("`{name}` would lack a {what} in `{path}`");
            return Err(Refusal::new("not-convergent", message)
                .at(other.file.place(&(0..3)))
                .help("nothing was written: where another release of the tool scaffolded these tasks, use that one; else this is a bug of the tool"));
        }
    }
    Ok(())
}

/// The lines (from 1 each) that an edit takes out.
#[must_use]
pub fn lines_out(change: &FileChange, index: usize) -> usize {
    let edit = &change.edits[index];
    let before = change
        .before
        .as_ref()
        .map_or("", |before| before.text.as_str());
    let range: Range<usize> = edit.at..edit.at + edit.removed;
    let gone = before.get(range).unwrap_or_default();
    match edit.kind {
        SNAPSHOT => gone.lines().count(),
        _ => gone.trim_matches(['\n', '\r']).lines().count(),
    }
}
