//! The integration tests: the real binary against the emulated organization, over real HTTP.
//!
//! One file for each thing that a user relies on. The oracle is the attacker's own call.

#![allow(clippy::needless_pass_by_value)] // `json!({…})` and `format!(…)` read better without a `&`

mod scene;
mod thief;

mod cli;
mod confinement;
mod crash;
mod decoding;
mod feed;
mod hub;
mod ledger;
mod opt_outs;
mod refusals;
mod revoke;
mod skips;
mod verify;
