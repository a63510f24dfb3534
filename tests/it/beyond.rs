//! Principals out of reach: a person must act, and rescind says how and waits until they have; and
//! findings about several principals at once.

use crate::scene::{BANK, HOME, SECURITY, SHOP, Scene, Setting, policy};
use crate::screens::Transcript;
use serde_json::{Value, json};

/// A finding about a principal of any kind.
fn finding(scene: &Scene, principal: Value, more: Value) -> String {
    let mut finding = json!({
        "type": "UnauthorizedAccess:IAMUser/InstanceCredentialExfiltration.OutsideAWS", "severity": 8, "accountId": SHOP,
        "resource": {"resourceType": "AccessKey", "accessKeyDetails": principal},
    });
    for (key, value) in more.as_object().expect("an object") {
        finding[key] = value.clone();
    }
    let body = json!({"account": SECURITY, "region": HOME, "findings": [finding]});
    scene.post("findings", &body)["finding_ids"][0].as_str().expect("an id").to_owned()
}

fn sso() -> Value {
    json!({"userType": "AssumedRole", "userName": "AWSReservedSSO_Admin_0123456789abcdef",
        "principalId": "AROAEXAMPLEEXAMPLE01:alice@example.org", "accessKeyId": "ASIAEXAMPLEEXAMPLE01"})
}

#[test]
fn each_is_held_with_what_a_person_must_do() {
    let scene = Scene::new();
    let cases = [
        (sso(), json!({}), "identity_center_role"),
        (
            json!({"userType": "AssumedRole", "userName": "AWSServiceRoleForSupport", "principalId": "AROAEXAMPLEEXAMPLE02:x1"}),
            json!({}),
            "service_linked_role",
        ),
        (json!({"userType": "Root", "userName": "Root", "principalId": SHOP}), json!({}), "root_user"),
        (
            json!({"userType": "FederatedUser", "userName": "bob", "principalId": format!("{SHOP}:bob")}),
            json!({}),
            "federated_user",
        ),
        (
            json!({"userType": "AssumedRole", "userName": "web", "principalId": "AROAEXAMPLEEXAMPLE03:i-1", "accessKeyId": "ASIAEXAMPLEEXAMPLE03"}),
            json!({"accountId": "777777777777"}),
            "unknown_account",
        ),
    ];
    let ids: Vec<String> =
        cases.iter().map(|(who, more, ..)| finding(&scene, who.clone(), more.clone())).collect();
    scene.poll().code(5).counts(json!({"alerts": 5, "manual": 5}));
    let mut screens = Transcript::new(&scene);
    for ((_, _, code), id) in cases.iter().zip(&ids) {
        let decision = scene.decision(id);
        assert_eq!((&decision["verdict"], &decision["code"]), (&json!("hold"), &json!(code)));
        screens.note(code, decision["what_to_do"].as_str().expect("a text"));
        // The principal decides, or the account; the mode does not.
        let checks = decision["checks"].as_array().expect("checks");
        let decided: Vec<_> = checks.iter().filter(|check| check["decided"] == true).collect();
        let check = if *code == "unknown_account" { "account" } else { "principal" };
        assert_eq!((decided.len(), &decided[0]["check"]), (1, &json!(check)), "{decision}");
    }
    screens.is("unsupported_principals");
    assert_eq!(scene.writes(), 0);
    let alerts = scene.entries_of("alert");
    assert_eq!(alerts.iter().filter(|alert| alert["data"]["code"] == "by_hand").count(), 5);
}

#[test]
fn it_waits_until_a_person_says_that_it_is_done() {
    let scene = Scene::new();
    let id = finding(&scene, sso(), json!({}));
    scene.poll().code(5);
    let remediation = scene.rescind(&["list", "-o", "jsonl"]).code(0).json()[0]["remediation"].clone();
    let remediation = remediation.as_str().expect("an id");
    let signed = ["--by", "alice", "--reason", "SCP attached"];
    scene.rescind(&[&["approve", remediation], &signed[..]].concat()).code(2);
    assert!(scene.entries_of("approved").is_empty());
    // The same session again: asked once.
    let now = scene.get("clock")["now"].clone();
    let again = finding(&scene, sso(), json!({"updatedAt": now, "service": {"eventLastSeen": now}}));
    scene.poll().code(5);
    assert_eq!(scene.decision(&again)["code"], "awaiting_approval");

    scene.rescind(&[&["done", remediation], &signed[..]].concat()).code(0);
    let shown = scene.shown(remediation)["remediation"].clone();
    assert_eq!(
        (&shown["state"], &shown["answer"]["reason"]),
        (&json!("done_by_hand"), &json!("SCP attached"))
    );
    let report = scene.rescind(&["report", "-o", "json"]).code(0).json_document();
    let part = &report["summary"]["by_account"][SHOP];
    assert_eq!((&part["acted"], &part["not_acted"]), (&json!(0), &json!(0)), "{part}");
    // What was seen before that is over; what comes after is not.
    scene.advance_clock(60);
    let now = scene.get("clock")["now"].clone();
    let later = finding(&scene, sso(), json!({"updatedAt": now, "service": {"eventLastSeen": now}}));
    let early =
        finding(&scene, sso(), json!({"service": {"eventLastSeen": scene.decision(&id)["last_seen"]}}));
    scene.poll().code(5);
    assert_eq!(scene.decision(&early)["code"], "done_by_hand");
    assert_eq!(scene.decision(&later)["code"], "identity_center_role");
    scene.rescind(&["ledger", "verify"]).code(0);
}

