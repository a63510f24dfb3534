//! What no rule is for, in a run: counted by type, so that it does not bury what was done.

use crate::cli::output::{DIM, Screen, clean, styled};
use crate::ledger::Reader;
use crate::remediation::{Entry, Event, ReasonCode};
use std::collections::BTreeMap;

/// Maximum number of such decisions that are shown one by one.
const SHOWN: usize = 10;

/// The decisions of a run about what no rule is for.
#[derive(Default)]
pub(super) struct WithoutRule {
    occurrences: Vec<String>,
}

impl WithoutRule {
    /// Counts an entry, if it is such a decision. Gives whether it is shown by itself.
    pub fn is_shown(&mut self, entry: &Entry) -> bool {
        if let Event::Decision { occurrence, code: ReasonCode::OtherType, .. } = &entry.event {
            self.occurrences.push(occurrence.clone());
            return self.occurrences.len() <= SHOWN;
        }
        true
    }

    pub fn describe(&self, reader: &Reader, screen: &Screen) -> anyhow::Result<()> {
        let mut by_type = BTreeMap::<String, usize>::new();
        for occurrence in &self.occurrences {
            if let Some(kind) = reader.type_of(occurrence)? {
                *by_type.entry(kind).or_default() += 1;
            }
        }
        if by_type.is_empty() {
            return Ok(());
        }
        for (kind, count) in &by_type {
            screen.prose(format!(
                "{}  no rule is for it: {} {count}",
                styled(DIM, "skipped   "),
                clean(kind)
            ));
        }
        screen.field("without_rule", &by_type)
    }
}
