//! Reading one exported file, where it blocks nobody.

use super::file::Input;
use crate::finding::Decoded;
use std::path::Path;
use std::time::SystemTime;
use tokio::sync::mpsc;

/// Maximum number of findings that are asked for at once, as GetFindings takes them.
const BATCH: usize = 50;

/// Maximum length of a file, and of what it unpacks to, in bytes. GuardDuty's exports have some kilobytes.
pub(super) const LONGEST: u64 = 256 << 20;
const LONGEST_UNPACKED: u64 = 1 << 30;

/// What a file had when it was opened: as long as this stands, it is the same file.
pub(super) type Stamp = (u64, Option<SystemTime>);

/// What a file is known by.
pub(super) enum Fingerprint {
    /// Its SHA-256, in hexadecimal, and how it was then.
    Of(String, Stamp),
    /// It is not looked at: so long it is, in bytes.
    TooLong(u64),
}

/// Does something that blocks where it blocks nobody, from now on: it does not wait to be waited for.
pub(super) fn beside<T: Send + 'static>(
    work: impl FnOnce() -> std::io::Result<T> + Send + 'static,
) -> impl Future<Output = std::io::Result<T>> {
    let work = tokio::task::spawn_blocking(work);
    async { work.await.map_err(std::io::Error::other).flatten() }
}

pub(super) fn fingerprint(path: &Path, give_up: impl Fn() -> bool) -> std::io::Result<Fingerprint> {
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
pub(super) fn read(path: &Path, before: Stamp, send: &mpsc::Sender<Vec<Decoded>>) -> std::io::Result<()> {
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
