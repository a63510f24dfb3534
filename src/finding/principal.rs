//! Whose credentials a finding is about.

use crate::ident::{AccountId, RoleId, RoleName, UserId, quoted};
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

/// The `accessKeyDetails` of a finding, or what a sequence says of an actor. Every field of it is optional on the wire.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct Principal {
    /// The kind of identity.
    #[schemars(with = "String")]
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
    /// A long-term IAM user.
    IamUser,
    /// A session of a role.
    AssumedRole,
    /// A role, without a session.
    Role,
    /// A session from GetFederationToken.
    FederatedUser,
    /// A user from AWS Directory Service.
    Directory,
    /// Another AWS account, as a whole.
    AwsAccount,
    /// An AWS service, acting on its own.
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

    /// Whether the kind is missing, or one that this version does not know.
    #[must_use]
    pub fn is_unknown(&self) -> bool {
        matches!(self, Self::Unknown | Self::Other(_))
    }

    /// Nothing speaks against a role.
    pub(super) fn may_be_role(&self) -> bool {
        self.is_role() || self.is_unknown()
    }
}

/// However it is spelled: `AssumedRole`, `ASSUMED_ROLE`, `assumed-role`.
impl From<String> for UserType {
    fn from(text: String) -> Self {
        let letters = text.chars().filter(|c| !matches!(c, '_' | '-' | ' '));
        match letters.collect::<String>().to_ascii_lowercase().as_str() {
            "root" => Self::Root,
            "iamuser" => Self::IamUser,
            "assumedrole" => Self::AssumedRole,
            "role" | "iamrole" => Self::Role,
            "federateduser" => Self::FederatedUser,
            "directory" => Self::Directory,
            "awsaccount" => Self::AwsAccount,
            "awsservice" => Self::AwsService,
            "samluser" => Self::SamlUser,
            "webidentityuser" => Self::WebIdentityUser,
            "unknown" | "" => Self::Unknown,
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
    /// Its name, without the path: a finding does not contain the path.
    pub name: RoleName,
    /// Its unique id, where the finding has it.
    pub id: Option<RoleId>,
    /// The session's name; for an instance profile the instance id.
    pub session: Option<String>,
    /// Why it may be another role after all.
    pub doubt: Option<String>,
}

/// Why a principal is not a role that can be acted on.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum NotARole {
    /// Another kind of identity.
    #[error("the credentials belong to {0}, not to a role")]
    Kind(String),
    /// It is a role, or may be one, and the finding does not say which.
    #[error("{why}")]
    Unclear {
        /// Why it is not clear.
        why: String,
        /// Its unique id, where the finding has it: the account's roles can be searched for it.
        id: Option<RoleId>,
    },
    /// The identity role of an instance: it is no role of the account.
    #[error("the credentials belong to the identity role of {0}, which is not a role of the account")]
    InstanceIdentity(String),
}

/// Name of the role in the sessions of instance identity roles (EC2 User Guide, "Instance identity
/// roles"): `assumed-role/aws:ec2-instance/i-…`.
const INSTANCE_IDENTITY: &str = "aws:ec2-instance";

/// What the text that should name a role names.
enum Named {
    Role(String, Option<AccountId>),
    InstanceIdentity,
    Unclear(String),
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

    /// The role's unique id: what stands before the colon of the principal id.
    #[must_use]
    pub fn role_id(&self) -> Option<RoleId> {
        let text = self.principal_id.as_deref()?;
        text.split_once(':').map_or(text, |(id, _)| id).parse().ok()
    }

    /// It is a session, by its key.
    fn has_session_key(&self) -> bool {
        self.access_key_id.as_deref().is_some_and(|key| key.starts_with("ASIA"))
    }

