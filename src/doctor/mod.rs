//! Checks that everything is in place before a theft happens.
//!
//! Nothing is changed. Each account is entered with a session that can only read its own role; IAM's simulator
//! says what that role may do. Accounts and regions are checked in parallel.

mod accounts;
mod hub;
mod local;
mod log;
mod member;
mod organization_deny;
mod quarantine;
mod queue;
mod region;
mod rules;
mod running;
mod seal;
mod signing_key;
mod web;
mod witness;
mod write_back;

use crate::aws::{AwsClock, Hub};
use crate::config::{Config, OptOuts};
use crate::ident::{AccountId, Region};
use crate::ledger::Reader;
use crate::org::Account;
use crate::policies::Trusted;
use crate::remediation::{CallError, ErrorKind};
use futures::StreamExt;
use jiff::Timestamp;
use schemars::JsonSchema;
use serde::Serialize;
use std::collections::BTreeMap;

/// The seal lets only deployers change the role.
const BY_HAND: &str =
    "Update the stack set that created the role. By hand, as a principal that the seal (an SCP) exempts:";

/// How bad something is.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Serialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
pub enum Level {
    /// Credentials that are stolen there would not be revoked, or not for sure.
    Problem,
    /// It works, and somebody should look at it.
    Warning,
    Note,
}

/// Something that is not as it should be.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Serialize, JsonSchema)]
pub struct Problem {
    /// How bad it is.
    pub level: Level,
    /// Which check it is of: stable, for programs.
    pub code: &'static str,
    /// What is wrong: the same text wherever it is the same.
    pub text: String,
    /// What puts it right, as commands to paste; `ACCOUNT` stands for the account.
    pub fix: String,
    /// Where: an account, a region, a file.
    pub place: String,
}

impl Problem {
    fn new(
        level: Level,
        code: &'static str,
        place: impl std::fmt::Display,
        text: impl Into<String>,
        fix: impl Into<String>,
    ) -> Self {
        Self { level, code, text: text.into(), fix: fix.into(), place: place.to_string() }
    }
}

/// An account that is active.
#[derive(Debug, Clone, Serialize, JsonSchema)]
pub struct Member {
    pub account: AccountId,
    pub name: String,
    /// Its remediation role can be entered and may do what it must; none when that could not be read.
    pub ready: Option<bool>,
    /// An SCP keeps the remediation role and the quarantine there; none when that could not be read.
    pub sealed: Option<bool>,
}

/// An account in which nothing is to be done, by an opt-out of the account as a whole.
#[derive(Debug, Clone, Serialize, JsonSchema)]
pub struct LeftOut {
    pub account: AccountId,
    /// Name of the opt-out that excludes the account.
    pub by: String,
}

/// A region that is watched.
#[derive(Debug, Clone, Serialize, JsonSchema)]
pub struct Watched {
    pub region: Region,
    /// GuardDuty there, in the hub's account.
    pub guardduty: GuardDuty,
    /// Number of active accounts that send their findings; none when that could not be read.
    pub sending: Option<usize>,
    /// Number of them that are ready as well: a theft there is seen and can be revoked.
    pub covered: usize,
}

/// GuardDuty's detector in a region of the hub's account.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
pub enum GuardDuty {
    Enabled,
    /// It is there, and does not look at anything.
    Suspended,
    NotEnabled,
    /// It could not be read whether there is one, or what it does.
    Unknown,
}

#[derive(Debug, Serialize, JsonSchema)]
pub struct Diagnosis {
    /// When it was looked.
    pub at: Timestamp,
    pub hub_account: AccountId,
    /// The accounts could be listed: without them nothing can be said of any.
    pub accounts_listed: bool,
    /// The active accounts, by id, without those that are left out.
    pub members: Vec<Member>,
    /// The accounts that an opt-out leaves out: they do not count.
    pub left_out: Vec<LeftOut>,
    pub regions: Vec<Watched>,
    /// How far this machine's clock is from AWS's: more than zero when AWS is ahead.
    pub clock_skew_ms: i64,
    /// What is not as it should be, the worst first.
    pub problems: Vec<Problem>,
}

