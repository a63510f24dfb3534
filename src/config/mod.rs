//! `rescind.toml`: raw serde types (`raw.rs`), checked into [`Config`].
//!
//! An error names file, line, key and what is expected, and comes before any AWS call.

mod bounded;
mod budget;
mod complaint;
mod contested;
mod cosigner;
mod endpoint;
mod error;
mod event_pattern;
mod feeds;
mod file_path;
mod late_tags;
mod ledger;
mod located;
mod member;
mod mode;
mod nearest_type;
mod notify;
mod opt_out_document;
mod opt_outs;
mod pattern;
mod place;
mod position;
mod pursue;
mod raw;
mod regions;
mod rule;
mod salvage;
mod schema;
mod search;
mod secret;
mod served;
mod signing_key;
mod sts_regions;
mod sweep;
mod template;
mod tickets;
mod unknown_types;
mod web;
mod witness;
mod write_back;

pub use budget::Budget;
pub use contested::WhenContested;
pub use cosigner::CosignerSettings;
pub use error::ConfigError;
pub use event_pattern::EventPattern;
pub use feeds::{Events, Folder, QueueUrl};
pub use late_tags::LateTags;
pub use ledger::LogSettings;
use located::{invalid, located};
pub use member::{DrillRole, Member};
pub use mode::Mode;
pub use notify::{Channel, Level, Style, Topic, Way};
pub use opt_out_document::OptOutDocument;
pub use opt_outs::{OptOut, OptOutMode, OptOuts, OuId, SOON_DAYS, Selector};
pub use pattern::Glob;
pub use place::ServicePlace;
pub use pursue::{Contain, Pursue};
pub use rule::{Approval, EXFILTRATION_RULE, Fields, Matches, RemedyName, Rule, Scope, built_in};
pub use schema::{config_schema, opt_outs_schema};
pub use search::{FILE, Searched, find, state_folder, system_file};
pub use secret::{BadUrl, Secret, SecretError, check_url};
pub use served::{Origin, Source};
use signing_key::KeyName;
pub use signing_key::{KmsArn, SigningKey};
pub use sweep::Sweep;
pub use template::{new_external_id, opt_outs_template, template};
pub use tickets::{TicketProduct, TicketSystem};
pub use unknown_types::UnknownType;
use unknown_types::unknown_types;
pub use web::{Grant, HostName, OidcSettings, TlsFiles, WebRole, WebSettings};
pub use witness::{BadWitness, RetentionMode, WitnessSettings};
pub use write_back::{GuardDutyBack, SecurityHubBack, WriteBack};

use crate::ident::{Partition, Region};
use jiff::{SignedDuration, Timestamp};
use std::collections::HashSet;
use std::io::ErrorKind;
use std::net::SocketAddr;
use std::num::NonZeroU32;
use std::path::{Path, PathBuf};

/// What to do when the file of the opt-outs is not there.
const OPT_OUTS_MISSING: &str = "`opt_outs` in rescind.toml names it: nothing is done without it, for it may have kept roles from being \
     revoked.\n  Bring it back. To have no opt-outs, write a comment into it, or take the key `opt_outs` out";

/// Time for which a contested deny must stay in place before it is called revoked, where no quarantine says another.
const SETTLES: SignedDuration = SignedDuration::from_mins(2);

/// Why the quarantine cannot be kept.
const NOTHING_TO_KEEP: &str = "with quarantine = \"0s\" there is none that could be kept";

