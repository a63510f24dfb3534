//! What a change does to those who did nothing wrong.

use crate::remediation::{Change, Means, Target, Who};
use crate::safe::line as clean;

/// What an approval makes of the planned change, and what comes with it. `quarantines` says whether a quarantine is attached
/// meanwhile; none where that is not known.
#[must_use]
pub fn at_the_approval(change: &Change, quarantines: Option<bool>) -> String {
    let cutoff = if change.is_timeless() {
        ""
    } else {
        "The cutoff is set at the approval: what was issued up to then is denied, and not only up to the time below. "
    };
    let quarantine = match quarantines {
        Some(true) => {
            "Until the deny has been in place for a while, the quarantine denies every session, legitimate ones as well."
        }
        None => {
            "Where a quarantine is configured, it denies every session until the deny has been in place for a while, legitimate ones as well."
        }
        Some(false) => "",
    };
    format!("{cutoff}{quarantine}").trim_end().to_owned()
}

/// What a change does to those who did nothing wrong, and what the other scope would do, line by line.
#[must_use]
pub fn side_effect(target: &Target, change: &Change) -> Vec<String> {
    let mut lines = Vec::new();
    let cutoff = change.cutoff;
    match (&target.who, &change.session) {
        _ if change.is_timeless() => lines.push(format!(
            "Side effect: {} can do nothing until this is released, whoever uses it. No later session is spared.",
            clean(&target.principal())
        )),
        (Who::User { user, .. }, _) if change.means == Means::ServiceControlPolicy => lines.push(format!(
            "Side effect: every access key of {user} is denied until this is released, and sessions issued before {cutoff} are; a console session or one with MFA that is issued later is not."
        )),
        (Who::User { user, .. }, _) => {
            lines.push(match &change.key {
                Some(key) => {
                    let last = if key.is_last { ", the user's last active one" } else { "" };
                    format!("Access key {}{last}: deactivated. A release activates it again.", key.id)
                }
                None => "No access key is deactivated.".to_owned(),
            });
            lines.push(format!(
                "Side effect: whatever uses that key legitimately fails, and sessions of {user} issued before {cutoff} are denied everything. The user's other keys and the console password keep working."
            ));
        }
        (_, None) => lines.push(format!(
            "Side effect of scope \"role\": legitimate users of the role are denied everything as well, until they get a session issued after {cutoff}. (Scope \"session\" would deny only the stolen session; a session that the thief opened under another name would keep working.)"
        )),
        (_, Some(session)) => lines.push(format!(
            "Side effect of scope \"session\": only {} is denied, until it gets a session issued after {cutoff}. The role's other sessions keep working, and so would a session that the thief opened under another name. (Scope \"role\" would deny all of them.)",
            clean(session)
        )),
    }
    lines.extend(change.note.as_ref().map(|note| format!("note: {}", clean(note))));
    lines
}
