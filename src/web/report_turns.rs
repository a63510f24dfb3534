//! Turns for reports, which take long: few at a time, and one of each person.

use std::collections::HashSet;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

/// Maximum number of reports that are made or sent at the same time.
const AT_ONCE: usize = 2;

/// Who has a report made now.
#[derive(Clone, Default)]
pub(super) struct ReportTurns(Arc<Mutex<HashSet<String>>>);

/// The turn of somebody, until it is dropped.
pub(super) struct ReportTurn {
    who: String,
    all: ReportTurns,
}

impl ReportTurns {
    /// A turn for somebody.
    ///
    /// # Errors
    /// Why they have none now.
    pub fn take(&self, who: String) -> Result<ReportTurn, String> {
        let mut all = self.locked();
        if all.contains(&who) {
            return Err("a report is being made for you already".to_owned());
        }
        if all.len() >= AT_ONCE {
            return Err(format!("{AT_ONCE} reports are being made already"));
        }
        all.insert(who.clone());
        drop(all);
        Ok(ReportTurn { who, all: self.clone() })
    }

    fn locked(&self) -> MutexGuard<'_, HashSet<String>> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Drop for ReportTurn {
    fn drop(&mut self) {
        self.all.locked().remove(&self.who);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn each_person_has_one_turn_and_few_have_one() {
        let turns = ReportTurns::default();
        let take = |who: &str| turns.take(who.to_owned());
        let first = take("a").expect("a turn");
        assert!(take("a").is_err());
        let _second = take("b").expect("a turn");
        assert!(take("c").is_err());
        drop(first);
        let _third = take("c").expect("a turn");
        assert!(take("a").is_err());
    }
}
