//! What people write wrongly: each mistake is named with its file, line and key, what was found and what is expected.

use crate::scene::{EXTERNAL_ID, HOME, SHOP, Scene};
use serde_json::Value;

/// What stands in each of these files, where nothing else is said.
const REGIONS: &str = "regions = [\"eu-central-1\"]\n";
const MEMBER: &str = "[member]\nexternal_id = \"0123456789abcdef\"\n";

/// The line of standard error, without the word before it.
#[track_caller]
fn error(scene: &Scene, args: &[&str], code: i32) -> String {
    let ran = scene.rescind(args).code(code);
    let error = ran.err.strip_prefix("error: ").unwrap_or_else(|| panic!("no error: {}", ran.err));
    error.lines().next().unwrap_or_default().to_owned()
}

/// Each mistake with the place and key that are named, and what was found there; empty where nothing is there.
const CONFIGURATIONS: &[(&str, &str, &str)] = &[
    ("{R}[member]\n", "2:1: member.external_id: ", ""),
    ("{R}[member]\nexternal_id = 12345678\n", "3:15: member.external_id: ", ""),
    ("{R}[member]\nexternal_id = \"hunter2\n", "3:23: member.external_id: ", ""),
    ("{R}", "1:1: member: ", ""),
    ("{M}", "1:1: regions: ", ""),
    ("{R}member = 3\n", "2:10: member: ", "3"),
    ("{R}remedy = \"role_session\"\n{M}", "2:10: remedy: ", "\"role_session\""),
    ("{R}remedy = [\"role_sessions\", 3]\n{M}", "2:28: remedy[1]: ", "3"),
    ("{R}remedy = []\n{M}", "2:10: remedy: ", "[]"),
    ("{R}{M}[[rules]]\nname = \"a\"\ntypes = [\"*\"]\nremedy = \"x\"\n", "7:10: rules[0].remedy: ", "\"x\""),
    ("{R}protected = \"arn:aws:iam::*:role/x\"\n{M}", "2:13: protected: ", "\"arn:aws:iam::*:role/x\""),
    ("{R}protected = [\n  \"*:role/x\",\n  \"ci\",\n]\n{M}", "4:3: protected[1]: ", "\"ci\""),
    ("{R}{M}protected = [\"*\"]\n", "4:1: member.protected: ", ""),
    (
        "{R}{M}role = \"arn:aws:iam::111111111111:role/a/B\"\n",
        "4:8: member.role: ",
        "\"arn:aws:iam::111111111111:role/a/B\"",
    ),
    (
        "{R}{M}[drill]\nrole = \"arn:aws:iam::111111111111:role/D\"\n",
        "5:8: drill.role: ",
        "\"arn:aws:iam::111111111111:role/D\"",
    ),
    (
        "{R}{M}[[rules]]\nname = \"a\"\ntypes = [\"Recon:*\", \"Recon\"]\n",
        "6:21: rules[0].types[1]: ",
        "\"Recon\"",
    ),
    (
        "{R}{M}[[rules]]\nname = \"a\"\ntypes = [\"*\"]\nmin_severity = 12\n",
        "7:16: rules[0].min_severity: ",
        "12",
    ),
    ("{R}{M}[[rules]]\nname = \"a\"\ntypes = [\"*\"]\nwiden = true\n", "7:9: rules[0].widen: ", "true"),
    ("{R}{M}[[notify]]\nname = \"a\"\nsns = \"x\"\n", "6:7: notify[0].sns: ", "\"x\""),
    (
        "{R}{M}[[notify]]\nname = \"a\"\nwebhook = \"http://hunter2.example\"\n",
        "6:11: notify[0].webhook: ",
        "",
    ),
    (
        "{R}{M}[[notify]]\nname = \"a\"\nsns = \"arn:aws:sns:eu-central-1:111111111111:x\"\nprincipals = [\"arn:aws:iam::1:role/x\"]\n",
        "7:15: notify[0].principals[0]: ",
        "\"arn:aws:iam::1:role/x\"",
    ),
    ("mode = enforce\n{R}{M}", "1:8: mode: ", "enforce"),
    ("mode = \"enforec\"\n{R}{M}", "1:8: mode: ", "\"enforec\""),
    ("remdy = 3\n{R}{M}", "1:1: remdy: ", ""),
    ("{R}{R}{M}", "2:1: regions: ", "[\"eu-central-1\"]"),
    ("regions = \"eu-central-1\"\n{M}", "1:11: regions: ", "\"eu-central-1\""),
    ("regions = [\"eu-central-1\", \"Frankfurt\"]\n{M}", "1:28: regions[1]: ", "\"Frankfurt\""),
    ("poll_interval = 60\n{R}{M}", "1:17: poll_interval: ", "60"),
    ("confirm = \"yes\"\n{R}{M}", "1:11: confirm: ", "\"yes\""),
    ("budget = { account_per_hour = -1 }\n{R}{M}", "1:31: budget.account_per_hour: ", "-1"),
    ("[ledger]\npth = \"l.db\"\n", "2:1: ledger.pth: ", ""),
];

