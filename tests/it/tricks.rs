//! What a thief may try against what is in force, and what must not come back by accident.

use crate::ladder::after;
use crate::scene::{BANK, HOME, OTHER, POLICY, SECURITY, SHOP, Scene, Setting, policy};
use crate::thief::Thief;
use crate::watching::Watching;
use serde_json::{Value, json};

const SIGNED: [&str; 4] = ["--by", "alice", "--reason", "because"];

fn id_of(scene: &Scene, number: usize) -> String {
    let list = scene.rescind(&["list", "-o", "jsonl"]).code(0).json();
    list[number]["remediation"].as_str().expect("an id").to_owned()
}

fn with_users() -> Scene {
    let mut setting = Setting::default();
    let users = policy("member-role-users.json")["Statement"].clone();
    let statements = setting.member_policy["Statement"].as_array_mut().expect("statements");
    statements.extend(users.as_array().expect("statements").clone());
    let scene = Scene::with(setting);
    scene.configure("mode = \"enforce\"\n[[rules]]\nname = \"keys\"\ntypes = [\"UnauthorizedAccess:IAMUser/*\"]\nremedy = [\"user_keys\", \"role_sessions\"]\n");
    scene
}

/// The deny is gone, and the thief makes a call that the role could never make: that proves nothing.
#[test]
fn a_denied_call_does_not_hide_a_deny_that_is_gone() {
    let scene = Scene::new();
    scene.role(SHOP, "web");
    let session = scene.session(SHOP, "web", "i-0123456789abcdef0");
    let thief = scene.thief(&session);
    let finding = scene.report(SHOP, "web", &session, json!({}));
    scene.run_once();
    Thief::operator(&scene, SHOP).delete_role_policy("web", POLICY).expect("deleted");
    thief.is_allowed();
    let now = after(&scene, 40);
    scene.report(
        SHOP,
        "web",
        &session,
        json!({"id": finding, "updated_at": now, "error_code": "AccessDenied"}),
    );
    scene.poll().code(5);
    thief.is_denied();
    assert_eq!(scene.entries_of("drift").len(), 1);
}

#[test]
fn a_long_term_key_that_is_denied_a_call_is_alive() {
    let scene = with_users();
    let all = json!({"Version": "2012-10-17", "Statement": [{"Effect": "Allow", "Action": "iam:*", "Resource": "*"}]});
    let user = scene.post("users", &json!({"account": SHOP, "name": "alice", "policy": all, "keys": 1}));
    let key = &user["access_keys"][0];
    let thief = scene.thief(key);
    let report = |more: Value| {
        let mut body = json!({"account": SECURITY, "region": HOME, "member": SHOP, "user": "alice", "access_key_id": key["access_key_id"]});
        for (name, value) in more.as_object().expect("an object") {
            body[name] = value.clone();
        }
        scene.post("findings/exfiltration", &body)["finding_id"].as_str().expect("an id").to_owned()
    };
    let finding = report(json!({}));
    scene.run_once().counts(json!({"revoked": 1}));
    assert_eq!(thief.list_users(), Err("InvalidClientTokenId".to_owned()));
    Thief::operator(&scene, SHOP)
        .set_access_key("alice", key["access_key_id"].as_str().expect("an id"), true)
        .expect("activated");
    thief.is_allowed();
    let now = after(&scene, 40);
    report(json!({"id": finding, "updated_at": now, "error_code": "AccessDenied"}));
    scene.poll().code(5);
    assert_eq!(thief.list_users(), Err("InvalidClientTokenId".to_owned()));
    assert!(scene.entries_of("proof").iter().all(|proof| proof["data"]["rung"] != "enforced"));
}

