//! Findings of other products than GuardDuty, in Security Hub: held where a rule names the product, and nothing elsewhere.

use crate::log;
use crate::scene::{BANK, HOME, SECURITY, SHOP, Scene};
use crate::watching::Watching;
use serde_json::{Value, json};

const QUEUE: &str = "rescind-findings";

/// A rule for one product, by its name.
const MACIE: &str = "[[rules]]\nname = \"macie\"\nproducts = [\"Macie\"]\nmode = \"enforce\"\n";

/// A scene with a queue and these rules, that is watched since before anything happened.
fn scene_with(rules: &str) -> Scene {
    let mut scene = Scene::new();
    scene.queue(QUEUE);
    scene.configure(&format!("mode = \"enforce\"\npoll_interval = \"1h\"\n{rules}"));
    scene.watch();
    scene
}

fn now() -> String {
    jiff::Timestamp::now().to_string()
}

/// The access key of a role's session, as ASFF has it.
fn key(account: &str, role: &str, session: &Value) -> Value {
    json!({"Type": "AwsIamAccessKey", "Id": format!("AWS::IAM::AccessKey:{}", session["access_key_id"].as_str().expect("a key")),
    "Partition": "aws", "Region": HOME, "Details": {"AwsIamAccessKey": {
        "AccessKeyId": session["access_key_id"], "PrincipalId": session["principal_id"], "PrincipalName": role,
        "PrincipalType": "AssumedRole", "AccountId": account,
    }}})
}

/// A finding of a product in ASFF about these resources.
fn asff(product: &str, id: &str, resources: &[Value]) -> Value {
    json!({
        "SchemaVersion": "2018-10-08", "AwsAccountId": SHOP, "Region": HOME, "Id": id, "ProductName": product,
        "ProductArn": format!("arn:aws:securityhub:{HOME}::product/aws/{}", product.to_lowercase()),
        "GeneratorId": "g", "Types": ["Sensitive Data Identifications/Credentials/SensitiveData:S3Object-Credentials"],
        "CreatedAt": now(), "UpdatedAt": now(), "Severity": {"Label": "HIGH"}, "RecordState": "ACTIVE",
        "Workflow": {"Status": "NEW"}, "Title": "Credentials in an object", "Description": "d", "Resources": resources,
    })
}

/// A finding of a product in OCSF, about who used a session's key.
fn ocsf(product: &str, id: &str, role: &str, session: &Value) -> Value {
    json!({
        "class_uid": 2004, "category_uid": 2, "severity_id": 4, "status_id": 1,
        "cloud": {"account": {"uid": SHOP}, "provider": "AWS", "region": HOME},
        "finding_info": {"uid": id, "title": "Keys in use", "types": ["Threats/Credentials"], "modified_time_dt": now()},
        "metadata": {"version": "1.5.0", "product": {"name": product, "vendor_name": "Example",
            "uid": format!("arn:aws:securityhub:{HOME}::productv2/example/{}", product.to_lowercase())}},
        "evidences": [{"actor": {"user": {"uid": session["principal_id"], "type": "AssumedRole", "name": role,
            "credential_uid": session["access_key_id"], "account": {"uid": SHOP}},
            "session": {"issuer": format!("arn:aws:iam::{SHOP}:role/{role}")}}}],
    })
}

fn event(kind: &str, findings: &[Value]) -> Value {
    json!({"version": "0", "id": "e", "detail-type": kind, "source": "aws.securityhub", "account": SECURITY,
        "time": now(), "region": HOME, "resources": ["arn:aws:securityhub:x:action/custom/revoke"],
        "detail": {"actionName": "revoke", "findings": findings}})
}

const IMPORTED: &str = "Security Hub Findings - Imported";
const BY_HAND: &str = "Security Hub Findings - Custom Action";
const V2: &str = "Findings Imported V2";

fn send(scene: &Scene, event: &Value) {
    scene.post("messages", &json!({"queue": QUEUE, "body": event}));
}

/// Until what is in the queue is decided.
fn settled(scene: &Scene) {
    scene.wait(|| scene.messages(QUEUE) == (0, 0));
}

