//! The actors of an attack sequence: each has credentials of its own.
//!
//! `AttackSequence:…` findings have no `accessKeyDetails`. Whose credentials were used stands in
//! `service.detection.sequence.actors` (GuardDuty API Reference, "Actor", "User", "Session").

use super::candidates;
use super::fields::{Fields, Wrong};
use super::occurrence::{Decoded, Finding};
use super::principal::{Principal, UserType, named_in_arn};
use super::undecodable::{Undecodable, kind, place};
use serde_json::Value;
use std::collections::HashSet;

/// Maximum number of actors of a sequence that are distinguished. The API Reference allows 400.
const MOST_ACTORS: usize = 100;

/// Path of the attacked resources in a finding.
const RESOURCES: &str = "service.detection.sequence.resources";

/// Path of the actors in a finding.
const ACTORS: &str = "service.detection.sequence.actors";

/// A finding for each actor that used credentials, the same ones once, and for each principal that the attacked resources
/// lead to; and what is wrong with an actor as an item of its own. Without any of these it is the finding as it came, about
/// nobody. `finding` has its keys in camelCase.
pub(super) fn split(whole: Finding, finding: &Value, path: &str) -> Vec<Decoded> {
    let actors = finding.pointer("/service/detection/sequence/actors").and_then(Value::as_array);
    let actors = actors.map(Vec::as_slice).unwrap_or_default();
    let (mut all, mut known) = (Vec::new(), HashSet::new());
    for (number, actor) in actors.iter().enumerate() {
        let item = match read(actor, &whole) {
            // A process, for example.
            Ok(None) => continue,
            Ok(Some(finding)) => Ok(finding),
            Err((inner, error)) => {
                let field = place(&format!("{ACTORS}[{number}]"), &inner);
                Err(broken(path, &field, error, &whole))
            }
        };
        if item.as_ref().is_ok_and(|finding| !known.insert(finding.occurrence())) {
            continue;
        }
        if all.len() == MOST_ACTORS {
            let error = format!("more than {MOST_ACTORS} actors: the first {MOST_ACTORS} are taken");
            all.push(Err(broken(path, ACTORS, error, &whole)));
            break;
        }
        all.push(item);
    }
    let named: Vec<&Finding> = all.iter().flatten().collect();
    // What was done with credentials names them.
    if named.is_empty() || !is_about_keys(&whole.finding_type) {
        let room = MOST_ACTORS.saturating_sub(named.len());
        let candidates = candidates::of(finding, &whole, &named);
        let is_too_many = candidates.len() > room;
        all.extend(candidates.into_iter().take(room).map(Ok));
        if is_too_many {
            let error = format!(
                "more than {MOST_ACTORS} principals follow from what was attacked: the first {MOST_ACTORS} are taken"
            );
            all.push(Err(broken(path, RESOURCES, error, &whole)));
        }
    }
    if !all.iter().any(Result::is_ok) {
        let inferred = Some(candidates::unknown(finding));
        all.insert(0, Ok(Finding { inferred, ..whole }));
    }
    all
}

fn is_about_keys(kind: &str) -> bool {
    ["AttackSequence:IAM/", "AttackSequence:S3/"].iter().any(|about| kind.starts_with(about))
}

/// The finding about one actor; none when it used no credentials.
fn read(actor: &Value, whole: &Finding) -> Result<Option<Finding>, Wrong> {
    if !actor.is_object() {
        return Err((String::new(), format!("expected an object, found {}", kind(actor))));
    }
    let mut fields = Fields::of(actor);
    if !fields.is_object("user")? {
        return Ok(None);
    }
    let user_type = UserType::from(fields.exact("user.type")?.unwrap_or_default());
    let principal_id = fields.exact("user.uid")?;
    // Of a role the issuer of the session is the role, by its ARN.
    let issuer = fields.value("session.issuer").and_then(Value::as_str).filter(|_| user_type.may_be_role());
    let (owner, role) = issuer.and_then(|arn| named_in_arn(arn, "role")).unzip();
    // The user's account is that of the activity, "not necessarily the account that owns the user
    // identity" (API Reference, "User"): a role is where its ARN says.
    let account = match owner {
        Some(owner) => Some(owner),
        None => fields.account("user.account.uid")?,
    };
    let principal = Principal {
        user_type,
        user_name: match role {
            Some(role) => Some(role),
            None => fields.exact("user.name")?,
        },
        principal_id,
        access_key_id: fields.exact("user.credentialUid")?,
    };
    let mut finding = Finding { actor: true, ..whole.clone() };
    finding.account = account.unwrap_or_else(|| whole.account.clone());
    finding.evidence.instance_id = whole.evidence.instance_id.clone().or_else(|| principal.instance_id());
    finding.principal = Some(principal);
    finding.notes.extend(fields.into_notes());
    Ok(Some(finding))
}

/// What is wrong with a field of the finding that stood at `path`. It is the same fault wherever the
/// finding stands, and another one in another finding, or of another actor.
fn broken(path: &str, field: &str, error: String, whole: &Finding) -> Undecodable {
    Undecodable {
        path: place(path, field),
        error,
        finding_id: Some(whole.id.clone()),
        sha256: crate::digest::sha256(format!("{} {field}", whole.sha256).as_bytes()),
        foreign: None,
    }
}

/// Whether these are the actors of one finding, and what is wrong with some of them.
#[must_use]
pub fn is_one_sequence(decoded: &[Decoded]) -> bool {
    let Some(first) = decoded.iter().flatten().next().filter(|first| first.actor) else { return false };
    decoded.len() <= MOST_ACTORS + 1
        && decoded.iter().all(|item| match item {
            Ok(finding) => finding.actor && finding.id == first.id,
            Err(undecodable) => undecodable.finding_id.as_ref() == Some(&first.id),
        })
}

#[cfg(test)]
mod tests;
