"""A program that asks the service, as docs/programs.md says: each request is signed anew with AWS credentials."""
import base64
import hashlib
import itertools
import secrets
from urllib.parse import urlsplit

from botocore.auth import SigV4QueryAuth
from botocore.awsrequest import AWSRequest
from botocore.credentials import Credentials
from requests import PreparedRequest
from requests.auth import AuthBase

# Number of requests from one address: the service allows 60 proofs in a minute.
FROM_ONE = 40


class Addresses:
    """Addresses of a network for measurements (RFC 2544), each for some requests: a proxy that is trusted names them."""

    def __init__(self, second: int) -> None:
        numbers = itertools.count(1)
        self._all = (
            f"198.18.{second + number // 250}.{number % 250 + 1}" for number in numbers for _ in range(FROM_ONE)
        )

    def next(self) -> str:
        return next(self._all)


class Program(AuthBase):
    """Who asks, by the credentials of a role's session."""

    def __init__(self, there: dict, name: str) -> None:
        keys = there["programs"][name]
        self._credentials = Credentials(keys["access_key_id"], keys["secret_access_key"], keys["session_token"])
        self._hub, self._sts, self._region = there["hub"], there["sts"], there["region"]

    def headers(self, method: str, target: str, body: bytes) -> dict:
        """The headers that prove who asks for this."""
        digest = hashlib.sha256(body).hexdigest()
        signed = {
            "x-rescind-hub": self._hub,
            "x-rescind-nonce": secrets.token_hex(16),
            "x-rescind-request": hashlib.sha256(f"{method}\n{target}\n{digest}".encode()).hexdigest(),
        }
        proof = AWSRequest("GET", f"{self._sts}/?Action=GetCallerIdentity&Version=2011-06-15", headers=signed)
        SigV4QueryAuth(self._credentials, "sts", self._region, expires=60).add_auth(proof)
        url = base64.urlsafe_b64encode(proof.url.encode()).decode().rstrip("=")
        return {"Authorization": f"Rescind-AWS {url}", "X-Rescind-Nonce": signed["x-rescind-nonce"]}

    def __call__(self, request: PreparedRequest) -> PreparedRequest:
        parts = urlsplit(request.url)
        target = f"{parts.path or '/'}?{parts.query}" if parts.query else parts.path or "/"
        body = request.body or b""
        body = body.encode() if isinstance(body, str) else body
        request.headers.update(self.headers(request.method, target, body))
        return request
