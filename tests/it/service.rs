//! A service that runs for months: how it is watched, stopped, reloaded, and what it does when things fail.

use crate::log;
use crate::scene::{BANK, BARE, HOME, OTHER, SHOP, Scene};
use crate::watching::Watching;
use serde_json::{Value, json};
use std::os::unix::net::UnixDatagram;
use std::time::Duration;

const OFTEN: &str = "mode = \"enforce\"\npoll_interval = \"5s\"\n";
const RARELY: &str = "mode = \"enforce\"\npoll_interval = \"1h\"\n";

/// Status and text of an answer.
pub fn ask(url: &str) -> (u16, String) {
    let agent: ureq::Agent =
        ureq::Agent::config_builder().proxy(None).http_status_as_error(false).build().into();
    let mut answer = agent.get(url).call().expect("it answers");
    (answer.status().as_u16(), answer.body_mut().read_to_string().expect("a text"))
}

/// What `status -o json` says.
#[track_caller]
fn status(scene: &Scene, code: i32) -> Value {
    scene.rescind(&["status", "-o", "jsonl"]).code(code).json_document()
}

pub fn address(service: &mut Watching) -> String {
    let line = service.until(log::LISTENS);
    let (_, rest) = line.split_once("http://").expect("an address");
    format!("http://{}", rest.split(": ").next().expect("an address"))
}

#[test]
fn its_status_is_there_over_http_and_on_the_command_line() {
    let scene = Scene::new();
    scene.watch();
    scene.configure(&format!("{OFTEN}listen = \"127.0.0.1:0\"\n"));
    assert_eq!(status(&scene, 5)["live"], Value::Null);
    scene.hold_all("ListFindings");
    let mut service = Watching::start(&scene, &[]);
    let url = address(&mut service);
    scene.held("ListFindings");
    // It lives, and does not see thefts yet.
    scene.wait(|| ask(&format!("{url}/healthz")) == (200, "ok\n".to_owned()));
    let (status, reasons) = ask(&format!("{url}/readyz"));
    assert!(status == 503 && reasons.contains(HOME), "{status} {reasons}");
    scene.release("ListFindings");
    scene.wait(|| ask(&format!("{url}/readyz")) == (200, "ready\n".to_owned()));
    let (thief, _) = scene.theft(SHOP, "web");
    service.until(log::REVOKED);
    thief.is_denied();
    let (status, metrics) = ask(&format!("{url}/metrics"));
    assert_eq!(status, 200);
    for line in [
        "rescind_decisions_total{verdict=\"remediate\",code=\"stolen_role_session\"} 1",
        "rescind_aws_calls_total{service=\"iam\",operation=\"PutRolePolicy\",result=\"ok\"} 1",
        "rescind_findings_seen_total{feed=\"poll\"} 1",
        "rescind_seen_to_deny_seconds_count 1",
        "rescind_activity_to_seen_seconds_count 1",
    ] {
        assert!(metrics.contains(line), "{line} in\n{metrics}");
    }
    scene.wait(|| {
        let (_, metrics) = ask(&format!("{url}/metrics"));
        [
            "rescind_budget_used 1",
            "rescind_ledger_entries ",
            "rescind_region_last_read_seconds{region=\"eu-central-1\"}",
        ]
        .iter()
        .all(|line| metrics.contains(line))
    });
    let (_, status) = ask(&format!("{url}/status"));
    let status: Value = serde_json::from_str(&status).expect("JSON");
    assert_eq!(status["regions"][HOME]["failures"], 0);
    assert_eq!(ask(&format!("{url}/other")).0, 404);
    scene.rescind(&["status"]).code(0).says(&url);
    let json = self::status(&scene, 0);
    assert_eq!((&json["live"]["mode"], &json["states"]["revoked"]), (&json!("enforce"), &json!(1)));
    assert_eq!((&json["begun_this_hour"], &json["budget_per_hour"]), (&json!(1), &json!(1000)));
    assert_eq!(service.stop(), 0);
    let json = self::status(&scene, 5);
    assert_eq!((&json["live"], &json["states"]["revoked"]), (&Value::Null, &json!(1)));
}

