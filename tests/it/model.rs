//! The ledger against a model of it: generated steps, legal and not, alone and many at once, with the
//! ledger closed and opened again in between.

use proptest::prelude::*;
use proptest_state_machine::{ReferenceStateMachine, StateMachineTest, prop_state_machine};
use rescind::audit::{Keys, verify};
use rescind::ledger::{Append, Ledger, LedgerError, OnlyIf, Reader, rebuild};
use rescind::remediation::{
    Answer, Disposition, Draft, Entry, Event, ReasonCode, RefusalCode, Refused, RefusedBy, State, VerdictName,
};
use rusqlite::Connection;
use std::path::{Path, PathBuf};
use tempfile::TempDir;

const REMEDIATIONS: usize = 4;

/// The steps, as docs/SEMANTICS.md names them.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum What {
    Remediate,
    Hold,
    Proposed,
    Rejected,
    Cleared,
    Approved,
    Reheld,
    Superseded,
    Reopened,
    Intent,
    Uncertain,
    Accepted,
    NotApplied,
    Proof,
    Retry,
    Block,
    Fail,
    Call,
}

const ALL: [What; 18] = [
    What::Remediate,
    What::Hold,
    What::Proposed,
    What::Rejected,
    What::Cleared,
    What::Approved,
    What::Reheld,
    What::Superseded,
    What::Reopened,
    What::Intent,
    What::Uncertain,
    What::Accepted,
    What::NotApplied,
    What::Proof,
    What::Retry,
    What::Block,
    What::Fail,
    What::Call,
];

/// Where a step leads, by name; none where it must not be.
fn next(state: &str, what: What) -> Option<&'static str> {
    use What::{
        Accepted, Approved, Block, Call, Cleared, Fail, Hold, Intent, NotApplied, Proof, Proposed, Reheld,
        Rejected, Remediate, Reopened, Retry, Superseded, Uncertain,
    };
    Some(match (state, what) {
        (state, Call) => ALL_STATES.iter().find(|name| **name == state)?,
        ("", Hold)
        | ("held", Proposed)
        | ("queued" | "approved" | "retrying" | "blocked", Reheld)
        | ("rejected", Reopened) => "held",
        ("held", Rejected) => "rejected",
        ("held" | "rejected" | "superseded", Approved) => "approved",
        ("", Remediate)
        | ("held", Cleared)
        | ("failed", Reopened)
        | ("revoking" | "verifying", NotApplied) => "queued",
        ("held" | "queued" | "approved" | "retrying" | "blocked", Superseded) => "superseded",
        ("queued" | "approved" | "retrying" | "blocked" | "verifying", Intent) | ("revoking", Uncertain) => {
            "revoking"
        }
        ("revoking", Accepted) | ("verifying", Uncertain) => "verifying",
        ("verifying", Proof) => "revoked",
        ("queued" | "approved" | "retrying" | "blocked" | "revoking" | "verifying", Retry) => "retrying",
        ("queued" | "approved" | "retrying" | "blocked" | "revoking" | "verifying", Block) => "blocked",
        ("queued" | "approved" | "retrying" | "blocked" | "revoking" | "verifying", Fail) => "failed",
        _ => return None,
    })
}

const ALL_STATES: [&str; 12] = [
    "",
    "held",
    "rejected",
    "queued",
    "approved",
    "superseded",
    "revoking",
    "verifying",
    "revoked",
    "retrying",
    "blocked",
    "failed",
];

#[derive(Debug, Clone)]
enum Step {
    /// Entries that are written together, of one remediation.
    Together(usize, Vec<What>),
    /// One entry for each of these at the same time.
    AtOnce(Vec<(usize, What)>),
    /// Only if it is still in the state that the model knows, or in another.
    OnlyIf(usize, bool, What),
    /// The process ends and starts again.
    OpenAgain,
}

#[derive(Debug, Clone)]
struct Model {
    states: [&'static str; REMEDIATIONS],
    entries: i64,
}

impl Model {
    /// All or none.
    fn together(&mut self, who: usize, all: &[What]) -> bool {
        let mut state = self.states[who];
        for what in all {
            match next(state, *what) {
                Some(then) => state = then,
                None => return false,
            }
        }
        self.states[who] = state;
        self.entries += i64::try_from(all.len()).expect("few");
        true
    }
}

impl ReferenceStateMachine for Model {
    type State = Self;
    type Transition = Step;

    fn init_state() -> BoxedStrategy<Self> {
        Just(Self { states: [""; REMEDIATIONS], entries: i64::try_from(REMEDIATIONS).expect("few") }).boxed()
    }

