//! From the first poll to the release, as the person on call sees it.

use super::{SIGNED, Transcript, latest};
use crate::scene::{HOME, POLICY, SHOP, Scene};
use crate::thief::Thief;
use serde_json::json;

#[test]
fn an_incident() {
    let scene = Scene::new();
    let mut screens = Transcript::new(&scene);
    screens.run(&["list"]);
    screens.run(&["status"]);
    let (_, finding) = scene.theft(SHOP, "web");
    scene.post(
        "instances",
        &json!({"account": SHOP, "region": HOME, "role": "web", "name": "front", "auto_scaling_group": "front"}),
    );
    screens.run(&["plan"]).code(0);
    screens.run(&["run", "--once", "--backlog"]).code(0);
    screens.run(&["run", "--once", "--backlog"]).code(0);
    scene.rescind(&["recheck"]).code(0);
    let id = latest(&scene);
    screens.run(&["recheck"]).code(0);
    screens.run(&["list"]).code(0);
    screens.run(&["list", "--decisions"]).code(0);
    screens.run(&["show", &finding]).code(0);
    screens.run(&["explain", &id]).code(0);
    screens.run(&["impact", &id]).code(0);
    screens.run(&["status"]).code(5);
    screens.run(&["report", "-o", "csv", "-O", "report.csv"]).code(0);
    screens.run(&[&["release", "--yes", &id], &SIGNED[..]].concat()).code(0);
    screens.run(&[&["release", "--yes", &id], &SIGNED[..]].concat()).code(0);
    screens.run(&["show", &id]).code(0);
    screens.is("incident");
}

/// The deny is fought, and the thief comes back with another key.
#[test]
fn a_thief_who_fights() {
    let scene = Scene::new();
    let mut screens = Transcript::new(&scene);
    let (thief, finding) = scene.theft(SHOP, "web");
    let evil = r#"{"Version":"2012-10-17","Statement":[{"Effect":"Allow","Action":"*","Resource":"*"}]}"#;
    thief.put_role_policy("web", POLICY, evil).expect("the role may");
    screens.run(&["run", "--once", "--backlog"]).code(5);
    Thief::operator(&scene, SHOP).delete_role_policy("web", POLICY).expect("deleted");
    screens.run(&["recheck"]).code(5);
    scene.advance_clock(60);
    let now = scene.get("clock")["now"].clone();
    let session = scene.session(SHOP, "web", "i-0123456789abcdef0");
    scene.report(SHOP, "web", &session, json!({"id": finding, "updated_at": now}));
    screens.run(&["run", "--once"]).code(5);
    screens.run(&["list"]).code(0);
    let id = latest(&scene);
    Thief::operator(&scene, SHOP).put_role_policy("web", POLICY, evil).expect("put");
    screens.run(&[&["release", "--yes", &id], &SIGNED[..]].concat()).code(5);
    screens.run(&[&["release", "--yes", &id, "--force"], &SIGNED[..]].concat()).code(0);
    screens.is("thief_who_fights");
}

#[test]
fn what_is_only_observed_or_skipped() {
    let scene = Scene::new();
    scene.configure("");
    let mut screens = Transcript::new(&scene);
    let _ = scene.theft(SHOP, "web");
    screens.run(&["run", "--once"]).code(0);
    screens.run(&["list"]).code(0);
    screens.run(&["list", "--decisions"]).code(0);
    scene.configure("mode = \"enforce\"\nprotected = [\"arn:aws:iam::*:role/break-glass\"]\n");
    screens.run(&["plan"]).code(0);
    screens.run(&["run", "--once"]).code(5);
    let _ = scene.theft(SHOP, "break-glass");
    screens.run(&["run", "--once"]).code(5);
    screens.input(&["handle", "-"], "{\"a\": 1}").code(2);
    screens.run(&["show", "r-"]).code(2);
    screens.run(&["show", ""]).code(2);
    screens.run(&["explain", "nothing"]).code(2);
    screens.is("observed_and_skipped");
}
