//! The fence: whether this process may change anything just now.
//!
//! Where several hosts share a log, one of them acts. Its lease says until when nobody else can have taken over; behind
//! that time it changes nothing, also when it was asleep in between and does not know it.

use std::sync::{Mutex, PoisonError};
use std::time::Instant;

/// Until when this process may change something. It is closed at first.
#[derive(Debug, Default)]
pub struct Fence(Mutex<Option<Instant>>);

impl Fence {
    /// Opens it until then.
    pub fn open_until(&self, until: Instant) {
        *self.0.lock().unwrap_or_else(PoisonError::into_inner) = Some(until);
    }

    /// Closes it.
    pub fn close(&self) {
        *self.0.lock().unwrap_or_else(PoisonError::into_inner) = None;
    }

    /// Whether something may be changed now.
    #[must_use]
    pub fn is_open(&self) -> bool {
        self.0.lock().unwrap_or_else(PoisonError::into_inner).is_some_and(|until| Instant::now() < until)
    }
}
