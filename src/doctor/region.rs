//! One region: GuardDuty in the hub's account, and who sends findings to it.

use super::{Doctor, Level, Problem};
use crate::aws::{CallError, ErrorKind, FindingQuery};
use crate::feed::Watch;
use crate::ident::{AccountId, Partition, Region};
use crate::org::Account;
use std::collections::{HashMap, HashSet};

/// What was seen of a region.
pub(super) struct Looked {
    pub enabled: bool,
    /// Accounts whose findings are seen there.
    pub sending: HashSet<AccountId>,
    pub problems: Vec<Problem>,
}

impl Doctor<'_> {
    /// The regions that are watched; with `"*"` those that AWS says are enabled.
    pub(super) async fn regions(&self, problems: &mut Vec<Problem>) -> Vec<Region> {
        let watch = Watch::of(&self.config.regions, self.config.all_regions);
        if self.config.all_regions
            && let Err(error) = watch.find(self.hub).await
        {
            problems.push(Problem::new(
                Level::Problem,
                "regions_unknown",
                "regions",
                format!("it cannot be told which regions are enabled: {error}"),
                crate::aws::hub_hint(&error, self.hub.identity()),
            ));
        }
        if !self.config.all_regions {
            problems.extend(self.not_watched(&watch.regions()).await);
        }
        watch.regions()
    }

    /// Regions that a thief could use and nobody looks at.
    async fn not_watched(&self, watched: &[Region]) -> Vec<Problem> {
        let all = match self.hub.regions().await {
            Ok(all) => all,
            Err(error) => {
                return vec![Problem::new(
                    Level::Warning,
                    "regions_unknown",
                    "regions",
                    format!("it cannot be told which other regions are enabled: {error}"),
                    crate::aws::hub_hint(&error, self.hub.identity()),
                )];
            }
        };
        let partition = self.hub.identity().partition;
        all.into_iter()
            .filter(|one| one.is_enabled() && !watched.contains(&one.region))
            .filter(|one| Partition::of_region(&one.region) == partition)
            .map(|one| {
                Problem::new(
                    Level::Warning,
                    "region_not_watched",
                    &one.region,
                    "the region is enabled and not in `regions`: what GuardDuty sees there is not looked at",
                    "Add it to `regions`, or add \"*\" for every region that is enabled; or close it with an SCP.",
                )
            })
            .collect()
    }

    /// Looks at GuardDuty in a region.
    pub(super) async fn region(&self, region: &Region, accounts: &[Account]) -> Looked {
        let mut looked = Looked { enabled: false, sending: HashSet::new(), problems: Vec::new() };
        if let Err(error) = self.detector(region, accounts, &mut looked).await {
            looked.problems.push(Problem::new(
                Level::Problem,
                "guardduty_unreadable",
                region,
                format!("GuardDuty cannot be looked at: {error}"),
                crate::aws::hub_hint(&error, self.hub.identity()),
            ));
        }
        looked
    }

    async fn detector(
        &self,
        region: &Region,
        accounts: &[Account],
        looked: &mut Looked,
    ) -> Result<(), CallError> {
        let hub = &self.hub.identity().account;
        let Some(detector) = self.hub.detector(region).await? else {
            looked.problems.push(Problem::new(
                Level::Problem,
                "no_detector",
                region,
                "GuardDuty is not enabled in the hub's account",
                format!("aws guardduty create-detector --enable --finding-publishing-frequency FIFTEEN_MINUTES --region {region}"),
            ));
            return Ok(());
        };
        let (state, members, findings) = futures::join!(
            self.hub.detector_state(region, &detector),
            self.hub.members(region, &detector),
            self.findings(region, &detector),
        );
        let (state, members) = (state?, members?);
        looked.enabled = state.enabled;
        let update = |what: &str| {
            format!("aws guardduty update-detector --detector-id {detector} {what} --region {region}")
        };
        if state.enabled {
            looked.sending.insert(hub.clone());
        } else {
            looked.problems.push(Problem::new(
                Level::Problem,
                "detector_off",
                region,
                "GuardDuty's detector in the hub's account is suspended",
                update("--enable"),
            ));
        }
        if let Some(frequency) = state.frequency.filter(|frequency| frequency != "FIFTEEN_MINUTES") {
            let every = if frequency == "ONE_HOUR" { "every hour" } else { "every six hours" };
            looked.problems.push(Problem::new(
                Level::Warning,
                "publishing_frequency",
                region,
                format!(
                    "GuardDuty sends what goes on {every} only: a key that is used again is seen that late"
                ),
                update("--finding-publishing-frequency FIFTEEN_MINUTES"),
            ));
        }
        looked.sending.extend(
            members.iter().filter(|(_, status)| *status == "Enabled").map(|(account, _)| account.clone()),
        );
        looked.problems.extend(not_sending(region, &detector, hub, accounts, &members));
        if !state.enabled || findings.is_err() {
            looked.sending.clear();
        }
        findings
    }

    /// Reads findings as the service does.
    async fn findings(&self, region: &Region, detector: &str) -> Result<(), CallError> {
        let query = FindingQuery { types: None, updated_since: None };
        let (ids, _) = self.hub.list_findings(region, detector, &query, None).await?;
        // That there is none of this id is no matter: it is asked whether it may be read.
        let id = ids.into_iter().next().unwrap_or_else(|| "0".repeat(32));
        match self.hub.get_findings(region, detector, vec![id]).await {
            Err(error) if error.kind != ErrorKind::Refused => Err(error),
            _ => Ok(()),
        }
    }
}

fn not_sending(
    region: &Region,
    detector: &str,
    hub: &AccountId,
    accounts: &[Account],
    members: &HashMap<AccountId, String>,
) -> Vec<Problem> {
    let others: Vec<&Account> = accounts.iter().filter(|account| account.id != *hub).collect();
    if members.is_empty() && !others.is_empty() {
        return vec![Problem::new(
            Level::Problem,
            "not_administrator",
            region,
            "no account sends its findings to the hub's: it is not GuardDuty's administrator in this region, or has no members",
            format!(
                "aws guardduty enable-organization-admin-account --admin-account-id {hub} --region {region}   # with credentials for the management account\naws guardduty update-organization-configuration --detector-id {detector} --auto-enable-organization-members ALL --region {region}"
            ),
        )];
    }
    let mut problems = Vec::new();
    for account in others {
        let status = members.get(&account.id).map_or("no member", String::as_str);
        if status != "Enabled" {
            let told =
                if status == "no member" { status.to_owned() } else { format!("{status:?}, not Enabled") };
            problems.push(Problem::new(
                Level::Problem,
                "member_not_enabled",
                &account.id,
                format!("GuardDuty in {region} does not get the account's findings: {told}"),
                format!("aws guardduty update-organization-configuration --detector-id {detector} --auto-enable-organization-members ALL --region {region}"),
            ));
        }
    }
    problems
}
