//! Three hosts share a log while everything around them fails, in an order that a seed gives.
//!
//! A minute of it here. `RESCIND_CHAOS_SECONDS=600` is the long form; `RESCIND_CHAOS_SEED` gives another order.

use super::blow::Numbers;
use super::host::{Host, TABLE, configure_witnessed, say, scene_of};
use super::past::Past;
use crate::scene::{BANK, SHOP, Scene, Setting, WITNESS};
use serde_json::{Value, json};
use std::collections::BTreeSet;
use std::sync::Mutex;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::{Duration, Instant};

const QUEUE: &str = "rescind-findings";

const HOSTS: usize = 3;

/// Interval between two thefts.
const PACE: Duration = Duration::from_millis(290);

/// Longer than what is left to do takes, when nothing fails any more.
const PATIENCE: Duration = Duration::from_mins(4);

/// How many seconds each host's clock goes ahead.
const CLOCKS: [i64; HOSTS] = [0, 600, -600];

/// Chance, in percent, that a role is stolen from that was stolen from before.
const AGAIN: usize = 40;

fn from_environment(name: &str, otherwise: u64) -> u64 {
    std::env::var(name).map_or(otherwise, |text| text.parse().expect("a number"))
}

#[test]
fn whatever_fails_around_three_hosts_each_theft_is_answered_once_and_the_ledgers_are_one() {
    let seconds = from_environment("RESCIND_CHAOS_SECONDS", 60);
    let seed = from_environment("RESCIND_CHAOS_SEED", 1);
    say(&format!("RESCIND_CHAOS_SECONDS={seconds} RESCIND_CHAOS_SEED={seed}"));
    let scene = organization();
    let mut chaos = Chaos { hosts: hosts(&scene), scene: &scene, numbers: Numbers(seed) };
    let (thefts, is_over) = (Mutex::new(Vec::new()), AtomicBool::new(false));
    std::thread::scope(|scope| {
        scope.spawn(|| steal(&scene, seed, &is_over, &thefts));
        // Also when a step fails: the thief would go on for ever.
        let _over = Over(&is_over);
        chaos.go_on_for(Duration::from_secs(seconds));
    });
    let thefts = thefts.into_inner().expect("thefts");
    say(&format!("{} thefts", thefts.len()));
    let begun = Instant::now();
    chaos.wait_until_quiet(&thefts);
    say(&format!("all is done {:.1} s later", begun.elapsed().as_secs_f32()));
    chaos.stop();
    for theft in &thefts {
        scene.thief(&theft.session).is_denied();
    }
    let entries = chaos.ledgers_are_one();
    let past = Past::of(&entries, &scene.calls());
    past.has_each_theft_once(thefts.iter().map(|theft| theft.finding.as_str()).collect());
    past.has_one_remediation_for_each_principal_and_cutoff();
    past.has_times_that_are_apart(600);
    past.moves_no_cutoff_back();
    past.puts_only_what_was_intended();
    past.puts_again_only_what_was_not_there();
}

/// Sets a flag when it is dropped.
struct Over<'a>(&'a AtomicBool);

impl Drop for Over<'_> {
    fn drop(&mut self) {
        self.0.store(true, Ordering::Relaxed);
    }
}

fn organization() -> Scene {
    let setting = Setting {
        budget: "account_per_hour = 100000\norganization_per_hour = 100000\nroles_percent = 100\n",
        ..Setting::default()
    };
    let mut scene = scene_of(setting.with_witness(WITNESS));
    scene.witness_bucket(json!({"mode": "COMPLIANCE", "days": 400}));
    scene.queue(QUEUE);
    configure_witnessed(&scene, "");
    scene
}

/// The first of them leads. Each signs with a key of its own, for which the first one's has signed.
fn hosts(scene: &Scene) -> Vec<Host> {
    let mut hosts: Vec<_> = (0..HOSTS).map(|_| Host::new(scene)).collect();
    for (host, ahead) in hosts.iter_mut().zip(CLOCKS) {
        host.set_clock(scene, ahead);
    }
    hosts[0].lead();
    hosts[0].until(crate::log::REGION_READ);
    for host in &mut hosts[1..] {
        host.run();
        scene.wait(|| host.follows());
    }
    let keys = |host: &Host| host.kinds().iter().filter(|kind| *kind == "signing_key").count();
    scene.wait(|| hosts.iter().all(|host| keys(host) == HOSTS));
    hosts
}

struct Theft {
    session: Value,
    finding: String,
}

/// Steals until it is over. Half of the findings come by an event as well.
fn steal(scene: &Scene, seed: u64, is_over: &AtomicBool, thefts: &Mutex<Vec<Theft>>) {
    let mut numbers = Numbers(!seed);
    let mut roles: Vec<(&str, String)> = Vec::new();
    let mut next = Instant::now();
    while !is_over.load(Ordering::Relaxed) {
        if roles.is_empty() || numbers.below(100) >= AGAIN {
            let (account, role) = (numbers.one_of(&[SHOP, BANK]), format!("role-{}", roles.len()));
            scene.role(account, &role);
            roles.push((account, role));
        }
        let (account, role) = &roles[numbers.below(roles.len())];
        let session = scene.session(account, role, &format!("i-{:017x}", numbers.below(1 << 30)));
        let finding = scene.report(account, role, &session, json!({}));
        if numbers.below(2) == 0 {
            scene.event(QUEUE, &finding, json!({}));
        }
        thefts.lock().expect("thefts").push(Theft { session, finding });
        // After a slow step it catches up: the number of thefts is the time's, not the machine's.
        next += PACE;
        std::thread::sleep(next.saturating_duration_since(Instant::now()));
    }
}

