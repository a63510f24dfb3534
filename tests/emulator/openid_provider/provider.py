"""What the provider knows: who is logged in in which browser, and the codes that it gave out."""
import hashlib
import hmac
import re
import secrets
import time
from dataclasses import dataclass
from typing import Callable, Dict, List, Mapping, Optional, Tuple, Union
from urllib.parse import urlencode

from .keys import ALGORITHM, SigningKey, base64url, half_hash
from .people import DEFAULT, PEOPLE, Person
from .authorization import AuthorizationRequest, Client, NotForClient, OAuthError, request_of, return_of

CODE_SECONDS = 60
TOKEN_SECONDS = 600
PAGE_SECONDS = 600
SCOPES = ["openid", "profile"]
VERIFIER = re.compile(r"[A-Za-z0-9._~-]{43,128}")

Pairs = List[Tuple[str, str]]


@dataclass(frozen=True)
class Session:
    """Of one browser. Without a person, whoever uses it has logged out, and chooses the next time."""

    person: Optional[Person]
    since: float


@dataclass
class Code:
    request: AuthorizationRequest
    session: Session
    expires: float
    used: bool = False


@dataclass(frozen=True)
class Waiting:
    """A page that waits for its button: in one browser, for a login or a logout."""

    browser: str
    request: Union[AuthorizationRequest, str]
    expires: float


@dataclass(frozen=True)
class Redirect:
    """The browser goes to an address, with another cookie where its session is another one."""

    address: str
    browser: Optional[str] = None


@dataclass(frozen=True)
class Ask:
    """A page with a button for each person, or one for a logout. `waiting` is what its button sends."""

    waiting: str
    browser: str
    is_logout: bool = False


