//! Each host has a key of its own, and signs once a key of the ledger has signed for it.

use super::host::{Host, LEADS, TABLE, configure, scene, scene_of};
use super::two;
use crate::scene::{HOME, Ran, SECURITY, SHOP, Scene, Setting};
use aws_config::{BehaviorVersion, SdkConfig};
use aws_credential_types::Credentials;
use aws_credential_types::provider::SharedCredentialsProvider;
use rescind::LogTable;
use rescind::ledger::note::Signer;
use rescind::ledger::{Append, Ledger, Log};
use rescind::remediation::{Draft, Event};
use serde_json::{Value, json};
use std::sync::Arc;

fn entries(host: &Host, kind: &str) -> Vec<Value> {
    let parsed = host.bodies().into_iter().map(|body| serde_json::from_str::<Value>(&body).expect("JSON"));
    parsed.filter(|entry| entry["kind"] == kind).collect()
}

fn alerts(host: &Host) -> Vec<Value> {
    entries(host, "alert").into_iter().map(|entry| entry["data"]["code"].clone()).collect()
}

fn key(host: &Host) -> String {
    host.rescind(&["ledger", "key"]).code(0).out.trim().to_owned()
}

/// Verifies a host's ledger with one key.
fn verified(host: &Host, key: &str, code: i32) -> Value {
    host.rescind(&["ledger", "verify", "--public-key", key, "-o", "jsonl"]).code(code).json_document()
}

/// The two hosts of which one leads, once the leader's key has signed for the follower's.
fn endorsed(more: &str) -> (Scene, Host, Host) {
    let (scene, first, second) = two(more);
    scene.wait(|| entries(&second, "signing_key").len() == 2);
    (scene, first, second)
}

/// Appends to the log, as somebody can who has the hub's role.
fn intrude(scene: &Scene, host: &Host, events: Vec<Event>) {
    intrude_together(scene, host, events.into_iter().map(|event| vec![event]).collect());
}

/// The same, with several entries in one item.
fn intrude_together(scene: &Scene, host: &Host, items: Vec<Vec<Event>>) {
    let text = |name: &str| host.session()[name].as_str().expect("a text").to_owned();
    let (id, secret, token) = (text("access_key_id"), text("secret_access_key"), text("session_token"));
    let credentials = Credentials::new(id, secret, Some(token), None, "test");
    let config = SdkConfig::builder()
        .behavior_version(BehaviorVersion::latest())
        .credentials_provider(SharedCredentialsProvider::new(credentials))
        .build();
    let region = HOME.parse().expect("a region");
    let store = LogTable::with(&config, &region, TABLE, Some(scene.endpoint()), "rescind");
    let log = Log::new(Arc::new(store), "intruder/1".to_owned());
    let directory = tempfile::tempdir().expect("a directory");
    let ledger = Ledger::of_log(&directory.path().join("ledger.db"), &log).expect("the log's ledger");
    let runtime = tokio::runtime::Runtime::new().expect("threads");
    for events in items {
        let entries = events.into_iter().map(Draft::of_service).collect();
        runtime.block_on(ledger.append(Append { entries, ..Append::default() })).expect("appended");
    }
    ledger.close();
}

fn signer_of(host: &Host) -> Signer {
    Signer::load(&host.path("ledger.key")).expect("a key")
}

fn named(key: &Signer, endorsed: Option<String>, follows: Option<String>, accepts: Vec<String>) -> Event {
    Event::SigningKey { public_key: key.public().to_string(), endorsed, follows, accepts }
}

fn offered(key: &Signer, accepts: Vec<String>) -> Event {
    Event::KeyOffered { host: "a host".to_owned(), public_key: key.public().to_string(), accepts }
}

