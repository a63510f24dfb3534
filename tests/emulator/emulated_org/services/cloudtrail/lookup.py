"""AWS CloudTrail's LookupEvents, over what the emulator itself was asked."""
import base64
import hashlib
import json
from datetime import timedelta
from typing import Callable, Dict, Mapping, Optional

from ...enforcement import Principal
from ...errors import AwsError, NotEmulated
from ...protocol.answers import Answer, json_answer
from ...protocol.calls import Call
from ...state.trail import Event
from ...state.world import World

PAGE_LIMITS = range(1, 51)
ATTRIBUTES: Dict[str, Callable[[Event, str], bool]] = {
    "AccessKeyId": lambda event, value: event.access_key_id == value,
    "EventId": lambda event, value: event.detail["eventID"] == value,
    "EventName": lambda event, value: event.detail["eventName"] == value,
    "EventSource": lambda event, value: event.detail["eventSource"] == value,
    "ReadOnly": lambda event, value: event.detail["readOnly"] == (value == "true"),
    "ResourceName": lambda event, value: any(resource["ResourceName"] == value for resource in event.resources),
    "ResourceType": lambda event, value: any(resource["ResourceType"] == value for resource in event.resources),
    "Username": lambda event, value: event.username == value,
}


class CloudTrail:
    def __init__(self, world: World) -> None:
        self._trail = world.trail
        self._clock = world.clock

    def handle(self, call: Call, principal: Principal) -> Answer:
        if call.operation != "LookupEvents":
            raise NotEmulated(f"cloudtrail:{call.operation}")
        body = call.json_body()
        if body.get("EventCategory"):
            raise NotEmulated("cloudtrail:LookupEvents with an EventCategory")
        request = _Lookup(body)
        latest = self._clock.now() - timedelta(seconds=self._trail.delay_seconds)
        found = [
            event
            for event in self._trail.newest_first(principal.account, call.region, request.before)
            if event.moment <= latest and request.wants(event)
        ]
        page = found[: request.size]
        answer: dict = {"Events": [event.described() for event in page]}
        if len(found) > len(page):
            answer["NextToken"] = request.token_after(page[-1])
        return json_answer(call, answer)


class _Lookup:
    """The validated parameters of a LookupEvents call."""

    def __init__(self, body: Mapping) -> None:
        self._matches, self._value = _attribute(body)
        self._start, self._end = _time(body, "StartTime"), _time(body, "EndTime")
        if self._start is not None and self._end is not None and self._start > self._end:
            raise AwsError("InvalidTimeRangeException", "The start time occurs after the end time.")
        self.size = body.get("MaxResults", PAGE_LIMITS[-1])
        if not isinstance(self.size, int) or self.size not in PAGE_LIMITS:
            raise AwsError("InvalidMaxResultsException", "A value between 1 and 50 is required for MaxResults.")
        # A token is good for the request it was answered to, and for its next pages.
        asked = json.dumps([body.get(name) for name in ("LookupAttributes", "StartTime", "EndTime")])
        self._digest = hashlib.sha256(asked.encode()).hexdigest()[:16]
        self.before = self._position(body["NextToken"]) if body.get("NextToken") else None

    def wants(self, event: Event) -> bool:
        second = int(event.moment.timestamp())
        if self._start is not None and second < self._start:
            return False
        if self._end is not None and second > self._end:
            return False
        return self._matches is None or self._matches(event, self._value)

    def token_after(self, event: Event) -> str:
        """Pages go on below an event, not at an offset: events keep arriving above it."""
        return base64.b64encode(f"{self._digest}:{event.number}".encode()).decode()

    def _position(self, token: str) -> int:
        try:
            digest, _, number = base64.b64decode(token, validate=True).decode().partition(":")
            if digest == self._digest:
                return int(number)
        except (ValueError, TypeError):
            pass
        raise AwsError("InvalidNextTokenException", "The token is invalid, or of a request with other parameters.")


def _attribute(body: Mapping):
    attributes = body.get("LookupAttributes") or []
    if not attributes:
        return None, ""
    wanted = attributes[0] if isinstance(attributes, list) and len(attributes) == 1 else {}
    name, value = wanted.get("AttributeKey"), wanted.get("AttributeValue")
    if name not in ATTRIBUTES or not isinstance(value, str):
        raise AwsError("InvalidLookupAttributesException", "Exactly one valid lookup attribute is allowed.")
    return ATTRIBUTES[name], value


def _time(body: Mapping, name: str) -> Optional[float]:
    moment = body.get(name)
    if moment is not None and (isinstance(moment, bool) or not isinstance(moment, (int, float))):
        raise AwsError("InvalidTimeRangeException", f"{name} is not a number of seconds.")
    return moment
