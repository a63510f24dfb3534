//! Calls that open a session, and what they opened.

use super::row::{Opens, Row, row};
use crate::trail::Meaning::OpensSession;
use crate::trail::read::text_at;
use crate::trail::{Opened, Thing, read};
use jiff::Timestamp;
use jiff::civil::DateTime;
use serde_json::Value;

pub(super) const ROWS: &[Row] = &[
    row(
        &["sts:AssumeRole", "sts:AssumeRoleWithSAML", "sts:AssumeRoleWithWebIdentity"],
        OpensSession,
        Thing::RoleSession,
    )
    .object(&["out.assumedRoleUser.arn", "in.roleArn"])
    .names(&[("role", &["in.roleArn"]), ("session", &["in.roleSessionName"])])
    .opens(Opens::AssumedRole)
    .source("STS API Reference, AssumeRole; ATT&CK T1550.001; Stratus Red Team's record of AssumeRole"),
    row(&["sts:AssumeRoot"], OpensSession, Thing::RootSession)
        .object(&["in.targetPrincipal"])
        .names(&[("account", &["in.targetPrincipal"]), ("task_policy", &["in.taskPolicyArn.arn"])])
        .opens(Opens::Root)
        .source("IAM User Guide, Track privileged tasks in AWS CloudTrail; ATT&CK T1548.005"),
    row(&["sts:GetSessionToken"], OpensSession, Thing::UserSession)
        .object(&["who.arn"])
        .opens(Opens::SameUser)
        .source(
            "STS API Reference, GetSessionToken; ATT&CK T1550.001; SigmaHQ aws_sts_getsessiontoken_misuse",
        ),
    row(&["sts:GetFederationToken"], OpensSession, Thing::FederatedSession)
        .object(&["out.federatedUser.arn", "in.name"])
        .names(&[("session", &["in.name"])])
        .opens(Opens::FederatedUser)
        .source(
            "hackingthe.cloud, Survive Access Key Deletion with sts:GetFederationToken; Stratus Red Team",
        ),
    row(
        &["signin:GetSigninToken", "signin:ConsoleLogin", "signin:SwitchRole", "signin:CreateOAuth2Token"],
        OpensSession,
        Thing::ConsoleSession,
    )
    .object(&["who.arn"])
    .source(
        "CloudTrail User Guide, Console sign-in events; hackingthe.cloud, Create a Console Session; T1550",
    ),
];

/// The credentials that a call gave.
pub(super) fn opened(record: &Value, opens: Opens) -> Option<Opened> {
    let text = |pointer: &str| text_at(record, pointer);
    let access_key = match opens {
        Opens::UserKey => text("/responseElements/accessKey/accessKeyId"),
        _ => text("/responseElements/credentials/accessKeyId"),
    }?;
    let (arn, principal_id) = match opens {
        Opens::AssumedRole => (
            text("/responseElements/assumedRoleUser/arn"),
            text("/responseElements/assumedRoleUser/assumedRoleId"),
        ),
        Opens::FederatedUser => (
            text("/responseElements/federatedUser/arn"),
            text("/responseElements/federatedUser/federatedUserId"),
        ),
        Opens::SameUser => (text("/userIdentity/arn"), text("/userIdentity/principalId")),
        Opens::Root => root(record),
        Opens::UserKey => (user_arn(record), None),
    };
    let expires = text("/responseElements/credentials/expiration").and_then(|text| time(&text));
    Some(Opened { access_key, arn, principal_id, expires })
}

/// AssumeRoot takes an account's id or the ARN of its root user.
fn root(record: &Value) -> (Option<String>, Option<String>) {
    let Some(target) = text_at(record, "/requestParameters/targetPrincipal") else { return (None, None) };
    if target.starts_with("arn:") {
        let account = target.split(':').nth(4).map(str::to_owned);
        return (Some(target), account);
    }
    let caller = text_at(record, "/userIdentity/arn").unwrap_or_default();
    let partition = caller.split(':').nth(1).unwrap_or("aws");
    (Some(format!("arn:{partition}:iam::{target}:root")), Some(target))
}

/// Known only when the caller made the key for himself: the record of another user's has no path.
fn user_arn(record: &Value) -> Option<String> {
    let caller = text_at(record, "/userIdentity/userName")?;
    let user = text_at(record, "/responseElements/accessKey/userName")?;
    let is_user = read::is(record, "who.type", "IAMUser") && caller == user;
    is_user.then(|| text_at(record, "/userIdentity/arn"))?
}

/// A failed login is recorded without an error code.
pub(super) fn login_failed(record: &Value) -> bool {
    read::is(record, "out.ConsoleLogin", "Failure")
}

/// A time as CloudTrail has it in an answer of STS: `Nov 22, 2026, 3:00:00 AM`, or `Nov 22, 2026 3:00:00 AM`. It is
/// UTC.
fn time(text: &str) -> Option<Timestamp> {
    let plain: String = text.chars().map(|c| if c.is_whitespace() { ' ' } else { c }).collect();
    let forms = ["%b %d, %Y, %I:%M:%S %p", "%b %d, %Y %I:%M:%S %p"];
    let read = forms.iter().find_map(|form| DateTime::strptime(form, &plain).ok());
    let read = read.and_then(|time| time.in_tz("UTC").ok()).map(|time| time.timestamp());
    read.or_else(|| plain.parse().ok())
}
