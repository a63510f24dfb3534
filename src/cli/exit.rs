//! Exit codes. They are part of the interface: docs/exit-codes.md.

use super::hub::error::HubError;
use super::ledger::Unread;
use crate::config::ConfigError;
use crate::desk::DeskError;
use crate::ledger::LedgerError;
use crate::notify::NotifierError;
use crate::service::ServiceError;
use std::process::ExitCode;

/// How a command ended.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Exit {
    /// 0: done, and nothing needs attention.
    Done,
    /// 1: an error that has no code of its own.
    Internal,
    /// 2: the command line, the configuration or the input is wrong; nothing was changed.
    Usage,
    /// 3: the hub's AWS cannot be used: credentials, permissions, network.
    Aws,
    /// 4: the ledger cannot be used.
    Ledger,
    /// 5: done as far as it went, but something needs attention: see the output.
    NeedsPerson,
    /// 6: the ledger is not as it was written.
    Tampered,
    /// 7: nothing is wrong, and something would be done: `plan --detailed-exitcode`.
    Planned,
    /// 130: interrupted before everything was done. The next start continues.
    Interrupted,
}

/// The exit codes, as shown below `--help`.
pub const HELP: &str = "\
Exit codes:
  0    done, and nothing needs attention
  1    unexpected error
  2    wrong command line, configuration or input; nothing was changed
  3    the hub's AWS cannot be used: credentials, permissions, network
  4    the ledger cannot be used
  5    done as far as it went, but something needs attention
  6    the ledger was tampered with
  7    `plan --detailed-exitcode`: something would be revoked or held
  130  interrupted before all was done; the next start continues";

impl Exit {
    /// The code for an error.
    #[must_use]
    pub fn of(error: &anyhow::Error) -> Self {
        if error.is::<ConfigError>() || error.is::<BadInput>() {
            Self::Usage
        } else if error.is::<Unread>() {
            Self::Aws
        } else if let Some(error) = error.downcast_ref::<LedgerError>() {
            Self::of_ledger(error)
        } else if let Some(error) = error.downcast_ref::<DeskError>() {
            Self::of_desk(error)
        } else if let Some(error) = error.downcast_ref::<HubError>() {
            Self::of_hub(error)
        } else {
            error.downcast_ref::<ServiceError>().map_or(Self::Internal, Self::of_service)
        }
    }

    fn of_service(error: &ServiceError) -> Self {
        match error {
            ServiceError::Ledger(error) | ServiceError::Notifier(NotifierError::Ledger(error)) => {
                Self::of_ledger(error)
            }
            ServiceError::OptOutsGone { .. } | ServiceError::Cosigner(_) => Self::Usage,
            ServiceError::Aws { .. } | ServiceError::Partition { .. } => Self::Aws,
            ServiceError::Notifier(NotifierError::Client(_)) => Self::Internal,
        }
    }

    /// The ledger cannot be used, unless it is AWS that does not let this host: to the table of its log, or to its key.
    fn of_ledger(error: &LedgerError) -> Self {
        match error {
            LedgerError::Tampered { .. } => Self::Tampered,
            LedgerError::Unknown { .. } | LedgerError::OtherPlan { .. } => Self::Usage,
            LedgerError::Log { error } | LedgerError::Signing { error } if error.kind.is_of_who_asks() => {
                Self::Aws
            }
            LedgerError::Shared(error) => Self::of_ledger(error),
            _ => Self::Ledger,
        }
    }

    /// As the same command ends on the hub's host, where that can be.
    fn of_hub(error: &HubError) -> Self {
        match error {
            HubError::Unreachable { .. } | HubError::Untrusted { .. } | HubError::Unsigned(_) => Self::Aws,
            HubError::Odd { .. } => Self::Internal,
            HubError::Refused(problem) => match (problem.status, problem.code.as_str()) {
                (401 | 421 | 429, _) | (_, "sts_unreachable" | "forbidden" | "no_access") => Self::Aws,
                (400..=499, _) => Self::Usage,
                (503, _) => Self::Ledger,
                _ => Self::Internal,
            },
        }
    }

    fn of_desk(error: &DeskError) -> Self {
        match error {
            DeskError::Ledger(error) => Self::of_ledger(error),
            DeskError::Service(error) => Self::of_service(error),
            _ => Self::Usage,
        }
    }
}

impl From<Exit> for ExitCode {
    fn from(exit: Exit) -> Self {
        Self::from(match exit {
            Exit::Done => 0,
            Exit::Internal => 1,
            Exit::Usage => 2,
            Exit::Aws => 3,
            Exit::Ledger => 4,
            Exit::NeedsPerson => 5,
            Exit::Tampered => 6,
            Exit::Planned => 7,
            Exit::Interrupted => 130,
        })
    }
}

/// What to do about an error, where that is known.
pub fn what_to_do(error: &anyhow::Error) -> Option<&str> {
    if let Some(ServiceError::Aws { hint, .. }) = error.downcast_ref() {
        return Some(hint);
    }
    if let Some(Unread { hint, .. }) = error.downcast_ref() {
        return Some(hint);
    }
    if let Some(error) = error.downcast_ref::<HubError>() {
        return error.what_to_do();
    }
    match error.downcast_ref() {
        Some(ConfigError::Unreadable { hint, .. }) => hint.as_deref(),
        _ => None,
    }
}

/// What was asked for cannot be done, whatever the state of AWS.
#[derive(Debug, thiserror::Error)]
#[error("{0}")]
pub struct BadInput(pub String);
