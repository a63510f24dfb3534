//! `user_keys`: deactivates the access key of an IAM user that leaked, and revokes the sessions that it
//! issued.
//!
//! A deactivated key makes no more calls, but what GetSessionToken and GetFederationToken issued with it
//! lives on for up to 36 hours: a deny on `aws:TokenIssueTime` at the user ends that. The deny does nothing
//! to a key, so both are needed (IAM User Guide, "Disabling permissions for temporary security credentials").

use super::ask::{Ask, cutoff_of, note_of};
use super::found::Found;
use super::look::{self, Look};
use super::who_it_is::who_it_is;
use crate::aws::{AccessKey, MemberSession};
use crate::ident::UserName;
use crate::remediation::{Change, Deny, KeyChange, Means, POLICY_NAME, Refusal, Target, Undo, Verified};
use jiff::SignedDuration;

/// The longest that a session of an IAM user lives (GetSessionToken, GetFederationToken). A console session of
/// GetFederationToken's credentials ends with them: GetSigninToken takes no SessionDuration then.
pub(super) const LONGEST_SESSION: SignedDuration = SignedDuration::from_hours(36);

/// The remedy. It has no settings.
#[derive(Debug, Clone, Copy, Default)]
pub(super) struct UserKeys;

impl UserKeys {
    /// Looks what is there.
    pub async fn inspect(
        session: &MemberSession,
        user: &UserName,
        target: &Target,
    ) -> Result<Found, Refusal> {
        let (facts, document, keys) = futures::join!(
            who_it_is(Some(session), target),
            session.user_policy(user, POLICY_NAME),
            session.access_keys(user)
        );
        let found = facts?;
        let (document, keys) = (document.map_err(Refusal::from_call)?, keys.map_err(Refusal::from_call)?);
        Ok(Found { document, keys, ..found })
    }

    /// What to change. Pure.
    pub fn plan(target: &Target, leaked: Option<&str>, found: &Found, ask: &Ask<'_>) -> Change {
        let there = ask.expected.start(found.document.as_deref(), ask.aws_now);
        let cutoff = cutoff_of(&there, None, ask);
        let (key, about_key) = key(leaked, &found.keys, ask.earlier);
        let notes: Vec<String> = note_of(found, &there, None, ask).into_iter().chain(about_key).collect();
        Change {
            name: target.name(),
            arn: found.arn.clone(),
            id: found.id.clone(),
            policy_name: POLICY_NAME.to_owned(),
            means: Means::InlinePolicy,
            user_id: None,
            before: found.document.clone(),
            after: there.with(&Deny::part(None, cutoff)).document().unwrap_or_default(),
            cutoff,
            session: None,
            key,
            note: (!notes.is_empty()).then(|| notes.join("; ")),
        }
    }

    /// Makes the change: the key first, so that it issues no more sessions.
    pub async fn apply(session: &MemberSession, user: &UserName, change: &Change) -> Result<(), Refusal> {
        let key = match &change.key {
            Some(key) => session.set_access_key(user, &key.id, false).await,
            None => Ok(()),
        };
        // One that cannot be done does not keep the other from being done.
        let put = session.put_user_policy(user, &change.policy_name, &change.after).await;
        key.and(put).map_err(Refusal::from_call)
    }

