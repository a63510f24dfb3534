//! What is held for a person, and what becomes of the answer.

use crate::scene::{BARE, POLICY, SHOP, Scene};
use crate::thief::Thief;
use serde_json::{Value, json};
use std::io::{BufRead, BufReader};

const ASK: &str = "[[rules]]\nname = \"ask first\"\ntypes = [\"UnauthorizedAccess:*\"]\nmode = \"approve\"\n";

fn asking() -> Scene {
    let scene = Scene::new();
    scene.configure(&format!("mode = \"enforce\"\n{ASK}"));
    scene
}

/// A theft that is held. Gives the thief and the remediation.
fn held(scene: &Scene, account: &str) -> (Thief, String) {
    let (thief, finding) = scene.theft(account, "web");
    scene.rescind(&["run", "--once", "--backlog"]).code(5).says("1 held for approval.");
    let decision = scene.entries_of("decision").into_iter().rfind(|e| e["finding"] == json!(finding));
    let id = decision.expect("decided")["remediation"].as_str().expect("an id").to_owned();
    (thief, id)
}

fn state(scene: &Scene, id: &str) -> Value {
    scene.rescind(&["-o", "json", "show", id]).json()[0]["remediation"]["state"].clone()
}

const ANSWER: [&str; 4] = ["--by", "Ada", "--reason", "ticket 4711"];

fn answer<'a>(kind: &'a str, id: &'a str) -> Vec<&'a str> {
    [&[kind, id][..], &ANSWER[..]].concat()
}

#[test]
fn it_is_held_with_everything_needed_to_judge_it_and_carried_out_when_approved() {
    let scene = asking();
    let (thief, id) = held(&scene, SHOP);
    thief.is_allowed();
    assert_eq!(scene.writes(), 0);
    scene
        .rescind(&["show", &id])
        .code(0)
        .says("Held: a person must judge it")
        .says("rule \"ask first\" asks for approval")
        .says("If it is approved: inline policy RescindRevokeOlderSessions of arn:aws:iam::222222222222:role/web")
        .says("  +       \"Action\": \"*\"")
        .says("rightful users of the role are denied everything as well")
        .says(&format!("rescind approve {id} --by NAME --reason TEXT"));
    scene
        .rescind(&answer("approve", &id))
        .code(0)
        .says("approved: role web in 222222222222")
        .says("Nothing acts on this ledger now");
    // To approve is not to act.
    assert_eq!(scene.writes(), 0);
    thief.is_allowed();
    scene.run_once().says("1 revoked");
    thief.is_denied();
    let approved = &scene.entries_of("approved")[0]["data"];
    assert_eq!((&approved["by"], &approved["reason"]), (&json!("Ada"), &json!("ticket 4711")));
    assert!(approved["os_user"].as_str().is_some_and(|user| user.contains("uid ")), "{approved}");
    assert_eq!(approved["judged"], scene.entries_of("proposed")[0]["seq"]);
    scene.rescind(&["show", &id]).says("approved").says("by Ada").says("ticket 4711");
    // Once.
    scene.rescind(&answer("approve", &id)).code(2).says("is simulated, not held");
}

#[test]
fn a_running_service_takes_an_approval_up() {
    let scene = asking();
    let (thief, id) = held(&scene, SHOP);
    // It polls once an hour: what it does in this test is not because of a poll.
    scene.configure(&format!("mode = \"enforce\"\npoll_interval = \"1h\"\n{ASK}"));
    let mut process = scene.spawn(&["run"]);
    let mut lines = BufReader::new(process.stderr.take().expect("piped")).lines();
    let mut until = |text: &str| lines.by_ref().map_while(Result::ok).any(|line| line.contains(text));
    // Its first poll is done with.
    scene.hold("ListFindings", "before");
    scene.release("ListFindings");
    scene.rescind(&answer("approve", &id)).code(0).says("The running service (rescind run, process ");
    assert!(until("approved: taken up"));
    assert!(until("revoked, cutoff"));
    thief.is_denied();
    process.kill().expect("killed");
    process.wait().expect("dead");
}

#[test]
fn what_is_rejected_is_not_carried_out() {
    let scene = asking();
    let (thief, id) = held(&scene, SHOP);
    scene.rescind(&answer("reject", &id)).code(0).says("rejected: role web");
    scene.rescind(&["run", "--once", "--backlog"]).code(5);
    assert_eq!(state(&scene, &id), "rejected");
    assert_eq!(scene.writes(), 0);
    thief.is_allowed();
    // A person can ask for it to be judged again.
    let finding =
        scene.entries_of("finding")[0]["data"]["finding"]["detail"].as_str().expect("kept").to_owned();
    scene.rescind_with_input(&["handle", "-"], finding.as_bytes()).code(5).says("1 held for approval");
    assert_eq!(state(&scene, &id), "held");
    scene.rescind(&answer("approve", &id)).code(0);
    scene.run_once().says("1 revoked");
    thief.is_denied();
}

#[test]
fn when_nobody_answers_it_is_rejected_with_an_alert() {
    let scene = asking();
    let (thief, id) = held(&scene, SHOP);
    // As if the time had passed.
    scene.configure(&format!("mode = \"enforce\"\napproval_timeout = \"1ms\"\n{ASK}"));
    scene.rescind(&answer("approve", &id)).code(2).says("could be answered until");
    scene
        .rescind(&["run", "--once", "--backlog"])
        .code(5)
        .says("ALERT")
        .says("nobody answered in time about the stolen sessions of role web in 222222222222");
    assert_eq!(state(&scene, &id), "rejected");
    assert_eq!(scene.entries_of("rejected")[0]["data"]["by"], "nobody");
    scene.rescind(&["run", "--once", "--backlog"]);
    assert_eq!(scene.entries_of("alert").len(), 1);
    assert_eq!(scene.writes(), 0);
    thief.is_allowed();
}

