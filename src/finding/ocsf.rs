//! Findings in the Open Cybersecurity Schema Framework (OCSF), as Security Hub has them since version 2, and Security
//! Lake (Security Hub User Guide, "OCSF findings in Security Hub").

use super::fields::has;
use super::named_credentials;
use super::security_hub::Format;
use serde_json::{Map, Value};

/// Where OCSF has what both formats have.
pub(super) const FORMAT: Format = Format {
    id: "finding_info.uid",
    account: "cloud.account.uid",
    region: "cloud.region",
    types: "finding_info.types",
    updated: &[
        "finding_info.modified_time_dt",
        "finding_info.modified_time",
        "time_dt",
        "time",
        "finding_info.last_seen_time_dt",
        "finding_info.created_time",
    ],
    product: ["metadata.product.uid", "metadata.product.name"],
    title: "finding_info.title",
    first_seen: &["finding_info.first_seen_time_dt", "finding_info.first_seen_time"],
    last_seen: &["finding_info.last_seen_time_dt", "finding_info.last_seen_time"],
    ours: &["finding_info.analytic.uid", "finding_info.analytic.name"],
    severity,
    archived,
    credentials: named_credentials::in_ocsf,
    event: EVENT,
    type_of_guardduty: str::to_owned,
};

/// Security Hub event that carries a finding.
pub(super) const EVENT: &str = "Findings Imported V2";

/// It is a finding in OCSF: of whatever class, it says so in `finding_info`.
pub(super) fn is_one(object: &Map<String, Value>) -> bool {
    has(object, "finding_info") && ["class_uid", "metadata", "cloud"].iter().any(|key| has(object, key))
}

/// The severity as the least number that GuardDuty gives such a finding.
fn severity(finding: &Value) -> Option<f64> {
    Some(match finding.get("severity_id")?.as_u64()? {
        6 => 10.0,
        5 => 9.0,
        4 => 7.0,
        3 => 4.0,
        2 => 1.0,
        1 => 0.0,
        _ => return None,
    })
}

/// The product, or a person, has closed it: 3 is suppressed, 4 resolved, 5 archived.
fn archived(finding: &Value) -> bool {
    finding.get("status_id").and_then(Value::as_u64).is_some_and(|status| (3..=5).contains(&status))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::finding::decode;
    use serde_json::json;

    fn finding() -> Value {
        json!({
            "activity_id": 2, "category_uid": 2, "class_uid": 2004, "type_uid": 200_402,
            "cloud": {"account": {"uid": "222222222222", "type_id": 10}, "provider": "AWS", "region": "us-east-1"},
            "finding_info": {
                "uid": "arn:aws:guardduty:eu-west-1:111111111111:detector/d1/finding/f1", "uid_alt": "f1",
                "title": "t", "types": ["UnauthorizedAccess:IAMUser/InstanceCredentialExfiltration.OutsideAWS"],
                "modified_time": 1_795_341_600_000_u64, "modified_time_dt": "2026-11-22T10:00:00.000Z",
            },
            "metadata": {"version": "1.5.0", "product":
                {"name": "GuardDuty", "vendor_name": "AWS", "uid": "arn:aws:securityhub:us-east-1::productv2/aws/guardduty"}},
            "resources": [], "severity_id": 4, "status_id": 1,
        })
    }

    fn only(value: &Value) -> crate::finding::Finding {
        let mut all = decode(value.to_string().as_bytes());
        assert_eq!(all.len(), 1, "{all:?}");
        all.remove(0).expect("a pointer")
    }

    #[test]
    fn it_points_to_a_finding_however_it_is_wrapped() {
        let event = json!({"detail-type": EVENT, "source": "aws.securityhub", "account": "999999999999",
            "region": "us-east-1", "detail": {"findings": [finding()]}});
        let sns = json!({"Type": "Notification", "TopicArn": "arn:x", "Message": event.to_string()});
        let sqs = json!({"Messages": [{"MessageId": "m", "Body": sns.to_string()}]});
        for wrapped in [finding(), json!([finding()]), json!({"Findings": [finding()]}), event, sns, sqs] {
            let one = only(&wrapped);
            assert!(one.pointer && one.principal.is_none() && one.notes.is_empty(), "{one:?}");
            let is = (one.id.as_str(), one.account.as_str(), one.region.as_str());
            assert_eq!(is, ("f1", "222222222222", "eu-west-1"));
            assert_eq!(one.updated_at.to_string(), "2026-11-22T10:00:00Z");
            assert_eq!(
                one.finding_type,
                "UnauthorizedAccess:IAMUser/InstanceCredentialExfiltration.OutsideAWS"
            );
        }
    }

    #[test]
    fn the_bare_id_of_a_finding_is_looked_for_in_the_findings_region() {
        let id = "0123456789abcdef0123456789abcdef";
        let mut bare = finding();
        bare["finding_info"]["uid"] = json!(id);
        bare["finding_info"]["modified_time_dt"] = Value::Null;
        let one = only(&bare);
        assert_eq!((one.id.as_str(), one.region.as_str()), (id, "us-east-1"));
        assert_eq!(one.updated_at.to_string(), "2026-11-22T10:00:00Z");
        // Or in that of the event around it.
        bare["cloud"]["region"] = Value::Null;
        let event = json!({"detail-type": EVENT, "region": "eu-west-3", "detail": {"findings": [bare]}});
        assert_eq!(only(&event).region.as_str(), "eu-west-3");
    }

    #[test]
    fn what_points_nowhere_says_so() {
        let errors = [
            ("/finding_info/uid", json!("f1")),
            ("/finding_info/uid", Value::Null),
            ("/finding_info", json!("f1")),
            ("/cloud/account/uid", json!("2")),
            ("/cloud/account", Value::Null),
            ("/cloud", json!([])),
            ("/metadata/product/uid", json!("arn:aws:securityhub:us-east-1::productv2/aws/inspector")),
        ]
        .map(|(path, odd)| {
            let mut odd_one = finding();
            *odd_one.pointer_mut(path).expect("there") = odd;
            decode(odd_one.to_string().as_bytes()).remove(0).expect_err(path).to_string()
        });
        insta::assert_snapshot!(errors.join("\n"), @r#"
        finding_info.uid: "f1": expected the ARN of a finding of GuardDuty's
        (finding): missing field `finding_info.uid`
        finding_info: expected an object, found the text "f1"
        cloud.account.uid: "2": an account id is 12 digits
        (finding): missing field `cloud.account.uid`
        cloud: expected an object, found a list
        (finding): a Security Hub finding of "GuardDuty" that names no AWS access key and no role: nothing to revoke
        "#);
    }
}
