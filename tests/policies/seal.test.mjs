// The seal, a service control policy: an attacker who is administrator of a member account can neither lift a
// quarantine, nor change what it says, nor alter the remediation role. rescind and those who deploy still can,
// and everybody else goes on as before.

import assert from 'node:assert/strict'
import { test } from 'node:test'
import { ask, remediation, roleArn, userArn } from './ask.mjs'
import { withPolicy } from './calls.mjs'
import {
  MEMBER, MEMBER_ROLE, QUARANTINE, administrator, controls, memberRoleWithUsers, quarantine, seal
} from './documents.mjs'
import { alice, attacker, attackers, deployer, web } from './principals.mjs'
import { session } from './session.mjs'

const quarantined = withPolicy(QUARANTINE)
const group = `arn:aws:iam::${MEMBER}:group/admins`
const own = `arn:aws:iam::${MEMBER}:policy/shop`

// [action, resource, context]. Who could attach it could lock others out, and could attach a policy of his own
// that nobody may detach.
const onQuarantine = [
  ['iam:DetachRolePolicy', web, quarantined],
  ['iam:DetachUserPolicy', alice, quarantined],
  ['iam:AttachRolePolicy', web, quarantined],
  ['iam:AttachUserPolicy', alice, quarantined],
  ['iam:AttachGroupPolicy', group, quarantined],
  ['iam:DetachRolePolicy', web, withPolicy(`arn:aws:iam::${MEMBER}:policy/rescind/Other`)]
]
const onItsPolicy = [
  'CreatePolicy', 'CreatePolicyVersion', 'DeletePolicy', 'DeletePolicyVersion', 'SetDefaultPolicyVersion'
].map((name) => [`iam:${name}`, QUARANTINE])
const onRole = [
  'AttachRolePolicy', 'CreateRole', 'DeleteRole', 'DeleteRolePermissionsBoundary', 'DeleteRolePolicy', 'DetachRolePolicy',
  'PutRolePermissionsBoundary', 'PutRolePolicy', 'TagRole', 'UntagRole', 'UpdateAssumeRolePolicy', 'UpdateRole',
  'UpdateRoleDescription'
].map((name) => [`iam:${name}`, roleArn(MEMBER_ROLE)])
// Who could become a deployer would be spared as one.
const onDeployers = [
  ['iam:CreateRole', roleArn('stacksets-exec-evil')],
  ['iam:AttachRolePolicy', roleArn('stacksets-exec-evil')],
  ['iam:PutRolePolicy', roleArn('stacksets-exec-0123')],
  ['iam:UpdateAssumeRolePolicy', roleArn('stacksets-exec-0123')]
]
const all = [...onQuarantine, ...onItsPolicy, ...onRole, ...onDeployers]

for (const [who, call] of Object.entries(attackers)) {
  for (const [action, on, context] of all) {
    test(`denied: ${who} calls ${action} on ${on.split(':').pop()}`, async () => {
      const asked = { ...call, action, on, context }
      assert.equal(await ask({ ...asked, scps: seal }), 'ExplicitlyDenied')
      assert.equal(await ask({ ...asked, scps: controls() }), 'Allowed', 'it is denied for another reason')
    })
  }
}

for (const [action, on, context] of all) {
  test(`allowed: those who deploy call ${action} on ${on.split(':').pop()}`, async () => {
    assert.equal(await ask({ ...deployer, action, on, context, scps: seal }), 'Allowed')
  })
}

for (const [action, on] of [...onItsPolicy, ...onRole]) {
  test(`denied: the remediation role, with whatever it was given, calls ${action} on ${on.split(':').pop()}`, async () => {
    const call = { who: remediation, identity: administrator, action, on }
    assert.equal(await ask({ ...call, scps: seal }), 'ExplicitlyDenied')
    assert.equal(await ask({ ...call, scps: controls() }), 'Allowed', 'it is denied for another reason')
  })
}

