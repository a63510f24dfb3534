//! Who may assume a role: its trust policy, in words.

use crate::config::Glob;
use crate::remediation::listed;
use crate::safe::short_line;
use serde_json::Value;

/// Maximum length of a line, in characters: longer than any line of a sensible policy.
pub(super) const LONGEST_LINE: usize = 300;

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
pub(super) fn ways_of(statement: &Value) -> Option<Vec<&'static str>> {
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

pub(super) fn principals(principal: &Value) -> Vec<String> {
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

pub(super) fn in_words(kind: &str, name: &str) -> String {
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
pub(super) fn conditions(conditions: Option<&Value>) -> String {
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
mod tests;
