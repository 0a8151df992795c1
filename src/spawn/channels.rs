//! Where the other end of a channel goes whose one end spawned work holds.

use std::collections::BTreeSet;

use super::scope::{Env, free};
use super::sites::{Seen, Site};
use crate::index::{Code, Kind};

/// Where the receivers go of the channels that a site's work sends into.
#[derive(Debug, Clone, Default)]
pub struct Ends {
    /// The function's own code receives to the end: the receiver, and the offset where.
    pub read_here: Option<(String, usize)>,
    /// It leaves the function with what that gives: the receiver.
    pub returned: Option<String>,
}

/// Follows the channels of a site.
#[must_use]
pub fn ends(site: &Site, seen: &Seen<'_, '_>) -> Ends {
    let code = seen.code;
    // Every `let` of the function, the site's own work aside: names and what they are made from.
    let mut lets: Vec<(&[String], BTreeSet<String>)> = Vec::new();
    let mut channels: Vec<(&str, &str)> = Vec::new();
    let mut read: Vec<(String, usize)> = Vec::new();
    let mut results: BTreeSet<String> = BTreeSet::new();
    let inside = seen.work.range.clone();
    let mut env = Env::of(code);
    for part in &code.body {
        env.walk(part, &mut |part, env| {
            let is_inside = inside.contains(&part.range.start) && inside.end >= part.range.end;
            match &part.kind {
                Kind::Let(of) => {
                    let Some(value) = &of.value else {
                        return;
                    };
                    if let ([sender, receiver], true) =
                        (of.binding.names.as_slice(), makes_channel(value))
                    {
                        channels.push((sender, receiver));
                    }
                    lets.push((&of.binding.names, free(value).into_keys().collect()));
                }
                Kind::Method(method)
                    if !is_inside && matches!(method.name.as_str(), "recv" | "next") =>
                {
                    let in_loop = env
                        .above
                        .iter()
                        .rev()
                        .take(6)
                        .any(|above| matches!(above.kind, Kind::While(..) | Kind::Loop(_)));
                    if let (Some(name), true) = (method.on.bare().name(), in_loop) {
                        read.push((name.to_owned(), part.range.start));
                    }
                }
                Kind::Return(Some(of)) if !is_inside => results.extend(free(of).into_keys()),
                _ => {}
            }
        });
    }
    if let Some(last) = code.body.last().filter(|_| code.has_value) {
        tail(last, &inside, &mut results);
    }
    // What the captured variables, and what the result, are made from.
    let grow = |names: &mut BTreeSet<String>| loop {
        let before = names.len();
        for (bound, from) in &lets {
            if bound.iter().any(|name| names.contains(name)) {
                names.extend(from.iter().cloned());
            }
        }
        if names.len() == before {
            return;
        }
    };
    let mut held: BTreeSet<String> = site.captures.iter().map(|c| c.name.clone()).collect();
    grow(&mut held);
    grow(&mut results);
    let mut ends = Ends::default();
    for (sender, receiver) in channels {
        if !held.contains(sender) || site.captures.iter().any(|c| c.name == receiver) {
            continue;
        }
        if let Some((name, at)) = read.iter().find(|(name, _)| name == receiver) {
            ends.read_here.get_or_insert((name.clone(), *at));
        }
        if results.contains(receiver) {
            ends.returned.get_or_insert(receiver.to_owned());
        }
    }
    ends
}

/// Names in what a function's last expression gives.
fn tail(last: &Code, inside: &std::ops::Range<usize>, names: &mut BTreeSet<String>) {
    if inside.contains(&last.range.start) {
        return;
    }
    match &last.kind {
        Kind::Block(parts, true) => {
            if let Some(last) = parts.last() {
                tail(last, inside, names);
            }
        }
        Kind::If(_, then, otherwise) => {
            tail(then, inside, names);
            if let Some(otherwise) = otherwise {
                tail(otherwise, inside, names);
            }
        }
        Kind::Match(_, arms) => arms.iter().for_each(|arm| tail(&arm.body, inside, names)),
        _ => names.extend(free(last).into_keys()),
    }
}

/// Whether a value is the two ends of a new channel.
fn makes_channel(value: &Code) -> bool {
    match &value.bare().kind {
        Kind::Call(callee, ..) => match &callee.kind {
            Kind::Path(path) => {
                let name = path.rsplit("::").next().unwrap_or(path);
                matches!(
                    name,
                    "channel"
                        | "unbounded_channel"
                        | "sync_channel"
                        | "unbounded"
                        | "bounded"
                        | "unbounded_bounded"
                )
            }
            _ => false,
        },
        _ => false,
    }
}
