//! OXT001: a spawn in an HTTP handler, or in what only handlers call, that is neither acceptable
//! nor justified.
//!
//! What its own function waits for, and the plumbing of the process, is no background work of a
//! request. Where the survey does not decide, the guideline still asks for a reason in writing: that
//! is a warning.

use super::justification::{Justification, justification};
use super::tokens::call;
use super::{Checked, Finding, Level};
use crate::digest::digest;
use crate::index::Index;
use crate::landmarks::Config;
use crate::note::Outcome;
use crate::spawn::{Surveyed, Verdict, survey};

/// Bytes of the digest of a call's tokens.
const DIGEST: usize = 8;

/// Checks every site outside tests.
pub(super) fn check(index: &Index<'_>, config: &Config, checked: &mut Checked) -> Outcome<()> {
    let found = survey(index, config, false)?;
    checked
        .findings
        .extend(found.sites.iter().filter_map(finding));
    Ok(())
}

fn finding(of: &Surveyed) -> Option<Finding> {
    let Surveyed { site, judgement } = of;
    let level = match judgement.verdict {
        Verdict::TaskSpec => Level::Error,
        Verdict::Undecided => Level::Warning,
        Verdict::Acceptable | Verdict::Structural | Verdict::Awaited => return None,
    };
    if !judgement.in_http_handler {
        return None;
    }
    let file = &site.function.facts.file;
    let justification = justification(file, site.offset);
    if justification == Justification::Given {
        return None;
    }
    // What decides, or what would decide: `survey -v` has the rest.
    let decisive = match level {
        Level::Error => judgement.reasons.first(),
        Level::Warning => judgement.reasons.last(),
    };
    let reason = decisive.map(|reason| match &reason.rule {
        Some(rule) => format!(": {rule} {}", reason.because),
        None => format!(": {}", reason.because),
    });
    let what = match level {
        Level::Error => "should be a task",
        Level::Warning => "may have to be a task",
    };
    let empty = match justification {
        Justification::Empty(line) => format!("; the comment on line {line} gives no reason"),
        _ => String::new(),
    };
    let function = site.function_name();
    Some(Finding {
        rule: "OXT001",
        level,
        message: format!(
            "`{}` in `{function}` works for an HTTP handler and {what}{}",
            site.call,
            reason.unwrap_or_default()
        ),
        place: site.place.clone(),
        help: format!(
            "move the work into a task (`cargo oxy-task new`), or say why it may stay directly above: `// oxy-task: allow(spawn) — <reason>`{empty}"
        ),
        function,
        tokens: format!(
            "{} {}",
            site.call,
            digest(&call(&file.text[site.offset..]), DIGEST)
        ),
    })
}
