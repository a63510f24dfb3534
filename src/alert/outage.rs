//! Alerts about a control plane that takes no changes: denies wait, and nobody can write them.

use super::Alert;
use crate::ledger::Unchanged;
use crate::plural::counted;
use crate::remediation::{AlertCode, Remediation};
use jiff::Timestamp;

/// The deny of this remediation waits, with `others`.
#[must_use]
pub fn iam_unchangeable(remediation: &Remediation, unchanged: &Unchanged, others: usize) -> Alert {
    let outage = &unchanged.outage;
    let others = match others {
        0 => String::new(),
        1 => "; 1 other waits as well".to_owned(),
        _ => format!("; {} wait as well", counted(others, "other")),
    };
    let text = format!(
        "{} takes no changes since {}: {} in {} is NOT revoked{others}; the last call: {}: {}",
        outage.service(),
        outage.since.strftime("%Y-%m-%d %H:%M:%SZ"),
        remediation.target.principal(),
        remediation.target.account,
        outage.call,
        outage.error,
    );
    let what_to_do = format!(
        "rescind goes on trying. Until then contain it by what is regional; `rescind show {}` has the commands as well. docs/runbook.md, \"IAM cannot be changed\".",
        remediation.id
    );
    Alert::about(AlertCode::IamUnchangeable, remediation, text, what_to_do)
}

/// No deny waits any more. Those that did have alerts of their own.
#[must_use]
pub fn iam_changeable(since: Timestamp) -> Alert {
    let text = format!(
        "no deny waits for a change of IAM any more; from {} on, some did",
        since.strftime("%Y-%m-%d %H:%M:%SZ")
    );
    let what_to_do = "Look at what became of each: `rescind list`. Take back by hand what was contained by hand (security groups, statements in resource policies), when the deny is in place.";
    Alert::of_service(AlertCode::IamUnchangeable, text, what_to_do)
}
