//! What `rescind list` shows, and what it leaves out.

use crate::scene::{BANK, BARE, SHOP, Scene};

/// The roles that are listed.
fn roles(scene: &Scene, args: &[&str]) -> Vec<String> {
    let list = scene.rescind(&[&["list", "-o", "jsonl"], args].concat()).code(0).json();
    list.iter().map(|one| one["principal"].as_str().expect("a name").to_owned()).collect()
}

#[test]
fn a_list_is_limited_by_state_account_time_severity_and_number() {
    let scene = Scene::new();
    scene.watch();
    let of = |account: &str, role: &str, severity: u8| {
        scene.role(account, role);
        let session = scene.session(account, role, "i-0123456789abcdef0");
        scene.report(account, role, &session, serde_json::json!({ "severity": severity }));
        scene.poll_new();
    };
    of(SHOP, "web", 8);
    of(BANK, "ledger", 5);
    of(BARE, "old", 2);
    let is = |args: &[&str], expected: &[&str]| assert_eq!(roles(&scene, args), expected, "{args:?}");
    is(&[], &["web", "ledger", "old"]);
    is(&["--state", "revoked"], &["web", "ledger"]);
    is(&["--state", "revoked,blocked"], &["web", "ledger", "old"]);
    is(&["--state", "held", "--state", "blocked"], &["old"]);
    // As it was called before.
    is(&["--status", "blocked"], &["old"]);
    is(&["--proof", "simulated"], &["web", "ledger"]);
    is(&["--account", SHOP], &["web"]);
    is(&["--account", "Shop", "--account", BANK], &["web", "ledger"]);
    is(&["--account", "123456789012"], &[]);
    is(&["--since", "2h"], &["web", "ledger", "old"]);
    is(&["--since", "2999-01-01"], &[]);
    is(&["--severity", "high"], &["web"]);
    is(&["--severity", "medium"], &["web", "ledger"]);
    is(&["--severity", "2.5"], &["web", "ledger"]);
    is(&["--limit", "2"], &["ledger", "old"]);
    is(&["--limit", "1", "--state", "revoked"], &["ledger"]);
    let more = |args: &[&str]| {
        scene.rescind(&[&["list", "-o", "json"], args].concat()).code(0).json_document()["more"].clone()
    };
    assert_eq!((more(&["--limit", "2"]), more(&["--limit", "3"])), (true.into(), false.into()));
    scene.rescind(&["list", "--account", "shop-of-nobody"]).code(2);
    scene.rescind(&["list", "--since", "yesterday"]).code(2);
    scene.rescind(&["list", "--severity", "worst"]).code(2);
    scene.rescind(&["list", "--limit", "0"]).code(2);
    let decisions = |args: &[&str]| {
        scene.rescind(&[&["list", "--decisions", "-o", "jsonl"], args].concat()).code(0).json().len()
    };
    assert_eq!(decisions(&[]), 3);
    assert_eq!(decisions(&["--account", "bank"]), 1);
    assert_eq!(decisions(&["--severity", "high"]), 1);
    assert_eq!(decisions(&["--since", "2999-01-01"]), 0);
    assert_eq!(decisions(&["--limit", "2"]), 2);
}

#[test]
fn a_narrow_terminal_has_the_columns_that_matter_and_says_which_flag_has_the_others() {
    let scene = Scene::new();
    scene.watch();
    let _ = scene.theft(SHOP, "web");
    scene.poll_new().code(0);
    let at = |width: &str, args: &[&str]| {
        let mut command = scene.command(&[&["list"], args].concat());
        command.env("COLUMNS", width);
        String::from_utf8(command.output().expect("it runs").stdout).expect("UTF-8")
    };
    let heads =
        |text: &str| text.lines().next().expect("a header").split_whitespace().collect::<Vec<_>>().join(" ");
    assert_eq!(heads(&at("80", &[])), "REMEDIATION STATE PROOF ACCOUNT NAME PRINCIPAL OPENED");
    assert_eq!(heads(&at("60", &[])), "REMEDIATION STATE ACCOUNT PRINCIPAL OPENED");
    assert_eq!(
        heads(&at("120", &[])),
        "REMEDIATION STATE PROOF SEVERITY ACCOUNT NAME PRINCIPAL OPENED IN FORCE TO DENY"
    );
    let all = "REMEDIATION STATE PROOF SEVERITY ACCOUNT NAME PRINCIPAL OPENED IN FORCE TO DENY TYPE";
    assert_eq!(heads(&at("200", &[])), all);
    assert_eq!(heads(&at("80", &["--wide"])), all);
    assert!(at("80", &[]).contains("--wide"));
    assert!(!at("200", &[]).contains("--wide"));
}

#[test]
fn the_calls_of_a_remediation_are_counted_and_listed_where_they_are_asked_for() {
    let scene = Scene::new();
    scene.watch();
    let _ = scene.theft(SHOP, "web");
    scene.poll_new().code(0);
    let id =
        scene.rescind(&["list", "-o", "jsonl"]).json()[0]["remediation"].as_str().expect("an id").to_owned();
    let has_call = |args: &[&str]| {
        let out = scene.rescind(&[&["show", &id], args].concat()).code(0).out;
        out.lines().any(|line| line.contains("iam:PutRolePolicy ok"))
    };
    assert!(!has_call(&[]) && has_call(&["--calls"]));
}

#[test]
fn a_plan_says_by_its_exit_code_whether_something_would_be_done_where_that_is_asked_for() {
    let scene = Scene::new();
    scene.watch();
    let plan = ["plan", "--detailed-exitcode"];
    scene.rescind(&plan).code(0);
    let _ = scene.theft(SHOP, "web");
    scene.rescind(&["plan"]).code(0);
    scene.rescind(&plan).code(7);
    scene.poll_new().code(0);
    // What is decided is not to be done.
    scene.rescind(&plan).code(0);
    let _ = scene.theft(BARE, "web");
    scene.rescind(&plan).code(5);
    scene.rescind(&["plan", "--no-such-option"]).code(2);
}
