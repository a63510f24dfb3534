//! The queue of events, and its dead-letter queue.

use super::{Doctor, Level, Problem};
use crate::config::QueueUrl;
use crate::plural::counted;
use crate::remediation::CallError;
use serde_json::Value;
use std::collections::BTreeMap;

/// Minimum number of receives before a message is dropped: one that GuardDuty cannot confirm yet is returned
/// several times.
const LEAST_RECEIVES: u64 = 10;

/// Minimum time, in seconds, for which a queue should keep a message that nobody received.
const LEAST_RETENTION: u64 = 24 * 3600;

impl Doctor<'_> {
    /// Looks at the queues, if there is one.
    pub(super) async fn queue(&self) -> Vec<Problem> {
        let Some(events) = &self.config.events else {
            return vec![Problem::new(
                Level::Note,
                "no_queue",
                "events.queue",
                "findings are only polled, which is slower than events",
                "policies/deployment/feed-central.yaml creates a queue: set `events.queue` to its URL.",
            )];
        };
        let mut problems = Vec::new();
        if !self.config.confirm {
            problems.push(Problem::new(
                Level::Problem,
                "not_confirmed",
                "confirm",
                "confirm = false: whoever can write to the queue can have roles revoked",
                "Remove `confirm = false` from rescind.toml.",
            ));
        }
        for queue in &events.queues {
            problems.extend(self.one_queue(queue).await);
        }
        problems
    }

    async fn one_queue(&self, queue: &QueueUrl) -> Vec<Problem> {
        let region = self.hub.region_of(queue);
        let attributes = match self.hub.queue_attributes(&queue.url, &region).await {
            Ok(attributes) => attributes,
            Err(error) => return vec![self.unreadable(&queue.name, &error)],
        };
        let mut problems = judged(&attributes, &queue.url, &queue.name, queue.is_fifo());
        problems.extend(self.dead_letters(&attributes, &region).await);
        if let Err(error) = self.hub.try_queue(&queue.url, &region).await {
            problems.push(Problem::new(
                Level::Problem,
                "queue_unreadable",
                &queue.name,
                format!("events cannot be received: {error}"),
                crate::aws::hub_hint(&error, self.hub.identity()),
            ));
        }
        problems
    }

    async fn dead_letters(
        &self,
        attributes: &BTreeMap<String, String>,
        region: &crate::ident::Region,
    ) -> Vec<Problem> {
        let Some(arn) =
            redrive(attributes).and_then(|policy| policy["deadLetterTargetArn"].as_str().map(str::to_owned))
        else {
            return Vec::new();
        };
        let mut parts = arn.rsplitn(3, ':');
        let (name, account) = (parts.next().unwrap_or_default(), parts.next().unwrap_or_default());
        let waiting = async {
            let url = self.hub.queue_url(name, account, region).await?;
            self.hub.queue_attributes(&url, region).await
        };
        let waiting = match waiting.await {
            Ok(attributes) => number(&attributes, "ApproximateNumberOfMessages"),
            Err(error) => return vec![self.unreadable(name, &error)],
        };
        if waiting == 0 {
            return Vec::new();
        }
        vec![Problem::new(
            Level::Warning,
            "dead_letters",
            name,
            format!("the dead-letter queue has {}", counted(waiting, "message")),
            format!(
                "aws sqs start-message-move-task --source-arn {arn} --region {region}   # after you know why they failed"
            ),
        )]
    }

    fn unreadable(&self, name: &str, error: &CallError) -> Problem {
        Problem::new(
            Level::Problem,
            "queue_unreadable",
            name,
            format!("the queue cannot be inspected: {error}"),
            crate::aws::hub_hint(error, self.hub.identity()),
        )
    }
}

fn number(attributes: &BTreeMap<String, String>, name: &str) -> u64 {
    attributes.get(name).and_then(|text| text.parse().ok()).unwrap_or(0)
}

fn redrive(attributes: &BTreeMap<String, String>) -> Option<Value> {
    serde_json::from_str(attributes.get("RedrivePolicy")?).ok()
}

