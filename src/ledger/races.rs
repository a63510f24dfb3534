//! Several processes that write one log, in generated orders (shuttle): whatever is lost on the way, and whoever leads
//! meanwhile, what was answered with yes stands in the log once, and every file becomes what the log says.
//!
//! Two processes that share a file are not among them: SQLite's own lock orders those.

use super::LedgerError;
use super::committer::Committer;
use super::logged::{Log, Role};
use super::prepared::Prepared;
use crate::log::{Chain, Item, Lease, Put, Store};
use crate::remediation::{AlertCode, CallError, Draft, ErrorKind, Event};
use futures::FutureExt;
use futures::future::BoxFuture;
use rusqlite::Connection;
use shuttle::rand::{Rng, thread_rng};
use shuttle::sync::{Arc, Mutex};
use shuttle::{Config, Runner, thread};
use std::collections::{BTreeMap, BTreeSet};
use std::path::PathBuf;
use std::time::Duration;
use tempfile::TempDir;

const WRITERS: usize = 3;

/// Number of things that a writer does.
const STEPS: usize = 5;

/// The log as the table has it. A call switches to another thread where the real one waits for the network.
#[derive(Debug, Default)]
struct Table(Mutex<BTreeMap<u64, Item>>);

impl Table {
    fn items(&self) -> Vec<Item> {
        self.0.lock().expect("a lock").values().cloned().collect()
    }
}

fn lost<T>(operation: &'static str) -> Result<T, CallError> {
    let message = "no answer".to_owned();
    Err(CallError { service: "dynamodb", operation, kind: ErrorKind::Unavailable, code: None, message })
}

/// What happens in the call, happens when it is made: a future may not switch threads.
impl Store for Table {
    fn put<'a>(&'a self, item: &'a Item) -> BoxFuture<'a, Result<Put, CallError>> {
        thread::yield_now();
        let (is_lost, mut items) = (thread_rng().gen_ratio(1, 12), self.0.lock().expect("a lock"));
        let put = if is_lost && thread_rng().gen_bool(0.5) {
            lost("PutItem")
        } else if items.contains_key(&item.position) {
            Ok(Put::Taken)
        } else {
            assert_eq!(item.position, items.len() as u64 + 1, "a position is left empty");
            items.insert(item.position, item.clone());
            if is_lost { lost("PutItem") } else { Ok(Put::Done) }
        };
        drop(items);
        thread::yield_now();
        async { put }.boxed()
    }

    fn read(&self, from: u64, most: usize) -> BoxFuture<'_, Result<Vec<Item>, CallError>> {
        thread::yield_now();
        let read = if thread_rng().gen_ratio(1, 20) {
            lost("Query")
        } else {
            let items = self.0.lock().expect("a lock");
            Ok(items.range(from..).take(most).map(|(_, item)| item.clone()).collect())
        };
        async { read }.boxed()
    }

    fn lease(&self) -> BoxFuture<'_, Result<Option<Lease>, CallError>> {
        async { Ok(None) }.boxed()
    }

    fn put_lease<'a>(&'a self, _: &'a Lease, _: Option<&'a Lease>) -> BoxFuture<'a, Result<Put, CallError>> {
        async { Ok(Put::Done) }.boxed()
    }
}

/// What became of a text that somebody wanted to append.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Outcome {
    Answered,
    /// Another led.
    Refused,
    /// The process gave up on a log that did not answer.
    Unknown,
}

/// A host: its disk, and the process that runs on it just now.
struct Host {
    number: usize,
    table: Arc<Table>,
    disk: TempDir,
    /// How many disks and processes it has had.
    lives: usize,
    committer: Option<Committer>,
    outcomes: Vec<(String, Outcome)>,
    epochs: Vec<u64>,
}

