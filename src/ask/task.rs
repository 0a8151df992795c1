//! What a task is like.

use super::{Ask, Question, until_read, until_read_or_none};
use crate::note::Outcome;
use crate::request::{self, Dedupe, Field, StatusRequest, TaskRequest};

/// What is known before a question is asked.
pub struct Known<'a> {
    /// A name for the variant; empty where there is none.
    pub variant: &'a str,
    /// Whether the fields come from the site that is migrated.
    pub has_site: bool,
    /// Columns that may be a status, as `--status` names them.
    pub columns: &'a [String],
    /// Refuses a status that the workspace does not have for these fields.
    pub check_status: &'a dyn Fn(&StatusRequest, &[Field]) -> Outcome<()>,
}

/// Asks for what `task` does not say yet; its name is empty where it is to be asked for.
pub fn task(ask: &dyn Ask, task: &mut TaskRequest, known: &Known<'_>) -> Outcome<()> {
    if task.variant.is_empty() {
        let question = Question {
            what: "Variant",
            default: known.variant,
            hint: "the name of the work, in UpperCamelCase",
        };
        task.variant = until_read(ask, question, request::variant_name)?;
    }
    if task.fields.is_empty() && !known.has_site {
        fields(ask, task)?;
    }
    key(ask, task, known)?;
    policy(ask, task)?;
    if task.status.is_none() {
        task.status = status(ask, task, known)?;
        note(task, "--status", task.status.is_some());
    }
    if task.schedule.is_none() && task.dedupe != Dedupe::Forever {
        let question = Question {
            what: "Schedule",
            default: "",
            hint: "MINUTE HOUR DAY MONTH WEEKDAY in UTC, `0 3 * * 1-5` say; empty for none",
        };
        let dedupe = task.dedupe;
        let read = |text: &str| request::scheduled(text, dedupe);
        task.schedule = until_read_or_none(ask, question, read)?;
        note(task, "--schedule", task.schedule.is_some());
    }
    if task.tag.is_none() {
        let question = Question {
            what: "Wire tag",
            default: "",
            hint: "empty for the one that the enum's serde attributes give",
        };
        task.tag = until_read_or_none(ask, question, request::tag)?;
    }
    if task.doc.is_none() {
        let question = Question {
            what: "Documentation",
            default: "",
            hint: "a sentence on the work; empty for none",
        };
        task.doc = until_read_or_none(ask, question, request::doc)?;
    }
    Ok(())
}

/// Remembers that an option was given, where it was.
fn note(task: &mut TaskRequest, option: &str, is_given: bool) {
    if is_given {
        task.given.extend(request::decided(option));
    }
}

/// Whether the command line gave the option.
fn is_given(task: &TaskRequest, option: &str) -> bool {
    task.given.iter().any(|(given, _)| *given == option)
}

/// Asks for one field after the other, until one is empty.
fn fields(ask: &dyn Ask, task: &mut TaskRequest) -> Outcome<()> {
    loop {
        let number = format!("Field {}", task.fields.len() + 1);
        let question = Question {
            what: &number,
            default: "",
            hint: "`depth:Option<u32>` say; `NAME:secret` is a reference; empty for no more",
        };
        let known = task.fields.clone();
        let field = until_read_or_none(ask, question, |text| {
            let field = request::field(text)?;
            let mut all = known.clone();
            all.push(field.clone());
            request::check_fields(&all, None)?;
            Ok(field)
        })?;
        match field {
            Some(field) => task.fields.push(field),
            None => return Ok(()),
        }
    }
}

/// Asks for the key, or again where the one that was given does not fit the fields.
fn key(ask: &dyn Ask, task: &mut TaskRequest, known: &Known<'_>) -> Outcome<()> {
    let fields = task.fields.clone();
    let check = |key: &[String]| {
        if known.has_site {
            return Ok(());
        }
        request::check_fields(&fields, Some(key))
    };
    if let Some(key) = &task.key {
        match check(key) {
            Ok(()) => return Ok(()),
            Err(refusal) => ask.refused(&refusal),
        }
    }
    let data = fields.iter().filter(|field| !field.is_secret);
    let data: Vec<&str> = data.map(|field| field.name.as_str()).collect();
    if data.is_empty() && !known.has_site {
        task.key = None;
        return Ok(());
    }
    let all = if known.has_site {
        "all but secrets and what is fresh at every call".to_owned()
    } else {
        format!("all but secrets: {}", data.join(","))
    };
    let question = Question {
        what: "Key",
        default: "",
        hint: &format!(
            "fields that make two calls the same work, joined by commas; empty for {all}"
        ),
    };
    task.key = until_read_or_none(ask, question, |text| {
        let key = request::key(text)?;
        check(&key)?;
        Ok(key)
    })?;
    Ok(())
}

