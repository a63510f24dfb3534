//! Watching over the denies that are in force: whether they are still there, whether they work, and when
//! nothing needs them any more.

use super::keyed_queue::Again;
use super::timetable::{Due, FIRST, Limits, Place, Rechecks};
use super::{Reconciler, lane};
use crate::alert::Alert;
use crate::aws::MemberSession;
use crate::config::{Mode, Sweep};
use crate::ledger::{Append, LedgerError, Watched};
use crate::remediation::{
    AlertCode, Change, Deny, Draft, Event, Refusal, Remediation, Rung, State, Verified, Who,
};
use crate::remedy::{self, Found, Purpose};
use jiff::{SignedDuration, Timestamp};
use std::sync::Arc;
use std::time::Duration;

/// The longest that a session of a role lives, and what it opened for itself: IAM's maximum of
/// MaxSessionDuration, which may have been higher than it is now when the token was issued; and a console
/// session of the same length that was opened at its end (GetSigninToken).
const ROLE_SESSION: SignedDuration = SignedDuration::from_hours(24);

/// The longest that a session of an IAM user lives (GetSessionToken, GetFederationToken).
const USER_SESSION: SignedDuration = SignedDuration::from_hours(36);

/// So much later a deny is taken for inert.
const MARGIN: SignedDuration = SignedDuration::from_hours(1);

/// Pauses between looks when it seems to be gone: a reader may be late.
const SURE: [Duration; 2] = [Duration::from_millis(300), Duration::from_secs(1)];

/// When no token that a change denies can be alive any more.
fn expires_at(remediation: &Remediation, change: &Change) -> Timestamp {
    let longest =
        if matches!(remediation.target.who, Who::User { .. }) { USER_SESSION } else { ROLE_SESSION };
    let end = change.cutoff.time().saturating_add(longest).unwrap_or(Timestamp::MAX);
    end.saturating_add(MARGIN).unwrap_or(Timestamp::MAX)
}

impl Reconciler {
    /// Looks again at the denies in force whose time has come, a few at once; and says when that is too
    /// seldom.
    ///
    /// # Errors
    /// When the ledger fails.
    pub async fn recheck(self: &Arc<Self>) -> Result<(), LedgerError> {
        let (longest, now) = (self.policy().recheck_interval, Timestamp::now());
        let watched = self.watchdog.watched(longest, || self.watched())?;
        let limits = Limits::of_all(&watched, longest, self.width);
        let busy = self.queue.busy();
        for one in self.watchdog.due(&watched, longest, now) {
            if busy.contains(&lane(&one.account, &one.key)) {
                continue;
            }
            let Some(place) = self.watchdog.place(&one.account, &limits) else { continue };
            let due = self.watchdog.begin(one, longest, now);
            self.submit_look(one, due, place);
        }
        let state = self.watchdog.take_stock(&watched, longest, now);
        let Some(text) = state.problem() else { return Ok(()) };
        let what_to_do = "Whoever takes such a deny away is noticed later. The log says which account does not answer. If all do, raise \
             `concurrency`, or set a longer `recheck_interval`.";
        self.alerts.raise_alert(Alert::of_service(AlertCode::RechecksLate, text, what_to_do)).await
    }

    /// How the denies in force are looked after.
    #[must_use]
    pub fn rechecks(&self) -> Rechecks {
        self.watchdog.state()
    }

    /// Looks at all denies in force, whatever the time; returns when all are being looked at.
    ///
    /// # Errors
    /// When the ledger cannot be read.
    pub async fn recheck_all(self: &Arc<Self>) -> Result<(), LedgerError> {
        let watched = self.watched()?;
        let limits = Limits::of_all(&watched, self.policy().recheck_interval, self.width);
        for one in &watched {
            self.look_when_free(one, Due::Look, &limits).await;
        }
        Ok(())
    }

    /// Looks at the denies in force whose time has come; returns when all of them are being looked at.
    ///
    /// # Errors
    /// When the ledger cannot be read.
    pub async fn recheck_due(self: &Arc<Self>) -> Result<(), LedgerError> {
        let (longest, now) = (self.policy().recheck_interval, Timestamp::now());
        let watched = self.watched()?;
        let limits = Limits::of_all(&watched, longest, self.width);
        for one in self.watchdog.due(&watched, longest, now) {
            let due = self.watchdog.begin(one, longest, now);
            self.look_when_free(one, due, &limits).await;
        }
        Ok(())
    }

