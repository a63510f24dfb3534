//! How many calls a second the polls may make, all together.

use governor::{DefaultDirectRateLimiter, Quota, RateLimiter};
use std::num::NonZeroU32;

/// Lets calls through at a configured rate.
#[derive(Debug)]
pub struct Pace(DefaultDirectRateLimiter);

impl Pace {
    /// So many calls a second.
    #[must_use]
    pub fn new(calls_per_second: NonZeroU32) -> Self {
        Self(RateLimiter::direct(Quota::per_second(calls_per_second)))
    }

    /// Returns when the next call may be made.
    pub async fn next(&self) {
        self.0.until_ready().await;
    }
}
