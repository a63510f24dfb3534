//! What is read and kept: secrets, parameters, passwords, code.
//!
//! Decrypt of KMS is not here: it answers only to who has the ciphertext, each read of a secret makes one anyway, and
//! workloads call it by the thousand. Reads of objects are data events, which LookupEvents does not have.

use super::row::{Row, row};
use crate::trail::Meaning::Takes;
use crate::trail::{Thing, read};

const USERS: &str = "All that uses the secret: it has to get the new value.";

pub(super) const ROWS: &[Row] = &[
    row(&["secretsmanager:GetSecretValue"], Takes, Thing::Secret)
        .object(&["in.secretId"])
        .names(&[("secret", &["in.secretId"])])
        .why("The thief has the value. Where no rotation is set up, the second command puts a new one; what it is for has to take it too.")
        .look(&[
            "aws secretsmanager describe-secret --secret-id {secret}",
            "aws secretsmanager list-secret-version-ids --secret-id {secret}",
        ])
        .take_away(&[
            "aws secretsmanager rotate-secret --secret-id {secret}",
            "aws secretsmanager put-secret-value --secret-id {secret} --secret-string 'file://<NEW_VALUE>'",
        ])
        .needed_by(USERS)
        .source("Secrets Manager API Reference, GetSecretValue; Stratus Red Team secretsmanager-retrieve-secrets; ATT&CK T1555.006"),
    row(&["secretsmanager:BatchGetSecretValue"], Takes, Thing::Secret)
        .object(&["in.secretIdList.*"])
        .names(&[("secrets", &["in.secretIdList.*"])])
        .why("The thief has the values. One that asked by filters left a GetSecretValue for each secret.")
        .look(&["aws secretsmanager describe-secret --secret-id {each:secrets}"])
        .take_away(&["aws secretsmanager rotate-secret --secret-id {each:secrets}"])
        .needed_by(USERS)
        .source("Secrets Manager API Reference, BatchGetSecretValue; Stratus Red Team secretsmanager-batch-retrieve-secrets; ATT&CK T1555.006"),
    row(&["ssm:GetParameter", "ssm:GetParameterHistory"], Takes, Thing::Parameter)
        .when(|record| read::is(record, "in.withDecryption", "true"))
        .object(&["in.name"])
        .names(&[("parameter", &["in.name"])])
        .why("If it is a SecureString, the thief has the value. What it is for has to take a new one too.")
        .look(&["aws ssm describe-parameters --parameter-filters Key=Name,Values={parameter}"])
        .take_away(&[
            "aws ssm put-parameter --name {parameter} --type SecureString --overwrite --value 'file://<NEW_VALUE>'",
        ])
        .needed_by(USERS)
        .source("Systems Manager API Reference, GetParameter; Stratus Red Team ssm-retrieve-securestring-parameters; ATT&CK T1552, T1555.006"),
    row(&["ssm:GetParameters"], Takes, Thing::Parameter)
        .when(|record| read::is(record, "in.withDecryption", "true"))
        .object(&["in.names.*"])
        .names(&[("parameters", &["in.names.*"])])
        .why("The thief has the values of those that are SecureStrings. What they are for has to take new ones too.")
        .look(&["aws ssm describe-parameters --parameter-filters Key=Name,Values={each:parameters}"])
        .take_away(&[
            "aws ssm put-parameter --name {each:parameters} --type SecureString --overwrite --value 'file://<NEW_VALUE>'",
        ])
        .needed_by(USERS)
        .source("Systems Manager API Reference, GetParameters; Stratus Red Team ssm-retrieve-securestring-parameters"),
    row(&["ssm:GetParametersByPath"], Takes, Thing::Parameter)
        .when(|record| read::is(record, "in.withDecryption", "true"))
        .object(&["in.path"])
        .names(&[("path", &["in.path"])])
        .why("The thief has the values of all SecureStrings under the path; the list shows them.")
        .look(&[
            "aws ssm describe-parameters --parameter-filters Key=Path,Option=Recursive,Values={path} Key=Type,Values=SecureString",
        ])
        .take_away(&[
            "aws ssm put-parameter --name {?PARAMETER} --type SecureString --overwrite --value 'file://<NEW_VALUE>'",
        ])
        .needed_by(USERS)
        .source("Systems Manager API Reference, GetParametersByPath; ATT&CK T1552, T1555.006"),
    row(&["ec2:GetPasswordData"], Takes, Thing::AdministratorPassword)
        .object(&["in.instanceId"])
        .names(&[("instance", &["in.instanceId"])])
        .why("With the private key of the key pair the thief has the administrator's password of the Windows instance.")
        .look(&["aws ec2 describe-instances --instance-ids {instance}"])
        .take_away(&[
            "aws ssm start-automation-execution --document-name AWSSupport-RunEC2RescueForWindowsTool --parameters InstanceId={instance},Command=ResetAccess",
        ])
        .needed_by("Those who sign in to the instance as its administrator: the new password is in Parameter Store.")
        .source("EC2 API Reference, GetPasswordData; Stratus Red Team ec2-get-password-data; ATT&CK T1552.005"),
    row(&["rds:ModifyDBInstance"], Takes, Thing::DatabasePassword)
        .when(|record| read::all(record, "in.masterUserPassword").iter().any(|value| value.is_string()))
        .object(&["out.dBInstanceArn", "in.dBInstanceIdentifier"])
        .names(&[("database", &["in.dBInstanceIdentifier"])])
        .why("The thief set the master password, and can read the database from wherever it is reached.")
        .look(&["aws rds describe-db-instances --db-instance-identifier {database}"])
        .take_away(&[
            "aws rds modify-db-instance --db-instance-identifier {database} --master-user-password {?NEW_PASSWORD} --apply-immediately",
        ])
        .needed_by("Those who use the database as its master user.")
        .source("RDS API Reference, ModifyDBInstance; SigmaHQ on ModifyDBInstance; ATT&CK T1098.001"),
    row(&["codecommit:GitPull"], Takes, Thing::Repository)
        .object(&["resources.*.ARN", "additionalEventData.repositoryName"])
        .names(&[("repository", &["additionalEventData.repositoryName"])])
        .why("The thief has the code. What is secret in it has to be replaced; no command of AWS takes the copy back.")
        .look(&["aws codecommit get-repository --repository-name {repository}"])
        .needed_by("Those who use what is secret in the code.")
        .source("CodeCommit User Guide, Logging with CloudTrail; ATT&CK T1213.003"),
];
