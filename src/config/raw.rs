//! The file as it is written. Each value checks itself while it is read, so that an error
//! stands at its line.

use super::aftercare::RecheckInterval;
use super::notify::Channels;
use super::rule::RawRule;
use super::{Events, Folder, Glob, Mode, Rule, Sweep};
use crate::ident::{Partition, Region, RoleName, is_name_byte, quoted};
use jiff::SignedDuration;
use schemars::JsonSchema;
use serde::de::Error;
use serde::{Deserialize, Deserializer};
use std::net::SocketAddr;
use std::num::NonZeroU32;
use std::path::PathBuf;

/// The mode of the whole installation: the boldest that anything can be.
#[derive(Clone, Copy, Default, Deserialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
pub(super) enum GlobalMode {
    /// Record what would be done; change nothing.
    #[default]
    Observe,
    /// Ask a person first.
    Approve,
    /// Revoke.
    Enforce,
}

impl From<GlobalMode> for Mode {
    fn from(mode: GlobalMode) -> Self {
        match mode {
            GlobalMode::Observe => Self::Observe,
            GlobalMode::Approve => Self::Approve,
            GlobalMode::Enforce => Self::Enforce,
        }
    }
}

#[derive(Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
#[schemars(title = "rescind.toml")]
pub(super) struct RawConfig {
    /// What may be done at most: observe changes nothing, approve asks a person first, enforce revokes.
    #[serde(default)]
    #[schemars(extend("default" = "observe"))]
    pub mode: GlobalMode,
    /// The regions whose GuardDuty findings are read. All in one partition; STS is called in the first.
    /// "*" at the end: and every other region that is enabled for the account.
    #[schemars(with = "Vec<String>", length(min = 1))]
    pub regions: Regions,
    /// The audit ledger (SQLite), beside this file unless the path is absolute.
    #[serde(default = "default_ledger")]
    #[schemars(with = "String", extend("default" = "ledger.db"))]
    pub ledger: FilePath,
    /// The key that signs checkpoints of the ledger, beside this file unless the path is absolute.
    #[serde(default = "default_signing_key")]
    #[schemars(with = "String", extend("default" = "ledger.key"))]
    pub signing_key: FilePath,
    /// Credentials last seen in use longer ago than this are not acted on: 1m to 2160h.
    #[serde(default)]
    #[schemars(with = "String", extend("default" = "24h"))]
    pub max_finding_age: FindingAge,
    /// Time between two polls of a region: 5s to 1h.
    #[serde(default)]
    #[schemars(with = "String", extend("default" = "60s"))]
    pub poll_interval: PollInterval,
    /// How many calls a second the polls make at most, all regions together.
    #[serde(default)]
    #[schemars(with = "u32", range(min = 1, max = 1000), extend("default" = 20))]
    pub calls_per_second: CallsPerSecond,
    /// What comes by event or folder is only a hint: GuardDuty is asked before anything is done.
    #[serde(default = "yes")]
    #[schemars(extend("default" = true))]
    pub confirm: bool,
    /// A remediation that is still not done after this is raised to a person, every hour: 1s to 24h.
    #[serde(default)]
    #[schemars(with = "String", extend("default" = "10m"))]
    pub raise_after: RaiseAfter,
    /// A deny that is in force is looked at again at least so often, and put back when it is gone: 1s to 24h.
    #[serde(default)]
    #[schemars(with = "String", extend("default" = "15m"))]
    pub recheck_interval: RecheckInterval,
    /// What becomes of a deny when no token that it denies can be alive any more: off does nothing, report records it, on takes the deny away.
    #[serde(default)]
    #[schemars(extend("default" = "report"))]
    pub sweep: Sweep,
    /// CloudTrail is asked whether a stolen key was denied, and who took a deny away.
    #[serde(default)]
    pub cloudtrail: bool,
    /// At a stop, what is in flight is given so long: at most 10m. What is left is taken up at the next start.
    #[serde(default)]
    #[schemars(with = "String", extend("default" = "20s"))]
    pub drain_timeout: DrainTimeout,
    /// Where the service answers /healthz, /readyz and /metrics. Empty: nowhere.
    #[serde(default)]
    #[schemars(with = "String", extend("default" = "127.0.0.1:7434"))]
    pub listen: Listen,
    /// How many roles are worked on at once.
    #[serde(default)]
    #[schemars(with = "u32", range(min = 1, max = 256), extend("default" = 32))]
    pub concurrency: Concurrency,
    /// The file of the opt-outs, beside this file unless the path is absolute.
    /// When it is named here it must be there.
    #[serde(default)]
    #[schemars(with = "String", extend("default" = "opt-outs.toml"))]
    pub opt_outs: Option<FilePath>,
    /// Roles and IAM users that are never touched: ARNs, with * and ?.
    #[serde(default)]
    #[schemars(with = "Vec<String>")]
    pub protected: Vec<ProtectedRole>,
    /// The tag of an account that says what may be done there at most. Empty: tags do not count.
    #[serde(default = "default_account_tag")]
    #[schemars(extend("default" = "rescind:mode"))]
    pub account_tag: String,
    /// How long a held remediation waits for a person, at most 168h. Then it is rejected.
    #[serde(default)]
    #[schemars(with = "String", extend("default" = "4h"))]
    pub approval_timeout: ApprovalTimeout,
    /// How much may be done in an hour without asking. What is beyond is held for approval.
    #[serde(default)]
    pub budget: Budget,
    /// Which findings are acted on, and how. The first that matches decides.
    #[serde(default)]
    #[schemars(with = "Vec<super::rule::RawFields>")]
    pub rules: Rules,
    /// Who is told what.
    #[serde(default)]
    #[schemars(with = "Vec<super::notify::RawFields>")]
    pub notify: Channels,
    /// Findings within seconds: the queue to which EventBridge sends them.
    pub events: Option<Events>,
    /// Exported findings: files that appear in a folder.
    pub folder: Option<Folder>,
    /// How member accounts are entered.
    pub member: RawMember,
    /// Fire drills.
    pub drill: Option<RawDrill>,
}

