//! To an SNS topic: text for e-mail, JSON for programs.

use super::{Notice, Undelivered, text};
use crate::aws::{Hub, SnsMessage};
use crate::ident::Region;
use crate::safe;
use serde_json::json;

/// Maximum size of each of the two forms of a message. SNS takes 256 KiB in all.
const MOST: usize = 120 << 10;

pub(super) async fn send(
    hub: &Hub,
    topic: &str,
    region: &Region,
    notice: &Notice,
) -> Result<(), Undelivered> {
    let message = message(notice);
    let subject = text::subject(notice);
    let message = SnsMessage { topic, subject: &subject, message, id: &notice.id };
    hub.publish(region, message).await.map_err(|error| Undelivered::new(error.to_string()))
}

/// By protocol: programs get JSON, all others the text (SNS, "Publish", MessageStructure).
fn message(notice: &Notice) -> String {
    let mut text = text::body(notice);
    if text.len() > MOST {
        let end = (0..=MOST).rev().find(|end| text.is_char_boundary(*end)).unwrap_or(0);
        text.truncate(end);
        text.push_str("\n(cut: `rescind show` has the rest)\n");
    }
    let object = safe::json_line(notice).unwrap_or_default();
    let object = if object.len() > MOST {
        json!({"id": notice.id, "title": notice.title}).to_string()
    } else {
        object
    };
    json!({
        "default": text, "email": text, "email-json": object, "http": object, "https": object,
        "lambda": object, "sqs": object, "sms": text::ascii(&notice.title, 140),
    })
    .to_string()
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::config::{Level, Topic};

    #[test]
    fn however_long_it_is_it_fits() {
        let notice = Notice {
            id: "i".to_owned(),
            entry: 1,
            topic: Topic::Alert,
            level: Level::Critical,
            at: jiff::Timestamp::UNIX_EPOCH,
            title: "\u{1f511} ".repeat(900),
            text: vec!["\u{1f511}\"".repeat(1000); 200],
            to_do: Vec::new(),
            account_name: None,
            account: None,
            principal: None,
            remediation: None,
            state: None,
            proof: None,
            finding: None,
            finding_type: None,
            link: None,
        };
        let all: serde_json::Value = serde_json::from_str(&message(&notice)).expect("JSON");
        for text in ["default", "sqs"] {
            assert!(all[text].as_str().is_some_and(|text| text.len() <= MOST + 100));
        }
        let subject = text::subject(&notice);
        assert!(subject.len() < 100 && subject.is_ascii() && !subject.contains('\n'));
    }
}
