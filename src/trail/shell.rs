//! Commands for a shell, with values that a thief chose.
//!
//! A template is a command with names in braces. `{role}` is the value of a name; `{*instances}` all values of a list,
//! as words; `{each:tasks}` makes one command for each value; `{?CODE}` is what no record has; `{DENY_ALL}` and
//! `{DENY_TRUST}` are documents. What stands in brackets is left out when a name in it has no value. A regional service
//! gets its region.

use super::{Activity, read};

/// Denies everything.
const DENY_ALL: &str =
    r#"{"Version":"2012-10-17","Statement":[{"Effect":"Deny","Action":"*","Resource":"*"}]}"#;

/// A trust policy that lets nobody in.
const DENY_TRUST: &str = r#"{"Version":"2012-10-17","Statement":[{"Effect":"Deny","Principal":{"AWS":"*"},"Action":"sts:AssumeRole"}]}"#;

/// Services that are called without a region.
const GLOBAL: [&str; 3] = ["aws iam ", "aws organizations ", "aws account "];

/// The commands of a template for an activity.
pub(super) fn commands(template: &str, activity: &Activity) -> Vec<String> {
    let template =
        if GLOBAL.iter().any(|global| template.starts_with(global)) || template.contains("{region}") {
            template.to_owned()
        } else {
            format!("{template} --region {{region}}")
        };
    let list = template.split_once("{each:").and_then(|(_, rest)| rest.split_once('}')).map(|(name, _)| name);
    let Some(list) = list else { return vec![command(&template, activity, None)] };
    let values = values(activity, list);
    if values.is_empty() {
        return vec![command(&template, activity, None)];
    }
    values.iter().map(|value| command(&template, activity, Some(value))).collect()
}

fn command(template: &str, activity: &Activity, each: Option<&str>) -> String {
    let mut line = String::new();
    let mut rest = template;
    while let Some((before, after)) = rest.split_once('[') {
        let (optional, after) = after.split_once(']').unwrap_or((after, ""));
        fill(before, activity, each, &mut line);
        let mut part = String::new();
        if fill(optional, activity, each, &mut part) {
            line.push_str(&part);
        } else if line.ends_with(' ') {
            line.pop();
        }
        rest = after;
    }
    fill(rest, activity, each, &mut line);
    line
}

/// Puts values into a part of a template. False when one was missing.
fn fill(template: &str, activity: &Activity, each: Option<&str>, line: &mut String) -> bool {
    let mut is_whole = true;
    let mut rest = template;
    while let Some((before, after)) = rest.split_once('{') {
        let (token, after) = after.split_once('}').unwrap_or((after, ""));
        line.push_str(before);
        let words: Vec<String> = match token {
            "DENY_ALL" => vec![DENY_ALL.to_owned()],
            "DENY_TRUST" => vec![DENY_TRUST.to_owned()],
            token => match (token.strip_prefix('*'), token.strip_prefix("each:"), token.strip_prefix('?')) {
                (Some(list), ..) => values(activity, list),
                (_, Some(_), _) => each.into_iter().map(str::to_owned).collect(),
                (.., Some(_)) => Vec::new(),
                _ => value(activity, token).into_iter().collect(),
            },
        };
        if words.is_empty() {
            is_whole = false;
            let name = token.trim_start_matches(['*', '?']).trim_start_matches("each:").to_uppercase();
            line.push_str(&quoted(&format!("<{name}>")));
        }
        for (number, word) in words.iter().enumerate() {
            if number > 0 {
                line.push(' ');
            } else if word.starts_with('-') && line.ends_with(' ') {
                // Otherwise the CLI takes it for an option.
                line.pop();
                line.push('=');
            }
            line.push_str(&quoted(word));
        }
        rest = after;
    }
    line.push_str(rest);
    is_whole
}

/// The value of a name. A value that was cut is none, and so is one that the CLI would take for a file to read.
fn value(activity: &Activity, name: &str) -> Option<String> {
    let value = match name {
        "region" => activity.region.clone(),
        "event" => Some(activity.event.clone()),
        "own_account" => activity.account.as_ref().map(ToString::to_string),
        name => activity.names.get(name).cloned(),
    };
    value.filter(|value| is_usable(value))
}

fn values(activity: &Activity, list: &str) -> Vec<String> {
    let line = activity.names.get(list).map(String::as_str).unwrap_or_default();
    line.split(read::BETWEEN).filter(|value| is_usable(value)).map(str::to_owned).collect()
}

fn is_usable(value: &str) -> bool {
    let is_cut = value.ends_with(read::MORE) || value.contains(char::REPLACEMENT_CHARACTER);
    !(value.is_empty() || is_cut || value.starts_with("file://") || value.starts_with("fileb://"))
}

/// A text as one word of a POSIX shell.
fn quoted(text: &str) -> String {
    let is_plain = |byte: u8| byte.is_ascii_alphanumeric() || b"_+=,.@:/-".contains(&byte);
    if !text.is_empty() && text.bytes().all(is_plain) {
        return text.to_owned();
    }
    format!("'{}'", text.replace('\'', r"'\''"))
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;
    use std::process::Command;

    proptest! {
        #![proptest_config(ProptestConfig::with_cases(64))]

        #[test]
        fn a_shell_reads_one_word_as_it_was(texts in prop::collection::vec("[^\0]{0,12}", 1..20)) {
            let words: Vec<String> = texts.iter().map(|text| quoted(text)).collect();
            let script = format!("printf '%s\\0' {}", words.join(" "));
            let out = Command::new("sh").args(["-c", &script]).output().expect("a shell");
            let read: Vec<String> =
                String::from_utf8(out.stdout).expect("UTF-8").split_terminator('\0').map(str::to_owned).collect();
            prop_assert_eq!(read, texts);
        }
    }

    #[test]
    fn what_is_plain_stays_and_everything_else_is_quoted() {
        assert_eq!(
            quoted("arn:aws:iam::111122223333:role/a+b=c,d.e@f_g-h"),
            "arn:aws:iam::111122223333:role/a+b=c,d.e@f_g-h"
        );
        assert_eq!(quoted(""), "''");
        assert_eq!(quoted("a b"), "'a b'");
        assert_eq!(quoted("$(reboot)"), "'$(reboot)'");
        assert_eq!(quoted("it's"), r"'it'\''s'");
        for byte in (0..0x80_u8).filter(|byte| !(byte.is_ascii_alphanumeric() || b"_+=,.@:/-".contains(byte)))
        {
            assert!(quoted(&char::from(byte).to_string()).starts_with('\''), "{byte}");
        }
    }
}
