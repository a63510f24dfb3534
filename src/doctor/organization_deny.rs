//! Whether the hub may deny by service control policies, and whether each account has room for one.

use super::{Doctor, Level, Problem};
use crate::aws::ServiceControl;
use crate::config::RemedyName;
use crate::ident::AccountId;
use crate::org::Account;
use crate::policies::{self, Delegate, Deployed, Trusted};
use crate::remediation::{CallError, CallScope, ErrorKind};
use std::collections::{BTreeMap, BTreeSet};

/// Maximum number of service control policies that are attached to an account itself (AWS Organizations User Guide,
/// "Quotas and service limits").
const MOST: usize = 10;

impl Doctor<'_> {
    /// Looks whether service control policies could be written, where a rule has the remedy. That they can be is not
    /// shown by anything that does not write one.
    pub(super) async fn organization_deny(
        &self,
        accounts: &[Account],
        management: &AccountId,
        trusted: Option<&Trusted>,
        controls: &[ServiceControl],
    ) -> Vec<Problem> {
        if !self.config.all_remedies().contains(&RemedyName::OrganizationDeny) {
            return Vec::new();
        }
        let (delegated, room) =
            futures::join!(self.delegated(management, trusted), self.room(accounts, management, controls));
        let mut problems: Vec<Problem> = delegated.into_iter().chain(room).collect();
        if problems.is_empty() {
            problems.push(Problem::new(
                Level::Note,
                "organization_deny_not_tried",
                "organization",
                "what organization_deny needs is in place, as far as that can be read: that AWS accepts the hub's writes is seen only when it writes",
                "Try it once, as docs/security.md says: as the hub's role, an update of an SCP with the tag rescind-keep must be denied.",
            ));
        }
        problems
    }

    /// Looks what the organization lets the hub's role do.
    async fn delegated(&self, management: &AccountId, trusted: Option<&Trusted>) -> Option<Problem> {
        // Where the hub's role is not known, that is a problem of its own.
        let trusted = trusted?;
        let content = match self.hub.delegation().await {
            Ok(content) => content,
            Err(error) => return Some(self.not_read(&error)),
        };
        let delegate = Delegate {
            hub_role_arn: trusted.hub_role_arn.clone(),
            organization: trusted.organization.clone(),
            management: management.clone(),
        };
        let found = content.map_or(Deployed::Nothing, |text| policies::delegation(&delegate, &text));
        let (level, code, text) = match found {
            Deployed::Whole => return None,
            Deployed::Nothing => (
                Level::Problem,
                "delegation_missing",
                "the organization does not let the hub's role write service control policies: organization_deny denies nobody".to_owned(),
            ),
            Deployed::Part(differs) => (
                Level::Warning,
                "delegation_out_of_date",
                format!("what the organization lets the hub's role do does not match this version of rescind: {differs}"),
            ),
        };
        let fix = format!(
            "An organization has one resource policy. With credentials for the management account: aws organizations describe-resource-policy\nIf there is another one, or it has more statements, put into it what `rescind policies print organization-deny` prints. Otherwise:\naws cloudformation deploy --stack-name rescind-delegation --template-file policies/deployment/organization-deny-delegation.yaml --parameter-overrides HubAccount={} HubRoleArn={} OrganizationId={}",
            self.hub.identity().account,
            delegate.hub_role_arn,
            delegate.organization
        );
        Some(Problem::new(level, code, "organization", text, fix))
    }

    /// Looks which accounts have no room for one more service control policy. Only those are asked about one by one
    /// that nearly have as many as they can: the others would be one call each.
    async fn room(
        &self,
        accounts: &[Account],
        management: &AccountId,
        controls: &[ServiceControl],
    ) -> Vec<Problem> {
        let members: BTreeSet<&AccountId> =
            accounts.iter().map(|account| &account.id).filter(|id| *id != management).collect();
        // A remediation begins with this call, so the hub's role must be allowed to make it.
        if let Some(one) = members.first()
            && let Err(error) = self.hub.controls_on(one).await
        {
            return vec![self.not_read(&error)];
        }
        let mut attached: BTreeMap<AccountId, usize> = BTreeMap::new();
        for control in controls.iter().filter(|one| of_account(&one.name).is_none()) {
            match self.hub.targets_of(&control.id, &CallScope::default()).await {
                Ok(targets) => {
                    for account in targets.iter().filter_map(|target| target.parse().ok()) {
                        *attached.entry(account).or_default() += 1;
                    }
                }
                Err(error) => return vec![self.not_read(&error)],
            }
        }
        let ours: BTreeSet<AccountId> = controls.iter().filter_map(|one| of_account(&one.name)).collect();
        let mut problems = Vec::new();
        for (account, _) in attached.iter().filter(|(account, number)| {
            // AWS's own FullAWSAccess is not among those that were counted.
            **number + 1 >= MOST && members.contains(account) && !ours.contains(account)
        }) {
            match self.hub.controls_on(account).await {
                Ok(number) if number >= MOST => problems.push(Problem::new(
                    Level::Problem,
                    "no_room_for_deny",
                    account,
                    format!("{MOST} service control policies are attached to the account, as many as can be: organization_deny denies nobody there"),
                    "Merge two of them, or attach one at an OU instead.",
                )),
                Ok(_) => {}
                Err(error) => problems.push(self.not_read(&error)),
            }
        }
        problems
    }

    fn not_read(&self, error: &CallError) -> Problem {
        if error.kind == ErrorKind::Denied {
            return Problem::new(
                Level::Problem,
                "organization_deny_not_allowed",
                "hub",
                format!(
                    "the hub's own role may not {}, and a rule has the remedy organization_deny",
                    error.action()
                ),
                format!(
                    "aws cloudformation deploy --stack-name rescind-hub-role --capabilities CAPABILITY_NAMED_IAM --template-file policies/deployment/hub-role.yaml --parameter-overrides OrganizationDeny=true   # with credentials for {}",
                    self.hub.identity().account
                ),
            );
        }
        Problem::new(
            Level::Warning,
            "organization_deny_unreadable",
            "organization",
            format!("it could not be read whether organization_deny would work: {error}"),
            crate::aws::hub_hint(error, self.hub.identity()),
        )
    }
}

/// The account that a service control policy of rescind's is for, by its name.
fn of_account(name: &str) -> Option<AccountId> {
    name.strip_prefix("rescind-")?.parse().ok()
}
