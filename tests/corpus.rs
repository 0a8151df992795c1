//! Every enum and match of the dependencies' sources gets a variant and an arm: code that nobody here
//! wrote, in all the ways that people write it.
//!
//! Eighty files in each run of the tests. All of them, and thirty packages that are compiled
//! afterwards, in some tens of minutes:
//! `OXY_TASK_CORPUS=all cargo test --locked --test corpus -- --nocapture --include-ignored`.
#![allow(missing_docs, clippy::unwrap_used, clippy::print_stdout)]

mod common;
mod editor;

use std::collections::{BTreeMap, BTreeSet};
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::path::{Path, PathBuf};
use std::process::Command;
use std::sync::atomic::{AtomicUsize, Ordering};

use cargo_oxy_task::digest::digest;
use cargo_oxy_task::format::Rustfmt;
use cargo_oxy_task::index::{EnumFact, Index, Interest, Memory, prove_one, read};
use cargo_oxy_task::landmarks::{Coverage, MatchSite, find_matches, interest};
use cargo_oxy_task::note::Outcome;
use cargo_oxy_task::workspace::{CargoOptions, Workspace};
use common::Fleet;
use editor::{VARIANT, exhaustive, plan, source, spec, try_enum};

/// Says which files and crates are tried; another seed gives others.
const SEED: &str = "oxy-task corpus 1";
/// How many files are tried in each run of the tests.
const SAMPLE: usize = 140;
/// How many crates are compiled.
const CRATES: usize = 30;

fn is_all() -> bool {
    std::env::var("OXY_TASK_CORPUS").is_ok_and(|corpus| corpus == "all")
}

/// The folder that cargo unpacks packages into.
fn registry() -> PathBuf {
    let home = std::env::var_os("CARGO_HOME").map(PathBuf::from);
    let home = home.or_else(|| std::env::home_dir().map(|home| home.join(".cargo")));
    home.unwrap_or_default().join("registry/src")
}

/// The packages that were unpacked, in an order that the seed alone decides.
fn packages() -> Vec<PathBuf> {
    let registries = std::fs::read_dir(registry()).into_iter().flatten();
    let mut packages: Vec<PathBuf> = registries
        .flat_map(|dir| std::fs::read_dir(dir.unwrap().path()).unwrap())
        .map(|dir| dir.unwrap().path())
        .filter(|dir| dir.join("Cargo.toml").is_file())
        .collect();
    let name = |path: &Path| path.file_name().unwrap().to_string_lossy().into_owned();
    packages.sort_by_key(|path| digest(&format!("{SEED} {}", name(path)), 16));
    packages
}

/// The folders of the packages that the tool itself depends on.
fn dependencies() -> BTreeSet<String> {
    let manifest = include_str!("../Cargo.toml");
    let manifest = toml_edit::Document::parse(manifest).unwrap();
    let names = manifest["dependencies"].as_table().unwrap();
    let locked = toml_edit::Document::parse(include_str!("../Cargo.lock")).unwrap();
    let locked = locked["package"].as_array_of_tables().unwrap();
    let text = |of: &toml_edit::Table, key: &str| of[key].as_str().unwrap().to_owned();
    let locked = locked
        .iter()
        .map(|of| (text(of, "name"), text(of, "version")))
        .filter(|(name, _)| names.contains_key(name));
    locked
        .map(|(name, version)| format!("{name}-{version}"))
        .collect()
}

fn rust_files(dir: &Path, out: &mut Vec<PathBuf>) {
    let mut entries: Vec<PathBuf> = std::fs::read_dir(dir)
        .unwrap()
        .map(|entry| entry.unwrap().path())
        .collect();
    entries.sort();
    for path in entries {
        if path.is_dir() && !path.is_symlink() {
            rust_files(&path, out);
        } else if path.extension().is_some_and(|e| e == "rs") {
            out.push(path);
        }
    }
}

/// What was done to the files.
#[derive(Default)]
struct Tally {
    files: AtomicUsize,
    unparsed: AtomicUsize,
    too_deep: AtomicUsize,
    enums: AtomicUsize,
    arms: AtomicUsize,
    wildcards: AtomicUsize,
    undecided: AtomicUsize,
    formatted: AtomicUsize,
}

fn add(count: &AtomicUsize, n: usize) {
    count.fetch_add(n, Ordering::Relaxed);
}

