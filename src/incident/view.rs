//! An incident: all that hangs together with one theft.

use super::door::{DoorStatus, IncidentDoor};
use super::graph::Graph;
use super::moment::Moment;
use super::outcome::SessionStatus;
use super::session::Session;
use crate::ident::{AccountId, Region};
use crate::org::AccountNames;
use crate::plural::counted;
use crate::remediation::{CallCount, RegionUnread, State};
use crate::trail::{Activity, Door};
use clap::ValueEnum;
use jiff::Timestamp;
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};
use std::collections::BTreeMap;
use std::fmt;

/// All that hangs together with one theft.
#[derive(Debug, Clone, Serialize, Deserialize, JsonSchema)]
#[schemars(title = "An incident")]
pub struct Incident {
    /// Id of the incident.
    #[serde(rename = "incident")]
    pub id: String,
    /// Where it stands.
    pub state: IncidentState,
    /// When the first finding was decided about.
    pub opened_at: Timestamp,
    /// What a person must do now, in order.
    pub to_do: Vec<String>,
    /// The remediations, oldest first.
    pub remediations: Vec<Member>,
    /// Names of the accounts that it is about, as far as they are known.
    #[serde(default)]
    #[schemars(with = "BTreeMap<String, String>")]
    pub account_names: BTreeMap<AccountId, String>,
    /// The credentials that the thief has or opened, oldest first.
    pub sessions: Vec<Session>,
    /// What he made to come back by.
    pub doors: Vec<IncidentDoor>,
    /// What he turned off, so that others do not see what is done.
    pub blinds: Vec<IncidentDoor>,
    /// The secrets and data that he took.
    pub taken: Vec<Taken>,
    /// What he tried in vain.
    pub denied: Denied,
    /// All his calls, by region and name, those that matter among them.
    pub looks: BTreeMap<String, BTreeMap<String, CallCount>>,
    /// Where CloudTrail cannot be read.
    pub unread: Vec<Unread>,
    /// What else of CloudTrail was not read, in words.
    pub not_read: Vec<String>,
    /// The access keys by which CloudTrail is read.
    pub keys: Vec<KeyRead>,
    /// How one thing led to another.
    pub graph: Graph,
    /// What the thief did and what rescind did, in order.
    pub timeline: Vec<Moment>,
}

/// Where an incident stands.
// The texts of the states are what `--help` shows.
#[derive(
    Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize, JsonSchema, ValueEnum,
)]
#[serde(rename_all = "snake_case")]
pub enum IncidentState {
    /// a session of the thief is not denied, or a remediation is not finished
    Open,
    /// all sessions are denied or have ended; doors are open
    Contained,
    /// no door is open
    Closed,
}

impl fmt::Display for IncidentState {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.serialize(f)
    }
}

/// A remediation of an incident.
#[derive(Debug, Clone, Serialize, Deserialize, JsonSchema)]
pub struct Member {
    /// Id of the remediation.
    pub remediation: String,
    /// Where it stands.
    pub state: State,
    /// Whose credentials it is about.
    pub principal: String,
    /// The account of the principal.
    pub account: AccountId,
    /// The only session that it denies.
    pub session: Option<String>,
    /// When it was decided.
    pub opened_at: Timestamp,
    /// The call that led to it; none when a finding of GuardDuty did.
    pub call: Option<String>,
    /// The access key that signed that call.
    pub by: Option<String>,
    /// Who ordered it, when an order led to it.
    #[serde(skip)]
    pub ordered_by: Option<String>,
    /// Whether rescind can carry it out.
    pub is_supported: bool,
}

/// Something that the thief took.
#[derive(Debug, Clone, Serialize, Deserialize, JsonSchema)]
pub struct Taken {
    /// The call.
    pub activity: Activity,
    /// What to do about it.
    pub advice: Option<Door>,
}

/// What the thief tried in vain.
#[derive(Debug, Clone, Default, Serialize, Deserialize, JsonSchema)]
pub struct Denied {
    /// Calls that failed or were denied, by name.
    pub calls: BTreeMap<String, u64>,
    /// The latest of those that would have mattered.
    pub latest: Vec<Activity>,
}

/// CloudTrail of a region that cannot be read.
#[derive(Debug, Clone, Serialize, Deserialize, JsonSchema)]
pub struct Unread {
    /// The account.
    pub account: AccountId,
    /// The access key.
    pub access_key: String,
    /// The region, why it cannot be read, and what to do about it.
    #[serde(flatten)]
    pub region: RegionUnread,
}

