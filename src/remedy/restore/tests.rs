//! Tests of what is left after an undo.

use super::*;
use crate::aws::AccessKey;
use crate::remediation::{Change, Cutoff, KeyChange, Means, POLICY_NAME};
use proptest::prelude::*;

fn cutoff(second: i64) -> Cutoff {
    Cutoff::round_up(jiff::Timestamp::from_second(second).expect("in range"))
}

fn session(number: usize) -> String {
    format!("AROAEXAMPLEEXAMPLE00:i-{number:017x}")
}

fn found(document: Option<String>) -> Found {
    Found { arn: "arn".to_owned(), id: "AROAEXAMPLEEXAMPLE00".to_owned(), document, ..Found::default() }
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
        let there =
            self.there.as_deref().and_then(|text| Deny::read(text, Means::InlinePolicy)).unwrap_or_default();
        let after = there.with(&part).document().expect("something");
        let change = Change {
            name: "web".to_owned(),
            arn: "arn".to_owned(),
            id: "AROAEXAMPLEEXAMPLE00".to_owned(),
            policy_name: POLICY_NAME.to_owned(),
            means: Means::InlinePolicy,
            user_id: None,
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
    for before in [None, Some(spaced)] {
        let mut scene = Scene { there: before.clone(), ..Scene::default() };
        scene.revoke(1, None, 100);
        scene.release(1);
        assert_eq!(scene.there, before);
    }
}

/// What somebody else wrote is shown, and stays gone.
#[test]
fn what_somebody_else_wrote_never_comes_back() {
    let theirs = r#"{"Statement":{"Effect":"Allow","Action":"*","Resource":"*"}}"#;
    let mut scene = Scene { there: Some(theirs.to_owned()), ..Scene::default() };
    scene.revoke(1, None, 100);
    let undo = undo(&scene.past, "r-1", &found(scene.there.clone())).expect("no drift");
    assert_eq!((undo.leave, undo.foreign.as_deref()), (None, Some(theirs)));
    insta::assert_snapshot!(undo.note.expect("a note"), @"what somebody else wrote under this name is not restored");
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
            let there = scene.there.as_deref().map_or_else(Deny::default, |text| Deny::read(text, Means::InlinePolicy).expect("ours"));
            for one in scene.past.iter().filter(|one| one.live) {
                prop_assert!(there.covers(&one.change.part()));
            }
        }
        prop_assert_eq!(scene.there, before);
    }
}
