//! A remediation, put together from its entries.

use super::entry::{Answer, Event, Refused, ReleaseAsked, Subject};
use super::state::State;
use super::{LedgerError, Reader};
use crate::finding::Finding;
use crate::ident::AccountId;
use crate::remedy::{Change, Cutoff, Impact, Past, Proof, Target, Undo};
use crate::triage::Recurrence;
use jiff::{SignedDuration, Timestamp};
use rusqlite::params;

/// What triage needs to know of a remediation of the same principal.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct InForce {
    /// Its id.
    pub remediation: String,
    /// Where it stands.
    pub state: State,
    /// Its cutoff, once there is one.
    pub cutoff: Option<Cutoff>,
    /// When AWS had accepted it.
    pub accepted_at: Option<Timestamp>,
    /// The unique id of the principal that it was for.
    pub id: Option<String>,
    /// The only session that it is for, by its `aws:userid`; none when it is for all.
    pub session: Option<String>,
    /// The long-term access key that it is for, if it is for one.
    pub long_term_key: Option<String>,
    /// The access keys of all the findings that it is for.
    pub access_keys: Vec<String>,
    /// It was looked at, and is not in force, or cannot be looked at: what it says of itself is not
    /// relied on.
    pub is_doubted: bool,
    /// It puts its deny back, with the cutoff that it had.
    pub keeps_cutoff: bool,
    /// When a person released it, or had done it by hand.
    pub ended_at: Option<Timestamp>,
    /// Why it is held, by the reason's name and the rule, if it is.
    pub held: Option<(String, Option<String>)>,
}

impl InForce {
    /// It was for all that the target is: for its sessions, and for its long-term key, which no cutoff
    /// ends.
    #[must_use]
    pub fn is_for(&self, target: &Target) -> bool {
        let key = target.long_term_key();
        self.is_of(target) && (key.is_none() || key == self.long_term_key.as_deref())
    }

    /// It was for this principal, as far as the ids tell (one that was made again under its name is
    /// another); and for this session, if it was for one.
    #[must_use]
    pub fn is_of(&self, target: &Target) -> bool {
        let id = target.id();
        let same = id.is_none() || self.id.is_none() || id == self.id.as_deref();
        let session = target.session().map(|one| one.user_id.as_str());
        same && (self.session.is_none() || self.session.as_deref() == session)
    }

    /// It is worked on.
    #[must_use]
    pub fn is_under_way(&self) -> bool {
        self.state.has_fixed_cutoff() || self.state.is_to_begin() || self.state == State::Lost
    }

    /// Its deny was seen in place, and revokes credentials that were last in use then: the cutoff.
    #[must_use]
    pub fn has_revoked(&self, last_seen: Timestamp) -> Option<Cutoff> {
        self.covering_cutoff().filter(|cutoff| self.state.has_revoked() && cutoff.covers(last_seen))
    }

    /// The cutoff, as far as it can be relied on without looking: a cutoff of ours lies half a
    /// minute after the change. One that is later was found on the role, and who wrote it there
    /// can take it away.
    #[must_use]
    pub fn covering_cutoff(&self) -> Option<Cutoff> {
        let relied_on = self.accepted_at.and_then(|at| at.checked_add(RELIED_ON).ok()).map(Cutoff::round_up);
        match (self.cutoff, relied_on) {
            (Some(cutoff), Some(relied_on)) => Some(cutoff.min(relied_on)),
            (cutoff, _) => cutoff,
        }
    }
}

/// A remediation that is not finished, in short.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Open {
    /// Its id.
    pub remediation: String,
    /// The account.
    pub account: AccountId,
    /// The role's name, in lower case.
    pub role_key: String,
    /// Where it stands.
    pub state: State,
    /// When it was decided.
    pub opened_at: Timestamp,
}

/// How long after a change its cutoff is relied on, by AWS's clock.
const RELIED_ON: SignedDuration = SignedDuration::from_mins(2);