#[test]
fn time_does_not_end_it() {
    let scene = Scene::new();
    finding(&scene, sso(), json!({}));
    scene.poll().code(5).counts(json!({"alerts": 1, "manual": 1}));
    let id = scene.rescind(&["list", "-o", "jsonl"]).code(0).json()[0]["remediation"].clone();
    let id = id.as_str().expect("an id");
    // As if the time had passed.
    scene.configure("mode = \"enforce\"\napproval_timeout = \"1ms\"\n");
    scene.poll().code(5).counts(json!({"manual": 1, "seen_before": 1}));
    assert_eq!(scene.shown(id)["remediation"]["state"], "held");
    assert!(scene.entries_of("rejected").is_empty());
    let status = scene.rescind(&["status", "-o", "jsonl"]).code(5).json().remove(0);
    let unfinished = &status["unfinished"][0];
    assert_eq!((&unfinished["remediation"], &unfinished["answer_by"]), (&json!(id), &Value::Null));
    // A person may judge that there is nothing to do.
    scene.rescind(&["reject", id, "--by", "alice", "--reason", "a drill"]).code(0);
    scene.poll().code(0);
    assert_eq!(scene.shown(id)["remediation"]["state"], "rejected");
}

#[test]
fn what_rescind_can_do_is_not_done_by_hand() {
    let scene = Scene::new();
    scene.configure("mode = \"approve\"\n");
    let (thief, finding) = scene.theft(SHOP, "web");
    scene.poll().code(5);
    let shown = scene.rescind(&["done", &finding, "--by", "a", "--reason", "b"]);
    shown.code(2);
    thief.is_allowed();
}

#[test]
fn observing_asks_nobody() {
    let scene = Scene::new();
    scene.configure("");
    let id = finding(&scene, sso(), json!({}));
    scene.run_once().counts(json!({"observed": 1}));
    assert_eq!(scene.decision(&id)["verdict"], "observe");
}

const SEQUENCES: &str = "mode = \"enforce\"\n[[rules]]\nname = \"sequences\"\ntypes = [\"AttackSequence:IAM/CompromisedCredentials\"]\nremedy = [\"role_sessions\", \"user_keys\"]\n";

/// One finding about a role and a user in two accounts, and a third actor out of reach.
#[test]
fn each_actor_of_an_attack_sequence_is_a_target_of_its_own() {
    let mut setting = Setting::default();
    let users = policy("member-role-users.json")["Statement"].clone();
    let statements = setting.member_policy["Statement"].as_array_mut().expect("statements");
    statements.extend(users.as_array().expect("statements").clone());
    let scene = Scene::with(setting);
    scene.configure(SEQUENCES);
    scene.role(SHOP, "web");
    let session = scene.session(SHOP, "web", "i-0123456789abcdef0");
    let all =
        json!({"Version": "2012-10-17", "Statement": [{"Effect": "Allow", "Action": "*", "Resource": "*"}]});
    let user = scene.post("users", &json!({"account": BANK, "name": "alice", "policy": all, "keys": 1}));
    let key = &user["access_keys"][0];
    let (of_role, of_user) = (scene.thief(&session), scene.thief(key));
    of_role.is_allowed();
    of_user.is_allowed();
    let sequence = scene.post(
        "findings/attack-sequence",
        &json!({"account": SECURITY, "region": HOME, "member": SHOP, "actors": [
            {"account": SHOP, "role": "web", "principal_id": session["principal_id"], "access_key_id": session["access_key_id"]},
            {"account": BANK, "user": "alice", "principal_id": user["user_id"], "access_key_id": key["access_key_id"]},
        ]}),
    );
    let id = sequence["finding_id"].as_str().expect("an id");
    let planned = scene.rescind(&["plan", "-o", "jsonl"]).code(0).json();
    let arns: Vec<_> = planned.iter().map(|one| one["change"]["arn"].as_str().expect("an ARN")).collect();
    assert_eq!(arns, ["arn:aws:iam::222222222222:role/web", "arn:aws:iam::333333333333:user/alice"]);
    scene.run_once().counts(json!({"revoked": 2}));
    of_role.is_denied();
    assert_eq!(of_user.list_users(), Err("InvalidClientTokenId".to_owned()));
    let decisions: Vec<Value> =
        scene.entries_of("decision").into_iter().filter(|entry| entry["finding"] == id).collect();
    assert_eq!(decisions.len(), 2);
    assert_ne!(decisions[0]["remediation"], decisions[1]["remediation"]);
    // The next poll finds nothing new.
    scene.run_once().counts(json!({"seen_before": 2}));
    scene.rescind(&["ledger", "verify"]).code(0);
}

