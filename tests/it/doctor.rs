//! `rescind doctor`: green when everything is in place, and each fault named with what puts it right.

use crate::log;
use crate::scene::{
    BANK, BARE, HOME, MANAGEMENT, OTHER, Ran, SECURITY, SHOP, Scene, Setting, member_policy, policy,
};
use crate::screens::Transcript;
use crate::thief::Thief;
use serde_json::{Value, json};

/// An organization in which everything is in place; only that no service is running.
pub fn sound() -> Scene {
    let scene = without_one();
    give_role(&scene, BARE, &policy("member-role-trust.json"));
    scene
}

/// The same, but for an account without a role.
fn without_one() -> Scene {
    let scene = Scene::with(Setting { management_member_role: true, ..Setting::default() });
    private(&scene, 0o600);
    scene.watch();
    let management = Thief::operator(&scene, MANAGEMENT);
    management.attach_scp(&management.root_id(), &printed(&scene, "seal"));
    scene
}

/// An SCP of rescind's, as it is printed.
pub fn printed(scene: &Scene, name: &str) -> Value {
    let deployer = "arn:aws:iam::*:role/stacksets-exec-*";
    scene.rescind(&["policies", "print", name, "--deployer", deployer]).code(0).json_document()
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
            "policy": member_policy(), "instance_profile": false,
        }),
    );
    let quarantine =
        json!({"account": account, "name": "rescind/Quarantine", "document": policy("quarantine.json")});
    scene.post("policies", &quarantine);
}

fn private(scene: &Scene, mode: u32) {
    use std::os::unix::fs::PermissionsExt;
    let permissions = std::fs::Permissions::from_mode(mode);
    std::fs::set_permissions(scene.path("rescind.toml"), permissions).expect("changed");
}

fn doctor(scene: &Scene) -> Ran {
    scene.rescind(&["doctor"])
}

#[track_caller]
fn diagnosis(scene: &Scene, code: i32) -> Value {
    scene.rescind(&["doctor", "-o", "jsonl"]).code(code).json_document()
}

/// In how many of the pairs of an account and a region a theft is seen and can be answered.
#[track_caller]
fn coverage(scene: &Scene, code: i32) -> (u64, u64) {
    let found = diagnosis(scene, code);
    (found["covered"].as_u64().expect("a number"), found["pairs"].as_u64().expect("a number"))
}

/// Whether what has this code is a problem, a warning or a note.
#[track_caller]
fn level_of(scene: &Scene, code: &str) -> String {
    let found = scene.rescind(&["doctor", "-o", "jsonl"]).json().remove(0);
    let one = found["problems"].as_array().expect("problems").iter().find(|one| one["code"] == code);
    one.unwrap_or_else(|| panic!("{code}: {found}"))["level"].as_str().expect("a level").to_owned()
}

/// The codes of what is a problem or a warning.
fn codes(scene: &Scene) -> Vec<String> {
    let found = scene.rescind(&["doctor", "-o", "jsonl"]).json().remove(0);
    let all = found["problems"].as_array().expect("problems").iter();
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
    let before = scene.writes();
    let mut screens = Transcript::new(&scene);
    screens.run(&["doctor"]).code(0);
    screens.is("doctor_green");
    let found = diagnosis(&scene, 0);
    assert_eq!((&found["green"], &found["covered"], &found["pairs"]), (&json!(true), &json!(10), &json!(10)));
    assert_eq!(found["members"].as_array().map(Vec::len), Some(5));
    assert_eq!(codes(&scene), Vec::<String>::new());
    // It changes nothing, and its sessions could not.
    assert_eq!(scene.writes(), before);
    scene.rescind(&["ledger", "verify"]).code(0);
}