impl Diagnosis {
    /// Pairs of an active account and a region, and those in which a theft is seen and can be answered.
    #[must_use]
    pub fn coverage(&self) -> (usize, usize) {
        (self.regions.iter().map(|one| one.covered).sum(), self.members.len() * self.regions.len())
    }

    /// Number of pairs for which AWS did not answer whether a theft would be seen there and could be revoked.
    #[must_use]
    pub fn unknown(&self) -> usize {
        let unread = self.members.iter().filter(|member| member.ready.is_none()).count();
        let of = |region: &Watched| match region.sending {
            None => self.members.len(),
            Some(0) => 0,
            Some(_) => unread,
        };
        self.regions.iter().map(of).sum()
    }

    /// Nothing keeps credentials from being revoked.
    #[must_use]
    pub fn is_green(&self) -> bool {
        let (covered, all) = self.coverage();
        covered == all && all > 0 && self.problems.iter().all(|problem| problem.level != Level::Problem)
    }
}

/// What is looked at.
pub struct Doctor<'a> {
    pub config: &'a Config,
    /// The hub. Its calls are recorded.
    pub hub: &'a Hub,
    pub reader: &'a Reader,
    /// The opt-outs, as far as their file can be read.
    pub opt_outs: OptOuts,
    /// Only these accounts; all when empty.
    pub only: Vec<AccountId>,
}