    /// The role in `account` that the credentials belong to.
    ///
    /// # Errors
    /// When they belong to something else, or it is not clear to which role.
    pub fn role(&self, account: &AccountId) -> Result<RoleTarget, NotARole> {
        let id = self.role_id();
        let says_role = self.user_type.is_role() || self.user_type.is_unknown() && id.is_some();
        if !says_role {
            return Err(self.no_role());
        }
        // A session's ARN stands here and there instead of the id.
        let in_id = self.principal_id.as_deref().filter(|id| id.starts_with("arn:"));
        let unclear = |why: String| NotARole::Unclear { why, id: id.clone() };
        let name = self.user_name.as_deref().filter(|name| !name.trim().is_empty());
        let Some(text) = name.or(in_id) else {
            let why = "the finding says that the credentials belong to a role, but does not name it";
            return Err(unclear(why.to_owned()));
        };
        let (name, owner) = match self.named(text) {
            Named::Role(name, owner) => (name, owner),
            Named::InstanceIdentity => {
                let instance = self.instance_id().unwrap_or_else(|| "an instance".to_owned());
                return Err(NotARole::InstanceIdentity(instance));
            }
            Named::Unclear(why) => return Err(unclear(why)),
        };
        if let Some(owner) = owner.filter(|owner| owner != account) {
            let why = format!("the finding is about account {account}, and names a role of account {owner}");
            return Err(unclear(why));
        }
        let name = name
            .parse()
            .map_err(|error| unclear(format!("the finding does not name the role by its name: {error}")))?;
        Ok(RoleTarget { name, session: self.session_name().map(str::to_owned), doubt: self.doubt(), id })
    }

    /// Why it is no role, or not known to be one.
    fn no_role(&self) -> NotARole {
        if self.user_type.is_unknown() && self.has_session_key() {
            let why = "the finding does not say to whom the session's key belongs";
            return NotARole::Unclear { why: why.to_owned(), id: None };
        }
        NotARole::Kind(match &self.user_type {
            UserType::Unknown => "an identity of unknown kind".to_owned(),
            other => format!("a principal of type {}", quoted(&String::from(other.clone()))),
        })
    }

    /// Why the id does not go with a role. A missing one does.
    fn doubt(&self) -> Option<String> {
        let text = self.principal_id.as_deref().filter(|id| !id.is_empty() && !id.starts_with("arn:"))?;
        let id = text.split_once(':').map_or(text, |(id, _)| id);
        if id.parse::<RoleId>().is_ok() {
            return None;
        }
        let what = if id.parse::<UserId>().is_ok() { "a user's" } else { "no role's" };
        Some(format!("its principal id {} is {what}", quoted(text)))
    }

