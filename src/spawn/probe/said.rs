//! What rustc said of the changed file: the types in its complaints.

use std::collections::BTreeMap;

use serde_json::Value;

use super::Home;
use super::text::MARK;

/// What the compiler knows of a variable's type.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Answer {
    /// The type, with paths that can be written in the crate: `std::path::PathBuf`, `crate::a::B`.
    Type(String),
    /// A type that no source can write, as rustc shows it: `impl Trait`, a closure, a future; a
    /// path that may be of a crate or of a module; a type inside of a function.
    Unnameable(String),
    /// The compiler itself does not know the type, or knows several at this place.
    Open,
}

/// What was read.
#[derive(Default)]
pub(super) struct Said {
    /// The answers, by name, with paths as rustc prints them.
    pub(super) answers: BTreeMap<String, Answer>,
    /// The first error that is no answer, as rustc shows it: of the changed file where it has one.
    pub(super) first_error: Option<String>,
}

/// Reads rustc's messages, one JSON object a line.
pub(super) fn read(messages: &str, path: &str, names: &[String]) -> Said {
    let mut said = Said::default();
    let mut elsewhere = None;
    for line in messages.lines() {
        let Ok(message) = serde_json::from_str::<Value>(line) else {
            continue;
        };
        let text = message["message"].as_str().unwrap_or_default();
        if message["level"] != "error" || text.starts_with("aborting due to") {
            continue;
        }
        let answer = asked(text).and_then(|(ty, at)| Some((names.get(at)?, ty)));
        let Some((name, ty)) = answer else {
            let rendered = message["rendered"].as_str().unwrap_or(text);
            let is_near = message["spans"][0]["file_name"] == path;
            let first = if is_near {
                &mut said.first_error
            } else {
                &mut elsewhere
            };
            first.get_or_insert_with(|| rendered.to_owned());
            continue;
        };
        let answer = of(ty);
        let known = said
            .answers
            .entry(name.clone())
            .or_insert_with(|| answer.clone());
        if *known != answer {
            // A macro that writes the work twice.
            *known = Answer::Open;
        }
    }
    said.first_error = said.first_error.or(elsewhere);
    said
}

/// The type and the number of the name in the message of a refused cast.
fn asked(text: &str) -> Option<(&str, usize)> {
    let rest = text.strip_prefix("non-primitive cast: `&")?;
    let (ty, to) = rest.rsplit_once("` as `")?;
    let (_, number) = to.strip_suffix('`')?.rsplit_once(MARK)?;
    Some((ty, number.parse().ok()?))
}

/// What a type is as rustc prints it.
fn of(ty: &str) -> Answer {
    let has_word = |wanted: &str| {
        ty.split(|c: char| !c.is_alphanumeric() && c != '_')
            .any(|word| word == wanted)
    };
    // A type that was left out for its length is none.
    if has_word("_") || ty.contains("{integer}") || ty.contains("{float}") || ty.contains("...") {
        return Answer::Open;
    }
    if has_word("impl") || ty.contains(['{', '}']) {
        return Answer::Unnameable(ty.to_owned());
    }
    Answer::Type(ty.to_owned())
}

impl Answer {
    /// The same with paths as they are written in the crate.
    pub(super) fn seen_from(self, home: &Home) -> Self {
        let Self::Type(ty) = self else {
            return self;
        };
        let is_word = |c: char| c.is_alphanumeric() || c == '_' || c == '#';
        let mut written = String::new();
        let mut rest = ty.as_str();
        while let Some(c) = rest.chars().next() {
            let len = rest.find(|c| !is_word(c)).unwrap_or(rest.len());
            let (word, after) = rest.split_at(len.max(c.len_utf8()));
            let starts_path = after.starts_with("::") && !written.ends_with("::");
            if !starts_path || !is_word(c) {
                written += word;
            } else {
                let krate = home.crates.get(word);
                match (krate, home.modules.contains(word)) {
                    (Some(_), true) => return Self::Unnameable(ty),
                    (Some(krate), false) => written += krate,
                    _ => {
                        written += "crate::";
                        written += word;
                    }
                }
            }
            rest = after;
        }
        Self::Type(written)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn error(message: &str) -> String {
        serde_json::json!({"level": "error", "message": message, "rendered": "shown"}).to_string()
    }

    fn answer(ty: &str) -> Answer {
        let line = error(&format!(
            "non-primitive cast: `&{ty}` as `S::go::__OxyTaskProbe0`"
        ));
        let names = ["a".to_owned()];
        read(&line, "a.rs", &names).answers["a"].clone()
    }

    #[test]
    fn types_are_told_from_what_nobody_can_write() {
        let ty = |ty: &str| Answer::Type(ty.to_owned());
        assert_eq!(answer("std::string::String"), ty("std::string::String"));
        assert_eq!(answer("&'a str"), ty("&'a str"));
        assert_eq!(answer("std::vec::Vec<_>"), Answer::Open);
        assert_eq!(answer("{integer}"), Answer::Open);
        assert_eq!(answer("HashMap<String, ...>"), Answer::Open);
        for opaque in [
            "{closure@src/a.rs:8:25: 8:32}",
            "impl std::fmt::Display",
            "Vec<impl Future<Output = ()>>",
            "{async block@a.rs:8:44: 8:49}",
            "fn(u8) -> u8 {f}",
        ] {
            assert_eq!(answer(opaque), Answer::Unnameable(opaque.to_owned()));
        }
    }

    #[test]
    fn the_first_error_of_the_workspace_is_kept() {
        let names = ["a".to_owned(), "b".to_owned()];
        let lines = [
            "no JSON".to_owned(),
            error("cannot find value `x` in this scope"),
            error("non-primitive cast: `&u8` as `__OxyTaskProbe1`"),
            error("non-primitive cast: `&u8` as `__OxyTaskProbe9`"),
            error("aborting due to 3 previous errors"),
        ];
        let said = read(&lines.join("\n"), "a.rs", &names);
        assert_eq!(said.first_error.as_deref(), Some("shown"));
        assert_eq!(said.answers.len(), 1);
        assert_eq!(said.answers["b"], Answer::Type("u8".to_owned()));
    }

    #[test]
    fn a_name_with_two_types_has_none() {
        let names = ["a".to_owned()];
        let cast = |ty: &str| error(&format!("non-primitive cast: `&{ty}` as `__OxyTaskProbe0`"));
        let lines = [cast("u8"), cast("u16")].join("\n");
        assert_eq!(read(&lines, "a.rs", &names).answers["a"], Answer::Open);
    }

    #[test]
    fn paths_are_written_as_the_crate_writes_them() {
        let home = Home {
            modules: ["two", "both"].map(str::to_owned).into(),
            crates: [("std", "std"), ("entity", "rows"), ("both", "both")]
                .map(|(a, b)| (a.to_owned(), b.to_owned()))
                .into(),
        };
        let seen = |ty: &str| Answer::Type(ty.to_owned()).seen_from(&home);
        let ty = |ty: &str| Answer::Type(ty.to_owned());
        assert_eq!(
            seen("std::vec::Vec<(two::Same, &'a entity::ws::Model, ärger::X, T)>"),
            ty("std::vec::Vec<(crate::two::Same, &'a rows::ws::Model, crate::ärger::X, T)>")
        );
        assert_eq!(seen("both::A"), Answer::Unnameable("both::A".to_owned()));
        assert_eq!(seen("[u8; 3]"), ty("[u8; 3]"));
    }
}
