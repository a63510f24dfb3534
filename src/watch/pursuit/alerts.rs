//! What needs attention while a thief is pursued.

use super::key::PursuedKey;
use super::list::NotFollowed;
use crate::alert::Alert;
use crate::plural::counted;
use crate::remediation::{AlertCode, RegionUnread, Remediation};
use crate::trail::{Activity, Meaning};

/// The doors that a thief opened, or the eyes that he closed: said at once, each time that there are new ones.
pub(super) fn doors_found(root: &Remediation, incident: &str, new: &[&Activity]) -> Option<Alert> {
    let is_door =
        |one: &&&Activity| one.worked() && matches!(one.meaning, Meaning::Persists | Meaning::Blinds);
    let doors: Vec<&&Activity> = new.iter().filter(is_door).collect();
    let first = doors.first()?;
    let said = |one: &Activity| {
        let outside = if one.outside.is_empty() {
            String::new()
        } else {
            format!(", open to {}", one.outside.join(" "))
        };
        format!("{} {} ({}{outside})", one.thing, one.object.as_deref().unwrap_or("without a name"), one.call)
    };
    let more = match doors.len() {
        1 => String::new(),
        count => format!(", and {} more", count - 1),
    };
    let text = format!("the credentials of {} made {}{more}", root.principal(), said(first));
    let what_to_do = format!(
        "`rescind incident show {incident}` has the commands to look at each and to take it away. Nothing denies it, unless `contain` says so."
    );
    Some(Alert::about(AlertCode::DoorFound, root, text, what_to_do))
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
pub(super) fn not_followed(root: &Remediation, keys: &[(String, NotFollowed)]) -> Option<Alert> {
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
