//! Reports, to download.

use super::described;
use crate::desk::DeskError;
use crate::digest::{Hashed, hex};
use crate::ident::AccountId;
use crate::identity::Identity;
use crate::ledger::{Ledger, Reader};
use crate::remediation::{Draft, Event, Reported, Selection};
use crate::report::{Format, Prepared, ReportError, write};
use crate::web::app::App;
use crate::web::caller::Caller;
use crate::web::problem::Problem;
use crate::web::report_turns::ReportTurn;
use aide::axum::ApiRouter;
use aide::axum::routing::get_with;
use axum::body::{Body, Bytes};
use axum::extract::{Query, State};
use axum::http::{HeaderValue, Method, StatusCode, header};
use axum::response::{IntoResponse, Response};
use clap::ValueEnum;
use futures::{StreamExt as _, stream};
use jiff::Timestamp;
use schemars::JsonSchema;
use serde::Deserialize;
use serde_json::json;
use std::fs::File;
use std::io::{BufWriter, Read, Seek};
use std::path::Path;
use std::sync::Arc;
use std::time::Duration;

/// Maximum time in which a report is taken.
const LONGEST: Duration = Duration::from_mins(5);

/// Size of a piece that is sent, in bytes.
const PIECE: usize = 64 * 1024;

pub(super) fn routes() -> ApiRouter<Arc<App>> {
    ApiRouter::new().api_route(
        "/v1/report",
        get_with(report, |mut o| {
            let text = || json!({"type": "string"});
            let kinds = [
                ("text/csv; charset=utf-8", text()),
                ("text/html; charset=utf-8", text()),
                ("application/x-ndjson", json!({})),
                ("application/json", json!({"type": ["object", "array"]})),
            ];
            described::other(o.inner_mut(), "The report, as a file.", &kinds);
            o.id("report").summary("A report, to download")
        }),
    )
}

/// Which report is wanted.
#[derive(Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
struct Wanted {
    /// The format.
    #[schemars(with = "Format")]
    format: String,
    /// Only what was found at this time or later.
    from: Option<Timestamp>,
    /// Only what was found before this time.
    to: Option<Timestamp>,
    /// Only in this account.
    #[schemars(regex(pattern = r"^[0-9]{12}$"))]
    account: Option<AccountId>,
    /// With an appendix: the ids of all requests and the proofs of all entries. Only for `html`.
    #[serde(default)]
    appendix: bool,
}

/// A report that was made: the file, its hash, and what is in it.
struct Made {
    file: File,
    /// Its turn ends when it was sent, or nobody takes it any more.
    turn: ReportTurn,
    sha256: String,
    remediations: u64,
    entries: i64,
}

async fn report(
    State(app): State<Arc<App>>,
    caller: Caller,
    method: Method,
    Query(wanted): Query<Wanted>,
) -> Result<Response, Problem> {
    caller.meant_it()?;
    if method == Method::HEAD {
        let detail = "a report is made when it is asked for with GET";
        return Err(Problem::new(StatusCode::METHOD_NOT_ALLOWED, "method_not_allowed", detail));
    }
    let format = Format::from_str(&wanted.format, false)
        .map_err(|_| Problem::invalid(format!("format: {:?}: there is no such format", wanted.format)))?;
    if wanted.appendix && format != Format::Html {
        return Err(Problem::invalid("appendix: only the format html has one"));
    }
    let who = caller.identity.as_ref().map(Identity::key).unwrap_or_default();
    let turn = app.reports.take(who).map_err(|detail| {
        Problem::new(StatusCode::TOO_MANY_REQUESTS, "too_many_requests", detail)
            .with("Try again in a minute.")
    })?;
    let access = caller.access.clone();
    let shown = app.read(move |reader| Ok::<_, DeskError>(access.places(reader)?.shown())).await?;
    let accounts = match (wanted.account, shown) {
        (Some(account), Some(shown)) if !shown.contains(&account) => {
            return Err(Problem::not_found(format!(
                "there is nothing of account {account} that you may see"
            )));
        }
        (Some(account), _) => vec![account],
        (None, Some(shown)) if shown.is_empty() => {
            return Err(Problem::not_found("there is no account that you may see"));
        }
        (None, shown) => shown.unwrap_or_default(),
    };
    let selection = Selection { from: wanted.from, to: wanted.to, accounts, ..Selection::default() };
    let (directory, asked) = (app.config.ledger.clone(), selection.clone());
    let wanted = (format, wanted.appendix);
    let made = app.read_at_length(move |reader| make(reader, &directory, asked, wanted, turn)).await??;
    if let Some(identity) = caller.identity.clone() {
        let event = Event::Report(Box::new(Reported {
            format: format.name().to_owned(),
            selection,
            remediations: made.remediations,
            sha256: made.sha256.clone(),
            entries: made.entries.unsigned_abs(),
            os_user: String::new(),
            identity: Some(identity),
        }));
        app.write(async |ledger: &Ledger, _: &Reader| Ok(ledger.append(Draft::of_service(event)).await?))
            .await?;
    }
    Ok(answer(made, format))
}

