//! The policy document that revokes: made from the templates in `policies/`, and read back.
//!
//! A role has one document of ours, for all remediations of it: at most one statement for all its
//! sessions, and one for each session that is revoked on its own, each with its own cutoff.

use super::Cutoff;
use serde_json::Value;
use std::collections::BTreeMap;

/// The inline policy's name. Ours alone: the console's `AWSRevokeOlderSessions` belongs to
/// whoever pressed its button.
pub const POLICY_NAME: &str = "RescindRevokeOlderSessions";

const WHOLE: &str = include_str!("../../policies/revoke-role-sessions.json");
const ONE: &str = include_str!("../../policies/revoke-one-session.json");

/// What a document of ours denies.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Deny {
    /// To all sessions issued before this.
    whole: Option<Cutoff>,
    /// To single sessions, by `aws:userid`: those issued before this.
    sessions: BTreeMap<String, Cutoff>,
}

impl Deny {
    /// What one remediation denies: to all sessions, or to the one with this `aws:userid`.
    #[must_use]
    pub fn part(session: Option<&str>, cutoff: Cutoff) -> Self {
        match session {
            None => Self { whole: Some(cutoff), sessions: BTreeMap::new() },
            Some(session) => Self { whole: None, sessions: BTreeMap::from([(session.to_owned(), cutoff)]) },
        }
    }

    /// From a document that rescind wrote, however it is spaced; none when somebody else wrote it.
    #[must_use]
    pub fn read(document: &str) -> Option<Self> {
        let value: Value = serde_json::from_str(document).ok()?;
        let mut deny = Self::default();
        for statement in value.get("Statement")?.as_array()? {
            let condition = statement.get("Condition")?;
            let cutoff = condition.get("DateLessThan")?.get("aws:TokenIssueTime")?.as_str()?;
            let cutoff = Cutoff::round_up(cutoff.parse().ok()?);
            match condition.get("StringEquals") {
                None => deny.whole = Some(cutoff),
                Some(equals) => {
                    let session = equals.get("aws:userid")?.as_str()?;
                    deny.sessions.insert(session.to_owned(), cutoff);
                }
            }
        }
        // What it says beside that is not ours.
        same(document, &deny.document()?).then_some(deny)
    }

    /// The document; none when nothing is denied.
    #[must_use]
    pub fn document(&self) -> Option<String> {
        let whole = self.whole.map(|cutoff| statement(WHOLE, None, cutoff));
        let each = self.sessions.iter().map(|(session, cutoff)| statement(ONE, Some(session), *cutoff));
        let statements: Vec<String> = whole.into_iter().chain(each).collect();
        let (open, close) = frame();
        (!statements.is_empty()).then(|| format!("{open}{}{close}", statements.join(",")))
    }

    /// Whether it denies nothing at all.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        *self == Self::default()
    }

    /// How many sessions are denied on their own.
    #[must_use]
    pub fn sessions(&self) -> usize {
        self.sessions.len()
    }

    /// Both together. Of two cutoffs the later one; a session that all sessions' cutoff covers needs no
    /// statement of its own.
    #[must_use]
    pub fn with(&self, other: &Self) -> Self {
        let whole = self.whole.max(other.whole);
        let mut sessions = self.sessions.clone();
        for (session, cutoff) in &other.sessions {
            let there = sessions.entry(session.clone()).or_insert(*cutoff);
            *there = (*there).max(*cutoff);
        }
        sessions.retain(|_, cutoff| whole.is_none_or(|whole| whole < *cutoff));
        Self { whole, sessions }
    }

    /// Whether it denies at least what `other` does.
    #[must_use]
    pub fn covers(&self, other: &Self) -> bool {
        self.with(other) == self.with(&Self::default())
    }

    /// The statements that are in none of `parts`, compared exactly.
    #[must_use]
    pub fn not_in(&self, parts: &[Self]) -> Self {
        let mut rest = self.clone();
        for part in parts {
            rest.whole = rest.whole.filter(|whole| part.whole != Some(*whole));
            rest.sessions.retain(|session, cutoff| part.sessions.get(session) != Some(cutoff));
        }
        rest
    }

    /// The part of it that `other` denies as well.
    #[must_use]
    pub fn under(&self, other: &Self) -> Self {
        let below = |session: Option<&str>, cutoff: &Cutoff| other.covers(&Self::part(session, *cutoff));
        Self {
            whole: self.whole.filter(|cutoff| below(None, cutoff)),
            sessions: self
                .sessions
                .iter()
                .filter(|(session, cutoff)| below(Some(session), cutoff))
                .map(|(session, cutoff)| (session.clone(), *cutoff))
                .collect(),
        }
    }

    /// The part of it that `other` does not deny.
    #[must_use]
    pub fn beyond(&self, other: &Self) -> Self {
        self.not_in(&[self.under(other)])
    }

    /// The part of it whose cutoffs are not later than `latest`, or not later than in `known`.
    #[must_use]
    pub fn not_later(&self, latest: Cutoff, known: &Self) -> Self {
        let is_early =
            |session: Option<&str>, cutoff: Cutoff| cutoff <= latest.not_before(known.cutoff(session));
        let mut early = self.clone();
        early.whole = early.whole.filter(|cutoff| is_early(None, *cutoff));
        early.sessions.retain(|session, cutoff| is_early(Some(session), *cutoff));
        early
    }

    /// The latest of its cutoffs.
    #[must_use]
    pub fn latest(&self) -> Option<Cutoff> {
        self.whole.max(self.sessions.values().max().copied())
    }

    /// The cutoff that holds for a session; of all sessions without one.
    #[must_use]
    pub fn cutoff(&self, session: Option<&str>) -> Option<Cutoff> {
        self.whole.max(session.and_then(|session| self.sessions.get(session).copied()))
    }
}

