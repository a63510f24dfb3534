//! The fence: whether this process may change anything just now.
//!
//! Where several hosts share a log, one of them acts. Its lease says until when nobody else can have taken over; behind
//! that time it changes nothing, also when it was asleep in between and does not know it.

use std::sync::{Mutex, PoisonError};
use std::time::Duration;

/// Interval between two looks at a fence that is closed.
const LOOK: Duration = Duration::from_millis(20);

/// Until when this process may change something. It is closed at first.
#[derive(Debug, Default)]
pub struct Fence(Mutex<Option<Duration>>);

impl Fence {
    /// A moment, by a clock that also runs while the machine is suspended.
    #[must_use]
    pub fn now() -> Duration {
        #[cfg(target_os = "linux")]
        {
            let now = rustix::time::clock_gettime(rustix::time::ClockId::Boottime);
            Duration::new(now.tv_sec.unsigned_abs(), u32::try_from(now.tv_nsec).unwrap_or_default())
        }
        #[cfg(not(target_os = "linux"))]
        {
            static START: std::sync::LazyLock<std::time::Instant> =
                std::sync::LazyLock::new(std::time::Instant::now);
            START.elapsed()
        }
    }

    /// Opens it until then.
    pub fn open_until(&self, until: Duration) {
        *self.0.lock().unwrap_or_else(PoisonError::into_inner) = Some(until);
    }

    /// Closes it.
    pub fn close(&self) {
        *self.0.lock().unwrap_or_else(PoisonError::into_inner) = None;
    }

    /// Waits until it is open, so long at most.
    pub async fn opens_within(&self, longest: Duration) {
        let until = Self::now() + longest;
        while !self.is_open() && Self::now() < until {
            tokio::time::sleep(LOOK).await;
        }
    }

    /// Whether something may be changed now.
    #[must_use]
    pub fn is_open(&self) -> bool {
        self.0.lock().unwrap_or_else(PoisonError::into_inner).is_some_and(|until| Self::now() < until)
    }
}
