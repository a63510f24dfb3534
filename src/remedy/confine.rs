//! The session policy, which limits what a session in a member account may do.

use crate::remediation::{Means, Target, Who};
use serde_json::Value;

const ROLE: &str = include_str!("../../policies/session-role.json");
const TRACE: &str = include_str!("../../policies/session-trace.json");
const USER: &str = include_str!("../../policies/session-user.json");
const QUARANTINE: &str = include_str!("../../policies/session-quarantine.json");
const SEARCH: &str = include_str!("../../policies/session-search.json");

/// What a member session is opened for.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Purpose {
    /// To look what is there.
    Look,
    Revoke,
    /// To take back what was done.
    Undo,
    /// To gather the impact, and what CloudTrail saw.
    Trace,
    /// To find the role that has an id.
    Search,
}

impl Purpose {
    /// How the names of its sessions begin, as the member's CloudTrail has them.
    #[must_use]
    pub fn prefix(self) -> &'static str {
        match self {
            Self::Look => "rescind-look-",
            Self::Revoke => "rescind-",
            Self::Undo => "rescind-undo-",
            Self::Trace => "rescind-trace-",
            Self::Search => "rescind-search-",
        }
    }

    /// The actions that write an inline policy or a key.
    fn writes(self, target: &Target) -> &'static [&'static str] {
        match (self, &target.who) {
            (Self::Look | Self::Trace | Self::Search, _)
            | (_, Who::Root { .. } | Who::Federated { .. } | Who::Unsupported { .. }) => &[],
            _ if target.means != Means::InlinePolicy => &[],
            (Self::Revoke, Who::Role { .. }) => &["iam:PutRolePolicy"],
            (Self::Undo, Who::Role { .. }) => &["iam:PutRolePolicy", "iam:DeleteRolePolicy"],
            (Self::Revoke, Who::User { .. }) => &["iam:PutUserPolicy", "iam:UpdateAccessKey"],
            (Self::Undo, Who::User { .. }) => {
                &["iam:PutUserPolicy", "iam:DeleteUserPolicy", "iam:UpdateAccessKey"]
            }
        }
    }
}

/// What a member session may do at most: read and change the one principal that it is for, and quarantine it.
/// STS takes up to 2,048 characters.
#[must_use]
pub fn session_policy(target: &Target, purpose: Purpose) -> String {
    let (template, name) = match &target.who {
        _ if purpose == Purpose::Search => (SEARCH, ""),
        Who::Role { role, .. } if purpose == Purpose::Trace => (TRACE, role.as_str()),
        Who::User { user, .. } if purpose == Purpose::Trace => (TRACE, user.as_str()),
        Who::Role { role, .. } => (ROLE, role.as_str()),
        Who::User { user, .. } => (USER, user.as_str()),
        _ if purpose == Purpose::Trace => (TRACE, "-"),
        Who::Root { .. } | Who::Federated { .. } | Who::Unsupported { .. } => (ROLE, "-"),
    };
    let mut policy = filled(template, target, name);
    let writes = purpose.writes(target);
    if let Some(Value::Array(actions)) = policy.pointer_mut("/Statement/0/Action") {
        actions.extend(writes.iter().map(|action| Value::from(*action)));
    }
    let quarantines = matches!(purpose, Purpose::Revoke | Purpose::Undo)
        && matches!(target.who, Who::Role { .. } | Who::User { .. });
    // What is attached as the remedy is read whenever it is looked at.
    let reads = target.means == Means::Quarantine && purpose == Purpose::Look;
    if let Some(Value::Array(statements)) = policy.pointer_mut("/Statement")
        && let Value::Array(more) = filled(QUARANTINE, target, name)["Statement"].take()
    {
        let is_read = |one: &Value| one["Resource"].is_string();
        statements.extend(more.into_iter().filter(|one| quarantines || reads && is_read(one)));
    }
    policy.to_string()
}