/// Makes a report in a file that nobody else can open.
fn make(
    reader: &Reader,
    ledger: &Path,
    selection: Selection,
    (format, appendix): (Format, bool),
    turn: ReportTurn,
) -> Result<Made, Problem> {
    let failed = |error: std::io::Error| {
        tracing::error!("a report cannot be written beside the ledger: {error}");
        Problem::unavailable("the report cannot be written; the log of the service says why")
    };
    let prepared = Prepared::new(reader, selection, Timestamp::now()).map_err(problem)?;
    let prepared = prepared.with_appendix(appendix);
    let mut file = unnamed(ledger).map_err(failed)?;
    let mut out = BufWriter::with_capacity(PIECE, Hashed::new(&mut file));
    let remediations = write(&prepared, format, &mut out, &mut |_, _| {}).map_err(problem)?;
    let hashed = out.into_inner().map_err(|error| failed(error.into_error()))?;
    let sha256 = hashed.hex();
    file.rewind().map_err(failed)?;
    Ok(Made { file, turn, sha256, remediations, entries: prepared.head.entries })
}

fn problem(error: ReportError) -> Problem {
    match error {
        ReportError::Ledger(error) => error.into(),
        ReportError::Asked(why) => Problem::invalid(why),
        ReportError::Io(error) => {
            tracing::error!("a report cannot be written: {error}");
            Problem::unavailable("the report cannot be written; the log of the service says why")
        }
    }
}

/// A new file beside the ledger, where there is room for what is as secret, without a name.
fn unnamed(ledger: &Path) -> std::io::Result<File> {
    let mut path = ledger.as_os_str().to_owned();
    let mut number = [0_u8; 8];
    getrandom::fill(&mut number).map_err(std::io::Error::other)?;
    path.push(format!(".report-{}", hex(&number)));
    let mut options = File::options();
    options.read(true).write(true).create_new(true);
    #[cfg(unix)]
    std::os::unix::fs::OpenOptionsExt::mode(&mut options, 0o600);
    let file = options.open(&path)?;
    std::fs::remove_file(&path)?;
    Ok(file)
}

fn answer(made: Made, format: Format) -> Response {
    let (kind, extension) = match format {
        Format::Csv => ("text/csv; charset=utf-8", "csv"),
        Format::Jsonl | Format::Ocsf => ("application/x-ndjson", "jsonl"),
        Format::Json | Format::Asff => ("application/json", "json"),
        Format::Html => ("text/html; charset=utf-8", "html"),
    };
    let pieces = stream::unfold(Some((made.file, made.turn)), |state| async {
        let (mut file, turn) = state?;
        let read = tokio::task::spawn_blocking(move || {
            let mut piece = vec![0; PIECE];
            let count = file.read(&mut piece)?;
            piece.truncate(count);
            Ok::<_, std::io::Error>((file, Bytes::from(piece)))
        });
        match read.await {
            Ok(Ok((_, piece))) if piece.is_empty() => None,
            Ok(Ok((file, piece))) => Some((Ok(piece), Some((file, turn)))),
            Ok(Err(error)) => Some((Err(error), None)),
            Err(_) => None,
        }
    });
    // Whoever takes it too slowly does not keep it from others.
    let pieces = pieces.take_until(Box::pin(tokio::time::sleep(LONGEST)));
    let mut response = Body::from_stream(pieces).into_response();
    let headers = response.headers_mut();
    headers.insert(header::CONTENT_TYPE, HeaderValue::from_static(kind));
    let name = format!("attachment; filename=\"rescind-{}.{extension}\"", format.name());
    for (key, text) in [(header::CONTENT_DISPOSITION, name), (header::ETAG, format!("\"{}\"", made.sha256))] {
        if let Ok(value) = HeaderValue::from_str(&text) {
            headers.insert(key, value);
        }
    }
    response
}
