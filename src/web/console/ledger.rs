//! *Ledger*: what it has, who signs it, and how to verify it elsewhere.

use super::page::Frame;
use super::words::{Tone, When, Words};
use crate::config::WebRole;
use crate::ledger::Reader;
use crate::remediation::describe;
use crate::web::access::Places;
use crate::web::act;
use crate::web::app::App;
use crate::web::caller::Caller;
use crate::web::problem::Problem;
use askama::Template;
use axum::extract::{Query, State};
use axum::response::Response;
use serde::Deserialize;
use std::sync::Arc;

/// Number of entries on a page, those of AWS calls among them.
const PAGE: i64 = 100;

#[derive(Template)]
#[template(path = "console/ledger.html")]
struct LedgerPage {
    frame: Frame,
    identity: String,
    last: i64,
    /// The last entry under a checkpoint.
    provable: i64,
    checkpoint: Option<(u64, When, String)>,
    unsigned: u64,
    keys: Vec<(u64, String)>,
    witness: Option<(Tone, String, Option<When>)>,
    witnessed: Option<(u64, String)>,
    cosigners: usize,
    entries: Vec<EntryRow>,
    from: i64,
    to: i64,
}

struct EntryRow {
    entry: i64,
    at: When,
    text: String,
    /// Account and region, as far as it is about one.
    place: String,
    remediation: Option<String>,
}

/// Which entries are listed.
#[derive(Deserialize)]
pub(super) struct Wanted {
    before: Option<i64>,
}

pub(super) async fn page(
    State(app): State<Arc<App>>,
    caller: Caller,
    Query(wanted): Query<Wanted>,
) -> Result<Response, Problem> {
    act::require(&app, &caller, WebRole::Viewer, None).await?;
    let frame = Frame::of(&app, &caller, "/ledger", "Ledger");
    let live = app.shared.live();
    let cosigners = app.config.cosigners.len();
    let read = move |frame, reader: &Reader, _: &Places| {
        let last = reader.last()?;
        let (latest, made) = (reader.latest_checkpoint()?, reader.checkpointed()?);
        let checkpoint =
            latest.zip(made).map(|((size, note), (_, at))| (size, When::of(at), note.trim_end().to_owned()));
        let to = wanted.before.map_or(last, |before| before.saturating_sub(1)).clamp(0, last);
        let from = (to - PAGE).max(0);
        let (mut entries, _) = reader.after(from, usize::try_from(PAGE).unwrap_or(usize::MAX))?;
        entries.retain(|entry| entry.seq <= to);
        let row = |entry: crate::remediation::Entry| EntryRow {
            entry: entry.seq,
            at: When::of(entry.time),
            text: describe(&entry.event),
            place: [
                entry.subject.account.map(|one| one.to_string()),
                entry.subject.region.map(|one| one.to_string()),
            ]
            .into_iter()
            .flatten()
            .collect::<Vec<_>>()
            .join(" "),
            remediation: entry.subject.remediation,
        };
        let signed = checkpoint.as_ref().map_or(0, |(size, ..)| *size);
        Ok(LedgerPage {
            frame,
            identity: reader.identity()?,
            unsigned: last.unsigned_abs().saturating_sub(signed),
            checkpoint,
            keys: reader.named_keys()?.into_iter().map(|key| (key.seq, key.key.to_string())).collect(),
            witness: live.as_ref().and_then(|live| live.witness.as_ref()).map(|one| {
                let tone = if one.failures > 0 { Tone::Bad } else { Tone::Good };
                let error = one.error.as_ref().map(|error| format!("; fails: {error}"));
                let text = format!("{}{}", one.describe(), error.unwrap_or_default());
                (tone, text, one.at.map(When::of))
            }),
            witnessed: reader.last_witnessed()?.map(|one| (one.size, one.object)),
            cosigners,
            entries: entries.into_iter().rev().map(row).collect(),
            last,
            provable: i64::try_from(signed).unwrap_or(last).max(1),
            from,
            to,
        })
    };
    frame.filled(&app, read).await
}
