//! What CloudTrail saw: management events of the last 90 days, by LookupEvents.

use super::listed::Listed;
use super::member::MemberSession;
use super::record::{Observer, recorded_if};
use crate::ident::Region;
use crate::remediation::{CallError, ErrorKind};
use crate::trail::{TrailEvent, TrailRecord};
use aws_sdk_cloudtrail as cloudtrail;
use aws_smithy_types::DateTime;
use cloudtrail::types::{LookupAttribute, LookupAttributeKey};
use futures::FutureExt;
use jiff::Timestamp;

/// Number of events in a page: the maximum.
const PAGE: i32 = 50;

/// Which events to look for. CloudTrail takes one of them, not both.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Lookup<'a> {
    /// Those that were made with an access key: `ASIA…`.
    AccessKey(&'a str),
    /// Those of an operation, without its service: `DeleteRolePolicy`.
    EventName(&'a str),
}

impl<'a> Lookup<'a> {
    /// The key or the name.
    #[must_use]
    pub fn value(self) -> &'a str {
        match self {
            Self::AccessKey(value) | Self::EventName(value) => value,
        }
    }
}

/// Which events to look for, and where to go on.
#[derive(Debug, Clone)]
pub struct TrailQuery<'a> {
    pub lookup: Lookup<'a>,
    /// From this time on.
    pub since: Timestamp,
    /// Up to this time; none for all.
    pub until: Option<Timestamp>,
    /// Where the page before this one ended.
    pub page: Option<String>,
}

/// A page of events, newest first.
#[derive(Debug, Clone, PartialEq)]
pub struct TrailPage {
    pub records: Vec<TrailRecord>,
    /// How many could not be read.
    pub unreadable: usize,
    /// Where the next page begins; none behind the last one.
    pub next: Option<String>,
}

impl MemberSession {
    /// Returns when the pace allows the next lookup in a region.
    pub async fn trail_turn(&self, region: &Region) {
        self.trail_pace.turn(&self.account, region).await;
    }

    /// LookupEvents: one page of events; [`Self::trail_turn`] says when. An event takes some minutes to get there. What
    /// is done in IAM is seen in one region of the partition only, `Partition::main_region`. A page without events
    /// leaves no record of the call.
    ///
    /// # Errors
    /// As the call's. A region that is not enabled for the account is an error too.
    pub async fn events_page(&self, region: &Region, query: &TrailQuery<'_>) -> Result<TrailPage, CallError> {
        let config = cloudtrail::config::Builder::from(&self.config)
            .region(cloudtrail::config::Region::new(region.to_string()))
            .interceptor(Observer::default())
            .build();
        let client = cloudtrail::Client::from_conf(config);
        let attribute = attribute(query.lookup)?;
        let request = client
            .lookup_events()
            .lookup_attributes(attribute)
            .start_time(DateTime::from_secs(query.since.as_second()))
            .set_end_time(query.until.map(|until| DateTime::from_secs(until.as_second())))
            .max_results(PAGE)
            .set_next_token(query.page.clone())
            .send()
            .boxed();
        let call = self.call_in(region, "cloudtrail", "LookupEvents");
        let has_events = |answer: &cloudtrail::operation::lookup_events::LookupEventsOutput| {
            answer.events.as_ref().is_some_and(|events| !events.is_empty())
        };
        let answer = recorded_if(&*self.sink, call, request, has_events).await?;
        let mut page = TrailPage {
            records: Vec::new(),
            unreadable: 0,
            next: answer.next_token.filter(|token| !token.is_empty()),
        };
        for event in answer.events.unwrap_or_default() {
            match event.cloud_trail_event.as_deref().and_then(TrailRecord::parse) {
                Some(record) => page.records.push(record),
                None => page.unreadable += 1,
            }
        }
        Ok(page)
    }

    /// At most so many pages of events, newest first.
    ///
    /// # Errors
    /// As the call's.
    pub async fn events(
        &self,
        region: &Region,
        lookup: Lookup<'_>,
        since: Timestamp,
        most_pages: usize,
    ) -> Result<Listed<TrailEvent>, CallError> {
        let mut query = TrailQuery { lookup, since, until: None, page: None };
        let mut events = Listed::new();
        for _ in 0..most_pages {
            self.trail_turn(region).await;
            let page = self.events_page(region, &query).await?;
            events.items.extend(page.records.into_iter().map(|record| record.event));
            events.unreadable += page.unreadable;
            query.page = page.next;
            if query.page.is_none() {
                break;
            }
        }
        events.cut_short = query.page.is_some();
        events.items.sort_by_key(|event| std::cmp::Reverse(event.time));
        Ok(events)
    }
}

fn attribute(lookup: Lookup<'_>) -> Result<LookupAttribute, CallError> {
    let key = match lookup {
        Lookup::AccessKey(_) => LookupAttributeKey::AccessKeyId,
        Lookup::EventName(_) => LookupAttributeKey::EventName,
    };
    LookupAttribute::builder().attribute_key(key).attribute_value(lookup.value()).build().map_err(|error| {
        CallError {
            service: "cloudtrail",
            operation: "LookupEvents",
            kind: ErrorKind::Refused,
            code: None,
            message: error.to_string(),
        }
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn each_lookup_asks_for_what_it_names() {
        let asked = |lookup| {
            let attribute = attribute(lookup).expect("whole");
            (attribute.attribute_key().as_str().to_owned(), attribute.attribute_value().to_owned())
        };
        assert_eq!(asked(Lookup::AccessKey("ASIA1")), ("AccessKeyId".to_owned(), "ASIA1".to_owned()));
        assert_eq!(asked(Lookup::EventName("PutRolePolicy")).0, "EventName");
    }
}
