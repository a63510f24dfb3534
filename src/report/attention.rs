//! What needs attention, since when, why, and what to do about it.

use super::containment::Containment;
use crate::remediation::{AlertRaised, Recorded, Remediation, State, Who};
use jiff::Timestamp;
use schemars::JsonSchema;
use serde::Serialize;

/// Why a remediation needs a person, and what they should do.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, JsonSchema)]
pub struct Attention {
    /// Since when it needs a person.
    pub since: Timestamp,
    /// Why it needs a person.
    pub why: String,
    /// What that person should do.
    #[serde(skip)]
    pub what_to_do: String,
}

impl Attention {
    /// Of a remediation that is contained so far; none when nobody needs to look at it.
    pub(super) fn of(
        view: &Remediation,
        containment: Containment,
        raised: Option<&Recorded<AlertRaised>>,
    ) -> Option<Self> {
        if !containment.needs_attention() {
            return None;
        }
        let asked = view.history.asked.last();
        let refused = view.history.refusals.last().filter(|_| view.state.is_refused());
        let drift = view.history.drifts.last();
        let decided = (view.opened_at, view.decision.reason.clone());
        let (since, why) = match (view.state, asked, refused) {
            (State::Held, Some(asked), _) => (asked.since, asked.reason.clone()),
            (State::Rejected, Some(asked), _) => (
                asked.ended.as_ref().map_or(asked.since, |end| end.at),
                format!("Nobody answered, so nothing is denied. It was asked because: {}", asked.reason),
            ),
            (State::Lost | State::Contested, ..) => drift.map_or(decided, |one| (one.at, one.what.clone())),
            (State::Unverified, ..) => view.proofs.last().map_or(decided, |proof| {
                let why = "The deny is in place as it was written, and IAM's simulator still allows an old session.";
                (proof.at, why.to_owned())
            }),
            (.., Some(refused)) => (refused.at, refused.what.reason.clone()),
            _ => raised.map_or(decided, |one| (one.at, one.what.text.clone())),
        };
        Some(Self { since, why, what_to_do: what_to_do(view, raised) })
    }
}

fn what_to_do(view: &Remediation, raised: Option<&Recorded<AlertRaised>>) -> String {
    let id = &view.id;
    match view.state {
        State::Held => match (&view.what_to_do, &view.target.who) {
            (Some(by_hand), Who::Unsupported { .. }) => by_hand.clone(),
            _ => format!("Judge it: `rescind show {id}`, then approve or reject."),
        },
        State::Rejected => format!("Judge it now: `rescind show {id}`, then `rescind approve {id}`."),
        State::Contested => {
            "Deny the principal where the thief cannot reach it: by a service control policy on the account."
                .to_owned()
        }
        State::Lost => "Find out who removes the deny: it is put back.".to_owned(),
        State::Unverified => format!(
            "Find the policy that lets {} go on: its own policies, its boundary, and CloudTrail by the stolen key.",
            view.target.principal()
        ),
        _ => match (view.refused(), raised) {
            (_, Some(alert)) => alert.what.what_to_do.clone(),
            (Some(refused), None) => refused.what_to_do.clone(),
            (None, None) => format!("`rescind show {id}` has all of it."),
        },
    }
}