/// Each document is put back whole, and each remediation has its own record of that.
#[test]
fn what_several_lost_at_once_is_put_back_at_once() {
    let scene = Scene::new();
    scene.configure("mode = \"enforce\"\n[[rules]]\nname = \"one\"\ntypes = [\"UnauthorizedAccess:*\"]\nscope = \"session\"\n");
    scene.role(SHOP, "web");
    let sessions =
        ["i-0aaaaaaaaaaaaaaaa", "i-0bbbbbbbbbbbbbbbb"].map(|name| scene.session(SHOP, "web", name));
    for session in &sessions {
        scene.report(SHOP, "web", session, json!({}));
    }
    scene.run_once().counts(json!({"revoked": 2}));
    let there = scene.policy_on(SHOP, "web");
    let puts = scene.calls_of("PutRolePolicy").len();
    let evil = r#"{"Version":"2012-10-17","Statement":[{"Effect":"Allow","Action":"*","Resource":"*"}]}"#;
    Thief::operator(&scene, SHOP).put_role_policy("web", POLICY, evil).expect("put");
    scene.rescind(&["recheck"]).code(5);
    assert_eq!(scene.policy_on(SHOP, "web"), there);
    // The first write of ours after his brought back all of it.
    let put = &scene.calls_of("PutRolePolicy")[puts + 1]["params"]["PolicyDocument"];
    let put: Value = serde_json::from_str(put.as_str().expect("a text")).expect("JSON");
    assert_eq!(Some(put), there);
    let mut drifts = scene.entries_of("drift");
    drifts.retain(|drift| drift["data"]["found"] == evil);
    let ids: std::collections::HashSet<&str> =
        drifts.iter().filter_map(|drift| drift["remediation"].as_str()).collect();
    assert_eq!((drifts.len(), ids.len()), (2, 2));
    for session in &sessions {
        scene.thief(session).is_denied();
    }
}

/// Somebody fights the very first write: a person hears of it before the second one.
#[test]
fn who_fights_the_first_write_is_raised_at_once() {
    let scene = Scene::new();
    let (thief, _) = scene.theft(SHOP, "web");
    scene.post("switches", &json!({"put_role_policy_ignored": true}));
    scene.poll().code(5).has_code("deny_not_kept");
    thief.is_allowed();
    let mut alerts = scene.entries_of("alert");
    alerts.retain(|alert| alert["data"]["code"] == "deny_not_kept");
    assert_eq!(alerts.len(), 1);
    let seq = |entry: &Value| entry["seq"].as_i64().expect("a number");
    let intents = scene.entries_of("intent");
    assert!(seq(&intents[0]) < seq(&alerts[0]) && seq(&alerts[0]) < seq(&intents[1]), "{alerts:?}");
}

/// More denies than can be looked at in time: the newest one has its turn as well.
#[test]
fn the_newest_deny_is_put_back_however_many_there_are() {
    let scene = Scene::new();
    for number in 0..9 {
        scene.theft(SHOP, &format!("web{number}"));
    }
    scene.run_once().counts(json!({"revoked": 9}));
    let (thief, _) = scene.theft(SHOP, "newest");
    scene.run_once().counts(json!({"revoked": 1, "seen_before": 9}));
    scene.configure("mode = \"enforce\"\npoll_interval = \"1h\"\nrecheck_interval = \"1s\"\n");
    let service = Watching::start(&scene, &[]);
    thief.is_denied();
    Thief::operator(&scene, SHOP).delete_role_policy("newest", POLICY).expect("deleted");
    scene.wait(|| thief.list_users() == Err("AccessDenied".to_owned()));
    assert_eq!(service.stop(), 0);
}

/// A deny is put back for itself, also when another one covers it for now.
#[test]
fn what_was_put_back_outlives_the_release_of_another() {
    let scene = Scene::new();
    scene.configure("mode = \"enforce\"\n[[rules]]\nname = \"one\"\ntypes = [\"UnauthorizedAccess:IAMUser/ResourceCredentialExfiltration.OutsideAWS\"]\nscope = \"session\"\n");
    scene.role(SHOP, "web");
    let one = scene.session(SHOP, "web", "i-0aaaaaaaaaaaaaaaa");
    let kind = "UnauthorizedAccess:IAMUser/ResourceCredentialExfiltration.OutsideAWS";
    scene.report(SHOP, "web", &one, json!({"type": kind}));
    scene.run_once().counts(json!({"revoked": 1}));
    let other = scene.session(SHOP, "web", "i-0bbbbbbbbbbbbbbbb");
    scene.report(SHOP, "web", &other, json!({}));
    scene.run_once().counts(json!({"revoked": 1, "seen_before": 1}));
    Thief::operator(&scene, SHOP).delete_role_policy("web", POLICY).expect("deleted");
    scene.rescind(&["recheck"]).code(5);
    scene.rescind(&["recheck"]);
    let (one, other) = (scene.thief(&one), scene.thief(&other));
    one.is_denied();
    scene.rescind(&[&["release", "--yes", &id_of(&scene, 1)], &SIGNED[..]].concat()).code(0).says("released");
    other.is_allowed();
    one.is_denied();
    scene.rescind(&["ledger", "verify"]).code(0);
}

