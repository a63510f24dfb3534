//! Watching over the denies that are in force: whether they are still there, whether they work, and when
//! nothing needs them any more.

use super::lanes::Again;
use super::{Engine, lane};
use crate::aws::MemberSession;
use crate::backoff::Backoff;
use crate::config::{Mode, Sweep};
use crate::ident::AccountId;
use crate::ledger::{Append, Draft, Event, LedgerError, Remediation, State, Watched};
use crate::remedy::{self, Change, Found, Purpose, Refusal, Rung, Verified, Who};
use jiff::{SignedDuration, Timestamp};
use std::collections::{HashMap, HashSet};
use std::sync::{Arc, Mutex, PoisonError};
use std::time::{Duration, Instant};
use tokio::sync::Notify;

/// The longest that a session of a role lives: IAM's maximum of MaxSessionDuration, which may have been
/// higher than it is now when the token was issued.
const ROLE_SESSION: SignedDuration = SignedDuration::from_hours(12);

/// The longest that a session of an IAM user lives (GetSessionToken, GetFederationToken).
const USER_SESSION: SignedDuration = SignedDuration::from_hours(36);

/// So much later a deny is taken for inert.
const MARGIN: SignedDuration = SignedDuration::from_hours(1);

/// The first look comes after this, the next ones later and later.
const FIRST: Duration = Duration::from_mins(1);

/// Pauses between looks when it seems to be gone: a reader may be late.
const SURE: [Duration; 2] = [Duration::from_millis(300), Duration::from_secs(1)];

/// The ledger is asked so often at most what there is to look at.
const ASK: Duration = Duration::from_secs(5);

/// The looks that are to come. That there is something to look at stands in the ledger.
#[derive(Debug, Default)]
pub(super) struct Timetable {
    looks: Mutex<HashMap<String, Looks>>,
    asked: Mutex<Option<Instant>>,
    /// The accounts in which a look is being made.
    taken: Mutex<HashSet<AccountId>>,
    freed: Notify,
}

#[derive(Debug, Default)]
struct Looks {
    /// How many since the start.
    count: u32,
    /// When the last one began.
    last: Option<Timestamp>,
}

impl Timetable {
    /// Whether the ledger is asked now.
    fn is_time(&self, longest: Duration) -> bool {
        let mut asked = self.asked.lock().unwrap_or_else(PoisonError::into_inner);
        let is_time = asked.is_none_or(|at| at.elapsed() >= ASK.min(longest));
        if is_time {
            *asked = Some(Instant::now());
        }
        is_time
    }

    /// Whether it is time for a look, which then counts as begun.
    fn is_due(&self, watched: &Watched, longest: Duration) -> bool {
        let mut all = self.looks.lock().unwrap_or_else(PoisonError::into_inner);
        let looks = all.entry(watched.remediation.clone()).or_default();
        let pause = Backoff { first: FIRST.min(longest), longest }.after(looks.count.saturating_add(1));
        let last = looks.last.unwrap_or(watched.last).max(watched.last);
        let now = Timestamp::now();
        // Whom it concerns is gathered at once.
        let is_first = looks.count == 0 && !watched.has_impact;
        if !is_first && now.duration_since(last).unsigned_abs() < pause {
            return false;
        }
        (looks.count, looks.last) = (looks.count.saturating_add(1), Some(now));
        true
    }

    fn was_looked_at_twice(&self, remediation: &str) -> bool {
        let all = self.looks.lock().unwrap_or_else(PoisonError::into_inner);
        all.get(remediation).is_none_or(|looks| looks.count != 1)
    }

    /// From now on it is looked at more often again.
    fn again(&self, remediation: &str) {
        self.looks.lock().unwrap_or_else(PoisonError::into_inner).remove(remediation);
    }

    fn forget_others(&self, watched: &[Watched]) {
        let mut all = self.looks.lock().unwrap_or_else(PoisonError::into_inner);
        if all.len() > watched.len() {
            let ids: HashSet<&str> = watched.iter().map(|one| one.remediation.as_str()).collect();
            all.retain(|id, _| ids.contains(id.as_str()));
        }
    }

    /// A place for a look in this account, if there is one: an account that hangs has one of them.
    fn place(self: &Arc<Self>, account: &AccountId) -> Option<Place> {
        let mut taken = self.taken.lock().unwrap_or_else(PoisonError::into_inner);
        (taken.len() < AT_ONCE && taken.insert(account.clone()))
            .then(|| Place { timetable: Arc::clone(self), account: account.clone() })
    }
}

/// So many accounts are looked at at once: a look must not take the width from a theft.
const AT_ONCE: usize = 4;

/// A look that is being made.
struct Place {
    timetable: Arc<Timetable>,
    account: AccountId,
}

impl Drop for Place {
    fn drop(&mut self) {
        self.timetable.taken.lock().unwrap_or_else(PoisonError::into_inner).remove(&self.account);
        self.timetable.freed.notify_one();
    }
}

