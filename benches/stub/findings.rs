//! The findings, by region and in the order of their updates.

use super::civil;
use super::identity::{HUB, role_id};
use super::json::quoted;
use std::collections::{BTreeMap, HashMap};

/// A finding as GetFindings answers it.
const TEMPLATE: &str = include_str!("finding.json");
pub const TYPE: &str = "UnauthorizedAccess:IAMUser/InstanceCredentialExfiltration.OutsideAWS";

/// All findings.
#[derive(Default)]
pub struct Findings {
    by_region: BTreeMap<String, Vec<Finding>>,
    places: HashMap<String, (String, usize)>,
}

/// One finding.
pub struct Finding {
    pub id: String,
    pub updated_at: i64,
    pub document: String,
}

impl Findings {
    /// Adds a finding about a stolen session of a role, and gives its id.
    pub fn theft(&mut self, region: &str, account: &str, role: &str) -> String {
        let number = self.places.len() + 1;
        let list = self.by_region.entry(region.to_owned()).or_default();
        // The order of the list is that of the updates, also when the clock is set back.
        let updated_at = civil::now().max(list.last().map_or(0, |last| last.updated_at));
        let id = format!("5eed0000{number:024x}");
        let values = [
            ("${ID}", id.clone()),
            ("${ACCOUNT}", account.to_owned()),
            ("${ROLE}", role.to_owned()),
            ("${REGION}", region.to_owned()),
            ("${DETECTOR}", detector(region)),
            ("${HUB}", HUB.to_owned()),
            ("${TYPE}", TYPE.to_owned()),
            ("${ACCESS_KEY}", format!("ASIATHIEF{number:011}")),
            ("${PRINCIPAL}", format!("{}:i-{number:017x}", role_id(account, role))),
            ("${INSTANCE}", format!("i-{number:017x}")),
            ("${AT}", civil::iso(updated_at)),
        ];
        let compact: String = TEMPLATE.lines().map(str::trim_start).collect();
        let document = values.iter().fold(compact, |text, (name, value)| text.replace(name, value));
        self.places.insert(id.clone(), (region.to_owned(), list.len()));
        list.push(Finding { id: id.clone(), updated_at, document });
        id
    }

    pub fn in_region(&self, region: &str) -> &[Finding] {
        self.by_region.get(region).map_or(&[], Vec::as_slice)
    }

    pub fn get(&self, id: &str) -> Option<(&str, &Finding)> {
        let (region, index) = self.places.get(id)?;
        Some((region, &self.by_region[region][*index]))
    }

    /// The event that EventBridge makes of a finding.
    pub fn event(&self, id: &str) -> Option<String> {
        let (region, finding) = self.get(id)?;
        let (number, at) = (&id[id.len() - 12..], quoted(&civil::iso_seconds(civil::now())));
        Some(format!(
            r#"{{"version":"0","id":"00000000-0000-4000-8000-{number}","detail-type":"GuardDuty Finding","source":"aws.guardduty","account":"{HUB}","time":{at},"region":"{region}","resources":[],"detail":{}}}"#,
            finding.document
        ))
    }
}

/// The id of the hub's detector in a region: always the same one.
pub fn detector(region: &str) -> String {
    role_id(HUB, region)
        .bytes()
        .flat_map(|byte| [byte >> 4, byte & 15])
        .map(|digit| format!("{digit:x}"))
        .take(32)
        .collect()
}
