//! The threads that search and parse, one for each core.
//!
//! They are the same for both: each thread has memory of its own, and what a thread was
//! given for one thing serves it for the next.

use std::sync::LazyLock;

use rayon::{ThreadPool, ThreadPoolBuilder};

/// Stack of a thread that parses: syn descends once for each level of nesting.
/// Only what is used of it takes memory.
const STACK: usize = 256 << 20;

/// The threads; `None` where there can be none: the caller does the work itself then.
pub(crate) fn pool() -> Option<&'static ThreadPool> {
    static POOL: LazyLock<Option<ThreadPool>> =
        LazyLock::new(|| ThreadPoolBuilder::new().stack_size(STACK).build().ok());
    POOL.as_ref()
}

/// Does `side` on one of the threads while the caller's own does `main`; gives what both gave.
///
/// Without threads one is done after the other.
pub(crate) fn beside<S: Send, M>(
    side: impl FnOnce() -> S + Send,
    main: impl FnOnce() -> M,
) -> (S, M) {
    let Some(pool) = pool() else {
        return (side(), main());
    };
    let mut given = None;
    let main = pool.in_place_scope(|scope| {
        scope.spawn(|_| given = Some(side()));
        main()
    });
    let Some(given) = given else {
        unreachable!("a scope ends when what it spawned has");
    };
    (given, main)
}
