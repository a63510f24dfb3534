//! Records that are odd, or full of secrets.

use super::{activity, record};
use crate::trail::TrailRecord;
use crate::trail::meaning::table;
use proptest::prelude::*;
use serde_json::{Map, Value, json};

/// Stands in every text that no row asks for.
const SECRET: &str = "wJalrXUtnFEMI-SECRET-bPxRfiCYEXAMPLEKEY";

/// Puts a value at a path, through objects and lists.
fn put(into: &mut Value, path: &[&str], value: Value) {
    let Some((name, rest)) = path.split_first() else {
        *into = value;
        return;
    };
    let inner = if *name == "*" || name.parse::<usize>().is_ok() {
        if !into.is_array() {
            *into = json!([{"secret": SECRET}]);
        }
        &mut into[0]
    } else {
        if !into.is_object() {
            *into = json!({"secret": SECRET, "password": SECRET});
        }
        &mut into[*name]
    };
    put(inner, rest, value);
}

/// A record with a text at each path that a row has for its names and its object, and with secrets beside them.
fn full(row: usize, call: &str, text: &str) -> Value {
    let row = table().nth(row).expect("a row");
    let (service, name) = call.split_once(':').expect("a call");
    let mut record = record(service, name, secrets(), secrets());
    let paths = row.names.iter().flat_map(|(_, paths)| *paths).chain(row.object);
    for path in paths {
        let path = path.split('.').map(|name| match name {
            "in" => "requestParameters",
            "out" => "responseElements",
            "who" => "userIdentity",
            name => name,
        });
        let path: Vec<&str> = path.collect();
        put(&mut record, &path, json!(text));
    }
    // What rows look at to see what a record means.
    for (name, value) in [
        ("status", json!(if service == "macie2" { "PAUSED" } else { "Active" })),
        ("withDecryption", json!(true)),
        ("enable", json!(false)),
        ("action", json!("ARCHIVE")),
        ("capabilities", json!(["CAPABILITY_IAM"])),
        ("cidrIp", json!("0.0.0.0/0")),
        ("userData", json!(SECRET)),
        ("attributeName", json!("Policy")),
        ("Workflow", json!({"Status": "SUPPRESSED", "secret": SECRET})),
        ("PublicAccessBlockConfiguration", json!({"BlockPublicAcls": false})),
        ("AccessControlPolicy", json!({"secret": SECRET})),
        ("masterUserPassword", json!(SECRET)),
        ("taskDefinition", json!("web:7")),
    ] {
        let sent = &mut record["requestParameters"];
        if sent.get(name).is_none() {
            sent[name] = value;
        }
    }
    record
}

