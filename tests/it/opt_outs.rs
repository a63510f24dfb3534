//! Where less may be done than the mode says: opt-outs and protected roles.

use crate::log;
use crate::scene::{BARE, MANAGEMENT, SECURITY, SHOP, Scene};
use crate::thief::Thief;
use crate::watching::Watching;
use serde_json::json;

fn opt_out(scene: &Scene, lines: &str) {
    let text = format!(
        "[[opt_out]]\nname = \"freeze\"\nowner = \"payments team\"\nreason = \"release week\"\n{lines}\n"
    );
    std::fs::write(scene.path("opt-outs.toml"), text).expect("written");
}

fn date(days: i64) -> String {
    let day = jiff::Timestamp::now() + jiff::SignedDuration::from_hours(24 * days);
    day.strftime("%Y-%m-%d").to_string()
}

#[test]
fn by_account_role_type_and_region_in_any_combination() {
    let off = format!("mode = \"off\"\nexpires = {}", date(30));
    for (selects, applies) in [
        (format!("accounts = [\"{SHOP}\"]"), true),
        ("accounts = [\"123456789012\"]".to_owned(), false),
        ("roles = [\"w?b\", \"x\"]".to_owned(), true),
        ("roles = [\"ci-*\"]".to_owned(), false),
        ("types = [\"UnauthorizedAccess:*\"]".to_owned(), true),
        ("types = [\"Recon:*\"]".to_owned(), false),
        ("regions = [\"eu-central-1\"]".to_owned(), true),
        ("regions = [\"us-east-1\"]".to_owned(), false),
        (format!("accounts = [\"{SHOP}\"]\nroles = [\"ci-*\"]"), false),
    ] {
        let scene = Scene::new();
        opt_out(&scene, &format!("{selects}\n{off}"));
        let (thief, finding) = scene.theft(SHOP, "web");
        let ran = scene.run_once();
        if applies {
            ran.has_code("opted_out").counts(json!({"skipped": 1}));
            assert_eq!(scene.decision(&finding)["code"], "opted_out", "{selects}");
            assert_eq!(scene.writes(), 0);
            thief.is_allowed();
        } else {
            ran.counts(json!({"revoked": 1}));
            thief.is_denied();
        }
    }
}

#[test]
fn one_that_says_observe_records_what_would_be_done() {
    let scene = Scene::new();
    opt_out(&scene, &format!("accounts = [\"{SHOP}\"]\nmode = \"observe\"\nexpires = {}", date(0)));
    let (thief, finding) = scene.theft(SHOP, "web");
    scene.run_once().counts(json!({"observed": 1}));
    assert_eq!(scene.decision(&finding)["code"], "opted_out_observe");
    // Which opt-outs a run went by is in the ledger.
    assert_eq!(scene.entries_of("opt_outs")[0]["data"]["in_force"], json!(["freeze"]));
    thief.is_allowed();
}

#[test]
fn an_expired_one_does_not_apply() {
    let scene = Scene::new();
    opt_out(&scene, &format!("accounts = [\"{SHOP}\"]\nmode = \"off\"\nexpires = {}", date(-1)));
    let (thief, _) = scene.theft(SHOP, "web");
    scene.run_once().counts(json!({"revoked": 1}));
    thief.is_denied();
}

#[test]
fn by_an_ou_two_levels_up_and_by_the_root() {
    let scene = Scene::new();
    let management = Thief::operator(&scene, MANAGEMENT);
    let production = management.parent_of(SHOP);
    let workloads = management.parent_of(&production);
    let root = management.parent_of(&workloads);
    for ou in [production, workloads, root] {
        opt_out(&scene, &format!("ous = [\"{ou}\"]\nmode = \"off\"\nexpires = {}", date(30)));
        let (thief, finding) = scene.theft(SHOP, &format!("role-in-{ou}"));
        scene.poll();
        assert_eq!(scene.decision(&finding)["code"], "opted_out", "{ou}");
        thief.is_allowed();
    }
    let sandbox = management.parent_of(BARE);
    opt_out(&scene, &format!("ous = [\"{sandbox}\"]\nmode = \"off\"\nexpires = {}", date(30)));
    let (thief, _) = scene.theft(SHOP, "web");
    scene.poll().counts(json!({"alerts": 1, "revoked": 1, "seen_before": 3}));
    thief.is_denied();
}

