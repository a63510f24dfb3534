//! The command line: what a person types and reads.

use crate::scene::{POLICY, SHOP, Scene};
use rescind::remediation::{Rung, State};
use serde_json::{Value, json};

#[test]
fn a_broken_configuration_is_named_before_any_aws_call() {
    let scene = Scene::new();
    for (text, wanted) in [
        ("mode = \"enforec\"\n", "rescind.toml:1:8: mode:"),
        (
            "regions = [\"eu-central-1\"]\n[member]\nexternal_id = \"x\"\n",
            "rescind.toml:3:15: member.external_id:",
        ),
        ("region = \"eu-central-1\"\n", "rescind.toml:1:1:"),
    ] {
        std::fs::write(scene.path("rescind.toml"), text).expect("written");
        for args in [["run", "--once", "--backlog"].as_slice(), &["plan"], &["list"]] {
            scene.rescind(args).code(2).says(wanted);
        }
    }
    scene.rescind(&["-c", "nowhere.toml", "run"]).code(2).says("nowhere.toml:");
    assert_eq!(scene.calls().len(), 0);
    assert!(!scene.path("ledger.db").exists());
}

#[test]
fn init_writes_a_configuration_that_observes_and_never_overwrites() {
    let scene = Scene::new();
    scene.rescind(&["-c", "new.toml", "init", "--region", "eu-central-1", "--region", "us-east-1"]).code(0);
    let first = std::fs::read_to_string(scene.path("new.toml")).expect("written");
    assert!(
        first.contains("mode = \"observe\"") && first.contains("regions = [\"eu-central-1\", \"us-east-1\"]"),
        "{first}"
    );
    scene.rescind(&["-c", "new.toml", "init"]).code(2).says("new.toml");
    assert_eq!(std::fs::read_to_string(scene.path("new.toml")).expect("there"), first);
    scene.rescind(&["-c", "other.toml", "init"]).code(0);
    let id = |text: &str| text.lines().find(|l| l.starts_with("external_id")).expect("an id").to_owned();
    let other = std::fs::read_to_string(scene.path("other.toml")).expect("written");
    assert_ne!(id(&first), id(&other));
    // Of roles that are deployed already.
    scene.rescind(&["-c", "given.toml", "init", "--external-id", "of-ours:1"]).code(0);
    let given = std::fs::read_to_string(scene.path("given.toml")).expect("written");
    assert_eq!(id(&given), "external_id = \"of-ours:1\"");
    scene.rescind(&["-c", "bad.toml", "init", "--region", "Frankfurt"]).code(2).says("Frankfurt");
    for bad in ["", "x", "with blanks", "\"quoted\""] {
        scene.rescind(&["-c", "bad.toml", "init", "--external-id", bad]).code(2).says("external_id");
    }
    assert!(!scene.path("bad.toml").exists());
    // It can be used as it is.
    scene.rescind(&["-c", "new.toml", "run", "--once", "--backlog", "-o", "jsonl"]).code(0).counts(json!({}));
}

