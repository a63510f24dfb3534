//! What the hub writes back about findings: GuardDuty's archive, Security Hub's notes.

use super::hub::Hub;
use super::record::{Observer, recorded};
use super::security_hub::NotImported;
use crate::ident::Region;
use crate::remediation::{CallError, CallScope};
use aws_sdk_securityhub as securityhub;
use futures::FutureExt;
use securityhub::types::{AwsSecurityFindingIdentifier, NoteUpdate, WorkflowStatus, WorkflowUpdate};

/// A finding of GuardDuty's in Security Hub.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct HubFindingId {
    /// The ARN of the finding.
    pub arn: String,
    /// The ARN of GuardDuty as a product of Security Hub.
    pub product_arn: String,
}

impl Hub {
    /// ArchiveFindings: at most 50. An id that GuardDuty does not have is no error.
    ///
    /// # Errors
    /// As the call's.
    pub async fn archive_findings(
        &self,
        region: &Region,
        detector: &str,
        ids: Vec<String>,
        scope: &CallScope,
    ) -> Result<(), CallError> {
        let request = self.guardduty(region).archive_findings().detector_id(detector);
        let request = request.set_finding_ids(Some(ids)).send().boxed();
        let call = self.call("guardduty", "ArchiveFindings", region, scope);
        recorded(&*self.sink, call, request).await.map(|_| ())
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
        let config = securityhub::config::Builder::from(&self.config)
            .region(securityhub::config::Region::new(region.to_string()))
            .interceptor(Observer::default())
            .build();
        let id = AwsSecurityFindingIdentifier::builder()
            .id(&finding.arn)
            .product_arn(&finding.product_arn)
            .build();
        let note = NoteUpdate::builder().text(note).updated_by("rescind").build();
        let workflow = resolve.then(|| WorkflowUpdate::builder().status(WorkflowStatus::Resolved).build());
        let request = securityhub::Client::from_conf(config)
            .batch_update_findings()
            .finding_identifiers(id)
            .note(note)
            .set_workflow(workflow)
            .send()
            .boxed();
        let call = self.call("securityhub", "BatchUpdateFindings", region, scope);
        let answer = recorded(&*self.sink, call, request).await?;
        let refused = answer.unprocessed_findings.unwrap_or_default().into_iter().next();
        Ok(refused.map(|one| NotImported {
            id: finding.arn.clone(),
            code: one.error_code.unwrap_or_default(),
            message: one.error_message.unwrap_or_default().chars().take(300).collect(),
        }))
    }
}
