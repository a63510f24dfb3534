//! The sessions and keys that the thief has or opened, and what became of each.

use super::door::{DoorStatus, IncidentDoor};
use super::names::Named;
use super::outcome::{Outcome, SessionStatus};
use super::record::Record;
use crate::finding::{DerivedKind, Finding, UserType};
use crate::ident::AccountId;
use crate::ledger::{LedgerError, Reader};
use crate::remediation::Remediation;
use crate::trail::{Activity, Meaning, Thing};
use jiff::{SignedDuration, Timestamp};
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

/// Maximum life of a role's session (STS API Reference, AssumeRole).
const LONGEST_ROLE_SESSION: SignedDuration = SignedDuration::from_hours(12);

/// Maximum life of a session of AssumeRoot (STS API Reference).
const LONGEST_ROOT_SESSION: SignedDuration = SignedDuration::from_mins(15);

/// Maximum life of any other session: 36 hours, of GetSessionToken and GetFederationToken (STS API Reference).
const LONGEST_SESSION: SignedDuration = SignedDuration::from_hours(36);

/// What stands beside a console session that is denied.
const CONSOLE: &str = "whether a console session keeps the time at which its token was first issued is not known: if it does not, it lasts up to 12 hours";

/// Credentials that the thief has or opened.
#[derive(Debug, Clone, Serialize, Deserialize, JsonSchema)]
pub struct Session {
    /// What it is.
    pub thing: Thing,
    /// GuardDuty saw it in use, or an order names it: no call of the thief opened it.
    pub is_stolen: bool,
    /// Who ordered that it is revoked, when nobody saw it in use.
    #[serde(skip)]
    pub ordered_by: Option<String>,
    /// Whose it is, in words: `role web`.
    pub principal: String,
    /// The name of the session.
    #[serde(rename = "session")]
    pub name: Option<String>,
    /// The account of the principal.
    pub account: Option<AccountId>,
    /// The ARN of the session or the user, where it is known.
    pub arn: Option<String>,
    /// The access key.
    pub access_key: Option<String>,
    /// When it was opened; of what was stolen, when GuardDuty saw it first.
    pub at: Timestamp,
    /// The access key of the call that opened it.
    pub by: Option<String>,
    /// The call that opened it, or that GuardDuty saw.
    pub call: Option<String>,
    /// The address that the call came from.
    pub from: Option<String>,
    /// When it ends; none when it does not, or that is not known.
    pub expires: Option<Timestamp>,
    /// What became of it.
    pub status: SessionStatus,
    /// Why that is so.
    pub why: String,
    /// The remediation that takes care of it.
    pub remediation: Option<String>,
    /// The incident is open because of it.
    pub is_open: bool,
    /// A person has decided that it is not to be denied.
    #[serde(skip)]
    is_judged: bool,
}

/// All of them: those of the findings, and those that the thief's calls opened, oldest first.
pub(super) fn sessions(
    record: &Record,
    reader: &Reader,
    doors: &[IncidentDoor],
    now: Timestamp,
) -> Result<Vec<Session>, LedgerError> {
    let mut all: Vec<Session> = Vec::new();
    let own = record.members.iter().enumerate().map(|(number, member)| (number, &member.finding));
    let attached = record.attached.iter().map(|(number, finding)| (*number, finding));
    for (number, finding) in own.chain(attached).filter(|(_, finding)| finding.derived().is_none()) {
        let key = finding.principal.as_ref().and_then(|principal| principal.access_key_id.as_ref());
        let is_known = |one: &&mut Session| {
            one.account.as_ref() == Some(&finding.account) && one.access_key.as_ref() == key
        };
        match all.iter_mut().find(is_known) {
            Some(known) => known.at = known.at.min(first_seen(finding)),
            None => all.extend(record.members.get(number).map(|member| stolen(record, member, finding, now))),
        }
    }
    for activity in &record.activities {
        let opens = activity.meaning == Meaning::OpensSession || activity.thing == Thing::AccessKey;
        let key = activity.opened.as_ref().map(|opened| &opened.access_key);
        let is_known = |one: &Session| key.is_some() && one.access_key.as_ref() == key;
        if !opens || !activity.worked() || all.iter().any(is_known) {
            continue;
        }
        let door = doors.iter().find(|door| door.activity.event == activity.event);
        let outcome = match door {
            Some(door) => of_door(door),
            None => outcome(record, reader, activity, &all)?,
        };
        all.push(opened(activity, outcome, now));
    }
    Ok(all)
}

