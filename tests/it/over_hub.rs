//! The commands from another machine, through the API of a hub (`--hub`).

use crate::log;
use crate::scene::{POLICY, Ran, SECURITY, SHOP, Scene};
use crate::service::address;
use crate::thief::Thief;
use crate::watching::Watching;
use serde_json::{Value, json};
use std::process::Stdio;

const WHY: [&str; 2] = ["--reason", "ticket 4711"];

/// A hub, a theft, and who asks from where neither a configuration nor a ledger is.
struct Far {
    scene: Scene,
    url: String,
    elsewhere: tempfile::TempDir,
    thief: Thief,
    service: Watching,
}

impl Far {
    /// With a theft that is done with in this mode.
    fn new(mode: &str) -> Self {
        let scene = Scene::new();
        scene.watch();
        let arn = |role: &str| format!("arns = [\"arn:aws:iam::{SECURITY}:role/{role}\"]\n");
        let grant = |role: &str, who: &str| format!("[[web.access]]\nrole = \"{role}\"\n{}", arn(who));
        let grants =
            [grant("viewer", "Reader"), grant("approver", "Analyst"), grant("operator", "Soar")].concat();
        scene.configure(&format!(
            "mode = \"{mode}\"\npoll_interval = \"1h\"\nlisten = \"127.0.0.1:0\"\n{grants}"
        ));
        for role in ["Reader", "Analyst", "Soar", "Nobody"] {
            scene.role(SECURITY, role);
        }
        let (thief, _) = scene.theft(SHOP, "web");
        let mut service = Watching::start(&scene, &[]);
        let url = address(&mut service);
        scene.wait(|| scene.count("kind = 'decision'") > 0);
        let elsewhere = tempfile::tempdir().expect("a directory");
        Self { scene, url, elsewhere, thief, service }
    }

    /// A command with the credentials of this role.
    fn run(&self, role: &str, args: &[&str]) -> Ran {
        self.ask(role, &[&["--hub", &self.url], args].concat())
    }

    fn ask(&self, role: &str, args: &[&str]) -> Ran {
        let session = self.scene.session(SECURITY, role, "laptop");
        let mut command = self.scene.command(args);
        command.current_dir(self.elsewhere.path()).stdin(Stdio::null());
        for (variable, field) in [
            ("AWS_ACCESS_KEY_ID", "access_key_id"),
            ("AWS_SECRET_ACCESS_KEY", "secret_access_key"),
            ("AWS_SESSION_TOKEN", "session_token"),
        ] {
            command.env(variable, session[field].as_str().expect("a text"));
        }
        Ran::new(&command.output().expect("the binary runs"))
    }

    fn id(&self) -> String {
        let line = &self.run("Reader", &["list", "-o", "jsonl"]).code(0).json()[0];
        line["remediation"].as_str().expect("an id").to_owned()
    }
}

/// What does not depend on when it was asked for.
fn steady(mut value: Value) -> Value {
    if let Value::Object(fields) = &mut value {
        for name in [
            "at",
            "live",
            "holder",
            "ledger_entries",
            "ledger_bytes",
            "raised_before",
            "in_force",
            "remediation",
        ] {
            fields.remove(name);
        }
    }
    value
}

#[test]
fn what_is_read_is_what_the_host_reads() {
    let far = Far::new("enforce");
    far.scene.wait(|| far.scene.count("kind = 'proof'") > 0);
    far.thief.is_denied();
    let id = far.id();
    // What is gathered after the deny is there.
    far.scene.wait(|| far.scene.count("kind = 'impact'") >= 1);
    for args in [
        vec!["list"],
        vec!["list", "--status", "revoked"],
        vec!["list", "--status", "held"],
        vec!["list", "--decisions"],
        vec!["show", &id],
        vec!["incident", "list"],
        vec!["incident", "show", &id],
        vec!["alerts"],
    ] {
        let as_json = [&args[..], &["-o", "jsonl"]].concat();
        let values = |ran: Ran| ran.code(0).json().into_iter().map(steady).collect::<Vec<Value>>();
        // The service goes on with its calls meanwhile.
        far.scene.wait(|| values(far.scene.rescind(&as_json)) == values(far.run("Reader", &as_json)));
        let lines = |ran: &Ran| {
            let text = ran.out.replace("--by NAME ", "");
            // How long ago something was, and how long it was in force, passes on.
            let is_steady = |line: &&str| !line.contains(" ago") && !line.contains("in force");
            text.lines().filter(is_steady).map(str::to_owned).collect::<Vec<_>>()
        };
        far.scene.wait(|| {
            let (here, there) = (far.scene.rescind(&args).code(0), far.run("Reader", &args).code(0));
            lines(&here) == lines(&there)
        });
    }
    // What is looked up is an approver's.
    let impact = |args: &[&str]| (far.scene.rescind(args).code(0), far.run("Analyst", args).code(0));
    let (here, there) = impact(&["impact", &id, "-o", "jsonl"]);
    assert_eq!(steady(here.json_document()), steady(there.json_document()));
    let (here, there) = impact(&["impact", &id]);
    assert_eq!(here.out, there.out);
    far.run("Reader", &["impact", &id]).code(3).says("forbidden");
    let (here, there) =
        (far.scene.rescind(&["status", "-o", "jsonl"]), far.run("Reader", &["status", "-o", "jsonl"]));
    assert_eq!(here.code, there.code);
    assert_eq!(steady(here.json_document()), steady(there.json_document()));
    far.run("Reader", &["status"]).code(there.code).says("watching");
    // As a file, and as it comes.
    let csv = far.run("Reader", &["report", "-o", "csv"]).code(0).out;
    assert!(csv.contains(&id), "{csv}");
    let written = far.run("Reader", &["report", "-o", "json", "-O", "report.json"]).code(0);
    let file = std::fs::read(far.elsewhere.path().join("report.json")).expect("a report");
    assert_eq!(written.json_document()["sha256"], rescind::digest::sha256(&file));
    assert!(far.scene.entries_of("report").iter().all(|entry| entry["data"]["identity"]["proof"] == "aws"));
    far.service.stop();
}

