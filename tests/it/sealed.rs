//! `rescind doctor` about the seal and the quarantine: which accounts a thief could fight in.

use crate::doctor::printed;
use crate::scene::{BANK, BARE, MANAGEMENT, SECURITY, SHOP, Scene, Setting, member_policy};
use crate::thief::Thief;
use serde_json::{Value, json};

fn diagnosis(scene: &Scene) -> Value {
    scene.rescind(&["doctor", "-o", "jsonl"]).json().remove(0)
}

/// The codes about the seal and the quarantine, with their level and place.
fn codes(scene: &Scene) -> Vec<String> {
    let found = diagnosis(scene);
    let text = |one: &Value, key: &str| one[key].as_str().expect("a text").to_owned();
    let all = found["problems"].as_array().expect("problems").iter();
    all.map(|one| format!("{} {} {}", text(one, "level"), text(one, "code"), text(one, "place")))
        .filter(|one| one.contains("seal") || one.contains("quarantine"))
        .collect()
}

/// The accounts of which it is known that they are sealed.
fn sealed(scene: &Scene) -> Vec<String> {
    let found = diagnosis(scene);
    let members = found["members"].as_array().expect("members").iter();
    members
        .filter(|one| one["sealed"] == true)
        .map(|one| one["account"].as_str().expect("an id").to_owned())
        .collect()
}

#[test]
fn each_account_that_no_seal_reaches_is_named_with_what_a_thief_could_do_there() {
    let scene = Scene::with(Setting { management_member_role: true, ..Setting::default() });
    let everywhere = [SECURITY, SHOP, BANK, BARE].map(|account| format!("warning not_sealed {account}"));
    let mut expected = everywhere.to_vec();
    expected.push(format!("note not_sealable {MANAGEMENT}"));
    assert_eq!(codes(&scene), expected);
    scene.rescind(&["doctor"]).says("detach the quarantine").says("organization-seal.yaml");
    // At an OU above their own, and at an account.
    let management = Thief::operator(&scene, MANAGEMENT);
    let workloads = management.parent_id(&management.parent_id(SHOP));
    management.attach_scp(&workloads, &printed(&scene, "seal"));
    assert_eq!(sealed(&scene), [SHOP, BANK]);
    management.attach_scp(SECURITY, &printed(&scene, "seal"));
    assert_eq!(sealed(&scene), [SECURITY, SHOP, BANK]);
    assert_eq!(
        codes(&scene),
        [format!("warning not_sealed {BARE}"), format!("note not_sealable {MANAGEMENT}")]
    );
    management.attach_scp(&management.root_id(), &printed(&scene, "seal"));
    assert_eq!(sealed(&scene), [SECURITY, SHOP, BANK, BARE]);
}

#[test]
fn an_scp_that_only_looks_like_the_seal_does_not_count() {
    let scene = Scene::new();
    let management = Thief::operator(&scene, MANAGEMENT);
    let mut weaker = printed(&scene, "seal");
    weaker["Statement"].as_array_mut().expect("a list").retain(|one| one["Sid"] != "KeepTheQuarantinePolicy");
    management.attach_scp(&management.root_id(), &weaker);
    assert!(codes(&scene).contains(&"warning seal_out_of_date organization".to_owned()));
    assert_eq!(sealed(&scene), Vec::<String>::new());
    scene.rescind(&["doctor"]).says("KeepTheQuarantinePolicy is missing");
    // The guard alone is no seal.
    management.attach_scp(&management.root_id(), &printed(&scene, "guard"));
    assert_eq!(sealed(&scene), Vec::<String>::new());
}

#[test]
fn what_may_not_be_read_is_not_taken_for_sealed() {
    let scene = crate::doctor::sound();
    assert_eq!(sealed(&scene).len(), 4);
    let denied = json!({"error": {"code": "AccessDeniedException", "message": "no", "status": 400}});
    for operation in ["ListPolicies", "DescribePolicy", "ListTargetsForPolicy"] {
        scene.fault("no", json!({"operation": operation}), "before", denied.clone(), 0);
        assert_eq!(codes(&scene), ["warning seal_unreadable organization"], "{operation}");
        assert!(diagnosis(&scene)["members"][0]["sealed"].is_null());
        scene.rescind(&["doctor"]).code(0).says(operation);
        scene.delete("faults/no");
    }
}

#[test]
fn a_quarantine_that_is_missing_may_not_be_attached_or_allows_something_is_named() {
    let scene = crate::doctor::sound();
    let (shop, bank) = (Thief::operator(&scene, SHOP), Thief::operator(&scene, BANK));
    let arn = format!("arn:aws:iam::{SHOP}:policy/rescind/Quarantine");
    shop.delete_managed_policy(&arn);
    let mut less = member_policy();
    less["Statement"].as_array_mut().expect("a list").retain(|one| one["Sid"] != "QuarantineRoles");
    bank.put_role_policy("RescindRemediation", "Rescind", &less.to_string()).expect("written");
    let found = codes(&scene);
    for code in
        [format!("warning quarantine_missing {SHOP}"), format!("warning quarantine_not_allowed {BANK}")]
    {
        assert!(found.contains(&code), "{code}: {found:?}");
    }
    // Denies are written all the same, so the accounts are ready.
    let ran = scene.rescind(&["doctor"]).code(0);
    for text in ["create-policy --path /rescind/", "iam:AttachRolePolicy, iam:DetachRolePolicy"] {
        assert!(ran.out.contains(text), "{text}\n{}", ran.out);
    }
    // A thief has made it a gift to whom it is attached.
    let gift =
        json!({"Version": "2012-10-17", "Statement": [{"Effect": "Allow", "Action": "*", "Resource": "*"}]});
    scene.post("policies", &json!({"account": SHOP, "name": "rescind/Quarantine", "document": gift}));
    assert!(codes(&scene).contains(&format!("problem quarantine_altered {SHOP}")), "{:?}", codes(&scene));
    scene.rescind(&["doctor"]).code(5).says("create-policy-version --set-as-default");
}

/// What the policy tests say, with AWS's side played by the emulator.
#[test]
fn under_the_seal_a_thief_lifts_no_quarantine_and_the_remediation_role_does() {
    let scene = crate::doctor::sound();
    let everything =
        json!({"Version": "2012-10-17", "Statement": [{"Effect": "Allow", "Action": "*", "Resource": "*"}]});
    scene.role(SHOP, "admin");
    scene.role(SHOP, "web");
    let session = |role: &str| scene.thief(&scene.session(SHOP, role, "i-0123456789abcdef0"));
    let (thief, rescind, web) = (session("admin"), session("RescindRemediation"), session("web"));
    let arn = format!("arn:aws:iam::{SHOP}:policy/rescind/Quarantine");
    thief.attach_role_policy("web", &arn).expect_err("it could lock others out");
    web.list_users().expect("it works");
    rescind.attach_role_policy("web", &arn).expect("attached");
    web.is_denied();
    thief.detach_role_policy("web", &arn).expect_err("it is sealed");
    thief.create_policy_version(&arn, &everything.to_string()).expect_err("and what it says");
    thief.delete_role_policy("RescindRemediation", "Rescind").expect_err("and who attaches it");
    thief.put_role_policy("web", "more", &everything.to_string()).expect("inline policies are free");
    web.is_denied();
    rescind.detach_role_policy("web", &arn).expect("detached");
    web.list_users().expect("it works");
}
