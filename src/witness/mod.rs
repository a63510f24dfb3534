//! Who keeps the checkpoints of a ledger where nobody can replace them.
//!
//! [`WitnessBucket`] is a bucket with Object Lock. What stands there is never changed: an object is put where none
//! stands, and compared with what was to be put where one does.

mod bucket;

pub use bucket::{InBucket, Kept, WitnessBucket};
