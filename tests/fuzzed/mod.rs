//! What is fuzzed: the reader, the editor and the analysis of captures, each on any bytes.
//!
//! `tests/fuzz.rs` runs them on mutations of this crate's own sources, `fuzz/` by libFuzzer.

use std::collections::BTreeMap;
use std::path::Path;
use std::sync::LazyLock;

use cargo_oxy_task::edit::FileChange;
use cargo_oxy_task::format::Rustfmt;
use cargo_oxy_task::index::{Index, Interest, Memory, prove_one, read};
use cargo_oxy_task::landmarks::Config;
use cargo_oxy_task::spawn::survey;
use cargo_oxy_task::workspace::{CargoOptions, Workspace};

use crate::editor::{source, try_enum};

/// A text that parses is read, and one that is refused does not parse.
pub fn reader(bytes: &[u8]) {
    let Ok(text) = std::str::from_utf8(bytes) else {
        return;
    };
    let file = source("a.rs", text.to_owned());
    let read = read(&file, &Interest::default()).and_then(|facts| prove_one(&facts));
    // Bodies that nobody edits are proven by a parser that lets a little more pass.
    match read {
        Err(refused) if !refused.message.contains("nests deeper") => {
            assert!(syn::parse_file(text).is_err(), "{text}");
        }
        _ => {}
    }
}

/// Whatever parses takes a variant in each enum, and an arm in each match over it.
pub fn editor(bytes: &[u8]) {
    let Ok(text) = std::str::from_utf8(bytes) else {
        return;
    };
    let file = source("a.rs", text.to_owned());
    let Ok(facts) = read(&file, &Interest::default()) else {
        return;
    };
    if syn::parse_file(text).is_err() {
        return;
    }
    let rustfmt = Rustfmt::new(&std::env::temp_dir(), "2024");
    for fact in &facts.enums {
        let done = try_enum(&file, fact, false, &rustfmt, &mut BTreeMap::new());
        assert!(done.is_ok(), "{}: {:?}\n{text}", fact.name, done.err());
    }
}

/// A workspace of one file.
static ONE_FILE: LazyLock<Workspace> = LazyLock::new(|| {
    let dir = tempfile::tempdir().expect("a folder").keep();
    let write = |path: &str, text: &str| {
        let path = dir.join(path);
        std::fs::create_dir_all(path.parent().expect("a parent")).expect("a folder");
        std::fs::write(path, text).expect("a file");
    };
    let manifest = "[package]\nname = \"one\"\nversion = \"0.1.0\"\nedition = \"2024\"\n\n[workspace]\n\n[dependencies]\ntokio = \"1\"\n";
    write("Cargo.toml", manifest);
    write("src/lib.rs", "");
    let options = CargoOptions {
        manifest_path: Some(dir.join(Path::new("Cargo.toml"))),
        ..CargoOptions::default()
    };
    let (workspace, _) = Workspace::read(&options, |_, _| ()).expect("a workspace");
    workspace
});

/// What is spawned in any text that parses is looked into, or the text is refused.
pub fn captures(bytes: &[u8]) {
    let Ok(text) = std::str::from_utf8(bytes) else {
        return;
    };
    let change = FileChange {
        path: "src/lib.rs".to_owned(),
        before: None,
        after: text.to_owned(),
        edits: Vec::new(),
    };
    let workspace = ONE_FILE.with(&[change]);
    let index = Index::new(&workspace, Memory::default());
    if let Ok(found) = survey(&index, &Config::default(), true) {
        for of in &found.sites {
            assert!(of.site.place.line <= text.lines().count().max(1), "{text}");
        }
    }
}
