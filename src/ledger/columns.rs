//! States and rungs as SQL columns, by their names.

use crate::remediation::{Rung, State};
use rusqlite::types::{FromSql, FromSqlError, FromSqlResult, ToSql, ToSqlOutput, ValueRef};
use std::str::FromStr;

fn named<T: FromStr<Err: std::error::Error + Send + Sync + 'static>>(
    value: ValueRef<'_>,
) -> FromSqlResult<T> {
    value.as_str()?.parse().map_err(|error| FromSqlError::Other(Box::new(error)))
}

impl FromSql for State {
    fn column_result(value: ValueRef<'_>) -> FromSqlResult<Self> {
        named(value)
    }
}

impl ToSql for State {
    fn to_sql(&self) -> rusqlite::Result<ToSqlOutput<'_>> {
        Ok(self.to_string().into())
    }
}

impl FromSql for Rung {
    fn column_result(value: ValueRef<'_>) -> FromSqlResult<Self> {
        named(value)
    }
}

impl ToSql for Rung {
    fn to_sql(&self) -> rusqlite::Result<ToSqlOutput<'_>> {
        Ok(self.to_string().into())
    }
}

/// The states that `wanted` names, as a list in SQL.
pub(super) fn states(wanted: impl Fn(State) -> bool) -> String {
    let names: Vec<String> =
        State::all().iter().filter(|state| wanted(**state)).map(|state| format!("'{state}'")).collect();
    format!("({})", names.join(","))
}
