//! A snapshot as text, in insta's file format: a head between two lines of dashes, then JSON with
//! one line for each field, so that a review shows what changed.

use serde::{Deserialize, Serialize};
use serde_json::Value;

use super::{Record, Scaffolded, WireForm};
use crate::note::{Outcome, Refusal};
use crate::workspace::SourceFile;

/// The line above and below the head.
const DASHES: &str = "---";

/// The JSON of a snapshot. `flatten` does not go with `deny_unknown_fields`, so the fields of the
/// form are listed.
#[derive(Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
struct Contents {
    variant: String,
    tag: String,
    aliases: Vec<String>,
    tagged: super::form::Tagged,
    shape: super::form::Shape,
    fields: Vec<super::WireField>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    scaffolded: Option<Scaffolded>,
}

/// The text of a snapshot of a variant of the enum `spec`, which stands in the file `source`.
#[must_use]
pub fn render(record: &Record, spec: &str, source: &str) -> String {
    let form = record.form.clone();
    let contents = Contents {
        variant: form.variant,
        tag: form.tag,
        aliases: form.aliases,
        tagged: form.tagged,
        shape: form.shape,
        fields: form.fields,
        scaffolded: record.scaffolded.clone(),
    };
    let variant = &record.form.variant;
    let mut out =
        format!("{DASHES}\nsource: {source}\nexpression: \"{spec}::{variant}\"\n{DASHES}\n");
    // Strings, lists and objects with names have a JSON form always.
    let value = serde_json::to_value(contents).unwrap_or_default();
    lines(&value, 0, &mut out);
    out.push('\n');
    out
}

/// Objects have a line for each key, lists one for each item, which stands on that line as a whole.
fn lines(value: &Value, indent: usize, out: &mut String) {
    let inner = "  ".repeat(indent + 1);
    let outer = "  ".repeat(indent);
    match value {
        Value::Object(object) if !object.is_empty() => {
            out.push_str("{\n");
            for (at, (key, value)) in object.iter().enumerate() {
                let comma = if at == 0 { "" } else { ",\n" };
                out.push_str(&format!("{comma}{inner}{}: ", Value::from(key.as_str())));
                lines(value, indent + 1, out);
            }
            out.push_str(&format!("\n{outer}}}"));
        }
        Value::Array(items) if !items.is_empty() => {
            out.push_str("[\n");
            for (at, item) in items.iter().enumerate() {
                let comma = if at == 0 { "" } else { ",\n" };
                out.push_str(&format!("{comma}{inner}"));
                line(item, out);
            }
            out.push_str(&format!("\n{outer}]"));
        }
        value => line(value, out),
    }
}

/// A value on one line.
fn line(value: &Value, out: &mut String) {
    match value {
        Value::Object(object) => {
            out.push('{');
            for (at, (key, value)) in object.iter().enumerate() {
                let comma = if at == 0 { "" } else { ", " };
                out.push_str(&format!("{comma}{}: ", Value::from(key.as_str())));
                line(value, out);
            }
            out.push('}');
        }
        Value::Array(items) => {
            out.push('[');
            for (at, item) in items.iter().enumerate() {
                out.push_str(if at == 0 { "" } else { ", " });
                line(item, out);
            }
            out.push(']');
        }
        value => out.push_str(&value.to_string()),
    }
}

/// Reads a snapshot; what is no such text is refused with its line.
pub fn parse(file: &SourceFile) -> Outcome<Record> {
    let refuse = |offset: usize, why: &str| {
        let message = format!("the recorded snapshot `{}` {why}", file.path);
        Refusal::new("snapshot", message)
            .at(file.place(&(offset..offset + 1)))
            .help("take it back from version control, or delete it and record it anew with `cargo oxy-task list --write-snapshot`")
    };
    let text = &file.text;
    let mut at = 0;
    let mut ends = Vec::new();
    for line in text.split_inclusive('\n') {
        let is_dashes = line.trim_end() == DASHES;
        if ends.is_empty() && !is_dashes {
            return Err(refuse(0, "does not begin with `---`"));
        }
        at += line.len();
        if is_dashes {
            ends.push(at);
        }
        if ends.len() == 2 {
            break;
        }
    }
    let [_, start] = ends[..] else {
        return Err(refuse(0, "has no head between two lines of `---`"));
    };
    let contents: Contents = serde_json::from_str(&text[start..]).map_err(|e| {
        let before = text[start..]
            .split_inclusive('\n')
            .take(e.line().max(1) - 1);
        let offset = start + before.map(str::len).sum::<usize>();
        let why = e.to_string();
        let why = why.split(" at line ").next().unwrap_or_default();
        refuse(offset, &format!("cannot be read: {why}"))
    })?;
    Ok(Record {
        form: WireForm {
            variant: contents.variant,
            tag: contents.tag,
            aliases: contents.aliases,
            tagged: contents.tagged,
            shape: contents.shape,
            fields: contents.fields,
        },
        scaffolded: contents.scaffolded,
    })
}