/// A configuration that was read and checked.
#[derive(Debug, Clone)]
pub struct Config {
    /// Whether findings are acted on or only watched.
    pub mode: Mode,
    /// Where findings are read. The first is also where STS is called.
    pub regions: Vec<Region>,
    /// And in every other region that is enabled.
    pub all_regions: bool,
    /// The regions whose STS is called when that of the home region does not answer, in this order.
    pub sts_regions: Vec<Region>,
    /// Path of the ledger's database.
    pub ledger: PathBuf,
    /// The log that outlives the machine, if there is one.
    pub log: Option<LogSettings>,
    /// Who keeps the ledger's checkpoints where nobody can replace them, if somebody does.
    pub witness: Option<WitnessSettings>,
    /// Witnesses of other operators that cosign the ledger's checkpoints.
    pub cosigners: Vec<CosignerSettings>,
    /// The key that signs checkpoints of the ledger.
    pub signing_key: SigningKey,
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
    /// How long a deny must have been in place before the quarantine beside it is lifted; zero for none.
    pub quarantine: SignedDuration,
    /// What is done about a deny that somebody takes away again and again.
    pub contested: WhenContested,
    /// What is done about the sessions that were opened with stolen credentials, where a rule says nothing.
    pub pursue: Pursue,
    /// What of that which a thief made is denied as well, where a rule says nothing.
    pub contain: Vec<Contain>,
    /// How long a contested deny must stay in place before it is called revoked: as long as `quarantine` says, and
    /// [`SETTLES`] where that says none.
    pub settles: SignedDuration,
    /// What becomes of a deny that nothing needs any more.
    pub sweep: Sweep,
    /// CloudTrail is asked for evidence.
    pub cloudtrail: bool,
    /// How long a stop waits for what is in flight.
    pub drain_timeout: std::time::Duration,
    /// Address at which the service answers `/healthz`, `/readyz`, `/status` and `/metrics`.
    pub listen: Option<SocketAddr>,
    /// The console and the API that answer there.
    pub web: WebSettings,
    /// Maximum number of roles worked on concurrently.
    pub concurrency: usize,
    /// The file of the opt-outs.
    pub opt_outs_file: PathBuf,
    /// The configuration names that file: then it must be there.
    pub opt_outs_named: bool,
    /// Where less may be done than `mode` says, by account, OU, tag, role, type or region.
    pub opt_outs: OptOuts,
    /// Roles (ARNs with wildcards) that are never revoked: break-glass, CI.
    pub protected: Vec<Glob>,
    /// The remedies of the built-in rules, and of rules that name none.
    pub remedies: Vec<RemedyName>,
    /// Which findings are acted on, and how; the built-in ones stand behind them.
    pub rules: Vec<Rule>,
    /// Types of these rules that GuardDuty is not known to have.
    pub unknown_types: Vec<UnknownType>,
    /// The tag of an account that says what may be done there at most; none when tags do not count.
    pub account_tag: Option<String>,
    /// The tag of a role or user that says what may be done to it at most; none when tags do not count.
    pub principal_tag: Option<String>,
    /// What becomes of a tag that was set when the theft had been seen already.
    pub late_tags: LateTags,
    /// How long a held remediation waits for a person.
    pub approval_timeout: SignedDuration,
    /// How much may be done in an hour without asking.
    pub budget: Budget,
    /// What is written back to GuardDuty and Security Hub.
    pub write_back: WriteBack,
    /// Where notifications are sent, and which.
    pub channels: Vec<Channel>,
    /// Access to member accounts.
    pub member: Member,
    /// The throw-away role with which drills are held.
    pub drill: Option<DrillRole>,
    /// SHA-256 of the file, in hexadecimal: recorded at each start.
    pub sha256: String,
    /// The file that the configuration was read from.
    pub file: PathBuf,
    /// Its text.
    pub source: Source,
    /// Whether that file is what it comes from.
    pub origin: Origin,
}

