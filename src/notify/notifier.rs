//! The notifier: sends what the ledger records to the channels, each at its own pace.

use super::digest::{TOGETHER, digest};
use super::link::Console;
use super::notice::{KINDS, notice};
use super::tickets::{NoTicket, Tickets};
use super::tracker::Tracker;
use super::{Notice, Undelivered, event_bus, sns, webhook};
use crate::aws::{Hub, within};
use crate::backoff::Backoff;
use crate::chain::chain;
use crate::config::{Channel, Config, Way};
use crate::ident::AccountId;
use crate::incident::Incident;
use crate::ledger::{Append, ChannelState, Ledger, LedgerError, Reader, SideTable};
use crate::org::Placement;
use crate::remediation::{Draft, Entry, Event, Target};
use jiff::Timestamp;
use std::collections::BTreeSet;
use std::sync::Arc;
use std::time::Duration;
use tokio_util::sync::CancellationToken;

/// Interval between two looks for new entries.
const LOOK: Duration = Duration::from_secs(1);

/// Number of entries that are read together.
const BATCH: usize = 200;

/// Delay before a message that failed is sent again.
const BACKOFF: Backoff = Backoff { first: Duration::from_secs(2), longest: Duration::from_mins(10) };

/// Maximum time that the notice of a revocation waits for its impact.
const WAIT_FOR_IMPACT: Duration = Duration::from_secs(8);

/// Maximum age of the OUs that were read.
const OUS_AGE: jiff::SignedDuration = jiff::SignedDuration::from_hours(1);

/// Timeout of delivering what is left at the end of a run.
const LAST: Duration = Duration::from_secs(15);

pub struct Notifier {
    hub: Hub,
    ledger: Ledger,
    reader: Reader,
    channels: Vec<Arc<Channel>>,
    /// Prefix of the ids of messages, which names the ledger.
    name: String,
    /// Where messages link to.
    console: Console,
    client: reqwest::Client,
    tickets: Tickets,
}

/// How the delivery of some messages ended.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Delivery {
    /// There was nothing to send.
    Nothing,
    /// Number of messages that were delivered.
    Taken(usize),
    /// They were not delivered.
    Failed(Undelivered),
}

