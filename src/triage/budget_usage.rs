//! What has been begun within the last hour: the ledger's history, as far as budgets look at it.

use crate::config::Budget;
use crate::ident::AccountId;
use crate::plural::counted;
use crate::remediation::{Begun, ReasonCode};
use jiff::{SignedDuration, Timestamp};
use std::collections::{BTreeMap, BTreeSet, HashMap, HashSet};

/// Period over which budgets count.
pub const WINDOW: SignedDuration = SignedDuration::from_hours(1);

/// The remediations that were begun of late. It is asked about one more, and counts each that is begun.
#[derive(Debug, Clone, Default)]
pub struct BudgetUsage {
    /// By account: when, which remediation, for which role (in lower case).
    by_account: HashMap<AccountId, BTreeMap<(Timestamp, String), String>>,
    /// All of them: it is asked for each finding, and there can be thousands.
    all: BTreeSet<(Timestamp, String, AccountId)>,
    /// Where each remediation stands in these.
    places: HashMap<String, (Timestamp, AccountId)>,
}

/// A budget that is used up.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum BudgetExceeded {
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
        /// Number of the account's roles that were begun within the hour, with the one that is asked about.
        roles: usize,
        /// How many roles the account has, if that could be read.
        of: Option<usize>,
        /// How many it may be.
        most: usize,
    },
}

impl BudgetUsage {
    /// One was begun. One that is begun again counts once, at its latest time.
    pub fn add(&mut self, begun: Begun) {
        let Begun { remediation, account, role_key, at } = begun;
        if let Some((at, account)) = self.places.remove(&remediation) {
            self.take(at, remediation.clone(), account);
        }
        self.places.insert(remediation.clone(), (at, account.clone()));
        self.all.insert((at, remediation.clone(), account.clone()));
        self.by_account.entry(account).or_default().insert((at, remediation), role_key);
    }

    /// This one is among them.
    #[must_use]
    pub fn has(&self, account: &AccountId, remediation: &str) -> bool {
        self.places.get(remediation).is_some_and(|(_, its)| its == account)
    }

    /// Forgets what no budget looks at any more.
    pub fn forget(&mut self, now: Timestamp) {
        while let Some((at, id, account)) = self.all.pop_first() {
            if is_recent(at, now) {
                self.all.insert((at, id, account));
                return;
            }
            self.places.remove(&id);
            self.take(at, id, account);
        }
    }

    fn take(&mut self, at: Timestamp, remediation: String, account: AccountId) {
        if let Some(of_account) = self.by_account.get_mut(&account) {
            of_account.remove(&(at, remediation.clone()));
            if of_account.is_empty() {
                self.by_account.remove(&account);
            }
        }
        self.all.remove(&(at, remediation, account));
    }

    /// Whether one more may be begun in `account` now.
    ///
    /// # Errors
    /// The budget that is used up.
    pub fn allows(&self, account: &AccountId, budget: &Budget, now: Timestamp) -> Result<(), BudgetExceeded> {
        self.below(account, budget.account_per_hour, budget.organization_per_hour, now)
    }

    /// Whether what was begun in `account` is within the budget.
    ///
    /// # Errors
    /// The budget that is exceeded.
    pub fn within(&self, account: &AccountId, budget: &Budget, now: Timestamp) -> Result<(), BudgetExceeded> {
        let more = |most: u32| most.saturating_add(1);
        self.below(account, more(budget.account_per_hour), more(budget.organization_per_hour), now)
    }

    fn below(&self, account: &AccountId, here: u32, all: u32, now: Timestamp) -> Result<(), BudgetExceeded> {
        let recent = |of_account: &BTreeMap<(Timestamp, String), String>| {
            of_account.keys().filter(|(at, _)| is_recent(*at, now)).count()
        };
        let begun = self.by_account.get(account).map_or(0, recent);
        if begun >= here as usize {
            return Err(BudgetExceeded::Account { begun });
        }
        // The oldest come first.
        let begun = self.all.len() - self.all.iter().take_while(|(at, ..)| !is_recent(*at, now)).count();
        if begun >= all as usize {
            return Err(BudgetExceeded::Organization { begun });
        }
        Ok(())
    }

    /// The accounts in which something was begun.
    pub fn accounts(&self) -> impl Iterator<Item = &AccountId> {
        self.by_account.keys()
    }

