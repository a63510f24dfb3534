//! What a person must do when a call of the hub fails.

use crate::ident::HubIdentity;
use crate::remediation::{CallError, ErrorKind};

/// What to do when the hub's own identity cannot be found out.
#[must_use]
pub fn who_hint(error: &CallError) -> String {
    match error.kind {
        ErrorKind::NoCredentials => {
            "Name a profile with --profile or AWS_PROFILE, set AWS_ACCESS_KEY_ID and AWS_SECRET_ACCESS_KEY, or run where a \
             role is attached. The account must be the GuardDuty delegated administrator."
                .to_owned()
        }
        _ => common_hint(error),
    }
}

fn common_hint(error: &CallError) -> String {
    match error.kind {
        ErrorKind::NoCredentials | ErrorKind::BadCredentials => {
            "The credentials are not valid or have expired, or this machine's clock is wrong.".to_owned()
        }
        ErrorKind::ClockSkewed => {
            "Set this machine's clock: AWS refuses what is signed more than five minutes away from its own time."
                .to_owned()
        }
        ErrorKind::Unavailable if error.message.contains("Too many open files") => {
            "This process may not open more files: raise its limit (LimitNOFILE), and see who holds connections to it.".to_owned()
        }
        ErrorKind::BadCaBundle => "Name a PEM file with the certificates of every CA that is to be trusted for AWS, or \
             unset AWS_CA_BUNDLE and the profile's ca_bundle: then those of the system are trusted."
            .to_owned(),
        ErrorKind::Unavailable if error.message.contains("invalid peer certificate") => {
            "Who answers for AWS shows a certificate that is not trusted here. When a proxy or an endpoint of your own has a \
             private CA, name its PEM file in AWS_CA_BUNDLE."
                .to_owned()
        }
        ErrorKind::Throttled => "AWS asks to slow down: try again in a minute.".to_owned(),
        ErrorKind::RegionDisabled => {
            "Enable the region for the account, or take it out of `regions`.".to_owned()
        }
        ErrorKind::Unavailable => {
            "AWS gave no usable answer: check the network, the proxy and AWS_ENDPOINT_URL.".to_owned()
        }
        _ => "Read AWS's message.".to_owned(),
    }
}

/// What to do when a call of the hub fails.
#[must_use]
pub fn hub_hint(error: &CallError, identity: &HubIdentity) -> String {
    match (error.kind, error.service) {
        (ErrorKind::Denied, "organizations") => format!(
            "Allow {} to {}, and register account {} as a delegated administrator (policies/hub-role-permissions.json).",
            error.action(),
            identity.arn,
            identity.account
        ),
        (ErrorKind::Denied, _) => {
            format!("Allow {} to {} (policies/hub-role-permissions.json).", error.action(), identity.arn)
        }
        (ErrorKind::Refused, "organizations") => {
            format!("Account {} must belong to an organization.", identity.account)
        }
        _ => common_hint(error),
    }
}
