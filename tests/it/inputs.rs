//! What comes in other shapes than GuardDuty's own: several documents in a file, Security Hub's findings,
//! and what is no finding at all.

use crate::log;
use crate::scene::{BANK, HOME, SECURITY, SHOP, Scene};
use crate::watching::Watching;
use flate2::{Compression, write::GzEncoder};
use serde_json::{Value, json};
use std::io::Write;
use std::process::Command;

const QUEUE: &str = "rescind-findings";

/// A scene with a queue, that is watched since before anything happened.
fn scene() -> Scene {
    let mut scene = Scene::new();
    scene.queue(QUEUE);
    scene.configure("mode = \"enforce\"\npoll_interval = \"1h\"\n");
    scene.watch();
    scene
}

/// A service whose first polls are done with.
fn watching(scene: &Scene) -> Watching {
    Watching::start(scene, &[]).polled(2)
}

/// A finding as GuardDuty has it.
fn finding(scene: &Scene, id: &str) -> Value {
    let name = format!("dump-{id}");
    scene.post("queues", &json!({"account": SECURITY, "region": HOME, "name": name}));
    scene.event(&name, id, json!({"wrap": "raw"}));
    let state = scene.get(&format!("queues?name={name}"));
    serde_json::from_str(state["messages"][0]["body"].as_str().expect("text")).expect("JSON")
}

/// The same as Security Hub wraps it.
fn asff(account: &str, id: &str) -> Value {
    json!({
        "SchemaVersion": "2018-10-08", "AwsAccountId": account, "Region": HOME,
        "Id": format!("arn:aws:guardduty:{HOME}:{SECURITY}:detector/12abc/finding/{id}"),
        "ProductArn": format!("arn:aws:securityhub:{HOME}::product/aws/guardduty"),
        "GeneratorId": format!("arn:aws:guardduty:{HOME}:{SECURITY}:detector/12abc"),
        "Types": ["TTPs/Effects/UnauthorizedAccess:IAMUser-InstanceCredentialExfiltration.OutsideAWS"],
        "CreatedAt": "2026-11-22T10:00:00.000Z", "UpdatedAt": "2026-11-22T10:00:00.000Z",
        "Severity": {"Label": "HIGH"}, "Title": "t", "Description": "d", "Resources": [],
    })
}

/// The same as Security Hub has it since version 2.
fn ocsf(account: &str, id: &str) -> Value {
    json!({
        "activity_id": 1, "category_uid": 2, "class_uid": 2004, "class_name": "Detection Finding", "type_uid": 200_401,
        "cloud": {"account": {"type_id": 10, "uid": account}, "cloud_partition": "aws", "provider": "AWS", "region": HOME},
        "finding_info": {
            "uid": format!("arn:aws:guardduty:{HOME}:{SECURITY}:detector/12abc/finding/{id}"), "uid_alt": id,
            "title": "t", "types": ["UnauthorizedAccess:IAMUser/InstanceCredentialExfiltration.OutsideAWS"],
            "modified_time": 1_795_341_600_000_u64, "modified_time_dt": "2026-11-22T10:00:00.000Z",
        },
        "metadata": {"version": "1.5.0", "product": {"name": "GuardDuty", "vendor_name": "AWS",
            "uid": format!("arn:aws:securityhub:{HOME}::productv2/aws/guardduty")}},
        "resources": [{"type": "AWS::IAM::AccessKey", "uid": "ASIAEXAMPLEEXAMPLE00"}],
        "severity_id": 4, "status_id": 1, "time": 1_795_341_600_000_u64,
    })
}

fn imported_v2(finding: &Value) -> Value {
    json!({"version": "0", "id": "e2", "detail-type": "Findings Imported V2", "source": "aws.securityhub",
        "account": SECURITY, "time": "2026-11-22T10:00:00Z", "region": HOME, "resources": ["x"], "detail": {"findings": [finding]}})
}

fn imported(findings: &[Value]) -> Value {
    json!({"version": "0", "id": "e", "detail-type": "Security Hub Findings - Imported", "source": "aws.securityhub",
        "account": SECURITY, "time": "2026-11-22T10:00:00Z", "region": HOME, "resources": [], "detail": {"findings": findings}})
}

fn gzipped(text: &str) -> Vec<u8> {
    let mut encoder = GzEncoder::new(Vec::new(), Compression::fast());
    encoder.write_all(text.as_bytes()).expect("written");
    encoder.finish().expect("finished")
}

#[test]
fn documents_one_behind_the_other_are_all_read() {
    let scene = Scene::new();
    let mut thieves = Vec::new();
    let mut findings = Vec::new();
    for (account, role) in [(SHOP, "web"), (BANK, "api"), (SHOP, "batch"), (BANK, "job")] {
        let (thief, id) = scene.theft(account, role);
        findings.push(finding(&scene, &id));
        thieves.push(thief);
    }
    let pretty = |number: usize| serde_json::to_string_pretty(&findings[number]).expect("JSON");
    // As jq prints them, with one that somebody has cut.
    let text = format!("{}\n{}\n{{\n  \"id\": \"cut\",\n{}\n", pretty(0), pretty(1), pretty(1));
    std::fs::write(scene.path("jq.json"), text).expect("written");
    let ran = scene.rescind(&["handle", "jq.json", "-o", "jsonl"]).code(5);
    ran.counts(json!({"revoked": 2, "undecodable": 1}));
    // As Firehose appends them to an object in S3, one gzip member each.
    let members = [gzipped(&findings[2].to_string()), gzipped(&findings[3].to_string())].concat();
    scene.handle(&members).code(0).counts(json!({"revoked": 2}));
    for thief in &thieves {
        thief.is_denied();
    }
}

