//! What the work names: what moves with it under another name, and what it cannot name elsewhere.

use super::apart::{self, Renamed};
use crate::index::{SpawnFact, names, whole_words};
use crate::note::{Outcome, Refusal};
use crate::request::raw;
use crate::spawn::Found;

/// What of the work is written otherwise where it moves.
pub(super) fn renamed(found: &Found, fact: &SpawnFact) -> Renamed {
    let facts = &found.site.function.facts;
    let mut renamed = Renamed::default();
    let variables = apart::variables(found, &fact.work.range);
    for (place, variable) in &variables {
        let of = found.taken.iter().find(|of| of.name == *place);
        for (of, range) in of
            .iter()
            .flat_map(|of| of.uses.iter().map(move |range| (of, range)))
        {
            if of.named_by.contains(range) {
                // What a log calls the value stays its name.
                let sigil = facts.file.text[..range.start]
                    .trim_end_matches(['%', '?'])
                    .len();
                let name = facts.text(range);
                let sign = facts.text(&(sigil..range.start));
                let with = format!("{name} = {sign}{}", raw(variable));
                renamed.push(sigil..range.end, with);
            } else {
                renamed.push(range.clone(), raw(variable));
            }
        }
    }
    let work = &fact.work.range;
    if let Some(ty) = own_type(found, fact) {
        for at in names(facts.text(work), "Self", false) {
            let start = work.start + at;
            renamed.push(start..start + "Self".len(), ty.to_owned());
        }
    }
    renamed
}

/// The type that `Self` stands for in the work, where its name means the same beside the `impl`.
fn own_type<'f>(found: &'f Found, fact: &SpawnFact) -> Option<&'f str> {
    let facts = &found.site.function.facts;
    let of = found.site.function.fact().in_impl?;
    let block = &facts.impls[of];
    let ty = block.self_type.as_str();
    let work = facts.text(&fact.work.range);
    let is_name = ty.chars().all(|c| c.is_alphanumeric() || c == '_');
    let is_type = facts.structs.iter().any(|of| of.name == ty)
        || facts.enums.iter().any(|of| of.name == ty)
        || facts.tuple_struct(ty).is_some();
    let is_top = facts.items.iter().any(|item| item.range == block.range);
    // An `impl` inside of the work has a `Self` of its own.
    let has_inner = ["impl", "trait"]
        .iter()
        .any(|word| !names(work, word, false).is_empty());
    let generics = facts.generics_at(found.site.offset);
    let is_plain = is_name && is_type && is_top && !has_inner && generics.is_empty();
    // What a trait declares is not found by the type's name alone.
    let is_own = |at: usize| {
        let path = work[at + "Self".len()..].trim_start();
        let Some(rest) = path.strip_prefix("::") else {
            return true;
        };
        let rest = rest.trim_start();
        let end = rest.find(|c: char| !c.is_alphanumeric() && c != '_');
        let name = &rest[..end.unwrap_or(rest.len())];
        let is_method = facts.functions.iter().any(|function| {
            let block = function.in_impl.map(|of| &facts.impls[of]);
            function.name == name
                && block.is_some_and(|of| of.trait_path.is_none() && of.self_type == ty)
        });
        let mut enums = facts.enums.iter().filter(|of| of.name == ty);
        is_method || enums.any(|of| of.variants.iter().any(|variant| variant.name == name))
    };
    let mut uses = names(work, "Self", false).into_iter();
    (is_plain && (block.trait_path.is_none() || uses.all(is_own))).then_some(ty)
}

/// Refuses work that names what only its function knows.
pub(super) fn check_names(found: &Found, fact: &SpawnFact) -> Outcome<()> {
    let facts = &found.site.function.facts;
    let work = facts.text(&fact.work.range);
    let place_of = |name: &str| whole_words(work, name).next();
    let item = fact
        .items
        .iter()
        .find_map(|name| Some((name.as_str(), place_of(name)?)));
    let own = names(work, "Self", false).first().copied();
    let own = own.filter(|_| own_type(found, fact).is_none());
    let own = own.map(|at| ("Self", at));
    let mut generics = fact.generics.clone();
    generics.extend(facts.generics_at(found.site.offset));
    let generic = generics
        .iter()
        .find_map(|name| Some((name.as_str(), place_of(name)?)));
    let Some((name, at)) = item.or(own).or(generic) else {
        return Ok(());
    };
    let start = fact.work.range.start + at;
    let is_generic = generics.iter().any(|of| of == name);
    let what = if name == "Self" {
        "the type of its `impl`"
    } else if is_generic {
        "a type that its callers choose"
    } else {
        "an item of its function"
    };
    Err(Refusal::new(
        "work-item",
        format!("the work names `{name}`, {what}, and moves out of it"),
    )
    .at(facts.place(&(start..start + name.len())))
    .help(if name == "Self" {
        "write the type's name in place of `Self`, and try again"
    } else if is_generic {
        "move the call into a function for one type, and try again"
    } else {
        "move the item out of the function, and try again"
    }))
}

/// Refuses work that an import of its function may be for: a trait is named by its methods alone,
/// and what a glob brings by anything.
pub(super) fn check_imports(found: &Found, fact: &SpawnFact) -> Outcome<()> {
    let facts = &found.site.function.facts;
    let text = facts.text(&found.site.function.fact().range);
    let is_named = |name: &String| {
        let all = names(text, name, false);
        let is_outside = |at: &usize| {
            let at = found.site.function.fact().range.start + at;
            !fact.outer_uses.iter().any(|(range, _)| range.contains(&at))
        };
        // Its own declaration is one place.
        all.len() > 1 || all.iter().any(is_outside)
    };
    let unnamed = fact
        .outer_uses
        .iter()
        .find(|(_, names)| names.iter().any(|name| name == "*" || !is_named(name)));
    let Some((range, _)) = unnamed else {
        return Ok(());
    };
    let message = "whether the work needs this import of its function is not known";
    Err(Refusal::new("work-import", message)
        .at(facts.place(range))
        .help("move it to the imports of the file, or into the work, and try again"))
}

/// Imports of the site's function that the moved work names.
pub(super) fn uses(found: &Found, fact: &SpawnFact, text: &str) -> Vec<String> {
    let is_own = |name: &String| fact.own_uses.contains(name);
    let named = found
        .uses
        .iter()
        .filter(|(_, name)| !is_own(name) && whole_words(text, name).next().is_some());
    let mut uses: Vec<String> = named
        .map(|(path, name)| {
            if path.rsplit("::").next() == Some(name) {
                path.clone()
            } else {
                format!("{path} as {name}")
            }
        })
        .collect();
    uses.sort();
    uses.dedup();
    uses
}
