//! Where the findings of a queue go.

use crate::finding::{Finding, Unconfirmed, Undecodable};
use crate::ident::AccountId;
use crate::ledger::LedgerError;
use crate::remediation::CallError;
use std::time::Duration;

/// Whoever does something about findings.
pub trait Taker: Sync {
    /// A finding about this account may be on its way.
    fn expect(&self, account: &AccountId);

    /// What was claimed is not so: a person is to know.
    fn unconfirmed(
        &self,
        source: &str,
        claim: &Finding,
        why: &Unconfirmed,
    ) -> impl Future<Output = Result<(), LedgerError>> + Send;

    /// Something came that cannot be read: it may be a theft, or a feed that brings nothing.
    fn unreadable(
        &self,
        source: &str,
        what: &Undecodable,
    ) -> impl Future<Output = Result<(), LedgerError>> + Send;

    /// So many messages are no findings that nothing is received for so long.
    fn flooded(&self, source: &str, pause: Duration) -> impl Future<Output = Result<(), LedgerError>> + Send;

    /// Receiving failed, so often in a row; a person is to know.
    fn failed(
        &self,
        error: &CallError,
        is_other: bool,
    ) -> impl Future<Output = Result<(), LedgerError>> + Send;
}
