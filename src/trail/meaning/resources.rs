//! Policies that resources carry: they let others in without a role.

use super::row::{Row, row};
use crate::trail::Meaning::Persists;
use crate::trail::{Thing, read};
use serde_json::Value;

const USERS: &str = "Those whom the earlier policy let in.";

/// An access control list that lets others in: `private` is the owner's alone.
fn is_shared(record: &Value) -> bool {
    read::has(record, "in.AccessControlPolicy")
        || ["in.x-amz-acl", "in.x-amz-acl.*"]
            .iter()
            .any(|path| read::texts(record, path).iter().any(|acl| acl != "private"))
        || [
            "in.x-amz-grant-read",
            "in.x-amz-grant-write",
            "in.x-amz-grant-read-acp",
            "in.x-amz-grant-write-acp",
        ]
        .iter()
        .chain(&["in.x-amz-grant-full-control"])
        .any(|path| read::has(record, path))
}

/// One of the four blocks is off.
fn is_unblocked(record: &Value) -> bool {
    ["BlockPublicAcls", "IgnorePublicAcls", "BlockPublicPolicy", "RestrictPublicBuckets"]
        .iter()
        .any(|block| read::is(record, &format!("in.PublicAccessBlockConfiguration.{block}"), "false"))
}

pub(super) const ROWS: &[Row] = &[
    row(&["s3:PutBucketPolicy"], Persists, Thing::BucketPolicy)
        .object(&["in.bucketName"])
        .names(&[("bucket", &["in.bucketName"])])
        .documents(&["in.bucketPolicy"])
        .why("Whoever it names can use the bucket. The earlier policy is in AWS Config or in the templates.")
        .look(&[
            "aws s3api get-bucket-policy --bucket {bucket}",
            "aws s3api get-bucket-policy-status --bucket {bucket}",
        ])
        .take_away(&["aws s3api put-bucket-policy --bucket {bucket} --policy 'file://<EARLIER_POLICY>.json'"])
        .needed_by(USERS)
        .source("S3 API Reference, PutBucketPolicy; Stratus Red Team s3-backdoor-bucket-policy; ATT&CK T1537"),
    row(&["s3:DeleteBucketPolicy"], Persists, Thing::BucketPolicy)
        .object(&["in.bucketName"])
        .names(&[("bucket", &["in.bucketName"])])
        .why("What the policy denied is allowed again. It is in AWS Config or in the templates.")
        .look(&["aws s3api get-bucket-policy-status --bucket {bucket}"])
        .take_away(&["aws s3api put-bucket-policy --bucket {bucket} --policy 'file://<EARLIER_POLICY>.json'"])
        .needed_by(USERS)
        .source("S3 API Reference, DeleteBucketPolicy; SigmaHQ on S3 data management tampering"),
    row(&["s3:PutBucketAcl"], Persists, Thing::AccessControlList)
        .when(is_shared)
        .object(&["in.bucketName"])
        .names(&[("bucket", &["in.bucketName"])])
        .principals(&[
            "in.x-amz-acl.*",
            "in.AccessControlPolicy.AccessControlList.Grant.*.Grantee.ID",
            "in.AccessControlPolicy.AccessControlList.Grant.*.Grantee.URI",
        ])
        .why("Whoever is in the list can use the bucket, whatever its policy says.")
        .look(&["aws s3api get-bucket-acl --bucket {bucket}"])
        .take_away(&["aws s3api put-bucket-acl --bucket {bucket} --acl private"])
        .needed_by("Those whom the earlier list let in.")
        .source("S3 API Reference, PutBucketAcl; hackingthe.cloud, S3 File ACL Persistence; ATT&CK T1537"),
    row(&["s3:DeleteBucketPublicAccessBlock"], Persists, Thing::PublicAccessBlock)
        .object(&["in.bucketName"])
        .names(&[("bucket", &["in.bucketName"])])
        .why("Its policy and its list may make the bucket public.")
        .look(&["aws s3api get-bucket-policy-status --bucket {bucket}", "aws s3api get-bucket-acl --bucket {bucket}"])
        .take_away(&[
            "aws s3api put-public-access-block --bucket {bucket} --public-access-block-configuration BlockPublicAcls=true,IgnorePublicAcls=true,BlockPublicPolicy=true,RestrictPublicBuckets=true",
        ])
        .needed_by("Those who use the bucket without signing in, if it was meant to be public.")
        .source("S3 API Reference, DeletePublicAccessBlock; Panther aws_s3_delete_public_access_block; ATT&CK T1562"),
    row(&["s3:PutBucketPublicAccessBlock"], Persists, Thing::PublicAccessBlock)
        .when(is_unblocked)
        .object(&["in.bucketName"])
        .names(&[("bucket", &["in.bucketName"])])
        .why("Its policy and its list may make the bucket public.")
        .look(&["aws s3api get-public-access-block --bucket {bucket}"])
        .take_away(&[
            "aws s3api put-public-access-block --bucket {bucket} --public-access-block-configuration BlockPublicAcls=true,IgnorePublicAcls=true,BlockPublicPolicy=true,RestrictPublicBuckets=true",
        ])
        .needed_by("Those who use the bucket without signing in, if it was meant to be public.")
        .source("S3 API Reference, PutPublicAccessBlock; ATT&CK T1562"),
    row(&["s3:DeleteAccountPublicAccessBlock"], Persists, Thing::PublicAccessBlock)
        .object(&["who.accountId"])
        .why("Policies and lists may make every bucket of the account public.")
        .look(&["aws s3control get-public-access-block --account-id {own_account}"])
        .take_away(&[
            "aws s3control put-public-access-block --account-id {own_account} --public-access-block-configuration BlockPublicAcls=true,IgnorePublicAcls=true,BlockPublicPolicy=true,RestrictPublicBuckets=true",
        ])
        .needed_by("Those who use buckets without signing in, if some were meant to be public.")
        .source("S3 User Guide, CloudTrail events, account-level actions; ATT&CK T1562"),
    row(&["s3:PutAccountPublicAccessBlock"], Persists, Thing::PublicAccessBlock)
        .when(is_unblocked)
        .object(&["who.accountId"])
        .why("Policies and lists may make every bucket of the account public.")
        .look(&["aws s3control get-public-access-block --account-id {own_account}"])
        .take_away(&[
            "aws s3control put-public-access-block --account-id {own_account} --public-access-block-configuration BlockPublicAcls=true,IgnorePublicAcls=true,BlockPublicPolicy=true,RestrictPublicBuckets=true",
        ])
        .needed_by("Those who use buckets without signing in, if some were meant to be public.")
        .source("S3 User Guide, CloudTrail events, account-level actions; ATT&CK T1562"),
    row(&["sqs:AddPermission"], Persists, Thing::ResourcePolicy)
        .object(&["in.queueUrl"])
        .names(&[("queue", &["in.queueUrl"]), ("statement", &["in.label"])])
        .principals(&["in.aWSAccountIds.*"])
        .why("Others can use the queue.")
        .look(&["aws sqs get-queue-attributes --queue-url {queue} --attribute-names Policy"])
        .take_away(&["aws sqs remove-permission --queue-url {queue} --label {statement}"])
        .source("SQS API Reference, AddPermission; ATT&CK T1537; Panther aws_resource_made_public"),
    row(&["sqs:SetQueueAttributes"], Persists, Thing::ResourcePolicy)
        .when(|record| read::has(record, "in.attributes.Policy"))
        .object(&["in.queueUrl"])
        .names(&[("queue", &["in.queueUrl"])])
        .documents(&["in.attributes.Policy"])
        .why("Whoever it names can use the queue. The earlier policy is in AWS Config or in the templates.")
        .look(&["aws sqs get-queue-attributes --queue-url {queue} --attribute-names Policy"])
        .take_away(&["aws sqs set-queue-attributes --queue-url {queue} --attributes 'file://<EARLIER_ATTRIBUTES>.json'"])
        .needed_by(USERS)
        .source("SQS API Reference, SetQueueAttributes; Panther aws_resource_made_public; ATT&CK T1537"),
    row(&["sns:AddPermission"], Persists, Thing::ResourcePolicy)
        .object(&["in.topicArn"])
        .names(&[("topic", &["in.topicArn"]), ("statement", &["in.label"])])
        .principals(&["in.aWSAccountId.*"])
        .why("Others can use the topic.")
        .look(&["aws sns get-topic-attributes --topic-arn {topic}"])
        .take_away(&["aws sns remove-permission --topic-arn {topic} --label {statement}"])
        .source("SNS API Reference, AddPermission; ATT&CK T1537"),
    row(&["sns:SetTopicAttributes"], Persists, Thing::ResourcePolicy)
        .when(|record| read::is(record, "in.attributeName", "Policy"))
        .object(&["in.topicArn"])
        .names(&[("topic", &["in.topicArn"])])
        .documents(&["in.attributeValue"])
        .why("Whoever it names can use the topic. The earlier policy is in AWS Config or in the templates.")
        .look(&["aws sns get-topic-attributes --topic-arn {topic}"])
        .take_away(&[
            "aws sns set-topic-attributes --topic-arn {topic} --attribute-name Policy --attribute-value 'file://<EARLIER_POLICY>.json'",
        ])
        .needed_by(USERS)
        .source("SNS API Reference, SetTopicAttributes; ATT&CK T1537"),
    row(&["secretsmanager:PutResourcePolicy"], Persists, Thing::ResourcePolicy)
        .object(&["out.aRN", "in.secretId"])
        .names(&[("secret", &["in.secretId"])])
        .documents(&["in.resourcePolicy"])
        .why("Whoever it names can read the secret. An earlier policy is in AWS Config or in the templates.")
        .look(&["aws secretsmanager get-resource-policy --secret-id {secret}"])
        .take_away(&["aws secretsmanager delete-resource-policy --secret-id {secret}"])
        .needed_by(USERS)
        .source("Secrets Manager API Reference, PutResourcePolicy; ATT&CK T1098, T1555.006"),
    row(&["ecr:SetRepositoryPolicy"], Persists, Thing::ResourcePolicy)
        .object(&["in.repositoryName"])
        .names(&[("repository", &["in.repositoryName"])])
        .documents(&["in.policyText"])
        .why("Whoever it names can read or replace the images. An earlier policy is in the templates.")
        .look(&["aws ecr get-repository-policy --repository-name {repository}"])
        .take_away(&["aws ecr delete-repository-policy --repository-name {repository}"])
        .needed_by(USERS)
        .source("ECR API Reference, SetRepositoryPolicy; Panther aws_resource_made_public; ATT&CK T1525"),
    row(&["ecr:PutRegistryPolicy"], Persists, Thing::ResourcePolicy)
        .object(&["out.registryId"])
        .documents(&["in.policyText"])
        .why("Whoever it names can copy images into the registry. An earlier policy is in the templates.")
        .look(&["aws ecr get-registry-policy"])
        .take_away(&["aws ecr delete-registry-policy"])
        .needed_by(USERS)
        .source("ECR API Reference, PutRegistryPolicy; ATT&CK T1525"),
    row(&["kms:PutKeyPolicy"], Persists, Thing::KeyPolicy)
        .object(&["in.keyId"])
        .names(&[("key", &["in.keyId"])])
        .documents(&["in.policy"])
        .why("Whoever it names can use the key. The earlier policy is in AWS Config or in the templates.")
        .look(&["aws kms get-key-policy --key-id {key} --policy-name default"])
        .take_away(&[
            "aws kms put-key-policy --key-id {key} --policy-name default --policy 'file://<EARLIER_POLICY>.json'",
        ])
        .needed_by("All that is encrypted with this key.")
        .source("KMS API Reference, PutKeyPolicy; Panther aws_resource_made_public; ATT&CK T1098"),
    row(&["kms:CreateGrant"], Persists, Thing::KeyGrant)
        .when(|record| {
            // Services make grants for themselves while they work for the caller.
            !read::texts(record, "in.granteePrincipal").iter().any(|grantee| {
                grantee.ends_with(".amazonaws.com") || grantee.contains(":aws:") && !grantee.starts_with("arn:")
                    || grantee == "AWS Internal"
            })
        })
        .object(&["in.keyId"])
        .names(&[
            ("key", &["in.keyId"]),
            ("grant", &["out.grantId"]),
            ("grantee", &["in.granteePrincipal"]),
        ])
        .principals(&["in.granteePrincipal", "in.retiringPrincipal"])
        .why("Its grantee can use the key, whatever the policies of IAM say.")
        .look(&["aws kms list-grants --key-id {key}"])
        .take_away(&["aws kms revoke-grant --key-id {key} --grant-id {grant}"])
        .source("KMS API Reference, CreateGrant; ATT&CK T1098"),
];
