//! An account has one control policy of ours for all its principals: each is denied and released on its own.

use super::subject::{ENFORCE, Row, SIGNED, delegated, theft};
use crate::scene::{HOME, MANAGEMENT, SECURITY, SHOP};
use crate::thief::Thief;
use serde_json::json;

#[test]
fn several_principals_share_one_policy_and_are_released_one_by_one() {
    let scene = delegated(ENFORCE);
    let rows = [Row::IdentityCenter, Row::Root, Row::Federated, Row::User];
    let thieves = rows.map(|row| theft(&scene, row, SHOP).0);
    scene.run_once().counts(json!({"revoked": 4}));
    let management = Thief::operator(&scene, MANAGEMENT);
    let ours = || {
        let all = management.attached_scps(SHOP);
        all.into_iter().filter(|(name, _)| name.starts_with("rescind-")).collect::<Vec<_>>()
    };
    assert_eq!(ours().len(), 1);
    for thief in &thieves {
        assert_eq!(thief.list_users(), Err("AccessDenied".to_owned()));
    }
    let list = scene.rescind(&["-o", "jsonl", "list"]).code(0).json();
    let mut left = list.len();
    for one in &list {
        let id = one["remediation"].as_str().expect("an id");
        scene.rescind(&[&["release", "--yes", id][..], &SIGNED[..]].concat()).code(0);
        left -= 1;
        let denied = thieves.iter().filter(|thief| thief.list_users().is_err()).count();
        assert_eq!(denied, left, "{one}");
    }
    assert!(ours().is_empty());
    scene.rescind(&["ledger", "verify"]).code(0);
}

/// What is taken away is lost by all of them, and put back for all of them.
#[test]
fn what_is_removed_is_put_back_for_all() {
    let scene = delegated(ENFORCE);
    let thieves = [Row::IdentityCenter, Row::Root].map(|row| theft(&scene, row, SHOP).0);
    scene.run_once().counts(json!({"revoked": 2}));
    Thief::operator(&scene, MANAGEMENT).remove_scp(SHOP, "rescind-222222222222");
    scene.rescind(&["recheck"]).code(5);
    for thief in &thieves {
        assert_eq!(thief.list_users(), Err("AccessDenied".to_owned()));
    }
    assert_eq!(scene.entries_of("drift").len(), 2);
    scene.rescind(&["ledger", "verify"]).code(0);
}

/// To STS, names that differ in case are two.
#[test]
fn a_federated_user_of_another_case_is_another_one() {
    let scene = delegated(ENFORCE);
    let (carol, _) = theft(&scene, Row::Federated, SHOP);
    scene.run_once().counts(json!({"revoked": 1}));
    let session = json!({"account": SHOP, "user": "broker", "federated_user": "CAROL"});
    let session = scene.post("sessions", &session);
    scene.post(
        "findings/exfiltration",
        &json!({"account": SECURITY, "region": HOME, "member": SHOP, "user": "CAROL", "user_type": "FederatedUser",
                "principal_id": format!("{SHOP}:CAROL"), "access_key_id": session["access_key_id"]}),
    );
    scene.run_once();
    for thief in [carol, scene.thief(&session)] {
        assert_eq!(thief.list_users(), Err("AccessDenied".to_owned()));
    }
}

/// A policy of our name that somebody else made stays as it is.
#[test]
fn what_is_not_ours_is_left_alone() {
    let scene = delegated(ENFORCE);
    let (thief, _) = theft(&scene, Row::Root, SHOP);
    let management = Thief::operator(&scene, MANAGEMENT);
    let theirs = json!({"Version": "2012-10-17", "Statement": [{"Effect": "Deny", "Action": "ec2:*", "Resource": "*"}]});
    management.attach_scp_named("333333333333", "rescind-222222222222", &theirs);
    scene.poll().code(5).has_code("not_ours");
    assert!(
        management
            .attached_scps("333333333333")
            .contains(&("rescind-222222222222".to_owned(), theirs.to_string()))
    );
    assert_eq!(thief.list_users(), Ok(()));
}

/// With the principal its statement goes.
#[test]
fn the_statement_of_a_role_that_is_gone_is_taken_back() {
    let scene = delegated(ENFORCE);
    theft(&scene, Row::Role, SHOP);
    scene.run_once().counts(json!({"revoked": 1}));
    Thief::operator(&scene, SHOP).delete_role("web");
    let list = scene.rescind(&["-o", "jsonl", "list"]).code(0).json();
    let id = list[0]["remediation"].as_str().expect("an id");
    scene.rescind(&[&["release", "--yes", id][..], &SIGNED[..]].concat()).code(0);
    let management = Thief::operator(&scene, MANAGEMENT);
    assert!(!management.scp_names().iter().any(|name| name.starts_with("rescind-")));
}

/// Without one clear session it is everybody with that permission set.
#[test]
fn an_identity_center_role_without_a_session_is_held() {
    let scene = delegated(ENFORCE);
    let (_, finding) = theft(&scene, Row::IdentityCenter, SHOP);
    let role = "AWSReservedSSO_Admin_0123456789abcdef";
    scene.run_once();
    let intent = scene.entries_of("intent").remove(0);
    let id = intent["data"]["change"]["id"].clone();
    scene.advance_clock(120);
    scene.post(
        "findings/exfiltration",
        &json!({"account": SECURITY, "region": HOME, "member": SHOP, "role": role, "principal_id": id, "access_key_id": "ASIAEXAMPLEEXAMPLE00"}),
    );
    scene.poll().code(5);
    let list = scene.rescind(&["-o", "jsonl", "list"]).code(0).json();
    assert!(
        list.iter().any(|one| one["held_code"] == "no_session" && one["finding"] != finding.as_str()),
        "{list:?}"
    );
}

/// They wait for each other, and are all done in one run.
#[test]
fn several_that_were_approved_are_carried_out_in_one_run() {
    let scene = delegated("");
    let thieves = [Row::IdentityCenter, Row::Root, Row::Federated].map(|row| theft(&scene, row, SHOP).0);
    scene.poll().code(5);
    for one in scene.rescind(&["-o", "jsonl", "list"]).code(0).json() {
        let id = one["remediation"].as_str().expect("an id");
        scene.rescind(&[&["approve", id][..], &SIGNED[..]].concat()).code(0);
    }
    scene.run_once().counts(json!({"revoked": 3, "seen_before": 3}));
    for thief in &thieves {
        assert_eq!(thief.list_users(), Err("AccessDenied".to_owned()));
    }
}
