//! Requests to a hub: each one signed for it, and the answer as a document.

use super::error::HubError;
use crate::aws::{HUB_HEADER, NONCE_HEADER, ProofFor, Prover, SCHEME, new_nonce, request_digest};
use crate::chain::chain;
use crate::cli::exit::BadInput;
use crate::digest::{hex, sha256};
use base64::Engine;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use percent_encoding::{AsciiSet, NON_ALPHANUMERIC, utf8_percent_encode};
use reqwest::{Method, Response, StatusCode};
use serde_json::Value;
use std::str::FromStr;
use std::time::Duration;
use url::{Host, Url};

/// Timeout of connecting to a hub.
const CONNECT: Duration = Duration::from_secs(10);

/// Timeout of a request. What is looked up in AWS takes some seconds.
const PATIENCE: Duration = Duration::from_mins(2);

/// Number of times that a request is signed and sent while the hub says that there are too many.
const TRIES: usize = 4;

/// Delay before it is sent again.
const PAUSE: Duration = Duration::from_secs(3);

/// Maximum number of items of a page.
const PAGE: usize = 500;

/// Maximum length of a document, and of a refusal, in bytes.
const LONGEST: usize = 64 * 1024 * 1024;
const LONGEST_REFUSAL: usize = 64 * 1024;

/// What stands in a query or in a part of a path as it is.
const PLAIN: &AsciiSet = &NON_ALPHANUMERIC.remove(b'-').remove(b'_').remove(b'.').remove(b'~');

/// The address of a hub, as `--hub` gives it.
#[derive(Debug, Clone)]
pub struct HubUrl(Url);

impl FromStr for HubUrl {
    type Err = String;

    fn from_str(text: &str) -> Result<Self, String> {
        let expected = "expected an address such as https://rescind.example.com";
        let url = Url::parse(text).map_err(|_| expected.to_owned())?;
        let is_local = match url.host() {
            Some(Host::Domain(name)) => name == "localhost",
            Some(Host::Ipv4(address)) => address.is_loopback(),
            Some(Host::Ipv6(address)) => address.is_loopback(),
            None => return Err(expected.to_owned()),
        };
        let has_more = url.path() != "/" || url.query().is_some() || url.fragment().is_some();
        if has_more || !url.username().is_empty() || url.password().is_some() {
            return Err(expected.to_owned());
        }
        match url.scheme() {
            "https" => Ok(Self(url)),
            "http" if is_local => Ok(Self(url)),
            _ => Err("expected https; http is for a hub on this machine".to_owned()),
        }
    }
}

/// What asks a hub.
pub struct Client {
    address: String,
    prover: Prover,
    http: reqwest::Client,
}

impl Client {
    /// With the credentials of this environment.
    ///
    /// # Errors
    /// When they cannot be used.
    pub async fn new(hub: &HubUrl) -> Result<Self, HubError> {
        let address = hub.0.origin().ascii_serialization();
        let prover = Prover::load().await.map_err(HubError::Unsigned)?;
        let bundle = prover.ca_bundle().map(|bundle| reqwest::Certificate::from_pem_bundle(bundle.pem()));
        let http = bundle.transpose().and_then(|certificates| {
            reqwest::Client::builder()
                .redirect(reqwest::redirect::Policy::none())
                .timeout(PATIENCE)
                .connect_timeout(CONNECT)
                .user_agent(concat!("rescind/", env!("CARGO_PKG_VERSION")))
                .tls_certs_merge(certificates.unwrap_or_default())
                .build()
        });
        let failed = |error| HubError::Unreachable { hub: address.clone(), why: chain(&error) };
        Ok(Self { http: http.map_err(failed)?, prover, address })
    }

    /// A document.
    ///
    /// # Errors
    /// When the hub does not give it.
    pub async fn get(&self, path: &str, query: &[(&str, String)]) -> Result<Value, HubError> {
        let response = self.send(&Method::GET, &target(path, query), None).await?;
        self.document(response).await
    }

