//! Alerts about what a feed brings, or does not.

use crate::alert::Alert;
use crate::finding::{Finding, Unconfirmed, Undecodable};
use crate::remediation::{AlertCode, Origin};
use jiff::Timestamp;
use std::path::Path;
use std::time::Duration;

/// What was claimed is not so. One alert for all: who forges can name any account.
pub(super) fn unconfirmed(origin: &Origin, claim: &Finding, why: &Unconfirmed) -> Alert {
    let (id, finding_type, account) = (&claim.id, &claim.finding_type, &claim.account);
    let text = format!(
        "{origin} brought a finding {id} ({finding_type} in {account}) that GuardDuty does not confirm; nothing was done: {why}"
    );
    let what_to_do = match why {
        Unconfirmed::RegionNotWatched => "Add the region to `regions`, or keep its events from the queue.",
        _ => {
            "Find out who can write to it: somebody may try to have roles revoked. `rescind list --decisions` lists what came. \
             A finding that GuardDuty does have is found by the next poll."
        }
    };
    let code = match why {
        Unconfirmed::NotFound => AlertCode::UnconfirmedNotFound,
        Unconfirmed::RefusedId { .. } => AlertCode::UnconfirmedRefusedId,
        Unconfirmed::RegionNotWatched => AlertCode::UnconfirmedRegionNotWatched,
        Unconfirmed::Differs { .. } => AlertCode::UnconfirmedDiffers,
    };
    Alert::of_service(code, text, what_to_do)
}

/// Something came that cannot be read: it may be a theft, or a feed that brings nothing.
pub(super) fn unreadable(origin: &Origin, what: &Undecodable) -> Alert {
    let text = format!("{origin} brought something that is not a readable finding: {what}");
    let what_to_do = "Look at what it is: a theft may be in it, or the feed brings nothing else. `rescind list --decisions` lists \
         what came; the polls find what GuardDuty has.";
    Alert::of_service(AlertCode::Unreadable, text, what_to_do)
}

/// So many messages are no findings that nothing is received for so long.
pub(super) fn queue_flooded(name: &str, pause: Duration) -> Alert {
    let text = format!(
        "{name} is flooded with messages that are not new findings of GuardDuty: nothing is received from it for {} min; polls continue",
        pause.as_secs().div_ceil(60)
    );
    let what_to_do = "Find out who writes to the queue and stop them; purge it. After a restart it is received from again.";
    Alert::of_service(AlertCode::QueueFlooded, text, what_to_do)
}

/// The same of the files in a folder.
pub(super) fn folder_flooded(path: &Path, pause: Duration) -> Alert {
    let text = format!(
        "the folder {} is flooded with items that are not findings of GuardDuty: nothing is read from it for {} min; polls continue",
        path.display(),
        pause.as_secs().div_ceil(60)
    );
    let what_to_do = "Find out who writes there, and take it out. After a restart it is read again.";
    Alert::of_service(AlertCode::FolderFlooded, text, what_to_do)
}

/// A file waits for long.
pub(super) fn folder_late(path: &Path, since: Timestamp) -> Alert {
    let text = format!(
        "a file in the folder {} waits to be read since {}",
        path.display(),
        since.strftime("%Y-%m-%d %H:%M:%SZ")
    );
    let what_to_do = "`rescind status` and the service's log say why: it goes on being written, cannot be read, GuardDuty does not \
         answer about it, or others are before it. The polls go on.";
    Alert::of_service(AlertCode::FolderLate, text, what_to_do)
}

/// A file, or the rest of it, is not read.
pub(super) fn file_refused(origin: &Origin, error: &str) -> Alert {
    let what_to_do = "Find out who put it there, and take it out. Findings that GuardDuty does have are found by the polls.";
    Alert::of_service(AlertCode::FileRefused, format!("{origin}: {error}"), what_to_do)
}
