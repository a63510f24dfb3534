//! The accounts that are looked at.

use super::{Doctor, LeftOut, Level, Problem};
use crate::config::{Mode, Selector};
use crate::ident::AccountId;
use crate::org::{Account, AccountState};
use jiff::Timestamp;
use std::collections::HashMap;

impl Doctor<'_> {
    /// The accounts that are active, those that an opt-out leaves out, and which one manages the organization; none
    /// when they cannot be listed.
    pub(super) async fn accounts(
        &self,
        problems: &mut Vec<Problem>,
    ) -> Option<(Vec<Account>, Vec<LeftOut>, AccountId)> {
        let (accounts, management) = match self.hub.organization().await {
            Ok(answer) => answer,
            Err(error) => {
                let fix = crate::aws::hub_hint(&error, self.hub.identity());
                problems.push(Problem::new(
                    Level::Problem,
                    "organization_unreadable",
                    "organization",
                    format!("the accounts cannot be listed: {error}"),
                    fix,
                ));
                return None;
            }
        };
        let known: HashMap<&AccountId, &Account> = accounts.iter().map(|one| (&one.id, one)).collect();
        for account in self.only.iter().filter(|account| !known.contains_key(account)) {
            problems.push(Problem::new(
                Level::Problem,
                "account_unknown",
                account,
                "there is no such account in the organization",
                "Check the account's id.",
            ));
        }
        for account in &self.only {
            let Some(account) = known.get(account).filter(|one| one.state != AccountState::Active) else {
                continue;
            };
            let text = "the account is not active: no role is assumed there";
            let fix = "Check the account in AWS Organizations.";
            problems.push(Problem::new(Level::Problem, "account_not_active", &account.id, text, fix));
        }
        let wanted = |account: &Account| self.only.is_empty() || self.only.contains(&account.id);
        let active = |account: &Account| account.state == AccountState::Active;
        let mut all: Vec<Account> =
            accounts.into_iter().filter(|account| active(account) && wanted(account)).collect();
        all.sort_by(|one, other| one.id.cmp(&other.id));
        let mut left_out = Vec::new();
        // An account that was asked for by its id is checked although an opt-out excludes it.
        all.retain(|account| match self.opted_out(&account.id).filter(|_| self.only.is_empty()) {
            Some(by) => {
                let text = format!("the opt-out {by:?} excludes the account: nothing is revoked there");
                let fix = format!("rescind opt-out explain --account {}", account.id);
                problems.push(Problem::new(Level::Note, "left_out", &account.id, text, fix));
                left_out.push(LeftOut { account: account.id.clone(), by });
                false
            }
            None => true,
        });
        Some((all, left_out, management))
    }

    /// The opt-out that leaves an account out as a whole, if there is one.
    fn opted_out(&self, account: &AccountId) -> Option<String> {
        let now = Timestamp::now();
        let all = self.opt_outs.all.iter();
        let whole = all.filter(|opt_out| {
            let Selector { accounts, ous, tags, roles, types, regions } = &opt_out.selects;
            let is_whole = ous.is_empty()
                && tags.is_empty()
                && roles.is_empty()
                && types.is_empty()
                && regions.is_empty();
            opt_out.mode >= Mode::Observe
                && is_whole
                && accounts.contains(account)
                && opt_out.days_left(now).is_none_or(|days| days >= 0)
        });
        whole.map(|opt_out| opt_out.name.clone()).next()
    }
}
