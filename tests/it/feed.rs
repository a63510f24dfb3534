//! The feed: every finding, once; pages, cursors, and what cannot be read.

use crate::scene::{HOME, OTHER, SECURITY, SHOP, Scene};
use serde_json::{Value, json};

fn cursor(scene: &Scene, region: &str) -> Option<String> {
    let ledger = rusqlite::Connection::open(scene.path("ledger.db")).expect("a ledger");
    let sql = "SELECT updated_at FROM cursors WHERE region = ?1 AND detector NOT LIKE '% whole'";
    ledger.query_row(sql, [region], |row| row.get(0)).ok()
}

fn inject(scene: &Scene, region: &str, findings: &[Value]) {
    scene.post("findings", &json!({"account": SECURITY, "region": region, "findings": findings}));
}

fn exfiltration(id: String, updated_at: String) -> Value {
    json!({"id": id, "accountId": SHOP, "updatedAt": updated_at, "service": {"eventLastSeen": updated_at},
        "type": "UnauthorizedAccess:IAMUser/InstanceCredentialExfiltration.OutsideAWS",
        "resource": {"resourceType": "AccessKey", "accessKeyDetails": {"userType": "IAMUser", "userName": "u"}}})
}

fn minutes_ago(minutes: i64) -> String {
    // One moment for the whole test, so that distances are exact.
    static NOW: std::sync::OnceLock<jiff::Timestamp> = std::sync::OnceLock::new();
    let now = *NOW.get_or_init(jiff::Timestamp::now);
    (now - jiff::SignedDuration::from_mins(minutes)).strftime("%Y-%m-%dT%H:%M:%S%.3fZ").to_string()
}

#[test]
fn all_pages_in_all_regions_and_each_finding_once() {
    let scene = Scene::new();
    for region in [HOME, OTHER] {
        let findings: Vec<Value> =
            (0..130).map(|n| exfiltration(format!("{region}-{n}"), minutes_ago(200 - n))).collect();
        inject(&scene, region, &findings);
    }
    scene.run_once().counts(json!({"skipped": 260}));
    assert_eq!(scene.entries_of("finding").len(), 260);
    assert_eq!(scene.entries_of("decision").len(), 260);
    for call in scene.calls_of("GetFindings") {
        assert_eq!(call["status"], 200);
    }
    // The second poll starts from the cursor, with an overlap: what it sees again it knows.
    scene.run_once().counts(json!({"seen_before": 260}));
    assert_eq!(scene.entries_of("finding").len(), 260);
}

#[test]
fn the_cursor_moves_with_the_findings_and_never_ahead_of_now() {
    let scene = Scene::new();
    let latest = minutes_ago(3);
    inject(
        &scene,
        HOME,
        &[exfiltration("a".to_owned(), minutes_ago(90)), exfiltration("b".to_owned(), latest.clone())],
    );
    scene.run_once();
    assert_eq!(cursor(&scene, HOME).as_deref(), Some(latest.as_str()));
    assert_eq!(cursor(&scene, OTHER), None);

    // One from the year 2099 must not hide what comes after it.
    inject(&scene, HOME, &[exfiltration("c".to_owned(), "2099-01-01T00:00:00.000Z".to_owned())]);
    scene.run_once();
    assert!(cursor(&scene, HOME).expect("a cursor").as_str() < "2099");
    inject(&scene, HOME, &[exfiltration("d".to_owned(), minutes_ago(0))]);
    scene.run_once();
    assert_eq!(scene.decision("d")["verdict"], "skip");
}

#[test]
fn a_finding_that_shows_up_late_is_not_lost() {
    let scene = Scene::new();
    inject(&scene, HOME, &[exfiltration("first".to_owned(), minutes_ago(1))]);
    scene.run_once();
    // Written before the one that is known, listed after it.
    for (id, minutes) in [("late", 12), ("later", 40), ("as late as GuardDuty may be", 370)] {
        inject(&scene, HOME, &[exfiltration(id.to_owned(), minutes_ago(minutes))]);
        scene.run_once();
        assert_eq!(scene.decision(id)["verdict"], "skip", "{id}");
    }
    // What is later than that is found within a day.
    inject(&scene, HOME, &[exfiltration("next day".to_owned(), minutes_ago(20 * 60))]);
    scene.run_once();
    assert_eq!(scene.entries_of("decision").len(), 4);
    let ledger = rusqlite::Connection::open(scene.path("ledger.db")).expect("a ledger");
    let sql = "UPDATE cursors SET updated_at = ?1 WHERE detector LIKE '% whole'";
    assert_eq!(ledger.execute(sql, [minutes_ago(24 * 60 + 1)]).expect("changed"), 2);
    drop(ledger);
    scene.run_once();
    assert_eq!(scene.decision("next day")["verdict"], "skip");
}

