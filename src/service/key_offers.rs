//! Keys that other hosts offer: the key of the host that leads signs for them, and a person is notified.

use crate::alert::Alert;
use crate::ledger::note::PublicKey;
use crate::ledger::trust::KeySet;
use crate::ledger::{Append, HostSigner, Ledger, LedgerError, Reader};
use crate::remediation::{AlertCode, Draft, Event};
use std::sync::Mutex;
use std::sync::PoisonError;
use std::sync::atomic::{AtomicBool, Ordering};

/// Maximum number of offers that are looked at together.
const TOGETHER: usize = 100;

/// The offers that stand in the ledger.
#[derive(Debug, Default)]
pub(super) struct KeyOffers {
    /// The last one that was looked at.
    seen: Mutex<i64>,
    refused: AtomicBool,
}

impl KeyOffers {
    /// Signs for the keys that were offered since the last look, where that is in order.
    ///
    /// # Errors
    /// When the ledger cannot be read or written.
    pub async fn answer(
        &self,
        signer: &HostSigner,
        ledger: &Ledger,
        reader: &Reader,
    ) -> Result<(), LedgerError> {
        loop {
            let seen = *self.seen.lock().unwrap_or_else(PoisonError::into_inner);
            let offers = reader.of_kinds_after(&["key_offered"], seen, TOGETHER)?;
            let Some(last) = offers.last().map(|offer| offer.seq) else { return Ok(()) };
            for offer in offers {
                if let Event::KeyOffered { host, public_key, accepts } = &offer.event {
                    let append = self.one(signer, reader, host, public_key, accepts)?;
                    if !append.entries.is_empty() {
                        ledger.append(append).await?;
                    }
                }
            }
            *self.seen.lock().unwrap_or_else(PoisonError::into_inner) = last;
        }
    }

    fn one(
        &self,
        signer: &HostSigner,
        reader: &Reader,
        host: &str,
        offered: &str,
        accepts: &[String],
    ) -> Result<Append, LedgerError> {
        let (own, host) = (signer.public(), crate::ident::quoted(host));
        let set = KeySet::find(std::slice::from_ref(&own), &reader.named_keys()?);
        let Ok(key) = PublicKey::parse(offered) else {
            return Ok(self.refuse(&format!("host {host} offered a key that is none")));
        };
        if set.keys.contains(&key) {
            return Ok(Append::default());
        }
        // Whoever offers a key has it.
        let is_own = |note: &&String| set.keys.iter().any(|one| key.endorses(one, note));
        let accepts: Vec<String> = accepts.iter().filter(is_own).cloned().collect();
        let id = key.id();
        if accepts.is_empty() {
            return Ok(
                self.refuse(&format!("the offer of key {id}, as of host {host}, is not signed by that key"))
            );
        }
        if set.replaced.iter().any(|(_, gone)| *gone == key) {
            return Ok(self.refuse(&format!("host {host} offered the key {id}, which was replaced")));
        }
        if signer.is_remote() {
            let text = format!(
                "host {host} offered a key {id} of its own, and the host that leads signs with a key in KMS"
            );
            return Ok(self.refuse(&text));
        }
        let endorsed = Some(signer.endorse(&key)?);
        let event = Event::SigningKey { public_key: key.to_string(), endorsed, follows: None, accepts };
        let text = format!(
            "the key {id} of host {host} signs checkpoints from now on: the key {} has signed for it",
            own.id()
        );
        let what_to_do = "If you added that host, keep its public key with the others: `rescind ledger verify -o json` has all. If nobody added a host, somebody who can write to the log put a key in: docs/runbook.md, \"A key that nobody added\".";
        let alert = Alert::of_service(AlertCode::SigningKeyAdded, text, what_to_do).raised();
        Ok(Append { entries: vec![Draft::of_service(event), alert], ..Append::default() })
    }

    /// It counts for nothing. That is raised once: whoever can write to the log can offer many.
    fn refuse(&self, text: &str) -> Append {
        tracing::error!("{text}: it is not signed for");
        if self.refused.swap(true, Ordering::Relaxed) {
            return Append::default();
        }
        let what_to_do = "With KMS, give every host the same signing_key. Otherwise find out who can write to the log: docs/runbook.md, \"A key that nobody added\".";
        let alert = Alert::of_service(
            AlertCode::SigningKeyRefused,
            format!("{text}: it is not signed for"),
            what_to_do,
        );
        alert.raised().into()
    }
}
