//! What a principal goes back to when a change is taken back: what was there before, but for what
//! other remediations still deny. Pure.

use super::{Change, Deny, Found, Undo, same};

/// A change that was begun, of any remediation of the same principal, in the order of their intents.
#[derive(Debug, Clone)]
pub struct Past {
    /// The remediation.
    pub remediation: String,
    /// The entry of its intent.
    pub seq: i64,
    /// The change.
    pub change: Change,
    /// The entry with which its remediation was in force for the first time.
    pub since: Option<i64>,
    /// What it did still counts.
    pub live: bool,
    /// It is in force, or is to be.
    pub wants: bool,
    /// The entry with which it was taken back.
    pub undone: Option<i64>,
}

impl Past {
    /// It was in force when the change with the intent `seq` began.
    fn was_in_force(&self, seq: i64) -> bool {
        self.since.is_some_and(|since| since < seq) && self.undone.is_none_or(|at| at > seq)
    }

    /// It was put back, or made again: what was found then was found instead of it.
    fn is_again(&self) -> bool {
        self.since.is_some_and(|since| since < self.seq)
    }
}

/// What is under our name.
#[derive(Debug, Clone, PartialEq, Eq)]
enum There {
    /// A document of ours, or none.
    Ours(Deny),
    /// What somebody else wrote.
    Theirs(String),
}

/// What is there is not what was written: somebody changed it since.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Drift {
    /// What was written.
    pub written: Option<String>,
    /// What taking it back would do all the same.
    pub undo: Undo,
}

/// How to take the changes of `remediation` back. When what is there is not what was written, that is
/// the error: somebody changed it since, and their change would be lost.
///
/// # Errors
/// The drift.
pub fn undo(past: &[Past], remediation: &str, found: &Found) -> Result<Undo, Box<Drift>> {
    let own = past.iter().rev().find(|one| one.remediation == remediation);
    let base = base(past);
    let live = |one: &&Past| one.live;
    let now = document(&base, past.iter().filter(live));
    let then = document(&base, past.iter().filter(live).filter(|one| one.remediation != remediation));
    // What was there before comes back letter by letter, whichever remediation found it.
    let mut found_before = past.iter().filter_map(|one| one.change.before.as_deref());
    let verbatim = found_before.find(|before| is_same(Some(before), then.as_deref()));
    let leave = verbatim.map(str::to_owned).or(then);
    let note = match (&leave, is_same(now.as_deref(), leave.as_deref())) {
        (Some(_), true) => Some("other remediations deny the same: the policy stays as it is".to_owned()),
        (Some(_), false) if past.iter().any(|one| one.live && one.remediation != remediation) => {
            Some("other remediations of this principal stay in force".to_owned())
        }
        _ => None,
    };
    let undo = Undo {
        arn: found.arn.clone(),
        policy_name: own.map_or_else(|| super::POLICY_NAME.to_owned(), |own| own.change.policy_name.clone()),
        found: found.document.clone(),
        leave,
        reactivate: key_to_reactivate(past, remediation, found),
        note,
    };
    let there = found.document.as_deref();
    if is_same(there, now.as_deref()) || is_same(there, undo.leave.as_deref()) {
        Ok(undo)
    } else {
        Err(Box::new(Drift { written: now, undo }))
    }
}

/// What is there of which no remediation is known: under all that remediations wrote. What somebody put
/// in the place of a deny that was in force does not belong to it.
fn base(past: &[Past]) -> There {
    let mut base = There::Ours(Deny::default());
    let mut parts = Vec::new();
    for one in past {
        let change = &one.change;
        base = match change.before.as_deref().map(|text| (text, Deny::read(text))) {
            // What was under a deny that somebody took away is what was there before it.
            None if past.iter().any(|other| other.was_in_force(one.seq)) => base,
            None => There::Ours(Deny::default()),
            Some((_, None)) if past.iter().any(|other| other.was_in_force(one.seq)) => base,
            Some((text, None)) => There::Theirs(text.to_owned()),
            Some((_, Some(before))) => {
                let unowned = before.not_in(&parts);
                // Of what was found instead of it that is left which was written again.
                let unowned = match Deny::read(&change.after).filter(|_| one.is_again()) {
                    Some(after) => unowned.not_in(&[unowned.not_in(&[after])]),
                    None => unowned,
                };
                match base {
                    // What a remediation's later cutoff covers is still beneath it.
                    There::Ours(beneath) => There::Ours(beneath.under(&before).with(&unowned)),
                    theirs @ There::Theirs(_) if unowned.is_empty() => theirs,
                    There::Theirs(_) => There::Ours(unowned),
                }
            }
        };
        parts.push(change.part());
    }
    base
}

