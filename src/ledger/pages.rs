//! The log's items, page by page: while one is worked on, the next ones are on their way.

use super::LedgerError;
use super::logged::{Asked, Log, READ};
use crate::log::Item;
use std::collections::VecDeque;

/// Number of items that are asked for at first: what is not there costs as much as what is.
const FIRST_LOOK: usize = 3;

/// Number of pages that are on their way while one is worked on. At the end of the log each costs a look at one item.
const AHEAD: usize = 3;

/// The log's items from a position on, page by page.
#[derive(Debug)]
pub(super) struct Pages {
    log: Log,
    /// Position of the next item.
    next: u64,
    /// Number of items of the next page.
    most: usize,
    /// The pages behind it, each of [`READ`] items.
    coming: VecDeque<Asked>,
}

/// A page of the log.
#[derive(Debug)]
pub(super) struct Page {
    /// The items, in order.
    pub items: Vec<Item>,
    /// Nothing stood behind them.
    pub is_end: bool,
}

impl Pages {
    /// The pages behind `position`.
    pub fn behind(log: &Log, position: u64) -> Self {
        Self { log: log.clone(), next: position + 1, most: FIRST_LOOK, coming: VecDeque::new() }
    }

    /// The next page. Behind the last one, whoever asks sees what has come since.
    ///
    /// # Errors
    /// When the log was given up, or what stands there is no item.
    pub fn next(&mut self) -> Result<Page, LedgerError> {
        let items = match self.coming.pop_front().and_then(Asked::arrived) {
            Some(items) => items,
            // Also after an error: here it is seen, and asked again until there is an answer.
            None => self.log.read_on(self.next, self.most)?,
        };
        let is_end = items.len() < self.most;
        self.next += items.len() as u64;
        self.most = (self.most * 5).min(READ);
        if is_end {
            self.leave();
        } else if items.len() == READ {
            while self.coming.len() < AHEAD {
                let from = self.next + (self.coming.len() * READ) as u64;
                self.coming.push_back(self.log.ask_for(from, READ));
            }
        }
        Ok(Page { items, is_end })
    }

    /// More than a page was there.
    pub fn is_long_way(&self) -> bool {
        !self.coming.is_empty()
    }

    /// What is on its way is not waited for.
    fn leave(&mut self) {
        self.coming.clear();
        self.most = FIRST_LOOK;
    }
}
