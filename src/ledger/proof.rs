//! An entry with the proof that it is in a signed tree: it can be checked without the ledger.

use super::note::{Checkpoint, cosigned};
use super::tree::{Frontier, Hash, Leaves, inclusion_proof, leaf, node, root_of};
use super::{LedgerError, Reader};
use base64::Engine;
use base64::engine::general_purpose::STANDARD as BASE64;
use rusqlite::{OptionalExtension, params};
use serde::Serialize;
use std::cell::RefCell;
use std::collections::HashMap;

/// The roots of complete subtrees of so many entries are kept, so that no proof needs all leaves.
pub(super) const SUBTREE: u64 = 4096;

/// The format's name in the file.
pub const FORMAT: &str = "rescind-proof/1";

/// A checkpoint can be over what is there. One that somebody put beside them, over more, is not waited for.
const THERE: &str = "size <= (SELECT coalesce(max(seq), 0) FROM entries)";

/// An entry with the proof that it is in a signed tree.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct EntryProof {
    format: &'static str,
    /// The canonical JSON of the entry, byte for byte.
    entry: String,
    /// Its place in the tree: its number less one.
    index: u64,
    /// The hashes beside the way from its leaf to the root, from the leaf upwards, in base64.
    path: Vec<String>,
    /// The signed note over the tree.
    checkpoint: String,
}

impl Reader {
    /// The oldest checkpoint that has entry `seq` and that a witness cosigned, with the cosignatures; the oldest that has
    /// it where none is cosigned. And its size.
    fn checkpoint_over(&self, seq: i64) -> Result<(u64, String), LedgerError> {
        if let Some(size) = self.first_cosigned_over(seq)?
            && let Some(note) = self.checkpoint_note(size)?
        {
            return Ok((size, cosigned(note, &self.cosignatures(size)?)));
        }
        let sql = "SELECT note FROM checkpoints WHERE size >= ?1 ORDER BY size LIMIT 1";
        let note = self.column(sql, [seq])?.pop();
        let note = note.ok_or_else(|| {
            self.bad(seq, &"no checkpoint covers it yet: `rescind ledger checkpoint` makes one")
        })?;
        let size = Checkpoint::parse(&note).ok_or_else(|| self.bad(seq, &"its checkpoint is damaged"))?.size;
        Ok((size, note))
    }

    /// The latest checkpoint: how many entries it is over, and the note.
    ///
    /// # Errors
    /// When the ledger cannot be read.
    pub fn latest_checkpoint(&self) -> Result<Option<(u64, String)>, LedgerError> {
        let sql = format!("SELECT note FROM checkpoints WHERE {THERE} ORDER BY size DESC LIMIT 1");
        let note = self.column(&sql, [])?.pop();
        Ok(note.and_then(|note| Some((Checkpoint::parse(&note)?.size, note))))
    }

    /// Whether the ledger has made a checkpoint.
    ///
    /// # Errors
    /// When the ledger cannot be read.
    pub fn has_checkpoint(&self, checkpoint: &Checkpoint) -> Result<bool, LedgerError> {
        let size = i64::try_from(checkpoint.size).unwrap_or(i64::MAX);
        let note = self.column("SELECT note FROM checkpoints WHERE size = ?1", [size])?.pop();
        Ok(note.and_then(|note| Checkpoint::parse(&note)).as_ref() == Some(checkpoint))
    }

    /// Number of entries that the latest checkpoint covers, and when it was made.
    ///
    /// # Errors
    /// When the ledger cannot be read.
    pub fn checkpointed(&self) -> Result<Option<(u64, jiff::Timestamp)>, LedgerError> {
        let sql = format!("SELECT size, time FROM checkpoints WHERE {THERE} ORDER BY size DESC LIMIT 1");
        let latest: Option<(i64, String)> = self
            .connection()
            .query_row(&sql, [], |row| Ok((row.get(0)?, row.get(1)?)))
            .optional()
            .map_err(|error| self.sqlite(error))?;
        latest
            .map(|(size, time)| {
                let time = time.parse().map_err(|error: jiff::Error| self.bad(0, &error))?;
                Ok((size.unsigned_abs(), time))
            })
            .transpose()
    }

