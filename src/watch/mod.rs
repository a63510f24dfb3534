//! Denies in force: whether they are still there and still needed, and what became of the stolen key.
//!
//! [`Recheck`] looks at one deny and records what it sees; [`Evidence`] gathers whom it affects and what
//! CloudTrail has. [`Watchlist`] says whose turn it is. What follows from it is done by who asked.

mod culprit;
mod evidence;
mod places;
mod recheck;
mod watchlist;

pub use evidence::Evidence;
pub use places::{Limits, Place, Places};
pub use recheck::{Recheck, Seen};
pub use watchlist::{Due, Rechecks, Watchlist};
