//! Several people answer: who may, for which accounts, and that each counts once.

use crate::scene::{BANK, SECURITY, SHOP, Scene};
use crate::service::address;
use crate::signer::{Answer, Program};
use crate::watching::Watching;
use serde_json::{Value, json};

const RULES: &str = r#"
[[rules]]
name = "two"
types = ["UnauthorizedAccess:IAMUser/InstanceCredentialExfiltration*"]
approvers = 2
[[rules]]
name = "orders"
types = ["rescind:Order/Revoke"]
four_eyes = true
"#;

const PEOPLE: [(&str, &str, &str); 4] =
    [("Alice", "approver", ""), ("Bob", "approver", ""), ("Olga", "operator", ""), ("Carol", "viewer", BANK)];

/// A hub with people of several roles, all of them IAM roles of the security account.
struct Company {
    scene: Scene,
    service: Watching,
    url: String,
}

impl Company {
    fn start(thefts: &[(&str, &str)]) -> (Self, Vec<crate::thief::Thief>) {
        let scene = Scene::new();
        scene.watch();
        for (name, ..) in PEOPLE {
            scene.role(SECURITY, name);
        }
        configure(&scene, RULES, &PEOPLE);
        let thieves = thefts.iter().map(|(account, role)| scene.theft(account, role).0).collect();
        let mut service = Watching::start(&scene, &[]);
        let url = address(&mut service);
        scene.wait(|| scene.count("kind = 'proposed'") == thefts.len());
        (Self { scene, service, url }, thieves)
    }

    fn person(&self, name: &str, session: &str) -> Program {
        let credentials = self.scene.session(SECURITY, name, session);
        Program::new(&credentials, self.scene.endpoint(), &self.url)
    }

    fn get(&self, who: &Program, path: &str) -> Answer {
        who.ask(&self.url, "GET", path, "")
    }

    fn approve(&self, who: &Program, id: &str) -> Answer {
        approve(&self.url, who, id)
    }

    /// The ids of the remediations in this state.
    fn ids(&self, state: &str) -> Vec<String> {
        let lines = self.scene.rescind(&["list", "--status", state, "-o", "jsonl"]).code(0).json();
        lines.iter().map(|line| line["remediation"].as_str().expect("an id").to_owned()).collect()
    }

    fn end(self) {
        assert_eq!(self.service.stop(), 0);
        self.scene.rescind(&["ledger", "verify"]).code(0);
    }
}

/// With these rules, and with people who have a role for all accounts or for one.
fn configure(scene: &Scene, rules: &str, people: &[(&str, &str, &str)]) {
    let mut access = String::new();
    for (name, role, account) in people {
        let only = if account.is_empty() { String::new() } else { format!("accounts = [\"{account}\"]\n") };
        let table = format!(
            "[[web.access]]\nrole = \"{role}\"\narns = [\"arn:aws:iam::{SECURITY}:role/{name}\"]\n{only}"
        );
        access.push_str(&table);
    }
    scene.configure(&format!(
        "mode = \"approve\"\npoll_interval = \"5s\"\nlisten = \"127.0.0.1:0\"\n{rules}{access}"
    ));
}

fn approve(url: &str, who: &Program, id: &str) -> Answer {
    who.ask(url, "POST", &format!("/v1/remediations/{id}/approve"), "{\"reason\":\"a test\"}")
}

#[test]
fn two_people_must_approve_and_sessions_of_one_role_are_one() {
    let (company, thieves) = Company::start(&[(SHOP, "web")]);
    let id = company.ids("held").remove(0);
    let first = company.approve(&company.person("Alice", "run-1"), &id);
    assert_eq!((first.status, &first.json()["approvals_missing"]), (200, &json!(1)), "{}", first.text);
    for session in ["run-1", "run-2"] {
        let again = company.approve(&company.person("Alice", session), &id);
        assert_eq!(again.problem(), (403, "four_eyes".to_owned()), "{}", again.text);
    }
    assert_eq!(company.ids("held"), [id.as_str()]);
    let second = company.approve(&company.person("Bob", "run-1"), &id);
    assert_eq!((second.status, &second.json()["approvals_missing"]), (200, &json!(0)), "{}", second.text);
    company.scene.wait(|| company.ids("revoked") == [id.as_str()]);
    thieves[0].is_denied();
    let approved = company.scene.entries_of("approved").remove(0);
    let arn = format!("arn:aws:sts::{SECURITY}:assumed-role/Bob/run-1");
    assert_eq!(approved["data"]["identity"]["arn"], arn.as_str());
    assert_eq!((&approved["data"]["by"], &approved["data"]["os_user"]), (&json!(arn), &json!("")));
    let refused = company.scene.entries_of("request_refused");
    assert_eq!(refused.iter().filter(|entry| entry["data"]["code"] == "four_eyes").count(), 2);
    company.end();
}

