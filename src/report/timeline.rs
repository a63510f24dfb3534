//! The entries of a remediation, in order: the AWS calls, counted, and every other one in words.

use crate::audit::canonical::Members;
use crate::remediation::{Event, Proof, Recorded, describe};
use jiff::Timestamp;
use schemars::JsonSchema;
use serde::Serialize;

/// The AWS calls that were made for a remediation.
#[derive(Debug, Clone, Default, Serialize, JsonSchema)]
pub struct Calls {
    /// Number of AWS calls.
    pub count: u64,
    /// How many of them failed.
    pub failed: u64,
    /// Each, with what finds it in CloudTrail.
    pub requests: Vec<Request>,
}

/// An AWS call that was made.
#[derive(Debug, Clone, Serialize, JsonSchema)]
#[allow(clippy::struct_field_names)] // AWS's own word for it
pub struct Request {
    /// Number of the entry that recorded it.
    pub entry: i64,
    /// The call, such as `iam:PutRolePolicy`.
    pub call: String,
    /// AWS's id of it.
    pub request_id: Option<String>,
    /// Whether AWS carried it out, or answered `NoSuchEntity` to a look at a policy.
    pub ok: bool,
}

/// An entry that is no call.
#[derive(Debug, Clone, Serialize, JsonSchema)]
pub struct Step {
    /// Number of the entry.
    pub entry: i64,
    /// When it was recorded.
    pub at: Timestamp,
    /// Its kind, as in docs/ledger.md.
    pub kind: String,
    /// What the entry says, in words.
    pub text: String,
}

/// A rung of the proof, and what ended it: the time and the kind of an entry.
#[derive(Debug, Clone)]
pub(super) struct Reached {
    pub proof: Recorded<Proof>,
    pub ended: Option<(Timestamp, String)>,
}

/// The entries of a remediation, in order.
#[derive(Debug, Clone, Default)]
pub(super) struct Timeline {
    pub calls: Calls,
    pub steps: Vec<Step>,
    /// Every rung of the proof that was reached.
    pub proofs: Vec<Reached>,
    /// The alerts that somebody has seen to, by their entries.
    pub seen_to: Vec<i64>,
    /// CloudTrail was searched for what was done with the credentials.
    pub is_searched: bool,
}

impl Timeline {
    /// Adds a call. Most entries are calls, so only what is needed of their text is read.
    pub fn call(&mut self, entry: i64, body: &[u8]) {
        let members = Members::of(body);
        let data = members.as_ref().and_then(|members| members.raw("data"));
        let Some(data) = data.and_then(|data| Members::of(data.as_bytes())) else { return };
        let text = |name| data.text(name).unwrap_or_default();
        // That there is no policy yet is an answer.
        let is_expected = text("operation") == "GetRolePolicy"
            && data.raw("result").is_some_and(|result| result.contains("\"code\":\"NoSuchEntity"));
        let ok = data.is("result", Some("ok")) || is_expected;
        self.calls.count += 1;
        self.calls.failed += u64::from(!ok);
        let call = format!("{}:{}", text("service"), text("operation"));
        self.calls.requests.push(Request { entry, call, request_id: data.text("request_id"), ok });
    }

    /// Adds an entry that is no call.
    pub fn step(&mut self, entry: i64, at: Timestamp, event: &Event) {
        match event {
            Event::Proof(proof) => {
                let proof = Recorded { entry, at, what: proof.clone() };
                self.proofs.push(Reached { proof, ended: None });
            }
            Event::AlertAcknowledged { alert, .. } => self.seen_to.push(*alert),
            Event::Trace(_) => self.is_searched = true,
            _ => {}
        }
        let text = match event {
            // The step is called a decision already.
            Event::Decision { verdict, reason, .. } => format!("{verdict}: {reason}"),
            other => describe(other),
        };
        self.steps.push(Step { entry, at, kind: event.kind().to_owned(), text });
    }

    /// What was proved does not hold any more: it was released, found gone, or is being replaced.
    pub fn proofs_end(&mut self) {
        let Some(step) = self.steps.last() else { return };
        for reached in self.proofs.iter_mut().filter(|reached| reached.ended.is_none()) {
            reached.ended = Some((step.at, step.kind.clone()));
        }
    }
}
