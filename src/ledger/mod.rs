//! The audit ledger: an append-only SQLite file.
//!
//! [`Ledger`] appends, on a thread of its own; what it has answered is on disk. [`Reader`]
//! reads, on a connection of its own. Entries never hold secrets.

mod append;
mod archive;
mod backup;
mod checkpoint;
mod claim;
mod columns;
mod committer;
mod compare;
mod cosignature;
mod decisions;
mod denies;
mod emptied;
mod error;
mod extension;
mod hollow;
mod host_signer;
mod ids;
mod incidents;
mod latest;
mod lock;
mod logged;
pub mod note;
mod only_if;
mod outages;
mod pages;
mod position;
mod prepared;
mod project;
mod proof;
mod publish;
mod quarantines;
mod queries;
mod queue;
#[cfg(test)]
mod races;
mod reach;
mod reader;
mod reading;
mod rebuild;
mod remediation;
mod replayed;
mod schema;
mod sync;
pub mod tree;
pub mod trust;
mod witnessed;
mod writer;

pub use archive::{Closed, Moved};
pub use checkpoint::{Made, checkpoint_file, publish as publish_checkpoint, published};
pub use compare::{Comparison, compare};
pub use cosignature::{BadCosignature, Cosignature, CosignerKey};
pub use decisions::{Counted, DecisionRow, RawEntry};
pub use denies::{DeniesNow, Watched};
pub use error::LedgerError;
pub use host_signer::HostSigner;
pub use latest::{Page, PageWanted};
pub use lock::Lock;
pub use logged::{Fault, Log};
pub use only_if::OnlyIf;
pub use outages::Unchanged;
pub use project::{ChannelState, Cursor, SideTable};
pub use proof::{EntryProof, Paths, ProofsError};
pub use publish::publish;
pub use reach::Reach;
pub use reader::{Decided, Reader};
pub use rebuild::{Difference, rebuild, reindex};
pub use remediation::Open;
pub use witnessed::LastWitnessed;
pub use writer::{Append, Ledger};
