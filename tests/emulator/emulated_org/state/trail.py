"""What CloudTrail records: one event for each call of a known principal, the latest of them kept."""
import json
import threading
from collections import deque
from dataclasses import dataclass
from datetime import datetime
from typing import Deque, Dict, List, Optional

KEPT = 20000
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
    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._events: Deque[Event] = deque(maxlen=KEPT)
        self._number = 0
        # Younger events are not found yet.
        self.delay_seconds = 0.0

    def reset(self) -> None:
        with self._lock:
            self._events.clear()
            self.delay_seconds = 0.0

    def record(self, account: str, region: str, moment: datetime, username: str, detail: dict) -> None:
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