impl Doctor<'_> {
    /// Runs every check. `progress` receives the number of accounts and regions checked so far, and their total.
    pub async fn examine(&self, progress: &(dyn Fn(u64, u64) + Sync)) -> Diagnosis {
        let mut problems = self.local();
        problems.extend(self.rules());
        problems.extend(self.running());
        problems.extend(self.brought_in_vain());
        let regions = self.regions(&mut problems).await;
        let (listed, left_out, management) = match self.accounts(&mut problems).await {
            Some((accounts, left_out, management)) => (Some(accounts), left_out, Some(management)),
            None => (None, Vec::new(), None),
        };
        let accounts_listed = listed.is_some();
        let accounts = listed.unwrap_or_default();
        let trusted = self.trusted(&mut problems).await;
        let total = (accounts.len() + regions.len()) as u64;
        let done = std::sync::atomic::AtomicU64::new(0);
        let tick = || progress(done.fetch_add(1, std::sync::atomic::Ordering::Relaxed) + 1, total);
        progress(0, total);
        let watching = async {
            let looks = regions.iter().map(|region| async {
                let looked = self.region(region, &accounts).await;
                tick();
                looked
            });
            futures::future::join_all(looks).await
        };
        let entering = futures::stream::iter(&accounts)
            .map(|account| async {
                let looked = self.member(account, trusted.as_ref()).await;
                tick();
                looked
            })
            .buffer_unordered(self.config.concurrency)
            .collect::<Vec<_>>();
        let controlling = async {
            let Some(management) = &management else { return Default::default() };
            let read = self.hub.service_controls().await;
            let controls = read.as_deref().unwrap_or_default();
            futures::join!(
                self.seals(&accounts, management, read.as_deref()),
                self.organization_deny(&accounts, management, trusted.as_ref(), controls),
            )
        };
        let (watched, entered, queue, log, keys, web, administrator, placement, (seals, deny)) = futures::join!(
            watching,
            entering,
            self.queue(),
            self.log(),
            async { [self.signing_key().await, self.witness().await].concat() },
            self.web(),
            self.administrator(),
            self.placement(),
            controlling,
        );
        problems.extend(queue);
        problems.extend(log);
        problems.extend(keys);
        problems.extend(web);
        problems.extend(administrator.into_iter().chain(placement));
        problems.extend(seals.problems.into_iter().chain(deny));
        let mut members = BTreeMap::new();
        for mut looked in entered {
            problems.extend(looked.problems);
            looked.member.sealed =
                seals.sealed.as_ref().map(|sealed| sealed.contains(&looked.member.account));
            members.insert(looked.member.account.clone(), looked.member);
        }
        let mut by_region = Vec::new();
        for (region, looked) in regions.iter().zip(watched) {
            problems.extend(looked.problems);
            let is_sending = |member: &&Member| {
                looked.sending.as_ref().is_some_and(|sending| sending.contains(&member.account))
            };
            let sending = members.values().filter(is_sending);
            let covered = sending.clone().filter(|member| member.ready == Some(true)).count();
            by_region.push(Watched {
                region: region.clone(),
                guardduty: looked.guardduty,
                sending: looked.sending.as_ref().filter(|_| accounts_listed).map(|_| sending.count()),
                covered: if looked.findings_read { covered } else { 0 },
            });
        }
        problems.extend(clock(self.hub.clock()));
        for problem in &mut problems {
            problem.fix = self.with_config(&problem.fix);
        }
        problems.sort();
        Diagnosis {
            at: Timestamp::now(),
            hub_account: self.hub.identity().account.clone(),
            accounts_listed,
            members: members.into_values().collect(),
            left_out,
            regions: by_region,
            clock_skew_ms: i64::try_from(self.hub.clock().ahead().as_millis()).unwrap_or(i64::MAX),
            problems,
        }
    }

    /// Commands of rescind's with the file that this one was started with.
    fn with_config(&self, fix: &str) -> String {
        let file = &self.config.file;
        if *file == std::path::Path::new(crate::config::FILE) {
            return fix.to_owned();
        }
        let commands = ["policies ", "ledger ", "drill ", "opt-out ", "status "];
        commands.iter().fold(fix.to_owned(), |fix, command| {
            fix.replace(
                &format!("rescind {command}"),
                &format!("rescind --config {} {command}", file.display()),
            )
        })
    }

    /// The principal that the members must trust, if that can be known.
    async fn trusted(&self, problems: &mut Vec<Problem>) -> Option<Trusted> {
        let identity = self.hub.identity();
        let role = crate::policies::role_of_caller(&identity.arn, identity.partition, &identity.account);
        let hub_role_arn = match role {
            Ok(arn) => arn,
            Err(why) => {
                problems.push(Problem::new(
                    Level::Warning,
                    "hub_is_no_role",
                    "hub",
                    format!("{why}: the members' trust cannot be compared, and long-lived credentials can be stolen"),
                    "Run rescind with the hub's role: policies/deployment/hub-role.yaml creates it.",
                ));
                return None;
            }
        };
        let organization = match self.hub.organization_id().await {
            Ok(id) => id,
            Err(error) => {
                let fix = crate::aws::hub_hint(&error, identity);
                let text = format!("the organization cannot be read: {error}");
                problems.push(Problem::new(
                    Level::Problem,
                    "organization_unreadable",
                    "organization",
                    text,
                    fix,
                ));
                return None;
            }
        };
        Some(Trusted {
            hub_role_arn,
            organization,
            external_id: self.config.member.external_id.clone(),
            source_identity: self.config.member.source_identity.clone(),
        })
    }
}

fn clock(clock: &AwsClock) -> Option<Problem> {
    let level = if clock.is_far_off() { Level::Problem } else { Level::Warning };
    Some(Problem::new(level, "clock", "hub", clock.difference()?, "timedatectl set-ntp true"))
}

/// A question that AWS did not answer: the permission is neither granted nor missing.
fn unread(account: &Account, what: &str, error: &CallError) -> Problem {
    let fix = match error.kind {
        ErrorKind::Denied => format!(
            "It needs {}. Give it the permissions of `rescind policies print member-role`.",
            error.action()
        ),
        _ if error.is_transient() => {
            "AWS does not answer: run `rescind doctor` again when it does.".to_owned()
        }
        _ => "Give it the permissions of `rescind policies print member-role`.".to_owned(),
    };
    Problem::new(
        Level::Problem,
        "role_unreadable",
        &account.id,
        format!("{what} could not be read: {error}"),
        fix,
    )
}
