//! What was decided about a finding, in one line of JSON.

use crate::ident::AccountId;
use crate::ledger::{Decided, LedgerError, Reader};
use crate::org::AccountNames;
use crate::remediation::{Event, ReasonCode};
use jiff::Timestamp;
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

/// Maximum number of pages of the ledger that are read for one page of somebody who does not see all.
const ROUNDS: usize = 10;

/// The latest decisions that somebody may see, at most `most`, from before the entry `before`; and where the next page
/// begins. What they may not see is not even an empty page, unless there is very much of it.
///
/// # Errors
/// When the ledger cannot be read.
pub fn latest_decisions(
    reader: &Reader,
    before: Option<i64>,
    most: usize,
    is_shown: impl Fn(Option<&AccountId>) -> bool,
) -> Result<(Vec<DecisionLine>, Option<i64>), LedgerError> {
    let (mut lines, mut before) = (Vec::new(), before);
    let names = reader.account_names()?;
    for _ in 0..ROUNDS {
        let (all, next) = reader.latest_decisions(before, most)?;
        let mut rest = all.iter().map(|one| decision_line(one, &names)).peekable();
        while let Some(line) = rest.next() {
            if !is_shown(line.account.as_ref()) {
                continue;
            }
            let entry = line.entry;
            lines.push(line);
            if lines.len() == most {
                return Ok((lines, (next.is_some() || rest.peek().is_some()).then_some(entry)));
            }
        }
        before = next;
        if before.is_none() {
            break;
        }
    }
    Ok((lines, before))
}

/// What was decided about a finding, in one line of JSON.
#[derive(Debug, Clone, Serialize, Deserialize, JsonSchema)]
pub struct DecisionLine {
    /// When the occurrence was recorded.
    pub seen: Timestamp,
    /// Number of the entry that recorded it.
    pub entry: i64,
    /// Id of the finding; none when what came could not be read.
    pub finding: Option<String>,
    /// The affected account.
    pub account: Option<AccountId>,
    /// Name of that account, where it is known.
    #[serde(default)]
    pub account_name: Option<String>,
    /// Type of the finding.
    #[serde(default, rename = "type")]
    pub finding_type: Option<String>,
    /// Severity of the finding: 1 to 10, where it has one.
    #[serde(default)]
    pub severity: Option<f64>,
    /// The verdict, or `unreadable`, `unconfirmed` or `undecided`.
    pub decision: String,
    /// The reason in words.
    pub reason: String,
    /// The reason as a code; docs/codes.md has them all.
    pub code: Option<ReasonCode>,
    /// The remediation that it led to.
    pub remediation: Option<String>,
}

/// What was decided about an occurrence.
#[must_use]
pub fn decision_line(decided: &Decided, names: &AccountNames) -> DecisionLine {
    let Decided { seen, decision } = decided;
    let (verdict, reason) = match (&seen.event, decision.as_ref().map(|d| &d.event)) {
        (_, Some(Event::Decision { verdict, reason, .. })) => (verdict.name(), reason.clone()),
        (Event::Undecodable { undecodable, .. }, _) => ("unreadable", undecodable.to_string()),
        (Event::Unconfirmed { why, .. }, _) => ("unconfirmed", why.to_string()),
        _ => ("undecided", "resumed at the next start".to_owned()),
    };
    let finding = match &seen.event {
        Event::Finding { finding, .. } => Some(finding),
        _ => None,
    };
    DecisionLine {
        seen: seen.time,
        entry: seen.seq,
        finding: seen.subject.finding.clone(),
        account: seen.subject.account.clone(),
        account_name: seen.subject.account.as_ref().and_then(|account| names.of(account)),
        finding_type: finding.map(|finding| finding.finding_type.clone()),
        severity: finding.and_then(|finding| finding.severity),
        decision: verdict.to_owned(),
        reason,
        code: decision.as_ref().and_then(|d| match &d.event {
            Event::Decision { code, .. } => Some(*code),
            _ => None,
        }),
        remediation: decision.as_ref().and_then(|d| d.subject.remediation.clone()),
    }
}
