use super::*;
use crate::org::{Account, AccountState};
use serde_json::json;

const ROLE: &str = "arn:aws:iam::111122223333:role/a/web";

fn id(text: &str) -> AccountId {
    text.parse().expect("legal")
}

fn doors_in(statement: &Value, known: bool) -> Vec<String> {
    let account = id("111122223333");
    let inside = Account { id: id("444455556666"), name: "inside".to_owned(), state: AccountState::Active };
    let snapshot =
        Snapshot::new(vec![inside], account.clone(), None, account.clone(), jiff::Timestamp::UNIX_EPOCH);
    let home = Home {
        role_arn: ROLE,
        account: &account,
        organization: known.then_some("o-ours"),
        accounts: known.then_some(&snapshot),
    };
    second_doors(&json!({"Statement": [statement]}).to_string(), home)
}

fn doors(principal: &Value, condition: &Value) -> Vec<String> {
    let statement =
        json!({"Effect": "Allow", "Principal": principal, "Action": "sts:*", "Condition": condition});
    doors_in(&statement, true)
}

#[test]
fn each_way_in_is_named_and_what_is_no_way_is_not() {
    let github = "arn:aws:iam::111122223333:oidc-provider/token.actions.githubusercontent.com";
    let words = [
        json!({"AWS": ROLE}),
        json!({"AWS": "arn:aws:sts::111122223333:assumed-role/web/i-1"}),
        json!({"AWS": "arn:aws:iam::111122223333:root"}),
        json!({"AWS": "111122223333"}),
        json!({"AWS": "arn:aws:iam::777788889999:root"}),
        json!({"AWS": "arn:aws:iam::777788889999:role/ci"}),
        json!("*"),
        json!({"AWS": ["*"]}),
        json!({"Federated": github}),
        json!({"Federated": "arn:aws:iam::111122223333:saml-provider/okta"}),
    ]
    .map(|principal| format!("{principal}\n  {}", doors(&principal, &json!({})).join("\n  ")));
    insta::assert_snapshot!(words.join("\n"), @r#"
    {"AWS":"arn:aws:iam::111122223333:role/a/web"}
      the role itself
    {"AWS":"arn:aws:sts::111122223333:assumed-role/web/i-1"}
      the role itself
    {"AWS":"arn:aws:iam::111122223333:root"}
      any principal of its own account 111122223333 that may assume it
    {"AWS":"111122223333"}
      any principal of its own account 111122223333 that may assume it
    {"AWS":"arn:aws:iam::777788889999:root"}
      account 777788889999 (any principal it allows), outside the organization
    {"AWS":"arn:aws:iam::777788889999:role/ci"}
      role arn:aws:iam::777788889999:role/ci, outside the organization
    "*"
      anybody in AWS (Principal *)
    {"AWS":["*"]}
      anybody in AWS (Principal *)
    {"Federated":"arn:aws:iam::111122223333:oidc-provider/token.actions.githubusercontent.com"}
      web identities of token.actions.githubusercontent.com with any sub and aud
    {"Federated":"arn:aws:iam::111122223333:saml-provider/okta"}
      the identity provider arn:aws:iam::111122223333:saml-provider/okta with any sub and aud
    "#);
    for harmless in [
        json!({"Service": "ec2.amazonaws.com"}),
        json!({"AWS": "arn:aws:iam::111122223333:role/a/other"}),
        json!({"AWS": "arn:aws:sts::111122223333:assumed-role/webs/i-1"}),
        json!({"AWS": "arn:aws:iam::444455556666:root"}),
        json!({"AWS": "AROAEXAMPLEEXAMPLE001"}),
        json!({"AWS": []}),
        json!(7),
    ] {
        assert_eq!(doors(&harmless, &json!({})), Vec::<String>::new(), "{harmless}");
    }
}

#[test]
fn only_what_allows_somebody_to_assume_it_is_a_door() {
    let of = |effect: &str, action: &str| {
        doors_in(&json!({"Effect": effect, "Principal": "*", "Action": action}), true).len()
    };
    assert_eq!((of("Allow", "sts:AssumeRole"), of("Deny", "sts:AssumeRole")), (1, 0));
    assert_eq!(of("Allow", "sts:TagSession"), 0);
    let others = json!({"Effect": "Allow", "NotPrincipal": {"AWS": ROLE}, "Action": "sts:AssumeRole"});
    assert_eq!(doors_in(&others, true).len(), 1);
}

/// An account outside cannot be in our organization; it can be in another.
#[test]
fn our_organization_keeps_others_out_where_it_is_required() {
    let outside = json!({"AWS": "arn:aws:iam::777788889999:root"});
    let count = |condition: Value| doors(&outside, &condition).len();
    assert_eq!(count(json!({"StringEquals": {"aws:principalorgid": "o-ours"}})), 0);
    for condition in [
        json!({"StringEquals": {"aws:PrincipalOrgID": ["o-ours", "o-other"]}}),
        json!({"StringEqualsIfExists": {"aws:PrincipalOrgID": "o-ours"}}),
        json!({"StringNotEquals": {"aws:PrincipalOrgID": "o-ours"}}),
        json!({"StringLike": {"aws:PrincipalOrgID": "*"}}),
        json!({"StringEquals": {"sts:ExternalId": "o-ours"}}),
        json!(7),
    ] {
        assert_eq!(count(condition.clone()), 1, "{condition}");
    }
    let unknown = json!({"Effect": "Allow", "Principal": outside, "Action": "sts:AssumeRole"});
    insta::assert_snapshot!(doors_in(&unknown, false).join("\n"), @"account 777788889999 (any principal it allows), of which it is not known whether it is in the organization");
}

#[test]
fn an_identity_provider_is_said_with_what_it_does_not_limit() {
    let okta = json!({"Federated": "arn:aws:iam::111122223333:saml-provider/okta"});
    let words = [
        json!({"StringEquals": {"SAML:aud": "https://signin.aws.amazon.com/saml"}}),
        json!({"StringLike": {"SAML:sub": "admin-*"}}),
        json!({"StringLike": {"SAML:sub": "*"}}),
        json!({"StringNotEquals": {"SAML:sub": "eve"}}),
    ]
    .map(|condition| doors(&okta, &condition).join("\n"));
    insta::assert_snapshot!(words.join("\n"), @"
    the identity provider arn:aws:iam::111122223333:saml-provider/okta with any sub if SAML:aud is https://signin.aws.amazon.com/saml
    the identity provider arn:aws:iam::111122223333:saml-provider/okta if StringLike SAML:sub admin-*
    the identity provider arn:aws:iam::111122223333:saml-provider/okta with any sub and aud if StringLike SAML:sub *
    the identity provider arn:aws:iam::111122223333:saml-provider/okta with any sub and aud if SAML:sub is not eve
    ");
}

#[test]
fn a_flood_is_cut() {
    let accounts: Vec<String> = (0..50).map(|n| format!("7777888899{n:02}")).collect();
    let doors = doors(&json!({"AWS": accounts}), &json!({}));
    assert_eq!(doors.len(), MOST_DOORS + 1);
    assert_eq!(doors[MOST_DOORS], "and 44 more");
    assert!(doors_in(&json!("[]"), true).is_empty() && second_doors_of_nonsense().is_empty());
}

fn second_doors_of_nonsense() -> Vec<String> {
    let account = id("111122223333");
    let home = Home { role_arn: ROLE, account: &account, organization: None, accounts: None };
    ["", "{", "[]", "7", "{}", r#"{"Statement": 7}"#]
        .iter()
        .flat_map(|text| second_doors(text, home))
        .collect()
}
