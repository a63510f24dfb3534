//! Answers in the protocols of the services.

use super::http::Message;
use super::json::quoted;
use std::fmt::Write;

const REQUEST_ID: &str = "00000000-0000-4000-8000-000000000000";

/// A success of a service with the query protocol. `result` is XML.
pub fn xml(namespace: &str, operation: &str, result: &str) -> Message {
    let body = format!(
        "<{operation}Response xmlns=\"{namespace}\"><{operation}Result>{result}</{operation}Result>\
         <ResponseMetadata><RequestId>{REQUEST_ID}</RequestId></ResponseMetadata></{operation}Response>"
    );
    identified(Message::answer(200, "text/xml", body))
}

pub fn xml_error(status: u16, code: &str, message: &str) -> Message {
    let message = escaped(message);
    let body = format!(
        "<ErrorResponse><Error><Type>Sender</Type><Code>{code}</Code><Message>{message}</Message></Error>\
         <RequestId>{REQUEST_ID}</RequestId></ErrorResponse>"
    );
    identified(Message::answer(status, "text/xml", body))
}

/// A success of a service with a JSON protocol.
pub fn json(body: impl Into<Vec<u8>>) -> Message {
    identified(Message::answer(200, "application/json", body))
}

pub fn json_error(status: u16, code: &str, message: &str) -> Message {
    let body = format!(r#"{{"__type":{},"message":{}}}"#, quoted(code), quoted(message));
    let mut answer = Message::answer(status, "application/json", body);
    answer.set("x-amzn-errortype", code);
    identified(answer)
}

/// Both spellings, because services differ.
fn identified(mut answer: Message) -> Message {
    answer.set("x-amzn-requestid", REQUEST_ID);
    answer
}

/// Text within XML.
pub fn escaped(text: &str) -> String {
    text.replace('&', "&amp;").replace('<', "&lt;").replace('>', "&gt;").replace('"', "&quot;")
}

/// Text as IAM encodes documents (RFC 3986).
pub fn percent_encoded(text: &str) -> String {
    let mut encoded = String::with_capacity(text.len() * 2);
    for byte in text.bytes() {
        if byte.is_ascii_alphanumeric() || b"-._~".contains(&byte) {
            encoded.push(char::from(byte));
        } else {
            let _ = write!(encoded, "%{byte:02X}");
        }
    }
    encoded
}
