//! The module of the task: input, key, policy, enqueue, status writer, work, three tests.

use std::collections::BTreeSet;
use std::sync::Arc;
use std::time::Duration;

use super::schedule::{Way, way_of};
use super::{Piece, gate, last};
use crate::index::{Index, mentions};
use crate::landmarks::Executor;
use crate::merge::Callers;
use crate::note::{Outcome, Place, Refusal};
use crate::plan::Plan;
use crate::render::{self, FieldView, StatusView, merge_imports, render};
use crate::request::{Backoff, Dedupe, raw};
use crate::schedule::in_six_fields;
use crate::task::{Context, Task};
use crate::types::{self, within};
use crate::workspace::SourceFile;

/// The piece.
pub const PIECE: Piece = Piece {
    id: "task_module",
    about: "the task's module: input, key, policy, enqueue, status writer, work, tests",
    plan,
};

/// The path of the module's file.
pub(super) fn path(context: &Context<'_>) -> String {
    let executor = &context.landmarks.executor;
    executor.task_file(&context.task.snake)
}

/// What a task without a status column has for one.
const SEAM: [&str; 3] = [
    "const STATUSES",
    "struct Status",
    "impl StatusPort<()> for Status",
];

/// Whether the module that stands writes a status of its own; refuses a status column for one that
/// stands without.
fn keeps_status(context: &Context<'_>, file: &Arc<SourceFile>) -> Outcome<bool> {
    let facts = context.index.facts(&file.path)?;
    let item = |key: &str| facts.items.iter().find(|item| item.key == key);
    let seam = item(SEAM[2]);
    match &context.task.status {
        None => Ok(seam.is_none()),
        Some(_) if item("const TABLE").is_some() => Ok(true),
        Some(_) => {
            let variant = &context.task.request.variant;
            let message = format!("`{variant}` stands without the status column that is asked for");
            let range = seam.map_or(0..1, |seam| seam.range.clone());
            Err(Refusal::new("status-later", message)
                .at(facts.place(&range))
                .help(format!(
                    "leave --status out; to write one after all, save the work of `{variant}`, delete `{}`, run this again, and put the work back",
                    file.path
                )))
        }
    }
}

/// The fields of the key of a task that stands, as its module has them, and the place.
pub fn standing_key(
    index: &Index<'_>,
    executor: &Executor,
    task: &Task,
) -> Outcome<Option<(Vec<String>, Place)>> {
    let path = executor.task_file(&task.snake);
    if !index.workspace.files.contains_key(&path) {
        return Ok(None);
    }
    let facts = index.facts(&path)?;
    let key = facts.functions.iter().find(|f| f.name == "idempotency_key");
    Ok(key.map(|key| {
        let calls = facts.text(&key.range).split(".field(\"").skip(1);
        let names: Vec<String> = calls
            .filter_map(|call| Some(call.split_once('"')?.0.to_owned()))
            .collect();
        let is_known = |name: &String| task.fields.iter().any(|(field, _)| field.name == *name);
        let names = names.into_iter().filter(is_known).collect();
        (names, facts.place(&key.name_range))
    }))
}

/// What a policy looks for in the message of a transient failure.
const TRANSIENT: &str = "transient: ";

fn plan(context: &Context<'_>, plan: &mut Plan) -> Outcome<()> {
    let path = path(context);
    let existing = context.index.workspace.files.get(&path);
    let keeps_status = match existing {
        Some(file) => keeps_status(context, file)?,
        None => false,
    };
    let text = render(&module(context)?)?;
    let is_new = existing.is_none();
    plan.draft_file(
        PIECE.id,
        "the task's module",
        &path,
        text,
        existing,
        Callers::Task,
    );
    plan.watch(&context.task.request.given);
    if keeps_status {
        plan.leave(&SEAM);
    }
    if is_new && context.task.migration.is_none() {
        plan.open_in(
            &path,
            "// Write the work here.",
            format!(
                "write the work of `{}`; until then it fails and says so",
                context.task.request.variant
            ),
        );
    }
    if let Some(status) = &context.task.status
        && is_new
    {
        plan.open_in(
            &path,
            "fn statuses()",
            format!(
                "let nothing else write `{}.{}` once the row is made: this is its one writer",
                last(&status.entity),
                status.column
            ),
        );
        if let Some(error) = &status.error_column {
            plan.open_in(
                &path,
                "let status = ",
                format!(
                    "decide whether `{}.{error}` is written too: what wrote the status so far may set both",
                    last(&status.entity)
                ),
            );
        }
    }
    Ok(())
}

