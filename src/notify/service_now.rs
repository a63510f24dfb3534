//! ServiceNow: the Table API, table `incident`.

use super::rest::{Failure, Rest, TicketRef};
use super::text::clipped;
use crate::config::Level;
use serde_json::{Value, json};

/// Maximum length of a short description.
const SHORT: usize = 160;

/// Maximum length of a description, of work notes and of close notes, in characters.
const LONGEST: usize = 4000;

/// States of an incident: from *resolved* on it is not worked on any more.
const IN_PROGRESS: &str = "2";
const RESOLVED: &str = "6";
const OVER: [&str; 3] = ["6", "7", "8"];

/// What is read of an incident.
const FIELDS: (&str, &str) = ("sysparm_fields", "sys_id,number,state");

/// An instance of ServiceNow.
pub(super) struct ServiceNow<'a> {
    pub rest: Rest<'a>,
    pub close_code: &'a str,
}

impl ServiceNow<'_> {
    /// The ticket with this mark, which is its `correlation_id`.
    pub async fn find(&self, mark: &str) -> Result<Option<TicketRef>, Failure> {
        let wanted = format!("correlation_id={mark}^ORDERBYsys_created_on");
        let query = [("sysparm_query", wanted.as_str()), ("sysparm_limit", "1"), FIELDS];
        let answer = self.rest.get(&TABLE, &query).await?;
        Ok(answer["result"].get(0).and_then(ticket))
    }

    pub async fn open(
        &self,
        mark: &str,
        title: &str,
        text: &str,
        level: Level,
    ) -> Result<TicketRef, Failure> {
        let urgency = match level {
            Level::Critical => "1",
            Level::Warning => "2",
            Level::Info => "3",
        };
        let body = json!({
            "short_description": clipped(title, SHORT), "description": clipped(text, LONGEST),
            "urgency": urgency, "correlation_id": mark, "correlation_display": "rescind",
        });
        let answer = self.rest.post(&TABLE, &[FIELDS], &body).await?;
        ticket(&answer["result"]).ok_or_else(|| Failure::because("ServiceNow: the answer has no incident"))
    }

    pub async fn comment(&self, ticket: &TicketRef, text: &str) -> Result<(), Failure> {
        self.change(ticket, &json!({"work_notes": journal(text)})).await
    }

    /// Resolves it. What is resolved, closed or cancelled already stays as it is.
    pub async fn close(&self, ticket: &TicketRef, text: &str) -> Result<(), Failure> {
        if self.is_over(ticket).await? {
            return Ok(());
        }
        let notes = journal(text);
        let body = json!({"state": RESOLVED, "close_code": self.close_code, "close_notes": notes});
        self.change(ticket, &body).await
    }

    /// In progress again.
    pub async fn reopen(&self, ticket: &TicketRef) -> Result<(), Failure> {
        if !self.is_over(ticket).await? {
            return Ok(());
        }
        self.change(ticket, &json!({"state": IN_PROGRESS})).await
    }

    async fn is_over(&self, ticket: &TicketRef) -> Result<bool, Failure> {
        let answer = self.rest.get(&[&TABLE[..], &[ticket.handle()]].concat(), &[FIELDS]).await?;
        Ok(answer["result"]["state"].as_str().is_some_and(|state| OVER.contains(&state)))
    }

    async fn change(&self, ticket: &TicketRef, body: &Value) -> Result<(), Failure> {
        self.rest.patch(&[&TABLE[..], &[ticket.handle()]].concat(), &[FIELDS], body).await?;
        Ok(())
    }
}

/// Path of the table.
const TABLE: [&str; 4] = ["api", "now", "table", "incident"];

/// An incident as ServiceNow names it.
fn ticket(record: &Value) -> Option<TicketRef> {
    let text = |name: &str| record[name].as_str().filter(|text| !text.is_empty()).map(str::to_owned);
    let id = text("sys_id")?;
    Some(TicketRef { key: text("number").unwrap_or_else(|| id.clone()), id: Some(id) })
}

/// A text for a journal field, in which `[code]` begins HTML.
fn journal(text: &str) -> String {
    clipped(text, LONGEST).replace('[', "(").replace(']', ")")
}