/// A role and a session of it.
fn session(scene: &Scene, role: &str) -> Value {
    scene.role(SHOP, role);
    scene.session(SHOP, role, "i-0123456789abcdef0")
}

#[test]
fn a_product_that_a_rule_names_is_held_and_revoked_when_a_person_approves() {
    let scene = scene_with(MACIE);
    let mut service = Watching::start(&scene, &[]).polled(2);
    let stolen = session(&scene, "web");
    let thief = scene.thief(&stolen);
    let asked = scene.calls_of("GetFindings").len();
    send(&scene, &event(IMPORTED, &[asff("Macie", "m-1", &[key(SHOP, "web", &stolen)])]));
    settled(&scene);
    // The installation and the rule say enforce, and nothing is done.
    let decision = scene.entries_of("decision").pop().expect("decided");
    assert_eq!(
        (&decision["data"]["verdict"], &decision["data"]["code"]),
        (&json!("hold"), &json!("other_product"))
    );
    assert_eq!(decision["data"]["rule"], "macie");
    assert_eq!(scene.calls_of("PutRolePolicy").len(), 0);
    thief.is_allowed();
    // Nobody can be asked.
    assert_eq!(scene.calls_of("GetFindings").len(), asked);
    let finding = scene.entries_of("finding").pop().expect("recorded")["data"]["finding"].clone();
    assert_eq!(
        finding["cause"]["order"]["from"],
        json!({"product": {"product": "Macie", "path": "aws/macie", "finding": "m-1"}})
    );
    assert_eq!(finding["cause"]["order"]["reason"], "Credentials in an object");
    // The same once more is the same.
    send(&scene, &event(IMPORTED, &[asff("Macie", "m-1", &[key(SHOP, "web", &stolen)])]));
    settled(&scene);
    assert_eq!(scene.rescind(&["list", "-o", "jsonl"]).json().len(), 1);
    let id = decision["remediation"].as_str().expect("an id").to_owned();
    scene.rescind(&["approve", &id, "--by", "Ada", "--reason", "seen"]).code(0);
    service.until(log::REVOKED);
    thief.is_denied();
}

#[test]
fn a_product_that_no_rule_names_is_one_entry_and_floods_nothing() {
    let scene = scene_with("");
    let mut service = Watching::start(&scene, &[]).polled(2);
    let stolen = session(&scene, "job");
    for number in 0..30 {
        let named = asff("Inspector", &format!("n-{number}"), &[key(SHOP, "job", &stolen)]);
        let nothing =
            asff("Inspector", &format!("s-{number}"), &[json!({"Type": "AwsEc2Instance", "Id": "i-1"})]);
        send(&scene, &event(IMPORTED, &[named]));
        send(&scene, &event(IMPORTED, &[nothing]));
    }
    // Two products in one event: what GuardDuty says is done.
    let (thief, id) = scene.theft(SHOP, "web");
    let mut guardduty = asff("GuardDuty", "", &[]);
    guardduty["Id"] = json!(format!("arn:aws:guardduty:{HOME}:{SECURITY}:detector/12abc/finding/{id}"));
    send(&scene, &event(BY_HAND, &[asff("Macie", "m-1", &[key(SHOP, "job", &stolen)]), guardduty]));
    service.until(log::REVOKED);
    thief.is_denied();
    settled(&scene);
    scene.thief(&stolen).is_allowed();
    let mut errors: Vec<String> = scene
        .entries_of("undecodable")
        .iter()
        .map(|entry| entry["data"]["undecodable"]["error"].as_str().expect("text").to_owned())
        .collect();
    errors.sort();
    assert_eq!(errors.len(), 2, "{errors:?}");
    assert!(errors[0].contains("products = [\"Inspector\"]") && errors[1].contains("products = [\"Macie\"]"));
    assert_eq!(scene.entries_of("finding").len(), 1);
    let status = scene.rescind(&["status", "-o", "jsonl"]).json_document();
    assert_eq!(status["unreadable_today"], json!([]));
}

