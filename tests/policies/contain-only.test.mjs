// The remediation role where no rule writes a policy: it can stop roles and users, let them go again, and nothing else.

import assert from 'node:assert/strict'
import { test } from 'node:test'
import { ask, remediation, roleArn, userArn } from './ask.mjs'
import { DOCTOR_CALLS, MEMBER_CALLS, withPolicy } from './calls.mjs'
import {
  MEMBER, MEMBER_ROLE, QUARANTINE, administrator, memberRoleContainOnly as identity, memberRoleContainingUsers, memberRoleWithUsers, policy
} from './documents.mjs'
import { alice, web } from './principals.mjs'
import { session } from './session.mjs'

const quarantined = withPolicy(QUARANTINE)
// What the other remedies write and read, and what this role has no permission for.
const OF_OTHERS = ['DeleteRolePolicy', 'DeleteUserPolicy', 'GetRolePolicy', 'GetUserPolicy', 'ListAccessKeys', 'PutRolePolicy',
  'PutUserPolicy', 'UpdateAccessKey'].map((name) => `iam:${name}`)

for (const [purpose, kinds] of Object.entries(MEMBER_CALLS)) {
  for (const [kind, calls] of Object.entries(kinds)) {
    const confined = session(purpose, kind, { Role: 'shop-web', User: 'alice' }[kind])
    for (const [action, on, context] of calls) {
      const call = { who: remediation, action, on, context, session: confined }
      const isOfOthers = OF_OTHERS.includes(action)
      test(`${purpose} a ${kind.toLowerCase()}: ${isOfOthers ? 'not ' : ''}${action}`, async () => {
        assert.equal(await ask({ ...call, identity }), isOfOthers ? 'ImplicitlyDenied' : 'Allowed')
        assert.equal(await ask({ ...call, identity: memberRoleWithUsers }), 'Allowed', 'it is denied for another reason')
      })
    }
  }
}

test('doctor can look at the role itself, and at the quarantine', async () => {
  const own = roleArn(MEMBER_ROLE)
  const confined = policy('session-doctor', { ROLE_ARN: own, QUARANTINE_ARN: QUARANTINE })
  const itself = ['iam:GetRole', 'iam:GetRolePolicy', 'iam:SimulatePrincipalPolicy'].map((action) => [action, own])
  for (const [action, on] of [...itself, ...DOCTOR_CALLS]) {
    assert.equal(await ask({ who: remediation, action, on, identity, session: confined }), 'Allowed', action)
  }
})

// A whole session of the role, as somebody has it who took the hub over: no session policy.
const unconfined = { who: remediation, identity }
const other = `arn:aws:iam::${MEMBER}:policy/shop`
const attaches = [['iam:AttachRolePolicy', web], ['iam:DetachRolePolicy', web], ['iam:AttachUserPolicy', alice], ['iam:DetachUserPolicy', alice]]

for (const [action, on] of attaches) {
  test(`without a session policy: ${action} with the quarantine and with nothing else`, async () => {
    assert.equal(await ask({ ...unconfined, action, on, context: quarantined }), 'Allowed')
    for (const arn of [other, `${QUARANTINE}2`, QUARANTINE.replace('rescind/', ''), 'arn:aws:iam::aws:policy/AdministratorAccess']) {
      const call = { ...unconfined, action, on, context: withPolicy(arn) }
      assert.notEqual(await ask(call), 'Allowed', arn)
      assert.equal(await ask({ ...call, identity: administrator }), 'Allowed', 'it is denied for another reason')
    }
  })
}

