//! What an event or an export claims, against what GuardDuty says.

use super::{Finding, Principal};
use jiff::SignedDuration;
use serde::{Deserialize, Serialize};
use std::fmt;

/// Why a claim is not confirmed.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(tag = "code", rename_all = "snake_case")]
pub enum Unconfirmed {
    /// GuardDuty has no finding with this id.
    NotFound,
    /// GuardDuty refuses the id.
    RefusedId {
        /// Its words.
        message: String,
    },
    /// Its region is not watched, so GuardDuty is not asked there.
    RegionNotWatched,
    /// The finding is about something else than the claim.
    Differs {
        /// In what: `account`, `type` or `principal`.
        field: String,
        /// What was claimed.
        claimed: String,
        /// What GuardDuty says.
        truth: String,
    },
}

impl Unconfirmed {
    /// Its name.
    #[must_use]
    pub fn code(&self) -> &'static str {
        match self {
            Self::NotFound => "not_found",
            Self::RefusedId { .. } => "refused_id",
            Self::RegionNotWatched => "region_not_watched",
            Self::Differs { .. } => "differs",
        }
    }
}

impl fmt::Display for Unconfirmed {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::NotFound => f.write_str("GuardDuty has no finding with this id in this region"),
            Self::RefusedId { message } => write!(f, "GuardDuty refuses this id: {message}"),
            Self::RegionNotWatched => {
                f.write_str("its region is not among `regions`, so GuardDuty is not asked there")
            }
            Self::Differs { field, claimed, truth } => {
                write!(
                    f,
                    "the {field} is not that of the finding: claimed was {claimed}, GuardDuty says {truth}"
                )
            }
        }
    }
}

/// How a claim that is not contradicted stands to the truth.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Confirmed {
    /// It is so, or was so before.
    Yes,
    /// It speaks of a later update than GuardDuty has yet; and of another session or key, if it does.
    NotYet(Option<Unconfirmed>),
}

/// So far apart two ways of writing the same time can be.
const SAME: SignedDuration = SignedDuration::from_secs(1);

/// Whether `truth` is what `claim` speaks of.
///
/// GuardDuty writes repeated activity into the same finding, so of a claim that is older than the
/// truth the session and the key may be others; the account, the type and the role never are. A claim
/// that is newer cannot be told from a forged one until GuardDuty has it, too.
///
/// # Errors
/// In what it differs.
pub fn confirm(claim: &Finding, truth: &Finding) -> Result<Confirmed, Unconfirmed> {
    let differs = |field: &str, claimed: String, truth: String| {
        let field = field.to_owned();
        if claimed == truth { Ok(()) } else { Err(Unconfirmed::Differs { field, claimed, truth }) }
    };
    differs("account", claim.account.to_string(), truth.account.to_string())?;
    differs("type", claim.finding_type.clone(), truth.finding_type.clone())?;
    let principal = |with_session| {
        let name = |principal: &Option<Principal>| who(principal.as_ref(), with_session);
        differs("principal", name(&claim.principal), name(&truth.principal))
    };
    let ahead = claim.updated_at.duration_since(truth.updated_at);
    principal(false)?;
    if ahead >= SAME {
        return Ok(Confirmed::NotYet(principal(true).err()));
    }
    if ahead > -SAME {
        principal(true)?;
    }
    Ok(Confirmed::Yes)
}

