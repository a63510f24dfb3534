//! What needs attention while a thief is pursued.

use super::key::PursuedKey;
use super::list::NotFollowed;
use crate::alert::Alert;
use crate::plural::counted;
use crate::remediation::{AlertCode, RegionUnread, Remediation};
use crate::trail::{Activity, Meaning};

/// The doors that a thief opened, the eyes that he closed, and the sessions that have no remediation of their own: said at
/// once, each time that there are new ones.
pub(super) fn doors_found(root: &Remediation, incident: &str, doors: &[&Activity]) -> Option<Alert> {
    let first = doors.first()?;
    let said = |one: &Activity| {
        let outside = if one.outside.is_empty() {
            String::new()
        } else {
            format!(", open to {}", one.outside.join(" "))
        };
        let object = one.object.as_deref().unwrap_or("without a name");
        let from = one.source_ip.as_deref().map_or_else(String::new, |from| format!(" from {from}"));
        format!("{} {object} ({}{from}{outside})", one.thing, one.call)
    };
    let more = match doors.len() {
        1 => String::new(),
        count => format!(", and {} more", count - 1),
    };
    let did = match first.meaning {
        Meaning::OpensSession => "opened",
        Meaning::Blinds => "turned off or changed",
        Meaning::Persists | Meaning::Takes => "made",
    };
    let text = format!("the credentials of {} {did} {}{more}", root.principal(), said(first));
    let what_to_do = format!(
        "`rescind incident show {incident}` has the commands to look at each and to take it away. Nothing denies it, unless `contain` says so."
    );
    Some(Alert::about(AlertCode::DoorFound, root, text, what_to_do))
}

/// Calls that opened or made something and that nobody recorded one by one.
pub(super) fn lost(root: &Remediation, key: &PursuedKey, count: u64) -> Option<Alert> {
    let count = usize::try_from(count).ok().filter(|count| *count > 0)?;
    let text = format!(
        "{} with {} that opened or made something are not recorded one by one: there are more than 1,000",
        counted(count, "call"),
        key.id.access_key
    );
    let what_to_do = "Look in CloudTrail for all calls of this key, and revoke by hand what they opened.";
    Some(Alert::about(AlertCode::PursuitLimit, root, text, what_to_do))
}

/// A region in which the thief may have been, and nobody can see it.
pub(super) fn unreadable(root: &Remediation, key: &PursuedKey, unread: &RegionUnread) -> Alert {
    let text = format!(
        "CloudTrail of account {} in {} cannot be read: what {} did there with {} is not known: {}",
        key.id.account,
        unread.region,
        root.principal(),
        key.id.access_key,
        unread.error
    );
    Alert::about(AlertCode::PursuitUnreadable, root, text, unread.what_to_do.clone())
}

/// Keys that the thief holds and that are not followed.
pub(super) fn not_followed(root: &Remediation, keys: &[(&str, NotFollowed)]) -> Option<Alert> {
    let (first, why) = keys.first()?;
    let why = match why {
        NotFollowed::Depth => "they are more than 5 principals away from the stolen credentials",
        NotFollowed::Width => "100 keys that came from them are followed already",
    };
    let text = format!(
        "{} that the thief opened are not followed, {first} first: {why}",
        counted(keys.len(), "key")
    );
    let what_to_do = "Look in CloudTrail for the calls of these keys, and revoke by hand what they opened. If roles assume each other in a \
         loop, break it: deny one of them sts:AssumeRole.";
    Some(Alert::about(AlertCode::PursuitLimit, root, text, what_to_do))
}
