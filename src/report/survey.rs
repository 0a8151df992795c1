//! The sites that spawn: a table for people, an object for scripts, a sheet for a review.

use serde_json::{Map, Value, json};

use super::{Shell, sarif};
use crate::cli::Format;
use crate::note::Note;
use crate::spawn::{Migratable, Survey, Surveyed, Verdict};

/// Shows the sites in `format`.
pub fn show(shell: &Shell, format: Format, found: &Survey) {
    let sites = &found.sites;
    match format {
        Format::Json => shell.product(&object(found).to_string()),
        Format::Sarif => shell.product(&format!("{:#}", sarif::log(sites))),
        Format::Markdown => shell.product(&sheet(sites)),
        Format::Human => {
            shell.product(&table(sites, shell.is_verbose()));
            shell.status("Surveyed", &counts(sites));
        }
    }
    for place in &found.unseen {
        let message = "what is spawned here is not looked into: it stands in no function";
        shell.note(&Note::warning("unseen-spawn", message).at(place.clone()));
    }
}

/// The sites of a verdict, in order.
fn of(sites: &[Surveyed], verdict: Verdict) -> impl Iterator<Item = &Surveyed> {
    let is_it = move |of: &&Surveyed| of.judgement.verdict == verdict;
    sites.iter().filter(is_it)
}

/// `12 sites: 3 task-spec, 9 awaited`.
fn counts(sites: &[Surveyed]) -> String {
    let each = Verdict::ALL.into_iter().filter_map(|verdict| {
        let count = of(sites, verdict).count();
        (count > 0).then(|| format!("{count} {}", verdict.name()))
    });
    let each: Vec<String> = each.collect();
    let noun = if sites.len() == 1 { "site" } else { "sites" };
    match each.as_slice() {
        [] => "no site that spawns".to_owned(),
        each => format!("{} {noun}: {}", sites.len(), each.join(", ")),
    }
}

/// A reason with its rule before it.
fn reason(of: &Surveyed, at: usize) -> String {
    let Some(reason) = of.judgement.reasons.get(at) else {
        return String::new();
    };
    match &reason.rule {
        Some(rule) => format!("{rule} {}", reason.because),
        None => reason.because.clone(),
    }
}

/// The reason that says most: of a site that nothing decides, what would.
fn decisive(of: &Surveyed) -> usize {
    match of.judgement.verdict {
        Verdict::Undecided => of.judgement.reasons.len().saturating_sub(1),
        _ => 0,
    }
}

/// Groups by verdict, the worst first; captures and further reasons where `is_verbose`.
fn table(sites: &[Surveyed], is_verbose: bool) -> String {
    let place = |of: &Surveyed| format!("{}:{}", of.site.place.path, of.site.place.line);
    let mut out = String::new();
    for verdict in Verdict::ALL {
        let group: Vec<&Surveyed> = of(sites, verdict).collect();
        if group.is_empty() {
            continue;
        }
        if !out.is_empty() {
            out.push('\n');
        }
        out.push_str(&format!("{} ({})\n", verdict.name(), group.len()));
        let function = |of: &Surveyed| of.site.function_name();
        let width = |text: &dyn Fn(&Surveyed) -> String| {
            group
                .iter()
                .map(|of| text(of).chars().count())
                .max()
                .unwrap_or(0)
        };
        let (places, functions) = (width(&place), width(&function));
        for of in group {
            let mark = if of.site.is_test { " (test)" } else { "" };
            out.push_str(&format!(
                "  {:<places$}  {:<functions$}  {}{mark}\n",
                place(of),
                of.site.function_name(),
                reason(of, decisive(of))
            ));
            if !is_verbose {
                continue;
            }
            let further = 0..of.judgement.reasons.len();
            for at in further.filter(|at| *at != decisive(of)) {
                out.push_str(&format!("      {}\n", reason(of, at)));
            }
            for capture in &of.site.captures {
                let ty = capture.ty.as_deref().unwrap_or("unknown");
                out.push_str(&format!(
                    "      {}: {ty} ({})\n",
                    capture.name,
                    capture.role.name()
                ));
            }
        }
    }
    out
}

fn object(found: &Survey) -> Value {
    let sites = &found.sites;
    let unseen = found.unseen.iter();
    let unseen = unseen.map(|place| json!({ "path": place.path, "line": place.line }));
    let verdicts = Verdict::ALL.into_iter();
    let counts: Map<String, Value> = verdicts
        .map(|verdict| {
            (
                verdict.name().to_owned(),
                Value::from(of(sites, verdict).count()),
            )
        })
        .collect();
    let in_handlers = sites
        .iter()
        .filter(|of| of.judgement.in_http_handler)
        .count();
    let mut summary = json!({ "sites": sites.len(), "in_http_handler": in_handlers });
    if let Some(summary) = summary.as_object_mut() {
        summary.extend(counts);
    }
    json!({
        "command": "survey",
        "sites": sites.iter().map(site).collect::<Vec<_>>(),
        "summary": summary,
        "unseen": unseen.collect::<Vec<_>>(),
    })
}

