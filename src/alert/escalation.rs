//! Remediations that take too long raise an alert, once an hour until they are done.

use super::{Alert, Alerts};
use crate::config::Mode;
use crate::ledger::LedgerError;
use crate::remediation::{AlertCode, RefusedBy, State};
use jiff::{SignedDuration, Timestamp};

impl Alerts {
    /// Raises what may be done in this mode and is still not done after `age`.
    ///
    /// # Errors
    /// When the ledger fails.
    pub async fn escalate(&self, mode: Mode, age: SignedDuration) -> Result<(), LedgerError> {
        let old = |since: Timestamp| Timestamp::now().duration_since(since) >= age;
        for open in self.reader.unfinished()? {
            // What is held has an end of its own, or an alert of its own each hour.
            if open.state == State::Held || !old(open.opened_at) || mode > Mode::Approve {
                continue;
            }
            let remediation = self.reader.remediation(&open.remediation)?;
            let since = remediation.approved_at().unwrap_or(remediation.opened_at);
            let since = since.max(remediation.lost_at().unwrap_or(since));
            let since = since.max(remediation.release().map_or(since, |release| release.at));
            if !old(since) || !remediation.state.is_open() {
                continue;
            }
            let refused = remediation.refused();
            // What somebody forbids is as it should be.
            if refused.is_some_and(|refused| matches!(refused.code, RefusedBy::Triage(_))) {
                continue;
            }
            let why = remediation.why().unwrap_or("it is not finished");
            let target = &remediation.target;
            let still = match remediation.state {
                State::Lost => "not put back",
                State::Contested => "CONTESTED, and not known to be contained",
                State::Releasing => "not released",
                State::Retiring => "not taken away",
                state if state.is_half_done() => "not KNOWN to be revoked",
                _ => "NOT revoked",
            };
            let text = format!(
                "still {still} since {}: {target} in {} ({}): {why}",
                since.strftime("%Y-%m-%d %H:%M:%SZ"),
                target.account,
                remediation.id
            );
            let what_to_do = refused.map_or(
                "`rescind show` has what was tried. rescind retries until the finding is too old.",
                |refused| refused.what_to_do.as_str(),
            );
            let alert = Alert::new(AlertCode::NotRevoked, remediation.subject(), text, what_to_do);
            self.raise_alert(alert).await?;
        }
        Ok(())
    }
}
