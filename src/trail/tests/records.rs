//! Records as CloudTrail writes them, after the published ones of Stratus Red Team, of the AWS documentation and of
//! detection rules.

use super::{activity, meant, record};
use crate::trail::{Activity, Meaning, Thing};
use serde_json::{Value, json};

/// Records of calls that worked: the service, the operation, what was sent, what was answered.
const RECORDS: &str = include_str!("records.jsonl");

pub(super) fn all() -> Vec<Value> {
    let calls = RECORDS.lines().map(|line| serde_json::from_str::<Value>(line).expect("JSON"));
    calls
        .map(|call| {
            let text = |name: &str| call[name].as_str().expect("a text");
            record(text("source"), text("name"), call["in"].clone(), call["out"].clone())
        })
        .collect()
}

#[test]
fn what_records_mean() {
    let lines: Vec<String> = all()
        .iter()
        .map(|record| {
            let Activity { meaning, thing, call, object, names, outside, .. } = activity(record);
            let object = object.unwrap_or_default();
            format!("{call}: {meaning}, {thing} {object} {names:?} outside {outside:?}")
        })
        .collect();
    insta::with_settings!({ prepend_module_to_snapshot => false }, {
        insta::assert_snapshot!("records", lines.join("\n"));
    });
}

#[test]
fn sessions_and_keys_are_opened() {
    let credentials = json!({
        "accessKeyId": "ASIAEXAMPLEEXAMPLE77", "sessionToken": "IQoJb3", "expiration": "Nov 22, 2026, 3:00:00 AM"
    });
    let opened = |source: &str, name: &str, sent: Value, answer: Value| {
        let opened = activity(&record(source, name, sent, answer)).opened.expect("it opens something");
        (opened.access_key, opened.arn, opened.principal_id, opened.expires.map(|time| time.to_string()))
    };
    let is = |key: &str, arn: &str, id: Option<&str>, ends: Option<&str>| {
        (key.to_owned(), Some(arn.to_owned()), id.map(str::to_owned), ends.map(str::to_owned))
    };
    let (session, ends) = ("ASIAEXAMPLEEXAMPLE77", Some("2026-11-22T03:00:00Z"));
    for name in ["AssumeRole", "AssumeRoleWithSAML", "AssumeRoleWithWebIdentity"] {
        let sent = json!({"roleArn": "arn:aws:iam::444455556666:role/ops", "roleSessionName": "x"});
        let user = json!({"assumedRoleId": "AROAEXAMPLEEXAMPLE555:x", "arn": "arn:aws:sts::444455556666:assumed-role/ops/x"});
        assert_eq!(
            opened("sts", name, sent, json!({"credentials": credentials, "assumedRoleUser": user})),
            is(
                session,
                "arn:aws:sts::444455556666:assumed-role/ops/x",
                Some("AROAEXAMPLEEXAMPLE555:x"),
                ends
            )
        );
    }
    for target in ["444455556666", "arn:aws:iam::444455556666:root"] {
        let sent = json!({"targetPrincipal": target, "taskPolicyArn": {"arn": "arn:aws:iam::aws:policy/root-task/S3UnlockBucketPolicy"}});
        assert_eq!(
            opened("sts", "AssumeRoot", sent, json!({"credentials": credentials})),
            is(session, "arn:aws:iam::444455556666:root", Some("444455556666"), ends)
        );
    }
    let federated =
        json!({"federatedUserId": "111122223333:x", "arn": "arn:aws:sts::111122223333:federated-user/x"});
    assert_eq!(
        opened(
            "sts",
            "GetFederationToken",
            json!({"name": "x"}),
            json!({"credentials": credentials, "federatedUser": federated})
        ),
        is(session, "arn:aws:sts::111122223333:federated-user/x", Some("111122223333:x"), ends)
    );
    assert_eq!(
        opened(
            "sts",
            "GetSessionToken",
            json!({"durationSeconds": 129_600}),
            json!({"credentials": credentials})
        )
        .1
        .as_deref(),
        Some("arn:aws:sts::111122223333:assumed-role/web/i-0a1b2c3d4e5f60718")
    );
    let key =
        json!({"accessKey": {"accessKeyId": "AKIAEXAMPLEEXAMPLE02", "userName": "eve", "status": "Active"}});
    let another = opened("iam", "CreateAccessKey", json!({"userName": "eve"}), key.clone());
    assert_eq!(another, ("AKIAEXAMPLEEXAMPLE02".to_owned(), None, None, None));
    let mut own = record("iam", "CreateAccessKey", Value::Null, key);
    own["userIdentity"] =
        json!({"type": "IAMUser", "userName": "eve", "arn": "arn:aws:iam::111122223333:user/staff/eve"});
    let own = activity(&own).opened.expect("a key");
    assert_eq!(own.arn.as_deref(), Some("arn:aws:iam::111122223333:user/staff/eve"));

    for name in ["GetSigninToken", "ConsoleLogin"] {
        let activity = activity(&record("signin", name, Value::Null, json!({name: "Success"})));
        assert_eq!((activity.meaning, activity.thing), (Meaning::OpensSession, Thing::ConsoleSession));
        assert!(activity.opened.is_none() && activity.worked() && activity.door().is_none());
    }
    let failed = activity(&record("signin", "ConsoleLogin", Value::Null, json!({"ConsoleLogin": "Failure"})));
    assert_eq!(failed.error_code.as_deref(), Some("Failed authentication"));
}