    /// The proof that entry `seq` is in the tree of the first checkpoint that covers it.
    ///
    /// # Errors
    /// When there is no such entry, when it is in an archive, or when no checkpoint covers it yet.
    pub fn prove(&self, seq: i64) -> Result<EntryProof, LedgerError> {
        self.body(seq)?;
        let (size, checkpoint) = self.checkpoint_over(seq)?;
        self.proof(seq, size, checkpoint, self)
    }

    /// Writes the proofs of many entries, in one tree, a line of JSON each.
    ///
    /// # Errors
    /// When one cannot be proved, or `out` not be written.
    pub fn write_proofs(
        &self,
        seqs: impl IntoIterator<Item = i64>,
        (size, checkpoint): &(u64, String),
        out: &mut dyn std::io::Write,
    ) -> Result<(), ProofsError> {
        let leaves = Remembered::of(self);
        for seq in seqs {
            let proof = self.proof(seq, *size, checkpoint.clone(), &leaves)?;
            serde_json::to_writer(&mut *out, &proof).map_err(std::io::Error::from)?;
            out.write_all(b"\n")?;
        }
        Ok(())
    }

    /// The ways from entries to the root of the tree of the first `size` ones.
    #[must_use]
    pub fn paths(&self, size: u64) -> Paths<'_> {
        Paths { leaves: Remembered::of(self), size }
    }

    fn proof(
        &self,
        seq: i64,
        size: u64,
        checkpoint: String,
        leaves: &impl Leaves<Error = LedgerError>,
    ) -> Result<EntryProof, LedgerError> {
        let index = u64::try_from(seq - 1).map_err(|error| self.bad(seq, &error))?;
        let path = inclusion_proof(leaves, index, size)?;
        let body = self.body(seq)?;
        let signed = Checkpoint::parse(&checkpoint).map(|checkpoint| checkpoint.root);
        if signed != Some(root_of(leaf(&body), index, size, &path)) {
            let why = "it is not the entry that was signed for, or what is kept of the tree was changed: see `rescind ledger verify` and `rescind ledger rebuild`";
            return Err(self.bad(seq, &why));
        }
        Ok(EntryProof {
            format: FORMAT,
            entry: String::from_utf8(body).map_err(|error| self.bad(seq, &error))?,
            index,
            path: path.iter().map(|hash| BASE64.encode(hash)).collect(),
            checkpoint,
        })
    }

    /// Whether an entry was moved to an archive.
    ///
    /// # Errors
    /// When the ledger cannot be read.
    pub fn is_archived(&self, seq: i64) -> Result<bool, LedgerError> {
        let kinds: Vec<String> = self.column("SELECT kind FROM entries WHERE seq = ?1", [seq])?;
        Ok(kinds.iter().any(|kind| kind == "archived"))
    }

    /// The bytes of an entry.
    pub(super) fn body(&self, seq: i64) -> Result<Vec<u8>, LedgerError> {
        let row = self
            .connection()
            .prepare_cached("SELECT kind, body FROM entries WHERE seq = ?1")
            .and_then(|mut s| {
                s.query_row([seq], |row| Ok((row.get::<_, String>(0)?, row.get::<_, Vec<u8>>(1)?))).optional()
            })
            .map_err(|e| self.sqlite(e))?;
        match row {
            None => Err(self.bad(seq, &"there is no such entry")),
            Some((kind, _)) if kind == "archived" => {
                Err(self.bad(seq, &"it was moved to an archive: it and its proof are there"))
            }
            Some((_, body)) => Ok(body),
        }
    }

    fn kept_subtree(&self, number: u64) -> Result<Option<Hash>, LedgerError> {
        let number = i64::try_from(number).unwrap_or(i64::MAX);
        self.connection()
            .prepare_cached("SELECT root FROM subtrees WHERE number = ?1")
            .and_then(|mut s| s.query_row([number], |row| row.get(0)).optional())
            .map_err(|e| self.sqlite(e))
    }
}

impl Leaves for Reader {
    type Error = LedgerError;

    fn each(&self, first: u64, count: u64, take: &mut dyn FnMut(Hash)) -> Result<(), LedgerError> {
        let connection = self.connection();
        let mut statement = connection
            .prepare_cached("SELECT leaf_hash FROM entries WHERE seq > ?1 ORDER BY seq LIMIT ?2")
            .map_err(|e| self.sqlite(e))?;
        let rows = statement
            .query_map(params![i64::try_from(first).ok(), i64::try_from(count).ok()], |row| row.get(0))
            .map_err(|e| self.sqlite(e))?;
        for leaf in rows {
            take(leaf.map_err(|e| self.sqlite(e))?);
        }
        Ok(())
    }

