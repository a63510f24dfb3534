//! Entries that were moved to an archive: just those that the ledger says were moved, and no others.

use sha2::{Digest, Sha256};
use std::collections::BTreeMap;

/// The entries whose text is gone, and those that `archive` entries say were moved, by the `archive` entry.
#[derive(Default)]
pub struct Archives {
    gone: BTreeMap<i64, Gone>,
    said: BTreeMap<i64, (u64, String)>,
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

    /// Takes what the entry `archive` says: how many entries it moved, and their hash.
    pub fn said(&mut self, archive: i64, count: u64, seqs_sha256: String) {
        self.said.insert(archive, (count, seqs_sha256));
    }

    /// How many entries are in archives.
    pub fn count(&self) -> u64 {
        self.gone.values().map(|gone| gone.count).sum()
    }

    /// What does not fit together: the entry, and what is wrong. `signed` is the number of signed entries.
    pub fn problems(self, signed: u64) -> Vec<(i64, String)> {
        let mut problems = Vec::new();
        for (archive, gone) in &self.gone {
            // Anybody who can write the file can add an entry at the end.
            if u64::try_from(*archive).is_ok_and(|archive| archive > signed) {
                problems.push((gone.first, format!("its text was removed. Entry {archive} says that it was archived, but that entry is not signed")));
                continue;
            }
            let hash = crate::digest::hex(&gone.seqs.clone().finalize());
            match self.said.get(archive) {
                None => problems.push((
                    gone.first,
                    format!("its text was removed for an archive, but entry {archive} is not about an archive"),
                )),
                Some((count, said)) if (*count, said) != (gone.count, &hash) => problems.push((
                    gone.first,
                    format!("the texts of {} entries were removed for the archive of entry {archive}, but they are not the {count} that it names", gone.count),
                )),
                Some(_) => {}
            }
        }
        for (archive, (count, _)) in self.said {
            if !self.gone.contains_key(&archive) && count > 0 {
                problems.push((
                    archive,
                    format!("it says that {count} entries were archived, but all texts are still here"),
                ));
            }
        }
        problems
    }
}