fn filled(template: &str, target: &Target, name: &str) -> Value {
    let (entity, kind) = match target.who {
        Who::User { .. } => ("User", "user"),
        _ => ("Role", "role"),
    };
    let text = template
        .replace("${PARTITION}", target.partition.as_str())
        .replace("${ACCOUNT}", target.account.as_str())
        .replace("${ENTITY}", entity)
        .replace("${KIND}", kind)
        .replace("${NAME}", name);
    serde_json::from_str(&text).unwrap_or_default()
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::ident::Partition;
    use serde_json::json;

    fn targets() -> [Target; 2] {
        let name = "x".repeat(64);
        let of = |who| Target {
            partition: Partition::AwsUsGov,
            account: "111122223333".parse().expect("legal"),
            who,
            means: Means::InlinePolicy,
        };
        [
            of(Who::Role { role: name.parse().expect("legal"), role_id: None, session: None }),
            of(Who::User { user: name.parse().expect("legal"), user_id: None, access_key: None }),
        ]
    }

    #[test]
    fn it_fits_and_names_one_principal() {
        for (target, kind) in targets().iter().zip(["role", "user"]) {
            for purpose in [Purpose::Look, Purpose::Revoke, Purpose::Undo] {
                let text = session_policy(target, purpose);
                assert!(text.len() <= 2048 && !text.contains("${"), "{text}");
                let policy: Value = serde_json::from_str(&text).expect("JSON");
                let name = "x".repeat(64);
                let expected = json!([
                    format!("arn:aws-us-gov:iam::111122223333:{kind}/{name}"),
                    format!("arn:aws-us-gov:iam::111122223333:{kind}/*/{name}"),
                ]);
                assert_eq!(policy["Statement"][0]["Resource"], expected);
            }
        }
    }

    #[test]
    fn who_writes_can_quarantine_that_principal_and_who_looks_cannot() {
        for (target, kind) in targets().iter().zip(["Role", "User"]) {
            for purpose in [Purpose::Look, Purpose::Revoke, Purpose::Undo, Purpose::Trace, Purpose::Search] {
                let text = session_policy(target, purpose);
                let policy: Value = serde_json::from_str(&text).expect("JSON");
                let statements = policy["Statement"].as_array().expect("a list");
                let attaching: Vec<&Value> = statements
                    .iter()
                    .filter(|one| {
                        ["iam:Attach", "iam:Detach"].iter().any(|verb| one.to_string().contains(verb))
                    })
                    .collect();
                if !matches!(purpose, Purpose::Revoke | Purpose::Undo) {
                    assert!(attaching.is_empty(), "{text}");
                    continue;
                }
                assert_eq!(attaching.len(), 1, "{text}");
                assert_eq!(
                    attaching[0]["Action"],
                    json!([format!("iam:Attach{kind}Policy"), format!("iam:Detach{kind}Policy")])
                );
                assert_eq!(attaching[0]["Resource"], policy["Statement"][0]["Resource"]);
                let only = "arn:aws-us-gov:iam::111122223333:policy/rescind/Quarantine";
                assert_eq!(attaching[0]["Condition"], json!({"ArnEquals": {"iam:PolicyARN": only}}));
            }
        }
    }

    /// What a session asks for, the remediation role can be allowed.
    #[test]
    fn the_remediation_role_may_do_what_sessions_ask_for() {
        let actions = |text: &str| -> Vec<String> {
            let policy: Value = serde_json::from_str(text).expect("JSON");
            let statements = policy["Statement"].as_array().expect("a list").clone();
            let allowing = statements.iter().filter(|statement| statement["Effect"] == "Allow");
            let listed = allowing.flat_map(|statement| match &statement["Action"] {
                Value::Array(actions) => actions.clone(),
                one => vec![one.clone()],
            });
            listed.map(|action| action.as_str().expect("a text").to_owned()).collect()
        };
        let mut may = actions(include_str!("../../policies/member-role-permissions.json"));
        let [role, user] = targets();
        for (target, more) in [(role, ""), (user, include_str!("../../policies/member-role-users.json"))] {
            may.extend(if more.is_empty() { Vec::new() } else { actions(more) });
            for purpose in [Purpose::Look, Purpose::Revoke, Purpose::Undo, Purpose::Trace, Purpose::Search] {
                for action in actions(&session_policy(&target, purpose)) {
                    assert!(may.contains(&action), "{action}");
                }
            }
        }
    }

    #[test]
    fn who_looks_cannot_write_and_who_revokes_cannot_delete() {
        for target in targets() {
            let writes = |purpose| {
                let text = session_policy(&target, purpose);
                ["Put", "Delete", "Update"].map(|verb| text.contains(&format!("iam:{verb}")))
            };
            assert_eq!(writes(Purpose::Look), [false; 3]);
            assert_eq!(writes(Purpose::Trace), [false; 3]);
            assert_eq!(writes(Purpose::Search), [false; 3]);
            assert!(writes(Purpose::Revoke)[0] && !writes(Purpose::Revoke)[1]);
            assert!(writes(Purpose::Undo)[1]);
        }
    }
}
