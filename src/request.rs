//! What the user asked for, validated as far as that is known without the workspace.

use heck::ToSnakeCase;
use syn::parse::Parser;
use syn::visit::Visit;

use crate::note::{Outcome, Refusal};
use crate::suggest;

/// A request to scaffold one task.
#[derive(Debug, Clone)]
pub struct TaskRequest {
    /// The variant's name, `UpperCamelCase`.
    pub variant: String,
    /// Its fields, in the order given.
    pub fields: Vec<Field>,
    /// Fields of the idempotency key, as given; `None` for the default.
    pub key: Option<Vec<String>>,
    /// When a duplicate is dropped.
    pub dedupe: Dedupe,
    /// The task's deadline.
    pub timeout: std::time::Duration,
    /// How often a transient failure is tried again.
    pub retries: u32,
    /// The pause between two tries.
    pub backoff: Backoff,
    /// Messages that are retried; empty for the default.
    pub retry_on: Vec<String>,
    /// The domain status column.
    pub status: Option<StatusRequest>,
    /// When the clock enqueues the task, as [`crate::schedule::parse`] gives it.
    pub schedule: Option<String>,
    /// The serialized name, where it is not serde's.
    pub tag: Option<String>,
    /// The variant's documentation.
    pub doc: Option<String>,
    /// Refuse where an arm would be a `todo!`.
    pub no_todo: bool,
    /// Refuse where nothing claims root tasks.
    pub require_worker: bool,
    /// Options that were given, each with the item of the task's module that it decides.
    pub given: Vec<(&'static str, &'static str)>,
}

impl TaskRequest {
    /// The arguments that ask for the task, from `new` on; what is the default is left out, and what
    /// says nothing of the task, `--no-todo` say.
    #[must_use]
    pub fn arguments(&self) -> Vec<String> {
        let mut out = vec!["new".to_owned(), self.variant.clone()];
        for field in &self.fields {
            let name = &field.name;
            out.push(if field.is_secret {
                format!("{}:secret", name.strip_suffix("_ref").unwrap_or(name))
            } else {
                format!("{name}:{}", crate::index::tokens(&field.ty))
            });
        }
        out.extend(self.options());
        out
    }

    /// The options among them.
    #[must_use]
    pub fn options(&self) -> Vec<String> {
        let mut out = Vec::new();
        let mut option = |name: &str, value: String| out.extend([format!("--{name}"), value]);
        if let Some(key) = &self.key {
            option("key", key.join(","));
        }
        if self.dedupe == Dedupe::Forever {
            option("dedupe", "forever".to_owned());
        }
        let timeout = u64::try_from(self.timeout.as_millis()).unwrap_or(u64::MAX);
        if timeout != 30 * 60_000 {
            option("timeout", span(timeout));
        }
        if self.retries != 5 {
            option("retries", self.retries.to_string());
        }
        match self.backoff {
            Backoff::Exponential(1000, 60_000) => {}
            Backoff::Exponential(first, last) => {
                option("backoff", format!("exp:{}..{}", span(first), span(last)));
            }
            Backoff::Fixed(pause) => option("backoff", format!("fixed:{}", span(pause))),
        }
        for text in &self.retry_on {
            option("retry-on", text.clone());
        }
        if let Some(status) = &self.status {
            option("status", status.to_string());
        }
        let rest = [
            ("schedule", &self.schedule),
            ("tag", &self.tag),
            ("doc", &self.doc),
        ];
        for (name, value) in rest {
            if let Some(value) = value {
                option(name, value.clone());
            }
        }
        out
    }
}

/// Options that say what an item of the task's module is like, each with that item.
const DECIDED: [(&str, &str); 9] = [
    ("--dedupe", "fn insert"),
    ("--dedupe", "fn enqueue"),
    ("--timeout", "const TIMEOUT"),
    ("--retries", "fn policy"),
    ("--backoff", "fn policy"),
    ("--retry-on", "fn policy"),
    ("--status", "const TABLE"),
    ("--status", "fn statuses"),
    ("--schedule", "const SCHEDULE"),
];

/// What `option` decides, as [`TaskRequest::given`] holds it.
pub fn decided(option: &str) -> impl Iterator<Item = (&'static str, &'static str)> {
    DECIDED.into_iter().filter(move |(of, _)| *of == option)
}

