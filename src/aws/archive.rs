//! GuardDuty's archive of findings.

use super::hub::Hub;
use super::record::recorded;
use crate::ident::Region;
use crate::remediation::{CallError, CallScope};
use futures::FutureExt;

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
}
