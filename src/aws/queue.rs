//! An SQS queue, as the hub reads it.

use super::hub::Hub;
use super::record::{Observer, recorded, recorded_if};
use crate::config::QueueUrl;
use crate::ident::Region;
use crate::remediation::{CallError, CallScope, ErrorKind};
use aws_config::timeout::TimeoutConfig;
use aws_sdk_sqs as sqs;
use futures::FutureExt;
use jiff::Timestamp;
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};
use sqs::types::{
    ChangeMessageVisibilityBatchRequestEntry, DeleteMessageBatchRequestEntry, MessageSystemAttributeName,
    QueueAttributeName,
};
use std::time::Duration;

/// Maximum number of messages that SQS gives at once, and takes in a batch.
pub const SQS_BATCH: usize = 10;

/// A queue of the hub's.
#[derive(Debug, Clone)]
pub struct Queue {
    hub: Hub,
    client: sqs::Client,
    url: QueueUrl,
    region: Region,
    scope: CallScope,
}

/// A message that was received.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Message {
    /// SQS's id of it: the same at each receive.
    pub id: String,
    /// What this receive is known by.
    pub receipt: String,
    pub body: String,
    /// How often it was received, with this time.
    pub received: u32,
    /// When it was sent, by SQS's clock.
    pub sent_at: Option<Timestamp>,
}

/// How much is in a queue, approximately.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct Depth {
    /// Messages that can be received.
    pub waiting: u64,
    /// Messages that were received and are neither deleted nor visible again.
    pub in_flight: u64,
}

/// Entries of a batch that SQS did not take, by the number that they had in it, with SQS's words.
pub type NotTaken = Vec<(usize, String)>;

impl Hub {
    /// A queue. Nothing is asked of AWS yet.
    #[must_use]
    pub fn queue(&self, url: &QueueUrl) -> Queue {
        let region = url.region.clone().unwrap_or_else(|| self.home.clone());
        let config = sqs::config::Builder::from(&self.config)
            .region(sqs::config::Region::new(region.to_string()))
            .interceptor(Observer::default())
            .build();
        let client = sqs::Client::from_conf(config);
        Queue { hub: self.clone(), client, url: url.clone(), region, scope: CallScope::default() }
    }
}

impl Queue {
    #[must_use]
    pub fn name(&self) -> &str {
        &self.url.name
    }

    /// It keeps the order within a group: what is in flight holds up what is behind it.
    #[must_use]
    pub fn is_fifo(&self) -> bool {
        self.url.is_fifo()
    }

    /// Receives up to [`SQS_BATCH`] messages; waits so long for the first one, at most 20 s. They stay
    /// hidden from others for `hidden`. A receive that brings nothing is not recorded: an idle queue
    /// would fill the ledger, and `CloudTrail` does not have it either.
    ///
    /// # Errors
    /// As the call's.
    pub async fn receive(&self, wait: Duration, hidden: Duration) -> Result<Vec<Message>, CallError> {
        // Longer than the long poll.
        let timeouts = TimeoutConfig::builder()
            .operation_attempt_timeout(wait + Duration::from_secs(10))
            .operation_timeout(wait + Duration::from_secs(20))
            .build();
        let request = self
            .client
            .receive_message()
            .queue_url(&self.url.url)
            .max_number_of_messages(i32::try_from(SQS_BATCH).unwrap_or(10))
            .wait_time_seconds(seconds(wait))
            .visibility_timeout(seconds(hidden))
            .message_system_attribute_names(MessageSystemAttributeName::ApproximateReceiveCount)
            .message_system_attribute_names(MessageSystemAttributeName::SentTimestamp)
            .customize()
            .config_override(sqs::config::Config::builder().timeout_config(timeouts))
            .send()
            .boxed();
        let call = self.hub.call("sqs", "ReceiveMessage", &self.region, &self.scope);
        let answer = recorded_if(&*self.hub.sink, call, request, |answer| {
            answer.messages.as_ref().is_some_and(|messages| !messages.is_empty())
        })
        .await?;
        Ok(answer.messages.unwrap_or_default().into_iter().filter_map(message).collect())
    }

