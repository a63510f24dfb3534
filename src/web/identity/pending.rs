//! Logins that were begun and have not come back from the provider.

use super::oidc::Begun;
use crate::digest::sha256;
use ipnet::IpNet;
use jiff::{SignedDuration, Timestamp};
use openidconnect::{Nonce, PkceCodeVerifier};
use std::collections::HashMap;
use std::net::IpAddr;
use std::sync::{Mutex, PoisonError};

/// Time that somebody has for logging in at the provider.
pub(in crate::web) const LIFE: SignedDuration = SignedDuration::from_mins(10);

/// Maximum number of logins that are remembered. Then the oldest is forgotten of the network with the most: whoever begins
/// thousands takes their places from themselves.
const MOST: usize = 10_000;

/// Logins that were begun and have not come back from the provider, by their `state`.
#[derive(Default)]
pub(in crate::web) struct PendingLogins(Mutex<HashMap<String, Pending>>);

/// A login that was begun.
pub(in crate::web) struct Pending {
    /// Digest of the cookie of the browser that began it.
    browser: String,
    pub nonce: Nonce,
    pub verifier: PkceCodeVerifier,
    /// The page of ours that it was begun for.
    pub to: String,
    begun: Timestamp,
    /// The network from which it was begun.
    network: IpNet,
}

impl Pending {
    fn is_over(&self, now: Timestamp) -> bool {
        now.duration_since(self.begun).abs() >= LIFE
    }
}

impl PendingLogins {
    /// This browser has begun a login that is not over.
    pub fn has(&self, browser: &str, now: Timestamp) -> bool {
        let (browser, all) = (sha256(browser.as_bytes()), self.locked());
        all.values().any(|pending| pending.browser == browser && !pending.is_over(now))
    }

    /// Remembers a login that was begun in a browser with this cookie.
    pub fn add(&self, (browser, address): (&str, IpAddr), begun: Begun, to: String, now: Timestamp) {
        let Begun { state, nonce, verifier, .. } = begun;
        let mut all = self.locked();
        if all.len() >= MOST {
            all.retain(|_, pending| !pending.is_over(now));
        }
        if all.len() >= MOST {
            forget_one(&mut all);
        }
        let (browser, network) = (sha256(browser.as_bytes()), network(address));
        all.insert(sha256(state.as_bytes()), Pending { browser, nonce, verifier, to, begun: now, network });
    }

    /// The login with this `state`, if this browser began it: once.
    pub fn take(&self, state: &str, browser: &str, now: Timestamp) -> Option<Pending> {
        let (state, browser, mut all) = (sha256(state.as_bytes()), sha256(browser.as_bytes()), self.locked());
        if all.get(&state)?.browser != browser {
            return None;
        }
        all.remove(&state).filter(|pending| !pending.is_over(now))
    }

    fn locked(&self) -> std::sync::MutexGuard<'_, HashMap<String, Pending>> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// Forgets the oldest of the network with the most.
fn forget_one(all: &mut HashMap<String, Pending>) {
    let mut counts: HashMap<IpNet, usize> = HashMap::new();
    for pending in all.values() {
        *counts.entry(pending.network).or_default() += 1;
    }
    let Some(most) = counts.into_iter().max_by_key(|(_, count)| *count).map(|(network, _)| network) else {
        return;
    };
    let theirs = all.iter().filter(|(_, one)| one.network == most);
    if let Some(oldest) = theirs.min_by_key(|(_, one)| one.begun).map(|(state, _)| state.clone()) {
        all.remove(&oldest);
    }
}

/// What one customer of a provider has, generously.
fn network(address: IpAddr) -> IpNet {
    let address = address.to_canonical();
    let bits = if address.is_ipv4() { 24 } else { 48 };
    IpNet::new_assert(address, bits).trunc()
}

#[cfg(test)]
mod tests {
    use super::*;

    const HERE: IpAddr = IpAddr::V4(std::net::Ipv4Addr::new(198, 51, 100, 7));

    fn begun(state: &str) -> Begun {
        Begun {
            address: "https://id.example".parse().expect("a URL"),
            state: state.to_owned(),
            nonce: Nonce::new("nonce".to_owned()),
            verifier: PkceCodeVerifier::new("verifier".to_owned()),
        }
    }

    #[test]
    fn a_login_comes_back_once_in_time_and_to_its_own_browser() {
        let (logins, now) = (PendingLogins::default(), Timestamp::now());
        logins.add(("browser", HERE), begun("one"), "/".to_owned(), now);
        logins.add(("browser", HERE), begun("two"), "/".to_owned(), now);
        assert!(logins.has("browser", now) && !logins.has("another", now));
        assert!(logins.take("one", "another", now).is_none());
        assert!(logins.take("three", "browser", now).is_none());
        assert!(logins.take("one", "browser", now).is_some());
        assert!(logins.take("one", "browser", now).is_none());
        assert!(logins.take("two", "browser", now + LIFE).is_none());
    }

    #[test]
    fn so_many_are_remembered_and_whoever_begins_thousands_pushes_out_nobody_else() {
        let (logins, now) = (PendingLogins::default(), Timestamp::now());
        logins.add(("browser", HERE), begun("own"), "/".to_owned(), now);
        for number in 0..MOST + 100 {
            let begun_at = now + SignedDuration::from_millis(i64::try_from(number).expect("small"));
            // From all addresses of some networks.
            let from = IpAddr::from([
                203,
                0,
                u8::try_from(number % 50).expect("small"),
                u8::try_from(number % 251).expect("small"),
            ]);
            logins.add(("another", from), begun(&number.to_string()), "/".to_owned(), begun_at);
        }
        assert_eq!(logins.locked().len(), MOST);
        let later = now + SignedDuration::from_mins(1);
        assert!(logins.take("0", "another", later).is_none());
        assert!(logins.take(&(MOST + 99).to_string(), "another", later).is_some());
        assert!(logins.take("own", "browser", later).is_some());
    }
}
