//! Entries that were moved to an archive: just those that the ledger says were moved, and no others.

use sha2::{Digest, Sha256};
use std::collections::BTreeMap;

/// What is gone, and what is said to be gone, by the entry that tells of the archive.
#[derive(Default)]
pub struct Archives {
    gone: BTreeMap<i64, Gone>,
    told: BTreeMap<i64, (u64, String)>,
}

struct Gone {
    first: i64,
    count: u64,
    seqs: Sha256,
}

impl Archives {
    /// An entry whose text is gone. They come in order.
    pub fn gone(&mut self, archive: i64, seq: i64, time: &str) {
        let gone =
            self.gone.entry(archive).or_insert_with(|| Gone { first: seq, count: 0, seqs: Sha256::new() });
        gone.count += 1;
        gone.seqs.update(format!("{seq} {time}\n"));
    }

    /// Entry `archive` tells of an archive.
    pub fn told(&mut self, archive: i64, count: u64, seqs_sha256: String) {
        self.told.insert(archive, (count, seqs_sha256));
    }

    /// How many entries are in archives.
    pub fn count(&self) -> u64 {
        self.gone.values().map(|gone| gone.count).sum()
    }

    /// What does not fit together: the entry, and what is wrong. So many entries are signed for.
    pub fn problems(self, signed: u64) -> Vec<(i64, String)> {
        let mut problems = Vec::new();
        for (archive, gone) in &self.gone {
            // Anybody who can write the file can add an entry at the end.
            if u64::try_from(*archive).is_ok_and(|archive| archive > signed) {
                problems.push((gone.first, format!("its text is gone, and nobody signed for entry {archive}, which says that it was archived")));
                continue;
            }
            let hash = crate::digest::hex(&gone.seqs.clone().finalize());
            match self.told.get(archive) {
                None => problems.push((
                    gone.first,
                    format!("its text is gone, and entry {archive} does not tell of an archive"),
                )),
                Some((count, told)) if (*count, told) != (gone.count, &hash) => problems.push((
                    gone.first,
                    format!("texts are gone that entry {archive} does not tell of: it tells of {count} entries, and {} say that it does", gone.count),
                )),
                Some(_) => {}
            }
        }
        for (archive, (count, _)) in self.told {
            if !self.gone.contains_key(&archive) && count > 0 {
                problems
                    .push((archive, format!("it tells of {count} entries in an archive, and none is gone")));
            }
        }
        problems
    }
}
