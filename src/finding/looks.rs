//! Describes input that is not a finding, so that a message can say what it looks like, and not only that it cannot
//! be read.

use serde_json::{Map, Value};

/// The accepted forms, as a message lists them.
pub(super) const ACCEPTED: &str = "Accepted: GuardDuty's findings as GetFindings, EventBridge, SNS, SQS, exports to S3 and Security Hub (ASFF, OCSF) give them, in JSON (UTF-8), gzipped or not";

/// Description of an input in no form that rescind knows.
const NEITHER: &str = "not a GuardDuty finding, or in an unknown envelope";

/// Headers with which an e-mail begins.
const MAIL: [&[u8]; 9] = [
    b"From",
    b"To",
    b"Subject",
    b"Date",
    b"Received",
    b"Return-Path",
    b"Delivered-To",
    b"MIME-Version",
    b"Message-ID",
];

fn described(what: &str) -> String {
    format!("it looks like {what}. {ACCEPTED}")
}

/// What the first bytes of an input say, when it is no text in UTF-8.
pub(super) fn bytes(start: &[u8]) -> Option<String> {
    let what = match start {
        [b'P', b'K', 3, 4, ..] => "a ZIP archive: unpack it first",
        [b'B', b'Z', b'h', b'0'..=b'9', ..] => "bzip2: unpack it first (bunzip2)",
        [0xfd, b'7', b'z', b'X', b'Z', 0, ..] => "xz: unpack it first (unxz)",
        [0x28, 0xb5, 0x2f, 0xfd, ..] => "Zstandard: unpack it first (unzstd)",
        [0x1f, 0x8b, ..] => "gzip within gzip: unpack it once (gunzip)",
        [b'P', b'A', b'R', b'1', ..] => "Parquet, as Security Lake writes it",
        [0xff, 0xfe, ..] | [0xfe, 0xff, ..] | [b'{' | b'[' | b' ' | b'\r' | b'\n', 0, ..] | [0, _, ..] => {
            "UTF-16 or binary: convert text first (iconv -f UTF-16 -t UTF-8)"
        }
        _ => return None,
    };
    Some(described(what))
}

/// What a text looks like that is not JSON.
pub(super) fn text(text: &[u8]) -> Option<String> {
    let line = text.split(|byte| *byte == b'\n').next()?.trim_ascii();
    let key = line.split(|byte| *byte == b':').next().unwrap_or_default();
    let is_key =
        !key.is_empty() && key.iter().all(|byte| byte.is_ascii_alphanumeric() || b"_-".contains(byte));
    let value = line.get(key.len()..).unwrap_or_default();
    let what = match line {
        [b'{' | b'[' | b'"', ..] => return None,
        [b'<', ..] => "XML or HTML",
        b"---" => "YAML (`aws … --output json` gives JSON)",
        [b'-' | b'+' | b'|', ..] if line.iter().all(|byte| b"-+|= ".contains(byte)) => {
            "a table of the AWS CLI (`aws … --output json` gives JSON)"
        }
        _ if line.split(|byte| *byte == b'\t').count() > 2 => {
            "text of the AWS CLI, or tab-separated values (`aws … --output json` gives JSON)"
        }
        _ if MAIL.iter().any(|header| key.eq_ignore_ascii_case(header)) => {
            "an e-mail. Hand in the finding itself, as JSON"
        }
        _ if line.starts_with(b"- ") || is_key && (value == b":" || value.starts_with(b": ")) => {
            "YAML (`aws … --output json` gives JSON)"
        }
        _ if line.split(|byte| *byte == b',').count() > 2 => "CSV",
        _ => return None,
    };
    Some(described(what))
}

