//! The policy documents that deny: made from the templates in `policies/`, and read back.
//!
//! A role has one inline policy of ours, for all remediations of it: at most one statement for all its
//! sessions, and one for each session that is revoked on its own, each with its own cutoff. An account has one
//! service control policy of ours, with one statement for each of its principals that is denied by it. The quarantine
//! denies everything.

use super::{Cutoff, Means};
use crate::ident::AccountId;
use serde_json::Value;
use std::collections::BTreeMap;

/// The inline policy's name. Ours alone: the console's `AWSRevokeOlderSessions` belongs to
/// whoever pressed its button.
pub const POLICY_NAME: &str = "RescindRevokeOlderSessions";

const WHOLE: &str = include_str!("../../policies/revoke-role-sessions.json");
const ONE: &str = include_str!("../../policies/revoke-one-session.json");
const EVERYTHING: &str = include_str!("../../policies/quarantine.json");
const SESSIONS: &str = include_str!("../../policies/organization-deny-sessions.json");
const USER: &str = include_str!("../../policies/organization-deny-user.json");
const ROOT: &str = include_str!("../../policies/organization-deny-root.json");

/// What a document of ours denies.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Deny {
    /// Everything, to whom it is attached.
    everything: bool,
    /// To all sessions issued before this.
    whole: Option<Cutoff>,
    /// To single sessions, by `aws:userid`: those issued before this.
    sessions: BTreeMap<String, Cutoff>,
    /// In a service control policy, to those whose `aws:userid` is like this: sessions that were issued before this,
    /// and what is no session.
    principals: BTreeMap<String, Cutoff>,
}

impl Deny {
    /// What one remediation denies: to all sessions, or to the one with this `aws:userid`.
    #[must_use]
    pub fn part(session: Option<&str>, cutoff: Cutoff) -> Self {
        match session {
            None => Self { whole: Some(cutoff), ..Self::default() },
            Some(session) => {
                Self { sessions: BTreeMap::from([(session.to_owned(), cutoff)]), ..Self::default() }
            }
        }
    }

    /// Everything, whatever the time: the quarantine.
    #[must_use]
    pub fn everything() -> Self {
        Self { everything: true, ..Self::default() }
    }

    /// What a service control policy denies, to those whose `aws:userid` is like this. To a root user it denies
    /// everything, whatever the time.
    #[must_use]
    pub fn of_principal(user_id: &str, cutoff: Cutoff) -> Self {
        let cutoff = if is_root(user_id) { Cutoff::never() } else { cutoff };
        Self { principals: BTreeMap::from([(user_id.to_owned(), cutoff)]), ..Self::default() }
    }

    /// From a document of this kind that rescind wrote, however it is spaced; none when somebody else wrote it. What
    /// belongs into another kind is not ours, whoever writes it here.
    #[must_use]
    pub fn read(document: &str, means: Means) -> Option<Self> {
        let is_so = |deny: &Self| match means {
            Means::Quarantine => deny.everything,
            Means::InlinePolicy => !deny.everything && deny.principals.is_empty(),
            Means::ServiceControlPolicy => {
                !deny.everything && deny.whole.is_none() && deny.sessions.is_empty()
            }
        };
        Self::read_any(document).filter(is_so)
    }

    fn read_any(document: &str) -> Option<Self> {
        let value: Value = serde_json::from_str(document).ok()?;
        let mut deny = Self::default();
        for statement in value.get("Statement")?.as_array()? {
            let Some(condition) = statement.get("Condition") else {
                deny.everything = true;
                continue;
            };
            let cutoff = ["DateLessThan", "DateLessThanIfExists"].iter().find_map(|key| condition.get(key));
            let cutoff = match cutoff {
                Some(cutoff) => Cutoff::round_up(cutoff.get("aws:TokenIssueTime")?.as_str()?.parse().ok()?),
                None => Cutoff::never(),
            };
            let user_id = |operator| condition.get(operator).map(|like: &Value| like.get("aws:userid"));
            match (user_id("StringEquals"), user_id("StringLike")) {
                (None, None) => deny.whole = Some(cutoff),
                (Some(session), None) => {
                    deny.sessions.insert(session?.as_str()?.to_owned(), cutoff);
                }
                (_, Some(principal)) => {
                    deny.principals.insert(principal?.as_str()?.to_owned(), cutoff);
                }
            }
        }
        // What it says beside that is not ours.
        same(document, &deny.document()?).then_some(deny)
    }

