"""Temporary credentials, each of which remembers when it was issued."""
import base64
import secrets
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from typing import Dict, List, Optional

from ..errors import ExpiredCredentials, InvalidCredentials
from ..policy.documents import Policy


@dataclass(frozen=True)
class Session:
    """Credentials of a role session, or of an IAM user's GetSessionToken."""

    access_key_id: str
    secret_access_key: str
    session_token: str
    account: str
    arn: str
    user_id: str
    issued_at: datetime
    expires_at: datetime
    role_id: Optional[str] = None
    user_name: Optional[str] = None
    session_name: Optional[str] = None
    source_identity: Optional[str] = None
    session_policies: List[Policy] = field(default_factory=list)


class SessionStore:
    def __init__(self) -> None:
        self._sessions: Dict[str, Session] = {}

    def reset(self) -> None:
        self._sessions.clear()

    def issue(self, *, issued_at: datetime, duration_seconds: int, **fields) -> Session:
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


def new_id(prefix: str, length: int) -> str:
    """A unique id as IAM makes them: a prefix that tells the kind, then base 32."""
    alphabet = "ABCDEFGHIJKLMNOPQRSTUVWXYZ234567"
    return prefix + "".join(alphabet[byte % 32] for byte in secrets.token_bytes(length - len(prefix)))
