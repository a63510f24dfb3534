"""How an error is written in each protocol, in the shape the SDKs read."""
import json
from xml.sax.saxutils import escape

from ..errors import AccessDenied, AwsError, ExpiredCredentials, InvalidCredentials
from .answers import Answer, content_type
from .calls import EC2, JSON, PROTOCOLS, QUERY, REST_JSON, REST_XML

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
        return _json_error(service, code, error, status, request_id)
    return _xml_error(protocol, code, error.message, status, request_id)


def _json_error(service: str, code: str, error: AwsError, status: int, request_id: str) -> Answer:
    headers = {"Content-Type": content_type(service), "x-amzn-RequestId": request_id}
    fields = {"__type": code, "message": error.message, **error.fields}
    if PROTOCOLS[service] == JSON:
        fields["Message"] = error.message
    else:
        headers["x-amzn-ErrorType"] = code
    return Answer(status, headers, json.dumps(fields).encode(), code)


def _sqs_error(error: AwsError, request_id: str) -> Answer:
    """SQS moved from the query protocol to JSON: SDKs take the code from a header."""
    headers = {
        "Content-Type": content_type("sqs"),
        "x-amzn-RequestId": request_id,
        "x-amzn-query-error": f"{sqs_query_code(error)};{_at_fault(error.status)}",
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
        body = (
            f"<ErrorResponse><Error><Type>{_at_fault(status)}</Type>{code_and_message}</Error>"
            f"<RequestId>{request_id}</RequestId></ErrorResponse>"
        )
    document = '<?xml version="1.0" encoding="UTF-8"?>\n' + body
    headers = {"Content-Type": "text/xml", "x-amzn-RequestId": request_id}
    if protocol == REST_XML:
        headers["x-amz-request-id"] = request_id
    return Answer(status, headers, document.encode(), code)


def _at_fault(status: int) -> str:
    return "Receiver" if status >= 500 else "Sender"
