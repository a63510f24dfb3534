"""The AWS wire protocols: reading what a call asks for, rendering errors."""
import json
import re
from dataclasses import dataclass, field
from typing import Dict, Mapping, Optional, Tuple
from urllib.parse import parse_qsl, urlsplit
from xml.sax.saxutils import escape

from ..errors import AccessDenied, AwsError, ExpiredCredentials, InvalidCredentials

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
    """Tells service, operation and parameters of a signed request."""
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


@dataclass
class Answer:
    status: int
    headers: Dict[str, str]
    body: bytes
    error_code: Optional[str] = None
    error_message: Optional[str] = None


CREDENTIAL_ERRORS = {
    # error class: {protocol: (code, status)}
    AccessDenied: {
        EC2: ("UnauthorizedOperation", 403),
        JSON: ("AccessDeniedException", 400),
        REST_JSON: ("AccessDeniedException", 403),
    },
    InvalidCredentials: {
        EC2: ("AuthFailure", 401),
        JSON: ("UnrecognizedClientException", 400),
        REST_JSON: ("UnrecognizedClientException", 403),
        REST_XML: ("InvalidAccessKeyId", 403),
    },
    ExpiredCredentials: {
        EC2: ("RequestExpired", 400),
        JSON: ("ExpiredTokenException", 400),
        REST_JSON: ("ExpiredTokenException", 403),
        REST_XML: ("ExpiredToken", 400),
    },
}


SQS_QUERY_CODES = {
    "InvalidParameterValueException": "InvalidParameterValue",
    "MissingRequiredParameterException": "MissingParameter",
    "QueueDoesNotExist": "AWS.SimpleQueueService.NonExistentQueue",
    **{
        name: f"AWS.SimpleQueueService.{name}"
        for name in (
            "BatchEntryIdsNotDistinct",
            "EmptyBatchRequest",
            "InvalidBatchEntryId",
            "MessageNotInflight",
            "TooManyEntriesInBatchRequest",
        )
    },
}


def render_error(service: str, error: AwsError, request_id: str) -> Answer:
    """Renders an error in the shape the SDKs read for that service's protocol."""
    answer = _rendered(service, error, request_id)
    answer.error_message = error.message
    return answer


def _rendered(service: str, error: AwsError, request_id: str) -> Answer:
    protocol = PROTOCOLS.get(service, QUERY)
    if service == "sns" and isinstance(error, AccessDenied):
        # The one query service with a name of its own for it.
        return _xml_error(protocol, "AuthorizationError", error.message, error.status, request_id)
    if service == "sqs":
        return _sqs_error(error, request_id)
    code, status = CREDENTIAL_ERRORS.get(type(error), {}).get(protocol, (error.code, error.status))
    if protocol in (JSON, REST_JSON):
        return _json_error(protocol, code, error.message, status, request_id)
    return _xml_error(protocol, code, error.message, status, request_id)


def _json_error(protocol: str, code: str, message: str, status: int, request_id: str) -> Answer:
    headers = {"Content-Type": "application/json", "x-amzn-RequestId": request_id}
    fields = {"__type": code, "message": message}
    if protocol == JSON:
        headers["Content-Type"] = "application/x-amz-json-1.1"
        fields["Message"] = message
    else:
        headers["x-amzn-ErrorType"] = code
    return Answer(status, headers, json.dumps(fields).encode(), code)


def _sqs_error(error: AwsError, request_id: str) -> Answer:
    """SQS moved from the query protocol to JSON: SDKs take the code from a header."""
    fault = "Receiver" if error.status >= 500 else "Sender"
    headers = {
        "Content-Type": "application/x-amz-json-1.0",
        "x-amzn-RequestId": request_id,
        "x-amzn-query-error": f"{sqs_query_code(error)};{fault}",
    }
    name = CREDENTIAL_ERRORS.get(type(error), {}).get(JSON, (error.code, 0))[0]
    fields = {"__type": f"com.amazonaws.sqs#{name}", "message": error.message}
    return Answer(error.status, headers, json.dumps(fields).encode(), sqs_query_code(error))


def sqs_query_code(error: AwsError) -> str:
    """The name of an SQS error from the time of the query protocol."""
    return SQS_QUERY_CODES.get(error.code, error.code)


def _xml_error(protocol: str, code: str, message: str, status: int, request_id: str) -> Answer:
    code_and_message = f"<Code>{escape(code)}</Code><Message>{escape(message)}</Message>"
    if protocol == EC2:
        body = (
            f"<Response><Errors><Error>{code_and_message}</Error></Errors>"
            f"<RequestID>{request_id}</RequestID></Response>"
        )
    elif protocol == REST_XML:
        body = f"<Error>{code_and_message}<RequestId>{request_id}</RequestId></Error>"
    else:
        fault = "Receiver" if status >= 500 else "Sender"
        body = (
            f"<ErrorResponse><Error><Type>{fault}</Type>{code_and_message}</Error>"
            f"<RequestId>{request_id}</RequestId></ErrorResponse>"
        )
    document = '<?xml version="1.0" encoding="UTF-8"?>\n' + body
    headers = {"Content-Type": "text/xml", "x-amzn-RequestId": request_id}
    if protocol == REST_XML:
        headers["x-amz-request-id"] = request_id
    return Answer(status, headers, document.encode(), code)


def xml_answer(operation: str, namespace: str, result: str, request_id: str) -> Answer:
    """A successful answer of a query-protocol service; `result` is escaped XML."""
    body = (
        f'<{operation}Response xmlns="{namespace}"><{operation}Result>{result}</{operation}Result>'
        f"<ResponseMetadata><RequestId>{request_id}</RequestId></ResponseMetadata></{operation}Response>"
    )
    return Answer(200, {"Content-Type": "text/xml"}, body.encode())


def json_answer(fields: dict, content_type: str = "application/json") -> Answer:
    return Answer(200, {"Content-Type": content_type}, json.dumps(fields).encode())


def members(params: Mapping[str, str], name: str) -> list:
    """The values of a query-protocol list: ``Name.member.1``, ``Name.member.2`` …"""
    values = []
    while f"{name}.member.{len(values) + 1}" in params:
        values.append(params[f"{name}.member.{len(values) + 1}"])
    return values
