//! Many notices in one message, so that a storm of findings is not a storm of messages.

use super::Notice;
use super::link::Console;
use crate::config::{Level, Topic};
use crate::incident::{Incident, IncidentState};
use crate::plural::counted;
use jiff::Timestamp;

/// Number of notices from which on they are sent as one.
pub(super) const TOGETHER: usize = 6;

/// Maximum number of notices that are listed in it.
const NAMED: usize = 40;

/// Maximum number of incidents that are named in it.
const INCIDENTS: usize = 10;

/// One notice that summarizes all of them; none when there are none.
pub(super) fn digest(notices: &[Notice], incidents: &[Incident], console: &Console) -> Option<Notice> {
    let last = notices.last()?;
    let level = notices.iter().map(|notice| notice.level).max().unwrap_or(Level::Info);
    let mut order: Vec<&Notice> = notices.iter().collect();
    order.sort_by_key(|notice| (std::cmp::Reverse(notice.level), notice.entry));
    let of_level = |level| notices.iter().filter(|notice| notice.level == level).count();
    let counts: Vec<String> = [Level::Critical, Level::Warning, Level::Info]
        .into_iter()
        .filter(|level| of_level(*level) > 0)
        .map(|level| format!("{} {level}", of_level(level)))
        .collect();
    let mut text: Vec<String> = order
        .iter()
        .take(NAMED)
        .map(|notice| {
            let id = notice.remediation.as_deref().map_or_else(String::new, |id| format!(" ({id})"));
            let page = notice.link.as_ref().map_or_else(String::new, |page| format!(" {page}"));
            format!("[{}] {}{id}{page}", notice.level, notice.title)
        })
        .collect();
    if notices.len() > NAMED {
        text.push(format!("... and {} more: `rescind list` names them.", notices.len() - NAMED));
    }
    text.extend(not_closed(incidents));
    Some(Notice {
        id: format!("{}-{}", last.id, notices.len()),
        entry: last.entry,
        topic: Topic::Alert,
        level,
        at: notices.iter().map(|notice| notice.at).max().unwrap_or(Timestamp::UNIX_EPOCH),
        title: format!("{} notifications at once: {}", notices.len(), counts.join(", ")),
        text,
        to_do: vec![
            "`rescind status` lists what needs attention, `rescind show ID` shows each one.".to_owned(),
        ],
        account: None,
        account_name: None,
        principal: None,
        remediation: None,
        state: None,
        proof: None,
        finding: None,
        finding_type: None,
        link: console.front(),
    })
}

/// The incidents that are not closed, in one line; none when there are none.
fn not_closed(incidents: &[Incident]) -> Option<String> {
    let mut left: Vec<&Incident> =
        incidents.iter().filter(|incident| incident.state != IncidentState::Closed).collect();
    left.sort_by_key(|incident| (incident.state, std::cmp::Reverse(incident.open_doors().count())));
    let named: Vec<String> = left
        .iter()
        .take(INCIDENTS)
        .map(|incident| {
            let doors = counted(incident.open_doors().count(), "door");
            format!("{} {}, {doors} open", incident.id, incident.state)
        })
        .collect();
    let more = left.len().saturating_sub(INCIDENTS);
    let more = if more > 0 { format!("; and {more} more") } else { String::new() };
    (!named.is_empty())
        .then(|| format!("Incidents: {}{more}. `rescind incident show ID` has each.", named.join("; ")))
}
