//! `--interactive`, on a terminal of its own: what is asked, what is refused, and what is written.
#![cfg(unix)]
#![allow(missing_docs, clippy::unwrap_used)]

mod common;

use std::fs::{File, OpenOptions};
use std::io::{Read, Write};
use std::os::unix::fs::OpenOptionsExt;
use std::process::{Child, Command, Stdio};
use std::sync::mpsc::{Receiver, RecvTimeoutError, channel};
use std::thread::JoinHandle;
use std::time::Duration;

use common::{CLONE, Fleet, IMPORT, target};
use rustix::pty::{OpenptFlags, grantpt, openpt, ptsname, unlockpt};

/// How long a question may take to come.
const PATIENCE: Duration = Duration::from_mins(1);

/// The tool with a person before it.
struct Session {
    child: Child,
    keys: File,
    screen: Receiver<Vec<u8>>,
    product: Option<JoinHandle<String>>,
    /// All that was shown.
    shown: String,
    /// How much of it was waited for.
    seen: usize,
}

impl Session {
    /// Starts the tool; its questions go to a terminal, its product is piped.
    fn start(fleet: &Fleet, args: &[&str], term: &str) -> Self {
        let flags = OpenptFlags::RDWR | OpenptFlags::NOCTTY;
        let pty = openpt(flags).unwrap();
        // A copy is closed where another program starts; the tool must not hold its own keyboard.
        let keys = File::from(pty.try_clone().unwrap());
        grantpt(&pty).unwrap();
        unlockpt(&pty).unwrap();
        let name = ptsname(&pty, Vec::new()).unwrap();
        drop(pty);
        // Without O_NOCTTY it could become the terminal of the tests themselves.
        let terminal = OpenOptions::new()
            .read(true)
            .write(true)
            .custom_flags(OpenptFlags::NOCTTY.bits().cast_signed())
            .open(name.to_str().unwrap())
            .unwrap();
        let mut child = Command::new(env!("CARGO_BIN_EXE_cargo-oxy-task"))
            .args(args)
            .current_dir(fleet.path())
            .env("CARGO_TARGET_DIR", target())
            .env("TERM", term)
            .env_remove("CLICOLOR_FORCE")
            .env("NO_COLOR", "1")
            .stdin(terminal.try_clone().unwrap())
            .stderr(terminal)
            .stdout(Stdio::piped())
            .spawn()
            .unwrap();
        // A diff is longer than a pipe.
        let mut stdout = child.stdout.take().unwrap();
        let product = std::thread::spawn(move || {
            let mut text = String::new();
            stdout.read_to_string(&mut text).unwrap();
            text
        });
        let mut output = keys.try_clone().unwrap();
        let (send, screen) = channel();
        std::thread::spawn(move || {
            let mut buffer = [0; 4096];
            // The end of the last process on a terminal is an error of who reads it.
            while let Ok(count @ 1..) = output.read(&mut buffer) {
                if send.send(buffer[..count].to_vec()).is_err() {
                    break;
                }
            }
        });
        Self {
            child,
            keys,
            screen,
            product: Some(product),
            shown: String::new(),
            seen: 0,
        }
    }

    /// Waits for `text`, which has not been waited for.
    fn wait_for(&mut self, text: &str) {
        while !self.shown[self.seen..].contains(text) {
            match self.screen.recv_timeout(PATIENCE) {
                Ok(bytes) => self.shown.push_str(&String::from_utf8_lossy(&bytes)),
                Err(RecvTimeoutError::Timeout | RecvTimeoutError::Disconnected) => {
                    panic!("`{text}` does not come:\n{}", self.shown)
                }
            }
        }
        self.seen += self.shown[self.seen..].find(text).unwrap() + text.len();
    }

    fn press(&mut self, keys: &str) {
        self.keys.write_all(keys.as_bytes()).unwrap();
    }

    /// Waits for each question, and answers it.
    fn answer(&mut self, answers: &[(&str, &str)]) {
        for (question, answer) in answers {
            self.wait_for(question);
            self.press(&format!("{answer}\r"));
        }
    }

    /// Waits for the end: the exit code (`None` after a signal), the product and the screen.
    fn end(mut self) -> (Option<i32>, String, String) {
        let product = self.product.take().unwrap().join().unwrap();
        let status = self.child.wait().unwrap();
        while let Ok(bytes) = self.screen.recv_timeout(PATIENCE) {
            self.shown.push_str(&String::from_utf8_lossy(&bytes));
        }
        (status.code(), product, text(&self.shown))
    }
}

