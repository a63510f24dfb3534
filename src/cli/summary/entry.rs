//! The lines for entries of a run that are not about a remediation.

use super::counts::Counts;
use crate::cli::output::{BAD, DIM, Screen, WARN, clean, styled};
use crate::remediation::{AlertCode, Entry, Event, ReasonCode, VerdictName};

/// `is_shown` says that a skipped finding has a line of its own.
pub(super) fn describe(
    entry: &Entry,
    screen: &Screen,
    is_shown: bool,
    counts: &mut Counts,
) -> anyhow::Result<()> {
    match &entry.event {
        Event::Decision {
            verdict: verdict @ (VerdictName::Skip | VerdictName::Observe),
            code,
            reason,
            what_to_do,
            ..
        } => {
            counts.need_person += usize::from(what_to_do.is_some());
            counts.put_off += usize::from(*code == ReasonCode::FirstRun);
            let (count, label) = if *verdict == VerdictName::Skip {
                (&mut counts.skipped, styled(DIM, "skipped   "))
            } else {
                (&mut counts.observed, styled(WARN, "observed  "))
            };
            *count += 1;
            if is_shown {
                screen.prose(format!("{label}  {}", subject(entry, screen)));
                screen.prose(format!("            {}", clean(reason)));
            }
            if let Some(to_do) = what_to_do {
                screen.prose(format!("            {} {}", styled(BAD, "act by hand:"), clean(to_do)));
            }
            screen.item("entries", entry)?;
        }
        Event::Alert { code, text, what_to_do } => {
            counts.alerts += 1;
            counts.not_decided += usize::from(*code == AlertCode::IdTaken);
            screen.prose(format!(
                "{}  {}  {code}: {}\n            to do: {}",
                styled(BAD, "ALERT     "),
                entry
                    .subject
                    .account
                    .as_ref()
                    .map_or_else(|| "the organization".to_owned(), |a| screen.names().in_words(a)),
                clean(text),
                clean(what_to_do)
            ));
            screen.item("entries", entry)?;
        }
        Event::Undecodable { origin, undecodable } => {
            counts.undecodable += 1;
            screen.prose(format!(
                "{}  {}: {}",
                styled(BAD, "unreadable"),
                clean(&origin.to_string()),
                clean(&undecodable.to_string())
            ));
            screen.item("entries", entry)?;
        }
        Event::Unconfirmed { origin, why, .. } => {
            counts.unconfirmed += 1;
            screen.prose(format!(
                "{}  {}\n            {}: {}",
                styled(WARN, "not so    "),
                subject(entry, screen),
                clean(&origin.to_string()),
                clean(&why.to_string())
            ));
            screen.item("entries", entry)?;
        }
        Event::RegionSkipped { reason } => {
            screen.prose(format!("{}  {}", styled(DIM, "skipped   "), clean(reason)));
            screen.item("entries", entry)?;
        }
        Event::FeedFailed { error, what_to_do } => {
            counts.failed_feeds += 1;
            screen.prose(format!(
                "{}  {}\n            {}",
                styled(BAD, "not read  "),
                clean(error),
                clean(what_to_do)
            ));
            screen.item("entries", entry)?;
        }
        _ => {}
    }
    Ok(())
}

fn subject(entry: &Entry, screen: &Screen) -> String {
    let finding = clean(entry.subject.finding.as_deref().unwrap_or("-"));
    let account = entry.subject.account.as_ref().map(|account| screen.names().in_words(account));
    account.map_or_else(|| finding.clone(), |account| format!("{finding} in {account}"))
}
