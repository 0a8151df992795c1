//! What else uses what is to go: paths in the code of other files, as their tokens have them.

use std::collections::BTreeSet;

use crate::index::{Index, lexed, lexed_code, mentions, names};
use crate::landmarks::{SpecEnum, means_another};
use crate::note::{Outcome, Place};
use ra_ap_rustc_lexer::TokenKind;

/// A path in code: `a::b`, each leaf of a `use` for itself.
#[derive(Debug, PartialEq, Eq)]
struct Named<'t> {
    segments: Vec<&'t str>,
    /// Where its own first segment stands.
    at: usize,
}

/// What other code says of the variant: where it is made, matched on or imported.
pub fn of_variant(
    index: &Index<'_>,
    spec: &SpecEnum,
    variant: &str,
) -> Outcome<Vec<(Place, String)>> {
    let mut owners: BTreeSet<&str> = index.interest().names.iter().map(String::as_str).collect();
    owners.insert(&spec.fact.name);
    let mut found = Vec::new();
    for path in index.containing(variant) {
        let text = &index.workspace.files[&path].text;
        let speaks = owners.iter().any(|owner| mentions(text, owner));
        if index.workspace.member_of(&path).is_none() || !speaks || !mentions(text, variant) {
            continue;
        }
        let facts = index.facts(&path)?;
        let is_other = |at: usize| means_another(index, &facts, spec, &spec.fact.name, at);
        let in_impl = |at: usize| {
            let mut around = facts.impls.iter().filter(|of| of.range.contains(&at));
            around.any(|of| owners.contains(of.self_type.as_str()))
        };
        let all = paths(text);
        let is_imported = all.iter().any(|named| {
            let mut pairs = named.segments.windows(2);
            pairs.any(|pair| owners.contains(pair[0]) && pair[1] == "*")
        });
        for named in &all {
            let mut pairs = named.segments.windows(2);
            let is_it = pairs.any(|pair| {
                let is_owner = owners.contains(pair[0]) || pair[0] == "Self" && in_impl(named.at);
                is_owner && pair[1] == variant
            });
            let is_bare = owners.contains(named.segments[0]) || named.segments[0] == "Self";
            let is_it = if is_it {
                !is_bare || !is_other(named.at)
            } else {
                is_imported && named.segments[0] == variant && !is_other(named.at)
            };
            if is_it {
                let place = facts.place(&(named.at..named.at + named.segments[0].len()));
                found.push((place, format!("names `{}`", named.segments.join("::"))));
            }
        }
    }
    Ok(found)
}

/// What the code names of the module whose path is `module`, by what it imports of it too.
pub fn of_module(index: &Index<'_>, module: &str) -> Outcome<Vec<(Place, String)>> {
    let wanted: Vec<&str> = module.split("::").collect();
    let Some(name) = wanted.last() else {
        return Ok(Vec::new());
    };
    let mut found = Vec::new();
    for path in index.containing(name) {
        let Some(member) = index.workspace.member_of(&path) else {
            continue;
        };
        let file = &index.workspace.files[&path];
        let own = index.module_of(&path);
        let own: Vec<&str> = own
            .as_deref()
            .map_or(Vec::new(), |own| own.split("::").collect());
        let krate = member.crate_name();
        let leads = |segments: &[&str]| leads_to(segments, &own, &krate, &wanted);
        let mut is_named = false;
        for named in paths(&file.text).iter().filter(|of| leads(&of.segments)) {
            let place = file.place(&(named.at..named.at + named.segments[0].len()));
            found.push((place, format!("names `{}`", named.segments.join("::"))));
            is_named = true;
        }
        if !is_named {
            continue;
        }
        let facts = index.facts(&path)?;
        for import in &facts.uses {
            if leads(&import.path.split("::").collect::<Vec<_>>()) {
                let name = &import.name;
                let uses = names(&file.text, name, false).into_iter();
                let uses = uses.filter(|at| !import.range.contains(at));
                found.extend(uses.map(|at| {
                    let place = file.place(&(at..at + name.len()));
                    (place, format!("names `{name}`, which it imports"))
                }));
            }
        }
    }
    Ok(found)
}

/// Where methods of these names are called, or named behind `::`.
pub fn of_methods(index: &Index<'_>, methods: &BTreeSet<String>) -> Vec<(Place, String)> {
    let mut found = Vec::new();
    for name in methods {
        for path in index.containing(name) {
            if index.workspace.member_of(&path).is_none() {
                continue;
            }
            let file = &index.workspace.files[&path];
            let mut before = "";
            for (kind, range) in lexed(&file.text) {
                let token = &file.text[range.clone()];
                let is_blank = matches!(
                    kind,
                    TokenKind::Whitespace
                        | TokenKind::LineComment { .. }
                        | TokenKind::BlockComment { .. }
                );
                if is_blank {
                    continue;
                }
                if token == name && matches!(before, "." | ":") {
                    found.push((file.place(&range), format!("calls `{name}`")));
                }
                before = token;
            }
        }
    }
    found
}

/// Where the code of the package names the crate, if it does.
pub fn of_crate(index: &Index<'_>, package: &str, krate: &str) -> Outcome<Option<Place>> {
    let Some(member) = index.workspace.member(package) else {
        return Ok(None);
    };
    for path in index.containing_in(member, krate) {
        let facts = index.facts(&path)?;
        let is_own = facts.modules.iter().any(|module| module.name == krate)
            || facts
                .uses
                .iter()
                .any(|of| of.name == krate && of.path != krate);
        if is_own {
            continue;
        }
        let names = |named: &Named<'_>| named.segments[0] == krate && named.segments.len() > 1;
        if let Some(named) = paths(&facts.file.text).into_iter().find(names) {
            return Ok(Some(facts.place(&(named.at..named.at + krate.len()))));
        }
    }
    Ok(None)
}

