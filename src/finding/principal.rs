//! Whose credentials a finding is about.

use crate::ident::{RoleId, RoleName};
use serde::{Deserialize, Serialize};

/// The `accessKeyDetails` of a finding, or what a sequence says of an actor. Every field of it is optional on the wire.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Principal {
    /// The kind of identity.
    pub user_type: UserType,
    /// For a role its name without the path; otherwise the user's name or anything else.
    pub user_name: Option<String>,
    /// `AROA…:<session name>` for a role, `AIDA…` for an IAM user.
    pub principal_id: Option<String>,
    /// `AKIA…` (long-term) or `ASIA…` (temporary).
    pub access_key_id: Option<String>,
}

/// The kinds of identity that `CloudTrail` knows (userIdentity element, "type").
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(from = "String", into = "String")]
pub enum UserType {
    /// The account's root user.
    Root,
    /// An IAM user.
    IamUser,
    /// A session of a role.
    AssumedRole,
    /// A role.
    Role,
    /// A session from GetFederationToken.
    FederatedUser,
    /// A directory user.
    Directory,
    /// Another AWS account.
    AwsAccount,
    /// An AWS service.
    AwsService,
    /// A SAML user, in AssumeRoleWithSAML itself.
    SamlUser,
    /// A web identity user, in AssumeRoleWithWebIdentity itself.
    WebIdentityUser,
    /// GuardDuty does not know either.
    Unknown,
    /// A kind that this version of rescind has not heard of.
    Other(String),
}

impl UserType {
    /// A role, or a session of one.
    #[must_use]
    pub fn is_role(&self) -> bool {
        matches!(self, Self::AssumedRole | Self::Role)
    }
}

impl From<String> for UserType {
    fn from(text: String) -> Self {
        match text.as_str() {
            "Root" => Self::Root,
            "IAMUser" => Self::IamUser,
            "AssumedRole" => Self::AssumedRole,
            "Role" => Self::Role,
            "FederatedUser" => Self::FederatedUser,
            "Directory" => Self::Directory,
            "AWSAccount" => Self::AwsAccount,
            "AWSService" => Self::AwsService,
            "SAMLUser" => Self::SamlUser,
            "WebIdentityUser" => Self::WebIdentityUser,
            "Unknown" | "" => Self::Unknown,
            _ => Self::Other(text),
        }
    }
}

impl From<UserType> for String {
    fn from(user_type: UserType) -> Self {
        match user_type {
            UserType::Root => "Root",
            UserType::IamUser => "IAMUser",
            UserType::AssumedRole => "AssumedRole",
            UserType::Role => "Role",
            UserType::FederatedUser => "FederatedUser",
            UserType::Directory => "Directory",
            UserType::AwsAccount => "AWSAccount",
            UserType::AwsService => "AWSService",
            UserType::SamlUser => "SAMLUser",
            UserType::WebIdentityUser => "WebIdentityUser",
            UserType::Unknown => "Unknown",
            UserType::Other(text) => return text,
        }
        .to_owned()
    }
}

/// The role that a finding names.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct RoleTarget {
    /// Its name, without the path: a finding does not tell the path.
    pub name: RoleName,
    /// Its unique id, where the finding has it.
    pub id: Option<RoleId>,
    /// The session's name; for an instance profile the instance id.
    pub session: Option<String>,
}

/// Why a principal is not a role that can be acted on.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum NotARole {
    /// Another kind of identity.
    #[error("the credentials belong to {0}, not to a role")]
    Kind(String),
    /// The finding says it is a role, but does not name it.
    #[error("the finding says that the credentials belong to a role, but does not name it")]
    Nameless,
    /// A name that IAM would not accept.
    #[error("the finding names a role that cannot exist: {0}")]
    BadName(String),
    /// The unique id is not that of a role.
    #[error(
        "the finding says that the credentials belong to a role, but its principal id {0} is not a role's"
    )]
    BadId(String),
}

impl Principal {
    /// The session's name: what follows the colon of the principal id.
    #[must_use]
    pub fn session_name(&self) -> Option<&str> {
        Some(self.principal_id.as_deref()?.split_once(':')?.1)
    }

    /// The instance that the credentials were made for: an instance profile's session has its id as name.
    #[must_use]
    pub fn instance_id(&self) -> Option<String> {
        self.session_name().filter(|name| name.starts_with("i-")).map(str::to_owned)
    }

    /// The role that the credentials belong to.
    ///
    /// # Errors
    /// When they belong to something else, or the finding contradicts itself.
    pub fn role(&self) -> Result<RoleTarget, NotARole> {
        if !self.user_type.is_role() {
            let kind = match &self.user_type {
                UserType::Unknown => "an identity of unknown kind".to_owned(),
                other => {
                    format!("a principal of type {}", crate::ident::quoted(&String::from(other.clone())))
                }
            };
            return Err(NotARole::Kind(kind));
        }
        let name = match self.user_name.as_deref() {
            None | Some("") => return Err(NotARole::Nameless),
            Some(name) => {
                name.parse().map_err(|e: crate::ident::BadName| NotARole::BadName(e.to_string()))?
            }
        };
        let id = match self.principal_id.as_deref() {
            None | Some("") => None,
            Some(text) => {
                let id = text.split_once(':').map_or(text, |(id, _)| id);
                Some(id.parse().map_err(|_| NotARole::BadId(crate::ident::quoted(text)))?)
            }
        };
        Ok(RoleTarget { name, id, session: self.session_name().map(str::to_owned) })
    }
}
