//! Tickets in Jira and ServiceNow: one for each incident, opened, updated and closed. The receiver
//! (`tests/emulator/ticket_systems`) refuses each request that is not as the documentation says.

use crate::ladder::after;
use crate::scene::{Ran, SHOP, Scene, start_python};
use serde_json::{Value, json};
use std::process::Child;

/// Both ticket systems.
struct Systems {
    process: Child,
    url: String,
    agent: ureq::Agent,
}

impl Drop for Systems {
    fn drop(&mut self) {
        let _ = self.process.kill();
        let _ = self.process.wait();
    }
}

impl Systems {
    fn start() -> Self {
        let (process, line) = start_python("ticket_systems", &[]);
        let agent = ureq::Agent::config_builder().proxy(None).build().into();
        Self { process, url: line.trim().to_owned(), agent }
    }

    fn get(&self, path: &str) -> Value {
        let mut answer = self.agent.get(format!("{}/{path}", self.url)).call().expect("an answer");
        answer.body_mut().read_json().expect("JSON")
    }

    fn tickets(&self, system: &str) -> Vec<Value> {
        self.get("tickets")[system].as_array().expect("tickets").clone()
    }

    fn plan(&self, plan: &Value) {
        self.agent.post(format!("{}/plan", self.url)).send_json(plan).expect("an answer");
    }

    /// The requests that were refused, or not answered.
    fn refused(&self) -> Vec<Value> {
        let is_refused = |one: &Value| one["status"].as_u64().is_none_or(|status| status >= 400);
        self.get("requests")
            .as_array()
            .expect("requests")
            .iter()
            .filter(|one| is_refused(one))
            .cloned()
            .collect()
    }

    /// The requests that opened a ticket, or may have.
    fn opening(&self) -> usize {
        let opens = |one: &&Value| {
            let path = one["path"].as_str().expect("a path");
            one["method"] == "POST" && (path.ends_with("/issue") || path.ends_with("/incident"))
        };
        self.get("requests").as_array().expect("requests").iter().filter(opens).count()
    }

    fn jira(&self) -> String {
        format!(
            "[[notify]]\nname = \"jira\"\njira = \"{}/jira\"\nproject = \"SEC\"\nuser = \"hub@example.com\"\ntoken_file = \"jira.token\"\n",
            self.url
        )
    }

    fn servicenow(&self) -> String {
        format!(
            "[[notify]]\nname = \"snow\"\nservicenow = \"{}/servicenow\"\ntoken_env = \"SNOW\"\n",
            self.url
        )
    }
}

const TOKEN: &str = "right-token";

/// A scene whose channels are these.
fn scene(channels: &str) -> Scene {
    let mut scene = Scene::new();
    std::fs::write(scene.path("jira.token"), format!("{TOKEN}\n")).expect("written");
    channels.clone_into(&mut scene.more_tables);
    scene.configure("mode = \"enforce\"\n");
    scene
}

fn rescind(scene: &Scene, args: &[&str]) -> Ran {
    Ran::new(&scene.command(args).env("SNOW", TOKEN).output().expect("it runs"))
}

fn run(scene: &Scene) {
    rescind(scene, &["run", "--once", "--backlog"]);
}

/// The steps of the tickets, by the ledger.
fn steps(scene: &Scene) -> Vec<String> {
    let step = |entry: &Value| entry["data"]["step"].as_str().expect("a step").to_owned();
    scene.entries_of("ticket").iter().map(step).collect()
}

fn text<'a>(value: &'a Value, name: &str) -> &'a str {
    value[name].as_str().unwrap_or_else(|| panic!("{name}: {value}"))
}

fn remediation(scene: &Scene) -> String {
    scene.rescind(&["-o", "jsonl", "list"]).json()[0]["remediation"].as_str().expect("an id").to_owned()
}

