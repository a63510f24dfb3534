// The bucket of the witness: the hub puts checkpoints where none stand, and nobody removes them.

import assert from 'node:assert/strict'
import { test } from 'node:test'
import { ask, hub, roleArn, sessionOf } from './ask.mjs'
import { HUB, STRANGER, WITNESS_BUCKET, administrator, hubRole, policy } from './documents.mjs'

const BUCKET = `arn:aws:s3:::${WITNESS_BUCKET}`
const CHECKPOINT = `${BUCKET}/checkpoints/42`
const TLS = { 'aws:SecureTransport': 'true' }
const WHERE_NONE_STANDS = { ...TLS, 's3:if-none-match': '*' }

const withWitness = [...hubRole, { name: 'RescindWitness', policy: policy('hub-role-witness') }]
const resource = policy('witness-bucket')
/** Somebody who may do everything in the account, for example as a thief of its administrator. */
const somebody = sessionOf(roleArn('Administrator', HUB), 'somebody')

/** By the hub's role. [action, resource, context] */
const CALLS = [
  ['s3:GetBucketObjectLockConfiguration', BUCKET, TLS],
  ['s3:GetObject', CHECKPOINT, TLS],
  ['s3:GetObjectVersion', CHECKPOINT, TLS],
  ['s3:ListBucket', BUCKET, TLS],
  ['s3:ListBucketVersions', BUCKET, TLS],
  ['s3:PutObject', CHECKPOINT, WHERE_NONE_STANDS],
  ['s3:PutObjectRetention', CHECKPOINT, TLS]
]

for (const [action, on, context] of CALLS) {
  test(`the hub: ${action}`, async () => {
    for (const account of [HUB, STRANGER]) {
      const call = { who: hub, action, on, context, resource, account }
      assert.equal(await ask({ ...call, identity: withWitness }), 'Allowed', account)
    }
    // In an account of its own, the hub's role has to let it, too.
    assert.notEqual(await ask({ who: hub, action, on, context, identity: hubRole, resource, account: STRANGER }), 'Allowed')
    // And in the hub's, its role would do without the bucket's policy.
    assert.equal(await ask({ who: hub, action, on, context, identity: withWitness, account: HUB }), 'Allowed')
  })
  test(`the hub, on another bucket: ${action}`, async () => {
    const other = on.replace(WITNESS_BUCKET, 'example-other')
    assert.notEqual(await ask({ who: hub, action, on: other, context, identity: withWitness, account: HUB }), 'Allowed')
  })
  test(`without TLS: ${action}`, async () => {
    const plain = { ...context, 'aws:SecureTransport': 'false' }
    const call = { who: hub, action, on, context: plain, identity: withWitness, account: HUB }
    assert.equal(await ask(call), 'Allowed')
    assert.equal(await ask({ ...call, resource }), 'ExplicitlyDenied')
  })
}

test('what stands there is not overwritten, by the hub neither', async () => {
  const call = { who: hub, action: 's3:PutObject', on: CHECKPOINT, context: TLS, identity: withWitness, account: HUB }
  assert.equal(await ask(call), 'Allowed')
  assert.equal(await ask({ ...call, resource }), 'ExplicitlyDenied')
})

for (const [action, on] of [
  ['s3:BypassGovernanceRetention', CHECKPOINT],
  ['s3:DeleteObject', CHECKPOINT],
  ['s3:DeleteObjectVersion', CHECKPOINT]
]) {
  test(`nobody: ${action}`, async () => {
    assert.equal(await ask({ who: hub, action, on, context: TLS, identity: withWitness, account: HUB }), 'ImplicitlyDenied')
    for (const who of [hub, somebody]) {
      const call = { who, action, on, context: TLS, identity: administrator, account: HUB }
      assert.equal(await ask(call), 'Allowed')
      assert.equal(await ask({ ...call, resource }), 'ExplicitlyDenied')
    }
  })
}

for (const [action, on] of [
  ['s3:DeleteBucket', BUCKET],
  ['s3:DeleteBucketPolicy', BUCKET],
  ['s3:PutBucketObjectLockConfiguration', BUCKET],
  ['s3:PutBucketPolicy', BUCKET],
  ['s3:PutBucketVersioning', BUCKET],
  ['s3:PutLifecycleConfiguration', BUCKET],
  ['s3:PutObjectLegalHold', CHECKPOINT]
]) {
  test(`not the hub: ${action}`, async () => {
    const call = { who: hub, action, on, context: TLS, resource, account: HUB }
    assert.equal(await ask({ ...call, identity: administrator }), 'Allowed')
    assert.notEqual(await ask({ ...call, identity: withWitness }), 'Allowed')
  })
}

test('nobody else puts, whatever they may', async () => {
  for (const [action, context] of [['s3:PutObject', WHERE_NONE_STANDS], ['s3:PutObjectRetention', TLS]]) {
    const call = { who: somebody, action, on: CHECKPOINT, context, identity: administrator, account: HUB }
    assert.equal(await ask(call), 'Allowed')
    assert.equal(await ask({ ...call, resource }), 'ExplicitlyDenied')
  }
})
