//! Findings that had been seen before this run.

use super::remediation::{is_by_hand, needs_person};
use crate::cli::output::{DIM, Screen, clean, styled, utc};
use crate::finding::Finding;
use crate::remediation::{Event, State};
use crate::service::Service;
use std::collections::BTreeSet;

pub(super) fn describe(service: &Service, finding: &Finding, screen: &Screen) -> anyhow::Result<()> {
    let reader = service.reader();
    let Some(decided) = reader.decided(&finding.occurrence())? else { return Ok(()) };
    let remediation = decided.decision.as_ref().and_then(|entry| entry.takes_care());
    let state = remediation.map(|id| reader.remediation(id)).transpose()?.map(|one| one.state);
    let code = decided.decision.as_ref().and_then(|entry| match &entry.event {
        Event::Decision { code, .. } => Some(code),
        _ => None,
    });
    let decision = match &decided.decision {
        Some(entry) => match (remediation.zip(state), &entry.event) {
            (Some((id, state @ State::Revoked)), _) => format!("nothing more to do: {id} is {state}"),
            (Some((id, state)), _) => format!("{id} is {state}: `rescind show {id}`"),
            (None, Event::Decision { code, .. }) if code.is_put_off() && service.would_act_on(finding) => {
                "only observed so far: `rescind run --backlog` acts on it".to_owned()
            }
            (None, Event::Decision { verdict, reason, .. }) => format!("{verdict}: {reason}"),
            _ => "not decided yet".to_owned(),
        },
        None => "not decided yet".to_owned(),
    };
    let at = utc(decided.seen.time);
    let names = screen.names();
    screen.item("seen_before", &serde_json::json!({
        "seen_before": finding.id, "account": finding.account, "account_name": names.of(&finding.account), "entry": decided.seen.seq, "decision": decision,
        "code": code, "remediation": remediation, "state": state.map(|state| state.to_string()),
    }))?;
    screen.prose(format!(
        "{}  {} in {}\n            recorded {at} (entry {}); {}",
        styled(DIM, "seen      "),
        clean(&finding.id),
        names.in_words(&finding.account),
        decided.seen.seq,
        clean(&decision)
    ));
    Ok(())
}

/// How a theft that was seen before, and may be acted on, is left open.
pub(super) enum LeftOpen {
    Held,
    ByHand,
    NotRevoked,
}

/// Whether it is left open, and how.
pub(super) fn is_left_open(
    service: &Service,
    finding: &Finding,
    described: &BTreeSet<String>,
) -> anyhow::Result<Option<LeftOpen>> {
    let decision = service.reader().decided(&finding.occurrence())?.and_then(|d| d.decision);
    let Some(entry) = decision else { return Ok(None) };
    Ok(match (entry.takes_care(), &entry.event) {
        (Some(id), _) if described.contains(id) => None,
        (Some(id), _) => {
            let remediation = service.reader().remediation(id)?;
            needs_person(&remediation).then_some(match remediation.state {
                State::Held if is_by_hand(&remediation) => LeftOpen::ByHand,
                State::Held => LeftOpen::Held,
                _ => LeftOpen::NotRevoked,
            })
        }
        (None, Event::Decision { code, what_to_do, .. }) => {
            let open = what_to_do.is_some() || (code.is_put_off() && service.would_act_on(finding));
            open.then_some(LeftOpen::NotRevoked)
        }
        _ => None,
    })
}
