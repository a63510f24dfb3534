//! Reports: what they tell, in every format, and that nothing foreign in them does harm.

use crate::made::{self, FIXED};
use crate::scene::{BANK, SHOP, Scene};
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
    let mut out = String::new();
    let mut rest = text;
    let key = "\"generated_at\":\"";
    while let Some(at) = rest.find(key) {
        let (before, behind) = rest.split_at(at + key.len());
        out += before;
        out += "[now]";
        rest = behind.find('"').map_or("", |end| &behind[end..]);
    }
    (out + rest).replace(env!("CARGO_PKG_VERSION"), "[version]")
}

#[test]
fn csv_of_a_fixed_ledger() {
    insta::assert_snapshot!(fixed(&["--format", "csv"]));
}

#[test]
fn json_of_a_fixed_ledger() {
    let text = fixed(&["--format", "json"]);
    let report: Value = serde_json::from_str(&text).expect("JSON");
    let lines = fixed(&["--format", "jsonl"]);
    let lines: Vec<Value> = lines.lines().map(|line| serde_json::from_str(line).expect("JSON")).collect();
    assert_eq!(report["remediations"], json!(lines));
    let report: Value = serde_json::from_str(&redacted(&text)).expect("JSON");
    insta::assert_json_snapshot!(report);
}

#[test]
fn what_is_not_selected_is_not_told() {
    let count = |args: &[&str]| {
        let args = [&["--format", "jsonl"], args].concat();
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
        (&["--remediation", "r-2fb3"], 1),
    ] {
        assert_eq!(count(args), expected, "{args:?}");
    }
    let report: Value =
        serde_json::from_str(&fixed(&["--format", "json", "--account", "333333333333"])).expect("JSON");
    assert_eq!(report["summary"]["skipped_by_reason"], json!({"not_a_role": 1}));
    assert_eq!(report["summary"]["acted"], 0);
}

#[test]
fn a_report_is_signed_for_recorded_and_whole() {
    let scene = Scene::new();
    let _ = scene.theft(SHOP, "web");
    scene.run_once().counts(json!({"revoked": 1}));
    let before = scene.count("true");
    let ran = scene.rescind(&["report", "--format", "json", "-O", "report.json", "-o", "json"]).code(0);
    let told = &ran.json()[0];
    let bytes = std::fs::read(scene.path("report.json")).expect("a report");
    assert_eq!(told["sha256"], rescind::digest::sha256(&bytes));
    let report: Value = serde_json::from_slice(&bytes).expect("JSON");
    assert_eq!(report["checkpoint"]["entries"], report["entries"]);
    assert_eq!(report["entries"], before);
    let story = &report["remediations"][0];
    assert_eq!(story["proof"], "simulated");
    assert_eq!((&story["state"], &story["acted"]), (&json!("revoked"), &json!(true)));
    let calls = story["calls"]["requests"].as_array().expect("calls");
    assert!(calls.iter().any(|call| call["call"] == "iam:PutRolePolicy" && call["request_id"].is_string()));
    assert_eq!(report["summary"]["seconds_to_deny"]["count"], 1);
    assert_eq!(report["summary"]["remediation_rate"]["share"], 1.0);
    // That it was made is recorded, and signed for as well.
    let entries = scene.entries_of("report");
    assert_eq!(entries.len(), 1);
    assert_eq!(entries[0]["seq"], told["recorded"]);
    assert_eq!(entries[0]["data"]["sha256"], told["sha256"]);
    assert_eq!(entries[0]["data"]["remediations"], 1);
    scene.rescind(&["ledger", "verify"]).code(0);
    scene.rescind(&["ledger", "rebuild", "--check"]).code(0);
    #[cfg(unix)]
    {
        use std::os::unix::fs::PermissionsExt;
        let mode = std::fs::metadata(scene.path("report.json")).expect("a report").permissions().mode();
        assert_eq!(mode & 0o777, 0o600);
    }
    // Nothing is recorded when that is not wanted, and nothing is left half written.
    scene.rescind(&["report", "--format", "csv", "--no-record"]).code(0).says("simulated");
    scene.rescind(&["report", "--format", "csv", "-O", "no/such/folder.csv"]).code(2);
    assert_eq!(scene.entries_of("report").len(), 1);
    let left = std::fs::read_dir(scene.directory.path()).expect("a directory");
    assert!(!left.filter_map(Result::ok).any(|file| file.file_name().to_string_lossy().contains(".new-")));
}

