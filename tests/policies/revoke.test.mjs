// The documents that are written: they deny what is old, and nothing else.

import assert from 'node:assert/strict'
import { test } from 'node:test'
import { ask, roleArn, sessionOf, userArn } from './ask.mjs'
import { MEMBER, administrator, controls, policy } from './documents.mjs'

const CUTOFF = '2026-11-22T12:00:00Z'
const OLD = '2026-11-22T11:59:59Z'
const NEW = '2026-11-22T12:00:01Z'
const STOLEN = 'AROAEXAMPLE:i-0abc'
const OTHER = 'AROAEXAMPLE:i-0def'
const REGION = 'eu-central-1'

const calls = [
  ['cloudtrail:StopLogging', `arn:aws:cloudtrail:${REGION}:${MEMBER}:trail/all`],
  ['dynamodb:GetItem', `arn:aws:dynamodb:${REGION}:${MEMBER}:table/customers`],
  ['ec2:DescribeInstances', '*'],
  ['ec2:TerminateInstances', `arn:aws:ec2:${REGION}:${MEMBER}:instance/i-0abc`],
  ['iam:CreateUser', userArn('eve')],
  ['iam:DeleteRolePolicy', roleArn('shop-web')],
  ['kms:Decrypt', `arn:aws:kms:${REGION}:${MEMBER}:key/1234abcd-12ab-34cd-56ef-1234567890ab`],
  ['lambda:InvokeFunction', `arn:aws:lambda:${REGION}:${MEMBER}:function:pay`],
  ['s3:GetObject', 'arn:aws:s3:::shop-invoices/1.pdf'],
  ['s3:ListAllMyBuckets', '*'],
  ['secretsmanager:GetSecretValue', `arn:aws:secretsmanager:${REGION}:${MEMBER}:secret:db-AbCdEf`],
  ['sts:AssumeRole', roleArn('next')]
]

const with_ = (document) => [...administrator, { name: 'RescindRevokeOlderSessions', policy: document }]
const all = policy('revoke-role-sessions', { CUTOFF })
const one = policy('revoke-one-session', { CUTOFF, USER_ID: STOLEN })
const role = sessionOf(roleArn('shop-web'))
const issued = (time, userid = STOLEN) => ({ 'aws:TokenIssueTime': time, 'aws:userid': userid })

// What another account or a resource says for itself does not help an old session.
const bucket = {
  Version: '2012-10-17',
  Statement: [{ Effect: 'Allow', Principal: { AWS: role.principal }, Action: 's3:GetObject', Resource: '*' }]
}

/** kms and sts also ask the resource, which says yes to its account here. */
function asked([action, on], document, context) {
  const open = { Effect: 'Allow', Principal: { AWS: `arn:aws:iam::${MEMBER}:root` }, Action: action }
  const resource = action === 'sts:AssumeRole' ? open : { ...open, Resource: '*' }
  const own = /^(kms|sts):/.test(action) ? { resource: { Version: '2012-10-17', Statement: [resource] } } : {}
  return ask({ who: role, action, on, identity: with_(document), context, account: MEMBER, ...own })
}

for (const call of calls) {
  test(`all sessions: ${call[0]}`, async () => {
    assert.equal(await asked(call, all, issued(OLD)), 'ExplicitlyDenied', 'an old one')
    assert.equal(await asked(call, all, issued(OLD, OTHER)), 'ExplicitlyDenied', 'an old one of another name')
    assert.equal(await asked(call, all, issued(CUTOFF)), 'Allowed', 'one of the very second')
    assert.equal(await asked(call, all, issued(NEW)), 'Allowed', 'a new one')
  })
  test(`one session: ${call[0]}`, async () => {
    assert.equal(await asked(call, one, issued(OLD)), 'ExplicitlyDenied', 'the stolen one')
    assert.equal(await asked(call, one, issued(OLD, OTHER)), 'Allowed', 'another old one')
    assert.equal(await asked(call, one, issued(CUTOFF)), 'Allowed', 'one of the very second')
    assert.equal(await asked(call, one, issued(NEW)), 'Allowed', 'a new one of the same name')
    assert.equal(await asked(call, one, { 'aws:userid': STOLEN }), 'Allowed', 'a call without a token')
    assert.equal(await asked(call, one, issued(OLD, STOLEN.toLowerCase())), 'Allowed', 'other letters')
  })
}

test('what a resource allows an old session is denied, too', async () => {
  const call = { who: role, action: 's3:GetObject', on: 'arn:aws:s3:::shop-invoices/1.pdf', resource: bucket, account: MEMBER }
  for (const document of [all, one]) {
    const identity = [{ name: 'RescindRevokeOlderSessions', policy: document }]
    assert.equal(await ask({ ...call, identity, context: issued(OLD) }), 'ExplicitlyDenied')
    assert.equal(await ask({ ...call, identity, context: issued(NEW) }), 'Allowed')
  }
})

test('a long-term key has no token, and is not touched', async () => {
  const alice = { principal: userArn('alice'), context: { 'aws:PrincipalArn': userArn('alice') } }
  for (const [action, on] of calls.filter(([action]) => !/^(kms|sts):/.test(action))) {
    const call = { who: alice, action, on, identity: with_(all), account: MEMBER }
    assert.equal(await ask({ ...call, context: { 'aws:userid': 'AIDAEXAMPLE' } }), 'Allowed', action)
    // A session that the key has issued is.
    const session = { 'aws:userid': 'AIDAEXAMPLE', 'aws:TokenIssueTime': OLD }
    assert.equal(await ask({ ...call, context: session }), 'ExplicitlyDenied', action)
  }
})

test('what a person is asked to attach for an Identity Center role denies that session', async () => {
  const scps = controls(policy('identity-center-session', { CUTOFF, PRINCIPAL_ID: STOLEN }))
  const call = { who: role, action: 's3:ListAllMyBuckets', on: '*', identity: administrator, scps }
  assert.equal(await ask({ ...call, context: issued(OLD) }), 'ExplicitlyDenied')
  for (const context of [issued(OLD, OTHER), issued(OLD, STOLEN.toLowerCase()), issued(CUTOFF), issued(NEW), { 'aws:userid': STOLEN }]) {
    assert.equal(await ask({ ...call, context }), 'Allowed', JSON.stringify(context))
  }
})

test('what a person is asked to attach for a root user denies root and nobody else', async () => {
  const root = `arn:aws:iam::${MEMBER}:root`
  const scps = controls(policy('organization-root', { PRINCIPAL_ARN: `arn:*:iam::${MEMBER}:root` }))
  const call = { action: 's3:ListAllMyBuckets', on: '*', identity: administrator, scps }
  const asRoot = { principal: root, context: { 'aws:PrincipalArn': root } }
  assert.equal(await ask({ ...call, who: asRoot }), 'ExplicitlyDenied')
  assert.equal(await ask({ ...call, who: role }), 'Allowed')
})
