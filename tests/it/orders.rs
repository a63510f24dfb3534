//! `rescind revoke` and `rescind handle` beside a running service: what a person orders and hands in.

use crate::pursuit::intrusion::{ENFORCE, Intrusion};
use crate::scene::{BANK, BARE, HOME, SECURITY, SHOP, Scene, Setting};
use crate::thief::Thief;
use crate::watching::Watching;
use serde_json::{Value, json};

const SIGNED: [&str; 5] = ["--by", "Ada", "--reason", "ticket 4711", "--yes"];

/// An order about a principal of the shop, with more of its options.
fn order(scene: &Scene, principal: &str, more: &[&str]) -> crate::scene::Ran {
    let args = [&["-o", "jsonl", "revoke", SHOP, principal], &SIGNED[..], more].concat();
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

/// A finding as GuardDuty has it.
fn as_it_is(scene: &Scene, id: &str) -> Value {
    let name = "dump";
    scene.post("queues", &json!({"account": SECURITY, "region": HOME, "name": name}));
    scene.event(name, id, json!({"wrap": "raw"}));
    let state = scene.get(&format!("queues?name={name}"));
    serde_json::from_str(state["messages"][0]["body"].as_str().expect("text")).expect("JSON")
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
    scene.rescind(&["release", "--yes", &id, "--by", "Ada", "--reason", "drill"]).code(0);
    thief.is_allowed();
    is_whole(&scene);
}

#[test]
fn reports_have_who_ordered_it_and_why() {
    let scene = Scene::new();
    unseen(&scene, "web", "i-0123456789abcdef0");
    order(&scene, "web", &[]).code(0);
    let report = scene.rescind(&["report", "-o", "json"]).code(0).json_document();
    let cause = &report["remediations"][0]["finding"]["cause"]["order"];
    assert_eq!((&cause["from"]["person"]["by"], &cause["reason"]), (&json!("Ada"), &json!("ticket 4711")));
    for (args, texts) in [
        (&["report", "-o", "html"][..], &["ordered by", "Ada (", "ticket 4711"][..]),
        (&["report", "-o", "asff"], &["after the order"]),
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
    scene.rescind(&["release", "--yes", &id, "--by", "Ada", "--reason", "checked"]).code(0);
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
        (vec!["user/alice", "--session", "x"], "session: it is for a role"),
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
    let ran = scene.rescind(&["-o", "jsonl", "handle", "finding.json", "--wait"]).code(5);
    thief.is_denied();
    assert!(ran.json().iter().any(|line| line["handed_in"] == 1), "{}", ran.out);
    assert_eq!(scene.entries_of("undecodable").len(), 1);
    assert_eq!(scene.decision(&id)["verdict"], "remediate");
    // Once more: it is decided again, and nothing is done twice.
    scene.rescind(&["-o", "jsonl", "handle", "finding.json", "--wait"]).code(5);
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

#[test]
fn one_about_a_session_that_is_not_named_exactly_is_refused_and_never_widened() {
    let scene = quiet();
    let (thief, session) = unseen(&scene, "web", "i-0123456789abcdef0");
    let full = session["principal_id"].as_str().expect("an id").to_owned();
    let (role_id, _) = full.split_once(':').expect("an id and a name");
    let lower = full.to_ascii_lowercase();
    for odd in [
        "",
        "x",
        "i-0123456789abcdef0 ",
        "i-*",
        "${aws:userid}",
        "a b",
        role_id,
        &format!("{role_id}:"),
        &lower,
    ] {
        order(&scene, "web", &["--session", odd]).code(2);
    }
    let of_another = format!("arn:aws:sts::{SHOP}:assumed-role/batch/i-0123456789abcdef0");
    order(&scene, "web", &["--session", &of_another]).code(2);
    thief.is_allowed();
    assert_eq!(scene.writes(), 0);
}

#[test]
fn all_of_a_role_is_more_than_the_one_session_that_was_revoked() {
    let scene = quiet();
    let (thief, session) = unseen(&scene, "web", "i-0123456789abcdef0");
    let other = scene.thief(&scene.session(SHOP, "web", "i-0fedcba9876543210"));
    let key = session["access_key_id"].as_str().expect("an id");
    order(&scene, "web", &["--session", "i-0123456789abcdef0", "--key", key]).code(0);
    other.is_allowed();
    order(&scene, "web", &["--key", key]).code(0).counts(json!({"revoked": 1}));
    thief.is_denied();
    other.is_denied();
}

/// IAM finds a role whatever the case, and compares a policy letter by letter.
#[test]
fn one_that_spells_the_role_otherwise_covers_nothing_else() {
    let scene = quiet();
    scene.watch();
    order(&scene, "WEB", &[]).code(5);
    let (thief, _) = scene.theft(SHOP, "web");
    scene.run_once();
    thief.is_denied();
}

#[test]
fn what_is_under_way_and_does_not_come_about_is_no_revocation() {
    let scene = quiet();
    let args = |more: &[&'static str]| [&["revoke", BARE, "web"], &SIGNED[..], more].concat();
    scene.rescind(&args(&[])).code(5);
    for _ in 0..2 {
        scene.rescind(&args(&["--session", "AROAEXAMPLEEXAMPLE00:i-0123456789abcdef0"])).code(5);
    }
    assert_eq!(scene.entries_of("finding").len(), 3);
}

#[test]
fn a_key_that_is_not_the_users_is_named() {
    let scene = Scene::with(Setting::default().with_users());
    let all = json!({"Version": "2012-10-17", "Statement": [{"Effect": "Allow", "Action": "iam:*", "Resource": "*"}]});
    let user =
        |name: &str| scene.post("users", &json!({"account": SHOP, "name": name, "policy": all, "keys": 1}));
    let (dave, carol) = (user("dave")["access_keys"][0].clone(), user("carol")["access_keys"][0].clone());
    let key = dave["access_key_id"].as_str().expect("an id");
    order(&scene, "user/carol", &["--key", key]).code(5);
    assert_eq!(scene.entries_of("refused")[0]["data"]["code"], "no_such_key");
    for key in [&dave, &carol] {
        scene.thief(key).is_allowed();
    }
    order(&scene, "user/dave", &["--key", "ASIAEXAMPLE000000001"]).code(2).says("a session's key");
    order(&scene, "user/dave", &["--key", key]).code(0);
    assert_eq!(scene.thief(&dave).list_users(), Err("InvalidClientTokenId".to_owned()));
}

#[test]
fn a_role_that_was_made_again_is_not_the_one_that_an_order_was_about() {
    let scene = quiet();
    let (first, _) = unseen(&scene, "web", "i-0123456789abcdef0");
    order(&scene, "web", &[]).code(0);
    first.is_denied();
    Thief::operator(&scene, SHOP).delete_role("web");
    let (second, _) = unseen(&scene, "web", "i-0123456789abcdef1");
    order(&scene, "web", &[]).code(0).counts(json!({"revoked": 1}));
    second.is_denied();
    assert_eq!((scene.entries_of("drift").len(), scene.entries_of("expired").len()), (0, 1));
    is_whole(&scene);
}

#[test]
fn one_is_recorded_before_aws_is_asked_for_anything() {
    let scene = quiet();
    let (thief, _) = unseen(&scene, "web", "i-0123456789abcdef0");
    scene.hold("ListAccounts", "before");
    let args = [&["revoke", SHOP, "web"], &SIGNED[..]].concat();
    let mut process = scene.spawn(&args);
    scene.held("ListAccounts");
    process.kill().expect("killed");
    process.wait().expect("ended");
    scene.release("ListAccounts");
    scene.run_once().counts(json!({"revoked": 1}));
    thief.is_denied();
    is_whole(&scene);
}

/// More than there is room for, about an account in which everything hangs.
#[test]
fn what_is_handed_in_about_a_hanging_account_holds_up_no_order_about_another() {
    let scene = quiet();
    scene.watch();
    let (thief, id) = scene.theft(SHOP, "web");
    let finding = as_it_is(&scene, &id);
    scene.role(BANK, "web");
    let bank = scene.thief(&scene.session(BANK, "web", "i-0123456789abcdef0"));
    let here = json!({"operation": "AssumeRole", "account": SHOP});
    scene.fault("stuck", here, "before", json!({"hang": true}), 0);
    let service = Watching::start(&scene, &[]).polled(2);
    let mut lines = String::new();
    for number in 0..1_100 {
        let mut one = finding.clone();
        one["id"] = json!(format!("{number:032x}"));
        one["resource"]["accessKeyDetails"]["userName"] = json!(format!("role-{number}"));
        lines.push_str(&one.to_string());
        lines.push('\n');
    }
    std::fs::write(scene.path("findings.json"), lines).expect("written");
    scene.rescind(&["handle", "findings.json"]).code(0);
    let args = [&["revoke", BANK, "web"], &SIGNED[..], &["--wait"]].concat();
    scene.rescind(&args).code(0);
    bank.is_denied();
    scene.delete("faults/stuck");
    drop(thief);
    service.stop();
}

#[test]
fn what_was_decided_for_good_is_not_waited_for_twice() {
    let scene = quiet();
    scene.watch();
    let (_, id) = scene.theft(SHOP, "web");
    let mut sample = as_it_is(&scene, &id);
    sample["id"] = json!("0123456789abcdef0123456789abcdef");
    sample["title"] = json!("[SAMPLE] a title");
    std::fs::write(scene.path("sample.json"), sample.to_string()).expect("written");
    let service = Watching::start(&scene, &[]).polled(2);
    for _ in 0..2 {
        scene.rescind(&["handle", "sample.json", "--wait"]).code(0);
    }
    assert_eq!(service.stop(), 0);
    // What was taken up is not taken up at each start.
    let service = Watching::start(&scene, &[]).polled(2);
    assert_eq!(service.stop(), 0);
    let decided =
        scene.entries_of("decision").into_iter().filter(|one| one["finding"] == sample["id"]).count();
    assert_eq!(decided, 1);
}

#[test]
fn what_was_rejected_and_is_handed_in_again_is_waited_for() {
    let scene = quiet();
    scene.configure("mode = \"approve\"\npoll_interval = \"1h\"\n");
    scene.watch();
    let (_, id) = scene.theft(SHOP, "web");
    scene.poll().code(5);
    let remediation = scene.entries_of("decision")[0]["remediation"].as_str().expect("an id").to_owned();
    scene.rescind(&["reject", &remediation, "--by", "Ada", "--reason", "no"]).code(0);
    // The one documented way to ask again, also for what was only skipped.
    let finding = scene.rescind(&["show", "--finding", &id]).code(0).out;
    std::fs::write(scene.path("finding.json"), finding).expect("written");
    let service = Watching::start(&scene, &[]).polled(2);
    scene.rescind(&["handle", "finding.json", "--wait"]).code(5).says("held");
    assert_eq!(scene.shown(&remediation)["remediation"]["state"], "held");
    assert_eq!(service.stop(), 0);
    is_whole(&scene);
}
