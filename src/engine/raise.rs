//! What a person is told: what takes too long, and what others find.

use super::Engine;
use crate::config::Mode;
use crate::ledger::{LedgerError, State, Subject};
use crate::remedy::{Refusal, Remedy};
use jiff::{SignedDuration, Timestamp};

impl<R: Remedy + 'static> Engine<R> {
    /// Raises to a person what is still not done after `age`.
    ///
    /// # Errors
    /// When the ledger fails.
    pub async fn raise(&self, age: SignedDuration) -> Result<(), LedgerError> {
        let old = |since: Timestamp| Timestamp::now().duration_since(since) >= age;
        for open in self.reader.unfinished()? {
            // What is held has an end of its own.
            if open.state == State::Held || !old(open.opened_at) || self.mode() > Mode::Approve {
                continue;
            }
            let remediation = self.reader.remediation(&open.remediation)?;
            let since = remediation.approved_at().unwrap_or(remediation.opened_at);
            if !old(since) || !remediation.state.is_open() {
                continue;
            }
            let is_begun = remediation.state.has_fixed_cutoff();
            let refused = remediation.refused.as_ref().filter(|_| !is_begun);
            // What somebody forbids is as it should be.
            if refused.is_some_and(|refused| !Refusal::CODES.contains(&refused.code.as_str())) {
                continue;
            }
            let uncertain = remediation.uncertain.as_deref().filter(|_| is_begun);
            let why =
                refused.map(|refused| refused.reason.as_str()).or(uncertain).unwrap_or("it is not finished");
            let target = &remediation.target;
            let still = if is_begun { "not KNOWN to be revoked" } else { "NOT revoked" };
            let text = format!(
                "still {still} since {}: the stolen sessions of role {} in {} ({}): {why}",
                since.strftime("%Y-%m-%d %H:%M:%SZ"),
                target.role,
                target.account,
                remediation.id
            );
            let what_to_do = refused.map_or(
                "`rescind show` tells what was tried. It is tried again until it is too old.",
                |refused| refused.what_to_do.as_str(),
            );
            self.tell(remediation.subject(), "not_revoked", text, what_to_do).await?;
        }
        Ok(())
    }

    /// Tells a person, once an hour at most about the same thing.
    ///
    /// # Errors
    /// When the ledger cannot be written.
    pub async fn tell(
        &self,
        subject: Subject,
        code: &str,
        text: String,
        what_to_do: &str,
    ) -> Result<(), LedgerError> {
        match self.alert(subject, code, text, what_to_do) {
            Some(alert) => self.ledger.append(alert).await.map(|_| ()),
            None => Ok(()),
        }
    }
}
