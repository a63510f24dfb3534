//! Every reason for which nothing is done: recorded, and nothing is changed.

use crate::scene::{CLOSED, HOME, SECURITY, SHOP, Scene};
use serde_json::{Value, json};

fn time(hours_ago: i64) -> String {
    (jiff::Timestamp::now() - jiff::SignedDuration::from_hours(hours_ago)).to_string()
}

/// A finding that would be acted on, but for what `more` changes.
fn finding(id: &str, more: &Value) -> Value {
    let mut finding = json!({
        "id": id, "accountId": SHOP, "region": HOME, "arn": "arn", "schemaVersion": "2.0", "severity": 8.0,
        "type": "UnauthorizedAccess:IAMUser/InstanceCredentialExfiltration.OutsideAWS",
        "createdAt": time(0), "updatedAt": time(0), "title": "Credentials used", "description": "d",
        "resource": {"resourceType": "AccessKey", "accessKeyDetails": {
            "accessKeyId": "ASIAEXAMPLEEXAMPLE00", "principalId": "AROAEXAMPLEEXAMPLE00:i-0123456789abcdef0",
            "userName": "web", "userType": "AssumedRole"}},
        "service": {"archived": false, "count": 1},
    });
    merge(&mut finding, more);
    finding
}

fn merge(base: &mut Value, more: &Value) {
    for (key, value) in more.as_object().expect("an object") {
        match (base.get_mut(key), value) {
            (Some(there @ Value::Object(_)), Value::Object(_)) => merge(there, value),
            _ => base[key] = value.clone(),
        }
    }
}

fn principal(user_type: &str, name: &str) -> Value {
    json!({"resource": {"accessKeyDetails": {"userType": user_type, "userName": name}}})
}

