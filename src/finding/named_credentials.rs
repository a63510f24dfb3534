//! The AWS credentials that a finding in Security Hub names: access keys, and sessions of roles.

use super::fields::{Fields, Wrong, text_at};
use super::principal::{Principal, UserType, named_in_arn};
use super::undecodable::place;
use crate::ident::AccountId;
use serde_json::Value;

/// Maximum number of credentials that are taken from a finding. Security Hub allows 32 resources in ASFF.
const MOST: usize = 100;

/// Credentials, and the account that they belong to.
#[derive(Debug, Clone, PartialEq)]
pub(super) struct Credentials {
    pub account: AccountId,
    pub principal: Principal,
}

/// What was found, and what is wrong with something that looks like it.
pub(super) type Found = Result<Credentials, Wrong>;

/// Those of a finding in ASFF, which is about `account`.
pub(super) fn in_asff(finding: &Value, account: &AccountId) -> Vec<Found> {
    let mut all = Vec::new();
    for (path, resource) in each(finding, "Resources") {
        let id = text_at(resource, "Id").unwrap_or_default();
        let found = match text_at(resource, "Type").unwrap_or_default() {
            "AwsIamAccessKey" => key_in_asff(resource, id, account).map(Some),
            _ => Ok(role_in(id)),
        };
        add(&mut all, &path, found);
    }
    unique(&all)
}

/// Those of a finding in OCSF, which is about `account`.
pub(super) fn in_ocsf(finding: &Value, account: &AccountId) -> Vec<Found> {
    let mut all = Vec::new();
    for (path, resource) in each(finding, "resources") {
        let id = text_at(resource, "uid").unwrap_or_default();
        let found = match text_at(resource, "type").unwrap_or_default() {
            "AWS::IAM::AccessKey" | "AwsIamAccessKey" => key_in_ocsf(resource, id, account).map(Some),
            _ => Ok(role_in(id)),
        };
        add(&mut all, &path, found);
    }
    add(&mut all, "actor", actor(finding.get("actor"), account));
    for (path, evidence) in each(finding, "evidences") {
        add(&mut all, &place(&path, "actor"), actor(evidence.get("actor"), account));
    }
    unique(&all)
}

/// The items of a list, each with its path.
fn each<'a>(finding: &'a Value, list: &str) -> impl Iterator<Item = (String, &'a Value)> {
    let items = finding.get(list).and_then(Value::as_array).into_iter().flatten();
    items.enumerate().map(move |(number, item)| (format!("{list}[{number}]"), item))
}

fn add(all: &mut Vec<Found>, path: &str, found: Result<Option<Credentials>, Wrong>) {
    match found {
        Ok(None) => {}
        Ok(Some(credentials)) => all.push(Ok(credentials)),
        Err((field, error)) => all.push(Err((place(path, &field), error))),
    }
}

/// The same ones once. A role without a session or a key is left out where one of its sessions is there.
fn unique(all: &[Found]) -> Vec<Found> {
    let mut kept: Vec<Found> = Vec::new();
    let is_role_only = |one: &Credentials| {
        one.principal.user_type.is_role()
            && one.principal.access_key_id.is_none()
            && one.principal.session_name().is_none()
    };
    let same_role = |one: &Credentials, other: &Credentials| {
        one.account == other.account
            && one.principal.user_name == other.principal.user_name
            && other.principal.user_type.is_role()
    };
    for (number, found) in all.iter().enumerate() {
        let is_said = match found {
            Ok(one) if is_role_only(one) => all.iter().enumerate().any(|(at, other)| match other {
                Ok(other) => same_role(one, other) && (!is_role_only(other) || at < number),
                Err(_) => false,
            }),
            found => kept.contains(found),
        };
        if !is_said {
            kept.push(found.clone());
        }
    }
    kept.truncate(MOST);
    kept
}

/// A role, or a session of one, by its ARN.
fn role_in(arn: &str) -> Option<Credentials> {
    if let Some((account, name)) = named_in_arn(arn, "role") {
        return Some(of_role(account, name, UserType::Role));
    }
    let (account, name) = session_in(arn)?;
    Some(of_role(account, name, UserType::AssumedRole))
}

fn of_role(account: AccountId, name: String, user_type: UserType) -> Credentials {
    let principal = Principal { user_type, user_name: Some(name), principal_id: None, access_key_id: None };
    Credentials { account, principal }
}

/// Account and role in `arn:aws:sts::ACCOUNT:assumed-role/ROLE/SESSION`.
fn session_in(arn: &str) -> Option<(AccountId, String)> {
    let (role, _) = arn.rsplit_once('/')?;
    named_in_arn(role, "assumed-role").filter(|_| arn.contains(":sts:"))
}

