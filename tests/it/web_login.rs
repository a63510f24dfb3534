//! People log in to the console by OpenID Connect: against a real provider (oidc-provider), and against one that does
//! what a real one cannot be brought to do.

mod browser;
mod provider;

use crate::scene::Scene;
use crate::watching::Watching;
use browser::Browser;
use provider::{Provider, SECRET};
use serde_json::{Value, json};
use std::net::TcpListener;
use std::process::Stdio;

/// A service that people log in to by a provider.
struct Console {
    scene: Scene,
    service: Watching,
    url: String,
    provider: Provider,
}

impl Console {
    /// With a provider that is started with these options; none where there is no node.
    fn start(program: &str, options: &Value) -> Option<Self> {
        // Nothing else asks for this port meanwhile: the system gives each one once around.
        let port =
            TcpListener::bind("127.0.0.1:0").and_then(|listener| listener.local_addr()).expect("a port");
        let url = format!("http://{port}");
        let provider = Provider::start(program, &url, options)?;
        let scene = Scene::new();
        std::fs::write(scene.path("oidc-secret"), SECRET).expect("a file");
        std::fs::write(scene.path("ahead"), "0").expect("a file");
        scene.configure(&format!(
            r#"mode = "enforce"
poll_interval = "1h"
listen = "{port}"
web.url = "{url}"
web.oidc = {{ issuer = "{}", client_id = "rescind", client_secret_file = "oidc-secret" }}
web.access = [{{ role = "viewer", groups = ["viewers"] }}, {{ role = "approver", groups = ["approvers"] }}]
"#,
            provider.issuer
        ));
        let mut command = scene.command(&["run", "--log", "debug"]);
        command
            .env("LD_PRELOAD", crate::starve::preload(&scene))
            .env("RESCIND_CLOCK_AHEAD", scene.path("ahead"))
            .stdin(Stdio::piped())
            .stdout(Stdio::piped())
            .stderr(Stdio::piped());
        let mut service = Watching::of(command.spawn().expect("the binary starts"));
        assert_eq!(crate::service::address(&mut service), url);
        Some(Self { scene, service, url, provider })
    }

    /// From now on the clock of this host is so much ahead.
    fn ahead(&self, seconds: i64) {
        std::fs::write(self.scene.path("ahead"), seconds.to_string()).expect("a file");
    }

    fn browser(&self) -> Browser {
        Browser::new(&self.url)
    }

    /// Somebody who is logged in.
    #[track_caller]
    fn logged_in(&self, name: &str) -> Browser {
        let mut browser = self.browser();
        let page = browser.log_in("/v1/whoami", name);
        assert_eq!(page.status, 200, "{}", page.body);
        browser
    }

    /// Nothing secret is in the log or in the ledger.
    #[track_caller]
    fn end(self, secrets: &[String]) {
        let Self { scene, service, .. } = self;
        let log = service.whole_log();
        let ledger = scene.entries().iter().map(Value::to_string).collect::<Vec<_>>().join("\n");
        for secret in secrets.iter().map(String::as_str).chain([SECRET]) {
            assert!(secret.len() > 10 && !log.contains(secret), "the log has {secret}");
            assert!(!ledger.contains(secret), "the ledger has {secret}");
        }
        scene.rescind(&["ledger", "verify"]).code(0);
    }
}

fn accounts() -> Value {
    json!({"accounts": {
        "vera": {"groups": ["viewers"], "email": "vera@example.com"},
        "anna": {"groups": ["others", "viewers", "approvers"], "name": "Anna"},
        "nemo": {"groups": ["others"]},
    }})
}

fn code_of(body: &str) -> Value {
    serde_json::from_str::<Value>(body).expect("a problem")["code"].clone()
}

