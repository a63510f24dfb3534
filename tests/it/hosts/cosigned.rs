//! Witnesses that cosign: only the leader asks them, and all hosts have what they give.

use super::host::{Host, LEADS, configure, scene};
use crate::cosigned::Witness;
use serde_json::json;

#[test]
fn a_follower_has_what_was_cosigned_and_goes_on_from_there_when_it_leads() {
    let scene = scene();
    let witness = Witness::new(&scene, "w1", &[]);
    configure(&scene, "");
    let path = scene.path("rescind.toml");
    let text = std::fs::read_to_string(&path).expect("a text");
    let named = format!("lease = \"4s\", witness = {{ {} }} }}", witness.named());
    std::fs::write(path, text.replace("lease = \"4s\" }", &named)).expect("written");
    let mut first = Host::new(&scene);
    first.lead();
    let key = first.rescind(&["ledger", "key"]).code(0).out.trim().to_owned();
    witness.change(&scene, &json!({"logs": [key]}));
    let mut second = Host::new(&scene);
    std::fs::copy(first.path("ledger.key"), second.path("ledger.key")).expect("copied");
    second.run();
    let has_cosigned = |host: &Host| host.kinds().iter().any(|kind| kind == "cosigned");
    scene.wait(|| has_cosigned(&first));
    scene.wait(|| second.follows() && has_cosigned(&second));
    first.kill();
    second.until(LEADS);
    let seen = witness.seen(&scene);
    scene.wait(|| witness.seen(&scene) > seen);
    assert_eq!(witness.requests(&scene).last(), Some(&(json!(seen), json!(200))));
    assert_eq!(second.stop(), 0);
    let verified = second.rescind(&["ledger", "verify", "-o", "jsonl"]).code(0).json_document();
    assert!(verified["cosigners"][0]["count"].as_u64() >= Some(2), "{verified}");
}
