//! What is known of a remediation, by name.

use super::words::Words;
use crate::desk::Shown;
use crate::plural::counted;
use crate::remediation::{InForce, State, describe_in_force, describe_quarantine, short};

/// What is known of a remediation, by name. What is empty is left out.
pub(super) fn facts(shown: &Shown) -> Vec<(&'static str, String)> {
    let r = &shown.whole;
    let (finding, evidence) = (&r.finding, &r.finding.evidence);
    let text = |text: Option<&str>| text.unwrap_or_default().to_owned();
    let order = finding.cause.order();
    let from = [&evidence.remote_ip, &evidence.remote_organization, &evidence.remote_country];
    let from: Vec<&str> = from.into_iter().filter_map(|one| one.as_deref()).collect();
    let key = finding.principal.as_ref().and_then(|one| one.access_key_id.as_deref());
    let session = finding.principal.as_ref().and_then(|one| one.principal_id.as_deref());
    let in_force = shown.known_until.and_then(|until| r.in_force(until));
    // What is held says why above.
    let is_said = r.state == State::Held && r.held_why().is_some_and(|(_, why)| why == r.decision.reason);
    let decision = format!("{}: {}", Words::spaced(r.decision.verdict), r.decision.reason);
    let decision = if is_said { String::new() } else { decision };
    let also = shown.attached.len();
    let all = [
        ("Only this session", text(r.target.session().map(|one| one.user_id.as_str()))),
        ("Access key", text(key)),
        ("Session", text(session)),
        ("Used from", from.join(", ")),
        ("Call seen", text(evidence.api.as_deref())),
        ("Instance", text(evidence.instance_id.as_deref())),
        ("Time to deny", r.to_deny().map(short).unwrap_or_default()),
        ("In force", in_force.as_ref().map(in_force_text).unwrap_or_default()),
        ("Quarantine", r.history.quarantines.last().map(describe_quarantine).unwrap_or_default()),
        ("Recurring", r.recurrence.as_ref().map(ToString::to_string).unwrap_or_default()),
        ("Superseded by", text(r.history.superseded_by.as_deref())),
        ("Ordered by", order.map(|order| order.from.to_string()).unwrap_or_default()),
        ("Reason of the order", order.map(|order| order.reason.clone()).unwrap_or_default()),
        ("Decision", decision),
        ("Rule", text(r.rule.as_deref())),
        ("Opt-outs", r.opt_outs.join(", ")),
        ("Finding", format!("{} in {}", finding.id, finding.region)),
        ("Type", finding.finding_type.clone()),
        ("Also covers", if also > 0 { counted(also, "later occurrence") } else { String::new() }),
    ];
    all.into_iter().filter(|(_, text)| !text.is_empty()).collect()
}

fn in_force_text(one: &InForce) -> String {
    format!("{} ({})", one.percent(), describe_in_force(one))
}
