// Every call that rescind makes is allowed by what is deployed.

import assert from 'node:assert/strict'
import { readdirSync } from 'node:fs'
import { test } from 'node:test'
import { ask, hub, remediation, roleArn, sessionOf, userArn } from './ask.mjs'
import { DOCTOR_CALLS, HUB_CALLS, KEY, KEY_CALLS, KNOWN_AS, LOG_CALLS, MEMBER_CALLS, NEVER_ASKED, ROLE, SIGNING_CALLS, TABLE, USER, WITNESS_CALLS, WRITE_BACK_CALLS, by } from './calls.mjs'
import {
  DRILL_ROLE, HUB, MEMBER, MEMBER_ROLE, QUARANTINE, SIGNING_KEY_ARN, STRANGER, hubRole, hubRoleWithKms, hubRoleWithLog, memberRole, memberRoleWithUsers, policy, source, topicKey
} from './documents.mjs'
import { ORGANIZATION_CALLS, READS_DELEGATION } from './organization.mjs'
import { WRITES, session } from './session.mjs'

for (const [purpose, kinds] of Object.entries(MEMBER_CALLS)) {
  for (const [kind, calls] of Object.entries(kinds)) {
    const name = { Role: ROLE, User: USER }[kind]
    const identity = { Role: memberRole, User: memberRoleWithUsers }[kind]
    for (const [action, on, context] of calls) {
      test(`${purpose} a ${kind.toLowerCase()}: ${action}`, async () => {
        const call = { who: remediation, action, on, context, identity, session: session(purpose, kind, name) }
        assert.equal(await ask(call), 'Allowed')
        // Also where the account has these documents as the role's permissions boundary.
        assert.equal(await ask({ ...call, boundary: identity }), 'Allowed')
      })
    }
  }
}

test('a role or user with a path is reached by its name alone', async () => {
  for (const [kind, on, action] of [
    ['Role', roleArn(`team/web/${ROLE}`), 'iam:PutRolePolicy'],
    ['User', userArn(`team/${USER}`), 'iam:UpdateAccessKey']
  ]) {
    const confined = session('Revoke', kind, { Role: ROLE, User: USER }[kind])
    const call = { who: remediation, action, on, identity: memberRoleWithUsers, session: confined }
    assert.equal(await ask(call), 'Allowed')
  }
})

test('in the other partitions, too', async () => {
  for (const partition of ['aws-cn', 'aws-us-gov', 'aws-eusc']) {
    const who = sessionOf(`arn:${partition}:iam::${MEMBER}:role/${MEMBER_ROLE}`, 'rescind-r-1')
    const on = `arn:${partition}:iam::${MEMBER}:role/${ROLE}`
    const confined = session('Revoke', 'Role', ROLE, { partition })
    const call = { who, action: 'iam:PutRolePolicy', on, identity: memberRole, session: confined }
    assert.equal(await ask(call), 'Allowed', partition)
  }
})

test('a session of doctor can look at the remediation role itself, and at the quarantine', async () => {
  const role = roleArn(MEMBER_ROLE)
  const confined = policy('session-doctor', { ROLE_ARN: role, QUARANTINE_ARN: QUARANTINE })
  for (const [action, on] of [
    ['iam:GetRole', role], ['iam:GetRolePolicy', role], ['iam:SimulatePrincipalPolicy', role],
    ...DOCTOR_CALLS
  ]) {
    const call = { who: remediation, action, on, identity: memberRole, session: confined }
    assert.equal(await ask(call), 'Allowed', action)
  }
})

test('a drill can look at its own role', async () => {
  const identity = [{ name: 'Rescind', policy: policy('drill-role-permissions') }]
  const who = sessionOf(roleArn(DRILL_ROLE), 'rescind-drill')
  assert.equal(await ask({ who, action: 'iam:GetRole', on: roleArn(DRILL_ROLE), identity }), 'Allowed')
})

for (const [action, on] of HUB_CALLS) {
  test(`the hub: ${action}`, async () => {
    // Organizations itself lets a delegated administrator read: no policy of the management account does.
    assert.equal(await ask({ who: hub, action, on, identity: hubRole, account: HUB }), 'Allowed')
  })
}

for (const [action, on, document] of WRITE_BACK_CALLS) {
  test(`the hub, to write back: ${action}`, async () => {
    const identity = [...hubRole, { name: 'RescindWriteBack', policy: policy(document) }]
    assert.equal(await ask({ who: hub, action, on, identity, account: HUB }), 'Allowed')
    assert.notEqual(await ask({ who: hub, action, on, identity: hubRole, account: HUB }), 'Allowed')
  })
}

for (const action of LOG_CALLS) {
  test(`the hub, to keep its log: ${action}`, async () => {
    const call = { who: hub, action, on: TABLE, account: HUB }
    assert.equal(await ask({ ...call, identity: hubRoleWithLog }), 'Allowed')
    assert.notEqual(await ask({ ...call, identity: hubRole }), 'Allowed')
  })
}

