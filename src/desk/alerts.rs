//! Alerts, and who has seen to them.

use super::DeskError;
use crate::ident::AccountId;
use crate::ledger::{Append, Ledger, LedgerError, Reader};
use crate::org::AccountNames;
use crate::remediation::{AlertCode, Answer, Draft, Entry, Event};
use jiff::Timestamp;
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};
use std::collections::BTreeMap;

/// An alert in one line of JSON.
#[derive(Debug, Clone, Serialize, Deserialize, JsonSchema)]
pub struct AlertLine {
    /// Number of its entry.
    pub alert: i64,
    /// When it was raised.
    pub at: Timestamp,
    /// What it is about; docs/codes.md has all codes.
    pub code: AlertCode,
    /// What happened, in one sentence.
    pub text: String,
    /// What to do about it.
    pub what_to_do: String,
    /// The account that it is about, if it is about one.
    pub account: Option<AccountId>,
    /// Name of that account, where it is known.
    #[serde(default)]
    pub account_name: Option<String>,
    /// The remediation that it is about, if it is about one.
    pub remediation: Option<String>,
    /// Who has seen to it, and when.
    pub acknowledged: Option<Acknowledged>,
}

/// Who has seen to an alert.
#[derive(Debug, Clone, Serialize, Deserialize, JsonSchema)]
pub struct Acknowledged {
    /// When they said so.
    pub at: Timestamp,
    /// Who it is, and what they say.
    #[serde(flatten)]
    pub answer: Answer,
}

/// The alerts that were raised since a time, the latest first.
///
/// # Errors
/// When the ledger cannot be read.
pub fn alert_lines(reader: &Reader, since: Timestamp) -> Result<Vec<AlertLine>, LedgerError> {
    let mut seen: BTreeMap<i64, Acknowledged> = BTreeMap::new();
    for entry in reader.of_kind("alert_acknowledged")? {
        if let Event::AlertAcknowledged { alert, answer } = entry.event {
            seen.entry(alert).or_insert(Acknowledged { at: entry.time, answer });
        }
    }
    let (alerts, names) = (reader.alerts_since(since)?, reader.account_names()?);
    Ok(alerts.into_iter().rev().filter_map(|entry| line(entry, &mut seen, &names)).collect())
}

fn line(entry: Entry, seen: &mut BTreeMap<i64, Acknowledged>, names: &AccountNames) -> Option<AlertLine> {
    let Event::Alert { code, text, what_to_do } = entry.event else { return None };
    Some(AlertLine {
        alert: entry.seq,
        at: entry.time,
        code,
        text,
        what_to_do,
        account_name: entry.subject.account.as_ref().and_then(|account| names.of(account)),
        account: entry.subject.account,
        remediation: entry.subject.remediation,
        acknowledged: seen.remove(&entry.seq),
    })
}

/// The account that the alert with this number is about, if it is about one.
///
/// # Errors
/// When there is no such alert.
pub fn account_of_alert(reader: &Reader, alert: i64) -> Result<Option<AccountId>, DeskError> {
    Ok(alert_entry(reader, alert)?.subject.account)
}

fn unknown(alert: i64) -> DeskError {
    DeskError::NotFound(format!("no entry with the number {alert} is an alert"))
}

fn alert_entry(reader: &Reader, alert: i64) -> Result<Entry, DeskError> {
    if !(1..=reader.last()?).contains(&alert) {
        return Err(unknown(alert));
    }
    let entry = reader.entry(alert)?;
    if matches!(entry.event, Event::Alert { .. }) { Ok(entry) } else { Err(unknown(alert)) }
}

/// Records that a person has seen to the alert with this number. Once more changes nothing.
///
/// # Errors
/// When there is no such alert, or the ledger cannot be written.
pub async fn acknowledge(
    reader: &Reader,
    ledger: &Ledger,
    alert: i64,
    answer: &Answer,
) -> Result<AlertLine, DeskError> {
    let unknown = || unknown(alert);
    let entry = alert_entry(reader, alert)?;
    let (subject, at) = (entry.subject, entry.time);
    let find = || -> Result<Option<AlertLine>, LedgerError> {
        Ok(alert_lines(reader, at)?.into_iter().find(|one| one.alert == alert))
    };
    let found = find()?.ok_or_else(unknown)?;
    if found.acknowledged.is_some() {
        return Ok(found);
    }
    let event = Event::AlertAcknowledged { alert, answer: answer.clone() };
    let entries = vec![Draft { subject, event }];
    ledger.append(Append { entries, ..Append::default() }).await?;
    find()?.ok_or_else(unknown)
}
