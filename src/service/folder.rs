//! Exported findings that appear in a folder.

use super::Service;
use crate::backoff::Backoff;
use crate::feed::{Fate, Folder, Hint, Input, Taker};
use crate::ledger::{Draft, Event, LedgerError};
use std::path::Path;
use std::time::Duration;

/// How often it is looked for new files.
const LOOK: Duration = Duration::from_secs(2);

/// After GuardDuty did not answer, or the folder could not be read.
const BACKOFF: Backoff = Backoff { first: Duration::from_secs(2), longest: Duration::from_mins(1) };

/// So many findings are asked for at once, as GetFindings takes them.
const BATCH: usize = 50;

impl Service {
    /// Reads what appears in the configured folder, until it is to stop.
    pub(super) async fn keep_reading(&self) -> Result<(), LedgerError> {
        let Some(folder) = &self.folder else { return Ok(()) };
        loop {
            let delay = match folder.look() {
                Ok(files) => {
                    for file in files {
                        self.read_file(folder, &file).await?;
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
    /// not read again.
    async fn read_file(&self, folder: &Folder, path: &Path) -> Result<(), LedgerError> {
        let name = path.strip_prefix(folder.path()).unwrap_or(path).display().to_string();
        let opened = crate::digest::sha256_of(path).and_then(|sha256| Ok((sha256, Input::open(path)?)));
        let (sha256, mut input) = match opened {
            Ok(opened) => opened,
            Err(error) => {
                tracing::error!(file = name, "an export cannot be read, and is tried again: {error}");
                folder.give_again(path);
                return Ok(());
            }
        };
        if self.reader.is_decided(&Event::file_occurrence(&sha256))? {
            return Ok(());
        }
        let source = format!("folder {name}");
        let (mut findings, mut batch) = (0, Vec::new());
        loop {
            let decoded = input.findings.next();
            let is_last = decoded.is_none();
            for decoded in decoded.into_iter().flatten() {
                findings += 1;
                batch.push(Hint { of: 0, item: name.clone(), decoded });
            }
            while batch.len() >= BATCH || is_last && !batch.is_empty() {
                let now = batch.drain(..batch.len().min(BATCH)).collect();
                if !self.take_hints(&source, now).await? {
                    return Ok(());
                }
            }
            if is_last {
                break;
            }
        }
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
                fates = self.hints().settle(source, std::mem::take(&mut hints), false) => fates?,
            };
            for (_, fate) in fates {
                match fate {
                    Fate::New(finding) => {
                        self.engine.room().await;
                        drop(self.engine.submit(finding));
                    }
                    Fate::Unconfirmed { why, claim } => self.unconfirmed(source, &claim, &why).await?,
                    Fate::Open { hint, .. } => hints.push(*hint),
                    Fate::Seen(_) | Fate::Undecodable => {}
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