/// Asks when a duplicate is dropped, when the work is over, and how often it is tried.
fn policy(ask: &dyn Ask, task: &mut TaskRequest) -> Outcome<()> {
    // A schedule leaves no choice.
    if !is_given(task, "--dedupe") && task.schedule.is_none() {
        let options = [
            "active: a duplicate is dropped while the first is queued or running",
            "forever: it is dropped for ever",
        ];
        let chosen = ask.choice("Dedupe", options.map(str::to_owned).to_vec())?;
        if chosen == 1 {
            task.dedupe = Dedupe::Forever;
            note(task, "--dedupe", true);
        }
    }
    if !is_given(task, "--timeout") {
        let question = Question {
            what: "Timeout",
            default: "30m",
            hint: "the deadline, all attempts together: 90s, 30m, 2h",
        };
        let timeout = until_read(ask, question, request::duration)?;
        note(task, "--timeout", timeout != task.timeout);
        task.timeout = timeout;
    }
    if !is_given(task, "--retries") {
        let question = Question {
            what: "Retries",
            default: "5",
            hint: "how often a transient failure is tried again",
        };
        let retries = until_read(ask, question, request::retries)?;
        note(task, "--retries", retries != task.retries);
        task.retries = retries;
    }
    if task.retries == 0 {
        return Ok(());
    }
    if !is_given(task, "--backoff") {
        let question = Question {
            what: "Backoff",
            default: "exp:1s..60s",
            hint: "the pause between tries: fixed:2s, or exp:1s..60s",
        };
        let backoff = until_read(ask, question, request::backoff)?;
        note(task, "--backoff", backoff != task.backoff);
        task.backoff = backoff;
    }
    if !is_given(task, "--retry-on") {
        let question = Question {
            what: "Retry on",
            default: "",
            hint: "a part of messages worth another try; empty for no more, or transient ones",
        };
        while let Some(text) = until_read_or_none(ask, question, request::retry_on)? {
            task.retry_on.push(text);
        }
        note(task, "--retry-on", !task.retry_on.is_empty());
    }
    Ok(())
}

