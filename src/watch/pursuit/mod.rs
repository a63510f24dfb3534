//! Pursuit: what the thief did with the stolen credentials, and with what he opened by them.
//!
//! [`Pursuit`] reads CloudTrail by each key that the thief holds, again and again until the key is dead and its last
//! records are there. What it finds is recorded, each call once; the keys that it finds are read as well; and what has
//! to be denied is handed over like a finding of GuardDuty. How far it came stands in the ledger, so that a process that
//! is killed goes on there.

mod alerts;
mod key;
mod list;
mod opened;
mod places;
mod reading;
mod shared;
mod tally;

use crate::alert::Alerts;
use crate::aws::AwsClock;
use crate::ident::Region;
use crate::ingest::IntakeSender;
use crate::ledger::{Ledger, LedgerError};
use crate::remedy::MemberAccess;
use crate::triage::Policy;
use places::Places;
use shared::Shared;
use std::sync::{Arc, Mutex, PoisonError, RwLock};
use std::time::Duration;
use tokio::sync::Semaphore;
use tokio_util::sync::CancellationToken;
use tokio_util::task::TaskTracker;

/// Interval between two looks at what is due.
const TICK: Duration = Duration::from_secs(1);

/// Maximum number of keys that are read at once.
const AT_ONCE: usize = 128;

/// Time after which it is looked again whether a key is to be read, when it is not.
const NOT_YET: Duration = Duration::from_mins(1);

/// Reads what thieves did. Clones are the same pursuit.
#[derive(Clone)]
pub struct Pursuit(Arc<Inner>);

struct Inner {
    shared: Shared,
    width: Arc<Semaphore>,
    tasks: TaskTracker,
    stop: CancellationToken,
    fault: Mutex<Option<LedgerError>>,
}

/// What a pursuit needs.
pub struct Needs {
    pub ledger: Ledger,
    pub access: MemberAccess,
    pub alerts: Arc<Alerts>,
    pub clock: AwsClock,
    /// Where it hands over what has to be denied.
    pub intake: IntakeSender,
    /// Where calls are looked for, beside the region in which IAM's are seen.
    pub regions: Vec<Region>,
    /// It is to stop: what is being read is left, and read at the next start.
    pub stop: CancellationToken,
}

impl Pursuit {
    /// A pursuit that goes on where the ledger says it is.
    ///
    /// # Errors
    /// When the ledger cannot be read.
    pub fn new(needs: Needs) -> Result<Self, LedgerError> {
        let Needs { ledger, access, alerts, clock, intake, regions, stop } = needs;
        let reader = ledger.reader()?;
        let (regions, list) = (RwLock::new(regions), Mutex::default());
        Ok(Self(Arc::new(Inner {
            shared: Shared {
                ledger,
                reader,
                access,
                alerts,
                clock,
                intake,
                regions,
                list,
                places: Places::default(),
            },
            width: Arc::new(Semaphore::new(AT_ONCE)),
            tasks: TaskTracker::new(),
            stop,
            fault: Mutex::default(),
        })))
    }

    /// These regions are looked at from now on.
    pub fn use_regions(&self, regions: Vec<Region>) {
        *self.0.shared.regions.write().unwrap_or_else(PoisonError::into_inner) = regions;
    }

    /// Begins to read the keys that are due; gives how many. What is being read goes on beside it.
    ///
    /// # Errors
    /// When the ledger fails, now or in a reading before.
    pub async fn begin_due(&self, policy: &Arc<Policy>) -> Result<usize, LedgerError> {
        if let Some(fault) = self.0.fault.lock().unwrap_or_else(PoisonError::into_inner).take() {
            return Err(fault);
        }
        self.0.shared.list().update(&self.0.shared.reader)?;
        let (due, count, dropped) = {
            let mut list = self.0.shared.list();
            (list.due(), list.count(), list.take_dropped())
        };
        self.0.shared.raise_dropped(&dropped).await?;
        metrics::gauge!("rescind_pursued_keys").set(f64::from(u32::try_from(count).unwrap_or(u32::MAX)));
        let mut begun = 0;
        for key in due {
            let Some(root) = self.0.shared.pursued_root(&key, policy)? else {
                self.0.shared.list().put_off(&key.id, NOT_YET);
                continue;
            };
            let Ok(place) = Arc::clone(&self.0.width).try_acquire_owned() else { break };
            if let Some(key) = self.0.shared.list().key_mut(&key.id) {
                key.is_busy = true;
            }
            begun += 1;
            let (inner, policy) = (Arc::clone(&self.0), Arc::clone(policy));
            self.0.tasks.spawn(async move {
                let id = key.id.clone();
                let reading = Box::pin(reading::read(&inner.shared, key, root, &policy));
                let read = inner.stop.run_until_cancelled(reading).await;
                if let Some(Err(error)) = read {
                    inner.fault.lock().unwrap_or_else(PoisonError::into_inner).get_or_insert(error);
                }
                inner.shared.is_read(&id, policy.recheck_interval);
                drop(place);
            });
        }
        Ok(begun)
    }

    /// Reads what is due, until `stop` is cancelled.
    ///
    /// # Errors
    /// When the ledger fails.
    pub async fn run(self, policy: impl Fn() -> Arc<Policy> + Send) -> Result<(), LedgerError> {
        let mut ticks = tokio::time::interval(TICK);
        ticks.set_missed_tick_behavior(tokio::time::MissedTickBehavior::Delay);
        while self.0.stop.run_until_cancelled(ticks.tick()).await.is_some() {
            self.begin_due(&policy()).await?;
        }
        Ok(())
    }

    /// Waits until what is being read was read.
    pub async fn drained(&self) {
        self.0.tasks.close();
        self.0.tasks.wait().await;
        self.0.tasks.reopen();
    }
}
