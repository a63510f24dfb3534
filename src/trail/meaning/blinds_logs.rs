//! What is no longer recorded: trails, flow logs, log groups, the configuration, the organization's policies.

use super::row::{Row, row};
use crate::trail::Meaning::Blinds;
use crate::trail::Thing;

const WATCHERS: &str = "Those who watch the account.";

pub(super) const ROWS: &[Row] = &[
    row(&["cloudtrail:StopLogging"], Blinds, Thing::Trail)
        .object(&["in.name"])
        .names(&[("trail", &["in.name"])])
        .why("What is done since is not in the trail.")
        .look(&["aws cloudtrail get-trail-status --name {trail}"])
        .take_away(&["aws cloudtrail start-logging --name {trail}"])
        .needed_by(WATCHERS)
        .source("CloudTrail API Reference, StopLogging; Stratus Red Team cloudtrail-stop; ATT&CK T1562.008"),
    row(&["cloudtrail:DeleteTrail"], Blinds, Thing::Trail)
        .object(&["in.name"])
        .names(&[("trail", &["in.name"])])
        .why("What is done since is not in the trail. Its log files are still in their bucket, which the templates name.")
        .look(&["aws cloudtrail describe-trails"])
        .take_away(&[
            "aws cloudtrail create-trail --name {trail} --s3-bucket-name {?LOG_BUCKET} --is-multi-region-trail --enable-log-file-validation",
            "aws cloudtrail start-logging --name {trail}",
        ])
        .needed_by(WATCHERS)
        .source("CloudTrail API Reference, DeleteTrail; Stratus Red Team cloudtrail-delete; ATT&CK T1562.008"),
    row(&["cloudtrail:UpdateTrail"], Blinds, Thing::Trail)
        .object(&["out.trailARN", "in.name"])
        .names(&[("trail", &["in.name"]), ("bucket", &["in.s3BucketName"])])
        .why("It may write elsewhere, without its checks, or of one region only. The earlier settings are in AWS Config or in the templates.")
        .look(&["aws cloudtrail get-trail --name {trail}"])
        .take_away(&[
            "aws cloudtrail update-trail --name {trail} --s3-bucket-name {?LOG_BUCKET} --is-multi-region-trail --include-global-service-events --enable-log-file-validation",
        ])
        .needed_by(WATCHERS)
        .source("CloudTrail API Reference, UpdateTrail; SigmaHQ on CloudTrail changes; ATT&CK T1562.008"),
    row(&["cloudtrail:PutEventSelectors"], Blinds, Thing::EventSelectors)
        .object(&["out.trailARN", "in.trailName"])
        .names(&[("trail", &["in.trailName"])])
        .why("What they leave out is not in the trail. The command records all management events; data events are in the templates.")
        .look(&["aws cloudtrail get-event-selectors --trail-name {trail}"])
        .take_away(&[
            "aws cloudtrail put-event-selectors --trail-name {trail} --event-selectors ReadWriteType=All,IncludeManagementEvents=true",
        ])
        .needed_by(WATCHERS)
        .source("CloudTrail API Reference, PutEventSelectors; Stratus Red Team cloudtrail-event-selectors; ATT&CK T1562.008"),
    row(&["cloudtrail:PutInsightSelectors"], Blinds, Thing::EventSelectors)
        .object(&["out.trailARN", "in.trailName"])
        .names(&[("trail", &["in.trailName"])])
        .why("Unusual numbers of calls and errors may no longer be reported.")
        .look(&["aws cloudtrail get-insight-selectors --trail-name {trail}"])
        .take_away(&[
            "aws cloudtrail put-insight-selectors --trail-name {trail} --insight-selectors InsightType=ApiCallRateInsight InsightType=ApiErrorRateInsight",
        ])
        .needed_by(WATCHERS)
        .source("CloudTrail API Reference, PutInsightSelectors; ATT&CK T1562.008"),
    row(&["cloudtrail:StopEventDataStoreIngestion"], Blinds, Thing::EventDataStore)
        .object(&["in.eventDataStore"])
        .names(&[("store", &["in.eventDataStore"])])
        .why("What is done since is not in the store.")
        .look(&["aws cloudtrail get-event-data-store --event-data-store {store}"])
        .take_away(&["aws cloudtrail start-event-data-store-ingestion --event-data-store {store}"])
        .needed_by(WATCHERS)
        .source("CloudTrail API Reference, StopEventDataStoreIngestion; ATT&CK T1562.008"),
    row(&["cloudtrail:DeleteEventDataStore"], Blinds, Thing::EventDataStore)
        .object(&["in.eventDataStore"])
        .names(&[("store", &["in.eventDataStore"])])
        .why("What it holds is deleted seven days later, unless it is restored before.")
        .look(&["aws cloudtrail get-event-data-store --event-data-store {store}"])
        .take_away(&["aws cloudtrail restore-event-data-store --event-data-store {store}"])
        .needed_by(WATCHERS)
        .source("CloudTrail API Reference, DeleteEventDataStore, RestoreEventDataStore; ATT&CK T1562.008"),
    row(&["ec2:DeleteFlowLogs"], Blinds, Thing::FlowLog)
        .object(&["in.DeleteFlowLogsRequest.FlowLogId.*", "in.DeleteFlowLogsRequest.FlowLogId"])
        .names(&[("flow_logs", &["in.DeleteFlowLogsRequest.FlowLogId.*", "in.DeleteFlowLogsRequest.FlowLogId"])])
        .why("Network traffic is no longer recorded. What they recorded, and where, is in the templates.")
        .look(&["aws ec2 describe-flow-logs"])
        .take_away(&[
            "aws ec2 create-flow-logs --resource-type VPC --resource-ids {?VPC_ID} --traffic-type ALL --log-destination-type s3 --log-destination {?LOG_BUCKET_ARN}",
        ])
        .needed_by(WATCHERS)
        .source("EC2 API Reference, DeleteFlowLogs; Stratus Red Team vpc-remove-flow-logs; ATT&CK T1562.008"),
    row(
        &["route53resolver:DeleteResolverQueryLogConfig", "route53resolver:DisassociateResolverQueryLogConfig"],
        Blinds,
        Thing::QueryLog,
    )
    .object(&[
        "out.resolverQueryLogConfig.arn",
        "out.resolverQueryLogConfigAssociation.resolverQueryLogConfigId",
        "in.resolverQueryLogConfigId",
    ])
    .names(&[
        ("config", &["in.resolverQueryLogConfigId"]),
        ("vpc", &["in.resourceId"]),
        ("destination", &["out.resolverQueryLogConfig.destinationArn"]),
        ("name", &["out.resolverQueryLogConfig.name"]),
    ])
    .why("DNS queries are no longer recorded. The first command is not needed when only the association was removed.")
    .look(&["aws route53resolver list-resolver-query-log-configs"])
    .take_away(&[
        "aws route53resolver create-resolver-query-log-config --name {name} --destination-arn {destination} --creator-request-id {event}",
        "aws route53resolver associate-resolver-query-log-config --resolver-query-log-config-id {?NEW_CONFIG_ID} --resource-id {vpc}",
    ])
    .needed_by(WATCHERS)
    .source("Route 53 Resolver API Reference, DeleteResolverQueryLogConfig; Stratus Red Team dns-delete-logs; ATT&CK T1562.008"),
    row(&["logs:DeleteLogGroup"], Blinds, Thing::LogGroup)
        .object(&["in.logGroupName"])
        .names(&[("group", &["in.logGroupName"])])
        .why("What was in it is gone for good, and what is written to it fails.")
        .look(&["aws logs describe-log-groups --log-group-name-prefix {group}"])
        .take_away(&["aws logs create-log-group --log-group-name {group}"])
        .needed_by("Those who read these logs, and what writes them.")
        .source("CloudWatch Logs API Reference, DeleteLogGroup; ATT&CK T1070, T1562.008"),
    row(&["logs:DeleteLogStream"], Blinds, Thing::LogGroup)
        .object(&["in.logStreamName"])
        .names(&[("group", &["in.logGroupName"]), ("stream", &["in.logStreamName"])])
        .why("What was in it is gone for good.")
        .look(&["aws logs describe-log-streams --log-group-name {group}"])
        .take_away(&["aws logs create-log-stream --log-group-name {group} --log-stream-name {stream}"])
        .needed_by("Those who read these logs, and what writes them.")
        .source("CloudWatch Logs API Reference, DeleteLogStream; ATT&CK T1070, T1562.008"),
    row(&["logs:PutRetentionPolicy"], Blinds, Thing::Retention)
        .object(&["in.logGroupName"])
        .names(&[("group", &["in.logGroupName"]), ("days", &["in.retentionInDays"])])
        .why("Logs older than that are deleted within days. The command keeps them for good; the earlier time is in the templates.")
        .look(&["aws logs describe-log-groups --log-group-name-prefix {group}"])
        .take_away(&["aws logs delete-retention-policy --log-group-name {group}"])
        .needed_by("Those who read these logs.")
        .source("CloudWatch Logs API Reference, PutRetentionPolicy; ATT&CK T1070, T1562.008"),
    row(&["logs:DeleteSubscriptionFilter", "logs:DeleteMetricFilter"], Blinds, Thing::LogFilter)
        .object(&["in.filterName"])
        .names(&[("group", &["in.logGroupName"]), ("filter", &["in.filterName"])])
        .why("What watched these logs no longer gets them. The filter is in the templates.")
        .look(&[
            "aws logs describe-subscription-filters --log-group-name {group}",
            "aws logs describe-metric-filters --log-group-name {group}",
        ])
        .take_away(&["aws logs put-subscription-filter --cli-input-json 'file://<EARLIER_FILTER>.json'"])
        .needed_by("Those who watch these logs.")
        .source("CloudWatch Logs API Reference, DeleteSubscriptionFilter, DeleteMetricFilter; ATT&CK T1562.008"),
    row(&["config:StopConfigurationRecorder"], Blinds, Thing::Recorder)
        .object(&["in.configurationRecorderName"])
        .names(&[("recorder", &["in.configurationRecorderName"])])
        .why("Changes are no longer recorded by AWS Config.")
        .look(&["aws configservice describe-configuration-recorder-status"])
        .take_away(&["aws configservice start-configuration-recorder --configuration-recorder-name {recorder}"])
        .needed_by(WATCHERS)
        .source("Config API Reference, StopConfigurationRecorder; Panther aws_config_service_disabled_deleted; ATT&CK T1562.001"),
    row(&["config:DeleteConfigurationRecorder"], Blinds, Thing::Recorder)
        .object(&["in.configurationRecorderName"])
        .names(&[("recorder", &["in.configurationRecorderName"])])
        .why("Changes are no longer recorded by AWS Config. The recorder's role is in the templates.")
        .look(&["aws configservice describe-configuration-recorders"])
        .take_away(&[
            "aws configservice put-configuration-recorder --configuration-recorder name={recorder},roleARN={?RECORDER_ROLE_ARN}",
            "aws configservice start-configuration-recorder --configuration-recorder-name {recorder}",
        ])
        .needed_by(WATCHERS)
        .source("Config API Reference, DeleteConfigurationRecorder; SigmaHQ on AWS Config disabling; ATT&CK T1562.001"),
    row(&["config:DeleteDeliveryChannel"], Blinds, Thing::Recorder)
        .object(&["in.deliveryChannelName"])
        .names(&[("channel", &["in.deliveryChannelName"])])
        .why("AWS Config no longer delivers what it records. The bucket is in the templates.")
        .look(&["aws configservice describe-delivery-channels"])
        .take_away(&[
            "aws configservice put-delivery-channel --delivery-channel name={channel},s3BucketName={?LOG_BUCKET}",
        ])
        .needed_by(WATCHERS)
        .source("Config Developer Guide, Example Log Files, DeleteDeliveryChannel; ATT&CK T1562.001"),
    row(&["config:DeleteConfigRule"], Blinds, Thing::ConfigRule)
        .object(&["in.configRuleName"])
        .names(&[("rule", &["in.configRuleName"])])
        .why("Nothing checks any more what the rule checked. It is in the templates.")
        .look(&["aws configservice describe-config-rules"])
        .take_away(&["aws configservice put-config-rule --config-rule 'file://<EARLIER_RULE>.json'"])
        .needed_by(WATCHERS)
        .source("Config API Reference, DeleteConfigRule; ATT&CK T1562.001"),
    row(
        &["bedrock:DeleteModelInvocationLoggingConfiguration"],
        Blinds,
        Thing::ModelLog,
    )
    .object(&["who.accountId"])
    .why("What models are asked is no longer recorded. The configuration is in the templates.")
    .look(&["aws bedrock get-model-invocation-logging-configuration"])
    .take_away(&[
        "aws bedrock put-model-invocation-logging-configuration --logging-config 'file://<EARLIER_CONFIGURATION>.json'",
    ])
    .needed_by(WATCHERS)
    .source("Bedrock API Reference, DeleteModelInvocationLoggingConfiguration; Panther; ATT&CK T1562.008"),
    row(&["organizations:LeaveOrganization"], Blinds, Thing::OrganizationMembership)
        .object(&["who.accountId"])
        .why("The account is outside the organization: its policies, its trails and its GuardDuty no longer reach it. The command is run in the management account.")
        .look(&["aws organizations list-accounts"])
        .take_away(&["aws organizations invite-account-to-organization --target Id={own_account},Type=ACCOUNT"])
        .needed_by("Everybody who works in the account.")
        .source("Organizations API Reference, LeaveOrganization; Stratus Red Team organizations-leave; ATT&CK T1666"),
    row(&["organizations:RemoveAccountFromOrganization"], Blinds, Thing::OrganizationMembership)
        .object(&["in.accountId"])
        .names(&[("removed", &["in.accountId"])])
        .why("The account is outside the organization: its policies, its trails and its GuardDuty no longer reach it.")
        .look(&["aws organizations list-accounts"])
        .take_away(&["aws organizations invite-account-to-organization --target Id={removed},Type=ACCOUNT"])
        .needed_by("Everybody who works in the account.")
        .source("Organizations API Reference, RemoveAccountFromOrganization; ATT&CK T1666"),
    row(&["organizations:DetachPolicy"], Blinds, Thing::OrganizationPolicy)
        .object(&["in.policyId"])
        .names(&[("policy", &["in.policyId"]), ("target", &["in.targetId"])])
        .why("What the policy forbade in these accounts is allowed again.")
        .look(&[
            "aws organizations describe-policy --policy-id {policy}",
            "aws organizations list-targets-for-policy --policy-id {policy}",
        ])
        .take_away(&["aws organizations attach-policy --policy-id {policy} --target-id {target}"])
        .needed_by("Those whom the policy protects.")
        .source("Organizations API Reference, DetachPolicy; ATT&CK T1562, T1666"),
    row(&["organizations:UpdatePolicy"], Blinds, Thing::OrganizationPolicy)
        .object(&["in.policyId"])
        .names(&[("policy", &["in.policyId"])])
        .why("What the policy forbade may be allowed again. The earlier content is in the templates.")
        .look(&["aws organizations describe-policy --policy-id {policy}"])
        .take_away(&["aws organizations update-policy --policy-id {policy} --content 'file://<EARLIER_POLICY>.json'"])
        .needed_by("Those whom the policy protects.")
        .source("Organizations API Reference, UpdatePolicy; ATT&CK T1562, T1666"),
    row(&["organizations:DisablePolicyType"], Blinds, Thing::OrganizationPolicy)
        .object(&["in.policyType"])
        .names(&[("root", &["in.rootId"]), ("type", &["in.policyType"])])
        .why("No policy of this type counts any more. Their attachments are lost: after the command each has to be attached again.")
        .look(&["aws organizations list-policies --filter {type}"])
        .take_away(&["aws organizations enable-policy-type --root-id {root} --policy-type {type}"])
        .needed_by("Those whom the policies protect.")
        .source("Organizations API Reference, DisablePolicyType; ATT&CK T1562, T1666"),
];
