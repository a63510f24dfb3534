//! What a thief opened and made, as findings that are decided about like any other.

use super::key::{KeyId, PursuedKey, principal_of};
use crate::config::Contain;
use crate::finding::{Cause, Derived, DerivedKind, Evidence, Finding, Link, Principal, UserType};
use crate::ident::{AccountId, Region};
use crate::trail::{Activity, Thing};
use jiff::{SignedDuration, Timestamp};

/// What the findings that follow from a key's calls have in common.
pub(super) struct Origins<'a> {
    pub incident: &'a str,
    /// The remediation of the stolen credentials.
    pub root: &'a str,
    /// The rule that led to the remediation of the stolen credentials.
    pub rule: Option<&'a str>,
    /// The addresses at which the thief was seen.
    pub addresses: &'a [String],
    /// What of that which was made is denied as well.
    pub contains: &'a (dyn Fn(Contain) -> bool + Sync),
    /// The region of a record that names none.
    pub home: &'a Region,
}

/// The session of a role, as its ARN names it: `arn:aws:sts::ACCOUNT:assumed-role/ROLE/SESSION`.
struct SessionArn<'a> {
    account: AccountId,
    role: &'a str,
}

impl<'a> SessionArn<'a> {
    fn of(arn: &'a str) -> Option<Self> {
        let mut parts = arn.splitn(6, ':').skip(4);
        let (account, resource) = (parts.next()?.parse().ok()?, parts.next()?);
        let (role, _) = resource.strip_prefix("assumed-role/")?.split_once('/')?;
        Some(Self { account, role })
    }
}

/// The credentials of `key` as a link of the chain to what they made.
fn link(key: &PursuedKey, activity: &Activity) -> Link {
    Link {
        account: key.id.account.clone(),
        principal: activity.who.clone().unwrap_or_else(|| key.id.access_key.to_string()),
        access_key: key.id.access_key.to_string(),
    }
}

/// The way to what a call of this key opened or made.
pub(super) fn chain(key: &PursuedKey, activity: &Activity) -> Vec<Link> {
    key.chain.iter().cloned().chain([link(key, activity)]).collect()
}

/// The key that a call gave, to be read as well.
pub(super) fn opened(key: &PursuedKey, activity: &Activity, addresses: &[String]) -> Option<PursuedKey> {
    let opened = activity.opened.as_ref().filter(|_| activity.worked())?;
    let is_key =
        |key: &str| (16..=128).contains(&key.len()) && key.bytes().all(|b| b.is_ascii_alphanumeric());
    if !is_key(&opened.access_key) {
        return None;
    }
    let role = opened.arn.as_deref().and_then(SessionArn::of);
    // Root's session is one of the account that it is root of.
    let account = opened.arn.as_deref().and_then(|arn| arn.split(':').nth(4)?.parse().ok());
    let account = account.unwrap_or_else(|| key.id.account.clone());
    let id = KeyId { account, access_key: opened.access_key.as_str().into() };
    Some(PursuedKey {
        chain: chain(key, activity),
        expires: opened.expires,
        is_users: role.is_none(),
        elsewhere: elsewhere(key, activity, addresses),
        roots: key.roots.clone(),
        ..PursuedKey::new(id, "", activity.at)
    })
}

/// The address of a call, when it is none of those at which the thief was seen. Only the stolen credentials have a
/// legitimate user beside the thief: what was opened with them is the thief's, wherever he uses it.
fn elsewhere(key: &PursuedKey, activity: &Activity, addresses: &[String]) -> Option<String> {
    if !key.chain.is_empty() {
        return key.elsewhere.clone();
    }
    let address = activity.source_ip.as_deref().unwrap_or("an address that CloudTrail does not have");
    (!addresses.iter().any(|known| known == address)).then(|| address.to_owned())
}

