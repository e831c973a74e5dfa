//! The jail, entered for real: each test is run again in a process of its own, and enters it there.

mod alone;
mod engine;
