"""IAM's policy simulator, on the same evaluator that enforcement uses."""
import re
from typing import Dict, List
from xml.sax.saxutils import escape

from .directory import Directory
from .errors import AwsError
from .policy import ALLOWED, EXPLICIT_DENY, IMPLICIT_DENY, Decision, Policy, Request, condition_keys, evaluate
from .protocol import Answer, Call, members, xml_answer
from .switches import Switches

NAMESPACE = "https://iam.amazonaws.com/doc/2010-05-08/"
LIES = {"allow_all": ALLOWED, "deny_all": EXPLICIT_DENY, "implicit_deny_all": IMPLICIT_DENY}
CONTEXT_TYPES = {
    single + suffix
    for single in ("string", "numeric", "boolean", "ip", "binary", "date")
    for suffix in ("", "List")
}


class Simulator:
    def __init__(self, directory: Directory, switches: Switches) -> None:
        self._directory = directory
        self._switches = switches

    def simulate(self, call: Call, account: str) -> Answer:
        """One result per action and resource, each over the principal's own policies.

        Only what ContextEntries states is in the context, as on AWS: a policy
        that asks for aws:TokenIssueTime matches only if the caller supplies it.
        """
        arn = call.params.get("PolicySourceArn", "")
        entity, kind = self._source(arn, account)
        identity = self._directory.identity_policies(entity, kind)
        identity += [Policy.parse(text, f"PolicyInputList.{number}")
                     for number, text in enumerate(members(call.params, "PolicyInputList"), 1)]
        actions = members(call.params, "ActionNames")
        if not actions:
            raise AwsError("InvalidInput", "ActionNames must not be empty", 400)
        context = _context(call.params)
        results = [
            self._result(account, entity, identity, Request(action, resource, context))
            for action in actions
            for resource in members(call.params, "ResourceArns") or ["*"]
        ]
        body = f"<IsTruncated>false</IsTruncated><EvaluationResults>{''.join(results)}</EvaluationResults>"
        return xml_answer("SimulatePrincipalPolicy", NAMESPACE, body, call.request_id)

    def _source(self, arn: str, account: str):
        match = re.fullmatch(r"arn:[^:]+:iam::(\d{12}):(role|user)/.+", arn)
        if not match:
            raise AwsError("InvalidInput", f"Invalid Entity Arn: {arn} does not clearly define entity type and name.", 400)
        kind = match.group(2)
        find = self._directory.role_by_arn if kind == "role" else self._directory.user_by_arn
        entity = find(arn) if match.group(1) == account else None
        if entity is None:
            raise AwsError("NoSuchEntity", f"Entity {arn} does not exist", 404)
        return entity, kind

    def _result(self, account: str, entity, identity: List[Policy], request: Request) -> str:
        decision = evaluate(identity, request)
        boundary = self._directory.boundary(account, entity)
        limits = self._directory.service_control_policies(account)
        by_organization = [evaluate(level, request) for level in limits]
        others = by_organization + ([evaluate([boundary], request)] if boundary else [])
        effect = _overall([decision] + others)
        matched = decision.matched
        if self._switches.simulator_lies:
            effect, matched = LIES[self._switches.simulator_lies], []
        used = condition_keys(identity)
        missing = [key for key in used if key.lower() not in request.context]
        allowed_by_organization = all(level.allowed for level in by_organization)
        return (
            "<member>"
            f"<EvalActionName>{escape(request.action)}</EvalActionName>"
            f"<EvalResourceName>{escape(request.resource)}</EvalResourceName>"
            f"<EvalDecision>{effect}</EvalDecision>"
            f"<MatchedStatements>{''.join(map(_statement, matched))}</MatchedStatements>"
            f"<MissingContextValues>{''.join(f'<member>{escape(key)}</member>' for key in missing)}</MissingContextValues>"
            "<OrganizationsDecisionDetail>"
            f"<AllowedByOrganizations>{str(allowed_by_organization).lower()}</AllowedByOrganizations>"
            "</OrganizationsDecisionDetail>"
            "</member>"
        )


def _overall(decisions: List[Decision]) -> str:
    effects = [decision.effect for decision in decisions]
    if EXPLICIT_DENY in effects:
        return EXPLICIT_DENY
    return ALLOWED if set(effects) == {ALLOWED} else IMPLICIT_DENY


def _statement(policy: Policy) -> str:
    # The emulator does not track positions: rescind identifies a policy by its id.
    return (
        f"<member><SourcePolicyId>{escape(policy.source_id)}</SourcePolicyId>"
        f"<SourcePolicyType>{policy.source_type}</SourcePolicyType>"
        "<StartPosition><Line>1</Line><Column>1</Column></StartPosition>"
        "<EndPosition><Line>1</Line><Column>1</Column></EndPosition></member>"
    )


def _context(params: Dict[str, str]) -> Dict[str, List[str]]:
    context = {}
    number = 1
    while f"ContextEntries.member.{number}.ContextKeyName" in params:
        prefix = f"ContextEntries.member.{number}."
        entry = {key[len(prefix) :]: value for key, value in params.items() if key.startswith(prefix)}
        kind = entry.get("ContextKeyType", "")
        if kind not in CONTEXT_TYPES:
            raise AwsError("InvalidInput", f"Invalid ContextKeyType: {kind}", 400)
        context[entry["ContextKeyName"].lower()] = members(entry, "ContextKeyValues")
        number += 1
    return context