/// A test that fails leaves no tool behind that waits for an answer.
impl Drop for Session {
    fn drop(&mut self) {
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}

/// What a screen shows, without the movements of the cursor; refuses colours.
fn text(shown: &str) -> String {
    let mut parts = shown.split("\x1b[");
    let mut out = parts.next().unwrap().to_owned();
    for part in parts {
        let end = part.find(|c: char| c.is_ascii_alphabetic()).unwrap();
        assert_ne!(&part[end..=end], "m", "a colour in {shown:?}");
        out.push_str(&part[end + 1..]);
    }
    out
}

/// What is asked after the fields, each with what an empty answer takes.
const DEFAULTS: [(&str, &str); 9] = [
    ("Dedupe:", ""),
    ("Timeout: (30m)", ""),
    ("Retries: (5)", ""),
    ("Backoff: (exp:1s..60s)", ""),
    ("Retry on:", ""),
    ("Status column:", ""),
    ("Schedule:", ""),
    ("Wire tag:", ""),
    ("Documentation:", ""),
];

/// The last line of a screen that holds `what`.
fn line<'s>(screen: &'s str, what: &str) -> &'s str {
    let line = screen.lines().rfind(|line| line.contains(what));
    line.unwrap_or_else(|| panic!("no `{what}`:\n{screen}"))
        .trim()
}

#[test]
fn answers_give_what_the_options_give() {
    let fleet = Fleet::new();
    let wanted = fleet.done(&[CLONE, &["--dry-run"]].concat()).stdout;
    let mut session = Session::start(&fleet, &["new", "-i"], "xterm");
    session.answer(&[
        ("Variant:", "clone_repository"),
        ("`clone_repository` is not UpperCamelCase", ""),
        // The empty line was the second answer.
        ("`` is no identifier", "CloneRepository"),
        ("Field 1:", "clone_url:String"),
        ("Field 2:", "clone_url:String"),
        ("the field `clone_url` is given twice", "branch:String"),
        ("Field 3:", "target_dir:PathBuf"),
        ("Field 4:", "workspace_id:Uuid"),
        ("Field 5:", "auth_token:secret"),
        ("Field 6:", ""),
        ("Key:", "clone_url,target"),
        (
            "the key names `target`, which is no field of the task",
            "clone_url,target_dir",
        ),
    ]);
    session.answer(&DEFAULTS[..5]);
    // Its variants do not say which of them means that the work runs.
    session.answer(&[
        ("Status column:", "workspaces.status"),
        (
            "workspaces.status[@FIELD]",
            "workspaces.status@workspace_id:running=Cloning,done=Ready,failed=Failed",
        ),
    ]);
    session.answer(&DEFAULTS[6..]);
    session.wait_for("Write this? (y/N)");
    assert!(fleet.git(&["status", "--porcelain"]).is_empty());
    session.press("y\r");
    let (code, product, screen) = session.end();
    assert_eq!(code, Some(0), "{screen}");
    assert_eq!(product, wanted);
    assert_eq!(
        line(&screen, " Command "),
        format!("Command cargo oxy-task {}", CLONE.join(" "))
    );
    let again = fleet.done(CLONE);
    assert!(
        again.stderr.contains("nothing is missing"),
        "{}",
        again.stderr
    );
}

#[test]
fn what_is_not_agreed_to_is_not_written() {
    let fleet = Fleet::new();
    let before = fleet.git(&["status", "--porcelain", "--ignored"]);
    let given = ["new", "Ping", "a:u8", "--key=a", "--interactive"];
    for end in ["", "n", "\x1b"] {
        let mut session = Session::start(&fleet, &given, "xterm");
        session.answer(&DEFAULTS);
        session.wait_for("Write this? (y/N)");
        session.press(end);
        if end != "\x1b" {
            session.press("\r");
        }
        let (code, product, screen) = session.end();
        assert_eq!(code, Some(1), "{screen}");
        assert!(product.contains("+    Ping {"), "{product}");
        assert_eq!(
            line(&screen, "error"),
            "error[cancelled]: nothing was written"
        );
        assert_eq!(
            line(&screen, " Command "),
            "Command cargo oxy-task new Ping a:u8 --key a"
        );
    }
    for question in DEFAULTS {
        let mut session = Session::start(&fleet, &given, "xterm");
        let before = DEFAULTS.iter().take_while(|(of, _)| *of != question.0);
        session.answer(&before.copied().collect::<Vec<_>>());
        session.wait_for(question.0);
        session.press("\x1b");
        let (code, product, screen) = session.end();
        assert_eq!((code, product.as_str()), (Some(1), ""), "{screen}");
    }
    // Ctrl-C ends it as it ends any program, by a signal.
    let mut session = Session::start(&fleet, &given, "xterm");
    session.wait_for("Dedupe:");
    while session.child.try_wait().unwrap().is_none() {
        session.press("\x03");
        std::thread::sleep(Duration::from_millis(20));
    }
    assert_eq!(session.end().0, None);
    assert_eq!(fleet.git(&["status", "--porcelain", "--ignored"]), before);
}