#[derive(Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub(super) struct RawDrill {
    /// The throw-away role in the accounts in which drills are held, with its path if it has one. Never the
    /// role of anything that runs.
    #[schemars(with = "String")]
    pub role: RolePath,
}

fn yes() -> bool {
    true
}

/// The path of a file. An empty one would be the directory of the configuration.
#[derive(Deserialize)]
#[serde(try_from = "String")]
pub(super) struct FilePath(pub PathBuf);

impl TryFrom<String> for FilePath {
    type Error = String;
    fn try_from(text: String) -> Result<Self, String> {
        let path = PathBuf::from(&text);
        // What ends with a slash or dots has no name of a file.
        if path.file_name().is_none() || text.ends_with(std::path::is_separator) || text.trim().is_empty() {
            return Err(format!("{}: expected the path of a file", quoted(&text)));
        }
        Ok(Self(path))
    }
}

fn default_signing_key() -> FilePath {
    FilePath(PathBuf::from("ledger.key"))
}

fn default_account_tag() -> String {
    "rescind:mode".to_owned()
}

/// How much may be done in an hour without asking. What is beyond is held for approval.
#[derive(Debug, Clone, PartialEq, Eq, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields, default)]
pub struct Budget {
    /// Remediations in one account.
    #[schemars(extend("default" = 5))]
    pub account_per_hour: u32,
    /// Remediations in the whole organization.
    #[schemars(extend("default" = 25))]
    pub organization_per_hour: u32,
    /// Of an account's roles, so many in a hundred; but always one.
    #[schemars(with = "u32", range(min = 1, max = 100), extend("default" = 10))]
    pub roles_percent: Percent,
}

impl Budget {
    /// Nothing is held because of it.
    #[must_use]
    pub fn unlimited() -> Self {
        Self { account_per_hour: u32::MAX, organization_per_hour: u32::MAX, roles_percent: Percent(100) }
    }
}

impl Default for Budget {
    fn default() -> Self {
        Self { account_per_hour: 5, organization_per_hour: 25, roles_percent: Percent(10) }
    }
}

/// 1 to 100.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Deserialize)]
#[serde(try_from = "i64")]
pub struct Percent(pub u32);

impl TryFrom<i64> for Percent {
    type Error = String;
    fn try_from(number: i64) -> Result<Self, String> {
        match u32::try_from(number) {
            Ok(number @ 1..=100) => Ok(Self(number)),
            _ => Err(format!("{number}: expected 1 to 100")),
        }
    }
}

#[derive(Default, Deserialize)]
#[serde(try_from = "Vec<RawRule>")]
pub(super) struct Rules(pub Vec<Rule>);

impl TryFrom<Vec<RawRule>> for Rules {
    type Error = String;
    fn try_from(raw: Vec<RawRule>) -> Result<Self, String> {
        Ok(Self(raw.into_iter().map(|raw| raw.0).collect()))
    }
}

/// A pattern for the ARNs of roles or IAM users. One that could match none of them would protect nothing.
#[derive(Deserialize)]
#[serde(try_from = "Glob")]
pub(super) struct ProtectedRole(pub Glob);

