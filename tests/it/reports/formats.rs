//! Every format of one fixed ledger, whole: a change of a format is reviewed in tests/it/snapshots.

use super::lines;
use super::valid::{is_asff, is_ocsf};
use crate::made::FIXED;
use regex_lite::Regex;
use serde_json::{Value, json};
use std::process::Command;

/// A copy of the fixed ledger, and a report made from it.
fn fixed(args: &[&str]) -> String {
    let directory = tempfile::tempdir().expect("a directory");
    let copy = directory.path().join("ledger.db");
    std::fs::copy(FIXED, &copy).expect("copied");
    let mut command = Command::new(env!("CARGO_BIN_EXE_rescind"));
    command.args(["report", "--ledger"]).arg(&copy).args(args).env_clear();
    let done = command.output().expect("the binary runs");
    let err = String::from_utf8_lossy(&done.stderr).into_owned();
    assert!(done.status.success(), "{args:?}: {err}");
    String::from_utf8(done.stdout).expect("UTF-8")
}

/// Without the time at which it was made, and the version.
fn redacted(text: &str) -> String {
    let made = Regex::new(r#"(generated_at": ?"|Made )20[\d-]+[T ][\d:.]+Z"#).expect("a pattern");
    made.replace_all(text, "$1[now]").replace(env!("CARGO_PKG_VERSION"), "[version]")
}

/// Compares a document with the snapshot of this format.
#[track_caller]
fn is(format: &str, text: &str) {
    insta::with_settings!({snapshot_path => "../snapshots", prepend_module_to_snapshot => false, omit_expression => true}, {
        insta::assert_snapshot!(format!("report_{format}"), redacted(text));
    });
}

fn pretty(value: &Value) -> String {
    serde_json::to_string_pretty(value).expect("JSON")
}

#[test]
fn each_format_of_a_fixed_ledger() {
    is("csv", &fixed(&["-o", "csv"]));
    let report: Value = serde_json::from_str(&fixed(&["-o", "json"])).expect("JSON");
    assert_eq!(report["remediations"], json!(lines(&fixed(&["-o", "jsonl"]))));
    is("json", &pretty(&report));
    let ocsf = fixed(&["-o", "ocsf"]);
    is_ocsf(&ocsf);
    is("ocsf", &pretty(&json!(lines(&ocsf))));
    let asff = fixed(&["-o", "asff"]);
    is_asff(&asff);
    is("asff", &pretty(&serde_json::from_str(&asff).expect("JSON")));
    is("html", &fixed(&["-o", "html"]));
}

#[test]
fn what_is_not_selected_is_not_reported() {
    let count = |args: &[&str]| {
        let args = [&["-o", "jsonl"], args].concat();
        fixed(&args).lines().count()
    };
    assert_eq!(count(&[]), 1);
    // The remediation was decided 2026-11-22T07:43:45.952Z in 222222222222.
    for (args, expected) in [
        (&["--from", "2026-11-22", "--to", "2026-11-22"][..], 1),
        (&["--from", "2026-11-23"], 0),
        (&["--to", "2026-11-21"], 0),
        (&["--from", "2026-11-22T07:43:45.952Z"], 1),
        (&["--to", "2026-11-22T07:43:45.952Z"], 0),
        (&["--account", "222222222222"], 1),
        (&["--account", "333333333333"], 0),
        (&["--status", "held,revoked"], 1),
        (&["--status", "held"], 0),
        (&["--proof", "simulated"], 1),
        (&["--status", "revoked", "--proof", "present", "--proof", "enforced"], 0),
        (&["--remediation", "r-2fb35528"], 1),
    ] {
        assert_eq!(count(args), expected, "{args:?}");
    }
    let report: Value =
        serde_json::from_str(&fixed(&["-o", "json", "--account", "333333333333"])).expect("JSON");
    assert_eq!(report["summary"]["skipped_by_reason"], json!({"not_a_role": 1}));
    assert_eq!(report["summary"]["acted"], 0);
}
