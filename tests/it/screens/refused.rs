//! What cannot be done, and what a person must do about it.

use super::{Transcript, latest};
use crate::scene::{BANK, BARE, MANAGEMENT, SHOP, Scene, Setting};
use crate::thief::Thief;
use serde_json::{Value, json};

/// One run about one theft, so that nothing else stands between.
fn run(screens: &mut Transcript) {
    screens.run(&["run", "--once", "--backlog"]).code(5);
}

fn denied(scene: &Scene, operation: &str, code: &str, status: u16) {
    let error = json!({"error": {"status": status, "code": code, "message": "no"}});
    scene.fault("f", json!({"operation": operation}), "before", error, 0);
}

#[test]
fn a_remedy_that_is_refused() {
    let scene = Scene::new();
    let mut screens = Transcript::new(&scene);
    let _ = scene.theft(BARE, "web");
    run(&mut screens);
    screens.run(&["show", &latest(&scene)]).code(0);
    screens.run(&["status"]).code(5);
    for (role, account, operation, code, status) in [
        ("payer", MANAGEMENT, "", "", 0),
        ("gone", SHOP, "GetRole", "NoSuchEntity", 404),
        ("owned", SHOP, "PutRolePolicy", "UnmodifiableEntity", 400),
        ("denied", SHOP, "PutRolePolicy", "AccessDenied", 403),
        ("full", SHOP, "PutRolePolicy", "LimitExceeded", 409),
        ("busy", SHOP, "GetRole", "ServiceUnavailable", 503),
        ("odd", SHOP, "PutRolePolicy", "MalformedPolicyDocument", 400),
    ] {
        let scene = Scene::new();
        if !operation.is_empty() {
            denied(&scene, operation, code, status);
        }
        let _ = scene.theft(account, role);
        screens.said(&["run", "--once", "--backlog"], scene.rescind(&["run", "--once", "--backlog"]).code(5));
    }
    screens.is("refused");
}

/// What the proof says when AWS contradicts itself.
#[test]
fn a_deny_that_is_doubted() {
    let scene = Scene::new();
    let mut screens = Transcript::new(&scene);
    for (account, switch) in [
        (SHOP, json!({"put_role_policy_ignored": true})),
        (BANK, json!({"put_role_policy_ignored": false, "simulator_lies": "allow_all"})),
        (SHOP, json!({"simulator_lies": "deny_all"})),
    ] {
        let scene = Scene::new();
        scene.post("switches", &switch);
        let _ = scene.theft(account, "web");
        screens.said(&["run", "--once", "--backlog"], scene.rescind(&["run", "--once", "--backlog"]));
        screens.said(&["list"], scene.rescind(&["list"]));
    }
    screens.is("doubted");
}

#[test]
fn a_budget_that_is_used_up() {
    let mut all = String::new();
    for budget in [
        "account_per_hour = 1\nroles_percent = 100\n",
        "organization_per_hour = 1\nroles_percent = 100\n",
        "",
    ] {
        let scene = Scene::with(Setting { budget, ..Setting::default() });
        scene.watch();
        let mut screens = Transcript::new(&scene);
        let _ = scene.theft(SHOP, "first");
        scene.poll_new().code(0);
        let _ = scene.theft(SHOP, "second");
        screens.run(&["run", "--once"]).code(5);
        all += &super::redact::redacted(&screens.text, &scene);
    }
    let scene = Scene::new();
    let mut screens = Transcript::new(&scene);
    screens.text = all;
    screens.is("budgets");
}

/// The hub's own AWS cannot be used, or not all of it.
#[test]
fn a_hub_that_may_not() {
    let scene = Scene::new();
    let mut screens = Transcript::new(&scene);
    let args = ["run", "--once"];
    for (name, change) in [
        ("AWS_ACCESS_KEY_ID", Value::Null),
        ("AWS_ACCESS_KEY_ID", json!("ASIAXXXXXXXXXXXXXXXX")),
        ("AWS_ENDPOINT_URL", json!("http://127.0.0.1:1")),
        ("AWS_CA_BUNDLE", json!("/nowhere/ca.pem")),
    ] {
        let mut command = scene.command(&args);
        match change.as_str() {
            Some(value) => command.env(name, value),
            None => {
                command.env_remove(name).env_remove("AWS_SECRET_ACCESS_KEY").env_remove("AWS_SESSION_TOKEN")
            }
        };
        screens.said(&args, crate::scene::Ran::new(&command.output().expect("it runs")).code(3));
    }
    for operation in ["ListAccounts", "ListDetectors", "ListFindings"] {
        denied(&scene, operation, "AccessDeniedException", 403);
        screens.note(operation, "is denied");
        run(&mut screens);
        scene.delete("faults/f");
    }
    screens.is("hub");
}

#[test]
fn a_role_that_was_made_again() {
    let scene = Scene::new();
    let mut screens = Transcript::new(&scene);
    let _ = scene.theft(SHOP, "web");
    Thief::operator(&scene, SHOP).delete_role("web");
    scene.role(SHOP, "web");
    screens.run(&["plan"]).code(5);
    run(&mut screens);
    run(&mut screens);
    screens.is("made_again");
}
