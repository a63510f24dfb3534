//! What networks and AWS do to calls: nothing is lost, nothing is done twice, and nothing else suffers.

use crate::log;
use crate::proxy::{Fault, Proxy, Which};
use crate::scene::{BANK, HOME, OTHER, SHOP, Scene};
use crate::thief::Thief;
use crate::watching::Watching;
use serde_json::{Value, json};
use std::time::Duration;

const OFTEN: &str = "mode = \"enforce\"\npoll_interval = \"5s\"\n";

fn watching(scene: &Scene, proxy: &Proxy) -> Watching {
    Watching::of(scene.command_through(proxy, &["run", "--log", "debug"]).spawn().expect("it starts"))
}

/// Everything that passes by itself.
fn faults() -> Vec<Fault> {
    vec![
        Fault::Latency(Duration::from_millis(300)),
        Fault::ResetBefore,
        Fault::ResetAfter,
        Fault::Status(503),
        Fault::Status(429),
        Fault::Code(400, "Throttling"),
        Fault::Code(400, "ThrottlingException"),
        Fault::Code(429, "TooManyRequestsException"),
        Fault::Code(500, "ServiceFailure"),
        Fault::Code(403, "ExpiredToken"),
        Fault::CodeAfter(500, "InternalFailure"),
        Fault::CodeAfter(503, "ServiceUnavailable"),
        Fault::Truncated,
        Fault::WrongType,
    ]
}

fn in_place(scene: &Scene) -> usize {
    let proved = scene.entries_of("proof");
    proved
        .iter()
        .map(|proof| proof["remediation"].to_string())
        .collect::<std::collections::BTreeSet<_>>()
        .len()
}

#[test]
fn each_fault_at_each_step_ends_in_one_deny() {
    let scene = Scene::new();
    let proxy = Proxy::before(scene.endpoint());
    scene.watch();
    scene.configure(OFTEN);
    let steps = ["AssumeRole", "GetRole", "GetRolePolicy", "PutRolePolicy", "SimulatePrincipalPolicy"];
    let mut thieves: Vec<(String, Thief)> = Vec::new();
    for step in steps {
        for (number, fault) in faults().into_iter().enumerate() {
            // A call names its role: AssumeRole in its session policy.
            let role = format!("{}-{number:02}", step.to_lowercase());
            // So often that the SDK gives up once; what it does not try again, twice.
            let times = if matches!(fault, Fault::Code(403, _) | Fault::WrongType) { 2 } else { 4 };
            let which = Which::operation(step).containing(&role);
            proxy.times(times, which, fault);
            thieves.push((role.clone(), scene.theft(SHOP, &role).0));
        }
    }
    let service = watching(&scene, &proxy);
    // They are many, and each is tried again some times.
    scene.wait_up_to(std::time::Duration::from_mins(5), || in_place(&scene) == thieves.len());
    for (role, thief) in &thieves {
        assert!(thief.list_users().is_err(), "{role} is still in");
    }
    // One remediation each.
    let decided = scene.entries_of("decision");
    assert_eq!(decided.iter().filter(|entry| entry["data"]["verdict"] == "remediate").count(), thieves.len());
    assert_eq!(service.stop(), 0);
    scene.rescind(&["ledger", "verify"]).code(0);
}

#[test]
fn a_region_that_is_down_costs_only_itself() {
    let scene = Scene::new();
    let proxy = Proxy::before(scene.endpoint());
    scene.watch();
    scene.configure(OFTEN);
    proxy.always(Which::service("guardduty").in_region(OTHER), Fault::Status(503));
    let mut service = watching(&scene, &proxy);
    // It is asked less and less often, and that it failed is reported once: before the third time, twice its interval passes at least.
    let failed = [(); 3].map(|()| Watching::at(&service.until(log::FINDINGS_UNREAD)));
    assert!(failed[2].duration_since(failed[1]).as_secs_f64() >= 10.0, "{failed:?}");
    let (thief, _) = scene.theft(SHOP, "web");
    service.until(log::REVOKED);
    thief.is_denied();
    assert_eq!(scene.entries_of("feed_failed").len(), 1);
    let status = scene.rescind(&["status", "-o", "jsonl"]).code(5).json_document();
    assert!(status["live"]["regions"][OTHER]["failures"].as_u64() > Some(0), "{status}");
    proxy.clear();
    scene.role(BANK, "api");
    let session = scene.session(BANK, "api", "i-0123456789abcdef0");
    scene.report(BANK, "api", &session, json!({"region": OTHER}));
    service.until(log::REVOKED);
    scene.thief(&session).is_denied();
}

#[test]
fn a_clock_that_is_wrong_by_ten_minutes_is_corrected() {
    for skew in [600, -600] {
        let scene = Scene::new();
        let proxy = Proxy::before(scene.endpoint());
        proxy.always(Which::all(), Fault::Skewed(skew));
        let (thief, _) = scene.theft(SHOP, "web");
        let ran = crate::scene::Ran::new(
            &scene
                .command_through(&proxy, &["run", "--once", "--backlog", "-o", "jsonl"])
                .output()
                .expect("it runs"),
        );
        ran.code(0).counts(json!({"revoked": 1}));
        thief.is_denied();
    }
}

