//! The folder of the recorded snapshots: `<tag>.snap`, one file a variant.

use std::fs;
use std::sync::Arc;

use super::{Record, text};
use crate::note::{Outcome, Refusal};
use crate::workspace::{SourceFile, Workspace};

/// A snapshot that stands.
pub struct Recorded {
    /// Its file.
    pub file: Arc<SourceFile>,
    /// What it says.
    pub record: Record,
}

/// The file of the variant that is written with `tag`.
///
/// What a file system may take for something else than a name stands as its code.
#[must_use]
pub fn path(folder: &str, tag: &str) -> String {
    let mut name = String::new();
    for c in tag.chars() {
        match c {
            'A'..='Z' | 'a'..='z' | '0'..='9' | '_' | '-' => name.push(c),
            c => name.push_str(&format!("%{:x}", u32::from(c))),
        }
    }
    format!("{folder}/{name}.snap")
}

/// The snapshot at `path`, if there is one; one that cannot be read is refused.
pub fn at(workspace: &Workspace, path: &str) -> Outcome<Option<Recorded>> {
    let Some(file) = workspace.read_if_any(path)? else {
        return Ok(None);
    };
    let record = text::parse(&file)?;
    let file = Arc::new(file);
    Ok(Some(Recorded { file, record }))
}

/// Every snapshot of the folder, in the order of their names.
pub fn recorded(workspace: &Workspace, folder: &str) -> Outcome<Vec<Recorded>> {
    let dir = workspace.root.join(folder);
    if !dir.is_dir() {
        return Ok(Vec::new());
    }
    let refuse =
        |e: std::io::Error| Refusal::new("read", format!("cannot read the folder `{folder}`: {e}"));
    let mut names = Vec::new();
    for entry in fs::read_dir(dir).map_err(refuse)? {
        let name = entry.map_err(refuse)?.file_name();
        names.extend(name.to_str().map(str::to_owned));
    }
    names.retain(|name| name.ends_with(".snap"));
    names.sort();
    let all = names.iter().map(|name| {
        let file = Arc::new(workspace.read_text(&format!("{folder}/{name}"))?);
        let record = text::parse(&file)?;
        Ok(Recorded { file, record })
    });
    all.collect()
}

#[cfg(test)]
mod tests {
    use super::path;

    #[test]
    fn a_tag_makes_the_name_of_one_file() {
        assert_eq!(path("s", "clone_repository"), "s/clone_repository.snap");
        assert_eq!(path("s", "../a b"), "s/%2e%2e%2fa%20b.snap");
    }
}