/// How far CloudTrail was read by an access key.
#[derive(Debug, Clone, Serialize, Deserialize, JsonSchema)]
pub struct KeyRead {
    /// The account.
    pub account: Option<AccountId>,
    /// The access key.
    pub access_key: String,
    /// Up to when every region in which something was found was read; none when nothing was found.
    pub until: Option<Timestamp>,
    /// The key is dead, and everything that CloudTrail has of it was read.
    pub ended: bool,
    /// The regions in which calls were found.
    pub regions: Vec<Region>,
}

impl Incident {
    /// CloudTrail was not searched, and nothing is known of what was made with the credentials.
    #[must_use]
    pub fn is_unsearched(&self) -> bool {
        self.looks.is_empty() && self.doors.is_empty() && self.blinds.is_empty()
    }

    /// The same, with the names of its accounts.
    #[must_use]
    pub fn named(mut self, names: &AccountNames) -> Self {
        let accounts = self.remediations.iter().map(|one| &one.account);
        let accounts = accounts.chain(self.sessions.iter().filter_map(|one| one.account.as_ref()));
        let of = |account: &AccountId| names.of(account).map(|name| (account.clone(), name));
        self.account_names = accounts.filter_map(of).collect();
        self
    }

    /// The doors that are open, and the eyes that are closed.
    pub fn open_doors(&self) -> impl Iterator<Item = &IncidentDoor> {
        self.doors.iter().chain(&self.blinds).filter(|door| door.status == DoorStatus::Open)
    }

    /// CloudTrail showed nothing, and there is one remediation: that says all of it.
    #[must_use]
    pub fn is_plain(&self) -> bool {
        let found = self.doors.len() + self.blinds.len() + self.taken.len() + self.denied.latest.len();
        self.remediations.len() == 1
            && found + self.unread.len() + self.not_read.len() == 0
            && self.sessions.iter().all(|session| session.is_stolen)
    }

    pub(super) fn state_of(&self) -> IncidentState {
        let is_unfinished = |member: &Member| member.state.is_open() && member.state != State::Retiring;
        let is_open = self.sessions.iter().any(|session| session.is_open)
            || self.remediations.iter().any(is_unfinished);
        match (is_open, self.open_doors().next()) {
            (true, _) => IncidentState::Open,
            (false, Some(_)) => IncidentState::Contained,
            (false, None) => IncidentState::Closed,
        }
    }

    pub(super) fn things_to_do(&self) -> Vec<String> {
        let id = &self.id;
        let held = |is_supported: bool| {
            self.remediations
                .iter()
                .filter(move |one| one.state == State::Held && one.is_supported == is_supported)
        };
        let (approvable, doors) = (held(true).count(), self.open_doors().count());
        let mut all = Vec::new();
        if approvable > 0 {
            let are = if approvable == 1 { "is" } else { "are" };
            all.push(format!(
                "{} {are} held: `rescind approve --incident {id} --by NAME --reason TEXT`",
                counted(approvable, "remediation")
            ));
        }
        all.extend(held(false).map(|one| {
            format!(
                "rescind cannot revoke {} in {}: `rescind show {}` has what to do",
                one.principal, one.account, one.remediation
            )
        }));
        let stuck =
            self.remediations.iter().filter(|one| matches!(one.state, State::Blocked | State::Failed));
        all.extend(stuck.map(|one| {
            format!(
                "{} in {} is {}: `rescind show {}` has what to do",
                one.principal, one.account, one.state, one.remediation
            )
        }));
        let is_left = |one: &&Session| one.is_open && one.status == SessionStatus::NotDenied;
        let left = self.sessions.iter().filter(is_left).count();
        if left > 0 {
            let are = if left == 1 { "is" } else { "are" };
            all.push(format!(
                "{} {are} not denied, each for the reason below: revoke by hand what must not go on",
                counted(left, "session")
            ));
        }
        if doors > 0 {
            let are = if doors == 1 { "is" } else { "are" };
            all.push(format!(
                "{} {are} open: close each by its commands, in the order below, then `rescind incident done {id} DOOR --by NAME --reason TEXT`",
                counted(doors, "door")
            ));
        }
        if !self.unread.is_empty() {
            all.push("CloudTrail cannot be read everywhere: what is not known is listed below".to_owned());
        }
        all
    }
}
