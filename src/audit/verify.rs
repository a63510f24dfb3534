//! `ledger verify`: every entry, the tree over them, and the checkpoints.

use super::archives::Archives;
use super::chunk::{CHUNK, Chunk};
use super::cosigned::{CosignedBy, Cosigners, Keys};
use super::file::LedgerFile;
use super::lifecycle::Lives;
use super::problem::{NAMED, Problem};
use super::schema::Schema;
use super::structure::integrity;
use super::tree::Tree;
use super::trust::{Note, Trust, Worth};
use super::unreadable::Unreadable;
use crate::ledger::note::Checkpoint;
use rusqlite::Connection;
use std::collections::{BTreeMap, BTreeSet};
use std::path::Path;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::mpsc::{Receiver, SyncSender, sync_channel};

/// What a verification found.
#[derive(Debug, Default)]
pub struct Findings {
    /// How many entries there are.
    pub entries: u64,
    /// How many of them are in archives: of those the leaf hashes are left.
    pub archived: u64,
    /// The root of the tree over them, in hexadecimal.
    pub root: String,
    /// Number of entries, from the first, that a trusted key has signed.
    pub signed: u64,
    /// Number of checkpoints that are signed by keys before the trusted ones. They are not checked.
    pub earlier: usize,
    /// How many checkpoints were checked: those in the ledger, and those that were kept elsewhere.
    pub checkpoints: (usize, usize),
    /// The checkpoints' files beside the ledger that were checked, too.
    pub beside: Vec<String>,
    /// The file is in WAL mode and no write-ahead log lies beside it: it may have been copied without one, and its
    /// last entries may be missing.
    pub may_lack_log: bool,
    /// The keys that checkpoints may be signed with.
    pub keys: Vec<String>,
    /// The keys were taken from the ledger itself.
    pub own_word: bool,
    /// Entries that introduce a key that no earlier key signed.
    pub unendorsed: Vec<u64>,
    /// What each witness cosigned whose key was given.
    pub cosigners: Vec<CosignedBy>,
    /// What shows that somebody changed it, the first first.
    pub problems: Vec<Problem>,
    /// How many more there are than are named.
    pub more_problems: u64,
    /// What stands at the witness and says nothing of this ledger: no key that was given has signed it, or it is no
    /// checkpoint at all.
    pub foreign: Vec<String>,
    /// The first entry that is not as it was written.
    pub first_bad: Option<i64>,
    /// Remediations whose change is neither accepted nor known not to be.
    pub open_intents: Vec<String>,
}

impl Findings {
    fn problem(&mut self, entry: Option<i64>, what: impl Into<String>) {
        self.first_bad = [self.first_bad, entry].into_iter().flatten().min();
        if self.problems.len() < NAMED {
            self.problems.push(Problem { entry, what: what.into() });
        } else {
            self.more_problems += 1;
        }
    }
}

/// A checkpoint that was kept outside of the ledger.
#[derive(Debug)]
pub struct Kept {
    /// Where it was found.
    pub name: String,
    /// The checkpoint itself: a signed note.
    pub note: String,
    /// Who keeps it.
    pub place: Place,
}

/// Who keeps a checkpoint that is not in the ledger.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Place {
    /// Whoever hands it in.
    Given,
    /// It lies beside the ledger, where whoever can write the one can write the other.
    Beside,
    /// A witness, where somebody who may put objects can put others beside it.
    Witness,
}

/// Checks the ledger at `path` against checkpoints that were kept elsewhere, signed by `keys` or by
/// keys that they signed for (or, when there are none, by those that the ledger itself names), and cosigned by their
/// witnesses.
/// `progress` receives the number of entries checked so far, and their total.
///
/// # Errors
/// When the file cannot be judged at all. What is wrong with what is in it is no error but a finding.
pub fn verify(
    path: &Path,
    kept: &[Kept],
    keys: Keys,
    progress: &mut dyn FnMut(u64, u64),
) -> Result<Findings, Unreadable> {
    let mut file = LedgerFile::new(path);
    for _ in 0..TRIES {
        let before = file.last();
        let found = check(&file, kept, keys.clone(), progress);
        // Somebody wrote meanwhile, and what was read may be of two moments.
        if file.was_disturbed() {
            file = file.shared();
            continue;
        }
        if found.as_ref().is_ok_and(|found| found.problems.is_empty()) || before == file.last() {
            return found;
        }
    }
    check(&file, kept, keys, progress)
}

