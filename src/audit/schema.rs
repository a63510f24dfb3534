//! Whether the file's tables are those that rescind makes, before anything in them is believed.

use rusqlite::Connection;
use std::collections::BTreeSet;

/// What each version of the schema adds.
const VERSIONS: [&str; 4] = [
    include_str!("../../migrations/01-ledger/up.sql"),
    include_str!("../../migrations/02-archive/up.sql"),
    include_str!("../../migrations/03-channels/up.sql"),
    include_str!("../../migrations/04-findings/up.sql"),
];

/// The tables that are evidence, and what keeps them from being changed by mistake.
const NEEDED: [(&str, &str); 5] = [
    ("table", "entries"),
    ("table", "checkpoints"),
    ("trigger", "entries_no_update"),
    ("trigger", "entries_no_delete"),
    ("trigger", "entries_in_order"),
];

/// What is not as it was made.
pub struct Schema {
    /// In words.
    pub problems: Vec<String>,
    /// The entries and checkpoints are tables of ours: they can be looked at.
    pub is_readable: bool,
}

/// Why it cannot be judged at all.
#[derive(Debug)]
pub enum Unknown {
    /// Not a ledger of rescind.
    Foreign,
    /// Of a version that is yet to come.
    Newer(i64),
}

impl Schema {
    /// Compares the file's schema with the one of its version. A trigger, a view or an index that is not
    /// ours could change or show what it likes.
    pub fn check(connection: &Connection) -> rusqlite::Result<Result<Self, Unknown>> {
        let number = |name| connection.pragma_query_value(None, name, |row| row.get::<_, i64>(0));
        if number("application_id")? != 0x5253_4344 {
            return Ok(Err(Unknown::Foreign));
        }
        let version = number("user_version")?;
        if usize::try_from(version).is_ok_and(|version| version > VERSIONS.len()) {
            return Ok(Err(Unknown::Newer(version)));
        }
        let mut problems = Vec::new();
        let mut there = BTreeSet::new();
        let mut statement = connection.prepare("SELECT type, name, sql FROM sqlite_schema")?;
        let mut rows = statement.query([])?;
        while let Some(row) = rows.next()? {
            let (kind, name): (String, String) = (row.get(0)?, row.get(1)?);
            let sql: Option<String> = row.get(2)?;
            // SQLite's own indexes for primary keys have no text.
            let own = kind == "index" && name.starts_with("sqlite_autoindex_");
            let ours = sql.is_some_and(|sql| {
                !sql.is_empty()
                    && sql.contains(&name)
                    && VERSIONS.iter().any(|version| version.contains(&sql))
            });
            if ours || own {
                there.insert((kind, name));
            } else {
                problems.push(format!("the {kind} {name} is not one that rescind made"));
            }
        }
        let is_there = |kind: &str, name: &str| there.contains(&(kind.to_owned(), name.to_owned()));
        for (kind, name) in NEEDED {
            if !is_there(kind, name) {
                problems.push(format!("the {kind} {name} is gone"));
            }
        }
        let is_readable = is_there("table", "entries") && is_there("table", "checkpoints");
        Ok(Ok(Self { problems, is_readable }))
    }
}
