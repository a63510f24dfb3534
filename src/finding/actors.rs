//! The actors of an attack sequence: each has credentials of its own.
//!
//! `AttackSequence:…` findings have no `accessKeyDetails`. Whose credentials were used stands in
//! `service.detection.sequence.actors` (GuardDuty API Reference, "Actor", "User", "Session").

use super::wire::{Text, is_sample, place, text};
use super::{Decoded, Finding, Principal, Undecodable, UserType};
use crate::ident::AccountId;
use serde::Deserialize;
use serde_json::Value;
use std::collections::HashSet;

/// So many actors of a sequence are told apart. The API Reference allows 400.
const MOST_ACTORS: usize = 100;

/// Where they stand in a finding.
const ACTORS: &str = "service.detection.sequence.actors";

#[derive(Deserialize)]
struct WireActor {
    user: Option<WireUser>,
    session: Option<WireSession>,
}

#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
struct WireUser {
    name: Option<Text>,
    uid: Option<Text>,
    #[serde(rename = "type")]
    user_type: Option<Text>,
    credential_uid: Option<Text>,
    account: Option<WireAccount>,
}

#[derive(Deserialize)]
struct WireAccount {
    uid: Option<AccountId>,
}

#[derive(Deserialize)]
struct WireSession {
    /// Whole: the role's name stands at its end.
    issuer: Option<String>,
}

/// The actors of a finding in camelCase, if it is one of a sequence.
pub(super) fn of(finding: &Value) -> Option<&Vec<Value>> {
    finding.get("service")?.get("detection")?.get("sequence")?.get("actors")?.as_array()
}

/// A finding for each actor that used credentials, the same ones once; and what is wrong with an actor
/// as an item of its own. Without any such actor it is the finding as it came, about nobody.
pub(super) fn split(whole: Finding, actors: &[Value], path: &str) -> Vec<Decoded> {
    let (mut all, mut known) = (Vec::new(), HashSet::new());
    for (number, actor) in actors.iter().enumerate() {
        let item = match read(actor) {
            // A process, for example.
            Ok(WireActor { user: None, .. }) => continue,
            Ok(WireActor { user: Some(user), session }) => Ok(user.into_finding(session, &whole)),
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
    if !all.iter().any(Result::is_ok) {
        all.insert(0, Ok(whole));
    }
    all
}

/// An actor; or the path of the field that is wrong with it, and why.
fn read(actor: &Value) -> Result<WireActor, (String, String)> {
    serde_path_to_error::deserialize(actor)
        .map_err(|error| (error.path().to_string(), error.into_inner().to_string()))
}

impl WireUser {
    fn into_finding(self, session: Option<WireSession>, whole: &Finding) -> Finding {
        let user_type = UserType::from(text(self.user_type).unwrap_or_default());
        let issuer = session.and_then(|session| session.issuer).filter(|_| user_type.is_role());
        let (owner, role) = issuer.as_deref().and_then(role_of).unzip();
        // The user's account is that of the activity, "not necessarily the account that owns the user
        // identity" (API Reference, "User"): a role is where its ARN says.
        let account = owner.or_else(|| self.account.and_then(|account| account.uid));
        let principal = Principal {
            user_type,
            user_name: text(role.map(|name| name.to_owned().into()).or(self.name)),
            principal_id: text(self.uid),
            access_key_id: text(self.credential_uid),
        };
        let mut finding = Finding { actor: true, ..whole.clone() };
        finding.account = account.unwrap_or_else(|| whole.account.clone());
        finding.sample |= is_sample(None, Some(&principal), None);
        finding.evidence.instance_id = whole.evidence.instance_id.clone().or_else(|| principal.instance_id());
        finding.principal = Some(principal);
        finding
    }
}

/// The account and the name of the role that an ARN names: `arn:aws:iam::111122223333:role/path/name`.
fn role_of(arn: &str) -> Option<(AccountId, &str)> {
    let parts: Vec<&str> = arn.splitn(6, ':').collect();
    let ["arn", _, "iam", "", account, resource] = parts[..] else { return None };
    let name = resource.strip_prefix("role/")?.rsplit('/').next().filter(|name| !name.is_empty())?;
    Some((account.parse().ok()?, name))
}

/// What is wrong with a field of the finding that stood at `path`. It is the same fault wherever the
/// finding stands, and another one in another finding, or of another actor.
fn broken(path: &str, field: &str, error: String, whole: &Finding) -> Undecodable {
    Undecodable {
        path: place(path, field),
        error,
        finding_id: Some(whole.id.clone()),
        sha256: crate::digest::sha256(format!("{} {field}", whole.sha256).as_bytes()),
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
