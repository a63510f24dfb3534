//! Tickets: one for each incident, opened, updated and closed.
//!
//! The ledger says what was opened: before a ticket is opened there is an entry that it is about to be, and one that it
//! was after that. Between the two a process can die, and an answer can be lost. Then the ticket is searched for by its
//! mark before another is opened.

use super::link::Console;
use super::rest::{Failure, TicketRef};
use super::tracker::Tracker;
use super::write_back::UNTIL_READ;
use super::{Notice, Undelivered, text};
use crate::aws::Hub;
use crate::backoff::Backoff;
use crate::config::{Channel, TicketSystem, Topic};
use crate::incident::{Incident, IncidentState};
use crate::ledger::{Ledger, LedgerError, Reader};
use crate::remediation::{Draft, Event, Subject, Ticket, TicketStep};
use jiff::{SignedDuration, Timestamp};
use std::collections::{BTreeMap, BTreeSet};
use std::fmt::Write;
use std::time::{Duration, Instant};
use tokio::sync::Mutex;

/// Time after which a search shows a ticket that was opened: Jira's index follows its issues.
const UNTIL_FOUND: SignedDuration = SignedDuration::from_secs(10);

/// Interval between two looks at an incident that is not closed: sessions end without an entry.
const OPEN: Duration = Duration::from_mins(10);

/// Delays after a ticket could not be closed.
const BACKOFF: Backoff = Backoff { first: Duration::from_secs(30), longest: Duration::from_hours(1) };

/// Number of entries that are read together.
const BATCH: usize = 1000;

/// Opens and closes the tickets of all channels that have some.
pub(super) struct Tickets {
    hub: Hub,
    ledger: Ledger,
    reader: Reader,
    client: reqwest::Client,
    console: Console,
    /// Whether CloudTrail is read for what the thief did.
    is_pursued: bool,
    /// By channel.
    watches: Mutex<BTreeMap<String, Watch>>,
}

/// The tickets of a channel that are open.
#[derive(Default)]
struct Watch {
    /// What was recorded up to this entry was looked at.
    seq: i64,
    /// By their marks.
    open: BTreeMap<String, Open>,
}

/// A ticket that is open.
struct Open {
    ticket: Ticket,
    subject: Subject,
    /// When its incident is looked at.
    due: Instant,
    /// How often closing it failed in a row.
    failures: u32,
}

