//! A finding as it stands on the wire, in camelCase (the API, events, exports) or `PascalCase`
//! (what boto3 and the AWS CLI print).

use super::actors;
use super::cause::Cause;
use super::fields::{Fields, Wrong, missing};
use super::occurrence::{Decoded, Evidence, Finding};
use super::principal::Principal;
use super::undecodable::{broken_value, place};
use crate::canonical;
use crate::ident::Region;
use serde_json::{Map, Value};
use std::borrow::Cow;

/// Maximum length of an id, in bytes: longer than any that AWS makes. What is longer would only swell the
/// ledger.
const LONGEST_ID: usize = 300;

/// Maximum length of a finding that is kept whole, in bytes. Real ones have some kilobytes.
const LONGEST_DETAIL: usize = 64 << 10;

/// Decodes one bare finding that stood at `path`: one finding, or one for each actor of a sequence.
/// `region` is that of the wrapping, for a finding that names none.
pub(super) fn decode(value: &Value, path: &str, region: Option<&str>) -> Vec<Decoded> {
    let shaped = if value.get("AccountId").is_some() || value.get("Type").is_some() {
        Cow::Owned(camel_case(value))
    } else {
        Cow::Borrowed(value)
    };
    match whole(value, &shaped, path, region) {
        Ok(finding) if finding.principal.is_none() && is_sequence(&finding, &shaped) => {
            actors::split(finding, &shaped, path)
        }
        decoded => vec![decoded],
    }
}

/// Whether it may be about several principals, none of them where other findings have theirs.
fn is_sequence(finding: &Finding, shaped: &Value) -> bool {
    finding.finding_type.to_ascii_lowercase().starts_with("attacksequence:")
        || shaped.pointer("/service/detection/sequence/actors").is_some()
}

/// Decodes a finding, `value` as it came and `shaped` with its keys in camelCase.
fn whole(value: &Value, shaped: &Value, path: &str, region: Option<&str>) -> Decoded {
    let canonical = canonical::of(value).unwrap_or_default();
    if shaped.get("type").is_none() && shaped.get("accountId").is_none() {
        let error = "not a GuardDuty finding, or in an unknown envelope";
        return Err(broken_value(path, error.to_owned(), value));
    }
    let finding =
        read(shaped, region).map_err(|(field, error)| broken_value(&place(path, &field), error, value))?;
    let sha256 = crate::digest::sha256(&canonical);
    let detail = if std::ptr::eq(value, shaped) {
        String::from_utf8_lossy(&canonical).into_owned()
    } else {
        String::from_utf8(canonical::of(shaped).unwrap_or_default()).unwrap_or_default()
    };
    let detail = (detail.len() <= LONGEST_DETAIL && !detail.is_empty()).then(|| detail.into());
    Ok(Finding { sha256, detail, ..finding })
}

/// Reads a finding. What a decision needs refuses it when it cannot be read: the id, the account, the
/// region, the type, when it was written, and whose credentials. All else is noted.
fn read(finding: &Value, region: Option<&str>) -> Result<Finding, Wrong> {
    let mut fields = Fields::of(finding);
    let id = fields.required("id")?;
    if id.is_empty() || id.len() > LONGEST_ID {
        return Err(("id".to_owned(), format!("expected 1 to {LONGEST_ID} characters")));
    }
    let (updated_at_text, updated_at) = fields.required_time("updatedAt")?;
    let account = fields.account("accountId")?.ok_or_else(|| missing("accountId"))?;
    let region = region_of(&mut fields, region)?;
    let finding_type = fields.required("type")?;
    let principal = principal(&mut fields)?;
    let title = fields.text("title");
    let sample = is_sample(title.as_deref(), fields.value("service.additionalInfo"));
    let evidence = evidence(&mut fields, principal.as_ref());
    Ok(Finding {
        sample,
        evidence,
        archived: fields.flag("service.archived").unwrap_or(false),
        principal,
        id,
        account,
        region,
        finding_type,
        severity: fields.number("severity"),
        title,
        created_at: fields.time("createdAt"),
        updated_at,
        updated_at_text,
        sha256: String::new(),
        detail: None,
        actor: false,
        inferred: None,
        pointer: false,
        cause: Cause::GuardDuty,
        notes: fields.into_notes(),
    })
}

