//! An event of CloudTrail, as far as it matters here.

use super::read::{LONGEST, all, text_at};
use crate::safe::short_line;
use jiff::Timestamp;
use serde::{Deserialize, Serialize};
use serde_json::Value;
use std::collections::BTreeMap;

/// An event, as far as it matters here. All texts have at most 300 characters.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct TrailEvent {
    /// CloudTrail's id of it.
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
    /// The tags that it set, as far as they are texts.
    #[serde(default, skip_serializing_if = "BTreeMap::is_empty")]
    pub tags: BTreeMap<String, String>,
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
}

impl TrailEvent {
    /// From a record. None without an id, a time, a source or a name; whatever else is missing or odd is none in its
    /// field.
    pub(super) fn read(record: &Value) -> Option<Self> {
        let text = |pointer: &str| text_at(record, pointer);
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
            tags: tags(record),
        })
    }
}

/// Maximum number of tags that are kept: IAM allows 50 (IAM User Guide, "IAM and AWS STS quotas").
const MOST_TAGS: usize = 50;

fn tags(record: &Value) -> BTreeMap<String, String> {
    let pairs = all(record, "in.tags.*").into_iter().filter_map(|tag| {
        let text = |name| tag.get(name).and_then(Value::as_str).map(|text| short_line(text, LONGEST));
        Some((text("key")?, text("value").unwrap_or_default()))
    });
    pairs.take(MOST_TAGS).collect()
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::trail::TrailRecord;
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
        TrailRecord::parse(&record.to_string()).expect("readable").event
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
                assert_eq!(TrailRecord::parse(&record.to_string()), None, "{field}");
            }
        }
        for broken in ["", "null", "[]", "{", &"[".repeat(100_000)] {
            assert_eq!(TrailRecord::parse(broken), None);
        }
    }

    proptest! {
        #[test]
        fn no_text_makes_it_panic(text in ".*") {
            let _ = TrailRecord::parse(&text);
        }
    }
}
