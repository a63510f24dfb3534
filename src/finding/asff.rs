//! A GuardDuty finding as Security Hub wraps it (ASFF, "AWS Security Finding Format").
//!
//! It lacks some of what a decision needs, and its fields have other names. But it names the GuardDuty finding, so
//! that GuardDuty can be asked for it.

use super::cause::Cause;
use super::occurrence::{Decoded, Evidence, Finding};
use super::undecodable::{Undecodable, broken_value, place};
use crate::canonical;
use crate::ident::{AccountId, Region, quoted};
use jiff::Timestamp;
use serde_json::{Map, Value};

/// Security Hub events that carry findings: imported ones, and those that a person sent.
pub(super) const EVENTS: [&str; 2] =
    ["Security Hub Findings - Imported", "Security Hub Findings - Custom Action"];

/// It is a finding in ASFF.
pub(super) fn is_one(object: &Map<String, Value>) -> bool {
    object.contains_key("AwsAccountId") && object.contains_key("ProductArn")
}

/// The product whose finding it is, when that is not GuardDuty.
pub(super) fn other_product(object: &Map<String, Value>) -> Option<String> {
    let arn = object.get("ProductArn")?.as_str()?;
    let product = arn.rsplit_once("product/").map_or(arn, |(_, product)| product);
    (product != "aws/guardduty").then(|| quoted(product))
}

/// What it points to.
pub(super) fn pointer(value: &Value, path: &str) -> Decoded {
    let text = |key: &str| value.get(key).and_then(Value::as_str);
    let wrong = |key: &str, error: String| -> Undecodable { broken_value(&place(path, key), error, value) };
    let id = text("Id").unwrap_or_default();
    let (region, finding) = finding_of(id).ok_or_else(|| {
        wrong("Id", format!("{}: expected the ARN of a finding of GuardDuty's", quoted(id)))
    })?;
    let account: AccountId = text("AwsAccountId")
        .unwrap_or_default()
        .parse()
        .map_err(|error| wrong("AwsAccountId", format!("{error}")))?;
    let updated = text("UpdatedAt").unwrap_or_default();
    let updated_at: Timestamp = updated.parse().map_err(|_| {
        wrong("UpdatedAt", format!("{}: expected a time such as 2026-11-21T23:47:00Z", quoted(updated)))
    })?;
    Ok(Finding {
        id: finding.to_owned(),
        account,
        region,
        finding_type: finding_type(value),
        severity: None,
        title: None,
        created_at: None,
        updated_at_text: updated.to_owned(),
        updated_at,
        principal: None,
        evidence: Evidence::default(),
        archived: false,
        sample: false,
        sha256: crate::digest::sha256(&canonical::of(value).unwrap_or_default()),
        detail: None,
        actor: false,
        notes: Vec::new(),
        pointer: true,
        cause: Cause::GuardDuty,
    })
}

/// Region and finding id in `arn:aws:guardduty:REGION:ACCOUNT:detector/DETECTOR/finding/ID`.
fn finding_of(arn: &str) -> Option<(Region, &str)> {
    let mut parts = arn.splitn(6, ':');
    let (_, _) = (parts.next().filter(|arn| *arn == "arn")?, parts.next()?);
    parts.next().filter(|service| *service == "guardduty")?;
    let region = parts.next()?.parse().ok()?;
    let mut resource = parts.nth(1)?.split('/');
    match (resource.next()?, resource.next()?, resource.next()?, resource.next()?, resource.next()) {
        ("detector", _, "finding", id, None) if (1..=128).contains(&id.len()) => Some((region, id)),
        _ => None,
    }
}

/// For people only: "Effects/Data Exfiltration/UnauthorizedAccess:IAMUser-X" is
/// `UnauthorizedAccess:IAMUser/X`.
fn finding_type(value: &Value) -> String {
    let types = value.get("Types").and_then(|types| types.get(0)).and_then(Value::as_str).unwrap_or_default();
    let last = types.rsplit('/').next().unwrap_or_default();
    let (purpose, threat) = last.split_once(':').unwrap_or((last, ""));
    let text = if threat.is_empty() {
        last.to_owned()
    } else {
        format!("{purpose}:{}", threat.replacen('-', "/", 1))
    };
    text.chars().take(200).collect()
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::finding::decode;
    use serde_json::json;

    fn finding() -> Value {
        json!({
            "SchemaVersion": "2018-10-08", "AwsAccountId": "222222222222", "Region": "us-east-1",
            "Id": "arn:aws:guardduty:eu-west-1:111111111111:detector/d1/finding/f1",
            "ProductArn": "arn:aws:securityhub:eu-west-1::product/aws/guardduty",
            "Types": ["TTPs/Effects/UnauthorizedAccess:IAMUser-InstanceCredentialExfiltration.OutsideAWS"],
            "UpdatedAt": "2026-11-22T10:00:00.000Z",
        })
    }

    #[test]
    fn it_points_to_a_finding_however_it_is_wrapped() {
        let event = |kind: &str| {
            json!({"detail-type": kind, "source": "aws.securityhub", "account": "999999999999",
            "region": "us-east-1", "detail": {"findings": [finding()]}})
        };
        let sns =
            json!({"Type": "Notification", "TopicArn": "arn:x", "Message": event(EVENTS[0]).to_string()});
        for wrapped in [finding(), json!({"Findings": [finding()]}), event(EVENTS[0]), event(EVENTS[1]), sns]
        {
            let mut all = decode(wrapped.to_string().as_bytes());
            assert_eq!(all.len(), 1, "{all:?}");
            let one = all.remove(0).expect("a pointer");
            assert!(one.pointer && one.principal.is_none());
            // Findings of other regions are brought together in one: the ARN has the right one.
            let is = (one.id.as_str(), one.account.as_str(), one.region.as_str());
            assert_eq!(is, ("f1", "222222222222", "eu-west-1"));
            assert_eq!(
                one.finding_type,
                "UnauthorizedAccess:IAMUser/InstanceCredentialExfiltration.OutsideAWS"
            );
        }
    }

    #[test]
    fn what_points_nowhere_says_so() {
        let errors = [
            ("Id", "f1"),
            ("Id", "arn:aws:guardduty:eu-west-1:1:detector/d/finding/"),
            ("AwsAccountId", "2"),
            ("UpdatedAt", "yesterday"),
            ("ProductArn", "arn:aws:securityhub:eu-west-1::product/aws/inspector"),
        ]
        .map(|(key, odd)| {
            let mut odd_one = finding();
            odd_one[key] = json!(odd);
            decode(odd_one.to_string().as_bytes()).remove(0).expect_err(odd).to_string()
        });
        insta::assert_snapshot!(errors.join("\n"), @r#"
        Id: "f1": expected the ARN of a finding of GuardDuty's
        Id: "arn:aws:guardduty:eu-west-1:1:detector/d/finding/": expected the ARN of a finding of GuardDuty's
        AwsAccountId: "2": an account id is 12 digits
        UpdatedAt: "yesterday": expected a time such as 2026-11-21T23:47:00Z
        (finding): a Security Hub finding of "aws/inspector": only GuardDuty's are acted on. Match "ProductName": ["GuardDuty"] in the rule
        "#);
    }
}
