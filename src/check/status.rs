//! OXT006: a domain status column written both by a task and by the site that enqueues it.
//!
//! What the site writes before it enqueues makes the row, and is in order; what it writes after
//! that races with the task. The column is read from the task's module; of a task that was written
//! by hand none is known, and nothing is said.

use std::collections::BTreeSet;

use heck::ToSnakeCase;

use super::enqueues::Module;
use super::tokens::bare;
use super::{Checked, Finding, Level, Reading};
use crate::index::{FileFacts, FnFact, Index, mentions};
use crate::note::Outcome;

/// A status column, as code names it.
struct Column {
    /// The entity's module.
    entity: String,
    /// The column as a field.
    field: String,
    /// The column in sea-orm's enum.
    variant: String,
}

/// Checks every task with a status column.
pub(super) fn check(reading: &Reading<'_>, checked: &mut Checked) -> Outcome<()> {
    for module in &reading.enqueues.modules {
        if let Some(column) = column(reading.index, module)? {
            of_module(reading, module, &column, checked)?;
        }
    }
    Ok(())
}

/// The column that the module's `TABLE` names.
fn column(index: &Index<'_>, module: &Module) -> Outcome<Option<Column>> {
    let facts = index.facts(&module.path)?;
    let Some(table) = facts.items.iter().find(|item| item.key == "const TABLE") else {
        return Ok(None);
    };
    let code = bare(facts.text(&table.range));
    let Some((_, column)) = code.split_once("column:") else {
        return Ok(None);
    };
    let path = column.split(',').next().unwrap_or_default();
    let Some((entity, variant)) = path.split_once("::Column::") else {
        return Ok(None);
    };
    Ok(Some(Column {
        entity: entity.rsplit("::").next().unwrap_or(entity).to_owned(),
        field: variant.to_snake_case(),
        variant: variant.to_owned(),
    }))
}

fn of_module(
    reading: &Reading<'_>,
    module: &Module,
    column: &Column,
    checked: &mut Checked,
) -> Outcome<()> {
    let index = reading.index;
    let of = &reading.landmarks.spec.fact.name;
    for path in index.containing("enqueue(") {
        let is_outside = index.workspace.member_of(&path).is_some() && path != module.path;
        let text = &index.workspace.files[&path].text;
        if !is_outside || index.is_for_tests(&path) || !mentions(text, &module.name) {
            continue;
        }
        let facts = index.facts(&path)?;
        let imported = format!("{}::enqueue", module.name);
        let is_imported = facts
            .uses
            .iter()
            .any(|import| import.path.ends_with(&imported));
        let call = if is_imported {
            "enqueue(".to_owned()
        } else {
            format!("{imported}(")
        };
        for function in facts.functions.iter().filter(|f| !f.is_test) {
            let code = bare(facts.text(&function.range));
            let Some((_, after)) = code.split_once(&call) else {
                continue;
            };
            let Some(writer) = writer(index, &facts, function, after, column)? else {
                continue;
            };
            checked.findings.push(Finding {
                rule: "OXT006",
                level: Level::Error,
                message: format!(
                    "`{}` enqueues `{of}::{}` and writes `{}.{}` after that{writer}: the task writes it too, and the later one wins",
                    function.name, module.variant, column.entity, column.field
                ),
                place: facts.place(&function.name_range),
                help: "write the first value before the enqueue, and leave the rest to the task; where `enqueue` fails it writes the failure itself".to_owned(),
                function: function.name.clone(),
                tokens: module.variant.clone(),
            });
        }
    }
    Ok(())
}

/// What in `after` writes the column: nothing to add where the function does it itself, else the
/// function that it calls.
fn writer(
    index: &Index<'_>,
    facts: &FileFacts,
    function: &FnFact,
    after: &str,
    column: &Column,
) -> Outcome<Option<String>> {
    if writes(after, column) && mentions(&facts.file.text, &column.entity) {
        return Ok(Some(String::new()));
    }
    for name in called(after) {
        if name == function.name {
            continue;
        }
        let mut found = Vec::new();
        for path in index.containing(&format!("fn {name}")) {
            let is_real = index.workspace.member_of(&path).is_some() && !index.is_for_tests(&path);
            if !is_real {
                continue;
            }
            let facts = index.facts(&path)?;
            let named = facts
                .functions
                .iter()
                .filter(|f| !f.is_test && f.name == name);
            let knows = mentions(&facts.file.text, &column.entity);
            found.extend(named.map(|f| knows && writes(&bare(facts.text(&f.range)), column)));
        }
        // Of several functions of that name it is not known which one is called.
        if found == [true] {
            return Ok(Some(format!(", through `{name}`")));
        }
    }
    Ok(None)
}

/// Whether code without layout sets the column.
fn writes(code: &str, column: &Column) -> bool {
    let Column { field, variant, .. } = column;
    let is_word = |c: char| c.is_alphanumeric() || c == '_';
    let set = [
        "Set(",
        "ActiveValue::Set(",
        "ActiveValue::set(",
        "sea_orm::Set(",
    ];
    let sets = |mark: &str| {
        let is_whole = |at: usize| !code[..at].ends_with(is_word);
        let name = format!("{field}{mark}");
        let mut found = code.match_indices(&name);
        found.any(|(at, _)| {
            is_whole(at)
                && set
                    .iter()
                    .any(|set| code[at + name.len()..].starts_with(set))
        })
    };
    let column = format!("Column::{variant},");
    let by_expression = code.split("col_expr(").skip(1).any(|argument| {
        let path = argument.find(&column).map(|at| &argument[..at]);
        path.is_some_and(|path| path.chars().all(|c| is_word(c) || c == ':'))
    });
    sets(":") || sets("=") || by_expression
}

/// Names of what code calls, in order.
fn called(code: &str) -> BTreeSet<&str> {
    let is_word = |c: char| c.is_alphanumeric() || c == '_';
    let calls = code.match_indices('(').map(|(at, _)| {
        let start = code[..at].trim_end_matches(is_word).len();
        &code[start..at]
    });
    calls
        .filter(|name| name.starts_with(|c: char| c.is_lowercase() || c == '_'))
        .collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn writes_are_told_from_reads() {
        let column = Column {
            entity: "workspaces".to_owned(),
            field: "status".to_owned(),
            variant: "Status".to_owned(),
        };
        for code in [
            "ActiveModel { id: Set(id), status: Set(status), ..Default::default() }",
            "model.status = Set(WorkspaceStatus::Failed);",
            "model.status = ActiveValue::Set(of);",
            "update.col_expr(workspaces::Column::Status, Expr::value(1))",
        ] {
            assert!(writes(&bare(code), &column), "{code}");
        }
        for code in [
            "let status = model.status;",
            "View { status: row.status }",
            "ActiveModel { queue_status: Set(status) }",
            "find().filter(workspaces::Column::Status.eq(1))",
            "// status: Set(",
            "if status == Set(1) {}",
        ] {
            assert!(!writes(&bare(code), &column), "{code}");
        }
    }
}