const writes = [
  ...['PutRolePolicy', 'DeleteRolePolicy', 'DeleteRole', 'UpdateAssumeRolePolicy', 'UpdateRole', 'TagRole', 'PassRole',
    'PutRolePermissionsBoundary', 'DeleteRolePermissionsBoundary', 'CreateRole'].map((name) => [`iam:${name}`, web]),
  ...['PutUserPolicy', 'DeleteUserPolicy', 'UpdateAccessKey', 'CreateAccessKey', 'DeleteAccessKey', 'CreateLoginProfile',
    'UpdateLoginProfile', 'DeactivateMFADevice', 'PutUserPermissionsBoundary', 'CreateUser', 'DeleteUser'].map((name) => [`iam:${name}`, alice]),
  ...['CreatePolicy', 'CreatePolicyVersion', 'DeletePolicy', 'DeletePolicyVersion', 'SetDefaultPolicyVersion']
    .flatMap((name) => [[`iam:${name}`, QUARANTINE], [`iam:${name}`, other]]),
  ['iam:PutGroupPolicy', `arn:aws:iam::${MEMBER}:group/admins`],
  ['iam:AttachGroupPolicy', `arn:aws:iam::${MEMBER}:group/admins`, quarantined],
  ['iam:AddUserToGroup', `arn:aws:iam::${MEMBER}:group/admins`],
  ['sts:AssumeRole', web],
  ['s3:GetObject', 'arn:aws:s3:::shop-invoices/1.pdf']
]

for (const [action, on, context] of writes) {
  test(`without a session policy it does not: ${action} on ${on.split(':').pop()}`, async () => {
    const call = { ...unconfined, action, on, context, account: MEMBER }
    assert.notEqual(await ask(call), 'Allowed')
    assert.equal(await ask({ ...call, identity: administrator }), 'Allowed', 'it is denied for another reason')
  })
}

// Whatever it is given besides: the deny is its own.
for (const action of ['AttachRolePolicy', 'DeleteRole', 'DeleteRolePermissionsBoundary', 'DeleteRolePolicy', 'DetachRolePolicy', 'PassRole',
  'PutRolePermissionsBoundary', 'PutRolePolicy', 'TagRole', 'UntagRole', 'UpdateAssumeRolePolicy', 'UpdateRole'].map((name) => `iam:${name}`)) {
  test(`denied on itself, even as an administrator: ${action}`, async () => {
    const call = { who: remediation, action, on: roleArn(MEMBER_ROLE), context: /(At|De)tach/.test(action) ? quarantined : undefined }
    assert.equal(await ask({ ...call, identity: [...administrator, ...identity] }), 'ExplicitlyDenied')
    assert.equal(await ask({ ...call, identity: administrator }), 'Allowed', 'it is denied for another reason')
  })
}

// Beside a role that writes the policies of roles.
test('users that are only contained are looked at and quarantined, and nothing of theirs is written', async () => {
  const call = { ...unconfined, identity: memberRoleContainingUsers, on: alice }
  for (const action of ['iam:GetUser', 'iam:ListAttachedUserPolicies', 'iam:SimulatePrincipalPolicy']) {
    assert.equal(await ask({ ...call, action }), 'Allowed', action)
  }
  for (const action of ['iam:AttachUserPolicy', 'iam:DetachUserPolicy']) {
    assert.equal(await ask({ ...call, action, context: quarantined }), 'Allowed', action)
    assert.notEqual(await ask({ ...call, action, context: withPolicy(other) }), 'Allowed', action)
  }
  for (const [action] of writes.filter(([, on]) => on === alice)) {
    assert.notEqual(await ask({ ...call, action }), 'Allowed', action)
  }
})

test('a session for one role stops no other, and no user', async () => {
  const call = { ...unconfined, session: session('Revoke', 'Role', 'shop-web'), context: quarantined }
  assert.equal(await ask({ ...call, action: 'iam:AttachRolePolicy', on: web }), 'Allowed')
  assert.notEqual(await ask({ ...call, action: 'iam:AttachRolePolicy', on: roleArn('billing') }), 'Allowed')
  assert.notEqual(await ask({ ...call, action: 'iam:AttachUserPolicy', on: userArn('alice') }), 'Allowed')
})
