//! Exported findings that appear in a folder.
//!
//! Whoever can write there must not be able to fill the ledger's disk, or to keep what others put there
//! from being read: so there are limits to a file, and to all of them together.

use super::alerts;
use super::claim::{Claim, Verification};
use super::export::{Fingerprint, LONGEST, beside, fingerprint, read};
use super::folder::Folder;
use super::health::Health;
use super::intake::{IntakeSender, Stopped};
use super::verifier::Verifier;
use crate::backoff::Backoff;
use crate::finding::Undecodable;
use crate::ledger::LedgerError;
use crate::remediation::{Draft, Event, Origin};
use futures::StreamExt;
use futures::stream::FuturesUnordered;
use jiff::{SignedDuration, Timestamp};
use std::collections::VecDeque;
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::time::Duration;
use tokio::sync::mpsc;
use tokio_util::sync::CancellationToken;

/// Interval between two looks for new files.
const LOOK: Duration = Duration::from_secs(2);

/// Backoff after GuardDuty did not answer, or the folder could not be read.
const BACKOFF: Backoff = Backoff { first: Duration::from_secs(2), longest: Duration::from_mins(1) };

/// Maximum number of files that are read at once.
const AT_ONCE: usize = 4;

/// Maximum number of findings in a file.
const MOST_FINDINGS: u64 = 100_000;

/// Maximum number of items of a file that GuardDuty does not confirm or that cannot be read.
const MOST_BAD: usize = 100;

/// Maximum number of questions to GuardDuty about the findings of a file without an answer, before other files have their
/// turn.
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

/// Reads what appears in one folder.
#[derive(Debug)]
pub struct FolderFeed {
    folder: Arc<Folder>,
    verifier: Arc<Verifier>,
    intake: IntakeSender,
    /// After this a file that waits is raised.
    raise_after: SignedDuration,
    stop: CancellationToken,
}

impl FolderFeed {
    #[must_use]
    pub fn new(
        path: PathBuf,
        verifier: Arc<Verifier>,
        intake: IntakeSender,
        raise_after: SignedDuration,
        stop: CancellationToken,
    ) -> Self {
        Self { folder: Arc::new(Folder::new(path)), verifier, intake, raise_after, stop }
    }

    #[must_use]
    pub fn path(&self) -> &Path {
        self.folder.path()
    }

    /// How it is doing.
    #[must_use]
    pub fn health(&self) -> Health {
        Health { waits_since: self.folder.waits_since(), ..self.folder.pulse().health() }
    }