#[test]
fn an_approval_is_the_callers_and_is_carried_out() {
    let mut far = Far::new("approve");
    let id = far.id();
    far.thief.is_allowed();
    // Whoever only reads does not answer.
    far.run("Reader", &[&["approve", &id][..], &WHY].concat()).code(3).says("forbidden");
    far.run("Nobody", &[&["approve", &id][..], &WHY].concat()).code(3).says("no_access");
    assert_eq!(far.scene.count("kind = 'approved'"), 0);
    far.run("Analyst", &[&["approve", &id][..], &WHY].concat()).code(0);
    far.service.until(log::REVOKED);
    far.thief.is_denied();
    let approved = &far.scene.entries_of("approved")[0]["data"];
    let arn = format!("arn:aws:sts::{SECURITY}:assumed-role/Analyst/laptop");
    assert_eq!(approved["identity"]["arn"], arn.as_str());
    assert_eq!((&approved["by"], &approved["reason"]), (&json!(arn), &json!("ticket 4711")));
    // Once, and to release it takes an operator.
    far.run("Analyst", &[&["approve", &id][..], &WHY].concat()).code(2).says("conflict");
    far.run("Analyst", &[&["release", "--yes", &id][..], &WHY].concat()).code(3).says("forbidden");
    // Nobody can be asked here; and what is only looked at changes nothing.
    far.run("Soar", &[&["release", &id][..], &WHY].concat()).code(2).says("--yes");
    let plan = far.run("Soar", &["release", "--dry-run", &id, "-o", "jsonl"]).code(0).json_document();
    assert_eq!((&plan["name"], &plan["account"]), (&json!("web"), &json!(SHOP)));
    assert!(plan["works_again"]["until"].is_string() && plan["undo"]["leave"].is_null(), "{plan}");
    far.thief.is_denied();
    far.run("Soar", &[&["release", "--yes", &id][..], &WHY].concat()).code(0);
    far.scene.wait(|| far.scene.count("kind = 'undone'") > 0);
    far.thief.is_allowed();
    far.service.stop();
    far.scene.rescind(&["ledger", "verify"]).code(0);
}

#[test]
fn all_that_is_held_of_an_incident_is_answered_at_once() {
    let far = Far::new("approve");
    let id = far.id();
    let answered =
        far.run("Analyst", &[&["reject", "--incident", &id, "-o", "jsonl"][..], &WHY].concat()).code(0);
    assert_eq!(answered.json()[0]["answer"], "rejected");
    assert_eq!(far.scene.entries_of("rejected").len(), 1);
    // Nothing of it is held any more.
    far.run("Analyst", &[&["reject", "--incident", &id][..], &WHY].concat()).code(2);
    far.service.stop();
}

#[test]
fn an_order_is_given_and_followed() {
    let far = Far::new("enforce");
    far.scene.role(SHOP, "api");
    let session = far.scene.session(SHOP, "api", "i-0123456789abcdef0");
    let thief = far.scene.thief(&session);
    thief.is_allowed();
    let order = ["revoke", SHOP, "api", "--yes", "--wait", "-o", "jsonl"];
    far.run("Analyst", &[&order[..], &WHY].concat()).code(3).says("forbidden");
    let given = far.run("Soar", &[&order[..], &WHY].concat()).code(0).json();
    thief.is_denied();
    assert!(given[0]["ordered"]["finding"].is_string(), "{given:?}");
    assert_eq!(given[1]["state"], "revoked");
    // Nobody can be asked here.
    far.run("Soar", &[&["revoke", SHOP, "api"][..], &WHY].concat()).code(2).says("--yes");
    far.service.stop();
}

