//! We say only what we saw, also when AWS lies.

use crate::scene::{SHOP, Scene};
use serde_json::json;

#[test]
fn a_change_that_was_accepted_and_is_not_kept() {
    let scene = Scene::new();
    let (thief, _) = scene.theft(SHOP, "web");
    scene.post("switches", &json!({"put_role_policy_ignored": true}));
    let ran = scene.rescind(&["run", "--once", "--backlog"]).code(5);
    let ran = ran
        .says("it is not kept: the policy RescindRevokeOlderSessions is not there")
        .says("Find out who takes the policy away");
    let ran = ran.says("1 NOT revoked.");
    assert!(!ran.out.contains("are denied"), "{}", ran.out);
    thief.is_allowed();
    let listed = scene.rescind(&["list", "-o", "json"]).code(0).json();
    assert_eq!(listed[0]["seconds_to_deny"], serde_json::Value::Null);
    // It is not given up: the next poll writes it again.
    scene.post("switches", &json!({"put_role_policy_ignored": false}));
    scene.run_once().says("1 revoked");
    thief.is_denied();
}

#[test]
fn a_simulator_that_allows_the_old_token() {
    let scene = Scene::new();
    let _ = scene.theft(SHOP, "web");
    scene.post("switches", &json!({"simulator_lies": "allow_all"}));
    scene.run_once().says("present").says("the simulator does not deny the old token");
    assert_eq!(scene.entries_of("proof")[0]["data"]["rung"], "present");
}

#[test]
fn a_simulator_that_denies_every_token() {
    let scene = Scene::new();
    let _ = scene.theft(SHOP, "web");
    scene.post("switches", &json!({"simulator_lies": "deny_all"}));
    scene.run_once().says("present").says("the simulator denies a new token as well");
    assert_eq!(scene.entries_of("proof")[0]["data"]["rung"], "present");
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
