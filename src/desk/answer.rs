//! A person's answer to what is held: who may give it, what it needs, and how it is recorded.

use super::{DeskError, named};
use crate::config::Approval;
use crate::ledger::{Append, Ledger, LedgerError, OnlyIf, Reader};
use crate::remediation::{Answer, Draft, Event, Remediation, State, Who};

/// What a person answers.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Kind {
    /// It is carried out.
    Approve,
    /// It is not carried out.
    Reject,
    /// A person has done by hand what rescind cannot.
    Done,
}

impl Kind {
    /// The answer's name in JSON.
    #[must_use]
    pub fn word(self) -> &'static str {
        match self {
            Self::Approve => "approved",
            Self::Reject => "rejected",
            Self::Done => "done_by_hand",
        }
    }
}

/// What became of an answer.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Recorded {
    /// It stands in the ledger.
    Yes(Answer),
    /// It stands there, and so many more people must approve it.
    Counted {
        /// The answer.
        answer: Answer,
        /// How many more must approve it.
        missing: usize,
    },
    /// Somebody else was faster; nothing was recorded. The text says where it stands.
    Late(String),
}

/// What is held of an incident, but for what only a person can do.
///
/// # Errors
/// When there is no such incident, or nothing of it is held that rescind can carry out.
pub fn held_of(reader: &Reader, text: &str) -> Result<Vec<String>, DeskError> {
    let incident = named::incident_named(reader, text)?;
    let mut held = Vec::new();
    for id in reader.remediations_of(&incident)? {
        if reader.state(&id)? == State::Held && reader.remediation(&id)?.target.is_supported() {
            held.push(id);
        }
    }
    if held.is_empty() {
        let text = format!("{incident}: nothing of it is held that rescind can carry out");
        return Err(DeskError::Conflict(text));
    }
    Ok(held)
}

/// The remediation that `text` names, if it can be answered so.
///
/// # Errors
/// When there is none, or there is nothing to answer.
pub fn answerable(reader: &Reader, text: &str, kind: Kind) -> Result<Remediation, DeskError> {
    let remediation = named::remediation(reader, text)?;
    may_answer(&remediation, kind)?;
    Ok(remediation)
}

/// Whether it can be answered so: it is held, or was rejected and somebody thinks better of it.
///
/// # Errors
/// When there is nothing to answer: the text says why, and what to do instead.
pub fn may_answer(remediation: &Remediation, kind: Kind) -> Result<(), DeskError> {
    let conflict = |text: String| Err(DeskError::Conflict(text));
    let (id, state) = (&remediation.id, remediation.state);
    let is_unsupported = matches!(remediation.target.who, Who::Unsupported { .. });
    if is_unsupported && kind == Kind::Approve {
        return conflict(format!(
            "{id}: rescind cannot do this. `rescind show {id}` has the manual steps; report them done with `rescind done {id}`"
        ));
    }
    match (state, &remediation.answer) {
        (State::Held | State::Rejected, _) if is_unsupported && kind == Kind::Done => Ok(()),
        // A name that nobody has, for example: nothing will come of it by itself.
        (State::Failed, _) if kind == Kind::Done => Ok(()),
        (State::Held | State::Rejected, _) if kind == Kind::Done => conflict(format!(
            "{id}: rescind can do this itself: `rescind approve {id}`, or `rescind reject {id}`"
        )),
        (State::Held, _) if remediation.proposal.is_none() && kind == Kind::Approve => {
            let text = "the planned change is not determined yet: a service does that at its next poll, or `rescind run --once`";
            conflict(format!("{id}: {text}"))
        }
        (State::Held, _) => Ok(()),
        (State::Rejected | State::Superseded, _) if kind == Kind::Approve => Ok(()),
        (_, Some(given)) if remediation.approved_at().is_some() => conflict(format!(
            "{id} was approved by {} already, and is {state}: there is nothing to answer",
            given.answer.by
        )),
        _ => conflict(format!("{id} is {state}, not held: there is nothing to answer")),
    }
}

