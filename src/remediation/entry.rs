//! An entry of the ledger, and what it is about.

use super::Event;
use crate::finding::Finding;
use crate::ident::{AccountId, Region};
use jiff::Timestamp;
use serde::{Deserialize, Serialize};

/// One entry as it stands in the ledger. Its canonical JSON is what is hashed.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Entry {
    /// Its number, from 1, without gaps.
    pub seq: i64,
    /// When it was written, by this machine's clock, to the millisecond.
    pub time: Timestamp,
    /// What it is about.
    #[serde(flatten)]
    pub subject: Subject,
    /// What happened, and its data.
    #[serde(flatten)]
    pub event: Event,
}

impl Entry {
    /// For a decision: the remediation that takes care of the occurrence, its own or an earlier one.
    #[must_use]
    pub fn takes_care(&self) -> Option<&str> {
        match &self.event {
            Event::Decision { covered_by, .. } => {
                self.subject.remediation.as_deref().or(covered_by.as_deref())
            }
            _ => None,
        }
    }
}

/// What an entry is about, as far as it applies.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Subject {
    /// Id of the remediation.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub remediation: Option<String>,
    /// Id of the finding.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub finding: Option<String>,
    /// The affected account, not the hub's.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub account: Option<AccountId>,
    /// The region whose detector made the finding, or whose feed it is about.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub region: Option<Region>,
    /// The role's name, or the principal id.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub principal: Option<String>,
}

impl Subject {
    /// What an entry about `finding` is about.
    #[must_use]
    pub fn of_finding(finding: &Finding) -> Self {
        let principal = finding.principal.as_ref();
        Self {
            remediation: None,
            finding: Some(finding.id.clone()),
            account: Some(finding.account.clone()),
            region: Some(finding.region.clone()),
            principal: principal.and_then(|p| p.user_name.clone().or_else(|| p.principal_id.clone())),
        }
    }
}
