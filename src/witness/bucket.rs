//! The bucket of the witness: one object for each checkpoint.

use crate::aws::{Bucket, Hub, ObjectRetention, ObjectVersion, Stored, VersionMarker};
use crate::config::{RetentionMode, WitnessSettings};
use crate::digest::{hex, sha256};
use crate::ident::Region;
use crate::ledger::note::Checkpoint;
use crate::remediation::{CallError, ErrorKind};
use futures::{StreamExt, TryStreamExt};
use jiff::Timestamp;
use std::collections::{BTreeMap, BTreeSet};

/// Maximum number of objects that are read at once.
const AT_ONCE: usize = 32;

/// A bucket in which the checkpoints of ledgers are kept.
#[derive(Debug, Clone)]
pub struct WitnessBucket {
    bucket: Bucket,
    settings: WitnessSettings,
}

/// A checkpoint that stands in the bucket.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Kept {
    /// The object that has it: `s3://BUCKET/KEY`.
    pub object: String,
    /// SHA-256 of its text, in hexadecimal.
    pub sha256: String,
    /// It was found there.
    pub found_in_place: bool,
    /// Until when nobody can delete it, where that is known.
    pub retained_until: Option<Timestamp>,
    /// Objects that stand in its place, and that somebody else has put there.
    pub foreign: Vec<String>,
}

/// What stands in the bucket for a log.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct InBucket {
    /// The object: `s3://BUCKET/KEY`.
    pub object: String,
    /// Its text; none when it is too large for a checkpoint, or no text.
    pub text: Option<String>,
}

/// What was ever put into the bucket for a log.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct BucketContents {
    /// Every version of every object.
    pub objects: Vec<InBucket>,
    /// Objects that somebody deleted, by their names: a marker hides them.
    pub deleted: Vec<String>,
}

/// The key of a checkpoint: by name of the log and number of entries, so that there is one for each.
fn object_of(prefix: &str, checkpoint: &Checkpoint) -> String {
    format!("{prefix}{}/{:020}", checkpoint.origin, checkpoint.size)
}

impl WitnessBucket {
    /// The configured bucket, as the hub uses it: its calls are recorded.
    #[must_use]
    pub fn of_hub(hub: &Hub, settings: &WitnessSettings, home: &Region) -> Self {
        let region = settings.region.as_ref().unwrap_or(home);
        let bucket = hub.bucket(region, &settings.bucket, settings.endpoint.as_deref());
        Self { bucket, settings: settings.clone() }
    }

    /// A bucket for who only compares: its calls are not recorded.
    ///
    /// # Errors
    /// When the environment's certificates cannot be used.
    pub async fn open(settings: &WitnessSettings) -> Result<Self, CallError> {
        let (region, endpoint) = (settings.region.as_ref(), settings.endpoint.as_deref());
        let bucket = Bucket::find(region, &settings.bucket, endpoint).await?;
        Ok(Self { bucket, settings: settings.clone() })
    }

    /// The bucket itself.
    #[must_use]
    pub fn bucket(&self) -> &Bucket {
        &self.bucket
    }

    fn named(&self, key: &str) -> String {
        format!("s3://{}/{key}", self.settings.bucket)
    }

    /// Puts a checkpoint where none stands. Where one stands, it is as good if it is of the same tree head and
    /// `is_trusted`: another host has put it, or this one, and the answer was lost. Whatever else stands there is
    /// somebody's forgery: it stays, and the checkpoint is put beside it.
    ///
    /// # Errors
    /// When it cannot be put, or what stands there not be read.
    pub async fn keep(
        &self,
        checkpoint: &Checkpoint,
        note: &str,
        is_trusted: impl Fn(&str) -> bool,
    ) -> Result<Kept, CallError> {
        let first = object_of(&self.settings.prefix, checkpoint);
        // Whoever forges objects can foresee these keys, too, but for the last.
        let keys = [
            first.clone(),
            format!("{first}-{}", hex(&checkpoint.root)),
            format!("{first}-{:016x}", getrandom::u64().unwrap_or_default()),
        ];
        let mut foreign = Vec::new();
        for key in keys {
            let retention = self.retention();
            let kept = |found_in_place, retained_until, foreign| Kept {
                object: self.named(&key),
                sha256: sha256(note.as_bytes()),
                found_in_place,
                retained_until,
                foreign,
            };
            match self.bucket.put_new(&key, note, retention).await? {
                Stored::Done => return Ok(kept(false, retention.map(|one| one.until), foreign)),
                Stored::Taken => {}
            }
            let there = self.bucket.get(&key, None).await?.ok_or_else(|| self.gone(&key))?;
            let same = there
                .text
                .filter(|text| Checkpoint::parse(text).as_ref() == Some(checkpoint) && is_trusted(text));
            if let Some(text) = same {
                let kept = kept(true, there.retained_until, foreign);
                return Ok(Kept { sha256: sha256(text.as_bytes()), ..kept });
            }
            foreign.push(self.named(&key));
        }
        Err(CallError {
            service: "s3",
            operation: "PutObject",
            kind: ErrorKind::Refused,
            code: None,
            message: format!(
                "in every place for the checkpoint there is something else: {}",
                foreign.join(", ")
            ),
        })
    }