/// Maximum number of attempts at a ledger that changes while it is read.
const TRIES: usize = 4;

fn check(
    file: &LedgerFile,
    kept: &[Kept],
    keys: Keys,
    progress: &mut dyn FnMut(u64, u64),
) -> Result<Findings, Unreadable> {
    let connection = file.open()?;
    let mut found = Findings::default();
    let schema = Schema::check(&connection)?.map_err(Unreadable::from)?;
    found.may_lack_log = file.may_lack_log();
    for what in schema.problems {
        found.problem(None, what);
    }
    if !schema.is_readable {
        return Ok(found);
    }
    let extent = Extent::of(&connection, &mut found)?;
    let notes = notes(&connection, kept)?;
    let (own, beside) = (notes.len() - kept.len(), kept.iter().filter(|kept| kept.place == Place::Beside));
    found.beside = beside.map(|kept| kept.name.clone()).collect();
    found.checkpoints = (own, kept.len() - found.beside.len());
    let trust = Trust::find(&connection, keys.signers)?;
    let mut cosigners = Cosigners::find(&connection, keys.cosigners, &trust.keys)?;
    found.keys = trust.keys.iter().map(ToString::to_string).collect();
    found.own_word = trust.own_word;
    found.unendorsed.clone_from(&trust.unendorsed);
    let mut waiting: BTreeMap<u64, Vec<(Checkpoint, String)>> = BTreeMap::new();
    let (mut all, mut unsigned) = (BTreeSet::new(), Vec::new());
    for (number, note) in notes.into_iter().enumerate() {
        let cosigned = cosigners.on(&note.text).unwrap_or_else(|error| {
            found.problem(None, format!("{}: {error}", note.whence));
            None
        });
        match trust.weigh(&note.text) {
            Worth::Signed(checkpoint) => {
                if note.column.is_some_and(|column| u64::try_from(column) != Ok(checkpoint.size)) {
                    found.problem(None, format!("{} covers {} entries", note.whence, checkpoint.size));
                }
                if i64::try_from(checkpoint.size).is_ok_and(|size| size <= extent.last) {
                    found.signed = found.signed.max(checkpoint.size);
                    if number >= own && !all.contains(&checkpoint.size) {
                        found.problem(
                            None,
                            format!(
                                "the checkpoint at entry {} was removed from the ledger",
                                checkpoint.size
                            ),
                        );
                    }
                }
                all.insert(checkpoint.size);
                waiting.entry(checkpoint.size).or_default().push((checkpoint, note.whence));
            }
            Worth::Earlier => {
                found.earlier += 1;
                if let Some(checkpoint) = cosigned {
                    waiting.entry(checkpoint.size).or_default().push((checkpoint, note.whence.clone()));
                }
            }
            Worth::Nothing => match number.checked_sub(own).map(|number| &kept[number]) {
                // Whoever may put objects can put such ones, and nobody can take them away. Without a key that was given
                // it cannot be said which of them is somebody's, and which shows that the ledger was written anew.
                Some(kept)
                    if kept.place == Place::Witness
                        && (!found.own_word || Checkpoint::parse(&kept.note).is_none()) =>
                {
                    found.foreign.push(kept.name.clone());
                }
                Some(kept) if kept.place == Place::Witness => unsigned.push(note.whence),
                _ => found.problem(None, format!("{} is not signed by a key of this ledger", note.whence)),
            },
        }
    }
    if found.signed == 0 && !found.own_word {
        found.problem(None, "no checkpoint is signed by a key given with --public-key");
    }
    drop(connection);
    let (tree, lives, archives) = Default::default();
    let mut check = Check { found, trust, tree, lives, archives, waiting, cosigners };
    check.entries(file, &extent, progress)?;
    let mut found = check.finish(extent.last);
    // However many there are, they hide nothing.
    for whence in unsigned {
        found.problem(None, format!("{whence} is not signed by a key of this ledger: with --public-key it shows whether somebody put it there, or the ledger was written anew"));
    }
    Ok(found)
}

