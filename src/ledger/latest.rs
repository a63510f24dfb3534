//! The latest remediations, page by page.

use super::columns::states;
use super::project::stamp;
use super::{Decided, LedgerError, Reader};
use crate::ident::AccountId;
use crate::remediation::{Entry, Rung, State};
use jiff::Timestamp;
use rusqlite::types::Value;
use std::collections::BTreeSet;
use std::fmt::Write;

/// The verdicts that there are, each found by one step in their index.
const VERDICTS: &str = "WITH RECURSIVE known(verdict) AS (
    SELECT min(verdict) FROM occurrences
    UNION ALL SELECT (SELECT min(verdict) FROM occurrences WHERE verdict > known.verdict) FROM known
    WHERE verdict IS NOT NULL
) SELECT verdict FROM known WHERE verdict IS NOT NULL";

/// The finding of a remediation is at least so severe.
const SEVERE: &str = "(SELECT json_extract(CAST(entries.body AS TEXT), '$.data.finding.severity')
    FROM occurrences JOIN entries ON entries.seq = occurrences.seq
    WHERE occurrences.occurrence = remediations.occurrence) >= ?";

/// Which remediations a page shows. What is empty leaves nothing out.
#[derive(Debug, Clone, Default)]
pub struct PageWanted {
    /// In these states.
    pub states: Vec<State>,
    /// Proved so far, and no further.
    pub proofs: Vec<Rung>,
    /// In one of these accounts; none for all.
    pub accounts: Option<Vec<AccountId>>,
    /// In one of these accounts.
    pub in_accounts: Vec<String>,
    /// Decided at this time or later.
    pub since: Option<Timestamp>,
    /// About a finding that is at least so severe.
    pub severity: Option<f64>,
    /// Of this incident.
    pub incident: Option<String>,
    /// With this text in the principal's name, in the account or at the beginning of the id.
    pub text: Option<String>,
    /// Opened before the remediation with this number: where the page before ended.
    pub before: Option<i64>,
}

/// A page of remediations.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Page {
    /// Their ids, the latest first.
    pub ids: Vec<String>,
    /// Where the next page begins; none when this is the last one.
    pub next: Option<i64>,
}

impl Reader {
    /// The latest remediations, at most `most`.
    ///
    /// # Errors
    /// When the ledger cannot be read.
    pub fn latest(&self, wanted: &PageWanted, most: usize) -> Result<Page, LedgerError> {
        let (sql, parameters) = statement(wanted, most);
        self.page(&sql, parameters, most)
    }

    /// Ids with their order, of which one more than `most` is asked for.
    fn page(&self, sql: &str, parameters: Vec<Value>, most: usize) -> Result<Page, LedgerError> {
        let connection = self.connection();
        let mut statement = connection.prepare_cached(sql).map_err(|e| self.sqlite(e))?;
        let rows = statement
            .query_map(rusqlite::params_from_iter(parameters), |row| {
                Ok((row.get::<_, String>(0)?, row.get::<_, i64>(1)?))
            })
            .map_err(|e| self.sqlite(e))?;
        let mut found: Vec<(String, i64)> =
            rows.collect::<Result<_, _>>().map_err(|error| self.sqlite(error))?;
        let is_more = found.len() > most;
        found.truncate(most);
        let next = found.last().filter(|_| is_more).map(|(_, opened)| *opened);
        Ok(Page { ids: found.into_iter().map(|(id, _)| id).collect(), next })
    }

    /// The latest incidents with a part in one of these accounts, or all of them, at most `most`, opened before the entry
    /// `before`; and where the next page begins.
    ///
    /// # Errors
    /// When the ledger cannot be read.
    pub fn latest_incidents(
        &self,
        accounts: Option<&[AccountId]>,
        before: Option<i64>,
        most: usize,
    ) -> Result<Page, LedgerError> {
        let among = accounts.map_or_else(String::new, |accounts| {
            let names: Vec<String> = accounts.iter().map(|account| format!("'{account}'")).collect();
            format!(
                "WHERE incident IN (SELECT incident FROM remediations WHERE account IN ({}))",
                names.join(",")
            )
        });
        let sql = format!(
            "SELECT incident, min(opened) FROM remediations {among} GROUP BY incident
             HAVING min(opened) < ?1 ORDER BY min(opened) DESC LIMIT ?2"
        );
        let limit = i64::try_from(most + 1).unwrap_or(i64::MAX);
        self.page(&sql, vec![before.unwrap_or(i64::MAX).into(), limit.into()], most)
    }

    /// The latest occurrences with their decisions, at most `most`, seen before the entry `before`; and where the next
    /// page begins.
    ///
    /// # Errors
    /// When the ledger cannot be read.
    pub fn latest_decisions(
        &self,
        before: Option<i64>,
        most: usize,
    ) -> Result<(Vec<Decided>, Option<i64>), LedgerError> {
        // The index has them by their verdicts: the latest of each are the latest of all.
        let mut verdicts: Vec<Option<String>> = self.column(VERDICTS, [])?.into_iter().map(Some).collect();
        verdicts.push(None);
        let mut latest = Vec::new();
        for verdict in verdicts.iter().filter(|verdict| verdict.as_deref() != Some("file")) {
            latest.extend(self.latest_of(verdict.as_deref(), before, most + 1)?);
        }
        latest.sort_unstable_by_key(|(_, seq)| std::cmp::Reverse(*seq));
        let is_more = latest.len() > most;
        latest.truncate(most);
        let occurrences: Vec<String> = latest.into_iter().map(|(occurrence, _)| occurrence).collect();
        let read = |occurrence: &String| self.decided(occurrence).transpose();
        let all: Vec<Decided> = occurrences.iter().filter_map(read).collect::<Result<_, _>>()?;
        let next = all.last().filter(|_| is_more).map(|decided| decided.seen.seq);
        Ok((all, next))
    }

