//! The quarantine beside a deny: everything is denied until the deny has been in place for long enough, and nothing of
//! it is left then.

use super::subject::{NAME, Row, Subject};
use crate::watching::Watching;
use serde_json::json;

on_each_row!(
    everything_is_denied_until_the_quarantine_is_lifted,
    a_release_lifts_it,
    what_a_kill_kept_from_being_attached_is_attached_by_the_next_start,
);

const LONG: &str = "poll_interval = \"5s\"\nquarantine = \"1h\"\n";

impl Subject {
    /// The managed policies that are attached to the principal.
    pub fn attached(&self) -> Vec<String> {
        self.operator.attached_policies(NAME, self.row.is_user())
    }
}

/// A service that has denied and quarantined the principal.
fn quarantined(row: Row) -> (Subject, Watching) {
    let subject = Subject::at(row, 0, LONG);
    let service = Watching::start(&subject.scene, &["--backlog"]);
    subject.scene.wait(|| !subject.scene.entries_of("proof").is_empty());
    assert_eq!(subject.attached(), ["arn:aws:iam::222222222222:policy/rescind/Quarantine"], "{row:?}");
    (subject, service)
}

fn everything_is_denied_until_the_quarantine_is_lifted(row: Row) {
    let (subject, mut service) = quarantined(row);
    let scene = &subject.scene;
    // Also what is issued after the cutoff.
    scene.advance_clock(60);
    let fresh = scene.thief(&subject.session());
    fresh.is_denied();
    subject.configure("poll_interval = \"5s\"\nquarantine = \"0s\"\n", "");
    service.signal("HUP");
    service.until(crate::log::CONFIGURATION_READ);
    scene.wait(|| !scene.entries_of("lifted").is_empty());
    assert_eq!(subject.attached(), [""; 0], "{row:?}");
    fresh.is_allowed();
    subject.is_denied();
    let kinds = ["intent", "quarantining", "quarantined", "lifting", "lifted"];
    let all = scene.entries();
    let order: Vec<&str> =
        all.iter().filter_map(|entry| entry["kind"].as_str()).filter(|kind| kinds.contains(kind)).collect();
    assert_eq!(order, ["intent", "quarantining", "quarantined", "lifting", "lifted"], "{row:?}");
    assert_eq!(service.stop(), 0);
    subject.ledger_is_whole();
    let shown = scene.rescind(&["report", "-o", "json"]).code(0).json_document();
    let one = &shown["remediations"][0]["quarantines"][0];
    assert!(one["attached_at"].is_string() && one["lifted_at"].is_string(), "{one}");
}

fn a_release_lifts_it(row: Row) {
    let (subject, service) = quarantined(row);
    subject.release(&[]).code(0);
    assert_eq!(subject.attached(), [""; 0], "{row:?}");
    subject.is_allowed();
    assert_eq!(service.stop(), 0);
    assert_eq!(subject.scene.entries_of("lifted").len(), 1);
    subject.ledger_is_whole();
}

impl Row {
    fn attach(self) -> &'static str {
        if self.is_user() { "AttachUserPolicy" } else { "AttachRolePolicy" }
    }

    fn put(self) -> &'static str {
        if self.is_user() { "PutUserPolicy" } else { "PutRolePolicy" }
    }
}

/// The deny and the quarantine go side by side, so a kill may come when either of them, both or none is there. The
/// intent is in the ledger: both are there after the next start, and nothing was done twice.
fn what_a_kill_kept_from_being_attached_is_attached_by_the_next_start(row: Row) {
    for (put, attach) in [("after", "before"), ("before", "after"), ("before", "before"), ("after", "after")]
    {
        let subject = Subject::at(row, 0, LONG);
        let scene = &subject.scene;
        for (operation, when) in [(row.put(), put), (row.attach(), attach)] {
            scene.hold(operation, when);
        }
        let service = Watching::start(scene, &["--backlog"]);
        scene.held(row.put());
        scene.held(row.attach());
        service.kill();
        scene.release(row.put());
        scene.release(row.attach());
        let is_attached = attach == "after";
        assert_eq!(subject.attached().len(), usize::from(is_attached), "{row:?} {put} {attach}");
        let service = Watching::start(scene, &["--backlog"]);
        scene.wait(|| !scene.entries_of("quarantined").is_empty());
        scene.wait(|| !scene.entries_of("proof").is_empty());
        assert_eq!(subject.attached(), ["arn:aws:iam::222222222222:policy/rescind/Quarantine"], "{row:?}");
        // Also what is issued after the cutoff is denied.
        scene.advance_clock(60);
        scene.thief(&subject.session()).is_denied();
        for kind in ["quarantining", "quarantined"] {
            assert_eq!(scene.entries_of(kind).len(), 1, "{row:?} {put} {attach} {kind}");
        }
        subject.release(&[]).code(0);
        assert_eq!(subject.attached(), [""; 0], "{row:?} {put} {attach}");
        assert_eq!(service.stop(), 0);
        subject.ledger_is_whole();
    }
}

/// Whatever dies where: the principal ends denied, and not quarantined.
fn is_not_left_behind(row: Row, operations: &[(&str, &str)]) {
    let subject = Subject::at(row, 0, "poll_interval = \"5s\"\nquarantine = \"1s\"\n");
    let scene = &subject.scene;
    for (operation, when) in operations {
        scene.hold(operation, when);
        let service = Watching::start(scene, &["--backlog"]);
        scene.held(operation);
        service.kill();
        scene.release(operation);
    }
    let service = Watching::start(scene, &["--backlog"]);
    scene.wait(|| !scene.entries_of("lifted").is_empty());
    assert_eq!(subject.attached(), [""; 0], "{row:?}");
    subject.is_denied();
    assert_eq!(scene.entries_of("quarantining").len(), 1, "{row:?}");
    assert_eq!(service.stop(), 0);
    subject.ledger_is_whole();
    assert_eq!(scene.rescind(&["status", "-o", "jsonl"]).json_document()["quarantined"], json!(0));
}

#[test]
fn a_role_is_not_left_in_quarantine_by_a_kill() {
    let steps = [
        ("PutRolePolicy", "before"),
        ("AttachRolePolicy", "after"),
        ("SimulatePrincipalPolicy", "before"),
        ("DetachRolePolicy", "before"),
        ("DetachRolePolicy", "after"),
        ("ListAttachedRolePolicies", "before"),
    ];
    is_not_left_behind(Row::RoleSessions, &steps);
}

#[test]
fn a_user_is_not_left_in_quarantine_by_a_kill() {
    let steps = [
        ("PutUserPolicy", "before"),
        ("AttachUserPolicy", "after"),
        ("DetachUserPolicy", "before"),
        ("ListAttachedUserPolicies", "before"),
    ];
    is_not_left_behind(Row::UserKey, &steps);
}
