//! What the guideline says of a site, with the reasons.

use super::captures::Role;
use super::channels::{Ends, ends};
use super::effects::{self, Effect};
use super::evidence::{Evidence, Finding, Looker};
use super::joined::Fate;
use super::reach::{Origin, Reach};
use super::shape::{Shape, shape, statements};
use super::sites::{Seen, Site};
use super::types;
use crate::index::{Code, Kind};
use crate::note::Outcome;

/// What the guideline says.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub enum Verdict {
    /// It should be a task.
    TaskSpec,
    /// The evidence does not decide.
    Undecided,
    /// It may stay.
    Acceptable,
    /// The plumbing of the process.
    Structural,
    /// The code that spawned it waits for it.
    Awaited,
}

impl Verdict {
    /// All, the worst first.
    pub const ALL: [Self; 5] = [
        Self::TaskSpec,
        Self::Undecided,
        Self::Acceptable,
        Self::Structural,
        Self::Awaited,
    ];

    /// Its name in the output.
    #[must_use]
    pub fn name(self) -> &'static str {
        match self {
            Self::TaskSpec => "task-spec",
            Self::Undecided => "undecided",
            Self::Acceptable => "acceptable",
            Self::Structural => "structural",
            Self::Awaited => "awaited",
        }
    }
}

/// Why a verdict is what it is.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Reason {
    /// The rule, `Q1` to `Q6` or `A1` to `A3`; `None` where the guideline has none.
    pub rule: Option<String>,
    /// The reason, in words.
    pub because: String,
    /// The line in the site's file.
    pub line: usize,
}

/// Whether the site could become a task.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Migratable {
    /// As it stands.
    Yes,
    /// After steps.
    WithSteps,
    /// Not.
    No,
}

impl Migratable {
    /// Its name in the output.
    #[must_use]
    pub fn name(self) -> &'static str {
        match self {
            Self::Yes => "yes",
            Self::WithSteps => "with-steps",
            Self::No => "no",
        }
    }
}

/// Everything that is said of a site.
#[derive(Debug, Clone)]
pub struct Judgement {
    /// The verdict.
    pub verdict: Verdict,
    /// The reasons, the decisive one first.
    pub reasons: Vec<Reason>,
    /// Whether only HTTP handlers lead to it.
    pub in_http_handler: bool,
    /// Whether it could become a task.
    pub migratable: Migratable,
    /// What would have to be done first.
    pub steps: Vec<String>,
}

/// Judges sites.
pub struct Judge<'a, 'i, 'w> {
    /// Who calls what.
    pub reach: Reach<'a, 'i, 'w>,
    /// What work does.
    pub looker: Looker<'a, 'i, 'w>,
    /// Types of the machinery that runs tasks.
    pub machinery: Vec<String>,
}

