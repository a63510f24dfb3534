//! `rescind doctor`: green when everything is in place, and each fault named with what puts it right.

use crate::scene::{BANK, BARE, HOME, MANAGEMENT, OTHER, Ran, SECURITY, SHOP, Scene, Setting, policy};
use crate::thief::Thief;
use serde_json::{Value, json};

/// An organization in which everything is in place; only that nobody watches.
fn sound() -> Scene {
    let scene = without_one();
    give_role(&scene, BARE, &policy("member-role-trust.json"));
    scene
}

/// The same, but for an account without a role.
fn without_one() -> Scene {
    let scene = Scene::with(Setting { management_member_role: true, ..Setting::default() });
    private(&scene, 0o600);
    scene.watch();
    scene
}

/// The remediation role, with this trust.
fn give_role(scene: &Scene, account: &str, trust: &Value) {
    let organization = Thief::operator(scene, MANAGEMENT).organization_id();
    let filled = trust
        .to_string()
        .replace("${HUB_ROLE_ARN}", &format!("arn:aws:iam::{SECURITY}:role/RescindHub"))
        .replace("${ORG_ID}", &organization)
        .replace("${EXTERNAL_ID}", crate::scene::EXTERNAL_ID)
        .replace("${SOURCE_IDENTITY}", "rescind");
    let trust: Value = serde_json::from_str(&filled).expect("JSON");
    scene.post(
        "roles",
        &json!({
            "account": account, "name": "RescindRemediation", "policy_name": "Rescind", "trust": trust,
            "policy": policy("member-role-permissions.json"), "instance_profile": false,
        }),
    );
}

fn private(scene: &Scene, mode: u32) {
    use std::os::unix::fs::PermissionsExt;
    let permissions = std::fs::Permissions::from_mode(mode);
    std::fs::set_permissions(scene.path("rescind.toml"), permissions).expect("changed");
}

fn doctor(scene: &Scene) -> Ran {
    scene.rescind(&["doctor"])
}

/// The codes of what is a problem or a warning.
fn codes(scene: &Scene) -> Vec<String> {
    let told = scene.rescind(&["doctor", "-o", "json"]).json().remove(0);
    let all = told["problems"].as_array().expect("problems").iter();
    let mut codes: Vec<String> = all
        .filter(|one| one["level"] != "note")
        .map(|one| {
            format!("{} {}", one["code"].as_str().expect("a code"), one["place"].as_str().expect("a place"))
        })
        .collect();
    codes.retain(|code| code != "not_running service");
    codes
}

#[test]
fn it_is_green_when_everything_is_in_place() {
    let scene = sound();
    let ran = doctor(&scene)
        .code(0)
        .says("GREEN  0 problem(s)")
        .says("100 % (10 of 10 pairs of account and region)");
    assert!(ran.out.contains("5 of 5 active ones can be entered"), "{}", ran.out);
    assert_eq!(codes(&scene), Vec::<String>::new());
    // It changes nothing, and its sessions could not.
    assert_eq!(scene.writes(), 0);
    scene.rescind(&["ledger", "verify"]).code(0);
}

#[test]
fn a_role_that_is_missing_weaker_or_trusts_others_is_named_with_what_to_do() {
    let scene = without_one();
    let bank = Thief::operator(&scene, BANK);
    let mut less = policy("member-role-permissions.json");
    less["Statement"].as_array_mut().expect("a list").retain(|one| one["Sid"] != "RevokeRoleSessions");
    bank.put_role_policy("RescindRemediation", "Rescind", &less.to_string()).expect("written");
    bank.trust("RescindRemediation", |trust| {
        trust["Statement"][0]["Condition"]["StringEquals"]
            .as_object_mut()
            .expect("conditions")
            .remove("sts:ExternalId");
    });
    let ran = doctor(&scene).code(5).says("NOT GREEN").says("60 % (6 of 10 pairs");
    for text in [
        "PROBLEM  555555555555: the role RescindRemediation cannot be assumed",
        "PROBLEM  333333333333: the remediation role may not iam:DeleteRolePolicy, iam:PutRolePolicy",
        "aws iam put-role-policy --role-name RescindRemediation --policy-name Rescind",
        "with credentials for 333333333333",
        "RevokeRoleSessions is missing",
        "whom the remediation role trusts is not as this rescind asks for: HubEnters: another Condition",
    ] {
        assert!(ran.out.contains(text), "{text}\n{}", ran.out);
    }
    // The external id is nowhere in it.
    assert!(!ran.out.contains(crate::scene::EXTERNAL_ID));
}

#[test]
fn an_scp_in_the_way_is_told_from_a_missing_permission() {
    let scene = sound();
    let scp = json!({"Version": "2012-10-17", "Statement": [
        {"Effect": "Deny", "Action": "iam:PutRolePolicy", "Resource": "*"}]});
    Thief::operator(&scene, MANAGEMENT).attach_scp(SHOP, &scp);
    let ran = doctor(&scene).code(5);
    let ran = ran
        .says("222222222222: a policy of the organization keeps the remediation role from iam:PutRolePolicy");
    ran.says("\"aws:PrincipalArn\": \"arn:*:iam::*:role/RescindRemediation\"");
    assert_eq!(codes(&scene), [format!("scp_in_the_way {SHOP}")]);
}

