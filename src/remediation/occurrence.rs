//! The key by which an occurrence is recorded only once, and what is counted of repeats.

use super::{Event, Origin};

impl Event {
    /// What makes a file the same one, under whatever name.
    #[must_use]
    pub fn file_occurrence(sha256: &str) -> String {
        format!("file:{sha256}")
    }

    /// What is seen only once: a finding's occurrence, or what stands for it when there is none.
    #[must_use]
    pub fn occurrence(&self) -> Option<String> {
        match self {
            Self::Finding { finding, .. } => Some(finding.occurrence()),
            // A person who hands it in again is answered again.
            Self::Undecodable { origin: Origin::File { .. }, .. } => None,
            // Two files that break off early can be alike, so the file is a part of it.
            Self::Undecodable { origin: Origin::Folder { file }, undecodable } => {
                Some(format!("sha256:{}:{file}:{}", undecodable.sha256, undecodable.path))
            }
            Self::Undecodable { undecodable, .. } => Some(format!("sha256:{}", undecodable.sha256)),
            Self::FileRead { sha256, .. } => Some(Self::file_occurrence(sha256)),
            // The actors of a sequence come in the same message with the same hash.
            Self::Unconfirmed { item, claim, .. } if claim.actor => {
                Some(format!("unconfirmed:{item}:{}:{}", claim.sha256, claim.occurrence()))
            }
            Self::Unconfirmed { item, claim, .. } => Some(format!("unconfirmed:{item}:{}", claim.sha256)),
            _ => None,
        }
    }

    /// What its occurrence counts as at once: there is nothing to decide about what is no finding.
    #[must_use]
    pub fn verdict_at_once(&self) -> Option<&'static str> {
        match self {
            Self::Undecodable { .. } => Some("undecodable"),
            Self::Unconfirmed { .. } => Some("unconfirmed"),
            Self::FileRead { .. } => Some("file"),
            _ => None,
        }
    }
}
