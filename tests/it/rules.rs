//! Rules: which findings are acted on, and in which mode.

use crate::scene::{BANK, HOME, SHOP, Scene};
use crate::screens::Transcript;
use crate::skips::not_affiliated;
use serde_json::json;
use std::fmt::Write;

/// The event pattern of an event rule for one type, as it stands in AWS's sample.
const ONE_TYPE: &str = r#"{
    "source": ["aws.guardduty"],
    "detail": {
    "type": ["UnauthorizedAccess:IAMUser/InstanceCredentialExfiltration.OutsideAWS"]
    }
}"#;

/// The event pattern of an event rule for every finding.
const EVERY_FINDING: &str = r#"{
  "detail-type": [
    "GuardDuty Finding"
  ],
  "source": [
    "aws.guardduty"
  ]
}"#;

fn rules(scene: &Scene, tables: &str) {
    scene.configure(&format!("mode = \"enforce\"\n{tables}"));
}

#[test]
fn a_pattern_from_an_event_rule_works_as_it_stands() {
    for pattern in [ONE_TYPE, EVERY_FINDING] {
        let scene = Scene::new();
        rules(
            &scene,
            &format!("[[rules]]\nname = \"pasted\"\npattern = '''{pattern}'''\nmode = \"enforce\"\n"),
        );
        let (thief, finding) = scene.theft(SHOP, "web");
        let session = scene.session(SHOP, "web", "i-0bbbbbbbbbbbbbbbb");
        scene.role(SHOP, "batch");
        let other = scene.session(SHOP, "batch", "i-0cccccccccccccccc");
        let recon = scene.report(SHOP, "batch", &other, json!({"type": "Recon:IAMUser/TorIPCaller"}));
        scene.run_once();
        assert_eq!(scene.decision(&finding)["rule"], "pasted");
        thief.is_denied();
        scene.thief(&session).is_denied();
        // Another type is acted on only where a rule is for it.
        if pattern == EVERY_FINDING {
            assert_eq!(scene.decision(&recon)["rule"], "pasted");
            scene.thief(&other).is_denied();
        } else {
            assert_eq!(scene.decision(&recon)["code"], "other_type");
            scene.thief(&other).is_allowed();
        }
    }
}

#[test]
fn a_pattern_sees_the_whole_finding_also_after_a_restart() {
    let scene = Scene::new();
    let by_network = r#"{"detail": {"service": {"action": {"awsApiCallAction": {"remoteIpDetails": {"ipAddressV4": [{"cidr": "203.0.113.0/24"}]}}}}, "severity": [{"numeric": [">=", 7]}]}}"#;
    rules(
        &scene,
        &format!("[[rules]]\nname = \"our own scanner\"\npattern = '{by_network}'\nmode = \"observe\"\n"),
    );
    let (thief, finding) = scene.theft(SHOP, "web");
    // Recorded, and killed before it was decided.
    scene.kill_at("ListTagsForResource", "before");
    assert!(scene.entries_of("decision").is_empty());
    scene.run_once().has_code("rule_observe");
    assert_eq!(scene.decision(&finding)["code"], "rule_observe");
    thief.is_allowed();
}

#[test]
fn the_first_that_matches_decides() {
    let by_type = "types = [\"UnauthorizedAccess:*\"]\n";
    for (tables, code, rule) in [
        (
            format!(
                "[[rules]]\nname = \"a\"\n{by_type}mode = \"observe\"\n[[rules]]\nname = \"b\"\n{by_type}mode = \"enforce\"\n"
            ),
            "rule_observe",
            "a",
        ),
        (
            format!(
                "[[rules]]\nname = \"a\"\n{by_type}mode = \"enforce\"\n[[rules]]\nname = \"b\"\n{by_type}mode = \"off\"\n"
            ),
            "stolen_role_session",
            "a",
        ),
        (
            format!(
                "[[rules]]\nname = \"a\"\n{by_type}regions = [\"us-east-1\"]\nmode = \"off\"\n[[rules]]\nname = \"b\"\n{by_type}"
            ),
            "stolen_role_session",
            "b",
        ),
        (
            "[[rules]]\nname = \"a\"\nmin_severity = 8.1\nmode = \"off\"\n".to_owned(),
            "stolen_role_session",
            "built-in: credential exfiltration",
        ),
        ("[[rules]]\nname = \"a\"\nmin_severity = 8.0\nmode = \"off\"\n".to_owned(), "rule_off", "a"),
        (
            format!(
                "[[rules]]\nname = \"a\"\npattern = '{}'\nmode = \"observe\"\n[[rules]]\nname = \"b\"\n{by_type}mode = \"off\"\n",
                EVERY_FINDING.replace('\n', "")
            ),
            "rule_observe",
            "a",
        ),
        (
            format!(
                "[[rules]]\nname = \"b\"\n{by_type}mode = \"off\"\n[[rules]]\nname = \"a\"\npattern = '{}'\n",
                EVERY_FINDING.replace('\n', "")
            ),
            "rule_off",
            "b",
        ),
    ] {
        let scene = Scene::new();
        rules(&scene, &tables);
        let (_, finding) = scene.theft(SHOP, "web");
        scene.run_once();
        let decision = scene.decision(&finding);
        assert_eq!((&decision["code"], &decision["rule"]), (&json!(code), &json!(rule)), "{tables}");
    }
}