    /// What a text names: a role's name, with or without its path, its ARN, or a session of it.
    fn named(&self, text: &str) -> Named {
        let (owner, resource) = match arn_parts(text) {
            Some((owner, resource)) => (Some(owner), resource),
            None => (None, text),
        };
        let parts: Vec<&str> = resource.split('/').collect();
        let name = match parts[..] {
            [name] | ["assumed-role", name, _] | ["assumed-role", name] | ["role" | "", .., name] => name,
            // `role/session`, which differs from `path/role` only by the session's name.
            [.., name, session] if self.session_name() == Some(session) => name,
            _ => {
                let why = format!(
                    "the finding names the role as {}, which may be its path or a session",
                    quoted(text)
                );
                return Named::Unclear(why);
            }
        };
        if name == INSTANCE_IDENTITY {
            return Named::InstanceIdentity;
        }
        Named::Role(name.to_owned(), owner)
    }
}

/// The account and the resource of an ARN of IAM or STS: `arn:aws:iam::111122223333:role/path/name`.
fn arn_parts(arn: &str) -> Option<(AccountId, &str)> {
    let parts: Vec<&str> = arn.splitn(6, ':').collect();
    let ["arn", _, "iam" | "sts", "", account, resource] = parts[..] else { return None };
    Some((account.parse().ok()?, resource))
}

/// The account and the name, without its path, of a resource of this kind that an ARN names.
pub(super) fn named_in_arn(arn: &str, kind: &str) -> Option<(AccountId, String)> {
    let (account, resource) = arn_parts(arn)?;
    let name = resource.strip_prefix(kind)?.strip_prefix('/')?.rsplit('/').next()?;
    (!name.is_empty()).then(|| (account, name.to_owned()))
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::fmt::Write;

    fn principal(user_type: &str, name: &str, id: &str) -> Principal {
        let text = |text: &str| (!text.is_empty()).then(|| text.to_owned());
        Principal {
            user_type: user_type.to_owned().into(),
            user_name: text(name),
            principal_id: text(id),
            access_key_id: None,
        }
    }

    fn role(user_type: &str, name: &str, id: &str) -> Result<RoleTarget, NotARole> {
        principal(user_type, name, id).role(&"222222222222".parse().expect("legal"))
    }

    const ID: &str = "AROAEXAMPLEEXAMPLE00:i-0abc";

    #[test]
    fn a_role_is_recognized_however_it_is_written() {
        for kind in [
            "AssumedRole",
            "ASSUMED_ROLE",
            "assumed-role",
            "Role",
            "role",
            "IAMRole",
            "Unknown",
            "",
            "Toaster",
        ] {
            assert_eq!(
                role(kind, "web", ID).map(|role| role.name.to_string()).as_deref(),
                Ok("web"),
                "{kind}"
            );
        }
        for name in [
            "arn:aws:iam::222222222222:role/web",
            "arn:aws-cn:iam::222222222222:role/apps/shop/web",
            "arn:aws:sts::222222222222:assumed-role/web/i-0abc",
            "role/apps/web",
            "/apps/web",
            "assumed-role/web/i-0abc",
            "web/i-0abc",
            "apps/web/i-0abc",
        ] {
            let role = role("AssumedRole", name, ID).expect(name);
            assert_eq!((role.name.as_str(), role.doubt), ("web", None), "{name}");
        }
        let named = role("AssumedRole", "", "arn:aws:sts::222222222222:assumed-role/web/i-0abc");
        assert_eq!(named.expect("a role").name.as_str(), "web");
    }

    #[test]
    fn one_that_is_not_clearly_named_is_unclear_and_its_id_is_kept() {
        let mut whys = String::new();
        for name in [
            "",
            " ",
            "apps/web",
            "we b",
            "arn:aws:iam::333333333333:role/web",
            "web/",
            "arn:aws:iam::222222222222:role/",
        ] {
            let Err(NotARole::Unclear { why, id }) = role("AssumedRole", name, ID) else { panic!("{name}") };
            assert!(id.is_some_and(|id| id.as_str() == "AROAEXAMPLEEXAMPLE00"), "{name}");
            let _ = writeln!(whys, "{name:?}: {why}");
        }
        insta::assert_snapshot!(whys, @r#"
        "": the finding says that the credentials belong to a role, but does not name it
        " ": the finding says that the credentials belong to a role, but does not name it
        "apps/web": the finding names the role as "apps/web", which may be its path or a session
        "we b": the finding does not name the role by its name: "we b": a role name has 1 to 64 of the characters A-Z a-z 0-9 + = , . @ _ -
        "arn:aws:iam::333333333333:role/web": the finding is about account 222222222222, and names a role of account 333333333333
        "web/": the finding names the role as "web/", which may be its path or a session
        "arn:aws:iam::222222222222:role/": the finding does not name the role by its name: "": a role name has 1 to 64 of the characters A-Z a-z 0-9 + = , . @ _ -
        "#);
        // Without an id, too.
        for id in ["", "-", "AIDAEXAMPLEEXAMPLE00"] {
            assert!(matches!(role("Role", "", id), Err(NotARole::Unclear { id: None, .. })), "{id}");
        }
        let mut unknown = principal("Toaster", "web", "");
        unknown.access_key_id = Some("ASIAEXAMPLEEXAMPLE00".to_owned());
        let account = "222222222222".parse().expect("legal");
        assert!(matches!(unknown.role(&account), Err(NotARole::Unclear { .. })));
    }

    #[test]
    fn an_id_that_does_not_go_with_a_role_is_a_doubt() {
        let doubts = ["AIDAEXAMPLEEXAMPLE00", "<principalId>", "unknown:i-0abc"]
            .map(|id| role("AssumedRole", "web", id).expect("a role").doubt.expect("a doubt"));
        insta::assert_snapshot!(doubts.join("\n"), @r#"
        its principal id "AIDAEXAMPLEEXAMPLE00" is a user's
        its principal id "<principalId>" is no role's
        its principal id "unknown:i-0abc" is no role's
        "#);
        assert_eq!(role("AssumedRole", "web", "").expect("a role").doubt, None);
    }

    #[test]
    fn another_kind_of_identity_is_no_role_and_an_instances_own_is_none_of_the_account() {
        for kind in ["AWSService", "AWSAccount", "Directory", "IAMUser", "Unknown"] {
            assert!(matches!(role(kind, "web", ""), Err(NotARole::Kind(_))), "{kind}");
        }
        let own = "arn:aws:sts::222222222222:assumed-role/aws:ec2-instance/i-0abc";
        for name in ["aws:ec2-instance", own] {
            let error = role("AssumedRole", name, ID).expect_err("none");
            assert_eq!(error, NotARole::InstanceIdentity("i-0abc".to_owned()), "{name}");
        }
    }
}