    /// Where whole subtrees are kept, their leaves need not be read.
    fn subtree(&self, first: u64, count: u64) -> Result<Hash, LedgerError> {
        let mut whole = Frontier::default();
        let mut at = first;
        if first.is_multiple_of(SUBTREE) {
            for number in first / SUBTREE..(first + count) / SUBTREE {
                let root = if let Some(root) = self.kept_subtree(number)? {
                    root
                } else {
                    let mut frontier = Frontier::default();
                    self.each(number * SUBTREE, SUBTREE, &mut |leaf| frontier.push(leaf))?;
                    frontier.root()
                };
                whole.push(root);
                at += SUBTREE;
            }
        }
        let mut rest = Frontier::default();
        self.each(at, first + count - at, &mut |leaf| rest.push(leaf))?;
        Ok(whole.root_with(&rest))
    }
}

/// The ways from many entries to one root: what they share is read once.
pub struct Paths<'a> {
    leaves: Remembered<'a, Reader>,
    size: u64,
}

impl Paths<'_> {
    /// The leaf hash of entry `seq`, and the hashes beside its way to the root, from the leaf upwards.
    ///
    /// # Errors
    /// When there is no such entry in the tree, or the ledger cannot be read.
    pub fn of(&self, seq: i64) -> Result<(Hash, Vec<Hash>), LedgerError> {
        let reader = self.leaves.source;
        let index = u64::try_from(seq - 1).map_err(|error| reader.bad(seq, &error))?;
        if index >= self.size {
            return Err(reader.bad(seq, &"no checkpoint covers it yet"));
        }
        let mut leaf = None;
        self.leaves.each(index, 1, &mut |hash| leaf = Some(hash))?;
        let leaf = leaf.ok_or_else(|| reader.bad(seq, &"there is no such entry"))?;
        Ok((leaf, inclusion_proof(&self.leaves, index, self.size)?))
    }
}

/// Maximum number of blocks of [`SUBTREE`] leaves whose hashes are kept, 256 KiB each: the entries of one
/// remediation are in a few of them, and the next remediation's in the same ones.
const BLOCKS: usize = 16;

/// The hashes of one block of leaves: of each, of each pair, and so on up to the root of all.
struct Block {
    number: u64,
    levels: Vec<Vec<Hash>>,
}

impl Block {
    fn of(number: u64, leaves: Vec<Hash>) -> Self {
        let mut levels = vec![leaves];
        while let Some(below) = levels.last().filter(|below| below.len() > 1) {
            let above = below.chunks_exact(2).map(|pair| node(&pair[0], &pair[1])).collect();
            levels.push(above);
        }
        Self { number, levels }
    }

    fn leaves(&self) -> &[Hash] {
        self.levels.first().map_or(&[], Vec::as_slice)
    }

    /// The root over `count` leaves from `start` on; none when they are not all there.
    fn root(&self, start: usize, count: usize) -> Option<Hash> {
        if count.is_power_of_two() && start.is_multiple_of(count) {
            return self.levels.get(count.ilog2() as usize)?.get(start / count).copied();
        }
        if count < 2 || start + count > self.leaves().len() {
            return None;
        }
        let half = 1 << (count - 1).ilog2();
        Some(node(&self.root(start, half)?, &self.root(start + half, count - half)?))
    }
}

/// Leaves for many proofs in the same tree: what they share is read and hashed once.
struct Remembered<'a, L> {
    source: &'a L,
    /// The roots of whole blocks and of more, by their first leaf and how many they have.
    large: RefCell<HashMap<(u64, u64), Hash>>,
    /// The blocks that were used last, the latest first.
    blocks: RefCell<Vec<Block>>,
}

impl<'a, L: Leaves> Remembered<'a, L> {
    fn of(source: &'a L) -> Self {
        Self { source, large: RefCell::default(), blocks: RefCell::default() }
    }