/// Tries every enum of one file; gives what went wrong.
fn try_file(
    path: &Path,
    rustfmt: &Rustfmt,
    known: &mut BTreeMap<String, String>,
    tally: &Tally,
) -> Vec<String> {
    let mut wrong = Vec::new();
    let Ok(text) = std::fs::read_to_string(path) else {
        return wrong;
    };
    let file = source(&path.to_string_lossy(), text);
    add(&tally.files, 1);
    let parses = syn::parse_file(&file.text).is_ok();
    let facts = match (read(&file, &Interest::default()), parses) {
        (Ok(facts), true) => facts,
        (Err(refused), true) if refused.message.contains("nests deeper") => {
            add(&tally.too_deep, 1);
            return wrong;
        }
        (Err(refused), true) => return vec![format!("is not read: {}", refused.message)],
        (_, false) => {
            add(&tally.unparsed, 1);
            return wrong;
        }
    };
    if let Err(refused) = prove_one(&facts) {
        wrong.push(format!("is not taken for Rust: {}", refused.message));
    }
    if facts.enums.is_empty() {
        return wrong;
    }
    let formatted = rustfmt.file(&file.text);
    let is_formatted = formatted.is_ok_and(|formatted| formatted == file.text);
    add(&tally.formatted, usize::from(is_formatted));
    for fact in &facts.enums {
        add(&tally.enums, 1);
        match try_enum(&file, fact, is_formatted, rustfmt, known) {
            Ok(done) => {
                add(&tally.arms, done.arms);
                add(&tally.wildcards, done.wildcards);
                add(&tally.undecided, done.undecided);
            }
            Err(said) => wrong.push(format!("{}: {said}", fact.name)),
        }
    }
    wrong
}

fn edition(package: &Path) -> String {
    let manifest = std::fs::read_to_string(package.join("Cargo.toml")).unwrap_or_default();
    let edition = manifest.lines().find_map(|line| {
        let value = line.strip_prefix("edition = \"")?;
        value.strip_suffix('"').map(str::to_owned)
    });
    edition.unwrap_or_else(|| "2015".to_owned())
}

#[test]
fn a_variant_and_its_arms_go_into_every_file() {
    let own = Path::new(env!("CARGO_MANIFEST_DIR")).join("src");
    let mut files: Vec<(PathBuf, PathBuf)> = Vec::new();
    for package in packages().into_iter().chain([own]) {
        let mut found = Vec::new();
        rust_files(&package, &mut found);
        files.extend(found.into_iter().map(|file| (package.clone(), file)));
    }
    if is_all() {
        // Releases of one package share most of their files.
        let mut seen = BTreeSet::new();
        let text = |path: &Path| std::fs::read_to_string(path).unwrap_or_default();
        files.retain(|(_, file)| seen.insert(digest(&text(file), 16)));
    } else {
        // What every machine has that builds the tool.
        let own = dependencies();
        files.retain(|(package, _)| {
            let name = package.file_name().unwrap().to_string_lossy();
            own.contains(&*name) || package.ends_with("src")
        });
        let holds_enum = |path: &Path| {
            let text = std::fs::read_to_string(path).unwrap_or_default();
            text.contains("enum ") && text.len() < 100_000
        };
        files.sort_by_key(|(package, file)| {
            let file = file.strip_prefix(package).unwrap();
            let package = package.file_name().unwrap().to_string_lossy();
            digest(&format!("{SEED} {package} {}", file.display()), 16)
        });
        let some = files.into_iter().filter(|(_, file)| holds_enum(file));
        files = some.take(SAMPLE).collect();
    }
    let (tally, next) = (Tally::default(), AtomicUsize::new(0));
    let work = || {
        let mut known = BTreeMap::new();
        let mut wrong = Vec::new();
        while let Some((package, path)) = files.get(next.fetch_add(1, Ordering::Relaxed)) {
            // Some packages ask for a toolchain that is not installed.
            let asks = ["rust-toolchain", "rust-toolchain.toml"];
            let asks = asks.iter().any(|name| package.join(name).exists());
            let dir = if asks {
                std::env::temp_dir()
            } else {
                package.clone()
            };
            let rustfmt = Rustfmt::new(&dir, &edition(package));
            let tried = || try_file(path, &rustfmt, &mut known, &tally);
            let tried = catch_unwind(AssertUnwindSafe(tried));
            for said in tried.unwrap_or_else(|_| vec!["panics".to_owned()]) {
                println!("{}: {said}", path.display());
                wrong.push(format!("{}: {said}", path.display()));
            }
        }
        wrong
    };
    let cores = std::thread::available_parallelism().map_or(2, usize::from);
    let wrong: Vec<String> = std::thread::scope(|scope| {
        let threads: Vec<_> = (0..cores)
            .map(|_| {
                let thread = std::thread::Builder::new().stack_size(64 << 20);
                thread.spawn_scoped(scope, work).unwrap()
            })
            .collect();
        let found = threads
            .into_iter()
            .flat_map(|thread| thread.join().unwrap());
        found.collect()
    });
    let count = |n: &AtomicUsize| n.load(Ordering::Relaxed);
    println!(
        "files that differ: {} ({} do not parse, {} nest too deep, {} with enums were formatted)",
        count(&tally.files),
        count(&tally.unparsed),
        count(&tally.too_deep),
        count(&tally.formatted),
    );
    println!(
        "edits: {} variants, {} arms; {} matches with a wildcard, {} undecided; failures: {}",
        count(&tally.enums),
        count(&tally.arms),
        count(&tally.wildcards),
        count(&tally.undecided),
        wrong.len(),
    );
    assert!(count(&tally.enums) > 100 && count(&tally.arms) > 20);
    assert!(wrong.is_empty(), "{}", wrong.join("\n"));
}

