//! Users, groups and roles, and who may use them.

use super::row::{Row, row};
use crate::trail::Meaning::Persists;
use crate::trail::Thing;

pub(super) const ROWS: &[Row] = &[
    row(&["iam:CreateUser"], Persists, Thing::User)
        .object(&["out.user.arn", "in.userName"])
        .names(&[("user", &["out.user.userName", "in.userName"])])
        .why("Keys and passwords of the user are a way in. Before it can be deleted, all that the lists show must be gone.")
        .look(&[
            "aws iam get-user --user-name {user}",
            "aws iam list-access-keys --user-name {user}",
            "aws iam list-attached-user-policies --user-name {user}",
            "aws iam list-user-policies --user-name {user}",
            "aws iam list-groups-for-user --user-name {user}",
            "aws iam list-mfa-devices --user-name {user}",
        ])
        .take_away(&[
            "aws iam put-user-policy --user-name {user} --policy-name DenyEverything --policy-document {DENY_ALL}",
            "aws iam list-access-keys --user-name {user}",
            "aws iam list-attached-user-policies --user-name {user}",
            "aws iam list-user-policies --user-name {user}",
            "aws iam list-groups-for-user --user-name {user}",
            "aws iam delete-user-policy --user-name {user} --policy-name DenyEverything",
            "aws iam delete-user --user-name {user}",
        ])
        .source("IAM API Reference, CreateUser, DeleteUser; ATT&CK T1136.003; Stratus Red Team iam-create-admin-user"),
    row(&["iam:CreateRole"], Persists, Thing::Role)
        .object(&["out.role.arn", "in.roleName"])
        .names(&[("role", &["out.role.roleName", "in.roleName"])])
        .documents(&["in.assumeRolePolicyDocument"])
        .why("Whoever its trust policy names can assume it. Before it can be deleted, all that the lists show must be gone.")
        .look(&[
            "aws iam get-role --role-name {role}",
            "aws iam list-attached-role-policies --role-name {role}",
            "aws iam list-role-policies --role-name {role}",
            "aws iam list-instance-profiles-for-role --role-name {role}",
        ])
        .take_away(&[
            "aws iam update-assume-role-policy --role-name {role} --policy-document {DENY_TRUST}",
            "aws iam put-role-policy --role-name {role} --policy-name DenyEverything --policy-document {DENY_ALL}",
            "aws iam list-attached-role-policies --role-name {role}",
            "aws iam list-role-policies --role-name {role}",
            "aws iam list-instance-profiles-for-role --role-name {role}",
            "aws iam delete-role-policy --role-name {role} --policy-name DenyEverything",
            "aws iam delete-role --role-name {role}",
        ])
        .source("IAM API Reference, CreateRole, DeleteRole; ATT&CK T1136.003, T1098.003; Stratus Red Team iam-create-backdoor-role"),
    row(&["iam:UpdateAssumeRolePolicy"], Persists, Thing::Trust)
        .object(&["in.roleName"])
        .names(&[("role", &["in.roleName"])])
        .documents(&["in.policyDocument"])
        .why(
            "Whoever the trust policy now names can assume the role. The earlier one is in AWS Config or in the \
             templates that made the role; it has to be restored.",
        )
        .look(&[
            "aws iam get-role --role-name {role}",
            "aws configservice list-discovered-resources --resource-type AWS::IAM::Role --resource-name {role} --region {region}",
        ])
        .take_away(&[
            "aws iam update-assume-role-policy --role-name {role} --policy-document 'file://<EARLIER_TRUST>.json'",
        ])
        .needed_by("The workloads that assume this role.")
        .source("IAM API Reference, UpdateAssumeRolePolicy; ATT&CK T1098.003; Stratus Red Team iam-backdoor-role"),
    row(&["iam:AddUserToGroup"], Persists, Thing::Group)
        .object(&["in.groupName"])
        .names(&[("user", &["in.userName"]), ("group", &["in.groupName"])])
        .why("The user may do what the group may.")
        .look(&[
            "aws iam list-groups-for-user --user-name {user}",
            "aws iam list-attached-group-policies --group-name {group}",
            "aws iam list-group-policies --group-name {group}",
        ])
        .take_away(&["aws iam remove-user-from-group --user-name {user} --group-name {group}"])
        .needed_by("The user, if somebody else put it into the group too.")
        .source("IAM API Reference, AddUserToGroup; ATT&CK T1098.007"),
    row(&["iam:CreateGroup"], Persists, Thing::Group)
        .object(&["out.group.arn", "in.groupName"])
        .names(&[("group", &["out.group.groupName", "in.groupName"])])
        .why("Users in it may do what it may. Before it can be deleted, all that the lists show must be gone.")
        .look(&[
            "aws iam get-group --group-name {group}",
            "aws iam list-attached-group-policies --group-name {group}",
            "aws iam list-group-policies --group-name {group}",
        ])
        .take_away(&["aws iam delete-group --group-name {group}"])
        .source("IAM API Reference, CreateGroup, DeleteGroup; ATT&CK T1098.007"),
    row(&["iam:CreateInstanceProfile"], Persists, Thing::InstanceProfile)
        .object(&["out.instanceProfile.arn", "in.instanceProfileName"])
        .names(&[("profile", &["in.instanceProfileName"])])
        .why("It takes a role to an instance. It can be deleted once no role is in it.")
        .look(&["aws iam get-instance-profile --instance-profile-name {profile}"])
        .take_away(&["aws iam delete-instance-profile --instance-profile-name {profile}"])
        .source("IAM API Reference, CreateInstanceProfile; ATT&CK T1098.003"),
    row(&["iam:AddRoleToInstanceProfile"], Persists, Thing::InstanceProfile)
        .object(&["in.instanceProfileName"])
        .names(&[("role", &["in.roleName"]), ("profile", &["in.instanceProfileName"])])
        .why("Instances with the profile get credentials of the role.")
        .look(&[
            "aws iam get-instance-profile --instance-profile-name {profile}",
            "aws ec2 describe-iam-instance-profile-associations",
        ])
        .take_away(&["aws iam remove-role-from-instance-profile --instance-profile-name {profile} --role-name {role}"])
        .needed_by("The instances that use this profile.")
        .source("IAM API Reference, AddRoleToInstanceProfile; ATT&CK T1098.003"),
    row(&["iam:EnableOrganizationsRootSessions"], Persists, Thing::RootAccess)
        .object(&["out.organizationId"])
        .why("The management account can act as the root user of every member account, by AssumeRoot.")
        .look(&["aws iam list-organizations-features"])
        .take_away(&["aws iam disable-organizations-root-sessions"])
        .needed_by("Those who administer root access centrally, if the organization had it before.")
        .source("IAM API Reference, EnableOrganizationsRootSessions; ATT&CK T1098.003"),
    row(&["iam:EnableOrganizationsRootCredentialsManagement"], Persists, Thing::RootAccess)
        .object(&["out.organizationId"])
        .why("The management account can give root users of member accounts their password back, and delete it.")
        .look(&["aws iam list-organizations-features"])
        .take_away(&["aws iam disable-organizations-root-credentials-management"])
        .needed_by("Those who administer root access centrally, if the organization had it before.")
        .source("IAM API Reference, EnableOrganizationsRootCredentialsManagement; ATT&CK T1098.003"),
];
