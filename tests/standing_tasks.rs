//! What a task that stands already gets from a second run, what it keeps, and what is refused.
#![allow(missing_docs, clippy::unwrap_used)]

mod common;

use common::Fleet;

const LIB: &str = "crates/agentic/pipeline/src/lib.rs";
const MODULE: &str = "crates/agentic/pipeline/src/executor/tasks/fetch.rs";
const EXECUTOR: &str = "crates/agentic/pipeline/src/executor/mod.rs";
const CORE: &str = "crates/agentic/core/src/delegation.rs";
const TEST: &str = "crates/agentic/pipeline/tests/fetch.rs";
const FETCH: [&str; 3] = ["new", "Fetch", "count:u32"];
const FURTHER: [&str; 5] = [
    "new",
    "Fetch",
    "count:u32",
    "depth:Option<u32>",
    "since:Option<Duration>",
];

/// Every way to name the variant and the input, where all their fields are written out.
const CALLS: &str = r#"
/// Callers of the task.
pub mod calls {
    use agentic_core::delegation::{TaskSpec as Spec, TaskSpec::*};

    use crate::executor::tasks::fetch::{self, Fetch as Input};

    /// Of another module.
    pub struct Fetch {
        count: u32,
    }

    /// Builds the namesake.
    pub fn namesake(count: u32) -> u32 {
        let Fetch { count } = Fetch { count };
        count
    }

    /// Builds the input.
    pub fn input(count: u32) -> Input {
        fetch::Fetch { count }
    }

    /// Builds the variant of an input.
    pub fn spec(input: &Input) -> Spec {
        Spec::Fetch { count: input.count }
    }

    /// Takes it apart, and builds one on another.
    pub fn count(spec: &Spec, input: &Input) -> u32 {
        let more = Input {
            count: 2,
            ..input.clone()
        };
        match spec {
            Spec::Fetch { count } if *count > more.count => *count, // above
            Agent { .. } => 0,
            Spec::Fetch { .. } => 1,
            _ => 2,
        }
    }

    /// In macros.
    pub fn asked(spec: &Spec) -> bool {
        assert!(!matches!(spec, Spec::Fetch { count } if *count == 0), "no {:?}", [fetch::Fetch { count: 1 }]);
        matches!(spec, Spec::Fetch { count: 3 })
    }
}
"#;

/// A test that was there before, and one of rows that were written before.
const TESTS: &str = r##"//! Rows of `Fetch`.

use agentic_core::delegation::TaskSpec;

#[test]
fn rows_of_the_release_before_are_read() {
    let old = r#"{"type":"fetch","count":3}"#;
    let spec: TaskSpec = serde_json::from_str(old).unwrap();
    let TaskSpec::Fetch { count } = &spec else {
        panic!("{spec:?}");
    };
    assert_eq!(*count, 3);
    assert_eq!(serde_json::to_string(&TaskSpec::Fetch { count: 3 }).unwrap(), old);
}
"##;

/// The fleet with a task, its callers and its tests, as rustfmt writes them.
fn fleet() -> Fleet {
    let fleet = Fleet::new();
    fleet.done(&FETCH);
    fleet.write(LIB, &format!("{}{CALLS}", fleet.read(LIB)));
    fleet.write(TEST, TESTS);
    fleet.cargo(&["fmt", "--all"]);
    fleet.commit();
    fleet
}

