//! Ids of remediations: long enough that nobody makes two, short enough to be typed.

use crate::scene::{BANK, SHOP, Scene};
use rescind::ledger::{Append, Ledger};
use rescind::remediation::{Answer, Draft, Entry, Event, NOBODY};
use serde_json::{Value, json};

const ANSWER: [&str; 4] = ["--by", "ann", "--reason", "looked at it"];

fn ids(scene: &Scene) -> Vec<String> {
    let lines = scene.rescind(&["list", "-o", "jsonl"]).code(0).json();
    lines.iter().map(|line| line["remediation"].as_str().expect("an id").to_owned()).collect()
}

/// The ledger has another theft under the id that this one leads to, and that one is closed.
#[test]
fn an_id_that_is_another_thefts_is_an_error_and_an_alert() {
    let scene = Scene::new();
    scene.configure("mode = \"approve\"\n");
    let (thief, finding) = scene.theft(SHOP, "web");
    scene.poll().code(5).counts(json!({"held": 1}));
    let [id] = ids(&scene).try_into().expect("one");
    let (seen, decided) = (scene.entries_of("finding")[0].clone(), scene.entries_of("decision")[0].clone());
    for file in ["ledger.db", "ledger.db.checkpoint", "ledger.key"] {
        std::fs::remove_file(scene.path(file)).expect("removed");
    }
    let other = |entry: &Value| {
        let text = entry.to_string().replace(&finding, "0123456789abcdef0123456789abcdef");
        let Entry { subject, event, .. } = serde_json::from_str(&text).expect("an entry");
        Draft { subject, event }
    };
    let (by, reason) = (NOBODY.to_owned(), "test".to_owned());
    let rejected = Event::Rejected(Answer {
        by,
        reason,
        os_user: String::new(),
        aws_identity: None,
        identity: None,
        judged: None,
    });
    let subject = other(&decided).subject;
    let entries = vec![other(&seen), other(&decided), Draft { subject, event: rejected }];
    let runtime = tokio::runtime::Builder::new_current_thread().build().expect("a runtime");
    let ledger = Ledger::open(&scene.path("ledger.db")).expect("a ledger");
    runtime.block_on(ledger.append(Append { entries, ..Append::default() })).expect("written");
    drop(ledger);

    scene.configure("mode = \"enforce\"\n");
    scene.poll().code(5).has_code("id_taken").says(&id).counts(json!({"alerts": 1, "not_decided": 1}));
    thief.is_allowed();
    let alerts = scene.entries_of("alert");
    assert_eq!(alerts[0]["data"]["code"], "id_taken");
    assert_eq!(alerts[0]["finding"], finding);
    // It is not taken for decided.
    assert_eq!(scene.rescind(&["status", "-o", "jsonl"]).json()[0]["undecided"], 1);
}

#[test]
fn the_beginning_of_an_id_is_enough_wherever_one_is_taken() {
    let scene = Scene::new();
    scene.configure("mode = \"approve\"\n");
    let _ = scene.theft(SHOP, "web");
    let _ = scene.theft(BANK, "till");
    scene.poll().code(5).counts(json!({"held": 2}));
    let all = ids(&scene);
    assert!(all.iter().all(|id| id.len() == 2 + 96 / 4), "{all:?}");
    let shown = scene.rescind(&["list"]).code(0).out;
    for id in &all {
        let short = &id[..14];
        // A table has what names it, and fits as it did.
        assert!(shown.contains(short) && !shown.contains(id.as_str()), "{shown}");
        assert!(scene.rescind(&["show", short]).code(0).out.contains(id.as_str()));
        let args = ["explain", short];
        scene.rescind(&args).code(0);
        scene.rescind(&["impact", short]).code(0).says(id);
        scene.rescind(&["report", "-o", "csv", "--remediation", short]).code(0).says(id);
        let ran = scene.rescind(&[&["approve", &id[..10]], &ANSWER[..]].concat()).code(0);
        ran.says(id);
    }
    for args in [&["show", "r-"][..], &["explain", "r-"], &["impact", "r-"]] {
        scene.rescind(args).code(2).says("\"r-\"");
    }
    scene.rescind(&[&["release", "r-"], &ANSWER[..]].concat()).code(2).says("\"r-\"");
    scene.rescind(&["show", "r-zz"]).code(2).says("\"r-zz\"");
    // One character less than eight is a slip, though it names only one; and so it is in an incident's id.
    for id in &all {
        for args in [&["show", &id[..9]][..], &["impact", &id[..9]], &["incident", "show", &id[..9]]] {
            scene.rescind(args).code(2).says("8 characters");
        }
    }
}

#[test]
fn of_findings_as_well_eight_characters_name_one_and_the_candidates_of_more_are_named() {
    let scene = Scene::new();
    let handed = |id: &str| {
        let finding = json!({"id": id, "accountId": SHOP, "region": "eu-central-1", "type": "Recon:IAMUser/X",
            "updatedAt": "2026-01-01T00:00:00Z"});
        scene.handle(finding.to_string().as_bytes()).code(0);
    };
    for id in ["abc", "abcdefgh-1", "abcdefgh-2"] {
        handed(id);
    }
    for (text, code) in [("abc", 0), ("abcdefgh-1", 0), ("abcdefg", 2), ("ab", 2)] {
        scene.rescind(&["explain", text]).code(code);
        scene.rescind(&["show", "--finding", text]).code(code);
    }
    for args in [&["explain", "abcdefgh"][..], &["show", "--finding", "abcdefgh"]] {
        scene.rescind(args).code(2).says("abcdefgh-1").says("abcdefgh-2");
    }
}
