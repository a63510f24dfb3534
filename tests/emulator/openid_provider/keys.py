"""The key that signs ID tokens (RS256), made anew at each start."""
import base64
import hashlib
import json
from typing import Dict, Mapping, Optional

from cryptography.exceptions import InvalidSignature
from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.asymmetric import padding, rsa

ALGORITHM = "RS256"


def base64url(data: bytes) -> str:
    return base64.urlsafe_b64encode(data).rstrip(b"=").decode()


def half_hash(text: str) -> str:
    """`at_hash`: the left half of the hash of an access token."""
    return base64url(hashlib.sha256(text.encode()).digest()[:16])


class SigningKey:
    def __init__(self) -> None:
        self._private = rsa.generate_private_key(public_exponent=65537, key_size=2048)
        numbers = self._private.public_key().public_numbers()
        public = {"e": _number(numbers.e), "kty": "RSA", "n": _number(numbers.n)}
        # The thumbprint of RFC 7638: these members, in this order, without white space.
        thumbprint = hashlib.sha256(json.dumps(public, separators=(",", ":")).encode()).digest()
        self._id = base64url(thumbprint)
        self.jwk: Dict[str, str] = {**public, "kid": self._id, "use": "sig", "alg": ALGORITHM}

    def sign(self, claims: Mapping) -> str:
        header = {"alg": ALGORITHM, "kid": self._id, "typ": "JWT"}
        signed = ".".join(base64url(json.dumps(part).encode()) for part in (header, claims))
        signature = self._private.sign(signed.encode(), padding.PKCS1v15(), hashes.SHA256())
        return f"{signed}.{base64url(signature)}"

    def claims_of(self, token: str) -> Optional[Dict]:
        """The claims of a token that this key signed, expired or not; None for any other text."""
        signed, _, signature = token.rpartition(".")
        try:
            self._private.public_key().verify(_decoded(signature), signed.encode(), padding.PKCS1v15(), hashes.SHA256())
            return json.loads(_decoded(signed.partition(".")[2]))
        except (InvalidSignature, ValueError):
            return None


def _number(value: int) -> str:
    return base64url(value.to_bytes((value.bit_length() + 7) // 8, "big"))


def _decoded(text: str) -> bytes:
    return base64.urlsafe_b64decode(text + "=" * (-len(text) % 4))
