//! What knows who somebody is: the OpenID provider and the sessions of people, the proofs of programs.

mod cookies;
mod logins;
mod nonces;
mod oidc;
mod pending;
mod person;
mod proof;
mod proofs;
mod provider_http;
mod random;
mod session;

pub(super) use cookies::OwnCookie;
pub(super) use logins::{Logins, is_path_of_ours};
pub(super) use nonces::NotNew;
pub(super) use oidc::{LoginError, Refreshed, Vouched, oauth_code};
pub(super) use pending::LIFE;
pub(super) use proof::{BadProof, Proof, claimed_key};
pub(super) use proofs::Proofs;
pub(super) use random::random;
pub(super) use session::Member;

use crate::config::Config;

/// What knows who somebody is.
pub(super) struct Identities {
    /// What checks the proofs of programs.
    pub proofs: Proofs,
    /// How people log in, where they can.
    pub logins: Option<Logins>,
}

impl Identities {
    pub fn new(config: &Config) -> Self {
        Self { proofs: Proofs::default(), logins: Logins::new(config) }
    }
}