fn module(context: &Context<'_>) -> Outcome<render::TaskModule> {
    let way = way_of(context)?;
    let landmarks = context.landmarks;
    let task = context.task;
    let executor = &landmarks.executor;
    let policy = &landmarks.policy;
    let queue = &landmarks.queue;
    let fields: Vec<FieldView> = task
        .fields
        .iter()
        .zip(&task.traits)
        .map(|((field, ty), traits)| FieldView {
            name: field.name.clone(),
            ident: field.ident(),
            ty: ty.short(),
            is_secret: field.is_secret,
            sample: traits.sample.clone(),
        })
        .collect();
    let in_key = |field: &&FieldView| task.key.contains(&field.name);
    let key: Vec<FieldView> = fields.iter().filter(in_key).cloned().collect();
    let other_keys = task
        .fields
        .iter()
        .zip(&task.traits)
        .filter(|((field, _), _)| task.key.contains(&field.name))
        .filter_map(|((field, _), traits)| Some((field.ident(), traits.other.clone()?)))
        .collect();
    let status_name = task
        .status
        .as_ref()
        .map(|s| s.ty.as_deref().map_or("String", last));
    let expect = |value: &dyn Fn(&crate::landmarks::Status) -> &String| {
        task.status
            .as_ref()
            .map_or("()".to_owned(), |s| value(s).clone())
    };
    let patterns: Vec<String> = if task.request.retry_on.is_empty() {
        vec![format!("{TRANSIENT:?}")]
    } else {
        task.request
            .retry_on
            .iter()
            .map(|p| format!("{p:?}"))
            .collect()
    };
    let transient_message = task
        .request
        .retry_on
        .first()
        .map_or("timed out".to_owned(), |p| p.escape_default().to_string());
    let forms = &policy.forms;
    let backoff_name = last(&policy.backoff);
    let backoff = match task.request.backoff {
        Backoff::Fixed(ms) => format!(
            "{backoff_name}::{} {{ {}: {ms} }}",
            forms.fixed.0, forms.fixed.1
        ),
        Backoff::Exponential(first, max) => format!(
            "{backoff_name}::{} {{ {}: {}, {}: {} }}",
            forms.exponential.0,
            forms.exponential.1,
            digits(first),
            forms.exponential.2,
            digits(max)
        ),
    };
    let doc = task
        .request
        .doc
        .clone()
        .unwrap_or_else(|| format!("{}.", task.question));
    let extra_samples = queue
        .extra
        .iter()
        .map(|(name, ty)| {
            let sample = syn::parse_str::<syn::Type>(ty).map_or_else(
                |_| "Default::default()".to_owned(),
                |ty| types::samples(&ty, name, &|_| None).0,
            );
            (name.clone(), sample)
        })
        .collect();
    Ok(render::TaskModule {
        variant: task.request.variant.clone(),
        variant_ident: task.ident(),
        summary: lower_first(doc.lines().next().unwrap_or_default()),
        input: input(context),
        imports: imports(context, way),
        tag_key: task.tag_key.clone().unwrap_or_default(),
        tag: task.tag.clone(),
        timeout: duration(task.request.timeout, has_minutes(context)),
        key,
        status_ty: status_name.unwrap_or("()").to_owned(),
        policy_name: last(&policy.policy).to_owned(),
        retry_field: policy.retry_field.clone(),
        retry_name: last(&policy.retry).to_owned(),
        max_field: policy.max_field.clone(),
        backoff_field: policy.backoff_field.clone(),
        patterns_field: policy.patterns_field.clone(),
        retries: task.request.retries,
        backoff,
        patterns,
        has_rest: !policy.other_fields.is_empty(),
        dedupe_doc: match task.request.dedupe {
            Dedupe::Active => "While a task with the same key is queued or running, that task's id is returned and\n/// nothing is inserted.",
            Dedupe::Forever => "A task with the same key is enqueued once for ever: later calls return its id.",
        }
        .to_owned(),
        dedupe: match task.request.dedupe {
            Dedupe::Active => "Active",
            Dedupe::Forever => "Forever",
        }
        .to_owned(),
        extra: queue.extra.clone(),
        extra_samples,
        spec_name: last(&landmarks.spec.path).to_owned(),
        question: task.question.clone(),
        schedule: match way {
            Some(Way::Job) => task.request.schedule.as_deref().and_then(in_six_fields),
            _ => task.request.schedule.clone(),
        },
        is_job: way == Some(Way::Job),
        status: task.status.as_ref().map(|s| status_view(task, s)),
        statuses: match task.status {
            Some(_) => "statuses()",
            None => "STATUSES",
        }
        .to_owned(),
        has_secret: task.fields.iter().any(|(field, _)| field.is_secret),
        is_seam: task.migration.is_some(),
        executor: executor.self_type.clone(),
        db_field: executor.db_field.clone(),
        snake: task.snake.clone(),
        assignment_name: last(&executor.assignment_type).to_owned(),
        executing_name: executor.executing_name.clone(),
        outcome_name: last(&executor.outcome_type).to_owned(),
        outcome_path: within(
            executor.module.split("::").next().unwrap_or_default(),
            &executor.outcome_type,
        ),
        events: landmarks.events.clone(),
        expect_running: expect(&|s| &s.running),
        expect_done: expect(&|s| &s.done),
        expect_failed: expect(&|s| &s.failed),
        transient_message,
        other_keys,
        fields,
    })
}

