"""IAM's policy simulator, on the same evaluator that enforcement uses."""
import re
from dataclasses import dataclass
from typing import Dict, List
from xml.sax.saxutils import escape

from ...errors import AwsError
from ...policy.documents import ALLOWED, EXPLICIT_DENY, IMPLICIT_DENY, Policy, Request, condition_keys, evaluate
from ...protocol.answers import Answer
from ...protocol.calls import Call, members
from ...state.directory import Directory
from ...state.standing import Standing, standing_of
from ...state.switches import Switches
from ...state.world import World
from .xml import iam_answer

LIES = {"allow_all": ALLOWED, "deny_all": EXPLICIT_DENY, "implicit_deny_all": IMPLICIT_DENY}
CONTEXT_TYPES = {
    single + suffix
    for single in ("string", "numeric", "boolean", "ip", "binary", "date")
    for suffix in ("", "List")
}


class Simulator:
    def __init__(self, world: World) -> None:
        self._directory = world.directory
        self._switches = world.switches

    def simulate(self, call: Call, account: str) -> Answer:
        """One result per action, with one more for each resource if there are several.

        Only what ContextEntries states is in the context, as on AWS: a policy
        that asks for aws:TokenIssueTime matches only if the caller supplies it.
        """
        arn = call.params.get("PolicySourceArn", "")
        standing = self._source(arn, account)
        identity = standing.policies
        identity += [Policy.parse(text, f"PolicyInputList.{number}")
                     for number, text in enumerate(members(call.params, "PolicyInputList"), 1)]
        actions = members(call.params, "ActionNames")
        if not actions:
            raise AwsError("InvalidInput", "ActionNames must not be empty", 400)
        context = _context(call.params)
        if self._switches.simulator_ignores_context:
            context = {}
        judge = _Judge(self._directory, self._switches, standing, identity)
        resources = members(call.params, "ResourceArns") or ["*"]
        below = self._switches.simulator_answers_below or len(resources) > 1
        results = [_result([judge.verdict(Request(action, resource, context)) for resource in resources], below)
                   for action in actions]
        body = self._page(results, call.params.get("Marker", ""))
        return iam_answer(call, body)

    def _page(self, results: List[str], marker: str) -> str:
        """All results; or one of them, and a marker for the next."""
        if not self._switches.simulator_pages:
            return f"<IsTruncated>false</IsTruncated><EvaluationResults>{''.join(results)}</EvaluationResults>"
        number = int(marker or 0)
        more = number + 1 < len(results)
        marker = f"<Marker>{number + 1}</Marker>" if more else ""
        return (
            f"<IsTruncated>{str(more).lower()}</IsTruncated>{marker}"
            f"<EvaluationResults>{results[number]}</EvaluationResults>"
        )

    def _source(self, arn: str, account: str) -> Standing:
        match = re.fullmatch(r"arn:[^:]+:iam::(\d{12}):(role|user)/.+", arn)
        if not match:
            raise AwsError("InvalidInput", f"Invalid Entity Arn: {arn} does not clearly define entity type and name.", 400)
        kind = match.group(2)
        find = self._directory.role_by_arn if kind == "role" else self._directory.user_by_arn
        entity = find(arn) if match.group(1) == account else None
        if entity is None:
            raise AwsError("NoSuchEntity", f"Entity {arn} does not exist", 404)
        return standing_of(self._directory, entity, kind)


@dataclass(frozen=True)
class _Verdict:
    """What all policies together say of one action on one resource."""

    request: Request
    effect: str
    matched: List[Policy]
    missing: List[str]
    allowed_by_organization: bool


class _Judge:
    def __init__(self, directory: Directory, switches: Switches, standing: Standing, identity: List[Policy]) -> None:
        self._identity = identity
        self._boundary = standing.boundary
        levels = directory.service_control_documents(standing.account_id)
        self._limits = [[Policy.parse(document, id) for id, document in level] for level in levels]
        everything = identity + [policy for level in self._limits for policy in level]
        self._used = condition_keys(everything + ([self._boundary] if self._boundary else []))
        self._lie = LIES.get(switches.simulator_lies)

    def verdict(self, request: Request) -> _Verdict:
        decision = evaluate(self._identity, request)
        by_organization = [evaluate(level, request) for level in self._limits]
        others = by_organization + ([evaluate([self._boundary], request)] if self._boundary else [])
        effect = _overall([decision.effect] + [other.effect for other in others])
        # What decided: every statement that denies, whichever policy it is in.
        denying = [policy for one in [decision] + others if one.explicitly_denied for policy in one.matched]
        return _Verdict(
            request,
            self._lie or effect,
            [] if self._lie else denying or decision.matched,
            [key for key in self._used if key.lower() not in request.context],
            all(level.allowed for level in by_organization),
        )


def _result(verdicts: List[_Verdict], below: bool) -> str:
    """The result for one action. With several resources it is about all of them together, and what decided
    about each, and what is missing, stands below."""
    first = verdicts[0]
    resource, effect, specific, missing = first.request.resource, first.effect, "", _missing(first)
    matched = first.matched
    if below:
        resource = resource if len(verdicts) == 1 else "*"
        effect = _overall([verdict.effect for verdict in verdicts])
        specific = f"<ResourceSpecificResults>{''.join(map(_specific, verdicts))}</ResourceSpecificResults>"
        missing, matched = "", []
    allowed_by_organization = all(verdict.allowed_by_organization for verdict in verdicts)
    return (
        "<member>"
        f"<EvalActionName>{escape(first.request.action)}</EvalActionName>"
        f"<EvalResourceName>{escape(resource)}</EvalResourceName>"
        f"<EvalDecision>{effect}</EvalDecision>"
        f"<MatchedStatements>{''.join(map(_statement, matched))}</MatchedStatements>"
        f"{missing}{specific}"
        "<OrganizationsDecisionDetail>"
        f"<AllowedByOrganizations>{str(allowed_by_organization).lower()}</AllowedByOrganizations>"
        "</OrganizationsDecisionDetail>"
        "</member>"
    )


def _specific(verdict: _Verdict) -> str:
    return (
        "<member>"
        f"<EvalResourceName>{escape(verdict.request.resource)}</EvalResourceName>"
        f"<EvalResourceDecision>{verdict.effect}</EvalResourceDecision>"
        f"<MatchedStatements>{''.join(map(_statement, verdict.matched))}</MatchedStatements>"
        f"{_missing(verdict)}</member>"
    )


def _missing(verdict: _Verdict) -> str:
    keys = "".join(f"<member>{escape(key)}</member>" for key in verdict.missing)
    return f"<MissingContextValues>{keys}</MissingContextValues>"


def _overall(effects: List[str]) -> str:
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
