//! `-o json` is one document for each command, as its schema in docs/schema/commands says; `-o jsonl` has its items.

use crate::reports::is_as;
use crate::scene::{BANK, Ran, SHOP, Scene};
use serde_json::{Value, json};

/// The document of a command, which is valid.
#[track_caller]
fn document(schema: &str, ran: &Ran) -> Value {
    let document = ran.json_document();
    assert_eq!(ran.out.lines().count(), 1, "{}", ran.out);
    is_as(&format!("commands/{schema}.schema.json"), &ran.out);
    document
}

#[test]
fn each_command_gives_one_document_as_its_schema_says() {
    let scene = Scene::new();
    scene.watch();
    let text = format!(
        "[[opt_out]]\nname = \"freeze\"\nowner = \"o\"\nreason = \"r\"\naccounts = [\"{BANK}\"]\nmode = \"approve\"\npermanent = true\n"
    );
    std::fs::write(scene.path("opt-outs.toml"), text).expect("written");
    let (_, finding) = scene.theft(SHOP, "web");
    let _ = scene.theft(BANK, "web");
    let json = |args: &[&str]| scene.rescind(&[args, &["-o", "json"]].concat());
    let planned = document("plan", &json(&["plan"]).code(0));
    assert_eq!(planned["summary"]["to_revoke"], 1);
    assert_eq!(planned["summary"]["held"], 1);
    let of = |items: &Value, name: &str| -> Value {
        let mut items = items.as_array().expect("a list").iter();
        items.find(|one| one["account_name"] == name).expect("one of the account").clone()
    };
    of(&planned["items"], "shop");
    let ran = document("run", &json(&["run", "--once"]).code(5));
    assert_eq!((&ran["summary"]["revoked"], &ran["summary"]["held"]), (&json!(1), &json!(1)));
    assert_eq!(ran["remediations"].as_array().expect("a list").len(), 2);
    let again = document("run", &json(&["run", "--once"]).code(5));
    assert_eq!(again["remediations"], json!([]));
    assert_eq!(again["seen_before"].as_array().expect("a list").len(), 2);
    let list = document("list", &json(&["list"]).code(0));
    assert_eq!(list["more"], false);
    let id = of(&list["items"], "shop")["remediation"].as_str().expect("an id").to_owned();
    document("list-decisions", &json(&["list", "--decisions"]).code(0));
    let shown = document("show", &json(&["show", &id]).code(0));
    assert_eq!(shown["remediation"]["account_name"], "shop");
    let status = document("status", &json(&["status"]).code(5));
    assert_eq!(status["unfinished"][0]["account_name"], "bank");
    document("alerts", &json(&["alerts", "--since", "7d"]).code(0));
    let incidents = document("incident-list", &json(&["incident", "list"]).code(0));
    of(&incidents["items"], "bank");
    let incident = document("incident-show", &json(&["incident", "show", &id]).code(0));
    assert_eq!(incident["account_names"], json!({SHOP: "shop"}));
    document("explain", &json(&["explain", &finding]).code(0));
    document("impact", &json(&["impact", &id]).code(0));
    document("opt-out-list", &json(&["opt-out", "list"]).code(0));
    let checked = document("recheck", &json(&["recheck"]).code(0));
    assert_eq!(checked["denies_in_force"], 1);
    assert_eq!(checked["denies"][0]["remediation"], id.as_str());
    let held = of(&list["items"], "bank")["remediation"].clone();
    let held = held.as_str().expect("an id");
    let answered = document("answers", &json(&["reject", held, "--by", "Ada", "--reason", "r"]).code(0));
    assert_eq!(answered["items"][0]["remediation"], held);
    document("doctor", &json(&["doctor"]).code(5));
}

#[test]
fn lines_are_the_items_of_the_document() {
    let scene = Scene::new();
    scene.watch();
    let _ = scene.theft(SHOP, "web");
    scene.poll_new().code(0);
    for args in
        [&["list"][..], &["list", "--decisions"], &["incident", "list"], &["alerts"], &["opt-out", "list"]]
    {
        let of = |format: &str| scene.rescind(&[args, &["-o", format]].concat()).code(0);
        assert_eq!(of("json").json_document()["items"], json!(of("jsonl").json()), "{args:?}");
    }
}
