//! The quarantine beside a deny: everything is denied until the deny has been in place for long enough, and nothing of
//! it is left then.

use super::subject::{NAME, Row, Subject};
use crate::watching::Watching;
use serde_json::json;

on_each_row!(everything_is_denied_until_the_quarantine_is_lifted, a_release_lifts_it);

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
    let shown = scene.rescind(&["report", "--format", "json"]).code(0).json_document();
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
    assert_eq!(scene.rescind(&["status", "-o", "json"]).json_document()["quarantined"], json!(0));
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
