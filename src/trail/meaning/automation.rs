//! What runs by itself: stacks, rules, schedules, builds.

use super::row::{Row, row};
use crate::trail::Meaning::Persists;
use crate::trail::Thing;

pub(super) const ROWS: &[Row] = &[
    row(&["cloudformation:CreateStack"], Persists, Thing::Stack)
        .object(&["out.stackId", "in.stackName"])
        .names(&[("stack", &["out.stackId", "in.stackName"]), ("role", &["in.roleARN"])])
        .why("What it made was made by CloudFormation, which may not show under the stolen key: look at its resources.")
        .look(&[
            "aws cloudformation describe-stack-resources --stack-name {stack}",
            "aws cloudformation get-template --stack-name {stack}",
        ])
        .take_away(&["aws cloudformation delete-stack --stack-name {stack}"])
        .source("CloudFormation API Reference, CreateStack; ATT&CK T1098; hackingthe.cloud, IAM Privilege Escalation"),
    row(&["cloudformation:UpdateStack", "cloudformation:ExecuteChangeSet"], Persists, Thing::ChangedStack)
        .object(&["out.stackId", "in.stackName"])
        .names(&[("stack", &["out.stackId", "in.stackName"]), ("role", &["in.roleARN"])])
        .why("It may have made users, roles and functions. The earlier template is with those who deploy the stack.")
        .look(&[
            "aws cloudformation describe-stack-events --stack-name {stack}",
            "aws cloudformation get-template --stack-name {stack}",
        ])
        .take_away(&[
            "aws cloudformation update-stack --stack-name {stack} --template-body 'file://<EARLIER_TEMPLATE>.yaml' --capabilities CAPABILITY_NAMED_IAM",
        ])
        .needed_by("Those who use what the stack made.")
        .source("CloudFormation API Reference, UpdateStack, ExecuteChangeSet; ATT&CK T1098"),
    row(&["cloudformation:CreateStackSet"], Persists, Thing::Stack)
        .object(&["in.stackSetName"])
        .names(&[("stack_set", &["in.stackSetName"])])
        .why("It makes its stack in other accounts. It can be deleted once the list of its instances is empty.")
        .look(&[
            "aws cloudformation describe-stack-set --stack-set-name {stack_set}",
            "aws cloudformation list-stack-instances --stack-set-name {stack_set}",
        ])
        .take_away(&["aws cloudformation delete-stack-set --stack-set-name {stack_set}"])
        .source("CloudFormation API Reference, CreateStackSet; ATT&CK T1098"),
    row(&["events:PutRule"], Persists, Thing::EventRule)
        .object(&["out.ruleArn", "in.name"])
        .names(&[("rule", &["in.name"]), ("bus", &["in.eventBusName"])])
        .why("It starts its targets by itself: at a time, or when something happens in the account. It can be deleted once it has no targets.")
        .look(&[
            "aws events describe-rule --name {rule} [--event-bus-name {bus}]",
            "aws events list-targets-by-rule --rule {rule} [--event-bus-name {bus}]",
        ])
        .take_away(&[
            "aws events disable-rule --name {rule} [--event-bus-name {bus}]",
            "aws events delete-rule --name {rule} [--event-bus-name {bus}]",
        ])
        .needed_by("Those who use the rule, if one of this name was there before.")
        .source("EventBridge API Reference, PutRule, DeleteRule; ATT&CK T1546; hackingthe.cloud, IAM Persistence"),
    row(&["events:PutTargets"], Persists, Thing::EventTarget)
        .object(&["in.rule"])
        .names(&[("rule", &["in.rule"]), ("bus", &["in.eventBusName"]), ("targets", &["in.targets.*.id"])])
        .principals(&["in.targets.*.arn"])
        .why("What the rule matches goes to the thief's targets.")
        .look(&["aws events list-targets-by-rule --rule {rule} [--event-bus-name {bus}]"])
        .take_away(&["aws events remove-targets --rule {rule} [--event-bus-name {bus}] --ids {*targets}"])
        .needed_by("Those who use the targets, if they were there before.")
        .source("EventBridge API Reference, PutTargets; ATT&CK T1546"),
    row(&["events:PutPermission"], Persists, Thing::ResourcePolicy)
        .object(&["in.eventBusName"])
        .names(&[("bus", &["in.eventBusName"]), ("statement", &["in.statementId"])])
        .principals(&["in.principal"])
        .documents(&["in.policy"])
        .why("Others can put events on the bus, and so start what its rules start.")
        .look(&["aws events describe-event-bus [--name {bus}]"])
        .take_away(&["aws events remove-permission --statement-id {statement} [--event-bus-name {bus}]"])
        .source("EventBridge API Reference, PutPermission; ATT&CK T1098"),
    row(&["scheduler:CreateSchedule", "scheduler:UpdateSchedule"], Persists, Thing::Schedule)
        .object(&["out.scheduleArn", "in.name"])
        .names(&[("schedule", &["in.name"]), ("group", &["in.groupName"])])
        .why("It starts its target by itself, with its role.")
        .look(&["aws scheduler get-schedule --name {schedule} [--group-name {group}]"])
        .take_away(&["aws scheduler delete-schedule --name {schedule} [--group-name {group}]"])
        .needed_by("Those who use the schedule, if it was there before.")
        .source("EventBridge Scheduler API Reference, CreateSchedule; ATT&CK T1053"),
    row(&["codebuild:CreateProject", "codebuild:UpdateProject"], Persists, Thing::BuildProject)
        .object(&["out.project.arn", "in.name"])
        .names(&[("project", &["in.name"])])
        .why("Builds run the thief's commands with the project's role, by a webhook from outside too.")
        .look(&["aws codebuild batch-get-projects --names {project}"])
        .take_away(&["aws codebuild delete-project --name {project}"])
        .needed_by("Those who build with this project, if it was there before.")
        .source("CodeBuild API Reference, CreateProject; hackingthe.cloud, CodeBuild GitHub Runner Persistence"),
    row(&["account:EnableRegion"], Persists, Thing::Region)
        .object(&["in.RegionName"])
        .names(&[("enabled", &["in.RegionName"])])
        .why("It opens a region that nobody may be watching.")
        .look(&["aws account get-region-opt-status --region-name {enabled}"])
        .take_away(&["aws account disable-region --region-name {enabled}"])
        .source("Account Management API Reference, EnableRegion; ATT&CK T1535; SigmaHQ on EnableRegion"),
];
