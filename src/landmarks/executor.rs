//! The executor: the trait impl whose method matches over the enum and starts the work.

use std::sync::Arc;

use super::exhaustive::{Coverage, MatchSite};
use super::{Config, SpecEnum};
use crate::index::{EnumFact, FieldFact, FileFacts, Index, StructFact};
use crate::note::{Outcome, Refusal};

/// The executor and what its arm has at hand.
pub struct Executor {
    /// Position of its match among the sites.
    pub site: usize,
    /// The file of the impl.
    pub facts: Arc<FileFacts>,
    /// The package it stands in.
    pub package: String,
    /// Absolute module path of that file.
    pub module: String,
    /// The type, as written in the impl.
    pub self_type: String,
    /// The trait it implements, as written.
    pub trait_path: String,
    /// The trait's method with the match.
    pub method: String,
    /// The parameter that holds the assignment.
    pub assignment: String,
    /// How the match takes the spec out of the assignment.
    pub scrutinee: Scrutinee,
    /// Absolute path of the assignment's type.
    pub assignment_type: String,
    /// Absolute path of what the method gives in `Ok`.
    pub executing_type: String,
    /// The name of that type.
    pub executing_name: String,
    /// How each of its fields is called, by what it is for.
    pub executing: Executing,
    /// Absolute path of the outcome's type.
    pub outcome_type: String,
    /// Fields of `Done` beside `answer`; each is an `Option`.
    pub done_rest: Vec<String>,
    /// The field of the executor that holds the database connection.
    pub db_field: String,
    /// How it was found.
    pub how: String,
}

impl Executor {
    /// The file of the module `name` in the folder `tasks/` beside the executor.
    #[must_use]
    pub fn task_file(&self, name: &str) -> String {
        format!("{}/tasks/{name}.rs", module_dir(&self.facts.file.path))
    }
}

/// The folder of a file's module.
///
/// A module that is a file of its own name has its children in a folder of that name.
fn module_dir(path: &str) -> String {
    let (dir, file) = path.rsplit_once('/').unwrap_or(("", path));
    match file {
        "mod.rs" | "lib.rs" | "main.rs" => dir.to_owned(),
        _ => format!("{dir}/{}", file.trim_end_matches(".rs")),
    }
}

/// How the match binds the fields of a variant.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Scrutinee {
    /// `match &assignment.spec`: fields are references.
    Borrowed,
    /// `match assignment.spec.clone()`: fields are values, the assignment stays whole.
    Owned,
}

/// Field names of the executing task.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Executing {
    /// Receiver of `(event type, payload)`.
    pub events: String,
    /// Receiver of outcomes.
    pub outcomes: String,
    /// The token that cancels.
    pub cancel: String,
    /// Fields that are `Option` and stay `None`.
    pub none: Vec<String>,
}

/// Finds the executor among the exhaustive matches.
pub fn discover(
    index: &Index<'_>,
    spec: &SpecEnum,
    sites: &[MatchSite],
    config: &Config,
) -> Outcome<Executor> {
    let configured = config.get("executor");
    let wanted = configured.and_then(|path| path.rsplit("::").next());
    let candidates: Vec<usize> = (0..sites.len())
        .filter(|&at| is_candidate(&sites[at], wanted))
        .collect();
    let site = match candidates.as_slice() {
        [site] => *site,
        [] if wanted.is_some() => {
            let known: Vec<String> = (0..sites.len())
                .filter(|&at| is_candidate(&sites[at], None))
                .map(|at| self_type(&sites[at]))
                .collect();
            let refusal = Refusal::new(
                "no-executor",
                format!(
                    "found no executor called `{}`, as the configuration names it",
                    configured.unwrap_or_default()
                ),
            )
            .help(match known.as_slice() {
                [] => "no trait impl outside tests matches over every variant".to_owned(),
                known => format!("these match over every variant: {}", known.join(", ")),
            });
            return Err(match config.place("executor") {
                Some(place) => refusal.at(place),
                None => refusal,
            });
        }
        [] => {
            let refusal = Refusal::new(
                "no-executor",
                format!(
                    "found no executor: no trait impl outside tests has a method that matches over every variant of `{}`",
                    spec.fact.name
                ),
            )
            .at(spec.facts.place(&spec.fact.name_range))
            .help("name the type in the root manifest: [workspace.metadata.oxy-task] executor = \"package::module::Type\"");
            return Err(match config.place("executor") {
                Some(place) => refusal.and(place, "configured here"),
                None => refusal,
            });
        }
        _ => {
            let mut refusal = Refusal::new(
                "two-executors",
                format!("{} impls match over every variant of `{}`", candidates.len(), spec.fact.name),
            )
            .help("say which in the root manifest: [workspace.metadata.oxy-task] executor = \"package::module::Type\"");
            for at in candidates {
                let site = &sites[at];
                refusal = refusal.and(site.facts.place(&site.fact.range), self_type(site));
            }
            return Err(refusal);
        }
    };
    read(index, spec, sites, site, configured.is_some())
}

fn self_type(site: &MatchSite) -> String {
    site.fact
        .in_impl
        .map(|at| site.facts.impls[at].self_type.clone())
        .unwrap_or_default()
}