/// The steps of the ECS template, as they stand in it, on folders of this test: docker is this binary, and the
/// folders of the container are those of the instance.
#[test]
fn the_steps_of_the_ecs_template_leave_one_key_where_the_service_finds_it() {
    use std::os::unix::fs::PermissionsExt;
    let scene = Scene::new();
    let root = std::path::Path::new(env!("CARGO_MANIFEST_DIR"));
    let template =
        std::fs::read_to_string(root.join("policies/deployment/hub/ecs.yaml")).expect("a template");
    let (etc, lib) = (scene.path("srv/rescind/etc"), scene.path("srv/rescind/lib"));
    let steps: Vec<String> = template
        .lines()
        .filter_map(|line| line.strip_prefix("#     "))
        .take_while(|line| !line.contains("docker exec"))
        // Where the image comes from is not what this is about.
        .filter(|line| !line.contains("docker login"))
        .map(|line| line.replace("/srv/rescind", &scene.path("srv/rescind").display().to_string()))
        .collect();
    assert!(steps.len() > 3, "{steps:#?}");
    for folder in [&etc, &lib, &scene.path("bin")] {
        std::fs::create_dir_all(folder).expect("a folder");
    }
    let docker = format!(
        "while [ \"$1\" != IMAGE ]; do shift; done; shift\nfor word; do shift; set -- \"$@\" \"$(echo \"$word\" | sed 's|^/var/lib/rescind|{}|')\"; done\nexec {} --config {}/rescind.toml \"$@\"",
        lib.display(),
        env!("CARGO_BIN_EXE_rescind"),
        etc.display()
    );
    // Who runs the tests may not give files away.
    for (name, text) in [("docker", docker.as_str()), ("sudo", "exec \"$@\""), ("chown", "test $# -ge 2")] {
        let file = scene.path("bin").join(name);
        std::fs::write(&file, format!("#!/bin/sh\n{text}\n")).expect("written");
        std::fs::set_permissions(&file, std::fs::Permissions::from_mode(0o755)).expect("changed");
    }
    let path = format!("{}:{}", scene.path("bin").display(), std::env::var("PATH").unwrap_or_default());
    let run = |step: &String| {
        let done =
            std::process::Command::new("sh").args(["-ec", step]).env("PATH", &path).output().expect("sh");
        assert!(done.status.success(), "{step}\n{}", String::from_utf8_lossy(&done.stderr));
        String::from_utf8_lossy(&done.stdout).into_owned()
    };
    let said: Vec<String> = steps.iter().map(run).collect();
    let key = said.last().expect("the last step").trim();
    assert!(key.contains('+') && said[0].contains(key), "{said:#?}");
    assert!(lib.join("ledger.key").is_file() && !etc.join("ledger.key").exists());
    // A service with this configuration signs with that key, and makes no other.
    let toml = etc.join("rescind.toml").display().to_string();
    scene.rescind(&["-c", &toml, "run", "--once", "--backlog"]).code(0);
    assert!(lib.join("ledger.db").is_file() && !etc.join("ledger.db").exists());
    scene.rescind(&["-c", &toml, "ledger", "verify", "--public-key", key]).code(0);
}

#[test]
fn a_state_folder_that_is_not_there_is_refused_before_anything_is_written() {
    let scene = Scene::new();
    for folder in ["/there/is/no/such/folder", "."] {
        scene.rescind(&["-c", "new.toml", "init", "--state", folder]).code(2).says("--state");
    }
    assert!(!scene.path("new.toml").exists());
}

#[test]
fn plan_shows_the_policy_before_and_after_and_changes_nothing() {
    let scene = Scene::new();
    let (thief, finding) = scene.theft(SHOP, "web");
    let planned = scene.rescind(&["plan", "-o", "jsonl"]).code(0).json();
    assert_eq!((planned.len(), &planned[0]["finding"]), (1, &json!(finding)));
    assert_eq!(
        (&planned[0]["decision"], &planned[0]["rule"]),
        (&json!("remediate"), &json!("built-in: credential exfiltration"))
    );
    assert_eq!(planned[0]["opt_outs"], json!([]));
    assert_eq!(planned[0]["change"]["arn"], "arn:aws:iam::222222222222:role/web");
    assert_eq!(scene.writes(), 0);
    thief.is_allowed();
    // Only what it asked AWS is recorded: the finding is still new.
    assert!(scene.entries().iter().all(|e| e["kind"] == "call" || e["kind"] == "organization"));
    scene.run_once().counts(json!({"revoked": 1}));

    let put: Value = scene.policy_on(SHOP, "web").expect("there");
    scene.advance_clock(60);
    let session = scene.session(SHOP, "web", "i-0bbbbbbbbbbbbbbbb");
    scene.report(SHOP, "web", &session, json!({}));
    let plans = scene.rescind(&["-o", "jsonl", "plan"]).code(0).json();
    let plan = plans.iter().find(|p| p["decision"] == "remediate").expect("the new one");
    let before: Value =
        serde_json::from_str(plan["change"]["before"].as_str().expect("a text")).expect("JSON");
    assert_eq!(before, put);
    assert_eq!(plan["change"]["policy_name"], POLICY);
    assert_eq!(scene.policy_on(SHOP, "web"), Some(put));
}

