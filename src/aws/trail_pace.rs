//! The pace of lookups in CloudTrail.

use crate::ident::{AccountId, Region};
use std::collections::HashMap;
use std::sync::{Mutex, PoisonError};
use std::time::Duration;
use tokio::time::Instant;

/// Minimum time between two calls of one account and region: LookupEvents may be called twice a second for each, by all
/// callers together (CloudTrail API Reference).
const PACE: Duration = Duration::from_millis(500);

/// Keeps all lookups of an account and region, whoever makes them, to the pace that CloudTrail allows.
#[derive(Debug, Default)]
pub struct TrailPace(Mutex<HashMap<(AccountId, Region), Instant>>);

impl TrailPace {
    /// Returns when it is the caller's turn.
    pub async fn turn(&self, account: &AccountId, region: &Region) {
        let at = {
            let now = Instant::now();
            let mut next = self.0.lock().unwrap_or_else(PoisonError::into_inner);
            next.retain(|_, at| *at > now);
            let at = next.entry((account.clone(), region.clone())).or_insert(now);
            let turn = *at;
            *at = turn + PACE;
            turn
        };
        tokio::time::sleep_until(at).await;
    }
}
