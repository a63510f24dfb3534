//! Finds in CloudTrail what stolen credentials made elsewhere: roles, users, keys and sessions.
//!
//! What was made is followed in its own account: a session by its name, a user by its name, for a few steps. Another
//! account's trail is not read.

use crate::aws::{Lookup, MemberSession, TrailEvent};
use crate::ident::Region;
use crate::remediation::{CallError, Offspring, OffspringKind, Target};
use futures::StreamExt;
use jiff::{SignedDuration, Timestamp};
use std::collections::hash_map::Entry;
use std::collections::{HashMap, HashSet};

/// CloudTrail's times are whole seconds.
const SECOND: SignedDuration = SignedDuration::from_secs(1);

/// Maximum number of regions that are asked concurrently: LookupEvents is limited for each region on its own.
const AT_ONCE: usize = 8;

/// Maximum number of pages of 50 calls that are read of one key or name in one region.
pub(super) const PAGES: usize = 10;

/// Maximum number of sessions and users whose own calls are read.
const MOST_FOLLOWED: usize = 6;

/// Maximum number of things that are recorded of one remediation.
pub(super) const MOST: usize = 100;

/// Where to look, and from when on.
#[derive(Clone, Copy)]
pub(super) struct Search<'a> {
    pub session: &'a MemberSession,
    pub target: &'a Target,
    pub regions: &'a [Region],
    pub since: Timestamp,
}

/// Calls by one key or name, in all regions.
pub(super) struct Calls {
    pub all: Vec<TrailEvent>,
    /// From here on none is missing.
    complete_from: Timestamp,
}

/// What was found, oldest first; and whether that is all.
pub(super) struct Made {
    pub all: Vec<Offspring>,
    pub is_all: bool,
}

/// A session or a user that was made, and how its own calls are found.
enum Followed {
    /// By the name that CloudTrail has for it, as far as they are by this ARN.
    Name(String, String),
    /// By its key: its name is also that of the stolen session.
    Key(String),
}

impl Calls {
    pub fn is_complete_from(&self, since: Timestamp) -> bool {
        self.complete_from <= since
    }
}

impl Search<'_> {
    /// What was made by these calls of the stolen keys, and by what they made.
    pub async fn follow(&self, stolen: &[&Calls]) -> Made {
        let own: HashSet<&str> =
            stolen.iter().flat_map(|calls| &calls.all).filter_map(|call| call.who.as_deref()).collect();
        let mut made = Made { all: Vec::new(), is_all: true };
        for calls in stolen {
            made.is_all &= calls.is_complete_from(self.since);
            made.take(calls.all.iter());
        }
        let (mut read, mut known): (HashMap<String, Calls>, HashSet<String>) = Default::default();
        let mut next = 0;
        while let Some(one) = made.all.get(next) {
            next += 1;
            let Some(lead) = self.lead(one, &own).filter(|lead| known.insert(lead.id().to_owned())) else {
                continue;
            };
            let (lookup, count) = (lead.lookup(), read.len());
            let calls = match read.entry(lookup.value().to_owned()) {
                Entry::Occupied(calls) => calls.into_mut(),
                Entry::Vacant(_) if count >= MOST_FOLLOWED => {
                    made.is_all = false;
                    break;
                }
                Entry::Vacant(place) => match self.calls(lookup, PAGES).await {
                    Ok(calls) => place.insert(calls),
                    Err(error) => {
                        tracing::warn!("what was made with stolen credentials is not known: {error}");
                        made.is_all = false;
                        break;
                    }
                },
            };
            made.is_all &= calls.is_complete_from(self.since);
            made.take(calls.all.iter().filter(|call| lead.is_by(call)));
        }
        made.all.sort_by_key(|one| one.at);
        made
    }

    /// How the calls of what was made are found; none when they are in another account, or it makes none by itself.
    fn lead(&self, made: &Offspring, own: &HashSet<&str>) -> Option<Followed> {
        let mut parts = made.name.splitn(6, ':').skip(4);
        let (account, rest) = (parts.next()?, parts.next()?);
        let name = || Followed::Name(rest.rsplit('/').next().unwrap_or(rest).to_owned(), made.name.clone());
        match made.kind {
            _ if account != self.target.account.as_str() => None,
            OffspringKind::Session if own.contains(made.name.as_str()) => {
                made.access_key.clone().map(Followed::Key)
            }
            OffspringKind::User | OffspringKind::Session => Some(name()),
            _ => None,
        }
    }

    /// The calls by a key or a name since a time, in all regions.
    pub async fn calls(&self, lookup: Lookup<'_>, pages: usize) -> Result<Calls, CallError> {
        let regions = futures::stream::iter(self.regions.to_vec());
        let each = regions.map(async |region| self.session.events(&region, lookup, self.since, pages).await);
        // To their end also when one fails: the calls are recorded with what came of them.
        let listed: Vec<_> = each.buffer_unordered(AT_ONCE).collect().await;
        let mut calls = Calls { all: Vec::new(), complete_from: self.since };
        for page in listed {
            let page = page?;
            // The newest come first, and what was not read is as old as the last one or older.
            let oldest = page.items.last().filter(|_| page.unreadable == 0).map(|call| call.time);
            if page.cut_short || page.unreadable > 0 {
                let after = oldest.map(|at| at.saturating_add(SECOND).unwrap_or(Timestamp::MAX));
                calls.complete_from = calls.complete_from.max(after.unwrap_or(Timestamp::MAX));
            }
            calls.all.extend(page.items.into_iter().filter(|call| call.time >= self.since));
        }
        Ok(calls)
    }
}

