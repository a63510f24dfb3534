//! Several hosts share a log: one leads, and another takes over, whatever becomes of the first.

mod blow;
mod chaos;
mod cosigned;
mod host;
mod keys;
mod moving;
mod past;
mod regions;
mod witness;

use crate::scene::{BANK, SECURITY, SHOP, Scene};
use crate::signer::Program;
use host::{Host, LEADS, configure, scene};
use serde_json::{Value, json};

/// Two hosts, of which the first leads and the second follows.
fn two(more: &str) -> (Scene, Host, Host) {
    let scene = scene();
    configure(&scene, more);
    let (mut first, mut second) = (Host::new(&scene), Host::new(&scene));
    first.lead();
    first.until(crate::log::REGION_READ);
    second.run();
    scene.wait(|| second.follows());
    (scene, first, second)
}

/// The access keys with which a role's deny was written.
fn writers(scene: &Scene) -> Vec<Value> {
    let put = scene.calls_of("PutRolePolicy").into_iter().filter(|call| call["status"] == 200);
    put.map(|call| call["params"]["RoleName"].clone()).collect()
}

#[test]
fn another_host_takes_over_from_one_that_was_killed() {
    let (scene, mut first, mut second) = two("");
    let (thief, _) = scene.theft(SHOP, "web");
    scene.wait(|| thief.list_users().is_err());
    first.kill();
    let (later, _) = scene.theft(BANK, "teller");
    second.until(LEADS);
    scene.wait(|| later.list_users().is_err());
    assert_eq!(writers(&scene), ["web", "teller"]);
    assert_eq!(second.stop(), 0);
    let states: Vec<_> = second.remediations().iter().map(|one| one["state"].clone()).collect();
    assert_eq!(states, ["revoked", "revoked"]);
    // The first one's disk has what it wrote; the rest is in the log.
    first.lead();
    assert_eq!(first.stop(), 0);
    second.lead();
    assert_eq!(second.stop(), 0);
    first.lead();
    assert_eq!(first.stop(), 0);
}

#[test]
fn what_was_intended_and_not_done_is_done_by_the_next_leader() {
    let (scene, mut first, mut second) = two("");
    scene.hold("PutRolePolicy", "before");
    let (thief, _) = scene.theft(SHOP, "web");
    scene.held("PutRolePolicy");
    first.kill();
    scene.release("PutRolePolicy");
    second.until(LEADS);
    scene.wait(|| thief.list_users().is_err());
    assert_eq!(second.stop(), 0);
    let kinds: Vec<_> = second.kinds().into_iter().filter(|kind| kind != "call").collect();
    let taken = kinds.iter().filter(|kind| *kind == "took_over").count();
    assert_eq!(taken, 2, "{kinds:?}");
    assert_eq!(kinds.iter().filter(|kind| *kind == "accepted").count(), 1, "{kinds:?}");
    assert_eq!(second.remediations().len(), 1);
}

#[test]
fn a_leader_that_sleeps_while_another_takes_over_wakes_up_and_changes_nothing() {
    let (scene, mut first, mut second) = two("");
    scene.hold("GetRole", "before");
    let (thief, _) = scene.theft(SHOP, "web");
    scene.held("GetRole");
    // What it waits for comes while it sleeps, and the intent's put would be next.
    first.signal("STOP");
    scene.release("GetRole");
    second.until(LEADS);
    scene.wait(|| thief.list_users().is_err());
    let before = scene.calls_of("PutRolePolicy").len();
    first.signal("CONT");
    scene.wait(|| first.follows());
    assert_eq!(scene.calls_of("PutRolePolicy").len(), before);
    assert_eq!(second.stop(), 0);
    first.until(LEADS);
    assert_eq!(first.stop(), 0);
    assert_eq!(second.remediations()[0]["state"], "revoked");
    // What it recorded after it had slept is in the log as well, under the other's lead.
    let mut again = Host::new(&scene);
    again.lead();
    assert_eq!(again.stop(), 0);
    first.lead();
    assert_eq!(first.stop(), 0);
    again.lead();
    assert_eq!(again.stop(), 0);
    first.lead();
    assert_eq!(first.stop(), 0);
    let (one, other) = (first.bodies(), again.bodies());
    assert_eq!(one[..other.len()], other[..]);
    first.rescind(&["ledger", "verify", "-o", "jsonl"]).code(0);
}

