//! The ugliest legal Rust that a match over the enum, or the enum itself, can be written in.
//!
//! Each form has its diff as a snapshot; all matches together are compiled once.
#![allow(missing_docs, clippy::unwrap_used)]

mod common;

use common::Fleet;

const ENUM: &str = "crates/agentic/core/src/delegation.rs";
const CORE: &str = "crates/agentic/core/Cargo.toml";
const UGLY: &str = "crates/agentic/runtime/tests/ugly.rs";

/// The hunks of one file in the dry run of `new Ping n:u32`.
fn diff_of(fleet: &Fleet, path: &str) -> String {
    let diff = fleet
        .done(&["new", "Ping", "n:u32", "--dry-run", "--quiet"])
        .stdout;
    let start = diff.find(&format!("diff --git a/{path} ")).unwrap();
    let hunks = diff[start..].find("@@").unwrap();
    let rest = &diff[start + hunks..];
    rest[..rest.find("diff --git").unwrap_or(rest.len())].to_owned()
}

macro_rules! snapshot {
    ($name:expr, $value:expr) => {
        insta::with_settings!(
            { snapshot_path => "../snapshots", prepend_module_to_snapshot => false, omit_expression => true },
            { insta::assert_snapshot!($name, $value) }
        )
    };
}

/// The enum's last variants, rewritten.
fn enum_with(fleet: &Fleet, change: impl Fn(&str) -> String) {
    let text = fleet.read(ENUM);
    fleet.write(ENUM, &change(&text));
}

/// Replaces the whole body of the enum.
fn body(text: &str, body: &str) -> String {
    let open = text.find("pub enum TaskSpec {").unwrap() + "pub enum TaskSpec {".len();
    let close = open + text[open..].find("\n}").unwrap() + 1;
    format!("{}{body}{}", &text[..open], &text[close..])
}

#[test]
fn forms_of_the_enum() {
    for (name, of) in [
        (
            "no_trailing_comma",
            " A { a: String, },\n    B { b: String }\n",
        ),
        (
            "comment_after_the_last_variant",
            "\n    A { a: String },\n    B { b: String } // of B\n    // of B too\n",
        ),
        (
            "no_documentation",
            "\n    A { a: String },\n    B { b: String },\n",
        ),
        ("one_line", " A { a: String }, B { b: String } "),
        ("one_line_with_comma", " A { a: String }, B { b: String }, "),
        (
            "attributes_and_cfg",
            "\n    A { a: String },\n\n    // Above B.\n    #[cfg(test)]\n    #[serde(rename = \"bee\")]\n    B { b: String },\n\n    /* done */\n",
        ),
        (
            "tabs",
            "\n\tA {\n\t\ta: String,\n\t},\n\tB {\n\t\tb: String,\n\t},\n",
        ),
    ] {
        let fleet = Fleet::new();
        enum_with(&fleet, |text| body(text, of));
        // The matches of the fleet name other variants; only the enum's file is looked at.
        snapshot!(format!("enum__{name}"), enum_diff(&fleet));
    }
}

/// The diff of the enum's file, with the fleet's own matches as they are.
fn enum_diff(fleet: &Fleet) -> String {
    let ran = fleet.tool(&["new", "Ping", "n:u32", "--dry-run", "--quiet"]);
    // Without its variants nothing matches exhaustively, so that no executor is found; the
    // enum is then tried alone, in a workspace whose executor matches on what it has.
    assert_eq!(ran.code, 1, "{}", ran.stdout);
    let executor = "crates/agentic/pipeline/src/executor/mod.rs";
    let text = fleet.read(executor);
    let start = text.find("match &assignment.spec {").unwrap();
    let end = start + text[start..].find("\n        }\n").unwrap() + "\n        }".len();
    let arms = "match &assignment.spec {
            TaskSpec::A { .. } => Err(String::new()),
            TaskSpec::B { .. } => Err(String::new()),
        }";
    fleet.write(
        executor,
        &format!("{}{arms}{}", &text[..start], &text[end..]),
    );
    diff_of(fleet, ENUM)
}

