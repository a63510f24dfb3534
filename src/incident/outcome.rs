//! What became of what the thief has: denied, held, ended, or not denied.

use super::record::Record;
use crate::ledger::{LedgerError, Reader};
use crate::remediation::{Event, NOBODY, ReasonCode, Remediation, State};
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

/// What became of a session.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
pub enum SessionStatus {
    /// Everything is denied to it.
    Denied,
    /// A person must answer before it is denied.
    Held,
    /// rescind is denying it.
    BeingRevoked,
    /// It has ended by itself.
    Ended,
    /// Nothing denies it.
    NotDenied,
}

impl SessionStatus {
    /// In words.
    #[must_use]
    pub fn words(self) -> &'static str {
        match self {
            Self::Denied => "denied",
            Self::Held => "held",
            Self::BeingRevoked => "being revoked",
            Self::Ended => "ended",
            Self::NotDenied => "NOT denied",
        }
    }
}

/// What became of a session, and why.
#[derive(Clone)]
pub(super) struct Outcome {
    pub status: SessionStatus,
    pub why: String,
    pub remediation: Option<String>,
    /// A person has decided that it is not to be denied.
    pub is_judged: bool,
}

impl Outcome {
    pub fn not_denied(why: impl Into<String>) -> Self {
        Self { status: SessionStatus::NotDenied, why: why.into(), remediation: None, is_judged: false }
    }

    /// Of what this remediation is for.
    pub fn of(member: &Remediation) -> Self {
        let answer = member.answer.as_ref().map(|given| &given.answer);
        let said =
            || answer.map_or_else(String::new, |answer| format!(" by {}: {}", answer.by, answer.reason));
        let is_persons = answer.is_some_and(|answer| answer.by != NOBODY);
        let why = || member.why().map_or_else(|| member.state.to_string(), str::to_owned);
        let (status, why, is_judged) = match member.state {
            State::Revoked => (SessionStatus::Denied, "the deny was seen in place".to_owned(), false),
            State::Unverified => (
                SessionStatus::Denied,
                "the deny is in place; IAM's simulator does not confirm it".to_owned(),
                false,
            ),
            State::Releasing => (SessionStatus::Denied, "its release was requested".to_owned(), false),
            State::Superseded => {
                let by = member.history.superseded_by.as_deref().unwrap_or("another remediation");
                (SessionStatus::Denied, format!("{by} has revoked it"), false)
            }
            State::DoneByHand => (SessionStatus::Denied, format!("done by hand{}", said()), false),
            State::Expired | State::Retiring | State::Retired => {
                (SessionStatus::Ended, "no token that was denied is alive any more".to_owned(), false)
            }
            State::Held => (SessionStatus::Held, why(), false),
            State::Rejected if is_persons => (SessionStatus::NotDenied, format!("rejected{}", said()), true),
            State::Rejected => {
                (SessionStatus::NotDenied, "rejected automatically (no answer)".to_owned(), false)
            }
            State::Released => {
                let asked = member.release().map(|release| &release.asked.answer);
                let by =
                    asked.map_or_else(String::new, |answer| format!(" by {}: {}", answer.by, answer.reason));
                (SessionStatus::NotDenied, format!("released{by}"), true)
            }
            State::Failed => (SessionStatus::NotDenied, why(), false),
            State::Queued
            | State::Approved
            | State::Revoking
            | State::Verifying
            | State::Lost
            | State::Contested
            | State::Retrying
            | State::Blocked => (SessionStatus::BeingRevoked, why(), false),
        };
        Self { status, why, remediation: Some(member.id.clone()), is_judged }
    }

    /// Of what an occurrence of its own was decided about.
    pub fn decided(record: &Record, reader: &Reader, occurrence: &str) -> Result<Self, LedgerError> {
        let decision = reader.decided(occurrence)?.and_then(|decided| decided.decision);
        let Some(decision) = decision else { return Ok(Self::not_denied("nothing is decided about it yet")) };
        let care = decision.takes_care().map(str::to_owned);
        let Event::Decision { code, reason, .. } = decision.event else {
            return Ok(Self::not_denied("nothing is decided about it yet"));
        };
        if code == ReasonCode::SessionEnded {
            return Ok(Self { status: SessionStatus::Ended, ..Self::not_denied(reason) });
        }
        let Some(id) = care else { return Ok(Self::not_denied(reason)) };
        if let Some(member) = record.member(&id) {
            return Ok(Self::of(member));
        }
        Ok(Self::of(&reader.remediation(&id)?))
    }
}