/// A release frees the key that was judged, and says when it would free another one.
#[test]
fn a_release_names_the_other_keys() {
    let scene = Scene::new();
    let (first, _) = scene.theft(SHOP, "web");
    let other = scene.session(SHOP, "web", "i-0cccccccccccccccc");
    scene.run_once();
    scene.report(SHOP, "web", &other, json!({"region": OTHER}));
    scene.run_once().has_code("already_revoked");
    let release = ["release", "--yes", &id_of(&scene, 0)];
    let key = other["access_key_id"].as_str().expect("an id");
    scene.rescind(&[&release, &SIGNED[..]].concat()).code(5).says(key);
    assert!(scene.entries_of("undone").is_empty());
    first.is_denied();
    scene.rescind(&[&release, &SIGNED[..], &["--attached"]].concat()).code(0).says("released");
    first.is_allowed();
    scene.thief(&other).is_allowed();
}

/// Half of it was done when there was no room for the rest: it can be taken back all the same.
#[test]
fn what_is_asked_of_a_release_that_is_under_way_counts() {
    let scene = Scene::new();
    let (thief, finding) = scene.theft(SHOP, "web");
    scene.run_once();
    thief.is_denied();
    let remediation = || scene.shown(&finding)["remediation"].clone();
    let id = remediation()["remediation"].as_str().expect("an id").to_owned();
    let release = ["release", "--yes", &id, "--by", "Ann", "--reason", "over"];
    let down = json!({"error": {"code": "ServiceUnavailable", "message": "down", "status": 503}});
    scene.fault("down", json!({"operation": "DeleteRolePolicy"}), "before", down, 0);
    scene.rescind(&release).code(5);
    assert_eq!(remediation()["state"], "releasing");
    scene.delete("faults/down");
    let theirs = json!({"Version": "2012-10-17", "Statement": [{"Effect": "Deny", "Action": "s3:*", "Resource": "*"}]});
    let _ = Thief::operator(&scene, SHOP).put_role_policy("web", POLICY, &theirs.to_string());
    scene.rescind(&[&release[..], &["--force"]].concat()).code(0);
    assert_eq!(remediation()["state"], "released");
    assert_eq!(scene.entries_of("release_asked").len(), 2);
    assert_eq!(scene.policy_on(SHOP, "web"), None);
    scene.rescind(&["ledger", "verify"]).code(0);
}

#[test]
fn what_stopped_halfway_can_be_released() {
    let scene = with_users();
    let mut actions = vec!["iam:ListUsers".to_owned()];
    actions.extend((0..78).map(|n| format!("service{n}:{}", "x".repeat(10))));
    let full = json!({"Version": "2012-10-17", "Statement": [{"Effect": "Allow", "Action": actions, "Resource": "*"}]});
    let user = scene.post("users", &json!({"account": SHOP, "name": "alice", "policy": full, "keys": 1}));
    let key = &user["access_keys"][0];
    scene.post("findings/exfiltration", &json!({"account": SECURITY, "region": HOME, "member": SHOP, "user": "alice", "access_key_id": key["access_key_id"]}));
    scene.poll().code(5).has_code("quota_exceeded");
    let thief = scene.thief(key);
    assert_eq!(thief.list_users(), Err("InvalidClientTokenId".to_owned()));
    scene.rescind(&[&["release", "--yes", &id_of(&scene, 0)], &SIGNED[..]].concat()).code(0).says("released");
    thief.is_allowed();
    scene.rescind(&["ledger", "verify"]).code(0);
}

