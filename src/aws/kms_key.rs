//! A key in KMS that signs with Ed25519.

use super::clock::AwsClock;
use super::environment::Environment;
use super::record::{Call, Observer, Unrecorded, recorded};
use crate::ident::Region;
use crate::remediation::{CallError, CallScope, ErrorKind};
use aws_config::retry::RetryConfig;
use aws_config::timeout::TimeoutConfig;
use aws_sdk_kms as kms;
use futures::FutureExt;
use kms::primitives::Blob;
use kms::types::{KeySpec, KeyUsageType, MessageType, SigningAlgorithmSpec};
use std::time::Duration;

/// What stands before the 32 bytes of an Ed25519 key in its DER SubjectPublicKeyInfo (RFC 8410).
const PREFIX: [u8; 12] = [0x30, 0x2a, 0x30, 0x05, 0x06, 0x03, 0x2b, 0x65, 0x70, 0x03, 0x21, 0x00];

/// A key in KMS. Its calls are counted and not recorded: a record is an entry, which the next checkpoint would have to
/// sign, with a call. CloudTrail has each.
#[derive(Debug, Clone)]
pub struct KmsKey {
    client: kms::Client,
    region: Region,
    arn: String,
    scope: CallScope,
    clock: AwsClock,
}

impl KmsKey {
    /// The key of this ARN, or alias ARN. Nothing is asked of AWS yet.
    ///
    /// # Errors
    /// When the certificates that the environment names cannot be used.
    pub async fn open(region: &Region, arn: &str) -> Result<Self, CallError> {
        let environment = Environment::load(region).await;
        let environment = environment.map_err(|error| error.of_call("kms", "GetPublicKey"))?;
        let config = kms::config::Builder::from(&environment.config)
            .region(kms::config::Region::new(region.to_string()))
            .retry_config(RetryConfig::standard().with_max_attempts(2))
            .timeout_config(timeouts())
            .interceptor(Observer::default());
        let client = kms::Client::from_conf(config.build());
        let (scope, clock) = Default::default();
        Ok(Self { client, region: region.clone(), arn: arn.to_owned(), scope, clock })
    }

    /// GetPublicKey: the 32 bytes of the key.
    ///
    /// # Errors
    /// As the call's; of the kind [`ErrorKind::Malformed`] when it is a key of another kind.
    pub async fn public_key(&self) -> Result<[u8; 32], CallError> {
        let request = self.client.get_public_key().key_id(&self.arn).send().boxed();
        let answer = recorded(&Unrecorded, self.call("GetPublicKey"), request).await?;
        let unusable = |message: String| CallError {
            service: "kms",
            operation: "GetPublicKey",
            kind: ErrorKind::Malformed,
            code: None,
            message,
        };
        if answer.key_spec() != Some(&KeySpec::EccNistEdwards25519)
            || answer.key_usage() != Some(&KeyUsageType::SignVerify)
        {
            let spec = answer.key_spec().map_or("none", KeySpec::as_str);
            let usage = answer.key_usage().map_or("none", KeyUsageType::as_str);
            return Err(unusable(format!(
                "{} has the key spec {spec} and the usage {usage}; expected ECC_NIST_EDWARDS25519 and SIGN_VERIFY",
                self.arn
            )));
        }
        let der = answer.public_key().map(Blob::as_ref).unwrap_or_default();
        let key = der.strip_prefix(&PREFIX).and_then(|key| <[u8; 32]>::try_from(key).ok());
        key.ok_or_else(|| unusable("its public key is not one of Ed25519".to_owned()))
    }

    /// Sign: the signature of a text of up to 4096 bytes.
    ///
    /// # Errors
    /// As the call's.
    pub async fn sign(&self, text: &[u8]) -> Result<Vec<u8>, CallError> {
        let request = self
            .client
            .sign()
            .key_id(&self.arn)
            .message(Blob::new(text))
            .message_type(MessageType::Raw)
            .signing_algorithm(SigningAlgorithmSpec::Ed25519Sha512)
            .send()
            .boxed();
        let answer = recorded(&Unrecorded, self.call("Sign"), request).await?;
        Ok(answer.signature.map(Blob::into_inner).unwrap_or_default())
    }

    fn call(&self, operation: &'static str) -> Call<'_> {
        let Self { region, scope, clock, .. } = self;
        Call { service: "kms", operation, account: None, region, scope, clock }
    }
}

/// Time that KMS has. A checkpoint can wait, and is tried again.
fn timeouts() -> TimeoutConfig {
    TimeoutConfig::builder()
        .connect_timeout(Duration::from_secs(2))
        .operation_attempt_timeout(Duration::from_secs(2))
        .operation_timeout(Duration::from_secs(5))
        .build()
}
