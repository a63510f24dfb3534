//! A record of CloudTrail, and what it means.

use super::meaning::activity;
use super::{Activity, TrailEvent};
use serde_json::Value;

/// An event, and what it means.
#[derive(Debug, Clone, PartialEq)]
pub struct TrailRecord {
    /// The event itself.
    pub event: TrailEvent,
    /// None when the call only looks.
    pub activity: Option<Activity>,
}

impl TrailRecord {
    /// From the JSON text of a CloudTrail record. None when it is no JSON, or has no id, time, source
    /// or name; whatever else is missing or odd is none in its field.
    #[must_use]
    pub fn parse(record: &str) -> Option<Self> {
        let record: Value = serde_json::from_str(record).ok()?;
        let event = TrailEvent::read(&record)?;
        let activity = activity(&record, &event);
        Some(Self { event, activity })
    }
}