#[test]
fn line_endings_and_byte_order_marks_stay() {
    for (name, change) in [
        (
            "crlf",
            (|text: &str| text.replace('\n', "\r\n")) as fn(&str) -> String,
        ),
        ("bom", |text| format!("\u{feff}{text}")),
        ("no_final_newline", |text| text.trim_end().to_owned()),
    ] {
        let fleet = Fleet::new();
        enum_with(&fleet, change);
        fleet.commit();
        let before = fleet.read(ENUM);
        fleet.done(&["new", "Ping", "n:u32"]);
        let after = fleet.read(ENUM);
        let newline = if name == "crlf" { "\r\n" } else { "\n" };
        let added = format!("    /// Ping.{newline}    Ping {{ n: u32 }},{newline}");
        assert_eq!(after.matches(&added).count(), 1, "{name}");
        assert_eq!(after.replacen(&added, "", 1), before, "{name}");
    }
}

const MATCHES: &str = r#"//! Matches over the enum in every legal form.
#![allow(dead_code, clippy::all)]

use agentic_core::delegation::TaskSpec;
use agentic_core::delegation::TaskSpec as Spec;

fn alias(spec: &Spec) -> u8 {
    match spec {
        Spec::Agent { .. } => 1,
        Spec::Workflow { .. } => 2,
        Spec::Resume { .. } => 3,
        Spec::WorkflowStep { .. } | Spec::WorkflowDecision { .. } => 4,
    }
}

mod glob {
    use agentic_core::delegation::TaskSpec::*;

    pub fn bare(spec: &super::TaskSpec) -> u8 {
        match spec {
            Agent { .. } => 1,
            Workflow { .. } => 2,
            Resume { .. } => 3,
            WorkflowStep { .. } => 4,
            WorkflowDecision { .. } => 5
        }
    }
}

fn tuple(spec: &TaskSpec, flag: bool) -> u8 {
    match (flag, spec) {
        (_, TaskSpec::Agent { .. }) => 1,
        (true, TaskSpec::Workflow { .. }) => 2,
        (false, TaskSpec::Workflow { .. }) => 3,
        (_, TaskSpec::Resume { .. }) => 4,
        (_, TaskSpec::WorkflowStep { .. }) => 5,
        (_, TaskSpec::WorkflowDecision { .. }) => 6,
    }
}

fn nested(spec: Option<&TaskSpec>) -> u8 {
    match spec {
        None => 0,
        Some(TaskSpec::Agent { .. }) => 1,
        Some(&TaskSpec::Workflow { .. }) => 2,
        Some(TaskSpec::Resume { .. }) => 3,
        Some(TaskSpec::WorkflowStep { .. } | TaskSpec::WorkflowDecision { .. }) => 4,
    }
}

fn guards(spec: &TaskSpec, flag: bool) -> u8 {
    match spec {
        TaskSpec::Agent { agent_id, .. } if agent_id.is_empty() => 0,
        TaskSpec::Agent { .. } => 1,
        _ if flag => 9,
        TaskSpec::Workflow { .. } => 2,
        TaskSpec::Resume { .. } => 3,
        TaskSpec::WorkflowStep { .. } => 4,
        // Above the last one.
        #[allow(unused)]
        TaskSpec::WorkflowDecision { .. } => 5, // Beside the last one.
        // Below the last one.
    }
}

fn wildcard(spec: &TaskSpec) -> u8 {
    match spec {
        TaskSpec::Agent { .. } => 1,
        (_) => 0,
    }
}

fn binding(spec: &TaskSpec) -> u8 {
    match spec {
        TaskSpec::Agent { .. } => 1,
        other @ (TaskSpec::Workflow { .. } | TaskSpec::Resume { .. }) => format!("{other:?}").len() as u8,
        rest => format!("{rest:?}").len() as u8,
    }
}

