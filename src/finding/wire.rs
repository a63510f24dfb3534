//! A finding as it stands on the wire, in camelCase (the API, events, exports) or `PascalCase`
//! (what boto3 and the AWS CLI print).

use super::document::broken_value;
use super::{Decoded, Evidence, Finding, Principal, actors};
use crate::canonical;
use crate::ident::{AccountId, Region};
use jiff::Timestamp;
use serde::{Deserialize, Deserializer};
use serde_json::{Map, Value};
use std::borrow::Cow;

/// Longer than any id that AWS makes. What is longer would only swell the ledger.
const LONGEST_ID: usize = 300;

/// Free text is kept this long.
const LONGEST_TEXT: usize = 500;

/// A finding is kept whole up to this length, in bytes. Real ones have some kilobytes.
const LONGEST_DETAIL: usize = 64 << 10;

/// A time as GuardDuty writes it: RFC 3339, with or without a fraction.
struct Time {
    text: String,
    time: Timestamp,
}

impl<'de> Deserialize<'de> for Time {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        let text = String::deserialize(deserializer)?;
        match text.parse() {
            Ok(time) => Ok(Self { text, time }),
            Err(_) => Err(serde::de::Error::custom(format!(
                "{}: expected a time such as 2026-11-21T23:47:00Z",
                crate::ident::quoted(&text)
            ))),
        }
    }
}

/// Free text, cut when it is long.
#[derive(Deserialize)]
#[serde(from = "String")]
pub(super) struct Text(String);

impl From<String> for Text {
    fn from(mut text: String) -> Self {
        if let Some((end, _)) = text.char_indices().nth(LONGEST_TEXT) {
            text.truncate(end);
        }
        Self(text)
    }
}

/// The text of an optional field.
pub(super) fn text(field: Option<Text>) -> Option<String> {
    field.map(|text| text.0)
}

#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
struct WireFinding {
    id: String,
    account_id: AccountId,
    region: Region,
    #[serde(rename = "type")]
    finding_type: Text,
    updated_at: Time,
    created_at: Option<Time>,
    severity: Option<f64>,
    title: Option<Text>,
    resource: Option<WireResource>,
    service: Option<WireService>,
}

#[derive(Deserialize, Default)]
#[serde(rename_all = "camelCase")]
struct WireResource {
    access_key_details: Option<WirePrincipal>,
    instance_details: Option<WireInstance>,
}

#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
struct WirePrincipal {
    access_key_id: Option<Text>,
    principal_id: Option<Text>,
    user_name: Option<Text>,
    user_type: Option<Text>,
}

#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
struct WireInstance {
    instance_id: Option<Text>,
}

#[derive(Deserialize, Default)]
#[serde(rename_all = "camelCase")]
struct WireService {
    #[serde(default)]
    archived: Option<bool>,
    count: Option<u64>,
    event_first_seen: Option<Time>,
    event_last_seen: Option<Time>,
    additional_info: Option<Value>,
    action: Option<WireAction>,
}

#[derive(Deserialize, Default)]
#[serde(rename_all = "camelCase")]
struct WireAction {
    aws_api_call_action: Option<WireCall>,
}

#[derive(Deserialize, Default)]
#[serde(rename_all = "camelCase")]
struct WireCall {
    api: Option<Text>,
    service_name: Option<Text>,
    error_code: Option<Text>,
    remote_ip_details: Option<WireRemoteIp>,
    remote_account_details: Option<WireRemoteAccount>,
}

#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
struct WireRemoteIp {
    ip_address_v4: Option<Text>,
    ip_address_v6: Option<Text>,
    country: Option<WireCountry>,
    organization: Option<WireOrganization>,
}

#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
struct WireCountry {
    country_name: Option<Text>,
}

#[derive(Deserialize)]
struct WireOrganization {
    org: Option<Text>,
    isp: Option<Text>,
}

#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
struct WireRemoteAccount {
    account_id: Option<Text>,
    affiliated: Option<bool>,
}

/// Decodes one bare finding that stood at `path`: one finding, or one for each actor of a sequence.
pub(super) fn decode(value: &Value, path: &str) -> Vec<Decoded> {
    let shaped = if value.get("AccountId").is_some() || value.get("Type").is_some() {
        Cow::Owned(camel_case(value))
    } else {
        Cow::Borrowed(value)
    };
    match (whole(value, &shaped, path), actors::of(&shaped)) {
        (Ok(finding), Some(actors)) if finding.principal.is_none() => actors::split(finding, actors, path),
        (decoded, _) => vec![decoded],
    }
}

