"""An answer, and how successful ones are written in each protocol."""
import json
from dataclasses import dataclass
from typing import Dict, Optional
from xml.sax.saxutils import escape

from .calls import JSON, PROTOCOLS, QUERY, REST_JSON, Call


@dataclass
class Answer:
    status: int
    headers: Dict[str, str]
    body: bytes
    error_code: Optional[str] = None
    error_message: Optional[str] = None


def content_type(service: str) -> str:
    if service == "sqs":
        return "application/x-amz-json-1.0"
    kinds = {JSON: "application/x-amz-json-1.1", REST_JSON: "application/json"}
    return kinds.get(PROTOCOLS.get(service, QUERY), "text/xml")


def json_answer(call: Call, fields: dict) -> Answer:
    return Answer(200, {"Content-Type": content_type(call.service)}, json.dumps(fields).encode())


def xml_answer(call: Call, namespace: str, result: Optional[str]) -> Answer:
    """The answer of a query-protocol service. `result` is escaped XML, None for operations without one."""
    name = call.operation
    wrapped = "" if result is None else f"<{name}Result>{result}</{name}Result>"
    body = (
        f'<{name}Response xmlns="{namespace}">{wrapped}'
        f"<ResponseMetadata><RequestId>{call.request_id}</RequestId></ResponseMetadata></{name}Response>"
    )
    return Answer(200, {"Content-Type": content_type(call.service)}, body.encode())


def element(name: str, text: str) -> str:
    return f"<{name}>{escape(text)}</{name}>"
