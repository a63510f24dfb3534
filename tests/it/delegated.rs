//! Where a rule has the remedy `quarantine` or `organization_deny`: what is printed for it, and what doctor says.

use crate::scene::{BANK, MANAGEMENT, SECURITY, SHOP, Scene, Setting, policy};
use crate::thief::Thief;
use serde_json::{Value, json};

/// An organization that lets the hub write service control policies; and the hub's role may, by its own policy.
fn delegating() -> Scene {
    let mut hub = policy("hub-role-permissions.json");
    let more = policy("hub-role-organization-deny.json")["Statement"].as_array().expect("a list").clone();
    hub["Statement"].as_array_mut().expect("a list").extend(more);
    let setting = Setting {
        hub_policy: hub,
        delegation_policy: policy("organization-deny-delegation.json"),
        ..Setting::default()
    };
    named(setting, "[\"role_sessions\", \"organization_deny\"]")
}

/// A configuration with these remedies.
fn named(setting: Setting, remedies: &str) -> Scene {
    let scene = Scene::with(setting);
    scene.configure(&format!("mode = \"enforce\"\nremedy = {remedies}\n"));
    scene
}

/// The codes of what doctor found that have one of these words in them, with their level and place.
fn codes(scene: &Scene, words: &[&str]) -> Vec<String> {
    let found = diagnosis(scene);
    let text = |one: &Value, key: &str| one[key].as_str().expect("a text").to_owned();
    let all = found["problems"].as_array().expect("problems").iter();
    all.filter(|one| words.iter().any(|word| text(one, "code").contains(word)))
        .map(|one| format!("{} {} {}", text(one, "level"), text(one, "code"), text(one, "place")))
        .collect()
}

fn diagnosis(scene: &Scene) -> Value {
    scene.rescind(&["doctor", "-o", "jsonl"]).json().remove(0)
}

fn is_ready(scene: &Scene, account: &str) -> Value {
    let found = diagnosis(scene);
    let members = found["members"].as_array().expect("members").clone();
    members.iter().find(|one| one["account"] == account).expect("a member")["ready"].clone()
}

const DENY: [&str; 2] = ["delegation", "deny"];

#[test]
fn the_delegation_is_printed_for_the_role_and_the_organization_that_it_is_for() {
    let scene = delegating();
    let organization = Thief::operator(&scene, MANAGEMENT).organization_id();
    let text = policy("organization-deny-delegation.json")
        .to_string()
        .replace("${PARTITION}", "aws")
        .replace("${HUB_ACCOUNT}", SECURITY)
        .replace("${HUB_ROLE_ARN}", &format!("arn:aws:iam::{SECURITY}:role/RescindHub"))
        .replace("${MANAGEMENT_ACCOUNT}", MANAGEMENT)
        .replace("${ORG_ID}", &organization);
    let expected: Value = serde_json::from_str(&text).expect("JSON");
    let asked =
        scene.rescind(&["policies", "print", "organization-deny"]).code(0).says("--hub-role names another");
    assert_eq!(asked.json_document(), expected);
    // What is given is not asked of AWS.
    let before = scene.calls().len();
    let hub_role = format!("arn:aws:iam::{SECURITY}:role/RescindHub");
    let given =
        ["--hub-role", &hub_role, "--organization", &organization, "--management-account", MANAGEMENT];
    let args = [&["policies", "print", "organization-deny"][..], &given].concat();
    assert_eq!(scene.rescind(&args).code(0).json_document(), expected);
    assert_eq!(scene.calls().len(), before);
}

#[test]
fn the_hubs_role_is_printed_with_what_the_remedies_of_the_file_need() {
    let scene = delegating();
    let writes = |scene: &Scene| {
        let printed = scene.rescind(&["policies", "print", "hub-role"]).code(0).json_document();
        printed["Statement"]
            .as_array()
            .expect("a list")
            .iter()
            .any(|one| one["Sid"] == "WriteControlPolicies")
    };
    assert!(writes(&scene));
    scene.configure("mode = \"enforce\"\n");
    assert!(!writes(&scene));
    scene.configure("mode = \"enforce\"\n[[rules]]\nname = \"root\"\ntypes = [\"Policy:IAMUser/RootCredentialUsage\"]\nremedy = \"organization_deny\"\n");
    assert!(writes(&scene));
}

#[test]
fn what_lets_the_hub_deny_by_the_organization_is_there_and_nothing_is_written_to_see_it() {
    let scene = delegating();
    let before = scene.writes();
    assert_eq!(codes(&scene, &DENY), ["note organization_deny_not_tried organization"]);
    assert_eq!(scene.writes(), before);
    // Where no rule has the remedy, none of it is asked.
    scene.configure("mode = \"enforce\"\n");
    let asked = scene.calls_of("DescribeResourcePolicy").len();
    assert_eq!(codes(&scene, &DENY), Vec::<String>::new());
    assert_eq!(scene.calls_of("DescribeResourcePolicy").len(), asked);
}