/// The document when these changes are in force.
fn document<'a>(base: &There, changes: impl Iterator<Item = &'a Past>) -> Option<String> {
    let denied = changes.fold(Deny::default(), |all, one| all.with(&one.change.part()));
    match base {
        There::Ours(beneath) => beneath.with(&denied).document(),
        There::Theirs(text) if denied.is_empty() => Some(text.clone()),
        There::Theirs(_) => denied.document(),
    }
}

/// The access key that was active before the remediation, or before another one that it followed; and
/// that no other remediation still wants off.
fn key_to_reactivate(past: &[Past], remediation: &str, found: &Found) -> Option<String> {
    let own: Vec<&Past> = past.iter().filter(|one| one.remediation == remediation).collect();
    let key = own.iter().find_map(|one| one.change.key.as_ref())?;
    let of_key = |one: &&Past| one.change.key.as_ref().is_some_and(|other| other.id == key.id);
    let first = own.iter().map(|one| one.seq).min()?;
    let is_ours = past.iter().filter(of_key).any(|one| {
        // Who activated it while it was to be off is no reason to leave it on.
        let was_active = one.change.key.as_ref().is_some_and(|key| key.was_active) && !one.is_again();
        // Another one had deactivated it, and that still counted when this one began.
        let counts =
            one.remediation == remediation || one.seq < first && one.undone.is_none_or(|at| at > first);
        was_active && counts
    });
    let is_wanted_off = past.iter().filter(of_key).any(|one| one.wants && one.remediation != remediation);
    let is_off = found.keys.iter().any(|there| there.id == key.id && !there.active);
    (is_ours && !is_wanted_off && is_off).then(|| key.id.clone())
}

