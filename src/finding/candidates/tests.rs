use crate::finding::{Confirmed, Decoded, Finding, confirm_among, decode};
use serde_json::{Value, json};

const OWN: &str = "222222222222";
const OTHER: &str = "333333333333";

fn sequence(kind: &str, actors: &Value, resources: &Value) -> Value {
    json!({
        "accountId": OWN, "id": "s1", "region": "eu-central-1", "severity": 9, "type": kind,
        "updatedAt": "2026-11-22T11:00:00.000Z", "resource": {"resourceType": "AttackSequence"},
        "service": {"detection": {"sequence": {"actors": actors, "resources": resources}}},
    })
}

fn of_instances(actors: &Value, resources: &Value) -> Vec<Finding> {
    let finding = sequence("AttackSequence:EC2/CompromisedInstanceGroup", actors, resources);
    decode(finding.to_string().as_bytes()).into_iter().collect::<Result<_, _>>().expect("readable")
}

fn profile(account: &str, name: &str, instances: &[&str]) -> Value {
    let uids: Vec<String> =
        instances.iter().map(|id| format!("arn:aws:ec2:eu-central-1:{account}:instance/{id}")).collect();
    json!({"uid": format!("arn:aws:iam::{account}:instance-profile/apps/{name}"), "name": name, "accountId": account,
        "resourceType": "IAM_INSTANCE_PROFILE", "data": {"iamInstanceProfile": {"ec2InstanceUids": uids}}})
}

fn instance(id: &str, profile: &str) -> Value {
    json!({"uid": format!("arn:aws:ec2:eu-central-1:{OWN}:instance/{id}"), "accountId": OWN, "resourceType": "EC2_INSTANCE",
        "data": {"ec2Instance": {"IamInstanceProfile": {
            "arn": format!("arn:aws:iam::{OWN}:instance-profile/{profile}"), "id": "AIPAEXAMPLE000000001"}}}})
}

fn key(role: &str, session: &str) -> Value {
    json!({"uid": "ASIAEXAMPLE000000001", "name": "ASIAEXAMPLE000000001", "accountId": OWN, "resourceType": "ACCESS_KEY",
        "data": {"accessKey": {"principalId": format!("AROAEXAMPLE000000001:{session}"), "userName": role, "userType": "AssumedRole"}}})
}

fn session(role: &str, session: &str) -> Value {
    json!({"id": "a", "user": {"name": role, "uid": format!("AROAEXAMPLE000000009:{session}"), "type": "AssumedRole",
        "credentialUid": "ASIAEXAMPLE000000009", "account": {"uid": OWN}}})
}

/// Account, role and whether it is inferred, of each.
fn said(findings: &[Finding]) -> Vec<(String, String, bool)> {
    let of = |finding: &Finding| {
        let role = finding.principal.as_ref().expect("a principal").role(&finding.account).expect("a role");
        (finding.account.to_string(), role.name.to_string(), finding.inferred.is_some())
    };
    findings.iter().map(of).collect()
}

fn inferred(account: &str, role: &str) -> (String, String, bool) {
    (account.to_owned(), role.to_owned(), true)
}

#[test]
fn each_instance_profile_leads_to_a_role_once() {
    let resources = json!([
        profile(OWN, "web", &["i-1"]), instance("i-2", "WEB"), profile(OTHER, "batch", &[]),
        {"uid": "vpc-1", "resourceType": "EC2_VPC", "data": {"ec2Vpc": {}}}, "odd", {"data": []},
    ]);
    let found = of_instances(&json!([{"id": "p", "process": {"name": "xmrig"}}]), &resources);
    assert_eq!(said(&found), [inferred(OWN, "web"), inferred(OTHER, "batch")]);
    let how = found[0].inferred.as_deref().expect("how");
    assert!(["\"web\"", "i-1", "i-2"].iter().all(|part| how.contains(part)), "{how}");
    assert_eq!(found[0].evidence.instance_id.as_deref(), Some("i-1"));
    assert_ne!(found[0].occurrence(), found[1].occurrence());
    let text = serde_json::to_string(&found[0]).expect("JSON");
    assert_eq!(serde_json::from_str::<Finding>(&text).expect("reads back"), found[0]);
}

