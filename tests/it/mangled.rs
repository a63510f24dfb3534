//! Every form of a finding, mangled in every field: each ends in a finding or in a word about what is wrong.

use rescind::finding::{Decoded, Finding, decode};
use serde_json::{Value, json};

const KEY: &str = "ASIAEXAMPLEEXAMPLE00";
const ID: &str = "AROAEXAMPLEEXAMPLE00:i-0abc";
const ARN: &str = "arn:aws:guardduty:eu-central-1:111111111111:detector/d1/finding/f1";
const TYPE: &str = "UnauthorizedAccess:IAMUser/InstanceCredentialExfiltration.OutsideAWS";

fn guardduty() -> Value {
    json!({
        "schemaVersion": "2.0", "accountId": "222222222222", "region": "eu-central-1", "id": "f1", "arn": ARN,
        "type": TYPE, "severity": 8, "createdAt": "2026-11-21T22:00:00.123Z", "updatedAt": "2026-11-21T23:47:00Z",
        "title": "t", "description": "d", "partition": "aws",
        "resource": {"resourceType": "AccessKey", "accessKeyDetails":
            {"accessKeyId": KEY, "principalId": ID, "userName": "web", "userType": "AssumedRole"}},
        "service": {"archived": false, "count": 3, "eventLastSeen": "2026-11-21T23:46:00.5Z",
            "action": {"awsApiCallAction": {"api": "ListBuckets", "serviceName": "s3.amazonaws.com",
                "remoteIpDetails": {"ipAddressV4": "203.0.113.77", "country": {"countryName": "X"}}}},
            "additionalInfo": {"type": "default", "value": "{}"}},
    })
}

fn sequence() -> Value {
    let actor = |id: &str, role: &str| {
        json!({"id": id, "user": {"name": role, "uid": ID, "type": "AssumedRole", "credentialUid": KEY,
            "account": {"uid": "222222222222"}}, "session": {"uid": "s", "issuer": format!("arn:aws:iam::222222222222:role/{role}")}})
    };
    json!({"accountId": "222222222222", "region": "eu-central-1", "id": "s1", "updatedAt": "2026-11-21T23:47:00Z",
        "type": "AttackSequence:IAM/CompromisedCredentials",
        "service": {"detection": {"sequence": {"actors": [actor("a", "web"), actor("b", "api")]}}}})
}

fn asff(product: &str, id: &str) -> Value {
    json!({
        "SchemaVersion": "2018-10-08", "AwsAccountId": "222222222222", "Region": "eu-central-1", "Id": id,
        "ProductArn": format!("arn:aws:securityhub:eu-central-1::product/aws/{}", product.to_lowercase()),
        "ProductName": product, "GeneratorId": "g", "Types": ["TTPs/X"], "UpdatedAt": "2026-11-21T23:47:00Z",
        "Title": "t", "Severity": {"Label": "HIGH"}, "RecordState": "ACTIVE", "Workflow": {"Status": "NEW"},
        "Resources": [
            {"Type": "AwsIamAccessKey", "Id": format!("AWS::IAM::AccessKey:{KEY}"), "Details": {"AwsIamAccessKey": {
                "AccessKeyId": KEY, "AccountId": "222222222222", "PrincipalId": ID, "PrincipalName": "web",
                "PrincipalType": "AssumedRole", "SessionContext": {"SessionIssuer":
                    {"Arn": "arn:aws:iam::222222222222:role/web", "Type": "Role", "UserName": "web"}}}}},
            {"Type": "AwsIamRole", "Id": "arn:aws:iam::222222222222:role/app/job"},
        ],
    })
}

fn ocsf(product: &str, id: &str) -> Value {
    json!({
        "class_uid": 2004, "severity_id": 4, "status_id": 1, "time": 1_795_341_600_000_u64,
        "cloud": {"account": {"uid": "222222222222"}, "region": "eu-central-1"},
        "finding_info": {"uid": id, "title": "t", "types": [TYPE], "modified_time": 1_795_341_600_000_u64,
            "modified_time_dt": "2026-11-22T10:00:00Z", "last_seen_time": 1_795_341_600_000_u64},
        "metadata": {"product": {"name": product,
            "uid": format!("arn:aws:securityhub:eu-central-1::productv2/aws/{}", product.to_lowercase())}},
        "resources": [{"type": "AWS::IAM::AccessKey", "uid": KEY, "owner": {"account": {"uid": "222222222222"}}, "data":
            {"access_key_id": KEY, "principal_id": ID, "user_name": "web", "user_type": "AssumedRole"}}],
        "evidences": [{"actor": {"user": {"uid": ID, "type": "AssumedRole", "credential_uid": KEY, "name": "api"},
            "session": {"issuer": "arn:aws:iam::222222222222:role/api"}}}],
    })
}

fn event(kind: &str, source: &str, detail: &Value) -> Value {
    json!({"version": "0", "id": "e", "detail-type": kind, "source": source, "account": "111111111111",
        "time": "2026-11-21T23:50:00Z", "region": "eu-central-1", "resources": [], "detail": detail})
}

