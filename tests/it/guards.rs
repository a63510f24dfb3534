//! Guards against doing too much: the first run, budgets, and what a person took back.

use crate::scene::{BANK, POLICY, SHOP, Scene, Setting};
use crate::thief::Thief;
use serde_json::json;

#[test]
fn a_first_run_over_many_old_findings_touches_nothing() {
    let scene = Scene::new();
    scene.role(SHOP, "web");
    let session = scene.session(SHOP, "web", "i-0123456789abcdef0");
    for number in 0..200 {
        let hours = jiff::SignedDuration::from_hours(number % 40);
        let at = (jiff::Timestamp::now() - hours).strftime("%Y-%m-%dT%H:%M:%S.000Z").to_string();
        scene.report(SHOP, "web", &session, json!({"updated_at": at}));
    }
    scene.poll_new().code(5);
    let codes = scene.codes("decision");
    assert_eq!(codes.len(), 200);
    assert!(codes.iter().all(|code| code == "first_run" || code == "too_old"), "{codes:?}");
    assert_eq!(scene.writes(), 0);
    assert!(scene.calls_of("AssumeRole").is_empty());
    scene.thief(&session).is_allowed();

    // What comes from now on is acted on.
    let new = scene.report(SHOP, "web", &session, json!({}));
    assert_eq!(scene.poll_new().summary()["revoked"], 1);
    assert_eq!(scene.decision(&new)["verdict"], "remediate");
    scene.thief(&session).is_denied();
}

#[test]
fn a_first_run_with_backlog_takes_it_up() {
    let scene = Scene::new();
    let (thief, finding) = scene.theft(SHOP, "web");
    scene.poll_new().code(5).counts(json!({"observed": 1, "put_off": 1}));
    assert_eq!(scene.decision(&finding)["code"], "first_run");
    thief.is_allowed();
    scene.poll_new().code(5).has_code("first_run");
    scene.poll().code(0).counts(json!({"revoked": 1, "seen_before": 1}));
    thief.is_denied();
}

#[test]
fn what_was_there_when_a_first_run_was_killed_is_still_only_observed() {
    let scene = Scene::new();
    let (thief, finding) = scene.theft(SHOP, "web");
    scene.hold("ListTagsForResource", "before");
    let mut process = scene.spawn(&["run", "--once"]);
    scene.held("ListTagsForResource");
    process.kill().expect("killed");
    process.wait().expect("dead");
    scene.release("ListTagsForResource");
    scene.poll_new().code(5);
    assert_eq!(scene.decision(&finding)["code"], "first_run");
    thief.is_allowed();
}

fn with_budget(budget: &'static str) -> Scene {
    let scene = Scene::with(Setting { budget, ..Setting::default() });
    scene.watch();
    scene
}

fn decisions(scene: &Scene, verdict: &str) -> usize {
    scene.entries_of("decision").iter().filter(|e| e["data"]["verdict"] == verdict).count()
}

#[test]
fn beyond_the_budget_of_an_account_everything_is_held_and_raised_once() {
    let scene = with_budget("account_per_hour = 3\nroles_percent = 100\n");
    let thieves: Vec<Thief> = (0..6).map(|n| scene.theft(SHOP, &format!("role-{n}")).0).collect();
    let elsewhere = scene.theft(BANK, "web").0;
    scene.poll_new().code(5).counts(json!({"alerts": 1, "held": 3, "revoked": 4}));
    assert_eq!(thieves.iter().filter(|thief| thief.list_users().is_err()).count(), 3);
    elsewhere.is_denied();
    // A new process knows what the last one did, and does not raise it again.
    let late = scene.theft(SHOP, "late").0;
    scene.poll_new().code(5).has_code("budget_account");
    late.is_allowed();
    assert_eq!(scene.codes("alert"), ["account_budget_used_up"]);
    // A person can let them go on.
    let list = scene.rescind(&["-o", "jsonl", "list"]).json();
    let held =
        list.iter().filter(|r| r["state"] == "held").map(|r| r["remediation"].as_str().expect("an id"));
    let mut approve = vec!["approve", "--by", "Ada", "--reason", "all real"];
    approve.extend(held);
    scene.rescind(&approve).code(0);
    scene.poll_new().counts(json!({"revoked": 4, "seen_before": 8}));
    assert!(thieves.iter().all(|thief| thief.list_users().is_err()));
    late.is_denied();
}