/// The ledger's own checkpoints, and then those that were kept.
fn notes(connection: &Connection, kept: &[Kept]) -> rusqlite::Result<Vec<Note>> {
    let mut statement = connection.prepare("SELECT size, note FROM checkpoints ORDER BY size")?;
    let own = statement.query_map([], |row| {
        let (size, text): (i64, String) = (row.get(0)?, row.get(1)?);
        Ok(Note { text, whence: format!("the ledger's checkpoint at {size}"), column: Some(size) })
    })?;
    let mut all = own.collect::<Result<Vec<_>, _>>()?;
    all.extend(kept.iter().map(|kept| {
        let whence = if kept.place == Place::Beside {
            format!("the checkpoint beside the ledger in {}", kept.name)
        } else {
            format!("the checkpoint in {}", kept.name)
        };
        Note { text: kept.note.clone(), whence, column: None }
    }));
    Ok(all)
}

/// Which entries there are.
struct Extent {
    /// The number of the last one.
    last: i64,
    /// The chunks that have any.
    chunks: Vec<i64>,
}

impl Extent {
    fn of(connection: &Connection, found: &mut Findings) -> rusqlite::Result<Self> {
        let (count, first, last): (i64, i64, i64) = connection.query_row(
            "SELECT count(*), coalesce(min(seq), 1), coalesce(max(seq), 0) FROM entries",
            [],
            |row| Ok((row.get(0)?, row.get(1)?, row.get(2)?)),
        )?;
        if first < 1 {
            found.problem(Some(first), "entry numbers begin with 1");
        }
        if count == last {
            return Ok(Self {
                last,
                chunks: (0..=last / CHUNK).filter(|index| index * CHUNK < last).collect(),
            });
        }
        // With entries missing the numbers may be anything: only those that are there are looked at.
        let mut statement =
            connection.prepare("SELECT DISTINCT (seq - 1) / 4096 FROM entries WHERE seq > 0 ORDER BY 1")?;
        let chunks = statement.query_map([], |row| row.get(0))?.collect::<Result<_, _>>()?;
        Ok(Self { last, chunks })
    }
}

struct Check {
    found: Findings,
    trust: Trust,
    tree: Tree,
    lives: Lives,
    archives: Archives,
    /// Checkpoints that are yet to be compared, by size.
    waiting: BTreeMap<u64, Vec<(Checkpoint, String)>>,
    cosigners: Cosigners,
}

impl Check {
    /// Checks the chunks side by side, and takes them up in order.
    fn entries(
        &mut self,
        file: &LedgerFile,
        extent: &Extent,
        progress: &mut dyn FnMut(u64, u64),
    ) -> rusqlite::Result<()> {
        let workers = std::thread::available_parallelism().map_or(1, usize::from).min(8);
        let sizes: BTreeSet<u64> = self.waiting.keys().copied().chain(self.cosigners.sizes()).collect();
        let next = AtomicUsize::new(0);
        let connections = (0..workers).map(|_| file.open()).collect::<Result<Vec<_>, _>>()?;
        let whole = file.open()?;
        let integrity = std::thread::scope(|scope| {
            let integrity = scope.spawn(move || integrity(&whole));
            let (give, take) = sync_channel(workers * 2);
            for connection in connections {
                let (give, next, sizes) = (give.clone(), &next, &sizes);
                scope.spawn(move || work(&connection, extent, sizes, next, &give));
            }
            drop(give);
            self.take_up(&take, extent, progress);
            integrity.join()
        });
        let problems = match integrity {
            Ok(Ok(problems)) => problems,
            Ok(Err(error)) => vec![format!("the file cannot be read to its end: {error}")],
            Err(_) => vec!["SQLite's integrity check did not finish".to_owned()],
        };
        for what in problems {
            self.found.problem(None, what);
        }
        Ok(())
    }

