"""A call: which service, operation and parameters a signed request is about."""
import json
import re
from dataclasses import dataclass, field
from typing import Callable, Dict, List, Mapping, Tuple
from urllib.parse import parse_qsl, urlsplit

from ..errors import AwsError

QUERY, EC2, JSON, REST_JSON, REST_XML = "query", "ec2", "json", "rest-json", "rest-xml"
PROTOCOLS = {
    "iam": QUERY,
    "sts": QUERY,
    "sns": QUERY,
    "ec2": EC2,
    "organizations": JSON,
    "cloudtrail": JSON,
    "events": JSON,
    "dynamodb": JSON,
    "sqs": JSON,
    "guardduty": REST_JSON,
    "account": REST_JSON,
    "securityhub": REST_JSON,
    "s3": REST_XML,
}

READS = ("Get", "List", "Describe", "Lookup", "Simulate", "Head", "Scan", "Query", "Receive", "AssumeRole")
CREDENTIAL = re.compile(r"Credential=([^/,\s]+)/\d+/([^/]+)/([^/]+)/aws4_request")

REST_OPERATIONS = {
    "guardduty": [
        ("GET", r"/detector", "ListDetectors"),
        ("POST", r"/detector", "CreateDetector"),
        ("GET", r"/detector/(?P<DetectorId>[^/]+)", "GetDetector"),
        ("POST", r"/detector/(?P<DetectorId>[^/]+)/findings", "ListFindings"),
        ("POST", r"/detector/(?P<DetectorId>[^/]+)/findings/get", "GetFindings"),
        ("POST", r"/detector/(?P<DetectorId>[^/]+)/findings/archive", "ArchiveFindings"),
        ("POST", r"/detector/(?P<DetectorId>[^/]+)/findings/unarchive", "UnarchiveFindings"),
        ("POST", r"/detector/(?P<DetectorId>[^/]+)/findings/create", "CreateSampleFindings"),
        ("GET", r"/detector/(?P<DetectorId>[^/]+)/member", "ListMembers"),
        ("GET", r"/admin", "ListOrganizationAdminAccounts"),
    ],
    "account": [
        ("POST", r"/listRegions", "ListRegions"),
    ],
    "securityhub": [
        ("POST", r"/findings/import", "BatchImportFindings"),
    ],
    "s3": [
        ("GET", r"/", "ListBuckets"),
        ("PUT", r"/(?P<Bucket>[^/]+)/?", "CreateBucket"),
        ("DELETE", r"/(?P<Bucket>[^/]+)/?", "DeleteBucket"),
        ("GET", r"/(?P<Bucket>[^/]+)/?", "ListBucket"),
        ("GET", r"/(?P<Bucket>[^/]+)/(?P<Key>.+)", "GetObject"),
        ("PUT", r"/(?P<Bucket>[^/]+)/(?P<Key>.+)", "PutObject"),
        ("DELETE", r"/(?P<Bucket>[^/]+)/(?P<Key>.+)", "DeleteObject"),
    ],
}


@dataclass
class Call:
    """One request to an emulated service, before anything was decided."""

    method: str
    url: str
    headers: Mapping[str, str]
    body: bytes
    service: str
    region: str
    access_key_id: str
    session_token: str
    operation: str
    params: Dict[str, str] = field(default_factory=dict)
    request_id: str = ""
    # How many entries of a batch a fault makes fail.
    failing_entries: int = 0
    # Whoever waits before its answer asks this now and then.
    client_is_gone: Callable[[], bool] = lambda: False

    @property
    def is_read(self) -> bool:
        return self.operation.startswith(READS)

    @property
    def action(self) -> str:
        """The IAM action the call needs. They are mostly, not always, the operation's name."""
        renamed = {
            "s3:ListBuckets": "s3:ListAllMyBuckets",
            "sqs:DeleteMessageBatch": "sqs:DeleteMessage",
            "sqs:ChangeMessageVisibilityBatch": "sqs:ChangeMessageVisibility",
        }
        name = f"{self.service}:{self.operation}"
        return renamed.get(name, name)

    def query(self) -> Dict[str, str]:
        """What stands behind the question mark of the URL."""
        return dict(parse_qsl(urlsplit(self.url).query))

    def json_body(self) -> dict:
        try:
            body = json.loads(self.body or b"{}")
        except ValueError:
            raise AwsError("SerializationException", "the body is not JSON") from None
        if not isinstance(body, dict):
            raise AwsError("SerializationException", "the body is not a JSON object")
        return body


def read_call(method: str, url: str, headers: Mapping[str, str], body: bytes) -> Call:
    """Gives service, operation and parameters of a signed request."""
    signed = CREDENTIAL.search(headers.get("Authorization") or "")
    if not signed:
        raise AwsError("MissingAuthenticationToken", "Request is missing Authentication Token", 403)
    access_key_id, region, service = signed.groups()
    if service not in PROTOCOLS:
        raise AwsError("EmulatorNotImplemented", f"the emulator has no service {service}", 501)
    operation, params = _operation_of(service, method, url, headers, body)
    if not operation:
        path = urlsplit(url).path
        raise AwsError("EmulatorNotImplemented", f"the emulator has no {service} operation {method} {path}", 501)
    token = headers.get("X-Amz-Security-Token") or ""
    return Call(method, url, headers, body, service, region, access_key_id, token, operation, params)


def _operation_of(service: str, method: str, url: str, headers, body: bytes) -> Tuple[str, Dict[str, str]]:
    protocol = PROTOCOLS[service]
    if protocol in (QUERY, EC2):
        text = body.decode("utf-8", "replace") or urlsplit(url).query
        params = dict(parse_qsl(text, keep_blank_values=True))
        params.pop("Version", None)
        return params.pop("Action", ""), params
    if protocol == JSON:
        target = headers.get("X-Amz-Target") or ""
        return target.rpartition(".")[2], _flat_json(body)
    path = urlsplit(url).path
    for verb, pattern, operation in REST_OPERATIONS[service]:
        match = re.fullmatch(pattern, path)
        if match and verb == method:
            fields = _flat_json(body) if protocol == REST_JSON else {}
            return operation, {**fields, **match.groupdict()}
    return "", {}


def _flat_json(body: bytes) -> Dict[str, str]:
    try:
        fields = json.loads(body or b"{}")
    except ValueError:
        return {}
    if not isinstance(fields, dict):
        return {}
    return {key: value if isinstance(value, str) else json.dumps(value) for key, value in fields.items()}


def numbered(params: Mapping[str, str], name: str) -> List[str]:
    """The values of a list that is numbered from one: ``Name.1``, ``Name.2`` …"""
    values: List[str] = []
    while f"{name}.{len(values) + 1}" in params:
        values.append(params[f"{name}.{len(values) + 1}"])
    return values


def members(params: Mapping[str, str], name: str) -> List[str]:
    """The values of a query-protocol list: ``Name.member.1``, ``Name.member.2`` …"""
    return numbered(params, f"{name}.member")
