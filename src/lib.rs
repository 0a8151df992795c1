//! `cargo oxy-task` scaffolds durable background tasks.
//!
//! A request goes one way: [`cli`] turns arguments into a [`request`], and [`ask`] asks a person for
//! what they leave open; [`workspace`] reads
//! members and files; [`index`] parses what can matter; [`landmarks`] finds the enum, its
//! matches, the executor, the queue; [`pieces`] plan what is to be added; [`plan`] and
//! [`edit`] turn that into changes of files; [`report`] shows them and [`apply`] writes them.
//! [`spawn`] reads what is spawned already: a survey ends there. [`snapshot`] is what was recorded of
//! the wire form, and [`check`] the rules that are kept. Everything between reading and
//! writing is a function of texts and facts. [`demo`] holds a workspace to try that on.
#![cfg_attr(test, allow(clippy::unwrap_used))]

pub mod apply;
pub mod ask;
pub mod check;
pub mod cli;
pub mod commands;
pub mod config;
pub mod demo;
pub mod derives;
pub mod digest;
pub mod edit;
pub mod field_edits;
pub mod format;
pub mod imports;
pub mod index;
pub mod init;
pub mod landmarks;
pub mod merge;
pub mod migrate;
pub mod note;
pub mod pieces;
pub mod plan;
mod pool;
pub mod reflow;
pub mod removal;
pub mod render;
pub mod report;
pub mod request;
pub mod schedule;
pub mod settled;
pub mod snapshot;
pub mod spawn;
pub mod suggest;
pub mod task;
pub mod toolchain;
pub mod trivia;
pub mod types;
pub mod verify;
pub mod workspace;
