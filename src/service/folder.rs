//! Exported findings that appear in a folder.
//!
//! Whoever can write there must not be able to fill the ledger's disk, or to keep what others put there
//! from being read: so there are limits to a file, and to all of them together.

use super::Service;
use crate::alert::Alert;
use crate::backoff::Backoff;
use crate::finding::{Decoded, Undecodable};
use crate::ingest::{Folder, Hint, Input, Stopped, Taker, Verification};
use crate::ledger::LedgerError;
use crate::remediation::{AlertCode, Draft, Event, Origin};
use futures::StreamExt;
use futures::stream::FuturesUnordered;
use jiff::Timestamp;
use std::collections::VecDeque;
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::time::{Duration, SystemTime};
use tokio::sync::mpsc;

/// How often it is looked for new files.
const LOOK: Duration = Duration::from_secs(2);

/// After GuardDuty did not answer, or the folder could not be read.
const BACKOFF: Backoff = Backoff { first: Duration::from_secs(2), longest: Duration::from_mins(1) };

/// Maximum number of files that are read at once.
const AT_ONCE: usize = 4;

/// Maximum number of findings that are asked for at once, as GetFindings takes them.
const BATCH: usize = 50;

/// Maximum length of a file, and of what it unpacks to, in bytes. GuardDuty's exports have some kilobytes.
const LONGEST: u64 = 256 << 20;
const LONGEST_UNPACKED: u64 = 1 << 30;

/// Maximum number of findings in a file.
const MOST_FINDINGS: u64 = 100_000;

/// Maximum number of items of a file that GuardDuty does not confirm or that cannot be read.
const MOST_BAD: usize = 100;

/// How often GuardDuty is asked about the findings of a file without an answer, before other files have their turn.
const QUESTIONS: u32 = 4;

/// What became of the findings that were asked about.
enum Asked {
    /// They are settled, and so many are no findings.
    Settled(usize),
    /// GuardDuty does not answer.
    Unanswered,
    /// It is to stop.
    Stopped,
}

/// What tells whether a file is still the same.
type Stamp = (u64, Option<SystemTime>);

impl Service {
    /// Reads what appears in the configured folder, until it is to stop. A file that takes long holds up
    /// neither the look for others nor, as long as there are few such, their reading.
    pub(super) async fn keep_reading(&self) -> Result<(), LedgerError> {
        let Some(folder) = &self.folder else { return Ok(()) };
        let (mut ready, mut running) = (VecDeque::<PathBuf>::new(), FuturesUnordered::new());
        let mut look = Box::pin(look_after(folder, Duration::ZERO));
        while !self.stop.is_cancelled() {
            while running.len() < AT_ONCE
                && folder.pause().is_none()
                && let Some(file) = ready.pop_front()
            {
                running.push(self.read_file(folder, file));
            }
            tokio::select! {
                () = self.stop.cancelled() => {}
                Some(done) = running.next(), if !running.is_empty() => done?,
                found = &mut look => {
                    let delay = self.looked(folder, found, &mut ready).await?;
                    folder.pulse().goes_on_in(delay);
                    look.set(look_after(folder, delay));
                }
            }
        }
        while let Some(done) = running.next().await {
            done?;
        }
        Ok(())
    }

    /// Takes note of a look. Gives how long it is to the next one.
    async fn looked(
        &self,
        folder: &Folder,
        found: std::io::Result<Vec<PathBuf>>,
        ready: &mut VecDeque<PathBuf>,
    ) -> Result<Duration, LedgerError> {
        match found {
            Ok(files) => {
                ready.extend(files);
                folder.pulse().record_look(folder.waits_since());
                if let Some(pause) = folder.pause() {
                    folder.pulse().failed("flooded with what is no finding of GuardDuty's");
                    self.raise_flooded(folder, pause).await?;
                }
                Ok(LOOK)
            }
            Err(error) => {
                let text = format!("{}: {error}", folder.path().display());
                let (failures, is_other) = folder.pulse().failed(&text);
                if is_other {
                    tracing::error!("the folder cannot be read: {text}");
                    let hint = "Make the folder readable, or take [folder] out of the configuration.";
                    self.ledger.append(Draft::feed_failed(None, text, hint.to_owned())).await?;
                }
                Ok(BACKOFF.after(failures))
            }
        }
    }