fn is_candidate(site: &MatchSite, wanted: Option<&str>) -> bool {
    let Some(at) = site.fact.in_impl else {
        return false;
    };
    let block = &site.facts.impls[at];
    let gives_result = site
        .fact
        .in_fn
        .is_some_and(|at| site.facts.functions[at].output.starts_with("Result<"));
    let exhaustive = matches!(site.coverage, Coverage::Exhaustive { .. });
    !site.is_test
        && block.trait_path.is_some()
        && gives_result
        && exhaustive
        && site.fact.in_macro.is_none()
        && wanted.is_none_or(|wanted| block.self_type == wanted)
}

fn read(
    index: &Index<'_>,
    spec: &SpecEnum,
    sites: &[MatchSite],
    at: usize,
    configured: bool,
) -> Outcome<Executor> {
    let site = &sites[at];
    let facts = &site.facts;
    let place = facts.place(&site.fact.range);
    let refuse = |message: String, help: &str| {
        Refusal::new("executor-shape", message)
            .at(place.clone())
            .help(help)
    };
    let (Some(in_fn), Some(in_impl)) = (site.fact.in_fn, site.fact.in_impl) else {
        return Err(refuse(
            "the executor's match stands in no method".to_owned(),
            "move it into the trait's method",
        ));
    };
    let function = &facts.functions[in_fn];
    let block = &facts.impls[in_impl];
    let text = site.fact.scrutinee.replace(' ', "");
    let Some((assignment, assignment_type, scrutinee)) =
        function.params.iter().find_map(|(name, ty)| {
            let how = if text == format!("&{name}.spec") {
                Scrutinee::Borrowed
            } else if text == format!("{name}.spec.clone()") {
                Scrutinee::Owned
            } else {
                return None;
            };
            Some((name.clone(), ty.trim_start_matches('&').to_owned(), how))
        })
    else {
        return Err(refuse(
            format!("the executor matches on `{}`", site.fact.scrutinee),
            "the tool writes arms for `match &assignment.spec` and `match assignment.spec.clone()`: the rest of the assignment must stay usable",
        ));
    };
    let inner = function
        .output
        .strip_prefix("Result<")
        .and_then(|rest| rest.split([',', '>']).next())
        .unwrap_or_default()
        .trim()
        .to_owned();
    let resolve = |name: &str| {
        index.resolve(facts, name).ok_or_else(|| {
            refuse(
                format!("cannot tell where `{name}` comes from"),
                "import it with a plain `use`",
            )
        })
    };
    let executing_type = resolve(&inner)?;
    let (executing_facts, executing_struct) =
        struct_at(index, &executing_type)?.ok_or_else(|| {
            refuse(
                format!("`{inner}` is no struct with named fields of this workspace"),
                "the tool builds the value that the executor's method gives, and has to see its fields",
            )
        })?;
    let (executing, outcome_name) = executing(&executing_facts, &executing_struct)?;
    let outcome_type = index
        .resolve(&executing_facts, &outcome_name)
        .unwrap_or_default();
    let done_rest = outcome(index, &outcome_type, &place)?;
    let assignment_type = resolve(&assignment_type)?;
    check_assignment(index, &assignment_type, &place)?;
    let executor_path = resolve(&block.self_type)?;
    let db_field = db_field(index, &executor_path, &place)?;
    let member = index.workspace.member_of(&facts.file.path);
    let module = index.module_of(&facts.file.path).ok_or_else(|| {
        refuse(
            "the executor stands in no library".to_owned(),
            "generated modules are made beside it and called from other crates",
        )
    })?;
    Ok(Executor {
        site: at,
        facts: Arc::clone(facts),
        package: member.map(|m| m.name.clone()).unwrap_or_default(),
        module,
        self_type: block.self_type.clone(),
        trait_path: block.trait_path.clone().unwrap_or_default(),
        method: function.name.clone(),
        assignment,
        scrutinee,
        assignment_type,
        executing_name: inner,
        executing_type,
        executing,
        outcome_type,
        done_rest,
        db_field,
        how: if configured {
            "named by `executor` in the configuration".to_owned()
        } else {
            format!(
                "the only trait impl outside tests that matches over every variant of `{}`",
                spec.fact.name
            )
        },
    })
}

/// The struct at an absolute path, with its file.
fn struct_at(index: &Index<'_>, path: &str) -> Outcome<Option<(Arc<FileFacts>, StructFact)>> {
    let name = path.rsplit("::").next().unwrap_or(path);
    Ok(index.definition(path)?.and_then(|facts| {
        let found = facts.structs.iter().find(|s| s.name == name)?.clone();
        Some((facts, found))
    }))
}