#[test]
fn one_that_cannot_be_evaluated_holds_until_it_can() {
    let scene = Scene::new();
    opt_out(&scene, &format!("tags = {{ team = \"pay*\" }}\nmode = \"off\"\nexpires = {}", date(30)));
    let (thief, finding) = scene.theft(SHOP, "web");
    let error = json!({"status": 400, "code": "AccessDeniedException", "message": "no"});
    scene.post("faults", &json!({"name": "f", "match": {"operation": "ListTagsForResource"}, "when": "before", "action": {"error": error}, "times": 0}));
    scene
        .poll()
        .code(5)
        .says("organizations:ListTagsForResource")
        .counts(json!({"failed_feeds": 1, "held": 1}));
    assert_eq!(scene.decision(&finding)["code"], "placement_unknown");
    assert_eq!(scene.writes(), 0);
    thief.is_allowed();
    scene.rescind(&["plan", "-o", "jsonl"]).code(0).has_code("placement_unknown");
    // The tags can be read, and the account has no such tag: nobody has to answer.
    scene.delete("faults/f");
    scene.run_once().counts(json!({"revoked": 1, "seen_before": 1}));
    assert_eq!(scene.entries_of("cleared").len(), 1);
    thief.is_denied();
}

#[test]
fn one_that_cannot_be_evaluated_can_be_judged_by_a_person() {
    let scene = Scene::new();
    opt_out(&scene, &format!("tags = {{ team = \"pay*\" }}\nmode = \"off\"\nexpires = {}", date(30)));
    let (thief, _) = scene.theft(SHOP, "web");
    let error = json!({"status": 400, "code": "AccessDeniedException", "message": "no"});
    scene.post("faults", &json!({"name": "f", "match": {"operation": "ListTagsForResource"}, "when": "before", "action": {"error": error}, "times": 0}));
    scene.poll().code(5).counts(json!({"failed_feeds": 1, "held": 1}));
    let list = scene.rescind(&["-o", "jsonl", "list"]).json();
    let id = list[0]["remediation"].as_str().expect("an id");
    scene.rescind(&["approve", id, "--by", "Ada", "--reason", "not the payments team's"]).code(0);
    scene.poll().counts(json!({"failed_feeds": 1, "revoked": 1, "seen_before": 1}));
    thief.is_denied();
}

#[test]
fn a_file_that_is_gone_at_a_start_is_not_taken_for_none() {
    let scene = Scene::new();
    opt_out(&scene, &format!("accounts = [\"{SHOP}\"]\nmode = \"off\"\nexpires = {}", date(30)));
    scene.watch();
    let (thief, _) = scene.theft(SHOP, "web");
    std::fs::remove_file(scene.path("opt-outs.toml")).expect("removed");
    scene.poll_new().code(2).says("opt-outs.toml");
    thief.is_allowed();
    // One that was cut to nothing is none either.
    std::fs::write(scene.path("opt-outs.toml"), "").expect("written");
    scene.poll_new().code(2).says("opt-outs.toml");
    std::fs::write(scene.path("opt-outs.toml"), "# none any more\n").expect("written");
    scene.poll_new().code(5).counts(json!({"alerts": 1, "revoked": 1})).says("freeze");
    assert_eq!(scene.entries_of("opt_outs").pop().expect("recorded")["data"]["removed"], json!(["freeze"]));
}

#[test]
fn a_finding_that_is_handed_in_again_is_decided_again() {
    let scene = Scene::new();
    scene.configure("mode = \"enforce\"\nprotected = [\"arn:aws:iam::*:role/break-glass*\"]\n");
    let (thief, finding) = scene.theft(SHOP, "break-glass-1");
    scene.poll().code(5).has_code("protected");
    let detail =
        scene.entries_of("finding")[0]["data"]["finding"]["detail"].as_str().expect("kept").to_owned();
    scene.configure("mode = \"enforce\"\n");
    scene.handle(detail.as_bytes()).counts(json!({"revoked": 1, "seen_before": 1}));
    assert_eq!(scene.decision(&finding)["verdict"], "remediate");
    thief.is_denied();
    scene.configure("mode = \"enforce\"\nprotected = [\"break-glass*\"]\n");
    scene.poll_new().code(2).says("rescind.toml").says("protected");
}