/// An access key in ASFF. Older findings have a user's name only.
fn key_in_asff(resource: &Value, id: &str, account: &AccountId) -> Result<Credentials, Wrong> {
    const DETAILS: &str = "Details.AwsIamAccessKey";
    let fields = Fields::of(resource);
    if !fields.is_object(DETAILS)? {
        return Ok(bare_key(id, None, account));
    }
    let text = |name: &str| fields.exact(&format!("{DETAILS}.{name}"));
    let key = match text("AccessKeyId")? {
        Some(key) => Some(key),
        None => key_in(id),
    };
    let issuer = |name: &str| text_at(resource, &format!("{DETAILS}.SessionContext.SessionIssuer.{name}"));
    let role = issuer("Arn").and_then(|arn| named_in_arn(arn, "role"));
    let owner = match &role {
        Some((owner, _)) => Some(owner.clone()),
        None => fields.account(&format!("{DETAILS}.AccountId"))?,
    };
    let named = match text("PrincipalName")? {
        Some(name) => Some(name),
        None => text("UserName")?,
    };
    let id = text("PrincipalId")?;
    let user_type =
        kind_of(text("PrincipalType")?, id.as_deref(), key.as_deref(), issuer("Type") == Some("Role"));
    let role_name = role.map(|(_, name)| name).or_else(|| issuer("UserName").map(str::to_owned));
    let user_name = role_name.filter(|_| user_type.is_role()).or(named);
    let principal = Principal { user_type, user_name, principal_id: id, access_key_id: key };
    Ok(Credentials { account: owner.unwrap_or_else(|| account.clone()), principal })
}

/// An access key in OCSF.
fn key_in_ocsf(resource: &Value, id: &str, account: &AccountId) -> Result<Credentials, Wrong> {
    let fields = Fields::of(resource);
    let owner = match fields.account("owner.account.uid")? {
        Some(owner) => owner,
        None => account.clone(),
    };
    if !fields.is_object("data")? {
        return Ok(bare_key(id, text_at(resource, "user.name"), &owner));
    }
    let text = |name: &str| fields.exact(&format!("data.{name}"));
    let key = match text("access_key_id")? {
        Some(key) => Some(key),
        None => key_in(id),
    };
    let principal_id = text("principal_id")?;
    let user_type = kind_of(text("user_type")?, principal_id.as_deref(), key.as_deref(), false);
    let user_name = match text("user_name")? {
        Some(name) => Some(name),
        None => text_at(resource, "user.name").map(str::to_owned),
    };
    Ok(Credentials {
        account: owner,
        principal: Principal { user_type, user_name, principal_id, access_key_id: key },
    })
}

/// Who acted, in OCSF: only where credentials are named.
fn actor(actor: Option<&Value>, account: &AccountId) -> Result<Option<Credentials>, Wrong> {
    let Some(actor) = actor.filter(|actor| actor.is_object()) else { return Ok(None) };
    let fields = Fields::of(actor);
    if !fields.is_object("user")? {
        return Ok(None);
    }
    let (uid, key) = (fields.exact("user.uid")?, fields.exact("user.credential_uid")?);
    let arn = [uid.as_deref(), text_at(actor, "user.uid_alt"), text_at(actor, "session.issuer")];
    let role = arn.into_iter().flatten().find_map(role_in);
    let id = [uid.as_deref(), text_at(actor, "user.uid_alt")]
        .into_iter()
        .flatten()
        .find(|id| !id.starts_with("arn:"));
    let says = fields.exact("user.type")?;
    if role.is_none() && key.is_none() {
        return Ok(None);
    }
    let user_type = kind_of(says, id, key.as_deref(), role.is_some());
    let role = role.filter(|_| user_type.may_be_role());
    let account = match &role {
        Some(role) => role.account.clone(),
        None => fields.account("user.account.uid")?.unwrap_or_else(|| account.clone()),
    };
    let user_name = match role {
        Some(role) => role.principal.user_name,
        None => fields.exact("user.name")?,
    };
    let principal =
        Principal { user_type, user_name, principal_id: id.map(str::to_owned), access_key_id: key };
    Ok(Some(Credentials { account, principal }))
}

/// A key of which nothing more is known.
fn bare_key(id: &str, user: Option<&str>, account: &AccountId) -> Credentials {
    let key = key_in(id);
    let named = named_in_arn(id, "user");
    let account = named.as_ref().map_or(account, |(owner, _)| owner).clone();
    let user_name = named.map(|(_, name)| name).or_else(|| user.map(str::to_owned));
    let user_type = if user_name.is_some() { UserType::IamUser } else { UserType::Unknown };
    Credentials {
        account,
        principal: Principal { user_type, user_name, principal_id: None, access_key_id: key },
    }
}

/// The key in `AWS::IAM::AccessKey:AKIA…`, `arn:aws:iam::111122223333:access-key/AKIA…` or `AKIA…`.
fn key_in(id: &str) -> Option<String> {
    let key = id.rsplit([':', '/']).next()?;
    let is_key = (16..=128).contains(&key.len())
        && ["AKIA", "ASIA"].iter().any(|start| key.starts_with(start))
        && key.bytes().all(|byte| byte.is_ascii_uppercase() || byte.is_ascii_digit());
    is_key.then(|| key.to_owned())
}

/// The kind of identity: as it says, or else by what its id and its key are.
fn kind_of(says: Option<String>, id: Option<&str>, key: Option<&str>, has_role: bool) -> UserType {
    let said = UserType::from(says.unwrap_or_default());
    if !matches!(said, UserType::Unknown) {
        return said;
    }
    let starts = |text: Option<&str>, with: &str| text.is_some_and(|text| text.starts_with(with));
    if has_role || starts(id, "AROA") {
        UserType::AssumedRole
    } else if starts(id, "AIDA") || starts(key, "AKIA") {
        UserType::IamUser
    } else {
        said
    }
}
