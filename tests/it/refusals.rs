//! What cannot be done: each with its name, with what a person must do, and without a loop.

use crate::proxy::{Fault, Proxy, Which};
use crate::scene::{BARE, MANAGEMENT, SHOP, Scene, Setting, member_policy, policy};
use serde_json::{Value, json};

#[track_caller]
fn refused(scene: &Scene) -> Value {
    let refused = scene.entries_of("refused");
    refused.last().expect("a refusal")["data"].clone()
}

/// The remediation role's permissions without one action.
fn without(action: &str) -> Setting {
    let mut document = policy("member-role-permissions.json");
    let all = document["Statement"].as_array_mut().expect("statements").iter_mut();
    for statement in all.filter(|statement| statement["Effect"] == "Allow") {
        if let Value::Array(actions) = &mut statement["Action"] {
            actions.retain(|a| a != action);
        } else if statement["Action"] == action {
            statement["Action"] = json!("iam:GetUser");
        }
    }
    Setting { member_policy: document, ..Setting::default() }
}

#[test]
fn a_role_that_only_its_service_can_change() {
    let scene = Scene::new();
    let all = json!({"Version": "2012-10-17", "Statement": []});
    // The name does not show it: only the path does.
    scene.post("roles", &json!({"account": SHOP, "name": "plain", "path": "/aws-service-role/x.amazonaws.com/", "policy": all}));
    let session = scene.session(SHOP, "plain", "i-0123456789abcdef0");
    scene.report(SHOP, "plain", &session, json!({}));
    scene.poll().code(5);
    assert_eq!(refused(&scene)["code"], "unmodifiable");
    assert_eq!(scene.calls_of("PutRolePolicy").len(), 0);
}

#[test]
fn unmodifiable_by_awss_own_word() {
    let scene = Scene::new();
    let _ = scene.theft(SHOP, "web");
    let error =
        json!({"status": 400, "code": "UnmodifiableEntity", "message": "Cannot perform the operation"});
    scene.post("faults", &json!({"name": "f", "match": {"operation": "PutRolePolicy"}, "when": "before", "action": {"error": error}, "times": 0}));
    scene.poll().code(5);
    assert_eq!(refused(&scene)["code"], "unmodifiable");
    assert_eq!(scene.calls_of("PutRolePolicy").len(), 1, "it is not tried twice");
    assert_eq!(scene.steps(), ["decision", "intent", "refused"]);
}

#[test]
fn the_remediation_role_may_not_write() {
    let scene = Scene::with(without("iam:PutRolePolicy"));
    let (thief, _) = scene.theft(SHOP, "web");
    scene.poll().code(5);
    let refused = refused(&scene);
    assert_eq!(refused["code"], "access_denied");
    // What is to be allowed, and to whom.
    for named in ["iam:PutRolePolicy", "arn:aws:iam::222222222222:role/RescindRemediation"] {
        assert!(refused["what_to_do"].as_str().is_some_and(|text| text.contains(named)), "{refused}");
    }
    assert_eq!(scene.calls_of("PutRolePolicy").len(), 1, "it is not tried twice");
    thief.is_allowed();
}

#[test]
fn the_remediation_role_may_not_simulate() {
    let scene = Scene::with(without("iam:SimulatePrincipalPolicy"));
    let (thief, _) = scene.theft(SHOP, "web");
    scene.run_once().counts(json!({"revoked": 1}));
    let proof = scene.entries_of("proof").remove(0)["data"].clone();
    assert_eq!(proof["rung"], "present");
    assert!(
        proof["note"].as_str().is_some_and(|note| note.contains("iam:SimulatePrincipalPolicy")),
        "{proof}"
    );
    thief.is_denied();
    // Whether the role can undo it could not be asked either: that is no "no".
    scene.rescind(&["recheck"]).code(0);
    let impact = scene.entries_of("impact").remove(0);
    assert_eq!(impact["data"]["can_undo"], Value::Null, "{impact}");
}

/// Calls are made side by side, and one of them fails first.
fn a_slow_sibling(scene: &Scene, fast: Which, slow: Which, run: &[&str]) -> Vec<Value> {
    let proxy = Proxy::before(scene.endpoint());
    proxy.times(1, fast, Fault::Code(403, "AccessDenied"));
    proxy.always(slow, Fault::Latency(std::time::Duration::from_millis(300)));
    let ran = scene.command_through(&proxy, run).output().expect("it runs");
    assert!(ran.status.code().is_some(), "it ended by itself");
    scene.entries_of("call")
}

/// No call is given up for another's sake: each is recorded with AWS's answer to it.
fn all_are_answered(calls: &[Value], operations: &[&str]) {
    for operation in operations {
        let those: Vec<&Value> =
            calls.iter().map(|call| &call["data"]).filter(|call| call["operation"] == *operation).collect();
        assert!(!those.is_empty(), "{operation}");
        for call in those {
            assert!(call["attempts"].as_u64() > Some(0) && call["status"].is_number(), "{call}");
            assert!(!call["result"].to_string().contains("given up"), "{call}");
        }
    }
}

