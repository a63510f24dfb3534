// The organization's resource policy and the hub role's own: with both, rescind writes service control policies
// and attaches them to accounts. Neither is enough alone, and nobody else of the hub's account gets in.

import assert from 'node:assert/strict'
import { test } from 'node:test'
import { ask, hub, sessionOf } from './ask.mjs'
import { ACCOUNT, CONTROL, ORGANIZATION_CALLS, READS_DELEGATION, SCP, UNIT, WRITES_CONTROLS } from './organization.mjs'
import { HUB, MANAGEMENT, MEMBER, ORGANIZATION, administrator, hubRole, hubRoleWithDeny, policy } from './documents.mjs'

const delegation = policy('organization-deny-delegation')
const rightly = { who: hub, identity: hubRoleWithDeny, resource: delegation, account: MANAGEMENT }
const everything = {
  Version: '2012-10-17',
  Statement: [{ Effect: 'Allow', Principal: { AWS: `arn:aws:iam::${HUB}:root` }, Action: '*', Resource: '*' }]
}

for (const [action, on, context] of ORGANIZATION_CALLS) {
  test(`the hub: ${action} on ${on.split(':').pop()}`, async () => {
    assert.equal(await ask({ ...rightly, action, on, context }), 'Allowed')
    // Where AWS does not say what type it is, the ARNs still do.
    assert.equal(await ask({ ...rightly, action, on, context: {} }), 'Allowed')
  })
}

test('the hub reads what is delegated to it', async () => {
  const [action, on] = READS_DELEGATION
  const call = { who: hub, action, on, account: HUB }
  assert.equal(await ask({ ...call, identity: hubRoleWithDeny }), 'Allowed')
  assert.notEqual(await ask({ ...call, identity: hubRole }), 'Allowed')
})

for (const [action, on, context] of WRITES_CONTROLS) {
  const call = { ...rightly, action, on, context }
  test(`not without the organization: ${action} on ${on.split(':').pop()}`, async () => {
    assert.notEqual(await ask({ ...call, resource: undefined }), 'Allowed')
  })
  test(`not without the role's own policy: ${action} on ${on.split(':').pop()}`, async () => {
    assert.notEqual(await ask({ ...call, identity: hubRole }), 'Allowed')
  })
}

for (const [who, arn] of Object.entries({
  'another role of the hub account, even an administrator': `arn:aws:iam::${HUB}:role/Admin`,
  'a role whose name begins with the hub role\'s': `arn:aws:iam::${HUB}:role/RescindHub2`,
  'a role of that name in another account': `arn:aws:iam::${MEMBER}:role/RescindHub`
})) {
  test(`not let in: ${who}`, async () => {
    for (const [action, on, context] of ORGANIZATION_CALLS) {
      const call = { ...rightly, who: sessionOf(arn), identity: administrator, action, on, context }
      assert.notEqual(await ask(call), 'Allowed', action)
    }
  })
}

// [action, resource, context]: what a thief of the hub's role cannot do with it.
const tagged = { ...SCP, 'aws:ResourceTag/rescind-keep': 'true' }
const other = CONTROL.replace('service_control_policy', 'resource_control_policy')
for (const [why, action, on, context] of [
  ['at a unit', 'organizations:AttachPolicy', UNIT, SCP],
  ['at a unit', 'organizations:DetachPolicy', UNIT, SCP],
  ['at the root', 'organizations:AttachPolicy', UNIT.replace(':ou/', ':root/').replace(/ou-.*/, 'r-ab12'), SCP],
  ['one to keep', 'organizations:UpdatePolicy', CONTROL, tagged],
  ['one to keep', 'organizations:DetachPolicy', CONTROL, tagged],
  ['one to keep', 'organizations:DeletePolicy', CONTROL, tagged],
  ['another type', 'organizations:UpdatePolicy', other, { 'organizations:PolicyType': 'RESOURCE_CONTROL_POLICY' }],
  ['another organization', 'organizations:UpdatePolicy', CONTROL.replace(ORGANIZATION, 'o-zzzzzzzzzz'), SCP],
  ['the tag that keeps', 'organizations:TagResource', CONTROL, SCP],
  ['the tag that keeps', 'organizations:UntagResource', CONTROL, tagged],
  ['the type', 'organizations:DisablePolicyType', UNIT.replace(':ou/', ':root/').replace(/ou-.*/, 'r-ab12'), SCP],
  ['the delegation', 'organizations:PutResourcePolicy', `arn:aws:organizations::${MANAGEMENT}:resourcepolicy/${ORGANIZATION}/rp-0`, {}],
  ['accounts', 'organizations:MoveAccount', ACCOUNT, {}]
]) {
  test(`out of its reach: ${action}, ${why}`, async () => {
    const call = { ...rightly, identity: administrator, action, on, context }
    assert.notEqual(await ask(call), 'Allowed')
    assert.equal(await ask({ ...call, resource: everything }), 'Allowed', 'it is denied for another reason')
  })
}