/// What went into the packages that compiled.
#[derive(Default)]
struct Compiled {
    variants: usize,
    arms: usize,
    /// Matches that the tool left alone and said so.
    said: BTreeMap<String, usize>,
    /// E0004 in code that a macro or an `include!` brings.
    macros: usize,
}

/// The derives of the standard library, which take any variant.
const PLAIN: [&str; 8] = [
    "Clone",
    "Copy",
    "Debug",
    "Eq",
    "Hash",
    "Ord",
    "PartialEq",
    "PartialOrd",
];

/// Puts a variant into each enum of a package that has an exhaustive match, and arms into its matches.
fn fill(dir: &Path) -> Outcome<Compiled> {
    let mut filled = Compiled::default();
    let options = CargoOptions {
        manifest_path: Some(dir.join("Cargo.toml")),
        ..CargoOptions::default()
    };
    let (mut workspace, _) = Workspace::read(&options, |_, _| ())?;
    let rustfmt = Rustfmt::new(dir, &edition(dir));
    let mut known = BTreeMap::new();
    let mut enums: Vec<(String, String, Vec<String>)> = Vec::new();
    let index = Index::new(&workspace, Memory::default());
    for path in index.containing("enum ") {
        let Some(module) = index.module_of(&path) else {
            continue;
        };
        let Ok(facts) = index.facts(&path) else {
            continue;
        };
        for fact in &facts.enums {
            let is_plain = fact.derives.iter().all(|d| PLAIN.contains(&d.as_str()));
            let is_plain = is_plain && fact.variants.iter().all(|v| v.unit_only.is_none());
            if is_plain && !index.is_for_tests(&path) {
                let mut parts = vec![module.clone()];
                parts.extend(fact.module.iter().cloned());
                enums.push((path.clone(), parts.join("::"), fact.module.clone()));
                let last = enums.last_mut().unwrap();
                last.2.push(fact.name.clone());
            }
        }
    }
    let mut names: BTreeMap<String, usize> = BTreeMap::new();
    for (_, _, inner) in &enums {
        *names.entry(inner.last().unwrap().clone()).or_default() += 1;
    }
    drop(index);
    for (path, module, inner) in enums {
        let (name, inner) = inner.split_last().unwrap();
        if names[name] > 1 {
            continue;
        }
        let mut index = Index::new(&workspace, Memory::default());
        let facts = index.facts(&path)?;
        let same = |e: &&EnumFact| e.name == *name && e.module == inner;
        let Some(fact) = facts.enums.iter().find(same).cloned() else {
            continue;
        };
        let naming = index.containing(name);
        let texts = naming.iter().map(|p| workspace.files[p].text.as_str());
        index.learn(interest(&fact, texts));
        let spec = spec(&index.facts(&path)?, &fact, &module);
        let mut notes = Vec::new();
        let Ok(sites) = find_matches(&index, &spec, &mut notes) else {
            continue;
        };
        if exhaustive(&sites) == 0 {
            continue;
        }
        let is_undecided = |site: &&MatchSite| matches!(site.coverage, Coverage::Undecided(_));
        let said = notes.len() + sites.iter().filter(is_undecided).count();
        filled.said.insert(name.clone(), said);
        filled.arms += exhaustive(&sites);
        filled.variants += 1;
        let changes = plan(&spec, &sites, &rustfmt, &mut known)?;
        drop(index);
        for change in &changes {
            std::fs::write(dir.join(&change.path), &change.after).unwrap();
        }
        workspace = workspace.with(&changes);
    }
    Ok(filled)
}

/// Copies the package, without what only its own tests need.
fn copy_package(from: &Path, to: &Path) {
    let ran = Command::new("cp").arg("-r").args([from, to]).status();
    assert!(ran.unwrap().success());
    let manifest = to.join("Cargo.toml");
    let text = std::fs::read_to_string(&manifest).unwrap();
    let mut document: toml_edit::DocumentMut = text.parse().unwrap();
    document.remove("dev-dependencies");
    document["workspace"] = toml_edit::table();
    std::fs::write(&manifest, document.to_string()).unwrap();
}