#[test]
fn each_with_its_reason() {
    let scene = Scene::new();
    let role = scene.role(SHOP, "web");
    let cases = [
        ("sample", "sample", json!({"service": {"additionalInfo": {"sample": true}}})),
        (
            "sample-api",
            "sample",
            json!({"service": {"additionalInfo": {"type": "default", "value": "{\"sample\":true}"}}}),
        ),
        ("sample-title", "sample", json!({"title": "[SAMPLE] x"})),
        ("archived", "archived", json!({"service": {"archived": true}})),
        ("other-type", "other_type", json!({"type": "Recon:IAMUser/MaliciousIPCaller"})),
        (
            "type-like",
            "other_type",
            json!({"type": "UnauthorizedAccess:IAMUser/InstanceCredentialExfiltratio"}),
        ),
        ("no-principal", "no_principal", json!({"resource": {"accessKeyDetails": null}})),
        ("user", "not_a_role", principal("IAMUser", "web")),
        ("root", "root_user", principal("Root", "web")),
        ("federated", "federated_user", principal("FederatedUser", "web")),
        ("account", "not_a_role", principal("AWSAccount", "web")),
        ("service", "not_a_role", principal("AWSService", "web")),
        ("saml", "not_a_role", principal("SAMLUser", "web")),
        ("instance", "instance_identity", principal("AssumedRole", "aws:ec2-instance")),
        ("linked", "service_linked_role", principal("AssumedRole", "AWSServiceRoleForSupport")),
        ("sso", "identity_center_role", principal("AssumedRole", "AWSReservedSSO_Admin_0123456789abcdef")),
        ("own-member", "own_role", principal("AssumedRole", "RescindRemediation")),
        ("own-case", "own_role", principal("AssumedRole", "rescindREMEDIATION")),
        ("elsewhere", "unknown_account", json!({"accountId": "123456789012"})),
        ("suspended", "account_not_active", json!({"accountId": CLOSED})),
        ("old", "too_old", json!({"updatedAt": time(25)})),
        ("old-activity", "too_old", json!({"service": {"eventLastSeen": time(30)}})),
    ];
    let own_hub = finding(
        "own-hub",
        &json!({"accountId": SECURITY, "resource": {"accessKeyDetails": {"userName": "RescindHub"}}}),
    );
    let mut lines: Vec<String> = cases.iter().map(|(id, _, more)| finding(id, more).to_string()).collect();
    lines.push(own_hub.to_string());
    std::fs::write(scene.path("findings.jsonl"), lines.join("\n")).expect("written");

    let ran = scene
        .rescind(&["handle", "findings.jsonl", "-o", "jsonl"])
        .code(5)
        .counts(json!({"alerts": 8, "manual": 6, "need_person": 3, "skipped": 17}));
    for (id, code, _) in &cases {
        let decision = scene.decision(id);
        // Out of reach: a person is asked.
        let out_of_reach = ["root", "federated", "linked", "sso", "elsewhere", "instance"].contains(id);
        let verdict = json!(if out_of_reach { "hold" } else { "skip" });
        assert_eq!((&decision["verdict"], &decision["code"]), (&verdict, &json!(code)), "{id}");
        assert!(decision["reason"].as_str().is_some_and(|reason| reason.len() > 10), "{id}: {decision}");
        assert!(out_of_reach || ran.out.contains(id), "{id} is not in the output");
    }
    assert_eq!(scene.decision("own-hub")["code"], "own_role");
    // Where only a person can act, the record says how.
    let to_do = |id: &str| scene.decision(id)["what_to_do"].as_str().map(str::to_owned);
    assert!(to_do("linked").is_some_and(|text| text.contains("SCP")));
    assert!(to_do("own-hub").is_some_and(|text| text.contains("rescind")));
    let sso = to_do("sso").expect("a person must act");
    let policy: serde_json::Value =
        serde_json::from_str(&sso[sso.find('{').expect("a policy")..]).expect("JSON");
    assert_eq!(
        policy["Statement"][0]["Condition"]["StringEquals"]["aws:userid"],
        "AROAEXAMPLEEXAMPLE00:i-0123456789abcdef0"
    );
    assert_eq!(to_do("old"), None);
    // Nobody reads decisions at night: that its own roles are stolen is an alert.
    let alerts = scene.entries_of("alert");
    let alerts: Vec<_> = alerts.iter().filter(|alert| alert["data"]["code"] == "own_role_stolen").collect();
    assert!(alerts.len() >= 2, "{alerts:?}");
    assert!(alerts[0]["data"]["what_to_do"].as_str().is_some_and(|text| text.contains("rescind")));
    assert_eq!(scene.writes(), 0);
    assert_eq!(scene.calls_of("AssumeRole").len(), 0);

    // The same finding without any of these is acted on: none of the above was skipped for
    // another reason.
    let id =
        json!({"resource": {"accessKeyDetails": {"principalId": format!("{role}:i-0123456789abcdef0")}}});
    let real = finding("real", &id).to_string();
    scene.handle(real.as_bytes()).code(0).counts(json!({"revoked": 1}));
    let covered = finding("covered", &id).to_string();
    scene.handle(covered.as_bytes()).code(0).counts(json!({"skipped": 1}));
    assert_eq!(scene.decision("covered")["code"], "already_revoked");
}

/// The caller's account belongs to somebody else.
pub fn not_affiliated() -> serde_json::Value {
    let remote = json!({"accountId": "123456789012", "affiliated": false});
    json!({"service": {"action": {"awsApiCallAction": {"remoteAccountDetails": remote}}}})
}

#[test]
fn the_finding_types_that_are_acted_on() {
    for kind in [
        "InstanceCredentialExfiltration",
        "InstanceCredentialExfiltration.OutsideAWS",
        "InstanceCredentialExfiltration.InsideAWS",
        "ResourceCredentialExfiltration.OutsideAWS",
        "ResourceCredentialExfiltration.InsideAWS",
        // One that GuardDuty does not have yet.
        "InstanceCredentialExfiltration.OutsideOrg",
    ] {
        let scene = Scene::new();
        scene.role(SHOP, "web");
        let session = scene.session(SHOP, "web", "i-0123456789abcdef0");
        let kind = format!("UnauthorizedAccess:IAMUser/{kind}");
        scene.report(SHOP, "web", &session, json!({"type": kind, "overrides": not_affiliated()}));
        scene.run_once().counts(json!({"revoked": 1}));
        scene.thief(&session).is_denied();
    }
}
