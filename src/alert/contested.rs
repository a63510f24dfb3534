//! A deny that somebody takes away again and again.

use super::{Alert, Alerts};
use crate::remediation::{AlertCode, CONTESTED_FROM, CONTESTED_WITHIN, Draft, Event, Remediation};
use jiff::{SignedDuration, Timestamp};

/// Interval within which it is raised once for each remediation: more often nobody could read it.
pub(super) const INTERVAL: SignedDuration = SignedDuration::from_mins(1);

impl Alerts {
    /// The entries that say that a deny is contested; none when it is not. `now_lost` removals are recorded
    /// together with them, and are not in the remediation yet.
    #[must_use]
    pub fn contested(&self, remediation: &Remediation, now_lost: usize, now: Timestamp) -> Vec<Draft> {
        let from = now.saturating_sub(CONTESTED_WITHIN).unwrap_or(Timestamp::MIN);
        let earlier = remediation.removals_since(from);
        let removals = earlier.len() + now_lost;
        if removals < CONTESTED_FROM {
            return Vec::new();
        }
        let since = earlier.into_iter().min().unwrap_or(now);
        let contested = Draft { subject: remediation.subject(), event: Event::Contested { removals, since } };
        let alert = self.contested.passes(remediation.id.clone()).then(|| {
            let in_force = remediation.in_force(now).map_or_else(String::new, |one| {
                format!("; it was in force for {:.0} of {:.0} seconds", one.seconds, one.of_seconds)
            });
            let text = format!(
                "CONTESTED: the deny on {} was gone {removals} times since {}, and is put back each time{in_force}",
                remediation.principal(),
                since.strftime("%H:%M:%SZ"),
            );
            let what_to_do = "Somebody with rights in IAM fights it, most likely the thief: the stolen session is NOT contained. Deny the \
                 principal where he cannot reach it: by a service control policy on the account, now. `rescind show` has who \
                 takes it away, if CloudTrail shows it.";
            Alert::about(AlertCode::Contested, remediation, text, what_to_do).raised()
        });
        std::iter::once(contested).chain(alert).collect()
    }
}