#[test]
fn no_organizations_calls_for_opt_outs_that_cannot_apply() {
    let scene = Scene::new();
    scene.configure("mode = \"enforce\"\naccount_tag = \"\"\n");
    opt_out(
        &scene,
        &format!("tags = {{ team = \"pay*\" }}\nroles = [\"other\"]\nmode = \"off\"\nexpires = {}", date(30)),
    );
    let (thief, _) = scene.theft(SHOP, "web");
    scene.run_once().counts(json!({"revoked": 1}));
    thief.is_denied();
    assert_eq!(scene.calls_of("ListTagsForResource").len(), 0);
}

#[test]
fn a_broken_file_is_refused_before_anything_is_done() {
    let scene = Scene::new();
    let (thief, _) = scene.theft(SHOP, "web");
    opt_out(&scene, "accounts = [\"12\"]\nmode = \"off\"\npermanent = true");
    scene.poll().code(2).says("opt-outs.toml:5:");
    std::fs::remove_file(scene.path("opt-outs.toml")).expect("removed");
    std::fs::create_dir(scene.path("opt-outs.toml")).expect("in the way");
    scene.poll().code(2).says("opt-outs.toml");
    thief.is_allowed();
    assert_eq!(scene.calls().len(), 1, "only the thief's own call");
}

#[test]
fn one_that_comes_later_stops_what_is_blocked() {
    let scene = Scene::new();
    let (thief, _) = scene.theft(BARE, "web");
    scene.poll().code(5);
    let entered = scene.calls_of("AssumeRole").len();
    opt_out(&scene, &format!("accounts = [\"{BARE}\"]\nmode = \"off\"\nexpires = {}", date(30)));
    scene.poll().code(5).says("payments team");
    assert_eq!(scene.calls_of("AssumeRole").len(), entered);
    thief.is_allowed();
}

#[test]
fn a_protected_role_is_never_revoked() {
    let scene = Scene::new();
    scene.configure("mode = \"enforce\"\nprotected = [\"arn:aws:iam::*:role/break-glass*\", \"arn:aws:iam::222222222222:role/ci/*\"]\n");
    let (glass, finding) = scene.theft(SECURITY, "Break-Glass-1");
    scene.poll().says("arn:aws:iam::*:role/break-glass*");
    assert_eq!(scene.decision(&finding)["code"], "protected");
    glass.is_allowed();

    // Only the path decides, and only IAM knows the path.
    let all =
        json!({"Version": "2012-10-17", "Statement": [{"Effect": "Allow", "Action": "*", "Resource": "*"}]});
    scene.post("roles", &json!({"account": SHOP, "name": "deploy", "path": "/ci/", "policy": all}));
    let session = scene.session(SHOP, "deploy", "i-0123456789abcdef0");
    scene.report(SHOP, "deploy", &session, json!({}));
    scene.poll().code(5).has_code("protected");
    scene.thief(&session).is_allowed();
    assert_eq!(scene.writes(), 0);
}

