//! A finding as rescind keeps it: one occurrence of it.

use super::cause::Cause;
use super::derived::Derived;
use super::principal::Principal;
use super::undecodable::Undecodable;
use crate::ident::{AccountId, Region};
use jiff::Timestamp;
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};
use serde_json::{Value, json};
use std::sync::Arc;

/// A finding, or why there is none.
pub type Decoded = Result<Finding, Undecodable>;

/// One occurrence of a GuardDuty finding, as far as rescind needs it.
///
/// GuardDuty writes repeated activity into the same finding: the id stays, `updated_at` and
/// the details move on. An occurrence is therefore (id, `updated_at`, access key id).
///
/// An attack sequence can have many actors: each of them is an occurrence of its own, distinguished
/// from the others by account and principal id as well.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Finding {
    /// The id that GuardDuty gave the finding. Occurrences of the same finding share it.
    pub id: String,
    /// The *affected* account (`accountId`; an actor's own), never the one whose event bus saw the event.
    pub account: AccountId,
    /// The region whose detector made the finding.
    pub region: Region,
    /// GuardDuty's type, such as `UnauthorizedAccess:IAMUser/InstanceCredentialExfiltration.OutsideAWS`.
    #[serde(rename = "type")]
    pub finding_type: String,
    /// 0.1 to 10, where GuardDuty gave it.
    pub severity: Option<f64>,
    /// GuardDuty's title for the finding.
    pub title: Option<String>,
    /// When GuardDuty first made the finding.
    pub created_at: Option<Timestamp>,
    /// When GuardDuty last wrote it, as GuardDuty wrote it (part of the occurrence's identity).
    pub updated_at_text: String,
    /// The same time, parsed for comparisons.
    pub updated_at: Timestamp,
    /// Whose credentials were used; none when the finding names nobody.
    pub principal: Option<Principal>,
    /// What GuardDuty saw of the activity.
    pub evidence: Evidence,
    /// A person or a suppression rule archived it.
    pub archived: bool,
    /// It is a sample, not a real finding.
    pub sample: bool,
    /// SHA-256 of the finding's canonical JSON as it was received, in hexadecimal.
    pub sha256: String,
    /// The whole finding as canonical JSON, its keys in camelCase; of another product's the event that brings it: what
    /// rules with a pattern look at. None when it is longer than 64 KiB.
    pub detail: Option<Arc<str>>,
    /// It is one actor of an attack sequence. Others can have the same id, `updated_at` and key.
    #[serde(default, skip_serializing_if = "std::ops::Not::not")]
    pub actor: bool,
    /// Of a finding that names no credentials: how the principal was found, or why none was. It is asked about first.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub inferred: Option<String>,
    /// What was odd about fields that decide nothing, each as `path: what`.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub notes: Vec<String>,
    /// It only names a finding, as Security Hub does. Nothing is decided about it before GuardDuty has returned
    /// the finding itself.
    #[serde(default, skip_serializing_if = "std::ops::Not::not")]
    pub pointer: bool,
    /// What says that the credentials are stolen.
    #[serde(default, skip_serializing_if = "Cause::is_guardduty")]
    pub cause: Cause,
}

/// What GuardDuty saw of the activity.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct Evidence {
    /// First activity of this finding.
    pub first_seen: Option<Timestamp>,
    /// Latest activity of this finding.
    pub last_seen: Option<Timestamp>,
    /// How often GuardDuty saw the activity.
    pub count: Option<u64>,
    /// The call that was seen, as `service:operation`.
    pub api: Option<String>,
    /// The error that the caller got, if any.
    pub error_code: Option<String>,
    /// Where the call came from.
    pub remote_ip: Option<String>,
    /// The country of that address.
    pub remote_country: Option<String>,
    /// The network operator of that address.
    pub remote_organization: Option<String>,
    /// The AWS account that the call came from, for `…InsideAWS`.
    pub remote_account: Option<String>,
    /// That account belongs to the same organization.
    pub remote_account_affiliated: Option<bool>,
    /// The instance that the credentials were made for.
    pub instance_id: Option<String>,
}

impl Finding {
    /// What makes an occurrence the same one: finding id, `updatedAt`, access key id; of an actor its
    /// account and principal id, too. Ledgers that exist have the shorter form of all other findings.
    #[must_use]
    pub fn occurrence(&self) -> String {
        let principal = self.principal.as_ref();
        let key = principal.and_then(|p| p.access_key_id.as_deref());
        if self.actor {
            let who = match principal.and_then(|p| p.principal_id.as_deref()) {
                Some(id) => json!(id),
                None => json!({ "name": principal.and_then(|p| p.user_name.as_deref()) }),
            };
            return json!([self.id, self.updated_at_text, key, self.account, who]).to_string();
        }
        json!([self.id, self.updated_at_text, key.unwrap_or("-")]).to_string()
    }

    /// The product whose finding it is, when that is another one than GuardDuty.
    #[must_use]
    pub fn product(&self) -> Option<&str> {
        self.cause.order()?.product()
    }

    /// The finding as an event, the way EventBridge sends it to the bus of `bus` (EventBridge User
    /// Guide, "AWS service event metadata"). None when the whole finding was not kept, and for a person's order.
    #[must_use]
    pub fn event(&self, bus: &AccountId) -> Option<Value> {
        let detail: Value = serde_json::from_str(self.detail.as_ref()?).ok()?;
        if self.product().is_some() {
            // It was kept with its event.
            let mut event = detail;
            event.as_object_mut()?.entry("account").or_insert_with(|| json!(bus));
            return Some(event);
        }
        Some(json!({
            "version": "0", "id": self.id, "detail-type": "GuardDuty Finding", "source": "aws.guardduty", "account": bus,
            "time": self.updated_at_text, "region": self.region, "resources": [], "detail": detail,
        }))
    }

    /// What it follows from, when CloudTrail shows that stolen credentials opened or made it.
    #[must_use]
    pub fn derived(&self) -> Option<&Derived> {
        self.cause.derived()
    }

    /// When the theft was first seen, by what the finding says.
    #[must_use]
    pub fn first_sight(&self) -> Timestamp {
        let times = [self.evidence.first_seen, self.created_at, Some(self.last_seen())];
        times.into_iter().flatten().min().unwrap_or(self.updated_at)
    }

    /// When the credentials were last seen in use: `eventLastSeen`, else `updatedAt`.
    #[must_use]
    pub fn last_seen(&self) -> Timestamp {
        self.evidence.last_seen.unwrap_or(self.updated_at)
    }
}