#[test]
fn the_budget_of_the_organization() {
    let scene = with_budget("organization_per_hour = 2\nroles_percent = 100\n");
    for account in [SHOP, BANK] {
        (0..2).for_each(|n| drop(scene.theft(account, &format!("role-{n}"))));
    }
    scene
        .poll_new()
        .code(5)
        .has_code("organization_budget_used_up")
        .counts(json!({"alerts": 1, "held": 2, "revoked": 2}));
    assert_eq!(scene.entries_of("intent").len(), 2);
}

#[test]
fn one_of_few_roles_is_always_allowed_and_a_second_one_is_held() {
    let scene = with_budget("");
    let thieves = [scene.theft(SHOP, "one").0, scene.theft(SHOP, "two").0];
    scene
        .poll_new()
        .code(5)
        .has_code("roles_budget_used_up")
        .counts(json!({"alerts": 1, "held": 1, "revoked": 1}));
    assert_eq!(thieves.iter().filter(|thief| thief.list_users().is_err()).count(), 1);
    // The same role again is no other role.
    let first = scene.entries_of("intent")[0]["principal"].as_str().expect("a role").to_owned();
    scene.advance_clock(120);
    let session = scene.session(SHOP, &first, "i-0bbbbbbbbbbbbbbbb");
    let seen = json!({"service": {"eventLastSeen": "2099-01-01T00:00:00.000Z"}});
    scene.report(SHOP, &first, &session, json!({"overrides": seen}));
    scene.poll_new().counts(json!({"alerts": 1, "held": 1, "revoked": 1, "seen_before": 2}));
}

#[test]
fn how_many_roles_there_are_cannot_be_read() {
    let scene = with_budget("");
    scene.post(
        "faults",
        &json!({"name": "f", "match": {"operation": "GetAccountSummary"}, "when": "before", "times": 0,
        "action": {"error": {"status": 403, "code": "AccessDenied", "message": "no"}}}),
    );
    let _ = (scene.theft(SHOP, "one"), scene.theft(SHOP, "two"));
    scene
        .poll_new()
        .code(5)
        .has_code("roles_budget_used_up")
        .counts(json!({"alerts": 1, "held": 1, "revoked": 1}));
}

#[test]
fn what_a_person_took_away_is_not_brought_back_by_the_same_occurrence() {
    let scene = Scene::new();
    scene.watch();
    let (thief, _) = scene.theft(SHOP, "web");
    scene.poll_new().code(0).counts(json!({"revoked": 1}));
    thief.is_denied();
    Thief::operator(&scene, SHOP).delete_role_policy("web", POLICY).expect("deleted");
    thief.is_allowed();
    let writes = scene.writes();
    scene.poll_new().code(0);
    scene.poll().code(0);
    assert_eq!(scene.writes(), writes);
    thief.is_allowed();
}

#[test]
fn what_piles_up_in_an_outage_is_begun_within_the_budget() {
    let scene = with_budget("account_per_hour = 2\nroles_percent = 100\n");
    let thieves: Vec<Thief> = (0..5).map(|n| scene.theft(SHOP, &format!("role-{n}")).0).collect();
    let error = json!({"error": {"status": 403, "code": "AccessDenied", "message": "no"}});
    scene.post("faults", &json!({"name": "f", "match": {"operation": "AssumeRole"}, "when": "before", "times": 0, "action": error}));
    scene.poll_new().code(5).counts(json!({"not_revoked": 5}));
    scene.delete("faults/f");
    scene.poll_new().code(5).counts(json!({"alerts": 1, "held": 3, "revoked": 2, "seen_before": 5}));
    assert_eq!(thieves.iter().filter(|thief| thief.list_users().is_err()).count(), 2);
}

#[test]
fn what_changed_nothing_uses_up_no_budget() {
    let scene = with_budget("account_per_hour = 1\nroles_percent = 10\n");
    for role in ["gone", "gone-too"] {
        let _ = scene.theft(SHOP, role);
        Thief::operator(&scene, SHOP).delete_role(role);
    }
    scene.poll_new().code(5).counts(json!({"not_revoked": 2}));
    let (thief, _) = scene.theft(SHOP, "web");
    scene.poll_new().counts(json!({"not_revoked": 2, "revoked": 1, "seen_before": 2}));
    thief.is_denied();
}

