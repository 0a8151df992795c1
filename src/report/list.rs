//! The variants and their steps: a table for people, an object for scripts.

use serde_json::{Map, Value, json};

use super::Shell;
use crate::cli::Format;
use crate::landmarks::{STEPS, Step, VariantSteps};

/// Shows the variants in `format`.
pub fn show(shell: &Shell, format: Format, variants: &[VariantSteps]) {
    match format {
        Format::Json => {
            let variants: Vec<Value> = variants.iter().map(object).collect();
            shell.product(&json!({ "command": "list", "variants": variants }).to_string());
        }
        Format::Markdown | Format::Sarif => {
            let mut out = format!("| variant | tag | {} |\n", STEPS.join(" | "));
            out.push_str(&format!("| --- | --- |{}\n", " --- |".repeat(STEPS.len())));
            for variant in variants {
                let steps = variant.steps.iter().map(word);
                let steps: Vec<&str> = steps.collect();
                out.push_str(&format!(
                    "| `{}` | `{}` | {} |\n",
                    variant.name,
                    variant.tag,
                    steps.join(" | ")
                ));
            }
            shell.product(&out);
            unwritten(shell, variants);
        }
        Format::Human => {
            shell.product(&table(variants));
            unwritten(shell, variants);
        }
    }
}

/// One row a variant; the columns are as wide as what stands in them.
fn table(variants: &[VariantSteps]) -> String {
    let head: Vec<&str> = std::iter::once("task").chain(STEPS).collect();
    let rows = variants.iter().map(|variant| {
        let steps = variant.steps.iter().map(word);
        std::iter::once(variant.name.as_str())
            .chain(steps)
            .collect()
    });
    let rows: Vec<Vec<&str>> = std::iter::once(head).chain(rows).collect();
    let width = |column: usize| rows.iter().map(|row| row[column].len()).max().unwrap_or(0);
    let widths: Vec<usize> = (0..=STEPS.len()).map(width).collect();
    let mut out = String::new();
    for row in &rows {
        let cells = row.iter().zip(&widths);
        let cells: Vec<String> = cells
            .map(|(cell, width)| format!("{cell:<width$}"))
            .collect();
        out.push_str(cells.join("  ").trim_end());
        out.push('\n');
    }
    out
}

fn word(step: &Step) -> &str {
    match step {
        Step::Present(_) => "yes",
        Step::Missing => "no",
        Step::Inapplicable => "-",
    }
}

/// Tasks that fail until somebody writes their work.
fn unwritten(shell: &Shell, variants: &[VariantSteps]) {
    for variant in variants.iter().filter(|v| v.is_written == Some(false)) {
        shell.attention(
            "To do",
            &format!(
                "write the work of `{}`; until then it fails and says so",
                variant.name
            ),
        );
    }
}

fn object(variant: &VariantSteps) -> Value {
    let steps = STEPS.iter().zip(&variant.steps).map(|(name, step)| {
        let (present, place) = match step {
            Step::Present(place) => (Value::from(true), Some(place)),
            Step::Missing => (Value::from(false), None),
            Step::Inapplicable => (Value::Null, None),
        };
        let step = json!({
            "present": present,
            "path": place.map(|place| place.path.as_str()),
            "line": place.map(|place| place.line),
        });
        ((*name).to_owned(), step)
    });
    json!({
        "name": variant.name,
        "tag": variant.tag,
        "path": variant.place.path,
        "line": variant.place.line,
        "steps": steps.collect::<Map<String, Value>>(),
        "work": variant.is_written,
    })
}
