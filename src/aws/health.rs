//! The calls with which `doctor` checks the setup of the hub. Nothing else makes them.

use super::hub::Hub;
use super::record::{Observer, recorded};
use crate::config::QueueUrl;
use crate::ident::{AccountId, Region};
use crate::remediation::{CallError, CallScope, ErrorKind};
use aws_sdk_sqs as sqs;
use futures::FutureExt;
use std::collections::{BTreeMap, HashMap};

/// A GuardDuty detector, as GetDetector describes it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Detector {
    pub enabled: bool,
    /// How often repeats are sent: `FIFTEEN_MINUTES`, `ONE_HOUR` or `SIX_HOURS`.
    pub frequency: Option<String>,
}

impl Hub {
    /// GetDetector.
    ///
    /// # Errors
    /// As the call's.
    pub async fn detector_state(&self, region: &Region, detector: &str) -> Result<Detector, CallError> {
        let scope = CallScope::default();
        let call = self.call("guardduty", "GetDetector", region, &scope);
        let request = self.guardduty(region).get_detector().detector_id(detector).send().boxed();
        let answer = recorded(&*self.sink, call, request).await?;
        Ok(Detector {
            enabled: answer.status.is_some_and(|status| status.as_str() == "ENABLED"),
            frequency: answer.finding_publishing_frequency.map(|frequency| frequency.as_str().to_owned()),
        })
    }

    /// ListMembers: the accounts whose findings this detector has or could have, with their
    /// RelationshipStatus: only `Enabled` sends findings.
    ///
    /// # Errors
    /// As the calls'.
    pub async fn members(
        &self,
        region: &Region,
        detector: &str,
    ) -> Result<HashMap<AccountId, String>, CallError> {
        let scope = CallScope::default();
        let (mut all, mut page) = (HashMap::new(), None);
        loop {
            let call = self.call("guardduty", "ListMembers", region, &scope);
            let request = self
                .guardduty(region)
                .list_members()
                .detector_id(detector)
                .only_associated("false")
                .max_results(50)
                .set_next_token(page)
                .send()
                .boxed();
            let answer = recorded(&*self.sink, call, request).await?;
            for member in answer.members.unwrap_or_default() {
                if let Some(Ok(id)) = member.account_id.map(|id| id.parse()) {
                    all.insert(id, member.relationship_status.unwrap_or_default());
                }
            }
            page = answer.next_token.filter(|token| !token.is_empty());
            if page.is_none() {
                return Ok(all);
            }
        }
    }

    /// DescribeOrganization: the organization's id.
    ///
    /// # Errors
    /// As the call's.
    pub async fn organization_id(&self) -> Result<String, CallError> {
        let scope = CallScope::default();
        let call = self.call("organizations", "DescribeOrganization", &self.home, &scope);
        let request = self.organizations.describe_organization().send().boxed();
        let answer = recorded(&*self.sink, call, request).await?;
        let id = answer.organization.and_then(|organization| organization.id).ok_or_else(|| {
            odd("organizations", "DescribeOrganization", "the answer names no organization")
        })?;
        self.organization.get_or_init(|| id.clone());
        Ok(id)
    }

    /// GetQueueAttributes: all of them, by name.
    ///
    /// # Errors
    /// As the call's.
    pub async fn queue_attributes(
        &self,
        url: &str,
        region: &Region,
    ) -> Result<BTreeMap<String, String>, CallError> {
        let scope = CallScope::default();
        let call = self.call("sqs", "GetQueueAttributes", region, &scope);
        let request = self
            .sqs(region)
            .get_queue_attributes()
            .queue_url(url)
            .attribute_names(sqs::types::QueueAttributeName::All)
            .send()
            .boxed();
        let answer = recorded(&*self.sink, call, request).await?;
        let all = answer.attributes.unwrap_or_default().into_iter();
        Ok(all.map(|(name, value)| (name.as_str().to_owned(), value)).collect())
    }

    /// GetQueueUrl: where a queue is that is known by its ARN.
    ///
    /// # Errors
    /// As the call's.
    pub async fn queue_url(&self, name: &str, account: &str, region: &Region) -> Result<String, CallError> {
        let scope = CallScope::default();
        let call = self.call("sqs", "GetQueueUrl", region, &scope);
        let request = self
            .sqs(region)
            .get_queue_url()
            .queue_name(name)
            .queue_owner_aws_account_id(account)
            .send()
            .boxed();
        let answer = recorded(&*self.sink, call, request).await?;
        answer.queue_url.ok_or_else(|| odd("sqs", "GetQueueUrl", "the answer has no URL"))
    }

    /// ReceiveMessage, DeleteMessage and ChangeMessageVisibility, so that nothing is changed: what is received
    /// is not hidden from others, and there is no message of the receipt that the others name.
    ///
    /// # Errors
    /// As the calls', but for that there is no such message.
    pub async fn try_queue(&self, url: &str, region: &Region) -> Result<(), CallError> {
        let (sqs, scope) = (self.sqs(region), CallScope::default());
        let call = self.call("sqs", "ReceiveMessage", region, &scope);
        let request = sqs.receive_message().queue_url(url).visibility_timeout(0).wait_time_seconds(0);
        recorded(&*self.sink, call, request.send().boxed()).await?;
        let call = self.call("sqs", "DeleteMessage", region, &scope);
        let request = sqs.delete_message().queue_url(url).receipt_handle(NO_RECEIPT);
        unless_refused(recorded(&*self.sink, call, request.send().boxed()).await)?;
        let call = self.call("sqs", "ChangeMessageVisibility", region, &scope);
        let request = sqs.change_message_visibility().queue_url(url).receipt_handle(NO_RECEIPT);
        unless_refused(recorded(&*self.sink, call, request.visibility_timeout(0).send().boxed()).await)
    }

    /// The region that a queue is in.
    #[must_use]
    pub fn region_of(&self, queue: &QueueUrl) -> Region {
        queue.region.clone().unwrap_or_else(|| self.home.clone())
    }

    fn sqs(&self, region: &Region) -> sqs::Client {
        let config = sqs::config::Builder::from(&self.config)
            .region(sqs::config::Region::new(region.to_string()))
            .interceptor(Observer::default())
            .build();
        sqs::Client::from_conf(config)
    }
}

/// Receipt handle that SQS never issues.
const NO_RECEIPT: &str = "rescind-doctor-asks-about-nothing";

/// Whether somebody may is judged before what is asked for.
fn unless_refused<T>(answer: Result<T, CallError>) -> Result<(), CallError> {
    match answer {
        Err(error) if !matches!(error.kind, ErrorKind::Refused | ErrorKind::NotFound) => Err(error),
        _ => Ok(()),
    }
}

fn odd(service: &'static str, operation: &'static str, message: &str) -> CallError {
    CallError { service, operation, kind: ErrorKind::Unavailable, code: None, message: message.to_owned() }
}
