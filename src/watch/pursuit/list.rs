//! The keys that are pursued, by what the ledger says.

use super::key::{KeyId, PursuedKey};
use super::opened;
use crate::config::Pursue;
use crate::finding::{Finding, UserType};
use crate::ledger::{LedgerError, Reader};
use crate::org::Snapshot;
use crate::remediation::{Entry, Event, Remediation, State, Trace};
use crate::triage::Policy;
use jiff::{SignedDuration, Timestamp};
use std::collections::HashMap;
use std::time::{Duration, Instant};

/// Maximum number of principals on the way from the stolen credentials to a key whose calls are read.
pub(super) const DEEPEST: usize = 5;

/// Maximum number of keys that are read because of one remediation.
pub(super) const WIDEST: usize = 100;

/// Time before an order from which on calls are read, where it does not say when the theft began: as long as the longest
/// session lives (GetSessionToken: 36 hours).
const BEFORE_ORDER: SignedDuration = SignedDuration::from_hours(36);

/// Time before the first use that GuardDuty saw from which on calls are read.
const BEFORE: SignedDuration = SignedDuration::from_hours(1);

/// Time for which decisions are looked back at after a start.
const LOOKED_BACK: SignedDuration = SignedDuration::from_hours(31 * 24);

/// Maximum number of entries that are read at once.
const SOME: usize = 500;

/// The keys that are pursued.
#[derive(Debug, Default)]
pub(super) struct PursuitList {
    /// The last entry that was read.
    seq: i64,
    keys: HashMap<KeyId, PursuedKey>,
    /// The addresses at which the thief was seen, by remediation.
    addresses: HashMap<String, Vec<String>>,
    /// What the ledger had at the start was read.
    is_live: bool,
    /// The keys that were found since and are not followed: the remediation, the key, why.
    dropped: Vec<(String, String, NotFollowed)>,
}

/// Why a key that a thief holds is not read.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum NotFollowed {
    /// It is too far away from the stolen credentials.
    Depth,
    /// There are too many.
    Width,
}

impl PursuitList {
    /// Takes what the ledger has since the last time.
    ///
    /// # Errors
    /// When the ledger cannot be read.
    pub fn update(&mut self, reader: &Reader) -> Result<(), LedgerError> {
        if self.seq == 0 {
            let since = Timestamp::now().saturating_sub(LOOKED_BACK).unwrap_or(Timestamp::MIN);
            self.seq = reader.last_before(since)?;
        }
        let mut organization = None;
        loop {
            let entries = reader.pursuit_entries(self.seq, SOME)?;
            let is_all = entries.len() < SOME;
            if organization.is_none() && !entries.is_empty() {
                organization = reader.organization()?;
            }
            for entry in entries {
                self.seq = entry.seq;
                self.take(entry, reader, organization.as_ref())?;
            }
            if is_all {
                self.is_live = true;
                return Ok(());
            }
        }
    }

    fn take(
        &mut self,
        entry: Entry,
        reader: &Reader,
        organization: Option<&Snapshot>,
    ) -> Result<(), LedgerError> {
        let Some(remediation) = entry.takes_care().map(str::to_owned).or(entry.subject.remediation) else {
            return Ok(());
        };
        match entry.event {
            // What was opened is known by the reading that found it.
            Event::Decision { incident: Some(_), .. } => {}
            Event::Decision { occurrence, .. } => {
                if let Some(Event::Finding { finding, .. }) = reader.seen(&occurrence)?.map(|seen| seen.event)
                {
                    self.stolen(&remediation, &finding);
                }
            }
            Event::Trace(trace) => self.traced(&remediation, &trace, organization),
            // Now it may be time.
            Event::Accepted { .. } | Event::Refused(_) | Event::PursuitAsked(_) => self.hasten(&remediation),
            _ => {}
        }
        Ok(())
    }

    /// The credentials that a finding of GuardDuty is about.
    fn stolen(&mut self, remediation: &str, finding: &Finding) {
        let addresses = self.addresses.entry(remediation.to_owned()).or_default();
        addresses.extend(finding.evidence.remote_ip.clone().filter(|ip| !addresses.contains(ip)));
        let Some(principal) = &finding.principal else { return };
        let Some(access_key) = principal.access_key_id.as_deref() else { return };
        if finding.derived().is_some() || !access_key.bytes().all(|b| b.is_ascii_alphanumeric()) {
            return;
        }
        let id = KeyId { account: finding.account.clone(), access_key: access_key.into() };
        let order = finding.cause.order().map(|_| finding.updated_at.saturating_sub(BEFORE_ORDER));
        let unknown = order.transpose().ok().flatten().unwrap_or(finding.last_seen());
        let first = finding.evidence.first_seen.unwrap_or(unknown).min(finding.last_seen());
        let since = first.saturating_sub(BEFORE).unwrap_or(Timestamp::MIN);
        let is_users = !principal.user_type.is_role() || principal.user_type == UserType::FederatedUser;
        if let Some(key) = self.keys.get_mut(&id) {
            key.stolen_again(remediation, since, finding.last_seen());
            // And so is what was opened with it.
            let is_from = |key: &&mut PursuedKey| key.chain.iter().any(|link| link.access_key == access_key);
            self.keys.values_mut().filter(is_from).for_each(|key| key.add_root(remediation));
            return;
        }
        let last_seen = finding.last_seen();
        let key = PursuedKey { last_seen, is_users, ..PursuedKey::new(id.clone(), remediation, since) };
        self.keys.insert(id, key);
    }