#[test]
fn people_log_in_and_out_and_have_the_role_of_their_groups() {
    let Some(console) = Console::start("provider.mjs", &accounts()) else { return };
    let mut browser = console.browser();
    // A page leads to the login, and the login back to the page.
    let page = browser.get("/?done=released");
    assert_eq!(page.location.as_deref(), Some("/login?to=%2F%3Fdone%3Dreleased"));
    assert_eq!(browser.get_as("/v1/whoami", "application/json").status, 401);
    let page = browser.log_in("/?done=released", "anna");
    assert_eq!((page.status, page.url), (200, format!("{}/?done=released", console.url)));
    let of_session = browser.cookies.iter().find(|cookie| cookie.starts_with("rescind=")).expect("a cookie");
    assert!(of_session.ends_with("; HttpOnly; SameSite=Lax; Path=/; Max-Age=28800"), "{of_session}");
    let whoami: Value = serde_json::from_str(&browser.get("/v1/whoami").body).expect("JSON");
    assert_eq!(whoami["role"], "approver");
    let identity = &whoami["identity"];
    assert_eq!(
        *identity,
        json!({"proof": "oidc", "issuer": console.provider.issuer, "subject": "anna", "name": "Anna"})
    );
    assert!(console.logged_in("vera").get("/v1/whoami").body.contains("\"viewer\""));
    let mut nemo = console.browser();
    let page = nemo.log_in("/", "nemo");
    assert!(page.status == 403 && page.body.contains("no_access"), "{}", page.body);
    assert_eq!(nemo.get_as("/v1/whoami", "*/*").status, 401);
    let logins = console.scene.entries_of("logged_in");
    let roles: Vec<&Value> = logins.iter().map(|entry| &entry["data"]["role"]).collect();
    assert_eq!(roles, ["approver", "viewer"]);
    assert_eq!(logins[0]["data"]["identity"], *identity);
    let refused = console.scene.entries_of("request_refused");
    assert_eq!(refused.len(), 1);
    assert_eq!(refused[0]["data"]["code"], "no_access");
    assert_eq!(refused[0]["data"]["identity"]["subject"], "nemo");
    // A page of somebody else logs nobody out.
    let token = browser.form_token();
    let id = browser.own("rescind");
    for (token, origin) in [("x", console.url.as_str()), (&token, "https://evil.example"), (&token, "null")] {
        let page = browser.post("/logout", &[("form_token", token)], origin);
        assert!(page.status == 403 && page.body.contains("forged"), "{}", page.body);
    }
    assert_eq!(browser.get("/v1/whoami").status, 200);
    let page = browser.post("/logout", &[("form_token", &token)], &console.url);
    assert_eq!(page.status, 200, "{}", page.body);
    let end = page.link(&format!("{}/session/end?", console.provider.issuer));
    assert!(end.contains("post_logout_redirect_uri=") && end.contains("client_id=rescind"), "{end}");
    assert_eq!(browser.get(&end).status, 200);
    // The old cookie is worth nothing.
    browser.set("rescind", &id);
    assert_eq!(browser.get_as("/v1/whoami", "*/*").status, 401);
    let codes = [browser.codes, nemo.codes].concat();
    assert!(codes.len() == 2);
    console.end(&[codes, vec![id, token]].concat());
}