    /// The latest occurrences with this verdict, seen before the entry `before`, with the entries that recorded them.
    fn latest_of(
        &self,
        verdict: Option<&str>,
        before: Option<i64>,
        most: usize,
    ) -> Result<Vec<(String, i64)>, LedgerError> {
        let sql = "SELECT occurrence, seq FROM occurrences WHERE verdict IS ?1 AND seq < ?2 ORDER BY seq DESC LIMIT ?3";
        let limit = i64::try_from(most).unwrap_or(i64::MAX);
        let connection = self.connection();
        let mut statement = connection.prepare_cached(sql).map_err(|e| self.sqlite(e))?;
        let parameters = rusqlite::params![verdict, before.unwrap_or(i64::MAX), limit];
        let rows = statement.query_map(parameters, |row| Ok((row.get(0)?, row.get(1)?)));
        rows.map_err(|e| self.sqlite(e))?.collect::<Result<_, _>>().map_err(|e| self.sqlite(e))
    }

    /// The entries after number `seq`, but for AWS calls, at most `most`; and the number of the last entry that was
    /// looked at.
    ///
    /// # Errors
    /// When the ledger cannot be read.
    pub fn after(&self, seq: i64, most: usize) -> Result<(Vec<Entry>, i64), LedgerError> {
        let last = self.last()?;
        let sql = "SELECT seq, body FROM entries WHERE seq > ?1 AND kind NOT IN ('call', 'archived') ORDER BY seq LIMIT ?2";
        let limit = i64::try_from(most).unwrap_or(i64::MAX);
        let entries = self.select(sql, rusqlite::params![seq, limit])?;
        let end = entries.last().filter(|_| entries.len() >= most).map_or(last, |entry| entry.seq);
        Ok((entries, end.max(seq)))
    }

    /// Whether an entry stands after number `seq` that is no AWS call.
    ///
    /// # Errors
    /// When the ledger cannot be read.
    pub fn is_more_than_calls_after(&self, seq: i64) -> Result<bool, LedgerError> {
        // The newest entries are gone through: they are few.
        let sql = "SELECT 1 FROM entries WHERE seq > ?1 AND +kind <> 'call' LIMIT 1";
        let connection = self.connection();
        let mut statement = connection.prepare_cached(sql).map_err(|e| self.sqlite(e))?;
        statement.exists([seq]).map_err(|e| self.sqlite(e))
    }

    /// The accounts in which a deny was accepted at some time.
    ///
    /// # Errors
    /// When the ledger cannot be read.
    pub fn accounts_with_denies(&self) -> Result<BTreeSet<AccountId>, LedgerError> {
        let sql = format!(
            "SELECT DISTINCT account FROM remediations WHERE state IN {}",
            states(State::has_revoked)
        );
        let texts = self.column(&sql, [])?;
        texts.iter().map(|text| text.parse().map_err(|error| self.bad_row("remediations", &error))).collect()
    }
}

fn statement(wanted: &PageWanted, most: usize) -> (String, Vec<Value>) {
    let mut sql = "SELECT id, opened FROM remediations WHERE 1".to_owned();
    let mut parameters: Vec<Value> = Vec::new();
    let mut with = |sql: &mut String, condition: &str, value: Value| {
        parameters.push(value);
        let _ = write!(sql, " AND {}", condition.replace('?', &format!("?{}", parameters.len())));
    };
    if !wanted.states.is_empty() {
        let _ = write!(sql, " AND state IN {}", states(|state| wanted.states.contains(&state)));
    }
    if !wanted.proofs.is_empty() {
        let names: Vec<String> = wanted.proofs.iter().map(|rung| format!("'{rung}'")).collect();
        let _ = write!(sql, " AND proof IN ({})", names.join(","));
    }
    if let Some(accounts) = &wanted.accounts {
        let names: Vec<String> = accounts.iter().map(|account| format!("'{account}'")).collect();
        let _ = write!(sql, " AND account IN ({})", names.join(","));
    }
    if !wanted.in_accounts.is_empty() {
        let names = serde_json::to_string(&wanted.in_accounts).unwrap_or_default();
        with(&mut sql, "account IN (SELECT value FROM json_each(?))", names.into());
    }
    if let Some(since) = wanted.since {
        let condition = "(SELECT time FROM entries WHERE seq = remediations.opened) >= ?";
        with(&mut sql, condition, stamp(since).into());
    }
    if let Some(severity) = wanted.severity {
        with(&mut sql, SEVERE, severity.into());
    }
    if let Some(incident) = &wanted.incident {
        with(&mut sql, "incident = ?", incident.clone().into());
    }
    if let Some(text) = &wanted.text {
        let condition = "(instr(role_key, ?) > 0 OR instr(account, ?) > 0 OR instr(id, ?) = 1)";
        with(&mut sql, condition, text.to_lowercase().into());
    }
    if let Some(before) = wanted.before {
        with(&mut sql, "opened < ?", before.into());
    }
    let _ = write!(sql, " ORDER BY opened DESC LIMIT {}", most + 1);
    (sql, parameters)
}
