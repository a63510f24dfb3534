//! The one way in: a bounded channel of findings, from every feed to whoever decides about them.
//!
//! Backpressure is in one place: who receives takes no more than it has room for, the channel fills up,
//! and every sender waits. At a stop the receiver goes away. Then nothing is acknowledged: what was
//! recorded is taken up at the next start, and a message goes back to its queue.

use crate::finding::Finding;
use crate::ident::AccountId;
use crate::remediation::Origin;
use std::collections::HashMap;
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use tokio::sync::{Notify, mpsc, oneshot};

/// Maximum number of findings in the channel. Most of what waits, waits in the receiver's queue.
const CAPACITY: usize = 32;

/// A recorded finding, on its way to a decision.
#[derive(Debug)]
pub struct Intake {
    /// The finding, as it was recorded.
    pub finding: Finding,
    /// How it came in.
    pub origin: Origin,
    /// To be answered when the decision is durable.
    pub ack: Ack,
}

/// Says that a decision is durable. Dropped without an answer, nothing was decided.
#[derive(Debug)]
pub struct Ack {
    decided: oneshot::Sender<()>,
    /// Until then the finding is in flight.
    _in_flight: InFlight,
}

impl Ack {
    /// The decision is durable.
    pub fn decided(self) {
        // Nobody may be waiting for it.
        let _ = self.decided.send(());
    }
}

/// The receiver is gone: it is to stop.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[error("stopping: no more findings are taken in")]
pub struct Stopped;

/// Where feeds hand over findings. Clones are the same channel.
#[derive(Debug, Clone)]
pub struct IntakeSender {
    channel: mpsc::Sender<Intake>,
    announced: mpsc::Sender<AccountId>,
    all: Arc<AllInFlight>,
}

/// What comes out of the channel.
#[derive(Debug)]
pub enum Incoming {
    Finding(Box<Intake>),
    /// A finding about this account is being verified.
    Announced(AccountId),
}

/// Where they come out.
#[derive(Debug)]
pub struct IntakeReceiver {
    channel: mpsc::Receiver<Intake>,
    announced: mpsc::Receiver<AccountId>,
    all: Arc<AllInFlight>,
}

/// Makes the channel, with room for [`CAPACITY`] findings.
#[must_use]
pub fn intake_channel() -> (IntakeSender, IntakeReceiver) {
    let (sender, receiver) = mpsc::channel(CAPACITY);
    let (announce, announced) = mpsc::channel(CAPACITY);
    let all = Arc::<AllInFlight>::default();
    (
        IntakeSender { channel: sender, announced: announce, all: Arc::clone(&all) },
        IntakeReceiver { channel: receiver, announced, all },
    )
}

impl IntakeReceiver {
    /// What comes next; none when there are no senders any more.
    pub async fn recv(&mut self) -> Option<Incoming> {
        tokio::select! {
            intake = self.channel.recv() => intake.map(|intake| Incoming::Finding(Box::new(intake))),
            Some(account) = self.announced.recv() => Some(Incoming::Announced(account)),
        }
    }

    /// What is recorded and not decided comes again: it may be let go.
    #[must_use]
    pub fn are_swept(&self) -> bool {
        self.all.are_swept.load(Ordering::Relaxed)
    }
}

impl IntakeSender {
    /// Hands a recorded finding over, as soon as there is room. The answer comes when the decision about it
    /// is durable; without one, nothing was decided.
    ///
    /// # Errors
    /// When there is nobody to decide any more.
    pub async fn send(&self, finding: Finding, origin: Origin) -> Result<oneshot::Receiver<()>, Stopped> {
        let (decided, answer) = oneshot::channel();
        let ack = Ack { decided, _in_flight: InFlight::of(&finding, &self.all) };
        self.channel.send(Intake { finding, origin, ack }).await.map_err(|_| Stopped)?;
        Ok(answer)
    }

    /// A finding about this account is being verified: what the decision needs can be read meanwhile. Nobody
    /// waits for that, and where there are too many it is left out.
    pub fn announce(&self, account: &AccountId) {
        let _ = self.announced.try_send(account.clone());
    }

    /// Whether this occurrence was handed over and is not decided.
    #[must_use]
    pub fn is_in_flight(&self, occurrence: &str) -> bool {
        self.all.lock().contains_key(occurrence)
    }

    /// From now on what is recorded and not decided is handed over again and again.
    pub(super) fn sweep(&self) {
        self.all.are_swept.store(true, Ordering::Relaxed);
    }

