//! The API: what it gives, to whom, and what it refuses.

use crate::scene::{BANK, SHOP, Scene};
use crate::service::address;
use crate::watching::Watching;
use serde_json::{Value, json};
use std::io::{BufRead, BufReader, Write};
use std::net::TcpStream;

const LISTENS: &str = "mode = \"approve\"\npoll_interval = \"5s\"\nlisten = \"127.0.0.1:0\"\n[web]\nhosts = [\"rescind.monitoring.svc\"]\n";

/// An answer over HTTP.
pub struct Answered {
    pub status: u16,
    pub headers: ureq::http::HeaderMap,
    pub text: String,
}

impl Answered {
    #[track_caller]
    pub fn json(&self) -> Value {
        serde_json::from_str(&self.text).unwrap_or_else(|_| panic!("no JSON: {} {}", self.status, self.text))
    }

    /// Status and code of a problem.
    #[track_caller]
    pub fn problem(&self) -> (u16, String) {
        assert_eq!(self.headers["content-type"], "application/problem+json", "{}", self.text);
        let problem = self.json();
        assert_eq!(problem["status"], self.status, "{problem}");
        (self.status, problem["code"].as_str().expect("a code").to_owned())
    }
}

fn agent() -> ureq::Agent {
    ureq::Agent::config_builder().proxy(None).http_status_as_error(false).max_redirects(0).build().into()
}

/// Asks with these headers.
pub fn get(url: &str, headers: &[(&str, &str)]) -> Answered {
    let request =
        headers.iter().fold(agent().get(url), |request, (name, value)| request.header(*name, *value));
    answered(request.call().expect("it answers"))
}

/// Sends a body of JSON with these headers.
pub fn post(url: &str, body: &Value, headers: &[(&str, &str)]) -> Answered {
    let request =
        headers.iter().fold(agent().post(url), |request, (name, value)| request.header(*name, *value));
    answered(request.send_json(body).expect("it answers"))
}

fn answered(mut answer: ureq::http::Response<ureq::Body>) -> Answered {
    let text = answer.body_mut().read_to_string().expect("a text");
    Answered { status: answer.status().as_u16(), headers: answer.headers().clone(), text }
}

/// A service that answers, with one held remediation in each of two accounts.
fn two_held(scene: &Scene) -> (Watching, String) {
    scene.watch();
    scene.configure(LISTENS);
    for (account, role) in [(SHOP, "web"), (BANK, "batch")] {
        scene.theft(account, role);
    }
    let mut service = Watching::start(scene, &[]);
    let url = address(&mut service);
    scene.wait(|| scene.count("kind = 'proposed'") == 2);
    (service, url)
}

#[test]
fn it_gives_what_the_commands_give() {
    let scene = Scene::new();
    let (service, url) = two_held(&scene);
    let ask = |path: &str| get(&format!("{url}{path}"), &[]).json();
    let mut listed = scene.rescind(&["list", "-o", "jsonl"]).code(0).json();
    listed.reverse();
    assert_eq!(ask("/v1/remediations")["items"], json!(listed));
    let id = listed[0]["remediation"].as_str().expect("an id");
    assert_eq!(
        ask(&format!("/v1/remediations/{id}")),
        scene.rescind(&["show", id, "-o", "jsonl"]).code(0).json_document()
    );
    let mut decisions = scene.rescind(&["list", "--decisions", "-o", "jsonl"]).code(0).json();
    decisions.reverse();
    assert_eq!(ask("/v1/decisions")["items"], json!(decisions));
    let incidents = scene.rescind(&["incident", "list", "-o", "jsonl"]).code(0).json();
    assert_eq!(ask("/v1/incidents")["items"], json!(incidents));
    let incident = incidents[0]["incident"].as_str().expect("an id");
    let shown = scene.rescind(&["incident", "show", incident, "-o", "jsonl"]).code(0).json_document();
    assert_eq!(ask(&format!("/v1/incidents/{incident}")), shown);
    // The service goes on with its calls meanwhile.
    scene.wait(|| {
        let status = scene.rescind(&["status", "-o", "jsonl"]).code(5).json_document();
        let asked = ask("/v1/status");
        ["states", "unfinished", "ledger_entries", "holder"].iter().all(|key| asked[*key] == status[*key])
    });
    assert_eq!(ask("/v1/whoami"), json!({"identity": null, "role": "viewer"}));
    let coverage = ask("/v1/coverage");
    let accounts = coverage["accounts"].as_array().expect("accounts");
    let shop = accounts.iter().find(|one| one["account"] == SHOP).expect("the account");
    assert_eq!((&shop["has_worked"], &shop["state"]), (&json!(false), &json!("ACTIVE")));
    assert_eq!(service.stop(), 0);
}