/// Tells the fields of the executing task apart by their types; gives the outcome's name too.
fn executing(facts: &FileFacts, fact: &StructFact) -> Outcome<(Executing, String)> {
    let mut out = Executing {
        events: String::new(),
        outcomes: String::new(),
        cancel: String::new(),
        none: Vec::new(),
    };
    let mut outcome = String::new();
    for field in &fact.fields {
        let ty = field.ty.as_str();
        let receives = ty
            .split_once("Receiver<")
            .and_then(|(_, rest)| rest.strip_suffix('>'));
        match receives {
            Some(item) if item.starts_with("(String") => out.events.clone_from(&field.name),
            Some(item) => {
                out.outcomes.clone_from(&field.name);
                item.clone_into(&mut outcome);
            }
            None if ty.ends_with("CancellationToken") => out.cancel.clone_from(&field.name),
            None if ty.starts_with("Option<") => out.none.push(field.name.clone()),
            None => {
                return Err(Refusal::new(
                    "executing-task",
                    format!(
                        "`{}.{}` is a `{ty}`, which the tool cannot fill",
                        fact.name, field.name
                    ),
                )
                .at(facts.place(&field.range))
                .help(
                    "it fills receivers of events and outcomes, a cancellation token, and options",
                ));
            }
        }
    }
    for (name, what) in [
        (&out.events, "a receiver of `(String, Value)` events"),
        (&out.outcomes, "a receiver of outcomes"),
        (&out.cancel, "a cancellation token"),
    ] {
        if name.is_empty() {
            return Err(Refusal::new(
                "executing-task",
                format!("`{}` has no field that is {what}", fact.name),
            )
            .at(facts.place(&fact.name_range))
            .help("the tool writes executors whose work reports over channels"));
        }
    }
    Ok((out, outcome))
}

/// Checks the outcome's variants; gives the fields of `Done` beside `answer`.
fn outcome(index: &Index<'_>, path: &str, place: &crate::note::Place) -> Outcome<Vec<String>> {
    let name = path.rsplit("::").next().unwrap_or(path);
    let refuse = |message: String| {
        Refusal::new("task-outcome", message).at(place.clone()).help(
            "the tool ends a task with Done { answer, .. }, Failed(String) or Cancelled; write the arm by hand where the outcome has another form",
        )
    };
    let found: Option<EnumFact> = index
        .definition(path)?
        .and_then(|facts| facts.enums.iter().find(|e| e.name == name).cloned());
    let Some(found) = found else {
        return Err(refuse(format!("cannot find the enum `{path}`")));
    };
    let variant = |name: &str| found.variants.iter().find(|v| v.name == name);
    let fields: &[FieldFact] = variant("Done")
        .and_then(|done| done.fields.as_deref())
        .ok_or_else(|| refuse(format!("`{name}` has no variant `Done` with named fields")))?;
    if variant("Failed").is_none_or(|v| v.fields.is_some()) || variant("Cancelled").is_none() {
        return Err(refuse(format!(
            "`{name}` has no `Failed(String)` and `Cancelled`"
        )));
    }
    let mut rest = Vec::new();
    for field in fields {
        if field.name == "answer" && field.ty == "String" {
            continue;
        }
        if !field.ty.starts_with("Option<") {
            return Err(refuse(format!(
                "cannot fill `{name}::Done.{}`, a `{}`",
                field.name, field.ty
            )));
        }
        rest.push(field.name.clone());
    }
    Ok(rest)
}

/// The envelope reads three fields of the assignment.
fn check_assignment(index: &Index<'_>, path: &str, place: &crate::note::Place) -> Outcome<()> {
    let found = struct_at(index, path)?;
    for (name, ty) in [
        ("task_id", "String"),
        ("run_id", "String"),
        ("parent_task_id", "Option<String>"),
    ] {
        let has = found
            .as_ref()
            .is_some_and(|(_, s)| s.fields.iter().any(|f| f.name == name && f.ty == ty));
        if !has {
            return Err(Refusal::new(
                "task-assignment",
                format!("`{path}` has no field `{name}: {ty}`"),
            )
            .at(place.clone())
            .help("the envelope reads it from the assignment; write the arm by hand where it is called otherwise"));
        }
    }
    Ok(())
}

/// The one field of the executor that is a database connection.
fn db_field(index: &Index<'_>, path: &str, place: &crate::note::Place) -> Outcome<String> {
    let name = path.rsplit("::").next().unwrap_or(path);
    let fields: Vec<String> = struct_at(index, path)?
        .map(|(_, found)| {
            found
                .fields
                .into_iter()
                .filter(|field| field.ty.rsplit("::").next() == Some("DatabaseConnection"))
                .map(|field| field.name)
                .collect()
        })
        .unwrap_or_default();
    match fields.as_slice() {
        [field] => Ok(field.clone()),
        _ => Err(Refusal::new(
            "executor-db",
            format!(
                "`{name}` has {} fields of type `DatabaseConnection`; the envelope needs one",
                fields.len()
            ),
        )
        .at(place.clone())
        .help("the envelope records events and ends the run row: give the executor a `db: DatabaseConnection`")),
    }
}

#[cfg(test)]
mod tests {
    use super::module_dir;

    #[test]
    fn children_of_a_module_lie_in_its_folder() {
        assert_eq!(module_dir("a/src/executor/mod.rs"), "a/src/executor");
        assert_eq!(module_dir("a/src/executor.rs"), "a/src/executor");
        assert_eq!(module_dir("a/src/lib.rs"), "a/src");
    }
}
