//! Who asks the API: programs that sign with AWS credentials.

use crate::scene::{SECURITY, SHOP, Scene};
use crate::service::address;
use crate::signer::{Program, SIGNED, Signed, send};
use crate::watching::Watching;
use jiff::SignedDuration;
use serde_json::{Value, json};

const STATUS: &str = "/v1/status";

/// A hub that lets the role Soar of the security account read, and that listens here.
fn hub(scene: &Scene, more: &str) -> (Watching, String) {
    scene.watch();
    scene.configure(&format!(
        "mode = \"enforce\"\npoll_interval = \"1h\"\nlisten = \"127.0.0.1:0\"\n[[web.access]]\nrole = \"viewer\"\narns = [\"arn:aws:iam::{SECURITY}:role/Soar\"]\n{more}"
    ));
    let mut service = Watching::start(scene, &[]);
    let url = address(&mut service);
    (service, url)
}

fn session(scene: &Scene, account: &str, role: &str) -> Value {
    scene.role(account, role);
    scene.session(account, role, "run-1")
}

/// The requests that were refused, as the ledger has them.
fn refused(scene: &Scene) -> Vec<Value> {
    scene.entries_of("request_refused").into_iter().map(|entry| entry["data"].clone()).collect()
}

/// Nothing of a proof stands in a text.
#[track_caller]
fn has_no_secret(text: &str, secrets: &[String]) {
    for secret in secrets {
        assert!(!text.contains(secret.as_str()), "{secret} in {text}");
    }
}

/// What nobody else may see of a proof.
fn secrets(program: &Program, signed: &Signed) -> Vec<String> {
    let (_, signature) = signed.url.split_once("X-Amz-Signature=").expect("a signature");
    let token = program.credentials["session_token"].as_str().expect("a token");
    vec![signature.to_owned(), token[..40].to_owned(), signed.header()[..60].to_owned()]
}

#[test]
fn a_program_is_who_signed() {
    let scene = Scene::new();
    let (service, hub) = hub(&scene, "");
    let soar = Program::new(&session(&scene, SECURITY, "Soar"), scene.endpoint(), &hub);
    let answer = soar.ask(&hub, "GET", STATUS, "");
    assert_eq!(answer.status, 200, "{}", answer.text);
    assert!(answer.json()["ledger_entries"].as_i64().is_some_and(|count| count > 0));
    // Its permissions do not matter: GetCallerIdentity needs none.
    scene.post("roles", &json!({"account": SHOP, "name": "Bare", "policy": {"Statement": []}}));
    let bare = scene.session(SHOP, "Bare", "run-1");
    let bare = Program::new(&bare, scene.endpoint(), &hub);
    assert_eq!(bare.ask(&hub, "GET", STATUS, "").problem(), (403, "no_access".to_owned()));
    // A role of the same name elsewhere is another one.
    let other = Program::new(&session(&scene, SHOP, "Soar"), scene.endpoint(), &hub);
    assert_eq!(other.ask(&hub, "GET", STATUS, "").problem(), (403, "no_access".to_owned()));
    // Nobody is somebody without a proof, not on this machine either.
    assert_eq!(send(&hub, "GET", STATUS, "", &[]).problem(), (401, "unauthenticated".to_owned()));
    let refused = refused(&scene);
    assert_eq!(refused.len(), 2, "{refused:?}");
    let arn = format!("arn:aws:sts::{SHOP}:assumed-role/Bare/run-1");
    assert_eq!(refused[0]["identity"]["arn"], arn.as_str());
    assert_eq!(refused[0]["identity"]["proof"], "aws");
    assert_eq!(
        (&refused[0]["code"], &refused[0]["request"]),
        (&json!("no_access"), &json!("GET /v1/status"))
    );
    service.stop();
    scene.rescind(&["ledger", "verify"]).code(0);
}

