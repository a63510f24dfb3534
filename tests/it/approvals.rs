//! What is held for a person, and what becomes of the answer.

use crate::log;
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
    scene.poll().code(5).counts(json!({"held": 1}));
    let decision = scene.entries_of("decision").into_iter().rfind(|e| e["finding"] == json!(finding));
    let id = decision.expect("decided")["remediation"].as_str().expect("an id").to_owned();
    (thief, id)
}

fn state(scene: &Scene, id: &str) -> Value {
    scene.rescind(&["-o", "jsonl", "show", id]).json()[0]["remediation"]["state"].clone()
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
    let shown = scene.shown(&id);
    assert_eq!(
        (&shown["remediation"]["state"], &shown["remediation"]["held_code"]),
        (&json!("held"), &json!("rule_approve"))
    );
    assert_eq!(shown["remediation"]["rule"], "ask first");
    let proposal = &shown["proposal"];
    assert_eq!(
        (&proposal["arn"], &proposal["policy_name"]),
        (&json!("arn:aws:iam::222222222222:role/web"), &json!(POLICY))
    );
    assert_eq!(proposal["before"], Value::Null);
    assert!(proposal["after"].as_str().is_some_and(|text| text.contains("\"Action\":\"*\"")), "{proposal}");
    scene.rescind(&answer("approve", &id)).code(0);
    // To approve is not to act.
    assert_eq!(scene.writes(), 0);
    thief.is_allowed();
    scene.run_once().counts(json!({"revoked": 1, "seen_before": 1}));
    thief.is_denied();
    let approved = &scene.entries_of("approved")[0]["data"];
    assert_eq!((&approved["by"], &approved["reason"]), (&json!("Ada"), &json!("ticket 4711")));
    assert!(approved["os_user"].as_str().is_some_and(|user| user.contains("uid ")), "{approved}");
    assert_eq!(approved["judged"], scene.entries_of("proposed")[0]["seq"]);
    assert_eq!(scene.shown(&id)["remediation"]["answer"]["by"], "Ada");
    // Once.
    scene.rescind(&answer("approve", &id)).code(2);
    assert_eq!(scene.entries_of("approved").len(), 1);
}

#[test]
fn a_running_service_takes_an_approval_up() {
    let scene = asking();
    let (thief, id) = held(&scene, SHOP);
    // It polls once an hour: what it does in this test is not because of a poll.
    scene.configure(&format!("mode = \"enforce\"\npoll_interval = \"1h\"\n{ASK}"));
    scene.hold("ListFindings", "before");
    let mut process = scene.spawn(&["run"]);
    let mut lines = BufReader::new(process.stderr.take().expect("piped")).lines();
    let mut until = |text: &str| lines.by_ref().map_while(Result::ok).any(|line| line.contains(text));
    // It polls: what was answered before its start, it would take up without a word about it.
    scene.held("ListFindings");
    scene.release("ListFindings");
    scene.rescind(&answer("approve", &id)).code(0).says(&process.id().to_string());
    assert!(until(crate::log::TAKEN_UP));
    assert!(until(log::REVOKED));
    thief.is_denied();
    process.kill().expect("killed");
    process.wait().expect("dead");
}

#[test]
fn what_is_rejected_is_not_carried_out() {
    let scene = asking();
    let (thief, id) = held(&scene, SHOP);
    scene.rescind(&answer("reject", &id)).code(0);
    scene.poll().code(0);
    assert_eq!(state(&scene, &id), "rejected");
    assert_eq!(scene.writes(), 0);
    thief.is_allowed();
    // A person can ask for it to be judged again.
    let finding = scene.rescind(&["show", "--finding", &id]).code(0).out;
    scene.handle(finding.as_bytes()).code(5).counts(json!({"held": 1, "seen_before": 1}));
    assert_eq!(state(&scene, &id), "held");
    scene.rescind(&answer("approve", &id)).code(0);
    scene.run_once().counts(json!({"revoked": 1, "seen_before": 1}));
    thief.is_denied();
}

