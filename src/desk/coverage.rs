//! What is covered: which regions are watched, and what may be done in which account.

use crate::config::OptOut;
use crate::ident::{AccountId, Region};
use crate::ingest::Health;
use crate::ledger::{LedgerError, PageWanted, Reader};
use crate::org::{AccountState, Placement};
use crate::service::Live;
use jiff::Timestamp;
use schemars::JsonSchema;
use serde::Serialize;
use std::collections::BTreeMap;

/// What is covered, as far as the ledger and the service know.
#[derive(Debug, Clone, Serialize, JsonSchema)]
pub struct Coverage {
    /// The regions that were ever watched.
    pub regions: Vec<RegionCoverage>,
    /// The accounts of the organization, by their ids.
    pub accounts: Vec<AccountCoverage>,
    /// When the organization was read; none when it never was.
    pub read_at: Option<Timestamp>,
}

/// A region whose findings are read.
#[derive(Debug, Clone, Serialize, JsonSchema)]
pub struct RegionCoverage {
    /// The region.
    pub region: Region,
    /// Since when it is watched.
    pub since: Option<Timestamp>,
    /// How its polls are doing; none when no service polls it now.
    pub health: Option<Health>,
}

/// An account of the organization.
#[derive(Debug, Clone, Serialize, JsonSchema)]
pub struct AccountCoverage {
    /// The account.
    pub account: AccountId,
    /// Its name, for people.
    pub name: String,
    /// Where it is in its life: `ACTIVE`, or another word of Organizations.
    pub state: String,
    /// It manages the organization: service control policies do not reach it.
    pub is_management: bool,
    /// The OUs that it is in, at every level; none when they were not read.
    pub ous: Option<Vec<String>>,
    /// The opt-outs that are for all of it or for a part of it, by name. Those by OU or tag are among them where the
    /// account's placement is known.
    pub opt_outs: Vec<String>,
    /// The latest remediation in it.
    pub latest: Option<String>,
    /// A remediation in it had its deny accepted: the remediation role was there and worked.
    pub has_worked: bool,
}

impl Coverage {
    /// As the ledger has it, with the status of a running service.
    ///
    /// # Errors
    /// When the ledger cannot be read.
    pub fn read(reader: &Reader, live: Option<&Live>, now: Timestamp) -> Result<Self, LedgerError> {
        let mut regions = Vec::new();
        for region in reader.watched()? {
            let since = reader.watched_since(&region)?;
            let health = live.and_then(|live| live.regions.get(&region)).cloned();
            regions.push(RegionCoverage { region, since, health });
        }
        let Some(organization) = reader.organization()? else {
            return Ok(Self { regions, accounts: Vec::new(), read_at: None });
        };
        let (placements, opt_outs) = (reader.placements()?, reader.opt_outs()?);
        let in_force: Vec<&OptOut> = opt_outs.values().filter(|one| one.applies(now)).collect();
        let worked = reader.accounts_with_denies()?;
        let mut accounts = Vec::new();
        for account in organization.accounts() {
            let placement = placements.get(&account.id);
            let wanted = PageWanted { in_accounts: vec![account.id.to_string()], ..PageWanted::default() };
            accounts.push(AccountCoverage {
                is_management: account.id == organization.management,
                ous: placement.and_then(|placement| placement.ous.clone()),
                opt_outs: names(&in_force, &account.id, placement),
                latest: reader.latest(&wanted, 1)?.ids.pop(),
                has_worked: worked.contains(&account.id),
                name: account.name.clone(),
                state: account.state.to_string(),
                account: account.id.clone(),
            });
        }
        // What needs no look comes last.
        accounts.sort_by_key(|one| (one.state != AccountState::Active.to_string(), one.account.clone()));
        Ok(Self { regions, accounts, read_at: Some(organization.read_at) })
    }
}

fn names(in_force: &[&OptOut], account: &AccountId, placement: Option<&Placement>) -> Vec<String> {
    let nothing = BTreeMap::new();
    let ous = placement.and_then(|placement| placement.ous.as_deref()).unwrap_or_default();
    let tags = placement.map_or(&nothing, |placement| &placement.tags);
    let is_for = |opt_out: &&&OptOut| {
        let selects = &opt_out.selects;
        (selects.accounts.is_empty() || selects.accounts.contains(account))
            && (selects.ous.is_empty() || selects.ous.iter().any(|ou| ous.iter().any(|id| id == ou.as_str())))
            && selects.tags.iter().all(|(key, value)| tags.get(key).is_some_and(|own| value.matches(own)))
    };
    in_force.iter().filter(is_for).map(|one| one.name.clone()).collect()
}