/// Decodes a finding, `value` as it came and `shaped` with its keys in camelCase.
fn whole(value: &Value, shaped: &Value, path: &str) -> Decoded {
    let canonical = canonical::of(value).unwrap_or_default();
    if shaped.get("type").is_none() && shaped.get("accountId").is_none() {
        let error = "neither a GuardDuty finding nor a wrapping of one that rescind knows";
        return Err(broken_value(path, error.to_owned(), value));
    }
    let wire: WireFinding = serde_path_to_error::deserialize(shaped).map_err(|error| {
        let field = place(path, &error.path().to_string());
        broken_value(&field, error.into_inner().to_string(), value)
    })?;
    if wire.id.is_empty() || wire.id.len() > LONGEST_ID {
        let error = format!("expected 1 to {LONGEST_ID} characters");
        return Err(broken_value(&place(path, "id"), error, value));
    }
    let sha256 = crate::digest::sha256(&canonical);
    let detail = if std::ptr::eq(value, shaped) {
        String::from_utf8_lossy(&canonical).into_owned()
    } else {
        String::from_utf8(canonical::of(shaped).unwrap_or_default()).unwrap_or_default()
    };
    let detail = (detail.len() <= LONGEST_DETAIL && !detail.is_empty()).then(|| detail.into());
    Ok(Finding { detail, ..wire.into_finding(sha256) })
}

/// Where a field stands: `inner` as `serde_path_to_error` says it, of what stood at `path`.
pub(super) fn place(path: &str, inner: &str) -> String {
    match (path, inner) {
        ("", "." | "") => "(finding)".to_owned(),
        ("", inner) => inner.to_owned(),
        (path, "." | "") => path.to_owned(),
        (path, inner) => format!("{path}.{inner}"),
    }
}

impl WireFinding {
    fn into_finding(self, sha256: String) -> Finding {
        let resource = self.resource.unwrap_or_default();
        let service = self.service.unwrap_or_default();
        let call = service.action.unwrap_or_default().aws_api_call_action.unwrap_or_default();
        let principal = resource.access_key_details.map(|p| Principal {
            user_type: text(p.user_type).unwrap_or_default().into(),
            user_name: text(p.user_name),
            principal_id: text(p.principal_id),
            access_key_id: text(p.access_key_id),
        });
        let instance = resource.instance_details.and_then(|i| text(i.instance_id));
        let instance_id = instance.or_else(|| principal.as_ref().and_then(Principal::instance_id));
        let account = call.remote_account_details;
        let (remote_ip, remote_country, remote_organization) =
            call.remote_ip_details.map_or((None, None, None), |ip| {
                (
                    text(ip.ip_address_v4.or(ip.ip_address_v6)),
                    ip.country.and_then(|country| text(country.country_name)),
                    ip.organization.and_then(|organization| text(organization.org.or(organization.isp))),
                )
            });
        let title = text(self.title);
        let sample = is_sample(title.as_deref(), principal.as_ref(), service.additional_info.as_ref());
        Finding {
            sample,
            evidence: Evidence {
                first_seen: service.event_first_seen.map(|t| t.time),
                last_seen: service.event_last_seen.map(|t| t.time),
                // Canonical JSON holds integers exactly up to here (RFC 8785).
                count: service.count.filter(|count| *count <= (1 << 53)),
                api: match (text(call.service_name), text(call.api)) {
                    (Some(service), Some(api)) => {
                        Some(format!("{}:{api}", service.trim_end_matches(".amazonaws.com")))
                    }
                    (_, api) => api,
                },
                error_code: text(call.error_code).filter(|code| !code.is_empty()),
                remote_ip,
                remote_country,
                remote_organization,
                remote_account_affiliated: account.as_ref().and_then(|a| a.affiliated),
                remote_account: account.and_then(|a| text(a.account_id)),
                instance_id,
            },
            archived: service.archived.unwrap_or(false),
            principal,
            id: self.id,
            account: self.account_id,
            region: self.region,
            finding_type: self.finding_type.0,
            severity: self.severity,
            title,
            created_at: self.created_at.map(|t| t.time),
            updated_at: self.updated_at.time,
            updated_at_text: self.updated_at.text,
            sha256,
            detail: None,
            actor: false,
        }
    }
}

/// Events say `additionalInfo.sample: true`; GetFindings says it in JSON inside a string.
/// Either is enough, and so is a title or a name that only samples have.
pub(super) fn is_sample(title: Option<&str>, principal: Option<&Principal>, info: Option<&Value>) -> bool {
    let says_so = |info: &Value| info.get("sample").is_some_and(|s| s == &Value::Bool(true) || s == "true");
    let nested = |info: &Value| {
        let text = info.get("value")?.as_str()?;
        serde_json::from_str::<Value>(text).ok()
    };
    let generated =
        |text: &Option<String>| text.as_deref().is_some_and(|t| t.starts_with("GeneratedFinding"));
    info.is_some_and(|info| says_so(info) || nested(info).is_some_and(|n| says_so(&n)))
        || title.is_some_and(|t| t.starts_with("[SAMPLE]"))
        || principal.is_some_and(|p| {
            generated(&p.user_name) || generated(&p.principal_id) || generated(&p.access_key_id)
        })
}

/// `PascalCase` keys to camelCase, at every level.
fn camel_case(value: &Value) -> Value {
    match value {
        Value::Object(object) => Value::Object(
            object.iter().map(|(key, value)| (lower_first(key), camel_case(value))).collect::<Map<_, _>>(),
        ),
        Value::Array(items) => Value::Array(items.iter().map(camel_case).collect()),
        other => other.clone(),
    }
}

fn lower_first(key: &str) -> String {
    let mut chars = key.chars();
    chars.next().map_or_else(String::new, |first| first.to_lowercase().chain(chars).collect())
}