fn configured(spec: &TaskSpec) -> u8 {
    match spec {
        #[cfg(test)]
        TaskSpec::Agent { .. } => 1,
        #[cfg(not(test))]
        TaskSpec::Agent { .. } => 2,
        TaskSpec::Workflow { .. } => { 2 }
        TaskSpec::Resume { .. } => if true { 3 } else { 4 },
        TaskSpec::WorkflowStep { .. } => 4,
        TaskSpec::WorkflowDecision { .. } => 5,
    }
}

fn one_line(spec: &TaskSpec) -> u8 {
    match spec { TaskSpec::Agent { .. } => 1, TaskSpec::Workflow { .. } => 2, TaskSpec::Resume { .. } => 3, TaskSpec::WorkflowStep { .. } => 4, TaskSpec::WorkflowDecision { .. } => 5 }
}

async fn in_a_macro(spec: &TaskSpec) -> u8 {
    tokio::select! {
        n = async { match spec {
            TaskSpec::Agent { .. } => 1,
            TaskSpec::Workflow { .. } => 2,
            TaskSpec::Resume { .. } => 3,
            TaskSpec::WorkflowStep { .. } => 4,
            TaskSpec::WorkflowDecision { .. } => 5,
        } } => n,
        else => 0,
    }
}

fn never_exhaustive(spec: &TaskSpec) -> bool {
    let TaskSpec::Agent { .. } = spec else {
        return matches!(spec, TaskSpec::Workflow { .. });
    };
    if let TaskSpec::Agent { .. } = spec { true } else { false }
}

mod renamed {
    use agentic_core::delegation::TaskSpec::{
        Agent as Ask, Resume as Again, Workflow as Flow, WorkflowDecision as Decide, WorkflowStep as Step,
    };

    pub const fn of(spec: &super::TaskSpec) -> u8 {
        match spec {
            Ask { .. } => 1,
            Flow { .. } => 2,
            Again { .. } | Step { .. } => 3,
            Decide { .. } => 4,
        }
    }
}

const NONE: Option<TaskSpec> = None;

const AT_COMPILE_TIME: u8 = match &NONE {
    None => 0,
    Some(Spec::Agent { .. }) => 1,
    Some(Spec::Workflow { .. } | Spec::Resume { .. }) => 2,
    Some(Spec::WorkflowStep { .. } | Spec::WorkflowDecision { .. }) => 3,
};

#[path = "odd name.rs"]
mod odd;

#[test]
fn they_are_called() {
    let spec = TaskSpec::Agent { agent_id: "a".into(), question: "q".into() };
    assert_eq!(alias(&spec) + glob::bare(&spec) + tuple(&spec, true), 3);
    assert_eq!(nested(Some(&spec)) + guards(&spec, false) + wildcard(&spec) + binding(&spec), 4);
    assert_eq!(configured(&spec) + one_line(&spec) + odd::of(&spec), 3);
    assert_eq!(renamed::of(&spec) + AT_COMPILE_TIME, 1);
    assert!(never_exhaustive(&spec));
    let _ = in_a_macro(&spec);
}
"#;

const ODD: &str = "use agentic_core::delegation as r#type;

pub fn of(spec: &r#type::TaskSpec) -> u8 {
\tmatch *spec {
\t\tr#type::TaskSpec::Agent { .. } => 1,
\t\tr#type::TaskSpec::Workflow { .. } => 2,
\t\tr#type::TaskSpec::Resume { .. } => 3,
\t\tr#type::TaskSpec::WorkflowStep { .. } => 4,
\t\tr#type::TaskSpec::WorkflowDecision { .. } => 5,
\t}
}
";