/// The region; where the finding does not name it, that of the detector in its ARN, or of the wrapping.
fn region_of(fields: &mut Fields<'_>, wrapping: Option<&str>) -> Result<Region, Wrong> {
    let own = fields.exact("region").and_then(|text| match text {
        Some(text) => text.parse().map_err(|e: crate::ident::BadName| ("region".to_owned(), e.to_string())),
        None => Err(missing("region")),
    });
    let error = match own {
        Ok(region) => return Ok(region),
        Err(error) => error,
    };
    let arn = fields.text("arn");
    let in_arn = arn.as_deref().and_then(|arn| arn.split(':').nth(3));
    let found = [in_arn, wrapping].into_iter().flatten().find_map(|text| text.parse::<Region>().ok());
    let region = found.ok_or(error.clone())?;
    fields.note("region", &format!("{}: taken is {region}, of its ARN or its event", error.1));
    Ok(region)
}

fn principal(fields: &mut Fields<'_>) -> Result<Option<Principal>, Wrong> {
    if !fields.is_object("resource.accessKeyDetails")? {
        return Ok(None);
    }
    let principal_id = fields.odd_text("resource.accessKeyDetails.principalId")?;
    let text = |name: &str| fields.exact(&format!("resource.accessKeyDetails.{name}"));
    Ok(Some(Principal {
        user_type: text("userType")?.unwrap_or_default().into(),
        user_name: text("userName")?,
        principal_id,
        access_key_id: text("accessKeyId")?,
    }))
}

fn evidence(fields: &mut Fields<'_>, principal: Option<&Principal>) -> Evidence {
    const CALL: &str = "service.action.awsApiCallAction";
    let path = |name: &str| format!("{CALL}.{name}");
    let service = fields.text(&path("serviceName"));
    let api = fields.text(&path("api"));
    let instance = fields.text("resource.instanceDetails.instanceId");
    let ip = fields.text(&path("remoteIpDetails.ipAddressV4"));
    let country = match fields.value(&path("remoteIpDetails.country")) {
        Some(Value::String(_)) => fields.text(&path("remoteIpDetails.country")),
        _ => fields.text(&path("remoteIpDetails.country.countryName")),
    };
    let organization = fields.text(&path("remoteIpDetails.organization.org"));
    Evidence {
        first_seen: fields.time("service.eventFirstSeen"),
        last_seen: fields.time("service.eventLastSeen"),
        count: fields.count("service.count"),
        api: match (service, api) {
            (Some(service), Some(api)) => {
                Some(format!("{}:{api}", service.trim_end_matches(".amazonaws.com")))
            }
            (_, api) => api,
        },
        error_code: fields.text(&path("errorCode")).filter(|code| !code.is_empty()),
        remote_ip: ip.or_else(|| fields.text(&path("remoteIpDetails.ipAddressV6"))),
        remote_country: country,
        remote_organization: organization.or_else(|| fields.text(&path("remoteIpDetails.organization.isp"))),
        remote_account_affiliated: fields.flag(&path("remoteAccountDetails.affiliated")),
        remote_account: fields.text(&path("remoteAccountDetails.accountId")),
        instance_id: instance.or_else(|| principal.and_then(Principal::instance_id)),
    }
}

/// Events say `additionalInfo.sample: true`; GetFindings says it in JSON inside a string. GuardDuty's
/// titles of samples begin with `[SAMPLE]`: no name of a principal can, for none may have a bracket in it.
/// A name decides nothing, for a thief may choose the name of a role.
fn is_sample(title: Option<&str>, info: Option<&Value>) -> bool {
    let says_so = |info: &Value| info.get("sample").is_some_and(|s| s == &Value::Bool(true) || s == "true");
    let nested = |info: &Value| match info.get("value")? {
        Value::String(text) => serde_json::from_str::<Value>(text).ok(),
        other => Some(other.clone()),
    };
    info.is_some_and(|info| says_so(info) || nested(info).is_some_and(|n| says_so(&n)))
        || title.is_some_and(|t| t.starts_with("[SAMPLE]"))
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
