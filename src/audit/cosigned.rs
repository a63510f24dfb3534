//! Which witnesses cosigned the ledger, how far, and when.

use super::tree::Hash;
use crate::ledger::note::{Checkpoint, PublicKey};
use crate::ledger::{BadCosignature, Cosignature, CosignerKey};
use jiff::Timestamp;
use rusqlite::Connection;
use serde_json::Value;
use std::collections::BTreeMap;

/// The keys that an audit trusts.
#[derive(Debug, Clone, Default)]
pub struct Keys {
    /// Keys that checkpoints may be signed with. When there is none, those that the ledger itself names.
    pub signers: Vec<PublicKey>,
    /// Keys of the witnesses that must have cosigned.
    pub cosigners: Vec<CosignerKey>,
}

/// What one witness cosigned.
#[derive(Debug, Clone)]
pub struct CosignedBy {
    /// The witness's key.
    pub key: CosignerKey,
    /// The largest tree: how many entries it has, and when the witness said so.
    pub latest: Option<(u64, Timestamp)>,
    /// Number of its cosignatures that hold.
    pub count: usize,
}

/// A cosignature that an entry of the ledger records.
struct Recorded {
    seq: i64,
    line: String,
}

/// The witnesses that must have cosigned, and what the ledger says that they did.
#[derive(Default)]
pub(super) struct Cosigners {
    all: Vec<CosignedBy>,
    recorded: BTreeMap<u64, Vec<Recorded>>,
    /// Names that the ledger's keys have.
    origins: Vec<String>,
}

impl Cosigners {
    /// For these keys, of a ledger that is signed by `signers`.
    pub fn find(
        connection: &Connection,
        keys: Vec<CosignerKey>,
        signers: &[PublicKey],
    ) -> rusqlite::Result<Self> {
        let all = keys.into_iter().map(|key| CosignedBy { key, latest: None, count: 0 }).collect();
        let mut origins: Vec<String> = signers.iter().map(|key| key.name().to_owned()).collect();
        origins.sort();
        origins.dedup();
        let mut recorded: BTreeMap<u64, Vec<Recorded>> = BTreeMap::new();
        let mut statement =
            connection.prepare("SELECT seq, body FROM entries WHERE kind = 'cosigned' ORDER BY seq")?;
        let rows = statement.query_map([], |row| Ok((row.get::<_, i64>(0)?, row.get::<_, Vec<u8>>(1)?)))?;
        for row in rows {
            let (seq, body) = row?;
            let value: Value = serde_json::from_slice(&body).unwrap_or_default();
            let size = value["data"]["size"].as_u64().unwrap_or_default();
            let line = value["data"]["cosignature"].as_str().unwrap_or_default().to_owned();
            recorded.entry(size).or_default().push(Recorded { seq, line });
        }
        Ok(Self { all, recorded, origins })
    }

    /// The sizes at which the ledger says that it was cosigned.
    pub fn sizes(&self) -> impl Iterator<Item = u64> + '_ {
        self.recorded.keys().copied().filter(|_| !self.all.is_empty())
    }

    /// Takes up the cosignatures on a note. Gives the checkpoint when there is one of these witnesses, to be compared
    /// with the tree.
    pub fn on(&mut self, note: &str) -> Result<Option<Checkpoint>, BadCosignature> {
        let Some(checkpoint) = Checkpoint::parse(note) else { return Ok(None) };
        let mut is_cosigned = false;
        for one in &mut self.all {
            if let Some(cosignature) = one.key.on(note)? {
                one.take(checkpoint.size, &cosignature);
                is_cosigned = true;
            }
        }
        Ok(is_cosigned.then_some(checkpoint))
    }

    /// Takes up what the ledger records at a size, where its tree has this root. Gives the entries that record what
    /// cannot be.
    pub fn at(&mut self, size: u64, root: Hash) -> Vec<(i64, String)> {
        let mut problems = Vec::new();
        let texts: Vec<String> = self.origins.iter().map(|origin| text(origin.clone(), size, root)).collect();
        for Recorded { seq, line } in self.recorded.remove(&size).unwrap_or_default() {
            for one in &mut self.all {
                let mut tried = texts.iter().map(|text| one.key.among(text, &line));
                let held = tried.clone().find_map(|tried| tried.ok().flatten());
                match (held, tried.find_map(Result::err)) {
                    (Some(cosignature), _) => one.take(size, &cosignature),
                    (None, Some(_)) => problems.push((
                        seq,
                        format!(
                            "it records what {} cosigned over {size} entries, and the cosignature does not match the entries up to there",
                            one.key.name()
                        ),
                    )),
                    // It is another witness's.
                    (None, None) => {}
                }
            }
        }
        problems
    }

    /// What each of them cosigned; and the entries that record cosignatures over more than there is.
    pub fn finish(self, last: i64) -> (Vec<CosignedBy>, Vec<(i64, String)>) {
        let asked = !self.all.is_empty();
        let beyond = self
            .recorded
            .into_iter()
            .filter(|(size, _)| asked && i64::try_from(*size).is_ok_and(|size| size == 0 || size > last));
        let beyond = beyond.flat_map(|(size, all)| {
            all.into_iter().map(move |one| {
                (one.seq, format!("it records a cosignature over {size} entries, which cannot be"))
            })
        });
        let beyond = beyond.collect();
        (self.all, beyond)
    }
}

impl CosignedBy {
    fn take(&mut self, size: u64, cosignature: &Cosignature) {
        self.count += 1;
        self.latest = self.latest.max(Some((size, cosignature.time)));
    }
}

/// The text of a checkpoint, made from what was found.
fn text(origin: String, size: u64, root: Hash) -> String {
    Checkpoint { origin, size, root }.text()
}