    /// Whether the role with this key may be the next of the account's roles within the hour. How many the account has
    /// is only needed when it is not the first.
    ///
    /// # Errors
    /// The share that is used up.
    pub fn allows_role(
        &self,
        account: &AccountId,
        key: &str,
        of: Option<usize>,
        budget: &Budget,
        now: Timestamp,
    ) -> Result<(), BudgetExceeded> {
        if budget.roles_percent.0 >= 100 {
            return Ok(());
        }
        let roles = 1 + self.other_roles(account, key, now);
        let most = (of.unwrap_or(0) * budget.roles_percent.0 as usize / 100).max(1);
        if roles <= most { Ok(()) } else { Err(BudgetExceeded::Roles { roles, of, most }) }
    }

    /// How many other roles of the account were begun within the hour.
    #[must_use]
    pub fn other_roles(&self, account: &AccountId, key: &str, now: Timestamp) -> usize {
        let of_account = self.by_account.get(account).into_iter().flatten();
        let keys: HashSet<&str> =
            of_account.filter(|((at, _), _)| is_recent(*at, now)).map(|(_, key)| key.as_str()).collect();
        keys.iter().filter(|other| **other != key).count()
    }
}

fn is_recent(at: Timestamp, now: Timestamp) -> bool {
    now.duration_since(at) < WINDOW
}

impl BudgetExceeded {
    /// The limit, in words.
    #[must_use]
    pub fn limit(&self, budget: &Budget) -> String {
        match self {
            Self::Account { .. } => format!("{} an hour in one account", budget.account_per_hour),
            Self::Organization { .. } => {
                format!("{} an hour in the organization", budget.organization_per_hour)
            }
            Self::Roles { .. } => format!("{} % of an account's roles an hour", budget.roles_percent.0),
        }
    }

    /// Its name in the ledger.
    #[must_use]
    pub fn code(&self) -> ReasonCode {
        match self {
            Self::Account { .. } => ReasonCode::BudgetAccount,
            Self::Organization { .. } => ReasonCode::BudgetOrganization,
            Self::Roles { .. } => ReasonCode::BudgetRoles,
        }
    }
}

impl std::fmt::Display for BudgetExceeded {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        match self {
            Self::Account { begun } => {
                write!(
                    f,
                    "{} begun in this account within the hour, and the budget allows no more",
                    counted(begun, "remediation")
                )
            }
            Self::Organization { begun } => {
                write!(
                    f,
                    "{} begun in the organization within the hour, and the budget allows no more",
                    counted(begun, "remediation")
                )
            }
            Self::Roles { roles, of: Some(of), most } => {
                write!(
                    f,
                    "hourly limit reached: role {roles} of {of} in this account, and the budget allows {most}"
                )
            }
            Self::Roles { roles, of: None, most } => write!(
                f,
                "hourly limit reached: role {roles} in this account, the budget allows {most}, and the number of its roles cannot be read"
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
        let mut usage = BudgetUsage::default();
        let (shop, bank) = (SHOP.parse().expect("legal"), BANK.parse().expect("legal"));
        usage.add(begun("r-1", SHOP, "a", 0));
        assert_eq!(usage.allows(&shop, &budget, time(1)), Ok(()));
        usage.add(begun("r-2", SHOP, "b", 10));
        assert_eq!(usage.allows(&shop, &budget, time(20)), Err(BudgetExceeded::Account { begun: 2 }));
        assert_eq!(usage.allows(&bank, &budget, time(20)), Ok(()));
        usage.add(begun("r-3", BANK, "a", 20));
        assert_eq!(usage.allows(&bank, &budget, time(20)), Err(BudgetExceeded::Organization { begun: 3 }));
        // The same one twice counts once; and an hour later the first is forgotten.
        usage.add(begun("r-3", BANK, "a", 21));
        assert_eq!(usage.allows(&bank, &budget, time(22)), Err(BudgetExceeded::Organization { begun: 3 }));
        assert!(usage.has(&bank, "r-3") && !usage.has(&shop, "r-3"));
        let later = "2026-11-22T11:00:00Z".parse().expect("a time");
        assert_eq!(usage.allows(&shop, &budget, later), Ok(()));
    }

    #[test]
    fn a_share_of_the_roles_and_always_one() {
        let budget = Budget::default();
        let mut usage = BudgetUsage::default();
        let shop = SHOP.parse().expect("legal");
        let allows = |usage: &BudgetUsage, role: &str, of| {
            usage.allows_role(&shop, &role.to_ascii_lowercase(), of, &budget, time(5)).is_ok()
        };
        assert!(allows(&usage, "a", None));
        usage.add(begun("r-1", SHOP, "a", 0));
        usage.add(begun("r-2", SHOP, "a", 2));
        // The same role again is no other role.
        assert!(allows(&usage, "A", None));
        assert!(!allows(&usage, "b", None) && !allows(&usage, "b", Some(19)));
        assert!(allows(&usage, "b", Some(20)));
    }
}
