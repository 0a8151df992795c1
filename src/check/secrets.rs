//! OXT003: a variant that carries a secret by value. It would stand in the queue's row and in the
//! worker's log.

use super::{Checked, Finding, Level};
use crate::index::{FieldFact, VariantFact, mentions};
use crate::landmarks::SpecEnum;
use crate::snapshot::form::last;

/// Types that hold a secret, whatever the field is called.
const TYPES: [&str; 5] = [
    "SecretString",
    "SecretBox",
    "Secret",
    "SecretVec",
    "SecretSlice",
];

/// Words of a field's name that say that it holds a secret.
const WORDS: [&str; 9] = [
    "token",
    "secret",
    "password",
    "passwd",
    "passphrase",
    "credential",
    "credentials",
    "apikey",
    "jwt",
];

/// The same, of two words.
const PAIRS: [&str; 4] = ["api_key", "private_key", "access_key", "signing_key"];

/// Last words of a name that say what of the secret the field holds: nothing to hide.
const OTHERS: [&str; 16] = [
    "ref", "id", "ids", "name", "hash", "digest", "count", "len", "kind", "type", "path", "url",
    "limit", "budget", "expiry", "at",
];

/// Checks every variant.
pub(super) fn check(spec: &SpecEnum, checked: &mut Checked) {
    for variant in &spec.fact.variants {
        for field in variant.fields.iter().flatten() {
            if carries_secret(field) {
                checked.findings.push(finding(spec, variant, field));
            }
        }
    }
}

fn finding(spec: &SpecEnum, variant: &VariantFact, field: &FieldFact) -> Finding {
    let (of, name) = (&spec.fact.name, &field.name);
    Finding {
        rule: "OXT003",
        level: Level::Error,
        message: format!(
            "`{of}::{}` carries the secret `{name}` by value: it is published in the queue's row and in the log",
            variant.name
        ),
        place: spec.facts.place(&field.range),
        help: format!(
            "carry a reference, `{name}_ref: String`, and resolve it where the work runs; rows that hold the secret are to be removed"
        ),
        function: format!("{of}::{}", variant.name),
        tokens: name.clone(),
    }
}

/// Whether the field's type hides something, or is a text and its name says that it is secret.
fn carries_secret(field: &FieldFact) -> bool {
    if TYPES.iter().any(|name| mentions(&field.ty, name)) {
        return true;
    }
    let ty: String = field.ty.split_whitespace().collect();
    let inner = last(&ty)
        .strip_prefix("Option<")
        .and_then(|ty| ty.strip_suffix('>'));
    let is_text = matches!(
        last(inner.unwrap_or(&ty)),
        "String" | "Vec<u8>" | "Box<str>"
    );
    is_text && is_secret(&field.name)
}

fn is_secret(name: &str) -> bool {
    let words: Vec<&str> = name.split('_').collect();
    let is_other = words.last().is_some_and(|word| OTHERS.contains(word));
    let is_word = words.iter().any(|word| WORDS.contains(word));
    // A token that cancels or stands for a place is no secret.
    let is_harmless = ["cancel", "page", "next", "continuation", "sync", "cursor"];
    let is_harmless = words.iter().any(|word| is_harmless.contains(word));
    !is_other && !is_harmless && (is_word || PAIRS.iter().any(|pair| name.contains(pair)))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn field(name: &str, ty: &str) -> FieldFact {
        FieldFact {
            name: name.to_owned(),
            ty: ty.to_owned(),
            range: 0..0,
            attributes: Vec::new(),
            serde: crate::index::FieldSerde::default(),
            is_pub: false,
        }
    }

    #[test]
    fn secrets_are_told_from_what_only_speaks_of_them() {
        for (name, ty) in [
            ("auth_token", "String"),
            ("token", "Option<String>"),
            ("api_key", "std::option::Option<std::string::String>"),
            ("password", "String"),
            ("github_credentials", "String"),
            ("signing_key", "Vec<u8>"),
            ("anything", "SecretString"),
            ("anything", "secrecy::SecretBox<str>"),
        ] {
            assert!(carries_secret(&field(name, ty)), "{name}: {ty}");
        }
        for (name, ty) in [
            ("auth_token_ref", "String"),
            ("token_id", "String"),
            ("token_id", "Uuid"),
            ("secret_name", "String"),
            ("password_hash", "String"),
            ("max_tokens", "u32"),
            ("tokens", "u64"),
            ("token_count", "usize"),
            ("page_token", "Option<String>"),
            ("cancel_token", "String"),
            ("tokenizer", "String"),
            ("secretary", "String"),
            ("key", "String"),
            ("question", "String"),
        ] {
            assert!(!carries_secret(&field(name, ty)), "{name}: {ty}");
        }
    }
}
