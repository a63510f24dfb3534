//! We say only what we saw, also when AWS lies.

use crate::scene::{BANK, SHOP, Scene};
use serde_json::json;

#[test]
fn a_simulator_that_allows_the_old_token() {
    let scene = Scene::new();
    let _ = scene.theft(SHOP, "web");
    scene.post("switches", &json!({"simulator_lies": "allow_all"}));
    scene.poll().code(5).counts(json!({"alerts": 1, "not_confirmed": 1}));
    assert_eq!(scene.entries_of("proof")[0]["data"]["rung"], "present");
    let alerts = scene.entries_of("alert");
    assert_eq!(alerts[0]["data"]["code"], "still_allowed");
    scene.rescind(&["list", "--status", "unverified", "--proof", "present"]).code(0).says("web");
    // A report does not count it as done; once the simulator denies it, it is.
    let acted = |scene: &Scene| {
        scene.rescind(&["report", "-o", "json", "--no-record"]).code(0).json_document()["remediations"]
            [0]["acted"]
            .clone()
    };
    assert_eq!(acted(&scene), false);
    scene.post("switches", &json!({"simulator_lies": null}));
    scene.rescind(&["recheck"]).code(0);
    assert_eq!(acted(&scene), true);
}

/// AWS dates each rung where it was seen: the read-back before the simulator was asked again and again.
#[test]
fn present_is_dated_when_it_was_read_back() {
    let scene = Scene::new();
    let _ = scene.theft(SHOP, "web");
    scene.post("switches", &json!({"simulator_lies": "deny_all"}));
    scene.run_once();
    let proof = &scene.entries_of("proof")[0];
    let time = |value: &serde_json::Value| {
        value.as_str().expect("a time").parse::<jiff::Timestamp>().expect("a time")
    };
    let accepted = time(&scene.entries_of("accepted")[0]["data"]["aws_time"]);
    let (seen, written) = (time(&proof["data"]["at"]), time(&proof["time"]));
    // The simulator was asked for 7.7 s, by the pauses alone.
    assert!(written.duration_since(seen).as_secs() >= 7, "{proof}");
    assert!(seen >= accepted, "{proof}");
    let listed = scene.rescind(&["list", "-o", "jsonl"]).code(0).json();
    assert_eq!(listed[0]["rungs"][1]["at"], proof["data"]["at"], "{}", listed[0]);
}

/// An SCP denies all of the role's calls, old sessions and new ones: the simulator's no says nothing of our deny.
#[test]
fn a_policy_that_denies_both_sessions_proves_nothing_and_ours_beside_it_does() {
    let scene = Scene::new();
    let _ = scene.theft(SHOP, "web");
    let scp = json!({"Version": "2012-10-17", "Statement": [
        {"Effect": "Deny", "Action": "s3:*", "Resource": "*", "Condition": {"StringNotEquals": {"aws:SourceVpc": "vpc-1"}}}]});
    crate::thief::Thief::operator(&scene, crate::scene::MANAGEMENT).attach_scp(SHOP, &scp);
    scene.run_once();
    let proof = scene.entries_of("proof").remove(0);
    assert_eq!(proof["data"]["rung"], "simulated", "{proof}");
    assert!(proof["data"]["note"].as_str().is_some_and(|note| note.contains("aws:SourceVpc")), "{proof}");
}

#[test]
fn answers_on_pages_and_below_the_result_are_read() {
    let scene = Scene::new();
    scene.post("switches", &json!({"simulator_pages": true, "simulator_answers_below": true}));
    let may = json!({"Version": "2012-10-17", "Statement": [{"Effect": "Allow", "Action": "iam:*", "Resource": "*"}]});
    scene.post("roles", &json!({"account": SHOP, "name": "app", "policy": may}));
    let session = scene.session(SHOP, "app", "i-0123456789abcdef0");
    scene.report(SHOP, "app", &session, json!({}));
    scene.run_once();
    assert_eq!(scene.entries_of("proof")[0]["data"]["rung"], "simulated");
    scene.rescind(&["recheck"]).code(0);
    let impact = scene.entries_of("impact").remove(0);
    assert_eq!(impact["data"]["can_undo"].as_array().map(Vec::len), Some(7), "{impact}");
}

/// Then the session is not called revoked, and the note says why.
#[test]
fn a_simulator_that_lacks_the_time_of_the_session_proves_nothing() {
    let scene = Scene::new();
    let _ = scene.theft(SHOP, "web");
    scene.post("switches", &json!({"simulator_ignores_context": true, "simulator_answers_below": true}));
    scene.poll().code(5).has_code("still_allowed");
    let proof = scene.entries_of("proof").remove(0);
    assert_eq!(proof["data"]["rung"], "present", "{proof}");
    assert!(
        proof["data"]["note"].as_str().is_some_and(|note| note.contains("when the session began")),
        "{proof}"
    );
}

