// The guard, a service control policy in addition to the seal: nobody else writes inline policies or switches
// access keys, so that an attacker who is administrator of a member account takes no deny away. rescind and
// those who deploy still can.

import assert from 'node:assert/strict'
import { test } from 'node:test'
import { ask, remediation, roleArn } from './ask.mjs'
import { MEMBER, controls, guard, memberRoleWithUsers } from './documents.mjs'
import { alice, attacker, attackers, deployer, web } from './principals.mjs'
import { session } from './session.mjs'

const onDeny = [
  ['iam:DeleteRolePolicy', web],
  ['iam:PutRolePolicy', web],
  ['iam:DeleteUserPolicy', alice],
  ['iam:PutUserPolicy', alice],
  ['iam:UpdateAccessKey', alice]
]

for (const [who, call] of Object.entries(attackers)) {
  for (const [action, on] of onDeny) {
    test(`denied: ${who} calls ${action} on ${on.split(':').pop()}`, async () => {
      assert.equal(await ask({ ...call, action, on, scps: guard }), 'ExplicitlyDenied')
      assert.equal(await ask({ ...call, action, on, scps: controls() }), 'Allowed', 'it is denied for another reason')
    })
  }
}

for (const [purpose, kind, name, action, on] of [
  ['Revoke', 'Role', 'shop-web', 'iam:PutRolePolicy', web],
  ['Undo', 'Role', 'shop-web', 'iam:DeleteRolePolicy', web],
  ['Revoke', 'User', 'alice', 'iam:PutUserPolicy', alice],
  ['Revoke', 'User', 'alice', 'iam:UpdateAccessKey', alice],
  ['Undo', 'User', 'alice', 'iam:DeleteUserPolicy', alice]
]) {
  test(`allowed: rescind calls ${action}`, async () => {
    const call = { who: remediation, identity: memberRoleWithUsers, session: session(purpose, kind, name), action, on }
    assert.equal(await ask({ ...call, scps: guard }), 'Allowed')
  })
}

for (const [action, on] of onDeny) {
  test(`allowed: those who deploy call ${action} on ${on.split(':').pop()}`, async () => {
    assert.equal(await ask({ ...deployer, action, on, scps: guard }), 'Allowed')
  })
}

for (const [action, on] of [
  ['iam:AttachRolePolicy', web],
  ['iam:CreateRole', roleArn('new')],
  ['iam:UpdateAssumeRolePolicy', web],
  ['iam:CreateAccessKey', alice],
  ['s3:GetObject', 'arn:aws:s3:::shop-invoices/1.pdf']
]) {
  test(`not touched: an administrator calls ${action}`, async () => {
    assert.equal(await ask({ ...attacker, action, on, scps: guard, account: MEMBER }), 'Allowed')
  })
}
