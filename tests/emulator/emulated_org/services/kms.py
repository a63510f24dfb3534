"""KMS: keys that sign with Ed25519 are served here, and everything else is moto's."""
import base64
import binascii

from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec

from ..enforcement import Principal
from ..errors import AwsError
from ..moto_bridge import forward
from ..protocol.answers import Answer, json_answer
from ..protocol.calls import Call
from ..state.signing_keys import ED25519, SigningKey
from ..state.world import World

LONGEST_MESSAGE = 4096


class Kms:
    def __init__(self, world: World) -> None:
        self._keys = world.signing_keys

    def handle(self, call: Call, principal: Principal) -> Answer:
        operations = {"GetPublicKey": self._public_key, "Sign": self._sign}
        name = str(call.json_body().get("KeyId", ""))
        key = self._keys.find(name)
        if key is None or call.operation not in operations:
            return forward(call, principal.account)
        if name.split(":")[3] != call.region:
            raise AwsError("NotFoundException", f"Invalid arn {call.region}")
        return operations[call.operation](call, key)

    def _public_key(self, call: Call, key: SigningKey) -> Answer:
        der = key.private.public_key().public_bytes(
            serialization.Encoding.DER, serialization.PublicFormat.SubjectPublicKeyInfo
        )
        fields = {
            "KeyId": key.arn,
            "PublicKey": base64.b64encode(der).decode(),
            "KeySpec": key.spec,
            "CustomerMasterKeySpec": key.spec,
            "KeyUsage": "SIGN_VERIFY",
            "SigningAlgorithms": key.algorithms,
        }
        return json_answer(call, fields)

    def _sign(self, call: Call, key: SigningKey) -> Answer:
        asked = call.json_body()
        algorithm, kind = asked.get("SigningAlgorithm"), asked.get("MessageType", "RAW")
        try:
            message = base64.b64decode(asked["Message"], validate=True)
        except (KeyError, TypeError, binascii.Error):
            raise AwsError("ValidationException", "Message must be Base64") from None
        if not 1 <= len(message) <= LONGEST_MESSAGE:
            raise AwsError("ValidationException", "Message must have length less than or equal to 4096")
        if algorithm not in key.algorithms:
            raise AwsError("InvalidKeyUsageException", f"{key.arn} does not sign with {algorithm}.")
        if kind != "RAW" or algorithm == "ED25519_PH_SHA_512":
            raise AwsError("ValidationException", f"{algorithm} with messages of type {kind} is not emulated")
        if key.spec == ED25519:
            signature = key.private.sign(message)
        else:
            signature = key.private.sign(message, ec.ECDSA(hashes.SHA256()))
        fields = {"KeyId": key.arn, "Signature": base64.b64encode(signature).decode(), "SigningAlgorithm": algorithm}
        return json_answer(call, fields)
