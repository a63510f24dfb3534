//! What all pages have: the bar, who is logged in, a notice of what was done; and how a page becomes an answer.

use super::assets;
use crate::config::WebRole;
use crate::ledger::Reader;
use crate::safe::{Cleaned, line};
use crate::web::access::{Access, Places};
use crate::web::app::App;
use crate::web::caller::Caller;
use crate::web::problem::Problem;
use askama::Template;
use axum::http::{HeaderValue, header};
use axum::response::{IntoResponse, Redirect, Response};
use serde::Deserialize;

/// Who finds a page in the bar: nobody finds one that would be refused.
#[derive(Clone, Copy, PartialEq, Eq)]
enum For {
    Everybody,
    /// Who may read about every account.
    WholeView,
    Operators,
}

/// The pages of the bar: their addresses and names, and who can open them.
const PAGES: [(&str, &str, For); 9] = [
    ("/", "Now", For::Everybody),
    ("/incidents", "Incidents", For::Everybody),
    ("/remediations", "History", For::Everybody),
    ("/alerts", "Alerts", For::Everybody),
    ("/coverage", "Coverage", For::Everybody),
    ("/opt-outs", "Opt-outs and rules", For::WholeView),
    ("/ledger", "Ledger", For::WholeView),
    ("/health", "Health", For::WholeView),
    ("/revoke", "Revoke", For::Operators),
];

/// What stands around each page.
#[derive(Default)]
pub(in crate::web) struct Frame {
    pub title: String,
    /// The page of the bar that this one belongs to.
    pub here: &'static str,
    /// Who asks, and the highest role that they have; empty for somebody who is not known.
    pub who: String,
    pub role: Option<WebRole>,
    access: Access,
    /// What a form of this page gives back.
    pub form_token: Option<String>,
    /// What was just done.
    pub notice: Option<&'static str>,
    /// The page is kept up to date by the script.
    pub is_live: bool,
    /// Somebody can prove who they are.
    pub has_identities: bool,
}

/// What was just done, as a code: nothing that somebody else wrote into an address is shown.
#[derive(Deserialize)]
pub(super) struct Done {
    done: Option<String>,
}

impl Done {
    /// It says no more than that something was sent: whoever makes a link can write a code into it, and what became of it
    /// stands on the page.
    fn notice(&self) -> Option<&'static str> {
        Some(match self.done.as_deref()? {
            "approved" | "counted" | "rejected" | "done_by_hand" => {
                "Your answer was sent. Below is what the ledger has of it."
            }
            "released" => "The release was asked for. Below is where it stands.",
            "ordered" => "The order was sent. rescind decides about it within seconds.",
            "doors" | "pursued" | "acknowledged" => "Sent. Below is what the ledger has of it.",
            _ => return None,
        })
    }
}

impl Frame {
    /// Of a page for somebody who is not known: without the bar's pages.
    pub fn alone(title: impl Into<String>) -> Self {
        Self { title: title.into(), ..Self::default() }
    }

    /// Of the page `title`, which belongs to the page of the bar at `here`.
    pub fn of(app: &App, caller: &Caller, here: &'static str, title: impl Into<String>) -> Self {
        let who = caller.identity.as_ref().map(|identity| line(identity.name()));
        Self {
            title: title.into(),
            here,
            who: who.unwrap_or_default(),
            role: caller.access.highest(),
            access: caller.access.clone(),
            form_token: caller.form_token.clone(),
            notice: None,
            is_live: true,
            has_identities: app.knows_identities(),
        }
    }

    pub(super) fn with(mut self, done: &Done) -> Self {
        self.notice = done.notice();
        self
    }

    /// A page in which somebody writes does not change under their hands.
    pub fn still(mut self) -> Self {
        self.is_live = false;
        self
    }

    /// The pages of the bar that whoever asks can open, each with whether it is this one.
    pub fn pages(&self) -> impl Iterator<Item = (&'static str, &'static str, bool)> {
        let (role, whole) = (self.role, self.sees_everything());
        let is_shown = move |one: For| match one {
            For::Everybody => role.is_some(),
            For::WholeView => whole,
            For::Operators => role >= Some(WebRole::Operator),
        };
        let here = self.here;
        let shown = PAGES.into_iter().filter(move |(_, _, one)| is_shown(*one));
        shown.map(move |(address, name, _)| (address, name, address == here))
    }

    /// Whoever asks may read about every account, and about what is of none.
    pub fn sees_everything(&self) -> bool {
        self.access.sees_everything()
    }

    /// The page that is read from the ledger with this frame, as an answer.
    ///
    /// # Errors
    /// What the reading gives, and when the page cannot be made.
    pub async fn filled<P: Template + Send + 'static>(
        self,
        app: &App,
        read: impl FnOnce(Self, &Reader, &Places) -> Result<P, Problem> + Send + 'static,
    ) -> Result<Response, Problem> {
        let page = app.read(move |reader: &Reader| {
            let places = self.access.places(reader)?;
            read(self, reader, &places)
        });
        html(&page.await?)
    }

    pub fn style() -> String {
        assets::style()
    }

    pub fn script() -> String {
        assets::script()
    }
}

/// A page as an answer.
pub(in crate::web) fn html(page: &impl Template) -> Result<Response, Problem> {
    let mut text = Vec::new();
    let mut cleaned = Cleaned { out: &mut text, error: None };
    let rendered = page.render_into(&mut cleaned);
    if rendered.is_err() || cleaned.error.is_some() {
        return Err(Problem::unavailable("the page cannot be made"));
    }
    let kind = HeaderValue::from_static("text/html; charset=utf-8");
    Ok(([(header::CONTENT_TYPE, kind)], text).into_response())
}

/// Back to a page of ours after a form, with a notice of what was done.
pub(super) fn back_to(address: &str, done: &str) -> Response {
    Redirect::to(&format!("{address}?done={done}")).into_response()
}