#[test]
fn a_leader_that_is_cut_off_from_the_log_stops_acting_and_follows_when_it_is_back() {
    let (scene, mut first, mut second) = two("");
    let matched = json!({"service": "dynamodb", "access_key_id": first.key()});
    scene.fault("cut-off", matched, "before", json!({"disconnect": true}), 0);
    let (thief, _) = scene.theft(SHOP, "web");
    second.until(LEADS);
    scene.wait(|| thief.list_users().is_err());
    scene.delete("faults/cut-off");
    scene.wait(|| first.follows());
    assert_eq!(writers(&scene), ["web"]);
    assert_eq!(second.stop(), 0);
    assert_eq!(first.stop(), 0);
    assert_eq!(second.remediations().len(), 1);
}

#[test]
fn while_the_log_does_not_answer_nothing_is_done_and_then_everything() {
    let (scene, mut first, mut second) = two("");
    scene.fault("outage", json!({"service": "dynamodb"}), "before", json!({"disconnect": true}), 0);
    let (thief, _) = scene.theft(SHOP, "web");
    scene.wait(|| {
        let live = first.live().unwrap_or_default();
        !live["log"]["fault"].is_null()
    });
    first.until("the log does not answer");
    assert_eq!(thief.list_users(), Ok(()));
    assert!(scene.calls_of("PutRolePolicy").is_empty());
    scene.delete("faults/outage");
    scene.wait(|| thief.list_users().is_err());
    assert_eq!(writers(&scene), ["web"]);
    second.kill();
    assert_eq!(first.stop(), 0);
}

#[test]
fn an_answer_at_a_follower_reaches_the_leader() {
    let (scene, mut first, second) = two("mode = \"approve\"\n");
    let (thief, _) = scene.theft(SHOP, "web");
    let held = || second.remediations().first().is_some_and(|one| one["state"] == "held");
    scene.wait(held);
    let id = second.remediations()[0]["remediation"].as_str().expect("an id").to_owned();
    // The plan of what is held comes a moment after it.
    scene.wait(|| second.kinds().iter().any(|kind| kind == "proposed"));
    second.rescind(&["approve", &id, "--by", "alice", "--reason", "seen"]).code(0);
    scene.wait(|| thief.list_users().is_err());
    assert_eq!(first.stop(), 0);
    assert_eq!(first.remediations()[0]["state"], "revoked");
}

#[test]
fn a_new_host_begins_with_an_empty_disk() {
    let (scene, mut first, mut second) = two("");
    let (thief, _) = scene.theft(SHOP, "web");
    scene.wait(|| thief.list_users().is_err());
    second.kill();
    assert_eq!(first.stop(), 0);
    let mut third = Host::new(&scene);
    // A command that records something is enough to read the whole log.
    third.lead();
    assert_eq!(third.stop(), 0);
    let (old, new) = (first.bodies(), third.bodies());
    assert_eq!(old[..], new[..old.len()]);
    assert_eq!(third.remediations()[0]["state"], "revoked");
    third.rescind(&["ledger", "verify", "-o", "jsonl"]).code(0);
    third.rescind(&["ledger", "rebuild", "-o", "jsonl"]).code(0);
}

#[test]
fn what_a_writer_put_and_whose_answer_was_lost_is_written_once() {
    let scene = scene();
    configure(&scene, "");
    let mut host = Host::new(&scene);
    let lost = json!({"service": "dynamodb", "operation": "PutItem"});
    scene.fault("lost", lost, "after", json!({"disconnect": true}), 25);
    host.lead();
    host.until(crate::log::REGION_READ);
    let (thief, _) = scene.theft(SHOP, "web");
    scene.wait(|| thief.list_users().is_err());
    assert_eq!(host.stop(), 0);
    assert_eq!(writers(&scene), ["web"]);
    host.rescind(&["ledger", "verify", "-o", "jsonl"]).code(0);
    assert_eq!(host.kinds().iter().filter(|kind| *kind == "took_over").count(), 1);
}

#[test]
fn a_leader_that_reaches_no_member_account_gives_the_lead_away() {
    let (scene, mut first, mut second) = two("");
    for service in ["sts", "iam"] {
        let matched = json!({"service": service, "access_key_id": first.key()});
        scene.fault(service, matched, "before", json!({"disconnect": true}), 0);
    }
    let (thief, _) = scene.theft(SHOP, "web");
    second.until(LEADS);
    scene.wait(|| thief.list_users().is_err());
    first.until("gives the lead away");
    scene.wait(|| first.follows());
    assert_eq!(writers(&scene), ["web"]);
    assert_eq!(second.stop(), 0);
    assert_eq!(first.stop(), 0);
}