#[cfg(test)]
mod tests {
    use std::path::PathBuf;

    use super::*;
    use crate::snapshot::form::{Shape, Tagged};
    use crate::snapshot::{RecordedPiece, WireField};

    fn file(text: &str) -> SourceFile {
        SourceFile {
            path: "snapshots/oxy-task/sync.snap".to_owned(),
            absolute: PathBuf::new(),
            text: text.to_owned(),
        }
    }

    fn record() -> Record {
        let depth = WireField {
            mandatory: false,
            default: Some("Default::default".to_owned()),
            omitted: Some("Option::is_none".to_owned()),
            ..WireField::new("depth".to_owned(), "Option<u32>")
        };
        Record {
            form: WireForm {
                variant: "Sync".to_owned(),
                tag: "sync".to_owned(),
                aliases: Vec::new(),
                tagged: Tagged {
                    key: Some("type".to_owned()),
                    content: None,
                },
                shape: Shape::Struct,
                fields: vec![WireField::new("slug".to_owned(), "String"), depth],
            },
            scaffolded: Some(Scaffolded {
                request: vec![
                    "new".to_owned(),
                    "Sync".to_owned(),
                    "slug:String".to_owned(),
                ],
                pieces: vec![RecordedPiece {
                    path: "src/lib.rs".to_owned(),
                    kind: "variant".to_owned(),
                    hash: "00".to_owned(),
                    text: Some("\n    Sync,".to_owned()),
                    ..RecordedPiece::default()
                }],
            }),
        }
    }

    #[test]
    fn what_is_written_is_read() {
        let record = record();
        let text = render(&record, "TaskSpec", "src/lib.rs");
        assert_eq!(parse(&file(&text)).unwrap(), record);
        assert_eq!(parse(&file(&text.replace('\n', "\r\n"))).unwrap(), record);
        let bare = Record {
            scaffolded: None,
            ..record
        };
        let text = render(&bare, "TaskSpec", "src/lib.rs");
        assert_eq!(parse(&file(&text)).unwrap(), bare);
        assert_eq!(
            text,
            r#"---
source: src/lib.rs
expression: "TaskSpec::Sync"
---
{
  "variant": "Sync",
  "tag": "sync",
  "aliases": [],
  "tagged": {
    "key": "type",
    "content": null
  },
  "shape": "struct",
  "fields": [
    {"name": "slug", "type": "String", "mandatory": true},
    {"name": "depth", "type": "Option<u32>", "mandatory": false, "default": "Default::default", "omitted": "Option::is_none"}
  ]
}
"#
        );
    }

    /// What cannot be read is refused at its line.
    #[test]
    fn what_is_not_a_snapshot_is_refused_at_its_line() {
        let text = render(&record(), "TaskSpec", "src/lib.rs");
        for (broken, line, why) in [
            (String::new(), 1, "has no head"),
            ("{}".to_owned(), 1, "does not begin with `---`"),
            ("---\nsource: x\n".to_owned(), 1, "has no head"),
            (
                text.replace("\"tag\":", "\"tags\":"),
                7,
                "unknown field `tags`",
            ),
            (text.replace("\"sync\",", "sync,"), 7, "expected value"),
            (
                text.replace("\"struct\"", "\"heap\""),
                13,
                "unknown variant `heap`",
            ),
            (text.replace(": true}", ": 1}"), 15, "invalid type"),
            (text.trim_end().trim_end_matches('}').to_owned(), 28, "EOF"),
            (format!("{text}<<<<<<< ours\n"), 29, "trailing characters"),
        ] {
            let refusal = parse(&file(&broken)).unwrap_err();
            assert_eq!(refusal.code, "snapshot");
            assert!(refusal.message.contains(why), "{}", refusal.message);
            assert_eq!(refusal.place.unwrap().line, line, "{broken}");
        }
    }
}
