//! STS of the home region does not answer: that of another region is asked, and the deny is written.

use crate::log;
use crate::scene::{BANK, HOME, OTHER, SHOP, Scene};
use crate::watching::Watching;
use serde_json::{Value, json};

/// The regions in which AssumeRole was called, as the ledger has it, and whether it was answered.
fn assumed(scene: &Scene) -> Vec<(String, bool)> {
    let calls = scene.entries_of("call").into_iter().filter(|call| call["data"]["operation"] == "AssumeRole");
    let region = |call: &Value| call["region"].as_str().expect("a region").to_owned();
    calls.map(|call| (region(&call), call["data"]["status"] == 200)).collect()
}

fn state(scene: &Scene) -> Value {
    scene.rescind(&["list", "-o", "jsonl"]).json()[0]["state"].clone()
}

#[test]
fn a_region_that_hangs_is_asked_once_and_then_not_for_a_while() {
    let scene = Scene::new();
    scene.watch();
    scene.configure("mode = \"enforce\"\npoll_interval = \"5s\"\n");
    let in_home = json!({"operation": "AssumeRole", "region": HOME});
    scene.fault("sts", in_home, "before", json!({"hang": true}), 0);
    let mut service = Watching::start(&scene, &[]);
    let (first, _) = scene.theft(SHOP, "web");
    service.until(log::REVOKED);
    first.is_denied();
    let (second, _) = scene.theft(BANK, "api");
    service.until(log::REVOKED);
    second.is_denied();
    service.stop();
    let assumed = assumed(&scene);
    assert_eq!(assumed[..2], [(HOME.to_owned(), false), (OTHER.to_owned(), true)]);
    assert!(assumed[2..].iter().all(|call| *call == (OTHER.to_owned(), true)), "{assumed:?}");
}

/// It stood in for one account, and a policy about regions keeps another one out of it.
#[test]
fn a_no_of_a_region_that_stands_in_is_not_the_last_word() {
    let scene = Scene::new();
    scene.watch();
    scene.configure("mode = \"enforce\"\npoll_interval = \"5s\"\n");
    let down = json!({"error": {"status": 503, "code": "ServiceUnavailable"}});
    let of = |account: &str, region: &str| json!({"operation": "AssumeRole", "region": region, "account": account});
    scene.fault("down", of(SHOP, HOME), "before", down, 0);
    scene.fault(
        "no",
        of(BANK, OTHER),
        "before",
        json!({"error": {"status": 403, "code": "AccessDenied"}}),
        0,
    );
    let mut service = Watching::start(&scene, &[]);
    let (first, _) = scene.theft(SHOP, "web");
    service.until(log::REVOKED);
    first.is_denied();
    let (second, _) = scene.theft(BANK, "api");
    service.until(log::REVOKED);
    second.is_denied();
    service.stop();
    let refused = assumed(&scene).contains(&(OTHER.to_owned(), false));
    assert!(refused, "{:?}", assumed(&scene));
}

#[test]
fn a_region_whose_sts_is_gone_keeps_nobody_from_starting() {
    let scene = Scene::new();
    scene.fault("sts", json!({"service": "sts", "region": HOME}), "before", json!({"disconnect": true}), 0);
    let (thief, _) = scene.theft(SHOP, "web");
    scene.run_once();
    thief.is_denied();
    let identity: Vec<Value> =
        scene.entries_of("call").iter().map(|call| call["region"].clone()).take(2).collect();
    assert_eq!(identity, [HOME, OTHER]);
}

#[test]
fn a_no_is_an_answer_and_none_is_asked_where_none_stands_in() {
    let denied = json!({"error": {"status": 403, "code": "AccessDenied"}});
    let down = json!({"error": {"status": 503, "code": "ServiceUnavailable"}});
    for (action, keys) in
        [(denied, String::new()), (down, format!("regions = [\"{HOME}\", \"{OTHER}\"]\nsts_regions = []\n"))]
    {
        let scene = Scene::new();
        scene.configure(&format!("mode = \"enforce\"\n{keys}"));
        scene.fault("sts", json!({"operation": "AssumeRole", "region": HOME}), "before", action, 0);
        let (thief, _) = scene.theft(SHOP, "web");
        scene.poll().code(5);
        thief.is_allowed();
        assert!(assumed(&scene).iter().all(|(region, _)| region == HOME), "{:?}", assumed(&scene));
    }
}

#[test]
fn what_a_region_that_stands_in_says_about_itself_is_no_refusal() {
    let scene = Scene::new();
    let fault = |name: &str, region: &str, status: u32, code: &str| {
        let answer = json!({"error": {"status": status, "code": code}});
        scene.fault(name, json!({"operation": "AssumeRole", "region": region}), "before", answer, 0);
    };
    fault("down", HOME, 503, "ServiceUnavailable");
    fault("forbidden", OTHER, 403, "AccessDenied");
    let _ = scene.theft(SHOP, "web");
    scene.poll().code(5);
    assert_eq!(state(&scene), "retrying");
    assert!(assumed(&scene).contains(&(OTHER.to_owned(), false)));
}
