//! What a thief tries so that something that he opened is not found, or not revoked.

use super::intrusion::{ENFORCE, Intrusion, are, is_whole_and_keeps_no_secret, listed, open_role, stolen};
use crate::scene::{BANK, HOME, SHOP, Scene, Setting};
use crate::thief::Thief;
use serde_json::{Value, json};

const ADDRESS: &str = "203.0.113.77";

fn scene(keys: &str) -> Scene {
    let scene = Scene::new();
    scene.watch();
    scene.configure(keys);
    scene
}

/// A stolen session of `web`, and one of `batch` that was opened with it.
fn opened(scene: &Scene) -> (Value, Value) {
    scene.role(SHOP, "web");
    let batch = open_role(scene, BANK, "batch");
    let session = stolen(scene, ADDRESS);
    let opened = scene.thief(&session).session_of(&batch, "app");
    (session, opened)
}

#[test]
fn a_thousand_calls_that_fail_hide_nothing() {
    let scene = scene(ENFORCE);
    let (session, opened) = opened(&scene);
    let denied = json!({
        "access_key_id": session["access_key_id"], "event": "sts:AssumeRole", "errorCode": "AccessDenied", "repeat": 1000,
    });
    scene.post("cloudtrail/records", &json!({"account": SHOP, "region": HOME, "records": [denied]}));
    scene.report(SHOP, "web", &session, json!({}));
    scene.run_once();
    scene.thief(&opened).is_denied();
}

#[test]
fn a_key_whose_first_finding_was_rejected_is_pursued_when_it_is_seen_again() {
    let rule = "[[rules]]\nname = \"first\"\ntypes = [\"*InsideAWS\"]\nmode = \"approve\"\n";
    let scene = scene(&format!("{ENFORCE}{rule}"));
    let (session, opened) = opened(&scene);
    let inside = json!({"type": "UnauthorizedAccess:IAMUser/InstanceCredentialExfiltration.InsideAWS"});
    scene.report(SHOP, "web", &session, inside);
    scene.poll().code(5);
    let id = scene.rescind(&["list", "-o", "jsonl"]).code(0).json()[0]["remediation"].clone();
    scene.rescind(&["reject", id.as_str().expect("an id"), "--by", "ann", "--reason", "ours"]).code(0);
    scene.report(SHOP, "web", &session, json!({}));
    scene.run_once();
    scene.thief(&session).is_denied();
    scene.thief(&opened).is_denied();
}

/// The second session has the name of the first, and is still alive when that has ended.
#[test]
fn a_hold_lasts_as_long_as_the_last_session_that_it_is_for() {
    let scene = scene("mode = \"enforce\"\ncloudtrail = true\n");
    scene.role(SHOP, "web");
    let batch = open_role(&scene, BANK, "batch");
    let session = stolen(&scene, ADDRESS);
    scene.thief(&session).short_session_of(&batch, "app");
    let long = scene.thief(&session).session_of(&batch, "app");
    scene.report(SHOP, "web", &session, json!({}));
    scene.poll().code(5);
    scene.advance_clock(20 * 60);
    scene.poll().code(5);
    scene.thief(&long).is_allowed();
    are(&scene, &[["web", "revoked"], ["batch", "held"]]);
}

#[test]
fn a_key_that_the_thief_activated_again_is_deactivated() {
    let scene = Scene::with(Setting::default().with_users());
    scene.watch();
    scene.configure(&format!("{ENFORCE}contain = [\"keys\"]\n"));
    scene.role(SHOP, "web");
    let all =
        json!({"Version": "2012-10-17", "Statement": [{"Effect": "Allow", "Action": "*", "Resource": "*"}]});
    let alice = scene.post("users", &json!({"account": SHOP, "name": "alice", "policy": all}));
    let key = &alice["access_keys"][0];
    let id = key["access_key_id"].as_str().expect("a key");
    Thief::operator(&scene, SHOP).set_key("alice", id, false);
    let session = stolen(&scene, ADDRESS);
    scene.thief(&session).set_key("alice", id, true);
    scene.thief(key).is_allowed();
    scene.report(SHOP, "web", &session, json!({}));
    scene.poll().code(5);
    assert!(scene.thief(key).list_users().is_err());
}

#[test]
fn a_session_that_is_alive_is_not_too_old() {
    let scene = scene(&format!("{ENFORCE}max_finding_age = \"30m\"\n"));
    scene.advance_clock(-40 * 60);
    let (session, opened) = opened(&scene);
    scene.advance_clock(40 * 60);
    scene.report(SHOP, "web", &session, json!({}));
    scene.run_once();
    scene.thief(&opened).is_denied();
}

#[test]
fn every_run_says_that_something_waits_for_a_person() {
    let scene = scene("mode = \"enforce\"\ncloudtrail = true\n");
    Intrusion::new(&scene);
    for _ in 0..3 {
        scene.poll().code(5);
    }
    assert_eq!(listed(&scene).iter().filter(|one| one[1] == "held").count(), 2);
}

/// GuardDuty reports the session that was opened when it is revoked already: the role's other sessions go on.
#[test]
fn a_later_finding_about_what_was_revoked_widens_nothing() {
    let scene = scene(ENFORCE);
    let (session, opened) = opened(&scene);
    let legitimate = scene.thief(&scene.session(BANK, "batch", "legitimate"));
    scene.report(SHOP, "web", &session, json!({}));
    scene.run_once();
    scene.report(BANK, "batch", &opened, json!({}));
    scene.run_once();
    scene.thief(&opened).is_denied();
    legitimate.is_allowed();
    are(&scene, &[["web", "revoked"], ["batch", "revoked"]]);
    is_whole_and_keeps_no_secret(&scene);
}

/// Half of the budget is left for thefts, however many sessions a thief opens.
#[test]
fn sessions_that_were_opened_do_not_use_up_the_budget_of_thefts() {
    let setting = Setting {
        budget: "account_per_hour = 4\norganization_per_hour = 100\nroles_percent = 100\n",
        ..Setting::default()
    };
    let scene = Scene::with(setting);
    scene.watch();
    scene.configure(ENFORCE);
    scene.role(SHOP, "web");
    let batch = open_role(&scene, BANK, "batch");
    let session = stolen(&scene, ADDRESS);
    for number in 0..6 {
        scene.thief(&session).session_of(&batch, &format!("app-{number}"));
    }
    scene.report(SHOP, "web", &session, json!({}));
    scene.poll().code(5);
    let held = listed(&scene).iter().filter(|one| one[2] == "budget_account").count();
    assert_eq!(held, 4, "{:?}", listed(&scene));
    let (thief, _) = scene.theft(BANK, "api");
    scene.poll().code(5);
    thief.is_denied();
}

/// A console session has no remediation of its own: a person hears of it.
#[test]
fn a_session_that_nothing_denies_by_itself_is_said() {
    let scene = scene(ENFORCE);
    scene.role(SHOP, "web");
    let session = stolen(&scene, ADDRESS);
    let console = json!({
        "access_key_id": session["access_key_id"], "event": "signin:GetSigninToken", "sourceIPAddress": ADDRESS,
    });
    scene.post("cloudtrail/records", &json!({"account": SHOP, "region": HOME, "records": [console]}));
    scene.report(SHOP, "web", &session, json!({}));
    scene.poll().code(5).has_code("door_found").says("console session");
}