/// The text before and after the statements.
fn frame() -> (&'static str, &'static str) {
    let template = WHOLE.trim_end();
    let open = template.find('[').map_or(0, |at| at + 1);
    let close = template.rfind(']').unwrap_or(template.len());
    (&template[..open], &template[close..])
}

/// One statement of a template, filled in.
fn statement(template: &str, session: Option<&str>, cutoff: Cutoff) -> String {
    let (open, close) = frame();
    let inner = template.trim_end().strip_prefix(open).and_then(|rest| rest.strip_suffix(close));
    let escaped = Value::from(session.unwrap_or_default()).to_string();
    inner.unwrap_or_default().replace("${CUTOFF}", &cutoff.to_string()).replace("\"${USER_ID}\"", &escaped)
}

/// The values of a member of a policy: IAM allows one value where it allows a list.
pub fn listed(value: &Value) -> impl Iterator<Item = &Value> {
    match value {
        Value::Array(items) => items.iter(),
        one => std::slice::from_ref(one).iter(),
    }
}

/// Two documents are the same JSON, however they are spaced.
#[must_use]
pub fn same(a: &str, b: &str) -> bool {
    match (serde_json::from_str::<Value>(a), serde_json::from_str::<Value>(b)) {
        (Ok(a), Ok(b)) => a == b,
        _ => false,
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    fn cutoff(text: &str) -> Cutoff {
        Cutoff::round_up(text.parse().expect("a time"))
    }

    fn session(number: usize) -> String {
        format!("AROAEXAMPLEEXAMPLE00:i-{number:017x}")
    }

    #[test]
    fn one_part_is_the_template_and_leaves_room() {
        let at = cutoff("2026-11-21T23:47:30Z");
        let whole = Deny::part(None, at).document().expect("something");
        assert_eq!(whole, WHOLE.trim_end().replace("${CUTOFF}", &at.to_string()));
        // The quota of all inline policies of a role is 10,240 characters.
        assert!(whole.len() < 200, "{}", whole.len());
        let one = Deny::part(Some(&session(1)), at).document().expect("something");
        let expected =
            ONE.trim_end().replace("${CUTOFF}", &at.to_string()).replace("${USER_ID}", &session(1));
        assert_eq!(one, expected);
        let many = (0..40).fold(Deny::default(), |all, n| all.with(&Deny::part(Some(&session(n)), at)));
        assert!(many.document().is_some_and(|text| text.len() < 10_240));
    }

    #[test]
    fn what_somebody_rewrote_is_not_ours() {
        let document = Deny::part(None, cutoff("2026-01-01T00:00:00Z")).document().expect("something");
        assert!(Deny::read(&document.replace(',', ", ")).is_some());
        for (from, to) in [("\"*\"", "\"s3:*\""), ("Deny", "Allow"), ("DateLessThan", "DateLessThanIfExists")]
        {
            assert_eq!(Deny::read(&document.replacen(from, to, 1)), None, "{to}");
        }
        let twice =
            document.replace("}}}]", "}}},{\"Effect\":\"Allow\",\"Action\":\"*\",\"Resource\":\"*\"}]");
        for other in [
            twice.as_str(),
            "",
            "[]",
            "{}",
            r#"{"Version":"2012-10-17","Statement":[]}"#,
            r#"{"Statement":7}"#,
        ] {
            assert_eq!(Deny::read(other), None, "{other}");
        }
    }

    fn parts() -> impl Strategy<Value = Vec<Deny>> {
        let one = (proptest::option::of(0_usize..4), 0_i64..50).prop_map(|(number, second)| {
            let at = Cutoff::round_up(jiff::Timestamp::from_second(second).expect("in range"));
            Deny::part(number.map(session).as_deref(), at)
        });
        proptest::collection::vec(one, 0..8)
    }

    proptest! {
        #[test]
        fn what_we_write_we_read(parts in parts()) {
            let all = parts.iter().fold(Deny::default(), |all, part| all.with(part));
            prop_assert_eq!(all.document().map(|text| Deny::read(&text)), all.document().map(|_| Some(all.clone())));
            for part in &parts {
                prop_assert!(all.covers(part));
            }
            // In whatever order they came.
            prop_assert_eq!(parts.iter().rev().fold(Deny::default(), |all, part| part.with(&all)), all);
        }

        #[test]
        fn to_cover_is_to_deny_each_session_at_least_as_long(a in parts(), b in parts()) {
            let all = |parts: &[Deny]| parts.iter().fold(Deny::default(), |all, part| all.with(part));
            let (a, b) = (all(&a), all(&b));
            let sessions: Vec<String> = (0..4).map(session).collect();
            let each = sessions.iter().map(|s| Some(s.as_str())).chain([None]);
            prop_assert_eq!(a.covers(&b), each.into_iter().all(|s| a.cutoff(s) >= b.cutoff(s)));
        }
    }
}
