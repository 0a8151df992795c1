//! Whether a coordinator retries tasks that no other task delegated.
//!
//! A coordinator knows a task as a node, and goes by the policy that it is given there. Where
//! the nodes of root tasks are given none, nobody retries these, whatever their rows say, and
//! the generated envelope does; where they are given one, the envelope would do it twice.

use super::{Queue, Value};
use crate::index::Index;
use crate::note::{Outcome, Place, Refusal};

/// Where root tasks become known without a policy.
pub struct RootPolicy {
    /// The places, in the order of their files.
    pub none: Vec<Place>,
}

/// Reads the struct literals of the queue's crate that have no parent and a field for the policy.
///
/// Refuses where one of them is given a policy.
pub fn discover(index: &Index<'_>, queue: &Queue) -> Outcome<RootPolicy> {
    let mut none = Vec::new();
    let columns = queue.row.columns.iter();
    let mut policies = columns.filter(|column| matches!(column.value, Value::Policy(_)));
    let (Some(member), Some(policy)) = (
        index.workspace.member(&queue.package),
        policies.next().map(|column| column.name.as_str()),
    ) else {
        return Ok(RootPolicy { none });
    };
    let mut paths = index.containing_in(member, &format!("{policy}: "));
    paths.retain(|path| !index.is_for_tests(path));
    index.parse_all(&paths)?;
    for path in paths {
        let facts = index.facts(&path)?;
        for function in facts.functions.iter().filter(|f| !f.is_test) {
            let text = facts.text(&function.range);
            if !(text.contains("parent") && text.contains("None") && text.contains(policy)) {
                continue;
            }
            // The body is parsed only where the tokens hold such a field.
            if !facts.may_set(function, "parent", "None") {
                continue;
            }
            for literal in &facts.body(function).literals {
                let is_root =
                    |(name, value): &(String, String)| name.contains("parent") && value == "None";
                let given = literal.fields.iter().find(|(name, _)| name == policy);
                let (true, Some((_, given))) = (literal.fields.iter().any(is_root), given) else {
                    continue;
                };
                let place = facts.place(&literal.range);
                if given != "None" {
                    let message = format!(
                        "a root task is given the policy `{given}` in `{}`: it would be retried twice",
                        function.name
                    );
                    return Err(Refusal::new("root-policy", message).at(place).help(
                        "the envelope retries a root task within its claim: give its node no policy",
                    ));
                }
                none.push(place);
            }
        }
    }
    Ok(RootPolicy { none })
}
