// What rescind's roles must not be able to do. Each row also says with what it would be allowed: so it
// is denied for the reason that it names, and not because the question was wrong.

import assert from 'node:assert/strict'
import { test } from 'node:test'
import { ask, hub, remediation, roleArn, sessionOf, userArn } from './ask.mjs'
import { KEY, TABLE, by, withPolicy } from './calls.mjs'
import {
  DRILL_ROLE, HUB, HUB_ROLE, MEMBER, MEMBER_ROLE, QUARANTINE, STRANGER, administrator, hubRole, hubRoleWithLog, memberRole, memberRoleWithUsers, policy, topicKey
} from './documents.mjs'
import { session } from './session.mjs'

const web = roleArn('shop-web')
const alice = userArn('alice')
const revokes = { who: remediation, identity: memberRoleWithUsers, session: session('Revoke', 'Role', 'shop-web') }
const undoes = { ...revokes, session: session('Undo', 'Role', 'shop-web') }
const looks = { ...revokes, session: session('Look', 'Role', 'shop-web') }
const traces = { ...revokes, session: session('Trace', 'Role', 'shop-web') }
const revokesUser = { ...revokes, session: session('Revoke', 'User', 'alice') }
const withoutUsers = { who: remediation, identity: memberRole }
const doctors = { ...revokes, session: policy('session-doctor', { ROLE_ARN: roleArn(MEMBER_ROLE), QUARANTINE_ARN: QUARANTINE }) }
const drills = {
  who: sessionOf(roleArn(DRILL_ROLE), 'rescind-drill'),
  identity: [{ name: 'Rescind', policy: policy('drill-role-permissions') }]
}
// A whole session of the role, as somebody has it who took the hub over: no session policy.
const unconfined = { who: remediation, identity: memberRoleWithUsers }
const asHub = { who: hub, identity: hubRole }
const keepsLog = { who: hub, identity: hubRoleWithLog }

const open = { Version: '2012-10-17', Statement: [{ Effect: 'Allow', Principal: { AWS: `arn:aws:iam::${HUB}:root` }, Action: 'kms:*', Resource: '*' }] }
const write = 'iam:PutRolePolicy'
const never = { identity: administrator, session: undefined }
const attaching = (call, arn = QUARANTINE) => ({ ...call, context: withPolicy(arn) })
const quarantine = { context: withPolicy(QUARANTINE) }
const ADMINISTRATOR = 'arn:aws:iam::aws:policy/AdministratorAccess'
const here = (call) => ({ ...call, account: HUB })

