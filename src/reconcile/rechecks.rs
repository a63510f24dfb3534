//! Rechecks the denies in force when they are due: a few concurrently, and those of one principal in order.

use super::decider::queue_key;
use super::keyed_queue::Priority;
use super::schedule::{Item, Schedule};
use super::work::Work;
use super::worker::Worker;
use crate::alert::Alert;
use crate::ledger::{LedgerError, Watched};
use crate::remediation::AlertCode;
use crate::watch::{Due, Evidence, Limits, Place, Places, Rechecks, Seen, Watchlist};
use jiff::Timestamp;
use std::sync::{Arc, Mutex, PoisonError};
use std::time::{Duration, Instant};

/// Maximum time between two readings of what there is to look at.
const ASK: Duration = Duration::from_secs(5);

pub struct Rechecker {
    worker: Arc<Worker>,
    schedule: Arc<Schedule>,
    evidence: Arc<Evidence>,
    places: Places,
    /// How many roles are worked on at once.
    width: usize,
    /// What there was to look at when the ledger was asked last.
    watched: Mutex<Option<(Instant, Arc<Limits>)>>,
}

impl Rechecker {
    pub(super) fn new(
        worker: Arc<Worker>,
        schedule: Arc<Schedule>,
        evidence: Arc<Evidence>,
        width: usize,
    ) -> Self {
        Self { worker, schedule, evidence, places: Places::default(), width, watched: Mutex::default() }
    }

    fn watchlist(&self) -> &Watchlist {
        &self.worker.watchlist
    }

    fn interval(&self) -> Duration {
        self.worker.context.policy().recheck_interval
    }

    /// How the denies in force are looked after.
    #[must_use]
    pub fn state(&self) -> Rechecks {
        self.watchlist().state()
    }

    pub(super) fn note_due(&self, due: impl IntoIterator<Item = String>) {
        self.watchlist().note_due(due);
    }

    /// Looks at the denies in force that are due, as far as there are places for it; and raises an alert when that
    /// is too seldom.
    pub(super) async fn look_at_due(self: &Arc<Self>) -> Result<(), LedgerError> {
        let (longest, limits) = (self.interval(), self.refresh()?);
        self.begin_due(&limits);
        let state = self.watchlist().take_stock(longest, Timestamp::now());
        let Some(text) = state.problem() else { return Ok(()) };
        let what_to_do = "Whoever takes such a deny away is noticed later. The log says which account does not answer. If all do, raise \
             `concurrency`, or set a longer `recheck_interval`.";
        let alert = Alert::of_service(AlertCode::RechecksLate, text, what_to_do);
        self.worker.context.alerts.raise_alert(alert).await
    }

    /// Begins the looks that are due, as far as there are places for them.
    fn begin_due(self: &Arc<Self>, limits: &Limits) {
        for one in self.watchlist().due() {
            if self.places.are_taken(limits) {
                return;
            }
            if self.worker.context.queue.is_busy(&queue_key(&one.account, &one.key)) {
                continue;
            }
            if let Some(place) = self.places.take(&one.account, limits) {
                self.begin(&one, self.interval(), place);
            }
        }
    }

    /// A look is over: its place goes to the next one that is due.
    fn pass_on(self: &Arc<Self>, place: Place) {
        drop(place);
        let last = self.watched.lock().unwrap_or_else(PoisonError::into_inner);
        let limits = last.as_ref().map(|(_, limits)| Arc::clone(limits));
        drop(last);
        if let Some(limits) = limits.filter(|_| !self.worker.stop.is_cancelled()) {
            self.begin_due(&limits);
        }
    }

    /// Looks at all denies in force, whatever the time; returns when all are being looked at.
    ///
    /// # Errors
    /// When the ledger cannot be read.
    pub async fn all(self: &Arc<Self>) -> Result<(), LedgerError> {
        let watched = self.worker.recheck.watched(self.worker.context.policy().sweep)?;
        let limits = Limits::of_all(&watched, self.interval(), self.width, Timestamp::now());
        for one in &watched {
            let Some(place) = self.place(one, &limits).await else { break };
            self.submit(one, Due::Look, place);
        }
        Ok(())
    }