#[test]
fn health_shows_by_its_exit_code_whether_the_service_lives_and_sees() {
    let scene = Scene::new();
    scene.watch();
    scene.configure(&format!("{OFTEN}listen = \"\"\n"));
    scene.rescind(&["health"]).code(2).says("`listen`");
    scene.configure(&format!("{OFTEN}listen = \"127.0.0.1:0\"\n"));
    scene.rescind(&["health"]).code(5).says("http://127.0.0.1:0/healthz");
    scene.hold_all("ListFindings");
    let mut service = Watching::start(&scene, &[]);
    let url = address(&mut service);
    scene.held("ListFindings");
    scene.wait(|| scene.rescind(&["health"]).code == 0);
    scene.rescind(&["health"]).code(0).says(&format!("{url}/healthz"));
    // It goes on with what it has read: a mistake in the file since is no reason to end it.
    let valid = std::fs::read_to_string(scene.path("rescind.toml")).expect("readable");
    std::fs::write(scene.path("rescind.toml"), format!("mode = \"enfroce\"\n{valid}")).expect("written");
    scene.rescind(&["health"]).code(0).says(&format!("{url}/healthz"));
    std::fs::write(scene.path("rescind.toml"), valid).expect("written");
    scene.rescind(&["health", "--ready"]).code(5).says("503").says(HOME).says(OTHER);
    let health = scene.rescind(&["health", "--ready", "-o", "jsonl"]).code(5).json().remove(0);
    assert_eq!((&health["healthy"], &health["status"]), (&json!(false), &json!(503)));
    assert!(health["reasons"].as_array().is_some_and(|all| !all.is_empty()), "{health}");
    scene.release("ListFindings");
    scene.wait(|| scene.rescind(&["health", "--ready"]).code == 0);
    let health = scene.rescind(&["health", "-o", "jsonl"]).code(0).json().remove(0);
    assert_eq!(
        health,
        json!({"healthy": true, "url": format!("{url}/healthz"), "status": 200, "reasons": []})
    );
    // One that hangs takes the connection, and says nothing.
    service.signal("STOP");
    let health = scene.rescind(&["health", "-o", "jsonl"]).code(5).json().remove(0);
    assert_eq!((&health["healthy"], &health["status"]), (&json!(false), &json!(null)));
    service.signal("CONT");
    scene.rescind(&["health"]).code(0);
    assert_eq!(service.stop(), 0);
}

#[test]
fn what_a_killed_service_published_is_not_taken_for_live() {
    let scene = Scene::new();
    let service = Watching::start(&scene, &[]);
    scene.wait(|| scene.path("ledger.db.live").exists());
    service.kill();
    assert!(scene.path("ledger.db.live").exists());
    assert_eq!(status(&scene, 5)["live"], Value::Null);
}

#[test]
fn systemd_is_notified_when_it_is_ready_alive_and_stopping() {
    let scene = Scene::new();
    let path = scene.path("notify");
    let socket = UnixDatagram::bind(&path).expect("a socket");
    socket.set_read_timeout(Some(Duration::from_mins(1))).expect("a timeout");
    let mut command = scene.command(&["run"]);
    command.env("NOTIFY_SOCKET", &path).env("WATCHDOG_USEC", "5000000");
    command
        .stdin(std::process::Stdio::null())
        .stdout(std::process::Stdio::piped())
        .stderr(std::process::Stdio::piped());
    let service = Watching::of(command.spawn().expect("it starts"));
    let until = |wanted: &str| {
        let mut buffer = [0; 500];
        loop {
            let count = socket.recv(&mut buffer).expect("a message");
            if String::from_utf8_lossy(&buffer[..count]).contains(wanted) {
                break;
            }
        }
    };
    until("READY=1");
    until("WATCHDOG=1");
    until("WATCHDOG=1");
    service.signal("TERM");
    until("STOPPING=1");
    assert_eq!(service.end(), 0);
}

