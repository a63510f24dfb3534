//! The counts of a run, in one sentence.

use schemars::JsonSchema;
use serde::Serialize;

/// What a run did, counted.
#[derive(Serialize, Default, JsonSchema)]
pub(in crate::cli) struct Counts {
    /// Number of remediations whose deny is in place.
    pub revoked: usize,
    /// Number of those that IAM's simulator does not confirm.
    pub not_confirmed: usize,
    /// Number of findings that were only observed.
    pub observed: usize,
    /// Number of findings about which nothing was done.
    pub skipped: usize,
    /// Number of inputs that could not be read.
    pub undecodable: usize,
    /// Number of findings that GuardDuty does not confirm.
    pub unconfirmed: usize,
    /// Number of findings that were recorded before this run.
    pub seen_before: usize,
    /// Number of thefts that are not revoked.
    pub not_revoked: usize,
    /// Number of remediations that wait for an approval.
    pub held: usize,
    /// Number of remediations that a person must do by hand.
    pub manual: usize,
    /// Number of findings that only a person can deal with.
    pub need_person: usize,
    /// Number of findings from before the first poll: they are only observed.
    pub put_off: usize,
    /// Number of findings that could not be decided about.
    pub not_decided: usize,
    /// Number of alerts that were raised.
    pub alerts: usize,
    /// Number of regions and feeds that could not be read.
    pub failed_feeds: usize,
}

impl Counts {
    /// Something was not revoked, or a person must look at it.
    pub fn need_attention(&self) -> bool {
        self.not_revoked
            + self.not_confirmed
            + self.held
            + self.manual
            + self.need_person
            + self.put_off
            + self.alerts
            + self.undecodable
            + self.unconfirmed
            + self.failed_feeds
            > 0
    }

    /// In one sentence: what needs attention first. `nothing` is what is said when there was nothing.
    pub fn sentence(&self, nothing: &str) -> String {
        let attention = [
            (self.not_revoked, "NOT revoked"),
            (self.not_confirmed, "denied, NOT confirmed by the simulator"),
            (self.held, "held for approval"),
            (self.manual, if self.manual == 1 { "needs manual work" } else { "need manual work" }),
            (self.need_person, "that only a person can deal with"),
            (self.not_decided, "NOT decided"),
            (self.put_off, "only observed"),
            (self.alerts, if self.alerts == 1 { "alert" } else { "alerts" }),
            (self.undecodable, "unreadable"),
            (self.unconfirmed, "not confirmed by GuardDuty"),
            (self.failed_feeds, "failed to read (a region or the organization)"),
        ];
        let rest = [
            (self.revoked, "revoked"),
            (self.observed.saturating_sub(self.put_off), "observed"),
            (self.skipped, "skipped"),
            (self.seen_before, "seen before"),
        ];
        match (said(&attention), said(&rest)) {
            (None, None) => format!("Done: {nothing}"),
            (None, Some(rest)) => format!("Done: {rest}."),
            (Some(attention), None) => format!("Needs attention: {attention}."),
            (Some(attention), Some(rest)) => format!("Needs attention: {attention}. Beside it: {rest}."),
        }
    }
}

fn said(parts: &[(usize, &str)]) -> Option<String> {
    let parts: Vec<String> =
        parts.iter().filter(|(count, _)| *count > 0).map(|(count, what)| format!("{count} {what}")).collect();
    (!parts.is_empty()).then(|| parts.join(", "))
}