#[test]
fn a_login_counts_once_and_in_the_browser_that_began_it() {
    let Some(console) = Console::start("provider.mjs", &accounts()) else { return };
    let mut anna = console.browser();
    let page = anna.log_in("/v1/whoami", "anna");
    assert_eq!(page.status, 200);
    let before = anna.own("rescind");
    let back = anna.callbacks.last().expect("it came back").clone();
    let is_unknown = |browser: &mut Browser, address: &str| {
        let page = browser.get_as(address, "application/json");
        (page.status, code_of(&page.body)) == (400, json!("unknown_login"))
    };
    // The same once more; begun by somebody else; never begun.
    assert!(is_unknown(&mut anna, &back));
    let mut thief = console.browser();
    let unfinished = thief.log_in_until_callback("/", "vera");
    assert!(is_unknown(&mut anna, &unfinished) && is_unknown(&mut console.browser(), &unfinished));
    assert!(is_unknown(&mut thief, "/login/callback?code=x&state=x"));
    assert!(is_unknown(&mut thief, "/login/callback?code=x"));
    // Too late.
    let late = thief.log_in_until_callback("/", "vera");
    console.ahead(601);
    assert!(is_unknown(&mut thief, &late));
    console.ahead(0);
    // A code that is not one; and what the provider refuses.
    for (more, code) in
        [("code=SECRET-GUESSED-CODE", "login_refused"), ("error=access_denied", "login_refused")]
    {
        let begun = thief.begin("/");
        let page = thief.get_as(&format!("/login/callback?{more}&state={}", begun.state), "application/json");
        assert_eq!((page.status, code_of(&page.body)), (401, json!(code)));
    }
    // Whoever logs in again has another session, and the old one is over.
    anna.log_in("/v1/whoami", "anna");
    let after = anna.own("rescind");
    assert_ne!(before, after);
    anna.set("rescind", &before);
    assert_eq!(anna.get_as("/v1/whoami", "*/*").status, 401);
    console.end(&[anna.codes, vec!["SECRET-GUESSED-CODE".to_owned()]].concat());
}

#[test]
fn no_login_leads_to_another_host_and_nobody_tries_without_end() {
    let Some(console) = Console::start("fake.mjs", &json!({})) else { return };
    let mut browser = console.browser();
    for to in ["//evil.example", "/%5Cevil.example", "https:%2f%2fevil.example", "%09//evil.example", "evil"]
    {
        let page = browser.get_as(&format!("/login?to={to}"), "application/json");
        assert_eq!((page.status, code_of(&page.body)), (400, json!("invalid")), "{to}");
    }
    let statuses: Vec<u16> = (0..80).map(|_| browser.get("/login?to=//").status).collect();
    assert!(statuses.contains(&429), "{statuses:?}");
    console.end(&[]);
}

#[test]
fn keys_that_the_provider_replaced_are_read_again() {
    let Some(mut console) = Console::start("provider.mjs", &accounts()) else { return };
    console.logged_in("anna");
    console.provider.restart("provider.mjs", &console.url, &json!({"kid": "second"}));
    console.logged_in("anna");
    console.end(&[]);
}

#[test]
fn a_token_is_refused_when_it_has_expired_and_clocks_may_differ_by_a_minute() {
    let Some(console) = Console::start("provider.mjs", &accounts()) else { return };
    // The provider's tokens are valid for ten minutes.
    for (ahead, is_valid) in [(630, true), (700, false), (-50, true), (-200, false)] {
        console.ahead(ahead);
        let mut browser = console.browser();
        let page = browser.log_in("/v1/whoami", "anna");
        assert_eq!(page.status == 200, is_valid, "{ahead}: {}", page.body);
        assert!(is_valid || page.status == 401 && page.body.contains("bad_token"), "{}", page.body);
    }
    console.ahead(0);
    let refused = console.scene.entries_of("request_refused");
    let claims: Vec<_> =
        refused.iter().map(|entry| (&entry["data"]["code"], &entry["data"]["claim"])).collect();
    assert_eq!(claims, [(&json!("bad_token"), &json!("anna")); 2]);
    assert!(refused.iter().all(|entry| entry["data"].get("identity").is_none()));
    console.end(&[]);
}

