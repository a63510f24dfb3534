//! Who an ID token is about.

use crate::identity::Identity;
use crate::safe;
use base64::Engine;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use openidconnect::core::{CoreIdToken, CoreJsonWebKeySet, CoreJwsSigningAlgorithm as Algorithm};
use openidconnect::{
    ClaimsVerificationError, ClientId, IdTokenVerifier, IssuerUrl, Nonce, SignatureVerificationError,
};
use serde_json::Value;
use std::time::{Duration, SystemTime};

/// Maximum difference between the provider's clock and ours.
const SKEW: Duration = Duration::from_mins(1);

/// Maximum length of a subject: OpenID Connect allows no longer one.
const LONGEST_SUBJECT: usize = 255;

/// Maximum length of a name that is shown, in characters.
const LONGEST_NAME: usize = 200;

/// Maximum number of groups that are looked at.
const GROUPS: usize = 5000;

/// The algorithms of signatures. None rests on a secret that rescind has as well.
const ALGORITHMS: [Algorithm; 9] = [
    Algorithm::RsaSsaPkcs1V15Sha256,
    Algorithm::RsaSsaPkcs1V15Sha384,
    Algorithm::RsaSsaPkcs1V15Sha512,
    Algorithm::RsaSsaPssSha256,
    Algorithm::RsaSsaPssSha384,
    Algorithm::RsaSsaPssSha512,
    Algorithm::EcdsaP256Sha256,
    Algorithm::EcdsaP384Sha384,
    Algorithm::EdDsa,
];

/// Who an ID token is about.
pub(in crate::web) struct Person {
    pub identity: Identity,
    pub groups: Vec<String>,
    /// The token, for the provider's logout.
    pub id_token: String,
}

/// Why an ID token is not valid. The text has nothing of the token but what it claims.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub(in crate::web) enum BadToken {
    #[error("it has expired")]
    Expired,
    #[error("its time of issue is in the future: compare the clocks of this host and of the provider")]
    Future,
    #[error("it is for another client (aud)")]
    Audience,
    #[error("it is for another login (nonce)")]
    Nonce,
    #[error("another issuer made it (iss)")]
    Issuer,
    #[error("it is signed with a key that the provider does not publish")]
    UnknownKey,
    #[error("its signature is not valid, or not one that is accepted")]
    Signature,
    #[error("it is about another person than before (sub)")]
    Subject,
    #[error("its claims are not those of an ID token")]
    Claims,
}

/// What an ID token is held against.
pub(in crate::web) struct Expected<'a> {
    pub issuer: &'a IssuerUrl,
    pub client_id: &'a ClientId,
    pub keys: &'a CoreJsonWebKeySet,
    /// The nonce of the login. A token that comes with a refresh may leave it out.
    pub nonce: Option<&'a Nonce>,
    pub groups_claim: &'a str,
}

impl Person {
    /// Who the token is about, if it is what is expected.
    ///
    /// # Errors
    /// Why it is not valid.
    pub fn of(token: &CoreIdToken, expected: &Expected<'_>) -> Result<Self, BadToken> {
        let Expected { issuer, client_id, keys, nonce, groups_claim } = expected;
        let now = SystemTime::now();
        let verifier =
            IdTokenVerifier::new_public_client((*client_id).clone(), (*issuer).clone(), (*keys).clone())
                .set_allowed_algs(ALGORITHMS)
                .set_time_fn(|| (now - SKEW).into())
                .set_issue_time_verifier_fn(|issued| {
                    if SystemTime::from(issued) > now + SKEW { Err(FUTURE.to_owned()) } else { Ok(()) }
                });
        let verify_nonce = |given: Option<&Nonce>| match (nonce, given) {
            (Some(nonce), Some(given)) if nonce.secret() == given.secret() => Ok(()),
            (None, _) => Ok(()),
            _ => Err(String::new()),
        };
        let claims = token.claims(&verifier, verify_nonce).map_err(|error| BadToken::from(&error))?;
        // Its signature was checked: what it says is the provider's word.
        let payload = payload(&token.to_string()).ok_or(BadToken::Claims)?;
        let subject = claims.subject().as_str();
        if subject.is_empty() || subject.len() > LONGEST_SUBJECT {
            return Err(BadToken::Claims);
        }
        if payload.get("azp").is_some_and(|party| party.as_str() != Some(client_id.as_str())) {
            return Err(BadToken::Audience);
        }
        let name = ["email", "preferred_username", "name"]
            .iter()
            .find_map(|claim| payload.get(*claim)?.as_str().filter(|text| !text.is_empty()))
            .map(|name| safe::short_line(name, LONGEST_NAME));
        let identity =
            Identity::Oidc { issuer: issuer.as_str().to_owned(), subject: subject.to_owned(), name };
        Ok(Self { identity, groups: groups(payload.get(*groups_claim)), id_token: token.to_string() })
    }

