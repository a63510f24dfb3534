//! What hangs in one account, or at a start, keeps nothing else from being done.

use crate::log;
use crate::made;
use crate::scene::{BANK, HOME, POLICY, SHOP, Scene};
use crate::thief::Thief;
use crate::watching::Watching;
use jiff::Timestamp;
use rescind::ledger::{Append, Ledger};
use rescind::remediation::{Draft, Event, Origin};
use serde_json::{Value, json};

const OFTEN: &str = "mode = \"enforce\"\npoll_interval = \"5s\"\n";

fn hang(scene: &Scene, operation: &str, account: Option<&str>) {
    let mut matched = json!({"operation": operation});
    if let Some(account) = account {
        matched["account"] = json!(account);
    }
    scene.fault("stuck", matched, "before", json!({"hang": true}), 0);
}

/// So many findings about roles in [`SHOP`] stand in the ledger, and nothing is decided about them.
fn leave_undecided(scene: &Scene, count: usize) {
    let Some(Event::Finding { finding, .. }) = made::story().into_iter().map(|draft| draft.event).next()
    else {
        panic!("a finding comes first")
    };
    let findings = (0..count).map(|number| {
        let mut finding = (*finding).clone();
        finding.id = format!("{number:032x}");
        finding.account = SHOP.parse().expect("an account");
        finding.updated_at = Timestamp::now();
        finding.updated_at_text = finding.updated_at.to_string();
        finding.evidence.last_seen = Some(finding.updated_at);
        if let Some(principal) = &mut finding.principal {
            principal.user_name = Some(format!("web-{}", number % 100));
            principal.principal_id = None;
        }
        Draft::finding(&Origin::Poll { region: HOME.parse().expect("a region") }, finding, None)
    });
    let runtime = tokio::runtime::Builder::new_current_thread().build().expect("a runtime");
    let ledger = Ledger::open(&scene.path("ledger.db")).expect("the ledger");
    let append = Append { entries: findings.collect(), ..Append::default() };
    runtime.block_on(ledger.append(append)).expect("written");
    ledger.close();
}

/// A theft is seen and revoked, whatever hangs.
fn is_revoked_and_killed(scene: &Scene, mut service: Watching, account: &str) {
    let (thief, _) = scene.theft(account, "web");
    service.until(log::REVOKED);
    thief.is_denied();
    service.kill();
}

/// Somebody takes the deny away, and the recheck that puts it back is killed in the middle.
fn interrupt_a_recheck(scene: &Scene) {
    Thief::operator(scene, SHOP).delete_role_policy("web", POLICY).expect("deleted");
    scene.hold("PutRolePolicy", "before");
    let mut process = scene.spawn(&["recheck"]);
    scene.held("PutRolePolicy");
    process.kill().expect("killed");
    process.wait().expect("dead");
}

#[test]
fn a_start_over_an_account_that_hangs_watches_the_others() {
    let scene = Scene::new();
    scene.watch();
    scene.configure(OFTEN);
    leave_undecided(&scene, 1200);
    hang(&scene, "AssumeRole", Some(SHOP));
    let service = Watching::start(&scene, &[]);
    scene.held("stuck");
    let undecided = || 1200 - scene.count("kind = 'decision'");
    assert!(undecided() > 1000, "{}: then the test is about nothing", undecided());
    is_revoked_and_killed(&scene, service, BANK);
}

#[test]
fn a_start_does_not_wait_for_organizations_when_the_accounts_are_known() {
    let scene = Scene::new();
    scene.watch();
    scene.configure(OFTEN);
    let connection = rusqlite::Connection::open(scene.path("ledger.db")).expect("the ledger");
    let body = connection.query_row("SELECT body FROM organization", [], |row| row.get::<_, String>(0));
    let mut body: Value = serde_json::from_str(&body.expect("a body")).expect("JSON");
    body["read_at"] = json!(Timestamp::now() - jiff::SignedDuration::from_hours(2));
    connection.execute("UPDATE organization SET body = ?1", [body.to_string()]).expect("older");
    drop(connection);
    hang(&scene, "ListAccounts", None);
    let service = Watching::start(&scene, &[]);
    scene.held("stuck");
    is_revoked_and_killed(&scene, service, SHOP);
}

#[test]
fn a_recheck_finishes_what_an_interrupted_one_had_begun() {
    let scene = Scene::new();
    let (thief, _) = scene.theft(SHOP, "web");
    scene.run_once();
    interrupt_a_recheck(&scene);
    scene.release("PutRolePolicy");
    thief.is_allowed();
    scene.rescind(&["recheck"]).code(0);
    thief.is_denied();
    // One that cannot be finished is not passed over in silence.
    interrupt_a_recheck(&scene);
    let down = json!({"error": {"code": "AccessDenied", "message": "no", "status": 403}});
    scene.fault("down", json!({"operation": "AssumeRole", "account": SHOP}), "before", down, 0);
    scene.rescind(&["recheck"]).code(5);
    scene.rescind(&["recheck"]).code(5);
}

#[test]
fn a_configuration_that_was_rejected_is_shown_beside_good_opt_outs() {
    let scene = Scene::new();
    std::fs::write(scene.path("opt-outs.toml"), "# none\n").expect("written");
    scene.configure(OFTEN);
    scene.watch();
    let mut service = Watching::start(&scene, &[]);
    let good = std::fs::read_to_string(scene.path("rescind.toml")).expect("read");
    std::fs::write(scene.path("rescind.toml"), format!("unknown = 1\n{good}")).expect("written");
    service.signal("HUP");
    service.until(log::CONFIGURATION_REFUSED);
    std::fs::write(scene.path("rescind.toml"), good).expect("written");
    scene.wait(|| {
        let status = scene.rescind(&["status", "-o", "jsonl"]).json_document();
        status["live"]["refused"].is_string()
    });
    scene.rescind(&["status"]).code(5);
    service.signal("HUP");
    scene.wait(|| scene.rescind(&["status", "-o", "jsonl"]).json_document()["live"]["refused"].is_null());
    assert_eq!(service.stop(), 0);
}

/// The first write waits for the lock in vain, and what is in flight has its time; the writes behind it do not
/// wait as long again, each for itself.
#[test]
fn a_ledger_that_stays_locked_ends_the_service_though_a_call_hangs() {
    let scene = Scene::new();
    scene.watch();
    scene.configure(&format!("{OFTEN}drain_timeout = \"10s\"\n"));
    let mut service = Watching::start(&scene, &[]).polled(2);
    hang(&scene, "GetRole", Some(SHOP));
    scene.theft(SHOP, "web");
    scene.held("stuck");
    let connection = rusqlite::Connection::open(scene.path("ledger.db")).expect("the ledger");
    connection.execute_batch("BEGIN IMMEDIATE").expect("locked");
    scene.theft(BANK, "web");
    scene.wait(|| service.has_ended());
    assert_eq!(service.end(), 4);
}
