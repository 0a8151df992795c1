//! What was detected, as lines of `[workspace.metadata.oxy-task]` in the root manifest.

use toml_edit::Item;

use crate::edit::{FileChange, TextEdit};
use crate::index::Index;
use crate::landmarks::Landmarks;
use crate::note::{Outcome, Refusal};
use crate::workspace::Manifest;

/// The table's header.
const HEADER: &str = "[workspace.metadata.oxy-task]";

/// Where it stands.
const PATH: [&str; 3] = ["workspace", "metadata", "oxy-task"];

/// A line of the table.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Line {
    /// The key.
    pub key: &'static str,
    /// The whole line.
    pub text: String,
}

/// The lines for all that was detected and is not said in `manifest` yet.
///
/// A path begins with the package's name as its manifest has it.
pub fn missing(
    index: &Index<'_>,
    landmarks: &Landmarks,
    manifest: &Manifest,
) -> Outcome<Vec<Line>> {
    let Landmarks {
        spec,
        executor,
        queue,
        policy,
        events,
        ..
    } = landmarks;
    let of_crate = |path: &str| -> Outcome<String> {
        let (krate, rest) = path.split_once("::").unwrap_or((path, ""));
        let mut members = index.workspace.members.iter();
        let member = members.find(|member| member.crate_name() == krate);
        let member = member.ok_or_else(|| {
            Refusal::new("init", format!("`{path}` is in no crate of this workspace"))
                .help("write the key by hand, as the README says")
        })?;
        Ok(format!("{}::{rest}", member.name))
    };
    let enqueue = index.module_of(&queue.facts.file.path).ok_or_else(|| {
        let path = &queue.facts.file.path;
        Refusal::new("init", format!("`{path}` is in no library"))
            .help("write the key `enqueue` by hand, as the README says")
    })?;
    let line = |key, value: String| Line {
        key,
        text: format!("{key} = {value}"),
    };
    let path = |key, path: &str| Ok(line(key, format!("{:?}", of_crate(path)?)));
    let names = [
        ("started", &events.started),
        ("progress", &events.progress),
        ("done", &events.done),
        ("failed", &events.failed),
        ("cancelled", &events.cancelled),
    ];
    let names = names.map(|(name, event)| format!("{name} = {event:?}"));
    let all: Vec<Line> = [
        path("task-spec", &spec.path),
        path(
            "executor",
            &format!("{}::{}", executor.module, executor.self_type),
        ),
        path("enqueue", &format!("{enqueue}::{}", queue.function)),
        path("policy", &policy.policy),
        Ok(line("events", format!("{{ {} }}", names.join(", ")))),
    ]
    .into_iter()
    .collect::<Outcome<_>>()?;
    let said = manifest.get(&PATH).and_then(Item::as_table_like);
    let is_said = |key: &str| said.is_some_and(|table| table.contains_key(key));
    Ok(all.into_iter().filter(|line| !is_said(line.key)).collect())
}

/// The change of the manifest that adds `lines`; `None` where there are none.
///
/// Refuses a manifest in which they have no place of their own.
pub fn change(manifest: &Manifest, lines: &[Line]) -> Outcome<Option<FileChange>> {
    if lines.is_empty() {
        return Ok(None);
    }
    let (file, newline) = (&manifest.file, manifest.file.line_ending());
    let text = &file.text;
    let added: String = lines
        .iter()
        .map(|line| format!("{}{newline}", line.text))
        .collect();
    let lead = if text.ends_with('\n') { "" } else { newline };
    let (at, added) = match manifest.get(&PATH) {
        None => (
            text.len(),
            format!("{lead}{newline}{HEADER}{newline}{added}"),
        ),
        Some(table) => {
            let end = end_of(table, text).ok_or_else(|| no_place(manifest, lines))?;
            let lead = if text[..end].ends_with('\n') {
                ""
            } else {
                newline
            };
            (end, format!("{lead}{added}"))
        }
    };
    let edit = TextEdit::insert(at, added, "configuration");
    let mut after = text.clone();
    after.insert_str(at, &edit.text);
    let change = FileChange {
        path: file.path.clone(),
        before: Some(std::sync::Arc::clone(file)),
        after: after.clone(),
        edits: vec![edit],
    };
    // An inline `metadata` takes no table beside it, to name one.
    let parsed = after.parse::<toml_edit::DocumentMut>();
    let holds = |document: &toml_edit::DocumentMut| {
        let mut item = Some(document.as_item());
        for key in PATH {
            item = item.and_then(|item| item.get(key));
        }
        let table = item.and_then(Item::as_table_like);
        table.is_some_and(|table| lines.iter().all(|line| table.contains_key(line.key)))
    };
    match parsed {
        Ok(document) if holds(&document) => Ok(Some(change)),
        _ => Err(no_place(manifest, lines)),
    }
}

