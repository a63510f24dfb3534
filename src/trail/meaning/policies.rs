//! Policies of roles, users and groups, and their boundaries.

use super::row::{Row, row};
use crate::trail::Meaning::Persists;
use crate::trail::{Thing, read};

const ROLE: &str = "The workloads that assume this role, if the policy was there before.";
const USER: &str = "The user, if the policy was there before.";
const GROUP: &str = "The users of the group, if the policy was there before.";

pub(super) const ROWS: &[Row] = &[
    row(&["iam:PutRolePolicy"], Persists, Thing::Policy)
        .object(&["in.policyName"])
        .names(&[("role", &["in.roleName"]), ("policy", &["in.policyName"])])
        .why("The role may do what this inline policy allows. One of the same name that stood there before is gone.")
        .look(&["aws iam get-role-policy --role-name {role} --policy-name {policy}"])
        .take_away(&["aws iam delete-role-policy --role-name {role} --policy-name {policy}"])
        .needed_by(ROLE)
        .source("IAM API Reference, PutRolePolicy; ATT&CK T1098.003; hackingthe.cloud, IAM Privilege Escalation"),
    row(&["iam:PutUserPolicy"], Persists, Thing::Policy)
        .object(&["in.policyName"])
        .names(&[("user", &["in.userName"]), ("policy", &["in.policyName"])])
        .why("The user may do what this inline policy allows. One of the same name that stood there before is gone.")
        .look(&["aws iam get-user-policy --user-name {user} --policy-name {policy}"])
        .take_away(&["aws iam delete-user-policy --user-name {user} --policy-name {policy}"])
        .needed_by(USER)
        .source("IAM API Reference, PutUserPolicy; ATT&CK T1098.003; SigmaHQ on PutUserPolicy"),
    row(&["iam:PutGroupPolicy"], Persists, Thing::Policy)
        .object(&["in.policyName"])
        .names(&[("group", &["in.groupName"]), ("policy", &["in.policyName"])])
        .why("The users of the group may do what this inline policy allows. One of the same name that stood there before is gone.")
        .look(&["aws iam get-group-policy --group-name {group} --policy-name {policy}"])
        .take_away(&["aws iam delete-group-policy --group-name {group} --policy-name {policy}"])
        .needed_by(GROUP)
        .source("IAM API Reference, PutGroupPolicy; ATT&CK T1098.003"),
    row(&["iam:AttachRolePolicy"], Persists, Thing::Policy)
        .object(&["in.policyArn"])
        .names(&[("role", &["in.roleName"]), ("policy", &["in.policyArn"])])
        .why("The role may do what this managed policy allows.")
        .look(&["aws iam list-attached-role-policies --role-name {role}", "aws iam get-policy --policy-arn {policy}"])
        .take_away(&["aws iam detach-role-policy --role-name {role} --policy-arn {policy}"])
        .needed_by(ROLE)
        .source("IAM API Reference, AttachRolePolicy; ATT&CK T1098.003; Stratus Red Team iam-create-backdoor-role"),
    row(&["iam:AttachUserPolicy"], Persists, Thing::Policy)
        .object(&["in.policyArn"])
        .names(&[("user", &["in.userName"]), ("policy", &["in.policyArn"])])
        .why("The user may do what this managed policy allows.")
        .look(&["aws iam list-attached-user-policies --user-name {user}", "aws iam get-policy --policy-arn {policy}"])
        .take_away(&["aws iam detach-user-policy --user-name {user} --policy-arn {policy}"])
        .needed_by(USER)
        .source("IAM API Reference, AttachUserPolicy; ATT&CK T1098.003; Stratus Red Team iam-create-admin-user"),
    row(&["iam:AttachGroupPolicy"], Persists, Thing::Policy)
        .object(&["in.policyArn"])
        .names(&[("group", &["in.groupName"]), ("policy", &["in.policyArn"])])
        .why("The users of the group may do what this managed policy allows.")
        .look(&["aws iam list-attached-group-policies --group-name {group}", "aws iam get-policy --policy-arn {policy}"])
        .take_away(&["aws iam detach-group-policy --group-name {group} --policy-arn {policy}"])
        .needed_by(GROUP)
        .source("IAM API Reference, AttachGroupPolicy; ATT&CK T1098.003"),
    row(&["iam:DetachRolePolicy"], Persists, Thing::RemovedPolicy)
        .object(&["in.policyArn"])
        .names(&[("role", &["in.roleName"]), ("policy", &["in.policyArn"])])
        .why("If the policy denied something, the role may do that again.")
        .look(&["aws iam list-attached-role-policies --role-name {role}", "aws iam get-policy --policy-arn {policy}"])
        .take_away(&["aws iam attach-role-policy --role-name {role} --policy-arn {policy}"])
        .needed_by("The workloads that assume this role, if the policy allowed what they need.")
        .source("IAM API Reference, DetachRolePolicy; hackingthe.cloud, IAM Persistence through Eventual Consistency"),
    row(&["iam:DetachUserPolicy"], Persists, Thing::RemovedPolicy)
        .object(&["in.policyArn"])
        .names(&[("user", &["in.userName"]), ("policy", &["in.policyArn"])])
        .why("If the policy denied something, the user may do that again.")
        .look(&["aws iam list-attached-user-policies --user-name {user}", "aws iam get-policy --policy-arn {policy}"])
        .take_away(&["aws iam attach-user-policy --user-name {user} --policy-arn {policy}"])
        .needed_by("The user, if the policy allowed what it needs.")
        .source("IAM API Reference, DetachUserPolicy; ATT&CK T1562, AWSCompromisedKeyQuarantine"),
    row(&["iam:DetachGroupPolicy"], Persists, Thing::RemovedPolicy)
        .object(&["in.policyArn"])
        .names(&[("group", &["in.groupName"]), ("policy", &["in.policyArn"])])
        .why("If the policy denied something, the users of the group may do that again.")
        .look(&["aws iam list-attached-group-policies --group-name {group}", "aws iam get-policy --policy-arn {policy}"])
        .take_away(&["aws iam attach-group-policy --group-name {group} --policy-arn {policy}"])
        .needed_by("The users of the group, if the policy allowed what they need.")
        .source("IAM API Reference, DetachGroupPolicy; ATT&CK T1562"),
    row(&["iam:DeleteRolePolicy"], Persists, Thing::RemovedPolicy)
        .object(&["in.policyName"])
        .names(&[("role", &["in.roleName"]), ("policy", &["in.policyName"])])
        .why("If the policy denied something, the role may do that again. It is in AWS Config or in the templates.")
        .look(&["aws iam list-role-policies --role-name {role}"])
        .take_away(&[
            "aws iam put-role-policy --role-name {role} --policy-name {policy} --policy-document 'file://<EARLIER_POLICY>.json'",
        ])
        .needed_by("The workloads that assume this role, if the policy allowed what they need.")
        .source("IAM API Reference, DeleteRolePolicy; hackingthe.cloud, IAM Persistence through Eventual Consistency"),
    row(&["iam:DeleteUserPolicy"], Persists, Thing::RemovedPolicy)
        .object(&["in.policyName"])
        .names(&[("user", &["in.userName"]), ("policy", &["in.policyName"])])
        .why("If the policy denied something, the user may do that again. It is in AWS Config or in the templates.")
        .look(&["aws iam list-user-policies --user-name {user}"])
        .take_away(&[
            "aws iam put-user-policy --user-name {user} --policy-name {policy} --policy-document 'file://<EARLIER_POLICY>.json'",
        ])
        .needed_by("The user, if the policy allowed what it needs.")
        .source("IAM API Reference, DeleteUserPolicy; ATT&CK T1562"),
    row(&["iam:DeleteRolePermissionsBoundary", "iam:PutRolePermissionsBoundary"], Persists, Thing::Boundary)
        .object(&["in.permissionsBoundary", "in.roleName"])
        .names(&[("role", &["in.roleName"])])
        .why("The role may do more than its boundary allowed. The earlier boundary is in AWS Config or in the templates.")
        .look(&["aws iam get-role --role-name {role}"])
        .take_away(&["aws iam put-role-permissions-boundary --role-name {role} --permissions-boundary {?EARLIER_BOUNDARY_ARN}"])
        .needed_by("The workloads that assume this role do not need it: their boundary stood there before.")
        .source("IAM API Reference, DeleteRolePermissionsBoundary; ATT&CK T1098.003"),
    row(&["iam:DeleteUserPermissionsBoundary", "iam:PutUserPermissionsBoundary"], Persists, Thing::Boundary)
        .object(&["in.permissionsBoundary", "in.userName"])
        .names(&[("user", &["in.userName"])])
        .why("The user may do more than its boundary allowed. The earlier boundary is in AWS Config or in the templates.")
        .look(&["aws iam get-user --user-name {user}"])
        .take_away(&["aws iam put-user-permissions-boundary --user-name {user} --permissions-boundary {?EARLIER_BOUNDARY_ARN}"])
        .needed_by("The user does not need it: the boundary stood there before.")
        .source("IAM API Reference, DeleteUserPermissionsBoundary; ATT&CK T1098.003"),
    row(&["iam:CreatePolicy"], Persists, Thing::Policy)
        .object(&["out.policy.arn", "in.policyName"])
        .names(&[("policy", &["out.policy.arn"])])
        .why("Attached to a principal it gives what it allows. It can be deleted once it is attached to nobody.")
        .look(&["aws iam get-policy --policy-arn {policy}", "aws iam list-entities-for-policy --policy-arn {policy}"])
        .take_away(&["aws iam delete-policy --policy-arn {policy}"])
        .source("IAM API Reference, CreatePolicy, DeletePolicy; ATT&CK T1098.003"),
    row(&["iam:CreatePolicyVersion"], Persists, Thing::PolicyVersion)
        .when(|record| !read::is(record, "in.setAsDefault", "true"))
        .object(&["in.policyArn"])
        .names(&[("policy", &["in.policyArn"]), ("version", &["out.policyVersion.versionId"])])
        .why("It waits to be made the default; then everybody with the policy may do what it allows.")
        .look(&[
            "aws iam list-policy-versions --policy-arn {policy}",
            "aws iam get-policy-version --policy-arn {policy} --version-id {version}",
        ])
        .take_away(&["aws iam delete-policy-version --policy-arn {policy} --version-id {version}"])
        .source("IAM API Reference, CreatePolicyVersion; ATT&CK T1098.003; hackingthe.cloud, IAM Privilege Escalation"),
    row(&["iam:CreatePolicyVersion"], Persists, Thing::Policy)
        .object(&["in.policyArn"])
        .names(&[("policy", &["in.policyArn"]), ("version", &["out.policyVersion.versionId"])])
        .why("Everybody with the policy may do what this version allows. The list shows the version before it.")
        .look(&[
            "aws iam list-policy-versions --policy-arn {policy}",
            "aws iam get-policy-version --policy-arn {policy} --version-id {version}",
            "aws iam list-entities-for-policy --policy-arn {policy}",
        ])
        .take_away(&[
            "aws iam set-default-policy-version --policy-arn {policy} --version-id {?EARLIER_VERSION}",
            "aws iam delete-policy-version --policy-arn {policy} --version-id {version}",
        ])
        .needed_by("Everybody who has this policy: the earlier version gives them what they had.")
        .source("IAM API Reference, CreatePolicyVersion; ATT&CK T1098.003; hackingthe.cloud, IAM Privilege Escalation"),
    row(&["iam:SetDefaultPolicyVersion"], Persists, Thing::Policy)
        .object(&["in.policyArn"])
        .names(&[("policy", &["in.policyArn"]), ("version", &["in.versionId"])])
        .why("Everybody with the policy may do what this version allows. The list shows the others.")
        .look(&[
            "aws iam list-policy-versions --policy-arn {policy}",
            "aws iam get-policy-version --policy-arn {policy} --version-id {version}",
        ])
        .take_away(&["aws iam set-default-policy-version --policy-arn {policy} --version-id {?EARLIER_VERSION}"])
        .needed_by("Everybody who has this policy: the earlier version gives them what they had.")
        .source("IAM API Reference, SetDefaultPolicyVersion; ATT&CK T1098.003; hackingthe.cloud, IAM Privilege Escalation"),
];
