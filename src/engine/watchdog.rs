//! Watching over the denies that are in force: whether they are still there, whether they work, and when
//! nothing needs them any more.

use super::lanes::Again;
use super::{Engine, lane};
use crate::aws::MemberSession;
use crate::backoff::Backoff;
use crate::config::Sweep;
use crate::ledger::{Append, Draft, Event, LedgerError, Remediation, State, Watched};
use crate::remedy::{self, Change, Found, Purpose, Refusal, Rung, Verified, Who};
use jiff::{SignedDuration, Timestamp};
use std::collections::HashMap;
use std::sync::{Arc, Mutex, PoisonError};
use std::time::{Duration, Instant};

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
        if watched.has_impact && now.duration_since(last).unsigned_abs() < pause {
            return false;
        }
        (looks.count, looks.last) = (looks.count.saturating_add(1), Some(now));
        true
    }

    /// From now on it is looked at more often again.
    fn again(&self, remediation: &str) {
        self.looks.lock().unwrap_or_else(PoisonError::into_inner).remove(remediation);
    }

    fn forget_others(&self, watched: &[Watched]) {
        let mut all = self.looks.lock().unwrap_or_else(PoisonError::into_inner);
        if all.len() > watched.len() {
            all.retain(|id, _| watched.iter().any(|one| one.remediation == *id));
        }
    }
}

/// When no token that a change denies can be alive any more.
#[must_use]
pub fn expires_at(remediation: &Remediation, change: &Change) -> Timestamp {
    let longest =
        if matches!(remediation.target.who, Who::User { .. }) { USER_SESSION } else { ROLE_SESSION };
    let end = change.cutoff.time().saturating_add(longest).unwrap_or(Timestamp::MAX);
    end.saturating_add(MARGIN).unwrap_or(Timestamp::MAX)
}

impl Engine {
    /// Looks again at the denies in force whose time has come; at all of them when `all`.
    ///
    /// # Errors
    /// When the ledger cannot be read.
    pub fn recheck(self: &Arc<Self>, all: bool) -> Result<(), LedgerError> {
        let policy = self.policy();
        if !all && !self.watchdog.is_time(policy.recheck_interval) {
            return Ok(());
        }
        let watched = self.reader.watched_denies(policy.sweep == Sweep::On)?;
        self.watchdog.forget_others(&watched);
        let busy = self.lanes.busy();
        for one in &watched {
            let lane = lane(&one.account, &one.key);
            if busy.contains(&lane) || !(all || self.watchdog.is_due(one, policy.recheck_interval)) {
                continue;
            }
            let (engine, id) = (Arc::clone(self), one.remediation.clone());
            self.lanes.submit(lane, Again::Yes, async move {
                let done = engine.look_after(&id, all).await;
                engine.note(done);
            });
        }
        Ok(())
    }

    /// Looks after one deny; with `all` also when it was seen a moment ago.
    async fn look_after(&self, id: &str, all: bool) -> Result<(), LedgerError> {
        let remediation = self.reader.remediation(id)?;
        let (Some(change), sweep) = (&remediation.change, self.policy().sweep) else { return Ok(()) };
        let is_over = expires_at(&remediation, change) <= Timestamp::now();
        match remediation.state {
            State::Expired if sweep == Sweep::On => return self.take_back(&remediation).await,
            State::Proved(_) if is_over && sweep == Sweep::Off => return Ok(()),
            State::Proved(_) => {}
            _ => return Ok(()),
        }
        // It was seen there a moment ago: what is due is whom it concerns.
        let seen = remediation.proofs.last().map_or(Timestamp::MIN, |(at, _)| *at);
        if !all
            && remediation.impact.is_none()
            && Timestamp::now().duration_since(seen).unsigned_abs() < FIRST
        {
            return self.watch_traces(id).await;
        }
        let session = match self.enter(&remediation, Purpose::Look).await {
            Ok(session) => session,
            Err(refusal) => return self.not_looked_at(&remediation, &refusal).await,
        };
        // By AWS's clock, which is that of the tokens.
        if is_over && expires_at(&remediation, change) <= session.aws_now() {
            return self.expire(&remediation, change).await;
        }
        match self.found_for_sure(&session, &remediation, change).await {
            Ok(found) => match change.difference(&found) {
                Some(what) => self.put_back(&remediation, what, found).await?,
                None => self.climb(&remediation, &session, change).await?,
            },
            Err(Refusal::Gone(_) | Refusal::Recreated { .. }) => {
                let principal = remediation.target.principal();
                let reason = format!("{principal} was deleted, and its sessions died with it");
                return self.write(&remediation, Event::Expired { reason }).await;
            }
            Err(refusal) => return self.not_looked_at(&remediation, &refusal).await,
        }
        self.watch_traces(id).await
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
    async fn expire(&self, remediation: &Remediation, change: &Change) -> Result<(), LedgerError> {
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
        if self.policy().sweep == Sweep::On {
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
        let by = self.who_did_it(remediation).await;
        let target = &remediation.target;
        let said = by.as_deref().map_or_else(String::new, |by| format!("; {by}"));
        let text = format!(
            "the deny on {} in {} was taken away: {what}{said} ({})",
            target.principal(),
            target.account,
            remediation.id
        );
        let what_to_do = "It is put back. Find out who did it (CloudTrail: DeleteRolePolicy, PutRolePolicy; for a user DeleteUserPolicy, \
             PutUserPolicy, UpdateAccessKey): the thief, or a tool that owns all inline policies. If it was meant, use `rescind release`.";
        let drift = Event::Drift { what, found: found.document, by };
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