/// When no token that a change denies can be alive any more.
fn expires_at(remediation: &Remediation, change: &Change) -> Timestamp {
    let longest =
        if matches!(remediation.target.who, Who::User { .. }) { USER_SESSION } else { ROLE_SESSION };
    let end = change.cutoff.time().saturating_add(longest).unwrap_or(Timestamp::MAX);
    end.saturating_add(MARGIN).unwrap_or(Timestamp::MAX)
}

impl Engine {
    /// Looks again at the denies in force whose time has come, a few at once.
    ///
    /// # Errors
    /// When the ledger cannot be read.
    pub fn recheck(self: &Arc<Self>) -> Result<(), LedgerError> {
        let policy = self.policy();
        if !self.watchdog.is_time(policy.recheck_interval) {
            return Ok(());
        }
        let watched = self.watched()?;
        self.watchdog.forget_others(&watched);
        let busy = self.lanes.busy();
        for one in &watched {
            if busy.contains(&lane(&one.account, &one.key)) {
                continue;
            }
            let Some(place) = self.watchdog.place(&one.account) else { continue };
            if self.watchdog.is_due(one, policy.recheck_interval) {
                self.submit_look(one, place);
            }
        }
        Ok(())
    }

    /// Looks at all denies in force, whatever the time; returns when all are being looked at.
    ///
    /// # Errors
    /// When the ledger cannot be read.
    pub async fn recheck_all(self: &Arc<Self>) -> Result<(), LedgerError> {
        for one in &self.watched()? {
            self.look_when_free(one).await;
        }
        Ok(())
    }

    /// Looks at the denies in force whose time has come; returns when all of them are being looked at.
    ///
    /// # Errors
    /// When the ledger cannot be read.
    pub async fn recheck_due(self: &Arc<Self>) -> Result<(), LedgerError> {
        let longest = self.policy().recheck_interval;
        for one in self.watched()?.iter().filter(|one| self.watchdog.is_due(one, longest)) {
            self.look_when_free(one).await;
        }
        Ok(())
    }

    /// Submits a look as soon as there is a place for it.
    async fn look_when_free(self: &Arc<Self>, watched: &Watched) {
        loop {
            let freed = self.watchdog.freed.notified();
            if let Some(place) = self.watchdog.place(&watched.account) {
                return self.submit_look(watched, place);
            }
            tokio::select! {
                () = freed => {}
                () = self.stop.cancelled() => return,
            }
        }
    }

    fn watched(&self) -> Result<Vec<Watched>, LedgerError> {
        let sweep = self.policy().sweep;
        // Where nothing is recorded of it, what is over is not looked at.
        let over = Timestamp::now().saturating_sub(USER_SESSION + MARGIN).unwrap_or(Timestamp::MIN);
        self.reader.watched_denies(sweep == Sweep::On, (sweep == Sweep::Off).then_some(over))
    }

    fn submit_look(self: &Arc<Self>, watched: &Watched, place: Place) {
        let (engine, id) = (Arc::clone(self), watched.remediation.clone());
        let traces = format!("{}/traces of {id}", watched.account);
        let is_due = watched.has_impact || self.watchdog.was_looked_at_twice(&id);
        self.lanes.submit(lane(&watched.account, &watched.key), Again::No, async move {
            engine.lanes.step_back().await;
            // It was seen there a moment ago: what is due is whom it concerns.
            let done =
                if is_due || !engine.was_just_seen(&id) { engine.look_after(&id).await } else { Ok(true) };
            engine.note(done.map(|_| ()));
            // What is gathered holds up nothing that is to be revoked.
            let again = Arc::clone(&engine);
            engine.lanes.submit(traces, Again::Yes, async move {
                let _place = place;
                let done = again.watch_traces(&id).await;
                again.note(done);
            });
        });
    }

    fn was_just_seen(&self, id: &str) -> bool {
        let Ok(remediation) = self.reader.remediation(id) else { return false };
        let seen = remediation.proofs.last().map_or(Timestamp::MIN, |(at, _)| *at);
        remediation.impact.is_none() && Timestamp::now().duration_since(seen).unsigned_abs() < FIRST
    }

