//! Channels: which notifications are sent where.

use super::complaint::about;
use super::opt_outs::OuId;
use super::pattern::Glob;
use super::secret::{Secret, check_url};
use super::tickets::{RawTickets, TicketSystem};
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
        match &mut self.way {
            Way::Sns { .. } | Way::EventBridge { .. } => {}
            Way::Webhook { url, key, .. } => {
                std::iter::once(url).chain(key).for_each(|secret| secret.stand_in(directory));
            }
            Way::Tickets(system) => system.stand_in(directory),
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
    /// In a ticket for each incident.
    Tickets(TicketSystem),
}

impl Way {
    /// The secrets that it uses.
    pub fn secrets(&self) -> impl Iterator<Item = &Secret> {
        let (one, other) = match self {
            Self::Sns { .. } | Self::EventBridge { .. } => (None, None),
            Self::Webhook { url, key, .. } => (Some(url), key.as_ref()),
            Self::Tickets(system) => (Some(&system.token), None),
        };
        one.into_iter().chain(other)
    }
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
    /// Address of a Jira Cloud site, in which each incident has a ticket: https, or http to this machine.
    jira: Option<String>,
    /// Key of the Jira project.
    project: Option<String>,
    /// Name of the Jira issue type. Task if left out.
    issue_type: Option<String>,
    /// Name of the Jira transition that closes a ticket. If left out, the first to a status of the category done.
    close_transition: Option<String>,
    /// Address of a ServiceNow instance, in which each incident has an incident: https, or http to this machine.
    servicenow: Option<String>,
    /// Resolution code of a ServiceNow incident that is closed. "Solution provided" if left out.
    close_code: Option<String>,
    /// User of the ticket system. Without one, the token is a bearer token.
    user: Option<String>,
    /// Environment variable that holds the token or password of the ticket system.
    token_env: Option<String>,
    /// File that holds the token or password of the ticket system.
    token_file: Option<PathBuf>,
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
        let both = |key: &str, what: &str| about(key, format!("expected {what}, not both"));
        if raw.name.trim().is_empty() || raw.name.chars().count() > 100 {
            return Err(about("name", format!("{name}: expected 1 to 100 characters")));
        }
        let key = Secret::one_of(raw.key_env, raw.key_file, None)
            .map_err(|_| both("key_file", "key_env or key_file"))?;
        let url = Secret::one_of(raw.webhook_env, raw.webhook_file, raw.webhook.clone())
            .map_err(|_| format!("{name}: expected one of webhook, webhook_env and webhook_file"))?;
        let token = Secret::one_of(raw.token_env, raw.token_file, None)
            .map_err(|_| both("token_file", "token_env or token_file"))?;
        let tickets = RawTickets {
            jira: raw.jira,
            servicenow: raw.servicenow,
            project: raw.project,
            issue_type: raw.issue_type,
            close_transition: raw.close_transition,
            close_code: raw.close_code,
            user: raw.user,
            token,
        };
        let tickets = tickets.system().map_err(|(key, error)| about(key, error))?;
        let way = match (raw.sns, raw.event_bus, url, tickets) {
            (Some(topic), None, None, None) => {
                let region = region_of(&topic, "sns").ok_or_else(|| {
                    about("sns", format!("{}: expected the ARN of an SNS topic", quoted(&topic)))
                })?;
                Way::Sns { topic, region }
            }
            (None, Some(bus), None, None) => {
                let region = region_of(&bus, "events").ok_or_else(|| {
                    about("event_bus", format!("{}: expected the ARN of an event bus", quoted(&bus)))
                })?;
                Way::EventBridge { bus, region }
            }
            (None, None, Some(url), None) => {
                if let Secret::Here(text) = &url {
                    if raw.style != Style::Json {
                        let text = "expected webhook_env or webhook_file: the URL of a chat's webhook is a secret (it is not shown)";
                        return Err(about("webhook", text));
                    }
                    check_url(text).map_err(|error| about("webhook", error))?;
                }
                Way::Webhook { url, style: raw.style, key }
            }
            (None, None, None, Some(system)) => Way::Tickets(system),
            _ => {
                return wrong(
                    "expected one of sns, event_bus, webhook, webhook_env, webhook_file, jira and servicenow",
                );
            }
        };
        if !matches!(way, Way::Webhook { .. }) && raw.style != Style::Json {
            return Err(about("style", "it is for webhooks"));
        }
        if let Some(index) = raw.principals.iter().position(|one| one.as_str().starts_with("arn:")) {
            let text = format!(
                "{}: expected the name of a role, or user/NAME, without the rest of the ARN",
                quoted(raw.principals[index].as_str())
            );
            return Err(about(&format!("principals[{index}]"), text));
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

fn region_of(arn: &str, service: &str) -> Option<Region> {
    let parts: Vec<&str> = arn.splitn(6, ':').collect();
    let [start, _, of, region, account, rest] = parts[..] else { return None };
    let is_ours = start == "arn" && of == service && account.parse::<AccountId>().is_ok() && !rest.is_empty();
    region.parse().ok().filter(|_| is_ours)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn channel(text: &str) -> Result<Channel, String> {
        let read = toml::from_str::<RawChannel>(text).map(|raw| raw.0);
        read.map_err(|error| error.message().replace('\u{1f}', ": "))
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
            "name = \"a\"\njira = \"https://x.example\"\ntoken_env = \"X\"\n",
            "name = \"a\"\njira = \"https://x.example\"\nproject = \"SEC\"\n",
            "name = \"a\"\njira = \"http://x.example\"\nproject = \"SEC\"\ntoken_env = \"X\"\n",
            "name = \"a\"\njira = \"https://me:secret@x.example\"\nproject = \"SEC\"\ntoken_env = \"X\"\n",
            "name = \"a\"\njira = \"https://x.example\"\nproject = \"SEC OR x\"\ntoken_env = \"X\"\n",
            "name = \"a\"\nservicenow = \"https://x.example\"\nproject = \"SEC\"\ntoken_env = \"X\"\n",
            "name = \"a\"\nservicenow = \"https://x.example\"\nwebhook = \"https://x.example\"\ntoken_env = \"X\"\n",
            "name = \"a\"\nwebhook = \"https://x.example\"\ntoken_env = \"X\"\n",
        ]
        .map(|text| format!("{text}  {}\n", channel(text).expect_err(text)));
        insta::assert_snapshot!(refused.join("\n"), @r#"
        name = "a"
          "a": expected one of sns, event_bus, webhook, webhook_env, webhook_file, jira and servicenow

        name = ""
        sns = "x"
          name: "": expected 1 to 100 characters

        name = "a"
        sns = "x"
          sns: "x": expected the ARN of an SNS topic

        name = "a"
        event_bus = "arn:aws:sns:eu-central-1:111111111111:x"
          event_bus: "arn:aws:sns:eu-central-1:111111111111:x": expected the ARN of an event bus

        name = "a"
        webhook = "http://example.org"
          webhook: expected an https URL, or http to this machine

        name = "a"
        webhook = "http://localhost.example.org"
          webhook: expected an https URL, or http to this machine

        name = "a"
        webhook = "https://x.example"
        style = "slack"
          webhook: expected webhook_env or webhook_file: the URL of a chat's webhook is a secret (it is not shown)

        name = "a"
        webhook_env = "X"
        webhook_file = "y"
          "a": expected one of webhook, webhook_env and webhook_file

        name = "a"
        webhook_env = "X"
        topics = ["news"]
          unknown variant `news`, expected one of `revoked`, `enforced`, `held`, `not_revoked`, `alert`, `ended`, `service`

        name = "a"
        jira = "https://x.example"
        token_env = "X"
          jira: expected the key of a project beside it (project)

        name = "a"
        jira = "https://x.example"
        project = "SEC"
          jira: expected token_env or token_file beside it: the token that tickets are opened with

        name = "a"
        jira = "http://x.example"
        project = "SEC"
        token_env = "X"
          jira: expected an https URL without a user, a query and a fragment, or http to this machine (it is not shown)

        name = "a"
        jira = "https://me:secret@x.example"
        project = "SEC"
        token_env = "X"
          jira: expected an https URL without a user, a query and a fragment, or http to this machine (it is not shown)

        name = "a"
        jira = "https://x.example"
        project = "SEC OR x"
        token_env = "X"
          project: expected the key of a Jira project, such as "SEC"

        name = "a"
        servicenow = "https://x.example"
        project = "SEC"
        token_env = "X"
          project: project, issue_type and close_transition are for jira

        name = "a"
        servicenow = "https://x.example"
        webhook = "https://x.example"
        token_env = "X"
          "a": expected one of sns, event_bus, webhook, webhook_env, webhook_file, jira and servicenow

        name = "a"
        webhook = "https://x.example"
        token_env = "X"
          token: user, token_env and token_file are for jira and servicenow
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
