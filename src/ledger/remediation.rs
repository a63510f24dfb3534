//! A remediation, put together from its entries.

use super::columns::states;
use super::{LedgerError, Reader};
use crate::finding::Finding;
use crate::ident::AccountId;
use crate::remediation::{
    Entry, Event, Means, Past, PriorRemediation, Recorded, Remediation, Standing, State, Target,
};
use jiff::Timestamp;
use rusqlite::{OptionalExtension, params};

/// A remediation that is not finished, in short.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Open {
    /// Id of the remediation.
    pub remediation: String,
    /// The account of the principal.
    pub account: AccountId,
    /// The role's name, in lower case.
    pub role_key: String,
    /// State of the remediation.
    pub state: State,
    /// When it was decided.
    pub opened_at: Timestamp,
}

impl Reader {
    /// What was done to a principal before, the newest first. `key` is as
    /// [`Target::key`](crate::remediation::Target::key) gives it.
    ///
    /// # Errors
    /// When the ledger cannot be read.
    pub fn history(&self, account: &AccountId, key: &str) -> Result<Vec<PriorRemediation>, LedgerError> {
        self.of_principal(account, key)?.into_iter().rev().map(|one| self.in_force(one)).collect()
    }

    /// The same without one remediation.
    ///
    /// # Errors
    /// When the ledger cannot be read.
    pub fn history_beside(
        &self,
        account: &AccountId,
        key: &str,
        id: &str,
    ) -> Result<Vec<PriorRemediation>, LedgerError> {
        let sql =
            "SELECT id FROM remediations WHERE account = ?1 AND role_key = ?2 AND id <> ?3 ORDER BY opened";
        let ids = self.column(sql, params![account.as_str(), key, id])?;
        ids.iter().rev().map(|id| self.in_force(self.remediation(id)?)).collect()
    }

    /// The remediations of a principal, oldest first.
    ///
    /// # Errors
    /// When the ledger cannot be read.
    pub fn of_principal(&self, account: &AccountId, key: &str) -> Result<Vec<Remediation>, LedgerError> {
        let sql = "SELECT id FROM remediations WHERE account = ?1 AND role_key = ?2 ORDER BY opened";
        let ids = self.column(sql, params![account.as_str(), key])?;
        ids.iter().map(|id| self.remediation(id)).collect()
    }

    /// The remediations whose deny stands in the same document as that of the target, oldest first: those of the same
    /// principal; of a service control policy all of the account.
    ///
    /// # Errors
    /// When the ledger cannot be read.
    pub fn in_document(&self, target: &Target) -> Result<Vec<Remediation>, LedgerError> {
        if target.means != Means::ServiceControlPolicy {
            return self.of_principal(&target.account, &target.key());
        }
        let sql = "SELECT role_key FROM remediations WHERE account = ?1 ORDER BY opened";
        let mut keys = self.column(sql, [target.account.as_str()])?;
        keys.sort_unstable();
        keys.dedup();
        let own = target.key();
        keys.retain(|key| Target::document_key(key) == Target::document_key(&own));
        let mut all = Vec::new();
        for key in keys {
            all.extend(self.of_principal(&target.account, &key)?);
        }
        all.sort_by_key(|one| one.opened_at);
        Ok(all)
    }

    fn in_force(&self, remediation: Remediation) -> Result<PriorRemediation, LedgerError> {
        let key_of = |finding: &Finding| finding.principal.as_ref().and_then(|p| p.access_key_id.clone());
        let mut access_keys: Vec<String> = key_of(&remediation.finding).into_iter().collect();
        // What was never accepted has nothing to recur.
        if remediation.accepted.is_some() {
            access_keys.extend(self.attached_keys(&remediation.id)?);
        }
        let by_hand = remediation.answer.as_ref().filter(|_| remediation.state == State::DoneByHand);
        let released = remediation.undone.filter(|_| remediation.state == State::Released);
        // Who released it has judged its own finding; the others only if that was said.
        let all_keys = remediation.release().is_none_or(|release| release.asked.attached);
        if remediation.state == State::Released && !all_keys {
            access_keys = key_of(&remediation.finding).into_iter().collect();
        }
        let of_target = || remediation.target.session().map(|one| one.user_id.clone());
        let id = remediation.target.id().map(str::to_owned);
        Ok(PriorRemediation {
            is_doubted: false,
            name: remediation.target.name(),
            keeps_cutoff: remediation.is_put_back(),
            ended_at: released.map(|(at, _)| at).or(by_hand.map(|given| given.at)),
            state: remediation.state,
            cutoff: remediation.change.as_ref().map(|c| c.cutoff),
            accepted_at: remediation.accepted_at(),
            session: remediation.change.as_ref().map_or_else(of_target, |change| change.session.clone()),
            long_term_key: remediation.target.long_term_key().map(str::to_owned),
            is_quarantine: remediation.target.means == Means::Quarantine,
            access_keys,
            held: remediation
                .held_why()
                .filter(|_| remediation.state == State::Held)
                .map(|(code, _)| (code, remediation.rule.clone())),
            id: remediation.change.map(|c| c.id).or(id),
            remediation: remediation.id,
        })
    }