    /// The first items of a list, at most `most`; and whether there are more.
    ///
    /// # Errors
    /// When the hub does not give them.
    pub async fn latest(
        &self,
        path: &str,
        query: &[(&str, String)],
        most: usize,
    ) -> Result<(Vec<Value>, bool), HubError> {
        self.pages(path, query, Some(most)).await
    }

    async fn pages(
        &self,
        path: &str,
        query: &[(&str, String)],
        most: Option<usize>,
    ) -> Result<(Vec<Value>, bool), HubError> {
        let (mut all, mut cursor) = (Vec::new(), None);
        loop {
            let mut query = query.to_vec();
            let limit = most.map(|most| most.saturating_sub(all.len()).min(PAGE));
            query.extend(limit.map(|limit| ("limit", limit.to_string())));
            query.extend(cursor.clone().map(|cursor: String| ("cursor", cursor)));
            let mut page = self.get(path, &query).await?;
            let Some(Value::Array(items)) = page.get_mut("items").map(Value::take) else {
                return Err(self.odd("a list was expected"));
            };
            all.extend(items);
            let next = match page.get("next") {
                None | Some(Value::Null) => return Ok((all, false)),
                Some(Value::String(text)) => text.clone(),
                Some(other) => other.to_string(),
            };
            if most.is_some_and(|most| all.len() >= most) {
                return Ok((all, true));
            }
            if cursor.replace(next.clone()) == Some(next) {
                return Err(self.odd("its next page is the same one again"));
            }
        }
    }

    /// All items of a list, page by page.
    ///
    /// # Errors
    /// When the hub does not give them.
    pub async fn all(&self, path: &str, query: &[(&str, String)]) -> Result<Vec<Value>, HubError> {
        Ok(self.pages(path, query, None).await?.0)
    }

    /// Changes something. It is done once, also if it has to be sent again.
    ///
    /// # Errors
    /// When the hub does not do it.
    pub async fn post(&self, path: &str, body: &Value) -> Result<Value, HubError> {
        let response = self.send(&Method::POST, path, Some(body.to_string())).await?;
        self.document(response).await
    }

    /// Something to download.
    ///
    /// # Errors
    /// When the hub does not give it.
    pub async fn download(&self, path: &str, query: &[(&str, String)]) -> Result<Response, HubError> {
        self.send(&Method::GET, &target(path, query), None).await
    }

    /// The text of an answer could not be read to its end.
    pub fn cut_off(&self, error: reqwest::Error) -> HubError {
        let (hub, why) = (self.address.clone(), chain(&error.without_url()));
        // What rustls says of a certificate that it does not accept; its type is not that of an error of ours.
        if why.contains("invalid peer certificate") {
            return HubError::Untrusted { hub, why };
        }
        HubError::Unreachable { hub, why }
    }

    /// An answer that is none.
    pub fn odd(&self, why: &str) -> HubError {
        HubError::Odd { hub: self.address.clone(), why: why.to_owned() }
    }

    /// A document as a type.
    ///
    /// # Errors
    /// When it is of another version.
    pub fn typed<T: serde::de::DeserializeOwned>(&self, value: Value) -> Result<T, HubError> {
        serde_json::from_value(value).map_err(|error| self.odd(&error.to_string()))
    }

    /// An answer of at most so many bytes.
    async fn text(&self, mut response: Response, most: usize) -> Result<Vec<u8>, HubError> {
        let mut text = Vec::new();
        while let Some(piece) = response.chunk().await.map_err(|error| self.cut_off(error))? {
            text.extend_from_slice(&piece);
            if text.len() > most {
                return Err(self.odd(&format!("it has more than {most} bytes")));
            }
        }
        Ok(text)
    }

    async fn document(&self, response: Response) -> Result<Value, HubError> {
        let text = self.text(response, LONGEST).await?;
        serde_json::from_slice(&text).map_err(|_| self.odd("it is no JSON"))
    }

