//! The call that a line means, and whether its work may become a task at all.

use std::ops::Range;

use super::SiteRequest;
use crate::index::{Index, SpawnFact};
use crate::landmarks::Config;
use crate::note::{Outcome, Place, Refusal};
use crate::spawn::{self, Found, Verdict};

/// The one call on the line that was named.
pub(super) fn choose(
    index: &Index<'_>,
    config: &Config,
    asked: &SiteRequest,
) -> Outcome<(Found, SpawnFact)> {
    let file = index.workspace.files.get(&asked.path);
    let text = file.map_or("", |file| file.text.as_str());
    let lines = text.split_inclusive('\n').take(asked.line - 1);
    let start: usize = lines.map(str::len).sum();
    let line = text[start..].split_inclusive('\n').next().unwrap_or("");
    let here = format!("{}:{}", asked.path, asked.line);
    let column = asked.column.map(|column| {
        let at = line.char_indices().nth(column - 1);
        start + at.map_or(line.len(), |(at, _)| at)
    });
    let covers = |call: &Range<usize>| match column {
        Some(at) => call.contains(&at),
        None => call.start < start + line.len() && call.end > start,
    };
    let all = spawn::found(index, config, &asked.path, &covers)?;
    let lines: Vec<usize> = all.iter().map(|(site, _)| site.place.line).collect();
    let covering: Vec<Found> = all.into_iter().filter_map(|(_, found)| found).collect();
    let range = |of: &Found| of.fact.as_ref().map(|fact| fact.call.clone());
    let ranges: Vec<Range<usize>> = covering.iter().filter_map(range).collect();
    // Of a call in the work of another one, the inner is meant.
    let is_innermost = |of: &Found| {
        let own = range(of).unwrap_or_default();
        let is_inside = |other: &Range<usize>| {
            *other != own && own.start <= other.start && other.end <= own.end
        };
        !ranges.iter().any(is_inside)
    };
    let mut found = covering.into_iter().filter(is_innermost);
    let Some(one) = found.next() else {
        let near = match lines.as_slice() {
            [] => "the file spawns nothing; `cargo oxy-task survey` lists what does".to_owned(),
            lines => {
                let lines: Vec<String> = lines.iter().map(ToString::to_string).collect();
                format!("the file spawns at line {}", lines.join(", "))
            }
        };
        let refusal = Refusal::new("no-spawn", format!("nothing is spawned at {here}"));
        return Err(match file {
            Some(file) if !line.is_empty() => {
                refusal.at(file.place(&(start..start + line.trim_end().len())))
            }
            _ => refusal,
        }
        .help(near));
    };
    let others: Vec<Place> = found.map(|of| of.site.place).collect();
    if !others.is_empty() {
        let places = std::iter::once(&one.site.place).chain(&others);
        let columns: Vec<String> = places
            .map(|place| format!("{here}:{}", place.column))
            .collect();
        return Err(
            Refusal::new("several-spawns", format!("several calls spawn at {here}"))
                .at(one.site.place)
                .help(format!("say which: {}", columns.join(", "))),
        );
    }
    let Some(fact) = one.fact.clone() else {
        return Err(Refusal::new(
            "spawn-in-macro",
            format!(
                "`{}` stands in the tokens of a macro, where nothing is edited",
                one.site.call
            ),
        )
        .at(one.site.place.clone())
        .help("move the call into a function of its own, and migrate it there"));
    };
    Ok((one, fact))
}

/// Refuses what the guideline has another place for.
pub(super) fn check(found: &Found, asked: &SiteRequest) -> Outcome<()> {
    let site = &found.site;
    let refuse = |code: &'static str, why: String, help: &str| {
        Err(Refusal::new(code, why).at(site.place.clone()).help(help))
    };
    let reason = found.judgement.reasons.first();
    let because = reason.map_or("", |reason| reason.because.as_str());
    let rule = reason.and_then(|reason| reason.rule.clone());
    if site.is_test {
        return refuse(
            "spawn-in-test",
            "the spawn stands in a test".to_owned(),
            "tests may spawn: nothing survives them that could be lost",
        );
    }
    if site.hands_on {
        return refuse(
            "spawn-wrapper",
            format!(
                "`{}` spawns what its callers hand it",
                site.function.fact().name
            ),
            "migrate the calls of that function instead",
        );
    }
    if let Some(module) = site.function.fact().module.last() {
        return refuse(
            "spawn-in-module",
            format!("the spawn stands in `mod {module}`, a module inside of its file"),
            "move the function out of that module, or give the module a file of its own",
        );
    }
    match found.judgement.verdict {
        Verdict::Awaited => refuse(
            "spawn-awaited",
            format!("the spawn is awaited: {because}"),
            "what is joined by the code that spawned it is no background work, and stays",
        ),
        Verdict::Acceptable if !asked.force => refuse(
            "spawn-acceptable",
            format!(
                "the guideline lets this spawn stay ({}): {because}",
                rule.unwrap_or_default()
            ),
            "leave it, or pass --force to make it a task all the same",
        ),
        Verdict::Structural => refuse(
            "spawn-structural",
            format!(
                "the spawn is plumbing of the process, not work that a request asks for: {because}"
            ),
            "it lives and dies with its process, as it should",
        ),
        _ => Ok(()),
    }
}
