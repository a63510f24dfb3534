//! The auditor's side: checks a ledger without trusting the program that wrote it.
//!
//! It shares no code with the writer: it reads the file with SQL of its own, hashes by itself and
//! builds the tree by itself. Only the notes' signatures are checked with the same code.

mod verify;

pub use verify::{Findings, Problem, verify};
