//! Compares what is found with what was written, and with what an undo should leave.

use crate::aws::AccessKey;
use crate::remediation::{Change, Deny, Means, Undo, same};
use std::collections::BTreeMap;

/// What is there before anything is changed.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Found {
    /// The ARN, with the path.
    pub arn: String,
    /// The principal's unique id.
    pub id: String,
    /// The document under our policy name, if there is one.
    pub document: Option<String>,
    /// The long-term access keys of a user.
    pub keys: Vec<AccessKey>,
    /// The tags of the role or user; none where it was not looked at.
    pub tags: BTreeMap<String, String>,
}

impl Found {
    /// The principal that a change was made to, of which nothing else is known yet.
    #[must_use]
    pub(crate) fn of(change: &Change) -> Self {
        Self { arn: change.arn.clone(), id: change.id.clone(), ..Self::default() }
    }
}

impl Change {
    #[must_use]
    pub(crate) fn part(&self) -> Deny {
        match (self.means, &self.user_id) {
            (Means::Quarantine, _) => Deny::everything(),
            (Means::ServiceControlPolicy, Some(user_id)) => Deny::of_principal(user_id, self.cutoff),
            _ => Deny::part(self.session.as_deref(), self.cutoff),
        }
    }

    /// What is there does what the change is for, and no more than `at_most` of what is expected.
    #[must_use]
    pub fn is_in_force(&self, found: &Found, at_most: &Deny) -> bool {
        self.difference(found, at_most).is_none()
    }

    /// The document denies what the change is to deny, and is ours.
    #[must_use]
    pub fn is_denied_by(&self, document: Option<&str>) -> bool {
        let there = document.and_then(|text| Deny::read(text, self.means));
        there.is_some_and(|there| there.covers(&self.part()))
    }

    /// Its access key cannot be used. One that does not exist any more cannot.
    #[must_use]
    pub fn is_key_off(&self, keys: &[AccessKey]) -> bool {
        self.key.as_ref().is_none_or(|key| !keys.iter().any(|there| there.id == key.id && there.active))
    }

    /// What differs, in words; none when it is in force. What is there may deny `at_most` so much.
    #[must_use]
    pub fn difference(&self, found: &Found, at_most: &Deny) -> Option<String> {
        let policy = &self.policy_name;
        let Some(text) = &found.document else { return Some(format!("the policy {policy} is not there")) };
        let Some(there) = Deny::read(text, self.means).filter(|there| there.covers(&self.part())) else {
            return Some(format!("the policy {policy} is not as it was written"));
        };
        if let Some(cutoff) = there.beyond(at_most).latest() {
            return Some(format!(
                "the policy {policy} denies more than was written: sessions issued before {cutoff}"
            ));
        }
        let key = self.key.as_ref().filter(|_| !self.is_key_off(&found.keys));
        key.map(|key| format!("the access key {} is active", key.id))
    }
}

impl Undo {
    #[must_use]
    pub(crate) fn changes_policy(&self) -> bool {
        match (&self.found, &self.leave) {
            (None, None) => false,
            (Some(found), Some(leave)) => !same(found, leave),
            _ => true,
        }
    }

    /// Nothing is left to do.
    #[must_use]
    pub fn is_nothing(&self) -> bool {
        !self.changes_policy() && self.reactivate.is_none()
    }

    /// What is there now is what it leaves.
    #[must_use]
    pub fn is_done(&self, there: &Found) -> bool {
        let policy = Self { found: there.document.clone(), ..self.clone() };
        let active = |id: &String| there.keys.iter().any(|key| key.id == *id && key.active);
        !policy.changes_policy() && self.reactivate.as_ref().is_none_or(active)
    }
}
