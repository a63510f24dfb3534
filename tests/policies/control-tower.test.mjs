// In an organization that AWS Control Tower governs: its mandatory control about roles (AWS-GR_IAM_ROLE_CHANGE_PROHIBITED,
// by its name "Disallow Changes to AWS IAM Roles Set Up by AWS Control Tower and AWS CloudFormation") keeps everybody but
// its own role and StackSets from changing these roles. rescind cannot deny them by IAM. It denies all others, and is
// deployed as elsewhere.

import assert from 'node:assert/strict'
import { test } from 'node:test'
import { ask, remediation, roleArn } from './ask.mjs'
import { MEMBER_CALLS, ROLE, withPolicy } from './calls.mjs'
import { MEMBER, MEMBER_ROLE, QUARANTINE, controls, memberRole, memberRoleContainOnly, policy } from './documents.mjs'
import { deployer } from './principals.mjs'
import { session } from './session.mjs'

const PROTECTED = ['aws-controltower-*', '*AWSControlTower*', 'stacksets-exec-*'].map((name) => `arn:aws:iam::*:role/${name}`)
// What the control denies: docs.aws.amazon.com/controltower/latest/userguide, "AWSControlTowerBlueprintAccess".
const ofControlTower = {
  Version: '2012-10-17',
  Statement: [
    {
      Effect: 'Deny',
      Action: [
        'AttachRolePolicy', 'CreateRole', 'DeleteRole', 'DeleteRolePermissionsBoundary', 'DeleteRolePolicy', 'DetachRolePolicy',
        'PutRolePermissionsBoundary', 'PutRolePolicy', 'UpdateAssumeRolePolicy', 'UpdateRole', 'UpdateRoleDescription'
      ].map((name) => `iam:${name}`),
      Resource: PROTECTED,
      Condition: {
        ArnNotLike: {
          'aws:PrincipalArn': ['arn:aws:iam::*:role/AWSControlTowerExecution', 'arn:aws:iam::*:role/stacksets-exec-*']
        }
      }
    }
  ]
}
const governed = controls(ofControlTower, policy('organization-seal'))
const quarantined = withPolicy(QUARANTINE)

for (const name of ['aws-controltower-AdministratorExecutionRole', 'AWSControlTowerExecution', 'stacksets-exec-0123']) {
  for (const [identity, action, context] of [
    [memberRole, 'iam:PutRolePolicy'],
    [memberRole, 'iam:AttachRolePolicy', quarantined],
    [memberRoleContainOnly, 'iam:AttachRolePolicy', quarantined]
  ]) {
    test(`denied: rescind${identity === memberRole ? '' : ', which only contains,'} calls ${action} on ${name}`, async () => {
      const call = { who: remediation, identity, session: session('Revoke', 'Role', name), action, on: roleArn(name), context }
      assert.equal(await ask({ ...call, scps: controls(ofControlTower) }), 'ExplicitlyDenied')
      assert.equal(await ask({ ...call, scps: controls() }), 'Allowed', 'it is denied for another reason')
    })
  }
  test(`allowed: rescind looks at ${name}, and can say whose it is`, async () => {
    const call = { who: remediation, identity: memberRole, session: session('Look', 'Role', name), action: 'iam:GetRole' }
    assert.equal(await ask({ ...call, on: roleArn(name), scps: governed }), 'Allowed')
  })
}

for (const [action, on, context] of MEMBER_CALLS.Revoke.Role) {
  test(`allowed: rescind calls ${action} for a role that is not Control Tower's`, async () => {
    const call = { who: remediation, identity: memberRole, session: session('Revoke', 'Role', ROLE), action, on, context }
    assert.equal(await ask({ ...call, account: MEMBER, scps: governed }), 'Allowed')
  })
}

for (const [action, on, context] of [
  ['iam:CreatePolicy', QUARANTINE],
  ['iam:CreateRole', roleArn(MEMBER_ROLE)],
  ['iam:PutRolePolicy', roleArn(MEMBER_ROLE)],
  ['iam:DeleteRole', roleArn(MEMBER_ROLE)]
]) {
  test(`allowed: StackSets calls ${action} on ${on.split(':').pop()}, under Control Tower and the seal`, async () => {
    assert.equal(await ask({ ...deployer, action, on, context, scps: governed }), 'Allowed')
  })
}
