//! Where a `use` declaration goes among those that stand.

use crate::index::{FileFacts, UseFact};
use crate::trivia::{Sibling, Spot};

/// Heads of paths that stand in groups of their own.
const OWN: [&str; 6] = ["std", "core", "alloc", "crate", "self", "super"];

/// The place for `use path;` of another crate: among its neighbours where those are sorted, else
/// behind them. `None` where the file imports nothing.
#[must_use]
pub fn spot(facts: &FileFacts, path: &str) -> Option<Spot> {
    let file = &facts.file;
    let mut declarations: Vec<&UseFact> = facts.uses.iter().filter(|of| of.is_top).collect();
    declarations.sort_by_key(|of| of.range.start);
    declarations.dedup_by_key(|of| of.range.start);
    let line_after = |end: usize| file.text[end..].find('\n').map_or(end, |n| end + n + 1);
    let mut groups: Vec<Vec<&UseFact>> = Vec::new();
    for of in declarations {
        let last = groups.last().and_then(|group| group.last());
        let continues =
            last.is_some_and(|last| line_after(last.range.end) == file.line_start(of.range.start));
        match groups.last_mut() {
            Some(group) if continues => group.push(of),
            _ => groups.push(vec![of]),
        }
    }
    let key = |of: &UseFact, order: Order| key(facts.text(&of.range), order);
    let is_foreign = |of: &&UseFact| {
        let key = key(of, Order::Text);
        !OWN.contains(&key.first().map_or("", |(_, head)| head.as_str()))
    };
    let foreign = groups.iter().position(|group| group.iter().any(is_foreign));
    let group = &groups[foreign.or_else(|| groups.len().checked_sub(1))?];
    let siblings: Vec<Sibling> = group
        .iter()
        .map(|of| Sibling::on_lines(&of.range))
        .collect();
    let is_sorted = |order: &Order| {
        let mut pairs = group.windows(2);
        pairs.all(|pair| key(pair[0], *order) <= key(pair[1], *order))
    };
    let order = [Order::Text, Order::Kind].into_iter().find(is_sorted);
    let next = order.and_then(|order| {
        let own = self::key(path, order);
        group.iter().position(|of| key(of, order) > own)
    });
    Some(match next.filter(|_| foreign.is_some()) {
        Some(next) => Spot::before(file, &siblings, next),
        None => Spot::after(file, &siblings, siblings.len() - 1, file.text.len()),
    })
}

/// The orders that rustfmt sorts names by: that of the edition 2024, and that of those before.
#[derive(Debug, Clone, Copy)]
enum Order {
    /// As text.
    Text,
    /// Names in lower case, then types, then constants.
    Kind,
}

/// What rustfmt sorts a declaration by: its segments, each with the rank of its kind.
fn key(text: &str, order: Order) -> Vec<(u8, String)> {
    let text = text.rsplit_once("use ").map_or(text, |(_, path)| path);
    let text = text.trim().trim_end_matches(';');
    let plain: String = text.split_whitespace().collect();
    let (path, list) = match plain.find('{') {
        Some(at) => (&plain[..at], Some(&plain[at..])),
        None => (&plain[..], None),
    };
    let names = path.split("::").filter(|name| !name.is_empty());
    let names = names.map(|name| (rank(name, order), name.to_owned()));
    names
        .chain(list.map(|list| (u8::MAX, list.to_owned())))
        .collect()
}

/// The rank of a segment: the own crate comes first.
fn rank(name: &str, order: Order) -> u8 {
    match name {
        "self" => 0,
        "super" => 1,
        "crate" => 2,
        _ if matches!(order, Order::Text) => 3,
        _ if !name.contains(char::is_uppercase) => 3,
        _ if name.contains(char::is_lowercase) => 4,
        _ => 5,
    }
}

#[cfg(test)]
mod tests {
    use std::path::PathBuf;
    use std::sync::Arc;

    use super::spot;
    use crate::index::{self, Interest};
    use crate::workspace::SourceFile;

    fn with(text: &str, path: &str) -> Option<String> {
        let file = SourceFile {
            path: "a.rs".to_owned(),
            absolute: PathBuf::new(),
            text: text.to_owned(),
        };
        let facts = index::read(&Arc::new(file), &Interest::default()).unwrap();
        let edits = spot(&facts, path)?.insert(&facts.file, &format!("use {path};"), "import");
        Some(crate::edit::apply("a.rs", text, &edits).unwrap())
    }

    #[test]
    fn an_import_goes_to_its_place_among_sorted_ones() {
        let text = "use std::fmt;\n\nuse crate::a;\nuse axum::B;\nuse axum::a;\nuse axum::{\n    C, D,\n};\nuse oxy::e;\n\nfn f() {}\n";
        assert_eq!(
            with(text, "axum::routing::get").unwrap(),
            text.replace("use axum::a;", "use axum::a;\nuse axum::routing::get;")
        );
        // As editions before 2024 have it.
        let before = text.replace("use axum::B;\nuse axum::a;", "use axum::a;\nuse axum::B;");
        assert_eq!(
            with(&before, "axum::routing::get").unwrap(),
            before.replace("use axum::B;", "use axum::routing::get;\nuse axum::B;")
        );
        assert_eq!(
            with(text, "axum::{E, F}").unwrap(),
            text.replace("use oxy::e;", "use axum::{E, F};\nuse oxy::e;")
        );
        assert_eq!(
            with(text, "tokio::spawn").unwrap(),
            text.replace("use oxy::e;", "use oxy::e;\nuse tokio::spawn;")
        );
    }

    #[test]
    fn it_goes_behind_those_that_are_not_sorted() {
        let text = "use oxy::e;\nuse axum::B; // why\n\nfn f() {}\n";
        assert_eq!(
            with(text, "oxy::a").unwrap(),
            text.replace("// why", "// why\nuse oxy::a;")
        );
        assert!(with("fn f() {}\n", "oxy::a").is_none());
    }
}