#[test]
fn a_table_that_takes_no_puts_is_an_outage_that_is_shown_and_ends_with_a_signal() {
    let (scene, mut first, mut second) = two("");
    second.kill();
    let throttled = json!({"error": {"status": 400, "code": "ThrottlingException"}});
    let puts = json!({"service": "dynamodb", "operation": "PutItem"});
    scene.fault("throttled", puts, "before", throttled, 0);
    let (thief, _) = scene.theft(SHOP, "web");
    scene.wait(|| first.live().is_some_and(|live| !live["log"]["fault"].is_null()));
    assert_eq!(thief.list_users(), Ok(()));
    // It ends, and what was not recorded is found again.
    assert_ne!(first.stop(), 0);
    scene.delete("faults/throttled");
    first.lead();
    scene.wait(|| thief.list_users().is_err());
    assert_eq!(first.stop(), 0);
    assert_eq!(writers(&scene), ["web"]);
}

#[test]
fn a_follower_stops_while_the_log_does_not_answer() {
    let (scene, mut first, mut second) = two("");
    scene.fault("outage", json!({"service": "dynamodb"}), "before", json!({"hang": true}), 0);
    second.until("the log does not answer");
    assert_eq!(second.stop(), 0);
    scene.delete("faults/outage");
    assert_eq!(first.stop(), 0);
}

#[test]
fn who_may_do_what_is_read_again_by_a_host_that_follows() {
    let access = format!("role = \"approver\"\narns = [\"arn:aws:iam::{SECURITY}:role/Alice\"]\n");
    let (scene, mut leader, mut follower) =
        two(&format!("mode = \"approve\"\nlisten = \"127.0.0.1:0\"\n[[web.access]]\n{access}"));
    scene.role(SECURITY, "Alice");
    let line = follower.until(crate::log::LISTENS);
    let url = line.split_once("http://").expect("an address").1.split(": ").next().expect("an address");
    let url = format!("http://{url}");
    scene.theft(SHOP, "web");
    scene.wait(|| follower.follows() && follower.kinds().iter().any(|kind| kind == "proposed"));
    let id = follower.remediations()[0]["remediation"].as_str().expect("an id").to_owned();
    let alice = Program::new(&scene.session(SECURITY, "Alice", "run"), scene.endpoint(), &url);
    let approve =
        || alice.ask(&url, "POST", &format!("/v1/remediations/{id}/approve"), "{\"reason\":\"a test\"}");
    let change = |follower: &mut Host, role: &str, heard: &str| {
        let path = follower.path("rescind.toml");
        let old = std::fs::read_to_string(&path).expect("a text");
        let (head, access) = old.split_once("[[web.access]]\n").expect("access");
        let (_, rest) = access.split_once('\n').expect("a line");
        std::fs::write(&path, format!("{head}[[web.access]]\nrole = \"{role}\"\n{rest}")).expect("written");
        follower.signal("HUP");
        follower.until(heard);
    };
    change(&mut follower, "viewer", "the configuration was read again");
    assert_eq!(approve().problem(), (403, "forbidden".to_owned()));
    // What is not valid takes nothing from anybody, and gives nobody anything.
    change(&mut follower, "emperor", "the configuration was REJECTED");
    scene.wait(|| follower.live().is_some_and(|live| live["refused"].is_string()));
    assert_eq!(approve().problem(), (403, "forbidden".to_owned()));
    change(&mut follower, "approver", "the configuration was read again");
    assert_eq!(approve().status, 200);
    scene.wait(|| leader.kinds().iter().any(|kind| kind == "approved"));
    // What was taken away does not come back with a file that is broken when the host takes over.
    change(&mut follower, "viewer", "the configuration was read again");
    change(&mut follower, "emperor", "the configuration was REJECTED");
    leader.stop();
    follower.until(LEADS);
    assert_eq!(approve().problem(), (403, "forbidden".to_owned()));
    follower.stop();
}

#[test]
fn an_order_is_followed_to_its_proof_where_no_service_runs() {
    let (scene, mut first, mut second) = two("");
    second.kill();
    scene.role(SHOP, "web");
    let thief = scene.thief(&scene.session(SHOP, "web", "i-0123456789abcdef0"));
    let order = ["revoke", SHOP, "web", "--by", "alice", "--reason", "seen", "--yes", "--wait"];
    second.rescind(&order).code(0);
    thief.is_denied();
    assert_eq!(first.stop(), 0);
    assert_eq!(first.remediations()[0]["state"], "revoked");
}

