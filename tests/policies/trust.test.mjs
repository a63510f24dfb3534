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

async function enters({ externalId, sourceIdentity, ...call }) {
  const said = sourceIdentity === undefined ? {} : { 'sts:SourceIdentity': sourceIdentity }
  const assumed = await ask({
    ...call,
    action: 'sts:AssumeRole',
    context: { ...said, ...(externalId === undefined ? {} : { 'sts:ExternalId': externalId }) }
  })
  if (sourceIdentity === undefined) return assumed === 'Allowed'
  return assumed === 'Allowed' && (await ask({ ...call, action: 'sts:SetSourceIdentity', context: said })) === 'Allowed'
}

test('the hub enters', async () => assert.equal(await enters(rightly), true))

const elsewhere = (arn, organization = ORGANIZATION) => {
  const one = sessionOf(arn)
  return { who: { ...one, context: { ...one.context, 'aws:PrincipalOrgID': organization } }, identity: administrator }
}

for (const [who, change] of Object.entries({
  'without an external id': { externalId: undefined },
  'with another external id': { externalId: 'f'.repeat(32) },
  'with the external id in other letters': { externalId: EXTERNAL_ID.toUpperCase() },
  'with another source identity': { sourceIdentity: 'somebody' },
  'with the source identity in other letters': { sourceIdentity: 'Rescind' },
  'another role of the hub account, even an administrator': elsewhere(`arn:aws:iam::${HUB}:role/Admin`),
  'a role whose name begins with the hub role\'s': elsewhere(`arn:aws:iam::${HUB}:role/RescindHub2`),
  'a role of the hub role\'s name under a path': elsewhere(`arn:aws:iam::${HUB}:role/x/RescindHub`),
  'a role of that name in another account': elsewhere(`arn:aws:iam::${MEMBER}:role/RescindHub`),
  'a role of that name in another organization': elsewhere(`arn:aws:iam::${STRANGER}:role/RescindHub`, 'o-zzzzzzzzzz'),
  'an administrator of the member account itself': elsewhere(`arn:aws:iam::${MEMBER}:role/Admin`),
  'the hub role, once its account has left the organization': {
    who: { ...hub, context: { ...hub.context, 'aws:PrincipalOrgID': 'o-zzzzzzzzzz' } }
  },
  'the hub role without its own permission': { identity: [] },
  'the root user of the hub account': {
    who: {
      principal: `arn:aws:iam::${HUB}:root`,
      context: { 'aws:PrincipalArn': `arn:aws:iam::${HUB}:root`, 'aws:PrincipalOrgID': ORGANIZATION }
    },
    identity: administrator
  }
})) {
  test(`does not enter: ${who}`, async () => assert.equal(await enters({ ...rightly, ...change }), false))
}

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
