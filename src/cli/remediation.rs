//! The colours of a remediation's states.

use super::output::{BAD, DIM, GOOD, WARN, styled};
use crate::remediation::State;

/// A state, in its colour.
pub fn label(state: State) -> String {
    styled(style(state), state)
}

pub fn style(state: State) -> anstyle::Style {
    match state {
        State::Revoked => GOOD,
        State::Unverified
        | State::Blocked
        | State::Failed
        | State::Rejected
        | State::Lost
        | State::Contested => BAD,
        State::Superseded | State::DoneByHand | State::Released | State::Expired | State::Retired => DIM,
        State::Held
        | State::Queued
        | State::Approved
        | State::Revoking
        | State::Verifying
        | State::Retrying
        | State::Releasing
        | State::Retiring => WARN,
    }
}