impl Host {
    fn new(number: usize, table: &Arc<Table>) -> Self {
        let disk = disk();
        let table = Arc::clone(table);
        Self { number, table, disk, lives: 0, committer: None, outcomes: Vec::new(), epochs: Vec::new() }
    }

    fn path(&self) -> PathBuf {
        self.disk.path().join("ledger.db")
    }

    /// A new process on this host.
    fn open(&mut self) -> Result<(), LedgerError> {
        self.lives += 1;
        let store = std::sync::Arc::clone(&self.store());
        let log = Log::new(store, format!("host-{}/{}", self.number, self.lives));
        // Some wait for an answer for as long as it takes; the others end.
        let log = if thread_rng().gen_bool(0.5) { log.with_patience(Duration::ZERO) } else { log };
        self.committer = None;
        self.committer = Some(Committer::open(&self.path(), Some((log, Role::Guest)))?);
        Ok(())
    }

    fn store(&self) -> std::sync::Arc<dyn Store> {
        #[derive(Debug)]
        struct Shared(Arc<Table>);
        impl Store for Shared {
            fn put<'a>(&'a self, item: &'a Item) -> BoxFuture<'a, Result<Put, CallError>> {
                self.0.put(item)
            }
            fn read(&self, from: u64, most: usize) -> BoxFuture<'_, Result<Vec<Item>, CallError>> {
                self.0.read(from, most)
            }
            fn lease(&self) -> BoxFuture<'_, Result<Option<Lease>, CallError>> {
                self.0.lease()
            }
            fn put_lease<'a>(
                &'a self,
                lease: &'a Lease,
                before: Option<&'a Lease>,
            ) -> BoxFuture<'a, Result<Put, CallError>> {
                self.0.put_lease(lease, before)
            }
        }
        std::sync::Arc::new(Shared(Arc::clone(&self.table)))
    }

    fn live(&mut self) {
        for step in 0..STEPS {
            let done = match thread_rng().gen_range(0..8) {
                _ if self.committer.is_none() => self.open(),
                0 | 1 => self.lead(),
                2 => self.open(),
                3 => {
                    self.committer = None;
                    self.disk = disk();
                    self.open()
                }
                _ => self.append(step),
            };
            match done {
                Ok(()) => {}
                // The process ends: the next one reads the log.
                Err(LedgerError::Deposed { .. } | LedgerError::Log { .. }) => self.committer = None,
                Err(error) => panic!("{error}"),
            }
        }
    }

    fn append(&mut self, step: usize) -> Result<(), LedgerError> {
        let long = if thread_rng().gen_ratio(1, 8) { 700_000 } else { 0 };
        let texts: Vec<String> = (0..thread_rng().gen_range(1..3))
            .map(|number| format!("{} {step} {number} {}", self.number, noise(long)))
            .collect();
        let entries: Vec<Prepared> =
            texts.iter().map(|text| prepared(text)).collect::<Result<_, _>>().expect("prepared");
        let committer = self.committer.as_mut().expect("a process");
        let done = committer
            .commit(|appending| entries.iter().try_for_each(|entry| appending.one(entry).map(|_| ())));
        let outcome = match &done {
            Ok(()) => Outcome::Answered,
            Err(LedgerError::Deposed { .. }) => Outcome::Refused,
            Err(_) => Outcome::Unknown,
        };
        self.outcomes.extend(texts.into_iter().map(|text| (text, outcome)));
        done
    }

    fn lead(&mut self) -> Result<(), LedgerError> {
        let entry = prepared(&format!("{} leads", self.number))?;
        let committer = self.committer.as_mut().expect("a process");
        let epoch = committer.lead(None, None, |appending, _| appending.one(&entry).map(|_| ()))?;
        self.epochs.push(epoch);
        Ok(())
    }

    /// The texts in the file, when it has all that the log has.
    fn texts(&mut self) -> Vec<String> {
        while self.committer.is_none() {
            match self.open() {
                Ok(()) | Err(LedgerError::Log { .. }) => {}
                Err(error) => panic!("{error}"),
            }
        }
        while self.committer.as_mut().is_some_and(|committer| committer.catch_up().is_err()) {}
        let connection = Connection::open(self.path()).expect("a file");
        let mut bodies = connection.prepare("SELECT body FROM entries ORDER BY seq").expect("entries");
        let bodies = bodies.query_map([], |row| row.get::<_, Vec<u8>>(0)).expect("rows");
        bodies
            .map(|body| {
                let entry: serde_json::Value = serde_json::from_slice(&body.expect("a body")).expect("JSON");
                entry["data"]["text"].as_str().expect("a text").to_owned()
            })
            .collect()
    }
}

