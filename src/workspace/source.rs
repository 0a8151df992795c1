//! A source file with its exact text, and the arithmetic between bytes and lines.

use std::ops::Range;
use std::path::PathBuf;

use memchr::memchr_iter;

use crate::note::Place;

/// A file as it stands on disk: nothing is stripped, normalised or re-encoded.
#[derive(Debug, Clone)]
pub struct SourceFile {
    /// Path relative to the workspace root, with `/`.
    pub path: String,
    /// Where the file is on this machine.
    pub absolute: PathBuf,
    /// The text exactly as on disk.
    pub text: String,
}

impl SourceFile {
    /// How many bytes at the start the Rust lexer does not see: a BOM, then a shebang line.
    ///
    /// `syn::parse_file` strips both before it lexes, so that its offsets are of the stripped
    /// text. A shebang is `#!` that does not start an inner attribute.
    #[must_use]
    pub fn lexed_from(&self) -> usize {
        let bom = if self.text.starts_with('\u{feff}') {
            3
        } else {
            0
        };
        let rest = &self.text[bom..];
        let attribute = rest
            .strip_prefix("#!")
            .is_some_and(|after| after.trim_start().starts_with('['));
        if rest.starts_with("#!") && !attribute {
            bom + rest.find('\n').unwrap_or(rest.len())
        } else {
            bom
        }
    }

    /// The line ending that the file uses: that of its first line.
    #[must_use]
    pub fn line_ending(&self) -> &'static str {
        match self.text.find('\n') {
            Some(at) if at > 0 && self.text.as_bytes()[at - 1] == b'\r' => "\r\n",
            _ => "\n",
        }
    }

    /// Whether the file is indented by tabs: its first indented line is.
    #[must_use]
    pub fn has_tabs(&self) -> bool {
        let mut lines = self.text.lines().filter(|line| !line.trim().is_empty());
        let first = lines.find(|line| line.starts_with([' ', '\t']));
        first.is_some_and(|line| line.starts_with('\t'))
    }

    /// The place that `range` starts at. Offsets past the end are taken as the end.
    #[must_use]
    pub fn place(&self, range: &Range<usize>) -> Place {
        let start = self.text.floor_char_boundary(range.start);
        let line_start = self.line_start(start);
        let line_end = self.text[start..]
            .find('\n')
            .map_or(self.text.len(), |n| start + n);
        let end = self
            .text
            .ceil_char_boundary(range.end)
            .clamp(start, line_end);
        Place {
            path: self.path.clone(),
            line: memchr_iter(b'\n', &self.text.as_bytes()[..start]).count() + 1,
            column: self.text[line_start..start].chars().count() + 1,
            source: self.text[line_start..line_end]
                .trim_end_matches('\r')
                .to_owned(),
            width: self.text[start..end].chars().count().max(1),
        }
    }

    /// The offset at which the line of `offset` starts.
    #[must_use]
    pub fn line_start(&self, offset: usize) -> usize {
        self.text[..offset].rfind('\n').map_or(0, |n| n + 1)
    }

    /// The white space that the line of `offset` starts with.
    #[must_use]
    pub fn indent_at(&self, offset: usize) -> &str {
        let line = &self.text[self.line_start(offset)..];
        let len = line
            .find(|c: char| c != ' ' && c != '\t')
            .unwrap_or(line.len());
        &line[..len]
    }

    /// Whether nothing but white space stands between the start of the line and `offset`.
    #[must_use]
    pub fn starts_line(&self, offset: usize) -> bool {
        self.text[self.line_start(offset)..offset]
            .chars()
            .all(|c| c == ' ' || c == '\t')
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn file(text: &str) -> SourceFile {
        SourceFile {
            path: "a.rs".to_owned(),
            absolute: PathBuf::from("/a.rs"),
            text: text.to_owned(),
        }
    }

    #[test]
    fn bom_and_shebang_are_not_lexed() {
        assert_eq!(file("fn a() {}").lexed_from(), 0);
        assert_eq!(file("\u{feff}fn a() {}").lexed_from(), 3);
        assert_eq!(file("#!/bin/x\nfn a() {}").lexed_from(), 8);
        assert_eq!(file("#![allow(x)]\nfn a() {}").lexed_from(), 0);
    }

    #[test]
    fn places_count_characters_from_one() {
        let file = file("äb\r\n  cd\r\n");
        let at = file.text.find("cd").unwrap();
        let place = file.place(&(at..at + 2));
        assert_eq!((place.line, place.column, place.width), (2, 3, 2));
        assert_eq!(place.source, "  cd");
        assert_eq!(file.line_ending(), "\r\n");
        assert_eq!(file.indent_at(at), "  ");
        assert!(file.starts_line(at) && !file.starts_line(at + 1));
    }
}
