//! The call that a line means, and whether its work may become a task at all.

use super::SiteRequest;
use crate::index::{Index, SpawnFact};
use crate::note::{Outcome, Place, Refusal};
use crate::spawn::{Found, Verdict};

/// The one call on the line that was named.
pub(super) fn choose(
    index: &Index<'_>,
    all: Vec<Found>,
    asked: &SiteRequest,
) -> Outcome<(Found, SpawnFact)> {
    let file = index.workspace.files.get(&asked.path);
    let text = file.map_or("", |file| file.text.as_str());
    let start: usize = text
        .split_inclusive('\n')
        .take(asked.line - 1)
        .map(str::len)
        .sum();
    let line = text[start..].split_inclusive('\n').next().unwrap_or("");
    let here = format!("{}:{}", asked.path, asked.line);
    let lines: Vec<usize> = all.iter().map(|of| of.site.place.line).collect();
    let column = asked.column.map(|column| {
        let chars = line.char_indices().nth(column - 1);
        start + chars.map_or(line.len(), |(at, _)| at)
    });
    // A call in a macro is known by its first line alone.
    let range = |of: &Found| match &of.fact {
        Some(fact) => fact.call.clone(),
        None => of.site.offset..of.site.offset + 1,
    };
    let covers = |of: &Found| {
        let range = range(of);
        match column {
            Some(at) => range.contains(&at),
            None => range.start < start + line.len() && range.end > start,
        }
    };
    let ranges: Vec<_> = all.iter().filter(|of| covers(of)).map(range).collect();
    let is_innermost = |of: &Found| {
        let own = range(of);
        let is_inside = |other: &std::ops::Range<usize>| {
            *other != own && own.start <= other.start && other.end <= own.end
        };
        // What starts on the line is meant before what only goes on there.
        !ranges.iter().any(is_inside)
    };
    let found: Vec<Found> = all
        .into_iter()
        .filter(|of| covers(of) && is_innermost(of))
        .collect();
    let mut found = found.into_iter();
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
