//! A notification, made from an entry of the ledger.

use super::link::{self, Console};
use crate::config::{Channel, Level, Topic};
use crate::finding::Cause;
use crate::ident::AccountId;
use crate::ledger::{LedgerError, Reader};
use crate::plural::counted;
use crate::remediation::{
    AlertCode, Cutoff, Disposition, Entry, Event, Means, Recorded, Remediation, Rung, State,
};
use crate::remedy::{aftercare, regional};
use crate::safe;
use jiff::Timestamp;
use serde::Serialize;
use url::Url;

/// Maximum length of a line, in characters.
const LONGEST_LINE: usize = 2000;

/// A notification, before it is formatted for a channel.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct Notice {
    /// Unique, and the same when it is sent again.
    pub id: String,
    /// Number of the ledger's entry that it is made from.
    pub entry: i64,
    /// What it is about.
    pub topic: Topic,
    /// How urgent it is.
    pub level: Level,
    pub at: Timestamp,
    /// One line, for a subject or a heading.
    pub title: String,
    /// What happened, line by line.
    pub text: Vec<String>,
    /// What the reader must do now, line by line.
    pub to_do: Vec<String>,
    /// The account, where it is about one.
    pub account: Option<AccountId>,
    /// Name of that account, where it is known.
    pub account_name: Option<String>,
    /// The role's name, or `user/NAME`.
    pub principal: Option<String>,
    pub remediation: Option<String>,
    /// State of the remediation.
    pub state: Option<State>,
    /// How far it is proved.
    pub proof: Option<Rung>,
    pub finding: Option<String>,
    pub finding_type: Option<String>,
    /// Its page in the console, where that has a configured address.
    pub link: Option<Url>,
}

/// The kinds of entries that a notification is made from.
pub const KINDS: [&str; 10] = [
    "proof",
    "settled",
    "proposed",
    "refused",
    "alert",
    "undone",
    "expired",
    "feed_failed",
    "reload_refused",
    "opt_outs_refused",
];

/// The notification for an entry; none when the entry has no news for a person.
///
/// # Errors
/// When the ledger cannot be read.
pub(super) fn notice(
    ledger: &str,
    console: &Console,
    entry: &Entry,
    reader: &Reader,
) -> Result<Option<Notice>, LedgerError> {
    let remediation = match &entry.subject.remediation {
        Some(id) => Some(reader.remediation(id)?),
        None => None,
    };
    let Some((topic, level, title, text, mut to_do)) = words(entry, remediation.as_ref()) else {
        return Ok(None);
    };
    let link = console.page(topic, entry.subject.remediation.as_deref());
    if let (Topic::Held, Some(page)) = (topic, &link) {
        to_do.insert(0, format!("Approve or reject: {}", link::answer(page)));
    }
    let names = reader.account_names()?;
    let finding_type = remediation.as_ref().map(|r| r.finding.finding_type.clone());
    Ok(Some(Notice {
        id: format!("{ledger}-{}", entry.seq),
        entry: entry.seq,
        topic,
        level,
        at: entry.time,
        title: one_line(&names.in_text(&title)),
        text: text.iter().map(|line| one_line(&names.in_text(line))).collect(),
        to_do: to_do.iter().map(|line| one_line(&names.in_text(line))).collect(),
        account_name: entry.subject.account.as_ref().and_then(|account| names.of(account)),
        account: entry.subject.account.clone(),
        principal: entry.subject.principal.as_deref().map(one_line),
        remediation: entry.subject.remediation.clone(),
        state: remediation.as_ref().map(|r| r.state),
        proof: remediation.and_then(|r| r.rung()),
        finding: entry.subject.finding.as_deref().map(one_line),
        finding_type: finding_type.as_deref().map(one_line),
        link,
    }))
}

type Words = (Topic, Level, String, Vec<String>, Vec<String>);

