//! `rescind.toml` is broken while a theft is in progress: looking and answering go on by the ledger, and nobody may do more
//! than before.

use crate::log;
use crate::scene::{Ran, SHOP, Scene};
use crate::thief::Thief;
use crate::watching::Watching;
use serde_json::{Value, json};

const ASK: &str = "[[rules]]\nname = \"ask first\"\ntypes = [\"UnauthorizedAccess:*\"]\nmode = \"approve\"\n";

const WHY: [&str; 4] = ["--by", "Ada", "--reason", "ticket 4711"];

/// Ways in which somebody breaks it: text that is no TOML, keys that are none, values that are none, half a file.
const BREAKS: [(&str, &str); 4] = [
    ("mode = enforce", "rescind.toml:1:8: mode:"),
    ("mode = \"enforec\"", "rescind.toml:1:8: mode:"),
    ("mode = \"enforce\"\nremdy = \"user_keys\"", "rescind.toml:2:1: remdy:"),
    ("mode = [", "rescind.toml:2:"),
];

/// A service that holds a theft for approval.
fn held(rules: &str) -> (Scene, Watching, Thief, String) {
    let scene = Scene::new();
    scene.configure(&format!("mode = \"enforce\"\npoll_interval = \"5s\"\n{rules}"));
    scene.watch();
    let (thief, _) = scene.theft(SHOP, "web");
    let service = Watching::start(&scene, &[]);
    let held = || scene.rescind(&["list", "--status", "held", "-o", "jsonl"]).code(0).json();
    // It can be answered once the change is planned.
    scene.wait(|| {
        held().first().is_some_and(|one| {
            let id = one["remediation"].as_str().expect("an id");
            scene.shown(id)["proposal"].is_object()
        })
    });
    let id = held()[0]["remediation"].as_str().expect("an id").to_owned();
    (scene, service, thief, id)
}

/// Puts a mistake in place of the line with the mode.
fn break_with(scene: &Scene, line: &str) {
    let whole = std::fs::read_to_string(scene.path("rescind.toml")).expect("there");
    let broken = whole.replacen("mode = \"enforce\"", line, 1);
    assert_ne!(broken, whole);
    std::fs::write(scene.path("rescind.toml"), broken).expect("written");
}

fn state(scene: &Scene, id: &str) -> Value {
    let shown = scene.rescind(&["show", id, "-o", "jsonl"]).code(0);
    shown.json()[0]["remediation"]["state"].clone()
}

/// The place of the mistake, as standard error has it.
#[track_caller]
fn names(ran: Ran, place: &str) -> Ran {
    assert!(ran.err.contains(place), "{}", ran.err);
    ran
}

#[test]
fn a_theft_is_answered_while_the_file_is_broken_and_the_thief_is_denied() {
    let (scene, mut service, thief, id) = held(ASK);
    thief.is_allowed();
    let whole = std::fs::read_to_string(scene.path("rescind.toml")).expect("there");
    for (line, place) in BREAKS {
        std::fs::write(scene.path("rescind.toml"), &whole).expect("written");
        break_with(&scene, line);
        for (args, code) in [
            (&["list"][..], 0),
            (&["list", "--decisions"], 0),
            (&["show", &id], 0),
            (&["incident", "list"], 0),
            (&["incident", "show", &id], 0),
            (&["alerts"], 0),
            (&["status"], 5),
            (&["report", "-o", "json"], 0),
            (&["ledger", "verify"], 0),
        ] {
            names(scene.rescind(args).code(code), place);
        }
        // What needs all of it is refused, and says where.
        for args in [
            &["plan"][..],
            &["run", "--once"],
            &["doctor"],
            &["recheck"],
            &["notify", "test"],
            &["drill", SHOP],
        ] {
            names(scene.rescind(args).code(2), place);
        }
    }
    // The service says so as well, and goes on.
    let status = scene.rescind(&["status", "-o", "jsonl"]).code(5).json_document();
    assert_eq!(status["unfinished"][0]["remediation"], id.as_str());
    scene.rescind(&[&["approve", &id][..], &WHY].concat()).code(0);
    service.until(log::REVOKED);
    thief.is_denied();
    assert_eq!(state(&scene, &id), "revoked");
    // What the running service goes by is enough to undo it, and the service does that.
    let released = scene.rescind(&[&["release", &id, "--yes"][..], &WHY].concat());
    names(released.code(0), "rescind.toml:2:");
    assert_eq!(state(&scene, &id), "released");
    thief.is_allowed();
    service.stop();
    scene.rescind(&["ledger", "verify"]).code(0);
}

