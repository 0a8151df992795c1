//! What spawned work uses of a captured struct: its fields, where it needs no more than those.

use std::ops::Range;

use super::captures::role;
use super::found::{Taken, absolute};
use super::scope::{Env, Known, Source};
use super::sites::Seen;
use super::typer::Typer;
use super::types::{self, Typed};
use super::values::{is_fresh_in, row_key};
use crate::index::{Code, FileFacts, Kind, Literal, Pattern, names};
use crate::note::Outcome;

/// One use of a variable, with the fields that follow it.
struct Chain {
    /// The variable.
    range: Range<usize>,
    /// Each field, with the place from the variable to it.
    fields: Vec<(String, Range<usize>)>,
    /// Where it is an argument of a `tracing` macro: the strings among those before it.
    in_event: Option<Vec<Range<usize>>>,
}

/// Macros of `tracing` that record values under names.
const EVENTS: [&str; 12] = [
    "trace",
    "debug",
    "info",
    "warn",
    "error",
    "event",
    "span",
    "trace_span",
    "debug_span",
    "info_span",
    "warn_span",
    "error_span",
];

/// Fills in where the work uses what it takes, and by which fields.
pub(super) fn fill(typer: &Typer<'_, '_, '_>, seen: &Seen<'_, '_>, of: &mut Taken) -> Outcome<()> {
    let mut path = of.name.split('.');
    let root = path.next().unwrap_or_default().to_owned();
    let above: Vec<&str> = path.collect();
    let facts = &seen.function.facts;
    let work = facts.text(&seen.work.range);
    let all = chains(seen.work, &root);
    let is_own = |chain: &&Chain| {
        let fields = chain.fields.iter().map(|(name, _)| name.as_str());
        fields.take(above.len()).eq(above.iter().copied())
    };
    let own: Vec<&Chain> = all.iter().filter(is_own).collect();
    let end = |chain: &&Chain| match above.len() {
        0 => chain.range.clone(),
        level => chain.fields[level - 1].1.clone(),
    };
    of.uses = own.iter().map(end).collect();
    of.named_by = named_by(facts, &own, &of.uses);
    of.whole = whole(&own, above.len()).map(end);
    // What the code does not show, a macro's tokens say, may be more than fields.
    let is_seen = names(work, &root, false).len() == all.len();
    let is_plain = |chain: &&Chain| {
        let mut place = root.clone();
        chain.fields.iter().all(|(name, range)| {
            place = format!("{place}.{name}");
            let text: String = facts.text(range).split_whitespace().collect();
            text == place && !name.starts_with(|c: char| c.is_ascii_digit())
        })
    };
    let uses = if is_seen && own.iter().all(is_plain) {
        own
    } else {
        return Ok(());
    };
    let variable = seen.known.iter().rfind(|known| known.name == root);
    let is_plain = variable.is_some_and(|known| match known.source {
        Source::Parameter => true,
        Source::Value(_) => matches!(known.binding.pattern, Pattern::Name(_, None)),
        _ => false,
    });
    let reader = Reader {
        typer,
        seen,
        variable,
    };
    let typed = typer.variable(seen.known, &of.name)?;
    of.is_owned = is_plain && above.is_empty();
    of.parts = reader.parts(&of.name, typed, &uses, above.len(), of.is_owned)?;
    Ok(())
}

struct Reader<'a, 's, 'c> {
    typer: &'a Typer<'a, 'a, 'a>,
    seen: &'a Seen<'s, 'c>,
    variable: Option<&'a Known<'c>>,
}