#[test]
fn a_task_that_stands_gets_optional_fields() {
    let fleet = fleet();
    let ran = fleet.done(&FURTHER);
    for part in [
        "warning[key-stays]",
        "calls that differ only in `depth` and `since` are one task",
        "give `depth` and `since` where it is known",
        "then what sets `depth` and `since`",
    ] {
        assert!(ran.stderr.contains(part), "{part}: {}", ran.stderr);
    }
    let diff = fleet.git(&["diff", "--unified=1"]);
    insta::with_settings!(
        { snapshot_path => "../snapshots", prepend_module_to_snapshot => false, omit_expression => true },
        { insta::assert_snapshot!("fields__of_a_task_that_stands", diff) }
    );
    let packages = [
        "-p",
        "agentic-core",
        "-p",
        "agentic-runtime",
        "-p",
        "agentic-pipeline",
    ];
    let mut args = vec!["clippy", "--locked", "--all-targets"];
    args.extend(packages);
    args.extend(["--", "-D", "warnings", "-A", "dead_code"]);
    fleet.cargo(&args);
    fleet.cargo(&["fmt", "--all", "--check"]);
    let tests = fleet.cargo(&["test", "--locked", "-p", "agentic-pipeline"]);
    for test in [
        "rows_of_the_release_before_are_read",
        "fetch::tests::the_same_work",
    ] {
        assert!(tests.contains(test), "{tests}");
    }
    let again = fleet.done(&FURTHER);
    assert!(
        again.stderr.contains("nothing was written"),
        "{}",
        again.stderr
    );
    // Without the new fields it is another task.
    let fewer = fleet.tool(&FETCH);
    assert_eq!(fewer.code, 1, "{}", fewer.stderr);
}

/// What the input and the variant may be called, and what is called like them.
const NAMES: &str = r#"//! Names of `Fetch`.

use agentic_core::TaskSpec as Spec;
use agentic_pipeline::{Aliased, FetchInput};

/// A namesake.
enum Command {
    Fetch { count: u32 },
}

impl Command {
    fn count(&self) -> u32 {
        let Self::Fetch { count } = self;
        *count
    }
}

/// Has a field of the same name.
struct Request {
    count: u32,
}

mod inner {
    use super::*;

    pub fn of(request: &Request) -> FetchInput {
        FetchInput { count: request.count }
    }
}

#[test]
fn every_name_is_told_apart() {
    let a = Aliased { count: 1 };
    let b = agentic_pipeline::executor::tasks::fetch::Fetch { count: 2 };
    let c = {
        use agentic_pipeline::executor::tasks::fetch;
        fetch::Fetch { count: 3 }
    };
    let d = {
        use agentic_pipeline::executor::tasks::fetch::*;
        Fetch { count: 4 }
    };
    let e = {
        struct Fetch {
            count: u32,
        }
        Fetch { count: 5 }
    };
    type Local = Spec;
    let Local::Fetch { count: f } = (Local::Fetch { count: 6 }) else {
        panic!("{a:?}");
    };
    let g = Command::Fetch { count: 7 }.count();
    let h = inner::of(&Request { count: 8 });
    let counts = [a.count, b.count, c.count, d.count, e.count, f, g, h.count];
    assert_eq!(counts, [1, 2, 3, 4, 5, 6, 7, 8]);
    assert_eq!(agentic_pipeline::executor::tasks::fetch::v1::old().count, 9);
    assert_eq!(FetchInput::new(10).twice(), 20);
}
"#;

/// In the task's own module.
const OWN: &str = "
impl Fetch {
    /// Builds it: `Fetch { count: 1 }`.
    #[must_use]
    pub fn new(count: u32) -> Self {
        Self { count }
    }

    /// Takes it apart.
    #[must_use]
    pub fn twice(&self) -> u32 {
        let Self { count } = self;
        count * 2
    }
}

/// The form of old.
pub mod v1 {
    /// A namesake.
    #[derive(Debug)]
    pub struct Fetch {
        /// A field.
        pub count: u32,
    }

    /// Builds one.
    #[must_use]
    pub fn old() -> Fetch {
        Fetch { count: 9 }
    }
}
";

