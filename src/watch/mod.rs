//! Denies in force: whether they are still there and still needed, and what became of the stolen key.
//!
//! [`Recheck`] looks at one deny and records what it sees; [`Evidence`] gathers its impact and what
//! CloudTrail has. [`Watchlist`] says which deny is due. The caller acts on the result.

mod calls;
mod culprit;
mod evidence;
mod places;
mod pursuit;
mod recheck;
mod tagged;
mod timetable;
mod watchlist;

pub use evidence::{Evidence, LAG};
pub use places::{Limits, Place, Places};
pub use pursuit::{Needs, Pursuit};
pub use recheck::{Recheck, Seen};
pub use tagged::TagHistory;
pub use watchlist::{Due, Rechecks, Watchlist};
