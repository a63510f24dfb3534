//! How far a revocation is proved, by what is seen of it afterwards; and what it shows when the thief
//! goes on.

use crate::scene::{BANK, HOME, OTHER, SHOP, Scene, cutoff};
use crate::thief::Thief;
use serde_json::{Value, json};

pub fn after(scene: &Scene, seconds: i64) -> Value {
    scene.advance_clock(seconds);
    scene.get("clock")["now"].clone()
}

#[test]
fn a_denied_call_of_the_same_key_proves_that_it_is_enforced() {
    let scene = Scene::new();
    scene.role(SHOP, "web");
    let session = scene.session(SHOP, "web", "i-0123456789abcdef0");
    let finding = scene.report(SHOP, "web", &session, json!({}));
    scene.run_once();
    let now = after(&scene, 40);
    scene.report(
        SHOP,
        "web",
        &session,
        json!({"id": finding, "updated_at": now, "error_code": "AccessDenied"}),
    );
    let writes = scene.writes();
    scene.run_once().has_code("denied");

    assert_eq!(scene.writes(), writes);
    assert_eq!(scene.decision(&finding)["code"], "denied");
    let proofs = scene.entries_of("proof");
    let rungs: Vec<&Value> = proofs.iter().map(|entry| &entry["data"]["rung"]).collect();
    assert_eq!(rungs, ["simulated", "enforced"]);
    assert_eq!(proofs[1]["data"]["denied"]["access_key"], session["access_key_id"]);
    assert_eq!(proofs[1]["data"]["denied"]["error_code"], "AccessDenied");
    // The ladder is listed with the time since the finding.
    let list = scene.rescind(&["list", "-o", "jsonl"]).code(0).json();
    let rungs: Vec<&Value> = list[0]["rungs"].as_array().expect("rungs").iter().map(|r| &r["rung"]).collect();
    assert_eq!(rungs, ["accepted", "simulated", "enforced"]);
    assert!(list[0]["rungs"][2]["seconds_after_finding"].as_f64().expect("a number") > 0.0);
    scene.rescind(&["ledger", "verify"]).code(0);
}

#[test]
fn a_denied_call_of_another_key_proves_nothing() {
    let scene = Scene::new();
    let (_, finding) = scene.theft(SHOP, "web");
    scene.run_once();
    let now = after(&scene, 60);
    let other = scene.session(SHOP, "web", "i-0123456789abcdef0");
    scene.report(
        SHOP,
        "web",
        &other,
        json!({"id": finding, "updated_at": now, "error_code": "AccessDenied"}),
    );
    scene.poll().code(5).counts(json!({"alerts": 1, "revoked": 1}));
    assert_eq!(scene.decision(&finding)["verdict"], "remediate");
    assert!(scene.entries_of("proof").iter().all(|proof| proof["data"]["rung"] != "enforced"));
}

#[test]
fn a_new_key_after_the_cutoff_means_that_the_source_still_leaks() {
    let scene = Scene::new();
    let (first, finding) = scene.theft(SHOP, "web");
    scene.run_once();
    let now = after(&scene, 60);
    let session = scene.session(SHOP, "web", "i-0123456789abcdef0");
    let second = scene.thief(&session);
    second.is_allowed();
    scene.report(SHOP, "web", &session, json!({"id": finding, "updated_at": now}));
    // What to isolate is named.
    scene.poll().code(5).has_code("recurring").says("i-0123456789abcdef0");

    first.is_denied();
    second.is_denied();
    let recurrence = &scene.decision(&finding)["recurrence"];
    assert_eq!(recurrence["sign"], "new_key");
    let alerts = scene.entries_of("alert");
    assert_eq!(alerts.iter().filter(|alert| alert["data"]["code"] == "recurring").count(), 1);
    scene.rescind(&["list"]).code(0).says("(recurring)");
    scene.rescind(&["show", recurrence["of"].as_str().expect("an id")]).code(0);
}

#[test]
fn an_old_key_that_still_works_is_revoked_again_and_raised() {
    let scene = Scene::new();
    scene.role(SHOP, "web");
    let session = scene.session(SHOP, "web", "i-0123456789abcdef0");
    let finding = scene.report(SHOP, "web", &session, json!({}));
    scene.run_once();
    let before = scene.policy_on(SHOP, "web").expect("revoked");
    let now = after(&scene, 60);
    scene.report(SHOP, "web", &session, json!({"id": finding, "updated_at": now}));
    scene.poll().code(5).has_code("still_works");
    assert_eq!(scene.decision(&finding)["recurrence"]["sign"], "same_key");
    assert!(cutoff(&scene.policy_on(SHOP, "web").expect("revoked")) > cutoff(&before));
}