#[test]
fn all_credentials_of_a_finding_are_held_one_by_one() {
    let rule = "[[rules]]\nname = \"third\"\nproducts = [\"Example*\"]\n";
    let scene = scene_with(rule);
    let (web, api) = (session(&scene, "web"), session(&scene, "api"));
    scene.role(SHOP, "batch");
    scene.role(BANK, "job");
    let mut finding = ocsf("Example Detector", "x-1", "web", &web);
    finding["resources"] = json!([
        {"type": "AWS::IAM::AccessKey", "uid": api["access_key_id"], "owner": {"account": {"uid": SHOP}}, "data":
            {"access_key_id": api["access_key_id"], "principal_id": api["principal_id"], "user_name": "api", "user_type": "AssumedRole"}},
        {"type": "AWS::IAM::Role", "uid": format!("arn:aws:iam::{SHOP}:role/web")},
        {"type": "AWS::IAM::Role", "uid": format!("arn:aws:iam::{SHOP}:role/batch")},
        {"type": "Other", "uid": format!("arn:aws:sts::{BANK}:assumed-role/job/somebody")},
        {"type": "AWS::S3::Bucket", "uid": "arn:aws:s3:::b"},
    ]);
    // A plan says the same, and writes nothing.
    let planned =
        scene.rescind_with_input(&["plan", "-", "-o", "jsonl"], finding.to_string().as_bytes()).json();
    assert_eq!(planned.iter().filter(|one| one["decision"] == "hold").count(), 4, "{planned:?}");
    assert!(scene.entries_of("finding").is_empty());
    let ran = scene.handle(event(V2, &[finding.clone()]).to_string().as_bytes());
    ran.code(5).counts(json!({"held": 4}));
    assert_eq!(scene.writes(), 0);
    let mut held: Vec<(String, String)> = scene
        .rescind(&["list", "-o", "jsonl"])
        .json()
        .iter()
        .map(|one| (one["account"].to_string(), one["principal"].as_str().unwrap_or_default().to_owned()))
        .collect();
    held.sort();
    held.dedup();
    assert_eq!(held.len(), 4, "{held:?}");
    // Without its rule it is nothing.
    scene.configure("mode = \"enforce\"\n");
    scene.handle(finding.to_string().as_bytes()).code(5);
}

#[test]
fn a_pattern_of_security_hubs_events_is_for_what_it_matches() {
    let pattern = r#"{"source": ["aws.securityhub"], "detail-type": ["Security Hub Findings - Imported"],
        "detail": {"findings": {"ProductName": ["Macie"], "Severity": {"Label": ["HIGH"]}}}}"#;
    let by_hand =
        r#"{"detail-type": ["Security Hub Findings - Custom Action"], "detail": {"actionName": ["revoke"]}}"#;
    let rules = format!(
        "[[rules]]\nname = \"imported\"\npattern = '''{pattern}'''\n[[rules]]\nname = \"sent\"\npattern = '''{by_hand}'''\n"
    );
    let scene = scene_with(&rules);
    let names = ["web", "api", "job", "batch"];
    let sessions: Vec<Value> = names.iter().map(|role| session(&scene, role)).collect();
    let about = |product: &str, number: usize| {
        asff(product, names[number], &[key(SHOP, names[number], &sessions[number])])
    };
    let mut low = about("Macie", 1);
    low["Severity"]["Label"] = json!("LOW");
    let events = [
        event(IMPORTED, &[about("Macie", 0)]),
        event(IMPORTED, &[low]),
        event(IMPORTED, &[about("Inspector", 2)]),
        event(BY_HAND, &[about("Inspector", 3)]),
    ];
    for event in &events {
        scene.handle(event.to_string().as_bytes());
    }
    let rules: Vec<Value> =
        scene.entries_of("decision").iter().map(|entry| entry["data"]["rule"].clone()).collect();
    assert_eq!(rules, [json!("imported"), json!("sent")]);
    assert_eq!(scene.entries_of("undecodable").len(), 2);
    assert_eq!(scene.writes(), 0);
    // A rule of GuardDuty's findings is for none of them, and theirs for none of GuardDuty's.
    let (thief, id) = scene.theft(SHOP, "other");
    scene.poll_new();
    thief.is_denied();
    assert_eq!(scene.decision(&id)["rule"], "built-in: credential exfiltration");
}

