//! Witnesses of other operators, which cosign the ledger's checkpoints.

use super::secret::check_url;
use crate::digest::sha256;
use crate::ident::quoted;
use base64::Engine;
use base64::engine::general_purpose::STANDARD as BASE64;
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

/// A witness that cosigns checkpoints (C2SP tlog-witness).
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct CosignerSettings {
    /// URL before `/add-checkpoint`.
    pub url: String,
    /// Key that its cosignatures are checked with: `NAME+KEYID+BASE64`.
    pub public_key: String,
}

/// A witness as it is written.
#[derive(Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
#[schemars(inline)]
pub(super) struct Cosigner {
    /// URL before /add-checkpoint, which its operator calls the submission prefix: https, or http to this machine.
    url: SubmissionPrefix,
    /// Public key of its cosignatures, as its operator publishes it: NAME+KEYID+BASE64.
    public_key: CosignatureKey,
}

impl From<Cosigner> for CosignerSettings {
    fn from(cosigner: Cosigner) -> Self {
        Self { url: cosigner.url.0, public_key: cosigner.public_key.0 }
    }
}

/// Which two are the same witness, and why: they have one URL, or one key, whatever its name.
pub(super) fn listed_twice(all: &[CosignerSettings]) -> Option<String> {
    // Capitals distinguish paths, and not hosts.
    let url = |one: &CosignerSettings| {
        let host = one.url.split('/').nth(2).unwrap_or_default();
        one.url.trim_end_matches('/').replacen(host, &host.to_ascii_lowercase(), 1)
    };
    let key = |one: &CosignerSettings| one.public_key.splitn(3, '+').nth(2).map(str::to_owned);
    all.iter().enumerate().find_map(|(at, one)| {
        all[..at].iter().find_map(|before| {
            let (same, first, second) = match (key(before) == key(one), url(before) == url(one)) {
                (true, _) => ("public_key", &before.url, &one.url),
                (false, true) => ("url", &before.public_key, &one.public_key),
                (false, false) => return None,
            };
            Some(format!("cosigners: {} and {} have the same `{same}`", quoted(first), quoted(second)))
        })
    })
}

#[derive(Serialize, Deserialize, JsonSchema)]
#[serde(try_from = "String")]
#[schemars(inline)]
struct SubmissionPrefix(String);

impl TryFrom<String> for SubmissionPrefix {
    type Error = String;
    fn try_from(text: String) -> Result<Self, String> {
        // It has a password in it.
        if text.contains('@') {
            return Err("expected a URL without a user and a password (its text is not shown)".to_owned());
        }
        let is_prefix = !text.contains(|c: char| c.is_whitespace() || matches!(c, '?' | '#'));
        if check_url(&text).is_err() || !is_prefix {
            return Err(format!(
                "{}: expected an https URL, or http to this machine, without a query",
                quoted(&text)
            ));
        }
        Ok(Self(text))
    }
}

/// The algorithm byte of cosignatures with Ed25519 (C2SP tlog-cosignature).
const COSIGNATURE: u8 = 4;

#[derive(Serialize, Deserialize, JsonSchema)]
#[serde(try_from = "String")]
#[schemars(inline)]
struct CosignatureKey(String);

impl TryFrom<String> for CosignatureKey {
    type Error = String;
    fn try_from(text: String) -> Result<Self, String> {
        match is_key(&text) {
            Some(true) => Ok(Self(text)),
            Some(false) => Err(format!("{}: the key id does not match the key", quoted(&text))),
            None => Err(format!(
                "{}: expected the public key of a witness for cosignatures with Ed25519: NAME+KEYID+BASE64",
                quoted(&text)
            )),
        }
    }
}

/// Whether the key id is that of name and key; none when it has another form.
fn is_key(text: &str) -> Option<bool> {
    let mut parts = text.splitn(3, '+');
    let (name, id, key) = (parts.next()?, parts.next()?, BASE64.decode(parts.next()?).ok()?);
    let legal = !name.is_empty() && !name.contains(char::is_whitespace) && id.len() == 8;
    let is_cosignature = key.len() == 33 && key[0] == COSIGNATURE;
    let hash = sha256(&[name.as_bytes(), b"\n", &key].concat());
    (legal && is_cosignature).then(|| hash.starts_with(id))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_witness_has_a_url_and_a_key_of_cosignatures() {
        let of = |url: &str, key: &str| {
            let text = format!("url = \"{url}\"\npublic_key = \"{key}\"\n");
            let read = toml::from_str::<Cosigner>(&text).map(CosignerSettings::from);
            read.map_err(|error| error.message().to_owned())
        };
        let key = "remora.n621.de+da77ade7+BOvN63jn/bLvkieywe8R6UYAtVtNbZpXh34x7onlmtw2";
        let read = of("https://witness.example/a", key).expect("valid");
        assert_eq!((read.url.as_str(), read.public_key.as_str()), ("https://witness.example/a", key));
        assert!(of("http://127.0.0.1:8080/witness/w1", key).is_ok());
        for url in
            ["http://witness.example/", "https://", "https://witness.example/?a", "https://a b", "s3://a"]
        {
            assert!(of(url, key).is_err(), "{url}");
        }
        let url = "https://witness.example/";
        let signs = "PeterNeumann+c74f20a3+ARpc2QcUPDhMQegwxbzhKqiBfsVkmqq/LDE4izWy10TW";
        for other in [
            signs,
            "",
            "remora.n621.de",
            &key[..40],
            &key.replace("da77", "da78"),
            &key.replace("remora", "re ora"),
        ] {
            assert!(of(url, other).is_err(), "{other}");
        }
    }
}
