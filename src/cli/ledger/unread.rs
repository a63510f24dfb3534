//! The error of who could not ask the witness.

use crate::remediation::{CallError, ErrorKind};

/// The witness's bucket could not be read.
#[derive(Debug, thiserror::Error)]
#[error("the checkpoints at the witness cannot be read")]
pub struct Unread {
    #[source]
    error: CallError,
    /// What to do about it.
    pub hint: &'static str,
}

impl From<CallError> for Unread {
    fn from(error: CallError) -> Self {
        Self { hint: hint(&error), error }
    }
}

fn hint(error: &CallError) -> &'static str {
    match error.kind {
        ErrorKind::Denied => {
            "To read the witness takes s3:ListBucketVersions and s3:GetObjectVersion in that bucket. Without it: `rescind ledger verify --ledger FILE`, and --checkpoint with a copy of a checkpoint."
        }
        ErrorKind::NotFound => {
            "Name the bucket as s3://BUCKET/PREFIX with --witness, or correct [ledger.witness]."
        }
        _ => {
            "See the credentials, the region and the network. Without the witness: `rescind ledger verify --ledger FILE`."
        }
    }
}
