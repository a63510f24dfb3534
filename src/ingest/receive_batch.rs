//! The messages that one receive gave, until each is settled.

use super::claim::{Claim, Verification, too_many};
use super::flood::Flood;
use super::intake::{IntakeSender, Stopped};
use super::verifier::Verifier;
use crate::aws::Message;
use crate::backoff::Backoff;
use crate::finding::{decode, is_one_sequence};
use crate::ident::Region;
use crate::ledger::LedgerError;
use crate::remediation::Origin;
use futures::StreamExt;
use futures::future::BoxFuture;
use futures::stream::FuturesUnordered;
use std::collections::BTreeMap;
use std::time::Duration;
use tokio::time::Instant;

/// Visibility timeout of a received message.
pub(super) const HIDDEN: Duration = Duration::from_secs(30);

/// Interval after which messages that are worked on are hidden again.
const HIDE_AGAIN: Duration = Duration::from_secs(10);

/// Backoff between two questions about the same finding.
const BACKOFF: Backoff = Backoff { first: Duration::from_secs(1), longest: Duration::from_secs(10) };

/// Maximum number of questions about a finding without an answer; then its message is given back.
const QUESTIONS: u32 = 4;

/// Visibility timeout of a message that is given back, by how often it came.
const GIVEN_BACK: Backoff = Backoff { first: Duration::from_mins(1), longest: Duration::from_mins(15) };

/// Visibility timeout of poison in a FIFO queue. It holds up what is behind it, so it soon goes its way to the
/// dead-letter queue.
const POISON: Duration = Duration::from_secs(1);

/// Maximum number of findings in a message, but for a sequence with many actors. EventBridge sends one; a custom action
/// of Security Hub's has as many as a person selected.
const MOST: usize = 50;

/// Interval between two looks whether somebody else has decided about a finding.
const LOOK_AGAIN: Duration = Duration::from_millis(500);

/// A message that is being worked on.
struct InFlightMessage {
    received: Message,
    /// How many of its findings are not settled.
    open: usize,
    /// It stays in the queue: it cannot be read, or was not decided.
    stays: bool,
    /// It is given back for so long.
    back: Option<Duration>,
    /// It was handed out to be deleted.
    leaves: bool,
    /// It was counted as settled.
    is_done: bool,
}

type Verifying<'a> = BoxFuture<'a, Result<Vec<(usize, Verification)>, LedgerError>>;

/// What they are worked on with.
#[derive(Clone, Copy)]
pub(super) struct Work<'a> {
    pub origin: &'a Origin,
    pub verifier: &'a Verifier,
    pub intake: &'a IntakeSender,
    pub flood: &'a Flood,
}

/// The messages that one receive gave.
pub(super) struct ReceiveBatch<'a> {
    all: Vec<InFlightMessage>,
    with: Work<'a>,
    is_fifo: bool,
    /// Claims, and when they are asked about.
    due: Vec<(Instant, Claim)>,
    verifying: FuturesUnordered<Verifying<'a>>,
    /// Findings that are being decided about here, and those that are elsewhere.
    decided: FuturesUnordered<BoxFuture<'a, (usize, Result<bool, Stopped>)>>,
    elsewhere: Vec<(usize, String)>,
    hide_again: Instant,
    is_hiding: bool,
    /// Requests to SQS that nothing waits for.
    chores: FuturesUnordered<BoxFuture<'a, ()>>,
}

/// What ends a wait of the batch.
pub(super) enum Happened {
    Verified(Vec<(usize, Verification)>),
    /// It was decided, or not; or nobody is there to decide.
    Decided(usize, Result<bool, Stopped>),
    /// It is time for a claim to be asked about again, or for the messages to be hidden longer.
    Time,
}

