//! Makes new text look like rustfmt's: whole new files, and fragments at their indentation.
//!
//! rustfmt runs on text of the tool's own making only, read from its standard input, under the
//! configuration of the directory that the text is for. Existing code never goes through it.

use std::cell::RefCell;
use std::io::{Read, Write};
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};

use crate::index::lines_in_literals;
use crate::note::{Outcome, Refusal};
use crate::settled::{Part, header, is_usual, settled, split};
use crate::toolchain;

/// rustfmt for the texts of one plan.
#[derive(Debug)]
pub struct Rustfmt {
    program: PathBuf,
    dir: PathBuf,
    edition: String,
    /// Whether no configuration asks for another style than the edition's.
    is_usual: bool,
    /// A process that waits for its input; starting one takes as long as what it does.
    waiting: RefCell<Option<Child>>,
}

/// What a fragment is, which says what has to stand around it.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Form {
    /// A variant, with its comma.
    Variant,
    /// An arm of a match, with its comma where it needs one.
    Arm,
    /// A statement.
    Statement,
    /// An item.
    Item,
}

/// Text to be fitted to a place.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Fragment {
    /// What it is.
    pub form: Form,
    /// The white space that its lines start with there.
    pub indent: String,
    /// The text, at no indentation.
    pub text: String,
}

impl Rustfmt {
    /// The rustfmt beside the cargo that runs the tool, else the one on the path.
    #[must_use]
    pub fn new(dir: &Path, edition: &str) -> Self {
        Self {
            program: toolchain::rustfmt(dir),
            dir: dir.to_path_buf(),
            edition: edition.to_owned(),
            is_usual: is_usual(dir),
            waiting: RefCell::new(None),
        }
    }

    /// Starts rustfmt, which then waits for a text while the plan is made.
    ///
    /// Where it cannot be started, formatting says so.
    #[must_use]
    pub fn started(self) -> Self {
        self.waiting.replace(self.start().ok());
        self
    }

    /// Takes `edition` from here on.
    pub fn set_edition(&mut self, edition: &str) {
        if self.edition != edition {
            edition.clone_into(&mut self.edition);
            self.waiting.replace(None);
        }
    }

    /// The edition that it formats for.
    #[must_use]
    pub fn edition(&self) -> &str {
        &self.edition
    }

    fn start(&self) -> std::io::Result<Child> {
        Command::new(&self.program)
            .args(["--edition", &self.edition, "--emit", "stdout", "--quiet"])
            .current_dir(&self.dir)
            .stdin(Stdio::piped())
            .stdout(Stdio::piped())
            .stderr(Stdio::piped())
            .spawn()
    }

    /// The text as rustfmt writes it under the configuration of `dir`, a folder below its own.
    pub fn file_in(&self, dir: &str, text: &str) -> Outcome<String> {
        let own = Self {
            program: self.program.clone(),
            dir: self.dir.join(dir),
            edition: self.edition.clone(),
            is_usual: false,
            waiting: RefCell::new(None),
        };
        own.file(text)
    }

    /// The text as rustfmt writes it; refuses when rustfmt cannot be run or fails.
    pub fn file(&self, text: &str) -> Outcome<String> {
        self.text(text, None)
    }

    /// The same for a text that ends in `end`: what comes back is whole once it does too, and
    /// rustfmt takes its time to exit.
    fn text(&self, text: &str, end: Option<&str>) -> Outcome<String> {
        let refuse = |cause: String| {
            Refusal::new(
                "rustfmt",
                format!("cannot format the generated code: {cause}"),
            )
            .help("install it with `rustup component add rustfmt`, or name it in RUSTFMT")
        };
        let mut child = match self.waiting.take() {
            Some(child) => child,
            None => self
                .start()
                .map_err(|e| refuse(format!("`{}`: {e}", self.program.display())))?,
        };
        let mut input = child
            .stdin
            .take()
            .ok_or_else(|| refuse("no standard input".to_owned()))?;
        let mut stdout = child
            .stdout
            .take()
            .ok_or_else(|| refuse("no standard output".to_owned()))?;
        // A pipe that nobody empties would stop a rustfmt that has much to say.
        let stderr = child.stderr.take().map(|mut stderr| {
            std::thread::spawn(move || {
                let mut text = Vec::new();
                stderr.read_to_end(&mut text).ok();
                text
            })
        });
        let mut formatted = Vec::new();
        let is_whole = std::thread::scope(|scope| {
            // A rustfmt that fails early closes the pipe; its own error says more.
            scope.spawn(move || input.write_all(text.as_bytes()).ok());
            read_until(&mut stdout, end, &mut formatted)
        })
        .map_err(|e| refuse(e.to_string()))?;
        if is_whole {
            std::thread::spawn(move || child.wait());
            return String::from_utf8(formatted).map_err(|e| refuse(e.to_string()));
        }
        let status = child.wait().map_err(|e| refuse(e.to_string()))?;
        if !status.success() {
            let stderr = stderr.and_then(|thread| thread.join().ok());
            let stderr = stderr.unwrap_or_default();
            return Err(refuse(String::from_utf8_lossy(&stderr).trim().to_owned()));
        }
        String::from_utf8(formatted).map_err(|e| refuse(e.to_string()))
    }

