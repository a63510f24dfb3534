//! AWS STS: everybody may enter every account of the organization.

use super::call::{Call, field, form};
use super::civil;
use super::http::Message;
use super::identity::{HUB, account_of, role_id};
use super::reply::{escaped, xml, xml_error};
use super::world::World;
use std::sync::atomic::Ordering;

const NAMESPACE: &str = "https://sts.amazonaws.com/doc/2011-06-15/";

pub fn answer(world: &World, call: &Call, request: &Message) -> Message {
    let form = form(&request.body);
    match call.operation.as_str() {
        "GetCallerIdentity" => identity(&call.access_key),
        "AssumeRole" => assume(world, &form),
        other => xml_error(400, "InvalidAction", &format!("the stub has no sts:{other}")),
    }
}

fn identity(access_key: &str) -> Message {
    let account = account_of(access_key);
    let role = if account == HUB { "RescindHub" } else { "RescindRemediation" };
    let id = role_id(account, role);
    let result = format!(
        "<Arn>arn:aws:sts::{account}:assumed-role/{role}/stub</Arn><UserId>{id}:stub</UserId>\
         <Account>{account}</Account>"
    );
    xml(NAMESPACE, "GetCallerIdentity", &result)
}

fn assume(world: &World, form: &[(String, String)]) -> Message {
    let arn = field(form, "RoleArn");
    let account = arn.split(':').nth(4).unwrap_or_default();
    let role = arn.rsplit('/').next().unwrap_or_default();
    if !world.has_account(account) {
        return xml_error(403, "AccessDenied", &format!("not authorized to perform sts:AssumeRole on {arn}"));
    }
    let seconds: i64 = field(form, "DurationSeconds").parse().unwrap_or(3600);
    let expiration = civil::iso_seconds(civil::now() + seconds * 1000);
    let number = world.sessions.fetch_add(1, Ordering::Relaxed) % 10_000;
    let (role, session) = (escaped(role), escaped(field(form, "RoleSessionName")));
    let id = role_id(account, &role);
    let source = field(form, "SourceIdentity");
    let source = match source {
        "" => String::new(),
        name => format!("<SourceIdentity>{}</SourceIdentity>", escaped(name)),
    };
    let result = format!(
        "<Credentials><AccessKeyId>ASIA{account}{number:04}</AccessKeyId>\
         <SecretAccessKey>stub</SecretAccessKey><SessionToken>stub</SessionToken>\
         <Expiration>{expiration}</Expiration></Credentials>\
         <AssumedRoleUser><AssumedRoleId>{id}:{session}</AssumedRoleId>\
         <Arn>arn:aws:sts::{account}:assumed-role/{role}/{session}</Arn></AssumedRoleUser>\
         <PackedPolicySize>10</PackedPolicySize>{source}"
    );
    xml(NAMESPACE, "AssumeRole", &result)
}