#[test]
fn guardduty_that_is_off_late_or_without_members_is_named() {
    let scene = sound();
    let change = |more: Value| {
        let mut body = json!({"account": SECURITY, "region": HOME});
        body.as_object_mut().expect("an object").extend(more.as_object().expect("an object").clone());
        scene.post("detectors", &body);
    };
    change(json!({"frequency": "SIX_HOURS", "members": {SHOP: "Removed"}}));
    assert_eq!(codes(&scene), [format!("member_not_enabled {SHOP}"), format!("publishing_frequency {HOME}")]);
    doctor(&scene)
        .code(5)
        .says("90 % (9 of 10")
        .says("--finding-publishing-frequency FIFTEEN_MINUTES --region eu-central-1");
    change(json!({"status": "DISABLED", "frequency": "FIFTEEN_MINUTES", "members": {SHOP: "Enabled"}}));
    assert_eq!(codes(&scene), [format!("detector_off {HOME}")]);
    doctor(&scene).code(5).says("50 % (5 of 10");
    let none: Value = [SHOP, BANK, BARE, MANAGEMENT, crate::scene::CLOSED]
        .iter()
        .map(|id| ((*id).to_owned(), Value::Null))
        .collect();
    change(json!({"status": "ENABLED", "members": none}));
    assert_eq!(codes(&scene), [format!("not_administrator {HOME}")]);
    // What may not be read is not taken for sound.
    let denied = json!({"error": {"code": "AccessDeniedException", "message": "no", "status": 403}});
    scene.fault("members", json!({"operation": "ListMembers", "region": OTHER}), "before", denied, 0);
    assert!(codes(&scene).contains(&format!("guardduty_unreadable {OTHER}")));
    doctor(&scene).code(5).says("Allow guardduty:ListMembers to");
}

#[test]
fn files_opt_outs_and_checkpoints_are_looked_at() {
    let scene = sound();
    private(&scene, 0o644);
    let file = scene.path("ledger.db.checkpoint");
    std::fs::write(&file, "something else").expect("written");
    let soon =
        (jiff::Timestamp::now() + jiff::SignedDuration::from_hours(24 * 3)).strftime("%Y-%m-%d").to_string();
    let opt_out = format!(
        "[[opt_out]]\nname = \"freeze\"\nowner = \"payments\"\nreason = \"release\"\naccounts = [\"{SHOP}\"]\nmode = \"off\"\nexpires = {soon}\n"
    );
    std::fs::write(scene.path("opt-outs.toml"), opt_out).expect("written");
    let ran = doctor(&scene).code(5);
    for text in [
        "others can read or change a file with a secret in it (mode 644)",
        "chmod go-rwx rescind.toml",
        "is not in its file",
        "the opt-out \"freeze\" ends in 3 day(s)",
        "Ask payments whether that is meant.",
    ] {
        assert!(ran.out.contains(text), "{text}\n{}", ran.out);
    }
    std::fs::write(scene.path("opt-outs.toml"), "[[opt_out]]\nname = 1\n").expect("written");
    assert!(codes(&scene).iter().any(|code| code.starts_with("opt_outs ")));
}

#[test]
fn a_ledger_that_was_changed_is_a_problem() {
    let scene = sound();
    let path = scene.path("ledger.db");
    let ledger = rusqlite::Connection::open(&path).expect("opened");
    ledger.execute_batch("DROP TRIGGER entries_no_update; UPDATE entries SET time = '2020-01-01T00:00:00.000Z' WHERE seq = 2;").expect("changed");
    drop(ledger);
    doctor(&scene).code(5).says("the ledger is not as it was written");
}

#[test]
fn a_queue_is_judged_by_its_attributes() {
    let mut scene = sound();
    scene.queue("rescind-findings");
    scene.configure("mode = \"enforce\"\n");
    private(&scene, 0o600);
    let told = codes(&scene);
    assert!(told.contains(&"no_dead_letter_queue rescind-findings".to_owned()), "{told:?}");
    doctor(&scene).code(5).says("aws sqs set-queue-attributes --queue-url").says("RedrivePolicy");
}

#[test]
fn one_account_can_be_looked_at_alone() {
    let scene = sound();
    doctor_of(&scene, SHOP).code(0).says("1 of 1 active ones").says("100 % (2 of 2");
    doctor_of(&scene, "123456789012").code(5).says("there is no such account in the organization");
    let before = scene.calls_of("AssumeRole").len();
    doctor_of(&scene, BANK).code(0);
    assert_eq!(scene.calls_of("AssumeRole").len(), before + 1);
}

fn doctor_of(scene: &Scene, account: &str) -> Ran {
    scene.rescind(&["doctor", "--account", account])
}
