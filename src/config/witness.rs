//! The witnesses of a ledger: who keeps its checkpoints where nobody can replace them, and who cosigns them.

use super::cosigner::{Cosigner, CosignerSettings, listed_twice};
use super::endpoint::Endpoint;
use crate::ident::{Region, quoted};
use jiff::SignedDuration;
use schemars::{JsonSchema, Schema, SchemaGenerator, json_schema};
use serde::{Deserialize, Serialize, Serializer};
use std::borrow::Cow;
use std::fmt;

/// The witness of a ledger: an S3 bucket with Object Lock.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct WitnessSettings {
    /// Name of the bucket.
    pub bucket: String,
    /// What the keys of its objects begin with: nothing, or a text that ends with a slash.
    pub prefix: String,
    /// Region of the bucket; none for that of the first region that is watched.
    pub region: Option<Region>,
    /// Another endpoint than AWS's.
    pub endpoint: Option<String>,
    /// How long nobody can delete an object, and who could all the same; none for the bucket's own default.
    pub retention: Option<(SignedDuration, RetentionMode)>,
}

/// Who may delete an object before its time.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
pub enum RetentionMode {
    /// Nobody, not even the root user of the bucket's account.
    #[default]
    Compliance,
    /// Who has `s3:BypassGovernanceRetention`: for a trial.
    Governance,
}

/// The witnesses as they are written: a bucket whose objects nobody can replace, and others that cosign.
#[derive(Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
#[schemars(inline)]
pub(super) struct Witness {
    /// S3 bucket with Object Lock that keeps the checkpoints.
    bucket: Option<BucketName>,
    /// What the keys of the objects begin with.
    prefix: Option<Prefix>,
    /// Region of the bucket. The default is the first region that is watched.
    region: Option<Region>,
    /// Endpoint of S3, where it is not AWS's own. The bucket is then named in the path.
    endpoint: Option<Endpoint>,
    /// Time for which nobody can delete a checkpoint: 1d to 36500d. Without it the bucket's default holds.
    retention: Option<Days>,
    /// Who may delete a checkpoint before that time: with compliance nobody, with governance who may bypass it.
    retention_mode: Option<RetentionMode>,
    /// Witnesses of other operators that cosign each checkpoint (C2SP tlog-witness).
    #[serde(default)]
    cosigners: Vec<Cosigner>,
}

/// Who the witnesses are: the bucket, and those that cosign.
#[derive(Default)]
pub(super) struct Witnesses {
    pub bucket: Option<WitnessSettings>,
    pub cosigners: Vec<CosignerSettings>,
}

impl TryFrom<Witness> for Witnesses {
    type Error = String;
    fn try_from(witness: Witness) -> Result<Self, Self::Error> {
        let cosigners: Vec<CosignerSettings> = witness.cosigners.into_iter().map(Into::into).collect();
        if let Some(twice) = listed_twice(&cosigners) {
            return Err(twice);
        }
        let Some(bucket) = witness.bucket else {
            let is_about_bucket = witness.prefix.is_some()
                || witness.region.is_some()
                || witness.endpoint.is_some()
                || witness.retention.is_some()
                || witness.retention_mode.is_some();
            return match (is_about_bucket, cosigners.is_empty()) {
                (true, _) => Err(
                    "`prefix`, `region`, `endpoint`, `retention` and `retention_mode` are those of a `bucket`, which is not named"
                        .to_owned(),
                ),
                (false, true) => Err("expected a `bucket`, `cosigners` or both".to_owned()),
                (false, false) => Ok(Self { bucket: None, cosigners }),
            };
        };
        let mode = witness.retention_mode.unwrap_or_default();
        let bucket = WitnessSettings {
            bucket: bucket.0,
            prefix: witness.prefix.unwrap_or_default().0,
            region: witness.region,
            endpoint: witness.endpoint.map(|endpoint| endpoint.0),
            retention: witness
                .retention
                .map(|days| (SignedDuration::from_hours(24 * i64::from(days.0)), mode)),
        };
        Ok(Self { bucket: Some(bucket), cosigners })
    }
}

impl WitnessSettings {
    /// A bucket that somebody named, as `s3://BUCKET` or `s3://BUCKET/PREFIX`.
    ///
    /// # Errors
    /// When the text has another form.
    pub fn parse(url: &str) -> Result<Self, BadWitness> {
        let rest = url.strip_prefix("s3://").ok_or_else(|| BadWitness(quoted(url)))?;
        let (bucket, prefix) = match rest.split_once('/') {
            Some((bucket, prefix)) => (bucket, Prefix::try_from(prefix.to_owned())),
            None => (rest, Ok(Prefix::default())),
        };
        let bad = |_| BadWitness(quoted(url));
        Ok(Self {
            bucket: BucketName::try_from(bucket.to_owned()).map_err(bad)?.0,
            prefix: prefix.map_err(bad)?.0,
            region: None,
            endpoint: None,
            retention: None,
        })
    }
}

