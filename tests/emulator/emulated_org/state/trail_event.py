"""An event of CloudTrail: a record, and when and in which order it came."""
import json
from dataclasses import dataclass
from datetime import datetime, timezone
from typing import Optional, Tuple

from ..times import whole_seconds

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
class Content:
    """A record but for its time and its id, with what LookupEvents looks for. Many events may share one."""

    name: str
    source: str
    is_read: bool
    # Its caller's. A record in another account than the caller's has neither.
    access_key_id: Optional[str]
    username: Optional[str]
    resources: Tuple[Tuple[str, str], ...]
    # JSON, as it is the most compact.
    text: str

    @classmethod
    def of(cls, detail: dict, username: Optional[str]) -> "Content":
        rest = {name: value for name, value in detail.items() if name not in ("eventTime", "eventID")}
        identity = detail["userIdentity"] or {}
        return cls(
            detail["eventName"],
            detail["eventSource"],
            bool(detail["readOnly"]),
            identity.get("accessKeyId"),
            username,
            _resources(detail),
            json.dumps(rest),
        )


class Event:
    __slots__ = ("content", "place", "at", "number", "id", "share")

    def __init__(
        self, content: Content, place: Tuple[str, str], at: float, number: int, id: str, share: float
    ) -> None:
        self.content = content
        # Account and region.
        self.place = place
        # In seconds since 1970. Events of one moment are in the order in which they came.
        self.at, self.number = at, number
        self.id = id
        # Of the jitter, by chance.
        self.share = share

    @property
    def position(self) -> Tuple[float, int]:
        return self.at, self.number

    def __lt__(self, other: "Event") -> bool:
        return self.position < other.position

    def described(self) -> dict:
        """The event as LookupEvents answers it."""
        content = self.content
        time = whole_seconds(datetime.fromtimestamp(self.at, timezone.utc))
        named = {"AccessKeyId": content.access_key_id, "Username": content.username}
        return {
            "EventId": self.id,
            "EventName": content.name,
            "ReadOnly": "true" if content.is_read else "false",
            "EventTime": int(self.at),
            "EventSource": content.source,
            "Resources": [{"ResourceType": kind, "ResourceName": name} for kind, name in content.resources],
            "CloudTrailEvent": json.dumps({"eventTime": time, "eventID": self.id})[:-1] + ", " + content.text[1:],
            **{name: value for name, value in named.items() if value is not None},
        }


def _resources(detail: dict) -> Tuple[Tuple[str, str], ...]:
    parameters, elements = detail["requestParameters"] or {}, detail["responseElements"] or {}
    named = [(kind, parameters.get(name)) for name, kind in RESOURCE_TYPES.items()]
    for (part, name), kind in MADE_TYPES.items():
        made = elements.get(part)
        named.append((kind, made.get(name) if isinstance(made, dict) else None))
    return tuple((kind, name) for kind, name in named if isinstance(name, str) and name)