impl Judge<'_, '_, '_> {
    /// What the guideline says of a site.
    pub fn judge(&self, site: &Site, seen: &Seen<'_, '_>) -> Outcome<Judgement> {
        let origin = self.reach.origin(&site.function)?;
        let (verdict, reasons) = self.verdict(site, seen, origin)?;
        let (migratable, steps) = migratable(site, verdict);
        Ok(Judgement {
            verdict,
            reasons,
            in_http_handler: origin == Origin::Handlers,
            migratable,
            steps,
        })
    }

    fn verdict(
        &self,
        site: &Site,
        seen: &Seen<'_, '_>,
        origin: Origin,
    ) -> Outcome<(Verdict, Vec<Reason>)> {
        let line = |at: usize| site.function.facts.place(&(at..at)).line;
        let because = |rule: Option<&str>, because: String, at: usize| Reason {
            rule: rule.map(str::to_owned),
            because,
            line: line(at),
        };
        let one = |verdict: Verdict, rule: Option<&str>, text: String, at: usize| {
            Ok((verdict, vec![because(rule, text, at)]))
        };
        let function = &site.function.fact().name;
        if let Fate::Joined(how, at) = &site.fate {
            let text = match how.as_str() {
                "aborted" => "aborted by the function that spawned it".to_owned(),
                how => format!(
                    "{} by the function that spawned it",
                    how.trim_end_matches(',')
                ),
            };
            return one(Verdict::Awaited, None, text, *at);
        }
        if site.hands_on {
            let text =
                format!("it runs what `{function}` is given: its callers are listed themselves");
            return one(Verdict::Structural, None, text, site.offset);
        }
        let ends = ends(site, seen);
        if let Some((receiver, at)) = &ends.read_here {
            let text =
                format!("`{function}` reads `{receiver}`, which it sends into, before it goes on");
            return one(Verdict::Awaited, None, text, *at);
        }
        let evidence = self.looker.evidence(seen)?;
        let shape = shape(
            self.looker.program,
            seen.function,
            seen.code,
            seen.work,
            seen.known,
        )?;
        let is_handler = origin == Origin::Handlers;
        if let Some((rule, text)) = of_stream(site, &ends, &evidence, &shape) {
            return one(Verdict::Acceptable, Some(rule), text, site.offset);
        }
        // A handler's own work is never plumbing; a loop that it starts for others may be.
        let is_loop =
            shape.receives.is_some() && !evidence.findings.iter().any(|f| is_outside(&f.effect));
        if (!is_handler || is_loop)
            && let Some((text, at)) = self.plumbing(site, &ends, &evidence, &shape, origin)
        {
            return one(Verdict::Structural, None, text, at);
        }
        let questions = questions(site, seen, &evidence);
        let outside: Vec<&Finding> = evidence
            .findings
            .iter()
            .filter(|f| is_outside(&f.effect))
            .collect();
        let is_metric = evidence.calls.iter().any(|call| {
            let name = call.rsplit("::").next().unwrap_or(call);
            name.split('_')
                .any(|word| effects::METRIC_WORDS.contains(&word))
        });
        let is_moment = !evidence.findings.iter().any(|finding| {
            matches!(
                finding.effect,
                Effect::Model
                    | Effect::Git
                    | Effect::Process
                    | Effect::Mail
                    | Effect::Tick
                    | Effect::Status
            )
        });
        if is_metric && is_moment && statements(seen.work).len() == 1 {
            let text = "one write of what may be lost, a metric by its name".to_owned();
            return one(Verdict::Acceptable, Some("A1"), text, site.offset);
        }
        let configured_acceptable = questions.iter().find(|reason| {
            reason
                .rule
                .as_deref()
                .is_some_and(|rule| rule.starts_with('A'))
        });
        if let Some(reason) = configured_acceptable {
            return Ok((Verdict::Acceptable, vec![reason.clone()]));
        }
        if !outside.is_empty() {
            return Ok((Verdict::TaskSpec, questions));
        }
        if let Some(text) = writes_result(seen.work, &evidence) {
            let mut reasons = questions;
            if let Some(first) = reasons.first_mut() {
                first.because = format!("{}: {text}", first.because);
            }
            return Ok((Verdict::TaskSpec, reasons));
        }
        if let Some(write) = questions.first() {
            let mut reasons = questions.clone();
            reasons.push(Reason {
                rule: None,
                because: decides(&evidence),
                line: write.line,
            });
            return Ok((Verdict::Undecided, reasons));
        }
        if let Some((call, at)) = evidence.unknown.first() {
            let text = format!(
                "nothing is known of `{call}`: whether it takes long, or speaks to another service, decides"
            );
            return one(Verdict::Undecided, None, text, *at);
        }
        let text = "no call that takes long, leaves the process or writes".to_owned();
        one(Verdict::Acceptable, Some("A1"), text, site.offset)
    }

    /// Why a site is the plumbing of a process, if it is, and the offset of what says so.
    fn plumbing(
        &self,
        site: &Site,
        ends: &Ends,
        evidence: &Evidence,
        shape: &Shape,
        origin: Origin,
    ) -> Option<(String, usize)> {
        if let Some(at) = shape.waits {
            return Some((
                "it waits for a cancellation, a signal or a change, and ends with it".to_owned(),
                at,
            ));
        }
        if let Some(at) = shape.drives {
            return Some((
                "it drives a connection, a server or tasks that were made before".to_owned(),
                at,
            ));
        }
        if let Some(at) = shape.receives {
            return Some((
                "it lives as long as the channel that it receives from".to_owned(),
                at,
            ));
        }
        if let Some(name) = self.machine(site) {
            return Some((
                format!("it is part of what runs tasks: it deals with `{name}`"),
                site.offset,
            ));
        }
        let ticks = evidence
            .findings
            .iter()
            .any(|finding| finding.effect == Effect::Tick);
        if let Some(at) = shape.endless.filter(|_| !ticks) {
            return Some(("a loop for the life of the process".to_owned(), at));
        }
        if ticks {
            return None;
        }
        if let Fate::HandedOn(how, at) = &site.fate {
            return Some((
                format!("its handle is {how}: who holds it answers for it"),
                *at,
            ));
        }
        let is_quiet = !evidence
            .findings
            .iter()
            .any(|finding| is_outside(&finding.effect));
        if let Some(receiver) = ends.returned.as_ref().filter(|_| is_quiet) {
            return Some((
                format!(
                    "`{receiver}`, which it sends into, is returned: who receives answers for it"
                ),
                site.offset,
            ));
        }
        (origin == Origin::StartUp && !is_in_loop(site)).then(|| {
            (
                "only the start of the program leads to it: once, for no request".to_owned(),
                site.offset,
            )
        })
    }

    /// The type of the machinery of tasks that a site deals with.
    fn machine(&self, site: &Site) -> Option<&str> {
        let signature = site.function.fact();
        let output = std::iter::once(signature.output.as_str());
        let captured = site
            .captures
            .iter()
            .filter_map(|capture| capture.ty.as_deref());
        let parameters = signature.params.iter().map(|(_, ty)| ty.as_str());
        for ty in output.chain(captured).chain(parameters) {
            let mut words = ty.split(|c: char| !c.is_alphanumeric() && c != '_');
            let found = words.find_map(|word| self.machinery.iter().find(|name| *name == word));
            if let Some(name) = found {
                return Some(name);
            }
        }
        None
    }
}