/// Records an answer, if nobody was faster. What is approved is the change that `given` judged, or that is planned now.
///
/// # Errors
/// When another person must give it, another change is planned by now, or the ledger cannot be written.
pub async fn record(
    ledger: &Ledger,
    remediation: &Remediation,
    kind: Kind,
    given: &Answer,
) -> Result<Recorded, DeskError> {
    let planned = remediation.proposal.as_ref().map(|proposal| proposal.seq);
    let plan_changed = || DeskError::PlanChanged(remediation.id.clone());
    if kind == Kind::Approve && given.judged.is_some() && given.judged != planned {
        return Err(plan_changed());
    }
    let answer = Answer { judged: planned, ..given.clone() };
    let missing = if kind == Kind::Approve { missing(remediation, &answer)? } else { 0 };
    let event = match kind {
        Kind::Approve if missing > 0 => Event::ApprovalGiven(answer.clone()),
        Kind::Approve => Event::Approved(answer.clone()),
        Kind::Reject => Event::Rejected(answer.clone()),
        Kind::Done => Event::DoneByHand(answer.clone()),
    };
    let plan = planned.filter(|_| kind == Kind::Approve);
    let only_if = Some(OnlyIf { plan, ..OnlyIf::is_still(remediation) });
    let entries = vec![Draft { subject: remediation.subject(), event }];
    match ledger.append(Append { entries, only_if, ..Append::default() }).await {
        Err(LedgerError::Illegal(illegal)) => {
            let now = illegal.from.map(|state| state.to_string()).unwrap_or_default();
            Ok(Recorded::Late(format!(
                "{} is {now} already: somebody else was faster, and nothing was recorded of it",
                remediation.id
            )))
        }
        Err(LedgerError::OtherPlan { .. }) => Err(plan_changed()),
        Ok(_) if missing > 0 => complete(ledger, remediation, answer).await,
        Ok(_) => Ok(Recorded::Yes(answer)),
        Err(error) => Err(error.into()),
    }
}

/// Approves what has all its approvals: two people may have given the last of them at the same time.
async fn complete(ledger: &Ledger, remediation: &Remediation, answer: Answer) -> Result<Recorded, DeskError> {
    let now = ledger.reader()?.remediation(&remediation.id)?;
    let missing = (now.approval.approvers as usize).saturating_sub(people(&now, &answer).len());
    if missing > 0 || may_answer(&now, Kind::Approve).is_err() {
        return Ok(Recorded::Counted { answer, missing });
    }
    let event = Event::Approved(answer.clone());
    let entries = vec![Draft { subject: remediation.subject(), event }];
    let only_if = Some(OnlyIf { plan: answer.judged, ..OnlyIf::is_still(&now) });
    match ledger.append(Append { entries, only_if, ..Append::default() }).await {
        // The other one was as fast, and it is approved.
        Ok(_) | Err(LedgerError::Illegal(_)) => Ok(Recorded::Yes(answer)),
        // All must approve what is planned by now.
        Err(LedgerError::OtherPlan { .. }) => {
            Ok(Recorded::Counted { answer, missing: now.approval.approvers as usize })
        }
        Err(error) => Err(error.into()),
    }
}

/// The people who approved what is planned now, each with one of their answers. What was planned before does not count.
fn people<'r>(remediation: &'r Remediation, answer: &Answer) -> Vec<&'r Answer> {
    let mut people: Vec<&Answer> = Vec::new();
    for one in remediation.approvals.iter().filter(|one| one.judged == answer.judged) {
        if !people.iter().any(|other| other.is_by_whom(one)) {
            people.push(one);
        }
    }
    people
}

/// How many more people must approve it after this one.
fn missing(remediation: &Remediation, answer: &Answer) -> Result<usize, DeskError> {
    let Approval { approvers, four_eyes } = remediation.approval;
    let id = &remediation.id;
    if four_eyes && remediation.finding.cause.order().is_some_and(|order| answer.is_by_whom_ordered(order)) {
        let text = format!("{id}: its rule asks for four eyes: whoever ordered it does not approve it");
        return Err(DeskError::Forbidden(text));
    }
    let people = people(remediation, answer);
    if people.iter().any(|one| one.is_by_whom(answer)) && people.len() < approvers as usize {
        let text = format!("{id}: you have approved it already, and its rule asks for another person");
        return Err(DeskError::Forbidden(text));
    }
    Ok((approvers as usize).saturating_sub(people.len() + 1))
}
