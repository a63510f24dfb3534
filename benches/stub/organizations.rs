//! AWS Organizations and AWS Account Management: a flat organization without tags.

use super::call::Call;
use super::http::Message;
use super::identity::{HUB, MANAGEMENT};
use super::json::{Json, listed, quoted};
use super::reply::{json, json_error};
use super::world::World;

/// More accounts than these are another page.
const PAGE: usize = 20;

pub fn answer(world: &World, call: &Call, request: &Message) -> Message {
    let body = Json::read(&request.body);
    match call.operation.as_str() {
        "DescribeOrganization" => json(organization()),
        "ListAccounts" => accounts(world, &body),
        "ListDelegatedAdministrators" => {
            let more = r#","DelegationEnabledDate":1704067200.0"#;
            json(format!(r#"{{"DelegatedAdministrators":[{}]}}"#, account(HUB, "security", more)))
        }
        "ListParents" => json(r#"{"Parents":[{"Id":"r-stub","Type":"ROOT"}]}"#),
        // Without service control policies.
        "ListPolicies" => json(r#"{"Policies":[]}"#),
        "ListTagsForResource" => json(r#"{"Tags":[]}"#),
        "DescribeOrganizationalUnit" => {
            let id = quoted(body.get("OrganizationalUnitId").text().unwrap_or_default());
            json(format!(r#"{{"OrganizationalUnit":{{"Id":{id},"Name":{id}}}}}"#))
        }
        "ListRegions" => {
            let region = |name: &String| {
                format!(r#"{{"RegionName":{},"RegionOptStatus":"ENABLED_BY_DEFAULT"}}"#, quoted(name))
            };
            json(format!(r#"{{"Regions":{}}}"#, listed(world.regions.iter().map(region))))
        }
        other => json_error(400, "UnknownOperationException", &format!("the stub has no {other}")),
    }
}

fn organization() -> String {
    format!(
        r#"{{"Organization":{{"Id":"o-stub123456","Arn":"arn:aws:organizations::{MANAGEMENT}:organization/o-stub123456","FeatureSet":"ALL","MasterAccountArn":"arn:aws:organizations::{MANAGEMENT}:account/o-stub123456/{MANAGEMENT}","MasterAccountId":"{MANAGEMENT}","MasterAccountEmail":"management@example.com"}}}}"#
    )
}

/// A page of accounts. The token is the number of the first one.
fn accounts(world: &World, body: &Json) -> Message {
    let token = body.get("NextToken").text().unwrap_or("0");
    let Ok(start) = token.parse::<usize>() else {
        return json_error(400, "InvalidInputException", "You provided an invalid next token.");
    };
    let size = body.get("MaxResults").number().and_then(|n| usize::try_from(n).ok());
    let size = size.unwrap_or(PAGE).clamp(1, PAGE);
    let end = (start + size).min(world.accounts());
    let page = (start..end).map(|index| world.account(index)).map(|(id, name)| account(&id, &name, ""));
    let next = match end {
        end if end < world.accounts() => format!(r#","NextToken":"{end}""#),
        _ => String::new(),
    };
    json(format!(r#"{{"Accounts":{}{next}}}"#, listed(page)))
}

fn account(id: &str, name: &str, more: &str) -> String {
    format!(
        r#"{{"Id":"{id}","Arn":"arn:aws:organizations::{MANAGEMENT}:account/o-stub123456/{id}","Email":"{name}@example.com","Name":"{name}","Status":"ACTIVE","State":"ACTIVE","JoinedMethod":"CREATED","JoinedTimestamp":1704067200.0{more}}}"#
    )
}
