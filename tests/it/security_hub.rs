//! `report push-securityhub`: what Security Hub gets, and what becomes of what it does not take.

use crate::scene::{BANK, HOME, OTHER, SECURITY, SHOP, Scene};
use crate::screens::Transcript;
use serde_json::{Value, json};

/// Three held remediations, one of them by a finding of another region.
fn scene() -> Scene {
    let scene = Scene::new();
    scene.configure("mode = \"approve\"\n");
    for (account, role, region) in [(SHOP, "web", HOME), (SHOP, "api", HOME), (BANK, "cards", OTHER)] {
        scene.role(account, role);
        let session = scene.session(account, role, "i-0123456789abcdef0");
        scene.report(account, role, &session, json!({"region": region}));
    }
    scene.poll().code(5);
    scene
}

fn enable(scene: &Scene, region: &str) {
    scene.post("security-hub", &json!({"account": SECURITY, "region": region}));
}

fn imported(scene: &Scene, region: &str) -> Vec<Value> {
    let answer = scene.get(&format!("security-hub?account={SECURITY}&region={region}"));
    answer["findings"].as_array().expect("findings").clone()
}

fn fault(scene: &Scene, times: u32) {
    let call = json!({"service": "securityhub", "operation": "BatchImportFindings"});
    scene.fault("import", call, "before", json!({"partial": 1}), times);
}

#[test]
fn what_is_pushed_is_what_the_report_says() {
    let scene = scene();
    enable(&scene, HOME);
    enable(&scene, OTHER);
    let pushed = scene.rescind(&["report", "push-securityhub", "-o", "jsonl"]).code(0).json_document();
    assert_eq!(pushed["taken"], 3);
    let report = scene.rescind(&["report", "-o", "asff", "--no-record"]).code(0).json_document();
    let of = |region: &str| {
        let all = report.as_array().expect("findings").iter();
        all.filter(|one| one["Region"] == region).cloned().collect::<Vec<_>>()
    };
    assert_eq!((of(HOME).len(), of(OTHER).len()), (2, 1));
    assert_eq!((imported(&scene, HOME), imported(&scene, OTHER)), (of(HOME), of(OTHER)));
    let recorded = &scene.entries_of("report")[0]["data"];
    assert_eq!((&recorded["format"], &recorded["remediations"]), (&json!("securityhub"), &json!(3)));
    assert_eq!(scene.calls_of("BatchImportFindings").len(), 2);

    // Pushed again it is the same findings, as they are by now.
    let id = of(HOME)[0]["ProductFields"]["rescind/remediation"].as_str().expect("an id").to_owned();
    scene.rescind(&["reject", &id, "--by", "Ann", "--reason", "a test"]).code(0);
    let only = ["report", "push-securityhub", "--account", SHOP, "--region", OTHER, "-o", "jsonl"];
    let pushed = scene.rescind(&only).code(0).json();
    assert_eq!((&pushed[0]["taken"], &pushed[0]["not_taken"]), (&json!(2), &json!(0)));
    assert_eq!((imported(&scene, HOME).len(), imported(&scene, OTHER).len()), (2, 3));
    scene.rescind(&["report", "push-securityhub", "--remediation", &id]).code(0);
    let there = imported(&scene, HOME);
    assert_eq!(there.len(), 2);
    let states: Vec<&Value> = there.iter().map(|one| &one["ProductFields"]["rescind/state"]).collect();
    assert!(states.contains(&&json!("rejected")) && states.contains(&&json!("held")), "{states:?}");
}

#[test]
fn what_is_refused_for_now_is_sent_again_and_what_stays_refused_is_named() {
    let scene = scene();
    enable(&scene, HOME);
    enable(&scene, OTHER);
    fault(&scene, 1);
    assert_eq!(
        scene.rescind(&["report", "push-securityhub", "-o", "jsonl"]).code(0).json_document()["taken"],
        3
    );
    assert_eq!(scene.calls_of("BatchImportFindings").len(), 3);
    fault(&scene, 0);
    let pushed = scene
        .rescind(&["report", "push-securityhub", "--account", SHOP, "-o", "jsonl"])
        .code(5)
        .json_document();
    assert_eq!(pushed["taken"], 1, "{pushed}");
    let refused = &pushed["refused"][0];
    assert!(refused["id"].as_str().is_some_and(|id| id.starts_with("rescind/222222222222/r-")), "{pushed}");
    assert_eq!(refused["code"], "InternalFailure");
    let pushed = scene.entries_of("report");
    assert_eq!(pushed.last().expect("recorded")["data"]["remediations"], 1);
}

#[test]
fn a_region_without_security_hub_does_not_keep_the_others() {
    let scene = scene();
    enable(&scene, OTHER);
    let pushed = scene.rescind(&["report", "push-securityhub", "-o", "jsonl"]).code(5).json_document();
    let failed = &pushed["regions_that_failed"][0];
    assert_eq!(
        (&pushed["taken"], &failed["region"], &failed["findings"]),
        (&json!(1), &json!(HOME), &json!(2))
    );
    assert!(
        failed["error"].as_str().is_some_and(|text| text.contains("securityhub:BatchImportFindings")),
        "{pushed}"
    );
    assert_eq!(imported(&scene, OTHER).len(), 1);
    let mut screens = Transcript::new(&scene);
    screens.run(&["report", "push-securityhub"]).code(5);
    screens.run(&["report", "push-securityhub", "--region", "cn-north-1"]).code(2);
    screens.is("push_securityhub");
}
