//! What people must do after a revocation: those who use the principal, and those who answer for what
//! leaked it.

use crate::remediation::{Target, Who};

/// What people must do after a revocation, in words. A line that begins with spaces goes on with the one
/// before it. `instance` is the one that the credentials were made for, `recurring` that they leaked again
/// after a revocation.
#[must_use]
pub fn aftercare(target: &Target, instance: Option<&str>, recurring: bool) -> Vec<String> {
    let mut lines = Vec::new();
    match &target.who {
        Who::Role { session, .. } => of_role(instance, recurring, session.is_some(), &mut lines),
        Who::User { user, access_key, .. } => {
            of_user(user.as_str(), access_key.as_deref(), recurring, &mut lines);
        }
        Who::Unsupported { .. } => {}
    }
    lines
}

fn of_role(instance: Option<&str>, recurring: bool, one: bool, lines: &mut Vec<String>) {
    let mut line = |text: &str| lines.push(text.to_owned());
    if recurring {
        line(
            "The source STILL LEAKS: a key that was issued after the last cutoff was used from outside. Isolate the",
        );
        line("  instance now (a security group without rules, no SSM), before it hands out the next one.");
    }
    if let Some(instance) = instance {
        line(&format!(
            "{instance}: isolate it and keep its memory and disk for the investigation. It lost its session as well."
        ));
        line(
            "  When it is clean: stop and start it, or disassociate and associate its instance profile, for a fresh one at",
        );
        line(
            "  once. Require IMDSv2 with a hop limit of 1, so that a server-side request forgery cannot read the next one.",
        );
    } else {
        line(
            "The source still leaks until it is closed: find what the session was made for, and isolate it.",
        );
    }
    if one {
        line("Only this session is denied. The role's other sessions keep working.");
    } else {
        line(
            "Rightful users of the role need a fresh session: instances get one by themselves within about six hours, at a",
        );
        line("  stop and start at once; people sign in again; long-running jobs are started anew.");
    }
    line("The AWS CLI caches sessions until they expire. To drop the old ones:");
    line("    rm -r ~/.aws/cli/cache                       (Linux, macOS)");
    line("    del /s /q %UserProfile%\\.aws\\cli\\cache        (Windows)");
    line(
        "Sessions that the thief opened in other roles meanwhile are not revoked: look for AssumeRole by this access key",
    );
    line(
        "  in CloudTrail, also in other accounts; and for what was made to last: users, keys, roles, functions, images.",
    );
}

fn of_user(user: &str, key: Option<&str>, recurring: bool, lines: &mut Vec<String>) {
    let mut line = |text: &str| lines.push(text.to_owned());
    if recurring {
        line("The source STILL LEAKS: another key of the user was used from outside after the last cutoff.");
    }
    let key = key.filter(|key| key.starts_with("AKIA"));
    if let Some(key) = key {
        line(&format!(
            "{key} is inactive: whatever used it rightfully fails now. Give {user} another key, or better a role, and"
        ));
        line(
            "  delete the leaked one when nothing needs it. Find where it leaked: a repository, an image, a laptop.",
        );
    }
    line(&format!(
        "Sessions of {user} from before the cutoff are denied: get fresh ones (GetSessionToken, sign in again)."
    ));
    line("The AWS CLI caches sessions until they expire. To drop the old ones:");
    line("    rm -r ~/.aws/cli/cache                       (Linux, macOS)");
    line("    del /s /q %UserProfile%\\.aws\\cli\\cache        (Windows)");
    line(
        "Change the user's password if it has one, check its MFA, and look in CloudTrail for what the key did: CreateAccessKey,",
    );
    line("  CreateUser, AttachUserPolicy, AssumeRole. Sessions in other roles are not revoked.");
}
