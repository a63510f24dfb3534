//! What comes next for a remediation, and what one attempt at it has at hand.

use crate::finding::Finding;
use crate::remediation::{Refusal, Remediation};
use crate::remedy::{MemberAccess, Purpose, Session};
use std::sync::Arc;
use std::time::Duration;

/// What comes next for a remediation after a step.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Next {
    /// Nothing, until something happens to it.
    Done,
    /// The next step, at once: its state says which.
    Continue,
    /// Another try, after this time.
    RequeueAfter(Duration),
    /// An answer from a person.
    AwaitPerson,
}

impl Next {
    /// Whichever of both comes sooner. What waits for a person is not waited for otherwise.
    pub fn sooner(self, other: Self) -> Self {
        match (self, other) {
            (Self::RequeueAfter(one), Self::RequeueAfter(other)) => Self::RequeueAfter(one.min(other)),
            (Self::Done | Self::AwaitPerson, other) => other,
            (one, _) => one,
        }
    }
}

/// What the steps of one attempt hand on to each other. A crash may take it away: what counts is in the ledger.
#[derive(Default)]
pub(super) struct Attempt {
    session: Option<Arc<Session>>,
    /// How often the change was made.
    pub made: usize,
    /// There is no room for one session's deny: all sessions of the role are revoked.
    pub widen: bool,
    /// The findings that it took care of and does not any more.
    pub freed: Vec<Finding>,
}

impl Attempt {
    /// The session to revoke with: opened once.
    pub async fn session(
        &mut self,
        access: &MemberAccess,
        remediation: &Remediation,
    ) -> Result<Arc<Session>, Refusal> {
        if let Some(session) = &self.session {
            return Ok(Arc::clone(session));
        }
        let session = Arc::new(access.open_for(remediation, Purpose::Revoke).await?);
        self.session = Some(Arc::clone(&session));
        Ok(session)
    }
}
