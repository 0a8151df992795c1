//! What `cargo publish` would send: all that the build reads, and nothing else.
#![allow(missing_docs, clippy::unwrap_used)]

use std::collections::BTreeSet;
use std::path::{Component, Path, PathBuf};
use std::process::Command;

use ignore::WalkBuilder;

/// What crates.io takes at most is twice that.
const MOST_BYTES: u64 = 5_000_000;

/// Files of a package that cargo makes.
const MADE: [&str; 3] = [".cargo_vcs_info.json", "Cargo.lock", "Cargo.toml.orig"];

fn repository() -> &'static Path {
    Path::new(env!("CARGO_MANIFEST_DIR"))
}

fn cargo(args: &[&str]) -> String {
    let output = Command::new(env!("CARGO"))
        .args(args)
        .args(["--offline", "--quiet"])
        .current_dir(repository())
        .output()
        .unwrap();
    let said = String::from_utf8_lossy(&output.stderr);
    assert!(output.status.success(), "cargo {args:?}\n{said}");
    String::from_utf8(output.stdout).unwrap()
}

/// The files of the package.
fn listed() -> BTreeSet<String> {
    let list = cargo(&["package", "--list", "--allow-dirty"]);
    list.lines().map(|line| line.replace('\\', "/")).collect()
}

/// The files below `folder`, as the package names them.
fn files(folder: &str) -> BTreeSet<String> {
    let walk = WalkBuilder::new(repository().join(folder)).build();
    let entries = walk.map(Result::unwrap);
    let files = entries.filter(|entry| entry.file_type().unwrap().is_file());
    files
        .map(|entry| {
            let path = entry.path().strip_prefix(repository()).unwrap();
            path.to_str().unwrap().replace('\\', "/")
        })
        .collect()
}

/// What the sources read while they are compiled: what they include, and their templates.
fn read_by_the_build() -> BTreeSet<String> {
    let mut read = BTreeSet::new();
    for path in files("src") {
        if !path.ends_with(".rs") {
            continue;
        }
        let text = std::fs::read_to_string(repository().join(&path)).unwrap();
        for (start, folder) in [
            ("include_str!(\"", Path::new(&path).parent().unwrap()),
            ("include_bytes!(\"", Path::new(&path).parent().unwrap()),
            ("#[template(path = \"", Path::new("templates")),
        ] {
            for (at, _) in text.match_indices(start) {
                let (name, _) = text[at + start.len()..].split_once('"').unwrap();
                let mut file = PathBuf::new();
                for part in folder.join(name).components() {
                    match part {
                        Component::ParentDir => assert!(file.pop(), "{path}: {name}"),
                        part => file.push(part),
                    }
                }
                read.insert(file.to_str().unwrap().replace('\\', "/"));
            }
        }
    }
    read
}

#[test]
fn the_package_holds_the_sources_and_what_a_reader_needs() {
    let mut expected: BTreeSet<String> = [
        "CHANGELOG.md",
        "Cargo.toml",
        "LICENSE-APACHE",
        "LICENSE-MIT",
        "README.md",
    ]
    .map(str::to_owned)
    .into();
    expected.extend(files("src"));
    expected.extend(files("templates"));
    let mut listed = listed();
    listed.retain(|path| !MADE.contains(&path.as_str()));
    let missing: Vec<&String> = expected.difference(&listed).collect();
    let further: Vec<&String> = listed.difference(&expected).collect();
    assert_eq!((missing, further), (Vec::new(), Vec::new()));
}

#[test]
fn what_the_sources_include_is_in_the_package() {
    let listed = listed();
    let read = read_by_the_build();
    for known in [
        "src/explain.md",
        "templates/fleet.tar.gz",
        "templates/task.rs",
    ] {
        assert!(read.contains(known), "{known} is not found: {read:?}");
    }
    let missing: Vec<&String> = read.difference(&listed).collect();
    assert_eq!(missing, Vec::<&String>::new());
}

#[test]
fn the_package_is_small() {
    let listed = listed();
    let sizes = listed
        .iter()
        .filter_map(|path| std::fs::metadata(repository().join(path)).ok());
    let bytes: u64 = sizes.map(|of| of.len()).sum();
    assert!(bytes > 100_000, "{bytes} bytes are not all of it");
    assert!(bytes < MOST_BYTES, "{bytes} bytes before compression");
}

/// What crates.io asks for, and what it does not take.
#[test]
fn the_manifest_says_what_a_registry_shows() {
    let args = ["metadata", "--no-deps", "--format-version", "1"];
    let metadata: serde_json::Value = serde_json::from_str(&cargo(&args)).unwrap();
    let package = &metadata["packages"][0];
    assert_eq!(package["name"], "cargo-oxy-task");
    for key in ["description", "license", "readme", "rust_version"] {
        assert!(
            package[key].as_str().is_some_and(|s| !s.is_empty()),
            "{key}"
        );
    }
    let words = |key: &str| {
        let list = package[key].as_array().unwrap();
        list.iter().map(|v| v.as_str().unwrap()).collect::<Vec<_>>()
    };
    let keywords = words("keywords");
    assert!((1..=5).contains(&keywords.len()), "{keywords:?}");
    assert!(keywords.iter().all(|word| word.len() <= 20), "{keywords:?}");
    assert!((1..=5).contains(&words("categories").len()));
    let binstall = &package["metadata"]["binstall"];
    let url = binstall["pkg-url"].as_str().unwrap();
    assert!(
        url.starts_with("{ repo }/") && url.contains("{ target }"),
        "{url}"
    );
}
