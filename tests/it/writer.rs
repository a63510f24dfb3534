//! The ledger's writer: what is in the write-ahead log, and what is written when nobody waits for it.

use rescind::ledger::Ledger;
use rescind::remediation::{AlertCode, CallRecord, CallResult, CallScope, CallSink, Draft, Event, Subject};
use std::path::Path;

fn alert(number: usize) -> Draft {
    let event = Event::Alert {
        code: AlertCode::Unreadable,
        text: format!("number {number}"),
        what_to_do: "Nothing.".to_owned(),
    };
    Draft { subject: Subject::default(), event }
}

fn call() -> CallRecord {
    CallRecord {
        service: "sts".to_owned(),
        operation: "GetCallerIdentity".to_owned(),
        account: None,
        region: "eu-central-1".parse().expect("a region"),
        request_id: None,
        status: Some(403),
        attempts: 1,
        duration_ms: 12,
        result: CallResult::Error { code: Some("AccessDenied".to_owned()), message: "not now".to_owned() },
    }
}

fn last(path: &Path) -> i64 {
    let ledger = rusqlite::Connection::open(path).expect("a ledger");
    ledger.query_row("SELECT max(seq) FROM entries", [], |row| row.get(0)).expect("entries")
}

/// A process that is killed folds nothing. The next one counts what it left.
#[test]
fn the_write_ahead_log_does_not_grow_from_kill_to_kill() {
    const LIVES: usize = 10;
    const EACH: usize = 200;
    let directory = tempfile::tempdir().expect("a directory");
    let file = |life: usize, end: &str| directory.path().join(format!("{life}.db{end}"));
    let runtime = tokio::runtime::Builder::new_current_thread().build().expect("a runtime");
    let mut most = 0;
    for life in 0..LIVES {
        let ledger = Ledger::open(&file(life, "")).expect("a ledger");
        for number in 0..EACH {
            runtime.block_on(ledger.append(alert(number))).expect("written");
        }
        // What a kill would leave.
        for end in ["", "-wal"] {
            most = std::fs::copy(file(life, end), file(life + 1, end)).expect("copied").max(most);
        }
    }
    assert_eq!(last(&file(LIVES, "")), i64::try_from(LIVES * EACH).expect("few"));
    assert!(most < 16 << 20, "{most} bytes");
}

#[test]
fn a_call_is_recorded_when_the_ledger_is_only_dropped() {
    let directory = tempfile::tempdir().expect("a directory");
    let path = directory.path().join("ledger.db");
    for number in 1..=20 {
        let ledger = Ledger::open(&path).expect("a ledger");
        ledger.record(&CallScope::default(), call());
        drop(ledger);
        assert_eq!(last(&path), number);
    }
}
