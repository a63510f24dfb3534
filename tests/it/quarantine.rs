//! Where the quarantine cannot be attached or detached, where two remediations share it, and where there is none.

use crate::scene::{SHOP, Scene};
use crate::thief::Thief;
use crate::watching::Watching;
use serde_json::{Value, json};

const POLICY: &str = "arn:aws:iam::222222222222:policy/rescind/Quarantine";
const SHORT: &str = "mode = \"enforce\"\npoll_interval = \"5s\"\nquarantine = \"1s\"\n";

fn attached(scene: &Scene) -> Vec<String> {
    Thief::operator(scene, SHOP).attached_policies("web", false)
}

fn watched(keys: &str) -> (Scene, Watching) {
    let scene = Scene::new();
    scene.configure(keys);
    scene.watch();
    let service = Watching::start(&scene, &[]);
    (scene, service)
}

fn refused(scene: &Scene, operation: &str, code: &str, status: u16, times: u32) {
    let error = json!({"error": {"status": status, "code": code, "message": "not now"}});
    scene.fault(operation, json!({"operation": operation}), "before", error, times);
}

/// The deny goes on without it, and the record says why.
fn goes_on_without(keys: &str, prepare: impl FnOnce(&Scene)) -> Value {
    let (scene, service) = watched(keys);
    prepare(&scene);
    let (thief, _) = scene.theft(SHOP, "web");
    scene.wait(|| !scene.entries_of("proof").is_empty());
    thief.is_denied();
    let entry = scene.entries_of("not_quarantined").remove(0);
    assert_eq!(attached(&scene), [""; 0]);
    assert!(entry["data"]["what_to_do"].as_str().is_some_and(|text| !text.is_empty()), "{entry}");
    assert_eq!(service.stop(), 0);
    assert!(scene.entries_of("lifting").is_empty());
    scene.rescind(&["ledger", "verify"]).code(0);
    entry
}

#[test]
fn without_the_policy_the_deny_goes_on() {
    goes_on_without(SHORT, |scene| Thief::operator(scene, SHOP).delete_policy(POLICY));
}

#[test]
fn without_the_permission_the_deny_goes_on() {
    goes_on_without(SHORT, |scene| refused(scene, "AttachRolePolicy", "AccessDenied", 403, 0));
}

/// Attached, it would grant what somebody else wrote into it.
#[test]
fn a_policy_that_somebody_changed_is_not_attached() {
    let open = r#"{"Version":"2012-10-17","Statement":[{"Effect":"Allow","Action":"*","Resource":"*"}]}"#;
    let entry = goes_on_without(SHORT, |scene| {
        assert_eq!(Thief::operator(scene, SHOP).create_policy_version(POLICY, open), Ok(()));
    });
    let reason = entry["data"]["reason"].as_str().unwrap_or_default();
    assert!(reason.contains("does not deny everything"), "{entry}");
}

/// Which version says it does not matter.
#[test]
fn another_version_that_denies_everything_is_attached() {
    let (scene, service) = watched(&SHORT.replace("1s", "1h"));
    let same = include_str!("../../policies/quarantine.json").replace("  ", " ");
    assert_eq!(Thief::operator(&scene, SHOP).create_policy_version(POLICY, &same), Ok(()));
    scene.theft(SHOP, "web");
    scene.wait(|| !scene.entries_of("quarantined").is_empty());
    assert_eq!(attached(&scene), [POLICY]);
    assert_eq!(service.stop(), 0);
}

/// What it says is read again with each put.
#[test]
fn one_that_is_changed_while_it_is_attached_is_detached() {
    let (scene, service) = watched(&SHORT.replace("1s", "1h"));
    let (thief, _) = scene.theft(SHOP, "web");
    scene.wait(|| !scene.entries_of("quarantined").is_empty() && !scene.entries_of("proof").is_empty());
    let operator = Thief::operator(&scene, SHOP);
    let open = r#"{"Version":"2012-10-17","Statement":[{"Effect":"Allow","Action":"*","Resource":"*"}]}"#;
    assert_eq!(operator.create_policy_version(POLICY, open), Ok(()));
    assert_eq!(operator.delete_role_policy("web", "RescindRevokeOlderSessions"), Ok(()));
    scene.wait(|| !scene.entries_of("lifted").is_empty());
    assert_eq!(attached(&scene), [""; 0]);
    assert!(scene.codes("alert").contains(&"quarantine_altered".to_owned()));
    thief.is_denied();
    assert_eq!(service.stop(), 0);
}