impl<'a> ReceiveBatch<'a> {
    pub fn open(messages: Vec<Message>, with: Work<'a>, is_fifo: bool) -> Self {
        let now = Instant::now();
        let (mut all, mut due) = (Vec::new(), Vec::new());
        for (of, message) in messages.into_iter().enumerate() {
            let body = message.body.as_bytes();
            let mut decoded = decode(body);
            if decoded.len() > MOST && !is_one_sequence(&decoded) {
                decoded = vec![Err(too_many(body, decoded.len()))];
            }
            decoded.iter().flatten().take(MOST).for_each(|claim| with.intake.announce(&claim.account));
            let open = decoded.len();
            due.extend(decoded.into_iter().map(|decoded| (now, Claim::new(of, &message.id, decoded))));
            all.push(InFlightMessage {
                received: message,
                open,
                stays: false,
                back: None,
                leaves: false,
                is_done: false,
            });
        }
        Self {
            all,
            with,
            is_fifo,
            due,
            verifying: FuturesUnordered::new(),
            decided: FuturesUnordered::new(),
            elsewhere: Vec::new(),
            hide_again: now + HIDE_AGAIN,
            is_hiding: false,
            chores: FuturesUnordered::new(),
        }
    }

    /// Runs a chore that nothing waits for.
    pub fn beside(&self, chore: impl Future<Output = ()> + Send + 'a) {
        self.chores.push(Box::pin(chore));
    }

    /// What is being done beside, to its end.
    pub async fn finish(&mut self) {
        while self.chores.next().await.is_some() {}
    }

    pub fn are_settled(&self) -> bool {
        self.all.iter().all(|message| message.open == 0)
    }

    /// Waits for the next thing that happens. It can be given up at any time.
    pub async fn next(&mut self) -> Result<Happened, LedgerError> {
        self.ask();
        let mut next = self.due.iter().map(|(at, _)| *at).fold(self.hide_again, Instant::min);
        if !self.elsewhere.is_empty() {
            next = next.min(Instant::now() + LOOK_AGAIN);
        }
        tokio::select! {
            Some(verified) = self.verifying.next(), if !self.verifying.is_empty() => Ok(Happened::Verified(verified?)),
            Some((of, is_decided)) = self.decided.next(), if !self.decided.is_empty() => {
                Ok(Happened::Decided(of, is_decided))
            }
            Some(()) = self.chores.next(), if !self.chores.is_empty() => Ok(Happened::Time),
            () = tokio::time::sleep_until(next) => Ok(Happened::Time),
        }
    }

    /// Asks about what is due: one question for each region, so that one does not wait for another.
    fn ask(&mut self) {
        let now = Instant::now();
        let all = std::mem::take(&mut self.due);
        let (due, later): (Vec<_>, Vec<_>) = all.into_iter().partition(|(at, _)| *at <= now);
        self.due = later;
        let mut by_region: BTreeMap<Option<Region>, Vec<Claim>> = BTreeMap::new();
        for (_, claim) in due {
            let region = claim.decoded.as_ref().ok().map(|finding| finding.region.clone());
            by_region.entry(region).or_default().push(claim);
        }
        for some in by_region.into_values() {
            let Work { origin, verifier, .. } = self.with;
            self.verifying.push(Box::pin(async move { verifier.verify(origin, some).await }));
        }
    }

    pub fn take(&mut self, happened: Happened) -> Result<(), LedgerError> {
        match happened {
            Happened::Verified(verified) => {
                for (of, verification) in verified {
                    self.go_on(of, verification)?;
                }
            }
            Happened::Decided(of, Ok(is_decided)) => {
                self.all[of].open -= 1;
                self.all[of].stays |= !is_decided;
            }
            // It stays open, and is made visible again at the stop.
            Happened::Decided(_, Err(Stopped)) => {}
            Happened::Time => {
                let mut left = Vec::new();
                for (of, occurrence) in std::mem::take(&mut self.elsewhere) {
                    if self.with.verifier.reader.is_decided(&occurrence)? {
                        self.all[of].open -= 1;
                    } else {
                        left.push((of, occurrence));
                    }
                }
                self.elsewhere = left;
                if Instant::now() >= self.hide_again {
                    self.hide_again = Instant::now() + HIDE_AGAIN;
                    self.is_hiding = true;
                }
            }
        }
        Ok(())
    }

