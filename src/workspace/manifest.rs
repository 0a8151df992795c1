//! Manifests and the lock file: what stands in them, and where a line more goes.
//!
//! `toml_edit` says where things stand; the new line goes in as text, so that everything
//! else keeps its bytes.

use std::sync::Arc;

use memchr::memmem;
use toml_edit::{Document, Item, TableLike};

use super::SourceFile;
use crate::edit::TextEdit;
use crate::note::{Outcome, Refusal};

/// A parsed manifest.
pub struct Manifest {
    /// The file.
    pub file: Arc<SourceFile>,
    document: Document<String>,
}

impl Manifest {
    /// Parses `file`; refuses with cargo's place when it is no TOML.
    pub fn parse(file: SourceFile) -> Outcome<Self> {
        let document = Document::parse(file.text.clone()).map_err(|e| {
            let range = e.span().unwrap_or(0..1);
            Refusal::new(
                "manifest",
                format!("`{}` does not parse: {}", file.path, e.message()),
            )
            .at(file.place(&range))
            .help("mend the manifest first")
        })?;
        Ok(Self {
            file: Arc::new(file),
            document,
        })
    }

    /// The item at a dotted path of keys.
    #[must_use]
    pub fn get(&self, path: &[&str]) -> Option<&Item> {
        let mut item = self.document.as_item();
        for key in path {
            item = item.get(key)?;
        }
        Some(item)
    }

    /// Whether `[dependencies]` holds `name`, as a key or as the package of a renamed one.
    #[must_use]
    pub fn has_dependency(&self, name: &str) -> bool {
        self.dependencies()
            .is_some_and(|table| table.contains_key(name))
    }

    fn dependencies(&self) -> Option<&dyn TableLike> {
        self.get(&["dependencies"])?.as_table_like()
    }

    /// The line to insert so that the package depends on `name` with `value`.
    ///
    /// The line goes to its place in a sorted table, else to the end of the table's first block.
    pub fn add_dependency(&self, name: &str, value: &str) -> Outcome<TextEdit> {
        let text = &self.file.text;
        let newline = self.file.line_ending();
        let Some(table) = self.dependencies() else {
            let lead = if text.ends_with('\n') { "" } else { newline };
            return Ok(TextEdit::insert(
                text.len(),
                format!("{lead}{newline}[dependencies]{newline}{name}{value}{newline}"),
                "dependency",
            ));
        };
        // Each key with the offsets of the line it starts on and of the line after it.
        let mut lines: Vec<(&str, usize, usize)> = Vec::new();
        for (key, item) in table.iter() {
            let Some((key_span, end)) = table.key(key).and_then(toml_edit::Key::span).map(|key| {
                (
                    key.clone(),
                    item.span().map_or(key.end, |span| span.end.max(key.end)),
                )
            }) else {
                continue;
            };
            let start = self.file.line_start(key_span.start);
            let end = text[end..].find('\n').map_or(text.len(), |n| end + n + 1);
            lines.push((key, start, end));
        }
        lines.sort_by_key(|(_, start, _)| *start);
        let Some((_, _, mut last_end)) = lines.last().copied() else {
            let header = text.find("[dependencies]").unwrap_or(text.len());
            let end = text[header..]
                .find('\n')
                .map_or(text.len(), |n| header + n + 1);
            return Ok(TextEdit::insert(
                end,
                format!("{name}{value}{newline}"),
                "dependency",
            ));
        };
        // Blocks are divided by blank lines; the line goes into a sorted block where one is.
        let mut at = None;
        let mut block: Vec<(&str, usize, usize)> = Vec::new();
        let mut blocks = Vec::new();
        for line in lines {
            if block.last().is_some_and(|(_, _, end)| *end != line.1) {
                blocks.push(std::mem::take(&mut block));
            }
            block.push(line);
        }
        blocks.push(block);
        for block in &blocks {
            let sorted = block.windows(2).all(|pair| pair[0].0 <= pair[1].0);
            let covers = block.first().is_some_and(|(key, ..)| *key < name)
                && block.last().is_some_and(|(key, ..)| name < *key);
            if sorted && covers {
                at = block
                    .iter()
                    .find(|(key, ..)| *key > name)
                    .map(|(_, start, _)| *start);
                break;
            }
        }
        if at.is_none()
            && let [block] = blocks.as_slice()
            && block.windows(2).all(|pair| pair[0].0 <= pair[1].0)
            && block.first().is_some_and(|(key, ..)| name < *key)
        {
            at = block.first().map(|(_, start, _)| *start);
        }
        let mut lead = "";
        if at.is_none() && !text[..last_end].ends_with('\n') {
            lead = newline;
            last_end = text.len();
        }
        Ok(TextEdit::insert(
            at.unwrap_or(last_end),
            format!("{lead}{name}{value}{newline}"),
            "dependency",
        ))
    }

