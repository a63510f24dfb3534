// The service control policy that organization_deny writes for an account: a statement for each principal. It
// denies what that principal did before the cutoff, whatever its own policies allow, and nobody else.

import assert from 'node:assert/strict'
import { test } from 'node:test'
import { ask, roleArn, sessionOf, userArn } from './ask.mjs'
import { MEMBER, ORGANIZATION, administrator, controls } from './documents.mjs'

const CUTOFF = '2026-11-21T23:47:30Z'
const OLD = '2026-11-21T23:47:29Z'
const NEW = '2026-11-21T23:47:31Z'

const deny = (condition) => ({ Effect: 'Deny', Action: '*', Resource: '*', Condition: condition })
const before = { DateLessThan: { 'aws:TokenIssueTime': CUTOFF } }
const beforeOrNever = { DateLessThanIfExists: { 'aws:TokenIssueTime': CUTOFF } }
const document = {
  Version: '2012-10-17',
  Statement: [
    deny({ StringLike: { 'aws:userid': 'AROAEXAMPLE:*' }, ...before }),
    deny({ StringLike: { 'aws:userid': 'AROASSO:alice@example.com' }, ...before }),
    deny({ StringLike: { 'aws:userid': 'AIDAALICE' }, ...beforeOrNever }),
    deny({ StringLike: { 'aws:userid': `${MEMBER}:carol` }, ...before }),
    deny({ StringEquals: { 'aws:userid': MEMBER } })
  ]
}

const sso = 'aws-reserved/sso.amazonaws.com/eu-central-1/AWSReservedSSO_Admin_0123456789abcdef'
const itself = (arn) => ({ principal: arn, context: { 'aws:PrincipalArn': arn, 'aws:PrincipalOrgID': ORGANIZATION } })
const federated = (name) => itself(`arn:aws:sts::${MEMBER}:federated-user/${name}`)
const root = itself(`arn:aws:iam::${MEMBER}:root`)
const person = (name) => sessionOf(roleArn(sso), name)

/** Who, with what user id, and when the credentials were issued: never, for a long-term key. */
const denied = {
  'an old session of the role': [sessionOf(roleArn('shop-web')), 'AROAEXAMPLE:i-0abc', OLD],
  'an old session of the role under another name': [sessionOf(roleArn('shop-web')), 'AROAEXAMPLE:i-0def', OLD],
  'the person\'s old session': [person('alice@example.com'), 'AROASSO:alice@example.com', OLD],
  'the user\'s key': [itself(userArn('alice')), 'AIDAALICE', undefined],
  'an old session of the user': [itself(userArn('alice')), 'AIDAALICE', OLD],
  'the federated user\'s old session': [federated('carol'), `${MEMBER}:carol`, OLD],
  'the root user\'s key': [root, MEMBER, undefined],
  'a session of the root user, also a new one': [root, MEMBER, NEW]
}
const allowed = {
  'a session of the role of the very second': [sessionOf(roleArn('shop-web')), 'AROAEXAMPLE:i-0abc', CUTOFF],
  'a new session of the role': [sessionOf(roleArn('shop-web')), 'AROAEXAMPLE:i-0abc', NEW],
  'a role of that name that was made anew': [sessionOf(roleArn('shop-web')), 'AROAOTHER:i-0abc', OLD],
  'a role whose id begins with it': [sessionOf(roleArn('shop')), 'AROAEXAMPLE2:i-0abc', OLD],
  'a role with its id in other letters': [sessionOf(roleArn('shop')), 'aroaexample:i-0abc', OLD],
  'another person with the same role': [person('bob@example.com'), 'AROASSO:bob@example.com', OLD],
  'the person\'s new session': [person('alice@example.com'), 'AROASSO:alice@example.com', NEW],
  'another user\'s key': [itself(userArn('bob')), 'AIDABOB', undefined],
  'a new session of the user': [itself(userArn('alice')), 'AIDAALICE', NEW],
  'another federated user': [federated('dave'), `${MEMBER}:dave`, OLD],
  'a new session of the federated user': [federated('carol'), `${MEMBER}:carol`, NEW]
}

const calls = [
  ['iam:CreateUser', userArn('eve')],
  ['s3:GetObject', 'arn:aws:s3:::shop-invoices/1.pdf'],
  ['s3:ListAllMyBuckets', '*'],
  ['ec2:TerminateInstances', `arn:aws:ec2:eu-central-1:${MEMBER}:instance/i-0abc`]
]

async function answers([who, userid, issued], scps) {
  const context = { 'aws:userid': userid, ...(issued && { 'aws:TokenIssueTime': issued }) }
  const asked = calls.map(([action, on]) => ask({ who, action, on, identity: administrator, scps, context, account: MEMBER }))
  return [...new Set(await Promise.all(asked))]
}

for (const [name, who] of Object.entries(denied)) {
  test(`denied: ${name}`, async () => {
    assert.deepEqual(await answers(who, controls(document)), ['ExplicitlyDenied'])
    assert.deepEqual(await answers(who, controls()), ['Allowed'], 'it is denied for another reason')
  })
}

for (const [name, who] of Object.entries(allowed)) {
  test(`not touched: ${name}`, async () => {
    assert.deepEqual(await answers(who, controls(document)), ['Allowed'])
  })
}

test('what a resource allows an old session is denied, too', async () => {
  const [who, userid] = denied['an old session of the role']
  const bucket = {
    Version: '2012-10-17',
    Statement: [{ Effect: 'Allow', Principal: { AWS: who.principal }, Action: 's3:GetObject', Resource: '*' }]
  }
  const call = { who, action: 's3:GetObject', on: 'arn:aws:s3:::shop-invoices/1.pdf', resource: bucket, account: MEMBER, scps: controls(document) }
  assert.equal(await ask({ ...call, context: { 'aws:userid': userid, 'aws:TokenIssueTime': OLD } }), 'ExplicitlyDenied')
  assert.equal(await ask({ ...call, context: { 'aws:userid': userid, 'aws:TokenIssueTime': NEW } }), 'Allowed')
})
