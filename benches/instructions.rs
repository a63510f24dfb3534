//! Work to be counted: decodes, decides or appends so many times, and says nothing.
//!
//! `python3 benches/instructions` runs it under callgrind with two counts; the difference is what one of them
//! takes, without the start. Times on shared machines are noise; instructions are not.

#[path = "common/story.rs"]
mod story;
#[path = "common/world.rs"]
mod world;

use rescind::finding::decode;
use rescind::ledger::{Append, Ledger};
use rescind::triage::{BudgetUsage, DecisionContext, Stage, decide};
use std::hint::black_box;
use story::Story;
use world::world;

fn main() {
    let words: Vec<String> = std::env::args().skip(1).filter(|word| !word.starts_with("--")).collect();
    let times = words.get(1).and_then(|word| word.parse().ok()).unwrap_or(1);
    match words.first().map(String::as_str) {
        Some("decode") => decoded(times),
        Some("triage") => decided(times),
        Some("append") => appended(times),
        // `cargo bench` runs every benchmark; this one is for its counter.
        _ => {}
    }
}

/// A finding of GuardDuty's, from its JSON.
fn decoded(times: usize) {
    let finding = [
        ("${ACCOUNT}", "111122223333"),
        ("${HUB}", "999988887777"),
        ("${REGION}", "eu-central-1"),
        ("${PRINCIPAL}", "AROAEXAMPLEEXAMPLE12:i-00000000000000001"),
        ("${AT}", "2026-11-22T10:00:00.000Z"),
    ]
    .iter()
    .fold(include_str!("stub/finding.json").to_owned(), |text, (name, value)| text.replace(name, value));
    for _ in 0..times {
        assert!(black_box(decode(black_box(finding.as_bytes())))[0].is_ok());
    }
}

/// One finding, by ten rules, a hundred opt-outs and a hundred accounts.
fn decided(times: usize) {
    let world = world((10, 100, 100));
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
    for _ in 0..times {
        black_box(decide(black_box(&world.finding), &world.policy, facts)).expect("decided");
    }
}

/// One call, recorded by itself.
fn appended(times: usize) {
    let directory = tempfile::tempdir().expect("a directory");
    let ledger = Ledger::open(&directory.path().join("ledger.db")).expect("a ledger");
    let story = Story::read();
    let runtime = tokio::runtime::Builder::new_current_thread().build().expect("a runtime");
    runtime.block_on(async {
        let first = Append { entries: story.one(0), ..Append::default() };
        ledger.append(first).await.expect("written");
        for _ in 0..times {
            ledger.append(story.call()).await.expect("written");
        }
    });
    ledger.close();
}
