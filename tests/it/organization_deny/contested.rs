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
    let list = scene.rescind(&["-o", "json", "list"]).code(0).json();
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
    let list = || scene.rescind(&["-o", "json", "list"]).code(0).json().remove(0);
    scene.wait(|| list()["proof"] != Value::Null);
    scene.advance_clock(600);
    scene.wait(|| !scene.entries_of("settled").is_empty());
    let attached = || Thief::operator(&scene, SHOP).attached_policies("web", false).len();
    assert_eq!((attached(), scene.entries_of("lifting").len()), (1, 0));
    let id = list()["remediation"].as_str().expect("an id").to_owned();
    scene.rescind(&[&["release", &id][..], &SIGNED[..]].concat()).code(0);
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
    assert_eq!(scene.rescind(&["-o", "json", "list"]).code(0).json().len(), 2);
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
