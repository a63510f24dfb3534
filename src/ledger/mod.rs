//! The audit ledger: an append-only SQLite file.
//!
//! [`Ledger`] appends, on a thread of its own; what it has answered is on disk. [`Reader`]
//! reads, on a connection of its own. Entries never hold secrets.

mod entry;
mod error;
mod lock;
mod reader;
mod schema;
mod state;
mod writer;

pub use entry::{Draft, Entry, Event, Refused, Subject};
pub use error::LedgerError;
pub use lock::Lock;
pub use reader::{Decided, InForce, Reader, Remediation};
pub use state::{Illegal, State};
pub use writer::{Append, Cursor, Ledger};
