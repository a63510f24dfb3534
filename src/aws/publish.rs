//! Publishing to SNS topics and event buses.

use super::hub::Hub;
use super::record::{Observer, recorded};
use crate::ident::Region;
use crate::remediation::{CallError, CallScope, ErrorKind};
use aws_sdk_eventbridge as eventbridge;
use aws_sdk_sns as sns;
use eventbridge::types::PutEventsRequestEntry;
use futures::FutureExt;

/// A message for an SNS topic.
#[derive(Debug)]
pub struct SnsMessage<'a> {
    /// The ARN of the topic.
    pub topic: &'a str,
    /// The subject of an e-mail.
    pub subject: &'a str,
    /// The texts by protocol, as a JSON object with `default`.
    pub message: String,
    /// The same for a message that is sent again: a FIFO topic drops the second one.
    pub id: &'a str,
}

impl Hub {
    /// Publish.
    ///
    /// # Errors
    /// As the call's.
    pub async fn publish(&self, region: &Region, message: SnsMessage<'_>) -> Result<(), CallError> {
        let config = sns::config::Builder::from(&self.config)
            .region(sns::config::Region::new(region.to_string()))
            .interceptor(Observer::default())
            .build();
        let mut request = sns::Client::from_conf(config)
            .publish()
            .topic_arn(message.topic)
            .subject(message.subject)
            .message_structure("json")
            .message(message.message);
        // (SNS Developer Guide, "Message deduplication for FIFO topics".)
        if message.topic.rsplit_once('.').is_some_and(|(_, end)| end == "fifo") {
            request = request.message_group_id("rescind").message_deduplication_id(message.id);
        }
        let scope = CallScope::default();
        let call = self.call("sns", "Publish", region, &scope);
        recorded(&*self.sink, call, request.send().boxed()).await.map(|_| ())
    }

    /// PutEvents, with one event. An entry that is refused under a good status is an error as well.
    ///
    /// # Errors
    /// As the call's.
    pub async fn put_event(
        &self,
        region: &Region,
        bus: &str,
        detail_type: &str,
        detail: String,
    ) -> Result<(), CallError> {
        let config = eventbridge::config::Builder::from(&self.config)
            .region(eventbridge::config::Region::new(region.to_string()))
            .interceptor(Observer::default())
            .build();
        let entry = PutEventsRequestEntry::builder()
            .event_bus_name(bus)
            .source("rescind")
            .detail_type(detail_type)
            .detail(detail)
            .build();
        let request = eventbridge::Client::from_conf(config).put_events().entries(entry).send().boxed();
        let scope = CallScope::default();
        let call = self.call("events", "PutEvents", region, &scope);
        let answer = recorded(&*self.sink, call, request).await?;
        let refused = answer.entries.unwrap_or_default().into_iter().find(|entry| entry.error_code.is_some());
        match refused {
            Some(entry) => Err(CallError {
                service: "events",
                operation: "PutEvents",
                kind: ErrorKind::Unavailable,
                code: entry.error_code,
                message: entry.error_message.unwrap_or_default().chars().take(300).collect(),
            }),
            None => Ok(()),
        }
    }
}