#[test]
fn a_role_that_is_missing_weaker_or_trusts_others_is_named_with_what_to_do() {
    let scene = without_one();
    let bank = Thief::operator(&scene, BANK);
    let mut less = member_policy();
    less["Statement"].as_array_mut().expect("a list").retain(|one| one["Sid"] != "RevokeRoleSessions");
    bank.put_role_policy("RescindRemediation", "Rescind", &less.to_string()).expect("written");
    bank.trust("RescindRemediation", |trust| {
        trust["Statement"][0]["Condition"]["StringEquals"]
            .as_object_mut()
            .expect("conditions")
            .remove("sts:ExternalId");
    });
    assert_eq!(coverage(&scene, 5), (6, 10));
    let ran = doctor(&scene).code(5);
    for text in [
        "iam:DeleteRolePolicy, iam:PutRolePolicy",
        "put-role-policy --role-name RescindRemediation --policy-name Rescind",
        "RevokeRoleSessions",
        "HubEnters",
        "--stack-name rescind-member-role-here",
    ] {
        assert!(ran.out.contains(text), "{text}\n{}", ran.out);
    }
    // The external id is nowhere in it.
    assert!(!ran.out.contains(crate::scene::EXTERNAL_ID));
}

#[test]
fn an_scp_in_the_way_is_not_taken_for_a_missing_permission() {
    let scene = sound();
    let scp = json!({"Version": "2012-10-17", "Statement": [
        {"Effect": "Deny", "Action": "iam:PutRolePolicy", "Resource": "*"}]});
    Thief::operator(&scene, MANAGEMENT).attach_scp(SHOP, &scp);
    // What the policy has to spare is printed.
    doctor(&scene).code(5).says("iam:PutRolePolicy").says("\"arn:*:iam::*:role/RescindRemediation\"");
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
    assert_eq!(coverage(&scene, 5), (9, 10));
    doctor(&scene).code(5).says("--finding-publishing-frequency FIFTEEN_MINUTES --region eu-central-1");
    change(json!({"status": "DISABLED", "frequency": "FIFTEEN_MINUTES", "members": {SHOP: "Enabled"}}));
    assert_eq!(codes(&scene), [format!("detector_off {HOME}")]);
    assert_eq!(coverage(&scene, 5), (5, 10));
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
    doctor(&scene).code(5).says("guardduty:ListMembers");
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
    for text in ["chmod g-w,o-rwx rescind.toml", "\"freeze\"", "payments"] {
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
    assert!(codes(&scene).iter().any(|code| code.starts_with("ledger ")), "{:?}", codes(&scene));
}

#[test]
fn a_queue_is_judged_by_its_attributes() {
    let mut scene = sound();
    scene.queue("rescind-findings");
    scene.configure("mode = \"enforce\"\n");
    private(&scene, 0o600);
    let found = codes(&scene);
    assert!(found.contains(&"no_dead_letter_queue rescind-findings".to_owned()), "{found:?}");
    doctor(&scene).code(5).says("set-queue-attributes").says("RedrivePolicy");
}

#[test]
fn one_account_can_be_looked_at_alone() {
    let scene = sound();
    let found = scene.rescind(&["doctor", "--account", SHOP, "-o", "jsonl"]).code(0).json_document();
    assert_eq!((&found["covered"], &found["pairs"]), (&json!(2), &json!(2)));
    assert_eq!(found["members"].as_array().map(Vec::len), Some(1));
    doctor_of(&scene, "123456789012").code(5).says("123456789012");
    let before = scene.calls_of("AssumeRole").len();
    doctor_of(&scene, BANK).code(0);
    assert_eq!(scene.calls_of("AssumeRole").len(), before + 1);
}

/// An opt-out of an account as a whole.
fn leave_out(scene: &Scene, account: &str) {
    let opt_out = [
        "opt-out",
        "add",
        "none",
        "--account",
        account,
        "--mode",
        "off",
        "--owner",
        "me",
        "--reason",
        "no role",
        "--permanent",
    ];
    scene.rescind(&opt_out).code(0);
}

fn doctor_of(scene: &Scene, account: &str) -> Ran {
    scene.rescind(&["doctor", "--account", account])
}

#[test]
fn rescinds_own_guard_is_not_in_the_way() {
    let scene = sound();
    // The seal is there already.
    Thief::operator(&scene, MANAGEMENT).attach_scp(SHOP, &printed(&scene, "guard"));
    assert_eq!(codes(&scene), Vec::<String>::new());
    assert_eq!(coverage(&scene, 0), (10, 10));
}

/// The deny on itself has the role's own name in it, with its path.
#[test]
fn a_role_that_may_write_on_itself_is_named_and_the_printed_policy_mends_it() {
    let scene = Scene::with(Setting { role_path: "security/", ..Setting::default() });
    let printed = scene.rescind(&["policies", "print", "member-role"]).code(0).json_document();
    let denied = |policy: &Value| -> Vec<Value> {
        let all = policy["Statement"].as_array().expect("statements").iter();
        all.filter(|one| one["Effect"] == "Deny").map(|one| one["Resource"].clone()).collect()
    };
    assert_eq!(denied(&printed), ["arn:*:iam::*:role/security/RescindRemediation"]);
    let shop = Thief::operator(&scene, SHOP);
    let mut before = printed.clone();
    before["Statement"].as_array_mut().expect("statements").retain(|one| one["Effect"] == "Allow");
    shop.put_role_policy("RescindRemediation", "Rescind", &before.to_string()).expect("written");
    doctor_of(&scene, SHOP).says("OnlyLookAtItself");
    let itself = || scene.thief(&scene.session(SHOP, "RescindRemediation", "i-0123456789abcdef0"));
    itself().put_role_policy("RescindRemediation", "Rescind", &printed.to_string()).expect("it could");
    itself().put_role_policy("RescindRemediation", "more", &before.to_string()).expect_err("it cannot now");
    itself().delete_role_policy("RescindRemediation", "Rescind").expect_err("nor take the deny away");
    let found = doctor_of(&scene, SHOP);
    assert!(!found.out.contains("OnlyLookAtItself"), "{}", found.out);
}

#[test]
fn a_hub_that_may_not_read_findings_events_or_tags_sees_nothing() {
    let mut scene = sound();
    scene.queue("rescind-findings");
    scene.configure("mode = \"enforce\"\n");
    private(&scene, 0o600);
    let denied = json!({"error": {"code": "AccessDeniedException", "message": "no", "status": 403}});
    for (operation, code, covered) in [
        ("GetFindings", format!("guardduty_unreadable {HOME}"), 0),
        ("ListFindings", format!("guardduty_unreadable {OTHER}"), 0),
        ("ReceiveMessage", "queue_unreadable rescind-findings".to_owned(), 10),
        ("DeleteMessage", "queue_unreadable rescind-findings".to_owned(), 10),
        ("ChangeMessageVisibility", "queue_unreadable rescind-findings".to_owned(), 10),
        ("ListTagsForResource", "placement_unreadable organization".to_owned(), 10),
    ] {
        scene.fault("no", json!({"operation": operation}), "before", denied.clone(), 0);
        let found = codes(&scene);
        assert!(found.contains(&code), "{operation}: {found:?}");
        assert_eq!(coverage(&scene, 5), (covered, 10), "{operation}");
        doctor(&scene).says(operation);
        scene.delete("faults/no");
    }
}

#[test]
fn a_message_that_is_tried_stays_for_the_service() {
    let mut scene = sound();
    scene.queue("rescind-findings");
    scene.configure("mode = \"enforce\"\n");
    private(&scene, 0o600);
    let (thief, finding) = scene.theft(SHOP, "web");
    scene.post(
        "events",
        &json!({"queue": "rescind-findings", "account": SECURITY, "region": HOME, "finding_id": finding}),
    );
    doctor(&scene);
    assert_eq!(scene.messages("rescind-findings"), (1, 0));
    let mut service = crate::watching::Watching::start(&scene, &[]);
    service.until(log::REVOKED);
    thief.is_denied();
}

#[test]
fn a_service_that_is_gone_or_blind_is_a_problem() {
    let scene = sound();
    scene.configure("mode = \"enforce\"\npoll_interval = \"1h\"\n");
    private(&scene, 0o600);
    assert_eq!(level_of(&scene, "not_running"), "warning");
    // One that reads once and is refused, and does not try again while it is looked at.
    let denied = json!({"error": {"code": "AccessDeniedException", "message": "no", "status": 403}});
    scene.fault("no", json!({"operation": "ListFindings", "region": OTHER}), "before", denied, 1);
    let mut service = crate::watching::Watching::start(&scene, &[]);
    service.until(log::FINDINGS_UNREAD);
    scene.wait(|| codes(&scene).contains(&"not_ready service".to_owned()));
    doctor(&scene).code(5).says(OTHER);
    service.stop();
    assert_eq!(level_of(&scene, "not_running"), "problem");
}

#[test]
fn a_role_that_anybody_may_assume_is_no_green() {
    let scene = sound();
    Thief::operator(&scene, SHOP).trust("RescindRemediation", |trust| {
        let anybody =
            json!({"Sid": "All", "Effect": "Allow", "Principal": {"AWS": "*"}, "Action": "sts:AssumeRole"});
        trust["Statement"].as_array_mut().expect("a list").push(anybody);
    });
    let problems = diagnosis(&scene, 5)["problems"].clone();
    let one = &problems.as_array().expect("problems")[0];
    assert_eq!(
        (&one["code"], &one["level"], &one["place"]),
        (&json!("trust_too_wide"), &json!("problem"), &json!(SHOP))
    );
    // The statement is named.
    assert!(one.to_string().contains("All"), "{one}");
}

#[test]
fn accounts_that_are_suspended_or_opted_out_do_not_count() {
    let scene = without_one();
    let closed = scene.rescind(&["doctor", "--account", crate::scene::CLOSED]);
    closed.code(5).says(crate::scene::CLOSED);
    assert_eq!(coverage(&scene, 5), (8, 10));
    leave_out(&scene, BARE);
    let found = diagnosis(&scene, 0);
    assert_eq!((&found["covered"], &found["pairs"]), (&json!(8), &json!(8)));
    assert_eq!(found["left_out"][0]["account"], BARE, "{found}");
    // Asked about it, doctor says it.
    doctor_of(&scene, BARE).code(5).says(BARE);
    std::fs::remove_file(scene.path("opt-outs.toml")).expect("there");
    assert_eq!(coverage(&scene, 5).0, 8);
}

#[test]
fn opt_outs_that_vanished_are_a_problem() {
    let scene = sound();
    leave_out(&scene, BARE);
    scene.poll_new().code(0);
    std::fs::remove_file(scene.path("opt-outs.toml")).expect("there");
    assert_eq!(level_of(&scene, "opt_outs"), "problem");
    scene.poll_new().code(2);
}

#[test]
fn a_console_that_nobody_can_reach_or_log_in_at_is_named() {
    let scene = sound();
    std::fs::write(scene.path("web.pem"), "no certificate").expect("written");
    let console = |listen: &str, web: &str| {
        scene.configure(&format!(
            "listen = \"{listen}\"\n[web]\n{web}[[web.access]]\nrole = \"viewer\"\ngroups = [\"g\"]\n"
        ));
        private(&scene, 0o600);
        let known = ["web_certificate", "web_login", "web_unencrypted"];
        let found = codes(&scene);
        let names = found.iter().filter_map(|found| found.split(' ').next());
        names.filter(|code| known.contains(code)).map(str::to_owned).collect::<Vec<_>>()
    };
    let tls = "tls_certificates = \"web.pem\"\ntls_key = \"web.pem\"\n";
    let here =
        "url = \"https://rescind.test\"\n[web.oidc]\nissuer = \"http://127.0.0.1:1\"\nclient_id = \"x\"\n";
    assert_eq!(console("127.0.0.1:0", here), ["web_login"]);
    assert_eq!(console("127.0.0.1:0", &format!("{tls}{here}")), ["web_certificate", "web_login"]);
    assert_eq!(console("0.0.0.0:8443", here), ["web_login", "web_unencrypted"]);
}

#[test]
fn an_older_copy_of_the_ledger_is_seen_by_the_checkpoint_beside_it() {
    let scene = sound();
    let (ledger, old) = (scene.path("ledger.db"), scene.path("old.db"));
    let old_name = old.to_string_lossy().into_owned();
    scene.rescind(&["ledger", "backup", "-O", &old_name]).code(0);
    scene.theft(SHOP, "web");
    scene.poll().code(0);
    for end in ["-wal", "-shm"] {
        let _ = std::fs::remove_file(scene.path(&format!("ledger.db{end}")));
    }
    std::fs::rename(&old, &ledger).expect("put in place");
    assert_eq!(level_of(&scene, "ledger"), "problem");
    doctor(&scene).says("--checkpoint");
    // What is signed from now on does not take the place of the evidence.
    scene.rescind(&["ledger", "checkpoint"]).code(0);
    scene.poll_new().code(0);
    assert_eq!(level_of(&scene, "ledger"), "problem");
    let alerts = scene.entries_of("alert");
    assert!(alerts.iter().any(|alert| alert["data"]["code"] == "ledger_replaced"), "{alerts:?}");
}

#[test]
fn a_region_that_is_enabled_and_not_watched_is_reported() {
    let scene = Scene::with(Setting {
        management_member_role: true,
        enabled_regions: vec!["ap-southeast-2"],
        ..Setting::default()
    });
    give_role(&scene, BARE, &policy("member-role-trust.json"));
    private(&scene, 0o600);
    scene.watch();
    let management = Thief::operator(&scene, MANAGEMENT);
    management.attach_scp(&management.root_id(), &printed(&scene, "seal"));
    assert_eq!(codes(&scene), ["region_not_watched ap-southeast-2"]);
}

/// A rule with a slip in its type is for nothing, and nothing would say so.
#[test]
fn a_type_that_there_is_not_is_named_with_the_nearest() {
    let scene = sound();
    let rule = |kind: &str| {
        let rule = format!("[[rules]]\nname = \"tor\"\ntypes = [\"{kind}\"]\nmode = \"approve\"\n");
        scene.configure(&format!("mode = \"enforce\"\n{rule}"));
        private(&scene, 0o600);
    };
    for slip in ["Recon:IAMUser/TorIPCalller", "Recon:IAMUser/TorIPCalller*"] {
        rule(slip);
        assert_eq!(codes(&scene), ["type_unknown rules"], "{slip}");
        let found = diagnosis(&scene, 0);
        let of = |one: &&Value| one["code"] == "type_unknown";
        let problem = found["problems"].as_array().expect("problems").iter().find(of).expect("one");
        assert!(problem["text"].as_str().is_some_and(|text| text.contains("\"Recon:IAMUser/TorIPCaller\"")));
        assert!(scene.run_once().err.contains(log::TYPE_UNKNOWN), "{slip}");
    }
    rule("Recon:IAMUser/TorIP*");
    assert_eq!(codes(&scene), Vec::<String>::new());
    assert!(!scene.run_once().err.contains(log::TYPE_UNKNOWN));
}

/// What came and no rule is for: a note, and a warning when the type is new.
#[test]
fn what_was_seen_without_a_rule_is_named() {
    let scene = sound();
    scene.role(SHOP, "web");
    let seen = |kind: &str| {
        let session = scene.session(SHOP, "web", "i-0123456789abcdef0");
        scene.report(SHOP, "web", &session, json!({"type": kind}));
    };
    let said = || -> Vec<(String, String)> {
        let found = diagnosis(&scene, 0);
        let problems = found["problems"].as_array().expect("problems").iter();
        let of = problems.filter(|one| one["code"] == "without_rule");
        of.map(|one| (one["level"].to_string(), one["text"].as_str().expect("a text").to_owned())).collect()
    };
    assert_eq!(said(), []);
    seen("Recon:IAMUser/TorIPCaller");
    seen("Recon:IAMUser/TorIPCaller");
    seen("Recon:IAMUser/Unheard");
    scene.run_once();
    let [(new, new_text), (known, known_text)] = &said()[..] else { panic!("{:?}", said()) };
    assert_eq!((new.as_str(), known.as_str()), ("\"warning\"", "\"note\""));
    assert!(new_text.ends_with("Recon:IAMUser/Unheard (1)"), "{new_text}");
    assert!(known_text.ends_with("Recon:IAMUser/TorIPCaller (2)"), "{known_text}");
    // A rule for them, even one that says to do nothing, ends it.
    scene.configure("[[rules]]\nname = \"none\"\ntypes = [\"Recon:*\"]\nmode = \"off\"\n");
    private(&scene, 0o600);
    assert_eq!(said(), []);
}
