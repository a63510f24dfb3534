//! Security Hub's finding format (ASFF): a list, for `aws securityhub batch-import-findings`.
//!
//! Findings of the default product must be in the account that imports them: the hub's. The affected
//! account is in `Resources` and `ProductFields`.

use super::head::Head;
use super::ocsf::severity;
use super::remediation::RemediationReport;
use super::scan::ReportError;
use super::sheet::Sheet;
use super::sparse::without_empty;
use super::summary::Summary;
use crate::ident::{AccountId, Region};
use crate::remediation::{State, describe_in_force};
use crate::safe;
use serde_json::{Map, Value, json};
use std::io::Write;

pub(super) struct Findings {
    hub: AccountId,
    /// For Security Hub in this region; otherwise in that of each GuardDuty finding.
    region: Option<Region>,
    begun: bool,
}

/// A remediation as a finding for Security Hub.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct HubFinding {
    /// It is for Security Hub in this region.
    pub region: Region,
    /// Its id, the same each time.
    pub id: String,
    /// It itself, as JSON.
    pub json: Vec<u8>,
}

impl Findings {
    pub fn of(head: &Head, region: Option<Region>) -> Result<Self, ReportError> {
        let hub = head.hub_account.clone().ok_or_else(|| {
            ReportError::Asked("the hub's account, where Security Hub takes findings, is not in the ledger: start `rescind run` with it once".to_owned())
        })?;
        Ok(Self { hub, region, begun: false })
    }

    fn region<'a>(&'a self, incident: &'a RemediationReport) -> &'a str {
        self.region.as_ref().map_or(incident.finding.region.as_str(), Region::as_str)
    }

    pub fn hub_finding(&self, incident: &RemediationReport) -> Result<HubFinding, ReportError> {
        let region = self.region(incident).parse().map_err(|error| {
            ReportError::Asked(format!("{}: its finding has no usable region: {error}", incident.remediation))
        })?;
        let mut json = Vec::new();
        safe::json(&self.finding(incident), &mut json)?;
        Ok(HubFinding { region, id: id(incident), json })
    }

    fn finding(&self, incident: &RemediationReport) -> Value {
        let (partition, region, hub) = (&incident.partition, self.region(incident), &self.hub);
        let first = incident.decision.at;
        let updated = incident.steps.last().map_or(first, |step| step.at).max(first);
        let (_, label) = severity(incident.finding.severity);
        let label = if label == "Unknown" { "HIGH".to_owned() } else { label.to_uppercase() };
        let text = incident.to_do.clone().unwrap_or_else(|| {
            format!("`rescind show {}` has all of it, and what to do now.", incident.remediation)
        });
        let mut finding = json!({
            "SchemaVersion": "2018-10-08",
            "Id": id(incident),
            "ProductArn": format!("arn:{partition}:securityhub:{region}:{hub}:product/{hub}/default"),
            "GeneratorId": "rescind/revocation",
            "AwsAccountId": hub,
            "Region": region,
            "Types": ["TTPs/Credential Access"],
            "CreatedAt": first,
            "UpdatedAt": updated,
            "Severity": { "Label": label },
            "Title": cut(&format!("Stolen credentials of {} in {}: {}", incident.who(), incident.account, incident.state), 256),
            "Description": cut(&description(incident), 1024),
            "Remediation": { "Recommendation": { "Text": cut(&text, 512) } },
            "ProductFields": product_fields(incident),
            "Resources": resources(incident),
            "Workflow": { "Status": workflow(incident) },
            "RecordState": "ACTIVE",
        });
        for (name, time) in [
            ("FirstObservedAt", incident.finding.evidence.first_seen),
            ("LastObservedAt", Some(incident.finding.last_activity)),
        ] {
            if let Some(time) = time {
                finding[name] = json!(time);
            }
        }
        without_empty(finding)
    }
}

fn id(incident: &RemediationReport) -> String {
    format!("rescind/{}/{}", incident.account, incident.remediation)
}

/// The text, cut to a maximum number of characters.
fn cut(text: &str, most: usize) -> String {
    let text = safe::line(text);
    if text.chars().count() <= most {
        return text;
    }
    text.chars().take(most.saturating_sub(1)).chain(['…']).collect()
}

fn description(incident: &RemediationReport) -> String {
    let finding = &incident.finding;
    let mut denied = match (incident.seconds_to_deny, incident.proof) {
        (Some(seconds), Some(rung)) => {
            format!(" Denied {seconds:.1} s after {} (proof: {rung}).", finding.cause.beginning())
        }
        _ => String::new(),
    };
    if let Some(one) = &incident.in_force {
        denied = format!("{denied} In force: {}.", describe_in_force(one));
    }
    let kind = if finding.cause.is_guardduty() { "GuardDuty finding" } else { "Occurrence" };
    format!(
        "{kind} {} ({}). {}: {}.{denied}",
        finding.id, finding.finding_type, incident.decision.verdict, incident.decision.reason
    )
}