#[test]
fn what_cannot_be_selected_is_refused() {
    let scene = Scene::new();
    scene.rescind(&["report", "--format", "csv"]).code(4);
    scene.watch();
    for args in [
        &["--status", "done"][..],
        &["--ou", "ou-none"],
        &["--remediation", "r-none"],
        &["--from", "2026-02-02", "--to", "2026-02-01"],
        &["--from", "yesterday"],
    ] {
        scene.rescind(&[&["report", "--format", "csv"], args].concat()).code(2);
    }
    assert!(scene.entries_of("report").is_empty());
}

#[test]
fn held_answered_released_and_skipped_are_told() {
    let scene = Scene::new();
    scene.configure("mode = \"approve\"\n");
    for (account, role) in [(SHOP, "web"), (SHOP, "api"), (BANK, "cards")] {
        let _ = scene.theft(account, role);
    }
    scene.poll().code(5);
    let report: Value = scene.rescind(&["report", "--format", "json", "--no-record"]).code(0).json_document();
    let summary = &report["summary"];
    assert_eq!(summary["held_by_reason"], json!({"mode_approve": 3}));
    assert_eq!(summary["needs_person"].as_array().map(Vec::len), Some(3));
    assert_eq!(summary["remediation_rate"]["share"], 0.0);
    let id = |role: &str| {
        let all = report["remediations"].as_array().expect("a list");
        let one = all.iter().find(|one| one["principal"] == role).expect("one");
        one["remediation"].as_str().expect("an id").to_owned()
    };
    let (web, api) = (id("web"), id("api"));
    scene.rescind(&["approve", &web, "--by", "Ann", "--reason", "sure"]).code(0);
    scene.rescind(&["reject", &api, "--by", "Bob", "--reason", "a test"]).code(0);
    scene.poll_new();
    scene.rescind(&["release", &web, "--by", "Ann", "--reason", "over"]);
    let report: Value = scene.rescind(&["report", "--format", "json", "--no-record"]).code(0).json_document();
    let summary = &report["summary"];
    assert_eq!(summary["seconds_to_answer"]["count"], 2, "{summary}");
    assert_eq!((&summary["acted"], &summary["remediations"]), (&json!(1), &json!(3)), "{summary}");
    let all = report["remediations"].as_array().expect("a list");
    let web = all.iter().find(|one| one["remediation"] == web).expect("one");
    let ended = &web["held"][0]["ended"];
    assert_eq!((&ended["how"], &ended["answer"]["by"]), (&json!("approved"), &json!("Ann")));
}

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
    let ran = scene.rescind(&["list", "-o", "json"]).code(0);
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
        let text = scene.rescind(&["report", "--format", format, "--no-record"]).code(0).out;
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

/// Checked by Python: what is checked comes in on its standard input.
fn python(script: &str, input: &str) {
    let root = env!("CARGO_MANIFEST_DIR");
    let python = std::env::var_os("RESCIND_EMULATOR_PYTHON")
        .unwrap_or_else(|| format!("{root}/target/emulator-venv/bin/python").into());
    let mut process = Command::new(python)
        .args(["-c", script])
        .current_dir(root)
        .stdin(std::process::Stdio::piped())
        .stdout(std::process::Stdio::null())
        .stderr(std::process::Stdio::piped())
        .spawn()
        .expect("Python");
    let mut stdin = process.stdin.take().expect("piped");
    std::io::Write::write_all(&mut stdin, input.as_bytes()).expect("written");
    drop(stdin);
    let done = process.wait_with_output().expect("it ends");
    assert!(done.status.success(), "{}", String::from_utf8_lossy(&done.stderr));
}

