//! How often one may ask.

use governor::clock::DefaultClock;
use governor::state::keyed::DefaultKeyedStateStore;
use governor::{Quota, RateLimiter};
use std::net::IpAddr;
use std::num::NonZeroU32;

/// How many requests one address may make per second, and at once.
const PER_SECOND: NonZeroU32 = NonZeroU32::new(50).expect("not zero");
const BURST: NonZeroU32 = NonZeroU32::new(200).expect("not zero");

/// How many logins and proofs of identity one address may try per minute.
const LOGINS: NonZeroU32 = NonZeroU32::new(60).expect("not zero");

/// Maximum number of addresses that are remembered.
const ADDRESSES: usize = 10_000;

type Keyed = RateLimiter<IpAddr, DefaultKeyedStateStore<IpAddr>, DefaultClock>;

/// How often one may ask.
pub(super) struct Limits {
    requests: Keyed,
    logins: Keyed,
}

impl Default for Limits {
    fn default() -> Self {
        Self {
            requests: RateLimiter::keyed(Quota::per_second(PER_SECOND).allow_burst(BURST)),
            logins: RateLimiter::keyed(Quota::per_minute(LOGINS)),
        }
    }
}

impl Limits {
    fn allows(limiter: &Keyed, address: IpAddr) -> bool {
        if limiter.len() > ADDRESSES {
            limiter.retain_recent();
        }
        limiter.check_key(&network(address)).is_ok()
    }

    /// Whether one more request may be made from this address.
    pub fn allows_request(&self, address: IpAddr) -> bool {
        Self::allows(&self.requests, address)
    }

    /// Whether one more login, or proof of who asks, may be tried from this address.
    pub fn allows_login(&self, address: IpAddr) -> bool {
        Self::allows(&self.logins, address)
    }
}

/// An IPv6 customer has a /64.
fn network(address: IpAddr) -> IpAddr {
    match address.to_canonical() {
        IpAddr::V6(v6) => IpAddr::V6((u128::from(v6) >> 64 << 64).into()),
        v4 @ IpAddr::V4(_) => v4,
    }
}