#[test]
fn each_mistake_in_the_configuration_is_named_with_its_place_key_and_what_was_found() {
    let scene = Scene::new();
    let mut all = Vec::new();
    for (text, place, found) in CONFIGURATIONS {
        let text = text.replace("{R}", REGIONS).replace("{M}", MEMBER);
        std::fs::write(scene.path("bad.toml"), &text).expect("written");
        // A command that needs all of it.
        let error = error(&scene, &["-c", "bad.toml", "plan"], 2);
        let named = format!("bad.toml:{place}{found}");
        assert!(error.starts_with(&named), "{text}\nwanted {named}\nfound  {error}");
        assert!(!error.contains("hunter2") && !error.contains("12345678"), "{error}");
        all.push(error);
    }
    assert_eq!(scene.calls().len(), 0);
    insta::assert_snapshot!("mistakes_in_the_configuration", all.join("\n"));
}

#[test]
fn each_mistake_in_the_opt_outs_is_named_with_its_key() {
    let scene = Scene::new();
    let opt_out = |lines: &str| {
        format!("[[opt_out]]\nname = \"a\"\nowner = \"o\"\nreason = \"r\"\nmode = \"off\"\n{lines}\n")
    };
    for (lines, place) in [
        ("roles = [\"x\"]", "1:1: opt_out[0].expires: "),
        ("roles = [\"x\"]\nexpires = \"tomorrow\"", "7:11: opt_out[0].expires: \"tomorrow\""),
        ("roles = [\"x\"]\nexpires = 2027-01-31T00:00:00Z", "7:11: opt_out[0].expires: 2027-01-31T00:00:00Z"),
        ("roles = [\"x\"]\npermanent = true\nexpires = 2027-01-31", "7:13: opt_out[0].permanent: true"),
        (
            "roles = [\"arn:aws:iam::111111111111:role/x\"]\npermanent = true",
            "6:10: opt_out[0].roles[0]: \"arn:",
        ),
        ("accounts = [\"12\"]\npermanent = true", "6:13: opt_out[0].accounts[0]: \"12\""),
    ] {
        std::fs::write(scene.path("opt-outs.toml"), opt_out(lines)).expect("written");
        let error = error(&scene, &["opt-out", "list"], 2);
        assert!(error.contains(&format!("opt-outs.toml:{place}")), "{lines}\n{error}");
    }
}

