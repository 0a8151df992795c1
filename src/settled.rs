//! What rustfmt is known to leave as it is, so that it need not be asked again.
//!
//! Most of what is generated is the same text in every workspace that has the usual names. Under the
//! default configuration rustfmt gives a text of one style edition the same form in every release:
//! what it left alone once, it leaves alone. `templates/formatted.txt` lists the digests of such
//! parts; a test makes that list with rustfmt itself. A part that is not in it is formatted.

use std::collections::HashSet;
use std::ops::Range;
use std::path::Path;
use std::sync::LazyLock;

/// The digests, each at the start of a line.
static SETTLED: LazyLock<HashSet<&str>> = LazyLock::new(|| {
    let lines = include_str!("../templates/formatted.txt").lines();
    lines.filter_map(|line| line.split(' ').next()).collect()
});

/// A part of a file: neighbouring items that have the same need.
#[derive(Debug, PartialEq, Eq)]
pub enum Part<'t> {
    /// Is to be formatted.
    Open(&'t str),
    /// Is formatted.
    Settled(&'t str),
}

/// The length of the inner documentation that a file begins with.
#[must_use]
pub fn header(text: &str) -> usize {
    let lines = text.split_inclusive('\n');
    let header = lines.take_while(|line| line.starts_with("//!"));
    header.map(str::len).sum()
}

/// The digest that the list has of a part: 16 hexadecimal digits.
#[must_use]
pub fn digest(part: &str) -> String {
    crate::digest::digest(part, 8)
}

/// Whether the list holds the part, under edition 2024.
#[must_use]
pub fn settled(part: &str) -> bool {
    SETTLED.contains(digest(part).as_str())
}

/// Where the items of a file stand, as far as empty lines divide them.
#[must_use]
pub fn items(text: &str) -> Vec<Range<usize>> {
    let gap = |at: usize| text[at..].len() - text[at..].trim_start_matches('\n').len();
    let mut found = Vec::new();
    let mut start = gap(0);
    while start < text.len() {
        let ends = text[start..]
            .match_indices("\n\n")
            .map(|(at, _)| start + at);
        let mut ends = ends.filter(|&at| {
            let next = &text[at + gap(at)..];
            !next.starts_with([' ', '\t', '}', ')', ']'])
        });
        let last = text.trim_end_matches('\n').len();
        let end = ends.next().unwrap_or(last).min(last);
        found.push(start..end);
        start = end + gap(end);
    }
    found
}

/// The file as parts; of neighbours that are to be formatted one is made.
pub fn split<'t>(text: &'t str, is_settled: &dyn Fn(&str) -> bool) -> Vec<Part<'t>> {
    let mut parts: Vec<Part<'t>> = Vec::new();
    let mut open: Option<Range<usize>> = None;
    for item in items(text) {
        if is_settled(&text[item.clone()]) {
            parts.extend(open.take().map(|open| Part::Open(&text[open])));
            parts.push(Part::Settled(&text[item]));
        } else {
            let start = open.map_or(item.start, |open| open.start);
            open = Some(start..item.end);
        }
    }
    parts.extend(open.map(|open| Part::Open(&text[open])));
    parts
}

/// Whether rustfmt formats what lies in `dir` as it formats everything: no configuration of the
/// folder, of one above or of the user's says more than the edition.
#[must_use]
pub fn is_usual(dir: &Path) -> bool {
    if std::env::var_os("RUSTFMT").is_some() {
        return false;
    }
    let user = [
        std::env::home_dir(),
        std::env::home_dir().map(|home| home.join(".config/rustfmt")),
        std::env::home_dir().map(|home| home.join("Library/Application Support/rustfmt")),
        std::env::var_os("XDG_CONFIG_HOME").map(|dir| Path::new(&dir).join("rustfmt")),
        std::env::var_os("APPDATA").map(|dir| Path::new(&dir).join("rustfmt")),
    ];
    let user = user.iter().flatten().map(std::path::PathBuf::as_path);
    let mut dirs = dir.ancestors().chain(user);
    dirs.all(|dir| {
        ["rustfmt.toml", ".rustfmt.toml"].iter().all(|name| {
            match std::fs::read_to_string(dir.join(name)) {
                Ok(text) => says_only_the_edition(&text),
                Err(e) => e.kind() == std::io::ErrorKind::NotFound,
            }
        })
    })
}

fn says_only_the_edition(text: &str) -> bool {
    let document = text.parse::<toml_edit::DocumentMut>();
    document.is_ok_and(|document| document.iter().all(|(key, _)| key == "edition"))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_file_is_divided_at_its_top_level() {
        let text =
            "\nuse a;\nuse b;\n\n\n/// C.\nfn c() {\n    d();\n\n    e();\n}\n\nfn f() {\n\n}\n";
        let found: Vec<&str> = items(text).into_iter().map(|item| &text[item]).collect();
        let c = "/// C.\nfn c() {\n    d();\n\n    e();\n}";
        assert_eq!(found, ["use a;\nuse b;", c, "fn f() {\n\n}"]);

        let parts = split(text, &|item| item == c);
        let expected = [
            Part::Open("use a;\nuse b;"),
            Part::Settled(c),
            Part::Open("fn f() {\n\n}"),
        ];
        assert_eq!(parts, expected);
        let open = [Part::Open(text.trim_matches('\n'))];
        assert_eq!(split(text, &|_| false), open);
    }

    #[test]
    fn a_configuration_that_says_more_than_the_edition_counts() {
        assert!(says_only_the_edition("edition = \"2024\"\n"));
        assert!(says_only_the_edition(""));
        assert!(!says_only_the_edition("max_width = 120\n"));
        assert!(!says_only_the_edition("edition = "));
    }
}
