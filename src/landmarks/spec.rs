//! The enum whose variants are tasks: by its name, its derives and its serde attributes.

use std::sync::Arc;

use super::Config;
use crate::index::{EnumFact, FileFacts, Index, VariantFact};
use crate::note::{Outcome, Refusal};
use crate::suggest;

/// The name that is looked for where the configuration names none.
pub(super) const DEFAULT_NAME: &str = "TaskSpec";

/// The enum and where it stands.
#[derive(Clone)]
pub struct SpecEnum {
    /// The file that defines it.
    pub facts: Arc<FileFacts>,
    /// The enum itself.
    pub fact: EnumFact,
    /// The package that it stands in.
    pub package: String,
    /// Its absolute path, `agentic_core::delegation::TaskSpec`.
    pub path: String,
    /// How it was found.
    pub how: String,
    /// Absolute paths of other enums with the same name.
    pub namesakes: Vec<String>,
}

impl SpecEnum {
    /// The refusal of a variant that there is not.
    #[must_use]
    pub fn no_variant(&self, name: &str) -> Refusal {
        let message = format!("`{}` has no variant `{name}`", self.fact.name);
        let help = suggest::or_one_of(name, &self.names(), "its variants are");
        Refusal::new("no-variant", message)
            .at(self.facts.place(&self.fact.name_range))
            .help(help)
    }

    /// The variant called `name`.
    #[must_use]
    pub fn variant(&self, name: &str) -> Option<&VariantFact> {
        self.fact.variants.iter().find(|v| v.name == name)
    }

    /// What the variants are called, in their order.
    #[must_use]
    pub fn names(&self) -> Vec<&str> {
        self.fact.variants.iter().map(|v| v.name.as_str()).collect()
    }

    /// The wire tag of a variant called `name` without attributes of its own.
    #[must_use]
    pub fn default_tag(&self, name: &str) -> String {
        wire_case(self.fact.serde.rename_all.as_deref(), name)
    }

    /// Every tag that a variant answers to.
    #[must_use]
    pub fn tags(&self, variant: &VariantFact) -> Vec<String> {
        tags(&self.fact, variant)
    }
}

/// Every tag that a variant of the enum answers to, the one it is written with first.
pub(super) fn tags(fact: &EnumFact, variant: &VariantFact) -> Vec<String> {
    let default = || wire_case(fact.serde.rename_all.as_deref(), &variant.name);
    let mut tags = vec![variant.serde.rename.clone().unwrap_or_else(default)];
    tags.extend(variant.serde.aliases.iter().cloned());
    tags
}

/// A field's name under serde's `rename_all`, which goes by underscores.
#[must_use]
pub fn field_case(rule: Option<&str>, name: &str) -> String {
    let capital = |word: &str| {
        let mut chars = word.chars();
        let first = chars.next().map(|c| c.to_ascii_uppercase().to_string());
        first.unwrap_or_default() + chars.as_str()
    };
    let pascal = || name.split('_').map(capital).collect::<String>();
    match rule {
        Some("UPPERCASE" | "SCREAMING_SNAKE_CASE") => name.to_ascii_uppercase(),
        Some("PascalCase") => pascal(),
        Some("camelCase") => {
            let pascal = pascal();
            let mut chars = pascal.chars();
            let first = chars.next().map(|c| c.to_ascii_lowercase().to_string());
            first.unwrap_or_default() + chars.as_str()
        }
        Some("kebab-case") => name.replace('_', "-"),
        Some("SCREAMING-KEBAB-CASE") => name.to_ascii_uppercase().replace('_', "-"),
        _ => name.to_owned(),
    }
}