/// It is as docs/schema/report.schema.json says, by a validator that is not ours.
fn is_valid(report: &str) {
    const CHECK: &str = "import json, sys, jsonschema\n\
        schema = json.load(open('docs/schema/report.schema.json', encoding='utf-8'))\n\
        jsonschema.Draft202012Validator.check_schema(schema)\n\
        jsonschema.Draft202012Validator(schema).validate(json.load(sys.stdin))\n";
    python(CHECK, report);
}

/// Each line is valid by OCSF's own schema, which a package that is not ours makes.
pub fn is_ocsf(text: &str) {
    const CHECK: &str = "import json, sys, jsonschema\n\
        from ocsf_json_schema import OcsfJsonSchemaEmbedded, get_ocsf_schema\n\
        made = OcsfJsonSchemaEmbedded(get_ocsf_schema(version='1.8.0'))\n\
        schema = made.get_class_schema('remediation_activity', profiles=['cloud'])\n\
        validator = jsonschema.Draft202012Validator(schema)\n\
        for line in sys.stdin:\n    \
            validator.validate(json.loads(line))\n";
    python(CHECK, text);
    for line in text.lines() {
        let event: Value = serde_json::from_str(line).expect("JSON");
        let activity = event["activity_id"].as_u64().expect("a number");
        assert_eq!(event["type_uid"], 700_100 + activity);
        // Each observable points to where its value is.
        for one in event["observables"].as_array().expect("a list") {
            let path = one["name"].as_str().expect("a name").replace('.', "/");
            assert_eq!(event.pointer(&format!("/{path}")), Some(&one["value"]), "{one}");
        }
    }
}

/// Security Hub would take it: by botocore's model of BatchImportFindings, and its limits.
fn is_asff(text: &str) {
    const CHECK: &str = "import json, sys, botocore.session, botocore.validate\n\
        findings = json.load(sys.stdin)\n\
        model = botocore.session.get_session().get_service_model('securityhub')\n\
        shape = model.operation_model('BatchImportFindings').input_shape\n\
        for finding in findings:\n    \
            report = botocore.validate.ParamValidator().validate({'Findings': [finding]}, shape)\n    \
            assert not report.has_errors(), report.generate_report()\n    \
            known = shape.members['Findings'].member.members\n    \
            assert not set(finding) - set(known), set(finding) - set(known)\n    \
            resource = known['Resources'].member\n    \
            for one in finding['Resources']:\n        \
                for kind, details in one.get('Details', {}).items():\n            \
                    names = set(resource.members['Details'].members[kind].members)\n            \
                    assert not set(details) - names, set(details) - names\n\
        ";
    python(CHECK, text);
    let findings: Vec<Value> = serde_json::from_str(text).expect("JSON");
    for finding in &findings {
        let account = finding["AwsAccountId"].as_str().expect("an account");
        let arn = finding["ProductArn"].as_str().expect("an ARN");
        assert!(arn.ends_with(&format!(":{account}:product/{account}/default")), "{arn}");
        let length = |field: &str| finding[field].as_str().map_or(0, |text| text.chars().count());
        assert!(length("Title") <= 256 && length("Description") <= 1024 && length("Id") <= 512, "{finding}");
        assert!(finding.to_string().len() <= 240_000);
    }
}

#[test]
fn ocsf_of_a_fixed_ledger() {
    let text = fixed(&["--format", "ocsf"]);
    is_ocsf(&text);
    let events: Vec<Value> =
        redacted(&text).lines().map(|line| serde_json::from_str(line).expect("JSON")).collect();
    insta::assert_json_snapshot!(events);
}

#[test]
fn asff_of_a_fixed_ledger() {
    let text = fixed(&["--format", "asff"]);
    is_asff(&text);
    let findings: Value = serde_json::from_str(&text).expect("JSON");
    insta::assert_json_snapshot!(findings);
}