const rows = [
  // One session is for one role or user.
  ['a session for one role writes another role\'s policy', revokes, write, roleArn('billing'), { on: web }],
  ['… nor one whose name begins the same', revokes, write, roleArn('shop-web2'), { on: web }],
  ['… nor one whose name ends the same', revokes, write, roleArn('my-shop-web'), { on: web }],
  ['… nor the same name in another account', revokes, write, roleArn('shop-web', '333333333333'),
    { on: web }],
  ['… nor the remediation role\'s own policy', revokes, write, roleArn(MEMBER_ROLE), { on: web }],
  ['… nor a user\'s', revokes, 'iam:PutUserPolicy', alice, { session: revokesUser.session }],
  ['… nor switches a key off', revokes, 'iam:UpdateAccessKey', alice, { session: revokesUser.session }],
  ['… nor looks at another role', revokes, 'iam:GetRole', roleArn('billing'), { on: web }],
  ['… nor simulates another principal', revokes, 'iam:SimulatePrincipalPolicy', roleArn('billing'), { on: web }],
  ['a session for one user writes another user\'s policy', revokesUser, 'iam:PutUserPolicy', userArn('bob'), { on: alice }],
  ['… nor switches another user\'s key', revokesUser, 'iam:UpdateAccessKey', userArn('bob'), { on: alice }],
  ['… nor a role\'s policy', revokesUser, write, web, { session: revokes.session }],

  // One session is for one purpose.
  ['who looks writes', looks, write, web, { session: revokes.session }],
  ['who looks deletes', looks, 'iam:DeleteRolePolicy', web, { session: undoes.session }],
  ['who gathers writes', traces, write, web, { session: revokes.session }],
  ['who revokes deletes', revokes, 'iam:DeleteRolePolicy', web, { session: undoes.session }],
  ['who revokes a user deletes', revokesUser, 'iam:DeleteUserPolicy', alice,
    { session: session('Undo', 'User', 'alice') }],
  ['who revokes lists instances', revokes, 'ec2:DescribeInstances', '*', { session: traces.session }],

  // Without the users' policy the role has nothing to do with users.
  ['the role alone writes a user\'s policy', withoutUsers, 'iam:PutUserPolicy', alice, { identity: memberRoleWithUsers }],
  ['the role alone deletes a user\'s policy', withoutUsers, 'iam:DeleteUserPolicy', alice, { identity: memberRoleWithUsers }],
  ['the role alone switches a key', withoutUsers, 'iam:UpdateAccessKey', alice, { identity: memberRoleWithUsers }],
  ['the role alone lists keys', withoutUsers, 'iam:ListAccessKeys', alice, { identity: memberRoleWithUsers }],
  ['the role alone simulates a user', withoutUsers, 'iam:SimulatePrincipalPolicy', alice, { identity: memberRoleWithUsers }],
  ['the role alone looks at a user', withoutUsers, 'iam:GetUser', alice, { identity: memberRoleWithUsers }],

  // The one policy that a session attaches and detaches, and to whom.
  ['a session for one role attaches another policy to it', attaching(revokes, ADMINISTRATOR), 'iam:AttachRolePolicy', web, quarantine],
  ['… nor a policy whose name begins the same', attaching(revokes, `${QUARANTINE}2`), 'iam:AttachRolePolicy', web, quarantine],
  ['… nor one of that name without the path', attaching(revokes, QUARANTINE.replace('rescind/', '')), 'iam:AttachRolePolicy', web, quarantine],
  ['… nor quarantines another role', attaching(revokes), 'iam:AttachRolePolicy', roleArn('billing'), { on: web }],
  ['… nor lifts another role\'s quarantine', attaching(undoes), 'iam:DetachRolePolicy', roleArn('billing'), { on: web }],
  ['… nor detaches another policy', attaching(undoes, ADMINISTRATOR), 'iam:DetachRolePolicy', web, quarantine],
  ['a session that looks quarantines', attaching(looks), 'iam:AttachRolePolicy', web, { session: revokes.session }],
  ['a session for one user quarantines another', attaching(revokesUser), 'iam:AttachUserPolicy', userArn('bob'), { on: alice }],
  ['… nor attaches another policy', attaching(revokesUser, ADMINISTRATOR), 'iam:AttachUserPolicy', alice, quarantine],
  ['the role alone quarantines a user', attaching(withoutUsers), 'iam:AttachUserPolicy', alice, { identity: memberRoleWithUsers }],
  ['the role quarantines itself', attaching(unconfined), 'iam:AttachRolePolicy', roleArn(MEMBER_ROLE), { on: web }],
  ['the role changes the quarantine', unconfined, 'iam:CreatePolicyVersion', QUARANTINE, never],
  ['the role deletes the quarantine', unconfined, 'iam:DeletePolicy', QUARANTINE, never],
  ['the role reads another policy', unconfined, 'iam:GetPolicyVersion', 'arn:aws:iam::222222222222:policy/shop', never],

  // Even all of the role, without a session policy.
  ['it creates a user', unconfined, 'iam:CreateUser', userArn('eve'), never],
  ['it creates an access key', unconfined, 'iam:CreateAccessKey', alice, never],
  ['it deletes an access key', unconfined, 'iam:DeleteAccessKey', alice, never],
  ['it gives a user a console password', unconfined, 'iam:CreateLoginProfile', alice, never],
  ['it puts a user into a group', unconfined, 'iam:AddUserToGroup', `arn:aws:iam::222222222222:group/admins`, never],
  ['it writes a group\'s policy', unconfined, 'iam:PutGroupPolicy', `arn:aws:iam::222222222222:group/admins`, never],
  ['it attaches a policy to a role', attaching(unconfined, ADMINISTRATOR), 'iam:AttachRolePolicy', web, never],
  ['it attaches a policy to a user', attaching(unconfined, ADMINISTRATOR), 'iam:AttachUserPolicy', alice, never],
  ['it detaches a policy', attaching(unconfined, ADMINISTRATOR), 'iam:DetachRolePolicy', web, never],
  ['it creates a role', unconfined, 'iam:CreateRole', roleArn('eve'), never],
  ['it deletes a role', unconfined, 'iam:DeleteRole', web, never],
  ['it changes who may assume a role', unconfined, 'iam:UpdateAssumeRolePolicy', web, never],
  ['it takes a permissions boundary away', unconfined, 'iam:DeleteRolePermissionsBoundary', web, never],
  ['it hands a role to a service', unconfined, 'iam:PassRole', web, never],
  ['it assumes a role', unconfined, 'sts:AssumeRole', web, never],
  ['it writes a managed policy', unconfined, 'iam:CreatePolicyVersion', 'arn:aws:iam::222222222222:policy/shop', never],
  ['it stops an instance', unconfined, 'ec2:StopInstances', 'arn:aws:ec2:eu-central-1:222222222222:instance/i-0abc', never],
  ['it stops CloudTrail', unconfined, 'cloudtrail:StopLogging', 'arn:aws:cloudtrail:eu-central-1:222222222222:trail/all', never],
  ['it reads data', unconfined, 's3:GetObject', 'arn:aws:s3:::shop-invoices/1.pdf', never],

  // Who only looks, and who drills.
  ['doctor writes the remediation role\'s policy', doctors, write, roleArn(MEMBER_ROLE), never],
  ['doctor looks at another role', doctors, 'iam:GetRole', web, { on: roleArn(MEMBER_ROLE) }],
  ['the role for drills looks at another role', drills, 'iam:GetRole', web, { on: roleArn(DRILL_ROLE) }],
  ['the role for drills writes a policy', drills, write, roleArn(DRILL_ROLE), never],
  ['the role for drills reads data', drills, 's3:GetObject', 'arn:aws:s3:::shop-invoices/1.pdf', never],

  // The hub's role.
  ['the hub writes a policy in its own account', asHub, write, roleArn('RescindHub', HUB), never],
  ['the hub writes the remediation role\'s policy', asHub, write, roleArn(MEMBER_ROLE, HUB), never],
  ['the hub changes who may assume its role', asHub, 'iam:UpdateAssumeRolePolicy', HUB_ROLE, never],
  ['the hub assumes another role of its account', asHub, 'sts:AssumeRole', roleArn('Admin', HUB), never],
  ['the hub receives from a queue of others', asHub, 'sqs:ReceiveMessage', `arn:aws:sqs:eu-central-1:${HUB}:orders`, never],
  ['the hub forges an event', asHub, 'sqs:SendMessage', `arn:aws:sqs:eu-central-1:${HUB}:rescind-findings`, never],
  ['the hub empties its queue', asHub, 'sqs:PurgeQueue', `arn:aws:sqs:eu-central-1:${HUB}:rescind-findings`, never],
  ['the hub publishes to a topic of others', asHub, 'sns:Publish', `arn:aws:sns:eu-central-1:${HUB}:pagers`, never],
  ['the hub sends to the default bus', asHub, 'events:PutEvents', `arn:aws:events:eu-central-1:${HUB}:event-bus/default`, never],
  ['the hub takes a bus away', asHub, 'events:DeleteEventBus', `arn:aws:events:eu-central-1:${HUB}:event-bus/rescind-results`, never],
  ['the hub takes a topic away', asHub, 'sns:DeleteTopic', `arn:aws:sns:eu-central-1:${HUB}:rescind-on-call`, never],
  ['the hub imports findings in another product\'s name', asHub, 'securityhub:BatchImportFindings', `arn:aws:securityhub:eu-central-1:${HUB}:product/acme/scanner`, never],
  ['the hub uses a key not by way of SNS', asHub, 'kms:Decrypt', KEY,
    { context: by('sns') }],
  ['the hub uses a key by way of another service', { ...asHub, context: by('s3') }, 'kms:Decrypt', KEY,
    { context: by('sns') }],
  ['the hub deletes a key', asHub, 'kms:ScheduleKeyDeletion', KEY, never],
  ['the hub changes an item of its log', keepsLog, 'dynamodb:UpdateItem', TABLE, never],
  ['the hub deletes an item of its log', keepsLog, 'dynamodb:DeleteItem', TABLE, never],
  ['the hub deletes or puts many items of its log', keepsLog, 'dynamodb:BatchWriteItem', TABLE, never],
  ['the hub deletes the table of its log', keepsLog, 'dynamodb:DeleteTable', TABLE, never],
  ['the hub changes the table of its log', keepsLog, 'dynamodb:UpdateTable', TABLE, never],
  ['the hub lets the items of its log expire', keepsLog, 'dynamodb:UpdateTimeToLive', TABLE, never],
  ['the hub writes into a table of others', keepsLog, 'dynamodb:PutItem', `${TABLE}2`, never],
  ['the hub reads a table of others', keepsLog, 'dynamodb:GetItem', TABLE.replace('rescind-log', 'orders'), never],
  ['the hub archives findings', asHub, 'guardduty:ArchiveFindings', '*', never],
  ['the hub turns GuardDuty off', asHub, 'guardduty:DeleteDetector', `arn:aws:guardduty:eu-central-1:${HUB}:detector/12abc34d567e8fa901bc2d34e56789f0`, never],
  ['the hub moves an account', here(asHub), 'organizations:MoveAccount', 'arn:aws:organizations::222222222222:account/o-a1b2c3d4e5/222222222222', never],
  ['the hub takes a service control policy off', here(asHub), 'organizations:DetachPolicy', 'arn:aws:organizations::222222222222:account/o-a1b2c3d4e5/222222222222', never]
]

