//! The lease: a sign of life of the leader. It decides when another takes over, and never who may write.

use std::time::{Duration, Instant};

/// What stands in the log's table about who leads.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Lease {
    /// Number of the leadership.
    pub epoch: u64,
    /// The process that leads.
    pub holder: String,
    /// How often it was renewed: whoever watches it sees by this that the leader is alive, and needs no clock that
    /// agrees with anybody's.
    pub renewals: u64,
    /// Position of the last item that the leader knew: the log has at least so many.
    pub position: u64,
    /// The leader has stopped in good order: nobody has to wait for it.
    pub is_released: bool,
}

/// A lease as somebody watches it: when it last changed, by their own clock.
#[derive(Debug, Clone)]
pub struct Observed {
    lease: Option<Lease>,
    since: Instant,
}

impl Observed {
    /// The first look, at `now`.
    #[must_use]
    pub fn new(lease: Option<Lease>, now: Instant) -> Self {
        Self { lease, since: now }
    }

    /// Looks again, at `now`.
    pub fn look(&mut self, lease: Option<Lease>, now: Instant) {
        if lease != self.lease {
            *self = Self::new(lease, now);
        }
    }

    /// The lease as it was seen last.
    #[must_use]
    pub fn lease(&self) -> Option<&Lease> {
        self.lease.as_ref()
    }

    /// Whether nobody leads: there is no lease, it was released, or it was not renewed for `longest`.
    #[must_use]
    pub fn is_free(&self, longest: Duration, now: Instant) -> bool {
        self.lease.as_ref().is_none_or(|lease| lease.is_released)
            || now.saturating_duration_since(self.since) >= longest
    }
}
