//! The verdict on a report's period, in a sentence: how many thefts there were, and whether anything is open.

use super::containment::Containment;
use crate::plural::counted;
use schemars::JsonSchema;
use serde::Serialize;
use std::collections::BTreeMap;

/// The verdict, counted from the states of the remediations. A theft is an incident: all remediations that hang
/// together. It stands where the worst of them stands.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, JsonSchema)]
pub struct Verdict {
    /// The verdict in words.
    pub sentence: String,
    /// What is open, in words.
    pub open: String,
    /// What is not known, each in a sentence.
    pub not_known: Vec<String>,
    /// Number of thefts.
    pub thefts: u64,
    /// The thefts by how far they are contained.
    pub by_containment: BTreeMap<Containment, u64>,
    /// Doors of thieves that are open: what they made to come back by, and what they turned off.
    pub open_doors: u64,
    /// Sessions that thieves opened and that no remediation is for, as far as they are alive.
    pub open_sessions: u64,
    /// Remediations that were decided before the report's period and are not finished.
    pub earlier: u64,
    /// Findings on which nothing was done, though they may be thefts: only observed, left alone, or out of reach.
    pub not_acted: u64,
}

/// What else the verdict rests on.
#[derive(Debug, Default)]
pub(super) struct Beside {
    pub remediations: u64,
    /// Findings that were only observed, or that were skipped because somebody wants it so.
    pub left_alone: u64,
    /// Findings that were skipped because rescind cannot or may not act on them.
    pub out_of_reach: u64,
    pub undecided: u64,
    pub unreadable: u64,
    pub unconfirmed: u64,
    pub archived: u64,
    /// Remediations whose credentials were not looked for in CloudTrail.
    pub not_searched: u64,
    /// Remediations of which only a person says that they are done.
    pub by_hand: u64,
    /// It is about some remediations only.
    pub is_partial: bool,
}

impl Verdict {
    /// Puts it into words, once everything is counted.
    pub(super) fn conclude(&mut self, beside: &Beside) {
        self.not_acted = beside.left_alone + beside.out_of_reach;
        self.sentence = self.sentence(beside);
        self.open = self.open();
        self.not_known = not_known(beside);
    }

    fn of(&self, containment: Containment) -> u64 {
        self.by_containment.get(&containment).copied().unwrap_or(0)
    }

    /// Whether anything is open or may be.
    #[must_use]
    pub fn is_open(&self) -> bool {
        self.not_closed() + self.open_doors + self.open_sessions + self.earlier + self.not_acted > 0
    }

    /// Whether somebody must look at it.
    #[must_use]
    pub fn needs_attention(&self) -> bool {
        self.of(Containment::NeedsPerson) + self.of(Containment::Unanswered) + self.open_sessions > 0
    }

    fn not_closed(&self) -> u64 {
        let open = self.by_containment.iter().filter(|(containment, _)| !containment.is_closed());
        open.map(|(_, count)| count).sum()
    }

    fn sentence(&self, beside: &Beside) -> String {
        let thefts = self.thefts;
        if thefts == 0 {
            let left = self.not_acted;
            return match (left, beside.is_partial) {
                (0, true) => "No remediation is like this.".to_owned(),
                (0, false) => "No theft was found.".to_owned(),
                (1, _) => "Nothing was acted on: 1 finding was only observed or skipped.".to_owned(),
                _ => format!("Nothing was acted on: {left} findings were only observed or skipped."),
            };
        }
        let several = if beside.remediations == thefts {
            String::new()
        } else {
            format!(" ({})", counted(beside.remediations, "remediation"))
        };
        let parts: Vec<(u64, String)> = [
            Containment::Contained,
            Containment::Over,
            Containment::NeedsPerson,
            Containment::UnderWay,
            Containment::Unanswered,
            Containment::LeftOpen,
        ]
        .into_iter()
        .map(|one| (self.of(one), stands(one, self.of(one))))
        .filter(|(count, _)| *count > 0)
        .collect();
        let head = format!("{}{several}: ", counted(thefts, "theft"));
        match parts.as_slice() {
            [(_, words)] if thefts == 1 => format!("{head}it {words}."),
            [(_, words)] => format!("{head}all {words}."),
            parts => {
                let parts: Vec<String> =
                    parts.iter().map(|(count, words)| format!("{count} {words}")).collect();
                format!("{head}{}.", parts.join(", "))
            }
        }
    }

    fn open(&self) -> String {
        let mut parts = Vec::new();
        let mut part = |count: u64, text: String| {
            if count > 0 {
                parts.push(text);
            }
        };
        let open = self.not_closed();
        part(open, counted(open, "theft"));
        part(self.open_sessions, format!("{} that nothing denies", counted(self.open_sessions, "session")));
        part(self.open_doors, format!("{} that a thief left", counted(self.open_doors, "door")));
        part(self.earlier, format!("{} from before this period", counted(self.earlier, "remediation")));
        if parts.is_empty() {
            return match self.not_acted {
                0 => "Nothing is open, as far as the ledger knows.",
                _ => "Nothing that was acted on is open. What was not acted on may be.",
            }
            .to_owned();
        }
        format!("Open: {}.", parts.join("; "))
    }
}

