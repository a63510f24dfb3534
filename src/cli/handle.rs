//! `rescind handle FILE`: act on the findings in a file.

use super::exit::BadInput;
use super::follow::{self, follow};
use super::output::Screen;
use super::runtime::block_on;
use super::{Exit, signals, summary};
use crate::config::Config;
use crate::finding::Decoded;
use crate::ingest::{Input, Seen};
use crate::ledger::{LedgerError, Lock};
use crate::plural::counted;
use crate::service::{Purpose, Service};
use indicatif::{ProgressBar, ProgressStyle};
use std::path::PathBuf;
use std::sync::atomic::Ordering;
use tokio::sync::mpsc;
use tokio_util::sync::CancellationToken;

/// Maximum number of documents that are read ahead, and recorded together.
const BATCH: usize = 50;

#[derive(Debug, clap::Args)]
pub struct Args {
    /// A file, or - for standard input. One finding or many: JSON documents, gzipped or not.
    file: PathBuf,

    /// Beside a running service: wait until it has carried out what follows, and show the proof.
    #[arg(long)]
    wait: bool,
}

pub fn run(args: &Args, config: Config, screen: &Screen) -> anyhow::Result<Exit> {
    let mut input = Input::open(&args.file).map_err(|error| BadInput(error.to_string()))?;
    // Before anything else is done: whoever hands in what is none has to know that, and nothing more.
    let begun = up_to_a_finding(&mut input)?;
    block_on(async {
        let stop = signals::stop_token();
        // A running service decides, in the order of its work. Without one it is done here.
        let is_alone = Lock::holder(&config.ledger).is_none();
        let purpose = if is_alone { Purpose::Act { backlog: false } } else { Purpose::Plan };
        let starting = Service::start(config.for_one_run(), "handle", purpose, stop.clone());
        let service = tokio::select! {
            service = starting => service?,
            () = stop.cancelled() => return Ok(Exit::Interrupted),
        };
        if !is_alone {
            return Box::pin(hand_over(service, (begun, input), args.wait, screen, &stop)).await;
        }
        let done = async {
            service.recover().await?;
            take_in(&service, (begun, input), screen, &stop).await
        }
        .await;
        Box::pin(summary::finish(service, screen, done, "nothing new.", stop.is_cancelled())).await
    })
}

/// What the input begins with, up to the first finding that can be read.
///
/// # Errors
/// When there is something in it, and none of it can be read.
fn up_to_a_finding(input: &mut Input) -> Result<Vec<Vec<Decoded>>, BadInput> {
    let mut begun: Vec<Vec<Decoded>> = Vec::new();
    // What goes on for long with what cannot be read is taken in as it is.
    while begun.len() < BATCH {
        let Some(decoded) = input.findings.next() else {
            let mut unreadable = begun.iter().flatten().filter_map(|one| one.as_ref().err());
            let Some(first) = unreadable.next() else { break };
            let more = unreadable.count();
            let more = if more > 0 { format!(" (and {more} more)") } else { String::new() };
            let origin = &input.origin;
            return Err(BadInput(format!(
                "{origin}: no finding in it can be read, and nothing was done: {first}{more}"
            )));
        };
        let is_readable = decoded.iter().any(Result::is_ok);
        begun.push(decoded);
        if is_readable {
            break;
        }
    }
    Ok(begun)
}

/// Leaves what is in the input to the running service.
async fn hand_over(
    service: Service,
    (begun, input): (Vec<Vec<Decoded>>, Input),
    wait: bool,
    screen: &Screen,
    stop: &CancellationToken,
) -> anyhow::Result<Exit> {
    let origin = input.origin.clone();
    take_in(&service, (begun, input), screen, stop).await?;
    let unread = summary::of_input(service.reader(), service.started_at(), &origin, screen)?;
    let handed = service.handed_in().left_to_another();
    let (reader, config) = (service.ledger().reader()?, service.config().clone());
    service.stop("handed in").await?;
    screen.fields(
        &serde_json::json!({ "handed_in": handed.len(), "taken_up_by": follow::taken_up_by(&config) }),
    )?;
    screen.line(format!("{} handed in.", counted(handed.len(), "finding")));
    let done = match (handed.is_empty(), wait) {
        (true, _) => Exit::Done,
        (false, true) => follow(&reader, &config, &handed, screen, stop).await?,
        (false, false) => {
            follow::describe(&config, screen);
            Exit::Done
        }
    };
    if stop.is_cancelled() {
        return Ok(Exit::Interrupted);
    }
    Ok(if unread > 0 { Exit::NeedsPerson } else { done })
}

/// Hands the findings in, as fast as they are worked off.
async fn take_in(
    service: &Service,
    (begun, input): (Vec<Vec<Decoded>>, Input),
    screen: &Screen,
    stop: &CancellationToken,
) -> Result<Seen, LedgerError> {
    let (mut seen, mut batch) = (Seen::default(), Vec::new());
    let bar = match input.length.filter(|_| screen.is_text()) {
        Some(length) => ProgressBar::new(length).with_style(style()).with_message(input.origin.to_string()),
        None => ProgressBar::hidden(),
    };
    // Standard input may be silent for long. Meanwhile what was read is acted on, and a signal is heard.
    let (send, mut receive) = mpsc::channel(BATCH);
    tokio::task::spawn_blocking(move || {
        begun.into_iter().chain(input.findings).all(|decoded| send.blocking_send(decoded).is_ok())
    });
    loop {
        let count = tokio::select! {
            () = stop.cancelled() => 0,
            count = receive.recv_many(&mut batch, BATCH) => count,
        };
        if count == 0 {
            break;
        }
        let decoded = batch.drain(..).flatten().collect();
        service.handed_in().take_in(&input.origin, decoded, &mut seen).await?;
        bar.set_position(input.read.load(Ordering::Relaxed));
    }
    bar.finish_and_clear();
    service.drained().await?;
    Ok(seen)
}

/// It is drawn on standard error, and only when that is a terminal.
fn style() -> ProgressStyle {
    let template = "{msg}  {wide_bar} {bytes}/{total_bytes}  {eta}";
    ProgressStyle::with_template(template).unwrap_or_else(|_| ProgressStyle::default_bar())
}