/// Why a notice did not get into a ticket.
#[derive(Debug, thiserror::Error)]
pub(super) enum NoTicket {
    #[error(transparent)]
    Ledger(#[from] LedgerError),
    #[error(transparent)]
    Undelivered(#[from] Undelivered),
}

impl From<Failure> for NoTicket {
    fn from(failure: Failure) -> Self {
        Self::Undelivered(failure.into())
    }
}

impl Tickets {
    pub fn new(
        hub: Hub,
        ledger: Ledger,
        client: reqwest::Client,
        console: Console,
        is_pursued: bool,
    ) -> Result<Self, LedgerError> {
        let reader = ledger.reader()?;
        Ok(Self { hub, ledger, reader, client, console, is_pursued, watches: Mutex::default() })
    }

    /// Puts a notice into the ticket of its incident. What is about no remediation has no ticket.
    pub async fn deliver(
        &self,
        channel: &Channel,
        system: &TicketSystem,
        notice: &Notice,
    ) -> Result<(), NoTicket> {
        let Some(remediation) = &notice.remediation else { return Ok(()) };
        let Some(incident) = self.reader.incident_of(remediation)? else { return Ok(()) };
        let steps = self.steps(channel, &incident)?;
        let tracker = Tracker::new(&self.client, system);
        let subject = self.reader.remediation(remediation)?.subject();
        let last = steps.last().map(|(at, ticket)| (*at, ticket.step));
        if let Some(ticket) = current(&steps) {
            match self.update(&tracker, &subject, &ticket, last.map(|(_, step)| step), notice).await {
                // Somebody deleted it: what is urgent gets another.
                Err(Found::Missing) => self.record(&subject, TicketStep::Gone, &ticket).await?,
                Err(Found::Other(why)) => return Err(why),
                Ok(()) => return Ok(()),
            }
        }
        let opening = last.filter(|(_, step)| *step == TicketStep::Opening);
        if opening.is_none() && !is_urgent(notice.topic) {
            return Ok(());
        }
        if let Some((at, _)) = opening {
            let left = UNTIL_FOUND - Timestamp::now().duration_since(at);
            if left.is_positive() {
                let why = "whether the ticket was opened is looked up in a moment: the answer was lost";
                let retry_after = Some(left.unsigned_abs());
                return Err(Undelivered { retry_after, ..Undelivered::new(why) }.into());
            }
        }
        let mark = steps
            .iter()
            .rev()
            .find(|(_, ticket)| ticket.step == TicketStep::Opening)
            .map_or_else(|| format!("rescind-{incident}"), |(_, ticket)| ticket.mark.clone());
        let mut ticket =
            Ticket { step: TicketStep::Opening, channel: channel.name.clone(), mark, key: None, id: None };
        let found = if let Some(found) = tracker.find(&ticket.mark).await? {
            found
        } else {
            self.record(&subject, TicketStep::Opening, &ticket).await?;
            let page = self.console.incident(&incident);
            tracker.open(&ticket.mark, notice, page.as_ref()).await.map_err(|failure| {
                let why = Undelivered::from(failure);
                // It may have been opened all the same.
                let pause = why.retry_after.unwrap_or_default().max(UNTIL_FOUND.unsigned_abs());
                Undelivered { retry_after: Some(pause), ..why }
            })?
        };
        (ticket.key, ticket.id) = (Some(found.key), found.id);
        self.record(&subject, TicketStep::Opened, &ticket).await?;
        Ok(())
    }

    /// Comments on a ticket, and opens it again when the thief goes on.
    async fn update(
        &self,
        tracker: &Tracker<'_>,
        subject: &Subject,
        ticket: &Ticket,
        step: Option<TicketStep>,
        notice: &Notice,
    ) -> Result<(), Found> {
        let known = known(ticket);
        let goes_on = step == Some(TicketStep::Closed) && is_urgent(notice.topic);
        let mut text = text::body(notice);
        if goes_on && !tracker.reopen(&known).await? {
            text.insert_str(
                0,
                "The incident is open again. Open this ticket again: its workflow does not let rescind.\n",
            );
        }
        tracker.comment(&known, &text).await?;
        if goes_on {
            self.record(subject, TicketStep::Reopened, ticket)
                .await
                .map_err(|error| Found::Other(error.into()))?;
        }
        Ok(())
    }

    /// Closes the tickets of a channel whose incidents are closed. Gives why one could not be.
    pub async fn close(
        &self,
        channel: &Channel,
        system: &TicketSystem,
    ) -> Result<Result<usize, Undelivered>, LedgerError> {
        let mut watches = self.watches.lock().await;
        let watch = watches.entry(channel.name.clone()).or_default();
        self.catch_up(channel, watch)?;
        let tracker = Tracker::new(&self.client, system);
        let (mut closed, mut problem) = (0, None);
        for open in watch.open.values_mut().filter(|open| open.due <= Instant::now()) {
            open.due = Instant::now() + OPEN;
            let Some(over) = self.over(&open.subject)? else { continue };
            let page = self.console.incident(&over.id);
            let step = match tracker.close(&known(&open.ticket), &summary(&over), page.as_ref()).await {
                Ok(()) => TicketStep::Closed,
                Err(Failure::Missing(_)) => TicketStep::Gone,
                Err(Failure::Other(why)) => {
                    open.failures = open.failures.saturating_add(1);
                    let pause = BACKOFF.after(open.failures).max(why.retry_after.unwrap_or_default());
                    open.due = Instant::now() + pause;
                    tracing::warn!(channel = channel.name, "a ticket is not closed: {why}");
                    problem = Some(why);
                    continue;
                }
            };
            self.record(&open.subject, step, &open.ticket).await?;
            closed += 1;
        }
        Ok(problem.map_or(Ok(closed), Err))
    }

    /// Reads what was opened and closed since, and which incidents something is new of.
    fn catch_up(&self, channel: &Channel, watch: &mut Watch) -> Result<(), LedgerError> {
        let last = self.reader.last()?;
        if last == watch.seq {
            return Ok(());
        }
        let new: BTreeSet<String> = match watch.seq {
            0 => BTreeSet::new(),
            seq => self.reader.incidents_after(seq)?.into_iter().collect(),
        };
        let mut seq = watch.seq;
        loop {
            let entries = self.reader.of_kinds_after(&["ticket"], seq, BATCH)?;
            let Some(end) = entries.last().map(|entry| entry.seq) else { break };
            for entry in entries {
                let (Event::Ticket(ticket), subject) = (entry.event, entry.subject) else { continue };
                if ticket.channel != channel.name {
                    continue;
                }
                match ticket.step {
                    TicketStep::Opening => {}
                    TicketStep::Opened | TicketStep::Reopened => {
                        let open = Open { ticket, subject, due: Instant::now(), failures: 0 };
                        watch.open.insert(open.ticket.mark.clone(), open);
                    }
                    TicketStep::Closed | TicketStep::Gone => drop(watch.open.remove(&ticket.mark)),
                }
            }
            seq = end;
        }
        for open in watch.open.values_mut().filter(|open| open.failures == 0) {
            let Some(id) = &open.subject.remediation else { continue };
            if self.reader.incident_of(id)?.is_some_and(|incident| new.contains(&incident)) {
                open.due = Instant::now();
            }
        }
        watch.seq = last;
        Ok(())
    }

    /// The incident that this is about, if it is closed, and CloudTrail does not have more to show.
    fn over(&self, subject: &Subject) -> Result<Option<Incident>, LedgerError> {
        let Some(remediation) = &subject.remediation else { return Ok(None) };
        let Some(id) = self.reader.incident_of(remediation)? else { return Ok(None) };
        let now = self.hub.clock().now();
        let incident = Incident::read(&self.reader, &id, now)?;
        let Some(incident) = incident.filter(|one| one.state == IncidentState::Closed) else {
            return Ok(None);
        };
        if self.is_pursued {
            for member in &incident.remediations {
                let accepted = self.reader.remediation(&member.remediation)?.accepted_at();
                if accepted.is_some_and(|at| now.duration_since(at) < UNTIL_READ) {
                    return Ok(None);
                }
            }
        }
        Ok(Some(incident))
    }

    /// The steps of a channel's tickets for an incident, in order.
    fn steps(&self, channel: &Channel, incident: &str) -> Result<Vec<(Timestamp, Ticket)>, LedgerError> {
        let mut steps = Vec::new();
        for remediation in self.reader.remediations_of(incident)? {
            for entry in self.reader.steps_of(&remediation)? {
                if let Event::Ticket(ticket) = entry.event
                    && ticket.channel == channel.name
                {
                    steps.push((entry.seq, entry.time, ticket));
                }
            }
        }
        steps.sort_by_key(|(seq, ..)| *seq);
        Ok(steps.into_iter().map(|(_, at, ticket)| (at, ticket)).collect())
    }

    async fn record(&self, subject: &Subject, step: TicketStep, ticket: &Ticket) -> Result<(), LedgerError> {
        let event = Event::Ticket(Ticket { step, ..ticket.clone() });
        self.ledger.append(Draft { subject: subject.clone(), event }).await.map(|_| ())
    }
}

/// What was found of a ticket that is not as it should be.
enum Found {
    /// It is not there any more.
    Missing,
    Other(NoTicket),
}

impl From<Failure> for Found {
    fn from(failure: Failure) -> Self {
        match failure {
            Failure::Missing(_) => Self::Missing,
            other @ Failure::Other(_) => Self::Other(other.into()),
        }
    }
}

/// The ticket that there is, opened or closed: none before it was opened, and after it was deleted. Where incidents
/// became one there are several, and the latest step says which is worked on.
fn current(steps: &[(Timestamp, Ticket)]) -> Option<Ticket> {
    let last = steps.iter().map(|(_, ticket)| ticket).rfind(|ticket| ticket.key.is_some())?;
    (last.step != TicketStep::Gone).then(|| last.clone())
}

fn known(ticket: &Ticket) -> TicketRef {
    let key = ticket.key.clone().unwrap_or_else(|| ticket.mark.clone());
    TicketRef { key, id: ticket.id.clone() }
}

/// It is worth a ticket by itself. The rest is only added to one.
fn is_urgent(topic: Topic) -> bool {
    matches!(topic, Topic::Revoked | Topic::Held | Topic::NotRevoked | Topic::Alert)
}

/// What became of an incident, for those who close its ticket.
fn summary(incident: &Incident) -> String {
    let mut text = format!("The incident {} is closed: no session is open, and no door.", incident.id);
    for one in &incident.remediations {
        let _ = write!(text, "\n{} in {}: {} ({})", one.principal, one.account, one.state, one.remediation);
    }
    text
}
