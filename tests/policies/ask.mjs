// Asks the evaluator about one call.

import { runSimulation } from '@cloud-copilot/iam-simulate'
import { HUB_ROLE, MEMBER, MEMBER_ROLE, ORGANIZATION } from './documents.mjs'

/** A session of a role. `arn` is the role's, with its path; the session's own has none. */
export function sessionOf(arn, name = 'i-0abc') {
  const [, partition, account, role] = arn.match(/^arn:([\w-]+):iam::(\d+):role\/(?:.*\/)?([^/]+)$/)
  return {
    principal: `arn:${partition}:sts::${account}:assumed-role/${role}/${name}`,
    context: { 'aws:PrincipalArn': arn, 'aws:PrincipalOrgID': ORGANIZATION }
  }
}

export const hub = sessionOf(HUB_ROLE)
export const remediation = sessionOf(`arn:aws:iam::${MEMBER}:role/${MEMBER_ROLE}`, 'rescind-r-1')
export const roleArn = (name, account = MEMBER) => `arn:aws:iam::${account}:role/${name}`
export const userArn = (name, account = MEMBER) => `arn:aws:iam::${account}:user/${name}`

/**
 * What IAM answers: "Allowed", "ExplicitlyDenied" or "ImplicitlyDenied". A question that the evaluator
 * does not take is an error, and so is a context key that it leaves out: such an answer says nothing.
 *
 * who: from sessionOf; action; on: a resource's ARN or "*"; identity: the principal's policies;
 * session: its session policy; boundary: its permissions boundary; resource: the resource's own policy; scps; context: more of it;
 * account: whose the resource is, where its ARN does not say.
 */
export async function ask({ who, action, on, identity = [], session, boundary, resource, scps = [], context = {}, account }) {
  const answer = await runSimulation(
    {
      request: {
        principal: who.principal,
        action,
        resource: { resource: on, accountId: account ?? (on.split(':')[4] || who.principal.split(':')[4]) },
        contextVariables: { ...who.context, ...context }
      },
      identityPolicies: identity,
      ...(session && { sessionPolicy: session }),
      ...(boundary && { permissionBoundaryPolicies: boundary }),
      ...(resource && { resourcePolicy: resource }),
      serviceControlPolicies: scps,
      resourceControlPolicies: []
    },
    {}
  )
  if (answer.resultType === 'error') {
    throw new Error(`${action} on ${on}: ${JSON.stringify(answer.errors)}`)
  }
  const results = answer.resultType === 'single' ? [answer.result] : answer.results
  const ignored = results.flatMap((each) => each.ignoredContextKeys ?? [])
  if (ignored.length > 0) throw new Error(`${action}: the evaluator knows no ${ignored} for it`)
  return answer.overallResult
}