/// The offset behind the last line of the table, which has a header of its own; `None` for another
/// form.
fn end_of(table: &Item, text: &str) -> Option<usize> {
    let table = table.as_table()?;
    if table.is_dotted() || table.is_implicit() {
        return None;
    }
    let ends = table.iter().filter_map(|(_, item)| item.span());
    let last = ends.map(|span| span.end).max();
    let last = last.or_else(|| text.find(HEADER))?;
    Some(text[last..].find('\n').map_or(text.len(), |n| last + n + 1))
}

fn no_place(manifest: &Manifest, lines: &[Line]) -> Refusal {
    let range = manifest
        .get(&["workspace", "metadata"])
        .and_then(Item::span);
    let lines: Vec<&str> = lines.iter().map(|line| line.text.as_str()).collect();
    Refusal::new(
        "init",
        format!("`{HEADER}` has no place of its own in the root manifest"),
    )
    .at(manifest.file.place(&range.unwrap_or(0..1)))
    .help(format!("add by hand: {}", lines.join("; ")))
}

#[cfg(test)]
mod tests {
    use std::path::PathBuf;

    use super::*;
    use crate::workspace::SourceFile;

    fn with_lines(text: &str) -> Outcome<String> {
        let manifest = Manifest::parse(SourceFile {
            path: "Cargo.toml".to_owned(),
            absolute: PathBuf::from("/Cargo.toml"),
            text: text.to_owned(),
        })?;
        let line = |key, text: &str| Line {
            key,
            text: text.to_owned(),
        };
        let lines = [
            line("executor", "executor = \"a::B\""),
            line("events", "events = { done = \"d\" }"),
        ];
        Ok(change(&manifest, &lines)?.unwrap().after)
    }

    const LINES: &str = "executor = \"a::B\"\nevents = { done = \"d\" }\n";

    #[test]
    fn lines_go_to_the_end_of_their_table() {
        let table = "[workspace.metadata.oxy-task] # Ours.\ntask-spec = \"c::D\" # The one.\n";
        for (before, after) in [
            ("[workspace]\n", format!("[workspace]\n\n{HEADER}\n{LINES}")),
            ("[workspace]", format!("[workspace]\n\n{HEADER}\n{LINES}")),
            (table, format!("{table}{LINES}")),
            (
                "[workspace.metadata.oxy-task]\n\n[profile.dev]\n",
                format!("{HEADER}\n{LINES}\n[profile.dev]\n"),
            ),
        ] {
            assert_eq!(with_lines(before).unwrap(), after, "{before}");
        }
        let crlf = with_lines("[workspace]\r\n").unwrap();
        assert_eq!(crlf.matches('\n').count(), crlf.matches("\r\n").count());
    }

    #[test]
    fn another_form_is_left_to_a_person() {
        for text in [
            "[workspace]\nmetadata = { a = 1 }\n",
            "[workspace]\nmetadata.oxy-task.task-spec = \"c::D\"\n",
            "[workspace.metadata]\noxy-task = { task-spec = \"c::D\" }\n",
        ] {
            let refused = with_lines(text).unwrap_err();
            assert!(
                refused.help.unwrap().contains("add by hand: executor"),
                "{text}"
            );
        }
    }
}
