//! What a report counts, and what it leaves out: states and durations as they are, nothing empty, and pages
//! that stay pages.

use super::ledger::Made;
use super::lines;
use super::valid::is_ocsf;
use crate::made::{changed, story, then, until};
use crate::scene::{SHOP, Scene};
use regex_lite::Regex;
use rescind::remediation::{AlertCode, Answer, Event, ReasonCode};
use serde_json::{Value, json};

#[test]
fn held_is_a_state_and_not_the_first_verdict() {
    let decided = || until(story(), "decision");
    let asked = || {
        changed(decided(), "decision", |data| {
            data["verdict"] = json!("hold");
            data["code"] = json!("mode_approve");
        })
    };
    let reheld = || {
        let reason = "the hour's budget is used up".to_owned();
        then(decided(), Event::Reheld { code: ReasonCode::BudgetAccount, reason })
    };
    let answer = Answer {
        by: "Ann".to_owned(),
        reason: "sure".to_owned(),
        os_user: "ann".to_owned(),
        aws_identity: None,
        identity: None,
        judged: None,
    };
    let approved = then(asked(), Event::Approved(answer));
    // Two were held by their decision, six were sent back to a person later, one was approved since.
    let stories = (0..2).map(|_| asked()).chain((0..6).map(|_| reheld())).chain([approved]);
    let made = Made::of(stories);
    let summary = &made.json()["summary"];
    assert_eq!(summary["by_state"]["held"], 8, "{summary}");
    assert_eq!(summary["held_by_reason"], json!({"budget_account": 6, "mode_approve": 2}));
    assert_eq!(summary["needs_person"].as_array().map(Vec::len), Some(8));
    // What was decided at first stays counted as that.
    assert_eq!(summary["by_verdict"], json!({"hold": 3, "remediate": 6}));
    let waits = Regex::new(r"(?m)^.* \| oldest unanswered \| since .*$").expect("a pattern");
    insta::assert_snapshot!(waits.replace(&figures(&made.report("html")), "[time] | oldest unanswered | since [then]"), @"
    1 | thefts | 9 remediations
    0 | contained or over | of 1 theft
    8 | need attention | 8 wait for an answer
    [time] | oldest unanswered | since [then]
    – | finding to deny, median
    – | denies in force
    0 % | remediation rate | 0 of 9
    9 | findings decided | 0 observed, 0 skipped
    ");
}

/// The figures at the head of the page, as they stand there.
fn figures(page: &str) -> String {
    let (_, from) = page.split_once("<section aria-labelledby=\"figures\">").expect("figures");
    let (list, _) = from.split_once("</ul>").expect("their end");
    let figure = |item: &str| {
        let texts = item.split('<').filter_map(|tag| tag.split_once('>')).map(|(_, text)| text.trim());
        texts.filter(|text| !text.is_empty()).collect::<Vec<_>>().join(" | ")
    };
    list.split("<li").skip(1).map(|item| figure(&format!("<li{item}")) + "\n").collect()
}

#[test]
fn a_time_that_cannot_be_is_in_no_duration() {
    let ahead = |time: &'static str| {
        changed(story(), "finding", move |data| data["finding"]["evidence"]["last_seen"] = json!(time))
    };
    let made = Made::of([story(), ahead("2099-01-01T00:00:00Z"), story(), ahead("9999-12-30T22:00:00Z")]);
    let report = made.json();
    let spread = &report["summary"]["seconds_to_deny"];
    assert_eq!(spread["count"], 2, "{spread}");
    for figure in ["median", "p90", "worst"] {
        assert!(spread[figure].as_f64().is_some_and(|seconds| seconds >= 0.0), "{spread}");
    }
    assert_eq!(report["summary"]["not_timed"], 2);
    let one = &report["remediations"][1];
    // It was denied all the same, and what GuardDuty said stands as it was said.
    assert_eq!((&one["acted"], &one["seconds_to_deny"]), (&json!(true), &Value::Null));
    assert_eq!(one["finding"]["last_activity"], "2099-01-01T00:00:00Z");
    let rungs = one["rungs"].as_array().expect("rungs");
    assert!(rungs.len() > 1 && rungs.iter().all(|rung| rung["seconds_after_finding"].is_null()), "{one}");
    let page = made.report("html");
    assert!(!page.contains("<td class=\"time\">-"), "{page}");
    // The ledger is written now, so the days since the finding are others each day.
    let days = Regex::new(r"(?m)^\d+ d ").expect("a pattern");
    insta::assert_snapshot!(days.replace_all(&figures(&page), "[days] "), @"
    1 | thefts | 4 remediations
    1 | contained or over | of 1 theft
    0 | need attention | 0 wait for an answer
    – | oldest unanswered
    [days] | finding to deny, median | without 2 that GuardDuty dates after the deny
    100 % | denies in force | of the time since the first put; 0 gaps
    100 % | remediation rate | 4 of 4
    4 | findings decided | 0 observed, 0 skipped
    ");
    for row in csv::Reader::from_reader(made.report("csv").as_bytes()).deserialize() {
        let row: std::collections::HashMap<String, String> = row.expect("a row");
        assert!(!row["seconds_to_deny"].contains('-'), "{row:?}");
    }
    assert!(!made.report("asff").contains(" -"));
}

/// `doctor` calls coverage where a theft would be seen and could be answered: no report may say it of
/// something else.
#[test]
fn coverage_is_doctors_word() {
    let made = Made::of([story()]);
    for format in ["csv", "json", "html", "ocsf", "asff"] {
        assert!(!made.report(format).to_lowercase().contains("coverage"), "{format}");
    }
    let rate = &made.json()["summary"]["remediation_rate"];
    assert_eq!(rate, &json!({"remediated": 1, "actionable": 1, "share": 1.0}));
    let root = env!("CARGO_MANIFEST_DIR");
    for file in ["docs/schema/report.schema.json", "docs/reports.md"] {
        let text = std::fs::read_to_string(format!("{root}/{file}")).expect("a file");
        assert!(!text.to_lowercase().contains("coverage"), "{file}");
    }
}

#[test]
fn an_ocsf_event_has_nothing_empty_and_no_observable_of_another_type() {
    let without = |key: &'static str, value: Value| {
        changed(story(), "finding", move |data| {
            for field in ["access_key_id", "principal_id"] {
                data["finding"]["principal"][field] = json!("");
            }
            for field in ["api", "error_code", "instance_id", "remote_country", "remote_ip"] {
                data["finding"]["evidence"][field] = json!(" ");
            }
            data["finding"]["title"] = json!("");
            data["finding"]["evidence"][key] = value.clone();
        })
    };
    // Only a person can do something about it, so it has no ARN.
    let by_hand = changed(until(story(), "decision"), "decision", |data| {
        data["verdict"] = json!("hold");
        let principal = "the root user";
        data["target"] = json!({"account": "222222222222", "partition": "aws", "principal": principal});
        data["reason"] = json!("");
    });
    let made = Made::of([
        without("count", json!(1)),
        without("remote_ip", json!("somewhere else")),
        without("remote_ip", json!("2001:db8::7")),
        by_hand,
    ]);
    let text = made.report("ocsf");
    is_ocsf(&text);
    let events = lines(&text);
    assert_eq!(events.len(), 4);
    for event in &events {
        assert!(!has_empty(event), "{event:#}");
        for one in event["observables"].as_array().expect("observables") {
            let value = one["value"].as_str().expect("a text");
            match one["type_id"].as_u64() {
                Some(2) => assert!(value.parse::<std::net::IpAddr>().is_ok(), "{one}"),
                _ => assert!(!value.contains(' '), "{one}"),
            }
        }
    }
    // What is known stays.
    assert_eq!(events[1]["unmapped"]["remote_ip"], "somewhere else");
    assert_eq!(events[2]["unmapped"]["remote_ip"], "2001:db8::7");
    let findings: Value = serde_json::from_str(&made.report("asff")).expect("JSON");
    assert!(!has_empty(&findings), "{findings:#}");
}

