"""Requests whose signature stands in the query (AWS Signature Version 4), and whether it is right.

STS takes one for 15 minutes from its date, whatever X-Amz-Expires says.
"""
import hashlib
import hmac
import re
from dataclasses import dataclass
from datetime import datetime, timedelta, timezone
from typing import Dict, List, Mapping, Tuple
from urllib.parse import parse_qsl, quote, urlsplit

from ..errors import AwsError

ALGORITHM = "AWS4-HMAC-SHA256"
SCOPE = re.compile(r"([^/]+)/(\d{8})/([^/]+)/([^/]+)/aws4_request")
DATE = "%Y%m%dT%H%M%SZ"
TAKEN = timedelta(minutes=15)
MARK = "x-amz-"


@dataclass(frozen=True)
class Presigned:
    access_key_id: str
    day: str
    region: str
    service: str
    date: str
    session_token: str
    signed_headers: str
    signature: str
    canonical: str

    def verify(self, secret: str, now: datetime) -> None:
        """Raises unless whoever has `secret` signed this request, and not long ago."""
        signed = datetime.strptime(self.date, DATE).replace(tzinfo=timezone.utc)
        if now > signed + TAKEN:
            limit = (now - TAKEN).strftime(DATE)
            text = f"Signature expired: {self.date} is now earlier than {limit} ({now.strftime(DATE)} - 15 min.)"
            raise AwsError("SignatureDoesNotMatch", text, 403)
        if signed > now + TAKEN:
            limit = (now + TAKEN).strftime(DATE)
            text = f"Signature not yet current: {self.date} is still later than {limit} ({now.strftime(DATE)} + 15 min.)"
            raise AwsError("SignatureDoesNotMatch", text, 403)
        scope = f"{self.day}/{self.region}/{self.service}/aws4_request"
        text = "\n".join([ALGORITHM, self.date, scope, hashlib.sha256(self.canonical.encode()).hexdigest()])
        key = b"AWS4" + secret.encode()
        for part in (self.day, self.region, self.service, "aws4_request", text):
            key = hmac.new(key, part.encode(), hashlib.sha256).digest()
        if not hmac.compare_digest(key.hex(), self.signature):
            text = "The request signature we calculated does not match the signature you provided."
            raise AwsError("SignatureDoesNotMatch", text, 403)


def read_presigned(method: str, url: str, headers: Mapping[str, str], body: bytes) -> Presigned:
    """What a presigned request says of its signature. Raises if it is none, or not all of one."""
    parts = urlsplit(url)
    pairs = parse_qsl(parts.query, keep_blank_values=True)
    query: Dict[str, str] = dict(pairs)
    scope = SCOPE.fullmatch(query.get("X-Amz-Credential", ""))
    if query.get("X-Amz-Algorithm") != ALGORITHM or not scope:
        raise AwsError("MissingAuthenticationToken", "Request is missing Authentication Token", 403)
    key_id, day, region, service = scope.groups()
    date, signed = query.get("X-Amz-Date", ""), query.get("X-Amz-SignedHeaders", "")
    if not re.fullmatch(r"\d{8}T\d{6}Z", date) or "host" not in signed.split(";"):
        raise AwsError("IncompleteSignature", "The request signature does not conform to AWS standards", 403)
    return Presigned(
        key_id,
        day,
        region,
        service,
        date,
        query.get("X-Amz-Security-Token", ""),
        signed,
        query.get("X-Amz-Signature", ""),
        _canonical(method, parts.path, pairs, signed, headers, body),
    )


def without_signature(params: Mapping[str, str]) -> Dict[str, str]:
    return {name: value for name, value in params.items() if not name.lower().startswith(MARK)}


def _canonical(
    method: str, path: str, pairs: List[Tuple[str, str]], signed: str, headers: Mapping[str, str], body: bytes
) -> str:
    encoded = sorted(
        (quote(name, safe="-_.~"), quote(value, safe="-_.~")) for name, value in pairs if name != "X-Amz-Signature"
    )
    query = "&".join(f"{name}={value}" for name, value in encoded)
    lines = [f"{name}:{' '.join((headers.get(name) or '').split())}" for name in signed.split(";")]
    return "\n".join([method, path or "/", query, *lines, "", signed, hashlib.sha256(body).hexdigest()])
