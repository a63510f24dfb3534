//! Where findings come from beside the polls: an SQS queue, a folder.

use super::bounded::Number;
use crate::ident::{AccountId, Region, quoted};
use schemars::JsonSchema;
use serde::de::{Error, SeqAccess, Visitor};
use serde::{Deserialize, Deserializer};
use std::fmt;
use std::path::PathBuf;

/// Events from a queue.
#[derive(Debug, Clone, Deserialize, JsonSchema, PartialEq, Eq)]
#[serde(deny_unknown_fields)]
pub struct Events {
    /// URL of the SQS queue to which EventBridge sends GuardDuty's findings of all regions; or a list of them, one for each
    /// region that has a queue of its own.
    #[serde(rename = "queue", deserialize_with = "one_or_more")]
    #[schemars(with = "OneOrMoreUrls")]
    pub queues: Vec<QueueUrl>,
    /// Number of concurrent receivers of each queue while it has messages: 1 to 16.
    #[serde(default)]
    pub receivers: Number<4, 1, 16>,
}

/// A URL, or several, for the schema.
#[derive(JsonSchema)]
#[serde(untagged)]
#[schemars(inline)]
#[expect(dead_code, reason = "only its schema is used")]
enum OneOrMoreUrls {
    /// URL of the only queue.
    One(String),
    /// URLs of several.
    More(Vec<String>),
}

fn one_or_more<'de, D: Deserializer<'de>>(deserializer: D) -> Result<Vec<QueueUrl>, D::Error> {
    deserializer.deserialize_any(Queues)
}

struct Queues;

impl<'de> Visitor<'de> for Queues {
    type Value = Vec<QueueUrl>;

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("the URL of a queue, or a list of them")
    }

    fn visit_str<E: Error>(self, text: &str) -> Result<Self::Value, E> {
        QueueUrl::try_from(text.to_owned()).map(|queue| vec![queue]).map_err(E::custom)
    }

    fn visit_seq<S: SeqAccess<'de>>(self, mut texts: S) -> Result<Self::Value, S::Error> {
        let mut queues: Vec<QueueUrl> = Vec::new();
        while let Some(queue) = texts.next_element::<QueueUrl>()? {
            if queues.contains(&queue) {
                return Err(S::Error::custom(format!("{} is listed twice", quoted(&queue.url))));
            }
            queues.push(queue);
        }
        if queues.is_empty() {
            return Err(S::Error::custom("expected the URL of a queue, or several"));
        }
        Ok(queues)
    }
}

/// Exported findings in a folder.
#[derive(Debug, Clone, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct Folder {
    /// Path of the folder, relative to this file. Subfolders are watched too.
    #[serde(deserialize_with = "a_folder")]
    #[schemars(with = "String")]
    pub path: PathBuf,
}

/// An empty path would be the directory of the configuration.
fn a_folder<'de, D: Deserializer<'de>>(deserializer: D) -> Result<PathBuf, D::Error> {
    let text = String::deserialize(deserializer)?;
    if text.trim().is_empty() {
        let error = format!("{}: expected the path of a folder", quoted(&text));
        return Err(Error::custom(error));
    }
    Ok(PathBuf::from(text))
}

/// The URL of an SQS queue, and the parts of it.
#[derive(Debug, Clone, PartialEq, Eq, Deserialize)]
#[serde(try_from = "String")]
pub struct QueueUrl {
    /// As AWS gives it.
    pub url: String,
    /// The region in its host name; none when the host is not one of AWS's.
    pub region: Option<Region>,
    /// The account that owns it.
    pub account: AccountId,
    /// The queue's name: the last part of the URL.
    pub name: String,
}

impl QueueUrl {
    /// Whether it is a FIFO queue: their names end in `.fifo`.
    #[must_use]
    pub fn is_fifo(&self) -> bool {
        self.name.strip_suffix(".fifo").is_some()
    }
}

