//! What decisions rest on besides the findings: recent remediations, raised alerts, and the latest snapshot of the
//! organization.

use super::note::PublicKey;
use super::project::{ChannelState, stamp};
use super::trust::{NamedKey, may_sign, named_keys};
use super::{LedgerError, Reader};
use crate::config::OptOut;
use crate::ident::{AccountId, Region};
use crate::org::{AccountNames, Placement, Snapshot};
use crate::remediation::{Begun, Entry, Event};
use jiff::Timestamp;
use rusqlite::{OptionalExtension, Params, params};
use serde::de::DeserializeOwned;
use std::collections::BTreeMap;

impl Reader {
    /// The remediations that were begun since `since`, oldest first.
    ///
    /// # Errors
    /// When the ledger cannot be read.
    pub fn begun_since(&self, since: Timestamp) -> Result<Vec<Begun>, LedgerError> {
        let connection = self.connection();
        let sql =
            "SELECT id, account, role_key, begun_at FROM remediations WHERE begun_at >= ?1 ORDER BY begun_at";
        let mut statement = connection.prepare_cached(sql).map_err(|e| self.sqlite(e))?;
        let row = |row: &rusqlite::Row<'_>| <(String, String, String, String)>::try_from(row);
        let rows = statement.query_map([stamp(since)], row).map_err(|e| self.sqlite(e))?;
        rows.map(|row| {
            let (remediation, account, role_key, at) = row.map_err(|e| self.sqlite(e))?;
            let account = account.parse().map_err(|e| self.bad_row("remediations", &e))?;
            let at = at.parse().map_err(|e: jiff::Error| self.bad_row("remediations", &e))?;
            Ok(Begun { remediation, account, role_key, at })
        })
        .collect()
    }

    /// The alerts that were raised since `since`.
    ///
    /// # Errors
    /// When the ledger cannot be read.
    pub fn alerts_since(&self, since: Timestamp) -> Result<Vec<Entry>, LedgerError> {
        let sql = "SELECT seq, body FROM entries WHERE kind = 'alert' AND kind <> 'call' AND time >= ?1 ORDER BY seq";
        self.select(sql, [stamp(since)])
    }

    /// The remediations that were taken back since `since`, the oldest first.
    ///
    /// # Errors
    /// When the ledger cannot be read.
    pub fn undone_since(&self, since: Timestamp) -> Result<Vec<String>, LedgerError> {
        let sql = "SELECT remediation FROM entries WHERE kind = 'undone' AND kind <> 'call' AND time >= ?1
                   AND remediation IS NOT NULL GROUP BY remediation ORDER BY max(seq)";
        self.column(sql, [stamp(since)])
    }

    /// What came since `since` and could not be read.
    ///
    /// # Errors
    /// When the ledger cannot be read.
    pub fn unreadable_since(&self, since: Timestamp) -> Result<Vec<Entry>, LedgerError> {
        let sql = "SELECT seq, body FROM entries WHERE kind = 'undecodable' AND kind <> 'call' AND time >= ?1 ORDER BY seq";
        self.select(sql, [stamp(since)])
    }

    /// The remediations that were approved, or whose release was asked for, after entry `seq`.
    ///
    /// # Errors
    /// When the ledger cannot be read.
    pub fn answered_after(&self, seq: i64) -> Result<Vec<Entry>, LedgerError> {
        self.select("SELECT seq, body FROM entries WHERE kind IN ('approved', 'release_asked') AND kind <> 'call' AND seq > ?1 ORDER BY seq", [seq])
    }

    /// What was handed in through the ledger after entry `seq` and was not decided since, oldest first.
    ///
    /// # Errors
    /// When the ledger cannot be read.
    pub fn handed_in_after(&self, seq: i64) -> Result<Vec<Entry>, LedgerError> {
        self.select(
            "SELECT e.seq, e.body FROM entries e
             JOIN occurrences o ON o.occurrence = json_extract(CAST(e.body AS TEXT), '$.data.occurrence')
             WHERE e.kind = 'handed_in' AND e.kind <> 'call' AND e.seq > ?1 AND coalesce(o.decided, 0) < e.seq ORDER BY e.seq",
            [seq],
        )
    }

    /// What was decided about a finding, each time, oldest first.
    ///
    /// # Errors
    /// When the ledger cannot be read.
    pub fn decisions_about(&self, finding: &str) -> Result<Vec<Entry>, LedgerError> {
        let sql = "SELECT seq, body FROM entries WHERE finding = ?1 AND kind = 'decision' AND kind <> 'call' ORDER BY seq";
        self.select(sql, [finding])
    }

