//! What CloudTrail saw: management events of the last 90 days, by LookupEvents.

use super::listed::Listed;
use super::member::MemberSession;
use super::record::{Observer, recorded};
use crate::ident::Region;
use crate::remediation::{CallError, ErrorKind};
use crate::safe::short_line;
use aws_sdk_cloudtrail as cloudtrail;
use aws_smithy_types::DateTime;
use cloudtrail::types::{LookupAttribute, LookupAttributeKey};
use futures::FutureExt;
use jiff::Timestamp;
use serde::{Deserialize, Serialize};
use serde_json::Value;
use std::time::Duration;

/// The pause between two pages of 50 events: LookupEvents may be called twice a second for each account and region, by
/// all callers together (CloudTrail API Reference).
const PACE: Duration = Duration::from_millis(500);

/// Maximum length of each text of an event, in characters.
const LONGEST: usize = 300;

/// Which events to look for. CloudTrail takes one of them, not both.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Lookup<'a> {
    /// Those that were made with an access key: `ASIA…`.
    AccessKey(&'a str),
    /// Those of an operation, without its service: `DeleteRolePolicy`.
    EventName(&'a str),
    /// Those by the sessions or the user of a name.
    Username(&'a str),
}

impl<'a> Lookup<'a> {
    /// The key or the name.
    #[must_use]
    pub fn value(self) -> &'a str {
        match self {
            Self::AccessKey(value) | Self::EventName(value) | Self::Username(value) => value,
        }
    }
}

/// An event, as far as it matters here. All texts have at most 300 characters.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct TrailEvent {
    pub id: String,
    /// When AWS answered the call.
    pub time: Timestamp,
    /// Service and operation: `iam:DeleteRolePolicy`.
    pub event: String,
    /// AWS's code, when the call failed.
    pub error_code: Option<String>,
    /// The address that it came from, or the service that made it.
    pub source_ip: Option<String>,
    /// The caller's ARN; without one, its principal id or its name.
    pub who: Option<String>,
    /// The key that signed it.
    pub access_key: Option<String>,
    /// The role that was named in it.
    pub role: Option<String>,
    /// The user that was named in it.
    pub user: Option<String>,
    /// The inline policy that was named in it.
    pub policy: Option<String>,
    /// The region that recorded it.
    pub region: Option<String>,
    /// ARN of the role, the user or the session that it made.
    pub made_arn: Option<String>,
    /// The access key that it made, for a session or a user.
    pub made_key: Option<String>,
}

impl TrailEvent {
    /// AWS did not allow the call.
    #[must_use]
    pub fn is_denied(&self) -> bool {
        self.error_code.as_deref().is_some_and(|code| {
            matches!(code, "AccessDenied" | "AccessDeniedException" | "UnauthorizedOperation")
                || code.ends_with(".UnauthorizedOperation")
        })
    }

    /// Whether the call shows if its caller is denied everything. GetCallerIdentity works under any deny (STS API
    /// Reference), and a call that failed for another reason may have been allowed.
    #[must_use]
    pub fn is_conclusive(&self) -> bool {
        self.event != "sts:GetCallerIdentity" && (self.error_code.is_none() || self.is_denied())
    }

    /// From the JSON text of a CloudTrail record. None when it is no JSON, or has no id, time, source
    /// or name; whatever else is missing or odd is none in its field.
    fn parse(record: &str) -> Option<Self> {
        let record: Value = serde_json::from_str(record).ok()?;
        let text = |pointer: &str| {
            let text = record.pointer(pointer)?.as_str()?;
            (!text.is_empty()).then(|| short_line(text, LONGEST))
        };
        let source = text("/eventSource")?;
        let service = source.split_once(".amazonaws.com").map_or(source.as_str(), |(service, _)| service);
        Some(Self {
            id: text("/eventID")?,
            time: text("/eventTime")?.parse().ok()?,
            event: short_line(&format!("{service}:{}", text("/eventName")?), LONGEST),
            error_code: text("/errorCode"),
            source_ip: text("/sourceIPAddress"),
            who: text("/userIdentity/arn")
                .or_else(|| text("/userIdentity/principalId"))
                .or_else(|| text("/userIdentity/userName")),
            access_key: text("/userIdentity/accessKeyId"),
            role: text("/requestParameters/roleName"),
            user: text("/requestParameters/userName"),
            policy: text("/requestParameters/policyName"),
            region: text("/awsRegion"),
            made_arn: ["assumedRoleUser", "federatedUser", "role", "user"]
                .iter()
                .find_map(|made| text(&format!("/responseElements/{made}/arn"))),
            made_key: ["credentials", "accessKey"]
                .iter()
                .find_map(|made| text(&format!("/responseElements/{made}/accessKeyId"))),
        })
    }
}

