//! Types as they are written: their names and arguments, and what calls make of them.

use std::sync::Arc;

use super::program::FnRef;
use crate::index::{FileFacts, mentions};

/// A type as it is written in a file.
#[derive(Clone)]
pub struct Typed {
    /// The type, as tokens.
    pub text: String,
    /// The file whose imports its names are to be read by.
    pub facts: Arc<FileFacts>,
}

/// The last name of a type's path, without references and arguments.
#[must_use]
pub fn head(ty: &str) -> &str {
    let ty = bare(ty);
    let ty = ty
        .strip_prefix("dyn ")
        .or_else(|| ty.strip_prefix("impl "))
        .unwrap_or(ty);
    let path = ty.split(['<', ' ', '+', '(']).next().unwrap_or(ty);
    path.rsplit("::").next().unwrap_or(path)
}

/// The path of a type, without references and arguments.
#[must_use]
pub fn path(ty: &str) -> &str {
    let ty = bare(ty);
    ty.split(['<', ' ', '+', '(']).next().unwrap_or(ty)
}

/// The type behind references.
#[must_use]
pub fn bare(ty: &str) -> &str {
    let mut ty = ty.trim();
    loop {
        let next = ty.trim_start_matches('&').trim_start();
        let next = next.strip_prefix("mut ").unwrap_or(next);
        let next = match next.strip_prefix('\'') {
            Some(lifetime) => lifetime.split_once(' ').map_or("", |(_, rest)| rest),
            None => next,
        };
        if next == ty {
            return ty;
        }
        ty = next;
    }
}

/// The arguments of a generic type, or the parts of a tuple; lifetimes are left out.
#[must_use]
pub fn arguments(ty: &str) -> Vec<&str> {
    let ty = bare(ty);
    let inside = if let Some(rest) = ty.strip_prefix('(') {
        rest.strip_suffix(')')
    } else {
        let open = ty.find('<');
        open.and_then(|open| ty[open + 1..].strip_suffix('>'))
    };
    split(inside.unwrap_or_default())
        .into_iter()
        .filter(|part| !part.starts_with('\''))
        .collect()
}

/// The parts between the commas of `text` that stand in no brackets.
fn split(text: &str) -> Vec<&str> {
    let (mut parts, mut depth, mut start) = (Vec::new(), 0_i32, 0);
    let mut before = ' ';
    for (at, c) in text.char_indices() {
        match c {
            '<' | '(' | '[' => depth += 1,
            '>' if before == '-' => {}
            '>' | ')' | ']' => depth -= 1,
            ',' if depth == 0 => {
                parts.push(text[start..at].trim());
                start = at + 1;
            }
            _ => {}
        }
        before = c;
    }
    let last = text[start..].trim();
    if !last.is_empty() {
        parts.push(last);
    }
    parts
}

/// The type behind `Arc`, `Box` and `Rc`.
#[must_use]
pub fn pointee(ty: &str) -> &str {
    let mut ty = bare(ty);
    while matches!(head(ty), "Arc" | "Box" | "Rc" | "Pin") {
        match arguments(ty).first() {
            Some(inner) => ty = bare(inner),
            None => break,
        }
    }
    ty
}

/// The type that a function of the workspace gives, `Self` filled in.
pub(super) fn output(function: &FnRef) -> Option<Typed> {
    let text = function.fact().output.trim();
    if text.is_empty() {
        return None;
    }
    let mut text = text.to_owned();
    if mentions(&text, "Self") {
        let of = function.fact().in_impl?;
        text = text.replace("Self", &function.facts.impls[of].self_type);
    }
    if function.fact().is_async {
        text = format!("{FUTURE}{text}>");
    }
    Some(Typed {
        text,
        facts: Arc::clone(&function.facts),
    })
}

/// How the type of a future starts.
const FUTURE: &str = "impl Future<Output = ";

/// What `.await` gives.
pub(super) fn awaited(ty: &Typed) -> Option<Typed> {
    let plain = bare(&ty.text);
    let text = match plain.strip_prefix(FUTURE) {
        Some(inner) => inner.strip_suffix('>')?.to_owned(),
        None if matches!(head(plain), "BoxFuture" | "LocalBoxFuture") => {
            (*arguments(plain).first()?).to_owned()
        }
        None if head(plain) == "JoinHandle" => {
            format!("Result<{}, JoinError>", arguments(plain).first()?)
        }
        None => return None,
    };
    Some(Typed {
        text,
        facts: Arc::clone(&ty.facts),
    })
}

/// What `?` gives.
pub(super) fn success(ty: &Typed) -> Option<Typed> {
    let is_wrapped = matches!(head(&ty.text), "Option" | "Result");
    let text = is_wrapped
        .then(|| arguments(&ty.text).first().map(|s| (*s).to_owned()))
        .flatten()?;
    Some(Typed {
        text,
        facts: Arc::clone(&ty.facts),
    })
}

/// What a loop over a value of the type goes over.
pub(super) fn element(ty: &Typed) -> Option<Typed> {
    let is_list = matches!(head(&ty.text), "Vec" | "VecDeque" | "HashSet" | "BTreeSet");
    let inner = is_list
        .then(|| arguments(&ty.text).first().map(|s| (*s).to_owned()))
        .flatten()?;
    let text = if ty.text.starts_with('&') {
        format!("&{inner}")
    } else {
        inner
    };
    Some(Typed {
        text,
        facts: Arc::clone(&ty.facts),
    })
}

#[cfg(test)]
mod tests {
    use super::{arguments, bare, head, pointee};

    #[test]
    fn names_are_told_from_what_stands_around_them() {
        assert_eq!(head("&'static mut std::sync::Arc<Foo<'a>>"), "Arc");
        assert_eq!(head("dyn Store + Send"), "Store");
        assert_eq!(head("impl Fn(u8) -> u8"), "Fn");
        assert_eq!(bare("& 'a mut T"), "T");
        assert_eq!(pointee("Arc<Box<dyn Store>>"), "dyn Store");
    }

    #[test]
    fn arguments_are_cut_at_their_own_commas() {
        assert_eq!(
            arguments("HashMap<String, (u8, Vec<u8>)>"),
            ["String", "(u8, Vec<u8>)"]
        );
        assert_eq!(
            arguments("(A, fn(u8) -> u8, [u8; 2])"),
            ["A", "fn(u8) -> u8", "[u8; 2]"]
        );
        assert_eq!(arguments("Cow<'a, str>"), ["str"]);
        assert!(arguments("String").is_empty());
    }
}
