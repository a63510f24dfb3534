//! Keys that other hosts offer: the key of the host that leads signs for them, and a person is notified.

use crate::alert::{Alert, Alerts};
use crate::ledger::note::PublicKey;
use crate::ledger::trust::{KeySet, notes_for};
use crate::ledger::{Append, HostSigner, Ledger, LedgerError, Reader};
use crate::plural::counted;
use crate::remediation::{AlertCode, Draft, Entry, Event};
use jiff::{SignedDuration, Timestamp};
use std::collections::HashSet;
use std::sync::{Mutex, PoisonError};
use std::time::{Duration, Instant};

/// Maximum number of offers in one look.
const TOGETHER: usize = 100;

/// Maximum number of keys that are signed for within [`INTERVAL`]. Hosts are few; whoever can write to the log can offer
/// any number.
const MOST: usize = 8;

const INTERVAL: SignedDuration = SignedDuration::from_hours(1);

/// Time until offers that wait are looked at again.
const REST: Duration = Duration::from_mins(1);

/// The offers that stand in the ledger.
#[derive(Debug, Default)]
pub(super) struct KeyOffers {
    stand: Mutex<Stand>,
}

#[derive(Debug, Default)]
struct Stand {
    /// The last one that has its answer.
    answered: i64,
    /// Until when none is looked at, since others wait.
    rests: Option<Instant>,
}

impl KeyOffers {
    /// Looks at some of the offers that have no answer, and signs where that is in order. Gives whether there may be more
    /// to answer now.
    ///
    /// # Errors
    /// When the ledger cannot be read or written.
    pub async fn look(
        &self,
        signer: &HostSigner,
        ledger: &Ledger,
        reader: &Reader,
    ) -> Result<bool, LedgerError> {
        self.look_at(signer, ledger, reader, Timestamp::now()).await
    }

    async fn look_at(
        &self,
        signer: &HostSigner,
        ledger: &Ledger,
        reader: &Reader,
        now: Timestamp,
    ) -> Result<bool, LedgerError> {
        let answered = {
            let stand = self.stand.lock().unwrap_or_else(PoisonError::into_inner);
            if stand.rests.is_some_and(|until| Instant::now() < until) {
                return Ok(false);
            }
            stand.answered
        };
        let offers = reader.of_kinds_after(&["key_offered"], answered, TOGETHER)?;
        if offers.is_empty() {
            return Ok(false);
        }
        let mut look = Look::begin(signer, reader, answered, now)?;
        for offer in &offers {
            if !look.answer(offer)? {
                break;
            }
        }
        let waiting = if look.is_spent { reader.count_after("key_offered", look.answered)? } else { 0 };
        let alert = look.alert(waiting);
        let mut entries = look.entries;
        if let Some(alert) = alert {
            entries.extend(Alerts::new(ledger)?.draft(alert));
        }
        if !entries.is_empty() {
            ledger.append(Append { entries, ..Append::default() }).await?;
        }
        let rests = (waiting > 0).then(|| Instant::now() + REST);
        *self.stand.lock().unwrap_or_else(PoisonError::into_inner) = Stand { answered: look.answered, rests };
        Ok(waiting == 0 && offers.len() == TOGETHER)
    }
}

/// One look at some offers.
struct Look<'a> {
    signer: &'a HostSigner,
    own: PublicKey,
    /// The keys that sign, with those of this look.
    keys: HashSet<PublicKey>,
    replaced: HashSet<PublicKey>,
    /// How many keys may still be signed for.
    left: usize,
    is_spent: bool,
    /// The last offer that has its answer.
    answered: i64,
    entries: Vec<Draft>,
    /// Why the first one is not signed for that never will be, and how many there are.
    refused: (Option<String>, usize),
}

impl<'a> Look<'a> {
    fn begin(
        signer: &'a HostSigner,
        reader: &Reader,
        answered: i64,
        now: Timestamp,
    ) -> Result<Self, LedgerError> {
        let own = signer.public();
        let set = KeySet::find(std::slice::from_ref(&own), &reader.named_keys()?);
        let keys: HashSet<PublicKey> = set.keys.into_iter().collect();
        let since = now.saturating_sub(INTERVAL).unwrap_or(Timestamp::MIN);
        let endorsed = |entry: Entry| match entry.event {
            Event::SigningKey { public_key, endorsed: Some(_), .. } => PublicKey::parse(&public_key).ok(),
            _ => None,
        };
        // Counted in the ledger: neither a restart nor a takeover begins anew.
        let lately: HashSet<PublicKey> = reader
            .signing_keys_since(since)?
            .into_iter()
            .filter_map(endorsed)
            .filter(|key| keys.contains(key))
            .collect();
        Ok(Self {
            signer,
            own,
            keys,
            replaced: set.replaced.into_iter().map(|(_, gone)| gone).collect(),
            left: MOST.saturating_sub(lately.len()),
            is_spent: false,
            answered,
            entries: Vec::new(),
            refused: (None, 0),
        })
    }

