//! What changed between a recorded wire form and the one that stands, and which rows that concerns.
//!
//! Only what concerns rows of yesterday is a change: a further field that is an `Option`, an alias,
//! a wider type are none.

use super::WireForm;
use super::form::{Shape, Tagged, WireField};
use super::types::{argument, is_option, plain, reads};

/// One change that concerns rows which were written before.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Change {
    /// The field of the form that stands that it is about, if there is one.
    pub field: Option<String>,
    /// Whether those rows no longer decode; else they decode, and lose something.
    pub is_breaking: bool,
    /// What changed, and which rows no longer decode.
    pub message: String,
    /// The next step.
    pub help: String,
}

/// What changed from `recorded` to `current`, forms of the same variant.
#[must_use]
pub fn changes(recorded: &WireForm, current: &WireForm) -> Vec<Change> {
    if recorded.tagged != current.tagged {
        return vec![Change {
            field: None,
            is_breaking: true,
            message: format!(
                "no row of `{}` decodes any more: it was written as {}, and is read as {}",
                recorded.variant,
                written(&recorded.tagged, &recorded.tag),
                written(&current.tagged, &current.tag)
            ),
            help: "give the enum the serde attributes of the snapshot again".to_owned(),
        }];
    }
    let mut found = Vec::new();
    for tag in recorded
        .tags()
        .filter(|tag| current.tags().all(|now| now != *tag))
    {
        found.push(Change {
            field: None,
            is_breaking: true,
            message: format!(
                "rows {} no longer decode: `{}` is read from {} now",
                of_tag(&recorded.tagged, tag),
                current.variant,
                list(current.tags())
            ),
            help: format!("keep reading the old tag: `#[serde(alias = \"{tag}\")]` on the variant"),
        });
    }
    match (recorded.shape, current.shape) {
        (Shape::Tuple, Shape::Tuple) => of_tuple(recorded, current, &mut found),
        (was, now) if was == now || is_map(&recorded.tagged, was, now) => {
            of_fields(recorded, current, &mut found);
        }
        (was, now) => found.push(Change {
            field: None,
            is_breaking: true,
            message: format!(
                "rows {} no longer decode: the variant had {}, and has {} now",
                of_tag(&recorded.tagged, &recorded.tag),
                fields_of(was),
                fields_of(now)
            ),
            help: "give the variant its form again, or drain the queue before the release"
                .to_owned(),
        }),
    }
    found
}

/// Whether both shapes are read from the same map: with the tag inside of it.
fn is_map(tagged: &Tagged, was: Shape, now: Shape) -> bool {
    let is_inside = tagged.key.is_some() && tagged.content.is_none();
    is_inside && was != Shape::Tuple && now != Shape::Tuple
}

fn fields_of(shape: Shape) -> &'static str {
    match shape {
        Shape::Struct => "named fields",
        Shape::Unit => "no fields",
        Shape::Tuple => "fields without names",
    }
}

/// How a row of the tag looks.
fn written(tagged: &Tagged, tag: &str) -> String {
    match (&tagged.key, &tagged.content) {
        (Some(key), Some(content)) => {
            format!("{{\"{key}\": \"{tag}\", \"{content}\": …}}")
        }
        (Some(key), None) => format!("{{\"{key}\": \"{tag}\", …}}"),
        (None, _) => format!("{{\"{tag}\": …}}"),
    }
}

/// `with "type": "sync"`.
#[must_use]
pub fn of_tag(tagged: &Tagged, tag: &str) -> String {
    match &tagged.key {
        Some(key) => format!("with \"{key}\": \"{tag}\""),
        None => format!("that are {{\"{tag}\": …}}"),
    }
}

fn list<'a>(names: impl Iterator<Item = &'a str>) -> String {
    let names: Vec<String> = names.map(|name| format!("\"{name}\"")).collect();
    names.join(" and ")
}

