//! Where the log ends.

/// Where the log ends, as far as somebody has read it.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Tail {
    /// Position of the last item; 0 when there is none.
    pub position: u64,
    /// Its epoch.
    pub epoch: u64,
    /// Its hash, in hexadecimal; empty when there is none.
    pub hash: String,
}