/// Anywhere in it is a null, a text of nothing, or a list or object without members.
fn has_empty(value: &Value) -> bool {
    match value {
        Value::Null => true,
        Value::String(text) => text.trim().is_empty(),
        Value::Array(all) => all.is_empty() || all.iter().any(has_empty),
        Value::Object(members) => members.is_empty() || members.values().any(has_empty),
        _ => false,
    }
}

/// What a thief leaves under our policy's name, and what somebody says, can be as long as AWS and the
/// command line take it.
#[test]
fn long_texts_make_no_long_page() {
    let statements: Vec<Value> =
        (0..600).map(|at| json!({"Sid": format!("A{at}"), "Action": ["*"]})).collect();
    let policy = json!({"Statement": statements, "Id": "\u{202e}<b>\u{7}".repeat(5_000)}).to_string();
    let long = || {
        let changed = changed(story(), "intent", |data| data["change"]["before"] = json!(policy));
        let text = "\u{202e}\u{9b}<script>&\"'".repeat(10_000);
        let code = AlertCode::NotRevoked;
        then(changed, Event::Alert { code, text: text.clone(), what_to_do: text })
    };
    let plain = Made::of([story()]).report("html").len();
    let count = 5;
    let made = Made::of((0..count).map(|_| long()));
    let page = made.report("html");
    let each = (page.len() - plain) / count;
    assert!(each < 200_000, "{each} bytes for each of {count}");
    // What is cut says so, and is whole in the JSON output.
    assert!(page.matches('…').count() >= 2 * count);
    assert_eq!(made.json()["remediations"][0]["changes"][0]["before"], json!(policy));
}

#[test]
fn what_was_observed_first_and_then_revoked_is_one_finding() {
    let scene = Scene::new();
    scene.configure("");
    let _ = scene.theft(SHOP, "web");
    scene.run_once().counts(json!({"observed": 1}));
    scene.configure("mode = \"enforce\"\n");
    scene.run_once().counts(json!({"revoked": 1, "seen_before": 1}));
    assert_eq!(scene.entries_of("decision").len(), 2);
    let summary = scene.rescind(&["report", "-o", "json"]).code(0).json_document()["summary"].clone();
    assert_eq!((&summary["decisions"], &summary["by_verdict"]), (&json!(1), &json!({"remediate": 1})));
    assert_eq!(summary["remediation_rate"]["share"], 1.0);
    // What is released is proved no more.
    assert_eq!(summary["by_proof"], json!({"simulated": 1}));
    let id = scene.rescind(&["list", "-o", "jsonl"]).json()[0]["remediation"].clone();
    scene
        .rescind(&["release", "--yes", id.as_str().expect("an id"), "--by", "Ann", "--reason", "over"])
        .code(0);
    let summary = scene.rescind(&["report", "-o", "json"]).code(0).json_document()["summary"].clone();
    assert_eq!((&summary["by_proof"], &summary["acted"]), (&json!({"none": 1}), &json!(1)));
    assert_eq!(scene.rescind(&["list", "-o", "jsonl"]).json()[0]["proof"], serde_json::Value::Null);
}
