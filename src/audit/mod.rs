//! The auditor's side: checks a ledger without trusting the program that wrote it.
//!
//! It shares no code with the writer: it reads the file with SQL of its own, hashes by itself, builds
//! the tree by itself, and judges the life of a remediation by a table of its own. Only the
//! signatures of notes, and of witnesses on them, are checked with the same code.

mod archives;
pub mod canonical;
mod chunk;
mod cosigned;
mod file;
mod lifecycle;
mod logs;
mod problem;
pub mod proof;
mod schema;
mod structure;
mod tree;
mod trust;
mod unreadable;
mod verify;

pub use cosigned::{CosignedBy, Keys};
pub use logs::logs_of;
pub use problem::Problem;
pub use structure::Structure;
pub use unreadable::{HOW_TO_COPY, Unreadable};
pub use verify::{Findings, Kept, Place, verify};
