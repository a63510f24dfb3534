"""What IAM's answers are made of."""
from typing import List, Mapping, Optional, Tuple

from ...errors import AwsError
from ...protocol.answers import Answer, element, xml_answer
from ...protocol.calls import Call

NAMESPACE = "https://iam.amazonaws.com/doc/2010-05-08/"
PAGE_LIMIT = 1000
DEFAULT_PAGE = 100


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


def iam_answer(call: Call, result: Optional[str] = None) -> Answer:
    return xml_answer(call, NAMESPACE, result)


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


def named_fields(kind: str, entity) -> str:
    """What IAM answers first of anything that has a path. `kind` is its name in the tags: Role, User …"""
    fields = [
        element("Path", entity.path),
        element(f"{kind}Name", entity.name),
        element(f"{kind}Id", entity.id),
        element("Arn", entity.arn),
        created(entity),
    ]
    return "".join(fields)
