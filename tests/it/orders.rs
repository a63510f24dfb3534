//! `rescind revoke` and `rescind handle` beside a running service: what a person orders and hands in.

use crate::pursuit::intrusion::{ENFORCE, Intrusion};
use crate::scene::{BANK, SHOP, Scene, Setting};
use crate::thief::Thief;
use crate::watching::Watching;
use serde_json::{Value, json};

const SIGNED: [&str; 5] = ["--by", "Ada", "--reason", "ticket 4711", "--yes"];

/// An order about a principal of the shop, with more of its options.
fn order(scene: &Scene, principal: &str, more: &[&str]) -> crate::scene::Ran {
    let args = [&["-o", "json", "revoke", SHOP, principal], &SIGNED[..], more].concat();
    scene.rescind(&args)
}

/// A role of the shop and a session of it, about which GuardDuty knows nothing.
fn unseen(scene: &Scene, role: &str, instance: &str) -> (Thief, Value) {
    scene.role(SHOP, role);
    let session = scene.session(SHOP, role, instance);
    (scene.thief(&session), session)
}

/// A scene whose polls bring nothing on their own.
fn quiet() -> Scene {
    let scene = Scene::new();
    scene.configure("mode = \"enforce\"\npoll_interval = \"1h\"\n");
    scene
}

fn is_whole(scene: &Scene) {
    scene.rescind(&["ledger", "verify"]).code(0);
}

#[test]
fn one_beside_a_running_service_is_denied_in_the_third_round_trip() {
    let scene = quiet();
    let (thief, _) = unseen(&scene, "web", "i-0123456789abcdef0");
    let service = Watching::start(&scene, &[]).polled(2);
    thief.is_allowed();
    let ran = order(&scene, "web", &["--wait"]).code(0);
    ran.counts(json!({"revoked": 1}));
    thief.is_denied();
    let before: Vec<String> = scene
        .calls()
        .iter()
        .filter(|call| call["account"] == SHOP)
        .map(|call| call["operation"].as_str().expect("a name").to_owned())
        .take_while(|operation| operation != "PutRolePolicy")
        .filter(|operation| operation != "ListUsers")
        .collect();
    // Enter, look, put: what is looked at is looked at side by side.
    let mut looked = before.clone();
    looked.retain(|operation| operation != "AssumeRole");
    looked.sort();
    assert_eq!(looked, ["GetRole", "GetRolePolicy"], "{before:?}");
    let finding = &scene.entries_of("finding")[0]["data"];
    assert_eq!(finding["origin"], json!({"feed": "order", "by": "Ada"}));
    let order = &finding["finding"]["cause"]["order"];
    assert_eq!((&order["reason"], &order["from"]["person"]["by"]), (&json!("ticket 4711"), &json!("Ada")));
    assert!(order["from"]["person"]["os_user"].as_str().is_some_and(|user| user.contains("uid ")), "{order}");
    let decision = &scene.entries_of("decision")[0]["data"];
    assert_eq!((&decision["code"], &decision["rule"]), (&json!("ordered"), &json!("built-in: order")));
    assert_eq!(scene.entries_of("handed_in").len(), 1);
    assert_eq!(service.stop(), 0);
    is_whole(&scene);
}

#[test]
fn one_needs_no_service_and_no_guardduty() {
    let scene = Scene::with(Setting { detector_regions: Vec::new(), ..Setting::default() });
    let (thief, _) = unseen(&scene, "web", "i-0123456789abcdef0");
    order(&scene, "role/web", &[]).code(0).counts(json!({"revoked": 1}));
    thief.is_denied();
    let id = scene.entries_of("decision")[0]["remediation"].as_str().expect("an id").to_owned();
    assert_eq!(scene.shown(&id)["remediation"]["state"], "revoked");
    // It is released like any other.
    scene.rescind(&["release", &id, "--by", "Ada", "--reason", "drill"]).code(0);
    thief.is_allowed();
    is_whole(&scene);
}