#[test]
fn names_are_followed_to_what_they_stand_for() {
    let fleet = Fleet::new();
    fleet.done(&FETCH);
    let add = |path: &str, text: &str| fleet.write(path, &format!("{}{text}", fleet.read(path)));
    add(
        LIB,
        "\npub use executor::tasks::fetch::Fetch as FetchInput;\n\n/// Another name.\npub type Aliased = executor::tasks::fetch::Fetch;\n",
    );
    add(MODULE, OWN);
    fleet.write(TEST, NAMES);
    fleet.cargo(&["fmt", "--all"]);
    fleet.commit();
    let ran = fleet.done(&FURTHER);
    assert!(
        ran.stderr.contains("warning[doc-test-fields]"),
        "{}",
        ran.stderr
    );
    let module = fleet.read(MODULE);
    assert_eq!(module.matches("pub depth: Option<u32>,").count(), 1);
    // Of the ten values and the pattern, all but the three namesakes.
    let test = fleet.read(TEST);
    assert_eq!(test.matches("depth: None").count(), 6, "{test}");
    assert_eq!(test.matches("depth: _").count(), 1, "{test}");
    fleet.cargo(&["fmt", "--all", "--check"]);
    let args = [
        "test",
        "--locked",
        "-p",
        "agentic-pipeline",
        "--test",
        "fetch",
    ];
    let output = fleet.cargo(&args);
    assert!(output.contains("1 passed"), "{output}");
}

/// A file that was not as rustfmt writes it, with other line ends: only lines with fields change.
#[test]
fn a_file_of_another_format_keeps_it() {
    let fleet = fleet();
    let text = fleet
        .read(LIB)
        .replace("    /// In macros", "\n\n  /// In   macros");
    fleet.write(LIB, &text.replace('\n', "\r\n"));
    fleet.commit();
    fleet.done(&FURTHER);
    let after = fleet.read(LIB);
    assert_eq!(after.matches('\n').count(), after.matches("\r\n").count());
    let without = |text: &str| {
        let lines: Vec<String> = text
            .lines()
            .filter(|line| !line.contains("count"))
            .map(str::to_owned)
            .collect();
        lines.join("\n")
    };
    assert_eq!(without(&after), without(&text));
    assert!(
        after.contains("fetch::Fetch { count, depth: None, since: None }\r\n"),
        "{after}"
    );
    fleet.cargo(&[
        "check",
        "--locked",
        "--all-targets",
        "-p",
        "agentic-pipeline",
    ]);
}