#[test]
fn when_nobody_answers_it_is_rejected_with_an_alert() {
    let scene = asking();
    let (thief, id) = held(&scene, SHOP);
    // As if the time had passed.
    scene.configure(&format!("mode = \"enforce\"\napproval_timeout = \"1ms\"\n{ASK}"));
    scene.rescind(&["show", &id]).code(0);
    scene.poll().code(5).has_code("nobody_answered");
    assert_eq!(state(&scene, &id), "rejected");
    assert_eq!(scene.entries_of("rejected")[0]["data"]["by"], "nobody");
    scene.poll();
    assert_eq!(scene.entries_of("alert").len(), 1);
    assert_eq!(scene.writes(), 0);
    thief.is_allowed();
    // A late answer is better than none.
    scene.rescind(&answer("approve", &id)).code(0);
    scene.run_once().counts(json!({"revoked": 1, "seen_before": 1}));
    thief.is_denied();
}

#[test]
fn when_the_world_has_changed_since_it_is_asked_again() {
    // The role was made again.
    let scene = asking();
    let (_, id) = held(&scene, SHOP);
    Thief::operator(&scene, SHOP).delete_role("web");
    scene.role(SHOP, "web");
    scene.rescind(&answer("approve", &id)).code(0);
    scene.poll().code(5);
    assert_eq!(scene.codes("refused"), ["role_recreated"]);
    assert_eq!(scene.calls_of("PutRolePolicy").len(), 0);

    // An opt-out came.
    let scene = asking();
    let (thief, id) = held(&scene, SHOP);
    let opt_out = format!(
        "[[opt_out]]\nname = \"freeze\"\nowner = \"o\"\nreason = \"r\"\naccounts = [\"{SHOP}\"]\nmode = \"off\"\npermanent = true\n"
    );
    std::fs::write(scene.path("opt-outs.toml"), opt_out).expect("written");
    scene.rescind(&answer("approve", &id)).code(0);
    scene.poll().code(5);
    assert_eq!(scene.codes("reheld"), ["opted_out"]);
    assert_eq!(state(&scene, &id), "held");
    assert_eq!(scene.writes(), 0);
    thief.is_allowed();
    // An answer that came to nothing is raised, each time.
    let returns = |scene: &Scene| {
        scene.entries_of("alert").iter().filter(|alert| alert["data"]["code"] == "reheld").count()
    };
    assert_eq!(returns(&scene), 1);
    scene.rescind(&answer("approve", &id)).code(0);
    scene.poll().code(5).has_code("reheld");
    assert_eq!(returns(&scene), 2);
}

/// The name is ours: whoever writes under it cannot take an answer back.
#[test]
fn a_thief_who_writes_under_our_name_cannot_veto_an_approval() {
    let scene = asking();
    let (thief, id) = held(&scene, SHOP);
    let allow = r#"{"Version":"2012-10-17","Statement":[{"Effect":"Allow","Action":"*","Resource":"*"}]}"#;
    thief.put_role_policy("web", POLICY, allow).expect("the role may");
    scene.rescind(&answer("approve", &id)).code(0);
    scene
        .poll()
        .code(5)
        .counts(json!({"alerts": 1, "revoked": 1, "seen_before": 1}))
        .has_code("foreign_policy");
    thief.is_denied();
    assert!(scene.entries_of("reheld").is_empty());
    // What he wrote is in the record.
    assert_eq!(scene.entries_of("intent")[0]["data"]["change"]["before"], allow);
}

#[test]
fn what_cannot_be_looked_at_is_held_and_says_so() {
    let scene = asking();
    let (_, id) = held(&scene, BARE);
    let proposed = scene.entries_of("proposed").remove(0);
    assert!(proposed["data"]["problem"].is_string() && proposed["data"]["change"].is_null(), "{proposed}");
    scene.rescind(&answer("approve", &id)).code(0);
    scene.poll().code(5);
    assert_eq!(state(&scene, &id), "blocked");
}