/// What the queue's own attributes say.
fn judged(attributes: &BTreeMap<String, String>, url: &str, name: &str, is_fifo: bool) -> Vec<Problem> {
    let mut problems = Vec::new();
    let mut add = |level, code, text: String, fix: String| {
        problems.push(Problem::new(level, code, name, text, fix));
    };
    let set = |attribute: &str, value: &str| {
        format!(
            "aws sqs set-queue-attributes --queue-url {url} --attributes '{{\"{attribute}\":\"{value}\"}}'"
        )
    };
    match redrive(attributes) {
        None => {
            let text = if is_fifo {
                "no dead-letter queue: a message that cannot be read blocks those behind it for good"
            } else {
                "no dead-letter queue: a message that cannot be processed is received again and again until it expires"
            };
            let policy =
                r#"{\"deadLetterTargetArn\":\"ARN-OF-THE-DEAD-LETTER-QUEUE\",\"maxReceiveCount\":\"20\"}"#;
            add(Level::Problem, "no_dead_letter_queue", text.to_owned(), set("RedrivePolicy", policy));
        }
        Some(policy) => {
            let most = policy["maxReceiveCount"].as_u64();
            let most = most.or_else(|| policy["maxReceiveCount"].as_str().and_then(|text| text.parse().ok()));
            if most.is_some_and(|most| most < LEAST_RECEIVES) {
                let text = format!(
                    "the redrive policy drops a message after {} receives: an event can be minutes ahead of GuardDuty's API, and is returned to the queue until then",
                    most.unwrap_or(0)
                );
                let mut policy = policy;
                policy["maxReceiveCount"] = "20".into();
                let policy = policy.to_string().replace('"', "\\\"");
                add(Level::Warning, "few_receives", text, set("RedrivePolicy", &policy));
            }
        }
    }
    if number(attributes, "MessageRetentionPeriod") < LEAST_RETENTION {
        add(
            Level::Warning,
            "short_retention",
            "messages are kept for less than a day: events that arrive while rescind is down are lost"
                .to_owned(),
            set("MessageRetentionPeriod", "345600"),
        );
    }
    let encrypted = attributes.get("SqsManagedSseEnabled").is_some_and(|text| text == "true")
        || attributes.get("KmsMasterKeyId").is_some_and(|key| !key.is_empty());
    if !encrypted {
        add(
            Level::Warning,
            "not_encrypted",
            "the queue is not encrypted".to_owned(),
            set("SqsManagedSseEnabled", "true"),
        );
    }
    if attributes.get("KmsMasterKeyId").is_some_and(|key| key == "alias/aws/sqs") {
        add(
            Level::Problem,
            "key_shuts_out",
            "the queue's key is alias/aws/sqs, which EventBridge may not use: no event gets in".to_owned(),
            set("SqsManagedSseEnabled", "true"),
        );
    }
    let policy: Option<Value> = attributes.get("Policy").and_then(|text| serde_json::from_str(text).ok());
    let policy = policy.unwrap_or_default();
    let allowing = || senders(&policy).into_iter();
    if allowing().next().is_none() {
        add(
            Level::Warning,
            "nobody_sends",
            "the queue's policy lets neither EventBridge nor anybody else send to it".to_owned(),
            "policies/deployment/feed-central.yaml has one that does.".to_owned(),
        );
    }
    if allowing().any(|statement| is_for_anybody(&statement)) {
        add(
            Level::Problem,
            "anybody_sends",
            "the queue's policy lets anybody send to it".to_owned(),
            "policies/deployment/feed-central.yaml has a policy for EventBridge only.".to_owned(),
        );
    }
    problems
}

/// The statements that let somebody send.
fn senders(policy: &Value) -> Vec<Value> {
    let lets_send = |statement: &Value| {
        let is_it = |action: &str| {
            let action = action.to_ascii_lowercase();
            action == "*"
                || action.strip_prefix("sqs:").is_some_and(|one| one == "*" || one.starts_with("send"))
        };
        statement["Effect"] == "Allow"
            && list(&statement["Action"]).iter().filter_map(Value::as_str).any(is_it)
    };
    list(&policy["Statement"]).into_iter().filter(lets_send).collect()
}

/// Condition keys that identify the sender. Others do not keep anybody out.
const WHO: [&str; 8] = [
    "aws:sourcearn",
    "aws:sourceaccount",
    "aws:sourceorgid",
    "aws:sourceorgpaths",
    "aws:principalorgid",
    "aws:principalorgpaths",
    "aws:principalarn",
    "aws:principalaccount",
];

