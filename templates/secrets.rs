//! What tasks refer to as a secret: a task's row says where it is kept, and never holds it.

use std::fmt;
use std::future::Future;
use std::panic;
use std::sync::{Arc, Once, OnceLock};

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

/// Registers what finds secrets: once in a program, before it works on tasks.
///
/// # Errors
///
/// Something is registered already: then this is given back.
pub fn register(secrets: Arc<dyn Secrets>) -> Result<(), Arc<dyn Secrets>> {
    SECRETS.set(secrets)
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

tokio::task_local! {
    static GUARDED: ();
}

/// Runs work that has secrets in hand: a text that it panics with may hold one, and is not told.
///
/// Threads and tasks that the work starts are not covered: their panics are told as usual.
pub(crate) async fn guard<F: Future>(work: F) -> F::Output {
    static HOOK: Once = Once::new();
    HOOK.call_once(|| {
        let usual = panic::take_hook();
        panic::set_hook(Box::new(move |info| {
            if GUARDED.try_with(|()| ()).is_ok() {
                let at = info.location().map(tracing::field::display);
                tracing::error!(at, "the work of a task panicked");
            } else {
                usual(info);
            }
        }));
    });
    GUARDED.scope((), work).await
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
        assert!(matches!(unregistered, Err(TaskError::Terminal(_))), "{unregistered:?}");
        assert!(register(Arc::new(One)).is_ok());
        assert!(register(Arc::new(One)).is_err());

        let secret = resolve("one").await.unwrap();
        assert_eq!(secret.expose(), "hidden");
        assert!(!format!("{secret:?}").contains("hidden"));
        let unknown = resolve("two").await;
        assert!(matches!(unknown, Err(TaskError::Terminal(_))), "{unknown:?}");
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

        let guarded = tokio::spawn(guard(async { panic!("hidden") })).await;
        assert!(guarded.unwrap_err().is_panic());
        assert_eq!(TOLD.load(Ordering::Relaxed), 0);

        let other = tokio::spawn(async { panic!("hidden") }).await;
        assert!(other.unwrap_err().is_panic());
        assert_eq!(TOLD.load(Ordering::Relaxed), 1);
    }
}
