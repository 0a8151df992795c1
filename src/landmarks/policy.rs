//! The types that say how a failure is retried, read from the queue's policy.

use super::{Config, Queue};
use crate::index::Index;
use crate::note::{Outcome, Refusal};

/// Paths and names of the policy's parts.
pub struct PolicyTypes {
    /// Absolute path of the policy.
    pub policy: String,
    /// Its field that holds the retry policy.
    pub retry_field: String,
    /// Whether the policy derives `Default`.
    pub has_default: bool,
    /// Its other fields.
    pub other_fields: Vec<(String, String)>,
    /// Absolute path of the retry policy.
    pub retry: String,
    /// Its field for the number of retries.
    pub max_field: String,
    /// Its field for the backoff.
    pub backoff_field: String,
    /// Its field for the patterns that are retried.
    pub patterns_field: String,
    /// Absolute path of the backoff.
    pub backoff: String,
    /// Its forms.
    pub forms: Backoffs,
    /// The method of the backoff that gives the delay of an attempt.
    pub delay_method: String,
}

/// Field names of the two forms of backoff, in milliseconds.
pub struct Backoffs {
    /// Variant and field of the fixed form.
    pub fixed: (String, String),
    /// Variant, first and last delay of the exponential form.
    pub exponential: (String, String, String),
}

/// Reads the policy that the enqueue function takes.
pub fn discover(index: &Index<'_>, queue: &Queue, config: &Config) -> Outcome<PolicyTypes> {
    let name = last(&queue.policy_type);
    let shape = |message: String| {
        let refusal = Refusal::new("policy-shape", message).help(
            "the tool fills a policy of the form { retry: Option<{ max_retries, backoff, retry_on }> } whose backoff is Fixed { delay_ms } or Exponential { initial_delay_ms, max_delay_ms }",
        );
        match config.place("policy") {
            Some(place) => refusal.at(place),
            None => refusal.at(queue.facts.place(&(0..1))),
        }
    };
    let facts = index
        .definition(&queue.policy_type)?
        .ok_or_else(|| shape(format!("cannot find the struct `{}`", queue.policy_type)))?;
    let find = |name: &str| facts.structs.iter().find(|s| s.name == name);
    let policy = find(name).ok_or_else(|| shape(format!("`{name}` is no struct")))?;
    let option = |ty: &str| {
        ty.strip_prefix("Option<")
            .and_then(|rest| rest.strip_suffix('>'))
            .map(str::to_owned)
    };
    let (retry_field, retry) = policy
        .fields
        .iter()
        .find_map(|f| {
            let inner = option(&f.ty)?;
            find(&inner).map(|found| (f.name.clone(), found))
        })
        .ok_or_else(|| shape(format!("`{name}` has no optional retry policy")))?;
    let field = |fits: &dyn Fn(&str, &str) -> bool, what: &str| {
        retry
            .fields
            .iter()
            .find(|f| fits(&f.name, &f.ty))
            .map(|f| (f.name.clone(), f.ty.clone()))
            .ok_or_else(|| shape(format!("`{}` has no field for {what}", retry.name)))
    };
    let (max_field, _) = field(
        &|name, ty| ty == "u32" && name.contains("max"),
        "the number of retries",
    )?;
    let (patterns_field, _) = field(
        &|_, ty| ty == "Vec<String>",
        "the messages that are retried",
    )?;
    let (backoff_field, backoff_name) = field(&|name, _| name.contains("backoff"), "the backoff")?;
    if retry.fields.len() != 3 {
        return Err(shape(format!(
            "`{}` has further fields that the tool cannot fill",
            retry.name
        )));
    }
    let backoff = facts
        .enums
        .iter()
        .find(|e| e.name == last(&backoff_name))
        .ok_or_else(|| shape(format!("cannot find the enum `{backoff_name}`")))?;
    let ms = |count: usize| {
        backoff.variants.iter().find_map(|v| {
            let fields = v.fields.as_ref()?;
            let fits = fields.len() == count
                && fields
                    .iter()
                    .all(|f| f.ty == "u64" && f.name.ends_with("ms"));
            fits.then(|| {
                (
                    v.name.clone(),
                    fields.iter().map(|f| f.name.clone()).collect::<Vec<_>>(),
                )
            })
        })
    };
    let unfit = || {
        shape(format!(
            "`{backoff_name}` has no fixed and exponential form in milliseconds"
        ))
    };
    let fixed = ms(1).ok_or_else(unfit)?;
    let exponential = ms(2).ok_or_else(unfit)?;
    let (first, last_delay) = match exponential.1.as_slice() {
        [a, b] if b.contains("max") => (a.clone(), b.clone()),
        [a, b] if a.contains("max") => (b.clone(), a.clone()),
        _ => return Err(unfit()),
    };
    let delay_method = facts
        .functions
        .iter()
        .find(|f| {
            f.has_self
                && f.is_pub
                && f.output.ends_with("Duration")
                && matches!(f.params.as_slice(), [(_, ty)] if ty == "u32")
                && f.in_impl.is_some_and(|at| facts.impls[at].self_type == backoff.name)
        })
        .map(|f| f.name.clone())
        .ok_or_else(|| {
            shape(format!("`{backoff_name}` has no method that gives the delay of an attempt (u32) as a Duration"))
        })?;
    let module = index
        .module_of(&facts.file.path)
        .ok_or_else(|| shape(format!("`{name}` stands in no library")))?;
    Ok(PolicyTypes {
        policy: format!("{module}::{name}"),
        retry_field: retry_field.clone(),
        has_default: policy.derives.iter().any(|d| d == "Default"),
        other_fields: policy
            .fields
            .iter()
            .filter(|f| f.name != retry_field)
            .map(|f| (f.name.clone(), f.ty.clone()))
            .collect(),
        retry: format!("{module}::{}", retry.name),
        max_field,
        backoff_field,
        patterns_field,
        backoff: format!("{module}::{}", backoff.name),
        forms: Backoffs {
            fixed: (fixed.0, fixed.1[0].clone()),
            exponential: (exponential.0, first, last_delay),
        },
        delay_method,
    })
}

fn last(path: &str) -> &str {
    path.rsplit("::").next().unwrap_or(path)
}