    /// The claim `sub`.
    pub fn subject(&self) -> Option<&str> {
        match &self.identity {
            Identity::Oidc { subject, .. } => Some(subject),
            Identity::Aws { .. } => None,
        }
    }
}

/// What the verification says about a time of issue that has not come yet.
const FUTURE: &str = "future";

impl From<&ClaimsVerificationError> for BadToken {
    fn from(error: &ClaimsVerificationError) -> Self {
        use SignatureVerificationError as Signature;
        match error {
            ClaimsVerificationError::Expired(why) if why == FUTURE => Self::Future,
            ClaimsVerificationError::Expired(_) => Self::Expired,
            ClaimsVerificationError::InvalidAudience(_) => Self::Audience,
            ClaimsVerificationError::InvalidNonce(_) => Self::Nonce,
            ClaimsVerificationError::InvalidIssuer(_) => Self::Issuer,
            ClaimsVerificationError::SignatureVerification(Signature::NoMatchingKey) => Self::UnknownKey,
            ClaimsVerificationError::SignatureVerification(_) => Self::Signature,
            _ => Self::Claims,
        }
    }
}

/// The subject that a token claims, whether it is valid or not.
pub(in crate::web) fn claimed_subject(token: &str) -> Option<String> {
    payload(token)?.get("sub")?.as_str().map(|subject| safe::short_line(subject, LONGEST_SUBJECT))
}

fn payload(token: &str) -> Option<Value> {
    let part = token.split('.').nth(1)?;
    serde_json::from_slice(&URL_SAFE_NO_PAD.decode(part).ok()?).ok()
}

/// The groups of a claim: a list of texts, or one text.
fn groups(claim: Option<&Value>) -> Vec<String> {
    match claim {
        Some(Value::String(group)) => vec![group.clone()],
        Some(Value::Array(groups)) => {
            groups.iter().take(GROUPS).filter_map(|group| group.as_str().map(str::to_owned)).collect()
        }
        _ => Vec::new(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::json;

    #[test]
    fn groups_are_a_list_or_one_text() {
        assert_eq!(groups(Some(&json!("a, b"))), ["a, b"]);
        assert_eq!(groups(Some(&json!(["a", 1, "b"]))), ["a", "b"]);
        assert!(groups(Some(&json!({"a": "b"}))).is_empty() && groups(None).is_empty());
        assert_eq!(groups(Some(&json!(vec!["a"; 2 * GROUPS]))).len(), GROUPS);
    }

    #[test]
    fn a_subject_is_claimed_by_whatever_looks_like_a_token() {
        let token = |payload: &str| format!("e30.{}.", URL_SAFE_NO_PAD.encode(payload));
        assert_eq!(claimed_subject(&token(r#"{"sub":"alice"}"#)).as_deref(), Some("alice"));
        let long = json!({"sub": "x".repeat(5000)}).to_string();
        assert!(claimed_subject(&token(&long)).is_some_and(|text| text.chars().count() == LONGEST_SUBJECT));
        for bad in ["", ".", "a.b.c", &token("{}"), &token(r#"{"sub":1}"#)] {
            assert_eq!(claimed_subject(bad), None, "{bad}");
        }
    }
}
