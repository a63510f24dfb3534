//! `ledger verify`: every entry, the tree over them, and the checkpoints.

use crate::ledger::note::{Checkpoint, PublicKey};
use rusqlite::{Connection, OpenFlags};
use serde_json::Value;
use sha2::{Digest, Sha256};
use std::collections::BTreeMap;
use std::path::Path;

type Hash = [u8; 32];

/// What was found.
#[derive(Debug, Default)]
pub struct Findings {
    /// How many entries there are.
    pub entries: u64,
    /// The root of the tree over them, in hexadecimal.
    pub root: String,
    /// How many checkpoints were checked: those in the ledger, and those that were handed in.
    pub checkpoints: (usize, usize),
    /// The keys that checkpoints may be signed with.
    pub keys: Vec<String>,
    /// The keys are the ledger's own word.
    pub own_word: bool,
    /// What shows that somebody changed it, the first first.
    pub problems: Vec<Problem>,
    /// Remediations whose last step is an intent: not known how it ended.
    pub open_intents: Vec<String>,
}

/// Something that an untouched ledger does not have.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Problem {
    /// The entry, where it is about one.
    pub entry: Option<i64>,
    /// What is wrong.
    pub what: String,
}

/// A tree that is being built: the roots of its complete subtrees, with their heights.
#[derive(Default)]
struct Tree(Vec<(u32, Hash)>);

impl Tree {
    fn push(&mut self, leaf: Hash) {
        let mut top = (0, leaf);
        while let Some((height, left)) = self.0.last()
            && *height == top.0
        {
            top = (top.0 + 1, inner(left, &top.1));
            self.0.pop();
        }
        self.0.push(top);
    }

    fn root(&self) -> Hash {
        let mut peaks = self.0.iter().rev().map(|(_, hash)| *hash);
        let Some(mut root) = peaks.next() else { return Sha256::digest([]).into() };
        for left in peaks {
            root = inner(&left, &root);
        }
        root
    }
}

fn inner(left: &Hash, right: &Hash) -> Hash {
    let mut hash = Sha256::new();
    hash.update([1_u8]);
    hash.update(left);
    hash.update(right);
    hash.finalize().into()
}

/// So many problems are named; more would only be more of the same.
const NAMED: usize = 20;

/// Checks the ledger at `path` against `notes` that were kept elsewhere, signed by `keys` (or, when
/// there are none, by the keys that the ledger itself names). `progress` is told how far it is.
///
/// # Errors
/// When the file cannot be read at all. What is wrong with what is in it is no error but a finding.
pub fn verify(
    path: &Path,
    notes: &[String],
    keys: Vec<PublicKey>,
    progress: &mut dyn FnMut(u64),
) -> rusqlite::Result<Findings> {
    let connection = Connection::open_with_flags(path, OpenFlags::SQLITE_OPEN_READ_ONLY)?;
    let mut check = Check { own_keys: keys.is_empty(), keys, ..Check::default() };
    check.found.own_word = check.own_keys;
    check.triggers(&connection)?;
    check.own_keys(&connection)?;
    check.checkpoints(&connection, notes)?;
    let mut statement = connection.prepare(
        "SELECT seq, time, kind, remediation, finding, account, region, principal, body, leaf_hash FROM entries ORDER BY seq",
    )?;
    let mut rows = statement.query([])?;
    while let Some(row) = rows.next()? {
        let columns: Vec<Option<String>> = (1..8).map(|column| row.get(column)).collect::<Result<_, _>>()?;
        check.entry(row.get(0)?, &columns, &row.get::<_, Vec<u8>>(8)?, &row.get::<_, Vec<u8>>(9)?);
        progress(check.found.entries);
    }
    Ok(check.finish())
}

#[derive(Default)]
struct Check {
    found: Findings,
    tree: Tree,
    keys: Vec<PublicKey>,
    own_keys: bool,
    /// Checkpoints that are yet to be compared, by size; and where each comes from.
    waiting: BTreeMap<u64, Vec<(Checkpoint, String)>>,
    /// The last step of each remediation.
    last: BTreeMap<String, String>,
}

impl Check {
    fn problem(&mut self, entry: Option<i64>, what: impl Into<String>) {
        if self.found.problems.len() < NAMED {
            self.found.problems.push(Problem { entry, what: what.into() });
        }
    }

    /// What keeps the entries from being changed by mistake: who takes it away means to change them.
    fn triggers(&mut self, connection: &Connection) -> rusqlite::Result<()> {
        for name in ["entries_no_update", "entries_no_delete", "entries_in_order"] {
            let sql = "SELECT count(*) FROM sqlite_schema WHERE type = 'trigger' AND name = ?1 AND tbl_name = 'entries'";
            if connection.query_row(sql, [name], |row| row.get::<_, i64>(0))? == 0 {
                self.problem(None, format!("the trigger {name} is gone"));
            }
        }
        Ok(())
    }