    /// The document; none when nothing is denied.
    #[must_use]
    pub fn document(&self) -> Option<String> {
        if self.everything {
            return Some(EVERYTHING.trim_end().to_owned());
        }
        let whole = self.whole.map(|cutoff| statement(WHOLE, "", cutoff));
        let each = self.sessions.iter().map(|(session, cutoff)| statement(ONE, session, *cutoff));
        let principals = self.principals.iter().map(|(user_id, cutoff)| {
            let template = match user_id {
                root if is_root(root) => ROOT,
                user if user.starts_with("AIDA") => USER,
                _ => SESSIONS,
            };
            statement(template, user_id, *cutoff)
        });
        let statements: Vec<String> = whole.into_iter().chain(each).chain(principals).collect();
        let (open, close) = frame();
        (!statements.is_empty()).then(|| format!("{open}{}{close}", statements.join(",")))
    }

    /// Whether it denies nothing at all.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        *self == Self::default()
    }

    /// How many sessions of a role are denied on their own.
    #[must_use]
    pub fn sessions(&self) -> usize {
        self.sessions.len()
    }

    /// Both together. Of two cutoffs the later one; a session that all sessions' cutoff covers needs no
    /// statement of its own.
    #[must_use]
    pub fn with(&self, other: &Self) -> Self {
        let whole = self.whole.max(other.whole);
        let mut sessions = later(&self.sessions, &other.sessions);
        sessions.retain(|_, cutoff| whole.is_none_or(|whole| whole < *cutoff));
        Self {
            everything: self.everything || other.everything,
            whole,
            sessions,
            principals: later(&self.principals, &other.principals),
        }
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
            rest.everything &= !part.everything;
            rest.whole = rest.whole.filter(|whole| part.whole != Some(*whole));
            rest.sessions.retain(|session, cutoff| part.sessions.get(session) != Some(cutoff));
            rest.principals.retain(|user_id, cutoff| part.principals.get(user_id) != Some(cutoff));
        }
        rest
    }

    /// The part of it that `other` denies as well.
    #[must_use]
    pub fn under(&self, other: &Self) -> Self {
        let mut under = self.clone();
        under.everything &= other.everything;
        under.whole = under.whole.filter(|cutoff| other.covers(&Self::part(None, *cutoff)));
        under.sessions.retain(|session, cutoff| other.covers(&Self::part(Some(session), *cutoff)));
        under.principals.retain(|user_id, cutoff| other.covers(&Self::of_principal(user_id, *cutoff)));
        under
    }

    /// The part of it that `other` does not deny.
    #[must_use]
    pub fn beyond(&self, other: &Self) -> Self {
        self.not_in(&[self.under(other)])
    }

    /// The part of it whose cutoffs are not later than `latest`, or not later than in `known`. What has no cutoff is
    /// not later.
    #[must_use]
    pub fn not_later(&self, latest: Cutoff, known: &Self) -> Self {
        let is_early =
            |session: Option<&str>, cutoff: Cutoff| cutoff <= latest.not_before(known.cutoff(session));
        let mut early = self.clone();
        early.whole = early.whole.filter(|cutoff| is_early(None, *cutoff));
        early.sessions.retain(|session, cutoff| is_early(Some(session), *cutoff));
        early.principals.retain(|user_id, cutoff| {
            is_root(user_id) || *cutoff <= latest.not_before(known.principals.get(user_id).copied())
        });
        early
    }

    /// The latest of its cutoffs.
    #[must_use]
    pub fn latest(&self) -> Option<Cutoff> {
        self.whole
            .into_iter()
            .chain(self.sessions.values().copied())
            .chain(self.principals.values().copied())
            .max()
    }

    /// The cutoff that holds for a session; of all sessions without one.
    #[must_use]
    pub fn cutoff(&self, session: Option<&str>) -> Option<Cutoff> {
        self.whole.max(session.and_then(|session| self.sessions.get(session).copied()))
    }

    /// The cutoff that holds for a principal in a service control policy.
    #[must_use]
    pub fn cutoff_of_principal(&self, user_id: &str) -> Option<Cutoff> {
        self.principals.get(user_id).copied()
    }
}

/// Of each the later cutoff.
fn later(one: &BTreeMap<String, Cutoff>, other: &BTreeMap<String, Cutoff>) -> BTreeMap<String, Cutoff> {
    let mut both = one.clone();
    for (user_id, cutoff) in other {
        let there = both.entry(user_id.clone()).or_insert(*cutoff);
        *there = (*there).max(*cutoff);
    }
    both
}

/// The `aws:userid` of a root user is its account's id (IAM User Guide, "Policy elements: Variables and tags").
fn is_root(user_id: &str) -> bool {
    user_id.parse::<AccountId>().is_ok()
}

/// The text before and after the statements.
fn frame() -> (&'static str, &'static str) {
    let template = WHOLE.trim_end();
    let open = template.find('[').map_or(0, |at| at + 1);
    let close = template.rfind(']').unwrap_or(template.len());
    (&template[..open], &template[close..])
}

