// The documents of policies/, filled in for the organization that the tests are about.

import { readFileSync } from 'node:fs'

export const ORGANIZATION = 'o-a1b2c3d4e5'
export const EXTERNAL_ID = '0123456789abcdef0123456789abcdef'
export const SOURCE_IDENTITY = 'rescind'
export const HUB = '111111111111'
export const MEMBER = '222222222222'
export const MANAGEMENT = '888888888888'
export const STRANGER = '999999999999'
export const HUB_ROLE = `arn:aws:iam::${HUB}:role/RescindHub`
export const MEMBER_ROLE = 'RescindRemediation'
export const DRILL_ROLE = 'RescindDrill'
export const LOG_TABLE = 'rescind-log'
export const SIGNING_KEY_ARN = `arn:aws:kms:eu-central-1:${HUB}:key/5678abcd-12ab-34cd-56ef-1234567890ab`
export const WITNESS_BUCKET = 'example-rescind-witness'
export const DEPLOYER = 'arn:aws:iam::*:role/stacksets-exec-*'

/** A file of the repository. */
export const source = (path) => readFileSync(new URL(`../../${path}`, import.meta.url), 'utf8')

/** A document of policies/ with its placeholders filled in, as `rescind policies print` does it. */
export function policy(name, values = {}) {
  const all = {
    DEPLOYERS: DEPLOYER,
    DRILL_ROLE,
    EXTERNAL_ID,
    HUB_ROLE_ARN: HUB_ROLE,
    LOG_TABLE,
    MEMBER_ROLE,
    HUB_ACCOUNT: HUB,
    MANAGEMENT_ACCOUNT: MANAGEMENT,
    PARTITION: 'aws',
    ORG_ID: ORGANIZATION,
    SIGNING_KEY_ARN,
    SOURCE_IDENTITY,
    WITNESS_BUCKET,
    ...values
  }
  const text = source(`policies/${name}.json`).replace(/\$\{(\w+)\}/g, (_, key) => {
    if (!(key in all)) throw new Error(`${name}.json: no value for ${key}`)
    return all[key]
  })
  return JSON.parse(text)
}

export const memberRole = [{ name: 'Rescind', policy: policy('member-role-permissions') }]
export const memberRoleWithUsers = [...memberRole, { name: 'RescindUsers', policy: policy('member-role-users') }]
export const memberRoleContainOnly = [{ name: 'Rescind', policy: policy('member-role-contain-only') }]
export const memberRoleContainingUsers = [...memberRole, { name: 'RescindUsers', policy: policy('member-role-users-contain') }]
export const hubRole = [{ name: 'Rescind', policy: policy('hub-role-permissions') }]
export const hubRoleWithDeny = [...hubRole, { name: 'RescindOrganizationDeny', policy: policy('hub-role-organization-deny') }]
export const hubRoleWithLog = [...hubRole, { name: 'RescindLog', policy: policy('hub-role-log') }]
export const hubRoleWithKms = [...hubRole, { name: 'RescindKms', policy: policy('hub-role-kms') }]
/** What the policy of a key must say with which topics are encrypted. */
export const topicKey = policy('topic-key')
export const trust = policy('member-role-trust')

const everything = {
  Version: '2012-10-17',
  Statement: [{ Effect: 'Allow', Action: '*', Resource: '*' }]
}
export const administrator = [{ name: 'AdministratorAccess', policy: everything }]

const fullAccess = { name: 'FullAWSAccess', policy: everything }
/** The organization's service control policies, with others beside the one that allows everything. */
export const controls = (...others) => [
  {
    orgIdentifier: 'r-ab12',
    policies: [fullAccess, ...others.map((each, n) => ({ name: `control-${n}`, policy: each }))]
  }
]
export const seal = controls(policy('organization-seal'))
export const guard = controls(policy('organization-guard'))
/** The policy with which a principal is quarantined. */
export const QUARANTINE = `arn:aws:iam::${MEMBER}:policy/rescind/Quarantine`
export const quarantine = { name: 'Quarantine', policy: policy('quarantine') }
