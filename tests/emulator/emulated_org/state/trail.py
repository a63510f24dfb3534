"""What CloudTrail records: one event for each call of a known principal, the latest of them kept."""
import json
import threading
import uuid
from collections import deque
from dataclasses import dataclass
from datetime import datetime
from typing import Deque, Dict, List, Optional

from ..enforcement import Principal
from ..protocol.calls import Answer, Call
from .calls import READS
from .clock import whole_seconds
from .directory import Directory

KEPT = 20000
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
RESOURCE_TYPES = {
    "accessKeyId": "AWS::IAM::AccessKey",
    "bucketName": "AWS::S3::Bucket",
    "groupName": "AWS::IAM::Group",
    "instanceProfileName": "AWS::IAM::InstanceProfile",
    "policyArn": "AWS::IAM::Policy",
    "policyName": "AWS::IAM::Policy",
    "roleArn": "AWS::IAM::Role",
    "roleName": "AWS::IAM::Role",
    "tableName": "AWS::DynamoDB::Table",
    "userName": "AWS::IAM::User",
}


@dataclass(frozen=True)
class Event:
    number: int
    account: str
    region: str
    moment: datetime
    username: str
    detail: dict

    @property
    def resources(self) -> List[Dict[str, str]]:
        parameters = self.detail["requestParameters"] or {}
        return [
            {"ResourceType": kind, "ResourceName": parameters[name]}
            for name, kind in RESOURCE_TYPES.items()
            if name in parameters
        ]

    def described(self) -> dict:
        """The event as LookupEvents answers it."""
        detail = self.detail
        return {
            "EventId": detail["eventID"],
            "EventName": detail["eventName"],
            "ReadOnly": "true" if detail["readOnly"] else "false",
            "AccessKeyId": detail["userIdentity"]["accessKeyId"],
            "EventTime": int(self.moment.timestamp()),
            "EventSource": detail["eventSource"],
            "Username": self.username,
            "Resources": self.resources,
            "CloudTrailEvent": json.dumps(detail),
        }


class Trail:
    def __init__(self, directory: Directory) -> None:
        self._directory = directory
        self._lock = threading.Lock()
        self._events: Deque[Event] = deque(maxlen=KEPT)
        self._number = 0

    def reset(self) -> None:
        with self._lock:
            self._events.clear()

    def record(self, call: Call, principal: Principal, answer: Answer, now: datetime) -> None:
        if _is_data_event(call):
            return
        region = self._directory.main_region if call.service in GLOBAL_SERVICES else call.region
        detail = _detail(call, principal, answer, region, now)
        username = principal.entity.name
        if principal.kind == "role":
            username = principal.session.session_name
        with self._lock:
            self._number += 1
            self._events.append(Event(self._number, principal.account, region, now, username, detail))

    def newest_first(self, account: str, region: str, before: Optional[int] = None) -> List[Event]:
        """An account's events in a region; of those older than the one numbered `before`, if stated."""
        with self._lock:
            events = list(self._events)
        return [
            event
            for event in reversed(events)
            if event.account == account and event.region == region and (before is None or event.number < before)
        ]


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
        "responseElements": None,
        "requestID": call.request_id,
        "eventID": str(uuid.uuid4()),
        "readOnly": call.operation.startswith(READS),
        "eventType": "AwsApiCall",
        "managementEvent": True,
        "recipientAccountId": principal.account,
        "eventCategory": "Management",
    }
    if answer.error_code:
        detail["errorCode"] = answer.error_code
        detail["errorMessage"] = answer.error_message or ""
    return detail


def _identity(call: Call, principal: Principal) -> dict:
    entity, session = principal.entity, principal.session
    identity = {
        "type": "AssumedRole" if principal.kind == "role" else "IAMUser",
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
    if principal.kind == "role":
        context["sessionIssuer"] = {
            "type": "Role",
            "principalId": entity.id,
            "arn": entity.arn,
            "accountId": principal.account,
            "userName": entity.name,
        }
    if session.source_identity:
        context["sourceIdentity"] = session.source_identity
    return {**identity, "sessionContext": context}