    fn transitions(model: &Self) -> BoxedStrategy<Step> {
        // Mostly what is legal, or hardly anything would ever get far.
        let states = model.states;
        let likely = move |who: usize| {
            let legal: Vec<What> =
                ALL.into_iter().filter(|what| next(states[who], *what).is_some()).collect();
            prop_oneof![4 => prop::sample::select(legal), 1 => prop::sample::select(ALL.to_vec())]
        };
        let who = || 0..REMEDIATIONS;
        let one = move || who().prop_flat_map(move |who| (Just(who), likely(who)));
        prop_oneof![
            8 => one().prop_map(|(who, what)| Step::Together(who, vec![what])),
            3 => (one(), prop::collection::vec(prop::sample::select(ALL.to_vec()), 1..3))
                .prop_map(|((who, first), rest)| Step::Together(who, [vec![first], rest].concat())),
            3 => prop::collection::btree_map(who(), prop::sample::select(ALL.to_vec()), 1..=REMEDIATIONS)
                .prop_map(|all| Step::AtOnce(all.into_iter().collect())),
            2 => (one(), any::<bool>()).prop_map(|((who, what), right)| Step::OnlyIf(who, right, what)),
            1 => Just(Step::OpenAgain),
        ]
        .boxed()
    }

    fn apply(mut model: Self, step: &Step) -> Self {
        match step {
            Step::Together(who, all) => {
                let _ = model.together(*who, all);
            }
            Step::AtOnce(all) => all.iter().for_each(|(who, what)| {
                let _ = model.together(*who, &[*what]);
            }),
            Step::OnlyIf(who, right, what) => {
                if *right && !model.states[*who].is_empty() {
                    model.together(*who, &[*what]);
                }
            }
            Step::OpenAgain => {}
        }
        model
    }
}

/// Real entries to make others from.
struct Template {
    entries: Vec<Entry>,
}

impl Template {
    fn read() -> Self {
        let path = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/it/ledgers/fixed.db");
        let ledger = Connection::open(format!("file:{}?immutable=1", path.display())).expect("the template");
        let mut statement = ledger.prepare("SELECT body FROM entries ORDER BY seq").expect("entries");
        let rows = statement.query_map([], |row| row.get::<_, Vec<u8>>(0)).expect("rows");
        let entries =
            rows.map(|body| serde_json::from_slice(&body.expect("a body")).expect("an entry")).collect();
        Self { entries }
    }

    fn of(&self, kind: &str) -> Draft {
        let of_kind = |entry: &&Entry| entry.event.kind() == kind;
        let about_one = |entry: &&Entry| entry.subject.remediation.is_some();
        let entry = self.entries.iter().filter(of_kind).find(about_one);
        let entry = entry.or_else(|| self.entries.iter().find(of_kind)).expect(kind).clone();
        Draft { subject: entry.subject, event: entry.event }
    }

    fn finding(&self, who: usize) -> Draft {
        let mut draft = self.of("finding");
        let Event::Finding { finding, .. } = &mut draft.event else { panic!("a finding") };
        finding.id = format!("finding{who}");
        draft.subject.finding = Some(finding.id.clone());
        draft
    }

    fn draft(&self, who: usize, what: What) -> Draft {
        let text = String::new;
        let answer = || Answer {
            by: text(),
            reason: text(),
            os_user: text(),
            aws_identity: None,
            identity: None,
            judged: None,
        };
        let refused = |disposition| {
            Event::Refused(Refused {
                code: RefusedBy::Remedy(RefusalCode::Rejected),
                reason: text(),
                what_to_do: text(),
                disposition,
            })
        };
        let decision = |wanted| {
            let Event::Finding { finding, .. } = self.finding(who).event else { panic!("a finding") };
            let mut event = self.of("decision").event;
            let Event::Decision { occurrence, verdict, .. } = &mut event else { panic!("a decision") };
            *occurrence = finding.occurrence();
            *verdict = wanted;
            event
        };
        let event = match what {
            What::Remediate => decision(VerdictName::Remediate),
            What::Hold => decision(VerdictName::Hold),
            What::Proposed => Event::Proposed { change: None, problem: Some(text()) },
            What::Rejected => Event::Rejected(answer()),
            What::Cleared => Event::Cleared { reason: text() },
            What::Approved => Event::Approved(answer()),
            What::Reheld => Event::Reheld { code: ReasonCode::WorldChanged, reason: text() },
            What::Superseded => Event::Superseded { by: text() },
            What::Reopened => Event::Reopened { by: text() },
            What::Intent => self.of("intent").event,
            What::Uncertain => Event::Uncertain { error: text() },
            What::Accepted => Event::Accepted { found_in_place: false, aws_time: None },
            What::NotApplied => Event::NotApplied { found: text() },
            What::Proof => self.of("proof").event,
            What::Retry => refused(Disposition::Retry),
            What::Block => refused(Disposition::Blocked),
            What::Fail => refused(Disposition::Final),
            What::Call => self.of("call").event,
        };
        let mut subject = self.of("decision").subject;
        subject.remediation = Some(id(who));
        subject.finding = Some(format!("finding{who}"));
        Draft { subject, event }
    }
}

fn id(who: usize) -> String {
    format!("r-{who:012}")
}

struct Real {
    directory: TempDir,
    runtime: tokio::runtime::Runtime,
    template: Template,
    ledger: Ledger,
}

impl Real {
    fn path(&self) -> PathBuf {
        self.directory.path().join("ledger.db")
    }

