//! Checkpoints elsewhere: what others keep or cosign of the ledger, so that nobody can rewrite it unseen.
//!
//! [`WitnessBucket`] is a bucket with Object Lock. What stands there is never changed: an object is put where none
//! stands, and compared with what was to be put where one does. [`Cosigner`] is a service of another operator, which
//! signs only what goes on from what it signed before.

mod bucket;
mod cosigner;

pub use bucket::{BucketContents, InBucket, Kept, WitnessBucket};
pub use cosigner::{CosignError, Cosigned, Cosigner, NoCosigner};
