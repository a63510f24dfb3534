//! The counts of a run, in one sentence.

use serde::Serialize;

#[derive(Serialize, Default)]
pub(super) struct Counts {
    pub revoked: usize,
    pub not_confirmed: usize,
    pub observed: usize,
    pub skipped: usize,
    pub undecodable: usize,
    pub unconfirmed: usize,
    pub seen_before: usize,
    pub not_revoked: usize,
    pub held: usize,
    pub manual: usize,
    pub need_person: usize,
    pub put_off: usize,
    pub not_decided: usize,
    pub alerts: usize,
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

    /// `nothing` is what is said when there was nothing.
    pub fn sentence(&self, nothing: &str) -> String {
        let parts = [
            (self.revoked, "revoked"),
            (self.not_confirmed, "denied, NOT confirmed by the simulator"),
            (self.observed, "observed"),
            (self.skipped, "skipped"),
            (self.undecodable, "unreadable"),
            (self.unconfirmed, "not confirmed by GuardDuty"),
            (self.seen_before, "seen before"),
            (self.held, "held for approval"),
            (self.manual, if self.manual == 1 { "needs manual work" } else { "need manual work" }),
            (self.not_revoked, "NOT revoked"),
            (self.not_decided, "NOT decided"),
            (self.need_person, "that only a person can deal with"),
            (self.failed_feeds, "failed to read (a region or the organization)"),
        ];
        let parts: Vec<String> = parts
            .iter()
            .filter(|(count, _)| *count > 0)
            .map(|(count, what)| format!("{count} {what}"))
            .collect();
        if parts.is_empty() { nothing.to_owned() } else { format!("{}.", parts.join(", ")) }
    }
}