#[test]
fn a_lease_that_somebody_wrote_over_takes_no_lead_away() {
    let (scene, mut first, mut second) = two("");
    let forged = json!({
        "pk": {"S": "rescind#lease"}, "epoch": {"N": "999"}, "holder": {"S": "somebody/else"},
        "renewals": {"N": "1"}, "position": {"N": "1"}, "released": {"BOOL": false},
    });
    scene.post("tables/items", &json!({"table": host::TABLE, "put": [forged]}));
    let (thief, _) = scene.theft(SHOP, "web");
    scene.wait(|| thief.list_users().is_err());
    assert_eq!(first.stop(), 0);
    assert_eq!(second.stop(), 0);
    assert_eq!(first.kinds().iter().filter(|kind| *kind == "took_over").count(), 1);
}

#[test]
fn an_item_that_cannot_be_read_is_an_error_that_says_so() {
    let scene = scene();
    configure(&scene, "");
    let mut first = Host::new(&scene);
    first.lead();
    first.until(crate::log::REGION_READ);
    assert_eq!(first.stop(), 0);
    let garbage = json!({"pk": {"S": "rescind#2"}, "position": {"N": "2"}});
    scene.post("tables/items", &json!({"table": host::TABLE, "put": [garbage]}));
    for command in [&["run"][..], &["ledger", "verify"], &["ledger", "rebuild", "--from-log"], &["plan"]] {
        let new = Host::new(&scene);
        std::fs::copy(first.path("ledger.db"), new.path("old.db")).expect("copied");
        if command[1..].first() == Some(&"verify") {
            std::fs::copy(first.path("ledger.db"), new.path("ledger.db")).expect("copied");
        }
        new.rescind(command).code(4).says("rescind#2");
    }
}

#[test]
fn what_changed_in_the_configuration_since_a_follower_started_counts_when_it_leads() {
    let (scene, mut first, mut second) = two("");
    let path = second.path("rescind.toml");
    let text = std::fs::read_to_string(&path).expect("a text");
    std::fs::write(&path, text.replace("\"enforce\"", "\"observe\"")).expect("written");
    assert_eq!(first.stop(), 0);
    second.until(LEADS);
    second.until(crate::log::REGION_READ);
    let (thief, finding) = scene.theft(SHOP, "web");
    scene.wait(|| {
        second.bodies().iter().any(|body| body.contains("\"verdict\":\"observe\"") && body.contains(&finding))
    });
    assert_eq!(thief.list_users(), Ok(()));
    assert_eq!(second.stop(), 0);
}

#[test]
fn the_others_follow_whoever_took_over() {
    let (scene, mut first, mut second) = two("");
    let mut third = Host::new(&scene);
    third.run();
    scene.wait(|| third.follows());
    first.kill();
    let leads = |host: &Host| host.live().is_some_and(|live| live["log"]["role"] == "leader");
    scene.wait(|| leads(&second) || leads(&third));
    let (thief, _) = scene.theft(SHOP, "web");
    scene.wait(|| thief.list_users().is_err());
    let has_outcome = |host: &Host| host.kinds().iter().any(|kind| kind == "accepted");
    scene.wait(|| has_outcome(&second) && has_outcome(&third));
    assert!(leads(&second) != leads(&third));
    assert_eq!((second.stop(), third.stop()), (0, 0));
}

#[test]
fn of_hosts_that_start_at_once_on_an_empty_table_one_leads() {
    let scene = scene();
    configure(&scene, "");
    let mut hosts: Vec<Host> = (0..3).map(|_| Host::new(&scene)).collect();
    hosts.iter_mut().for_each(Host::run);
    let role = |host: &Host, role: &str| host.live().is_some_and(|live| live["log"]["role"] == role);
    scene.wait(|| {
        hosts.iter().filter(|host| role(host, "leader")).count() == 1
            && hosts.iter().filter(|host| host.follows()).count() == 2
    });
    // What is there before the first poll is only observed.
    let watches = |host: &Host| host.kinds().iter().filter(|kind| *kind == "watching").count() == 2;
    scene.wait(|| hosts.iter().any(watches));
    let (thief, _) = scene.theft(SHOP, "web");
    scene.wait(|| thief.list_users().is_err());
    let took_over = |host: &Host| host.kinds().iter().filter(|kind| *kind == "took_over").count();
    assert_eq!(hosts.iter().map(took_over).max(), Some(1));
}

#[test]
fn a_standby_that_cannot_lead_waits_until_it_can() {
    let (scene, mut first, mut second) = two("");
    let matched = json!({"service": "sts", "access_key_id": second.key()});
    scene.fault("sts", matched, "before", json!({"disconnect": true}), 0);
    // Until the lease has run out, it has followed for as long as one lasts.
    first.kill();
    second.until("this host follows again");
    scene.delete("faults/sts");
    let (thief, _) = scene.theft(SHOP, "web");
    scene.wait(|| thief.list_users().is_err());
    assert_eq!(second.stop(), 0);
}
