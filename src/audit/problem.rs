//! A problem that an audit found.

/// Something that an untouched ledger does not have.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Problem {
    /// The entry, where it is about one.
    pub entry: Option<i64>,
    /// What is wrong, as it is printed.
    pub what: String,
}

/// Maximum number of problems that are listed; the others are counted.
pub(super) const NAMED: usize = 20;
