"""KMS: keys that sign with Ed25519, who may use them, and keys of another kind."""
from cryptography.hazmat.primitives.serialization import load_der_public_key

from .support import EmulatorTestCase

REGION = "eu-central-1"
HUB = "111111111111"


class SigningKeys(EmulatorTestCase):
    def setUp(self) -> None:
        super().setUp()
        self.kms = self.client(self.org["accounts"]["security"], "kms", REGION)

    def key(self, **request) -> str:
        return self.emulator.signing_key(account=HUB, region=REGION, **request)

    def test_what_it_signs_can_be_checked_with_its_public_key(self):
        arn = self.key(alias="ledger")
        for name in (arn, f"arn:aws:kms:{REGION}:{HUB}:alias/ledger"):
            public = self.kms.get_public_key(KeyId=name)
            self.assertEqual((public["KeyId"], public["KeySpec"]), (arn, "ECC_NIST_EDWARDS25519"))
            self.assertEqual((public["KeyUsage"], len(public["PublicKey"])), ("SIGN_VERIFY", 44))
            signed = self.kms.sign(
                KeyId=name, Message=b"a note", MessageType="RAW", SigningAlgorithm="ED25519_SHA_512"
            )
            load_der_public_key(public["PublicKey"]).verify(signed["Signature"], b"a note")

    def test_a_key_of_another_kind_does_not_sign_with_ed25519(self):
        arn = self.key(spec="ECC_NIST_P256")
        self.assertEqual(self.kms.get_public_key(KeyId=arn)["KeySpec"], "ECC_NIST_P256")
        request = {"KeyId": arn, "Message": b"a note", "MessageType": "RAW", "SigningAlgorithm": "ED25519_SHA_512"}
        self.assertAwsError("InvalidKeyUsageException", self.kms.sign, **request)

    def test_a_key_is_in_its_region_and_others_are_motos(self):
        arn = self.key()
        elsewhere = self.client(self.org["accounts"]["security"], "kms", "us-east-1")
        self.assertAwsError("NotFoundException", elsewhere.get_public_key, KeyId=arn)
        made = self.kms.create_key(KeyUsage="SIGN_VERIFY", KeySpec="RSA_2048")["KeyMetadata"]["KeyId"]
        self.assertEqual(self.kms.get_public_key(KeyId=made)["KeyUsage"], "SIGN_VERIFY")