#[test]
fn a_stop_leaves_what_is_not_finished_in_time_to_the_next_start() {
    let scene = Scene::new();
    scene.watch();
    scene.configure(&format!("{OFTEN}drain_timeout = \"0s\"\n"));
    let mut service = Watching::start(&scene, &[]);
    scene.hold("PutRolePolicy", "before");
    let (thief, _) = scene.theft(SHOP, "web");
    scene.held("PutRolePolicy");
    service.signal("TERM");
    service.until(log::NOT_FINISHED);
    // It ends, though AWS never answered.
    service.end();
    scene.release("PutRolePolicy");
    thief.is_allowed();
    let mut service = Watching::start(&scene, &[]);
    service.until(log::REVOKED);
    thief.is_denied();
}

#[test]
fn a_hangup_reads_the_configuration_again() {
    let scene = Scene::new();
    // A webhook's address is a secret, and another one is noticed all the same.
    let hook = |path| format!("[[notify]]\nname = \"hook\"\nwebhook = \"https://127.0.0.1:9/{path}\"\n");
    scene.configure(&format!("mode = \"observe\"\npoll_interval = \"5s\"\n{}", hook("old")));
    scene.watch();
    let mut service = Watching::start(&scene, &[]);
    let (watched, finding) = scene.theft(SHOP, "web");
    service.until("\"mode_observe\"");
    assert_eq!(scene.decision(&finding)["verdict"], "observe");
    watched.is_allowed();
    // A broken one changes nothing.
    std::fs::write(scene.path("rescind.toml"), "mode = \"enforce\"\nregion = []\n").expect("written");
    service.signal("HUP");
    assert!(service.until(log::CONFIGURATION_REFUSED).contains(" region: "));
    let other = format!("mode = \"enforce\"\npoll_interval = \"5s\"\nconcurrency = 3\n{}", hook("new"));
    scene.configure(&other);
    service.signal("HUP");
    service.until(log::CONFIGURATION_READ);
    assert!(service.until(log::NEEDS_RESTART).contains("concurrency"));
    let (thief, _) = scene.theft(BANK, "web");
    service.until(log::REVOKED);
    thief.is_denied();
    let reloaded = &scene.entries_of("reloaded")[0]["data"];
    let needs_restart = json!(["concurrency", "notify"]);
    assert_eq!((&reloaded["mode"], &reloaded["needs_restart"]), (&json!("enforce"), &needs_restart));
    assert_eq!(scene.entries_of("reload_refused").len(), 1);
}

#[test]
fn a_region_that_hangs_does_not_hold_up_the_others() {
    let scene = Scene::new();
    scene.watch();
    scene.configure(OFTEN);
    scene.fault(
        "stuck",
        json!({"operation": "ListFindings", "region": OTHER}),
        "before",
        json!({"hang": true}),
        0,
    );
    let mut service = Watching::start(&scene, &[]);
    assert_eq!(scene.get("faults/stuck/reached?timeout=30")["reached"], true);
    for role in ["web", "api"] {
        let (thief, _) = scene.theft(SHOP, role);
        service.until(log::REVOKED);
        thief.is_denied();
    }
}

#[test]
fn an_account_that_hangs_keeps_no_other_out_and_what_a_sweep_takes_up_is_decided_once() {
    let scene = Scene::new();
    scene.watch();
    scene.configure(OFTEN);
    let hang = json!({"hang": true});
    scene.fault("stuck", json!({"operation": "AssumeRole"}), "before", hang, 0);
    // What was reported last is read first: more than may wait, behind calls that hang. What has no room is
    // recorded, and left to a sweep; what comes after it, in another account, is decided meanwhile.
    for (account, role) in std::iter::once((BANK, "web".to_owned()))
        .chain((0..100).map(|number| (SHOP, format!("web-{number}"))))
    {
        scene.role(account, &role);
        let session = scene.session(account, &role, "i-0123456789abcdef0");
        for _ in 0..if account == BANK { 50 } else { 11 } {
            scene.report(account, &role, &session, json!({}));
        }
    }
    let service = Watching::start(&scene, &[]);
    scene.wait(|| scene.count("kind = 'decision' AND account = '333333333333'") > 0);
    scene.delete("faults/stuck");
    scene.wait(|| scene.count("kind = 'decision'") >= 1150);
    assert_eq!(service.stop(), 0);
    let decisions = scene.entries_of("decision");
    let findings: std::collections::BTreeSet<_> =
        decisions.iter().map(|entry| entry["finding"].to_string()).collect();
    assert_eq!((findings.len(), decisions.len()), (1150, 1150));
}