fn status_view(task: &Task, status: &crate::landmarks::Status) -> StatusView {
    let at = task
        .fields
        .iter()
        .position(|(field, _)| field.name == status.field);
    let copies = at.is_some_and(|at| task.traits[at].copies == Some(true));
    StatusView {
        table: last(&status.entity).to_owned(),
        column_variant: status.column_variant.clone(),
        column: status.column.clone(),
        entity: last(&status.entity).to_owned(),
        key_variant: status.key_variant.clone(),
        field: raw(&status.field),
        key_clone: if copies { "" } else { ".clone()" }.to_owned(),
        key_value: if copies {
            format!("(*{})", raw(&status.field))
        } else {
            format!("{}.clone()", raw(&status.field))
        },
        running: status.running.clone(),
        done: status.done.clone(),
        failed: status.failed.clone(),
        has_updated_at: status.has_updated_at,
        is_own: task.key.contains(&status.field),
    }
}

/// The name of the task's input: the variant's, unless the module has that name for something
/// else.
pub(super) fn input(context: &Context<'_>) -> String {
    let name = context.task.ident();
    let other = format!("{}Input", context.task.request.variant);
    let workspace = context.index.workspace;
    let standing = workspace.files.get(&path(context)).map(|file| &file.text);
    let declares =
        |name: &str| standing.is_some_and(|text| mentions(text, &format!("struct {name}")));
    // What stands has its name.
    if declares(&other) || declares(&name) {
        return if declares(&other) { other } else { name };
    }
    // What calls at a tick has no name that an input could have.
    let imports = imports(context, None).concat().join(" ");
    let is_part = |c: char| c.is_alphanumeric() || c == '_';
    let mut taken = imports
        .split(|c| !is_part(c))
        .chain(["Status", "MemoryRows", "Arc", "AtomicU32", "Ordering"])
        .chain(PRELUDE)
        .chain([last(&context.landmarks.executor.outcome_type)]);
    if taken.any(|taken| taken == name) {
        return other;
    }
    name
}

/// What a module has without an import, of all that generated code names.
const PRELUDE: [&str; 11] = [
    "Clone", "Debug", "Err", "None", "Ok", "Option", "Result", "Some", "String", "ToString", "Vec",
];

