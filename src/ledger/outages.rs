//! Denies that wait for a control plane that takes no changes.

use super::project::stamp;
use super::{LedgerError, Open, Reader};
use crate::ident::AccountId;
use crate::remediation::{Outage, State};
use jiff::Timestamp;
use rusqlite::params;

/// Maximum number of remediations whose calls are read for it.
const MOST: usize = 200;

/// A remediation whose change cannot be made.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Unchanged {
    /// The remediation, in short.
    pub remediation: Open,
    /// What keeps it from being made.
    pub outage: Outage,
}

impl Reader {
    /// The remediations whose deny waits for IAM, or for Organizations, to take changes, oldest first. It is read from
    /// the entries of their calls, so it does not begin anew with a process, or with another host.
    ///
    /// # Errors
    /// When the ledger cannot be read.
    pub fn unchanged(&self) -> Result<Vec<Unchanged>, LedgerError> {
        let due = |state: State| {
            state.is_to_begin() || matches!(state, State::Revoking | State::Lost | State::Contested)
        };
        let mut unchanged = Vec::new();
        for remediation in self.unfinished()?.into_iter().filter(|one| due(one.state)).take(MOST) {
            let Some(outage) = self.outage_of(&remediation.remediation)? else { continue };
            if !self.is_changed_since(&remediation.account, outage.since)? {
                unchanged.push(Unchanged { remediation, outage });
            }
        }
        Ok(unchanged)
    }

    /// Whether a change was accepted in the account since then. Then it is one principal's fault, and no outage. Calls are
    /// throttled by account, so what another account has says nothing.
    fn is_changed_since(&self, account: &AccountId, since: Timestamp) -> Result<bool, LedgerError> {
        let sql = "SELECT 1 || '' FROM entries WHERE kind = 'accepted' AND kind <> 'call' AND account = ?1 AND time >= ?2
             AND json_extract(CAST(body AS TEXT), '$.data.found_in_place') = 0 LIMIT 1";
        Ok(!self.column(sql, params![account.as_str(), stamp(since)])?.is_empty())
    }

    /// What the calls about a remediation say of the control plane.
    fn outage_of(&self, id: &str) -> Result<Option<Outage>, LedgerError> {
        let sql = "SELECT seq, body FROM entries WHERE remediation = ?1 AND kind = 'call' ORDER BY seq";
        Ok(Outage::of(&self.select(sql, [id])?))
    }
}