/// `Self::` in an impl needs the enum's own crate; a documentation example stands there too.
const METHOD: &str = "
impl TaskSpec {
    /// A number for each kind of work.
    ///
    /// ```
    /// # use agentic_core::delegation::TaskSpec;
    /// # fn f(spec: &TaskSpec) -> u8 {
    /// match spec {
    ///     TaskSpec::Agent { .. } => 1,
    ///     _ => 2,
    /// }
    /// # }
    /// ```
    pub fn number(&self) -> u8 {
        match self {
            Self::Agent { .. } => 1,
            Self::Workflow { .. } => 2,
            Self::Resume { .. } => 3,
            Self::WorkflowStep { .. } => 4,
            Self::WorkflowDecision { .. } => 5,
            #[cfg(feature = \"beta\")]
            Self::Beta => 6,
        }
    }

    /// The same for one that is known at compile time.
    pub const fn early(&self) -> u8 {
        match self {
            Self::Agent { .. } | Self::Workflow { .. } | Self::Resume { .. } => 1,
            Self::WorkflowStep { .. } => 2,
            #[cfg(feature = \"beta\")]
            Self::Beta => 3,
            Self::WorkflowDecision { .. } => 4,
        }
    }
}
";

#[test]
fn forms_of_matches() {
    let fleet = Fleet::new();
    fleet.write(UGLY, MATCHES);
    fleet.write("crates/agentic/runtime/tests/odd name.rs", ODD);
    let text = fleet.read(ENUM);
    let beta = "    /// Not for everyone yet.\n    #[cfg(feature = \"beta\")]\n    Beta,\n";
    let body = text.find("pub enum TaskSpec {").unwrap();
    let close = body + text[body..].find("\n}").unwrap() + 1;
    let (above, below) = text.split_at(close);
    fleet.write(ENUM, &format!("{above}{beta}{below}{METHOD}"));
    let manifest = fleet.read(CORE);
    fleet.write(CORE, &format!("{manifest}\n[features]\nbeta = []\n"));
    fleet.commit();
    fleet.cargo(&[
        "test",
        "--locked",
        "-p",
        "agentic-runtime",
        "--test",
        "ugly",
    ]);
    snapshot!("matches__ugly", diff_of(&fleet, UGLY));
    snapshot!("matches__self", diff_of(&fleet, ENUM));
    let ran = fleet.done(&["new", "Ping", "n:u32"]);
    assert!(
        ran.stderr.contains("warning[doc-test-match]"),
        "{}",
        ran.stderr
    );
    let odd = fleet.read("crates/agentic/runtime/tests/odd name.rs");
    assert!(
        odd.contains(
            "\t\tr#type::TaskSpec::Ping { .. } => unreachable!(\"Ping is not used here\"),\n"
        ),
        "{odd}"
    );
    for (path, before) in [
        (UGLY, MATCHES),
        ("crates/agentic/runtime/tests/odd name.rs", ODD),
    ] {
        only_inserted(before, &fleet.read(path));
    }
    let output = fleet.cargo(&[
        "test",
        "--locked",
        "-p",
        "agentic-runtime",
        "--test",
        "ugly",
    ]);
    assert!(output.contains("they_are_called ... ok"), "{output}");
    assert!(!output.contains("unreachable pattern"), "{output}");
    fleet.cargo(&[
        "check",
        "--locked",
        "-p",
        "agentic-core",
        "-p",
        "agentic-pipeline",
    ]);
    // The enum's own crate with its further variant; the others do not know it.
    let beta = ["--features", "agentic-core/beta"];
    fleet.cargo(&[&["check", "--locked", "-p", "agentic-core"], &beta[..]].concat());
}

/// Two enums with variants of the same names, both imported by a glob: nothing is guessed.
#[test]
fn variants_of_two_enums_are_not_told_apart() {
    let fleet = Fleet::new();
    let two = "use agentic_core::delegation::{DelegationTarget, TaskSpec};

mod specs {
    use super::TaskSpec::{self, *};

    pub fn of(spec: &TaskSpec) -> u8 {
        match spec {
            Agent { .. } => 1,
            Workflow { .. } => 2,
            Resume { .. } | WorkflowStep { .. } | WorkflowDecision { .. } => 3,
        }
    }
}

mod targets {
    use super::DelegationTarget::{self, *};

    pub fn of(target: &DelegationTarget) -> u8 {
        match target {
            Agent { .. } => 1,
            Workflow { .. } => 2,
        }
    }
}
";
    fleet.write(UGLY, two);
    fleet.commit();
    let ran = fleet.done(&["new", "Ping"]);
    assert_eq!(fleet.read(UGLY), two);
    let said = ran.stderr.matches("warning[undecided-match]").count();
    assert_eq!(said, 2, "{}", ran.stderr);
}