impl MemberSession {
    /// LookupEvents: at most so many pages of 50 events, newest first. An event takes some minutes to get there. What
    /// is done in IAM is seen in one region of the partition only, `Partition::main_region`.
    ///
    /// # Errors
    /// As the call's. A region that is not enabled for the account is an error too.
    pub async fn events(
        &self,
        region: &Region,
        lookup: Lookup<'_>,
        since: Timestamp,
        most_pages: usize,
    ) -> Result<Listed<TrailEvent>, CallError> {
        let config = cloudtrail::config::Builder::from(&self.config)
            .region(cloudtrail::config::Region::new(region.to_string()))
            .interceptor(Observer::default())
            .build();
        let client = cloudtrail::Client::from_conf(config);
        let attribute = attribute(lookup)?;
        let (mut events, mut page) = (Listed::new(), None);
        for number in 0..most_pages {
            if number > 0 {
                tokio::time::sleep(PACE).await;
            }
            let request = client
                .lookup_events()
                .lookup_attributes(attribute.clone())
                .start_time(DateTime::from_secs(since.as_second()))
                .max_results(50)
                .set_next_token(page)
                .send()
                .boxed();
            let call = self.call_in(region, "cloudtrail", "LookupEvents");
            let answer = recorded(&*self.sink, call, request).await?;
            for event in answer.events.unwrap_or_default() {
                match event.cloud_trail_event.as_deref().and_then(TrailEvent::parse) {
                    Some(event) => events.items.push(event),
                    None => events.unreadable += 1,
                }
            }
            page = answer.next_token.filter(|token| !token.is_empty());
            if page.is_none() {
                break;
            }
        }
        events.cut_short = page.is_some();
        events.items.sort_by_key(|event| std::cmp::Reverse(event.time));
        Ok(events)
    }
}