/// Milliseconds in the largest unit that holds them.
fn span(millis: u64) -> String {
    let units = [(3_600_000, "h"), (60_000, "m"), (1000, "s")];
    let unit = units.iter().find(|(of, _)| millis.is_multiple_of(*of));
    unit.map_or(format!("{millis}ms"), |(of, unit)| {
        format!("{}{unit}", millis / of)
    })
}

impl std::fmt::Display for StatusRequest {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "{}.{}", self.entity, self.column)?;
        if let Some(field) = &self.field {
            write!(f, "@{field}")?;
        }
        let values = [
            ("running", &self.running),
            ("done", &self.done),
            ("failed", &self.failed),
        ];
        let mut mark = ':';
        for (name, value) in values {
            if let Some(value) = value {
                write!(f, "{mark}{name}={value}")?;
                mark = ',';
            }
        }
        Ok(())
    }
}

/// One field of the variant.
#[derive(Debug, Clone)]
pub struct Field {
    /// The name without `r#`.
    pub name: String,
    /// The type.
    pub ty: syn::Type,
    /// Whether it carries a reference to a secret.
    pub is_secret: bool,
}

impl Field {
    /// The name as it is written in code: with `r#` where it is a keyword.
    #[must_use]
    pub fn ident(&self) -> String {
        raw(&self.name)
    }

    /// Whether the type is `Option<…>`.
    #[must_use]
    pub fn is_option(&self) -> bool {
        matches!(&self.ty, syn::Type::Path(path)
            if path.path.segments.last().is_some_and(|s| s.ident == "Option"))
    }
}

/// When a duplicate is dropped.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Dedupe {
    /// While the first is queued or running.
    Active,
    /// For ever.
    Forever,
}

/// The pause between two tries, in milliseconds.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Backoff {
    /// Always the same.
    Fixed(u64),
    /// Doubling from the first to the last.
    Exponential(u64, u64),
}

/// `entity.column[@FIELD][:running=V,done=V,failed=V]`.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct StatusRequest {
    /// The entity: its module or table.
    pub entity: String,
    /// The column.
    pub column: String,
    /// The field that holds the row's key.
    pub field: Option<String>,
    /// The value while the task runs.
    pub running: Option<String>,
    /// The value when it is done.
    pub done: Option<String>,
    /// The value when it failed.
    pub failed: Option<String>,
}

/// `name`, with `r#` where it is a keyword.
#[must_use]
pub fn raw(name: &str) -> String {
    // A keyword since edition 2024, which syn does not know.
    if name != "gen" && syn::parse_str::<syn::Ident>(name).is_ok() {
        name.to_owned()
    } else {
        format!("r#{name}")
    }
}

/// A path whose segments are written with `r#` where they are keywords.
#[must_use]
pub fn raw_path(path: &str) -> String {
    let segments: Vec<String> = path
        .split("::")
        .map(|segment| match segment {
            "" | "crate" | "self" | "super" | "Self" => segment.to_owned(),
            _ => raw(segment),
        })
        .collect();
    segments.join("::")
}

/// Modules beside those of the tasks.
const RESERVED: [&str; 9] = [
    "dead_letters",
    "journal",
    "mod",
    "schedule",
    "secrets",
    "status_table",
    "tasks",
    "testing",
    "tests",
];

/// Keywords that cannot be written with `r#`.
const NEVER_RAW: [&str; 3] = ["crate", "self", "super"];

/// Checks that `name` can be a variant: `UpperCamelCase`, no keyword, none of the modules that
/// tasks share.
pub fn variant_name(name: &str) -> Outcome<String> {
    let usage = |why: &str| {
        Refusal::usage("variant-name", format!("`{name}` {why}"))
            .help("name the work in UpperCamelCase, `CloneRepository` say")
    };
    if syn::parse_str::<syn::Ident>(name).is_err() {
        let is_keyword = syn::parse_str::<syn::Ident>(&format!("r#{name}")).is_ok()
            || name == "Self"
            || NEVER_RAW.contains(&name);
        return Err(usage(if is_keyword {
            "is a keyword of Rust"
        } else {
            "is no identifier"
        }));
    }
    let upper = name.starts_with(char::is_uppercase);
    if !upper || name.contains('_') {
        return Err(usage("is not UpperCamelCase"));
    }
    let module = name.to_snake_case();
    if RESERVED.contains(&module.as_str()) {
        let why = format!("would have `{module}` as its module, which all tasks share");
        return Err(usage(&why));
    }
    if NEVER_RAW.contains(&module.as_str()) {
        return Err(usage(&format!(
            "would have `{module}` as its module, a keyword"
        )));
    }
    Ok(name.to_owned())
}

