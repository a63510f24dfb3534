//! What people must do after a revocation: those who use the principal, and those who answer for what
//! leaked it.

use crate::remediation::{Means, Target, Who};

/// What people must do after a revocation, in words. A line that begins with spaces is a command of the line
/// before it. `instance` is the one that the credentials were made for, `recurring` that they leaked again
/// after a revocation.
#[must_use]
pub fn aftercare(target: &Target, instance: Option<&str>, recurring: bool) -> Vec<String> {
    match &target.who {
        _ if target.means == Means::Quarantine => {
            let source = instance.map_or_else(
                || "Find what leaked its credentials, and close it.".to_owned(),
                |instance| format!("{instance}: isolate it and keep its memory and disk for the investigation; it can do nothing with its role either."),
            );
            vec![
                source,
                format!(
                    "{} can do nothing until this is released, whoever uses it: also sessions and keys that are issued later. Look in CloudTrail for what the thief made elsewhere (AssumeRole, CreateUser, CreateAccessKey, CreateRole); then release it.",
                    target.principal()
                ),
            ]
        }
        Who::User { user, .. } if target.means == Means::ServiceControlPolicy => vec![format!(
            "Every access key of {user} is denied until this is released; none is deactivated. Delete the leaked one, and give {user} another, or better a role. What the key issued by GetFederationToken has a `userid` of its own (up to 36 hours) and is NOT denied: look in CloudTrail for `GetFederationToken` of this user, and deny each name as a federated user."
        )],
        Who::Role { session, .. } => of_role(instance, recurring, session.is_some()),
        Who::User { user, access_key, .. } => of_user(user.as_str(), access_key.as_deref(), recurring),
        Who::Root { .. } => vec![ROOT.to_owned()],
        Who::Federated { federated_user } => vec![format!(
            "Find the IAM user who issued the session (CloudTrail of the account: `GetFederationToken` with the name {}), and deactivate that user's access keys: each of them can issue another session.",
            crate::ident::quoted(federated_user)
        )],
        Who::Unsupported { .. } => Vec::new(),
    }
}

/// What outlives the credentials (GetSigninToken). Whether a console session keeps the time at which their token
/// was issued, and so is denied with it, is not known.
const CONSOLE: &str = "The thief may have opened a console session, which can outlive the credentials by up to 12 hours and issues keys of its own. It may not be denied: look in CloudTrail for `GetSigninToken` and `ConsoleLogin` of this principal, in all regions.";

/// For whoever answers for an account whose root user was stolen.
const ROOT: &str = "The root user is denied everything, its legitimate owner as well, until this is released. Reset its password by e-mail, delete its access keys and check its MFA; with root access managed centrally (AssumeRoot), delete its credentials from the management account. Then release it.";

/// How to drop sessions that the AWS CLI keeps.
const CACHE: [&str; 3] = [
    "The AWS CLI caches sessions until they expire. To drop the old ones:",
    "    rm -r ~/.aws/cli/cache                       (Linux, macOS)",
    "    del /s /q %UserProfile%\\.aws\\cli\\cache        (Windows)",
];

fn of_role(instance: Option<&str>, recurring: bool, one: bool) -> Vec<String> {
    let mut lines = Vec::new();
    if recurring {
        lines.push(
            "The source STILL LEAKS: a key that was issued after the last cutoff was used from outside. Isolate the instance now (a security group without rules, no SSM), before it hands out the next one.".to_owned(),
        );
    }
    lines.push(match instance {
        Some(instance) => format!(
            "{instance}: isolate it and keep its memory and disk for the investigation. It lost its session as well. When it is clean: stop and start it, or disassociate and associate its instance profile, for a fresh one immediately. Require IMDSv2 with a hop limit of 1, so that a server-side request forgery cannot read the next one."
        ),
        None => "The source still leaks until it is closed: find what the session was made for, and isolate it."
            .to_owned(),
    });
    lines.push(
        if one {
            "Only this session is denied. The role's other sessions keep working."
        } else {
            "Legitimate users of the role need a fresh session: instances get one by themselves in up to about six hours, or immediately after a stop and start; people sign in again; long-running jobs are restarted."
        }
        .to_owned(),
    );
    lines.extend(CACHE.map(str::to_owned));
    lines.push(CONSOLE.to_owned());
    lines.push(
        "Sessions that the thief opened in other roles meanwhile are not revoked: look for AssumeRole by this access key in CloudTrail, also in other accounts; and for what was made to last: users, keys, roles, functions, images.".to_owned(),
    );
    lines
}

fn of_user(user: &str, key: Option<&str>, recurring: bool) -> Vec<String> {
    let mut lines = Vec::new();
    if recurring {
        lines.push(
            "The source STILL LEAKS: another key of the user was used from outside after the last cutoff."
                .to_owned(),
        );
    }
    if let Some(key) = key.filter(|key| key.starts_with("AKIA")) {
        lines.push(format!(
            "{key} is inactive: whatever used it legitimately fails now. Give {user} another key, or better a role, and delete the leaked one when nothing needs it. Find where it leaked: a repository, an image, a laptop."
        ));
    }
    lines.push(format!(
        "Sessions of {user} from before the cutoff are denied: get fresh ones (GetSessionToken, sign in again)."
    ));
    lines.extend(CACHE.map(str::to_owned));
    lines.push(CONSOLE.to_owned());
    lines.push(
        "Change the user's password if it has one, check its MFA, and look in CloudTrail for what the key did: CreateAccessKey, CreateUser, AttachUserPolicy, AssumeRole. Sessions in other roles are not revoked.".to_owned(),
    );
    lines
}

#[cfg(test)]
mod tests {
    use super::*;

    fn lines(who: Who) -> String {
        let account = "111122223333".parse().expect("legal");
        let (partition, means) = (crate::ident::Partition::Aws, Means::InlinePolicy);
        aftercare(&Target { partition, account, who, means }, None, false).join("\n")
    }

    #[test]
    fn each_names_the_events_that_open_a_console() {
        let role = Who::Role { role: "web".parse().expect("legal"), role_id: None, session: None };
        let user = Who::User { user: "eve".parse().expect("legal"), user_id: None, access_key: None };
        for lines in [lines(role), lines(user)] {
            assert!(lines.contains("`GetSigninToken`") && lines.contains("`ConsoleLogin`"), "{lines}");
        }
    }

    #[test]
    fn the_questions_and_answers_promise_no_more_to_instances() {
        let role = Who::Role { role: "web".parse().expect("legal"), role_id: None, session: None };
        let faq = std::path::Path::new(env!("CARGO_MANIFEST_DIR")).join("docs/faq.md");
        let faq = std::fs::read_to_string(faq).expect("the questions and answers");
        for text in [lines(role), faq] {
            assert!(text.contains("up to about six hours"), "{text}");
        }
    }
}