    /// Submits a look as soon as there is a place for it.
    async fn look_when_free(self: &Arc<Self>, watched: &Watched, due: Due, limits: &Limits) {
        loop {
            let freed = self.watchdog.freed.notified();
            if let Some(place) = self.watchdog.place(&watched.account, limits) {
                return self.submit_look(watched, due, place);
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

    fn submit_look(self: &Arc<Self>, watched: &Watched, due: Due, place: Place) {
        let (engine, id) = (Arc::clone(self), watched.remediation.clone());
        let traces = format!("{}/traces of {id}", watched.account);
        self.queue.submit(lane(&watched.account, &watched.key), Again::No, async move {
            engine.queue.step_back().await;
            // It was seen there a moment ago: what is due is whom it concerns.
            let is_due = due == Due::Look || !engine.was_just_seen(&id);
            let done = if is_due { engine.look_after(&id).await } else { Ok(true) };
            engine.note(done.map(|_| ()));
            // What is gathered holds up nothing that is to be revoked.
            let again = Arc::clone(&engine);
            engine.queue.submit(traces, Again::Yes, async move {
                let _place = place;
                let done = again.watch_traces(&id).await;
                again.note(done);
            });
        });
    }

    fn was_just_seen(&self, id: &str) -> bool {
        let Ok(remediation) = self.reader.remediation(id) else { return false };
        let seen = remediation.proofs.last().map_or(Timestamp::MIN, |proof| proof.at);
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
            State::Revoked | State::Unverified if is_over && policy.sweep == Sweep::Off => return Ok(false),
            State::Revoked | State::Unverified => {}
            _ => return Ok(false),
        }
        let session = match self.access.open_for(&remediation, Purpose::Look).await {
            Ok(session) => session,
            Err(refusal) => return self.not_looked_at(&remediation, &refusal).await.map(|()| false),
        };
        // By AWS's clock, which is that of the tokens.
        if is_over && expires_at(&remediation, change) <= session.aws_now() {
            return self.expire(&remediation, change, sweeps).await.map(|()| false);
        }
        let expected = self.expected(&remediation.target, &change.id)?;
        let at_most = expected.at_most();
        match self.found_for_sure(&session, &remediation, change, at_most).await {
            Ok(found) => match change.difference(&found, at_most) {
                Some(what) => {
                    self.put_back(&remediation, what, &found).await?;
                    Ok(self.reader.remediation(id)?.state.is_in_place())
                }
                None => self.climb(&remediation, &session, change, at_most).await.map(|()| true),
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
        at_most: &Deny,
    ) -> Result<Found, Refusal> {
        let mut found = remedy::inspect(session, &remediation.target).await?;
        for pause in SURE {
            if change.is_in_force(&found, at_most) {
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
            "no session issued before {} can be alive any more, nor a console session that it opened: none lives longer than {hours} h",
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

    /// Somebody took it away or changed it: recorded, told, and put back; with what other remediations
    /// of the principal lost by that.
    async fn put_back(
        &self,
        remediation: &Remediation,
        what: String,
        found: &Found,
    ) -> Result<(), LedgerError> {
        let mut lost = vec![(remediation.clone(), what)];
        for other in self.reader.of_principal(&remediation.target.account, &remediation.target.key())? {
            let change = other.change.as_ref().filter(|_| other.state.is_in_place());
            // What is there beside its own is not its own loss.
            let beside = found.document.as_deref().and_then(Deny::read).unwrap_or_default();
            if let Some(what) = change
                .filter(|change| other.id != remediation.id && change.id == found.id)
                .and_then(|change| change.difference(found, &beside))
            {
                lost.push((other, what));
            }
        }
        let mut entries = Vec::new();
        for (one, what) in &lost {
            let drift = Event::Drift { what: what.clone(), found: found.document.clone() };
            entries.push(Draft { subject: one.subject(), event: drift });
            entries.extend(self.alert_of_removal(one, what));
        }
        self.ledger.append(Append { entries, ..Append::default() }).await?;
        for (one, _) in &lost {
            self.watchdog.again(&one.id);
            Box::pin(self.carry_out(&one.id)).await?;
        }
        Ok(())
    }

    fn alert_of_removal(&self, remediation: &Remediation, what: &str) -> Option<Draft> {
        let target = &remediation.target;
        let text = format!(
            "the deny on {} in {} was taken away or altered: {what} ({})",
            target.principal(),
            target.account,
            remediation.id
        );
        let what_to_do = "It is put back. Find out who did it (CloudTrail: DeleteRolePolicy, PutRolePolicy; for a user DeleteUserPolicy, \
             PutUserPolicy, UpdateAccessKey): the thief, or a tool that owns all inline policies. If it was meant, use `rescind release`.";
        self.alerts.draft(Alert::new(AlertCode::DenyRemoved, remediation.subject(), text, what_to_do))
    }

    /// It is there. When it is not proved as far as it could be, it is tried again.
    async fn climb(
        &self,
        remediation: &Remediation,
        session: &MemberSession,
        change: &Change,
        at_most: &Deny,
    ) -> Result<(), LedgerError> {
        if remediation.rung() != Some(Rung::Present) {
            return Ok(());
        }
        match remedy::verify(session, &remediation.target, change, at_most).await {
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
        let to_do = refusal.what_to_do(&self.access.role_arn(target));
        self.alerts.raise_alert(Alert::new(AlertCode::NotLookedAt, remediation.subject(), text, to_do)).await
    }
}