/// A session that is named like ours is not taken for ours.
#[test]
fn who_took_it_away_cannot_hide_behind_a_name() {
    let scene = Scene::new();
    scene.configure("mode = \"enforce\"\ncloudtrail = true\n");
    let _ = scene.theft(SHOP, "web");
    scene.role(SHOP, "evil");
    let evil = scene.session(SHOP, "evil", "rescind-undo");
    scene.run_once();
    scene.thief(&evil).delete_role_policy("web", POLICY).expect("deleted");
    scene.rescind(&["recheck"]).code(5).says("assumed-role/evil/rescind-undo");
}

/// What waits for the regions' answers does not keep the deny away.
#[test]
fn a_deny_is_put_back_before_anybody_asks_who_did_it() {
    let scene = Scene::new();
    scene.configure("mode = \"enforce\"\ncloudtrail = true\n");
    let (thief, _) = scene.theft(SHOP, "web");
    scene.run_once();
    Thief::operator(&scene, SHOP).delete_role_policy("web", POLICY).expect("deleted");
    scene.hold("LookupEvents", "before");
    let recheck = scene.spawn(&["recheck"]);
    scene.held("LookupEvents");
    thief.is_denied();
    scene.release("LookupEvents");
    Scene::finish(recheck);
}

/// One that a person has dealt with says nothing about another key of the same principal.
#[test]
fn what_was_done_by_hand_was_done_about_one_key() {
    let scene = Scene::new();
    let root = |key: &str| {
        let finding = json!({"type": "UnauthorizedAccess:IAMUser/InstanceCredentialExfiltration.OutsideAWS", "severity": 8, "accountId": SHOP,
            "resource": {"resourceType": "AccessKey", "accessKeyDetails": {"userType": "Root", "userName": "Root", "principalId": SHOP, "accessKeyId": key}}});
        let body = json!({"account": SECURITY, "region": HOME, "findings": [finding]});
        scene.post("findings", &body)["finding_ids"][0].as_str().expect("an id").to_owned()
    };
    root("AKIAEXAMPLEEXAMPLE01");
    scene.poll().code(5);
    let second = root("AKIAEXAMPLEEXAMPLE02");
    scene.rescind(&[&["done", &id_of(&scene, 0)], &SIGNED[..]].concat()).code(0);
    scene.poll().code(5);
    assert_eq!(scene.decision(&second)["verdict"], "hold");
}

/// An account that is not ours is asked about once, and stays dealt with.
#[test]
fn a_foreign_account_is_asked_about_once() {
    let scene = Scene::new();
    let report = |more: Value| {
        let mut finding = json!({"type": "UnauthorizedAccess:IAMUser/InstanceCredentialExfiltration.OutsideAWS", "severity": 8, "accountId": "777777777777",
            "resource": {"resourceType": "AccessKey", "accessKeyDetails": {"userType": "AssumedRole", "userName": "web",
                "principalId": "AROAEXAMPLEEXAMPLE03:i-01", "accessKeyId": "ASIAEXAMPLEEXAMPLE03"}}});
        for (name, value) in more.as_object().expect("an object") {
            finding[name] = value.clone();
        }
        let body = json!({"account": SECURITY, "region": HOME, "findings": [finding]});
        scene.post("findings", &body)["finding_ids"][0].as_str().expect("an id").to_owned()
    };
    report(json!({}));
    scene.poll().code(5);
    let again = report(json!({"severity": 7}));
    scene.poll().code(5);
    assert_eq!(scene.decision(&again)["code"], "awaiting_approval");
}

/// A sweep that cannot be carried out is raised, and tried again.
#[test]
fn what_cannot_be_looked_at_is_not_asked_all_the_time() {
    let scene = Scene::new();
    let (thief, _) = scene.theft(BANK, "web");
    scene.run_once();
    scene.fault(
        "enter",
        json!({"operation": "AssumeRole"}),
        "before",
        json!({"error": {"code": "AccessDenied", "status": 403}}),
        1000,
    );
    scene.rescind(&["recheck"]).code(5);
    assert_eq!(scene.codes("alert"), ["not_looked_at"]);
    let asked = scene.calls_of("AssumeRole").len();
    scene.poll_new();
    assert_eq!(scene.calls_of("AssumeRole").len(), asked);
    thief.is_denied();
}