#[test]
fn what_fails_is_tried_again_on_its_own_time() {
    let scene = Scene::new();
    scene.watch();
    scene.configure(RARELY);
    let (thief, finding) = scene.theft(SHOP, "web");
    // Enough for the SDK's own retries and then some. There is no second poll.
    let down = json!({"error": {"code": "ServiceUnavailable", "message": "down", "status": 503}});
    scene.fault("down", json!({"operation": "AssumeRole"}), "before", down, 0);
    let mut service = Watching::start(&scene, &[]);
    service.until(log::NOT_REVOKED);
    scene.wait(|| {
        let one = scene.rescind(&["status", "-o", "jsonl"]).json()[0]["unfinished"][0].clone();
        let failures = one["failures"].as_u64();
        failures >= Some(2) && one["next_try"].is_string() && one["state"] == "retrying"
    });
    scene.delete("faults/down");
    service.until(log::REVOKED);
    thief.is_denied();
    assert_eq!(scene.decision(&finding)["verdict"], "remediate");
    scene.wait(|| scene.rescind(&["status"]).code == 0);
}

#[test]
fn what_stays_undone_is_raised_and_a_no_is_not_asked_again_at_once() {
    let scene = Scene::new();
    scene.watch();
    scene.configure(&format!("{OFTEN}raise_after = \"1s\"\n"));
    let mut service = Watching::start(&scene, &[]);
    // There is no remediation role in this account.
    let (thief, _) = scene.theft(BARE, "web");
    let line = service.until(log::STILL_NOT_REVOKED);
    assert!(line.contains(BARE), "{line}");
    thief.is_allowed();
    // Poll after poll it is not asked again but by its own timetable, and it is said once.
    let sweeps = scene.calls_of("ListFindings").len();
    scene.wait(|| scene.calls_of("ListFindings").len() > sweeps + 3);
    let asked = scene.calls_of("AssumeRole").len();
    assert!(asked < scene.calls_of("ListFindings").len() / 2, "asked {asked} times");
    let alerts = scene.entries_of("alert");
    assert_eq!(alerts.iter().filter(|alert| alert["data"]["code"] == "not_revoked").count(), 1);
    // It is still on the list of what is tried again.
    let status = scene.rescind(&["status", "-o", "jsonl"]).code(5).json();
    assert_eq!(status[0]["unfinished"][0]["state"], "blocked");
    assert!(status[0]["unfinished"][0]["next_try"].is_string());
    service.stop();
}

#[test]
fn each_line_of_the_log_about_a_remediation_names_it() {
    let scene = Scene::new();
    scene.watch();
    scene.configure(OFTEN);
    let mut service = Watching::start(&scene, &["-o", "jsonl"]);
    let (thief, _) = scene.theft(SHOP, "web");
    service.until(log::REVOKED);
    thief.is_denied();
    let id = scene.entries_of("intent")[0]["remediation"].as_str().expect("an id").to_owned();
    let lines: Vec<Value> =
        service.lines.iter().map(|line| serde_json::from_str(line).expect("a line of JSON")).collect();
    let about = |line: &&Value| {
        let text = line.to_string();
        ["sts:AssumeRole", "iam:", log::REVOKED, "stolen_role_session"].iter().any(|part| text.contains(part))
    };
    let named =
        lines.iter().filter(about).inspect(|line| assert_eq!(line["remediation"], id.as_str(), "{line}"));
    assert!(named.count() > 6, "{lines:#?}");
}

#[test]
fn a_port_that_is_taken_stops_nothing() {
    let scene = Scene::new();
    scene.watch();
    let taken = std::net::TcpListener::bind("127.0.0.1:0").expect("a port");
    let address = taken.local_addr().expect("an address");
    scene.configure(&format!("{OFTEN}listen = \"{address}\"\n"));
    let mut service = Watching::start(&scene, &[]);
    service.until(log::NOT_LISTENING);
    let (thief, _) = scene.theft(SHOP, "web");
    service.until(log::REVOKED);
    thief.is_denied();
    // As soon as it is free, it is taken.
    drop(taken);
    service.until(log::LISTENS);
}

