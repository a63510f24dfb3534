//! ECS and EKS: containers, and who may do what in a cluster.

use super::row::{Row, row};
use crate::trail::Meaning::Persists;
use crate::trail::{Thing, read};

pub(super) const ROWS: &[Row] = &[
    row(&["ecs:RunTask", "ecs:StartTask"], Persists, Thing::Task)
        .object(&["out.tasks.*.taskArn", "in.taskDefinition"])
        .names(&[
            ("cluster", &["in.cluster"]),
            ("tasks", &["out.tasks.*.taskArn"]),
            ("definition", &["in.taskDefinition"]),
        ])
        .why("Its containers run with the task's role.")
        .look(&["aws ecs describe-tasks [--cluster {cluster}] --tasks {*tasks}"])
        .take_away(&["aws ecs stop-task [--cluster {cluster}] --task {each:tasks}"])
        .source("ECS API Reference, RunTask; ATT&CK T1610; hackingthe.cloud, Abusing Overpermissioned ECS"),
    row(&["ecs:RegisterTaskDefinition"], Persists, Thing::TaskDefinition)
        .object(&["out.taskDefinition.taskDefinitionArn", "in.family"])
        .names(&[
            ("definition", &["out.taskDefinition.taskDefinitionArn", "in.family"]),
            ("role", &["in.taskRoleArn"]),
        ])
        .why("Tasks that are started from it run the thief's containers with its role.")
        .look(&["aws ecs describe-task-definition --task-definition {definition}"])
        .take_away(&["aws ecs deregister-task-definition --task-definition {definition}"])
        .source("ECS API Reference, RegisterTaskDefinition; ATT&CK T1525, T1610"),
    row(&["ecs:CreateService"], Persists, Thing::Service)
        .object(&["out.service.serviceArn", "in.serviceName"])
        .names(&[("cluster", &["in.cluster"]), ("service", &["in.serviceName"])])
        .why("It keeps the thief's tasks running.")
        .look(&["aws ecs describe-services [--cluster {cluster}] --services {service}"])
        .take_away(&[
            "aws ecs update-service [--cluster {cluster}] --service {service} --desired-count 0",
            "aws ecs delete-service [--cluster {cluster}] --service {service} --force",
        ])
        .source("ECS API Reference, CreateService; ATT&CK T1610"),
    row(&["ecs:UpdateService"], Persists, Thing::Service)
        .when(|record| read::has(record, "in.taskDefinition") || read::is(record, "in.enableExecuteCommand", "true"))
        .object(&["out.service.serviceArn", "in.service"])
        .names(&[("cluster", &["in.cluster"]), ("service", &["in.service"])])
        .why("It may run the thief's containers now, or let him into them. The earlier revision is in the list.")
        .look(&[
            "aws ecs describe-services [--cluster {cluster}] --services {service}",
            "aws ecs list-task-definitions --sort DESC",
        ])
        .take_away(&[
            "aws ecs update-service [--cluster {cluster}] --service {service} --task-definition {?EARLIER_TASK_DEFINITION} --disable-execute-command --force-new-deployment",
        ])
        .needed_by("Those who use the service.")
        .source("ECS API Reference, UpdateService; ATT&CK T1610, T1609"),
    row(&["ecs:ExecuteCommand"], Persists, Thing::Shell)
        .object(&["out.session.sessionId", "in.task"])
        .names(&[
            ("cluster", &["in.cluster"]),
            ("task", &["in.task"]),
            ("session", &["out.session.sessionId"]),
        ])
        .why("It is a shell in a container, and lives on when the credentials are denied.")
        .look(&[
            "aws ecs describe-tasks [--cluster {cluster}] --tasks {task}",
            "aws ssm describe-sessions --state Active --filters key=SessionId,value={session}",
        ])
        .take_away(&["aws ssm terminate-session --session-id {session}"])
        .source("ECS API Reference, ExecuteCommand; ATT&CK T1609"),
    row(&["eks:CreateAccessEntry"], Persists, Thing::ClusterAccess)
        .object(&["out.accessEntry.accessEntryArn", "in.principalArn"])
        .names(&[
            ("cluster", &["out.accessEntry.clusterName", "in.name", "in.clusterName"]),
            ("principal", &["in.principalArn", "out.accessEntry.principalArn"]),
        ])
        .principals(&["in.principalArn"])
        .why("The principal may do in the cluster what its groups and access policies allow.")
        .look(&[
            "aws eks describe-access-entry --cluster-name {cluster} --principal-arn {principal}",
            "aws eks list-associated-access-policies --cluster-name {cluster} --principal-arn {principal}",
        ])
        .take_away(&["aws eks delete-access-entry --cluster-name {cluster} --principal-arn {principal}"])
        .source("EKS API Reference, CreateAccessEntry; Stratus Red Team eks.lateral-movement.create-access-entry; ATT&CK T1098.006"),
    row(&["eks:UpdateAccessEntry"], Persists, Thing::ClusterAccess)
        .object(&["out.accessEntry.accessEntryArn", "in.principalArn"])
        .names(&[
            ("cluster", &["out.accessEntry.clusterName", "in.name", "in.clusterName"]),
            ("principal", &["in.principalArn", "out.accessEntry.principalArn"]),
        ])
        .why("The principal is in other groups of the cluster now.")
        .look(&["aws eks describe-access-entry --cluster-name {cluster} --principal-arn {principal}"])
        .take_away(&[
            "aws eks update-access-entry --cluster-name {cluster} --principal-arn {principal} --kubernetes-groups {?EARLIER_GROUPS}",
        ])
        .needed_by("Those who use the cluster as this principal.")
        .source("EKS API Reference, UpdateAccessEntry; ATT&CK T1098.006"),
    row(&["eks:AssociateAccessPolicy"], Persists, Thing::ClusterAccess)
        .object(&["in.policyArn"])
        .names(&[
            ("cluster", &["in.name", "in.clusterName", "out.clusterName"]),
            ("principal", &["in.principalArn", "out.principalArn"]),
            ("policy", &["in.policyArn"]),
        ])
        .principals(&["in.principalArn"])
        .why("The principal may do in the cluster what the policy allows.")
        .look(&["aws eks list-associated-access-policies --cluster-name {cluster} --principal-arn {principal}"])
        .take_away(&[
            "aws eks disassociate-access-policy --cluster-name {cluster} --principal-arn {principal} --policy-arn {policy}",
        ])
        .needed_by("Those who use the cluster as this principal, if it had the policy before.")
        .source("EKS API Reference, AssociateAccessPolicy; Stratus Red Team eks.lateral-movement.create-access-entry"),
    row(&["eks:CreatePodIdentityAssociation"], Persists, Thing::ClusterAccess)
        .object(&["out.association.associationArn"])
        .names(&[
            ("cluster", &["out.association.clusterName", "in.name", "in.clusterName"]),
            ("association", &["out.association.associationId"]),
            ("role", &["in.roleArn"]),
        ])
        .why("Pods with the service account get credentials of the role.")
        .look(&["aws eks describe-pod-identity-association --cluster-name {cluster} --association-id {association}"])
        .take_away(&["aws eks delete-pod-identity-association --cluster-name {cluster} --association-id {association}"])
        .source("EKS API Reference, CreatePodIdentityAssociation; ATT&CK T1098.003"),
];