/// Two hosts, of which the first is lost before its key could sign for the second's. The second one leads.
fn left_alone(forged: impl Fn(&Scene, &Host, &Host)) -> (Scene, Host, Host) {
    let scene = scene();
    configure(&scene, "");
    let (mut first, mut second) = (Host::new(&scene), Host::new(&scene));
    first.lead();
    first.until(crate::log::REGION_READ);
    scene.wait(|| !entries(&first, "watching").is_empty());
    assert_eq!(first.stop(), 0);
    forged(&scene, &first, &second);
    second.lead();
    second.until(crate::log::REGION_READ);
    (scene, first, second)
}

#[test]
fn the_leaders_key_signs_for_the_followers_which_goes_on_when_the_leader_is_lost() {
    let (scene, mut first, mut second) = endorsed("");
    let (of_first, of_second) = (key(&first), key(&second));
    assert_ne!(of_first, of_second);
    assert_eq!(alerts(&second), ["signing_key_added"]);
    first.kill();
    second.until(LEADS);
    let (thief, _) = scene.theft(SHOP, "web");
    scene.wait(|| thief.list_users().is_err());
    assert_eq!(second.stop(), 0);
    for public in [&of_first, &of_second] {
        let found = verified(&second, public, 0);
        assert_eq!((&found["signed"], &found["unendorsed_keys"]), (&found["entries"], &json!([])), "{found}");
        assert_eq!(found["earlier_checkpoints"], 0);
    }
    // Neither is introduced again, and the first goes on from what the second has signed.
    first.lead();
    assert_eq!(first.stop(), 0);
    assert_eq!(entries(&first, "signing_key").len(), 2);
    let found = verified(&first, &of_first, 0);
    assert_eq!(found["signed"], found["entries"]);
}

#[test]
fn a_key_that_was_not_signed_for_contains_and_signs_nothing_until_it_is() {
    let (scene, first, mut second) = left_alone(|_, _, _| {});
    let of_first = key(&first);
    let (thief, _) = scene.theft(SHOP, "web");
    scene.wait(|| thief.list_users().is_err());
    scene.wait(|| entries(&second, "key_offered").len() == 1);
    assert_eq!(alerts(&second), ["signing_key_not_endorsed"]);
    let signed = verified(&second, &of_first, 0)["signed"].as_u64().expect("a number");
    let outcome = entries(&second, "accepted")[0]["seq"].as_u64().expect("a number");
    assert!(signed < outcome);
    // What needs a signature says so.
    second.rescind(&["ledger", "checkpoint"]).code(4).says("ledger.key");
    assert_eq!(verified(&second, &of_first, 0)["signed"], signed);
    // A host whose key is in the ledger signs for it, also as one that follows.
    first.rescind(&["ledger", "checkpoint"]).code(0);
    scene.wait(|| alerts(&second).contains(&json!("signing_key_added")));
    assert_eq!(second.stop(), 0);
    let found = verified(&second, &of_first, 0);
    assert_eq!((&found["signed"], &found["unendorsed_keys"]), (&found["entries"], &json!([])), "{found}");
}

#[test]
fn a_forged_endorsement_lets_nobody_sign() {
    let (_scene, first, mut second) = left_alone(|scene, first, second| {
        let (owner, thief) =
            (signer_of(first), Signer::generate(signer_of(first).public().name()).expect("random"));
        // The key that the second host is to have.
        let own = Signer::generate(owner.public().name()).expect("random");
        own.save(&second.path("ledger.key")).expect("saved");
        let forged = vec![
            named(&own, None, None, Vec::new()),
            named(&thief, None, Some(thief.follow(&owner.public())), vec![thief.endorse(&own.public())]),
            named(&own, Some(thief.endorse(&own.public())), Some(thief.follow(&owner.public())), Vec::new()),
            named(&own, Some(owner.sign(1, &[0; 32])), None, Vec::new()),
        ];
        intrude(scene, first, forged);
    });
    assert_eq!(second.stop(), 0);
    assert_eq!(alerts(&second), ["signing_key_not_endorsed"]);
    let found = verified(&second, &key(&first), 0);
    assert!(found["signed"].as_u64() < found["entries"].as_u64(), "{found}");
    assert_eq!(found["keys"], json!([key(&first)]));
}