    /// Returns when whatever was handed over is decided, or given up.
    pub async fn settled(&self) {
        loop {
            let landed = self.all.landed.notified();
            if self.all.lock().is_empty() {
                return;
            }
            landed.await;
        }
    }
}

/// What was handed over and is not decided.
#[derive(Debug, Default)]
struct AllInFlight {
    /// How often, by occurrence: two feeds can bring the same one.
    counts: Mutex<HashMap<String, usize>>,
    /// There is nothing more.
    landed: Notify,
    are_swept: AtomicBool,
}

impl AllInFlight {
    fn lock(&self) -> MutexGuard<'_, HashMap<String, usize>> {
        self.counts.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// One finding that is in flight.
#[derive(Debug)]
struct InFlight {
    occurrence: String,
    all: Arc<AllInFlight>,
}

impl InFlight {
    fn of(finding: &Finding, all: &Arc<AllInFlight>) -> Self {
        let occurrence = finding.occurrence();
        *all.lock().entry(occurrence.clone()).or_default() += 1;
        Self { occurrence, all: Arc::clone(all) }
    }
}

impl Drop for InFlight {
    fn drop(&mut self) {
        let mut counts = self.all.lock();
        if let Some(count) = counts.get_mut(&self.occurrence) {
            *count -= 1;
            if *count == 0 {
                counts.remove(&self.occurrence);
            }
        }
        if counts.is_empty() {
            self.all.landed.notify_waiters();
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::finding::decode;
    use futures::FutureExt;
    use serde_json::json;

    fn finding(id: &str) -> Finding {
        let finding = json!({
            "accountId": "222222222222", "arn": "arn", "id": id, "region": "eu-central-1", "schemaVersion": "2.0",
            "severity": 8, "type": "UnauthorizedAccess:IAMUser/InstanceCredentialExfiltration.OutsideAWS",
            "createdAt": "2026-11-22T10:00:00.000Z", "updatedAt": "2026-11-22T10:00:00.000Z",
            "resource": {"resourceType": "AccessKey", "accessKeyDetails": {
                "accessKeyId": "ASIAEXAMPLE000000001", "principalId": "AROAEXAMPLE000000001:i-1",
                "userName": "web", "userType": "AssumedRole"}},
        });
        decode(finding.to_string().as_bytes()).remove(0).expect("a finding")
    }

    async fn decide(receiver: &mut IntakeReceiver) {
        match receiver.recv().await {
            Some(Incoming::Finding(intake)) => intake.ack.decided(),
            other => panic!("{other:?}"),
        }
    }

    #[tokio::test]
    async fn a_sender_waits_while_the_channel_is_full() {
        let (sender, mut receiver) = intake_channel();
        for number in 0..CAPACITY {
            let sent = sender.send(finding(&number.to_string()), Origin::Swept).now_or_never();
            sent.expect("there is room").expect("somebody receives");
        }
        let mut one_more = Box::pin(sender.send(finding("more"), Origin::Swept));
        assert!(one_more.as_mut().now_or_never().is_none());
        drop(receiver.recv().await);
        one_more.await.expect("somebody receives");
    }

    #[tokio::test]
    async fn only_what_is_decided_is_acknowledged() {
        let (sender, mut receiver) = intake_channel();
        let decided = sender.send(finding("decided"), Origin::Swept).await.expect("somebody receives");
        let given_up = sender.send(finding("given up"), Origin::Swept).await.expect("somebody receives");
        let left = sender.send(finding("left"), Origin::Swept).await.expect("somebody receives");
        assert!(sender.is_in_flight(&finding("decided").occurrence()));
        assert!(sender.settled().now_or_never().is_none());
        decide(&mut receiver).await;
        drop(receiver.recv().await);
        assert_eq!((decided.await.is_ok(), given_up.await.is_ok()), (true, false));
        assert!(!sender.is_in_flight(&finding("decided").occurrence()));
        // What the receiver leaves behind was not decided either, and nobody waits for it.
        drop(receiver);
        assert!(left.await.is_err());
        sender.settled().await;
        assert_eq!(sender.send(finding("late"), Origin::Swept).await.err(), Some(Stopped));
        sender.settled().await;
    }

    #[tokio::test]
    async fn the_same_finding_twice_is_in_flight_until_both_are_done() {
        let (sender, mut receiver) = intake_channel();
        for _ in 0..2 {
            drop(sender.send(finding("one"), Origin::Swept).await.expect("somebody receives"));
        }
        decide(&mut receiver).await;
        assert!(sender.is_in_flight(&finding("one").occurrence()));
        drop(receiver.recv().await);
        sender.settled().await;
    }
}
