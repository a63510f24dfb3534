//! Triage of one finding against many rules, opt-outs and accounts.

#[path = "common/world.rs"]
mod world;

use divan::{Bencher, black_box};
use rescind::triage::{BudgetUsage, DecisionContext, Stage, decide};
use world::world;

fn main() {
    divan::main();
}

/// (rules, opt-outs, accounts)
const SIZES: [(usize, usize, usize); 4] =
    [(0, 0, 10), (10, 100, 100), (1_000, 10_000, 10_000), (1_000, 100_000, 50_000)];

#[divan::bench(args = [0, 1, 2, 3])]
fn one_finding(bencher: Bencher, size: usize) {
    let world = world(SIZES[size]);
    let usage = BudgetUsage::default();
    let facts = DecisionContext {
        organization: &world.organization,
        placement: Some(&world.placement),
        history: &[],
        usage: &usage,
        before_watch: None,
        is_archived_here: false,
        stage: Stage::New,
        now: world.now,
        here: world.now,
    };
    let decision = decide(&world.finding, &world.policy, facts).expect("decided");
    assert_eq!(decision.rule.as_deref(), Some("built-in: credential exfiltration"));
    assert_eq!(decision.opt_outs.is_empty(), SIZES[size].1 == 0);
    bencher.bench(|| decide(black_box(&world.finding), black_box(&world.policy), black_box(facts)));
}

/// The part of it that the event patterns take.
#[divan::bench(args = [0, 2])]
fn one_ruling(bencher: Bencher, size: usize) {
    let world = world(SIZES[size]);
    bencher.bench(|| {
        black_box(&world.policy.rules).ruling(black_box(&world.finding), &world.policy.hub_account, false)
    });
}
