//! The principal that a remedy acts on.

use super::Means;
use crate::ident::{AccountId, Partition, RoleId, RoleName, UserId, UserName, is_name_byte};
use serde::{Deserialize, Serialize};
use std::fmt;

/// The principal that a remedy acts on.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Target {
    /// The partition of the account.
    pub partition: Partition,
    /// The affected account: the principal's.
    pub account: AccountId,
    /// The principal in it.
    #[serde(flatten)]
    pub who: Who,
    /// What is to deny it.
    #[serde(default, skip_serializing_if = "Means::is_inline")]
    pub means: Means,
}

/// The principal, within its account.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(untagged)]
pub enum Who {
    /// The sessions of a role.
    Role {
        /// Name of the role, without its path.
        role: RoleName,
        /// Its unique id, where the finding has it.
        role_id: Option<RoleId>,
        /// Only this session; none for all.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        session: Option<OneSession>,
    },
    /// An IAM user, with its access keys and sessions.
    User {
        /// Name of the user, without its path.
        user: UserName,
        /// Its unique id, where the finding has it.
        user_id: Option<UserId>,
        /// The access key that leaked, where the finding has it.
        access_key: Option<String>,
    },
    /// The root user of the account.
    Root {
        /// The account, which is its `aws:userid` too.
        root_user: AccountId,
    },
    /// The sessions of a federated user: GetFederationToken.
    Federated {
        /// The name that the caller of GetFederationToken gave it.
        federated_user: String,
    },
    /// A principal that rescind cannot change: a person must act.
    Unsupported {
        /// Who it is, in words.
        principal: String,
    },
}

/// How the keys of those begin whom a service control policy denies. No name of a role or a user begins so.
const IN_ORGANIZATION: &str = "organization/";

/// One session of a role.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct OneSession {
    /// Its `aws:userid`: the role's id, a colon, the session's name.
    pub user_id: String,
    /// When the policy has no room for one more session, all sessions of the role may be revoked.
    pub may_widen: bool,
}

/// A principal id names one session: `AROA…`, a colon, and a name that STS allows. It goes into a policy
/// document, so nothing else will do. (AssumeRole: `[\w+=,.@-]{2,64}`.)
#[must_use]
pub fn is_session_id(principal_id: &str) -> bool {
    principal_id.split_once(':').is_some_and(|(role, name)| {
        role.parse::<RoleId>().is_ok() && (2..=64).contains(&name.len()) && name.bytes().all(is_name_byte)
    })
}

