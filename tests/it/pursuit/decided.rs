//! What was opened is decided about like a finding: by the rule's `pursue`, by opt-outs and protected principals.

use super::intrusion::{
    ENFORCE, Intrusion, activities, are, is_whole_and_keeps_no_secret, listed, open_role, stolen,
};
use crate::scene::{BANK, HOME, SHOP, Scene};
use serde_json::json;

fn scene(keys: &str) -> Scene {
    let scene = Scene::new();
    scene.watch();
    scene.configure(keys);
    scene
}

#[test]
fn sessions_that_were_opened_with_a_stolen_one_are_revoked_and_those_of_others_go_on() {
    let scene = scene(ENFORCE);
    let intrusion = Intrusion::new(&scene);
    scene.run_once();
    intrusion.is_over();
    are(&scene, &[["web", "revoked"], ["batch", "revoked"], ["vault", "revoked"]]);
    // It is one incident, and each session is derived from the one before.
    let shown = |id: &str| scene.rescind(&["show", id, "-o", "jsonl"]).code(0).json_document();
    let all = scene.rescind(&["list", "-o", "jsonl"]).code(0).json();
    let vault = all.iter().find(|one| one["principal"] == "vault").expect("there");
    let derived = &shown(vault["remediation"].as_str().expect("an id"))["finding"]["cause"]["pursuit"];
    let chain: Vec<&str> = derived["chain"]
        .as_array()
        .expect("a list")
        .iter()
        .filter_map(|link| link["account"].as_str())
        .collect();
    assert_eq!((derived["what"].as_str(), chain), (Some("session"), vec![SHOP, BANK]), "{derived}");
    is_whole_and_keeps_no_secret(&scene);
    // Nothing of it is found, recorded or revoked twice.
    let (found, entries) = (activities(&scene).len(), scene.entries_of("finding").len());
    scene.run_once();
    assert_eq!((activities(&scene).len(), scene.entries_of("finding").len()), (found, entries));
    assert_eq!(scene.entries_of("intent").len(), 3);
}

#[test]
fn by_default_each_session_is_held_and_one_approval_revokes_it() {
    let scene = scene("mode = \"enforce\"\ncloudtrail = true\n");
    let intrusion = Intrusion::new(&scene);
    scene.poll().code(5);
    intrusion.is_pending();
    are(&scene, &[["web", "revoked"], ["batch", "held"], ["vault", "held"]]);
    assert!(listed(&scene)[1..].iter().all(|one| one[2] == "pursuit_approve"));
    let all = scene.rescind(&["list", "-o", "jsonl"]).code(0).json();
    for one in all.iter().filter(|one| one["state"] == "held") {
        let id = one["remediation"].as_str().expect("an id");
        scene.rescind(&["approve", id, "--by", "ann", "--reason", "not ours"]).code(0);
    }
    scene.run_once();
    intrusion.is_over();
    is_whole_and_keeps_no_secret(&scene);
}

#[test]
fn what_is_only_observed_is_recorded_to_its_end_and_nothing_more_is_done() {
    let scene = scene("mode = \"enforce\"\ncloudtrail = true\npursue = \"observe\"\n");
    let intrusion = Intrusion::new(&scene);
    scene.run_once();
    intrusion.is_pending();
    are(&scene, &[["web", "revoked"]]);
    let opened: Vec<_> =
        activities(&scene).into_iter().filter(|one| one["meaning"] == "opens_session").collect();
    assert_eq!(opened.len(), 2, "{opened:?}");
    assert_eq!(scene.codes("decision"), ["stolen_role_session", "pursuit_observe", "pursuit_observe"]);
}

#[test]
fn what_is_not_pursued_is_not_looked_for() {
    for keys in ["pursue = \"off\"\ncloudtrail = true\n", "pursue = \"enforce\"\ncloudtrail = false\n"] {
        let scene = scene(&format!("mode = \"enforce\"\n{keys}"));
        let intrusion = Intrusion::new(&scene);
        scene.run_once();
        intrusion.is_pending();
        assert!(scene.entries_of("trace").is_empty(), "{keys}");
    }
}

#[test]
fn a_rule_says_for_itself_what_is_pursued() {
    let rule = "[[rules]]\nname = \"mine\"\ntypes = [\"*Exfiltration*\"]\npursue = \"enforce\"\n";
    let scene = scene(&format!("mode = \"enforce\"\ncloudtrail = true\npursue = \"off\"\n{rule}"));
    let intrusion = Intrusion::new(&scene);
    scene.run_once();
    intrusion.is_over();
    let decisions = scene.entries_of("decision");
    assert!(decisions.iter().all(|one| one["data"]["rule"] == "mine"), "{decisions:?}");
}