/// Every command says by its exit code whose fault it is: 2 of who asks, 3 of what AWS lets the hub do, 4 of the ledger.
#[test]
fn the_exit_code_says_whose_fault_it_is() {
    let scene = Scene::new();
    scene.watch();
    let by = ["--by", "ada", "--reason", "drill"];
    for args in [
        &[
            "opt-out",
            "add",
            "x",
            "--role",
            "ci",
            "--mode",
            "off",
            "--owner",
            "o",
            "--reason",
            "r",
            "--expires",
            "tomorrow",
        ][..],
        &["notify", "test"],
        &["notify", "test", "foo"],
        &["show", "r-0000000000"],
        &["show", "r-0000000000", "--ledger", "none.db"],
        &["incident", "show", "i-0000000000"],
        &["explain", "nothing"],
        &["alerts", "--since", "yesterday"],
        &["alerts", "ack", "99999", by[0], by[1], by[2], by[3]],
        &["approve", "r-0000000000", by[0], by[1], by[2], by[3]],
        &["reject", "r-0000000000", by[0], by[1], by[2], by[3]],
        &["done", "r-0000000000", by[0], by[1], by[2], by[3]],
        &["ledger", "prove", "99999"],
        &["ledger", "backup", "-O", "nowhere/copy.db"],
        &["ledger", "backup", "-O", "ledger.db"],
        &["ledger", "publish"],
        &["handle", "none.json"],
        &["plan", "none.json"],
        &["revoke", SHOP, "bad role", by[0], by[1], by[2], by[3], "--yes"],
        &["drill", SHOP],
        &["report", "-o", "csv", "-O", "nowhere/report.csv"],
        &["policies", "print", "nothing"],
        &["-c", "none.toml", "list"],
        &["init"],
    ] {
        let ran = scene.rescind(args);
        assert_eq!(ran.code, 2, "{args:?}\n{}\n{}", ran.out, ran.err);
    }
    // Not even a start of the ledger's own tables is in it.
    std::fs::write(scene.path("other.db"), "no ledger").expect("written");
    for args in [&["list", "--ledger", "other.db"][..], &["ledger", "verify", "--ledger", "other.db"]] {
        scene.rescind(args).code(4);
    }
    std::fs::write(
        scene.path("bare.toml"),
        format!(
            "ledger = \"nothing.db\"\nregions = [\"{HOME}\"]\n[member]\nexternal_id = \"{EXTERNAL_ID}\"\n"
        ),
    )
    .expect("written");
    for args in [&["-c", "bare.toml", "list"][..], &["-c", "bare.toml", "status"]] {
        scene.rescind(args).code(4);
    }
}

#[test]
fn without_credentials_it_says_which_profile_was_meant() {
    let scene = Scene::new();
    let without = |profile: Option<&str>, args: &[&str]| {
        let mut command = scene.command(args);
        for name in ["AWS_ACCESS_KEY_ID", "AWS_SECRET_ACCESS_KEY", "AWS_SESSION_TOKEN"] {
            command.env_remove(name);
        }
        if let Some(profile) = profile {
            command.env("AWS_PROFILE", profile);
        }
        command.env("AWS_CONFIG_FILE", scene.path("aws-config"));
        crate::scene::Ran::new(&command.output().expect("the binary runs"))
    };
    std::fs::write(
        scene.path("aws-config"),
        "[default]\nregion = eu-central-1\n[profile hub]\nregion = eu-central-1\n",
    )
    .expect("written");
    for args in [&["plan"][..], &["doctor"], &["run", "--once"], &["recheck"]] {
        let ran = without(None, args).code(3);
        assert!(!ran.err.contains("dispatch failure") && !ran.err.contains("other:"), "{}", ran.err);
    }
    let ran = without(Some("hubb"), &["plan"]).code(3);
    assert!(
        ran.err.contains("\"hubb\"") && ran.err.contains("aws-config") && ran.err.contains("hub"),
        "{}",
        ran.err
    );
    // It is there, and has no credentials.
    let ran = without(Some("hub"), &["plan"]).code(3);
    assert!(ran.err.contains("\"hub\"") && !ran.err.contains("there is no profile"), "{}", ran.err);
}

#[test]
fn a_type_that_guardduty_does_not_have_is_named_with_its_line() {
    let scene = Scene::new();
    scene.configure("mode = \"observe\"\n[[rules]]\nname = \"a\"\ntypes = [\"Recon:*\", \"Recon:IAMUser/TorIPCalller\"]\nmode = \"off\"\n");
    let text = std::fs::read_to_string(scene.path("rescind.toml")).expect("there");
    let line = text.lines().position(|line| line.starts_with("types = ")).expect("a line") + 1;
    for args in [&["plan", "-o", "jsonl"][..], &["run", "--once", "-o", "jsonl"]] {
        let ran = scene.rescind(args).code(0);
        let warned: Vec<Value> = ran.err.lines().filter_map(|line| serde_json::from_str(line).ok()).collect();
        let warned = warned.iter().find(|one| one["kind"] == "Recon:IAMUser/TorIPCalller").expect(&ran.err);
        assert_eq!(warned["line"], line);
        assert_eq!(warned["key"], "rules[0].types[1]");
        assert_eq!(warned["nearest"], "Recon:IAMUser/TorIPCaller");
    }
}