/// GuardDuty gives a type of the family another suffix.
#[test]
fn a_type_that_nobody_has_heard_of_is_acted_on_when_it_is_of_a_family() {
    let scene = Scene::new();
    scene.configure("mode = \"enforce\"\n");
    for (role, kind) in [
        ("web", "UnauthorizedAccess:IAMUser/InstanceCredentialExfiltration.ViaVPCEndpoint"),
        ("batch", "UnauthorizedAccess:IAMUser/ResourceCredentialExfiltration.OutsideOrg"),
    ] {
        scene.role(SHOP, role);
        let session = scene.session(SHOP, role, "i-0123456789abcdef0");
        let finding = scene.report(SHOP, role, &session, json!({"type": kind}));
        scene.run_once();
        assert_eq!(scene.decision(&finding)["rule"], "built-in: credential exfiltration");
        scene.thief(&session).is_denied();
    }
}

/// What is about credentials is decided on, whether or not a rule is for it; what is about an instance or a bucket, and no
/// rule is for, is none of our business.
#[test]
fn what_no_rule_is_for_is_decided_on_once_if_it_is_about_credentials() {
    let scene = Scene::new();
    let of = |id: &str, kind: &str, resource: &str| {
        let mut finding = exfiltration(id.to_owned(), minutes_ago(1));
        finding["type"] = json!(kind);
        finding["resource"]["resourceType"] = json!(resource);
        finding
    };
    let findings = [
        of("known", "Recon:IAMUser/TorIPCaller", "AccessKey"),
        of("unheard", "Recon:IAMUser/Unheard", "AccessKey"),
        of("sequence", "AttackSequence:Unheard/Of", "AttackSequence"),
        of("instance", "Backdoor:EC2/C&CActivity.B", "Instance"),
        of("bucket", "Exfiltration:S3/AnomalousBehavior", "S3Bucket"),
        // It is listed with those about credentials.
        of("odd", "Exfiltration:S3/AnomalousBehavior", "AccessKey"),
    ];
    inject(&scene, HOME, &findings);
    let planned = scene.rescind(&["plan", "-o", "jsonl"]).code(0).json();
    assert!(planned.iter().all(|plan| plan["code"] == "other_type") && planned.len() == 3, "{planned:?}");
    let ran = scene.run_once().code(0).counts(json!({"skipped": 3})).json();
    scene.run_once().code(0).counts(json!({}));
    let decided = scene.entries_of("decision");
    assert!(decided.iter().all(|entry| entry["data"]["code"] == "other_type"), "{decided:?}");
    let mut ids: Vec<_> = decided.iter().filter_map(|entry| entry["finding"].as_str()).collect();
    ids.sort_unstable();
    assert_eq!(ids, ["known", "sequence", "unheard"]);
    assert_eq!(scene.entries_of("finding").len(), 3);
    let by_type = json!({
        "AttackSequence:Unheard/Of": 1, "Recon:IAMUser/TorIPCaller": 1, "Recon:IAMUser/Unheard": 1,
    });
    assert!(ran.iter().any(|line| line["without_rule"] == by_type), "{ran:?}");
    let report = scene.rescind(&["report", "-o", "json"]).code(0).json_document();
    assert_eq!(report["summary"]["without_rule"], by_type);
    let page = scene.rescind(&["report", "-o", "html"]).code(0).out;
    assert!(page.contains("Recon:IAMUser/Unheard"));
    assert!(scene.entries_of("alert").is_empty());
    assert_eq!(scene.calls_of("AssumeRole").len(), 0);
}

