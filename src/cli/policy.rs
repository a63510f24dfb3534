//! A policy before and after, line by line.

use super::output::{BAD, DIM, GOOD, Screen, clean, styled};
use crate::remediation::{Change, Means, Target, Who};
use crate::report::policy_diff;

/// Shows what changes between two policies. None is no policy.
pub fn diff(before: Option<&str>, after: Option<&str>, screen: &Screen) {
    let lines = policy_diff(before, after);
    if lines.is_empty() {
        screen.line(styled(DIM, "    (there is none)"));
    } else if lines.iter().all(|(sign, _)| *sign == ' ') {
        screen.line(styled(DIM, "    (it stays as it is)"));
    }
    for (sign, line) in lines {
        let text = clean(&line);
        screen.line(match sign {
            '-' => styled(BAD, format!("  - {text}")),
            '+' => styled(GOOD, format!("  + {text}")),
            _ => format!("    {text}"),
        });
    }
}

/// What a change does to those who did nothing wrong, and what the other scope would do.
pub fn side_effect(target: &Target, change: &Change, screen: &Screen) {
    let cutoff = change.cutoff;
    match (&target.who, &change.session) {
        _ if change.is_timeless() => screen.prose(format!(
            "  Side effect: {} can do nothing until this is released, whoever uses it. No later session is spared.",
            clean(&target.principal())
        )),
        (Who::User { user, .. }, _) if change.means == Means::ServiceControlPolicy => screen.prose(format!(
            "  Side effect: every access key of {user} is denied until this is released, and sessions issued before {cutoff} are; a console session or one with MFA that is issued later is not."
        )),
        (Who::User { user, .. }, _) => {
            match &change.key {
                Some(key) => {
                    let last = if key.is_last { ", the user's last active one" } else { "" };
                    screen.prose(format!(
                        "  Access key {}{last}: deactivated. A release activates it again.",
                        key.id
                    ));
                }
                None => screen.line("  No access key is deactivated."),
            }
            screen.prose(format!(
                "  Side effect: whatever uses that key legitimately fails, and sessions of {user} issued before {cutoff} are denied everything. The user's other keys and the console password keep working."
            ));
        }
        (_, None) => screen.prose(format!(
            "  Side effect of scope \"role\": legitimate users of the role are denied everything as well, until they get a session issued after {cutoff}. (Scope \"session\" would deny only the stolen session; a session that the thief opened under another name would keep working.)"
        )),
        (_, Some(session)) => screen.prose(format!(
            "  Side effect of scope \"session\": only {} is denied, until it gets a session issued after {cutoff}. The role's other sessions keep working, and so would a session that the thief opened under another name. (Scope \"role\" would deny all of them.)",
            clean(session)
        )),
    }
    if let Some(note) = &change.note {
        screen.prose(format!("  note: {}", clean(note)));
    }
}
