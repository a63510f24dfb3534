"""The responseElements of a record: what a call that changes something was answered, and so what it made."""
import json
from typing import Optional
from xml.etree import ElementTree

from ...protocol.answers import Answer
from ...protocol.calls import EC2, JSON, PROTOCOLS, QUERY, REST_JSON, Call
from .parameters import WRAPPED
from .wording import from_number, from_text, lower_first, spelled

# Answers of reads are not recorded, but for these, which open sessions.
OPENS_SESSION = ("AssumeRole", "GetSessionToken", "GetFederationToken")


def response_elements(call: Call, answer: Answer) -> Optional[dict]:
    opens = call.service == "sts" and call.operation in OPENS_SESSION
    if answer.error_code or not (opens or (call.service != "sts" and not call.is_read)):
        return None
    protocol = PROTOCOLS[call.service]
    if protocol in (JSON, REST_JSON):
        return _of_json(call, answer)
    return _of_xml(call, answer) if protocol in (QUERY, EC2) else None


def _of_json(call: Call, answer: Answer) -> Optional[dict]:
    try:
        fields = json.loads(answer.body or b"{}")
    except ValueError:
        return None
    return spelled(call.service, fields, from_number) or None if isinstance(fields, dict) else None


def _of_xml(call: Call, answer: Answer) -> Optional[dict]:
    try:
        root = ElementTree.fromstring(answer.body.decode())
    except ElementTree.ParseError:
        return None
    if PROTOCOLS[call.service] == EC2:
        fields = _node(root)
    else:
        results = [child for child in root if _name(child) == f"{call.operation}Result"]
        fields = _node(results[0]) if results else None
    if not isinstance(fields, dict):
        return None
    elements = spelled(call.service, fields, from_text) or None
    return {f"{call.operation}Response": elements} if call.operation in WRAPPED else elements


def _node(element) -> object:
    """Lists of EC2 keep their ``items``, those of the query protocol are lists."""
    children = list(element)
    if not children:
        return (element.text or "").strip() or ({} if element.tag.endswith("Set") else "")
    names = {_name(child) for child in children}
    if names == {"member"}:
        return [_node(child) for child in children]
    if names == {"item"}:
        return {"items": [_node(child) for child in children]}
    return {lower_first(_name(child)): _node(child) for child in children}


def _name(element) -> str:
    return element.tag.rpartition("}")[2]