#[test]
fn who_is_named_is_preferred_to_the_profile_of_the_same_instance() {
    let resources = json!([profile(OWN, "web-profile", &["i-1"]), profile(OWN, "batch", &["i-2"])]);
    let named = (OWN.to_owned(), "web".to_owned(), false);
    let found = of_instances(&json!([session("web", "i-1")]), &resources);
    assert_eq!(said(&found), [named.clone(), inferred(OWN, "batch")]);
    // The same role under its own name, of another instance.
    let found = of_instances(&json!([session("web", "i-9")]), &json!([instance("i-1", "web")]));
    assert_eq!(said(&found), [named]);
    // A key among the resources says whose session it is.
    let resources = json!([profile(OWN, "web-profile", &["i-1"]), key("web", "i-1")]);
    let found = of_instances(&json!(null), &resources);
    assert_eq!(said(&found), [inferred(OWN, "web")]);
    let principal = found[0].principal.as_ref().expect("a principal");
    assert_eq!(principal.access_key_id.as_deref(), Some("ASIAEXAMPLE000000001"));
    // A sequence of what was done with credentials names them.
    let finding = sequence(
        "AttackSequence:IAM/CompromisedCredentials",
        &json!([session("web", "i-9")]),
        &json!([profile(OWN, "batch", &[])]),
    );
    assert_eq!(decode(finding.to_string().as_bytes()).len(), 1);
}

#[test]
fn where_other_findings_have_their_instance_a_profile_is_found_too() {
    let mut finding = sequence("AttackSequence:EKS/CompromisedCluster", &json!([]), &json!([]));
    finding["resource"]["instanceDetails"] = json!({"instanceId": "i-1",
        "iamInstanceProfile": {"arn": format!("arn:aws:iam::{OWN}:instance-profile/node"), "id": "AIPAEXAMPLE000000001"}});
    let found: Vec<Finding> = decode(finding.to_string().as_bytes()).into_iter().flatten().collect();
    assert_eq!(said(&found), [inferred(OWN, "node")]);
}

#[test]
fn without_a_role_it_says_what_it_is_about() {
    let task = format!("arn:aws:ecs:eu-central-1:{OWN}:task-definition/shop:7");
    let long = "p".repeat(600);
    for resources in [
        json!([{"uid": "t", "name": "t", "resourceType": "ECS_TASK", "data": {"ecsTask": {"taskDefinitionArn": task}}}]),
        json!([{"uid": "c", "resourceType": "EKS_CLUSTER", "data": {"eksCluster": {"arn": "c"}}}]),
        json!([{"uid": 7, "resourceType": "IAM_INSTANCE_PROFILE"}]),
        json!([{"uid": format!("{long}/x"), "resourceType": "EC2_INSTANCE", "data": {"ec2Instance": {"IamInstanceProfile": "x"}}}]),
        json!("odd"),
        json!(null),
    ] {
        let finding = sequence("AttackSequence:ECS/CompromisedCluster", &json!([]), &resources);
        let [Ok(found)] = &decode(finding.to_string().as_bytes())[..] else { panic!("one") };
        assert!(found.principal.is_none() && !found.actor);
        let why = found.inferred.as_deref().expect("why");
        assert_eq!(why.contains(&task), resources.to_string().contains(&task), "{why}");
    }
}

#[test]
fn each_is_confirmed_by_what_guardduty_says_of_it() {
    let resources = json!([profile(OWN, "web", &[]), profile(OWN, "batch", &[])]);
    let truths = of_instances(&json!([]), &resources);
    let all: Vec<&Finding> = truths.iter().collect();
    for claim in &truths {
        assert_eq!(confirm_among(claim, &all), Some(Ok((claim, Confirmed::Yes))));
    }
    let forged = &of_instances(&json!([]), &json!([profile(OWN, "admin", &[])]))[0];
    assert!(confirm_among(forged, &all).expect("an answer").is_err());
}

#[test]
fn there_is_an_end_to_them() {
    let many: Vec<Value> = (0..500).map(|n| profile(OWN, &format!("p{n}"), &[])).collect();
    let decoded: Vec<Decoded> =
        decode(sequence("AttackSequence:EC2/X", &json!([]), &json!(many)).to_string().as_bytes());
    assert_eq!(decoded.iter().filter(|one| one.is_ok()).count(), 100);
    let error = decoded.last().expect("one").as_ref().expect_err("the rest");
    assert!(error.error.starts_with("more than 100 principals"), "{error}");
}
