//! The auditor's side: checks a ledger without trusting the program that wrote it.
//!
//! It shares no code with the writer: it reads the file with SQL of its own, hashes by itself, builds
//! the tree by itself, and judges the life of a remediation by a table of its own. Only the notes'
//! signatures are checked with the same code.

mod archives;
pub mod canonical;
mod chunk;
mod file;
mod life;
pub mod proof;
mod schema;
mod structure;
mod tree;
mod trust;
mod verify;

pub use structure::Structure;
pub use verify::{Findings, HOW_TO_COPY, Kept, Unreadable, verify};

/// Something that an untouched ledger does not have.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Problem {
    /// The entry, where it is about one.
    pub entry: Option<i64>,
    /// What is wrong.
    pub what: String,
}

/// So many problems are named; more would only be more of the same.
const NAMED: usize = 20;
