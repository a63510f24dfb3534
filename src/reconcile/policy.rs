//! What may be done, as of now.

use crate::triage::Policy;
use std::sync::{Arc, PoisonError, RwLock};

/// The policy in effect. Clones share it.
#[derive(Clone)]
pub(super) struct CurrentPolicy(Arc<RwLock<Arc<Policy>>>);

impl CurrentPolicy {
    pub fn new(policy: Policy) -> Self {
        Self(Arc::new(RwLock::new(Arc::new(policy))))
    }

    pub fn get(&self) -> Arc<Policy> {
        Arc::clone(&self.0.read().unwrap_or_else(PoisonError::into_inner))
    }

    /// Puts another one in effect, also for what was decided and has not begun.
    pub fn change(&self, change: impl FnOnce(&Policy) -> Policy) {
        let mut policy = self.0.write().unwrap_or_else(PoisonError::into_inner);
        *policy = Arc::new(change(&policy));
    }
}