/// What would decide where the work only writes, or reads files.
fn decides(evidence: &Evidence) -> String {
    let files = evidence
        .findings
        .iter()
        .all(|finding| finding.effect == Effect::Files);
    if files {
        "how much there is to read or write decides: a moment (then it may stay, A1), or more than seconds (then it is a task, Q1)".to_owned()
    } else {
        "one short write: it decides whether it may be lost when the process ends here (then it may stay, A1) or not (then it is a task, Q3)".to_owned()
    }
}

/// What says that work writes down what came of other work that it did before.
fn writes_result(work: &Code, evidence: &Evidence) -> Option<String> {
    let writes = evidence.findings.iter().filter(|finding| {
        matches!(finding.effect, Effect::Status | Effect::Write) && finding.depth <= 3
    });
    let first_write = writes.map(|finding| finding.from).min()?;
    let mut before = None;
    work.walk(&mut |part| {
        if let Kind::Await(of) = &part.kind
            && of.range.end < first_write
            && let Kind::Call(..) | Kind::Method(_) = &of.kind
        {
            before.get_or_insert_with(|| called(of));
        }
    });
    before.map(|call| {
        format!(
            "it holds what came of `{call}`, which nobody asks about again when the process ends"
        )
    })
}

/// The function that a call names.
fn called(call: &Code) -> String {
    match &call.kind {
        Kind::Call(callee, ..) => match &callee.kind {
            Kind::Path(path) => path.clone(),
            _ => "a call".to_owned(),
        },
        Kind::Method(method) => format!(".{}()", method.name),
        _ => "a call".to_owned(),
    }
}

/// Whether the site's function spawns one for each thing that a loop receives.
fn is_in_loop(site: &Site) -> bool {
    let text = site.function.facts.text(&site.function.fact().range);
    ["while let", "loop {", "for "]
        .iter()
        .any(|word| text.contains(word))
}

/// The rule by which work may stay that feeds a response's stream, with the reason.
fn of_stream(
    site: &Site,
    ends: &Ends,
    evidence: &Evidence,
    shape: &Shape,
) -> Option<(&'static str, String)> {
    let receiver = ends.returned.as_ref()?;
    let output = &site.function.fact().output;
    let is_stream = ["Response", "IntoResponse", "Sse", "Stream", "Body"];
    let mut words = output.split(|c: char| !c.is_alphanumeric() && c != '_');
    if !words.any(|word| is_stream.contains(&word)) {
        return None;
    }
    let is_durable = evidence.findings.iter().any(|finding| {
        finding.depth <= 3
            && matches!(
                finding.effect,
                Effect::Status | Effect::Git | Effect::Mail | Effect::Write
            )
    });
    if is_durable {
        return None;
    }
    let rule = if shape.endless.is_some() { "A3" } else { "A2" };
    Some((
        rule,
        format!("it sends into `{receiver}`, which the response streams: it is over when that is"),
    ))
}

fn is_outside(effect: &Effect) -> bool {
    match effect {
        Effect::Model
        | Effect::Git
        | Effect::Process
        | Effect::Mail
        | Effect::Network
        | Effect::Loop
        | Effect::Tick => true,
        Effect::Status | Effect::Write | Effect::Files => false,
        Effect::Configured(rule) => rule.starts_with('Q'),
    }
}

