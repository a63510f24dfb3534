//! The policy document that revokes, made from the template in `policies/`, and read back.

use super::Cutoff;
use serde_json::Value;

/// The inline policy's name. Ours alone: the console's `AWSRevokeOlderSessions` belongs to
/// whoever pressed its button.
pub const POLICY_NAME: &str = "RescindRevokeOlderSessions";

const TEMPLATE: &str = include_str!("../../policies/revoke-role-sessions.json");

/// The document that denies everything to sessions older than `cutoff`.
#[must_use]
pub fn revoke_document(cutoff: Cutoff) -> String {
    TEMPLATE.trim_end().replace("${CUTOFF}", &cutoff.to_string())
}

/// The latest cutoff that a document sets, whoever wrote it.
#[must_use]
pub fn cutoff_in(document: &str) -> Option<Cutoff> {
    let document: Value = serde_json::from_str(document).ok()?;
    listed(document.get("Statement")?)
        .filter(|statement| statement.get("Effect").is_some_and(|e| e == "Deny"))
        .filter_map(|statement| statement.get("Condition")?.as_object())
        .flatten()
        .filter(|(operator, _)| operator.eq_ignore_ascii_case("DateLessThan"))
        .filter_map(|(_, keys)| keys.as_object())
        .flatten()
        .filter(|(key, _)| key.eq_ignore_ascii_case("aws:TokenIssueTime"))
        .flat_map(|(_, values)| listed(values))
        .filter_map(|value| value.as_str()?.parse().ok())
        .map(Cutoff::round_up)
        .max()
}

/// The document is one that rescind writes, with whatever cutoff.
#[must_use]
pub fn is_ours(document: &str) -> bool {
    cutoff_in(document).is_some_and(|cutoff| same(document, &revoke_document(cutoff)))
}

/// What is there does what `wanted` does: it is the same, or ours with a later cutoff.
#[must_use]
pub fn in_force(there: &str, wanted: &str) -> bool {
    same(there, wanted) || (is_ours(there) && is_ours(wanted) && cutoff_in(there) >= cutoff_in(wanted))
}

/// Two documents are the same JSON, however they are spaced.
fn same(a: &str, b: &str) -> bool {
    match (serde_json::from_str::<Value>(a), serde_json::from_str::<Value>(b)) {
        (Ok(a), Ok(b)) => a == b,
        _ => false,
    }
}

/// IAM allows one value where it allows a list.
fn listed(value: &Value) -> impl Iterator<Item = &Value> {
    match value {
        Value::Array(items) => items.iter(),
        one => std::slice::from_ref(one).iter(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn cutoff(text: &str) -> Cutoff {
        Cutoff::round_up(text.parse().expect("a time"))
    }

    #[test]
    fn what_we_write_we_read() {
        let document = revoke_document(cutoff("2026-11-21T23:47:30Z"));
        assert_eq!(cutoff_in(&document), Some(cutoff("2026-11-21T23:47:30Z")));
        assert!(is_ours(&document));
        // The document has to leave room in the quota of 10,240 characters.
        assert!(document.len() < 200, "{}", document.len());
    }

    #[test]
    fn only_ours_with_a_later_cutoff_does_the_same() {
        let at = |text| revoke_document(cutoff(text));
        let wanted = at("2026-11-21T23:47:30Z");
        assert!(in_force(&wanted.replace(',', ", "), &wanted));
        assert!(in_force(&at("2026-11-21T23:48:00Z"), &wanted));
        assert!(!in_force(&at("2026-11-21T23:47:29Z"), &wanted));
        assert!(!in_force(&at("2026-11-21T23:48:00Z").replace("\"*\"", "\"s3:*\""), &wanted));
        assert!(!in_force("{}", &wanted));
    }

    #[test]
    fn reads_a_cutoff_that_somebody_rewrote() {
        let document = r#"{"Statement":{"Effect":"Deny","NotAction":"s3:*","Resource":"*",
            "Condition":{"dateLessThan":{"AWS:tokenissuetime":["2026-01-01T00:00:00Z","2026-01-02T00:00:00.5Z"]}}}}"#;
        assert_eq!(cutoff_in(document), Some(cutoff("2026-01-02T00:00:01Z")));
        assert!(!is_ours(document));
    }

    #[test]
    fn an_allow_is_not_a_cutoff_and_nonsense_is_none() {
        for document in [
            r#"{"Statement":[{"Effect":"Allow","Condition":{"DateLessThan":{"aws:TokenIssueTime":"2026-01-01T00:00:00Z"}}}]}"#,
            r#"{"Statement":[{"Effect":"Deny","Condition":{"DateLessThan":{"aws:TokenIssueTime":"tomorrow"}}}]}"#,
            r#"{"Statement":7}"#,
            "[]",
            "",
        ] {
            assert_eq!(cutoff_in(document), None, "{document}");
        }
    }
}