    fn go_on(&mut self, of: usize, verification: Verification) -> Result<(), LedgerError> {
        let message = &mut self.all[of];
        let Work { origin, intake, flood, .. } = self.with;
        match verification {
            Verification::New(finding) => {
                // Whoever can write to the queue can make one up.
                if finding.product().is_some() {
                    flood.count();
                }
                // Beside: what waits for room is kept hidden meanwhile.
                self.decided.push(Box::pin(async move {
                    match intake.send(finding, origin.clone()).await {
                        Ok(answer) => (of, Ok(answer.await.is_ok())),
                        Err(stopped) => (of, Err(stopped)),
                    }
                }));
            }
            Verification::Grows(more) => message.open += more,
            Verification::Seen(finding) => {
                let occurrence = finding.occurrence();
                flood.replay(&occurrence);
                if self.with.verifier.reader.is_decided(&occurrence)? {
                    message.open -= 1;
                } else {
                    self.elsewhere.push((of, occurrence));
                }
            }
            Verification::Unconfirmed { .. } => {
                message.open -= 1;
                flood.count();
            }
            // It can be read, and there is nothing to be done about it.
            Verification::Foreign { is_new, .. } => {
                message.open -= 1;
                if is_new {
                    flood.count();
                }
            }
            // Poison is left to the queue's redrive policy.
            Verification::Undecodable(_) => {
                message.open -= 1;
                message.stays = true;
                message.back = self.is_fifo.then_some(POISON);
                flood.count();
            }
            Verification::Open { claim, error } => {
                if let Some(error) = error {
                    tracing::warn!(item = claim.item, "not confirmed yet: {error}");
                }
                if claim.unanswered >= QUESTIONS {
                    message.open -= 1;
                    message.stays = true;
                    message.back = Some(GIVEN_BACK.after(message.received.received));
                } else {
                    let asked = claim.unanswered + claim.not_yet;
                    self.due.push((Instant::now() + BACKOFF.after(asked), *claim));
                }
            }
        }
        Ok(())
    }

    /// How many were settled since this was asked last.
    pub fn newly_settled(&mut self) -> usize {
        let is_new = |message: &&mut InFlightMessage| {
            message.open == 0 && !message.is_done && (message.stays || message.leaves)
        };
        let new = self.all.iter_mut().filter(is_new);
        let mut count = 0;
        for message in new {
            (message.is_done, count) = (true, count + 1);
        }
        count
    }

    /// How many were not counted as settled.
    pub fn uncounted(&self) -> usize {
        self.all.iter().filter(|message| !message.is_done).count()
    }

    /// What is to be hidden, and for how long: what is still worked on, now and then; what is given back.
    pub fn take_hidden(&mut self) -> Vec<(Duration, Vec<String>)> {
        let mut hide = Vec::new();
        if std::mem::take(&mut self.is_hiding) {
            hide.push((HIDDEN, self.left()));
        }
        for message in self.all.iter_mut().filter(|message| message.open == 0) {
            if let Some(time) = message.back.take() {
                hide.push((time, vec![message.received.receipt.clone()]));
            }
        }
        hide
    }

    /// What is settled and leaves the queue: together, as soon as nothing is being decided about.
    pub fn take_settled(&mut self) -> Vec<String> {
        if self.decided.is_empty() || self.is_hiding { self.take_all_settled() } else { Vec::new() }
    }

    pub fn take_all_settled(&mut self) -> Vec<String> {
        let settled = self.all.iter_mut().filter(|one| one.open == 0 && !one.stays && !one.leaves);
        let mut receipts = Vec::new();
        for message in settled {
            message.leaves = true;
            receipts.push(message.received.receipt.clone());
        }
        receipts
    }

    /// What is not settled.
    pub fn left(&self) -> Vec<String> {
        let left = self.all.iter().filter(|message| message.open > 0);
        left.map(|message| message.received.receipt.clone()).collect()
    }
}