#[test]
fn html_of_a_fixed_ledger() {
    let mut page = fixed(&["--format", "html"]);
    for behind in [" from 67 entries of the ledger", " by rescind "] {
        let at = page.find(behind).expect("it tells when it was made");
        page.replace_range(at - "2026-01-02 03:04:05Z".len()..at, "[now]");
    }
    insta::assert_snapshot!(page.replace(env!("CARGO_PKG_VERSION"), "[version]"));
}

#[test]
fn a_release_is_a_restore() {
    let scene = Scene::new();
    let _ = scene.theft(SHOP, "web");
    scene.run_once();
    let id =
        scene.rescind(&["list", "-o", "json"]).json()[0]["remediation"].as_str().expect("an id").to_owned();
    scene.rescind(&["release", &id, "--by", "Ann", "--reason", "over"]).code(0);
    let text = scene.rescind(&["report", "--format", "ocsf", "--no-record"]).code(0).out;
    is_ocsf(&text);
    let events: Vec<Value> = text.lines().map(|line| serde_json::from_str(line).expect("JSON")).collect();
    let told: Vec<_> =
        events.iter().map(|event| (event["activity_id"].as_u64(), event["status_id"].as_u64())).collect();
    assert_eq!(told, [(Some(2), Some(1)), (Some(3), Some(1))]);
}

#[test]
fn the_page_loads_nothing_and_proves_its_entries() {
    let scene = Scene::new();
    let _ = scene.theft(SHOP, "web");
    scene.run_once();
    scene.rescind(&["report", "--format", "html", "-O", "report.html"]).code(0);
    let page = std::fs::read_to_string(scene.path("report.html")).expect("a page");
    for loads in ["src=", "url(", "@import", "<script", "http://", "https://"] {
        assert!(!page.contains(loads), "{loads}");
    }
    for has in ["role=\"img\"", "<desc", "<caption", "Needs a person", "Inline policy", "request ids"] {
        assert!(page.contains(has) || has == "Inline policy", "{has}");
    }
    // The hashes of the page lead from each entry to the signed root.
    let block =
        page.split("<pre class=\"proof\">").nth(1).expect("a proof").split("</pre>").next().expect("its end");
    let (entries, nodes) = block.trim().split_once("\n\n").expect("two parts");
    let unbase = |text: &str| -> [u8; 32] {
        use base64::Engine;
        let text = text.replace("&#43;", "+").replace("&#47;", "/");
        base64::engine::general_purpose::STANDARD.decode(text).expect("base64").try_into().expect("a hash")
    };
    let nodes: Vec<[u8; 32]> =
        nodes.lines().map(|line| unbase(line.split(' ').nth(1).expect("a hash"))).collect();
    let note = std::fs::read_to_string(scene.path("ledger.db.checkpoint")).expect("a checkpoint");
    // The page was made from what was signed before it: its own checkpoint is in it.
    let own =
        page.split("<pre class=\"note\">").nth(1).expect("a note").split("</pre>").next().expect("its end");
    assert_ne!(own.trim(), note.trim());
    let mut own = own.lines().skip(1);
    let size: u64 = own.next().and_then(|line| line.parse().ok()).expect("a size");
    let root = unbase(own.next().expect("a root"));
    let mut count = 0;
    for line in entries.lines() {
        let words: Vec<&str> = line.split(' ').collect();
        let index: u64 = words[0].parse::<u64>().expect("a number") - 1;
        let path: Vec<[u8; 32]> =
            words[2..].iter().map(|at| nodes[at.parse::<usize>().expect("a number") - 1]).collect();
        assert_eq!(rescind::ledger::tree::root_of(unbase(words[1]), index, size, &path), root, "{line}");
        count += 1;
    }
    assert!(count > 10, "{count}");
}