fn attribute(lookup: Lookup<'_>) -> Result<LookupAttribute, CallError> {
    let key = match lookup {
        Lookup::AccessKey(_) => LookupAttributeKey::AccessKeyId,
        Lookup::EventName(_) => LookupAttributeKey::EventName,
        Lookup::Username(_) => LookupAttributeKey::Username,
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
    use proptest::prelude::*;
    use serde_json::json;

    fn deletion() -> Value {
        json!({
            "eventVersion": "1.10",
            "userIdentity": {
                "type": "AssumedRole",
                "principalId": "AROAEXAMPLEEXAMPLE001:deployer",
                "arn": "arn:aws:sts::111122223333:assumed-role/Deployer/deployer",
                "accountId": "111122223333",
                "accessKeyId": "ASIAEXAMPLEEXAMPLE01",
                "sessionContext": {
                    "sessionIssuer": {"type": "Role", "userName": "Deployer"},
                    "attributes": {"creationDate": "2026-11-21T23:40:11Z", "mfaAuthenticated": "false"}
                }
            },
            "eventTime": "2026-11-21T23:51:02Z",
            "eventSource": "iam.amazonaws.com",
            "eventName": "DeleteRolePolicy",
            "awsRegion": "us-east-1",
            "sourceIPAddress": "198.51.100.7",
            "userAgent": "aws-cli/2.31.0",
            "requestParameters": {"roleName": "web", "policyName": "RescindRevokeOlderSessions"},
            "responseElements": null,
            "requestID": "f0c1d1d3-5d5e-4fd3-9c7e-4a4f6f2c0c11",
            "eventID": "5f2c1b7e-8f7f-4a35-a4f6-3f1a7f0a6f10",
            "readOnly": false,
            "eventType": "AwsApiCall",
            "managementEvent": true,
            "recipientAccountId": "111122223333",
            "eventCategory": "Management"
        })
    }

    fn parsed(record: &Value) -> TrailEvent {
        TrailEvent::parse(&record.to_string()).expect("readable")
    }

    #[test]
    fn a_deletion_says_who_and_what() {
        let event = parsed(&deletion());
        assert_eq!(event.event, "iam:DeleteRolePolicy");
        assert_eq!(event.time.to_string(), "2026-11-21T23:51:02Z");
        assert_eq!(event.who.as_deref(), Some("arn:aws:sts::111122223333:assumed-role/Deployer/deployer"));
        assert_eq!(event.access_key.as_deref(), Some("ASIAEXAMPLEEXAMPLE01"));
        assert_eq!(event.source_ip.as_deref(), Some("198.51.100.7"));
        assert_eq!(event.role.as_deref(), Some("web"));
        assert_eq!(event.policy.as_deref(), Some("RescindRevokeOlderSessions"));
        assert_eq!((event.user.as_deref(), event.error_code.as_deref()), (None, None));
        assert!(event.is_conclusive() && !event.is_denied());
    }

    #[test]
    fn a_call_of_a_service_or_a_user_has_somebody_behind_it() {
        let mut record = deletion();
        record["userIdentity"] = json!({"type": "AWSService", "invokedBy": "ec2.amazonaws.com"});
        record["requestParameters"] = Value::Null;
        let event = parsed(&record);
        assert_eq!((event.who, event.access_key, event.role), (None, None, None));

        record["userIdentity"] = json!({"type": "IAMUser", "userName": "root-of-all"});
        record["requestParameters"] = json!({"userName": "eve", "policyName": ["not", "a", "text"]});
        let event = parsed(&record);
        assert_eq!(event.who.as_deref(), Some("root-of-all"));
        assert_eq!((event.user.as_deref(), event.policy), (Some("eve"), None));
        record["userIdentity"]["principalId"] = "AIDAEXAMPLE".into();
        assert_eq!(parsed(&record).who.as_deref(), Some("AIDAEXAMPLE"));
    }

    #[test]
    fn a_call_names_what_it_made_and_no_secret() {
        let mut record = deletion();
        let (session, key) = ("arn:aws:sts::111122223333:assumed-role/web/app", "ASIAEXAMPLEEXAMPLE02");
        record["responseElements"] = json!({
            "credentials": {"accessKeyId": key, "sessionToken": "a token", "expiration": "Nov 22, 2026"},
            "assumedRoleUser": {"assumedRoleId": "AROAEXAMPLEEXAMPLE001:app", "arn": session},
        });
        let event = parsed(&record);
        assert_eq!((event.made_arn.as_deref(), event.made_key.as_deref()), (Some(session), Some(key)));
        assert_eq!(event.region.as_deref(), Some("us-east-1"));
        assert!(!format!("{event:?}").contains("a token"));
        record["responseElements"] =
            json!({"accessKey": {"accessKeyId": "AKIAEXAMPLEEXAMPLE01", "userName": "eve"}});
        let event = parsed(&record);
        assert_eq!((event.made_arn, event.made_key.as_deref()), (None, Some("AKIAEXAMPLEEXAMPLE01")));
    }

    #[test]
    fn which_calls_show_a_deny() {
        let judged = |source: &str, name: &str, code: Option<&str>| {
            let mut record = deletion();
            record["eventSource"] = source.into();
            record["eventName"] = name.into();
            record["errorCode"] = code.into();
            let event = parsed(&record);
            (event.is_conclusive(), event.is_denied())
        };
        let (iam, ec2, sts) = ("iam.amazonaws.com", "ec2.amazonaws.com", "sts.amazonaws.com");
        assert_eq!(judged(iam, "ListRoles", None), (true, false));
        assert_eq!(judged(iam, "ListRoles", Some("AccessDenied")), (true, true));
        assert_eq!(
            judged("logs.amazonaws.com", "DescribeLogGroups", Some("AccessDeniedException")),
            (true, true)
        );
        assert_eq!(judged(ec2, "DescribeVpcs", Some("Client.UnauthorizedOperation")), (true, true));
        assert_eq!(judged(ec2, "DescribeVpcs", Some("UnauthorizedOperation")), (true, true));
        assert_eq!(judged(iam, "GetRole", Some("NoSuchEntityException")), (false, false));
        assert_eq!(judged(ec2, "DescribeVpcs", Some("Client.RequestLimitExceeded")), (false, false));
        assert_eq!(judged(sts, "GetCallerIdentity", None), (false, false));
        assert_eq!(judged("sts.amazonaws.com.cn", "GetCallerIdentity", None), (false, false));
        assert_eq!(judged(sts, "AssumeRole", None), (true, false));
    }

    #[test]
    fn long_texts_are_cut_and_a_broken_record_is_none() {
        let mut record = deletion();
        record["eventName"] = "x".repeat(1000).into();
        record["userIdentity"]["arn"] = "ä\n".repeat(500).into();
        let event = parsed(&record);
        assert_eq!(event.event.chars().count(), LONGEST);
        let who = event.who.expect("there");
        assert_eq!(who.chars().count(), LONGEST);
        assert!(!who.contains('\n'));

        for field in ["eventID", "eventTime", "eventSource", "eventName"] {
            for broken in [Value::Null, json!(7), json!("")] {
                let mut record = deletion();
                record[field] = broken;
                assert_eq!(TrailEvent::parse(&record.to_string()), None, "{field}");
            }
        }
        for broken in ["", "null", "[]", "{", &"[".repeat(100_000)] {
            assert_eq!(TrailEvent::parse(broken), None);
        }
    }

    #[test]
    fn each_lookup_asks_for_what_it_names() {
        let asked = |lookup| {
            let attribute = attribute(lookup).expect("whole");
            (attribute.attribute_key().as_str().to_owned(), attribute.attribute_value().to_owned())
        };
        assert_eq!(asked(Lookup::AccessKey("ASIA1")), ("AccessKeyId".to_owned(), "ASIA1".to_owned()));
        assert_eq!(asked(Lookup::EventName("PutRolePolicy")).0, "EventName");
        assert_eq!(asked(Lookup::Username("app")), ("Username".to_owned(), "app".to_owned()));
    }

    proptest! {
        #[test]
        fn no_text_makes_it_panic(text in ".*") {
            let _ = TrailEvent::parse(&text);
        }
    }
}
