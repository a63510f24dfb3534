//! The structure of the file: its schema, and whether each index matches its table.

use super::file::LedgerFile;
use super::problem::NAMED;
use super::schema::Schema;
use super::unreadable::Unreadable;
use rusqlite::Connection;
use std::path::Path;

/// What is wrong with how a ledger's file is built.
#[derive(Debug, Clone, Default)]
pub struct Structure {
    /// Tables, indexes, triggers and views that are not those that rescind makes.
    pub schema: Vec<String>,
    /// Pages, indexes and rows that SQLite's own check finds fault with. An index that lacks a row hides it
    /// from whoever looks it up.
    pub integrity: Vec<String>,
}

impl Structure {
    /// Looks at the ledger at `path`, and not at what its entries say.
    ///
    /// # Errors
    /// When the file cannot be judged at all.
    pub fn of(path: &Path) -> Result<Self, Unreadable> {
        let connection = LedgerFile::new(path).open()?;
        let schema = Schema::check(&connection)?.map_err(Unreadable::from)?.problems;
        Ok(Self { schema, integrity: integrity(&connection)? })
    }

    /// All that is wrong.
    pub fn problems(&self) -> impl Iterator<Item = &str> {
        self.schema.iter().chain(&self.integrity).map(String::as_str)
    }
}

/// What SQLite's integrity check reports.
pub fn integrity(connection: &Connection) -> rusqlite::Result<Vec<String>> {
    let mut statement = connection.prepare(&format!("PRAGMA integrity_check({NAMED})"))?;
    let rows = statement.query_map([], |row| row.get::<_, String>(0))?;
    let mut problems = Vec::new();
    for row in rows {
        let text = row?;
        if text != "ok" {
            problems.push(format!("the file was damaged, or changed by another program: {}", text.trim()));
        }
    }
    Ok(problems)
}