    /// Whether dependencies on the workspace are written `name.workspace = true` here.
    #[must_use]
    pub fn dots_workspace(&self) -> bool {
        self.file.text.lines().any(|line| {
            line.split_once('=').is_some_and(|(key, _)| {
                let key = key.trim();
                key.ends_with(".workspace") && !line.trim_start().starts_with('[') && {
                    let name = key.trim_end_matches(".workspace");
                    self.has_dependency(name)
                }
            })
        })
    }
}

/// The edge `from → name` in a lock file, as text; `None` when it stands already.
///
/// `version` chooses among several locked versions. Refuses when the lock file holds no such
/// package: a generated dependency never brings a new one.
pub fn lock_edge(
    lock: &SourceFile,
    from: &str,
    name: &str,
    fits: &dyn Fn(&str) -> bool,
) -> Outcome<Option<TextEdit>> {
    let text = &lock.text;
    let newline = lock.line_ending();
    let missing = |message: String| {
        Refusal::new("lock", message)
            .help("run `cargo metadata` once so that the lock file is up to date, and try again")
    };
    let mut versions = Vec::new();
    let mut package = None;
    // A lock file holds a thousand packages: only those that speak of the two are read.
    let finders = [name, from].map(memmem::Finder::new);
    let starts: Vec<usize> = memmem::find_iter(text.as_bytes(), "[[package]]").collect();
    for (i, at) in starts.iter().copied().enumerate() {
        let end = starts.get(i + 1).copied().unwrap_or(text.len());
        let body = &text[at..end];
        let speaks = |of: &memmem::Finder<'_>| of.find(body.as_bytes()).is_some();
        if !finders.iter().any(speaks) {
            continue;
        }
        let value = |key: &str| {
            body.lines().find_map(|line| {
                line.strip_prefix(key)?
                    .trim()
                    .strip_prefix('"')?
                    .strip_suffix('"')
            })
        };
        let (Some(found), Some(version)) = (value("name ="), value("version =")) else {
            continue;
        };
        if found == name {
            versions.push(version);
        }
        let is_member = !body.lines().any(|line| line.starts_with("source ="));
        if found == from && is_member {
            package = Some((at, end));
        }
    }
    let fitting: Vec<&&str> = versions.iter().filter(|version| fits(version)).collect();
    let [version] = fitting.as_slice() else {
        return Err(missing(format!(
            "`{}` holds {} fitting versions of `{name}`",
            lock.path,
            fitting.len()
        )));
    };
    let entry = if versions.len() > 1 {
        format!("{name} {version}")
    } else {
        name.to_owned()
    };
    let (start, end) = package
        .ok_or_else(|| missing(format!("`{}` does not hold the member `{from}`", lock.path)))?;
    let body = &text[start..end];
    let Some(list) = body.find("dependencies = [") else {
        let last = body.trim_end().len();
        return Ok(Some(TextEdit::insert(
            start + last,
            format!("{newline}dependencies = [{newline} \"{entry}\",{newline}]"),
            "lockfile",
        )));
    };
    let mut at = start + list + body[list..].find('\n').map_or(0, |n| n + 1);
    for line in text[at..end].split_inclusive('\n') {
        let Some(known) = line
            .trim()
            .strip_prefix('"')
            .and_then(|l| l.strip_suffix("\","))
        else {
            break;
        };
        if known == entry || known.split(' ').next() == Some(name) && versions.len() == 1 {
            return Ok(None);
        }
        if known > entry.as_str() {
            break;
        }
        at += line.len();
    }
    Ok(Some(TextEdit::insert(
        at,
        format!(" \"{entry}\",{newline}"),
        "lockfile",
    )))
}
