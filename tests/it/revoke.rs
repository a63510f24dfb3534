//! The main job: a stolen session is denied, a fresh one is not, and the ledger has each step.

use crate::scene::{BANK, HOME, MANAGEMENT, OTHER, POLICY, SECURITY, SHOP, Scene, Setting, cutoff};
use crate::thief::Thief;
use serde_json::{Value, json};

#[test]
fn a_stolen_session_is_denied_and_a_fresh_one_is_not() {
    let scene = Scene::new();
    let (thief, finding) = scene.theft(SHOP, "web");
    scene.role(SHOP, "batch");
    let bystander = scene.thief(&scene.session(SHOP, "batch", "i-0bbbbbbbbbbbbbbbb"));
    thief.is_allowed();

    scene.run_once().counts(json!({"revoked": 1}));

    thief.is_denied();
    bystander.is_allowed();
    assert_eq!(scene.decision(&finding)["verdict"], "remediate");
    assert_eq!(scene.steps(), ["decision", "intent", "accepted", "proof"]);
    assert_eq!(scene.entries_of("proof")[0]["data"]["rung"], "simulated");
    // A session issued after the cutoff works.
    scene.advance_clock(32);
    let fresh = scene.session(SHOP, "web", "i-0123456789abcdef0");
    scene.thief(&fresh).is_allowed();
    thief.is_denied();
}

#[test]
fn the_intent_is_recorded_before_the_call_and_the_outcome_after_it() {
    let scene = Scene::new();
    let _ = scene.theft(SHOP, "web");
    scene.run_once();
    let entries = scene.entries();
    let at = |wanted: &dyn Fn(&Value) -> bool| entries.iter().position(wanted).expect("an entry");
    let intent = at(&|e| e["kind"] == "intent");
    let call = at(&|e| e["data"]["operation"] == "PutRolePolicy");
    let accepted = at(&|e| e["kind"] == "accepted");
    assert!(intent < call && call < accepted, "{intent} {call} {accepted}");

    let intent = &entries[intent]["data"]["change"];
    assert_eq!(intent["before"], Value::Null);
    let after: Value = serde_json::from_str(intent["after"].as_str().expect("a text")).expect("JSON");
    assert_eq!(Some(after), scene.policy_on(SHOP, "web"));

    // Each call that AWS saw is there, with AWS's own request id, and no other.
    let mut recorded: Vec<&str> = entries
        .iter()
        .filter(|e| e["kind"] == "call")
        .map(|e| e["data"]["request_id"].as_str().expect("a request id"))
        .collect();
    let hub_calls = scene.calls();
    let mut served: Vec<&str> = hub_calls
        .iter()
        .filter(|c| c["principal"].as_str().is_some_and(|p| p.contains("Rescind")))
        .map(|c| c["request_id"].as_str().expect("an id"))
        .collect();
    recorded.sort_unstable();
    served.sort_unstable();
    assert_eq!(recorded, served);
}

#[test]
fn three_round_trips_until_the_deny_is_in_place() {
    let scene = Scene::new();
    let _ = scene.theft(SHOP, "web");
    scene.run_once();
    let calls = scene.calls();
    let operations = calls.iter().map(|c| c["operation"].as_str().expect("a name"));
    // The other region may still be polled.
    let operations: Vec<&str> = operations.filter(|operation| *operation != "ListFindings").collect();
    let start = operations.iter().position(|o| *o == "AssumeRole").expect("entered");
    let put = operations.iter().position(|o| *o == "PutRolePolicy").expect("written");
    let mut path = operations[start..=put].to_vec();
    path[1..3].sort_unstable(); // side by side
    assert_eq!(path, ["AssumeRole", "GetRole", "GetRolePolicy", "PutRolePolicy"]);
}

#[test]
fn a_moved_on_finding_extends_the_cutoff() {
    let scene = Scene::new();
    let (first, finding) = scene.theft(SHOP, "web");
    scene.run_once();
    let before = scene.policy_on(SHOP, "web").expect("revoked");

    // The source still leaks: under the same finding id GuardDuty reports a key that was
    // issued after the cutoff.
    scene.advance_clock(60);
    let session = scene.session(SHOP, "web", "i-0123456789abcdef0");
    let second = scene.thief(&session);
    second.is_allowed();
    scene.report(SHOP, "web", &session, json!({"id": finding}));
    scene.poll().code(5).counts(json!({"alerts": 1, "revoked": 1})).has_code("recurring");

    let after = scene.policy_on(SHOP, "web").expect("revoked");
    assert!(cutoff(&after) > cutoff(&before), "{after} {before}");
    first.is_denied();
    second.is_denied();
    let intents = scene.entries_of("intent");
    assert_eq!(intents.len(), 2);
    let kept = intents[1]["data"]["change"]["before"].as_str().expect("the earlier text");
    assert_eq!(serde_json::from_str::<Value>(kept).expect("JSON"), before);
}