#[test]
fn reports_have_who_ordered_it_and_why() {
    let scene = Scene::new();
    unseen(&scene, "web", "i-0123456789abcdef0");
    order(&scene, "web", &[]).code(0);
    let report = scene.rescind(&["report", "--format", "json"]).code(0).json_document();
    let cause = &report["remediations"][0]["finding"]["cause"]["order"];
    assert_eq!((&cause["from"]["person"]["by"], &cause["reason"]), (&json!("Ada"), &json!("ticket 4711")));
    for (args, texts) in [
        (&["report", "--format", "html"][..], &["ordered by", "Ada (", "ticket 4711"][..]),
        (&["report", "--format", "asff"], &["after the order"]),
    ] {
        let out = scene.rescind(args).out;
        assert!(texts.iter().all(|text| out.contains(text)), "{args:?}: {out}");
    }
}

#[test]
fn one_about_a_session_leaves_the_others() {
    for name in ["i-0123456789abcdef0", "full", "arn"] {
        let scene = quiet();
        let (thief, session) = unseen(&scene, "web", "i-0123456789abcdef0");
        let other = scene.thief(&scene.session(SHOP, "web", "i-0fedcba9876543210"));
        let full = session["principal_id"].as_str().expect("an id");
        let arn = format!("arn:aws:sts::{SHOP}:assumed-role/web/i-0123456789abcdef0");
        match name {
            "full" => order(&scene, "web", &["--session", full]),
            "arn" => order(&scene, &arn, &[]),
            name => order(&scene, "web", &["--session", name]),
        }
        .code(0)
        .counts(json!({"revoked": 1}));
        thief.is_denied();
        other.is_allowed();
    }
}

#[test]
fn one_about_a_user_deactivates_the_key_that_it_names() {
    let scene = Scene::with(Setting::default().with_users());
    let all = json!({"Version": "2012-10-17", "Statement": [{"Effect": "Allow", "Action": "iam:*", "Resource": "*"}]});
    let user = scene.post("users", &json!({"account": SHOP, "name": "alice", "policy": all, "keys": 2}));
    let [stolen, other] = [0, 1].map(|number| user["access_keys"][number].clone());
    let key = stolen["access_key_id"].as_str().expect("an id");
    order(&scene, "user/alice", &["--key", key]).code(0).counts(json!({"revoked": 1}));
    assert_eq!(scene.thief(&stolen).list_users(), Err("InvalidClientTokenId".to_owned()));
    scene.thief(&other).is_allowed();
}

#[test]
fn one_about_a_user_without_a_key_denies_the_user_everything() {
    let scene = Scene::with(Setting::default().with_users());
    let all = json!({"Version": "2012-10-17", "Statement": [{"Effect": "Allow", "Action": "iam:*", "Resource": "*"}]});
    let user = scene.post("users", &json!({"account": SHOP, "name": "alice", "policy": all, "keys": 2}));
    order(&scene, "user/alice", &[]).code(0).counts(json!({"revoked": 1}));
    for key in 0..2 {
        scene.thief(&user["access_keys"][key]).is_denied();
    }
    let id = scene.entries_of("decision")[0]["remediation"].as_str().expect("an id").to_owned();
    scene.rescind(&["release", &id, "--by", "Ada", "--reason", "checked"]).code(0);
    scene.thief(&user["access_keys"][0]).is_allowed();
}

#[test]
fn what_was_opened_with_the_key_of_an_order_is_pursued() {
    let scene = Scene::new();
    scene.configure(ENFORCE);
    let intrusion = Intrusion::unreported(&scene, "203.0.113.77");
    let key = intrusion.stolen["access_key_id"].as_str().expect("an id");
    order(&scene, "web", &["--key", key, "--address", "203.0.113.77"]).code(0);
    intrusion.is_over();
    assert!(scene.codes("decision").contains(&"session_opened".to_owned()));
    is_whole(&scene);
}

