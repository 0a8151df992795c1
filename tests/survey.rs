//! `survey`: which sites are found, what they capture, and what is said of them.
#![allow(missing_docs, clippy::unwrap_used)]

mod common;

use std::path::Path;
use std::process::Command;

use common::Fleet;
use serde_json::Value;
use tempfile::TempDir;

const TOKIO: &str = "tokio = \"1\"\ntokio-util = \"0.7\"\naxum = \"0.8\"\nreqwest = \"0.12\"\n";

/// A workspace of packages, each with its library.
struct Small {
    dir: TempDir,
}

impl Small {
    fn new(packages: &[(&str, &str)]) -> Self {
        let small = Self {
            dir: tempfile::tempdir().unwrap(),
        };
        let names: Vec<String> = packages
            .iter()
            .map(|(name, _)| format!("{name:?}"))
            .collect();
        small.write(
            "Cargo.toml",
            &format!(
                "[workspace]\nresolver = \"3\"\nmembers = [{}]\n",
                names.join(", ")
            ),
        );
        for (name, text) in packages {
            let others = packages.iter().filter(|(other, _)| other != name);
            let others: String = others
                .map(|(other, _)| format!("{other} = {{ path = \"../{other}\" }}\n"))
                .collect();
            small.write(
                &format!("{name}/Cargo.toml"),
                &format!("[package]\nname = \"{name}\"\nversion = \"0.1.0\"\nedition = \"2024\"\n\n[dependencies]\n{TOKIO}{others}"),
            );
            small.write(&format!("{name}/src/lib.rs"), text);
        }
        small
    }

    /// One package with this library.
    fn of(text: &str) -> Self {
        Self::new(&[("one", text)])
    }

    fn write(&self, path: &str, text: &str) {
        let path = self.dir.path().join(path);
        std::fs::create_dir_all(path.parent().unwrap()).unwrap();
        std::fs::write(path, text).unwrap();
    }

    /// Exit code, stdout, stderr.
    fn tool(&self, args: &[&str]) -> (i32, String, String) {
        run(self.dir.path(), args, None)
    }

    fn sites(&self, args: &[&str]) -> Vec<Value> {
        let mut all = vec!["survey", "--offline", "--format", "json"];
        all.extend(args);
        let (code, out, err) = self.tool(&all);
        assert_eq!(code, 0, "{err}");
        let object: Value = serde_json::from_str(&out).unwrap();
        assert_eq!(
            object["summary"]["sites"],
            object["sites"].as_array().unwrap().len()
        );
        object["sites"].as_array().unwrap().clone()
    }
}

fn run(dir: &Path, args: &[&str], threads: Option<&str>) -> (i32, String, String) {
    let mut command = Command::new(env!("CARGO_BIN_EXE_cargo-oxy-task"));
    command.args(args).current_dir(dir);
    if let Some(threads) = threads {
        command.env("RAYON_NUM_THREADS", threads);
    }
    let output = command.output().unwrap();
    let text = |bytes| String::from_utf8(bytes).unwrap();
    (
        output.status.code().unwrap(),
        text(output.stdout),
        text(output.stderr),
    )
}

/// `line:column call` of each site.
fn places(sites: &[Value]) -> Vec<String> {
    let place = |site: &Value| {
        format!(
            "{}:{} {}",
            site["line"],
            site["column"],
            site["call"].as_str().unwrap()
        )
    };
    sites.iter().map(place).collect()
}

/// `verdict rule` of the one site in `body`, which is that of a function of `signature`.
fn verdict(signature: &str, body: &str) -> String {
    let text = format!(
        "use std::sync::Arc;\nuse tokio::sync::mpsc;\nuse axum::{{Json, response::Sse}};\n{signature} {{\n{body}\n}}\n"
    );
    let sites = Small::of(&text).sites(&[]);
    assert_eq!(sites.len(), 1, "{body}");
    let rule = sites[0]["reasons"][0]["rule"].as_str().unwrap_or("-");
    format!("{} {rule}", sites[0]["verdict"].as_str().unwrap())
}

