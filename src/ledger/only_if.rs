//! Where a remediation must still be, for an append to be made.

use crate::remediation::{Remediation, State};

/// Where a remediation must still be, for an append to be made.
#[derive(Debug, Clone)]
pub struct OnlyIf {
    /// Id of the remediation.
    pub remediation: String,
    /// Its state.
    pub state: State,
    /// Number of the entry with the change that is planned, where that matters.
    pub plan: Option<i64>,
}

impl OnlyIf {
    /// It is still in the state in which it was read.
    #[must_use]
    pub fn is_still(remediation: &Remediation) -> Self {
        Self { remediation: remediation.id.clone(), state: remediation.state, plan: None }
    }
}
