//! Who may do what, by the grants of the configuration.

use crate::config::{Grant, OuId, WebRole};
use crate::ident::AccountId;
use crate::identity::{Identity, principal_of};
use crate::ledger::{LedgerError, Reader};
use std::collections::BTreeMap;

/// What somebody may do, and where.
#[derive(Debug, Clone, Default)]
pub(super) struct Access {
    /// The role that they have for every account.
    everywhere: Option<WebRole>,
    /// Grants for some accounts only.
    some: Vec<Grant>,
}

impl Access {
    /// By the grants that name somebody. `groups` are those that the OpenID provider says.
    pub fn of(grants: &[Grant], identity: &Identity, groups: &[String]) -> Self {
        let theirs = grants.iter().filter(|grant| is_for(grant, identity, groups));
        let (all, some): (Vec<&Grant>, Vec<&Grant>) = theirs.partition(|grant| grant.is_everywhere());
        Self {
            everywhere: all.iter().map(|grant| grant.role).max(),
            some: some.into_iter().cloned().collect(),
        }
    }

    /// Whoever runs a program on this machine may read, where nobody can prove who they are.
    pub fn reads_everything() -> Self {
        Self { everywhere: Some(WebRole::Viewer), some: Vec::new() }
    }

    /// The highest role that they have somewhere; none when they may do nothing.
    pub fn highest(&self) -> Option<WebRole> {
        self.some.iter().map(|grant| grant.role).chain(self.everywhere).max()
    }

    /// They may read about every account, and about what is of none.
    pub fn sees_everything(&self) -> bool {
        self.everywhere >= Some(WebRole::Viewer)
    }

    /// What they may do in each account.
    ///
    /// # Errors
    /// When the ledger cannot be read, which knows the OUs of accounts.
    pub fn places(&self, reader: &Reader) -> Result<Places, LedgerError> {
        let mut roles: BTreeMap<AccountId, WebRole> = BTreeMap::new();
        let mut give = |account: &AccountId, role: WebRole| {
            let known = roles.entry(account.clone()).or_insert(role);
            *known = (*known).max(role);
        };
        for grant in &self.some {
            grant.accounts.iter().for_each(|account| give(account, grant.role));
        }
        if self.some.iter().any(|grant| !grant.ous.is_empty()) {
            // An account whose OUs are not known is in none of them.
            for (account, placement) in reader.placements()? {
                let ous = placement.ous.unwrap_or_default();
                let is_in = |ou: &OuId| ous.iter().any(|id| id == ou.as_str());
                for grant in self.some.iter().filter(|grant| grant.ous.iter().any(is_in)) {
                    give(&account, grant.role);
                }
            }
        }
        Ok(Places { everywhere: self.everywhere, roles })
    }
}

/// What somebody may do in each account.
#[derive(Debug, Clone)]
pub(super) struct Places {
    everywhere: Option<WebRole>,
    roles: BTreeMap<AccountId, WebRole>,
}

impl Places {
    /// They have this role, or a higher one, for the account.
    pub fn allow(&self, role: WebRole, account: &AccountId) -> bool {
        let own = self.roles.get(account).copied();
        self.everywhere.max(own).is_some_and(|own| own >= role)
    }

    /// They have this role, or a higher one, for every account: for what is about none.
    pub fn allow_everywhere(&self, role: WebRole) -> bool {
        self.everywhere.is_some_and(|own| own >= role)
    }

    /// The accounts that they may read about; none for all.
    pub fn shown(&self) -> Option<Vec<AccountId>> {
        if self.allow_everywhere(WebRole::Viewer) { None } else { Some(self.roles.keys().cloned().collect()) }
    }

    /// They may read what is about this account, or about none.
    pub fn show(&self, account: Option<&AccountId>) -> bool {
        match account {
            Some(account) => self.allow(WebRole::Viewer, account),
            None => self.allow_everywhere(WebRole::Viewer),
        }
    }
}

fn is_for(grant: &Grant, identity: &Identity, groups: &[String]) -> bool {
    match identity {
        Identity::Oidc { subject, .. } => {
            grant.subjects.contains(subject) || grant.groups.iter().any(|group| groups.contains(group))
        }
        Identity::Aws { arn, .. } => {
            let principal = principal_of(arn);
            grant.arns.iter().any(|glob| glob.matches(&principal))
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::config::Glob;

    fn grant(role: WebRole) -> Grant {
        Grant {
            role,
            groups: Vec::new(),
            subjects: Vec::new(),
            arns: Vec::new(),
            accounts: Vec::new(),
            ous: Vec::new(),
        }
    }

    fn oidc(subject: &str) -> Identity {
        Identity::Oidc { issuer: "https://id.example".to_owned(), subject: subject.to_owned(), name: None }
    }

    fn places(access: &Access) -> Places {
        let roles = access
            .some
            .iter()
            .flat_map(|grant| grant.accounts.iter().map(|account| (account.clone(), grant.role)));
        Places { everywhere: access.everywhere, roles: roles.collect() }
    }

    #[test]
    fn a_grant_is_for_whom_it_names_and_where() {
        let shop: AccountId = "222222222222".parse().expect("an account");
        let bank: AccountId = "333333333333".parse().expect("an account");
        let grants = [
            Grant { groups: vec!["security".to_owned()], ..grant(WebRole::Viewer) },
            Grant {
                subjects: vec!["alice".to_owned()],
                accounts: vec![shop.clone()],
                ..grant(WebRole::Approver)
            },
        ];
        let alice = places(&Access::of(&grants, &oidc("alice"), &["security".to_owned()]));
        assert!(alice.allow(WebRole::Approver, &shop) && !alice.allow(WebRole::Operator, &shop));
        assert!(alice.allow(WebRole::Viewer, &bank) && !alice.allow(WebRole::Approver, &bank));
        assert!(!alice.allow_everywhere(WebRole::Approver) && alice.show(None));
        let without_group = places(&Access::of(&grants, &oidc("alice"), &[]));
        assert!(without_group.allow(WebRole::Approver, &shop) && !without_group.show(Some(&bank)));
        assert!(!without_group.show(None));
        // A group's name is no subject, and the other way round.
        assert_eq!(Access::of(&grants, &oidc("security"), &["alice".to_owned()]).highest(), None);
    }

    #[test]
    fn a_session_is_its_role_and_nothing_else_is() {
        let glob = |text: &str| Glob::try_from(text.to_owned()).expect("a pattern");
        let grants =
            [Grant { arns: vec![glob("arn:aws:iam::111111111111:role/Soar")], ..grant(WebRole::Operator) }];
        let of = |arn: &str| {
            let identity = Identity::Aws { arn: arn.to_owned(), user_id: String::new() };
            Access::of(&grants, &identity, &[]).highest()
        };
        assert_eq!(of("arn:aws:sts::111111111111:assumed-role/Soar/run-1"), Some(WebRole::Operator));
        for other in [
            "arn:aws:sts::111111111111:assumed-role/SoarX/run-1",
            "arn:aws:sts::222222222222:assumed-role/Soar/run-1",
            "arn:aws:sts::111111111111:federated-user/Soar",
            "arn:aws:iam::111111111111:user/Soar",
            "",
        ] {
            assert_eq!(of(other), None, "{other}");
        }
    }
}
