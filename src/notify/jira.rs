//! Jira Cloud: its REST API, version 3.

use super::rest::{Failure, Rest, TicketRef};
use super::text::clipped;
use serde_json::{Value, json};
use url::Url;

/// Maximum length of a summary.
const SUMMARY: usize = 255;

/// Maximum length of a description or a comment, in characters; Jira takes 32,767.
const LONGEST: usize = 30_000;

/// A project in Jira.
pub(super) struct Jira<'a> {
    pub rest: Rest<'a>,
    pub project: &'a str,
    pub issue_type: &'a str,
    pub close_transition: Option<&'a str>,
}

impl Jira<'_> {
    /// The ticket with this mark, which is one of its labels.
    pub async fn find(&self, mark: &str) -> Result<Option<TicketRef>, Failure> {
        let jql = format!("project = \"{}\" AND labels = \"{mark}\" ORDER BY created ASC", self.project);
        let query = [("jql", jql.as_str()), ("fields", "labels"), ("maxResults", "1")];
        let answer = self.rest.get(&["rest", "api", "3", "search", "jql"], &query).await?;
        Ok(answer["issues"].get(0).and_then(ticket))
    }

    pub async fn open(
        &self,
        mark: &str,
        title: &str,
        text: &str,
        page: Option<&Url>,
    ) -> Result<TicketRef, Failure> {
        let body = json!({"fields": {
            "project": {"key": self.project},
            "issuetype": {"name": self.issue_type},
            "summary": clipped(title, SUMMARY),
            "description": document(text, page),
            "labels": ["rescind", mark],
        }});
        let answer = self.rest.post(&["rest", "api", "3", "issue"], &[], &body).await?;
        ticket(&answer).ok_or_else(|| Failure::because("Jira: the answer has no key of an issue"))
    }

    pub async fn comment(&self, ticket: &TicketRef, text: &str, page: Option<&Url>) -> Result<(), Failure> {
        let body = json!({"body": document(text, page)});
        self.rest.post(&["rest", "api", "3", "issue", ticket.handle(), "comment"], &[], &body).await?;
        Ok(())
    }

    /// Moves it to a status that is done, with a comment. What is done already stays as it is.
    pub async fn close(&self, ticket: &TicketRef, text: &str, page: Option<&Url>) -> Result<(), Failure> {
        if self.is_done(ticket).await? {
            return Ok(());
        }
        let wanted = |one: &Value| match self.close_transition {
            Some(name) => one["name"].as_str().is_some_and(|known| known.eq_ignore_ascii_case(name)),
            None => category(&one["to"]) == Some("done"),
        };
        let transition = self.transition(ticket, wanted).await?.ok_or_else(|| {
            let missing = match self.close_transition {
                Some(name) => format!("no transition from where it stands is called {name:?}"),
                None => {
                    "no transition leads to a status of the category done: see close_transition".to_owned()
                }
            };
            Failure::because(format!("Jira: {} cannot be closed: {missing}", ticket.key))
        })?;
        self.go(ticket, &transition).await?;
        self.comment(ticket, text, page).await
    }

    /// Moves it to a status that is not done. Gives false where the workflow has no way back.
    pub async fn reopen(&self, ticket: &TicketRef) -> Result<bool, Failure> {
        if !self.is_done(ticket).await? {
            return Ok(true);
        }
        let wanted = |one: &Value| category(&one["to"]).is_some_and(|category| category != "done");
        match self.transition(ticket, wanted).await? {
            Some(transition) => self.go(ticket, &transition).await.map(|()| true),
            None => Ok(false),
        }
    }

    async fn is_done(&self, ticket: &TicketRef) -> Result<bool, Failure> {
        let path = ["rest", "api", "3", "issue", ticket.handle()];
        let answer = self.rest.get(&path, &[("fields", "status")]).await?;
        Ok(category(&answer["fields"]["status"]) == Some("done"))
    }

    /// The id of the first transition that is wanted, of those that the ticket can make now.
    async fn transition(
        &self,
        ticket: &TicketRef,
        is_wanted: impl Fn(&Value) -> bool,
    ) -> Result<Option<String>, Failure> {
        let path = ["rest", "api", "3", "issue", ticket.handle(), "transitions"];
        let answer = self.rest.get(&path, &[]).await?;
        let found = answer["transitions"].as_array().into_iter().flatten().find(|one| is_wanted(one));
        Ok(found.and_then(|one| one["id"].as_str().map(str::to_owned)))
    }

    async fn go(&self, ticket: &TicketRef, transition: &str) -> Result<(), Failure> {
        let path = ["rest", "api", "3", "issue", ticket.handle(), "transitions"];
        self.rest.post(&path, &[], &json!({"transition": {"id": transition}})).await?;
        Ok(())
    }
}

/// The category of a status: `new`, `indeterminate` or `done`, in every language.
fn category(status: &Value) -> Option<&str> {
    status["statusCategory"]["key"].as_str()
}

/// An issue as Jira names it.
fn ticket(issue: &Value) -> Option<TicketRef> {
    let text = |name: &str| issue[name].as_str().filter(|text| !text.is_empty()).map(str::to_owned);
    let id = text("id");
    Some(TicketRef { key: text("key").or_else(|| id.clone())?, id })
}

/// A text in the Atlassian Document Format: a paragraph for each line, in which nothing is markup; and a link.
fn document(text: &str, page: Option<&Url>) -> Value {
    let text = clipped(text, LONGEST);
    let lines = text.lines().filter(|line| !line.trim().is_empty());
    let mut content: Vec<Value> =
        lines.map(|line| json!({"type": "paragraph", "content": [{"type": "text", "text": line}]})).collect();
    content.extend(page.map(|page| {
        let link = json!({"type": "link", "attrs": {"href": page}});
        json!({"type": "paragraph", "content": [{"type": "text", "text": page, "marks": [link]}]})
    }));
    json!({"type": "doc", "version": 1, "content": content})
}
