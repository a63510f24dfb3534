//! A witness of another operator, which cosigns checkpoints (C2SP tlog-witness).
//!
//! It signs only what goes on from what it signed before. So whoever rewrites the ledger would have to win the witness
//! as well.

use crate::aws::CaBundle;
use crate::ledger::note::{self, BadKey};
use crate::ledger::tree::Hash;
use crate::ledger::{BadCosignature, Cosignature, CosignerKey, LedgerError, Reader};
use base64::Engine;
use base64::engine::general_purpose::STANDARD as BASE64;
use reqwest::{Response, StatusCode};
use std::fmt::Write;
use std::time::Duration;

/// Timeout of a witness's answer.
const PATIENCE: Duration = Duration::from_secs(10);

/// Maximum length of an answer, in bytes: many times what the signatures of a few keys take.
const LONGEST: usize = 64 * 1024;

/// Maximum pause that a witness can ask for.
const LONGEST_PAUSE: Duration = Duration::from_mins(10);

/// The content type of an answer that says at which size the witness is.
const SIZE: &str = "text/x.tlog.size";

/// A witness that is asked for cosignatures.
#[derive(Debug, Clone)]
pub struct Cosigner {
    url: String,
    key: CosignerKey,
    client: reqwest::Client,
}

/// What a witness gave.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Cosigned {
    /// Its cosignature, checked.
    pub cosignature: Cosignature,
    /// It had seen a checkpoint of this size, signed with the key of this ledger, which has none there.
    pub stranger: Option<u64>,
}

/// Why a checkpoint was not cosigned.
#[derive(Debug, thiserror::Error)]
pub enum CosignError {
    /// The proof cannot be made.
    #[error(transparent)]
    Ledger(#[from] LedgerError),
    /// It cannot be reached, or does not answer in time.
    #[error("it does not answer")]
    Unreachable(#[source] reqwest::Error),
    /// It is busy or broken.
    #[error("it answered {status}")]
    NotNow {
        status: StatusCode,
        /// The pause that it asks for.
        retry_after: Option<Duration>,
    },
    /// Others asked at the same time, and it is at another size again.
    #[error("it is at another size each time that it is asked")]
    Overtaken,
    /// It does not know this ledger.
    #[error("it does not know this ledger (404): its operator must add the ledger's name and public key")]
    UnknownLog,
    /// It knows the ledger by another key.
    #[error("it does not trust the key of this ledger (403): its operator must add the public key")]
    UnknownKey,
    /// It does not speak the protocol, or not at this URL.
    #[error("it answered {0}: is the URL the submission prefix of a tlog-witness?")]
    Refused(StatusCode),
    /// The answer is not one of the protocol.
    #[error("its answer is longer than {LONGEST} bytes")]
    TooLong,
    /// It answered with the signatures of others.
    #[error("its answer has no cosignature of the configured key")]
    NotCosigned,
    /// Its signature is not what it says.
    #[error(transparent)]
    Bad(#[from] BadCosignature),
    /// It saw a larger tree than there is.
    #[error(
        "it has seen {seen} entries of this ledger, which has {size} now: the end of the ledger is missing"
    )]
    Ahead { seen: u64, size: u64 },
    /// It saw another tree.
    #[error("it has seen another ledger under this name and key: what it signed at {seen} entries is no beginning of these {size}{}", if *.known { "" } else { ", and this ledger has signed nothing there" })]
    Differs {
        seen: u64,
        size: u64,
        /// This ledger has a checkpoint of the size that the witness saw.
        known: bool,
    },
}

impl CosignError {
    /// It shows that the ledger is not what the witness saw of it.
    #[must_use]
    pub fn is_evidence(&self) -> bool {
        matches!(self, Self::Ahead { .. } | Self::Differs { .. })
    }

    /// Asking again does not help before somebody changes something.
    #[must_use]
    pub fn needs_person(&self) -> bool {
        matches!(
            self,
            Self::UnknownLog
                | Self::UnknownKey
                | Self::Refused(_)
                | Self::TooLong
                | Self::NotCosigned
                | Self::Bad(_)
        )
    }

