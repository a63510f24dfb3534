//! Names that AWS gives to things, checked where they enter.
//!
//! Each type holds a value that has been parsed once, so that the rest of the crate can
//! trust it. The rules are those of the IAM and STS API references.

use serde::{Deserialize, Serialize};
use std::fmt;
use std::str::FromStr;

/// A name that breaks the rules of its kind. The message says which rule.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("{0}")]
pub struct BadName(String);

macro_rules! name {
    ($(#[$doc:meta])* $type:ident, $check:expr) => {
        $(#[$doc])*
        #[derive(Debug, Clone, PartialEq, Eq, Hash, PartialOrd, Ord, Serialize, Deserialize)]
        #[serde(try_from = "String", into = "String")]
        pub struct $type(String);

        impl $type {
            /// The name as text.
            #[must_use]
            pub fn as_str(&self) -> &str {
                &self.0
            }
        }

        impl schemars::JsonSchema for $type {
            fn inline_schema() -> bool {
                true
            }

            fn schema_name() -> std::borrow::Cow<'static, str> {
                String::schema_name()
            }

            fn json_schema(generator: &mut schemars::SchemaGenerator) -> schemars::Schema {
                String::json_schema(generator)
            }
        }

        impl fmt::Display for $type {
            fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                f.pad(&self.0)
            }
        }

        impl FromStr for $type {
            type Err = BadName;
            fn from_str(text: &str) -> Result<Self, BadName> {
                let check: fn(&str) -> Result<(), String> = $check;
                check(text).map_err(BadName)?;
                Ok(Self(text.to_owned()))
            }
        }

        impl TryFrom<String> for $type {
            type Error = BadName;
            fn try_from(text: String) -> Result<Self, BadName> {
                text.parse()
            }
        }

        impl From<$type> for String {
            fn from(name: $type) -> String {
                name.0
            }
        }
    };
}

name!(
    /// A 12-digit AWS account id.
    AccountId,
    |text| {
        if text.len() == 12 && text.bytes().all(|b| b.is_ascii_digit()) {
            Ok(())
        } else {
            Err(format!("{}: an account id is 12 digits", quoted(text)))
        }
    }
);

name!(
    /// An AWS region, such as `eu-central-1`.
    Region,
    |text| {
        let parts = text.split('-').count();
        let legal = text.bytes().all(|b| b.is_ascii_lowercase() || b.is_ascii_digit() || b == b'-');
        let ends_in_digit = text.bytes().last().is_some_and(|b| b.is_ascii_digit());
        if (3..=5).contains(&parts) && legal && ends_in_digit && text.len() <= 32 {
            Ok(())
        } else {
            Err(format!("{}: expected a region such as \"eu-central-1\"", quoted(text)))
        }
    }
);

name!(
    /// The name of an IAM role without its path: 1 to 64 of `A-Z a-z 0-9 + = , . @ _ -`.
    RoleName,
    |text| {
        if (1..=64).contains(&text.len()) && text.bytes().all(is_name_byte) {
            Ok(())
        } else {
            Err(format!(
                "{}: a role name has 1 to 64 of the characters A-Z a-z 0-9 + = , . @ _ -",
                quoted(text)
            ))
        }
    }
);

name!(
    /// The unique id of a role, `AROA…`. It changes when a role is deleted and recreated
    /// under the same name (IAM identifiers, "Unique identifiers").
    RoleId,
    |text| {
        if text.starts_with("AROA")
            && (16..=128).contains(&text.len())
            && text.bytes().all(|b| b.is_ascii_uppercase() || b.is_ascii_digit())
        {
            Ok(())
        } else {
            Err(format!("{}: a role id starts with AROA", quoted(text)))
        }
    }
);

name!(
    /// The name of an IAM user without its path: as a role's.
    UserName,
    |text| {
        if (1..=64).contains(&text.len()) && text.bytes().all(is_name_byte) {
            Ok(())
        } else {
            Err(format!(
                "{}: a user name has 1 to 64 of the characters A-Z a-z 0-9 + = , . @ _ -",
                quoted(text)
            ))
        }
    }
);

name!(
    /// The unique id of an IAM user, `AIDA…`.
    UserId,
    |text| {
        if text.starts_with("AIDA")
            && (16..=128).contains(&text.len())
            && text.bytes().all(|b| b.is_ascii_uppercase() || b.is_ascii_digit())
        {
            Ok(())
        } else {
            Err(format!("{}: a user id starts with AIDA", quoted(text)))
        }
    }
);

impl RoleName {
    /// The key under which IAM treats names as equal: it ignores case.
    #[must_use]
    pub fn key(&self) -> String {
        self.0.to_ascii_lowercase()
    }
}

/// An AWS partition. It is the second field of each ARN.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize, Deserialize)]
pub enum Partition {
    /// The commercial regions: most of AWS.
    #[serde(rename = "aws")]
    Aws,
    /// The regions in China.
    #[serde(rename = "aws-cn")]
    AwsCn,
    /// The GovCloud regions in the US.
    #[serde(rename = "aws-us-gov")]
    AwsUsGov,
    /// The European Sovereign Cloud.
    #[serde(rename = "aws-eusc")]
    AwsEusc,
}

impl Partition {
    /// Every partition that rescind knows.
    pub const ALL: [Self; 4] = [Self::Aws, Self::AwsCn, Self::AwsUsGov, Self::AwsEusc];

