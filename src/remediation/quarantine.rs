//! The quarantine: a managed policy that denies everything, attached to a principal beside its deny for some minutes.
//!
//! The deny spares sessions that are issued later. IAM enforces it some seconds after it was accepted, and a thief can
//! use these to get a new session, or to take the deny away. While the quarantine is attached, he gains nothing by that.

use super::Event;
use jiff::Timestamp;
use schemars::JsonSchema;
use serde::Serialize;

/// A time for which the policy was attached, or may have been.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, JsonSchema)]
pub struct Quarantine {
    /// Number of the entry that recorded the intent to attach it.
    pub entry: i64,
    /// When that was.
    pub since: Timestamp,
    /// ARN of the policy.
    pub policy: String,
    /// When AWS had accepted the attachment; none when that is not known.
    pub attached_at: Option<Timestamp>,
    /// Why it was not attached.
    pub not_attached: Option<String>,
    /// When it was first about to be detached.
    pub lifting_at: Option<Timestamp>,
    /// When it was seen not to be attached any more.
    pub lifted_at: Option<Timestamp>,
}

impl Quarantine {
    /// Takes what an entry says of the quarantine. What is said of none that is open changes nothing.
    pub(super) fn take(all: &mut Vec<Self>, entry: i64, at: Timestamp, event: Event) {
        let open = all.last_mut().filter(|one| one.is_open());
        match (open, event) {
            (None, Event::Quarantining { policy }) => all.push(Self {
                entry,
                since: at,
                policy,
                attached_at: None,
                not_attached: None,
                lifting_at: None,
                lifted_at: None,
            }),
            (Some(open), Event::Quarantined { .. }) => {
                open.attached_at = open.attached_at.or(Some(at));
                // Attached again while it was to be detached: it goes on.
                open.lifting_at = None;
            }
            (Some(open), Event::NotQuarantined { reason, .. }) => open.not_attached = Some(reason),
            (Some(open), Event::Lifting { .. }) => open.lifting_at = open.lifting_at.or(Some(at)),
            (Some(open), Event::Lifted { .. }) => open.lifted_at = Some(at),
            _ => {}
        }
    }

    /// It is attached, or may be.
    #[must_use]
    pub fn is_open(&self) -> bool {
        self.lifted_at.is_none() && self.not_attached.is_none()
    }
}
