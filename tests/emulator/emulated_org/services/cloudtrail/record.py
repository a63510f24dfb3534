"""What CloudTrail records of a call: no documents, no secrets."""
import re
import uuid
from datetime import datetime
from typing import Dict, Optional
from xml.sax.saxutils import unescape

from ...enforcement import Principal
from ...protocol.answers import Answer
from ...protocol.calls import Call
from ...state.world import World
from ...times import whole_seconds

# Services without regions record in the partition's main region, wherever they are called.
GLOBAL_SERVICES = ("iam", "organizations", "account")
# LookupEvents knows no data events: what is done to messages, objects and items.
DATA_OPERATIONS = {
    "sqs": None,
    "sns": {"Publish"},
    "events": {"PutEvents"},
    "s3": {"GetObject", "PutObject", "DeleteObject", "ListBucket"},
    "dynamodb": {"GetItem", "PutItem", "UpdateItem", "DeleteItem", "Query", "Scan", "BatchGetItem", "BatchWriteItem"},
}
IDENTITY_TYPES = {"role": "AssumedRole", "user": "IAMUser", "federated-user": "FederatedUser", "root": "Root"}
ISSUER_TYPES = {"role": "Role", "federated-user": "IAMUser"}
# Parameters that may be recorded: no documents, no secrets.
PARAMETERS = {
    name: name[0].lower() + name[1:]
    for name in (
        "AccessKeyId",
        "DetectorId",
        "DurationSeconds",
        "GroupName",
        "InstanceProfileName",
        "Path",
        "PermissionsBoundary",
        "PolicyArn",
        "PolicyName",
        "PolicySourceArn",
        "RoleArn",
        "RoleName",
        "RoleSessionName",
        "SourceIdentity",
        "Status",
        "TableName",
        "UserName",
    )
}
PARAMETERS["Bucket"] = "bucketName"
# What is recorded of an answer: what the call made, by name, and no secrets.
MADE = {
    "AssumeRole": {"credentials": ("AccessKeyId",), "assumedRoleUser": ("AssumedRoleId", "Arn")},
    "GetSessionToken": {"credentials": ("AccessKeyId",)},
    "CreateRole": {"role": ("RoleName", "RoleId", "Arn")},
    "CreateUser": {"user": ("UserName", "UserId", "Arn")},
    "CreateAccessKey": {"accessKey": ("UserName", "AccessKeyId", "Status")},
}


def record(world: World, call: Call, principal: Principal, answer: Answer) -> None:
    """Leaves the event of a call in the trail, unless it is a data event."""
    if _is_data_event(call):
        return
    region = world.directory.main_region if call.service in GLOBAL_SERVICES else call.region
    now = world.clock.now()
    named = {"role": lambda: principal.session.session_name, "federated-user": lambda: principal.session.federated_user}
    username = named.get(principal.kind, lambda: principal.entity.name)()
    detail = _detail(call, principal, answer, region, now)
    world.trail.record(principal.account, region, now, username, detail)


def _is_data_event(call: Call) -> bool:
    if call.service not in DATA_OPERATIONS:
        return False
    operations = DATA_OPERATIONS[call.service]
    return operations is None or call.operation in operations


def _detail(call: Call, principal: Principal, answer: Answer, region: str, now: datetime) -> dict:
    parameters = {recorded: call.params[name] for name, recorded in PARAMETERS.items() if name in call.params}
    detail = {
        "eventVersion": "1.09",
        "userIdentity": _identity(call, principal),
        "eventTime": whole_seconds(now),
        "eventSource": f"{call.service}.amazonaws.com",
        "eventName": call.operation,
        "awsRegion": region,
        "sourceIPAddress": "127.0.0.1",
        "userAgent": call.headers.get("User-Agent") or "",
        "requestParameters": parameters or None,
        "responseElements": _made(call, answer),
        "requestID": call.request_id,
        "eventID": str(uuid.uuid4()),
        "readOnly": call.is_read,
        "eventType": "AwsApiCall",
        "managementEvent": True,
        "recipientAccountId": principal.account,
        "eventCategory": "Management",
    }
    if answer.error_code:
        detail["errorCode"] = answer.error_code
        detail["errorMessage"] = answer.error_message or ""
    return detail


def _made(call: Call, answer: Answer) -> Optional[dict]:
    if call.service not in ("sts", "iam") or answer.error_code or call.operation not in MADE:
        return None
    text = answer.body.decode()
    return {
        name: {field[0].lower() + field[1:]: _element(text, field) for field in fields}
        for name, fields in MADE[call.operation].items()
    }


def _element(text: str, name: str) -> Optional[str]:
    found = re.search(rf"<{name}>([^<]*)</{name}>", text)
    return unescape(found.group(1)) if found else None


def _identity(call: Call, principal: Principal) -> dict:
    entity, session = principal.entity, principal.session
    identity = {
        "type": IDENTITY_TYPES[principal.kind],
        "principalId": principal.user_id,
        "arn": principal.arn,
        "accountId": principal.account,
        "accessKeyId": call.access_key_id,
    }
    if principal.kind == "user":
        identity["userName"] = entity.name
    if session is None:
        return identity
    context: Dict[str, object] = {
        "attributes": {"creationDate": whole_seconds(session.issued_at), "mfaAuthenticated": "false"}
    }
    if principal.kind in ISSUER_TYPES:
        context["sessionIssuer"] = {
            "type": ISSUER_TYPES[principal.kind],
            "principalId": entity.id,
            "arn": entity.arn,
            "accountId": principal.account,
            "userName": entity.name,
        }
    if session.source_identity:
        context["sourceIdentity"] = session.source_identity
    return {**identity, "sessionContext": context}
