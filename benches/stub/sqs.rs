//! Amazon SQS: one queue.

use super::call::Call;
use super::http::Message;
use super::identity::{HUB, QUEUE_URL};
use super::json::{Json, listed, quoted};
use super::md5;
use super::queue::Received;
use super::reply::{json, json_error};
use super::world::World;
use std::time::Duration;

/// How long a message is hidden, when nobody says otherwise.
const VISIBILITY: u64 = 30;

pub fn answer(world: &World, call: &Call, request: &Message) -> Message {
    let body = Json::read(&request.body);
    if call.operation == "GetQueueUrl" {
        return json(format!(r#"{{"QueueUrl":"{QUEUE_URL}"}}"#));
    }
    if body.get("QueueUrl").text() != Some(QUEUE_URL) {
        let code = "com.amazonaws.sqs#QueueDoesNotExist";
        return json_error(400, code, "The specified queue does not exist.");
    }
    match call.operation.as_str() {
        "ReceiveMessage" => receive(world, &body),
        "DeleteMessage" => one(&body, |number| {
            world.queue.delete(number);
            true
        }),
        "ChangeMessageVisibility" => one(&body, |number| world.queue.hide(number, visibility(&body))),
        "DeleteMessageBatch" => batch(&body, |_, number| {
            world.queue.delete(number);
            true
        }),
        "ChangeMessageVisibilityBatch" => {
            batch(&body, |entry, number| world.queue.hide(number, visibility(entry)))
        }
        "GetQueueAttributes" => attributes(world, &body),
        other => json_error(400, "InvalidAction", &format!("the stub has no sqs:{other}")),
    }
}

fn seconds(body: &Json, name: &str, default: u64) -> Duration {
    let given = body.get(name).number().and_then(|number| u64::try_from(number).ok());
    Duration::from_secs(given.unwrap_or(default))
}

fn visibility(body: &Json) -> Duration {
    seconds(body, "VisibilityTimeout", VISIBILITY)
}

fn receive(world: &World, body: &Json) -> Message {
    let most = body.get("MaxNumberOfMessages").number().unwrap_or(1);
    let Some(most) = usize::try_from(most).ok().filter(|most| (1..=10).contains(most)) else {
        return json_error(400, "InvalidParameterValue", "MaxNumberOfMessages must be between 1 and 10");
    };
    let received = world.queue.receive(most, seconds(body, "WaitTimeSeconds", 0), visibility(body));
    if received.is_empty() {
        return json("{}");
    }
    let names = ["AttributeNames", "MessageSystemAttributeNames"];
    let wanted: Vec<&str> = names.iter().flat_map(|name| body.get(name).texts()).collect();
    let messages = received.iter().map(|message| described(message, &wanted));
    json(format!(r#"{{"Messages":{}}}"#, listed(messages)))
}

fn described(message: &Received, wanted: &[&str]) -> String {
    let attributes = [
        ("SenderId", "AIDAEXAMPLE".to_owned()),
        ("SentTimestamp", message.sent.to_string()),
        ("ApproximateReceiveCount", message.receives.to_string()),
        ("ApproximateFirstReceiveTimestamp", message.first_receipt.to_string()),
    ];
    format!(
        r#"{{"MessageId":"00000000-0000-4000-8000-{:012x}","ReceiptHandle":"{}#{}","MD5OfBody":"{}","Body":{}{}}}"#,
        message.number,
        message.number,
        message.receives,
        md5::hex(message.body.as_bytes()),
        quoted(&message.body),
        match selected(&attributes, wanted) {
            Some(attributes) => format!(r#","Attributes":{attributes}"#),
            None => String::new(),
        }
    )
}

/// Those attributes that are wanted, as an object; none when none is.
fn selected(attributes: &[(&str, String)], wanted: &[&str]) -> Option<String> {
    let chosen = attributes.iter().filter(|(name, _)| wanted.contains(name) || wanted.contains(&"All"));
    let fields: Vec<String> = chosen.map(|(name, value)| format!("\"{name}\":{}", quoted(value))).collect();
    (!fields.is_empty()).then(|| format!("{{{}}}", fields.join(",")))
}

/// The number of a message stands in its receipt handle.
fn number(body: &Json) -> Option<u64> {
    body.get("ReceiptHandle").text()?.split('#').next()?.parse().ok()
}

fn one(body: &Json, act: impl FnOnce(u64) -> bool) -> Message {
    match number(body) {
        Some(number) if act(number) => json("{}"),
        Some(_) => json_error(400, "MessageNotInflight", "The message is not in flight."),
        None => json_error(400, "ReceiptHandleIsInvalid", "The receipt handle is not valid."),
    }
}

fn batch(body: &Json, act: impl Fn(&Json, u64) -> bool) -> Message {
    let entries = body.get("Entries").items();
    if !(1..=10).contains(&entries.len()) {
        let code = if entries.is_empty() { "EmptyBatchRequest" } else { "TooManyEntriesInBatchRequest" };
        return json_error(400, code, "A batch has one to ten entries.");
    }
    let (mut done, mut failed) = (Vec::new(), Vec::new());
    for entry in entries {
        let id = quoted(entry.get("Id").text().unwrap_or_default());
        let code = match number(entry) {
            Some(number) if act(entry, number) => {
                done.push(format!(r#"{{"Id":{id}}}"#));
                continue;
            }
            Some(_) => "MessageNotInflight",
            None => "ReceiptHandleIsInvalid",
        };
        failed.push(format!(r#"{{"Id":{id},"SenderFault":true,"Code":"{code}"}}"#));
    }
    json(format!(r#"{{"Successful":{},"Failed":{}}}"#, listed(done), listed(failed)))
}

fn attributes(world: &World, body: &Json) -> Message {
    let (visible, in_flight) = world.queue.count();
    let arn = format!("arn:aws:sqs:eu-central-1:{HUB}:findings");
    let dead = format!(r#"{{"deadLetterTargetArn":"{arn}-dead","maxReceiveCount":5}}"#);
    let attributes = [
        ("QueueArn", arn),
        ("VisibilityTimeout", VISIBILITY.to_string()),
        ("ReceiveMessageWaitTimeSeconds", "0".to_owned()),
        ("MessageRetentionPeriod", "1209600".to_owned()),
        ("SqsManagedSseEnabled", "true".to_owned()),
        ("RedrivePolicy", dead),
        ("ApproximateNumberOfMessages", visible.to_string()),
        ("ApproximateNumberOfMessagesNotVisible", in_flight.to_string()),
        ("ApproximateNumberOfMessagesDelayed", "0".to_owned()),
    ];
    let wanted: Vec<&str> = body.get("AttributeNames").texts().collect();
    match selected(&attributes, &wanted) {
        Some(attributes) => json(format!(r#"{{"Attributes":{attributes}}}"#)),
        None => json("{}"),
    }
}
