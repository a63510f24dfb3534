//! A remediation in one line of JSON.

use crate::config::Approval;
use crate::ident::AccountId;
use crate::org::AccountNames;
use crate::remediation::{
    Answer, Given, InForce, Proof, ReasonCode, Recurrence, Refused, Remediation, Rung, State, Who,
};
use crate::report::{RungReached, rungs};
use jiff::Timestamp;
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

/// A remediation in one line of JSON.
#[derive(Debug, Clone, Serialize, Deserialize, JsonSchema)]
pub struct RemediationLine {
    /// Id of the remediation.
    pub remediation: String,
    /// The state that the latest step led to.
    pub state: State,
    /// How far it is proved: `present`, `simulated` or `enforced`.
    pub proof: Option<Rung>,
    /// The account of the principal.
    pub account: AccountId,
    /// Name of that account, where it is known.
    #[serde(default)]
    pub account_name: Option<String>,
    /// The principal, with its kind where it is no role.
    pub principal: String,
    /// Name of the role, where it is one.
    pub role: Option<String>,
    /// The only session that it denies, as `aws:userid` has it.
    pub session: Option<String>,
    /// It follows an earlier remediation that should have ended this.
    pub recurrence: Option<Recurrence>,
    /// Id of the finding that led to it.
    pub finding: String,
    /// Type of that finding.
    #[serde(rename = "type")]
    pub finding_type: String,
    /// Severity of that finding: 1 to 10, where it has one.
    #[serde(default)]
    pub severity: Option<f64>,
    /// The rule that it followed.
    pub rule: Option<String>,
    /// Who must approve it, as that rule said then, where that is more than one person.
    #[serde(default, skip_serializing_if = "Approval::is_of_anybody")]
    pub approval: Approval,
    /// The opt-outs that applied when it was decided.
    pub opt_outs: Vec<String>,
    /// When it was decided.
    pub opened_at: Timestamp,
    /// Since when a person is asked, or was the last time.
    pub held_at: Option<Timestamp>,
    /// Why a person is asked, as a code; none when none is.
    pub held_code: Option<ReasonCode>,
    /// The same in words.
    pub held_why: Option<String>,
    /// Number of the entry with the planned change, while a person is asked: an approval can name it.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub plan: Option<i64>,
    /// Approvals that were given while others must approve as well.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub approvals: Vec<Answer>,
    /// The latest answer.
    pub answer: Option<Given>,
    /// When AWS had accepted the change.
    pub accepted_at: Option<Timestamp>,
    /// Sessions that were issued before this are denied.
    pub cutoff: Option<String>,
    /// Seconds from the last activity that was seen to the deny.
    pub seconds_to_deny: Option<f64>,
    /// Why it was not carried out.
    pub refused: Option<Refused>,
    /// The proof of the highest rung.
    pub proof_detail: Option<Proof>,
    /// How far the deny was proved, where it is released or retired.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub earlier_proof: Option<Proof>,
    /// Each rung of the proof, with when it was reached.
    pub rungs: Vec<RungReached>,
    /// How long its deny was in force, and when it was not.
    pub in_force: Option<InForce>,
}

impl RemediationLine {
    /// `known_until` is when the ledger was written last: nobody knows what was in place later.
    #[must_use]
    pub fn of(r: &Remediation, known_until: Option<Timestamp>, names: &AccountNames) -> Self {
        let held = r.held_why().filter(|_| r.state == State::Held);
        Self {
            remediation: r.id.clone(),
            state: r.state,
            proof: r.rung(),
            account: r.target.account.clone(),
            account_name: names.of(&r.target.account),
            principal: r.target.label(),
            role: match &r.target.who {
                Who::Role { role, .. } => Some(role.to_string()),
                _ => None,
            },
            session: r.change.as_ref().map_or_else(
                || r.target.session().map(|one| one.user_id.clone()),
                |change| change.session.clone(),
            ),
            recurrence: r.recurrence.clone(),
            finding: r.finding.id.clone(),
            finding_type: r.finding.finding_type.clone(),
            severity: r.finding.severity,
            rule: r.rule.clone(),
            approval: r.approval,
            opt_outs: r.opt_outs.clone(),
            opened_at: r.opened_at,
            held_at: r.held_at(),
            held_code: held.map(|(code, _)| code),
            held_why: held.map(|(_, why)| why.to_owned()),
            plan: held.and(r.proposal.as_ref()).map(|proposal| proposal.seq),
            approvals: if matches!(r.state, State::Held | State::Rejected) {
                r.approvals.clone()
            } else {
                Vec::new()
            },
            answer: r.answer.clone(),
            accepted_at: r.accepted_at(),
            cutoff: r.change.as_ref().map(|c| c.cutoff.to_string()),
            seconds_to_deny: r.to_deny().map(|took| took.as_secs_f64()),
            refused: r.refused().cloned(),
            proof_detail: r.proof().cloned(),
            earlier_proof: r.earlier_proof().cloned(),
            rungs: rungs(r),
            in_force: known_until.and_then(|until| r.in_force(until)),
        }
    }
}
