//! Triage: what is done about a finding, and why. Pure: no I/O, no clock.

mod reason;

pub use reason::SkipReason;

use crate::config::{Config, Mode};
use crate::finding::Finding;
use crate::ident::{AccountId, Partition, RoleName};
use crate::ledger::InForce;
use crate::org::{AccountState, Snapshot};
use crate::remedy::Target;
use jiff::{SignedDuration, Timestamp};
use std::fmt;

/// The finding types that are acted on: credentials made for an instance, a function or a
/// container, in use elsewhere (GuardDuty User Guide, "IAM finding types").
pub const ACTED_ON: [&str; 5] = [
    "UnauthorizedAccess:IAMUser/InstanceCredentialExfiltration",
    "UnauthorizedAccess:IAMUser/InstanceCredentialExfiltration.OutsideAWS",
    "UnauthorizedAccess:IAMUser/InstanceCredentialExfiltration.InsideAWS",
    "UnauthorizedAccess:IAMUser/ResourceCredentialExfiltration.OutsideAWS",
    "UnauthorizedAccess:IAMUser/ResourceCredentialExfiltration.InsideAWS",
];

/// What the configuration has to say.
#[derive(Debug, Clone)]
pub struct Policy {
    /// Act, or only watch.
    pub mode: Mode,
    /// Credentials last seen longer ago are left alone.
    pub max_finding_age: SignedDuration,
    /// The remediation role's name, in every account.
    pub remediation_role: RoleName,
    /// The hub's account.
    pub hub_account: AccountId,
    /// The role that the hub runs as, if it is a role.
    pub hub_role: Option<String>,
    /// The partition everything is in.
    pub partition: Partition,
}

impl Policy {
    /// From the configuration and the hub's own identity.
    #[must_use]
    pub fn new(config: &Config, hub: &crate::aws::HubIdentity) -> Self {
        Self {
            mode: config.mode,
            max_finding_age: config.max_finding_age,
            remediation_role: config.member.role_name.clone(),
            hub_account: hub.account.clone(),
            hub_role: hub.role_name().map(str::to_owned),
            partition: hub.partition,
        }
    }
}

/// What is done about a finding. Each way carries its reason.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Verdict {
    /// Revoke.
    Remediate {
        /// The new remediation's id.
        remediation: String,
        /// Whom it is for.
        target: Target,
    },
    /// It would be remediated, but the mode is `observe`.
    Observe {
        /// Whom it would be for.
        target: Target,
    },
    /// Nothing is done.
    Skip(SkipReason),
}

/// A verdict, and what it rests on.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Decision {
    /// What is done, and why.
    pub verdict: Verdict,
    /// When the accounts were read.
    pub organization_read_at: Timestamp,
}

/// Decides about one occurrence of a finding.
///
/// `history` is what the ledger knows of remediations of the same role.
#[must_use]
pub fn decide(
    finding: &Finding,
    organization: &Snapshot,
    policy: &Policy,
    history: &[InForce],
    now: Timestamp,
) -> Decision {
    let verdict = match target(finding, organization, policy, history, now) {
        Ok(target) if policy.mode == Mode::Observe => Verdict::Observe { target },
        Ok(target) => Verdict::Remediate { remediation: remediation_id(finding), target },
        Err(reason) => Verdict::Skip(reason),
    };
    Decision { verdict, organization_read_at: organization.read_at }
}