/// The enum is one of two with its name: only its own matches get arms.
#[test]
fn a_namesake_is_another_enum() {
    let fleet = Fleet::new();
    let other = "//! A queue of its own.
use serde::{Deserialize, Serialize};

#[derive(Serialize, Deserialize)]
#[serde(tag = \"type\")]
pub enum TaskSpec {
    Agent,
    Workflow,
}

pub fn of(spec: &TaskSpec) -> u8 {
    match spec {
        TaskSpec::Agent => 1,
        TaskSpec::Workflow => 2,
    }
}
";
    fleet.write("crates/core/src/other.rs", other);
    let lib = fleet.read("crates/core/src/lib.rs");
    fleet.write("crates/core/src/lib.rs", &format!("{lib}pub mod other;\n"));
    fleet.commit();
    let ran = fleet.tool(&["new", "Ping"]);
    assert_eq!(ran.code, 1, "{}", ran.stderr);
    assert!(ran.stderr.contains("error[two-enums]"), "{}", ran.stderr);
    fleet.done(&[
        "new",
        "Ping",
        "--config",
        "task-spec=agentic-core::delegation::TaskSpec",
    ]);
    assert_eq!(fleet.read("crates/core/src/other.rs"), other);
}

/// The variants of the fleet's enum.
const OWN: [&str; 5] = [
    "Agent",
    "Workflow",
    "Resume",
    "WorkflowStep",
    "WorkflowDecision",
];

/// Makes the runtime depend on a crate that is no member, and has an enum of the same name.
fn with_foreign_enum(fleet: &Fleet) {
    fleet.write(
        "vendor/jobs/src/lib.rs",
        "pub enum TaskSpec {\n    Agent,\n    Ping,\n}\n",
    );
    fleet.write(
        "vendor/jobs/Cargo.toml",
        "[package]\nname = \"jobs\"\nversion = \"0.1.0\"\nedition = \"2024\"\n",
    );
    let root = fleet.read("Cargo.toml");
    let root = root.replace("[workspace]\n", "[workspace]\nexclude = [\"vendor\"]\n");
    fleet.write("Cargo.toml", &root);
    let manifest = fleet.read("crates/agentic/runtime/Cargo.toml");
    let jobs = "[dependencies]\njobs = { path = \"../../../vendor/jobs\" }\n";
    let manifest = manifest.replace("[dependencies]\n", jobs);
    fleet.write("crates/agentic/runtime/Cargo.toml", &manifest);
}

