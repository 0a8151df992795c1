//! What was most likely meant by a name that there is not.

/// The one of `known` that `given` was most likely meant to be; of two that are as near, the first.
///
/// Case and separators do not count, so that `clone_repository` finds `CloneRepository`. A name is near
/// where a third of it at most is written otherwise, two letters that changed places being one mistake,
/// or where it begins with what was given.
pub fn nearest<'n>(given: &str, known: impl IntoIterator<Item = &'n str>) -> Option<&'n str> {
    let wanted = bare(given);
    if wanted.is_empty() {
        return None;
    }
    let length = wanted.chars().count();
    let distance = |name: &str| {
        let name = bare(name);
        let mistakes = strsim::osa_distance(&wanted, &name);
        let allowed = length.max(3) / 3;
        if mistakes <= allowed {
            return Some(mistakes);
        }
        // A beginning of three letters fits too much.
        (length > 3 && name.starts_with(&wanted)).then_some(mistakes.max(allowed + 1))
    };
    let known = known.into_iter().filter(|name| *name != given);
    let near = known.filter_map(|name| distance(name).map(|mistakes| (mistakes, name)));
    near.min_by_key(|(mistakes, _)| *mistakes)
        .map(|(_, name)| name)
}

/// The question whether the nearest of `known` was meant, where one is near.
pub fn did_you_mean<'n>(given: &str, known: impl IntoIterator<Item = &'n str>) -> Option<String> {
    nearest(given, known).map(|name| format!("did you mean `{name}`?"))
}

/// That question, and all of `known`, which `whose` introduces: `its columns are`, say.
#[must_use]
pub fn or_one_of(given: &str, known: &[&str], whose: &str) -> String {
    let all = format!("{whose}: {}", known.join(", "));
    match did_you_mean(given, known.iter().copied()) {
        Some(question) => format!("{question} {all}"),
        None => all,
    }
}

/// A name as it is compared.
fn bare(name: &str) -> String {
    let letters = name.chars().filter(|c| !matches!(c, '_' | '-' | ' '));
    letters.flat_map(char::to_lowercase).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_name_finds_what_was_meant_and_else_nothing() {
        let fields = ["clone_url", "branch", "target_dir", "workspace_id"];
        for (given, found) in [
            ("clone_uri", Some("clone_url")),
            ("cloneUrl", Some("clone_url")),
            ("target-dir", Some("target_dir")),
            ("barnch", Some("branch")),
            ("workspace", Some("workspace_id")),
            ("wor", None),
            ("url", None),
            ("branch", None),
            ("depth", None),
            ("", None),
            ("_", None),
        ] {
            assert_eq!(nearest(given, fields), found, "{given}");
        }
        assert_eq!(nearest("nwe", ["list", "new"]), Some("new"));
        assert_eq!(nearest("ab", ["ax", "ay"]), Some("ax"), "the first of two");
        let sizes = ["größe", "grösse"];
        assert_eq!(nearest("GRÖßE", sizes), Some("größe"));
    }

    #[test]
    fn a_list_is_shown_with_the_question_first() {
        let columns = ["id", "status"];
        let help = |given| or_one_of(given, &columns, "its columns are");
        assert_eq!(
            help("stauts"),
            "did you mean `status`? its columns are: id, status"
        );
        assert_eq!(help("owner"), "its columns are: id, status");
    }
}