#[test]
fn every_way_to_spawn_is_found_once() {
    let sites = Small::of(
        r#"//! tokio::spawn(async {}) in documentation.
use tokio::spawn as start;
use tokio::task::{self, JoinSet};
use tokio::runtime::Handle;

async fn ways(set: &mut JoinSet<()>, handle: Handle) {
    // tokio::spawn(async {});
    let _text = "tokio::spawn(async {})";
    start(async {});
    task::spawn(async {});
    ::tokio::spawn(async {});
    set.spawn(async {});
    handle.spawn(async {});
    Handle::current().spawn(async {});
    task::spawn_blocking(|| 1);
    std::thread::spawn(|| 1);
    for _ in 0..2 {
        match 1 {
            1 => drop(tokio::spawn(async {})),
            _ => (|| { tokio::spawn(async {}); })(),
        }
    }
    tokio::select! {
        _ = async { tokio::spawn(async {}); } => {}
        x = std::future::ready(1), if x == 1 => { tokio::spawn(async {}); }
    }
    println!("{}", vec![tokio::spawn(async {})].len());
    fn inner() { tokio::spawn(async { tokio::spawn(async {}); }); }
    impl Inner { fn method(self) { tokio::spawn(async move { self.run() }); } }
    let work = async { inner() };
    tokio::spawn(work);
}
"#,
    )
    .sites(&[]);
    assert_eq!(
        places(&sites),
        [
            "9:5 start",
            "10:5 task::spawn",
            "11:5 ::tokio::spawn",
            "12:9 set.spawn",
            "13:12 handle.spawn",
            "14:23 Handle::current().spawn",
            "15:5 task::spawn_blocking",
            "16:5 std::thread::spawn",
            "19:23 tokio::spawn",
            "20:24 tokio::spawn",
            "24:21 tokio::spawn",
            "25:51 tokio::spawn",
            "27:25 tokio::spawn",
            "28:18 tokio::spawn",
            "28:39 tokio::spawn",
            "29:36 tokio::spawn",
            "31:5 tokio::spawn",
        ]
    );
}

#[test]
fn what_is_only_called_spawn_is_no_site() {
    let sites = Small::of(
        r#"use std::process::Command;
struct Pond;
impl Pond { fn spawn(&self, frogs: u8) -> u8 { frogs } }
fn spawn(frogs: u8) -> u8 { frogs }
fn nothing(pond: Pond, world: &mut World) {
    spawn(3);
    pond.spawn(3);
    world.spawn((1, 2));
    Command::new("ls").arg("-l").spawn().unwrap();
    tokio::process::Command::new("ls").spawn().unwrap();
    let spawn = |_: u8| ();
    spawn(1);
}
macro_rules! start { ($work:expr) => { tokio::spawn($work) }; }
"#,
    )
    .sites(&[]);
    assert_eq!(places(&sites), Vec::<String>::new());
}

#[test]
fn what_stands_in_no_function_is_said_to_be_unseen() {
    let small = Small::of(
        "macro_rules! start { ($work:expr) => { tokio::spawn($work) }; }
static ONCE: LazyLock<()> = LazyLock::new(|| { tokio::spawn(async {}); });
const SPAWNED: u8 = 1;
macro_rules! other { () => { spawned } }
",
    );
    let (code, out, err) = small.tool(&["survey", "--offline", "--format", "json"]);
    assert_eq!(code, 0, "{err}");
    let object: Value = serde_json::from_str(&out).unwrap();
    let lines: Vec<&Value> = object["unseen"]
        .as_array()
        .unwrap()
        .iter()
        .map(|p| &p["line"])
        .collect();
    assert_eq!(lines, [1, 2]);
    assert!(err.contains("unseen-spawn"), "{err}");
}