#[test]
fn what_no_rule_was_for_is_decided_again_when_one_is() {
    let rules = |text: &str| format!("mode = \"enforce\"\npoll_interval = \"1h\"\n{text}");
    let scene = Scene::new();
    scene.configure(&rules(""));
    scene.watch();
    let session = |role: &str| {
        scene.role(SHOP, role);
        let session = scene.session(SHOP, role, "i-0123456789abcdef0");
        let finding = scene.report(SHOP, role, &session, json!({"type": "Recon:IAMUser/TorIPCaller"}));
        (scene.thief(&session), finding)
    };
    let (thief, finding) = session("web");
    scene.run_once().code(0).counts(json!({"skipped": 1}));
    assert_eq!(scene.decision(&finding)["code"], "other_type");
    assert_eq!(scene.rescind(&["show", "--finding", &finding]).code(0).json_document()["id"], json!(finding));
    thief.is_allowed();
    // One that asks for more than the finding has is none.
    scene.configure(&rules("[[rules]]\nname = \"severe\"\ntypes = [\"Recon:*\"]\nmin_severity = 9.5\n"));
    scene.run_once();
    assert_eq!(scene.entries_of("decision").len(), 1);
    let rule = rules("[[rules]]\nname = \"tor\"\ntypes = [\"Recon:IAMUser/*\"]\n");
    scene.configure(&rule);
    scene.run_once().counts(json!({"revoked": 1}));
    thief.is_denied();
    scene.run_once();
    assert_eq!(scene.entries_of("decision").len(), 2);
    // A running service does so when it reads its configuration again.
    scene.configure(&rules(""));
    let (thief, finding) = session("batch");
    let mut service = crate::watching::Watching::start(&scene, &[]).polled(2);
    scene.wait(|| scene.count("kind = 'decision'") == 3);
    assert_eq!(scene.decision(&finding)["code"], "other_type");
    scene.configure(&rule);
    service.signal("HUP");
    service.until(crate::log::REVOKED);
    thief.is_denied();
    assert_eq!(service.stop(), 0);
}

#[test]
fn a_poll_that_breaks_off_is_done_again() {
    let scene = Scene::new();
    let findings: Vec<Value> =
        (0..70).map(|n| exfiltration(format!("f-{n}"), minutes_ago(100 - n))).collect();
    inject(&scene, HOME, &findings);
    let error = json!({"status": 403, "code": "AccessDeniedException", "message": "no"});
    scene.post("faults", &json!({"name": "f", "match": {"operation": "GetFindings"}, "when": "before", "action": {"error": error}, "times": 1}));
    scene.poll().code(5).says("AccessDeniedException");
    assert_eq!(cursor(&scene, HOME), None);
    scene.run_once();
    assert_eq!(scene.entries_of("decision").len(), 70);
}

#[test]
fn one_that_cannot_be_read_costs_only_itself() {
    let scene = Scene::new();
    let (thief, _) = scene.theft(SHOP, "web");
    let mut broken = exfiltration("broken-time".to_owned(), "yesterday".to_owned());
    broken["service"] = json!({"archived": false});
    let mut odd = exfiltration("broken-name".to_owned(), minutes_ago(1));
    odd["resource"]["accessKeyDetails"]["userName"] = json!({"not": "a name"});
    // The SDK's own types cannot hold these: the answer's bytes are decoded instead.
    let mut severe = exfiltration("broken-severity".to_owned(), minutes_ago(1));
    severe["severity"] = json!("high");
    inject(&scene, HOME, &[broken, odd, severe]);

    scene.poll().code(5).counts(json!({"revoked": 1, "skipped": 1, "undecodable": 2}));
    thief.is_denied();
    let notes = scene.entries_of("finding").into_iter().find(|entry| entry["finding"] == "broken-severity");
    let notes = notes.expect("recorded")["data"]["finding"]["notes"].clone();
    assert!(notes[0].as_str().is_some_and(|note| note.starts_with("severity: ")), "{notes}");
    assert_eq!(notes.as_array().map(Vec::len), Some(1));
    let paths: Vec<String> = scene
        .entries_of("undecodable")
        .iter()
        .map(|e| {
            format!(
                "{}: {}",
                e["finding"].as_str().expect("an id"),
                e["data"]["undecodable"]["path"].as_str().expect("a path")
            )
        })
        .collect();
    for (id, field) in [("broken-time", "updatedAt"), ("broken-name", "resource.accessKeyDetails.userName")] {
        assert!(paths.iter().any(|p| p.starts_with(id) && p.ends_with(field)), "{id} {field}: {paths:?}");
    }
    // Known from then on: not recorded at every poll.
    scene.run_once();
    assert_eq!(scene.entries_of("undecodable").len(), 2);
}

