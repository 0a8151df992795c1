//! Adds to a file that stands the items of a generated one that it lacks.
//!
//! Items are told apart by what they are and how they are called. What stands is never
//! changed: a person may have written there.

use std::path::PathBuf;
use std::sync::Arc;

use crate::edit::TextEdit;
use crate::index::{self, FileFacts, Interest, ItemFact};
use crate::note::{Outcome, Place, Refusal};
use crate::workspace::SourceFile;

/// Who calls what stands in a generated module.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Callers {
    /// Its own task: a person may have changed everything in it.
    Task,
    /// Every task that was or will be generated: they go by its signatures.
    EveryTask,
}

/// The insertions that give `existing` every item of `rendered`, each with what it adds.
///
/// `left` holds the keys of items that are not given. Refuses a file that has none of them: it is
/// another one that happens to have the name; and one that every task calls, where a function has
/// another signature there.
pub fn missing(
    existing: &Arc<SourceFile>,
    path: &str,
    rendered: &str,
    callers: Callers,
    left: &[&str],
    edition: &str,
) -> Outcome<Vec<(String, TextEdit)>> {
    if existing.text == rendered {
        return Ok(Vec::new());
    }
    let wanted = read(path, rendered)?;
    let stands = index::read(existing, &Interest::default())?;
    let known = wanted
        .items
        .iter()
        .filter(|item| is_code(item))
        .any(|item| find(&stands.items, item).is_some());
    if !known {
        return Err(Refusal::new(
            "module-taken",
            format!("`{path}` stands already and has nothing of what the tool would write there"),
        )
        .at(existing.place(&(0..1)))
        .help("rename that file, or the task"));
    }
    if callers == Callers::EveryTask {
        same_signatures(&wanted, &wanted.items, &stands, &stands.items)?;
    }
    let mut out = Vec::new();
    level(
        &wanted,
        &wanted.items,
        &stands,
        &stands.items,
        None,
        &mut out,
    );
    out.retain(|(what, _)| left.iter().all(|left| *what != format!("`{left}`")));
    imports(&wanted, &stands, edition, &mut out);
    Ok(out)
}

/// The facts of a text that is no file yet.
fn read(path: &str, text: &str) -> Outcome<FileFacts> {
    let file = SourceFile {
        path: path.to_owned(),
        absolute: PathBuf::new(),
        text: text.to_owned(),
    };
    index::read(&Arc::new(file), &Interest::default())
}

