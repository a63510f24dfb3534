"""What a client asks for at the authorization endpoint, and how it is refused."""
import re
from dataclasses import dataclass
from typing import FrozenSet, List, Mapping, Optional, Tuple
from urllib.parse import urlencode

CHALLENGE = re.compile(r"[A-Za-z0-9_-]{43}")
PROMPTS = {"none", "login", "select_account", "consent"}


@dataclass(frozen=True)
class Client:
    """The one client: public, so that PKCE alone says that a code is its."""

    client_id: str
    redirect_uri: str
    post_logout_redirect_uri: str


class NotForClient(Exception):
    """A page says what is wrong: nobody knows where a browser could be sent back to."""


class OAuthError(Exception):
    """An error of OAuth, for the client."""

    def __init__(self, code: str, description: str) -> None:
        super().__init__(description)
        self.code = code
        self.description = description


@dataclass(frozen=True)
class Return:
    """Where the browser goes with the answer, and the client's state."""

    redirect_uri: str
    state: Optional[str]
    issuer: str

    def address(self, **answer: str) -> str:
        state = {} if self.state is None else {"state": self.state}
        return f"{self.redirect_uri}?{urlencode({**answer, **state, 'iss': self.issuer})}"


@dataclass(frozen=True)
class AuthorizationRequest:
    back: Return
    scopes: FrozenSet[str]
    challenge: str
    nonce: Optional[str]
    prompts: FrozenSet[str]
    max_age: Optional[int]


def return_of(pairs: List[Tuple[str, str]], client: Client, issuer: str) -> Return:
    """Raises NotForClient unless the client and its address are those that are registered."""
    named = {"client_id": client.client_id, "redirect_uri": client.redirect_uri}
    for name, registered in named.items():
        if [value for key, value in pairs if key == name] != [registered]:
            raise NotForClient(f"{name} is not that of the client of this demo")
    states = [value for key, value in pairs if key == "state"]
    return Return(client.redirect_uri, states[0] if states else None, issuer)


def request_of(pairs: List[Tuple[str, str]], back: Return) -> AuthorizationRequest:
    """Raises OAuthError with what is wrong, by the code that OpenID Connect has for it."""
    asked: Mapping[str, str] = dict(pairs)
    if len(asked) != len(pairs):
        raise OAuthError("invalid_request", "a parameter is there twice")
    for name, code in (("request", "request_not_supported"), ("request_uri", "request_uri_not_supported")):
        if name in asked:
            raise OAuthError(code, f"{name} is not supported")
    if asked.get("response_type") != "code":
        raise OAuthError("unsupported_response_type", "response_type: only code is supported")
    if asked.get("response_mode", "query") != "query":
        raise OAuthError("invalid_request", "response_mode: only query is supported")
    scopes = frozenset(asked.get("scope", "").split())
    if "openid" not in scopes:
        raise OAuthError("invalid_scope", "scope: expected openid")
    challenge = asked.get("code_challenge", "")
    if asked.get("code_challenge_method") != "S256" or not CHALLENGE.fullmatch(challenge):
        raise OAuthError("invalid_request", "code_challenge: PKCE with S256 is required")
    prompts = frozenset(asked.get("prompt", "").split())
    if prompts - PROMPTS or ("none" in prompts and len(prompts) > 1):
        raise OAuthError("invalid_request", "prompt: expected none, or login, select_account and consent")
    max_age = asked.get("max_age")
    if max_age is not None and not re.fullmatch(r"[0-9]{1,9}", max_age):
        raise OAuthError("invalid_request", "max_age: expected seconds")
    return AuthorizationRequest(
        back=back,
        scopes=scopes,
        challenge=challenge,
        nonce=asked.get("nonce"),
        prompts=prompts,
        max_age=None if max_age is None else int(max_age),
    )