fn first_seen(finding: &Finding) -> Timestamp {
    finding.evidence.first_seen.unwrap_or(finding.last_seen()).min(finding.last_seen())
}

/// What was stolen.
fn stolen(record: &Record, member: &Remediation, finding: &Finding, now: Timestamp) -> Session {
    let principal = finding.principal.as_ref();
    let access_key = principal.and_then(|principal| principal.access_key_id.clone());
    let is_long_term = access_key.as_deref().is_some_and(|key| key.starts_with("AKIA"));
    let thing = match principal.map(|principal| &principal.user_type) {
        _ if is_long_term => Thing::AccessKey,
        Some(UserType::FederatedUser) => Thing::FederatedSession,
        Some(kind) if kind.is_role() => Thing::RoleSession,
        _ => Thing::UserSession,
    };
    let id = principal.and_then(|principal| principal.principal_id.as_deref());
    // CloudTrail has the ARN, once a call with the key was read.
    let call = record.activities.iter().find(|one| access_key.is_some() && one.by == access_key);
    let session = Session {
        thing,
        is_stolen: true,
        ordered_by: finding.cause.order().map(|order| order.from.to_string()),
        principal: member.target.principal(),
        name: id.and_then(|id| id.split_once(':')).map(|(_, name)| name.to_owned()),
        account: Some(finding.account.clone()),
        arn: call.and_then(|call| call.who.clone()),
        access_key,
        at: first_seen(finding),
        by: None,
        call: finding.evidence.api.clone(),
        from: finding.evidence.remote_ip.clone(),
        expires: None,
        status: SessionStatus::NotDenied,
        why: String::new(),
        remediation: None,
        is_open: false,
        is_judged: false,
    };
    session.with(Outcome::of(member), now)
}

/// What a call opened.
fn opened(activity: &Activity, outcome: Outcome, now: Timestamp) -> Session {
    let opened = activity.opened.as_ref();
    let arn = opened.and_then(|opened| opened.arn.clone()).or_else(|| activity.object.clone());
    let mut named = Named::of(arn.as_deref().or(activity.who.as_deref()).unwrap_or("?"));
    // A key is not its user.
    if activity.thing == Thing::AccessKey {
        named = match (activity.names.get("user"), activity.who.as_deref()) {
            (Some(user), _) => Named { account: None, principal: format!("user {user}"), session: None },
            (None, Some(who)) => Named::of(who),
            (None, None) => named,
        };
    }
    let account = named.account.and_then(|account| account.parse().ok()).or(activity.account.clone());
    let session = Session {
        thing: activity.thing,
        is_stolen: false,
        ordered_by: None,
        principal: named.principal,
        name: named.session,
        account,
        arn,
        access_key: opened.map(|opened| opened.access_key.clone()),
        at: activity.at,
        by: activity.by.clone(),
        call: Some(activity.call.clone()),
        from: activity.source_ip.clone(),
        expires: opened.and_then(|opened| opened.expires),
        status: SessionStatus::NotDenied,
        why: String::new(),
        remediation: None,
        is_open: false,
        is_judged: false,
    };
    session.with(outcome, now)
}

/// What became of a key that the thief made.
fn of_door(door: &IncidentDoor) -> Outcome {
    let (status, why) = match (door.status, &door.closed) {
        (DoorStatus::Open, _) => (SessionStatus::NotDenied, "the thief made it: see the doors".to_owned()),
        (DoorStatus::Contained, _) => (SessionStatus::Denied, "its user is denied everything".to_owned()),
        (DoorStatus::Closed, closed) => {
            let by = closed.as_ref().map(|closed| format!(" by {}: {}", closed.by, closed.reason));
            (SessionStatus::Ended, format!("closed{}", by.unwrap_or_default()))
        }
    };
    Outcome { status, why, remediation: door.remediation.clone(), is_judged: false }
}

