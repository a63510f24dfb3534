//! What happens, as it happens: server-sent events.

use super::described;
use crate::desk::DeskError;
use crate::ledger::Reader;
use crate::web::access::Places;
use crate::web::app::App;
use crate::web::caller::Caller;
use crate::web::problem::Problem;
use aide::axum::ApiRouter;
use aide::axum::routing::get_with;
use axum::extract::{Query, State};
use axum::http::HeaderMap;
use axum::response::sse::{Event, KeepAlive, Sse};
use axum::response::{IntoResponse, Response};
use futures::{StreamExt as _, stream};
use schemars::JsonSchema;
use serde::Deserialize;
use serde_json::json;
use std::collections::VecDeque;
use std::convert::Infallible;
use std::sync::Arc;
use std::time::Duration;

/// Interval between two signs of life.
const ALIVE: Duration = Duration::from_secs(20);

/// How long somebody is answered before it is looked again who they are: then they ask anew, from where they were.
const LONGEST: Duration = Duration::from_mins(1);

/// Maximum number of entries that are read at once.
const MOST: usize = 500;

pub(super) fn routes() -> ApiRouter<Arc<App>> {
    ApiRouter::new().api_route(
        "/v1/events",
        get_with(events, |mut o| {
            let event = json!({
                "type": "object",
                "properties": {
                    "event": {"type": "string", "enum": ["changed", "entry"]},
                    "id": {"type": "string", "pattern": "^[0-9]+$"},
                    "data": {"type": "string"},
                },
                "required": ["event", "id", "data"],
            });
            described::other(
                o.inner_mut(),
                "Server-sent events, each as this.",
                &[("text/event-stream", event)],
            );
            o.id("events").summary("What happens, as it happens: server-sent events")
        }),
    )
}

/// Which events are wanted.
#[derive(Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
struct Wanted {
    /// Each entry of the ledger, and not only that there are new ones.
    #[serde(default)]
    entries: bool,
    /// Entries after this number, instead of those from now on.
    after: Option<i64>,
}

/// `changed` each time that the ledger has new entries other than AWS calls, with the number of the last entry. With
/// `entries=true`, each of them that whoever asks may see.
async fn events(
    State(app): State<Arc<App>>,
    caller: Caller,
    headers: HeaderMap,
    Query(wanted): Query<Wanted>,
) -> Result<Response, Problem> {
    let access = caller.access.clone();
    let (places, last) =
        app.read(move |reader| Ok::<_, DeskError>((access.places(reader)?, reader.last()?))).await?;
    let resumed = headers.get("last-event-id").and_then(|value| value.to_str().ok()?.parse().ok());
    let seen = resumed.or(wanted.after).unwrap_or(last).clamp(0, last);
    let state =
        Watching { news: app.news(), app, places, wants: wanted.entries, seen, ready: VecDeque::new() };
    let end = tokio::time::sleep(LONGEST);
    let events = stream::unfold(state, Watching::next).take_until(Box::pin(end));
    Ok(Sse::new(events).keep_alive(KeepAlive::new().interval(ALIVE)).into_response())
}

/// Somebody who watches.
struct Watching {
    app: Arc<App>,
    news: tokio::sync::watch::Receiver<i64>,
    places: Places,
    /// They want each entry.
    wants: bool,
    /// The last entry that they know of.
    seen: i64,
    ready: VecDeque<Event>,
}

impl Watching {
    async fn next(mut self) -> Option<(Result<Event, Infallible>, Self)> {
        loop {
            if let Some(event) = self.ready.pop_front() {
                return Some((Ok(event), self));
            }
            let last = *self.news.borrow_and_update();
            if last <= self.seen {
                self.news.changed().await.ok()?;
                continue;
            }
            if self.wants {
                self.read().await?;
            } else {
                self.seen = last;
            }
            let changed = Event::default().event("changed").id(self.seen.to_string());
            self.ready.push_back(changed.data(format!("{{\"entry\":{}}}", self.seen)));
        }
    }

    /// Reads some entries. Without the ledger whoever watches asks again.
    async fn read(&mut self) -> Option<()> {
        let (seen, places) = (self.seen, self.places.clone());
        let (ready, seen) = self.app.read(move |reader| read(reader, &places, seen)).await.ok()?;
        (self.ready, self.seen) = (ready, seen);
        Some(())
    }
}

fn read(reader: &Reader, places: &Places, seen: i64) -> Result<(VecDeque<Event>, i64), DeskError> {
    let (entries, seen) = reader.after(seen, MOST)?;
    let mut ready = VecDeque::new();
    for entry in entries {
        if places.show(entry.subject.account.as_ref())
            && let Ok(text) = crate::safe::json_line(&entry)
        {
            ready.push_back(Event::default().event("entry").id(entry.seq.to_string()).data(text));
        }
    }
    Ok((ready, seen))
}