/// What needs a person is new; what was dealt with is resolved.
fn workflow(incident: &RemediationReport) -> &'static str {
    match incident.state {
        _ if incident.to_do.is_some() => "NEW",
        State::Rejected => "SUPPRESSED",
        State::DoneByHand | State::Superseded => "RESOLVED",
        _ if incident.acted => "RESOLVED",
        _ => "NOTIFIED",
    }
}

fn product_fields(incident: &RemediationReport) -> Value {
    let finding = &incident.finding;
    let mut fields = Map::new();
    let number = |number: Option<f64>| number.map(|number| format!("{number:.3}"));
    let (key, in_force) = (incident.changes.last(), incident.in_force.as_ref());
    let quarantine = incident.quarantine();
    for (name, value) in [
        ("rescind/remediation", Some(incident.remediation.clone())),
        ("rescind/incident", Some(incident.incident.clone())),
        ("rescind/state", Some(incident.state.to_string())),
        ("rescind/account", Some(incident.account.clone())),
        ("rescind/account_name", incident.account_name.clone()),
        ("rescind/principal_arn", Some(incident.principal_arn.clone())),
        ("rescind/finding", Some(finding.id.clone())),
        ("rescind/finding_type", Some(finding.finding_type.clone())),
        ("rescind/region", Some(finding.region.clone())),
        ("rescind/rule", incident.decision.rule.clone()),
        ("rescind/proof", incident.proof.map(|rung| rung.to_string())),
        ("rescind/highest_proof", incident.highest_proof.map(|rung| rung.to_string())),
        ("rescind/containment", Some(incident.containment.name().to_owned())),
        ("rescind/needs_person_since", incident.attention.as_ref().map(|one| one.since.to_string())),
        ("rescind/denied_at", incident.denied_at.map(|at| at.to_string())),
        ("rescind/seconds_to_deny", number(incident.seconds_to_deny)),
        ("rescind/seconds_in_force", number(in_force.map(|one| one.seconds))),
        ("rescind/seconds_since_first_put", number(in_force.map(|one| one.of_seconds))),
        ("rescind/gaps", in_force.map(|one| one.gaps.len().to_string())),
        (
            "rescind/quarantine_attached_at",
            quarantine.and_then(|one| one.attached_at).map(|at| at.to_string()),
        ),
        ("rescind/quarantine_lifted_at", quarantine.and_then(|one| one.lifted_at).map(|at| at.to_string())),
        ("rescind/quarantined", quarantine.map(|one| one.is_open().to_string())),
        ("rescind/cutoff", key.map(|made| made.change.cutoff.to_string())),
        ("rescind/remote_ip", finding.remote_ip().map(str::to_owned)),
        ("rescind/recurrence_of", incident.recurrence.as_ref().map(|one| one.of.clone())),
        ("rescind/decision_entry", Some(incident.decision.entry.to_string())),
    ] {
        if let Some(value) = value.filter(|value| !value.is_empty()) {
            fields.insert(name.to_owned(), json!(cut(&value, 2048)));
        }
    }
    Value::Object(fields)
}

fn resources(incident: &RemediationReport) -> Value {
    let (partition, region) = (&incident.partition, &incident.finding.region);
    let resource = |kind: &str, id: &str, details: Option<Value>| {
        let mut one = json!({ "Type": kind, "Id": cut(id, 512), "Partition": partition, "Region": region });
        if let Some(details) = details {
            one["Details"] = json!({ kind: details });
        }
        one
    };
    let arn = incident.changes.last().map_or(&incident.principal_arn, |made| &made.change.arn);
    let mut all = vec![match incident.principal_kind.as_str() {
        "role" => resource("AwsIamRole", arn, Some(json!({ "RoleName": incident.principal }))),
        "user" => resource("AwsIamUser", arn, Some(json!({ "UserName": incident.principal }))),
        _ => resource("Other", arn, None),
    }];
    if let Some(key) = incident.finding.access_key() {
        let mut details = json!({ "AccessKeyId": key, "AccountId": incident.account });
        if let Some(id) = incident.finding.principal_id() {
            details["PrincipalId"] = json!(cut(id, 512));
        }
        all.push(resource("AwsIamAccessKey", key, Some(details)));
    }
    all.push(resource("AwsAccount", &format!("AWS::::Account:{}", incident.account), None));
    Value::Array(all)
}

impl Sheet for Findings {
    fn begin(&mut self, _: &Head, _: Option<&Summary>, out: &mut dyn Write) -> Result<(), ReportError> {
        Ok(out.write_all(b"[")?)
    }

    fn one(&mut self, incident: &RemediationReport, out: &mut dyn Write) -> Result<(), ReportError> {
        out.write_all(if self.begun { b",\n" } else { b"\n" })?;
        self.begun = true;
        Ok(safe::json(&self.finding(incident), out)?)
    }

    fn end(&mut self, out: &mut dyn Write) -> Result<(), ReportError> {
        Ok(out.write_all(b"\n]\n")?)
    }
}
