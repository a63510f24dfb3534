//! Events from the queue: within seconds, confirmed, never lost, never done twice.

use crate::log;
use crate::scene::{BANK, HOME, OTHER, SHOP, Scene};
use crate::watching::Watching;
use serde_json::{Value, json};

const QUEUE: &str = "rescind-findings";

/// Shorter than the time for which a message that was received stays hidden.
const SOON: std::time::Duration = std::time::Duration::from_secs(20);

/// It polls once an hour: what it does in these tests is because of an event.
const RARELY: &str = "mode = \"enforce\"\npoll_interval = \"1h\"\n";

/// A scene with a queue, that is watched since before anything happened.
fn scene_with(queue: &str) -> Scene {
    let mut scene = Scene::new();
    scene.queue(queue);
    scene.configure(RARELY);
    scene.watch();
    scene
}

/// A service whose first polls are done with.
fn watching(scene: &Scene) -> Watching {
    Watching::start(scene, &[]).polled(2)
}

#[test]
fn an_event_revokes_without_a_poll_and_leaves_the_queue_when_it_is_decided() {
    let scene = scene_with(QUEUE);
    let mut service = watching(&scene);
    for (role, wrap) in [("web", "event"), ("api", "sns"), ("batch", "raw")] {
        let (thief, finding) = scene.theft(SHOP, role);
        thief.is_allowed();
        scene.hold("DeleteMessageBatch", "before");
        scene.event(QUEUE, &finding, json!({"wrap": wrap}));
        // When it is taken out of the queue, the decision stands in the ledger already.
        scene.held("DeleteMessageBatch");
        assert_eq!(scene.decision(&finding)["verdict"], "remediate", "{wrap}");
        scene.release("DeleteMessageBatch");
        service.until(log::REVOKED);
        thief.is_denied();
        let seen = scene.entries_of("finding").pop().expect("recorded");
        assert_eq!(seen["data"]["origin"], json!({"feed": "queue", "queue": "rescind-findings"}));
    }
    scene.wait(|| scene.messages(QUEUE) == (0, 0));
    assert_eq!(service.stop(), 0);
}

#[test]
fn from_event_to_deny_it_takes_four_round_trips() {
    let scene = scene_with(QUEUE);
    let mut service = watching(&scene);
    let (thief, finding) = scene.theft(SHOP, "web");
    let before = scene.calls().len();
    scene.event(QUEUE, &finding, json!({}));
    service.until(log::REVOKED);
    thief.is_denied();
    let calls: Vec<Value> = scene.calls().split_off(before);
    let ours = calls.iter().filter_map(|call| call["operation"].as_str()).filter(|operation| {
        let beside = ["ReceiveMessage", "DeleteMessageBatch", "GetQueueAttributes", "ListUsers"];
        !beside.contains(operation)
    });
    let path: Vec<&str> = ours.take_while(|operation| *operation != "PutRolePolicy").collect();
    // The tags are read while GuardDuty is asked, and GetRole and GetRolePolicy go side by side.
    assert_eq!(path.len(), 5, "{path:?}");
    assert_eq!(path.iter().position(|operation| *operation == "AssumeRole"), Some(2), "{path:?}");
    assert!(path.contains(&"GetRole") && path.contains(&"GetRolePolicy"), "{path:?}");
}

