//! The sessions and keys of a thief.

use super::words::{Tone, When};
use crate::incident::{Session, SessionStatus};
use std::collections::HashSet;

/// A session or a key.
pub(super) struct SessionRow {
    pub status: &'static str,
    pub tone: Tone,
    pub what: String,
    pub key: String,
    pub how: String,
    pub at: When,
    pub why: String,
    pub remediation: Option<String>,
}

impl SessionRow {
    /// As the page shows it.
    pub fn of(session: &Session) -> Self {
        let account = session.account.as_ref().map_or_else(String::new, |account| format!(" in {account}"));
        let name = session.name.as_deref().map_or_else(String::new, |name| format!(", session {name}"));
        let from = session.from.as_deref().map_or_else(String::new, |from| format!(" from {from}"));
        let how = if let Some(by) = &session.ordered_by {
            format!("revocation ordered by {by}{from}")
        } else if session.is_stolen {
            format!("stolen, used{from}")
        } else {
            let by = session.by.as_deref().map_or_else(String::new, |key| format!(" with {key}"));
            format!("{}{by}{from}", session.call.as_deref().unwrap_or("opened"))
        };
        Self {
            status: session.status.words(),
            tone: match session.status {
                SessionStatus::Denied => Tone::Good,
                SessionStatus::Ended => Tone::Plain,
                SessionStatus::Held | SessionStatus::NotDenied => Tone::Bad,
                SessionStatus::BeingRevoked => Tone::Warn,
            },
            what: format!("{}: {}{account}{name}", session.thing, session.principal),
            key: session.access_key.clone().unwrap_or_else(|| "not known".to_owned()),
            how,
            at: When::of(session.at),
            why: session.why.clone(),
            remediation: session.remediation.clone(),
        }
    }

    /// With a link to its remediation only where that is one of these.
    pub fn linked(mut self, visible: &HashSet<String>) -> Self {
        self.remediation = self.remediation.filter(|id| visible.contains(id));
        self
    }
}