/// Parses `FIELD:TYPE`; `NAME:secret` becomes `NAME_ref: String`.
pub fn field(text: &str) -> Outcome<Field> {
    let usage = |why: String| {
        Refusal::usage("field", why).help("a field is `name:Type`, `depth:Option<u32>` say; `name:secret` is carried as a reference")
    };
    let Some((name, ty)) = text.split_once(':') else {
        return Err(usage(format!("`{text}` has no `:` between name and type")));
    };
    let (name, ty) = (name.trim(), ty.trim());
    let bare = name.strip_prefix("r#").unwrap_or(name);
    let is_ident = syn::parse_str::<syn::Ident>(&raw(bare)).is_ok();
    let unusable = matches!(bare, "self" | "Self" | "super" | "crate" | "_");
    if !is_ident || unusable {
        return Err(usage(format!("`{name}` cannot be the name of a field")));
    }
    if bare.chars().any(char::is_uppercase) {
        return Err(usage(format!("the field `{name}` is not snake_case")));
    }
    if ty == "secret" {
        let name = if bare.ends_with("_ref") {
            bare.to_owned()
        } else {
            format!("{bare}_ref")
        };
        return Ok(Field {
            name,
            ty: syn::parse_quote!(String),
            is_secret: true,
        });
    }
    let ty: syn::Type = syn::parse_str(ty)
        .map_err(|e| usage(format!("the type of `{name}`, `{ty}`, does not parse: {e}")))?;
    if let Some(why) = unsendable(&ty) {
        return Err(Refusal::usage(
            "field-type",
            format!("the field `{name}` cannot travel in a task: {why}"),
        )
        .help("a task is a row in a table: give an owned type that serde can write and read"));
    }
    Ok(Field {
        name: bare.to_owned(),
        ty,
        is_secret: false,
    })
}

/// Why a value of the type cannot stand in a row, as far as its form says so.
fn unsendable(ty: &syn::Type) -> Option<String> {
    struct Walk(Option<String>);
    impl Walk {
        fn found(&mut self, why: &str) {
            self.0.get_or_insert_with(|| why.to_owned());
        }
    }
    impl<'a> Visit<'a> for Walk {
        fn visit_type(&mut self, ty: &'a syn::Type) {
            match ty {
                syn::Type::Reference(_) => self.found("it is borrowed"),
                syn::Type::Ptr(_) => self.found("it is a raw pointer"),
                syn::Type::BareFn(_) => self.found("it is a function pointer"),
                syn::Type::ImplTrait(_) | syn::Type::TraitObject(_) => {
                    self.found("it is no concrete type");
                }
                syn::Type::Infer(_) => self.found("`_` is no type that can be written down"),
                syn::Type::Never(_) => self.found("`!` has no value"),
                syn::Type::Macro(_) => self.found("it is made by a macro"),
                _ => syn::visit::visit_type(self, ty),
            }
        }
        fn visit_lifetime(&mut self, _: &'a syn::Lifetime) {
            self.found("it is borrowed");
        }
        fn visit_path_segment(&mut self, segment: &'a syn::PathSegment) {
            let name = segment.ident.to_string();
            let why = match name.as_str() {
                "Arc" | "Rc" | "Weak" => "shared ownership does not survive serialization",
                "Instant" => "an `Instant` means nothing in another process",
                "Sender" | "Receiver" | "JoinHandle" | "DatabaseConnection" | "MutexGuard" => {
                    "it is a handle of this process"
                }
                "Self" => "`Self` would be the enum itself",
                "str" | "Path" | "OsStr" => "it is unsized",
                _ => return syn::visit::visit_path_segment(self, segment),
            };
            self.found(&format!("{why} (`{name}`)"));
        }
    }
    let mut walk = Walk(None);
    walk.visit_type(ty);
    walk.0
}

