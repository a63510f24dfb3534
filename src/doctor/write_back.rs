//! Whether the hub may write back to GuardDuty and Security Hub, where the configuration says so.

use super::{Doctor, Level, Problem};
use crate::aws::HubFindingId;
use crate::ident::Region;
use crate::remediation::{CallError, CallScope, ErrorKind};

impl Doctor<'_> {
    /// Asks for nothing to be archived, and for an update of a finding that does not exist: that changes nothing, and
    /// shows whether it is allowed.
    pub(super) async fn write_back(&self, region: &Region, detector: &str) -> Vec<Problem> {
        let scope = CallScope::default();
        let write_back = self.config.write_back;
        let mut problems = Vec::new();
        if write_back.archives() {
            let asked = self.hub.archive_findings(region, detector, Vec::new(), &scope).await;
            problems.extend(asked.err().and_then(|error| self.not_allowed(region, &error)));
        }
        if write_back.updates_security_hub() {
            let partition = self.hub.identity().partition;
            let none = HubFindingId {
                arn: format!(
                    "arn:{partition}:guardduty:{region}:{}:detector/{detector}/finding/none",
                    self.hub.identity().account
                ),
                product_arn: format!("arn:{partition}:securityhub:{region}::product/aws/guardduty"),
            };
            let asked = self.hub.update_security_hub(region, &none, "rescind doctor", false, &scope).await;
            problems.extend(asked.err().and_then(|error| self.not_allowed(region, &error)));
        }
        problems
    }

    /// A refusal of the request as such comes after the permission.
    fn not_allowed(&self, region: &Region, error: &CallError) -> Option<Problem> {
        if error.kind == ErrorKind::Refused {
            return None;
        }
        let text =
            format!("`write_back` says so, and the hub cannot write back what became of findings: {error}");
        let fix = if error.kind == ErrorKind::Denied {
            format!("Allow {} to the hub's role: rescind policies print hub-role", error.action())
        } else {
            crate::aws::hub_hint(error, self.hub.identity())
        };
        Some(Problem::new(Level::Problem, "write_back_not_allowed", region, text, fix))
    }
}
