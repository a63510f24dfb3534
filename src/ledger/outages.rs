//! Denies that wait for a control plane that takes no changes.

use super::{LedgerError, Open, Reader};
use crate::remediation::{Outage, State};

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
            let outage = self.outage_of(&remediation.remediation)?;
            unchanged.extend(outage.map(|outage| Unchanged { remediation, outage }));
        }
        Ok(unchanged)
    }

    /// What the calls about a remediation say of the control plane.
    fn outage_of(&self, id: &str) -> Result<Option<Outage>, LedgerError> {
        let sql = "SELECT seq, body FROM entries WHERE remediation = ?1 AND kind = 'call' ORDER BY seq";
        Ok(Outage::of(&self.select(sql, [id])?))
    }
}
