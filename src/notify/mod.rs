//! Notifications: who is told what, and how it gets there.
//!
//! The ledger is the outbox. Each channel has come as far as one entry; what stands behind it is yet to
//! be delivered. A channel goes forward only when what it sent was taken: at least once, never twice on
//! purpose, and each message has an id by which a receiver can tell. Nothing here waits for a
//! remediation, and no remediation waits for it.

mod digest;
mod event_bus;
mod notice;
mod notifier;
mod sns;
mod text;
mod webhook;

pub use notice::Notice;
pub use notifier::{Notifier, NotifierError};

/// What keeps a message from being delivered. The text has no secret in it.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("{text}")]
pub struct Undelivered {
    /// What went wrong.
    pub text: String,
    /// The receiver asks not to be asked again for so long.
    pub retry_after: Option<std::time::Duration>,
}

impl Undelivered {
    fn new(text: impl Into<String>) -> Self {
        Self { text: text.into().chars().take(300).collect(), retry_after: None }
    }
}
