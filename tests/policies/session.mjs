// The session policies that rescind hands to AssumeRole, as src/remedy/confine.rs makes them.

import { MEMBER, policy } from './documents.mjs'

/** What a session may write, by its purpose and by whom it is about: `Purpose::writes`. */
export const WRITES = {
  Look: { Role: [], User: [] },
  Trace: { Role: [], User: [] },
  Search: { Role: [], User: [] },
  Revoke: { Role: ['iam:PutRolePolicy'], User: ['iam:PutUserPolicy', 'iam:UpdateAccessKey'] },
  Undo: {
    Role: ['iam:PutRolePolicy', 'iam:DeleteRolePolicy'],
    User: ['iam:PutUserPolicy', 'iam:DeleteUserPolicy', 'iam:UpdateAccessKey']
  }
}

/** The session policy for one role or user. */
export function session(purpose, kind, name, { partition = 'aws', account = MEMBER } = {}) {
  const ofPurpose = { Trace: 'session-trace', Search: 'session-search' }[purpose]
  const template = ofPurpose ?? { Role: 'session-role', User: 'session-user' }[kind]
  const filled = policy(template, { PARTITION: partition, ACCOUNT: account, NAME: name })
  filled.Statement[0].Action.push(...WRITES[purpose][kind])
  if (WRITES[purpose][kind].length > 0) {
    const values = { PARTITION: partition, ACCOUNT: account, NAME: name, ENTITY: kind, KIND: kind.toLowerCase() }
    filled.Statement.push(...policy('session-quarantine', values).Statement)
  }
  return filled
}