/// An empty disk, in memory where the system has that.
fn disk() -> TempDir {
    let memory = std::path::Path::new("/dev/shm");
    let disk = if memory.is_dir() { tempfile::tempdir_in(memory) } else { tempfile::tempdir() };
    disk.expect("a directory")
}

/// What gzip does not make small: a group with it needs several items.
fn noise(length: usize) -> String {
    let mut state = length as u64;
    let mut letter = || {
        state = state.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1);
        char::from(b'a' + u8::try_from((state >> 33) % 26).expect("a letter"))
    };
    (0..length).map(|_| letter()).collect()
}

fn prepared(text: &str) -> Result<Prepared, LedgerError> {
    let (text, what_to_do) = (text.to_owned(), String::new());
    Prepared::new(Draft::of_service(Event::Alert { code: AlertCode::Unreadable, text, what_to_do }))
}

fn race() {
    let table = Arc::new(Table::default());
    let hosts: Vec<_> = (0..WRITERS)
        .map(|number| {
            let mut host = Host::new(number, &table);
            thread::spawn(move || {
                host.live();
                host
            })
        })
        .collect();
    let mut hosts: Vec<_> = hosts.into_iter().map(|host| host.join().expect("it ends")).collect();

    let mut chain = Chain::default();
    let items = table.items();
    let mut epoch = 0;
    for item in items {
        assert!(item.epoch >= epoch, "leadership {} after {epoch}", item.epoch);
        epoch = item.epoch;
        chain.take(item).expect("the items follow each other");
    }
    let led: Vec<u64> = hosts.iter().flat_map(|host| host.epochs.clone()).collect();
    assert_eq!(led.iter().collect::<BTreeSet<_>>().len(), led.len(), "two led under one number: {led:?}");
    let texts: Vec<Vec<String>> = hosts.iter_mut().map(Host::texts).collect();
    for other in &texts[1..] {
        assert!(texts[0] == *other, "{} and {} entries", texts[0].len(), other.len());
    }
    for host in &hosts {
        let mut places = Vec::new();
        for (text, outcome) in &host.outcomes {
            let found: Vec<usize> = (0..texts[0].len()).filter(|at| texts[0][*at] == *text).collect();
            let start = &text[..text.len().min(20)];
            match outcome {
                Outcome::Answered => assert_eq!(found.len(), 1, "{start:?} was answered"),
                Outcome::Refused => assert_eq!(found.len(), 0, "{start:?} was refused"),
                Outcome::Unknown => assert!(found.len() <= 1, "{start:?} stands there twice"),
            }
            places.extend(found);
        }
        assert!(places.is_sorted(), "host {}'s entries are out of order", host.number);
    }
}

#[test]
fn what_is_answered_stands_in_the_log_once_whoever_leads() {
    let rounds = if std::env::var_os("RESCIND_SOAK").is_some() { 5_000 } else { 40 };
    let mut config = Config::new();
    // SQLite needs more than shuttle's own.
    config.stack_size = 1 << 20;
    Runner::new(shuttle::scheduler::RandomScheduler::new(rounds), config.clone()).run(race);
    Runner::new(shuttle::scheduler::PctScheduler::new(3, rounds / 2), config).run(race);
}
