//! Findings in every shape in which they travel.

use flate2::write::GzEncoder;
use proptest::prelude::*;
use rescind::finding::{Decoded, Finding, UserType, decode};
use serde_json::{Value, json};
use std::fmt::Write as _;
use std::io::Write;

fn bare() -> Value {
    json!({
        "schemaVersion": "2.0", "accountId": "222222222222", "region": "eu-central-1", "partition": "aws",
        "id": "f1", "arn": "arn:aws:guardduty:eu-central-1:111111111111:detector/d/finding/f1",
        "type": "UnauthorizedAccess:IAMUser/InstanceCredentialExfiltration.OutsideAWS", "severity": 8,
        "createdAt": "2026-11-21T22:00:00.123Z", "updatedAt": "2026-11-21T23:47:00Z",
        "title": "Credentials used from an external IP address.", "description": "ключ \u{1f511}",
        "resource": {
            "resourceType": "AccessKey",
            "accessKeyDetails": {
                "accessKeyId": "ASIAEXAMPLEEXAMPLE00", "principalId": "AROAEXAMPLEEXAMPLE00:i-0abc",
                "userName": "web", "userType": "AssumedRole"
            },
        },
        "service": {
            "serviceName": "guardduty", "detectorId": "d", "archived": false, "count": 3,
            "eventFirstSeen": "2026-11-21T22:00:00Z", "eventLastSeen": "2026-11-21T23:46:00.5Z",
            "action": {"actionType": "AWS_API_CALL", "awsApiCallAction": {
                "api": "ListBuckets", "serviceName": "s3.amazonaws.com", "errorCode": "AccessDenied",
                "remoteIpDetails": {"ipAddressV4": "203.0.113.77", "country": {"countryName": "Exampleland"},
                    "organization": {"asn": "64496", "asnOrg": "Docs", "isp": "Docs", "org": "Docs"},
                    "city": {"cityName": "X"}, "geoLocation": {"lat": 1.5, "lon": 0}},
                "remoteAccountDetails": {"accountId": "333333333333", "affiliated": true}}},
            "additionalInfo": {"type": "default", "value": "{}"},
        },
    })
}

fn event() -> Value {
    json!({"version": "0", "id": "e", "detail-type": "GuardDuty Finding", "source": "aws.guardduty",
        "account": "111111111111", "time": "2026-11-21T23:50:00Z", "region": "us-east-1", "resources": [], "detail": bare()})
}

fn sns(inner: &Value) -> Value {
    json!({"Type": "Notification", "MessageId": "m", "TopicArn": "arn:aws:sns:eu-central-1:111111111111:t",
        "Message": inner.to_string(), "Timestamp": "2026-11-21T23:50:00Z"})
}

fn pascal(value: &Value) -> Value {
    match value {
        Value::Object(object) => object
            .iter()
            .map(|(key, value)| (key[..1].to_uppercase() + &key[1..], pascal(value)))
            .collect::<serde_json::Map<_, _>>()
            .into(),
        Value::Array(items) => items.iter().map(pascal).collect(),
        other => other.clone(),
    }
}

fn gzip(bytes: &[u8]) -> Vec<u8> {
    let mut encoder = GzEncoder::new(Vec::new(), flate2::Compression::fast());
    encoder.write_all(bytes).expect("in memory");
    encoder.finish().expect("in memory")
}

#[track_caller]
fn only(bytes: &[u8]) -> Finding {
    let mut decoded = decode(bytes);
    assert_eq!(decoded.len(), 1, "{decoded:?}");
    decoded.remove(0).expect("a finding")
}

fn same(mut finding: Finding) -> Finding {
    finding.sha256.clear();
    finding
}

