//! The test of the gate's SQL, with the workspace's own database fixture.
//!
//! It is added once, to an integration test file of the queue's crate that has a `test_db`. A
//! workspace without such a fixture gets an open point instead.

use std::sync::Arc;

use super::{Piece, gate, last};
use crate::index::FileFacts;
use crate::note::Outcome;
use crate::plan::Plan;
use crate::task::Context;

/// The piece.
pub const PIECE: Piece = Piece {
    id: "gate_test",
    about: "the test of the gate's SQL on a real database",
    plan,
};

/// The test's name.
const NAME: &str = "two_callers_at_once_enqueue_one_task";

fn plan(context: &Context<'_>, plan: &mut Plan) -> Outcome<()> {
    let queue = &context.landmarks.queue;
    let index = context.index;
    let Some(member) = index.workspace.member(&queue.package) else {
        return Ok(());
    };
    let tests = format!("{}/tests/", member.dir);
    let mut found: Vec<(bool, Arc<FileFacts>, bool)> = Vec::new();
    for path in index.containing_in(member, "test_db()") {
        let facts = index.facts(&path)?;
        if facts.functions.iter().any(|f| f.name == NAME) {
            plan.present(PIECE.id, "test of the gate", &path);
            return Ok(());
        }
        let inside = path
            .strip_prefix(&tests)
            .is_some_and(|rest| !rest.contains('/'));
        if let (true, Some(optional)) = (inside, fixture(context, &facts)?) {
            let enqueues = facts.file.text.contains(&queue.function);
            found.push((!enqueues, facts, optional));
        }
    }
    // A file that tests the queue already is the better place; else the first by name.
    found.sort_by(|a, b| (a.0, &a.1.file.path).cmp(&(b.0, &b.1.file.path)));
    let found = found
        .into_iter()
        .next()
        .map(|(_, facts, optional)| (facts, optional));
    let Some((facts, optional)) = found else {
        plan.open_in(
            &gate::path(context)?,
            "impl TaskRows for DatabaseConnection",
            "test the gate's SQL on a real database: the crate's tests have no `async fn test_db() -> DatabaseConnection` to do it with",
        );
        return Ok(());
    };
    let file = &facts.file;
    let fixture = if optional {
        "    let Some(db) = test_db().await else {\n        return;\n    };\n"
    } else {
        "    let db = test_db().await;\n"
    };
    let spec = &context.landmarks.spec;
    let Some(sample) = sample(context) else {
        plan.open_in(
            &gate::path(context)?,
            "impl TaskRows for DatabaseConnection",
            "test the gate's SQL on a real database: no variant of the enum can be made from strings",
        );
        return Ok(());
    };
    let gate = gate::module(context);
    let policy = &context.landmarks.policy;
    let records = &context.landmarks.records;
    let extra: String = queue
        .extra
        .iter()
        .map(|(name, ty)| {
            let value = syn::parse_str::<syn::Type>(ty).map_or_else(
                |_| "Default::default()".to_owned(),
                |ty| crate::types::samples(&ty, name, &|_| None).0,
            );
            format!("        {name}: {value},\n")
        })
        .collect();
    let id_column = &queue.id_column;
    let status_column = &queue.status_column;
    let text = format!(
        "
#[tokio::test]
async fn {NAME}() {{
    use {gate}::{{Dedupe, NewTask, TaskKey, enqueue_once}};
    use {row};
    use {run};
    use sea_orm::{{ActiveValue::Set, EntityTrait}};

{fixture}
    // Another key at every run, whatever rows an earlier one left.
    let now = format!(\"{{:?}}\", std::time::SystemTime::now());
    let key = TaskKey::new(\"gate_test\").field(\"now\", &now).unwrap();
    let spec = {spec_path}{sample};
    let policy = {policy}::default();
    let task = || NewTask {{
        question: \"Gate test\",
        spec: &spec,
        policy: &policy,
{extra}    }};

    let (one, two) = tokio::join!(
        enqueue_once(&db, &key, Dedupe::Active, task()),
        enqueue_once(&db, &key, Dedupe::Active, task()),
    );
    let id = one.unwrap();
    assert_eq!(two.unwrap(), id);
    assert_eq!(id, format!(\"{{}}0\", key.prefix()));

    let ended = {queue}::ActiveModel {{
        {id_column}: Set(id.clone()),
        {status_column}: Set(\"completed\".to_owned()),
        ..Default::default()
    }};
    {queue}::Entity::update(ended).exec(&db).await.unwrap();
    let forever = enqueue_once(&db, &key, Dedupe::Forever, task()).await;
    assert_eq!(forever.unwrap(), id);
    let next = enqueue_once(&db, &key, Dedupe::Active, task()).await.unwrap();
    assert_eq!(next, format!(\"{{}}1\", key.prefix()));

    for id in [id, next] {{
        {queue}::Entity::delete_by_id(&id).exec(&db).await.unwrap();
        {run_name}::Entity::delete_by_id(&id).exec(&db).await.unwrap();
    }}
}}
",
        spec_path = spec.path,
        policy = policy.policy,
        row = queue.row.entity,
        queue = last(&queue.row.entity),
        run = records.run_entity,
        run_name = last(&records.run_entity),
    );
    plan.draft_tail(PIECE.id, "test of the gate", file, text);
    Ok(())
}

/// Whether `test_db` is in scope in a test file, and whether it gives an `Option`.
fn fixture(context: &Context<'_>, facts: &FileFacts) -> Outcome<Option<bool>> {
    let gives = |facts: &FileFacts| {
        facts
            .functions
            .iter()
            .find(|f| {
                f.name == "test_db" && f.params.is_empty() && f.is_async && f.module.is_empty()
            })
            .and_then(|f| match f.output.as_str() {
                "DatabaseConnection" => Some(false),
                "Option<DatabaseConnection>" => Some(true),
                _ => None,
            })
    };
    if let Some(optional) = gives(facts) {
        return Ok(Some(optional));
    }
    let import = facts.uses.iter().find(|u| u.is_top && u.name == "test_db");
    let module = import.and_then(|import| import.path.rsplit_once("::"));
    let file = module.and_then(|(module, _)| context.index.module_file(module));
    Ok(match file {
        Some(file) => gives(&*context.index.facts(&file)?),
        None => None,
    })
}

/// `::Variant { a: "a".into() }` of a variant that strings alone can fill.
fn sample(context: &Context<'_>) -> Option<String> {
    let spec = &context.landmarks.spec;
    spec.fact.variants.iter().find_map(|variant| {
        let fields = variant.fields.as_ref()?;
        let fits = !variant.is_cfg && fields.iter().all(|f| f.ty == "String");
        fits.then(|| {
            if fields.is_empty() {
                return format!("::{}", variant.name);
            }
            let fields: Vec<String> = fields
                .iter()
                .map(|f| {
                    format!(
                        "        {}: \"{}\".to_owned(),\n",
                        crate::request::raw(&f.name),
                        f.name
                    )
                })
                .collect();
            format!("::{} {{\n{}    }}", variant.name, fields.concat())
        })
    })
}