    /// Looks after one deny. Tells whether it was seen in force.
    pub(super) async fn look_after(&self, id: &str) -> Result<bool, LedgerError> {
        let remediation = self.reader.remediation(id)?;
        let (Some(change), policy) = (&remediation.change, self.policy()) else { return Ok(false) };
        let is_over = expires_at(&remediation, change) <= Timestamp::now();
        let sweeps = policy.sweep == Sweep::On && policy.mode <= Mode::Approve;
        match remediation.state {
            State::Expired if sweeps => return self.take_back(&remediation).await.map(|()| false),
            State::Proved(_) if is_over && policy.sweep == Sweep::Off => return Ok(false),
            State::Proved(_) => {}
            _ => return Ok(false),
        }
        let session = match self.enter(&remediation, Purpose::Look).await {
            Ok(session) => session,
            Err(refusal) => return self.not_looked_at(&remediation, &refusal).await.map(|()| false),
        };
        // By AWS's clock, which is that of the tokens.
        if is_over && expires_at(&remediation, change) <= session.aws_now() {
            return self.expire(&remediation, change, sweeps).await.map(|()| false);
        }
        match self.found_for_sure(&session, &remediation, change).await {
            Ok(found) => match change.difference(&found) {
                Some(what) => {
                    self.put_back(&remediation, what, found).await?;
                    Ok(self.reader.remediation(id)?.state.is_in_place())
                }
                None => self.climb(&remediation, &session, change).await.map(|()| true),
            },
            Err(Refusal::Gone(_) | Refusal::Recreated { .. }) => {
                let principal = remediation.target.principal();
                let reason = format!("{principal} was deleted, and its sessions died with it");
                self.write(&remediation, Event::Expired { reason }).await.map(|()| false)
            }
            Err(refusal) => self.not_looked_at(&remediation, &refusal).await.map(|()| false),
        }
    }

    /// What is there. What seems to be gone is looked at again: a reader may be late.
    async fn found_for_sure(
        &self,
        session: &MemberSession,
        remediation: &Remediation,
        change: &Change,
    ) -> Result<Found, Refusal> {
        let mut found = remedy::inspect(session, &remediation.target).await?;
        for pause in SURE {
            if change.is_in_force(&found) {
                break;
            }
            tokio::time::sleep(pause).await;
            found = remedy::inspect(session, &remediation.target).await?;
        }
        Ok(found)
    }

    /// Nothing needs it any more.
    async fn expire(
        &self,
        remediation: &Remediation,
        change: &Change,
        sweeps: bool,
    ) -> Result<(), LedgerError> {
        let longest =
            if matches!(remediation.target.who, Who::User { .. }) { USER_SESSION } else { ROLE_SESSION };
        let hours = longest.as_hours();
        let reason = format!(
            "no session issued before {} can be alive any more: none lives longer than {hours} h",
            change.cutoff
        );
        tracing::info!(remediation = remediation.id, "expired: {reason}");
        self.write(remediation, Event::Expired { reason }).await?;
        // The key of a user stays inactive: that is no session, and a person decides about it.
        if sweeps {
            let expired = self.reader.remediation(&remediation.id)?;
            return self.take_back(&expired).await;
        }
        Ok(())
    }

    /// Somebody took it away or changed it: recorded, told, and put back.
    async fn put_back(
        &self,
        remediation: &Remediation,
        what: String,
        found: Found,
    ) -> Result<(), LedgerError> {
        let target = &remediation.target;
        let text = format!(
            "the deny on {} in {} was taken away: {what} ({})",
            target.principal(),
            target.account,
            remediation.id
        );
        let what_to_do = "It is put back. Find out who did it (CloudTrail: DeleteRolePolicy, PutRolePolicy; for a user DeleteUserPolicy, \
             PutUserPolicy, UpdateAccessKey): the thief, or a tool that owns all inline policies. If it was meant, use `rescind release`.";
        let drift = Event::Drift { what, found: found.document };
        let drift = Draft { subject: remediation.subject(), event: drift };
        let alert = self.alert(remediation.subject(), "deny_removed", text, what_to_do);
        let entries = std::iter::once(drift).chain(alert).collect();
        self.ledger.append(Append { entries, ..Append::default() }).await?;
        self.watchdog.again(&remediation.id);
        Box::pin(self.carry_out(&remediation.id)).await
    }

    /// It is there. When it is not proved as far as it could be, it is tried again.
    async fn climb(
        &self,
        remediation: &Remediation,
        session: &MemberSession,
        change: &Change,
    ) -> Result<(), LedgerError> {
        if remediation.state != State::Proved(Rung::Present) {
            return Ok(());
        }
        match remedy::verify(session, &remediation.target, change).await {
            Verified::Proved(proof) if proof.rung > Rung::Present => {
                self.write(remediation, Event::Proof(*proof)).await
            }
            _ => Ok(()),
        }
    }

    /// It could not be looked at: a person is told, once an hour.
    async fn not_looked_at(&self, remediation: &Remediation, refusal: &Refusal) -> Result<(), LedgerError> {
        let target = &remediation.target;
        tracing::warn!(remediation = remediation.id, "not known whether the deny is still there: {refusal}");
        let text = format!(
            "not known whether the deny on {} in {} is still there: {refusal} ({})",
            target.principal(),
            target.account,
            remediation.id
        );
        let to_do = refusal.what_to_do(&self.entry_role(target));
        self.tell(remediation.subject(), "not_looked_at", text, &to_do).await
    }
}
