//! `rescind.toml`: raw serde types (`raw.rs`), checked into [`Config`].
//!
//! An error names file, line, key and what is expected, and comes before any AWS call.

mod aftercare;
mod event_pattern;
mod feeds;
mod located;
mod mode;
mod notify;
mod opt_out_document;
mod opt_outs;
mod pattern;
mod place;
mod raw;
mod rule;
mod schema;
mod template;

pub use aftercare::Sweep;
pub use event_pattern::EventPattern;
pub use feeds::{Events, Folder, QueueUrl};
use located::{invalid, located};
pub use mode::Mode;
pub use notify::{Channel, Level, Secret, Style, Topic, Way, check_url};
pub use opt_out_document::OptOutDocument;
pub use opt_outs::{OptOut, OptOuts, OuId, SOON_DAYS, Selector};
pub use pattern::Glob;
pub use place::ServicePlace;
pub use raw::Budget;
pub use rule::{Fields, Matches, RemedyName, Rule, Scope, built_in};
pub use schema::{config_schema, opt_outs_schema};
pub use template::{new_external_id, opt_outs_template, template};

use crate::ident::{Partition, Region, RoleName};
use jiff::{SignedDuration, Timestamp};
use std::collections::HashSet;
use std::io::ErrorKind;
use std::net::SocketAddr;
use std::num::NonZeroU32;
use std::path::{Path, PathBuf};

/// What to do when the file of the opt-outs is not there.
const OPT_OUTS_MISSING: &str = "\n  `opt_outs` in rescind.toml names it: nothing is done without it, for it may have kept roles from being \
     revoked.\n  Bring it back. To have no opt-outs, write a comment into it, or take the key `opt_outs` out";

/// Where the configuration is when nobody says otherwise.
pub const FILE: &str = "rescind.toml";

/// A valid configuration.
#[derive(Debug, Clone)]
pub struct Config {
    /// Whether findings are acted on or only watched.
    pub mode: Mode,
    /// Where findings are read. The first is also where STS is called.
    pub regions: Vec<Region>,
    /// And in every other region that is enabled.
    pub all_regions: bool,
    /// The ledger's file.
    pub ledger: PathBuf,
    /// The key that signs checkpoints of the ledger.
    pub signing_key: PathBuf,
    /// A finding last seen longer ago than this is not acted on.
    pub max_finding_age: SignedDuration,
    /// Time between two polls of a region.
    pub poll_interval: std::time::Duration,
    /// How many calls a second the polls make at most.
    pub calls_per_second: NonZeroU32,
    /// The queue of the events.
    pub events: Option<Events>,
    /// The folder of the exports.
    pub folder: Option<PathBuf>,
    /// What comes by event or folder is confirmed by GuardDuty first.
    pub confirm: bool,
    /// A remediation that is still not done after this is raised to a person.
    pub raise_after: SignedDuration,
    /// A deny in force is looked at again at least so often.
    pub recheck_interval: std::time::Duration,
    /// What becomes of a deny that nothing needs any more.
    pub sweep: Sweep,
    /// CloudTrail is asked for traces.
    pub cloudtrail: bool,
    /// How long a stop waits for what is in flight.
    pub drain_timeout: std::time::Duration,
    /// Where the service tells how it is.
    pub listen: Option<SocketAddr>,
    /// How many roles are worked on at once.
    pub concurrency: usize,
    /// The file of the opt-outs.
    pub opt_outs_file: PathBuf,
    /// The configuration names that file: then it must be there.
    pub opt_outs_named: bool,
    /// Where less may be done than `mode` says, by account, OU, tag, role, type or region.
    pub opt_outs: OptOuts,
    /// Roles (ARNs with wildcards) that are never revoked: break-glass, CI.
    pub protected: Vec<Glob>,
    /// Which findings are acted on, and how; the built-in ones stand behind them.
    pub rules: Vec<Rule>,
    /// The tag of an account that says what may be done there at most; none when tags do not count.
    pub account_tag: Option<String>,
    /// How long a held remediation waits for a person.
    pub approval_timeout: SignedDuration,
    /// How much may be done in an hour without asking.
    pub budget: Budget,
    /// Who is told what.
    pub channels: Vec<Channel>,
    /// How member accounts are entered.
    pub member: Member,
    /// The throw-away role with which drills are held.
    pub drill: Option<DrillRole>,
    /// SHA-256 of the file, in hexadecimal: recorded at each start.
    pub sha256: String,
    /// The file.
    pub file: PathBuf,
}

/// The throw-away role with which drills are held, in each account in which they are.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct DrillRole {
    /// Its path without the leading slash: `""` or `security/`.
    pub path: String,
    /// Its name.
    pub name: RoleName,
}