impl Followed {
    fn lookup(&self) -> Lookup<'_> {
        match self {
            Self::Name(name, _) => Lookup::Username(name),
            Self::Key(key) => Lookup::AccessKey(key),
        }
    }

    fn id(&self) -> &str {
        match self {
            Self::Name(_, id) | Self::Key(id) => id,
        }
    }

    /// Others may have the same name.
    fn is_by(&self, call: &TrailEvent) -> bool {
        match self {
            Self::Name(_, arn) => call.who.as_ref() == Some(arn),
            Self::Key(_) => true,
        }
    }
}

impl Made {
    /// Adds what these calls made and is not known yet. Of many sessions by one name the first one stands.
    fn take<'a>(&mut self, calls: impl Iterator<Item = &'a TrailEvent>) {
        let mut new: Vec<Offspring> = calls.filter_map(made_by).collect();
        new.sort_by_key(|one| one.at);
        for one in new {
            if !self.all.iter().any(|other| other.is_same(&one)) {
                self.all.push(one);
            }
        }
    }
}

/// What a call made; none when it made nothing, or failed.
fn made_by(call: &TrailEvent) -> Option<Offspring> {
    if call.error_code.is_some() {
        return None;
    }
    let kind = match call.event.as_str() {
        "iam:CreateRole" => OffspringKind::Role,
        "iam:CreateUser" => OffspringKind::User,
        "iam:CreateAccessKey" => OffspringKind::AccessKey,
        "iam:CreateLoginProfile" => OffspringKind::LoginProfile,
        "sts:AssumeRole" | "sts:GetSessionToken" | "sts:GetFederationToken" => OffspringKind::Session,
        "signin:GetSigninToken" => OffspringKind::Console,
        _ => return None,
    };
    // Without a name it is the caller's own.
    let named = match kind {
        OffspringKind::Role => call.role.as_ref(),
        OffspringKind::User | OffspringKind::AccessKey | OffspringKind::LoginProfile => call.user.as_ref(),
        OffspringKind::Session | OffspringKind::Console => None,
    };
    let name = call.made_arn.as_ref().or(named).or(call.who.as_ref())?;
    Some(Offspring {
        kind,
        name: name.clone(),
        access_key: call.made_key.clone(),
        call: call.event.clone(),
        at: call.time,
        by: call.access_key.clone(),
        source_ip: call.source_ip.clone(),
        region: call.region.clone(),
        event: call.id.clone(),
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    const WEB: &str = "arn:aws:sts::111122223333:assumed-role/web/i-1";

    fn call(event: &str, second: i64) -> TrailEvent {
        TrailEvent {
            id: format!("{event}-{second}"),
            time: Timestamp::from_second(second).expect("in range"),
            event: event.to_owned(),
            error_code: None,
            source_ip: None,
            who: Some(WEB.to_owned()),
            access_key: Some("ASIAEXAMPLEEXAMPLE01".to_owned()),
            role: None,
            user: None,
            policy: None,
            region: None,
            made_arn: None,
            made_key: None,
        }
    }

    #[test]
    fn a_call_that_failed_or_changes_something_else_made_nothing() {
        let denied = TrailEvent { error_code: Some("AccessDenied".to_owned()), ..call("iam:CreateRole", 1) };
        assert_eq!(made_by(&denied), None);
        assert_eq!(made_by(&call("iam:PutRolePolicy", 1)), None);
    }

    #[test]
    fn what_was_made_has_its_arn_or_its_name_or_is_the_callers_own() {
        let name = |call: &TrailEvent| made_by(call).expect("made").name;
        let user = TrailEvent { user: Some("eve".to_owned()), ..call("iam:CreateAccessKey", 1) };
        assert_eq!(name(&user), "eve");
        assert_eq!(name(&TrailEvent { made_arn: Some("an ARN".to_owned()), ..user }), "an ARN");
        assert_eq!(name(&call("sts:GetSessionToken", 1)), WEB);
        assert_eq!(name(&call("signin:GetSigninToken", 1)), WEB);
    }

    #[test]
    fn many_sessions_by_one_name_are_one_and_each_key_is_its_own() {
        let session = |second| TrailEvent {
            made_arn: Some("arn:aws:sts::111122223333:assumed-role/web/app".to_owned()),
            made_key: Some(format!("ASIA{second}")),
            ..call("sts:AssumeRole", second)
        };
        let key = |second| TrailEvent {
            user: Some("eve".to_owned()),
            made_key: Some(format!("AKIA{second}")),
            ..call("iam:CreateAccessKey", second)
        };
        let mut made = Made { all: Vec::new(), is_all: true };
        made.take([session(3), session(1), key(4), session(2), key(5)].iter());
        made.take([key(5), session(6)].iter());
        let keys: Vec<&str> = made.all.iter().filter_map(|one| one.access_key.as_deref()).collect();
        assert_eq!(keys, ["ASIA1", "AKIA4", "AKIA5"]);
    }
}
