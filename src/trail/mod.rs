//! CloudTrail's records: what a call was, and what it means when a thief made it. Pure.
//!
//! [`TrailEvent`] is what any reader of the trail needs of a record; an [`Activity`] is a call that opens a session,
//! makes persistence, blinds or takes, and a [`Door`] is how to close what it left open. All other calls only look, and
//! are counted.

mod activity;
mod door;
mod event;
mod meaning;
mod outside;
mod read;
mod record;
mod shell;
#[cfg(test)]
mod tests;
mod thing;

pub use activity::{Activity, Meaning, Opened};
pub use door::Door;
pub use event::TrailEvent;
pub use record::TrailRecord;
pub use thing::Thing;
