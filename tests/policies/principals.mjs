// Who may be inside of a member account, and who deploys there.

import { sessionOf, roleArn, userArn } from './ask.mjs'
import { MEMBER, MEMBER_ROLE, ORGANIZATION, administrator } from './documents.mjs'

const itself = (arn) => ({ principal: arn, context: { 'aws:PrincipalArn': arn, 'aws:PrincipalOrgID': ORGANIZATION } })
const withEverything = (who) => ({ who, identity: administrator })

export const web = roleArn('shop-web')
export const alice = userArn('alice')
export const attacker = withEverything(sessionOf(roleArn('Admin')))
export const deployer = withEverything(sessionOf(roleArn('stacksets-exec-0123')))

/** All of them may do everything, by their own policies. */
export const attackers = {
  'an administrator': attacker,
  'the stolen role itself': withEverything(sessionOf(web)),
  'an IAM user': withEverything(itself(alice)),
  'the root user': withEverything(itself(`arn:aws:iam::${MEMBER}:root`)),
  'a role whose name begins with the remediation role\'s': withEverything(sessionOf(roleArn(`${MEMBER_ROLE}2`))),
  'a role of its name under a path': withEverything(sessionOf(roleArn(`x/${MEMBER_ROLE}`)))
}
