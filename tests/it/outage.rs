//! IAM takes no changes: people are notified of what contains a theft without it, and the deny is written when it does.

use crate::proxy::{Fault, Proxy, Which};
use crate::scene::{HOME, SECURITY, SHOP, Scene};
use crate::screens::Transcript;
use crate::watching::Watching;
use serde_json::{Value, json};

const TOPIC: &str = "rescind-on-call";
const SOON: &str = "mode = \"enforce\"\npoll_interval = \"5s\"\nraise_after = \"1s\"\n";

/// A scene with a topic, whose service raises what is not done at once.
fn scene() -> Scene {
    let mut scene = Scene::new();
    let topic = scene.post("topics", &json!({"account": SECURITY, "region": HOME, "name": TOPIC}));
    scene.more_tables =
        format!("[[notify]]\nname = \"mail\"\nsns = {}\ntopics = [\"alert\"]\n", topic["arn"]);
    scene.configure(SOON);
    scene.watch();
    scene
}

fn down() -> Value {
    json!({"error": {"status": 503, "code": "ServiceUnavailable", "message": "down"}})
}

/// The alerts about it: of each whether it is about a remediation, which its end is not.
fn alerts(scene: &Scene) -> Vec<bool> {
    let alerts = scene.entries_of("alert").into_iter();
    let about = alerts.filter(|alert| alert["data"]["code"] == "iam_unchangeable");
    about.map(|alert| alert["remediation"].is_string()).collect()
}

/// What was sent about it.
fn mails(scene: &Scene) -> Vec<String> {
    let sent = scene.get(&format!("topics?name={TOPIC}"))["messages"].as_array().expect("messages").clone();
    let texts = sent.iter().map(|mail| mail["message"].as_str().expect("a text").to_owned());
    texts.filter(|text| text.contains("iam_unchangeable")).collect()
}

fn status(scene: &Scene) -> Value {
    scene.rescind(&["status", "-o", "jsonl"]).json_document()
}

#[test]
fn a_deny_that_cannot_be_written_is_raised_once_with_what_is_regional_and_written_later() {
    let scene = scene();
    scene.fault("iam", json!({"operation": "PutRolePolicy"}), "before", down(), 0);
    let service = Watching::start(&scene, &[]);
    let (thief, _) = scene.theft(SHOP, "web");
    scene.wait(|| !mails(&scene).is_empty());
    let outage = &status(&scene)["outage"];
    assert_eq!((&outage["call"], &outage["waiting"]), (&json!("iam:PutRolePolicy"), &json!(1)), "{outage}");
    assert_eq!(outage["needs_person"], true, "{outage}");
    let mail = mails(&scene).remove(0);
    let isolate = format!("modify-instance-attribute --region {HOME} --instance-id i-0123456789abcdef0");
    assert!(mail.contains(&isolate) && mail.contains(SHOP), "{mail}");
    let statements: Vec<Value> =
        mail.lines().filter_map(|line| serde_json::from_str(line.trim()).ok()).collect();
    let actions: Vec<&Value> = statements.iter().map(|statement| &statement["Action"]).collect();
    assert_eq!(actions, ["s3:*", "kms:*"], "{mail}");
    for statement in &statements {
        assert_eq!((&statement["Effect"], &statement["Principal"]), (&json!("Deny"), &json!("*")));
        let role = format!("arn:aws:iam::{SHOP}:role/web");
        assert_eq!(statement["Condition"]["ArnLike"]["aws:PrincipalArn"], json!([role]));
        let cutoff = statement["Condition"]["DateLessThan"]["aws:TokenIssueTime"].as_str().expect("a time");
        assert!(
            cutoff.parse::<jiff::Timestamp>().is_ok_and(|cutoff| cutoff > jiff::Timestamp::now()),
            "{cutoff}"
        );
    }
    scene.delete("faults/iam");
    scene.wait(|| thief.list_users().is_err());
    scene.wait(|| mails(&scene).len() == 2);
    assert_eq!(alerts(&scene), [true, false]);
    scene.wait(|| status(&scene)["outage"].is_null());
    service.stop();
}