/// One statement of a template, filled in.
fn statement(template: &str, user_id: &str, cutoff: Cutoff) -> String {
    let (open, close) = frame();
    let inner = template.trim_end().strip_prefix(open).and_then(|rest| rest.strip_suffix(close));
    let escaped = Value::from(user_id).to_string();
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
        assert!(Deny::read(&document.replace(',', ", "), Means::InlinePolicy).is_some());
        for (from, to) in [("\"*\"", "\"s3:*\""), ("Deny", "Allow"), ("DateLessThan", "DateLessThanIfExists")]
        {
            assert_eq!(Deny::read(&document.replacen(from, to, 1), Means::InlinePolicy), None, "{to}");
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
            assert_eq!(Deny::read(other, Means::InlinePolicy), None, "{other}");
        }
    }

    fn parts() -> impl Strategy<Value = Vec<Deny>> {
        let one = (proptest::option::of(0_usize..4), 0_i64..50).prop_map(|(number, second)| {
            let at = Cutoff::round_up(jiff::Timestamp::from_second(second).expect("in range"));
            Deny::part(number.map(session).as_deref(), at)
        });
        proptest::collection::vec(one, 0..8)
    }

    const PRINCIPALS: [&str; 4] =
        ["AROAEXAMPLEEXAMPLE00:*", "AIDAEXAMPLEEXAMPLE00", "111122223333", "111122223333:bob"];

    fn parts_of_an_account() -> impl Strategy<Value = Vec<Deny>> {
        let one = (0_usize..4, 0_i64..50).prop_map(|(number, second)| {
            let at = Cutoff::round_up(jiff::Timestamp::from_second(second).expect("in range"));
            Deny::of_principal(PRINCIPALS[number], at)
        });
        proptest::collection::vec(one, 0..8)
    }

    #[test]
    fn the_quarantine_is_read_and_covers_only_itself() {
        let (all, at) = (Deny::everything(), cutoff("2026-01-01T00:00:00Z"));
        let document = all.document().expect("something");
        assert_eq!(Deny::read(&document, Means::Quarantine), Some(all.clone()));
        assert_eq!(Deny::read(&document.replace("Deny", "Allow"), Means::Quarantine), None);
        // Under another name somebody else wrote it.
        assert_eq!(Deny::read(&document, Means::InlinePolicy), None);
        assert_eq!(Deny::read(&document, Means::ServiceControlPolicy), None);
        assert!(!Deny::part(None, at).covers(&all) && all.covers(&all));
        assert_eq!(all.not_later(at, &Deny::default()), all);
    }

    #[test]
    fn a_statement_of_another_kind_of_document_is_not_ours() {
        let at = cutoff("2026-11-21T23:47:30Z");
        let account = Deny::of_principal("AROAEXAMPLEEXAMPLE00:*", at).document().expect("something");
        let role = Deny::part(Some(&session(1)), at).document().expect("something");
        assert_eq!(Deny::read(&account, Means::InlinePolicy), None);
        assert_eq!(Deny::read(&role, Means::ServiceControlPolicy), None);
    }

    #[test]
    fn a_root_user_is_denied_whatever_the_time_and_a_leaked_key_as_well() {
        let at = cutoff("2026-11-21T23:47:30Z");
        let document = |user_id| Deny::of_principal(user_id, at).document().expect("something");
        assert!(!document("111122223333").contains("TokenIssueTime"));
        assert!(document("AIDAEXAMPLEEXAMPLE00").contains("DateLessThanIfExists"));
        assert!(document("AROAEXAMPLEEXAMPLE00:*").contains(r#""DateLessThan""#));
        // An account's service control policy has room for 10,240 characters.
        let many = (0..40).fold(Deny::default(), |all, n| all.with(&Deny::of_principal(&session(n), at)));
        assert!(many.document().is_some_and(|text| text.len() < 10_240));
    }

    proptest! {
        #[test]
        fn what_we_write_we_read(parts in parts()) {
            let all = parts.iter().fold(Deny::default(), |all, part| all.with(part));
            prop_assert_eq!(all.document().map(|text| Deny::read(&text, Means::InlinePolicy)), all.document().map(|_| Some(all.clone())));
            for part in &parts {
                prop_assert!(all.covers(part));
            }
            // In whatever order they came.
            prop_assert_eq!(parts.iter().rev().fold(Deny::default(), |all, part| part.with(&all)), all);
        }

        #[test]
        fn what_we_write_for_an_account_we_read(parts in parts_of_an_account()) {
            let all = parts.iter().fold(Deny::default(), |all, part| all.with(part));
            prop_assert_eq!(all.document().map(|text| Deny::read(&text, Means::ServiceControlPolicy)), all.document().map(|_| Some(all.clone())));
            for part in &parts {
                prop_assert!(all.covers(part));
                prop_assert_eq!(all.under(part).with(&all.beyond(part)), all.clone());
            }
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
