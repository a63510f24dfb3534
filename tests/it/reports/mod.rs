//! Reports: what is in them, in every format, and that nothing foreign in them does harm.

mod attention;
mod figures;
mod foreign;
mod formats;
mod ledger;
mod page;
mod paper;
mod quarantine;
mod record;
mod states;
mod valid;

pub use valid::is_as;

use serde_json::Value;

/// Lines of JSON.
fn lines(text: &str) -> Vec<Value> {
    text.lines().map(|line| serde_json::from_str(line).expect("a line of JSON")).collect()
}
