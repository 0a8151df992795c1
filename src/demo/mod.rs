//! The workspace that `demo` unpacks: the one that the tool's own tests use.
//!
//! It is embedded as an archive, so that a first look needs nothing but a Rust toolchain.

mod archive;
mod folder;
mod repository;
mod task_tests;

pub use archive::{ARCHIVE, files};
pub use folder::Folder;
pub use repository::first_commit;
pub use task_tests::{TaskTests, Tests};
