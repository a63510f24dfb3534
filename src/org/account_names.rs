//! The names of the organization's accounts, for people.

use super::Snapshot;
use crate::ident::AccountId;
use crate::safe::line as clean;
use std::collections::BTreeMap;

/// Words before an account's id in a sentence.
const BEFORE: [&str; 3] = [" in ", " account ", "Account "];

/// The names of the accounts, as the organization was read last.
#[derive(Debug, Clone, Default)]
pub struct AccountNames(BTreeMap<AccountId, String>);

impl AccountNames {
    /// Those of a snapshot; none where none was made.
    #[must_use]
    pub fn new(snapshot: Option<&Snapshot>) -> Self {
        let snapshot = snapshot.map(Snapshot::accounts).unwrap_or_default();
        snapshot.into_iter().map(|one| (one.id.clone(), one.name.clone())).collect()
    }

    /// The name of an account, where it is known and says something.
    #[must_use]
    pub fn of(&self, account: &AccountId) -> Option<String> {
        let name = self.0.get(account)?.trim();
        (!name.is_empty()).then(|| name.to_owned())
    }

    /// The account with this id or this name, whichever case it is in.
    #[must_use]
    pub fn find(&self, text: &str) -> Vec<AccountId> {
        if let Ok(account) = text.parse() {
            return vec![account];
        }
        let is_it = |name: &str| name.trim().to_lowercase() == text.trim().to_lowercase();
        self.0.iter().filter(|(_, name)| is_it(name)).map(|(id, _)| id.clone()).collect()
    }

    /// A text with the names of accounts behind their ids. What stands in backticks stays as it is.
    #[must_use]
    pub fn in_text(&self, text: &str) -> String {
        let (mut out, mut rest) = (String::with_capacity(text.len()), text);
        while let Some(at) = rest.find(|c: char| c.is_ascii_digit()) {
            let (before, from) = rest.split_at(at);
            out.push_str(before);
            let length = from.find(|c: char| !c.is_ascii_digit()).unwrap_or(from.len());
            let (digits, after) = from.split_at(length);
            let is_id = BEFORE.iter().any(|word| out.ends_with(word) || out == word.trim_start());
            let is_text = out.matches('`').count().is_multiple_of(2);
            out.push_str(digits);
            let is_account = is_id && is_text && !after.starts_with([':', '/']);
            let account = digits.parse().ok().filter(|_| is_account);
            let name =
                account.and_then(|account| self.of(&account)).map(|name| format!(" ({})", clean(&name)));
            out.extend(name.filter(|name| !after.starts_with(name.as_str())));
            rest = after;
        }
        out + rest
    }

    /// An account in a sentence: `222222222222 (shop)`.
    #[must_use]
    pub fn in_words(&self, account: &AccountId) -> String {
        named_account(account.as_str(), self.of(account).as_deref())
    }
}

impl FromIterator<(AccountId, String)> for AccountNames {
    fn from_iter<I: IntoIterator<Item = (AccountId, String)>>(names: I) -> Self {
        Self(names.into_iter().collect())
    }
}

/// An account with its name, if it has one.
#[must_use]
pub fn named_account(account: &str, name: Option<&str>) -> String {
    match name {
        Some(name) => format!("{account} ({})", clean(name)),
        None => account.to_owned(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::org::{Account, AccountState};
    use jiff::Timestamp;

    #[test]
    fn accounts_have_their_names_in_sentences_and_not_in_commands() {
        let account = |id: &str, name: &str| Account {
            id: id.parse().expect("an id"),
            name: name.to_owned(),
            state: AccountState::Active,
        };
        let all = vec![account("222222222222", "shop"), account("333333333333", " ")];
        let hub = "111111111111".parse().expect("an id");
        let snapshot =
            Snapshot::new(all, hub, None, "111111111111".parse().expect("an id"), Timestamp::UNIX_EPOCH);
        let names = AccountNames::new(Some(&snapshot));
        for (text, expected) in [
            ("role web in 222222222222", "role web in 222222222222 (shop)"),
            ("role web in 222222222222, and", "role web in 222222222222 (shop), and"),
            ("role web in 222222222222 (shop)", "role web in 222222222222 (shop)"),
            ("Account 222222222222 is", "Account 222222222222 (shop) is"),
            ("in 333333333333", "in 333333333333"),
            ("in 2222222222222", "in 2222222222222"),
            (
                "arn:aws:iam::222222222222:role/web in 222222222222:x",
                "arn:aws:iam::222222222222:role/web in 222222222222:x",
            ),
            ("`rescind doctor --account 222222222222`", "`rescind doctor --account 222222222222`"),
            ("do `it in 222222222222`", "do `it in 222222222222`"),
        ] {
            assert_eq!(names.in_text(text), expected);
        }
    }
}
