//! A finding as Security Hub has it, in either of its formats: ASFF and OCSF.
//!
//! One of GuardDuty's lacks some of what a decision needs, and its fields have other names. But it names the GuardDuty
//! finding, so that GuardDuty can be asked for it.

use super::cause::Cause;
use super::fields::{Fields, Wrong, at, missing, text_at};
use super::named_credentials::Found;
use super::occurrence::{Decoded, Evidence, Finding};
use super::undecodable::{broken_value, place};
use crate::canonical;
use crate::ident::{AccountId, Region, quoted};
use jiff::Timestamp;
use serde_json::{Map, Value, json};

/// Product of Security Hub whose findings GuardDuty itself can be asked for.
const GUARDDUTY: &str = "aws/guardduty";

/// Maximum length of the id of a GuardDuty finding, in bytes.
const LONGEST_ID: usize = 128;

/// Maximum length of a product's name that is kept, in characters.
const LONGEST_NAME: usize = 128;

/// Where a format has what both have.
pub(super) struct Format {
    pub id: &'static str,
    pub account: &'static str,
    pub region: &'static str,
    /// A list, of which the first counts.
    pub types: &'static str,
    /// When it was written: the first of these that is there.
    pub updated: &'static [&'static str],
    /// The product's ARN, and its name.
    pub product: [&'static str; 2],
    pub title: &'static str,
    /// When the activity was first seen, and when it was last: the first of these that is there.
    pub first_seen: &'static [&'static str],
    pub last_seen: &'static [&'static str],
    /// Where rescind names itself in the findings that it sends.
    pub ours: &'static [&'static str],
    /// GuardDuty's number for the severity.
    pub severity: fn(&Value) -> Option<f64>,
    /// Somebody has closed it.
    pub archived: fn(&Value) -> bool,
    /// The credentials that it names. It is about this account.
    pub credentials: fn(&Value, &AccountId) -> Vec<Found>,
    /// Detail-type of the event that brings such a finding.
    pub event: &'static str,
    /// The type as GuardDuty has it, from how it stands here.
    pub type_of_guardduty: fn(&str) -> String,
}

/// A product that sends its findings to Security Hub.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Product {
    /// The end of its ARN: `aws/macie`, `111122223333/default`.
    pub path: String,
    /// Its name, as people know it.
    pub name: String,
}

/// The event around a finding.
#[derive(Clone, Copy)]
pub(super) struct Around<'a> {
    pub region: Option<&'a str>,
    /// The event without its findings, when it is one of Security Hub's.
    pub event: Option<&'a Map<String, Value>>,
}

impl Around<'_> {
    /// The event that brings this finding only: as it came, or as Security Hub would send it. The account is missing when
    /// it did not come in an event.
    pub fn event(&self, format: &Format, finding: &Value, time: &str, region: &str) -> Value {
        let made = || {
            let id = text_at(finding, format.id).unwrap_or_default();
            let event = json!({
                "version": "0", "id": id, "detail-type": format.event, "source": "aws.securityhub", "time": time,
                "region": region, "resources": [id], "detail": {},
            });
            event.as_object().cloned().unwrap_or_default()
        };
        let mut event = self.event.cloned().unwrap_or_else(made);
        let detail = event.entry("detail").or_insert_with(|| json!({}));
        if let Some(detail) = detail.as_object_mut() {
            detail.insert("findings".to_owned(), json!([finding]));
        }
        Value::Object(event)
    }
}

impl Format {
    /// The product whose finding it is.
    pub fn product(&self, finding: &Value) -> Product {
        let [arn, name] = self.product.map(|path| text_at(finding, path).unwrap_or_default());
        let path = ["product/", "productv2/"]
            .iter()
            .find_map(|before| arn.rsplit_once(before))
            .map_or(arn, |(_, path)| path)
            .to_ascii_lowercase();
        let last = path.rsplit('/').next().unwrap_or_default();
        let name = if name.is_empty() { last } else { name };
        Product { name: name.chars().take(LONGEST_NAME).collect(), path }
    }

    /// What a finding of GuardDuty's points to. `around` is the region of the event around it.
    pub fn pointer(&self, value: &Value, path: &str, around: Option<&str>) -> Decoded {
        self.pointed(value, around).map_err(|(field, error)| broken_value(&place(path, &field), error, value))
    }