#[test]
fn an_offer_that_the_key_did_not_sign_is_not_signed_for() {
    let (scene, mut first, mut second) = endorsed("");
    let (owner, thief) =
        (signer_of(&first), Signer::generate(signer_of(&first).public().name()).expect("random"));
    let other = Signer::generate("rescind/other").expect("random");
    let forged = vec![
        // Nobody shows that they have the key; nor does a note of another, nor one about another log.
        offered(&thief, Vec::new()),
        offered(&thief, vec![owner.endorse(&thief.public()), thief.endorse(&thief.public())]),
        offered(&other, vec![other.endorse(&owner.public())]),
        Event::KeyOffered { host: String::new(), public_key: "a key".to_owned(), accepts: Vec::new() },
    ];
    intrude(&scene, &second, forged);
    scene.wait(|| alerts(&first).contains(&json!("signing_key_refused")));
    assert_eq!(first.stop(), 0);
    second.until(LEADS);
    assert_eq!(second.stop(), 0);
    assert_eq!(entries(&second, "signing_key").len(), 2);
    assert_eq!(verified(&second, &owner.public().to_string(), 0)["keys"].as_array().map(Vec::len), Some(2));
}

/// What somebody who has the hub's role can do: it is seen.
#[test]
fn a_key_that_somebody_offers_who_has_it_is_signed_for_and_that_is_an_alert() {
    let (scene, mut first, second) = endorsed("");
    let (owner, thief) =
        (signer_of(&first), Signer::generate(signer_of(&first).public().name()).expect("random"));
    intrude(&scene, &second, vec![offered(&thief, vec![thief.endorse(&owner.public())])]);
    let id = thief.public().id();
    scene.wait(|| {
        let alerts = entries(&first, "alert");
        alerts.iter().any(|one| one["data"]["text"].as_str().is_some_and(|text| text.contains(&id)))
    });
    assert_eq!(alerts(&first), ["signing_key_added", "signing_key_added"]);
    assert_eq!(first.stop(), 0);
}

#[test]
fn many_offers_hold_up_no_checkpoint_and_few_of_them_are_signed_for() {
    let (scene, mut first, mut second) = endorsed("");
    let owner = signer_of(&first);
    let offer = || {
        let key = Signer::generate(owner.public().name()).expect("random");
        offered(&key, vec![key.endorse(&owner.public())])
    };
    let items = (0..4).map(|_| (0..250).map(|_| offer()).collect()).collect();
    intrude_together(&scene, &second, items);
    scene.wait(|| alerts(&first).contains(&json!("signing_key_refused")));
    // So many entries need a checkpoint, though most of the offers wait.
    let public = key(&first);
    let signed = || verified(&first, &public, 0)["signed"].as_u64().expect("a number");
    scene.wait(|| signed() > 1000);
    assert_eq!(first.stop(), 0);
    // Neither does who takes over sign for more within the hour.
    second.until(LEADS);
    assert_eq!(second.stop(), 0);
    let keys = entries(&second, "signing_key").len();
    assert_eq!(keys, 1 + 8);
    let raised = |code: &str| alerts(&second).iter().filter(|one| **one == code).count();
    assert_eq!((raised("signing_key_added"), raised("signing_key_refused")), (8, 1));
    let found = verified(&second, &public, 0);
    assert_eq!((&found["signed"], &found["unendorsed_keys"]), (&found["entries"], &json!([])), "{found}");
}

