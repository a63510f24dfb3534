//! To a webhook: JSON of our own with a signature, or as Slack and Teams take it.

use super::{Notice, Undelivered, text};
use crate::aws::CaBundle;
use crate::chain::chain;
use crate::config::{Secret, Style, check_url};
use crate::safe;
use hmac::{Hmac, KeyInit, Mac};
use jiff::Timestamp;
use serde_json::{Value, json};
use sha2::Sha256;
use std::fmt::Write;
use std::time::Duration;
use url::Url;

/// Timeout of a receiver's answer: without one the message is not delivered.
const PATIENCE: Duration = Duration::from_secs(10);

/// Maximum pause that a receiver can ask for.
const LONGEST_PAUSE: Duration = Duration::from_mins(10);

/// Maximum length of a message to a chat, in characters. Chats take a few thousand.
const CHAT: usize = 2800;

/// A client that follows no redirection: what is sent is for this receiver only. It uses the environment's
/// proxies, and trusts the certificates of `bundle` beside those of the system.
///
/// # Errors
/// When no TLS can be had.
pub(super) fn client(bundle: Option<&CaBundle>) -> Result<reqwest::Client, reqwest::Error> {
    let certificates = bundle.map(|bundle| reqwest::Certificate::from_pem_bundle(bundle.pem()));
    let client = reqwest::Client::builder()
        .redirect(reqwest::redirect::Policy::none())
        .timeout(PATIENCE)
        .connect_timeout(PATIENCE)
        .user_agent(concat!("rescind/", env!("CARGO_PKG_VERSION")))
        .tls_certs_merge(certificates.transpose()?.unwrap_or_default());
    client.build()
}

pub(super) async fn send(
    client: &reqwest::Client,
    url: &Secret,
    style: Style,
    key: Option<&Secret>,
    notice: &Notice,
) -> Result<(), Undelivered> {
    let url = url.read().map_err(|error| Undelivered::new(chain(&error)))?;
    check_url(&url).map_err(|error| Undelivered::new(error.to_string()))?;
    let body = safe::json_line(&body(style, notice)).map_err(|error| Undelivered::new(error.to_string()))?;
    let mut request =
        client.post(url).header("content-type", "application/json").header("idempotency-key", &notice.id);
    if let Some(key) = key {
        let key = key.read().map_err(|error| Undelivered::new(chain(&error)))?;
        let at = Timestamp::now().as_second().to_string();
        let signature = signature(key.as_bytes(), &at, body.as_bytes())?;
        request = request.header("x-rescind-timestamp", at).header("x-rescind-signature", signature);
    }
    // The URL can be a secret: it is in no error.
    let answer =
        request.body(body).send().await.map_err(|error| Undelivered::new(chain(&error.without_url())))?;
    let status = answer.status();
    if status.is_success() {
        return Ok(());
    }
    let retry_after = retry_after(&answer);
    Err(Undelivered { retry_after, ..Undelivered::new(format!("the webhook answered {status}")) })
}

/// The pause that a receiver asks for, in seconds.
pub(super) fn retry_after(answer: &reqwest::Response) -> Option<Duration> {
    let value = answer.headers().get("retry-after")?;
    let seconds = value.to_str().ok()?.parse().ok()?;
    Some(Duration::from_secs(seconds).min(LONGEST_PAUSE))
}

/// `sha256=` and HMAC-SHA256 over the timestamp, a dot, and the body, in hexadecimal.
fn signature(key: &[u8], at: &str, body: &[u8]) -> Result<String, Undelivered> {
    let mut mac = Hmac::<Sha256>::new_from_slice(key)
        .map_err(|_| Undelivered::new("the key of the signature cannot be used"))?;
    mac.update(at.as_bytes());
    mac.update(b".");
    mac.update(body);
    let mut text = "sha256=".to_owned();
    for byte in mac.finalize().into_bytes() {
        let _ = write!(text, "{byte:02x}");
    }
    Ok(text)
}

fn body(style: Style, notice: &Notice) -> Value {
    match style {
        Style::Json => serde_json::to_value(notice).unwrap_or_default(),
        Style::Slack => {
            let text = slack(&cut(&text::body(notice)));
            let title = slack(&cut(&notice.title));
            let mut blocks = vec![
                json!({"type": "header", "text": {"type": "plain_text", "text": header(notice)}}),
                json!({"type": "section", "text": {"type": "mrkdwn", "text": format!("```{}```", text.replace("```", "'''"))}}),
            ];
            let buttons: Vec<Value> = buttons(notice).iter().map(Button::in_slack).collect();
            if !buttons.is_empty() {
                blocks.push(json!({"type": "actions", "elements": buttons}));
            }
            json!({"text": title, "blocks": blocks})
        }
        Style::Teams => {
            let mut card = json!({
                "$schema": "http://adaptivecards.io/schemas/adaptive-card.json", "type": "AdaptiveCard", "version": "1.4",
                "body": [
                    {"type": "TextBlock", "size": "Large", "weight": "Bolder", "wrap": true, "text": header(notice)},
                    {"type": "TextBlock", "wrap": true, "fontType": "Monospace", "text": markdown(&cut(&text::body(notice)))},
                ],
            });
            let buttons: Vec<Value> = buttons(notice).iter().map(Button::in_teams).collect();
            if !buttons.is_empty() {
                card["actions"] = json!(buttons);
            }
            let content_type = "application/vnd.microsoft.card.adaptive";
            json!({"type": "message", "attachments": [{"contentType": content_type, "content": card}]})
        }
    }
}

