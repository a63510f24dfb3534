//! The numbers of proofs that were used: each counts once.

use jiff::{SignedDuration, Timestamp};
use std::collections::HashMap;
use std::sync::{Mutex, PoisonError};

/// Maximum number of proofs that are remembered: as many a second as STS answers one hub, for as long as they count.
const MOST: usize = 20_000;

/// Time for which a proof is remembered after it has expired: this machine's clock can be set back a little.
const MARGIN: SignedDuration = SignedDuration::from_secs(60);

/// The proofs that are being checked or were accepted.
#[derive(Debug, Default)]
pub(in crate::web) struct Nonces(Mutex<HashMap<String, Timestamp>>);

/// Why a proof does not count.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(in crate::web) enum NotNew {
    /// It was used before.
    Used,
    /// So many are remembered that this one cannot be.
    Full,
}

impl Nonces {
    /// Takes the number of a proof that counts until then.
    ///
    /// # Errors
    /// When it was taken before, or cannot be remembered.
    pub fn take(&self, nonce: &str, until: Timestamp, now: Timestamp) -> Result<(), NotNew> {
        let mut taken = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        if taken.get(nonce).is_some_and(|until| *until >= now) {
            return Err(NotNew::Used);
        }
        if taken.len() >= MOST {
            taken.retain(|_, until| *until >= now);
            if taken.len() >= MOST {
                return Err(NotNew::Full);
            }
        }
        taken.insert(nonce.to_owned(), until.saturating_add(MARGIN).unwrap_or(Timestamp::MAX));
        Ok(())
    }

    /// Forgets a proof that STS did not accept: nothing was done by it, and it is worth nothing.
    pub fn give_back(&self, nonce: &str) {
        self.0.lock().unwrap_or_else(PoisonError::into_inner).remove(nonce);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn each_counts_once_and_none_that_cannot_be_remembered() {
        let (nonces, now) = (Nonces::default(), Timestamp::UNIX_EPOCH);
        let later = |seconds| now.saturating_add(SignedDuration::from_secs(seconds)).expect("a time");
        assert_eq!(nonces.take("a", later(60), now), Ok(()));
        assert_eq!(nonces.take("a", later(60), later(60)), Err(NotNew::Used));
        nonces.give_back("a");
        assert_eq!(nonces.take("a", later(60), now), Ok(()));
        for number in 1..MOST {
            assert_eq!(nonces.take(&number.to_string(), later(60), now), Ok(()));
        }
        assert_eq!(nonces.take("b", later(60), later(60)), Err(NotNew::Full));
        // Those that cannot count any more make room.
        assert_eq!(nonces.take("b", later(200), later(121)), Ok(()));
        assert_eq!(nonces.take("a", later(200), later(121)), Ok(()));
    }
}
