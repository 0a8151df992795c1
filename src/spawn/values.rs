//! Where the value of a variable comes from: whether it is new at every call, and by what a secret was
//! loaded.

use std::collections::BTreeSet;

use super::scope::{Known, Source};
use crate::index::{Code, FileFacts, Kind};

/// How far a value is followed through the variables that it is made from.
pub(super) const DEPTH: usize = 8;

/// Functions whose value is another one at every call.
const FRESH: [&str; 9] = [
    "new_v4",
    "new_v7",
    "now_v7",
    "now",
    "now_utc",
    "now_local",
    "random",
    "gen_range",
    "tempdir",
];

/// Whether the value of a variable is made anew at every call.
pub(super) fn is_fresh(known: &[Known<'_>], of: &Known<'_>, depth: usize) -> bool {
    match of.source {
        Source::Value(Some(value)) if depth > 0 => {
            is_fresh_value(&known[..of.before], value, depth)
        }
        _ => false,
    }
}

/// The same for an expression, with what is in scope there.
fn is_fresh_value(known: &[Known<'_>], value: &Code, depth: usize) -> bool {
    let mut found = false;
    value.walk(&mut |part| {
        found |= match &part.kind {
            Kind::Call(callee, ..) => matches!(&callee.kind, Kind::Path(path)
                if FRESH.contains(&path.rsplit("::").next().unwrap_or(path))),
            Kind::Path(name) => {
                let of = known.iter().rfind(|known| known.name == name);
                of.is_some_and(|of| is_fresh(known, of, depth - 1))
            }
            _ => false,
        };
    });
    found
}

/// Whether the value of a field of a variable is made anew at every call.
pub(super) fn is_fresh_in(known: &[Known<'_>], of: &Known<'_>, field: &str) -> bool {
    let fields = match of.source {
        Source::Value(Some(value)) => match &value.kind {
            Kind::Struct(_, fields, _) => fields,
            _ => return is_fresh(known, of, DEPTH),
        },
        _ => return false,
    };
    let value = fields.iter().find(|(name, _)| name == field);
    // What `..rest` gives is as old as the rest, for all that is known.
    value.map_or_else(
        || is_fresh(known, of, DEPTH),
        |(_, value)| is_fresh_value(&known[..of.before], value, DEPTH),
    )
}

/// The expression by whose value a secret was loaded, where there is one: the key of the row that
/// the call which gives the secret is handed.
pub(super) fn loaded_by(
    facts: &FileFacts,
    known: &[Known<'_>],
    secret: &Known<'_>,
) -> Option<String> {
    let Source::Value(Some(value)) = secret.source else {
        return None;
    };
    let mut of = value.bare();
    let arguments: Vec<&Code> = loop {
        match &of.kind {
            Kind::Method(method) => {
                let on = method.on.bare();
                if matches!(on.kind, Kind::Path(_) | Kind::Field(..)) {
                    break std::iter::once(on).chain(&method.arguments).collect();
                }
                of = on;
            }
            Kind::Call(_, arguments, _) => break arguments.iter().collect(),
            _ => break vec![of],
        }
    };
    let mut keys = BTreeSet::new();
    for argument in arguments {
        let root = root(argument)?;
        let row = known[..secret.before].iter().rfind(|k| k.name == root)?;
        keys.extend(row_keys(facts, row));
    }
    one(keys)
}

/// The key that a row was loaded by.
pub(super) fn row_key(facts: &FileFacts, row: &Known<'_>) -> Option<String> {
    one(row_keys(facts, row))
}

fn one(keys: BTreeSet<String>) -> Option<String> {
    let mut keys = keys.into_iter();
    keys.next().filter(|_| keys.next().is_none())
}

fn row_keys(facts: &FileFacts, row: &Known<'_>) -> BTreeSet<String> {
    let mut keys = BTreeSet::new();
    if let Source::Value(Some(row)) = row.source {
        row.walk(&mut |part| {
            let key = match &part.kind {
                Kind::Call(callee, arguments, _) => match &callee.kind {
                    Kind::Path(path) if path.ends_with("find_by_id") => arguments.first(),
                    _ => None,
                },
                Kind::Method(method) if method.name == "eq" => method.arguments.first(),
                _ => None,
            };
            if let Some(key) = key {
                keys.insert(facts.text(&key.bare().range).to_owned());
            }
        });
    }
    keys
}

/// The variable that a place starts at.
fn root(code: &Code) -> Option<&str> {
    match &code.bare().kind {
        Kind::Path(path) if !path.contains("::") => Some(path),
        Kind::Field(on, _) => root(on),
        _ => None,
    }
}
