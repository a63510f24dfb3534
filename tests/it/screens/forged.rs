//! Lines and screens cannot be forged: not by a finding, a name or AWS's words, in no format.

use crate::log;
use crate::scene::{HOME, Ran, SECURITY, SHOP, Scene};
use crate::service::{address, ask};
use crate::watching::Watching;
use serde_json::{Value, json};

/// A whole line of a log, orders to a terminal, and marks that hide or turn a text.
const EVIL: &str = "\n2026-01-01T00:00:00.000000Z  INFO FORGED all is well\r\u{1b}[2J\u{9b}31m\u{7f}\u{202e}\u{2066}\u{200b}\u{2028}\u{feff}\u{e0041}";

fn is_evil(c: char) -> bool {
    c != '\n' && EVIL.contains(c) && !c.is_ascii_graphic() && c != ' '
}

#[track_caller]
fn is_clean(what: &str, text: &str) {
    assert!(!text.chars().any(is_evil), "{what}:\n{text:?}");
    for line in text.lines() {
        assert!(!line.starts_with("2026-01-01T"), "{what}: a forged line in\n{text}");
    }
}

/// Thefts with evil in every text that decides nothing, and principals that are evil themselves.
fn evil() -> Scene {
    let mut scene = Scene::new();
    let hook = format!("{}/webhook/hook", scene.endpoint());
    scene.more_tables = format!("[[notify]]\nname = \"hook\"\nwebhook = \"{hook}\"\n");
    scene.configure("mode = \"enforce\"\nlisten = \"127.0.0.1:0\"\n");
    scene.role(SHOP, "web");
    let session = scene.session(SHOP, "web", "i-0123456789abcdef0");
    let principal = session["principal_id"].as_str().expect("an id");
    let with = |kind: &str, user_type: &str, name: &str, principal: &str| {
        json!({
            "type": kind, "severity": 8, "accountId": SHOP, "title": EVIL, "description": EVIL,
            "resource": {"resourceType": "AccessKey", "accessKeyDetails": {
                "userType": user_type, "userName": name, "principalId": principal,
                "accessKeyId": session["access_key_id"]}},
            "service": {"action": {"actionType": "AWS_API_CALL", "awsApiCallAction": {
                "api": format!("ListBuckets{EVIL}"), "serviceName": format!("s3.amazonaws.com{EVIL}"),
                "remoteIpDetails": {"ipAddressV4": "203.0.113.77", "country": {"countryName": format!("X{EVIL}")},
                    "organization": {"org": format!("Docs{EVIL}"), "asnOrg": EVIL}}}}},
        })
    };
    let theft = "UnauthorizedAccess:IAMUser/InstanceCredentialExfiltration.OutsideAWS";
    let findings = [
        with(theft, "AssumedRole", "web", principal),
        with(theft, "FederatedUser", &format!("eve{EVIL}"), &format!("{SHOP}:eve{EVIL}")),
        with(theft, &format!("Odd{EVIL}"), &format!("web{EVIL}"), &format!("AROA{EVIL}")),
    ];
    scene.post("findings", &json!({"account": SECURITY, "region": HOME, "findings": findings}));
    let message = format!("no{EVIL}");
    let error = json!({"status": 400, "code": "AccessDeniedException", "message": message});
    scene.fault(
        "words",
        json!({"operation": "ListFindings", "region": "us-east-1"}),
        "before",
        json!({"error": error}),
        0,
    );
    scene
}

/// A finding of a type that is a line of a log, as somebody hands it in: the poll asks for known types only.
fn of_evil_type() -> Vec<u8> {
    let now = jiff::Timestamp::now().to_string();
    let finding = json!({
        "schemaVersion": "2.0", "accountId": SHOP, "region": HOME, "partition": "aws", "severity": 8,
        "id": "0123456789abcdef0123456789abcdef", "createdAt": now, "updatedAt": now,
        "arn": format!("arn:aws:guardduty:{HOME}:{SECURITY}:detector/d/finding/0123456789abcdef0123456789abcdef"),
        "type": format!("Recon:IAMUser/Odd{EVIL}"), "title": EVIL, "description": EVIL,
        "resource": {"resourceType": "AccessKey", "accessKeyDetails": {"userType": "AssumedRole", "userName": "web",
            "principalId": format!("AROAEXAMPLEEXAMPLE00:x{EVIL}"), "accessKeyId": "ASIAEXAMPLEEXAMPLE00"}},
        "service": {"archived": false, "count": 1, "eventFirstSeen": now, "eventLastSeen": now},
    });
    finding.to_string().into_bytes()
}

