//! Channels: which notifications are sent where.

use super::opt_outs::OuId;
use super::pattern::Glob;
use crate::ident::{AccountId, Region, quoted};
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};
use std::collections::BTreeSet;
use std::fmt;
use std::path::{Path, PathBuf};

/// Urgency of a notification.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
pub enum Level {
    /// For information: nothing has to be done.
    #[default]
    Info,
    /// Look at it today.
    Warning,
    /// Look at it now.
    Critical,
}

impl fmt::Display for Level {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.pad(match self {
            Self::Info => "info",
            Self::Warning => "warning",
            Self::Critical => "critical",
        })
    }
}

/// Topic of a notification.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
pub enum Topic {
    /// Sessions were revoked, and the deny was seen in place.
    Revoked,
    /// A call with the stolen key was denied.
    Enforced,
    /// A person is asked.
    Held,
    /// Something is not revoked and needs attention.
    NotRevoked,
    /// An alert was raised.
    Alert,
    /// A remediation was released, or nothing needs it any more.
    Ended,
    /// Findings cannot be read, or a changed file was rejected.
    Service,
}

impl Topic {
    /// The topic's name in the configuration.
    #[must_use]
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Revoked => "revoked",
            Self::Enforced => "enforced",
            Self::Held => "held",
            Self::NotRevoked => "not_revoked",
            Self::Alert => "alert",
            Self::Ended => "ended",
            Self::Service => "service",
        }
    }
}

/// A channel of notifications.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Channel {
    /// Its name, unique in the file.
    pub name: String,
    /// How its notifications are sent, and to which address.
    pub way: Way,
    /// About what; all when empty.
    pub topics: BTreeSet<Topic>,
    /// From this level on.
    pub min_level: Level,
    /// Only about these accounts; all when empty.
    pub accounts: Vec<AccountId>,
    /// Only about accounts in these OUs; all when empty.
    pub ous: Vec<OuId>,
    /// Only about principals of these names; all when empty.
    pub principals: Vec<Glob>,
}

impl Channel {
    /// Its files stand in this directory, unless they say otherwise.
    pub(super) fn beside(mut self, directory: &Path) -> Self {
        if let Way::Webhook { url, key, .. } = &mut self.way {
            for secret in std::iter::once(url).chain(key) {
                if let Secret::File(path) = secret {
                    *path = directory.join(&path);
                }
            }
        }
        self
    }
}

/// How the notifications of a channel are sent, and to which address.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Way {
    /// Published to an SNS topic.
    Sns {
        /// The ARN of the topic.
        topic: String,
        /// The region in it.
        region: Region,
    },
    /// Put on an EventBridge event bus.
    EventBridge {
        /// The ARN of the event bus.
        bus: String,
        /// The region in it.
        region: Region,
    },
    /// Posted to a webhook.
    Webhook {
        /// Where the URL stands.
        url: Secret,
        /// What the body looks like.
        style: Style,
        /// Where the key of the signature stands.
        key: Option<Secret>,
    },
}

/// What a webhook's body looks like.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Deserialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
pub enum Style {
    /// JSON of rescind's own, with a signature.
    #[default]
    Json,
    /// As Slack's incoming webhooks take it.
    Slack,
    /// As Microsoft Teams' workflows take it.
    Teams,
}

/// Where a secret text is found.
#[derive(Clone, PartialEq, Eq)]
pub enum Secret {
    /// In an environment variable of this name.
    Variable(String),
    /// In the file at this path.
    File(PathBuf),
    /// Here: it is no secret.
    Here(String),
}

/// Only where it stands, never what.
impl fmt::Debug for Secret {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Variable(name) => write!(f, "${name}"),
            Self::File(path) => write!(f, "{}", path.display()),
            Self::Here(_) => f.write_str("(given)"),
        }
    }
}

/// Why a secret cannot be had. The text says where it should stand.
#[derive(Debug, thiserror::Error)]
pub enum SecretError {
    /// The environment variable is not there.
    #[error("{0}: it is not set")]
    NotSet(String),
    /// The file cannot be read.
    #[error("{at}")]
    Unreadable {
        /// Path of that file.
        at: String,
        /// What the system said.
        #[source]
        error: std::io::Error,
    },
    /// There is no text.
    #[error("{0}: it is empty")]
    Empty(String),
}

/// A URL to which nothing is sent. Its text is left out: it can be a secret.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[error("expected an https URL, or http to this machine")]
pub struct BadUrl;

