//! Whom a policy lets in from outside an account.

use super::read::{LONGEST, MORE};
use crate::safe::short_line;
use percent_encoding::percent_decode_str;
use serde_json::{Map, Value};

/// Maximum number of principals that are kept of one call.
const MOST: usize = 20;

/// Those who are let in from outside an account, each once.
pub(super) struct Outside<'a> {
    account: Option<&'a str>,
    found: Vec<String>,
}

impl<'a> Outside<'a> {
    /// None yet, from outside this account. Without an account every other one is outside.
    pub fn of(account: Option<&'a str>) -> Self {
        Self { account, found: Vec::new() }
    }

    pub fn into_found(mut self) -> Vec<String> {
        if self.found.len() > MOST {
            self.found.truncate(MOST - 1);
            self.found.push(MORE.to_owned());
        }
        self.found
    }

    /// A principal that is named by itself: an account, an ARN, `*`, a service, a URL of an identity provider.
    pub fn principal(&mut self, principal: &str) {
        let is_service = principal.ends_with(".amazonaws.com") || principal.ends_with(".amazonaws.com.cn");
        if principal.is_empty() || (is_service && !principal.contains('/')) {
            return;
        }
        let account = match principal.strip_prefix("arn:") {
            Some(arn) => arn.split(':').nth(3),
            None => Some(principal),
        };
        if account.is_none() || account != self.account {
            self.add(principal);
        }
    }

    /// A policy: an object, or its text, which may be percent-encoded. One that cannot be read lets nobody in.
    pub fn document(&mut self, document: &Value) {
        let read;
        let document = match document {
            Value::String(text) => {
                let Some(parsed) = parsed(text) else { return };
                read = parsed;
                &read
            }
            other => other,
        };
        for statement in each(document.get("Statement").unwrap_or(document)) {
            if let Value::Object(statement) = statement {
                self.statement(statement);
            }
        }
    }

    fn statement(&mut self, statement: &Map<String, Value>) {
        let allows =
            statement.get("Effect").and_then(Value::as_str).is_some_and(|e| e.eq_ignore_ascii_case("Allow"));
        if !allows {
            return;
        }
        if statement.contains_key("NotPrincipal") {
            self.everybody(statement);
        }
        match statement.get("Principal") {
            Some(Value::String(_)) => self.everybody(statement),
            Some(Value::Object(kinds)) => {
                for (kind, principals) in kinds {
                    for principal in each(principals).iter().filter_map(|principal| principal.as_str()) {
                        match kind.as_str() {
                            "Service" => {}
                            "Federated" => self.provider(principal),
                            _ if principal == "*" => self.everybody(statement),
                            _ => self.principal(principal),
                        }
                    }
                }
            }
            _ => {}
        }
    }

    /// `*`, or to whom a condition narrows it.
    fn everybody(&mut self, statement: &Map<String, Value>) {
        let Some(names) = narrowed(statement) else { return self.add("*") };
        for name in names {
            self.principal(&name);
        }
    }

    /// The host of an identity provider; the ARN of one that has none.
    fn provider(&mut self, provider: &str) {
        self.add(provider.split_once(":oidc-provider/").map_or(provider, |(_, url)| host(url)));
    }

    /// An identity provider by its URL.
    pub fn url(&mut self, url: &str) {
        self.add(host(url));
    }

    fn add(&mut self, one: &str) {
        let one = short_line(one, LONGEST);
        if self.found.len() <= MOST && !self.found.contains(&one) {
            self.found.push(one);
        }
    }
}

fn host(url: &str) -> &str {
    let url = url.strip_prefix("https://").unwrap_or(url);
    url.split('/').next().unwrap_or(url)
}

fn parsed(text: &str) -> Option<Value> {
    serde_json::from_str(text).ok().or_else(|| {
        let decoded = percent_decode_str(text).decode_utf8().ok()?;
        serde_json::from_str(&decoded).ok()
    })
}

/// The elements of a list; what is no list is its own only element.
fn each(value: &Value) -> &[Value] {
    match value {
        Value::Array(values) => values,
        one => std::slice::from_ref(one),
    }
}

/// The organizations or accounts to which a condition limits a statement for everybody. The id of an organization
/// does not show whose it is: a thief may have named his own.
fn narrowed(statement: &Map<String, Value>) -> Option<Vec<String>> {
    let keys = [
        "aws:principalorgid",
        "aws:sourceorgid",
        "aws:principalaccount",
        "aws:sourceaccount",
        "aws:sourceowner",
    ];
    let operators = ["stringequals", "stringequalsignorecase", "stringlike"];
    let condition = statement.get("Condition")?.as_object()?;
    for (operator, tests) in condition {
        let operator = operator.to_ascii_lowercase();
        let operator = operator.strip_prefix("foranyvalue:").unwrap_or(&operator);
        if !operators.contains(&operator) {
            continue;
        }
        for (key, values) in tests.as_object()? {
            let values: Vec<String> =
                each(values).iter().filter_map(|v| v.as_str()).map(str::to_owned).collect();
            let exact = !values.is_empty() && !values.iter().any(|value| value.contains(['*', '?', '$']));
            if exact && keys.contains(&key.to_ascii_lowercase().as_str()) {
                return Some(values);
            }
        }
    }
    None
}
