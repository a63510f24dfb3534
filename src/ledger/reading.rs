//! Reads the log ahead of the file: while groups are written, the next ones are unpacked.

use super::LedgerError;
use super::logged::Log;
use super::pages::Pages;
use super::replayed::Replayed;
use crate::log::{Chain, Group, Item, Tail};
use std::collections::VecDeque;
use std::sync::mpsc::{Receiver, sync_channel};

/// Number of entries that are enough for one transaction. Others can write in between.
const TOGETHER: usize = 5_000;

/// Number of stretches that wait to be written.
const WAITING: usize = 1;

/// Groups that follow each other.
#[derive(Debug)]
pub(super) struct Stretch {
    pub groups: Vec<Unpacked>,
    /// Where the last of them ends.
    pub whole: Tail,
    /// Where what was read ends: behind the groups there may be one that nobody finished.
    pub tail: Tail,
    /// Nothing stood in the log behind it.
    pub is_end: bool,
}

/// A group, read.
#[derive(Debug)]
pub(super) struct Unpacked {
    /// Number of its first entry.
    pub first: u64,
    /// Its entries, in order.
    pub entries: Vec<Replayed>,
    /// What is written beside them, as JSON.
    pub beside: Vec<Vec<u8>>,
}

impl From<Group> for Unpacked {
    fn from(Group { first, bodies, beside, .. }: Group) -> Self {
        Self { first, entries: bodies.into_iter().map(Replayed::read).collect(), beside }
    }
}

/// Reads the log from a position on. A long way is read by a thread of its own.
pub(super) struct Reading {
    reader: Option<Reader>,
    ahead: Option<Receiver<Result<Stretch, LedgerError>>>,
}

impl Reading {
    /// Reads on behind `own`, which is whole.
    pub fn behind(log: &Log, own: Tail) -> Self {
        let pages = Pages::behind(log, own.position);
        let chain = Chain::behind(own.clone());
        let reader = Reader { pages, items: VecDeque::new(), is_end: false, chain, whole: own };
        Self { reader: Some(reader), ahead: None }
    }

    /// A thread of its own reads.
    pub fn is_long_way(&self) -> bool {
        self.ahead.is_some()
    }

    /// The next groups. There are none behind the end.
    ///
    /// # Errors
    /// When the log was given up, or its items do not follow each other.
    pub fn next(&mut self) -> Result<Stretch, LedgerError> {
        if let Some(reader) = self.reader.take_if(|reader| reader.pages.is_long_way()) {
            self.ahead = Some(reader.on_a_thread()?);
        }
        match (&mut self.reader, &self.ahead) {
            (Some(reader), _) => reader.next(),
            (None, Some(ahead)) => ahead.recv().unwrap_or(Err(LedgerError::Closed)),
            (None, None) => Err(LedgerError::Closed),
        }
    }
}

struct Reader {
    pages: Pages,
    /// What was read of the log and not yet unpacked.
    items: VecDeque<Item>,
    /// Nothing stands behind them.
    is_end: bool,
    chain: Chain,
    /// Where the last whole group ends.
    whole: Tail,
}

impl Reader {
    fn next(&mut self) -> Result<Stretch, LedgerError> {
        let (mut groups, mut entries) = (Vec::new(), 0);
        while entries < TOGETHER {
            let Some(item) = self.items.pop_front() else {
                if self.is_end {
                    break;
                }
                let page = self.pages.next()?;
                (self.items, self.is_end) = (page.items.into(), page.is_end);
                continue;
            };
            if let Some(group) = self.chain.take(item)? {
                entries += group.bodies.len();
                groups.push(Unpacked::from(group));
                self.whole = self.chain.tail().clone();
            }
        }
        let is_end = self.is_end && self.items.is_empty();
        Ok(Stretch { groups, whole: self.whole.clone(), tail: self.chain.tail().clone(), is_end })
    }

