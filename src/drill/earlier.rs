//! Removes the deny of a drill, and that of an earlier drill that did not finish.

use super::error::DrillError;
use super::setup::Drill;
use super::steps::Steps;
use crate::backoff::Backoff;
use crate::config::Config;
use crate::ident::AccountId;
use crate::ledger::{Append, LedgerError, Lock, OnlyIf, Reader};
use crate::reconcile::Reconciler;
use crate::remediation::{Answer, Draft, DrillStep, Event, ReleaseAsked, Remediation, State};
use crate::service::{Purpose, Service};
use std::path::PathBuf;
use std::time::Duration;
use tokio_util::sync::CancellationToken;

/// Number of attempts at a release that AWS did not answer.
const TRIES: u32 = 8;

/// Delay between these attempts: four minutes in all.
const BACKOFF: Backoff = Backoff { first: Duration::from_secs(2), longest: Duration::from_mins(1) };

/// A drill whose deny may still be there.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Left {
    pub ledger: PathBuf,
    pub account: AccountId,
    pub role: String,
}

/// The drills beside a ledger that did not end, and are not being held.
#[must_use]
pub fn unfinished(config: &Config) -> Vec<Left> {
    let files = std::fs::read_dir(Drill::directory(config)).into_iter().flatten().flatten();
    let mut ledgers: Vec<PathBuf> = files
        .map(|file| file.path())
        .filter(|path| path.extension().is_some_and(|end| end == "db"))
        .filter(|path| Lock::holder(path).is_none())
        .collect();
    ledgers.sort();
    let of = |ledger: PathBuf| {
        let reader = Reader::open(&ledger).ok()?;
        let id = left(&reader).ok()?.into_iter().next()?;
        let target = reader.remediation(&id).ok()?.target;
        Some(Left { ledger, account: target.account.clone(), role: target.name().clone() })
    };
    ledgers.into_iter().filter_map(of).collect()
}

/// The remediations of a drill's ledger that may have written something and did not take it back.
///
/// # Errors
/// When the ledger cannot be read.
pub(super) fn left(reader: &Reader) -> Result<Vec<String>, LedgerError> {
    let ended = |state| {
        matches!(
            state,
            State::Released
                | State::Retired
                | State::Superseded
                | State::Failed
                | State::Held
                | State::Queued
                | State::Approved
        )
    };
    let all = reader.remediations(|state| !ended(state))?;
    Ok(all.into_iter().filter(|one| one.change.is_some()).map(|one| one.id).collect())
}

impl Drill<'_> {
    /// Takes back what earlier drills of this account left, if they left anything.
    pub(super) async fn finish_earlier(
        &self,
        stop: &CancellationToken,
        steps: &mut Steps<'_>,
    ) -> Result<bool, DrillError> {
        let mut any = false;
        for left_over in unfinished(self.config).into_iter().filter(|one| one.account == self.account) {
            if stop.is_cancelled() {
                return Err(DrillError::Asked("it was stopped before it began".to_owned()));
            }
            let config = self.config_with(&left_over.ledger);
            let never = CancellationToken::new();
            let service =
                Service::start(config.for_one_run(), "drill", Purpose::Act { backlog: true }, never).await?;
            let mut taken = Ok(true);
            for id in left(service.reader())? {
                match self.take_back(&service, &id).await {
                    Ok(one) if one.state == State::Released => {}
                    Ok(_) => taken = Ok(false),
                    Err(error) => taken = Err(error),
                }
            }
            service.stop("drilled").await?;
            if !taken? {
                return Err(DrillError::Asked(format!(
                    "the deny of an earlier drill cannot be removed ({}): {}",
                    left_over.ledger.display(),
                    self.by_hand()
                )));
            }
            let note = format!("an unfinished drill: its deny is removed ({})", left_over.ledger.display());
            (steps.report)(&DrillStep { name: "earlier".to_owned(), passed: true, after_ms: None, note });
            any = true;
        }
        Ok(any)
    }

    /// Takes back what a remediation wrote; tries again what AWS does not answer.
    pub(super) async fn take_back(&self, service: &Service, id: &str) -> Result<Remediation, DrillError> {
        if service.reader().state(id)?.has_fixed_cutoff() {
            // What is half done is brought to an end first.
            Reconciler::carry_out_now(service.reconciler(), id)?;
            service.drained().await?;
        }
        let remediation = service.reader().remediation(id)?;
        if remediation.state != State::Releasing {
            let answer = Answer {
                by: "rescind drill".to_owned(),
                reason: "the drill is over".to_owned(),
                os_user: self.os_user.clone(),
                aws_identity: None,
                identity: None,
                judged: None,
            };
            let was = remediation.state;
            let asked = ReleaseAsked { answer, force: false, attached: true, was };
            let entries = vec![Draft { subject: remediation.subject(), event: Event::ReleaseAsked(asked) }];
            let only_if = Some(OnlyIf::is_still(&remediation));
            service.ledger().append(Append { entries, only_if, ..Append::default() }).await?;
        }
        let mut tries = 0;
        loop {
            Reconciler::carry_out_now(service.reconciler(), id)?;
            service.drained().await?;
            let now = service.reader().remediation(id)?;
            tries += 1;
            if now.state != State::Releasing || tries > TRIES {
                return Ok(now);
            }
            // Whoever asks to stop: a deny that is left is worse than a wait.
            tokio::time::sleep(BACKOFF.after(tries)).await;
        }
    }
}