/// A thief who takes old denies away must not use up what new thefts need.
#[test]
fn what_is_put_back_uses_up_no_budget() {
    let scene = with_budget("account_per_hour = 1\nroles_percent = 100\n");
    let first = scene.theft(SHOP, "first").0;
    scene.poll_new().code(0).counts(json!({"revoked": 1}));
    // It was begun more than an hour ago.
    let ledger = rusqlite::Connection::open(scene.path("ledger.db")).expect("the ledger");
    ledger.execute("UPDATE remediations SET begun_at = '2020-01-01T00:00:00Z'", []).expect("changed");
    drop(ledger);
    Thief::operator(&scene, SHOP).delete_role_policy("first", POLICY).expect("deleted");
    scene.rescind(&["recheck"]).code(5);
    first.is_denied();
    let (late, _) = scene.theft(SHOP, "late");
    scene.poll_new().counts(json!({"revoked": 1}));
    late.is_denied();
}

#[test]
fn one_role_over_the_budget_is_asked_about_once() {
    let scene = with_budget("account_per_hour = 1\nroles_percent = 100\n");
    scene.theft(SHOP, "first").0.is_allowed();
    scene.poll_new().code(0).counts(json!({"revoked": 1}));
    scene.role(SHOP, "web");
    for n in 0..3 {
        let session = scene.session(SHOP, "web", &format!("i-0aaaaaaaaaaaaaaa{n}"));
        scene.report(SHOP, "web", &session, json!({}));
    }
    scene.poll_new().code(5);
    assert_eq!(decisions(&scene, "hold"), 1);
}

#[test]
fn what_may_not_begin_hides_nothing_that_may() {
    let scene = Scene::new();
    scene.watch();
    let old_type = "UnauthorizedAccess:IAMUser/InstanceCredentialExfiltration";
    scene.role(SHOP, "web");
    let session = scene.session(SHOP, "web", "i-0123456789abcdef0");
    let error = json!({"error": {"status": 403, "code": "AccessDenied", "message": "no"}});
    scene.post("faults", &json!({"name": "f", "match": {"operation": "AssumeRole"}, "when": "before", "times": 0, "action": error}));
    let first = scene.report(SHOP, "web", &session, json!({"type": old_type}));
    scene.poll_new().code(5).counts(json!({"not_revoked": 1}));
    // An opt-out comes for that type, and the account is repaired.
    let opt_out = format!(
        "[[opt_out]]\nname = \"old\"\nowner = \"o\"\nreason = \"r\"\ntypes = [\"{old_type}\"]\nmode = \"observe\"\npermanent = true\n"
    );
    std::fs::write(scene.path("opt-outs.toml"), opt_out).expect("written");
    scene.delete("faults/f");
    scene.poll_new().code(5).has_code("opted_out_observe");
    scene.thief(&session).is_allowed();
    assert_eq!(scene.shown(&first)["remediation"]["refused"]["code"], "opted_out_observe");
    // A theft that no opt-out is for.
    scene.report(SHOP, "web", &session, json!({}));
    scene.poll_new().counts(json!({"revoked": 1, "seen_before": 1, "skipped": 1}));
    scene.thief(&session).is_denied();
}

#[test]
fn one_remediation_that_is_tried_again_and_again_counts_once() {
    let scene = with_budget("account_per_hour = 2\norganization_per_hour = 2\nroles_percent = 100\n");
    let error = json!({"error": {"status": 403, "code": "AccessDenied", "message": "no"}});
    scene.post("faults", &json!({"name": "f", "match": {"operation": "PutRolePolicy"}, "when": "before", "times": 0, "action": error}));
    let _ = scene.theft(SHOP, "web");
    let session = scene.session(SHOP, "web", "i-0bbbbbbbbbbbbbbbb");
    for _ in 0..4 {
        scene.report(SHOP, "web", &session, json!({}));
        scene.poll_new().code(5);
    }
    assert!(scene.entries_of("intent").len() >= 4);
    scene.delete("faults/f");
    let (thief, _) = scene.theft(BANK, "web");
    scene.poll_new().counts(json!({"revoked": 2, "seen_before": 5}));
    thief.is_denied();
    assert!(scene.entries_of("alert").is_empty());
}