for (const [purpose, kind, name, action, on, context] of [
  ['Revoke', 'Role', 'shop-web', 'iam:AttachRolePolicy', web, quarantined],
  ['Undo', 'Role', 'shop-web', 'iam:DetachRolePolicy', web, quarantined],
  ['Revoke', 'User', 'alice', 'iam:AttachUserPolicy', alice, quarantined],
  ['Undo', 'User', 'alice', 'iam:DetachUserPolicy', alice, quarantined],
  ['Revoke', 'Role', 'shop-web', 'iam:PutRolePolicy', web],
  ['Undo', 'Role', 'shop-web', 'iam:DeleteRolePolicy', web],
  ['Revoke', 'User', 'alice', 'iam:PutUserPolicy', alice],
  ['Revoke', 'User', 'alice', 'iam:UpdateAccessKey', alice]
]) {
  test(`allowed: rescind calls ${action}`, async () => {
    const call = { who: remediation, identity: memberRoleWithUsers, session: session(purpose, kind, name), action, on, context }
    assert.equal(await ask({ ...call, scps: seal }), 'Allowed')
  })
}

// It holds for rescind as well: the session of a deployer that was stolen cannot be denied in the account.
for (const [action, context] of [['iam:PutRolePolicy'], ['iam:AttachRolePolicy', quarantined]]) {
  test(`denied: rescind calls ${action} on a deployer's role`, async () => {
    const name = 'stacksets-exec-0123'
    const call = {
      who: remediation, identity: memberRoleWithUsers, session: session('Revoke', 'Role', name), action, on: roleArn(name), context
    }
    assert.equal(await ask({ ...call, scps: seal }), 'ExplicitlyDenied')
    assert.equal(await ask({ ...call, scps: controls() }), 'Allowed', 'it is denied for another reason')
  })
}

// It bans nothing that others do: no inline policy, no managed policy of their own, no key, no role.
for (const [action, on, context] of [
  ['iam:PutRolePolicy', web],
  ['iam:DeleteRolePolicy', web],
  ['iam:PutUserPolicy', alice],
  ['iam:UpdateAccessKey', alice],
  ['iam:CreateAccessKey', alice],
  ['iam:AttachRolePolicy', web, withPolicy(own)],
  ['iam:AttachRolePolicy', web, withPolicy('arn:aws:iam::aws:policy/ReadOnlyAccess')],
  ['iam:AttachRolePolicy', web, withPolicy(`arn:aws:iam::${MEMBER}:policy/rescind2/Quarantine`)],
  ['iam:DetachRolePolicy', web, withPolicy(own)],
  ['iam:DetachUserPolicy', alice, withPolicy(own)],
  ['iam:AttachGroupPolicy', group, withPolicy(own)],
  ['iam:CreatePolicy', own],
  ['iam:CreatePolicyVersion', own],
  ['iam:SetDefaultPolicyVersion', own],
  ['iam:DeletePolicy', `arn:aws:iam::${MEMBER}:policy/Quarantine`],
  ['iam:CreateRole', roleArn('new')],
  ['iam:CreateUser', userArn('new')],
  ['iam:UpdateAssumeRolePolicy', web],
  ['iam:PutRolePermissionsBoundary', web],
  ['iam:DeleteRole', roleArn(`team/${MEMBER_ROLE}`)],
  ['iam:GetPolicyVersion', QUARANTINE],
  ['s3:GetObject', 'arn:aws:s3:::shop-invoices/1.pdf']
]) {
  test(`not touched: an administrator calls ${action} on ${on.split(':').pop()}`, async () => {
    const call = { ...attacker, action, on, context, account: MEMBER }
    assert.equal(await ask({ ...call, scps: seal }), 'Allowed')
  })
}

test('who is quarantined can do nothing, lifting it included', async () => {
  for (const [action, on, context] of [...onQuarantine, ['sts:GetSessionToken', '*'], ['s3:ListAllMyBuckets', '*']]) {
    const call = { ...attackers['the stolen role itself'], action, on, context }
    assert.equal(await ask({ ...call, identity: [...administrator, quarantine] }), 'ExplicitlyDenied', action)
    assert.equal(await ask(call), 'Allowed', action)
  }
})
