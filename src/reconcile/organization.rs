//! What the reconciler knows of the organization, and how old that is.

use super::Reconciler;
use super::keyed_queue::Again;
use super::known::{ORGANIZATION_AGE, read_organization};
use crate::aws::within;
use crate::ident::AccountId;
use crate::ledger::{LedgerError, SideTable};
use crate::org::{AccountState, Placement, Snapshot};
use crate::remediation::Draft;
use jiff::{SignedDuration, Timestamp};
use std::sync::{Arc, Mutex, PoisonError};
use std::time::{Duration, Instant};

/// An account that the snapshot does not have, or not as active, is looked for again at most this
/// often; and so often an account's OUs and tags are read at most.
const DOUBTED_AGE: SignedDuration = SignedDuration::from_secs(60);

/// How long a finding waits for the organization, or for another one that reads it.
const LONGEST_WAIT: Duration = Duration::from_secs(5);

impl Reconciler {
    pub(super) fn organization(&self) -> Arc<Snapshot> {
        Arc::clone(&self.known.organization.read().unwrap_or_else(PoisonError::into_inner))
    }

    /// The snapshot, read again first when it does not have `account` as an active one. None when
    /// that failed: then it is not known whether the account is one of ours.
    pub(super) async fn organization_for(
        &self,
        account: &AccountId,
    ) -> Result<Option<Arc<Snapshot>>, LedgerError> {
        let is_active = |snapshot: &Snapshot| {
            snapshot.account(account).is_some_and(|account| account.state == AccountState::Active)
        };
        if is_active(&self.organization()) || self.refresh_organization(DOUBTED_AGE).await? {
            return Ok(Some(self.organization()));
        }
        Ok(None)
    }

    /// Begins to read the organization again when the snapshot is old. If that fails, the old one
    /// stays. It does not wait: a hanging Organizations must not keep thefts from being seen.
    pub fn keep_organization_fresh(self: &Arc<Self>) {
        let lane = "organization".to_owned();
        if self.organization_age() < ORGANIZATION_AGE || self.queue.busy().contains(&lane) {
            return;
        }
        let engine = Arc::clone(self);
        self.queue.submit(lane, Again::No, async move {
            let done = engine.refresh_organization(ORGANIZATION_AGE).await.map(|_| ());
            engine.note(done);
        });
    }

    fn organization_age(&self) -> SignedDuration {
        Timestamp::now().duration_since(self.organization().read_at)
    }

    /// Whether the snapshot is now younger than `older_than`. What failed a moment ago is not tried
    /// again at once, and nobody waits long for another's try.
    async fn refresh_organization(&self, older_than: SignedDuration) -> Result<bool, LedgerError> {
        if self.organization_age() < older_than {
            return Ok(true);
        }
        let Ok(mut failed) = tokio::time::timeout(LONGEST_WAIT, self.known.refreshing.lock()).await else {
            return Ok(false);
        };
        if self.organization_age() < older_than {
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
                *self.known.organization.write().unwrap_or_else(PoisonError::into_inner) = snapshot;
                *failed = None;
                self.ledger.append(append).await.map(|_| true)
            }
            Err(error) => {
                let hint = crate::aws::hub_hint(&error, self.hub.identity());
                tracing::warn!(%error, hint, "the organization cannot be read; the last snapshot is used");
                // One entry for an outage, not one for each try.
                if failed.replace(Instant::now()).is_none() {
                    self.ledger.append(Draft::feed_failed(None, error.to_string(), hint)).await?;
                }
                Ok(false)
            }
        }
    }

    /// A finding about this account may be on its way: where the account stands is read meanwhile, so
    /// that the decision need not wait for it.
    pub fn expect(self: &Arc<Self>, account: &AccountId) {
        let policy = self.policy();
        let is_ours =
            self.organization().account(account).is_some_and(|known| known.state == AccountState::Active);
        let is_needed = policy.account_tag.is_some() || policy.opt_outs.uses_placement();
        if !is_ours || !is_needed || self.fresh_placement(account).is_some() {
            return;
        }
        let (engine, account) = (Arc::clone(self), account.clone());
        tokio::spawn(async move {
            let needed = format!(
                "a finding about account {account} was announced, and its tags and OUs cannot be read"
            );
            let done = engine.placement(&account, &needed).await.map(|_| ());
            engine.note(done);
        });
    }

    fn fresh_placement(&self, account: &AccountId) -> Option<Placement> {
        let with_ous = self.policy().opt_outs.uses_ous();
        let known = lock(&self.known.placements).get(account).cloned()?;
        let age = Timestamp::now().duration_since(known.read_at).abs();
        (age < DOUBTED_AGE && (known.ous.is_some() || !with_ous)).then_some(known)
    }

    /// Where an account stands, read a moment ago at most. When it cannot be read, what was read
    /// before counts, however old; none when it never was.
    pub(super) async fn placement(
        &self,
        account: &AccountId,
        needed: &str,
    ) -> Result<Option<Placement>, LedgerError> {
        if let Some(known) = self.fresh_placement(account) {
            return Ok(Some(known));
        }
        // Somebody else may be asking: then their answer serves.
        let asking = Arc::clone(lock(&self.known.asking).entry(account.clone()).or_default());
        let _asking = asking.lock().await;
        let with_ous = self.policy().opt_outs.uses_ous();
        let serves = |placement: &Placement| placement.ous.is_some() || !with_ous;
        let known = lock(&self.known.placements).get(account).cloned();
        let known = match known {
            Some(placement) => Some(placement),
            None => self.reader.placement(account)?,
        };
        let known = known.filter(serves);
        let age = |placement: &Placement| Timestamp::now().duration_since(placement.read_at).abs();
        if known.as_ref().is_some_and(|placement| age(placement) < DOUBTED_AGE) {
            return Ok(known);
        }
        let failed = lock(&self.known.unplaced).get(account).copied();
        if failed.is_some_and(|at| at.elapsed() < DOUBTED_AGE.unsigned_abs()) {
            return Ok(known);
        }
        let read = tokio::select! {
            read = within(LONGEST_WAIT, self.hub.placement(account, with_ous)) => read,
            () = self.stop.cancelled() => return Ok(known),
        };
        let (error, hint) = match read {
            Some(Ok(placement)) => {
                lock(&self.known.unplaced).remove(account);
                lock(&self.known.placements).insert(account.clone(), placement.clone());
                self.ledger.keep(SideTable::Placement(account.clone(), placement.clone()));
                return Ok(Some(placement));
            }
            Some(Err(error)) => (error.to_string(), crate::aws::hub_hint(&error, self.hub.identity())),
            None => (
                format!("Organizations did not answer within {} s", LONGEST_WAIT.as_secs()),
                "AWS gave no usable answer: check the network, the proxy and AWS_ENDPOINT_URL.".to_owned(),
            ),
        };
        lock(&self.known.unplaced).insert(account.clone(), Instant::now());
        let used = known.as_ref().map_or_else(String::new, |placement| {
            format!("; what was read at {} is used", placement.read_at.strftime("%Y-%m-%d %H:%M:%SZ"))
        });
        tracing::error!(error, hint, "{needed}{used}");
        self.ledger.append(Draft::feed_failed(None, format!("{needed}: {error}{used}"), hint)).await?;
        Ok(known)
    }
}

fn lock<T>(mutex: &Mutex<T>) -> std::sync::MutexGuard<'_, T> {
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}