/// The finding about what a call of this key opened or made; none when it needs no remediation of its own.
pub(super) fn finding(key: &PursuedKey, activity: &Activity, origins: &Origins<'_>) -> Option<Finding> {
    if !activity.worked() {
        return None;
    }
    let opened = activity.opened.as_ref();
    let access_key_id = opened.map(|opened| opened.access_key.clone());
    let name = || named(activity);
    let (what, account, principal) = match activity.thing {
        Thing::RoleSession => {
            let arn = SessionArn::of(opened?.arn.as_deref()?)?;
            let principal = Principal {
                user_type: UserType::AssumedRole,
                user_name: Some(arn.role.to_owned()),
                principal_id: opened?.principal_id.clone(),
                access_key_id,
            };
            (DerivedKind::Session, arn.account.clone(), principal)
        }
        // One that was deactivated and works again is named in the call, and not in the answer.
        Thing::AccessKey if (origins.contains)(Contain::Keys) => {
            let access_key_id = Some(access_key_id.or_else(|| activity.names.get("key").cloned())?);
            (DerivedKind::AccessKey, key.id.account.clone(), user(name()?, access_key_id))
        }
        Thing::User if (origins.contains)(Contain::Users) => {
            (DerivedKind::User, key.id.account.clone(), user(name()?, None))
        }
        Thing::Role if (origins.contains)(Contain::Roles) => {
            let principal = Principal {
                user_type: UserType::Role,
                user_name: Some(name()?),
                principal_id: None,
                access_key_id: None,
            };
            (DerivedKind::Role, key.id.account.clone(), principal)
        }
        _ => return None,
    };
    let derived = Derived {
        what,
        incident: origins.incident.to_owned(),
        from: origins.root.to_owned(),
        rule: origins.rule.map(str::to_owned),
        call: activity.call.clone(),
        event: activity.call_id().to_owned(),
        chain: chain(key, activity),
        expires: (what == DerivedKind::Session).then(|| end_of(activity)),
        renames: what == DerivedKind::Session && renames(key, activity),
        elsewhere: elsewhere(key, activity, origins.addresses),
    };
    Some(made(activity, derived, account, principal, origins.home))
}

/// Whether the role was on the way to this session already, under another name of its session.
fn renames(key: &PursuedKey, activity: &Activity) -> bool {
    let arn = activity.opened.as_ref().and_then(|opened| opened.arn.as_deref()).unwrap_or_default();
    chain(key, activity)
        .iter()
        .any(|link| link.principal != arn && principal_of(&link.principal) == principal_of(arn))
}

/// The end of a session; the latest that there can be, when the record does not say it.
fn end_of(activity: &Activity) -> Timestamp {
    let longest = activity.at.saturating_add(SignedDuration::from_hours(12)).unwrap_or(Timestamp::MAX);
    activity.opened.as_ref().and_then(|opened| opened.expires).map_or(longest, |end| end.min(longest))
}

fn user(name: String, access_key_id: Option<String>) -> Principal {
    Principal { user_type: UserType::IamUser, user_name: Some(name), principal_id: None, access_key_id }
}

/// The bare name of what a call is about: what follows the last slash of its ARN. A user who makes a key for himself
/// does not name himself.
fn named(activity: &Activity) -> Option<String> {
    let in_record = match activity.thing {
        Thing::AccessKey | Thing::User => activity.names.get("user"),
        _ => activity.names.get("role"),
    };
    if let Some(name) = in_record.filter(|name| !name.contains(['/', ':'])) {
        return Some(name.clone());
    }
    let is_key = activity.thing == Thing::AccessKey;
    let object = activity.object.as_deref().filter(|_| !is_key).or(activity.who.as_deref())?;
    let name = object.rsplit('/').next().filter(|name| !name.is_empty() && !name.contains(':'))?;
    Some(name.to_owned())
}

fn made(
    activity: &Activity,
    derived: Derived,
    account: AccountId,
    principal: Principal,
    home: &Region,
) -> Finding {
    let kind = derived.what.finding_type();
    let region = activity.region.as_deref().and_then(|region| region.parse().ok());
    Finding {
        id: derived.what.id_of(&derived.event),
        account,
        region: region.unwrap_or_else(|| home.clone()),
        finding_type: kind.to_owned(),
        severity: None,
        title: Some(format!(
            "{}: {} {} with stolen credentials",
            activity.call,
            activity.thing,
            if derived.what == DerivedKind::Session { "opened" } else { "made" }
        )),
        created_at: Some(activity.at),
        updated_at_text: activity.at.to_string(),
        updated_at: activity.at,
        principal: Some(principal),
        evidence: Evidence {
            first_seen: Some(activity.at),
            last_seen: Some(activity.at),
            count: Some(1),
            api: Some(activity.call.clone()),
            remote_ip: activity.source_ip.clone(),
            ..Evidence::default()
        },
        archived: false,
        sample: false,
        sha256: derived.what.sha256_of(&derived.event),
        detail: None,
        actor: false,
        inferred: None,
        notes: Vec::new(),
        pointer: false,
        cause: Cause::Pursuit(Box::new(derived)),
    }
}
