//! Whether a deny is still in force, and whether anything still needs it.

use crate::alert::{Alert, Alerts};
use crate::config::Sweep;
use crate::ledger::{Append, Ledger, LedgerError, Reader, Watched};
use crate::remediation::{
    AlertCode, Change, Deny, Draft, Event, Proof, Refusal, Remediation, Rung, State, Verified,
};
use crate::remedy::{self, Expected, Found, MemberAccess, Purpose, Session};
use jiff::{SignedDuration, Timestamp};
use std::sync::Arc;
use std::time::Duration;

/// Time beyond the longest life of a session after which a deny counts as no longer needed.
const MARGIN: SignedDuration = SignedDuration::from_hours(1);

/// Delays between looks when a deny seems to be gone: a read may lag behind.
const SURE: [Duration; 2] = [Duration::from_millis(300), Duration::from_secs(1)];

/// What a look at a deny saw.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Seen {
    /// It is in place, at this time of AWS's.
    InPlace(Timestamp),
    /// Somebody removed or altered it, and with it what these remediations had in place: that is recorded, and
    /// to be put back.
    Lost(Vec<String>),
    /// Nothing needs it any more.
    Expired,
    /// It is not in force any more, or it could not be read.
    Unknown,
}

/// Checks denies that are in force.
pub struct Recheck {
    ledger: Ledger,
    reader: Arc<Reader>,
    access: MemberAccess,
    alerts: Arc<Alerts>,
}

/// The time when no token that a change denies can be alive any more, nor a console session that it opened.
pub(super) fn expires_at(remediation: &Remediation, change: &Change) -> Timestamp {
    let Some(longest) = remedy::longest_session(&remediation.target) else { return Timestamp::MAX };
    let end = change.cutoff.time().saturating_add(longest).unwrap_or(Timestamp::MAX);
    end.saturating_add(MARGIN).unwrap_or(Timestamp::MAX)
}

impl Recheck {
    /// A recheck of the denies in this ledger.
    #[must_use]
    pub fn new(ledger: Ledger, reader: Arc<Reader>, access: MemberAccess, alerts: Arc<Alerts>) -> Self {
        Self { ledger, reader, access, alerts }
    }

    /// The denies that are to be looked at.
    ///
    /// # Errors
    /// When the ledger cannot be read.
    pub fn watched(&self, sweep: Sweep) -> Result<Vec<Watched>, LedgerError> {
        // Where nothing is recorded of it, what is over is not looked at.
        let longest = remedy::LONGEST_SESSION + MARGIN;
        let over = Timestamp::now().saturating_sub(longest).unwrap_or(Timestamp::MIN);
        self.reader.watched_denies(sweep == Sweep::On, (sweep == Sweep::Off).then_some(over))
    }

    /// Looks at one deny, which was last seen at `in_place`, and records what is new about it. A contested one that
    /// has stayed for `settles` is called revoked again.
    ///
    /// # Errors
    /// When the ledger fails.
    pub async fn look(
        &self,
        id: &str,
        sweep: Sweep,
        settles: SignedDuration,
        in_place: Option<Timestamp>,
    ) -> Result<Seen, LedgerError> {
        let remediation = self.reader.remediation(id)?;
        let Some(change) = &remediation.change else { return Ok(Seen::Unknown) };
        if remediation.state == State::Expired {
            return Ok(Seen::Expired);
        }
        let is_over = expires_at(&remediation, change) <= Timestamp::now();
        if !remediation.state.is_in_place() || is_over && sweep == Sweep::Off {
            return Ok(Seen::Unknown);
        }
        let session = match self.access.open_for(&remediation, Purpose::Look).await {
            Ok(session) => session,
            Err(refusal) => return self.not_looked_at(&remediation, &refusal).await,
        };
        // By AWS's clock, which is that of the tokens.
        if is_over && expires_at(&remediation, change) <= session.aws_now() {
            let hours = remedy::longest_session(&remediation.target).map_or(0, |longest| longest.as_hours());
            let reason = format!(
                "no session issued before {} can be alive any more, nor a console session that it opened: none lives longer than {hours} h",
                change.cutoff
            );
            return self.expired(&remediation, reason).await;
        }
        let target = &remediation.target;
        let expected = Expected::after(target.means, &self.reader.past(target, &change.id)?);
        let at_most = expected.at_most();
        match found_for_sure(&session, &remediation, change, at_most).await {
            Ok(found) => match change.difference(&found, at_most) {
                Some(what) => self.lost(&remediation, what, &found, in_place).await,
                None => self.in_force(&remediation, &session, change, at_most, settles).await,
            },
            Err(Refusal::Gone(_) | Refusal::Recreated { .. }) => {
                let reason = format!("{} was deleted, and its sessions died with it", target.principal());
                // Nothing is left that could be taken away.
                self.expired(&remediation, reason).await.map(|_| Seen::Unknown)
            }
            Err(refusal) => self.not_looked_at(&remediation, &refusal).await,
        }
    }