    /// Reads one file to its end, and records that. One that was read before, under whatever name, is
    /// not read again. Reading is done beside: nothing else waits for it.
    async fn read_file(&self, folder: &Folder, path: PathBuf) -> Result<(), LedgerError> {
        let name = path.strip_prefix(folder.path()).unwrap_or(&path).display().to_string();
        let source = format!("folder {name}");
        let stop = self.stop.clone();
        let fingerprint = beside({
            let path = path.clone();
            move || fingerprint(&path, || stop.is_cancelled())
        });
        let (sha256, stamp) = match fingerprint.await {
            Ok(Fingerprint::Of(sha256, stamp)) => (sha256, stamp),
            Ok(Fingerprint::TooLong(length)) => {
                let error = format!(
                    "{} MiB: a file of more than {} MiB is not read; split it",
                    length >> 20,
                    LONGEST >> 20
                );
                folder.done(&path);
                return self.refuse(&source, &error, &format!("{name} {length}")).await;
            }
            Err(error) => {
                self.put_off(folder, &path, &name, &error.to_string());
                return Ok(());
            }
        };
        if self.reader.is_decided(&Event::file_occurrence(&sha256))? {
            folder.done(&path);
            return Ok(());
        }
        let (send, mut batches) = mpsc::channel(2);
        let reading = beside({
            let path = path.clone();
            move || read(&path, stamp, &send)
        });
        let (mut findings, mut bad, mut too_much) = (0, 0, None);
        while let Some(batch) = batches.recv().await {
            findings += batch.len() as u64;
            let hints = batch.into_iter().map(|decoded| Hint::new(0, &name, decoded)).collect();
            match self.take_hints(folder, &source, hints).await? {
                Asked::Settled(more) => bad += more,
                Asked::Unanswered => {
                    self.put_off(folder, &path, &name, "GuardDuty does not answer about its findings");
                    return Ok(());
                }
                Asked::Stopped => return Ok(()),
            }
            if bad >= MOST_BAD {
                too_much = Some(format!("more than {MOST_BAD} items that are no findings of GuardDuty's"));
            } else if findings >= MOST_FINDINGS {
                too_much = Some(format!("more than {MOST_FINDINGS} findings"));
            }
            if too_much.is_some() {
                break;
            }
        }
        drop(batches);
        match (&too_much, reading.await) {
            (None, Err(error)) => {
                self.put_off(folder, &path, &name, &error.to_string());
                return Ok(());
            }
            (None, Ok(())) => {}
            (Some(why), _) => {
                self.refuse(&source, &format!("{why}: the rest of the file is not read"), &sha256).await?;
            }
        }
        let read = Event::FileRead { sha256, file: name.clone(), findings };
        self.ledger.append(Draft::of_service(read)).await?;
        folder.done(&path);
        if too_much.is_none() {
            tracing::info!(file = name, findings, "an export was read");
        }
        Ok(())
    }

    /// A file, or the rest of it, is not read: that is recorded, and told.
    async fn refuse(&self, source: &str, error: &str, what: &str) -> Result<(), LedgerError> {
        let undecodable = Undecodable {
            path: "(file)".to_owned(),
            error: error.to_owned(),
            finding_id: None,
            sha256: crate::digest::sha256(format!("{what}: {error}").as_bytes()),
        };
        tracing::error!(source, "not read: {error}");
        self.ledger.append(Draft::undecodable(source, None, undecodable)).await?;
        let text = format!("{source}: {error}");
        let what_to_do = "Find out who put it there, and take it out. Findings that GuardDuty does have are found by the polls.";
        self.alerts.raise_alert(Alert::of_service(AlertCode::FileRefused, text, what_to_do)).await
    }

    fn put_off(&self, folder: &Folder, path: &Path, name: &str, error: &str) {
        if !self.stop.is_cancelled() {
            tracing::error!(
                file = name,
                "an export could not be read to its end, and is tried again: {error}"
            );
        }
        folder.give_again(path);
    }

    /// Settles hints and hands on what is new, until GuardDuty has answered about each.
    async fn take_hints(
        &self,
        folder: &Folder,
        source: &str,
        mut hints: Vec<Hint>,
    ) -> Result<Asked, LedgerError> {
        let (mut tries, mut bad) = (0, 0);
        while !hints.is_empty() {
            if tries >= QUESTIONS {
                return Ok(Asked::Unanswered);
            }
            if tries > 0 {
                tokio::select! {
                    () = self.stop.cancelled() => return Ok(Asked::Stopped),
                    () = tokio::time::sleep(BACKOFF.after(tries)) => {}
                }
            }
            tries += 1;
            let fates = tokio::select! {
                () = self.stop.cancelled() => return Ok(Asked::Stopped),
                fates = self.hints().settle(source, std::mem::take(&mut hints)) => fates?,
            };
            for (_, fate) in fates {
                let is_bad = matches!(fate, Verification::Unconfirmed { .. } | Verification::Undecodable(_));
                if is_bad {
                    folder.count_bad();
                    bad += 1;
                }
                match fate {
                    Verification::New(finding) => {
                        let file = source.trim_start_matches("folder ").to_owned();
                        match self.intake.send(finding, Origin::Folder { file }).await {
                            Ok(answer) => drop(answer),
                            Err(Stopped) => return Ok(Asked::Stopped),
                        }
                    }
                    Verification::Unconfirmed { why, claim } => {
                        self.unconfirmed(source, &claim, &why).await?;
                    }
                    Verification::Undecodable(what) => self.unreadable(source, &what).await?,
                    Verification::Open { hint, .. } => hints.push(*hint),
                    Verification::Seen(_) | Verification::Grows(_) => {}
                }
            }
        }
        Ok(Asked::Settled(bad))
    }