fn is_same(a: Option<&str>, b: Option<&str>) -> bool {
    match (a, b) {
        (None, None) => true,
        (Some(a), Some(b)) => a == b || same(a, b),
        _ => false,
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::remedy::{AccessKey, Cutoff, KeyChange, POLICY_NAME};
    use proptest::prelude::*;

    fn cutoff(second: i64) -> Cutoff {
        Cutoff::round_up(jiff::Timestamp::from_second(second).expect("in range"))
    }

    fn session(number: usize) -> String {
        format!("AROAEXAMPLEEXAMPLE00:i-{number:017x}")
    }

    fn found(document: Option<String>) -> Found {
        Found { arn: "arn".to_owned(), id: "AROAEXAMPLEEXAMPLE00".to_owned(), document, keys: Vec::new() }
    }

    /// A principal, and what happened to it.
    #[derive(Default)]
    struct Scene {
        there: Option<String>,
        past: Vec<Past>,
    }

    impl Scene {
        fn revoke(&mut self, remediation: usize, one: Option<usize>, second: i64) {
            let one = one.map(session);
            let part = Deny::part(one.as_deref(), cutoff(second));
            let there = self.there.as_deref().and_then(Deny::read).unwrap_or_default();
            let after = there.with(&part).document().expect("something");
            let change = Change {
                name: "web".to_owned(),
                arn: "arn".to_owned(),
                id: "AROAEXAMPLEEXAMPLE00".to_owned(),
                policy_name: POLICY_NAME.to_owned(),
                before: self.there.replace(after.clone()),
                after,
                cutoff: there.cutoff(one.as_deref()).max(Some(cutoff(second))).expect("one"),
                session: one,
                key: None,
                note: None,
            };
            let seq = i64::try_from(self.past.len()).expect("few");
            let remediation = format!("r-{remediation}");
            self.past.push(Past {
                remediation,
                seq,
                change,
                since: Some(seq),
                live: true,
                wants: true,
                undone: None,
            });
        }

        fn release(&mut self, remediation: usize) {
            let id = format!("r-{remediation}");
            let undo = undo(&self.past, &id, &found(self.there.clone())).expect("no drift");
            self.there = undo.leave;
            self.past
                .iter_mut()
                .filter(|one| one.remediation == id)
                .for_each(|one| (one.live, one.wants) = (false, false));
        }
    }

    #[test]
    fn what_was_there_comes_back_letter_by_letter() {
        let spaced = Deny::part(None, cutoff(10)).document().expect("something").replace(',', ", ");
        for before in [None, Some(spaced), Some("{\"Version\":\"2012-10-17\", \"Statement\":[]}".to_owned())]
        {
            let mut scene = Scene { there: before.clone(), ..Scene::default() };
            scene.revoke(1, None, 100);
            scene.release(1);
            assert_eq!(scene.there, before);
        }
    }

    #[test]
    fn a_change_of_somebody_else_is_drift() {
        let mut scene = Scene::default();
        scene.revoke(1, None, 100);
        for there in [
            r#"{"Version":"2012-10-17","Statement":[]}"#.to_owned(),
            Deny::part(None, cutoff(99)).document().expect("x"),
        ] {
            let drift = undo(&scene.past, "r-1", &found(Some(there))).expect_err("drift");
            assert_eq!((drift.written.as_ref(), drift.undo.leave), (scene.there.as_ref(), None));
        }
        // Somebody has removed it already: there is nothing to lose.
        assert!(undo(&scene.past, "r-1", &found(None)).expect("no drift").is_nothing());
    }

    #[test]
    fn what_lay_beneath_a_chain_of_cutoffs_comes_back() {
        let before = Deny::part(None, cutoff(5)).document();
        for order in [[1, 2], [2, 1]] {
            let mut scene = Scene { there: before.clone(), ..Scene::default() };
            scene.revoke(1, None, 100);
            scene.revoke(2, None, 200);
            scene.release(order[0]);
            assert_ne!(scene.there, before);
            scene.release(order[1]);
            assert_eq!(scene.there, before);
        }
    }

    #[test]
    fn letter_by_letter_also_for_the_last_of_several() {
        let before = Deny::part(None, cutoff(5)).document().map(|text| text.replace(',', ", "));
        for order in [[1, 2], [2, 1]] {
            let mut scene = Scene { there: before.clone(), ..Scene::default() };
            scene.revoke(1, None, 100);
            scene.revoke(2, Some(1), 200);
            for number in order {
                scene.release(number);
            }
            assert_eq!(scene.there, before);
        }
    }

    #[test]
    fn what_was_put_in_the_place_of_a_deny_does_not_come_back() {
        let earlier = Deny::part(None, cutoff(99)).document();
        for instead in [None, earlier, Some(r#"{"Statement":{"Effect":"Allow"}}"#.to_owned())] {
            let mut scene = Scene::default();
            scene.revoke(1, None, 100);
            scene.there = instead;
            // It is put back, with the cutoff that it had.
            scene.revoke(1, None, 100);
            scene.past[1].since = Some(0);
            scene.release(1);
            assert_eq!(scene.there, None);
        }
    }

    #[test]
    fn only_a_key_that_we_deactivated_is_activated_again() {
        let key = |was_active| Some(KeyChange { id: "AKIA1".to_owned(), was_active, is_last: false });
        let mut scene = Scene::default();
        scene.revoke(1, None, 100);
        scene.revoke(2, None, 200);
        let there = |active| Found {
            keys: vec![AccessKey { id: "AKIA1".to_owned(), active }],
            ..found(scene.there.clone())
        };
        let mut past = scene.past.clone();
        past[0].change.key = key(true);
        past[1].change.key = key(false);
        let of = |past: &[Past], id, active| undo(past, id, &there(active)).expect("no drift").reactivate;
        // The other one still wants it off.
        assert_eq!(of(&past, "r-1", false), None);
        (past[0].live, past[0].wants) = (false, false);
        past[0].undone = Some(9);
        assert_eq!(of(&past, "r-2", false).as_deref(), Some("AKIA1"));
        assert_eq!(of(&past, "r-2", true), None);
        // It was off before any of us came.
        past[0].change.key = key(false);
        assert_eq!(of(&past, "r-2", false), None);
    }

    proptest! {
        /// In whatever order remediations of a role are made and released: what is there denies what the
        /// others want and what lay beneath, and in the end it is what it was.
        #[test]
        fn the_last_release_leaves_what_was_there(
            beneath in proptest::option::of((proptest::option::of(0_usize..3), 0_i64..20)),
            made in proptest::collection::vec((proptest::option::of(0_usize..3), 21_i64..100), 1..6),
            order in Just((0..6_usize).collect::<Vec<_>>()).prop_shuffle(),
        ) {
            let before = beneath.and_then(|(one, second)| Deny::part(one.map(session).as_deref(), cutoff(second)).document());
            let mut scene = Scene { there: before.clone(), ..Scene::default() };
            for (number, (one, second)) in made.iter().enumerate() {
                // Cutoffs only move forward.
                scene.revoke(number, *one, second + 100 * i64::try_from(number).expect("few"));
            }
            for number in order.into_iter().filter(|number| *number < made.len()) {
                scene.release(number);
                let there = scene.there.as_deref().map_or_else(Deny::default, |text| Deny::read(text).expect("ours"));
                for one in scene.past.iter().filter(|one| one.live) {
                    prop_assert!(there.covers(&one.change.part()));
                }
            }
            prop_assert_eq!(scene.there, before);
        }
    }
}
