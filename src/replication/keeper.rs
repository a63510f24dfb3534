//! Keeps the lease while this process leads.

use crate::fence::Fence;
use crate::ledger::Log;
use crate::log::{Lease, Put};
use std::sync::Arc;
use std::time::{Duration, Instant};
use tokio_util::sync::CancellationToken;

/// Interval before the next attempt to renew a lease after one that failed.
const AGAIN: Duration = Duration::from_millis(300);

/// Renews the lease, and opens the fence for as long as nobody else can have taken over.
pub(super) struct Keeper {
    pub log: Log,
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
            let begun = Instant::now();
            renewals += 1;
            let is_released = self.release.is_cancelled();
            if is_released {
                fence.close();
            }
            let holder = self.log.writer().to_owned();
            let next = Lease { epoch: self.epoch, holder, renewals, is_released };
            match self.renew(&next, &mut before).await {
                Renewed::Done if is_released => return,
                Renewed::Done => self.open(&fence, begun),
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
                // Others wait for the lease to run out. Nobody waits for this process any more.
                Renewed::Unknown if is_released => return,
                Renewed::Unknown => {}
            }
            let wait = if before.as_ref() == Some(&next) { self.lease.mul_f32(0.3) } else { AGAIN };
            let _ =
                tokio::time::timeout(wait.saturating_sub(begun.elapsed()), self.release.cancelled()).await;
        }
    }

    /// Others count from when they saw the renewal, which is not before it was begun. A fifth is for clocks that do not
    /// run alike, and for a change on its way.
    fn open(&self, fence: &Fence, begun: Instant) {
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
                    tracing::warn!("the lease was not renewed: {error}");
                    return Renewed::Unknown;
                }
            }
            match self.log.store().lease().await {
                Ok(Some(there)) if there == *next => {
                    *before = Some(there);
                    return Renewed::Done;
                }
                Ok(Some(there)) if there.epoch > self.epoch => return Renewed::Lost,
                // What a leader before left: the log says who leads.
                Ok(there) => *before = there,
                Err(error) => {
                    tracing::warn!("the lease cannot be read: {error}");
                    return Renewed::Unknown;
                }
            }
        }
        Renewed::Unknown
    }
}
