//! `[workspace.metadata.oxy-task]` of the root manifest, and `--config KEY=VALUE` over it.

use toml_edit::Item;

use crate::landmarks::Config;
use crate::note::{Outcome, Refusal};
use crate::suggest;
use crate::workspace::{Manifest, Workspace};

/// Keys whose value is a path `package::module::Item`.
const PATHS: [&str; 4] = ["task-spec", "executor", "enqueue", "policy"];

/// Names that `events` may give.
const EVENTS: [&str; 5] = ["started", "progress", "done", "failed", "cancelled"];

/// Further keys that other commands read.
const OTHERS: [&str; 4] = ["handlers", "spawn-wrappers", "snapshots", "evidence"];

/// Rules that `evidence` may give.
const RULES: [&str; 9] = ["Q1", "Q2", "Q3", "Q4", "Q5", "Q6", "A1", "A2", "A3"];

/// Reads the configuration; an unknown key or a wrong value is refused with its line.
pub fn read(workspace: &Workspace, overrides: &[String]) -> Outcome<Config> {
    let mut config = Config::default();
    let manifest = Manifest::parse(workspace.read_text("Cargo.toml")?)?;
    let table = manifest
        .get(&["workspace", "metadata", "oxy-task"])
        .and_then(Item::as_table_like);
    for (key, item) in table.into_iter().flat_map(toml_edit::TableLike::iter) {
        let range = item.span().unwrap_or(0..1);
        let place = manifest.file.place(&range);
        set(&mut config, key, item, &|refusal| refusal.at(place.clone()))?;
        if let Some((_, slot)) = config.values.get_mut(key) {
            *slot = Some(place);
        }
    }
    for text in overrides {
        let usage = |refusal: Refusal| Refusal {
            fault: crate::note::Fault::Usage,
            ..refusal
        };
        let Some((key, value)) = text.split_once('=') else {
            return Err(
                Refusal::usage("config", format!("`{text}` is no KEY=VALUE"))
                    .help("give `--config task-spec=package::module::Enum`"),
            );
        };
        let parsed = value
            .trim()
            .parse::<toml_edit::Value>()
            .unwrap_or_else(|_| toml_edit::Value::from(value.trim()));
        set(&mut config, key.trim(), &Item::Value(parsed), &usage)?;
    }
    Ok(config)
}

/// A pattern of paths, `crates/app/src/server/**` say.
pub(crate) fn glob(pattern: &str) -> Result<ignore::overrides::Override, ignore::Error> {
    let mut builder = ignore::overrides::OverrideBuilder::new("");
    builder.add(pattern)?;
    builder.build()
}

fn set(
    config: &mut Config,
    key: &str,
    item: &Item,
    place: &dyn Fn(Refusal) -> Refusal,
) -> Outcome<()> {
    let wrong = |what: &str| place(Refusal::new("config", format!("`{key}` {what}")));
    if PATHS.contains(&key) {
        let value = item
            .as_str()
            .filter(|value| value.contains("::"))
            .ok_or_else(|| wrong("is no path").help("write it as \"package::module::Item\", with the package's name as in its manifest"))?;
        config
            .values
            .insert(key.to_owned(), (value.to_owned(), None));
        return Ok(());
    }
    if key == "events" {
        let table = item.as_table_like().ok_or_else(|| {
            wrong("is no table").help("write events = { done = \"…\", failed = \"…\" }")
        })?;
        for (name, value) in table.iter() {
            let value = value.as_str().ok_or_else(|| {
                wrong("holds a value that is no string")
                    .help("write events = { done = \"…\", failed = \"…\" }")
            })?;
            if !EVENTS.contains(&name) {
                return Err(
                    wrong(&format!("has no event `{name}`")).help(suggest::or_one_of(
                        name,
                        &EVENTS,
                        "events are",
                    )),
                );
            }
            config.events.insert(name.to_owned(), value.to_owned());
        }
        return Ok(());
    }
    if key == "handlers" || key == "spawn-wrappers" {
        let example = match key {
            "handlers" => "write handlers = [\"crates/app/src/server/**\"]",
            _ => "write spawn-wrappers = [\"my_crate::background::start\"]",
        };
        let list = item
            .as_array()
            .ok_or_else(|| wrong("is no list").help(example))?;
        let mut values = Vec::new();
        for value in list {
            let value = value
                .as_str()
                .filter(|value| !value.is_empty())
                .ok_or_else(|| wrong("holds a value that is no string").help(example))?;
            values.push(value.to_owned());
        }
        match key {
            "handlers" => {
                for pattern in &values {
                    glob(pattern)
                        .map_err(|e| wrong(&format!("holds `{pattern}`: {e}")).help(example))?;
                }
                config.handlers = values;
            }
            _ => config.spawn_wrappers = values,
        }
        return Ok(());
    }
    if key == "evidence" {
        const EXAMPLE: &str = "write evidence = [{ call = \"my_crate::slow\", rule = \"Q1\" }]";
        let list = item
            .as_array()
            .ok_or_else(|| wrong("is no list").help(EXAMPLE))?;
        let mut entries = Vec::new();
        for entry in list {
            let text = |name: &str| {
                let table = entry.as_inline_table()?;
                table.get(name)?.as_str().map(str::to_owned)
            };
            let (Some(call), Some(rule)) = (text("call"), text("rule")) else {
                return Err(wrong("holds an entry without `call` and `rule`").help(EXAMPLE));
            };
            if !RULES.contains(&rule.as_str()) {
                return Err(wrong(&format!("has no rule `{rule}`"))
                    .help(format!("rules are: {}", RULES.join(", "))));
            }
            entries.push((call, rule));
        }
        config.evidence = entries;
        return Ok(());
    }
    if key == "snapshots" {
        let folder = item.as_str().map(|folder| folder.trim_end_matches('/'));
        let is_inside = |folder: &&str| {
            let parts = |part| matches!(part, "" | "." | "..");
            !folder.contains(['\\', ':']) && !folder.split('/').any(parts)
        };
        let folder = folder.filter(is_inside).ok_or_else(|| {
            wrong("is no folder of the workspace")
                .help("write snapshots = \"snapshots/oxy-task\", relative to the root")
        })?;
        let value = (folder.to_owned(), None);
        config.values.insert(key.to_owned(), value);
        return Ok(());
    }
    let known: Vec<&str> = PATHS
        .iter()
        .chain(&["events"])
        .chain(&OTHERS)
        .copied()
        .collect();
    Err(wrong("is no key of [workspace.metadata.oxy-task]")
        .help(suggest::or_one_of(key, &known, "keys are")))
}