impl TryFrom<Glob> for ProtectedRole {
    type Error = String;
    fn try_from(glob: Glob) -> Result<Self, String> {
        let text = glob.as_str();
        let of_iam = |kind| text.contains(kind) && !text.contains(":sts:");
        if text.starts_with('*') || text.starts_with("arn:") && (of_iam(":role/") || of_iam(":user/")) {
            Ok(Self(glob))
        } else {
            Err(format!(
                "{}: expected the ARN of a role or an IAM user, such as \"arn:aws:iam::*:role/break-glass*\"",
                quoted(text)
            ))
        }
    }
}

#[derive(Deserialize)]
#[serde(try_from = "String")]
pub(super) struct ApprovalTimeout(pub SignedDuration);

impl Default for ApprovalTimeout {
    fn default() -> Self {
        Self(SignedDuration::from_hours(4))
    }
}

impl TryFrom<String> for ApprovalTimeout {
    type Error = String;
    fn try_from(text: String) -> Result<Self, String> {
        let (least, most) = (SignedDuration::from_millis(1), SignedDuration::from_hours(7 * 24));
        span(&text, least, most, "more than 0 and at most 168h (7 days)").map(Self)
    }
}

pub(super) fn default_opt_outs() -> FilePath {
    FilePath(PathBuf::from("opt-outs.toml"))
}

#[derive(Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub(super) struct RawMember {
    /// The remediation role in each account, with its path if it has one.
    #[serde(default)]
    #[schemars(with = "String", extend("default" = "RescindRemediation"))]
    pub role: RolePath,
    /// The ExternalId that the role's trust policy asks for.
    #[schemars(with = "String", length(min = 2, max = 1224))]
    pub external_id: ExternalId,
    /// The SourceIdentity of each session: look for it in the members' CloudTrail.
    #[serde(default)]
    #[schemars(with = "String", length(min = 2, max = 64), extend("default" = "rescind"))]
    pub source_identity: SourceIdentity,
}

pub(super) fn default_ledger() -> FilePath {
    FilePath(PathBuf::from("ledger.db"))
}

#[derive(Deserialize)]
#[serde(try_from = "Vec<String>")]
pub(super) struct Regions {
    pub named: Vec<Region>,
    /// And every other one that is enabled.
    pub and_all: bool,
}

impl TryFrom<Vec<String>> for Regions {
    type Error = String;
    fn try_from(texts: Vec<String>) -> Result<Self, String> {
        let (listed, and_all) = match texts.split_last() {
            Some((last, rest)) if last == "*" => (rest, true),
            _ => (texts.as_slice(), false),
        };
        let regions = listed.iter().enumerate().map(|(index, text)| match text.as_str() {
            "*" => Err("\"*\" stands at the end, for all other regions that are enabled".to_owned()),
            _ => text.parse::<Region>().map_err(|error| format!("[{index}]: {error}")),
        });
        let named = regions.collect::<Result<Vec<_>, _>>()?;
        let Some(home) = named.first() else {
            return Err(if and_all {
                "expected the home region before \"*\": STS is called there".to_owned()
            } else {
                "expected at least one region".to_owned()
            });
        };
        for (index, region) in named.iter().enumerate() {
            if named[..index].contains(region) {
                return Err(format!("{} is listed twice", quoted(region.as_str())));
            }
            if Partition::is_of_none(region) {
                let known = Partition::ALL.map(Partition::as_str).join(", ");
                return Err(format!(
                    "{} is in a partition that rescind does not know; it knows {known}",
                    quoted(region.as_str())
                ));
            }
            if Partition::of_region(region) != Partition::of_region(home) {
                return Err(format!(
                    "{} and {} are in different partitions: run one rescind for each",
                    quoted(home.as_str()),
                    quoted(region.as_str())
                ));
            }
        }
        Ok(Self { named, and_all })
    }
}

pub(super) fn span(
    text: &str,
    least: SignedDuration,
    most: SignedDuration,
    range: &str,
) -> Result<SignedDuration, String> {
    let span: SignedDuration = text
        .parse()
        .map_err(|_| format!("{}: expected a time span such as \"24h\" or \"90s\"", quoted(text)))?;
    if span < least || span > most {
        return Err(format!("{}: expected {range}", quoted(text)));
    }
    Ok(span)
}

#[derive(Deserialize)]
#[serde(try_from = "String")]
pub(super) struct FindingAge(pub SignedDuration);

impl Default for FindingAge {
    fn default() -> Self {
        Self(SignedDuration::from_hours(24))
    }
}