    /// The ids of the findings of a region that were archived in GuardDuty by rescind itself since `since`.
    ///
    /// # Errors
    /// When the ledger cannot be read.
    pub fn archived_here(&self, region: &Region, since: Timestamp) -> Result<Vec<String>, LedgerError> {
        // The intent is enough: the answer may be lost, or nobody may have been there to record it.
        let sql = "SELECT DISTINCT finding FROM entries WHERE kind IN ('writing_back', 'written_back') AND kind <> 'call'
             AND region = ?1 AND time >= ?2 AND finding IS NOT NULL
             AND json_extract(CAST(body AS TEXT), '$.data.to') = 'guardduty'";
        self.column(sql, params![region.as_str(), stamp(since)])
    }

    /// Whether rescind itself archived a finding in GuardDuty.
    ///
    /// # Errors
    /// When the ledger cannot be read.
    pub fn is_archived_here(&self, finding: &str) -> Result<bool, LedgerError> {
        let sql =
            "SELECT 1 || '' FROM entries WHERE finding = ?1 AND kind IN ('writing_back', 'written_back') AND kind <> 'call'
             AND json_extract(CAST(body AS TEXT), '$.data.to') = 'guardduty' LIMIT 1";
        Ok(!self.column(sql, [finding])?.is_empty())
    }

    /// The entries of a kind, oldest first.
    ///
    /// # Errors
    /// When the ledger cannot be read.
    pub fn of_kind(&self, kind: &str) -> Result<Vec<Entry>, LedgerError> {
        self.select("SELECT seq, body FROM entries WHERE kind = ?1 AND kind <> 'call' ORDER BY seq", [kind])
    }

    /// The keys that the ledger introduces, in order. That they stand there proves nothing.
    ///
    /// # Errors
    /// When the ledger cannot be read.
    pub fn named_keys(&self) -> Result<Vec<NamedKey>, LedgerError> {
        named_keys(&self.connection()).map_err(|error| self.sqlite(error))
    }

    /// The entries since `since` that introduce a key.
    ///
    /// # Errors
    /// When the ledger cannot be read.
    pub fn signing_keys_since(&self, since: Timestamp) -> Result<Vec<Entry>, LedgerError> {
        let sql = "SELECT seq, body FROM entries WHERE kind = 'signing_key' AND kind <> 'call' AND time >= ?1 ORDER BY seq";
        self.select(sql, [stamp(since)])
    }

    /// Whether a key may sign for this ledger, which several hosts share: see [`may_sign`].
    ///
    /// # Errors
    /// When the ledger cannot be read.
    pub fn may_sign(&self, key: &PublicKey) -> Result<bool, LedgerError> {
        let sql = "SELECT min(seq) FROM entries WHERE kind = 'took_over' AND kind <> 'call'";
        let since: Option<i64> =
            self.connection().query_row(sql, [], |row| row.get(0)).map_err(|error| self.sqlite(error))?;
        let since = since.map_or(u64::MAX, |seq| u64::try_from(seq).unwrap_or(0));
        Ok(may_sign(key, &self.named_keys()?, since))
    }

    /// Which ledger it is, whatever its file's name: the beginning of its first entry's hash.
    ///
    /// # Errors
    /// When the ledger cannot be read.
    pub fn identity(&self) -> Result<String, LedgerError> {
        let hash = self.column("SELECT lower(hex(leaf_hash)) FROM entries WHERE seq = 1", [])?.pop();
        Ok(hash.map_or_else(|| "new".to_owned(), |hash| hash.chars().take(12).collect()))
    }

