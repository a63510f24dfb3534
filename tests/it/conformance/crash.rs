//! Killed before and after each write, the next start ends in one correct record; and a release still
//! gives back what was there.

use super::acts::SIGNED;
use super::subject::{Row, Subject, There};

on_each_row!(
    killed_at_each_write_of_a_revocation,
    killed_at_each_read_of_a_revocation,
    killed_again_and_again,
    killed_at_each_write_of_a_release_and_started,
    killed_at_each_write_of_a_release_and_asked_again,
    an_answer_that_is_lost_is_not_a_no,
);

const RUN: [&str; 3] = ["run", "--once", "--backlog"];
const WHENS: [&str; 2] = ["before", "after"];

/// After a crash: started again, it is revoked once; and released, all is as it was.
fn recovers(subject: &Subject, was: &str, before: &There) {
    let row = subject.row;
    subject.scene.run_once();
    subject.is_denied();
    let all = subject.scene.rescind(&["list", "-o", "jsonl"]).code(0).json();
    assert_eq!(all.len(), 1, "{row:?}, {was}: {all:?}");
    assert_eq!(all[0]["state"], "revoked", "{row:?}, {was}");
    subject.ledger_is_whole();
    subject.release(&[]).code(0).says("released");
    assert_eq!(subject.there(), *before, "{row:?}, {was}");
    subject.is_allowed();
    subject.ledger_is_whole();
}

fn killed_at_each_write_of_a_revocation(row: Row) {
    for (operation, when) in each(row.revokes_by()) {
        let subject = Subject::new(row);
        let before = subject.there();
        subject.kill(&RUN, operation, when);
        recovers(&subject, &format!("killed {when} {operation}"), &before);
    }
}

fn killed_at_each_read_of_a_revocation(row: Row) {
    let reads: &[&str] = if row.is_user() {
        &["AssumeRole", "GetUser", "ListAccessKeys", "SimulatePrincipalPolicy"]
    } else {
        &["AssumeRole", "GetRole", "SimulatePrincipalPolicy"]
    };
    for operation in reads {
        let subject = Subject::new(row);
        let before = subject.there();
        subject.kill(&RUN, operation, "before");
        recovers(&subject, &format!("killed at {operation}"), &before);
    }
}

/// Each recovery is killed as well, until nothing is left to kill.
fn killed_again_and_again(row: Row) {
    let subject = Subject::new(row);
    let before = subject.there();
    for (operation, when) in each(row.revokes_by()) {
        subject.kill(&RUN, operation, when);
    }
    subject.kill(&RUN, "SimulatePrincipalPolicy", "before");
    recovers(&subject, "killed at each write, one after the other", &before);
}

fn killed_at_each_write_of_a_release_and_started(row: Row) {
    killed_in_a_release(row, |subject| {
        subject.scene.run_once();
    });
}

fn killed_at_each_write_of_a_release_and_asked_again(row: Row) {
    killed_in_a_release(row, |subject| {
        subject.release(&[]).code(0).says("released");
    });
}

fn killed_in_a_release(row: Row, then: impl Fn(&Subject)) {
    for (operation, when) in each(row.releases_by()) {
        let subject = Subject::new(row);
        let before = subject.there();
        subject.revoke();
        let id = subject.id();
        subject.kill(&[&["release", "--yes", &id][..], &SIGNED[..]].concat(), operation, when);
        assert_eq!(subject.state(), "releasing", "{row:?}: killed {when} {operation}");
        then(&subject);
        assert_eq!(subject.state(), "released", "{row:?}: killed {when} {operation}");
        assert_eq!(subject.there(), before, "{row:?}: killed {when} {operation}");
        subject.is_allowed();
        subject.ledger_is_whole();
        // It is over: nothing is revoked again.
        let writes = subject.scene.writes();
        subject.scene.run_once();
        assert_eq!(subject.scene.writes(), writes, "{row:?}: killed {when} {operation}");
    }
}

fn an_answer_that_is_lost_is_not_a_no(row: Row) {
    for operation in row.revokes_by() {
        let subject = Subject::new(row);
        let before = subject.there();
        let lost = serde_json::json!({"disconnect": true});
        subject.scene.fault("lost", serde_json::json!({"operation": operation}), "after", lost, 0);
        // How far it comes depends on the operation; what it says must be so.
        let ran = subject.scene.poll();
        if ran.out.contains("\"revoked\":1") {
            subject.is_denied();
        }
        subject.scene.delete("faults/lost");
        recovers(&subject, &format!("{operation} lost its answers"), &before);
    }
}

fn each<'a>(operations: &'a [&'a str]) -> impl Iterator<Item = (&'a str, &'a str)> {
    operations.iter().flat_map(|operation| WHENS.iter().map(|when| (*operation, *when)))
}