#[test]
fn more_activity_belongs_to_what_is_held_and_what_may_be_enforced_does_not_wait() {
    let scene = Scene::new();
    let inside = "UnauthorizedAccess:IAMUser/InstanceCredentialExfiltration.InsideAWS";
    scene.role(SHOP, "web");
    let session = scene.session(SHOP, "web", "i-0123456789abcdef0");
    scene.report(SHOP, "web", &session, json!({"type": inside}));
    scene.poll().code(5).counts(json!({"held": 1}));
    let again = scene.report(SHOP, "web", &session, json!({"type": inside}));
    scene.poll().code(5);
    assert_eq!(scene.decision(&again)["code"], "awaiting_approval");
    // The same role, used from outside AWS: that is for no person to wait for.
    let outside = scene.report(SHOP, "web", &session, json!({}));
    scene.poll().code(5).counts(json!({"held": 2, "revoked": 1, "seen_before": 2}));
    assert_eq!(scene.decision(&outside)["verdict"], "remediate");
    scene.thief(&session).is_denied();
}

#[test]
fn a_crash_while_it_is_being_looked_at_is_made_good() {
    let scene = asking();
    let (_, finding) = scene.theft(SHOP, "web");
    scene.kill_at("GetRolePolicy", "before");
    assert!(scene.entries_of("proposed").is_empty());
    scene.poll().code(5);
    assert_eq!(scene.entries_of("proposed").len(), 1);
    assert_eq!(scene.decision(&finding)["verdict"], "hold");
}

#[test]
fn the_answer_says_who_and_why() {
    let scene = asking();
    let (_, id) = held(&scene, SHOP);
    scene.rescind(&["approve", &id, "--by", "Ada"]).code(2).says("--reason");
    scene.rescind(&["approve", &id, "--by", " ", "--reason", "x"]).code(2).says("--by");
    scene
        .rescind(&["approve", "r-000000000000", "--by", "a", "--reason", "x"])
        .code(2)
        .says("r-000000000000");
    scene.rescind(&[&answer("reject", &id)[..], &["--aws-identity"]].concat()).code(0);
    let rejected = &scene.entries_of("rejected")[0]["data"];
    assert_eq!(rejected["aws_identity"], "arn:aws:sts::111111111111:assumed-role/RescindHub/rescind");
}

/// What each remediation is.
fn states(scene: &Scene) -> Vec<String> {
    let list = scene.rescind(&["-o", "jsonl", "list"]).json();
    list.iter().map(|r| r["state"].as_str().expect("a state").to_owned()).collect()
}

#[test]
fn what_another_rule_is_for_is_asked_about_on_its_own() {
    let scene = Scene::new();
    scene.configure("mode = \"approve\"\n");
    let inside = "UnauthorizedAccess:IAMUser/InstanceCredentialExfiltration.InsideAWS";
    scene.role(SHOP, "web");
    let one = scene.session(SHOP, "web", "i-0aaaaaaaaaaaaaaaa");
    let other = scene.session(SHOP, "web", "i-0bbbbbbbbbbbbbbbb");
    scene.report(SHOP, "web", &one, json!({"type": inside}));
    scene.poll().code(5).counts(json!({"held": 1}));
    scene.report(SHOP, "web", &other, json!({}));
    scene.poll().code(5);
    assert_eq!(states(&scene), ["held", "held"]);
    // The same again belongs to what is held, and is shown to whoever judges it.
    let more = scene.report(SHOP, "web", &one, json!({}));
    scene.poll().code(5);
    assert_eq!(scene.decision(&more)["code"], "awaiting_approval");
    let id = scene.decision(&more)["covered_by"].as_str().expect("an id").to_owned();
    let attached = scene.shown(&id)["attached"].clone();
    assert_eq!((attached.as_array().map(Vec::len), &attached[0]["id"]), (Some(1), &json!(more)));
    // To reject the harmless one leaves the other as it is; to approve one makes the other needless.
    let list = scene.rescind(&["-o", "jsonl", "list"]).json();
    let first = list[0]["remediation"].as_str().expect("an id").to_owned();
    scene.rescind(&answer("reject", &first)).code(0);
    scene.rescind(&answer("approve", &id)).code(0);
    scene.run_once();
    assert_eq!(states(&scene), ["rejected", "revoked"]);
    scene.thief(&other).is_denied();
}

