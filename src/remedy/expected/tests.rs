//! A principal, its thief and a ledger: whatever the thief writes under our name, a look puts it right, and the
//! next one finds nothing more to do.

use super::*;
use crate::remediation::{Means, OneSession, Target, Who};
use crate::remedy::{Ask, Found, plan, undo};
use proptest::prelude::*;

fn target(session: Option<usize>) -> Target {
    let session = session.map(|number| OneSession { user_id: user_id(number), may_widen: false });
    Target {
        partition: crate::ident::Partition::Aws,
        account: "111122223333".parse().expect("legal"),
        who: Who::Role { role: "web".parse().expect("legal"), role_id: None, session },
        means: Means::InlinePolicy,
    }
}

fn user_id(number: usize) -> String {
    format!("AROAEXAMPLEEXAMPLE00:i-{number:017x}")
}

fn at(second: i64) -> Timestamp {
    Timestamp::from_second(1_800_000_000 + second).expect("in range")
}

fn document(session: Option<usize>, second: i64) -> String {
    let cutoff = Cutoff::round_up(at(second));
    Deny::part(session.map(user_id).as_deref(), cutoff).document().expect("something")
}

const FUTURE: i64 = 2_000_000_000;
const ALLOW: &str =
    r#"{"Version":"2012-10-17","Statement":[{"Effect":"Allow","Action":"*","Resource":"*"}]}"#;

/// They would leave no room for ours, and the deny could not be put back.
#[test]
fn so_many_sessions_that_nobody_knows_are_not_left() {
    let planted = |count: usize| {
        let all = (0..count).fold(Deny::default(), |all, number| {
            all.with(&Deny::part(Some(&user_id(number)), Cutoff::round_up(at(-5))))
        });
        all.document().expect("something")
    };
    let known = Expected { should: Deny::part(None, Cutoff::round_up(at(-9))), ..Expected::default() };
    assert_eq!(known.start(Some(&planted(MOST_UNKNOWN)), at(0)).sessions(), MOST_UNKNOWN);
    assert!(!known.is_foreign(Some(&planted(MOST_UNKNOWN)), at(0)));
    assert_eq!(known.start(Some(&planted(57)), at(0)), known.should);
    assert!(known.is_foreign(Some(&planted(57)), at(0)));
}

#[derive(Default)]
struct World {
    now: i64,
    seq: i64,
    there: Option<String>,
    past: Vec<Past>,
}

impl World {
    fn found(&self) -> Found {
        Found {
            arn: "arn".to_owned(),
            id: "AROAEXAMPLEEXAMPLE00".to_owned(),
            document: self.there.clone(),
            ..Found::default()
        }
    }

    fn expected(&self) -> Expected {
        Expected::after(Means::InlinePolicy, &self.past)
    }

    fn write(&mut self, remediation: &str, session: Option<usize>, keep: Option<Cutoff>, since: Option<i64>) {
        let expected = self.expected();
        let ask = Ask { keep, ..Ask::at(at(self.now), &expected) };
        let change = plan(&target(session), &self.found(), &ask);
        self.there = Some(change.after.clone());
        let (seq, remediation) = (self.seq, remediation.to_owned());
        let since = since.or(Some(seq + 1));
        self.past.push(Past { remediation, seq, change, since, live: true, wants: true, undone: None });
        self.seq += 2;
    }

    fn revoke(&mut self, session: Option<usize>) {
        let id = format!("r-{}", self.seq);
        self.write(&id, session, None, None);
    }

    fn ids(&self) -> Vec<String> {
        let mut ids: Vec<String> =
            self.past.iter().filter(|one| one.live).map(|one| one.remediation.clone()).collect();
        ids.dedup();
        ids.sort();
        ids.dedup();
        ids
    }

    fn release(&mut self, id: &str) {
        let undo = undo(&self.past, id, &self.found()).unwrap_or_else(|drift| drift.undo);
        self.there = undo.leave;
        for one in self.past.iter_mut().filter(|one| one.remediation == id) {
            (one.live, one.wants, one.undone) = (false, false, Some(self.seq));
        }
        self.seq += 1;
    }

    fn last(&self, id: &str) -> Past {
        self.past.iter().rfind(|one| one.remediation == id).expect("one").clone()
    }

    fn lost(&self) -> Vec<String> {
        let expected = self.expected();
        let is_lost =
            |id: &String| self.last(id).change.difference(&self.found(), expected.at_most()).is_some();
        self.ids().into_iter().filter(is_lost).collect()
    }

    /// Puts back whatever is lost.
    fn look(&mut self) {
        for id in self.lost() {
            let one = self.last(&id);
            let number =
                (0..4).find(|number| one.change.session.as_deref() == Some(user_id(*number).as_str()));
            self.write(&id, number, Some(one.change.cutoff), one.since);
        }
    }

    fn is_ours(&self) -> bool {
        let latest = Cutoff::latest(at(self.now));
        let read = self.there.as_deref().map(|text| Deny::read(text, Means::InlinePolicy));
        read.is_none_or(|deny| deny.is_some_and(|deny| deny.latest().is_none_or(|cutoff| cutoff <= latest)))
    }
}