#[test]
fn what_another_role_suffers_is_no_recurrence() {
    let scene = Scene::new();
    let _ = scene.theft(SHOP, "web");
    scene.run_once();
    scene.advance_clock(60);
    let (thief, finding) = scene.theft(BANK, "web");
    scene.run_once();
    thief.is_denied();
    assert_eq!(scene.decision(&finding)["recurrence"], Value::Null);
}

/// The thief's own denied call, as CloudTrail has it.
#[test]
fn cloudtrail_proves_it_where_it_may_be_read() {
    let scene = Scene::new();
    scene.configure("mode = \"enforce\"\ncloudtrail = true\n");
    let (thief, finding) = scene.theft(SHOP, "web");
    thief.is_allowed();
    scene.run_once().counts(json!({"revoked": 1}));
    // What was allowed before the deny is no evidence against it, and no denied call is no evidence for it.
    assert_eq!(scene.entries_of("proof").len(), 1);
    scene.advance_clock(40);
    thief.is_denied();
    // What succeeded before it may be reported later than it.
    scene.rescind(&["recheck"]).code(0);
    assert_eq!(scene.entries_of("proof").len(), 1);
    scene.advance_clock(16 * 60);
    scene.rescind(&["recheck"]).code(0);
    let proofs = scene.entries_of("proof");
    assert_eq!(proofs[1]["data"]["rung"], "enforced");
    assert_eq!(proofs[1]["data"]["denied"]["source"], "cloudtrail");
    assert_eq!(proofs[1]["data"]["denied"]["api"], "iam:ListUsers");
    scene.rescind(&["show", &finding]).code(0).says("cloudtrail");
    // It is proved once, and still looked for what succeeds.
    scene.rescind(&["recheck"]).code(0);
    assert_eq!(scene.entries_of("proof").len(), 2);
}

/// The policy is there, the simulator believes in it, and the key works all the same.
#[test]
fn cloudtrail_shows_when_the_key_still_works() {
    let scene = Scene::new();
    scene.configure("mode = \"enforce\"\ncloudtrail = true\n");
    let (thief, _) = scene.theft(SHOP, "web");
    scene.run_once();
    scene.advance_clock(40);
    let operator = crate::thief::Thief::operator(&scene, SHOP);
    let text = operator.role_policy("web", crate::scene::POLICY).expect("a policy");
    operator.delete_role_policy("web", crate::scene::POLICY).expect("deleted");
    thief.is_allowed();
    operator.put_role_policy("web", crate::scene::POLICY, &text).expect("put");
    scene.rescind(&["recheck", "-o", "jsonl"]).code(5).has_code("still_works").says("iam:ListUsers");
    assert!(scene.entries_of("proof").iter().all(|proof| proof["data"]["rung"] != "enforced"));
}

#[test]
fn without_the_permission_nothing_is_claimed_and_what_is_missing_is_said() {
    let mut setting = crate::scene::Setting::default();
    for statement in setting.member_policy["Statement"].as_array_mut().expect("statements") {
        if let Some(actions) = statement.get_mut("Action").and_then(Value::as_array_mut) {
            actions.retain(|action| action != "cloudtrail:LookupEvents" && action != "ec2:DescribeInstances");
        }
    }
    let scene = Scene::with(setting);
    scene.configure("mode = \"enforce\"\ncloudtrail = true\n");
    let (thief, finding) = scene.theft(SHOP, "web");
    scene.post("instances", &json!({"account": SHOP, "region": HOME, "role": "web", "name": "front"}));
    scene.poll().code(5).has_code("pursuit_unreadable").says("cloudtrail:LookupEvents");
    thief.is_denied();
    // It is said once.
    scene.rescind(&["recheck"]).code(0);
    assert_eq!(scene.entries_of("proof").len(), 1);
    scene.rescind(&["show", &finding]).code(0).says("ec2:DescribeInstances");
}

