//! Tests the command from outside: files and bytes go in; bytes, messages and an exit code come
//! out. Some tests call the library with real plugins, because such a test is shorter.
//!
//! Misbehaving plugins are text files in `tests/fixtures` and need no toolchain. Tests of the
//! example plugins run if the example plugins have been built; see `examples.rs`.
//!
//! No test sleeps for a fixed time. A test waits for an expected event. If the event does not occur
//! before a generous deadline, the test fails.

#![expect(clippy::unwrap_used, reason = "a test fails by its panic")]

mod accounts;
mod architecture;
mod bad_input;
mod bad_plugins;
mod batches;
mod behaviours;
mod bounds;
mod build;
mod cache;
mod check;
mod command_line_reference;
mod compiling;
mod config;
mod crashes;
mod deadlines;
mod doc_examples;
mod doctor;
mod earlier_results;
mod ends;
mod examples;
mod fault_injection;
mod faults;
mod features;
mod finish_reports;
mod flow;
mod host_functions;
mod hostile;
mod inputs;
mod inspect;
mod interrupt;
mod languages;
mod leaks;
mod library_ends;
mod library_words;
mod limits;
mod limits_page;
mod loading;
mod matrix;
mod network;
mod new;
mod orphans;
mod output_dir;
mod outputs;
mod parsing;
mod plugins;
mod policies;
mod progress;
mod readme;
mod restarts;
mod run;
mod sandbox;
mod snapshot;
mod support;
mod terminal;
mod tracing;
mod typed;
mod workers;
