//! What befalls a host, and how it is over.

use super::host::Host;
use crate::scene::{BANK, SHOP, Scene};
use serde_json::{Value, json};

/// Numbers that look random and are the same each time (splitmix64).
pub struct Numbers(pub u64);

impl Numbers {
    pub fn below(&mut self, limit: usize) -> usize {
        self.0 = self.0.wrapping_add(0x9e37_79b9_7f4a_7c15);
        let mut z = self.0;
        z = (z ^ (z >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
        z = (z ^ (z >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
        usize::try_from((z ^ (z >> 31)) % u64::try_from(limit).expect("small")).expect("small")
    }

    pub fn one_of<T: Copy>(&mut self, all: &[T]) -> T {
        all[self.below(all.len())]
    }

    pub fn blow(&mut self) -> Blow {
        let when = self.one_of(&["before", "after"]);
        match self.below(9) {
            0 | 1 => Blow::Kill,
            2 => Blow::Sleep,
            3 => Blow::NoLog(when),
            4 => Blow::NoIam(when, self.one_of(&[SHOP, BANK])),
            5 => Blow::Outage(when),
            6 => Blow::Wipe,
            7 => Blow::NoWitness(when),
            _ => Blow::Stop,
        }
    }
}

/// What befalls a host. A call that is cut off is lost before its effect or after it.
#[derive(Debug, Clone, Copy)]
pub enum Blow {
    /// As a crash.
    Kill,
    /// Its process stands still, mostly for longer than its lease.
    Sleep,
    /// It alone does not reach the log.
    NoLog(&'static str),
    /// It gets no new sessions, and the IAM of one account does not answer anybody.
    NoIam(&'static str, &'static str),
    /// The log does not answer anybody.
    Outage(&'static str),
    /// It alone does not reach the bucket of the checkpoints.
    NoWitness(&'static str),
    /// It is killed, and its disk is empty but for the configuration and the host's key.
    Wipe,
    /// It is stopped as systemd does it.
    Stop,
}

impl Blow {
    pub fn strike(self, scene: &Scene, host: &mut Host) {
        let key = host.key().to_owned();
        let cut = |name: &str, matched: Value, when: &str| {
            scene.fault(&format!("{name}-{key}"), matched, when, json!({"disconnect": true}), 0);
        };
        match self {
            Self::Kill => host.kill(),
            Self::Sleep => host.signal("STOP"),
            Self::NoLog(when) => cut("log", json!({"service": "dynamodb", "access_key_id": key}), when),
            Self::NoIam(when, account) => {
                cut("sts", json!({"service": "sts", "access_key_id": key}), when);
                cut("iam", json!({"service": "iam", "account": account}), when);
            }
            Self::NoWitness(when) => cut("s3", json!({"service": "s3", "access_key_id": key}), when),
            Self::Outage(when) => cut("outage", json!({"service": "dynamodb"}), when),
            Self::Wipe => {
                host.kill();
                host.wipe();
            }
            Self::Stop => {
                host.tend();
                host.stop();
            }
        }
    }

    /// It is over: the host runs again, and reaches everything.
    pub fn heal(self, scene: &Scene, host: &mut Host) {
        let mend = |name: &str| scene.delete(&format!("faults/{name}-{}", host.key()));
        match self {
            Self::Kill | Self::Wipe | Self::Stop => host.tend(),
            Self::Sleep => host.signal("CONT"),
            Self::NoLog(_) => mend("log"),
            Self::NoIam(..) => {
                mend("sts");
                mend("iam");
            }
            Self::Outage(_) => mend("outage"),
            Self::NoWitness(_) => mend("s3"),
        }
    }
}