/// A variant's name under serde's `rename_all`, which splits at every capital letter.
///
/// The rule is `serde_derive`'s: `OCRPages` becomes `o_c_r_pages` in snake case, whatever case
/// libraries make of it.
#[must_use]
pub fn wire_case(rule: Option<&str>, name: &str) -> String {
    let snake = |name: &str| {
        let mut out = String::new();
        for (i, c) in name.char_indices() {
            if i > 0 && c.is_uppercase() {
                out.push('_');
            }
            out.extend(c.to_lowercase());
        }
        out
    };
    match rule {
        Some("lowercase") => name.to_ascii_lowercase(),
        Some("UPPERCASE") => name.to_ascii_uppercase(),
        Some("camelCase") => {
            let mut chars = name.chars();
            chars
                .next()
                .map(|c| c.to_ascii_lowercase().to_string() + chars.as_str())
                .unwrap_or_default()
        }
        Some("snake_case") => snake(name),
        Some("SCREAMING_SNAKE_CASE") => snake(name).to_ascii_uppercase(),
        Some("kebab-case") => snake(name).replace('_', "-"),
        Some("SCREAMING-KEBAB-CASE") => snake(name).to_ascii_uppercase().replace('_', "-"),
        _ => name.to_owned(),
    }
}

/// Finds the enum: the one that `task-spec` names, else the one called `TaskSpec`.
pub fn discover(index: &Index<'_>, config: &Config) -> Outcome<SpecEnum> {
    let configured = config.get("task-spec");
    let name = configured.map_or(DEFAULT_NAME, |path| {
        path.rsplit("::").next().unwrap_or(path)
    });
    let needle = defines(name);
    let mut found = Vec::new();
    let mut in_tokens = None;
    for path in index.containing(&needle) {
        let facts = index.facts(&path)?;
        let mut defines = false;
        for fact in facts.enums.iter().filter(|fact| fact.name == name) {
            defines = true;
            let test = facts
                .modules
                .iter()
                .any(|m| m.is_test && m.is_inline && m.range.contains(&fact.open));
            if let (false, Some(member)) = (test, index.workspace.member_of(&path)) {
                let mut module = index
                    .module_of(&path)
                    .unwrap_or_else(|| member.crate_name());
                for part in &fact.module {
                    module = format!("{module}::{part}");
                }
                found.push(SpecEnum {
                    facts: Arc::clone(&facts),
                    fact: fact.clone(),
                    package: member.name.clone(),
                    path: format!("{module}::{name}"),
                    how: configured.map_or_else(
                        || format!("the only enum called `{name}`"),
                        |_| "named by `task-spec` in the configuration".to_owned(),
                    ),
                    namesakes: Vec::new(),
                });
            }
        }
        if let (false, Some(at)) = (defines, macro_made(&facts, &needle)) {
            in_tokens = Some(facts.place(&(at..at + needle.len())));
        }
    }
    let others: Vec<String> = found.iter().map(configured_path).collect();
    let paths: Vec<String> = found
        .iter()
        .map(|candidate| candidate.path.clone())
        .collect();
    if let Some(path) = configured {
        found.retain(|candidate| names(path, candidate));
    }
    let mut spec = match found.len() {
        1 => found.remove(0),
        0 => return Err(missing(name, &others, in_tokens, config)),
        _ => return Err(ambiguous(name, &found)),
    };
    spec.namesakes = paths
        .into_iter()
        .filter(|path| *path != spec.path)
        .collect();
    check_shape(&spec)?;
    Ok(spec)
}

/// The text that a file which defines the enum holds.
pub(super) fn defines(name: &str) -> String {
    format!("enum {name}")
}

/// Whether the configured path (`package::module::Item`) names the candidate.
fn names(path: &str, candidate: &SpecEnum) -> bool {
    let (package, rest) = path.split_once("::").unwrap_or(("", path));
    let tail = candidate.path.split_once("::").map_or("", |(_, tail)| tail);
    package == candidate.package && (tail == rest || !rest.contains("::"))
}

/// The offset of `enum Name` in code, where it stands in a macro's tokens.
fn macro_made(facts: &FileFacts, needle: &str) -> Option<usize> {
    facts.file.text.match_indices(needle).find_map(|(at, _)| {
        let line = &facts.file.text[facts.file.line_start(at)..at];
        let after = facts.file.text[at + needle.len()..].chars().next();
        let whole = !after.is_some_and(|c| c.is_alphanumeric() || c == '_');
        let in_macro = facts.macros.iter().any(|range| range.contains(&at));
        (whole && in_macro && !line.contains("//") && !line.contains('"')).then_some(at)
    })
}

