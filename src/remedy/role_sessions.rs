//! `role_sessions`: revokes a role's sessions that were issued before a cutoff, all of them or one.
//!
//! It writes one inline policy that denies everything to tokens issued before the cutoff
//! (`aws:TokenIssueTime`; IAM User Guide, "Revoking IAM role temporary security credentials").

use super::ask::{Ask, cutoff_of, note_of};
use super::found::Found;
use super::look::{self, Look};
use super::who_it_is::who_it_is;
use crate::aws::MemberSession;
use crate::ident::RoleName;
use crate::remediation::{Change, Deny, Means, POLICY_NAME, Refusal, Target, Undo, Verified};
use jiff::SignedDuration;

/// The longest that a session of a role lives, and what it opened for itself: IAM's maximum of
/// MaxSessionDuration, which may have been higher than it is now when the token was issued; and a console
/// session that was opened at its end, which lives for up to 12 hours more (GetSigninToken with
/// SessionDuration=43200; IAM User Guide, "Enable custom identity broker access to the AWS console").
pub(super) const LONGEST_SESSION: SignedDuration = SignedDuration::from_hours(24);

/// The remedy. It has no settings.
#[derive(Debug, Clone, Copy, Default)]
pub(super) struct RoleSessions;

impl RoleSessions {
    /// Looks what is there.
    pub async fn inspect(
        session: &MemberSession,
        role: &RoleName,
        target: &Target,
    ) -> Result<Found, Refusal> {
        let (facts, document) =
            futures::join!(who_it_is(Some(session), target), session.role_policy(role, POLICY_NAME));
        let found = facts?;
        Ok(Found { document: document.map_err(Refusal::from_call)?, ..found })
    }

    /// What to change. Pure.
    pub fn plan(target: &Target, found: &Found, ask: &Ask<'_>) -> Change {
        // What somebody else wrote under our name says nothing about sessions that we revoked.
        let there = ask.expected.start(found.document.as_deref(), ask.aws_now);
        let one = target.session().filter(|_| !ask.widen).map(|one| one.user_id.clone());
        let cutoff = cutoff_of(&there, one.as_deref(), ask);
        let part = Deny::part(one.as_deref(), cutoff);
        Change {
            name: target.name(),
            arn: found.arn.clone(),
            id: found.id.clone(),
            policy_name: POLICY_NAME.to_owned(),
            means: Means::InlinePolicy,
            user_id: None,
            before: found.document.clone(),
            after: there.with(&part).document().unwrap_or_default(),
            cutoff,
            note: note_of(found, &there, one.as_deref(), ask),
            session: one,
            key: None,
        }
    }

    pub async fn apply(session: &MemberSession, role: &RoleName, change: &Change) -> Result<(), Refusal> {
        let put = session.put_role_policy(role, &change.policy_name, &change.after).await;
        put.map_err(Refusal::from_call)
    }

    /// Looks how far the change is in force.
    pub async fn verify(
        session: &MemberSession,
        role: &RoleName,
        change: &Change,
        at_most: &Deny,
    ) -> Verified {
        look::patiently(|| async {
            let found = match session.role_policy(role, &change.policy_name).await {
                Ok(document) => Found { document, ..Found::of(change) },
                Err(error) => {
                    let unread = Verified::Unread(format!("could not read it back: {error}"));
                    return Look::unanswered(unread, &error);
                }
            };
            let read_at = session.aws_now();
            match change.difference(&found, at_most) {
                Some(what) => Look::NotYet(Verified::Missing(what)),
                None => look::simulate(session, change, read_at).await,
            }
        })
        .await
    }

