//! Exported findings that appear in a folder.

use super::Service;
use crate::backoff::Backoff;
use crate::feed::{Fate, Folder, Hint, Input, Taker};
use crate::finding::Decoded;
use crate::ledger::{Draft, Event, LedgerError, Reader};
use futures::StreamExt;
use std::path::Path;
use std::time::Duration;
use tokio::sync::mpsc;

/// How often it is looked for new files.
const LOOK: Duration = Duration::from_secs(2);

/// After GuardDuty did not answer, or the folder could not be read.
const BACKOFF: Backoff = Backoff { first: Duration::from_secs(2), longest: Duration::from_mins(1) };

/// So many files are read at once.
const AT_ONCE: usize = 4;

/// So many findings are asked for at once, as GetFindings takes them.
const BATCH: usize = 50;

impl Service {
    /// Reads what appears in the configured folder, until it is to stop.
    pub(super) async fn keep_reading(&self) -> Result<(), LedgerError> {
        let Some(folder) = &self.folder else { return Ok(()) };
        loop {
            let delay = match folder.look() {
                Ok(files) => {
                    // One that waits for a region that is down does not hold up the others.
                    let reads = files.iter().map(|file| self.read_file(folder, file));
                    let mut reads = futures::stream::iter(reads).buffer_unordered(AT_ONCE);
                    while let Some(done) = reads.next().await {
                        done?;
                    }
                    folder.pulse().is_well();
                    LOOK
                }
                Err(error) => {
                    let text = format!("{}: {error}", folder.path().display());
                    let (failures, is_other) = folder.pulse().failed(&text);
                    if is_other {
                        tracing::error!("the folder cannot be read: {text}");
                        let hint = "Make the folder readable, or take [folder] out of the configuration.";
                        self.ledger.append(Draft::feed_failed(None, text, hint.to_owned())).await?;
                    }
                    BACKOFF.after(failures)
                }
            };
            tokio::select! {
                () = self.stop.cancelled() => return Ok(()),
                () = tokio::time::sleep(delay) => {}
            }
        }
    }

    /// Reads one file to its end, and records that. One that was read before, under whatever name, is
    /// not read again. Reading is done beside: nothing else waits for it.
    async fn read_file(&self, folder: &Folder, path: &Path) -> Result<(), LedgerError> {
        let name = path.strip_prefix(folder.path()).unwrap_or(path).display().to_string();
        let (send, mut batches) = mpsc::channel(2);
        let (known, path_of_it) = (self.ledger.reader()?, path.to_owned());
        let reading = tokio::task::spawn_blocking(move || read(&path_of_it, &known, &send));
        let source = format!("folder {name}");
        let mut findings = 0;
        while let Some(batch) = batches.recv().await {
            findings += batch.len() as u64;
            let hints = batch.into_iter().map(|decoded| Hint::new(0, &name, decoded)).collect();
            if !self.take_hints(&source, hints).await? {
                return Ok(());
            }
        }
        let sha256 = match reading.await.map_err(std::io::Error::other).flatten() {
            Ok(Some(sha256)) => sha256,
            Ok(None) => return Ok(()),
            Err(error) => {
                tracing::error!(
                    file = name,
                    "an export could not be read to its end, and is tried again: {error}"
                );
                folder.give_again(path);
                return Ok(());
            }
        };
        tracing::info!(file = name, findings, "an export was read");
        self.ledger.append(Draft::of_service(Event::FileRead { sha256, file: name, findings })).await?;
        Ok(())
    }

    /// Settles hints and hands on what is new, until GuardDuty has answered about each. False when it
    /// is to stop before.
    async fn take_hints(&self, source: &str, mut hints: Vec<Hint>) -> Result<bool, LedgerError> {
        let mut tries = 0;
        while !hints.is_empty() {
            let fates = tokio::select! {
                () = self.stop.cancelled() => return Ok(false),
                fates = self.hints().settle(source, std::mem::take(&mut hints)) => fates?,
            };
            for (_, fate) in fates {
                match fate {
                    Fate::New(finding) => {
                        self.engine.room().await;
                        drop(self.engine.submit(finding));
                    }
                    Fate::Unconfirmed { why, claim } => self.unconfirmed(source, &claim, &why).await?,
                    Fate::Open { hint, .. } => hints.push(*hint),
                    Fate::Seen(_) | Fate::Undecodable(_) | Fate::Grows(_) => {}
                }
            }
            if !hints.is_empty() {
                tries += 1;
                tokio::select! {
                    () = self.stop.cancelled() => return Ok(false),
                    () = tokio::time::sleep(BACKOFF.after(tries)) => {}
                }
            }
        }
        Ok(true)
    }
}

/// Reads a file and sends what is in it; gives its SHA-256 when it was read to its end, and none when it
/// had been read before, or nobody wants it any more.
fn read(path: &Path, known: &Reader, send: &mpsc::Sender<Vec<Decoded>>) -> std::io::Result<Option<String>> {
    let stamp = |metadata: std::fs::Metadata| (metadata.len(), metadata.modified().ok());
    let before = stamp(std::fs::metadata(path)?);
    let sha256 = crate::digest::sha256_of(path, || send.is_closed())?;
    if known.is_decided(&Event::file_occurrence(&sha256)).map_err(std::io::Error::other)? {
        return Ok(None);
    }
    let mut input = Input::open(path)?;
    let mut batch = Vec::new();
    for decoded in input.findings.by_ref() {
        batch.extend(decoded);
        if batch.len() >= BATCH && send.blocking_send(std::mem::take(&mut batch)).is_err() || send.is_closed()
        {
            return Ok(None);
        }
    }
    if !batch.is_empty() && send.blocking_send(batch).is_err() {
        return Ok(None);
    }
    if input.findings.has_failed() || stamp(std::fs::metadata(path)?) != before {
        return Err(std::io::Error::other("it failed, or changed while it was read"));
    }
    Ok(Some(sha256))
}