fn is_for_anybody(statement: &Value) -> bool {
    let anybody = |who: &Value| list(who).iter().any(|one| one == "*");
    let keys = statement["Condition"].as_object().into_iter().flatten();
    let mut keys = keys.filter_map(|(_, test)| test.as_object()).flat_map(serde_json::Map::keys);
    (anybody(&statement["Principal"]) || anybody(&statement["Principal"]["AWS"]))
        && !keys.any(|key| WHO.contains(&key.to_ascii_lowercase().as_str()))
}

/// One thing is a list of one.
fn list(value: &Value) -> Vec<Value> {
    match value {
        Value::Array(all) => all.clone(),
        Value::Null => Vec::new(),
        one => vec![one.clone()],
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn codes(attributes: &[(&str, &str)], is_fifo: bool) -> Vec<&'static str> {
        let attributes =
            attributes.iter().map(|(name, value)| ((*name).to_owned(), (*value).to_owned())).collect();
        judged(&attributes, "https://queue", "q", is_fifo).into_iter().map(|problem| problem.code).collect()
    }

    const SANE: [(&str, &str); 4] = [
        ("RedrivePolicy", r#"{"deadLetterTargetArn":"arn:aws:sqs:eu-west-1:1:dead","maxReceiveCount":"20"}"#),
        ("MessageRetentionPeriod", "345600"),
        ("SqsManagedSseEnabled", "true"),
        (
            "Policy",
            r#"{"Statement":[{"Effect":"Allow","Principal":{"Service":"events.amazonaws.com"},"Action":"sqs:SendMessage"}]}"#,
        ),
    ];

    #[test]
    fn a_sane_queue_has_no_problem_and_each_fault_is_named() {
        assert!(codes(&SANE, false).is_empty());
        let with = |name: &'static str, value: &'static str| {
            let mut all = SANE.to_vec();
            all.retain(|(one, _)| *one != name);
            if !value.is_empty() {
                all.push((name, value));
            }
            codes(&all, false)
        };
        assert_eq!(with("RedrivePolicy", ""), ["no_dead_letter_queue"]);
        assert_eq!(
            with("RedrivePolicy", r#"{"deadLetterTargetArn":"a","maxReceiveCount":3}"#),
            ["few_receives"]
        );
        let dead = "arn:aws:sqs:eu-central-1:111111111111:dead";
        let few = [(
            "RedrivePolicy".to_owned(),
            format!(r#"{{"deadLetterTargetArn":"{dead}","maxReceiveCount":1}}"#),
        )];
        let problems = judged(&few.into(), "https://queue", "q", false);
        assert!(
            problems[0].fix.contains(dead) && problems[0].fix.contains(r#"maxReceiveCount\":\"20"#),
            "{}",
            problems[0].fix
        );
        assert_eq!(with("MessageRetentionPeriod", "60"), ["short_retention"]);
        assert_eq!(with("SqsManagedSseEnabled", "false"), ["not_encrypted"]);
        assert_eq!(with("Policy", ""), ["nobody_sends"]);
        let open = r#"{"Statement":{"Effect":"Allow","Principal":"*","Action":"sqs:*"}}"#;
        assert_eq!(with("Policy", open), ["anybody_sends"]);
        let tls = r#"{"Statement":{"Effect":"Allow","Principal":{"AWS":"*"},"Action":"SQS:SendMessage","Condition":{"Bool":{"aws:SecureTransport":"true"}}}}"#;
        assert_eq!(with("Policy", tls), ["anybody_sends"]);
        let organization = r#"{"Statement":{"Effect":"Allow","Principal":"*","Action":"sqs:SendMessage","Condition":{"StringEquals":{"aws:PrincipalOrgID":"o-1"}}}}"#;
        assert!(with("Policy", organization).is_empty());
        let other = r#"{"Statement":{"Effect":"Allow","Principal":"*","Action":"sqs:GetQueueUrl"}}"#;
        assert_eq!(with("Policy", other), ["nobody_sends"]);
        assert_eq!(with("KmsMasterKeyId", "alias/aws/sqs"), ["key_shuts_out"]);
    }
}