#[test]
fn one_finding_in_every_wrapping_is_the_same_finding() {
    let wanted = same(only(bare().to_string().as_bytes()));
    let sqs = |body: &Value| json!({"Messages": [{"MessageId": "m", "Body": body.to_string(), "ReceiptHandle": "h"}]});
    let lambda = |body: &Value| json!({"Records": [{"messageId": "m", "body": body.to_string(), "eventSource": "aws:sqs"}]});
    for (name, wrapped) in [
        ("API", json!({"findings": [bare()]})),
        ("CLI", json!({"Findings": [pascal(&bare())]})),
        ("bare pascal", pascal(&bare())),
        ("event", event()),
        ("SNS around an event", sns(&event())),
        ("SNS around a finding", sns(&bare())),
        ("SNS in Lambda", json!({"Records": [{"EventSource": "aws:sns", "Sns": sns(&event())}]})),
        ("SQS around an event", sqs(&event())),
        ("SQS around SNS around an event", sqs(&sns(&event()))),
        ("SQS message", json!({"messageId": "m", "body": event().to_string()})),
        ("SQS in Lambda", lambda(&sns(&event()))),
        ("list", json!([bare()])),
    ] {
        assert_eq!(same(only(wrapped.to_string().as_bytes())), wanted, "{name}");
        let pretty = serde_json::to_vec_pretty(&wrapped).expect("JSON");
        assert_eq!(same(only(&pretty)), wanted, "{name}, pretty");
        assert_eq!(same(only(&gzip(&pretty))), wanted, "{name}, gzipped");
    }
    // Several in one message, of which one is cut off.
    for wrapped in [sqs(&event()), sns(&event())] {
        let body = event().to_string();
        let inner = serde_json::to_string(&body).expect("JSON");
        let several = serde_json::to_string(&format!("{body}\n{body}{{\"id\":")).expect("JSON");
        let items = decode(wrapped.to_string().replacen(&inner, &several, 1).as_bytes());
        assert_eq!(items.iter().flatten().count(), 2);
        assert!(items.len() == 3 && items[2].is_err(), "{items:?}");
    }
    let mut bom = b"\xef\xbb\xbf".to_vec();
    bom.extend(bare().to_string().bytes());
    assert_eq!(same(only(&bom)), wanted);
}

