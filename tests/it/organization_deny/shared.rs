//! An account has one control policy of ours for all its principals: each is denied and released on its own.

use super::subject::{ENFORCE, Row, SIGNED, delegated, theft};
use crate::scene::{MANAGEMENT, SHOP};
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
    let list = scene.rescind(&["-o", "json", "list"]).code(0).json();
    let mut left = list.len();
    for one in &list {
        let id = one["remediation"].as_str().expect("an id");
        scene.rescind(&[&["release", id][..], &SIGNED[..]].concat()).code(0);
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
