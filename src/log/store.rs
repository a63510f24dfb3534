//! What keeps the log: a table in which an item is put only where none stands.

use super::item::Item;
use super::lease::Lease;
use crate::remediation::CallError;
use futures::future::BoxFuture;
use std::fmt::Debug;

/// What became of a conditional put that was answered.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Put {
    /// It stands there now.
    Done,
    /// Something else stood there, or it itself from an earlier attempt whose answer was lost: look.
    Taken,
}

/// What keeps the log. All reads are consistent: they see every put that was answered before they began.
///
/// An error says nothing about whether a put was done: whoever gets one reads the position back.
pub trait Store: Debug + Send + Sync {
    /// Puts an item where none stands.
    ///
    /// # Errors
    /// As the call's.
    fn put<'a>(&'a self, item: &'a Item) -> BoxFuture<'a, Result<Put, CallError>>;

    /// The items from position `from` on, in order and without a gap, at most `most`: none when there is none at `from`.
    ///
    /// # Errors
    /// As the call's.
    fn read(&self, from: u64, most: usize) -> BoxFuture<'_, Result<Vec<Item>, CallError>>;

    /// The lease, if there ever was one.
    ///
    /// # Errors
    /// As the call's.
    fn lease(&self) -> BoxFuture<'_, Result<Option<Lease>, CallError>>;

    /// Puts a lease in the place of `before`, if it stands there still.
    ///
    /// # Errors
    /// As the call's.
    fn put_lease<'a>(
        &'a self,
        lease: &'a Lease,
        before: Option<&'a Lease>,
    ) -> BoxFuture<'a, Result<Put, CallError>>;
}
