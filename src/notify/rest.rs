//! Calls to a ticket system: JSON over HTTPS, with a token that appears nowhere else.

use super::Undelivered;
use super::webhook::retry_after;
use crate::chain::chain;
use crate::config::TicketSystem;
use crate::safe;
use base64::Engine;
use base64::engine::general_purpose::STANDARD as BASE64;
use reqwest::{Method, StatusCode};
use serde_json::Value;

/// Maximum size of an answer that is read.
const MOST: usize = 1 << 20;

/// Maximum length of what an answer says about a refusal, in characters.
const LONGEST_REASON: usize = 180;

/// A ticket in its system.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct TicketRef {
    /// Its key or number, as people know it.
    pub key: String,
    /// Its id, where that is not the key.
    pub id: Option<String>,
}

impl TicketRef {
    /// What calls name it by.
    pub fn handle(&self) -> &str {
        self.id.as_deref().unwrap_or(&self.key)
    }
}

/// Why a call to a ticket system led to nothing.
#[derive(Debug)]
pub(super) enum Failure {
    /// There is no such ticket, or it may not be seen.
    Missing(Undelivered),
    /// Anything else.
    Other(Undelivered),
}

impl From<Failure> for Undelivered {
    fn from(failure: Failure) -> Self {
        match failure {
            Failure::Missing(why) | Failure::Other(why) => why,
        }
    }
}

impl Failure {
    pub fn because(text: impl Into<String>) -> Self {
        Self::Other(Undelivered::new(text))
    }
}

/// A ticket system that is called.
pub(super) struct Rest<'a> {
    client: &'a reqwest::Client,
    system: &'a TicketSystem,
    /// Its name, for errors.
    name: &'static str,
}

impl<'a> Rest<'a> {
    pub fn new(client: &'a reqwest::Client, system: &'a TicketSystem, name: &'static str) -> Self {
        Self { client, system, name }
    }

    pub async fn get(&self, path: &[&str], query: &[(&str, &str)]) -> Result<Value, Failure> {
        self.call(Method::GET, path, query, None).await
    }

    pub async fn post(&self, path: &[&str], query: &[(&str, &str)], body: &Value) -> Result<Value, Failure> {
        self.call(Method::POST, path, query, Some(body)).await
    }

    pub async fn patch(&self, path: &[&str], query: &[(&str, &str)], body: &Value) -> Result<Value, Failure> {
        self.call(Method::PATCH, path, query, Some(body)).await
    }

    /// One call. Gives null when the answer has no body.
    async fn call(
        &self,
        method: Method,
        path: &[&str],
        query: &[(&str, &str)],
        body: Option<&Value>,
    ) -> Result<Value, Failure> {
        let mut url = self.system.url.clone();
        if let Ok(mut segments) = url.path_segments_mut() {
            segments.pop_if_empty().extend(path);
        }
        if !query.is_empty() {
            url.query_pairs_mut().extend_pairs(query);
        }
        let token = self.system.token.read().map_err(|error| Failure::because(chain(&error)))?;
        let request = self.client.request(method, url).header("accept", "application/json");
        let request = match &self.system.user {
            Some(user) => request.basic_auth(user, Some(&token)),
            None => request.bearer_auth(&token),
        };
        let request = match body {
            Some(body) => {
                let body = safe::json_line(body).map_err(|error| Failure::because(error.to_string()))?;
                request.header("content-type", "application/json").body(body)
            }
            None => request,
        };
        let unanswered = |error: reqwest::Error| {
            let why = chain(&error.without_url());
            Failure::because(format!("{} does not answer: {why}", self.name))
        };
        let mut answer = request.send().await.map_err(unanswered)?;
        let status = answer.status();
        let pause = retry_after(&answer);
        let mut text = Vec::new();
        while let Some(part) = answer.chunk().await.map_err(unanswered)? {
            text.extend_from_slice(&part);
            if text.len() > MOST {
                return Err(Failure::because(format!("{}: the answer is too long", self.name)));
            }
        }
        if status.is_success() {
            if text.is_empty() {
                return Ok(Value::Null);
            }
            return serde_json::from_slice(&text)
                .map_err(|_| Failure::because(format!("{}: the answer is not JSON", self.name)));
        }
        let said = self.said(status, &text, &token);
        let text = format!("{} answered {status}{said}{}", self.name, self.advice(status));
        let why = Undelivered { retry_after: pause, ..Undelivered::new(text) };
        Err(if status == StatusCode::NOT_FOUND { Failure::Missing(why) } else { Failure::Other(why) })
    }

    /// What an answer says about a refusal, without the token: a server could repeat what it was sent.
    fn said(&self, status: StatusCode, text: &[u8], token: &str) -> String {
        let Some(said) = said(text).filter(|_| status != StatusCode::UNAUTHORIZED) else {
            return String::new();
        };
        let user = self.system.user.as_deref().unwrap_or_default();
        let encoded = BASE64.encode(format!("{user}:{token}"));
        let said = said.replace(token, "***").replace(&encoded, "***");
        format!(": {}", safe::short_line(&said, LONGEST_REASON))
    }

    /// What to do about a refusal.
    fn advice(&self, status: StatusCode) -> String {
        match status {
            StatusCode::UNAUTHORIZED => {
                let user = self
                    .system
                    .user
                    .as_deref()
                    .map_or_else(String::new, |user| format!(" or the user {user}"));
                format!(". The token{user} is not accepted: see {:?}", self.system.token)
            }
            StatusCode::FORBIDDEN => ". The token's user may not do that".to_owned(),
            StatusCode::NOT_FOUND => ". It is not there, or the token's user may not see it".to_owned(),
            _ => String::new(),
        }
    }
}

/// What an answer says about a refusal: Jira's `errorMessages` and `errors`, ServiceNow's `error`.
fn said(text: &[u8]) -> Option<String> {
    let answer: Value = serde_json::from_slice(text).ok()?;
    let strings = |value: &Value| value.as_str().map(str::to_owned);
    let mut all: Vec<String> =
        answer["errorMessages"].as_array().into_iter().flatten().filter_map(strings).collect();
    let fields = answer["errors"].as_object().into_iter().flatten();
    all.extend(fields.filter_map(|(field, why)| Some(format!("{field}: {}", why.as_str()?))));
    all.extend(["message", "detail"].iter().filter_map(|name| strings(&answer["error"][name])));
    (!all.is_empty()).then(|| all.join("; "))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_refusal_says_what_the_system_says() {
        let of = |text: &str| said(text.as_bytes());
        let jira = r#"{"errorMessages": ["no"], "errors": {"project": "valid project is required"}}"#;
        assert_eq!(of(jira).as_deref(), Some("no; project: valid project is required"));
        let servicenow =
            r#"{"error": {"message": "User Not Authenticated", "detail": null}, "status": "failure"}"#;
        assert_eq!(of(servicenow).as_deref(), Some("User Not Authenticated"));
        assert_eq!((of("<html>"), of("{}")), (None, None));
    }
}
