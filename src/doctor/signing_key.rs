//! The key in KMS that signs checkpoints, where there is one.

use super::{Doctor, Level, Problem};
use crate::aws::KmsKey;
use crate::config::SigningKey;
use crate::remediation::ErrorKind;

impl Doctor<'_> {
    /// Asks for the public key: that it is there, and of the kind that signs.
    pub(super) async fn signing_key(&self) -> Vec<Problem> {
        let SigningKey::Kms(arn) = &self.config.signing_key else { return Vec::new() };
        let asked = match KmsKey::open(&arn.region, &arn.text).await {
            Ok(key) => key.public_key().await,
            Err(error) => Err(error),
        };
        let Err(error) = asked else { return Vec::new() };
        let (code, fix) = match error.kind {
            ErrorKind::Malformed => (
                "signing_key_kind",
                "Make a key with `aws kms create-key --key-spec ECC_NIST_EDWARDS25519 --key-usage SIGN_VERIFY`, and name it as `signing_key`.",
            ),
            ErrorKind::Denied => (
                "signing_key_unavailable",
                "Give the hub's role the permissions of `rescind policies print hub-role`, and see the key's own policy.",
            ),
            _ => {
                ("signing_key_unavailable", "See the key's state in KMS, and `signing_key` in rescind.toml.")
            }
        };
        let text = format!("no checkpoints can be signed: {error}");
        vec![Problem::new(Level::Problem, code, "signing_key", text, fix)]
    }
}
