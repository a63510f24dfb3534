//! The feeds and the hosts: what rescind sees by.

use super::words::{Tone, When};
use crate::service::Live;

/// What rescind sees by.
pub(super) struct Feeds {
    pub tone: Tone,
    pub text: String,
    pub rows: Vec<(String, Tone, String, Option<When>)>,
}

impl Feeds {
    /// How the feeds and the host are doing.
    pub fn of(live: Option<&Live>) -> Self {
        let Some(live) = live else {
            let text = "No service is running here: findings are not processed.".to_owned();
            return Self { tone: Tone::Bad, text, rows: Vec::new() };
        };
        let mut rows = Vec::new();
        let all = live
            .regions
            .iter()
            .map(|(region, health)| (format!("GuardDuty {region}"), health))
            .chain(live.queues.iter().map(|queue| (queue.name.clone(), &queue.health)))
            .chain(live.folder.iter().map(|health| ("folder".to_owned(), health)));
        for (name, health) in all {
            let (tone, text) = match (&health.error, &health.skipped, health.last_read) {
                (Some(error), ..) => (Tone::Bad, format!("fails: {error}")),
                (None, Some(why), _) => (Tone::Plain, format!("not read: {why}")),
                (None, None, None) => (Tone::Warn, "not read yet".to_owned()),
                (None, None, Some(_)) => (Tone::Good, "read".to_owned()),
            };
            rows.push((name, tone, text, health.last_read.map(When::of)));
        }
        if let Some(log) = &live.log {
            let tone = if log.fault.is_some() { Tone::Bad } else { Tone::Good };
            rows.push((format!("host {}", log.host), tone, log.describe(), Some(When::of(log.caught_up))));
        }
        let blind = live.blind();
        let (tone, text) = match (live.is_alive(), blind.as_slice()) {
            (false, _) => (Tone::Bad, "The service shows no sign of life.".to_owned()),
            (true, []) => (Tone::Good, format!("All feeds are read. Mode: {}.", live.mode)),
            (true, some) => (Tone::Bad, format!("rescind does not see everything: {}.", some.join("; "))),
        };
        Self { tone, text, rows }
    }
}
