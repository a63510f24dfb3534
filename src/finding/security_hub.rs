//! A finding as Security Hub has it, in either of its formats: ASFF and OCSF.
//!
//! One of GuardDuty's lacks some of what a decision needs, and its fields have other names. But it names the GuardDuty
//! finding, so that GuardDuty can be asked for it.

use super::cause::Cause;
use super::fields::{Fields, Wrong, missing};
use super::occurrence::{Decoded, Evidence, Finding};
use super::undecodable::{broken_value, place};
use crate::canonical;
use crate::ident::{AccountId, Region, quoted};
use jiff::Timestamp;
use serde_json::{Map, Value};

/// Product of Security Hub whose findings GuardDuty itself can be asked for.
const GUARDDUTY: &str = "aws/guardduty";

/// Maximum length of the id of a GuardDuty finding, in bytes.
const LONGEST_ID: usize = 128;

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
        let name = if name.is_empty() { last } else { name }.to_owned();
        Product { name, path }
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

/// The value at a path with dots, in whatever it is.
pub(super) fn at<'a>(value: &'a Value, path: &str) -> Option<&'a Value> {
    path.split('.').try_fold(value, |value, key| value.get(key))
}

/// The text at a path with dots.
pub(super) fn text_at<'a>(value: &'a Value, path: &str) -> Option<&'a str> {
    at(value, path)?.as_str()
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

/// An object has this key, with a text or an object.
pub(super) fn has(object: &Map<String, Value>, key: &str) -> bool {
    object.get(key).is_some_and(|value| !value.is_null())
}