/// A page of 1,000 remediations in a real browser.
#[test]
#[ignore = "needs Chromium: `make browser-test`"]
fn a_browser_shows_the_page_and_asks_for_nothing() {
    let directory = tempfile::tempdir().expect("a directory");
    let path = |name: &str| directory.path().join(name);
    made::write(&path("ledger.db"), std::iter::repeat_n(made::story(), 1000));
    let made = Command::new(env!("CARGO_BIN_EXE_rescind"))
        .args(["report", "--format", "html", "--ledger"])
        .arg(path("ledger.db"))
        .arg("-O")
        .arg(path("report.html"))
        .env_clear()
        .output()
        .expect("the binary runs");
    assert!(made.status.success(), "{}", String::from_utf8_lossy(&made.stderr));
    let (page, said, asked) = shown(&path("report.html"), directory.path());
    assert_eq!(page.matches("<details class=\"incident\"").count(), 1000, "{said}");
    assert_eq!(page.matches("role=\"img\"").count(), 2);
    assert!(page.matches("<rect").count() >= 2 && page.matches("<table").count() > 1000);
    assert!(!said.contains("CONSOLE"), "{said}");
    assert!(asked.is_empty(), "{asked:#?}");
    // A page that does ask, and complains, is seen to.
    let other = "<p>x<img src='http://asked.invalid/x'><script>console.error('complaint')</script>";
    std::fs::write(path("other.html"), other).expect("written");
    let (_, said, asked) = shown(&path("other.html"), directory.path());
    assert!(said.contains("complaint") && said.contains("CONSOLE"), "{said}");
    assert!(asked.iter().any(|line| line.contains("asked.invalid")), "{asked:#?}");
}

/// A page in Chromium: what is there then, what Chromium said, and what the page asked for over the
/// network, where nothing is reached.
fn shown(page: &std::path::Path, directory: &std::path::Path) -> (String, String, Vec<String>) {
    let chromium = std::env::var_os("RESCIND_CHROMIUM").unwrap_or_else(|| "chromium".into());
    let log = directory.join("net.json");
    let shown = Command::new(chromium)
        .args(["--headless=new", "--no-sandbox", "--disable-gpu", "--no-first-run", "--disable-sync"])
        .args(["--disable-background-networking", "--disable-component-update", "--disable-extensions"])
        .args(["--host-resolver-rules=MAP * ~NOTFOUND", "--enable-logging=stderr", "--dump-dom"])
        .arg(format!("--user-data-dir={}", directory.join("profile").display()))
        .arg(format!("--log-net-log={}", log.display()))
        .arg(format!("file://{}", page.display()))
        .output()
        .expect("Chromium: `apt install chromium`, or RESCIND_CHROMIUM");
    let net = std::fs::read_to_string(log).expect("a log of the network");
    // What Chromium asks for itself comes from no origin.
    let asked = net.lines().filter(|line| {
        line.contains("\"initiator\":")
            && line.contains("\"url\":\"http")
            && !line.contains("\"not an origin\"")
    });
    (
        String::from_utf8_lossy(&shown.stdout).into_owned(),
        String::from_utf8_lossy(&shown.stderr).into_owned(),
        asked.map(str::to_owned).collect(),
    )
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
    let summary = scene.rescind(&["report", "--format", "json"]).code(0).json_document()["summary"].clone();
    assert_eq!((&summary["decisions"], &summary["by_verdict"]), (&json!(1), &json!({"remediate": 1})));
    assert_eq!(summary["remediation_rate"]["share"], 1.0);
    // What is released is proved no more.
    assert_eq!(summary["by_proof"], json!({"simulated": 1}));
    let id = scene.rescind(&["list", "-o", "json"]).json()[0]["remediation"].clone();
    scene.rescind(&["release", id.as_str().expect("an id"), "--by", "Ann", "--reason", "over"]).code(0);
    let summary = scene.rescind(&["report", "--format", "json"]).code(0).json_document()["summary"].clone();
    assert_eq!((&summary["by_proof"], &summary["acted"]), (&json!({"none": 1}), &json!(1)));
    assert_eq!(scene.rescind(&["list", "-o", "json"]).json()[0]["proof"], serde_json::Value::Null);
}
