//! What the calls of a thief mean: a table, one row for each call or for few that mean the same.

mod automation;
mod blinds_findings;
mod blinds_logs;
mod containers;
mod copies;
mod credentials;
mod functions;
mod identities;
mod instances;
mod organization;
mod policies;
mod providers;
mod resources;
mod row;
mod secrets;
mod sessions;
mod shares;

use super::outside::Outside;
use super::read;
use super::{Activity, TrailEvent};
use row::Row;
use serde_json::Value;

/// The whole table.
pub(super) fn table() -> impl Iterator<Item = &'static Row> {
    let parts: [&'static [Row]; 16] = [
        sessions::ROWS,
        credentials::ROWS,
        identities::ROWS,
        policies::ROWS,
        providers::ROWS,
        functions::ROWS,
        automation::ROWS,
        instances::ROWS,
        containers::ROWS,
        resources::ROWS,
        shares::ROWS,
        organization::ROWS,
        blinds_logs::ROWS,
        blinds_findings::ROWS,
        secrets::ROWS,
        copies::ROWS,
    ];
    parts.into_iter().flatten()
}

/// The row that an activity came from.
pub(super) fn row_of(activity: &Activity) -> Option<&'static Row> {
    table().find(|row| {
        row.calls.contains(&activity.call.as_str())
            && (row.meaning, row.thing) == (activity.meaning, activity.thing)
    })
}

/// What the call of a record means; none when it only looks.
pub(super) fn activity(record: &Value, event: &TrailEvent) -> Option<Activity> {
    let call = without_version(&event.event);
    let row = table().find(|row| row.calls.contains(&call) && row.when.is_none_or(|when| when(record)))?;
    let mut activity = Activity::of(event, row.meaning, row.thing);
    call.clone_into(&mut activity.call);
    activity.account = read::text_at(record, "/recipientAccountId").and_then(|id| id.parse().ok());
    activity.shared_event = read::text_at(record, "/sharedEventID");
    if sessions::login_failed(record) {
        activity.error_code.get_or_insert_with(|| "Failed authentication".to_owned());
    }
    activity.object = read::text(record, row.object);
    for (name, paths) in row.names {
        if let Some(text) = read::text(record, paths) {
            activity.names.insert((*name).to_owned(), text);
        }
    }
    activity.outside = outside(record, row, &activity);
    if activity.worked() {
        activity.opened = row.opens.and_then(|opens| sessions::opened(record, opens));
    }
    Some(activity)
}

fn outside(record: &Value, row: &Row, activity: &Activity) -> Vec<String> {
    let mut outside = Outside::of(activity.account.as_ref().map(crate::ident::AccountId::as_str));
    for document in row.documents.iter().flat_map(|path| read::all(record, path)) {
        outside.document(document);
    }
    let owners = read::texts(record, "in.AccessControlPolicy.Owner.ID");
    let is_owner = |principal: &String| {
        owners.contains(principal)
            || principal.starts_with("bucket-owner-")
            || ["private", "aws-exec-read", "log-delivery-write", "AWS_IAM"].contains(&principal.as_str())
    };
    let principals = row.principals.iter().flat_map(|path| read::texts(record, path));
    for principal in principals.filter(|principal| !is_owner(principal)) {
        match principal.strip_prefix("http://acs.amazonaws.com/groups/global/").map_or(&*principal, |_| "all")
        {
            // By an attribute or a list; by a canned list; by a function's address without authentication.
            "all" | "public-read" | "public-read-write" | "authenticated-read" | "NONE" => {
                outside.principal("*");
            }
            url if url.starts_with("https://") => outside.url(url),
            principal => outside.principal(principal),
        }
    }
    outside.into_found()
}

/// A call without the version that CloudTrail writes behind some operations of Lambda: `UpdateFunctionCode20150331v2`.
fn without_version(call: &str) -> &str {
    let digit = |c: char| c.is_ascii_digit();
    let versions = call.trim_end_matches(digit);
    let dated = match versions.strip_suffix('v') {
        Some(dated) if versions.len() < call.len() && dated.ends_with(digit) => dated,
        _ => call,
    };
    let plain = dated.trim_end_matches(digit);
    if dated.len() - plain.len() == 8 { plain } else { call }
}