/// Options that say of an item of `rendered` what `existing` says otherwise, with the place there.
///
/// `given` holds each option with the key of its item.
pub fn otherwise(
    existing: &Arc<SourceFile>,
    rendered: &str,
    given: &[(&'static str, &'static str)],
) -> Outcome<Vec<(&'static str, Place)>> {
    let wanted = read(&existing.path, rendered)?;
    let stands = index::read(existing, &Interest::default())?;
    let all = |items: &[ItemFact]| -> Vec<ItemFact> {
        let inner = items.iter().flat_map(|item| item.inner.iter());
        items.iter().chain(inner).cloned().collect()
    };
    let (ours, theirs) = (all(&wanted.items), all(&stands.items));
    let mut out: Vec<(&'static str, Place)> = Vec::new();
    for (option, key) in given {
        let is_it = |item: &&ItemFact| item.key == *key;
        let (Some(ours), Some(theirs)) = (ours.iter().find(is_it), theirs.iter().find(is_it))
        else {
            continue;
        };
        let place = stands.place(&theirs.range);
        let (ours, theirs) = (wanted.text(&ours.range), stands.text(&theirs.range));
        let is_same = match *option {
            // The rest of the function is not the option's.
            "--dedupe" => ours.contains("Dedupe::Forever") == theirs.contains("Dedupe::Forever"),
            _ => bare(ours) == bare(theirs),
        };
        if !is_same && out.iter().all(|(known, _)| known != option) {
            out.push((option, place));
        }
    }
    Ok(out)
}

/// Refuses a function of `stands` that is called as in `wanted` and has another signature.
fn same_signatures(
    wanted: &FileFacts,
    wanted_items: &[ItemFact],
    stands: &FileFacts,
    stands_items: &[ItemFact],
) -> Outcome<()> {
    for item in wanted_items {
        let Some(found) = find(stands_items, item) else {
            continue;
        };
        same_signatures(wanted, &item.inner, stands, &found.inner)?;
        let (Some(ours), Some(theirs)) = (&item.signature, &found.signature) else {
            continue;
        };
        let (ours, place) = (wanted.text(ours), theirs);
        let theirs = stands.text(theirs);
        if bare(ours) != bare(theirs) {
            return Err(Refusal::new(
                "other-signature",
                format!(
                    "generated code does not call the shared `{}` as it stands: `{}`",
                    item.key,
                    one_line(theirs)
                ),
            )
            .at(stands.place(place))
            .help(format!(
                "make it `{}`, or rename it: then the tool adds its own",
                one_line(ours)
            )));
        }
    }
    Ok(())
}

/// A signature without white space, visibility and the comma behind the last parameter.
fn bare(signature: &str) -> String {
    let text: String = signature.split_whitespace().collect();
    let text = text.replace(",)", ")").replace(",>", ">");
    let start = if text.starts_with("pub(") {
        text.find(')').map_or(0, |n| n + 1)
    } else {
        0
    };
    text[start..].trim_start_matches("pub").to_owned()
}

/// The same on one line.
fn one_line(signature: &str) -> String {
    let words: Vec<&str> = signature.split_whitespace().collect();
    words.join(" ").replace("( ", "(").replace(", )", ")")
}

fn is_code(item: &ItemFact) -> bool {
    !item.key.starts_with("use ") && item.key != "mod tests" && item.key != "other"
}

fn find<'a>(items: &'a [ItemFact], wanted: &ItemFact) -> Option<&'a ItemFact> {
    items.iter().find(|item| item.key == wanted.key)
}

/// Adds what `stands` lacks of `wanted` at one level of nesting, and descends.
fn level(
    wanted_file: &FileFacts,
    wanted: &[ItemFact],
    stands_file: &FileFacts,
    stands: &[ItemFact],
    close: Option<usize>,
    out: &mut Vec<(String, TextEdit)>,
) {
    let file = &stands_file.file;
    let newline = file.line_ending();
    for (i, item) in wanted.iter().enumerate() {
        // Lines that declare modules are a piece of their own.
        let declares = item.key.starts_with("mod ") && item.close.is_none();
        if item.key.starts_with("use ") || item.key == "other" || declares {
            continue;
        }
        if let Some(found) = find(stands, item) {
            if found.close.is_some() {
                level(
                    wanted_file,
                    &item.inner,
                    stands_file,
                    &found.inner,
                    found.close,
                    out,
                );
            }
            continue;
        }
        let start = wanted_file.file.line_start(item.range.start);
        let text = wanted_file.file.text[start..item.range.end].replace('\n', newline);
        let before = wanted[..i]
            .iter()
            .rev()
            .find_map(|other| find(stands, other));
        let after = wanted[i + 1..].iter().find_map(|other| find(stands, other));
        let blank = newline;
        let edit = match (before, after) {
            (Some(before), _) => {
                let end = before.range.end;
                let at = file.text[end..]
                    .find('\n')
                    .map_or(file.text.len(), |n| end + n);
                let at = if file.text[..at].ends_with('\r') {
                    at - 1
                } else {
                    at
                };
                (at, format!("{newline}{blank}{text}"))
            }
            (None, Some(after)) => {
                let at = file.line_start(after.range.start);
                (at, format!("{text}{newline}{blank}"))
            }
            (None, None) => {
                let at = close.map_or(file.text.len(), |close| file.line_start(close));
                (at, format!("{text}{newline}"))
            }
        };
        out.push((
            format!("`{}`", item.key),
            TextEdit::insert(edit.0, edit.1, "module"),
        ));
    }
}

