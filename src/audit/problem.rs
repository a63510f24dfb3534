//! What an audit finds fault with.

/// Something that an untouched ledger does not have.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Problem {
    /// The entry, where it is about one.
    pub entry: Option<i64>,
    /// What is wrong.
    pub what: String,
}

/// So many problems are named; more would only be more of the same.
pub(super) const NAMED: usize = 20;
