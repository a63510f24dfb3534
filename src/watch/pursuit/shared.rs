//! What the readings of all keys share.

use super::alerts;
use super::key::{KeyId, PursuedKey};
use super::list::{NotFollowed, PursuitList, is_pursued};
use super::places::Places;
use crate::alert::Alerts;
use crate::aws::AwsClock;
use crate::ident::Region;
use crate::ingest::IntakeSender;
use crate::ledger::{Ledger, LedgerError, Reader};
use crate::remediation::Remediation;
use crate::remedy::MemberAccess;
use crate::triage::Policy;
use std::collections::BTreeMap;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError, RwLock};
use std::time::Duration;

/// What the readings of all keys share.
pub(super) struct Shared {
    pub ledger: Ledger,
    pub reader: Reader,
    pub access: MemberAccess,
    pub alerts: Arc<Alerts>,
    pub clock: AwsClock,
    /// Where it hands over what has to be denied.
    pub intake: IntakeSender,
    /// Where calls are looked for, beside the region in which IAM's are seen.
    pub regions: RwLock<Vec<Region>>,
    pub list: Mutex<PursuitList>,
    pub places: Places,
}

impl Shared {
    pub fn list(&self) -> MutexGuard<'_, PursuitList> {
        self.list.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// The latest remediation because of which a key is pursued; none when it is not. One that is in an archive by now is
    /// over.
    ///
    /// # Errors
    /// When the ledger cannot be read.
    pub fn pursued_root(
        &self,
        key: &PursuedKey,
        policy: &Policy,
    ) -> Result<Option<Remediation>, LedgerError> {
        for root in key.roots.iter().rev() {
            match self.reader.remediation(root) {
                Ok(remediation) if is_pursued(&remediation, policy) => return Ok(Some(remediation)),
                Ok(_) | Err(LedgerError::Unknown { .. } | LedgerError::BadRow { .. }) => {}
                Err(error) => return Err(error),
            }
        }
        Ok(None)
    }

    /// Raises which keys are not followed.
    ///
    /// # Errors
    /// When the ledger fails.
    pub async fn raise_dropped(&self, dropped: &[(String, String, NotFollowed)]) -> Result<(), LedgerError> {
        let mut by_root: BTreeMap<&str, Vec<(&str, NotFollowed)>> = BTreeMap::new();
        for (root, key, why) in dropped {
            by_root.entry(root).or_default().push((key, *why));
        }
        for (root, keys) in by_root {
            let remediation = self.reader.remediation(root)?;
            if let Some(alert) = alerts::not_followed(&remediation, &keys) {
                self.alerts.raise_alert(alert).await?;
            }
        }
        Ok(())
    }

    /// The reading of a key is over: when the next one is due.
    pub fn is_read(&self, id: &KeyId, longest: Duration) {
        let mut list = self.list();
        let Some(key) = list.key_mut(id) else { return };
        key.looks = key.looks.saturating_add(1);
        key.is_busy = false;
        let pause = key.pause(longest);
        list.put_off(id, pause);
    }

    /// The watched regions, and the one in which IAM's own calls are seen.
    pub fn regions(&self, key: &PursuedKey, policy: &Policy) -> Vec<Region> {
        let mut regions = self.regions.read().unwrap_or_else(PoisonError::into_inner).clone();
        let global = policy.partition.main_region().parse().ok();
        regions.extend(global.filter(|global| !regions.contains(global)));
        // Where it was seen last first.
        regions.sort_by_key(|region| !key.read.contains_key(region));
        regions
    }

    /// All regions were read from the beginning that was known then.
    pub fn note_whole(&self, read: &PursuedKey) {
        if let Some(key) = self.list().key_mut(&read.id)
            && key.since == read.since
        {
            key.is_wide = false;
        }
    }

    pub fn note_read(&self, key: &PursuedKey, region: &Region) {
        if let Some(key) = self.list().key_mut(&key.id) {
            key.failures.remove(region);
        }
    }

    /// One failure more in a row; gives how many there are.
    pub fn note_failure(&self, key: &PursuedKey, region: &Region) -> u32 {
        let mut list = self.list();
        let Some(key) = list.key_mut(&key.id) else { return 0 };
        let failures = key.failures.entry(region.clone()).or_default();
        *failures = failures.saturating_add(1);
        *failures
    }
}