fn words(entry: &Entry, remediation: Option<&Remediation>) -> Option<Words> {
    match (&entry.event, remediation) {
        (Event::Alert { code, text, what_to_do }, _) => {
            let mut to_do = vec![what_to_do.clone()];
            if let (AlertCode::IamUnchangeable, Some(r)) = (code, remediation) {
                to_do.extend(regional(r, Cutoff::at(entry.time)));
            }
            let code = format!("Alert code: {code}.");
            Some((Topic::Alert, Level::Critical, text.clone(), vec![code], to_do))
        }
        // What is fought over is an alert, each time.
        (Event::Proof(_), Some(r)) if r.history.is_contested => None,
        (Event::Proof(proof), Some(r)) if proof.rung == Rung::Enforced => {
            let title = format!(
                "enforced: a call with the stolen key of {} in {} was denied",
                r.target.principal(),
                r.target.account
            );
            Some((Topic::Enforced, Level::Info, title, Vec::new(), Vec::new()))
        }
        // A rung higher is no other news.
        (Event::Proof(_), Some(r)) if first_proof(r).is_none_or(|at| at != entry.time) => None,
        (Event::Proof(_) | Event::Settled { .. }, Some(r)) => Some(revoked(r, entry.time)),
        (Event::Proposed { .. }, Some(r)) => Some(held(r)),
        (Event::Refused(refused), Some(r)) if refused.disposition != Disposition::Retry => {
            let title = format!("NOT revoked: {} in {}: {}", r.target, r.target.account, refused.reason);
            Some((
                Topic::NotRevoked,
                Level::Critical,
                title,
                about_finding(r),
                vec![refused.what_to_do.clone()],
            ))
        }
        (Event::Undone { note, .. }, Some(r)) => {
            let title = format!("{}: {} in {}", r.state, r.target, r.target.account);
            let asked = r
                .release()
                .map(|one| format!("Asked for by {}: {}", one.asked.answer.by, one.asked.answer.reason));
            let text = asked.into_iter().chain(note.clone()).collect();
            Some((Topic::Ended, Level::Info, title, text, Vec::new()))
        }
        (Event::Expired { reason }, Some(r)) => {
            let title = format!(
                "nothing needs the deny on {} in {} any more",
                r.target.principal(),
                r.target.account
            );
            Some((Topic::Ended, Level::Info, title, vec![reason.clone()], Vec::new()))
        }
        (Event::FeedFailed { error, what_to_do }, _) => {
            let title = format!("findings or accounts cannot be read: {error}");
            Some((Topic::Service, Level::Warning, title, Vec::new(), vec![what_to_do.clone()]))
        }
        (Event::ReloadRefused { error } | Event::OptOutsRefused { error }, _) => {
            let title = format!("a changed file was rejected; the previous version stays in effect: {error}");
            let to_do = "Mend the file: what was read before still applies.".to_owned();
            Some((Topic::Service, Level::Warning, title, Vec::new(), vec![to_do]))
        }
        _ => None,
    }
}

/// When it was proved first. A proof that the simulator contradicts raises an alert instead.
fn first_proof(r: &Remediation) -> Option<Timestamp> {
    r.proofs.iter().find(|proof| !proof.what.is_contradicted()).map(|proof| proof.at)
}

fn revoked(r: &Remediation, now: Timestamp) -> Words {
    let again = if r.recurrence.is_some() { "revoked AGAIN" } else { "revoked" };
    let title = format!("{again}: {} in {}", r.target, r.target.account);
    let mut text = about_finding(r);
    if let Some(change) = &r.change {
        text.push(format!("Denied: everything, to {}.", change.denied()));
        text.extend(change.key.as_ref().map(|key| format!("Deactivated: access key {}.", key.id)));
    }
    for Recorded { at, what: proof, .. } in &r.proofs {
        text.push(match r.since_activity(proof.at.unwrap_or(*at)) {
            Some(since) => format!(
                "Proof: {} {:.1} s after {}.",
                proof.rung,
                since.as_secs_f64(),
                r.finding.cause.beginning()
            ),
            None => format!("Proof: {}.", proof.rung),
        });
    }
    // Until somebody takes it away there is nothing to say but that it is there.
    let fought = r.in_force(now).filter(|one| !one.gaps.is_empty());
    text.extend(fought.map(|one| {
        let (gaps, seconds, of) = (counted(one.gaps.len(), "gap"), one.seconds, one.of_seconds);
        format!("In force for {seconds:.0} of {of:.0} seconds since the first put, with {gaps}.")
    }));
    text.extend(r.recurrence.as_ref().map(|recurrence| format!("RECURRING: {recurrence}.")));
    let instance = r.finding.evidence.instance_id.as_deref();
    text.extend(r.impact.iter().flat_map(|impact| r.impact_lines(impact)));
    let mut to_do = aftercare(&r.target, instance, r.recurrence.is_some());
    to_do.push(format!("To undo it: rescind release {} --by NAME --reason TEXT", r.id));
    let level = if r.recurrence.is_some() { Level::Critical } else { Level::Warning };
    (Topic::Revoked, level, title, text, to_do)
}