/// How a number of thefts stand.
fn stands(containment: Containment, count: u64) -> String {
    let (is, needs) = if count == 1 { ("is", "needs") } else { ("are", "need") };
    match containment {
        Containment::Over => format!("{is} over"),
        Containment::Contained => format!("{is} contained"),
        Containment::LeftOpen => format!("{is} open because a person decided so"),
        Containment::UnderWay => format!("{is} being contained"),
        Containment::Unanswered => format!("{is} open because nobody answered"),
        Containment::NeedsPerson => format!("{needs} a person"),
    }
}

fn not_known(beside: &Beside) -> Vec<String> {
    let was = |count: u64| if count == 1 { "was" } else { "were" };
    let is = |count: u64| if count == 1 { "is" } else { "are" };
    let all = [
        (
            beside.undecided,
            format!("{} {} not decided yet.", counted(beside.undecided, "finding"), is(beside.undecided)),
        ),
        (
            beside.left_alone,
            format!(
                "{} {} only observed or left alone, as somebody wants it: what became of these credentials is not known.",
                counted(beside.left_alone, "finding"),
                was(beside.left_alone)
            ),
        ),
        (
            beside.out_of_reach,
            format!(
                "{} {} skipped, as rescind cannot act on {}: what became of these credentials is not known.",
                counted(beside.out_of_reach, "finding"),
                was(beside.out_of_reach),
                if beside.out_of_reach == 1 { "it" } else { "them" }
            ),
        ),
        (
            beside.unreadable,
            format!(
                "{} could not be read, which may have been findings.",
                counted(beside.unreadable, "input")
            ),
        ),
        (
            beside.unconfirmed,
            format!(
                "{} {} not confirmed by GuardDuty, and not acted on.",
                counted(beside.unconfirmed, "claim"),
                was(beside.unconfirmed)
            ),
        ),
        (
            beside.by_hand,
            format!(
                "{} {} done by hand: a person says so, and rescind has not seen it.",
                counted(beside.by_hand, "remediation"),
                was(beside.by_hand)
            ),
        ),
        (
            beside.not_searched,
            format!(
                "CloudTrail was not searched for {}: what else was done with the credentials is not known.",
                counted(beside.not_searched, "remediation")
            ),
        ),
        (beside.archived, "A part of the period is in archives, and in no figure here.".to_owned()),
    ];
    all.into_iter().filter(|(count, _)| *count > 0).map(|(_, text)| text).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn verdict(by: &[(Containment, u64)]) -> Verdict {
        let thefts = by.iter().map(|(_, count)| count).sum();
        Verdict { thefts, by_containment: by.iter().copied().collect(), ..Verdict::default() }
    }

    fn said(mut verdict: Verdict, mut beside: Beside) -> String {
        beside.remediations = beside.remediations.max(verdict.thefts);
        verdict.conclude(&beside);
        let mut lines = vec![verdict.sentence, verdict.open];
        lines.extend(verdict.not_known);
        lines.join("\n")
    }

    #[test]
    fn the_verdict_counts_thefts_and_says_what_is_open_and_not_known() {
        use Containment::{Contained, LeftOpen, NeedsPerson, Over, Unanswered, UnderWay};
        let some =
            [(Contained, 5), (Over, 1), (NeedsPerson, 4), (UnderWay, 1), (Unanswered, 1), (LeftOpen, 2)];
        let all = [
            said(verdict(&[]), Beside::default()),
            said(verdict(&[]), Beside { left_alone: 2, out_of_reach: 1, ..Beside::default() }),
            said(verdict(&[(Contained, 1)]), Beside::default()),
            said(verdict(&[(Contained, 3)]), Beside { by_hand: 1, ..Beside::default() }),
            said(verdict(&[(NeedsPerson, 1)]), Beside { remediations: 8, ..Beside::default() }),
            said(
                verdict(&some),
                Beside { not_searched: 14, undecided: 2, unreadable: 1, ..Beside::default() },
            ),
            said(
                Verdict { open_doors: 2, open_sessions: 1, earlier: 1, ..verdict(&[(Over, 2)]) },
                Beside::default(),
            ),
        ];
        insta::assert_snapshot!(all.join("\n\n"), @"
        No theft was found.
        Nothing is open, as far as the ledger knows.

        Nothing was acted on: 3 findings were only observed or skipped.
        Nothing that was acted on is open. What was not acted on may be.
        2 findings were only observed or left alone, as somebody wants it: what became of these credentials is not known.
        1 finding was skipped, as rescind cannot act on it: what became of these credentials is not known.

        1 theft: it is contained.
        Nothing is open, as far as the ledger knows.

        3 thefts: all are contained.
        Nothing is open, as far as the ledger knows.
        1 remediation was done by hand: a person says so, and rescind has not seen it.

        1 theft (8 remediations): it needs a person.
        Open: 1 theft.

        14 thefts: 5 are contained, 1 is over, 4 need a person, 1 is being contained, 1 is open because nobody answered, 2 are open because a person decided so.
        Open: 8 thefts.
        2 findings are not decided yet.
        1 input could not be read, which may have been findings.
        CloudTrail was not searched for 14 remediations: what else was done with the credentials is not known.

        2 thefts: all are over.
        Open: 1 session that nothing denies; 2 doors that a thief left; 1 remediation from before this period.
        ");
    }
}