impl fmt::Display for WitnessSettings {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "s3://{}/{}", self.bucket, self.prefix)
    }
}

/// A text is no witness.
#[derive(Debug, thiserror::Error)]
#[error("{0}: expected a bucket and a prefix, such as \"s3://example-rescind-witness/checkpoints/\"")]
pub struct BadWitness(String);

/// The name of a bucket, as S3 has them: 3 to 63 lower-case letters, digits, `-` and `.`.
#[derive(Serialize, Deserialize, JsonSchema)]
#[serde(try_from = "String")]
#[schemars(inline)]
struct BucketName(String);

impl TryFrom<String> for BucketName {
    type Error = String;
    fn try_from(name: String) -> Result<Self, String> {
        let is_plain = |b: u8| b.is_ascii_lowercase() || b.is_ascii_digit();
        let ends = name.bytes().next().is_some_and(is_plain) && name.bytes().last().is_some_and(is_plain);
        let legal = name.bytes().all(|b| is_plain(b) || matches!(b, b'-' | b'.'));
        if (3..=63).contains(&name.len()) && ends && legal {
            Ok(Self(name))
        } else {
            Err(format!(
                "{}: expected the name of an S3 bucket, such as \"example-rescind-witness\"",
                quoted(&name)
            ))
        }
    }
}

/// Maximum length of a prefix: a key has 1,024 bytes, and behind it there is room for the log's name.
const PREFIX: usize = 512;

/// A prefix of keys: nothing, or folders with a slash at the end.
#[derive(Serialize, Deserialize, JsonSchema)]
#[serde(try_from = "String")]
#[schemars(inline)]
struct Prefix(String);

impl Default for Prefix {
    fn default() -> Self {
        Self("checkpoints/".to_owned())
    }
}

impl TryFrom<String> for Prefix {
    type Error = String;
    fn try_from(text: String) -> Result<Self, String> {
        let legal = |b: u8| b.is_ascii_alphanumeric() || b"!-_.'()/".contains(&b);
        let is_path = !text.starts_with('/') && !text.contains("//");
        let has_dots = text.split('/').any(|part| matches!(part, "." | ".."));
        if text.len() > PREFIX || !text.bytes().all(legal) || !is_path || has_dots {
            return Err(format!("{}: expected a prefix of keys, such as \"checkpoints/\"", quoted(&text)));
        }
        let slash = if text.is_empty() || text.ends_with('/') { "" } else { "/" };
        Ok(Self(format!("{text}{slash}")))
    }
}

/// A number of days, written as a text such as "400d".
#[derive(Deserialize)]
#[serde(try_from = "String")]
struct Days(u32);

impl TryFrom<String> for Days {
    type Error = String;
    fn try_from(text: String) -> Result<Self, String> {
        let days = text.strip_suffix('d').and_then(|days| days.trim_end().parse().ok());
        match days {
            Some(days @ 1..=36_500) => Ok(Self(days)),
            _ => Err(format!("{}: expected a number of days from \"1d\" to \"36500d\"", quoted(&text))),
        }
    }
}

impl Serialize for Days {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.collect_str(&format_args!("{}d", self.0))
    }
}

impl JsonSchema for Days {
    fn inline_schema() -> bool {
        true
    }

    fn schema_name() -> Cow<'static, str> {
        "Days".into()
    }

    fn json_schema(_: &mut SchemaGenerator) -> Schema {
        json_schema!({ "type": "string" })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_bucket_and_a_prefix_are_named_as_s3_has_them() {
        let parse = |url: &str| WitnessSettings::parse(url).map(|one| one.to_string()).ok();
        let same = |url: &str, canonical: &str| assert_eq!(parse(url).as_deref(), Some(canonical), "{url}");
        same("s3://example-witness", "s3://example-witness/checkpoints/");
        same("s3://example-witness/", "s3://example-witness/");
        same("s3://example-witness/a/b", "s3://example-witness/a/b/");
        same("s3://example-witness/a/b/", "s3://example-witness/a/b/");
        for other in [
            "example-witness",
            "https://example-witness/",
            "s3://",
            "s3://ab/",
            "s3://UPPER/",
            "s3://-witness/",
            "s3://witness//a",
            "s3://witness/a/../b",
            "s3://witness/a b",
        ] {
            assert_eq!(parse(other), None, "{other}");
        }
    }

    #[test]
    fn a_retention_is_a_number_of_days() {
        let days = |text: &str| Days::try_from(text.to_owned()).map(|days| days.0).ok();
        assert_eq!([days("1d"), days("400d"), days("36500d")], [Some(1), Some(400), Some(36_500)]);
        assert_eq!([days("0d"), days("36501d"), days("24h"), days("-1d"), days("")], [None; 5]);
    }
}
