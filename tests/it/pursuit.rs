//! Pursuit: what the thief opened with the stolen session is found, shown and closed. The thief's own calls are the
//! oracle.

mod contain;
mod decided;
mod doors;
mod evasions;
mod evidence;
mod interrupted;
pub mod intrusion;
mod loops;
