//! Which accounts are sealed: a thief there cannot lift a quarantine or alter the remediation role.
//!
//! IAM's simulator answers for one principal, and the only one that doctor may ask about is exempt from the seal. So
//! the SCPs themselves are read.

use super::{Doctor, Level, Problem};
use crate::aws::ServiceControl;
use crate::ident::AccountId;
use crate::org::Account;
use crate::policies::{self, Deployed};
use crate::remediation::{CallError, CallScope};
use std::collections::BTreeSet;

/// What was read of the seal.
#[derive(Default)]
pub(super) struct Seals {
    /// The accounts that are sealed; none when that could not be read.
    pub sealed: Option<BTreeSet<AccountId>>,
    pub problems: Vec<Problem>,
}

impl Doctor<'_> {
    /// Reads which of the accounts are sealed.
    pub(super) async fn seals(
        &self,
        accounts: &[Account],
        management: &AccountId,
        controls: Result<&[ServiceControl], &CallError>,
    ) -> Seals {
        let mut problems = Vec::new();
        let sealed = match controls {
            Ok(controls) => self.sealed(controls, &mut problems).await,
            Err(error) => Err(error.clone()),
        };
        let sealed = match sealed {
            Ok(found) => found,
            Err(error) => {
                let text = format!("it could not be read which accounts are sealed: {error}");
                let fix = crate::aws::hub_hint(&error, self.hub.identity());
                problems.push(Problem::new(Level::Warning, "seal_unreadable", "organization", text, fix));
                return Seals { sealed: None, problems };
            }
        };
        let sealed: BTreeSet<AccountId> = accounts
            .iter()
            .map(|account| account.id.clone())
            .filter(|id| id != management && sealed.as_ref().is_none_or(|sealed| sealed.contains(id)))
            .collect();
        for account in accounts.iter().filter(|account| !sealed.contains(&account.id)) {
            problems.push(if account.id == *management {
                let text = "the management account cannot be sealed: no SCP binds it";
                let fix = "Give few people IAM rights there. docs/security.md names what a thief could do.";
                Problem::new(Level::Note, "not_sealable", &account.id, text, fix)
            } else {
                let text = "the account is not sealed: a thief who may change IAM there can detach the quarantine and go on until the deny is in force, change what the quarantine says, or alter the remediation role and lock rescind out";
                Problem::new(Level::Warning, "not_sealed", &account.id, text, self.deploy_seal())
            });
        }
        Seals { sealed: Some(sealed), problems }
    }

    /// The accounts that a seal is attached to or above; none for all of the organization.
    async fn sealed(
        &self,
        controls: &[ServiceControl],
        problems: &mut Vec<Problem>,
    ) -> Result<Option<BTreeSet<AccountId>>, CallError> {
        let mut sealed = BTreeSet::new();
        for policy in controls {
            match policies::sealing(&self.config.member.path_and_name(), &policy.content) {
                Deployed::Nothing => {}
                Deployed::Part(differs) => problems.push(Problem::new(
                    Level::Warning,
                    "seal_out_of_date",
                    "organization",
                    format!(
                        "the SCP {} is not the seal of this version of rescind for this remediation role: {differs}",
                        policy.name
                    ),
                    self.deploy_seal(),
                )),
                Deployed::Whole => {
                    for target in self.hub.targets_of(&policy.id, &CallScope::default()).await? {
                        if target.starts_with("r-") {
                            return Ok(None);
                        } else if let Ok(account) = target.parse() {
                            sealed.insert(account);
                        } else {
                            sealed.extend(self.hub.accounts_below(&target).await?);
                        }
                    }
                }
            }
        }
        Ok(Some(sealed))
    }

    fn deploy_seal(&self) -> String {
        format!(
            "aws cloudformation deploy --stack-name rescind-seal --template-file policies/deployment/organization-seal.yaml --parameter-overrides MemberRole={} TargetIds=r-… 'Deployers=arn:*:iam::*:role/stacksets-exec-*'   # with credentials for the management account",
            self.config.member.path_and_name()
        )
    }
}
