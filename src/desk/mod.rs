//! The desk: what people and programs ask and answer, in one way for the command line, the API and the console.
//!
//! What is read becomes a document, the one of `-o json` ([`RemediationLine`], [`Shown`], [`Picture`] …). What is changed
//! goes through a rule that says whether it may be, and becomes an entry of the ledger: an answer, a release, an order.

mod alerts;
mod answer;
mod coverage;
mod decisions;
mod error;
mod incidents;
mod line;
mod named;
mod order;
mod picture;
mod plan;
mod release;
mod shown;
mod side_effect;

pub use alerts::{AlertLine, account_of_alert, acknowledge, alert_lines};
pub use answer::{Kind, Recorded, answerable, held_of, may_answer, record};
pub use coverage::{AccountCoverage, Coverage, RegionCoverage};
pub use decisions::{DecisionLine, decision_line, latest_decisions};
pub use error::DeskError;
pub use incidents::{IncidentLine, ask_pursuit, close_doors, incident, incident_line, incident_of};
pub use line::RemediationLine;
pub use named::{
    account_label, find, find_among, finding, incident_among, incident_named, is_long_enough, names_finding,
    remediation,
};
pub use order::{Given, OrderAsked, Principal, ask, is_access_key};
pub use picture::{ChannelPicture, OutagePicture, Picture, ReleasedPicture, Unfinished};
pub use plan::PlanDocument;
pub use release::{ReleasePlan, WorksAgain, ask_release, may_release};
pub use shown::Shown;
pub use side_effect::{at_the_approval, side_effect};