/// Texts in all places where secrets stand in answers and requests.
fn secrets() -> Value {
    json!({
        "secretString": SECRET,
        "secretBinary": SECRET,
        "password": SECRET,
        "newPassword": SECRET,
        "policyDocument": {"Statement": {"Effect": "Allow", "Sid": SECRET, "Resource": SECRET, "Condition": SECRET}},
        "assumeRolePolicyDocument": format!(r#"{{"Statement":[{{"Sid":"{SECRET}"}}]}}"#),
        "policy": SECRET,
        "credentials": {"secretAccessKey": SECRET, "sessionToken": SECRET},
        "accessKey": {"secretAccessKey": SECRET},
        "serviceSpecificCredential": {"servicePassword": SECRET, "serviceCredentialSecret": SECRET},
        "parameters": {"commands": [SECRET]},
        "environment": {"variables": {"TOKEN": SECRET}},
        "keyMaterial": SECRET,
        "passwordData": SECRET,
        "activationCode": SECRET,
        "tokenValue": SECRET,
        "streamUrl": SECRET,
        "tags": [{"key": SECRET, "value": SECRET}],
        "createVolumePermission": {"add": {"items": [{"userId": "444455556666", "secret": SECRET}]}},
        "launchPermission": {"add": {"items": [{"userId": "444455556666", "secret": SECRET}]}},
        "valuesToAdd": ["444455556666"],
        "accountIdsToAdd": ["444455556666"],
        "attributes": {"Policy": SECRET, "secret": SECRET},
        "attributeValue": SECRET,
    })
}

#[test]
fn no_secret_gets_into_an_activity_or_its_door() {
    for (number, row) in table().enumerate() {
        for call in row.calls {
            let record = full(number, call, "plain");
            let Some(activity) = TrailRecord::parse(&record.to_string()).expect("readable").activity else {
                panic!("{call} only looks: its condition is not met here");
            };
            let door = activity.door();
            let all = serde_json::to_string(&(&activity, &door)).expect("JSON");
            assert!(all.contains("plain") || row.names.is_empty(), "{call}: {all}");
            assert!(!all.contains("SECRET"), "{call}: {all}");
        }
    }
}

/// Any JSON, with names that rows look for.
fn any_json() -> impl Strategy<Value = Value> {
    let names = prop::sample::select(vec![
        "items",
        "add",
        "content",
        "Statement",
        "Principal",
        "AWS",
        "Federated",
        "Condition",
        "Effect",
        "role",
        "arn",
        "policyDocument",
        "credentials",
        "assumedRoleUser",
        "instancesSet",
        "name",
        "Grant",
        "roleName",
        "userName",
    ]);
    let leaf = prop_oneof![
        Just(Value::Null),
        any::<bool>().prop_map(Value::from),
        any::<i64>().prop_map(Value::from),
        ".{0,12}".prop_map(Value::from),
        "[$'\"`;&|<> \n\u{202e}-]{0,8}".prop_map(Value::from),
        Just(json!("Allow")),
        Just(json!("*")),
    ];
    leaf.prop_recursive(5, 64, 5, move |inner| {
        prop_oneof![
            prop::collection::vec(inner.clone(), 0..5).prop_map(Value::from),
            prop::collection::vec((names.clone(), inner), 0..6).prop_map(|members| Value::from(
                members.into_iter().map(|(n, v)| (n.to_owned(), v)).collect::<Map<_, _>>()
            )),
        ]
    })
}

proptest! {
    #[test]
    fn nothing_makes_it_panic(row in 0..table().count(), sent in any_json(), answer in any_json(), who in any_json()) {
        let row = table().nth(row).expect("a row");
        for call in row.calls {
            let (service, name) = call.split_once(':').expect("a call");
            let mut record = record(service, name, sent.clone(), answer.clone());
            record["userIdentity"] = who.clone();
            let parsed = TrailRecord::parse(&record.to_string()).expect("readable");
            if let Some(door) = parsed.activity.and_then(|activity| activity.door()) {
                for command in door.look.iter().chain(&door.take_away) {
                    prop_assert!(command.starts_with("aws "), "{}", command);
                }
            }
        }
    }

    #[test]
    fn whatever_a_thief_names_his_things_no_command_does_more(
        row in 0..table().count(),
        text in "[$'\"`;&|<>(){}\\[\\]*?~#! a-]{1,12}|file://[a-z]{3}|--[a-z]{1,6}|.{1,20}",
    ) {
        let call = table().nth(row).expect("a row").calls[0];
        let record = full(row, call, &text);
        let parsed = TrailRecord::parse(&record.to_string()).expect("readable");
        let Some(door) = parsed.activity.and_then(|activity| activity.door()) else { return Ok(()) };
        for command in door.look.iter().chain(&door.take_away) {
            // Outside of quotes there is nothing that a shell takes for more than a word.
            let bare: String = command.replace(r"'\''", "").split('\'').step_by(2).collect();
            let is_plain = |c: char| c.is_ascii_alphanumeric() || " _+=,.@:/-\\".contains(c);
            prop_assert!(bare.chars().all(is_plain), "{}", command);
            prop_assert!(!command.contains("file://") || command.contains("file://<"), "{}", command);
        }
    }
}

#[test]
fn long_values_are_left_out_of_commands_and_long_lists_are_whole_values() {
    let sent = json!({"roleName": "r".repeat(400)});
    let door = activity(&record("iam", "CreateRole", sent, Value::Null)).door().expect("a door");
    assert_eq!(door.look[0], "aws iam get-role --role-name '<ROLE>'");
    assert!(door.look.last().is_some_and(|command| command.contains("lookup-events")), "{door:?}");

    let instances: Vec<Value> =
        (0..50).map(|n| json!({"instanceId": format!("i-0000000000000{n:04}")})).collect();
    let answer = json!({"instancesSet": {"items": instances}});
    let activity = activity(&record("ec2", "RunInstances", json!({}), answer));
    let listed = &activity.names["instances"];
    assert!(listed.chars().count() <= 300 && listed.ends_with(", …"), "{listed}");
    let door = activity.door().expect("a door");
    assert!(door.take_away[0].starts_with("aws ec2 stop-instances --instance-ids i-00000000000000000 i-"));
    assert!(!door.take_away[0].contains('…'), "{door:?}");
    assert!(door.why.ends_with("The record of the call names more than the commands do."), "{door:?}");
}