#[test]
fn wrappers_are_found_by_themselves_and_by_configuration() {
    let small = Small::new(&[
        (
            "low",
            "use std::future::Future;
pub fn background<F>(name: &str, work: F) where F: Future<Output = ()> + Send + 'static {
    tokio::spawn(async move { work.await });
}
pub fn twice(work: impl Future<Output = ()> + Send + 'static) { background(\"x\", work); }
pub struct Tasks;
impl Tasks {
    pub async fn spawn<F, Fut>(&self, id: u8, f: F) where F: FnOnce(u8) -> Fut, Fut: Future<Output = ()> {
        tokio::spawn(async move { f(id).await; });
    }
}
pub async fn blocking<F: FnOnce() -> u8 + Send + 'static>(f: F) -> u8 {
    tokio::task::spawn_blocking(f).await.unwrap()
}
pub fn odd(work: u8) { let _ = work; }
pub fn plain<F: Fn()>(f: F) { f(); tokio::spawn(async {}); }
",
        ),
        (
            "high",
            "use low::{Tasks, background};
async fn use_them(tasks: &Tasks) {
    background(\"a\", async {});
    low::twice(async {});
    tasks.spawn(1, async move |_| {}).await;
    low::blocking(|| 1).await;
    low::odd(1);
    low::plain(|| ());
}
",
        ),
    ]);
    let sites = small.sites(&["high"]);
    assert_eq!(
        places(&sites),
        [
            "3:5 background",
            "4:5 low::twice",
            "5:11 tasks.spawn",
            "6:5 low::blocking"
        ]
    );
    // Waiting for a wrapper that returns at once is no waiting for the work.
    let verdicts: Vec<&str> = sites
        .iter()
        .map(|s| s["verdict"].as_str().unwrap())
        .collect();
    assert_eq!(
        verdicts,
        ["acceptable", "acceptable", "acceptable", "awaited"]
    );
    // What only hands on is not judged for its callers.
    let low = small.sites(&["low"]);
    assert_eq!(low[0]["verdict"], "structural");
    assert_eq!(low[0]["function"], "background");

    let configured = small.sites(&["high", "--config", "spawn-wrappers=[\"low::odd\"]"]);
    assert!(places(&configured).contains(&"7:5 low::odd".to_owned()));
}

#[test]
fn tests_are_left_out_unless_asked_for() {
    let small = Small::of(
        "fn real() { tokio::spawn(async {}); }
#[cfg(test)]
mod tests {
    #[tokio::test]
    async fn one() { tokio::spawn(async {}); }
}
",
    );
    small.write(
        "one/tests/all.rs",
        "fn helper() { tokio::spawn(async {}); }\n",
    );
    assert_eq!(places(&small.sites(&[])), ["1:13 tokio::spawn"]);
    let all = small.sites(&["--include-tests"]);
    let marks: Vec<(&str, bool)> = all
        .iter()
        .map(|site| {
            (
                site["path"].as_str().unwrap(),
                site["is_test"].as_bool().unwrap(),
            )
        })
        .collect();
    assert_eq!(
        marks,
        [
            ("one/src/lib.rs", false),
            ("one/src/lib.rs", true),
            ("one/tests/all.rs", true)
        ]
    );
}

#[test]
fn places_are_right_behind_crlf_and_unicode() {
    let small = Small::of(
        "\u{feff}fn a() {\r\n    let _ü = \"größe → 🦀\"; tokio::spawn(async {});\r\n    let _ = 1;\r\n    tokio::spawn(async {});\r\n}\r\n",
    );
    assert_eq!(
        places(&small.sites(&[])),
        ["2:27 tokio::spawn", "4:5 tokio::spawn"]
    );
}