#[test]
fn the_same_theft_reported_twice_is_revoked_once() {
    let scene = Scene::new();
    scene.role(SHOP, "web");
    let session = scene.session(SHOP, "web", "i-0123456789abcdef0");
    for region in [HOME, OTHER] {
        scene.report(SHOP, "web", &session, json!({"region": region}));
    }
    scene.run_once().counts(json!({"revoked": 1, "skipped": 1}));
    assert_eq!(scene.codes("decision").iter().filter(|code| *code == "already_revoked").count(), 1);
    assert_eq!(scene.calls_of("PutRolePolicy").len(), 1);
}

#[test]
fn many_roles_at_once_and_each_one_once() {
    let scene = Scene::new();
    let thieves: Vec<Thief> = (0..12)
        .map(|n| {
            let account = if n % 2 == 0 { SHOP } else { BANK };
            let role = format!("role-{n}");
            scene.role(account, &role);
            let session = scene.session(account, &role, "i-0123456789abcdef0");
            scene.report(account, &role, &session, json!({}));
            scene.report(account, &role, &session, json!({"region": OTHER}));
            scene.thief(&session)
        })
        .collect();
    scene.run_once().counts(json!({"revoked": 12, "skipped": 12}));
    thieves.iter().for_each(Thief::is_denied);
    assert_eq!(scene.calls_of("PutRolePolicy").len(), 12);
}

#[test]
fn observing_changes_nothing_and_the_backlog_can_be_taken_up() {
    let scene = Scene::new();
    scene.configure("");
    let (thief, finding) = scene.theft(SHOP, "web");
    scene.run_once().counts(json!({"observed": 1})).has_code("mode_observe");
    thief.is_allowed();
    assert_eq!(scene.writes(), 0);
    assert_eq!(scene.decision(&finding)["verdict"], "observe");

    // Enforcing does not act on what was only observed, unless --backlog asks for it.
    scene.configure("mode = \"enforce\"\n");
    scene.rescind(&["plan"]).code(0);
    scene.poll_new().code(5).has_code("mode_observe").counts(json!({"not_revoked": 1, "seen_before": 1}));
    thief.is_allowed();
    scene.poll().code(0).counts(json!({"revoked": 1, "seen_before": 1}));
    thief.is_denied();
}

#[test]
fn a_finding_handed_in_from_a_file_is_acted_on() {
    let scene = Scene::new();
    scene.role(SHOP, "web");
    let session = scene.session(SHOP, "web", "i-0123456789abcdef0");
    let thief = scene.thief(&session);
    let finding = json!({
        "version": "0", "id": "e", "detail-type": "GuardDuty Finding", "source": "aws.guardduty",
        "account": SECURITY, "region": HOME, "resources": [], "detail": {
            "id": "from-a-file", "accountId": SHOP, "region": HOME, "arn": "arn", "schemaVersion": "2.0",
            "type": "UnauthorizedAccess:IAMUser/InstanceCredentialExfiltration.OutsideAWS", "severity": 8,
            "createdAt": jiff::Timestamp::now().to_string(), "updatedAt": jiff::Timestamp::now().to_string(),
            "description": "unicode: \u{1f511} ключ \u{202e}evil",
            "resource": {"resourceType": "AccessKey", "accessKeyDetails": {
                "accessKeyId": session["access_key_id"], "principalId": session["principal_id"],
                "userName": "web", "userType": "AssumedRole"}},
        }
    });
    std::fs::write(scene.path("event.json"), finding.to_string()).expect("written");
    scene.rescind(&["handle", "event.json", "-o", "jsonl"]).code(0).counts(json!({"revoked": 1}));
    thief.is_denied();
    // The envelope's account is where the bus is, not where the role is.
    assert_eq!(scene.decision("from-a-file")["target"]["account"], SHOP);
    let again = scene.handle(finding.to_string().as_bytes());
    again.code(0).counts(json!({"seen_before": 1}));
}