struct Chaos<'a> {
    scene: &'a Scene,
    hosts: Vec<Host>,
    numbers: Numbers,
}

impl Chaos<'_> {
    fn go_on_for(&mut self, time: Duration) {
        let begun = Instant::now();
        while begun.elapsed() < time {
            let first = self.victim();
            let mut blows = vec![(first, self.numbers.blow())];
            if self.numbers.below(3) == 0 {
                blows.push(((first + 1 + self.numbers.below(HOSTS - 1)) % HOSTS, self.numbers.blow()));
            }
            let lasts =
                Duration::from_millis(500) * u32::try_from(1 + self.numbers.below(10)).expect("small");
            say(&format!("{:6.1} s: {blows:?} for {lasts:?}", begun.elapsed().as_secs_f32()));
            for (host, blow) in &blows {
                blow.strike(self.scene, &mut self.hosts[*host]);
            }
            // Nothing is concluded from how long it takes: it is a part of the order.
            std::thread::sleep(lasts);
            for (host, blow) in &blows {
                blow.heal(self.scene, &mut self.hosts[*host]);
            }
            std::thread::sleep(lasts / 4);
            self.hosts.iter_mut().for_each(Host::tend);
        }
    }

    /// Mostly the host that leads.
    fn victim(&mut self) -> usize {
        let any = self.numbers.below(HOSTS);
        let leader = self.hosts.iter().position(Host::leads);
        leader.filter(|_| self.numbers.below(3) > 0).unwrap_or(any)
    }

    /// Waits until all that was stolen is decided and done.
    fn wait_until_quiet(&mut self, thefts: &[Theft]) {
        let Self { scene, hosts, .. } = self;
        scene.wait_up_to(PATIENCE, || {
            hosts.iter_mut().for_each(Host::tend);
            hosts.iter().any(|host| is_done(host, thefts.len())) && scene.messages(QUEUE) == (0, 0)
        });
    }

    fn stop(&mut self) {
        for host in &mut self.hosts {
            assert_eq!(host.stop(), 0);
        }
    }

    /// Each host reads the log to its end once more, and has what all have. Gives the entries.
    fn ledgers_are_one(&mut self) -> Vec<Value> {
        for host in &mut self.hosts {
            host.lead();
            assert_eq!(host.stop(), 0);
        }
        let ledgers: Vec<_> = self.hosts.iter().map(Host::bodies).collect();
        for pair in ledgers.windows(2) {
            assert!(pair[1].starts_with(&pair[0]), "{} and {} entries", pair[0].len(), pair[1].len());
        }
        let last = &ledgers[HOSTS - 1];
        let mut roots = BTreeSet::new();
        let key = self.hosts[0].rescind(&["ledger", "key", "-o", "jsonl"]).code(0).json_document();
        let key = key["public_key"].as_str().expect("a key").to_owned();
        for host in &self.hosts {
            let verify = ["ledger", "verify", "--public-key", &key, "-o", "jsonl"];
            let verified = host.rescind(&verify).code(0).json_document();
            // Each checkpoint there is one of this ledger.
            assert!(verified["witness"]["objects"].as_u64().is_some_and(|count| count > 0), "{verified}");
            let log = &verified["log"];
            assert_eq!((&log["differs"], &log["broken"]), (&Value::Null, &Value::Null), "{verified}");
            assert_eq!(log["entries"], last.len(), "{verified}");
            roots.insert(log["root"].to_string());
            host.rescind(&["ledger", "rebuild", "--from-log"]).code(0);
            assert!(host.bodies() == *last, "the log has other entries than the last host");
        }
        assert_eq!(roots.len(), 1, "{roots:?}");
        let items = self.scene.get(&format!("tables?name={TABLE}"))["items"].as_array().map_or(0, Vec::len);
        say(&format!("{} entries in {items} items", last.len()));
        last.iter().map(|body| serde_json::from_str(body).expect("JSON")).collect()
    }
}

impl Drop for Chaos<'_> {
    fn drop(&mut self) {
        for (number, host) in self.hosts.iter_mut().enumerate() {
            host.hear();
            if std::thread::panicking() {
                let from = host.lines.len().saturating_sub(80);
                say(&format!("--- host {number}\n{}", host.lines[from..].join("\n")));
            }
        }
    }
}

fn is_done(host: &Host, thefts: usize) -> bool {
    const SQL: &str = "SELECT (SELECT count(*) FROM entries WHERE kind = 'finding') = ?1
        AND NOT EXISTS (SELECT 1 FROM occurrences WHERE decided IS NULL)
        AND NOT EXISTS (SELECT 1 FROM remediations WHERE state NOT IN ('revoked', 'superseded'))";
    let flags = rusqlite::OpenFlags::SQLITE_OPEN_READ_ONLY;
    let thefts = i64::try_from(thefts).expect("a number");
    rusqlite::Connection::open_with_flags(host.path("ledger.db"), flags)
        .and_then(|connection| connection.query_row(SQL, [thefts], |row| row.get(0)))
        .unwrap_or(false)
}
