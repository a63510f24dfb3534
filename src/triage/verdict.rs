//! What is done about a finding, and why.

use super::{HoldReason, ObserveReason, PlacementNeeded, SkipReason};
use crate::config::Approval;
use crate::finding::{Cause, DerivedKind, Finding, OrderedBy};
use crate::ident::quoted;
use crate::remediation::{Check, Draft, Event, ReasonCode, Recurrence, Subject, Target, VerdictName, Who};
use jiff::Timestamp;
use std::fmt;

/// What is done about a finding. Each way carries its reason.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Verdict {
    /// Revoke, without asking a person.
    Remediate {
        /// The new remediation's id.
        remediation: String,
        /// The principal to act on.
        target: Target,
        /// What says that the credentials are stolen.
        cause: Cause,
    },
    /// Ask a person first.
    Hold {
        /// The new remediation's id.
        remediation: String,
        /// The principal to act on.
        target: Target,
        /// Why a person is asked.
        why: HoldReason,
    },
    /// Record what would be done.
    Observe {
        /// The principal that would be acted on.
        target: Target,
        /// Why nothing more than that is done.
        why: ObserveReason,
    },
    /// Do nothing: the reason is recorded, and no remediation begins.
    Skip(SkipReason),
}

/// Why there is no decision yet: it depends on where the account stands, and the context does not say so.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("{needed}")]
pub struct Undecided {
    /// What would have to be known.
    pub needed: PlacementNeeded,
    /// The decision when that cannot be had.
    pub otherwise: Box<Decision>,
}

/// A verdict, and what it rests on.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Decision {
    /// What is done, and why.
    pub verdict: Verdict,
    /// What a person must do, where rescind does not act.
    pub what_to_do: Option<String>,
    /// It follows an earlier remediation of the same principal that should have ended this.
    pub recurrence: Option<Recurrence>,
    /// The rule that it followed, once it came so far.
    pub rule: Option<String>,
    /// Who must approve it where it is held, as that rule says.
    pub approval: Approval,
    /// The opt-outs that apply, by name.
    pub opt_outs: Vec<String>,
    /// The account's tag, which was set when the theft had been seen already, and does not count.
    pub late_tag: Option<String>,
    /// Each check that was made, in order; the last one decided.
    pub checks: Vec<Check>,
    /// When the accounts were read.
    pub organization_read_at: Timestamp,
    /// When the account's OUs and tags were read, where they were looked at.
    pub placement_read_at: Option<Timestamp>,
}

impl Verdict {
    /// Its name in the ledger.
    #[must_use]
    pub fn name(&self) -> VerdictName {
        match self {
            Self::Remediate { .. } => VerdictName::Remediate,
            Self::Hold { .. } => VerdictName::Hold,
            Self::Observe { .. } => VerdictName::Observe,
            Self::Skip(_) => VerdictName::Skip,
        }
    }

    /// The code of the reason.
    #[must_use]
    pub fn code(&self) -> ReasonCode {
        match self {
            Self::Remediate { cause: Cause::Order(_), .. } => ReasonCode::Ordered,
            Self::Remediate { cause: Cause::Pursuit(derived), .. } => match derived.what {
                DerivedKind::Session => ReasonCode::SessionOpened,
                DerivedKind::AccessKey | DerivedKind::User | DerivedKind::Role => ReasonCode::MadeByThief,
            },
            Self::Remediate { target, cause: Cause::GuardDuty, .. } => match target.who {
                Who::User { .. } => ReasonCode::LeakedUserKey,
                Who::Root { .. } => ReasonCode::StolenRootCredentials,
                Who::Federated { .. } => ReasonCode::StolenFederatedSession,
                Who::Role { .. } | Who::Unsupported { .. } => ReasonCode::StolenRoleSession,
            },
            Self::Hold { why, .. } => why.code(),
            Self::Observe { why, .. } => why.code(),
            Self::Skip(reason) => reason.code(),
        }
    }

