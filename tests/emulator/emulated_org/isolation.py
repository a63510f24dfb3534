"""Keeps real AWS credentials, and real AWS endpoints, out of reach."""
import ipaddress
import os
from urllib.parse import urlsplit


def use_no_real_credentials() -> None:
    """Drops all AWS settings from this process's environment and profile files."""
    for name in list(os.environ):
        if name.startswith(("AWS_", "BOTO_")):
            del os.environ[name]
    os.environ["AWS_CONFIG_FILE"] = os.devnull
    os.environ["AWS_SHARED_CREDENTIALS_FILE"] = os.devnull
    os.environ["AWS_EC2_METADATA_DISABLED"] = "true"


def require_loopback(endpoint: str) -> str:
    """The endpoint itself if it is on this machine; ValueError otherwise."""
    parts = urlsplit(endpoint)
    if parts.scheme != "http" or not _is_loopback(parts.hostname or ""):
        raise ValueError(f"refusing the endpoint {endpoint!r}: only plain HTTP to the loopback interface is allowed")
    return endpoint


def _is_loopback(host: str) -> bool:
    if host == "localhost":
        return True
    try:
        return ipaddress.ip_address(host).is_loopback
    except ValueError:
        return False
