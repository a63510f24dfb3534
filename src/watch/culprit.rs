//! Finds who removed a deny, in CloudTrail.

use crate::aws::{Lookup, MemberSession};
use crate::remediation::Remediation;
use crate::remedy;
use crate::trail::TrailEvent;
use jiff::{SignedDuration, Timestamp};

/// Time for which somebody is looked for after a deny was found gone.
const LOOKED_FOR: SignedDuration = SignedDuration::from_hours(2);

/// Maximum number of pages of 50 calls that are read of one operation.
const PAGES: usize = 4;

/// Time before now from which on calls are read.
const LOOKED_BACK: SignedDuration = SignedDuration::from_hours(24);

/// Whether it is still to be found out who removed the deny.
pub(super) fn is_wanted(remediation: &Remediation) -> bool {
    let lost_at = remediation.lost_at().filter(|at| Timestamp::now().duration_since(*at) < LOOKED_FOR);
    lost_at.is_some_and(|at| remediation.culprit_reported_at < Some(at))
}

/// Who did it last, with which call, from where and when. `own_sessions` is how the ARNs of our own sessions
/// begin.
pub(super) async fn find(
    remediation: &Remediation,
    session: &MemberSession,
    own_sessions: &str,
) -> Option<String> {
    let target = &remediation.target;
    let back = Timestamp::now().saturating_sub(LOOKED_BACK).unwrap_or(Timestamp::MIN);
    let region = target.partition.main_region().parse().ok()?;
    let is_by_us = |event: &TrailEvent| event.who.as_deref().is_some_and(|who| who.starts_with(own_sessions));
    let mut found: Vec<TrailEvent> = Vec::new();
    for operation in remedy::undone_by(target) {
        let since = remediation.opened_at.max(back);
        let listed = session.events(&region, Lookup::EventName(operation), since, PAGES).await.ok()?;
        found.extend(listed.items.into_iter().filter(|event| {
            event.error_code.is_none() && !is_by_us(event) && remedy::is_about(target, event)
        }));
    }
    let event = found.into_iter().max_by_key(|event| event.time)?;
    let who = event.who.as_deref().unwrap_or("a principal that CloudTrail does not name");
    let from = event.source_ip.as_deref().unwrap_or("an unknown address");
    let at = event.time.strftime("%Y-%m-%d %H:%M:%SZ");
    Some(format!("{} by {who} from {from} at {at}", event.event))
}