/// Whether a path in the module `own` leads into the module `wanted`.
fn leads_to(segments: &[&str], own: &[&str], krate: &str, wanted: &[&str]) -> bool {
    // However the file came to the first of two, they are the module and what it stands in.
    if let [.., above, name] = wanted
        && segments.windows(2).any(|pair| pair == [*above, *name])
    {
        return true;
    }
    let ups = segments.iter().take_while(|of| **of == "super").count();
    let from = |base: &[&str], rest: &[&str]| {
        let path: Vec<&str> = base.iter().chain(rest).copied().collect();
        path.starts_with(wanted)
    };
    match segments[0] {
        "crate" => from(&[krate], &segments[1..]),
        "self" => from(own, &segments[1..]),
        // In a module inside of the file one more of them is needed.
        "super" => [ups, ups - 1].into_iter().any(|out| {
            let base = own.len().checked_sub(out).map(|len| &own[..len]);
            base.is_some_and(|base| from(base, &segments[ups..]))
        }),
        _ => from(own, segments),
    }
}

/// Every path of the text, comments and strings left out.
fn paths(text: &str) -> Vec<Named<'_>> {
    let tokens: Vec<(TokenKind, &str, usize)> = lexed_code(text)
        .map(|(kind, range)| (kind, &text[range.clone()], range.start))
        .collect();
    let token = |i: usize| tokens.get(i).map_or("", |(_, token, _)| *token);
    let is_path = |i: usize| token(i) == ":" && token(i + 1) == ":";
    let mut found = Vec::new();
    // What the leaves of a `use` in braces begin with, and how deep these are.
    let mut trees: Vec<(Vec<&str>, usize)> = Vec::new();
    let (mut i, mut depth) = (0, 0usize);
    while i < tokens.len() {
        let (kind, word, at) = &tokens[i];
        match *word {
            "{" => depth += 1,
            "}" => {
                depth = depth.saturating_sub(1);
                if trees.last().is_some_and(|(_, of)| *of > depth) {
                    trees.pop();
                }
            }
            _ => {}
        }
        let is_word = matches!(kind, TokenKind::Ident | TokenKind::RawIdent);
        let before = |n: usize| i.checked_sub(n).map_or("", token);
        let is_field = before(1) == "." && before(2) != ".";
        let is_associated = before(1) == ":" && before(2) == ":" && before(3) == ">";
        let is_glob = *word == "*" && trees.last().is_some_and(|(_, of)| *of == depth);
        if !(is_word || is_glob) || is_field || is_associated {
            i += 1;
            continue;
        }
        let mut segments = trees
            .last()
            .map_or(Vec::new(), |(prefix, _)| prefix.clone());
        segments.push(word.trim_start_matches("r#"));
        i += 1;
        while is_path(i) {
            let next = token(i + 2);
            let is_word = matches!(
                tokens.get(i + 2),
                Some((TokenKind::Ident | TokenKind::RawIdent, ..))
            );
            if is_word || next == "*" {
                segments.push(next.trim_start_matches("r#"));
                i += 3;
                continue;
            }
            i += 2;
            if next == "{" {
                depth += 1;
                trees.push((segments.clone(), depth));
                i += 1;
            }
            break;
        }
        found.push(Named { segments, at: *at });
    }
    found
}

#[cfg(test)]
mod tests {
    use super::*;

    fn joined(text: &str) -> Vec<String> {
        let all = paths(text).into_iter();
        all.map(|named| named.segments.join("::")).collect()
    }

    #[test]
    fn paths_are_read_with_the_trees_of_imports() {
        assert_eq!(
            joined("use a::{b::{self, c}, d as e, *}; fn f() { x.y(r#z::w) /* n */ }"),
            [
                "use",
                "a",
                "a::b",
                "a::b::self",
                "a::b::c",
                "a::d",
                "a::as",
                "a::e",
                "a::*",
                "fn",
                "f",
                "x",
                "z::w"
            ]
        );
        assert_eq!(
            joined("<T as U>::v(\"p::q\"); a::b::<c>()"),
            ["T", "as", "U", "a::b", "c"]
        );
    }

    #[test]
    fn a_path_is_followed_from_where_it_stands() {
        let leads = |path: &str, own: &str| {
            let split = |text: &'static str| text.split("::").collect::<Vec<_>>();
            let (segments, own): (Vec<&str>, Vec<&str>) =
                (path.split("::").collect(), own.split("::").collect());
            leads_to(&segments, &own, own[0], &split("pipe::executor::tasks"))
        };
        for (path, own) in [
            ("crate::executor::tasks::x", "pipe"),
            ("pipe::executor::tasks", "app::main"),
            ("tasks::x", "pipe::executor"),
            ("super::tasks", "pipe::executor::other"),
            ("super::super::tasks", "pipe::executor::other"),
            ("self::tasks", "pipe::executor"),
            ("executor::tasks::f", "app"),
        ] {
            assert!(leads(path, own), "{path} in {own}");
        }
        for (path, own) in [
            ("tasks::x", "pipe"),
            ("crate::tasks", "app"),
            ("super::tasks", "pipe::other::deeper"),
            ("jobs::tasks", "pipe::executor"),
        ] {
            assert!(!leads(path, own), "{path} in {own}");
        }
    }
}
