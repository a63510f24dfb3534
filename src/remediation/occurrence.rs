//! What is seen only once, and what is counted of it.

use super::Event;

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
            // What a person hands in is told to him, however often it was. Of the folder it is the file's:
            // where it breaks off, two files can be alike.
            Self::Undecodable { source, .. } if source.starts_with("file ") => None,
            Self::Undecodable { source, undecodable } if source.starts_with("folder ") => {
                Some(format!("sha256:{}:{source}:{}", undecodable.sha256, undecodable.path))
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