    /// Goes on until the end, an error, or until nobody asks any more.
    fn on_a_thread(mut self) -> Result<Receiver<Result<Stretch, LedgerError>>, LedgerError> {
        let (send, receive) = sync_channel(WAITING);
        let run = move || {
            loop {
                let stretch = self.next();
                let is_over = stretch.as_ref().map_or(true, |stretch| stretch.is_end);
                if send.send(stretch).is_err() || is_over {
                    break;
                }
            }
        };
        let thread = std::thread::Builder::new().name("log-ahead".to_owned()).spawn(run);
        thread.map(|_| receive).map_err(|error| LedgerError::Io { path: "a thread".to_owned(), error })
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::log::{Lease, Put, Store};
    use crate::remediation::{CallError, ErrorKind};
    use futures::FutureExt;
    use futures::future::BoxFuture;
    use std::sync::Arc;
    use std::sync::atomic::{AtomicUsize, Ordering};

    /// A log that is only read, and fails now and then.
    #[derive(Debug)]
    struct Kept {
        items: Vec<Item>,
        asked: AtomicUsize,
        /// Each so-manyth question is not answered.
        fails: usize,
    }

    impl Store for Kept {
        fn put<'a>(&'a self, _: &'a Item) -> BoxFuture<'a, Result<Put, CallError>> {
            async { Ok(Put::Taken) }.boxed()
        }

        fn read(&self, from: u64, most: usize) -> BoxFuture<'_, Result<Vec<Item>, CallError>> {
            let number = self.asked.fetch_add(1, Ordering::Relaxed) + 1;
            let from = usize::try_from(from - 1).expect("small");
            let found = self.items.iter().skip(from).take(most).cloned().collect();
            let failed = CallError {
                service: "dynamodb",
                operation: "BatchGetItem",
                kind: ErrorKind::Unavailable,
                code: None,
                message: "not now".to_owned(),
            };
            let fails = number.is_multiple_of(self.fails);
            async move { if fails { Err(failed) } else { Ok(found) } }.boxed()
        }

        fn lease(&self) -> BoxFuture<'_, Result<Option<Lease>, CallError>> {
            async { Ok(None) }.boxed()
        }

        fn put_lease<'a>(
            &'a self,
            _: &'a Lease,
            _: Option<&'a Lease>,
        ) -> BoxFuture<'a, Result<Put, CallError>> {
            async { Ok(Put::Taken) }.boxed()
        }
    }

    /// So many groups of as many entries as `of` says. Behind them a group of two parts of which one is there.
    fn log(groups: usize, of: impl Fn(usize) -> usize, fails: usize) -> (Log, Tail) {
        let (mut items, mut tail, mut first) = (Vec::new(), Tail::default(), 1);
        for number in 0..groups {
            let bodies: Vec<_> = (0..of(number)).map(|one| format!("{{\"n\":{one}}}").into_bytes()).collect();
            let count = bodies.len() as u64;
            let group = Group { writer: "here".to_owned(), first, bodies, ..Group::default() };
            items.extend(group.items(&tail));
            first += count;
            let last = items.last().expect("an item");
            tail = Tail { position: last.position, epoch: last.epoch, hash: last.hash() };
        }
        let mut begun = Group { writer: "there".to_owned(), first, ..Group::default() }.items(&tail);
        begun[0].parts = 2;
        items.extend(begun);
        (Log::new(Arc::new(Kept { items, asked: AtomicUsize::new(0), fails }), "test".to_owned()), tail)
    }

    /// The first entry and the number of entries of each group, in order; where they end, and in how many stretches
    /// they came.
    fn all(log: &Log) -> (Vec<(u64, usize)>, Tail, usize) {
        let (mut reading, mut groups) = (Reading::behind(log, Tail::default()), Vec::new());
        for number in 1.. {
            let stretch = reading.next().expect("a stretch");
            groups.extend(stretch.groups.iter().map(|group| (group.first, group.entries.len())));
            if stretch.is_end {
                assert_eq!(stretch.tail.position, stretch.whole.position + 1);
                return (groups, stretch.whole, number);
            }
        }
        unreachable!("the log has an end")
    }

    #[test]
    fn what_is_read_ahead_comes_in_order_and_whole_also_when_some_of_it_is_not_answered() {
        for groups in [0, 2, 3, 17, 18, 93, 193, 293, 1_000] {
            for fails in [usize::MAX, 3] {
                let of = |number: usize| number % 40;
                let (log, end) = log(groups, of, fails);
                let (found, whole, _) = all(&log);
                let mut first = 1;
                let wanted = (0..groups).map(|number| {
                    let one = (first, of(number));
                    first += of(number) as u64;
                    one
                });
                assert_eq!(found, wanted.collect::<Vec<_>>(), "{groups} groups");
                assert_eq!(whole, end);
            }
        }
    }

    #[test]
    fn much_is_written_in_several_transactions() {
        let (log, _) = log(20, |_| 2_000, usize::MAX);
        let (found, _, stretches) = all(&log);
        assert_eq!((found.len(), stretches), (20, 7));
    }
}