fn of_tuple(recorded: &WireForm, current: &WireForm, found: &mut Vec<Change>) {
    if recorded.fields.len() != current.fields.len() {
        found.push(Change {
            field: None,
            is_breaking: true,
            message: format!(
                "rows {} no longer decode: they hold {} fields, and {} are read",
                of_tag(&recorded.tagged, &recorded.tag),
                recorded.fields.len(),
                current.fields.len()
            ),
            help: "give the variant its fields again, or drain the queue before the release"
                .to_owned(),
        });
        return;
    }
    for (was, now) in recorded.fields.iter().zip(&current.fields) {
        of_type(recorded, was, now, found);
    }
}

fn of_fields(recorded: &WireForm, current: &WireForm, found: &mut Vec<Change>) {
    let same =
        |was: &WireField, now: &WireField| was.keys().any(|key| now.keys().any(|k| k == key));
    for was in &recorded.fields {
        let now = current.fields.iter().find(|now| same(was, now));
        if let Some(now) = now {
            of_keys(recorded, was, now, found);
            if !was.flat && !now.flat {
                of_presence(recorded, was, now, found);
                of_type(recorded, was, now, found);
            }
        }
    }
    // What a flattened struct reads is not seen here.
    let is_flat = |form: &WireForm| form.fields.iter().any(|field| field.flat);
    if is_flat(recorded) || is_flat(current) {
        return;
    }
    let gone = recorded
        .fields
        .iter()
        .filter(|was| !current.fields.iter().any(|now| same(was, now)));
    let mut new: Vec<&WireField> = current
        .fields
        .iter()
        .filter(|now| !recorded.fields.iter().any(|was| same(was, now)))
        .collect();
    let rows = of_tag(&recorded.tagged, &recorded.tag);
    for was in gone {
        let heir = new.iter().position(|now| reads(&now.ty, &was.ty));
        let Some(heir) = heir else {
            found.push(Change {
                field: None,
                is_breaking: false,
                message: format!(
                    "rows {rows} lose what they hold in `{}`: no field reads it any more",
                    was.name
                ),
                help: "once no such row is left, record the snapshot anew with `cargo oxy-task list --write-snapshot`".to_owned(),
            });
            continue;
        };
        let now = new.remove(heir);
        let what = if now.mandatory {
            "no longer decode"
        } else {
            "lose it"
        };
        found.push(Change {
            field: Some(now.name.clone()),
            is_breaking: now.mandatory,
            message: format!(
                "rows {rows} {what}: they hold `{}`, and `{}` is read",
                was.name, now.name
            ),
            help: format!(
                "keep reading the old key: `#[serde(alias = \"{}\")]` on the field",
                was.name
            ),
        });
    }
    for now in new.into_iter().filter(|now| now.mandatory) {
        found.push(Change {
            field: Some(now.name.clone()),
            is_breaking: true,
            message: format!("rows {rows} no longer decode: they hold no `{}`", now.name),
            help: "make the field an `Option`, or give it `#[serde(default)]`".to_owned(),
        });
    }
}

/// Keys that the field was read from, and is no longer.
fn of_keys(recorded: &WireForm, was: &WireField, now: &WireField, found: &mut Vec<Change>) {
    for key in was.keys().filter(|key| now.keys().all(|now| now != *key)) {
        let (is_breaking, what) = if now.mandatory {
            (true, "no longer decode")
        } else {
            (false, "lose it")
        };
        found.push(Change {
            field: Some(now.name.clone()),
            is_breaking,
            message: format!(
                "rows {} that hold `{key}` {what}: it is read from {} alone now",
                of_tag(&recorded.tagged, &recorded.tag),
                list(now.keys())
            ),
            help: format!("keep reading the old key: `#[serde(alias = \"{key}\")]` on the field"),
        });
    }
}

/// A field that could be missing and no longer can be.
fn of_presence(recorded: &WireForm, was: &WireField, now: &WireField, found: &mut Vec<Change>) {
    if was.mandatory || !now.mandatory {
        return;
    }
    let why = if was.default.is_some() && !is_option(&was.ty) {
        "its default is gone"
    } else {
        "it is mandatory now"
    };
    found.push(Change {
        field: Some(now.name.clone()),
        is_breaking: true,
        message: format!(
            "rows {} without `{}` no longer decode: {why}",
            of_tag(&recorded.tagged, &recorded.tag),
            now.name
        ),
        help: "give the field its `#[serde(default)]` again, or its `Option`".to_owned(),
    });
}