/// A button that opens a page of the console. A chat proves nobody's identity, so no button does anything by itself.
struct Button {
    id: &'static str,
    label: &'static str,
    page: Url,
}

impl Button {
    /// A link (Slack, "Button element"). Slack reports the click to the app as well, which nobody waits for.
    fn in_slack(&self) -> Value {
        let text = json!({"type": "plain_text", "text": self.label});
        let mut button = json!({"type": "button", "action_id": self.id, "text": text, "url": self.page});
        if self.id == ANSWER {
            button["style"] = json!("primary");
        }
        button
    }

    /// A link (Adaptive Cards, "Action.OpenUrl").
    fn in_teams(&self) -> Value {
        json!({"type": "Action.OpenUrl", "id": self.id, "title": self.label, "url": self.page})
    }
}

/// The id of the button that opens the answer page.
const ANSWER: &str = "answer";

/// The buttons of a message: none without a console.
fn buttons(notice: &Notice) -> Vec<Button> {
    let answer = notice.answer().map(|page| Button { id: ANSWER, label: "Approve or reject", page });
    let open = notice.link.clone().map(|page| Button { id: "open", label: "Open", page });
    answer.into_iter().chain(open).collect()
}

/// At most 150 characters (Slack, "header block").
fn header(notice: &Notice) -> String {
    // It is plain text; what looks like a mention is taken out all the same.
    let text = format!("[{}] {}", notice.level, notice.title).replace(['<', '>'], "'");
    if text.chars().count() > 150 { text.chars().take(147).chain("...".chars()).collect() } else { text }
}

fn cut(text: &str) -> String {
    if text.chars().count() > CHAT {
        text.chars().take(CHAT).chain("\n(cut: `rescind show` has the rest)".chars()).collect()
    } else {
        text.to_owned()
    }
}

/// Slack reads `<…>` as links and mentions, and `&` as the beginning of an entity ("Escaping text").
fn slack(text: &str) -> String {
    text.replace('&', "&amp;").replace('<', "&lt;").replace('>', "&gt;")
}

/// Adaptive cards read a little Markdown; a line ends with two line breaks.
fn markdown(text: &str) -> String {
    let mut plain = String::new();
    for c in text.chars() {
        if matches!(c, '\\' | '`' | '*' | '_' | '[' | ']' | '<' | '#') {
            plain.push('\\');
        }
        plain.push(c);
        if c == '\n' {
            plain.push('\n');
        }
    }
    plain
}

#[cfg(test)]
mod tests {
    use super::super::link::Console;
    use super::*;
    use crate::config::Topic;

    #[test]
    fn a_signature_is_that_of_others() {
        // python3: hmac.new(b"key", b"1700000000.{}", "sha256").hexdigest()
        let expected = "sha256=9d713ed406bb7076d4123f0dc2c39d2df5c654ed4b0cd56b52c8b4c940bd63ae";
        assert_eq!(signature(b"key", "1700000000", b"{}").as_deref(), Ok(expected));
    }

    #[test]
    fn buttons_open_pages_and_do_nothing_else() {
        let console = Console::at(Some("https://rescind.example.com".parse().expect("a URL")));
        let link = console.page(Topic::Held, Some("r-1"));
        let mut notice = Notice { link, ..Notice::test("i", &console) };
        (notice.topic, notice.remediation) = (Topic::Held, Some("r-1".to_owned()));
        let slack = &body(Style::Slack, &notice)["blocks"][2];
        insta::assert_json_snapshot!(slack, @r##"
        {
          "elements": [
            {
              "action_id": "answer",
              "style": "primary",
              "text": {
                "text": "Approve or reject",
                "type": "plain_text"
              },
              "type": "button",
              "url": "https://rescind.example.com/remediations/r-1#answer"
            },
            {
              "action_id": "open",
              "text": {
                "text": "Open",
                "type": "plain_text"
              },
              "type": "button",
              "url": "https://rescind.example.com/remediations/r-1"
            }
          ],
          "type": "actions"
        }
        "##);
        let teams = &body(Style::Teams, &notice)["attachments"][0]["content"]["actions"];
        insta::assert_json_snapshot!(teams, @r##"
        [
          {
            "id": "answer",
            "title": "Approve or reject",
            "type": "Action.OpenUrl",
            "url": "https://rescind.example.com/remediations/r-1#answer"
          },
          {
            "id": "open",
            "title": "Open",
            "type": "Action.OpenUrl",
            "url": "https://rescind.example.com/remediations/r-1"
          }
        ]
        "##);
        // What asks for nothing has one button, and without a console there is none.
        notice.topic = Topic::Revoked;
        assert_eq!(buttons(&notice).len(), 1);
        notice.link = None;
        assert_eq!(body(Style::Slack, &notice)["blocks"].as_array().map(Vec::len), Some(2));
        assert!(body(Style::Teams, &notice)["attachments"][0]["content"].get("actions").is_none());
    }

    #[test]
    fn what_a_chat_would_read_as_its_own_is_escaped() {
        assert_eq!(slack("<!channel> & <http://x|y>"), "&lt;!channel&gt; &amp; &lt;http://x|y&gt;");
        assert_eq!(markdown("[a](b)\n*c*"), "\\[a\\](b)\n\n\\*c\\*");
    }
}
