//! Roles that a finding does not name: found by their unique id, or held for a person. Never skipped.

use crate::scene::{SHOP, Scene, Setting, policy};
use serde_json::{Value, json};

/// A theft, and a finding about it whose principal says this as well.
fn reported(scene: &Scene, role: &str, says: &Value) -> (crate::thief::Thief, Value, String) {
    scene.role(SHOP, role);
    let session = scene.session(SHOP, role, "i-0123456789abcdef0");
    let overrides = json!({"resource": {"accessKeyDetails": says}});
    let finding = scene.report(SHOP, role, &session, json!({"overrides": overrides}));
    (scene.thief(&session), session, finding)
}

/// The remediation that a finding led to.
fn opened(scene: &Scene, finding: &str) -> String {
    let decision = scene.entries_of("decision").into_iter().rfind(|entry| entry["finding"] == finding);
    decision.expect("decided")["remediation"].as_str().expect("an id").to_owned()
}

fn alerts(scene: &Scene) -> Vec<String> {
    let code = |alert: &Value| alert["data"]["code"].as_str().expect("a code").to_owned();
    scene.entries_of("alert").iter().map(code).collect()
}

#[test]
fn one_that_is_not_named_is_found_by_its_id_and_revoked() {
    for says in [
        json!({"userName": null}),
        json!({"userName": "", "userType": "ASSUMED_ROLE"}),
        json!({"userName": "apps/web", "userType": "Toaster"}),
    ] {
        let scene = Scene::new();
        scene.role(SHOP, "other");
        let (thief, _, finding) = reported(&scene, "web", &says);
        scene.run_once().counts(json!({"revoked": 1}));
        thief.is_denied();
        assert_eq!(scene.decision(&finding)["target"]["role"], "web", "{says}");
        assert_eq!(scene.calls_of("ListRoles").len(), 1);
        // What comes later about the same session, with the name or without, belongs to it.
        scene.run_once();
        assert_eq!(scene.entries_of("decision").len(), 1);
        scene.rescind(&["ledger", "verify"]).code(0);
    }
}

#[test]
fn approved_it_is_the_role_that_was_found() {
    let scene = Scene::new();
    scene.configure("mode = \"approve\"\n");
    let (thief, _, finding) = reported(&scene, "web", &json!({"userName": null}));
    scene.poll().code(5).counts(json!({"held": 1}));
    assert_eq!(scene.decision(&finding)["code"], "mode_approve");
    let id = opened(&scene, &finding);
    scene.rescind(&["approve", &id, "--by", "Ada", "--reason", "stolen"]).code(0);
    scene.run_once();
    thief.is_denied();
}

#[test]
fn one_that_cannot_be_found_is_held_with_what_is_known() {
    let mut narrow = policy("member-role-permissions.json");
    narrow["Statement"].as_array_mut().expect("a list").retain(|statement| statement["Sid"] != "FindRole");
    let denied = Setting { member_policy: narrow, ..Setting::default() };
    let gone = json!({"userName": null, "principalId": "AROAEXAMPLEEXAMPLE00:i-0123456789abcdef0"});
    for (setting, says, way) in [
        (denied, json!({"userName": null}), "AROA"),
        (Setting::default(), gone, "AROAEXAMPLEEXAMPLE00"),
        (Setting::default(), json!({"userName": null, "principalId": null}), "lookup-events"),
    ] {
        let scene = Scene::with(setting);
        let (_, session, finding) = reported(&scene, "web", &says);
        scene.poll().code(5);
        let decision = scene.decision(&finding);
        assert_eq!((&decision["verdict"], &decision["code"]), (&json!("hold"), &json!("principal_unclear")));
        let to_do = decision["what_to_do"].as_str().expect("what to do");
        assert!(to_do.contains(way), "{way}: {to_do}");
        assert!(to_do.contains(session["access_key_id"].as_str().expect("a key")), "{to_do}");
        assert_eq!(alerts(&scene), ["by_hand"]);
        assert_eq!(scene.writes(), 0);
        let id = opened(&scene, &finding);
        assert_eq!(scene.shown(&id)["remediation"]["state"], "held");
    }
}

#[test]
fn an_id_that_is_no_roles_is_asked_about_and_approved_it_is_the_role_that_is_named() {
    let scene = Scene::new();
    let (thief, _, finding) = reported(&scene, "web", &json!({"principalId": "<principalId>"}));
    scene.poll().code(5);
    assert_eq!(scene.decision(&finding)["code"], "principal_doubtful");
    assert_eq!(alerts(&scene), ["finding_contradictory"]);
    let id = opened(&scene, &finding);
    scene.rescind(&["approve", &id, "--by", "Ada", "--reason", "it is that one"]).code(0);
    scene.run_once();
    thief.is_denied();
}

#[test]
fn a_thief_may_call_a_role_as_samples_are_called() {
    let scene = Scene::new();
    let (thief, _) = scene.theft(SHOP, "GeneratedFindingUserName");
    scene.run_once().counts(json!({"revoked": 1}));
    thief.is_denied();
}