#[test]
fn a_theft_has_one_ticket_that_is_opened_commented_and_closed() {
    for (system, comments, closed) in
        [("jira", "comments", ("category", "done")), ("servicenow", "work_notes", ("state", "6"))]
    {
        let systems = Systems::start();
        let channel = if system == "jira" { systems.jira() } else { systems.servicenow() };
        let scene = scene(&format!("[web]\nurl = \"https://rescind.example.com\"\n{channel}"));
        scene.configure("mode = \"approve\"\n");
        let (thief, finding) = scene.theft(SHOP, "web");
        run(&scene);
        let id = remediation(&scene);
        let incident = id.replace("r-", "i-");
        let opened = systems.tickets(system);
        assert_eq!((opened.len(), steps(&scene)), (1, vec!["opening".to_owned(), "opened".to_owned()]));
        let description = text(&opened[0], "description");
        assert!(description.contains(&finding), "{description}");
        assert!(description.contains(&format!("https://rescind.example.com/remediations/{id}#answer")));
        assert!(description.contains(&format!("https://rescind.example.com/incidents/{incident}")));
        assert!(opened[0].to_string().contains(&format!("\"rescind-{incident}\"")), "{}", opened[0]);
        assert_ne!(opened[0][closed.0], closed.1);

        // The deny is a comment, and closes it: no door is open.
        scene.rescind(&["approve", &id, "--by", "ann", "--reason", "stolen"]).code(0);
        run(&scene);
        thief.is_denied();
        run(&scene);
        let tickets = systems.tickets(system);
        assert_eq!((tickets.len(), &tickets[0][closed.0]), (1, &json!(closed.1)), "{tickets:?}");
        let said = tickets[0][comments].to_string();
        assert!(said.contains("revoked"), "{said}");
        assert_eq!(steps(&scene), ["opening", "opened", "closed"]);

        // Its release is one more comment, and no more is said than that.
        scene.rescind(&["release", "--yes", &id, "--by", "ann", "--reason", "it was a test"]).code(0);
        run(&scene);
        run(&scene);
        let after = systems.tickets(system);
        assert_eq!(after[0][closed.0], closed.1);
        let count = |ticket: &Value| ticket[comments].as_array().expect("a list").len();
        assert_eq!(count(&after[0]), count(&tickets[0]) + 1, "{after:?}");
        assert_eq!(systems.refused(), Vec::<Value>::new());
        scene.rescind(&["ledger", "verify"]).code(0);
        scene.rescind(&["ledger", "rebuild", "--check"]).code(0);
    }
}

/// The answer is lost after the ticket was made, in the middle of a run and with a process that dies. Jira's search
/// does not show the ticket at once.
#[test]
fn a_lost_answer_opens_no_second_ticket() {
    let systems = Systems::start();
    systems.plan(&json!({
        "faults": [["POST", "/issue", "lost"], ["POST", "/incident", "lost"]], "index_lag": 3,
    }));
    let scene = scene(&format!("{}{}", systems.jira(), systems.servicenow()));
    scene.configure("mode = \"approve\"\n");
    let _ = scene.theft(SHOP, "web");
    run(&scene);
    assert_eq!((systems.tickets("jira").len(), systems.tickets("servicenow").len()), (1, 1));
    assert_eq!(steps(&scene), ["opening", "opening"]);
    // Nobody asks before the search can know.
    scene.wait(|| {
        run(&scene);
        steps(&scene).len() == 4
    });
    assert_eq!(steps(&scene), ["opening", "opening", "opened", "opened"]);
    assert_eq!((systems.tickets("jira").len(), systems.tickets("servicenow").len()), (1, 1));
    assert_eq!(systems.opening(), 2);
    let keys: Vec<Value> =
        scene.entries_of("ticket").iter().map(|entry| entry["data"]["key"].clone()).collect();
    assert!(keys.contains(&json!("SEC-1")) && keys.contains(&json!("INC0010001")), "{keys:?}");
}

#[test]
fn a_system_that_is_down_gets_the_ticket_later() {
    let systems = Systems::start();
    systems.plan(&json!({"faults": [["GET", "/search/jql", 503], ["GET", "/incident", "hang up"]]}));
    let scene = scene(&format!("{}{}", systems.jira(), systems.servicenow()));
    let (thief, _) = scene.theft(SHOP, "web");
    run(&scene);
    thief.is_denied();
    assert_eq!((systems.tickets("jira").len(), systems.tickets("servicenow").len()), (0, 0));
    run(&scene);
    assert_eq!((systems.tickets("jira").len(), systems.tickets("servicenow").len()), (1, 1));
}

