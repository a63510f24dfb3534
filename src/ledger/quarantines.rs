//! Which remediations are quarantined, kept by a reader: in a long ledger the entries about it are many, and few are new.

use std::collections::BTreeMap;

/// Which remediations are quarantined.
#[derive(Debug, Default)]
pub(super) struct Quarantines {
    /// The last entry about it that was taken.
    pub seq: i64,
    /// Each remediation that is quarantined, with the time of the entry that began it.
    open: BTreeMap<String, String>,
}

impl Quarantines {
    /// Takes the next entry about it: one of kind `quarantining` begins a quarantine, the others end it.
    pub fn take(&mut self, seq: i64, kind: &str, remediation: Option<String>, time: String) {
        self.seq = seq;
        let Some(remediation) = remediation else { return };
        if kind == "quarantining" {
            self.open.entry(remediation).or_insert(time);
        } else {
            self.open.remove(&remediation);
        }
    }

    /// How many are quarantined, and since when the oldest of them.
    pub fn now(&self) -> (usize, Option<&String>) {
        (self.open.len(), self.open.values().min())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn each_counts_once_until_its_quarantine_ends() {
        let mut all = Quarantines::default();
        let mut take = |seq: i64, kind: &str, id: &str| {
            all.take(seq, kind, Some(id.to_owned()), format!("T{seq}"));
            (all.now().0, all.now().1.cloned())
        };
        assert_eq!(take(1, "quarantining", "r-1"), (1, Some("T1".to_owned())));
        assert_eq!(take(2, "quarantining", "r-2"), (2, Some("T1".to_owned())));
        // After a crash it is begun once more.
        assert_eq!(take(3, "quarantining", "r-1"), (2, Some("T1".to_owned())));
        assert_eq!(take(4, "lifted", "r-1"), (1, Some("T2".to_owned())));
        assert_eq!(take(5, "not_quarantined", "r-2"), (0, None));
        assert_eq!(take(6, "quarantining", "r-1"), (1, Some("T6".to_owned())));
        assert_eq!(all.seq, 6);
    }
}
