//! Work that is spawned: where, what it captures, and what the guideline says of it.
//!
//! `sites` finds the calls; for each, `captures` says what it takes with it, `joined` what becomes
//! of its handle, and `verdict` what the guideline says, by the `evidence` of what its work does.

mod calls;
mod captures;
mod channels;
mod effects;
mod evidence;
mod found;
mod joined;
mod machinery;
mod migratable;
mod outside;
mod own;
mod parts;
pub mod probe;
mod program;
mod questions;
mod reach;
mod repeats;
mod scope;
mod shape;
mod sites;
mod survey;
mod typer;
mod types;
mod values;
mod verdict;

pub(crate) use captures::holds_secret;
pub use captures::{Capture, Role};
pub use found::{Called, ErrorForm, Found, Giver, Roles, Taken, Value, found, root_of};
pub use joined::Fate;
pub use migratable::Migratable;
pub use program::FnRef;
pub use repeats::Repeat;
pub use sites::Site;
pub use survey::{Survey, Surveyed, survey};
pub use verdict::{Judgement, Reason, Verdict};
