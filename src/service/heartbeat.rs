//! A sign of life of the loop that acts.

use jiff::Timestamp;
use std::sync::{Mutex, PoisonError};

/// When the dispatcher last went round.
pub(super) struct Heartbeat(Mutex<Timestamp>);

impl Heartbeat {
    pub fn new() -> Self {
        Self(Mutex::new(Timestamp::now()))
    }

    pub fn beat(&self) {
        *self.0.lock().unwrap_or_else(PoisonError::into_inner) = Timestamp::now();
    }

    pub fn last(&self) -> Timestamp {
        *self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}