/// What an object looks like that is no finding.
pub(super) fn object(object: &Map<String, Value>) -> String {
    let has = |key: &str| object.contains_key(key);
    let text = |key: &str| object.get(key).and_then(Value::as_str).unwrap_or_default();
    let source = if has("eventSource") { text("eventSource") } else { text("EventSource") };
    let what = if text("Type") == "SubscriptionConfirmation" {
        return subscription(text("TopicArn"));
    } else if text("Type") == "UnsubscribeConfirmation" {
        "SNS's word that the subscription has ended: from now on the topic sends nothing. Subscribe again"
    } else if has("awslogs") || has("logEvents") || text("messageType") == "DATA_MESSAGE" {
        "log events of CloudWatch Logs. Send GuardDuty's events to a queue, and not to a log group"
    } else if has("kinesis") || source == "aws:kinesis" || has("kinesisStreamArn") {
        "records of a Kinesis stream. Send the events to an SQS queue"
    } else if has("s3") || source == "aws:s3" || text("Event") == "s3:TestEvent" {
        "a notification of S3, which names an object and has no finding. Bring the objects into the folder, or have EventBridge send the findings themselves"
    } else if has("requestContext") && (has("requestPayload") || has("responsePayload")) {
        "what a Lambda destination gets. Send the event itself to the queue"
    } else if has("class_uid") && has("metadata") {
        "an event in OCSF that is no finding, as Security Lake has them. Hand in detection findings (class_uid 2004)"
    } else if has("AwsAccountId") && (has("GeneratorId") || has("Resources")) {
        "a finding in ASFF without its ProductArn. Hand it in whole, as Security Hub has it"
    } else if has("account")
        && (has("severity") || has("Finding_Type") || has("finding_type"))
        && !has("detail")
    {
        "what an input transformer of EventBridge makes of an event. Send the whole event: take the transformer from the rule"
    } else if has("eventVersion") && has("eventName") && has("eventSource") {
        "a record of CloudTrail, which is another service's log"
    } else if has("webaclId") && has("httpRequest") {
        "a log of WAF, which is another service's"
    } else {
        return NEITHER.to_owned();
    };
    described(what)
}

fn subscription(topic: &str) -> String {
    let topic = if is_topic(topic) { topic } else { "TOPIC-ARN" };
    format!(
        "an SNS subscription that waits for confirmation: until then the topic sends nothing. If the topic is yours: \
         aws sns confirm-subscription --topic-arn {topic} --token TOKEN, where TOKEN is the message's \"Token\" (valid for 3 days). \
         When the queue's own account subscribes the queue, nothing needs to be confirmed"
    )
}

