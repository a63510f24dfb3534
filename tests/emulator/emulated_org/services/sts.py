"""AWS STS: role sessions, their trust policies and their limits."""
import json
import math
import re
from typing import Dict, List, Mapping, Optional
from xml.sax.saxutils import escape

from ..enforcement import Enforcement, Principal, denied
from ..errors import AccessDenied, AwsError, NotEmulated, constraint_violated
from ..policy.documents import Policy, Request, check_identity_policy, statement_applies
from ..policy.principals import named_as
from ..protocol.answers import Answer, xml_answer
from ..protocol.calls import Call, members
from ..state.directory import account_of
from ..state.sessions import Session
from ..state.world import World
from ..times import whole_seconds

NAMESPACE = "https://sts.amazonaws.com/doc/2011-06-15/"
ONE_HOUR = 3600
SESSION_POLICY_LIMIT = 2048
FEDERATED_NAME = re.compile(r"[\w+=,.@-]{2,32}", re.ASCII)
NAME = re.compile(r"[\w+=,.@-]{2,64}", re.ASCII)
EXTERNAL_ID = re.compile(r"[\w+=,.@:/-]{2,1224}", re.ASCII)


def _identity_in_json(call: Call, principal: Principal) -> Answer:
    """STS answers in JSON whoever accepts that."""
    identity = {"Account": principal.account, "Arn": principal.arn, "UserId": principal.user_id}
    answer = {
        "GetCallerIdentityResult": identity,
        "ResponseMetadata": {"RequestId": call.request_id},
    }
    body = json.dumps({"GetCallerIdentityResponse": answer}).encode()
    return Answer(200, {"Content-Type": "application/json"}, body)


def validation_error(message: str) -> AwsError:
    return AwsError("ValidationError", message, 400)


class Sts:
    def __init__(self, world: World, enforcement: Enforcement) -> None:
        self._directory = world.directory
        self._sessions = world.sessions
        self._clock = world.clock
        self._spread = world.spread
        self._enforcement = enforcement

    def handle(self, call: Call, principal: Principal) -> Answer:
        operations = {
            "AssumeRole": self._assume_role,
            "GetCallerIdentity": self._get_caller_identity,
            "GetFederationToken": self._get_federation_token,
            "GetSessionToken": self._get_session_token,
        }
        if call.operation not in operations:
            raise NotEmulated(f"sts:{call.operation}")
        if call.operation == "GetCallerIdentity" and "application/json" in (call.headers.get("Accept") or ""):
            return _identity_in_json(call, principal)
        result = operations[call.operation](call, principal)
        return xml_answer(call, NAMESPACE, result)

    def _get_caller_identity(self, call: Call, principal: Principal) -> str:
        return (
            f"<Arn>{escape(principal.arn)}</Arn><UserId>{escape(principal.user_id)}</UserId>"
            f"<Account>{principal.account}</Account>"
        )

    def _get_session_token(self, call: Call, principal: Principal) -> str:
        if principal.session:
            raise AccessDenied("Cannot call GetSessionToken with session credentials")
        duration = _duration(call.params, 12 * ONE_HOUR)
        now = self._clock.now()
        if principal.kind == "root":
            return _credentials(self._sessions.issue_for_root(principal.account, now, duration))
        return _credentials(self._sessions.issue_for_user(principal.account, principal.entity, now, duration))

    def _get_federation_token(self, call: Call, principal: Principal) -> str:
        if principal.session:
            raise AccessDenied("Cannot call GetFederationToken with session credentials")
        if principal.kind == "root":
            raise NotEmulated("GetFederationToken for a root user")
        name, account = call.params.get("Name", ""), principal.account
        _check("name", name, FEDERATED_NAME)
        policies = self._session_policies(call.params.get("Policy"), _policy_arns(call.params), account)
        duration, now = _duration(call.params, 12 * ONE_HOUR), self._clock.now()
        session = self._sessions.issue_for_federated_user(account, principal.entity, name, now, duration, policies)
        return (
            f"{_credentials(session)}<FederatedUser><FederatedUserId>{escape(session.user_id)}</FederatedUserId>"
            f"<Arn>{escape(session.arn)}</Arn></FederatedUser>"
        )

    def _assume_role(self, call: Call, principal: Principal) -> str:
        request = _AssumeRole(call.params)
        role = self._spread.role_by_arn(request.role_arn)
        self._authorize(principal, request, role)
        request.check_duration(role, chained=principal.session is not None)
        source_identity = self._source_identity(principal, request)
        session = self._sessions.issue_for_role(
            role,
            request.session_name,
            issued_at=self._clock.now(),
            duration_seconds=request.duration,
            source_identity=source_identity,
            session_policies=self._session_policies(request.policy, request.policy_arns, role.account_id),
        )
        packed = math.ceil(100 * len(request.policy or "") / SESSION_POLICY_LIMIT)
        answer = (
            _credentials(session)
            + f"<AssumedRoleUser><AssumedRoleId>{session.user_id}</AssumedRoleId>"
            + f"<Arn>{escape(session.arn)}</Arn></AssumedRoleUser>"
        )
        if packed:
            answer += f"<PackedPolicySize>{packed}</PackedPolicySize>"
        if source_identity:
            answer += f"<SourceIdentity>{escape(source_identity)}</SourceIdentity>"
        return answer

    def _authorize(self, principal: Principal, request: "_AssumeRole", role) -> None:
        """Both the role's trust policy and the caller's own policies have to allow it.

        Within one account a trust policy that names the caller itself suffices.
        """
        if principal.kind == "root":
            raise AccessDenied("Roles may not be assumed by root accounts.")
        refused = denied(principal, "sts:AssumeRole", request.role_arn)
        if role is None or self._is_suspended(role.account_id):
            # AWS does not show a caller whether a role exists.
            raise refused
        context = self._enforcement.context(principal, self._clock.now())
        context.update(request.context())
        trust = Policy.parse(role.trust)
        actions = ["sts:AssumeRole"]
        if request.source_identity:
            actions.append("sts:SetSourceIdentity")
        for action in actions:
            trusted = _trust(trust, principal, Request(action, role.arn, context), self._directory.partition)
            if trusted is None:
                raise denied(principal, action, request.role_arn)
            if trusted == "caller" and principal.account == role.account_id:
                self._forbid_explicit_deny(principal, action, role.arn, context)
            else:
                self._enforcement.require(principal, action, role.arn, context)

    def _forbid_explicit_deny(self, principal: Principal, action: str, resource: str, context: dict) -> None:
        reason = self._enforcement.denial(principal, Request(action, resource, context))
        if reason and reason.startswith("with an explicit deny"):
            raise denied(principal, action, resource, reason)

    def _is_suspended(self, account: str) -> bool:
        member = self._directory.member(account)
        return member is not None and member.state in ("SUSPENDED", "CLOSED")

    def _source_identity(self, principal: Principal, request: "_AssumeRole") -> Optional[str]:
        """A source identity, once set, stays for all sessions chained from it."""
        inherited = principal.session.source_identity if principal.session else None
        if inherited and request.source_identity and request.source_identity != inherited:
            raise denied(principal, "sts:SetSourceIdentity", request.role_arn)
        return inherited or request.source_identity

    def _session_policies(self, document: Optional[str], arns: List[str], account: str) -> List[Policy]:
        policies = []
        if document:
            policies.append(check_identity_policy(document))
        for arn in arns:
            managed = self._directory.managed_document(account, arn)
            if managed is None:
                raise AwsError("MalformedPolicyDocument", f"Policy {arn} does not exist.", 400)
            name, document = managed
            policies.append(Policy.parse(document, name))
        return policies