    /// The keys that the ledger names, when nobody says which they are.
    fn own_keys(&mut self, connection: &Connection) -> rusqlite::Result<()> {
        if self.own_keys {
            let mut statement =
                connection.prepare("SELECT body FROM entries WHERE kind = 'signing_key' ORDER BY seq")?;
            let bodies = statement.query_map([], |row| row.get::<_, Vec<u8>>(0))?;
            for body in bodies {
                let value: Value = serde_json::from_slice(&body?).unwrap_or_default();
                let key = value["data"]["public_key"].as_str().and_then(|text| PublicKey::parse(text).ok());
                self.keys.extend(key);
            }
        }
        self.found.keys = self.keys.iter().map(ToString::to_string).collect();
        Ok(())
    }

    /// Opens all checkpoints: a signature that is not right is a problem, whatever the entries say.
    fn checkpoints(&mut self, connection: &Connection, notes: &[String]) -> rusqlite::Result<()> {
        let mut statement = connection.prepare("SELECT size, note FROM checkpoints ORDER BY size")?;
        let rows = statement.query_map([], |row| Ok((row.get::<_, i64>(0)?, row.get::<_, String>(1)?)))?;
        let mut all = Vec::new();
        for row in rows {
            let (size, note) = row?;
            all.push((note, format!("the ledger's checkpoint at {size}")));
        }
        self.found.checkpoints = (all.len(), notes.len());
        all.extend(notes.iter().map(|note| (note.clone(), "the checkpoint that was kept".to_owned())));
        for (note, whence) in all {
            let opened: Vec<_> = self.keys.iter().map(|key| key.open(&note)).collect();
            match opened.into_iter().find_map(Result::ok) {
                Some(checkpoint) => {
                    self.waiting.entry(checkpoint.size).or_default().push((checkpoint, whence));
                }
                None => self.problem(None, format!("{whence} is not signed by a key of this ledger")),
            }
        }
        Ok(())
    }

    fn entry(&mut self, seq: i64, columns: &[Option<String>], body: &[u8], stored: &[u8]) {
        self.found.entries += 1;
        let expected = i64::try_from(self.found.entries).unwrap_or(i64::MAX);
        if seq != expected {
            self.problem(Some(seq), format!("entry {expected} is missing, or it is out of order"));
            self.found.entries = u64::try_from(seq).unwrap_or(self.found.entries);
        }
        let mut hash = Sha256::new();
        hash.update([0_u8]);
        hash.update(body);
        let leaf: Hash = hash.finalize().into();
        if leaf[..] != *stored {
            self.problem(Some(seq), "its text is not the one that was hashed when it was written");
        }
        self.tree.push(leaf);
        match serde_json::from_slice::<Value>(body) {
            Ok(value)
                if serde_json_canonicalizer::to_vec(&value).is_ok_and(|canonical| canonical == body) =>
            {
                self.columns(seq, &value, columns);
            }
            _ => self.problem(Some(seq), "its text is not canonical JSON"),
        }
        for (checkpoint, whence) in self.waiting.remove(&self.found.entries).unwrap_or_default() {
            if checkpoint.root != self.tree.root() {
                self.problem(Some(seq), format!("up to here the entries are not those of {whence}"));
            }
        }
    }

    /// The columns, by which entries are found, say the same as the text.
    fn columns(&mut self, seq: i64, value: &Value, columns: &[Option<String>]) {
        if value["seq"].as_i64() != Some(seq) {
            self.problem(Some(seq), "its text is that of another entry");
        }
        let time = |text: Option<&str>| text.and_then(|text| text.parse::<jiff::Timestamp>().ok());
        if time(columns[0].as_deref()).is_none()
            || time(columns[0].as_deref()) != time(value["time"].as_str())
        {
            self.problem(Some(seq), "its time is not the one in its text");
        }
        for (column, name) in
            columns[1..].iter().zip(["kind", "remediation", "finding", "account", "region", "principal"])
        {
            if column.as_deref() != value[name].as_str() {
                self.problem(Some(seq), format!("its {name} is not the one in its text"));
            }
        }
        if let (Some(id), Some(kind)) = (value["remediation"].as_str(), value["kind"].as_str())
            && kind != "call"
        {
            self.last.insert(id.to_owned(), kind.to_owned());
        }
    }

    fn finish(mut self) -> Findings {
        let entries = self.found.entries;
        for (size, checkpoints) in std::mem::take(&mut self.waiting) {
            for (_, whence) in checkpoints {
                let what = if size > entries {
                    format!("its end is cut off: {whence} is over {size} entries, and there are {entries}")
                } else {
                    format!("there is no entry {size}, and {whence} is over it")
                };
                self.problem(None, what);
            }
        }
        self.found.root = crate::digest::hex(&self.tree.root());
        self.found.open_intents =
            self.last.into_iter().filter(|(_, kind)| kind == "intent").map(|(id, _)| id).collect();
        self.found
    }
}
