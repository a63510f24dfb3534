//! What no longer raises an alarm: GuardDuty, Security Hub, Access Analyzer, Macie, alarms.

use super::row::{Row, row};
use crate::trail::Meaning::Blinds;
use crate::trail::{Thing, read};
use serde_json::Value;

const WATCHERS: &str = "Those who watch the account.";

/// The detector, or one of its sources or features, is turned off.
fn is_disabled(record: &Value) -> bool {
    read::is(record, "in.enable", "false")
        || read::is(record, "in.features.*.status", "DISABLED")
        || [
            "in.dataSources.s3Logs.enable",
            "in.dataSources.kubernetes.auditLogs.enable",
            "in.dataSources.malwareProtection.scanEc2InstanceWithFindings.ebsVolumes",
        ]
        .iter()
        .any(|path| read::is(record, path, "false"))
}

fn is_settled(record: &Value) -> bool {
    ["SUPPRESSED", "RESOLVED"].iter().any(|status| read::is(record, "in.Workflow.Status", status))
        || read::is(record, "in.RecordState", "ARCHIVED")
}

pub(super) const ROWS: &[Row] = &[
    row(&["guardduty:DeleteDetector"], Blinds, Thing::Detector)
        .object(&["in.detectorId"])
        .names(&[("detector", &["in.detectorId"])])
        .why("GuardDuty no longer watches the account in this region, and its findings are gone.")
        .look(&["aws guardduty list-detectors"])
        .take_away(&["aws guardduty create-detector --enable"])
        .needed_by(WATCHERS)
        .source("GuardDuty API Reference, DeleteDetector; SigmaHQ on GuardDuty detector deletion; ATT&CK T1562.001"),
    row(&["guardduty:UpdateDetector"], Blinds, Thing::Detector)
        .when(is_disabled)
        .object(&["in.detectorId"])
        .names(&[("detector", &["in.detectorId"])])
        .why("GuardDuty no longer watches the account in this region, or parts of it. The features are in the templates.")
        .look(&["aws guardduty get-detector --detector-id {detector}"])
        .take_away(&["aws guardduty update-detector --detector-id {detector} --enable"])
        .needed_by(WATCHERS)
        .source("GuardDuty API Reference, UpdateDetector; SigmaHQ on UpdateDetector; ATT&CK T1562.001"),
    row(&["guardduty:CreateFilter", "guardduty:UpdateFilter"], Blinds, Thing::FindingFilter)
        .when(|record| read::is(record, "in.action", "ARCHIVE"))
        .object(&["in.name", "in.filterName"])
        .names(&[("detector", &["in.detectorId"]), ("filter", &["in.name", "in.filterName"])])
        .why("Findings that match it are archived unseen.")
        .look(&["aws guardduty get-filter --detector-id {detector} --filter-name {filter}"])
        .take_away(&["aws guardduty delete-filter --detector-id {detector} --filter-name {filter}"])
        .needed_by("Those who suppressed findings by a filter of this name before.")
        .source("GuardDuty API Reference, CreateFilter; hackingthe.cloud, Modify GuardDuty Configuration; ATT&CK T1562.001"),
    row(&["guardduty:CreateIPSet", "guardduty:UpdateIPSet"], Blinds, Thing::TrustedList)
        .object(&["out.ipSetId", "in.ipSetId", "in.name"])
        .names(&[("detector", &["in.detectorId"]), ("list", &["out.ipSetId", "in.ipSetId"])])
        .why("Calls from its addresses make no findings.")
        .look(&["aws guardduty get-ip-set --detector-id {detector} --ip-set-id {list}"])
        .take_away(&["aws guardduty delete-ip-set --detector-id {detector} --ip-set-id {list}"])
        .needed_by("Those who trusted addresses by this list before.")
        .source("GuardDuty API Reference, CreateIPSet; SigmaHQ on CreateIPSet; hackingthe.cloud, Modify GuardDuty Configuration"),
    row(&["guardduty:CreateTrustedEntitySet", "guardduty:UpdateTrustedEntitySet"], Blinds, Thing::TrustedList)
        .object(&["out.trustedEntitySetId", "in.trustedEntitySetId", "in.name"])
        .names(&[
            ("detector", &["in.detectorId"]),
            ("list", &["out.trustedEntitySetId", "in.trustedEntitySetId"]),
        ])
        .why("Calls from its addresses and domains make no findings.")
        .look(&["aws guardduty get-trusted-entity-set --detector-id {detector} --trusted-entity-set-id {list}"])
        .take_away(&["aws guardduty delete-trusted-entity-set --detector-id {detector} --trusted-entity-set-id {list}"])
        .needed_by("Those who trusted addresses by this list before.")
        .source("GuardDuty API Reference, CreateTrustedEntitySet; ATT&CK T1562.001"),
    row(&["guardduty:ArchiveFindings"], Blinds, Thing::ArchivedFinding)
        .object(&["in.findingIds.*"])
        .names(&[("detector", &["in.detectorId"]), ("findings", &["in.findingIds.*"])])
        .why("The findings are out of sight.")
        .look(&["aws guardduty get-findings --detector-id {detector} --finding-ids {*findings}"])
        .take_away(&["aws guardduty unarchive-findings --detector-id {detector} --finding-ids {*findings}"])
        .needed_by(WATCHERS)
        .source("GuardDuty API Reference, ArchiveFindings; ATT&CK T1562.001"),
    row(&["guardduty:StopMonitoringMembers"], Blinds, Thing::DetectorMember)
        .object(&["in.accountIds.*"])
        .names(&[("detector", &["in.detectorId"]), ("accounts", &["in.accountIds.*"])])
        .why("GuardDuty no longer watches these accounts.")
        .look(&["aws guardduty get-members --detector-id {detector} --account-ids {*accounts}"])
        .take_away(&["aws guardduty start-monitoring-members --detector-id {detector} --account-ids {*accounts}"])
        .needed_by(WATCHERS)
        .source("GuardDuty API Reference, StopMonitoringMembers; ATT&CK T1562.001"),
    row(&["guardduty:DisassociateMembers", "guardduty:DeleteMembers"], Blinds, Thing::DetectorMember)
        .object(&["in.accountIds.*"])
        .names(&[("detector", &["in.detectorId"]), ("accounts", &["in.accountIds.*"])])
        .why("Findings of these accounts no longer reach the administrator. Each account needs its e-mail address, which the organization lists.")
        .look(&[
            "aws guardduty list-members --detector-id {detector} --only-associated false",
            "aws organizations describe-account --account-id {each:accounts}",
        ])
        .take_away(&[
            "aws guardduty create-members --detector-id {detector} --account-details AccountId={each:accounts},Email={?EMAIL}",
        ])
        .needed_by(WATCHERS)
        .source("GuardDuty API Reference, DisassociateMembers, DeleteMembers; ATT&CK T1562.001"),
    row(
        &["guardduty:DisassociateFromAdministratorAccount", "guardduty:DisassociateFromMasterAccount"],
        Blinds,
        Thing::DetectorMember,
    )
    .object(&["in.detectorId"])
    .names(&[("detector", &["in.detectorId"])])
    .why("Findings of this account no longer reach the administrator. The list shows the invitation.")
    .look(&["aws guardduty list-invitations", "aws guardduty get-administrator-account --detector-id {detector}"])
    .take_away(&[
        "aws guardduty accept-administrator-invitation --detector-id {detector} --administrator-id {?ADMINISTRATOR_ID} --invitation-id {?INVITATION_ID}",
    ])
    .needed_by(WATCHERS)
    .source("GuardDuty API Reference, DisassociateFromAdministratorAccount; ATT&CK T1562.001"),
    row(&["guardduty:DisableOrganizationAdminAccount"], Blinds, Thing::DetectorMember)
        .object(&["in.adminAccountId"])
        .names(&[("administrator", &["in.adminAccountId"])])
        .why("Nobody administers GuardDuty for the organization in this region.")
        .look(&["aws guardduty list-organization-admin-accounts"])
        .take_away(&["aws guardduty enable-organization-admin-account --admin-account-id {administrator}"])
        .needed_by(WATCHERS)
        .source("GuardDuty API Reference, DisableOrganizationAdminAccount; ATT&CK T1562.001"),
    row(&["guardduty:DeletePublishingDestination"], Blinds, Thing::FindingExport)
        .object(&["in.destinationId"])
        .names(&[("detector", &["in.detectorId"])])
        .why("Findings are no longer exported to the bucket, which the templates name.")
        .look(&["aws guardduty list-publishing-destinations --detector-id {detector}"])
        .take_away(&[
            "aws guardduty create-publishing-destination --detector-id {detector} --destination-type S3 --destination-properties DestinationArn={?BUCKET_ARN},KmsKeyArn={?KEY_ARN}",
        ])
        .needed_by(WATCHERS)
        .source("GuardDuty API Reference, DeletePublishingDestination; hackingthe.cloud, Modify GuardDuty Configuration"),
    row(&["securityhub:DisableSecurityHub"], Blinds, Thing::SecurityHub)
        .object(&["who.accountId"])
        .why("Security Hub no longer collects findings in this region; what it had is kept for 90 days.")
        .look(&["aws securityhub describe-hub"])
        .take_away(&["aws securityhub enable-security-hub"])
        .needed_by(WATCHERS)
        .source("Security Hub API Reference, DisableSecurityHub; Panther aws_securityhub_finding_evasion; ATT&CK T1562.001"),
    row(&["securityhub:BatchUpdateFindings"], Blinds, Thing::HubFinding)
        .when(is_settled)
        .object(&["in.FindingIdentifiers.*.Id"])
        .names(&[
            ("finding", &["in.FindingIdentifiers.0.Id"]),
            ("product", &["in.FindingIdentifiers.0.ProductArn"]),
        ])
        .why("The findings count as dealt with. The command is for the first of them.")
        .look(&["aws securityhub get-finding-history --finding-identifier Id={finding},ProductArn={product}"])
        .take_away(&[
            "aws securityhub batch-update-findings --finding-identifiers Id={finding},ProductArn={product} --workflow Status=NEW",
        ])
        .needed_by(WATCHERS)
        .source("Security Hub API Reference, BatchUpdateFindings; Panther aws_securityhub_finding_evasion; ATT&CK T1562.001"),
    row(&["access-analyzer:DeleteAnalyzer"], Blinds, Thing::Analyzer)
        .object(&["in.analyzerName"])
        .names(&[("analyzer", &["in.analyzerName"])])
        .why("Nothing reports any more what is shared with others.")
        .look(&["aws accessanalyzer list-analyzers"])
        .take_away(&["aws accessanalyzer create-analyzer --analyzer-name {analyzer} --type ACCOUNT"])
        .needed_by(WATCHERS)
        .source("IAM Access Analyzer API Reference, DeleteAnalyzer; ATT&CK T1562.001"),
    row(&["access-analyzer:CreateArchiveRule", "access-analyzer:UpdateArchiveRule"], Blinds, Thing::FindingFilter)
        .object(&["in.ruleName"])
        .names(&[("analyzer", &["in.analyzerName"]), ("rule", &["in.ruleName"])])
        .why("Findings that match it are archived unseen.")
        .look(&["aws accessanalyzer get-archive-rule --analyzer-name {analyzer} --rule-name {rule}"])
        .take_away(&["aws accessanalyzer delete-archive-rule --analyzer-name {analyzer} --rule-name {rule}"])
        .needed_by("Those who archived findings by a rule of this name before.")
        .source("IAM Access Analyzer API Reference, CreateArchiveRule; ATT&CK T1562.001"),
    row(&["macie2:DisableMacie"], Blinds, Thing::Macie)
        .object(&["who.accountId"])
        .why("Macie no longer watches buckets in this region, and its findings are gone.")
        .look(&["aws macie2 get-macie-session"])
        .take_away(&["aws macie2 enable-macie"])
        .needed_by(WATCHERS)
        .source("Macie API Reference, DisableMacie; Panther aws_macie_evasion; ATT&CK T1562.001"),
    row(&["macie2:UpdateMacieSession"], Blinds, Thing::Macie)
        .when(|record| read::is(record, "in.status", "PAUSED"))
        .object(&["who.accountId"])
        .why("Macie no longer watches buckets in this region.")
        .look(&["aws macie2 get-macie-session"])
        .take_away(&["aws macie2 update-macie-session --status ENABLED"])
        .needed_by(WATCHERS)
        .source("Macie API Reference, UpdateMacieSession; Panther aws_macie_evasion; ATT&CK T1562.001"),
    row(&["monitoring:DeleteAlarms"], Blinds, Thing::Alarm)
        .object(&["in.alarmNames.*"])
        .names(&[("alarms", &["in.alarmNames.*"])])
        .why("Nobody is alarmed any more. The alarms are in their history and in the templates.")
        .look(&["aws cloudwatch describe-alarm-history --alarm-name {each:alarms} --history-item-type ConfigurationUpdate"])
        .take_away(&["aws cloudwatch put-metric-alarm --cli-input-json 'file://<EARLIER_ALARM>.json'"])
        .needed_by("Those whom the alarms wake.")
        .source("CloudWatch API Reference, DeleteAlarms; ATT&CK T1562.001"),
    row(&["monitoring:DisableAlarmActions"], Blinds, Thing::Alarm)
        .object(&["in.alarmNames.*"])
        .names(&[("alarms", &["in.alarmNames.*"])])
        .why("The alarms are still there, but they start nothing.")
        .look(&["aws cloudwatch describe-alarms --alarm-names {*alarms}"])
        .take_away(&["aws cloudwatch enable-alarm-actions --alarm-names {*alarms}"])
        .needed_by("Those whom the alarms wake.")
        .source("CloudWatch API Reference, DisableAlarmActions; ATT&CK T1562.001"),
];