#[test]
fn what_the_rule_asked_for_stands_and_who_may_do_what_is_read_again() {
    let (company, thieves) = Company::start(&[(SHOP, "web")]);
    let id = company.ids("held").remove(0);
    let (alice, bob) = (company.person("Alice", "run-1"), company.person("Bob", "run-1"));
    let read_again = |people: &[(&str, &str, &str)], times| {
        configure(&company.scene, &RULES.replace("two", "one").replace("approvers = 2\n", ""), people);
        company.service.signal("HUP");
        company.scene.wait(|| company.scene.count("kind = 'reloaded'") == times);
    };
    read_again(&[("Alice", "approver", ""), ("Bob", "viewer", "")], 1);
    let first = company.approve(&alice, &id);
    assert_eq!(first.json()["approvals_missing"], 1, "{}", first.text);
    assert_eq!(company.approve(&bob, &id).problem(), (403, "forbidden".to_owned()));
    read_again(&[("Alice", "approver", "")], 2);
    assert_eq!(company.approve(&bob, &id).problem(), (403, "no_access".to_owned()));
    assert_eq!(company.ids("held"), [id.as_str()]);
    read_again(&[("Bob", "approver", "")], 3);
    assert_eq!(company.approve(&bob, &id).json()["approvals_missing"], 0);
    company.scene.wait(|| company.ids("revoked") == [id.as_str()]);
    thieves[0].is_denied();
    // None of it needed a restart.
    let reloaded = company.scene.entries_of("reloaded");
    assert!(reloaded.iter().all(|entry| entry["data"]["needs_restart"] == json!([])), "{reloaded:?}");
    company.end();
}

#[test]
fn what_is_approved_is_the_plan_that_was_read() {
    let (company, _) = Company::start(&[(SHOP, "web")]);
    let id = company.ids("held").remove(0);
    let alice = company.person("Alice", "run-1");
    let approve = |plan: i64| {
        let body = json!({"reason": "a test", "plan": plan}).to_string();
        alice.ask(&company.url, "POST", &format!("/v1/remediations/{id}/approve"), &body)
    };
    let line = company.get(&alice, &format!("/v1/remediations/{id}")).json()["remediation"].clone();
    assert_eq!(line["approval"], json!({"approvers": 2, "four_eyes": false}));
    let plan = line["plan"].as_i64().expect("a number");
    for other in [plan - 1, plan + 1, 0] {
        assert_eq!(approve(other).problem(), (409, "plan_changed".to_owned()));
    }
    assert_eq!(company.scene.count("kind = 'approval_given'"), 0);
    assert_eq!(approve(plan).json()["approvals_missing"], 1);
    company.end();
}

#[test]
fn two_who_approve_at_the_same_time_have_both_approved() {
    let roles = ["a", "b", "c", "d", "e", "f"];
    let thefts: Vec<(&str, &str)> = roles.iter().map(|role| (SHOP, *role)).collect();
    let (company, thieves) = Company::start(&thefts);
    let (alice, bob) = (company.person("Alice", "run-1"), company.person("Bob", "run-1"));
    for id in company.ids("held") {
        std::thread::scope(|scope| {
            for who in [&alice, &bob] {
                let (url, id) = (company.url.as_str(), id.as_str());
                scope.spawn(move || assert_eq!(approve(url, who, id).status, 200));
            }
        });
    }
    company.scene.wait(|| company.ids("revoked").len() == roles.len());
    for thief in &thieves {
        thief.is_denied();
    }
    company.end();
}

#[test]
fn whoever_orders_does_not_approve_where_the_rule_asks_for_four_eyes() {
    let (company, _) = Company::start(&[]);
    company.scene.role(SHOP, "api");
    let olga = company.person("Olga", "run-1");
    let order = json!({"account": SHOP, "principal": "api", "reason": "seen elsewhere"}).to_string();
    let given = olga.ask(&company.url, "POST", "/v1/revocations", &order);
    assert_eq!(given.status, 202, "{}", given.text);
    company.scene.wait(|| company.scene.count("kind = 'proposed'") == 1);
    let id = company.ids("held").remove(0);
    assert_eq!(
        company.approve(&company.person("Olga", "run-2"), &id).problem(),
        (403, "four_eyes".to_owned())
    );
    assert_eq!(company.approve(&company.person("Bob", "run-1"), &id).status, 200);
    company.scene.wait(|| company.ids("revoked") == [id.as_str()]);
    company.end();
}