/// Whom to act on, or why not. The order of the checks is the order of the reasons: what the
/// finding is comes before whose it is, and that before what was done already.
fn target(
    finding: &Finding,
    organization: &Snapshot,
    policy: &Policy,
    history: &[InForce],
    now: Timestamp,
) -> Result<Target, SkipReason> {
    if finding.sample {
        return Err(SkipReason::Sample);
    }
    if finding.archived {
        return Err(SkipReason::Archived);
    }
    if !ACTED_ON.contains(&finding.finding_type.as_str()) {
        return Err(SkipReason::OtherType(finding.finding_type.clone()));
    }
    let principal = finding.principal.as_ref().ok_or(SkipReason::NoPrincipal)?;
    let role = principal.role().map_err(|error| SkipReason::NotARole(error.to_string()))?;
    if role.name.key().starts_with("awsservicerolefor") {
        return Err(SkipReason::ServiceLinkedRole(role.name));
    }
    if role.name.key().starts_with("awsreservedsso_") {
        return Err(SkipReason::IdentityCenterRole(role.name));
    }
    let is_hub_role = finding.account == policy.hub_account
        && policy.hub_role.as_deref().is_some_and(|hub| hub.eq_ignore_ascii_case(role.name.as_str()));
    if is_hub_role || role.name.key() == policy.remediation_role.key() {
        return Err(SkipReason::OwnRole(role.name));
    }
    match organization.account(&finding.account).map(|account| &account.state) {
        None => return Err(SkipReason::UnknownAccount(finding.account.clone())),
        Some(AccountState::Active) => {}
        Some(state) => return Err(SkipReason::AccountNotActive(state.to_string())),
    }
    let age = now.duration_since(finding.last_seen());
    if age > policy.max_finding_age {
        return Err(SkipReason::TooOld { age, max: policy.max_finding_age });
    }
    for earlier in history {
        let same_role = role.id.is_none() || earlier.role_id.is_none() || role.id == earlier.role_id;
        if !same_role {
            continue;
        }
        let remediation = earlier.remediation.clone();
        match earlier.covering_cutoff() {
            // A token that was in use before the cutoff was issued before the cutoff.
            Some(cutoff) if earlier.state.is_in_place() && cutoff.covers(finding.last_seen()) => {
                return Err(SkipReason::AlreadyRevoked { remediation, cutoff });
            }
            // Its change is made, or may be: the cutoff will not move any more.
            Some(cutoff)
                if earlier.state.has_fixed_cutoff()
                    && cutoff.covers(finding.last_seen())
                    && policy.mode == Mode::Enforce =>
            {
                return Err(SkipReason::UnderWay { remediation });
            }
            // It will begin after this moment, and so will its cutoff lie after it.
            _ if earlier.state.is_to_begin()
                && finding.last_seen() <= now
                && policy.mode == Mode::Enforce =>
            {
                return Err(SkipReason::UnderWay { remediation });
            }
            _ => {}
        }
    }
    Ok(Target {
        partition: policy.partition,
        account: finding.account.clone(),
        role: role.name,
        role_id: role.id,
    })
}

/// The id of the remediation that an occurrence leads to. The same occurrence always gives
/// the same id.
fn remediation_id(finding: &Finding) -> String {
    let digest = crate::digest::sha256(finding.occurrence().as_bytes());
    format!("r-{}", &digest[..12])
}

impl Verdict {
    /// Its name in the ledger.
    #[must_use]
    pub fn name(&self) -> &'static str {
        match self {
            Self::Remediate { .. } => "remediate",
            Self::Observe { .. } => "observe",
            Self::Skip(_) => "skip",
        }
    }

    /// The reason's name in the ledger.
    #[must_use]
    pub fn code(&self) -> &'static str {
        match self {
            Self::Remediate { .. } => "stolen_role_session",
            Self::Observe { .. } => "mode_observe",
            Self::Skip(reason) => reason.code(),
        }
    }

    /// The remediation that takes care of it, when another occurrence led to that.
    #[must_use]
    pub fn covered_by(&self) -> Option<&str> {
        match self {
            Self::Skip(
                SkipReason::AlreadyRevoked { remediation, .. } | SkipReason::UnderWay { remediation },
            ) => Some(remediation),
            _ => None,
        }
    }

    /// Whom it is about, when it is about a role to act on.
    #[must_use]
    pub fn target(&self) -> Option<&Target> {
        match self {
            Self::Remediate { target, .. } | Self::Observe { target } => Some(target),
            Self::Skip(_) => None,
        }
    }
}

/// The reason in words.
impl fmt::Display for Verdict {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Remediate { target, .. } => {
                write!(
                    f,
                    "the credentials of role {} in {} are used from elsewhere",
                    target.role, target.account
                )
            }
            Self::Observe { target } => write!(
                f,
                "mode is observe: would revoke the sessions of role {} in {}",
                target.role, target.account
            ),
            Self::Skip(reason) => reason.fmt(f),
        }
    }
}

#[cfg(test)]
mod tests;
