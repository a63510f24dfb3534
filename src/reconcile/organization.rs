//! The organization's accounts, and how old that is.

use crate::aws::{Hub, hub_hint};
use crate::ident::AccountId;
use crate::ledger::{Append, Ledger, LedgerError, SideTable};
use crate::org::{AccountState, Snapshot};
use crate::remediation::{CallError, Draft, Event};
use jiff::{SignedDuration, Timestamp};
use std::sync::{Arc, PoisonError, RwLock};
use std::time::{Duration, Instant};
use tokio_util::sync::CancellationToken;

/// Maximum age of a snapshot of the organization. An older one is read again before the next poll.
pub const ORGANIZATION_AGE: SignedDuration = SignedDuration::from_hours(1);

/// Minimum time between two readings because of an account that the snapshot does not have, or not as active.
const DOUBTED_AGE: SignedDuration = SignedDuration::from_secs(60);

/// Maximum time that a finding waits for another one that reads the organization.
const LONGEST_WAIT: Duration = Duration::from_secs(5);

/// The accounts, as they were read last.
pub(super) struct Accounts {
    hub: Hub,
    ledger: Ledger,
    stop: CancellationToken,
    snapshot: RwLock<Arc<Snapshot>>,
    /// When reading the organization failed last; none when the last try succeeded.
    failed: tokio::sync::Mutex<Option<Instant>>,
}

impl Accounts {
    /// An old snapshot at the start means that reading it failed a moment ago.
    pub fn new(hub: Hub, ledger: Ledger, stop: CancellationToken, snapshot: Arc<Snapshot>) -> Self {
        let failed = Timestamp::now().duration_since(snapshot.read_at) > ORGANIZATION_AGE;
        let failed = tokio::sync::Mutex::new(failed.then(Instant::now));
        Self { hub, ledger, stop, snapshot: RwLock::new(snapshot), failed }
    }

    pub fn snapshot(&self) -> Arc<Snapshot> {
        Arc::clone(&self.snapshot.read().unwrap_or_else(PoisonError::into_inner))
    }

    /// Whether the snapshot has an account as an active one.
    pub fn is_active(&self, account: &AccountId) -> bool {
        self.snapshot().account(account).is_some_and(|account| account.state == AccountState::Active)
    }

    /// The snapshot, read again first when it does not have `account` as an active one. None when
    /// that failed: then it is not known whether the account is one of ours.
    ///
    /// # Errors
    /// When the ledger cannot be written.
    pub async fn snapshot_for(&self, account: &AccountId) -> Result<Option<Arc<Snapshot>>, LedgerError> {
        if self.is_active(account) || self.refresh(DOUBTED_AGE).await? {
            return Ok(Some(self.snapshot()));
        }
        Ok(None)
    }

    pub fn age(&self) -> SignedDuration {
        Timestamp::now().duration_since(self.snapshot().read_at)
    }

    /// Whether the snapshot is now younger than `older_than`. What failed a moment ago is not tried
    /// again at once, and nobody waits long for another's try. If it fails, the old snapshot stays.
    ///
    /// # Errors
    /// When the ledger cannot be written.
    pub async fn refresh(&self, older_than: SignedDuration) -> Result<bool, LedgerError> {
        if self.age() < older_than {
            return Ok(true);
        }
        let Ok(mut failed) = tokio::time::timeout(LONGEST_WAIT, self.failed.lock()).await else {
            return Ok(false);
        };
        if self.age() < older_than {
            return Ok(true);
        }
        if failed.is_some_and(|at| at.elapsed() < DOUBTED_AGE.unsigned_abs()) {
            return Ok(false);
        }
        // Reading changes nothing, so a stop need not wait for it.
        let read = tokio::select! {
            read = read_organization(&self.hub) => read,
            () = self.stop.cancelled() => return Ok(false),
        };
        match read {
            Ok((snapshot, append)) => {
                *self.snapshot.write().unwrap_or_else(PoisonError::into_inner) = snapshot;
                *failed = None;
                self.ledger.append(append).await.map(|_| true)
            }
            Err(error) => {
                let hint = hub_hint(&error, self.hub.identity());
                tracing::warn!(%error, hint, "the organization cannot be read; the last snapshot is used");
                // One entry for an outage, not one for each try.
                if failed.replace(Instant::now()).is_none() {
                    self.ledger.append(Draft::feed_failed(None, error.to_string(), hint)).await?;
                }
                Ok(false)
            }
        }
    }
}

/// Reads the accounts; gives the snapshot and what is recorded of it.
///
/// # Errors
/// As the calls'.
pub async fn read_organization(hub: &Hub) -> Result<(Arc<Snapshot>, Append), CallError> {
    let (accounts, administrators) = futures::join!(hub.organization(), hub.delegated_administrators());
    let (accounts, management) = accounts?;
    // Nothing is decided by them: not to know them is no reason not to act.
    let administrators = administrators
        .inspect_err(|error| tracing::warn!(%error, "the delegated administrators cannot be read"))
        .ok();
    let account = hub.identity().account.clone();
    let snapshot = Arc::new(Snapshot::new(accounts, management, administrators, account, Timestamp::now()));
    let (accounts, active) = snapshot.count();
    let entry = Draft::of_service(Event::Organization {
        accounts,
        active,
        management: snapshot.management.clone(),
        delegated_administrators: snapshot.delegated_administrators.clone(),
    });
    Ok((
        Arc::clone(&snapshot),
        Append { entries: vec![entry], beside: vec![SideTable::Organization(snapshot)], ..Append::default() },
    ))
}