#[test]
fn a_key_that_is_replaced_signs_for_the_new_one_and_the_others_go_on() {
    let (scene, mut first, mut second) = endorsed("");
    let old = key(&first);
    assert_eq!(first.stop(), 0);
    second.until(LEADS);
    first.rescind(&["ledger", "rotate-key"]).code(0);
    let new = key(&first);
    assert_ne!(old, new);
    let (thief, _) = scene.theft(SHOP, "web");
    scene.wait(|| thief.list_users().is_err());
    assert_eq!(second.stop(), 0);
    first.lead();
    assert_eq!(first.stop(), 0);
    // Whoever has only the new key trusts the other host's by it.
    for public in [&old, &new, &key(&second)] {
        let found = verified(&first, public, 0);
        assert_eq!((&found["signed"], &found["unendorsed_keys"]), (&found["entries"], &json!([])), "{found}");
    }
}

#[test]
fn a_host_goes_on_where_no_key_is_left_and_auditors_see_that() {
    let (_scene, first, mut second) = left_alone(|_, _, _| {});
    assert_eq!(second.stop(), 0);
    second.rescind(&["ledger", "rotate-key"]).code(4);
    second.rescind(&["ledger", "rotate-key", "--lost"]).code(0);
    second.lead();
    assert_eq!(second.stop(), 0);
    let both =
        ["ledger", "verify", "-o", "jsonl", "--public-key", &key(&first), "--public-key", &key(&second)];
    let found = second.rescind(&both).code(0).json_document();
    assert_eq!(found["signed"], found["entries"]);
    assert_eq!(found["unendorsed_keys"].as_array().map(Vec::len), Some(1), "{found}");
    verified(&second, &key(&first), 6);
}

#[cfg(target_os = "linux")]
#[test]
fn an_archive_of_one_host_is_accepted_by_the_next() {
    let (scene, mut first, mut second) = endorsed("");
    let tomorrow = (jiff::Timestamp::now() + jiff::SignedDuration::from_hours(24)).to_string();
    let ran = first
        .command(&["ledger", "archive", "--before", &tomorrow, "-O", "closed.jsonl"])
        .env("LD_PRELOAD", crate::starve::preload(&scene))
        .env("RESCIND_CLOCK_AHEAD", "172800")
        .output()
        .expect("the binary runs");
    Ran::new(&ran).code(0);
    let of_first = key(&first);
    first.kill();
    second.until(LEADS);
    assert_eq!(second.stop(), 0);
    assert_eq!(entries(&second, "archive").len(), 1);
    assert_eq!(alerts(&second), Vec::<Value>::new());
    let found = verified(&second, &of_first, 0);
    assert_eq!(found["signed"], found["entries"]);
}

#[test]
fn hosts_with_a_key_in_kms_share_it_and_it_signs_for_no_other() {
    let scene = scene_of(Setting::default().with_signing_keys());
    let asked = json!({"account": SECURITY, "region": HOME});
    let arn = scene.post("signing-keys", &asked)["arn"].as_str().expect("an ARN").to_owned();
    configure(&scene, &format!("signing_key = \"{arn}\"\n"));
    let (mut first, mut second, mut third) = (Host::new(&scene), Host::new(&scene), Host::new(&scene));
    let path = third.path("rescind.toml");
    let text = std::fs::read_to_string(&path).expect("a text").replace(&arn, "ledger.key");
    std::fs::write(&path, text).expect("written");
    first.lead();
    scene.wait(|| entries(&first, "signing_key").len() == 1);
    second.run();
    third.run();
    scene.wait(|| alerts(&first) == ["signing_key_refused"]);
    third.kill();
    first.kill();
    second.until(LEADS);
    let (thief, _) = scene.theft(SHOP, "web");
    scene.wait(|| thief.list_users().is_err());
    assert_eq!(second.stop(), 0);
    assert_eq!(entries(&second, "key_offered").len(), 1);
    let found = verified(&second, &key(&second), 0);
    assert_eq!((&found["signed"], &found["unendorsed_keys"]), (&found["entries"], &json!([])), "{found}");
    assert_eq!(entries(&second, "signing_key").len(), 1);
}