fn site(of: &Surveyed) -> Value {
    let Surveyed { site, judgement } = of;
    let reasons = judgement.reasons.iter().map(
        |reason| json!({ "rule": reason.rule, "because": reason.because, "line": reason.line }),
    );
    let captures = site.captures.iter().map(
        |capture| json!({ "name": capture.name, "type": capture.ty, "role": capture.role.name() }),
    );
    json!({
        "path": site.place.path,
        "line": site.place.line,
        "column": site.place.column,
        "function": site.function_name(),
        "package": site.package,
        "call": site.call,
        "in_http_handler": judgement.in_http_handler,
        "verdict": judgement.verdict.name(),
        "reasons": reasons.collect::<Vec<_>>(),
        "captures": captures.collect::<Vec<_>>(),
        "migratable": judgement.migratable.name(),
        "steps": judgement.steps,
        "is_test": site.is_test,
    })
}

/// A scope survey for a design review.
fn sheet(sites: &[Surveyed]) -> String {
    let mut out = String::from("# Spawned work\n\n");
    out.push_str(&format!("{}.\n\n", sentence(&counts(sites))));
    out.push_str(
        "| verdict | sites | in HTTP handlers | migratable as it stands | after steps |\n",
    );
    out.push_str("| --- | ---: | ---: | ---: | ---: |\n");
    for verdict in Verdict::ALL {
        let group: Vec<&Surveyed> = of(sites, verdict).collect();
        let with = |wanted: Migratable| {
            group
                .iter()
                .filter(|of| of.judgement.migratable == wanted)
                .count()
        };
        out.push_str(&format!(
            "| {} | {} | {} | {} | {} |\n",
            verdict.name(),
            group.len(),
            group
                .iter()
                .filter(|of| of.judgement.in_http_handler)
                .count(),
            with(Migratable::Yes),
            with(Migratable::WithSteps),
        ));
    }
    for (verdict, about) in [
        (
            Verdict::TaskSpec,
            "Should be tasks: at least one of the guideline's questions is answered with yes.",
        ),
        (
            Verdict::Undecided,
            "To be decided by a person: the last reason says what decides.",
        ),
    ] {
        let group: Vec<&Surveyed> = of(sites, verdict).collect();
        if group.is_empty() {
            continue;
        }
        out.push_str(&format!("\n## {}\n\n{about}\n", verdict.name()));
        for of in group {
            let place = &of.site.place;
            out.push_str(&format!(
                "\n### `{}` at {}:{}\n\n",
                of.site.function_name(),
                place.path,
                place.line
            ));
            out.push_str(&format!(
                "`{}` in package `{}`{}.\n\n",
                of.site.call,
                of.site.package,
                if of.judgement.in_http_handler {
                    ", reached from HTTP handlers only"
                } else {
                    ""
                }
            ));
            for (at, found) in of.judgement.reasons.iter().enumerate() {
                out.push_str(&format!("- {} (line {})\n", reason(of, at), found.line));
            }
            if !of.site.captures.is_empty() {
                out.push_str("\n| captured | type | role |\n| --- | --- | --- |\n");
                for capture in &of.site.captures {
                    let ty = capture.ty.as_deref().map_or("unknown".to_owned(), |ty| {
                        format!("`{}`", ty.replace('|', "\\|"))
                    });
                    out.push_str(&format!(
                        "| `{}` | {ty} | {} |\n",
                        capture.name,
                        capture.role.name()
                    ));
                }
            }
            out.push_str(&format!("\nMigratable: {}", of.judgement.migratable.name()));
            match of.judgement.steps.as_slice() {
                [] => out.push_str(".\n"),
                steps => {
                    out.push_str(":\n\n");
                    for step in steps {
                        out.push_str(&format!("- {step}\n"));
                    }
                }
            }
        }
    }
    for verdict in [Verdict::Acceptable, Verdict::Structural, Verdict::Awaited] {
        let group: Vec<&Surveyed> = of(sites, verdict).collect();
        if group.is_empty() {
            continue;
        }
        out.push_str(&format!(
            "\n## {}\n\n| site | function | why |\n| --- | --- | --- |\n",
            verdict.name()
        ));
        for of in group {
            out.push_str(&format!(
                "| {}:{} | `{}` | {} |\n",
                of.site.place.path,
                of.site.place.line,
                of.site.function_name(),
                reason(of, 0).replace('|', "\\|")
            ));
        }
    }
    out
}

/// The text with a capital at its start.
fn sentence(text: &str) -> String {
    let mut chars = text.chars();
    let first = chars.next().map(|c| c.to_uppercase().to_string());
    format!("{}{}", first.unwrap_or_default(), chars.as_str())
}