    /// Gives whether it has its answer: otherwise it waits, with those after it.
    fn answer(&mut self, offer: &Entry) -> Result<bool, LedgerError> {
        let Event::KeyOffered { host, public_key, accepts } = &offer.event else { return Ok(true) };
        let host = crate::ident::quoted(host);
        match self.may_add(&host, public_key, accepts) {
            Err(text) => {
                self.refused.0.get_or_insert(text);
                self.refused.1 += 1;
            }
            Ok(None) => {}
            Ok(Some(_)) if self.left == 0 => {
                self.is_spent = true;
                return Ok(false);
            }
            Ok(Some((key, accepts))) => self.add(&host, key, accepts)?,
        }
        self.answered = offer.seq;
        Ok(true)
    }

    /// The key, with its own notes for the keys that sign. None when it signs already.
    fn may_add(
        &self,
        host: &str,
        offered: &str,
        accepts: &[String],
    ) -> Result<Option<(PublicKey, Vec<String>)>, String> {
        let Ok(key) = PublicKey::parse(offered) else {
            return Err(format!("host {host} offered a key that is none"));
        };
        if self.keys.contains(&key) {
            return Ok(None);
        }
        // Whoever offers a key has it.
        let (id, accepts) = (key.id(), notes_for(&key, accepts, &self.keys));
        if accepts.is_empty() {
            return Err(format!("the offer of key {id}, as of host {host}, is not signed by that key"));
        }
        if self.replaced.contains(&key) {
            return Err(format!("host {host} offered the key {id}, which was replaced"));
        }
        if self.signer.is_remote() {
            return Err(format!(
                "host {host} offered a key {id} of its own, and the host that leads signs with a key in KMS"
            ));
        }
        Ok(Some((key, accepts)))
    }

    fn add(&mut self, host: &str, key: PublicKey, accepts: Vec<String>) -> Result<(), LedgerError> {
        let endorsed = Some(self.signer.endorse(&key)?);
        let event = Event::SigningKey { public_key: key.to_string(), endorsed, follows: None, accepts };
        let text = format!(
            "the key {} of host {host} signs checkpoints from now on: the key {} has signed for it",
            key.id(),
            self.own.id()
        );
        let what_to_do = "If you added that host, keep its public key with the others: `rescind ledger verify -o json` has all. If nobody added a host, somebody who can write to the log put a key in: docs/runbook.md, \"A key that nobody added\".";
        // Each is raised: they are few.
        let alert = Alert::of_service(AlertCode::SigningKeyAdded, text, what_to_do).raised();
        self.entries.extend([Draft::of_service(event), alert]);
        self.keys.insert(key);
        self.left -= 1;
        Ok(())
    }