    /// As it stands in an ARN.
    #[must_use]
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Aws => "aws",
            Self::AwsCn => "aws-cn",
            Self::AwsUsGov => "aws-us-gov",
            Self::AwsEusc => "aws-eusc",
        }
    }

    /// The region in which CloudTrail records the calls of global services, IAM among them (CloudTrail User
    /// Guide, "Global service events").
    #[must_use]
    pub fn main_region(self) -> &'static str {
        match self {
            Self::Aws => "us-east-1",
            Self::AwsCn => "cn-north-1",
            Self::AwsUsGov => "us-gov-west-1",
            Self::AwsEusc => "eusc-de-east-1",
        }
    }

    /// The partition that a region is in.
    #[must_use]
    pub fn of_region(region: &Region) -> Self {
        match region.as_str() {
            r if r.starts_with("cn-") => Self::AwsCn,
            r if r.starts_with("us-gov-") => Self::AwsUsGov,
            r if r.starts_with("eusc-") => Self::AwsEusc,
            _ => Self::Aws,
        }
    }

    /// Whether a region is in none of the partitions that rescind knows: those of the secret clouds, such as
    /// `us-iso-east-1`, are in partitions of their own.
    #[must_use]
    pub fn is_of_none(region: &Region) -> bool {
        region.as_str().split('-').nth(1).is_some_and(|part| part.starts_with("iso"))
    }

    /// The partition that an ARN names.
    ///
    /// # Errors
    /// When the text is not an ARN, or names a partition that rescind does not know.
    pub fn of_arn(arn: &str) -> Result<Self, BadName> {
        let named = arn.split(':').nth(1);
        Self::ALL.into_iter().find(|one| named == Some(one.as_str())).ok_or_else(|| {
            let known = Self::ALL.map(Self::as_str).join(", ");
            BadName(format!("{}: expected an ARN in one of the partitions {known}", quoted(arn)))
        })
    }

    /// The ARN of a role. `path_and_name` may carry a path: `security/Remediation`.
    #[must_use]
    pub fn role_arn(self, account: &AccountId, path_and_name: &str) -> String {
        format!("arn:{}:iam::{account}:role/{path_and_name}", self.as_str())
    }
}

impl fmt::Display for Partition {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.pad(self.as_str())
    }
}

/// A legal STS session name or source identity: other characters become `-`, cut to 64.
/// (AssumeRole: `[\w+=,.@-]{2,64}`.)
#[must_use]
pub fn session_name(prefix: &str, text: &str) -> String {
    let mut name: String = format!("{prefix}{text}")
        .chars()
        .map(|c| if c.is_ascii() && is_name_byte(c as u8) { c } else { '-' })
        .take(64)
        .collect();
    while name.len() < 2 {
        name.push('-');
    }
    name
}

/// The characters that IAM allows in the names of roles and sessions.
#[must_use]
pub fn is_name_byte(byte: u8) -> bool {
    byte.is_ascii_alphanumeric() || b"+=,.@_-".contains(&byte)
}

/// Text from outside, quoted for a message: escaped, and cut when it is long.
#[must_use]
pub fn quoted(text: &str) -> String {
    let cut: String = text.chars().take(80).collect();
    let more = if cut.len() < text.len() { "…" } else { "" };
    format!("{cut:?}{more}")
}

/// Who the hub's credentials are.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct HubIdentity {
    /// The account that the hub runs in.
    pub account: AccountId,
    /// The ARN that AWS gives for the caller.
    pub arn: String,
    /// The partition that the ARN names.
    pub partition: Partition,
}

impl HubIdentity {
    /// The name of the role that the hub runs as, if it is a role.
    #[must_use]
    pub fn role_name(&self) -> Option<&str> {
        self.arn.split_once(":assumed-role/")?.1.split('/').next()
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    #[test]
    fn accounts_are_twelve_digits() {
        assert!("123456789012".parse::<AccountId>().is_ok());
        for bad in ["", "12345678901", "1234567890123", "12345678901a", "１２３４５６７８９０１２"]
        {
            assert!(bad.parse::<AccountId>().is_err(), "{bad}");
        }
    }

    #[test]
    fn a_role_name_may_use_every_legal_character() {
        assert!("a+=,.@_-Z9".parse::<RoleName>().is_ok());
        assert!("x".repeat(64).parse::<RoleName>().is_ok());
        for bad in ["", "a/b", "a b", "ä", &"x".repeat(65)] {
            assert!(bad.parse::<RoleName>().is_err(), "{bad}");
        }
    }

    #[test]
    fn partitions_follow_region_and_arn() {
        let region = |text: &str| Partition::of_region(&text.parse().expect("legal"));
        assert_eq!(region("eu-central-1"), Partition::Aws);
        assert_eq!(region("cn-north-1"), Partition::AwsCn);
        assert_eq!(region("us-gov-west-1"), Partition::AwsUsGov);
        assert_eq!(region("eusc-de-east-1"), Partition::AwsEusc);
        for partition in Partition::ALL {
            assert_eq!(region(partition.main_region()), partition);
            assert_eq!(Partition::of_arn(&format!("arn:{partition}:sts::1:x")), Ok(partition));
            assert_eq!(serde_json::to_value(partition).expect("JSON"), partition.as_str());
        }
        assert!(Partition::of_arn("arn:aws-iso:sts::1:x").is_err());
        assert!(Partition::of_arn("nonsense").is_err());
    }

    proptest! {
        #[test]
        fn every_text_gives_a_legal_session_name(text in ".*") {
            let name = session_name("rescind-", &text);
            prop_assert!((2..=64).contains(&name.len()));
            prop_assert!(name.bytes().all(is_name_byte));
        }
    }
}