    /// Takes messages out of the queue. Gives those that SQS did not take out.
    ///
    /// # Errors
    /// As the call's: then none was taken out, or it is not known.
    pub async fn delete(&self, receipts: &[String]) -> Result<NotTaken, CallError> {
        let entry = |(number, receipt): (usize, &String)| {
            DeleteMessageBatchRequestEntry::builder().id(number.to_string()).receipt_handle(receipt).build()
        };
        let entries = receipts.iter().enumerate().map(entry).collect::<Result<_, _>>();
        let entries = entries.map_err(|error| self.unusable("DeleteMessageBatch", &error))?;
        let request = self.client.delete_message_batch().queue_url(&self.url.url).set_entries(Some(entries));
        let call = self.hub.call("sqs", "DeleteMessageBatch", &self.region, &self.scope);
        let answer = recorded(&*self.hub.sink, call, request.send().boxed()).await?;
        Ok(not_taken(answer.failed.into_iter().map(|failed| (failed.id, failed.code, failed.message))))
    }

    /// From now on, hides messages for `hidden`. Gives those that SQS did not hide.
    ///
    /// # Errors
    /// As the call's.
    pub async fn hide(&self, receipts: &[String], hidden: Duration) -> Result<NotTaken, CallError> {
        let entry = |(number, receipt): (usize, &String)| {
            ChangeMessageVisibilityBatchRequestEntry::builder()
                .id(number.to_string())
                .receipt_handle(receipt)
                .visibility_timeout(seconds(hidden))
                .build()
        };
        let entries = receipts.iter().enumerate().map(entry).collect::<Result<_, _>>();
        let entries = entries.map_err(|error| self.unusable("ChangeMessageVisibilityBatch", &error))?;
        let request =
            self.client.change_message_visibility_batch().queue_url(&self.url.url).set_entries(Some(entries));
        let call = self.hub.call("sqs", "ChangeMessageVisibilityBatch", &self.region, &self.scope);
        let answer = recorded(&*self.hub.sink, call, request.send().boxed()).await?;
        Ok(not_taken(answer.failed.into_iter().map(|failed| (failed.id, failed.code, failed.message))))
    }

    /// How much is in it. It is asked often and says nothing about a finding: only a failure is recorded.
    ///
    /// # Errors
    /// As the call's.
    pub async fn depth(&self) -> Result<Depth, CallError> {
        let request = self
            .client
            .get_queue_attributes()
            .queue_url(&self.url.url)
            .attribute_names(QueueAttributeName::ApproximateNumberOfMessages)
            .attribute_names(QueueAttributeName::ApproximateNumberOfMessagesNotVisible)
            .send()
            .boxed();
        let call = self.hub.call("sqs", "GetQueueAttributes", &self.region, &self.scope);
        let answer = recorded_if(&*self.hub.sink, call, request, |_| false).await?;
        let attributes = answer.attributes.unwrap_or_default();
        let number = |name| attributes.get(&name).and_then(|text| text.parse().ok()).unwrap_or(0);
        Ok(Depth {
            waiting: number(QueueAttributeName::ApproximateNumberOfMessages),
            in_flight: number(QueueAttributeName::ApproximateNumberOfMessagesNotVisible),
        })
    }

    fn unusable(&self, operation: &'static str, error: &dyn std::error::Error) -> CallError {
        CallError {
            service: "sqs",
            operation,
            kind: ErrorKind::Refused,
            code: None,
            message: format!("{}: {error}", self.url.name),
        }
    }
}

fn seconds(time: Duration) -> i32 {
    i32::try_from(time.as_secs()).unwrap_or(i32::MAX)
}

/// A message without an id or a receipt cannot be deleted: there is none such.
fn message(message: sqs::types::Message) -> Option<Message> {
    let attributes = message.attributes.unwrap_or_default();
    let number = |name| attributes.get(&name).and_then(|text| text.parse::<i64>().ok());
    let received = number(MessageSystemAttributeName::ApproximateReceiveCount).unwrap_or(1);
    let sent_at = number(MessageSystemAttributeName::SentTimestamp);
    Some(Message {
        id: message.message_id?,
        receipt: message.receipt_handle?,
        body: message.body.unwrap_or_default(),
        received: u32::try_from(received).unwrap_or(1),
        sent_at: sent_at.and_then(|at| Timestamp::from_millisecond(at).ok()),
    })
}

fn not_taken(failed: impl Iterator<Item = (String, String, Option<String>)>) -> NotTaken {
    let number = |id: String| id.parse().unwrap_or(usize::MAX);
    failed
        .map(|(id, code, message)| {
            (number(id), format!("{code}: {}", message.as_deref().unwrap_or("no message")))
        })
        .collect()
}
