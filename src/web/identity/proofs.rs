//! What checks the proofs of programs.

use super::nonces::Nonces;
use crate::aws::CallerCheck;
use tokio::sync::OnceCell;

/// What checks the proofs of programs.
#[derive(Debug, Default)]
pub(in crate::web) struct Proofs {
    /// Asks STS; made when the first proof comes.
    pub check: OnceCell<CallerCheck>,
    /// The numbers of the proofs that may not come again.
    pub nonces: Nonces,
}
