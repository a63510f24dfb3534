//! What happens to one principal whose credentials were stolen. Pure: no I/O, no clock.
//!
//! [`Event`] is the closed list of what can happen, [`State`] says what may follow what, and
//! [`Remediation`] is what the events add up to. What is written to a principal is a [`Change`] with its
//! [`Cutoff`]; how far it is proved, a [`Proof`]; why it was not carried out, a [`Refusal`].

mod access;
mod answer;
mod call;
mod change;
mod check;
mod code;
mod cutoff;
mod deny;
mod describe;
mod draft;
mod drilled;
mod entry;
mod event;
mod fold;
mod history;
mod impact;
mod in_force;
mod incident;
mod kind;
mod lifecycle;
mod means;
mod occurrence;
mod origin;
mod outage;
mod prior;
mod proof;
mod quarantine;
mod quarantined;
mod recurrence;
mod refusal;
mod reported;
mod state;
mod target;
mod ticket;
mod trace;
mod verdict_name;
mod view;
mod written_back;

pub use access::{LoggedIn, RequestRefused};
pub use answer::{Answer, NOBODY, ReleaseAsked};
pub use call::{CallError, CallRecord, CallResult, CallScope, CallSink, ErrorKind, is_change, is_throttling};
pub use change::{Change, KeyChange, Past, Undo};
pub use check::Check;
pub use code::{AlertCode, Code, ReasonCode, RefusalCode, RefusedBy, UnknownCode};
pub use cutoff::Cutoff;
pub use deny::{Deny, POLICY_NAME, listed, same};
pub use describe::{describe, describe_in_force, describe_proof, describe_quarantine, short, span};
pub use draft::Draft;
pub use drilled::{DrillStep, Drilled};
pub use entry::{Entry, Subject};
pub use event::Event;
pub use history::{
    Acceptance, AlertRaised, Asked, AskedEnd, ChangeMade, ChangeOutcome, DriftSeen, Ending, FirstDecision,
    Given, History, Recorded, ReleaseRun,
};
pub use impact::{Impact, Instance};
pub use in_force::{CONTESTED_FROM, CONTESTED_WITHIN, Gap, InForce, InForceTotal};
pub use incident::incident_opened_by;
pub use lifecycle::{Illegal, Standing};
pub use means::Means;
pub use origin::Origin;
pub use outage::Outage;
pub use prior::{Begun, PriorRemediation};
pub use proof::{DeniedCall, Proof, Rung, SimulatedDecision, Verified};
pub use quarantine::Quarantine;
pub use recurrence::{Recurrence, Sign};
pub use refusal::{Disposition, Kind, Refusal, Refused};
pub use reported::{Reported, Selection};
pub use state::State;
pub use target::{OneSession, Target, Who, is_session_id};
pub use ticket::{Ticket, TicketStep};
pub use trace::{CallCount, DoorsClosed, RegionRead, RegionUnread, Trace};
pub use verdict_name::VerdictName;
pub use view::{Proposal, Remediation};
pub use written_back::{BackTo, WrittenBack};