/// An answer that is not even JSON for us, because of one finding in it: the batch is halved until
/// that one stands alone.
#[test]
fn one_that_spoils_its_whole_batch_costs_only_itself() {
    let deep = format!("{}1{}", "[".repeat(200), "]".repeat(200));
    for (name, spoilt) in [("surrogate", r#""\ud83d""#), ("deep", deep.as_str()), ("number", "1e400")] {
        let scene = Scene::new();
        let (first, _) = scene.theft(SHOP, "web");
        let (second, _) = scene.theft(SHOP, "batch");
        let finding = exfiltration("spoilt".to_owned(), minutes_ago(1)).to_string();
        let finding = finding.strip_suffix('}').expect("an object");
        let finding = format!("{finding},\"description\":{spoilt}}}");
        let body = format!("{{\"account\":\"{SECURITY}\",\"region\":\"{HOME}\",\"findings\":[{finding}]}}");
        scene.post_text("findings", &body);
        scene.poll().code(5).counts(json!({"revoked": 2, "undecodable": 1}));
        first.is_denied();
        second.is_denied();
        assert_eq!(scene.entries_of("undecodable")[0]["finding"], "spoilt", "{name}");
        scene.run_once().counts(json!({"seen_before": 2}));
    }
}

#[test]
fn a_batch_that_fails_does_not_keep_the_others_back() {
    let scene = Scene::new();
    let old: Vec<Value> = (0..55).map(|n| exfiltration(format!("old-{n}"), minutes_ago(100 - n))).collect();
    inject(&scene, HOME, &old);
    let (thief, _) = scene.theft(SHOP, "web");
    let error = json!({"status": 500, "code": "InternalServerErrorException", "message": "no"});
    // One request with all its retries.
    scene.post("faults", &json!({"name": "f", "match": {"operation": "GetFindings"}, "when": "before", "action": {"error": error}, "times": 4}));
    scene.run_once().counts(json!({"revoked": 1, "skipped": 55}));
    thief.is_denied();
}

#[test]
fn a_plan_says_what_it_could_not_read() {
    let scene = Scene::new();
    let findings: Vec<Value> =
        (0..60).map(|n| exfiltration(format!("f-{n}"), minutes_ago(100 - n))).collect();
    inject(&scene, HOME, &findings);
    let error = json!({"status": 403, "code": "AccessDeniedException", "message": "no"});
    // One of two batches.
    scene.post("faults", &json!({"name": "f", "match": {"operation": "GetFindings"}, "when": "before", "action": {"error": error}, "times": 1}));
    let planned = scene.rescind(&["plan", "-o", "jsonl"]).code(5).json();
    let (failed, planned): (Vec<_>, Vec<_>) = planned.iter().partition(|one| one.get("error").is_some());
    assert_eq!((failed.len(), planned.len()), (1, 10));
    assert!(
        failed[0]["error"].as_str().is_some_and(|text| text.contains("guardduty:GetFindings")),
        "{failed:?}"
    );
}

#[test]
fn an_id_that_cannot_be_fetched_costs_only_itself() {
    let scene = Scene::new();
    let (thief, _) = scene.theft(SHOP, "web");
    let error = json!({"status": 400, "code": "BadRequestException", "message": "no"});
    // The whole batch is refused once; asked for alone it comes.
    scene.post("faults", &json!({"name": "f", "match": {"operation": "GetFindings"}, "when": "before", "action": {"error": error}, "times": 1}));
    inject(&scene, HOME, &[exfiltration("other".to_owned(), minutes_ago(1))]);
    scene.run_once().counts(json!({"revoked": 1, "skipped": 1}));
    thief.is_denied();
}

#[test]
fn archived_findings_are_not_asked_for() {
    let scene = Scene::new();
    let (thief, _) = scene.theft(SHOP, "web");
    let session =
        json!({"principal_id": "AROAEXAMPLEEXAMPLE00:i-0", "access_key_id": "ASIAEXAMPLEEXAMPLE00"});
    scene.report(SHOP, "other", &session, json!({"overrides": {"service": {"archived": true}}}));
    scene.run_once().counts(json!({"revoked": 1}));
    thief.is_denied();
    assert_eq!(scene.entries_of("finding").len(), 1);
}
