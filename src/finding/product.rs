//! A finding of another product than GuardDuty, in Security Hub. Where it names AWS credentials it is an order to revoke
//! them, which a person has to approve: nobody can be asked whether it is so.

use super::cause::{Cause, Order, OrderedBy, PRODUCT_ORDER_TYPE};
use super::fields::{Fields, Wrong, missing, text_at};
use super::named_credentials::{Credentials, Found};
use super::occurrence::{Decoded, Evidence, Finding};
use super::security_hub::{Around, Format, Product};
use super::undecodable::{Foreign, ForeignReason, Undecodable, broken_value, place};
use crate::canonical;
use serde_json::{Value, json};
use std::sync::Arc;

/// Maximum length of an event that is kept whole, in bytes.
const LONGEST_DETAIL: usize = 64 << 10;

/// Maximum length of a product's id of its finding that is kept, in characters.
const LONGEST_ID: usize = 512;

/// Generator of the findings that rescind itself sends to Security Hub.
const OURS: &str = "rescind/";

/// A finding for each of the credentials that a product's finding names; none when it names none, or is rescind's own.
pub(super) fn orders(
    format: &Format,
    product: &Product,
    value: &Value,
    path: &str,
    around: &Around<'_>,
) -> Vec<Decoded> {
    let wrong = |(field, error): Wrong| broken_value(&place(path, &field), error, value);
    if format.ours.iter().any(|path| text_at(value, path).is_some_and(|text| text.starts_with(OURS))) {
        return Vec::new();
    }
    let account = match format.account(&Fields::of(value)) {
        Ok(account) => account,
        Err(error) => return vec![Err(of(product, wrong(error)))],
    };
    let found = (format.credentials)(value, &account);
    if found.is_empty() {
        return Vec::new();
    }
    match whole(format, product, value, around) {
        Ok(whole) => found
            .into_iter()
            .map(|one| each(&whole, one).map_err(|error| of(product, wrong(error))))
            .collect(),
        Err(error) => vec![Err(of(product, wrong(error)))],
    }
}

/// What is wrong with a finding of a product is its business.
fn of(product: &Product, undecodable: Undecodable) -> Undecodable {
    let foreign = Foreign { product: product.name.clone(), why: ForeignReason::Broken };
    Undecodable { foreign: Some(Box::new(foreign)), ..undecodable }
}

fn each(whole: &Finding, found: Found) -> Result<Finding, Wrong> {
    let Credentials { account, principal } = found?;
    let evidence = Evidence { instance_id: principal.instance_id(), ..whole.evidence.clone() };
    Ok(Finding { account, principal: Some(principal), evidence, ..whole.clone() })
}

/// The finding, about nobody yet.
fn whole(format: &Format, product: &Product, value: &Value, around: &Around<'_>) -> Result<Finding, Wrong> {
    let mut fields = Fields::of(value);
    let id: String = fields.required(format.id)?.chars().take(LONGEST_ID).collect();
    let account = format.account(&fields)?;
    let region = format.region(&mut fields, around.region)?;
    let (updated_at_text, updated_at) =
        format.updated(&mut fields).ok_or_else(|| missing(format.updated[0]))?;
    let title = fields.text(format.title).map(|text| without_secrets(&text));
    let finding_type = Some(format.first_type(value)).filter(|kind| !kind.is_empty());
    let reason = title.clone().or_else(|| finding_type.clone()).unwrap_or_else(|| id.clone());
    let last_seen = format.last_seen.iter().find_map(|path| fields.time_or_number(path));
    let first_seen = format.first_seen.iter().find_map(|path| fields.time_or_number(path));
    let event = around.event(format, value, &updated_at_text, region.as_str());
    let event = canonical::of(&redacted(event)).unwrap_or_default();
    let detail = String::from_utf8(event).unwrap_or_default();
    let from =
        OrderedBy::Product { product: product.name.clone(), path: product.path.clone(), finding: id.clone() };
    Ok(Finding {
        // An id of its own: what another product calls its finding must not stand for one of GuardDuty's.
        id: crate::digest::sha256(json!([product.path, id]).to_string().as_bytes())
            .chars()
            .take(32)
            .collect(),
        account,
        region,
        finding_type: finding_type.unwrap_or_else(|| PRODUCT_ORDER_TYPE.to_owned()),
        severity: (format.severity)(value),
        title,
        created_at: None,
        updated_at,
        updated_at_text,
        principal: None,
        evidence: Evidence { first_seen, last_seen, ..Evidence::default() },
        archived: (format.archived)(value),
        sample: false,
        sha256: crate::digest::sha256(&canonical::of(value).unwrap_or_default()),
        detail: (!detail.is_empty() && detail.len() <= LONGEST_DETAIL).then(|| Arc::from(detail)),
        actor: true,
        inferred: None,
        notes: fields.into_notes(),
        pointer: false,
        cause: Cause::Order(Box::new(Order { from, reason })),
    })
}

/// Number of characters of an AWS secret access key.
const SECRET: usize = 40;

/// Minimum number of characters in a row that may be a session token.
const TOKEN: usize = 100;

/// What stands in the place of something that may be a secret.
const REDACTED: &str = "[redacted: it looks like a secret]";

/// The same text without what looks like an AWS secret access key or a session token: a product may quote what it found.
fn without_secrets(text: &str) -> String {
    let is_part = |c: char| c.is_ascii_alphanumeric() || matches!(c, '/' | '+' | '=');
    let (mut out, mut rest) = (String::with_capacity(text.len()), text);
    while !rest.is_empty() {
        let end = rest.find(|c| !is_part(c)).unwrap_or(rest.len());
        let (word, more) = rest.split_at(end);
        out.push_str(if is_secret(word) { REDACTED } else { word });
        let between = more.find(is_part).unwrap_or(more.len());
        let (separator, next) = more.split_at(between);
        out.push_str(separator);
        rest = next;
    }
    out
}

fn is_secret(word: &str) -> bool {
    let has = |kind: fn(&u8) -> bool| word.as_bytes().iter().any(kind);
    let is_mixed = has(u8::is_ascii_uppercase) && has(u8::is_ascii_lowercase) && has(u8::is_ascii_digit);
    is_mixed && (word.len() == SECRET || word.len() >= TOKEN)
}

/// The same value without what looks like a secret in any of its texts.
fn redacted(value: Value) -> Value {
    match value {
        Value::String(text) => Value::String(without_secrets(&text)),
        Value::Array(items) => Value::Array(items.into_iter().map(redacted).collect()),
        Value::Object(object) => {
            Value::Object(object.into_iter().map(|(key, value)| (key, redacted(value))).collect())
        }
        other => other,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_looks_like_a_secret_is_not_kept() {
        let key = "wJalrXUtnFEMI/K7MDENG/bPxRfiCYEXAMPLEKEY";
        let token = "IQoJb3JpZ2luX2VjEXAMPLE".repeat(6);
        let text = format!("secret {key}, token={token};");
        let kept = redacted(json!({"Title": text, "list": [key]})).to_string();
        assert!(!kept.contains(key) && !kept.contains(&token), "{kept}");
        for harmless in [
            "arn:aws:sts::222222222222:assumed-role/WebRole/i-0123456789abcdef0",
            "da39a3ee5e6b4b0d3255bfef95601890afd80709",
            "AKIAIOSFODNN7EXAMPLE is leaked",
            "",
        ] {
            assert_eq!(without_secrets(harmless), harmless);
        }
    }
}
