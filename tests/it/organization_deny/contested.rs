//! What a rule says about a deny that somebody takes away again and again.

use super::subject::{SIGNED, delegated};
use crate::scene::{POLICY, SHOP, Scene};
use crate::thief::Thief;
use crate::watching::Watching;
use serde_json::{Value, json};

/// A service whose rule says this.
fn watched(keys: &str, rule: &str) -> (Scene, Watching) {
    let scene = delegated("");
    configure(&scene, keys, rule);
    scene.watch();
    let service = Watching::start(&scene, &[]);
    (scene, service)
}

fn configure(scene: &Scene, keys: &str, rule: &str) {
    let head = "mode = \"enforce\"\npoll_interval = \"5s\"\n";
    let rules = "[[rules]]\nname = \"all\"\ntypes = [\"UnauthorizedAccess:IAMUser/*\"]\n";
    scene.configure(&format!("{head}{keys}{rules}{rule}"));
}

/// Takes the deny of a role away until it is contested.
fn fought(scene: &Scene) -> Thief {
    let (thief, _) = scene.theft(SHOP, "web");
    let operator = Thief::operator(scene, SHOP);
    scene.wait(|| {
        let _ = operator.delete_role_policy("web", POLICY);
        !scene.entries_of("contested").is_empty()
    });
    thief
}

fn by_organization(scene: &Scene) -> Option<Value> {
    let list = scene.rescind(&["-o", "jsonl", "list"]).code(0).json();
    list.into_iter().find(|one| {
        let id = one["remediation"].as_str().expect("an id");
        let entries = scene.entries_of("decision");
        entries
            .iter()
            .any(|entry| entry["remediation"] == id && entry["data"]["remedy"] == "organization_deny")
    })
}

#[test]
fn the_quarantine_is_kept_until_a_release() {
    let (scene, service) = watched("quarantine = \"1s\"\n", "contested = \"keep_quarantine\"\n");
    let thief = fought(&scene);
    let list = || scene.rescind(&["-o", "jsonl", "list"]).code(0).json().remove(0);
    scene.wait(|| list()["proof"] != Value::Null);
    scene.advance_clock(600);
    scene.wait(|| !scene.entries_of("settled").is_empty());
    let attached = || Thief::operator(&scene, SHOP).attached_policies("web", false).len();
    assert_eq!((attached(), scene.entries_of("lifting").len()), (1, 0));
    let id = list()["remediation"].as_str().expect("an id").to_owned();
    scene.rescind(&[&["release", "--yes", &id][..], &SIGNED[..]].concat()).code(0);
    assert_eq!(attached(), 0);
    thief.is_allowed();
    service.stop();
}

#[test]
fn a_person_is_asked_whether_the_organization_denies_it() {
    let (scene, service) = watched("quarantine = \"0s\"\n", "contested = \"organization_deny\"\n");
    let thief = fought(&scene);
    // What it would do is determined.
    scene.wait(|| !scene.entries_of("proposed").is_empty());
    let held = by_organization(&scene).expect("one");
    assert_eq!(held["held_code"], "organization_deny", "{held}");
    let id = held["remediation"].as_str().expect("an id");
    scene.rescind(&[&["approve", id][..], &SIGNED[..]].concat()).code(0);
    scene.wait(|| by_organization(&scene).is_some_and(|one| one["proof"] != Value::Null));
    // Whatever becomes of the deny in the account.
    let operator = Thief::operator(&scene, SHOP);
    let _ = operator.delete_role_policy("web", POLICY);
    thief.is_denied();
    // Once, however often it is taken away.
    assert_eq!(scene.rescind(&["-o", "jsonl", "list"]).code(0).json().len(), 2);
    service.stop();
    scene.rescind(&["ledger", "verify"]).code(0);
    scene.rescind(&["ledger", "rebuild", "--check"]).code(0);
}

#[test]
fn with_mode_enforce_the_organization_denies_it_at_once() {
    let (scene, service) =
        watched("quarantine = \"0s\"\n", "mode = \"enforce\"\ncontested = \"organization_deny\"\n");
    let thief = fought(&scene);
    scene.wait(|| by_organization(&scene).is_some_and(|one| one["state"] == "revoked"));
    let _ = Thief::operator(&scene, SHOP).delete_role_policy("web", POLICY);
    thief.is_denied();
    let decision = scene.entries_of("decision").pop().expect("one");
    assert_eq!(
        (&decision["data"]["verdict"], &decision["data"]["code"]),
        (&json!("remediate"), &json!("deny_contested"))
    );
    service.stop();
    scene.rescind(&["ledger", "verify"]).code(0);
}

/// Who fights a deny may fill the role's policies, so that it cannot be written any more.
#[test]
fn the_quarantine_is_kept_when_the_deny_has_no_room() {
    let (scene, service) = watched("quarantine = \"1s\"\n", "contested = \"keep_quarantine\"\n");
    let thief = fought(&scene);
    let operator = Thief::operator(&scene, SHOP);
    let filler = json!({"Version": "2012-10-17", "Statement": [{"Effect": "Deny", "Action": "s3:GetObject", "Resource": format!("arn:aws:s3:::{}", "x".repeat(9900))}]});
    scene.wait(|| {
        let _ = operator.delete_role_policy("web", POLICY);
        operator.put_role_policy("web", "filler", &filler.to_string()).is_ok()
    });
    let _ = operator.delete_role_policy("web", POLICY);
    scene.wait(|| !scene.entries_of("refused").is_empty());
    scene.advance_clock(600);
    thief.is_denied();
    assert!(scene.entries_of("lifted").is_empty());
    service.stop();
}

/// What is fought on the second day is denied by the organization all the same, and what is stolen later as well.
#[test]
fn an_escalation_is_as_fresh_as_the_fight_and_a_later_theft_has_its_own() {
    let (scene, service) = watched(
        "quarantine = \"0s\"\nmax_finding_age = \"5m\"\n",
        "mode = \"enforce\"\ncontested = \"organization_deny\"\n",
    );
    let (thief, _) = scene.theft(SHOP, "web");
    scene.wait(|| !scene.entries_of("proof").is_empty());
    scene.advance_clock(900);
    let operator = Thief::operator(&scene, SHOP);
    let fight = |times: usize| {
        scene.wait(|| {
            let _ = operator.delete_role_policy("web", POLICY);
            let opened = scene.entries_of("decision").into_iter();
            opened.filter(|one| one["data"]["code"] == "deny_contested").count() == times
        });
    };
    fight(1);
    scene.wait(|| thief.list_users().is_err());
    scene.wait(|| by_organization(&scene).is_some_and(|one| one["state"] == "revoked"));
    scene.advance_clock(600);
    let session = scene.session(SHOP, "web", "i-0123456789abcdef0");
    let later = scene.thief(&session);
    let finding = scene.report(SHOP, "web", &session, json!({}));
    scene.wait(|| scene.entries_of("decision").iter().any(|one| one["finding"] == finding.as_str()));
    fight(2);
    let denied = || {
        let _ = operator.delete_role_policy("web", POLICY);
        later.list_users().is_err() && thief.list_users().is_err()
    };
    scene.wait(denied);
    assert_eq!(by_organization(&scene).map(|one| one["proof"] != Value::Null), Some(true));
    service.stop();
    scene.rescind(&["ledger", "verify"]).code(0);
}