class _AssumeRole:
    """The validated parameters of an AssumeRole call."""

    def __init__(self, params: Mapping[str, str]) -> None:
        self.role_arn = params.get("RoleArn", "")
        self.session_name = params.get("RoleSessionName", "")
        self.external_id = params.get("ExternalId")
        self.source_identity = params.get("SourceIdentity")
        self.policy = params.get("Policy")
        self.policy_arns = _policy_arns(params)
        self.duration = _duration(params, ONE_HOUR)
        if not account_of(self.role_arn):
            raise validation_error(f"{self.role_arn} is invalid")
        _check("roleSessionName", self.session_name, NAME)
        if self.external_id is not None:
            _check("externalId", self.external_id, EXTERNAL_ID)
        if self.source_identity is not None:
            _check("sourceIdentity", self.source_identity, NAME)
        if self.policy is not None and not 1 <= len(self.policy) <= SESSION_POLICY_LIMIT:
            limit = f"Member must have length less than or equal to {SESSION_POLICY_LIMIT}"
            raise constraint_violated("Value at 'policy'", limit)
        if len(self.policy_arns) > 10:
            raise validation_error("1 validation error detected: Value at 'policyArns' has more than 10 members")

    def check_duration(self, role, chained: bool) -> None:
        if chained and self.duration > ONE_HOUR:
            raise validation_error(
                "The requested DurationSeconds exceeds the 1 hour session limit for roles assumed by role chaining"
            )
        if self.duration > int(role.max_session_duration or ONE_HOUR):
            raise validation_error("The requested DurationSeconds exceeds the MaxSessionDuration set for this role.")

    def context(self) -> Dict[str, List[str]]:
        keys = {
            "sts:externalid": self.external_id,
            "sts:rolesessionname": self.session_name,
            "sts:sourceidentity": self.source_identity,
        }
        return {name: [value] for name, value in keys.items() if value is not None}


def _policy_arns(params: Mapping[str, str]) -> List[str]:
    return members({key.replace(".arn", ""): value for key, value in params.items()}, "PolicyArns")


def _check(name: str, value: str, pattern) -> None:
    if not pattern.fullmatch(value):
        constraint = f"Member must satisfy regular expression pattern: {pattern.pattern}"
        raise constraint_violated(f"Value '{value}' at '{name}'", constraint)


def _duration(params: Mapping[str, str], default: int) -> int:
    text = params.get("DurationSeconds", str(default))
    if not text.isdigit() or not 900 <= int(text) <= 129600:
        constraint = "Member must have value greater than or equal to 900"
        raise constraint_violated(f"Value '{text}' at 'durationSeconds'", constraint)
    return int(text)


def _credentials(session: Session) -> str:
    return (
        f"<Credentials><AccessKeyId>{session.access_key_id}</AccessKeyId>"
        f"<SecretAccessKey>{escape(session.secret_access_key)}</SecretAccessKey>"
        f"<SessionToken>{escape(session.session_token)}</SessionToken>"
        f"<Expiration>{whole_seconds(session.expires_at)}</Expiration></Credentials>"
    )


def _trust(trust: Policy, principal: Principal, request: Request, partition: str) -> Optional[str]:
    """How a trust policy trusts the caller: ``caller`` by its own ARN, ``account``
    by its account or everybody, or None for not at all."""
    arns = {principal.arn, principal.principal_arn}
    trusted = None
    for statement in trust.statements:
        named = named_as(statement, principal.account, arns, partition)
        if not named or not statement_applies(statement, request):
            continue
        if statement["Effect"] == "Deny":
            return None
        if trusted != "caller":
            trusted = named
    return trusted
