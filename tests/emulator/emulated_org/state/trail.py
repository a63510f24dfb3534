"""What CloudTrail records: one event for each call of a known principal, the latest of them kept."""
import json
import threading
from collections import deque
from dataclasses import dataclass
from datetime import datetime
from typing import Deque, Dict, List, Optional

KEPT = 20000
LOOPBACK = "127.0.0.1"
RESOURCE_TYPES = {
    "accessKeyId": "AWS::IAM::AccessKey",
    "bucketName": "AWS::S3::Bucket",
    "functionName": "AWS::Lambda::Function",
    "groupName": "AWS::IAM::Group",
    "instanceProfileName": "AWS::IAM::InstanceProfile",
    "keyId": "AWS::KMS::Key",
    "policyArn": "AWS::IAM::Policy",
    "policyName": "AWS::IAM::Policy",
    "roleArn": "AWS::IAM::Role",
    "roleName": "AWS::IAM::Role",
    "secretId": "AWS::SecretsManager::Secret",
    "tableName": "AWS::DynamoDB::Table",
    "userName": "AWS::IAM::User",
}
# What of an answer's parts is a resource, too.
MADE_TYPES = {
    ("credentials", "accessKeyId"): "AWS::IAM::AccessKey",
    ("assumedRoleUser", "assumedRoleId"): "AWS::STS::AssumedRole",
    ("assumedRoleUser", "arn"): "AWS::STS::AssumedRole",
    ("accessKey", "accessKeyId"): "AWS::IAM::AccessKey",
}


@dataclass(frozen=True)
class Event:
    number: int
    account: str
    region: str
    moment: datetime
    username: Optional[str]
    detail: dict

    @property
    def access_key_id(self) -> Optional[str]:
        """Its caller's. A record in another account than the caller's has none."""
        return self.detail["userIdentity"].get("accessKeyId")

    @property
    def resources(self) -> List[Dict[str, str]]:
        parameters, elements = self.detail["requestParameters"] or {}, self.detail["responseElements"] or {}
        named = [(kind, parameters.get(name)) for name, kind in RESOURCE_TYPES.items()]
        for (part, name), kind in MADE_TYPES.items():
            made = elements.get(part)
            named.append((kind, made.get(name) if isinstance(made, dict) else None))
        return [
            {"ResourceType": kind, "ResourceName": name} for kind, name in named if isinstance(name, str) and name
        ]

    def described(self) -> dict:
        """The event as LookupEvents answers it."""
        detail = self.detail
        named = {"AccessKeyId": self.access_key_id, "Username": self.username}
        return {
            "EventId": detail["eventID"],
            "EventName": detail["eventName"],
            "ReadOnly": "true" if detail["readOnly"] else "false",
            "EventTime": int(self.moment.timestamp()),
            "EventSource": detail["eventSource"],
            "Resources": self.resources,
            "CloudTrailEvent": json.dumps(detail),
            **{name: value for name, value in named.items() if value is not None},
        }


class Trail:
    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._events: Deque[Event] = deque(maxlen=KEPT)
        self._number = 0
        # Younger events are not found yet.
        self.delay_seconds = 0.0
        # Access key -> where its calls come from, if not from this machine.
        self.addresses: Dict[str, str] = {}

    def reset(self) -> None:
        with self._lock:
            self._events.clear()
            self.delay_seconds = 0.0
            self.addresses.clear()

    def address_of(self, access_key_id: str) -> str:
        return self.addresses.get(access_key_id, LOOPBACK)

    def inherit_address(self, access_key_id: str, made: Optional[str]) -> None:
        """What a credential made is used from where it is used itself."""
        if made and access_key_id in self.addresses:
            self.addresses.setdefault(made, self.addresses[access_key_id])

    def record(self, account: str, region: str, moment: datetime, username: Optional[str], detail: dict) -> None:
        with self._lock:
            self._number += 1
            self._events.append(Event(self._number, account, region, moment, username, detail))

    def newest_first(self, account: str, region: str, before: Optional[int] = None) -> List[Event]:
        """An account's events in a region; of those older than the one numbered `before`, if stated."""
        with self._lock:
            events = list(self._events)
        return [
            event
            for event in reversed(events)
            if event.account == account and event.region == region and (before is None or event.number < before)
        ]
