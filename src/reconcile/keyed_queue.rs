//! KeyedQueue: jobs for one role run in order, jobs for different roles in parallel.

use crate::ident::AccountId;
use futures::FutureExt;
use futures::future::BoxFuture;
use std::cell::RefCell;
use std::collections::{HashMap, VecDeque};
use std::panic::AssertUnwindSafe;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use tokio::sync::{Notify, OwnedSemaphorePermit, Semaphore, SemaphorePermit};
use tokio_util::sync::CancellationToken;
use tokio_util::task::TaskTracker;

struct Job {
    work: BoxFuture<'static, ()>,
    priority: Priority,
    /// Given back when the job is done or given up.
    _place: Place,
}

tokio::task_local! {
    /// What the running job holds of the width.
    static PERMIT: RefCell<Option<(Part, OwnedSemaphorePermit)>>;
}

/// Where a job is: in its urgent part, or before or behind it.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Part {
    Urgent,
    Other,
}

/// Maximum number of jobs that wait or run at once, before the feeds are made to wait.
const PLACES: usize = 1000;

/// Number of jobs that each account may have all the same: one that hangs must not keep others out.
const PLACES_OF_ACCOUNT: usize = PLACES / 4;

/// How many jobs there are.
#[derive(Debug, Default)]
struct Places {
    taken: AtomicUsize,
    freed: Notify,
}

/// One place among them; dropping it gives it back.
struct Place(Arc<Places>);

impl Place {
    fn take(places: &Arc<Places>) -> Self {
        places.taken.fetch_add(1, Ordering::SeqCst);
        Self(Arc::clone(places))
    }
}

impl Drop for Place {
    fn drop(&mut self) {
        self.0.taken.fetch_sub(1, Ordering::SeqCst);
        self.0.freed.notify_waiters();
    }
}

/// What was tried before may hang again: it shares a quarter of the width, so that what is new finds
/// its way past it.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Priority {
    New,
    Again,
}

/// What one account may have.
#[derive(Clone)]
struct Shares {
    /// Of the width.
    all: Arc<Semaphore>,
    /// Of what is tried again: retries that wait for their account's share must not keep those of other accounts
    /// waiting.
    again: Arc<Semaphore>,
}

impl Shares {
    fn new(share: usize) -> Self {
        let again = Arc::new(Semaphore::new(share.div_ceil(2)));
        Self { all: Arc::new(Semaphore::new(share)), again }
    }
}

/// What a job holds that is tried again: of its account's, and of all.
type Narrow<'a> = (Option<OwnedSemaphorePermit>, Option<SemaphorePermit<'a>>);

/// Runs jobs: those of one key one after the other, at most `width` keys at once.
#[derive(Clone)]
pub(super) struct KeyedQueue {
    /// The jobs that wait, by key. A key that stands here has a task.
    waiting: Arc<Mutex<HashMap<String, VecDeque<Job>>>>,
    width: Arc<Semaphore>,
    /// The width of what is decided: it waits for AWS as well, and is not to take the place of a deny.
    before: Arc<Semaphore>,
    /// The width of what is done after the urgent part.
    after: Arc<Semaphore>,
    again: Arc<Semaphore>,
    /// A job came for a key that has others.
    arrived: Arc<Notify>,
    /// What one account may have of the width: one that hangs must not hold up the others.
    shares: Arc<Mutex<HashMap<String, Shares>>>,
    share: usize,
    /// Nothing is waited for any more.
    given_up: CancellationToken,
    places: Arc<Places>,
    tasks: TaskTracker,
    stop: CancellationToken,
}

impl KeyedQueue {
    /// `stop` keeps jobs that have not begun from beginning.
    pub fn new(width: usize, stop: CancellationToken) -> Self {
        Self {
            waiting: Arc::default(),
            width: Arc::new(Semaphore::new(width)),
            before: Arc::new(Semaphore::new(width)),
            // Denies go before proofs, also when it is the processor that is short. A proof is two round
            // trips and a deny is three: with less than two thirds proofs pile up, and in the end
            // denies wait for them.
            after: Arc::new(Semaphore::new((width * 3).div_ceil(4))),
            again: Arc::new(Semaphore::new(width.div_ceil(4))),
            arrived: Arc::default(),
            shares: Arc::default(),
            share: width.div_ceil(4),
            given_up: CancellationToken::new(),
            places: Arc::default(),
            tasks: TaskTracker::new(),
            stop,
        }
    }

    fn waiting(&self) -> MutexGuard<'_, HashMap<String, VecDeque<Job>>> {
        self.waiting.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Whether something is waiting or running for a key.
    pub fn is_busy(&self, key: &str) -> bool {
        self.waiting().contains_key(key)
    }

    /// For how many keys of an account something is waiting or running.
    pub fn busy_in(&self, account: &AccountId) -> usize {
        self.waiting().keys().filter(|key| is_in(key, account)).count()
    }

    /// How many jobs wait or run for an account.
    fn jobs_in(&self, account: &AccountId) -> usize {
        let waiting = self.waiting();
        let lengths =
            waiting.iter().filter(|(key, _)| is_in(key, account)).map(|(_, jobs)| jobs.len().max(1));
        lengths.sum()
    }

    /// Within a job: it is decided, and the urgent part begins. Until there is room for it nobody else decides
    /// in its place, so that what was decided is done soon.
    pub async fn step_forward(&self) {
        // Who waited for a second permit of the width while holding one could wait for ever.
        let is_there = |held: &RefCell<Option<(Part, _)>>| matches!(*held.borrow(), Some((Part::Urgent, _)));
        if PERMIT.try_with(is_there).unwrap_or(true) {
            return;
        }
        if let Ok(permit) = Arc::clone(&self.width).acquire_owned().await {
            let _ = PERMIT.try_with(|held| held.replace(Some((Part::Urgent, permit))));
        }
    }