    fn take_up(
        &mut self,
        take: &Receiver<(usize, Chunk)>,
        extent: &Extent,
        progress: &mut dyn FnMut(u64, u64),
    ) {
        let (mut early, mut next, mut before) = (BTreeMap::new(), 0, 0);
        let total = u64::try_from(extent.last).unwrap_or(0);
        for (number, chunk) in take {
            early.insert(number, chunk);
            while let Some(chunk) = early.remove(&next) {
                let index = extent.chunks[next];
                if index > before {
                    let (first, last) = (before * CHUNK + 1, index.saturating_mul(CHUNK));
                    self.found.problem(Some(first), format!("entries {first} to {last} are missing"));
                }
                (before, next) = (index + 1, next + 1);
                self.chunk(chunk);
                progress(self.found.entries, total);
            }
        }
    }

    fn chunk(&mut self, chunk: Chunk) {
        self.found.entries += chunk.entries;
        for problem in chunk.problems {
            self.found.problem(problem.entry, problem.what);
        }
        self.found.more_problems += chunk.more_problems;
        for step in chunk.steps {
            let seq = step.seq;
            if let Err(what) = self.lives.step(step) {
                self.found.problem(Some(seq), what.to_string());
            }
        }
        for (archive, seq, time) in chunk.archived {
            self.archives.gone(archive, seq, &time);
        }
        for (archive, said) in chunk.archives {
            let is_claimed =
                u64::try_from(archive).is_ok_and(|seq| self.trust.claims(seq, &said.claim, &said.signed));
            if !is_claimed {
                let what = "it says that entries were archived, but no trusted key signed it";
                self.found.problem(Some(archive), what);
            }
            self.archives.said(archive, said.count, said.left_sha256);
        }
        for (size, tree) in chunk.at {
            let mut whole = self.tree.clone();
            whole.append(&tree);
            let root = whole.root();
            for (checkpoint, whence) in self.waiting.remove(&size).unwrap_or_default() {
                if checkpoint.root != root {
                    let seq = i64::try_from(size).ok();
                    self.found.problem(seq, format!("the entries up to here do not match {whence}"));
                }
            }
            for (seq, what) in self.cosigners.at(size, root) {
                self.found.problem(Some(seq), what);
            }
        }
        self.tree.append(&chunk.tree);
    }

    /// What else looks like an end that was cut off.
    fn like_a_copy(&self) -> &'static str {
        if self.found.may_lack_log {
            ". A copy that was made without the -wal file looks the same"
        } else {
            ""
        }
    }

    fn finish(mut self, last: i64) -> Findings {
        for (size, checkpoints) in std::mem::take(&mut self.waiting) {
            for (_, whence) in checkpoints {
                let what = if i64::try_from(size).is_ok_and(|size| size <= last) {
                    format!("entry {size} is missing, but {whence} covers it")
                } else {
                    format!(
                        "the end was cut off: {whence} covers {size} entries, but the last one is {last}{}",
                        self.like_a_copy()
                    )
                };
                self.found.problem(None, what);
            }
        }
        let (cosigners, beyond) = std::mem::take(&mut self.cosigners).finish(last);
        self.found.cosigners = cosigners;
        for (seq, what) in beyond {
            self.found.problem(Some(seq), what);
        }
        self.found.archived = self.archives.count();
        for (seq, what) in self.archives.problems(self.found.signed) {
            self.found.problem(Some(seq), what);
        }
        self.found.root = crate::digest::hex(&self.tree.root());
        self.found.open_intents = self.lives.open();
        self.found
    }
}

fn work(
    connection: &Connection,
    extent: &Extent,
    sizes: &BTreeSet<u64>,
    next: &AtomicUsize,
    give: &SyncSender<(usize, Chunk)>,
) {
    loop {
        let number = next.fetch_add(1, Ordering::Relaxed);
        let Some(index) = extent.chunks.get(number) else { return };
        let chunk = Chunk::check(connection, *index, extent.last, sizes);
        if give.send((number, chunk)).is_err() {
            return;
        }
    }
}