#[test]
fn what_a_failed_sibling_did_not_wait_for_is_recorded_as_it_was() {
    const RUN: [&str; 3] = ["run", "--once", "--backlog"];
    // The three questions to the simulator.
    let scene = Scene::new();
    let (thief, _) = scene.theft(SHOP, "web");
    let simulate = || Which::operation("SimulatePrincipalPolicy");
    let calls = a_slow_sibling(&scene, simulate(), simulate(), &RUN);
    all_are_answered(&calls, &["SimulatePrincipalPolicy"]);
    thief.is_denied();
    // Where the account stands: its OUs, and its tags.
    let scene = Scene::new();
    scene.configure("mode = \"enforce\"\naccount_tag = \"rescind:mode\"\n");
    let opt_out = "[[opt_out]]\nname = \"away\"\nous = [\"ou-none-00000000\"]\nmode = \"off\"\nowner = \"o\"\nreason = \"r\"\npermanent = true\n";
    std::fs::write(scene.path("opt-outs.toml"), opt_out).expect("written");
    let _ = scene.theft(SHOP, "web");
    let calls = a_slow_sibling(
        &scene,
        Which::operation("ListTagsForResource"),
        Which::operation("ListParents"),
        &RUN,
    );
    all_are_answered(&calls, &["ListTagsForResource", "ListParents"]);
}

#[test]
fn an_account_without_the_remediation_role() {
    let scene = Scene::new();
    let (thief, _) = scene.theft(BARE, "web");
    scene.poll().code(5);
    let refused = refused(&scene);
    assert_eq!(refused["code"], "entry_denied");
    let to_do = refused["what_to_do"].as_str().expect("a text");
    assert!(to_do.contains("arn:aws:iam::555555555555:role/RescindRemediation"), "{to_do}");
    thief.is_allowed();
    // Somebody deploys the role; the next start does the rest.
    deploy(&scene);
    scene.run_once().counts(json!({"revoked": 1, "seen_before": 1}));
    thief.is_denied();
}

#[test]
fn the_management_account_without_the_remediation_role() {
    let scene = Scene::new();
    let _ = scene.theft(MANAGEMENT, "payer");
    scene.poll().code(5);
    let refused = refused(&scene);
    assert_eq!(refused["code"], "entry_denied");
    assert!(refused["what_to_do"].as_str().is_some_and(|text| text.contains("StackSets")), "{refused}");
}

#[test]
fn what_fails_for_now_is_tried_again_and_never_doubled() {
    let scene = Scene::new();
    let (thief, _) = scene.theft(SHOP, "web");
    let error = json!({"status": 503, "code": "ServiceUnavailable", "message": "try later"});
    scene.post("faults", &json!({"name": "f", "match": {"operation": "GetRole"}, "when": "before", "action": {"error": error}, "times": 0}));
    scene.poll().code(5);
    let refused = refused(&scene);
    assert_eq!((&refused["code"], &refused["disposition"]), (&json!("unavailable"), &json!("retry")));
    thief.is_allowed();
    scene.delete("faults/f");
    scene.run_once().counts(json!({"revoked": 1, "seen_before": 1}));
    thief.is_denied();
    assert_eq!(scene.steps(), ["decision", "refused", "intent", "accepted", "proof"]);
}

#[test]
fn throttled_once_is_not_noticed() {
    let scene = Scene::new();
    let (thief, _) = scene.theft(SHOP, "web");
    let error = json!({"status": 400, "code": "Throttling", "message": "Rate exceeded"});
    scene.post("faults", &json!({"name": "f", "match": {"operation": "PutRolePolicy"}, "when": "before", "action": {"error": error}, "times": 1}));
    scene.run_once().counts(json!({"revoked": 1}));
    thief.is_denied();
    let put =
        scene.entries().into_iter().find(|e| e["data"]["operation"] == "PutRolePolicy").expect("recorded");
    assert_eq!(put["data"]["attempts"], 2);
}

#[test]
fn one_account_that_fails_does_not_disturb_another() {
    let scene = Scene::new();
    let (lost, _) = scene.theft(BARE, "web");
    let (saved, _) = scene.theft(SHOP, "web");
    scene.poll().code(5).counts(json!({"revoked": 1, "not_revoked": 1}));
    lost.is_allowed();
    saved.is_denied();
}

fn hours_ago(hours: i64) -> Value {
    (jiff::Timestamp::now() - jiff::SignedDuration::from_hours(hours)).to_string().into()
}

/// Somebody deploys the remediation role that was missing.
fn deploy(scene: &Scene) {
    let trust = json!({"Version": "2012-10-17", "Statement": [{"Effect": "Allow", "Principal": {"AWS": scene.hub["role_arn"]}, "Action": ["sts:AssumeRole", "sts:SetSourceIdentity"]}]});
    let permissions = member_policy();
    scene.post("roles", &json!({"account": BARE, "name": "RescindRemediation", "policy": permissions, "trust": trust, "instance_profile": false}));
}

