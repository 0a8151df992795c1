//! Which calls count as what: the table that verdicts are made from.
//!
//! To add a kind of evidence: a line here. A workspace adds its own with
//! `evidence = [{ call = "my_crate::slow", rule = "Q1" }]` in `[workspace.metadata.oxy-task]`.

/// What a call does, as far as the guideline asks.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
pub enum Effect {
    /// Asks a language model or makes embeddings.
    Model,
    /// Runs git.
    Git,
    /// Runs another program.
    Process,
    /// Sends mail.
    Mail,
    /// Speaks to another service.
    Network,
    /// Writes a column that says how something stands.
    Status,
    /// Writes to the database.
    Write,
    /// Waits for the next time of a schedule.
    Tick,
    /// Works through files, or waits for work, once for each of as many things as there are.
    Loop,
    /// Reads or writes files, or holds a thread.
    Files,
    /// What the configuration says: a rule's name.
    Configured(String),
}

impl Effect {
    /// The rules of the guideline that it answers with yes, the weightiest first.
    #[must_use]
    pub fn rules(&self) -> Vec<&str> {
        match self {
            Self::Model | Self::Git => vec!["Q1", "Q2"],
            Self::Process | Self::Loop | Self::Files => vec!["Q1"],
            Self::Mail | Self::Network => vec!["Q2"],
            Self::Status => vec!["Q4"],
            Self::Write => vec!["Q3"],
            Self::Tick => vec!["Q5"],
            Self::Configured(rule) => vec![rule],
        }
    }

    /// What it does, in words.
    #[must_use]
    pub fn about(&self) -> &'static str {
        match self {
            Self::Model => "asks a language model",
            Self::Git => "runs git",
            Self::Process => "runs another program",
            Self::Mail => "sends mail",
            Self::Network => "speaks to another service",
            Self::Status => "writes a status column",
            Self::Write => "writes to the database",
            Self::Tick => "runs on a schedule",
            Self::Loop => "works through as many as there are",
            Self::Files => "reads or writes files, or holds a thread",
            Self::Configured(_) => "counts by the configuration",
        }
    }
}

/// Crates whose functions and types do something outside of the process.
///
/// `*` at the end stands for any ending.
pub const CRATES: &[(&str, Effect)] = &[
    ("async_openai", Effect::Model),
    ("openai*", Effect::Model),
    ("anthropic*", Effect::Model),
    ("ollama*", Effect::Model),
    ("genai", Effect::Model),
    ("rig", Effect::Model),
    ("fastembed", Effect::Model),
    ("git2", Effect::Git),
    ("gix", Effect::Git),
    ("lettre", Effect::Mail),
    ("resend*", Effect::Mail),
    ("sendgrid", Effect::Mail),
    ("aws_sdk_ses*", Effect::Mail),
    ("headless_chrome", Effect::Process),
    ("reqwest*", Effect::Network),
    ("ureq", Effect::Network),
    ("hyper*", Effect::Network),
    ("tonic", Effect::Network),
    ("tungstenite", Effect::Network),
    ("tokio_tungstenite", Effect::Network),
    ("octocrab", Effect::Network),
    ("slack_morphism", Effect::Network),
    ("stripe", Effect::Network),
    ("async_stripe", Effect::Network),
    ("aws_*", Effect::Network),
    ("google_*", Effect::Network),
    ("gcp_*", Effect::Network),
    ("redis", Effect::Network),
    ("lapin", Effect::Network),
    ("rdkafka", Effect::Network),
    ("async_nats", Effect::Network),
    ("clickhouse", Effect::Network),
    ("snowflake*", Effect::Network),
    ("gcp_bigquery_client", Effect::Network),
    ("self_update", Effect::Network),
];

/// Functions that do something outside of the process, by the ends of their absolute paths.
pub const FUNCTIONS: &[(&str, Effect)] = &[
    ("process::Command::new", Effect::Process),
    ("tokio::net::TcpStream::connect", Effect::Network),
    ("tokio_postgres::connect", Effect::Network),
];

/// Functions of `fs` that read or write whole files, and what holds a thread.
pub const FILES: [&str; 11] = [
    "fs::read",
    "fs::read_to_string",
    "fs::write",
    "fs::copy",
    "fs::remove_dir_all",
    "fs::File::open",
    "fs::File::create",
    "fs::create_dir_all",
    "task::spawn_blocking",
    "task::block_in_place",
    "thread::sleep",
];

/// Crates whose functions take a moment and stay in the process.
pub const HARMLESS: [&str; 12] = [
    "std",
    "core",
    "alloc",
    "serde_json",
    "tracing",
    "chrono",
    "uuid",
    "serde",
    "anyhow",
    "log",
    "futures",
    "futures_util",
];

/// Parts of the names of types that speak to a model.
pub const MODEL_TYPES: [&str; 6] = ["OpenAI", "OpenAi", "Anthropic", "Llm", "Gemini", "Ollama"];

/// Methods of sea-orm that write, with a connection as their argument.
pub const WRITES: [&str; 7] = [
    "insert",
    "update",
    "save",
    "exec",
    "exec_with_returning",
    "exec_without_returning",
    "insert_many",
];

/// Parts of the names of columns that say how something stands.
pub const STATUS_COLUMNS: [&str; 5] =
    ["status", "state", "is_processing", "is_running", "progress"];

/// Methods of a request of reqwest that come before `send`.
pub const REQUEST: [&str; 9] = [
    "json",
    "form",
    "multipart",
    "bearer_auth",
    "basic_auth",
    "header",
    "headers",
    "query",
    "body",
];

/// Words of names that speak of what may be lost: a metric, a trace.
pub const METRIC_WORDS: [&str; 8] = [
    "metric",
    "metrics",
    "telemetry",
    "usage",
    "usages",
    "trace",
    "heartbeat",
    "counter",
];

/// What the crate `krate` does, if it is in the table.
#[must_use]
pub fn of_crate(krate: &str) -> Option<Effect> {
    let found = CRATES
        .iter()
        .find(|(name, _)| match name.strip_suffix('*') {
            Some(start) => krate.starts_with(start),
            None => krate == *name,
        });
    found.map(|(_, effect)| effect.clone())
}

/// Whether the function at an absolute path reads or writes files, or holds a thread.
#[must_use]
pub fn is_files(absolute: &str) -> bool {
    let ends = |end: &&&str| {
        absolute == **end
            || absolute
                .strip_suffix(**end)
                .is_some_and(|rest| rest.ends_with("::"))
    };
    FILES.iter().find(ends).is_some()
}

/// What the function at an absolute path does, if it is in the table.
#[must_use]
pub fn of_function(absolute: &str) -> Option<Effect> {
    let found = FUNCTIONS.iter().find(|(end, _)| {
        absolute == *end
            || absolute
                .strip_suffix(end)
                .is_some_and(|rest| rest.ends_with("::"))
    });
    found.map(|(_, effect)| effect.clone())
}