#[test]
fn captures_have_names_types_and_roles() {
    let small = Small::of(
        r#"use std::path::PathBuf;
use std::sync::Arc;
use axum::extract::{Json, Path, State};
use tokio::sync::mpsc;

#[derive(serde::Deserialize)]
pub struct Request { pub url: String, pub depth: Option<u32> }
#[derive(Clone)]
pub struct App { pub db: sea_orm::DatabaseConnection, pub root: PathBuf }
pub struct Id(pub u64);
pub struct Server { pool: Arc<App>, name: String }
async fn load(url: &str) -> Result<Vec<String>, ()> { Err(()) }
fn token_of(app: &App) -> Option<String> { None }

async fn handler(State(app): State<App>, Path((id, Id(number))): Path<(u8, Id)>, Json(req): Json<Request>) {
    let url = req.url.clone();
    let target = app.root.join("x");
    let found = load(&url).await?;
    let token = token_of(&app).unwrap();
    let (tx, rx) = mpsc::channel::<u8>(1);
    let mystery = outside::thing();
    let shadowed = 1u8;
    let label = format!("{url}!");
    if let Some(depth) = req.depth {
        tokio::spawn({
            let app = app.clone();
            async move {
                let shadowed = "inside";
                let inner = |label: u8| label + 1;
                println!("{target:?} {id} {shadowed} {0:>depth$}", inner(1));
                tracing::info!(url = %url, count = found.len(), "start");
                let _ = tx.send(number).await;
                drop((app, token, mystery));
                match 1 { label => drop(label) }
            }
        });
    }
}
impl Server {
    fn shared(self: &Arc<Self>) {
        let me = Arc::clone(self);
        tokio::spawn(async move { me.name.len() });
    }
    fn start(self, tail: &'static str) {
        tokio::spawn(async move { use_it(self.pool.clone(), &self.name, tail).await });
    }
}
"#,
    );
    let sites = small.sites(&[]);
    let captures = |site: &Value| -> Vec<String> {
        let captures = site["captures"].as_array().unwrap().iter();
        captures
            .map(|c| {
                let ty = c["type"].as_str().unwrap_or("?");
                format!(
                    "{} {ty} {}",
                    c["name"].as_str().unwrap(),
                    c["role"].as_str().unwrap()
                )
            })
            .collect()
    };
    assert_eq!(
        captures(&sites[0]),
        [
            "app App handle",
            "depth u32 data",
            "found Vec<String> data",
            "id u8 data",
            "mystery ? unknown",
            "number u64 data",
            "target PathBuf data",
            "token String secret",
            "tx Sender<u8> channel",
            "url String data",
        ]
    );
    assert_eq!(captures(&sites[1]), ["me Arc<Server> handle"]);
    assert_eq!(
        captures(&sites[2]),
        [
            "self.name String data",
            "self.pool Arc<App> handle",
            "tail &'static str data",
        ]
    );
    // A channel's end cannot travel; what is not known is asked for.
    assert_eq!(sites[0]["migratable"], "no");
    let steps = sites[0]["steps"].to_string();
    assert!(steps.contains("--type mystery="), "{steps}");
    assert!(steps.contains("token_ref"), "{steps}");
}