impl Secret {
    /// The text, as it is now.
    ///
    /// # Errors
    /// Where it should stand, and what is wrong there.
    pub fn read(&self) -> Result<String, SecretError> {
        let (text, at) = match self {
            Self::Here(text) => return Ok(text.clone()),
            Self::Variable(name) => {
                let at = format!("environment variable {name}");
                (std::env::var(name).map_err(|_| SecretError::NotSet(at.clone()))?, at)
            }
            Self::File(path) => {
                let at = path.display().to_string();
                let read = std::fs::read_to_string(path);
                (read.map_err(|error| SecretError::Unreadable { at: at.clone(), error })?, at)
            }
        };
        match text.trim() {
            "" => Err(SecretError::Empty(at)),
            text => Ok(text.to_owned()),
        }
    }
}

/// A channel as it is written.
#[derive(Deserialize)]
#[serde(try_from = "RawFields")]
pub(super) struct RawChannel(pub Channel);

#[derive(Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
#[schemars(rename = "Channel")]
pub(super) struct RawFields {
    /// Unique in the file.
    name: String,
    /// ARN of an SNS topic. Its name begins with rescind-, so that the hub's role may publish to it.
    sns: Option<String>,
    /// ARN of an EventBridge event bus.
    event_bus: Option<String>,
    /// URL of a webhook: https, or http to this machine. Only with style "json": other URLs are secrets.
    webhook: Option<String>,
    /// Environment variable that holds the URL of a webhook.
    webhook_env: Option<String>,
    /// File that holds the URL of a webhook.
    webhook_file: Option<PathBuf>,
    /// Format of the webhook's body.
    #[serde(default)]
    style: Style,
    /// Environment variable that holds the key for signing the webhook's body (HMAC-SHA256).
    key_env: Option<String>,
    /// File that holds the key for signing the webhook's body.
    key_file: Option<PathBuf>,
    /// Topics. All if left out.
    #[serde(default)]
    topics: BTreeSet<Topic>,
    /// Minimum level: info, warning or critical.
    #[serde(default)]
    min_level: Level,
    /// Only notifications about these accounts.
    #[serde(default)]
    #[schemars(with = "Vec<String>")]
    accounts: Vec<AccountId>,
    /// Only accounts in these OUs and below them.
    #[serde(default)]
    #[schemars(with = "Vec<String>")]
    ous: Vec<OuId>,
    /// Only these roles, and users as user/NAME, with * and ?.
    #[serde(default)]
    #[schemars(with = "Vec<String>")]
    principals: Vec<Glob>,
}

impl TryFrom<RawFields> for RawChannel {
    type Error = String;
    fn try_from(raw: RawFields) -> Result<Self, String> {
        let name = quoted(&raw.name);
        let wrong = |what: &str| Err(format!("{name}: {what}"));
        if raw.name.trim().is_empty() || raw.name.chars().count() > 100 {
            return wrong("name: expected 1 to 100 characters");
        }
        let key = one_of(raw.key_env, raw.key_file, None)
            .map_err(|()| format!("{name}: give key_env or key_file, not both"))?;
        let url = one_of(raw.webhook_env, raw.webhook_file, raw.webhook.clone())
            .map_err(|()| format!("{name}: give one of webhook, webhook_env and webhook_file"))?;
        let way = match (raw.sns, raw.event_bus, url) {
            (Some(topic), None, None) => {
                let region = region_of(&topic, "sns").ok_or_else(|| {
                    format!("{name}: sns: {}: expected the ARN of an SNS topic", quoted(&topic))
                })?;
                Way::Sns { topic, region }
            }
            (None, Some(bus), None) => {
                let region = region_of(&bus, "events").ok_or_else(|| {
                    format!("{name}: event_bus: {}: expected the ARN of an event bus", quoted(&bus))
                })?;
                Way::EventBridge { bus, region }
            }
            (None, None, Some(url)) => {
                if let Secret::Here(text) = &url {
                    if raw.style != Style::Json {
                        return wrong(
                            "the URL of a chat's webhook is a secret: give webhook_env or webhook_file",
                        );
                    }
                    check_url(text).map_err(|error| format!("{name}: webhook: {error}"))?;
                }
                Way::Webhook { url, style: raw.style, key }
            }
            _ => return wrong("expected one of sns, event_bus, webhook, webhook_env and webhook_file"),
        };
        if !matches!(way, Way::Webhook { key: Some(_), .. } | Way::Webhook { .. }) && raw.style != Style::Json
        {
            return wrong("style is for webhooks");
        }
        let (topics, min_level) = (raw.topics, raw.min_level);
        let (accounts, ous, principals) = (raw.accounts, raw.ous, raw.principals);
        Ok(Self(Channel { name: raw.name, way, topics, min_level, accounts, ous, principals }))
    }
}

/// The channels of a file.
#[derive(Default, Deserialize)]
#[serde(try_from = "Vec<RawChannel>")]
pub(super) struct Channels(pub Vec<Channel>);

