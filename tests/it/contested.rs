//! A deny that somebody takes away again and again: it is put back each time, it is not called revoked, and the
//! figures say how long it was in force.

use crate::scene::{HOME, POLICY, SECURITY, SHOP, Scene, python};
use crate::service::{address, ask};
use crate::thief::Thief;
use crate::watching::Watching;
use serde_json::{Value, json};
use std::path::Path;
use std::process::Command;

/// The only remediation, as `list` has it; null while there is none.
fn listed(scene: &Scene) -> Value {
    scene.rescind(&["list", "-o", "jsonl"]).code(0).json().pop().unwrap_or_default()
}

/// A service with a channel that gets every message, and with these keys.
fn watched(keys: &str) -> (Scene, Watching) {
    let mut scene = Scene::new();
    let topic =
        scene.post("topics", &json!({"account": SECURITY, "region": HOME, "name": "rescind-on-call"}));
    scene.more_tables = format!("[[notify]]\nname = \"mail\"\nsns = {}\n", topic["arn"]);
    scene.configure(&format!("mode = \"enforce\"\npoll_interval = \"5s\"\n{keys}"));
    scene.watch();
    let service = Watching::start(&scene, &[]);
    (scene, service)
}

/// The topics of the messages that were sent, in order.
fn messages(scene: &Scene) -> Vec<String> {
    let topic = scene.get("topics?name=rescind-on-call");
    let sent = topic["messages"].as_array().expect("messages").iter();
    sent.map(|message| {
        let sqs = message["structure"]["sqs"].as_str().expect("for programs");
        let notice: Value = serde_json::from_str(sqs).expect("JSON");
        notice["topic"].as_str().expect("a topic").to_owned()
    })
    .collect()
}

/// Takes the deny away as soon as it is there, so often.
fn take_away(scene: &Scene, thief: &Thief, times: usize) {
    let operator = Thief::operator(scene, SHOP);
    for _ in 0..times {
        scene.wait(|| scene.policy_on(SHOP, "web").is_some());
        operator.delete_role_policy("web", POLICY).expect("deleted");
        thief.is_allowed();
    }
}

#[test]
fn it_is_contested_from_the_second_removal_on_and_revoked_again_when_it_stays() {
    let (scene, mut service) = watched("quarantine = \"0s\"\nlisten = \"127.0.0.1:0\"\n");
    let url = address(&mut service);
    let is_measured = |line: &str| ask(&format!("{url}/metrics")).1.lines().any(|one| one == line);
    let (thief, _) = scene.theft(SHOP, "web");
    scene.wait(|| !messages(&scene).is_empty());
    take_away(&scene, &thief, 3);
    scene.wait(|| listed(&scene)["state"] == "contested");
    // It is put back, also now.
    scene.wait(|| scene.policy_on(SHOP, "web").is_some());
    scene.wait(|| thief.list_users() == Err("AccessDenied".to_owned()));
    let contested = scene.entries_of("contested").remove(0);
    assert!(contested["data"]["removals"].as_i64() >= Some(2), "{contested}");
    scene.wait(|| is_measured("rescind_denies_contested 1"));
    assert!(!is_measured("rescind_deny_gaps 0"));
    // One alert a minute, however often it is taken away.
    assert_eq!(scene.codes("alert").iter().filter(|code| *code == "contested").count(), 1);
    // It was called revoked at first, and at most once more, after the first removal.
    let revoked = || messages(&scene).iter().filter(|topic| *topic == "revoked").count();
    let before = revoked();
    assert!((1..=2).contains(&before), "{before}");
    // It stays for long enough.
    scene.wait(|| listed(&scene)["proof"] != Value::Null);
    scene.advance_clock(130);
    scene.wait(|| listed(&scene)["state"] == "revoked");
    scene.wait(|| revoked() == before + 1);
    assert_eq!(scene.entries_of("settled").len(), 1);
    scene.wait(|| is_measured("rescind_denies_contested 0"));
    assert_eq!(service.stop(), 0);
    scene.rescind(&["ledger", "verify"]).code(0);
    scene.rescind(&["ledger", "rebuild", "--check"]).code(0);
}