/// Why notifications cannot be sent at all.
#[derive(Debug, thiserror::Error)]
pub enum NotifierError {
    /// The ledger, which knows what was sent.
    #[error(transparent)]
    Ledger(#[from] LedgerError),
    /// The client of webhooks.
    #[error("webhooks cannot be called")]
    Client(#[from] reqwest::Error),
}

impl Notifier {
    /// A notifier for the configured channels. A channel that is new begins with what happens from now on. `name` is that
    /// of the ledger.
    ///
    /// # Errors
    /// When the ledger cannot be used, or there is no TLS.
    pub async fn new(
        hub: Hub,
        ledger: Ledger,
        config: &Config,
        name: String,
    ) -> Result<Option<Self>, NotifierError> {
        let channels = &config.channels;
        if channels.is_empty() {
            return Ok(None);
        }
        let reader = ledger.reader()?;
        let known = reader.channels()?;
        let seq = reader.last()?;
        let new = channels.iter().filter(|channel| !known.iter().any(|state| state.name == channel.name));
        let beside = new.map(|channel| SideTable::Channel(ChannelState::at(&channel.name, seq))).collect();
        ledger.append(Append { beside, ..Append::default() }).await?;
        let client = webhook::client(hub.ca_bundle())?;
        let channels = channels.iter().cloned().map(Arc::new).collect();
        let console = Console::at(config.web.url.clone());
        let tickets =
            Tickets::new(hub.clone(), ledger.clone(), client.clone(), console.clone(), config.cloudtrail)?;
        Ok(Some(Self { hub, ledger, reader, channels, name, console, client, tickets }))
    }

    /// Sends until `stop` is cancelled. [`Self::flush`] sends what is left then.
    ///
    /// # Errors
    /// When the ledger cannot be read or written.
    pub async fn run(&self, stop: &CancellationToken) -> Result<(), LedgerError> {
        let each = self.channels.iter().map(|channel| self.keep_sending(channel, stop));
        futures::future::try_join_all(each).await.map(|_| ())
    }

    /// Sends what is waiting, and gives up after a while on channels that do not accept it.
    ///
    /// # Errors
    /// When the ledger cannot be read or written.
    pub async fn flush(&self) -> Result<(), LedgerError> {
        let each = self.channels.iter().map(|channel| async move {
            while let Delivery::Taken(_) = self.send_next(channel, true).await? {}
            self.close_tickets(channel).await
        });
        within(LAST, futures::future::try_join_all(each)).await.map_or(Ok(()), |done| done.map(|_| ()))
    }

    async fn keep_sending(&self, channel: &Channel, stop: &CancellationToken) -> Result<(), LedgerError> {
        loop {
            let pause = match self.send_next(channel, false).await? {
                Delivery::Taken(_) => continue,
                Delivery::Nothing => {
                    self.close_tickets(channel).await?;
                    LOOK
                }
                Delivery::Failed(why) => {
                    let failures = self.state(channel)?.failures;
                    BACKOFF.after(failures).max(why.retry_after.unwrap_or_default())
                }
            };
            tokio::select! {
                () = stop.cancelled() => return Ok(()),
                () = tokio::time::sleep(pause) => {}
            }
        }
    }

    /// Sends the next messages of a channel, and notes how far it has come.
    async fn send_next(&self, channel: &Channel, is_last: bool) -> Result<Delivery, LedgerError> {
        let state = self.state(channel)?;
        let entries = self.reader.of_kinds_after(&KINDS, state.seq, BATCH)?;
        let (mut notices, mut end) = (Vec::new(), state.seq);
        for entry in &entries {
            if !is_last && self.is_too_early(entry)? {
                break;
            }
            if let Some(notice) = notice(&self.name, &self.console, entry, &self.reader)? {
                let ous = match (&notice.account, channel.ous.is_empty()) {
                    (Some(account), false) => self.ous(account).await?,
                    _ => None,
                };
                if notice.is_for(channel, ous.as_deref()) {
                    notices.push(notice);
                }
            }
            end = entry.seq;
        }
        if end == state.seq {
            return Ok(Delivery::Nothing);
        }
        let mut sent = 0;
        // Each has a ticket of its own, or is a comment there.
        let is_ticket = matches!(channel.way, Way::Tickets(_));
        let messages = if notices.len() >= TOGETHER && !is_ticket {
            digest(&notices, &self.incidents(&notices)?, &self.console).into_iter().collect()
        } else {
            notices
        };
        for message in &messages {
            let sent_now = match self.send(channel, message).await {
                Ok(()) => Ok(()),
                Err(NoTicket::Undelivered(why)) => Err(why),
                Err(NoTicket::Ledger(error)) => return Err(error),
            };
            if let Err(why) = sent_now {
                tracing::warn!(channel = channel.name, failures = state.failures + 1, "not delivered: {why}");
                count(channel, "failed");
                // Those before it are not sent again.
                let seq = if sent == 0 { state.seq } else { message.entry - 1 };
                let failed = ChannelState {
                    name: channel.name.clone(),
                    seq,
                    failures: state.failures.saturating_add(1),
                    failed_since: Some(state.failed_since.unwrap_or_else(Timestamp::now)),
                    error: Some(why.to_string()),
                };
                self.keep(failed).await?;
                return Ok(Delivery::Failed(why));
            }
            count(channel, "taken");
            sent += 1;
        }
        self.keep(ChannelState::at(&channel.name, end)).await?;
        // What is not for this channel is passed over, and there may be more behind it.
        Ok(Delivery::Taken(sent))
    }

    /// The incidents that these notices are about.
    fn incidents(&self, notices: &[Notice]) -> Result<Vec<Incident>, LedgerError> {
        let mut ids = BTreeSet::new();
        for remediation in notices.iter().filter_map(|notice| notice.remediation.as_deref()) {
            ids.extend(self.reader.incident_of(remediation)?);
        }
        let now = Timestamp::now();
        ids.iter().filter_map(|id| Incident::read(&self.reader, id, now).transpose()).collect()
    }

    /// The OUs that an account is in, read within the hour if they can be. Findings are decided without
    /// them unless an opt-out names one, so nobody else may have asked.
    async fn ous(&self, account: &AccountId) -> Result<Option<Vec<String>>, LedgerError> {
        let known = self.reader.placement(account)?.filter(|placement| placement.ous.is_some());
        let is_fresh =
            |placement: &Placement| Timestamp::now().duration_since(placement.read_at).abs() < OUS_AGE;
        if known.as_ref().is_some_and(is_fresh) {
            return Ok(known.and_then(|placement| placement.ous));
        }
        match within(LAST, self.hub.placement(account, true)).await {
            Some(Ok(placement)) => {
                self.ledger.keep(SideTable::Placement(account.clone(), placement.clone()));
                Ok(placement.ous)
            }
            Some(Err(error)) => {
                tracing::warn!(%account, "the OUs cannot be read, so every channel is notified: {error}");
                Ok(known.and_then(|placement| placement.ous))
            }
            None => Ok(known.and_then(|placement| placement.ous)),
        }
    }

    /// It was revoked a moment ago, and its impact is being gathered.
    fn is_too_early(&self, entry: &Entry) -> Result<bool, LedgerError> {
        let (Event::Proof(_), Some(id)) = (&entry.event, &entry.subject.remediation) else {
            return Ok(false);
        };
        if Timestamp::now().duration_since(entry.time).unsigned_abs() > WAIT_FOR_IMPACT {
            return Ok(false);
        }
        let remediation = self.reader.remediation(id)?;
        Ok(Target::has_impact(&remediation.target.key()) && remediation.impact.is_none())
    }

    /// Sends one message.
    ///
    /// # Errors
    /// Why it was not delivered.
    async fn send(&self, channel: &Channel, notice: &Notice) -> Result<(), NoTicket> {
        match &channel.way {
            Way::Sns { topic, region } => sns::send(&self.hub, topic, region, notice).await?,
            Way::EventBridge { bus, region } => event_bus::send(&self.hub, bus, region, notice).await?,
            Way::Webhook { url, style, key } => {
                webhook::send(&self.client, url, *style, key.as_ref(), notice).await?;
            }
            Way::Tickets(system) => self.tickets.deliver(channel, system, notice).await?,
        }
        Ok(())
    }

    /// Closes the tickets whose incidents are closed. One that cannot be closed holds no message up.
    async fn close_tickets(&self, channel: &Channel) -> Result<(), LedgerError> {
        let Way::Tickets(system) = &channel.way else { return Ok(()) };
        let state = self.state(channel)?;
        match self.tickets.close(channel, system).await? {
            Ok(0) => Ok(()),
            Ok(_) if state.failures == 0 => Ok(()),
            Ok(_) => self.keep(ChannelState::at(&channel.name, state.seq)).await,
            Err(why) => {
                let failures = state.failures.saturating_add(1);
                let failed_since = Some(state.failed_since.unwrap_or_else(Timestamp::now));
                self.keep(ChannelState { failures, failed_since, error: Some(why.to_string()), ..state })
                    .await
            }
        }
    }

    /// Sends an alert that cannot be recorded now, once, and does not wait for channels that do not accept it.
    ///
    /// # Errors
    /// When the ledger cannot be read.
    pub async fn announce(&self, alert: Draft) -> Result<(), LedgerError> {
        let (seq, at) = (self.reader.last()?, Timestamp::now());
        let entry = Entry { seq, time: at, subject: alert.subject, event: alert.event };
        let Some(notice) = notice(&self.name, &self.console, &entry, &self.reader)? else { return Ok(()) };
        // No entry has this id.
        let notice = Notice { id: format!("{}-unrecorded-{}", self.name, at.as_millisecond()), ..notice };
        let wanted = self.channels.iter().filter(|channel| notice.is_for(channel, None));
        let each = wanted.map(|channel| async {
            let sent = self.send(channel, &notice).await;
            count(channel, if sent.is_ok() { "taken" } else { "failed" });
            if let Err(why) = sent {
                tracing::warn!(channel = channel.name, "not delivered: {why}");
            }
        });
        within(LAST, futures::future::join_all(each)).await;
        Ok(())
    }

    /// Sends a test message to one channel, or to all.
    pub async fn test(&self, wanted: Option<&str>) -> Vec<(String, Result<(), Undelivered>)> {
        let mut results = Vec::new();
        for channel in self.channels.iter().filter(|channel| wanted.is_none_or(|name| name == channel.name)) {
            let id = format!("{}-test-{}", self.name, Timestamp::now().as_millisecond());
            let notice = Notice::test(&id, &self.console);
            let sent = match &channel.way {
                Way::Tickets(system) => {
                    Tracker::new(&self.client, system).test(&notice).await.map_err(Undelivered::from)
                }
                _ => self.send(channel, &notice).await.map_err(|error| match error {
                    NoTicket::Undelivered(why) => why,
                    NoTicket::Ledger(error) => Undelivered::new(chain(&error)),
                }),
            };
            results.push((channel.name.clone(), sent));
        }
        results
    }

    fn state(&self, channel: &Channel) -> Result<ChannelState, LedgerError> {
        let known = self.reader.channels()?.into_iter().find(|state| state.name == channel.name);
        known.map_or_else(|| Ok(ChannelState::at(&channel.name, self.reader.last()?)), Ok)
    }

    async fn keep(&self, state: ChannelState) -> Result<(), LedgerError> {
        let beside = vec![SideTable::Channel(state)];
        self.ledger.append(Append { beside, ..Append::default() }).await.map(|_| ())
    }
}

fn count(channel: &Channel, result: &'static str) {
    let name = channel.name.clone();
    metrics::counter!("rescind_notifications_total", "channel" => name, "result" => result).increment(1);
}
