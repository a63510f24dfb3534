//! Triage: what is done about a finding, and why. Pure: no I/O, no clock.

mod opt_outs;
mod reason;

pub use opt_outs::{OptOutIndex, PlacementNeeded, most_cautious};
pub use reason::SkipReason;

use crate::config::{Config, Glob, Mode};
use crate::finding::{Finding, RoleTarget};
use crate::ident::{AccountId, Partition, RoleName};
use crate::ledger::InForce;
use crate::org::{AccountState, Placement, Snapshot};
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
    /// Where less may be done than `mode` says.
    pub opt_outs: OptOutIndex,
    /// Roles that are never revoked.
    pub protected: Vec<Glob>,
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
            opt_outs: OptOutIndex::new(&config.opt_outs),
            protected: config.protected.clone(),
        }
    }

    /// The pattern by which a role is protected, if one does.
    #[must_use]
    pub fn protects(&self, role_arn: &str) -> Option<&Glob> {
        self.protected.iter().find(|pattern| pattern.matches(role_arn))
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
    /// It would be remediated, but the mode is `observe`, there or everywhere.
    Observe {
        /// Whom it would be for.
        target: Target,
        /// The opt-out that says so, when it is not the mode of the installation.
        opt_out: Option<String>,
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

/// What a decision rests on, beside the finding.
#[derive(Debug, Clone, Copy)]
pub struct Facts<'a> {
    /// The organization's accounts.
    pub organization: &'a Snapshot,
    /// Where the finding's account stands, when it was looked up.
    pub placement: Option<&'a Placement>,
    /// What the ledger knows of remediations of the same role.
    pub history: &'a [InForce],
    /// This moment.
    pub now: Timestamp,
}

/// Decides about one occurrence of a finding.
///
/// # Errors
/// When the decision depends on where the account stands, and that is not given.
pub fn decide(finding: &Finding, policy: &Policy, facts: Facts<'_>) -> Result<Decision, PlacementNeeded> {
    let verdict = match eligible(finding, policy, facts) {
        Err(reason) => Verdict::Skip(reason),
        Ok(role) => {
            let applying = policy.opt_outs.applying(finding, &role.name, facts.placement, facts.now)?;
            let (mode, opt_out) = most_cautious(policy.mode, &applying);
            match (uncovered(finding, role, policy, mode, facts), mode) {
                (Err(reason), _) => Verdict::Skip(reason),
                (Ok(target), Mode::Enforce) => {
                    Verdict::Remediate { remediation: remediation_id(finding), target }
                }
                (Ok(target), Mode::Observe) => {
                    Verdict::Observe { target, opt_out: opt_out.map(|o| o.name.clone()) }
                }
                (Ok(_), Mode::Off) => Verdict::Skip(SkipReason::OptedOut {
                    name: opt_out.map(|o| o.name.clone()).unwrap_or_default(),
                    owner: opt_out.map(|o| o.owner.clone()).unwrap_or_default(),
                }),
            }
        }
    };
    Ok(Decision { verdict, organization_read_at: facts.organization.read_at })
}

/// The role to act on, or why not. The order of the checks is the order of the reasons: what the
/// finding is comes before whose it is, and that before what was done already.
fn eligible(finding: &Finding, policy: &Policy, facts: Facts<'_>) -> Result<RoleTarget, SkipReason> {
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
    let age = facts.now.duration_since(finding.last_seen());
    if age > policy.max_finding_age {
        return Err(SkipReason::TooOld { age, max: policy.max_finding_age });
    }
    match facts.organization.account(&finding.account).map(|account| &account.state) {
        None => return Err(SkipReason::UnknownAccount(finding.account.clone())),
        Some(AccountState::Active) => {}
        Some(state) => return Err(SkipReason::AccountNotActive(state.to_string())),
    }
    // The finding does not tell the role's path: it is looked at again when the path is known.
    let arn = policy.partition.role_arn(&finding.account, role.name.as_str());
    if let Some(pattern) = policy.protects(&arn) {
        return Err(SkipReason::Protected { role: role.name, pattern: pattern.to_string() });
    }
    Ok(role)
}

/// Whom to act on, unless what was done already takes care of it.
fn uncovered(
    finding: &Finding,
    role: RoleTarget,
    policy: &Policy,
    mode: Mode,
    facts: Facts<'_>,
) -> Result<Target, SkipReason> {
    for earlier in facts.history {
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
                    && mode == Mode::Enforce =>
            {
                return Err(SkipReason::UnderWay { remediation });
            }
            // It will begin after this moment, and so will its cutoff lie after it.
            _ if earlier.state.is_to_begin() && finding.last_seen() <= facts.now && mode == Mode::Enforce => {
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
            Self::Observe { opt_out: None, .. } => "mode_observe",
            Self::Observe { opt_out: Some(_), .. } => "opted_out_observe",
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
            Self::Remediate { target, .. } | Self::Observe { target, .. } => Some(target),
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
            Self::Observe { target, opt_out } => {
                match opt_out {
                    None => f.write_str("mode is observe")?,
                    Some(name) => write!(f, "opt-out {} says observe", crate::ident::quoted(name))?,
                }
                write!(f, ": would revoke the sessions of role {} in {}", target.role, target.account)
            }
            Self::Skip(reason) => reason.fmt(f),
        }
    }
}

#[cfg(test)]
mod tests;
