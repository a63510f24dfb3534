"""IAM policy documents and how they decide about a request.

One evaluator serves enforcement, trust policies and the policy simulator: if
they disagreed, a test could pass against a simulator that lies by accident.
"""
import json
from dataclasses import dataclass, field
from functools import lru_cache
from typing import Iterable, List, Mapping, Union

from ..errors import AwsError
from .conditions import Context, as_list, conditions_hold, is_date_operator, parse_date, substitute, wildcard_match

ALLOWED = "allowed"
IMPLICIT_DENY = "implicitDeny"
EXPLICIT_DENY = "explicitDeny"


def malformed(message: str) -> AwsError:
    return AwsError("MalformedPolicyDocument", message, 400)


@dataclass(frozen=True)
class Policy:
    """A policy document and where it comes from."""

    statements: List[Mapping]
    source_id: str = ""
    source_type: str = "IAM Policy"

    @classmethod
    def parse(cls, document: Union[str, Mapping], source_id: str = "", source_type: str = "IAM Policy") -> "Policy":
        statements = _statements_of_text(document) if isinstance(document, str) else _statements(document)
        return cls(statements, source_id, source_type)


@dataclass(frozen=True)
class Request:
    """What a policy decides about. `resource` is ``*`` for actions without one.

    ``*`` is compared literally: a statement limited to certain resources
    neither allows nor denies an action that has no resource, as on AWS.
    """

    action: str
    resource: str
    context: Context = field(default_factory=dict)


@dataclass(frozen=True)
class Decision:
    effect: str
    matched: List[Policy] = field(default_factory=list)

    @property
    def allowed(self) -> bool:
        return self.effect == ALLOWED

    @property
    def explicitly_denied(self) -> bool:
        return self.effect == EXPLICIT_DENY


def evaluate(policies: Iterable[Policy], request: Request) -> Decision:
    """Decides over policies of one kind: a deny wins, no match denies as well.

    `matched` has one entry per statement that made the decision.
    """
    allowing, denying = [], []
    for policy in policies:
        for statement in policy.statements:
            if not statement_applies(statement, request):
                continue
            (denying if statement["Effect"] == "Deny" else allowing).append(policy)
    if denying:
        return Decision(EXPLICIT_DENY, denying)
    if allowing:
        return Decision(ALLOWED, allowing)
    return Decision(IMPLICIT_DENY)


def statement_applies(statement: Mapping, request: Request) -> bool:
    return (
        _action_applies(statement, request.action)
        and _resource_applies(statement, request)
        and conditions_hold(statement.get("Condition"), request.context)
    )


def condition_keys(policies: Iterable[Policy]) -> List[str]:
    """Every condition key the policies mention, as written, without repeats."""
    keys = {}
    for policy in policies:
        for statement in policy.statements:
            for block in (statement.get("Condition") or {}).values():
                for key in block:
                    keys.setdefault(key.lower(), key)
    return list(keys.values())


def _action_applies(statement: Mapping, action: str) -> bool:
    patterns = statement.get("Action", statement.get("NotAction"))
    matches = any(wildcard_match(pattern, action, ignore_case=True) for pattern in as_list(patterns))
    return matches if "Action" in statement else not matches


def _resource_applies(statement: Mapping, request: Request) -> bool:
    patterns = statement.get("Resource", statement.get("NotResource"))
    if patterns is None:
        # A trust policy: the role it is attached to is the resource.
        return True
    filled = [substitute(pattern, request.context) for pattern in as_list(patterns)]
    matches = any(wildcard_match(pattern, request.resource) for pattern in filled)
    return matches if "Resource" in statement else not matches


@lru_cache(maxsize=4096)
def _statements_of_text(text: str) -> List[Mapping]:
    """Every call is decided over the same few documents; nobody changes statements."""
    try:
        document = json.loads(text)
    except ValueError:
        raise malformed("Syntax errors in policy.") from None
    return _statements(document)


def _statements(document: Mapping) -> List[Mapping]:
    if not isinstance(document, dict):
        raise malformed("Syntax errors in policy.")
    statements = as_list(document.get("Statement", []))
    for statement in statements:
        _check_statement(statement)
    return statements


def _check_statement(statement) -> None:
    if not isinstance(statement, dict):
        raise malformed("Syntax errors in policy.")
    if statement.get("Effect") not in ("Allow", "Deny"):
        raise malformed("Syntax errors in policy.")
    if "Action" not in statement and "NotAction" not in statement:
        raise malformed("Policy statement must contain actions.")
    conditions = statement.get("Condition") or {}
    if not isinstance(conditions, dict):
        raise malformed("Syntax errors in policy.")
    for operator, keys in conditions.items():
        if not isinstance(keys, dict):
            raise malformed("Syntax errors in policy.")
        if is_date_operator(operator):
            _check_dates(keys)


def _check_dates(keys: Mapping) -> None:
    for wanted in keys.values():
        for value in as_list(wanted):
            if "${" in str(value):
                continue
            try:
                parse_date(str(value))
            except ValueError:
                raise malformed(f"Invalid date: {value}") from None


def check_identity_policy(document: str, resource_required: bool = True) -> Policy:
    """Parses a policy that is about to be stored, and refuses what IAM refuses."""
    policy = Policy.parse(document)
    if not policy.statements:
        raise malformed("Syntax errors in policy.")
    for statement in policy.statements:
        if "Principal" in statement or "NotPrincipal" in statement:
            raise malformed("Policy document should not specify a principal.")
        if resource_required and "Resource" not in statement and "NotResource" not in statement:
            raise malformed("Policy statement must contain resources.")
    return policy