/// Compiles the package in the place of the one that the fleet depends on: the errors of the
/// package's own, by code and place.
fn errors_of(fleet: &Fleet, dir: &Path, name: &str) -> Option<Vec<(String, bool, String)>> {
    let patch = format!("patch.crates-io.{name}.path={:?}", dir.to_str().unwrap());
    let version = dir.file_name().unwrap().to_string_lossy();
    let version = version.strip_prefix(name)?.strip_prefix('-')?;
    let output = Command::new(env!("CARGO"))
        .args(["check", "--offline", "--message-format", "json", "--config"])
        .args([&patch, "-p", &format!("{name}@{version}")])
        .current_dir(fleet.path())
        .env("CARGO_TARGET_DIR", common::target().join("corpus"))
        .env("RUSTFLAGS", "--cap-lints allow")
        .output()
        .unwrap();
    let mut errors = Vec::new();
    for line in String::from_utf8_lossy(&output.stdout).lines() {
        let message: serde_json::Value = serde_json::from_str(line).unwrap();
        let message = &message["message"];
        if message["level"] != "error" {
            continue;
        }
        let code = message["code"]["code"]
            .as_str()
            .unwrap_or("none")
            .to_owned();
        let span = message["spans"]
            .as_array()
            .and_then(|spans| spans.iter().find(|span| span["is_primary"] == true));
        let in_macro = span.is_some_and(|span| !span["expansion"].is_null());
        let place = span.map_or_else(String::new, |span| {
            let path = span["file_name"].as_str().unwrap_or_default();
            format!("{path}:{} {}", span["line_start"], message["message"])
        });
        errors.push((code, in_macro, place));
    }
    // Cargo itself may not be able to, without the network say.
    (output.status.success() || !errors.is_empty()).then_some(errors)
}

#[test]
#[ignore = "compiles thirty packages, which takes minutes"]
fn what_got_a_variant_compiles() {
    let fleet = Fleet::new();
    let lock = fleet.read("Cargo.lock");
    let scratch = tempfile::tempdir().unwrap();
    let (mut compiled, mut crates, mut wrong) = (Compiled::default(), 0, Vec::new());
    let mut named = 0;
    for package in packages() {
        if crates == CRATES {
            break;
        }
        let manifest = std::fs::read_to_string(package.join("Cargo.toml")).unwrap();
        let document: toml_edit::DocumentMut = manifest.parse().unwrap();
        let field = |key: &str| document["package"][key].as_str().unwrap_or_default();
        let (name, version) = (field("name"), field("version"));
        if !lock.contains(&format!("name = \"{name}\"\nversion = \"{version}\"\n")) {
            continue;
        }
        let dir = scratch.path().join(package.file_name().unwrap());
        copy_package(&package, &dir);
        let mut filled = match fill(&dir) {
            Ok(filled) if filled.variants == 0 => continue,
            Ok(filled) => filled,
            Err(refused) => {
                println!("{name} {version}: not tried: {}", refused.message);
                continue;
            }
        };
        let Some(errors) = errors_of(&fleet, &dir, name) else {
            println!("{name} {version}: cannot be built here");
            continue;
        };
        let (missing, other): (Vec<_>, Vec<_>) =
            errors.into_iter().partition(|(code, ..)| code == "E0004");
        for (code, _, place) in &other {
            println!("{name} {version}: {code} {place}");
        }
        for (_, in_macro, place) in missing {
            println!("{name} {version}: E0004 {place}");
            let path = place.split(':').next().unwrap_or_default();
            let is_of = |name: &str| place.contains(&format!("{name}::{VARIANT}"));
            let said = filled
                .said
                .iter_mut()
                .find(|(name, n)| **n > 0 && is_of(name));
            if let Some((_, n)) = said {
                *n -= 1;
                named += 1;
                continue;
            }
            if in_macro || !Path::new(path).starts_with(&dir) && path.starts_with('/') {
                compiled.macros += 1;
            } else {
                wrong.push(format!("{name} {version}: {place}"));
            }
        }
        if other.is_empty() {
            crates += 1;
            compiled.variants += filled.variants;
            compiled.arms += filled.arms;
            println!("{name} {version}: {} variants", filled.variants);
        }
    }
    println!(
        "{crates} packages tried with {} variants and {} arms; {named} E0004 that the tool had named, {} in macros",
        compiled.variants, compiled.arms, compiled.macros,
    );
    assert_eq!(crates, CRATES);
    assert!(wrong.is_empty(), "{}", wrong.join("\n"));
}