/// Whoever set a limit sees in the decision that it was the limit.
#[test]
fn what_a_rule_is_for_but_for_its_limits_says_which() {
    let kind = "Recon:IAMUser/TorIPCaller";
    let by_pattern = format!("pattern = '{{\"detail\": {{\"type\": [\"{kind}\"], \"severity\": [9]}}}}'");
    for (limits, said) in [
        (format!("types = [\"{kind}\"]\nmin_severity = 8.1"), &["8.1", "8"][..]),
        (
            "types = [\"Recon:*\"]\nmin_severity = 9\nregions = [\"us-east-1\"]".to_owned(),
            &["9", "us-east-1", HOME],
        ),
        (format!("types = [\"{kind}\"]\naffiliated = false"), &["organization"]),
        (by_pattern, &["pattern"]),
    ] {
        let scene = Scene::new();
        rules(&scene, &format!("[[rules]]\nname = \"grave\"\n{limits}\n"));
        scene.role(SHOP, "web");
        let session = scene.session(SHOP, "web", "i-0123456789abcdef0");
        let finding = scene.report(SHOP, "web", &session, json!({"type": kind, "severity": 8.0}));
        scene.run_once();
        let decision = scene.decision(&finding);
        assert_eq!((&decision["verdict"], &decision["code"]), (&json!("skip"), &json!("other_type")));
        let reason = decision["reason"].as_str().expect("a reason");
        assert!(
            reason.contains("rule \"grave\"") && said.iter().all(|part| reason.contains(part)),
            "{reason}"
        );
    }
}

#[test]
fn a_rule_never_makes_the_installation_bolder() {
    let scene = Scene::new();
    scene.configure("mode = \"observe\"\n[[rules]]\nname = \"a\"\ntypes = [\"*\"]\nmode = \"enforce\"\n");
    let (thief, finding) = scene.theft(SHOP, "web");
    scene.run_once().counts(json!({"observed": 1}));
    assert_eq!(scene.decision(&finding)["code"], "mode_observe");
    thief.is_allowed();
}

#[test]
fn what_is_unclear_is_held() {
    let scene = Scene::new();
    rules(&scene, "[[rules]]\nname = \"grave\"\nmin_severity = 7\nmode = \"observe\"\n");
    scene.role(SHOP, "web");
    let session = scene.session(SHOP, "web", "i-0123456789abcdef0");
    let finding = scene.report(SHOP, "web", &session, json!({"severity": null}));
    scene.poll().code(5);
    assert_eq!(scene.decision(&finding)["code"], "rule_unclear");

    let scene = Scene::new();
    rules(
        &scene,
        &format!(
            "[[rules]]\nname = \"pasted\"\npattern = '{}'\nmode = \"off\"\n",
            ONE_TYPE.replace('\n', "")
        ),
    );
    scene.role(SHOP, "web");
    let session = scene.session(SHOP, "web", "i-0123456789abcdef0");
    let long = json!({"overrides": {"description": "x".repeat(70_000)}});
    let finding = scene.report(SHOP, "web", &session, long);
    scene.poll().code(5);
    assert_eq!(scene.decision(&finding)["code"], "rule_unclear");
    assert_eq!(scene.writes(), 0);
}

