//! What screens and reports say of a remediation is what it is now; what it was before stays in its history.

use crate::made::{self, story, then, until};
use rescind::remediation::{
    Answer, Disposition, Draft, Event, ReasonCode, RefusalCode, Refused, RefusedBy, ReleaseAsked, State,
};
use serde_json::{Value, json};
use std::process::{Command, Output};

/// Id of the one remediation in a ledger that is made here.
const ID: &str = "r-000000000000";

/// A folder with a configuration, and a ledger of one remediation.
struct Made(tempfile::TempDir);

impl Made {
    fn of(story: Vec<Draft>) -> Self {
        let directory = tempfile::tempdir().expect("a directory");
        made::write(&directory.path().join("ledger.db"), [story]);
        let configuration = "mode = \"enforce\"\nregions = [\"eu-central-1\"]\n[member]\nrole = \"R\"\nexternal_id = \"0123456789abcdef0123456789abcdef\"\n";
        std::fs::write(directory.path().join("rescind.toml"), configuration).expect("written");
        Self(directory)
    }

    fn rescind(&self, args: &[&str]) -> Output {
        let mut command = Command::new(env!("CARGO_BIN_EXE_rescind"));
        command.args(args).current_dir(self.0.path()).env_clear().output().expect("the binary runs")
    }

    fn json(&self, args: &[&str]) -> Value {
        let done = self.rescind(&[args, &["-o", "jsonl"]].concat());
        serde_json::from_slice(&done.stdout).unwrap_or_else(|error| panic!("{args:?}: {error}: {done:?}"))
    }

    /// As `rescind list` has it.
    fn listed(&self) -> Value {
        self.json(&["list"])
    }

    /// As a report has it.
    fn reported(&self) -> Value {
        let report = made::report(&self.0.path().join("ledger.db"), "json");
        let report: Value = serde_json::from_str(&report).expect("JSON");
        report["remediations"][0].clone()
    }

    /// The cell in this column of the report in CSV.
    fn cell(&self, column: &str) -> String {
        let report = made::report(&self.0.path().join("ledger.db"), "csv");
        let mut reader = csv::Reader::from_reader(report.trim_start_matches('\u{feff}').as_bytes());
        let at = reader.headers().expect("names").iter().position(|name| name == column).expect("a column");
        reader.records().next().expect("a row").expect("CSV")[at].to_owned()
    }
}

fn answer(by: &str) -> Answer {
    let text = || "a text".to_owned();
    Answer {
        by: by.to_owned(),
        reason: text(),
        os_user: text(),
        aws_identity: None,
        identity: None,
        judged: None,
    }
}

fn refused(disposition: Disposition, code: RefusalCode) -> Event {
    let (reason, what_to_do) = ("it was refused".to_owned(), "allow it".to_owned());
    Event::Refused(Refused { code: RefusedBy::Remedy(code), reason, what_to_do, disposition })
}

fn release(was: State) -> Event {
    Event::ReleaseAsked(ReleaseAsked { answer: answer("dora"), force: false, attached: false, was })
}

fn undone() -> Event {
    Event::Undone { found_in_place: false, aws_time: None, note: None }
}

fn uncertain(error: &str) -> Event {
    Event::Uncertain { error: error.to_owned() }
}

/// The first event of this kind in the life that others are made from.
fn of_kind(kind: &str) -> Event {
    story().into_iter().find(|draft| draft.event.kind() == kind).expect("such an entry").event
}

fn then_all(story: Vec<Draft>, events: impl IntoIterator<Item = Event>) -> Vec<Draft> {
    events.into_iter().fold(story, then)
}

/// Begun, refused, and held again.
fn reheld() -> Vec<Draft> {
    let held = Event::Reheld { code: ReasonCode::ModeApprove, reason: "a person is asked".to_owned() };
    then_all(until(story(), "intent"), [refused(Disposition::Blocked, RefusalCode::AccessDenied), held])
}

