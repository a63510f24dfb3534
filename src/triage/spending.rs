//! What has been begun within the last hour: the ledger's history, as far as budgets look at it.

use crate::config::Budget;
use crate::ident::{AccountId, RoleName};
use crate::ledger::Begun;
use jiff::{SignedDuration, Timestamp};
use std::collections::{BTreeMap, HashMap};

/// How far back budgets look.
pub const WINDOW: SignedDuration = SignedDuration::from_hours(1);

/// The remediations that were begun of late. It is asked about one more, and told when one is begun.
#[derive(Debug, Clone, Default)]
pub struct Spending {
    /// By account: when, which remediation, for which role (in lower case).
    by_account: HashMap<AccountId, BTreeMap<(Timestamp, String), String>>,
}

/// A budget that is used up.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Tripped {
    /// That of the account.
    Account {
        /// How many there were within the hour.
        begun: usize,
    },
    /// That of the organization.
    Organization {
        /// How many there were within the hour.
        begun: usize,
    },
    /// The share of the account's roles.
    Roles {
        /// This one included.
        roles: usize,
        /// How many roles the account has, if that could be read.
        of: Option<usize>,
        /// How many it may be.
        most: usize,
    },
}

impl Spending {
    /// One was begun.
    pub fn add(&mut self, begun: Begun) {
        self.by_account
            .entry(begun.account)
            .or_default()
            .insert((begun.at, begun.remediation), begun.role_key);
    }

    /// One was not carried out after all.
    pub fn take_back(&mut self, account: &AccountId, remediation: &str) {
        if let Some(of_account) = self.by_account.get_mut(account) {
            of_account.retain(|(_, id), _| id != remediation);
        }
    }

    /// Forgets what no budget looks at any more.
    pub fn forget(&mut self, now: Timestamp) {
        self.by_account.retain(|_, of_account| {
            of_account.retain(|(at, _), _| is_recent(*at, now));
            !of_account.is_empty()
        });
    }

    /// Whether one more may be begun in `account` now.
    ///
    /// # Errors
    /// The budget that is used up.
    pub fn allows(&self, account: &AccountId, budget: &Budget, now: Timestamp) -> Result<(), Tripped> {
        let recent = |of_account: &BTreeMap<(Timestamp, String), String>| {
            of_account.keys().filter(|(at, _)| is_recent(*at, now)).count()
        };
        let begun = self.by_account.get(account).map_or(0, recent);
        if begun >= budget.account_per_hour as usize {
            return Err(Tripped::Account { begun });
        }
        let begun = self.by_account.values().map(recent).sum();
        if begun >= budget.organization_per_hour as usize {
            return Err(Tripped::Organization { begun });
        }
        Ok(())
    }

    /// Which of the account's roles this one is, counted from 1, in the order in which they were
    /// begun within the hour.
    #[must_use]
    pub fn place(&self, account: &AccountId, role: &RoleName, now: Timestamp) -> usize {
        let mut before = Vec::new();
        for ((at, _), key) in self.by_account.get(account).into_iter().flatten() {
            if *key == role.key() {
                break;
            }
            if is_recent(*at, now) && !before.contains(&key) {
                before.push(key);
            }
        }
        before.len() + 1
    }
}

fn is_recent(at: Timestamp, now: Timestamp) -> bool {
    now.duration_since(at) < WINDOW
}

/// How many of an account's roles may be revoked within the hour: a share of them, and always one.
#[must_use]
pub fn most_roles(of: usize, budget: &Budget) -> usize {
    (of * budget.roles_percent.0 as usize / 100).max(1)
}

impl Tripped {
    /// Its name in the ledger.
    #[must_use]
    pub fn code(&self) -> &'static str {
        match self {
            Self::Account { .. } => "budget_account",
            Self::Organization { .. } => "budget_organization",
            Self::Roles { .. } => "budget_roles",
        }
    }
}

impl std::fmt::Display for Tripped {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        match self {
            Self::Account { begun } => {
                write!(
                    f,
                    "{begun} remediation(s) were begun in this account within the hour, and the budget allows no more"
                )
            }
            Self::Organization { begun } => {
                write!(
                    f,
                    "{begun} remediation(s) were begun in the organization within the hour, and the budget allows no more"
                )
            }
            Self::Roles { roles, of: Some(of), most } => {
                write!(
                    f,
                    "it would be role {roles} of {of} in this account within the hour, and the budget allows {most}"
                )
            }
            Self::Roles { roles, of: None, most } => write!(
                f,
                "it would be role {roles} in this account within the hour, the budget allows {most}, and how many roles it has cannot be read"
            ),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn time(minute: i8) -> Timestamp {
        format!("2026-11-22T10:{minute:02}:00Z").parse().expect("a time")
    }

    fn begun(id: &str, account: &str, role: &str, minute: i8) -> Begun {
        Begun {
            remediation: id.to_owned(),
            account: account.parse().expect("legal"),
            role_key: role.to_owned(),
            at: time(minute),
        }
    }

    const SHOP: &str = "222222222222";
    const BANK: &str = "333333333333";

    #[test]
    fn an_hour_in_one_account_and_in_all() {
        let budget = Budget { account_per_hour: 2, organization_per_hour: 3, ..Budget::default() };
        let mut spending = Spending::default();
        let (shop, bank) = (SHOP.parse().expect("legal"), BANK.parse().expect("legal"));
        spending.add(begun("r-1", SHOP, "a", 0));
        assert_eq!(spending.allows(&shop, &budget, time(1)), Ok(()));
        spending.add(begun("r-2", SHOP, "b", 10));
        assert_eq!(spending.allows(&shop, &budget, time(20)), Err(Tripped::Account { begun: 2 }));
        assert_eq!(spending.allows(&bank, &budget, time(20)), Ok(()));
        spending.add(begun("r-3", BANK, "a", 20));
        assert_eq!(spending.allows(&bank, &budget, time(20)), Err(Tripped::Organization { begun: 3 }));
        // The same one twice counts once; and an hour later the first is forgotten.
        spending.add(begun("r-3", BANK, "a", 20));
        let later = "2026-11-22T11:00:00Z".parse().expect("a time");
        assert_eq!(spending.allows(&shop, &budget, later), Ok(()));
        spending.take_back(&bank, "r-3");
        assert_eq!(spending.allows(&bank, &budget, time(20)), Ok(()));
    }

    #[test]
    fn the_place_among_the_roles_of_the_hour() {
        let mut spending = Spending::default();
        let shop = SHOP.parse().expect("legal");
        for (id, role, minute) in [("r-1", "a", 0), ("r-2", "b", 1), ("r-3", "a", 2), ("r-4", "c", 3)] {
            spending.add(begun(id, SHOP, role, minute));
        }
        let place = |role: &str| spending.place(&shop, &role.parse().expect("legal"), time(5));
        assert_eq!((place("A"), place("b"), place("c"), place("d")), (1, 2, 3, 4));
        assert_eq!((most_roles(9, &Budget::default()), most_roles(25, &Budget::default())), (1, 2));
    }
}
