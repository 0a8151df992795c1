//! What the documents name is there.
#![allow(missing_docs, clippy::unwrap_used)]

use std::path::Path;

const DOCUMENTS: [&str; 3] = [
    "README.md",
    ".github/CONTRIBUTING.md",
    ".github/SECURITY.md",
];

fn read(path: &str) -> String {
    std::fs::read_to_string(Path::new(env!("CARGO_MANIFEST_DIR")).join(path)).unwrap()
}

/// What stands between backticks on one line.
fn quoted(text: &str) -> Vec<&str> {
    let lines = text.lines();
    lines
        .flat_map(|line| line.split('`').skip(1).step_by(2))
        .collect()
}

#[test]
fn the_places_that_documents_name_are_there() {
    let root = Path::new(env!("CARGO_MANIFEST_DIR"));
    for document in DOCUMENTS {
        let text = read(document);
        let words = quoted(&text).into_iter().flat_map(str::split_whitespace);
        let starts = ["src/", "templates/", "tests/", "fuzz/", ".ci/", ".github/"];
        let places = words.filter(|word| starts.iter().any(|start| word.starts_with(start)));
        let missing: Vec<&str> = places.filter(|place| !root.join(place).exists()).collect();
        assert_eq!(missing, Vec::<&str>::new(), "{document}");
        let links = text
            .split("](")
            .skip(1)
            .filter_map(|rest| rest.split(')').next());
        let local = links.filter(|link| !link.contains("://") && !link.starts_with('#'));
        let lost: Vec<&str> = local.filter(|link| !root.join(link).exists()).collect();
        assert_eq!(lost, Vec::<&str>::new(), "{document}");
    }
}

/// The map leaves no folder of the sources out.
#[test]
fn the_map_shows_every_folder_of_the_sources() {
    let map = read(".github/CONTRIBUTING.md");
    let sources = Path::new(env!("CARGO_MANIFEST_DIR")).join("src");
    let mut seen = 0;
    for entry in std::fs::read_dir(sources).unwrap() {
        let entry = entry.unwrap();
        if entry.file_type().unwrap().is_dir() {
            let name = format!("`src/{}/`", entry.file_name().to_str().unwrap());
            assert!(map.contains(&name), "{name}");
            seen += 1;
        }
    }
    assert!(seen > 10, "{seen}");
}

/// The test files and scripts that commands of the documents name.
#[test]
fn the_commands_of_the_documents_name_tests_that_there_are() {
    let root = Path::new(env!("CARGO_MANIFEST_DIR"));
    let mut seen = 0;
    for document in DOCUMENTS {
        let text = read(document);
        let words: Vec<&str> = text.split_whitespace().collect();
        for pair in words.windows(2).filter(|pair| pair[0] == "--test") {
            let name = pair[1].trim_matches(['`', ',', '.', ':', ';', ')']);
            assert!(
                root.join(format!("tests/{name}.rs")).exists(),
                "{document}: {name}"
            );
            seen += 1;
        }
    }
    assert!(seen >= 5, "{seen}");
}
