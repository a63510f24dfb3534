"""A witness keeps to C2SP tlog-witness, and to the example of tlog-cosignature."""
import base64
import hashlib
import http.client
import unittest
from urllib.parse import urlsplit

from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey, Ed25519PublicKey

from emulated_org.protocol.notes import DASH, key_id, raw
from emulated_org.services.witnesses import is_consistent
from emulated_org.state.witnesses import Seen

from .support import EmulatorTestCase

ORIGIN = "rescind/test"


def leaf(number: int) -> bytes:
    return hashlib.sha256(b"\0" + bytes([number])).digest()


def root(leaves) -> bytes:
    if len(leaves) == 1:
        return leaves[0]
    left = 1 << (len(leaves) - 1).bit_length() - 1
    return hashlib.sha256(b"\1" + root(leaves[:left]) + root(leaves[left:])).digest()


def proof(old: int, leaves, whole: bool = True):
    if old == len(leaves):
        return [] if whole else [root(leaves)]
    left = 1 << (len(leaves) - 1).bit_length() - 1
    if old <= left:
        return proof(old, leaves[:left], whole) + [root(leaves[left:])]
    return proof(old - left, leaves[left:], False) + [root(leaves[:left])]


class Witnesses(EmulatorTestCase):
    def setUp(self) -> None:
        super().setUp()
        self.log = Ed25519PrivateKey.generate()
        public = raw(self.log)
        encoded = base64.b64encode(b"\1" + public).decode()
        vkey = f"{ORIGIN}+{key_id(ORIGIN, 1, public).hex()}+{encoded}"
        made = self.emulator.post("witnesses", {"name": "w1", "logs": [vkey]})
        self.path, self.vkey = made["path"], made["key"]
        url = urlsplit(self.emulator.endpoint)
        self.connection = http.client.HTTPConnection(url.hostname, url.port, timeout=5)
        self.addCleanup(self.connection.close)

    def note(self, leaves, origin: str = ORIGIN, key=None) -> str:
        text = f"{origin}\n{len(leaves)}\n{base64.b64encode(root(leaves)).decode()}\n"
        key = key or self.log
        signature = key_id(origin, 1, raw(key)) + key.sign(text.encode())
        return f"{text}\n{DASH} {origin} {base64.b64encode(signature).decode()}\n"

    def add(self, old: int, hashes, note: str):
        lines = "".join(base64.b64encode(one).decode() + "\n" for one in hashes)
        self.connection.request("POST", f"{self.path}/add-checkpoint", f"old {old}\n{lines}\n{note}".encode())
        answer = self.connection.getresponse()
        return answer.status, answer.getheader("Content-Type"), answer.read().decode()

    def test_it_cosigns_what_goes_on_from_what_it_saw(self):
        leaves = [leaf(number) for number in range(7)]
        status, _, line = self.add(0, [], self.note(leaves[:3]))
        self.assertEqual(status, 200)
        name, _, key = self.vkey.split("+", 2)
        dash, signer, signature = line.strip().split(" ")
        self.assertEqual((dash, signer), (DASH, name))
        signature = base64.b64decode(signature)
        at = int.from_bytes(signature[4:12], "big")
        text = self.note(leaves[:3]).rpartition("\n\n")[0] + "\n"
        public = Ed25519PublicKey.from_public_bytes(base64.b64decode(key)[1:])
        public.verify(signature[12:], f"cosignature/v1\ntime {at}\n{text}".encode())
        self.assertEqual(self.add(3, proof(3, leaves), self.note(leaves))[0], 200)
        self.assertEqual(self.emulator.get("witnesses?name=w1")["seen"], {ORIGIN: 7})

    def test_it_refuses_as_the_specification_says(self):
        leaves = [leaf(number) for number in range(7)]
        self.assertEqual(self.add(0, [], self.note(leaves[:5]))[0], 200)
        self.assertEqual(self.add(0, [], self.note(leaves)), (409, "text/x.tlog.size", "5\n"))
        self.assertEqual(self.add(3, proof(3, leaves), self.note(leaves))[2], "5\n")
        self.assertEqual(self.add(8, [], self.note(leaves))[0], 400)
        self.assertEqual(self.add(5, proof(5, leaves)[:-1], self.note(leaves))[0], 422)
        others = [leaf(number + 1) for number in range(7)]
        self.assertEqual(self.add(5, proof(5, others), self.note(others))[0], 422)
        self.assertEqual(self.add(5, [], self.note(others[:5]))[0], 409)
        self.assertEqual(self.add(0, [], self.note(leaves, "another/log"))[0], 404)
        stranger = Ed25519PrivateKey.generate()
        self.assertEqual(self.add(5, proof(5, leaves), self.note(leaves, key=stranger))[0], 403)
        self.emulator.post("witnesses", {"name": "w1", "forgets": True, "faults": [503, "forge"]})
        self.assertEqual(self.add(0, [], self.note(leaves))[0], 503)
        self.assertEqual([one["status"] for one in self.emulator.get("witnesses?name=w1")["requests"]][-1], 503)

    def test_each_proof_of_consistency_is_checked(self):
        leaves = [leaf(number) for number in range(20)]
        for size in range(1, 21):
            for old in range(1, size + 1):
                seen, hashes = Seen(old, root(leaves[:old])), proof(old, leaves[:size])
                self.assertTrue(is_consistent(seen, size, root(leaves[:size]), hashes), (old, size))
                self.assertFalse(is_consistent(seen, size, root(leaves[:size]), hashes + [leaf(0)]), (old, size))
                self.assertFalse(is_consistent(Seen(old, leaf(99)), size, root(leaves[:size]), hashes), (old, size))


if __name__ == "__main__":
    unittest.main()