#[test]
fn a_proof_is_for_one_request_to_one_hub_and_counts_once_and_for_a_minute() {
    let scene = Scene::new();
    let (service, hub) = hub(&scene, "");
    let soar = Program::new(&session(&scene, SECURITY, "Soar"), scene.endpoint(), &hub);
    let key = soar.credentials["access_key_id"].clone();
    let mut kept = Vec::new();
    let mut is_refused = |code: &str, signed: &Signed, (method, target, body): (&str, &str, &str)| {
        let answer = signed.send(&hub, method, target, body);
        assert_eq!(answer.problem(), (401, code.to_owned()), "{}", signed.url);
        has_no_secret(&answer.text, &secrets(&soar, signed));
        kept.extend(secrets(&soar, signed));
        let last = refused(&scene).pop().expect("a refusal");
        assert_eq!((&last["code"], &last["claim"]), (&json!(code), &key));
        assert_eq!(last["request"], format!("{method} {}", target.split('?').next().expect("a path")));
    };
    let get = ("GET", STATUS, "");
    // Used twice.
    let signed = soar.sign("GET", STATUS, "");
    assert_eq!(signed.send(&hub, "GET", STATUS, "").status, 200);
    is_refused("proof_replayed", &signed, get);
    // For another path, query, method or body; and with another number.
    let other = "proof_for_another_hub";
    is_refused(other, &soar.sign("GET", "/v1/incidents", ""), get);
    is_refused(other, &soar.sign("GET", "/v1/status?x=1", ""), get);
    is_refused(other, &soar.sign("POST", STATUS, ""), get);
    let approve = "/v1/remediations/r-000000000000000000000000/approve";
    is_refused(
        other,
        &soar.sign("POST", approve, "{\"reason\":\"a\"}"),
        ("POST", approve, "{\"reason\":\"b\"}"),
    );
    let renumbered = Signed { nonce: "0".repeat(32), ..soar.sign("GET", STATUS, "") };
    is_refused(other, &renumbered, get);
    // For another hub.
    let foreign = Program { hub: "https://hub.example".to_owned(), ..soar.clone() };
    is_refused(other, &foreign.sign("GET", STATUS, ""), get);
    // Too old, by this clock; STS itself would take it for a quarter of an hour.
    let old = Program { age: SignedDuration::from_secs(90), ..soar.clone() };
    is_refused("proof_expired", &old.sign("GET", STATUS, ""), get);
    let brief = Program { age: SignedDuration::from_secs(20), expires: "5".to_owned(), ..soar.clone() };
    is_refused("proof_expired", &brief.sign("GET", STATUS, ""), get);
    let ahead = Program { age: SignedDuration::from_secs(-120), ..soar.clone() };
    is_refused("proof_expired", &ahead.sign("GET", STATUS, ""), get);
    // A guessed secret, and a key that nobody has.
    let mut guessed = soar.clone();
    guessed.credentials["secret_access_key"] = json!("guessed");
    is_refused(other, &guessed.sign("GET", STATUS, ""), get);
    let text = scene.entries().iter().map(Value::to_string).collect::<String>();
    has_no_secret(&text, &kept);
    has_no_secret(&service.whole_log(), &kept);
}

#[test]
fn credentials_that_are_over_or_unknown_prove_nothing() {
    let scene = Scene::new();
    let (service, hub) = hub(&scene, "");
    let soar = Program::new(&session(&scene, SECURITY, "Soar"), scene.endpoint(), &hub);
    let mut unknown = soar.clone();
    unknown.credentials["access_key_id"] = json!("ASIAAAAAAAAAAAAAAAAA");
    assert_eq!(unknown.ask(&hub, "GET", STATUS, "").problem(), (401, "proof_refused".to_owned()));
    let issued = jiff::Timestamp::now() - SignedDuration::from_hours(2);
    let over = json!({"account": SECURITY, "role": "Soar", "session_name": "run-2", "duration": 3600, "issued_at": issued.to_string()});
    let over = Program::new(&scene.post("sessions", &over), scene.endpoint(), &hub);
    assert_eq!(over.ask(&hub, "GET", STATUS, "").problem(), (401, "proof_expired".to_owned()));
    // STS is down: nobody is let in, and nobody is blamed.
    let down = json!({"error": {"status": 503, "code": "ServiceUnavailable"}});
    scene.fault("down", json!({"operation": "GetCallerIdentity"}), "before", down, 1);
    let signed = soar.sign("GET", STATUS, "");
    assert_eq!(signed.send(&hub, "GET", STATUS, "").problem(), (503, "sts_unreachable".to_owned()));
    // It was not used.
    assert_eq!(signed.send(&hub, "GET", STATUS, "").status, 200);
    let claims: Vec<Value> = refused(&scene).iter().map(|one| one["claim"].clone()).collect();
    assert_eq!(claims[0], "ASIAAAAAAAAAAAAAAAAA");
    assert_eq!(claims.len(), 3, "{claims:?}");
    service.stop();
}

