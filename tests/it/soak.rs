//! Findings by the hundred through a network that loses, cuts and garbles calls, with two kills: two
//! thousand of them in `make soak`, a quarter of that here.

use crate::proxy::{Fault, Proxy};
use crate::scene::{BANK, OTHER, SHOP, Scene};
use crate::watching::Watching;
use serde_json::{Value, json};
use std::collections::{BTreeMap, BTreeSet};
use std::time::{Duration, Instant};

const QUEUE: &str = "rescind-findings";

/// So many sessions of each role are stolen.
const SESSIONS: usize = 10;

/// With so many faults everything takes its time.
const PATIENCE: Duration = Duration::from_mins(4);

/// So many of a hundred calls go wrong.
const PERCENT: u32 = 8;

/// `make soak` goes on for so long.
const LONG: Duration = Duration::from_mins(10);

fn soaks() -> bool {
    std::env::var_os("RESCIND_SOAK").is_some()
}

/// So many in each of two accounts.
fn roles() -> usize {
    if soaks() { 100 } else { 25 }
}

#[test]
fn findings_by_the_hundred_survive_faults_and_kills() {
    let begun = Instant::now();
    let mut seed = 1;
    loop {
        round(seed);
        seed += 1;
        if !soaks() || begun.elapsed() > LONG {
            break;
        }
    }
}

fn round(seed: u64) {
    let mut scene = Scene::new();
    scene.queue(QUEUE);
    scene.configure("mode = \"enforce\"\npoll_interval = \"10s\"\ncalls_per_second = 100\n");
    scene.watch();
    let sessions = steal(&scene);
    let proxy = Proxy::before(scene.endpoint());
    proxy.at_random(
        seed,
        PERCENT,
        &[
            Fault::Latency(Duration::from_millis(200)),
            Fault::ResetBefore,
            Fault::ResetAfter,
            Fault::Status(503),
            Fault::Code(400, "ThrottlingException"),
            Fault::Code(429, "TooManyRequestsException"),
            Fault::Code(403, "ExpiredToken"),
            Fault::CodeAfter(500, "InternalFailure"),
            Fault::Truncated,
            Fault::WrongType,
        ],
    );
    for share in [3, 2] {
        let service = start(&scene, &proxy);
        scene.wait_up_to(PATIENCE, || proved(&scene) >= 2 * roles() / share);
        service.kill();
    }
    let service = start(&scene, &proxy);
    scene.wait_up_to(PATIENCE, || proved(&scene) == 2 * roles());
    // A batch that could not be read is read by a later poll, and one that fails waits longer each time.
    scene.wait_up_to(PATIENCE, || {
        found(&scene) == sessions.len() && undecided(&scene) == 0 && scene.messages(QUEUE) == (0, 0)
    });
    service.stop();
    assert!(proxy.injected() > roles(), "{} faults", proxy.injected());
    for (role, session) in &sessions {
        assert!(scene.thief(session).list_users().is_err(), "a session of {role} is still in");
    }
    one_remediation_for_each_role_and_cutoff(&scene);
    let forged = scene.entries_of("unconfirmed");
    assert_eq!(forged.len(), 20);
    scene.rescind(&["ledger", "verify"]).code(0);
}

fn start(scene: &Scene, proxy: &Proxy) -> Watching {
    let mut command = scene.command_through(proxy, &["run", "--log", "error"]);
    // A start that meets a fault at its first call gives up, and systemd starts it again.
    loop {
        if let Ok(service) = Watching::try_of(command.spawn().expect("it starts")) {
            return service;
        }
    }
}

/// Half of the thefts come by events, some of them twice and some in both regions; all by the polls.
fn steal(scene: &Scene) -> Vec<(String, Value)> {
    let mut sessions = Vec::new();
    let (mut here, mut there) = (Vec::new(), Vec::new());
    for account in [SHOP, BANK] {
        for role in (0..roles()).map(|number| format!("role-{number}")) {
            scene.role(account, &role);
            for number in 0..SESSIONS {
                let session = scene.session(account, &role, &format!("i-{number:017x}"));
                let region = if number % 5 == 4 { OTHER } else { scene.setting.regions[0] };
                let finding = scene.report(account, &role, &session, json!({"region": region}));
                if number % 5 == 4 { &mut there } else { &mut here }.push(finding);
                sessions.push((format!("{account}/{role}"), session));
            }
            // One session of each role gets in, so that the end shows something.
            scene.thief(&sessions[sessions.len() - 1].1).is_allowed();
        }
    }
    let send = |region: &str, findings: &[String], more: Value| {
        let mut body = json!({"queue": QUEUE, "account": crate::scene::SECURITY, "region": region, "finding_id": findings});
        for (key, value) in more.as_object().expect("an object") {
            body[key] = value.clone();
        }
        scene.post("events", &body);
    };
    let home = scene.setting.regions[0];
    send(home, &here[..here.len() / 2], json!({}));
    send(home, &here[..100], json!({"wrap": "sns"}));
    send(OTHER, &there[..there.len() / 2], json!({}));
    // And what nobody should believe.
    send(home, &here[..20], json!({"change": {"accountId": crate::scene::BARE}}));
    sessions
}

fn number(scene: &Scene, sql: &str) -> usize {
    let connection = rusqlite::Connection::open(scene.path("ledger.db")).expect("a ledger");
    connection.busy_timeout(Duration::from_secs(10)).expect("a timeout");
    let count = connection.query_row(sql, [], |row| row.get::<_, i64>(0)).expect("a count");
    usize::try_from(count).expect("a count")
}

fn proved(scene: &Scene) -> usize {
    number(scene, "SELECT count(DISTINCT account || role_key) FROM remediations WHERE state = 'revoked'")
}

fn found(scene: &Scene) -> usize {
    number(scene, "SELECT count(*) FROM entries WHERE kind = 'finding'")
}

fn undecided(scene: &Scene) -> usize {
    number(
        scene,
        "SELECT (SELECT count(*) FROM occurrences WHERE decided IS NULL) + (SELECT count(*) FROM remediations WHERE state NOT IN ('revoked', 'superseded'))",
    )
}

/// Two remediations of one role have different cutoffs, and each theft is taken care of.
fn one_remediation_for_each_role_and_cutoff(scene: &Scene) {
    let entries = scene.entries();
    let mut cutoffs: BTreeMap<String, BTreeSet<String>> = BTreeMap::new();
    let mut last: BTreeMap<&str, &Value> = BTreeMap::new();
    for entry in entries.iter().filter(|entry| entry["kind"] == "intent") {
        last.insert(entry["remediation"].as_str().expect("an id"), entry);
    }
    for intent in last.values() {
        let role = format!("{}/{}", intent["account"], intent["principal"]);
        let cutoff = intent["data"]["change"]["cutoff"].to_string();
        assert!(
            cutoffs.entry(role.clone()).or_default().insert(cutoff.clone()),
            "{role} twice with {cutoff}"
        );
    }
    assert_eq!(cutoffs.len(), 2 * roles());
    let findings = entries.iter().filter(|entry| entry["kind"] == "finding").count();
    let decisions = entries.iter().filter(|entry| entry["kind"] == "decision").count();
    assert_eq!((findings, decisions), (2 * roles() * SESSIONS, 2 * roles() * SESSIONS));
}
