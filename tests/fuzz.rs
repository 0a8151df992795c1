//! The fuzz targets on mutations of Rust that stands here, without a fuzzer.
//!
//! A second for each target in every run of the tests; `OXY_TASK_FUZZ=600` gives each ten minutes.
//! Each run of that length starts where the clock says, and prints its seed: `OXY_TASK_FUZZ_SEED`
//! repeats it.
#![allow(missing_docs, clippy::unwrap_used, clippy::print_stdout)]

mod editor;
mod fuzzed;

use std::path::{Path, PathBuf};
use std::time::{Duration, Instant, SystemTime, UNIX_EPOCH};

/// Numbers that look random (`SplitMix64`).
struct Random(u64);

impl Random {
    fn next(&mut self) -> u64 {
        self.0 = self.0.wrapping_add(0x9E37_79B9_7F4A_7C15);
        let mut z = self.0;
        z = (z ^ (z >> 30)).wrapping_mul(0xBF58_476D_1CE4_E5B9);
        z = (z ^ (z >> 27)).wrapping_mul(0x94D0_49BB_1331_11EB);
        z ^ (z >> 31)
    }

    fn below(&mut self, n: usize) -> usize {
        usize::try_from(self.next() % (n.max(1) as u64)).unwrap()
    }

    fn of<'t, T>(&mut self, all: &'t [T]) -> &'t T {
        &all[self.below(all.len())]
    }
}

/// What a mutation puts in.
const WORDS: &[&str] = &[
    "{",
    "}",
    "(",
    ")",
    "[",
    "]",
    "<",
    ">",
    ",",
    ";",
    ":",
    "::",
    "=>",
    "->",
    "|",
    "&",
    "!",
    "#",
    "_",
    "'",
    "\"",
    "r#\"",
    "\"#",
    "//",
    "/*",
    "*/",
    "///",
    "\n",
    "\r\n",
    "\t",
    " ",
    "\u{feff}",
    "\u{2014}",
    "ä",
    "\0",
    "enum E { A, B }",
    "match x { E::A => 1, E::B => 2 }",
    "macro_rules! m",
    "async move {",
    "tokio::spawn(",
    ".await",
    "move |x| {",
    "as ",
    " as ",
    "r#type",
    "'a",
    "b'x'",
    "c\"\"",
    "1..=2",
    "..",
    "@",
    "if let",
    "let else",
    "unsafe",
    "const {",
    "#[cfg(test)]",
    "#![a]",
    "self.",
    "Self::",
    "use a::*;",
    "impl E {",
    "fn f() {",
    "where T: 'static",
    "dyn",
    "x!{",
    "\\",
    "$",
    "0x",
    "1e",
];

fn rust_files(dir: &Path, out: &mut Vec<PathBuf>) {
    for entry in std::fs::read_dir(dir).unwrap() {
        let path = entry.unwrap().path();
        if path.is_dir() {
            rust_files(&path, out);
        } else if path.extension().is_some_and(|e| e == "rs") {
            out.push(path);
        }
    }
}

/// Small files of the fixture workspace, in order.
fn corpus() -> Vec<String> {
    let mut paths = Vec::new();
    let root = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/fixtures");
    for dir in ["fleet/crates", "moved"] {
        rust_files(&root.join(dir), &mut paths);
    }
    paths.sort();
    let texts = paths
        .iter()
        .map(|path| std::fs::read_to_string(path).unwrap());
    texts.filter(|text| text.len() < 8_000).collect()
}

/// A text with some changes: words put in, parts taken out, doubled, or brought from another text.
fn mutated(corpus: &[String], random: &mut Random) -> Vec<u8> {
    let mut bytes = random.of(corpus).clone().into_bytes();
    for _ in 0..=random.below(4) {
        let at = random.below(bytes.len() + 1);
        let end = (at + random.below(40)).min(bytes.len());
        match random.below(5) {
            0 => drop(bytes.drain(at..end)),
            1 => {
                let part = bytes[at..end].to_vec();
                let to = random.below(bytes.len() + 1);
                bytes.splice(to..to, part);
            }
            2 => {
                let other = random.of(corpus).as_bytes();
                let from = random.below(other.len() + 1);
                let to = (from + random.below(200)).min(other.len());
                bytes.splice(at..at, other[from..to].iter().copied());
            }
            _ => {
                let word = random.of(WORDS).bytes();
                bytes.splice(at..at, word);
            }
        }
    }
    bytes
}

/// How many inputs a target is given in each run of the tests.
const INPUTS: u64 = 300;

/// Runs a target for as long as the environment says; an input that it fails on is printed.
fn run(name: &str, target: fn(&[u8])) {
    let seconds = std::env::var("OXY_TASK_FUZZ").ok();
    let seconds: Option<u64> = seconds.map(|seconds| seconds.parse().unwrap());
    let seed = std::env::var("OXY_TASK_FUZZ_SEED").map_or_else(
        |_| match seconds {
            Some(_) => SystemTime::now()
                .duration_since(UNIX_EPOCH)
                .unwrap()
                .as_secs(),
            None => 1,
        },
        |seed| seed.parse().unwrap(),
    );
    let corpus = corpus();
    let (mut random, mut tried) = (Random(seed), 0_u64);
    let start = Instant::now();
    // The same inputs on every machine, where no time is given.
    let goes_on = |tried| match seconds {
        Some(seconds) => tried < 10 || start.elapsed() < Duration::from_secs(seconds),
        None => tried < INPUTS,
    };
    while goes_on(tried) {
        let bytes = mutated(&corpus, &mut random);
        let ran = std::panic::catch_unwind(|| target(&bytes));
        let text = String::from_utf8_lossy(&bytes);
        assert!(ran.is_ok(), "{name}, seed {seed}, input {tried}:\n{text}");
        tried += 1;
    }
    println!("{name}: {tried} inputs, seed {seed}, {:?}", start.elapsed());
}

#[test]
fn the_reader_takes_any_bytes() {
    run("reader", fuzzed::reader);
}

#[test]
fn the_editor_takes_any_bytes() {
    run("editor", fuzzed::editor);
}

#[test]
fn the_analysis_of_captures_takes_any_bytes() {
    run("captures", fuzzed::captures);
}