fn held(r: &Remediation) -> Words {
    let why = r.held_why().map_or("", |(_, why)| why);
    let title = format!("held for approval: {} in {}", r.target, r.target.account);
    let mut text = about_finding(r);
    text.push(format!("Why: {why}."));
    match r.proposal.as_ref().map(|proposal| (&proposal.change, &proposal.problem)) {
        Some((Some(change), _)) => {
            let whose = change.session.as_deref().unwrap_or("all sessions");
            text.push(if change.is_timeless() {
                format!("Approved, everything is denied to {} until it is released.", change.arn)
            } else {
                format!(
                    "Approved, everything is denied to {whose} of {} issued before that moment.",
                    change.arn
                )
            });
            if change.means != Means::InlinePolicy {
                text.push(format!("By: {}.", change.policy()));
            }
            text.extend(change.note.clone());
        }
        Some((None, Some(problem))) => {
            text.push(format!("The planned change could not be determined: {problem}"));
        }
        _ => {}
    }
    let to_do = vec![
        format!("rescind show {}", r.id),
        format!("rescind approve {} --by NAME --reason TEXT", r.id),
        format!("rescind reject {} --by NAME --reason TEXT", r.id),
    ];
    (Topic::Held, Level::Critical, title, text, to_do)
}

/// The finding and the principal, in words.
fn about_finding(r: &Remediation) -> Vec<String> {
    let (finding, evidence) = (&r.finding, &r.finding.evidence);
    let from: Vec<&str> = [&evidence.remote_ip, &evidence.remote_organization, &evidence.remote_country]
        .into_iter()
        .filter_map(|text| text.as_deref())
        .collect();
    let key = finding.principal.as_ref().and_then(|p| p.access_key_id.as_deref());
    let mut lines = vec![match &finding.cause {
        Cause::Order(order) => format!("Ordered by {}: {}", order.from, order.reason),
        Cause::Pursuit(_) => {
            format!("CloudTrail: {} in {}, {}.", finding.finding_type, finding.region, finding.id)
        }
        Cause::GuardDuty => {
            format!("GuardDuty: {} in {}, finding {}.", finding.finding_type, finding.region, finding.id)
        }
    }];
    let who = r.target.principal();
    lines.push(format!(
        "Credentials of {who} in account {}{}, {} {}{}.",
        r.target.account,
        key.map_or_else(String::new, |key| format!(" ({key})")),
        if finding.cause.order().is_some() { "ordered" } else { "last seen in use" },
        finding.last_seen().strftime("%Y-%m-%d %H:%M:%SZ"),
        if from.is_empty() { String::new() } else { format!(" from {}", from.join(", ")) }
    ));
    lines
}

impl Notice {
    /// A message that shows whether a channel works; it is about no entry.
    #[must_use]
    pub(super) fn test(id: &str, console: &Console) -> Self {
        Self {
            id: id.to_owned(),
            entry: 0,
            topic: Topic::Service,
            level: Level::Info,
            at: Timestamp::now(),
            title: "a test: notifications arrive here".to_owned(),
            text: vec!["Nothing has happened.".to_owned()],
            to_do: Vec::new(),
            account: None,
            account_name: None,
            principal: None,
            remediation: None,
            state: None,
            proof: None,
            finding: None,
            finding_type: None,
            link: console.page(Topic::Service, None),
        }
    }

    /// The address at which a person answers, when it asks for an answer.
    pub(super) fn answer(&self) -> Option<Url> {
        let page = self.link.as_ref().filter(|_| self.topic == Topic::Held && self.remediation.is_some());
        page.map(link::answer)
    }

    /// Whether it is for this channel. `ous` are those of the account, where they are known.
    #[must_use]
    pub fn is_for(&self, channel: &Channel, ous: Option<&[String]>) -> bool {
        let topic = channel.topics.is_empty() || channel.topics.contains(&self.topic);
        let account = channel.accounts.is_empty()
            || self.account.as_ref().is_some_and(|account| channel.accounts.contains(account));
        // A notice about no account goes to every channel; so does one whose account cannot be placed in an OU.
        let ou = channel.ous.is_empty()
            || ous.is_none_or(|ous| {
                channel.ous.iter().any(|wanted| ous.iter().any(|ou| ou == wanted.as_str()))
            });
        let principal = channel.principals.is_empty()
            || self
                .principal
                .as_deref()
                .is_some_and(|name| channel.principals.iter().any(|glob| glob.matches(name)));
        topic && self.level >= channel.min_level && account && ou && principal
    }
}

/// Text from outside, in one line.
fn one_line(text: &str) -> String {
    safe::short_line(text, LONGEST_LINE)
}