#[test]
fn a_role_with_a_path_and_every_legal_character() {
    let scene = Scene::new();
    let name = format!("a+=,.@_-{}", "z".repeat(56));
    let all =
        json!({"Version": "2012-10-17", "Statement": [{"Effect": "Allow", "Action": "*", "Resource": "*"}]});
    scene.post("roles", &json!({"account": SHOP, "name": name, "path": "/team/a/", "policy": all}));
    let session = scene.session(SHOP, &name, "i-0123456789abcdef0");
    scene.report(SHOP, &name, &session, json!({}));
    let thief = scene.thief(&session);
    thief.is_allowed();
    scene.run_once().counts(json!({"revoked": 1}));
    thief.is_denied();
}

#[test]
fn the_hubs_own_account_and_the_management_account_can_be_affected() {
    let scene = Scene::with(Setting { management_member_role: true, ..Setting::default() });
    let (here, _) = scene.theft(SECURITY, "scanner");
    let (there, _) = scene.theft(MANAGEMENT, "payer");
    scene.run_once().counts(json!({"revoked": 2}));
    here.is_denied();
    there.is_denied();
}

/// A theft in another partition than `aws`.
fn in_partition(partition: &'static str, regions: [&'static str; 2]) {
    let setting = Setting { partition, regions, detector_regions: regions.to_vec(), ..Setting::default() };
    let scene = Scene::with(setting);
    let (thief, _) = scene.theft(SHOP, "web");
    scene.run_once().counts(json!({"revoked": 1}));
    thief.is_denied();
    let arn = scene.calls_of("AssumeRole")[0]["params"]["RoleArn"].clone();
    assert_eq!(arn, format!("arn:{partition}:iam::{SHOP}:role/RescindRemediation"));
}

#[test]
fn the_partition_of_china() {
    in_partition("aws-cn", ["cn-north-1", "cn-northwest-1"]);
}

#[test]
fn the_partition_of_govcloud() {
    in_partition("aws-us-gov", ["us-gov-west-1", "us-gov-east-1"]);
}

#[test]
fn the_partition_of_the_european_sovereign_cloud() {
    // The second region is not open yet.
    in_partition("aws-eusc", ["eusc-de-east-1", "eusc-de-west-1"]);
}

#[test]
fn a_remediation_role_with_a_path() {
    let scene = Scene::with(Setting { role_path: "security/", ..Setting::default() });
    let (thief, _) = scene.theft(SHOP, "web");
    scene.run_once().counts(json!({"revoked": 1}));
    thief.is_denied();
}

#[test]
fn what_others_wrote_is_left_alone() {
    let scene = Scene::new();
    let (thief, _) = scene.theft(SHOP, "web");
    let operator = Thief::operator(&scene, SHOP);
    let theirs = r#"{"Version":"2012-10-17","Statement":[{"Effect":"Deny","Action":"s3:*","Resource":"*"}]}"#;
    operator.put_role_policy("web", "AWSRevokeOlderSessions", theirs).expect("put");
    scene.run_once();
    thief.is_denied();
    assert_eq!(operator.role_policy("web", "AWSRevokeOlderSessions").as_deref(), Some(theirs));
}

#[test]
fn a_finding_that_stands_twice_in_a_file_is_one() {
    let scene = Scene::new();
    scene.role(SHOP, "web");
    let session = scene.session(SHOP, "web", "i-0123456789abcdef0");
    let finding = scene.post(
        "findings/exfiltration",
        &json!({"account": SECURITY, "region": HOME, "member": SHOP, "role": "web",
        "principal_id": session["principal_id"], "access_key_id": session["access_key_id"]}),
    )["finding"]
        .to_string();
    let twice = format!("{finding}\n{finding}\n");
    scene.configure("");
    scene.handle(twice.as_bytes()).code(0).counts(json!({"observed": 1, "seen_before": 1}));
    scene.configure("mode = \"enforce\"\n");
    scene.handle(twice.as_bytes()).code(0).counts(json!({"revoked": 1, "seen_before": 2}));
    scene.thief(&session).is_denied();
    assert_eq!(scene.calls_of("PutRolePolicy").len(), 1);
}

#[test]
fn a_removed_deny_is_put_back_when_the_activity_goes_on() {
    let scene = Scene::new();
    let (thief, finding) = scene.theft(SHOP, "web");
    scene.run_once();
    Thief::operator(&scene, SHOP).delete_role_policy("web", POLICY).expect("deleted");
    thief.is_allowed();
    scene.advance_clock(60);
    let now = scene.get("clock")["now"].clone();
    let role = scene.session(SHOP, "web", "i-0123456789abcdef0");
    scene.report(SHOP, "web", &role, json!({"id": finding, "updated_at": now}));
    scene.poll().code(5).counts(json!({"alerts": 1, "revoked": 1}));
    thief.is_denied();
}