    /// The pause that the witness asks for.
    #[must_use]
    pub fn retry_after(&self) -> Option<Duration> {
        match self {
            Self::NotNow { retry_after, .. } => *retry_after,
            _ => None,
        }
    }
}

/// Why a witness cannot be asked at all.
#[derive(Debug, thiserror::Error)]
pub enum NoCosigner {
    /// Its key cannot be used.
    #[error("the public key of the witness at {url} cannot be used")]
    Key {
        url: String,
        #[source]
        error: BadKey,
    },
    /// No TLS can be had.
    #[error("witnesses cannot be asked")]
    Client(#[source] reqwest::Error),
}

/// How a request was answered.
enum Answer {
    Cosigned(Cosignature),
    /// It is at this size, and not at the one that it was asked from.
    Conflict(u64),
    /// What it saw at this size is no beginning of this tree.
    NotConsistent(u64),
}

impl Cosigner {
    /// For a witness at `url` (its submission prefix) with this key. It uses the environment's proxies, and trusts the
    /// certificates of `bundle` beside those of the system.
    ///
    /// # Errors
    /// When its key is none, or no TLS can be had.
    pub fn new(url: &str, key: &str, bundle: Option<&CaBundle>) -> Result<Self, NoCosigner> {
        let key = CosignerKey::parse(key);
        let key = key.map_err(|error| NoCosigner::Key { url: url.to_owned(), error })?;
        let certificates = bundle.map(|bundle| reqwest::Certificate::from_pem_bundle(bundle.pem()));
        let certificates = certificates.transpose().map_err(NoCosigner::Client)?.unwrap_or_default();
        let client = reqwest::Client::builder()
            .redirect(reqwest::redirect::Policy::none())
            .timeout(PATIENCE)
            .connect_timeout(PATIENCE)
            .user_agent(concat!("rescind/", env!("CARGO_PKG_VERSION")))
            .tls_certs_merge(certificates)
            .build()
            .map_err(NoCosigner::Client)?;
        Ok(Self { url: url.trim_end_matches('/').to_owned(), key, client })
    }

    /// The key that its cosignatures are made with.
    #[must_use]
    pub fn key(&self) -> &CosignerKey {
        &self.key
    }

    /// Asks for a cosignature over a checkpoint of `size` entries. `from` is the size that the witness saw last, as far
    /// as is known: where it says another one, it is asked once more from there.
    ///
    /// # Errors
    /// When it gives none.
    pub async fn cosign(
        &self,
        reader: &Reader,
        (size, note): (u64, &str),
        from: u64,
    ) -> Result<Cosigned, CosignError> {
        let seen = match self.ask(reader, (size, note), from.min(size)).await? {
            Answer::Cosigned(cosignature) => return Ok(Cosigned { cosignature, stranger: None }),
            Answer::NotConsistent(seen) => return Err(Self::differs(reader, seen, size)?),
            Answer::Conflict(seen) if seen > size => return Err(CosignError::Ahead { seen, size }),
            Answer::Conflict(seen) => seen,
        };
        match self.ask(reader, (size, note), seen).await? {
            Answer::Cosigned(cosignature) => {
                let is_strange = seen > 0 && reader.checkpoint_at(seen)?.is_none();
                Ok(Cosigned { cosignature, stranger: is_strange.then_some(seen) })
            }
            Answer::NotConsistent(seen) => Err(Self::differs(reader, seen, size)?),
            Answer::Conflict(_) => Err(CosignError::Overtaken),
        }
    }

    fn differs(reader: &Reader, seen: u64, size: u64) -> Result<CosignError, LedgerError> {
        let known = reader.checkpoint_at(seen)?.is_some();
        Ok(CosignError::Differs { seen, size, known })
    }