#[test]
fn the_impact_is_gathered_after_the_deny_and_shown() {
    let scene = Scene::new();
    let (_, finding) = scene.theft(SHOP, "web");
    for (region, name) in [(HOME, "front-1"), (OTHER, "front-2")] {
        let group = json!({"account": SHOP, "region": region, "role": "web", "name": name, "auto_scaling_group": "front"});
        scene.post("instances", &group);
    }
    scene.run_once().counts(json!({"revoked": 1}));
    let impact = &scene.entries_of("impact")[0]["data"];
    assert_eq!(impact["instances"].as_array().map(Vec::len), Some(2));
    let shown = scene.rescind(&["show", &finding]).code(0);
    shown.says("front-1").says("front-2").says("ec2.amazonaws.com");
    assert_eq!(impact["instances"][0]["auto_scaling_group"], "front", "{impact}");
    assert_eq!(impact["can_undo"].as_array().map(Vec::len), Some(7), "{impact}");
    // Nothing is asked before the deny is in place.
    let calls = scene.calls();
    let at = |operation: &str| calls.iter().position(|call| call["operation"] == operation).expect(operation);
    assert!(at("PutRolePolicy") < at("DescribeInstances"));
    assert!(at("PutRolePolicy") < at("ListInstanceProfilesForRole"));
    // Once is enough.
    scene.rescind(&["recheck"]).code(0);
    assert_eq!(scene.entries_of("impact").len(), 1);
}

#[test]
fn a_plan_shows_the_impact_when_asked() {
    let scene = Scene::new();
    let _ = scene.theft(SHOP, "web");
    scene.post("instances", &json!({"account": SHOP, "region": OTHER, "role": "web", "name": "front"}));
    let impact = &scene.rescind(&["plan", "--impact", "-o", "jsonl"]).code(0).json()[0]["impact"];
    assert_eq!(impact["instances"][0]["name"], "front", "{impact}");
    assert_eq!(scene.writes(), 0);
    assert_eq!(scene.rescind(&["plan", "-o", "jsonl"]).code(0).json()[0]["impact"], Value::Null);
}

#[test]
fn who_is_to_approve_can_ask_whom_it_would_concern() {
    let scene = Scene::new();
    scene.configure("mode = \"approve\"\n");
    let (thief, finding) = scene.theft(SHOP, "web");
    scene.post("instances", &json!({"account": SHOP, "region": OTHER, "role": "web", "name": "front"}));
    scene.poll().code(5);
    let impact = scene.rescind(&["impact", &finding, "-o", "jsonl"]).code(0).json_document();
    assert_eq!(impact["impact"]["instances"][0]["name"], "front", "{impact}");
    thief.is_allowed();
    assert_eq!(scene.writes(), 0);
    // Of a role that is gone little can be said.
    Thief::operator(&scene, SHOP).delete_role("web");
    scene.rescind(&["impact", &finding]).code(5);
}

/// GuardDuty's time lies ahead: nothing is counted from it.
#[test]
fn activity_in_the_future_gives_no_times_and_enters_no_median() {
    let scene = Scene::new();
    scene.role(SHOP, "web");
    let session = scene.session(SHOP, "web", "i-0123456789abcdef0");
    let ahead = (jiff::Timestamp::now() + jiff::SignedDuration::from_hours(2)).to_string();
    let finding =
        scene.report(SHOP, "web", &session, json!({"overrides": {"service": {"eventLastSeen": ahead}}}));
    scene.run_once();
    scene.thief(&session).is_denied();
    let listed = scene.rescind(&["list", "-o", "jsonl"]).code(0).json();
    assert_eq!(listed[0]["seconds_to_deny"], Value::Null);
    assert_eq!(listed[0]["rungs"][0]["seconds_after_finding"], Value::Null);
    let shown = scene.rescind(&["show", &finding]).code(0);
    let is_negative = |word: &str| word.strip_prefix('-').is_some_and(|rest| rest.parse::<f64>().is_ok());
    assert!(!shown.out.split_whitespace().any(is_negative), "{}", shown.out);
    scene.rescind(&["report", "-o", "json", "-O", "report.json"]).code(0);
    let report = std::fs::read_to_string(scene.path("report.json")).expect("a report");
    let report: Value = serde_json::from_str(&report).expect("JSON");
    assert_eq!(report["summary"]["seconds_to_deny"], Value::Null);
    assert_eq!(report["remediations"][0]["seconds_to_deny"], Value::Null);
}
