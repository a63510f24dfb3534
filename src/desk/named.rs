//! What an id or its beginning names.

use super::DeskError;
use crate::finding::Finding;
use crate::ident::AccountId;
use crate::ledger::{LedgerError, Reader};
use crate::remediation::{Event, Remediation};
use crate::safe::line as clean;
use std::collections::BTreeSet;

/// Number of ids that are named when a text is the beginning of several.
const NAMED: usize = 5;

/// Minimum number of characters, without the `r-` or `i-`, of a beginning that names something: fewer are more likely a
/// slip, and what only one id begins with today, several begin with tomorrow.
const NAMING: usize = 8;

/// The one remediation with this id, or with the only id that begins so: for what acts on it.
///
/// # Errors
/// When the text is no id, or names none or several.
pub fn remediation(reader: &Reader, text: &str) -> Result<Remediation, DeskError> {
    if !text.starts_with("r-") {
        return Err(no_id(text));
    }
    Ok(reader.remediation(&find(reader, text)?)?)
}

/// An account for people: its id, and its name where the organization was read.
///
/// # Errors
/// When the ledger cannot be read.
pub fn account_label(reader: &Reader, account: &AccountId) -> Result<String, LedgerError> {
    let organization = reader.organization()?;
    let name = organization.as_ref().and_then(|all| all.account(account)).map(|one| clean(&one.name));
    let name = name.filter(|name| !name.is_empty());
    Ok(name.map_or_else(|| account.to_string(), |name| format!("{account} ({name})")))
}

/// Refuses what is too short to name one remediation or finding.
///
/// # Errors
/// When it is.
pub fn is_long_enough(text: &str) -> Result<(), DeskError> {
    if text.is_empty() {
        let expected = "expected the id of a remediation or of a finding, found an empty text";
        return Err(DeskError::Invalid(expected.to_owned()));
    }
    let beginning = text.strip_prefix("r-").or("r-".starts_with(text).then_some(""));
    match beginning {
        Some(beginning) if beginning.len() < NAMING => Err(no_id(text)),
        _ => Ok(()),
    }
}

/// Whether a text names a finding: by its id, or by a beginning that is long enough.
#[must_use]
pub fn names_finding(text: &str, id: &str) -> bool {
    id == text || text.len() >= NAMING && id.starts_with(text)
}

fn no_id(text: &str) -> DeskError {
    DeskError::Invalid(format!(
        "{text:?}: expected a remediation's id, such as r-0123456789ab, or at least {NAMING} characters of it after the r-"
    ))
}

/// What several begin with. The candidates are named, so that the right one can be taken from there.
fn ambiguous(text: &str, what: &str, mut candidates: Vec<String>, count: usize) -> DeskError {
    candidates.truncate(NAMED);
    let more = count.saturating_sub(candidates.len());
    let more = if more > 0 { format!(", and {more} more") } else { String::new() };
    let candidates = candidates.join(", ");
    DeskError::Ambiguous(format!("{text:?} matches several {what}: {candidates}{more}: give more of the id"))
}

/// The id of the one remediation that `text` names: by its id, the beginning of it, or its finding's id.
///
/// # Errors
/// When it names none or several.
pub fn find(reader: &Reader, text: &str) -> Result<String, DeskError> {
    match find_among(reader, text, |_| true) {
        Err(DeskError::NotFound(why)) => match reader.archive_of(text)?.map(|entry| entry.event) {
            Some(Event::Archive { file, .. }) => {
                Err(DeskError::NotFound(format!("{text:?} was moved to an archive: {}", clean(&file))))
            }
            _ => Err(DeskError::NotFound(why)),
        },
        found => found,
    }
}

/// The same among the remediations of accounts that are shown: of others it says nothing, not even that they are there.
///
/// # Errors
/// When it names none of them, or several.
pub fn find_among(
    reader: &Reader,
    text: &str,
    is_shown: impl Fn(&AccountId) -> bool,
) -> Result<String, DeskError> {
    is_long_enough(text)?;
    let mut ids = Vec::new();
    for id in reader.matching(text)? {
        if is_shown(&reader.account_of(&id)?) {
            ids.push(id);
        }
    }
    match ids.len() {
        1 => Ok(ids.remove(0)),
        0 => {
            Err(DeskError::NotFound(format!("no remediation matches {text:?}; `rescind list` shows the ids")))
        }
        count => {
            let mut candidates = Vec::new();
            for id in ids.iter().take(NAMED) {
                let remediation = reader.remediation(id)?;
                let (target, state) = (&remediation.target, remediation.state);
                let principal = clean(&target.principal());
                candidates.push(format!("{id} ({principal} in {}, {state})", target.account));
            }
            Err(ambiguous(text, "remediations", candidates, count))
        }
    }
}

/// The latest occurrence of the one finding with this id, or with the only id that begins so.
///
/// # Errors
/// When it names none or several.
pub fn finding(reader: &Reader, text: &str) -> Result<Finding, DeskError> {
    is_long_enough(text)?;
    let seen = reader.occurrences_of(text)?.into_iter().filter_map(|decided| match decided.seen.event {
        Event::Finding { finding, .. } => Some(*finding),
        _ => None,
    });
    let mut findings: Vec<Finding> = seen.filter(|finding| names_finding(text, &finding.id)).collect();
    let ids: BTreeSet<String> = findings.iter().map(|finding| clean(&finding.id)).collect();
    match findings.pop() {
        None => Err(DeskError::NotFound(format!(
            "no finding matches {text:?}; `rescind list --decisions` shows the ids, of which at least {NAMING} characters name one"
        ))),
        Some(_) if ids.len() > 1 => {
            let count = ids.len();
            Err(ambiguous(text, "findings", ids.into_iter().collect(), count))
        }
        Some(last) => Ok(last),
    }
}

/// The one incident that `text` names: by its id, by that of one of its remediations, or by the beginning of either.
///
/// # Errors
/// When it names none or several.
pub fn incident_named(reader: &Reader, text: &str) -> Result<String, DeskError> {
    incident_among(reader, text, |_| true)
}

/// The same among the incidents with a part in an account that is shown.
///
/// # Errors
/// When it names none of them, or several.
pub fn incident_among(
    reader: &Reader,
    text: &str,
    is_shown: impl Fn(&AccountId) -> bool,
) -> Result<String, DeskError> {
    let rest = text.strip_prefix("i-").or_else(|| text.strip_prefix("r-")).unwrap_or_default();
    if rest.len() < NAMING {
        return Err(DeskError::Invalid(format!(
            "{text:?}: expected an incident's id, such as i-0123456789ab, or that of one of its remediations, or at least {NAMING} characters of it after the i- or r-"
        )));
    }
    let mut ids = Vec::new();
    for incident in reader.incidents_matching(text)? {
        let accounts = reader.accounts_of(&incident)?;
        if accounts.iter().any(&is_shown) {
            ids.push(incident);
        }
    }
    match ids.len() {
        1 => Ok(ids.remove(0)),
        0 => Err(DeskError::NotFound(format!(
            "no incident matches {text:?}; `rescind incident list` shows the ids"
        ))),
        count => Err(ambiguous(text, "incidents", ids, count)),
    }
}
