//! How a finding came in.

use crate::ident::{Region, quoted};
use serde::{Deserialize, Serialize};
use std::fmt;

/// How a finding came in.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(tag = "feed", rename_all = "snake_case")]
pub enum Origin {
    /// A poll of GuardDuty in a region.
    Poll {
        /// The region that was polled.
        region: Region,
    },
    /// An event from an SQS queue.
    Queue {
        /// The name of the queue.
        queue: String,
    },
    /// An export in the watched folder.
    Folder {
        /// The file's path within the folder.
        file: String,
    },
    /// A file, or standard input, that a person handed in.
    File {
        /// The file's name, or `-` for standard input.
        file: String,
    },
    /// CloudTrail shows that it was opened or made with stolen credentials.
    Pursuit {
        /// The remediation of those credentials.
        remediation: String,
    },
    /// A person ordered it.
    Order {
        /// Their name, as they say.
        by: String,
    },
    /// The finding that a drill makes of its own theft.
    Drill,
    /// An earlier process recorded it and did not decide.
    Resumed,
    /// This process recorded it and did not decide.
    Swept,
    /// No rule was for it when it came, and one is now.
    Ruled,
    /// It was only observed, and a person asked to act on it.
    Observed,
}

impl Origin {
    /// The name of its kind, as in JSON and in metrics.
    #[must_use]
    pub fn name(&self) -> &'static str {
        match self {
            Self::Poll { .. } => "poll",
            Self::Queue { .. } => "queue",
            Self::Folder { .. } => "folder",
            Self::File { .. } => "file",
            Self::Pursuit { .. } => "pursuit",
            Self::Order { .. } => "order",
            Self::Drill => "drill",
            Self::Resumed => "resumed",
            Self::Swept => "swept",
            Self::Ruled => "ruled",
            Self::Observed => "observed",
        }
    }

    /// A person asked for it: what was decided before is decided again, where that can change.
    #[must_use]
    pub fn is_asked(&self) -> bool {
        matches!(self, Self::File { .. } | Self::Order { .. } | Self::Drill | Self::Observed)
    }
}

impl fmt::Display for Origin {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Poll { region } => write!(f, "GuardDuty {region}"),
            Self::Queue { queue } => write!(f, "SQS {queue}"),
            Self::Folder { file } => write!(f, "folder {file}"),
            Self::File { file } if file == "-" => f.write_str("standard input"),
            Self::File { file } => write!(f, "file {file}"),
            Self::Pursuit { remediation } => write!(f, "CloudTrail, after {remediation}"),
            Self::Order { by } => write!(f, "order of {}", quoted(by)),
            Self::Drill | Self::Resumed | Self::Swept | Self::Ruled | Self::Observed => {
                f.write_str(self.name())
            }
        }
    }
}