#[test]
fn a_forged_event_touches_nothing() {
    let scene = scene_with(QUEUE);
    let mut service = watching(&scene);
    // A true finding that triage leaves alone, so that only a forgery could act.
    scene.role(SHOP, "web");
    scene.role(BANK, "web");
    let session = scene.session(SHOP, "web", "i-0123456789abcdef0");
    let old = json!({"first_seen": "2026-01-01T00:00:00.000Z", "last_seen": "2026-01-01T00:00:00.000Z"});
    let finding =
        scene.report(SHOP, "web", &session, json!({"type": "Recon:IAMUser/TorIPCaller", "overrides": old}));
    let forgeries = [
        (json!({"accountId": BANK}), "differs", json!("account")),
        (
            json!({"type": "UnauthorizedAccess:IAMUser/InstanceCredentialExfiltration.OutsideAWS"}),
            "differs",
            json!("type"),
        ),
        (json!({"resource": {"accessKeyDetails": {"userName": "admin"}}}), "differs", json!("principal")),
        (json!({"id": "00000000000000000000000000000000"}), "not_found", Value::Null),
        (json!({"region": "eu-west-3"}), "region_not_watched", Value::Null),
    ];
    let thief = scene.thief(&scene.session(BANK, "web", "i-0123456789abcdef9"));
    let before = scene.calls().len();
    for (change, code, field) in &forgeries {
        scene.event(QUEUE, &finding, json!({"change": change}));
        service.until(log::UNCONFIRMED);
        scene.wait(|| scene.messages(QUEUE) == (0, 0));
        let why = scene.entries_of("unconfirmed").pop().expect("recorded")["data"]["why"].clone();
        assert_eq!((&why["code"], &why["field"]), (&json!(code), field), "{change}");
    }
    let touched: Vec<Value> = scene
        .calls()
        .split_off(before)
        .into_iter()
        .filter(|call| call["service"] == "sts" || call["service"] == "iam")
        .collect();
    assert_eq!(touched, Vec::<Value>::new());
    thief.is_allowed();
    let unconfirmed = scene.entries_of("unconfirmed");
    assert_eq!(unconfirmed.len(), forgeries.len());
    assert!(unconfirmed.iter().all(|entry| entry["data"]["claim"]["detail"].is_null()));
    assert!(scene.entries_of("finding").is_empty() && scene.entries_of("decision").is_empty());
    let alerts: Vec<Value> =
        scene.entries_of("alert").iter().map(|alert| alert["data"]["code"].clone()).collect();
    for code in ["unconfirmed_differs", "unconfirmed_not_found", "unconfirmed_region_not_watched"] {
        assert!(alerts.contains(&json!(code)), "{code} in {alerts:?}");
    }
    assert_eq!(scene.messages(QUEUE), (0, 0));
    drop(service);
    scene.rescind(&["list", "--decisions"]).code(0).says("unconfirmed");
    scene.rescind(&["ledger", "verify"]).code(0);
}

#[test]
fn what_comes_twice_is_done_once() {
    let scene = scene_with(QUEUE);
    let mut service = watching(&scene);
    let (thief, finding) = scene.theft(SHOP, "web");
    // The event before the poll, twice, and the same theft in another region.
    scene.event(QUEUE, &finding, json!({}));
    scene.event(QUEUE, &finding, json!({"wrap": "sns"}));
    service.until(log::REVOKED);
    thief.is_denied();
    scene.wait(|| scene.messages(QUEUE) == (0, 0));
    service.stop();
    scene.run_once().says("seen");
    assert_eq!(scene.entries_of("intent").len(), 1);
    assert_eq!(scene.entries_of("finding").len(), 1);
}

#[test]
fn one_theft_that_several_regions_report_is_one_remediation() {
    let scene = scene_with(QUEUE);
    let mut service = watching(&scene);
    scene.role(SHOP, "web");
    let session = scene.session(SHOP, "web", "i-0123456789abcdef0");
    let thief = scene.thief(&session);
    // The first is held at its first step, so that the others come while it is under way.
    scene.hold("AssumeRole", "before");
    let here = scene.report(SHOP, "web", &session, json!({}));
    let there = scene.report(SHOP, "web", &session, json!({"region": OTHER}));
    scene.event(QUEUE, &here, json!({}));
    scene.held("AssumeRole");
    scene.event(QUEUE, &there, json!({"region": OTHER}));
    scene.release("AssumeRole");
    service.until(log::REVOKED);
    scene.wait(|| scene.entries_of("decision").len() == 2);
    thief.is_denied();
    assert_eq!(scene.entries_of("intent").len(), 1);
    let id = scene.entries_of("intent")[0]["remediation"].clone();
    let covered = scene.decision(&there)["covered_by"].clone();
    assert!(covered == id || scene.decision(&here)["covered_by"] == id, "{covered} {id}");
}

#[test]
fn an_event_that_is_faster_than_the_api_is_waited_for() {
    let scene = scene_with(QUEUE);
    let mut service = watching(&scene);
    scene.role(SHOP, "web");
    let session = scene.session(SHOP, "web", "i-0123456789abcdef0");
    let thief = scene.thief(&session);
    let finding = scene.report(SHOP, "web", &session, json!({}));
    // GuardDuty does not know it yet: it is asked for one that comes a moment later.
    let late = "11111111111111111111111111111111";
    scene.event(QUEUE, &finding, json!({"change": {"id": late}}));
    service.until("guardduty:GetFindings");
    scene.report(SHOP, "web", &session, json!({"id": late}));
    service.until(log::REVOKED);
    thief.is_denied();
}

