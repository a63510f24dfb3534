//! `rescind doctor` where AWS refuses to answer: what could not be read is unknown, neither there nor missing,
//! and the missing permission is named.

use crate::doctor::sound;
use crate::scene::{HOME, OTHER, SHOP, Scene};
use serde_json::{Value, json};

/// AWS refuses this call until the fault is taken away again.
fn refuse(scene: &Scene, matching: Value) {
    let denied = json!({"error": {"code": "AccessDeniedException", "message": "no", "status": 403}});
    scene.fault("no", matching, "before", denied, 0);
}

fn diagnosis(scene: &Scene) -> Value {
    scene.rescind(&["doctor", "-o", "jsonl"]).code(5).json().remove(0)
}

/// The problems of this code: their texts and what to do.
fn problems(diagnosis: &Value, code: &str) -> Vec<String> {
    let all = diagnosis["problems"].as_array().expect("problems").iter();
    all.filter(|one| one["code"] == code).map(|one| format!("{}\n{}", one["text"], one["fix"])).collect()
}

#[test]
fn guardduty_that_aws_does_not_answer_for_is_unknown() {
    let scene = sound();
    for operation in ["ListDetectors", "GetDetector", "ListMembers"] {
        refuse(&scene, json!({"operation": operation, "region": HOME}));
        let diagnosis = diagnosis(&scene);
        let region = diagnosis["regions"]
            .as_array()
            .expect("regions")
            .iter()
            .find(|one| one["region"] == HOME)
            .expect("it");
        // Of the members alone nothing is known; GuardDuty itself is seen to be enabled.
        let expected = if operation == "ListMembers" { "enabled" } else { "unknown" };
        assert_eq!(region["guardduty"], expected, "{operation}: {region}");
        assert_eq!((&region["sending"], &region["covered"]), (&Value::Null, &json!(0)), "{operation}");
        assert_eq!(
            (&diagnosis["covered"], &diagnosis["unknown"], &diagnosis["pairs"]),
            (&json!(5), &json!(5), &json!(10)),
            "{operation}"
        );
        let named = problems(&diagnosis, "guardduty_unreadable");
        let permission = format!("guardduty:{operation} ");
        assert!(named.len() == 1 && named[0].contains(&permission), "{operation}: {named:?}");
        assert!(
            problems(&diagnosis, "no_detector").is_empty() && problems(&diagnosis, "detector_off").is_empty()
        );
        assert_eq!(diagnosis["unknown"], 5, "{diagnosis}");
        scene.delete("faults/no");
    }
}

#[test]
fn findings_that_may_not_be_read_say_nothing_about_who_sends_them() {
    let scene = sound();
    refuse(&scene, json!({"operation": "ListFindings", "region": OTHER}));
    let diagnosis = diagnosis(&scene);
    let region = diagnosis["regions"].as_array().expect("regions").iter().find(|one| one["region"] == OTHER);
    let region = region.expect("it");
    assert_eq!(region["guardduty"], "enabled");
    assert_eq!((&region["sending"], &region["covered"]), (&json!(5), &json!(0)), "{region}");
    let named = problems(&diagnosis, "guardduty_unreadable");
    assert!(named[0].contains("guardduty:ListFindings"), "{named:?}");
}

#[test]
fn accounts_that_cannot_be_listed_are_not_none() {
    let scene = sound();
    refuse(&scene, json!({"operation": "ListAccounts"}));
    let diagnosis = diagnosis(&scene);
    assert_eq!(diagnosis["accounts_listed"], false);
    assert!(!scene.rescind(&["doctor"]).code(5).out.contains("0 of 0"));
    let named = problems(&diagnosis, "organization_unreadable");
    assert!(named.iter().any(|one| one.contains("organizations:ListAccounts")), "{named:?}");
}

#[test]
fn a_role_that_may_not_be_asked_about_is_not_called_unready() {
    let scene = sound();
    refuse(&scene, json!({"operation": "SimulatePrincipalPolicy", "account": SHOP}));
    let diagnosis = diagnosis(&scene);
    let members = diagnosis["members"].as_array().expect("members");
    let ready = |id: &str| members.iter().find(|one| one["account"] == id).expect("it")["ready"].clone();
    assert_eq!(ready(SHOP), Value::Null, "{members:?}");
    assert!(members.iter().filter(|one| one["ready"] == true).count() == 4, "{members:?}");
    let named = problems(&diagnosis, "role_unreadable");
    assert!(named.len() == 1 && named[0].contains("iam:SimulatePrincipalPolicy"), "{named:?}");
    assert_eq!(diagnosis["unknown"], 2, "{diagnosis}");
}

#[test]
fn who_administers_guardduty_is_not_nobody_when_that_may_not_be_read() {
    let scene = sound();
    refuse(&scene, json!({"operation": "ListDelegatedAdministrators"}));
    let diagnosis = scene.rescind(&["doctor", "-o", "jsonl"]).json().remove(0);
    assert!(problems(&diagnosis, "not_delegated").is_empty(), "{diagnosis}");
    let named = problems(&diagnosis, "administrator_unreadable");
    assert!(named.len() == 1 && named[0].contains("organizations:ListDelegatedAdministrators"), "{named:?}");
}

#[cfg(unix)]
#[test]
fn opt_outs_that_cannot_be_read_are_not_gone() {
    let scene = sound();
    let add =
        ["opt-out", "add", "x", "--account", SHOP, "--mode", "observe", "--owner", "me", "--reason", "r"];
    scene.rescind(&[&add[..], &["--permanent"]].concat()).code(0);
    scene.watch();
    // In the place of the file is something that cannot be read as one, for root either.
    let file = scene.path("opt-outs.toml");
    std::fs::remove_file(&file).expect("removed");
    std::fs::create_dir(&file).expect("made");
    let diagnosis = diagnosis(&scene);
    let named = problems(&diagnosis, "opt_outs");
    assert!(named.len() == 1 && !named[0].contains("gone"), "{named:?}");
}
