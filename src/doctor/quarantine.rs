//! The quarantine policy of one account, and whether the remediation role may attach it. Without it sessions are
//! revoked all the same, only what thieves do until the deny is in force is not stopped; unless a rule has the remedy
//! `quarantine`, which is nothing without it.

use super::{BY_HAND, Doctor, Level, Problem, unread};
use crate::aws::MemberSession;
use crate::config::RemedyName;
use crate::org::Account;
use crate::policies;
use crate::remediation::ErrorKind;
use serde_json::Value;

/// Whether an action serves the quarantine alone.
pub(super) fn serves_quarantine(action: &str) -> bool {
    ["iam:Attach", "iam:Detach", "iam:ListAttached", "iam:GetPolicy"]
        .iter()
        .any(|beginning| action.starts_with(beginning))
}

/// That the remediation role may not make these calls.
pub(super) fn quarantine_not_allowed(actions: &[String], fix: &str) -> Option<Problem> {
    if actions.is_empty() {
        return None;
    }
    let text = format!(
        "the remediation role may not {}: sessions are revoked without a quarantine, and work until the deny is in force",
        actions.join(", ")
    );
    Some(Problem::new(Level::Warning, "quarantine_not_allowed", "", text, fix))
}

impl Doctor<'_> {
    /// Whether a remedy is nothing without the quarantine.
    pub(super) fn needs_quarantine(&self) -> bool {
        self.config.named_remedies().contains(&RemedyName::Quarantine)
    }

    /// Looks whether the policy is there and says what it must.
    pub(super) async fn quarantine(
        &self,
        account: &Account,
        session: &MemberSession,
        role_arn: &str,
    ) -> Option<Problem> {
        let found = match session.managed_policy(&policies::quarantine_beside(role_arn)).await {
            // The role may not read it, which is a problem of its own.
            Err(error) if error.kind == ErrorKind::Denied => return None,
            Err(error) => return Some(unread(account, "the quarantine policy", &error)),
            Ok(found) => found,
        };
        let name = policies::QUARANTINE_POLICY;
        let Some(found) = found else {
            let (level, so) = if self.needs_quarantine() {
                (Level::Problem, "what a rule quarantines is not denied anything")
            } else {
                (
                    Level::Warning,
                    "sessions are revoked without a quarantine, and work until the deny is in force",
                )
            };
            return Some(Problem::new(
                level,
                "quarantine_missing",
                &account.id,
                format!("there is no policy {name}: {so}"),
                format!(
                    "{BY_HAND}\nrescind policies print quarantine > quarantine.json\naws iam create-policy --path /rescind/ --policy-name Quarantine --policy-document file://quarantine.json   # with credentials for ACCOUNT"
                ),
            ));
        };
        let found: Value = serde_json::from_str(&found).unwrap_or_default();
        let differs = policies::difference(&policies::quarantine(), &found)?;
        Some(Problem::new(
            Level::Problem,
            "quarantine_altered",
            &account.id,
            format!(
                "the policy {name} does not deny everything, and rescind attaches it to what was stolen: {differs}"
            ),
            format!(
                "Find out who changed it. {BY_HAND}\nrescind policies print quarantine > quarantine.json\naws iam create-policy-version --set-as-default --policy-arn {} --policy-document file://quarantine.json   # with credentials for ACCOUNT",
                policies::quarantine_beside(role_arn)
            ),
        ))
    }
}
