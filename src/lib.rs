//! `rescind` takes stolen AWS role sessions back, across a whole AWS Organization, and can
//! prove it.
//!
//! The map, in the order in which a finding travels:
//!
//! - [`feed`] brings findings: GuardDuty's API, events from a queue, files. It records what is new.
//! - [`finding`] decodes them; the one place that knows their wire shapes.
//! - [`triage`] decides what is done, with a reason. Pure.
//! - [`engine`] carries decisions out: intent, change, outcome, proof; takes up what a crash left.
//! - [`remedy`] knows what is changed, and how to see that it is in force.
//! - [`aws`] makes the calls: the hub's clients, sessions in member accounts.
//!
//! [`audit`] checks a ledger without trusting who wrote it.
//!
//! [`report`] tells of the ledger, for people and for other programs.
//!
//! [`policies`] holds the IAM documents that it is deployed with, and [`doctor`] looks whether everything is
//! in place; [`drill`] goes the whole way of a theft with a throw-away role.
//!
//! Beside them: [`ledger`] keeps the history, [`org`] knows the accounts, [`config`] reads
//! `rescind.toml`, [`ident`] holds the names that AWS gives to things, [`digest`] makes fingerprints,
//! [`canonical`] the JSON that they are of, [`safe`] makes foreign text harmless, [`service`] puts all of it
//! together, [`backoff`] says how long to wait for a new try, and [`cli`] is what a person sees.

pub mod audit;
pub mod aws;
pub mod backoff;
pub mod canonical;
pub mod cli;
pub mod config;
pub mod digest;
pub mod doctor;
pub mod drill;
pub mod engine;
pub mod feed;
pub mod finding;
pub mod ident;
pub mod ledger;
pub mod notify;
pub mod org;
pub mod policies;
pub mod remedy;
pub mod report;
pub mod safe;
pub mod service;
pub mod triage;