/// Imports of the generated file that the added items need and the file lacks.
fn imports(
    wanted: &FileFacts,
    stands: &FileFacts,
    edition: &str,
    out: &mut Vec<(String, TextEdit)>,
) {
    let added: String = out.iter().map(|(_, edit)| edit.text.as_str()).collect();
    let file = &stands.file;
    let newline = file.line_ending();
    for import in wanted.uses.iter().filter(|u| u.is_top && u.name != "*") {
        let lacks = !stands.uses.iter().any(|u| u.name == import.name);
        let used = added.contains(import.name.as_str());
        if !lacks || !used {
            continue;
        }
        let Some(at) = place_of_import(stands, &import.path, edition) else {
            return;
        };
        let text = format!("use {};{newline}", import.path);
        out.push((
            format!("`use {}`", import.path),
            TextEdit::insert(at, text, "import"),
        ));
    }
}

/// Where rustfmt has an import of `path`: among those of the same crate, else of the same group, else
/// among all.
fn place_of_import(stands: &FileFacts, path: &str, edition: &str) -> Option<usize> {
    let file = &stands.file;
    let head = |path: &str| path.split("::").next().unwrap_or_default().to_owned();
    let below = |end: usize| file.text[end..].find('\n').map(|n| end + n + 1);
    let mut uses: Vec<(&str, &std::ops::Range<usize>)> = Vec::new();
    for import in stands.uses.iter().filter(|u| u.is_top) {
        let text = stands.text(&import.range);
        let tree = text.find("use ").map_or("", |at| text[at + 4..].trim());
        if uses.last().is_none_or(|(_, range)| **range != import.range) {
            uses.push((tree, &import.range));
        }
    }
    // Std, other crates, and what is this crate's own stand in groups of their own.
    let group = |path: &str| match &*head(path) {
        "std" | "core" | "alloc" => 0,
        "crate" | "super" | "self" => 2,
        _ => 1,
    };
    let of_crate = |tree: &str| head(tree) == head(path);
    let of_group = |tree: &str| group(tree) == group(path);
    for is_beside in [&of_crate as &dyn Fn(&str) -> bool, &of_group, &|_| true] {
        let beside: Vec<_> = uses.iter().filter(|(tree, _)| is_beside(tree)).collect();
        let is_below = |(tree, _): &&&(&str, _)| order(tree, edition) > order(path, edition);
        match (beside.iter().find(is_below), beside.last()) {
            (Some((_, range)), _) => return Some(file.line_start(range.start)),
            (None, Some((_, range))) => return below(range.end),
            (None, None) => {}
        }
    }
    None
}

/// What rustfmt sorts imports by: segment by segment, braces last; before edition 2024 modules
/// before types before constants.
fn order<'t>(tree: &'t str, edition: &str) -> Vec<(u8, &'t str)> {
    let class = |segment: &str| match segment {
        "self" => 0,
        "super" => 1,
        "crate" => 2,
        _ if segment.starts_with('{') => 6,
        _ if edition >= "2024" => 3,
        _ if !segment.starts_with(char::is_uppercase) => 3,
        _ if segment.chars().any(char::is_lowercase) => 4,
        _ => 5,
    };
    let end = tree.find('{').map_or(tree.len(), |at| at + 1);
    let segments = tree[..end].trim_end_matches(';').split("::");
    segments.map(|segment| (class(segment), segment)).collect()
}

#[cfg(test)]
mod tests {
    use super::order;

    #[test]
    fn imports_stand_in_rustfmts_order() {
        let of_2021 = [
            "super::schedule::every;",
            "super::Finished;",
            "super::STARTED;",
            "super::{Finished, start};",
            "crate::executor::X;",
            "std::fmt;",
            "std::fmt::Debug;",
        ];
        let of_2024 = [
            "super::Finished;",
            "super::STARTED;",
            "super::schedule::every;",
            "super::{Finished, start};",
            "crate::executor::X;",
            "std::fmt;",
            "std::fmt::Debug;",
        ];
        for (edition, sorted) in [("2021", of_2021), ("2024", of_2024)] {
            for pair in sorted.windows(2) {
                let [above, below] = [pair[0], pair[1]].map(|tree| order(tree, edition));
                assert!(above < below, "{edition}: {pair:?}");
            }
        }
    }
}
