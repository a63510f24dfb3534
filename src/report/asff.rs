//! Security Hub's finding format (ASFF): a list, for `aws securityhub batch-import-findings`.
//!
//! Findings of the default product must be in the account that imports them: the hub's. The affected
//! account is in `Resources` and `ProductFields`.

use super::head::Head;
use super::ocsf::severity;
use super::scan::ReportError;
use super::sheet::Sheet;
use super::sparse::without_empty;
use super::story::Story;
use super::summary::Summary;
use crate::ident::{AccountId, Region};
use crate::remediation::State;
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
            ReportError::Asked("the ledger does not tell the hub's account, in which Security Hub takes findings: rescind has not run with it yet".to_owned())
        })?;
        Ok(Self { hub, region, begun: false })
    }

    fn region<'a>(&'a self, story: &'a Story) -> &'a str {
        self.region.as_ref().map_or(&story.finding.region, Region::as_str)
    }

    pub fn hub_finding(&self, story: &Story) -> Result<HubFinding, ReportError> {
        let region = self.region(story).parse().map_err(|error| {
            ReportError::Asked(format!("{}: its finding has no usable region: {error}", story.remediation))
        })?;
        let mut json = Vec::new();
        safe::json(&self.finding(story), &mut json)?;
        Ok(HubFinding { region, id: id(story), json })
    }

    fn finding(&self, story: &Story) -> Value {
        let (partition, region, hub) = (&story.partition, self.region(story), &self.hub);
        let first = story.decision.at.unwrap_or_default();
        let updated = story.steps.last().map_or(first, |step| step.at).max(first);
        let (_, label) = severity(story.finding.severity);
        let label = if label == "Unknown" { "HIGH".to_owned() } else { label.to_uppercase() };
        let text = story.to_do.clone().unwrap_or_else(|| {
            format!("`rescind show {}` tells the whole story, and what to do now.", story.remediation)
        });
        let mut finding = json!({
            "SchemaVersion": "2018-10-08",
            "Id": id(story),
            "ProductArn": format!("arn:{partition}:securityhub:{region}:{hub}:product/{hub}/default"),
            "GeneratorId": "rescind/revocation",
            "AwsAccountId": hub,
            "Region": region,
            "Types": ["TTPs/Credential Access"],
            "CreatedAt": first,
            "UpdatedAt": updated,
            "Severity": { "Label": label },
            "Title": cut(&format!("Stolen credentials of {} in {}: {}", story.who(), story.account, story.state), 256),
            "Description": cut(&description(story), 1024),
            "Remediation": { "Recommendation": { "Text": cut(&text, 512) } },
            "ProductFields": product_fields(story),
            "Resources": resources(story),
            "Workflow": { "Status": workflow(story) },
            "RecordState": "ACTIVE",
        });
        for (name, time) in [
            ("FirstObservedAt", story.finding.first_activity),
            ("LastObservedAt", story.finding.last_activity),
        ] {
            if let Some(time) = time {
                finding[name] = json!(time);
            }
        }
        without_empty(finding)
    }
}

fn id(story: &Story) -> String {
    format!("rescind/{}/{}", story.account, story.remediation)
}

/// At most so many characters.
fn cut(text: &str, most: usize) -> String {
    let text = safe::line(text);
    if text.chars().count() <= most {
        return text;
    }
    text.chars().take(most.saturating_sub(1)).chain(['…']).collect()
}

fn description(story: &Story) -> String {
    let finding = &story.finding;
    let denied = match (story.seconds_to_deny, story.proof) {
        (Some(seconds), Some(rung)) => {
            format!(" Denied {seconds:.1} s after the last activity that GuardDuty saw (proof: {rung}).")
        }
        _ => String::new(),
    };
    format!(
        "GuardDuty finding {} ({}). {}: {}.{denied}",
        finding.id, finding.finding_type, story.decision.verdict, story.decision.reason
    )
}

/// What needs a person is new; what was dealt with is resolved.
fn workflow(story: &Story) -> &'static str {
    match story.state {
        _ if story.to_do.is_some() => "NEW",
        State::Rejected => "SUPPRESSED",
        State::DoneByHand | State::Superseded => "RESOLVED",
        _ if story.acted => "RESOLVED",
        _ => "NOTIFIED",
    }
}

fn product_fields(story: &Story) -> Value {
    let finding = &story.finding;
    let mut fields = Map::new();
    let number = |number: Option<f64>| number.map(|number| format!("{number:.3}"));
    let key = story.changes.last();
    for (name, value) in [
        ("rescind/remediation", Some(story.remediation.clone())),
        ("rescind/state", Some(story.state.to_string())),
        ("rescind/account", Some(story.account.clone())),
        ("rescind/account_name", story.account_name.clone()),
        ("rescind/principal_arn", Some(story.principal_arn.clone())),
        ("rescind/finding", Some(finding.id.clone())),
        ("rescind/finding_type", Some(finding.finding_type.clone())),
        ("rescind/region", Some(finding.region.clone())),
        ("rescind/rule", story.decision.rule.clone()),
        ("rescind/proof", story.proof.map(|rung| rung.to_string())),
        ("rescind/denied_at", story.denied_at.map(|at| at.to_string())),
        ("rescind/seconds_to_deny", number(story.seconds_to_deny)),
        ("rescind/cutoff", key.map(|change| change.cutoff.to_string())),
        ("rescind/remote_ip", finding.remote_ip.clone()),
        ("rescind/recurrence_of", story.recurrence.as_ref().map(|one| one.of.clone())),
        ("rescind/decision_entry", Some(story.decision.entry.to_string())),
    ] {
        if let Some(value) = value.filter(|value| !value.is_empty()) {
            fields.insert(name.to_owned(), json!(cut(&value, 2048)));
        }
    }
    Value::Object(fields)
}

fn resources(story: &Story) -> Value {
    let (partition, region) = (&story.partition, &story.finding.region);
    let resource = |kind: &str, id: &str, details: Option<Value>| {
        let mut one = json!({ "Type": kind, "Id": cut(id, 512), "Partition": partition, "Region": region });
        if let Some(details) = details {
            one["Details"] = json!({ kind: details });
        }
        one
    };
    let arn = story.changes.last().map_or(&story.principal_arn, |change| &change.arn);
    let mut all = vec![match story.principal_kind.as_str() {
        "role" => resource("AwsIamRole", arn, Some(json!({ "RoleName": story.principal }))),
        "user" => resource("AwsIamUser", arn, Some(json!({ "UserName": story.principal }))),
        _ => resource("Other", arn, None),
    }];
    if let Some(key) = &story.finding.access_key {
        let mut details = json!({ "AccessKeyId": key, "AccountId": story.account });
        if let Some(id) = &story.finding.principal_id {
            details["PrincipalId"] = json!(cut(id, 512));
        }
        all.push(resource("AwsIamAccessKey", key, Some(details)));
    }
    all.push(resource("AwsAccount", &format!("AWS::::Account:{}", story.account), None));
    Value::Array(all)
}

impl Sheet for Findings {
    fn begin(&mut self, _: &Head, _: Option<&Summary>, out: &mut dyn Write) -> Result<(), ReportError> {
        Ok(out.write_all(b"[")?)
    }

    fn one(&mut self, story: &Story, out: &mut dyn Write) -> Result<(), ReportError> {
        out.write_all(if self.begun { b",\n" } else { b"\n" })?;
        self.begun = true;
        Ok(safe::json(&self.finding(story), out)?)
    }

    fn end(&mut self, out: &mut dyn Write) -> Result<(), ReportError> {
        Ok(out.write_all(b"\n]\n")?)
    }
}
