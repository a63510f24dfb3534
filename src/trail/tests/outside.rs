//! Whom a document lets in.

use super::{activity, record};
use serde_json::{Value, json};

fn let_in(document: &Value) -> Vec<String> {
    let sent = json!({"roleName": "web", "policyDocument": document});
    activity(&record("iam", "UpdateAssumeRolePolicy", sent, Value::Null)).outside
}

fn trust(principal: &Value, condition: &Value) -> Value {
    json!({
        "Version": "2012-10-17",
        "Statement": {"Effect": "Allow", "Principal": principal, "Action": "sts:AssumeRole", "Condition": condition}
    })
}

#[test]
fn accounts_and_arns_of_others_are_outside() {
    let all = json!([
        "arn:aws:iam::111122223333:root",
        "111122223333",
        "arn:aws:iam::444455556666:root",
        "777788889999",
        "arn:aws:iam::444455556666:root"
    ]);
    let document = trust(&json!({"AWS": all, "Service": "ec2.amazonaws.com"}), &json!({}));
    let outside = ["arn:aws:iam::444455556666:root", "777788889999"];
    assert_eq!(let_in(&document), outside);
    // As text, percent-encoded, as a list of statements.
    assert_eq!(let_in(&json!(document.to_string())), outside);
    let text = document.to_string();
    let encoded = percent_encoding::utf8_percent_encode(&text, percent_encoding::NON_ALPHANUMERIC);
    assert_eq!(let_in(&json!(encoded.to_string())), outside);
    let list = json!({"Statement": [{"Effect": "Deny", "Principal": "*"}, document["Statement"]]});
    assert_eq!(let_in(&list), outside);
    assert_eq!(let_in(&trust(&json!({"AWS": "444455556666"}), &json!(null))), ["444455556666"]);
}

#[test]
fn identity_providers_are_outside_by_their_host() {
    let hosts = json!({"Federated": [
        "arn:aws:iam::111122223333:oidc-provider/token.actions.githubusercontent.com",
        "arn:aws:iam::111122223333:oidc-provider/oidc.eks.eu-central-1.amazonaws.com/id/ABC",
        "accounts.google.com",
        "arn:aws:iam::111122223333:saml-provider/Okta"
    ]});
    assert_eq!(
        let_in(&trust(&hosts, &json!({}))),
        [
            "token.actions.githubusercontent.com",
            "oidc.eks.eu-central-1.amazonaws.com",
            "accounts.google.com",
            "arn:aws:iam::111122223333:saml-provider/Okta"
        ]
    );
}

#[test]
fn everybody_is_outside_unless_a_condition_narrows_it() {
    let everybody = |condition: Value| let_in(&trust(&json!({"AWS": "*"}), &condition));
    assert_eq!(everybody(json!({})), ["*"]);
    assert_eq!(let_in(&trust(&json!("*"), &json!({}))), ["*"]);
    assert_eq!(everybody(json!({"StringEquals": {"aws:SourceAccount": "111122223333"}})), [""; 0]);
    assert_eq!(everybody(json!({"StringLike": {"AWS:PrincipalAccount": ["111122223333"]}})), [""; 0]);
    assert_eq!(
        everybody(json!({"StringEquals": {"aws:PrincipalAccount": ["111122223333", "444455556666"]}})),
        ["444455556666"]
    );
    // Whose organization it is, the record does not say.
    assert_eq!(
        everybody(json!({"StringEquals": {"aws:PrincipalOrgID": "o-exampleorg1"}})),
        ["o-exampleorg1"]
    );
    for open in [
        json!({"StringLike": {"aws:PrincipalOrgID": "o-*"}}),
        json!({"StringEqualsIfExists": {"aws:PrincipalOrgID": "o-exampleorg1"}}),
        json!({"StringNotEquals": {"aws:PrincipalAccount": "111122223333"}}),
        json!({"ForAllValues:StringEquals": {"aws:PrincipalAccount": "111122223333"}}),
        json!({"StringEquals": {"aws:PrincipalAccount": "${aws:SourceAccount}"}}),
        json!({"StringEquals": {"sts:ExternalId": "111122223333"}}),
        json!({"StringEquals": "odd"}),
        json!("odd"),
    ] {
        assert_eq!(everybody(open.clone()), ["*"], "{open}");
    }
    let inverted = json!({"Statement": [{"Effect": "Allow", "NotPrincipal": {"AWS": "111122223333"}}]});
    assert_eq!(let_in(&inverted), ["*"]);
}

#[test]
fn a_document_that_cannot_be_read_lets_nobody_in() {
    for broken in [
        Value::Null,
        json!(7),
        json!(""),
        json!("{"),
        json!("%7B%22Statement"),
        json!("%FF%FE"),
        json!({"Statement": "odd"}),
        json!({"Statement": [null, 7, {"Effect": "Allow"}, {"Effect": "Allow", "Principal": 7}]}),
        json!({"Statement": {"Effect": "Allow", "Principal": {"AWS": [7, null, {}]}}}),
        json!("[".repeat(10_000)),
    ] {
        assert_eq!(let_in(&broken), [""; 0], "{broken}");
    }
}

#[test]
fn lists_and_addresses_let_in_too() {
    let outside = |source, name, sent| activity(&record(source, name, sent, Value::Null)).outside;
    let grant = |grantee: Value| json!({"Grantee": grantee, "Permission": "READ"});
    let everybody = json!({"URI": "http://acs.amazonaws.com/groups/global/AllUsers", "xsi:type": "Group"});
    let policy = |grants: Value| {
        let list = json!({"Owner": {"ID": "79a59df900b949e5"}, "AccessControlList": {"Grant": grants}});
        outside("s3", "PutBucketAcl", json!({"bucketName": "data", "AccessControlPolicy": list}))
    };
    let own = grant(json!({"ID": "79a59df900b949e5"}));
    assert_eq!(policy(json!([own, grant(everybody)])), ["*"]);
    assert_eq!(policy(json!([own, grant(json!({"ID": "c1daexampleaaf85"}))])), ["c1daexampleaaf85"]);
    assert_eq!(policy(own), [""; 0]);
    let canned = |acl: Value| outside("s3", "PutBucketAcl", json!({"bucketName": "data", "x-amz-acl": acl}));
    assert_eq!(canned(json!(["public-read-write"])), ["*"]);
    assert_eq!(canned(json!("bucket-owner-full-control")), [""; 0]);
    let address = |auth: &str| {
        outside("lambda", "CreateFunctionUrlConfig", json!({"functionName": "f", "authType": auth}))
    };
    assert_eq!((address("NONE"), address("AWS_IAM")), (vec!["*".to_owned()], Vec::new()));
}

#[test]
fn no_more_than_twenty_are_kept() {
    let many: Vec<String> = (0..500).map(|number| format!("{:012}", 200_000_000_000_u64 + number)).collect();
    let outside = let_in(&trust(&json!({"AWS": many}), &json!({})));
    assert_eq!(outside.len(), 20);
    assert_eq!(outside.last().map(String::as_str), Some("…"));
}
