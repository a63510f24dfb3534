//! Checks that the file has exactly the schema that rescind creates, before anything in it is trusted.

use rusqlite::Connection;

/// What each version of the schema adds.
const VERSIONS: [&str; 1] = [include_str!("../../migrations/01-ledger/up.sql")];

/// The application id of a ledger: `RSCD`.
const APPLICATION_ID: i64 = 0x5253_4344;

/// What is not as it was made.
pub struct Schema {
    pub problems: Vec<String>,
    /// The entries and checkpoints are tables of ours: they can be looked at.
    pub is_readable: bool,
}

/// Why it cannot be judged at all.
#[derive(Debug)]
pub enum Unknown {
    /// Not a ledger of rescind.
    Foreign,
    /// There is nothing in it.
    Empty,
    /// Of a version that is yet to come.
    Newer(i64),
}

/// A table, an index, a trigger or a view, as SQLite keeps it.
#[derive(PartialEq, Eq)]
struct Made {
    kind: String,
    name: String,
    table: String,
    /// SQLite's own indexes for primary keys have none.
    sql: Option<String>,
}

impl Made {
    fn all(connection: &Connection) -> rusqlite::Result<Vec<Self>> {
        let mut statement = connection.prepare("SELECT type, name, tbl_name, sql FROM sqlite_schema")?;
        let rows = statement.query_map([], |row| {
            Ok(Self { kind: row.get(0)?, name: row.get(1)?, table: row.get(2)?, sql: row.get(3)? })
        })?;
        rows.collect()
    }

    /// What the migrations up to this version make.
    fn wanted(version: i64) -> rusqlite::Result<Vec<Self>> {
        let fresh = Connection::open_in_memory()?;
        for step in VERSIONS.iter().take(usize::try_from(version).unwrap_or(0)) {
            fresh.execute_batch(step)?;
        }
        Self::all(&fresh)
    }
}

impl Schema {
    /// Compares the file's schema with the one that the migrations of its version make. A trigger, a view or
    /// an index that is not ours could change or show what it likes.
    pub fn check(connection: &Connection) -> rusqlite::Result<Result<Self, Unknown>> {
        let number = |name| connection.pragma_query_value(None, name, |row| row.get::<_, i64>(0));
        let mut there = Made::all(connection)?;
        if number("application_id")? != APPLICATION_ID {
            return Ok(Err(if there.is_empty() { Unknown::Empty } else { Unknown::Foreign }));
        }
        let version = number("user_version")?;
        if usize::try_from(version).is_ok_and(|version| version > VERSIONS.len()) {
            return Ok(Err(Unknown::Newer(version)));
        }
        let mut problems = Vec::new();
        if version < 1 {
            problems.push(format!("its user_version is {version}, and rescind writes none below 1"));
        }
        let mut missing = Made::wanted(version)?;
        let mut is_readable = ["entries", "checkpoints"]
            .iter()
            .all(|name| missing.iter().any(|one| one.kind == "table" && one.name == *name));
        there.retain(|one| match missing.iter().position(|wanted| wanted == one) {
            Some(found) => {
                missing.swap_remove(found);
                false
            }
            None => true,
        });
        for Made { kind, name, .. } in &there {
            problems.push(format!("the {kind} {name} was added or changed"));
        }
        for Made { kind, name, .. } in &missing {
            is_readable &= !(kind == "table" && matches!(name.as_str(), "entries" | "checkpoints"));
            if !there.iter().any(|one| one.kind == *kind && one.name == *name) {
                problems.push(format!("the {kind} {name} is missing"));
            }
        }
        Ok(Ok(Self { problems, is_readable }))
    }
}