#[test]
fn reads_that_are_not_answered_are_raised_too_and_a_no_is_not() {
    let scene = scene();
    scene.fault(
        "no",
        json!({"operation": "PutRolePolicy"}),
        "before",
        json!({"error": {"status": 403, "code": "AccessDenied"}}),
        0,
    );
    let service = Watching::start(&scene, &[]);
    let _ = scene.theft(SHOP, "web");
    let raised = |code: &str| scene.codes("alert").iter().filter(|one| *one == code).count();
    scene.wait(|| raised("not_revoked") == 1);
    assert_eq!((status(&scene)["outage"].is_null(), raised("iam_unchangeable")), (true, 0));
    scene.fault("iam", json!({"service": "iam"}), "before", json!({"disconnect": true}), 0);
    let _ = scene.theft(SHOP, "api");
    scene.wait(|| !alerts(&scene).is_empty());
    let outage = status(&scene)["outage"].clone();
    assert_eq!((&outage["waiting"], outage["call"] == "iam:PutRolePolicy"), (&json!(1), false), "{outage}");
    let mail =
        scene.entries_of("alert").into_iter().rfind(|alert| alert["data"]["code"] == "iam_unchangeable");
    assert_eq!(mail.expect("an alert")["principal"], "api");
    scene.delete("faults/iam");
    scene.delete("faults/no");
    service.stop();
}

#[test]
fn what_fails_for_one_role_alone_is_no_outage() {
    let scene = scene();
    scene.configure("mode = \"enforce\"\npoll_interval = \"5s\"\n");
    let proxy = Proxy::before(scene.endpoint());
    proxy.always(Which::operation("PutRolePolicy").containing("RoleName=web"), Fault::Status(503));
    let command = scene.command_through(&proxy, &["run", "--log", "debug"]).spawn();
    let service = Watching::of(command.expect("it starts"));
    let _ = scene.theft(SHOP, "web");
    scene.wait(|| status(&scene)["outage"]["waiting"] == 1);
    let incident = scene.entries_of("intent")[0]["remediation"].as_str().expect("an id").to_owned();
    let to_do =
        scene.rescind(&["incident", "show", &incident, "-o", "jsonl"]).json_document()["to_do"].clone();
    assert!(to_do[0].as_str().is_some_and(|line| line.contains(&incident)), "{to_do}");
    let (other, _) = scene.theft(SHOP, "api");
    scene.wait(|| other.list_users().is_err());
    scene.wait(|| status(&scene)["outage"].is_null());
    service.kill();
}

/// The minute is counted from the first call that failed, whichever process made it.
#[cfg(target_os = "linux")]
#[test]
fn it_is_raised_after_a_minute_also_by_another_process_and_not_raised_again_by_a_third() {
    let scene = scene();
    scene.configure("mode = \"enforce\"\npoll_interval = \"5s\"\n");
    let library = crate::starve::preload(&scene);
    scene.fault("iam", json!({"operation": "PutRolePolicy"}), "before", down(), 0);
    let (thief, _) = scene.theft(SHOP, "web");
    scene.rescind(&["run", "--once"]).code(5);
    assert_eq!(status(&scene)["outage"]["needs_person"], false);
    let later = || {
        let mut command = scene.command(&["run", "--log", "debug"]);
        command.env("LD_PRELOAD", &library).env("RESCIND_CLOCK_AHEAD", "61");
        command.stdout(std::process::Stdio::piped()).stderr(std::process::Stdio::piped());
        Watching::of(command.spawn().expect("it starts"))
    };
    let service = later();
    scene.wait(|| !alerts(&scene).is_empty());
    service.stop();
    let service = later();
    scene.delete("faults/iam");
    scene.wait(|| thief.list_users().is_err());
    scene.wait(|| alerts(&scene).last() == Some(&false));
    assert_eq!(alerts(&scene), [true, false]);
    service.stop();
}

#[test]
fn its_screens() {
    let scene = Scene::new();
    scene.fault("iam", json!({"operation": "PutRolePolicy"}), "before", down(), 0);
    let _ = scene.theft(SHOP, "web");
    let mut screens = Transcript::new(&scene);
    scene.poll().code(5);
    let id = scene.entries_of("intent")[0]["remediation"].as_str().expect("an id").to_owned();
    screens.run(&["show", &id]).code(0);
    screens.run(&["status"]).code(5);
    screens.is("outage");
}