    /// Looks how far the change is in force.
    pub async fn verify(
        session: &MemberSession,
        user: &UserName,
        change: &Change,
        at_most: &Deny,
    ) -> Verified {
        look::patiently(|| async {
            let read =
                futures::join!(session.user_policy(user, &change.policy_name), session.access_keys(user));
            let found = match read {
                (Ok(document), Ok(keys)) => Found { document, keys, ..Found::of(change) },
                (Err(error), _) | (_, Err(error)) => {
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

    /// Takes changes back: the policy first, so that an activated key meets no deny.
    pub async fn undo(session: &MemberSession, user: &UserName, undo: &Undo) -> Result<(), Refusal> {
        let done = match &undo.leave {
            _ if !undo.changes_policy() => Ok(()),
            Some(text) => session.put_user_policy(user, &undo.policy_name, text).await,
            None => session.delete_user_policy(user, &undo.policy_name).await,
        };
        done.map_err(Refusal::from_call)?;
        match &undo.reactivate {
            Some(key) => session.set_access_key(user, key, true).await.map_err(Refusal::from_call),
            None => Ok(()),
        }
    }
}

/// The key to deactivate, and what a reader should know about it.
fn key(leaked: Option<&str>, keys: &[AccessKey], earlier: &[Change]) -> (Option<KeyChange>, Option<String>) {
    let Some(leaked) = leaked else {
        return (
            None,
            Some("the finding names no access key: only the user's sessions are revoked".to_owned()),
        );
    };
    if !leaked.starts_with("AKIA") {
        let active: Vec<&str> = keys.iter().filter(|key| key.active).map(|key| key.id.as_str()).collect();
        let active = if active.is_empty() { "none".to_owned() } else { active.join(", ") };
        let note = format!(
            "{leaked} is a session's key, and the finding does not say which long-term key issued it: check the user's active keys ({active})"
        );
        return (None, Some(note));
    }
    let Some(there) = keys.iter().find(|key| key.id == leaked) else {
        return (None, Some(format!("the access key {leaked} does not exist any more")));
    };
    // When we were interrupted we may have deactivated it ourselves already.
    let by_us = earlier.iter().filter_map(|change| change.key.as_ref());
    let was_active = there.active || by_us.into_iter().any(|key| key.id == leaked && key.was_active);
    let is_last = was_active && !keys.iter().any(|key| key.active && key.id != leaked);
    let note = match (was_active, is_last) {
        (false, _) => {
            Some(format!("the access key {leaked} is inactive already, and stays so after a release"))
        }
        (_, true) => Some(format!(
            "{leaked} is the user's last active key: without it no new session can be had by key"
        )),
        _ => None,
    };
    (Some(KeyChange { id: leaked.to_owned(), was_active, is_last }), note)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn keys(active: &[(&str, bool)]) -> Vec<AccessKey> {
        active.iter().map(|(id, active)| AccessKey { id: (*id).to_owned(), active: *active }).collect()
    }

    #[test]
    fn each_kind_of_key_has_its_outcome() {
        let both = keys(&[("AKIA1", true), ("AKIA2", true)]);
        let off = keys(&[("AKIA1", false), ("AKIA2", true)]);
        let of = |leaked, keys: &[AccessKey]| {
            let (key, note) = key(leaked, keys, &[]);
            (key.map(|key| (key.was_active, key.is_last)), note.unwrap_or_default())
        };
        assert_eq!(of(Some("AKIA1"), &both), (Some((true, false)), String::new()));
        assert_eq!(of(Some("AKIA1"), &both[..1]).0, Some((true, true)));
        assert_eq!(of(Some("AKIA1"), &off).0, Some((false, false)));
        for leaked in [Some("AKIA3"), Some("ASIA1"), None] {
            assert_eq!(of(leaked, &both).0, None, "{leaked:?}");
        }
        let notes = [
            of(Some("AKIA1"), &both[..1]),
            of(Some("AKIA1"), &off),
            of(Some("AKIA3"), &both),
            of(Some("ASIA1"), &both),
            of(None, &both),
        ]
        .map(|(_, note)| note);
        insta::assert_snapshot!(notes.join("\n"), @"
        AKIA1 is the user's last active key: without it no new session can be had by key
        the access key AKIA1 is inactive already, and stays so after a release
        the access key AKIA3 does not exist any more
        ASIA1 is a session's key, and the finding does not say which long-term key issued it: check the user's active keys (AKIA1, AKIA2)
        the finding names no access key: only the user's sessions are revoked
        ");
    }

    #[test]
    fn a_key_that_we_deactivated_before_a_crash_was_active() {
        let off = keys(&[("AKIA1", false)]);
        let (first, _) = key(Some("AKIA1"), &keys(&[("AKIA1", true)]), &[]);
        let earlier = Change {
            name: "user/alice".to_owned(),
            arn: String::new(),
            id: String::new(),
            policy_name: String::new(),
            means: Means::InlinePolicy,
            user_id: None,
            before: None,
            after: String::new(),
            cutoff: crate::remediation::Cutoff::at(jiff::Timestamp::UNIX_EPOCH),
            session: None,
            key: first.clone(),
            note: None,
        };
        assert_eq!(key(Some("AKIA1"), &off, &[earlier]).0, first);
    }
}