/// By the trust policy, and by what the role may make, a thief gets round the deny: people learn it at once.
#[test]
fn the_second_doors_are_warnings_in_the_impact_and_in_the_plan() {
    let scene = Scene::new();
    let may = json!({"Version": "2012-10-17", "Statement": [
        {"Effect": "Allow", "Action": ["iam:UpdateAssumeRolePolicy", "iam:CreateRole", "iam:AttachRolePolicy"],
            "Resource": format!("arn:aws:iam::{SHOP}:role/*")},
        {"Effect": "Allow", "Action": "iam:CreateAccessKey", "Resource": "*"}]});
    let root = |account: &str| format!("arn:aws:iam::{account}:root");
    let trust = json!({"Version": "2012-10-17", "Statement": [
        {"Effect": "Allow", "Action": "sts:AssumeRole",
            "Principal": {"AWS": [root(SHOP), root(BANK), root("777788889999")], "Service": "ec2.amazonaws.com"}}]});
    scene.post("roles", &json!({"account": SHOP, "name": "app", "policy": may, "trust": trust}));
    let session = scene.session(SHOP, "app", "i-0123456789abcdef0");
    let finding = scene.report(SHOP, "app", &session, json!({}));
    let planned = scene.rescind(&["plan", "--impact", "-o", "jsonl"]).code(0).json()[0]["impact"].clone();
    scene.run_once().counts(json!({"revoked": 1}));
    let impact = scene.entries_of("impact").remove(0)["data"].clone();
    for impact in [&planned, &impact] {
        let doors: Vec<&str> = impact["second_doors"]
            .as_array()
            .expect("doors")
            .iter()
            .filter_map(|door| door.as_str())
            .collect();
        assert_eq!(doors.len(), 2, "{impact}");
        assert!(doors[0].contains(SHOP) && doors[1].contains("777788889999"), "{impact}");
        assert_eq!(
            impact["can_make"],
            json!(["iam:CreateRole with iam:AttachRolePolicy", "iam:CreateAccessKey"])
        );
        let itself = json!(["iam:AttachRolePolicy", "iam:UpdateAssumeRolePolicy"]);
        assert_eq!(impact["can_undo"], itself, "{impact}");
    }
    let shown = scene.rescind(&["show", &finding]).code(0).out.matches("WARNING").count();
    assert_eq!(shown, 3);
}

/// A condition about what rescind cannot know: whether the role may is not known, and that is said.
#[test]
fn what_could_not_be_judged_is_a_warning_and_no_empty_list() {
    let scene = Scene::new();
    let tagged = json!({"StringEquals": {"aws:PrincipalTag/team": "platform"}});
    let may = json!({"Version": "2012-10-17", "Statement": [
        {"Effect": "Allow", "Action": "iam:DeleteRolePolicy", "Resource": "*", "Condition": tagged}]});
    scene.post("roles", &json!({"account": SHOP, "name": "app", "policy": may}));
    let session = scene.session(SHOP, "app", "i-0123456789abcdef0");
    let finding = scene.report(SHOP, "app", &session, json!({}));
    scene.run_once().counts(json!({"revoked": 1}));
    scene.rescind(&["recheck"]).code(0);
    let impact = scene.entries_of("impact").remove(0);
    assert_eq!(impact["data"]["can_undo"], serde_json::Value::Null, "{impact}");
    let shown = scene.rescind(&["show", &finding]).code(0);
    shown.says("aws:PrincipalTag/team");
}

/// An evaluator that we did not write reads the very document that was put on the role.
#[test]
fn another_evaluator_denies_the_old_token_and_not_the_new_one() {
    use iam_rs::{
        Arn, Context, ContextValue, Decision, IAMPolicy, IAMRequest, Principal, PrincipalId, evaluate_policy,
    };

    let scene = Scene::new();
    let _ = scene.theft(SHOP, "web");
    scene.run_once();
    let document = scene.policy_on(SHOP, "web").expect("there");
    let cutoff: jiff::Timestamp = crate::scene::cutoff(&document).parse().expect("a time");
    let policy: IAMPolicy = serde_json::from_value(document).expect("a policy");
    let answer = |issued: Option<jiff::Timestamp>| {
        let mut context = Context::new();
        if let Some(issued) = issued {
            let issued = issued.strftime("%Y-%m-%dT%H:%M:%SZ").to_string();
            context.insert("aws:TokenIssueTime".to_owned(), ContextValue::String(issued));
        }
        let who =
            Principal::Aws(PrincipalId::String("arn:aws:sts::222222222222:assumed-role/web/i-0".to_owned()));
        let what = Arn::parse("arn:aws:s3:::bucket/key").expect("an ARN");
        let request = IAMRequest::new_with_context(who, "s3:GetObject", what, context);
        evaluate_policy(&policy, &request).expect("evaluated")
    };
    let second = jiff::SignedDuration::from_secs(1);
    assert_eq!(answer(Some(cutoff - second)), Decision::Deny);
    assert_eq!(answer(Some(cutoff)), Decision::NotApplicable);
    assert_eq!(answer(Some(cutoff + second)), Decision::NotApplicable);
    // A long-term key has no token: the document does not touch it.
    assert_eq!(answer(None), Decision::NotApplicable);
}