impl Reader<'_, '_, '_> {
    fn parts(
        &self,
        place: &str,
        typed: Option<Typed>,
        uses: &[&Chain],
        level: usize,
        is_owned: bool,
    ) -> Outcome<Vec<Taken>> {
        let program = self.typer.program;
        if whole(uses, level).is_some() {
            return Ok(Vec::new());
        }
        let Some(typed) = typed else {
            return Ok(Vec::new());
        };
        let plain = types::pointee(&typed.text);
        let Some((file, of)) = program.struct_named(&typed.facts, types::path(plain))? else {
            return Ok(Vec::new());
        };
        // Nothing moves out of what is behind a pointer, nor of what has a destructor.
        let has_drop = file.impls.iter().any(|block| {
            block.trait_path.as_deref() == Some("Drop") && types::head(&block.self_type) == of.name
        });
        let is_owned = is_owned && plain == typed.text.trim() && !has_drop;
        let mut parts: Vec<Taken> = Vec::new();
        for chain in uses {
            let (field, _) = &chain.fields[level];
            let name = format!("{place}.{field}");
            if parts.iter().any(|known| known.name == name) {
                continue;
            }
            let own: Vec<&Chain> = uses
                .iter()
                .filter(|chain| chain.fields[level].0 == *field)
                .copied()
                .collect();
            let typed = self.typer.field(&typed, field)?;
            let role = role(program, field, typed.as_ref(), None)?;
            let ranges: Vec<Range<usize>> = own
                .iter()
                .map(|chain| chain.fields[level].1.clone())
                .collect();
            parts.push(Taken {
                ty: typed
                    .as_ref()
                    .map(|typed| absolute(program, self.typer.function, typed)),
                role,
                at: ranges
                    .iter()
                    .map(|range| range.start)
                    .min()
                    .unwrap_or_default(),
                is_fresh: self
                    .variable
                    .is_some_and(|of| is_fresh_in(self.seen.known, of, field)),
                loaded_by: self
                    .variable
                    .and_then(|of| row_key(&self.seen.function.facts, of).filter(|_| level == 0)),
                whole: whole(&own, level + 1).map(|chain| chain.fields[level].1.clone()),
                named_by: named_by(&self.seen.function.facts, &own, &ranges),
                uses: ranges,
                is_owned,
                parts: self.parts(&name, typed, &own, level + 1, is_owned)?,
                name,
            });
        }
        Ok(parts)
    }
}

/// The uses whose text is the name of what an event records: `info!(request.url, "cloned")`.
fn named_by(facts: &FileFacts, chains: &[&Chain], uses: &[Range<usize>]) -> Vec<Range<usize>> {
    let text = &facts.file.text;
    let is_argument = |range: &Range<usize>| {
        let before = text[..range.start].trim_end_matches(['%', '?']).trim_end();
        let after = text[range.end..].trim_start();
        before.ends_with(['(', '[', '{', ',']) && after.starts_with([')', ']', '}', ','])
    };
    let is_message = |literal: &Range<usize>| {
        let before = text[..literal.start].trim_end();
        before.ends_with(['(', '[', '{', ','])
    };
    let named = chains.iter().zip(uses).filter(|(chain, range)| {
        // What follows the message is for its format.
        let strings = chain.in_event.as_ref();
        strings.is_some_and(|strings| !strings.iter().any(is_message)) && is_argument(range)
    });
    named.map(|(_, range)| range.clone()).collect()
}

/// The first use that no field of the level follows.
fn whole<'a, 'c>(uses: &'a [&'c Chain], level: usize) -> Option<&'a &'c Chain> {
    uses.iter().find(|chain| chain.fields.len() <= level)
}

/// Every use of a variable that the work does not bind itself.
fn chains(work: &Code, root: &str) -> Vec<Chain> {
    let mut found = Vec::new();
    Env::empty().walk(work, &mut |part, env| {
        if part.name() != Some(root) || env.known.iter().any(|known| known.name == root) {
            return;
        }
        let mut fields: Vec<(String, Range<usize>)> = Vec::new();
        let mut inner = part.range.clone();
        let mut in_event = None;
        for above in env.above.iter().rev() {
            match &above.kind {
                Kind::Field(on, name) if on.range == inner => {
                    inner = above.range.clone();
                    fields.push((name.clone(), inner.clone()));
                }
                Kind::Macro(path, parts) => {
                    let name = path.rsplit("::").next().unwrap_or(path);
                    let is_text = |of: &&Code| matches!(of.kind, Kind::Literal(Literal::Text(_)));
                    let before = parts.iter().filter(|of| of.range.end <= inner.start);
                    let strings = before.filter(is_text).map(|of| of.range.clone());
                    in_event = EVENTS.contains(&name).then(|| strings.collect());
                    break;
                }
                _ => break,
            }
        }
        found.push(Chain {
            range: part.range.clone(),
            fields,
            in_event,
        });
    });
    found
}