impl Config {
    /// The same for a command that ends by itself: it would not be there to lift a quarantine, and a drill measures
    /// the deny alone. A contested deny must stay in place as long as it must for the service.
    #[must_use]
    pub fn for_one_run(self) -> Self {
        Self { quarantine: SignedDuration::ZERO, ..self }
    }

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
                    Err(ConfigError::Unreadable { path, error, hint: Some(OPT_OUTS_MISSING.to_owned()) })
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
            hint: (error.kind() == std::io::ErrorKind::NotFound).then(|| {
                let places =
                    if path == Path::new(FILE) { format!("Looked for {Searched}. ") } else { String::new() };
                format!("{places}`rescind init` writes a commented one; --config names another")
            }),
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
            let message = format!("{} is there twice", crate::ident::quoted(name));
            invalid(text, path, &format!("{list}[{index}].name"), message)
        };
        if let Some((index, name)) = named_twice(raw.rules.0.iter().map(|rule| rule.name.as_str())) {
            return Err(twice("rules", index, name));
        }
        if let Some((index, name)) = named_twice(raw.notify.0.iter().map(|channel| channel.name.as_str())) {
            return Err(twice("notify", index, name));
        }
        let remedies = raw.remedy.all();
        if remedies.is_empty() {
            return Err(invalid(text, path, "remedy", "expected a remedy, or a list of them".to_owned()));
        }
        if raw.contested == WhenContested::KeepQuarantine && raw.quarantine.0.is_zero() {
            return Err(invalid(text, path, "contested", NOTHING_TO_KEEP.to_owned()));
        }
        let rules = settled(raw.rules.0, &remedies, raw.quarantine.0.is_zero())
            .map_err(|(key, message)| invalid(text, path, &key, message.to_owned()))?;
        let sts_regions = sts_regions::sts_regions(raw.sts_regions, &raw.regions.named)
            .map_err(|message| invalid(text, path, "sts_regions", message))?;
        let unknown_types = unknown_types(&rules, |key| position::line_of(text, key));
        let directory = path.parent().unwrap_or_else(|| Path::new(""));
        let state = state_folder(directory);
        let web = raw.web.settings(directory);
        let web = web.map_err(|(key, why)| invalid(text, path, &format!("web.{key}"), why))?;
        let member = Member::from(raw.member);
        let drill = raw.drill.map(DrillRole::from);
        if drill.as_ref().is_some_and(|drill| drill.name.key() == member.role_name.key()) {
            let message = "this is the remediation role: drills need a role of their own".to_owned();
            return Err(invalid(text, path, "drill.role", message));
        }
        Ok(Self {
            mode: raw.mode.into(),
            regions: raw.regions.named,
            sts_regions,
            all_regions: raw.regions.and_all,
            ledger: ledger::Ledger::file(raw.ledger.path, directory, &state),
            log: raw.ledger.log,
            witness: raw.ledger.witness,
            cosigners: raw.ledger.cosigners,
            signing_key: KeyName::key_of(raw.signing_key, directory, &state),
            max_finding_age: raw.max_finding_age.0,
            poll_interval: raw.poll_interval.0.unsigned_abs(),
            calls_per_second: NonZeroU32::new(raw.calls_per_second.0).unwrap_or(NonZeroU32::MIN),
            events: raw.events,
            folder: raw.folder.map(|folder| directory.join(folder.path)),
            confirm: raw.confirm,
            raise_after: raw.raise_after.0,
            recheck_interval: raw.recheck_interval.0.unsigned_abs(),
            quarantine: raw.quarantine.0,
            contested: raw.contested,
            pursue: raw.pursue,
            contain: raw.contain,
            settles: if raw.quarantine.0.is_zero() { SETTLES } else { raw.quarantine.0 },
            sweep: raw.sweep,
            cloudtrail: raw.cloudtrail,
            drain_timeout: raw.drain_timeout.0.unsigned_abs(),
            listen: raw.listen.0,
            web,
            opt_outs_named: raw.opt_outs.is_some(),
            opt_outs_file: directory.join(raw.opt_outs.unwrap_or_else(raw::default_opt_outs).0),
            opt_outs: OptOuts::default(),
            protected: raw.protected.into_iter().map(|role| role.0).collect(),
            concurrency: raw.concurrency.count(),
            remedies,
            rules,
            unknown_types,
            account_tag: Some(raw.account_tag).filter(|tag| !tag.is_empty()),
            principal_tag: Some(raw.principal_tag).filter(|tag| !tag.is_empty()),
            late_tags: raw.late_tags,
            approval_timeout: raw.approval_timeout.0,
            budget: raw.budget,
            write_back: raw.write_back,
            channels: raw.notify.0.into_iter().map(|channel| channel.beside(directory)).collect(),
            member,
            drill,
            sha256: crate::digest::sha256(text.as_bytes()),
            file: path.to_owned(),
            source: Source(text.to_owned()),
            origin: Origin::File,
        })
    }

    /// The region whose STS endpoint is used, and whose partition everything is in.
    #[must_use]
    pub fn home_region(&self) -> &Region {
        &self.regions[0]
    }

    /// The remedies that rules name, the built-in ones among them: what the remediation role is for. It has what is
    /// done about a contested deny as well, which needs no more of it.
    #[must_use]
    pub fn named_remedies(&self) -> Vec<RemedyName> {
        let mut all = self.remedies.clone();
        let of_rules = self.rules.iter().flat_map(|rule| rule.remedies.iter().copied());
        let contained = self.rules.iter().filter_map(|rule| rule.contain.as_ref()).chain([&self.contain]);
        let contained = contained.flatten().map(|what| RemedyName::from(*what));
        for remedy in of_rules.chain(contained) {
            if !all.contains(&remedy) {
                all.push(remedy);
            }
        }
        all
    }

    /// The same, with what is done about a contested deny.
    #[must_use]
    pub fn all_remedies(&self) -> Vec<RemedyName> {
        let mut all = self.named_remedies();
        let ways = self.rules.iter().map(|rule| rule.contested.unwrap_or(self.contested));
        let escalates = ways.chain([self.contested]).any(|way| way == WhenContested::OrganizationDeny);
        if escalates && !all.contains(&RemedyName::OrganizationDeny) {
            all.push(RemedyName::OrganizationDeny);
        }
        all
    }

    /// The partition of the configured regions.
    #[must_use]
    pub fn partition(&self) -> Partition {
        Partition::of_region(self.home_region())
    }
}