/// `use` paths in three groups: std, other crates, this crate.
fn imports(context: &Context<'_>, way: Option<Way>) -> Vec<Vec<String>> {
    let landmarks = context.landmarks;
    let task = context.task;
    let executor = &landmarks.executor;
    let krate = executor.module.split("::").next().unwrap_or_default();
    let gate = gate::module(context);
    let mut paths: BTreeSet<String> = task.imports();
    for path in [
        landmarks.spec.path.as_str(),
        &landmarks.policy.policy,
        &landmarks.policy.retry,
        &landmarks.policy.backoff,
        &executor.assignment_type,
        &executor.executing_type,
        "sea_orm::DbErr",
    ] {
        paths.insert(path.to_owned());
    }
    for name in ["Dedupe", "NewTask", "TaskKey", "TaskRows", "enqueue_once"] {
        paths.insert(format!("{gate}::{name}"));
    }
    paths.insert("std::time::Duration".to_owned());
    if let Some(status) = &task.status {
        paths.insert(status.entity.clone());
        paths.extend(status.ty.clone());
    } else {
        paths.insert("async_trait::async_trait".to_owned());
    }
    if task.migration.is_some() {
        paths.insert("async_trait::async_trait".to_owned());
        paths.insert("std::sync::Arc".to_owned());
        paths.insert("std::sync::OnceLock".to_owned());
    }
    let ports: &[&str] = match task.status {
        Some(_) => &["status_table::StatusTable", "status_table::not_enqueued"],
        None => &["StatusPort"],
    };
    let own = [
        "Delivery",
        "Finished",
        "Statuses",
        "TaskContext",
        "TaskError",
    ];
    let ticks: &[&str] = match way {
        Some(Way::Clock) => &["schedule::every"],
        Some(Way::Job) => &["schedule::due"],
        None => &[],
    };
    let own = own.iter().chain(ports).chain(ticks);
    let is_std = |path: &String| path.starts_with("std::");
    let is_own = |path: &String| path.starts_with(&format!("{krate}::"));
    let std: Vec<String> = paths.iter().filter(|p| is_std(p)).cloned().collect();
    let others = paths.iter().filter(|p| !is_std(p) && !is_own(p)).cloned();
    let others: Vec<String> = others.collect();
    let mut inner: Vec<String> = own.map(|name| format!("super::{name}")).collect();
    inner.push(format!("{}::{}", executor.module, executor.self_type));
    inner.extend(paths.iter().filter(|p| is_own(p)).cloned());
    let inner = inner.iter().map(|path| within(krate, path));
    [
        merge_imports(std),
        merge_imports(others),
        merge_imports(inner),
    ]
    .into_iter()
    .filter(|group| !group.is_empty())
    .collect()
}

/// Whether the executor's crate only compiles where `Duration::from_mins` stands in std.
pub(super) fn has_minutes(context: &Context<'_>) -> bool {
    let package = &context.landmarks.executor.package;
    let member = context.index.workspace.member(package);
    member.is_some_and(|member| member.rust_version >= Some((1, 91)))
}

/// The constructor of `Duration` that a person would choose.
pub(super) fn duration(of: Duration, has_minutes: bool) -> String {
    let seconds = of.as_secs();
    match (of.subsec_millis(), seconds % 60) {
        (0, 0) if has_minutes && seconds.is_multiple_of(3600) => {
            format!("from_hours({})", seconds / 3600)
        }
        (0, 0) if has_minutes => format!("from_mins({})", seconds / 60),
        (0, 0) => format!("from_secs({} * 60)", seconds / 60),
        (0, _) => format!("from_secs({})", digits(seconds)),
        (millis, _) => format!(
            "from_millis({})",
            digits(seconds * 1000 + u64::from(millis))
        ),
    }
}

/// A number with `_` between thousands from five digits on, as clippy asks for.
fn digits(n: u64) -> String {
    let text = n.to_string();
    if text.len() < 5 {
        return text;
    }
    let mut out = String::new();
    for (i, c) in text.chars().enumerate() {
        if i > 0 && (text.len() - i).is_multiple_of(3) {
            out.push('_');
        }
        out.push(c);
    }
    out
}

/// A sentence as it goes on after a colon.
fn lower_first(text: &str) -> String {
    let mut chars = text.chars();
    match (chars.next(), chars.clone().next()) {
        (Some(first), Some(second)) if !second.is_uppercase() => {
            first.to_lowercase().collect::<String>() + chars.as_str()
        }
        _ => text.to_owned(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn durations_are_written_in_their_own_unit() {
        let newer = |of| duration(of, true);
        assert_eq!(newer(Duration::from_mins(30)), "from_mins(30)");
        assert_eq!(newer(Duration::from_hours(2)), "from_hours(2)");
        assert_eq!(newer(Duration::from_secs(90)), "from_secs(90)");
        assert_eq!(newer(Duration::from_millis(1500)), "from_millis(1500)");
        assert_eq!(newer(Duration::from_millis(12_345)), "from_millis(12_345)");
        assert_eq!(
            duration(Duration::from_mins(30), false),
            "from_secs(30 * 60)"
        );
    }

    #[test]
    fn long_numbers_are_grouped() {
        assert_eq!(digits(1_000), "1000");
        assert_eq!(digits(60_000), "60_000");
        assert_eq!(digits(1_234_567), "1_234_567");
    }
}
