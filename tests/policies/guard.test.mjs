// The service control policy: an attacker who is administrator of a member account can neither take a
// deny away nor alter the remediation role, and rescind and those who deploy still can.

import assert from 'node:assert/strict'
import { test } from 'node:test'
import { ask, remediation, roleArn, sessionOf, userArn } from './ask.mjs'
import { MEMBER, MEMBER_ROLE, ORGANIZATION, administrator, controls, guard, memberRoleWithUsers } from './documents.mjs'
import { session } from './session.mjs'

const web = roleArn('shop-web')
const alice = userArn('alice')
const attacker = { who: sessionOf(roleArn('Admin')), identity: administrator }
const user = (name) => ({
  who: {
    principal: userArn(name),
    context: { 'aws:PrincipalArn': userArn(name), 'aws:PrincipalOrgID': ORGANIZATION }
  },
  identity: administrator
})
const root = {
  who: {
    principal: `arn:aws:iam::${MEMBER}:root`,
    context: { 'aws:PrincipalArn': `arn:aws:iam::${MEMBER}:root`, 'aws:PrincipalOrgID': ORGANIZATION }
  },
  identity: administrator
}
const deployer = { who: sessionOf(roleArn('stacksets-exec-0123')), identity: administrator }

const onDeny = [
  ['iam:DeleteRolePolicy', web],
  ['iam:PutRolePolicy', web],
  ['iam:DeleteUserPolicy', alice],
  ['iam:PutUserPolicy', alice],
  ['iam:UpdateAccessKey', alice]
]
const onRole = [
  'AttachRolePolicy', 'CreateRole', 'DeleteRole', 'DeleteRolePermissionsBoundary', 'DeleteRolePolicy', 'DetachRolePolicy',
  'PutRolePermissionsBoundary', 'PutRolePolicy', 'UpdateAssumeRolePolicy', 'UpdateRole', 'UpdateRoleDescription'
].map((name) => [`iam:${name}`, roleArn(MEMBER_ROLE)])

const attackers = {
  'an administrator': attacker,
  'the stolen role itself': { ...attacker, who: sessionOf(web) },
  'an IAM user': user('alice'),
  'the root user': root,
  'a role whose name begins with the remediation role\'s': { ...attacker, who: sessionOf(roleArn(`${MEMBER_ROLE}2`)) },
  'a role of its name under a path': { ...attacker, who: sessionOf(roleArn(`x/${MEMBER_ROLE}`)) }
}

for (const [who, call] of Object.entries(attackers)) {
  for (const [action, on] of [...onDeny, ...onRole]) {
    test(`denied: ${who} calls ${action} on ${on.split(':').pop()}`, async () => {
      assert.equal(await ask({ ...call, action, on, scps: guard }), 'ExplicitlyDenied')
      assert.equal(await ask({ ...call, action, on, scps: controls() }), 'Allowed', 'it is denied for another reason')
    })
  }
}

for (const action of ['iam:DeleteRolePolicy', 'iam:PutRolePolicy']) {
  test(`denied: the remediation role calls ${action} on itself, also with another policy than ours`, async () => {
    const call = { who: remediation, identity: administrator, action, on: roleArn(MEMBER_ROLE) }
    assert.equal(await ask({ ...call, scps: guard }), 'ExplicitlyDenied')
    assert.equal(await ask({ ...call, scps: controls() }), 'Allowed', 'it is denied for another reason')
  })
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

for (const [action, on] of [...onDeny, ...onRole]) {
  test(`allowed: those who deploy call ${action} on ${on.split(':').pop()}`, async () => {
    assert.equal(await ask({ ...deployer, action, on, scps: guard }), 'Allowed')
  })
}

// Who could become a deployer would be spared as one.
for (const [action, on] of [
  ['iam:CreateRole', roleArn('stacksets-exec-evil')],
  ['iam:AttachRolePolicy', roleArn('stacksets-exec-evil')],
  ['iam:PutRolePolicy', roleArn('stacksets-exec-0123')],
  ['iam:UpdateAssumeRolePolicy', roleArn('stacksets-exec-0123')]
]) {
  for (const [who, call] of Object.entries(attackers)) {
    test(`denied: ${who} calls ${action} on a deployer`, async () => {
      assert.equal(await ask({ ...call, action, on, scps: guard }), 'ExplicitlyDenied')
      assert.equal(await ask({ ...call, action, on, scps: controls() }), 'Allowed', 'it is denied for another reason')
    })
  }
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
