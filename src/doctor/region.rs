//! One region: GuardDuty in the hub's account, and who sends findings to it.

use super::{Doctor, GuardDuty, Level, Problem};
use crate::aws::{Detector, FindingKinds, FindingQuery};
use crate::ident::{AccountId, Partition, Region};
use crate::ingest::WatchedRegions;
use crate::org::Account;
use crate::remediation::{CallError, ErrorKind};
use std::collections::{HashMap, HashSet};

/// What was seen of a region.
pub(super) struct Looked {
    pub guardduty: GuardDuty,
    /// Accounts whose findings come to the hub there; none when that could not be read.
    pub sending: Option<HashSet<AccountId>>,
    /// Findings can be read there, as the service does it.
    pub findings_read: bool,
    pub problems: Vec<Problem>,
}

impl Doctor<'_> {
    /// The regions that are watched; with `"*"` those that AWS says are enabled.
    pub(super) async fn regions(&self, problems: &mut Vec<Problem>) -> Vec<Region> {
        let watch = WatchedRegions::of(&self.config.regions, self.config.all_regions);
        if self.config.all_regions
            && let Err(error) = watch.find(self.hub).await
        {
            problems.push(Problem::new(
                Level::Problem,
                "regions_unknown",
                "regions",
                format!("cannot list the enabled regions: {error}"),
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
                    format!("cannot list the regions that are enabled but not watched: {error}"),
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
                    "the region is enabled and not in `regions`: its findings are not read",
                    "Add it to `regions`, or add \"*\" for every enabled region; or deny the region with an SCP.",
                )
            })
            .collect()
    }

    /// Looks at GuardDuty in a region.
    pub(super) async fn region(&self, region: &Region, accounts: &[Account]) -> Looked {
        let mut looked = Looked {
            guardduty: GuardDuty::Unknown,
            sending: None,
            findings_read: false,
            problems: Vec::new(),
        };
        match self.hub.detector(region).await {
            Ok(Some(detector)) => self.detector(region, &detector, accounts, &mut looked).await,
            Ok(None) => {
                looked.guardduty = GuardDuty::NotEnabled;
                looked.sending = Some(HashSet::new());
                looked.problems.push(Problem::new(
                    Level::Problem,
                    "no_detector",
                    region,
                    "GuardDuty is not enabled in the hub's account",
                    format!("aws guardduty create-detector --enable --finding-publishing-frequency FIFTEEN_MINUTES --region {region}"),
                ));
            }
            Err(error) => looked.problems.push(self.unread(region, "whether GuardDuty is enabled", &error)),
        }
        looked
    }

    /// A question that AWS did not answer: the resource is neither present nor missing.
    fn unread(&self, region: &Region, what: &str, error: &CallError) -> Problem {
        Problem::new(
            Level::Problem,
            "guardduty_unreadable",
            region,
            format!("{what} could not be read: {error}"),
            crate::aws::hub_hint(error, self.hub.identity()),
        )
    }

    async fn detector(&self, region: &Region, detector: &str, accounts: &[Account], looked: &mut Looked) {
        let (state, members, findings, write_back) = futures::join!(
            self.hub.detector_state(region, detector),
            self.hub.members(region, detector),
            self.findings(region, detector),
            self.write_back(region, detector),
        );
        looked.problems.extend(write_back);
        looked.findings_read = findings.is_ok();
        match state {
            Ok(state) => {
                looked.guardduty = if state.enabled { GuardDuty::Enabled } else { GuardDuty::Suspended };
                looked.problems.extend(judged(region, detector, &state));
            }
            Err(error) => looked.problems.push(self.unread(region, "GuardDuty's detector", &error)),
        }
        let hub = &self.hub.identity().account;
        match members {
            Ok(members) => {
                let mut sending: HashSet<AccountId> = members
                    .iter()
                    .filter(|(_, status)| *status == "Enabled")
                    .map(|(account, _)| account.clone())
                    .collect();
                sending.insert(hub.clone());
                // A suspended detector has nothing from anybody.
                looked.sending = match looked.guardduty {
                    GuardDuty::Enabled => Some(sending),
                    GuardDuty::Suspended | GuardDuty::NotEnabled => Some(HashSet::new()),
                    GuardDuty::Unknown => None,
                };
                looked.problems.extend(not_sending(region, detector, hub, accounts, &members));
            }
            Err(error) => {
                looked.problems.push(self.unread(region, "which accounts send their findings", &error));
            }
        }
        if let Err(error) = findings {
            looked.problems.push(self.unread(region, "GuardDuty's findings", &error));
        }
    }

    /// Reads findings as the service does.
    async fn findings(&self, region: &Region, detector: &str) -> Result<(), CallError> {
        let query = FindingQuery { kinds: &FindingKinds::All, updated_since: None };
        let (ids, _) = self.hub.list_findings(region, detector, &query, None).await?;
        // There is no finding with this id, which does not matter: the question is whether it may be read.
        let id = ids.into_iter().next().unwrap_or_else(|| "0".repeat(32));
        match self.hub.get_findings(region, detector, vec![id]).await {
            Err(error) if error.kind != ErrorKind::Refused => Err(error),
            _ => Ok(()),
        }
    }
}

/// What is wrong with a detector.
fn judged(region: &Region, detector: &str, state: &Detector) -> Vec<Problem> {
    let update = |what: &str| {
        format!("aws guardduty update-detector --detector-id {detector} {what} --region {region}")
    };
    let mut problems = Vec::new();
    if !state.enabled {
        problems.push(Problem::new(
            Level::Problem,
            "detector_off",
            region,
            "GuardDuty's detector in the hub's account is suspended",
            update("--enable"),
        ));
    }
    if let Some(frequency) = state.frequency.as_ref().filter(|frequency| *frequency != "FIFTEEN_MINUTES") {
        let every = if frequency == "ONE_HOUR" { "every hour" } else { "every six hours" };
        problems.push(Problem::new(
            Level::Warning,
            "publishing_frequency",
            region,
            format!("GuardDuty publishes repeated activity only {every}: rescind learns that late that a stolen key is used again"),
            update("--finding-publishing-frequency FIFTEEN_MINUTES"),
        ));
    }
    problems
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
            let status =
                if status == "no member" { status.to_owned() } else { format!("{status:?}, not Enabled") };
            problems.push(Problem::new(
                Level::Problem,
                "member_not_enabled",
                &account.id,
                format!("GuardDuty in {region} does not get the account's findings: {status}"),
                format!("aws guardduty update-organization-configuration --detector-id {detector} --auto-enable-organization-members ALL --region {region}"),
            ));
        }
    }
    problems
}
