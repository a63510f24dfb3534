//! *Health*: how the service, its feeds, its channels and its log are doing.

use super::page::{Frame, html};
use super::words::{Tone, When, Words};
use crate::config::WebRole;
use crate::desk::Picture;
use crate::ingest::Health;
use crate::ledger::Reader;
use crate::service::Live;
use crate::web::act;
use crate::web::app::App;
use crate::web::caller::Caller;
use crate::web::problem::Problem;
use askama::Template;
use axum::extract::State;
use axum::response::Response;
use std::sync::Arc;

#[derive(Template)]
#[template(path = "console/health.html")]
struct HealthPage {
    frame: Frame,
    picture: Picture,
    verdict: (Tone, String),
    feeds: Vec<Feed>,
    channels: Vec<(String, Tone, String, Option<When>)>,
    retries: Vec<(String, u32, When)>,
    started: Option<When>,
    checkpoint: Option<When>,
}

struct Feed {
    name: String,
    tone: Tone,
    status: String,
    read: Option<When>,
    next: Option<When>,
    depth: String,
}

pub(super) async fn page(State(app): State<Arc<App>>, caller: Caller) -> Result<Response, Problem> {
    act::require(&app, &caller, WebRole::Viewer, None).await?;
    let frame = Frame::of(&app, &caller, "/health", "Health");
    let config = Arc::clone(&app.config);
    let picture = app.read(move |reader: &Reader| Picture::take(&config, reader)).await?;
    html(&HealthPage::of(frame, picture))
}

fn feed(name: String, health: &Health, depth: String) -> Feed {
    let (tone, status) = match (&health.error, &health.skipped, health.last_read) {
        (Some(error), ..) => (Tone::Bad, format!("failed {} times: {error}", health.failures)),
        (None, Some(why), _) => (Tone::Plain, format!("not read: {why}")),
        (None, None, None) => (Tone::Warn, "not read yet".to_owned()),
        (None, None, Some(_)) => (Tone::Good, "read".to_owned()),
    };
    Feed { name, tone, status, read: health.last_read.map(When::of), next: health.next.map(When::of), depth }
}

impl HealthPage {
    fn of(frame: Frame, picture: Picture) -> Self {
        let live = picture.live.as_ref();
        let blind = live.map(Live::blind).unwrap_or_default();
        let verdict = match live {
            None => (Tone::Bad, "No service is running: findings are not processed.".to_owned()),
            Some(live) if !live.is_alive() => (Tone::Bad, "The service shows no sign of life.".to_owned()),
            Some(_) if !blind.is_empty() => {
                (Tone::Bad, format!("rescind does not see everything: {}.", blind.join("; ")))
            }
            Some(_) if picture.needs_person() => (
                Tone::Warn,
                "The service works. Something needs a person: the page Now says what.".to_owned(),
            ),
            Some(_) => (Tone::Good, "The service works, and sees all its feeds.".to_owned()),
        };
        let mut feeds = Vec::new();
        if let Some(live) = live {
            let regions = live.regions.iter();
            feeds.extend(
                regions.map(|(region, health)| feed(format!("GuardDuty {region}"), health, String::new())),
            );
            feeds.extend(live.queues.iter().map(|queue| {
                let depth = queue
                    .depth
                    .as_ref()
                    .map(|depth| format!("{} waiting, {} in flight", depth.waiting, depth.in_flight));
                feed(queue.name.clone(), &queue.health, depth.unwrap_or_default())
            }));
            feeds.extend(live.folder.iter().map(|health| feed("folder".to_owned(), health, String::new())));
        }
        let channel = |one: &crate::desk::ChannelPicture| {
            let (tone, text) = match &one.error {
                Some(error) => (Tone::Bad, format!("failed {} times: {error}", one.failures)),
                None => (Tone::Good, "works, as far as was tried".to_owned()),
            };
            (one.channel.clone(), tone, text, one.failed_since.map(When::of))
        };
        let retries = live.map(|live| live.retries.as_slice()).unwrap_or_default();
        Self {
            frame,
            verdict,
            feeds,
            channels: picture.channels.iter().map(channel).collect(),
            retries: retries
                .iter()
                .map(|one| (one.remediation.clone(), one.failures, When::of(one.next)))
                .collect(),
            started: live.map(|live| When::of(live.started)),
            checkpoint: picture.checkpoint_at.map(When::of),
            picture,
        }
    }
}
