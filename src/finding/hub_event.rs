//! A finding of GuardDuty's as Security Hub's events would have it, as far as that is certain: for patterns of such events.
//!
//! What Security Hub adds, such as a workflow status or its own types, is not known here.

use super::cause::Cause;
use super::fields::text_at;
use super::occurrence::Finding;
use crate::ident::AccountId;
use serde_json::{Value, json};

impl Finding {
    /// The events by which Security Hub would send the finding, in ASFF and in OCSF, with what is certain of them. None when
    /// the whole finding was not kept, or it is none of GuardDuty's.
    #[must_use]
    pub fn hub_events(&self, bus: &AccountId) -> Option<[Value; 2]> {
        if self.cause != Cause::GuardDuty {
            return None;
        }
        let detail: Value = serde_json::from_str(self.detail.as_ref()?).ok()?;
        let arn = text_at(&detail, "arn").unwrap_or_default();
        let partition = arn.split(':').nth(1).filter(|partition| !partition.is_empty()).unwrap_or("aws");
        let (label, severity_id) = self.severity.map(severity).unzip();
        let (region, account, title, desc) =
            (&self.region, &self.account, &self.title, text_at(&detail, "description"));
        let asff = json!({
            "SchemaVersion": "2018-10-08", "Id": arn, "ProductName": "GuardDuty", "CompanyName": "Amazon",
            "ProductArn": format!("arn:{partition}:securityhub:{region}::product/aws/guardduty"),
            "AwsAccountId": account, "Region": region, "Title": title, "Description": desc,
            "Severity": {"Label": label.map(str::to_ascii_uppercase)},
            "RecordState": if self.archived { "ARCHIVED" } else { "ACTIVE" },
        });
        let ocsf = json!({
            "class_uid": 2004, "class_name": "Detection Finding", "category_uid": 2, "category_name": "Findings",
            "cloud": {"account": {"uid": account}, "region": region, "provider": "AWS", "cloud_partition": partition},
            "finding_info": {"uid": arn, "uid_alt": self.id, "title": title, "desc": desc, "types": [self.finding_type]},
            "metadata": {"product": {"name": "GuardDuty", "vendor_name": "AWS",
                "uid": format!("arn:{partition}:securityhub:{region}::productv2/aws/guardduty")}},
            "severity": label, "severity_id": severity_id,
        });
        let event = |kind: &str, finding: Value| {
            let finding = without_nulls(finding);
            json!({"version": "0", "detail-type": kind, "source": "aws.securityhub", "account": bus, "region": region,
                "detail": {"findings": [finding]}})
        };
        Some([event("Security Hub Findings - Imported", asff), event("Findings Imported V2", ocsf)])
    }
}

/// Security Hub's label, and OCSF's number, for GuardDuty's severity (GuardDuty User Guide, "Severity levels").
fn severity(severity: f64) -> (&'static str, u8) {
    match severity {
        severity if severity >= 9.0 => ("Critical", 5),
        severity if severity >= 7.0 => ("High", 4),
        severity if severity >= 4.0 => ("Medium", 3),
        _ => ("Low", 2),
    }
}

/// What is not known is not there.
fn without_nulls(value: Value) -> Value {
    match value {
        Value::Object(object) => {
            let known = object.into_iter().filter(|(_, value)| !value.is_null());
            Value::Object(known.map(|(key, value)| (key, without_nulls(value))).collect())
        }
        other => other,
    }
}
