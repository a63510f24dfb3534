//! The key that signs checkpoints: a file, or a key in KMS.

use super::file_path::FilePath;
use crate::ident::{AccountId, Region, quoted};
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};
use std::fmt;
use std::path::{Path, PathBuf};

/// The key that signs checkpoints.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum SigningKey {
    /// A file with the secret.
    File(PathBuf),
    /// A key in KMS, which no host holds.
    Kms(KmsArn),
}

impl SigningKey {
    /// The file, if it is one.
    #[must_use]
    pub fn file(&self) -> Option<&Path> {
        match self {
            Self::File(path) => Some(path),
            Self::Kms(_) => None,
        }
    }
}

impl fmt::Display for SigningKey {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::File(path) => path.display().fmt(f),
            Self::Kms(arn) => f.write_str(&arn.text),
        }
    }
}

/// The ARN of a key in KMS, or of an alias of one.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct KmsArn {
    /// The ARN, as it was written.
    pub text: String,
    /// Where the key is.
    pub region: Region,
}

impl KmsArn {
    /// The ARN of the key, as IAM asks about it. Of an alias IAM's policies do not say which key it is of: any of that
    /// account and region.
    #[must_use]
    pub fn of_key(&self) -> String {
        match self.text.split_once(":alias/") {
            Some((before, _)) => format!("{before}:key/*"),
            None => self.text.clone(),
        }
    }

    fn parse(text: &str) -> Option<Self> {
        let parts: Vec<&str> = text.splitn(6, ':').collect();
        let ["arn", partition, "kms", region, account, resource] = parts[..] else { return None };
        let region: Region = region.parse().ok()?;
        account.parse::<AccountId>().ok()?;
        let name = resource.strip_prefix("key/").or_else(|| resource.strip_prefix("alias/"))?;
        let is_legal =
            !name.is_empty() && name.bytes().all(|b| b.is_ascii_alphanumeric() || b"-_/".contains(&b));
        (is_legal && partition.starts_with("aws")).then(|| Self { text: text.to_owned(), region })
    }
}

/// Name of the key's file where none is named.
pub(super) const DEFAULT: &str = "ledger.key";

/// As it stands in rescind.toml.
#[derive(Serialize, Deserialize, JsonSchema)]
#[serde(try_from = "String")]
#[schemars(inline)]
pub(super) struct KeyName(String);

impl KeyName {
    /// The key of a configuration in `directory`, whose own files lie in `state`.
    pub fn key_of(name: Option<Self>, directory: &Path, state: &Path) -> SigningKey {
        name.map_or_else(|| SigningKey::File(state.join(DEFAULT)), |name| name.key(directory))
    }

    /// The key, of a configuration in `directory`.
    fn key(self, directory: &Path) -> SigningKey {
        match KmsArn::parse(&self.0) {
            Some(arn) => SigningKey::Kms(arn),
            None => SigningKey::File(directory.join(self.0)),
        }
    }
}

impl TryFrom<String> for KeyName {
    type Error = String;
    fn try_from(text: String) -> Result<Self, String> {
        if text.starts_with("alias/") {
            return Err(format!(
                "{}: expected the ARN of that alias, such as arn:aws:kms:eu-central-1:111122223333:alias/NAME; for a file write \"./alias/…\"",
                quoted(&text)
            ));
        }
        if !text.starts_with("arn:") {
            return FilePath::try_from(text.clone()).map(|_| Self(text));
        }
        match KmsArn::parse(&text) {
            Some(_) => Ok(Self(text)),
            None => Err(format!(
                "{}: expected a file, or the ARN of a KMS key such as arn:aws:kms:eu-central-1:111122223333:key/ID",
                quoted(&text)
            )),
        }
    }
}

impl std::str::FromStr for SigningKey {
    type Err = String;
    /// From a command's argument.
    fn from_str(text: &str) -> Result<Self, String> {
        KeyName::try_from(text.to_owned()).map(|name| name.key(Path::new("")))
    }
}