#[test]
fn an_alert_is_seen_to() {
    let far = Far::new("enforce");
    far.scene.wait(|| far.scene.count("kind = 'proof'") > 0);
    // Somebody takes the deny away.
    Thief::operator(&far.scene, SHOP).delete_role_policy("web", POLICY).expect("deleted");
    far.scene.wait(|| far.scene.count("kind = 'alert'") > 0);
    let alerts = far.run("Reader", &["alerts", "-o", "jsonl"]).code(0).json();
    let number = alerts[0]["alert"].to_string();
    assert_eq!(alerts[0]["acknowledged"], Value::Null);
    far.run("Reader", &[&["alerts", "ack", &number][..], &WHY].concat()).code(3).says("forbidden");
    let seen = far.run("Analyst", &[&["alerts", "ack", &number, "-o", "jsonl"][..], &WHY].concat()).code(0);
    assert_eq!(seen.json_document()["acknowledged"]["reason"], "ticket 4711");
    far.run("Analyst", &[&["alerts", "ack", "999999"][..], &WHY].concat()).code(2).says("not_found");
    // On the hub's host as well.
    let here = far.scene.rescind(&["alerts", "--since", "7d", "-o", "jsonl"]).code(0).json();
    assert_eq!(here[0]["acknowledged"]["reason"], "ticket 4711");
    far.scene.rescind(&[&["alerts", "ack", &number, "--by", "Ada"][..], &WHY].concat()).code(0);
    far.service.stop();
}

#[test]
fn what_cannot_be_done_over_a_hub_says_so() {
    let far = Far::new("approve");
    for args in [
        &["run"][..],
        &["doctor"],
        &["drill", SHOP],
        &["ledger", "verify"],
        &["opt-out", "list"],
        &["plan"],
        &["explain", "x"],
        &["list", "--ledger", "ledger.db"],
        &["approve", "r-0000", "--by", "Ada", "--reason", "x"],
        &["approve", "r-0000", "--aws-identity", "--reason", "x"],
        &["report", "-o", "csv", "--ou", "ou-1"],
    ] {
        far.run("Reader", args).code(2).says("hub");
    }
    far.run("Reader", &["show", "r-000000000000"]).code(2).says("not_found");
    far.run("Nobody", &["list"]).code(3).says("no_access");
    // The variable as well.
    let session = far.scene.session(SECURITY, "Reader", "laptop");
    let mut command = far.scene.command(&["run"]);
    command
        .env("RESCIND_HUB", &far.url)
        .env("AWS_SESSION_TOKEN", session["session_token"].as_str().expect("one"));
    Ran::new(&command.output().expect("it runs")).code(2).says("RESCIND_HUB");
    // Nobody is there, and what is not encrypted.
    far.ask("Reader", &["--hub", "http://127.0.0.1:1", "list"]).code(3).says("cannot be reached");
    far.ask("Reader", &["--hub", "http://hub.example", "list"]).code(2).says("https");
    far.ask("Reader", &["--hub", &far.url.replace("127.0.0.1", "localhost"), "list"]).code(3).says(&far.url);
    // What is about this program alone needs neither.
    far.ask("Reader", &["--hub", &far.url, "completions", "bash"]).code(0);
    far.service.stop();
}

/// The code of a page of the docs, all of it.
fn example(page: &str) -> String {
    let path = std::path::Path::new(env!("CARGO_MANIFEST_DIR")).join("docs").join(page);
    let text = std::fs::read_to_string(path).expect("a page");
    let blocks = text.split("```python\n").skip(1).filter_map(|rest| rest.split("```").next());
    blocks.collect::<Vec<_>>().join("\n")
}

#[test]
fn the_example_of_the_docs_orders_a_revocation() {
    let far = Far::new("enforce");
    let code = example("programs.md");
    assert!(code.contains("/v1/revocations"), "{code}");
    let session = far.scene.session(SECURITY, "Soar", "soar");
    let text = |field: &str| session[field].as_str().expect("a text").to_owned();
    let ran = std::process::Command::new(crate::scene::python())
        .args(["-c", &code])
        .env_clear()
        .env("RESCIND_HUB", &far.url)
        .env("AWS_ENDPOINT_URL", far.scene.endpoint())
        .env("AWS_DEFAULT_REGION", "eu-central-1")
        .env("AWS_ACCESS_KEY_ID", text("access_key_id"))
        .env("AWS_SECRET_ACCESS_KEY", text("secret_access_key"))
        .env("AWS_SESSION_TOKEN", text("session_token"))
        .env("AWS_CONFIG_FILE", "/dev/null")
        .output()
        .expect("it runs");
    let ran = Ran::new(&ran).code(0).says("ordered");
    assert!(ran.err.is_empty(), "{}", ran.err);
    let order =
        &far.scene.entries_of("finding").pop().expect("an order")["data"]["finding"]["cause"]["order"];
    assert_eq!(order["reason"], "SOAR case 4711");
    let arn = format!("arn:aws:sts::{SECURITY}:assumed-role/Soar/soar");
    assert_eq!(order["from"]["person"]["identity"]["arn"], arn.as_str());
    far.service.stop();
}
