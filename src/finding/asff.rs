//! Findings in the AWS Security Finding Format (ASFF), as Security Hub CSPM has them.

use super::fields::{has, text_at};
use super::named_credentials;
use super::security_hub::Format;
use serde_json::{Map, Value};

/// Where ASFF has what both formats have.
pub(super) const FORMAT: Format = Format {
    id: "Id",
    account: "AwsAccountId",
    region: "Region",
    types: "Types",
    updated: &["UpdatedAt", "LastObservedAt", "CreatedAt"],
    product: ["ProductArn", "ProductName"],
    title: "Title",
    first_seen: &["FirstObservedAt"],
    last_seen: &["LastObservedAt"],
    ours: &["GeneratorId"],
    severity,
    archived,
    credentials: named_credentials::in_asff,
    event: EVENTS[0],
    type_of_guardduty,
};

/// Security Hub events that carry findings: imported ones, and those that a person sent.
pub(super) const EVENTS: [&str; 2] =
    ["Security Hub Findings - Imported", "Security Hub Findings - Custom Action"];

/// It is a finding in ASFF.
pub(super) fn is_one(object: &Map<String, Value>) -> bool {
    has(object, "ProductArn")
        && ["AwsAccountId", "GeneratorId", "SchemaVersion"].iter().any(|key| has(object, key))
}

/// Security Hub's label as the least number that GuardDuty gives such a finding.
fn severity(finding: &Value) -> Option<f64> {
    Some(match text_at(finding, "Severity.Label")?.to_ascii_uppercase().as_str() {
        "CRITICAL" => 9.0,
        "HIGH" => 7.0,
        "MEDIUM" => 4.0,
        "LOW" => 1.0,
        "INFORMATIONAL" => 0.0,
        _ => return None,
    })
}

/// The product, or a person, has closed it.
fn archived(finding: &Value) -> bool {
    text_at(finding, "RecordState") == Some("ARCHIVED")
        || matches!(text_at(finding, "Workflow.Status"), Some("SUPPRESSED" | "RESOLVED"))
}

/// For people only: "Effects/Data Exfiltration/UnauthorizedAccess:IAMUser-X" is
/// `UnauthorizedAccess:IAMUser/X`.
fn type_of_guardduty(text: &str) -> String {
    let last = text.rsplit('/').next().unwrap_or_default();
    match last.split_once(':') {
        Some((purpose, threat)) => format!("{purpose}:{}", threat.replacen('-', "/", 1)),
        None => last.to_owned(),
    }
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
            ("Id", json!("f1")),
            ("Id", json!("arn:aws:guardduty:eu-west-1:1:detector/d/finding/")),
            ("Id", json!(7)),
            ("AwsAccountId", json!("2")),
            ("AwsAccountId", Value::Null),
        ]
        .map(|(key, odd)| {
            let mut odd_one = finding();
            odd_one[key] = odd;
            decode(odd_one.to_string().as_bytes()).remove(0).expect_err(key).to_string()
        });
        insta::assert_snapshot!(errors.join("\n"), @r#"
        Id: "f1": expected the ARN of a finding of GuardDuty's
        Id: "arn:aws:guardduty:eu-west-1:1:detector/d/finding/": expected the ARN of a finding of GuardDuty's
        Id: expected a text, found the number 7
        AwsAccountId: "2": an account id is 12 digits
        (finding): missing field `AwsAccountId`
        "#);
    }

    #[test]
    fn a_time_that_cannot_be_read_decides_nothing() {
        for odd in [json!("yesterday"), json!(null), json!({}), json!("2026-11-22 10:00:00")] {
            let mut odd_one = finding();
            odd_one["UpdatedAt"] = odd.clone();
            let one = decode(odd_one.to_string().as_bytes()).remove(0).expect("a pointer");
            assert_eq!((one.id.as_str(), one.notes.is_empty()), ("f1", false), "{odd}");
        }
    }
}
