//! Who may assume a role: its trust policy, in words.

use crate::config::Glob;
use crate::remediation::listed;
use crate::safe::short_line;
use serde_json::Value;

/// Maximum length of a line, in characters: longer than any line of a sensible policy.
const LONGEST_LINE: usize = 300;

/// Maximum length of each name or value, in characters, so that what follows it is seen as well.
const LONGEST_NAME: usize = 160;

/// Maximum number of lines. A trust policy has up to 4,096 characters (IAM quotas).
const MOST_LINES: usize = 50;

/// Maximum number of values of one condition that are shown.
const MOST_VALUES: usize = 3;

/// The ways into a role. A statement about other actions lets nobody in (`sts:TagSession`).
const WAYS: [&str; 3] = ["sts:AssumeRole", "sts:AssumeRoleWithSAML", "sts:AssumeRoleWithWebIdentity"];

/// Who may assume a role that has this trust policy, each in a line; with `NOT` who may not.
///
/// It says what is written there. Whether the other side allows it too is not looked at.
#[must_use]
pub fn who_may_assume(document: &str) -> Vec<String> {
    let Ok(document) = serde_json::from_str::<Value>(document) else {
        return vec!["unknown: the trust policy is not JSON".to_owned()];
    };
    let Some(statements) = document.get("Statement") else {
        return vec!["unknown: the trust policy has no Statement".to_owned()];
    };
    let mut lines: Vec<String> = Vec::new();
    let mut more = 0_usize;
    for line in listed(statements).flat_map(lines_of) {
        let line = short_line(&line, LONGEST_LINE);
        if lines.contains(&line) {
            continue;
        }
        if lines.len() < MOST_LINES {
            lines.push(line);
        } else {
            more += 1;
        }
    }
    if lines.is_empty() {
        lines.push("nobody: the trust policy allows no principal".to_owned());
    }
    if more > 0 {
        lines.push(format!("and {more} more, which are not shown"));
    }
    lines
}

fn lines_of(statement: &Value) -> Vec<String> {
    let unreadable = || vec!["a statement that cannot be read".to_owned()];
    let Some(ways) = ways_of(statement) else { return unreadable() };
    if ways.is_empty() {
        return Vec::new();
    }
    let (allow, deny) = match statement.get("Effect").and_then(Value::as_str) {
        Some("Allow") => ("", false),
        Some("Deny") => ("NOT ", true),
        _ => return unreadable(),
    };
    let by = if deny && ways.len() < WAYS.len() { format!(" by {}", ways.join(", ")) } else { String::new() };
    let condition = conditions(statement.get("Condition"));
    let whom = match (statement.get("Principal"), statement.get("NotPrincipal")) {
        (Some(principal), None) => principals(principal),
        (None, Some(others)) => vec![format!("anybody in AWS but {}", principals(others).join(", "))],
        _ => return unreadable(),
    };
    whom.into_iter().map(|whom| format!("{allow}{whom}{by}{condition}")).collect()
}

/// Which ways into the role a statement is about. None when it does not say.
fn ways_of(statement: &Value) -> Option<Vec<&'static str>> {
    let (actions, except) = match (statement.get("Action"), statement.get("NotAction")) {
        (Some(actions), None) => (actions, false),
        (None, Some(actions)) => (actions, true),
        _ => return None,
    };
    let patterns: Vec<Glob> =
        listed(actions).filter_map(|action| Glob::try_from(action.as_str()?.to_owned()).ok()).collect();
    let matched = |way: &&str| patterns.iter().any(|pattern| pattern.matches(way)) != except;
    Some(WAYS.into_iter().filter(matched).collect())
}

fn principals(principal: &Value) -> Vec<String> {
    let named = match principal {
        Value::Object(kinds) => kinds
            .iter()
            .flat_map(|(kind, names)| listed(names).map(move |name| (kind.as_str(), name.as_str())))
            .collect(),
        // The one text that is allowed is `*`.
        one => vec![("AWS", one.as_str())],
    };
    let mut words: Vec<String> = named
        .into_iter()
        .map(|(kind, name)| match name {
            Some(name) => in_words(kind, &short_line(name, LONGEST_NAME)),
            None => "a principal that cannot be read".to_owned(),
        })
        .collect();
    if words.is_empty() {
        words.push("a principal that cannot be read".to_owned());
    }
    words
}

