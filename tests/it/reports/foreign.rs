//! What a finding or a person brings into a report does no harm there.

use super::valid::{is_asff, is_ocsf, is_valid};
use crate::scene::{SHOP, Scene};
use serde_json::{Value, json};

/// The names of a finding can be anything.
const TRICKS: [&str; 5] =
    ["=cmd()", "<script>alert(1)</script>", "a\"b'c", "two\nlines\r\n\tand more", "\u{202e}gnp.exe\u{200f}"];

/// Findings with odd texts wherever a text of theirs goes into a report.
fn odd() -> Scene {
    let scene = Scene::new();
    // Names that IAM allows, and that a spreadsheet would calculate.
    for role in ["=cmd", "+cmd", "-cmd", "@cmd"] {
        scene.role(SHOP, role);
        let session = scene.session(SHOP, role, "i-0123456789abcdef0");
        let trick = TRICKS.join(" ");
        let more = json!({"overrides": {
            "title": format!("={trick}"),
            "service": {"action": {"awsApiCallAction": {
                "api": trick,
                "remoteIpDetails": {"country": {"countryName": TRICKS[1]}, "organization": {"org": TRICKS[0], "asnOrg": TRICKS[4]}},
            }}},
        }});
        scene.report(SHOP, role, &session, more);
    }
    scene.configure("mode = \"approve\"\n");
    scene.poll().code(5);
    let ran = scene.rescind(&["list", "-o", "jsonl"]).code(0);
    for one in ran.json() {
        let id = one["remediation"].as_str().expect("an id");
        let reason = TRICKS.join(" ");
        scene.rescind(&["approve", id, "--by", TRICKS[1], "--reason", &reason]).code(0);
    }
    scene.poll_new().code(0);
    scene
}

fn is_trick(c: char) -> bool {
    matches!(c, '\u{202a}'..='\u{202e}' | '\u{2066}'..='\u{2069}' | '\u{200e}' | '\u{200f}' | '\u{61c}')
}

#[test]
fn foreign_text_does_no_harm_in_any_format() {
    let scene = odd();
    for format in ["csv", "json", "jsonl", "ocsf", "asff", "html"] {
        let text = scene.rescind(&["report", "-o", format, "--no-record"]).code(0).out;
        assert!(!text.chars().any(is_trick), "{format}");
        assert!(format == "csv" || !text.contains("<script"), "{format}");
        assert!(!text.chars().any(|c| c.is_control() && !matches!(c, '\n' | '\r' | '\t')), "{format}");
        match format {
            "csv" => {
                let mut reader = csv::Reader::from_reader(text.as_bytes());
                let columns = reader.headers().expect("a header").len();
                let mut rows = 0;
                for row in reader.records() {
                    let row = row.expect("a row");
                    rows += 1;
                    assert_eq!(row.len(), columns);
                    assert!(
                        !row.iter().any(|cell| cell.starts_with(['=', '+', '-', '@', '\t', '\r'])),
                        "{row:?}"
                    );
                    assert!(!row.iter().any(|cell| cell.contains(['\n', '\r', '\t'])), "{row:?}");
                }
                assert_eq!((rows, text.matches("'=cmd").count() > 0), (4, true));
            }
            "json" => {
                let report: Value = serde_json::from_str(&text).expect("JSON");
                let title = report["remediations"][0]["finding"]["title"].as_str().expect("a title");
                // Nothing is lost.
                assert_eq!(title, format!("={}", TRICKS.join(" ")));
                is_valid(&report.to_string());
            }
            "html" => {
                if let Some(keep) = std::env::var_os("RESCIND_KEEP_PAGE") {
                    std::fs::write(keep, &text).expect("kept");
                }
                assert!(text.contains("&#60;script&#62;") || text.contains("&lt;script&gt;"), "{text}");
            }
            "asff" => is_asff(&text),
            "ocsf" => is_ocsf(&text),
            _ => assert_eq!(text.lines().count(), 4),
        }
    }
}
