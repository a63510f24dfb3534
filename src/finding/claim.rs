//! Compares what an event or an export claims with what GuardDuty says.

use super::occurrence::Finding;
use super::principal::Principal;
use crate::ident::AccountId;
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
        /// AWS's message about the refused request.
        message: String,
    },
    /// Its region is not watched, so GuardDuty is not asked there.
    RegionNotWatched,
    /// The finding is about something else than the claim.
    Differs {
        /// In what: `account`, `type` or `principal`.
        field: String,
        /// The value in the event or the export.
        claimed: String,
        /// The value in GuardDuty's own finding.
        truth: String,
    },
}

impl Unconfirmed {
    /// The reason's name in the ledger.
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

/// Maximum difference between two spellings of the same time.
const SAME: SignedDuration = SignedDuration::from_secs(1);

/// Whether `truth` is what `claim` speaks of.
///
/// GuardDuty writes repeated activity into the same finding, so of a claim that is older than the
/// truth the session and the key may be others; the account, the type and the role never are. A claim
/// that is newer cannot be distinguished from a forged one until GuardDuty has it, too.
///
/// # Errors
/// In what it differs.
pub fn confirm(claim: &Finding, truth: &Finding) -> Result<Confirmed, Unconfirmed> {
    if claim.pointer {
        return pointed(claim, truth);
    }
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

/// A pointer says whose finding it is, and nothing of what is decided about. The actors of a sequence have
/// accounts of their own.
fn pointed(claim: &Finding, truth: &Finding) -> Result<Confirmed, Unconfirmed> {
    if !truth.actor && claim.account != truth.account {
        let (claimed, truth) = (claim.account.to_string(), truth.account.to_string());
        return Err(Unconfirmed::Differs { field: "account".to_owned(), claimed, truth });
    }
    let is_ahead = claim.updated_at.duration_since(truth.updated_at) >= SAME;
    Ok(if is_ahead { Confirmed::NotYet(None) } else { Confirmed::Yes })
}

/// The same for all that GuardDuty has under the claim's id: one finding, or one for each actor of a
/// sequence. Gives the one that is about the claimed actor, its account and its principal. None when
/// GuardDuty has nothing.
///
/// A later update of a sequence can bring another actor, so one that GuardDuty does not have is waited
/// for when the claim is newer.
pub fn confirm_among<'a>(
    claim: &Finding,
    truths: &[&'a Finding],
) -> Option<Result<(&'a Finding, Confirmed), Unconfirmed>> {
    let first = *truths.first()?;
    let confirmed_by = |truth: &'a Finding| Some(confirm(claim, truth).map(|confirmed| (truth, confirmed)));
    if claim.pointer || !claim.actor && !first.actor {
        return confirmed_by(first);
    }
    let same: Vec<&'a Finding> =
        truths.iter().copied().filter(|truth| actor(truth) == actor(claim)).collect();
    if let Some(truth) = same.iter().find(|truth| key(truth) == key(claim)).or(same.first()) {
        return confirmed_by(truth);
    }
    let nearest = truths.iter().copied().find(|truth| truth.account == claim.account).unwrap_or(first);
    let of_type = |finding: &Finding| finding.finding_type.clone();
    let (field, part): (_, fn(&Finding) -> String) = match nearest {
        truth if truth.account != claim.account => ("account", |finding| finding.account.to_string()),
        truth if of_type(truth) != of_type(claim) => ("type", of_type),
        _ => ("principal", |finding| who(finding.principal.as_ref(), true)),
    };
    let why = Unconfirmed::Differs { field: field.to_owned(), claimed: part(claim), truth: part(nearest) };
    let is_ahead = claim.updated_at.duration_since(nearest.updated_at) >= SAME;
    if is_ahead && of_type(claim) == of_type(nearest) {
        return Some(Ok((nearest, Confirmed::NotYet(Some(why)))));
    }
    Some(Err(why))
}

/// What distinguishes an actor of a sequence from the others.
fn actor(finding: &Finding) -> (&AccountId, Option<&str>) {
    let principal = finding.principal.as_ref();
    let id = principal.and_then(|one| one.principal_id.as_deref().or(one.user_name.as_deref()));
    (&finding.account, id)
}

/// The id of the access key in a finding.
fn key(finding: &Finding) -> Option<&str> {
    finding.principal.as_ref()?.access_key_id.as_deref()
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

    /// The actors of a sequence: account, principal id and key of each.
    fn sequence(updated: &str, actors: &[(&str, &str, &str)]) -> Vec<Finding> {
        let actors: Vec<Value> = actors
            .iter()
            .map(|(account, id, key)| {
                json!({"id": id, "user": {"name": "web", "uid": id, "type": "AssumedRole", "credentialUid": key,
                    "account": {"uid": account}}})
            })
            .collect();
        let finding = json!({
            "accountId": "222222222222", "id": "s1", "region": "eu-central-1", "updatedAt": updated,
            "type": "AttackSequence:IAM/CompromisedCredentials",
            "service": {"detection": {"sequence": {"actors": actors}}},
        });
        decode(finding.to_string().as_bytes()).into_iter().collect::<Result<_, _>>().expect("findings")
    }

    const THEN: &str = "2026-11-22T10:00:00.000Z";
    const SHOP: (&str, &str, &str) = ("222222222222", "AROAEXAMPLE000000001:i-1", "ASIAEXAMPLE000000001");
    const KEY: (&str, &str, &str) = ("222222222222", "AROAEXAMPLE000000001:i-1", "ASIAEXAMPLE000000002");
    const JOB: (&str, &str, &str) = ("222222222222", "AROAEXAMPLE000000001:job", "ASIAEXAMPLE000000001");
    const BANK: (&str, &str, &str) = ("333333333333", "AROAEXAMPLE000000001:i-1", "ASIAEXAMPLE000000001");

    #[test]
    fn each_actor_of_a_sequence_is_confirmed_by_what_is_said_of_it() {
        let truths = sequence(THEN, &[SHOP, KEY, JOB, BANK]);
        let all: Vec<&Finding> = truths.iter().collect();
        for claim in &truths {
            assert_eq!(confirm_among(claim, &all), Some(Ok((claim, Confirmed::Yes))));
        }
        assert_eq!(confirm_among(&truths[0], &[]), None);
        // A newer one with another key is not confirmed by the old one; an older one is.
        let newer = &sequence("2026-11-22T11:00:00.000Z", &[KEY])[0];
        assert!(matches!(
            confirm_among(newer, &all[..1]),
            Some(Ok((_, Confirmed::NotYet(Some(Unconfirmed::Differs { .. })))))
        ));
        let older = &sequence("2026-11-22T09:00:00.000Z", &[KEY])[0];
        assert_eq!(confirm_among(older, &all[..1]), Some(Ok((all[0], Confirmed::Yes))));
    }

    #[test]
    fn a_pointer_is_confirmed_by_whatever_the_finding_says() {
        let truth = finding(|_| ());
        let pointer = |account: &str, minutes: i64| Finding {
            account: account.parse().expect("an account"),
            finding_type: "whatever".to_owned(),
            principal: None,
            updated_at: truth.updated_at + jiff::SignedDuration::from_mins(minutes),
            pointer: true,
            ..truth.clone()
        };
        assert_eq!(confirm(&pointer("222222222222", 0), &truth), Ok(Confirmed::Yes));
        assert_eq!(confirm(&pointer("222222222222", -9), &truth), Ok(Confirmed::Yes));
        assert_eq!(confirm(&pointer("222222222222", 9), &truth), Ok(Confirmed::NotYet(None)));
        assert_eq!(differs_in(&pointer("333333333333", 0), &truth).as_deref(), Some("account"));
        // The actor's own account may be another.
        let actors = sequence(THEN, &[BANK]);
        let one = confirm_among(&pointer("222222222222", 0), &[&actors[0]]);
        assert_eq!(one, Some(Ok((&actors[0], Confirmed::Yes))));
    }

    #[test]
    fn an_actor_that_a_sequence_does_not_have_differs_or_may_be_yet_to_come() {
        let truths =
            sequence(THEN, &[JOB, ("444444444444", "AROAEXAMPLE000000004:x", "ASIAEXAMPLE000000004")]);
        let all: Vec<&Finding> = truths.iter().collect();
        let nobody = sequence(THEN, &[]);
        for (claimed, field) in [(SHOP, "principal"), (BANK, "account")] {
            for (time, waits) in
                [("2026-11-22T09:00:00.000Z", false), (THEN, false), ("2026-11-22T10:00:02.000Z", true)]
            {
                let claim = &sequence(time, &[claimed])[0];
                let (why, is_waited_for) = match confirm_among(claim, &all).expect("some") {
                    Ok((_, Confirmed::NotYet(Some(why)))) => (why, true),
                    Err(why) => (why, false),
                    Ok(other) => panic!("{other:?}"),
                };
                assert!(matches!(&why, Unconfirmed::Differs { field: f, .. } if f == field), "{why}");
                assert_eq!(is_waited_for, waits, "{why}");
                // Nor does one confirm it that names nobody yet.
                let by_nobody = confirm_among(claim, &[&nobody[0]]).expect("some");
                assert_eq!(by_nobody.is_ok(), waits, "{by_nobody:?}");
            }
        }
        // Of another type it never was.
        let claim = Finding { finding_type: "Recon:IAMUser/TorIPCaller".to_owned(), ..truths[0].clone() };
        assert!(confirm_among(&claim, &all).expect("some").is_err());
        let none = Finding { principal: None, actor: false, ..claim };
        assert!(confirm_among(&none, &all).expect("some").is_err());
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