for (const action of SIGNING_CALLS) {
  test(`the hub, to sign checkpoints: ${action}`, async () => {
    const call = { who: hub, action, account: HUB, resource: delegating }
    assert.equal(await ask({ ...call, on: SIGNING_KEY_ARN, identity: hubRoleWithKms }), 'Allowed')
    assert.notEqual(await ask({ ...call, on: SIGNING_KEY_ARN, identity: hubRole }), 'Allowed')
    assert.notEqual(await ask({ ...call, on: KEY, identity: hubRoleWithKms }), 'Allowed')
  })
}

// A topic with a customer-managed key: the key lets its account's policies decide, or is of another account.
const delegating = { Version: '2012-10-17', Statement: [{ Effect: 'Allow', Principal: { AWS: `arn:aws:iam::${HUB}:root` }, Action: 'kms:*', Resource: '*' }] }

for (const action of KEY_CALLS) {
  test(`the hub, by way of SNS: ${action}`, async () => {
    const call = { who: hub, action, identity: hubRole }
    for (const suffix of ['amazonaws.com', 'amazonaws.com.cn', 'amazonaws.eu']) {
      const context = by('sns', suffix)
      assert.equal(await ask({ ...call, on: KEY, resource: delegating, context }), 'Allowed', suffix)
      const elsewhere = KEY.replace(HUB, STRANGER)
      assert.equal(await ask({ ...call, on: elsewhere, resource: topicKey, context }), 'Allowed', `${suffix}, elsewhere`)
    }
  })
  test(`an alarm of the feed, by way of SNS: ${action}`, async () => {
    for (const name of ['rescind-findings-unread', 'rescind-heartbeat']) {
      const context = { 'aws:SourceAccount': HUB, 'aws:SourceArn': `arn:aws:cloudwatch:eu-central-1:${HUB}:alarm:${name}` }
      const who = { principal: 'cloudwatch.amazonaws.com', context }
      assert.equal(await ask({ who, action, on: KEY, resource: topicKey }), 'Allowed', name)
    }
  })
}

// From here on: that the tables are complete.

test('the tables have every call that src/aws makes', () => {
  const made = new Set()
  for (const file of readdirSync(new URL('../../src/aws/', import.meta.url))) {
    const text = source(`src/aws/${file}`)
    for (const [, service, operation] of text.matchAll(/\bcall(?:_in)?\(\s*(?:&?\w+,\s*)?"([a-z]+)",\s*"(\w+)"/g)) {
      made.add(`${service}:${operation}`)
    }
    // A file whose calls are all of one service says once which that is.
    const [, ofFile] = text.match(/\bcall\("([a-z0-9]+)", operation,|\bCall \{ service: "([a-z0-9]+)", operation,/)?.filter(Boolean) ?? [undefined, 'iam']
    for (const [, operation] of text.matchAll(/\bself\.call\("([A-Z]\w+)"\)/g)) made.add(`${ofFile}:${operation}`)
    for (const [, service, operation] of text.matchAll(/\bCall \{\s*service: "([a-z]+)",\s*operation: "(\w+)"/g)) {
      made.add(`${service}:${operation}`)
    }
  }
  assert.ok(made.size > 20, 'the calls are not recognized any more')
  const inMembers = Object.values(MEMBER_CALLS).flatMap((kinds) => Object.values(kinds).flat())
  const known = new Set([...inMembers, ...DOCTOR_CALLS, ...HUB_CALLS, ...WRITE_BACK_CALLS, ...ORGANIZATION_CALLS, READS_DELEGATION].map(([action]) => action).concat(LOG_CALLS, SIGNING_CALLS, WITNESS_CALLS))
  // How members are entered is in trust.test.mjs.
  const missing = [...made].filter((call) => ![...NEVER_ASKED, 'sts:AssumeRole'].includes(call) && !known.has(KNOWN_AS[call] ?? call))
  assert.deepEqual(missing, [], 'add them to calls.mjs')
})

test('the session policies are those of confine.rs', () => {
  const text = source('src/remedy/confine.rs')
  const body = text.slice(text.indexOf('fn writes('), text.indexOf('pub fn session_policy'))
  const lists = [...body.matchAll(/\(Self::(\w+), Who::(\w+) \{ \.\. \}\) => (?:\{\s*)?&\[([^\]]+)\]/g)]
  const found = { Look: { Role: [], User: [] }, Trace: { Role: [], User: [] }, Search: { Role: [], User: [] }, Revoke: {}, Undo: {} }
  for (const [, purpose, kind, actions] of lists) {
    found[purpose][kind] = [...actions.matchAll(/"([^"]+)"/g)].map(([, action]) => action)
  }
  assert.deepEqual(found, WRITES)
  assert.match(body, /\(Self::Look \| Self::Trace \| Self::Search, _\)[^>]*=> &\[\]/)
  assert.match(body, /_ if target\.means != Means::InlinePolicy => &\[\]/)
})
