//! See `tests/fuzzed`.
#![no_main]

#[path = "../../tests/editor/mod.rs"]
mod editor;
#[path = "../../tests/fuzzed/mod.rs"]
#[allow(dead_code, reason = "each target is one of its functions")]
mod fuzzed;

libfuzzer_sys::fuzz_target!(|bytes: &[u8]| fuzzed::editor(bytes));