/// What stands in the files counts when it is written, not when the question came.
#[test]
fn what_changes_before_the_answer_is_not_written_over() {
    let fleet = Fleet::new();
    let spec = "crates/agentic/core/src/delegation.rs";
    let mut session = Session::start(&fleet, &["new", "Ping", "-i"], "xterm");
    session.answer(&[("Field 1:", "")]);
    session.answer(&DEFAULTS);
    session.wait_for("Write this? (y/N)");
    let text = format!("{}\n// Meanwhile.\n", fleet.read(spec));
    fleet.write(spec, &text);
    session.press("y\r");
    let (code, _, screen) = session.end();
    assert_eq!(code, Some(1), "{screen}");
    assert!(screen.contains("error[changed]"), "{screen}");
    assert_eq!(fleet.read(spec), text);
    // Where a file would be refused, nobody is asked whether it may be written.
    let mut session = Session::start(&fleet, &["new", "Ping", "-i"], "xterm");
    session.answer(&[("Field 1:", "")]);
    session.answer(&DEFAULTS);
    let (code, product, screen) = session.end();
    assert_eq!((code, product.as_str()), (Some(1), ""), "{screen}");
    assert!(screen.contains("error[dirty]"), "{screen}");
    assert!(!screen.contains("Write this?"), "{screen}");
    assert_eq!(
        fleet.git(&["status", "--porcelain"]).trim(),
        format!("M {spec}")
    );
}

#[test]
fn a_site_is_chosen_from_those_that_could_become_tasks() {
    let fleet = Fleet::new();
    let mut session = Session::start(&fleet, &["migrate-spawn", "-i", "-n"], "xterm");
    session.answer(&[
        ("The call:", "onboarding.rs:124"),
        ("Variant: (SetupGithub)", "CloneRepository"),
        ("Key:", ""),
    ]);
    session.answer(&DEFAULTS[..5]);
    session.answer(&[
        ("Status column:", "another"),
        ("Status:", "workspaces.nothing"),
        (
            "`workspaces` has no column `nothing`",
            "workspaces.status@workspace_id:running=Cloning,done=Ready,failed=Failed",
        ),
    ]);
    session.answer(&DEFAULTS[6..]);
    let (code, product, screen) = session.end();
    assert_eq!(code, Some(0), "{screen}");
    assert_eq!(
        product,
        fleet.done(&[IMPORT, &["--dry-run"]].concat()).stdout
    );
    let command = line(&screen, " Command ");
    let command: Vec<&str> = command.split(' ').skip(3).collect();
    assert_eq!(command.last(), Some(&"--dry-run"));
    assert_eq!(fleet.done(&command).stdout, product);
}

#[test]
fn a_site_that_cannot_move_is_refused_before_a_question() {
    let fleet = Fleet::new();
    let args = [
        "migrate-spawn",
        "-i",
        "crates/app/src/server/api/onboarding.rs:1",
    ];
    let (code, product, screen) = Session::start(&fleet, &args, "xterm").end();
    assert_eq!((code, product.as_str()), (Some(1), ""));
    assert!(screen.contains("error[no-spawn]"), "{screen}");
    assert!(!screen.contains("Variant:"), "{screen}");
}

#[test]
fn who_cannot_be_asked_is_told_what_to_do() {
    let fleet = Fleet::new();
    for (args, why) in [
        (&["new", "-i"][..], "asks on a terminal, and there is none"),
        (&["migrate-spawn", "-i"], "asks on a terminal"),
        (&["new", "-i", "--format=json"], "--format is for programs"),
        (
            &["new", "-i", "--format=markdown"],
            "--format is for programs",
        ),
    ] {
        let ran = fleet.tool(args);
        assert_eq!(ran.code, 2, "{args:?}");
        assert!(ran.stderr.contains("error[interactive]"), "{}", ran.stderr);
        assert!(ran.stderr.contains(why), "{}", ran.stderr);
        assert!(ran.stderr.contains("help: "), "{}", ran.stderr);
    }
    let ran = fleet.tool(&["new", "-i", "--format=json"]);
    let json: serde_json::Value = serde_json::from_str(&ran.stdout).unwrap();
    assert_eq!(json["error"]["code"], "interactive");
    assert_eq!(json["variant"], serde_json::Value::Null);
    let (code, _, screen) = Session::start(&fleet, &["new", "-i"], "dumb").end();
    assert_eq!(code, Some(2));
    assert!(screen.contains("TERM=dumb"), "{screen}");
    // What is wrong on the command line is so with --interactive too.
    let ran = fleet.tool(&["new", "-i", "ping"]);
    assert_eq!(ran.code, 2);
    assert!(ran.stderr.contains("error[variant-name]"), "{}", ran.stderr);
    for args in [
        &["new"][..],
        &["migrate-spawn", "a.rs:1"],
        &["migrate-spawn", "--as=A"],
    ] {
        let ran = fleet.tool(args);
        assert_eq!(ran.code, 2);
        assert!(ran.stderr.contains("required"), "{}", ran.stderr);
    }
}
