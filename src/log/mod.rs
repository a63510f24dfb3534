//! The log that outlives the machine: its items, the chain that they make, and what keeps them. Pure.
//!
//! Each group of entries that is committed together is an item (a large one several). An item stands at a position,
//! names the hash of the item before it, and is put only where none stands: whoever finds the position taken reads on
//! before they write. Nothing here asks AWS; [`Store`] says what a table has to do.

mod chain;
mod group;
mod item;
mod lease;
mod store;
mod tail;
#[cfg(test)]
mod tests;

pub use chain::{Broken, Chain};
pub use group::{Group, Malformed};
pub use item::Item;
pub use lease::{Lease, Observed};
pub use store::{Put, Store};
pub use tail::Tail;
