//! Asks STS who signed a proof.

use super::caller_proof::ProofFor;
use super::environment::Environment;
use super::sts_endpoint;
use crate::ident::{AccountId, Partition, Region};
use crate::remediation::CallError;
use reqwest::StatusCode;
use reqwest::redirect::Policy;
use serde::Deserialize;
use std::time::Duration;
use url::Url;

/// Timeout of a question. STS answers within a fraction of a second.
const PATIENCE: Duration = Duration::from_secs(5);

/// Maximum size of an answer, in bytes.
const ANSWER: usize = 64 * 1024;

/// What asks STS. It sends nothing but what others have signed, and no credentials of the hub.
#[derive(Debug)]
pub struct CallerCheck {
    client: reqwest::Client,
    endpoint: Option<Url>,
}

/// Who signed a proof, as STS has it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct CheckedCaller {
    pub arn: String,
    pub account: AccountId,
    pub user_id: String,
}

/// Why nobody can be asked.
#[derive(Debug, thiserror::Error)]
pub enum CannotCheck {
    #[error(transparent)]
    CaBundle(#[from] CallError),
    #[error("no TLS can be had")]
    Client(#[from] reqwest::Error),
}

/// Why it is not known who signed a proof. No text of the answer is in it.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum NotIdentified {
    /// STS gave no answer, or none that says yes or no.
    #[error("STS gave no usable answer")]
    Unreachable,
    /// The signature is for something else, or is no signature.
    #[error("STS says that the signature does not match")]
    Signature,
    /// The proof or the credentials are too old.
    #[error("STS says that the signature or the credentials have expired")]
    Expired,
    /// STS does not know the key, or says no for another reason.
    #[error("STS does not accept the credentials")]
    Refused,
}

#[derive(Deserialize)]
struct Answer {
    #[serde(rename = "GetCallerIdentityResponse")]
    response: Response,
}

#[derive(Deserialize)]
struct Response {
    #[serde(rename = "GetCallerIdentityResult")]
    result: Identity,
}

#[derive(Deserialize)]
#[serde(rename_all = "PascalCase")]
struct Identity {
    account: AccountId,
    arn: String,
    user_id: String,
}

impl CallerCheck {
    /// With the proxies, the certificates and the endpoint of this environment. AWS is not called yet.
    ///
    /// # Errors
    /// When the certificates cannot be used.
    pub async fn load(home: &Region) -> Result<Self, CannotCheck> {
        let environment = Environment::load(home).await;
        let environment = environment.map_err(|error| error.of_call("sts", "GetCallerIdentity"))?;
        let bundle = environment.ca_bundle.as_ref();
        let certificates = bundle.map(|bundle| reqwest::Certificate::from_pem_bundle(bundle.pem()));
        let client = reqwest::Client::builder()
            .redirect(Policy::none())
            .timeout(PATIENCE)
            .connect_timeout(PATIENCE)
            .user_agent(concat!("rescind/", env!("CARGO_PKG_VERSION")))
            .tls_certs_merge(certificates.transpose()?.unwrap_or_default());
        Ok(Self { client: client.build()?, endpoint: sts_endpoint::configured(&environment.config) })
    }

    /// The endpoint that the environment names for STS.
    #[must_use]
    pub fn endpoint(&self) -> Option<&Url> {
        self.endpoint.as_ref()
    }

    /// Asks STS who signed this URL for what `what` says.
    ///
    /// # Errors
    /// When STS does not say it.
    pub async fn ask(
        &self,
        url: Url,
        what: &ProofFor,
        partition: Partition,
    ) -> Result<CheckedCaller, NotIdentified> {
        let mut request = self.client.get(url).header("accept", "application/json");
        for (name, value) in what.headers() {
            request = request.header(name, value);
        }
        let unreachable = |error: reqwest::Error| {
            // The URL is a secret for as long as it counts.
            tracing::warn!("STS cannot be asked who somebody is: {}", error.without_url());
            NotIdentified::Unreachable
        };
        let mut response = request.send().await.map_err(unreachable)?;
        let status = response.status();
        let mut body = Vec::new();
        while let Some(chunk) = response.chunk().await.map_err(unreachable)? {
            body.extend_from_slice(&chunk);
            if body.len() > ANSWER {
                return Err(NotIdentified::Unreachable);
            }
        }
        if status != StatusCode::OK {
            return Err(refusal(status, &String::from_utf8_lossy(&body)));
        }
        let answer: Answer = serde_json::from_slice(&body).map_err(|_| NotIdentified::Unreachable)?;
        let Identity { account, arn, user_id } = answer.response.result;
        let parts: Vec<&str> = arn.splitn(6, ':').collect();
        let is_sound = matches!(parts[..], ["arn", named, "sts" | "iam", "", of, _]
            if named == partition.as_str() && of == account.as_str());
        if is_sound && arn.len() <= 2048 && user_id.len() <= 256 {
            Ok(CheckedCaller { arn, account, user_id })
        } else {
            Err(NotIdentified::Unreachable)
        }
    }
}

/// What an answer of STS that is no identity says. Of its text only the codes count, in whichever format they come.
fn refusal(status: StatusCode, text: &str) -> NotIdentified {
    let has = |code: &str| text.contains(code);
    if !matches!(status.as_u16(), 400..=499) || has("Throttling") || status == StatusCode::TOO_MANY_REQUESTS {
        NotIdentified::Unreachable
    } else if has("Signature expired") || has("Signature not yet current") || has("ExpiredToken") {
        NotIdentified::Expired
    } else if has("SignatureDoesNotMatch") {
        NotIdentified::Signature
    } else {
        NotIdentified::Refused
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_no_of_sts_is_distinguished_from_none() {
        let of = |status: u16, text: &str| refusal(StatusCode::from_u16(status).expect("a status"), text);
        assert_eq!(of(403, "<Code>SignatureDoesNotMatch</Code>"), NotIdentified::Signature);
        let expired = r#"{"Error":{"Code":"SignatureDoesNotMatch","Message":"Signature expired: …"}}"#;
        assert_eq!(of(403, expired), NotIdentified::Expired);
        assert_eq!(of(403, "<Code>ExpiredToken</Code>"), NotIdentified::Expired);
        assert_eq!(of(403, "<Code>InvalidClientTokenId</Code>"), NotIdentified::Refused);
        for (status, text) in [(400, "<Code>Throttling</Code>"), (503, ""), (302, ""), (429, ""), (200, "")] {
            assert_eq!(of(status, text), NotIdentified::Unreachable, "{status}");
        }
    }
}
