//! The organization, Identity Center and Cognito: people and accounts that are let in.

use super::row::{Row, row};
use crate::trail::Meaning::Persists;
use crate::trail::{Thing, read};

const ASSIGNED: &str = "Those who were assigned the permission set before.";

pub(super) const ROWS: &[Row] = &[
    row(&["sso:CreateAccountAssignment"], Persists, Thing::AccountAssignment)
        .object(&["in.permissionSetArn"])
        .names(&[
            ("instance", &["in.instanceArn"]),
            ("account", &["in.targetId"]),
            ("permission_set", &["in.permissionSetArn"]),
            ("principal_type", &["in.principalType"]),
            ("principal", &["in.principalId"]),
        ])
        .why("The person or the group can sign in to the account with the permission set.")
        .look(&[
            "aws sso-admin list-account-assignments --instance-arn {instance} --account-id {account} --permission-set-arn {permission_set}",
        ])
        .take_away(&[
            "aws sso-admin delete-account-assignment --instance-arn {instance} --target-id {account} --target-type AWS_ACCOUNT --permission-set-arn {permission_set} --principal-type {principal_type} --principal-id {principal}",
        ])
        .needed_by("The person or the group, if it was assigned the permission set before.")
        .source("IAM Identity Center API Reference, CreateAccountAssignment; ATT&CK T1098.003"),
    row(&["sso:CreatePermissionSet"], Persists, Thing::PermissionSet)
        .object(&["out.permissionSet.permissionSetArn", "in.name"])
        .names(&[("instance", &["in.instanceArn"]), ("permission_set", &["out.permissionSet.permissionSetArn"])])
        .why("Whoever is assigned to it gets what it allows. It can be deleted once it is assigned to nobody.")
        .look(&[
            "aws sso-admin describe-permission-set --instance-arn {instance} --permission-set-arn {permission_set}",
            "aws sso-admin list-accounts-for-provisioned-permission-set --instance-arn {instance} --permission-set-arn {permission_set}",
        ])
        .take_away(&[
            "aws sso-admin delete-permission-set --instance-arn {instance} --permission-set-arn {permission_set}",
        ])
        .source("IAM Identity Center API Reference, CreatePermissionSet; ATT&CK T1098.003"),
    row(&["sso:AttachManagedPolicyToPermissionSet"], Persists, Thing::PermissionSet)
        .object(&["in.permissionSetArn"])
        .names(&[
            ("instance", &["in.instanceArn"]),
            ("permission_set", &["in.permissionSetArn"]),
            ("policy", &["in.managedPolicyArn"]),
        ])
        .why("Whoever is assigned to it gets what the policy allows, once it is provisioned.")
        .look(&[
            "aws sso-admin list-managed-policies-in-permission-set --instance-arn {instance} --permission-set-arn {permission_set}",
        ])
        .take_away(&[
            "aws sso-admin detach-managed-policy-from-permission-set --instance-arn {instance} --permission-set-arn {permission_set} --managed-policy-arn {policy}",
            "aws sso-admin provision-permission-set --instance-arn {instance} --permission-set-arn {permission_set} --target-type ALL_PROVISIONED_ACCOUNTS",
        ])
        .needed_by(ASSIGNED)
        .source("IAM Identity Center API Reference, AttachManagedPolicyToPermissionSet; ATT&CK T1098.003"),
    row(&["sso:PutInlinePolicyToPermissionSet"], Persists, Thing::PermissionSet)
        .object(&["in.permissionSetArn"])
        .names(&[("instance", &["in.instanceArn"]), ("permission_set", &["in.permissionSetArn"])])
        .why("Whoever is assigned to it gets what the policy allows. An earlier inline policy is in the templates.")
        .look(&[
            "aws sso-admin get-inline-policy-for-permission-set --instance-arn {instance} --permission-set-arn {permission_set}",
        ])
        .take_away(&[
            "aws sso-admin delete-inline-policy-from-permission-set --instance-arn {instance} --permission-set-arn {permission_set}",
            "aws sso-admin provision-permission-set --instance-arn {instance} --permission-set-arn {permission_set} --target-type ALL_PROVISIONED_ACCOUNTS",
        ])
        .needed_by(ASSIGNED)
        .source("IAM Identity Center API Reference, PutInlinePolicyToPermissionSet; ATT&CK T1098.003"),
    row(&["identitystore:CreateUser", "sso-directory:CreateUser"], Persists, Thing::DirectoryUser)
        .object(&["out.userId", "out.user.userId"])
        .names(&[("store", &["in.identityStoreId"]), ("person", &["out.userId", "out.user.userId"])])
        .why("The person can sign in with what is assigned to it.")
        .look(&["aws identitystore describe-user --identity-store-id {store} --user-id {person}"])
        .take_away(&["aws identitystore delete-user --identity-store-id {store} --user-id {person}"])
        .source("Identity Store API Reference, CreateUser; ATT&CK T1136.003"),
    row(&["identitystore:CreateGroupMembership"], Persists, Thing::DirectoryMembership)
        .object(&["out.membershipId"])
        .names(&[
            ("store", &["in.identityStoreId"]),
            ("membership", &["out.membershipId"]),
            ("group", &["in.groupId"]),
        ])
        .why("The person gets what is assigned to the group.")
        .look(&[
            "aws identitystore describe-group-membership --identity-store-id {store} --membership-id {membership}",
        ])
        .take_away(&[
            "aws identitystore delete-group-membership --identity-store-id {store} --membership-id {membership}",
        ])
        .source("Identity Store API Reference, CreateGroupMembership; ATT&CK T1098.007"),
    row(&["cognito-identity:CreateIdentityPool"], Persists, Thing::IdentityPool)
        .object(&["out.identityPoolId", "in.identityPoolName"])
        .names(&[("pool", &["out.identityPoolId"])])
        .why("It gives credentials of its roles to whomever it lets in, to strangers too if it allows that.")
        .look(&[
            "aws cognito-identity describe-identity-pool --identity-pool-id {pool}",
            "aws cognito-identity get-identity-pool-roles --identity-pool-id {pool}",
        ])
        .take_away(&["aws cognito-identity delete-identity-pool --identity-pool-id {pool}"])
        .source("Cognito Identity API Reference, CreateIdentityPool; hackingthe.cloud, Overpermissioned Identity Pools; ATT&CK T1098"),
    row(&["cognito-identity:SetIdentityPoolRoles"], Persists, Thing::IdentityPool)
        .object(&["in.identityPoolId"])
        .names(&[("pool", &["in.identityPoolId"])])
        .why("Those whom the pool lets in get credentials of other roles. The earlier roles are in the templates.")
        .look(&["aws cognito-identity get-identity-pool-roles --identity-pool-id {pool}"])
        .take_away(&[
            "aws cognito-identity set-identity-pool-roles --identity-pool-id {pool} --roles 'authenticated=<EARLIER_ROLE_ARN>'",
        ])
        .needed_by("The users of the application behind the pool.")
        .source("Cognito Identity API Reference, SetIdentityPoolRoles; hackingthe.cloud, Overpermissioned Identity Pools"),
    row(&["cognito-idp:AdminCreateUser"], Persists, Thing::PoolUser)
        .object(&["out.user.username", "in.userPoolId"])
        .names(&[("pool", &["in.userPoolId"]), ("username", &["out.user.username"])])
        .why("The thief can sign in to the application, and to what the pool gives its users in AWS.")
        .look(&["aws cognito-idp list-users --user-pool-id {pool}"])
        .take_away(&[
            "aws cognito-idp admin-disable-user --user-pool-id {pool} --username {username}",
            "aws cognito-idp admin-delete-user --user-pool-id {pool} --username {username}",
        ])
        .source("Cognito User Pools API Reference, AdminCreateUser; ATT&CK T1136.003"),
    row(&["organizations:CreateAccount", "organizations:CreateGovCloudAccount"], Persists, Thing::MemberAccount)
        .object(&["out.createAccountStatus.accountId", "out.createAccountStatus.id", "in.accountName"])
        .names(&[("request", &["out.createAccountStatus.id"])])
        .why("The thief has an account inside the organization, with a role in it for the management account. The first command shows its id.")
        .look(&["aws organizations describe-create-account-status --create-account-request-id {request}"])
        .take_away(&["aws organizations close-account --account-id {?ACCOUNT_ID}"])
        .source("Organizations API Reference, CreateAccount; ATT&CK T1136.003, T1666"),
    row(&["organizations:InviteAccountToOrganization"], Persists, Thing::Invitation)
        .object(&["out.handshake.arn", "out.handshake.id"])
        .names(&[("handshake", &["out.handshake.id"]), ("invited", &["in.target.id"])])
        .principals(&["in.target.id"])
        .why("The invited account, once it accepts, is inside the organization and what trusts it.")
        .look(&["aws organizations describe-handshake --handshake-id {handshake}"])
        .take_away(&["aws organizations cancel-handshake --handshake-id {handshake}"])
        .source("Organizations API Reference, InviteAccountToOrganization; ATT&CK T1666"),
    row(&["organizations:RegisterDelegatedAdministrator"], Persists, Thing::Delegation)
        .object(&["in.accountId"])
        .names(&[("account", &["in.accountId"]), ("service", &["in.servicePrincipal"])])
        .why("The account administers the service for the whole organization.")
        .look(&["aws organizations list-delegated-administrators"])
        .take_away(&[
            "aws organizations deregister-delegated-administrator --account-id {account} --service-principal {service}",
        ])
        .source("Organizations API Reference, RegisterDelegatedAdministrator; ATT&CK T1098, T1666"),
    row(&["organizations:PutResourcePolicy"], Persists, Thing::Delegation)
        .object(&["out.resourcePolicy.resourcePolicySummary.arn"])
        .documents(&["in.content"])
        .why("Whoever it names can change policies of the organization. An earlier policy is in the templates.")
        .look(&["aws organizations describe-resource-policy"])
        .take_away(&["aws organizations put-resource-policy --content 'file://<EARLIER_POLICY>.json'"])
        .needed_by("The accounts to which policies were delegated before.")
        .source("Organizations API Reference, PutResourcePolicy; ATT&CK T1098"),
    row(&["organizations:EnableAWSServiceAccess"], Persists, Thing::Delegation)
        .when(|record| read::has(record, "in.servicePrincipal"))
        .object(&["in.servicePrincipal"])
        .names(&[("service", &["in.servicePrincipal"])])
        .why("The service may make roles of its own in all accounts.")
        .look(&["aws organizations list-aws-service-access-for-organization"])
        .take_away(&["aws organizations disable-aws-service-access --service-principal {service}"])
        .source("Organizations API Reference, EnableAWSServiceAccess; ATT&CK T1098"),
];
