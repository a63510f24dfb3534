//! The status that a running service publishes.
//!
//! What is durable stands in the ledger. Here is what only the process knows: when it reads next, what
//! it tries again, what it works on.

use crate::aws::Depth;
use crate::config::Mode;
use crate::ident::Region;
use crate::incident::IncidentCounts;
use crate::ingest::Health;
use crate::ledger::Lock;
use crate::reconcile::Retry;
use crate::watch::Rechecks;
use jiff::{SignedDuration, Timestamp};
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};
use std::collections::BTreeMap;
use std::net::SocketAddr;
use std::path::{Path, PathBuf};

/// Time without a sign of life after which a service hangs.
const ALIVE: SignedDuration = SignedDuration::from_secs(30);

/// Time after which a feed that should have been read again is not ready.
const LATE: SignedDuration = SignedDuration::from_mins(5);

/// Time that a service has to read every feed for the first time.
const STARTING: SignedDuration = SignedDuration::from_mins(1);

/// The status that a running service publishes, in a file beside the ledger.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, JsonSchema)]
pub struct Live {
    pub pid: u32,
    /// The version of rescind.
    pub version: String,
    pub started: Timestamp,
    /// When this was true.
    pub at: Timestamp,
    /// When the loop that begins what is due last went round.
    pub heartbeat: Timestamp,
    /// The mode it runs in.
    pub mode: Mode,
    /// Whether what comes by event or folder is confirmed by GuardDuty first.
    pub confirm: bool,
    /// Where it answers, if it does.
    pub listen: Option<SocketAddr>,
    /// It answers there with TLS.
    #[serde(default)]
    pub tls: bool,
    /// How the polls of each region are doing.
    pub regions: BTreeMap<Region, Health>,
    /// How each queue is doing.
    pub queues: Vec<QueueLive>,
    /// How the folder is doing, if there is one.
    pub folder: Option<Health>,
    /// How many findings and remediations wait or are being worked on.
    pub in_flight: usize,
    /// What failed and is tried again, the next one first.
    pub retries: Vec<Retry>,
    /// How the denies in force are looked after.
    pub rechecks: Rechecks,
    /// Incidents that are not closed, and their doors.
    pub incidents: IncidentCounts,
    /// How much may be done in an hour without asking: in one account, and in the organization.
    pub budget: (u32, u32),
    /// Why a changed file was rejected, if one was.
    pub refused: Option<String>,
    pub stopping: bool,
    /// How this host stands to the log that outlives the machine, where there is one.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub log: Option<LogLive>,
    /// How the witness of the ledger's checkpoints is doing, where there is one.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub witness: Option<WitnessLive>,
}

/// How the witness is doing.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct WitnessLive {
    /// Number of entries under the latest checkpoint that stands there.
    pub size: Option<u64>,
    /// When this process put it.
    pub at: Option<Timestamp>,
    /// How often it failed in a row, and why.
    pub failures: u32,
    pub error: Option<String>,
}

/// How a host stands to the log.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct LogLive {
    pub role: Role,
    /// This process, as its items in the log name it.
    pub host: String,
    /// The process that leads, as far as this one knows.
    pub leader: Option<String>,
    /// Number of the leadership.
    pub epoch: u64,
    /// When a follower last had everything that stood in the log; for the leader, now.
    pub caught_up: Timestamp,
    /// Since when the log does not answer, and its latest error.
    pub fault: Option<(Timestamp, String)>,
}

/// Who acts.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
pub enum Role {
    /// This host acts.
    Leader,
    /// This host replays the log, and takes over when nobody leads.
    Follower,
}

/// How a queue is doing.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct QueueLive {
    pub name: String,
    /// How it is doing.
    pub health: Health,
    /// How much is in it, if SQS said so.
    pub depth: Option<Depth>,
}

impl Live {
    /// The address at which it answers, if it does.
    #[must_use]
    pub fn address(&self) -> Option<String> {
        let scheme = if self.tls { "https" } else { "http" };
        self.listen.map(|at| format!("{scheme}://{at}"))
    }

    /// The file beside the ledger.
    #[must_use]
    pub fn file(ledger: &Path) -> PathBuf {
        let mut name = ledger.as_os_str().to_owned();
        name.push(".live");
        name.into()
    }

    /// The last status of a ledger's service, if there is one that can be read.
    #[must_use]
    pub fn read(ledger: &Path) -> Option<Self> {
        serde_json::from_slice(&std::fs::read(Self::file(ledger)).ok()?).ok()
    }

    /// The status of the service that holds the ledger now, if one does: what a service left that was killed is
    /// not live, and what holds the ledger may be no service.
    #[must_use]
    pub fn of_holder(ledger: &Path) -> Option<Self> {
        let holder = Lock::holder(ledger)?;
        Self::read(ledger).filter(|live| holder.ends_with(&format!(" {}", live.pid)))
    }

    /// Removes the file: the service has stopped.
    pub fn remove(ledger: &Path) {
        let _ = std::fs::remove_file(Self::file(ledger));
    }

