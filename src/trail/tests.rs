//! Records by the shapes that CloudTrail writes, what they mean, and the doors.

mod doors;
mod hostile;
mod outside;
mod records;
mod table;

use super::{Activity, TrailRecord};
use serde_json::{Value, json};

/// A record of a call that worked.
pub(super) fn record(source: &str, name: &str, sent: Value, answer: Value) -> Value {
    let mut record = json!({
        "eventVersion": "1.11",
        "userIdentity": {
            "type": "AssumedRole",
            "principalId": "AROAEXAMPLEEXAMPLE001:i-0a1b2c3d4e5f60718",
            "arn": "arn:aws:sts::111122223333:assumed-role/web/i-0a1b2c3d4e5f60718",
            "accountId": "111122223333",
            "accessKeyId": "ASIAEXAMPLEEXAMPLE01",
            "sessionContext": {
                "sessionIssuer": {
                    "type": "Role",
                    "principalId": "AROAEXAMPLEEXAMPLE001",
                    "arn": "arn:aws:iam::111122223333:role/web",
                    "accountId": "111122223333",
                    "userName": "web"
                },
                "attributes": {"creationDate": "2026-11-21T23:40:11Z", "mfaAuthenticated": "false"},
                "ec2RoleDelivery": "2.0"
            }
        },
        "eventTime": "2026-11-21T23:51:02Z",
        "eventSource": format!("{source}.amazonaws.com"),
        "eventName": name,
        "awsRegion": "eu-central-1",
        "sourceIPAddress": "198.51.100.7",
        "userAgent": "aws-cli/2.31.0",
        "requestID": "f0c1d1d3-5d5e-4fd3-9c7e-4a4f6f2c0c11",
        "eventID": "5f2c1b7e-8f7f-4a35-a4f6-3f1a7f0a6f10",
        "readOnly": false,
        "eventType": "AwsApiCall",
        "managementEvent": true,
        "recipientAccountId": "111122223333",
        "eventCategory": "Management",
        "tlsDetails": {"tlsVersion": "TLSv1.3", "clientProvidedHostHeader": format!("{source}.amazonaws.com")}
    });
    record["requestParameters"] = sent;
    record["responseElements"] = answer;
    record
}

/// What a record means.
pub(super) fn meant(record: &Value) -> Option<Activity> {
    TrailRecord::parse(&record.to_string()).expect("readable").activity
}

/// What a record means that means something.
pub(super) fn activity(record: &Value) -> Activity {
    meant(record).expect("it means something")
}