    /// Every text as rustfmt writes it, in order, by one run.
    ///
    /// The texts are whole files. What rustfmt is known to leave alone stays aside, as does the
    /// inner documentation, which only a file's start may have. The rest goes in one behind the
    /// other, divided by items that no file holds.
    pub fn files(&self, texts: &[String]) -> Outcome<Vec<String>> {
        let is_settled = |part: &str| self.is_usual && self.edition == "2024" && settled(part);
        let split: Vec<(&str, Vec<Part<'_>>)> = texts
            .iter()
            .map(|text| {
                let header = header(text);
                (&text[..header], split(&text[header..], &is_settled))
            })
            .collect();
        let open: Vec<&str> = split
            .iter()
            .flat_map(|(_, parts)| parts)
            .filter_map(|part| match part {
                Part::Open(text) => Some(*text),
                Part::Settled(_) => None,
            })
            .collect();
        let mut formatted = self.parts(&open)?.into_iter();
        let files = split.iter().map(|(header, parts)| {
            let parts: Vec<String> = parts
                .iter()
                .map(|part| match part {
                    Part::Open(_) => formatted.next().unwrap_or_default(),
                    Part::Settled(text) => (*text).to_owned(),
                })
                .collect();
            let gap = if header.is_empty() { "" } else { "\n" };
            format!("{header}{gap}{}\n", parts.join("\n\n"))
        });
        Ok(files.collect())
    }

    /// Every part as rustfmt writes it, in order.
    fn parts(&self, parts: &[&str]) -> Outcome<Vec<String>> {
        if parts.is_empty() {
            return Ok(Vec::new());
        }
        let divider = |i: usize| format!("const OXY_TASK_{i}: () = ();");
        let mut all = String::new();
        for (i, part) in parts.iter().enumerate() {
            all.push_str(&format!("{}\n\n{part}\n\n", divider(i)));
        }
        all.push_str(&divider(parts.len()));
        let end = format!("{}\n", divider(parts.len()));
        let formatted = self.text(&all, Some(&end))?;
        let mut out = Vec::new();
        let mut rest = formatted.as_str();
        for i in 0..parts.len() {
            let lost = || Refusal::new("rustfmt", "rustfmt lost a part of the generated code");
            let (_, after) = rest.split_once(&divider(i)).ok_or_else(lost)?;
            let end = after.find(&divider(i + 1)).ok_or_else(lost)?;
            out.push(after[..end].trim_matches('\n').to_owned());
            rest = &after[end..];
        }
        Ok(out)
    }
}

/// Reads `from` to its end, or until what was read ends in `end`: then this is `true`.
fn read_until(
    from: &mut impl Read,
    end: Option<&str>,
    into: &mut Vec<u8>,
) -> std::io::Result<bool> {
    let mut piece = vec![0; 1 << 16];
    loop {
        let length = match from.read(&mut piece) {
            Ok(0) => return Ok(false),
            Ok(length) => length,
            Err(e) if e.kind() == std::io::ErrorKind::Interrupted => continue,
            Err(e) => return Err(e),
        };
        into.extend_from_slice(&piece[..length]);
        if end.is_some_and(|end| into.ends_with(end.as_bytes())) {
            return Ok(true);
        }
    }
}

/// A source file in which every fragment stands at its own depth between two markers.
///
/// A fragment four levels deep is formatted four levels deep, so that lines break where
/// rustfmt would break them there.
#[must_use]
pub fn stub(fragments: &[Fragment]) -> String {
    let mut out = String::new();
    for (i, fragment) in fragments.iter().enumerate() {
        let (open, close, inner) = match fragment.form {
            Form::Variant => ("enum E {\n", "}\n", 1),
            Form::Arm => ("fn f() {\nmatch x {\n", "}\n}\n", 2),
            Form::Statement => ("fn f() {\n", "}\n", 1),
            Form::Item => ("", "", 0),
        };
        let modules = depth(&fragment.indent).saturating_sub(inner);
        for _ in 0..modules {
            out.push_str("mod m {\n");
        }
        out.push_str(open);
        out.push_str(&format!("// oxy-task:{i}:begin\n"));
        out.push_str(fragment.text.trim_end());
        out.push_str(&format!("\n// oxy-task:{i}:end\n"));
        out.push_str(close);
        out.push_str(&"}\n".repeat(modules));
        out.push('\n');
    }
    out
}

/// How many levels deep an indentation is.
fn depth(indent: &str) -> usize {
    indent
        .chars()
        .map(|c| if c == '\t' { 4 } else { 1 })
        .sum::<usize>()
        .div_ceil(4)
}

/// Takes the fragments out of a formatted stub again, each with the indentation that it is for.
pub fn unstub(formatted: &str, fragments: &[Fragment]) -> Outcome<Vec<String>> {
    let literal = lines_in_literals(formatted);
    fragments
        .iter()
        .enumerate()
        .map(|(i, fragment)| {
            let lines: Vec<(usize, &str)> = formatted
                .lines()
                .enumerate()
                .skip_while(|(_, line)| line.trim() != format!("// oxy-task:{i}:begin"))
                .skip(1)
                .take_while(|(_, line)| line.trim() != format!("// oxy-task:{i}:end"))
                .collect();
            let Some((_, first)) = lines.first() else {
                return Err(Refusal::new(
                    "rustfmt",
                    "rustfmt lost a fragment of the generated code",
                ));
            };
            let base = &first[..first.len() - first.trim_start().len()];
            let out: Vec<String> = lines
                .iter()
                .map(|(at, line)| match line.strip_prefix(base) {
                    // The white space of a literal is its own.
                    _ if literal.contains(at) => (*line).to_owned(),
                    Some(rest) if !rest.trim().is_empty() => {
                        format!("{}{}", fragment.indent, reindent(rest, &fragment.indent))
                    }
                    _ => line.trim().to_owned(),
                })
                .collect();
            Ok(out.join("\n"))
        })
        .collect()
}

/// A text of the tool's own indentation, at none itself, as a file has it that is indented by tabs.
#[must_use]
pub fn with_tabs(text: &str) -> String {
    let literal = lines_in_literals(text);
    let lines = text.split('\n').enumerate().map(|(at, line)| {
        if literal.contains(&at) {
            line.to_owned()
        } else {
            reindent(line, "\t")
        }
    });
    lines.collect::<Vec<_>>().join("\n")
}

/// Leading blocks of four spaces become tabs where the place is indented by tabs.
fn reindent(rest: &str, indent: &str) -> String {
    if !indent.contains('\t') {
        return rest.to_owned();
    }
    let spaces = rest.len() - rest.trim_start_matches(' ').len();
    format!("{}{}", "\t".repeat(spaces / 4), &rest[spaces / 4 * 4..])
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_text_of_a_literal_stays() {
        let fragments = [Fragment {
            form: Form::Statement,
            indent: "\t".to_owned(),
            text: "f(\n    \"a\n  b\n    \n\",\n);".to_owned(),
        }];
        let formatted = "fn f() {\n    // oxy-task:0:begin\n    f(\n        \"a\n  b\n    \n\",\n    );\n    // oxy-task:0:end\n}\n";
        let text = unstub(formatted, &fragments).unwrap().remove(0);
        assert_eq!(text, "\tf(\n\t\t\"a\n  b\n    \n\",\n\t);");
        assert_eq!(
            with_tabs("fn f() {\n    g(\"\n    a\");\n        // b\n}"),
            "fn f() {\n\tg(\"\n    a\");\n\t\t// b\n}"
        );
    }

    #[test]
    fn a_fragment_comes_back_at_its_own_indentation() {
        let fragments = [
            Fragment {
                form: Form::Arm,
                indent: "\t\t\t".to_owned(),
                text: "A => {\n    b\n}".to_owned(),
            },
            Fragment {
                form: Form::Variant,
                indent: "    ".to_owned(),
                text: "/// Doc.\nA,".to_owned(),
            },
        ];
        let stub = stub(&fragments);
        // What rustfmt makes of it, as far as these lines go.
        let formatted = "mod m {\n    fn f() {\n        match x {\n            // oxy-task:0:begin\n            A => {\n                b\n            }\n            // oxy-task:0:end\n        }\n    }\n}\n\nenum E {\n    // oxy-task:1:begin\n    /// Doc.\n    A,\n    // oxy-task:1:end\n}\n";
        assert_eq!(
            stub.replace(' ', "").trim_end(),
            formatted.replace(' ', "").trim_end()
        );
        assert_eq!(
            unstub(formatted, &fragments).unwrap(),
            ["\t\t\tA => {\n\t\t\t\tb\n\t\t\t}", "    /// Doc.\n    A,"]
        );
    }
}