/// The enum of another crate may have its name, and its variants' names: what stands with a path of
/// its own in the same file is told from it.
#[test]
fn the_enum_of_a_crate_that_is_no_member() {
    let fleet = Fleet::new();
    with_foreign_enum(&fleet);
    let foreign = "#![allow(dead_code)]
use jobs::TaskSpec;

fn of(spec: &TaskSpec) -> u8 {
    match spec {
        TaskSpec::Agent => 1,
        TaskSpec::Ping => 2,
    }
}

fn own(spec: &agentic_core::delegation::TaskSpec) -> u8 {
    match spec {
";
    let arms: String = OWN
        .map(|name| format!("        agentic_core::delegation::TaskSpec::{name} {{ .. }} => 1,\n"))
        .concat();
    let foreign = format!("{foreign}{arms}    }}\n}}\n");
    fleet.write(UGLY, &foreign);
    fleet.commit();
    fleet.done(&["new", "Greet"]);
    let text = fleet.read(UGLY);
    assert_eq!(text.matches("TaskSpec::Greet =>").count(), 1, "{text}");
    let (before, _) = text.split_once("fn own").unwrap();
    assert_eq!(before, foreign.split_once("fn own").unwrap().0);
}

/// An import counts where it stands: in its module, and in its function.
#[test]
fn an_import_of_a_namesake_counts_where_it_stands() {
    let fleet = Fleet::new();
    with_foreign_enum(&fleet);
    let own = OWN
        .map(|name| format!("TaskSpec::{name} {{ .. }} => 1, "))
        .concat();
    let foreign = "TaskSpec::Agent => 1, TaskSpec::Ping => 2, ";
    let text = format!(
        "#![allow(dead_code)]
use agentic_core::delegation::TaskSpec;

mod inner {{
    use jobs::TaskSpec;
    fn a(spec: &TaskSpec) -> u8 {{
        match spec {{ {foreign}}}
    }}
}}

mod shared {{
    use super::*;
    fn b(spec: &TaskSpec) -> u8 {{
        match spec {{ {own}}}
    }}
}}

mod named {{
    use super::TaskSpec;
    fn c(spec: &TaskSpec) -> u8 {{
        match spec {{ {own}}}
    }}
}}

fn d(spec: &jobs::TaskSpec) -> u8 {{
    use jobs::TaskSpec;
    match spec {{ {foreign}}}
}}

fn e(spec: &TaskSpec) -> u8 {{
    match spec {{ {own}}}
}}
"
    );
    fleet.write(UGLY, &text);
    fleet.commit();
    fleet.done(&["new", "Greet"]);
    let after = fleet.read(UGLY);
    assert_eq!(greeted(&after, "abcde"), "bce", "{after}");
}

/// Where each function imports its own, the first import of the file says nothing of the second.
#[test]
fn an_import_of_one_function_is_not_that_of_another() {
    let fleet = Fleet::new();
    with_foreign_enum(&fleet);
    let own = OWN
        .map(|name| format!("TaskSpec::{name} {{ .. }} => 1, "))
        .concat();
    let text = format!(
        "#![allow(dead_code)]
fn a(spec: &jobs::TaskSpec) -> u8 {{
    use jobs::TaskSpec;
    match spec {{ TaskSpec::Agent => 1, TaskSpec::Ping => 2 }}
}}

fn b(spec: &agentic_core::delegation::TaskSpec) -> u8 {{
    use agentic_core::delegation::TaskSpec;
    match spec {{ {own}}}
}}
"
    );
    fleet.write(UGLY, &text);
    fleet.commit();
    fleet.done(&["new", "Greet"]);
    let after = fleet.read(UGLY);
    assert_eq!(greeted(&after, "ab"), "b", "{after}");
}

/// Those of `functions`, a letter each, that name the new variant.
fn greeted(text: &str, functions: &str) -> String {
    let has = |name: &char| {
        let (_, rest) = text.split_once(&format!("fn {name}(")).unwrap();
        let body = rest.split("fn ").next().unwrap();
        body.contains("TaskSpec::Greet")
    };
    functions.chars().filter(has).collect()
}

/// `..` behind the enum is written as it stands; before it, which field is meant is not known:
/// an arm with a guessed number of them would not compile.
#[test]
fn a_tuple_with_fields_left_out() {
    let fleet = Fleet::new();
    let open = "#![allow(dead_code)]
use agentic_core::delegation::TaskSpec;

struct Held<'a>(u8, &'a TaskSpec, bool, u8);

fn of(pair: (&TaskSpec, u8, bool)) -> u8 {
    match pair {
        (TaskSpec::Agent { .. }, ..) => 1,
        (TaskSpec::Workflow { .. } | TaskSpec::Resume { .. }, ..) => 2,
        (TaskSpec::WorkflowStep { .. } | TaskSpec::WorkflowDecision { .. }, ..) => 3,
    }
}

fn held(held: &Held<'_>) -> u8 {
    match held {
        Held(_, TaskSpec::Agent { .. }, ..) => 1,
        Held(_, TaskSpec::Workflow { .. } | TaskSpec::Resume { .. }, ..) => 2,
        Held(_, TaskSpec::WorkflowStep { .. } | TaskSpec::WorkflowDecision { .. }, ..) => 3,
    }
}
";
    fleet.write(UGLY, open);
    fleet.commit();
    fleet.done(&["new", "Ping"]);
    let written = fleet.read(UGLY);
    only_inserted(open, &written);
    for arm in [
        "(TaskSpec::Ping, ..) => ",
        "Held(_, TaskSpec::Ping, ..) => ",
    ] {
        assert!(written.contains(&format!("        {arm}")), "{written}");
    }
    let check = [
        "check",
        "--locked",
        "-p",
        "agentic-runtime",
        "--test",
        "ugly",
    ];
    fleet.cargo(&check);

    let fleet = Fleet::new();
    let behind = open.replace("_, ", ".., ").replace(", ..)", ")");
    let behind = behind.replace("pair: (&TaskSpec, u8, bool)", "pair: &TaskSpec");
    fleet.write(UGLY, &behind);
    fleet.commit();
    let ran = fleet.done(&["new", "Ping"]);
    assert!(
        ran.stderr.contains("warning[undecided-match]"),
        "{}",
        ran.stderr
    );
    assert!(!fleet.read(UGLY).contains("Held(.., TaskSpec::Ping"));
}

/// Every character of `before` stands in `after`, in its order.
fn only_inserted(before: &str, after: &str) {
    let mut rest = after.chars();
    for c in before.chars() {
        assert!(rest.any(|other| other == c), "lost {c:?}");
    }
}

/// The shared halves are called by every task: one that a person gave another signature is
/// refused, and both are shown.
#[test]
fn a_shared_half_with_another_signature_is_refused() {
    let fleet = Fleet::new();
    fleet.done(&["new", "Ping", "n:u32"]);
    let gate = "crates/agentic/runtime/src/task_gate.rs";
    let text = fleet.read(gate);
    let wider = text.replacen(
        "pub async fn enqueue_once(",
        "pub async fn enqueue_once(\n    tenant: &str,",
        1,
    );
    assert_ne!(wider, text);
    fleet.write(gate, &wider);
    fleet.commit();
    let ran = fleet.tool(&["new", "Pong", "n:u32"]);
    assert_eq!(ran.code, 1, "{}", ran.stderr);
    for part in [
        "error[other-signature]",
        gate,
        "tenant: &str",
        "help: make it `pub async fn enqueue_once(rows",
    ] {
        assert!(ran.stderr.contains(part), "{part}: {}", ran.stderr);
    }
    assert_eq!(fleet.read(gate), wider);
    // Another layout, and another name for what only stands there, are nobody's business.
    let loose = text.replacen(
        "pub async fn enqueue_once(\n    ",
        "pub async fn enqueue_once(",
        1,
    );
    assert_ne!(loose, text);
    fleet.write(gate, &loose);
    fleet.commit();
    fleet.done(&["new", "Pong", "n:u32"]);
}

/// A member by its path only, in a folder that the root manifest does not name.
#[test]
fn a_member_that_no_list_names_gets_its_arm() {
    let fleet = Fleet::new();
    fleet.write(
        "apart/extra/Cargo.toml",
        "[package]
name = \"extra\"
version = \"0.1.0\"
edition = \"2024\"

[dependencies]
agentic-core = { path = \"../../crates/agentic/core\" }
",
    );
    let lib = "pub fn of(spec: &agentic_core::delegation::TaskSpec) -> u8 {
    use agentic_core::delegation::TaskSpec;
    match spec {
        TaskSpec::Agent { .. } => 1,
        TaskSpec::Workflow { .. } => 2,
        TaskSpec::Resume { .. } | TaskSpec::WorkflowStep { .. } => 3,
        TaskSpec::WorkflowDecision { .. } => 4,
    }
}
";
    fleet.write("apart/extra/src/lib.rs", lib);
    let path = "crates/agentic/pipeline/Cargo.toml";
    let manifest = fleet.read(path);
    let edge = "[dependencies]\nextra = { path = \"../../../apart/extra\" }\n";
    fleet.write(path, &manifest.replacen("[dependencies]\n", edge, 1));
    let hunks = diff_of(&fleet, "apart/extra/src/lib.rs");
    assert!(
        hunks.contains("+        TaskSpec::Ping { .. } => todo!(\"Ping in of\"),"),
        "{hunks}"
    );
}

/// A member beside the root, and a folder that is a link out of it: nothing there is read.
#[cfg(unix)]
#[test]
fn what_lies_outside_of_the_root_is_not_read() {
    let other = "#[derive(serde::Serialize)]
#[serde(tag = \"type\")]
pub enum TaskSpec {
    Agent,
}
";
    let fleet = Fleet::new();
    let outside = tempfile::tempdir_in(fleet.path().parent().unwrap()).unwrap();
    let name = outside.path().file_name().unwrap().to_str().unwrap();
    let root = fleet.path().file_name().unwrap().to_str().unwrap();
    std::fs::create_dir(outside.path().join("src")).unwrap();
    std::fs::write(outside.path().join("src/lib.rs"), other).unwrap();
    let manifest =
        format!("[package]\nname = \"beside\"\nversion = \"0.1.0\"\nworkspace = \"../{root}\"\n");
    std::fs::write(outside.path().join("Cargo.toml"), manifest).unwrap();
    let text = fleet.read("Cargo.toml");
    let members = format!("members = [\n    \"../{name}\",\n    \"linked/src\",");
    fleet.write("Cargo.toml", &text.replacen("members = [", &members, 1));
    std::os::unix::fs::symlink(outside.path(), fleet.path().join("linked")).unwrap();
    let inner = "[package]\nname = \"linked\"\nversion = \"0.1.0\"\n\n[lib]\npath = \"lib.rs\"\n";
    std::fs::write(outside.path().join("src/Cargo.toml"), inner).unwrap();
    fleet.done(&["new", "Ping", "--dry-run"]);
}

/// Where the coordinator retries root tasks, the envelope would do it again.
#[test]
fn a_coordinator_that_retries_root_tasks_is_refused() {
    let fleet = Fleet::new();
    let path = "crates/agentic/runtime/src/coordinator/mod.rs";
    let text = fleet.read(path);
    let at = text.find("fn register_root").unwrap();
    let (above, below) = text.split_at(at);
    let given = below.replacen("policy: None,", "policy: Some(TaskPolicy::default()),", 1);
    assert_ne!(given, below);
    fleet.write(path, &format!("{above}{given}"));
    let ran = fleet.tool(&["new", "Ping", "--dry-run"]);
    assert_eq!(ran.code, 1, "{}", ran.stderr);
    for part in [
        "error[root-policy]",
        path,
        "`register_root`",
        "help: the envelope",
    ] {
        assert!(ran.stderr.contains(part), "{part}: {}", ran.stderr);
    }
}

/// Handlers stand in other crates: a task that these cannot reach is said to be so.
#[test]
fn tasks_that_no_other_crate_reaches_are_a_warning() {
    let fleet = Fleet::new();
    let ran = fleet.done(&["new", "Ping", "--dry-run"]);
    assert!(!ran.stderr.contains("private-tasks"), "{}", ran.stderr);
    let path = "crates/agentic/pipeline/src/lib.rs";
    fleet.replace(path, "pub mod executor;", "mod executor;");
    let ran = fleet.done(&["new", "Ping", "--dry-run"]);
    let said = "warning[private-tasks]: no other crate reaches `agentic_pipeline::executor::tasks`";
    assert!(ran.stderr.contains(said), "{}", ran.stderr);
}
