//! A proof of who makes a request to a hub: a GetCallerIdentity that they sign for this hub and this request alone.

use super::ca_bundle::CaBundle;
use super::environment::{Environment, explained};
use super::sts_endpoint;
use crate::chain::chain;
use crate::digest::{hex, sha256};
use crate::ident::Region;
use crate::remediation::{CallError, ErrorKind};
use aws_config::SdkConfig;
use aws_credential_types::provider::{ProvideCredentials, error::CredentialsError};
use aws_sigv4::http_request::{
    PercentEncodingMode, SignableBody, SignableRequest, SignatureLocation, SigningSettings, sign,
};
use aws_sigv4::sign::v4;
use percent_encoding::{AsciiSet, NON_ALPHANUMERIC, utf8_percent_encode};
use std::time::{Duration, SystemTime};

/// Scheme of the `Authorization` header that carries a proof.
pub const SCHEME: &str = "Rescind-AWS";

/// Header with the address of the hub that a request is for.
pub const HUB_HEADER: &str = "x-rescind-hub";

/// Header with a number that no other proof has.
pub const NONCE_HEADER: &str = "x-rescind-nonce";

/// Header with the digest of the request: it is signed, and never sent to the hub, which computes it itself.
pub const REQUEST_HEADER: &str = "x-rescind-request";

/// Headers that are signed, in the order of their names.
pub const SIGNED_HEADERS: &str = "host;x-rescind-hub;x-rescind-nonce;x-rescind-request";

/// Maximum number of seconds for which a proof counts.
pub const LONGEST: u16 = 60;

/// Region that signs where the environment names none: that of the global endpoint.
const GLOBAL: &str = "us-east-1";

/// What stands in a query as it is.
const PLAIN: &AsciiSet = &NON_ALPHANUMERIC.remove(b'-').remove(b'_').remove(b'.').remove(b'~');

/// What a proof is for.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ProofFor {
    /// The address of the hub: scheme, host, and the port where it is not the scheme's.
    pub hub: String,
    /// A number that no other proof has: 128 bits in hexadecimal.
    pub nonce: String,
    /// The digest of the request.
    pub request: String,
}

impl ProofFor {
    /// The headers that are signed beside `host`.
    #[must_use]
    pub fn headers(&self) -> [(&'static str, &str); 3] {
        [(HUB_HEADER, &self.hub), (NONCE_HEADER, &self.nonce), (REQUEST_HEADER, &self.request)]
    }
}

/// The digest of a request, so that a proof fits no other one. `target` is the path with its query.
#[must_use]
pub fn request_digest(method: &str, target: &str, body_sha256: &str) -> String {
    sha256(format!("{method}\n{target}\n{body_sha256}").as_bytes())
}

/// A number that no other proof has.
///
/// # Errors
/// When the system gives no random numbers.
pub fn new_nonce() -> Result<String, getrandom::Error> {
    let mut bytes = [0_u8; 16];
    getrandom::fill(&mut bytes)?;
    Ok(hex(&bytes))
}

/// Signs proofs with the credentials of this environment.
#[derive(Debug)]
pub struct Prover {
    config: SdkConfig,
    ca_bundle: Option<CaBundle>,
    region: Region,
    /// Where STS is asked, as the hub is to reach it.
    endpoint: String,
}

impl Prover {
    /// Finds credentials as every AWS tool does. AWS is not called yet.
    ///
    /// # Errors
    /// When the certificates that the environment names cannot be used.
    pub async fn load() -> Result<Self, CallError> {
        let named = Environment::region().await;
        let region = match named.clone() {
            Some(region) => region,
            None => GLOBAL.parse().map_err(|_| failed(ErrorKind::Refused, "no region".to_owned()))?,
        };
        let environment = Environment::load(&region).await;
        let Environment { config, ca_bundle } =
            environment.map_err(|error| error.of_call("sts", "GetCallerIdentity"))?;
        let endpoint = match (sts_endpoint::configured(&config), &named) {
            (Some(url), _) => url.origin().ascii_serialization(),
            (None, Some(region)) => sts_endpoint::of_region(region),
            (None, None) => sts_endpoint::GLOBAL.to_owned(),
        };
        Ok(Self { config, ca_bundle, region, endpoint })
    }

    /// The certificates that are trusted beside those of the system, when the environment names some.
    #[must_use]
    pub fn ca_bundle(&self) -> Option<&CaBundle> {
        self.ca_bundle.as_ref()
    }

    /// A presigned GetCallerIdentity: the proof.
    ///
    /// # Errors
    /// When there are no credentials.
    pub async fn prove(&self, what: &ProofFor) -> Result<String, CallError> {
        let provider = self.config.credentials_provider();
        let none = || failed(ErrorKind::NoCredentials, "there are no AWS credentials".to_owned());
        let credentials = provider.ok_or_else(none)?.provide_credentials().await.map_err(|error| {
            let kind = match &error {
                CredentialsError::ProviderTimedOut(_) => ErrorKind::Unavailable,
                _ => ErrorKind::NoCredentials,
            };
            explained(failed(kind, chain(&error)))
        })?;
        let mut settings = SigningSettings::default();
        settings.signature_location = SignatureLocation::QueryParams;
        settings.percent_encoding_mode = PercentEncodingMode::Single;
        settings.expires_in = Some(Duration::from_secs(LONGEST.into()));
        let identity = credentials.into();
        let params = v4::SigningParams::builder()
            .identity(&identity)
            .region(self.region.as_str())
            .name("sts")
            .time(SystemTime::now())
            .settings(settings)
            .build();
        let params = params.map_err(|error| failed(ErrorKind::Refused, error.to_string()))?.into();
        let unsigned = format!("{}/?Action=GetCallerIdentity&Version=2011-06-15", self.endpoint);
        let headers = what.headers();
        let request = SignableRequest::new("GET", &unsigned, headers.into_iter(), SignableBody::Bytes(&[]));
        let signed = request.and_then(|request| sign(request, &params));
        let (instructions, _) =
            signed.map_err(|error| failed(ErrorKind::Refused, error.to_string()))?.into_parts();
        let (_, query) = instructions.into_parts();
        let query =
            query.iter().map(|(name, value)| format!("&{name}={}", utf8_percent_encode(value, PLAIN)));
        Ok(unsigned + &query.collect::<String>())
    }
}

fn failed(kind: ErrorKind, message: String) -> CallError {
    CallError { service: "sts", operation: "GetCallerIdentity", kind, code: None, message }
}