/// What became of a session that a call opened.
fn outcome(
    record: &Record,
    reader: &Reader,
    activity: &Activity,
    before: &[Session],
) -> Result<Outcome, LedgerError> {
    let opened = activity.opened.as_ref();
    let key = opened.map(|opened| opened.access_key.as_str());
    match activity.thing {
        Thing::RoleSession if opened.is_some_and(|opened| opened.arn.is_some()) => {}
        Thing::RoleSession => {
            return Ok(Outcome::not_denied(
                "CloudTrail does not say which session it is: revoke the role's by hand",
            ));
        }
        Thing::RootSession => {
            return Ok(Outcome::not_denied(
                "nothing denies a session of AssumeRoot: it ends within 15 minutes",
            ));
        }
        // It is no occurrence of its own: the deny of those whose token it carries reaches it.
        _ => return Ok(carried(record, activity, before)),
    }
    Outcome::decided(
        record,
        reader,
        &DerivedKind::Session.occurrence_of(activity.call_id(), activity.at, key),
    )
}

/// What became of a session that carries the token of another one.
fn carried(record: &Record, activity: &Activity, before: &[Session]) -> Outcome {
    let parent = before.iter().rev().find(|one| activity.by.is_some() && one.access_key == activity.by);
    let Some(parent) = parent else {
        return Outcome::not_denied("the credentials that opened it are none of this incident");
    };
    let remediation = parent.remediation.clone();
    let member = remediation.as_deref().and_then(|id| record.member(id));
    let change = member.and_then(|member| member.change.as_ref());
    let note = if activity.thing == Thing::ConsoleSession { format!("; {CONSOLE}") } else { String::new() };
    let (status, why) = match parent.status {
        SessionStatus::Denied => {
            let reaches =
                change.is_none_or(|change| change.is_timeless() || change.cutoff.covers(activity.at));
            if reaches {
                (SessionStatus::Denied, format!("the deny of {} reaches it{note}", parent.principal))
            } else {
                let text =
                    "it was opened after the cutoff of the deny: revoke the principal's sessions again";
                (SessionStatus::NotDenied, text.to_owned())
            }
        }
        // It outlives the credentials that opened it.
        SessionStatus::Ended => (SessionStatus::NotDenied, "the deny that reached it has ended".to_owned()),
        status => (status, format!("as {}: {}", parent.principal, parent.why)),
    };
    let is_judged = parent.status == SessionStatus::NotDenied && parent.is_judged;
    Outcome { status, why, remediation, is_judged }
}

impl Session {
    /// When it ends by itself, if it does and that matters.
    #[must_use]
    pub fn ends(&self) -> Option<Timestamp> {
        let matters = matches!(self.status, SessionStatus::NotDenied | SessionStatus::Held);
        self.end().filter(|_| matters)
    }

    fn end(&self) -> Option<Timestamp> {
        let longest = match self.thing {
            Thing::RoleSession => LONGEST_ROLE_SESSION,
            Thing::RootSession => LONGEST_ROOT_SESSION,
            _ => LONGEST_SESSION,
        };
        let latest = self.at.saturating_add(longest).unwrap_or(Timestamp::MAX);
        let end = self.expires.map_or(latest, |end| end.min(latest));
        // What was stolen was opened at a time that nobody knows, and a long-term key does not end.
        let has_end = self.thing != Thing::AccessKey && (!self.is_stolen || self.thing == Thing::RoleSession);
        has_end.then_some(end)
    }

    fn with(mut self, outcome: Outcome, now: Timestamp) -> Self {
        let is_over = self.end().is_some_and(|end| end <= now);
        (self.status, self.why) = match outcome.status {
            SessionStatus::NotDenied | SessionStatus::Held if is_over => {
                (SessionStatus::Ended, "its token has run out".to_owned())
            }
            status => (status, outcome.why),
        };
        self.remediation = outcome.remediation;
        self.is_judged = outcome.is_judged;
        // A key that the thief made is a door.
        let is_door = self.thing == Thing::AccessKey && !self.is_stolen;
        self.is_open = !is_door
            && match self.status {
                SessionStatus::Denied | SessionStatus::Ended => false,
                SessionStatus::Held | SessionStatus::BeingRevoked => true,
                SessionStatus::NotDenied => !self.is_judged,
            };
        self
    }
}
