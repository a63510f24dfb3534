//! Security Hub: findings of our own, beside those of GuardDuty.

use super::hub::Hub;
use super::record::{Observer, recorded};
use crate::ident::Region;
use crate::remediation::{CallError, CallScope};
use aws_sdk_securityhub as securityhub;
use aws_smithy_runtime_api::box_error::BoxError;
use aws_smithy_runtime_api::client::interceptors::Intercept;
use aws_smithy_runtime_api::client::interceptors::context::BeforeTransmitInterceptorContextMut;
use aws_smithy_runtime_api::client::runtime_components::RuntimeComponents;
use aws_smithy_types::body::SdkBody;
use aws_smithy_types::config_bag::ConfigBag;
use futures::FutureExt;

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
        let config = securityhub::config::Builder::from(&self.config)
            .region(securityhub::config::Region::new(region.to_string()))
            .interceptor(Observer::default())
            .interceptor(Written(body(findings)))
            .build();
        let request = securityhub::Client::from_conf(config)
            .batch_import_findings()
            .set_findings(Some(Vec::new()))
            .send()
            .boxed();
        let scope = CallScope::default();
        let call = self.call("securityhub", "BatchImportFindings", region, &scope);
        let answer = recorded(&*self.sink, call, request).await?;
        let refused = answer.failed_findings.unwrap_or_default().into_iter().map(|failed| NotImported {
            id: failed.id.unwrap_or_default(),
            code: failed.error_code.unwrap_or_default(),
            message: failed.error_message.unwrap_or_default().chars().take(300).collect(),
        });
        Ok(refused.collect())
    }
}

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

/// Sends findings as the report wrote them. The SDK's own types would have them written a second time, by
/// other code: then what is pushed would not be what the report says.
#[derive(Debug)]
struct Written(Vec<u8>);

impl Intercept for Written {
    fn name(&self) -> &'static str {
        "rescind-findings"
    }

    fn modify_before_retry_loop(
        &self,
        context: &mut BeforeTransmitInterceptorContextMut<'_>,
        _: &RuntimeComponents,
        _: &mut ConfigBag,
    ) -> Result<(), BoxError> {
        let request = context.request_mut();
        request.headers_mut().try_insert("content-length", self.0.len().to_string())?;
        *request.body_mut() = SdkBody::from(self.0.clone());
        Ok(())
    }
}
