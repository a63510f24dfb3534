//! Finds who set a tag of a role or user, in CloudTrail.

use crate::aws::{Lookup, MemberSession};
use crate::remediation::{Remediation, Who};
use crate::trail::TrailEvent;
use jiff::Timestamp;

/// Maximum number of pages of 50 calls that are read of one operation.
const PAGES: usize = 20;

/// What CloudTrail shows of a tag.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum TagHistory {
    /// Nobody is seen to have set it in this time.
    Quiet,
    /// It was set in this time: by whom, from where and when.
    Set(String),
    /// It could not be read, or not all of it: why.
    Unread(String),
}

/// Who set the tag `key` of the principal since `since`, last.
pub(super) async fn find(
    remediation: &Remediation,
    session: &MemberSession,
    key: &str,
    since: Timestamp,
) -> TagHistory {
    let target = &remediation.target;
    let operations = match target.who {
        Who::User { .. } => ["TagUser", "CreateUser"],
        _ => ["TagRole", "CreateRole"],
    };
    let Ok(region) = target.partition.main_region().parse() else {
        return TagHistory::Unread("the region of IAM's calls is not known".to_owned());
    };
    let mut last: Option<TrailEvent> = None;
    let mut unread = None;
    for operation in operations {
        match session.events(&region, Lookup::EventName(operation), since, PAGES).await {
            Ok(listed) => {
                // Nobody tags a thousand roles in an hour but to hide who tagged this one.
                if listed.cut_short {
                    return TagHistory::Set(format!(
                        "more calls of {operation} than can be read were made in this time: somebody may hide who set it"
                    ));
                }
                if listed.unreadable > 0 {
                    unread = Some(format!("not all calls of {operation} could be read in CloudTrail"));
                }
                let sets = listed.items.into_iter().filter(|event| is_set_by(remediation, event, key));
                last = sets.chain(last).max_by_key(|event| event.time);
            }
            Err(error) => unread = Some(format!("CloudTrail cannot be read: {error}")),
        }
    }
    match (last, unread) {
        // One that is seen is enough.
        (Some(event), _) => TagHistory::Set(described(&event, key)),
        (None, Some(why)) => TagHistory::Unread(why),
        (None, None) => TagHistory::Quiet,
    }
}

/// The call set the tag of this principal.
fn is_set_by(remediation: &Remediation, event: &TrailEvent, key: &str) -> bool {
    let named = match &remediation.target.who {
        Who::Role { role, .. } => event.role.as_deref().map(|there| (there, role.as_str())),
        Who::User { user, .. } => event.user.as_deref().map(|there| (there, user.as_str())),
        Who::Root { .. } | Who::Federated { .. } | Who::Unsupported { .. } => None,
    };
    event.error_code.is_none()
        && named.is_some_and(|(there, name)| there.eq_ignore_ascii_case(name))
        && event.tags.keys().any(|there| there.eq_ignore_ascii_case(key))
}

fn described(event: &TrailEvent, key: &str) -> String {
    let who = event.who.as_deref().unwrap_or("a principal that CloudTrail does not name");
    let from = event.source_ip.as_deref().unwrap_or("an unknown address");
    let with = event.access_key.as_deref().map_or_else(String::new, |key| format!(" with the key {key}"));
    let value = event.tags.iter().find(|(there, _)| there.eq_ignore_ascii_case(key)).map(|(_, value)| value);
    let value = value.map_or_else(String::new, |value| crate::ident::quoted(value));
    let at = event.time.strftime("%Y-%m-%d %H:%M:%SZ");
    format!("{} = {value} by {who}{with} from {from} at {at}", event.event)
}