test('there are at least 30', () => assert.ok(rows.length >= 30))

for (const [what, call, action, on, unless] of rows) {
  test(`denied: ${what}`, async () => {
    // KMS asks the key, too, which lets the policies of its account decide.
    const resource = action.startsWith('kms:') ? open : undefined
    assert.notEqual(await ask({ ...call, action, on, resource }), 'Allowed')
    assert.equal(await ask({ ...call, action, on, resource, ...unless }), 'Allowed', 'it is denied for another reason')
  })
}

// What the key of a topic must not let others do.
for (const [what, who] of [
  ['an alarm of another account', { 'aws:SourceAccount': MEMBER, 'aws:SourceArn': `arn:aws:cloudwatch:eu-central-1:${MEMBER}:alarm:rescind-x` }],
  ['an alarm that is not of the feed', { 'aws:SourceAccount': HUB, 'aws:SourceArn': `arn:aws:cloudwatch:eu-central-1:${HUB}:alarm:cpu` }]
]) {
  test(`denied on the key of a topic: ${what}`, async () => {
    const asked = { who: { principal: 'cloudwatch.amazonaws.com', context: who }, action: 'kms:Decrypt', on: KEY }
    assert.notEqual(await ask({ ...asked, resource: topicKey }), 'Allowed')
  })
}

