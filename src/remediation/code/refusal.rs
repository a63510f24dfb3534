//! The codes of refusals: why a remedy was not carried out.

use super::{ReasonCode, UnknownCode, codes};
use schemars::JsonSchema;
use serde::{Deserialize, Deserializer, Serialize};
use std::fmt;

codes! {
    /// Why AWS, or what was found there, kept a remedy from being carried out.
    RefusalCode is "refusal code" {
        EntryDenied "entry_denied"
            means "Blocked: the remediation role cannot be assumed."
            do "`rescind doctor --account ID` prints the command. The management account needs [a stack of its own](deployment.md#3-the-management-account). Until then: [by hand](runbook.md#by-hand-when-rescind-is-down).";
        AccessDenied "access_denied"
            means "Blocked: the remediation role may not make a call that the remedy needs."
            do "`rescind doctor --account ID`: a permission, a boundary or an SCP.";
        QuotaExceeded "quota_exceeded"
            means "Blocked: the inline policies are full (10,240 characters for a role, 2,048 for a user; IAM User Guide, \"IAM and AWS STS quotas\"), or the account's service control policies are (10, each of 10,240 characters)."
            do "Make room: turn an inline policy into a managed one. A thief may have filled it on purpose: check who wrote the last one.";
        NotOurs "not_ours"
            means "Blocked: a service control policy of the name `rescind-ACCOUNT` exists that rescind did not write, or that is attached to something else."
            do "Find out who made it; rename or delete it.";
        NoQuarantine "no_quarantine"
            means "Blocked: the remedy is the quarantine, and its policy is not in the account or does not deny everything."
            do "`rescind doctor --account ID`; deploy the member role's stack again.";
        Rejected "rejected"
            means "Blocked: AWS refused the request for another reason."
            do "Read AWS's message in `rescind show ID`.";
        Unavailable "unavailable"
            means "Retrying: AWS did not answer or asked to slow down, or this machine's clock is wrong."
            do "Usually nothing. After `raise_after` it is the alert `not_revoked`: look at the network, the proxy, [AWS Health](https://health.aws.amazon.com/) and `timedatectl`.";
        HubCredentials "hub_credentials"
            means "Retrying: the hub has no usable credentials."
            do "Check the instance profile or the task role: `aws sts get-caller-identity` on the host.";
        NotKept "not_kept"
            means "Retrying: AWS accepted the deny, and it was gone when it was read back."
            do "Somebody removes it: see the alert `deny_not_kept`.";
        RoleGone "role_gone"
            means "Failed: the role does not exist any more. Its sessions ended with it."
            do "Find out who deleted it.";
        UserGone "user_gone"
            means "Failed: the IAM user does not exist any more. Its keys ended with it."
            do "Find out who deleted it.";
        RoleRecreated "role_recreated"
            means "Failed: the role was deleted and recreated. The new one was not touched."
            do "Find out who did that. If the new one leaks too, that is a finding of its own.";
        UserRecreated "user_recreated"
            means "Failed: the IAM user was deleted and recreated. The new one was not touched."
            do "As for `role_recreated`.";
        NoSuchKey "no_such_key"
            means "Failed: the access key of an order is not the user's. Nothing was changed."
            do "Find out whose key it is: `aws iam get-access-key-last-used --access-key-id KEY` names the user. Then order it for that user.";
        RoleProtected "role_protected"
            means "Failed: the role fits a pattern of `protected`, which was seen only when its path was known."
            do "Judge it by hand.";
        Unmodifiable "unmodifiable"
            means "Failed: only a service or Identity Center can change the role."
            do "Revoke by the service that owns it: [by hand](runbook.md#by-hand-when-rescind-is-down).";
    }
}

impl RefusalCode {
    /// Whether the principal of the finding does not exist any more: its credentials ended with it.
    #[must_use]
    pub fn is_gone(self) -> bool {
        matches!(self, Self::RoleGone | Self::UserGone | Self::RoleRecreated | Self::UserRecreated)
    }
}

/// Why a remediation is refused: by AWS, or because triage forbids by now what was decided.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, JsonSchema)]
#[serde(untagged)]
pub enum RefusedBy {
    /// AWS, or what was found there.
    Remedy(RefusalCode),
    /// A decision of triage.
    Triage(ReasonCode),
}

impl RefusedBy {
    /// The name in the ledger.
    #[must_use]
    pub fn name(self) -> &'static str {
        match self {
            Self::Remedy(code) => code.name(),
            Self::Triage(code) => code.name(),
        }
    }
}

impl fmt::Display for RefusedBy {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.name())
    }
}

impl<'de> Deserialize<'de> for RefusedBy {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        let name = String::deserialize(deserializer)?;
        let remedy = name.parse().map(Self::Remedy);
        remedy.or_else(|error: UnknownCode| {
            name.parse().map(Self::Triage).map_err(|_| serde::de::Error::custom(error))
        })
    }
}