#[test]
fn the_command_line_adds_removes_and_keeps_what_people_wrote() {
    let scene = Scene::new();
    scene.configure("mode = \"enforce\"\naccount_tag = \"\"\n");
    std::fs::write(scene.path("opt-outs.toml"), "# Reviewed by Ada.\n").expect("written");
    let by = ["--owner", "payments team", "--reason", "release week"];
    let add = |more: &[&str]| scene.rescind(&[&["opt-out", "add"], more, &by[..]].concat());
    add(&[
        "freeze",
        "--mode",
        "off",
        "--expires",
        &date(10),
        "--account",
        SHOP,
        "--role",
        "w*",
        "--tag",
        "team=pay*",
    ])
    .code(0);
    add(&["ci", "--mode", "approve", "--permanent", "--role", "ci-*"]).code(0);
    let text = std::fs::read_to_string(scene.path("opt-outs.toml")).expect("there");
    assert!(text.starts_with("# Reviewed by Ada.\n\n[[opt_out]]\nname = \"freeze\"\n"), "{text}");
    let listed = scene.rescind(&["opt-out", "list", "-o", "jsonl"]).code(0).json();
    assert_eq!(
        (listed[0]["opt_out"]["name"].as_str(), listed[0]["days_left"].as_i64()),
        (Some("freeze"), Some(10))
    );
    assert_eq!((&listed[1]["applies"], &listed[1]["days_left"]), (&json!(true), &json!(null)));
    let explained = |more: &[&str]| {
        let args = [&["opt-out", "explain", "--account", SHOP, "-o", "jsonl"], more].concat();
        scene.rescind(&args).code(0).json().pop().expect("a line")
    };
    assert_eq!(explained(&["--role", "ci-1"])["mode"], "approve");
    let unsure = explained(&[]);
    assert_eq!((&unsure["mode"], &unsure["decided_by"]), (&json!("enforce"), &json!(null)));

    // Refused, and nothing is written.
    for refused in [
        &["freeze", "--mode", "off", "--permanent", "--role", "x"][..],
        &["far", "--mode", "off", "--expires", &date(400), "--role", "x"],
        &["all", "--mode", "off", "--permanent"],
        &["odd", "--mode", "off", "--permanent", "--account", "12"],
    ] {
        add(refused).code(2);
    }
    add(&["none", "--mode", "off", "--role", "x"]).code(2).says("--expires");
    scene.rescind(&["opt-out", "remove", "nobody"]).code(2).says("nobody");
    assert_eq!(std::fs::read_to_string(scene.path("opt-outs.toml")).expect("there"), text);

    scene.rescind(&["opt-out", "remove", "freeze"]).code(0);
    let text = std::fs::read_to_string(scene.path("opt-outs.toml")).expect("there");
    assert!(text.contains("name = \"ci\"") && !text.contains("freeze"), "{text}");
    let (thief, finding) = scene.theft(SHOP, "ci-1");
    scene.poll().code(5).counts(json!({"held": 1}));
    assert_eq!(scene.decision(&finding)["opt_outs"], json!(["ci"]));
    thief.is_allowed();
}

#[test]
fn one_that_asks_for_approval_holds() {
    let scene = Scene::new();
    opt_out(&scene, &format!("accounts = [\"{SHOP}\"]\nmode = \"approve\"\nexpires = {}", date(1)));
    let (thief, finding) = scene.theft(SHOP, "web");
    scene.poll().code(5);
    assert_eq!(scene.decision(&finding)["code"], "opted_out_approve");
    thief.is_allowed();
}

/// A service that polls every five seconds.
fn service(scene: &Scene) -> Watching {
    scene.configure("mode = \"enforce\"\npoll_interval = \"5s\"\n");
    scene.watch();
    Watching::start(scene, &[])
}

#[test]
fn a_running_service_takes_a_change_over_and_records_it() {
    let scene = Scene::new();
    let mut service = service(&scene);
    opt_out(&scene, &format!("accounts = [\"{SHOP}\"]\nmode = \"off\"\nexpires = {}", date(30)));
    service.until(log::OPT_OUTS_READ);
    let (thief, finding) = scene.theft(SHOP, "web");
    service.until(log::OPTED_OUT);
    assert_eq!(scene.decision(&finding)["code"], "opted_out");
    thief.is_allowed();
    let read = scene.entries_of("opt_outs").pop().expect("recorded");
    assert_eq!(read["data"]["added"][0]["name"], "freeze");
    assert_eq!(read["data"]["in_force"], json!(["freeze"]));
    // And away again.
    std::fs::write(scene.path("opt-outs.toml"), "# none any more\n").expect("written");
    service.until(log::OPT_OUTS_REMOVED);
    assert_eq!(scene.entries_of("opt_outs").pop().expect("recorded")["data"]["removed"], json!(["freeze"]));
    let (thief, _) = scene.theft(SHOP, "batch");
    service.until(log::REVOKED);
    thief.is_denied();
}

