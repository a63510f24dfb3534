//! A program that signs its requests to a hub: written from docs/programs.md, and not from the code of rescind.

use hmac::{Hmac, KeyInit, Mac};
use jiff::{SignedDuration, Timestamp};
use rescind::digest::{hex, sha256};
use serde_json::Value;
use sha2::Sha256;
use std::sync::atomic::{AtomicU64, Ordering};

/// The headers that are signed.
pub const SIGNED: &str = "host;x-rescind-hub;x-rescind-nonce;x-rescind-request";

/// A program with credentials, and what it signs. Tests change one thing of it.
#[derive(Clone)]
pub struct Program {
    pub credentials: Value,
    /// Where STS is asked.
    pub endpoint: String,
    pub region: String,
    /// The hub that it signs for.
    pub hub: String,
    /// How old the signature is.
    pub age: SignedDuration,
    pub expires: String,
    pub signed: String,
    /// The action that is signed.
    pub action: String,
}

/// A signed request, before it is sent.
#[derive(Clone)]
pub struct Signed {
    pub url: String,
    pub nonce: String,
}

/// What the hub answered.
#[derive(Debug)]
pub struct Answer {
    pub status: u16,
    pub text: String,
}

impl Answer {
    pub fn json(&self) -> Value {
        serde_json::from_str(&self.text).unwrap_or_else(|_| panic!("{self:?}"))
    }

    /// The status and the code of the problem.
    pub fn problem(&self) -> (u16, String) {
        (self.status, self.json()["code"].as_str().unwrap_or_default().to_owned())
    }
}

impl Program {
    pub fn new(credentials: &Value, endpoint: &str, hub: &str) -> Self {
        Self {
            credentials: credentials.clone(),
            endpoint: endpoint.to_owned(),
            region: "eu-central-1".to_owned(),
            hub: hub.to_owned(),
            age: SignedDuration::ZERO,
            expires: "60".to_owned(),
            signed: SIGNED.to_owned(),
            action: "GetCallerIdentity".to_owned(),
        }
    }

    /// A proof for this request.
    pub fn sign(&self, method: &str, target: &str, body: &str) -> Signed {
        static NEXT: AtomicU64 = AtomicU64::new(1);
        let at = Timestamp::now();
        let nonce = format!("{:032x}", NEXT.fetch_add(1, Ordering::Relaxed));
        let request = sha256(format!("{method}\n{target}\n{}", sha256(body.as_bytes())).as_bytes());
        let field = |name: &str| self.credentials[name].as_str();
        let date = (at - self.age).strftime("%Y%m%dT%H%M%SZ").to_string();
        let (day, region) = (&date[..8], &self.region);
        let scope = format!("{day}/{region}/sts/aws4_request");
        let mut query = vec![
            ("Action", self.action.clone()),
            ("Version", "2011-06-15".to_owned()),
            ("X-Amz-Algorithm", "AWS4-HMAC-SHA256".to_owned()),
            ("X-Amz-Credential", format!("{}/{scope}", field("access_key_id").expect("a key"))),
            ("X-Amz-Date", date.clone()),
            ("X-Amz-Expires", self.expires.clone()),
            ("X-Amz-SignedHeaders", self.signed.clone()),
        ];
        query.extend(field("session_token").map(|token| ("X-Amz-Security-Token", token.to_owned())));
        query.sort();
        let query: Vec<String> =
            query.iter().map(|(name, value)| format!("{name}={}", encoded(value))).collect();
        let query = query.join("&");
        let host = self.endpoint.split_once("://").expect("a URL").1;
        let headers = self.signed.split(';').map(|name| match name {
            "host" => format!("host:{host}\n"),
            "x-rescind-hub" => format!("{name}:{}\n", self.hub),
            "x-rescind-nonce" => format!("{name}:{nonce}\n"),
            _ => format!("{name}:{request}\n"),
        });
        let headers: String = headers.collect();
        let canonical = format!("GET\n/\n{query}\n{headers}\n{}\n{}", self.signed, sha256(b""));
        let text = format!("AWS4-HMAC-SHA256\n{date}\n{scope}\n{}", sha256(canonical.as_bytes()));
        let secret = format!("AWS4{}", field("secret_access_key").expect("a secret"));
        let key = [day, region, "sts", "aws4_request"]
            .iter()
            .fold(secret.into_bytes(), |key, part| mac(&key, part.as_bytes()));
        let signature = hex(&mac(&key, text.as_bytes()));
        Signed { url: format!("{}/?{query}&X-Amz-Signature={signature}", self.endpoint), nonce }
    }

    /// Signs a request to the hub that listens on `address`, and sends it.
    pub fn ask(&self, address: &str, method: &str, target: &str, body: &str) -> Answer {
        self.sign(method, target, body).send(address, method, target, body)
    }
}

impl Signed {
    /// The value of the header that carries it.
    pub fn header(&self) -> String {
        use base64::Engine;
        let url = base64::engine::general_purpose::URL_SAFE_NO_PAD.encode(&self.url);
        format!("Rescind-AWS {url}")
    }

    /// Sends a request with this proof, whatever it was made for.
    pub fn send(&self, address: &str, method: &str, target: &str, body: &str) -> Answer {
        let headers = [("authorization", self.header()), ("x-rescind-nonce", self.nonce.clone())];
        send(address, method, target, body, &headers)
    }
}

/// Sends a request with these headers.
pub fn send(address: &str, method: &str, target: &str, body: &str, headers: &[(&str, String)]) -> Answer {
    let agent: ureq::Agent =
        ureq::Agent::config_builder().proxy(None).http_status_as_error(false).build().into();
    let mut request = ureq::http::Request::builder().method(method).uri(format!("{address}{target}"));
    for (name, value) in headers {
        request = request.header(*name, value);
    }
    if !body.is_empty() {
        request = request.header("content-type", "application/json");
    }
    let mut answer = agent.run(request.body(body.to_owned()).expect("a request")).expect("it answers");
    let status = answer.status().as_u16();
    Answer { status, text: answer.body_mut().read_to_string().expect("a text") }
}

fn mac(key: &[u8], text: &[u8]) -> Vec<u8> {
    let mut mac = Hmac::<Sha256>::new_from_slice(key).expect("a key");
    mac.update(text);
    mac.finalize().into_bytes().to_vec()
}

fn encoded(text: &str) -> String {
    let plain = |byte: u8| byte.is_ascii_alphanumeric() || b"-_.~".contains(&byte);
    let encode = |byte: u8| if plain(byte) { char::from(byte).to_string() } else { format!("%{byte:02X}") };
    text.bytes().map(encode).collect()
}
