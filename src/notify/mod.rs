//! Notifications: which are sent to which channel, and how they get there.
//!
//! The ledger is the outbox. Each channel has a position in it: the entries after that are yet to be delivered. The
//! position moves only when a message was accepted: delivery is at least once, never twice on purpose, and each message has an id by which a receiver recognizes it. Nothing here waits for a
//! remediation, and no remediation waits for it.

mod digest;
mod event_bus;
mod jira;
mod link;
mod notice;
mod notifier;
mod rest;
mod service_now;
mod sns;
mod text;
mod tickets;
mod tracker;
mod webhook;
mod write_back;

pub use notice::Notice;
pub use notifier::{Notifier, NotifierError};
pub use write_back::BackWriter;

/// Why a message was not delivered. The text contains no secret.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("{text}")]
pub struct Undelivered {
    pub text: String,
    /// The pause that the receiver asks for.
    pub retry_after: Option<std::time::Duration>,
}

impl Undelivered {
    fn new(text: impl Into<String>) -> Self {
        Self { text: text.into().chars().take(300).collect(), retry_after: None }
    }
}