/// What belongs into another document is somebody else's under the name of the deny: it is replaced, and does not stay.
#[test]
fn the_text_of_another_document_under_the_name_of_the_deny_is_not_ours() {
    let of_account = include_str!("../../policies/organization-deny-sessions.json")
        .replace("${USER_ID}", "AROAEXAMPLEEXAMPLE00:*")
        .replace("${CUTOFF}", "2026-01-01T00:00:00Z");
    for text in [include_str!("../../policies/quarantine.json"), &of_account] {
        is_replaced(text);
    }
}

fn is_replaced(text: &str) {
    let scene = Scene::new();
    scene.configure("mode = \"enforce\"\n");
    let (thief, _) = scene.theft(SHOP, "web");
    let operator = Thief::operator(&scene, SHOP);
    assert_eq!(operator.put_role_policy("web", crate::scene::POLICY, text), Ok(()));
    scene.poll().code(5).has_code("foreign_policy");
    thief.is_denied();
    scene.advance_clock(60);
    scene.thief(&scene.session(SHOP, "web", "i-0123456789abcdef0")).is_allowed();
    // Also over a deny in force.
    assert_eq!(operator.put_role_policy("web", crate::scene::POLICY, text), Ok(()));
    scene.rescind(&["recheck"]).code(5);
    thief.is_denied();
    scene.thief(&scene.session(SHOP, "web", "i-0123456789abcdef0")).is_allowed();
    let list = scene.rescind(&["-o", "jsonl", "list"]).code(0).json();
    let id = list[0]["remediation"].as_str().expect("an id");
    scene.rescind(&["release", "--yes", id, "--by", "Ada", "--reason", "clean"]).code(0);
    assert_eq!(operator.role_policy("web", crate::scene::POLICY), None);
}

#[test]
fn without_room_for_it_the_deny_goes_on() {
    goes_on_without(SHORT, |scene| {
        scene.post("switches", &json!({"attached_policies_quota": 0}));
    });
}

/// IAM refuses one of two changes that come together: each is made again at once.
#[test]
fn two_changes_at_once_may_be_refused() {
    for operation in ["PutRolePolicy", "AttachRolePolicy"] {
        let (scene, service) = watched(&SHORT.replace("1s", "1h"));
        refused(&scene, operation, "ConcurrentModification", 409, 1);
        let (thief, _) = scene.theft(SHOP, "web");
        scene.wait(|| !scene.entries_of("proof").is_empty());
        thief.is_denied();
        assert_eq!(attached(&scene), [POLICY], "{operation}");
        let steps = ["decision", "intent", "quarantining", "accepted", "quarantined", "proof"];
        assert_eq!(scene.steps(), steps, "{operation}");
        assert_eq!(service.stop(), 0);
    }
}

/// Rightful sessions are denied for so long: somebody is called, and it is tried until it is gone.
#[test]
fn one_that_cannot_be_detached_calls_for_a_person_and_is_tried_again() {
    let (scene, service) = watched(SHORT);
    refused(&scene, "DetachRolePolicy", "AccessDenied", 403, 2);
    let (thief, _) = scene.theft(SHOP, "web");
    scene.wait(|| scene.codes("alert").contains(&"quarantine_stays".to_owned()));
    scene.wait(|| !scene.entries_of("lifted").is_empty());
    assert_eq!(attached(&scene), [""; 0]);
    thief.is_denied();
    assert_eq!(scene.entries_of("lifting").len(), 1);
    assert_eq!(service.stop(), 0);
}

/// A command that ends by itself would not be there to lift it.
#[test]
fn only_a_service_quarantines() {
    let scene = Scene::new();
    scene.configure("mode = \"enforce\"\nquarantine = \"2m\"\n");
    let (thief, _) = scene.theft(SHOP, "web");
    scene.run_once();
    thief.is_denied();
    assert!(scene.calls_of("AttachRolePolicy").is_empty() && scene.entries_of("quarantining").is_empty());
}
