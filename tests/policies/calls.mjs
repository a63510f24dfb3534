// Every call of AWS that rescind makes, with the action that IAM asks for it, and when it is made.

import { HUB, LOG_TABLE, MEMBER, QUARANTINE } from './documents.mjs'
import { roleArn, userArn } from './ask.mjs'

export const ROLE = 'shop-web'
export const USER = 'alice'

const onRole = (action) => [action, roleArn(ROLE)]
const onUser = (action) => [action, userArn(USER)]
const onAll = (action) => [action, '*']

/** What a policy is attached or detached with. */
export const withPolicy = (arn) => ({ 'iam:PolicyARN': arn })

/** In a member account: by the purpose of the session and by whom it is about. [action, resource, context] */
const looks = {
  Role: [onRole('iam:GetRole'), onRole('iam:GetRolePolicy'), onRole('iam:ListAttachedRolePolicies'),
    onRole('iam:SimulatePrincipalPolicy'), onAll('iam:GetAccountSummary')],
  User: [onUser('iam:GetUser'), onUser('iam:GetUserPolicy'), onUser('iam:ListAccessKeys'),
    onUser('iam:ListAttachedUserPolicies'), onUser('iam:SimulatePrincipalPolicy'), onAll('iam:GetAccountSummary')]
}
/** By doctor, on the policy that it looks at. [action, resource] */
export const DOCTOR_CALLS = [['iam:GetPolicy', QUARANTINE], ['iam:GetPolicyVersion', QUARANTINE]]
const quarantines = {
  Role: ['iam:AttachRolePolicy', 'iam:DetachRolePolicy'].map((action) => [...onRole(action), withPolicy(QUARANTINE)]),
  User: ['iam:AttachUserPolicy', 'iam:DetachUserPolicy'].map((action) => [...onUser(action), withPolicy(QUARANTINE)])
}
export const MEMBER_CALLS = {
  Look: looks,
  Revoke: {
    Role: [...looks.Role, ...quarantines.Role, onRole('iam:PutRolePolicy')],
    User: [...looks.User, ...quarantines.User, onUser('iam:UpdateAccessKey'), onUser('iam:PutUserPolicy')]
  },
  Undo: {
    Role: [...looks.Role, ...quarantines.Role, onRole('iam:PutRolePolicy'), onRole('iam:DeleteRolePolicy')],
    User: [...looks.User, ...quarantines.User, onUser('iam:UpdateAccessKey'), onUser('iam:PutUserPolicy'),
      onUser('iam:DeleteUserPolicy')]
  },
  Trace: {
    Role: [onRole('iam:GetRole'), onRole('iam:ListInstanceProfilesForRole'),
      onRole('iam:SimulatePrincipalPolicy'), onAll('ec2:DescribeInstances'), onAll('cloudtrail:LookupEvents')],
    User: [onAll('cloudtrail:LookupEvents')]
  },
  Search: { Role: [onAll('iam:ListRoles')] }
}

const REGION = 'eu-central-1'
const detector = `arn:aws:guardduty:${REGION}:${HUB}:detector/12abc34d567e8fa901bc2d34e56789f0`
const queue = `arn:aws:sqs:${REGION}:${HUB}:rescind-findings`
// Organizations' own ARNs are of the management account.
const account = `arn:aws:organizations::${MEMBER}:account/o-a1b2c3d4e5/${MEMBER}`
const control = `arn:aws:organizations::${MEMBER}:policy/o-a1b2c3d4e5/service_control_policy/p-12345678`
const unit = `arn:aws:organizations::${MEMBER}:ou/o-a1b2c3d4e5/ou-ab12-cdefgh34`

/** By the hub's role. [action, resource] */
export const HUB_CALLS = [
  ['account:ListRegions', `arn:aws:account::${HUB}:account`],
  ['events:PutEvents', `arn:aws:events:${REGION}:${HUB}:event-bus/rescind-results`],
  ['guardduty:GetDetector', detector],
  ['guardduty:GetFindings', '*'],
  ['guardduty:ListDetectors', '*'],
  ['guardduty:ListFindings', '*'],
  ['guardduty:ListMembers', '*'],
  ['organizations:DescribeOrganization', '*'],
  ['organizations:DescribePolicy', control],
  ['organizations:ListAccounts', '*'],
  ['organizations:ListAccountsForParent', unit],
  ['organizations:ListDelegatedAdministrators', '*'],
  ['organizations:ListOrganizationalUnitsForParent', unit],
  ['organizations:ListParents', account],
  ['organizations:ListPolicies', '*'],
  ['organizations:ListTagsForResource', account],
  ['organizations:ListTargetsForPolicy', control],
  ['securityhub:BatchImportFindings', `arn:aws:securityhub:${REGION}:${HUB}:product/${HUB}/default`],
  ['sns:Publish', `arn:aws:sns:${REGION}:${HUB}:rescind-on-call`],
  ['sqs:ChangeMessageVisibility', queue],
  ['sqs:DeleteMessage', queue],
  ['sqs:GetQueueAttributes', queue],
  ['sqs:GetQueueUrl', queue],
  ['sqs:ReceiveMessage', queue]
]

/** By the hub's role where write back is configured. [action, resource, the document that allows it] */
export const WRITE_BACK_CALLS = [
  // IAM knows no resource for it (Service Authorization Reference).
  ['guardduty:ArchiveFindings', '*', 'hub-role-archive'],
  ['securityhub:BatchUpdateFindings', '*', 'hub-role-security-hub']
]

/** The table of the log, in the hub's account. */
export const TABLE = `arn:aws:dynamodb:${REGION}:${HUB}:table/${LOG_TABLE}`
/** By the hub's role where the log is in a table. */
export const LOG_CALLS = ['dynamodb:BatchGetItem', 'dynamodb:DescribeTable', 'dynamodb:GetItem', 'dynamodb:PutItem']

/** By the hub's role where a key in KMS signs checkpoints. */
export const SIGNING_CALLS = ['kms:GetPublicKey', 'kms:Sign']

/** By the hub's role where there is a bucket for checkpoints. What they ask is in witness.test.mjs. */
export const WITNESS_CALLS = [
  's3:GetBucketObjectLockConfiguration',
  's3:GetObject',
  's3:GetObjectVersion',
  's3:ListBucket',
  's3:ListBucketVersions',
  's3:PutObject'
]

/** What SNS asks KMS in the name of whoever publishes to a topic with a customer-managed key. */
export const KEY = `arn:aws:kms:${REGION}:${HUB}:key/1234abcd-12ab-34cd-56ef-1234567890ab`
export const KEY_CALLS = ['kms:Decrypt', 'kms:GenerateDataKey']
export const by = (service, suffix = 'amazonaws.com') => ({ 'kms:ViaService': `${service}.${REGION}.${suffix}` })

/** Operations that IAM knows under the name of another, and the one that it never asks about. */
export const KNOWN_AS = {
  's3:GetObjectLockConfiguration': 's3:GetBucketObjectLockConfiguration',
  's3:ListObjectVersions': 's3:ListBucketVersions',
  'sqs:ChangeMessageVisibilityBatch': 'sqs:ChangeMessageVisibility',
  'sqs:DeleteMessageBatch': 'sqs:DeleteMessage'
}
export const NEVER_ASKED = ['sts:GetCallerIdentity']