    /// Looks at all denies that are due; returns when all of them are being looked at.
    pub(super) async fn look_at_all_due(self: &Arc<Self>) -> Result<(), LedgerError> {
        let (longest, limits) = (self.interval(), self.refresh()?);
        for one in self.watchlist().due() {
            let Some(place) = self.place(&one, &limits).await else { break };
            self.begin(&one, longest, place);
        }
        Ok(())
    }

    /// A place for a look, as soon as there is one; none at a stop.
    async fn place(&self, watched: &Watched, limits: &Limits) -> Option<Place> {
        loop {
            let freed = self.places.freed();
            if let Some(place) = self.places.take(&watched.account, limits) {
                return Some(place);
            }
            tokio::select! {
                () = freed => {}
                () = self.worker.stop.cancelled() => return None,
            }
        }
    }

    /// Asks the ledger after a while anew what there is to look at; gives how many looks are made at once.
    pub(super) fn refresh(&self) -> Result<Arc<Limits>, LedgerError> {
        let longest = self.interval();
        let mut last = self.watched.lock().unwrap_or_else(PoisonError::into_inner);
        let is_changed = self.watchlist().take_change();
        if let Some((at, limits)) = &*last
            && !is_changed
            && at.elapsed() < ASK.min(longest)
        {
            return Ok(Arc::clone(limits));
        }
        let watched = self.worker.recheck.watched(self.worker.context.policy().sweep)?;
        let limits = Arc::new(Limits::of_all(&watched, longest, self.width, Timestamp::now()));
        *last = Some((Instant::now(), Arc::clone(&limits)));
        for (id, wait) in self.watchlist().update(watched, longest, Timestamp::now()) {
            self.schedule.put(Item::Recheck(id), wait);
        }
        Ok(limits)
    }

    fn begin(self: &Arc<Self>, watched: &Watched, longest: Duration, place: Place) {
        let id = &watched.remediation;
        let (due, next) = self.watchlist().begin(id, longest, Timestamp::now());
        self.schedule.put(Item::Recheck(id.clone()), next);
        self.submit(watched, due, place);
    }

    fn submit(self: &Arc<Self>, watched: &Watched, due: Due, place: Place) {
        let (rechecker, id) = (Arc::clone(self), watched.remediation.clone());
        let evidence_key = format!("{}/evidence of {id}", watched.account);
        let key = queue_key(&watched.account, &watched.key);
        self.worker.context.queue.submit(key, Priority::New, async move {
            let queue = &rechecker.worker.context.queue;
            queue.step_back().await;
            rechecker.look(&id, due).await;
            // What is gathered holds up nothing that is to be revoked.
            let rechecker = Arc::clone(&rechecker);
            queue.submit(evidence_key, Priority::Again, async move {
                let cloudtrail = rechecker.worker.context.policy().cloudtrail;
                if let Err(error) = rechecker.evidence.gather(&id, cloudtrail).await {
                    rechecker.worker.note(error);
                }
                rechecker.pass_on(place);
            });
        });
    }

    /// Looks at one deny. What follows is done at once, before anything else of that principal.
    async fn look(&self, id: &str, due: Due) {
        // It was seen in place a moment ago: only its impact is due.
        if due == Due::Impact && self.was_just_seen(id) {
            return;
        }
        let worker = &self.worker;
        let in_place = self.watchlist().in_place(id);
        let policy = worker.context.policy();
        match worker.recheck.look(id, policy.sweep, policy.settles, in_place).await {
            Ok(Seen::Lost(lost)) => worker.work_off(worker.put_back(lost)).await,
            Ok(Seen::Expired) => worker.work_off(vec![Work::Remediation(id.to_owned())]).await,
            Ok(Seen::InPlace(at)) => self.watchlist().note_in_place(id, at),
            Ok(Seen::Unknown) => {}
            Err(error) => worker.note(error),
        }
    }

    fn was_just_seen(&self, id: &str) -> bool {
        let Ok(remediation) = self.worker.reader().remediation(id) else { return false };
        let seen = remediation.proofs.last().map_or(Timestamp::MIN, |proof| proof.at);
        remediation.impact.is_none() && Watchlist::is_fresh(seen, Timestamp::now())
    }
}