/// The questions that the evidence answers with yes, each once, the weightiest first.
fn questions(site: &Site, seen: &Seen<'_, '_>, evidence: &Evidence) -> Vec<Reason> {
    let mut findings: Vec<&Finding> = evidence.findings.iter().collect();
    findings.sort_by_key(|finding| {
        (
            !is_outside(&finding.effect),
            finding.depth,
            finding.effect.clone(),
            finding.from,
        )
    });
    let mut reasons: Vec<Reason> = Vec::new();
    for finding in &findings {
        for rule in finding.effect.rules() {
            if reasons
                .iter()
                .any(|reason| reason.rule.as_deref() == Some(rule))
            {
                continue;
            }
            let line = site
                .function
                .facts
                .place(&(finding.from..finding.from))
                .line;
            let about = finding.effect.about();
            let because = match &finding.through {
                None => format!("`{}` {about}", finding.call),
                Some(through) => format!(
                    "`{through}` {about} ({} at {}:{})",
                    finding.call, finding.path, finding.line
                ),
            };
            reasons.push(Reason {
                rule: Some(rule.to_owned()),
                because,
                line,
            });
        }
    }
    // A failure that is only logged is lost: another try would mend it.
    let is_remote = findings.iter().any(|finding| {
        matches!(
            finding.effect,
            Effect::Git | Effect::Mail | Effect::Network | Effect::Model
        )
    });
    if let (true, Some(at)) = (is_remote, only_logged(seen.work)) {
        reasons.push(Reason {
            rule: Some("Q6".to_owned()),
            because: "its failure is only logged: nobody tries again".to_owned(),
            line: site.function.facts.place(&(at..at)).line,
        });
    }
    reasons
}

/// Where a failure of the work is only logged.
fn only_logged(work: &Code) -> Option<usize> {
    let is_log = |code: &Code| match &code.kind {
        Kind::Macro(path, _) => {
            let name = path.rsplit("::").next().unwrap_or(path);
            matches!(name, "error" | "warn" | "eprintln" | "info")
        }
        _ => false,
    };
    let mut found = None;
    work.walk(&mut |part| {
        let body = match &part.kind {
            Kind::If(condition, then, _) if binds_error(condition) => Some(&**then),
            _ => None,
        };
        if let Some(Kind::Block(parts, _)) = body.map(|body| &body.kind)
            && parts.iter().all(is_log)
        {
            found.get_or_insert(part.range.start);
        }
        if let Kind::Match(_, arms) = &part.kind {
            let arm = arms.iter().find(|arm| is_error(&arm.binding.pattern));
            if arm.is_some_and(|arm| is_log(&arm.body)) {
                found.get_or_insert(part.range.start);
            }
        }
    });
    found
}

fn binds_error(condition: &Code) -> bool {
    matches!(&condition.kind, Kind::Let(of) if is_error(&of.binding.pattern))
}

fn is_error(pattern: &crate::index::Pattern) -> bool {
    matches!(pattern, crate::index::Pattern::TupleStruct(path, _) if path.rsplit("::").next() == Some("Err"))
}

/// Whether a site could become a task, and what is to be done first.
fn migratable(site: &Site, verdict: Verdict) -> (Migratable, Vec<String>) {
    if matches!(verdict, Verdict::Awaited | Verdict::Structural) {
        return (Migratable::No, Vec::new());
    }
    let mut steps = Vec::new();
    let mut is_possible = true;
    for capture in &site.captures {
        let name = &capture.name;
        match capture.role {
            Role::Data => {
                if let Some(ty) = capture.ty.as_deref().filter(|ty| ty.starts_with('&') && types::head(ty) != "str") {
                    steps.push(format!("`{name}` is borrowed (`{ty}`): carry a value of its own"));
                }
            }
            Role::Handle => steps.push(format!("`{name}` is a handle: let the executor hold one")),
            Role::Secret => steps.push(format!("`{name}` is a secret: carry a reference (`{name}_ref`) and resolve it in the executor")),
            Role::Channel => {
                is_possible = false;
                steps.push(format!("`{name}` is an end of a channel: report by events of the task"));
            }
            Role::Unknown => steps.push(match &capture.ty {
                Some(ty) => format!("whether `{name}` (`{ty}`) can be written down is not known"),
                None => format!("the type of `{name}` is not known: give it with `--type {name}=…`"),
            }),
        }
    }
    let migratable = match (is_possible, steps.is_empty()) {
        (false, _) => Migratable::No,
        (true, true) => Migratable::Yes,
        (true, false) => Migratable::WithSteps,
    };
    (migratable, steps)
}
