//! Entries as rescind writes them.

use rescind::remediation::{Draft, Entry, Event};
use rusqlite::Connection;
use std::path::Path;

/// A ledger that rescind wrote: entries of every kind, as they come.
const TEMPLATE: &str = "tests/it/ledgers/fixed.db";

/// One remediation with all that belongs to it, over and over.
pub struct Story {
    /// Its entries.
    pub entries: Vec<Draft>,
}

impl Story {
    /// From a ledger that is part of the tests.
    pub fn read() -> Self {
        let path = Path::new(env!("CARGO_MANIFEST_DIR")).join(TEMPLATE);
        let connection =
            Connection::open(format!("file:{}?immutable=1", path.display())).expect("the template");
        let mut statement = connection
            .prepare(
                "SELECT body FROM entries WHERE remediation IS NOT NULL
                 OR seq = (SELECT min(seq) FROM entries WHERE kind = 'finding') ORDER BY seq",
            )
            .expect("entries");
        let rows = statement.query_map([], |row| row.get::<_, Vec<u8>>(0)).expect("rows");
        let entries = rows
            .map(|body| serde_json::from_slice::<Entry>(&body.expect("a body")).expect("an entry"))
            .map(|Entry { subject, event, .. }| Draft { subject, event })
            .collect();
        Self { entries }
    }

    /// The same as if it had happened to another role.
    pub fn one(&self, number: usize) -> Vec<Draft> {
        let mut entries = self.entries.clone();
        let id = format!("{number:032x}");
        let mut this = None;
        for entry in &mut entries {
            entry.subject.finding = entry.subject.finding.as_ref().map(|_| id.clone());
            entry.subject.remediation =
                entry.subject.remediation.as_ref().map(|_| format!("r-{number:012x}"));
            match &mut entry.event {
                Event::Finding { finding, .. } => {
                    finding.id.clone_from(&id);
                    this = Some(finding.occurrence());
                }
                Event::Decision { occurrence, .. } => {
                    occurrence.clone_from(this.as_ref().expect("a finding first"));
                }
                _ => {}
            }
        }
        entries
    }

    /// One call of it.
    pub fn call(&self) -> Draft {
        self.entries.iter().find(|draft| draft.event.kind() == "call").expect("a call").clone()
    }
}