#[test]
fn when_the_world_has_changed_since_it_is_asked_again() {
    // The role was made again.
    let scene = asking();
    let (_, id) = held(&scene, SHOP);
    Thief::operator(&scene, SHOP).delete_role("web");
    scene.role(SHOP, "web");
    scene.rescind(&answer("approve", &id)).code(0);
    scene.rescind(&["run", "--once", "--backlog"]).code(5).says("the role was made again");
    assert_eq!(scene.calls_of("PutRolePolicy").len(), 0);

    // Somebody wrote the policy meanwhile.
    let scene = asking();
    let (thief, id) = held(&scene, SHOP);
    let theirs = r#"{"Version":"2012-10-17","Statement":[{"Sid":"Theirs","Effect":"Deny","Action":"s3:*","Resource":"*"}]}"#;
    Thief::operator(&scene, SHOP).put_role_policy("web", POLICY, theirs).expect("written");
    scene.rescind(&answer("approve", &id)).code(0);
    scene
        .rescind(&["run", "--once", "--backlog"])
        .code(5)
        .says("since it was judged the policy RescindRevokeOlderSessions on the role has changed");
    assert_eq!(state(&scene, &id), "held");
    thief.is_allowed();
    scene.rescind(&["show", &id]).says("since it was judged").says("  -       \"Sid\": \"Theirs\"");
    scene.rescind(&answer("approve", &id)).code(0);
    scene.run_once().says("1 revoked");
    thief.is_denied();

    // An opt-out came.
    let scene = asking();
    let (thief, id) = held(&scene, SHOP);
    let opt_out = format!(
        "[[opt_out]]\nname = \"freeze\"\nowner = \"o\"\nreason = \"r\"\naccounts = [\"{SHOP}\"]\nmode = \"off\"\npermanent = true\n"
    );
    std::fs::write(scene.path("opt-outs.toml"), opt_out).expect("written");
    scene.rescind(&answer("approve", &id)).code(0);
    scene
        .rescind(&["run", "--once", "--backlog"])
        .code(5)
        .says("opt-out \"freeze\" (\"o\" answers for it) says off");
    assert_eq!(state(&scene, &id), "held");
    assert_eq!(scene.writes(), 0);
    thief.is_allowed();
}

#[test]
fn what_cannot_be_looked_at_is_held_and_says_so() {
    let scene = asking();
    let (_, id) = held(&scene, BARE);
    scene.rescind(&["show", &id]).code(0).says("could not be looked at: the account cannot be entered");
    scene.rescind(&answer("approve", &id)).code(0);
    scene.rescind(&["run", "--once", "--backlog"]).code(5);
    assert_eq!(state(&scene, &id), "blocked");
}

#[test]
fn more_activity_belongs_to_what_is_held_and_what_may_be_enforced_does_not_wait() {
    let scene = Scene::new();
    let inside = "UnauthorizedAccess:IAMUser/InstanceCredentialExfiltration.InsideAWS";
    scene.role(SHOP, "web");
    let session = scene.session(SHOP, "web", "i-0123456789abcdef0");
    scene.report(SHOP, "web", &session, json!({"type": inside}));
    scene.rescind(&["run", "--once", "--backlog"]).code(5).says("1 held for approval.");
    let again = scene.report(SHOP, "web", &session, json!({"type": inside}));
    scene.rescind(&["run", "--once", "--backlog"]).code(5);
    assert_eq!(scene.decision(&again)["code"], "awaiting_approval");
    // The same role, used from outside AWS: that is for no person to wait for.
    let outside = scene.report(SHOP, "web", &session, json!({}));
    scene.rescind(&["run", "--once", "--backlog"]).code(5).says("1 revoked");
    assert_eq!(scene.decision(&outside)["verdict"], "remediate");
    scene.thief(&session).is_denied();
}

#[test]
fn a_crash_while_it_is_being_looked_at_is_made_good() {
    let scene = asking();
    let (_, finding) = scene.theft(SHOP, "web");
    scene.kill_at("GetRolePolicy", "before");
    assert!(scene.entries_of("proposed").is_empty());
    scene.rescind(&["run", "--once", "--backlog"]).code(5);
    assert_eq!(scene.entries_of("proposed").len(), 1);
    assert_eq!(scene.decision(&finding)["verdict"], "hold");
}

#[test]
fn the_answer_says_who_and_why() {
    let scene = asking();
    let (_, id) = held(&scene, SHOP);
    scene.rescind(&["approve", &id, "--by", "Ada"]).code(2).says("--reason");
    scene.rescind(&["approve", &id, "--by", " ", "--reason", "x"]).code(2).says("expected a text");
    scene
        .rescind(&["approve", "r-nothing", "--by", "a", "--reason", "x"])
        .code(2)
        .says("no remediation matches");
    scene.rescind(&[&answer("reject", &id)[..], &["--aws-identity"]].concat()).code(0);
    let rejected = &scene.entries_of("rejected")[0]["data"];
    assert_eq!(rejected["aws_identity"], "arn:aws:sts::111111111111:assumed-role/RescindHub/rescind");
}