/// The hub's own clock is three minutes wrong, and AWS's is right: one action for one theft, recorded in order.
#[cfg(target_os = "linux")]
#[test]
fn a_hub_clock_that_is_minutes_off_does_nothing_twice() {
    for ahead in ["-180", "180"] {
        let scene = Scene::new();
        let library = crate::starve::preload(&scene);
        let rescind = |args: &[&str]| {
            let mut command = scene.command(args);
            command.env("LD_PRELOAD", &library).env("RESCIND_CLOCK_AHEAD", ahead);
            crate::scene::Ran::new(&command.output().expect("it runs"))
        };
        scene.role(SHOP, "web");
        let session = scene.session(SHOP, "web", "i-0123456789abcdef0");
        let finding = scene.report(SHOP, "web", &session, json!({}));
        let ran =
            rescind(&["run", "--once", "--backlog", "-o", "jsonl"]).code(0).counts(json!({"revoked": 1}));
        assert!(ran.err.contains("clock"), "{}", ran.err);
        let writes = scene.writes();
        // The same theft again, seen in the seconds before the cutoff and after the deny was accepted.
        let now = scene.get("clock")["now"].clone();
        scene.report(SHOP, "web", &session, json!({"id": finding, "updated_at": now}));
        rescind(&["run", "--once", "--backlog"]).code(0);
        assert_eq!(scene.decision(&finding)["code"], "already_revoked", "{ahead}");
        assert_eq!(scene.writes(), writes, "{ahead}");
        rescind(&["recheck"]).code(0);
        assert_eq!(scene.writes(), writes, "{ahead}");
        // What is listed of it is in AWS's time, whatever this machine's says.
        let listed = rescind(&["list", "-o", "jsonl"]).code(0).json();
        let time = |value: &serde_json::Value| {
            value.as_str().expect("a time").parse::<jiff::Timestamp>().expect("a time")
        };
        let age = time(&scene.get("clock")["now"]).duration_since(time(&listed[0]["accepted_at"]));
        assert!((-2..90).contains(&age.as_secs()), "{ahead}: {}", listed[0]);
        rescind(&["doctor", "-o", "jsonl"]).has_code("clock");
    }
}

#[test]
fn aws_time_decides_not_ours() {
    for ahead in [600, -600] {
        let scene = Scene::new();
        scene.advance_clock(ahead);
        let (thief, _) = scene.theft(SHOP, "web");
        scene.run_once().counts(json!({"revoked": 1}));
        thief.is_denied();
        // A token that AWS issues after the cutoff works.
        scene.advance_clock(60);
        scene.thief(&scene.session(SHOP, "web", "i-0123456789abcdef1")).is_allowed();
    }
}

#[test]
fn credentials_that_expire_in_the_middle_cost_only_time() {
    let scene = Scene::new();
    let proxy = Proxy::before(scene.endpoint());
    scene.watch();
    scene.configure(OFTEN);
    let mut service = watching(&scene, &proxy);
    service.until("guardduty:ListFindings");
    // The hub's own: nothing works, in no region and no account.
    proxy.always(Which::all(), Fault::Code(403, "ExpiredToken"));
    let (thief, _) = scene.theft(SHOP, "web");
    let line = service.until(log::FINDINGS_UNREAD);
    assert!(line.contains("ExpiredToken"), "{line}");
    thief.is_allowed();
    proxy.clear();
    service.until(log::REVOKED);
    thief.is_denied();
}

#[test]
fn an_answer_that_is_lost_after_the_change_is_not_a_second_change() {
    let scene = Scene::new();
    let proxy = Proxy::before(scene.endpoint());
    let (thief, _) = scene.theft(SHOP, "web");
    // Each answer to the put is lost, also those of the SDK's own retries.
    proxy.times(4, Which::operation("PutRolePolicy"), Fault::ResetAfter);
    let output = scene
        .command_through(&proxy, &["run", "--once", "--backlog", "-o", "jsonl"])
        .output()
        .expect("it runs");
    crate::scene::Ran::new(&output).code(0).counts(json!({"revoked": 1}));
    thief.is_denied();
    let steps = scene.steps();
    assert_eq!(steps.iter().filter(|step| *step == "intent").count(), 1, "{steps:?}");
    let documents: Vec<Value> =
        scene.calls_of("PutRolePolicy").iter().map(|call| call["params"]["PolicyDocument"].clone()).collect();
    assert!(documents.len() > 1 && documents.windows(2).all(|two| two[0] == two[1]), "{documents:?}");
}

#[test]
fn a_finding_that_guardduty_cannot_return_costs_only_itself() {
    let scene = Scene::new();
    let proxy = Proxy::before(scene.endpoint());
    scene.watch();
    scene.configure(OFTEN);
    let (stuck, spoilt) = scene.theft(SHOP, "spoilt");
    proxy.always(Which::operation("GetFindings").containing(&spoilt), Fault::Status(503));
    let mut service = watching(&scene, &proxy);
    for role in ["web", "api"] {
        let (thief, _) = scene.theft(SHOP, role);
        service.until(log::REVOKED);
        thief.is_denied();
    }
    // The region is read as often as before, and what failed is reported once.
    scene.wait(|| {
        scene.rescind(&["status", "-o", "jsonl"]).json()[0]["live"]["regions"][HOME]["failures"] == 1
    });
    assert_eq!(scene.entries_of("feed_failed").len(), 1);
    stuck.is_allowed();
    proxy.clear();
    service.until(log::REVOKED);
    stuck.is_denied();
}
