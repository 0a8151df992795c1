//! The changed text: before the work, each name in a cast that rustc must refuse.
//!
//! A cast is looked at when all of the function's types are known, also by what comes later, and
//! takes no part in finding them. So `Vec::new()` that the work pushes a byte to is a
//! `Vec<u8>`. The borrow in it keeps arrays and functions what they are.

use std::collections::BTreeSet;
use std::ops::Range;

/// How the names of the types begin that nothing can be cast to; a number follows.
pub(super) const MARK: &str = "__OxyTaskProbe";

/// `text` with the casts before the work; `None` where the work is no piece of it.
pub(super) fn changed(text: &str, work: &Range<usize>, names: &[String]) -> Option<String> {
    let body = text.get(work.clone())?;
    let (before, after) = (text.get(..work.start)?, text.get(work.end..)?);
    let mut casts = String::new();
    for (at, name) in names.iter().enumerate() {
        let name = written(name);
        casts += &format!("struct {MARK}{at}; let _ = &({name}) as {MARK}{at}; ");
    }
    Some(format!("{before}{{ {casts}{body} }}{after}"))
}

/// A name as it is written: a keyword needs its `r#`.
fn written(name: &str) -> String {
    let part = |part: &str| {
        let is_plain =
            matches!(part, "self" | "Self") || part.starts_with(|c: char| c.is_ascii_digit());
        if is_plain || part.starts_with("r#") || syn::parse_str::<syn::Ident>(part).is_ok() {
            part.to_owned()
        } else {
            format!("r#{part}")
        }
    };
    name.split('.').map(part).collect::<Vec<_>>().join(".")
}

/// Names of the modules that the root of a crate declares.
pub(super) fn root_names(text: &str) -> BTreeSet<String> {
    let words: Vec<&str> = text.split_whitespace().collect();
    let mods = words.windows(2).filter(|pair| pair[0] == "mod");
    mods.map(|pair| {
        let end = pair[1].find([';', '{']).unwrap_or(pair[1].len());
        pair[1][..end].trim_start_matches("r#").to_owned()
    })
    .collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn each_name_is_cast_before_the_work() {
        let text = "spawn(async { a });";
        let names = ["a", "self.type", "self.0"].map(str::to_owned);
        assert_eq!(
            changed(text, &(6..17), &names).unwrap(),
            "spawn({ struct __OxyTaskProbe0; let _ = &(a) as __OxyTaskProbe0; \
             struct __OxyTaskProbe1; let _ = &(self.r#type) as __OxyTaskProbe1; \
             struct __OxyTaskProbe2; let _ = &(self.0) as __OxyTaskProbe2; async { a } });"
        );
        assert_eq!(changed(text, &(6..99), &names), None);
        assert_eq!(changed("ä", &(1..2), &names), None);
    }

    #[test]
    fn modules_of_a_root_are_read() {
        let names = root_names("pub mod a;\nmod b { mod c{} }\npub(crate) mod r#type;");
        assert_eq!(Vec::from_iter(names), ["a", "b", "c", "type"]);
    }
}
