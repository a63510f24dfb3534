//! A deny goes when no token that it denies can be alive any more, and not before. The clock is AWS's:
//! the theft happens so long ago that its end is now.

use super::subject::{Row, Subject};

on_each_row!(
    off_nothing_happens,
    reported_it_stays,
    swept_it_goes,
    swept_what_was_beneath_stays,
    swept_what_somebody_changed_stays,
    not_swept_when_aws_says_it_is_too_early,
);

const HOUR: i64 = 3600;

/// Revoked so long ago that it ends now: its cutoff lies half a minute after it, and its end one hour
/// after the longest session.
fn long_ago(row: Row, sweep: &str, beneath: Option<&str>) -> Subject {
    let keys = format!("max_finding_age = \"100h\"\nsweep = \"{sweep}\"\n");
    let subject = Subject::at(row, -(row.hours() + 2) * HOUR, &keys);
    if let Some(document) = beneath {
        subject.put(document);
    }
    subject.revoke();
    subject
}

/// A few minutes before its end nothing happens, though for this machine it has come already.
fn nothing_happens_yet(subject: &Subject) {
    subject.scene.advance_clock((subject.row.hours() + 1) * HOUR - 240);
    let (there, writes) = (subject.there(), subject.scene.writes());
    subject.recheck().code(0);
    assert_eq!(subject.state(), "revoked", "{:?}", subject.row);
    assert_eq!((subject.there(), subject.scene.writes()), (there, writes), "{:?}", subject.row);
}

fn its_end_comes(subject: &Subject) {
    subject.scene.advance_clock(480);
    subject.recheck().code(0);
}

fn key_is_active(subject: &Subject) -> bool {
    let id = subject.named["access_key_id"].as_str().expect("a key");
    subject.there().1.iter().any(|(key, active)| key == id && *active)
}

fn off_nothing_happens(row: Row) {
    let subject = long_ago(row, "off", None);
    nothing_happens_yet(&subject);
    let there = subject.there();
    its_end_comes(&subject);
    assert_eq!((subject.state(), subject.there()), ("revoked".to_owned(), there), "{row:?}");
    assert!(subject.scene.entries_of("expired").is_empty(), "{row:?}");
}

fn reported_it_stays(row: Row) {
    let subject = long_ago(row, "report", None);
    nothing_happens_yet(&subject);
    let (there, writes) = (subject.there(), subject.scene.writes());
    its_end_comes(&subject);
    assert_eq!(subject.state(), "expired", "{row:?}");
    subject.nothing_is_in_force();
    assert_eq!(subject.scene.entries_of("expired").len(), 1, "{row:?}");
    assert_eq!((subject.there(), subject.scene.writes()), (there, writes), "{row:?}");
    // When it is to be swept later, it is.
    subject.configure("max_finding_age = \"100h\"\nsweep = \"on\"\n", "");
    subject.recheck().code(0);
    assert_eq!((subject.state(), subject.policy()), ("retired".to_owned(), None), "{row:?}");
    subject.fresh_is_allowed();
}

fn swept_it_goes(row: Row) {
    let subject = long_ago(row, "on", None);
    nothing_happens_yet(&subject);
    its_end_comes(&subject);
    assert_eq!((subject.state(), subject.policy()), ("retired".to_owned(), None), "{row:?}");
    subject.fresh_is_allowed();
    // That a deny is inert does not make a leaked key safe.
    if row == Row::UserKey {
        assert!(!key_is_active(&subject));
        assert_eq!(subject.stolen[0].list_users(), Err("InvalidClientTokenId".to_owned()));
    }
    let writes = subject.scene.writes();
    subject.recheck().code(0);
    subject.scene.run_once();
    assert_eq!(subject.scene.writes(), writes, "{row:?}");
    subject.ledger_is_whole();
    // A person may still give the key back.
    subject.release(&[]).code(0).says("released");
    assert_eq!(key_is_active(&subject), row == Row::UserKey, "{row:?}");
    subject.fresh_is_allowed();
}

fn swept_what_was_beneath_stays(row: Row) {
    let beneath = include_str!("../../../policies/revoke-role-sessions.json")
        .replace("${CUTOFF}", "2024-05-01T10:00:00Z")
        .replace(',', ",\n");
    let subject = long_ago(row, "on", Some(&beneath));
    nothing_happens_yet(&subject);
    its_end_comes(&subject);
    assert_eq!((subject.state(), subject.policy()), ("retired".to_owned(), Some(beneath)), "{row:?}");
}

fn swept_what_somebody_changed_stays(row: Row) {
    let subject = long_ago(row, "on", None);
    nothing_happens_yet(&subject);
    let mut document = subject.document();
    document["Statement"][0]["Action"] = serde_json::json!("s3:*");
    subject.put(&document.to_string());
    let there = subject.there();
    its_end_comes(&subject);
    assert_eq!(subject.there(), there, "{row:?}");
    assert_eq!(subject.state(), "retired", "{row:?}");
    let note = subject.scene.entries_of("undone")[0]["data"]["note"].clone();
    // It says that it was left, and why.
    assert!(note.is_string(), "{row:?}: {note}");
}

/// This machine's clock says that it is over; AWS's, which is that of the tokens, does not.
fn not_swept_when_aws_says_it_is_too_early(row: Row) {
    let subject = long_ago(row, "on", None);
    subject.scene.advance_clock(HOUR);
    let there = subject.there();
    subject.recheck().code(0);
    assert_eq!((subject.state(), subject.there()), ("revoked".to_owned(), there), "{row:?}");
    subject.is_denied();
}

/// A session of a user that is used for the first time in 30 hours is denied, and that is seen.
#[test]
fn the_stolen_key_is_looked_for_as_long_as_a_session_can_live() {
    let keys = "max_finding_age = \"100h\"\ncloudtrail = true\n";
    let subject = Subject::at(Row::UserSession, -31 * HOUR, keys);
    subject.revoke();
    subject.scene.advance_clock(30 * HOUR);
    subject.is_denied();
    subject.scene.advance_clock(HOUR / 2);
    subject.recheck().code(0);
    assert_eq!(subject.proof(), "enforced");
}