    fn pointed(&self, value: &Value, around: Option<&str>) -> Result<Finding, Wrong> {
        let mut fields = Fields::of(value);
        let text = fields.required(self.id)?;
        let (region, id) = match finding_of(&text) {
            Some((region, id)) => (region, id.to_owned()),
            // The id alone does not say in which region it is.
            None if is_bare_id(&text) => (self.region(&mut fields, around)?, text),
            None => {
                let error = format!("{}: expected the ARN of a finding of GuardDuty's", quoted(&text));
                return Err((self.id.to_owned(), error));
            }
        };
        let account = self.account(&fields)?;
        // It only says how long GuardDuty is asked for it.
        let updated = self.updated(&mut fields);
        if updated.is_none() {
            fields.note(self.updated[0], "no time that can be read: taken as long ago");
        }
        let (updated_at_text, updated_at) =
            updated.unwrap_or_else(|| (Timestamp::UNIX_EPOCH.to_string(), Timestamp::UNIX_EPOCH));
        Ok(Finding {
            id,
            account,
            region,
            finding_type: (self.type_of_guardduty)(&self.first_type(value)),
            severity: None,
            title: None,
            created_at: None,
            updated_at_text,
            updated_at,
            principal: None,
            evidence: Evidence::default(),
            archived: false,
            sample: false,
            sha256: crate::digest::sha256(&canonical::of(value).unwrap_or_default()),
            detail: None,
            actor: false,
            inferred: None,
            notes: fields.into_notes(),
            pointer: true,
            cause: Cause::GuardDuty,
        })
    }

    /// The account that it is about.
    pub fn account(&self, fields: &Fields<'_>) -> Result<AccountId, Wrong> {
        fields.account(self.account)?.ok_or_else(|| missing(self.account))
    }

    /// The region that it is about, or that of the event around it.
    pub fn region(&self, fields: &mut Fields<'_>, around: Option<&str>) -> Result<Region, Wrong> {
        let parsed = |text: &str| text.parse::<Region>().ok();
        let own = fields.text(self.region);
        let found = own.as_deref().and_then(parsed).or_else(|| around.and_then(parsed));
        found.ok_or_else(|| match own {
            Some(odd) => (self.region.to_owned(), format!("{}: expected a region", quoted(&odd))),
            None => missing(self.region),
        })
    }

    /// When it was written, as it says and as it is.
    pub fn updated(&self, fields: &mut Fields<'_>) -> Option<(String, Timestamp)> {
        self.updated.iter().find_map(|path| {
            let at = fields.time_or_number(path)?;
            Some((at.to_string(), at))
        })
    }

    /// Its first type, as it stands there; empty when it has none.
    pub fn first_type(&self, finding: &Value) -> String {
        let types = at(finding, self.types);
        let first = types.and_then(|types| types.get(0).or(Some(types))).and_then(Value::as_str);
        first.unwrap_or_default().chars().take(200).collect()
    }
}

impl Product {
    /// It is GuardDuty.
    pub fn is_guardduty(&self) -> bool {
        self.path == GUARDDUTY
            || self.path.is_empty() && self.name.to_ascii_lowercase().ends_with("guardduty")
    }
}

/// Region and finding id in `arn:aws:guardduty:REGION:ACCOUNT:detector/DETECTOR/finding/ID`.
fn finding_of(arn: &str) -> Option<(Region, &str)> {
    let mut parts = arn.splitn(6, ':');
    let (_, _) = (parts.next().filter(|arn| *arn == "arn")?, parts.next()?);
    parts.next().filter(|service| *service == "guardduty")?;
    let region = parts.next()?.parse().ok()?;
    let mut resource = parts.nth(1)?.split('/');
    match (resource.next()?, resource.next()?, resource.next()?, resource.next()?, resource.next()) {
        ("detector", _, "finding", id, None) if (1..=LONGEST_ID).contains(&id.len()) => Some((region, id)),
        _ => None,
    }
}

/// As GuardDuty makes ids: 32 hexadecimal digits.
fn is_bare_id(text: &str) -> bool {
    text.len() == 32 && text.bytes().all(|byte| byte.is_ascii_hexdigit())
}