    async fn expired(&self, remediation: &Remediation, reason: String) -> Result<Seen, LedgerError> {
        tracing::info!(remediation = remediation.id, "expired: {reason}");
        self.write(remediation, Event::Expired { reason }).await?;
        Ok(Seen::Expired)
    }

    /// Somebody removed or changed it: recorded and raised, with what other remediations of the principal lost
    /// by that.
    async fn lost(
        &self,
        remediation: &Remediation,
        what: String,
        found: &Found,
        in_place: Option<Timestamp>,
    ) -> Result<Seen, LedgerError> {
        let mut lost = vec![(remediation.clone(), what)];
        for other in self.reader.in_document(&remediation.target)? {
            let change = other.change.as_ref().filter(|_| other.state.is_in_place());
            // What is there beside its own is not its own loss.
            let beside = found
                .document
                .as_deref()
                .and_then(|text| Deny::read(text, remediation.target.means))
                .unwrap_or_default();
            if let Some(what) = change
                .filter(|change| {
                    other.id != remediation.id && change.is_in_document_of(&remediation.target, &found.id)
                })
                .and_then(|change| change.difference(found, &beside))
            {
                lost.push((other, what));
            }
        }
        let mut entries = Vec::new();
        for (one, what) in &lost {
            let seen_in_place = in_place.max(one.accepted_at());
            let drift = Event::Drift { what: what.clone(), found: found.document.clone(), seen_in_place };
            entries.push(Draft { subject: one.subject(), event: drift });
            entries.extend(self.alerts.draft(deny_removed(one, what)));
            entries.extend(self.alerts.contested(one, 1, Timestamp::now()));
        }
        self.ledger.append(Append { entries, ..Append::default() }).await?;
        Ok(Seen::Lost(lost.into_iter().map(|(one, _)| one.id).collect()))
    }

    /// It is in place. If it is not fully proved yet, the proof is tried again.
    async fn in_force(
        &self,
        remediation: &Remediation,
        session: &Session,
        change: &Change,
        at_most: &Deny,
        settles: SignedDuration,
    ) -> Result<Seen, LedgerError> {
        if remediation.rung() == Some(Rung::Present)
            && let Verified::Proved(proof) =
                remedy::verify(session, &remediation.target, change, at_most).await
            && proof.rung > Rung::Present
        {
            self.write(remediation, Event::Proof(*proof)).await?;
        }
        let now = session.aws_now();
        let stayed = remediation.accepted_at().map_or(SignedDuration::ZERO, |at| now.duration_since(at));
        let is_contradicted = remediation.proof().is_none_or(Proof::is_contradicted);
        if remediation.state == State::Contested && stayed >= settles && !is_contradicted {
            tracing::info!(remediation = remediation.id, "the deny stays: it is not contested any more");
            let seconds = stayed.unsigned_abs().as_secs();
            self.write(remediation, Event::Settled { seconds }).await?;
        }
        Ok(Seen::InPlace(now))
    }

    async fn not_looked_at(&self, remediation: &Remediation, refusal: &Refusal) -> Result<Seen, LedgerError> {
        tracing::warn!(remediation = remediation.id, "not known whether the deny is still there: {refusal}");
        let text =
            format!("not known whether the deny on {} is still there: {refusal}", remediation.principal());
        let what_to_do = refusal.what_to_do(&self.access.role_arn(&remediation.target));
        let alert = Alert::about(AlertCode::NotLookedAt, remediation, text, what_to_do);
        self.alerts.raise_alert(alert).await?;
        Ok(Seen::Unknown)
    }

    async fn write(&self, remediation: &Remediation, event: Event) -> Result<(), LedgerError> {
        self.ledger.append(Draft { subject: remediation.subject(), event }).await.map(|_| ())
    }
}

/// What is in place. If the deny seems to be gone, it is read again: a read may lag behind.
async fn found_for_sure(
    session: &Session,
    remediation: &Remediation,
    change: &Change,
    at_most: &Deny,
) -> Result<Found, Refusal> {
    let target = &remediation.target.found_as(&change.id);
    let mut found = remedy::inspect(session, target).await?;
    // What somebody fights is more likely gone than read too early.
    let pauses = if remediation.state == State::Contested { &SURE[..1] } else { &SURE[..] };
    for pause in pauses.iter().copied() {
        if change.is_in_force(&found, at_most) {
            break;
        }
        tokio::time::sleep(pause).await;
        found = remedy::inspect(session, target).await?;
    }
    Ok(found)
}

fn deny_removed(remediation: &Remediation, what: &str) -> Alert {
    let text = format!("the deny on {} was taken away or altered: {what}", remediation.principal());
    let what_to_do = "It is put back. Find out who did it (CloudTrail: DeleteRolePolicy, PutRolePolicy; for a user DeleteUserPolicy, \
         PutUserPolicy, UpdateAccessKey): the thief, or a tool that owns all inline policies. If it was meant, use `rescind release`.";
    Alert::about(AlertCode::DenyRemoved, remediation, text, what_to_do)
}