#[test]
fn a_broken_file_is_not_taken_over_while_the_service_runs() {
    let scene = Scene::new();
    opt_out(&scene, &format!("accounts = [\"{SHOP}\"]\nmode = \"off\"\nexpires = {}", date(30)));
    let mut service = service(&scene);
    opt_out(&scene, "accounts = [\"12\"]\nmode = \"off\"\npermanent = true");
    service.signal("HUP");
    assert!(service.until(log::OPT_OUTS_REFUSED).contains("opt-outs.toml:5:"));
    // Those from before still apply. So they do when the file is gone.
    std::fs::remove_file(scene.path("opt-outs.toml")).expect("removed");
    assert!(service.until(log::OPT_OUTS_REFUSED).contains("opt-outs.toml"));
    let (thief, finding) = scene.theft(SHOP, "web");
    service.until(log::OPTED_OUT);
    assert_eq!(scene.decision(&finding)["code"], "opted_out");
    thief.is_allowed();
    assert_eq!(scene.entries_of("opt_outs_refused").len(), 2);
}

#[test]
fn a_file_that_is_named_must_be_there() {
    let scene = Scene::new();
    scene.configure("mode = \"enforce\"\nopt_outs = \"reviewed.toml\"\n");
    let (thief, _) = scene.theft(SHOP, "web");
    for args in [&["run", "--once", "--backlog"][..], &["run"], &["plan"], &["opt-out", "list"]] {
        scene.rescind(args).code(2).says("reviewed.toml:");
    }
    scene.rescind(&["doctor"]).code(5).says("reviewed.toml:");
    assert_eq!(scene.writes(), 0);
    thief.is_allowed();
    std::fs::write(scene.path("reviewed.toml"), "# none\n").expect("written");
    scene.run_once().counts(json!({"revoked": 1}));
}

#[test]
fn a_link_that_leads_nowhere_is_not_no_file() {
    let scene = Scene::new();
    std::os::unix::fs::symlink("not-mounted/opt-outs.toml", scene.path("opt-outs.toml")).expect("a link");
    let (thief, _) = scene.theft(SHOP, "web");
    scene.poll().code(2).says("opt-outs.toml:");
    thief.is_allowed();
}

#[test]
fn a_configuration_that_names_a_file_that_is_not_there_is_not_taken_over() {
    let scene = Scene::new();
    scene.configure("mode = \"observe\"\n");
    opt_out(&scene, &format!("accounts = [\"{SHOP}\"]\nmode = \"off\"\nexpires = {}", date(30)));
    let mut service = service(&scene);
    scene.configure("mode = \"enforce\"\nopt_outs = \"reviewed.toml\"\n");
    service.signal("HUP");
    assert!(service.until(log::CONFIGURATION_REFUSED).contains("reviewed.toml:"));
    let (thief, finding) = scene.theft(SHOP, "web");
    service.until("code=\"opted_out\"");
    assert_eq!(scene.decision(&finding)["code"], "opted_out");
    thief.is_allowed();
    assert_eq!(scene.entries_of("reload_refused").len(), 1);
}

#[test]
fn those_that_expired_or_soon_will_are_named() {
    let scene = Scene::new();
    opt_out(&scene, &format!("accounts = [\"{SHOP}\"]\nmode = \"off\"\nexpires = {}", date(-3)));
    scene.run_once();
    let expired = scene.rescind(&["opt-out", "list", "-o", "jsonl"]).code(0).json().remove(0);
    assert_eq!(expired["applies"], false);
    opt_out(&scene, &format!("accounts = [\"{SHOP}\"]\nmode = \"off\"\nexpires = {}", date(14)));
    scene.poll_new().says(log::EXPIRES_SOON);
    opt_out(&scene, &format!("accounts = [\"{SHOP}\"]\nmode = \"off\"\nexpires = {}", date(15)));
    assert!(!scene.poll_new().err.contains(log::EXPIRES_SOON));
}
