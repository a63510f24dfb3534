"""Temporary credentials, each of which remembers when it was issued."""
import base64
import secrets
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from typing import Dict, List, Optional

from ..errors import ExpiredCredentials, InvalidCredentials
from ..policy.documents import Policy
from .directory import Directory
from .ids import new_id


@dataclass(frozen=True)
class Session:
    """Credentials of a role session, or of a GetSessionToken or GetFederationToken."""

    access_key_id: str
    secret_access_key: str
    session_token: str
    account: str
    arn: str
    user_id: str
    issued_at: datetime
    expires_at: datetime
    role_id: Optional[str] = None
    # Whose the session is, if it is no role's: an IAM user's id, also of a federated user's, or none of root's.
    issuer_id: Optional[str] = None
    federated_user: Optional[str] = None
    session_name: Optional[str] = None
    source_identity: Optional[str] = None
    session_policies: List[Policy] = field(default_factory=list)


class SessionStore:
    def __init__(self, directory: Directory) -> None:
        self._directory = directory
        self._sessions: Dict[str, Session] = {}

    def reset(self) -> None:
        self._sessions.clear()

    def issue_for_role(self, role, session_name: str, issued_at: datetime, duration_seconds: int, **extra) -> Session:
        """A session of the role, without asking anybody: AssumeRole checks first."""
        partition, account = self._directory.partition, role.account_id
        return self._issue(
            issued_at,
            duration_seconds,
            account=account,
            arn=f"arn:{partition}:sts::{account}:assumed-role/{role.name}/{session_name}",
            user_id=f"{role.id}:{session_name}",
            role_id=role.id,
            session_name=session_name,
            **extra,
        )

    def issue_for_user(self, account: str, user, issued_at: datetime, duration_seconds: int) -> Session:
        """A session of an IAM user. It outlives the access key it was asked for with."""
        return self._issue(
            issued_at, duration_seconds, account=account, arn=user.arn, user_id=user.id, issuer_id=user.id
        )

    def issue_for_root(self, account: str, issued_at: datetime, duration_seconds: int) -> Session:
        arn = f"arn:{self._directory.partition}:iam::{account}:root"
        return self._issue(issued_at, duration_seconds, account=account, arn=arn, user_id=account)

    def issue_for_federated_user(
        self, account: str, user, name: str, issued_at: datetime, duration_seconds: int, policies: List[Policy]
    ) -> Session:
        """What the IAM user `user` got for `name`. Without policies it may do nothing."""
        return self._issue(
            issued_at,
            duration_seconds,
            account=account,
            arn=f"arn:{self._directory.partition}:sts::{account}:federated-user/{name}",
            user_id=f"{account}:{name}",
            issuer_id=user.id,
            federated_user=name,
            session_policies=policies,
        )

    def _issue(self, issued_at: datetime, duration_seconds: int, **fields) -> Session:
        """Stores a session with fresh keys; `fields` are those of `Session`."""
        session = Session(
            access_key_id=new_id("ASIA", 20),
            secret_access_key=secrets.token_urlsafe(30),
            session_token="IQoJ" + base64.b64encode(secrets.token_bytes(160)).decode(),
            issued_at=issued_at,
            expires_at=issued_at + timedelta(seconds=duration_seconds),
            **fields,
        )
        self._sessions[session.access_key_id] = session
        return session

    def find(self, access_key_id: str) -> Optional[Session]:
        return self._sessions.get(access_key_id)

    def authenticate(self, access_key_id: str, session_token: str, now: datetime) -> Session:
        session = self._sessions.get(access_key_id)
        if session is None or session.session_token != session_token:
            raise InvalidCredentials()
        if now >= session.expires_at:
            raise ExpiredCredentials()
        return session
