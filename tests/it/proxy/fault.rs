//! What can go wrong with a call, which calls it is for, and how AWS words its errors.

use super::call::{Call, decoded};
use super::civil;
use super::http::Message;
use std::time::Duration;

/// What is done to a call.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Fault {
    /// It takes so much longer on its way there.
    Latency(Duration),
    /// The connection is closed before the call came through.
    ResetBefore,
    /// The call took effect, and the connection is closed instead of answered.
    ResetAfter,
    /// Not passed on: an answer that is none of AWS's, as a load balancer gives it.
    Status(u16),
    /// Not passed on: an error of AWS, in the service's own protocol.
    Code(u16, &'static str),
    /// The call took effect, and is answered with an error of AWS.
    CodeAfter(u16, &'static str),
    /// The call took effect; the connection is closed after half of the answer's body.
    Truncated,
    /// The call took effect, and is answered with a page of HTML and the status 200.
    WrongType,
    /// AWS's clock is ahead of this computer's by so many seconds. A call that was signed more than
    /// five minutes away from AWS's time is refused.
    Skewed(i64),
    /// No answer while the fault lasts. Behind it the call is passed on, if the client still waits.
    Hang,
}

impl Fault {
    /// As it stands in the list of what was seen: `Latency`, `Status 503`, `Code 400 Throttling`.
    pub fn name(&self) -> String {
        match self {
            Self::Status(status) => format!("Status {status}"),
            Self::Code(status, code) => format!("Code {status} {code}"),
            Self::CodeAfter(status, code) => format!("CodeAfter {status} {code}"),
            other => {
                let text = format!("{other:?}");
                text.split('(').next().unwrap_or_default().to_owned()
            }
        }
    }
}

/// Which calls a fault is for: those that are like this in everything that is stated.
#[derive(Debug, Clone, Default)]
pub struct Which {
    pub service: Option<&'static str>,
    pub operation: Option<&'static str>,
    pub region: Option<String>,
    /// A text in the body, as it was sent or without the encoding of forms.
    pub containing: Option<String>,
}

impl Which {
    pub fn all() -> Self {
        Self::default()
    }

    pub fn service(service: &'static str) -> Self {
        Self { service: Some(service), ..Self::default() }
    }

    pub fn operation(operation: &'static str) -> Self {
        Self { operation: Some(operation), ..Self::default() }
    }

    pub fn region(region: &str) -> Self {
        Self::all().in_region(region)
    }

    pub fn in_region(self, region: &str) -> Self {
        Self { region: Some(region.to_owned()), ..self }
    }

    /// For one account or role, by a text in the request: `arn:aws:iam::222222222222:role/`, `RoleName=web`.
    pub fn containing(self, text: &str) -> Self {
        Self { containing: Some(text.to_owned()), ..self }
    }

    pub fn matches(&self, call: &Call, body: &[u8]) -> bool {
        self.service.is_none_or(|service| service == call.service)
            && self.operation.is_none_or(|operation| operation == call.operation)
            && self.region.as_ref().is_none_or(|region| *region == call.region)
            && self.containing.as_ref().is_none_or(|text| {
                let body = String::from_utf8_lossy(body);
                body.contains(text) || decoded(&body).contains(text)
            })
    }
}

/// An error in the shape that the SDKs read for the service's protocol.
pub fn error(service: &str, status: u16, code: &str) -> Message {
    const MESSAGE: &str = "injected by a fault";
    let json = format!(r#"{{"__type":"{code}","message":"{MESSAGE}","Message":"{MESSAGE}"}}"#);
    let mut answer = match service {
        "organizations" => Message::answer(status, "application/x-amz-json-1.1", json),
        "sqs" => Message::answer(status, "application/x-amz-json-1.0", json),
        "guardduty" | "account" => Message::answer(status, "application/json", json),
        _ => Message::answer(status, "text/xml", xml_error(status, code, MESSAGE)),
    };
    if answer.header("content-type") != Some("text/xml") {
        answer.set("x-amzn-errortype", code);
    }
    if service == "sqs" {
        let blame = if status < 500 { "Sender" } else { "Receiver" };
        answer.set("x-amzn-query-error", &format!("{code};{blame}"));
    }
    dated(answer, 0)
}

fn xml_error(status: u16, code: &str, message: &str) -> String {
    let blame = if status < 500 { "Sender" } else { "Receiver" };
    format!(
        "<ErrorResponse><Error><Type>{blame}</Type><Code>{code}</Code><Message>{message}</Message></Error>\
         <RequestId>00000000-0000-4000-8000-000000000000</RequestId></ErrorResponse>"
    )
}

/// A page of HTML with this status.
pub fn page(status: u16) -> Message {
    let body = format!("<html><head><title>{status}</title></head><body><h1>{status}</h1></body></html>\n");
    dated(Message::answer(status, "text/html", body), 0)
}

/// The same answer from a clock that is so many seconds ahead.
pub fn dated(mut answer: Message, seconds: i64) -> Message {
    answer.set("date", &civil::http(civil::now() + seconds * 1000));
    answer
}

/// The request was signed too far away from the time of a clock that is so many seconds ahead.
pub fn is_too_far(request: &Message, seconds: i64) -> bool {
    let signed = request.header("x-amz-date").and_then(civil::parsed);
    signed.is_some_and(|at| (civil::now() + seconds * 1000 - at).abs() > 300_000)
}
