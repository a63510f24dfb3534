//! Roles that assume each other, and long chains: pursuit ends.

use super::intrusion::{ENFORCE, are, open_role, stolen};
use crate::scene::{BANK, SECURITY, SHOP, Scene};
use crate::thief::Thief;
use serde_json::json;

fn scene() -> Scene {
    let scene = Scene::new();
    scene.watch();
    scene.configure(ENFORCE);
    scene.role(SHOP, "web");
    scene
}

/// A thief who goes on from each session into the next role, under these names; all that is held after it.
fn going_on<'a>(scene: &Scene, steps: impl IntoIterator<Item = (&'a String, String)>) -> Vec<Thief> {
    let session = stolen(scene, "203.0.113.77");
    let mut thieves = vec![scene.thief(&session)];
    for (role, name) in steps {
        let next = thieves.last().expect("one").session_of(role, &name);
        thieves.push(scene.thief(&next));
    }
    scene.report(SHOP, "web", &session, json!({}));
    thieves
}

#[test]
fn two_roles_that_assume_each_other_are_both_revoked_and_it_ends() {
    let scene = scene();
    let roles = [open_role(&scene, BANK, "batch"), open_role(&scene, SECURITY, "vault")];
    let thieves = going_on(&scene, (0..12).map(|number| (&roles[number % 2], "app".to_owned())));
    scene.run_once();
    scene.run_once();
    thieves.iter().for_each(Thief::is_denied);
    are(&scene, &[["web", "revoked"], ["batch", "revoked"], ["vault", "revoked"]]);
}

/// A deny of one session denies nothing when the next one has another name: all sessions of both roles are revoked.
#[test]
fn two_roles_that_assume_each_other_under_new_names_are_revoked_as_a_whole() {
    let scene = scene();
    let roles = [open_role(&scene, BANK, "batch"), open_role(&scene, SECURITY, "vault")];
    let thieves = going_on(&scene, (0..6).map(|number| (&roles[number % 2], format!("app-{number}"))));
    scene.run_once();
    thieves.iter().for_each(Thief::is_denied);
    let all = scene.rescind(&["list", "-o", "jsonl"]).code(0).json();
    for role in ["batch", "vault"] {
        let is_whole = |one: &&serde_json::Value| one["principal"] == role && one["session"].is_null();
        assert_eq!(
            all.iter().find(is_whole).map(|one| &one["state"]),
            Some(&json!("revoked")),
            "{role} in {all:?}"
        );
    }
}

#[test]
fn a_chain_is_followed_over_five_principals_and_what_is_beyond_is_said() {
    let scene = scene();
    let roles: Vec<String> =
        (1..=7).map(|number| open_role(&scene, BANK, &format!("step{number}"))).collect();
    let thieves = going_on(&scene, roles.iter().map(|role| (role, "app".to_owned())));
    scene.poll();
    // The sixth is found in the calls of the fifth, and revoked; its own calls are not read.
    thieves[..=6].iter().for_each(Thief::is_denied);
    thieves[7].is_allowed();
    assert_eq!(scene.codes("alert"), ["pursuit_limit"]);
}