/// Checks the fields against each other and the key against the fields.
pub fn check_fields(fields: &[Field], key: Option<&[String]>) -> Outcome<()> {
    for (i, field) in fields.iter().enumerate() {
        if fields[..i].iter().any(|other| other.name == field.name) {
            return Err(Refusal::usage(
                "field-twice",
                format!("the field `{}` is given twice", field.name),
            )
            .help("give each field once"));
        }
    }
    let key = key.unwrap_or_default();
    for (i, name) in key.iter().enumerate() {
        if key[..i].contains(name) {
            return Err(
                Refusal::usage("key-field", format!("`{name}` is given twice in the key"))
                    .help("name each field once"),
            );
        }
        let secret = format!("{name}_ref");
        if fields
            .iter()
            .any(|field| field.is_secret && field.name == secret)
        {
            return Err(secret_in_key(name));
        }
        let Some(field) = fields.iter().find(|field| field.name == *name) else {
            let usable = fields.iter().filter(|field| !field.is_secret);
            let known: Vec<&str> = usable.map(|field| field.name.as_str()).collect();
            return Err(Refusal::usage(
                "key-field",
                format!("the key names `{name}`, which is no field of the task"),
            )
            .help(if known.is_empty() {
                "the task has no fields for one: leave --key out".to_owned()
            } else {
                suggest::or_one_of(name, &known, "fields for a key are")
            }));
        };
        if field.is_secret {
            return Err(secret_in_key(name));
        }
    }
    Ok(())
}

fn secret_in_key(name: &str) -> Refusal {
    Refusal::usage(
        "key-secret",
        format!("`{name}` refers to a secret and cannot be part of the key"),
    )
    .help("leave it out: a key says which work it is, not who may do it")
}

/// Parses `30m`, `90s`, `500ms`, `2h`.
pub fn duration(text: &str) -> Outcome<std::time::Duration> {
    let digits = text
        .find(|c: char| !c.is_ascii_digit())
        .unwrap_or(text.len());
    let unit = match &text[digits..] {
        "ms" => Some(1),
        "s" => Some(1_000),
        "m" => Some(60_000),
        "h" => Some(3_600_000),
        "d" => Some(86_400_000),
        _ => None,
    };
    let number = text[..digits].parse::<u64>().ok();
    number
        .zip(unit)
        .and_then(|(n, unit)| n.checked_mul(unit))
        .filter(|ms| *ms > 0)
        .map(std::time::Duration::from_millis)
        .ok_or_else(|| {
            Refusal::usage("duration", format!("`{text}` is no duration"))
                .help("a duration is a positive number with `ms`, `s`, `m`, `h` or `d`: `30m`")
        })
}

/// Parses `fixed:2s` or `exp:1s..60s`.
pub fn backoff(text: &str) -> Outcome<Backoff> {
    let ms = |text: &str| duration(text).map(|d| u64::try_from(d.as_millis()).unwrap_or(u64::MAX));
    if let Some(delay) = text.strip_prefix("fixed:") {
        return Ok(Backoff::Fixed(ms(delay)?));
    }
    if let Some((first, last)) = text.strip_prefix("exp:").and_then(|t| t.split_once("..")) {
        let (first, last) = (ms(first)?, ms(last)?);
        if first <= last {
            return Ok(Backoff::Exponential(first, last));
        }
    }
    Err(Refusal::usage("backoff", format!("`{text}` is no backoff"))
        .help("a backoff is `fixed:2s`, or `exp:1s..60s` with the smaller delay first"))
}

/// A number of tries.
pub fn retries(text: &str) -> Outcome<u32> {
    text.parse().map_err(|_| {
        Refusal::usage("retries", format!("`{text}` is no number of tries"))
            .help("give a whole number; 0 never tries again")
    })
}

/// A part of the messages that are worth another try.
pub fn retry_on(text: &str) -> Outcome<String> {
    if text.is_empty() {
        return Err(Refusal::usage("retry-on", "`` would retry every failure")
            .help("give a part of the messages that are worth another try"));
    }
    Ok(text.to_owned())
}

