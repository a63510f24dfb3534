//! A queue in each of two regions: one that does not answer holds up neither the other nor the polls.

use crate::log;
use crate::scene::{HOME, OTHER, SECURITY, SHOP, Scene};
use crate::watching::Watching;
use serde_json::{Value, json};

/// The queue of the home region, and that of the other one.
const QUEUES: [(&str, &str); 2] = [(HOME, "rescind-findings"), (OTHER, "rescind-findings-other")];

/// A scene with both queues, which polls once an hour.
fn scene() -> Scene {
    let mut scene = Scene::new();
    let urls = QUEUES.map(|(region, name)| {
        scene.post("queues", &json!({"account": SECURITY, "region": region, "name": name, "fifo": false}));
        format!("https://sqs.{region}.amazonaws.com/{SECURITY}/{name}")
    });
    scene.more_tables = format!("[events]\nqueue = {}\n", json!(urls));
    scene.configure("mode = \"enforce\"\npoll_interval = \"1h\"\n");
    scene.watch();
    scene
}

#[test]
fn each_brings_findings_while_the_other_hangs() {
    for (hanging, name) in [(OTHER, QUEUES[0].1), (HOME, QUEUES[1].1)] {
        let scene = scene();
        let hangs = json!({"service": "sqs", "region": hanging});
        scene.fault("queue", hangs, "before", json!({"hang": true}), 0);
        let mut service = Watching::start(&scene, &[]).polled(2);
        let (thief, finding) = scene.theft(SHOP, "web");
        scene.event(name, &finding, json!({}));
        service.until(log::REVOKED);
        thief.is_denied();
        let seen = scene.entries_of("finding").pop().expect("recorded");
        assert_eq!(seen["data"]["origin"], json!({"feed": "queue", "queue": name}));
        service.kill();
    }
}

#[test]
fn each_has_its_own_health() {
    let scene = scene();
    let refused = json!({"error": {"status": 403, "code": "AccessDenied"}});
    scene.fault(
        "queue",
        json!({"service": "sqs", "region": OTHER, "operation": "ReceiveMessage"}),
        "before",
        refused,
        0,
    );
    let mut service = Watching::start(&scene, &[]).polled(2);
    service.until(log::EVENTS_UNREAD);
    let queues = || -> Vec<Value> {
        let status = scene.rescind(&["status", "-o", "jsonl"]).json_document();
        status["live"]["queues"].as_array().cloned().unwrap_or_default()
    };
    let has_failed = |queue: &Value| !queue["health"]["error"].is_null();
    scene.wait(|| queues().iter().any(has_failed));
    let names: Vec<(Value, bool)> =
        queues().iter().map(|queue| (queue["name"].clone(), has_failed(queue))).collect();
    let name = |number: usize| json!(format!("SQS {}", QUEUES[number].1));
    assert_eq!(names, [(name(0), false), (name(1), true)]);
    service.kill();
}