#[test]
fn a_denied_call_opened_nothing_and_left_no_door() {
    for mut record in all() {
        record["errorCode"] = "AccessDenied".into();
        record["errorMessage"] = "User is not authorized to perform it".into();
        let denied = activity(&record);
        assert!(!denied.worked() && denied.opened.is_none() && denied.door().is_none(), "{}", denied.call);
    }
}

#[test]
fn what_only_looks_is_none() {
    let only_looks = |source, name, sent| meant(&record(source, name, sent, Value::Null)).is_none();
    assert!(only_looks("lambda", "GetFunction20150331v2", json!({"functionName": "billing"})));
    assert!(only_looks("kms", "Decrypt", json!({"encryptionAlgorithm": "SYMMETRIC_DEFAULT"})));
    assert!(only_looks("s3", "ListBuckets", Value::Null));
    assert!(only_looks("ssm", "GetParameter", json!({"name": "/a", "withDecryption": false})));
    assert!(only_looks(
        "ec2",
        "ModifyInstanceAttribute",
        json!({"instanceId": "i-1", "instanceType": {"value": "t3.large"}})
    ));
    let office = json!({"groupId": "sg-1", "ipPermissions": {"items": [{"ipRanges": {"items": [{"cidrIp": "192.0.2.0/24"}]}}]}});
    assert!(only_looks("ec2", "AuthorizeSecurityGroupIngress", office));
    assert!(only_looks("guardduty", "UpdateDetector", json!({"detectorId": "d", "enable": true})));
    assert!(only_looks("guardduty", "CreateFilter", json!({"name": "f", "action": "NOOP"})));
    assert!(only_looks(
        "kms",
        "CreateGrant",
        json!({"keyId": "k", "granteePrincipal": "111122223333:aws:ec2-infrastructure:i-1"})
    ));
    assert!(only_looks(
        "kms",
        "CreateGrant",
        json!({"keyId": "k", "granteePrincipal": "rds.eu-central-1.amazonaws.com"})
    ));
    assert!(only_looks("s3", "PutBucketAcl", json!({"bucketName": "b", "x-amz-acl": ["private"]})));
    assert!(only_looks("iam", "UpdateAccessKey", json!({"accessKeyId": "AKIA1", "status": "Inactive"})));
}

#[test]
fn the_version_behind_a_name_does_not_matter() {
    for (name, call) in [
        ("CreateFunction20150331", "lambda:CreateFunction"),
        ("UpdateFunctionCode20150331v2", "lambda:UpdateFunctionCode"),
        ("UpdateFunctionConfiguration20150331v2", "lambda:UpdateFunctionConfiguration"),
        ("PublishLayerVersion20181031", "lambda:PublishLayerVersion"),
        ("AddLayerVersionPermission20181031", "lambda:AddLayerVersionPermission"),
        ("CreateFunctionUrlConfig20211031", "lambda:CreateFunctionUrlConfig"),
        ("CreateEventSourceMapping20150331", "lambda:CreateEventSourceMapping"),
        ("AddPermission", "lambda:AddPermission"),
    ] {
        let activity = activity(&record("lambda", name, json!({"functionName": "f"}), Value::Null));
        assert_eq!(activity.call, call);
    }
    for other in ["CreateFunction2015", "CreateFunctionv2", "CreateFunction201503311", "20150331"] {
        assert_eq!(
            meant(&record("lambda", other, json!({"functionName": "f"}), Value::Null)),
            None,
            "{other}"
        );
    }
}
