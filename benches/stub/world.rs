//! What the stub knows: accounts, roles and their inline policies, findings, the queue.

use super::findings::Findings;
use super::identity::{HUB, MANAGEMENT, role_id};
use super::queue::Queue;
use super::tables::Tables;
use super::tally::Tallies;
use super::trail::Trail;
use std::collections::{BTreeMap, BTreeSet, HashMap, HashSet};
use std::sync::Mutex;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::time::Instant;

pub struct World {
    pub members: usize,
    pub regions: Vec<String>,
    /// By account and lower-case name: IAM ignores the case of names.
    pub roles: Mutex<HashMap<(String, String), Role>>,
    /// The managed policies, by account and name.
    pub managed: Mutex<HashSet<(String, String)>>,
    pub findings: Mutex<Findings>,
    pub queue: Queue,
    pub trail: Trail,
    pub tables: Tables,
    pub log: Mutex<Log>,
    pub most: AtomicUsize,
    now: AtomicUsize,
    /// How many sessions there were.
    pub sessions: AtomicUsize,
}

/// A role that somebody asked for.
#[derive(Clone)]
pub struct Role {
    pub account: String,
    pub name: String,
    pub id: String,
    /// Inline policies by their names.
    pub policies: BTreeMap<String, String>,
    /// The ARNs of the managed policies that are attached.
    pub attached: BTreeSet<String>,
}

/// What happened when.
#[derive(Default)]
pub struct Log {
    pub calls: Tallies,
    pub denied: Vec<(String, Instant)>,
    pub queued: Vec<(String, Instant)>,
}

impl World {
    pub fn new(members: usize, regions: &[&str]) -> Self {
        assert!(!regions.is_empty(), "the stub needs a region");
        Self {
            members,
            regions: regions.iter().map(ToString::to_string).collect(),
            roles: Mutex::default(),
            managed: Mutex::default(),
            findings: Mutex::default(),
            queue: Queue::default(),
            trail: Trail::default(),
            tables: Tables::default(),
            log: Mutex::default(),
            most: AtomicUsize::new(0),
            now: AtomicUsize::new(0),
            sessions: AtomicUsize::new(0),
        }
    }

    /// The id of a member account.
    pub fn member(&self, index: usize) -> String {
        assert!(index < self.members, "there are {} members", self.members);
        format!("{:012}", 200_000_000_000 + index)
    }

    /// How many accounts there are: the hub, the management account, the members.
    pub fn accounts(&self) -> usize {
        2 + self.members
    }

    /// The id and the name of an account.
    pub fn account(&self, index: usize) -> (String, String) {
        match index {
            0 => (HUB.to_owned(), "security".to_owned()),
            1 => (MANAGEMENT.to_owned(), "management".to_owned()),
            more => (self.member(more - 2), format!("member-{}", more - 2)),
        }
    }

    pub fn has_account(&self, id: &str) -> bool {
        let index = id.parse::<usize>().ok().and_then(|number| number.checked_sub(200_000_000_000));
        id == HUB || id == MANAGEMENT || index.is_some_and(|index| index < self.members)
    }

    /// A call begins.
    pub fn enters(&self) {
        let now = self.now.fetch_add(1, Ordering::SeqCst) + 1;
        self.most.fetch_max(now, Ordering::SeqCst);
    }

    /// A call ends.
    pub fn leaves(&self) {
        self.now.fetch_sub(1, Ordering::SeqCst);
    }
}

impl Role {
    pub fn new(account: &str, name: &str) -> Self {
        let id = role_id(account, name);
        let (account, name) = (account.to_owned(), name.to_owned());
        Self { account, name, id, policies: BTreeMap::new(), attached: BTreeSet::new() }
    }

    pub fn arn(&self) -> String {
        format!("arn:aws:iam::{}:role/{}", self.account, self.name)
    }
}