#[test]
fn what_is_done_about_a_contested_deny_needs_the_hub_and_no_more_of_the_remediation_role() {
    let scene = delegating();
    scene.configure("mode = \"enforce\"\ncontested = \"organization_deny\"\n");
    assert_eq!(codes(&scene, &DENY), ["note organization_deny_not_tried organization"]);
    assert_eq!(codes(&scene, &["role_", "permission"]), Vec::<String>::new());
    assert_eq!(is_ready(&scene, SHOP), true);
}

#[test]
fn each_half_that_is_missing_is_named_with_what_to_do() {
    let neither = named(Setting::default(), "\"organization_deny\"");
    assert!(codes(&neither, &DENY).contains(&"problem organization_deny_not_allowed hub".to_owned()));
    neither.rescind(&["doctor"]).code(5).says("OrganizationDeny=true");

    let mut hub = policy("hub-role-permissions.json");
    let own = policy("hub-role-organization-deny.json")["Statement"].as_array().expect("a list").clone();
    hub["Statement"].as_array_mut().expect("a list").extend(own);
    let alone = named(Setting { hub_policy: hub.clone(), ..Setting::default() }, "\"organization_deny\"");
    assert_eq!(codes(&alone, &DENY), ["problem delegation_missing organization"]);
    alone.rescind(&["doctor"]).code(5).says("policies print organization-deny").says("rescind-delegation");

    let mut less = policy("organization-deny-delegation.json");
    less["Statement"].as_array_mut().expect("a list").retain(|one| one["Sid"] != "RescindAttachToAccounts");
    let setting = Setting { hub_policy: hub, delegation_policy: less, ..Setting::default() };
    let partly = named(setting, "\"organization_deny\"");
    assert_eq!(codes(&partly, &DENY), ["warning delegation_out_of_date organization"]);
    partly.rescind(&["doctor"]).says("RescindAttachToAccounts is missing");
}

#[test]
fn an_account_without_room_for_one_more_is_named() {
    let scene = delegating();
    let management = Thief::operator(&scene, MANAGEMENT);
    let mut widening = "x".to_owned();
    let mut attach = |account: &str, number: usize| {
        for _ in 0..number {
            widening.push('x');
            let scp = json!({"Version": "2012-10-17", "Statement": [
                {"Sid": widening, "Effect": "Deny", "Action": "braket:*", "Resource": "*"}]});
            management.attach_scp(account, &scp);
        }
    };
    // With FullAWSAccess, nine and ten.
    attach(BANK, 8);
    attach(SHOP, 9);
    assert_eq!(codes(&scene, &["no_room"]), [format!("problem no_room_for_deny {SHOP}")]);
}

#[test]
fn what_cannot_be_read_of_it_is_not_taken_for_there() {
    let scene = delegating();
    let down = json!({"error": {"code": "ServiceException", "message": "no", "status": 400}});
    for operation in ["DescribeResourcePolicy", "ListPoliciesForTarget"] {
        scene.fault("no", json!({"operation": operation}), "before", down.clone(), 0);
        assert_eq!(
            codes(&scene, &DENY),
            ["warning organization_deny_unreadable organization"],
            "{operation}"
        );
        scene.delete("faults/no");
    }
}

#[test]
fn a_role_that_only_contains_is_judged_by_what_it_needs() {
    let setting = Setting { member_policy: policy("member-role-contain-only.json"), ..Setting::default() };
    let scene = named(setting, "\"quarantine\"");
    let of_role = ["role_", "permission", "quarantine"];
    assert_eq!(codes(&scene, &of_role), Vec::<String>::new());
    assert_eq!(is_ready(&scene, SHOP), true);

    let bank = Thief::operator(&scene, BANK);
    let mut less = scene.rescind(&["policies", "print", "member-role"]).code(0).json_document();
    less["Statement"].as_array_mut().expect("a list").retain(|one| one["Sid"] != "QuarantineUsers");
    bank.put_role_policy("RescindRemediation", "Rescind", &less.to_string()).expect("written");
    Thief::operator(&scene, SHOP)
        .delete_managed_policy(&format!("arn:aws:iam::{SHOP}:policy/rescind/Quarantine"));
    assert_eq!(
        codes(&scene, &of_role),
        [
            format!("problem permission_missing {BANK}"),
            format!("problem quarantine_missing {SHOP}"),
            format!("warning role_out_of_date {BANK}"),
        ]
    );
    assert_eq!((is_ready(&scene, SHOP), is_ready(&scene, BANK)), (json!(false), json!(false)));
    let ran = scene.rescind(&["doctor"]).code(5);
    for text in [
        "iam:AttachUserPolicy, iam:DetachUserPolicy",
        "policies print member-role --contain-only --policy Rescind",
        "ContainOnly=true",
        "what a rule quarantines is not denied anything",
    ] {
        assert!(ran.out.contains(text), "{text}\n{}", ran.out);
    }
}