    /// It was there a moment ago, and is there no more: only a bucket that does not keep its objects does that.
    fn gone(&self, key: &str) -> CallError {
        CallError {
            service: "s3",
            operation: "GetObject",
            kind: ErrorKind::Unavailable,
            code: None,
            message: format!("{} was there, and is not any more", self.named(key)),
        }
    }

    fn retention(&self) -> Option<ObjectRetention> {
        let (time, mode) = self.settings.retention?;
        let until = self.bucket.clock().now().saturating_add(time).unwrap_or(Timestamp::MAX);
        // S3 has whole seconds.
        let until = Timestamp::from_second(until.as_second()).unwrap_or(until);
        Some(ObjectRetention { until, is_compliance: mode == RetentionMode::Compliance })
    }

    /// Everything that was ever put into the bucket for a log: every version, also what somebody hid behind a later one or
    /// behind a marker that says it was deleted. `progress` gets how much was read, and of how much.
    ///
    /// # Errors
    /// When the bucket cannot be listed, or an object not be read.
    pub async fn all(
        &self,
        log: &str,
        progress: &mut dyn FnMut(u64, u64),
    ) -> Result<BucketContents, CallError> {
        let prefix = format!("{}{log}/", self.settings.prefix);
        let (mut versions, mut from) = (Vec::new(), Some(VersionMarker::default()));
        while let Some(marker) = from {
            let (page, next) = self.bucket.versions(&prefix, marker).await?;
            versions.extend(page);
            progress(0, versions.len() as u64);
            from = next;
        }
        let deleted =
            versions.iter().filter(|one| one.id.is_none()).map(|one| self.named(&one.key)).collect();
        versions.retain(|one| one.id.is_some());
        let total = versions.len() as u64;
        let mut counts: BTreeMap<String, usize> = BTreeMap::new();
        for one in &versions {
            *counts.entry(one.key.clone()).or_default() += 1;
        }
        let counts = &counts;
        let mut read = futures::stream::iter(versions)
            .map(|ObjectVersion { key, id }| async move {
                let there = self.bucket.get(&key, id.as_deref()).await?;
                let object = match (&id, counts.get(&key)) {
                    (Some(id), Some(2..)) => format!("{}?versionId={id}", self.named(&key)),
                    _ => self.named(&key),
                };
                Ok::<_, CallError>(there.map(|there| InBucket { object, text: there.text }))
            })
            .buffered(AT_ONCE);
        let mut objects = Vec::new();
        while let Some(object) = read.try_next().await? {
            objects.extend(object);
            progress(objects.len() as u64, total);
        }
        Ok(BucketContents { objects, deleted })
    }

    /// The names of logs that have something in the bucket, as far as one page of the list shows them.
    ///
    /// # Errors
    /// When the bucket cannot be listed.
    pub async fn logs(&self) -> Result<BTreeSet<String>, CallError> {
        let (versions, _) = self.bucket.versions(&self.settings.prefix, VersionMarker::default()).await?;
        let name = |version: &ObjectVersion| {
            let rest = version.key.strip_prefix(&self.settings.prefix)?;
            rest.rsplit_once('/').map(|(name, _)| name.to_owned())
        };
        Ok(versions.iter().filter_map(name).collect())
    }
}