#[test]
fn what_another_remediation_has_revoked_meanwhile_needs_no_answer() {
    let scene = Scene::new();
    let inside = "UnauthorizedAccess:IAMUser/InstanceCredentialExfiltration.InsideAWS";
    scene.role(SHOP, "web");
    let session = scene.session(SHOP, "web", "i-0123456789abcdef0");
    scene.report(SHOP, "web", &session, json!({"type": inside}));
    scene.poll().code(5).counts(json!({"held": 1}));
    scene.report(SHOP, "web", &session, json!({}));
    scene.poll().counts(json!({"held": 1, "revoked": 1, "seen_before": 1}));
    scene.configure("mode = \"enforce\"\napproval_timeout = \"1ms\"\n");
    scene.poll().code(0);
    assert_eq!(states(&scene), ["superseded", "revoked"]);
    assert!(scene.entries_of("alert").is_empty());
    // But when somebody takes the deny away, a person can have it done all the same.
    Thief::operator(&scene, SHOP).delete_role_policy("web", POLICY).expect("deleted");
    scene.thief(&session).is_allowed();
    let list = scene.rescind(&["-o", "jsonl", "list"]).json();
    let id = list[0]["remediation"].as_str().expect("an id");
    scene.configure("mode = \"enforce\"\n");
    scene.rescind(&answer("approve", id)).code(0);
    scene.poll().counts(json!({"revoked": 1, "seen_before": 2}));
    scene.thief(&session).is_denied();
}

#[test]
fn what_could_not_be_looked_at_is_looked_at_again() {
    let scene = asking();
    let error = json!({"error": {"status": 403, "code": "AccessDenied", "message": "no"}});
    scene.post("faults", &json!({"name": "f", "match": {"operation": "AssumeRole"}, "when": "before", "times": 0, "action": error}));
    let (thief, id) = held(&scene, SHOP);
    assert_eq!(scene.shown(&id)["proposal"], Value::Null);
    scene.delete("faults/f");
    scene.poll_new().code(5);
    assert_eq!(scene.shown(&id)["proposal"]["policy_name"], POLICY);
    scene.rescind(&answer("approve", &id)).code(0);
    scene.run_once().counts(json!({"revoked": 1, "seen_before": 1}));
    thief.is_denied();
}

#[test]
fn an_approved_change_that_somebody_fights_is_made_again() {
    let scene = asking();
    let (thief, id) = held(&scene, SHOP);
    scene.rescind(&answer("approve", &id)).code(0);
    scene.hold("PutRolePolicy", "after");
    let process = scene.spawn(&["run", "--once", "--backlog", "-o", "jsonl"]);
    scene.held("PutRolePolicy");
    let theirs = r#"{"Version":"2012-10-17","Statement":[{"Sid":"Theirs","Effect":"Allow","Action":"s3:*","Resource":"*"}]}"#;
    Thief::operator(&scene, SHOP).put_role_policy("web", POLICY, theirs).expect("written");
    scene.release("PutRolePolicy");
    Scene::finish(process).code(5).has_code("deny_not_kept");
    assert_eq!(state(&scene, &id), "revoked");
    thief.is_denied();
}

