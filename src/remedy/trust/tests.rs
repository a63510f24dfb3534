use super::*;
use proptest::prelude::*;
use serde_json::json;

/// The lines of a policy that has this one statement.
fn one(statement: &Value) -> Vec<String> {
    who_may_assume(&json!({"Version": "2012-10-17", "Statement": [statement]}).to_string())
}

fn allow(principal: &Value) -> Vec<String> {
    one(&json!({"Effect": "Allow", "Principal": principal, "Action": "sts:AssumeRole"}))
}

#[test]
fn each_principal_has_its_words() {
    let saml = "arn:aws:iam::111122223333:saml-provider/okta";
    let words = [
        json!({"Service": "ec2.amazonaws.com"}),
        json!({"AWS": "111122223333"}),
        json!({"AWS": "arn:aws-cn:iam::111122223333:root"}),
        json!({"AWS": "arn:aws:iam::111122223333:role/a/b"}),
        json!({"AWS": "arn:aws:iam::111122223333:user/eve"}),
        json!({"AWS": "arn:aws:sts::111122223333:assumed-role/web/i-1"}),
        json!("*"),
        json!({"AWS": "*"}),
        json!({"Federated": saml}),
        json!({"Federated": "arn:aws:iam::111122223333:oidc-provider/token.actions.githubusercontent.com"}),
        json!({"Federated": "cognito-identity.amazonaws.com"}),
        json!({"AWS": "AROAEXAMPLEEXAMPLE001"}),
        json!({"AWS": "AIDAEXAMPLEEXAMPLE001"}),
        json!({"AWS": "AROA"}),
        json!({"AWS": 7}),
        json!({"AWS": []}),
        json!({}),
        json!({"Service": ["a.amazonaws.com", "b.amazonaws.com", "a.amazonaws.com"]}),
    ]
    .map(|principal| format!("{principal}\n  {}", allow(&principal).join("\n  ")));
    insta::assert_snapshot!(words.join("\n"), @r#"
    {"Service":"ec2.amazonaws.com"}
      the service ec2.amazonaws.com
    {"AWS":"111122223333"}
      account 111122223333 (any principal it allows)
    {"AWS":"arn:aws-cn:iam::111122223333:root"}
      account 111122223333 (any principal it allows)
    {"AWS":"arn:aws:iam::111122223333:role/a/b"}
      role arn:aws:iam::111122223333:role/a/b
    {"AWS":"arn:aws:iam::111122223333:user/eve"}
      user arn:aws:iam::111122223333:user/eve
    {"AWS":"arn:aws:sts::111122223333:assumed-role/web/i-1"}
      the session arn:aws:sts::111122223333:assumed-role/web/i-1
    "*"
      anybody in AWS (Principal *)
    {"AWS":"*"}
      anybody in AWS (Principal *)
    {"Federated":"arn:aws:iam::111122223333:saml-provider/okta"}
      the identity provider arn:aws:iam::111122223333:saml-provider/okta
    {"Federated":"arn:aws:iam::111122223333:oidc-provider/token.actions.githubusercontent.com"}
      web identities of token.actions.githubusercontent.com
    {"Federated":"cognito-identity.amazonaws.com"}
      web identities of cognito-identity.amazonaws.com
    {"AWS":"AROAEXAMPLEEXAMPLE001"}
      a principal that was deleted (AROAEXAMPLEEXAMPLE001)
    {"AWS":"AIDAEXAMPLEEXAMPLE001"}
      a principal that was deleted (AIDAEXAMPLEEXAMPLE001)
    {"AWS":"AROA"}
      the principal AROA
    {"AWS":7}
      a principal that cannot be read
    {"AWS":[]}
      a principal that cannot be read
    {}
      a principal that cannot be read
    {"Service":["a.amazonaws.com","b.amazonaws.com","a.amazonaws.com"]}
      the service a.amazonaws.com
      the service b.amazonaws.com
    "#);
}

#[test]
fn conditions_follow_in_short_words() {
    let words = [
        json!({"StringEquals": {"sts:ExternalId": "x"}}),
        json!({"stringequals": {"sts:ExternalId": ["x", "y"]}}),
        json!({"StringEquals": {"k": ["a", "b", "c", "d", "e"]}}),
        json!({"StringLike": {"aws:PrincipalOrgID": "o-abc*"}}),
        json!({"ForAnyValue:StringLike": {"aws:PrincipalOrgPaths": ["o-1/*"]}}),
        json!({"Bool": {"aws:MultiFactorAuthPresent": true}, "IpAddress": {"aws:SourceIp": "10.0.0.0/8"}}),
        json!({"StringNotEquals": {"k": "a"}}),
        json!({"Null": {"aws:TokenIssueTime": "true"}}),
        json!({"StringEquals": {"k": {"odd": 1}}}),
        json!({"StringEquals": 7}),
        json!(7),
        json!({}),
    ]
    .map(|condition| {
        let statement = json!({
            "Effect": "Allow", "Principal": {"Service": "x"}, "Action": "sts:*", "Condition": condition
        });
        format!("{condition}\n  {}", one(&statement).join("\n  "))
    });
    insta::assert_snapshot!(words.join("\n"), @r#"
    {"StringEquals":{"sts:ExternalId":"x"}}
      the service x if sts:ExternalId is x
    {"stringequals":{"sts:ExternalId":["x","y"]}}
      the service x if sts:ExternalId is one of x, y
    {"StringEquals":{"k":["a","b","c","d","e"]}}
      the service x if k is one of a, b, c and 2 more
    {"StringLike":{"aws:PrincipalOrgID":"o-abc*"}}
      the service x if StringLike aws:PrincipalOrgID o-abc*
    {"ForAnyValue:StringLike":{"aws:PrincipalOrgPaths":["o-1/*"]}}
      the service x if ForAnyValue:StringLike aws:PrincipalOrgPaths o-1/*
    {"Bool":{"aws:MultiFactorAuthPresent":true},"IpAddress":{"aws:SourceIp":"10.0.0.0/8"}}
      the service x if aws:MultiFactorAuthPresent is true and aws:SourceIp is in 10.0.0.0/8
    {"StringNotEquals":{"k":"a"}}
      the service x if k is not a
    {"Null":{"aws:TokenIssueTime":"true"}}
      the service x if aws:TokenIssueTime is not there
    {"StringEquals":{"k":{"odd":1}}}
      the service x if k is something that cannot be read
    {"StringEquals":7}
      the service x if StringEquals of something that cannot be read
    7
      the service x if a condition that cannot be read
    {}
      the service x
    "#);
}

#[test]
fn who_may_not_is_said_too() {
    let (x, y) = ("arn:aws:iam::111122223333:role/x", "arn:aws:iam::111122223333:role/y");
    let statements = [
        json!({"Effect": "Deny", "Principal": "*", "Action": "*",
            "Condition": {"StringNotEquals": {"aws:PrincipalOrgID": "o-1"}}}),
        json!({"Effect": "Deny", "NotPrincipal": {"AWS": [x, y]}, "Action": "sts:AssumeRole"}),
        json!({"Effect": "Allow", "NotPrincipal": {"AWS": x}, "Action": "sts:AssumeRole"}),
    ];
    insta::assert_snapshot!(statements.map(|statement| one(&statement).join("\n")).join("\n"), @"
    NOT anybody in AWS (Principal *) if aws:PrincipalOrgID is not o-1
    NOT anybody in AWS but role arn:aws:iam::111122223333:role/x, role arn:aws:iam::111122223333:role/y by sts:AssumeRole
    anybody in AWS but role arn:aws:iam::111122223333:role/x
    ");
}

#[test]
fn a_statement_about_something_else_lets_nobody_in() {
    let nobody = who_may_assume(r#"{"Statement": []}"#);
    insta::assert_snapshot!(nobody.join("\n"), @"nobody: the trust policy allows no principal");
    let with = |key: &str, actions: Value| {
        one(&json!({"Effect": "Allow", "Principal": {"Service": "x"}, key: actions}))
    };
    let somebody = with("Action", json!("sts:AssumeRole"));
    assert_ne!(somebody, nobody);
    assert_eq!(with("Action", json!(["sts:TagSession", "sts:SetSourceIdentity"])), nobody);
    assert_eq!(with("Action", json!("STS:assume*")), somebody);
    assert_eq!(with("NotAction", json!("sts:TagSession")), somebody);
    assert_eq!(with("NotAction", json!("sts:*")), nobody);
}

#[test]
fn what_cannot_be_read_is_said_in_one_line() {
    for document in ["", "{", "[]", "7", "{}", &"[".repeat(100_000)] {
        let lines = who_may_assume(document);
        assert!(lines.len() == 1 && lines[0].starts_with("unknown: "), "{document}: {lines:?}");
    }
    let statements = [
        json!(7),
        json!({"Effect": "Maybe", "Principal": "*", "Action": "*"}),
        json!({"Effect": "Allow", "Action": "*"}),
        json!({"Effect": "Allow", "Principal": "*"}),
    ]
    .map(|statement| one(&statement).join("\n"));
    insta::assert_snapshot!(statements.join("\n"), @"
    a statement that cannot be read
    a statement that cannot be read
    a statement that cannot be read
    a statement that cannot be read
    ");
}

#[test]
fn a_flood_is_cut() {
    let services: Vec<String> = (0..1000).map(|n| format!("{n}{}", "x".repeat(1000))).collect();
    let lines = allow(&json!({"Service": services}));
    assert_eq!(lines.len(), MOST_LINES + 1);
    insta::assert_snapshot!(lines[MOST_LINES], @"and 950 more, which are not shown");
    assert!(lines.iter().all(|line| line.chars().count() <= LONGEST_LINE));
}

/// JSON with the words of a policy in all the wrong places.
fn any_json() -> impl Strategy<Value = Value> {
    let word = prop_oneof![
        "Statement|Effect|Allow|Deny|Action|NotAction|Principal|NotPrincipal|Condition",
        "AWS|Service|Federated|StringEquals|Null|sts:AssumeRole|arn:aws:iam::1:root|[*]",
        ".*",
    ];
    let leaf = prop_oneof![
        Just(Value::Null),
        any::<bool>().prop_map(Value::from),
        any::<i64>().prop_map(Value::from),
        word.clone().prop_map(Value::from),
    ];
    leaf.prop_recursive(6, 64, 6, move |inner| {
        prop_oneof![
            proptest::collection::vec(inner.clone(), 0..6).prop_map(Value::from),
            proptest::collection::hash_map(word.clone(), inner, 0..6)
                .prop_map(|map| Value::Object(map.into_iter().collect())),
        ]
    })
}

proptest! {
    #[test]
    fn no_json_makes_it_panic_or_talk_long(value in any_json(), principal in any_json(), condition in any_json()) {
        let statement = json!({
            "Effect": "Allow", "Action": "*", "Principal": principal, "Condition": condition
        });
        for lines in [
            who_may_assume(&value.to_string()),
            who_may_assume(&json!({"Statement": value}).to_string()),
            one(&statement),
        ] {
            prop_assert!((1..=MOST_LINES + 1).contains(&lines.len()));
            prop_assert!(lines.iter().all(|line| line.chars().count() <= LONGEST_LINE));
            prop_assert!(lines.iter().all(|line| !line.chars().any(char::is_control)));
        }
    }
}