    async fn ask(&self, reader: &Reader, (size, note): (u64, &str), old: u64) -> Result<Answer, CosignError> {
        let body = request(old, &reader.consistency_proof(old, size)?, note);
        let url = format!("{}/add-checkpoint", self.url);
        let sent = self.client.post(url).header("content-type", "text/plain").body(body).send().await;
        let answer = sent.map_err(|error| CosignError::Unreachable(error.without_url()))?;
        let status = answer.status();
        let says_size = header(&answer, "content-type") == Some(SIZE);
        let retry_after = header(&answer, "retry-after").and_then(|value| value.parse().ok());
        match status {
            StatusCode::OK => {
                let lines = text(answer).await?;
                let (text, _) = note::split(note).unwrap_or_default();
                let cosignature = self.key.among(text, &lines)?.ok_or(CosignError::NotCosigned)?;
                Ok(Answer::Cosigned(cosignature))
            }
            StatusCode::CONFLICT => {
                let body = if says_size { text(answer).await? } else { String::new() };
                match body.strip_suffix('\n').unwrap_or(&body).parse() {
                    Ok(seen) if seen != old => Ok(Answer::Conflict(seen)),
                    // It is at this size, with another root.
                    _ if old == size => Ok(Answer::NotConsistent(old)),
                    _ => Err(CosignError::Refused(status)),
                }
            }
            StatusCode::UNPROCESSABLE_ENTITY if old > 0 => Ok(Answer::NotConsistent(old)),
            StatusCode::NOT_FOUND => Err(CosignError::UnknownLog),
            StatusCode::FORBIDDEN => Err(CosignError::UnknownKey),
            _ if status == StatusCode::TOO_MANY_REQUESTS
                || status == StatusCode::REQUEST_TIMEOUT
                || status.is_server_error() =>
            {
                let retry_after = retry_after.map(|seconds| Duration::from_secs(seconds).min(LONGEST_PAUSE));
                Err(CosignError::NotNow { status, retry_after })
            }
            _ => Err(CosignError::Refused(status)),
        }
    }
}

/// The body of a request.
fn request(old: u64, proof: &[Hash], note: &str) -> String {
    let mut body = format!("old {old}\n");
    for hash in proof {
        let _ = writeln!(body, "{}", BASE64.encode(hash));
    }
    body.push('\n');
    body.push_str(note);
    body
}

fn header<'a>(answer: &'a Response, name: &str) -> Option<&'a str> {
    answer.headers().get(name)?.to_str().ok()
}

/// The text of an answer, as far as one can be of use.
async fn text(mut answer: Response) -> Result<String, CosignError> {
    let mut bytes = Vec::new();
    while let Some(chunk) =
        answer.chunk().await.map_err(|error| CosignError::Unreachable(error.without_url()))?
    {
        bytes.extend_from_slice(&chunk);
        if bytes.len() > LONGEST {
            return Err(CosignError::TooLong);
        }
    }
    Ok(String::from_utf8_lossy(&bytes).into_owned())
}

#[cfg(test)]
mod tests {
    use super::*;

    /// As the example in the specification has it.
    #[test]
    fn a_request_is_in_the_form_of_the_specification() {
        let note = "example.com/behind-the-sofa\n20852163\nCsUYapGGPo4dkMgIAUqom/Xajj7h2fB2MPA3j2jxq2I=\n\n\u{2014} example.com/behind-the-sofa Az3grlgtzPICa5OS8npVmf1Myq/5IZniMp+ZJurmRDeOoRDe4URYN7u5/Zhcyv2q1gGzGku9nTo+zyWE+xeMcTOAYQ8=\n";
        let lines =
            ["PlRNCrwHpqhGrupue0L7gxbjbMiKA9temvuZZDDpkaw=", "jrJZDmY8Y7SyJE0MWLpLozkIVMSMZcD5kvuKxPC3swk="];
        let proof = lines.map(|line| BASE64.decode(line).expect("base64").try_into().expect("a hash"));
        assert_eq!(
            request(20_852_014, &proof, note),
            format!("old 20852014\n{}\n{}\n\n{note}", lines[0], lines[1])
        );
        assert_eq!(request(0, &[], note), format!("old 0\n\n{note}"));
    }
}