#[test]
fn a_wrong_token_is_named_by_its_place_and_never_shown() {
    const WRONG: &str = "wrong-token-0123456789";
    let systems = Systems::start();
    let scene = scene(&format!("{}{}", systems.jira(), systems.servicenow()));
    std::fs::write(scene.path("jira.token"), WRONG).expect("written");
    scene.watch();
    let wrong = |args: &[&str]| scene.command(args).env("SNOW", WRONG).output().expect("it runs");
    let output = wrong(&["notify", "test"]);
    Ran::new(&output).code(5).says("401").says("jira.token").says("hub@example.com").says("$SNOW");
    let _ = scene.theft(SHOP, "web");
    let ran = wrong(&["run", "--once", "--backlog"]);
    let status = scene.rescind(&["status", "-o", "jsonl"]).json_document();
    let channels = status["channels"].as_array().expect("channels");
    assert!(channels.iter().all(|one| text(one, "error").contains("401")), "{channels:?}");
    let ledger = std::fs::read(scene.path("ledger.db")).expect("a ledger");
    // hub@example.com:wrong-token-0123456789
    for secret in [WRONG, "aHViQGV4YW1wbGUuY29tOndyb25nLXRva2Vu"] {
        for bytes in [&output.stdout, &output.stderr, &ran.stdout, &ran.stderr, &ledger] {
            assert!(!bytes.windows(secret.len()).any(|part| part == secret.as_bytes()), "{secret} is shown");
        }
        assert!(!status.to_string().contains(secret));
    }
    // With the right one it goes on.
    std::fs::write(scene.path("jira.token"), TOKEN).expect("written");
    run(&scene);
    assert_eq!((systems.tickets("jira").len(), systems.tickets("servicenow").len()), (1, 1));
}

#[test]
fn a_test_opens_a_ticket_and_closes_it() {
    let systems = Systems::start();
    let scene = scene(&format!("{}{}", systems.jira(), systems.servicenow()));
    scene.watch();
    rescind(&scene, &["notify", "test"]).code(0);
    let (jira, snow) = (systems.tickets("jira"), systems.tickets("servicenow"));
    assert_eq!((jira.len(), &jira[0]["category"]), (1, &json!("done")));
    assert_eq!((snow.len(), &snow[0]["state"]), (1, &json!("6")));
    assert_eq!(systems.refused(), Vec::<Value>::new());
    // A workflow in which nothing is done cannot be used, and that is said.
    systems.plan(&json!({"transitions": [["11", "Start", "In Progress", "indeterminate"]]}));
    rescind(&scene, &["notify", "test", "jira"]).code(5).says("close_transition");
}

/// A ticket that somebody deleted is no reason to say nothing, and one that is closed is opened again.
#[test]
fn a_thief_who_goes_on_has_an_open_ticket() {
    for system in ["jira", "servicenow"] {
        let systems = Systems::start();
        let channel = if system == "jira" { systems.jira() } else { systems.servicenow() };
        let scene = scene(&channel);
        let (_, finding) = scene.theft(SHOP, "web");
        let leak_again = |instance: &str| {
            let now = after(&scene, 60);
            let session = scene.session(SHOP, "web", instance);
            scene.report(SHOP, "web", &session, json!({"id": finding, "updated_at": now}));
        };
        run(&scene);
        run(&scene);
        let is_closed = |ticket: &Value| ticket["category"] == "done" || ticket["state"] == "6";
        assert!(is_closed(&systems.tickets(system)[0]), "{:?}", systems.tickets(system));
        // The source leaks again: it is the same incident.
        leak_again("i-0fedcba9876543210");
        run(&scene);
        let all = steps(&scene);
        let tickets = systems.tickets(system);
        assert_eq!(tickets.len(), 1, "{all:?} {tickets:?}");
        assert!(all.contains(&"reopened".to_owned()), "{all:?}");

        systems.plan(&json!({"delete": system}));
        leak_again("i-0aaaaaaaaaaaaaaaa");
        run(&scene);
        run(&scene);
        assert!(steps(&scene).contains(&"gone".to_owned()), "{:?}", steps(&scene));
        assert_eq!(systems.tickets(system).len(), 1);
    }
}

/// What a finding brings is text, and nothing else, in a ticket.
#[test]
fn evil_names_are_harmless_in_a_ticket() {
    let systems = Systems::start();
    let scene = scene(&format!("{}{}", systems.jira(), systems.servicenow()));
    let evil = "[code]<img src=x>[/code] [~admin] \r\n^ORactive=true \u{202e}\u{1b}[31m";
    let finding = json!({"type": "UnauthorizedAccess:IAMUser/InstanceCredentialExfiltration.OutsideAWS", "severity": 8, "accountId": SHOP,
        "resource": {"resourceType": "AccessKey", "accessKeyDetails": {"userType": "FederatedUser", "userName": evil, "principalId": format!("{SHOP}:x")}}});
    scene.post(
        "findings",
        &json!({"account": crate::scene::SECURITY, "region": crate::scene::HOME, "findings": [finding]}),
    );
    rescind(&scene, &["run", "--once", "--backlog"]);
    let (jira, snow) = (systems.tickets("jira"), systems.tickets("servicenow"));
    assert_eq!((jira.len(), snow.len()), (1, 1));
    let all = format!("{jira:?}{snow:?}");
    assert!(!all.contains(['\u{202e}', '\u{1b}']), "{all}");
    assert_eq!(systems.refused(), Vec::<Value>::new());
}
