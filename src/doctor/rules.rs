//! The rules: whether they are for something, and what came that none is for.

use super::{Doctor, Level, Problem};
use crate::finding::known_types;
use crate::ident::quoted;
use crate::ledger::LedgerError;
use crate::triage::RuleIndex;
use jiff::{SignedDuration, Timestamp};

/// Time for which GuardDuty keeps findings.
const LOOKED_BACK: SignedDuration = SignedDuration::from_hours(90 * 24);

/// Maximum number of types that are named.
const NAMED: usize = 20;

const WRITE_A_RULE: &str = "Write a rule for those that matter, with mode = \"approve\"; for the others one with mode = \"off\" (docs/configuration.md).";

impl Doctor<'_> {
    /// Looks at the rules, and at what was decided without one.
    pub(super) fn rules(&self) -> Vec<Problem> {
        let misspelt = self.config.unknown_types.iter().map(|unknown| {
            let fix = "Correct it in rescind.toml. If AWS has added that type, nothing needs to be done.";
            Problem::new(Level::Warning, "type_unknown", "rules", unknown.to_string(), fix)
        });
        // A ledger that cannot be read is reported by the check of the ledger.
        misspelt.chain(self.without_rule().unwrap_or_default()).collect()
    }

    /// What was seen and no rule is for: a warning where the type is one that this version has not heard of.
    fn without_rule(&self) -> Result<Vec<Problem>, LedgerError> {
        let types = RuleIndex::new(&self.config.rules, &self.config.remedies).types();
        let mut seen = self.reader.without_rule_since(Timestamp::now() - LOOKED_BACK)?;
        // A rule was added since, or one is for the type, and asks for more than that.
        seen.retain(|kind, _| !types.wants(kind));
        let (known, new): (Vec<_>, Vec<_>) =
            seen.into_iter().partition(|(kind, _)| known_types().any(|known| known == kind));
        let problem = |level, what: &str, of: Vec<(String, u64)>| {
            let named: Vec<String> =
                of.iter().take(NAMED).map(|(kind, count)| format!("{} ({count})", bare(kind))).collect();
            let more = of.len().saturating_sub(NAMED);
            let more = if more > 0 { format!(", and {more} more") } else { String::new() };
            let text = format!("seen in 90 days, no rule is for it{what}: {}{more}", named.join(", "));
            (!of.is_empty()).then(|| Problem::new(level, "without_rule", "rules", text, WRITE_A_RULE))
        };
        let new = problem(Level::Warning, ", and this version does not know the type", new);
        Ok(new.into_iter().chain(problem(Level::Note, "", known)).collect())
    }
}

/// A type as it is, or quoted where it is none that GuardDuty would write: whoever hands in a file may have made it up.
fn bare(kind: &str) -> String {
    let is_plain = kind.len() <= 100 && kind.bytes().all(|b| b.is_ascii_graphic());
    if is_plain { kind.to_owned() } else { quoted(kind) }
}