    /// Reads what appears in the folder, until it is to stop. A file that takes long holds up neither the look
    /// for others nor, as long as there are few such, their reading.
    ///
    /// # Errors
    /// When the ledger fails.
    pub async fn run(&self) -> Result<(), LedgerError> {
        let folder = &self.folder;
        let (mut ready, mut running) = (VecDeque::<PathBuf>::new(), FuturesUnordered::new());
        let mut look = Box::pin(look_after(folder, Duration::ZERO));
        while !self.stop.is_cancelled() {
            while running.len() < AT_ONCE
                && folder.pause().is_none()
                && let Some(file) = ready.pop_front()
            {
                running.push(self.read_file(file));
            }
            tokio::select! {
                () = self.stop.cancelled() => {}
                Some(done) = running.next(), if !running.is_empty() => done?,
                found = &mut look => {
                    let delay = self.looked(found, &mut ready).await?;
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
        found: std::io::Result<Vec<PathBuf>>,
        ready: &mut VecDeque<PathBuf>,
    ) -> Result<Duration, LedgerError> {
        let folder = &self.folder;
        match found {
            Ok(files) => {
                ready.extend(files);
                folder.pulse().record_look(folder.waits_since());
                if let Some(pause) = folder.pause() {
                    folder.pulse().failed("flooded with what is no finding of GuardDuty's");
                    let alert = alerts::folder_flooded(folder.path(), pause);
                    self.verifier.alerts.raise_alert(alert).await?;
                }
                Ok(LOOK)
            }
            Err(error) => {
                let text = format!("{}: {error}", folder.path().display());
                let (failures, is_other) = folder.pulse().failed(&text);
                if is_other {
                    tracing::error!("the folder cannot be read: {text}");
                    let hint = "Make the folder readable, or take [folder] out of the configuration.";
                    self.verifier.ledger.append(Draft::feed_failed(None, text, hint.to_owned())).await?;
                }
                Ok(BACKOFF.after(failures))
            }
        }
    }

    /// Reads one file to its end, and records that. One that was read before, under whatever name, is
    /// not read again. Reading is done beside: nothing else waits for it.
    async fn read_file(&self, path: PathBuf) -> Result<(), LedgerError> {
        let folder = &self.folder;
        let name = path.strip_prefix(folder.path()).unwrap_or(&path).display().to_string();
        let origin = Origin::Folder { file: name.clone() };
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
                return self.refuse(&origin, &error, &format!("{name} {length}")).await;
            }
            Err(error) => {
                self.put_off(&path, &name, &error.to_string());
                return Ok(());
            }
        };
        if self.verifier.reader.is_decided(&Event::file_occurrence(&sha256))? {
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
            let claims = batch.into_iter().map(|decoded| Claim::new(0, &name, decoded)).collect();
            match self.take_in(&origin, claims).await? {
                Asked::Settled(more) => bad += more,
                Asked::Unanswered => {
                    self.put_off(&path, &name, "GuardDuty does not answer about its findings");
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
                self.put_off(&path, &name, &error.to_string());
                return Ok(());
            }
            (None, Ok(())) => {}
            (Some(why), _) => {
                self.refuse(&origin, &format!("{why}: the rest of the file is not read"), &sha256).await?;
            }
        }
        let read = Event::FileRead { sha256, file: name.clone(), findings };
        self.verifier.ledger.append(Draft::of_service(read)).await?;
        folder.done(&path);
        if too_much.is_none() {
            tracing::info!(file = name, findings, "an export was read");
        }
        Ok(())
    }

    /// A file, or the rest of it, is not read: that is recorded, and raised.
    async fn refuse(&self, origin: &Origin, error: &str, what: &str) -> Result<(), LedgerError> {
        let undecodable = Undecodable {
            path: "(file)".to_owned(),
            error: error.to_owned(),
            finding_id: None,
            sha256: crate::digest::sha256(format!("{what}: {error}").as_bytes()),
            foreign: None,
        };
        tracing::error!(source = %origin, "not read: {error}");
        self.verifier.ledger.append(Draft::undecodable(origin, None, undecodable)).await?;
        self.verifier.alerts.raise_alert(alerts::file_refused(origin, error)).await
    }

    fn put_off(&self, path: &Path, name: &str, error: &str) {
        if !self.stop.is_cancelled() {
            tracing::error!(
                file = name,
                "an export could not be read to its end, and is tried again: {error}"
            );
        }
        self.folder.give_again(path);
    }

    /// Verifies claims and hands over what is new, until GuardDuty has answered about each.
    async fn take_in(&self, origin: &Origin, mut claims: Vec<Claim>) -> Result<Asked, LedgerError> {
        let (mut tries, mut bad) = (0, 0);
        while !claims.is_empty() {
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
            let verified = tokio::select! {
                () = self.stop.cancelled() => return Ok(Asked::Stopped),
                verified = self.verifier.verify(origin, std::mem::take(&mut claims)) => verified?,
            };
            for (_, verification) in verified {
                match verification {
                    Verification::New(finding) => {
                        // Whoever can write there can make one up.
                        if finding.product().is_some() {
                            self.folder.count_bad();
                        }
                        if let Err(Stopped) = self.intake.send(finding, origin.clone()).await {
                            return Ok(Asked::Stopped);
                        }
                    }
                    Verification::Unconfirmed { .. } | Verification::Undecodable(_) => {
                        self.folder.count_bad();
                        bad += 1;
                    }
                    Verification::Open { claim, .. } => claims.push(*claim),
                    Verification::Seen(_) | Verification::Grows(_) | Verification::Foreign { .. } => {}
                }
            }
        }
        Ok(Asked::Settled(bad))
    }

    /// Raises when a file waits for long.
    ///
    /// # Errors
    /// When the ledger fails.
    pub async fn raise_late(&self) -> Result<(), LedgerError> {
        let late = |since: &Timestamp| Timestamp::now().duration_since(*since) >= self.raise_after;
        let Some(since) = self.folder.waits_since().filter(late) else { return Ok(()) };
        self.verifier.alerts.raise_alert(alerts::folder_late(self.folder.path(), since)).await
    }
}

/// Looks into the folder after a while, beside: one that does not answer, as on a network, holds up
/// nothing.
async fn look_after(folder: &Arc<Folder>, delay: Duration) -> std::io::Result<Vec<PathBuf>> {
    tokio::time::sleep(delay).await;
    let folder = Arc::clone(folder);
    beside(move || folder.look()).await
}
