//! A ticket system, whichever it is.

use super::Notice;
use super::jira::Jira;
use super::rest::{Failure, Rest, TicketRef};
use super::service_now::ServiceNow;
use super::text;
use crate::config::{TicketProduct, TicketSystem};
use url::Url;

/// A ticket system, whichever it is.
pub(super) enum Tracker<'a> {
    Jira(Jira<'a>),
    ServiceNow(ServiceNow<'a>),
}

impl<'a> Tracker<'a> {
    pub fn new(client: &'a reqwest::Client, system: &'a TicketSystem) -> Self {
        let rest = |name| Rest::new(client, system, name);
        match &system.product {
            TicketProduct::Jira { project, issue_type, close_transition } => Self::Jira(Jira {
                rest: rest("Jira"),
                project,
                issue_type,
                close_transition: close_transition.as_deref(),
            }),
            TicketProduct::ServiceNow { close_code } => {
                Self::ServiceNow(ServiceNow { rest: rest("ServiceNow"), close_code })
            }
        }
    }

    /// The ticket with this mark.
    pub async fn find(&self, mark: &str) -> Result<Option<TicketRef>, Failure> {
        match self {
            Self::Jira(jira) => jira.find(mark).await,
            Self::ServiceNow(service_now) => service_now.find(mark).await,
        }
    }

    /// Opens a ticket for a notice.
    pub async fn open(&self, mark: &str, notice: &Notice, page: Option<&Url>) -> Result<TicketRef, Failure> {
        let text = text::body(notice);
        match self {
            Self::Jira(jira) => jira.open(mark, &notice.title, &text, page).await,
            Self::ServiceNow(service_now) => {
                service_now.open(mark, &notice.title, &with_page(&text, page), notice.level).await
            }
        }
    }

    /// Adds a comment, which only those see who work on the ticket.
    pub async fn comment(&self, ticket: &TicketRef, text: &str) -> Result<(), Failure> {
        match self {
            Self::Jira(jira) => jira.comment(ticket, text, None).await,
            Self::ServiceNow(service_now) => service_now.comment(ticket, text).await,
        }
    }

    pub async fn close(&self, ticket: &TicketRef, text: &str, page: Option<&Url>) -> Result<(), Failure> {
        match self {
            Self::Jira(jira) => jira.close(ticket, text, page).await,
            Self::ServiceNow(service_now) => service_now.close(ticket, &with_page(text, page)).await,
        }
    }

    /// Opens it again. Gives false where that is left to a person.
    pub async fn reopen(&self, ticket: &TicketRef) -> Result<bool, Failure> {
        match self {
            Self::Jira(jira) => jira.reopen(ticket).await,
            Self::ServiceNow(service_now) => service_now.reopen(ticket).await.map(|()| true),
        }
    }

    /// Opens a ticket that says that it is a test, comments on it, and closes it.
    pub async fn test(&self, notice: &Notice) -> Result<(), Failure> {
        let ticket = self.open(&notice.id, notice, None).await?;
        self.comment(&ticket, "A test: comments arrive here.").await?;
        self.close(&ticket, "A test: tickets are closed.", None).await
    }
}

/// With the address of a page below it.
fn with_page(text: &str, page: Option<&Url>) -> String {
    page.map_or_else(|| text.to_owned(), |page| format!("{page}\n\n{text}"))
}
