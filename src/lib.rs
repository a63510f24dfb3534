//! `rescind` revokes stolen AWS role sessions, across a whole AWS Organization, and can prove it.
//!
//! The floors of the house. Each room knows only rooms on the floors below it; `tests/it/house.rs` holds that.
//!
//! ```text
//! cli                           what a person sees
//! doctor                        whether everything is in place
//! web                           the API and the console, for programs and browsers
//! desk                          what people and programs ask and answer, in one way for both
//! drill                         the whole way of a theft, with a role made for it
//! service                       the loops, and what they share
//! replication                   one leader among several hosts: the lease, taking over, following
//! report notify                 the ledger for people and for other programs
//! reconcile                     decisions carried out: intent, change, outcome, proof
//! watch                         denies in force: still there, still needed; what became of the stolen key
//! ingest                        findings from GuardDuty, a queue, a folder, files: verified, recorded, handed over
//! alert                         what needs attention, raised once an hour
//! remedy                        what is changed, and how to see that it is in force
//! witness                       checkpoints elsewhere: kept or cosigned by others
//! incident                      all that hangs together with one theft
//! audit                         checks a ledger without trusting who wrote it
//! ledger                        the store: append, tree, checkpoints, queries
//! aws                           the calls: the hub's clients, sessions in member accounts
//! triage                        what is done about a finding, and why; pure
//! log                           the items of the log that outlives the machine, and their chain; pure
//! remediation                   what happened to one principal: events, states, changes, proofs; pure
//! trail                         CloudTrail's records, and what a call of a thief means; pure
//! policies                      the IAM documents that it is deployed with
//! config org                    rescind.toml and opt-outs; the organization's accounts
//! finding                       the one place that knows the wire shapes of findings
//! canonical digest safe backoff fence ident identity chain plural
//! ```

mod alert;
pub mod audit;
mod aws;
mod backoff;
mod canonical;
mod chain;
pub mod cli;
pub mod config;
mod desk;
pub mod digest;
mod doctor;
mod drill;
mod fence;
pub mod finding;
pub mod ident;
mod identity;
mod incident;
mod ingest;
pub mod ledger;
pub mod log;
mod notify;
pub mod org;
mod plural;
mod policies;
mod reconcile;
pub mod remediation;
mod remedy;
mod replication;
pub mod report;
mod safe;
mod service;
pub mod trail;
pub mod triage;
mod watch;
pub mod web;
mod witness;

/// For the tests of what keeps the log, which put the same questions to several databases.
#[doc(hidden)]
pub use aws::{LogTable, TableFacts};
