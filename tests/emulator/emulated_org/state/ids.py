"""Ids as AWS makes them."""
import secrets

BASE_32 = "ABCDEFGHIJKLMNOPQRSTUVWXYZ234567"


def new_id(prefix: str, length: int) -> str:
    """IAM's: a prefix for the kind, then base 32."""
    return prefix + "".join(BASE_32[byte % 32] for byte in secrets.token_bytes(length - len(prefix)))


def new_instance_id() -> str:
    return "i-0" + secrets.token_hex(8)