impl DrillRole {
    /// Its path and name, as they stand in its ARN.
    #[must_use]
    pub fn path_and_name(&self) -> String {
        format!("{}{}", self.path, self.name)
    }
}

/// How member accounts are entered.
#[derive(Debug, Clone)]
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

/// Why a configuration cannot be used. The text is for the person who wrote the file.
#[derive(Debug, thiserror::Error)]
pub enum ConfigError {
    /// The file cannot be read.
    #[error("{path}: {error}{hint}")]
    Unreadable {
        /// The file.
        path: String,
        /// What the system said.
        error: std::io::Error,
        /// What to do.
        hint: &'static str,
    },
    /// What the file would become is not valid.
    #[error("{path}: not changed: {message}")]
    Refused {
        /// The file.
        path: String,
        /// What is wrong and what is expected.
        message: String,
    },
    /// Something in the file is wrong.
    #[error("{path}:{line}:{column}: {key}{message}")]
    Invalid {
        /// The file.
        path: String,
        /// Line, from 1.
        line: usize,
        /// Column, from 1.
        column: usize,
        /// The key and a colon, where one is concerned.
        key: String,
        /// What is wrong and what is expected.
        message: String,
    },
}

impl Config {
    /// Reads and checks the file at `path`, and that of the opt-outs.
    ///
    /// # Errors
    /// When one cannot be read or is not valid.
    pub fn load(path: &Path) -> Result<Self, ConfigError> {
        let mut config = Self::load_alone(path)?;
        config.opt_outs = config.read_opt_outs()?;
        Ok(config)
    }

    /// Reads the file of the opt-outs. No file is no opt-outs when nobody speaks of one: the configuration does
    /// not name it, and there is no link to it. A file that is missed, cannot be read or is not valid is an
    /// error: it might have kept us from acting.
    ///
    /// # Errors
    /// When it cannot be read or is not valid.
    pub fn read_opt_outs(&self) -> Result<OptOuts, ConfigError> {
        let file = &self.opt_outs_file;
        match OptOuts::load(file, Timestamp::now()) {
            Err(ConfigError::Unreadable { path, error, .. }) if error.kind() == ErrorKind::NotFound => {
                if self.opt_outs_named || file.symlink_metadata().is_ok() {
                    Err(ConfigError::Unreadable { path, error, hint: OPT_OUTS_MISSING })
                } else {
                    Ok(OptOuts::default())
                }
            }
            read => read,
        }
    }

    /// Reads and checks the file at `path`, without the opt-outs: for what does not decide anything.
    ///
    /// # Errors
    /// When it cannot be read or is not valid.
    pub fn load_alone(path: &Path) -> Result<Self, ConfigError> {
        let text = std::fs::read_to_string(path).map_err(|error| ConfigError::Unreadable {
            path: path.display().to_string(),
            hint: if error.kind() == std::io::ErrorKind::NotFound {
                "\n  `rescind init` writes a commented one; --config names another"
            } else {
                ""
            },
            error,
        })?;
        Self::parse(&text, path)
    }

    /// Checks the text of a configuration file that lives at `path`. The opt-outs are left out: they
    /// are in a file of their own.
    ///
    /// # Errors
    /// When it is not valid.
    pub fn parse(text: &str, path: &Path) -> Result<Self, ConfigError> {
        let raw: raw::RawConfig = located(text, path)?;
        let twice = |list: &str, index: usize, name: &str| {
            let message = format!("name: {} is there twice", crate::ident::quoted(name));
            invalid(text, path, &format!("{list}[{index}]"), message)
        };
        let mut names = HashSet::new();
        if let Some((index, rule)) =
            raw.rules.0.iter().enumerate().find(|(_, rule)| !names.insert(&rule.name))
        {
            return Err(twice("rules", index, &rule.name));
        }
        let mut names = HashSet::new();
        if let Some((index, channel)) =
            raw.notify.0.iter().enumerate().find(|(_, channel)| !names.insert(&channel.name))
        {
            return Err(twice("notify", index, &channel.name));
        }
        let directory = path.parent().unwrap_or_else(|| Path::new(""));
        let (role_path, role_name) = raw.member.role.into_parts();
        let drill =
            raw.drill.map(|drill| drill.role.into_parts()).map(|(path, name)| DrillRole { path, name });
        if drill.as_ref().is_some_and(|drill| drill.name.key() == role_name.key()) {
            let message = "this is the remediation role: drills need a role of their own".to_owned();
            return Err(invalid(text, path, "drill.role", message));
        }
        Ok(Self {
            mode: raw.mode.into(),
            regions: raw.regions.named,
            all_regions: raw.regions.and_all,
            ledger: directory.join(raw.ledger.0),
            signing_key: directory.join(raw.signing_key.0),
            max_finding_age: raw.max_finding_age.0,
            poll_interval: raw.poll_interval.0.unsigned_abs(),
            calls_per_second: raw.calls_per_second.0,
            events: raw.events,
            folder: raw.folder.map(|folder| directory.join(folder.path)),
            confirm: raw.confirm,
            raise_after: raw.raise_after.0,
            recheck_interval: raw.recheck_interval.0.unsigned_abs(),
            sweep: raw.sweep,
            cloudtrail: raw.cloudtrail,
            drain_timeout: raw.drain_timeout.0.unsigned_abs(),
            listen: raw.listen.0,
            opt_outs_named: raw.opt_outs.is_some(),
            opt_outs_file: directory.join(raw.opt_outs.unwrap_or_else(raw::default_opt_outs).0),
            opt_outs: OptOuts::default(),
            protected: raw.protected.into_iter().map(|role| role.0).collect(),
            concurrency: raw.concurrency.0,
            rules: raw.rules.0,
            account_tag: Some(raw.account_tag).filter(|tag| !tag.is_empty()),
            approval_timeout: raw.approval_timeout.0,
            budget: raw.budget,
            channels: raw.notify.0.into_iter().map(|channel| channel.beside(directory)).collect(),
            member: Member {
                role_path,
                role_name,
                external_id: raw.member.external_id.0,
                source_identity: raw.member.source_identity.0,
            },
            drill,
            sha256: crate::digest::sha256(text.as_bytes()),
            file: path.to_owned(),
        })
    }