    /// Within a job: what is urgent is done, and only has to be recorded. Others' urgent part need not wait for that.
    pub fn make_room() {
        drop(PERMIT.try_with(RefCell::take));
    }

    /// Within a job: what is urgent is done, and what comes now makes room for other jobs' urgent part.
    pub async fn step_back(&self) {
        Self::make_room();
        if let Ok(permit) = Arc::clone(&self.after).acquire_owned().await {
            let _ = PERMIT.try_with(|held| held.replace(Some((Part::Other, permit))));
        }
    }

    /// How many jobs wait or run.
    pub fn jobs(&self) -> usize {
        self.places.taken.load(Ordering::SeqCst)
    }

    /// Whether there is room for another job in this account.
    fn has_room(&self, account: &AccountId) -> bool {
        self.jobs() < PLACES || self.jobs_in(account) < PLACES_OF_ACCOUNT
    }

    /// Returns when there is room for another job in this account: so that feeds do not read faster than is
    /// worked off.
    pub async fn ready(&self, account: &AccountId) {
        loop {
            let freed = self.places.freed.notified();
            if self.has_room(account) || self.stop.is_cancelled() {
                return;
            }
            tokio::select! {
                () = freed => {}
                () = self.stop.cancelled() => return,
            }
        }
    }

    pub fn submit(&self, key: String, priority: Priority, job: impl Future<Output = ()> + Send + 'static) {
        let job = Job { work: job.boxed(), priority, _place: Place::take(&self.places) };
        let mut waiting = self.waiting();
        if let Some(queue) = waiting.get_mut(&key) {
            queue.push_back(job);
            drop(waiting);
            self.arrived.notify_waiters();
            return;
        }
        waiting.insert(key.clone(), VecDeque::from([job]));
        drop(waiting);
        let queue = self.clone();
        self.tasks.spawn(async move { queue.work_off(&key).await });
    }

    /// The next job of a key. A key that has none is given up.
    fn next(&self, key: &str) -> Option<Job> {
        let mut waiting = self.waiting();
        let next = waiting.get_mut(key).and_then(VecDeque::pop_front).filter(|_| !self.stop.is_cancelled());
        if next.is_none() {
            waiting.remove(key);
            drop(waiting);
            // Its place was given back while the key still counted.
            self.places.freed.notify_waiters();
        }
        next
    }

    fn has_new(&self, key: &str) -> bool {
        self.waiting().get(key).is_some_and(|jobs| jobs.iter().any(|job| job.priority == Priority::New))
    }

    /// The shares of a key's account, if it names one.
    fn shares_of(&self, key: &str) -> Option<Shares> {
        let (account, _) = key.split_once('/').filter(|(account, _)| account.parse::<AccountId>().is_ok())?;
        let mut shares = self.shares.lock().unwrap_or_else(PoisonError::into_inner);
        Some(shares.entry(account.to_owned()).or_insert_with(|| Shares::new(self.share)).clone())
    }

    /// Drops what is running, wherever it is, and what waits. The ledger is made for that.
    pub async fn give_up(&self) {
        self.stop.cancel();
        self.given_up.cancel();
        self.drained().await;
    }

    /// A permit for what is tried again. Something new that waits behind it, or comes while it waits, is not
    /// held up by what is tried again elsewhere.
    async fn narrow(&self, key: &str, shares: Option<&Shares>) -> Narrow<'_> {
        loop {
            let arrived = self.arrived.notified();
            if self.has_new(key) {
                return (None, None);
            }
            let permits = async {
                let of_account = match shares {
                    Some(shares) => Arc::clone(&shares.again).acquire_owned().await.ok(),
                    None => None,
                };
                (of_account, self.again.acquire().await.ok())
            };
            tokio::select! {
                biased;
                permits = permits => return permits,
                () = arrived => {}
            }
        }
    }

    async fn work_off(&self, key: &str) {
        while let Some(Job { work, priority, _place }) = self.next(key) {
            // What waits to be tried again has no share yet: what is new in its account must not wait for it.
            let shares = self.shares_of(key);
            let narrow = match priority {
                Priority::Again => self.narrow(key, shares.as_ref()).await,
                Priority::New => (None, None),
            };
            let share = match shares {
                Some(shares) => shares.all.acquire_owned().await.ok(),
                None => None,
            };
            let permit = Arc::clone(&self.before).acquire_owned().await.ok();
            let permit = permit.map(|permit| (Part::Other, permit));
            if self.stop.is_cancelled() {
                continue;
            }
            // A fault in one job must not stop its key for good.
            let work = AssertUnwindSafe(work).catch_unwind();
            let done = tokio::select! {
                done = PERMIT.scope(RefCell::new(permit), work) => done,
                () = self.given_up.cancelled() => continue,
            };
            if done.is_err() {
                tracing::error!(key, "a job ended with a fault; its work is resumed");
            }
            drop((share, narrow));
        }
    }

    /// Waits until nothing is waiting or running. Nothing may be submitted afterwards.
    pub async fn drained(&self) {
        self.tasks.close();
        self.tasks.wait().await;
        self.tasks.reopen();
    }
}

fn is_in(key: &str, account: &AccountId) -> bool {
    key.strip_prefix(account.as_str()).is_some_and(|rest| rest.starts_with('/'))
}

#[cfg(test)]
mod tests;