#[test]
fn lists_come_in_pages_and_by_what_is_wanted() {
    let scene = Scene::new();
    let (service, url) = two_held(&scene);
    let ask = |path: &str| get(&format!("{url}{path}"), &[]);
    let ids = |path: &str| -> Vec<String> {
        let document = ask(path).json();
        let items = document["items"].as_array().expect("items");
        items.iter().map(|item| item["remediation"].as_str().expect("an id").to_owned()).collect()
    };
    let all = ids("/v1/remediations");
    assert_eq!(all.len(), 2);
    let first = ask("/v1/remediations?limit=1").json();
    let next = &first["next"];
    assert_eq!(first["items"][0]["remediation"], all[0]);
    let second = ask(&format!("/v1/remediations?limit=1&cursor={next}")).json();
    assert_eq!((&second["items"][0]["remediation"], &second["next"]), (&json!(all[1]), &Value::Null));
    assert_eq!(ids("/v1/remediations?state=held,revoked"), all);
    assert_eq!(ids("/v1/remediations?state=revoked"), Vec::<String>::new());
    for (wanted, account) in [(format!("account={BANK}"), BANK), ("text=WEB".to_owned(), SHOP)] {
        let items = ask(&format!("/v1/remediations?{wanted}")).json()["items"].clone();
        assert_eq!((items.as_array().map(Vec::len), &items[0]["account"]), (Some(1), &json!(account)));
    }
    for wrong in [
        "/v1/remediations?limit=0",
        "/v1/remediations?limit=501",
        "/v1/remediations?cursor=x",
        "/v1/remediations?state=lost,found",
        "/v1/incidents?state=x",
        "/v1/alerts?since=yesterday",
        "/v1/remediations/r-1",
        "/v1/report?format=pdf",
        "/v1/report?format=csv&appendix=true",
        "/v1/report?format=csv&from=2026-02-02T00:00:00Z&to=2026-02-01T00:00:00Z",
    ] {
        assert_eq!(ask(wrong).problem(), (400, "invalid".to_owned()), "{wrong}");
    }
    for unknown in
        ["/v1/remediations/r-ffffffffffff", "/v1/incidents/i-ffffffffffff", "/v1/ledger/entries/999999/proof"]
    {
        assert_eq!(ask(unknown).problem(), (404, "not_found".to_owned()), "{unknown}");
    }
    assert_eq!(service.stop(), 0);
}

#[test]
fn what_no_checkpoint_covers_yet_is_a_conflict_and_the_document_refuses_like_all() {
    let scene = Scene::new();
    let (service, url) = two_held(&scene);
    let last = get(&format!("{url}/v1/ledger"), &[]).json()["entries"].clone();
    let proof = get(&format!("{url}/v1/ledger/entries/{last}/proof"), &[]);
    assert_eq!(proof.problem(), (409, "conflict".to_owned()));
    let document = post(&format!("{url}/v1/openapi.json"), &json!({}), &[]);
    assert_eq!(document.problem(), (405, "method_not_allowed".to_owned()));
    assert_eq!(service.stop(), 0);
}

