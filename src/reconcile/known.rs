//! What is known of the organization, and how old that is.

use crate::aws::Hub;
use crate::ident::AccountId;
use crate::ledger::{Append, SideTable};
use crate::org::{Placement, Snapshot};
use crate::remediation::{CallError, Draft, Event};
use jiff::{SignedDuration, Timestamp};
use std::collections::HashMap;
use std::sync::{Arc, Mutex, RwLock};
use std::time::Instant;

/// A snapshot of the organization older than this is read again before the next poll.
pub const ORGANIZATION_AGE: SignedDuration = SignedDuration::from_hours(1);

/// What is known of the organization.
pub(super) struct Known {
    pub organization: RwLock<Arc<Snapshot>>,
    /// When reading the organization failed last; none when the last try succeeded.
    pub refreshing: tokio::sync::Mutex<Option<Instant>>,
    /// Where accounts stand, as far as it was asked.
    pub placements: Mutex<HashMap<AccountId, Placement>>,
    /// When that could not be read.
    pub unplaced: Mutex<HashMap<AccountId, Instant>>,
    /// Held while it is being asked, so that it is asked once.
    pub asking: Mutex<HashMap<AccountId, Arc<tokio::sync::Mutex<()>>>>,
}

impl Known {
    /// An old snapshot at the start means that reading it failed a moment ago.
    pub fn new(organization: Arc<Snapshot>) -> Self {
        let failed = Timestamp::now().duration_since(organization.read_at) > ORGANIZATION_AGE;
        Self {
            organization: RwLock::new(organization),
            refreshing: tokio::sync::Mutex::new(failed.then(Instant::now)),
            placements: Mutex::default(),
            unplaced: Mutex::default(),
            asking: Mutex::default(),
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