#[test]
fn one_goes_through_the_same_triage() {
    // A mode of approve asks for what the order just said.
    let scene = Scene::new();
    scene.configure("mode = \"approve\"\n");
    let (thief, _) = unseen(&scene, "web", "i-0123456789abcdef0");
    order(&scene, "web", &[]).code(0).counts(json!({"revoked": 1}));
    thief.is_denied();
    // So does a rule of its own.
    scene.configure("mode = \"enforce\"\n[[rules]]\nname = \"orders\"\ntypes = [\"rescind:Order/Revoke\"]\nmode = \"approve\"\n");
    let (thief, _) = unseen(&scene, "batch", "i-0123456789abcdef1");
    order(&scene, "batch", &[]).code(0).counts(json!({"revoked": 1}));
    thief.is_denied();
    assert_eq!(scene.entries_of("decision")[1]["data"]["rule"], "orders");
    for (head, verdict, code) in [
        ("mode = \"observe\"\n", "observe", "mode_observe"),
        (
            &format!("mode = \"enforce\"\nprotected = [\"arn:aws:iam::{SHOP}:role/we?\"]\n"),
            "skip",
            "protected",
        ),
    ] {
        let scene = Scene::new();
        scene.configure(head);
        let (thief, _) = unseen(&scene, "web", "i-0123456789abcdef0");
        order(&scene, "web", &[]).code(5);
        let decision = &scene.entries_of("decision")[0]["data"];
        assert_eq!((&decision["verdict"], &decision["code"]), (&json!(verdict), &json!(code)), "{head}");
        assert_eq!(scene.writes(), 0);
        thief.is_allowed();
    }
}

#[test]
fn an_opt_out_that_asks_for_approval_and_a_budget_hold_it() {
    let scene = Scene::with(Setting {
        budget: "account_per_hour = 1\norganization_per_hour = 1000\nroles_percent = 100\n",
        ..Setting::default()
    });
    let text = format!(
        "[[opt_out]]\nname = \"freeze\"\nowner = \"shop team\"\nreason = \"r\"\nroles = [\"web\"]\nmode = \"approve\"\nexpires = {}\n",
        (jiff::Timestamp::now() + jiff::SignedDuration::from_hours(48)).strftime("%Y-%m-%d")
    );
    std::fs::write(scene.path("opt-outs.toml"), text).expect("written");
    for (role, code) in [("web", "opted_out_approve"), ("first", "ordered"), ("second", "budget_account")] {
        let (thief, _) = unseen(&scene, role, "i-0123456789abcdef0");
        order(&scene, role, &[]).code(if code == "ordered" { 0 } else { 5 });
        let decision = scene.entries_of("decision").pop().expect("decided");
        assert_eq!(decision["data"]["code"], code, "{role}");
        if code == "ordered" { thief.is_denied() } else { thief.is_allowed() }
    }
}

#[test]
fn two_of_them_about_one_role_move_its_cutoff_forward() {
    let scene = quiet();
    let (first, _) = unseen(&scene, "web", "i-0123456789abcdef0");
    order(&scene, "web", &[]).code(0);
    first.is_denied();
    scene.advance_clock(300);
    let second = scene.thief(&scene.session(SHOP, "web", "i-0fedcba9876543210"));
    second.is_allowed();
    // The order is for what is there now, by AWS's clock.
    order(&scene, "web", &[]).code(0);
    second.is_denied();
    assert_eq!(scene.codes("decision"), ["ordered", "ordered"]);
    // And a third within the cutoff changes nothing.
    order(&scene, "web", &[]).code(0).has_code("already_revoked");
    assert_eq!(scene.writes(), 2);
}