#[test]
fn nothing_is_sent_to_who_is_not_sts() {
    let scene = Scene::new();
    let (service, hub) = hub(&scene, "");
    let soar = Program::new(&session(&scene, SECURITY, "Soar"), scene.endpoint(), &hub);
    let before = scene.calls_of("GetCallerIdentity").len();
    let good = soar.sign("GET", STATUS, "");
    let (endpoint, port) = (scene.endpoint(), scene.endpoint().rsplit_once(':').expect("a port").1);
    let from = |base: &str| Signed { url: good.url.replacen(endpoint, base, 1), ..good.clone() };
    let changed = |from: &str, to: &str| Signed { url: good.url.replacen(from, to, 1), ..good.clone() };
    let local = |host: &str| format!("http://{host}:{port}");
    // The first ten are recorded one by one.
    for (number, signed) in [
        from("https://sts.us-east-1.amazonaws.com.evil.example"),
        from(&format!("https://sts.us-east-1.amazonaws.com@127.0.0.1:{port}")),
        from(&format!("http://x@127.0.0.1:{port}")),
        from(&local("localhost")),
        from(&local("127.0.0.2")),
        from(&local("2130706433")),
        from("http://127.0.0.1:1"),
        from("//sts.us-east-1.amazonaws.com"),
        from("https://STS.us-east-1.amazonaws.com"),
        from(&format!("{endpoint}/x")),
        from(&format!("{endpoint}/")),
        from(&format!("{endpoint}\\")),
        from("https://169.254.169.254"),
        from("file:///etc"),
        changed("Action=GetCallerIdentity", "Action=GetCallerIdentity&Action=GetCallerIdentity"),
        changed("Action=GetCallerIdentity", "Action=GetSessionToken"),
        changed("X-Amz-Expires=60", "X-Amz-Expires=900"),
        changed("&X-Amz-Signature=", "&RoleArn=x&X-Amz-Signature="),
        changed("&X-Amz-Signature=", "#&X-Amz-Signature="),
        Program { signed: "host;x-rescind-nonce;x-rescind-request".to_owned(), ..soar.clone() }
            .sign("GET", STATUS, ""),
        Program { signed: format!("{SIGNED};x-other"), ..soar.clone() }.sign("GET", STATUS, ""),
        Program { action: "GetSessionToken".to_owned(), ..soar.clone() }.sign("GET", STATUS, ""),
        Signed { nonce: "1".to_owned(), ..good.clone() },
        Signed { nonce: good.nonce.to_uppercase() + "G", ..good.clone() },
    ]
    .iter()
    .enumerate()
    {
        let answer = signed.send(&hub, "GET", STATUS, "");
        assert_eq!(answer.problem(), (401, "proof_malformed".to_owned()), "{}", signed.url);
        has_no_secret(&answer.text, &secrets(&soar, &good));
        if number < 10 {
            assert_eq!(refused(&scene).len(), number + 1, "{}", signed.url);
        }
    }
    assert_eq!(scene.calls_of("GetCallerIdentity").len(), before);
    // The proof itself was never used.
    assert_eq!(good.send(&hub, "GET", STATUS, "").status, 200);
    service.stop();
}

#[test]
fn garbage_is_refused_and_leaves_no_entry() {
    let scene = Scene::new();
    let (service, hub) = hub(&scene, "");
    let soar = Program::new(&session(&scene, SECURITY, "Soar"), scene.endpoint(), &hub);
    let nonce = ("x-rescind-nonce", "0123456789abcdef0123456789abcdef".to_owned());
    let with =
        |value: &str| send(&hub, "GET", STATUS, "", &[("authorization", value.to_owned()), nonce.clone()]);
    for value in [
        "Rescind-AWS !",
        "rescind-aws AAAA",
        "Rescind-AWS //8",
        &format!("Rescind-AWS {}", "A".repeat(20_000)),
    ] {
        assert_eq!(with(value).problem(), (401, "proof_malformed".to_owned()), "{value:.40}");
    }
    for value in ["Rescind-AWS", "Bearer x", "Basic eDp5"] {
        assert_eq!(with(value).status, 401, "{value}");
    }
    let signed = soar.sign("GET", STATUS, "");
    let twice = [("authorization", signed.header()), ("authorization", signed.header()), nonce.clone()];
    assert_eq!(send(&hub, "GET", STATUS, "", &twice).problem(), (401, "proof_malformed".to_owned()));
    let foreign = [
        ("authorization", signed.header()),
        ("x-rescind-nonce", signed.nonce.clone()),
        ("x-rescind-hub", "https://hub.example".to_owned()),
    ];
    assert_eq!(send(&hub, "GET", STATUS, "", &foreign).problem(), (401, "proof_for_another_hub".to_owned()));
    let claims: Vec<Value> = refused(&scene).iter().map(|one| one["claim"].clone()).collect();
    assert_eq!(
        claims,
        [soar.credentials["access_key_id"].clone(), soar.credentials["access_key_id"].clone()]
    );
    service.stop();
}

#[test]
fn whoever_tries_too_often_waits() {
    let scene = Scene::new();
    let (service, hub) = hub(&scene, "");
    let codes: Vec<String> = (0..150)
        .map(|_| {
            send(&hub, "GET", STATUS, "", &[("authorization", "Rescind-AWS AAAA".to_owned())]).problem().1
        })
        .collect();
    assert_eq!(codes.first().map(String::as_str), Some("proof_malformed"));
    assert!(codes.iter().any(|code| code == "too_many_requests"), "{codes:?}");
    service.stop();
}

#[test]
fn a_hub_with_a_public_address_is_signed_for_by_it() {
    let scene = Scene::new();
    let (service, hub) = hub(&scene, "[web]\nurl = \"https://hub.example\"\n");
    let soar = Program::new(&session(&scene, SECURITY, "Soar"), scene.endpoint(), "https://hub.example");
    assert_eq!(soar.ask(&hub, "GET", STATUS, "").status, 200);
    let listened = Program { hub: hub.clone(), ..soar };
    assert_eq!(listened.ask(&hub, "GET", STATUS, "").problem(), (401, "proof_for_another_hub".to_owned()));
    service.stop();
}
