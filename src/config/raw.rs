//! The file as it is written. Each value checks itself while it is read, so that an error
//! stands at its line.

use super::bounded::{HOUR, MINUTE, Number, SECOND, Span};
use super::budget::Budget;
use super::feeds::{Events, Folder};
use super::member::{RawDrill, RawMember};
use super::mode::Mode;
use super::notify::Channels;
use super::pattern::ProtectedRole;
use super::regions::Regions;
use super::rule::Rules;
use super::sweep::Sweep;
use crate::ident::quoted;
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};
use std::net::SocketAddr;
use std::path::PathBuf;

/// The file of the opt-outs when nobody names one.
const OPT_OUTS: &str = "opt-outs.toml";

/// The mode of the whole installation: the boldest that anything can be.
#[derive(Clone, Copy, Default, Serialize, Deserialize, JsonSchema)]
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
    pub mode: GlobalMode,
    /// The regions whose GuardDuty findings are read. All in one partition; STS is called in the first.
    /// "*" at the end: and every other region that is enabled for the account.
    #[schemars(length(min = 1))]
    pub regions: Regions,
    /// The audit ledger (SQLite), beside this file unless the path is absolute.
    #[serde(default = "default_ledger")]
    pub ledger: FilePath,
    /// The key that signs checkpoints of the ledger, beside this file unless the path is absolute.
    #[serde(default = "default_signing_key")]
    pub signing_key: FilePath,
    /// Credentials last seen in use longer ago than this are not acted on: 1m to 2160h.
    #[serde(default)]
    pub max_finding_age: Span<{ 24 * HOUR }, MINUTE, { 2160 * HOUR }>,
    /// Time between two polls of a region: 5s to 1h.
    #[serde(default)]
    pub poll_interval: Span<MINUTE, { 5 * SECOND }, HOUR>,
    /// How many calls a second the polls make at most, all regions together.
    #[serde(default)]
    pub calls_per_second: Number<20, 1, 1000>,
    /// What comes by event or folder is only a hint: GuardDuty is asked before anything is done.
    #[serde(default = "yes")]
    pub confirm: bool,
    /// A remediation that is still not done after this is raised to a person, every hour: 1s to 24h.
    #[serde(default)]
    pub raise_after: Span<{ 10 * MINUTE }, SECOND, { 24 * HOUR }>,
    /// A deny that is in force is looked at again at least so often, and put back when it is gone: 1s to 24h.
    #[serde(default)]
    pub recheck_interval: Span<{ 15 * MINUTE }, SECOND, { 24 * HOUR }>,
    /// What becomes of a deny when no token that it denies can be alive any more: off does nothing, report records it, on takes the deny away.
    #[serde(default)]
    pub sweep: Sweep,
    /// CloudTrail is asked whether a stolen key was denied, and who took a deny away.
    #[serde(default)]
    pub cloudtrail: bool,
    /// At a stop, what is in flight is given so long: at most 10m. What is left is taken up at the next start.
    #[serde(default)]
    pub drain_timeout: Span<{ 20 * SECOND }, 0, { 10 * MINUTE }>,
    /// Where the service answers /healthz, /readyz and /metrics. Empty: nowhere.
    #[serde(default)]
    pub listen: Listen,
    /// How many roles are worked on at once.
    #[serde(default)]
    pub concurrency: Number<32, 1, 256>,
    /// The file of the opt-outs, beside this file unless the path is absolute.
    /// When it is named here it must be there.
    #[schemars(with = "String", extend("default" = OPT_OUTS))]
    #[serde(default)]
    pub opt_outs: Option<FilePath>,
    /// Roles and IAM users that are never touched: ARNs, with * and ?.
    #[serde(default)]
    pub protected: Vec<ProtectedRole>,
    /// The tag of an account that says what may be done there at most. Empty: tags do not count.
    #[serde(default = "default_account_tag")]
    pub account_tag: String,
    /// How long a held remediation waits for a person, at most 168h. Then it is rejected.
    #[serde(default)]
    pub approval_timeout: Span<{ 4 * HOUR }, 1, { 168 * HOUR }>,
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

fn yes() -> bool {
    true
}

fn default_account_tag() -> String {
    "rescind:mode".to_owned()
}

pub(super) fn default_ledger() -> FilePath {
    FilePath(PathBuf::from("ledger.db"))
}

fn default_signing_key() -> FilePath {
    FilePath(PathBuf::from("ledger.key"))
}

pub(super) fn default_opt_outs() -> FilePath {
    FilePath(PathBuf::from(OPT_OUTS))
}

/// The path of a file. An empty one would be the directory of the configuration.
#[derive(Serialize, Deserialize, JsonSchema)]
#[serde(try_from = "String")]
#[schemars(inline)]
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

/// An address to listen on; none when the text is empty.
#[derive(Serialize, Deserialize, JsonSchema)]
#[serde(try_from = "String")]
#[schemars(inline, with = "String")]
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
