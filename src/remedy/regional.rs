//! What contains a theft while IAM takes no changes: what is changed in one region, and asks no control plane of the
//! whole partition.

use crate::remediation::{Cutoff, Remediation, Who};
use serde_json::{Value, json};

/// Name of the statement, so that it can be found and taken out again.
const SID: &str = "RescindRevokeOlderSessions";

/// What a person can do, in words. A line that begins with spaces is a command, or a document, of the line before it.
/// Tokens that were issued before `cutoff` are to be denied.
#[must_use]
pub fn regional(remediation: &Remediation, cutoff: Cutoff) -> Vec<String> {
    let target = &remediation.target;
    let main = target.partition.main_region();
    let mut lines = vec![format!(
        "In account {}, with a role that you have already: signing in, STS and authorization go on, and changes of IAM, \
         IAM Identity Center and Organizations (service control policies) do not, because they have their control planes in {main}.",
        target.account
    )];
    if let Some(instance) = &remediation.finding.evidence.instance_id {
        lines.extend(isolate(instance, remediation.finding.region.as_str()));
    }
    let denied = match &target.who {
        Who::User { .. } | Who::Root { .. } => "all its keys, legitimate use of them as well",
        _ => "its sessions from before the cutoff, from wherever they are used",
    };
    lines.push(format!(
        "Deny it where it does harm, in the policy of the resource: {denied}. Read the policy, add the statement to the others, and put the whole back. \
         Buckets first, and the KMS keys with which the rest is encrypted:"
    ));
    let partition = target.partition;
    let bucket = [format!("arn:{partition}:s3:::BUCKET"), format!("arn:{partition}:s3:::BUCKET/*")];
    lines.extend(
        [
            "aws s3api get-bucket-policy --bucket BUCKET --query Policy --output text > policy.json",
            &statement(remediation, cutoff, "s3:*", &json!(bucket)),
            "aws s3api put-bucket-policy --bucket BUCKET --policy file://policy.json",
            "aws kms get-key-policy --region REGION --key-id KEY --policy-name default --query Policy --output text > policy.json",
            &statement(remediation, cutoff, "kms:*", &json!("*")),
            "aws kms put-key-policy --region REGION --key-id KEY --policy-name default --policy file://policy.json",
        ]
        .map(|line| format!("    {line}")),
    );
    lines.push(
        "The policies of secrets, queues, topics, functions and tables take the same statement with their own actions. The policy of a VPC endpoint \
         does too (`aws ec2 modify-vpc-endpoint --policy-document`), and binds only what comes through that endpoint: not a thief elsewhere."
            .to_owned(),
    );
    lines
}

/// Takes an instance off the network.
fn isolate(instance: &str, region: &str) -> Vec<String> {
    let is_plain = |b: u8| b.is_ascii_alphanumeric() || b == b'-';
    // It comes from outside, and goes into a shell.
    let instance = if instance.bytes().all(is_plain) { instance } else { "INSTANCE" };
    let query =
        "'Reservations[].Instances[].[VpcId,NetworkInterfaces[].[NetworkInterfaceId,Groups[].GroupId]]'";
    let mut lines = vec![format!(
        "Take the instance {instance} in {region} off the network, by a security group without rules. That ends its own use of the role, and \
         what it hands out next; it does not end the use of credentials that are elsewhere already. Note the groups that it has. Connections that are \
         open may last; with several network interfaces, change each (`modify-network-interface-attribute`):"
    )];
    lines.extend([
        format!("    aws ec2 describe-instances --region {region} --instance-ids {instance} --query {query}"),
        format!("    aws ec2 create-security-group --region {region} --vpc-id VPC --group-name rescind-{instance} --description isolated"),
        format!("    aws ec2 revoke-security-group-egress --region {region} --group-id GROUP --ip-permissions 'IpProtocol=-1,IpRanges=[{{CidrIp=0.0.0.0/0}}]'"),
        format!("    aws ec2 modify-instance-attribute --region {region} --instance-id {instance} --groups GROUP"),
    ]);
    lines
}

/// The statement for the policy of a resource. `aws:PrincipalArn` of a session is the ARN of its role, with the path;
/// `aws:TokenIssueTime` is in every request that is signed with temporary credentials.
fn statement(remediation: &Remediation, cutoff: Cutoff, action: &str, resource: &Value) -> String {
    let target = &remediation.target;
    let mut condition = json!({ "ArnLike": { "aws:PrincipalArn": principals(remediation) } });
    if !matches!(target.who, Who::User { .. } | Who::Root { .. }) {
        condition["DateLessThan"] = json!({ "aws:TokenIssueTime": cutoff.to_string() });
    }
    if let Some(session) = target.session() {
        condition["StringEquals"] = json!({ "aws:userid": session.user_id });
    }
    json!({
        "Sid": SID, "Effect": "Deny", "Principal": "*", "Action": action, "Resource": resource, "Condition": condition,
    })
    .to_string()
}

/// The ARN of the principal, or what it can be: a finding does not name the path.
fn principals(remediation: &Remediation) -> Vec<String> {
    if let Some(change) = &remediation.change {
        return vec![change.arn.clone()];
    }
    let target = &remediation.target;
    let (partition, account) = (target.partition, &target.account);
    match &target.who {
        Who::Role { role, .. } => {
            vec![target.arn(), partition.role_arn(account, &format!("*/{role}"))]
        }
        Who::User { user, .. } => {
            vec![target.arn(), format!("arn:{partition}:iam::{account}:user/*/{user}")]
        }
        Who::Root { .. } | Who::Federated { .. } | Who::Unsupported { .. } => vec![target.arn()],
    }
}
