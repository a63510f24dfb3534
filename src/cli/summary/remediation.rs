//! The state of a remediation after a run, and what to do about it.

use crate::cli::output::{BAD, Screen, WARN, clean, short, styled, utc};
use crate::cli::remediation::style;
use crate::config::Config;
use crate::desk::RemediationLine;
use crate::remediation::{Given, Means, NOBODY, Remediation, State, describe_in_force};
use jiff::Timestamp;

/// `known_until` is when the ledger was written last: nobody knows what was in place later.
pub(super) fn describe(
    remediation: &Remediation,
    known_until: Option<Timestamp>,
    config: &Config,
    screen: &Screen,
) -> anyhow::Result<()> {
    let names = screen.names();
    screen.item("remediations", &RemediationLine::of(remediation, known_until, &names))?;
    let label = styled(style(remediation.state), format!("{:<10}", remediation.state));
    let target = &remediation.target;
    let principal = clean(&target.principal());
    screen.line(format!("{label}  {}", remediation.id));
    screen.prose(format!("            {principal} in {}", names.in_words(&target.account)));
    // What is contested may be gone at the moment.
    if remediation.state.is_in_place() && remediation.proof().is_some() {
        if let (Some(change), Some(accepted)) = (&remediation.change, remediation.accepted_at()) {
            let cutoff = utc(change.cutoff.time());
            let what = change
                .session
                .as_deref()
                .map_or_else(|| "sessions".to_owned(), |session| format!("sessions of {}", clean(session)));
            let what = match change.means {
                Means::InlinePolicy => format!("{what} issued before {cutoff} are denied"),
                Means::Quarantine | Means::ServiceControlPolicy => {
                    format!("everything is denied to {}", clean(&change.denied()))
                }
            };
            screen.prose(format!(
                "            {what} (proof: {})",
                remediation.rung().map_or("none".to_owned(), |rung| rung.to_string())
            ));
            if remediation.state == State::Unverified {
                let warning = styled(BAD, "NOT confirmed:");
                screen.prose(format!("            {warning} IAM's simulator still allows the old session"));
            }
            if let Some(key) = &change.key {
                screen.line(format!("            access key {} is inactive", clean(&key.id)));
            }
            let denied = remediation.history.denied_at.unwrap_or(accepted);
            screen.prose(match remediation.since_activity(denied) {
                Some(took) => format!(
                    "            accepted by AWS {} after {}",
                    short(took),
                    remediation.finding.cause.beginning()
                ),
                None => format!(
                    "            accepted by AWS; the time of {} is ahead of this clock",
                    remediation.finding.cause.beginning()
                ),
            });
        }
        if let Some(one) = known_until.and_then(|until| remediation.in_force(until)) {
            screen.prose(format!("            in force for {}", describe_in_force(&one)));
        }
        if let Some(recurrence) = &remediation.recurrence {
            screen.prose(format!(
                "            {}: {}",
                styled(BAD, "RECURRING"),
                clean(&recurrence.to_string())
            ));
        }
        for text in remediation.impact.iter().flat_map(|impact| impact.warnings()) {
            screen.prose(format!("            {} {}", styled(WARN, "WARNING:"), clean(&text)));
        }
        let note = remediation.proof().and_then(|p| p.note.as_deref());
        for note in [remediation.change.as_ref().and_then(|c| c.note.as_deref()), note].into_iter().flatten()
        {
            screen.prose(format!("            note: {}", clean(note)));
        }
    } else if remediation.state == State::Contested {
        screen.prose("            the deny does not stay in place: it is put back again and again");
    } else if remediation.state == State::Held {
        let why = remediation.held_why().map_or("", |(_, why)| why);
        screen.prose(format!("            {}", clean(why)));
        let id = &remediation.id;
        if let Some(until) = remediation.answer_by(config.approval_timeout) {
            screen.prose(format!("            decide by {}: `rescind show {id}`, then", utc(until)));
            screen.prose(format!(
                "            `rescind approve {id} --by NAME --reason TEXT`, or `rescind reject {id} …`"
            ));
        } else {
            let what = remediation.what_to_do.as_deref().unwrap_or_default();
            screen.prose(format!("            by hand: {}", clean(what)));
            screen.prose(format!("            and then `rescind done {id} --by NAME --reason TEXT`"));
        }
    } else if is_ended(remediation.state) {
        screen.line(format!("            details: `rescind show {}`", remediation.id));
    } else if remediation.state == State::Superseded {
        screen.line("            another remediation of the role has revoked these sessions");
    } else if let (State::Rejected, Some(Given { answer, .. })) = (remediation.state, &remediation.answer) {
        screen.prose(format!("            rejected by {}: {}", clean(&answer.by), clean(&answer.reason)));
    } else if let Some(refused) = remediation.refused() {
        screen.prose(format!("            {}", clean(&refused.reason)));
        screen.prose(format!("            to do: {}", clean(&refused.what_to_do)));
    } else {
        let why = remediation.why().unwrap_or("not finished");
        screen.prose(format!("            {}", clean(why)));
        screen.line("            a running service resumes it, or the next start");
    }
    Ok(())
}

/// It was taken back, or nothing needs it any more.
fn is_ended(state: State) -> bool {
    matches!(state, State::DoneByHand | State::Released | State::Expired | State::Retired)
}

/// It is held, and only a person can do it.
pub(super) fn is_by_hand(remediation: &Remediation) -> bool {
    remediation.state == State::Held && !remediation.target.is_supported()
}

/// It is not revoked, and nobody has said that this is all right.
pub(super) fn needs_person(remediation: &Remediation) -> bool {
    match (remediation.state, &remediation.answer) {
        (State::Revoked | State::Unverified | State::Superseded, _) => false,
        (state, _) if is_ended(state) => false,
        (State::Rejected, Some(Given { answer, .. })) => answer.by == NOBODY,
        _ => true,
    }
}
