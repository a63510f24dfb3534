//! EC2 and Systems Manager: machines, and ways into them.

use super::row::{Row, row};
use crate::trail::Meaning::Persists;
use crate::trail::{Thing, read};
use serde_json::Value;

const INSTANCE: &str = "The workloads on the instance.";

/// The ranges that a rule of a security group lets in.
const RANGES: [&str; 4] = [
    "in.cidrIp",
    "in.ipPermissions.items.*.ipRanges.items.*.cidrIp",
    "in.ipPermissions.items.*.ipv6Ranges.items.*.cidrIpv6",
    "out.securityGroupRuleSet.items.*.cidrIpv4",
];

/// From any address: a range of length 0.
fn from_anywhere(record: &Value) -> bool {
    RANGES.iter().any(|path| read::texts(record, path).iter().any(|range| range.ends_with("/0")))
}

pub(super) const ROWS: &[Row] = &[
    row(&["ec2:RunInstances"], Persists, Thing::Instance)
        .object(&["out.instancesSet.items.*.instanceId"])
        .names(&[
            ("instances", &["out.instancesSet.items.*.instanceId"]),
            ("profile", &["in.iamInstanceProfile.arn", "in.iamInstanceProfile.name"]),
            ("key_name", &["in.instancesSet.items.0.keyName", "in.keyName"]),
        ])
        .why("The thief's machine runs inside the account, with the credentials of its profile if it has one.")
        .look(&["aws ec2 describe-instances --instance-ids {*instances}"])
        .take_away(&[
            "aws ec2 stop-instances --instance-ids {*instances}",
            "aws ec2 terminate-instances --instance-ids {*instances}",
        ])
        .source("EC2 API Reference, RunInstances; ATT&CK T1578.002; Stratus Red Team ec2-launch-unusual-instances"),
    row(&["ec2:AssociateIamInstanceProfile"], Persists, Thing::InstanceProfile)
        .object(&["in.AssociateIamInstanceProfileRequest.InstanceId"])
        .names(&[
            ("instance", &["in.AssociateIamInstanceProfileRequest.InstanceId"]),
            ("association", &["out.AssociateIamInstanceProfileResponse.iamInstanceProfileAssociation.associationId"]),
            (
                "profile",
                &[
                    "in.AssociateIamInstanceProfileRequest.IamInstanceProfile.Arn",
                    "in.AssociateIamInstanceProfileRequest.IamInstanceProfile.Name",
                ],
            ),
        ])
        .why("Whoever is on the instance gets the credentials of the profile's role.")
        .look(&["aws ec2 describe-iam-instance-profile-associations --filters Name=instance-id,Values={instance}"])
        .take_away(&["aws ec2 disassociate-iam-instance-profile --association-id {association}"])
        .needed_by(INSTANCE)
        .source("EC2 API Reference, AssociateIamInstanceProfile; ATT&CK T1098.003; hackingthe.cloud, IAM Privilege Escalation"),
    row(&["ec2:ReplaceIamInstanceProfileAssociation"], Persists, Thing::InstanceProfile)
        .object(&["in.ReplaceIamInstanceProfileAssociationRequest.AssociationId"])
        .names(&[
            (
                "association",
                &[
                    "out.ReplaceIamInstanceProfileAssociationResponse.iamInstanceProfileAssociation.associationId",
                    "in.ReplaceIamInstanceProfileAssociationRequest.AssociationId",
                ],
            ),
            (
                "profile",
                &[
                    "in.ReplaceIamInstanceProfileAssociationRequest.IamInstanceProfile.Arn",
                    "in.ReplaceIamInstanceProfileAssociationRequest.IamInstanceProfile.Name",
                ],
            ),
        ])
        .why("Whoever is on the instance gets the credentials of another role. The earlier profile is in AWS Config or in the templates.")
        .look(&["aws ec2 describe-iam-instance-profile-associations --association-ids {association}"])
        .take_away(&[
            "aws ec2 replace-iam-instance-profile-association --association-id {association} --iam-instance-profile 'Name=<EARLIER_PROFILE>'",
        ])
        .needed_by(INSTANCE)
        .source("EC2 API Reference, ReplaceIamInstanceProfileAssociation; ATT&CK T1098.003"),
    row(&["ec2:CreateKeyPair", "ec2:ImportKeyPair"], Persists, Thing::KeyPair)
        .object(&["out.keyPairId", "in.keyName"])
        .names(&[("key_name", &["in.keyName"])])
        .why("Instances that are started with it let its owner in by SSH.")
        .look(&[
            "aws ec2 describe-key-pairs --key-names {key_name}",
            "aws ec2 describe-instances --filters Name=key-name,Values={key_name}",
        ])
        .take_away(&["aws ec2 delete-key-pair --key-name {key_name}"])
        .source("EC2 API Reference, CreateKeyPair, ImportKeyPair; ATT&CK T1098.004; SigmaHQ on ImportKeyPair"),
    row(&["ec2:ModifyInstanceAttribute"], Persists, Thing::UserData)
        .when(|record| read::has(record, "in.userData"))
        .object(&["in.instanceId"])
        .names(&[("instance", &["in.instanceId"])])
        .why("What it says runs as root when the instance starts. The earlier user data is in the templates.")
        .look(&["aws ec2 describe-instance-attribute --instance-id {instance} --attribute userData"])
        .take_away(&[
            "aws ec2 stop-instances --instance-ids {instance}",
            "aws ec2 modify-instance-attribute --instance-id {instance} --attribute userData --value 'file://<EARLIER_USER_DATA>.base64'",
            "aws ec2 start-instances --instance-ids {instance}",
        ])
        .needed_by(INSTANCE)
        .source("EC2 API Reference, ModifyInstanceAttribute; Stratus Red Team ec2-user-data; ATT&CK T1037, T1059.009"),
    row(&["ec2:AuthorizeSecurityGroupIngress"], Persists, Thing::OpenPort)
        .when(from_anywhere)
        .object(&["in.groupId", "in.groupName"])
        .names(&[
            ("security_group", &["in.groupId", "out.securityGroupRuleSet.items.*.groupId"]),
            ("rules", &["out.securityGroupRuleSet.items.*.securityGroupRuleId"]),
        ])
        .why("Everybody on the internet reaches the port on everything with this security group.")
        .look(&["aws ec2 describe-security-group-rules --filters Name=group-id,Values={security_group}"])
        .take_away(&["aws ec2 revoke-security-group-ingress --group-id {security_group} --security-group-rule-ids {*rules}"])
        .needed_by("Those who reach something by this port, if it was meant to be public.")
        .source("EC2 API Reference, AuthorizeSecurityGroupIngress; Stratus Red Team ec2-security-group-open-port-22-ingress; ATT&CK T1562.007"),
    row(
        &["ec2-instance-connect:SendSSHPublicKey", "ec2-instance-connect:SendSerialConsoleSSHPublicKey"],
        Persists,
        Thing::Shell,
    )
    .object(&["in.instanceId"])
    .names(&[("instance", &["in.instanceId"]), ("user", &["in.instanceOSUser"])])
    .why("The key opened a shell within a minute; the shell lives on. Stopping the instance ends it.")
    .look(&["aws ec2 describe-instances --instance-ids {instance}"])
    .take_away(&["aws ec2 stop-instances --instance-ids {instance}"])
    .needed_by(INSTANCE)
    .source("EC2 Instance Connect API Reference; Stratus Red Team ec2-instance-connect; ATT&CK T1021.004, T1098.004"),
    row(&["ssm:StartSession", "ssm:ResumeSession"], Persists, Thing::Shell)
        .object(&["out.sessionId", "in.target"])
        .names(&[("session", &["out.sessionId", "in.sessionId"]), ("instance", &["in.target"])])
        .why("It is a shell on the instance, and lives on when the credentials are denied.")
        .look(&["aws ssm describe-sessions --state Active --filters key=SessionId,value={session}"])
        .take_away(&["aws ssm terminate-session --session-id {session}"])
        .source("Systems Manager API Reference, StartSession; Stratus Red Team ssm-start-session; ATT&CK T1021.007"),
    row(&["ssm:SendCommand"], Persists, Thing::Command)
        .object(&["out.command.commandId", "in.documentName"])
        .names(&[
            ("command", &["out.command.commandId"]),
            ("instances", &["in.instanceIds.*", "out.command.instanceIds.*"]),
            ("document", &["in.documentName"]),
        ])
        .why("The thief's commands ran as root on the instances. Cancelling stops those that have not run; look at the rest.")
        .look(&["aws ssm list-command-invocations --command-id {command} --details"])
        .take_away(&["aws ssm cancel-command --command-id {command}"])
        .source("Systems Manager API Reference, SendCommand; Stratus Red Team ssm-send-command; ATT&CK T1651"),
    row(&["ssm:StartAutomationExecution"], Persists, Thing::Command)
        .object(&["out.automationExecutionId", "in.documentName"])
        .names(&[("execution", &["out.automationExecutionId"]), ("document", &["in.documentName"])])
        .why("It runs the steps of a document, with a role of its own if it names one.")
        .look(&["aws ssm get-automation-execution --automation-execution-id {execution}"])
        .take_away(&["aws ssm stop-automation-execution --automation-execution-id {execution} --type Cancel"])
        .source("Systems Manager API Reference, StartAutomationExecution; ATT&CK T1651"),
    row(&["ssm:CreateDocument"], Persists, Thing::Document)
        .object(&["out.documentDescription.name", "in.name"])
        .names(&[("document", &["in.name"])])
        .why("It holds commands that can be run on instances at any time.")
        .look(&["aws ssm get-document --name {document}"])
        .take_away(&["aws ssm delete-document --name {document}"])
        .source("Systems Manager API Reference, CreateDocument; ATT&CK T1651"),
    row(&["ssm:UpdateDocument", "ssm:UpdateDocumentDefaultVersion"], Persists, Thing::Document)
        .object(&["in.name"])
        .names(&[("document", &["in.name"])])
        .why("Whoever runs the document runs the thief's commands.")
        .look(&["aws ssm list-document-versions --name {document}", "aws ssm get-document --name {document}"])
        .take_away(&["aws ssm update-document-default-version --name {document} --document-version {?EARLIER_VERSION}"])
        .needed_by("Those who run this document.")
        .source("Systems Manager API Reference, UpdateDocument; ATT&CK T1651"),
    row(&["ssm:ModifyDocumentPermission"], Persists, Thing::SharedDocument)
        .when(|record| read::has(record, "in.accountIdsToAdd"))
        .object(&["in.name"])
        .names(&[("document", &["in.name"]), ("accounts", &["in.accountIdsToAdd.*"])])
        .principals(&["in.accountIdsToAdd.*"])
        .why("Others can read the document, and run it in their accounts.")
        .look(&["aws ssm describe-document-permission --name {document} --permission-type Share"])
        .take_away(&[
            "aws ssm modify-document-permission --name {document} --permission-type Share --account-ids-to-remove {*accounts}",
        ])
        .source("Systems Manager API Reference, ModifyDocumentPermission; ATT&CK T1537"),
    row(&["ssm:CreateActivation"], Persists, Thing::Activation)
        .object(&["out.activationId"])
        .names(&[("activation", &["out.activationId"]), ("role", &["in.iamRole"])])
        .why("Machines of the thief can register with it, and get credentials of its role. Those that did are in the second list.")
        .look(&[
            "aws ssm describe-activations --filters FilterKey=ActivationIds,FilterValues={activation}",
            "aws ssm describe-instance-information --filters Key=ActivationIds,Values={activation}",
        ])
        .take_away(&["aws ssm delete-activation --activation-id {activation}"])
        .source("Systems Manager API Reference, CreateActivation; SigmaHQ on RegisterManagedInstance; ATT&CK T1098"),
    row(&["ssm:CreateAssociation"], Persists, Thing::Association)
        .object(&["out.associationDescription.associationId", "in.name"])
        .names(&[("association", &["out.associationDescription.associationId"]), ("document", &["in.name"])])
        .why("It runs a document on instances again and again.")
        .look(&["aws ssm describe-association --association-id {association}"])
        .take_away(&["aws ssm delete-association --association-id {association}"])
        .source("Systems Manager API Reference, CreateAssociation; ATT&CK T1053, T1651"),
];
