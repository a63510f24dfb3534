//! The hub: whether Organizations and GuardDuty know it as their delegated administrator.

use super::{Doctor, Level, Problem};

/// Service principal of GuardDuty in AWS Organizations.
const GUARDDUTY: &str = "guardduty.amazonaws.com";

impl Doctor<'_> {
    /// Looks whether the hub's account is GuardDuty's delegated administrator.
    pub(super) async fn administrator(&self) -> Option<Problem> {
        let hub = &self.hub.identity().account;
        let home = self.config.home_region();
        match self.hub.administrators_of(GUARDDUTY).await {
            Ok(all) if all.contains(hub) => None,
            Ok(all) => {
                let others: Vec<&str> = all.iter().map(crate::ident::AccountId::as_str).collect();
                let administrator = if others.is_empty() {
                    "nobody is".to_owned()
                } else {
                    format!("it is {}", others.join(", "))
                };
                Some(Problem::new(
                    Level::Problem,
                    "not_delegated",
                    "hub",
                    format!("account {hub} is not GuardDuty's delegated administrator: {administrator}"),
                    format!(
                        "aws guardduty enable-organization-admin-account --admin-account-id {hub} --region {home}   # with credentials for the management account, in each region"
                    ),
                ))
            }
            Err(error) => Some(Problem::new(
                Level::Warning,
                "administrator_unreadable",
                "hub",
                format!("GuardDuty's delegated administrator could not be read: {error}"),
                crate::aws::hub_hint(&error, self.hub.identity()),
            )),
        }
    }

    /// Looks whether it can be read where an account stands and what it is tagged with.
    pub(super) async fn placement(&self) -> Option<Problem> {
        let error = self.hub.placement(&self.hub.identity().account, true).await.err()?;
        Some(Problem::new(
            Level::Problem,
            "placement_unreadable",
            "organization",
            format!(
                "the OUs and tags of an account cannot be read, so findings that depend on them are held: {error}"
            ),
            crate::aws::hub_hint(&error, self.hub.identity()),
        ))
    }
}