#[test]
fn what_cannot_be_told_is_refused() {
    let fleet = fleet();
    let refused = |parts: &[&str]| {
        fleet.commit();
        let before = fleet.tree();
        let ran = fleet.tool(&FURTHER);
        assert_eq!(ran.code, 1, "{}", ran.stderr);
        for part in parts {
            assert!(ran.stderr.contains(part), "{part}: {}", ran.stderr);
        }
        assert!(fleet.tree() == before, "nothing is written");
        fleet.git(&["reset", "--quiet", "--hard", "HEAD~1"]);
    };
    let add = |path: &str, text: &str| fleet.write(path, &format!("{}{text}", fleet.read(path)));

    add(
        LIB,
        "\nmacro_rules! fetch {\n    ($n:expr) => {\n        agentic_core::delegation::TaskSpec::Fetch { count: $n }\n    };\n}\n",
    );
    refused(&[
        "error[further-fields]: cannot tell what a macro makes of these fields",
        LIB,
        "E0063",
    ]);

    add(
        LIB,
        "\nmod elsewhere {\n    use somewhere::*;\n    fn f() {\n        Fetch { count: 1 };\n    }\n}\n",
    );
    refused(&[
        "error[further-fields]: cannot tell whether this `Fetch` has the new fields",
        LIB,
    ]);

    fleet.replace(
        EXECUTOR,
        "TaskSpec::Fetch { count } =>",
        "TaskSpec::Fetch { count, .. } =>",
    );
    refused(&["cannot see how the executor's arm hands its fields on"]);

    // Two arms for one variant.
    fleet.replace(
        EXECUTOR,
        "            TaskSpec::Fetch { count } =>",
        "            TaskSpec::Fetch { count } if *count == 7 => Err(String::from(\"seven\")),\n            TaskSpec::Fetch { count } =>",
    );
    refused(&["cannot see how the executor's arm hands its fields on"]);

    // A new field that hides what the arm uses.
    let ran = fleet.tool(&["new", "Fetch", "count:u32", "assignment:Option<String>"]);
    assert_eq!(ran.code, 1);
    let hides = "the executor's arm has a `assignment` of its own";
    assert!(ran.stderr.contains(hides), "{}", ran.stderr);

    add(
        LIB,
        "\nmacro_rules! on {\n    ($($any:tt)*) => {};\n}\non! { agentic_core::delegation::TaskSpec::Fetch { count: 0..=5 } => 1; }\n",
    );
    refused(&["cannot tell what a macro makes of these fields", LIB]);

    fleet.replace(
        MODULE,
        "#[derive(Debug, Clone)]\npub struct Fetch",
        "#[derive(Debug, Clone, Copy)]\npub struct Fetch",
    );
    fleet.commit();
    let ran = fleet.tool(&["new", "Fetch", "count:u32", "name:Option<String>"]);
    assert!(
        ran.stderr.contains("`Fetch` derives `Copy`"),
        "{}",
        ran.stderr
    );
    fleet.git(&["reset", "--quiet", "--hard", "HEAD~1"]);

    fleet.replace(
        MODULE,
        "TaskSpec::Fetch { count: input.count }",
        "TaskSpec::Fetch { count: input.count + 1 }",
    );
    refused(&["cannot see where this takes its fields from", MODULE]);

    // A field that must be given is no later form of the same task.
    let ran = fleet.tool(&["new", "Fetch", "count:u32", "depth:u32"]);
    assert_eq!(ran.code, 1);
    assert!(
        ran.stderr
            .contains("`TaskSpec::Fetch` exists with other fields"),
        "{}",
        ran.stderr
    );
    assert!(ran.stderr.contains(CORE), "{}", ran.stderr);
}

const PING: &str = "crates/agentic/pipeline/src/executor/tasks/ping.rs";
const NOTE: [&str; 3] = ["new", "Ping", "note:Option<String>"];

/// Every way to name a variant and an input that have no fields.
const NAMED: &str = r"
/// Callers of the task.
#[expect(clippy::eq_op, clippy::match_single_binding, unreachable_patterns)]
pub mod named {
    use agentic_core::delegation::TaskSpec::{self, Agent, Ping as Bare};
    use agentic_core::delegation::TaskSpec as Spec;

    use crate::executor::tasks::ping::{self, Ping as Input};

    /// A namesake, in a module of its own.
    pub mod other {
        /// Stays without fields.
        #[derive(PartialEq)]
        pub struct Ping;

        /// Stays without fields, too.
        #[derive(Clone, Copy)]
        pub enum Kind {
            /// A namesake.
            Ping,
        }

        /// Values and patterns of the namesakes.
        pub fn same(kind: Kind) -> bool {
            let Kind::Ping = kind;
            if Ping == Ping {
                return true;
            }
            kind as u8 == Kind::Ping as u8
        }
    }

    /// A constant.
    pub const ALL: [Spec; 2] = [Spec::Ping, TaskSpec::Ping {}];

    /// The input, by the names that it has.
    pub fn inputs() -> Vec<Input> {
        vec![Input, ping::Ping, Input.clone(), crate::executor::tasks::ping::Ping]
    }

    /// In a head, braces would be those of the block.
    pub fn heads(input: &Input) -> u8 {
        if *input == Input {
            return 1;
        }
        match ping::Ping {
            Input => {}
        }
        let Bare = Bare else {
            return 2;
        };
        while [Bare].is_empty() {}
        3
    }

