//! Generated histories of thefts, runs, kills at every step and kills at any moment.
//!
//! A few here; many in `make soak`. A history is made from its number, so that it can be had again.

use crate::scene::{BANK, OTHER, SHOP, Scene, cutoff};
use crate::thief::Thief;
use serde_json::{Value, json};
use std::collections::{BTreeMap, BTreeSet};

fn soaks() -> bool {
    std::env::var_os("RESCIND_SOAK").is_some()
}

/// Numbers that look random and are the same each time (splitmix64).
struct Numbers(u64);

impl Numbers {
    fn below(&mut self, limit: usize) -> usize {
        self.0 = self.0.wrapping_add(0x9e37_79b9_7f4a_7c15);
        let mut z = self.0;
        z = (z ^ (z >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
        z = (z ^ (z >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
        usize::try_from((z ^ (z >> 31)) % u64::try_from(limit).expect("small")).expect("small")
    }

    fn one_of<T: Copy>(&mut self, all: &[T]) -> T {
        all[self.below(all.len())]
    }
}

/// Every step of a remediation, from both sides of its call.
const STEPS: [&str; 7] = [
    "ListFindings",
    "GetFindings",
    "AssumeRole",
    "GetRole",
    "GetRolePolicy",
    "PutRolePolicy",
    "SimulatePrincipalPolicy",
];

struct History {
    scene: Scene,
    thieves: Vec<(String, Thief)>,
    roles: BTreeSet<String>,
    /// The latest cutoff of each role.
    cutoffs: BTreeMap<String, String>,
}

impl History {
    fn new() -> Self {
        let scene = Scene::new();
        scene.configure("mode = \"enforce\"\npoll_interval = \"5s\"\n");
        Self { scene, thieves: Vec::new(), roles: BTreeSet::new(), cutoffs: BTreeMap::new() }
    }

    /// Another theft: of a new role, or of one that was stolen from before, by a newer session.
    fn theft(&mut self, numbers: &mut Numbers) {
        let account = numbers.one_of(&[SHOP, BANK]);
        let role = format!("role{}", numbers.below(4));
        if self.roles.insert(format!("{account}/{role}")) {
            self.scene.role(account, &role);
        }
        // After the last cutoff, which lies half a minute ahead.
        self.scene.advance_clock(60);
        let session = self.scene.session(account, &role, "i-0123456789abcdef0");
        let region = numbers.one_of(&[crate::scene::HOME, OTHER]);
        self.scene.report(account, &role, &session, json!({ "region": region }));
        // The oldest sessions expire by themselves before a long history ends.
        if self.thieves.len() >= 50 {
            self.thieves.remove(0);
        }
        self.thieves.push((format!("{account}/{role}"), self.scene.thief(&session)));
    }

    /// What holds at the end of every history.
    fn ends_well(&mut self, which: &str) {
        let scene = &self.scene;
        // What was interrupted twice may need a second look.
        scene.poll();
        self.changes_are_recorded(which);
        let scene = &self.scene;
        let before = scene.entries_of("call").len();
        let ran = scene.poll();
        assert_eq!(ran.code, 0, "{which}\n{}\n{}", ran.out, ran.err);
        // No call is unrecorded.
        assert_eq!(scene.entries_of("call").len() - before, scene.calls().len(), "{which}");
        for (whose, thief) in &self.thieves {
            assert_eq!(thief.list_users().expect_err("denied"), "AccessDenied", "{which}: {whose}");
        }
        for remediation in scene.rescind(&["list", "-o", "jsonl"]).code(0).json() {
            let state = remediation["state"].as_str().expect("a state");
            assert!(["revoked", "superseded"].contains(&state), "{which}: {remediation}");
        }
        scene.rescind(&["ledger", "verify"]).code(0);
        scene.rescind(&["ledger", "rebuild", "--check"]).code(0);
    }

    /// Every change has its intent, and no role's cutoff is moved back.
    fn changes_are_recorded(&mut self, which: &str) {
        let intents: Vec<Value> = self.scene.entries_of("intent");
        for put in self.scene.calls_of("PutRolePolicy") {
            let document = put["params"]["PolicyDocument"].as_str().expect("a policy");
            let known = intents.iter().any(|entry| entry["data"]["change"]["after"] == document);
            assert!(known, "{which}: a change without its intent");
            let role = format!("{}/{}", put["account"], put["params"]["RoleName"]);
            let document: Value = serde_json::from_str(document).expect("JSON");
            let this = cutoff(&document).to_owned();
            if let Some(before) = self.cutoffs.insert(role.clone(), this.clone()) {
                assert!(before <= this, "{which}: {role} from {before} back to {this}");
            }
        }
        self.scene.delete("calls");
    }
}

#[test]
fn killed_at_steps_and_again_during_the_recovery() {
    for number in 0..if soaks() { 60 } else { 3 } {
        let which = format!("history {number}");
        let numbers = &mut Numbers(number);
        let mut history = History::new();
        history.theft(numbers);
        for _ in 0..2 + numbers.below(5) {
            if numbers.below(3) == 0 {
                history.theft(numbers);
            }
            let (step, when) = (numbers.one_of(&STEPS), numbers.one_of(&["before", "after"]));
            history.scene.hold(step, when);
            let mut process = history.scene.spawn(&["run", "--once", "--backlog"]);
            // Not every run comes to every step.
            let mut ended = false;
            while !ended && history.scene.get(&format!("faults/{step}/reached?timeout=0"))["reached"] != true
            {
                ended = process.try_wait().expect("waited for").is_some();
            }
            process.kill().expect("killed");
            process.wait().expect("dead");
            history.scene.release(step);
        }
        history.ends_well(&which);
    }
}

#[test]
fn killed_at_any_moment_under_load() {
    let numbers = &mut Numbers(2026);
    let mut history = History::new();
    let rounds = if soaks() { 200 } else { 10 };
    for round in 0..rounds {
        for _ in 0..=numbers.below(3) {
            history.theft(numbers);
        }
        let before = if round == 0 { 0 } else { history.scene.entries().len() };
        let mut process = history.scene.spawn(&["run", "--backlog"]);
        // A moment of the work, by what is on disk: with fewer entries to come, when it idles.
        let until = before + 1 + numbers.below(70);
        let mut calls = 0;
        loop {
            let entries =
                if history.scene.path("ledger.db").exists() { history.scene.count("true") } else { 0 };
            let served = history.scene.calls().len();
            let idle = served > 0 && served == calls && entries > before + 20;
            if entries >= until || idle || process.try_wait().expect("waited for").is_some() {
                break;
            }
            calls = served;
        }
        process.kill().expect("killed");
        process.wait().expect("dead");
        history.changes_are_recorded(&format!("round {round}"));
        if round % 10 == 9 {
            history.scene.rescind(&["ledger", "verify"]).code(0);
        }
    }
    history.ends_well("under load");
}
