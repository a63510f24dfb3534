//! How a feed is doing.

use jiff::{SignedDuration, Timestamp};
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};
use std::sync::{Mutex, MutexGuard, PoisonError};
use std::time::Duration;

/// How a feed is doing.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct Health {
    /// When it was read last, to the end.
    pub last_read: Option<Timestamp>,
    /// How often it failed since.
    pub failures: u32,
    /// What it failed with last, if it failed since.
    pub error: Option<String>,
    /// When it is read again.
    pub next: Option<Timestamp>,
    /// Why it is not read, if it is not.
    pub skipped: Option<String>,
    /// Since when the oldest file waits that is there and was not read to its end.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub waits_since: Option<Timestamp>,
}

/// A [`Health`] that is looked at and changed from several places.
#[derive(Debug, Default)]
pub struct Pulse(Mutex<Health>);

impl Pulse {
    fn lock(&self) -> MutexGuard<'_, Health> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// As it is now.
    #[must_use]
    pub fn health(&self) -> Health {
        self.lock().clone()
    }

    /// Records that it was read to the end.
    pub fn record_success(&self) {
        *self.lock() = Health { last_read: Some(Timestamp::now()), ..Health::default() };
    }

    /// Records that it was looked at, and since when something waits there.
    pub fn record_look(&self, waits_since: Option<Timestamp>) {
        *self.lock() = Health { last_read: Some(Timestamp::now()), waits_since, ..Health::default() };
    }

    /// It failed. Gives how often in a row, and whether the reason is another than before.
    pub fn failed(&self, error: &str) -> (u32, bool) {
        let mut health = self.lock();
        health.failures = health.failures.saturating_add(1);
        let is_other = health.error.as_deref() != Some(error);
        health.error = Some(error.to_owned());
        (health.failures, is_other)
    }

    /// Some of it could be read: the next try need not wait the longer for that.
    pub fn failed_partly(&self, error: &str) -> (u32, bool) {
        self.lock().failures = 0;
        self.failed(error)
    }

    /// Records that it is not read, and that this is as it should be. Gives whether that is new.
    pub fn record_skip(&self, why: &str) -> bool {
        let mut health = self.lock();
        let is_new = health.skipped.as_deref() != Some(why);
        *health = Health { skipped: Some(why.to_owned()), ..Health::default() };
        is_new
    }

    /// It is read again after this time.
    pub fn goes_on_in(&self, delay: Duration) {
        let delay = SignedDuration::try_from(delay).unwrap_or(SignedDuration::MAX);
        self.lock().next = Timestamp::now().checked_add(delay).ok();
    }
}