    pub async fn undo(session: &MemberSession, role: &RoleName, undo: &Undo) -> Result<(), Refusal> {
        let done = match &undo.leave {
            _ if !undo.changes_policy() => Ok(()),
            Some(text) => session.put_role_policy(role, &undo.policy_name, text).await,
            None => session.delete_role_policy(role, &undo.policy_name).await,
        };
        done.map_err(Refusal::from_call)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::ident::Partition;
    use crate::remediation::{Cutoff, OneSession, Who};
    use crate::remedy::Expected;

    fn target(session: Option<&str>) -> Target {
        let session = session.map(|id| OneSession { user_id: id.to_owned(), may_widen: false });
        Target {
            partition: Partition::Aws,
            account: "111122223333".parse().expect("legal"),
            who: Who::Role { role: "b".parse().expect("legal"), role_id: None, session },
            means: Means::InlinePolicy,
        }
    }

    fn found(document: Option<&str>) -> Found {
        Found {
            arn: "arn:aws:iam::111122223333:role/a/b".to_owned(),
            id: "AROAEXAMPLEEXAMPLE".to_owned(),
            document: document.map(str::to_owned),
            ..Found::default()
        }
    }

    fn time(text: &str) -> jiff::Timestamp {
        text.parse().expect("a time")
    }

    fn document(text: &str) -> String {
        Deny::part(None, Cutoff::at(time(text))).document().expect("something")
    }

    /// Where nothing is expected.
    fn at(text: &str) -> Ask<'static> {
        static NOTHING: std::sync::LazyLock<Expected> = std::sync::LazyLock::new(Expected::default);
        Ask::at(time(text), &NOTHING)
    }

    fn plan(session: Option<&str>, there: Option<&str>, ask: &Ask<'_>) -> Change {
        RoleSessions::plan(&target(session), &found(there), ask)
    }

    #[test]
    fn a_plan_never_moves_the_cutoff_back() {
        let now = at("2026-11-21T23:00:00Z");
        let later = document("2026-11-21T23:00:10Z");
        let change = plan(None, Some(&later), &now);
        assert_eq!(change.cutoff.to_string(), "2026-11-21T23:00:40Z");
        assert_eq!(change.after, later);
        insta::assert_snapshot!(change.note.expect("a note"), @"the cutoff that was there is later than now, and a cutoff is never moved back");
        // But nobody has written one of tomorrow who means well.
        let change = plan(None, Some(&document("2026-11-22T05:00:00Z")), &now);
        assert_eq!(change.cutoff.to_string(), "2026-11-21T23:00:30Z");
        insta::assert_snapshot!(change.note.expect("a note"), @"somebody else changed the policy under our name; it is replaced, and its text is kept here");

        let earlier = document("2026-11-21T05:00:00Z");
        let change = plan(None, Some(&earlier), &now);
        assert_eq!(change.cutoff.to_string(), "2026-11-21T23:00:30Z");
        assert_eq!(change.before.as_deref(), Some(earlier.as_str()));
        assert_eq!(change.note, None);
    }

    #[test]
    fn a_document_that_somebody_else_wrote_is_kept_in_the_plan() {
        let theirs = r#"{"Version":"2012-10-17","Statement":[]}"#;
        let change = plan(None, Some(theirs), &at("2026-11-21T23:00:00Z"));
        assert_eq!(change.before.as_deref(), Some(theirs));
        insta::assert_snapshot!(change.note.expect("a note"), @"somebody else changed the policy under our name; it is replaced, and its text is kept here");
    }

    #[test]
    fn one_session_is_added_to_what_is_there_and_can_be_widened() {
        let (one, other) = ("AROAEXAMPLEEXAMPLE00:i-1", "AROAEXAMPLEEXAMPLE00:i-2");
        let now = at("2026-11-21T23:00:00Z");
        let first = plan(Some(one), None, &now);
        let second = plan(Some(other), Some(&first.after), &now);
        assert!(second.is_denied_by(Some(&second.after)) && first.is_denied_by(Some(&second.after)));
        assert!(!second.is_denied_by(Some(&first.after)));
        let wide = plan(Some(other), Some(&first.after), &Ask { widen: true, ..now });
        assert_eq!((wide.session.as_ref(), &wide.after), (None, &document("2026-11-21T23:00:00Z")));
        insta::assert_snapshot!(wide.note.expect("a note"), @"there is no room for one more session: all sessions of the role are revoked");
    }

    #[test]
    fn what_is_put_back_keeps_its_cutoff() {
        let keep = Cutoff::at(time("2026-11-21T20:00:00Z"));
        let ask = Ask { keep: Some(keep), ..at("2026-11-21T23:00:00Z") };
        let change = plan(None, None, &ask);
        assert_eq!((change.cutoff, change.after), (keep, document("2026-11-21T20:00:00Z")));
    }
}
