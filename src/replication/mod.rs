//! One leader among several hosts: who acts, who follows, and how another takes over.
//!
//! Several hosts share a log. One of them leads: it acts, and puts what it records into the log. The others replay it
//! into files of their own, and watch the leader's lease. Who may write is decided by the log alone: whoever finds a
//! position taken by a later leadership stops. The lease decides only when another tries, and until when the leader
//! may change something.

mod acting;
mod follower;
mod keeper;
mod open;

pub use acting::Acting;
pub use follower::{Follower, Progress};
pub use open::{LOG, log_for_command, open_ledger, region_of_log};