#[test]
fn what_was_rejected_is_not_said_to_be_approved() {
    let events = [Event::Rejected(answer("carol")), release(State::Rejected), undone()];
    let made = Made::of(then_all(reheld(), events));
    let listed = made.listed();
    assert_eq!(listed["state"], "released");
    assert_eq!((&listed["answer"]["how"], &listed["answer"]["by"]), (&json!("rejected"), &json!("carol")));
    let shown = String::from_utf8(made.rescind(&["show", ID]).stdout).expect("UTF-8");
    assert!(shown.contains("\nrejected 2") && !shown.contains("\napproved 2"), "{shown}");
    let again = made.rescind(&["reject", ID, "--by", "x", "--reason", "y"]);
    assert_eq!(again.status.code(), Some(2));
    assert!(!String::from_utf8_lossy(&again.stderr).contains("carol"), "{again:?}");
}

/// Refused for a moment, not known for a moment, revoked, and not released for a moment.
fn with_troubles() -> Vec<Draft> {
    let unavailable = || refused(Disposition::Retry, RefusalCode::Unavailable);
    let decided = until(story(), "decision");
    then_all(
        decided,
        [
            unavailable(),
            of_kind("intent"),
            uncertain("the answer was lost"),
            of_kind("accepted"),
            uncertain("it could not be read"),
            of_kind("proof"),
        ],
    )
}

#[test]
fn a_change_that_aws_has_accepted_is_not_uncertain() {
    let outcome = |story| Made::of(story).reported()["changes"][0]["outcome"].clone();
    assert_eq!(outcome(with_troubles()), "accepted");
    let releasing = || then_all(with_troubles(), [release(State::Revoked), uncertain("not undone yet")]);
    assert_eq!(outcome(releasing()), "accepted");
    assert_eq!(outcome(then(releasing(), undone())), "accepted");
    let expired = Event::Expired { reason: "over".to_owned() };
    assert_eq!(outcome(then_all(with_troubles(), [expired, uncertain("not undone yet")])), "accepted");
    let intent = until(story(), "intent");
    assert_eq!(outcome(then(intent, uncertain("the answer was lost"))), "uncertain");
}

#[test]
fn a_reason_is_the_present_states() {
    let why = |story| Made::of(story).json(&["status"])["unfinished"][0]["why"].clone();
    let decided = || until(story(), "decision");
    let blocked = || refused(Disposition::Blocked, RefusalCode::AccessDenied);
    assert_eq!(why(then(decided(), blocked())), "it was refused");
    assert_eq!(why(then_all(decided(), [blocked(), of_kind("intent")])), "");
    assert_eq!(why(then_all(decided(), [blocked(), of_kind("intent"), uncertain("lost")])), "lost");
    assert_eq!(why(then(with_troubles(), release(State::Revoked))), "");
    let stuck = then_all(with_troubles(), [release(State::Revoked), uncertain("not undone yet")]);
    assert_eq!(why(stuck.clone()), "not undone yet");
    let drift = Event::Drift { what: "it is gone".to_owned(), found: None, seen_in_place: None };
    assert_eq!(why(then(with_troubles(), drift)), "it is gone");
    let not_released = Event::NotReleased { why: "somebody changed it".to_owned(), was: State::Revoked };
    assert_eq!(why(then(stuck.clone(), not_released)), "somebody changed it");

    for story in [with_troubles(), stuck.clone(), then(stuck, undone())] {
        let made = Made::of(story);
        assert_eq!((&made.listed()["refused"], made.cell("refused")), (&Value::Null, String::new()));
        // The history keeps it.
        assert_eq!(made.reported()["refusals"].as_array().map(Vec::len), Some(1));
    }
    let made = Made::of(then(decided(), blocked()));
    assert_eq!(made.listed()["refused"]["reason"], "it was refused");
    assert_eq!(made.cell("refused"), "it was refused");
}

