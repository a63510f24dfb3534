//! Security Hub: findings of our own, beside those of GuardDuty.

use super::hub::Hub;
use super::record::recorded;
use super::signed::{Request, Service};
use crate::ident::Region;
use crate::remediation::{CallError, CallScope};
use aws_smithy_types::error::metadata::ErrorMetadata;
use futures::FutureExt;
use serde::Deserialize;
use serde_json::{Value, json};

/// Security Hub (Security Hub API Reference, "Actions").
static SECURITY_HUB: Service =
    Service { id: "SecurityHub", name: "securityhub", version: "2018-10-26", refusal };

/// A finding of GuardDuty's in Security Hub.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct HubFindingId {
    /// The ARN of the finding.
    pub arn: String,
    /// The ARN of GuardDuty as a product of Security Hub.
    pub product_arn: String,
}

/// A finding that Security Hub did not take.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct NotImported {
    pub id: String,
    pub code: String,
    pub message: String,
}

impl NotImported {
    /// The finding itself is wrong: sent again, it is refused again.
    #[must_use]
    pub fn is_for_good(&self) -> bool {
        self.code == "InvalidInput"
    }
}

impl Hub {
    /// BatchImportFindings: 100 findings at most, all of the region. Returns those that were
    /// rejected: AWS reports them in a response with status 200.
    ///
    /// # Errors
    /// As the call's.
    pub async fn import_findings(
        &self,
        region: &Region,
        findings: &[impl AsRef<[u8]> + Sync],
    ) -> Result<Vec<NotImported>, CallError> {
        let request =
            Request { method: "POST", path: "/findings/import", content_type: JSON, body: body(findings) };
        let answer: Answer =
            self.call_security_hub(region, "BatchImportFindings", request, &CallScope::default()).await?;
        Ok(answer.failed_findings.into_iter().map(|failed| failed.of(None)).collect())
    }

    /// BatchUpdateFindings of one finding: a note, and with `resolve` the workflow status RESOLVED. Gives why it was
    /// not taken: AWS reports that in a response with status 200.
    ///
    /// # Errors
    /// As the call's.
    pub async fn update_security_hub(
        &self,
        region: &Region,
        finding: &HubFindingId,
        note: &str,
        resolve: bool,
        scope: &CallScope,
    ) -> Result<Option<NotImported>, CallError> {
        let mut update = json!({
            "FindingIdentifiers": [{"Id": finding.arn, "ProductArn": finding.product_arn}],
            "Note": {"Text": note, "UpdatedBy": "rescind"},
        });
        if resolve {
            update["Workflow"] = json!({"Status": "RESOLVED"});
        }
        let request = Request {
            method: "PATCH",
            path: "/findings/batchupdate",
            content_type: JSON,
            body: update.to_string().into_bytes(),
        };
        let answer = self.call_security_hub(region, "BatchUpdateFindings", request, scope).await?;
        Ok(answer.unprocessed_findings.into_iter().next().map(|one| one.of(Some(&finding.arn))))
    }

    async fn call_security_hub(
        &self,
        region: &Region,
        operation: &'static str,
        request: Request,
        scope: &CallScope,
    ) -> Result<Answer, CallError> {
        let read = |body: &[u8]| serde_json::from_slice(body);
        let request = SECURITY_HUB.call(&self.config, region, operation, request, read).boxed();
        recorded(&*self.sink, self.call("securityhub", operation, region, scope), request).await
    }
}

const JSON: &str = "application/json";

fn body(findings: &[impl AsRef<[u8]>]) -> Vec<u8> {
    let mut body = br#"{"Findings":["#.to_vec();
    for (number, finding) in findings.iter().enumerate() {
        if number > 0 {
            body.push(b',');
        }
        body.extend_from_slice(finding.as_ref());
    }
    body.extend_from_slice(b"]}");
    body
}

/// What is used of the answers to both calls.
#[derive(Debug, Deserialize)]
#[serde(rename_all = "PascalCase")]
struct Answer {
    #[serde(default)]
    failed_findings: Vec<Failed>,
    #[serde(default)]
    unprocessed_findings: Vec<Failed>,
}

#[derive(Debug, Deserialize)]
#[serde(rename_all = "PascalCase")]
struct Failed {
    id: Option<String>,
    error_code: Option<String>,
    error_message: Option<String>,
}

impl Failed {
    /// With the id of the finding, where the answer has it elsewhere.
    fn of(self, id: Option<&str>) -> NotImported {
        NotImported {
            id: id.map(str::to_owned).or(self.id).unwrap_or_default(),
            code: self.error_code.unwrap_or_default(),
            message: self.error_message.unwrap_or_default().chars().take(300).collect(),
        }
    }
}

/// An error in AWS's JSON: `{"Code": …, "Message": …}`, with the names in one of several spellings. The code may stand in a
/// header instead.
fn refusal(kind: Option<&str>, body: &[u8]) -> ErrorMetadata {
    let body: Value = serde_json::from_slice(body).unwrap_or_default();
    let text = |names: &[&str]| names.iter().find_map(|name| body.get(name)?.as_str());
    let mut refused = ErrorMetadata::builder();
    if let Some(code) = kind.or_else(|| text(&["code", "Code", "__type"])) {
        // `namespace#Code:http://…`
        let code = code.split(':').next().unwrap_or_default();
        refused = refused.code(code.rsplit('#').next().unwrap_or_default());
    }
    if let Some(message) = text(&["message", "Message", "errorMessage"]) {
        refused = refused.message(message);
    }
    refused.build()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_error_has_its_code_and_message_however_they_are_spelled() {
        for body in [
            r#"{"__type": "com.amazonaws.securityhub#InvalidAccessException:http://x", "message": "not enabled"}"#,
            r#"{"Code": "InvalidAccessException", "Message": "not enabled"}"#,
        ] {
            let refused = refusal(None, body.as_bytes());
            assert_eq!(
                (refused.code(), refused.message()),
                (Some("InvalidAccessException"), Some("not enabled"))
            );
        }
        let refused = refusal(Some("LimitExceededException:http://x"), br#"{"Message": "slower"}"#);
        assert_eq!((refused.code(), refused.message()), (Some("LimitExceededException"), Some("slower")));
        for body in ["", "[]", "<html>", r#"{"Code": 1}"#] {
            assert_eq!(refusal(None, body.as_bytes()).code(), None, "{body}");
        }
    }
}