impl Target {
    /// The name of its remedy, in rules and in the ledger.
    #[must_use]
    pub fn remedy(&self) -> &'static str {
        match (&self.who, self.means) {
            (Who::Unsupported { .. }, _) => "by_hand",
            (_, Means::Quarantine) => "quarantine",
            (Who::Root { .. } | Who::Federated { .. }, _) | (_, Means::ServiceControlPolicy) => {
                "organization_deny"
            }
            (Who::Role { .. }, Means::InlinePolicy) => "role_sessions",
            (Who::User { .. }, Means::InlinePolicy) => "user_keys",
        }
    }

    /// The key under which IAM treats names as equal, among the principals of one account: `web`, `user/alice`;
    /// `organization/web` for what a service control policy denies.
    #[must_use]
    pub fn key(&self) -> String {
        let name = match self.who {
            // To STS, names that differ in case are two.
            Who::Federated { .. } => self.name(),
            _ => self.name().to_ascii_lowercase(),
        };
        match self.means {
            Means::ServiceControlPolicy => format!("{IN_ORGANIZATION}{name}"),
            Means::InlinePolicy | Means::Quarantine => name,
        }
    }

    /// The key of the document in which the deny of the principal with this [`key`](Self::key) stands: what is
    /// denied by one document is done one after the other. An account has one service control policy.
    #[must_use]
    pub fn document_key(key: &str) -> &str {
        if key.starts_with(IN_ORGANIZATION) { IN_ORGANIZATION } else { key }
    }

    /// Whether a revocation of the principal with this key affects others, which is gathered: that of a role does.
    #[must_use]
    pub fn has_impact(key: &str) -> bool {
        !key.contains('/')
    }

    /// `web` for a role, `user/alice` for a user.
    #[must_use]
    pub fn name(&self) -> String {
        match &self.who {
            Who::Role { role, .. } => role.to_string(),
            Who::User { user, .. } => format!("user/{user}"),
            // No name of a role or a user begins so.
            Who::Root { .. } => "account/root".to_owned(),
            Who::Federated { federated_user } => format!("federated/{federated_user}"),
            Who::Unsupported { principal } => format!("unsupported/{principal}"),
        }
    }

    /// The same for tables: `root user` and the bare name of a role for a principal that rescind cannot change.
    #[must_use]
    pub fn label(&self) -> String {
        let principal = match &self.who {
            Who::Role { .. } | Who::User { .. } => return self.name(),
            Who::Root { .. } | Who::Federated { .. } | Who::Unsupported { .. } => self.principal(),
        };
        let bare = principal.strip_prefix("the ").unwrap_or(&principal);
        let kinds = ["Identity Center role ", "service-linked role ", "role "];
        kinds.iter().find_map(|kind| bare.strip_prefix(kind)).unwrap_or(bare).to_owned()
    }

    /// The principal in words: `role web`, `user alice`.
    #[must_use]
    pub fn principal(&self) -> String {
        match &self.who {
            Who::Role { role, .. } => format!("role {role}"),
            Who::User { user, .. } => format!("user {user}"),
            Who::Root { .. } => "the root user".to_owned(),
            Who::Federated { federated_user } => {
                format!("the federated user {}", crate::ident::quoted(federated_user))
            }
            Who::Unsupported { principal } => principal.clone(),
        }
    }

    /// The unique id of the role or user, where it is known.
    #[must_use]
    pub fn id(&self) -> Option<&str> {
        match &self.who {
            Who::Role { role_id, .. } => role_id.as_ref().map(RoleId::as_str),
            Who::User { user_id, .. } => user_id.as_ref().map(UserId::as_str),
            Who::Root { .. } | Who::Federated { .. } | Who::Unsupported { .. } => None,
        }
    }

    /// The same principal, with the unique id that it was found to have: one that was recreated since is another.
    #[must_use]
    pub fn found_as(&self, id: &str) -> Self {
        let mut target = self.clone();
        match &mut target.who {
            Who::Role { role_id, .. } if role_id.is_none() => *role_id = id.parse().ok(),
            Who::User { user_id, .. } if user_id.is_none() => *user_id = id.parse().ok(),
            _ => {}
        }
        target
    }

    /// Whether what denies it stays until a person releases it: no time comes at which nothing is left to deny.
    /// A leaked key does not end, nor what is denied whatever the time.
    #[must_use]
    pub fn is_until_released(&self) -> bool {
        let is_session = matches!(self.who, Who::Role { .. } | Who::Federated { .. });
        match self.means {
            Means::InlinePolicy => false,
            Means::Quarantine => true,
            Means::ServiceControlPolicy => !is_session,
        }
    }

    /// The one session that it is for; none when it is for all.
    #[must_use]
    pub fn session(&self) -> Option<&OneSession> {
        match &self.who {
            Who::Role { session, .. } => session.as_ref(),
            _ => None,
        }
    }

    /// Whether rescind can do anything about it. If not, a person must.
    #[must_use]
    pub fn is_supported(&self) -> bool {
        !matches!(self.who, Who::Unsupported { .. })
    }

    /// The role with its unique id, where it is one and the id is known.
    #[must_use]
    pub fn role_with_id(&self) -> Option<(&RoleName, &RoleId)> {
        match &self.who {
            Who::Role { role, role_id: Some(id), .. } => Some((role, id)),
            _ => None,
        }
    }

    /// The long-term access key that leaked, if one did: a session's key (ASIA…) is none.
    #[must_use]
    pub fn long_term_key(&self) -> Option<&str> {
        match &self.who {
            Who::User { access_key, .. } => access_key.as_deref().filter(|key| key.starts_with("AKIA")),
            _ => None,
        }
    }

    /// The verb for [`Self`] in words: a session is, sessions are.
    #[must_use]
    pub fn are(&self) -> &'static str {
        if self.session().is_some() { "is" } else { "are" }
    }

    /// The ARN, as far as it is known without the path.
    #[must_use]
    pub fn arn(&self) -> String {
        match &self.who {
            Who::Role { role, .. } => self.partition.role_arn(&self.account, role.as_str()),
            Who::User { user, .. } => format!("arn:{}:iam::{}:user/{user}", self.partition, self.account),
            Who::Root { .. } => format!("arn:{}:iam::{}:root", self.partition, self.account),
            Who::Federated { federated_user } => {
                format!("arn:{}:sts::{}:federated-user/{federated_user}", self.partition, self.account)
            }
            Who::Unsupported { principal } => principal.clone(),
        }
    }
}

/// What is revoked: `the sessions of role web`.
impl fmt::Display for Target {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match &self.who {
            Who::Role { role, .. } if self.means == Means::Quarantine => write!(f, "role {role}"),
            Who::User { user, .. } if self.means == Means::Quarantine => write!(f, "user {user}"),
            Who::Role { role, session: None, .. } => write!(f, "the sessions of role {role}"),
            Who::Role { role, session: Some(one), .. } => {
                let name = one.user_id.split_once(':').map_or("", |(_, name)| name);
                write!(f, "the session {name} of role {role}")
            }
            Who::User { user, .. } => write!(f, "the leaked key and the sessions of user {user}"),
            Who::Root { .. } | Who::Federated { .. } | Who::Unsupported { .. } => {
                write!(f, "the credentials of {}", self.principal())
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_target_of_an_older_ledger_is_read_and_written_as_it_was() {
        let text =
            r#"{"partition":"aws","account":"222222222222","role":"web","role_id":"AROAEXAMPLEEXAMPLE00"}"#;
        let target: Target = serde_json::from_str(text).expect("a target");
        assert_eq!((target.key().as_str(), target.session()), ("web", None));
        assert_eq!(serde_json::to_string(&target).expect("JSON"), text);
    }

    #[test]
    fn only_what_can_be_a_session_names_one() {
        assert!(is_session_id("AROAEXAMPLEEXAMPLE00:i-0123456789abcdef0"));
        for other in [
            "AROAEXAMPLEEXAMPLE00",
            "AROAEXAMPLEEXAMPLE00:",
            "AROAEXAMPLEEXAMPLE00:x",
            "AIDAEXAMPLEEXAMPLE00:i-0123",
            "AROAEXAMPLEEXAMPLE00:${aws:userid}",
            "AROAEXAMPLEEXAMPLE00:*",
            "AROAEXAMPLEEXAMPLE00:a\"b",
        ] {
            assert!(!is_session_id(other), "{other}");
        }
    }
}
