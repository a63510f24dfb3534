//! Credentials of IAM users: keys, passwords, certificates, MFA devices.

use super::row::{Opens, Row, row};
use crate::trail::Meaning::Persists;
use crate::trail::{Thing, read};

const ITS_USER: &str = "The user, if the key was made before the theft.";

pub(super) const ROWS: &[Row] = &[
    row(&["iam:CreateAccessKey"], Persists, Thing::AccessKey)
        .object(&["out.accessKey.accessKeyId", "in.userName"])
        .names(&[("user", &["out.accessKey.userName", "in.userName"]), ("key", &["out.accessKey.accessKeyId"])])
        .opens(Opens::UserKey)
        .why("Whoever has the key can call AWS as its user until it is deactivated; sessions that it opened live on.")
        .look(&[
            "aws iam list-access-keys [--user-name {user}]",
            "aws iam get-access-key-last-used --access-key-id {key}",
        ])
        .take_away(&[
            "aws iam update-access-key [--user-name {user}] --access-key-id {key} --status Inactive",
            "aws iam delete-access-key [--user-name {user}] --access-key-id {key}",
        ])
        .source("IAM API Reference, CreateAccessKey; ATT&CK T1098.001; Stratus Red Team iam-backdoor-user"),
    row(&["iam:UpdateAccessKey"], Persists, Thing::AccessKey)
        .when(|record| read::is(record, "in.status", "Active"))
        .object(&["in.accessKeyId"])
        .names(&[("user", &["in.userName"]), ("key", &["in.accessKeyId"])])
        .why("The key had been deactivated and works again.")
        .look(&["aws iam get-access-key-last-used --access-key-id {key}"])
        .take_away(&["aws iam update-access-key [--user-name {user}] --access-key-id {key} --status Inactive"])
        .needed_by(ITS_USER)
        .source("IAM API Reference, UpdateAccessKey; ATT&CK T1098.001"),
    row(&["iam:CreateLoginProfile"], Persists, Thing::LoginProfile)
        .object(&["out.loginProfile.userName", "in.userName"])
        .names(&[("user", &["out.loginProfile.userName", "in.userName"])])
        .why("Whoever knows the password can sign in to the console; a console session lasts up to 12 hours.")
        .look(&["aws iam get-login-profile --user-name {user}", "aws iam list-mfa-devices --user-name {user}"])
        .take_away(&["aws iam delete-login-profile --user-name {user}"])
        .source("IAM API Reference, CreateLoginProfile; ATT&CK T1098.001; Stratus Red Team iam-create-user-login-profile"),
    row(&["iam:UpdateLoginProfile"], Persists, Thing::LoginProfile)
        .object(&["in.userName"])
        .names(&[("user", &["in.userName"])])
        .why("The password was changed: the thief knows it, and the user does not.")
        .look(&["aws iam get-login-profile --user-name {user}", "aws iam list-mfa-devices --user-name {user}"])
        .take_away(&["aws iam delete-login-profile --user-name {user}"])
        .needed_by("The user, who needs a new password afterwards.")
        .source("IAM API Reference, UpdateLoginProfile; ATT&CK T1098.001; Stratus Red Team iam-update-user-login-profile"),
    row(&["iam:ChangePassword"], Persists, Thing::LoginProfile)
        .object(&["who.arn"])
        .names(&[("user", &["who.userName"])])
        .why("The password was changed: the thief knows it, and the user does not.")
        .look(&["aws iam get-login-profile --user-name {user}"])
        .take_away(&["aws iam delete-login-profile --user-name {user}"])
        .needed_by("The user, who needs a new password afterwards.")
        .source("IAM API Reference, ChangePassword; ATT&CK T1098.001"),
    row(&["iam:CreateServiceSpecificCredential"], Persists, Thing::ServiceCredential)
        .object(&["out.serviceSpecificCredential.serviceSpecificCredentialId", "in.userName"])
        .names(&[
            ("user", &["out.serviceSpecificCredential.userName", "in.userName"]),
            ("credential", &["out.serviceSpecificCredential.serviceSpecificCredentialId"]),
            ("service", &["in.serviceName"]),
        ])
        .why("Whoever has it can use the service, such as CodeCommit, Keyspaces or Bedrock, without an access key.")
        .look(&["aws iam list-service-specific-credentials [--user-name {user}]"])
        .take_away(&[
            "aws iam update-service-specific-credential [--user-name {user}] --service-specific-credential-id {credential} --status Inactive",
            "aws iam delete-service-specific-credential [--user-name {user}] --service-specific-credential-id {credential}",
        ])
        .source("IAM API Reference, CreateServiceSpecificCredential; ATT&CK T1098.001"),
    row(&["iam:ResetServiceSpecificCredential"], Persists, Thing::ServiceCredential)
        .object(&["in.serviceSpecificCredentialId"])
        .names(&[("user", &["in.userName"]), ("credential", &["in.serviceSpecificCredentialId"])])
        .why("Its password was replaced by one that the thief knows.")
        .look(&["aws iam list-service-specific-credentials [--user-name {user}]"])
        .take_away(&[
            "aws iam update-service-specific-credential [--user-name {user}] --service-specific-credential-id {credential} --status Inactive",
        ])
        .needed_by("The user, who needs a new credential afterwards.")
        .source("IAM API Reference, ResetServiceSpecificCredential; ATT&CK T1098.001"),
    row(&["iam:UploadSSHPublicKey"], Persists, Thing::SshKey)
        .object(&["out.sSHPublicKey.sSHPublicKeyId", "in.userName"])
        .names(&[("user", &["in.userName"]), ("key", &["out.sSHPublicKey.sSHPublicKeyId"])])
        .why("Whoever has its private key can read and write CodeCommit repositories as the user.")
        .look(&["aws iam list-ssh-public-keys --user-name {user}"])
        .take_away(&[
            "aws iam update-ssh-public-key --user-name {user} --ssh-public-key-id {key} --status Inactive",
            "aws iam delete-ssh-public-key --user-name {user} --ssh-public-key-id {key}",
        ])
        .source("IAM API Reference, UploadSSHPublicKey; ATT&CK T1098.004"),
    row(&["iam:UploadSigningCertificate"], Persists, Thing::SigningCertificate)
        .object(&["out.certificate.certificateId", "in.userName"])
        .names(&[
            ("user", &["out.certificate.userName", "in.userName"]),
            ("certificate", &["out.certificate.certificateId"]),
        ])
        .why("Whoever has its private key can sign requests to some services as the user.")
        .look(&["aws iam list-signing-certificates [--user-name {user}]"])
        .take_away(&[
            "aws iam update-signing-certificate [--user-name {user}] --certificate-id {certificate} --status Inactive",
            "aws iam delete-signing-certificate [--user-name {user}] --certificate-id {certificate}",
        ])
        .source("IAM API Reference, UploadSigningCertificate; ATT&CK T1098.001"),
    row(&["iam:CreateVirtualMFADevice"], Persists, Thing::MfaDevice)
        .object(&["out.virtualMFADevice.serialNumber", "in.virtualMFADeviceName"])
        .names(&[("device", &["out.virtualMFADevice.serialNumber"])])
        .why("The thief has its seed: enabled for a user, it passes for the second factor. It can be deleted once it is nobody's.")
        .look(&["aws iam list-virtual-mfa-devices"])
        .take_away(&["aws iam delete-virtual-mfa-device --serial-number {device}"])
        .source("IAM API Reference, CreateVirtualMFADevice; ATT&CK T1556.006, T1098.005"),
    row(&["iam:EnableMFADevice"], Persists, Thing::MfaDevice)
        .object(&["in.serialNumber", "in.userName"])
        .names(&[("user", &["in.userName"]), ("device", &["in.serialNumber"])])
        .why("The thief's device passes for the user's second factor.")
        .look(&["aws iam list-mfa-devices --user-name {user}"])
        .take_away(&["aws iam deactivate-mfa-device --user-name {user} --serial-number {device}"])
        .source("IAM API Reference, EnableMFADevice; ATT&CK T1098.005"),
    row(&["iam:DeactivateMFADevice"], Persists, Thing::MfaDevice)
        .object(&["in.serialNumber", "in.userName"])
        .names(&[("user", &["in.userName"]), ("device", &["in.serialNumber"])])
        .why("The user's password alone is enough to sign in.")
        .look(&["aws iam list-mfa-devices --user-name {user}"])
        .take_away(&[
            "aws iam enable-mfa-device --user-name {user} --serial-number {device} --authentication-code1 {?CODE1} --authentication-code2 {?CODE2}",
        ])
        .needed_by("The user, who has the device and reads two codes from it.")
        .source("IAM API Reference, DeactivateMFADevice; ATT&CK T1556.006"),
];