#[test]
fn nobody_sees_or_changes_what_is_of_other_accounts() {
    let (company, _) = Company::start(&[(SHOP, "web"), (BANK, "batch")]);
    let carol = company.person("Carol", "run-1");
    let listed = company.get(&carol, "/v1/remediations").json();
    let items = listed["items"].as_array().expect("items");
    assert_eq!((items.len(), &items[0]["account"]), (1, &json!(BANK)));
    let own = items[0]["remediation"].as_str().expect("an id").to_owned();
    let other = company.ids("held").into_iter().find(|id| *id != own).expect("the other one");
    let text = |id: &str| {
        let answer = company.get(&carol, &format!("/v1/remediations/{id}"));
        assert_eq!(answer.problem(), (404, "not_found".to_owned()));
        answer.text.replace(id, "ID")
    };
    // What they may not see is as if it were not there.
    assert_eq!(text(&other), text("r-ffffffffffff"));
    assert_eq!(text(&other[..10]), text("r-ffffffff"));
    assert_eq!(company.approve(&carol, &other).problem(), (404, "not_found".to_owned()));
    assert_eq!(company.approve(&carol, &own).problem(), (403, "forbidden".to_owned()));
    for path in ["/v1/status", "/v1/ledger", "/v1/opt-outs"] {
        assert_eq!(company.get(&carol, path).problem(), (403, "forbidden".to_owned()), "{path}");
    }
    let decisions = company.get(&carol, "/v1/decisions").json();
    let accounts: Vec<&Value> =
        decisions["items"].as_array().expect("items").iter().map(|item| &item["account"]).collect();
    assert!(accounts.iter().all(|account| **account == json!(BANK)), "{accounts:?}");
    let report = company.get(&carol, "/v1/report?format=jsonl");
    assert!(report.status == 200 && report.text.contains(BANK) && !report.text.contains(SHOP));
    assert_eq!(company.get(&carol, &format!("/v1/report?format=csv&account={SHOP}")).status, 404);
    let refused = company.scene.entries_of("request_refused");
    let codes: Vec<&Value> = refused.iter().map(|entry| &entry["data"]["code"]).collect();
    assert_eq!(codes, [&json!("forbidden"); 4]);
    assert_eq!(company.scene.count("kind IN ('approved', 'approval_given')"), 0);
    company.end();
}

#[test]
fn a_request_with_a_key_is_made_once() {
    let (company, _) = Company::start(&[]);
    company.scene.role(SHOP, "api");
    let order = |session: &str, key: &str, role: &str| {
        let body = json!({"account": SHOP, "principal": role, "reason": "seen elsewhere"}).to_string();
        let signed = company.person("Olga", session).sign("POST", "/v1/revocations", &body);
        let headers = [
            ("authorization", signed.header()),
            ("x-rescind-nonce", signed.nonce.clone()),
            ("idempotency-key", key.to_owned()),
        ];
        crate::signer::send(&company.url, "POST", "/v1/revocations", &body, &headers)
    };
    let first = order("run-1", "k", "api");
    // Whoever assumes the role anew is the same program.
    let again = order("run-2", "k", "api");
    assert_eq!((first.status, again.status), (202, 202));
    assert_eq!(first.json(), again.json());
    assert_ne!(order("run-1", "other", "api").json(), first.json());
    assert_eq!(order("run-1", "k", "web").problem(), (422, "key_reused".to_owned()));
    assert_eq!(company.scene.count("kind = 'handed_in'"), 2);
    company.end();
}

#[test]
fn what_was_rejected_can_be_approved_by_as_many_people_and_what_failed_can_be_closed() {
    let (company, thieves) = Company::start(&[(SHOP, "web")]);
    let id = company.ids("held").remove(0);
    let (alice, bob) = (company.person("Alice", "run-1"), company.person("Bob", "run-1"));
    let answer = |who: &Program, id: &str, answer: &str| {
        let path = format!("/v1/remediations/{id}/{answer}");
        who.ask(&company.url, "POST", &path, "{\"reason\":\"a test\"}")
    };
    assert_eq!(answer(&bob, &id, "reject").status, 200);
    assert_eq!(company.approve(&alice, &id).json()["approvals_missing"], 1);
    assert_eq!(company.ids("rejected"), [id.as_str()]);
    assert_eq!(company.approve(&bob, &id).json()["approvals_missing"], 0);
    company.scene.wait(|| company.ids("revoked") == [id.as_str()]);
    thieves[0].is_denied();
    // A name that nobody has.
    let order = json!({"account": SHOP, "principal": "nobody", "reason": "a slip"}).to_string();
    let olga = company.person("Olga", "run-1");
    assert_eq!(olga.ask(&company.url, "POST", "/v1/revocations", &order).status, 202);
    company.scene.wait(|| company.scene.count("kind = 'proposed'") == 2);
    let slip = company.ids("held").remove(0);
    assert_eq!(answer(&alice, &slip, "done").problem(), (409, "conflict".to_owned()));
    assert_eq!(company.approve(&bob, &slip).status, 200);
    company.scene.wait(|| company.ids("failed") == [slip.as_str()]);
    assert_eq!(answer(&alice, &slip, "done").status, 200);
    let states = company.get(&alice, "/v1/incidents").json();
    let states: Vec<&Value> =
        states["items"].as_array().expect("items").iter().map(|item| &item["state"]).collect();
    assert_eq!(states, [&json!("closed"); 2]);
    company.end();
}
