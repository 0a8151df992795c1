//! What functions of std, tokio and other well-known crates give, by their names.

/// The type that a function of std, tokio or another well-known crate gives.
pub(super) fn outside(
    absolute: &str,
    owner: &str,
    name: &str,
    generics: Option<&str>,
) -> Option<String> {
    let of = generics.unwrap_or("_");
    let is_channel = |module: &str| absolute.ends_with(&format!("{module}::{name}"));
    if is_channel("mpsc") || is_channel("broadcast") || is_channel("oneshot") || is_channel("watch")
    {
        return match name {
            "channel" if absolute.contains("mpsc") || absolute.contains("sync") => {
                Some(format!("(Sender<{of}>, Receiver<{of}>)"))
            }
            "unbounded_channel" => {
                Some(format!("(UnboundedSender<{of}>, UnboundedReceiver<{of}>)"))
            }
            "sync_channel" => Some(format!("(SyncSender<{of}>, Receiver<{of}>)")),
            _ => None,
        };
    }
    #[allow(clippy::unnested_or_patterns, reason = "one line a type")]
    let made = matches!(
        (owner, name),
        ("String", "new" | "from" | "with_capacity")
            | ("PathBuf", "new" | "from")
            | ("Uuid", "new_v4" | "now_v7" | "nil")
            | ("Instant" | "SystemTime", "now")
            | ("CancellationToken" | "Notify" | "TaskTracker", "new")
            | (
                "Duration",
                "from_secs" | "from_millis" | "from_micros" | "from_nanos" | "from_secs_f64"
            )
            | ("Span", "current" | "none")
            | ("Semaphore", "new")
            | ("Handle", "current")
            | ("DateTime", "from_naive_utc_and_offset")
    );
    if made {
        return Some(owner.to_owned());
    }
    match (owner, name) {
        ("Utc", "now") => Some("DateTime<Utc>".to_owned()),
        (
            "Vec" | "HashMap" | "HashSet" | "BTreeMap" | "VecDeque" | "JoinSet",
            "new" | "with_capacity",
        ) => Some(match generics {
            Some(of) => format!("{owner}<{of}>"),
            None => format!("{owner}<_>"),
        }),
        _ => None,
    }
}
