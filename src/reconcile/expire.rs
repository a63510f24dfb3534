//! The step for a deny that is no longer needed: if `sweep` says so, it is removed.

use super::context::Context;
use super::next::Next;
use super::release;
use crate::config::{Mode, Sweep};
use crate::ledger::LedgerError;
use crate::remediation::Remediation;

pub(super) async fn step(context: &Context, remediation: &Remediation) -> Result<Next, LedgerError> {
    let policy = context.policy();
    // The key of a user stays inactive: that is no session, and a person decides about it.
    if policy.sweep == Sweep::On && policy.mode <= Mode::Approve {
        return release::step(context, remediation).await;
    }
    Ok(Next::Done)
}
