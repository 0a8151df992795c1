//! `explain`: what a code means, with an example and the next step.

use serde_json::json;

use crate::cli::{Common, Format};
use crate::note::{Outcome, Refusal};
use crate::report::Shell;
use crate::suggest;

/// A section a code; the source of the texts, and of which codes there are.
const CODES: &str = include_str!("../explain.md");

/// Prints what `code` means; refuses one that there is not, with those that are near.
pub(super) fn run(shell: &Shell, common: &Common, code: &str) -> Outcome<()> {
    let Some(text) = text(code) else {
        return Err(Refusal::usage("code", format!("there is no code `{code}`")).help(near(code)));
    };
    if common.format == Format::Json {
        let object = json!({ "command": "explain", "code": code, "text": text });
        shell.product(&object.to_string());
    } else {
        shell.product(text);
    }
    Ok(())
}

/// The codes with their texts.
fn all() -> impl Iterator<Item = (&'static str, &'static str)> {
    let sections = CODES.split("\n## ").skip(1);
    sections.filter_map(|section| {
        let (code, text) = section.split_once('\n')?;
        Some((code, text.trim()))
    })
}

fn text(code: &str) -> Option<&'static str> {
    let mut all = all();
    all.find_map(|(known, text)| known.eq_ignore_ascii_case(code).then_some(text))
}

/// What to try instead of `code`.
fn near(code: &str) -> String {
    let known = all().map(|(known, _)| known);
    let question = suggest::did_you_mean(code, known);
    question.unwrap_or_else(|| "errors and warnings show theirs in brackets".to_owned())
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeSet;
    use std::path::Path;

    use super::*;

    /// Every string literal in the sources that stands where a code does.
    fn codes_in(dir: &Path, codes: &mut BTreeSet<String>) {
        for entry in std::fs::read_dir(dir).unwrap() {
            let path = entry.unwrap().path();
            if path.is_dir() {
                codes_in(&path, codes);
                continue;
            }
            if path.extension().is_none_or(|ext| ext != "rs") {
                continue;
            }
            let text = std::fs::read_to_string(&path).unwrap();
            let text = text.split("#[cfg(test)]\nmod tests").next().unwrap();
            for start in [
                "Refusal::new(",
                "Refusal::usage(",
                "Note::warning(",
                "Self::warning(",
                "refuse(",
            ] {
                for (at, _) in text.match_indices(start) {
                    let rest = text[at + start.len()..].trim_start();
                    let code = rest.strip_prefix('"').and_then(|rest| rest.split_once('"'));
                    // The helper of another file takes a message there.
                    let code = code.filter(|(code, _)| !code.contains(' '));
                    codes.extend(code.map(|(code, _)| code.to_owned()));
                }
            }
        }
    }

    #[test]
    fn every_code_is_explained_and_no_other() {
        let mut codes = BTreeSet::new();
        codes_in(
            &Path::new(env!("CARGO_MANIFEST_DIR")).join("src"),
            &mut codes,
        );
        codes.extend(crate::check::RULES.iter().map(|rule| rule.id.to_owned()));
        assert!(codes.len() > 80, "{codes:?}");
        let explained: BTreeSet<String> = all().map(|(code, _)| code.to_owned()).collect();
        let missing: Vec<&String> = codes.difference(&explained).collect();
        let unknown: Vec<&String> = explained.difference(&codes).collect();
        assert_eq!((missing, unknown), (Vec::new(), Vec::new()));
    }

    #[test]
    fn a_text_says_what_it_is_shows_an_example_and_ends_with_the_next_step() {
        let mut before = "";
        for (code, text) in all() {
            let parts: Vec<&str> = text.split("\n\n").collect();
            let [meaning, example, next] = parts.as_slice() else {
                panic!("{code}: {text}");
            };
            assert!(meaning.ends_with('.') && next.ends_with('.'), "{code}");
            assert!(
                example.lines().all(|line| line.starts_with("    ")),
                "{code}"
            );
            assert!(before < code, "{before} stands before {code}");
            before = code;
        }
    }

    #[test]
    fn a_code_that_is_misspelt_finds_the_right_one() {
        assert_eq!(text("no-vsc"), None);
        assert_eq!(near("no-vsc"), "did you mean `no-vcs`?");
        assert_eq!(near("Dirt"), "did you mean `dirty`?");
        assert_eq!(near("oxt01"), "did you mean `OXT001`?");
        assert_eq!(
            near("nothing-alike"),
            "errors and warnings show theirs in brackets"
        );
    }
}