#[test]
fn what_cannot_be_ordered_says_why_and_changes_nothing() {
    let scene = quiet();
    unseen(&scene, "web", "i-0123456789abcdef0");
    for (args, text) in [
        (vec!["arn:aws:iam::333333333333:role/web"], "333333333333"),
        (vec!["arn:aws:iam::222222222222:root"], "expected a role"),
        (vec!["user/alice", "--session", "x"], "--session is for a role"),
        (vec!["web", "--key", "AKIAEXAMPLE000000001"], "is a user's key"),
        (vec!["web", "--key", "secret"], "expected AKIA"),
    ] {
        let args = [&["revoke", SHOP], &args[..], &SIGNED[..]].concat();
        scene.rescind(&args).code(2).says(text);
    }
    // Nobody can be asked here.
    let unasked = ["revoke", SHOP, "web", "--by", "Ada", "--reason", "r"];
    scene.rescind(&unasked).code(2).says("--yes");
    // A role that is not there, and an account without the remediation role, are known only when it is looked.
    order(&scene, "wbe", &[]).code(5);
    let args = [&["revoke", "123456789012", "web"], &SIGNED[..]].concat();
    scene.rescind(&args).code(5);
    assert_eq!((scene.entries_of("finding").len(), scene.writes()), (2, 0));
    is_whole(&scene);
}

#[test]
fn what_is_handed_in_beside_a_running_service_is_decided_by_it() {
    let scene = quiet();
    scene.watch();
    let (thief, id) = scene.theft(SHOP, "web");
    let name = "dump";
    scene.post(
        "queues",
        &json!({"account": crate::scene::SECURITY, "region": crate::scene::HOME, "name": name}),
    );
    scene.event(name, &id, json!({"wrap": "raw"}));
    let state = scene.get(&format!("queues?name={name}"));
    let finding = state["messages"][0]["body"].as_str().expect("text").to_owned();
    scene.hold_all("ListFindings");
    let service = Watching::start(&scene, &[]);
    std::fs::write(scene.path("finding.json"), format!("{finding}\n{{\"odd\": 1}}\n")).expect("written");
    let ran = scene.rescind(&["-o", "json", "handle", "finding.json", "--wait"]).code(5);
    thief.is_denied();
    assert!(ran.json().iter().any(|line| line["handed_in"] == 1), "{}", ran.out);
    assert_eq!(scene.entries_of("undecodable").len(), 1);
    assert_eq!(scene.decision(&id)["verdict"], "remediate");
    // Once more: it is decided again, and nothing is done twice.
    scene.rescind(&["-o", "json", "handle", "finding.json", "--wait"]).code(5);
    assert_eq!(scene.writes(), 1);
    scene.release("ListFindings");
    assert_eq!(service.stop(), 0);
    is_whole(&scene);
}

#[test]
fn what_was_handed_in_and_not_read_is_decided_at_the_next_start() {
    let scene = quiet();
    let (thief, _) = unseen(&scene, "web", "i-0123456789abcdef0");
    // Another command acts on the ledger, and reads no inbox.
    scene.hold("ListAccounts", "before");
    let busy = scene.spawn(&["run", "--once"]);
    scene.held("ListAccounts");
    order(&scene, "web", &[]).code(0);
    drop(order(&scene, "web", &[]).code(0));
    scene.release("ListAccounts");
    Scene::finish(busy);
    scene.run_once();
    thief.is_denied();
    assert_eq!(scene.entries_of("handed_in").len(), 2);
    assert_eq!(scene.entries_of("decision").len(), 2);
    is_whole(&scene);
}

#[test]
fn an_order_in_another_account_is_its_own() {
    let scene = quiet();
    let (shop, _) = unseen(&scene, "web", "i-0123456789abcdef0");
    scene.role(BANK, "web");
    let bank = scene.thief(&scene.session(BANK, "web", "i-0123456789abcdef0"));
    let args = [&["revoke", BANK, "web"], &SIGNED[..]].concat();
    scene.rescind(&args).code(0);
    bank.is_denied();
    shop.is_allowed();
}
