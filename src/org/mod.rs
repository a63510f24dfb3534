//! The organization's accounts: a snapshot, and how old it is.

mod account_names;

pub use account_names::{AccountNames, named_account};

use crate::finding::Finding;
use crate::ident::AccountId;
use jiff::Timestamp;
use serde::{Deserialize, Serialize};
use std::collections::{BTreeMap, HashMap};
use std::fmt;

/// An account of the organization.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Account {
    /// The 12-digit id of the account.
    pub id: AccountId,
    /// Its name, for people.
    pub name: String,
    /// Where it is in its life.
    pub state: AccountState,
}

/// Where an account is in its life (Organizations API, `Account.State`).
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(from = "String", into = "String")]
pub enum AccountState {
    /// The account is in use (`ACTIVE`).
    Active,
    /// Anything else: suspended, closed, being opened or closed, or a state yet to be invented.
    Other(String),
}

impl From<String> for AccountState {
    fn from(text: String) -> Self {
        if text == "ACTIVE" { Self::Active } else { Self::Other(text) }
    }
}

impl From<AccountState> for String {
    fn from(state: AccountState) -> Self {
        state.to_string()
    }
}

impl fmt::Display for AccountState {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Active => f.pad("ACTIVE"),
            Self::Other(text) if text.is_empty() => f.pad("(no state)"),
            Self::Other(text) => f.pad(text),
        }
    }
}

/// Where an account stands in the organization, and how it is tagged.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Placement {
    /// The ids of the OUs that it is in, at every level, and of the root; none when that was not
    /// asked.
    pub ous: Option<Vec<String>>,
    /// The tags of the account itself; those of its OUs do not count.
    pub tags: BTreeMap<String, String>,
    /// When it was read.
    pub read_at: Timestamp,
    /// How it was tagged before, oldest first, each with when that was read last.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub earlier: Vec<EarlierTags>,
}

/// How an account was tagged before its tags were changed.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct EarlierTags {
    /// The tags.
    pub tags: BTreeMap<String, String>,
    /// When they were last read so.
    pub read_at: Timestamp,
}

/// Maximum number of changes of an account's tags that are kept. An account is read once a minute at most.
const MOST_EARLIER: usize = 20;

impl Placement {
    /// The same, with how the account was tagged at earlier readings.
    #[must_use]
    pub fn following(mut self, known: Option<&Self>) -> Self {
        let Some(known) = known else { return self };
        self.earlier.clone_from(&known.earlier);
        if known.tags != self.tags {
            self.earlier.push(EarlierTags { tags: known.tags.clone(), read_at: known.read_at });
        }
        // The latest are dropped: what was there before a theft must not be pushed out after it.
        self.earlier.truncate(MOST_EARLIER);
        self
    }

    /// The account's tags as they were read first after this time.
    #[must_use]
    pub fn tags_since(&self, time: Timestamp) -> &BTreeMap<String, String> {
        let first = self.earlier.iter().find(|earlier| earlier.read_at >= time);
        first.map_or(&self.tags, |earlier| &earlier.tags)
    }
}

/// The organization as it was at a moment.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Snapshot {
    accounts: HashMap<AccountId, Account>,
    /// The account that manages the organization. SCPs and StackSets do not reach it.
    pub management: AccountId,
    /// The accounts that may read the organization and act for it, where that could be read.
    pub delegated_administrators: Option<Vec<AccountId>>,
    /// The account that read it.
    pub read_by: AccountId,
    /// When it was read.
    pub read_at: Timestamp,
}

impl Snapshot {
    /// From what Organizations answered to the account `read_by`.
    #[must_use]
    pub fn new(
        accounts: Vec<Account>,
        management: AccountId,
        delegated_administrators: Option<Vec<AccountId>>,
        read_by: AccountId,
        read_at: Timestamp,
    ) -> Self {
        let accounts = accounts.into_iter().map(|a| (a.id.clone(), a)).collect();
        Self { accounts, management, delegated_administrators, read_by, read_at }
    }

    /// What is known before anything was read: nothing.
    #[must_use]
    pub fn never_read(hub: &AccountId) -> Self {
        Self::new(Vec::new(), hub.clone(), None, hub.clone(), Timestamp::UNIX_EPOCH)
    }

    /// All accounts, by their ids.
    #[must_use]
    pub fn accounts(&self) -> Vec<&Account> {
        let mut all: Vec<&Account> = self.accounts.values().collect();
        all.sort_by(|one, other| one.id.cmp(&other.id));
        all
    }

    /// The account with this id, if it is in the organization.
    #[must_use]
    pub fn account(&self, id: &AccountId) -> Option<&Account> {
        self.accounts.get(id)
    }

    /// Whether the call that a finding is about came from an account of the same organization: GuardDuty
    /// says so, or it is one of its active accounts.
    #[must_use]
    pub fn is_within(&self, finding: &Finding) -> bool {
        let evidence = &finding.evidence;
        let remote = evidence.remote_account.as_deref().and_then(|id| id.parse().ok());
        let known = remote.and_then(|id| self.account(&id));
        evidence.remote_account_affiliated == Some(true)
            || known.is_some_and(|account| account.state == AccountState::Active)
    }

    /// How many accounts there are, and how many of them are active.
    #[must_use]
    pub fn count(&self) -> (usize, usize) {
        let active = self.accounts.values().filter(|a| a.state == AccountState::Active).count();
        (self.accounts.len(), active)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_tags_that_were_there_when_a_theft_was_seen_are_known_whatever_is_changed_since() {
        let at = |second| Timestamp::from_second(second).expect("in range");
        let read = |value: &str, second| Placement {
            tags: [("mode".to_owned(), value.to_owned())].into(),
            read_at: at(second),
            ..Placement::default()
        };
        let mut now = read("a", 10);
        for (value, second) in [("a", 20), ("b", 30), ("b", 40), ("c", 50)] {
            now = read(value, second).following(Some(&now));
        }
        let seen = |second| now.tags_since(at(second))["mode"].clone();
        assert_eq!([5, 15, 20, 25, 40, 45, 60].map(seen), ["a", "a", "a", "b", "b", "c", "c"]);
        // A thief who changes them again and again pushes nothing out.
        for second in 60..200 {
            now = read(&second.to_string(), second).following(Some(&now));
        }
        assert_eq!((now.tags_since(at(15))["mode"].as_str(), now.earlier.len()), ("a", MOST_EARLIER));
    }
}
