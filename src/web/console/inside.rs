//! Whether the thief of one incident is still inside.

use super::words::Tone;
use crate::incident::{Incident, Session, SessionStatus};
use crate::plural::counted;
use crate::remediation::State;

/// Whether the thief is still inside, as far as rescind sees.
pub(super) fn inside(incident: &Incident) -> (Tone, String) {
    let count = |status| incident.sessions.iter().filter(|one| one.is_open && one.status == status).count();
    let (free, held) = (count(SessionStatus::NotDenied), count(SessionStatus::Held));
    let (being, doors) = (count(SessionStatus::BeingRevoked), incident.open_doors().count());
    let is_judged = |one: &&Session| !one.is_open && one.status == SessionStatus::NotDenied;
    let judged = incident.sessions.iter().filter(is_judged).count();
    let is_contested = incident.remediations.iter().any(|one| one.state == State::Contested);
    let are = |count: usize| if count == 1 { "is" } else { "are" };
    if free > 0 {
        let text =
            format!("The thief is still inside: {} {} not denied.", counted(free, "session"), are(free));
        (Tone::Bad, text)
    } else if held > 0 {
        let waits = if held == 1 { "waits" } else { "wait" };
        let text = format!("The thief is still inside: {} {waits} for an answer.", counted(held, "session"));
        (Tone::Bad, text)
    } else if is_contested {
        let text = "The thief fights back: a deny is removed again and again, and put back.";
        (Tone::Bad, text.to_owned())
    } else if being > 0 {
        let text = format!(
            "The thief is being shut out: {} {} being revoked.",
            counted(being, "session"),
            are(being)
        );
        (Tone::Warn, text)
    } else if doors > 0 {
        let text = format!(
            "No session of the thief is open, but {} {}: they can come back.",
            counted(doors, "door"),
            are(doors)
        );
        (Tone::Warn, text)
    } else if judged > 0 {
        let text = format!(
            "{} {} not denied, because a person decided so: what was released or rejected works until it expires.",
            counted(judged, "session"),
            are(judged)
        );
        (Tone::Warn, text)
    } else {
        (Tone::Good, "No session of the thief is open, and no door.".to_owned())
    }
}
