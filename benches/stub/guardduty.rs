//! Amazon GuardDuty: a detector in each region.

use super::call::Call;
use super::findings::{Findings, TYPE, detector};
use super::http::Message;
use super::identity::HUB;
use super::json::{Json, listed, quoted};
use super::listener::locked;
use super::reply::{json, json_error};
use super::world::World;

/// More findings than these are another page.
const PAGE: usize = 50;

pub fn answer(world: &World, call: &Call, request: &Message) -> Message {
    let known = world.regions.contains(&call.region);
    if call.operation == "ListDetectors" {
        let ids = known.then(|| quoted(&detector(&call.region)));
        return json(format!(r#"{{"detectorIds":{}}}"#, listed(ids)));
    }
    if !known || request.target().split('/').nth(2) != Some(&detector(&call.region)) {
        return bad("the input detectorId is not owned by the current account.");
    }
    match call.operation.as_str() {
        "GetDetector" => {
            return json(
                r#"{"status":"ENABLED","findingPublishingFrequency":"FIFTEEN_MINUTES","serviceRole":"arn:aws:iam::111111111111:role/aws-service-role/guardduty"}"#,
            );
        }
        "ListMembers" => return members(world, request.target()),
        _ => {}
    }
    let body = Json::read(&request.body);
    let findings = locked(&world.findings);
    match call.operation.as_str() {
        "ListFindings" => list(&findings, &call.region, &body),
        "GetFindings" => get(&findings, &call.region, &body),
        _ => bad("the stub has no such operation."),
    }
}

/// A page of the members, which are all accounts but the hub's. The token is the number of the first one.
fn members(world: &World, target: &str) -> Message {
    let query = target.split_once('?').map_or("", |(_, query)| query);
    let token = query.split('&').find_map(|pair| pair.strip_prefix("nextToken="));
    let Ok(start) = token.unwrap_or("1").parse::<usize>() else {
        return bad("the parameter nextToken has an invalid value.");
    };
    let end = (start + PAGE).min(world.accounts());
    let member = |index| {
        let (id, name) = world.account(index);
        format!(
            r#"{{"accountId":"{id}","masterId":"{HUB}","administratorId":"{HUB}","email":"{name}@example.com","relationshipStatus":"Enabled","updatedAt":"2026-01-01T00:00:00.000Z"}}"#
        )
    };
    let next = if end < world.accounts() { end.to_string() } else { String::new() };
    json(format!(r#"{{"members":{},"nextToken":"{next}"}}"#, listed((start..end).map(member))))
}

fn bad(reason: &str) -> Message {
    json_error(400, "BadRequestException", &format!("The request is rejected because {reason}"))
}

/// A page of ids, oldest update first. The token is the place of the next finding in the list.
fn list(findings: &Findings, region: &str, body: &Json) -> Message {
    let criteria = body.get("findingCriteria").get("criterion");
    let all = findings.in_region(region);
    let token = body.get("nextToken").text().filter(|token| !token.is_empty());
    let start = match token.map(str::parse) {
        Some(Ok(start)) => start,
        Some(Err(_)) => return bad("the parameter nextToken has an invalid value."),
        None => {
            let since = since(criteria.get("updatedAt"));
            all.partition_point(|finding| finding.updated_at < since)
        }
    };
    let size = body.get("maxResults").number().and_then(|n| usize::try_from(n).ok());
    let end = start.saturating_add(size.unwrap_or(PAGE).clamp(1, PAGE)).min(all.len());
    if !is_asked_for(criteria.get("type"), TYPE) || !is_asked_for(criteria.get("service.archived"), "false") {
        return json(r#"{"findingIds":[],"nextToken":""}"#);
    }
    let next = if end < all.len() { end.to_string() } else { String::new() };
    let page = all.get(start..end).unwrap_or_default();
    let ids = listed(page.iter().map(|finding| quoted(&finding.id)));
    json(format!(r#"{{"findingIds":{ids},"nextToken":"{next}"}}"#))
}

fn since(condition: &Json) -> i64 {
    let names = ["greaterThanOrEqual", "gte"];
    names.iter().find_map(|name| condition.get(name).number()).unwrap_or(0)
}

/// The condition is about something else, or names this value.
fn is_asked_for(condition: &Json, value: &str) -> bool {
    let mut lists =
        ["equals", "eq"].iter().map(|name| condition.get(name)).filter(|list| **list != Json::Null);
    let is_new = condition.get("notEquals").texts().all(|text| text != value);
    is_new && lists.all(|list| list.texts().any(|text| text == value))
}

fn get(findings: &Findings, region: &str, body: &Json) -> Message {
    let ids: Vec<&str> = body.get("findingIds").texts().collect();
    if ids.len() > PAGE {
        return bad("an invalid or out-of-range value is specified as an input parameter.");
    }
    let found = ids.into_iter().filter_map(|id| findings.get(id)).filter(|(have, _)| *have == region);
    json(format!(r#"{{"findings":{}}}"#, listed(found.map(|(_, finding)| finding.document.clone()))))
}