#[test]
fn a_planted_cutoff_is_replaced_and_never_comes_back() {
    for planted in [document(None, FUTURE), document(Some(3), FUTURE), ALLOW.to_owned()] {
        // Before anything of ours, and in the place of it.
        for after in [false, true] {
            let mut world = World { now: 100, ..World::default() };
            if after {
                world.revoke(Some(1));
            }
            world.there = Some(planted.clone());
            assert!(world.expected().is_foreign(world.there.as_deref(), at(100)));
            world.now = 200;
            if after {
                assert_eq!(world.lost().len(), 1, "{planted}");
                world.look();
            } else {
                world.revoke(Some(1));
            }
            assert!(world.lost().is_empty() && world.is_ours(), "{planted}");
            let id = world.ids()[0].clone();
            let undo = undo(&world.past, &id, &world.found()).expect("no drift");
            assert_eq!((undo.leave, undo.foreign.as_deref()), (None, Some(planted.as_str())));
            // Over what is planted again, too.
            world.there = Some(planted.clone());
            world.release(&id);
            assert_eq!(world.there, None);
        }
    }
}

/// A later deny of our form that somebody wrote over ours is taken for what lay beneath. When it goes with the
/// policy, that is no change to ours.
#[test]
fn what_lay_beneath_and_is_gone_refuses_no_release() {
    let mut world = World { now: 60, ..World::default() };
    world.revoke(None);
    world.now = 120;
    world.there = Some(document(None, 91));
    world.now = 180;
    world.revoke(None);
    world.there = None;
    let ids = world.ids();
    world.release(&ids[1]);
    world.look();
    let undo = undo(&world.past, &ids[0], &world.found()).expect("no drift");
    assert_eq!(undo.leave, None);
}

/// Somebody wrote an earlier deny over it, one that had been released; ours is still covered.
#[test]
fn what_lay_beneath_and_is_less_refuses_no_release() {
    let mut world = World { now: 60, ..World::default() };
    world.revoke(None);
    world.now = 120;
    world.revoke(None);
    let released = world.there.clone();
    let ids = world.ids();
    world.release(&ids[1]);
    world.there = Some(document(None, 151));
    world.now = 180;
    world.revoke(None);
    world.release(&world.ids()[1].clone());
    assert_eq!(world.there, Some(document(None, 151)));
    world.there = released;
    world.look();
    let undo = undo(&world.past, &ids[0], &world.found()).expect("no drift");
    assert_eq!(undo.leave, None);
}

#[test]
fn what_was_released_does_not_come_again() {
    let mut world = World { now: 100, ..World::default() };
    world.revoke(Some(1));
    world.now = 200;
    world.revoke(Some(2));
    let old = world.there.clone();
    let first = world.ids()[0].clone();
    world.release(&first);
    let left = world.there.clone();
    world.there = old;
    assert_eq!(world.lost().len(), 1);
    world.look();
    assert_eq!(world.there, left);
}

#[derive(Debug, Clone)]
enum Step {
    Revoke(Option<usize>),
    Release(usize),
    Look,
    Delete,
    Write(String),
    Replay(usize),
}

fn steps() -> impl Strategy<Value = Vec<Step>> {
    let session = proptest::option::of(0_usize..4);
    let second = prop_oneof![0_i64..1_000, Just(FUTURE)];
    let step = prop_oneof![
        3 => session.clone().prop_map(Step::Revoke),
        2 => (0_usize..4).prop_map(Step::Release),
        2 => Just(Step::Look),
        1 => Just(Step::Delete),
        2 => (session, second).prop_map(|(session, second)| Step::Write(document(session, second))),
        1 => Just(Step::Write(ALLOW.to_owned())),
        1 => (0_usize..8).prop_map(Step::Replay),
    ];
    proptest::collection::vec(step, 1..16)
}

proptest! {
    #[test]
    fn a_look_puts_everything_right(steps in steps()) {
        let mut world = World::default();
        for step in steps {
            world.now += 60;
            match step {
                Step::Revoke(session) => {
                    world.revoke(session);
                    prop_assert!(world.is_ours());
                }
                Step::Release(number) => if let Some(id) = world.ids().get(number).cloned() {
                    world.release(&id);
                    prop_assert!(world.is_ours());
                },
                Step::Look => {
                    world.look();
                    prop_assert_eq!(world.lost(), Vec::<String>::new());
                    prop_assert!(world.is_ours() || world.ids().is_empty());
                }
                Step::Delete => world.there = None,
                Step::Write(text) => world.there = Some(text),
                Step::Replay(number) => if let Some(one) = world.past.get(number) {
                    world.there = Some(one.change.after.clone());
                },
            }
        }
        // What is in force denies what it is for, and the last release leaves nothing but what is harmless.
        world.look();
        let there = world.there.as_deref().and_then(|text| Deny::read(text, Means::InlinePolicy)).unwrap_or_default();
        for one in world.past.iter().filter(|one| one.live) {
            prop_assert!(there.covers(&one.change.part()));
        }
        for id in world.ids() {
            prop_assert!(undo(&world.past, &id, &world.found()).is_ok());
            world.release(&id);
            prop_assert!(world.is_ours());
        }
    }
}
