//! Keeps the lease while this process leads.

use crate::fence::Fence;
use crate::ledger::{Ledger, Log};
use crate::log::{Lease, Put};
use std::sync::Arc;
use std::time::{Duration, Instant};
use tokio_util::sync::CancellationToken;

/// Interval before the next attempt to renew a lease after one that failed.
const AGAIN: Duration = Duration::from_millis(300);

/// Number of leases for which a service of AWS may answer nothing before the lead is given away.
const REACH: u32 = 3;

/// Renews the lease, and opens the fence for as long as nobody else can have taken over.
pub(super) struct Keeper {
    pub log: Log,
    pub ledger: Ledger,
    pub epoch: u64,
    /// Time without a renewal after which another takes over.
    pub lease: Duration,
    /// Cancelled when another leads.
    pub lost: CancellationToken,
    /// Cancelled when this process is to lead no longer.
    pub release: CancellationToken,
}

/// What became of a renewal.
enum Renewed {
    Done,
    /// Another leads.
    Lost,
    /// It is not known.
    Unknown,
}

impl Keeper {
    /// Goes on until another leads, or it is released.
    pub async fn run(self) {
        let fence = Arc::clone(self.log.fence());
        let mut before = None;
        let mut renewals = 0;
        loop {
            let (begun, opened) = (Instant::now(), Fence::now());
            renewals += 1;
            let is_released = self.release.is_cancelled();
            if is_released {
                fence.close();
            }
            let holder = self.log.writer().to_owned();
            let position = self.log.position();
            let next = Lease { epoch: self.epoch, holder, renewals, position, is_released };
            match self.renew(&next, &mut before).await {
                // When it is not known, others wait for the lease to run out.
                Renewed::Done | Renewed::Unknown if is_released => return,
                Renewed::Done => {
                    self.log.lease_answered(None);
                    self.open(&fence, opened);
                }
                Renewed::Lost => {
                    fence.close();
                    if !is_released {
                        tracing::error!(
                            epoch = self.epoch,
                            "another host leads from now on: this one stops acting"
                        );
                    }
                    return self.lost.cancel();
                }
                Renewed::Unknown => {}
            }
            if let Some(service) = self.log.reach().lost(self.lease * REACH)
                && !is_released
            {
                // A host that cannot act must not keep another from it.
                tracing::error!("{service} answers nothing: this host gives the lead away");
                fence.close();
                self.lost.cancel();
                self.release.cancel();
                continue;
            }
            let wait = if before.as_ref() == Some(&next) { self.lease.mul_f32(0.3) } else { AGAIN };
            let _ =
                tokio::time::timeout(wait.saturating_sub(begun.elapsed()), self.release.cancelled()).await;
        }
    }

    /// Others count from when they saw the renewal, which is not before it was begun. A fifth is for clocks that do not
    /// run alike, and for a change on its way.
    fn open(&self, fence: &Fence, begun: Duration) {
        fence.open_until(begun + self.lease.mul_f32(0.8));
    }

    async fn renew(&self, next: &Lease, before: &mut Option<Lease>) -> Renewed {
        for _ in 0..3 {
            match self.log.store().put_lease(next, before.as_ref()).await {
                Ok(Put::Done) => {
                    *before = Some(next.clone());
                    return Renewed::Done;
                }
                Ok(Put::Taken) => {}
                Err(error) => {
                    self.log.lease_answered(Some(error));
                    return Renewed::Unknown;
                }
            }
            match self.log.store().lease().await {
                Ok(Some(there)) if there == *next => {
                    *before = Some(there);
                    return Renewed::Done;
                }
                // The log says who leads. What somebody else wrote into the lease alone is written over.
                Ok(there) => match self.ledger.catch_up().await {
                    Ok(tail) if tail.epoch <= self.epoch => *before = there,
                    Ok(_) => return Renewed::Lost,
                    Err(error) => {
                        tracing::warn!("it is not known who leads: {error}");
                        return Renewed::Unknown;
                    }
                },
                Err(error) => {
                    self.log.lease_answered(Some(error));
                    return Renewed::Unknown;
                }
            }
        }
        Renewed::Unknown
    }
}
