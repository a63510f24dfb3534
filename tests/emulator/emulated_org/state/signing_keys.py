"""KMS keys that sign with Ed25519, which moto does not know. Their private parts never leave here."""
import uuid
from dataclasses import dataclass
from typing import Dict, Optional

from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey

ED25519 = "ECC_NIST_EDWARDS25519"
# Key specs, the keys of each, and the algorithms that they sign with.
SPECS = {
    ED25519: (Ed25519PrivateKey.generate, ["ED25519_SHA_512", "ED25519_PH_SHA_512"]),
    "ECC_NIST_P256": (lambda: ec.generate_private_key(ec.SECP256R1()), ["ECDSA_SHA_256"]),
}


@dataclass
class SigningKey:
    arn: str
    spec: str
    # What cryptography makes of the spec.
    private: object
    algorithms: list


class SigningKeys:
    """All keys that were made here, by ARN. Whoever uses it holds the world's lock."""

    def __init__(self) -> None:
        self._keys: Dict[str, SigningKey] = {}
        self._aliases: Dict[str, str] = {}

    def reset(self) -> None:
        self._keys.clear()
        self._aliases.clear()

    def create(self, partition: str, account: str, region: str, spec: str, alias: Optional[str]) -> SigningKey:
        if spec not in SPECS:
            raise ValueError(f"there is no key spec {spec}")
        generate, algorithms = SPECS[spec]
        prefix = f"arn:{partition}:kms:{region}:{account}"
        key = SigningKey(f"{prefix}:key/{uuid.uuid4()}", spec, generate(), algorithms)
        self._keys[key.arn] = key
        if alias:
            self._aliases[f"{prefix}:alias/{alias}"] = key.arn
        return key

    def find(self, name: str) -> Optional[SigningKey]:
        """By the key's ARN, or by that of an alias."""
        return self._keys.get(self._aliases.get(name, name))
