"""Signed notes and cosignatures (C2SP signed-note, tlog-cosignature)."""
import base64
import hashlib

from cryptography.exceptions import InvalidSignature
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey, Ed25519PublicKey
from cryptography.hazmat.primitives.serialization import Encoding, PublicFormat

COSIGNATURE = 4
DASH = "\u2014"


def is_signed(text: str, signatures: str, vkey: str) -> bool:
    name, key_id, key = vkey.split("+", 2)
    key = base64.b64decode(key, validate=True)
    for line in signatures.splitlines():
        dash, signer, signature = line.split(" ")
        signature = base64.b64decode(signature, validate=True)
        if dash != DASH or signer != name or signature[:4].hex() != key_id:
            continue
        try:
            Ed25519PublicKey.from_public_bytes(key[1:]).verify(signature[4:], text.encode())
            return True
        except InvalidSignature:
            return False
    return False


def raw(key: Ed25519PrivateKey) -> bytes:
    return key.public_key().public_bytes(Encoding.Raw, PublicFormat.Raw)


def key_id(name: str, kind: int, key: bytes) -> bytes:
    return hashlib.sha256(name.encode() + b"\n" + bytes([kind]) + key).digest()[:4]


def key_name(name: str) -> str:
    return f"witness.example/{name}"


def vkey(name: str, key: Ed25519PrivateKey) -> str:
    name, public = key_name(name), raw(key)
    encoded = base64.b64encode(bytes([COSIGNATURE]) + public).decode()
    return f"{name}+{key_id(name, COSIGNATURE, public).hex()}+{encoded}"


def cosign(name: str, key: Ed25519PrivateKey, at: int, text: str) -> str:
    name = key_name(name)
    signature = key.sign(f"cosignature/v1\ntime {at}\n{text}".encode())
    return _line(name, key_id(name, COSIGNATURE, raw(key)) + at.to_bytes(8, "big") + signature)


def _line(name: str, signature: bytes) -> str:
    return f"{DASH} {name} {base64.b64encode(signature).decode()}\n"
