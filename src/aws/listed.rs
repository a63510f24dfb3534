//! The result of a list call, up to a maximum number of items.

/// Things that were listed, and what is missing among them.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Listed<T> {
    /// What was found, in the order in which AWS gave it.
    pub items: Vec<T>,
    /// There are more: the list was not read to its end.
    pub cut_short: bool,
    /// How many could not be read, and are left out.
    pub unreadable: usize,
}

impl<T> Listed<T> {
    pub(super) fn new() -> Self {
        Self { items: Vec::new(), cut_short: false, unreadable: 0 }
    }
}