#[test]
fn a_remediation_that_is_blocked_for_too_long_is_given_up() {
    let scene = Scene::new();
    scene.role(BARE, "web");
    let session = scene.session(BARE, "web", "i-0123456789abcdef0");
    scene.report(BARE, "web", &session, json!({"updated_at": hours_ago(2)}));
    scene.poll().code(5).counts(json!({"not_revoked": 1}));
    // The installation is repaired, much later: it does not act on what is old by then.
    deploy(&scene);
    scene.configure("mode = \"enforce\"\nmax_finding_age = \"1h\"\n");
    scene.poll().code(5);
    assert_eq!(refused(&scene)["code"], "too_old");
    scene.thief(&session).is_allowed();
}

/// An occurrence that was left to a remediation is not forgotten when that one is given up.
#[test]
fn what_was_left_to_a_remediation_that_failed_is_still_listed_and_can_be_handed_in() {
    let scene = Scene::new();
    scene.role(BARE, "web");
    let session = scene.session(BARE, "web", "i-0123456789abcdef0");
    let finding = scene.report(BARE, "web", &session, json!({"updated_at": hours_ago(3)}));
    scene.poll().code(5).counts(json!({"not_revoked": 1}));
    let body = json!({"account": crate::scene::SECURITY, "region": crate::scene::HOME, "member": BARE, "role": "web",
        "principal_id": session["principal_id"], "access_key_id": session["access_key_id"],
        "id": finding, "updated_at": hours_ago(2)});
    let later = scene.post("findings/exfiltration", &body)["finding"].to_string();
    scene.poll().code(5).has_code("under_way");
    scene.configure("mode = \"enforce\"\nmax_finding_age = \"1h\"\n");
    scene.poll().code(5);
    assert_eq!(refused(&scene)["code"], "too_old");
    deploy(&scene);
    scene.configure("mode = \"enforce\"\n");
    scene.poll().code(5).counts(json!({"not_revoked": 1, "seen_before": 1}));
    scene.handle(later.as_bytes()).code(0).counts(json!({"revoked": 1, "seen_before": 1}));
    scene.thief(&session).is_denied();
}

#[test]
fn activity_that_goes_on_keeps_a_blocked_remediation_alive() {
    let scene = Scene::new();
    scene.role(BARE, "web");
    let session = scene.session(BARE, "web", "i-0123456789abcdef0");
    let finding = scene.report(BARE, "web", &session, json!({"updated_at": hours_ago(2)}));
    scene.poll().code(5).counts(json!({"not_revoked": 1}));
    scene.report(BARE, "web", &session, json!({"id": finding}));
    scene.poll().code(5).has_code("under_way");
    assert_eq!(scene.codes("decision"), ["stolen_role_session", "under_way"]);
    deploy(&scene);
    scene.configure("mode = \"enforce\"\nmax_finding_age = \"1h\"\n");
    scene.run_once().counts(json!({"revoked": 1, "seen_before": 1}));
    scene.thief(&session).is_denied();
}

#[test]
fn a_blocked_remediation_is_left_alone_in_observe_mode() {
    let scene = Scene::new();
    let (thief, _) = scene.theft(BARE, "web");
    scene.poll().code(5);
    let entered = scene.calls_of("AssumeRole").len();
    scene.configure("mode = \"observe\"\n");
    scene.poll();
    assert_eq!(scene.calls_of("AssumeRole").len(), entered);
    // What comes meanwhile is recorded as observed, not as taken care of.
    let session = scene.session(BARE, "web", "i-0bbbbbbbbbbbbbbbb");
    let later = scene.report(BARE, "web", &session, json!({}));
    scene.poll();
    assert_eq!(scene.decision(&later)["verdict"], "observe");
    thief.is_allowed();
}

#[test]
fn what_had_failed_is_tried_again_when_somebody_hands_it_in() {
    let scene = Scene::new();
    scene.role(SHOP, "web");
    let session = scene.session(SHOP, "web", "i-0123456789abcdef0");
    scene.report(SHOP, "web", &session, json!({}));
    let error = json!({"status": 404, "code": "NoSuchEntity", "message": "not there yet"});
    scene.post("faults", &json!({"name": "f", "match": {"operation": "GetRole"}, "when": "before", "action": {"error": error}, "times": 1}));
    scene.poll().code(5).has_code("role_gone");
    let finding = scene.entries_of("finding")[0]["data"]["finding"].clone();
    let handed = json!({"id": finding["id"], "accountId": SHOP, "region": finding["region"], "type": finding["type"],
        "updatedAt": finding["updated_at_text"], "service": {"eventLastSeen": finding["evidence"]["last_seen"]},
        "resource": {"accessKeyDetails": {"userType": "AssumedRole", "userName": "web",
            "accessKeyId": session["access_key_id"], "principalId": session["principal_id"]}}});
    scene.handle(handed.to_string().as_bytes()).code(0).counts(json!({"revoked": 1, "seen_before": 1}));
    scene.thief(&session).is_denied();
    assert_eq!(scene.steps(), ["decision", "refused", "reopened", "intent", "accepted", "proof"]);
}