    /// What is not signed for, now or ever.
    fn alert(&self, waiting: usize) -> Option<Alert> {
        let refused = self.refused.0.as_ref().map(|text| {
            let more = match self.refused.1 - 1 {
                0 => String::new(),
                more => format!(", as {more} more"),
            };
            format!("{text}: it is not signed for{more}")
        });
        let waits = (waiting > 0).then(|| {
            format!("{} wait: {MOST} keys were signed for within an hour", counted(waiting, "key offer"))
        });
        let what_to_do = match &waits {
            Some(_) => format!(
                "If you did not add that many hosts, somebody who can write to the log offers keys: docs/runbook.md, \"A key that nobody added\". Otherwise wait: {MOST} are signed for in an hour. A host of yours that must not wait can have a copy of the ledger.key of one that signs."
            ),
            None => "With KMS, give every host the same signing_key. Otherwise find out who can write to the log: docs/runbook.md, \"A key that nobody added\".".to_owned(),
        };
        let texts: Vec<String> = waits.into_iter().chain(refused).collect();
        if texts.is_empty() {
            return None;
        }
        let text = texts.join("; ");
        tracing::warn!("{text}");
        Some(Alert::of_service(AlertCode::SigningKeyRefused, text, what_to_do))
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::ledger::note::Signer;

    struct Scene {
        ledger: Ledger,
        reader: Reader,
        signer: HostSigner,
        _directory: tempfile::TempDir,
    }

    impl Scene {
        /// A ledger that knows one key.
        async fn new() -> Self {
            let directory = tempfile::tempdir().expect("a directory");
            let ledger = Ledger::open(&directory.path().join("ledger.db")).expect("a ledger");
            let reader = ledger.reader().expect("a reader");
            let signer = HostSigner::File(Signer::new_log().expect("random"));
            let (public_key, accepts) = (signer.public().to_string(), Vec::new());
            let event = Event::SigningKey { public_key, endorsed: None, follows: None, accepts };
            ledger.append(Draft::of_service(event)).await.expect("appended");
            Self { ledger, reader, signer, _directory: directory }
        }

        async fn offer(&self, number: usize, is_signed: bool) {
            let own = self.signer.public();
            let offer = || {
                let key = Signer::generate(own.name()).expect("random");
                let note = key.endorse(&if is_signed { own.clone() } else { key.public() });
                let (host, public_key) = ("a host".to_owned(), key.public().to_string());
                Draft::of_service(Event::KeyOffered { host, public_key, accepts: vec![note] })
            };
            let entries = (0..number).map(|_| offer()).collect();
            self.ledger.append(Append { entries, ..Append::default() }).await.expect("appended");
        }

        /// One look of a process that has just begun.
        async fn look(&self, minutes: i64) -> bool {
            let now = Timestamp::now() + SignedDuration::from_mins(minutes);
            let offers = KeyOffers::default();
            offers.look_at(&self.signer, &self.ledger, &self.reader, now).await.expect("looked")
        }

        fn signed_for(&self) -> usize {
            let named = self.reader.named_keys().expect("keys");
            KeySet::find(&[self.signer.public()], &named).keys.len() - 1
        }

        fn alerts(&self, of: AlertCode) -> Vec<String> {
            let alerts = self.reader.of_kind("alert").expect("alerts").into_iter();
            let texts = alerts.filter_map(|entry| match entry.event {
                Event::Alert { code, text, .. } => (code == of).then_some(text),
                _ => None,
            });
            texts.collect()
        }
    }

    #[tokio::test]
    async fn few_keys_are_signed_for_in_an_hour_and_one_alert_says_how_many_wait() {
        let scene = Scene::new().await;
        scene.offer(1000, true).await;
        assert!(!scene.look(0).await);
        // A restart begins nothing anew.
        assert!(!scene.look(0).await);
        assert!(!scene.look(59).await);
        assert_eq!(scene.signed_for(), MOST);
        assert_eq!(scene.alerts(AlertCode::SigningKeyAdded).len(), MOST);
        let refused = scene.alerts(AlertCode::SigningKeyRefused);
        assert!(refused.len() == 1 && refused[0].starts_with("992 "), "{refused:?}");
        // The next ones have their turn.
        scene.look(61).await;
        assert_eq!(scene.signed_for(), 2 * MOST);
    }

    #[tokio::test]
    async fn offers_that_wait_rest_and_are_asked_of_no_more_meanwhile() {
        let scene = Scene::new().await;
        scene.offer(MOST + 1, true).await;
        let offers = KeyOffers::default();
        let look = |minutes: i64| {
            let now = Timestamp::now() + SignedDuration::from_mins(minutes);
            offers.look_at(&scene.signer, &scene.ledger, &scene.reader, now)
        };
        assert!(!look(0).await.expect("looked"));
        assert!(!look(61).await.expect("looked"));
        assert_eq!(scene.signed_for(), MOST);
        offers.stand.lock().expect("not poisoned").rests = None;
        assert!(!look(61).await.expect("looked"));
        assert_eq!(scene.signed_for(), MOST + 1);
    }

    #[tokio::test]
    async fn offers_that_are_worth_nothing_hold_up_none_that_is_and_are_one_alert() {
        let scene = Scene::new().await;
        scene.offer(2 * TOGETHER, false).await;
        scene.offer(1, true).await;
        let offers = KeyOffers::default();
        let look = || offers.look(&scene.signer, &scene.ledger, &scene.reader);
        let more = [look().await, look().await, look().await, look().await];
        assert_eq!(more.map(|more| more.expect("looked")), [true, true, false, false]);
        assert_eq!(scene.signed_for(), 1);
        assert_eq!(scene.alerts(AlertCode::SigningKeyRefused).len(), 1);
    }
}