/// A field whose type no longer reads what the old one wrote.
fn of_type(recorded: &WireForm, was: &WireField, now: &WireField, found: &mut Vec<Change>) {
    if reads(&now.ty, &was.ty) {
        return;
    }
    let rows = of_tag(&recorded.tagged, &recorded.tag);
    let inner = is_option(&was.ty).then(|| argument(&plain(&was.ty)));
    let message = match inner {
        Some(inner) if reads(&now.ty, &inner) => {
            // Rows without it are another finding.
            if was.omitted.is_some() || now.mandatory && !was.mandatory {
                return;
            }
            format!(
                "rows {rows} in which `{}` is null no longer decode: it was `{}`, and is `{}`",
                now.name, was.ty, now.ty
            )
        }
        _ => format!(
            "rows {rows} hold a `{}` in `{}`, which may not decode: a `{}` is read",
            was.ty, now.name, now.ty
        ),
    };
    found.push(Change {
        field: Some(now.name.clone()),
        is_breaking: true,
        message,
        help: "give the field its type again; or if the new one reads the same JSON, record the snapshot anew with `cargo oxy-task list --write-snapshot`".to_owned(),
    });
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::snapshot::form::Shape;

    /// A field from `name: Type`, with `?` after the name where it has a default, and `|alias`es.
    fn field(text: &str) -> WireField {
        let (names, ty) = text.split_once(": ").unwrap();
        let has_default = names.ends_with('?');
        let mut names = names.trim_end_matches('?').split('|').map(str::to_owned);
        let is_optional = ty.starts_with("Option<");
        WireField {
            mandatory: !has_default && !is_optional,
            default: has_default.then(|| "Default::default".to_owned()),
            omitted: None,
            aliases: Vec::new(),
            ..WireField::new(names.next().unwrap(), ty)
        }
        .with(names.collect())
    }

    impl WireField {
        fn with(self, aliases: Vec<String>) -> Self {
            Self { aliases, ..self }
        }
    }

    /// A form from `tag|alias { field, field }`.
    fn form(text: &str) -> WireForm {
        let (tags, fields) = text.split_once(" {").unwrap();
        let mut tags = tags.split('|').map(str::to_owned);
        let fields = fields.trim_end_matches('}').split("; ");
        let fields = fields.map(str::trim).filter(|text| !text.is_empty());
        WireForm {
            variant: "Sync".to_owned(),
            tag: tags.next().unwrap(),
            aliases: tags.collect(),
            tagged: Tagged {
                key: Some("type".to_owned()),
                content: None,
            },
            shape: Shape::Struct,
            fields: fields.map(field).collect(),
        }
    }

    /// What is said of the change from one form to the other, `!` before what breaks.
    fn said(was: &str, now: &str) -> Vec<String> {
        let found = changes(&form(was), &form(now));
        let say = |change: &Change| {
            let mark = if change.is_breaking { "!" } else { "" };
            format!("{mark}{}", change.message)
        };
        found.iter().map(say).collect()
    }

    #[test]
    fn what_rows_of_yesterday_do_not_survive_is_found() {
        let with = "rows with \"type\": \"sync\"";
        for (was, now, message) in [
            (
                "sync { }",
                "synchronize { }",
                format!("!{with} no longer decode: `Sync` is read from \"synchronize\" now"),
            ),
            (
                "s|sync { }",
                "s { }",
                format!("!{with} no longer decode: `Sync` is read from \"s\" now"),
            ),
            (
                "sync { slug: String }",
                "sync { name: String }",
                format!("!{with} no longer decode: they hold `slug`, and `name` is read"),
            ),
            (
                "sync { slug: String }",
                "sync { name?: String }",
                format!("{with} lose it: they hold `slug`, and `name` is read"),
            ),
            (
                "sync { slug: String }",
                "sync { }",
                format!("{with} lose what they hold in `slug`: no field reads it any more"),
            ),
            (
                "sync { slug|name: String }",
                "sync { slug: String }",
                format!(
                    "!{with} that hold `name` no longer decode: it is read from \"slug\" alone now"
                ),
            ),
            (
                "sync { depth?: u32 }",
                "sync { depth: u32 }",
                format!("!{with} without `depth` no longer decode: its default is gone"),
            ),
            (
                "sync { depth: Option<u32> }",
                "sync { depth: u32 }",
                format!("!{with} without `depth` no longer decode: it is mandatory now"),
            ),
            (
                "sync { depth: Option<u32> }",
                "sync { depth?: u32 }",
                format!(
                    "!{with} in which `depth` is null no longer decode: it was `Option<u32>`, and is `u32`"
                ),
            ),
            (
                "sync { }",
                "sync { slug: String }",
                format!("!{with} no longer decode: they hold no `slug`"),
            ),
            (
                "sync { depth: u64 }",
                "sync { depth: u32 }",
                format!("!{with} hold a `u64` in `depth`, which may not decode: a `u32` is read"),
            ),
            (
                "sync { depth: u32 }",
                "sync { depth: String }",
                format!(
                    "!{with} hold a `u32` in `depth`, which may not decode: a `String` is read"
                ),
            ),
        ] {
            assert_eq!(said(was, now), [message], "{was} → {now}");
        }
    }

    #[test]
    fn what_they_survive_is_left_alone() {
        for (was, now) in [
            ("sync { slug: String }", "sync { slug: String }"),
            ("sync { }", "s|sync { }"),
            ("sync { }", "sync { depth: Option<u32> }"),
            ("sync { }", "sync { depth?: u32 }"),
            ("sync { slug: String }", "sync { name|slug: String }"),
            ("sync { slug: String }", "sync { slug: Option<String> }"),
            ("sync { slug: String }", "sync { slug?: String }"),
            ("sync { a: u8; b: u8 }", "sync { b: u8; a: u8 }"),
            ("sync { depth: u32 }", "sync { depth: u64 }"),
            ("sync { depth: u32 }", "sync { depth: i64 }"),
            ("sync { dir: PathBuf }", "sync { dir: std::path::PathBuf }"),
            ("sync { dir: String }", "sync { dir: PathBuf }"),
            ("sync { id: Uuid }", "sync { id: String }"),
            ("sync { of: Box<Data> }", "sync { of: Data }"),
            ("sync { of: Data }", "sync { of: serde_json::Value }"),
            ("sync { of: Vec<u8> }", "sync { of: BTreeSet<u8> }"),
        ] {
            assert_eq!(said(was, now), [""; 0], "{was} → {now}");
        }
    }

    #[test]
    fn the_form_of_the_enum_counts_too() {
        let (was, mut now) = (form("sync { slug: String }"), form("sync { slug: String }"));
        now.tagged.key = Some("kind".to_owned());
        let found = changes(&was, &now);
        assert_eq!(
            found[0].message,
            "no row of `Sync` decodes any more: it was written as {\"type\": \"sync\", …}, and is read as {\"kind\": \"sync\", …}"
        );
        let tuple = |ty: &str| WireForm {
            shape: Shape::Tuple,
            fields: vec![WireField::new("0".to_owned(), ty)],
            ..form("sync { }")
        };
        assert_eq!(changes(&tuple("Job"), &tuple("Job")), []);
        assert!(
            changes(&tuple("Job"), &tuple("Work"))[0]
                .message
                .contains("hold a `Job`")
        );
        assert!(
            changes(&was, &tuple("Job"))[0]
                .message
                .contains("has fields without names now")
        );
        let unit = WireForm {
            shape: Shape::Unit,
            ..form("sync { }")
        };
        assert_eq!(changes(&unit, &form("sync { a?: u8 }")), []);
        let mut flat = form("sync { more: More }");
        flat.fields[0].flat = true;
        assert_eq!(changes(&was, &flat), []);
    }
}
