//! The integration tests: the real binary against the emulated organization, over real HTTP.
//!
//! One file for each thing that a user relies on. The oracle is the attacker's own call.

#![allow(clippy::needless_pass_by_value)] // `json!({…})` and `format!(…)` read better without a `&`

mod log;
mod made;
mod scene;
mod thief;
mod watching;

mod approvals;
mod beyond;
mod cli;
mod confinement;
mod conformance;
mod contain_only;
mod containment;
mod contested;
mod copies;
mod corpus;
mod cosigned;
mod crash;
mod current;
mod damage;
mod decoding;
mod delegated;
mod docs;
mod doctor;
mod drill;
mod events;
mod evidence;
mod faults;
mod feed;
mod folder;
mod guards;
mod hangs;
mod histories;
mod hosts;
mod house;
mod hub;
mod ids;
mod incident;
mod inputs;
mod keeping;
mod ladder;
mod ledger;
mod log_store;
mod mangled;
mod model;
mod notify;
mod opt_outs;
mod orders;
mod organization;
mod organization_deny;
mod outage;
mod principal_tag;
mod products;
mod proofs;
mod proxy;
mod pursuit;
mod quarantine;
mod queue;
mod queues;
mod refusals;
mod reports;
mod revoke;
mod rules;
mod screens;
mod sealed;
mod security_hub;
mod service;
mod skips;
mod soak;
#[cfg(target_os = "linux")]
mod starve;
mod sts;
mod terminal;
mod tricks;
mod unplaced;
mod unread;
mod verify;
mod way_out;
mod web;
mod witness;
mod write_back;
mod writer;