#[test]
fn what_is_known_is_not_sent_again() {
    let scene = Scene::new();
    let (service, url) = two_held(&scene);
    let url = format!("{url}/v1/remediations");
    let first = get(&url, &[]);
    let tag = first.headers["etag"].to_str().expect("a tag");
    let again = get(&url, &[("if-none-match", tag)]);
    assert_eq!((again.status, again.text.as_str()), (304, ""));
    let id = first.json()["items"][0]["remediation"].as_str().expect("an id").to_owned();
    scene.rescind(&["reject", &id, "--by", "alice", "--reason", "a test"]).code(0);
    assert_eq!(get(&url, &[("if-none-match", tag)]).status, 200);
    assert_eq!(service.stop(), 0);
}

#[test]
fn without_an_identity_nothing_is_changed_and_other_hosts_are_not_answered() {
    let scene = Scene::new();
    let (service, url) = two_held(&scene);
    let id = get(&format!("{url}/v1/remediations"), &[]).json()["items"][0]["remediation"].clone();
    let id = id.as_str().expect("an id");
    let why = json!({"reason": "a test"});
    let order = json!({"account": SHOP, "principal": "web", "reason": "a test"});
    for (path, body) in [
        (format!("/v1/remediations/{id}/approve"), &why),
        (format!("/v1/remediations/{id}/reject"), &why),
        (format!("/v1/remediations/{id}/release"), &why),
        ("/v1/revocations".to_owned(), &order),
        ("/v1/revocations/plan".to_owned(), &order),
        ("/v1/alerts/1/acknowledge".to_owned(), &why),
    ] {
        let refused = post(&format!("{url}{path}"), body, &[]);
        assert_eq!(refused.problem(), (401, "unauthenticated".to_owned()), "{path}");
    }
    let authorized = get(&format!("{url}/v1/status"), &[("authorization", "Bearer x")]);
    assert_eq!(authorized.problem(), (401, "no_identities".to_owned()));
    let port = url.rsplit(':').next().expect("a port");
    for host in [format!("rebound.example:{port}"), "rebound.example".to_owned()] {
        for path in ["/v1/status", "/", "/metrics", "/status", "/nothing"] {
            let answer = get(&format!("{url}{path}"), &[("host", &host)]);
            assert_eq!(answer.problem(), (421, "wrong_host".to_owned()), "{host} {path}");
        }
        // Whatever watches the process asks by any name.
        for path in ["/healthz", "/readyz"] {
            let status = get(&format!("{url}{path}"), &[("host", &host)]).status;
            assert!([200, 503].contains(&status), "{host} {path}: {status}");
        }
    }
    for host in ["127.0.0.1".to_owned(), format!("localhost:{port}"), "rescind.monitoring.svc".to_owned()] {
        assert_eq!(get(&format!("{url}/metrics"), &[("host", &host)]).status, 200, "{host}");
    }
    // Whoever speaks for others could speak for somebody far away.
    let forwarded = get(&format!("{url}/v1/status"), &[("x-forwarded-for", "203.0.113.9")]);
    assert_eq!(forwarded.status, 200, "nobody trusts that header");
    assert_eq!(scene.count("kind IN ('approved', 'rejected', 'release_asked', 'handed_in')"), 0);
    assert_eq!(service.stop(), 0);
}

#[test]
fn who_watches_learns_what_happens() {
    let scene = Scene::new();
    let (service, url) = two_held(&scene);
    let host = url.strip_prefix("http://").expect("an address");
    let mut stream = TcpStream::connect(host).expect("it listens");
    let request = format!("GET /v1/events?entries=true HTTP/1.1\r\nHost: {host}\r\n\r\n");
    stream.write_all(request.as_bytes()).expect("asked");
    let mut lines = BufReader::new(stream).lines().map(|line| line.expect("a line"));
    assert!(lines.next().expect("a status").contains(" 200 "));
    lines.find(String::is_empty).expect("the end of the head");
    scene.theft(SHOP, "api");
    let kinds = ["finding", "decision", "proposed"];
    for kind in kinds {
        let wanted = format!("\"kind\":\"{kind}\"");
        let line = lines.find(|line| line.starts_with("data: ") && line.contains(&wanted));
        assert!(line.is_some(), "{kind}");
    }
    assert!(lines.any(|line| line == "event: changed"));
    assert_eq!(service.stop(), 0);
}