fn in_words(kind: &str, name: &str) -> String {
    match kind {
        "AWS" => aws_principal(name),
        "Service" => format!("the service {name}"),
        "Federated" => match name.split_once(":oidc-provider/") {
            Some((_, provider)) => format!("web identities of {provider}"),
            None if name.starts_with("arn:") => format!("the identity provider {name}"),
            None if name == "*" => "anybody whom any identity provider vouches for (Federated *)".to_owned(),
            // Those that AWS knows without an ARN: cognito-identity.amazonaws.com, accounts.google.com.
            None => format!("web identities of {name}"),
        },
        "CanonicalUser" => format!("the account with the canonical id {name}"),
        other => format!("the principal {}: {name}", short_line(other, LONGEST_NAME)),
    }
}

fn aws_principal(name: &str) -> String {
    let account = |id: &str| format!("account {id} (any principal it allows)");
    let is_id =
        |text: &str| text.len() >= 16 && text.bytes().all(|b| b.is_ascii_uppercase() || b.is_ascii_digit());
    let parts: Vec<&str> = name.splitn(6, ':').collect();
    match parts[..] {
        ["*"] => "anybody in AWS (Principal *)".to_owned(),
        [id] if id.len() == 12 && id.bytes().all(|b| b.is_ascii_digit()) => account(id),
        // What IAM puts in the place of an ARN when its principal is deleted (IAM User Guide, "AWS JSON
        // policy elements: Principal").
        [id] if is_id(id) && (id.starts_with("AROA") || id.starts_with("AIDA")) => {
            format!("a principal that was deleted ({id})")
        }
        ["arn", _, "iam", _, id, "root"] => account(id),
        ["arn", _, "iam", _, _, rest] if rest.starts_with("user/") => format!("user {name}"),
        ["arn", _, "iam", _, _, rest] if rest.starts_with("role/") => format!("role {name}"),
        ["arn", _, "sts", _, _, rest] if rest.starts_with("assumed-role/") => format!("the session {name}"),
        ["arn", _, "sts", _, _, rest] if rest.starts_with("federated-user/") => {
            format!("the federated user {name}")
        }
        _ => format!("the principal {name}"),
    }
}

/// ` if …`, or nothing when there is no condition.
fn conditions(conditions: Option<&Value>) -> String {
    let Some(conditions) = conditions else { return String::new() };
    let Some(operators) = conditions.as_object() else {
        return " if a condition that cannot be read".to_owned();
    };
    let words: Vec<String> = operators
        .iter()
        .flat_map(|(operator, keys)| match keys.as_object() {
            Some(keys) => keys.iter().map(|(key, values)| condition(operator, key, values)).collect(),
            None => vec![format!("{} of something that cannot be read", short_line(operator, LONGEST_NAME))],
        })
        .collect();
    if words.is_empty() { String::new() } else { format!(" if {}", words.join(" and ")) }
}

fn condition(operator: &str, key: &str, values: &Value) -> String {
    let (operator, key) = (short_line(operator, LONGEST_NAME), short_line(key, LONGEST_NAME));
    let many = listed(values).nth(1).is_some();
    let shown = shown(values);
    let is = match operator.to_ascii_lowercase().as_str() {
        "stringequals" | "stringequalsignorecase" | "bool" | "numericequals" | "dateequals" => {
            if many {
                "is one of"
            } else {
                "is"
            }
        }
        "stringnotequals" | "stringnotequalsignorecase" => {
            if many {
                "is none of"
            } else {
                "is not"
            }
        }
        "ipaddress" => "is in",
        "notipaddress" => "is not in",
        "null" if shown == "true" => return format!("{key} is not there"),
        "null" if shown == "false" => return format!("{key} is there"),
        _ => return format!("{operator} {key} {shown}"),
    };
    format!("{key} {is} {shown}")
}

/// The values of a condition, the first of them when they are many.
fn shown(values: &Value) -> String {
    let mut all = listed(values);
    let text = |value: &Value| match value {
        Value::String(text) => short_line(text, LONGEST_NAME),
        Value::Bool(_) | Value::Number(_) => short_line(&value.to_string(), LONGEST_NAME),
        _ => "something that cannot be read".to_owned(),
    };
    let first: Vec<String> = all.by_ref().take(MOST_VALUES).map(text).collect();
    match all.count() {
        0 => first.join(", "),
        more => format!("{} and {more} more", first.join(", ")),
    }
}

#[cfg(test)]
mod tests {
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
}