#[test]
fn a_hangup_takes_a_bolder_mode_only_together_with_its_opt_outs() {
    let scene = Scene::new();
    scene.configure("mode = \"observe\"\npoll_interval = \"5s\"\n");
    scene.watch();
    let mut service = Watching::start(&scene, &[]);
    scene.configure(OFTEN);
    let broken = format!("[[opt_out]]\nname = \"freeze\"\naccounts = [\"{SHOP}\"]\nmode = \"of\"\n");
    std::fs::write(scene.path("opt-outs.toml"), broken).expect("written");
    service.signal("HUP");
    assert!(service.until(log::CONFIGURATION_REFUSED).contains("opt-outs.toml"));
    let (thief, finding) = scene.theft(SHOP, "web");
    service.until("\"mode_observe\"");
    assert_eq!(scene.decision(&finding)["verdict"], "observe");
    thief.is_allowed();
    scene.wait(|| !scene.rescind(&["status", "-o", "jsonl"]).json_document()["live"]["refused"].is_null());
}

#[test]
fn a_hangup_never_turns_rescind_against_its_own_role() {
    let scene = Scene::new();
    scene.configure(OFTEN);
    scene.watch();
    let mut service = Watching::start(&scene, &[]);
    let text = std::fs::read_to_string(scene.path("rescind.toml")).expect("a file");
    std::fs::write(scene.path("rescind.toml"), text.replace("RescindRemediation", "Other")).expect("written");
    service.signal("HUP");
    assert!(service.until(log::NEEDS_RESTART).contains("member"));
    let session = scene.session(SHOP, "RescindRemediation", "i-0123456789abcdef0");
    let finding = scene.report(SHOP, "RescindRemediation", &session, json!({}));
    service.until("verdict=\"skip\" code=\"own_role\"");
    assert_eq!(scene.decision(&finding)["verdict"], "skip");
    assert_eq!(scene.writes(), 0);
}

#[test]
fn who_asks_slowly_takes_nothing_from_aws() {
    let scene = Scene::new();
    scene.watch();
    scene.configure(&format!("{OFTEN}listen = \"127.0.0.1:0\"\n"));
    let mut service = Watching::start(&scene, &[]);
    let url = address(&mut service);
    let host = url.trim_start_matches("http://").to_owned();
    let idle: Vec<_> = (0..200).filter_map(|_| std::net::TcpStream::connect(&host).ok()).collect();
    let (thief, _) = scene.theft(SHOP, "web");
    service.until(log::REVOKED);
    thief.is_denied();
    let open = std::fs::read_dir(format!("/proc/{}/fd", service.id())).map_or(0, Iterator::count);
    // One each, and those of the service itself.
    assert!(open < 270, "{open} open files");
    // Those that never said what they want are sent away, and others are answered.
    scene.wait(|| {
        std::net::TcpStream::connect(&host).is_ok_and(|mut stream| {
            use std::io::{Read, Write};
            let mut answer = String::new();
            let asked = stream.write_all(b"GET /healthz HTTP/1.1\r\nhost: x\r\n\r\n");
            asked.is_ok() && stream.read_to_string(&mut answer).is_ok() && answer.contains("200 OK")
        })
    });
    drop(idle);
    assert_eq!(service.stop(), 0);
}

#[test]
fn a_stop_while_it_starts_is_a_stop() {
    let scene = Scene::new();
    scene.hold("GetCallerIdentity", "before");
    let process = scene.spawn(&["run"]);
    scene.held("GetCallerIdentity");
    let done = std::process::Command::new("kill").args(["-TERM", &process.id().to_string()]).status();
    assert!(done.expect("kill runs").success());
    let ran = Scene::finish(process).code(0);
    assert_eq!(ran.out, "");
    scene.release("GetCallerIdentity");
}
