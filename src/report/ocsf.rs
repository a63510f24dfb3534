//! OCSF 1.8.0, class Remediation Activity (7001), with the profile `cloud`: one event a line. A revocation is
//! *Evict*; that it was taken back is *Restore*.

use super::head::Head;
use super::remediation::RemediationReport;
use super::scan::ReportError;
use super::sheet::Sheet;
use super::sparse::without_empty;
use super::summary::Summary;
use super::tally::severity_word;
use crate::remediation::{ChangeOutcome, Means, RefusedBy, State};
use crate::safe;
use jiff::Timestamp;
use serde_json::{Value, json};
use std::borrow::Cow;
use std::io::Write;
use std::net::IpAddr;

const CLASS: u32 = 7001;

/// The activity that an event reports.
#[derive(Clone, Copy)]
enum Activity {
    Evict = 2,
    Restore = 3,
}

/// `status_id`, with its caption; for *Other* the state.
type Status = (u32, Cow<'static, str>);

pub(super) struct Events {
    version: String,
}

fn write_line(event: &Value, out: &mut dyn Write) -> Result<(), ReportError> {
    safe::json(event, out)?;
    Ok(out.write_all(b"\n")?)
}

impl Events {
    pub fn of(head: &Head) -> Self {
        Self { version: head.version.clone() }
    }

    fn event(
        &self,
        incident: &RemediationReport,
        activity: Activity,
        status: &Status,
        time: Timestamp,
    ) -> Value {
        let (id, name) = match activity {
            Activity::Evict => (2, "Evict"),
            Activity::Restore => (3, "Restore"),
        };
        let (severity_id, severity) = severity(incident.finding.severity);
        let detail = incident.to_do.clone().or_else(|| incident.refused().map(|one| one.what.reason.clone()));
        let cloud_account = json!({ "uid": incident.account, "name": incident.account_name, "type_id": 10, "type": "AWS Account" });
        let message = match activity {
            Activity::Evict => {
                format!("Sessions of {} in {}: {}", incident.who(), incident.account, incident.state)
            }
            Activity::Restore => {
                format!("The deny for {} in {} is removed: {}", incident.who(), incident.account, status.1)
            }
        };
        without_empty(json!({
            "class_uid": CLASS, "class_name": "Remediation Activity",
            "category_uid": 7, "category_name": "Remediation",
            "activity_id": id, "activity_name": name,
            "type_uid": CLASS * 100 + id, "type_name": format!("Remediation Activity: {name}"),
            "severity_id": severity_id, "severity": severity,
            "status_id": status.0, "status": status.1, "status_detail": detail,
            "time": time.as_millisecond(),
            "start_time": incident.changes.first().map(|change| change.at.as_millisecond()),
            "command_uid": incident.remediation,
            "message": message,
            "metadata": {
                "version": "1.8.0", "profiles": ["cloud"], "log_name": "ledger",
                "uid": format!("{}/{}", incident.remediation, name.to_lowercase()),
                "correlation_uid": incident.incident,
                "product": { "name": "rescind", "vendor_name": "rescind", "version": self.version },
            },
            "cloud": { "provider": "AWS", "region": region(incident), "account": cloud_account },
            "remediation": { "desc": desc(incident, activity) },
            "countermeasures": countermeasures(activity),
            "observables": observables(incident),
            "unmapped": unmapped(incident),
        }))
    }
}

fn region(incident: &RemediationReport) -> Option<&str> {
    Some(incident.finding.region.as_str()).filter(|region| !region.is_empty())
}

/// OCSF's number and word for a severity.
pub(super) fn severity(severity: Option<f64>) -> (u32, &'static str) {
    match severity_word(severity) {
        "informational" => (1, "Informational"),
        "low" => (2, "Low"),
        "medium" => (3, "Medium"),
        "high" => (4, "High"),
        "critical" => (5, "Critical"),
        _ => (0, "Unknown"),
    }
}

fn evicted(incident: &RemediationReport) -> Status {
    let gone = incident
        .refusals
        .last()
        .is_some_and(|one| matches!(one.what.code, RefusedBy::Remedy(code) if code.is_gone()));
    let uncertain = incident.changes.last().is_some_and(|change| change.outcome == ChangeOutcome::Uncertain);
    match incident.state {
        _ if incident.acted => (1, "Success".into()),
        State::DoneByHand => (99, incident.state.to_string().into()),
        _ if incident.principal_kind == "other" => (5, "Unsupported".into()),
        State::Failed if gone => (3, "Does Not Exist".into()),
        State::Failed | State::Blocked | State::Retrying => (2, "Failure".into()),
        _ if uncertain => (6, "Error".into()),
        State::Revoking | State::Verifying | State::Unverified => (4, "Partial".into()),
        state => (99, state.to_string().into()),
    }
}

fn desc(incident: &RemediationReport, activity: Activity) -> String {
    let change = incident.changes.last().map(|made| &made.change);
    match (activity, change) {
        (Activity::Evict, Some(change)) if change.means == Means::Quarantine => {
            format!("The {} denies everything until it is released", change.policy())
        }
        (Activity::Evict, Some(change)) => format!(
            "The {} denies everything to {} issued before {}",
            change.policy(),
            incident
                .session
                .as_ref()
                .map_or_else(|| "sessions".to_owned(), |one| format!("the session {one}")),
            change.cutoff
        ),
        (Activity::Restore, Some(change)) => {
            format!("The {} is what it was before", change.policy())
        }
        (_, None) => incident.decision.reason.clone(),
    }
}

fn countermeasures(activity: Activity) -> Value {
    match activity {
        Activity::Evict => json!([{
            "d3f_tactic": { "name": "Evict" },
            "d3f_technique": { "uid": "D3-CR", "name": "Credential Revocation" },
        }]),
        Activity::Restore => json!([{ "d3f_tactic": { "name": "Restore" } }]),
    }
}

/// Names point into the event. What is not of a type as OCSF has it stands in `unmapped` only.
fn observables(incident: &RemediationReport) -> Value {
    let finding = &incident.finding;
    let arn = Some(incident.principal_arn.as_str()).filter(|arn| arn.starts_with("arn:"));
    let ip = finding.remote_ip().filter(|ip| ip.parse::<IpAddr>().is_ok());
    let all = [
        ("cloud.account.uid", 35, "Account Object: uid", Some(incident.account.as_str())),
        ("unmapped.principal_arn", 10, "Resource UID", arn),
        ("unmapped.access_key", 19, "User Credential ID", finding.access_key()),
        ("unmapped.principal_id", 31, "User Object: uid", finding.principal_id()),
        ("unmapped.remote_ip", 2, "IP Address", ip),
        ("unmapped.instance", 10, "Resource UID", finding.instance()),
    ];
    all.into_iter()
        .filter_map(|(name, id, kind, value)| Some((name, id, kind, value.filter(|one| !one.is_empty())?)))
        .map(|(name, id, kind, value)| json!({ "name": name, "type_id": id, "type": kind, "value": value }))
        .collect()
}

fn unmapped(incident: &RemediationReport) -> Value {
    let finding = &incident.finding;
    let ids: Vec<&str> =
        incident.calls.requests.iter().filter_map(|call| call.request_id.as_deref()).collect();
    let quarantine = incident.quarantine().map(
        |one| json!({ "attached_at": one.attached_at, "lifted_at": one.lifted_at, "is_open": one.is_open() }),
    );
    json!({
        "principal_arn": incident.principal_arn, "principal_kind": incident.principal_kind,
        "access_key": finding.access_key(), "principal_id": finding.principal_id(),
        "remote_ip": finding.remote_ip(), "instance": finding.instance(),
        "finding": finding.id, "finding_type": finding.finding_type, "state": incident.state,
        "proof": incident.proof, "highest_proof": incident.highest_proof, "containment": incident.containment,
        "seconds_to_deny": incident.seconds_to_deny, "in_force": incident.in_force,
        "quarantine": quarantine,
        "request_ids": ids, "decision_entry": incident.decision.entry,
    })
}

impl Sheet for Events {
    fn begin(&mut self, _: &Head, _: Option<&Summary>, _: &mut dyn Write) -> Result<(), ReportError> {
        Ok(())
    }

    fn one(&mut self, incident: &RemediationReport, out: &mut dyn Write) -> Result<(), ReportError> {
        let last = incident.steps.last().map_or(Timestamp::UNIX_EPOCH, |step| step.at);
        let event =
            self.event(incident, Activity::Evict, &evicted(incident), incident.denied_at.unwrap_or(last));
        write_line(&event, out)?;
        let release = incident.releases.last();
        let restored = match (incident.undone_at, release) {
            (Some(at), _) => Some(((1, "Success".into()), at)),
            (None, Some(release)) if release.not_done.is_some() => Some(((2, "Failure".into()), last)),
            (None, Some(release)) => Some(((99, "asked".into()), release.at)),
            (None, None) => None,
        };
        if let Some((status, at)) = restored {
            write_line(&self.event(incident, Activity::Restore, &status, at), out)?;
        }
        Ok(())
    }

    fn end(&mut self, _: &mut dyn Write) -> Result<(), ReportError> {
        Ok(())
    }
}