#[test]
fn list_and_show_are_in_text_and_json() {
    let scene = Scene::new();
    scene.rescind(&["list"]).code(4).says("ledger.db");
    let (_, finding) = scene.theft(SHOP, "web");
    scene.run_once();
    let listed = scene.rescind(&["list"]).code(0).says("revoked").says("simulated").says(SHOP).says("web");
    let id = listed.out.split_whitespace().find(|word| word.starts_with("r-")).expect("an id").to_owned();
    for name in [id.as_str(), &id[..10], finding.as_str()] {
        scene.rescind(&["show", name]).code(0).says(&id).says("203.0.113.77").says("i-0123456789abcdef0");
    }
    let shown = scene.rescind(&["-o", "jsonl", "show", &id]).code(0).json().remove(0);
    assert_eq!(shown["remediation"]["state"], "revoked");
    assert_eq!(shown["entries"][0]["kind"], "decision");
    scene.rescind(&["list", "--decisions"]).code(0).says("remediate").says(&finding);
    let lines = scene.rescind(&["list", "--decisions", "-o", "jsonl"]).code(0).json();
    let whole = lines[0]["remediation"].as_str().expect("an id");
    assert!(whole.starts_with(&id) && whole.len() == 26, "{whole}, listed as {id}");
    scene.rescind(&["show", "r-zzz"]).code(2).says("\"r-zzz\"");
}

#[test]
fn remediations_are_listed_by_state_and_by_proof() {
    let scene = Scene::new();
    let _ = scene.theft(SHOP, "web");
    scene.run_once();
    let count = |args: &[&str]| {
        let args: Vec<&str> = ["-o", "jsonl", "list"].iter().chain(args).copied().collect();
        scene.rescind(&args).code(0).json().len()
    };
    for state in State::all() {
        let name = state.to_string();
        assert_eq!(count(&["--status", &name]), usize::from(*state == State::Revoked), "{name}");
        scene.rescind(&["report", "-o", "jsonl", "--no-record", "--status", &name]).code(0);
    }
    for (proof, expected) in [("present", 0), ("simulated", 1), ("enforced", 0), ("present,simulated", 1)] {
        assert_eq!(count(&["--status", "held,revoked", "--proof", proof]), expected, "{proof}");
    }
    scene.rescind(&["list", "--status", "held"]).code(0);
    for command in [&["list"][..], &["report", "-o", "csv"]] {
        for (flag, all) in [
            ("--status", State::all().iter().map(ToString::to_string).collect::<Vec<_>>()),
            ("--proof", Rung::all().iter().map(ToString::to_string).collect()),
        ] {
            let args: Vec<&str> = command.iter().copied().chain([flag, "accepted"]).collect();
            let refused = scene.rescind(&args).code(2);
            assert!(all.iter().all(|name| refused.err.contains(name)), "{args:?}: {}", refused.err);
        }
    }
    scene.rescind(&["list", "--decisions", "--status", "held"]).code(2);
}