/// A remediation, put together from its entries.
#[derive(Debug, Clone, PartialEq)]
pub struct Remediation {
    /// Its id.
    pub id: String,
    /// Where it stands.
    pub state: State,
    /// The finding that led to it.
    pub finding: Finding,
    /// Whom it is for.
    pub target: Target,
    /// When credentials that it revokes were last seen in use, by any finding.
    pub last_seen: Timestamp,
    /// When the finding that led to it was seen.
    pub seen_at: Timestamp,
    /// When it was decided.
    pub opened_at: Timestamp,
    /// The finding that led to it follows an earlier remediation that should have ended this.
    pub recurrence: Option<Recurrence>,
    /// What a person must do, where rescind cannot.
    pub what_to_do: Option<String>,
    /// The rule that it followed.
    pub rule: Option<String>,
    /// The opt-outs that applied when it was decided.
    pub opt_outs: Vec<String>,
    /// Since when a person is asked, if one was.
    pub held_at: Option<Timestamp>,
    /// Why a person is asked: the reason's name, and in words.
    pub held_why: Option<(String, String)>,
    /// The entry of the latest intent.
    pub intent_seq: Option<i64>,
    /// What would be done, as it was looked at last for the person who is asked.
    pub proposal: Option<Proposal>,
    /// The answer, and when it was given.
    pub answer: Option<(Timestamp, Answer)>,
    /// The change that was made or is being made.
    pub change: Option<Change>,
    /// When AWS had accepted the change.
    pub accepted_at: Option<Timestamp>,
    /// The entry with which AWS had accepted a change of it for the first time.
    pub first_accepted: Option<i64>,
    /// All changes that were begun, with the entries of their intents.
    pub changes: Vec<(i64, Change)>,
    /// Each rung of the proof that was reached, and when.
    pub proofs: Vec<(Timestamp, Proof)>,
    /// Whom and what it concerns, once that was gathered.
    pub impact: Option<Box<Impact>>,
    /// When its deny was last found gone.
    pub lost_at: Option<Timestamp>,
    /// When it was told last who did that.
    pub culprit_told_at: Option<Timestamp>,
    /// The release that was asked for last, and when.
    pub release: Option<(Timestamp, ReleaseAsked)>,
    /// How it is being taken back.
    pub undoing: Option<Undo>,
    /// When it was taken back, and with which entry.
    pub undone: Option<(Timestamp, i64)>,
    /// The latest refusal.
    pub refused: Option<Refused>,
    /// Why it is not known whether the change is in place.
    pub uncertain: Option<String>,
}

/// What a person is asked about.
#[derive(Debug, Clone, PartialEq)]
pub struct Proposal {
    /// Its entry.
    pub seq: i64,
    /// What would be done; none when it could not be looked at.
    pub change: Option<Change>,
    /// Why it could not be looked at.
    pub problem: Option<String>,
}

impl Remediation {
    /// How long after the last activity that GuardDuty saw; none when GuardDuty dates that later than when
    /// the finding was read: nothing can be counted from it.
    #[must_use]
    pub fn since_activity(&self, at: Timestamp) -> Option<SignedDuration> {
        let last = self.finding.last_seen();
        (last <= self.seen_at).then(|| at.duration_since(last))
    }

    /// Until when a person can answer, if one is asked.
    #[must_use]
    pub fn answer_by(&self, timeout: SignedDuration) -> Option<Timestamp> {
        self.held_at.map(|at| at.saturating_add(timeout).unwrap_or(Timestamp::MAX))
    }

    /// When a person approved it, if one did and it was not held again since.
    #[must_use]
    pub fn approved_at(&self) -> Option<Timestamp> {
        self.answer
            .as_ref()
            .map(|(at, _)| *at)
            .filter(|_| !matches!(self.state, State::Held | State::Rejected | State::Superseded))
    }

    /// The highest rung that was reached since the change was made last.
    #[must_use]
    pub fn proof(&self) -> Option<&Proof> {
        self.proofs.last().map(|(_, proof)| proof)
    }

    /// It is put back after somebody took it away, and keeps its cutoff.
    #[must_use]
    pub fn is_put_back(&self) -> bool {
        self.lost_at.is_some() && self.change.is_some()
    }

    /// What an entry about it is about.
    #[must_use]
    pub fn subject(&self) -> Subject {
        Subject {
            remediation: Some(self.id.clone()),
            finding: Some(self.finding.id.clone()),
            account: Some(self.target.account.clone()),
            region: Some(self.finding.region.clone()),
            principal: Some(self.target.name()),
        }
    }
}

