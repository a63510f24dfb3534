//! The remediations that are not finished: those that wait for a person, and those that are under way.

use super::whole::Whole;
use super::words::{Tone, When};
use crate::config::{Config, WebRole};
use crate::ledger::{LedgerError, Open, Reader};
use crate::remediation::State;
use crate::web::access::Places;

/// Maximum number of remediations, and of incidents, that are shown one by one.
pub(super) const SHOWN: usize = 50;

/// A remediation that is not finished.
pub(super) struct Item {
    pub id: String,
    pub state: State,
    pub tone: Tone,
    pub principal: String,
    pub account: String,
    pub account_name: String,
    pub why: String,
    pub opened: When,
    /// Until when it can be answered.
    pub answer_by: Option<When>,
    pub may_answer: bool,
}

/// What is not finished, what needs a person first; and how many of them are contested.
pub(super) fn unfinished(whole: &Whole, places: &Places) -> (Vec<Open>, usize) {
    let shown = whole.unfinished.iter().filter(|one| places.show(Some(&one.account)));
    let mut all: Vec<Open> = shown.cloned().collect();
    let contested = all.iter().filter(|one| one.state == State::Contested).count();
    all.sort_by_key(|one| match one.state {
        State::Held => 0,
        State::Blocked => 1,
        State::Contested => 2,
        State::Lost => 3,
        _ => 4,
    });
    (all, contested)
}

/// The first of them, what ends first first.
///
/// # Errors
/// When the ledger cannot be read.
pub(super) fn items(
    reader: &Reader,
    config: &Config,
    places: &Places,
    whole: &Whole,
    open: &[Open],
) -> Result<Vec<Item>, LedgerError> {
    let organization = whole.organization.as_ref();
    let mut items = Vec::new();
    for one in open.iter().take(SHOWN) {
        let remediation = whole.remediation(reader, &one.remediation)?;
        let account = &remediation.target.account;
        let name = organization.and_then(|all| all.account(account)).map(|one| one.name.clone());
        let is_held = remediation.state == State::Held;
        items.push(Item {
            state: remediation.state,
            tone: Tone::of(remediation.state),
            principal: remediation.target.principal(),
            account: account.to_string(),
            account_name: name.unwrap_or_default(),
            why: remediation.why().unwrap_or_default().to_owned(),
            opened: When::of(remediation.opened_at),
            answer_by: remediation.answer_by(config.approval_timeout).filter(|_| is_held).map(When::of),
            may_answer: is_held && places.allow(WebRole::Approver, account),
            id: remediation.id.clone(),
        });
    }
    // What ends first is first.
    items.sort_by_key(|item| (item.state != State::Held, item.answer_by.map(When::time)));
    Ok(items)
}