impl TryFrom<String> for QueueUrl {
    type Error = String;
    fn try_from(url: String) -> Result<Self, String> {
        let wrong = || {
            format!(
                "{}: expected a queue URL such as \"https://sqs.eu-central-1.amazonaws.com/111122223333/rescind-findings\"",
                quoted(&url)
            )
        };
        let rest = url.strip_prefix("https://").or_else(|| url.strip_prefix("http://")).ok_or_else(wrong)?;
        let (host, path) = rest.split_once('/').ok_or_else(wrong)?;
        let (account, name) = path.split_once('/').ok_or_else(wrong)?;
        let account: AccountId = account.parse().map_err(|_| wrong())?;
        let stem = name.strip_suffix(".fifo").unwrap_or(name);
        let legal = |b: u8| b.is_ascii_alphanumeric() || b == b'-' || b == b'_';
        if host.is_empty() || stem.is_empty() || name.len() > 80 || !stem.bytes().all(legal) {
            return Err(wrong());
        }
        let name = name.to_owned();
        Ok(Self { region: region_of(host), account, name, url })
    }
}

/// `sqs.REGION.amazonaws.com`, and the other ways in which AWS names an endpoint of SQS.
fn region_of(host: &str) -> Option<Region> {
    let host = host.split(':').next()?;
    let ours = [".amazonaws.com", ".amazonaws.com.cn", ".amazonaws.eu", ".api.aws"];
    if !ours.iter().any(|end| host.ends_with(end)) {
        return None;
    }
    host.split('.').find_map(|label| label.parse().ok())
}

#[cfg(test)]
mod tests {
    use super::*;

    fn parse(url: &str) -> Result<QueueUrl, String> {
        QueueUrl::try_from(url.to_owned())
    }

    #[test]
    fn a_queue_url_has_its_region_account_and_name() {
        for (url, region) in [
            ("https://sqs.eu-central-1.amazonaws.com/111122223333/findings", Some("eu-central-1")),
            ("https://eu-west-1.queue.amazonaws.com/111122223333/findings.fifo", Some("eu-west-1")),
            ("https://sqs.cn-north-1.amazonaws.com.cn/111122223333/findings", Some("cn-north-1")),
            ("https://sqs.eusc-de-east-1.amazonaws.eu/111122223333/findings", Some("eusc-de-east-1")),
            (
                "https://vpce-0ab-1cd.sqs.us-east-1.vpce.amazonaws.com/111122223333/findings",
                Some("us-east-1"),
            ),
            ("http://127.0.0.1:4566/111122223333/findings", None),
        ] {
            let queue = parse(url).expect(url);
            assert_eq!(queue.region.as_ref().map(Region::as_str), region, "{url}");
            assert_eq!(queue.account.as_str(), "111122223333");
            assert!(queue.name.starts_with("findings"));
        }
    }

    #[test]
    fn there_is_one_queue_or_several_and_none_twice() {
        let queues = |value: &str| {
            let url = |region: &str| format!("\"https://sqs.{region}.amazonaws.com/111122223333/findings\"");
            let text = value.replace('A', &url("eu-central-1")).replace('B', &url("eu-west-1"));
            toml::from_str::<Events>(&format!("queue = {text}")).map(|events| events.queues.len())
        };
        for (value, count) in [("A", 1), ("[A]", 1), ("[A, B]", 2)] {
            assert_eq!(queues(value), Ok(count), "{value}");
        }
        for value in ["[]", "[A, A]", "[\"nothing\"]", "7"] {
            assert!(queues(value).is_err(), "{value}");
        }
    }

    #[test]
    fn anything_else_is_refused() {
        for url in [
            "",
            "arn:aws:sqs:eu-central-1:111122223333:findings",
            "https://sqs.eu-central-1.amazonaws.com/findings",
            "https://sqs.eu-central-1.amazonaws.com/111122223333/",
            "https://sqs.eu-central-1.amazonaws.com/111122223333/a/b",
            "https://sqs.eu-central-1.amazonaws.com/1111/findings",
            "https:///111122223333/findings",
        ] {
            assert!(parse(url).is_err(), "{url}");
        }
    }
}
