//! Systems in which a ticket is opened for each incident.

use super::secret::{Secret, check_url};
use std::path::Path;
use url::Url;

/// Where tickets are opened, and as whom.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct TicketSystem {
    /// Its address, such as `https://example.atlassian.net`.
    pub url: Url,
    /// The user of the token; none where the token is enough by itself (a bearer token).
    pub user: Option<String>,
    /// Where the token, or the user's password, stands.
    pub token: Secret,
    /// Whose it is.
    pub product: TicketProduct,
}

/// What a ticket system is, and what it must know beside the text.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum TicketProduct {
    /// Jira Cloud.
    Jira {
        /// Key of the project.
        project: String,
        /// Name of the issue type.
        issue_type: String,
        /// Name of the transition that closes; none for the first that leads to a status of the category *done*.
        close_transition: Option<String>,
    },
    /// ServiceNow.
    ServiceNow {
        /// The value of `close_code` in a ticket that is closed.
        close_code: String,
    },
}

/// The keys of a ticket system in a channel.
pub(super) struct RawTickets {
    pub jira: Option<String>,
    pub servicenow: Option<String>,
    pub project: Option<String>,
    pub issue_type: Option<String>,
    pub close_transition: Option<String>,
    pub close_code: Option<String>,
    pub user: Option<String>,
    pub token: Option<Secret>,
}

impl RawTickets {
    /// The system that these keys describe; none when there is none of them.
    ///
    /// # Errors
    /// The key that is wrong, and what is expected of it.
    pub fn system(self) -> Result<Option<TicketSystem>, (&'static str, &'static str)> {
        let of_jira = self.project.is_some() || self.issue_type.is_some() || self.close_transition.is_some();
        let given = |key: &'static str, is_given: bool| is_given.then_some(key);
        let (project, issue_type) =
            (given("project", self.project.is_some()), given("issue_type", self.issue_type.is_some()));
        let first_of_jira = project.or(issue_type).unwrap_or("close_transition");
        let misplaced = match (&self.jira, &self.servicenow) {
            (Some(_), Some(_)) => Some(("servicenow", "expected jira or servicenow, not both")),
            (None, _) if of_jira => {
                Some((first_of_jira, "project, issue_type and close_transition are for jira"))
            }
            (_, None) if self.close_code.is_some() => Some(("close_code", "it is for servicenow")),
            (None, None) if self.user.is_some() || self.token.is_some() => {
                let key = given("user", self.user.is_some()).unwrap_or("token");
                Some((key, "user, token_env and token_file are for jira and servicenow"))
            }
            _ => None,
        };
        if let Some(misplaced) = misplaced {
            return Err(misplaced);
        }
        let address = given("jira", self.jira.is_some()).unwrap_or("servicenow");
        let (url, product) = match (self.jira, self.servicenow) {
            (Some(url), _) => {
                let project =
                    self.project.ok_or(("jira", "expected the key of a project beside it (project)"))?;
                let is_key = |c: char| c.is_ascii_alphanumeric() || c == '_';
                if project.is_empty() || !project.chars().all(is_key) {
                    return Err(("project", "expected the key of a Jira project, such as \"SEC\""));
                }
                let issue_type = self.issue_type.unwrap_or_else(|| "Task".to_owned());
                let close_transition = self.close_transition;
                (url, TicketProduct::Jira { project, issue_type, close_transition })
            }
            (None, Some(url)) => {
                let close_code = self.close_code.unwrap_or_else(|| "Solution provided".to_owned());
                (url, TicketProduct::ServiceNow { close_code })
            }
            (None, None) => return Ok(None),
        };
        let wrong = (
            address,
            "expected an https URL without a user, a query and a fragment, or http to this machine (it is not shown)",
        );
        // What stands before an @ is a secret, and is not shown.
        let url: Url = match check_url(&url) {
            Ok(()) if !url.contains(['@', '?', '#']) => url.parse().map_err(|_| wrong)?,
            _ => return Err(wrong),
        };
        let token = self.token.ok_or((
            address,
            "expected token_env or token_file beside it: the token that tickets are opened with",
        ))?;
        if self.user.as_ref().is_some_and(|user| user.is_empty() || user.contains(':')) {
            return Err(("user", "expected a name without a colon"));
        }
        Ok(Some(TicketSystem { url, user: self.user, token, product }))
    }
}

impl TicketSystem {
    /// Its files stand in this directory, unless they say otherwise.
    pub(super) fn stand_in(&mut self, directory: &Path) {
        self.token.stand_in(directory);
    }
}