impl Reader {
    /// What was done to a principal before. The newest first. `key` is as [`Target::key`] gives it.
    ///
    /// # Errors
    /// When the ledger cannot be read.
    pub fn history(&self, account: &AccountId, key: &str) -> Result<Vec<InForce>, LedgerError> {
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
    ) -> Result<Vec<InForce>, LedgerError> {
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

    fn in_force(&self, remediation: Remediation) -> Result<InForce, LedgerError> {
        let key_of = |finding: &Finding| finding.principal.as_ref().and_then(|p| p.access_key_id.clone());
        let mut access_keys: Vec<String> = key_of(&remediation.finding).into_iter().collect();
        // What was never accepted has nothing to recur.
        if remediation.accepted_at.is_some() {
            access_keys.extend(self.attached_keys(&remediation.id)?);
        }
        let by_hand = remediation.answer.as_ref().filter(|_| remediation.state == State::ByHand);
        let released = remediation.undone.filter(|_| remediation.state == State::Released);
        // Who released it has judged its own finding; the others only if that was said.
        let all_keys = remediation.release.as_ref().is_none_or(|(_, asked)| asked.attached);
        if remediation.state == State::Released && !all_keys {
            access_keys = key_of(&remediation.finding).into_iter().collect();
        }
        let of_target = || remediation.target.session().map(|one| one.user_id.clone());
        let id = remediation.target.id().map(str::to_owned);
        Ok(InForce {
            is_doubted: false,
            keeps_cutoff: remediation.is_put_back(),
            ended_at: released.map(|(at, _)| at).or(by_hand.map(|(at, _)| *at)),
            state: remediation.state,
            cutoff: remediation.change.as_ref().map(|c| c.cutoff),
            accepted_at: remediation.accepted_at,
            session: remediation.change.as_ref().map_or_else(of_target, |change| change.session.clone()),
            long_term_key: remediation.target.long_term_key().map(str::to_owned),
            access_keys,
            held: remediation
                .held_why
                .filter(|_| remediation.state == State::Held)
                .map(|(code, _)| (code, remediation.rule)),
            id: remediation.change.map(|c| c.id).or(id),
            remediation: remediation.id,
        })
    }

    /// All changes that were begun to the principal with this unique id, in the order of their intents.
    ///
    /// # Errors
    /// When the ledger cannot be read.
    pub fn past(&self, account: &AccountId, key: &str, id: &str) -> Result<Vec<Past>, LedgerError> {
        let mut past = Vec::new();
        for remediation in self.of_principal(account, key)? {
            let undone = remediation.undone.map(|(_, seq)| seq);
            // It goes on as soon as it can.
            let remediation_wants = remediation.state.is_to_begin();
            for (seq, change) in remediation.changes {
                if change.id == id {
                    let (since, live) = (remediation.first_accepted, remediation.state.is_live());
                    let remediation = remediation.id.clone();
                    let wants = live || remediation_wants;
                    past.push(Past { remediation, seq, change, since, live, wants, undone });
                }
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
        let states: Vec<String> =
            State::all().filter(|state| wanted(*state)).map(|state| format!("'{state}'")).collect();
        let sql =
            format!("SELECT id FROM remediations WHERE state IN ({}) ORDER BY opened", states.join(","));
        self.column(&sql, [])?.iter().map(|id| self.remediation(id)).collect()
    }

    /// How many remediations are in each state.
    ///
    /// # Errors
    /// When the ledger cannot be read.
    pub fn states(&self) -> Result<Vec<(State, i64)>, LedgerError> {
        let connection = self.connection();
        let sql = "SELECT state, count(*) FROM remediations GROUP BY state";
        let mut statement = connection.prepare_cached(sql).map_err(|e| self.sqlite(e))?;
        let rows = statement.query_map([], |row| Ok((row.get::<_, String>(0)?, row.get::<_, i64>(1)?)));
        let counts: Vec<(String, i64)> =
            rows.map_err(|e| self.sqlite(e))?.collect::<Result<_, _>>().map_err(|e| self.sqlite(e))?;
        let state =
            |text: &str| State::all().find(|state| state.to_string() == text).unwrap_or(State::Decided);
        Ok(State::all()
            .map(|one| (one, counts.iter().filter(|(text, _)| state(text) == one).map(|(_, n)| n).sum()))
            .collect())
    }

    /// The remediations that are not finished, oldest first.
    ///
    /// # Errors
    /// When the ledger cannot be read.
    pub fn unfinished(&self) -> Result<Vec<Open>, LedgerError> {
        let states: Vec<String> =
            State::all().filter(|state| state.is_open()).map(|state| format!("'{state}'")).collect();
        let sql = format!(
            "SELECT r.id, r.account, r.role_key, r.state, e.time FROM remediations r JOIN entries e ON e.seq = r.opened
             WHERE r.state IN ({}) ORDER BY r.opened",
            states.join(",")
        );
        let connection = self.connection();
        let mut statement = connection.prepare_cached(&sql).map_err(|e| self.sqlite(e))?;
        let rows = statement.query_map([], |row| {
            Ok((
                row.get::<_, String>(0)?,
                row.get::<_, String>(1)?,
                row.get::<_, String>(2)?,
                row.get::<_, String>(3)?,
                row.get::<_, String>(4)?,
            ))
        });
        rows.map_err(|e| self.sqlite(e))?
            .map(|row| {
                let (remediation, account, role_key, state, opened_at) = row.map_err(|e| self.sqlite(e))?;
                Ok(Open {
                    remediation,
                    account: account.parse().map_err(|e| self.bad(0, &e))?,
                    role_key,
                    state: state.parse().map_err(|e: String| self.bad(0, &e))?,
                    opened_at: opened_at.parse().map_err(|e: jiff::Error| self.bad(0, &e))?,
                })
            })
            .collect()
    }

    /// Where the remediation with this id stands.
    ///
    /// # Errors
    /// When there is none, or the ledger cannot be read.
    pub fn state(&self, id: &str) -> Result<State, LedgerError> {
        let text: String = self
            .connection()
            .prepare_cached("SELECT state FROM remediations WHERE id = ?1")
            .and_then(|mut s| s.query_row([id], |row| row.get(0)))
            .map_err(|e| self.sqlite(e))?;
        text.parse().map_err(|e: String| self.bad(0, &e))
    }

    /// The remediation with this id.
    ///
    /// # Errors
    /// When there is none, or the ledger cannot be read.
    pub fn remediation(&self, id: &str) -> Result<Remediation, LedgerError> {
        let (occurrence, state, last_seen, held_at): (String, String, String, Option<String>) = self
            .connection()
            .prepare_cached("SELECT occurrence, state, last_seen, held_at FROM remediations WHERE id = ?1")
            .and_then(|mut s| {
                s.query_row([id], |row| Ok((row.get(0)?, row.get(1)?, row.get(2)?, row.get(3)?)))
            })
            .map_err(|e| self.sqlite(e))?;
        let held_at =
            held_at.map(|text| text.parse()).transpose().map_err(|e: jiff::Error| self.bad(0, &e))?;
        let last_seen = last_seen.parse().map_err(|e| self.bad(0, &e))?;
        let state = state.parse().map_err(|e: String| self.bad(0, &e))?;
        let seen = self.seen(&occurrence)?.ok_or_else(|| self.bad(0, &"its finding is missing"))?;
        let seen_at = seen.time;
        let Event::Finding { finding, .. } = seen.event else {
            return Err(self.bad(seen.seq, &"expected a finding"));
        };
        let steps = self.select(
            "SELECT seq, body FROM entries WHERE remediation = ?1 AND kind <> 'call' ORDER BY seq",
            [id],
        )?;
        let mut remediation = None;
        for step in steps {
            match (&mut remediation, step.event) {
                (Some(remediation), event) => Remediation::take(remediation, step.seq, step.time, event),
                (None, event) => {
                    let begun = Remediation::begin(id, state, &finding, seen_at, step.time, event);
                    remediation = begun.map(|begun| Remediation { last_seen, held_at, ..begun });
                }
            }
        }
        remediation.ok_or_else(|| self.bad(0, &format!("{id} has no decision")))
    }
}