    /// How far each channel of notifications has come.
    ///
    /// # Errors
    /// When the ledger cannot be read.
    pub fn channels(&self) -> Result<Vec<ChannelState>, LedgerError> {
        let connection = self.connection();
        let sql = "SELECT name, seq, failures, failed_since, error FROM channels ORDER BY name";
        let mut statement = connection.prepare_cached(sql).map_err(|e| self.sqlite(e))?;
        let row = |row: &rusqlite::Row<'_>| {
            let failed_since: Option<String> = row.get(3)?;
            Ok(ChannelState {
                name: row.get(0)?,
                seq: row.get(1)?,
                failures: row.get(2)?,
                failed_since: failed_since.and_then(|text| text.parse().ok()),
                error: row.get(4)?,
            })
        };
        let rows = statement.query_map([], row).map_err(|e| self.sqlite(e))?;
        rows.collect::<Result<_, _>>().map_err(|e| self.sqlite(e))
    }

    /// The entries of these kinds after entry `seq`, oldest first, at most `most`.
    ///
    /// # Errors
    /// When the ledger cannot be read.
    pub fn of_kinds_after(&self, kinds: &[&str], seq: i64, most: usize) -> Result<Vec<Entry>, LedgerError> {
        let names: Vec<String> = kinds.iter().map(|kind| format!("'{kind}'")).collect();
        let sql = format!(
            "SELECT seq, body FROM entries WHERE kind IN ({}) AND kind <> 'call' AND seq > ?1 ORDER BY seq LIMIT ?2",
            names.join(",")
        );
        self.select(&sql, params![seq, i64::try_from(most).unwrap_or(i64::MAX)])
    }

    /// How many entries of a kind stand after entry `seq`.
    ///
    /// # Errors
    /// When the ledger cannot be read.
    pub fn count_after(&self, kind: &str, seq: i64) -> Result<usize, LedgerError> {
        let sql = "SELECT count(*) FROM entries WHERE kind = ?1 AND kind <> 'call' AND seq > ?2";
        let count: i64 = self
            .connection()
            .query_row(sql, params![kind, seq], |row| row.get(0))
            .map_err(|error| self.sqlite(error))?;
        Ok(usize::try_from(count).unwrap_or_default())
    }

    /// The opt-outs as they were read last, by name.
    ///
    /// # Errors
    /// When the ledger cannot be read.
    pub fn opt_outs(&self) -> Result<BTreeMap<String, OptOut>, LedgerError> {
        let mut all = BTreeMap::new();
        for entry in self.of_kind("opt_outs")? {
            let Event::OptOuts { added, changed, removed, .. } = entry.event else { continue };
            all.extend(added.into_iter().chain(changed).map(|opt_out| (opt_out.name.clone(), opt_out)));
            for name in &removed {
                all.remove(name);
            }
        }
        Ok(all)
    }

    /// Since when a region is watched.
    ///
    /// # Errors
    /// When the ledger cannot be read.
    pub fn watched_since(&self, region: &Region) -> Result<Option<Timestamp>, LedgerError> {
        let text = self.column("SELECT since FROM watched WHERE region = ?1", [region.as_str()])?.pop();
        text.map(|text| text.parse().map_err(|e: jiff::Error| self.bad_row("watched", &e))).transpose()
    }

    /// The regions that were ever watched.
    ///
    /// # Errors
    /// When the ledger cannot be read.
    pub fn watched(&self) -> Result<Vec<Region>, LedgerError> {
        let texts = self.column("SELECT region FROM watched ORDER BY region", [])?;
        texts.iter().map(|text| text.parse().map_err(|error| self.bad_row("watched", &error))).collect()
    }

    /// The organization as it was read last.
    ///
    /// # Errors
    /// When the ledger cannot be read.
    pub fn organization(&self) -> Result<Option<Snapshot>, LedgerError> {
        self.kept("SELECT body FROM organization WHERE id = 1", [])
    }

    /// The names of the organization's accounts, as they were read last.
    ///
    /// # Errors
    /// When the ledger cannot be read.
    pub fn account_names(&self) -> Result<AccountNames, LedgerError> {
        self.organization().map(|snapshot| AccountNames::new(snapshot.as_ref()))
    }

    /// Where an account stood when that was read last.
    ///
    /// # Errors
    /// When the ledger cannot be read.
    pub fn placement(&self, account: &AccountId) -> Result<Option<Placement>, LedgerError> {
        self.kept("SELECT body FROM placements WHERE account = ?1", params![account.as_str()])
    }

    /// Where the accounts stood when that was read last.
    ///
    /// # Errors
    /// When the ledger cannot be read.
    pub fn placements(&self) -> Result<BTreeMap<AccountId, Placement>, LedgerError> {
        let connection = self.connection();
        let mut statement =
            connection.prepare_cached("SELECT account, body FROM placements").map_err(|e| self.sqlite(e))?;
        let rows = statement
            .query_map([], |row| Ok((row.get::<_, String>(0)?, row.get::<_, String>(1)?)))
            .map_err(|e| self.sqlite(e))?;
        let mut all = BTreeMap::new();
        for row in rows {
            let (account, body) = row.map_err(|e| self.sqlite(e))?;
            // What cannot be read any more is as if it were not there: it can be had again.
            if let (Ok(account), Ok(placement)) = (account.parse(), serde_json::from_str(&body)) {
                all.insert(account, placement);
            }
        }
        Ok(all)
    }

    /// The hub's account, as it was known last.
    ///
    /// # Errors
    /// When the ledger cannot be read.
    pub fn hub_account(&self) -> Result<Option<AccountId>, LedgerError> {
        let connection = self.connection();
        let sql = "SELECT json_extract(CAST(body AS TEXT), '$.data.hub_account') FROM entries
                   WHERE kind = 'connected' AND kind <> 'call' ORDER BY seq DESC LIMIT 1";
        let text: Option<Option<String>> =
            connection.query_row(sql, [], |row| row.get(0)).optional().map_err(|e| self.sqlite(e))?;
        Ok(text.flatten().and_then(|text| text.parse().ok()))
    }

    /// What cannot be read any more is as if it were not there: it can be had again.
    fn kept<T: DeserializeOwned>(&self, sql: &str, params: impl Params) -> Result<Option<T>, LedgerError> {
        let text: Option<String> = self
            .connection()
            .prepare_cached(sql)
            .and_then(|mut s| s.query_row(params, |row| row.get(0)))
            .optional()
            .map_err(|e| self.sqlite(e))?;
        Ok(text.and_then(|text| serde_json::from_str(&text).ok()))
    }
}