/// Asks for the status column: from a list where the workspace has any.
fn status(ask: &dyn Ask, task: &TaskRequest, known: &Known<'_>) -> Outcome<Option<StatusRequest>> {
    let read = |text: &str| {
        let status = request::status(text)?;
        (known.check_status)(&status, &task.fields)?;
        Ok(status)
    };
    let mut begun = "";
    if !known.columns.is_empty() {
        let ends = ["none", "another: its name is asked for"].map(str::to_owned);
        let [none, another] = ends;
        let columns = known.columns.iter().cloned();
        let options = std::iter::once(none).chain(columns).chain([another]);
        let chosen = ask.choice("Status column", options.collect())?;
        if chosen == 0 {
            return Ok(None);
        }
        if let Some(column) = known.columns.get(chosen - 1) {
            match read(column) {
                Ok(status) => return Ok(Some(status)),
                Err(refusal) => ask.refused(&refusal),
            }
            begun = column;
        }
    }
    let question = Question {
        what: "Status",
        default: "",
        hint: "entity.column[@FIELD][:running=V,done=V,failed=V]; empty for none",
    };
    let hint = format!("{begun}[@FIELD][:running=V,done=V,failed=V]; empty for none");
    let question = Question {
        hint: if begun.is_empty() {
            question.hint
        } else {
            &hint
        },
        ..question
    };
    until_read_or_none(ask, question, read)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::ask::scripted::Scripted;
    use crate::cli::{Cli, Command};
    use crate::note::Refusal;
    use clap::Parser;

    fn given(line: &str) -> TaskRequest {
        let words = format!("cargo-oxy-task new -i {line}");
        match Cli::try_parse_from(words.split_whitespace())
            .unwrap()
            .command
        {
            Command::New(new) => new.request().unwrap(),
            _ => unreachable!("the arguments are those of a `new`"),
        }
    }

    /// Asks on with `answers`: the command line that it comes to, and what was asked and said.
    fn check(line: &str, has_site: bool, answers: &[&'static str]) -> (String, String) {
        let ask = Scripted::new(answers);
        let mut request = given(line);
        let known = Known {
            variant: "",
            has_site,
            columns: &["jobs.state".to_owned()],
            check_status: &|status, _| match status.done {
                Some(_) => Ok(()),
                None => Err(Refusal::new("status-value", "nothing says what is done")),
            },
        };
        let command = match task(&ask, &mut request, &known) {
            Ok(()) => request.arguments()[1..].join(" "),
            Err(refusal) => refusal.code.to_owned(),
        };
        // What was asked for counts as what was given.
        if command != "cancelled" && !has_site {
            let words = request.arguments()[1..].join(" ");
            let mut same = given(&words).given;
            same.sort_unstable();
            request.given.sort_unstable();
            assert_eq!(request.given, same, "{words}");
        }
        (command, ask.log.take().join("\n"))
    }

    const POLICY: &str = "\
Dedupe [active: a duplicate is dropped while the first is queued or running | forever: it is dropped for ever]
Timeout (30m)
Retries (5)
Backoff (exp:1s..60s)
Retry on ()
Status column [none | jobs.state | another: its name is asked for]
Schedule ()
Wire tag ()
Documentation ()";

    #[test]
    fn empty_answers_take_the_defaults() {
        let answers = [
            "Ping", "a:u8", "", "", "active", "", "", "", "", "none", "", "", "",
        ];
        let (command, asked) = check("", false, &answers);
        assert_eq!(command, "Ping a:u8");
        let first = "Variant ()\nField 1 ()\nField 2 ()\nKey ()";
        assert_eq!(asked, format!("{first}\n{POLICY}"));
    }

    #[test]
    fn what_the_command_line_gives_is_not_asked_for() {
        let all = "Ping a:u8 --key a --timeout 1s --retries 1 --backoff fixed:1s \
            --retry-on x --status jobs.state:done=Done --schedule @daily --tag p --doc D";
        let (command, asked) = check(all, false, &[]);
        assert_eq!(asked, "");
        let words: Vec<&str> = all.split_whitespace().collect();
        assert_eq!(command, words.join(" "));
        let (_, asked) = check("Ping a:u8 --key a --dedupe active", false, &[]);
        assert_eq!(asked, "Timeout (30m)");
    }

    #[test]
    fn a_wrong_answer_is_said_and_asked_for_again() {
        let answers = [
            "Ping",
            "of:secret",
            "of_ref:u8",
            "a",
            "a:u8",
            "",
            "of",
            "a",
            "forever",
            "0",
            "2h",
            "-1",
            "3",
            "exp:2s..1s",
            "fixed:2s",
            "lost",
            "gone",
            "",
            "jobs",
            "jobs.state:done=D",
            "p!",
            "p",
            "Pings.",
        ];
        let (command, log) = check("", false, &answers);
        assert_eq!(
            command,
            "Ping of:secret a:u8 --key a --dedupe forever --timeout 2h --retries 3 --backoff fixed:2s \
             --retry-on lost --retry-on gone --status jobs.state:done=D --tag p --doc Pings."
        );
        let said = log
            .lines()
            .filter(|line| line.contains(": ") && !line.contains('['));
        let codes: Vec<&str> = said.filter_map(|line| line.split(": ").next()).collect();
        let wrong = [
            "field-twice",
            "field",
            "key-secret",
            "duration",
            "retries",
            "backoff",
            "status-value",
            "tag",
        ];
        assert_eq!(codes, wrong);
        // A schedule would enqueue it once for ever.
        assert!(!log.contains("Schedule"), "{log}");
    }

    #[test]
    fn what_decides_a_question_spares_it() {
        // Without data there is no key to choose, and a task that is never tried again has no pause.
        let answers = ["", "forever", "", "0", "none", "", ""];
        let (command, log) = check("Ping", false, &answers);
        assert_eq!(command, "Ping --dedupe forever --retries 0");
        assert!(!log.contains("Key") && !log.contains("Backoff"), "{log}");
        // With a schedule, duplicates are dropped while the first is active.
        let (_, log) = check("Ping a:u8 --key a --schedule @daily", false, &[]);
        assert_eq!(log, "Timeout (30m)");
        // A key that does not fit the fields is asked for again.
        let (_, log) = check("Ping --key b", false, &["a:u8", ""]);
        assert!(log.ends_with("no field of the task\nKey ()"), "{log}");
        // The fields of a site are its own, and so is what its key may hold.
        let (_, log) = check("Ping", true, &["anything"]);
        assert!(log.starts_with("Key ()\nDedupe "), "{log}");
    }
}
