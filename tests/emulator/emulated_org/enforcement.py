"""Who is calling, and whether their policies allow it."""
from dataclasses import dataclass
from datetime import datetime
from typing import Dict, List, Optional

from .errors import AccessDenied, InvalidCredentials
from .policy.documents import Request, evaluate
from .protocol.calls import Call
from .state.directory import OPERATOR
from .state.sessions import Session
from .state.standing import Standing, root_standing
from .state.world import World
from .times import whole_seconds

# AWS answers these whatever the caller's policies say.
ALWAYS_ALLOWED = {"sts:GetCallerIdentity", "sts:GetSessionToken"}
PRINCIPAL_TYPES = {"role": "AssumedRole", "user": "User", "federated-user": "FederatedUser", "root": "Account"}


@dataclass(frozen=True)
class Principal:
    account: str
    arn: str
    user_id: str
    # For a role session the role's ARN, otherwise the same as `arn`.
    principal_arn: str
    # The role, user or root user as it stands for decisions, which may know of changes late.
    entity: Standing
    session: Optional[Session] = None
    is_operator: bool = False

    @property
    def kind(self) -> str:
        """role, user, federated-user or root."""
        return "federated-user" if self.session and self.session.federated_user else self.entity.kind


class Enforcement:
    def __init__(self, world: World) -> None:
        self._directory = world.directory
        self._sessions = world.sessions
        self._root_keys = world.root_keys
        self._spread = world.spread

    def account_of_key(self, access_key_id: str) -> Optional[str]:
        """The account a key belongs to, even when the key is no longer valid."""
        session = self._sessions.find(access_key_id)
        if session:
            return session.account
        return self._root_keys.account_of(access_key_id) or self._directory.access_key(access_key_id)[0]

    def authenticate(self, call: Call, now: datetime) -> Principal:
        """The principal behind a call's access key. The gateway verifies signatures, and those of queries only."""
        if call.access_key_id.startswith("ASIA"):
            session = self._sessions.authenticate(call.access_key_id, call.session_token, now)
            return self._session_principal(session)
        root_account = self._root_keys.account_of(call.access_key_id)
        if root_account:
            return self._root_principal(root_account)
        key = self._spread.key(call.access_key_id)
        return self._user_principal(key if key and key.is_active else None)

    def secret_of(self, access_key_id: str) -> str:
        """The secret of a key that was authenticated."""
        session = self._sessions.find(access_key_id)
        if session:
            return session.secret_access_key
        secret = self._root_keys.secret_of(access_key_id)
        return secret or self._directory.access_key(access_key_id)[1].secret_access_key

    def holder_of(self, access_key_id: str) -> Principal:
        """Whose a key is, whether it still works or not."""
        session = self._sessions.find(access_key_id)
        if session:
            return self._session_principal(session)
        root_account = self._root_keys.account_of(access_key_id)
        if root_account:
            return self._root_principal(root_account)
        return self._user_principal(self._spread.key(access_key_id))

    def _user_principal(self, key) -> Principal:
        user = self._spread.user(key.account_id, key.user_id) if key else None
        if user is None:
            raise InvalidCredentials()
        is_operator = user.name == OPERATOR
        return Principal(user.account_id, user.arn, user.id, user.arn, user, is_operator=is_operator)

    def _session_principal(self, session: Session) -> Principal:
        if session.issuer_id:
            # By its id: another user may have got the name of one that was deleted.
            user = self._spread.user(session.account, session.issuer_id)
            if user is None:
                raise InvalidCredentials()
            return Principal(session.account, session.arn, session.user_id, session.arn, user, session)
        if not session.role_id:
            return self._root_principal(session.account, session)
        role = self._spread.role(session.account, session.role_id)
        if role is None:
            # The role was deleted; one recreated with its name is another role.
            raise InvalidCredentials()
        return Principal(session.account, session.arn, session.user_id, role.arn, role, session)

    def _root_principal(self, account: str, session: Optional[Session] = None) -> Principal:
        root = root_standing(self._directory.partition, account)
        return Principal(account, root.arn, account, root.arn, root, session)

    def authorize(self, principal: Principal, call: Call, questions: List[Request], now: datetime) -> None:
        """Raises AccessDenied unless the principal's policies allow all that IAM is asked about a call.

        The context of a question is that of the call alone.
        """
        if call.action in ALWAYS_ALLOWED or call.action == "sts:AssumeRole":
            # AssumeRole also depends on the trust policy: `sts` decides about it.
            return
        context = self.context(principal, now)
        for asked in questions:
            self.require(principal, asked.action, asked.resource, {**context, **asked.context})

    def require(self, principal: Principal, action: str, resource: str, context: Dict[str, List[str]]) -> None:
        reason = self.denial(principal, Request(action, resource, context))
        if reason:
            raise denied(principal, action, resource, reason)

    def denial(self, principal: Principal, request: Request) -> Optional[str]:
        """Why the principal's own policies deny a request; None if they allow it."""
        if principal.is_operator:
            return None
        kinds = self._policy_kinds(principal)
        decisions = [(name, evaluate(policies, request)) for name, policies in kinds]
        for name, decision in decisions:
            if decision.explicitly_denied:
                return f"with an explicit deny in {_with_article(name)}"
        for name, decision in decisions:
            if not decision.allowed:
                return f"because no {name} allows the {request.action} action"
        return None

    def _policy_kinds(self, principal: Principal) -> list:
        """(kind, policies) pairs. Every kind has to allow a request."""
        entity = principal.entity
        levels = self._spread.service_control_policies(principal.account)
        kinds = [("service control policy", level) for level in levels]
        kinds.append(("identity-based policy", entity.policies))
        if entity.boundary is not None:
            kinds.append(("permissions boundary", [entity.boundary]))
        if principal.session and (principal.session.session_policies or principal.session.federated_user):
            kinds.append(("session policy", principal.session.session_policies))
        return kinds

    def context(self, principal: Principal, now: datetime) -> Dict[str, List[str]]:
        """The condition keys of a request, by lower-case name."""
        keys = {
            "aws:userid": principal.user_id,
            "aws:PrincipalArn": principal.principal_arn,
            "aws:PrincipalAccount": principal.account,
            "aws:PrincipalType": PRINCIPAL_TYPES[principal.kind],
            "aws:CurrentTime": whole_seconds(now),
            "aws:EpochTime": str(int(now.timestamp())),
            "aws:SourceIp": "127.0.0.1",
            "aws:SecureTransport": "true",
        }
        if self._directory.organization_id:
            keys["aws:PrincipalOrgID"] = self._directory.organization_id
        if principal.kind == "user":
            keys["aws:username"] = principal.entity.name
        session = principal.session
        if session:
            keys["aws:TokenIssueTime"] = whole_seconds(session.issued_at)
            if session.source_identity:
                keys["aws:SourceIdentity"] = session.source_identity
        for name, value in principal.entity.tags if principal.kind != "federated-user" else ():
            keys[f"aws:PrincipalTag/{name}"] = value
        return {name.lower(): [value] for name, value in keys.items()}


def denied(principal: Principal, action: str, resource: str, reason: str = "") -> AccessDenied:
    message = f"User: {principal.arn} is not authorized to perform: {action} on resource: {resource}"
    return AccessDenied(f"{message} {reason}".rstrip())


def denied_across_accounts(principal: Principal, action: str, resource: str) -> AccessDenied:
    """Queues, topics and buses have no policies here that would let another account in."""
    return denied(principal, action, resource, f"because no resource-based policy allows the {action} action")


def _with_article(name: str) -> str:
    return f"an {name}" if name[0] in "aeiou" else f"a {name}"