impl TryFrom<String> for FindingAge {
    type Error = String;
    fn try_from(text: String) -> Result<Self, String> {
        // GuardDuty keeps findings for 90 days.
        let (least, most) = (SignedDuration::from_mins(1), SignedDuration::from_hours(90 * 24));
        span(&text, least, most, "between 1m and 2160h (90 days)").map(Self)
    }
}

#[derive(Deserialize)]
#[serde(try_from = "String")]
pub(super) struct PollInterval(pub SignedDuration);

impl Default for PollInterval {
    fn default() -> Self {
        Self(SignedDuration::from_secs(60))
    }
}

impl TryFrom<String> for PollInterval {
    type Error = String;
    fn try_from(text: String) -> Result<Self, String> {
        let (least, most) = (SignedDuration::from_secs(5), SignedDuration::from_hours(1));
        span(&text, least, most, "between 5s and 1h").map(Self)
    }
}

#[derive(Deserialize)]
#[serde(try_from = "i64")]
pub(super) struct CallsPerSecond(pub NonZeroU32);

impl Default for CallsPerSecond {
    fn default() -> Self {
        Self(NonZeroU32::MIN.saturating_add(19))
    }
}

impl TryFrom<i64> for CallsPerSecond {
    type Error = String;
    fn try_from(number: i64) -> Result<Self, String> {
        let legal = u32::try_from(number).ok().filter(|number| *number <= 1000).and_then(NonZeroU32::new);
        legal.map(Self).ok_or_else(|| format!("{number}: expected 1 to 1000"))
    }
}

#[derive(Deserialize)]
#[serde(try_from = "String")]
pub(super) struct RaiseAfter(pub SignedDuration);

impl Default for RaiseAfter {
    fn default() -> Self {
        Self(SignedDuration::from_mins(10))
    }
}

impl TryFrom<String> for RaiseAfter {
    type Error = String;
    fn try_from(text: String) -> Result<Self, String> {
        let (least, most) = (SignedDuration::from_secs(1), SignedDuration::from_hours(24));
        span(&text, least, most, "between 1s and 24h").map(Self)
    }
}

#[derive(Deserialize)]
#[serde(try_from = "String")]
pub(super) struct DrainTimeout(pub SignedDuration);

impl Default for DrainTimeout {
    fn default() -> Self {
        Self(SignedDuration::from_secs(20))
    }
}

impl TryFrom<String> for DrainTimeout {
    type Error = String;
    fn try_from(text: String) -> Result<Self, String> {
        span(&text, SignedDuration::ZERO, SignedDuration::from_mins(10), "at most 10m").map(Self)
    }
}

/// An address to listen on; none when the text is empty.
#[derive(Deserialize)]
#[serde(try_from = "String")]
pub(super) struct Listen(pub Option<SocketAddr>);

impl Default for Listen {
    fn default() -> Self {
        Self(Some(SocketAddr::from(([127, 0, 0, 1], 7434))))
    }
}

impl TryFrom<String> for Listen {
    type Error = String;
    fn try_from(text: String) -> Result<Self, String> {
        if text.is_empty() {
            return Ok(Self(None));
        }
        let address = text.parse().map_err(|_| {
            format!("{}: expected an address and a port, such as \"127.0.0.1:7434\"", quoted(&text))
        })?;
        Ok(Self(Some(address)))
    }
}

#[derive(Deserialize)]
#[serde(try_from = "i64")]
pub(super) struct Concurrency(pub usize);

impl Default for Concurrency {
    fn default() -> Self {
        Self(32)
    }
}

impl TryFrom<i64> for Concurrency {
    type Error = String;
    fn try_from(number: i64) -> Result<Self, String> {
        match usize::try_from(number) {
            Ok(number @ 1..=256) => Ok(Self(number)),
            _ => Err(format!("{number}: expected 1 to 256")),
        }
    }
}

/// The remediation role's name, with its path if it has one: `security/RescindRemediation`.
#[derive(Deserialize)]
#[serde(try_from = "String")]
pub(super) struct RolePath {
    path: String,
    name: RoleName,
}

impl RolePath {
    pub fn into_parts(self) -> (String, RoleName) {
        (self.path, self.name)
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

/// Its errors never show its value.
pub(super) struct ExternalId(pub String);

impl<'de> Deserialize<'de> for ExternalId {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        let Ok(toml::Value::String(text)) = toml::Value::deserialize(deserializer) else {
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

#[derive(Deserialize)]
#[serde(try_from = "String")]
pub(super) struct SourceIdentity(pub String);

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