    async fn send(&self, method: &Method, target: &str, body: Option<String>) -> Result<Response, HubError> {
        let key = hex(new_nonce().map_err(|error| self.unsigned(error))?.as_bytes());
        let digest = sha256(body.as_deref().unwrap_or_default().as_bytes());
        for turn in 1..=TRIES {
            let what = ProofFor {
                hub: self.address.clone(),
                nonce: new_nonce().map_err(|error| self.unsigned(error))?,
                request: request_digest(method.as_str(), target, &digest),
            };
            let proof = self.prover.prove(&what).await.map_err(HubError::Unsigned)?;
            let mut request = self
                .http
                .request(method.clone(), format!("{}{target}", self.address))
                .header("authorization", format!("{SCHEME} {}", URL_SAFE_NO_PAD.encode(proof)))
                .header(HUB_HEADER, &what.hub)
                .header(NONCE_HEADER, &what.nonce);
            if let Some(body) = &body {
                request = request.header("content-type", "application/json").body(body.clone());
                request = request.header("idempotency-key", &key);
            }
            let response = request.send().await.map_err(|error| self.cut_off(error))?;
            if response.status().is_success() {
                return Ok(response);
            }
            if response.status() == StatusCode::TOO_MANY_REQUESTS && turn < TRIES {
                tokio::time::sleep(PAUSE).await;
                continue;
            }
            return Err(self.refusal(response).await);
        }
        Err(self.odd("it was asked too often"))
    }

    async fn refusal(&self, response: Response) -> HubError {
        let status = response.status();
        let text = match self.text(response, LONGEST_REFUSAL).await {
            Ok(text) => text,
            Err(error) => return error,
        };
        match serde_json::from_slice(&text) {
            Ok(problem) => HubError::Refused(problem),
            Err(_) => self.odd(&format!("HTTP {status} without a problem")),
        }
    }

    fn unsigned(&self, error: getrandom::Error) -> HubError {
        HubError::Unreachable { hub: self.address.clone(), why: error.to_string() }
    }
}

/// A path with a query.
fn target(path: &str, query: &[(&str, String)]) -> String {
    let pairs: Vec<String> = query.iter().map(|(name, value)| format!("{name}={}", encoded(value))).collect();
    if pairs.is_empty() { path.to_owned() } else { format!("{path}?{}", pairs.join("&")) }
}

/// A text as a part of a path or a query.
pub fn encoded(text: &str) -> String {
    utf8_percent_encode(text, PLAIN).to_string()
}

/// Refuses an argument that a hub does not take.
///
/// # Errors
/// When it was given.
pub fn not_over_a_hub(is_given: bool, what: &str) -> Result<(), BadInput> {
    if !is_given {
        return Ok(());
    }
    Err(BadInput(format!("{what} cannot be used with --hub")))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_hub_is_named_by_its_address_and_is_encrypted_unless_it_is_here() {
        for good in [
            "https://rescind.example.com",
            "https://rescind.example.com:8443/",
            "http://127.0.0.1:8080",
            "http://[::1]:8080",
            "http://localhost:8080",
        ] {
            assert!(good.parse::<HubUrl>().is_ok(), "{good}");
        }
        for bad in [
            "",
            "rescind.example.com",
            "http://rescind.example.com",
            "http://localhost.evil.example",
            "https://user@rescind.example.com",
            "https://:secret@rescind.example.com",
            "https://rescind.example.com/v1",
            "https://rescind.example.com/?x",
            "https://rescind.example.com/#x",
            "ftp://127.0.0.1",
            "file:///etc",
        ] {
            assert!(bad.parse::<HubUrl>().is_err(), "{bad}");
        }
    }

    #[test]
    fn nothing_in_a_query_or_a_path_breaks_out_of_it() {
        let query = [("a", "1&b=2#?".to_owned()), ("c", "ä /".to_owned())];
        assert_eq!(target("/v1/x", &query), "/v1/x?a=1%26b%3D2%23%3F&c=%C3%A4%20%2F");
        assert_eq!(target("/v1/x", &[]), "/v1/x");
        assert_eq!(encoded("../x"), "..%2Fx");
    }
}
