//! What the guideline says of a site, with the reasons.

use super::channels::{Ends, ends};
use super::effects::{self, Effect};
use super::evidence::{Evidence, Finding, Looker};
use super::joined::Fate;
use super::machinery::Machinery;
use super::migratable::{Migratable, migratable};
use super::questions::{decides, is_outside, questions, writes_result};
use super::reach::{Origin, Reach};
use super::shape::{Shape, shape, statements};
use super::sites::{Seen, Site};
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
    /// Types of the machinery that runs tasks, looked for when they are asked for.
    pub machinery: Machinery<'a, 'w>,
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
            && let Some((text, at)) = self.plumbing(site, &ends, &evidence, &shape, origin)?
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
    ) -> Outcome<Option<(String, usize)>> {
        if let Some(at) = shape.waits {
            return Ok(Some((
                "it waits for a cancellation, a signal or a change, and ends with it".to_owned(),
                at,
            )));
        }
        if let Some(at) = shape.drives {
            return Ok(Some((
                "it drives a connection, a server or tasks that were made before".to_owned(),
                at,
            )));
        }
        if let Some(at) = shape.receives {
            return Ok(Some((
                "it lives as long as the channel that it receives from".to_owned(),
                at,
            )));
        }
        if let Some(name) = self.machine(site)? {
            return Ok(Some((
                format!("it is part of what runs tasks: it deals with `{name}`"),
                site.offset,
            )));
        }
        let ticks = evidence
            .findings
            .iter()
            .any(|finding| finding.effect == Effect::Tick);
        if let Some(at) = shape.endless.filter(|_| !ticks) {
            return Ok(Some(("a loop for the life of the process".to_owned(), at)));
        }
        if ticks {
            return Ok(None);
        }
        if let Fate::HandedOn(how, at) = &site.fate {
            return Ok(Some((
                format!("its handle is {how}: who holds it answers for it"),
                *at,
            )));
        }
        let is_quiet = !evidence
            .findings
            .iter()
            .any(|finding| is_outside(&finding.effect));
        if let Some(receiver) = ends.returned.as_ref().filter(|_| is_quiet) {
            return Ok(Some((
                format!(
                    "`{receiver}`, which it sends into, is returned: who receives answers for it"
                ),
                site.offset,
            )));
        }
        Ok((origin == Origin::StartUp && !is_in_loop(site)).then(|| {
            (
                "only the start of the program leads to it: once, for no request".to_owned(),
                site.offset,
            )
        }))
    }

    /// The type of the machinery of tasks that a site deals with.
    fn machine(&self, site: &Site) -> Outcome<Option<&str>> {
        let machinery = self.machinery.names()?;
        let signature = site.function.fact();
        let output = std::iter::once(signature.output.as_str());
        let captured = site
            .captures
            .iter()
            .filter_map(|capture| capture.ty.as_deref());
        let parameters = signature.params.iter().map(|(_, ty)| ty.as_str());
        for ty in output.chain(captured).chain(parameters) {
            let mut words = ty.split(|c: char| !c.is_alphanumeric() && c != '_');
            let found = words.find_map(|word| machinery.iter().find(|name| *name == word));
            if let Some(name) = found {
                return Ok(Some(name));
            }
        }
        Ok(None)
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