#[test]
fn an_approval_is_used_once() {
    let scene = asking();
    let (_, id) = held(&scene, SHOP);
    Thief::operator(&scene, SHOP).delete_role("web");
    scene.rescind(&answer("approve", &id)).code(0);
    scene.poll().code(5);
    assert_eq!(state(&scene, &id), "failed");
    let finding = scene.rescind(&["show", "--finding", &id]).code(0).out;
    scene.handle(finding.as_bytes()).code(5).counts(json!({"held": 1, "seen_before": 1}));
    assert_eq!(state(&scene, &id), "held");
}

#[test]
fn who_rejected_can_think_better_of_it() {
    let scene = asking();
    let (thief, id) = held(&scene, SHOP);
    scene.rescind(&answer("reject", &id)).code(0);
    // A person has said that it is all right: that is no reason to call another one.
    scene.poll().code(0);
    scene.rescind(&answer("approve", &id)).code(0);
    scene.run_once().counts(json!({"revoked": 1, "seen_before": 1}));
    thief.is_denied();
}

#[test]
fn where_one_of_two_was_answered_meanwhile_the_other_answer_is_reported_as_recorded() {
    let scene = asking();
    let _ = (scene.theft(SHOP, "web"), scene.theft(SHOP, "cards"));
    scene.poll().code(5);
    let id = |role: &str| {
        let all = scene.rescind(&["list", "-o", "jsonl"]).json();
        let one = all.iter().find(|one| one["principal"] == role).expect("one");
        one["remediation"].as_str().expect("an id").to_owned()
    };
    let (web, cards) = (id("web"), id("cards"));
    scene.hold("GetCallerIdentity", "before");
    let args = ["approve", &web, &cards, "--by", "Ada", "--reason", "sure", "--aws-identity", "-o", "jsonl"];
    let process = scene.spawn(&args);
    scene.held("GetCallerIdentity");
    scene.rescind(&answer("reject", &cards)).code(0);
    scene.release("GetCallerIdentity");
    let ran = Scene::finish(process).code(5);
    let recorded: Vec<Value> = ran.json();
    assert_eq!((&recorded[0]["remediation"], &recorded[0]["approved"]["by"]), (&json!(web), &json!("Ada")));
    assert!(
        recorded[1]["remediation"] == cards.as_str() && recorded[1]["refused"].is_string(),
        "{recorded:?}"
    );
    assert_eq!((state(&scene, &web), state(&scene, &cards)), (json!("approved"), json!("rejected")));
}

#[test]
fn nothing_is_approved_by_accident() {
    let scene = asking();
    let (thief, id) = held(&scene, SHOP);
    for wrong in ["", "r", "r-", &id[..3], &id[..9], "web"] {
        scene.rescind(&answer("approve", wrong)).code(2);
        assert!(scene.entries_of("approved").is_empty(), "{wrong}");
        // Each command that takes an id takes the same ones.
        scene.rescind(&answer("release", wrong)).code(2).says("expected");
        for looks in [
            &["impact", wrong][..],
            &["show", wrong],
            &["explain", wrong],
            &["report", "--remediation", wrong],
        ] {
            scene.rescind(looks).code(2);
        }
    }
    // One that is wrong: none is answered.
    scene.rescind(&[&["approve", &id, "r-000000000000"], &ANSWER[..]].concat()).code(2);
    assert!(scene.entries_of("approved").is_empty());
    scene.rescind(&[&["approve", &id, &id[..10], &id], &ANSWER[..]].concat()).code(0);
    assert_eq!(scene.entries_of("approved").len(), 1);
    scene.run_once();
    thief.is_denied();
}

#[test]
fn a_broken_file_of_opt_outs_keeps_nobody_from_looking_and_answering() {
    let scene = asking();
    let (_, id) = held(&scene, SHOP);
    std::fs::write(scene.path("opt-outs.toml"), "[[opt_out]\n").expect("written");
    for args in [&["show", &id][..], &["list"], &["list", "--decisions"], &["explain", &id]] {
        scene.rescind(args).code(0);
    }
    scene.rescind(&answer("reject", &id)).code(0);
    scene.poll_new().code(2).says("opt-outs.toml:1:");
}