    /// The last sign of life: of the status itself, and of the loop that acts unless the service stops.
    #[must_use]
    pub fn last_sign(&self) -> Timestamp {
        if self.stopping { self.at } else { self.at.min(self.heartbeat) }
    }

    /// The service does not hang.
    #[must_use]
    pub fn is_alive(&self) -> bool {
        Timestamp::now().duration_since(self.last_sign()) < ALIVE
    }

    /// What keeps it from seeing thefts, but for feeds that a service which has just started is yet to read.
    #[must_use]
    pub fn blind(&self) -> Vec<String> {
        self.unseeing(Timestamp::now().duration_since(self.started) < STARTING)
    }

    /// What keeps it from seeing thefts, if something does: a feed that was not read yet or fails.
    #[must_use]
    pub fn not_ready(&self) -> Vec<String> {
        self.unseeing(false)
    }

    /// A feed that is yet to be read for the first time counts unless it `is_new`.
    fn unseeing(&self, is_new: bool) -> Vec<String> {
        let now = Timestamp::now();
        let feeds = self.regions.iter().map(|(region, health)| (format!("GuardDuty {region}"), health));
        let queues = self.queues.iter().map(|queue| (queue.name.clone(), &queue.health));
        let folder = self.folder.iter().map(|health| ("folder".to_owned(), health));
        let mut reasons: Vec<String> = feeds
            .chain(queues)
            .chain(folder)
            .filter(|(_, health)| health.skipped.is_none())
            .filter_map(|(name, health)| match (&health.error, health.last_read) {
                (Some(error), _) => Some(format!("{name}: {error}")),
                (None, None) => (!is_new).then(|| format!("{name}: not read yet")),
                (None, Some(_))
                    if health.waits_since.is_some_and(|since| now.duration_since(since) > LATE) =>
                {
                    Some(format!("{name}: what came is not read since {}", health.waits_since.unwrap_or(now)))
                }
                // It should have been read again long ago.
                (None, Some(last)) if health.next.is_some_and(|next| now.duration_since(next) > LATE) => {
                    Some(format!("{name}: not read since {last}"))
                }
                (None, Some(_)) => None,
            })
            .collect();
        reasons.extend(self.log.as_ref().and_then(LogLive::not_ready));
        if self.stopping {
            reasons.push("stopping".to_owned());
        }
        reasons
    }
}

impl WitnessLive {
    /// One line: how much of the ledger stands there.
    #[must_use]
    pub fn describe(&self) -> String {
        match self.size {
            Some(size) => format!("has the first {size} entries under a checkpoint"),
            None => "has no checkpoint yet".to_owned(),
        }
    }
}

/// Time after which a follower that has not read the log to its end is not ready.
const BEHIND: SignedDuration = SignedDuration::from_secs(30);

impl LogLive {
    /// What keeps the host from acting, or from taking over.
    fn not_ready(&self) -> Option<String> {
        if let Some((since, error)) = &self.fault {
            return Some(format!(
                "the log does not answer since {since:.0}: nothing is done until it does: {error}"
            ));
        }
        let behind = Timestamp::now().duration_since(self.caught_up);
        (behind > BEHIND).then(|| format!("follows the log {} s behind", behind.as_secs()))
    }

    /// One line: the role, how far it is behind, and who leads.
    #[must_use]
    pub fn describe(&self) -> String {
        let behind = Timestamp::now().duration_since(self.caught_up).as_secs().max(0);
        match (self.role, &self.leader) {
            (Role::Leader, _) => format!("leader, epoch {}", self.epoch),
            (Role::Follower, Some(leader)) => {
                format!("follower, {behind} s behind, epoch {}; {leader} leads", self.epoch)
            }
            (Role::Follower, None) => format!("follower, {behind} s behind; nobody leads"),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::json;

    #[test]
    fn a_folder_with_files_that_wait_is_not_ready() {
        let not_ready = |minutes: i64| {
            let waits = Timestamp::now() - SignedDuration::from_mins(minutes);
            let live: Live = serde_json::from_value(json!({
                "pid": 1, "version": "0", "started": "2026-11-22T10:00:00Z", "at": Timestamp::now(), "heartbeat": Timestamp::now(), "mode": "enforce",
                "confirm": true, "listen": null, "regions": {}, "queues": [], "in_flight": 0, "retries": [], "rechecks": Rechecks::default(),
                "incidents": IncidentCounts::default(),
                "budget": [1, 1], "refused": null, "stopping": false,
                "folder": {"last_read": Timestamp::now(), "failures": 0, "error": null, "next": null, "skipped": null,
                    "waits_since": waits},
            }))
            .expect("a live picture");
            live.not_ready()
        };
        assert_eq!(not_ready(4), Vec::<String>::new());
        let late = not_ready(6);
        assert!(late.len() == 1 && late[0].starts_with("folder: what came is not read since "), "{late:?}");
    }
}
