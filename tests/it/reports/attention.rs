//! The verdict, and what needs attention: counted from the states, and kept after a release.

use super::ledger::Made;
use super::states::{need_a_person, need_nobody, still_works};
use super::valid::{is_asff, is_valid};
use serde_json::{Value, json};

/// The states of what a report names as needing a person, sorted.
fn named(summary: &Value) -> Vec<String> {
    let all = summary["needs_person"].as_array().expect("a list");
    let mut states: Vec<String> =
        all.iter().map(|one| one["state"].as_str().expect("a state").to_owned()).collect();
    states.sort();
    states
}

#[test]
fn what_needs_attention_is_counted_from_the_states() {
    let made = Made::of(need_a_person().into_iter().chain(need_nobody()));
    let report = made.json();
    is_valid(&report.to_string());
    let summary = &report["summary"];
    let states = ["blocked", "failed", "held", "held", "lost", "rejected", "retrying", "unverified"];
    assert_eq!(named(summary), states, "{summary:#}");
    let by = json!({"contained": 2, "left_open": 2, "needs_person": 7, "over": 1, "unanswered": 1, "under_way": 2});
    assert_eq!(summary["by_containment"], by);
    // Each is a theft of its own.
    let verdict = &summary["verdict"];
    assert_eq!((&verdict["thefts"], &verdict["by_containment"]), (&json!(15), &by));
    // The oldest is first, and each says what to do.
    let needs = summary["needs_person"].as_array().expect("a list");
    let since = needs.iter().filter_map(|one| one["since"].as_str()?.parse().ok());
    let since: Vec<jiff::Timestamp> = since.collect();
    assert!(since.is_sorted() && since.len() == 8, "{since:?}");
    assert!(needs.iter().all(|one| one["what_to_do"] != "" && one["why"] != ""), "{needs:#?}");
    assert_eq!(summary["oldest_unanswered"]["remediation"], "r-000000000000");
    assert_eq!(
        summary["by_severity"]["critical"],
        json!({"remediations": 1, "contained": 0, "needs_person": 1})
    );
    assert_eq!(summary["by_severity"]["medium"]["remediations"], 4);
    let page = made.report("html");
    assert!(page.contains("Needs attention (8)"), "{page}");
    // What needs a person comes before every figure.
    let at = |text: &str| page.find(text).expect(text);
    assert!(at("id=\"verdict\"") < at("id=\"attention\"") && at("id=\"attention\"") < at("id=\"figures\""));
    // A finding in Security Hub is new as long as a person must act.
    let asff = made.report("asff");
    is_asff(&asff);
    let findings: Vec<Value> = serde_json::from_str(&asff).expect("JSON");
    let new = findings.iter().filter(|one| one["Workflow"]["Status"] == "NEW").count();
    assert_eq!(new, 8);
}

#[test]
fn a_stolen_key_that_still_works_is_not_contained() {
    let made = Made::of([still_works()]);
    let report = made.json();
    assert_eq!(report["remediations"][0]["state"], "revoked");
    assert_eq!(report["remediations"][0]["containment"], "needs_person");
    assert_eq!(named(&report["summary"]), ["revoked"]);
}

#[test]
fn what_was_released_keeps_its_proof_in_the_report() {
    let made = Made::of(need_nobody().into_iter().nth(4));
    let report = made.json();
    let one = &report["remediations"][0];
    assert_eq!((&one["state"], &one["proof"]), (&json!("released"), &Value::Null));
    assert_eq!(one["highest_proof"], "simulated");
    let earlier = &one["earlier_rungs"][0];
    assert_eq!((&earlier["rung"], &earlier["ended_by"]), (&json!("simulated"), &json!("undone")), "{one:#}");
    assert!(earlier["evidence"].as_str().is_some_and(|text| text.contains("denied")), "{earlier}");
    assert_eq!(report["summary"]["by_highest_proof"], json!({"simulated": 1}));
    assert_eq!(report["summary"]["by_proof"], json!({"none": 1}));
    let page = made.report("html");
    assert!(page.contains("was proved: simulated") && page.contains("<ol class=\"ladder past\">"), "{page}");
    let mut table = csv::Reader::from_reader(std::io::Cursor::new(made.report("csv")));
    let row: std::collections::HashMap<String, String> =
        table.deserialize().next().expect("a row").expect("a row");
    assert_eq!((row["highest_proof"].as_str(), row["is_in_force"].as_str()), ("simulated", "false"));
}

#[test]
fn nothing_that_was_found_is_nothing_that_is_open() {
    let made = Made::of(Vec::new());
    let verdict = made.json()["summary"]["verdict"].clone();
    assert_eq!((&verdict["thefts"], &verdict["not_known"]), (&json!(0), &json!([])), "{verdict}");
    assert!(made.report("html").contains("<section class=\"verdict good\""));
}

/// What is text is not shown as code, and what is code not with its marks.
#[test]
fn the_page_has_no_backtick_and_code_only_for_policies() {
    let made = Made::of(need_a_person().into_iter().chain(need_nobody()));
    let page = made.report("html");
    assert!(!page.contains('`'), "{:?}", page.split('`').nth(1));
    for block in page.split("<pre").skip(1) {
        assert!(block.starts_with(" class=\"diff\"") || block.starts_with(" class=\"note\""), "{block}");
    }
}
