//! Whether a thief is inside, in a sentence.

use super::words::Tone;
use crate::plural::counted;

/// The verdict in a sentence.
pub(super) struct Verdict {
    pub tone: Tone,
    pub sentence: String,
    pub detail: String,
}

/// What the verdict rests on.
#[derive(Default)]
pub(super) struct Seen {
    pub not_denied: usize,
    pub held: usize,
    pub being_revoked: usize,
    pub contested: usize,
    pub incidents: usize,
    pub doors: usize,
    /// Principals that are denied everything beside the deny, whoever uses them.
    pub quarantined: usize,
    /// Incidents that were not looked at yet.
    pub unread: usize,
    /// What rescind does not see now.
    pub blind: bool,
    /// Whoever asks may answer for some account.
    pub answers: bool,
    /// Whoever asks may not see all accounts.
    pub limited: bool,
}

impl Seen {
    /// The worst first, and no more than is seen.
    pub fn verdict(&self) -> Verdict {
        let are = |count: usize| if count == 1 { "is" } else { "are" };
        let (not_denied, held, being) = (self.not_denied, self.held, self.being_revoked);
        let (tone, sentence) = if not_denied > 0 {
            let sessions = counted(not_denied, "session");
            (Tone::Bad, format!("A thief is inside: {sessions} {} not denied.", are(not_denied)))
        } else if held > 0 {
            let (sessions, wait) =
                (counted(held, "stolen session"), if held == 1 { "waits" } else { "wait" });
            let whose = if self.answers { "your" } else { "an" };
            (Tone::Bad, format!("A thief is inside: {sessions} {wait} for {whose} answer."))
        } else if self.contested > 0 {
            let denies = counted(self.contested, "deny").replace("denys", "denies");
            let are = are(self.contested);
            (Tone::Bad, format!("A thief fights back: {denies} {are} removed again and again, and put back."))
        } else if being > 0 {
            let sessions = counted(being, "stolen session");
            (Tone::Warn, format!("A thief is being shut out: {sessions} {} being revoked.", are(being)))
        } else if self.doors > 0 {
            let doors = counted(self.doors, "door");
            (
                Tone::Warn,
                format!(
                    "No stolen session is open, but {doors} of a thief {}: they can come back.",
                    are(self.doors)
                ),
            )
        } else if self.quarantined > 0 {
            let principals = counted(self.quarantined, "principal");
            let are = are(self.quarantined);
            (
                Tone::Warn,
                format!(
                    "Nobody is inside, and {principals} {are} quarantined: legitimate sessions are denied too."
                ),
            )
        } else if self.unread > 0 {
            (Tone::Warn, "Not everything was looked at yet.".to_owned())
        } else if self.blind {
            (Tone::Warn, "Nobody is known to be inside, but rescind does not see everything.".to_owned())
        } else if self.limited {
            (Tone::Good, "Nobody is inside the accounts that you may see, as far as rescind sees.".to_owned())
        } else {
            (Tone::Good, "Nobody is inside, as far as rescind sees.".to_owned())
        };
        let mut parts = Vec::new();
        let mut part = |count: usize, text: String| {
            if count > 0 {
                parts.push(text);
            }
        };
        part(self.incidents, format!("{} not closed", counted(self.incidents, "incident")));
        part(held, format!("{} held", counted(held, "session")));
        part(being, format!("{} being revoked", counted(being, "session")));
        part(self.contested, format!("{} contested", self.contested));
        part(self.doors, format!("{} open", counted(self.doors, "door")));
        part(self.unread, format!("{} not looked at yet", counted(self.unread, "incident")));
        Verdict { tone, sentence, detail: parts.join(" · ") }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_verdict_says_the_worst_first_and_no_more_than_is_seen() {
        let said = |seen: Seen| seen.verdict().sentence;
        let all = [
            said(Seen::default()),
            said(Seen { limited: true, ..Seen::default() }),
            said(Seen { blind: true, ..Seen::default() }),
            said(Seen { unread: 3, ..Seen::default() }),
            said(Seen { quarantined: 1, unread: 3, ..Seen::default() }),
            said(Seen { doors: 2, quarantined: 1, blind: true, ..Seen::default() }),
            said(Seen { being_revoked: 1, doors: 2, ..Seen::default() }),
            said(Seen { contested: 1, being_revoked: 1, ..Seen::default() }),
            said(Seen { held: 1, contested: 1, ..Seen::default() }),
            said(Seen { held: 2, contested: 1, answers: true, ..Seen::default() }),
            said(Seen { not_denied: 1, held: 2, ..Seen::default() }),
        ];
        insta::assert_snapshot!(all.join("\n"), @r"
        Nobody is inside, as far as rescind sees.
        Nobody is inside the accounts that you may see, as far as rescind sees.
        Nobody is known to be inside, but rescind does not see everything.
        Not everything was looked at yet.
        Nobody is inside, and 1 principal is quarantined: legitimate sessions are denied too.
        No stolen session is open, but 2 doors of a thief are: they can come back.
        A thief is being shut out: 1 stolen session is being revoked.
        A thief fights back: 1 deny is removed again and again, and put back.
        A thief is inside: 1 stolen session waits for an answer.
        A thief is inside: 2 stolen sessions wait for your answer.
        A thief is inside: 1 session is not denied.
        ");
    }
}
