//! Ledgers made from the remediation of the fixed one, for what the emulated organization does not do.

use rescind::ident::AccountId;
use rescind::ledger::{Append, Ledger};
use rescind::remediation::{Draft, Entry, Event};
use serde_json::Value;
use std::path::Path;
use std::process::Command;

/// A ledger that rescind wrote.
pub const FIXED: &str = concat!(env!("CARGO_MANIFEST_DIR"), "/tests/it/ledgers/fixed.db");

/// The entries of its remediation, with the finding that led to it.
pub fn story() -> Vec<Draft> {
    let connection = rusqlite::Connection::open(format!("file:{FIXED}?immutable=1")).expect("the template");
    let sql = "SELECT body FROM entries WHERE remediation IS NOT NULL
               OR seq = (SELECT min(seq) FROM entries WHERE kind = 'finding') ORDER BY seq";
    let mut statement = connection.prepare(sql).expect("entries");
    let rows = statement.query_map([], |row| row.get::<_, Vec<u8>>(0)).expect("rows");
    rows.map(|body| serde_json::from_slice::<Entry>(&body.expect("a body")).expect("an entry"))
        .map(|Entry { subject, event, .. }| Draft { subject, event })
        .collect()
}

/// The same, with other data in its entry of this kind.
pub fn changed(mut story: Vec<Draft>, kind: &str, change: impl Fn(&mut Value)) -> Vec<Draft> {
    for entry in story.iter_mut().filter(|entry| entry.event.kind() == kind) {
        let mut event = serde_json::to_value(&entry.event).expect("JSON");
        change(&mut event["data"]);
        entry.event = serde_json::from_value(event).expect("an event");
    }
    story
}

/// The same up to its entry of this kind, that one included.
pub fn until(mut story: Vec<Draft>, kind: &str) -> Vec<Draft> {
    let last = story.iter().position(|entry| entry.event.kind() == kind).expect("such an entry");
    story.truncate(last + 1);
    story
}

/// The same, and then this.
pub fn then(mut story: Vec<Draft>, event: Event) -> Vec<Draft> {
    let subject = story.last().expect("an entry").subject.clone();
    story.push(Draft { subject, event });
    story
}

/// Writes a ledger of these, each as a remediation of its own.
pub fn write(path: &Path, stories: impl IntoIterator<Item = Vec<Draft>>) {
    let ledger = Ledger::open(path).expect("a ledger");
    let runtime = tokio::runtime::Builder::new_current_thread().build().expect("a runtime");
    let hub_account: AccountId = "111111111111".parse().expect("an account");
    let hub_arn = format!("arn:aws:sts::{hub_account}:assumed-role/RescindHub/rescind");
    let connected = Draft::of_service(Event::Connected { hub_account, hub_arn });
    runtime.block_on(ledger.append(connected)).expect("written");
    for (number, story) in stories.into_iter().enumerate() {
        let entries = numbered(story, number);
        runtime.block_on(ledger.append(Append { entries, ..Append::default() })).expect("written");
    }
    ledger.close();
}

/// As if it had happened to a finding of its own.
fn numbered(mut story: Vec<Draft>, number: usize) -> Vec<Draft> {
    let id = format!("{number:032x}");
    let mut this = String::new();
    for entry in &mut story {
        entry.subject.finding = entry.subject.finding.as_ref().map(|_| id.clone());
        entry.subject.remediation = entry.subject.remediation.as_ref().map(|_| format!("r-{number:012x}"));
        match &mut entry.event {
            Event::Finding { finding, .. } => {
                finding.id.clone_from(&id);
                this = finding.occurrence();
            }
            Event::Decision { occurrence, .. } => occurrence.clone_from(&this),
            _ => {}
        }
    }
    story
}

/// A report of a ledger, in this format.
pub fn report(ledger: &Path, format: &str) -> String {
    let mut command = Command::new(env!("CARGO_BIN_EXE_rescind"));
    command.args(["report", "-o", format, "--ledger"]).arg(ledger).env_clear();
    let done = command.output().expect("the binary runs");
    assert!(done.status.success(), "{}", String::from_utf8_lossy(&done.stderr));
    String::from_utf8(done.stdout).expect("UTF-8")
}