    /// What a reading recorded: how far it came, and the keys that it found. In an account outside the organization there
    /// is nothing to be read.
    fn traced(&mut self, remediation: &str, trace: &Trace, organization: Option<&Snapshot>) {
        let id = KeyId { account: trace.account.clone(), access_key: trace.access_key.as_str().into() };
        let Some(key) = self.keys.get_mut(&id) else { return };
        key.take(trace);
        let key = key.clone();
        let addresses = self.addresses(&key);
        for activity in &trace.activities {
            let Some(found) = opened::opened(&key, activity, &addresses) else { continue };
            let is_ours = organization.is_some_and(|all| all.account(&found.id.account).is_some());
            if !is_ours || self.keys.contains_key(&found.id) {
                continue;
            }
            match self.follows(&found) {
                Ok(()) => {
                    self.keys.insert(found.id.clone(), found);
                }
                Err(why) if self.is_live => {
                    self.dropped.push((remediation.to_owned(), found.id.access_key.to_string(), why));
                }
                Err(_) => {}
            }
        }
    }

    /// Whether a key that was found is read as well. What may be the legitimate user's takes no place from the thief's.
    fn follows(&self, found: &PursuedKey) -> Result<(), NotFollowed> {
        if found.depth() > DEEPEST {
            return Err(NotFollowed::Depth);
        }
        let is_beside = |key: &&PursuedKey| {
            !key.chain.is_empty()
                && key.elsewhere.is_some() == found.elsewhere.is_some()
                && key.roots.iter().any(|root| found.roots.contains(root))
        };
        if self.keys.values().filter(is_beside).count() >= WIDEST {
            return Err(NotFollowed::Width);
        }
        Ok(())
    }

    /// The keys that were found and are not followed since this was asked last.
    pub fn take_dropped(&mut self) -> Vec<(String, String, NotFollowed)> {
        std::mem::take(&mut self.dropped)
    }

    /// Those that came from this remediation are due now.
    fn hasten(&mut self, remediation: &str) {
        for key in self.keys.values_mut().filter(|key| key.roots.iter().any(|root| root == remediation)) {
            key.next = Instant::now();
        }
    }

    /// The addresses at which the thief was seen.
    pub fn addresses(&self, key: &PursuedKey) -> Vec<String> {
        key.roots.iter().filter_map(|root| self.addresses.get(root)).flatten().cloned().collect()
    }

    /// The key, as it is known now.
    pub fn key_mut(&mut self, id: &KeyId) -> Option<&mut PursuedKey> {
        self.keys.get_mut(id)
    }

    /// Those that are due, and not being read: those that were never read first, and of these the one that waits longest.
    /// What may be the legitimate user's comes last.
    pub fn due(&self) -> Vec<PursuedKey> {
        let now = Instant::now();
        let is_due = |key: &&PursuedKey| !key.ended && !key.is_busy && key.next <= now;
        let mut due: Vec<PursuedKey> = self.keys.values().filter(is_due).cloned().collect();
        due.sort_by_key(|key| (key.elsewhere.is_some(), key.looks > 0, key.next));
        due
    }

    /// It is not read for now.
    pub fn put_off(&mut self, id: &KeyId, pause: Duration) {
        if let Some(key) = self.keys.get_mut(id) {
            key.next = Instant::now() + pause;
        }
    }

    /// How many are pursued.
    pub fn count(&self) -> usize {
        self.keys.values().filter(|key| !key.ended).count()
    }
}

/// Whether the credentials of this remediation are pursued: it was carried out, or could not be, or a person asked for
/// it.
pub(super) fn is_pursued(remediation: &Remediation, policy: &Policy) -> bool {
    if policy.pursue(remediation.rule.as_deref()) == Pursue::Off {
        return false;
    }
    let is_tried =
        || remediation.history.first_accepted.is_some() || !remediation.history.refusals.is_empty();
    match remediation.state {
        State::Held | State::Rejected => remediation.history.is_pursuit_asked || is_tried(),
        State::Queued | State::Approved | State::Revoking => is_tried(),
        State::Released => false,
        _ => true,
    }
}