#[test]
fn how_long_it_took_to_deny_counts_to_the_first_deny() {
    let now = jiff::Timestamp::now();
    let earlier = (now - jiff::SignedDuration::from_hours(1)).to_string();
    let accepted = |data: &mut Value| data["aws_time"] = json!(earlier);
    let revoked = || made::changed(until(story(), "proof"), "accepted", accepted);
    let first = Made::of(revoked()).reported()["seconds_to_deny"].clone();
    assert!(first.is_number(), "{first}");
    let put_back = [
        Event::Drift { what: "it is gone".to_owned(), found: None, seen_in_place: None },
        of_kind("intent"),
        Event::Accepted { found_in_place: false, aws_time: Some(now) },
        of_kind("proof"),
    ];
    let put_back = || then_all(revoked(), put_back.clone());
    for story in [put_back(), then_all(put_back(), [release(State::Revoked), undone()])] {
        let made = Made::of(story);
        assert_eq!(
            (&made.listed()["seconds_to_deny"], &made.reported()["seconds_to_deny"]),
            (&first, &first)
        );
    }
}

#[test]
fn an_answer_to_what_nobody_was_asked_is_kept() {
    let superseded = || Event::Superseded { by: "r-ffffffffffff".to_owned() };
    let decided = then(until(story(), "decision"), superseded());
    assert_eq!(Made::of(decided.clone()).reported()["superseded_by"], "r-ffffffffffff");
    let revoked =
        [Event::Approved(answer("carol")), of_kind("intent"), of_kind("accepted"), of_kind("proof")];
    let made = Made::of(then_all(decided, revoked));
    let reported = made.reported();
    assert_eq!((&reported["state"], &reported["superseded_by"]), (&json!("revoked"), &Value::Null));
    let ended = &reported["held"][0]["ended"];
    assert_eq!((&ended["how"], &ended["answer"]["by"]), (&json!("approved"), &json!("carol")));
    assert_eq!((made.cell("answer").as_str(), made.cell("answered_by").as_str()), ("approved", "carol"));
}

#[test]
fn a_second_answer_does_not_wipe_out_the_first() {
    let events = [Event::Rejected(answer("carol")), Event::Approved(answer("dora"))];
    let made = Made::of(then_all(reheld(), events));
    let held = made.reported()["held"].clone();
    let by: Vec<&Value> = (0..2).map(|at| &held[at]["ended"]["answer"]["by"]).collect();
    assert_eq!(by, ["carol", "dora"], "{held}");
    assert_eq!(made.cell("answered_by"), "dora");
}

#[test]
fn a_release_ends_the_asking_until_it_is_given_up() {
    let asked = |story| Made::of(story).reported()["held"].clone();
    let released = || then(reheld(), release(State::Held));
    let held = asked(then(released(), undone()));
    let ended = &held[0]["ended"];
    assert_eq!((&ended["how"], &ended["answer"]["by"]), (&json!("release_asked"), &json!("dora")));
    let not_released = Event::NotReleased { why: "somebody changed it".to_owned(), was: State::Held };
    let held = asked(then(released(), not_released));
    assert_eq!((&held[1]["code"], &held[1]["ended"]), (&held[0]["code"], &Value::Null), "{held}");
}

#[test]
fn a_sweep_is_no_release() {
    let expired = || then(until(story(), "proof"), Event::Expired { reason: "over".to_owned() });
    let not_released = Event::NotReleased { why: "somebody changed it".to_owned(), was: State::Expired };
    let made = Made::of(then_all(expired(), [release(State::Expired), not_released, undone()]));
    let reported = made.reported();
    assert_eq!(reported["state"], "retired");
    let release = &reported["releases"][0];
    assert_eq!((&release["done_at"], &release["not_done"]), (&Value::Null, &json!("somebody changed it")));
}

#[test]
fn what_is_under_way_is_not_released_and_not_said_to_be_nowhere() {
    for (kind, state) in [("intent", "revoking"), ("accepted", "verifying")] {
        let made = Made::of(until(story(), kind));
        let done = made.rescind(&["release", "--yes", ID, "--by", "x", "--reason", "y"]);
        let said = String::from_utf8_lossy(&done.stderr);
        assert_eq!(done.status.code(), Some(2), "{said}");
        assert!(said.contains(state) && said.contains("Try again") && !said.contains("in place"), "{said}");
    }
}