/// Whoever hands it in has to know that, and nothing more is done.
#[test]
fn a_file_without_a_finding_is_named_each_time_and_nothing_is_done() {
    let scene = Scene::new();
    let cut = |name: &str, id: &str| {
        let whole = gzipped(&json!({"id": id}).to_string());
        std::fs::write(scene.path(name), &whole[..whole.len() - 6]).expect("written");
    };
    cut("a.json.gz", "a");
    cut("b.json.gz", "b");
    for (name, text) in [("c.json", "[]"), ("d.json", r#"{"findings": []}"#)] {
        std::fs::write(scene.path(name), text).expect("written");
    }
    for name in ["a.json.gz", "b.json.gz", "c.json", "d.json", "a.json.gz", "c.json"] {
        scene.rescind(&["handle", name]).code(2).says(name).says("nothing was done");
    }
    assert!(!scene.path("ledger.db").exists());
}

#[test]
fn an_event_of_security_hub_is_a_hint_that_is_asked_about() {
    let scene = scene();
    let mut service = watching(&scene);
    let (thief, id) = scene.theft(SHOP, "web");
    scene.post("messages", &json!({"queue": QUEUE, "body": imported(&[asff(SHOP, &id)])}));
    service.until(log::REVOKED);
    thief.is_denied();
    scene.wait(|| scene.messages(QUEUE) == (0, 0));
    // What is decided about is GuardDuty's own finding.
    let recorded = scene.entries_of("finding").pop().expect("recorded");
    assert_eq!(recorded["data"]["finding"]["principal"]["user_name"], "web");
    assert!(recorded["data"]["finding"].get("pointer").is_none());
    // One that GuardDuty does not have, and one of another account, are not confirmed.
    let unknown = "00000000000000000000000000000000";
    let forgeries = [asff(SHOP, unknown), asff(BANK, &id)].map(|one| imported(&[one]));
    for forged in
        forgeries.into_iter().chain([ocsf(SHOP, unknown), ocsf(BANK, &id)].map(|one| imported_v2(&one)))
    {
        scene.post("messages", &json!({"queue": QUEUE, "body": forged}));
        service.until(log::UNCONFIRMED);
    }
    assert_eq!(scene.entries_of("intent").len(), 1);
}

#[test]
fn one_theft_in_every_form_is_revoked_once() {
    let scene = scene();
    let mut service = watching(&scene);
    let (thief, id) = scene.theft(SHOP, "web");
    let sns = |inner: &Value| json!({"Type": "Notification", "MessageId": "m", "TopicArn": "arn:aws:sns:x:1:t", "Message": inner.to_string()});
    // The newest form comes first: what is acted on is what it points to.
    let forms = [imported_v2(&ocsf(SHOP, &id)), imported(&[asff(SHOP, &id)])];
    scene.post("messages", &json!({"queue": QUEUE, "body": forms[0]}));
    service.until(log::REVOKED);
    thief.is_denied();
    scene.event(QUEUE, &id, json!({}));
    for body in [&forms[0], &forms[1], &sns(&forms[0]), &sns(&forms[1]), &ocsf(SHOP, &id)] {
        scene.post("messages", &json!({"queue": QUEUE, "body": body}));
    }
    scene.wait(|| scene.messages(QUEUE) == (0, 0));
    assert_eq!(service.stop(), 0);
    // The poll has it as well.
    scene.poll_new().code(0);
    for form in [ocsf(SHOP, &id), asff(SHOP, &id)] {
        scene.handle(form.to_string().as_bytes()).code(0).counts(json!({"seen_before": 1}));
    }
    assert_eq!(scene.entries_of("finding").len(), 1);
    assert_eq!(scene.entries_of("decision").len(), 1);
    assert_eq!(scene.entries_of("intent").len(), 1);
    assert_eq!(scene.calls_of("PutRolePolicy").len(), 1);
    assert_eq!(scene.rescind(&["list", "-o", "jsonl"]).code(0).json().len(), 1);
}

#[test]
fn a_finding_of_security_hub_in_a_file_is_asked_about_as_well() {
    let scene = Scene::new();
    let (thief, id) = scene.theft(SHOP, "web");
    std::fs::write(scene.path("hub.json"), asff(SHOP, &id).to_string()).expect("written");
    let planned = scene.rescind(&["plan", "hub.json", "-o", "jsonl"]).code(0).json();
    assert_eq!((planned.len(), &planned[0]["decision"]), (1, &json!("remediate")));
    assert!(scene.entries_of("finding").is_empty());
    // Also with a configuration that believes events: there is nothing in it to believe.
    scene.configure("mode = \"enforce\"\nconfirm = false\n");
    scene.rescind(&["handle", "hub.json", "-o", "jsonl"]).code(0).counts(json!({"revoked": 1}));
    thief.is_denied();
    scene.rescind(&["handle", "hub.json", "-o", "jsonl"]).code(0).counts(json!({"seen_before": 1}));
    let unknown = asff(SHOP, "00000000000000000000000000000000").to_string();
    scene.handle(unknown.as_bytes()).code(5).counts(json!({"unconfirmed": 1})).has_code("not_found");
    scene.rescind_with_input(&["plan", "-"], unknown.as_bytes()).code(5);
}

#[test]
fn a_true_event_that_is_repeated_is_not_asked_about_again() {
    let scene = scene();
    let mut service = watching(&scene);
    let (thief, id) = scene.theft(SHOP, "web");
    scene.event(QUEUE, &id, json!({}));
    service.until(log::REVOKED);
    thief.is_denied();
    let asked = scene.calls_of("GetFindings").len();
    for _ in 0..30 {
        scene.event(QUEUE, &id, json!({}));
    }
    scene.wait(|| scene.messages(QUEUE) == (0, 0));
    assert_eq!(scene.calls_of("GetFindings").len(), asked);
    assert_eq!(scene.entries_of("finding").len(), 1);
}

#[test]
fn a_subscription_that_waits_is_no_healthy_feed() {
    let scene = scene();
    let mut service = watching(&scene);
    let topic = format!("arn:aws:sns:{HOME}:{SECURITY}:findings");
    let waits = json!({"Type": "SubscriptionConfirmation", "MessageId": "m", "Token": "not-to-be-shown", "TopicArn": topic,
        "Message": "You have chosen to subscribe", "SubscribeURL": "https://sns.example/not-to-be-shown"});
    scene.post("messages", &json!({"queue": QUEUE, "body": waits}));
    service.until(log::QUEUE_ALERT);
    let command = format!("aws sns confirm-subscription --topic-arn {topic} --token");
    let status = scene.rescind(&["status"]);
    assert!(status.out.contains(&command), "{}", status.out);
    let picture = scene.rescind(&["-o", "jsonl", "status"]).json().remove(0);
    assert_eq!(picture["unreadable_today"][0]["count"], 1);
    assert_eq!(picture["unreadable_today"][0]["feed"], "SQS rescind-findings");
    let doctor = scene.rescind(&["-o", "jsonl", "doctor"]).code(5).json().remove(0);
    let problems = doctor["problems"].as_array().expect("problems");
    let problem = problems.iter().find(|problem| problem["code"] == "unreadable").expect("a problem");
    assert_eq!((&problem["level"], &problem["place"]), (&json!("problem"), &json!("SQS rescind-findings")));
    let entries = scene.entries();
    let shown =
        [status.out, doctor.to_string(), json!(entries).to_string(), service.lines.join("\n")].concat();
    assert!(!shown.contains("not-to-be-shown"), "the token is nowhere");
}

#[test]
fn another_services_log_in_the_folder_is_one_entry() {
    let mut scene = Scene::new();
    std::fs::create_dir_all(scene.path("exports")).expect("made");
    scene.more_tables.push_str("[folder]\npath = \"exports\"\n");
    scene.configure("mode = \"enforce\"\npoll_interval = \"1h\"\n");
    scene.watch();
    let mut service = watching(&scene);
    let record = json!({"eventVersion": "1.11", "eventName": "GetObject", "eventSource": "s3.amazonaws.com"});
    let log = json!({"Records": vec![record; 2500]});
    std::fs::write(scene.path("exports/trail.json.gz"), gzipped(&log.to_string())).expect("written");
    service.until(log::EXPORT_READ);
    let unreadable = scene.entries_of("undecodable");
    assert_eq!(unreadable.len(), 1);
    let error = unreadable[0]["data"]["undecodable"]["error"].as_str().expect("text");
    assert!(error.starts_with("2500 ") && error.contains("CloudTrail"), "{error}");
    let status = scene.rescind(&["status", "-o", "jsonl"]).json_document();
    assert_eq!(status["unreadable_today"].as_array().map(Vec::len), Some(1));
}

#[test]
fn a_silent_standard_input_can_be_stopped() {
    let scene = Scene::new();
    scene.watch();
    let mut process = scene.spawn(&["handle", "-"]);
    let mut input = process.stdin.take().expect("piped");
    // It has taken up what came, and waits for more.
    for account in [SHOP, BANK] {
        let (_, id) = scene.theft(account, "web");
        input.write_all(format!("{}\n", finding(&scene, &id)).as_bytes()).expect("written");
    }
    scene.wait(|| scene.count("kind = 'decision'") >= 2);
    Command::new("kill").args(["-INT", &process.id().to_string()]).status().expect("kill runs");
    scene.wait(|| process.try_wait().expect("a status").is_some());
    Scene::finish(process).code(130);
    drop(input);
    scene.poll_new().code(0);
}