fn forms() -> Vec<(&'static str, Value)> {
    let hub = |kind: &str, findings: &[Value]| event(kind, "aws.securityhub", &json!({"findings": findings}));
    let sns = |inner: &Value| json!({"Type": "Notification", "TopicArn": "t", "Message": inner.to_string()});
    vec![
        ("bare", guardduty()),
        ("answer", json!({"findings": [guardduty(), sequence()]})),
        ("event", event("GuardDuty Finding", "aws.guardduty", &guardduty())),
        ("sequence", event("GuardDuty Finding", "aws.guardduty", &sequence())),
        ("asff", hub("Security Hub Findings - Imported", &[asff("GuardDuty", ARN)])),
        (
            "two products",
            hub("Security Hub Findings - Custom Action", &[asff("Macie", "m"), asff("GuardDuty", ARN)]),
        ),
        ("ocsf", hub("Findings Imported V2", &[ocsf("GuardDuty", ARN)])),
        ("another's ocsf", hub("Findings Imported V2", &[ocsf("Detector", "x")])),
        ("sns", sns(&hub("Findings Imported V2", &[ocsf("GuardDuty", ARN)]))),
        ("sqs", json!({"Messages": [{"MessageId": "m", "Body": sns(&guardduty()).to_string()}]})),
    ]
}

/// The paths of everything in a value, itself left out.
fn paths(value: &Value, at: &str, all: &mut Vec<String>) {
    let inner: Vec<(String, &Value)> = match value {
        Value::Object(object) => {
            object.iter().map(|(key, value)| (key.replace('~', "~0").replace('/', "~1"), value)).collect()
        }
        Value::Array(items) => {
            items.iter().enumerate().map(|(number, item)| (number.to_string(), item)).collect()
        }
        _ => return,
    };
    for (key, value) in inner {
        let path = format!("{at}/{key}");
        paths(value, &path, all);
        all.push(path);
    }
}

/// What stands there instead.
fn mangles(real: &Value) -> Vec<Value> {
    let text = real.as_str().unwrap_or("x");
    let deep = (0..60).fold(real.clone(), |inner, _| json!([inner]));
    vec![
        Value::Null,
        json!(true),
        json!(0),
        json!(-7.5e300),
        json!(222_222_222_222_u64),
        json!(""),
        json!(" "),
        json!("\u{0}\u{202e}\u{1f511}"),
        json!("x".repeat(70_000)),
        json!(format!("{text}/../{text}:{text}")),
        json!(text.to_uppercase()),
        json!([]),
        json!({}),
        json!([real, real]),
        json!({"findings": [real]}),
        json!({"Message": text, "TopicArn": text}),
        deep,
    ]
}

/// It is a finding that can be recorded, or it says what is wrong.
fn is_sound(decoded: &[Decoded], what: &str) {
    assert!(!decoded.is_empty() && decoded.len() < 20, "{what}: {} items", decoded.len());
    for item in decoded {
        match item {
            Ok(finding) => {
                let text = serde_json::to_string(finding).expect("JSON");
                assert_eq!(serde_json::from_str::<Finding>(&text).expect("reads back"), *finding, "{what}");
                assert!(!finding.id.is_empty() && finding.id.len() <= 300, "{what}");
                assert!(!(finding.pointer && finding.product().is_some()), "{what}");
                assert!(text.len() < 200_000, "{what}: {}", text.len());
            }
            Err(undecodable) => {
                assert!(!undecodable.path.is_empty() && !undecodable.error.is_empty(), "{what}");
                let said = undecodable.to_string();
                assert!(said.len() < 3000, "{what}: {}", said.len());
                for rust in ["f64", "u64", "struct", "Option<", "invalid type"] {
                    assert!(!said.contains(rust), "{what}: {said}");
                }
            }
        }
    }
}

#[test]
fn each_form_in_every_field_ends_in_a_finding_or_a_word_about_it() {
    for (name, form) in forms() {
        let whole = decode(form.to_string().as_bytes());
        assert!(whole.iter().all(Result::is_ok), "{name}: {whole:?}");
        let mut all = Vec::new();
        paths(&form, "", &mut all);
        for path in all {
            for odd in mangles(form.pointer(&path).expect("there")) {
                let mut mangled = form.clone();
                *mangled.pointer_mut(&path).expect("there") = odd.clone();
                let said: String = odd.to_string().chars().take(60).collect();
                is_sound(&decode(mangled.to_string().as_bytes()), &format!("{name} {path} = {said}"));
            }
            // And without it.
            let mut without = form.clone();
            let (parent, key) = path.rsplit_once('/').expect("a path");
            match without.pointer_mut(parent).expect("there") {
                Value::Object(object) => drop(object.remove(key)),
                Value::Array(items) => drop(items.remove(key.parse().expect("a number"))),
                _ => unreachable!("it has something in it"),
            }
            is_sound(&decode(without.to_string().as_bytes()), &format!("{name} without {path}"));
        }
    }
}