/// It must stay for as long as the quarantine beside it would, and the quarantine goes on until then.
#[test]
fn how_long_it_must_stay_is_configured() {
    let (scene, service) = watched("quarantine = \"5m\"\n");
    let (thief, _) = scene.theft(SHOP, "web");
    let operator = Thief::operator(&scene, SHOP);
    for _ in 0..2 {
        scene.wait(|| scene.policy_on(SHOP, "web").is_some());
        operator.delete_role_policy("web", POLICY).expect("deleted");
        scene.wait(|| scene.policy_on(SHOP, "web").is_some());
    }
    scene.wait(|| listed(&scene)["state"] == "contested" && listed(&scene)["proof"] != Value::Null);
    scene.advance_clock(130);
    let looks = || scene.calls_of("GetRolePolicy").len();
    let before = looks();
    scene.wait(|| looks() > before + 1);
    assert_eq!(listed(&scene)["state"], "contested");
    assert!(scene.entries_of("settled").is_empty() && scene.entries_of("lifted").is_empty());
    scene.advance_clock(200);
    scene.wait(|| listed(&scene)["state"] == "revoked");
    let settled = scene.entries_of("settled").remove(0);
    assert!(settled["data"]["seconds"].as_i64() >= Some(300), "{settled}");
    scene.wait(|| !scene.entries_of("lifted").is_empty());
    thief.is_denied();
    assert_eq!(service.stop(), 0);
}

#[test]
fn one_removal_is_no_contest() {
    let (scene, service) = watched("");
    let (thief, _) = scene.theft(SHOP, "web");
    scene.wait(|| !messages(&scene).is_empty());
    take_away(&scene, &thief, 1);
    scene.wait(|| thief.list_users() == Err("AccessDenied".to_owned()));
    scene.wait(|| listed(&scene)["state"] == "revoked");
    assert!(scene.entries_of("contested").is_empty());
    assert_eq!(scene.entries_of("drift").len(), 1);
    let drift = scene.entries_of("drift").remove(0);
    assert!(drift["data"]["seen_in_place"].is_string(), "{drift}");
    assert_eq!(service.stop(), 0);
}

/// AWS says yes, and nothing is there: nobody calls that revoked.
#[test]
fn what_is_never_kept_is_contested_and_tried_again_at_once() {
    let (scene, service) = watched("");
    scene.post("switches", &json!({"put_role_policy_ignored": true}));
    let (thief, _) = scene.theft(SHOP, "web");
    scene.wait(|| scene.entries_of("intent").len() > 4);
    thief.is_allowed();
    assert!(!messages(&scene).contains(&"revoked".to_owned()));
    scene.post("switches", &json!({"put_role_policy_ignored": false}));
    scene.wait(|| thief.list_users() == Err("AccessDenied".to_owned()));
    scene.wait(|| listed(&scene)["proof"] != Value::Null);
    assert_eq!(listed(&scene)["state"], "contested");
    assert_eq!(service.stop(), 0);
}

/// IAM enforces a change four seconds late, and a thief with rights in IAM takes the deny away in these seconds: he
/// is not called contained, and the figures say for how long the deny was there.
#[test]
fn a_thief_who_uses_the_seconds_before_iam_enforces_the_deny_is_not_called_contained() {
    let (scene, service) = watched("");
    scene.post("switches", &json!({"iam_spread_seconds": 4}));
    scene.role(SHOP, "web");
    let session = scene.session(SHOP, "web", "i-0123456789abcdef0");
    let log = scene.path("thief.jsonl");
    let credentials = session.to_string();
    let log_name = log.display().to_string();
    let args = ["-m", "adversary", "--endpoint", scene.endpoint(), "--credentials", &credentials];
    let mut thief = Command::new(python())
        .args(args)
        .args(["--account", SHOP, "--region", HOME, "--seed", "1", "--log", &log_name])
        .current_dir(Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/emulator"))
        .spawn()
        .expect("the adversary runs");
    scene.report(SHOP, "web", &session, json!({}));
    scene.wait(|| listed(&scene)["state"] == "contested");
    scene.wait(|| scene.entries_of("drift").len() >= 4);
    let report = scene.rescind(&["report", "-o", "json"]).code(0).json_document();
    thief.kill().expect("killed");
    thief.wait().expect("dead");
    let removed = std::fs::read_to_string(&log).expect("a log").matches("\"removed\"").count();
    assert!(removed >= 2, "{removed}: then the test is about nothing");
    // Nothing calls it revoked from the second removal on.
    let topics = messages(&scene);
    let contested = topics.iter().filter(|topic| *topic == "revoked").count();
    assert!(contested <= 2, "{topics:?}");
    assert_eq!(scene.codes("alert").iter().filter(|code| *code == "contested").count(), 1);
    let incident = &report["remediations"][0];
    assert_eq!(incident["acted"], false);
    let of = |name: &str| incident["in_force"][name].as_f64().expect("seconds");
    assert!(of("seconds") < of("of_seconds"), "{incident}");
    assert!(incident["in_force"]["gaps"].as_array().is_some_and(|gaps| gaps.len() >= 2), "{incident}");
    assert_eq!(report["summary"]["in_force"]["remediations"], 1);
    assert_eq!(report["summary"]["acted"], 0);
    assert_eq!(service.stop(), 0);
    scene.rescind(&["ledger", "verify"]).code(0);
}
