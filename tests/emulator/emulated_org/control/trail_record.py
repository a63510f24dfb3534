"""A CloudTrail record as a test wants it: what it states over a complete one."""
import copy
import uuid
from datetime import datetime, timedelta
from typing import Iterator, Mapping, Optional, Tuple

from ..enforcement import Enforcement
from ..errors import InvalidCredentials
from ..identity import user_identity
from ..protocol.calls import READS
from ..times import parse_time, whole_seconds

SHORTHANDS = ("access_key_id", "event", "time", "repeat", "step_seconds")
KEY = "ASIAEXAMPLEEXAMPLE00"
NAMED = {"errorCode", "errorMessage", "resources", "sharedEventID", "additionalEventData", "vpcEndpointId",
         "sessionCredentialFromConsole", "tlsDetails", "serviceEventDetails", "apiVersion", "edgeDeviceDetails",
         "annotation", "addendum", "insightDetails"}


class TrailRecord:
    def __init__(
        self, asked: Mapping, account: str, region: str, now: datetime, enforcement: Enforcement
    ) -> None:
        shorthand = {name: asked[name] for name in SHORTHANDS if name in asked}
        stated = {name: value for name, value in asked.items() if name not in SHORTHANDS}
        time = shorthand.get("time") or stated.get("eventTime")
        self._start = parse_time(time) if time else now
        self.repeat, self._step = int(shorthand.get("repeat", 1)), float(shorthand.get("step_seconds", 0))
        if self.repeat < 1 or (self.repeat > 1 and "eventID" in stated):
            raise ValueError("repeat is at least 1, and 1 for a record with an eventID")
        self._start + timedelta(seconds=self._step * self.repeat)  # no later than there are dates
        service, _, name = shorthand.get("event", "iam:ListUsers").partition(":")
        if not service or not name:
            raise ValueError("an event is a service and an operation, such as iam:ListUsers")
        key = shorthand.get("access_key_id") or (stated.get("userIdentity") or {}).get("accessKeyId") or KEY
        complete = {
            "eventVersion": "1.09",
            "userIdentity": _identity(enforcement, key, account, self._start),
            "eventTime": whole_seconds(self._start),
            "eventSource": f"{service}.amazonaws.com",
            "eventName": name,
            "awsRegion": region,
            "sourceIPAddress": "198.51.100.7",
            "userAgent": "aws-cli/2.31.0",
            "requestParameters": None,
            "responseElements": None,
            "requestID": str(uuid.uuid4()),
            "eventID": str(uuid.uuid4()),
            "readOnly": stated.get("eventName", name).startswith(READS),
            "eventType": "AwsApiCall",
            "managementEvent": True,
            "recipientAccountId": account,
            "eventCategory": "Management",
        }
        unknown = set(stated) - set(complete) - NAMED
        if unknown:
            raise ValueError(f"a record has no {', '.join(sorted(unknown))}")
        if (stated.get("userIdentity") or {}).get("type"):
            # Another kind of caller has nothing of this one.
            complete["userIdentity"] = {}
        self.detail = _merged(complete, stated)

    @property
    def username(self) -> Optional[str]:
        identity = self.detail["userIdentity"] or {}
        kind, principal = identity.get("type"), str(identity.get("principalId", ""))
        if kind in ("AssumedRole", "FederatedUser"):
            return principal.partition(":")[2] or None
        return "root" if kind == "Root" else identity.get("userName")

    def events(self) -> Iterator[Tuple[float, Optional[str]]]:
        start = self._start.timestamp()
        for number in range(self.repeat):
            yield start + number * self._step, None if number else self.detail["eventID"]


def _identity(enforcement: Enforcement, access_key_id: str, account: str, moment: datetime) -> dict:
    """Of whoever has the key; of a role's session that was never there for a key that nobody has."""
    try:
        return user_identity(enforcement.holder_of(access_key_id), access_key_id)
    except InvalidCredentials:
        pass
    role_id, role = "AROAEXAMPLEEXAMPLE001", f"arn:aws:iam::{account}:role/Example"
    issuer = {"type": "Role", "principalId": role_id, "arn": role, "accountId": account, "userName": "Example"}
    attributes = {"creationDate": whole_seconds(moment), "mfaAuthenticated": "false"}
    return {
        "type": "AssumedRole",
        "principalId": f"{role_id}:app",
        "arn": f"arn:aws:sts::{account}:assumed-role/Example/app",
        "accountId": account,
        "accessKeyId": access_key_id,
        "sessionContext": {"attributes": attributes, "sessionIssuer": issuer},
    }


def _merged(complete: dict, stated: Mapping) -> dict:
    merged = copy.copy(complete)
    for name, value in stated.items():
        below = merged.get(name)
        merged[name] = _merged(below, value) if isinstance(below, dict) and isinstance(value, Mapping) else value
    return merged
