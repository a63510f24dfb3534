//! The items in their order: each follows the one before it, and groups are whole or not at all.

use super::group::{Group, Malformed};
use super::item::Item;
use super::tail::Tail;

/// Reads items in their order, and gives the groups that they make.
///
/// A group of several items counts when all its parts stand behind each other. What a writer began and did not finish,
/// because another came in between or it ended, was never answered to anybody: it is passed over, the same by
/// everybody who reads.
#[derive(Debug, Clone, Default)]
pub struct Chain {
    tail: Tail,
    /// The parts of a group that is not whole yet.
    begun: Vec<Item>,
}

/// Why an item cannot follow the one before it.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("item {position} of the log {what}")]
pub struct Broken {
    /// Position of the item.
    pub position: u64,
    /// What is wrong with it.
    pub what: String,
}

impl Chain {
    /// Goes on behind `tail`. A group that was begun there is read as not begun: its other parts would be refused, so
    /// a tail is kept only of whole groups, see [`Self::whole`].
    #[must_use]
    pub fn behind(tail: Tail) -> Self {
        Self { tail, begun: Vec::new() }
    }

    /// The last item that was read.
    #[must_use]
    pub fn tail(&self) -> &Tail {
        &self.tail
    }

    /// No group is begun behind the last whole one.
    #[must_use]
    pub fn is_whole(&self) -> bool {
        self.begun.is_empty()
    }

    /// Takes the next item; gives the group that it completes.
    ///
    /// # Errors
    /// When it cannot follow the one before it. Then nothing was taken.
    pub fn take(&mut self, item: Item) -> Result<Option<Group>, Broken> {
        let broken = |what: &str| Broken { position: item.position, what: what.to_owned() };
        if item.position != self.tail.position + 1 {
            return Err(broken("is not at the next position"));
        }
        if item.before != self.tail.hash {
            return Err(broken("does not follow the one before it: its hash is another"));
        }
        if item.epoch < self.tail.epoch {
            return Err(broken("is of an epoch that was over"));
        }
        let goes_on = self.begun.last().is_some_and(|last| {
            (last.epoch, &last.writer, last.first, last.count, last.parts, last.part + 1)
                == (item.epoch, &item.writer, item.first, item.count, item.parts, item.part)
        });
        if item.part == 0 || item.part > item.parts || item.part > 1 && !goes_on {
            return Err(broken("is a part of a group that was not begun"));
        }
        let tail = Tail { position: item.position, epoch: item.epoch, hash: item.hash() };
        let mut begun = if item.part == 1 { Vec::new() } else { self.begun.clone() };
        let is_whole = item.part == item.parts;
        begun.push(item);
        let group = if is_whole {
            let whole = Group::of(&begun);
            begun = Vec::new();
            let said = |error: Malformed| Broken { position: tail.position, what: error.to_string() };
            Some(whole.map_err(said)?)
        } else {
            None
        };
        (self.tail, self.begun) = (tail, begun);
        Ok(group)
    }
}