/// A schedule for a task that drops duplicates so.
pub fn scheduled(text: &str, dedupe: Dedupe) -> Outcome<String> {
    if dedupe == Dedupe::Forever {
        return Err(Refusal::usage(
            "schedule",
            "with `--dedupe forever` the schedule enqueues the task once and never again",
        )
        .help("leave --dedupe out: of a tick comes one task all the same"));
    }
    crate::schedule::parse(text)
}

/// Parses `entity.column[@FIELD][:running=V,done=V,failed=V]`.
pub fn status(text: &str) -> Outcome<StatusRequest> {
    let usage = |why: String| {
        Refusal::usage("status", why).help(
            "a status is `entity.column[@FIELD][:running=V,done=V,failed=V]`, \
             `workspaces.status@workspace_id:running=Cloning,done=Ready,failed=Failed` say",
        )
    };
    let (place, values) = text
        .split_once(':')
        .map_or((text, None), |(place, values)| (place, Some(values)));
    let (place, field) = place
        .split_once('@')
        .map_or((place, None), |(place, field)| (place, Some(field)));
    let Some((entity, column)) = place.split_once('.') else {
        return Err(usage(format!(
            "`{text}` has no `.` between entity and column"
        )));
    };
    let is_ident = |text: &str| syn::parse_str::<syn::Ident>(&raw(text)).is_ok();
    if !is_ident(entity) || !is_ident(column) || field.is_some_and(|f| !is_ident(f)) {
        return Err(usage(format!("`{text}` names no entity, column or field")));
    }
    let mut status = StatusRequest {
        entity: entity.to_owned(),
        column: column.to_owned(),
        field: field.map(str::to_owned),
        running: None,
        done: None,
        failed: None,
    };
    for part in values.into_iter().flat_map(|values| values.split(',')) {
        let Some((state, value)) = part.split_once('=') else {
            return Err(usage(format!("`{part}` is no `state=value`")));
        };
        let slot = match state.trim() {
            "running" => &mut status.running,
            "done" => &mut status.done,
            "failed" => &mut status.failed,
            other => {
                let refusal = usage(format!("`{other}` is none of running, done, failed"));
                return Err(
                    match suggest::did_you_mean(other, ["running", "done", "failed"]) {
                        Some(question) => refusal.help(question),
                        None => refusal,
                    },
                );
            }
        };
        if slot.replace(value.trim().to_owned()).is_some() {
            return Err(usage(format!("`{state}` is given twice")));
        }
    }
    Ok(status)
}

/// Checks a `--tag`: what serde would write as the value of the tag.
pub fn tag(text: &str) -> Outcome<String> {
    let fits = !text.is_empty()
        && text
            .chars()
            .all(|c| c.is_ascii_alphanumeric() || matches!(c, '_' | '-'));
    if fits {
        return Ok(text.to_owned());
    }
    Err(
        Refusal::usage("tag", format!("`{text}` cannot be a wire tag"))
            .help("use letters, digits, `_` and `-`: the tag is also the start of every task id"),
    )
}

/// Documentation as lines; control characters are refused.
pub fn doc(text: &str) -> Outcome<String> {
    if text.chars().any(|c| c.is_control() && c != '\n') {
        return Err(
            Refusal::usage("doc", "the documentation holds control characters")
                .help("give plain text"),
        );
    }
    Ok(text.trim().to_owned())
}

/// Parses a comma-separated list of field names.
pub fn key(text: &str) -> Outcome<Vec<String>> {
    let parser = syn::punctuated::Punctuated::<syn::Ident, syn::Token![,]>::parse_terminated;
    let names: Vec<String> = text
        .split(',')
        .map(|name| name.trim().trim_start_matches("r#").to_owned())
        .collect();
    let ok = names
        .iter()
        .all(|name| Parser::parse_str(parser, &raw(name)).is_ok_and(|p| p.len() == 1));
    if !ok {
        return Err(
            Refusal::usage("key", format!("`{text}` is no list of fields"))
                .help("give field names joined by commas: `--key clone_url,target_dir`"),
        );
    }
    Ok(names)
}
