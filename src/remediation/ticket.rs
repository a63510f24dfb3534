//! Tickets: what was opened in a ticket system for an incident, and closed.

use serde::{Deserialize, Serialize};
use std::fmt;

/// A step of a ticket's life. The entry's subject has the remediation that led to it.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Ticket {
    /// What is done.
    pub step: TicketStep,
    /// Name of the channel of notifications.
    pub channel: String,
    /// The mark by which the ticket is found in its system: of the incident, as it was when the ticket was opened.
    pub mark: String,
    /// Its key or number there; none before it is opened.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub key: Option<String>,
    /// Its id there, where that is not the key.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub id: Option<String>,
}

/// What is done with a ticket.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum TicketStep {
    /// It is about to be opened.
    Opening,
    /// It is open.
    Opened,
    /// It is closed: no door of the incident is open.
    Closed,
    /// It is open again: the thief went on.
    Reopened,
    /// It is not there any more: somebody deleted it.
    Gone,
}

impl fmt::Display for Ticket {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let (key, channel) = (self.key.as_deref().unwrap_or(&self.mark), &self.channel);
        match self.step {
            TicketStep::Opening => write!(f, "a ticket is about to be opened ({channel})"),
            TicketStep::Opened => write!(f, "ticket {key} opened ({channel})"),
            TicketStep::Closed => write!(f, "ticket {key} closed ({channel})"),
            TicketStep::Reopened => write!(f, "ticket {key} opened again ({channel})"),
            TicketStep::Gone => write!(f, "ticket {key} is not there any more ({channel})"),
        }
    }
}
