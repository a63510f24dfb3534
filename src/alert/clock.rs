//! The alert that says that this machine's clock is wrong.

use super::Alert;
use crate::aws::AwsClock;
use crate::remediation::AlertCode;

/// This machine's clock is far off, by what AWS answers. None when it is not.
#[must_use]
pub fn clock_far_off(clock: &AwsClock) -> Option<Alert> {
    let text = clock.difference().filter(|_| clock.is_far_off())?;
    let what_to_do = "Set it: `timedatectl set-ntp true`. Cutoffs and ages of findings go by AWS's time; the times of entries, the hour \
         of the budgets and approval timeouts are wrong until then.";
    Some(Alert::of_service(AlertCode::Clock, text, what_to_do))
}
