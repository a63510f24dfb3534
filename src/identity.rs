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

    /// The same person or program, whatever their name or the role's session is now.
    #[must_use]
    pub fn is_same_as(&self, other: &Self) -> bool {
        match (self, other) {
            (
                Self::Oidc { issuer, subject, .. },
                Self::Oidc { issuer: other_issuer, subject: other_subject, .. },
            ) => issuer == other_issuer && subject == other_subject,
            (Self::Aws { arn, .. }, Self::Aws { arn: other, .. }) => arn == other,
            (Self::Oidc { .. }, Self::Aws { .. }) | (Self::Aws { .. }, Self::Oidc { .. }) => false,
        }
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
