//! *History*: the remediations, found by account, principal, state or id; and reports to download.

use super::page::Frame;
use super::words::{Tone, When, Words};
use crate::desk::{DeskError, RemediationLine};
use crate::ledger::{PageWanted, Reader};
use crate::remediation::{InForce, Rung, State};
use crate::web::access::Places;
use crate::web::app::App;
use crate::web::caller::Caller;
use crate::web::problem::Problem;
use askama::Template;
use axum::extract::{Query, State as Has};
use axum::response::Response;
use serde::Deserialize;
use std::sync::Arc;
use url::form_urlencoded::Serializer;

/// Number of remediations on a page.
const PAGE: usize = 50;

#[derive(Template)]
#[template(path = "console/history.html")]
struct HistoryPage {
    frame: Frame,
    wanted: Wanted,
    rows: Vec<Row>,
    is_filtered: bool,
    /// The address of the next page.
    older: Option<String>,
    /// The address of the first page, when this is another one.
    newest: Option<String>,
}

struct Row {
    line: RemediationLine,
    tone: Tone,
    opened: When,
    proof: String,
    in_force: String,
}

/// Which remediations are listed.
#[derive(Debug, Clone, Default, Deserialize)]
pub(super) struct Wanted {
    #[serde(default)]
    text: String,
    #[serde(default)]
    state: String,
    #[serde(default)]
    proof: String,
    #[serde(default)]
    account: String,
    #[serde(default)]
    before: String,
}

impl Wanted {
    /// The address of the page with the same search that begins before the remediation with this number.
    fn address(&self, before: Option<i64>) -> String {
        let mut query = Serializer::new(String::new());
        let given = [
            ("text", &self.text),
            ("state", &self.state),
            ("proof", &self.proof),
            ("account", &self.account),
        ];
        for (name, value) in given.into_iter().filter(|(_, value)| !value.is_empty()) {
            query.append_pair(name, value);
        }
        if let Some(before) = before {
            query.append_pair("before", &before.to_string());
        }
        format!("/remediations?{}", query.finish())
    }

    fn page(&self) -> Result<PageWanted, Problem> {
        let unknown =
            |name: &str, text: &str| Problem::invalid(format!("{name}: {text:?}: there is no such name"));
        let some = |text: &String| Some(text.trim().to_owned()).filter(|text| !text.is_empty());
        let state = some(&self.state).map(|text| text.parse().map_err(|_| unknown("state", &text)));
        let proof = some(&self.proof).map(|text| text.parse().map_err(|_| unknown("proof", &text)));
        let before = some(&self.before).map(|text| text.parse().map_err(|_| unknown("before", &text)));
        Ok(PageWanted {
            states: state.transpose()?.into_iter().collect(),
            proofs: proof.transpose()?.into_iter().collect(),
            in_accounts: some(&self.account).into_iter().collect(),
            text: some(&self.text),
            before: before.transpose()?,
            ..PageWanted::default()
        })
    }
}

pub(super) async fn page(
    Has(app): Has<Arc<App>>,
    caller: Caller,
    Query(wanted): Query<Wanted>,
) -> Result<Response, Problem> {
    let frame = Frame::of(&app, &caller, "/remediations", "History");
    let mut asked = wanted.page()?;
    let read = move |frame, reader: &Reader, places: &Places| {
        asked.accounts = places.shown();
        let (known_until, found) = (reader.last_time()?, reader.latest(&asked, PAGE)?);
        let names = reader.account_names()?;
        let row = |id: &String| {
            let line = RemediationLine::of(&reader.remediation(id)?, known_until, &names);
            Ok(Row {
                tone: Tone::of(line.state),
                opened: When::of(line.opened_at),
                proof: line.proof.map_or_else(|| "–".to_owned(), |rung| rung.to_string()),
                in_force: line.in_force.as_ref().map_or_else(|| "–".to_owned(), InForce::percent),
                line,
            })
        };
        let rows = found.ids.iter().map(row).collect::<Result<Vec<_>, DeskError>>()?;
        let is_filtered =
            [&wanted.text, &wanted.state, &wanted.proof, &wanted.account].iter().any(|text| !text.is_empty());
        Ok(HistoryPage {
            frame,
            rows,
            is_filtered,
            older: found.next.map(|before| wanted.address(Some(before))),
            newest: (!wanted.before.is_empty()).then(|| wanted.address(None)),
            wanted,
        })
    };
    frame.filled(&app, read).await
}