#[test]
fn what_the_rules_cannot_mean_is_refused_with_its_place() {
    let scene = Scene::new();
    let mut screens = Transcript::new(&scene);
    for tables in [
        "[[rules]]\nname = \"a\"\npattern = '{\"$or\": [{\"source\": [\"x\"]}]}'\n",
        "[[rules]]\nname = \"a\"\npattern = '{\"detail\": {\"type\": [{\"regexp\": \"x\"}]}}'\n",
        "[[rules]]\nname = \"a\"\ntypes = [\"*\"]\n[[rules]]\nname = \"b\"\n",
        "[[rules]]\nname = \"a\"\ntypes = [\"recon:IAMUser/X\"]\n",
        "[[rules]]\nname = \"a\"\n",
        "[[rules]]\nname = \"built-in: x\"\ntypes = [\"*\"]\n",
        "[[rules]]\nname = \"a\"\ntypes = [\"*\"]\n[[rules]]\nname = \"a\"\ntypes = [\"*\"]\n",
        "[[rules]]\nname = \"a\"\ntypes = [\"*\"]\nscope = \"user\"\n",
        "[[rules]]\nname = \"a\"\ntypes = [\"*\"]\nremedy = \"user_keys\"\nscope = \"session\"\n",
        "[[rules]]\nname = \"a\"\ntypes = [\"*\"]\nwiden = true\n",
        "[[rules]]\nname = \"a\"\ntypes = [\"*\"]\nremedy = []\n",
        "[[rules]]\nname = \"a\"\ntypes = [\"*\"]\nmin_severity = 11\n",
        "[[rules]]\nname = \"a\"\ntype = [\"*\"]\n",
    ] {
        rules(&scene, tables);
        screens.note("rescind.toml", tables);
        screens.run(&["run", "--once"]).code(2).says("rescind.toml:");
    }
    screens.is("rules");
    assert!(scene.calls().is_empty());
}

#[test]
fn an_affiliated_account_is_held_and_a_stranger_is_not() {
    // An active account of the organization, which GuardDuty does not take for one.
    let mut known = not_affiliated();
    known["service"]["action"]["awsApiCallAction"]["remoteAccountDetails"]["accountId"] = json!(BANK);
    for (more, code) in
        [(json!({}), "rule_approve"), (known, "rule_approve"), (not_affiliated(), "stolen_role_session")]
    {
        let scene = Scene::new();
        scene.role(SHOP, "web");
        let session = scene.session(SHOP, "web", "i-0123456789abcdef0");
        let kind = "UnauthorizedAccess:IAMUser/InstanceCredentialExfiltration.InsideAWS";
        let finding = scene.report(SHOP, "web", &session, json!({"type": kind, "overrides": more}));
        scene.poll();
        assert_eq!(scene.decision(&finding)["code"], code);
    }
}

#[test]
fn many_rules_that_ask_for_the_same_field() {
    let scene = Scene::new();
    let mut tables = String::new();
    for n in 0..300 {
        let pattern = json!({"detail": {
            "severity": [{"numeric": [">=", 7]}],
            "type": [format!("Recon:IAMUser/T{n}")],
            "service": {"action": {"awsApiCallAction": {"remoteIpDetails": {"ipAddressV4": [{"cidr": format!("10.{}.0.0/17", n % 200)}, {"cidr": "203.0.113.0/24"}]}}}},
        }});
        let _ = write!(tables, "[[rules]]\nname = \"r{n}\"\npattern = '{pattern}'\nmode = \"observe\"\n");
    }
    let office = r#"{"$or": [{"detail": {"severity": [{"numeric": [">", 9]}]}}, {"detail": {"service": {"action": {"awsApiCallAction": {"remoteIpDetails": {"ipAddressV4": [{"cidr": "203.0.113.0/24"}]}}}}}}]}"#;
    let _ = write!(tables, "[[rules]]\nname = \"our office\"\npattern = '{office}'\nmode = \"off\"\n");
    rules(&scene, &tables);
    let (thief, finding) = scene.theft(SHOP, "web");
    scene.run_once().has_code("rule_off");
    assert_eq!(scene.decision(&finding)["rule"], "our office");
    thief.is_allowed();
}

#[test]
fn explain_shows_every_check_and_the_one_that_decided() {
    let scene = Scene::new();
    rules(&scene, "[[rules]]\nname = \"quiet\"\ntypes = [\"UnauthorizedAccess:*\"]\nmode = \"observe\"\n");
    let (_, finding) = scene.theft(SHOP, "web");
    scene.run_once();
    let explained = scene.rescind(&["explain", &finding[..8], "-o", "jsonl"]).code(0).json_document();
    let checks = explained["decision"]["data"]["checks"].as_array().expect("checks");
    // The last one asks for the mode, which is the rule's.
    assert_eq!(checks.len(), 10, "{explained}");
    let (last, before) = checks.split_last().expect("checks");
    assert!(last["decided"] == true && before.iter().all(|check| check["decided"].is_null()), "{explained}");
    assert!(last["check"] == "mode" && last["result"].to_string().contains("quiet"), "{last}");
    scene.rescind(&["explain", "nothing"]).code(2).says("\"nothing\"");
    assert_eq!(scene.writes(), 0);
}