    /// Patterns.
    pub fn patterns(spec: &Spec, Input: Input) -> u8 {
        match spec {
            Agent { .. } => 0,
            Bare | Spec::Resume { .. } if matches!(spec, Spec::Ping) => 1,
            TaskSpec::Ping => 2, // two
            Spec::Ping {} => 3,
            Spec::Ping { .. } => 4,
            _ => 5,
        }
    }
}
";

/// In the task's own module.
const SELF: &str = "
impl Default for Ping {
    fn default() -> Self {
        assert!(Self == Ping, \"{:?}\", Ping);
        Self
    }
}
";

/// What rows of the queue say before and after, and the values that are written.
const ROWS: &str = r##"//! Rows of `Ping`.

use agentic_core::delegation::TaskSpec::{self, *};
use agentic_pipeline::executor::tasks::ping;

#[test]
fn rows_of_the_release_before_are_read() {
    let old = r#"{"type":"ping"}"#;
    let spec: TaskSpec = serde_json::from_str(old).unwrap();
    assert!(matches!(spec, Ping));
    assert_eq!(serde_json::to_string(&TaskSpec::Ping).unwrap(), old);
    let later = r#"{"type":"ping","note":"x"}"#;
    assert!(matches!(serde_json::from_str(later).unwrap(), TaskSpec::Ping));
    assert_eq!(ping::Ping::default(), ping::Ping);
    assert_eq!(agentic_pipeline::named::heads(&ping::Ping), 1);
    assert_eq!(agentic_pipeline::named::inputs().len(), 4);
}
"##;

/// The fleet with a task that has no fields, and everything that names it.
fn pinged() -> Fleet {
    let fleet = Fleet::new();
    fleet.done(&["new", "Ping"]);
    fleet.write(LIB, &format!("{}{NAMED}", fleet.read(LIB)));
    fleet.replace(
        PING,
        "#[derive(Debug, Clone)]\npub struct Ping;",
        "#[derive(Debug, Clone, PartialEq)]\npub struct Ping;",
    );
    fleet.replace(PING, "\n#[cfg(test)]", &format!("{SELF}\n#[cfg(test)]"));
    fleet.write("crates/agentic/pipeline/tests/ping.rs", ROWS);
    fleet.cargo(&["fmt", "--all"]);
    fleet.commit();
    fleet
}

#[test]
fn a_task_without_fields_gets_its_first_ones() {
    let fleet = pinged();
    let args = [
        "test",
        "--locked",
        "-p",
        "agentic-pipeline",
        "--test",
        "ping",
    ];
    fleet.cargo(&args);
    let ran = fleet.done(&NOTE);
    for part in ["warning[key-stays]", "give `note` where it is known"] {
        assert!(ran.stderr.contains(part), "{part}: {}", ran.stderr);
    }
    let diff = fleet.git(&["diff", "--unified=1"]);
    insta::with_settings!(
        { snapshot_path => "../snapshots", prepend_module_to_snapshot => false, omit_expression => true },
        { insta::assert_snapshot!("fields__of_a_task_without_any", diff) }
    );
    fleet.cargo(&["fmt", "--all", "--check"]);
    let mut clippy = vec!["clippy", "--locked", "--all-targets", "-p", "agentic-core"];
    clippy.extend(["-p", "agentic-runtime", "-p", "agentic-pipeline", "--"]);
    clippy.extend(["-D", "warnings", "-A", "dead_code"]);
    fleet.cargo(&clippy);
    let tests = fleet.cargo(&["test", "--locked", "-p", "agentic-pipeline"]);
    for test in [
        "rows_of_the_release_before_are_read",
        "ping::tests::the_same_work",
    ] {
        assert!(tests.contains(test), "{tests}");
    }
    let again = fleet.done(&NOTE);
    assert!(
        again.stderr.contains("nothing was written"),
        "{}",
        again.stderr
    );
}

/// Not as rustfmt writes it, with other line ends, and in braces that hold nothing.
#[test]
fn first_fields_keep_a_file_of_another_format() {
    let fleet = Fleet::new();
    fleet.done(&["new", "Ping"]);
    let text = fleet
        .read(CORE)
        .replace("    Ping,\n", "    Ping ,  // last\n");
    fleet.write(CORE, &text.replace('\n', "\r\n"));
    fleet.replace(PING, "pub struct Ping;", "pub struct Ping { }");
    fleet.commit();
    fleet.done(&NOTE);
    let core = fleet.read(CORE);
    let wanted = "    Ping {\r\n        #[serde(default, skip_serializing_if = \"Option::is_none\")]\r\n        note: Option<String>,\r\n    } ,  // last\r\n";
    assert!(core.contains(wanted), "{core}");
    assert_eq!(core.matches('\n').count(), core.matches("\r\n").count());
    let check = [
        "check",
        "--locked",
        "--all-targets",
        "-p",
        "agentic-pipeline",
    ];
    fleet.cargo(&check);
}

/// Enums in whose rows a variant without fields is no object, and what only such a variant may be.
#[test]
fn first_fields_that_old_rows_lack_are_refused() {
    for (old, new, parts) in [
        (
            "#[serde(tag = \"type\", rename_all = \"snake_case\")]\npub enum TaskSpec",
            "#[serde(rename_all = \"snake_case\")]\npub enum TaskSpec",
            ["its rows are the bare \"ping\"", "serde would not read"],
        ),
        (
            "#[serde(tag = \"type\", rename_all = \"snake_case\")]\npub enum TaskSpec",
            "#[serde(tag = \"type\", content = \"c\", rename_all = \"snake_case\")]\npub enum TaskSpec",
            [
                "its rows are {\"type\":\"ping\"}, without the `c`",
                "serde would not read",
            ],
        ),
        (
            "    Ping,",
            "    #[serde(untagged)]\n    Ping,",
            ["its rows are `null`", "serde"],
        ),
        (
            "    Ping,",
            "    #[serde(other)]\n    Ping,",
            ["it has `#[serde(other)]`", "first"],
        ),
        (
            "    Ping,",
            "    #[default]\n    Ping,",
            ["it has `#[default]`", "first"],
        ),
        (
            "    Ping,",
            "    Ping = 3,",
            ["it has a number of its own", "first"],
        ),
    ] {
        let fleet = Fleet::new();
        fleet.done(&["new", "Ping"]);
        fleet.replace(CORE, old, new);
        fleet.commit();
        let before = fleet.tree();
        let ran = fleet.tool(&NOTE);
        assert_eq!(ran.code, 1, "{new}: {}", ran.stderr);
        for part in [
            "error[variant-exists]: `TaskSpec::Ping` cannot get fields",
            CORE,
        ] {
            assert!(ran.stderr.contains(part), "{part}: {}", ran.stderr);
        }
        for part in parts {
            assert!(ran.stderr.contains(part), "{part}: {}", ran.stderr);
        }
        assert!(fleet.tree() == before, "nothing is written");
    }
}

/// Why those are refused, and the one form that is not: by serde itself.
#[test]
fn serde_reads_first_fields_of_tagged_objects_only() {
    #[derive(serde::Deserialize)]
    #[serde(tag = "t")]
    enum Internal {
        Ping {
            #[serde(default)]
            note: Option<String>,
        },
    }
    #[derive(serde::Deserialize)]
    #[serde(tag = "t", content = "c")]
    enum Adjacent {
        Ping {
            #[serde(default)]
            note: Option<String>,
        },
    }
    #[derive(serde::Deserialize)]
    enum External {
        Ping {
            #[serde(default)]
            note: Option<String>,
        },
    }
    let object = r#"{"t":"Ping"}"#;
    let Internal::Ping { note } = serde_json::from_str(object).unwrap();
    assert_eq!(note, None);
    let adjacent = serde_json::from_str::<Adjacent>(object);
    let adjacent = adjacent.map(|Adjacent::Ping { note }| note);
    assert!(
        adjacent
            .unwrap_err()
            .to_string()
            .contains("missing field `c`")
    );
    let external = serde_json::from_str::<External>("\"Ping\"");
    let external = external.map(|External::Ping { note }| note);
    assert!(external.unwrap_err().to_string().contains("invalid type"));
    // In braces that hold nothing it is an object in every form.
    let External::Ping { note } = serde_json::from_str(r#"{"Ping":{}}"#).unwrap();
    assert_eq!(note, None);
}

#[test]
fn a_name_that_cannot_get_fields_is_refused_with_its_place() {
    const IN_TOKENS: &str = "cannot tell what a macro makes of these fields";
    let fleet = Fleet::new();
    fleet.done(&["new", "Ping"]);
    fleet.commit();
    let spec = "agentic_core::delegation::TaskSpec";
    let tests = [
        (
            LIB,
            format!("\nmacro_rules! ping {{\n    () => {{\n        {spec}::Ping\n    }};\n}}\n"),
            IN_TOKENS,
        ),
        (
            LIB,
            format!(
                "\nuse {spec}::*;\nmacro_rules! on {{\n    ($($any:tt)*) => {{}};\n}}\non! {{ a != Ping, 1 => b }}\n"
            ),
            IN_TOKENS,
        ),
        (
            LIB,
            format!("\n#[case({spec}::Ping)]\nfn case() {{}}\n"),
            IN_TOKENS,
        ),
        (
            LIB,
            format!("\nfn number() -> u8 {{\n    ({spec}::Ping) as u8\n}}\n"),
            "cannot have fields here",
        ),
        (
            LIB,
            format!("\nfn qualified() -> {spec} {{\n    <{spec}>::Ping\n}}\n"),
            "cannot have fields here",
        ),
        (
            LIB,
            "\nmod elsewhere {\n    use somewhere::*;\n    fn f() {\n        g(Ping);\n    }\n}\n"
                .to_owned(),
            "cannot tell whether this `Ping` has the new fields",
        ),
        (
            PING,
            format!("\nfn spec() -> {spec} {{\n    TaskSpec::Ping\n}}\n"),
            "cannot see where this takes its fields from",
        ),
        (
            PING,
            format!("\nfn spec(_: Ping) -> {spec} {{\n    TaskSpec::Ping\n}}\n"),
            "cannot see where this takes its fields from",
        ),
        (
            PING,
            format!(
                "\nfn spec(input: Ping) -> {spec} {{\n    drop(input);\n    TaskSpec::Ping\n}}\n"
            ),
            "cannot see where this takes its fields from",
        ),
    ];
    for (path, text, message) in tests {
        fleet.write(path, &format!("{}{text}", fleet.read(path)));
        fleet.commit();
        let before = fleet.tree();
        let ran = fleet.tool(&NOTE);
        assert_eq!(ran.code, 1, "{text}: {}", ran.stderr);
        for part in [message, path, "error[further-fields]", "help"] {
            assert!(ran.stderr.contains(part), "{part}: {text}: {}", ran.stderr);
        }
        assert!(fleet.tree() == before, "nothing is written");
        fleet.git(&["reset", "--quiet", "--hard", "HEAD~1"]);
    }

    // Words in macros that nothing in scope makes the task's.
    let harmless = "\nmacro_rules! words {\n    ($($any:tt)*) => {};\n}\nwords! { Ping, Ping => 1, Other::Ping, x.is::<Ping>() }\n";
    fleet.write(LIB, &format!("{}{harmless}", fleet.read(LIB)));
    fleet.commit();
    fleet.done(&NOTE);
    assert!(fleet.read(LIB).ends_with(harmless));
    fleet.git(&["reset", "--quiet", "--hard", "HEAD~1"]);

    // What the enum and the input derive.
    let spec = "Serialize, Deserialize)]\n#[serde(tag = \"type\", rename_all = \"snake_case\")]\npub enum TaskSpec";
    for (path, old, new, ty, message) in [
        (
            PING,
            "Clone)]\npub struct Ping;".to_owned(),
            "Clone, Copy)]\npub struct Ping;".to_owned(),
            "note:Option<String>",
            "`Ping` derives `Copy`",
        ),
        (
            CORE,
            spec.to_owned(),
            format!("PartialEq, Eq, {spec}"),
            "note:Option<f64>",
            "`TaskSpec` derives `Eq`",
        ),
    ] {
        fleet.replace(path, &old, &new);
        fleet.commit();
        let ran = fleet.tool(&["new", "Ping", ty]);
        assert_eq!(ran.code, 1, "{message}: {}", ran.stderr);
        assert!(ran.stderr.contains(message), "{message}: {}", ran.stderr);
        fleet.git(&["reset", "--quiet", "--hard", "HEAD~1"]);
    }

    // The executor's arm.
    let arm = "TaskSpec::Ping => Ok(self.execute_ping(&assignment, tasks::ping::Ping)),";
    for new in [
        "TaskSpec::Ping if assignment.task_id.is_empty() => Err(String::new()),\n            TaskSpec::Ping => Ok(self.execute_ping(&assignment, tasks::ping::Ping)),",
        "TaskSpec::Ping => Ok(self.execute_ping(&assignment, Default::default())),",
        "TaskSpec::Ping => {\n                let note = 1;\n                Ok(self.execute_ping(&assignment, tasks::ping::Ping))\n            }",
    ] {
        fleet.replace(EXECUTOR, arm, new);
        fleet.commit();
        let ran = fleet.tool(&NOTE);
        assert_eq!(ran.code, 1, "{new}: {}", ran.stderr);
        for part in ["the executor's arm", EXECUTOR] {
            assert!(ran.stderr.contains(part), "{new}: {}", ran.stderr);
        }
        fleet.git(&["reset", "--quiet", "--hard", "HEAD~1"]);
    }
}

/// Options that say otherwise than what stands: said, and nothing is changed.
#[test]
fn options_do_not_change_what_stands() {
    const STATUS: [&str; 2] = [
        "--status",
        "workspaces.status@workspace_id:running=Cloning,done=Ready,failed=Failed",
    ];
    let fleet = Fleet::new();
    let plain = ["new", "Fetch", "workspace_id:Uuid", "slug:String"];
    let sync = ["new", "Sync", "workspace_id:Uuid", "slug:String"];
    fleet.done(&plain);
    fleet.commit();
    fleet.done(&[&sync[..], &STATUS].concat());
    fleet.commit();
    let tree = fleet.tree();
    let same = "--key workspace_id,slug --timeout 30m --dedupe active --retries 5";
    let same: Vec<&str> = same.split(' ').collect();
    let other = "--key slug --timeout 45m --dedupe forever --retries 4 --backoff fixed:2s";
    let other: Vec<&str> = other.split(' ').collect();
    let ran = fleet.done(&[&plain[..], &same].concat());
    assert!(!ran.stderr.contains("left-alone"), "{}", ran.stderr);
    let ran = fleet.done(&[&plain[..], &other].concat());
    for option in ["--key", "--timeout", "--dedupe", "--retries", "--backoff"] {
        let warning = format!("warning[left-alone]: {option} changes nothing");
        assert!(ran.stderr.contains(&warning), "{option}: {}", ran.stderr);
    }
    // Without its status option, a task keeps the status that it writes.
    let ran = fleet.done(&sync);
    assert!(ran.stderr.contains("nothing is missing"), "{}", ran.stderr);
    let ran = fleet.tool(&[&plain[..], &STATUS].concat());
    assert_eq!(ran.code, 1, "{}", ran.stderr);
    let refused = "error[status-later]: `Fetch` stands without the status column";
    assert!(ran.stderr.contains(refused), "{}", ran.stderr);
    assert!(fleet.tree() == tree, "nothing is written");
}
