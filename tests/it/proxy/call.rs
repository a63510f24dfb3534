//! Which operation of AWS a request is for, found as the emulator does: service and region stand in
//! the signature, the operation where the service's protocol has it.

use super::http::Message;

/// A request to an AWS service.
#[derive(Debug, Clone, Default)]
pub struct Call {
    pub service: String,
    pub operation: String,
    pub region: String,
    pub access_key: String,
}

impl Call {
    /// The call that a request makes; none when it is not signed.
    pub fn of(request: &Message) -> Option<Self> {
        // Credential=AKIA…/20260101/eu-central-1/iam/aws4_request
        let signature = request.header("authorization")?;
        let scope = signature.split("Credential=").nth(1)?.split(',').next()?;
        let mut parts = scope.split('/').map(str::to_owned);
        let (access_key, region, service) = (parts.next()?, parts.nth(1)?, parts.next()?);
        let operation = operation(&service, request);
        Some(Self { service, operation, region, access_key })
    }
}

fn operation(service: &str, request: &Message) -> String {
    let path = request.target().split('?').next().unwrap_or_default();
    match service {
        "guardduty" => guardduty(request.method(), path).to_owned(),
        "account" => match path {
            "/listRegions" => "ListRegions".to_owned(),
            _ => String::new(),
        },
        _ => match request.header("x-amz-target") {
            Some(target) => target.rsplit('.').next().unwrap_or_default().to_owned(),
            None => field(&form(&request.body), "Action").to_owned(),
        },
    }
}

fn guardduty(method: &str, path: &str) -> &'static str {
    let parts: Vec<&str> = path.trim_matches('/').split('/').collect();
    match (method, parts.as_slice()) {
        ("GET", ["detector"]) => "ListDetectors",
        ("POST", ["detector"]) => "CreateDetector",
        ("GET", ["detector", _]) => "GetDetector",
        ("GET", ["detector", _, "member"]) => "ListMembers",
        ("POST", ["detector", _, "findings"]) => "ListFindings",
        ("POST", ["detector", _, "findings", "get"]) => "GetFindings",
        ("POST", ["detector", _, "findings", "archive"]) => "ArchiveFindings",
        ("POST", ["detector", _, "findings", "create"]) => "CreateSampleFindings",
        ("GET", ["admin"]) => "ListOrganizationAdminAccounts",
        _ => "",
    }
}

/// The fields of a form.
pub fn form(body: &[u8]) -> Vec<(String, String)> {
    let text = String::from_utf8_lossy(body);
    let pairs = text.split('&').map(|pair| pair.split_once('=').unwrap_or((pair, "")));
    pairs.map(|(name, value)| (decoded(name), decoded(value))).collect()
}

/// The value of a field; empty when there is none.
pub fn field<'a>(form: &'a [(String, String)], name: &str) -> &'a str {
    form.iter().find(|(have, _)| have == name).map_or("", |(_, value)| value)
}

/// Takes off the encoding of forms. What is not encoded rightly stays as it is.
pub fn decoded(text: &str) -> String {
    let mut bytes = Vec::with_capacity(text.len());
    let mut rest = text.as_bytes();
    while let [first, behind @ ..] = rest {
        rest = behind;
        let escaped = (*first == b'%').then(|| hex_pair(behind)).flatten();
        if escaped.is_some() {
            rest = &behind[2..];
        }
        bytes.push(escaped.unwrap_or(if *first == b'+' { b' ' } else { *first }));
    }
    String::from_utf8_lossy(&bytes).into_owned()
}

fn hex_pair(bytes: &[u8]) -> Option<u8> {
    let digit = |at: usize| bytes.get(at).and_then(|byte| char::from(*byte).to_digit(16));
    u8::try_from(digit(0)? * 16 + digit(1)?).ok()
}