/// The principal as far as it must be the same.
fn who(principal: Option<&Principal>, with_session: bool) -> String {
    let Some(principal) = principal else { return "nobody".to_owned() };
    let text = |text: &Option<String>| text.clone().unwrap_or_else(|| "-".to_owned());
    let id = text(&principal.principal_id);
    let (role_id, _) = id.split_once(':').unwrap_or((&id, ""));
    let who = format!("{} {}", String::from(principal.user_type.clone()), text(&principal.user_name));
    if with_session {
        format!("{who} {id} {}", text(&principal.access_key_id))
    } else {
        format!("{who} {role_id}")
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::finding::decode;
    use serde_json::{Value, json};

    fn finding(change: impl FnOnce(&mut Value)) -> Finding {
        let mut finding = json!({
            "accountId": "222222222222", "arn": "arn", "id": "f1", "region": "eu-central-1", "schemaVersion": "2.0",
            "severity": 8, "type": "UnauthorizedAccess:IAMUser/InstanceCredentialExfiltration.OutsideAWS",
            "createdAt": "2026-11-22T10:00:00.000Z", "updatedAt": "2026-11-22T10:00:00.000Z",
            "resource": {"resourceType": "AccessKey", "accessKeyDetails": {
                "accessKeyId": "ASIAEXAMPLE000000001", "principalId": "AROAEXAMPLE000000001:i-1",
                "userName": "web", "userType": "AssumedRole"}},
        });
        change(&mut finding);
        decode(finding.to_string().as_bytes()).remove(0).expect("a finding")
    }

    fn differs_in(claim: &Finding, truth: &Finding) -> Option<String> {
        match confirm(claim, truth) {
            Err(Unconfirmed::Differs { field, .. }) => Some(field),
            Err(other) => Some(other.code().to_owned()),
            Ok(Confirmed::Yes) => None,
            Ok(Confirmed::NotYet(_)) => Some("not yet".to_owned()),
        }
    }

    #[test]
    fn a_newer_claim_is_waited_for() {
        let truth = finding(|_| ());
        let newer = |key: &'static str| {
            let claim = finding(move |f| {
                f["updatedAt"] = json!("2026-11-22T11:00:00.000Z");
                f["resource"]["accessKeyDetails"]["accessKeyId"] = json!(key);
            });
            confirm(&claim, &truth)
        };
        assert_eq!(newer("ASIAEXAMPLE000000001"), Ok(Confirmed::NotYet(None)));
        assert!(matches!(newer("ASIAEXAMPLE000000002"), Ok(Confirmed::NotYet(Some(_)))));
    }

    #[test]
    fn a_true_claim_is_confirmed_however_the_time_is_written() {
        let truth = finding(|_| ());
        assert_eq!(differs_in(&truth, &truth), None);
        assert_eq!(differs_in(&finding(|f| f["updatedAt"] = json!("2026-11-22T10:00:00Z")), &truth), None);
    }

    #[test]
    fn a_claim_about_something_else_is_not() {
        let truth = finding(|_| ());
        let key = |name: &'static str, value: &'static str| {
            finding(move |f| f["resource"]["accessKeyDetails"][name] = json!(value))
        };
        for (claim, field) in [
            (finding(|f| f["accountId"] = json!("333333333333")), "account"),
            (finding(|f| f["type"] = json!("Recon:IAMUser/TorIPCaller")), "type"),
            (key("userName", "admin"), "principal"),
            (key("userType", "IAMUser"), "principal"),
            (key("principalId", "AROAEXAMPLE000000002:i-1"), "principal"),
            (key("principalId", "AROAEXAMPLE000000001:i-2"), "principal"),
            (key("accessKeyId", "ASIAEXAMPLE000000002"), "principal"),
        ] {
            assert_eq!(differs_in(&claim, &truth).as_deref(), Some(field), "{claim:?}");
        }
    }

    #[test]
    fn an_older_claim_may_be_about_another_session_but_not_another_role() {
        let older = |principal: &'static str| {
            finding(move |f| {
                f["updatedAt"] = json!("2026-11-22T09:00:00.000Z");
                f["resource"]["accessKeyDetails"]["principalId"] = json!(principal);
                f["resource"]["accessKeyDetails"]["accessKeyId"] = json!("ASIAEXAMPLE000000009");
            })
        };
        let truth = finding(|_| ());
        assert_eq!(differs_in(&older("AROAEXAMPLE000000001:i-9"), &truth), None);
        assert_eq!(differs_in(&older("AROAEXAMPLE000000009:i-1"), &truth).as_deref(), Some("principal"));
    }
}