#[test]
fn a_stop_gives_back_what_is_not_decided() {
    let scene = scene_with(QUEUE);
    let service = watching(&scene);
    let (thief, finding) = scene.theft(SHOP, "web");
    scene.hold("GetFindings", "before");
    scene.event(QUEUE, &finding, json!({}));
    scene.held("GetFindings");
    assert_eq!(scene.messages(QUEUE), (0, 1));
    assert_eq!(service.stop(), 0);
    scene.release("GetFindings");
    // Within moments, not when its visibility timeout has passed.
    scene.wait_up_to(SOON, || scene.messages(QUEUE) == (1, 0));
    thief.is_allowed();
    let mut service = Watching::start(&scene, &[]);
    service.until(log::REVOKED);
    thief.is_denied();
}

#[test]
fn what_sqs_does_not_delete_is_deleted_again() {
    let scene = scene_with(QUEUE);
    let mut service = watching(&scene);
    let (thief, finding) = scene.theft(SHOP, "web");
    scene.fault("partly", json!({"operation": "DeleteMessageBatch"}), "before", json!({"partial": 1}), 1);
    scene.event(QUEUE, &finding, json!({}));
    service.until(log::NOT_DELETED);
    scene.wait(|| scene.messages(QUEUE) == (0, 0) && thief.list_users().is_err());
    service.stop();
    thief.is_denied();
    assert_eq!(scene.entries_of("intent").len(), 1);
}

#[test]
fn poison_is_recorded_and_left_to_the_queue() {
    let scene = scene_with(QUEUE);
    let mut service = watching(&scene);
    for body in [json!("no JSON at all {"), json!({"detail-type": "AWS Health Event", "detail": {}})] {
        scene.post("messages", &json!({"queue": QUEUE, "body": body}));
        service.until(log::UNREADABLE);
    }
    let (thief, finding) = scene.theft(SHOP, "web");
    scene.event(QUEUE, &finding, json!({}));
    service.until(log::REVOKED);
    thief.is_denied();
    // Both are still there, hidden for a minute.
    scene.wait(|| scene.messages(QUEUE) == (0, 2));
    let unreadable = scene.entries_of("undecodable");
    assert_eq!(unreadable.len(), 2);
    assert!(unreadable[1]["data"]["undecodable"]["error"].as_str().expect("text").contains("Health"));
}

#[test]
fn a_fifo_queue_does_as_well() {
    let queue = "rescind-findings.fifo";
    let scene = scene_with(queue);
    let mut service = watching(&scene);
    let (first, one) = scene.theft(SHOP, "web");
    let (second, two) = scene.theft(BANK, "web");
    scene.event(queue, &one, json!({}));
    scene.event(queue, &two, json!({}));
    service.until(log::REVOKED);
    service.until(log::REVOKED);
    first.is_denied();
    second.is_denied();
}

#[test]
fn a_queue_that_refuses_is_reported_once_and_the_polls_go_on() {
    let scene = scene_with(QUEUE);
    scene.configure("mode = \"enforce\"\npoll_interval = \"5s\"\n");
    let refused = json!({"error": {"code": "AccessDenied", "message": "no", "status": 403}});
    scene.fault("deny", json!({"operation": "ReceiveMessage"}), "before", refused, 0);
    let mut service = Watching::start(&scene, &[]);
    let line = service.until(log::EVENTS_UNREAD);
    assert!(line.contains("sqs:ReceiveMessage"), "{line}");
    // It is asked less and less often: before the fourth time, two seconds pass at least.
    let asked = [(); 3].map(|()| Watching::at(&service.until(log::EVENTS_UNREAD)));
    assert!(asked[2].duration_since(asked[1]).as_secs_f64() >= 2.0, "{asked:?}");
    let (thief, _) = scene.theft(SHOP, "web");
    service.until(log::REVOKED);
    thief.is_denied();
    assert_eq!(scene.entries_of("feed_failed").len(), 1);
    // It goes on by itself.
    scene.delete("faults/deny");
    let (thief, finding) = scene.theft(BANK, "web");
    scene.event(QUEUE, &finding, json!({}));
    service.until(log::REVOKED);
    thief.is_denied();
}

#[test]
fn without_confirmation_an_event_is_believed_and_that_is_shouted_about() {
    let scene = scene_with(QUEUE);
    scene.configure(&format!("{RARELY}confirm = false\n"));
    let mut service = watching(&scene);
    let (thief, finding) = scene.theft(SHOP, "web");
    let before = scene.calls_of("GetFindings").len();
    scene.event(QUEUE, &finding, json!({}));
    service.until(log::REVOKED);
    thief.is_denied();
    assert_eq!(scene.calls_of("GetFindings").len(), before);
    let alert = &scene.entries_of("alert")[0]["data"];
    assert_eq!(alert["code"], "not_confirming");
    assert_eq!(scene.rescind(&["status", "-o", "jsonl"]).json_document()["live"]["confirm"], false);
    assert_eq!(service.stop(), 0);
}

