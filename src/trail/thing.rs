//! What the calls of a thief are about.

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};
use std::fmt;

/// Names of things and the words that a person reads for them.
macro_rules! things {
    ($($(#[$doc:meta])* $name:ident = $words:literal,)*) => {
        /// What a call is about.
        #[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize, JsonSchema)]
        #[serde(rename_all = "snake_case")]
        pub enum Thing {
            $($(#[$doc])* $name,)*
        }

        impl Thing {
            /// All of them.
            pub const ALL: &'static [Self] = &[$(Self::$name),*];
        }

        impl fmt::Display for Thing {
            fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                f.pad(match self {
                    $(Self::$name => $words,)*
                })
            }
        }
    };
}

things! {
    /// A session of a role.
    RoleSession = "session",
    /// A session of the root user of an account: AssumeRoot.
    RootSession = "root session",
    /// A session of the same user: GetSessionToken.
    UserSession = "session of the user",
    /// A session of a federated user: GetFederationToken.
    FederatedSession = "federated session",
    /// A console session.
    ConsoleSession = "console session",
    /// A role.
    Role = "role",
    /// A role's trust policy.
    Trust = "trust policy",
    /// An IAM user.
    User = "user",
    /// A group of IAM users, or a user's place in it.
    Group = "group",
    /// A long-term access key of an IAM user.
    AccessKey = "access key",
    /// A console password of an IAM user.
    LoginProfile = "console password",
    /// A password or key of an IAM user for one service.
    ServiceCredential = "service credential",
    /// An SSH key of an IAM user, for CodeCommit.
    SshKey = "SSH key",
    /// A signing certificate of an IAM user.
    SigningCertificate = "signing certificate",
    /// A second factor of an IAM user.
    MfaDevice = "MFA device",
    /// A policy of a role, a user or a group.
    Policy = "policy",
    /// A version of a managed policy that is not the default.
    PolicyVersion = "policy version",
    /// A policy that was taken away, which may have denied something.
    RemovedPolicy = "removed policy",
    /// A permissions boundary.
    Boundary = "permissions boundary",
    /// An instance profile, the role in it, or the instance that has it.
    InstanceProfile = "instance profile",
    /// A SAML or OpenID Connect provider.
    IdentityProvider = "identity provider",
    /// A certificate authority that IAM Roles Anywhere trusts.
    TrustAnchor = "trust anchor",
    /// The roles that certificates give.
    RolesAnywhereProfile = "Roles Anywhere profile",
    /// The access of the management account to root users of members.
    RootAccess = "central root access",
    /// A function.
    Function = "function",
    /// The code of a function.
    FunctionCode = "function code",
    /// The role, the layers or the variables of a function.
    FunctionConfiguration = "function configuration",
    /// Who may invoke a function.
    FunctionPolicy = "function policy",
    /// A function's address on the internet.
    FunctionUrl = "function URL",
    /// A layer of functions, or who may use it.
    Layer = "layer",
    /// A stream or queue that runs a function.
    EventSource = "event source",
    /// A stack or stack set of CloudFormation.
    Stack = "stack",
    /// A stack of CloudFormation that was changed.
    ChangedStack = "changed stack",
    /// A rule of EventBridge.
    EventRule = "event rule",
    /// Where a rule of EventBridge sends events.
    EventTarget = "event target",
    /// A schedule of EventBridge Scheduler.
    Schedule = "schedule",
    /// A project of CodeBuild.
    BuildProject = "build project",
    /// An instance of EC2.
    Instance = "instance",
    /// A key pair of EC2.
    KeyPair = "key pair",
    /// What an instance runs when it starts.
    UserData = "user data",
    /// A port that is open to every address.
    OpenPort = "open port",
    /// A shell on an instance or in a container.
    Shell = "shell",
    /// Commands that are run on instances.
    Command = "command",
    /// A document of Systems Manager.
    Document = "document",
    /// A document of Systems Manager that others can read.
    SharedDocument = "shared document",
    /// What machines register with at Systems Manager.
    Activation = "activation",
    /// A document that Systems Manager runs again and again.
    Association = "association",
    /// A task of ECS.
    Task = "task",
    /// A task definition of ECS.
    TaskDefinition = "task definition",
    /// A service of ECS.
    Service = "service",
    /// What a principal may do in a cluster of EKS, or a pod in AWS.
    ClusterAccess = "cluster access",
    /// A bucket's policy.
    BucketPolicy = "bucket policy",
    /// A bucket's access control list.
    AccessControlList = "access control list",
    /// What keeps a bucket from being public.
    PublicAccessBlock = "public access block",
    /// A policy of a queue, a topic, a secret, a repository or an event bus.
    ResourcePolicy = "resource policy",
    /// A policy of a key of KMS.
    KeyPolicy = "key policy",
    /// A grant of a key of KMS.
    KeyGrant = "key grant",
    /// A snapshot of a disk that others can copy.
    SharedSnapshot = "shared snapshot",
    /// A machine image that others can start.
    SharedImage = "shared image",
    /// A snapshot of a database that others can copy.
    SharedDatabaseSnapshot = "shared database snapshot",
    /// A share of Resource Access Manager.
    ResourceShare = "resource share",
    /// Who may sign in to an account through Identity Center.
    AccountAssignment = "account assignment",
    /// A permission set of Identity Center.
    PermissionSet = "permission set",
    /// A user of Identity Center.
    DirectoryUser = "directory user",
    /// A user's place in a group of Identity Center.
    DirectoryMembership = "directory group membership",
    /// An identity pool of Cognito.
    IdentityPool = "identity pool",
    /// A user of a user pool of Cognito.
    PoolUser = "user pool user",
    /// An account of the organization.
    MemberAccount = "member account",
    /// An invitation of an account into the organization.
    Invitation = "invitation",
    /// What another account or a service administers in the organization.
    Delegation = "delegated administration",
    /// A region that was enabled.
    Region = "region",
    /// A policy of the organization.
    OrganizationPolicy = "organization policy",
    /// An account's place in the organization.
    OrganizationMembership = "organization membership",
    /// A trail of CloudTrail.
    Trail = "trail",
    /// What a trail records.
    EventSelectors = "event selectors",
    /// An event data store of CloudTrail Lake.
    EventDataStore = "event data store",
    /// A record of network traffic.
    FlowLog = "flow log",
    /// A record of DNS queries.
    QueryLog = "DNS query log",
    /// A log group or log stream.
    LogGroup = "log group",
    /// How long a log group keeps its logs.
    Retention = "log retention",
    /// What watches a log group.
    LogFilter = "log filter",
    /// A record of what models of Bedrock are asked.
    ModelLog = "model invocation log",
    /// What AWS Config records and delivers.
    Recorder = "configuration recorder",
    /// A rule of AWS Config.
    ConfigRule = "Config rule",
    /// A detector of GuardDuty.
    Detector = "GuardDuty detector",
    /// An account that a GuardDuty administrator watches.
    DetectorMember = "GuardDuty member",
    /// A filter that archives findings unseen.
    FindingFilter = "finding filter",
    /// A list of addresses that make no findings.
    TrustedList = "trusted list",
    /// A finding of GuardDuty that was archived.
    ArchivedFinding = "archived finding",
    /// Where GuardDuty exports findings.
    FindingExport = "finding export",
    /// Security Hub itself.
    SecurityHub = "Security Hub",
    /// A finding of Security Hub.
    HubFinding = "Security Hub finding",
    /// An analyzer of IAM Access Analyzer.
    Analyzer = "access analyzer",
    /// Macie itself.
    Macie = "Macie",
    /// An alarm of CloudWatch.
    Alarm = "alarm",
    /// A secret of Secrets Manager.
    Secret = "secret",
    /// A parameter of Systems Manager.
    Parameter = "parameter",
    /// The administrator's password of a Windows instance.
    AdministratorPassword = "administrator password",
    /// The master password of a database.
    DatabasePassword = "database password",
    /// The code of a repository.
    Repository = "repository",
    /// A snapshot of a disk.
    Snapshot = "snapshot",
    /// A machine image.
    Image = "machine image",
    /// A snapshot of a database.
    DatabaseSnapshot = "database snapshot",
    /// A database that was restored from a copy.
    Database = "database",
    /// Data that was written to a bucket.
    Export = "export",
    /// A bucket that is copied to another one.
    Replication = "bucket replication",
}
