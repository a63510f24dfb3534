//! A remediation in one line: its state in colour, and all of it in JSON.

use super::output::{BAD, DIM, GOOD, WARN, styled};
use crate::remediation::{InForce, Remediation, Rung, State, Who};
use crate::report::{RungReached, rungs};
use jiff::Timestamp;
use serde::Serialize;

/// A state, in its colour.
pub fn label(state: State) -> String {
    styled(style(state), state)
}

pub fn style(state: State) -> anstyle::Style {
    match state {
        State::Revoked => GOOD,
        State::Unverified
        | State::Blocked
        | State::Failed
        | State::Rejected
        | State::Lost
        | State::Contested => BAD,
        State::Superseded | State::DoneByHand | State::Released | State::Expired | State::Retired => DIM,
        State::Held
        | State::Queued
        | State::Approved
        | State::Revoking
        | State::Verifying
        | State::Retrying
        | State::Releasing
        | State::Retiring => WARN,
    }
}

/// A remediation in one line of JSON.
#[derive(Serialize)]
pub struct RemediationLine<'a> {
    remediation: &'a str,
    state: State,
    /// How far it is proved: `present`, `simulated` or `enforced`.
    proof: Option<Rung>,
    account: &'a str,
    principal: String,
    role: Option<&'a str>,
    session: Option<&'a str>,
    recurrence: Option<&'a crate::remediation::Recurrence>,
    finding: &'a str,
    #[serde(rename = "type")]
    finding_type: &'a str,
    rule: Option<&'a str>,
    opt_outs: &'a [String],
    opened_at: Timestamp,
    held_at: Option<Timestamp>,
    held_code: Option<crate::remediation::ReasonCode>,
    held_why: Option<&'a str>,
    answer: Option<&'a crate::remediation::Given>,
    accepted_at: Option<Timestamp>,
    cutoff: Option<String>,
    seconds_to_deny: Option<f64>,
    refused: Option<&'a crate::remediation::Refused>,
    proof_detail: Option<&'a crate::remediation::Proof>,
    rungs: Vec<RungReached>,
    /// How long its deny was in force, and when it was not.
    in_force: Option<InForce>,
}

impl<'a> RemediationLine<'a> {
    /// `known_until` is when the ledger was written last: nobody knows what was in place later.
    pub fn of(r: &'a Remediation, known_until: Option<Timestamp>) -> Self {
        let held = r.held_why().filter(|_| r.state == State::Held);
        Self {
            remediation: &r.id,
            state: r.state,
            proof: r.rung(),
            account: r.target.account.as_str(),
            principal: r.target.label(),
            role: match &r.target.who {
                Who::Role { role, .. } => Some(role.as_str()),
                _ => None,
            },
            session: r.change.as_ref().map_or_else(
                || r.target.session().map(|one| one.user_id.as_str()),
                |change| change.session.as_deref(),
            ),
            recurrence: r.recurrence.as_ref(),
            finding: &r.finding.id,
            finding_type: &r.finding.finding_type,
            rule: r.rule.as_deref(),
            opt_outs: &r.opt_outs,
            opened_at: r.opened_at,
            held_at: r.held_at(),
            held_code: held.map(|(code, _)| code),
            held_why: held.map(|(_, why)| why),
            answer: r.answer.as_ref(),
            accepted_at: r.accepted_at(),
            cutoff: r.change.as_ref().map(|c| c.cutoff.to_string()),
            seconds_to_deny: r.to_deny().map(|took| took.as_secs_f64()),
            refused: r.refused(),
            proof_detail: r.proof(),
            rungs: rungs(r),
            in_force: known_until.and_then(|until| r.in_force(until)),
        }
    }
}