    async fn raise_flooded(&self, folder: &Folder, pause: Duration) -> Result<(), LedgerError> {
        let text = format!(
            "the folder {} is flooded with what is no finding of GuardDuty's: nothing more is read from it for {} min; the polls go on",
            folder.path().display(),
            pause.as_secs().div_ceil(60)
        );
        let what_to_do = "Find out who writes there, and take it out. After a restart it is read again.";
        self.alerts.raise_alert(Alert::of_service(AlertCode::FolderFlooded, text, what_to_do)).await
    }

    /// Raises when a file waits for long.
    pub(super) async fn raise_late_folder(&self) -> Result<(), LedgerError> {
        let Some(folder) = &self.folder else { return Ok(()) };
        let late = |since: &Timestamp| Timestamp::now().duration_since(*since) >= self.config.raise_after;
        let Some(since) = folder.waits_since().filter(late) else { return Ok(()) };
        let text = format!(
            "a file in the folder {} waits to be read since {}",
            folder.path().display(),
            since.strftime("%Y-%m-%d %H:%M:%SZ")
        );
        let what_to_do = "`rescind status` and the service's log say why: it goes on being written, cannot be read, GuardDuty does not \
             answer about it, or others are before it. The polls go on.";
        self.alerts.raise_alert(Alert::of_service(AlertCode::FolderLate, text, what_to_do)).await
    }
}

/// Looks into the folder after a while, beside: one that does not answer, as on a network, holds up
/// nothing.
async fn look_after(folder: &Arc<Folder>, delay: Duration) -> std::io::Result<Vec<PathBuf>> {
    tokio::time::sleep(delay).await;
    let folder = Arc::clone(folder);
    beside(move || folder.look()).await
}

/// Does something that blocks where it blocks nobody, from now on: it does not wait to be waited for.
fn beside<T: Send + 'static>(
    work: impl FnOnce() -> std::io::Result<T> + Send + 'static,
) -> impl Future<Output = std::io::Result<T>> {
    let work = tokio::task::spawn_blocking(work);
    async { work.await.map_err(std::io::Error::other).flatten() }
}

/// What a file is known by.
enum Fingerprint {
    /// Its SHA-256, in hexadecimal, and how it was then.
    Of(String, Stamp),
    /// It is not looked at: so long it is, in bytes.
    TooLong(u64),
}

fn fingerprint(path: &Path, give_up: impl Fn() -> bool) -> std::io::Result<Fingerprint> {
    let stamp = stamp(path)?;
    if stamp.0 > LONGEST {
        return Ok(Fingerprint::TooLong(stamp.0));
    }
    Ok(Fingerprint::Of(crate::digest::sha256_of(path, give_up)?, stamp))
}

fn stamp(path: &Path) -> std::io::Result<Stamp> {
    let metadata = std::fs::metadata(path)?;
    Ok((metadata.len(), metadata.modified().ok()))
}

/// Reads a file and sends what is in it, as long as somebody wants it.
fn read(path: &Path, before: Stamp, send: &mpsc::Sender<Vec<Decoded>>) -> std::io::Result<()> {
    let mut input = Input::open_up_to(path, LONGEST_UNPACKED)?;
    let mut batch = Vec::new();
    for decoded in input.findings.by_ref() {
        batch.extend(decoded);
        while batch.len() >= BATCH {
            let rest = batch.split_off(BATCH);
            if send.blocking_send(std::mem::replace(&mut batch, rest)).is_err() {
                return Ok(());
            }
        }
        if send.is_closed() {
            return Ok(());
        }
    }
    if !batch.is_empty() && send.blocking_send(batch).is_err() {
        return Ok(());
    }
    if input.findings.has_failed() || stamp(path)? != before {
        return Err(std::io::Error::other("it failed, or changed while it was read"));
    }
    Ok(())
}
