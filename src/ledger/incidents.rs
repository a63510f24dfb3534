//! Incidents: the remediations that hang together, and what CloudTrail showed of their credentials.

use super::columns::states;
use super::project::stamp;
use super::{LedgerError, Reader};
use crate::ident::AccountId;
use crate::remediation::{Entry, State};
use jiff::Timestamp;

impl Reader {
    /// The incident of a remediation; none when there is no such remediation.
    ///
    /// # Errors
    /// When the ledger cannot be read.
    pub fn incident_of(&self, remediation: &str) -> Result<Option<String>, LedgerError> {
        Ok(self.column("SELECT incident FROM remediations WHERE id = ?1", [remediation])?.pop())
    }

    /// The remediations of an incident, oldest first; none when there is no such incident.
    ///
    /// # Errors
    /// When the ledger cannot be read.
    pub fn remediations_of(&self, incident: &str) -> Result<Vec<String>, LedgerError> {
        self.column("SELECT id FROM remediations WHERE incident = ?1 ORDER BY opened", [incident])
    }

    /// The account that a remediation is about.
    ///
    /// # Errors
    /// When there is no such remediation, or the ledger cannot be read.
    pub fn account_of(&self, remediation: &str) -> Result<AccountId, LedgerError> {
        let found = self.column("SELECT account FROM remediations WHERE id = ?1", [remediation])?.pop();
        let text = found.ok_or_else(|| self.unknown(remediation))?;
        text.parse().map_err(|error| self.bad_row("remediations", &error))
    }

    /// The accounts that an incident is about.
    ///
    /// # Errors
    /// When the ledger cannot be read.
    pub fn accounts_of(&self, incident: &str) -> Result<Vec<AccountId>, LedgerError> {
        let texts =
            self.column("SELECT DISTINCT account FROM remediations WHERE incident = ?1", [incident])?;
        texts.iter().map(|text| text.parse().map_err(|error| self.bad_row("remediations", &error))).collect()
    }

    /// The incidents, the latest first.
    ///
    /// # Errors
    /// When the ledger cannot be read.
    pub fn incidents(&self) -> Result<Vec<String>, LedgerError> {
        let sql = "SELECT incident FROM remediations GROUP BY incident ORDER BY min(opened) DESC";
        self.column(sql, [])
    }

    /// The incidents that may not be closed: a remediation is not in place, or the thief did something that matters.
    ///
    /// # Errors
    /// When the ledger cannot be read.
    pub fn incidents_to_look_at(&self) -> Result<Vec<String>, LedgerError> {
        let unsettled =
            |state: State| !state.has_revoked() && !matches!(state, State::Superseded | State::DoneByHand);
        let sql = format!(
            "SELECT incident FROM remediations WHERE state IN {}
             UNION SELECT r.incident FROM entries e CROSS JOIN remediations r ON r.id = e.remediation
             WHERE e.kind = 'trace' AND e.kind <> 'call' AND instr(CAST(e.body AS TEXT), '\"activities\":[{{') > 0",
            states(unsettled)
        );
        self.column(&sql, [])
    }

    /// The incidents that `text` is, or begins: of their own id, or of that of a remediation.
    ///
    /// # Errors
    /// When the ledger cannot be read.
    pub fn incidents_matching(&self, text: &str) -> Result<Vec<String>, LedgerError> {
        let own = "SELECT DISTINCT incident FROM remediations
                   WHERE incident >= ?1 AND substr(incident, 1, length(?1)) = ?1
                   UNION SELECT incident FROM remediations WHERE id >= ?1 AND substr(id, 1, length(?1)) = ?1
                   UNION SELECT incident FROM remediations WHERE id = 'r-' || substr(?1, 3)";
        self.column(own, [text])
    }

    /// All entries of a remediation but for AWS calls, in order.
    ///
    /// # Errors
    /// When the ledger cannot be read.
    pub fn steps_of(&self, remediation: &str) -> Result<Vec<Entry>, LedgerError> {
        self.select(
            "SELECT seq, body FROM entries WHERE remediation = ?1 AND kind <> 'call' ORDER BY seq",
            [remediation],
        )
    }

    /// The incidents of which something was recorded after entry `seq`. The entries are gone through first: they are few.
    ///
    /// # Errors
    /// When the ledger cannot be read.
    pub fn incidents_after(&self, seq: i64) -> Result<Vec<String>, LedgerError> {
        let sql =
            "SELECT DISTINCT r.incident FROM entries e CROSS JOIN remediations r ON r.id = e.remediation
                   WHERE e.seq > ?1 AND e.kind <> 'call'
                   UNION SELECT r.incident FROM entries e
                   CROSS JOIN remediations r ON r.id = json_extract(CAST(e.body AS TEXT), '$.data.covered_by')
                   WHERE e.seq > ?1 AND e.kind = 'decision'";
        self.column(sql, [seq])
    }

    /// What pursuit goes by, after entry `seq`: decisions, what became of them, what was read, and what a person asked
    /// for.
    ///
    /// # Errors
    /// When the ledger cannot be read.
    pub fn pursuit_entries(&self, seq: i64, most: usize) -> Result<Vec<Entry>, LedgerError> {
        let kinds = ["decision", "accepted", "refused", "trace", "pursuit_asked"];
        self.of_kinds_after(&kinds, seq, most)
    }

    /// The last entry before a time, where entries were written in the order of this machine's clock.
    ///
    /// # Errors
    /// When the ledger cannot be read.
    pub fn last_before(&self, time: Timestamp) -> Result<i64, LedgerError> {
        let (mut before, mut from) = (0, self.last()? + 1);
        let stamp = stamp(time);
        while from - before > 1 {
            let middle = before + (from - before) / 2;
            let at = self.column("SELECT time FROM entries WHERE seq = ?1", [middle])?.pop();
            if at.is_some_and(|at| at < stamp) {
                before = middle;
            } else {
                from = middle;
            }
        }
        Ok(before)
    }
}
