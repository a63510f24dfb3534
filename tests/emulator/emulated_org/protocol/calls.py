"""A call: which service, operation and parameters a signed request is about."""
import json
import re
from dataclasses import dataclass, field
from typing import Callable, Dict, List, Mapping, Optional, Tuple
from urllib.parse import parse_qsl, urlsplit

from ..errors import AwsError
from .paths import rest_operation
from .presigned import Presigned, read_presigned, without_signature

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
    "kms": JSON,
    "secretsmanager": JSON,
    "sqs": JSON,
    "ssm": JSON,
    "guardduty": REST_JSON,
    "lambda": REST_JSON,
    "account": REST_JSON,
    "securityhub": REST_JSON,
    "s3": REST_XML,
}

Params = Dict[str, str]
READS = ("Get", "BatchGet", "List", "Describe", "Lookup", "Simulate", "Head", "Scan", "Query", "Receive", "AssumeRole")
# KMS calls that use a key are reads for CloudTrail.
KEY_USES = ("Encrypt", "Decrypt", "ReEncrypt", "GenerateDataKey", "GenerateRandom", "Sign", "Verify")
CREDENTIAL = re.compile(r"Credential=([^/,\s]+)/\d+/([^/]+)/([^/]+)/aws4_request")

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
    # Those of the parameters that stand in the path.
    path_fields: Dict[str, str] = field(default_factory=dict)
    request_id: str = ""
    # Of a request whose signature stands in the query.
    presigned: Optional[Presigned] = None
    # How many entries of a batch a fault makes fail.
    failing_entries: int = 0
    # Whoever waits before its answer asks this now and then.
    client_is_gone: Callable[[], bool] = lambda: False

    @property
    def is_read(self) -> bool:
        return self.operation.startswith(READS + KEY_USES if self.service == "kms" else READS)

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
    presigned = None if signed else read_presigned(method, url, headers, body)
    if presigned:
        access_key_id, region, service = presigned.access_key_id, presigned.region, presigned.service
    else:
        access_key_id, region, service = signed.groups()
    if service not in PROTOCOLS:
        raise AwsError("EmulatorNotImplemented", f"the emulator has no service {service}", 501)
    operation, params, named = _operation_of(service, method, url, headers, body)
    if not operation:
        path = urlsplit(url).path
        raise AwsError("EmulatorNotImplemented", f"the emulator has no {service} operation {method} {path}", 501)
    token = headers.get("X-Amz-Security-Token") or ""
    if presigned:
        token, params = presigned.session_token, without_signature(params)
    call = Call(method, url, headers, body, service, region, access_key_id, token, operation, params, named)
    call.presigned = presigned
    return call


def _operation_of(service: str, method: str, url: str, headers, body: bytes) -> Tuple[str, Params, Params]:
    """The operation, all its parameters, and those of them that stand in the path."""
    protocol = PROTOCOLS[service]
    if protocol in (QUERY, EC2):
        text = body.decode("utf-8", "replace") or urlsplit(url).query
        params = dict(parse_qsl(text, keep_blank_values=True))
        params.pop("Version", None)
        return params.pop("Action", ""), params, {}
    if protocol == JSON:
        target = headers.get("X-Amz-Target") or ""
        return target.rpartition(".")[2], _flat_json(body), {}
    operation, named = rest_operation(service, method, urlsplit(url))
    return operation, {**(_flat_json(body) if protocol == REST_JSON else {}), **named}, named


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