#[test]
fn a_session_ends_when_the_provider_refuses_and_not_when_it_is_away() {
    let mut options = accounts();
    options["refresh"] = json!(true);
    options["id_token_seconds"] = json!(7200);
    let Some(mut console) = Console::start("provider.mjs", &options) else { return };
    let mut anna = console.logged_in("anna");
    let mut role = |console: &Console, ahead| {
        console.ahead(ahead);
        let page = anna.get_as("/v1/whoami", "*/*");
        assert!(matches!(page.status, 200 | 401 | 403), "{}", page.body);
        serde_json::from_str::<Value>(&page.body).map_or(Value::Null, |answer| answer["role"].clone())
    };
    // They are in another group now: the provider says so when it is asked again.
    console.provider.control(&json!({"anna": {"groups": ["viewers"]}}));
    assert_eq!(role(&console, 0), "approver");
    assert_eq!(role(&console, 301), "viewer");
    assert_eq!(role(&console, 602), "viewer");
    console.provider.control(&json!({"anna": {"groups": []}}));
    assert_eq!(role(&console, 903), Value::Null);
    console.provider.control(&json!({"anna": {"groups": ["approvers"]}}));
    assert_eq!(role(&console, 1204), "approver");
    console.provider.control(&json!({"anna": null}));
    assert_eq!(role(&console, 1300), "approver");
    assert_eq!(role(&console, 1505), Value::Null);
    console.provider.control(&json!({"anna": {"groups": ["approvers"]}}));
    assert_eq!(role(&console, 1810), Value::Null);
    // A provider that is away ends no session.
    console.ahead(0);
    let mut vera = console.logged_in("vera");
    console.provider.stop();
    console.ahead(301);
    assert_eq!(vera.get("/v1/whoami").status, 200);
    // Nobody uses it.
    console.ahead(301 + 3600);
    assert_eq!(vera.get_as("/v1/whoami", "*/*").status, 401);
    let page = vera.get_as("/login", "application/json");
    assert!(matches!(page.status, 303 | 502), "{}", page.body);
    console.end(&[]);
}

#[test]
fn what_is_not_signed_for_this_login_by_this_provider_is_refused() {
    let options = json!({"groups": "approvers"});
    let Some(console) = Console::start("fake.mjs", &options) else { return };
    let log_in = |wrong: Value| {
        console.provider.control(&wrong);
        let mut browser = console.browser();
        let page = browser.log_in("/v1/whoami", "alice");
        (page.status, page.body)
    };
    // One group as a text.
    assert_eq!(log_in(json!({})).0, 200);
    let bad = [
        json!({"claims": {"aud": "another"}}),
        json!({"claims": {"aud": ["rescind", "another"]}}),
        json!({"claims": {"azp": "another"}}),
        json!({"claims": {"nonce": "another"}}),
        json!({"claims": {"nonce": null}}),
        json!({"claims": {"iss": "https://evil.example"}}),
        json!({"key": "other"}),
        json!({"key": "other", "header": {"kid": "unknown"}}),
        json!({"alg": "HS256"}),
        json!({"alg": "none"}),
    ];
    for wrong in &bad {
        let (status, body) = log_in(wrong.clone());
        assert!(status == 401 && body.contains("bad_token"), "{wrong}: {body}");
    }
    let refused = console.scene.entries_of("request_refused");
    assert_eq!(refused.len(), bad.len());
    assert!(refused.iter().all(|entry| entry["data"]["claim"] == "alice"), "{refused:?}");
    // An answer of a provider that is mixed up with another one, of one that refuses, and of none.
    let (status, body) = log_in(json!({"back": {"iss": "https://evil.example"}}));
    assert!(status == 401 && body.contains("bad_token"), "{body}");
    let (status, body) =
        log_in(json!({"body": {"error": "invalid_grant", "error_description": "SECRET"}, "status": 400}));
    assert!(status == 401 && body.contains("login_refused") && !body.contains("SECRET"), "{body}");
    let leaks = format!("{}/leak", console.provider.issuer);
    for away in
        [json!({"redirect": leaks}), json!({"body": {"id_token": 7, "access_token": "SECRET-ACCESS-TOKEN"}})]
    {
        let (status, body) = log_in(away);
        assert!(status == 502 && body.contains("provider_unavailable"), "{body}");
    }
    assert_eq!(log_in(json!({})).0, 200);
    console.end(&["SECRET-ACCESS-TOKEN".to_owned()]);
}