/// It can stand in a command: whoever writes the message could put anything there.
fn is_topic(arn: &str) -> bool {
    let parts: Vec<&str> = arn.split(':').collect();
    let legal = |part: &&str, more: &[u8]| {
        !part.is_empty() && part.bytes().all(|byte| byte.is_ascii_alphanumeric() || more.contains(&byte))
    };
    matches!(parts.as_slice(), ["arn", partition, "sns", region, account, name]
        if legal(partition, b"-") && legal(region, b"-") && legal(account, b"") && legal(name, b"-_."))
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::json;

    #[test]
    fn what_came_is_named_with_what_is_accepted() {
        let starts: [&[u8]; 6] =
            [b"PK\x03\x04rest", b"BZh91AY", b"\xff\xfe{\0", b"\0{\0\"", b"{\0\"\0", b"\x1f\x8b\x08"];
        let named = starts.map(|start| bytes(start).expect("named"));
        insta::assert_snapshot!(named.join("\n"), @"
        it looks like a ZIP archive: unpack it first. Accepted: GuardDuty's findings as GetFindings, EventBridge, SNS, SQS, exports to S3 and Security Hub (ASFF, OCSF) give them, in JSON (UTF-8), gzipped or not
        it looks like bzip2: unpack it first (bunzip2). Accepted: GuardDuty's findings as GetFindings, EventBridge, SNS, SQS, exports to S3 and Security Hub (ASFF, OCSF) give them, in JSON (UTF-8), gzipped or not
        it looks like UTF-16 or binary: convert text first (iconv -f UTF-16 -t UTF-8). Accepted: GuardDuty's findings as GetFindings, EventBridge, SNS, SQS, exports to S3 and Security Hub (ASFF, OCSF) give them, in JSON (UTF-8), gzipped or not
        it looks like UTF-16 or binary: convert text first (iconv -f UTF-16 -t UTF-8). Accepted: GuardDuty's findings as GetFindings, EventBridge, SNS, SQS, exports to S3 and Security Hub (ASFF, OCSF) give them, in JSON (UTF-8), gzipped or not
        it looks like UTF-16 or binary: convert text first (iconv -f UTF-16 -t UTF-8). Accepted: GuardDuty's findings as GetFindings, EventBridge, SNS, SQS, exports to S3 and Security Hub (ASFF, OCSF) give them, in JSON (UTF-8), gzipped or not
        it looks like gzip within gzip: unpack it once (gunzip). Accepted: GuardDuty's findings as GetFindings, EventBridge, SNS, SQS, exports to S3 and Security Hub (ASFF, OCSF) give them, in JSON (UTF-8), gzipped or not
        ");
        assert_eq!(bytes(b"{\"id\": 1}"), None);
        let lines: [&[u8]; 9] = [
            b"Id,AccountId,Type\n1,2,3",
            b"Findings:\n- Id: x",
            b"---\nid: x",
            b"<html>",
            b"----------------\n|  GetFindings  |\n",
            b"+------+------+",
            b"FINDINGS\t222222222222\tarn:aws:guardduty:x",
            b"Subject: GuardDuty finding\r\nMIME-Version: 1.0",
            b"Received: from mail.example (192.0.2.1)",
        ];
        let named = lines.map(|line| text(line).expect("named"));
        insta::assert_snapshot!(named.join("\n"), @"
        it looks like CSV. Accepted: GuardDuty's findings as GetFindings, EventBridge, SNS, SQS, exports to S3 and Security Hub (ASFF, OCSF) give them, in JSON (UTF-8), gzipped or not
        it looks like YAML (`aws … --output json` gives JSON). Accepted: GuardDuty's findings as GetFindings, EventBridge, SNS, SQS, exports to S3 and Security Hub (ASFF, OCSF) give them, in JSON (UTF-8), gzipped or not
        it looks like YAML (`aws … --output json` gives JSON). Accepted: GuardDuty's findings as GetFindings, EventBridge, SNS, SQS, exports to S3 and Security Hub (ASFF, OCSF) give them, in JSON (UTF-8), gzipped or not
        it looks like XML or HTML. Accepted: GuardDuty's findings as GetFindings, EventBridge, SNS, SQS, exports to S3 and Security Hub (ASFF, OCSF) give them, in JSON (UTF-8), gzipped or not
        it looks like a table of the AWS CLI (`aws … --output json` gives JSON). Accepted: GuardDuty's findings as GetFindings, EventBridge, SNS, SQS, exports to S3 and Security Hub (ASFF, OCSF) give them, in JSON (UTF-8), gzipped or not
        it looks like a table of the AWS CLI (`aws … --output json` gives JSON). Accepted: GuardDuty's findings as GetFindings, EventBridge, SNS, SQS, exports to S3 and Security Hub (ASFF, OCSF) give them, in JSON (UTF-8), gzipped or not
        it looks like text of the AWS CLI, or tab-separated values (`aws … --output json` gives JSON). Accepted: GuardDuty's findings as GetFindings, EventBridge, SNS, SQS, exports to S3 and Security Hub (ASFF, OCSF) give them, in JSON (UTF-8), gzipped or not
        it looks like an e-mail. Hand in the finding itself, as JSON. Accepted: GuardDuty's findings as GetFindings, EventBridge, SNS, SQS, exports to S3 and Security Hub (ASFF, OCSF) give them, in JSON (UTF-8), gzipped or not
        it looks like an e-mail. Hand in the finding itself, as JSON. Accepted: GuardDuty's findings as GetFindings, EventBridge, SNS, SQS, exports to S3 and Security Hub (ASFF, OCSF) give them, in JSON (UTF-8), gzipped or not
        ");
        assert_eq!(text(b"{\"id\":"), None);
        assert_eq!(text(b"no finding"), None);
    }

    #[test]
    fn objects_of_other_services_are_named() {
        let named = [
            json!({"awslogs": {"data": "H4s"}}),
            json!({"messageType": "DATA_MESSAGE", "logEvents": []}),
            json!({"eventSource": "aws:kinesis", "kinesis": {"data": "e30="}}),
            json!({"eventSource": "aws:s3", "s3": {"bucket": {}}}),
            json!({"Service": "Amazon S3", "Event": "s3:TestEvent"}),
            json!({"version": "1.0", "requestContext": {}, "responsePayload": {}}),
            json!({"class_uid": 6003, "metadata": {}}),
            json!({"AwsAccountId": "222222222222", "GeneratorId": "g"}),
            json!({"eventVersion": "1", "eventName": "a", "eventSource": "b"}),
            json!({"Type": "UnsubscribeConfirmation"}),
            json!({"severity": 8, "account": "222222222222", "Finding_description": "d"}),
            json!({"a": 1}),
        ]
        .map(|value| format!("{value}\n  {}", object(value.as_object().expect("an object"))));
        insta::assert_snapshot!(named.join("\n"), @r#"
        {"awslogs":{"data":"H4s"}}
          it looks like log events of CloudWatch Logs. Send GuardDuty's events to a queue, and not to a log group. Accepted: GuardDuty's findings as GetFindings, EventBridge, SNS, SQS, exports to S3 and Security Hub (ASFF, OCSF) give them, in JSON (UTF-8), gzipped or not
        {"logEvents":[],"messageType":"DATA_MESSAGE"}
          it looks like log events of CloudWatch Logs. Send GuardDuty's events to a queue, and not to a log group. Accepted: GuardDuty's findings as GetFindings, EventBridge, SNS, SQS, exports to S3 and Security Hub (ASFF, OCSF) give them, in JSON (UTF-8), gzipped or not
        {"eventSource":"aws:kinesis","kinesis":{"data":"e30="}}
          it looks like records of a Kinesis stream. Send the events to an SQS queue. Accepted: GuardDuty's findings as GetFindings, EventBridge, SNS, SQS, exports to S3 and Security Hub (ASFF, OCSF) give them, in JSON (UTF-8), gzipped or not
        {"eventSource":"aws:s3","s3":{"bucket":{}}}
          it looks like a notification of S3, which names an object and has no finding. Bring the objects into the folder, or have EventBridge send the findings themselves. Accepted: GuardDuty's findings as GetFindings, EventBridge, SNS, SQS, exports to S3 and Security Hub (ASFF, OCSF) give them, in JSON (UTF-8), gzipped or not
        {"Event":"s3:TestEvent","Service":"Amazon S3"}
          it looks like a notification of S3, which names an object and has no finding. Bring the objects into the folder, or have EventBridge send the findings themselves. Accepted: GuardDuty's findings as GetFindings, EventBridge, SNS, SQS, exports to S3 and Security Hub (ASFF, OCSF) give them, in JSON (UTF-8), gzipped or not
        {"requestContext":{},"responsePayload":{},"version":"1.0"}
          it looks like what a Lambda destination gets. Send the event itself to the queue. Accepted: GuardDuty's findings as GetFindings, EventBridge, SNS, SQS, exports to S3 and Security Hub (ASFF, OCSF) give them, in JSON (UTF-8), gzipped or not
        {"class_uid":6003,"metadata":{}}
          it looks like an event in OCSF that is no finding, as Security Lake has them. Hand in detection findings (class_uid 2004). Accepted: GuardDuty's findings as GetFindings, EventBridge, SNS, SQS, exports to S3 and Security Hub (ASFF, OCSF) give them, in JSON (UTF-8), gzipped or not
        {"AwsAccountId":"222222222222","GeneratorId":"g"}
          it looks like a finding in ASFF without its ProductArn. Hand it in whole, as Security Hub has it. Accepted: GuardDuty's findings as GetFindings, EventBridge, SNS, SQS, exports to S3 and Security Hub (ASFF, OCSF) give them, in JSON (UTF-8), gzipped or not
        {"eventName":"a","eventSource":"b","eventVersion":"1"}
          it looks like a record of CloudTrail, which is another service's log. Accepted: GuardDuty's findings as GetFindings, EventBridge, SNS, SQS, exports to S3 and Security Hub (ASFF, OCSF) give them, in JSON (UTF-8), gzipped or not
        {"Type":"UnsubscribeConfirmation"}
          it looks like SNS's word that the subscription has ended: from now on the topic sends nothing. Subscribe again. Accepted: GuardDuty's findings as GetFindings, EventBridge, SNS, SQS, exports to S3 and Security Hub (ASFF, OCSF) give them, in JSON (UTF-8), gzipped or not
        {"Finding_description":"d","account":"222222222222","severity":8}
          it looks like what an input transformer of EventBridge makes of an event. Send the whole event: take the transformer from the rule. Accepted: GuardDuty's findings as GetFindings, EventBridge, SNS, SQS, exports to S3 and Security Hub (ASFF, OCSF) give them, in JSON (UTF-8), gzipped or not
        {"a":1}
          not a GuardDuty finding, or in an unknown envelope
        "#);
    }

    #[test]
    fn a_subscription_says_how_it_is_confirmed_and_takes_over_no_command() {
        let described = |topic: &str| {
            object(
                json!({"Type": "SubscriptionConfirmation", "TopicArn": topic, "Token": "secret"})
                    .as_object()
                    .expect("one"),
            )
        };
        let one = described("arn:aws:sns:eu-central-1:111111111111:findings");
        insta::assert_snapshot!(one, @r#"an SNS subscription that waits for confirmation: until then the topic sends nothing. If the topic is yours: aws sns confirm-subscription --topic-arn arn:aws:sns:eu-central-1:111111111111:findings --token TOKEN, where TOKEN is the message's "Token" (valid for 3 days). When the queue's own account subscribes the queue, nothing needs to be confirmed"#);
        assert!(!one.contains("secret"));
        for odd in ["arn:aws:sns:eu-central-1:1:x; rm -rf /", "$(id)", "", "arn:aws:sns:a:1:`x`"] {
            assert!(described(odd).contains("--topic-arn TOPIC-ARN "), "{odd}");
        }
    }
}
