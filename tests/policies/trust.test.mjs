// Who can enter a member account: the hub's role, with what it must say, and nobody else.
//
// AssumeRole with a source identity is two questions to IAM, and both must be answered with yes:
// sts:AssumeRole and sts:SetSourceIdentity. The caller's own policy is asked, too.

import assert from 'node:assert/strict'
import { test } from 'node:test'
import { ask, hub, roleArn, sessionOf } from './ask.mjs'
import { DRILL_ROLE, EXTERNAL_ID, HUB, MEMBER, MEMBER_ROLE, ORGANIZATION, SOURCE_IDENTITY, STRANGER, administrator, hubRole, memberRole, trust } from './documents.mjs'

const rightly = {
  who: hub,
  identity: hubRole,
  on: roleArn(MEMBER_ROLE),
  externalId: EXTERNAL_ID,
  sourceIdentity: SOURCE_IDENTITY,
  resource: trust
}

/** What IAM answers to the two questions. */
async function answers({ externalId, sourceIdentity, ...call }) {
  const said = sourceIdentity === undefined ? {} : { 'sts:SourceIdentity': sourceIdentity }
  const secret = externalId === undefined ? {} : { 'sts:ExternalId': externalId }
  const assume = await ask({ ...call, action: 'sts:AssumeRole', context: { ...said, ...secret } })
  // Who says none is not asked for one.
  if (sourceIdentity === undefined) return [assume]
  return [assume, await ask({ ...call, action: 'sts:SetSourceIdentity', context: said })]
}

const enters = async (call) => (await answers(call)).every((answer) => answer === 'Allowed')

test('the hub enters', async () => assert.equal(await enters(rightly), true))

for (const [who, change] of Object.entries({
  'without an external id': { externalId: undefined },
  'with another external id': { externalId: 'f'.repeat(32) },
  'with the external id in other letters': { externalId: EXTERNAL_ID.toUpperCase() },
  'with another source identity': { sourceIdentity: 'somebody' },
  'with the source identity in other letters': { sourceIdentity: 'Rescind' },
  'once its account has left the organization': {
    who: { ...hub, context: { ...hub.context, 'aws:PrincipalOrgID': 'o-zzzzzzzzzz' } }
  },
  'without its own permission': { identity: [] }
})) {
  test(`the hub does not enter ${who}`, async () => assert.equal(await enters({ ...rightly, ...change }), false))
}

test('the hub does not enter without a source identity', async () => {
  assert.equal(await enters({ ...rightly, sourceIdentity: undefined }), false)
})

const elsewhere = (arn, organization = ORGANIZATION) => {
  const one = arn.endsWith(':root') ? { principal: arn, context: { 'aws:PrincipalArn': arn } } : sessionOf(arn)
  return { who: { ...one, context: { ...one.context, 'aws:PrincipalOrgID': organization } }, identity: administrator }
}

for (const [who, change] of Object.entries({
  'another role of the hub account, even an administrator': elsewhere(`arn:aws:iam::${HUB}:role/Admin`),
  'a role whose name begins with the hub role\'s': elsewhere(`arn:aws:iam::${HUB}:role/RescindHub2`),
  'the root user of the hub account': elsewhere(`arn:aws:iam::${HUB}:root`),
  'a role of that name in another account': elsewhere(`arn:aws:iam::${MEMBER}:role/RescindHub`),
  'a role of that name in another organization': elsewhere(`arn:aws:iam::${STRANGER}:role/RescindHub`, 'o-zzzzzzzzzz'),
  'an administrator of the member account itself': elsewhere(`arn:aws:iam::${MEMBER}:role/Admin`)
})) {
  test(`nobody else enters: ${who}`, async () => {
    for (const answer of await answers({ ...rightly, ...change })) assert.notEqual(answer, 'Allowed')
  })
}

test('the hub may do nothing more with the role than enter it', async () => {
  assert.deepEqual(trust.Statement.map((statement) => statement.Action), ['sts:AssumeRole', 'sts:SetSourceIdentity'])
  const call = { who: hub, identity: administrator, on: rightly.on, action: 'sts:TagSession' }
  assert.notEqual(await ask({ ...call, resource: trust }), 'Allowed')
  const open = { Version: '2012-10-17', Statement: [{ ...trust.Statement[0], Action: 'sts:TagSession', Condition: {} }] }
  assert.equal(await ask({ ...call, resource: open }), 'Allowed', 'it is denied for another reason')
})

test('the hub enters no other role of the account, whatever that trusts', async () => {
  const open = structuredClone(trust)
  for (const statement of open.Statement) delete statement.Condition
  const call = { ...rightly, resource: open }
  assert.equal(await enters(call), true)
  for (const other of ['Admin', 'OrganizationAccountAccessRole', `${MEMBER_ROLE}2`, `x/${MEMBER_ROLE}`, DRILL_ROLE]) {
    assert.equal(await enters({ ...call, on: roleArn(other) }), false, other)
  }
})

test('a session of a member cannot enter the next member', async () => {
  const who = sessionOf(roleArn(MEMBER_ROLE), 'rescind-r-1')
  const on = roleArn(MEMBER_ROLE, '333333333333')
  assert.equal(await enters({ ...rightly, who, identity: memberRole, on }), false)
  assert.equal(await enters({ ...rightly, who, identity: administrator, on }), false)
})