/// The rules with the remedies of the installation where they name none.
///
/// # Errors
/// The key of a rule that does not go together with the others, and why.
fn settled(
    mut rules: Vec<Rule>,
    remedies: &[RemedyName],
    has_no_quarantine: bool,
) -> Result<Vec<Rule>, (String, &'static str)> {
    let revokes = [RemedyName::RoleSessions, RemedyName::OrganizationDeny];
    for (index, rule) in rules.iter_mut().enumerate() {
        if rule.remedies.is_empty() {
            rule.remedies = remedies.to_vec();
        }
        let wrong = |key: &str, message| Err((format!("rules[{index}].{key}"), message));
        if rule.scope == Scope::Session && rule.remedies.contains(&RemedyName::Quarantine) {
            let message =
                "the remedy \"quarantine\" denies all sessions of a role: leave it out, or the scope";
            return wrong("scope", message);
        }
        if rule.contested == Some(WhenContested::KeepQuarantine) && has_no_quarantine {
            return wrong("contested", NOTHING_TO_KEEP);
        }
        if rule.scope == Scope::Session && !rule.remedies.iter().any(|one| revokes.contains(one)) {
            let message =
                "scope = \"session\" is for the remedies \"role_sessions\" and \"organization_deny\"";
            return wrong("scope", message);
        }
    }
    Ok(rules)
}

/// The first name that was there before, and its number.
fn named_twice<'a>(names: impl Iterator<Item = &'a str>) -> Option<(usize, &'a str)> {
    let mut before = HashSet::new();
    names.enumerate().find(|(_, name)| !before.insert(*name))
}

#[cfg(test)]
mod tests;