#[test]
fn a_region_that_was_not_named_is_found_and_one_without_guardduty_is_skipped() {
    let mut scene = Scene::with(crate::scene::Setting {
        enabled_regions: vec!["eu-west-3"],
        disabled_regions: vec!["ap-east-1"],
        ..Default::default()
    });
    scene.queue(QUEUE);
    scene.configure(&format!("{RARELY}regions = [\"{HOME}\", \"*\"]\n"));
    let ran = scene.poll_new().code(0);
    assert!(ran.out.contains("skipped") && ran.out.contains("eu-west-3"), "{}", ran.out);
    let watched = scene.entries_of("watching");
    assert_eq!(watched.iter().filter(|entry| entry["region"] == OTHER).count(), 1);
    assert!(!scene.calls().iter().any(|call| call["region"] == "ap-east-1"));
    // One that is named and not enabled is skipped with the reason.
    scene.configure(&format!("{RARELY}regions = [\"{HOME}\", \"ap-east-1\"]\n"));
    scene.poll_new().code(0);
    let skipped = scene.entries_of("region_skipped").pop().expect("recorded");
    assert_eq!(skipped["region"], "ap-east-1");
}

#[test]
fn a_region_that_could_not_be_found_at_the_start_is_found_by_its_event() {
    let mut scene = Scene::new();
    scene.queue(QUEUE);
    scene.configure(&format!("{RARELY}regions = [\"{HOME}\", \"*\"]\n"));
    // What is in the other region is new, though nobody has watched it yet.
    let slow = json!({"error": {"code": "TooManyRequestsException", "message": "slow", "status": 429}});
    scene.fault("slow", json!({"operation": "ListRegions"}), "before", slow, 0);
    let mut service = Watching::start(&scene, &[]);
    service.until(log::REGIONS_UNKNOWN);
    scene.role(SHOP, "web");
    let session = scene.session(SHOP, "web", "i-0123456789abcdef0");
    let finding = scene.report(SHOP, "web", &session, json!({"region": OTHER}));
    scene.event(QUEUE, &finding, json!({"region": OTHER}));
    // It is not taken for forged.
    service.until(log::NOT_CONFIRMED_YET);
    scene.delete("faults/slow");
    service.until(log::REVOKED);
    scene.thief(&session).is_denied();
    assert!(scene.entries_of("unconfirmed").is_empty());
}

#[test]
fn a_region_that_does_not_answer_does_not_hold_up_the_events_of_others() {
    let scene = scene_with(QUEUE);
    let mut service = watching(&scene);
    scene.fault(
        "stuck",
        json!({"operation": "GetFindings", "region": OTHER}),
        "before",
        json!({"hang": true}),
        0,
    );
    scene.role(SHOP, "api");
    let session = scene.session(SHOP, "api", "i-0123456789abcdef0");
    let there = scene.report(SHOP, "api", &session, json!({"region": OTHER}));
    let (thief, here) = scene.theft(SHOP, "web");
    // Both in one receive.
    scene.hold("ReceiveMessage", "before");
    scene.event(QUEUE, &there, json!({"region": OTHER}));
    scene.event(QUEUE, &here, json!({}));
    scene.release("ReceiveMessage");
    service.until(log::REVOKED);
    thief.is_denied();
    scene.wait(|| scene.messages(QUEUE) == (0, 1));
    // And a stop does not wait for it.
    service.stop();
    scene.delete("faults/stuck");
    scene.wait_up_to(SOON, || scene.messages(QUEUE) == (1, 0));
}

#[test]
fn a_claim_that_is_newer_than_what_guardduty_has_is_not_taken_for_the_old_one() {
    let scene = scene_with(QUEUE);
    let mut service = watching(&scene);
    let (thief, finding) = scene.theft(SHOP, "web");
    scene.event(QUEUE, &finding, json!({}));
    service.until(log::REVOKED);
    thief.is_denied();
    let newer = json!({
        "updatedAt": "2027-01-01T00:00:00.000Z",
        "resource": {"accessKeyDetails": {"accessKeyId": "ASIAFORGED0000000001"}},
    });
    scene.event(QUEUE, &finding, json!({"change": newer}));
    service.until(log::UNCONFIRMED);
    let why = scene.entries_of("unconfirmed").pop().expect("recorded")["data"]["why"].clone();
    assert_eq!((&why["code"], &why["field"]), (&json!("differs"), &json!("principal")));
    scene.wait(|| scene.messages(QUEUE) == (0, 0));
    assert_eq!(scene.entries_of("unconfirmed").len(), 1);
}