#[test]
fn what_is_rejected_while_it_is_broken_is_not_carried_out() {
    let (scene, service, thief, id) = held(ASK);
    break_with(&scene, "mode = enforce");
    scene.rescind(&[&["reject", &id][..], &WHY].concat()).code(0);
    assert_eq!(state(&scene, &id), "rejected");
    thief.is_allowed();
    service.stop();
}

#[test]
fn a_broken_file_makes_no_approval_laxer() {
    let two = ASK.replace("mode = \"approve\"", "mode = \"approve\"\napprovers = 2\nfour_eyes = true");
    let (scene, service, thief, id) = held(&two);
    // The rule is gone with the rest of the file, and what it asked for when it decided still counts.
    std::fs::write(scene.path("rescind.toml"), "mode = \"enforce\"\n[[rules\n").expect("written");
    scene.rescind(&[&["approve", &id][..], &WHY].concat()).code(5);
    // The same person again is not another one.
    scene.rescind(&[&["approve", &id][..], &WHY].concat()).code(2);
    assert_eq!(state(&scene, &id), "held");
    assert_eq!(scene.writes(), 0);
    thief.is_allowed();
    service.stop();
}

#[test]
fn without_a_service_nothing_is_carried_out_by_a_broken_file() {
    let scene = Scene::new();
    let (thief, _) = scene.theft(SHOP, "web");
    scene.run_once();
    thief.is_denied();
    let id = scene.rescind(&["list", "-o", "jsonl"]).code(0).json()[0]["remediation"]
        .as_str()
        .expect("an id")
        .to_owned();
    break_with(&scene, "mode = \"observ\"");
    for args in [&["release", &id, "--yes"][..], &["revoke", SHOP, "api", "--yes"]] {
        names(scene.rescind(&[args, &WHY].concat()).code(2), "rescind.toml:1:8: mode:");
    }
    scene.rescind(&["list"]).code(0);
    thief.is_denied();
}

/// A copy that nobody recorded is none: what it says must not count.
#[test]
fn a_forged_copy_of_the_configuration_is_not_used() {
    let (scene, service, _, id) = held(ASK);
    let kept = scene.path("ledger.db.config");
    let text = std::fs::read_to_string(&kept).expect("kept");
    assert_eq!(text, std::fs::read_to_string(scene.path("rescind.toml")).expect("there"));
    #[cfg(unix)]
    {
        use std::os::unix::fs::PermissionsExt;
        assert_eq!(std::fs::metadata(&kept).expect("there").permissions().mode() & 0o777, 0o600);
    }
    std::fs::write(&kept, format!("# mine\n{text}")).expect("written");
    break_with(&scene, "mode = enforce");
    names(scene.rescind(&[&["release", &id, "--yes"][..], &WHY].concat()).code(2), "rescind.toml:1:8: mode:");
    scene.rescind(&["show", &id]).code(0);
    service.stop();
}

#[test]
fn another_ledger_is_never_taken_for_the_one_that_cannot_be_read() {
    let scene = Scene::new();
    scene.watch();
    std::fs::write(scene.path("rescind.toml"), "ledger = /srv/elsewhere.db\n").expect("written");
    for args in [&["list"][..], &["status"], &["alerts"]] {
        names(scene.rescind(args).code(2), "rescind.toml:1:");
    }
    scene.rescind(&["list", "--ledger", "ledger.db"]).code(0);
    assert_eq!(json!(scene.entries_of("approved")), json!([]));
}