/// What no decision needs costs nothing, whatever stands there.
#[test]
fn a_field_that_decides_nothing_never_costs_the_finding() {
    let needed = [
        "/accountId",
        "/id",
        "/updatedAt",
        "/type",
        "/resource",
        "/resource/accessKeyDetails",
        "/resource/accessKeyDetails/accessKeyId",
        "/resource/accessKeyDetails/userName",
        "/resource/accessKeyDetails/userType",
    ];
    let mut all = Vec::new();
    paths(&guardduty(), "", &mut all);
    for path in all.iter().filter(|path| !needed.contains(&path.as_str())) {
        for odd in mangles(guardduty().pointer(path).expect("there")) {
            let mut mangled = guardduty();
            *mangled.pointer_mut(path).expect("there") = odd.clone();
            let decoded = decode(mangled.to_string().as_bytes());
            let Ok(finding) = &decoded[0] else { panic!("{path} = {odd}: {decoded:?}") };
            let principal = finding.principal.as_ref().expect("a principal");
            assert_eq!(
                (finding.id.as_str(), principal.user_name.as_deref()),
                ("f1", Some("web")),
                "{path} = {odd}"
            );
        }
    }
}

/// An id that is none casts doubt on the role, and a person is asked; the theft is not lost.
#[test]
fn an_odd_principal_id_is_a_doubt() {
    for odd in
        [json!(7), json!({}), json!(["a"]), json!(true), json!("nobody"), json!("AIDAEXAMPLEEXAMPLE00")]
    {
        let mut finding = guardduty();
        finding["resource"]["accessKeyDetails"]["principalId"] = odd.clone();
        let finding = decode(finding.to_string().as_bytes()).remove(0).expect("a finding");
        let role = finding.principal.as_ref().expect("a principal").role(&finding.account).expect("a role");
        assert!(role.name.as_str() == "web" && role.doubt.is_some(), "{odd}: {role:?}");
        assert_eq!(finding.notes.is_empty(), odd.is_string(), "{odd}");
    }
}

#[test]
fn long_and_deep_input_has_an_end() {
    let mut long = guardduty();
    long["description"] = json!("x".repeat(10 << 20));
    let decoded = decode(long.to_string().as_bytes());
    let finding = decoded[0].as_ref().expect("a finding");
    assert!(decoded.len() == 1 && finding.detail.is_none());
    let mut hub = asff("Macie", "m");
    hub["Description"] = json!("x".repeat(10 << 20));
    let decoded = decode(hub.to_string().as_bytes());
    assert!(
        decoded.len() == 2 && decoded.iter().flatten().all(|finding| finding.detail.is_none()),
        "{}",
        decoded.len()
    );
    // Many findings of others, and one of GuardDuty's behind them.
    let mut many = vec![asff("Inspector", "i"); 4000];
    for one in &mut many {
        one["Resources"] = json!([]);
    }
    many.push(asff("GuardDuty", ARN));
    let event = event("Security Hub Findings - Imported", "aws.securityhub", &json!({"findings": many}));
    let decoded = decode(event.to_string().as_bytes());
    assert_eq!(decoded.iter().map(Result::is_ok).collect::<Vec<_>>(), [false, true]);
    let lines: Vec<String> = many.iter().map(|one| one.to_string() + "\n").collect();
    let decoded = decode(lines.concat().as_bytes());
    assert_eq!(decoded.iter().map(Result::is_ok).collect::<Vec<_>>(), [false, true]);
    for wraps in [3, 7, 8, 9] {
        let wrapped = (0..wraps).fold(
            guardduty(),
            |inner, _| json!({"Type": "Notification", "TopicArn": "t", "Message": inner.to_string()}),
        );
        let decoded = decode(wrapped.to_string().as_bytes());
        assert!(decoded.len() == 1 && decoded[0].is_ok() == (wraps <= 8), "{wraps}: {decoded:?}");
    }
    for deep in ["[".repeat(200_000), "{\"detail\":".repeat(100_000), "{\"findings\":[".repeat(50_000)] {
        is_sound(&decode(deep.as_bytes()), "deep");
    }
}

/// What EventBridge, Lambda and people's tools make of an event.
#[test]
fn an_event_of_which_a_part_is_left_is_read() {
    let whole = event("GuardDuty Finding", "aws.guardduty", &guardduty());
    let mut replayed = whole.clone();
    replayed["replay-name"] = json!("r");
    let mut part = whole.clone();
    part.as_object_mut().expect("an object").remove("detail-type");
    let mut without_service = whole.clone();
    without_service["detail"].as_object_mut().expect("an object").remove("service");
    let destination = json!({"version": "1.0", "requestContext": {"condition": "Success"}, "requestPayload": whole,
        "responsePayload": {}});
    let piped = json!([{"messageId": "m", "receiptHandle": "r", "body": whole.to_string(), "eventSource": "aws:sqs"}]);
    for form in [replayed, part, without_service, destination, piped] {
        let decoded = decode(form.to_string().as_bytes());
        assert!(
            decoded.len() == 1 && decoded[0].as_ref().is_ok_and(|finding| finding.id == "f1"),
            "{form}: {decoded:?}"
        );
    }
}
