//! Taking back what was changed: because a person asked for it, or because nothing needs it any more.

use super::Reconciler;
use crate::alert::Alert;
use crate::ledger::LedgerError;
use crate::remediation::{AlertCode, Event, Refusal, Remediation, State, Undo};
use crate::remedy::{self, Drift, Found, Purpose};
use jiff::Timestamp;
use std::time::Duration;

/// Pauses between looks whether it is taken back: IAM is eventually consistent.
const PAUSES: [Duration; 4] =
    [Duration::from_millis(200), Duration::from_millis(500), Duration::from_secs(1), Duration::from_secs(2)];

impl Reconciler {
    /// Takes a remediation's changes back, from wherever it stands.
    pub(super) async fn take_back(&self, remediation: &Remediation) -> Result<(), LedgerError> {
        let session = match self.access.open_for(remediation, Purpose::Undo).await {
            Ok(session) => session,
            Err(refusal) => return self.not_taken_back(remediation, &refusal).await,
        };
        let target = &remediation.target;
        let now = Some(session.aws_now());
        let found = match remedy::inspect(&session, target).await {
            Ok(found) => found,
            Err(Refusal::Gone(_) | Refusal::Recreated { .. }) => {
                let note =
                    format!("{} does not exist any more: there is nothing to take back", target.principal());
                return self.undone(remediation, true, now, Some(note)).await;
            }
            Err(refusal) => return self.not_taken_back(remediation, &refusal).await,
        };
        // A crash came between the call and its record.
        if let Some(undo) = remediation.undoing.as_ref().filter(|undo| undo.is_done(&found)) {
            return self.undone(remediation, true, now, undo.note.clone()).await;
        }
        let undo = match self.how_to_take_back(remediation, &found)? {
            Ok(undo) => undo,
            Err(drift) if is_forced(remediation) => drift.undo,
            Err(drift) => return self.drifted(remediation, &drift, now).await,
        };
        if undo.is_nothing() {
            return self.undone(remediation, true, now, undo.note).await;
        }
        self.write(remediation, Event::Undoing { undo: undo.clone() }).await?;
        match remedy::take_back(&session, target, &undo).await {
            Ok(()) => {}
            Err(refusal) => return self.not_taken_back(remediation, &refusal).await,
        }
        for pause in PAUSES {
            match remedy::inspect(&session, target).await {
                Ok(found) if undo.is_done(&found) => {
                    return self.undone(remediation, false, now, undo.note).await;
                }
                Ok(_) => tokio::time::sleep(pause).await,
                Err(refusal) => return self.not_taken_back(remediation, &refusal).await,
            }
        }
        let what = "AWS accepted it, and what was there is still there".to_owned();
        self.not_taken_back(remediation, &Refusal::NotKept(what)).await
    }

    /// How the changes would be taken back, or what somebody changed since.
    fn how_to_take_back(
        &self,
        remediation: &Remediation,
        found: &Found,
    ) -> Result<Result<Undo, Box<Drift>>, LedgerError> {
        let target = &remediation.target;
        let past = self.reader.past(&target.account, &target.key(), &found.id)?;
        let undo = remedy::undo(&past, &remediation.id, found);
        // Nobody asked for the key: that a deny is inert does not make a leaked key safe.
        let asked = !matches!(remediation.state, State::Expired | State::Retiring);
        Ok(undo.map(|undo| Undo { reactivate: undo.reactivate.filter(|_| asked), ..undo }))
    }

    /// How a release would be carried out now. Nothing is changed.
    ///
    /// # Errors
    /// When the ledger cannot be read.
    pub async fn plan_release(
        &self,
        remediation: &Remediation,
    ) -> Result<Result<Result<Undo, Box<Drift>>, Refusal>, LedgerError> {
        let session = match self.access.open_for(remediation, Purpose::Look).await {
            Ok(session) => session,
            Err(refusal) => return Ok(Err(refusal)),
        };
        match remedy::inspect(&session, &remediation.target).await {
            Ok(found) => Ok(Ok(self.how_to_take_back(remediation, &found)?)),
            Err(refusal) => Ok(Err(refusal)),
        }
    }

    /// Somebody changed since what was written.
    async fn drifted(
        &self,
        remediation: &Remediation,
        drift: &Drift,
        now: Option<Timestamp>,
    ) -> Result<(), LedgerError> {
        let (policy, target) = (&drift.undo.policy_name, &remediation.target);
        if remediation.state != State::Releasing {
            // It denies nothing that lives, and what is there is somebody else's.
            let note = format!("left as it is: somebody changed the policy {policy} since");
            return self.undone(remediation, true, now, Some(note)).await;
        }
        let why = format!(
            "the policy {policy} of {} is not what was written: somebody changed it since",
            target.principal()
        );
        let was = remediation.release().map_or(State::Lost, |release| release.asked.was);
        self.write(remediation, Event::NotReleased { why: why.clone(), was }).await?;
        let text = format!("not released: {} ({}): {why}", target, remediation.id);
        let what_to_do = "`rescind release` shows the difference; with --force it is released all the same, and the change is lost.";
        self.alerts
            .raise_alert(Alert::new(AlertCode::NotReleased, remediation.subject(), text, what_to_do))
            .await
    }

    /// It could not be done now: tried again.
    async fn not_taken_back(&self, remediation: &Remediation, refusal: &Refusal) -> Result<(), LedgerError> {
        let to_do = refusal.what_to_do(&self.access.role_arn(&remediation.target));
        tracing::error!(remediation = remediation.id, to_do, "not taken back yet: {refusal}");
        let error = format!("not taken back yet: {refusal}. {to_do}");
        if self.reader.remediation(&remediation.id)?.uncertain.as_ref() == Some(&error) {
            return Ok(());
        }
        self.write(remediation, Event::Uncertain { error }).await
    }

    async fn undone(
        &self,
        remediation: &Remediation,
        found_in_place: bool,
        aws_time: Option<Timestamp>,
        note: Option<String>,
    ) -> Result<(), LedgerError> {
        let word = if remediation.state == State::Releasing { "released" } else { "retired" };
        tracing::info!(remediation = remediation.id, note, "{word}: {}", remediation.target);
        self.write(remediation, Event::Undone { found_in_place, aws_time, note }).await
    }
}

/// It is to be released also over a change that somebody made since.
fn is_forced(remediation: &Remediation) -> bool {
    remediation.state == State::Releasing && remediation.release().is_some_and(|release| release.asked.force)
}