impl TryFrom<Vec<RawChannel>> for Channels {
    type Error = String;
    fn try_from(raw: Vec<RawChannel>) -> Result<Self, String> {
        Ok(Self(raw.into_iter().map(|raw| raw.0).collect()))
    }
}

fn one_of(
    variable: Option<String>,
    file: Option<PathBuf>,
    here: Option<String>,
) -> Result<Option<Secret>, ()> {
    match (variable, file, here) {
        (None, None, None) => Ok(None),
        (Some(name), None, None) => Ok(Some(Secret::Variable(name))),
        (None, Some(path), None) => Ok(Some(Secret::File(path))),
        (None, None, Some(text)) => Ok(Some(Secret::Here(text))),
        _ => Err(()),
    }
}

fn region_of(arn: &str, service: &str) -> Option<Region> {
    let parts: Vec<&str> = arn.splitn(6, ':').collect();
    let [start, _, of, region, account, rest] = parts[..] else { return None };
    let is_ours = start == "arn" && of == service && account.parse::<AccountId>().is_ok() && !rest.is_empty();
    region.parse().ok().filter(|_| is_ours)
}

/// What is sent may name accounts and roles: it goes over the network only encrypted.
///
/// # Errors
/// What is wrong with it, without its text.
pub fn check_url(text: &str) -> Result<(), BadUrl> {
    let local = ["http://127.0.0.1", "http://localhost", "http://[::1]"];
    let is_local = local.iter().any(|start| {
        text.strip_prefix(start).is_some_and(|rest| rest.is_empty() || rest.starts_with([':', '/']))
    });
    if (text.starts_with("https://") && text.len() > "https://".len()) || is_local {
        Ok(())
    } else {
        Err(BadUrl)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn channel(text: &str) -> Result<Channel, String> {
        toml::from_str::<RawChannel>(text).map(|raw| raw.0).map_err(|error| error.message().to_owned())
    }

    #[test]
    fn each_way_and_what_is_wrong_with_it() {
        let refused = [
            "name = \"a\"\n",
            "name = \"\"\nsns = \"x\"\n",
            "name = \"a\"\nsns = \"x\"\n",
            "name = \"a\"\nevent_bus = \"arn:aws:sns:eu-central-1:111111111111:x\"\n",
            "name = \"a\"\nwebhook = \"http://example.org\"\n",
            "name = \"a\"\nwebhook = \"http://localhost.example.org\"\n",
            "name = \"a\"\nwebhook = \"https://x.example\"\nstyle = \"slack\"\n",
            "name = \"a\"\nwebhook_env = \"X\"\nwebhook_file = \"y\"\n",
            "name = \"a\"\nwebhook_env = \"X\"\ntopics = [\"news\"]\n",
        ]
        .map(|text| format!("{text}  {}\n", channel(text).expect_err(text)));
        insta::assert_snapshot!(refused.join("\n"), @r#"
        name = "a"
          "a": expected one of sns, event_bus, webhook, webhook_env and webhook_file

        name = ""
        sns = "x"
          "": name: expected 1 to 100 characters

        name = "a"
        sns = "x"
          "a": sns: "x": expected the ARN of an SNS topic

        name = "a"
        event_bus = "arn:aws:sns:eu-central-1:111111111111:x"
          "a": event_bus: "arn:aws:sns:eu-central-1:111111111111:x": expected the ARN of an event bus

        name = "a"
        webhook = "http://example.org"
          "a": webhook: expected an https URL, or http to this machine

        name = "a"
        webhook = "http://localhost.example.org"
          "a": webhook: expected an https URL, or http to this machine

        name = "a"
        webhook = "https://x.example"
        style = "slack"
          "a": the URL of a chat's webhook is a secret: give webhook_env or webhook_file

        name = "a"
        webhook_env = "X"
        webhook_file = "y"
          "a": give one of webhook, webhook_env and webhook_file

        name = "a"
        webhook_env = "X"
        topics = ["news"]
          unknown variant `news`, expected one of `revoked`, `enforced`, `held`, `not_revoked`, `alert`, `ended`, `service`
        "#);
        let sns = channel("name = \"a\"\nsns = \"arn:aws:sns:eu-central-1:111111111111:rescind-a\"\n")
            .expect("valid");
        assert!(matches!(sns.way, Way::Sns { region, .. } if region.as_str() == "eu-central-1"));
    }

    #[test]
    fn a_secret_is_never_shown() {
        let channel = channel("name = \"a\"\nwebhook = \"https://x.example/T0/B0/secret\"\n").expect("valid");
        assert!(!format!("{channel:?}").contains("secret"));
    }
}