    /// What `look` finds in the block that leaf `first` is in, given the leaf's place there; none when
    /// `count` leaves from there on are not all in it.
    fn in_block<T>(
        &self,
        first: u64,
        count: u64,
        look: impl FnOnce(&Block, usize, usize) -> T,
    ) -> Result<Option<T>, L::Error> {
        let number = first / SUBTREE;
        let (Ok(start), Ok(count)) = (usize::try_from(first % SUBTREE), usize::try_from(count)) else {
            return Ok(None);
        };
        let mut blocks = self.blocks.borrow_mut();
        let block = if let Some(at) = blocks.iter().position(|block| block.number == number) {
            blocks.remove(at)
        } else {
            let mut leaves = Vec::new();
            self.source.each(number * SUBTREE, SUBTREE, &mut |leaf| leaves.push(leaf))?;
            Block::of(number, leaves)
        };
        let found = (start + count <= block.leaves().len()).then(|| look(&block, start, count));
        blocks.truncate(BLOCKS - 1);
        blocks.insert(0, block);
        Ok(found)
    }
}

impl<L: Leaves> Leaves for Remembered<'_, L> {
    type Error = L::Error;

    fn each(&self, first: u64, count: u64, take: &mut dyn FnMut(Hash)) -> Result<(), L::Error> {
        let found = self.in_block(first, count, |block, start, count| {
            block.leaves()[start..start + count].iter().for_each(|leaf| take(*leaf));
        })?;
        if found.is_none() {
            self.source.each(first, count, take)?;
        }
        Ok(())
    }

    fn subtree(&self, first: u64, count: u64) -> Result<Hash, L::Error> {
        if count < SUBTREE
            && let Some(root) = self.in_block(first, count, Block::root)?.flatten()
        {
            return Ok(root);
        }
        if let Some(root) = self.large.borrow().get(&(first, count)) {
            return Ok(*root);
        }
        let root = self.source.subtree(first, count)?;
        self.large.borrow_mut().insert((first, count), root);
        Ok(root)
    }
}

/// Why proofs could not be written.
#[derive(Debug, thiserror::Error)]
pub enum ProofsError {
    /// The ledger cannot be read.
    #[error(transparent)]
    Ledger(#[from] LedgerError),
    /// The file of proofs cannot be written.
    #[error(transparent)]
    Io(#[from] std::io::Error),
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::cell::Cell;
    use std::convert::Infallible;

    /// A tree in memory that counts how many of its leaves were read.
    struct Counted {
        leaves: Vec<Hash>,
        read: Cell<u64>,
    }

    impl Counted {
        fn of(size: u64) -> Self {
            let leaves = (0..size).map(|number| leaf(&number.to_be_bytes())).collect();
            Self { leaves, read: Cell::new(0) }
        }

        fn size(&self) -> u64 {
            self.leaves.len() as u64
        }
    }

    impl Leaves for Counted {
        type Error = Infallible;

        fn each(&self, first: u64, count: u64, take: &mut dyn FnMut(Hash)) -> Result<(), Infallible> {
            let place = |at: u64| usize::try_from(at).expect("it fits");
            let end = place((first + count).min(self.size()));
            for leaf in &self.leaves[place(first)..end] {
                self.read.set(self.read.get() + 1);
                take(*leaf);
            }
            Ok(())
        }
    }

    #[test]
    fn ways_through_remembered_leaves_are_those_of_the_tree() {
        for size in [1, 2, 100, SUBTREE - 1, SUBTREE, SUBTREE + 1, 2 * SUBTREE + 37] {
            let tree = Counted::of(size);
            let remembered = Remembered::of(&tree);
            for index in [0, size / 3, size / 2, size - 1] {
                let Ok(way) = inclusion_proof(&remembered, index, size);
                assert_eq!(Ok(way), inclusion_proof(&tree, index, size), "{index} of {size}");
            }
        }
    }

    /// Remediations that wait for days have entries all over the ledger, in turn with those of others.
    #[test]
    fn entries_all_over_the_ledger_have_each_leaf_read_once() {
        let tree = Counted::of(3 * SUBTREE + 100);
        let remembered = Remembered::of(&tree);
        for number in 0..50 {
            for part in 0..4 {
                let index = (part * SUBTREE + number).min(tree.size() - 1);
                let Ok(way) = inclusion_proof(&remembered, index, tree.size());
                assert!(!way.is_empty());
            }
        }
        // Once for the hashes within its block, and for the roots of one block, of two and of all behind them.
        let read = tree.read.get();
        assert!(read <= 4 * tree.size(), "{read} leaves read, of {}", tree.size());
    }
}
