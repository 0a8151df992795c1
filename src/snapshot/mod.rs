//! Recorded snapshots: the wire form of every variant, one file each, because rows that were
//! written yesterday must decode tomorrow.
//!
//! `form` reads the wire form from the enum, `record` is what a file says and `text` how it
//! says it, `folder` finds the files, and `changes` tells which rows no longer decode.

pub mod changes;
pub mod folder;
pub mod form;
pub mod pieces;
pub mod record;
pub mod standing;
pub mod text;
mod types;

pub use changes::{Change, changes};
pub use folder::{Recorded, path, recorded};
pub use form::{WireField, WireForm};
pub use record::{Record, RecordedPiece, Scaffolded};
pub use standing::{Standing, standing, variant_of};
