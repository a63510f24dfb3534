//! The placement of accounts: their OUs and tags, read when a decision needs them.

use super::policy::CurrentPolicy;
use crate::aws::{Hub, hub_hint, within};
use crate::ident::AccountId;
use crate::ledger::{Ledger, LedgerError, Reader, SideTable};
use crate::org::Placement;
use crate::remediation::Draft;
use jiff::{SignedDuration, Timestamp};
use std::collections::HashMap;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::{Duration, Instant};
use tokio_util::sync::CancellationToken;

/// Minimum time between two readings of where one account stands.
const AGE: SignedDuration = SignedDuration::from_secs(60);

/// Maximum time that a finding waits for Organizations.
const LONGEST_WAIT: Duration = Duration::from_secs(5);

pub(super) struct Placements {
    hub: Hub,
    ledger: Ledger,
    reader: Arc<Reader>,
    policy: CurrentPolicy,
    stop: CancellationToken,
    known: Mutex<HashMap<AccountId, Placement>>,
    /// When that could not be read.
    failed: Mutex<HashMap<AccountId, Instant>>,
    /// Held while it is being asked, so that it is asked once.
    asking: Mutex<HashMap<AccountId, Arc<tokio::sync::Mutex<()>>>>,
}

impl Placements {
    pub fn new(
        hub: Hub,
        ledger: Ledger,
        reader: Arc<Reader>,
        policy: CurrentPolicy,
        stop: CancellationToken,
    ) -> Self {
        let (known, failed, asking) = Default::default();
        Self { hub, ledger, reader, policy, stop, known, failed, asking }
    }

    fn with_ous(&self) -> bool {
        self.policy.get().opt_outs.uses_ous()
    }

    /// As it was read within the last minute.
    fn fresh(&self, account: &AccountId) -> Option<Placement> {
        let known = lock(&self.known).get(account).cloned()?;
        (age(&known) < AGE && (known.ous.is_some() || !self.with_ous())).then_some(known)
    }

    /// Where an account stands, read a moment ago at most. When it cannot be read, what was read
    /// before counts, however old; none when it never was. `needed` says what for.
    ///
    /// # Errors
    /// When the ledger fails.
    pub async fn of(&self, account: &AccountId, needed: &str) -> Result<Option<Placement>, LedgerError> {
        if let Some(known) = self.fresh(account) {
            return Ok(Some(known));
        }
        // Somebody else may be asking: then their answer serves.
        let asking = Arc::clone(lock(&self.asking).entry(account.clone()).or_default());
        let _asking = asking.lock().await;
        let with_ous = self.with_ous();
        let known = lock(&self.known).get(account).cloned();
        let known = match known {
            Some(placement) => Some(placement),
            None => self.reader.placement(account)?,
        };
        let before = known.clone();
        let known = known.filter(|placement| placement.ous.is_some() || !with_ous);
        if known.as_ref().is_some_and(|placement| age(placement) < AGE) {
            return Ok(known);
        }
        let failed = lock(&self.failed).get(account).copied();
        if failed.is_some_and(|at| at.elapsed() < AGE.unsigned_abs()) {
            return Ok(known);
        }
        let read = tokio::select! {
            read = within(LONGEST_WAIT, self.hub.placement(account, with_ous)) => read,
            () = self.stop.cancelled() => return Ok(known),
        };
        let (error, hint) = match read {
            Some(Ok(placement)) => {
                let placement = placement.following(before.as_ref());
                lock(&self.failed).remove(account);
                lock(&self.known).insert(account.clone(), placement.clone());
                self.ledger.keep(SideTable::Placement(account.clone(), placement.clone()));
                return Ok(Some(placement));
            }
            Some(Err(error)) => (error.to_string(), hub_hint(&error, self.hub.identity())),
            None => (
                format!("Organizations did not answer within {} s", LONGEST_WAIT.as_secs()),
                "AWS gave no usable answer: check the network, the proxy and AWS_ENDPOINT_URL.".to_owned(),
            ),
        };
        lock(&self.failed).insert(account.clone(), Instant::now());
        let used = known.as_ref().map_or_else(String::new, |placement| {
            format!("; what was read at {} is used", placement.read_at.strftime("%Y-%m-%d %H:%M:%SZ"))
        });
        tracing::error!(error, hint, "{needed}{used}");
        self.ledger.append(Draft::feed_failed(None, format!("{needed}: {error}{used}"), hint)).await?;
        Ok(known)
    }
}

fn age(placement: &Placement) -> SignedDuration {
    Timestamp::now().duration_since(placement.read_at).abs()
}

fn lock<T>(mutex: &Mutex<T>) -> MutexGuard<'_, T> {
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}
