//! The threads that search and parse, one for each core.
//!
//! They are the same for both: each thread has memory of its own, and what a thread was
//! given for one thing serves it for the next.

use std::sync::LazyLock;

use rayon::{ThreadPool, ThreadPoolBuilder};

/// Stack of a thread that parses: syn descends once for each level of nesting.
const STACK: usize = 64 << 20;

/// The threads; `None` where there can be none: the caller does the work itself then.
pub(crate) fn pool() -> Option<&'static ThreadPool> {
    static POOL: LazyLock<Option<ThreadPool>> =
        LazyLock::new(|| ThreadPoolBuilder::new().stack_size(STACK).build().ok());
    POOL.as_ref()
}
