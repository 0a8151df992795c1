//! What a type reads that another one wrote, as far as their names say so.

use super::form::last;

/// A type without the paths of its modules and the boxes around it.
pub(super) fn plain(ty: &str) -> String {
    let mut out = String::new();
    for part in ty.split_inclusive(['<', '>', ',', '(', ')', '[', ']', ';', ' ']) {
        out.push_str(last(part));
    }
    for shell in ["Box<", "Arc<", "Rc<"] {
        if let Some(inner) = out.strip_prefix(shell).and_then(|o| o.strip_suffix('>')) {
            return inner.to_owned();
        }
    }
    out
}

pub(super) fn is_option(ty: &str) -> bool {
    plain(ty).starts_with("Option<")
}

/// What stands between the outer `<` and `>`.
pub(super) fn argument(ty: &str) -> String {
    let inner = ty
        .split_once('<')
        .and_then(|(_, rest)| rest.strip_suffix('>'));
    inner.unwrap_or_default().to_owned()
}

/// Types with the same JSON form.
const ALIKE: [&[&str]; 3] = [
    &["String", "PathBuf", "str"],
    &["HashMap", "BTreeMap", "IndexMap"],
    &["Vec", "VecDeque", "HashSet", "BTreeSet", "IndexSet"],
];

/// Numbers by their width, the narrower before the wider.
const UNSIGNED: [&str; 6] = ["u8", "u16", "u32", "usize", "u64", "u128"];
const SIGNED: [&str; 6] = ["i8", "i16", "i32", "isize", "i64", "i128"];

/// Whether the type `now` reads whatever `was` wrote, as far as the names say so.
pub(super) fn reads(now: &str, was: &str) -> bool {
    let (now, was) = (plain(now), plain(was));
    if now == was || now == "Value" || now == "String" && was == "Uuid" {
        return true;
    }
    if let Some(inner) = now
        .strip_prefix("Option<")
        .and_then(|n| n.strip_suffix('>'))
    {
        let was_inner = was
            .strip_prefix("Option<")
            .and_then(|w| w.strip_suffix('>'));
        return reads(inner, was_inner.unwrap_or(&was));
    }
    let rank = |order: &[&str], ty: &str| order.iter().position(|name| *name == ty);
    for order in [UNSIGNED, SIGNED] {
        if let (Some(now), Some(was)) = (rank(&order, &now), rank(&order, &was)) {
            return now >= was;
        }
    }
    if let (Some(now), Some(was)) = (rank(&SIGNED, &now), rank(&UNSIGNED, &was)) {
        return now > was;
    }
    let head = |ty: &str| ty.split('<').next().unwrap_or_default().to_owned();
    let is_alike = |names: &&[&str]| {
        let knows = |ty: &str| names.contains(&head(ty).as_str());
        knows(&now) && knows(&was)
    };
    ALIKE.iter().any(is_alike) && argument(&now) == argument(&was)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_say_what_reads_what() {
        for (now, was) in [
            ("u64", "u32"),
            ("i64", "u32"),
            ("Option<u64>", "Option<u32>"),
            ("Option<Data>", "a::b::Data"),
            ("std::path::PathBuf", "String"),
            ("Box<a::Data>", "Data"),
            ("BTreeMap<String,u8>", "HashMap<std::string::String,u8>"),
        ] {
            assert!(reads(now, was), "{now} reads {was}");
        }
        for (now, was) in [
            ("u32", "u64"),
            ("u32", "i32"),
            ("i32", "u32"),
            ("Data", "Option<Data>"),
            ("Uuid", "String"),
            ("HashMap<String,u8>", "Vec<u8>"),
            ("Vec<u8>", "Vec<u16>"),
        ] {
            assert!(!reads(now, was), "{now} reads {was}");
        }
    }
}