fn missing(
    name: &str,
    others: &[String],
    in_tokens: Option<crate::note::Place>,
    config: &Config,
) -> Refusal {
    if let Some(place) = in_tokens {
        return Refusal::new(
            "enum-in-macro",
            format!("the enum `{name}` is made by a macro, so no variant can be inserted"),
        )
        .at(place)
        .help("add the variant in the macro's input by hand, or write the enum out");
    }
    let message = match config.get("task-spec") {
        Some(path) => format!("found no enum called `{name}` at `{path}`"),
        None => format!("found no enum called `{name}` in this workspace"),
    };
    let refusal = Refusal::new("no-enum", message)
    .help(match others {
        [] => "name it in the root manifest: [workspace.metadata.oxy-task] task-spec = \"package::module::Enum\"".to_owned(),
        others => format!("there is {}: name it with `task-spec`", others.join(", ")),
    });
    match config.place("task-spec") {
        Some(place) => refusal.at(place),
        None => refusal,
    }
}

fn ambiguous(name: &str, found: &[SpecEnum]) -> Refusal {
    let mut refusal = Refusal::new(
        "two-enums",
        format!("{} enums are called `{name}`", found.len()),
    );
    for candidate in found {
        let place = candidate.facts.place(&candidate.fact.name_range);
        refusal = refusal.and(place, format!("`{}`", configured_path(candidate)));
    }
    let first = found.first().map(configured_path).unwrap_or_default();
    refusal.help(format!(
        "say which in the root manifest: [workspace.metadata.oxy-task] task-spec = \"{first}\""
    ))
}

fn configured_path(candidate: &SpecEnum) -> String {
    let tail = candidate.path.split_once("::").map_or("", |(_, tail)| tail);
    format!("{}::{tail}", candidate.package)
}

/// A task travels as JSON: the enum must be one that serde writes and reads with a tag.
fn check_shape(spec: &SpecEnum) -> Outcome<()> {
    let place = || spec.facts.place(&spec.fact.name_range);
    let refuse = |code, message: String| Refusal::new(code, message).at(place());
    let derives = |name: &str| spec.fact.derives.iter().any(|derive| derive == name);
    if !derives("Serialize") || !derives("Deserialize") {
        return Err(refuse(
            "enum-shape",
            format!(
                "`{}` does not derive Serialize and Deserialize, so its variants cannot be rows of a queue",
                spec.fact.name
            ),
        )
        .help("name another enum with `task-spec`, or derive both"));
    }
    if spec.fact.serde.untagged {
        return Err(refuse(
            "enum-shape",
            format!(
                "`{}` is untagged: two variants with the same fields would decode into each other",
                spec.fact.name
            ),
        )
        .help("give the enum `#[serde(tag = \"type\")]`"));
    }
    if spec.fact.is_generic {
        return Err(refuse(
            "enum-shape",
            format!("`{}` has generic parameters", spec.fact.name),
        )
        .help("name another enum with `task-spec`"));
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::wire_case;

    /// Each line is what `serde_derive` 1.0 gives for the variant.
    #[test]
    fn wire_case_is_serdes_own() {
        for (rule, name, tag) in [
            (Some("snake_case"), "CloneRepository", "clone_repository"),
            (Some("snake_case"), "OCRPages", "o_c_r_pages"),
            (Some("snake_case"), "V2Sync", "v2_sync"),
            (Some("camelCase"), "OCRPages", "oCRPages"),
            (Some("kebab-case"), "CloneRepository", "clone-repository"),
            (Some("SCREAMING_SNAKE_CASE"), "AbC", "AB_C"),
            (Some("SCREAMING-KEBAB-CASE"), "AbC", "AB-C"),
            (Some("lowercase"), "AbC", "abc"),
            (Some("UPPERCASE"), "AbC", "ABC"),
            (Some("PascalCase"), "AbC", "AbC"),
            (None, "AbC", "AbC"),
        ] {
            assert_eq!(wire_case(rule, name), tag, "{rule:?} {name}");
        }
    }
}
