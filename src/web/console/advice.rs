//! What a person is to do: sentences, and the policies in them.

use super::words::Words;
use crate::report::policy_diff;
use serde_json::{Deserializer, Value};

/// A part of what a person is to do.
#[derive(Debug, PartialEq, Eq)]
pub(super) enum Advice {
    /// Sentences.
    Text(String),
    /// A policy, line by line, to copy.
    Policy(Vec<String>),
}

impl Advice {
    /// The parts of a text: a policy in it stands by itself. One that is part of a command stays there.
    pub fn of(text: impl AsRef<str>) -> Vec<Self> {
        let text = text.as_ref();
        let mut parts = Vec::new();
        let (mut begin, mut at) = (0, 0);
        while let Some(found) = text[at..].find('{').map(|found| at + found) {
            at = found + 1;
            let is_quoted = text[..found].ends_with(['\'', '`', '"']);
            let Some(length) = policy(&text[found..]).filter(|_| !is_quoted) else { continue };
            parts.extend(sentences(&text[begin..found]));
            let lines = policy_diff(None, Some(&text[found..found + length]));
            parts.push(Self::Policy(lines.into_iter().map(|(_, line)| line).collect()));
            (begin, at) = (found + length, found + length);
        }
        parts.extend(sentences(&text[begin..]));
        parts
    }

    /// The same without the policies, for a list of alerts: the alert's page has them.
    pub fn in_short(text: impl AsRef<str>) -> String {
        let parts = Self::of(text).into_iter().map(|part| match part {
            Self::Text(text) => text,
            Self::Policy(_) => "the policy on the alert's page".to_owned(),
        });
        parts.collect::<Vec<_>>().join(" ")
    }
}

fn sentences(text: &str) -> Option<Advice> {
    let text = text.trim();
    (!text.is_empty()).then(|| Advice::Text(Words::text(text)))
}

/// The length of the policy that a text begins with, if it does.
fn policy(text: &str) -> Option<usize> {
    let mut values = Deserializer::from_str(text).into_iter::<Value>();
    let value = values.next()?.ok()?;
    value.get("Statement").map(|_| values.byte_offset())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_policy_stands_by_itself_and_one_in_a_command_stays_there() {
        let policy =
            r#"{"Version":"2012-10-17","Statement":[{"Effect":"Deny","Action":"*","Resource":"*"}]}"#;
        let parts = Advice::of(format!("Attach this as an SCP: {policy}. Then {{ look }}."));
        assert!(
            matches!(&parts[..], [Advice::Text(first), Advice::Policy(lines), Advice::Text(last)]
            if first == "Attach this as an SCP:" && lines.len() > 5 && last == ". Then { look }."),
            "{parts:?}"
        );
        let command = format!("aws iam put-role-policy --policy-document '{policy}'");
        assert_eq!(Advice::of(&command), [Advice::Text(command.clone())]);
        assert_eq!(Advice::in_short(format!("Do: {policy}")), "Do: the policy on the alert's page");
        assert_eq!(Advice::of(""), []);
    }
}