#[test]
fn everything_that_matters_is_decoded() {
    let finding = only(event().to_string().as_bytes());
    // The affected account, and the finding's own region: not the envelope's.
    assert_eq!((finding.account.as_str(), finding.region.as_str()), ("222222222222", "eu-central-1"));
    assert_eq!(finding.updated_at.to_string(), "2026-11-21T23:47:00Z");
    assert_eq!(finding.last_seen().to_string(), "2026-11-21T23:46:00.5Z");
    assert_eq!(finding.occurrence(), r#"["f1","2026-11-21T23:47:00Z","ASIAEXAMPLEEXAMPLE00"]"#);
    let evidence = &finding.evidence;
    assert_eq!(evidence.api.as_deref(), Some("s3:ListBuckets"));
    assert_eq!(evidence.error_code.as_deref(), Some("AccessDenied"));
    assert_eq!(evidence.remote_ip.as_deref(), Some("203.0.113.77"));
    assert_eq!(evidence.remote_account_affiliated, Some(true));
    assert_eq!(evidence.count, Some(3));
    // There are no instanceDetails: the session's name is the instance.
    assert_eq!(evidence.instance_id.as_deref(), Some("i-0abc"));
    let role = finding.principal.expect("a principal").role(&finding.account).expect("a role");
    assert_eq!((role.name.as_str(), role.session.as_deref()), ("web", Some("i-0abc")));
}

#[test]
fn json_lines_lose_only_the_broken_line() {
    let mut second = bare();
    second["id"] = json!("f2");
    let lines = format!("{}\r\n\n{{\"broken\": \n{second}\n\n", bare());
    for bytes in [lines.as_bytes().to_vec(), gzip(lines.as_bytes())] {
        let decoded = decode(&bytes);
        let ids: Vec<Option<&str>> = decoded.iter().map(|d| d.as_ref().ok().map(|f| f.id.as_str())).collect();
        assert_eq!(ids, [Some("f1"), None, Some("f2")]);
        assert_eq!(decoded[1].as_ref().expect_err("broken").path, "line 3");
    }
    // Parts of a multi-member gzip file, as S3 exports are appended.
    let members = [gzip(format!("{}\n", bare()).as_bytes()), gzip(format!("{second}\n").as_bytes())].concat();
    assert_eq!(decode(&members).iter().filter(|d| d.is_ok()).count(), 2);
}

#[test]
fn samples_are_known_by_their_flag_in_both_shapes_and_never_by_a_name() {
    let sample = |change: fn(&mut Value)| {
        let mut finding = bare();
        change(&mut finding);
        only(finding.to_string().as_bytes()).sample
    };
    assert!(!sample(|_| ()));
    assert!(sample(|f| f["service"]["additionalInfo"] = json!({"sample": true})));
    assert!(sample(
        |f| f["service"]["additionalInfo"] = json!({"type": "default", "value": "{\"sample\":true}"})
    ));
    assert!(sample(|f| f["service"]["additionalInfo"] = json!({"value": {"sample": true}})));
    assert!(!sample(|f| f["service"]["additionalInfo"] = json!({"value": "{\"sample\":false}"})));
    assert!(!sample(|f| f["service"]["additionalInfo"] = json!({"value": "not JSON"})));
    // GuardDuty begins the titles of samples so; a name can only stand further in, and has no bracket.
    assert!(sample(|f| f["title"] = json!("[SAMPLE] Credentials")));
    assert!(!sample(|f| f["title"] = json!("Credentials for the role [SAMPLE] were used")));
    // A thief may call a role as samples are called.
    for name in ["userName", "principalId", "accessKeyId"] {
        let mut finding = bare();
        finding["resource"]["accessKeyDetails"][name] = json!("GeneratedFindingUserName");
        assert!(!only(finding.to_string().as_bytes()).sample, "{name}");
    }
}

/// A theft is not lost for a field that decides nothing.
#[test]
fn what_decides_nothing_is_noted_and_the_rest_is_read() {
    let wanted = only(bare().to_string().as_bytes());
    for (pointer, odd) in [
        ("/createdAt", json!("2025-02-25 20:40:06.721")),
        ("/createdAt", json!(1_764_000_000)),
        ("/severity", json!("high")),
        ("/severity", json!("8")),
        ("/title", json!({"text": "x"})),
        ("/service/count", json!(3.0)),
        ("/service/count", json!("many")),
        ("/service/archived", json!("no")),
        ("/service/eventFirstSeen", json!("yesterday")),
        ("/service/eventLastSeen", json!([])),
        ("/service/action", json!([])),
        ("/service/action/awsApiCallAction", json!("call")),
        ("/service/action/awsApiCallAction/remoteIpDetails/country", json!("Exampleland")),
        ("/service/action/awsApiCallAction/remoteIpDetails/organization", json!(7)),
        ("/service/action/awsApiCallAction/remoteAccountDetails", json!("333333333333")),
        ("/service/additionalInfo", json!([])),
        ("/resource/instanceDetails", json!([])),
    ] {
        for wrap in [false, true] {
            let mut value = bare();
            value["resource"]["instanceDetails"] = json!({"instanceId": "i-0abc"});
            *value.pointer_mut(pointer).expect("there") = odd.clone();
            let value = if wrap { pascal(&value) } else { value };
            let finding = only(value.to_string().as_bytes());
            assert_eq!((&finding.principal, &finding.account), (&wanted.principal, &wanted.account));
            assert!(!finding.archived && !finding.sample);
            let said = finding.notes.join("\n");
            for rust in ["f64", "u64", "struct", "invalid type", "Option", "string"] {
                assert!(!said.contains(rust), "{pointer}: {said}");
            }
            let text = serde_json::to_string(&finding).expect("JSON");
            assert_eq!(serde_json::from_str::<Finding>(&text).expect("reads back"), finding);
            let is_understood = [json!(3.0), json!("Exampleland"), json!("8")].contains(&odd)
                || odd == json!([]) && pointer.ends_with("Info");
            assert_eq!(said.is_empty(), is_understood, "{pointer} {odd}: {said}");
        }
    }
    let mut noted = bare();
    noted["createdAt"] = json!("2025-02-25 20:40:06.721");
    let finding = only(noted.to_string().as_bytes());
    assert_eq!(finding.created_at.map(|t| t.to_string()).as_deref(), Some("2025-02-25T20:40:06.721Z"));
    assert!(finding.notes.len() == 1 && finding.notes[0].starts_with("createdAt: "), "{:?}", finding.notes);
    assert_eq!(wanted.notes, Vec::<String>::new());
}

#[test]
fn the_region_is_that_of_the_arn_or_of_the_event_where_the_finding_names_none() {
    let region = |arn: Value, region: Value| {
        let mut event = event();
        event["detail"]["arn"] = arn;
        event["detail"]["region"] = region;
        decode(event.to_string().as_bytes()).remove(0).map(|finding| finding.region.to_string())
    };
    let arn = json!("arn:aws:guardduty:eu-west-1:111111111111:detector/d/finding/f1");
    assert_eq!(region(arn.clone(), json!(null)).as_deref(), Ok("eu-west-1"));
    assert_eq!(region(json!(null), json!(null)).as_deref(), Ok("us-east-1"));
    assert_eq!(region(arn, json!("Frankfurt")).as_deref(), Ok("eu-west-1"));
    // One event's region is not that of what stands behind it.
    let mut none = bare();
    none["region"] = json!(null);
    none["arn"] = json!(null);
    let decoded = decode(json!([event(), none]).to_string().as_bytes());
    assert!(decoded[0].is_ok() && decoded[1].is_err(), "{decoded:?}");
}

#[test]
fn every_user_type() {
    for (text, wanted) in [
        ("Root", UserType::Root),
        ("IAMUser", UserType::IamUser),
        ("AssumedRole", UserType::AssumedRole),
        ("Role", UserType::Role),
        ("FederatedUser", UserType::FederatedUser),
        ("Directory", UserType::Directory),
        ("AWSAccount", UserType::AwsAccount),
        ("AWSService", UserType::AwsService),
        ("SAMLUser", UserType::SamlUser),
        ("WebIdentityUser", UserType::WebIdentityUser),
        ("Unknown", UserType::Unknown),
        ("", UserType::Unknown),
        ("Toaster", UserType::Other("Toaster".to_owned())),
        ("ASSUMED_ROLE", UserType::AssumedRole),
        ("assumed-role", UserType::AssumedRole),
        ("IAM_USER", UserType::IamUser),
    ] {
        let mut finding = bare();
        finding["resource"]["accessKeyDetails"]["userType"] = json!(text);
        let finding = only(finding.to_string().as_bytes());
        let principal = finding.principal.as_ref().expect("a principal");
        assert_eq!(principal.user_type, wanted);
        // What is not named, or unheard of, is a role by its principal id.
        let may_be =
            [UserType::AssumedRole, UserType::Role, UserType::Unknown].contains(&wanted) || text == "Toaster";
        assert_eq!(principal.role(&finding.account).is_ok(), may_be, "{text}");
    }
}

#[test]
fn what_is_missing_or_wrong_is_named() {
    let mut said = String::new();
    let mut error = |what: &str, bytes: &[u8], place: &str| {
        let error = decode(bytes).remove(0).expect_err("undecodable");
        assert_eq!(error.path, place, "{what}: {error}");
        let _ = writeln!(said, "{what}\n    {error}");
    };
    for key in ["id", "updatedAt", "accountId", "type"] {
        let mut finding = bare();
        finding.as_object_mut().expect("an object").remove(key);
        error(&format!("without {key}"), finding.to_string().as_bytes(), "(finding)");
    }
    for (place, value) in [
        ("detail.accountId", json!("1234")),
        ("detail.updatedAt", json!("now")),
        ("detail.resource.accessKeyDetails.userName", json!(7)),
        ("detail.resource.accessKeyDetails", json!([])),
        ("detail.id", json!({})),
        ("detail-type", json!("EC2 State")),
    ] {
        let mut event = event();
        *event.pointer_mut(&format!("/{}", place.replace('.', "/"))).expect("there") = value.clone();
        error(&format!("{place} = {value}"), event.to_string().as_bytes(), place);
    }
    let deep = (0..10).fold(bare(), |inner, _| json!([inner])).to_string();
    for (what, bytes) in [
        ("nothing", &b""[..]),
        ("blanks", b" \n\t "),
        ("a document that is cut", b"{\"detail\": "),
        ("a text", b"\"text\""),
        ("an empty list", b"[]"),
        ("something else", b"{\"a\": 1}"),
        ("a list with a number", b"{\"findings\": [7]}"),
        ("a broken body", b"{\"Records\": [{\"body\": \"{oops\"}]}"),
        ("a gzip file that is cut", &[0x1f, 0x8b, 1, 2, 3]),
        ("ten lists in each other", deep.as_bytes()),
    ] {
        let error = decode(bytes).remove(0).expect_err("undecodable");
        let _ = writeln!(said, "{what}\n    {error}");
    }
    insta::assert_snapshot!(said);
}

proptest! {
    #[test]
    fn no_bytes_make_it_panic(bytes in proptest::collection::vec(any::<u8>(), 0..400)) {
        prop_assert!(!decode(&bytes).is_empty());
    }

    /// One value anywhere in a real event replaced by another: it decodes or is named, once.
    #[test]
    fn no_change_of_a_value_makes_it_panic(index in 0_usize..80, odd in prop_oneof![
        Just(Value::Null), Just(json!(7)), Just(json!(-1.5)), Just(json!("\u{202e}x")), Just(json!([])), Just(json!({})), Just(json!([[{}]])),
    ]) {
        let mut event = event();
        let mut pointers = Vec::new();
        collect(&event, String::new(), &mut pointers);
        *event.pointer_mut(&pointers[index % pointers.len()]).expect("there") = odd;
        let decoded: Vec<Decoded> = decode(event.to_string().as_bytes());
        prop_assert_eq!(decoded.len(), 1);
        if let Ok(finding) = &decoded[0] {
            let text = serde_json::to_string(finding).expect("JSON");
            prop_assert_eq!(&serde_json::from_str::<Finding>(&text).expect("reads back"), finding);
        }
    }
}

fn collect(value: &Value, at: String, out: &mut Vec<String>) {
    match value {
        Value::Object(object) => {
            for (key, value) in object {
                collect(value, format!("{at}/{}", key.replace('/', "~1")), out);
            }
        }
        Value::Array(items) => {
            for (index, value) in items.iter().enumerate() {
                collect(value, format!("{at}/{index}"), out);
            }
        }
        _ => {}
    }
    if !at.is_empty() {
        out.push(at);
    }
}
