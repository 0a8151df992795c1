//! Reading that need not wait for `cargo metadata`: facts of the files that name the enum.
//!
//! Whether a file belongs to a member, and whether to a test of it, is known only afterwards;
//! what is read here does not depend on it. Where the enum turns out to be another one, the
//! facts are dropped and read again.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;

use super::spec::{self, DEFAULT_NAME, defines};
use crate::index::{EnumFact, Interest, Memory, find, on_all_cores, read};
use crate::workspace::SourceFile;

/// Reads the files that name the enum of the default name, where there is exactly one.
#[must_use]
pub fn ahead(files: &BTreeMap<String, Arc<SourceFile>>) -> Memory {
    let mut hits = BTreeMap::new();
    let mut find = |needle: &str| find(&mut hits, needle, files);
    // The files that name the enum are wanted afterwards: one of them defines it.
    find(DEFAULT_NAME);
    let facts = find(&defines(DEFAULT_NAME));
    let facts = facts
        .iter()
        .map(|path| read(&files[path], &Interest::default()));
    let enums: Vec<EnumFact> = facts
        .filter_map(Result::ok)
        .flat_map(|facts| facts.enums)
        .filter(|fact| fact.name == DEFAULT_NAME)
        .collect();
    let [fact] = enums.as_slice() else {
        return Memory::early(files, Interest::default(), Vec::new(), hits);
    };
    let naming = find(&fact.name);
    let interest = interest(fact, naming.iter().map(|path| files[path].text.as_str()));
    let naming: BTreeSet<String> = interest.names.iter().flat_map(|name| find(name)).collect();
    let naming = naming.iter().map(|path| &files[path]).collect();
    let facts = on_all_cores(naming, &|file| read(file, &interest).ok());
    let facts = facts.into_values().flatten().collect();
    Memory::early(files, interest, facts, hits)
}

/// What matches over the enum are looked for by: its name, and those that the texts of files
/// which name it give it.
#[must_use]
pub fn interest<'t>(fact: &EnumFact, texts: impl Iterator<Item = &'t str>) -> Interest {
    let mut names = BTreeSet::from([fact.name.clone()]);
    for text in texts {
        for (at, _) in text.match_indices(&fact.name) {
            let start = text[..at].rfind('\n').map_or(0, |n| n + 1);
            let line = text[start..].lines().next().unwrap_or_default();
            names.extend(alias(line.trim(), &fact.name));
        }
    }
    Interest {
        names,
        variants: fact.variants.iter().map(|v| v.name.clone()).collect(),
        tags: fact
            .variants
            .iter()
            .flat_map(|v| spec::tags(fact, v))
            .collect(),
    }
}

/// `Other` of `pub use path::Name as Other;` and `pub type Other = path::Name;`.
fn alias(line: &str, name: &str) -> Option<String> {
    let word = |text: &str| {
        let word: String = text
            .chars()
            .take_while(|c| c.is_alphanumeric() || *c == '_')
            .collect();
        (!word.is_empty() && word != "_").then_some(word)
    };
    if line.starts_with("pub use ") {
        let at = line.find(&format!("{name} as "))?;
        return word(&line[at + name.len() + 4..]);
    }
    let rest = line.strip_prefix("pub type ")?;
    let target = rest.split_once('=')?.1.trim().trim_end_matches(';');
    let target = target.split('<').next()?.trim_end();
    (target.rsplit("::").next() == Some(name))
        .then(|| word(rest))
        .flatten()
}

#[cfg(test)]
mod tests {
    use super::alias;

    #[test]
    fn other_names_of_the_enum() {
        let other = |line| alias(line, "TaskSpec");
        assert_eq!(
            other("pub use a::TaskSpec as Spec;").as_deref(),
            Some("Spec")
        );
        assert_eq!(
            other("pub type Job = a::b::TaskSpec;").as_deref(),
            Some("Job")
        );
        let generic = other("pub type Job<T> = a::TaskSpec<T>;");
        assert_eq!(generic.as_deref(), Some("Job"));
        assert_eq!(other("pub use a::TaskSpec as _;"), None);
        assert_eq!(other("pub type Jobs = Vec<a::TaskSpec>;"), None);
        assert_eq!(other("use a::TaskSpec as Spec;"), None);
    }
}