    /// All changes that were begun in the document that denies the target, whose unique id is `id`, in the order of
    /// their intents.
    ///
    /// # Errors
    /// When the ledger cannot be read.
    pub fn past(&self, target: &Target, id: &str) -> Result<Vec<Past>, LedgerError> {
        let mut past = Vec::new();
        for remediation in self.in_document(target)? {
            let undone = remediation.undone.map(|(_, seq)| seq);
            // It goes on as soon as it can.
            let remediation_wants = remediation.state.is_to_begin();
            let (since, live) = (remediation.history.first_accepted, remediation.state.is_live());
            let changes = remediation.history.changes.into_iter();
            for made in changes.filter(|made| made.change.is_in_document_of(target, id)) {
                let remediation = remediation.id.clone();
                let wants = live || remediation_wants;
                past.push(Past {
                    remediation,
                    seq: made.entry,
                    change: made.change,
                    since,
                    live,
                    wants,
                    undone,
                });
            }
        }
        past.sort_by_key(|one| one.seq);
        Ok(past)
    }

    /// The remediations in a state that `wanted` names, oldest first.
    ///
    /// # Errors
    /// When the ledger cannot be read.
    pub fn remediations(&self, wanted: impl Fn(State) -> bool) -> Result<Vec<Remediation>, LedgerError> {
        let sql = format!("SELECT id FROM remediations WHERE state IN {} ORDER BY opened", states(wanted));
        self.column(&sql, [])?.iter().map(|id| self.remediation(id)).collect()
    }

    /// How many remediations stand where.
    ///
    /// # Errors
    /// When the ledger cannot be read.
    pub fn standings(&self) -> Result<Vec<(Standing, i64)>, LedgerError> {
        let connection = self.connection();
        let sql = "SELECT state, proof, count(*) FROM remediations GROUP BY state, proof";
        let mut statement = connection.prepare_cached(sql).map_err(|e| self.sqlite(e))?;
        let rows = statement
            .query_map([], |row| Ok((Standing { state: row.get(0)?, proof: row.get(1)? }, row.get(2)?)));
        rows.map_err(|e| self.sqlite(e))?.collect::<Result<_, _>>().map_err(|e| self.sqlite(e))
    }

    /// The remediations that are not finished, oldest first.
    ///
    /// # Errors
    /// When the ledger cannot be read.
    pub fn unfinished(&self) -> Result<Vec<Open>, LedgerError> {
        self.open_where(&format!("r.state IN {}", states(State::is_open)))
    }

    pub(super) fn open_where(&self, condition: &str) -> Result<Vec<Open>, LedgerError> {
        let sql = format!(
            "SELECT r.id, r.account, r.role_key, r.state, e.time FROM remediations r JOIN entries e ON e.seq = r.opened
             WHERE {condition} ORDER BY r.opened"
        );
        let connection = self.connection();
        let mut statement = connection.prepare_cached(&sql).map_err(|e| self.sqlite(e))?;
        let rows = statement.query_map([], |row| {
            Ok((
                row.get::<_, String>(0)?,
                row.get::<_, String>(1)?,
                row.get::<_, String>(2)?,
                row.get(3)?,
                row.get::<_, String>(4)?,
            ))
        });
        rows.map_err(|e| self.sqlite(e))?
            .map(|row| {
                let (remediation, account, role_key, state, opened_at) = row.map_err(|e| self.sqlite(e))?;
                Ok(Open {
                    remediation,
                    account: account.parse().map_err(|e| self.bad_row("remediations", &e))?,
                    role_key,
                    state,
                    opened_at: opened_at
                        .parse()
                        .map_err(|e: jiff::Error| self.bad_row("remediations", &e))?,
                })
            })
            .collect()
    }

    /// Where the remediation with this id stands.
    ///
    /// # Errors
    /// When there is none, or the ledger cannot be read.
    pub fn state(&self, id: &str) -> Result<State, LedgerError> {
        self.connection()
            .prepare_cached("SELECT state FROM remediations WHERE id = ?1")
            .and_then(|mut s| s.query_row([id], |row| row.get(0)).optional())
            .map_err(|e| self.sqlite(e))?
            .ok_or_else(|| self.unknown(id))
    }

    /// The remediation with this id.
    ///
    /// # Errors
    /// When there is none, or the ledger cannot be read.
    pub fn remediation(&self, id: &str) -> Result<Remediation, LedgerError> {
        let (occurrence, last_seen): (String, String) = self
            .connection()
            .prepare_cached("SELECT occurrence, last_seen FROM remediations WHERE id = ?1")
            .and_then(|mut s| s.query_row([id], |row| Ok((row.get(0)?, row.get(1)?))).optional())
            .map_err(|e| self.sqlite(e))?
            .ok_or_else(|| self.unknown(id))?;
        let missing = |what: &str| self.bad_row("remediations", &format!("the {what} of {id} is missing"));
        let last_seen = last_seen.parse().map_err(|e| self.bad_row("remediations", &e))?;
        let seen = self.seen(&occurrence)?.ok_or_else(|| missing("finding"))?;
        let Event::Finding { finding, .. } = seen.event else {
            return Err(self.bad(seen.seq, &"expected a finding"));
        };
        let seen = Recorded { entry: seen.seq, at: seen.time, what: *finding };
        let entries = self.select(
            // What CloudTrail showed can be long, and no step depends on it: `Reader::steps_of` has it.
            "SELECT seq, body FROM entries WHERE remediation = ?1 AND kind NOT IN ('call', 'trace') ORDER BY seq",
            [id],
        )?;
        let mut remediation: Option<Remediation> = None;
        for Entry { seq, time, event, .. } in entries {
            let recorded = Recorded { entry: seq, at: time, what: event };
            match &mut remediation {
                Some(remediation) => remediation.take(recorded),
                None => remediation = Remediation::begin(id, &seen, recorded),
            }
        }
        // The latest activity of all occurrences that it is for.
        let whole = remediation.map(|remediation| Remediation { last_seen, ..remediation });
        whole.ok_or_else(|| missing("decision"))
    }
}
