// The calls with which rescind writes service control policies. Organizations' own ARNs are of the management account.

import { MANAGEMENT, MEMBER, ORGANIZATION } from './documents.mjs'

export const ACCOUNT = `arn:aws:organizations::${MANAGEMENT}:account/${ORGANIZATION}/${MEMBER}`
export const CONTROL = `arn:aws:organizations::${MANAGEMENT}:policy/${ORGANIZATION}/service_control_policy/p-12345678`
export const UNIT = `arn:aws:organizations::${MANAGEMENT}:ou/${ORGANIZATION}/ou-ab12-cdefgh34`
export const SCP = { 'organizations:PolicyType': 'SERVICE_CONTROL_POLICY' }

/** [action, resource, context]. AttachPolicy and DetachPolicy ask about both, the policy and the account. */
export const WRITES_CONTROLS = [
  ['organizations:CreatePolicy', CONTROL, SCP],
  ['organizations:UpdatePolicy', CONTROL, SCP],
  ['organizations:DeletePolicy', CONTROL, SCP],
  ['organizations:AttachPolicy', CONTROL, SCP],
  ['organizations:AttachPolicy', ACCOUNT, SCP],
  ['organizations:DetachPolicy', CONTROL, SCP],
  ['organizations:DetachPolicy', ACCOUNT, SCP]
]
/** By doctor. Organizations lets every delegated administrator make it: its resource policy is not asked. */
export const READS_DELEGATION = ['organizations:DescribeResourcePolicy', '*']
export const ORGANIZATION_CALLS = [
  ...WRITES_CONTROLS,
  ['organizations:DescribePolicy', CONTROL, SCP],
  ['organizations:ListPolicies', '*', SCP],
  ['organizations:ListPoliciesForTarget', ACCOUNT, SCP],
  ['organizations:ListTargetsForPolicy', CONTROL, SCP]
]