    /// The remediation that takes care of it, when another occurrence led to that.
    #[must_use]
    pub fn covered_by(&self) -> Option<&str> {
        match self {
            Self::Skip(
                SkipReason::AlreadyRevoked { remediation, .. }
                | SkipReason::Denied { remediation, .. }
                | SkipReason::Released { remediation, .. }
                | SkipReason::DoneByHand { remediation, .. }
                | SkipReason::UnderWay { remediation }
                | SkipReason::AwaitingApproval { remediation },
            ) => Some(remediation),
            _ => None,
        }
    }

    /// The remediation that it leads to.
    #[must_use]
    pub fn remediation(&self) -> Option<&str> {
        match self {
            Self::Remediate { remediation, .. } | Self::Hold { remediation, .. } => Some(remediation),
            Self::Observe { .. } | Self::Skip(_) => None,
        }
    }

    /// The principal to act on, if there is one.
    #[must_use]
    pub fn target(&self) -> Option<&Target> {
        match self {
            Self::Remediate { target, .. } | Self::Hold { target, .. } | Self::Observe { target, .. } => {
                Some(target)
            }
            Self::Skip(_) => None,
        }
    }
}

/// The reason in words.
impl fmt::Display for Verdict {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Remediate { target, cause, .. } if !cause.is_guardduty() => caused(f, target, cause),
            Self::Remediate { target, .. } => {
                write!(
                    f,
                    "the credentials of {} in {} are used from elsewhere",
                    target.principal(),
                    target.account
                )
            }
            Self::Hold { why: HoldReason::Unsupported(why), .. } => {
                write!(f, "{why}: act by hand; nothing is revoked yet")
            }
            Self::Hold { target, why, .. } => {
                write!(f, "{why}: {target} in {} {} not revoked yet", target.account, target.are())
            }
            Self::Observe { target, why } if matches!(target.who, Who::Unsupported { .. }) => {
                write!(f, "{why}: would ask a person to act: {} in {}", target.principal(), target.account)
            }
            Self::Observe { target, why } => {
                write!(f, "{why}: would revoke {target} in {}", target.account)
            }
            Self::Skip(reason) => reason.fmt(f),
        }
    }
}

/// The reason to revoke, when that is no finding of GuardDuty's.
fn caused(f: &mut fmt::Formatter<'_>, target: &Target, cause: &Cause) -> fmt::Result {
    let account = &target.account;
    match cause {
        Cause::Pursuit(derived) if derived.what == DerivedKind::Session => {
            write!(f, "{target} in {account} was opened with stolen credentials")
        }
        Cause::Pursuit(derived) => {
            let what = if derived.what == DerivedKind::AccessKey { "an access key of " } else { "" };
            write!(f, "{what}{} in {account} was made with stolen credentials", target.principal())
        }
        Cause::Order(order) => match &order.from {
            OrderedBy::Person { by, .. } => write!(f, "{} ordered it: {target} in {account}", quoted(by)),
            OrderedBy::Product { product, .. } => {
                write!(f, "a finding of {} names {target} in {account}", quoted(product))
            }
        },
        Cause::GuardDuty => Ok(()),
    }
}

impl Draft {
    /// The entry for a decision.
    #[must_use]
    pub fn decision(finding: &Finding, decision: &Decision) -> Self {
        let mut subject = Subject::of_finding(finding);
        let target = decision.verdict.target().cloned();
        subject.remediation = decision.verdict.remediation().map(str::to_owned);
        if let Some(target) = &target {
            subject.principal = Some(target.name());
        }
        let event = Event::Decision {
            occurrence: finding.occurrence(),
            verdict: decision.verdict.name(),
            code: decision.verdict.code(),
            reason: decision.verdict.to_string(),
            what_to_do: decision.what_to_do.clone(),
            rule: decision.rule.clone(),
            approval: decision.approval,
            opt_outs: decision.opt_outs.clone(),
            checks: decision.checks.clone(),
            remedy: target.as_ref().map(|target| target.remedy().to_owned()),
            target,
            covered_by: decision.verdict.covered_by().map(str::to_owned),
            incident: finding.derived().map(|derived| derived.incident.clone()),
            recurrence: decision.recurrence.clone(),
            last_seen: finding.last_seen(),
            organization_read_at: decision.organization_read_at,
            placement_read_at: decision.placement_read_at,
        };
        Self { subject, event }
    }
}
