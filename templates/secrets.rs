//! What tasks refer to as a secret: a task's row says where it is kept, and never holds it.

use std::fmt;
use std::future::Future;
use std::panic;
use std::sync::{Arc, OnceLock};

use async_trait::async_trait;

use super::TaskError;

/// Finds the secret that a reference names.
#[async_trait]
pub trait Secrets: Send + Sync + 'static {
    /// The secret, or `None` where the reference names none.
    ///
    /// # Errors
    ///
    /// What may succeed another time is a `TaskError::Transient`. No message holds a secret.
    async fn find(&self, reference: &str) -> Result<Option<String>, TaskError>;
}

static SECRETS: OnceLock<Arc<dyn Secrets>> = OnceLock::new();

tokio::task_local! {
    static GUARDED: ();
}

/// Registers what finds secrets: once in a program, before it works on tasks, and after it has set
/// a panic hook of its own.
///
/// From then on the text that a guarded work panics with is not told, since it may hold a secret.
///
/// # Errors
///
/// Something is registered already: then this is given back.
pub fn register(secrets: Arc<dyn Secrets>) -> Result<(), Arc<dyn Secrets>> {
    SECRETS.set(secrets)?;
    hush_panics();
    Ok(())
}

fn hush_panics() {
    let usual = panic::take_hook();
    panic::set_hook(Box::new(move |info| match GUARDED.try_with(|()| ()) {
        // A subscriber of `tracing` may be in the midst of something: its locks are held.
        Ok(()) => eprintln!("the work of a task panicked at {}", panic_place(info)),
        Err(_) => usual(info),
    }));
}

fn panic_place(info: &panic::PanicHookInfo<'_>) -> String {
    let place = info.location().map(ToString::to_string);
    place.unwrap_or_default()
}

/// Runs the work of a task that has secrets in hand.
///
/// Threads and tasks that it starts by itself are not covered; [`blocking`] covers one.
pub(crate) async fn guard<F: Future>(work: F) -> F::Output {
    GUARDED.scope((), work).await
}

/// Runs what blocks, and has secrets in hand, on a thread for such work.
///
/// # Errors
///
/// Terminal where it panics.
pub async fn blocking<T: Send + 'static>(
    work: impl FnOnce() -> T + Send + 'static,
) -> Result<T, TaskError> {
    let work = tokio::task::spawn_blocking(|| GUARDED.sync_scope((), work));
    let panicked = |_| TaskError::Terminal("the work panicked".to_owned());
    work.await.map_err(panicked)
}

/// A secret, which `{:?}` does not show.
pub struct Secret(String);

impl Secret {
    /// The secret itself, for the call that needs it.
    #[must_use]
    pub fn expose(&self) -> &str {
        &self.0
    }
}

impl fmt::Debug for Secret {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("[secret]")
    }
}

/// Gives the secret that a reference names, where the work needs it.
///
/// # Errors
///
/// Terminal where the reference names none, or nothing is registered to find it.
pub async fn resolve(reference: &str) -> Result<Secret, TaskError> {
    let terminal = |message: &str| TaskError::Terminal(message.to_owned());
    let secrets = SECRETS
        .get()
        .ok_or_else(|| terminal("no secrets are registered in this program"))?;
    let secret = secrets.find(reference).await?;
    secret
        .map(Secret)
        .ok_or_else(|| terminal("a reference to a secret names none"))
}

#[cfg(test)]
mod tests {
    use std::sync::atomic::{AtomicU32, Ordering};

    use super::*;

    struct One;

    #[async_trait]
    impl Secrets for One {
        async fn find(&self, reference: &str) -> Result<Option<String>, TaskError> {
            Ok((reference == "one").then(|| "hidden".to_owned()))
        }
    }

    #[tokio::test]
    async fn a_secret_is_found_and_not_shown_or_the_task_fails_for_good() {
        let unregistered = resolve("one").await;
        assert!(
            matches!(unregistered, Err(TaskError::Terminal(_))),
            "{unregistered:?}"
        );
        assert!(register(Arc::new(One)).is_ok());
        assert!(register(Arc::new(One)).is_err());

        let secret = resolve("one").await.unwrap();
        assert_eq!(secret.expose(), "hidden");
        assert!(!format!("{secret:?}").contains("hidden"));
        let unknown = resolve("two").await;
        assert!(
            matches!(unknown, Err(TaskError::Terminal(_))),
            "{unknown:?}"
        );
    }

    #[tokio::test]
    async fn what_guarded_work_panics_with_is_not_told() {
        static TOLD: AtomicU32 = AtomicU32::new(0);
        let usual = panic::take_hook();
        panic::set_hook(Box::new(move |info| {
            if info.to_string().contains("hidden") {
                TOLD.fetch_add(1, Ordering::Relaxed);
            }
            usual(info);
        }));

        hush_panics();

        let guarded = tokio::spawn(guard(async { panic!("hidden") })).await;
        assert!(guarded.unwrap_err().is_panic());
        let blocked: Result<(), _> = blocking(|| panic!("hidden")).await;
        assert_eq!(
            blocked,
            Err(TaskError::Terminal("the work panicked".to_owned()))
        );
        assert_eq!(TOLD.load(Ordering::Relaxed), 0);

        let other = tokio::spawn(async { panic!("hidden") }).await;
        assert!(other.unwrap_err().is_panic());
        assert_eq!(TOLD.load(Ordering::Relaxed), 1);
    }
}