test('denied on the key of a topic: another role of the hub account', async () => {
  const admin = { who: sessionOf(roleArn('Admin', HUB)), action: 'kms:Decrypt', on: KEY.replace(HUB, STRANGER), context: by('sns') }
  assert.notEqual(await ask({ ...admin, identity: administrator, resource: topicKey }), 'Allowed')
  assert.equal(await ask({ ...admin, who: hub, identity: hubRole, resource: topicKey }), 'Allowed')
})

// What the remediation role must not do to itself, whatever it is given besides: the deny is its own.
const onItself = ['iam:AttachRolePolicy', 'iam:DeleteRole', 'iam:DeleteRolePermissionsBoundary', 'iam:DeleteRolePolicy',
  'iam:DetachRolePolicy', 'iam:PassRole', 'iam:PutRolePermissionsBoundary', 'iam:PutRolePolicy', 'iam:TagRole',
  'iam:UntagRole', 'iam:UpdateAssumeRolePolicy', 'iam:UpdateRole', 'iam:UpdateRoleDescription', 'sts:AssumeRole']

for (const action of onItself) {
  test(`denied to the remediation role on itself, even as an administrator: ${action}`, async () => {
    const itself = { who: remediation, action, on: roleArn(MEMBER_ROLE) }
    const both = [...administrator, ...memberRoleWithUsers]
    assert.equal(await ask({ ...itself, identity: both }), 'ExplicitlyDenied')
    assert.notEqual(await ask({ ...itself, identity: memberRoleWithUsers }), 'Allowed')
    const [trusts] = [{ Version: '2012-10-17', Statement: [{ Effect: 'Allow', Principal: { AWS: itself.who.principal }, Action: action }] }]
    const resource = action === 'sts:AssumeRole' ? trusts : undefined
    assert.equal(await ask({ ...itself, identity: administrator, resource }), 'Allowed', 'it is denied for another reason')
  })
}

test('the remediation role with a path is denied the same on itself', async () => {
  const name = `security/${MEMBER_ROLE}`
  const identity = [{ name: 'Rescind', policy: policy('member-role-permissions', { MEMBER_ROLE: name }) }]
  const who = sessionOf(roleArn(name), 'rescind-r-1')
  assert.equal(await ask({ who, identity, action: write, on: roleArn(name) }), 'ExplicitlyDenied')
  assert.equal(await ask({ who, identity, action: write, on: web }), 'Allowed')
})

test('with its own policies as its permissions boundary, it cannot be given more', async () => {
  const given = { ...unconfined, identity: [...administrator, ...memberRoleWithUsers] }
  const eve = { action: 'iam:CreateUser', on: userArn('eve') }
  assert.equal(await ask({ ...given, ...eve }), 'Allowed')
  assert.notEqual(await ask({ ...given, ...eve, boundary: memberRoleWithUsers }), 'Allowed')
})