#[test]
fn without_a_rule_a_sequence_waits_for_approval() {
    let scene = Scene::new();
    scene.role(SHOP, "web");
    let session = scene.session(SHOP, "web", "i-0123456789abcdef0");
    let thief = scene.thief(&session);
    scene.post(
        "findings/attack-sequence",
        &json!({"account": SECURITY, "region": HOME, "member": SHOP, "actors": [
            {"account": SHOP, "role": "web", "principal_id": session["principal_id"], "access_key_id": session["access_key_id"]},
        ]}),
    );
    scene.poll().code(5).counts(json!({"held": 1}));
    thief.is_allowed();
    let remediation = scene.rescind(&["list", "-o", "jsonl"]).code(0).json()[0]["remediation"].clone();
    let remediation = remediation.as_str().expect("an id");
    scene.rescind(&["approve", remediation, "--by", "alice", "--reason", "real"]).code(0);
    scene.run_once().counts(json!({"revoked": 1, "seen_before": 1}));
    thief.is_denied();
}

/// A sequence about instances, as GuardDuty reports it: it names an instance profile, and no credentials.
fn of_instances(scene: &Scene, kind: &str, resources: Value) -> String {
    let id = format!("sequence-{}", kind.len());
    let finding = json!({
        "id": id, "type": kind, "severity": 9, "accountId": SHOP, "resource": {"resourceType": "AttackSequence"},
        "service": {"detection": {"sequence": {"uid": "s", "description": "d", "signals": [], "actors": [], "resources": resources}}},
    });
    scene.post("findings", &json!({"account": SECURITY, "region": HOME, "findings": [finding]}));
    id
}

#[test]
fn the_role_of_an_attacked_instance_is_asked_about_with_how_it_was_found() {
    for rule in ["", "[[rules]]\nname = \"all\"\ntypes = [\"AttackSequence:*\"]\n"] {
        let scene = Scene::new();
        scene.configure(&format!("mode = \"enforce\"\n{rule}"));
        scene.role(SHOP, "web");
        let thief = scene.thief(&scene.session(SHOP, "web", "i-0123456789abcdef0"));
        let profile = json!([{
            "uid": format!("arn:aws:iam::{SHOP}:instance-profile/web"), "name": "web", "accountId": SHOP,
            "resourceType": "IAM_INSTANCE_PROFILE",
            "data": {"iamInstanceProfile": {"ec2InstanceUids": ["i-0123456789abcdef0", "i-0bbbbbbbbbbbbbbbb"]}},
        }]);
        let id = of_instances(&scene, "AttackSequence:EC2/CompromisedInstanceGroup", profile);
        scene.poll().code(5).counts(json!({"held": 1}));
        let decision = scene.decision(&id);
        assert_eq!((&decision["verdict"], &decision["code"]), (&json!("hold"), &json!("principal_inferred")));
        let reason = decision["reason"].as_str().expect("a reason");
        assert!(
            reason.contains("instance profile \"web\"") && reason.contains("i-0bbbbbbbbbbbbbbbb"),
            "{reason}"
        );
        thief.is_allowed();
        let listed = scene.rescind(&["list", "-o", "jsonl"]).code(0).json();
        let remediation = listed[0]["remediation"].as_str().expect("an id");
        scene.rescind(&["approve", remediation, "--by", "alice", "--reason", "it has that role"]).code(0);
        scene.run_once().counts(json!({"revoked": 1, "seen_before": 1}));
        thief.is_denied();
        scene.rescind(&["ledger", "verify"]).code(0);
    }
}

#[test]
fn an_attack_sequence_that_leads_to_no_role_is_held_with_what_is_known() {
    let scene = Scene::new();
    scene.configure("mode = \"enforce\"\n");
    let task = format!("arn:aws:ecs:{HOME}:{SHOP}:task-definition/shop:7");
    let resources = json!([{"uid": "task", "name": "task", "accountId": SHOP, "resourceType": "ECS_TASK",
        "data": {"ecsTask": {"taskDefinitionArn": task}}}]);
    let id = of_instances(&scene, "AttackSequence:ECS/CompromisedCluster", resources);
    scene.poll().code(5).counts(json!({"manual": 1}));
    let decision = scene.decision(&id);
    assert_eq!((&decision["verdict"], &decision["code"]), (&json!("hold"), &json!("principal_unclear")));
    assert!(decision["reason"].as_str().is_some_and(|reason| reason.contains(&task)), "{decision}");
    assert_eq!(scene.writes(), 0);
}
