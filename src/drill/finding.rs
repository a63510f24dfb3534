//! The finding that a drill hands in: as GuardDuty would write it.

use super::thief::Thief;
use crate::ident::{AccountId, Partition, Region, RoleId, RoleName};
use serde_json::{Value, json};

/// An address for documentation, which nobody has (RFC 5737).
const FROM: &str = "192.0.2.1";

/// What GuardDuty would write about the thief.
pub(super) fn of(
    account: &AccountId,
    region: &Region,
    role: &RoleName,
    role_id: &RoleId,
    thief: &Thief<'_>,
) -> Value {
    let seen = thief.aws_now();
    let id = crate::digest::sha256(format!("drill {account} {role_id} {seen}").as_bytes());
    let id = id.get(..32).unwrap_or(&id);
    let partition = Partition::of_region(region);
    json!({
        "schemaVersion": "2.0",
        "id": id,
        "accountId": account,
        "arn": format!("arn:{}:guardduty:{region}:{account}:detector/drill/finding/{id}", partition.as_str()),
        "region": region,
        "partition": partition.as_str(),
        "type": "UnauthorizedAccess:IAMUser/InstanceCredentialExfiltration.OutsideAWS",
        "title": "[DRILL] A session of a role for drills is taken for stolen.",
        "description": "Handed in by rescind drill. GuardDuty has not seen this.",
        "severity": 8,
        "createdAt": seen,
        "updatedAt": seen,
        "resource": {
            "resourceType": "AccessKey",
            "accessKeyDetails": {
                "accessKeyId": thief.access_key_id(),
                "principalId": format!("{role_id}:{}", Thief::SESSION),
                "userName": role,
                "userType": "AssumedRole",
            },
        },
        "service": {
            "serviceName": "guardduty",
            "archived": false,
            "count": 1,
            "eventFirstSeen": seen,
            "eventLastSeen": seen,
            "action": {
                "actionType": "AWS_API_CALL",
                "awsApiCallAction": {
                    "api": "GetRole",
                    "serviceName": "iam.amazonaws.com",
                    "callerType": "Remote IP",
                    "remoteIpDetails": { "ipAddressV4": FROM },
                },
            },
        },
    })
}
