//! What in a role's trust policy may let a thief in again, past a deny of older sessions.

use super::trust::{LONGEST_LINE, conditions, in_words, principals, ways_of};
use crate::ident::AccountId;
use crate::org::Snapshot;
use crate::remediation::listed;
use crate::safe::short_line;
use serde_json::Value;

/// Maximum number of doors that are named.
const MOST_DOORS: usize = 6;

/// Where the role is at home, as far as that is known.
#[derive(Debug, Clone, Copy)]
pub(super) struct Home<'a> {
    pub role_arn: &'a str,
    pub account: &'a AccountId,
    /// The organization's id.
    pub organization: Option<&'a str>,
    /// The organization's accounts.
    pub accounts: Option<&'a Snapshot>,
}

/// The principals by which a thief may get a new session of the role: the role itself, its account as a whole,
/// accounts outside the organization, anybody, and those whom an identity provider vouches for.
///
/// What a Deny of the policy takes away again is not subtracted. A service is no door: with it comes
/// `iam:PassRole`, which the policy does not grant.
pub(super) fn second_doors(document: &str, home: Home<'_>) -> Vec<String> {
    let document: Value = serde_json::from_str(document).unwrap_or_default();
    let mut doors: Vec<String> = Vec::new();
    for door in document.get("Statement").into_iter().flat_map(listed).flat_map(|one| doors_of(one, home)) {
        let door = short_line(&door, LONGEST_LINE);
        if !doors.contains(&door) {
            doors.push(door);
        }
    }
    if let Some(more) = doors.len().checked_sub(MOST_DOORS).filter(|more| *more > 0) {
        doors.truncate(MOST_DOORS);
        doors.push(format!("and {more} more"));
    }
    doors
}

fn doors_of(statement: &Value, home: Home<'_>) -> Vec<String> {
    let is_allow = statement.get("Effect").and_then(Value::as_str) == Some("Allow");
    if !is_allow || ways_of(statement).is_some_and(|ways| ways.is_empty()) {
        return Vec::new();
    }
    let condition = statement.get("Condition");
    let shown = conditions(condition);
    let doors: Vec<String> = match (statement.get("Principal"), statement.get("NotPrincipal")) {
        (Some(Value::Object(kinds)), None) => kinds
            .iter()
            .flat_map(|(kind, names)| listed(names).map(move |name| (kind.as_str(), name.as_str())))
            .filter_map(|(kind, name)| door(kind, name?, condition, home))
            .collect(),
        (Some(one), None) => {
            one.as_str().and_then(|name| door("AWS", name, condition, home)).into_iter().collect()
        }
        (None, Some(others)) => vec![format!("anybody in AWS but {}", principals(others).join(", "))],
        _ => Vec::new(),
    };
    doors.into_iter().map(|door| format!("{door}{shown}")).collect()
}

fn door(kind: &str, name: &str, condition: Option<&Value>, home: Home<'_>) -> Option<String> {
    match kind {
        "AWS" => aws_door(name, condition, home),
        "Federated" => {
            let lacks = match (limits(condition, "sub"), limits(condition, "aud")) {
                (true, _) => "",
                (false, true) => " with any sub",
                (false, false) => " with any sub and aud",
            };
            Some(format!("{}{lacks}", in_words(kind, name)))
        }
        _ => None,
    }
}

fn aws_door(name: &str, condition: Option<&Value>, home: Home<'_>) -> Option<String> {
    let words = || in_words("AWS", name);
    let parts: Vec<&str> = name.splitn(6, ':').collect();
    let (account, resource) = match parts[..] {
        ["*"] => return Some(words()),
        [account] => (account, "root"),
        ["arn", _, "iam" | "sts", _, account, resource] => (account, resource),
        _ => return Some(words()),
    };
    if account == home.account.as_str() {
        let role = home.role_arn.rsplit('/').next().unwrap_or_default();
        let is_session =
            resource.strip_prefix("assumed-role/").and_then(|rest| rest.split('/').next()) == Some(role);
        return if name == home.role_arn || is_session {
            Some("the role itself".to_owned())
        } else {
            (resource == "root")
                .then(|| format!("any principal of its own account {account} that may assume it"))
        };
    }
    // A principal that was deleted is no account; nobody is it any more.
    let account: AccountId = account.parse().ok()?;
    if requires_organization(condition, home.organization) {
        return None;
    }
    match home.accounts {
        Some(accounts) if accounts.account(&account).is_some() => None,
        Some(_) => Some(format!("{}, outside the organization", words())),
        None => Some(format!("{}, of which it is not known whether it is in the organization", words())),
    }
}

/// Whether only principals of our organization satisfy the condition.
fn requires_organization(condition: Option<&Value>, ours: Option<&str>) -> bool {
    let Some(ours) = ours else { return false };
    required(condition, |key| key.eq_ignore_ascii_case("aws:PrincipalOrgID"))
        .any(|values| listed(values).all(|value| value.as_str() == Some(ours)))
}

/// Whether the condition admits some values only of this claim of an identity provider's (`SAML:sub`,
/// `token.actions.githubusercontent.com:sub`).
fn limits(condition: Option<&Value>, claim: &str) -> bool {
    let of_claim = |key: &str| key.rsplit_once(':').is_some_and(|(_, last)| last.eq_ignore_ascii_case(claim));
    required(condition, of_claim)
        .any(|values| listed(values).all(|value| !matches!(value.as_str(), None | Some("*"))))
}

/// The values of which a text has to be one, for each key that is meant.
fn required(condition: Option<&Value>, is_meant: impl Fn(&str) -> bool) -> impl Iterator<Item = &Value> {
    let operators = condition.and_then(Value::as_object).into_iter().flatten();
    let positive = operators.filter(|(operator, _)| {
        let operator = operator.to_ascii_lowercase();
        matches!(
            operator.trim_start_matches("foranyvalue:"),
            "stringequals" | "stringequalsignorecase" | "stringlike"
        )
    });
    positive
        .filter_map(|(_, keys)| keys.as_object())
        .flatten()
        .filter(move |(key, _)| is_meant(key))
        .map(|(_, values)| values)
}

#[cfg(test)]
mod tests;