fn all(scene: &Scene, args: &[&str]) -> [Ran; 2] {
    let text = scene.rescind(&[args, &["--log", "debug"]].concat());
    let json = scene.rescind(&[args, &["--log", "debug", "-o", "jsonl"]].concat());
    is_clean(&format!("{args:?}"), &(text.out.clone() + &text.err));
    is_clean(&format!("{args:?} -o json"), &(json.out.clone() + &json.err));
    for line in json.err.lines() {
        assert!(serde_json::from_str::<Value>(line).is_ok(), "{args:?}: {line}");
    }
    [text, json]
}

#[test]
fn no_text_of_a_finding_forges_a_line_or_turns_a_screen() {
    let scene = evil();
    let [_, planned] = all(&scene, &["plan"]);
    assert!(!planned.json().is_empty());
    let done = all(&scene, &["run", "--once", "--backlog"]);
    assert!(done[0].err.contains("FORGED"), "it is shown, harmlessly:\n{}", done[0].err);
    for format in ["text", "json"] {
        let args = ["handle", "-", "--log", "debug", "-o", format];
        let handled = scene.rescind_with_input(&args, &of_evil_type());
        is_clean(&format!("{args:?}"), &(handled.out.clone() + &handled.err));
        assert!(handled.err.contains("FORGED"), "{}", handled.err);
    }
    let list = scene.rescind(&["list", "-o", "jsonl"]).json();
    let listed = |state: &str| {
        let one = list.iter().find(|one| one["state"].as_str().is_some_and(|is| is.starts_with(state)));
        one.unwrap_or_else(|| panic!("{state}: {list:#?}"))["remediation"].as_str().expect("an id")
    };
    let (revoked, held) = (listed("revoked"), listed("held"));
    for args in [
        &["list"][..],
        &["list", "--decisions"],
        &["show", revoked],
        &["show", held],
        &["explain", revoked],
        &["explain", held],
        &["impact", revoked],
        &["status"],
        &["doctor"],
    ] {
        all(&scene, args);
    }
    for format in ["json", "ocsf"] {
        let ran = scene.rescind(&["report", "-o", format, "--log", "debug"]);
        is_clean(&format!("report {format}"), &(ran.out + &ran.err));
    }
    // What is shown is the same for a program, and what is kept is as it came.
    for (id, path) in
        [(revoked, "/service/action/awsApiCallAction/api"), (held, "/resource/accessKeyDetails/userName")]
    {
        let [shown, _] = all(&scene, &["show", id, "--finding"]);
        let detail: Value = serde_json::from_str(&shown.out).expect("JSON");
        assert!(
            detail.pointer(path).and_then(Value::as_str).is_some_and(|text| text.ends_with(EVIL)),
            "{detail:#}"
        );
    }
    let kinds = scene.entries_of("finding").into_iter();
    assert!(
        kinds
            .filter_map(|entry| entry["data"]["finding"]["type"].as_str().map(str::to_owned))
            .any(|kind| kind.ends_with(EVIL))
    );
    let requests = scene.get("webhooks?name=hook")["requests"].clone();
    assert!(requests.as_array().is_some_and(|all| !all.is_empty()));
    for one in requests.as_array().into_iter().flatten() {
        is_clean("a webhook", one["body"].as_str().expect("a body"));
    }
}

#[test]
fn nor_in_the_log_of_a_service_or_over_http() {
    for args in [&[][..], &["-o", "jsonl"]] {
        let scene = evil();
        let mut service = Watching::start(&scene, &[&["--backlog"], args].concat());
        let url = address(&mut service);
        service.until(log::REVOKED);
        scene.wait(|| ask(&format!("{url}/readyz")).1.contains("FORGED"));
        for path in ["readyz", "metrics", "status", "healthz"] {
            is_clean(path, &ask(&format!("{url}/{path}")).1);
        }
        all(&scene, &["status"]);
        is_clean("the log", &service.lines.join("\n"));
        assert!(service.lines.iter().any(|line| line.contains("FORGED")));
        assert_eq!(service.stop(), 0);
    }
}
