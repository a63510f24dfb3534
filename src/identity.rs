//! Who a person or a program is, by a proof that rescind checked itself.

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};
use std::fmt;

/// Who somebody is, and what proves it. It has no secret: neither a token nor a signature.
#[derive(Debug, Clone, PartialEq, Eq, Hash, PartialOrd, Ord, Serialize, Deserialize, JsonSchema)]
#[serde(tag = "proof", rename_all = "snake_case")]
pub enum Identity {
    /// An OpenID provider signed an ID token for them.
    Oidc {
        /// The provider's issuer.
        issuer: String,
        /// The claim `sub`: the provider gives it to nobody else, ever.
        subject: String,
        /// Their e-mail address or name, as the provider has it. It can change, and nothing is allowed by it.
        name: Option<String>,
    },
    /// STS answered a GetCallerIdentity that they had signed for this hub.
    Aws {
        /// The ARN of the role's session, or of the user.
        arn: String,
        /// The unique id: of a role, with the session's name behind it.
        user_id: String,
    },
}

impl Identity {
    /// The name that people know them by.
    #[must_use]
    pub fn name(&self) -> &str {
        match self {
            Self::Oidc { subject, name, .. } => name.as_deref().unwrap_or(subject),
            Self::Aws { arn, .. } => arn,
        }
    }

    /// Who it is, whatever their name or the role's session is now: what identifies a person or program, as one text.
    #[must_use]
    pub fn key(&self) -> String {
        match self {
            Self::Oidc { issuer, subject, .. } => format!("{subject} of {issuer}"),
            Self::Aws { arn, .. } => person_of(arn),
        }
    }

    /// The same person or program, whatever their name or the role's session is now. Whoever may assume a role chooses the
    /// session's name, so sessions of one role are one; those of Identity Center have the person's name.
    #[must_use]
    pub fn is_same_as(&self, other: &Self) -> bool {
        match (self, other) {
            (
                Self::Oidc { issuer, subject, .. },
                Self::Oidc { issuer: other_issuer, subject: other_subject, .. },
            ) => issuer == other_issuer && subject == other_subject,
            (Self::Aws { arn, .. }, Self::Aws { arn: other, .. }) => person_of(arn) == person_of(other),
            (Self::Oidc { .. }, Self::Aws { .. }) | (Self::Aws { .. }, Self::Oidc { .. }) => false,
        }
    }
}

/// Prefix of the roles that Identity Center makes: it gives their sessions the names of people.
const IDENTITY_CENTER: &str = "AWSReservedSSO_";

/// The ARN of the role that a session is of, without its path, which STS does not say; any other ARN as it is.
#[must_use]
pub fn principal_of(arn: &str) -> String {
    match session_of(arn) {
        Some((partition, account, role, _)) => format!("arn:{partition}:iam::{account}:role/{role}"),
        None => arn.to_owned(),
    }
}

/// Partition, account, role and session's name of the ARN of a role's session.
fn session_of(arn: &str) -> Option<(&str, &str, &str, &str)> {
    let parts: Vec<&str> = arn.splitn(6, ':').collect();
    let ["arn", partition, "sts", "", account, resource] = parts[..] else { return None };
    let (role, session) = resource.strip_prefix("assumed-role/")?.split_once('/')?;
    Some((partition, account, role, session))
}

fn person_of(arn: &str) -> String {
    match session_of(arn) {
        Some((_, _, role, _)) if role.starts_with(IDENTITY_CENTER) => arn.to_owned(),
        _ => principal_of(arn),
    }
}

impl fmt::Display for Identity {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Oidc { issuer, subject, name } => {
                name.iter().try_for_each(|name| write!(f, "{name}, "))?;
                write!(f, "{subject} of {issuer}")
            }
            Self::Aws { arn, .. } => f.write_str(arn),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn sessions_of_a_role_are_one_program_and_people_of_identity_center_are_not() {
        let of = |role: &str, session: &str| Identity::Aws {
            arn: format!("arn:aws:sts::111111111111:assumed-role/{role}/{session}"),
            user_id: String::new(),
        };
        assert!(of("Soar", "run-1").is_same_as(&of("Soar", "run-2")));
        assert!(!of("Soar", "run-1").is_same_as(&of("Soar2", "run-1")));
        let center = "AWSReservedSSO_Security_0123456789abcdef";
        assert!(!of(center, "anna@example.com").is_same_as(&of(center, "bob@example.com")));
        let named = |name: &str| Identity::Oidc {
            issuer: "https://id.example".to_owned(),
            subject: "anna".to_owned(),
            name: Some(name.to_owned()),
        };
        assert!(
            named("Anna").is_same_as(&named("Anna B.")) && !named("Anna").is_same_as(&of("Soar", "anna"))
        );
    }
}
