"""What IAM's answers are made of."""
from typing import List, Mapping, Tuple
from xml.sax.saxutils import escape

from ...errors import AwsError
from ...protocol.calls import Answer, Call

NAMESPACE = "https://iam.amazonaws.com/doc/2010-05-08/"
PAGE_LIMIT = 1000
DEFAULT_PAGE = 100


def element(name: str, text: str) -> str:
    return f"<{name}>{escape(text)}</{name}>"


def created(entity) -> str:
    return element("CreateDate", entity.create_date.strftime("%Y-%m-%dT%H:%M:%S.%fZ"))


def tag_list(tags: list) -> str:
    if not tags:
        return ""
    listed = [element("Key", tag["Key"]) + element("Value", tag["Value"]) for tag in tags]
    return "<Tags>" + "".join(f"<member>{tag}</member>" for tag in listed) + "</Tags>"


def boundary(entity) -> str:
    boundary_arn = getattr(entity, "permissions_boundary_arn", None)
    if not boundary_arn:
        return ""
    kind = element("PermissionsBoundaryType", "PermissionsBoundaryPolicy")
    return f"<PermissionsBoundary>{kind}{element('PermissionsBoundaryArn', boundary_arn)}</PermissionsBoundary>"


def empty_answer(call: Call) -> Answer:
    body = (
        f'<{call.operation}Response xmlns="{NAMESPACE}"><ResponseMetadata>'
        f"<RequestId>{call.request_id}</RequestId></ResponseMetadata></{call.operation}Response>"
    )
    return Answer(200, {"Content-Type": "text/xml"}, body.encode())


def page(params: Mapping[str, str], items: List) -> Tuple[List, str]:
    """The items on the page that MaxItems and Marker ask for, and the XML that goes after them."""
    size, marker = params.get("MaxItems", str(DEFAULT_PAGE)), params.get("Marker", "0")
    if not size.isdigit() or not 1 <= int(size) <= PAGE_LIMIT:
        raise AwsError("ValidationError", f"Value '{size}' at 'maxItems' is not between 1 and {PAGE_LIMIT}", 400)
    if not marker.isdigit():
        raise AwsError("ValidationError", "Invalid Marker.", 400)
    start, end = int(marker), int(marker) + int(size)
    if end < len(items):
        return items[start:end], f"<IsTruncated>true</IsTruncated><Marker>{end}</Marker>"
    return items[start:end], "<IsTruncated>false</IsTruncated>"