    /// The region whose STS endpoint is used, and whose partition everything is in.
    #[must_use]
    pub fn home_region(&self) -> &Region {
        &self.regions[0]
    }

    /// The remedies that rules ask for. That for roles is always among them.
    #[must_use]
    pub fn remedies(&self) -> Vec<RemedyName> {
        let asked = self.rules.iter().flat_map(|rule| rule.remedies.iter().copied());
        let mut all = vec![RemedyName::RoleSessions];
        all.extend(asked.filter(|remedy| *remedy != RemedyName::RoleSessions).take(1));
        all
    }

    /// The partition of the configured regions.
    #[must_use]
    pub fn partition(&self) -> Partition {
        Partition::of_region(self.home_region())
    }
}

impl Member {
    /// The remediation role's path and name, as they stand in its ARN.
    #[must_use]
    pub fn path_and_name(&self) -> String {
        format!("{}{}", self.role_path, self.role_name)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn parse(text: &str) -> Result<Config, String> {
        Config::parse(text, Path::new("dir/rescind.toml")).map_err(|e| e.to_string())
    }

    const LEAST: &str = "regions = [\"eu-central-1\"]\n[member]\nexternal_id = \"0123456789abcdef\"\n";

    #[test]
    fn a_least_configuration_observes() {
        let config = parse(LEAST).expect("valid");
        assert_eq!(config.mode, Mode::Observe);
        assert_eq!(config.ledger, Path::new("dir/ledger.db"));
        assert_eq!(config.max_finding_age, SignedDuration::from_hours(24));
        assert_eq!(config.member.path_and_name(), "RescindRemediation");
        assert_eq!(config.concurrency, 32);
    }

    #[test]
    fn what_init_writes_is_valid_and_observes() {
        let regions = ["eu-west-1".parse().expect("legal")];
        let text = template(&regions, "abcdef0123456789", None);
        let config = parse(&text).expect("valid");
        assert_eq!(config.mode, Mode::Observe);
        assert_eq!(config.regions, regions);
    }

    #[test]
    fn errors_name_line_key_and_what_is_expected() {
        for (text, wanted) in [
            (
                "mode = \"on\"\n",
                "dir/rescind.toml:1:8: mode: unknown variant `on`, expected one of `observe`, `approve`, `enforce`",
            ),
            ("\nregions = []\n", ":2:11: regions: expected at least one region"),
            (
                "regions = [\"Frankfurt\"]\n",
                "regions: [0]: \"Frankfurt\": expected a region such as \"eu-central-1\"",
            ),
            ("regions = [\"eu-west-1\", \"eu-west-1\"]\n", "regions: \"eu-west-1\" is listed twice"),
            (
                "regions = [\"us-iso-east-1\"]\n",
                "regions: \"us-iso-east-1\" is in a partition that rescind does not know; it knows aws, aws-cn, aws-us-gov, aws-eusc",
            ),
            (
                "regions = [\"eu-west-1\", \"cn-north-1\"]\n",
                "regions: \"eu-west-1\" and \"cn-north-1\" are in different partitions",
            ),
            (
                "max_finding_age = \"1 fortnight\"\n",
                ":1:19: max_finding_age: \"1 fortnight\": expected a time span such as \"24h\"",
            ),
            ("poll_interval = \"1s\"\n", "poll_interval: \"1s\": expected between 5s and 1h"),
            ("regions = [\"*\"]\n", "regions: expected the home region before \"*\""),
            ("regions = [\"*\", \"eu-west-1\"]\n", "regions: \"*\" stands at the end"),
            ("calls_per_second = 0\n", "calls_per_second: 0: expected 1 to 1000"),
            ("listen = \"7434\"\n", "listen: \"7434\": expected an address and a port"),
            ("drain_timeout = \"1h\"\n", "drain_timeout: \"1h\": expected at most 10m"),
            ("raise_after = \"0s\"\n", "raise_after: \"0s\": expected between 1s and 24h"),
            ("[events]\nqueue = \"findings\"\n", ":2:9: events.queue: \"findings\": expected a queue URL"),
            ("[events]\n", "missing field `queue`"),
            ("concurrency = 0\n", "concurrency: 0: expected 1 to 256"),
            ("retries = 3\n", ":1:1: unknown field `retries`, expected one of"),
            ("regions = [\"eu-west-1\"]\n", "missing field `member`"),
            ("[member]\nrole = \"a b\"\n", ":2:8: member.role: \"a b\": a role name has"),
            ("[member]\nexternal_id = \"x\"\n", "member.external_id: expected 2 to 1224"),
            ("[member]\nsource_identity = \"a b\"\n", "member.source_identity: \"a b\": expected 2 to 64"),
            ("mode = [\n", ":1:9: unclosed array, expected `]`"),
            ("ledger = \"\"\n", ":1:10: ledger: \"\": expected the path of a file"),
            ("\nledger = \"audit/\"\n", ":2:10: ledger: \"audit/\": expected the path of a file"),
            ("signing_key = \".\"\n", ":1:15: signing_key: \".\": expected the path of a file"),
            ("opt_outs = \"\"\n", ":1:12: opt_outs: \"\": expected the path of a file"),
            ("[folder]\npath = \"\"\n", ":2:8: folder.path: \"\": expected the path of a folder"),
            (
                "mode = \"observe\"\n\nprotected = [\n  \"*\",\n  \"break-glass\",\n]\n",
                ":5:3: protected[1]: \"break-glass\": expected the ARN of a role",
            ),
            // Lists of tables in one line, and a header in a text.
            ("# x\nrules = [\n{ name = \"a\", mode = \"never\" }]\n", ":3:"),
            ("account_tag = \"\"\"\n[[notify]]\n\"\"\"\n[[notify]]\nname = \"x\"\n", ":4:1: notify[0]: "),
        ] {
            let error = parse(text).expect_err(text);
            assert!(error.contains(wanted), "{text:?} gave\n  {error}\nwanted\n  {wanted}");
        }
    }

    #[test]
    fn what_is_there_twice_is_named_where_it_is() {
        let rule = "{ name = \"a\", types = [\"Recon:*\"], mode = \"off\" }";
        let error = parse(&format!("# x\nrules = [\n{rule},\n  {rule}]\n{LEAST}")).expect_err("twice");
        assert!(error.starts_with("dir/rescind.toml:4:3: rules[1]: name: \"a\" is there twice"), "{error}");
        let error = parse(&format!("drill = {{ role = \"RescindRemediation\" }}\n{LEAST}"))
            .expect_err("the same role");
        assert!(
            error.starts_with("dir/rescind.toml:1:18: drill.role: this is the remediation role"),
            "{error}"
        );
    }

    #[test]
    fn a_byte_order_mark_is_not_part_of_it() {
        let marked = |text: &str| parse(&format!("\u{feff}{}", text.replace('\n', "\r\n")));
        assert_eq!(marked(LEAST).expect("valid").home_region().as_str(), "eu-central-1");
        assert!(marked("mode = \"on\"\n").expect_err("bad").contains(":1:8: mode: "));
    }

    #[test]
    fn the_external_id_is_not_in_an_error() {
        let error = parse("[member]\nexternal_id = \"hunter 2 hunter 2\"\n").expect_err("bad");
        assert!(!error.contains("hunter"), "{error}");
        for value in ["12345678901234567", "[\"4567\"]", "{ a = 4567 }", "4567.5"] {
            let error = parse(&format!("regions = [\"eu-west-1\"]\n[member]\nexternal_id = {value}\n"))
                .expect_err("bad");
            assert!(error.contains(":3:15: member.external_id: expected a text in quotes"), "{error}");
            assert!(!error.contains("4567"), "{error}");
        }
    }
}