class Provider:
    def __init__(self, issuer: str, client: Client, now: Callable[[], float] = time.time) -> None:
        self.issuer = issuer
        self.client = client
        self._now = now
        self._key = SigningKey()
        self._sessions: Dict[str, Session] = {}
        self._codes: Dict[str, Code] = {}
        self._waiting: Dict[str, Waiting] = {}

    def configuration(self) -> Dict[str, object]:
        return {
            "issuer": self.issuer,
            "authorization_endpoint": f"{self.issuer}/authorize",
            "token_endpoint": f"{self.issuer}/token",
            "jwks_uri": f"{self.issuer}/jwks",
            "end_session_endpoint": f"{self.issuer}/logout",
            "scopes_supported": SCOPES,
            "response_types_supported": ["code"],
            "response_modes_supported": ["query"],
            "grant_types_supported": ["authorization_code"],
            "subject_types_supported": ["public"],
            "id_token_signing_alg_values_supported": [ALGORITHM],
            "token_endpoint_auth_methods_supported": ["none"],
            "code_challenge_methods_supported": ["S256"],
            "prompt_values_supported": ["none", "login", "select_account", "consent"],
            "claims_supported": ["iss", "sub", "aud", "exp", "iat", "auth_time", "nonce", "at_hash", "name", "groups"],
            "authorization_response_iss_parameter_supported": True,
            "request_uri_parameter_supported": False,
        }

    def keys(self) -> Dict[str, object]:
        return {"keys": [self._key.jwk]}

    def authorize(self, pairs: Pairs, browser: Optional[str]) -> Union[Redirect, Ask]:
        """Raises NotForClient. Every other mistake is the client's, and goes back to it."""
        back = return_of(pairs, self.client, self.issuer)
        try:
            request = request_of(pairs, back)
            return self._log_in(request, browser)
        except OAuthError as error:
            return Redirect(back.address(error=error.code, error_description=error.description))

    def choose(self, waiting: str, subject: str, browser: Optional[str]) -> Redirect:
        """Somebody pressed the button of a person."""
        request = self._take(waiting, browser)
        if not isinstance(request, AuthorizationRequest) or subject not in PEOPLE:
            raise NotForClient("this page is about something else")
        self._sessions.pop(browser, None)
        session = Session(PEOPLE[subject], self._now())
        return Redirect(self._answer(request, session), self._begin(session))

    def token(self, pairs: Pairs) -> Dict[str, object]:
        """The tokens for a code. Raises OAuthError."""
        asked: Mapping[str, str] = dict(pairs)
        if len(asked) != len(pairs):
            raise OAuthError("invalid_request", "a parameter is there twice")
        if asked.get("client_id") != self.client.client_id or "client_secret" in asked:
            raise OAuthError("invalid_client", "expected the client_id of the demo's client, and no secret")
        if asked.get("grant_type") != "authorization_code":
            raise OAuthError("unsupported_grant_type", "grant_type: only authorization_code is supported")
        code = self._codes.get(asked.get("code", ""))
        if code is None or code.used or code.expires < self._now():
            raise OAuthError("invalid_grant", "code: not known, used before, or too old")
        # Whoever comes with it now: nobody can try it again.
        code.used = True
        if asked.get("redirect_uri") != code.request.back.redirect_uri:
            raise OAuthError("invalid_grant", "redirect_uri: not that of the code")
        if not _fits(asked.get("code_verifier", ""), code.request.challenge):
            raise OAuthError("invalid_grant", "code_verifier: not that of the code")
        access_token = secrets.token_urlsafe(32)
        return {
            "access_token": access_token,
            "token_type": "Bearer",
            "expires_in": TOKEN_SECONDS,
            "scope": " ".join(scope for scope in SCOPES if scope in code.request.scopes),
            "id_token": self._key.sign(self._claims(code, access_token)),
        }

    def end_session(self, pairs: Pairs, browser: Optional[str]) -> Union[Redirect, Ask]:
        """Logs out at once for whoever shows the ID token of who is logged in, and asks everybody else."""
        asked: Mapping[str, str] = dict(pairs)
        hint = self._key.claims_of(asked.get("id_token_hint", "")) or {}
        client_id = asked.get("client_id", hint.get("aud"))
        if client_id not in (None, self.client.client_id):
            raise NotForClient("client_id is not that of the client of this demo")
        to = asked.get("post_logout_redirect_uri", f"{self.issuer}/")
        if to != f"{self.issuer}/" and (client_id is None or to != self.client.post_logout_redirect_uri):
            raise NotForClient("post_logout_redirect_uri is not that of the client of this demo")
        if "state" in asked:
            to += "?" + urlencode({"state": asked["state"]})
        session = self._sessions.get(browser or "")
        if session is None or session.person is None or hint.get("sub") == session.person.subject:
            return Redirect(to, self._log_out(browser))
        return self._ask(to, browser)

    def confirm_logout(self, waiting: str, browser: Optional[str]) -> Redirect:
        to = self._take(waiting, browser)
        if not isinstance(to, str):
            raise NotForClient("this page is about something else")
        return Redirect(to, self._log_out(browser))

    def _log_in(self, request: AuthorizationRequest, browser: Optional[str]) -> Union[Redirect, Ask]:
        session = self._sessions.get(browser or "")
        is_logged_in = session is not None and session.person is not None
        is_fresh = is_logged_in and (request.max_age is None or self._now() - session.since <= request.max_age)
        if is_fresh and not request.prompts & {"login", "select_account"}:
            return Redirect(self._answer(request, session))
        if "none" in request.prompts:
            raise OAuthError("login_required", "nobody is logged in")
        if session is None and not request.prompts:
            session = Session(DEFAULT, self._now())
            return Redirect(self._answer(request, session), self._begin(session))
        return self._ask(request, browser)

    def _answer(self, request: AuthorizationRequest, session: Session) -> str:
        self._forget()
        code = secrets.token_urlsafe(32)
        self._codes[code] = Code(request, session, self._now() + CODE_SECONDS)
        return request.back.address(code=code)

    def _claims(self, code: Code, access_token: str) -> Dict[str, object]:
        now = int(self._now())
        claims = {
            **code.session.person.claims(code.request.scopes),
            "iss": self.issuer,
            "aud": self.client.client_id,
            "iat": now,
            "exp": now + TOKEN_SECONDS,
            "auth_time": int(code.session.since),
            "at_hash": half_hash(access_token),
        }
        return claims if code.request.nonce is None else {**claims, "nonce": code.request.nonce}

    def _begin(self, session: Session) -> str:
        browser = secrets.token_urlsafe(32)
        self._sessions[browser] = session
        return browser

    def _log_out(self, browser: Optional[str]) -> str:
        self._sessions.pop(browser or "", None)
        return self._begin(Session(None, self._now()))

    def _ask(self, request: Union[AuthorizationRequest, str], browser: Optional[str]) -> Ask:
        self._forget()
        if browser not in self._sessions:
            browser = self._begin(Session(None, self._now()))
        waiting = secrets.token_urlsafe(32)
        self._waiting[waiting] = Waiting(browser, request, self._now() + PAGE_SECONDS)
        return Ask(waiting, browser, is_logout=isinstance(request, str))

    def _take(self, waiting: str, browser: Optional[str]) -> Union[AuthorizationRequest, str]:
        """What a page was about: once, and only in the browser that had it."""
        found = self._waiting.get(waiting)
        if found is None or found.browser != browser or found.expires < self._now():
            raise NotForClient("this page is too old, or another browser's: log in again from the console")
        del self._waiting[waiting]
        return found.request

    def _forget(self) -> None:
        now = self._now()
        self._codes = {key: one for key, one in self._codes.items() if one.expires >= now}
        self._waiting = {key: one for key, one in self._waiting.items() if one.expires >= now}


def _fits(verifier: str, challenge: str) -> bool:
    if not VERIFIER.fullmatch(verifier):
        return False
    return hmac.compare_digest(base64url(hashlib.sha256(verifier.encode()).digest()), challenge)