#[test]
fn an_opt_out_and_a_protected_principal_count_for_what_was_opened() {
    let scene = scene(&format!("{ENFORCE}protected = [\"arn:aws:iam::*:role/vault\"]\n"));
    let text = format!(
        "[[opt_out]]\nname = \"bank\"\naccounts = [\"{BANK}\"]\nmode = \"observe\"\nreason = \"they do it\"\nowner = \"bank team\"\nexpires = {}\n",
        (jiff::Timestamp::now() + jiff::SignedDuration::from_hours(240)).strftime("%Y-%m-%d")
    );
    std::fs::write(scene.path("opt-outs.toml"), text).expect("written");
    let intrusion = Intrusion::new(&scene);
    scene.poll();
    intrusion.is_pending();
    are(&scene, &[["web", "revoked"]]);
    assert_eq!(scene.codes("decision"), ["stolen_role_session", "opted_out_observe", "protected"]);
    assert_eq!(scene.codes("alert"), ["protected_stolen"]);
}

/// The instance itself goes on with the credentials that were stolen from it.
#[test]
fn what_was_opened_from_another_address_is_held() {
    let scene = scene(ENFORCE);
    let intrusion = Intrusion::from(&scene, "10.0.0.7");
    scene.poll().code(5);
    intrusion.is_pending();
    assert!(listed(&scene)[1..].iter().all(|one| one[1] == "held" && one[2] == "other_address"));
}

#[test]
fn a_session_that_has_ended_is_not_revoked_and_still_read() {
    let scene = scene(&format!("{ENFORCE}max_finding_age = \"100h\"\n"));
    scene.advance_clock(-3 * 3600);
    Intrusion::new(&scene);
    scene.advance_clock(3 * 3600);
    scene.run_once();
    are(&scene, &[["web", "revoked"]]);
    assert_eq!(scene.codes("decision"), ["stolen_role_session", "session_ended", "session_ended"]);
}

#[test]
fn what_waits_for_an_answer_itself_is_not_pursued() {
    let scene = scene("mode = \"approve\"\ncloudtrail = true\npursue = \"enforce\"\n");
    let intrusion = Intrusion::new(&scene);
    scene.poll().code(5);
    intrusion.thieves[0].is_allowed();
    assert!(scene.entries_of("trace").is_empty());
    let id = scene.rescind(&["list", "-o", "jsonl"]).code(0).json()[0]["remediation"].clone();
    scene.rescind(&["approve", id.as_str().expect("an id"), "--by", "ann", "--reason", "stolen"]).code(0);
    // The installation asks a person, so what was opened is held as well.
    scene.poll().code(5);
    intrusion.is_pending();
    are(&scene, &[["web", "revoked"], ["batch", "held"], ["vault", "held"]]);
}

/// GuardDuty sees the session that was opened before CloudTrail has how it was: both are one incident.
#[test]
fn two_findings_of_one_theft_are_one_incident() {
    let scene = scene("mode = \"enforce\"\n");
    scene.role(SHOP, "web");
    let batch = open_role(&scene, BANK, "batch");
    let session = stolen(&scene, "203.0.113.77");
    let opened = scene.thief(&session).session_of(&batch, "app");
    scene.thief(&opened).is_allowed();
    scene.report(SHOP, "web", &session, json!({}));
    scene.report(BANK, "batch", &opened, json!({}));
    scene.run_once();
    let incidents = || {
        let ledger = rusqlite::Connection::open(scene.path("ledger.db")).expect("a ledger");
        let mut statement = ledger.prepare("SELECT DISTINCT incident FROM remediations").expect("a table");
        let rows = statement.query_map([], |row| row.get::<_, String>(0)).expect("rows");
        rows.map(|row| row.expect("a row")).collect::<Vec<_>>()
    };
    assert_eq!(incidents().len(), 2);
    scene.configure(ENFORCE);
    scene.run_once();
    assert_eq!(incidents().len(), 1);
    assert!(listed(&scene).iter().all(|one| one[1] == "revoked"));
    is_whole_and_keeps_no_secret(&scene);
}

/// Nobody but its owner can do anything there: a person is asked to see to that.
#[test]
fn a_session_in_an_account_outside_the_organization_is_left_to_a_person() {
    let scene = scene(ENFORCE);
    scene.role(SHOP, "web");
    let session = stolen(&scene, "203.0.113.77");
    let record = json!({
        "access_key_id": session["access_key_id"], "event": "sts:AssumeRole", "sourceIPAddress": "203.0.113.77",
        "requestParameters": {"roleArn": "arn:aws:iam::666666666666:role/drop", "roleSessionName": "app"},
        "responseElements": {
            "credentials": {"accessKeyId": "ASIAEXAMPLEEXAMPLE99", "sessionToken": "a token", "expiration": "Nov 22, 2099, 3:00:00 AM"},
            "assumedRoleUser": {"assumedRoleId": "AROAEXAMPLEEXAMPLE99:app", "arn": "arn:aws:sts::666666666666:assumed-role/drop/app"},
        },
    });
    scene.post("cloudtrail/records", &json!({"account": SHOP, "region": HOME, "records": [record]}));
    scene.report(SHOP, "web", &session, json!({}));
    scene.poll().code(5);
    let all = listed(&scene);
    assert_eq!((all[1][1].as_str(), all[1][2].as_str()), ("held", "unknown_account"), "{all:?}");
    assert!(scene.codes("alert").contains(&"by_hand".to_owned()));
    is_whole_and_keeps_no_secret(&scene);
}
