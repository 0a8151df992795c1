//! Findings that are known: one line each, sorted, without the lines of the code.

use std::collections::BTreeMap;

use super::Finding;
use crate::note::{Outcome, Refusal};
use crate::workspace::SourceFile;

/// Findings by their key, and how many there are of each.
#[derive(Debug, Default, PartialEq, Eq)]
pub struct Baseline {
    counts: BTreeMap<String, usize>,
}

/// Parts of a line: rule, path, function, tokens.
const PARTS: usize = 4;

impl Baseline {
    /// The baseline of these findings.
    #[must_use]
    pub fn of(findings: &[Finding]) -> Self {
        let mut counts = BTreeMap::new();
        for finding in findings {
            *counts.entry(finding.key()).or_default() += 1;
        }
        Self { counts }
    }

    /// Reads a file; a line that is no entry is refused.
    pub fn parse(file: &SourceFile) -> Outcome<Self> {
        let mut counts = BTreeMap::new();
        let mut at = 0;
        for line in file.text.split_inclusive('\n') {
            let start = at;
            at += line.len();
            let line = line.trim_end_matches(['\n', '\r']);
            if line.is_empty() {
                continue;
            }
            let parts: Vec<&str> = line.split('\t').collect();
            let is_rule = super::RULES.iter().any(|rule| rule.id == parts[0]);
            if parts.len() != PARTS || !is_rule {
                let message = format!("the baseline `{}` holds a line that is no entry", file.path);
                return Err(Refusal::new("baseline", message)
                    .at(file.place(&(start..start + line.len())))
                    .help("write it anew with `cargo oxy-task check --write-baseline FILE`"));
            }
            *counts.entry(line.to_owned()).or_default() += 1;
        }
        Ok(Self { counts })
    }

    /// The text of the file.
    #[must_use]
    pub fn text(&self) -> String {
        let lines = self.counts.iter();
        lines
            .map(|(key, count)| format!("{key}\n").repeat(*count))
            .collect()
    }

    /// Takes the findings out that are known, and gives the entries of those that are gone.
    pub fn take(mut self, findings: &mut Vec<Finding>) -> Vec<String> {
        findings.retain(|finding| {
            let known = self.counts.get_mut(&finding.key());
            let Some(left) = known.filter(|left| **left > 0) else {
                return true;
            };
            *left -= 1;
            false
        });
        let gone = self.counts.into_iter();
        gone.flat_map(|(key, count)| vec![key; count]).collect()
    }
}
