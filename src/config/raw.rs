//! The file as it is written. Each value checks itself while it is read, so that an error
//! stands at its line.

use super::bounded::{HOUR, MINUTE, Number, SECOND, Span};
use super::budget::Budget;
use super::contested::WhenContested;
use super::feeds::{Events, Folder};
use super::file_path::FilePath;
use super::late_tags::LateTags;
use super::ledger::Ledger;
use super::member::{RawDrill, RawMember};
use super::mode::Mode;
use super::notify::Channels;
use super::pattern::ProtectedRole;
use super::pursue::{Contain, Pursue};
use super::regions::Regions;
use super::rule::{OneOrMore, Rules};
use super::signing_key::KeyName;
use super::sweep::Sweep;
use super::web::RawWeb;
use super::write_back::WriteBack;
use crate::ident::{Region, quoted};
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};
use std::net::SocketAddr;
use std::path::PathBuf;

/// The file of the opt-outs when nobody names one.
const OPT_OUTS: &str = "opt-outs.toml";

/// The mode of the installation. No rule, opt-out or tag can be bolder.
#[derive(Clone, Copy, Default, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
pub(super) enum GlobalMode {
    /// Record what would be done; change nothing.
    #[default]
    Observe,
    /// Ask a person first.
    Approve,
    /// Revoke without asking, within the hourly budget.
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
    /// The boldest action allowed: observe changes nothing, approve asks a person first, enforce revokes.
    #[serde(default)]
    pub mode: GlobalMode,
    /// Regions whose GuardDuty findings are read. All are in one partition. STS is called in the first.
    /// "*" at the end adds every other region that is enabled for the account.
    #[schemars(length(min = 1))]
    pub regions: Regions,
    /// Regions whose STS is called, in this order, when that of the first of `regions` does not answer. Without it, the
    /// next one of `regions` that every account has enabled; [] for none.
    pub sts_regions: Option<Vec<Region>>,
    /// File of the audit ledger (SQLite), relative to this file; or a table with the file, the log that several
    /// hosts share, and the witnesses of its checkpoints.
    #[serde(default)]
    pub ledger: Ledger,
    /// File of the key that signs checkpoints of the ledger, relative to this file; or the ARN of a KMS key, or of an
    /// alias of one, with the key spec ECC_NIST_EDWARDS25519.
    #[schemars(with = "KeyName", extend("default" = super::signing_key::DEFAULT))]
    #[serde(default)]
    pub signing_key: Option<KeyName>,
    /// Remedies of the built-in rules, and of rules that name none: of these the first that is for the principal.
    #[serde(default)]
    pub remedy: OneOrMore,
    /// Maximum time since credentials were last seen in use: 1m to 2160h. Older activity is skipped.
    #[serde(default)]
    pub max_finding_age: Span<{ 24 * HOUR }, MINUTE, { 2160 * HOUR }>,
    /// Interval between two polls of a region: 5s to 1h.
    #[serde(default)]
    pub poll_interval: Span<MINUTE, { 5 * SECOND }, HOUR>,
    /// Maximum number of calls per second that the polls of all regions make together.
    #[serde(default)]
    pub calls_per_second: Number<20, 1, 1000>,
    /// Whether GuardDuty must confirm findings from the queue and the folder before rescind acts on them.
    #[serde(default = "yes")]
    pub confirm: bool,
    /// Time after which a remediation that is not done raises an alert, every hour: 1s to 24h.
    #[serde(default)]
    pub raise_after: Span<{ 10 * MINUTE }, SECOND, { 24 * HOUR }>,
    /// Maximum interval between two looks at a deny in force: 1s to 24h. A missing deny is put back.
    #[serde(default)]
    pub recheck_interval: Span<{ 15 * MINUTE }, SECOND, { 24 * HOUR }>,
    /// How long a deny must have been in place before the policy rescind/Quarantine is detached again, which denies everything beside it: up to 1h. 0s attaches none.
    #[serde(default)]
    pub quarantine: Span<{ 2 * MINUTE }, 0, HOUR>,
    /// What is done about a deny that somebody takes away again and again, beside putting it back.
    #[serde(default)]
    pub contested: WhenContested,
    /// What is done about the sessions that were opened with stolen credentials. It never exceeds the mode.
    #[serde(default)]
    pub pursue: Pursue,
    /// What of that which was made with stolen credentials is denied as well. Without it, it is only listed.
    #[serde(default)]
    pub contain: Vec<Contain>,
    /// What happens to a deny once every token that it denies has expired: off does nothing, report records it, on removes the deny.
    #[serde(default)]
    pub sweep: Sweep,
    /// Whether CloudTrail is searched for denied calls with a stolen key, for what it opened and made, and for who removed a deny.
    #[serde(default = "yes")]
    pub cloudtrail: bool,
    /// Maximum time to finish work in flight at a stop, up to 10m. The rest resumes at the next start.
    #[serde(default)]
    pub drain_timeout: Span<{ 20 * SECOND }, 0, { 10 * MINUTE }>,
    /// Address on which the service answers: /healthz, /readyz, /metrics, the API and the console. Empty: none.
    #[serde(default)]
    pub listen: Listen,
    /// The console and the API, which answer there as well: their public address, TLS, and who may do what.
    #[serde(default)]
    pub web: RawWeb,
    /// Maximum number of roles worked on concurrently.
    #[serde(default)]
    pub concurrency: Number<32, 1, 256>,
    /// File of the opt-outs, relative to this file.
    /// If it is named here, it must exist.
    #[schemars(with = "String", extend("default" = OPT_OUTS))]
    #[serde(default)]
    pub opt_outs: Option<FilePath>,
    /// ARNs of roles and IAM users that are never changed, with * and ?.
    #[serde(default)]
    pub protected: Vec<ProtectedRole>,
    /// Account tag that limits what may be done in that account. Empty: tags are ignored.
    #[serde(default = "default_tag")]
    pub account_tag: String,
    /// Tag of a role or IAM user that limits what may be done to it. Empty: tags are ignored.
    #[serde(default = "default_tag")]
    pub principal_tag: String,
    /// What becomes of a tag of a role, user or account that was set when the theft had been seen already.
    #[serde(default)]
    pub late_tags: LateTags,
    /// Maximum time that a held remediation waits for an answer, up to 168h. Then it is rejected.
    #[serde(default)]
    pub approval_timeout: Span<{ 4 * HOUR }, 1, { 168 * HOUR }>,
    /// Maximum number of remediations per hour without approval. The rest is held.
    #[serde(default)]
    pub budget: Budget,
    /// What is written back to GuardDuty and Security Hub about a finding whose remediation is revoked and whose incident is closed.
    #[serde(default)]
    pub write_back: WriteBack,
    /// Rules that select findings and say what to do. The first that matches decides.
    #[serde(default)]
    #[schemars(with = "Vec<super::rule::RawFields>")]
    pub rules: Rules,
    /// Channels to which notifications are sent.
    #[serde(default)]
    #[schemars(with = "Vec<super::notify::RawFields>")]
    pub notify: Channels,
    /// Queue to which EventBridge sends findings within seconds.
    pub events: Option<Events>,
    /// Folder in which exported findings appear.
    pub folder: Option<Folder>,
    /// Access to member accounts.
    pub member: RawMember,
    /// Role for fire drills.
    pub drill: Option<RawDrill>,
}

fn yes() -> bool {
    true
}

fn default_tag() -> String {
    "rescind:mode".to_owned()
}

pub(super) fn default_opt_outs() -> FilePath {
    FilePath(PathBuf::from(OPT_OUTS))
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
