//! One unified diff of all changes, in the form that `git apply` takes.

use std::fmt::Write;

use similar::TextDiff;

use crate::edit::FileChange;

/// The diff of `changes`, in their order.
#[must_use]
pub fn unified(changes: &[FileChange]) -> String {
    let mut out = String::new();
    for change in changes {
        let path = &change.path;
        let (a, b) = (quoted("a/", path), quoted("b/", path));
        let before = change.before.as_ref().map_or("", |file| file.text.as_str());
        // Writing to a String does not fail.
        let _ = writeln!(out, "diff --git {a} {b}");
        let old = if change.before.is_some() {
            a
        } else {
            let _ = writeln!(out, "new file mode 100644");
            "/dev/null".to_owned()
        };
        let diff = TextDiff::from_lines(before, change.after.as_str());
        let _ = write!(
            out,
            "{}",
            diff.unified_diff().context_radius(3).header(&old, &b)
        );
    }
    out
}

/// The path with its prefix; in quotes, as git writes it, where it holds what would be misread.
fn quoted(prefix: &str, path: &str) -> String {
    let plain = |c: char| !c.is_control() && c != '"' && c != '\\';
    if path.chars().all(plain) {
        return format!("{prefix}{path}");
    }
    let mut out = format!("\"{prefix}");
    for byte in path.bytes() {
        match byte {
            b'"' | b'\\' => {
                out.push('\\');
                out.push(char::from(byte));
            }
            0x20..=0x7e => out.push(char::from(byte)),
            _ => {
                let _ = write!(out, "\\{byte:03o}");
            }
        }
    }
    out.push('"');
    out
}
