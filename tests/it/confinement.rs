//! A session in a member account can do no more than its remedy on its one role.

use crate::scene::{BANK, EXTERNAL_ID, POLICY, SHOP, Scene};

#[test]
fn the_same_session_cannot_touch_another_role() {
    let scene = Scene::new();
    let _ = scene.theft(SHOP, "web");
    scene.role(SHOP, "webx");
    scene.role(SHOP, "admin");
    scene.run_once();
    // Exactly what the hub asked for, asked for again by the hub.
    let params = scene.calls_of("AssumeRole")[0]["params"].clone();
    let hub = scene.thief(&scene.hub);
    let session = hub.enter(&params, &scene);
    let document =
        include_str!("../../policies/revoke-role-sessions.json").replace("${CUTOFF}", "2099-01-01T00:00:00Z");
    let document = document.trim();

    assert_eq!(session.put_role_policy("web", POLICY, document), Ok(()));
    for other in ["webx", "admin", "RescindRemediation"] {
        assert_eq!(
            session.put_role_policy(other, POLICY, document),
            Err("AccessDenied".to_owned()),
            "{other}"
        );
        assert_eq!(session.role_policy(other, "permissions"), None, "{other}");
    }
    assert_eq!(session.delete_role_policy("web", POLICY), Err("AccessDenied".to_owned()));
    session.is_denied(); // ListUsers
    assert_eq!(session.assume(&format!("arn:aws:iam::{SHOP}:role/admin")), Err("AccessDenied".to_owned()));
}

#[test]
fn the_session_says_what_it_is_for() {
    let scene = Scene::new();
    let (_, finding) = scene.theft(BANK, "web");
    scene.run_once();
    let params = scene.calls_of("AssumeRole")[0]["params"].clone();
    assert_eq!(params["RoleArn"], format!("arn:aws:iam::{BANK}:role/RescindRemediation"));
    assert_eq!(params["RoleSessionName"], format!("rescind-{finding}"));
    assert_eq!(params["ExternalId"], EXTERNAL_ID);
    assert_eq!(params["SourceIdentity"], "rescind");
    assert_eq!(params["DurationSeconds"].to_string().trim_matches('"'), "900");
}

#[test]
fn a_wrong_external_id_does_not_get_in() {
    let scene = Scene::new();
    let (thief, _) = scene.theft(SHOP, "web");
    let config = std::fs::read_to_string(scene.path("rescind.toml")).expect("a configuration");
    std::fs::write(scene.path("rescind.toml"), config.replace(EXTERNAL_ID, "another-one")).expect("written");
    scene.poll().code(5).has_code("entry_denied");
    thief.is_allowed();
}