#[test]
fn an_input_without_a_finding_is_refused_and_nothing_panics() {
    let scene = Scene::new();
    let _ = scene.theft(SHOP, "web");
    for unreadable in [&b""[..], b"nonsense", b"{\"a\": 1}", b"{}\n[[]]\n\"x\""] {
        scene.handle(unreadable).code(2).says("no finding in it can be read");
    }
    scene.rescind(&["handle", "nowhere.json"]).code(2).says("nowhere.json:");
    scene.rescind(&["handle", "."]).code(2);
    // It does nothing else: nothing is asked of AWS, and nothing is recorded.
    assert_eq!(scene.calls().len(), 0);
    assert!(!scene.path("ledger.db").exists());
    // Five megabytes around one finding that is old: read, decided, recorded small.
    let big = json!({"id": "big", "accountId": SHOP, "region": "eu-central-1", "type": "Recon:IAMUser/X",
        "updatedAt": "2026-01-01T00:00:00Z", "description": "\u{1f511}".repeat(1_300_000)});
    scene.handle(big.to_string().as_bytes()).code(0).counts(json!({"skipped": 1}));
    let body = scene.entries_of("finding").pop().expect("recorded");
    assert!(body.to_string().len() < 2000, "the ledger does not grow with what does not matter");
    // What cannot be read beside it is recorded.
    let two = format!("{{\"a\": 1}}\n{big}\n");
    scene.handle(two.as_bytes()).code(5).counts(json!({"undecodable": 1, "seen_before": 1, "skipped": 1}));
    assert_eq!(scene.entries_of("undecodable").len(), 1);
}

#[test]
fn a_number_that_json_cannot_hold_does_not_spoil_the_ledger() {
    let scene = Scene::new();
    let odd = json!({"id": "odd", "accountId": SHOP, "region": "eu-central-1", "type": "Recon:IAMUser/X",
        "updatedAt": "2026-01-01T00:00:00Z", "severity": 1.0e300, "service": {"count": u64::MAX}});
    scene.handle(odd.to_string().as_bytes()).code(0).counts(json!({"skipped": 1}));
    scene.rescind(&["list", "--decisions"]).code(0).says("odd");
    scene.run_once();
}

#[test]
fn foreign_text_cannot_play_tricks_on_the_terminal() {
    let scene = Scene::new();
    let nasty = "\u{1b}[2J\u{202e}\u{7}name\nfake line";
    let finding = json!({"id": nasty, "accountId": SHOP, "region": "eu-central-1", "type": format!("{nasty}:X"),
        "updatedAt": "2026-01-01T00:00:00Z"});
    let handled = scene.handle(finding.to_string().as_bytes()).code(0);
    let listed = scene.rescind(&["list", "--decisions"]).code(0);
    let planned = scene.rescind_with_input(&["plan", "-"], finding.to_string().as_bytes()).code(0);
    for out in [handled.out, listed.out, planned.out] {
        assert!(out.contains("name"), "{out:?}");
        assert!(!out.contains(['\u{1b}', '\u{202e}', '\u{7}']), "{out:?}");
        assert!(!out.lines().any(|line| line.starts_with("fake")), "{out:?}");
    }
}

#[test]
fn json_output_is_json_and_nothing_else() {
    let scene = Scene::new();
    let _ = scene.theft(SHOP, "web");
    let lines = scene.rescind(&["-o", "jsonl", "run", "--once", "--backlog"]).code(0).json();
    assert_eq!(lines.last().expect("a summary")["summary"]["revoked"], 1);
    let again = scene.rescind(&["-o", "jsonl", "run", "--once", "--backlog"]).code(0).json();
    assert_eq!(
        (&again[0]["state"], &again[0]["code"]),
        (&json!("revoked"), &json!("stolen_role_session")),
        "{}",
        again[0]
    );
    let error = scene.rescind(&["-o", "jsonl", "-c", "nowhere.toml", "list"]).code(2);
    let error: Value = serde_json::from_str(&error.err).expect("the error is JSON");
    assert!(error["error"].as_str().is_some_and(|e| e.contains("nowhere.toml")));
}

#[test]
fn the_exit_codes_are_in_the_help() {
    let scene = Scene::new();
    let help = scene.rescind(&["--help"]).code(0);
    for code in ["0  ", "1  ", "2  ", "3  ", "4  ", "5  ", "130"] {
        assert!(help.out.lines().any(|line| line.trim_start().starts_with(code.trim())), "{code}");
    }
    scene.rescind(&["frobnicate"]).code(2);
}