/// The rule of EventBridge for GuardDuty's findings in Security Hub is pasted as it stands.
#[test]
fn a_pattern_of_security_hubs_events_is_for_guarddutys_findings_too() {
    let rule = |name: &str, pattern: &str| {
        format!("[[rules]]\nname = \"{name}\"\npattern = \'\'\'{pattern}\'\'\'\nmode = \"observe\"\n")
    };
    let v1 = |more: &str| {
        format!(
            r#"{{"source": ["aws.securityhub"], "detail-type": ["Security Hub Findings - Imported"],
            "detail": {{"findings": {{"ProductName": ["GuardDuty"]{more}}}}}}}"#
        )
    };
    let v2 = r#"{"source": ["aws.securityhub"], "detail-type": ["Findings Imported V2"], "detail": {"findings": {
        "metadata": {"product": {"name": ["GuardDuty"]}}, "cloud": {"account": {"uid": ["222222222222"]}}}}}"#;
    let low = v1(r#", "Severity": {"Label": ["LOW"]}"#);
    let macie = r#"{"detail": {"findings": {"ProductName": ["Macie"]}}}"#;
    let cases = [
        (v1(r#", "Severity": {"Label": ["HIGH", "CRITICAL"]}"#), "observe", "hub"),
        (v2.to_owned(), "observe", "hub"),
        (low, "remediate", "built-in: credential exfiltration"),
        (macie.to_owned(), "remediate", "built-in: credential exfiltration"),
    ];
    for (pattern, verdict, decided_by) in &cases {
        let scene = Scene::new();
        scene.configure(&format!("mode = \"enforce\"\n{}", rule("hub", pattern)));
        let (_, id) = scene.theft(SHOP, "web");
        scene.run_once();
        let decision = scene.decision(&id);
        assert_eq!(
            (&decision["verdict"], &decision["rule"]),
            (&json!(verdict), &json!(decided_by)),
            "{pattern}"
        );
    }
    // What Security Hub adds is not known, so a person is asked.
    let scene = Scene::new();
    let status = v1(r#", "Workflow": {"Status": ["NEW"]}"#);
    let enforced = rule("hub", &status).replace("observe", "enforce");
    scene.configure(&format!("mode = \"enforce\"\n{enforced}"));
    let (thief, id) = scene.theft(SHOP, "web");
    scene.poll().code(5);
    let decision = scene.decision(&id);
    assert_eq!((&decision["verdict"], &decision["rule"]), (&json!("hold"), &json!("hub")));
    thief.is_allowed();
}

#[test]
fn what_rescind_reports_to_security_hub_is_no_order() {
    let scene = scene_with("[[rules]]\nname = \"all\"\nproducts = [\"*\"]\n");
    let stolen = session(&scene, "web");
    let mut own = asff("Default", "r-1", &[key(SHOP, "web", &stolen)]);
    own["GeneratorId"] = json!("rescind/revocation");
    scene.handle(own.to_string().as_bytes()).code(2);
    assert!(scene.entries_of("finding").is_empty());
}

/// What another product calls its finding stands for nothing of GuardDuty's.
#[test]
fn a_finding_with_the_id_of_guarddutys_does_not_hide_that_one() {
    let scene = scene_with("[[rules]]\nname = \"all\"\nproducts = [\"*\"]\n");
    let stolen = session(&scene, "web");
    let id = scene.report(SHOP, "web", &stolen, json!({}));
    let forged = asff("Macie", &id, &[key(SHOP, "web", &stolen)]);
    scene.handle(forged.to_string().as_bytes()).code(5).counts(json!({"held": 1}));
    scene.poll_new();
    assert_eq!(scene.decision(&id)["verdict"], "remediate");
    scene.thief(&stolen).is_denied();
}