    fn append(&self, who: usize, all: &[What], only_if: Option<(String, State)>) -> Result<(), LedgerError> {
        let only_if = only_if.map(|(remediation, state)| OnlyIf { remediation, state, plan: None });
        let entries = all.iter().map(|what| self.template.draft(who, *what)).collect();
        let append = Append { entries, only_if, ..Append::default() };
        self.runtime.block_on(self.ledger.append(append)).map(|_| ())
    }
}

impl StateMachineTest for Real {
    type SystemUnderTest = Self;
    type Reference = Model;

    fn init_test(_: &Model) -> Self {
        let directory = tempfile::tempdir().expect("a directory");
        let runtime = tokio::runtime::Builder::new_current_thread().build().expect("a runtime");
        let ledger = Ledger::open(&directory.path().join("ledger.db")).expect("a ledger");
        let real = Self { directory, runtime, template: Template::read(), ledger };
        let entries = (0..REMEDIATIONS).map(|who| real.template.finding(who)).collect();
        let written = real.runtime.block_on(real.ledger.append(Append { entries, ..Append::default() }));
        assert_eq!(written.expect("written").len(), REMEDIATIONS);
        real
    }

    fn apply(mut real: Self, after: &Model, step: Step) -> Self {
        // What the model says is checked below, by state and by count; here only that a refusal is the
        // typed one.
        let refused = |result: Result<(), LedgerError>| match result {
            Ok(()) | Err(LedgerError::Illegal(_)) => {}
            Err(error) => panic!("{step:?}: {error}"),
        };
        match &step {
            Step::Together(who, all) => refused(real.append(*who, all, None)),
            Step::AtOnce(all) => {
                let appends =
                    all.iter().map(|(who, what)| real.ledger.append(real.template.draft(*who, *what)));
                for result in real.runtime.block_on(futures::future::join_all(appends)) {
                    refused(result.map(|_| ()));
                }
            }
            Step::OnlyIf(who, right, what) => {
                let now =
                    Reader::open(&real.path()).expect("a reader").remediation(&id(*who)).map(|r| r.state);
                let state = match now {
                    Ok(now) if *right => now,
                    Ok(now) => State::all().iter().copied().find(|state| *state != now).expect("another"),
                    Err(_) => State::Queued,
                };
                refused(real.append(*who, &[*what], Some((id(*who), state))));
            }
            Step::OpenAgain => {
                real.ledger.close();
                real.ledger = Ledger::open(&real.path()).expect("a ledger");
            }
        }
        let reader = Reader::open(&real.path()).expect("a reader");
        for (who, wanted) in after.states.iter().enumerate() {
            let state = reader.remediation(&id(who)).map_or(String::new(), |r| r.state.to_string());
            // The table says what the entries add up to.
            let column = reader.state(&id(who)).map_or(String::new(), |state| state.to_string());
            assert_eq!(column, state, "{step:?}");
            assert_eq!(state, *wanted, "remediation {who} after {step:?}");
        }
        assert_eq!(reader.last().expect("a number"), after.entries, "after {step:?}");
        real
    }

    fn teardown(real: Self, _: Model) {
        real.ledger.close();
        let found = verify(&real.path(), &[], Keys::default(), &mut |_, _| {}).expect("readable");
        assert!(found.problems.is_empty(), "{:?}", found.problems);
        assert_eq!(rebuild(&real.path(), false).expect("replayed"), []);
    }
}

fn cases() -> u32 {
    if std::env::var_os("RESCIND_SOAK").is_some() { 2000 } else { 20 }
}

prop_state_machine! {
    #![proptest_config(ProptestConfig { cases: cases(), ..ProptestConfig::default() })]

    #[test]
    fn the_ledger_does_what_the_model_does(sequential 1..60 => Real);
}
