//! A release: what it would take back, and how it is asked for.

use super::DeskError;
use crate::ledger::{Append, Ledger, LedgerError, OnlyIf, Reader};
use crate::reconcile::Reconciler;
use crate::remediation::{
    Answer, Draft, Event, POLICY_NAME, Refusal, ReleaseAsked, Remediation, State, Undo,
};
use crate::remedy::{Drift, denied_until};
use jiff::Timestamp;
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

/// What a release would do.
#[derive(Debug)]
pub struct ReleasePlan {
    /// What is taken back, and what is left.
    pub undo: Undo,
    /// What somebody else changed since.
    pub drift: Option<Box<Drift>>,
    /// Why nothing can be taken back, where what was changed is gone.
    pub gone: Option<Refusal>,
    /// Other stolen keys that the remediation handles, which work again.
    pub other_keys: Vec<String>,
    /// What else works again, the stolen session included; none where nothing does.
    pub works_again: Option<WorksAgain>,
}

/// What works again by a release: sessions that the deny covers, the thief's included, and a user's key.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct WorksAgain {
    /// The user's access key that is activated again.
    pub key: Option<String>,
    /// When the last of the sessions is over at the latest, as far as is known without the thief's token; none where
    /// there is no end, as with a key.
    pub until: Option<Timestamp>,
}

impl WorksAgain {
    /// What works again when this is undone now. Nothing does when nothing changes, or when all that was denied is over.
    #[must_use]
    pub fn of(remediation: &Remediation, undo: &Undo, now: Timestamp) -> Option<Self> {
        let change = remediation.change.as_ref()?;
        let key = undo.reactivate.clone();
        if undo.found == undo.leave && key.is_none() {
            return None;
        }
        let until = denied_until(&remediation.target, change, now);
        if until.is_some_and(|until| until <= now) && key.is_none() {
            return None;
        }
        Some(Self { until: until.filter(|_| key.is_none()), key })
    }

    /// The same in a sentence.
    #[must_use]
    pub fn sentence(&self) -> String {
        match (&self.key, self.until) {
            (Some(key), _) => format!(
                "The stolen key {} and its sessions may work again, until somebody deactivates it.",
                crate::safe::line(key)
            ),
            (None, Some(until)) => format!(
                "The released sessions, including the stolen one, may work again until {} at the latest.",
                until.strftime("%Y-%m-%d %H:%M:%SZ")
            ),
            (None, None) => {
                "What was denied may work again, the stolen credentials included. It has no end.".to_owned()
            }
        }
    }
}

/// Whether what is in this state can be released.
///
/// # Errors
/// When it cannot: the text says why, and when it can.
pub fn may_release(remediation: &Remediation) -> Result<(), DeskError> {
    match remediation.state {
        State::Revoked
        | State::Unverified
        | State::Lost
        | State::Contested
        | State::Expired
        | State::Retired
        | State::Releasing => Ok(()),
        // Begun, and stopped halfway: something of it may be there.
        State::Retrying | State::Blocked | State::Failed | State::Held | State::Rejected
            if remediation.change.is_some() =>
        {
            Ok(())
        }
        state => Err(DeskError::Conflict(format!("{} is {state}: {}", remediation.id, why_not(state)))),
    }
}

/// Why what is in this state cannot be released.
fn why_not(state: State) -> &'static str {
    match state {
        State::Released => "there is nothing left to release",
        State::Queued | State::Approved => {
            "rescind is about to revoke it. `rescind show` says when that is done: then try again"
        }
        State::Revoking => "rescind is revoking it. Try again when that is done: `rescind show` follows it",
        State::Verifying => {
            "AWS has accepted the deny, and rescind is verifying it. Try again when that is done: `rescind show` follows it"
        }
        State::Retiring => {
            "rescind is removing its deny, because nothing needs it any more. Try again when that is done: `rescind show` follows it"
        }
        _ => "nothing of it is in place, so there is nothing to release",
    }
}

impl ReleasePlan {
    /// What the release would do, looked at now.
    ///
    /// # Errors
    /// The refusal, when it is not possible; what does not exist any more is released all the same.
    pub async fn look(
        reconciler: &Reconciler,
        reader: &Reader,
        remediation: &Remediation,
    ) -> Result<Result<Self, Refusal>, LedgerError> {
        let other_keys = other_keys(reader, remediation)?;
        let plan = |undo: Undo, drift, gone: Option<Refusal>| {
            let works_again = WorksAgain::of(remediation, &undo, Timestamp::now());
            Self { works_again: works_again.filter(|_| gone.is_none()), undo, drift, gone, other_keys }
        };
        Ok(match reconciler.plan_release(remediation).await? {
            Ok(Ok(undo)) => Ok(plan(undo, None, None)),
            Ok(Err(drift)) => Ok(plan(drift.undo.clone(), Some(drift), None)),
            Err(refusal @ (Refusal::Gone(_) | Refusal::Recreated { .. })) => {
                Ok(plan(nothing(remediation), None, Some(refusal)))
            }
            Err(refusal) => Err(refusal),
        })
    }
}

/// The keys of later findings that it takes care of.
///
/// # Errors
/// When the ledger cannot be read.
pub fn other_keys(reader: &Reader, remediation: &Remediation) -> Result<Vec<String>, LedgerError> {
    let own = remediation.finding.principal.as_ref().and_then(|p| p.access_key_id.clone());
    let mut keys: Vec<String> = reader
        .attached(&remediation.id)?
        .into_iter()
        .filter_map(|finding| finding.principal?.access_key_id)
        .filter(|key| Some(key) != own.as_ref())
        .collect();
    keys.sort_unstable();
    keys.dedup();
    Ok(keys)
}

fn nothing(remediation: &Remediation) -> Undo {
    Undo {
        arn: remediation.target.arn(),
        policy_name: POLICY_NAME.to_owned(),
        means: remediation.target.means,
        found: None,
        leave: None,
        foreign: None,
        reactivate: None,
        note: None,
    }
}

/// Records that a release is asked for: with `force` over later changes by others, with `attached` for other keys as
/// well. What is asked for once more is the same release, and what either asked for counts.
///
/// # Errors
/// When the remediation is elsewhere by now, or the ledger cannot be written.
pub async fn ask_release(
    ledger: &Ledger,
    remediation: &Remediation,
    (force, attached): (bool, bool),
    answer: Answer,
) -> Result<(), DeskError> {
    let earlier = remediation.release().filter(|_| remediation.state == State::Releasing);
    let earlier = earlier.map(|release| &release.asked);
    if earlier.is_some_and(|asked| (asked.force || !force) && (asked.attached || !attached)) {
        return Ok(());
    }
    let asked = ReleaseAsked {
        answer,
        force: force || earlier.is_some_and(|asked| asked.force),
        attached: attached || earlier.is_some_and(|asked| asked.attached),
        was: earlier.map_or(remediation.state, |asked| asked.was),
    };
    let entries = vec![Draft { subject: remediation.subject(), event: Event::ReleaseAsked(asked) }];
    let only_if = Some(OnlyIf::is_still(remediation));
    match ledger.append(Append { entries, only_if, ..Append::default() }).await {
        Err(LedgerError::Illegal(illegal)) => {
            let now = illegal.from.map(|state| state.to_string()).unwrap_or_default();
            let id = &remediation.id;
            Err(DeskError::Conflict(format!(
                "{id} is {now} by now, and was not released: look again, and ask again"
            )))
        }
        done => done.map(|_| ()).map_err(Into::into),
    }
}