#[test]
fn handlers_are_followed_through_calls_and_crates() {
    let small = Small::new(&[
        (
            "low",
            "pub fn three() { tokio::spawn(async {}); }
pub fn shared() { tokio::spawn(async {}); }
pub fn alone() { tokio::spawn(async {}); }
pub fn renamed() { tokio::spawn(async {}); }
",
        ),
        (
            "web",
            "use axum::{Router, routing::{get, post}, extract::State, http::StatusCode};
mod api;
pub fn router() -> Router { Router::new().route(\"/a\", get(plain).post(api::other)) }
async fn plain() { one(); }
fn one() { two(); }
fn two() { low::three(); low::shared(); low::renamed(); }
pub fn elsewhere() { low::shared(); }
use low::renamed as other_name;
pub fn elsewhere_too() { other_name(); }
async fn extracts(State(s): State<u8>) -> StatusCode { tokio::spawn(async {}); StatusCode::OK }
async fn no_response(State(s): State<u8>) -> u8 { tokio::spawn(async {}); 1 }
",
        ),
    ]);
    small.write(
        "web/src/api.rs",
        "pub async fn other() { tokio::spawn(async {}); }\n",
    );
    let found = |args: &[&str]| -> Vec<(String, bool)> {
        let sites = small.sites(args);
        let of = sites.iter().map(|site| {
            let function = site["function"].as_str().unwrap().to_owned();
            (function, site["in_http_handler"].as_bool().unwrap())
        });
        of.collect()
    };
    let expected = [
        ("three", true),
        ("shared", false),
        ("alone", false),
        ("renamed", false),
        ("other", true),
        ("extracts", true),
        ("no_response", false),
    ];
    let expected: Vec<(String, bool)> = expected.map(|(f, is)| (f.to_owned(), is)).to_vec();
    assert_eq!(found(&[]), expected);
    let configured = found(&["--config", "handlers=[\"low/**\"]"]);
    assert_eq!(configured[2], ("alone".to_owned(), true));
}

#[test]
fn a_handle_that_is_waited_for_is_found() {
    let check = |body: &str, expected: &str| {
        assert_eq!(
            verdict("async fn f(work: W) -> u8", body),
            expected,
            "{body}"
        );
    };
    check(
        "tokio::spawn(async { reqwest::get(\"x\").await }).await;",
        "awaited -",
    );
    check(
        "let h = tokio::spawn(async { reqwest::get(\"x\").await });\nh.await.unwrap();",
        "awaited -",
    );
    check(
        "let h = { let a = 1; tokio::spawn(async move { reqwest::get(a).await }) };\ntokio::join!(h, other());",
        "awaited -",
    );
    check(
        "let mut h = tokio::spawn(async { reqwest::get(\"x\").await });\ntokio::select! { r = &mut h => r, _ = late() => 1 };",
        "awaited -",
    );
    check(
        "let mut all = Vec::new();\nfor u in us { all.push(tokio::spawn(async move { reqwest::get(u).await })); }\nfor h in all { h.await; }",
        "awaited -",
    );
    check(
        "let h = tokio::spawn(async { loop { reqwest::get(\"x\").await; } });\nwork.await;\nh.abort();",
        "awaited -",
    );
    check(
        "let mut set = tokio::task::JoinSet::new();\nset.spawn(async { reqwest::get(\"x\").await });\nwhile let Some(x) = set.join_next().await {}",
        "awaited -",
    );
    check(
        "let (tx, mut rx) = mpsc::channel(1);\ntokio::spawn(async move { tx.send(reqwest::get(\"x\").await).await; });\nwhile let Some(x) = rx.recv().await { drop(x); }",
        "awaited -",
    );
    check(
        "std::thread::spawn(|| std::fs::read(\"x\")).join().unwrap();",
        "awaited -",
    );
    // Near misses.
    check(
        "let _h = tokio::spawn(async { reqwest::get(\"x\").await });\nwork.await;",
        "task-spec Q2",
    );
    check(
        "let mut set = tokio::task::JoinSet::new();\nset.spawn(async { reqwest::get(\"x\").await });",
        "task-spec Q2",
    );
}

#[test]
fn verdicts_follow_from_what_the_work_does() {
    let handler = |body: &str, expected: &str| {
        let signature = "async fn f(Json(req): Json<u8>) -> Json<u8>";
        assert_eq!(verdict(signature, body), expected, "{body}");
    };
    handler(
        "tokio::spawn(async { std::process::Command::new(\"git\").status(); });",
        "task-spec Q1",
    );
    handler(
        "tokio::spawn(async { reqwest::get(\"x\").await; });",
        "task-spec Q2",
    );
    handler(
        "let c = reqwest::Client::new();\ntokio::spawn(async move { c.post(\"x\").json(&1).send().await; });",
        "task-spec Q2",
    );
    handler(
        "tokio::spawn(async { let mut t = tokio::time::interval(D); loop { t.tick().await; work(); } });",
        "task-spec Q5",
    );
    handler(
        "tokio::spawn(async { let mut n = 0; n += 1; });",
        "acceptable A1",
    );
    // What nobody can follow is not called acceptable.
    handler(
        "tokio::spawn(async { elsewhere::work().await; });",
        "undecided -",
    );
    handler(
        "let db: sea_orm::DatabaseConnection = d();\ntokio::spawn(async move { row.update(&db).await; });",
        "undecided Q3",
    );
    handler(
        "let db: sea_orm::DatabaseConnection = d();\ntokio::spawn(async move { let r = elsewhere::work().await; row.status = Set(r); row.update(&db).await; });",
        "task-spec Q4",
    );

    let stream = |body: &str, expected: &str| {
        let signature = "async fn f(Json(req): Json<u8>) -> Sse<impl Stream>";
        assert_eq!(verdict(signature, body), expected, "{body}");
    };
    stream(
        "let (tx, rx) = mpsc::channel(1);\ntokio::spawn(async move { tx.send(reqwest::get(\"x\").await).await; });\nSse::new(rx)",
        "acceptable A2",
    );
    stream(
        "let (tx, rx) = mpsc::channel(1);\ntokio::spawn(async move { loop { tx.send(1).await; } });\nSse::new(rx)",
        "acceptable A3",
    );
    // The stream of another channel, and a durable write beside the stream.
    stream(
        "let (tx, rx) = mpsc::channel(1);\nlet (a, b) = mpsc::channel(1);\ntokio::spawn(async move { a.send(reqwest::get(\"x\").await).await; });\nSse::new(rx)",
        "task-spec Q2",
    );
    stream(
        "let db: sea_orm::DatabaseConnection = d();\nlet (tx, rx) = mpsc::channel(1);\ntokio::spawn(async move { tx.send(reqwest::get(\"x\").await).await; row.status = Set(1); row.update(&db).await; });\nSse::new(rx)",
        "task-spec Q2",
    );

    let plain = |body: &str, expected: &str| {
        assert_eq!(
            verdict("fn f(token: T, mut rx: mpsc::Receiver<u8>, conn: C)", body),
            expected,
            "{body}"
        );
    };
    plain(
        "tokio::spawn(async move { token.cancelled().await; stop(); });",
        "structural -",
    );
    plain(
        "tokio::spawn(async move { while let Some(x) = rx.recv().await { reqwest::get(x).await; } });",
        "structural -",
    );
    plain(
        "tokio::spawn(async move { if let Err(e) = conn.await { tracing::error!(\"{e}\"); } });",
        "structural -",
    );
    plain(
        "tokio::spawn(async move { let mut t = tokio::time::interval(D); loop { tokio::select! { _ = t.tick() => {} _ = token.cancelled() => break } } });",
        "structural -",
    );
    plain(
        "tokio::spawn(async move { let mut t = tokio::time::interval(D); loop { t.tick().await; } });",
        "task-spec Q5",
    );
}

#[test]
fn evidence_is_followed_into_functions_and_can_be_configured() {
    let small = Small::of(
        "async fn handler(axum::Json(x): axum::Json<u8>) -> axum::Json<u8> {
    tokio::spawn(async move {
        if let Err(e) = first(x).await {
            tracing::error!(\"{e}\");
        }
    });
    tokio::spawn(async move { quick(x) });
    axum::Json(x)
}
async fn first(x: u8) -> Result<(), E> { Second { x }.second().await }
struct Second { x: u8 }
impl Second { async fn second(&self) -> Result<(), E> { reqwest::get(\"x\").await?; Ok(()) } }
fn quick(x: u8) {}
",
    );
    let sites = small.sites(&[]);
    let reasons = sites[0]["reasons"].as_array().unwrap();
    assert_eq!(reasons[0]["rule"], "Q2");
    assert_eq!(reasons[0]["line"], 3);
    assert_eq!(
        reasons[0]["because"],
        "`first` speaks to another service (reqwest::get at one/src/lib.rs:12)"
    );
    assert_eq!(reasons[1]["rule"], "Q6");
    assert_eq!(sites[1]["verdict"], "acceptable");
    let evidence = "evidence=[{ call = \"one::quick\", rule = \"Q1\" }]";
    let sites = small.sites(&["--config", evidence]);
    assert_eq!(sites[1]["verdict"], "task-spec");
    assert_eq!(sites[1]["reasons"][0]["rule"], "Q1");
    for (wrong, says) in [
        (
            "evidence=[{ call = \"one::quick\", rule = \"Q9\" }]",
            "no rule `Q9`",
        ),
        (
            "evidence=[{ call = \"one::quick\" }]",
            "without `call` and `rule`",
        ),
        ("evidence=1", "is no list"),
        ("handlers=[1]", "no string"),
        ("spawn-wrappers=\"a::b\"", "is no list"),
    ] {
        let (code, _, err) = small.tool(&["survey", "--offline", "--config", wrong]);
        assert_eq!(code, 2, "{wrong}");
        assert!(err.contains(says), "{wrong}: {err}");
    }
}

#[test]
fn the_same_bytes_come_out_whatever_the_cores() {
    let fleet = Fleet::new();
    let args = ["survey", "--format", "json", "--include-tests"];
    let (code, one, _) = run(fleet.path(), &args, Some("1"));
    assert_eq!(code, 0);
    for threads in ["2", "7"] {
        assert_eq!(
            run(fleet.path(), &args, Some(threads)).1,
            one,
            "{threads} threads"
        );
    }
    let sites: Value = serde_json::from_str(&one).unwrap();
    let places: Vec<(&str, u64)> = sites["sites"]
        .as_array()
        .unwrap()
        .iter()
        .map(|site| {
            (
                site["path"].as_str().unwrap(),
                site["line"].as_u64().unwrap(),
            )
        })
        .collect();
    assert!(places.is_sorted(), "{places:?}");
}

#[test]
fn sarif_has_the_shape_of_the_standard() {
    let log: Value =
        serde_json::from_str(&Fleet::new().done(&["survey", "--format", "sarif"]).stdout).unwrap();
    assert_eq!(log["version"], "2.1.0");
    let runs = log["runs"].as_array().unwrap();
    assert_eq!(runs.len(), 1);
    let driver = &runs[0]["tool"]["driver"];
    assert_eq!(driver["name"], "cargo-oxy-task");
    let rules = driver["rules"].as_array().unwrap();
    assert_eq!(runs[0]["columnKind"], "unicodeCodePoints");
    let results = runs[0]["results"].as_array().unwrap();
    assert!(!results.is_empty());
    for result in results {
        let at = usize::try_from(result["ruleIndex"].as_u64().unwrap()).unwrap();
        assert_eq!(rules[at]["id"], result["ruleId"]);
        assert!(["none", "note", "warning"].contains(&result["level"].as_str().unwrap()));
        // By the standard (3.27.9, 3.27.10) only what is of the kind `fail` has another level.
        assert_eq!(result["level"] == "none", result["kind"] == "informational");
        assert!(!result["message"]["text"].as_str().unwrap().is_empty());
        let location = &result["locations"][0]["physicalLocation"];
        let uri = location["artifactLocation"]["uri"].as_str().unwrap();
        assert!(!uri.starts_with('/') && !uri.contains('\\'), "{uri}");
        assert_eq!(location["artifactLocation"]["uriBaseId"], "SRCROOT");
        let region = &location["region"];
        assert!(region["startLine"].as_u64().unwrap() >= 1);
        assert!(region["endColumn"].as_u64().unwrap() > region["startColumn"].as_u64().unwrap());
    }
    let clone = results.iter().find(|result| {
        result["locations"][0]["physicalLocation"]["artifactLocation"]["uri"]
            == "crates/app/src/server/api/onboarding.rs"
    });
    assert_eq!(clone.unwrap()["ruleId"], "task-spec");
}

#[test]
fn the_command_line_is_checked() {
    let small = Small::of("fn a() { tokio::spawn(async {}); }\n");
    let (code, out, err) = small.tool(&["list", "--format", "sarif"]);
    assert_eq!((code, out.as_str()), (2, ""));
    assert!(
        err.contains("only `survey` and `check` speak SARIF"),
        "{err}"
    );
    let (code, _, err) = small.tool(&["survey", "--offline", "nowhere"]);
    assert_eq!(code, 1);
    assert!(
        err.contains("`nowhere` is nothing in this workspace"),
        "{err}"
    );
    assert_eq!(small.sites(&["one/src"]).len(), 1);
    small.write("two/readme.txt", "");
    assert_eq!(small.sites(&["two"]).len(), 0);
    // A file that does not parse is no file without sites.
    small.write("one/src/bad.rs", "fn b() { tokio::spawn( }\n");
    let (code, _, err) = small.tool(&["survey", "--offline"]);
    assert_eq!(code, 1);
    assert!(err.contains("one/src/bad.rs:1"), "{err}");
}

fn snapshot(name: &str, text: &str) {
    insta::with_settings!(
        { snapshot_path => "../snapshots", prepend_module_to_snapshot => false, omit_expression => true },
        { insta::assert_snapshot!(name, text) }
    );
}

#[test]
fn people_see_a_table_and_a_sheet() {
    let fleet = Fleet::new();
    let ran = fleet.done(&["survey", "--color", "never"]);
    snapshot("terminal__survey", &format!("{}{}", ran.stdout, ran.stderr));
    let onboarding = "crates/app/src/server/api/onboarding.rs";
    let ran = fleet.done(&["survey", onboarding, "-v", "--color", "never"]);
    snapshot("terminal__survey_verbose", &ran.stdout);
    let ran = fleet.done(&["survey", "crates/app", "--format", "markdown"]);
    snapshot("markdown__survey", &ran.stdout);
}
