//! How member accounts are entered, and the role with which drills are held there.

use crate::ident::{RoleName, is_name_byte, quoted};
use schemars::JsonSchema;
use serde::de::Error;
use serde::{Deserialize, Deserializer, Serialize, Serializer};

/// Access to member accounts.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Member {
    /// Path of the remediation role without the leading slash: `""` or `security/`.
    pub role_path: String,
    /// Name of the remediation role.
    pub role_name: RoleName,
    /// The `ExternalId` that its trust policy asks for.
    pub external_id: String,
    /// The `SourceIdentity` under which calls appear in the members' `CloudTrail`.
    pub source_identity: String,
}

impl Member {
    /// The remediation role's path and name, as they stand in its ARN.
    #[must_use]
    pub fn path_and_name(&self) -> String {
        format!("{}{}", self.role_path, self.role_name)
    }
}

/// The throw-away role with which drills are held, in each account in which they are.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct DrillRole {
    /// Its path without the leading slash: `""` or `security/`.
    pub path: String,
    /// Its name, without the path.
    pub name: RoleName,
}

impl DrillRole {
    /// Its path and name, as they stand in its ARN.
    #[must_use]
    pub fn path_and_name(&self) -> String {
        format!("{}{}", self.path, self.name)
    }
}

#[derive(Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub(super) struct RawMember {
    /// Name of the remediation role in each account, with its path if it has one.
    #[serde(default)]
    role: RolePath,
    /// ExternalId that the role's trust policy requires.
    #[schemars(length(min = 2, max = 1224))]
    external_id: ExternalId,
    /// SourceIdentity of each session. It appears in the members' CloudTrail.
    #[serde(default)]
    #[schemars(length(min = 2, max = 64))]
    source_identity: SourceIdentity,
}

impl From<RawMember> for Member {
    fn from(raw: RawMember) -> Self {
        Self {
            role_path: raw.role.path,
            role_name: raw.role.name,
            external_id: raw.external_id.0,
            source_identity: raw.source_identity.0,
        }
    }
}

#[derive(Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub(super) struct RawDrill {
    /// Name of the throw-away role for drills, with its path if it has one. Never a role that anything
    /// runs with.
    role: RolePath,
}

impl From<RawDrill> for DrillRole {
    fn from(raw: RawDrill) -> Self {
        Self { path: raw.role.path, name: raw.role.name }
    }
}

/// The remediation role's name, with its path if it has one: `security/RescindRemediation`.
#[derive(Deserialize, JsonSchema)]
#[serde(try_from = "String")]
#[schemars(inline, with = "String")]
struct RolePath {
    path: String,
    name: RoleName,
}

impl Serialize for RolePath {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.collect_str(&format_args!("{}{}", self.path, self.name))
    }
}

impl Default for RolePath {
    fn default() -> Self {
        let name = "RescindRemediation".parse().expect("a legal role name");
        Self { path: String::new(), name }
    }
}

impl TryFrom<String> for RolePath {
    type Error = String;
    fn try_from(text: String) -> Result<Self, String> {
        if text.starts_with("arn:") {
            let name = text.split_once(":role/").map_or("RescindRemediation", |(_, name)| name);
            return Err(format!(
                "{}: expected the role's name without the rest of the ARN, for it is the same in each account: {}",
                quoted(&text),
                quoted(name)
            ));
        }
        let text = text.trim_start_matches('/');
        let (path, name) = match text.rfind('/') {
            Some(slash) => text.split_at(slash + 1),
            None => ("", text),
        };
        let legal =
            path.len() <= 511 && path.bytes().all(|b| (0x21..=0x7e).contains(&b)) && !path.contains("//");
        if !legal {
            return Err(format!(
                "{}: a path has visible ASCII characters between single slashes",
                quoted(path)
            ));
        }
        let name = name.parse().map_err(|error| format!("{error}"))?;
        Ok(Self { path: path.to_owned(), name })
    }
}

/// A secret of sorts: no error shows its value.
#[derive(JsonSchema)]
#[schemars(inline)]
struct ExternalId(String);

impl<'de> Deserialize<'de> for ExternalId {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        // The only error is that there is none: each value of TOML is one.
        let toml::Value::String(text) = toml::Value::deserialize(deserializer)? else {
            return Err(D::Error::custom("expected a text in quotes (its value is not shown)"));
        };
        text.try_into().map_err(D::Error::custom)
    }
}

impl TryFrom<String> for ExternalId {
    type Error = String;
    fn try_from(text: String) -> Result<Self, String> {
        let legal = |b: u8| is_name_byte(b) || b == b':' || b == b'/';
        if (2..=1224).contains(&text.len()) && text.bytes().all(legal) {
            Ok(Self(text))
        } else {
            Err("expected 2 to 1224 of the characters A-Z a-z 0-9 _ + = , . @ : / - (its text is not shown)"
                .to_owned())
        }
    }
}

#[derive(Serialize, Deserialize, JsonSchema)]
#[serde(try_from = "String")]
#[schemars(inline)]
struct SourceIdentity(String);

impl Default for SourceIdentity {
    fn default() -> Self {
        Self("rescind".to_owned())
    }
}

impl TryFrom<String> for SourceIdentity {
    type Error = String;
    fn try_from(text: String) -> Result<Self, String> {
        if (2..=64).contains(&text.len()) && text.bytes().all(is_name_byte) {
            Ok(Self(text))
        } else {
            Err(format!("{}: expected 2 to 64 of the characters A-Z a-z 0-9 _ + = , . @ -", quoted(&text)))
        }
    }
}
