//! Work that is spawned: where, what it captures, and what the guideline says of it.
//!
//! [`sites`] finds the calls; for each, [`captures`] says what it takes with it, [`joined`] what
//! becomes of its handle, and `verdict` what the guideline says, by what `evidence` its work gives.

mod calls;
mod captures;
mod joined;
mod program;
mod scope;
mod sites;
mod types;

pub use captures::{Capture, Role};
pub use joined::Fate;
pub use program::{FnRef, Program};
pub use sites::{Site, Sites, sites};
